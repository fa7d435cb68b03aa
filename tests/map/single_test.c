/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single_test.c - map, sync and unmap one run of memory: busway_map().
 */
#include "rig.h"

#include <string.h>

enum { POOL_AT = 0x40000, POOL_SIZE = 0x10000 };

/* The common rig, a bounce pool, and the device attached under a mask. */
static struct busway_lane *open_with_pool(struct rig *rig, unsigned bits,
					  struct busway_dma_device **device,
					  const struct busway_dma_options *options)
{
	rig_open(rig);
	assert_int_equal(busway_dma_add_pool(rig->dma, rig_phys(POOL_AT, POOL_SIZE),
					     BUSWAY_USE_BOUNCE, 2),
			 0);
	*device = rig_attach(rig, 0, options);
	assert_int_equal(busway_dma_set_mask(*device, bits, NULL, NULL), 0);
	return busway_dma_lane(*device, 0);
}

static void close_all(struct rig *rig, struct busway_dma_device *device)
{
	struct busway_pool_census census;

	assert_int_equal(busway_dma_detach(device), 0);
	for (size_t i = 0; busway_dma_pool(rig->dma, i, &census); i++)
		assert_int_equal(census.used, 0);
	rig_close(rig);
}

static bool in_pool(uint64_t dma, uint64_t size)
{
	return dma >= POOL_AT && dma + size <= POOL_AT + POOL_SIZE;
}

static void memory_that_the_device_reaches_is_mapped_as_it_is(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	unsigned char seen[256];
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	lane = open_with_pool(&rig, 64, &device, NULL);
	assert_int_equal(busway_map(lane, rig_phys(0x1234, 256), BUSWAY_BIDIRECTIONAL, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_int_equal(mapping.dma.raw, 0x1234);
	assert_int_equal(mapping.size, 256);
	assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, 256));
	assert_memory_equal(seen, rig_cpu(&rig, RIG_BASE + 0x1234), 256);
	assert_ptr_equal(busway_dma_owner(device, busway_dma(0x1234)), &mapping);
	assert_ptr_equal(busway_dma_owner(device, busway_dma(0x1333)), &mapping);
	assert_null(busway_dma_owner(device, busway_dma(0x1334)));
	assert_null(busway_dma_owner(device, busway_dma(0x1233)));
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_null(busway_dma_owner(device, busway_dma(0x1234)));
	assert_int_equal(rig.events[BUSWAY_EVENT_MAPPED], 1);
	assert_int_equal(rig.events[BUSWAY_EVENT_UNMAPPED], 1);
	close_all(&rig, device);
}

