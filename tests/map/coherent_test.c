/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent_test.c - memory that CPU and device share, and small blocks of it: coherent.h.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

static struct busway_dma_device *open(struct rig *rig, enum busway_coherence coherence,
				      uint64_t pool_size)
{
	rig_draw(rig);
	rig->plan.devices[0].coherence = coherence;
	rig_open(rig);
	if (pool_size)
		assert_int_equal(busway_dma_add_pool(rig->dma, rig_phys(0x40000, pool_size),
						     BUSWAY_USE_COHERENT, 1),
				 0);
	return rig_attach(rig, 0, NULL);
}

static void close_all(struct rig *rig, struct busway_dma_device *device)
{
	struct busway_pool_census census;

	assert_int_equal(busway_dma_detach(device), 0);
	for (size_t i = 0; busway_dma_pool(rig->dma, i, &census); i++)
		assert_int_equal(census.used, 0);
	rig_close(rig);
}

static void both_sides_see_the_same_at_any_time(void **state)
{
	static const enum busway_coherence kinds[] = {BUSWAY_COHERENT, BUSWAY_NONCOHERENT};
	unsigned char seen[4], dirty[RIG_LINE];

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct busway_coherent c = {0};
		struct busway_dma_device *device;
		struct rig rig;

		device = open(&rig, kinds[i], 0x4000);
		/* dirty lines of an earlier use must not come back */
		memset(rig.cached + 0x40000, 0x77, 0x4000);
		assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 0x1000, 0x1000,
						       0, &c, NULL),
				 0);
		assert_true(rig_read(&rig, 0, c.dma.raw + 0xffc, seen, 4));
		assert_memory_equal(seen, "\0\0\0\0", 4);
		for (size_t line = 0; line < 0x1000; line += RIG_LINE) {
			memset(dirty, 0x77, RIG_LINE);
			assert_memory_not_equal(rig.cached + (c.phys.raw - RIG_BASE) + line, dirty,
						RIG_LINE);
		}
		memcpy(c.cpu, "abcd", 4);
		assert_true(rig_read(&rig, 0, c.dma.raw, seen, 4));
		assert_memory_equal(seen, "abcd", 4);
		assert_true(rig_write(&rig, 0, c.dma.raw + 1, "xy", 2));
		assert_memory_equal(c.cpu, "axyd", 4);
		assert_int_equal(busway_coherent_free(&c), 0);
		close_all(&rig, device);
	}
}

static void a_device_without_caches_needs_memory_past_them(void **state)
{
	struct busway_coherent c = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	rig.environment.uncached = NULL;
	rig_open(&rig);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x4000),
					     BUSWAY_USE_COHERENT, 1),
			 0);
	device = rig_attach(&rig, 0, NULL);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 64, 1, 0, &c, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POINTER);
	close_all(&rig, device);
}

static void pools_grow_except_for_atomic_allocations(void **state)
{
	struct busway_coherent c[3] = {0};
	struct busway_dma_device *device;
	struct busway_pool_census census;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	device = open(&rig, BUSWAY_COHERENT, 0);
	lane = busway_dma_lane(device, 0);
	rig.more_left = 0x3000;
	assert_int_equal(busway_coherent_alloc(lane, 0x1000, 1, BUSWAY_COHERENT_ATOMIC, &c[0], &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POOL);
	assert_int_equal(busway_coherent_alloc(lane, 0x1800, 0x1000, 0, &c[0], NULL), 0);
	assert_int_equal(c[0].dma.raw % 0x1000, 0);
	/* what was set aside by now serves those as well */
	assert_int_equal(busway_coherent_free(&c[0]), 0);
	assert_int_equal(busway_coherent_alloc(lane, 0x1800, 1, BUSWAY_COHERENT_ATOMIC, &c[0],
					       NULL),
			 0);
	assert_int_equal(busway_coherent_alloc(lane, 0x4000, 1, 0, &c[1], &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_TOO_SMALL);
	assert_int_equal(busway_coherent_free(&c[0]), 0);
	assert_true(busway_dma_pool(rig.dma, 0, &census));
	assert_int_equal(census.size, 0x1800);
	close_all(&rig, device);
	assert_int_equal(rig.more_left, 0x3000);
}

static void an_alignment_is_that_of_the_devices_address(void **state)
{
	(void)state;
	for (uint64_t align = 1; align <= 0x8000; align *= 2) {
		struct busway_coherent c[4] = {0};
		struct busway_dma_device *device;
		struct busway_lane *lane;
		struct rig rig;

		rig_draw(&rig);
		rig.plan.windows[0].in = (struct busway_range){0x1440, 0x1440 + RIG_SIZE - 1};
		rig_open(&rig);
		assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x30000),
						     BUSWAY_USE_COHERENT, 1),
				 0);
		device = rig_attach(&rig, 0, NULL);
		lane = busway_dma_lane(device, 0);
		for (size_t i = 0; i < COUNT(c); i++) {
			assert_int_equal(busway_coherent_alloc(lane, 0x700, align, 0, &c[i], NULL),
					 0);
			assert_int_equal(c[i].dma.raw % align, 0);
		}
		for (size_t i = 0; i < COUNT(c); i++)
			assert_int_equal(busway_coherent_free(&c[i]), 0);
		close_all(&rig, device);
	}
}

