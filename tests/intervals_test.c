/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intervals_test.c - sets of addresses: <busway/intervals.h>.
 *
 * The twin is a bitmap of 256 addresses. It stands at the bottom of the 64-bit space, at its top
 * and between; after each operation every address is asked of both.
 */
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

enum { SIZE = 256 };

/* A set, and what must be in it: bit i is for the address base + i. */
struct pair {
	struct busway_intervals set;
	bool bits[SIZE];
	uint64_t base;
};

static const uint64_t bases[] = {0, 0x7fffffffffffff80, 0 - (uint64_t)SIZE};

/* ---- the two are the same ---- */

static void check_runs(const struct pair *p, uint64_t seed)
{
	size_t run = 0;

	/* one run for each row of set bits, in order: so they are sorted, disjoint, not adjoining
	 */
	for (size_t i = 0; i < SIZE; i++) {
		const bool begins = p->bits[i] && (i == 0 || !p->bits[i - 1]);
		const bool ends = p->bits[i] && (i == SIZE - 1 || !p->bits[i + 1]);

		if (begins && (run >= p->set.count || p->set.runs[run].first != p->base + i))
			fail_msg("seed 0x%" PRIx64 ": no run begins at %zu", seed, i);
		if (ends && p->set.runs[run++].last != p->base + i)
			fail_msg("seed 0x%" PRIx64 ": no run ends at %zu", seed, i);
	}
	if (run != p->set.count)
		fail_msg("seed 0x%" PRIx64 ": %zu runs too many", seed, p->set.count - run);
}

static void check_lookups(const struct pair *p, uint64_t seed)
{
	uint64_t bytes = 0x77, expected = 0;
	size_t behind = 0;

	for (size_t i = 0; i < SIZE; i++) {
		const uint64_t address = p->base + i;

		while (behind < p->set.count && p->set.runs[behind].last < address)
			behind++;
		if (busway_intervals_has(&p->set, address) != p->bits[i] ||
		    busway_intervals_find(&p->set, address) != behind)
			fail_msg("seed 0x%" PRIx64 ": address %zu", seed, i);
		expected += p->bits[i];
	}
	assert_true(busway_intervals_bytes(&p->set, &bytes));
	assert_int_equal(bytes, expected);
}

static void check_ranges(const struct pair *p, struct rng *rng, uint64_t seed)
{
	for (unsigned n = 0; n < 50; n++) {
		const size_t a = rng_below(rng, SIZE), b = a + rng_below(rng, SIZE - a);
		bool all = true;

		for (size_t i = a; i <= b; i++)
			all = all && p->bits[i];
		if (busway_intervals_holds(&p->set,
					   (struct busway_range){p->base + a, p->base + b}) != all)
			fail_msg("seed 0x%" PRIx64 ": %zu..%zu", seed, a, b);
	}
}

/* ---- changing both ---- */

static void random_change(struct pair *p, struct rng *rng)
{
	const size_t a = rng_below(rng, SIZE);
	const size_t b = rng_chance(rng, 60) ? a + rng_below(rng, SIZE - a < 12 ? SIZE - a : 12)
					     : a + rng_below(rng, SIZE - a);
	const struct busway_range range = {p->base + a, p->base + b};
	const uint64_t what = rng_below(rng, 100);
	int status;

	if (what < 55)
		status = busway_intervals_add(&p->set, range);
	else if (what < 97)
		status = busway_intervals_remove(&p->set, range);
	else
		status = busway_intervals_keep(&p->set, range);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < SIZE; i++) {
		const bool inside = a <= i && i <= b;

		p->bits[i] = what < 55   ? p->bits[i] || inside
			     : what < 97 ? p->bits[i] && !inside
					 : p->bits[i] && inside;
	}
}

