/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range_test.c - addresses and inclusive ranges of them: <busway/addr.h>.
 *
 * Sums are checked against a twin that adds digit by digit; everything else over a grid of all
 * pairs of corner values, against what the words say, byte by byte near both ends of 64 bits.
 */
#include "support/test.h"

static const uint64_t corners[] = {
	0,
	1,
	2,
	0xfff,
	0x1000,
	0x1001,
	0xffffffff,
	0x100000000,
	0x7fffffffffffffff,
	0x8000000000000000,
	0xfffffffffffff000,
	UINT64_MAX - 2,
	UINT64_MAX - 1,
	UINT64_MAX,
};

static const struct busway_range untouched = {0x123, 0x456};

/* a + b as a carry and 64 bits, in halves of 32. */
static bool sum_carries(uint64_t a, uint64_t b, uint64_t *sum)
{
	const uint64_t low = (a & 0xffffffff) + (b & 0xffffffff);
	const uint64_t high = (a >> 32) + (b >> 32) + (low >> 32);

	*sum = high << 32 | (low & 0xffffffff);
	return high >> 32 != 0;
}

static void range_is_refused_when_it_would_pass_the_end(void **state)
{
	static const struct {
		const char *because;
		uint64_t first, size;
		bool ok;
	} cases[] = {
		{"empty ranges do not exist", 0x1000, 0, false},
		{"nor at 0", 0, 0, false},
		{"the last byte is usable", UINT64_MAX, 1, true},
		{"one byte past the last is not", UINT64_MAX, 2, false},
		{"4 GiB end just below 4 GiB", 0, 0x100000000, true},
		{"all but the last byte", 0, UINT64_MAX, true},
		{"all but the first byte", 1, UINT64_MAX, true},
		{"that again, one further", 2, UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_range r = untouched;

		if (busway_range_make(cases[i].first, cases[i].size, &r) != cases[i].ok)
			fail_msg("case %zu: %s", i, cases[i].because);
		if (!cases[i].ok && (r.first != untouched.first || r.last != untouched.last))
			fail_msg("case %zu: refused, but the range was written", i);
	}
}

static void range_of_a_size_ends_where_the_sum_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(corners); i++) {
		for (size_t j = 0; j < COUNT(corners); j++) {
			const uint64_t first = corners[i], size = corners[j];
			struct busway_range made = untouched, clipped = untouched;
			uint64_t last;
			const bool past = size == 0 || sum_carries(first, size - 1, &last);

			assert_int_equal(busway_range_make(first, size, &made), !past);
			assert_int_equal(busway_range_clip(first, size, &clipped), size != 0);
			if (past) {
				assert_int_equal(made.first, untouched.first);
				assert_int_equal(made.last, untouched.last);
				last = UINT64_MAX;
			} else {
				assert_int_equal(made.first, first);
				assert_int_equal(made.last, last);
			}
			assert_int_equal(clipped.first, size ? first : untouched.first);
			assert_int_equal(clipped.last, size ? last : untouched.last);
		}
	}
}

/*
 * Ranges a and b of 7 neighbouring addresses, at the bottom, in the middle and at the top:
 *
 *   a    [----]            a      [-]          a  [--]
 *   b       [--]           b    [-----]        b      [-]
 */
static const uint64_t places[] = {0, 0x80000000 - 3, 0x7ffffffffffffffd, UINT64_MAX - 6};

static bool in(struct busway_range r, uint64_t x)
{
	return x >= r.first && x <= r.last;
}

static void check_two_ranges(uint64_t at, struct busway_range a, struct busway_range b)
{
	struct busway_range common = untouched;
	uint64_t first = 0, last = 0;
	bool within = true, any = false;

	for (uint64_t i = 0; i < 7; i++) {
		assert_int_equal(busway_range_has(a, at + i), in(a, at + i));
		if (in(a, at + i) && !in(b, at + i))
			within = false;
		if (in(a, at + i) && in(b, at + i)) {
			first = any ? first : at + i;
			last = at + i;
			any = true;
		}
	}
	assert_int_equal(busway_range_within(a, b), within);
	assert_int_equal(busway_range_overlaps(a, b), any);
	assert_int_equal(busway_range_common(a, b, &common), any);
	assert_int_equal(common.first, any ? first : untouched.first);
	assert_int_equal(common.last, any ? last : untouched.last);
	/* none between them, and b not before a */
	assert_int_equal(busway_range_adjoins(a, b), b.first > a.last && b.first - a.last == 1);
}

static void two_ranges_meet_where_an_address_is_in_both(void **state)
{
	(void)state;
	for (size_t p = 0; p < COUNT(places); p++)
		for (uint64_t i = 0; i < 7 * 7 * 7 * 7; i++) {
			const uint64_t at = places[p];
			const struct busway_range a = {at + i % 7, at + i / 7 % 7};
			const struct busway_range b = {at + i / 49 % 7, at + i / 343};

			if (a.first <= a.last && b.first <= b.last)
				check_two_ranges(at, a, b);
		}
}

static void nothing_adjoins_across_the_end(void **state)
{
	const struct busway_range top = {UINT64_MAX, UINT64_MAX}, bottom = {0, 0};

	(void)state;
	assert_false(busway_range_adjoins(top, bottom));
	assert_false(busway_range_adjoins(BUSWAY_RANGE_ALL, bottom));
	assert_false(busway_range_adjoins(BUSWAY_RANGE_ALL, BUSWAY_RANGE_ALL));
	assert_false(busway_range_overlaps(top, bottom));
	assert_false(busway_range_has(top, 0));
	assert_true(busway_range_has(BUSWAY_RANGE_ALL, 0));
	assert_true(busway_range_has(BUSWAY_RANGE_ALL, UINT64_MAX));
}