/* What a device wrote or left alone, for each direction and attribute, of a bounced buffer. */
static void bounced_bytes_arrive_where_the_driver_expects_them(void **state)
{
	static const struct {
		const char *because;
		enum busway_direction direction;
		unsigned attributes;
		bool device_sees, cpu_sees;
		bool rest_is_kept; /* what the device did not write has its old bytes */
	} cases[] = {
		{"to the device: copied in, not out", BUSWAY_TO_DEVICE, 0, true, false, true},
		{"from the device: copied out, and what it left alone is as it was",
		 BUSWAY_FROM_DEVICE, 0, true, true, true},
		{"the caller promised that all is written: nothing is copied in",
		 BUSWAY_FROM_DEVICE, BUSWAY_MAP_OVERWRITES, false, true, false},
		{"both ways", BUSWAY_BIDIRECTIONAL, 0, true, true, true},
		{"the caller syncs: nothing is copied", BUSWAY_BIDIRECTIONAL, BUSWAY_MAP_SKIP_SYNC,
		 false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint64_t at = 0x90123, size = 0x1801;
		unsigned char before[0x1801], seen[0x1801];
		struct busway_mapping mapping = {0};
		struct busway_dma_device *device;
		struct busway_lane *lane;
		unsigned char *own;
		struct rig rig;

		rig_draw(&rig);
		lane = open_with_pool(&rig, 19, &device, NULL);
		own = rig_cpu(&rig, RIG_BASE + at);
		memcpy(before, own, size);
		memset(rig.cached + POOL_AT, 0xee, POOL_SIZE);
		memset(rig.memory + POOL_AT, 0xee, POOL_SIZE);
		assert_int_equal(busway_map(lane, rig_phys(at, size), cases[i].direction,
					    cases[i].attributes, &mapping, NULL),
				 0);
		assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
		assert_true(in_pool(mapping.dma.raw, size));
		assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, size));
		if ((memcmp(seen, before, size) == 0) != cases[i].device_sees)
			fail_msg("%s: what the device sees", cases[i].because);
		assert_true(rig_write(&rig, 0, mapping.dma.raw + 5, "written", 7));
		assert_memory_equal(own, before, size);
		assert_int_equal(busway_unmap(&mapping), 0);
		if ((memcmp(own + 5, "written", 7) == 0) != cases[i].cpu_sees)
			fail_msg("%s: what the CPU sees", cases[i].because);
		if ((memcmp(own, before, 5) == 0 && memcmp(own + 12, before + 12, size - 12) == 0) !=
		    cases[i].rest_is_kept)
			fail_msg("%s: what the device left alone", cases[i].because);
		close_all(&rig, device);
	}
}

static void a_part_is_synced_and_the_rest_left_alone(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	unsigned char seen[4];
	struct busway_lane *lane;
	unsigned char *own;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	lane = open_with_pool(&rig, 19, &device, NULL);
	own = rig_cpu(&rig, RIG_BASE + 0x90000);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x3000), BUSWAY_BIDIRECTIONAL, 0,
				    &mapping, NULL),
			 0);
	assert_true(rig_write(&rig, 0, mapping.dma.raw + 0xfff, "abcd", 4));
	assert_int_equal(busway_sync_for_cpu(&mapping, 0x1000, 2), 0);
	assert_memory_equal(own + 0x1000, "bc", 2);
	assert_memory_not_equal(own + 0xfff, "abcd", 4);
	memcpy(own + 0x2000, "wxyz", 4);
	assert_int_equal(busway_sync_for_device(&mapping, 0x2001, 2), 0);
	assert_true(rig_read(&rig, 0, mapping.dma.raw + 0x2000, seen, 4));
	assert_memory_equal(seen + 1, "xy", 2);
	assert_memory_not_equal(seen, "wxyz", 4);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(rig_misuse_count(&rig), 0);
	close_all(&rig, device);
}

static void a_sync_copies_only_in_the_mappings_direction(void **state)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE};

	(void)state;
	for (size_t i = 0; i < COUNT(directions); i++) {
		struct busway_mapping mapping = {0};
		struct busway_dma_device *device;
		unsigned char seen[4];
		struct busway_lane *lane;
		unsigned char *own;
		struct rig rig;

		rig_draw(&rig);
		lane = open_with_pool(&rig, 19, &device, NULL);
		own = rig_cpu(&rig, RIG_BASE + 0x90000);
		assert_int_equal(
			busway_map(lane, rig_phys(0x90000, 64), directions[i], 0, &mapping, NULL),
			0);
		assert_true(rig_write(&rig, 0, mapping.dma.raw, "DDDD", 4));
		memcpy(own, "CCCC", 4);
		if (directions[i] == BUSWAY_TO_DEVICE)
			assert_int_equal(busway_sync_for_cpu(&mapping, 0, 64), 0);
		else
			assert_int_equal(busway_sync_for_device(&mapping, 0, 64), 0);
		assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, 4));
		assert_memory_equal(seen, "DDDD", 4);
		assert_memory_equal(own, "CCCC", 4);
		assert_int_equal(busway_unmap(&mapping), 0);
		close_all(&rig, device);
	}
}