static void sets_are_what_a_bitmap_is(void **state)
{
	const unsigned rounds = random_rounds(90);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed);
		struct pair p = {.base = bases[round % COUNT(bases)]};
		struct test_memory memory;

		test_memory_open(&memory);
		busway_intervals_init(&p.set, &memory.allocator);
		for (unsigned change = 0; change < 60; change++) {
			random_change(&p, &rng);
			check_runs(&p, seed);
			check_lookups(&p, seed);
			check_ranges(&p, &rng, seed);
		}
		busway_intervals_clear(&p.set);
		assert_int_equal(p.set.count, 0);
		test_memory_close(&memory);
	}
}

static void two_sets_combine_as_their_bitmaps_do(void **state)
{
	const unsigned rounds = random_rounds(600);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed);
		const uint64_t base = bases[round % COUNT(bases)];
		struct pair a = {.base = base}, b = {.base = base};
		const bool subtract = rng_chance(&rng, 50);
		struct test_memory memory;

		test_memory_open(&memory);
		busway_intervals_init(&a.set, &memory.allocator);
		busway_intervals_init(&b.set, &memory.allocator);
		for (uint64_t i = rng_below(&rng, 20); i > 0; i--)
			random_change(&a, &rng);
		for (uint64_t i = rng_below(&rng, 20); i > 0; i--)
			random_change(&b, &rng);
		assert_int_equal(subtract ? busway_intervals_subtract(&a.set, &b.set)
					  : busway_intervals_intersect(&a.set, &b.set),
				 0);
		for (size_t i = 0; i < SIZE; i++)
			a.bits[i] = a.bits[i] && (subtract ? !b.bits[i] : b.bits[i]);
		check_runs(&a, seed);
		check_lookups(&a, seed);
		check_runs(&b, seed);
		busway_intervals_clear(&a.set);
		busway_intervals_clear(&b.set);
		test_memory_close(&memory);
	}
}

/* ---- by hand ---- */

struct fixture {
	struct test_memory memory;
	struct busway_intervals set;
};

static int open_fixture(void **state)
{
	static struct fixture fixture;

	test_memory_open(&fixture.memory);
	busway_intervals_init(&fixture.set, &fixture.memory.allocator);
	*state = &fixture;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	busway_intervals_clear(&f->set);
	test_memory_close(&f->memory);
	return 0;
}

/*
 *   add 2..5, 9..9        [----]   []
 *   add 6..8              [--------]
 */
static void ranges_that_adjoin_become_one_run(void **state)
{
	struct busway_intervals *set = &((struct fixture *)*state)->set;

	assert_int_equal(busway_intervals_add(set, (struct busway_range){2, 5}), 0);
	assert_int_equal(busway_intervals_add(set, (struct busway_range){9, 9}), 0);
	assert_int_equal(set->count, 2);
	assert_int_equal(busway_intervals_add(set, (struct busway_range){6, 8}), 0);
	assert_int_equal(set->count, 1);
	assert_int_equal(set->runs[0].first, 2);
	assert_int_equal(set->runs[0].last, 9);
}

/*
 *   all         [0--------------------max]
 *   less both    [1----------------max-1]
 */
static void both_ends_of_64_bits_are_ordinary(void **state)
{
	struct busway_intervals *set = &((struct fixture *)*state)->set;
	uint64_t bytes = 0x77;

	assert_int_equal(busway_intervals_add(set, BUSWAY_RANGE_ALL), 0);
	assert_true(busway_intervals_has(set, 0));
	assert_true(busway_intervals_has(set, UINT64_MAX));
	assert_true(busway_intervals_holds(set, BUSWAY_RANGE_ALL));
	assert_int_equal(busway_intervals_add(set, (struct busway_range){UINT64_MAX, UINT64_MAX}),
			 0);
	assert_int_equal(busway_intervals_add(set, (struct busway_range){0, 0}), 0);
	assert_int_equal(set->count, 1);
	assert_false(busway_intervals_bytes(set, &bytes));
	assert_int_equal(bytes, 0);

	assert_int_equal(busway_intervals_remove(set, (struct busway_range){0, 0}), 0);
	assert_true(busway_intervals_bytes(set, &bytes));
	assert_int_equal(bytes, UINT64_MAX);
	assert_int_equal(
		busway_intervals_remove(set, (struct busway_range){UINT64_MAX, UINT64_MAX}), 0);
	assert_int_equal(set->count, 1);
	assert_int_equal(set->runs[0].first, 1);
	assert_int_equal(set->runs[0].last, UINT64_MAX - 1);
	assert_false(busway_intervals_has(set, 0));
	assert_false(busway_intervals_has(set, UINT64_MAX));
	assert_int_equal(busway_intervals_find(set, UINT64_MAX), set->count);
	assert_int_equal(busway_intervals_remove(set, BUSWAY_RANGE_ALL), 0);
	assert_int_equal(set->count, 0);
}

