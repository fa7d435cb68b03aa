/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emission_test.c - what a device can put on the bus: masks, fixed bits, lists of ranges.
 *
 * A device in the CPU's space with memory everywhere reaches just what it can emit, so that its
 * pieces show it. Brute force asks the definition for each of 2^16 addresses: at the bottom of
 * the space, and at its top with the 48 bits above them set.
 */
#include "support/generate.h"
#include "support/test.h"
#include "support/twin.h"

#include <string.h>

enum { SIZE = 1 << 16 };

static const uint64_t bases[] = {0, 0 - (uint64_t)SIZE};

static void draw(struct plan *plan, struct busway_range ram)
{
	plan_init(plan);
	plan_ram(plan, ram);
	plan_device(plan, 0);
}

/* ---- by hand ---- */

static void mask_of_n_bits_lets_n_address_lines_be_driven(void **state)
{
	struct plan plan;

	(void)state;
	draw(&plan, BUSWAY_RANGE_ALL);
	plan_open(&plan);
	for (unsigned bits = 0; bits <= 66; bits++) {
		const struct busway_emission mask = busway_emission_mask(bits);
		const uint64_t last = bits < 64 ? ((uint64_t)1 << bits) - 1 : UINT64_MAX;
		struct busway_reach *reach = plan_reach(&plan, 0, &mask);
		size_t count;
		const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

		assert_int_equal(count, 1);
		assert_int_equal(pieces[0].dma.first.raw, 0);
		assert_int_equal(pieces[0].dma.last.raw, last);
		busway_reach_destroy(reach);
	}
	plan_close(&plan);
}

static void fixed_bits_cut_the_space(void **state)
{
	static const struct {
		const char *because;
		struct busway_emission emission;
		size_t count;
		struct busway_range runs[3];
	} cases[] = {
		{"one at the highest bit: the upper half",
		 {0, (uint64_t)1 << 63, NULL, 0},
		 1,
		 {{(uint64_t)1 << 63, UINT64_MAX}}},
		{"zero there: the lower half",
		 {(uint64_t)1 << 63, 0, NULL, 0},
		 1,
		 {{0, ((uint64_t)1 << 63) - 1}}},
		{"all bits are one: the last address",
		 {0, UINT64_MAX, NULL, 0},
		 1,
		 {{UINT64_MAX, UINT64_MAX}}},
		{"all are zero: the first", {UINT64_MAX, 0, NULL, 0}, 1, {{0, 0}}},
		{"all but two free",
		 {~(uint64_t)0x3000, 0, NULL, 0},
		 4,
		 {{0, 0}, {0x1000, 0x1000}}},
		{"both at once: nothing", {4, 4, NULL, 0}, 0, {{0, 0}}},
		{"an alias bit at 30 over 32 lines",
		 {~(uint64_t)0xffffffff, 0x40000000, NULL, 0},
		 2,
		 {{0x40000000, 0x7fffffff}, {0xc0000000, 0xffffffff}}},
	};
	struct plan plan;

	(void)state;
	draw(&plan, BUSWAY_RANGE_ALL);
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_reach *reach = plan_reach(&plan, 0, &cases[i].emission);
		size_t count;
		const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

		if (count != cases[i].count)
			fail_msg("case %zu: %s: %zu runs", i, cases[i].because, count);
		for (size_t n = 0; n < count && n < 2; n++)
			if (pieces[n].dma.first.raw != cases[i].runs[n].first ||
			    pieces[n].dma.last.raw != cases[i].runs[n].last)
				fail_msg("case %zu: %s: run %zu", i, cases[i].because, n);
		busway_reach_destroy(reach);
	}
	plan_close(&plan);
}

static void only_ranges_count_at_both_ends(void **state)
{
	static const struct busway_range only[] = {{0, 0}, {5, 6}, {UINT64_MAX, UINT64_MAX}};
	static const struct {
		struct busway_range dma;
		bool ok;
		uint64_t bad;
	} cases[] = {
		{{0, 0}, true, 0},
		{{0, 1}, false, 1},
		{{1, 1}, false, 1},
		{{5, 6}, true, 0},
		{{4, 6}, false, 4},
		{{5, 7}, false, 7},
		{{UINT64_MAX, UINT64_MAX}, true, 0},
		{{UINT64_MAX - 1, UINT64_MAX}, false, UINT64_MAX - 1},
		{{0, UINT64_MAX}, false, 1},
	};
	struct plan plan;

	(void)state;
	draw(&plan, BUSWAY_RANGE_ALL);
	plan.devices[0].emission = (struct busway_emission){.only = only, .only_count = 3};
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_refusal why;
		const int status = plan_resolve(&plan, 0, cases[i].dma, 3, NULL, &why);

		assert_int_equal(status, cases[i].ok ? 0 : -BUSWAY_ERANGE);
		if (status) {
			assert_int_equal(why.reason, BUSWAY_ADDRESS_BITS);
			assert_int_equal(why.asked.first, cases[i].bad);
			assert_int_equal(why.asked.last, cases[i].dma.last);
		}
	}
	plan_close(&plan);
}