static void low_address_bits_are_kept_as_the_device_asks(void **state)
{
	static const uint64_t masks[] = {0, 0x3f, 0x1ff, 0x7ff, 0xfff, 0x3fff};

	(void)state;
	for (size_t i = 0; i < COUNT(masks); i++)
		for (uint64_t at = 0x90000; at < 0x98000; at += 0x6a7) {
			const struct busway_dma_options options = {.min_align_mask = masks[i]};
			struct busway_mapping mapping = {0};
			struct busway_dma_device *device;
			struct busway_lane *lane;
			struct rig rig;

			rig_draw(&rig);
			lane = open_with_pool(&rig, 19, &device, &options);
			assert_int_equal(busway_map(lane, rig_phys(at, 0x1234), BUSWAY_TO_DEVICE, 0,
						    &mapping, NULL),
					 0);
			assert_int_equal(mapping.dma.raw & masks[i], at & masks[i]);
			assert_true(in_pool(mapping.dma.raw, 0x1234));
			assert_int_equal(busway_unmap(&mapping), 0);
			close_all(&rig, device);
		}
}

/* A window whose offset has low bits: the device's addresses count, not the CPU's. */
static void low_bits_are_those_of_the_devices_address(void **state)
{
	const struct busway_dma_options options = {.min_align_mask = 0xfff};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.windows[0].in = (struct busway_range){0x100, RIG_SIZE + 0xff};
	lane = open_with_pool(&rig, 64, &device, &options);
	assert_int_equal(busway_map(lane, rig_phys(0x5678, 0x100), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(mapping.dma.raw & 0xfff, 0x678);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

static void limits_on_segments_hold_for_bounced_ones_too(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].segments =
		(struct busway_segment_limits){.max_size = 0x3000, .boundary = 0x4000};
	lane = open_with_pool(&rig, 64, &device, NULL);
	assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x3000), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x3000, 0x3000), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(mapping.dma.raw / 0x4000, (mapping.dma.raw + 0x2fff) / 0x4000);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(0, 0x3001), BUSWAY_TO_DEVICE, 0, &mapping, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_SEGMENT_LIMITS);
	close_all(&rig, device);
}

static void a_buffer_that_straddles_windows_bounces(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.windows[0].in = (struct busway_range){0, 0x7ffff};
	plan_window(&rig.plan, 1, 0, (struct busway_range){0x100000, 0x17ffff},
		    RIG_BASE + 0x80000);
	lane = open_with_pool(&rig, 64, &device, NULL);
	assert_int_equal(busway_map(lane, rig_phys(0x7f000, 0x2000), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x7f000, 0x2000), BUSWAY_TO_DEVICE,
				    BUSWAY_MAP_NO_BOUNCE, &mapping, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_STRADDLES);
	assert_int_equal(why.limit.last, RIG_BASE + 0x7ffff);
	close_all(&rig, device);
}

static void pools_refuse_with_three_reasons(void **state)
{
	struct busway_mapping mapping[33] = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	lane = open_with_pool(&rig, 19, &device, NULL);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, POOL_SIZE + 1), BUSWAY_TO_DEVICE, 0,
				    &mapping[0], &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_TOO_SMALL);
	assert_int_equal(why.advice[0].size, POOL_SIZE);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(busway_map(lane, rig_phys(0x90000, 2048), BUSWAY_TO_DEVICE, 0,
					    &mapping[i], &why),
				 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 1), BUSWAY_TO_DEVICE, 0, &mapping[32],
				    &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_FULL);
	assert_int_equal(why.pool.used, POOL_SIZE);
	for (size_t i = 0; i < 32; i += 2)
		assert_int_equal(busway_unmap(&mapping[i]), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 2049), BUSWAY_TO_DEVICE, 0,
				    &mapping[32], &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_FRAGMENTED);
	assert_int_equal(why.pool.longest, 2048);
	assert_int_equal(why.pool.high_water, POOL_SIZE);
	for (size_t i = 1; i < 32; i += 2)
		assert_int_equal(busway_unmap(&mapping[i]), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x80000, POOL_SIZE), BUSWAY_TO_DEVICE, 0,
				    &mapping[0], &why),
			 0);
	assert_int_equal(busway_unmap(&mapping[0]), 0);
	close_all(&rig, device);
}