static void two_halves_make_a_whole(void **state)
{
	struct busway_intervals *set = &((struct fixture *)*state)->set;
	uint64_t bytes;

	assert_int_equal(
		busway_intervals_add(set, (struct busway_range){(uint64_t)1 << 63, UINT64_MAX}), 0);
	assert_int_equal(
		busway_intervals_add(set, (struct busway_range){0, ((uint64_t)1 << 63) - 1}), 0);
	assert_int_equal(set->count, 1);
	assert_false(busway_intervals_bytes(set, &bytes));
}

static void empty_set_answers(void **state)
{
	struct busway_intervals *set = &((struct fixture *)*state)->set;
	struct busway_intervals other;
	uint64_t bytes = 0x77;

	busway_intervals_init(&other, set->memory_);
	assert_false(busway_intervals_has(set, 0));
	assert_false(busway_intervals_holds(set, (struct busway_range){0, 0}));
	assert_int_equal(busway_intervals_find(set, 0), 0);
	assert_true(busway_intervals_bytes(set, &bytes));
	assert_int_equal(bytes, 0);
	assert_int_equal(busway_intervals_remove(set, BUSWAY_RANGE_ALL), 0);
	assert_int_equal(busway_intervals_keep(set, BUSWAY_RANGE_ALL), 0);
	assert_int_equal(busway_intervals_intersect(set, &other), 0);
	assert_int_equal(busway_intervals_subtract(set, &other), 0);
	assert_int_equal(set->count, 0);
}

static void set_combined_with_itself_is_itself_or_nothing(void **state)
{
	struct busway_intervals *set = &((struct fixture *)*state)->set;

	for (uint64_t i = 0; i < 10; i++)
		assert_int_equal(busway_intervals_add(set, (struct busway_range){3 * i, 3 * i + 1}),
				 0);
	assert_int_equal(busway_intervals_intersect(set, set), 0);
	assert_int_equal(set->count, 10);
	assert_int_equal(busway_intervals_subtract(set, set), 0);
	assert_int_equal(set->count, 0);
}

static void cleared_set_can_be_used_again(void **state)
{
	struct fixture *f = *state;

	for (unsigned turn = 0; turn < 3; turn++) {
		for (uint64_t i = 0; i < 100; i++)
			assert_int_equal(
				busway_intervals_add(&f->set, (struct busway_range){2 * i, 2 * i}),
				0);
		assert_int_equal(f->set.count, 100);
		busway_intervals_clear(&f->set);
		assert_int_equal(f->set.count, 0);
		assert_int_equal(f->memory.blocks, 0);
		assert_false(busway_intervals_has(&f->set, 0));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sets_are_what_a_bitmap_is),
		cmocka_unit_test(two_sets_combine_as_their_bitmaps_do),
		cmocka_unit_test_setup_teardown(ranges_that_adjoin_become_one_run, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(both_ends_of_64_bits_are_ordinary, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(two_halves_make_a_whole, open_fixture,
						close_fixture),
		cmocka_unit_test_setup_teardown(empty_set_answers, open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(set_combined_with_itself_is_itself_or_nothing,
						open_fixture, close_fixture),
		cmocka_unit_test_setup_teardown(cleared_set_can_be_used_again, open_fixture,
						close_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
