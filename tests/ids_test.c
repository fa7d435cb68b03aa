/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids_test.c - which requesters an iommu-map is for: busway_id_map_hits().
 *
 * Linux reads a map entry by entry (of_map_id): an entry whose base has bits outside the mask is
 * an error, the first entry that holds the masked ID decides, whether its controller is enabled
 * or not.
 */
#include "support/random.h"
#include "support/test.h"

static const struct busway_id_map all = {
	.is_range = true, .enabled = true, .id_base = 0, .id_count = 0x10000, .id_mask = 0xffff};

/* ---- by hand ---- */

static void requester_is_translated_by_the_first_entry_that_holds_it(void **state)
{
	static const struct {
		const char *because;
		struct busway_id_map maps[2];
		size_t count;
		uint16_t requester;
		bool hits, any;
	} cases[] = {
		{"no map", {{0}}, 0, 0, false, false},
		{"all of them",
		 {{.is_range = true, .enabled = true, .id_count = 0x10000, .id_mask = 0xffff}},
		 1,
		 0xffff,
		 true,
		 true},
		{"the first of a range",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x100,
		   .id_count = 8,
		   .id_mask = 0xffff}},
		 1,
		 0x100,
		 true,
		 true},
		{"the last of it",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x100,
		   .id_count = 8,
		   .id_mask = 0xffff}},
		 1,
		 0x107,
		 true,
		 true},
		{"the one behind",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x100,
		   .id_count = 8,
		   .id_mask = 0xffff}},
		 1,
		 0x108,
		 false,
		 true},
		{"the one before",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x100,
		   .id_count = 8,
		   .id_mask = 0xffff}},
		 1,
		 0xff,
		 false,
		 true},
		{"the mask takes the function away",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x8,
		   .id_count = 1,
		   .id_mask = 0xfff8}},
		 1,
		 0xf,
		 true,
		 true},
		{"an empty range is for nobody",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0,
		   .id_count = 0,
		   .id_mask = 0xffff}},
		 1,
		 0,
		 false,
		 false},
		{"a controller that is off",
		 {{.is_range = true, .id_count = 0x10000, .id_mask = 0xffff}},
		 1,
		 0,
		 false,
		 false},
		{"the first entry decides, though it is off",
		 {{.is_range = true, .id_count = 0x10, .id_mask = 0xffff},
		  {.is_range = true, .enabled = true, .id_count = 0x20, .id_mask = 0xffff}},
		 2,
		 0xf,
		 false,
		 true},
		{"behind it the second one does",
		 {{.is_range = true, .id_count = 0x10, .id_mask = 0xffff},
		  {.is_range = true, .enabled = true, .id_count = 0x20, .id_mask = 0xffff}},
		 2,
		 0x10,
		 true,
		 true},
		{"a base outside the mask is an error: in doubt it is translated",
		 {{.is_range = true, .id_base = 0x1, .id_count = 1, .id_mask = 0xfff8}},
		 1,
		 0x1000,
		 true,
		 true},
		{"a specifier of the device itself is for all",
		 {{.enabled = true}},
		 1,
		 0x1234,
		 true,
		 true},
		{"if its controller is on", {{.enabled = false}}, 1, 0x1234, false, false},
		{"a range that passes 2^32",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x10,
		   .id_count = UINT32_MAX,
		   .id_mask = 0xffff}},
		 1,
		 0xffff,
		 true,
		 true},
		{"but begins behind the ID",
		 {{.is_range = true,
		   .enabled = true,
		   .id_base = 0x10,
		   .id_count = UINT32_MAX,
		   .id_mask = 0xffff}},
		 1,
		 0xf,
		 false,
		 true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (busway_id_map_hits(cases[i].maps, cases[i].count, false, cases[i].requester) !=
		    cases[i].hits)
			fail_msg("case %zu: %s", i, cases[i].because);
		if (busway_id_map_hits(cases[i].maps, cases[i].count, true, 0) != cases[i].any)
			fail_msg("case %zu: %s: some requester", i, cases[i].because);
	}
	assert_true(busway_id_map_hits(&all, 1, false, 0));
}

