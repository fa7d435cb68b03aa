/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * complete_test.c - on small random platforms, memory is mapped directly exactly where some address
 * would do: every address of the arenas is tried by the naive twin.
 */
#include "../support/generate.h"
#include "../support/test.h"
#include "../support/twin.h"

#include <stdlib.h>

/* The twin's platforms have no bytes; nothing here touches any. */
static unsigned char anything[4096];

static void *pointer(void *ctx, struct busway_phys_range range)
{
	(void)ctx;
	(void)range;
	return anything;
}

/* Is there an address from which all of @phys lies side by side? */
static bool some_address_does(const struct twin_map *map, struct busway_range phys,
			      enum busway_access access, uint64_t mask_last,
			      const struct busway_segment_limits *limits, uint64_t low_bits)
{
	const uint64_t size = busway_range_span(phys) + 1;
	uint64_t dma;

	for (bool first = true; twin_map_next(map, phys.first, access, first, &dma); first = false)
		if (twin_map_run(map, dma, access, size) >= size && dma + (size - 1) <= mask_last &&
		    dma + (size - 1) >= dma && ((dma ^ phys.first) & low_bits) == 0 &&
		    (!limits->max_size || size <= limits->max_size) &&
		    (!limits->boundary ||
		     dma / limits->boundary == (dma + (size - 1)) / limits->boundary))
			return true;
	return false;
}

static void check_range(const struct twin_map *map, struct busway_lane *lane,
			struct busway_range phys, enum busway_direction direction, bool expected,
			uint64_t seed)
{
	struct busway_mapping mapping = {0};
	struct busway_refusal why = {0};
	const int status =
		busway_map(lane, busway_phys_range(phys), direction, 0, &mapping, &why);

	if ((status == 0) != expected)
		fail_msg("seed 0x%" PRIx64 ": 0x%" PRIx64 "..0x%" PRIx64 ": status %d, %s", seed,
			 phys.first, phys.last, status, busway_reason_code(why.reason));
	if (status)
		return;
	/* and it does lead there */
	for (uint64_t i = 0; i <= busway_range_span(phys); i++) {
		const struct twin_byte *byte = twin_map_at(map, mapping.dma.raw + i);

		if (!byte || byte->phys != phys.first + i ||
		    (byte->access & (enum busway_access)direction) !=
			    (enum busway_access)direction)
			fail_msg("seed 0x%" PRIx64 ": dma 0x%" PRIx64 " leads elsewhere", seed,
				 mapping.dma.raw + i);
	}
	assert_int_equal(busway_unmap(&mapping), 0);
}

static void check_plan(struct plan *plan, struct busway_dma *dma, uint64_t seed,
		       unsigned long *direct, unsigned long *refused)
{
	struct rng rng = rng_of(seed ^ 0x5eed);
	const struct busway_dma_options options = {
		.min_align_mask = rng_chance(&rng, 70) ? 0 : busway_bits_last(
								     (unsigned)rng_below(&rng, 5)),
		.bypass_iommu = true,
	};
	const struct busway_segment_limits limits = plan->devices[0].segments;
	struct busway_dma_device *device;
	unsigned bits = 64;
	struct twin_map map;

	if (busway_dma_attach(dma, (busway_device_id){0}, &options, &device, NULL))
		return; /* it reaches nothing */
	assert_int_equal(busway_dma_set_mask(device, 64, NULL, NULL), 0);
	twin_map_open(&map, plan, 0);
	for (unsigned i = 0; i < 60; i++) {
		const struct busway_range phys = random_range(&rng, plan->base[0], plan->size);
		const enum busway_direction direction =
			(enum busway_direction)rng_between(&rng, 1, 3);
		bool expected;

		if (rng_chance(&rng, 10) &&
		    busway_dma_set_mask(device, (unsigned)rng_between(&rng, 4, 64), NULL, NULL) ==
			    0)
			bits = busway_dma_mask(device);
		expected = some_address_does(&map, phys, (enum busway_access)direction,
					     busway_bits_last(bits), &limits,
					     options.min_align_mask);
		*(expected ? direct : refused) += 1;
		check_range(&map, busway_dma_lane(device, 0), phys, direction, expected, seed);
	}
	twin_map_close(&map);
	assert_int_equal(busway_dma_detach(device), 0);
}

static void what_some_address_reaches_is_mapped_and_nothing_else(void **state)
{
	const struct busway_dma_environment environment = {.pointer = pointer};
	const unsigned rounds = random_rounds(1500);
	unsigned long direct = 0, refused = 0;
	struct plan *plan = malloc(sizeof(*plan));

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed ^ 0xdead);
		struct busway_dma *dma;

		plan_random(plan, seed, (unsigned)rng_between(&rng, 4, 9));
		plan->devices[0].restricted_pool = UINT32_MAX;
		plan->devices[0].behind_iommu = false;
		plan->devices[0].segments = (struct busway_segment_limits){
			.max_size = rng_chance(&rng, 20) ? rng_between(&rng, 1, 64) : 0,
			.boundary = rng_chance(&rng, 20) ? (uint64_t)1 << rng_below(&rng, 8) : 0,
		};
		plan_open(plan);
		assert_int_equal(busway_dma_create(plan->platform, &environment,
						   &plan->memory.allocator, &dma),
				 0);
		check_plan(plan, dma, seed, &direct, &refused);
		assert_int_equal(busway_dma_destroy(dma), 0);
		plan_close(plan);
	}
	print_message("# %lu ranges mapped, %lu refused\n", direct, refused);
	assert_true(direct > refused / 20 && refused > direct / 20);
	free(plan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_some_address_reaches_is_mapped_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
