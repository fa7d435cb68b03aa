/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * misuse_test.c - what drivers do wrong with their mappings: each is committed, and told once.
 *
 * A class of BUSWAY_MISUSES that no case commits fails the test.
 */
#include "rig.h"

#include <string.h>

struct scene {
	struct rig rig;
	struct busway_dma_device *device, *other;
	struct busway_lane *lane;
	struct busway_mapping mapping;
	struct busway_mapped segments[4];
	struct busway_coherent coherent;
};

static void map(struct scene *s, enum busway_direction direction)
{
	assert_int_equal(busway_map(s->lane, rig_phys(0x1000, 0x100), direction, 0, &s->mapping,
				    NULL),
			 0);
}

static void map_list(struct scene *s)
{
	const struct busway_phys_range entries[] = {rig_phys(0x1000, 0x100),
						    rig_phys(0x3000, 0x100)};

	assert_int_equal(busway_map_list(s->lane, entries, 2, BUSWAY_TO_DEVICE, 0, s->segments, 4,
					 &s->mapping, NULL, NULL),
			 0);
}

static void alloc(struct scene *s)
{
	assert_int_equal(busway_coherent_alloc(s->lane, 0x100, 1, 0, &s->coherent, NULL), 0);
}

static int unmap_at(struct scene *s, uint64_t dma, uint64_t size, enum busway_mapping_kind kind,
		    enum busway_direction direction)
{
	return busway_unmap_address(s->lane, busway_dma(dma), size, kind, direction);
}

/* ---- the acts ---- */

static int unmaps_what_was_refused(struct scene *s)
{
	const int status = busway_map(s->lane, rig_phys(RIG_SIZE, 16), BUSWAY_TO_DEVICE, 0,
				      &s->mapping, NULL);

	assert_int_equal(status, -BUSWAY_ERANGE);
	return busway_unmap(&s->mapping);
}

static int unmaps_an_address_of_nothing(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return unmap_at(s, 0x1001, 0x100, BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE);
}

static int unmaps_twice(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	assert_int_equal(busway_unmap(&s->mapping), 0);
	return busway_unmap(&s->mapping);
}

static int frees_twice(struct scene *s)
{
	alloc(s);
	assert_int_equal(busway_coherent_free(&s->coherent), 0);
	return busway_coherent_free(&s->coherent);
}

static int unmaps_after_the_device_is_gone(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	assert_int_equal(busway_unmap(&s->mapping), 0);
	assert_int_equal(busway_dma_detach(s->device), 0);
	s->device = NULL;
	return busway_unmap(&s->mapping);
}

static int maps_with_a_live_record(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_map(s->lane, rig_phys(0x8000, 16), BUSWAY_TO_DEVICE, 0, &s->mapping, NULL);
}

static int unmaps_what_another_device_mapped(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_unmap_address(busway_dma_lane(s->other, 0), busway_dma(0x1000), 0x100,
				    BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE);
}

static int unmaps_through_another_lane(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_unmap_address(busway_dma_lane(s->device, 1), busway_dma(0x1000), 0x100,
				    BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE);
}

static int unmaps_another_size(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return unmap_at(s, 0x1000, 0x80, BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE);
}

static int frees_another_size(struct scene *s)
{
	alloc(s);
	return busway_coherent_free_address(s->lane, s->coherent.dma, 0x101, s->coherent.cpu);
}

static int unmaps_a_list_as_one(struct scene *s)
{
	map_list(s);
	return unmap_at(s, 0x1000, 0x200, BUSWAY_KIND_SINGLE, BUSWAY_TO_DEVICE);
}

static int frees_what_was_mapped(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_coherent_free_address(s->lane, busway_dma(0x1000), 0x100,
					    rig_cpu(&s->rig, RIG_BASE + 0x1000));
}

static int unmaps_coherent_memory(struct scene *s)
{
	alloc(s);
	return busway_unmap(&s->coherent.mapping_);
}

static int frees_by_another_pointer(struct scene *s)
{
	alloc(s);
	return busway_coherent_free_address(s->lane, s->coherent.dma, 0x100,
					    (char *)s->coherent.cpu + 1);
}

static int unmaps_another_count(struct scene *s)
{
	map_list(s);
	return busway_unmap_list_address(s->lane, busway_dma(0x1000), 1, BUSWAY_TO_DEVICE);
}

static int unmaps_another_direction(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return unmap_at(s, 0x1000, 0x100, BUSWAY_KIND_SINGLE, BUSWAY_FROM_DEVICE);
}

