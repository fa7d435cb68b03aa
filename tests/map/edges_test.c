/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edges_test.c - where wrong answers were found: ranges that change their way in the middle, pools
 * on top of each other, records used for another thing than they wait for, alignments beyond all
 * sizes.
 */
#include "rig.h"

#include <string.h>

static struct busway_dma_device *open(struct rig *rig, uint64_t pool_size, unsigned use)
{
	rig_open(rig);
	if (pool_size)
		assert_int_equal(busway_dma_add_pool(rig->dma, rig_phys(0x40000, pool_size), use, 1),
				 0);
	return rig_attach(rig, 0, NULL);
}

static void close_all(struct rig *rig, struct busway_dma_device *device)
{
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(rig);
}

static void all_of_a_peers_registers_must_be_reached(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].segments.max_size = 0x2000;
	plan_window(&rig.plan, 1, 0, (struct busway_range){0x200000, 0x2fffff}, 0x90000000);
	plan_region(&rig.plan, 1, BUSWAY_REGION_APERTURE,
		    (struct busway_range){0x202000, 0x202fff});
	device = open(&rig, 0, 0);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_map_peer(lane, (struct busway_phys_range){{0x90001000}, {0x90001fff}},
					 BUSWAY_TO_DEVICE, &mapping, &why),
			 0);
	assert_int_equal(mapping.dma.raw, 0x201000);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map_peer(lane, (struct busway_phys_range){{0x90001000}, {0x90002fff}},
					 BUSWAY_TO_DEVICE, &mapping, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(busway_map_peer(lane, (struct busway_phys_range){{0x90003000}, {0x90006fff}},
					 BUSWAY_TO_DEVICE, &mapping, &why),
			 -BUSWAY_ERANGE);
	close_all(&rig, device);
}

static void no_two_pools_lie_on_the_same_memory(void **state)
{
	struct busway_dma_device *device;
	uint32_t first, second;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	first = plan_pool(&rig.plan, (struct busway_range){0, 0});
	second = plan_pool(&rig.plan, (struct busway_range){0, 0});
	rig.plan.pools[first].empty = rig.plan.pools[second].empty = true;
	plan_region(&rig.plan, 0, BUSWAY_REGION_CARVEOUT,
		    busway_phys_raw(rig_phys(0x80000, 0x10000)));
	device = open(&rig, 0x8000, BUSWAY_USE_BOTH);
	assert_int_equal(busway_dma_place_pool(rig.dma, first, rig_phys(0x44000, 0x10000)),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_place_pool(rig.dma, first, rig_phys(0x60001, 0x800)),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_place_pool(rig.dma, first, rig_phys(0x60000, 0x8000)), 0);
	assert_int_equal(busway_dma_place_pool(rig.dma, second, rig_phys(0x67000, 0x8000)),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x67000, 0x8000), BUSWAY_USE_BOTH, 1),
			 -BUSWAY_EINVAL);
	/* no-map memory is nobody's, unless a pool of the platform says so */
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x88000, 0x1000), BUSWAY_USE_BOTH, 1),
			 -BUSWAY_EINVAL);
	close_all(&rig, device);
}

static void turn(struct busway_mapping *mapping, void *ctx)
{
	(void)mapping;
	*(bool *)ctx = true;
}

static void a_turn_is_for_what_was_waited_for(void **state)
{
	struct busway_mapping big = {0}, waiter = {0};
	struct busway_dma_device *device, *other;
	struct busway_lane *lane, *others;
	bool told = false;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	plan_device(&rig.plan, 1);
	device = open(&rig, 0x4000, BUSWAY_USE_BOUNCE);
	other = rig_attach(&rig, 1, NULL);
	lane = busway_dma_lane(device, 0);
	others = busway_dma_lane(other, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x4000), BUSWAY_TO_DEVICE, 0, &big, NULL),
			 0);
	assert_int_equal(busway_map_or_wait(lane, rig_phys(0xa0000, 64), BUSWAY_TO_DEVICE, 0, &waiter,
					    turn, &told, NULL),
			 -BUSWAY_EAGAIN);
	assert_int_equal(busway_unmap(&big), 0);
	assert_true(told);
	assert_int_equal(busway_map_or_wait(others, rig_phys(0xa0000, 64), BUSWAY_TO_DEVICE, 0,
					    &waiter, turn, &told, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map_or_wait(lane, rig_phys(0xa0000, 64), BUSWAY_FROM_DEVICE, 0,
					    &waiter, turn, &told, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map_or_wait(lane, rig_phys(0xa0000, 64), BUSWAY_TO_DEVICE, 0, &waiter,
					    turn, &told, NULL),
			 0);
	assert_int_equal(busway_unmap(&waiter), 0);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_MAPPED_TWICE], 2);
	assert_int_equal(busway_dma_detach(other), 0);
	close_all(&rig, device);
}

