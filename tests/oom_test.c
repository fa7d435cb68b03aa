/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oom_test.c - the allocator fails at its 1st, 2nd, 3rd... call, until the operation succeeds.
 *
 * Each time: the status is -BUSWAY_ENOMEM, nothing is left behind, results and state are as they
 * were, and the next try works. Both ways to fail are tried: one call only, and all from there on.
 */
#include "support/generate.h"
#include "support/test.h"

#include <string.h>

/* ---- sets of addresses ---- */

enum set_operation { ADD, REMOVE, KEEP, INTERSECT, SUBTRACT, SET_OPERATIONS };

static int change_set(enum set_operation operation, struct busway_intervals *set,
		      const struct busway_intervals *other)
{
	switch (operation) {
	case ADD:
		return busway_intervals_add(set, (struct busway_range){1000, 1000});
	case REMOVE:
		return busway_intervals_remove(set, (struct busway_range){101, 101});
	case KEEP:
		return busway_intervals_keep(set, (struct busway_range){0, 101});
	case INTERSECT:
		return busway_intervals_intersect(set, other);
	default:
		return busway_intervals_subtract(set, other);
	}
}

/* @runs runs of three addresses, ten apart; the last holds 100..102 where there are 11. */
static void fill(struct busway_intervals *set, const struct busway_allocator *memory, uint64_t runs,
		 uint64_t offset)
{
	busway_intervals_init(set, memory);
	for (uint64_t i = 0; i < runs; i++)
		assert_int_equal(
			busway_intervals_add(
				set, (struct busway_range){10 * i + offset, 10 * i + offset + 2}),
			0);
}

static void fail_set_operation(enum set_operation operation, uint64_t runs, bool and_all_later)
{
	for (unsigned long call = 1;; call++) {
		struct busway_range before[16];
		struct busway_intervals set, other;
		struct test_memory memory;
		size_t count;
		int status;

		assert_in_range(call, 1, 1000);
		test_memory_open(&memory);
		fill(&set, &memory.allocator, runs, 0);
		fill(&other, &memory.allocator, runs, 1);
		count = set.count;
		memcpy(before, set.runs, count * sizeof(*before));
		test_memory_fail_at(&memory, call, and_all_later);
		status = change_set(operation, &set, &other);
		if (status) {
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(set.count, count);
			assert_memory_equal(set.runs, before, count * sizeof(*before));
			test_memory_fail_at(&memory, 0, false);
			assert_int_equal(change_set(operation, &set, &other), 0);
		}
		busway_intervals_clear(&set);
		busway_intervals_clear(&other);
		test_memory_close(&memory);
		if (!status)
			return;
	}
}

static void sets_stay_as_they_were(void **state)
{
	(void)state;
	/* 4, 8 and 16 runs fill the memory that a set has */
	for (int operation = ADD; operation < SET_OPERATIONS; operation++)
		for (uint64_t runs = 1; runs <= 16; runs++) {
			fail_set_operation((enum set_operation)operation, runs, false);
			fail_set_operation((enum set_operation)operation, runs, true);
		}
}

/* ---- building a platform ---- */

static void failed_creation_leaves_nothing(void **state)
{
	struct test_memory memory;
	struct busway_platform *platform = NULL;
	unsigned long call = 1;

	(void)state;
	test_memory_open(&memory);
	for (;; call++) {
		test_memory_fail_at(&memory, call, true);
		if (!busway_platform_create(&memory.allocator, &platform))
			break;
		assert_null(platform);
		assert_int_equal(memory.blocks, 0);
	}
	assert_true(call > 1);
	busway_platform_destroy(platform);
	test_memory_close(&memory);
}

/* Add one thing of each kind; those that fail are tried again when there is memory. */
enum { KINDS = 9 };

