/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device_test.c - devices and their masks, pools of their own, leaving with live mappings: dma.h.
 */
#include "rig.h"

#include <string.h>

static struct busway_range at(uint64_t offset, uint64_t size)
{
	return busway_phys_raw(rig_phys(offset, size));
}

static void add_pool(struct rig *rig, uint64_t offset, uint64_t size, unsigned use)
{
	assert_int_equal(busway_dma_add_pool(rig->dma, rig_phys(offset, size), use, 1), 0);
}

static void a_mask_says_what_the_platform_makes_of_it(void **state)
{
	static const struct {
		const char *because;
		uint64_t window_first;
		unsigned bits;
		int status;
		bool limited;
		unsigned required, advised;
	} cases[] = {
		{"all memory is below 2^20", 0, 20, 0, false, 20, 0},
		{"half of it is not", 0, 19, 0, true, 20, 0},
		{"more than is needed", 0, 64, 0, false, 20, 0},
		{"addresses begin at 2^39", (uint64_t)1 << 39, 39, -BUSWAY_ERANGE, false, 0, 40},
		{"one bit more reaches all", (uint64_t)1 << 39, 40, 0, false, 40, 0},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint64_t first = cases[i].window_first;
		struct busway_mask_report report = {0};
		struct busway_dma_device *device;
		struct busway_refusal why = {0};
		struct rig rig;

		rig_draw(&rig);
		rig.plan.windows[0].in = (struct busway_range){first, first + RIG_SIZE - 1};
		rig_open(&rig);
		device = rig_attach(&rig, 0, NULL);
		assert_int_equal(busway_dma_mask(device), first ? 40 : 32);
		if (busway_dma_set_mask(device, cases[i].bits, &report, &why) != cases[i].status)
			fail_msg("%s: status", cases[i].because);
		if (cases[i].status) {
			assert_int_equal(why.reason, BUSWAY_EMPTY_REACH);
			assert_int_equal(why.advice[0].bits, cases[i].advised);
			assert_int_equal(busway_dma_mask(device), 40);
		} else if (report.limited != cases[i].limited ||
			   report.required_bits != cases[i].required) {
			fail_msg("%s: limited %d, required %u", cases[i].because, report.limited,
				 report.required_bits);
		}
		assert_int_equal(busway_dma_set_mask(device, 0, NULL, NULL), -BUSWAY_EINVAL);
		assert_int_equal(busway_dma_set_mask(device, 65, NULL, NULL), -BUSWAY_EINVAL);
		assert_int_equal(busway_dma_detach(device), 0);
		rig_close(&rig);
	}
}