/* ---- blocks ---- */

enum { BLOCKS = 300 };

static void blocks_are_apart_aligned_and_cross_no_boundary(void **state)
{
	static const struct {
		uint64_t size, align, boundary;
	} cases[] = {
		{16, 16, 0},      {16, 16, 64},   {24, 8, 64},         {48, 16, 4096},
		{100, 128, 0},    {1, 1, 1},      {3000, 4, 4096},     {3000, 4, 0},
		{4096, 4096, 0},  {64, 64, 4096}, {5000, 64, 0x10000}, {64, 8192, 4096},
		{40, 8, 1 << 30},
	};

	(void)state;
	for (size_t k = 0; k < COUNT(cases); k++) {
		const size_t blocks_count = cases[k].size > 1000 || cases[k].align > 1000 ? 20 : BLOCKS;
		struct busway_block block[BLOCKS];
		struct busway_blocks *blocks;
		struct busway_dma_device *device;
		unsigned char *used = calloc(1, RIG_SIZE);
		struct rig rig;

		device = open(&rig, BUSWAY_COHERENT, 0x70000);
		assert_int_equal(busway_blocks_create(busway_dma_lane(device, 0), cases[k].size,
						      cases[k].align, cases[k].boundary,
						      &rig.plan.memory.allocator, &blocks),
				 0);
		for (size_t i = 0; i < blocks_count; i++) {
			const uint64_t last = cases[k].size - 1;

			assert_int_equal(busway_blocks_take(blocks, 0, &block[i], NULL), 0);
			assert_int_equal(block[i].dma.raw % cases[k].align, 0);
			if (cases[k].boundary)
				assert_int_equal(block[i].dma.raw / cases[k].boundary,
						 (block[i].dma.raw + last) / cases[k].boundary);
			for (uint64_t b = 0; b < cases[k].size; b++) {
				assert_int_equal(used[block[i].dma.raw + b]++, 0);
				assert_int_equal(((unsigned char *)block[i].cpu)[b], 0);
			}
			memset(block[i].cpu, 0x55, (size_t)cases[k].size);
		}
		assert_int_equal(busway_blocks_destroy(blocks), -BUSWAY_EBUSY);
		for (size_t i = 0; i < blocks_count; i++)
			assert_int_equal(busway_blocks_give(blocks, block[i].dma), 0);
		assert_int_equal(busway_blocks_take(blocks, BUSWAY_COHERENT_ATOMIC, &block[0], NULL),
				 0);
		assert_int_equal(((unsigned char *)block[0].cpu)[0], 0);
		assert_int_equal(busway_blocks_give(blocks, block[0].dma), 0);
		assert_int_equal(rig_misuse_count(&rig), 0);
		assert_int_equal(busway_blocks_destroy(blocks), 0);
		close_all(&rig, device);
		free(used);
	}
}

static void blocks_that_are_not_out_are_not_taken_back(void **state)
{
	struct busway_coherent other = {0};
	struct busway_dma_device *device;
	struct busway_blocks *blocks;
	struct busway_block block;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	device = open(&rig, BUSWAY_COHERENT, 0x10000);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_blocks_create(lane, 24, 8, 64, &rig.plan.memory.allocator, &blocks),
			 0);
	assert_int_equal(busway_coherent_alloc(lane, 64, 1, 0, &other, NULL), 0);
	assert_int_equal(busway_blocks_take(blocks, 0, &block, NULL), 0);
	assert_int_equal(busway_blocks_give(blocks, busway_dma(block.dma.raw + 8)), -BUSWAY_EINVAL);
	assert_int_equal(busway_blocks_give(blocks, busway_dma(block.dma.raw + 48)),
			 -BUSWAY_EINVAL); /* between the last block and the boundary */
	assert_int_equal(busway_blocks_give(blocks, other.dma), -BUSWAY_EINVAL);
	assert_int_equal(busway_blocks_give(blocks, busway_dma(0x123456789)), -BUSWAY_EINVAL);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_NOT_MAPPED], 4);
	assert_int_equal(busway_blocks_give(blocks, block.dma), 0);
	assert_int_equal(busway_blocks_give(blocks, block.dma), -BUSWAY_EINVAL);
	assert_int_equal(rig.misuses[BUSWAY_MISUSE_UNMAPPED_TWICE], 1);
	assert_int_equal(busway_blocks_destroy(blocks), 0);
	assert_int_equal(busway_coherent_free(&other), 0);
	close_all(&rig, device);
}

/* Below the middle of the rig there is no way past the caches. */
static void *uncached_above(void *ctx, struct busway_phys_range range)
{
	struct rig *rig = ctx;

	return range.first.raw < RIG_BASE + RIG_SIZE / 2
		       ? NULL
		       : rig->memory + (range.first.raw - RIG_BASE);
}