static void a_list_needs_pointers_where_caches_need_care(void **state)
{
	const struct busway_phys_range entry = rig_phys(0x1000, 64);
	struct busway_mapped segments[4];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	device = open(&rig, 0x4000, BUSWAY_USE_BOUNCE);
	rig.blind[1] = true;
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), &entry, 1, BUSWAY_TO_DEVICE, 0,
					 segments, 4, &mapping, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POINTER);
	close_all(&rig, device);
}

static void how_many_segments_are_needed_is_true(void **state)
{
	const struct busway_phys_range entries[] = {rig_phys(0x90000, 64), rig_phys(0x1000, 64),
						    rig_phys(0x1040, 64)};
	struct busway_mapped segments[4];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, 0x4000, BUSWAY_USE_BOUNCE);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	for (size_t capacity = 0; capacity < 2; capacity++) {
		size_t needed = 0;

		assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 3,
						 BUSWAY_TO_DEVICE, 0, segments, capacity, &mapping,
						 &needed, &why),
				 -BUSWAY_ENOSPC);
		assert_int_equal(needed, 2);
	}
	assert_int_equal(busway_map_list(busway_dma_lane(device, 0), entries, 3, BUSWAY_TO_DEVICE, 0,
					 segments, 2, &mapping, NULL, &why),
			 0);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

/* Both sides use one cache line, each a half of it. */
static void what_the_device_wrote_beside_a_part_is_not_undone(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	unsigned char *own;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	device = open(&rig, 0x4000, BUSWAY_USE_BOUNCE);
	lane = busway_dma_lane(device, 0);
	own = rig_cpu(&rig, RIG_BASE + 0x90000);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 256), BUSWAY_BIDIRECTIONAL, 0, &mapping,
				    NULL),
			 0);
	assert_true(rig_write(&rig, 0, mapping.dma.raw + 32, "answer", 6));
	memcpy(own, "question", 8);
	assert_int_equal(busway_sync_for_device(&mapping, 0, 8), 0);
	assert_int_equal(busway_sync_for_cpu(&mapping, 32, 6), 0);
	assert_memory_equal(own + 32, "answer", 6);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

static void grown_pools_serve_what_they_grew_for(void **state)
{
	static const struct {
		const char *because;
		uint64_t offset, boundary, align;
	} cases[] = {
		{"the device counts from another place", 0x800, 0, 0x1000},
		{"a boundary as large as what is wanted", 0, 0x10000, 1},
		{"both", 0x800, 0x10000, 0x1000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_coherent coherent[3] = {0};
		struct busway_dma_device *device;
		struct busway_refusal why;
		struct rig rig;

		rig_draw(&rig);
		rig.plan.windows[0].in = (struct busway_range){
			cases[i].offset, cases[i].offset + RIG_SIZE - 1};
		rig.plan.devices[0].segments.boundary = cases[i].boundary;
		device = open(&rig, 0, 0);
		rig.more_left = 0x80000;
		for (size_t k = 0; k < 3; k++)
			if (busway_coherent_alloc(busway_dma_lane(device, 0), 0x10000,
						  cases[i].align, 0, &coherent[k], &why))
				fail_msg("%s: %zu", cases[i].because, k);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(busway_coherent_free(&coherent[k]), 0);
		close_all(&rig, device);
	}
}

/* No more memory is taken than a device comes to see, and what it sees is enough. */
static void growing_again_and_again_loses_nothing(void **state)
{
	static struct busway_coherent coherent[100];
	struct busway_dma_device *device;
	struct busway_refusal why;
	size_t count = 0;
	struct rig rig;

	(void)state;
	memset(coherent, 0, sizeof(coherent));
	rig_draw(&rig);
	device = open(&rig, 0, 0);
	rig.more_left = 0x70000;
	while (count < COUNT(coherent) &&
	       busway_coherent_alloc(busway_dma_lane(device, 0), 0x1000, 1, 0, &coherent[count],
				     &why) == 0)
		count++;
	/* 32 parts of one page each, where growing geometrically is not to be had */
	assert_int_equal(count, 32);
	assert_int_equal(rig.more_left, 0x70000 - 32 * 0x1000);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(busway_coherent_free(&coherent[i]), 0);
	close_all(&rig, device);
}

static void untrusted_devices_get_no_bytes_of_others_with_coherent_memory(void **state)
{
	struct busway_coherent coherent = {0};
	struct busway_dma_device *device;
	unsigned char seen[2048], zeroes[2048] = {0};
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].untrusted = true;
	device = open(&rig, 0x4000, BUSWAY_USE_BOTH);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 100, 1, 0, &coherent, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_UNCONFINED);
	close_all(&rig, device);

	rig_draw(&rig);
	rig.plan.devices[0].untrusted = true;
	rig.plan.devices[0].restricted_pool =
		plan_pool(&rig.plan, busway_phys_raw(rig_phys(0x40000, 0x4000)));
	device = open(&rig, 0, 0);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 100, 1, 0, &coherent, &why),
			 0);
	assert_true(rig_read(&rig, 0, coherent.dma.raw, seen, sizeof(seen)));
	assert_memory_equal(seen, zeroes, sizeof(seen));
	memset(coherent.cpu, 0x55, 100);
	assert_int_equal(busway_coherent_free(&coherent), 0);
	assert_true(rig_read(&rig, 0, 0x40000, seen, sizeof(seen)));
	assert_memory_equal(seen, zeroes, sizeof(seen));
	close_all(&rig, device);
}