static void a_pool_of_which_the_mask_covers_a_part_serves_with_that_part(void **state)
{
	struct busway_mapping mapping[17] = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	/* the mask ends in the middle of the pool */
	rig.plan.windows[0].in = (struct busway_range){0x38000, 0x38000 + RIG_SIZE - 1};
	lane = open_with_pool(&rig, 19, &device, NULL);
	for (size_t i = 0; i < 16; i++) {
		assert_int_equal(busway_map(lane, rig_phys(0x90000, 2048), BUSWAY_TO_DEVICE, 0,
					    &mapping[i], &why),
				 0);
		assert_true(mapping[i].dma.raw + 2047 < 0x80000);
	}
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 2048), BUSWAY_TO_DEVICE, 0,
				    &mapping[16], &why),
			 -BUSWAY_ERANGE);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(busway_unmap(&mapping[i]), 0);
	close_all(&rig, device);
}

static void a_restricted_device_gets_its_pool_and_nothing_else(void **state)
{
	struct busway_coherent coherent = {0};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].restricted_pool =
		plan_pool(&rig.plan, (struct busway_range){RIG_BASE + POOL_AT,
							   RIG_BASE + POOL_AT + POOL_SIZE - 1});
	rig_open(&rig);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x10000, 0x10000), BUSWAY_USE_BOTH,
					     1),
			 0);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(POOL_AT, 0x1000), BUSWAY_USE_BOTH, 1),
			 -BUSWAY_EINVAL);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x100), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_true(in_pool(mapping.dma.raw, 0x100));
	assert_int_equal(busway_coherent_alloc(lane, 0x2000, 0x1000, BUSWAY_COHERENT_ATOMIC,
					       &coherent, NULL),
			 0);
	assert_true(in_pool(coherent.dma.raw, 0x2000));
	assert_int_equal(busway_coherent_free(&coherent), 0);
	assert_int_equal(busway_coherent_alloc(lane, POOL_SIZE, 1, 0, &coherent, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_FULL);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x100), BUSWAY_TO_DEVICE,
				    BUSWAY_MAP_NO_BOUNCE, &mapping, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_RESTRICTED);
	close_all(&rig, device);
}

static void an_untrusted_device_sees_no_byte_of_others(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	unsigned char seen[4096];
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	for (int confined = 0; confined < 2; confined++) {
		rig_draw(&rig);
		rig.plan.devices[0].untrusted = true;
		if (confined)
			rig.plan.devices[0].restricted_pool = plan_pool(
				&rig.plan,
				(struct busway_range){RIG_BASE + POOL_AT,
						      RIG_BASE + POOL_AT + POOL_SIZE - 1});
		rig_open(&rig);
		device = rig_attach(&rig, 0, NULL);
		lane = busway_dma_lane(device, 0);
		if (!confined) {
			assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x100),
						    BUSWAY_TO_DEVICE, 0, &mapping, &why),
					 -BUSWAY_ERANGE);
			assert_int_equal(why.reason, BUSWAY_UNCONFINED);
			close_all(&rig, device);
			continue;
		}
		memset(rig.cached + POOL_AT, 0xee, POOL_SIZE);
		assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x901), BUSWAY_FROM_DEVICE,
					    BUSWAY_MAP_OVERWRITES | BUSWAY_MAP_SKIP_SYNC, &mapping,
					    NULL),
				 0);
		assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, 4096));
		for (size_t i = 0; i < 4096; i++)
			assert_int_equal(seen[i], 0);
		assert_int_equal(busway_unmap(&mapping), 0);
		assert_int_equal(busway_map(lane, rig_phys(0x1000, 0x901), BUSWAY_TO_DEVICE, 0,
					    &mapping, NULL),
				 0);
		assert_int_equal(busway_unmap(&mapping), 0);
		assert_true(rig_read(&rig, 0, mapping.one_.dma.first.raw, seen, 4096));
		for (size_t i = 0; i < 4096; i++)
			assert_int_equal(seen[i], 0);
		close_all(&rig, device);
	}
}

