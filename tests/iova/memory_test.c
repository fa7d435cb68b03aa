/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_test.c - memory runs out at every allocation in turn: a failed call changes nothing, and
 * giving back does not fail.
 */
#include "model.h"

#include <string.h>

enum { TAKES = 300 };

static bool same(const struct busway_iova_census *a, const struct busway_iova_census *b)
{
	return a->free == b->free && a->reserved == b->reserved && a->cached == b->cached &&
	       a->live == b->live && a->extents == b->extents &&
	       a->reservations == b->reservations && a->ranges == b->ranges;
}

/* ---- making ---- */

static void making_fails_cleanly(void **state)
{
	const struct busway_iova_options options = {.depot_batches = 3};

	(void)state;
	for (unsigned long fail_at = 1;; fail_at++) {
		struct busway_iova_space *space = NULL;
		struct busway_iova_cache *cache = NULL;
		struct busway_iova_map *map = NULL;
		struct busway_range runs[100];
		const struct busway_intervals allowed = {.runs = runs, .count = COUNT(runs)};
		struct test_memory memory;
		int status;

		for (uint64_t i = 0; i < COUNT(runs); i++)
			runs[i] =
				(struct busway_range){0x10000 * (i + 1), 0x10000 * (i + 1) + 0xfff};
		test_memory_open(&memory);
		test_memory_fail_at(&memory, fail_at, false);
		status = busway_iova_space_create(&allowed, NULL, &options, &memory.allocator,
						  &space);
		if (!status)
			status = busway_iova_cache_create(space, &cache);
		if (!status)
			status = busway_iova_map_create(NULL, &memory.allocator, &map);
		busway_iova_map_destroy(map);
		busway_iova_cache_destroy(cache);
		assert_int_equal(busway_iova_space_destroy(space), 0);
		test_memory_close(&memory);
		if (!status)
			return;
		assert_int_equal(status, -BUSWAY_ENOMEM);
	}
}

/* ---- using ---- */

/* Take until memory runs out, with holes between; then give all back, every second one first. */
static void giving_back_never_asks_for_memory(void **state)
{
	static uint64_t first[TAKES];
	static struct model model;

	(void)state;
	for (unsigned long fail_at = 1; fail_at < 200; fail_at++) {
		struct busway_iova_census before, after;
		unsigned count = 0;

		model_init(&model, 0x1000, MODEL_SIZE);
		model_open(&model, NULL);
		test_memory_fail_at(&model.memory, fail_at, true);
		while (count < TAKES) {
			const struct busway_iova_request one = {.size = 3, .align = 4};
			busway_dma_t dma;
			int status;

			busway_iova_space_census(model.space, &before);
			status = busway_iova_take(model.space, &one, &dma, NULL);
			if (status) {
				assert_int_equal(status, -BUSWAY_ENOMEM);
				busway_iova_space_census(model.space, &after);
				assert_true(same(&before, &after));
				assert_int_equal(busway_iova_take_at(model.space,
								     dma_range(0x1fff, 1), NULL),
						 -BUSWAY_ENOMEM);
				assert_int_equal(
					busway_iova_reserve(model.space,
							    (struct busway_range){0x1fff, 0x1fff},
							    "x", NULL),
					-BUSWAY_ENOMEM);
				busway_iova_space_census(model.space, &after);
				assert_true(same(&before, &after));
				break;
			}
			first[count++] = dma.raw;
		}
		test_memory_fail_at(&model.memory, 1, true);
		for (unsigned start = 0; start < 2; start++)
			for (unsigned i = start; i < count; i += 2)
				assert_int_equal(
					busway_iova_give(model.space, dma_range(first[i], 3), NULL),
					0);
		assert_int_equal(model.memory.calls, 0);
		model_compare(&model);
		model_close(&model);
		if (count == TAKES)
			return;
	}
	fail_msg("memory never was enough");
}