static void what_makes_no_sense_is_refused(void **state)
{
	const struct busway_phys_range all = {{0}, {UINT64_MAX}};
	const struct busway_dma_options too_aligned = {.min_align_mask = UINT64_MAX};
	struct busway_coherent coherent = {0};
	struct busway_mapping mapping = {0};
	struct busway_mapped segments[2];
	struct busway_dma_device *device, *none;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, 0, 0);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_map(lane, all, BUSWAY_TO_DEVICE, 0, &mapping, NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_map_list(lane, &all, 1, BUSWAY_TO_DEVICE, 0, segments, 2, &mapping,
					 NULL, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_map(lane, rig_phys(0, 1), (enum busway_direction)5, 0, &mapping, NULL),
			 -BUSWAY_EINVAL);
	/* freeing what was refused is told */
	assert_int_equal(busway_coherent_alloc(lane, 64, 1, BUSWAY_COHERENT_ATOMIC, &coherent, NULL),
			 -BUSWAY_ERANGE);
	assert_int_equal(busway_coherent_free(&coherent), -BUSWAY_EINVAL);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_UNMAP_REFUSED], 1);
	assert_int_equal(busway_dma_detach(device), 0);
	assert_int_equal(busway_dma_attach(rig.dma, (busway_device_id){0}, &too_aligned, &none, NULL),
			 -BUSWAY_EINVAL);
	rig_close(&rig);
}

static void blocks_of_an_abandoned_device_give_nothing_more(void **state)
{
	struct busway_dma_device *device;
	struct busway_blocks *blocks;
	struct busway_block block;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, 0x4000, BUSWAY_USE_BOTH);
	assert_int_equal(busway_blocks_create(busway_dma_lane(device, 0), 64, 64, 0,
					      &rig.plan.memory.allocator, &blocks),
			 0);
	assert_int_equal(busway_blocks_take(blocks, 0, &block, NULL), 0);
	assert_int_equal(busway_dma_abandon(device), 1);
	assert_int_equal(busway_blocks_give(blocks, block.dma), -BUSWAY_EINVAL);
	assert_int_equal(busway_blocks_take(blocks, 0, &block, NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_blocks_destroy(blocks), 0);
	rig_close(&rig);
}

