/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list_test.c - scatter-gather lists and plans of them: busway_map_list(), busway_plan().
 */
#include "rig.h"

#include <string.h>

enum { ENTRIES = 6, SEGMENTS = 16, POOL_AT = 0x40000 };

struct expected {
	uint64_t dma, size; /* of a bounced one, .dma is UINT64_MAX: somewhere in the pool */
};

#define BOUNCED UINT64_MAX

/*
 *   dma 0..0x7ffff --> +0,  0x100000..0x13ffff --> +0x80000,  nothing leads to +0xc0000
 */
static void draw(struct rig *rig)
{
	rig_draw(rig);
	rig->plan.windows[0].in.last = 0x7ffff;
	plan_window(&rig->plan, 1, 0, (struct busway_range){0x100000, 0x13ffff},
		    RIG_BASE + 0x80000);
}

static struct busway_dma_device *open(struct rig *rig, const struct busway_dma_options *options)
{
	rig_open(rig);
	assert_int_equal(
		busway_dma_add_pool(rig->dma, rig_phys(POOL_AT, 0x10000), BUSWAY_USE_BOUNCE, 1), 0);
	return rig_attach(rig, 0, options);
}

static void close_all(struct rig *rig, struct busway_dma_device *device)
{
	struct busway_pool_census census;

	assert_int_equal(busway_dma_detach(device), 0);
	assert_true(busway_dma_pool(rig->dma, 0, &census));
	assert_int_equal(census.used, 0);
	rig_close(rig);
}

static void entries_become_as_few_segments_as_can_be(void **state)
{
	static const struct {
		const char *because;
		struct busway_segment_limits limits;
		uint64_t entries[ENTRIES][2];
		struct expected expected[SEGMENTS];
	} cases[] = {
		{"apart",
		 {0},
		 {{0x1000, 0x100}, {0x3000, 0x100}},
		 {{0x1000, 0x100}, {0x3000, 0x100}}},
		{"side by side", {0}, {{0x1000, 0x1000}, {0x2000, 0x800}}, {{0x1000, 0x1800}}},
		{"side by side, but the wrong way round",
		 {0},
		 {{0x2000, 0x1000}, {0x1000, 0x1000}},
		 {{0x2000, 0x1000}, {0x1000, 0x1000}}},
		{"across two windows",
		 {0},
		 {{0x7f000, 0x2000}},
		 {{0x7f000, 0x1000}, {0x100000, 0x1000}}},
		{"the first goes on in the next one",
		 {0},
		 {{0x7e000, 0x1000}, {0x7f000, 0x2000}, {0x81000, 0x10}},
		 {{0x7e000, 0x2000}, {0x100000, 0x1010}}},
		{"one entry bounces",
		 {0},
		 {{0x1000, 0x100}, {0xc0000, 0x30}},
		 {{0x1000, 0x100}, {BOUNCED, 0x30}}},
		{"half of it is not reached: that half bounces",
		 {0},
		 {{0xbf000, 0x2000}},
		 {{0x13f000, 0x1000}, {BOUNCED, 0x1000}}},
		{"all of it bounces where there may be one segment",
		 {.max_count = 1},
		 {{0xbf000, 0x2000}},
		 {{BOUNCED, 0x2000}}},
		{"segments of so many bytes",
		 {.max_size = 0x800},
		 {{0x1000, 0x1801}},
		 {{0x1000, 0x800}, {0x1800, 0x800}, {0x2000, 0x800}, {0x2800, 1}}},
		{"joined only as far as that",
		 {.max_size = 0x800},
		 {{0x1000, 0x400}, {0x1400, 0x400}, {0x1800, 0x400}},
		 {{0x1000, 0x800}, {0x1800, 0x400}}},
		{"joined before they are cut",
		 {.max_size = 0x800},
		 {{0x1000, 0xc00}, {0x1c00, 0xc00}},
		 {{0x1000, 0x800}, {0x1800, 0x800}, {0x2000, 0x800}}},
		{"a boundary",
		 {.boundary = 0x1000},
		 {{0x1f00, 0x1200}},
		 {{0x1f00, 0x100}, {0x2000, 0x1000}, {0x3000, 0x100}}},
		{"bounced in pieces, too",
		 {.max_size = 0x1000},
		 {{0xc0000, 0x1801}},
		 {{BOUNCED, 0x1000}, {BOUNCED, 0x801}}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_phys_range entries[ENTRIES];
		struct busway_mapped segments[SEGMENTS];
		struct busway_mapping mapping = {0};
		struct busway_dma_device *device;
		struct busway_plan plan;
		size_t count = 0, k = 0;
		struct rig rig;

		draw(&rig);
		rig.plan.devices[0].segments = cases[i].limits;
		device = open(&rig, NULL);
		for (; count < ENTRIES && cases[i].entries[count][1]; count++)
			entries[count] =
				rig_phys(cases[i].entries[count][0], cases[i].entries[count][1]);
		assert_int_equal(busway_plan(busway_dma_lane(device, 0), entries, count,
					     BUSWAY_TO_DEVICE, 0, &plan, NULL),
				 0);
		assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, count,
						 BUSWAY_TO_DEVICE, 0, segments, SEGMENTS, &mapping,
						 NULL, NULL),
				 0);
		assert_int_equal(plan.segments, mapping.segment_count);
		assert_int_equal(plan.way, mapping.way);
		for (; k < SEGMENTS && cases[i].expected[k].size; k++) {
			const struct expected *e = &cases[i].expected[k];
			const uint64_t dma = segments[k].dma.first.raw;

			if (k >= mapping.segment_count ||
			    segments[k].dma.last.raw - dma + 1 != e->size ||
			    (e->dma == BOUNCED ? dma / 0x10000 != POOL_AT / 0x10000
					       : dma != e->dma))
				fail_msg("%s: segment %zu", cases[i].because, k);
		}
		if (k != mapping.segment_count)
			fail_msg("%s: %u segments", cases[i].because, mapping.segment_count);
		for (uint32_t s = 0; s < mapping.segment_count; s++)
			assert_ptr_equal(busway_dma_owner(device, segments[s].dma.last), &mapping);
		assert_int_equal(busway_unmap(&mapping), 0);
		close_all(&rig, device);
	}
}