static void reservations_come_and_go_without_memory_for_more(void **state)
{
	static struct model model;

	(void)state;
	for (unsigned long fail_at = 1; fail_at < 60; fail_at++) {
		struct busway_iova_census before, after;
		bool failed = false;
		unsigned count = 0;

		model_init(&model, 0x1000, MODEL_SIZE);
		for (uint32_t i = 7; i + 1 < MODEL_SIZE; i += 64)
			model_forbid(&model, i, i);
		model_open(&model, NULL);
		test_memory_fail_at(&model.memory, fail_at, false);
		for (uint64_t at = 0x1010; at < 0x1000 + MODEL_SIZE - 200 && !failed; at += 200) {
			int status;

			busway_iova_space_census(model.space, &before);
			status = busway_iova_reserve(
				model.space, (struct busway_range){at, at + 150}, "x", NULL);
			busway_iova_space_census(model.space, &after);
			failed = status != 0;
			assert_true(status == 0 ||
				    (status == -BUSWAY_ENOMEM && same(&before, &after)));
			count += !failed;
		}
		test_memory_fail_at(&model.memory, 1, true);
		for (uint64_t at = 0x1010; count--; at += 200)
			assert_int_equal(busway_iova_release(model.space, at + 75), 0);
		assert_int_equal(model.memory.calls, 0);
		model_compare(&model);
		model_close(&model);
		if (!failed)
			return;
	}
	fail_msg("memory never was enough");
}

/* A lean space may fail to give back: then the range is still out. */
static void lean_space_says_when_it_cannot_give_back(void **state)
{
	const struct busway_iova_options lean = {.lean = true};
	static uint64_t first[TAKES];
	static struct model model;
	struct busway_iova_census before, after;
	unsigned failed = 0;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, &lean);
	for (unsigned i = 0; i < TAKES; i++) {
		const struct busway_iova_request one = {.size = 3};
		busway_dma_t dma;

		assert_int_equal(busway_iova_take(model.space, &one, &dma, NULL), 0);
		first[i] = dma.raw;
	}
	busway_iova_space_census(model.space, &before);
	test_memory_fail_at(&model.memory, 1, true);
	for (unsigned i = 0; i < TAKES; i += 2) {
		int status;

		busway_iova_space_census(model.space, &before);
		status = busway_iova_give(model.space, dma_range(first[i], 3), NULL);
		busway_iova_space_census(model.space, &after);
		if (!status)
			continue;
		assert_int_equal(status, -BUSWAY_ENOMEM);
		assert_true(same(&before, &after));
		failed++;
		test_memory_fail_at(&model.memory, 0, false);
		assert_int_equal(busway_iova_give(model.space, dma_range(first[i], 3), NULL), 0);
		test_memory_fail_at(&model.memory, 1, true);
	}
	assert_true(failed > 0);
	test_memory_fail_at(&model.memory, 0, false);
	for (unsigned i = 1; i < TAKES; i += 2)
		assert_int_equal(busway_iova_give(model.space, dma_range(first[i], 3), NULL), 0);
	model_compare(&model);
	model_close(&model);
}

static void map_is_as_it_was_where_memory_runs_out(void **state)
{
	const struct busway_iova_map_options options = {.may_split = true, .by_memory = true};

	(void)state;
	for (unsigned long fail_at = 1; fail_at < 200; fail_at++) {
		struct busway_iova_map *map;
		struct test_memory memory;
		bool failed = false;

		test_memory_open(&memory);
		assert_int_equal(busway_iova_map_create(&options, &memory.allocator, &map), 0);
		test_memory_fail_at(&memory, fail_at, false);
		for (uint64_t i = 0; i < 200 && !failed; i++) {
			const struct busway_iova_entry entry = {dma_range(i * 16, 9), i * 16, NULL,
								BUSWAY_READ};
			const int added = busway_iova_map_insert(map, &entry, NULL);
			const int cut =
				added ? 0
				      : busway_iova_map_remove(map, dma_range(i * 16 + 3, 3), NULL);

			failed = added || cut;
			assert_int_equal(busway_iova_map_count(map), added ? 2 * i
								     : cut ? 2 * i + 1
									   : 2 * i + 2);
			assert_int_equal(busway_iova_map_find(map, busway_dma(i * 16 + 4)) != NULL,
					 cut != 0);
		}
		busway_iova_map_destroy(map);
		test_memory_close(&memory);
		if (!failed)
			return;
	}
	fail_msg("memory never was enough");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(making_fails_cleanly),
		cmocka_unit_test(giving_back_never_asks_for_memory),
		cmocka_unit_test(reservations_come_and_go_without_memory_for_more),
		cmocka_unit_test(lean_space_says_when_it_cannot_give_back),
		cmocka_unit_test(map_is_as_it_was_where_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