static void the_two_masks_are_apart(void **state)
{
	struct busway_coherent coherent = {0};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	add_pool(&rig, 0x90000, 0x10000, BUSWAY_USE_COHERENT);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_coherent_alloc(lane, 64, 64, 0, &coherent, NULL), 0);
	/* live coherent memory at 0x90000 minds the coherent mask only */
	assert_int_equal(busway_dma_set_mask(device, 17, NULL, NULL), 0);
	assert_int_equal(busway_dma_set_coherent_mask(device, 19, NULL, &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_LIVE_MAPPING);
	assert_int_equal(busway_dma_coherent_mask(device), 32);
	assert_int_equal(busway_map(lane, rig_phys(0x20000, 16), BUSWAY_TO_DEVICE, 0, &mapping,
				    &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_BEYOND_MASK);
	assert_int_equal(busway_coherent_free(&coherent), 0);
	assert_int_equal(busway_dma_set_coherent_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_coherent_alloc(lane, 64, 64, BUSWAY_COHERENT_ATOMIC, &coherent,
					       &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POOL);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void coherent_memory_comes_from_the_devices_own_pool_first(void **state)
{
	struct busway_coherent coherent = {0}, rest = {0};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	uint32_t pools[3];
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	pools[0] = plan_pool(&rig.plan, at(0x40000, 0x10000)); /* restricted */
	pools[1] = plan_pool(&rig.plan, at(0x50000, 0x10000)); /* reusable */
	pools[2] = plan_pool(&rig.plan, at(0x60000, 0x10000)); /* no-map */
	rig.plan.pools[1].type = rig.plan.pools[2].type = BUSWAY_POOL_SHARED;
	rig.plan.pools[1].reusable = rig.plan.pools[2].no_map = true;
	plan_region(&rig.plan, 0, BUSWAY_REGION_CARVEOUT, at(0x60000, 0x10000));
	rig.plan.devices[0].restricted_pool = pools[0];
	rig.plan.devices[0].pools = pools;
	rig.plan.devices[0].pool_count = 3;
	rig_open(&rig);
	device = rig_attach(&rig, 0, NULL);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 0x10000, 0x1000, 0,
					       &coherent, NULL),
			 0);
	assert_int_equal(coherent.phys.raw, RIG_BASE + 0x60000);
	/* full: no other pool, and no other memory, stands in */
	rig.more_left = 0x10000;
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 1, 1, 0, &rest, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_POOL_FULL);
	assert_int_equal(why.limit.first, RIG_BASE + 0x60000);
	assert_int_equal(rig.more_left, 0x10000);
	assert_int_equal(busway_map(busway_dma_lane(device, 0), rig_phys(0, 16), BUSWAY_TO_DEVICE,
				    0, &mapping, NULL),
			 0);
	assert_int_equal(mapping.dma.raw / 0x10000, 4);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_coherent_free(&coherent), 0);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void a_pool_outside_the_windows_gives_no_address(void **state)
{
	struct busway_coherent coherent = {0};
	struct busway_dma_device *device;
	struct busway_refusal why;
	uint32_t pool;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.windows[0].in.last = 0x3ffff;
	pool = plan_pool(&rig.plan, at(0x60000, 0x10000));
	rig.plan.pools[0].type = BUSWAY_POOL_SHARED;
	rig.plan.devices[0].pools = &pool;
	rig.plan.devices[0].pool_count = 1;
	rig_open(&rig);
	device = rig_attach(&rig, 0, NULL);
	assert_int_equal(busway_coherent_alloc(busway_dma_lane(device, 0), 64, 1, 0, &coherent,
					       &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_POOL);
	assert_string_equal(why.by, rig.plan.pools[0].name);
	assert_int_equal(busway_dma_set_coherent_mask(device, 64, NULL, &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_EMPTY_REACH);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void a_device_whose_pool_cannot_serve_is_not_attached(void **state)
{
	static const struct {
		const char *because;
		enum busway_reason reason;
		bool dynamic, invalid, outside;
	} cases[] = {
		{"nobody said where it is", BUSWAY_POOL_UNPLACED, true, false, false},
		{"its flags contradict its type", BUSWAY_POOL_REJECTED, false, true, false},
		{"no window leads there", BUSWAY_EMPTY_REACH, false, false, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_dma_device *device;
		struct busway_refusal why = {0};
		struct rig rig;

		rig_draw(&rig);
		rig.plan.devices[0].restricted_pool =
			plan_pool(&rig.plan, at(0x60000, 0x10000));
		rig.plan.pools[0].dynamic = cases[i].dynamic;
		rig.plan.pools[0].valid = !cases[i].invalid;
		if (cases[i].outside)
			rig.plan.windows[0].in.last = 0x3ffff;
		rig_open(&rig);
		assert_int_equal(busway_dma_attach(rig.dma, (busway_device_id){0}, NULL, &device,
						   &why),
				 -BUSWAY_ERANGE);
		if (why.reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].because, busway_reason_code(why.reason));
		if (cases[i].dynamic) {
			assert_int_equal(busway_dma_place_pool(rig.dma, 0,
							       rig_phys(0x60000, 0x10000)),
					 0);
			device = rig_attach(&rig, 0, NULL);
			assert_int_equal(busway_dma_detach(device), 0);
		}
		rig_close(&rig);
	}
}

static void what_an_iommu_translates_is_not_attached(void **state)
{
	const struct busway_dma_options bypass = {.bypass_iommu = true};
	struct busway_dma_device *device;
	struct busway_refusal why;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].behind_iommu = true;
	rig_open(&rig);
	assert_int_equal(busway_dma_attach(rig.dma, (busway_device_id){0}, NULL, &device, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_BEHIND_IOMMU);
	device = rig_attach(&rig, 0, &bypass);
	assert_int_equal(busway_dma_attach(rig.dma, (busway_device_id){0}, &bypass, &device, &why),
			 -BUSWAY_EBUSY);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void what_an_abandoned_device_may_write_to_is_not_used_again(void **state)
{
	struct busway_mapping direct = {0}, bounced = {0}, next = {0};
	struct busway_coherent coherent = {0};
	struct busway_dma_device *device;
	struct busway_pool_census census;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	add_pool(&rig, 0x40000, 0x4000, BUSWAY_USE_BOTH);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0, 64), BUSWAY_TO_DEVICE, 0, &direct, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x1000), BUSWAY_FROM_DEVICE, 0,
				    &bounced, NULL),
			 0);
	assert_int_equal(busway_coherent_alloc(lane, 0x1000, 1, 0, &coherent, NULL), 0);
	assert_int_equal(busway_dma_abandon(device), 3);
	assert_int_equal(rig.events[BUSWAY_EVENT_ABANDONED], 3);
	assert_true(busway_dma_pool(rig.dma, 0, &census));
	assert_int_equal(census.quarantined, 0x2000);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x2001), BUSWAY_TO_DEVICE, 0, &next,
				    NULL),
			 -BUSWAY_ERANGE);
	busway_dma_quiet(rig.dma, (busway_device_id){0});
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x4000), BUSWAY_TO_DEVICE, 0, &next,
				    NULL),
			 0);
	assert_int_equal(busway_unmap(&next), 0);
	/* the record that was taken away is not mapped any more */
	assert_int_equal(busway_unmap(&bounced), -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

/*
 * A doorbell below 4 GiB on the bus of a 64-bit engine: four bytes are reserved there, and that is
 * all. The masks are those of the engine, no memory is taken, and only what lies on the doorbell
 * itself has another way to go.
 */
static void a_doorbell_touches_no_mask_and_takes_no_memory(void **state)
{
	const uint64_t doorbell = 0x12340;
	struct busway_mapping mapping = {0};
	struct busway_mask_report report;
	struct busway_dma_device *device;
	struct busway_pool_census census;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	plan_region(&rig.plan, 1, BUSWAY_REGION_DOORBELL,
		    (struct busway_range){doorbell, doorbell + 3});
	rig_open(&rig);
	add_pool(&rig, 0x40000, 0x10000, BUSWAY_USE_BOUNCE);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 64, &report, NULL), 0);
	assert_int_equal(busway_dma_mask(device), 64);
	assert_int_equal(report.required_bits, 20);
	assert_true(busway_dma_pool(rig.dma, 0, &census));
	assert_int_equal(census.used, 0);
	/* right before and right behind it memory is reached as ever */
	assert_int_equal(busway_map(lane, rig_phys(doorbell - 64, 64), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_map(lane, rig_phys(doorbell + 4, 64), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_DIRECT);
	assert_int_equal(busway_unmap(&mapping), 0);
	/* its own bytes would ring: they bounce */
	assert_int_equal(busway_map(lane, rig_phys(doorbell - 1, 3), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void bounce_pools_grow_when_asked(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_pool_census census;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	rig.more_at = RIG_BASE + 0x7e000; /* two pages before what the mask reaches ends */
	assert_int_equal(busway_dma_grow(device, 0x3000), -BUSWAY_ENOMEM);
	rig.more_left = 0x3000;
	assert_int_equal(busway_dma_grow(device, 0x2001), -BUSWAY_ENOMEM);
	assert_int_equal(busway_dma_grow(device, 0), -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_grow(device, 0x1801), 0);
	assert_true(busway_dma_pool(rig.dma, 0, &census));
	assert_int_equal(census.size, 0x2000);
	assert_int_equal(census.use, BUSWAY_USE_BOUNCE);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 0x2000), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(mapping.way, BUSWAY_WAY_BOUNCE);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void pools_that_make_no_sense_are_refused(void **state)
{
	struct busway_dma_device *device;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	add_pool(&rig, 0x40000, 0x10000, BUSWAY_USE_BOTH);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x4f000, 0x2000), BUSWAY_USE_BOTH, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x60000, 0x1000), 0, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x60000, 0x1000), 4, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x60000, 0x1000), 1, 257),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x60001, 0xfff), 1, 1),
			 0); /* one whole slot of it */
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(RIG_SIZE - 0x1000, 0x1001), 1, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x70001, 0x7ff), 1, 1),
			 -BUSWAY_EINVAL);
	device = rig_attach(&rig, 0, NULL);
	assert_int_equal(busway_dma_destroy(rig.dma), -BUSWAY_EBUSY);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

