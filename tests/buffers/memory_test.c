/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_test.c - allocations that fail, what is put aside for readers, and how much there is of it.
 */
#include "model.h"

static struct busway_buffer buffer_at(uint64_t first, uint64_t size)
{
	return (struct busway_buffer){.va = {first, first + (size - 1)},
				      .dma = {first ^ 0x5000},
				      .access = BUSWAY_READ_WRITE};
}

static void creating_fails_whole(void **state)
{
	struct busway_buffers *buffers = NULL;
	struct test_memory memory;
	unsigned long call = 0;

	(void)state;
	test_memory_open(&memory);
	do {
		assert_null(buffers);
		assert_int_equal(memory.blocks, 0);
		test_memory_fail_at(&memory, ++call, true);
	} while (busway_buffers_create(NULL, &memory.allocator, &buffers));
	assert_true(call > 2);
	busway_buffers_destroy(buffers);
	busway_buffers_destroy(NULL);
	test_memory_close(&memory);
}

/* Every allocation of every registration fails once; nothing is different behind it. */
static void a_registration_that_fails_changes_nothing(void **state)
{
	static struct model m;
	unsigned failed = 0;

	(void)state;
	for (unsigned round = 0; round < random_rounds(12); round++) {
		struct rng rng = rng_of(random_seed() + round);

		model_open(&m, round & 1);
		for (unsigned i = 0; i < 250; i++) {
			const uint64_t unit = (uint64_t)1 << rng_below(&rng, round % 3 ? 40 : 12);
			const struct busway_buffer b =
				buffer_at(rng_below(&rng, 4096) * unit,
					  1 + rng_below(&rng, 3) * unit + rng_below(&rng, unit));
			const uint64_t ticket = busway_buffers_ticket(m.buffers);
			unsigned long call = 0;
			int status;

			while (test_memory_fail_at(&m.memory, ++call, true),
			       (status = busway_buffers_register(m.buffers, &b, NULL)) ==
				       -BUSWAY_ENOMEM) {
				failed++;
				assert_true(busway_buffers_ticket(m.buffers) == ticket);
				model_compare(&m);
			}
			test_memory_fail_at(&m.memory, 0, false);
			if (status == 0)
				m.list[m.count++] = b;
			if (m.count > 60)
				model_unregister(&m, m.list[rng_below(&rng, m.count)].va);
		}
		model_compare(&m);
		model_close(&m);
	}
	assert_true(failed > 20);
}

static void unregistering_allocates_nothing(void **state)
{
	static struct model m;

	(void)state;
	model_open(&m, false);
	for (uint64_t i = 0; i < 200; i++) {
		const struct busway_buffer b = buffer_at(0x1000 + i * 0x11000, 0x10000);

		assert_true(model_register(&m, &b));
	}
	test_memory_fail_at(&m.memory, 1, true);
	while (m.count)
		assert_true(model_unregister(&m, m.list[0].va));
	assert_int_equal(m.memory.calls, 0);
	model_close(&m);
}

/* Failures take nothing away: a twin that never saw one has as much memory in the end. */
static void what_failed_is_used_again(void **state)
{
	static struct model m, twin;

	(void)state;
	for (unsigned round = 0; round < random_rounds(10); round++) {
		struct rng rng = rng_of(random_seed() + round);
		const unsigned unit_lg2 = round % 2 ? 12 : 30;

		model_open(&m, true);
		model_open(&twin, true);
		for (unsigned i = 0; i < 400; i++) {
			const uint64_t unit = (uint64_t)1 << rng_below(&rng, unit_lg2);
			const struct busway_buffer b = buffer_at(rng_below(&rng, 4096) * unit,
								 1 + rng_below(&rng, 2 * unit));

			test_memory_fail_at(&m.memory, 1, true);
			for (unsigned again = 0; again < 20; again++)
				if (busway_buffers_register(m.buffers, &b, NULL) == 0)
					assert_int_equal(
						busway_buffers_unregister(m.buffers, b.va, NULL), 0);
			test_memory_fail_at(&m.memory, 0, false);
			assert_int_equal(model_register(&m, &b), model_register(&twin, &b));
		}
		assert_int_equal(busway_buffers_bytes(m.buffers),
				 busway_buffers_bytes(twin.buffers));
		model_close(&m);
		model_close(&twin);
	}
}