static void range_holds_what_is_not_longer_than_it(void **state)
{
	static const struct {
		const char *because;
		struct busway_range range;
		uint64_t size;
		bool holds;
	} cases[] = {
		{"no size is not a size", {0, 0xfff}, 0, false},
		{"exactly", {0, 0xfff}, 0x1000, true},
		{"one more does not fit", {0, 0xfff}, 0x1001, false},
		{"one byte in one byte", {UINT64_MAX, UINT64_MAX}, 1, true},
		{"two in one", {UINT64_MAX, UINT64_MAX}, 2, false},
		{"all holds every size", {0, UINT64_MAX}, UINT64_MAX, true},
		{"all but one byte", {1, UINT64_MAX}, UINT64_MAX, true},
		{"all but two bytes", {2, UINT64_MAX}, UINT64_MAX, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (busway_range_holds(cases[i].range, cases[i].size) != cases[i].holds)
			fail_msg("case %zu: %s", i, cases[i].because);
	assert_int_equal(busway_range_span(BUSWAY_RANGE_ALL), UINT64_MAX);
	assert_int_equal(busway_range_span((struct busway_range){7, 7}), 0);
}

static void aligning_goes_up_to_the_next_multiple_or_refuses(void **state)
{
	(void)state;
	for (unsigned bit = 0; bit < 64; bit++) {
		const uint64_t align = (uint64_t)1 << bit;

		for (size_t i = 0; i < COUNT(corners); i++) {
			const uint64_t x = corners[i];
			const uint64_t more = x % align ? align - x % align : 0;
			uint64_t expected, out = 0x77;
			const bool past = sum_carries(x, more, &expected);

			assert_int_equal(busway_align_up(x, align, &out), !past);
			assert_int_equal(out, past ? 0x77 : expected);
		}
	}
}

static void powers_of_two_have_one_bit(void **state)
{
	(void)state;
	for (unsigned a = 0; a < 64; a++) {
		assert_true(busway_is_power_of_two((uint64_t)1 << a));
		for (unsigned b = 0; b < a; b++)
			assert_false(busway_is_power_of_two((uint64_t)1 << a | (uint64_t)1 << b));
	}
	assert_false(busway_is_power_of_two(0));
	assert_false(busway_is_power_of_two(UINT64_MAX));
}

static void address_lines_drive_what_has_no_higher_bit(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (unsigned bits = 0; bits <= 70; bits++) {
		assert_int_equal(busway_bits_last(bits), last);
		if (bits < 64) {
			/* bits are enough for the last; for the one behind it they are not */
			assert_int_equal(busway_bits_needed(last), bits);
			assert_int_equal(busway_bits_needed(last + 1), bits + 1);
		}
		last = bits < 64 ? last * 2 + 1 : last;
	}
	assert_int_equal(busway_bits_needed(0), 0);
	assert_int_equal(busway_bits_needed(UINT64_MAX), 64);
}

/* The compiler tells kinds of addresses apart: else two of these would name one type. */
#define KIND(x)                                                                                    \
	_Generic((x), busway_phys_t : 1, busway_dma_t : 2, busway_local_t : 3,                     \
		 struct busway_range : 4, struct busway_phys_range : 5,                            \
		 struct busway_dma_range : 6, uint64_t : 7)

static void kinds_of_addresses_are_types_of_their_own(void **state)
{
	const struct busway_range r = {1, UINT64_MAX};

	(void)state;
	assert_int_equal(KIND(busway_phys(0)), 1);
	assert_int_equal(KIND(busway_dma(0)), 2);
	assert_int_equal(KIND(busway_local(0)), 3);
	assert_int_equal(KIND(busway_phys_range(r)), 5);
	assert_int_equal(KIND(busway_dma_range(r)), 6);
	assert_int_equal(KIND(busway_phys_raw(busway_phys_range(r))), 4);
	assert_int_equal(busway_phys(UINT64_MAX).raw, UINT64_MAX);
	assert_int_equal(busway_dma(5).raw, 5);
	assert_int_equal(busway_local(6).raw, 6);
	assert_int_equal(busway_phys_raw(busway_phys_range(r)).first, 1);
	assert_int_equal(busway_phys_raw(busway_phys_range(r)).last, UINT64_MAX);
	assert_int_equal(busway_dma_raw(busway_dma_range(r)).first, 1);
	assert_int_equal(busway_dma_raw(busway_dma_range(r)).last, UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(range_is_refused_when_it_would_pass_the_end),
		cmocka_unit_test(range_of_a_size_ends_where_the_sum_says),
		cmocka_unit_test(two_ranges_meet_where_an_address_is_in_both),
		cmocka_unit_test(nothing_adjoins_across_the_end),
		cmocka_unit_test(range_holds_what_is_not_longer_than_it),
		cmocka_unit_test(aligning_goes_up_to_the_next_multiple_or_refuses),
		cmocka_unit_test(powers_of_two_have_one_bit),
		cmocka_unit_test(address_lines_drive_what_has_no_higher_bit),
		cmocka_unit_test(kinds_of_addresses_are_types_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