static int leaves_with_live_mappings(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	assert_int_equal(busway_dma_detach(s->device), -BUSWAY_EBUSY);
	assert_int_equal(s->rig.last.difference.mapped, 1);
	assert_ptr_equal(s->rig.last.mapping, &s->mapping);
	return -BUSWAY_EINVAL;
}

static int syncs_what_is_not_mapped(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	assert_int_equal(busway_unmap(&s->mapping), 0);
	return busway_sync_for_cpu(&s->mapping, 0, 1);
}

static int syncs_an_address_of_nothing(struct scene *s)
{
	return busway_sync_address(s->lane, busway_dma(0x1000), 1, BUSWAY_TO_DEVICE, true);
}

static int syncs_beyond_the_end(struct scene *s)
{
	map(s, BUSWAY_BIDIRECTIONAL);
	return busway_sync_for_device(&s->mapping, 0xff, 2);
}

static int syncs_beyond_the_end_by_address(struct scene *s)
{
	map(s, BUSWAY_BIDIRECTIONAL);
	return busway_sync_address(s->lane, busway_dma(0x10f0), 0x11, BUSWAY_BIDIRECTIONAL, true);
}

static int syncs_for_the_cpu_what_the_device_only_reads(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_sync_address(s->lane, busway_dma(0x1000), 1, BUSWAY_FROM_DEVICE, true);
}

static int syncs_for_the_device_what_it_only_writes(struct scene *s)
{
	map(s, BUSWAY_FROM_DEVICE);
	return busway_sync_address(s->lane, busway_dma(0x1000), 1, BUSWAY_TO_DEVICE, false);
}

static int syncs_in_another_direction(struct scene *s)
{
	map(s, BUSWAY_TO_DEVICE);
	return busway_sync_address(s->lane, busway_dma(0x1000), 1, BUSWAY_BIDIRECTIONAL, false);
}