/* They would be one run for the device, but not for the CPU, which has to find the bytes again. */
static void what_adjoins_on_the_bus_only_stays_apart(void **state)
{
	const struct busway_phys_range entries[] = {rig_phys(0x7fff0, 0x10),
						    rig_phys(0xa0000, 0x10)};
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.windows[0].in.last = 0x7ffff;
	plan_window(&rig.plan, 1, 0, (struct busway_range){0x80000, 0xbffff}, RIG_BASE + 0xa0000);
	device = open(&rig, NULL);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 2, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, NULL),
			 0);
	assert_int_equal(mapping.segment_count, 2);
	assert_int_equal(segments[1].dma.first.raw, 0x80000);
	assert_int_equal(segments[1].phys.raw, RIG_BASE + 0xa0000);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

static void a_list_is_mapped_as_a_whole_or_not_at_all(void **state)
{
	const struct busway_phys_range entries[] = {
		rig_phys(0x1000, 0x10), rig_phys(0xc0000, 0x8000), rig_phys(0xc8000, 0x8000),
		rig_phys(0xd0000, 0x800)};
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_pool_census before, after;
	struct busway_plan plan;
	struct busway_refusal why;
	size_t needed = 0;
	struct rig rig;

	(void)state;
	draw(&rig);
	device = open(&rig, NULL);
	/* the pool holds the second and the third, not the fourth */
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 4, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_FULL);
	assert_null(busway_dma_owner(device, busway_dma(0x1000)));
	/* there is no room for the segments: how many are needed is told */
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 3, BUSWAY_TO_DEVICE,
					 0, segments, 2, &mapping, &needed, &why),
			 -BUSWAY_ENOSPC);
	assert_int_equal(needed, 3);
	/* asking changes nothing, not even the high water */
	assert_true(busway_dma_pool(rig.dma, 0, &before));
	assert_int_equal(before.used, 0);
	assert_int_equal(before.high_water, 0);
	assert_int_equal(busway_plan(busway_dma_lane(device, 0), entries, 2, BUSWAY_TO_DEVICE, 0,
				     &plan, &why),
			 0);
	assert_int_equal(plan.way, BUSWAY_WAY_MIXED);
	assert_int_equal(plan.bounced_bytes, 0x8000);
	assert_int_equal(plan.slot_bytes, 0x8000);
	assert_int_equal(busway_plan(busway_dma_lane(device, 0), entries, 4, BUSWAY_TO_DEVICE, 0,
				     &plan, &why),
			 -BUSWAY_ERANGE);
	assert_true(busway_dma_pool(rig.dma, 0, &after));
	assert_int_equal(after.used, 0);
	assert_int_equal(after.high_water, 0);
	assert_int_equal(after.quarantined, 0);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 3, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, &why),
			 0);
	assert_true(busway_dma_pool(rig.dma, 0, &after));
	assert_int_equal(after.high_water, 0x10000);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

