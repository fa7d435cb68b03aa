/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oom_test.c - the DMA API where memory ends: at every allocation, and from every one on.
 *
 * One story that uses everything is told again and again, with the n-th allocation refused. Each
 * call either works or changes nothing, so that the story can go on, and nothing is left behind.
 */
#include "rig.h"

#include <string.h>

enum { STEPS_MAX = 200 };

/* Try until memory is given: what failed must be as if it had not been tried. */
#define UNTIL_DONE(call)                                                                           \
	do {                                                                                       \
		int status_ = (call);                                                              \
                                                                                                   \
		if (status_ == -BUSWAY_ENOMEM || status_ == -BUSWAY_ERANGE) {                      \
			test_memory_fail_at(memory, 0, false);                                     \
			status_ = (call);                                                          \
		}                                                                                  \
		assert_int_equal(status_, 0);                                                      \
	} while (0)

static void tell(struct test_memory *memory, struct rig *rig)
{
	struct busway_coherent coherent[2] = {0};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_pool_census census;
	struct busway_blocks *blocks;
	struct busway_block block;
	struct busway_lane *lane;
	size_t pools = 0;

	UNTIL_DONE(busway_dma_create(rig->plan.platform, &rig->environment, &memory->allocator,
				     &rig->dma));
	UNTIL_DONE(busway_dma_add_pool(rig->dma, rig_phys(0x40000, 0x4000), BUSWAY_USE_BOTH, 4));
	UNTIL_DONE(busway_dma_attach(rig->dma, (busway_device_id){0}, NULL, &device, NULL));
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_mask(device), 32);
	UNTIL_DONE(busway_dma_set_mask(device, 19, NULL, NULL));
	UNTIL_DONE(busway_dma_set_coherent_mask(device, 64, NULL, NULL));
	UNTIL_DONE(busway_map(lane, rig_phys(0x90000, 0x1000), BUSWAY_BIDIRECTIONAL, 0, &mapping,
			      NULL));
	UNTIL_DONE(busway_coherent_alloc(lane, 0x3000, 1, 0, &coherent[0], NULL));
	/* the pool is full: it has to grow */
	UNTIL_DONE(busway_coherent_alloc(lane, 0x1000, 1, 0, &coherent[1], NULL));
	UNTIL_DONE(busway_blocks_create(lane, 64, 64, 4096, &memory->allocator, &blocks));
	UNTIL_DONE(busway_blocks_take(blocks, 0, &block, NULL));
	assert_int_equal(busway_blocks_give(blocks, block.dma), 0);
	assert_int_equal(busway_blocks_destroy(blocks), 0);
	assert_int_equal(busway_coherent_free(&coherent[1]), 0);
	assert_int_equal(busway_coherent_free(&coherent[0]), 0);
	assert_int_equal(busway_unmap(&mapping), 0);
	for (; busway_dma_pool(rig->dma, pools, &census); pools++)
		assert_int_equal(census.used, 0);
	assert_true(pools >= 2);
	assert_int_equal(busway_dma_detach(device), 0);
	assert_int_equal(busway_dma_destroy(rig->dma), 0);
}

static void a_call_that_gets_no_memory_changes_nothing(void **state)
{
	(void)state;
	for (int all_later = 0; all_later < 2; all_later++) {
		unsigned long n = 0, calls = 0;

		do {
			struct test_memory memory;
			struct rig rig;

			rig_draw(&rig);
			rig_open(&rig);
			assert_int_equal(busway_dma_destroy(rig.dma), 0);
			rig.more_left = 0x20000;
			test_memory_open(&memory);
			test_memory_fail_at(&memory, ++n, all_later);
			tell(&memory, &rig);
			calls = memory.calls;
			test_memory_close(&memory);
			assert_int_equal(rig.more_left, 0x20000);
			/* for rig_close() */
			assert_int_equal(busway_dma_create(rig.plan.platform, &rig.environment,
							   &rig.plan.memory.allocator, &rig.dma),
					 0);
			rig_close(&rig);
			assert_true(n < STEPS_MAX);
		} while (calls >= n);
		assert_true(n > 10);
	}
}

static void hot_calls_do_not_allocate(void **state)
{
	const struct busway_phys_range entries[] = {rig_phys(0x1000, 16), rig_phys(0x90000, 16)};
	struct busway_mapped segments[4];
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_plan plan;
	struct busway_lane *lane;
	unsigned long calls;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x4000), BUSWAY_USE_BOTH,
					     2),
			 0);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	calls = rig.plan.memory.calls;
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(busway_plan(lane, entries, 2, BUSWAY_TO_DEVICE, 0, &plan, NULL), 0);
		assert_int_equal(busway_map(lane, entries[i % 2], BUSWAY_BIDIRECTIONAL, 0, &mapping,
					    NULL),
				 0);
		assert_int_equal(busway_sync_for_cpu(&mapping, 0, 16), 0);
		assert_int_equal(busway_unmap(&mapping), 0);
		assert_int_equal(busway_map_list(lane, entries, 2, BUSWAY_TO_DEVICE, 0, segments, 4,
						 &mapping, NULL, NULL),
				 0);
		assert_int_equal(busway_unmap(&mapping), 0);
	}
	assert_int_equal(rig.plan.memory.calls, calls);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_that_gets_no_memory_changes_nothing),
		cmocka_unit_test(hot_calls_do_not_allocate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
