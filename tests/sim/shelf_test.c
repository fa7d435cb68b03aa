/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shelf_test.c - things by address, beside a plain list of the same.
 */
#include "../../src/sim/shelf.h"

#include "bench.h"

enum { THINGS = 60, SPAN = 40 };

struct twin {
	struct shelf_item items[THINGS];
	bool there[THINGS];
};

static struct busway_range any_range(struct rng *rng)
{
	const uint64_t first = rng_chance(rng, 20) ? UINT64_MAX - rng_below(rng, SPAN)
						   : rng_below(rng, SPAN);
	const uint64_t span = rng_chance(rng, 5) ? SPAN : rng_below(rng, 6);

	return (struct busway_range){first,
				     span > UINT64_MAX - first ? UINT64_MAX : first + span};
}

static void change(struct shelf *shelf, struct twin *twin, struct rng *rng)
{
	const size_t i = rng_below(rng, THINGS);

	if (twin->there[i]) {
		shelf_remove(shelf, twin->items[i]);
	} else {
		twin->items[i] = (struct shelf_item){(uint32_t)rng_below(rng, 3), any_range(rng),
						     &twin->there[i]};
		assert_int_equal(shelf_reserve(shelf, 1), 0);
		shelf_add(shelf, twin->items[i]);
	}
	twin->there[i] = !twin->there[i];
}

static void compare(const struct shelf *shelf, const struct twin *twin, struct rng *rng)
{
	const uint32_t owner = (uint32_t)rng_below(rng, 3);
	const struct busway_range range = any_range(rng);
	const struct shelf_item *item;
	bool seen[THINGS] = {false};
	size_t at = shelf_upto(shelf, owner, range.last);

	while ((item = shelf_next(shelf, owner, range, &at))) {
		const size_t i = (size_t)((bool *)item->thing - twin->there);

		assert_false(seen[i]);
		seen[i] = true;
	}
	for (size_t i = 0; i < THINGS; i++)
		assert_int_equal(seen[i], twin->there[i] && twin->items[i].owner == owner &&
						  busway_range_overlaps(twin->items[i].range,
									range));
}

static void everything_that_overlaps_is_found(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(60); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct test_memory memory;
		struct shelf shelf;
		struct twin twin = {.there = {false}};

		test_memory_open(&memory);
		shelf_init(&shelf, &memory.allocator);
		for (unsigned i = 0; i < 400; i++) {
			change(&shelf, &twin, &rng);
			compare(&shelf, &twin, &rng);
		}
		shelf_remove(&shelf, (struct shelf_item){1, {0, UINT64_MAX}, &rng}); /* none */
		compare(&shelf, &twin, &rng);
		shelf_clear(&shelf);
		test_memory_close(&memory);
	}
}

static void things_are_sorted_by_owner_and_first_address(void **state)
{
	struct rng rng = rng_of(random_seed());
	struct test_memory memory;
	struct shelf shelf;
	struct twin twin = {.there = {false}};

	(void)state;
	test_memory_open(&memory);
	shelf_init(&shelf, &memory.allocator);
	for (unsigned i = 0; i < 1000; i++) {
		change(&shelf, &twin, &rng);
		for (size_t k = 1; k < shelf.count; k++) {
			const struct shelf_item *a = &shelf.items[k - 1], *b = &shelf.items[k];

			assert_true(a->owner < b->owner ||
				    (a->owner == b->owner && a->range.first <= b->range.first));
		}
	}
	shelf_clear(&shelf);
	test_memory_close(&memory);
}

static void a_shelf_that_cannot_grow_is_as_it_was(void **state)
{
	struct test_memory memory;
	struct shelf shelf;
	int thing;

	(void)state;
	test_memory_open(&memory);
	shelf_init(&shelf, &memory.allocator);
	assert_int_equal(shelf_reserve(&shelf, 1), 0);
	shelf_add(&shelf, (struct shelf_item){0, {1, 2}, &thing});
	test_memory_fail_at(&memory, 1, true);
	assert_int_equal(shelf_reserve(&shelf, 100), -BUSWAY_ENOMEM);
	assert_int_equal(shelf.count, 1);
	assert_int_equal(shelf_reserve(&shelf, 1), 0); /* there is room */
	shelf_clear(&shelf);
	shelf_clear(&shelf);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_that_overlaps_is_found),
		cmocka_unit_test(things_are_sorted_by_owner_and_first_address),
		cmocka_unit_test(a_shelf_that_cannot_grow_is_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