static void a_pool_that_comes_later_serves_devices_that_are_there(void **state)
{
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig_open(&rig);
	device = rig_attach(&rig, 0, NULL);
	lane = busway_dma_lane(device, 0);
	assert_int_equal(busway_dma_set_mask(device, 19, NULL, NULL), 0);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 64), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 -BUSWAY_ERANGE);
	add_pool(&rig, 0x40000, 0x10000, BUSWAY_USE_BOUNCE);
	assert_int_equal(busway_map(lane, rig_phys(0x90000, 64), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_int_equal(busway_dma_detach(device), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mask_says_what_the_platform_makes_of_it),
		cmocka_unit_test(the_two_masks_are_apart),
		cmocka_unit_test(coherent_memory_comes_from_the_devices_own_pool_first),
		cmocka_unit_test(a_pool_outside_the_windows_gives_no_address),
		cmocka_unit_test(a_device_whose_pool_cannot_serve_is_not_attached),
		cmocka_unit_test(what_an_iommu_translates_is_not_attached),
		cmocka_unit_test(what_an_abandoned_device_may_write_to_is_not_used_again),
		cmocka_unit_test(a_doorbell_touches_no_mask_and_takes_no_memory),
		cmocka_unit_test(bounce_pools_grow_when_asked),
		cmocka_unit_test(pools_that_make_no_sense_are_refused),
		cmocka_unit_test(a_pool_that_comes_later_serves_devices_that_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