static int narrows_the_mask_under_a_mapping(struct scene *s)
{
	struct busway_refusal why;

	assert_int_equal(busway_map(s->lane, rig_phys(0x90000, 0x100), BUSWAY_TO_DEVICE, 0,
				    &s->mapping, NULL),
			 0);
	assert_int_equal(busway_dma_set_mask(s->device, 19, NULL, &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_LIVE_MAPPING);
	assert_int_equal(why.asked.first, 0x90000);
	return -BUSWAY_EINVAL;
}

/* ---- each once ---- */

static void each_misuse_is_told_once_and_changes_nothing(void **state)
{
	static const struct {
		enum busway_misuse misuse;
		int (*act)(struct scene *s);
		unsigned linux_class; /* of kernel/dma/debug.c as the facts number them; 0: none */
	} cases[] = {
		{BUSWAY_MISUSE_UNMAP_REFUSED, unmaps_what_was_refused, 1},
		{BUSWAY_MISUSE_NOT_MAPPED, unmaps_an_address_of_nothing, 2},
		{BUSWAY_MISUSE_UNMAPPED_TWICE, unmaps_twice, 2},
		{BUSWAY_MISUSE_UNMAPPED_TWICE, frees_twice, 2},
		{BUSWAY_MISUSE_UNMAPPED_TWICE, unmaps_after_the_device_is_gone, 2},
		{BUSWAY_MISUSE_MAPPED_TWICE, maps_with_a_live_record, 0},
		{BUSWAY_MISUSE_WRONG_DEVICE, unmaps_what_another_device_mapped, 2},
		{BUSWAY_MISUSE_WRONG_LANE, unmaps_through_another_lane, 0},
		{BUSWAY_MISUSE_WRONG_SIZE, unmaps_another_size, 3},
		{BUSWAY_MISUSE_WRONG_SIZE, frees_another_size, 3},
		{BUSWAY_MISUSE_WRONG_KIND, unmaps_a_list_as_one, 4},
		{BUSWAY_MISUSE_WRONG_KIND, frees_what_was_mapped, 4},
		{BUSWAY_MISUSE_WRONG_KIND, unmaps_coherent_memory, 4},
		{BUSWAY_MISUSE_WRONG_POINTER, frees_by_another_pointer, 5},
		{BUSWAY_MISUSE_WRONG_COUNT, unmaps_another_count, 6},
		{BUSWAY_MISUSE_WRONG_DIRECTION, unmaps_another_direction, 7},
		{BUSWAY_MISUSE_LEAK, leaves_with_live_mappings, 9},
		{BUSWAY_MISUSE_SYNC_NOT_MAPPED, syncs_what_is_not_mapped, 14},
		{BUSWAY_MISUSE_SYNC_NOT_MAPPED, syncs_an_address_of_nothing, 14},
		{BUSWAY_MISUSE_SYNC_OUTSIDE, syncs_beyond_the_end, 15},
		{BUSWAY_MISUSE_SYNC_OUTSIDE, syncs_beyond_the_end_by_address, 15},
		{BUSWAY_MISUSE_WRONG_DIRECTION, syncs_in_another_direction, 16},
		{BUSWAY_MISUSE_SYNC_NOTHING, syncs_for_the_cpu_what_the_device_only_reads, 17},
		{BUSWAY_MISUSE_SYNC_NOTHING, syncs_for_the_device_what_it_only_writes, 18},
		{BUSWAY_MISUSE_MASK_LIVE, narrows_the_mask_under_a_mapping, 0},
	};
	static const struct busway_dma_options lanes = {.lanes = 2};
	bool seen[BUSWAY_MISUSE_COUNT] = {true};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct scene s = {0};
		bool was_mapped, had_memory;

		rig_draw(&s.rig);
		plan_device(&s.rig.plan, 1);
		rig_open(&s.rig);
		assert_int_equal(busway_dma_add_pool(s.rig.dma, rig_phys(0x40000, 0x10000),
						     BUSWAY_USE_BOTH, 1),
				 0);
		s.device = rig_attach(&s.rig, 0, &lanes);
		s.other = rig_attach(&s.rig, 1, NULL);
		s.lane = busway_dma_lane(s.device, 0);
		assert_int_equal(cases[i].act(&s), -BUSWAY_EINVAL);
		if (rig_misuse_count(&s.rig) != 1 || s.rig.misuses[cases[i].misuse] != 1)
			fail_msg("case %zu: %u reports, the last is %s", i,
				 rig_misuse_count(&s.rig),
				 busway_misuse_code(s.rig.last.misuse));
		seen[cases[i].misuse] = true;
		/* what was live still is, and can be given back */
		was_mapped = s.mapping.state_ && s.device &&
			     busway_dma_owner(s.device, s.mapping.dma) == &s.mapping;
		had_memory = s.coherent.size && s.device &&
			     busway_dma_owner(s.device, s.coherent.dma) == &s.coherent.mapping_;
		if (was_mapped)
			assert_int_equal(busway_unmap(&s.mapping), 0);
		if (had_memory)
			assert_int_equal(busway_coherent_free(&s.coherent), 0);
		if (s.device)
			assert_int_equal(busway_dma_detach(s.device), 0);
		assert_int_equal(busway_dma_detach(s.other), 0);
		rig_close(&s.rig);
	}
	for (int i = 0; i < BUSWAY_MISUSE_COUNT; i++)
		if (!seen[i])
			fail_msg("nobody commits %s", busway_misuse_code((enum busway_misuse)i));
}

static void right_use_of_addresses_is_no_misuse(void **state)
{
	struct scene s = {0};

	(void)state;
	rig_draw(&s.rig);
	rig_open(&s.rig);
	assert_int_equal(busway_dma_add_pool(s.rig.dma, rig_phys(0x40000, 0x10000), BUSWAY_USE_BOTH,
					     1),
			 0);
	s.device = rig_attach(&s.rig, 0, NULL);
	s.lane = busway_dma_lane(s.device, 0);
	map(&s, BUSWAY_BIDIRECTIONAL);
	assert_int_equal(busway_sync_address(s.lane, busway_dma(0x1010), 0x20, BUSWAY_FROM_DEVICE,
					     true),
			 0);
	assert_int_equal(unmap_at(&s, 0x1000, 0x100, BUSWAY_KIND_SINGLE, BUSWAY_BIDIRECTIONAL), 0);
	map_list(&s);
	assert_int_equal(busway_sync_address(s.lane, busway_dma(0x3010), 0x20, BUSWAY_TO_DEVICE,
					     false),
			 0);
	assert_int_equal(busway_unmap_list_address(s.lane, busway_dma(0x1000), 2, BUSWAY_TO_DEVICE),
			 0);
	alloc(&s);
	assert_int_equal(busway_coherent_free_address(s.lane, s.coherent.dma, 0x100,
						      s.coherent.cpu),
			 0);
	assert_int_equal(rig_misuse_count(&s.rig), 0);
	assert_int_equal(busway_dma_detach(s.device), 0);
	rig_close(&s.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_misuse_is_told_once_and_changes_nothing),
		cmocka_unit_test(right_use_of_addresses_is_no_misuse),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