/* There may be room for one end of a buffer and not for the other: then for neither. */
static void one_end_is_no_end(void **state)
{
	const struct busway_buffer two_ends = buffer_at(((uint64_t)200 << 30) - 0x100, 0x200);
	const struct busway_buffer small = buffer_at((uint64_t)300 << 30, 1);
	unsigned failed = 0;

	(void)state;
	for (unsigned before = 0; before < 20; before++) {
		static struct model m;
		int without = 0;

		for (unsigned tries = 0; tries < 2; tries++) {
			int status;

			model_open(&m, true);
			for (uint64_t i = 0; i < before; i++) {
				const struct busway_buffer b = buffer_at(i << 30, 1);

				assert_true(model_register(&m, &b));
			}
			test_memory_fail_at(&m.memory, 1, true);
			if (tries && busway_buffers_register(m.buffers, &two_ends, NULL))
				failed++;
			else if (tries)
				assert_int_equal(
					busway_buffers_unregister(m.buffers, two_ends.va, NULL), 0);
			status = busway_buffers_register(m.buffers, &small, NULL);
			if (tries)
				assert_int_equal(status, without);
			without = status;
			model_close(&m);
		}
	}
	assert_true(failed > 1 && failed < 19);
}

/* New places over and over, and no more memory than for the first ones. */
static void what_was_reclaimed_is_used_again(void **state)
{
	size_t bytes[2] = {0, 0};
	static struct model m;

	(void)state;
	for (unsigned exclusive = 0; exclusive < 2; exclusive++) {
		model_open(&m, exclusive);
		for (uint64_t turn = 0; turn < 50; turn++) {
			for (uint64_t i = 0; i < 50; i++) {
				const struct busway_buffer b =
					buffer_at((turn << 40) + (i << 32), 0x500123);

				assert_true(model_register(&m, &b));
				busway_buffers_reclaim(m.buffers, busway_buffers_ticket(m.buffers));
			}
			while (m.count) {
				assert_true(model_unregister(&m, m.list[m.count - 1].va));
				assert_true((busway_buffers_aside(m.buffers) == 0) == exclusive);
				busway_buffers_reclaim(m.buffers, busway_buffers_ticket(m.buffers));
			}
			if (turn == 1) /* the root moved for the first time */
				bytes[exclusive] = busway_buffers_bytes(m.buffers);
		}
		assert_int_equal(busway_buffers_bytes(m.buffers), bytes[exclusive]);
		model_close(&m);
	}
}

/* A ticket stands for what was put aside before it, and for nothing after. */
static void a_ticket_reclaims_what_is_older(void **state)
{
	const struct busway_buffer a = buffer_at(0x1000, 0x1000), b = buffer_at(0x3000, 0x1000);
	static struct model m;
	uint64_t ticket;
	size_t aside;

	(void)state;
	model_open(&m, false);
	assert_true(model_register(&m, &a));
	assert_int_equal(busway_buffers_aside(m.buffers), 0);
	assert_true(model_register(&m, &b)); /* in a new cell */
	aside = busway_buffers_aside(m.buffers);
	assert_int_equal(aside, 192);
	ticket = busway_buffers_ticket(m.buffers);
	assert_true(model_unregister(&m, a.va));
	aside = busway_buffers_aside(m.buffers);
	busway_buffers_reclaim(m.buffers, ticket);
	assert_int_equal(busway_buffers_aside(m.buffers), aside - 192);
	busway_buffers_reclaim(m.buffers, ticket); /* once more: nothing */
	assert_int_equal(busway_buffers_aside(m.buffers), aside - 192);
	busway_buffers_reclaim(m.buffers, busway_buffers_ticket(m.buffers));
	assert_int_equal(busway_buffers_aside(m.buffers), 0);
	model_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(creating_fails_whole),
		cmocka_unit_test(a_registration_that_fails_changes_nothing),
		cmocka_unit_test(unregistering_allocates_nothing),
		cmocka_unit_test(what_failed_is_used_again),
		cmocka_unit_test(one_end_is_no_end),
		cmocka_unit_test(what_was_reclaimed_is_used_again),
		cmocka_unit_test(a_ticket_reclaims_what_is_older),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