static int add_one(struct busway_platform *platform, unsigned kind)
{
	const struct busway_space space = {.name = "/s", .kind = BUSWAY_SPACE_BUS};
	const struct busway_window window = {.from = {1}, .to = {0}, .in = {0, 9}, .name = "/w"};
	const struct busway_region region = {.range = {0, 9}, .name = "/r"};
	const struct busway_memory_bank bank = {"/b", {0, 9}};
	const struct busway_pool pool = {.name = "/p"};
	const struct busway_device device = {.name = "/d", .restricted_pool = UINT32_MAX};
	busway_space_id space_id;
	busway_device_id device_id;
	uint32_t index;

	switch (kind) {
	case 0:
		return busway_platform_add_space(platform, &space, &space_id);
	case 1:
		return busway_platform_add_window(platform, &window);
	case 2:
		return busway_platform_add_region(platform, &region);
	case 3:
		return busway_platform_add_bank(platform, &bank);
	case 4:
		return busway_platform_add_pool(platform, &pool, &index);
	case 5:
		return busway_platform_add_device(platform, &device, &device_id);
	case 6:
		return busway_platform_add_reserved(platform, (struct busway_range){0, 9});
	case 7:
		return busway_platform_add_alias(platform, "a", "/d");
	default:
		return busway_platform_keep(platform, 3000, 64) ? 0 : -BUSWAY_ENOMEM;
	}
}

static size_t count_of(const struct busway_platform *platform, unsigned kind)
{
	size_t count = 0;

	switch (kind) {
	case 0:
		return busway_platform_space_count(platform);
	case 1:
		busway_platform_windows(platform, &count);
		break;
	case 2:
		busway_platform_regions(platform, &count);
		break;
	case 3:
		busway_platform_banks(platform, &count);
		break;
	case 4:
		busway_platform_pools(platform, &count);
		break;
	case 5:
		return busway_platform_device_count(platform);
	case 6:
		busway_platform_reserved(platform, &count);
		break;
	default:
		break;
	}
	return count;
}

static void failed_addition_adds_nothing(void **state)
{
	unsigned long failures = 0;

	(void)state;
	for (unsigned long call = 1; call < 30; call++) {
		struct busway_platform *platform;
		struct test_memory memory;

		test_memory_open(&memory);
		assert_int_equal(busway_platform_create(&memory.allocator, &platform), 0);
		test_memory_fail_at(&memory, call, false);
		for (unsigned n = 0; n < 60 * KINDS; n++) {
			const size_t before = count_of(platform, n % KINDS);
			const int status = add_one(platform, n % KINDS);

			if (!status)
				continue;
			failures++;
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(count_of(platform, n % KINDS), before);
			assert_int_equal(add_one(platform, n % KINDS), 0);
		}
		assert_int_equal(busway_platform_device_count(platform), 60);
		test_memory_fail_at(&memory, 0, false);
		assert_int_equal(busway_platform_seal(platform), 0);
		busway_platform_destroy(platform);
		test_memory_close(&memory);
	}
	assert_true(failures >= 10);
}

static void failed_sealing_can_be_repeated(void **state)
{
	unsigned long failures = 0;

	(void)state;
	for (unsigned round = 0; round < 20; round++) {
		static struct plan plan;

		plan_random(&plan, random_seed() + round, 8);
		/* enough to fill the memory that the platform has, and need more */
		while (plan.window_count < PLAN_WINDOWS)
			plan_window(&plan, 1, 0, (struct busway_range){plan.window_count, 1000}, 0);
		test_memory_open(&plan.memory);
		assert_int_equal(busway_platform_create(&plan.memory.allocator, &plan.platform), 0);
		assert_int_equal(plan_add(&plan, plan.platform), 0);
		while (round % 4 && busway_platform_keep(plan.platform, 100, 1) &&
		       plan.memory.blocks < round % 4 + 1)
			;
		for (unsigned long call = 1;; call++) {
			const struct busway_dma_range one = {{0}, {0}};
			int status;

			test_memory_fail_at(&plan.memory, call, round % 2);
			status = busway_platform_seal(plan.platform);
			if (!status)
				break;
			failures++;
			assert_int_equal(status, -BUSWAY_ENOMEM);
			/* it is as before: not sealed */
			assert_int_equal(busway_resolve(plan.platform, (busway_device_id){0}, one,
							NULL, BUSWAY_READ, NULL, NULL),
					 -BUSWAY_EINVAL);
		}
		test_memory_fail_at(&plan.memory, 0, false);
		assert_int_equal(busway_platform_seal(plan.platform), -BUSWAY_EBUSY);
		plan_close(&plan);
	}
	assert_true(failures >= 20);
}