/* .only may list ranges that adjoin; what is near is all of them. */
static void nearest_run_is_told_whole(void **state)
{
	static const struct busway_range only[] = {{0x10, 0x1f}, {0x20, 0x2f}, {0x30, 0x3f}};
	static const uint64_t asked[] = {0, 0xf, 0x40, UINT64_MAX};
	struct plan plan;

	(void)state;
	draw(&plan, BUSWAY_RANGE_ALL);
	plan.devices[0].emission = (struct busway_emission){.only = only, .only_count = 3};
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(asked); i++) {
		struct busway_refusal why;

		assert_int_equal(plan_resolve(&plan, 0, (struct busway_range){asked[i], asked[i]},
					      3, NULL, &why),
				 -BUSWAY_ERANGE);
		assert_true(why.has_limit);
		assert_int_equal(why.limit.first, 0x10);
		assert_int_equal(why.limit.last, 0x3f);
	}
	plan_close(&plan);
}

/* ---- brute force ---- */

/* The pieces of @reach, one bit an address. */
static void spread(const struct busway_reach *reach, uint64_t base, bool bits[SIZE])
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

	memset(bits, 0, SIZE);
	for (size_t i = 0; i < count; i++)
		memset(bits + (pieces[i].dma.first.raw - base), 1,
		       (size_t)(pieces[i].dma.last.raw - pieces[i].dma.first.raw + 1));
}

static void draw_emission(struct busway_emission *e, struct rng *rng, uint64_t base,
			  struct busway_range only[PLAN_ONLY])
{
	*e = random_emission(rng, base, SIZE, only);
	if (rng_chance(rng, 50)) { /* more fixed bits, down to single addresses */
		const uint64_t bits = rng_next(rng) & (SIZE - 1) & ~e->zero;

		e->one |= bits & rng_next(rng);
		e->zero |= bits & ~e->one;
	}
}

static void emission_is_what_its_definition_says(void **state)
{
	static bool bits[SIZE];
	static struct busway_range only[PLAN_ONLY];
	const unsigned rounds = random_rounds(120);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		const uint64_t base = bases[round % COUNT(bases)];
		struct rng rng = rng_of(seed);
		struct busway_emission e;
		struct busway_reach *reach;
		struct plan plan;

		draw(&plan, (struct busway_range){base, base + (SIZE - 1)});
		draw_emission(&e, &rng, base, only);
		plan_open(&plan);
		reach = plan_reach(&plan, 0, &e);
		spread(reach, base, bits);
		for (uint64_t i = 0; i < SIZE; i++)
			if (bits[i] != twin_emits(&e, base + i))
				fail_msg("seed 0x%" PRIx64 ": address 0x%" PRIx64
					 ", zero 0x%" PRIx64 " one 0x%" PRIx64 " only %zu",
					 seed, base + i, e.zero, e.one, e.only_count);
		busway_reach_destroy(reach);
		plan_close(&plan);
	}
}

/* The limit of a refusal is the nearest run of addresses that can be emitted. */
static void check_nearest(const struct busway_emission *e, uint64_t base, uint64_t size,
			  const struct busway_refusal *why, uint64_t seed)
{
	const uint64_t asked = why->asked.first;
	uint64_t distance;

	/* it is a whole run */
	assert_true(twin_emits(e, why->limit.first) && twin_emits(e, why->limit.last));
	assert_false(why->limit.first > 0 && twin_emits(e, why->limit.first - 1));
	assert_false(why->limit.last < UINT64_MAX && twin_emits(e, why->limit.last + 1));
	distance = why->limit.first > asked ? why->limit.first - asked : asked - why->limit.last;
	for (uint64_t i = 0; i < size; i++) {
		const uint64_t x = base + i;

		if (twin_emits(e, x) && (x > asked ? x - asked : asked - x) < distance)
			fail_msg("seed 0x%" PRIx64 ": 0x%" PRIx64 " is nearer to 0x%" PRIx64
				 " than 0x%" PRIx64 "..0x%" PRIx64 ", zero 0x%" PRIx64
				 " one 0x%" PRIx64 " only %zu",
				 seed, x, asked, why->limit.first, why->limit.last, e->zero, e->one,
				 e->only_count);
	}
}

static void refusal_names_the_first_bad_address_and_the_nearest_good_run(void **state)
{
	enum { SMALL = 1 << 10 };
	static struct busway_range only[PLAN_ONLY];
	const unsigned rounds = random_rounds(150);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		const uint64_t base = round % 2 ? 0 - (uint64_t)SMALL : 0;
		struct rng rng = rng_of(seed);
		struct busway_range dma = random_range(&rng, base, SMALL);
		uint64_t bad = dma.first;
		struct busway_refusal why;
		struct plan plan;
		int status;

		draw(&plan, BUSWAY_RANGE_ALL);
		plan.devices[0].emission = random_emission(&rng, base, SMALL, only);
		plan_open(&plan);
		while (bad - base < SMALL && bad <= dma.last && bad >= dma.first &&
		       twin_emits(&plan.devices[0].emission, bad))
			bad++;
		status = plan_resolve(&plan, 0, dma, BUSWAY_READ, NULL, &why);
		if (bad >= dma.first && bad <= dma.last) {
			assert_int_equal(status, -BUSWAY_ERANGE);
			assert_int_equal(why.asked.first, bad);
			assert_int_equal(why.asked.last, dma.last);
			if (why.has_limit)
				check_nearest(&plan.devices[0].emission, base, SMALL, &why, seed);
		} else {
			assert_int_equal(status, 0);
		}
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mask_of_n_bits_lets_n_address_lines_be_driven),
		cmocka_unit_test(fixed_bits_cut_the_space),
		cmocka_unit_test(only_ranges_count_at_both_ends),
		cmocka_unit_test(nearest_run_is_told_whole),
		cmocka_unit_test(emission_is_what_its_definition_says),
		cmocka_unit_test(refusal_names_the_first_bad_address_and_the_nearest_good_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