/* It may still do what it was told until it is quiet; then nobody finds what is left of it. */
static void what_an_abandoned_device_left_is_gone_once_it_is_quiet(void **state)
{
	static const enum busway_coherence sees[] = {BUSWAY_COHERENT, BUSWAY_NONCOHERENT};

	(void)state;
	for (size_t i = 0; i < COUNT(sees); i++) {
		unsigned char seen[2048], zeroes[2048] = {0};
		struct busway_mapping mapping = {0};
		struct busway_dma_device *device;
		struct rig rig;

		rig_draw(&rig);
		rig.plan.devices[0].untrusted = true;
		rig.plan.devices[0].coherence = sees[i];
		rig.plan.devices[0].restricted_pool =
			plan_pool(&rig.plan, busway_phys_raw(rig_phys(0x40000, 0x4000)));
		device = open(&rig, 0, 0);
		memset(rig_cpu(&rig, RIG_BASE + 0x1000), 0x55, 2048);
		assert_int_equal(busway_map(busway_dma_lane(device, 0), rig_phys(0x1000, 2048),
					    BUSWAY_BIDIRECTIONAL, 0, &mapping, NULL),
				 0);
		assert_int_equal(busway_dma_abandon(device), 1);
		assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, sizeof(seen)));
		assert_int_equal(seen[0], 0x55);
		assert_int_equal(seen[2047], 0x55);
		memset(seen, 0x66, sizeof(seen));
		assert_true(rig_write(&rig, 0, mapping.dma.raw, seen, sizeof(seen)));
		busway_dma_quiet(rig.dma, (busway_device_id){0});
		assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, sizeof(seen)));
		assert_memory_equal(seen, zeroes, sizeof(seen));
		rig_close(&rig);
	}
}

static void quiet_leaves_alone_what_another_device_left(void **state)
{
	struct busway_mapping mappings[2];
	unsigned char seen;
	struct rig rig;

	(void)state;
	memset(mappings, 0, sizeof(mappings));
	rig_draw(&rig);
	plan_device(&rig.plan, 1);
	rig_open(&rig);
	assert_int_equal(
		busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x4000), BUSWAY_USE_BOUNCE, 1), 0);
	for (uint32_t i = 0; i < 2; i++) {
		struct busway_dma_device *device = rig_attach(&rig, i, NULL);

		assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
		*rig_cpu(&rig, RIG_BASE + 0x90000 + i) = 0x77;
		assert_int_equal(busway_map(busway_dma_lane(device, 0), rig_phys(0x90000 + i, 1),
					    BUSWAY_TO_DEVICE, 0, &mappings[i], NULL),
				 0);
		assert_int_equal(busway_dma_abandon(device), 1);
	}
	busway_dma_quiet(rig.dma, (busway_device_id){0});
	assert_true(rig_read(&rig, 1, mappings[1].dma.raw, &seen, 1));
	assert_int_equal(seen, 0x77);
	assert_true(rig_read(&rig, 0, mappings[0].dma.raw, &seen, 1));
	assert_int_equal(seen, 0);
	rig_close(&rig);
}

static void who_waits_leaves_nothing_behind_when_abandoned(void **state)
{
	struct busway_mapping big = {0}, waiter = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	bool told = false;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	device = open(&rig, 0x4000, BUSWAY_USE_BOUNCE);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(
		busway_map(lane, rig_phys(0x90000, 0x4000), BUSWAY_TO_DEVICE, 0, &big, NULL), 0);
	assert_int_equal(busway_map_or_wait(lane, rig_phys(0xa0000, 64), BUSWAY_TO_DEVICE, 0,
					    &waiter, turn, &told, NULL),
			 -BUSWAY_EAGAIN);
	assert_int_equal(busway_dma_abandon(device), 1);
	assert_false(busway_map_cancel(&waiter));
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_a_peers_registers_must_be_reached),
		cmocka_unit_test(no_two_pools_lie_on_the_same_memory),
		cmocka_unit_test(a_turn_is_for_what_was_waited_for),
		cmocka_unit_test(a_list_needs_pointers_where_caches_need_care),
		cmocka_unit_test(how_many_segments_are_needed_is_true),
		cmocka_unit_test(what_the_device_wrote_beside_a_part_is_not_undone),
		cmocka_unit_test(grown_pools_serve_what_they_grew_for),
		cmocka_unit_test(growing_again_and_again_loses_nothing),
		cmocka_unit_test(untrusted_devices_get_no_bytes_of_others_with_coherent_memory),
		cmocka_unit_test(what_makes_no_sense_is_refused),
		cmocka_unit_test(blocks_of_an_abandoned_device_give_nothing_more),
		cmocka_unit_test(what_an_abandoned_device_left_is_gone_once_it_is_quiet),
		cmocka_unit_test(quiet_leaves_alone_what_another_device_left),
		cmocka_unit_test(who_waits_leaves_nothing_behind_when_abandoned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