static void a_device_that_sees_no_caches_sees_what_was_mapped(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	unsigned char seen[256];
	struct busway_refusal why;
	struct busway_lane *lane;
	unsigned char *own;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	lane = open_with_pool(&rig, 64, &device, NULL);
	own = rig_cpu(&rig, RIG_BASE + 0x1000);
	memset(own, 0x11, 256);
	assert_int_equal(busway_map(lane, rig_phys(0x1000, 256), BUSWAY_BIDIRECTIONAL, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_true(rig_read(&rig, 0, mapping.dma.raw, seen, 256));
	assert_memory_equal(seen, own, 256);
	memset(seen, 0x22, 256);
	assert_true(rig_write(&rig, 0, mapping.dma.raw, seen, 256));
	assert_int_equal(own[0], 0x11);
	assert_int_equal(busway_sync_for_cpu(&mapping, 64, 64), 0);
	assert_int_equal(own[63], 0x11);
	assert_int_equal(own[64], 0x22);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_memory_equal(own, seen, 256);
	/* lines that others may write to, meanwhile: through the pool, or by a promise */
	assert_int_equal(busway_map(lane, rig_phys(0x1010, 16), BUSWAY_FROM_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	own[0x30] = 0x33;
	assert_true(rig_write(&rig, 0, mapping.dma.raw, "0123456789abcdef", 16));
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(own[0x30], 0x33);
	assert_memory_equal(own + 0x10, "0123456789abcdef", 16);
	assert_int_equal(busway_map(lane, rig_phys(0x1010, 16), BUSWAY_FROM_DEVICE,
				    BUSWAY_MAP_OWNS_LINES, &mapping, NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x1010, 16), BUSWAY_FROM_DEVICE,
				    BUSWAY_MAP_NO_BOUNCE, &mapping, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_CACHE_LINE);
	close_all(&rig, device);
}

static void what_the_cpu_cannot_touch_does_not_bounce(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	lane = open_with_pool(&rig, 19, &device, NULL);
	rig.blind[0x90] = rig.blind[1] = true;
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 16), BUSWAY_TO_DEVICE, 0, &mapping,
				    &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POINTER);
	/* directly it needs no pointer */
	assert_int_equal(busway_map(lane, rig_phys(0x1000, 16), BUSWAY_TO_DEVICE, 0, &mapping,
				    &why),
			 0);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_all(&rig, device);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_that_the_device_reaches_is_mapped_as_it_is),
		cmocka_unit_test(bounced_bytes_arrive_where_the_driver_expects_them),
		cmocka_unit_test(a_part_is_synced_and_the_rest_left_alone),
		cmocka_unit_test(a_sync_copies_only_in_the_mappings_direction),
		cmocka_unit_test(low_address_bits_are_kept_as_the_device_asks),
		cmocka_unit_test(low_bits_are_those_of_the_devices_address),
		cmocka_unit_test(limits_on_segments_hold_for_bounced_ones_too),
		cmocka_unit_test(a_buffer_that_straddles_windows_bounces),
		cmocka_unit_test(pools_refuse_with_three_reasons),
		cmocka_unit_test(a_pool_of_which_the_mask_covers_a_part_serves_with_that_part),
		cmocka_unit_test(a_restricted_device_gets_its_pool_and_nothing_else),
		cmocka_unit_test(an_untrusted_device_sees_no_byte_of_others),
		cmocka_unit_test(a_device_that_sees_no_caches_sees_what_was_mapped),
		cmocka_unit_test(what_the_cpu_cannot_touch_does_not_bounce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