/* So many windows that their decoder needs memory of its own, late in the sealing. */
static void failed_sealing_of_many_windows_leaves_nothing(void **state)
{
	enum { WINDOWS = 2000 };
	unsigned long failures = 0;
	bool sealed = false;

	(void)state;
	for (unsigned long call = 1; !sealed; call++) {
		const struct busway_space bus = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
		struct busway_platform *platform;
		struct test_memory memory;
		busway_space_id id;

		assert_in_range(call, 1, 100);
		test_memory_open(&memory);
		assert_int_equal(busway_platform_create(&memory.allocator, &platform), 0);
		assert_int_equal(busway_platform_add_space(platform, &bus, &id), 0);
		for (uint64_t i = 0; i < WINDOWS; i++) {
			const struct busway_window window = {.from = id,
							     .in = {i * 0x10, i * 0x10 + 7},
							     .access = BUSWAY_READ_WRITE,
							     .name = "/bus"};

			assert_int_equal(busway_platform_add_window(platform, &window), 0);
		}
		test_memory_fail_at(&memory, call, false);
		sealed = busway_platform_seal(platform) == 0;
		failures += !sealed;
		busway_platform_destroy(platform);
		test_memory_close(&memory);
	}
	assert_true(failures >= 3);
}

static void failed_function_is_not_added(void **state)
{
	struct plan plan;
	bool failed = false;

	(void)state;
	plan_init(&plan);
	plan_device(&plan, 0);
	plan.devices[0].kind = BUSWAY_DEVICE_PCIE_HOST;
	plan.devices[0].restricted_pool = plan_pool(&plan, (struct busway_range){0, 0xfff});
	plan_open(&plan);
	test_memory_fail_at(&plan.memory, 1, true);
	for (uint16_t i = 0; i < 200; i++) {
		const size_t before = busway_platform_device_count(plan.platform);
		busway_device_id id = {0x77};

		if (!busway_platform_add_function(plan.platform, (busway_device_id){0}, i, "/f",
						  &id))
			continue;
		failed = true;
		assert_int_equal(id.index, 0x77);
		assert_int_equal(busway_platform_device_count(plan.platform), before);
		/* it is still sealed */
		assert_int_equal(busway_platform_add_alias(plan.platform, "a", "b"), -BUSWAY_EBUSY);
		break;
	}
	assert_true(failed);
	plan_close(&plan);
}

/* ---- asking a platform ---- */

/* Several devices, a memory bank with a carve-out, and what they share. */
static void draw(struct plan *plan, uint64_t seed)
{
	struct rng rng = rng_of(~seed);

	plan_random(plan, seed, 8);
	plan_random_device(plan, &rng);
	plan_ram(plan, (struct busway_range){plan->base[0], plan->base[0] + 255});
	plan_region(plan, 0, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){plan->base[0] + 5, plan->base[0] + 7});
}

/* Makes something and gives it back. Return: the status. The results must be left alone. */
typedef int operation_fn(struct plan *plan);

static int build_reach(struct plan *plan)
{
	struct busway_reach *reach = NULL;
	const int status = busway_reach_build(plan->platform, (busway_device_id){0}, NULL,
					      &plan->memory.allocator, &reach);

	assert_true((reach == NULL) == (status != 0));
	busway_reach_destroy(reach);
	return status;
}

static int build_windows(struct plan *plan)
{
	struct busway_piece *const before = (struct busway_piece *)(void *)plan;
	struct busway_piece *pieces = before;
	size_t count = 0x77;
	const int status = busway_windows_build(plan->platform, (busway_device_id){0},
						&plan->memory.allocator, &pieces, &count);

	if (status) {
		assert_ptr_equal(pieces, before);
		assert_int_equal(count, 0x77);
	} else if (count) {
		plan->memory.allocator.free(&plan->memory, pieces, count * sizeof(*pieces),
					    _Alignof(struct busway_piece));
	}
	return status;
}

static int build_iova(struct plan *plan)
{
	struct busway_iova iova = {.removed_count = 0x77};
	const int status = busway_iova_build(plan->platform, (busway_device_id){0}, NULL,
					     &plan->memory.allocator, &iova);

	if (status)
		assert_int_equal(iova.removed_count, 0x77);
	else
		busway_iova_free(&iova);
	return status;
}