static void a_pool_without_a_way_past_the_caches_is_passed_over(void **state)
{
	struct busway_coherent coherent = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].coherence = BUSWAY_NONCOHERENT;
	rig.environment.uncached = uncached_above;
	rig_open(&rig);
	assert_int_equal(
		busway_dma_add_pool(rig.dma, rig_phys(0x10000, 0x4000), BUSWAY_USE_COHERENT, 1), 0);
	device = rig_attach(&rig, 0, NULL);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 64, 1,
					       BUSWAY_COHERENT_ATOMIC, &coherent, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POINTER);
	assert_int_equal(
		busway_dma_add_pool(rig.dma, rig_phys(0xc0000, 0x4000), BUSWAY_USE_COHERENT, 1), 0);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 64, 1,
					       BUSWAY_COHERENT_ATOMIC, &coherent, &why),
			 0);
	assert_int_equal(coherent.phys.raw, RIG_BASE + 0xc0000);
	assert_int_equal(busway_coherent_free(&coherent), 0);
	close_all(&rig, device);
}

static void blocks_need_no_more_than_a_slot(void **state)
{
	struct busway_dma_device *device;
	struct busway_blocks *blocks;
	struct busway_block block[32];
	struct rig rig;

	(void)state;
	device = open(&rig, BUSWAY_COHERENT, BUSWAY_SLOT_SIZE);
	assert_int_equal(busway_blocks_create(busway_dma_lane(device, 0), 64, 64, 0,
					      &rig.plan.memory.allocator, &blocks),
			 0);
	for (size_t i = 0; i < COUNT(block); i++)
		assert_int_equal(
			busway_blocks_take(blocks, BUSWAY_COHERENT_ATOMIC, &block[i], NULL), 0);
	for (size_t i = 0; i < COUNT(block); i++)
		assert_int_equal(busway_blocks_give(blocks, block[i].dma), 0);
	assert_int_equal(busway_blocks_destroy(blocks), 0);
	close_all(&rig, device);
}

static void a_size_that_was_refused_is_no_advice(void **state)
{
	static const struct {
		uint64_t size, align;
		unsigned advice;
		uint64_t advised;
	} cases[] = {
		{0x8000, 1, 1, 0x4000},  /* the pool is too small */
		{0x1000, 0x80000, 0, 0}, /* its address is not aligned so far */
		{0x4000, 0x80000, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_coherent coherent = {0};
		struct busway_dma_device *device;
		struct busway_refusal why;
		struct rig rig;

		device = open(&rig, BUSWAY_COHERENT, 0x4000);
		assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), cases[i].size,
						       cases[i].align, BUSWAY_COHERENT_ATOMIC,
						       &coherent, &why),
				 -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_POOL_TOO_SMALL);
		assert_int_equal(why.advice_count, cases[i].advice);
		if (cases[i].advice)
			assert_int_equal(why.advice[0].size, cases[i].advised);
		close_all(&rig, device);
	}
}

/* Whether they have taken a chunk or not. */
static void blocks_outlive_their_device(void **state)
{
	struct busway_dma_device *device;
	struct busway_blocks *blocks;
	struct busway_block block;
	struct rig rig;

	(void)state;
	for (unsigned taken = 0; taken < 2; taken++) {
		rig_draw(&rig);
		rig_open(&rig);
		assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x8000),
						     BUSWAY_USE_COHERENT, 1),
				 0);
		device = rig_attach(&rig, 0, NULL);
		assert_int_equal(busway_blocks_create(busway_dma_lane(device, 0), 64, 64, 0,
						      &rig.plan.memory.allocator, &blocks),
				 0);
		if (taken)
			assert_int_equal(busway_blocks_take(blocks, 0, &block, NULL), 0);
		assert_int_equal(busway_dma_abandon(device), taken);
		assert_int_equal(busway_blocks_take(blocks, 0, &block, NULL), -BUSWAY_EINVAL);
		assert_int_equal(busway_blocks_give(blocks, busway_dma(0)), -BUSWAY_EINVAL);
		assert_int_equal(busway_blocks_destroy(blocks), 0);
		busway_dma_quiet(rig.dma, (busway_device_id){0});
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_outlive_their_device),
		cmocka_unit_test(both_sides_see_the_same_at_any_time),
		cmocka_unit_test(a_device_without_caches_needs_memory_past_them),
		cmocka_unit_test(pools_grow_except_for_atomic_allocations),
		cmocka_unit_test(an_alignment_is_that_of_the_devices_address),
		cmocka_unit_test(blocks_are_apart_aligned_and_cross_no_boundary),
		cmocka_unit_test(blocks_that_are_not_out_are_not_taken_back),
		cmocka_unit_test(a_pool_without_a_way_past_the_caches_is_passed_over),
		cmocka_unit_test(blocks_need_no_more_than_a_slot),
		cmocka_unit_test(a_size_that_was_refused_is_no_advice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
