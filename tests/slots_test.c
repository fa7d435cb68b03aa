/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots_test.c - runs of slots: src/pool/slots.h.
 *
 * The twin is an array of flags; whether a wish can be met is asked of it slot by slot.
 */
#include "../src/pool/slots.h"
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

#include <stdlib.h>

struct pair {
	struct slots slots;
	uint32_t count, live_count;
	bool *taken;
	struct slot_wish *live; /* .phase: where it lies */
};

static void open_pair(struct pair *p, struct test_memory *memory, uint32_t count)
{
	*p = (struct pair){.count = count};
	test_memory_open(memory);
	assert_int_equal(slots_create(&p->slots, count, &memory->allocator), 0);
	p->taken = calloc(count, sizeof(*p->taken));
	p->live = calloc(count, sizeof(*p->live));
	assert_non_null(p->taken);
	assert_non_null(p->live);
}

static void close_pair(struct pair *p, struct test_memory *memory)
{
	free(p->taken);
	free(p->live);
	slots_destroy(&p->slots);
	test_memory_close(memory);
}

static bool is_free(const struct pair *p, uint32_t first, uint32_t count)
{
	if (count > p->count - first)
		return false;
	for (uint32_t i = first; i < first + count; i++)
		if (p->taken[i])
			return false;
	return true;
}

/* Is there a place, wherever? */
static bool can_be_met(const struct pair *p, struct slot_wish wish)
{
	for (uint32_t i = 0; i < p->count; i++)
		if ((i & (wish.align - 1)) == wish.phase && is_free(p, i, wish.count))
			return true;
	return false;
}

static uint32_t longest(const struct pair *p)
{
	uint32_t best = 0, run = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		run = p->taken[i] ? 0 : run + 1;
		best = run > best ? run : best;
	}
	return best;
}

static void take(struct pair *p, struct slot_wish wish, uint64_t seed)
{
	const uint32_t first = slots_take(&p->slots, wish);

	if (first == SLOT_NONE) {
		if (can_be_met(p, wish))
			fail_msg("seed 0x%" PRIx64 ": %u slots, %u modulo %u: refused", seed,
				 wish.count, wish.phase, wish.align);
		return;
	}
	if (first >= p->count || (first & (wish.align - 1)) != wish.phase ||
	    !is_free(p, first, wish.count))
		fail_msg("seed 0x%" PRIx64 ": %u slots, %u modulo %u: at %u", seed, wish.count,
			 wish.phase, wish.align, first);
	assert_int_equal(slots_taken_at(&p->slots, first), wish.count);
	for (uint32_t i = first; i < first + wish.count; i++)
		p->taken[i] = true;
	wish.phase = first;
	p->live[p->live_count++] = wish;
}

static void give(struct pair *p, uint32_t which)
{
	const struct slot_wish was = p->live[which];

	slots_give(&p->slots, was.phase);
	for (uint32_t i = was.phase; i < was.phase + was.count; i++)
		p->taken[i] = false;
	p->live[which] = p->live[--p->live_count];
}

static struct slot_wish any_wish(struct rng *rng, uint32_t count)
{
	struct slot_wish wish = {1, 1, 0};

	if (rng_chance(rng, 10))
		wish.count = (uint32_t)rng_between(rng, 1, count);
	else
		wish.count = (uint32_t)rng_between(rng, 1, count < 24 ? count : 24);
	if (rng_chance(rng, 40))
		wish.align = (uint32_t)1 << rng_below(rng, 7);
	wish.phase = (uint32_t)rng_below(rng, wish.align);
	return wish;
}

static void a_wish_is_met_exactly_while_a_place_exists(void **state)
{
	const unsigned rounds = random_rounds(200);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed);
		struct test_memory memory;
		struct pair p;

		open_pair(&p, &memory, (uint32_t)rng_between(&rng, 1, 600));
		for (unsigned step = 0; step < 300; step++) {
			if (p.live_count && rng_chance(&rng, 45))
				give(&p, (uint32_t)rng_below(&rng, p.live_count));
			else
				take(&p, any_wish(&rng, p.count), seed);
			assert_int_equal(slots_longest(&p.slots), longest(&p));
		}
		while (p.live_count)
			give(&p, 0);
		assert_int_equal(p.slots.used, 0);
		assert_int_equal(slots_longest(&p.slots), p.count);
		close_pair(&p, &memory);
	}
}

static void the_whole_row_is_one_run(void **state)
{
	static const uint32_t counts[] = {1, 2, 63, 64, 65, 71, 72, 73, 127, 128, 129, 32768, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct test_memory memory;
		struct pair p;

		open_pair(&p, &memory, counts[i]);
		assert_int_equal(slots_take(&p.slots, (struct slot_wish){counts[i] + 1, 1, 0}),
				 SLOT_NONE);
		assert_int_equal(slots_take(&p.slots, (struct slot_wish){counts[i], 1, 0}), 0);
		assert_int_equal(slots_longest(&p.slots), 0);
		assert_int_equal(slots_take(&p.slots, (struct slot_wish){1, 1, 0}), SLOT_NONE);
		slots_give(&p.slots, 0);
		assert_int_equal(slots_longest(&p.slots), counts[i]);
		close_pair(&p, &memory);
	}
}

static void senseless_wishes_are_refused(void **state)
{
	struct test_memory memory;
	struct pair p;

	(void)state;
	open_pair(&p, &memory, 100);
	assert_int_equal(slots_take(&p.slots, (struct slot_wish){0, 1, 0}), SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, (struct slot_wish){UINT32_MAX, 1, 0}), SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, (struct slot_wish){1, SLOTS_MAX, 100}), SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, (struct slot_wish){1, SLOTS_MAX, 99}), 99);
	close_pair(&p, &memory);
}

static void creation_refuses_what_cannot_be(void **state)
{
	struct test_memory memory;
	struct slots slots;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(slots_create(&slots, 0, &memory.allocator), -BUSWAY_EINVAL);
	assert_int_equal(slots_create(&slots, SLOTS_MAX + 1, &memory.allocator), -BUSWAY_EINVAL);
	test_memory_fail_at(&memory, 1, false);
	assert_int_equal(slots_create(&slots, 8, &memory.allocator), -BUSWAY_ENOMEM);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wish_is_met_exactly_while_a_place_exists),
		cmocka_unit_test(the_whole_row_is_one_run),
		cmocka_unit_test(senseless_wishes_are_refused),
		cmocka_unit_test(creation_refuses_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