/* Each piece begins at the low bits of its memory, and ends where these leave off the boundary. */
static void bounced_pieces_keep_their_low_bits(void **state)
{
	const struct busway_dma_options options = {.min_align_mask = 0xfff};
	const struct busway_phys_range entry = rig_phys(0xc0340, 0x2000);
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	draw(&rig);
	rig.plan.devices[0].segments.boundary = 0x1000;
	device = open(&rig, &options);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), &entry, 1, BUSWAY_TO_DEVICE, 0,
					 segments, SEGMENTS, &mapping, NULL, NULL),
			 0);
	assert_int_equal(mapping.segment_count, 3);
	for (uint32_t i = 0; i < mapping.segment_count; i++) {
		const struct busway_range dma = busway_dma_raw(segments[i].dma);

		assert_int_equal((dma.first ^ segments[i].phys.raw) & 0xfff, 0);
		assert_int_equal(dma.first / 0x1000, dma.last / 0x1000);
	}
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

/* The CPU's part of a line that is cut would go over the device's, or the other way round. */
static void no_entry_is_cut_inside_a_cache_line(void **state)
{
	const struct busway_phys_range entry = rig_phys(0x7f000, 0x1000);
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	draw(&rig);
	rig.plan.windows[0].in.last = 0x7f000 + RIG_LINE / 2 - 1;
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	device = open(&rig, NULL);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), &entry, 1, BUSWAY_FROM_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

static void too_many_segments_are_refused_with_their_number(void **state)
{
	const struct busway_phys_range entries[] = {rig_phys(0x1000, 0x10), rig_phys(0x3000, 0x10),
						    rig_phys(0x5000, 0x10)};
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	draw(&rig);
	rig.plan.devices[0].segments.max_count = 2;
	device = open(&rig, NULL);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 3, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_SEGMENT_LIMITS);
	assert_int_equal(why.needed, 3);
	assert_int_equal(why.limit.last, 2);
	close_all(&rig, device);
}

static void senseless_lists_are_refused(void **state)
{
	struct busway_phys_range entries[] = {rig_phys(0x1000, 0x10), rig_phys(0x3000, 0x10)};
	struct busway_mapped segments[SEGMENTS];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	draw(&rig);
	device = open(&rig, NULL);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 0, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, NULL),
			 -BUSWAY_EINVAL);
	entries[1].last.raw = entries[1].first.raw - 1;
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 2, BUSWAY_TO_DEVICE,
					 0, segments, SEGMENTS, &mapping, NULL, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 1,
					 (enum busway_direction)0, 0, segments, SEGMENTS, &mapping,
					 NULL, NULL),
			 -BUSWAY_EINVAL);
	close_all(&rig, device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_become_as_few_segments_as_can_be),
		cmocka_unit_test(what_adjoins_on_the_bus_only_stays_apart),
		cmocka_unit_test(a_list_is_mapped_as_a_whole_or_not_at_all),
		cmocka_unit_test(bounced_pieces_keep_their_low_bits),
		cmocka_unit_test(no_entry_is_cut_inside_a_cache_line),
		cmocka_unit_test(too_many_segments_are_refused_with_their_number),
		cmocka_unit_test(senseless_lists_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