static int count_usable(struct plan *plan)
{
	uint64_t bytes = 0x7777;
	const int status = busway_platform_usable(plan->platform, plan->bank_count - 1,
						  &plan->memory.allocator, &bytes);

	assert_true((bytes == 0x7777) == (status != 0));
	return status;
}

static struct busway_reach *shared[2];

static int share(struct plan *plan, uint64_t size)
{
	const struct busway_range avoid[] = {
		{plan->base[0] + 20, plan->base[0] + 30},
		{plan->base[0] + 50, plan->base[0] + 60},
	};
	struct busway_sharer sharers[2] = {{shared[0], {0x77}}, {shared[1], {0x77}}};
	busway_phys_t phys = {0x77};
	const int status = busway_joint_address(sharers, 2, size, 2, avoid, COUNT(avoid), 0,
						&plan->memory.allocator, &phys, NULL);

	if (status) {
		assert_int_equal(phys.raw, 0x77);
		assert_int_equal(sharers[0].dma.raw, 0x77);
		assert_int_equal(sharers[1].dma.raw, 0x77);
	}
	return status;
}

static int share_a_little(struct plan *plan)
{
	return share(plan, 2);
}

static int share_too_much(struct plan *plan)
{
	return share(plan, 1000);
}

/* Returns how often it failed. */
static unsigned long fail_operation(struct plan *plan, operation_fn *operation, bool and_all_later)
{
	const size_t blocks = plan->memory.blocks;
	int expected, status;

	test_memory_fail_at(&plan->memory, 0, false);
	expected = operation(plan);
	for (unsigned long call = 1;; call++) {
		assert_in_range(call, 1, 10000);
		test_memory_fail_at(&plan->memory, call, and_all_later);
		status = operation(plan);
		assert_int_equal(plan->memory.blocks, blocks);
		if (plan->memory.calls < call) { /* it got what it wanted */
			assert_int_equal(status, expected);
			test_memory_fail_at(&plan->memory, 0, false);
			return call - 1;
		}
		if (status != -BUSWAY_ENOMEM) {
			plan_print(plan);
			fail_msg("allocation %lu fails: %d", call, status);
		}
	}
}

static void fail_operation_on_random_platforms(operation_fn *operation)
{
	unsigned long failures = 0;

	for (unsigned round = 0; round < 60; round++) {
		static struct plan plan;

		draw(&plan, random_seed() + round);
		plan_open(&plan);
		for (uint32_t i = 0; i < COUNT(shared); i++)
			shared[i] = plan_reach(&plan, i, NULL);
		failures += fail_operation(&plan, operation, round % 2);
		for (uint32_t i = 0; i < COUNT(shared); i++)
			busway_reach_destroy(shared[i]);
		plan_close(&plan);
	}
	assert_true(failures >= 60);
}

static void failed_reach_leaves_nothing(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(build_reach);
}

static void failed_windows_leave_nothing(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(build_windows);
}

static void failed_iova_leaves_nothing(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(build_iova);
}

static void failed_count_of_usable_memory_leaves_nothing(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(count_usable);
}

static void failed_joint_address_hands_nothing_out(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(share_a_little);
}

static void refused_joint_address_fails_the_same_way(void **state)
{
	(void)state;
	fail_operation_on_random_platforms(share_too_much);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_stay_as_they_were),
		cmocka_unit_test(failed_creation_leaves_nothing),
		cmocka_unit_test(failed_addition_adds_nothing),
		cmocka_unit_test(failed_sealing_can_be_repeated),
		cmocka_unit_test(failed_sealing_of_many_windows_leaves_nothing),
		cmocka_unit_test(failed_function_is_not_added),
		cmocka_unit_test(failed_reach_leaves_nothing),
		cmocka_unit_test(failed_windows_leave_nothing),
		cmocka_unit_test(failed_iova_leaves_nothing),
		cmocka_unit_test(failed_count_of_usable_memory_leaves_nothing),
		cmocka_unit_test(failed_joint_address_hands_nothing_out),
		cmocka_unit_test(refused_joint_address_fails_the_same_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