static void the_iommu_of_a_device_is_the_one_that_translates_it(void **state)
{
	static const struct busway_id_map ranges[] = {
		{.controller = "off", .is_range = true, .id_count = 0x100, .id_mask = 0xffff},
		{.controller = "first",
		 .is_range = true,
		 .enabled = true,
		 .id_base = 0x100,
		 .id_count = 0x100,
		 .id_mask = 0xffff},
		{.controller = "second",
		 .is_range = true,
		 .enabled = true,
		 .id_base = 0x200,
		 .id_count = 0x100,
		 .id_mask = 0xffff},
	};
	static const struct busway_id_map specifiers[] = {
		{.controller = "off"},
		{.controller = "on", .enabled = true},
	};
	static const struct {
		const char *because;
		struct busway_device device;
		const char *iommu;
	} cases[] = {
		{"a function by its requester",
		 {.behind_iommu = true,
		  .has_requester = true,
		  .requester = 0x210,
		  .iommu = ranges,
		  .iommu_count = 3},
		 "second"},
		{"a host bridge: of somebody below it",
		 {.behind_iommu = true, .iommu = ranges, .iommu_count = 3},
		 "first"},
		{"a function that no entry is for, where its bus is not known",
		 {.behind_iommu = true,
		  .has_requester = true,
		  .requester = 0x10,
		  .iommu = ranges,
		  .iommu_count = 3},
		 "first"},
		{"a specifier of one that is enabled",
		 {.behind_iommu = true, .iommu = specifiers, .iommu_count = 2},
		 "on"},
		{"none is stated", {.behind_iommu = true}, NULL},
		{"it goes around them",
		 {.has_requester = true, .requester = 0x10, .iommu = ranges, .iommu_count = 3},
		 NULL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_id_map *map = busway_device_iommu(&cases[i].device);

		print_message("# %s\n", cases[i].because);
		if (cases[i].iommu)
			assert_string_equal(map ? map->controller : "none", cases[i].iommu);
		else
			assert_null(map);
	}
}

/* ---- against a plain reading ---- */

static bool plainly(const struct busway_id_map *maps, size_t count, uint16_t requester)
{
	for (size_t i = 0; i < count; i++) {
		const uint64_t masked = requester & maps[i].id_mask;

		if ((maps[i].id_base | maps[i].id_mask) != maps[i].id_mask)
			return true;
		if (masked >= maps[i].id_base &&
		    masked < (uint64_t)maps[i].id_base + maps[i].id_count)
			return maps[i].enabled;
	}
	return false;
}

static void every_requester_is_read_as_plainly_as_it_is_written(void **state)
{
	const unsigned rounds = random_rounds(60);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed);
		const size_t count = rng_below(&rng, 5);
		struct busway_id_map maps[5];

		for (size_t i = 0; i < count; i++) {
			const uint32_t mask = rng_chance(&rng, 50) ? 0xffff
					      : rng_chance(&rng, 50)
						      ? 0xfff8
						      : (uint32_t)rng_below(&rng, 0x10000);

			maps[i] = (struct busway_id_map){
				.is_range = true,
				.enabled = rng_chance(&rng, 70),
				.id_mask = mask,
				.id_base = (uint32_t)rng_below(&rng, 0x10000) &
					   (rng_chance(&rng, 90) ? mask : 0xffff),
				.id_count = (uint32_t)rng_below(&rng, 0x9000),
			};
		}
		for (uint32_t id = 0; id < 0x10000; id++)
			if (busway_id_map_hits(maps, count, false, (uint16_t)id) !=
			    plainly(maps, count, (uint16_t)id))
				fail_msg("seed 0x%" PRIx64 ": requester 0x%" PRIx32, seed, id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requester_is_translated_by_the_first_entry_that_holds_it),
		cmocka_unit_test(the_iommu_of_a_device_is_the_one_that_translates_it),
		cmocka_unit_test(every_requester_is_read_as_plainly_as_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
