/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usable_test.c - what carve-outs leave of a memory bank: busway_platform_usable().
 */
#include "support/generate.h"
#include "support/test.h"

static void no_map_carve_outs_are_not_counted(void **state)
{
	static const struct {
		const char *because;
		struct busway_range bank, carve_out;
		uint64_t bytes;
	} cases[] = {
		{"beside it", {0x1000, 0x1fff}, {0x2000, 0x2fff}, 0x1000},
		{"at its beginning", {0x1000, 0x1fff}, {0x0, 0x10ff}, 0xf00},
		{"at its end", {0x1000, 0x1fff}, {0x1fff, 0x2fff}, 0xfff},
		{"inside", {0x1000, 0x1fff}, {0x1100, 0x11ff}, 0xf00},
		{"all of it", {0x1000, 0x1fff}, {0, 0xffff}, 0},
		{"the first byte of all", {0, UINT64_MAX}, {0, 0}, UINT64_MAX},
		{"the last byte of all", {0, UINT64_MAX}, {UINT64_MAX, UINT64_MAX}, UINT64_MAX},
		{"a bank up to the last byte", {UINT64_MAX - 1, UINT64_MAX}, {0, 0}, 2},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t bytes = 0x77;
		struct plan plan;

		plan_init(&plan);
		plan_ram(&plan, cases[i].bank);
		plan_region(&plan, 0, BUSWAY_REGION_CARVEOUT, cases[i].carve_out);
		plan_open(&plan);
		if (busway_platform_usable(plan.platform, 0, &plan.memory.allocator, &bytes) ||
		    bytes != cases[i].bytes)
			fail_msg("case %zu: %s: 0x%" PRIx64, i, cases[i].because, bytes);
		plan_close(&plan);
	}
}

static void bank_that_does_not_exist_is_refused(void **state)
{
	struct plan plan;
	uint64_t bytes = 0x77;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0});
	plan_open(&plan);
	assert_int_equal(busway_platform_usable(plan.platform, 1, &plan.memory.allocator, &bytes),
			 -BUSWAY_EINVAL);
	assert_int_equal(
		busway_platform_usable(plan.platform, SIZE_MAX, &plan.memory.allocator, &bytes),
		-BUSWAY_EINVAL);
	assert_int_equal(bytes, 0x77);
	plan_close(&plan);
}

static bool is_carved_out(const struct plan *plan, uint64_t address)
{
	for (size_t i = 0; i < plan->region_count; i++)
		if (plan->regions[i].kind == BUSWAY_REGION_CARVEOUT &&
		    plan->regions[i].space.index == 0 && address >= plan->regions[i].range.first &&
		    address <= plan->regions[i].range.last)
			return true;
	return false;
}

static void usable_bytes_are_those_in_no_carve_out(void **state)
{
	const unsigned rounds = random_rounds(400);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct plan plan;
		struct rng rng = rng_of(~(random_seed() + round));

		plan_random(&plan, random_seed() + round, 8);
		for (uint64_t n = rng_below(&rng, 6); n > 0; n--) {
			const uint32_t space = (uint32_t)rng_below(&rng, 2);

			plan_region(&plan, space, BUSWAY_REGION_CARVEOUT,
				    random_range(&rng, plan.base[space], plan.size));
		}
		plan_open(&plan);
		for (size_t i = 0; i < plan.bank_count; i++) {
			const struct busway_range bank = plan.banks[i].range;
			uint64_t bytes = 0, expected = 0;

			for (uint64_t n = 0; n <= bank.last - bank.first; n++)
				expected += !is_carved_out(&plan, bank.first + n);
			assert_int_equal(busway_platform_usable(plan.platform, i,
								&plan.memory.allocator, &bytes),
					 0);
			if (bytes != expected) {
				plan_print(&plan);
				fail_msg("bank %zu: 0x%" PRIx64, i, bytes);
			}
		}
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_map_carve_outs_are_not_counted),
		cmocka_unit_test(bank_that_does_not_exist_is_refused),
		cmocka_unit_test(usable_bytes_are_those_in_no_carve_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
