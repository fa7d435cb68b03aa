/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_address_test.c - drivers that keep only the address: which mapping they mean, and where what
 * they say ends.
 */
#include "rig.h"

#include <string.h>

static struct busway_dma_device *open(struct rig *rig, const struct busway_dma_options *options)
{
	rig_open(rig);
	return rig_attach(rig, 0, options);
}

static void close_all(struct rig *rig, struct busway_dma_device *device)
{
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(rig);
}

/* Memory is mapped for reading as often as one likes; its address is the same each time. */
static void of_mappings_at_one_address_the_one_that_fits_is_meant(void **state)
{
	static const struct {
		uint64_t size;
		enum busway_direction direction;
	} kinds[] = {
		{0x100, BUSWAY_TO_DEVICE},
		{0x180, BUSWAY_TO_DEVICE},
		{0x1000, BUSWAY_TO_DEVICE},
		{0x180, BUSWAY_BIDIRECTIONAL},
	};
	struct busway_mapping mappings[COUNT(kinds)];
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	for (size_t first = 0; first < COUNT(kinds); first++) {
		memset(mappings, 0, sizeof(mappings));
		rig_draw(&rig);
		device = open(&rig, NULL);
		lane = busway_dma_lane(device, 0);
		for (size_t i = 0; i < COUNT(kinds); i++)
			assert_int_equal(busway_map(lane, rig_phys(0x1000, kinds[i].size),
						    kinds[i].direction, 0, &mappings[i], NULL),
					 0);
		for (size_t n = 0; n < COUNT(kinds); n++) {
			const size_t i = (first + n) % COUNT(kinds);

			assert_int_equal(busway_unmap_address(lane, busway_dma(0x1000),
							      kinds[i].size, BUSWAY_KIND_SINGLE,
							      kinds[i].direction),
					 0);
			/* it and no other is given up */
			assert_int_equal(busway_unmap(&mappings[i]), -BUSWAY_EINVAL);
			assert_int_equal(rig.misuses[BUSWAY_MISUSE_UNMAPPED_TWICE], n + 1);
		}
		close_all(&rig, device);
	}
}

static void where_none_fits_the_difference_that_counts_is_told(void **state)
{
	struct busway_mapping small = {0}, large = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(
		busway_map(lane, rig_phys(0x1000, 0x10), BUSWAY_TO_DEVICE, 0, &small, NULL), 0);
	assert_int_equal(
		busway_map(lane, rig_phys(0x1000, 0x200), BUSWAY_TO_DEVICE, 0, &large, NULL), 0);
	/* the large one, in another direction */
	assert_int_equal(busway_unmap_address(lane, busway_dma(0x1000), 0x200, BUSWAY_KIND_SINGLE,
					      BUSWAY_FROM_DEVICE),
			 -BUSWAY_EINVAL);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_WRONG_DIRECTION], 1);
	assert_ptr_equal(rig.last.mapping, &large);
	assert_int_equal(busway_unmap(&small), 0);
	assert_int_equal(busway_unmap(&large), 0);
	close_all(&rig, device);
}

static void a_sync_means_the_mapping_that_holds_all_of_it(void **state)
{
	struct busway_mapping small = {0}, large = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(
		busway_map(lane, rig_phys(0x1000, 0x10), BUSWAY_TO_DEVICE, 0, &small, NULL), 0);
	assert_int_equal(
		busway_map(lane, rig_phys(0x1000, 0x200), BUSWAY_TO_DEVICE, 0, &large, NULL), 0);
	assert_int_equal(
		busway_sync_address(lane, busway_dma(0x1008), 0x100, BUSWAY_TO_DEVICE, false), 0);
	assert_int_equal(rig_misuse_count(&rig), 0);
	assert_int_equal(busway_unmap(&small), 0);
	assert_int_equal(busway_unmap(&large), 0);
	close_all(&rig, device);
}

static void a_sync_does_not_go_on_in_a_segment_elsewhere(void **state)
{
	static const struct {
		const char *because;
		uint64_t second; /* where the second entry lies; the first is 0x1000+0x1000 */
		uint64_t dma, size;
		int status;
	} cases[] = {
		{"the end of a segment is the end", 0x8000, 0x1f00, 0x101, -BUSWAY_EINVAL},
		{"all of a segment is inside", 0x8000, 0x1000, 0x1000, 0},
		{"so is all of the last one", 0x8000, 0x8000, 0x1000, 0},
		{"nothing is behind the last one", 0x8000, 0x8fff, 2, -BUSWAY_EINVAL},
		{"a size that passes 2^64", 0x8000, 0x1000, UINT64_MAX, -BUSWAY_EINVAL},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_phys_range entries[] = {rig_phys(0x1000, 0x1000),
							    rig_phys(cases[i].second, 0x1000)};
		struct busway_mapped segments[2];
		struct busway_mapping mapping = {0};
		struct busway_dma_device *device;
		struct busway_lane *lane;
		struct rig rig;

		rig_draw(&rig);
		device = open(&rig, NULL);
		lane = busway_dma_lane(device, 0);
		assert_int_equal(busway_map_list(lane, entries, 2, BUSWAY_TO_DEVICE, 0, segments, 2,
						 &mapping, NULL, NULL),
				 0);
		if (busway_sync_address(lane, busway_dma(cases[i].dma), cases[i].size,
					BUSWAY_TO_DEVICE, false) != cases[i].status)
			fail_msg("case %zu: %s", i, cases[i].because);
		assert_int_equal(rig.misuses[BUSWAY_MISUSE_SYNC_OUTSIDE], cases[i].status ? 1 : 0);
		assert_int_equal(busway_unmap(&mapping), 0);
		close_all(&rig, device);
	}
}

static void another_lane_is_named(void **state)
{
	const struct busway_dma_options options = {.lanes = 3};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, &options);
	assert_int_equal(busway_map(busway_dma_lane(device, 2), rig_phys(0x1000, 0x100),
				    BUSWAY_TO_DEVICE, 0, &mapping, NULL),
			 0);
	assert_int_equal(busway_unmap_address(busway_dma_lane(device, 1), busway_dma(0x1000), 0x100,
					      BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE),
			 -BUSWAY_EINVAL);
	assert_int_equal(rig_misuse_count(&rig), 1);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_WRONG_LANE], 1);
	assert_ptr_equal(rig.last.mapping, &mapping);
	assert_int_equal(rig.last.difference.said, 1);
	assert_int_equal(rig.last.difference.mapped, 2);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_mappings_at_one_address_the_one_that_fits_is_meant),
		cmocka_unit_test(where_none_fits_the_difference_that_counts_is_told),
		cmocka_unit_test(a_sync_means_the_mapping_that_holds_all_of_it),
		cmocka_unit_test(a_sync_does_not_go_on_in_a_segment_elsewhere),
		cmocka_unit_test(another_lane_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
