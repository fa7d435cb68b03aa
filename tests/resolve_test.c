/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve_test.c - following one access: <busway/resolve.h>. Random platforms: property_test.c.
 */
#include "support/plan.h"
#include "support/random.h"
#include "support/test.h"

/*
 * The platform of most tests here:
 *
 *   dev --> [ pci ]                        [ soc ]                  [ cpu ]
 *             0x0000..0x0fff   --0-->  0x10000..0x10fff  --3-->  0x80010000
 *             0x1000..0x1fff   --1-->  0x11000..0x11fff  --3-->  0x80011000    one way on
 *             0x2000..0x2fff   --2-->  0x20000 (read only) -4->  0x80020000
 *             0x4000..0x4fff   aperture
 *             0x5000           doorbell
 *             0x6000..0x6fff   --5-->  0x90000: no window there
 *             0x8000..0xbfff   --6-->  0x30000..0x33fff  --7-->  0x90000000: banks, carve-out
 */
enum { CPU, SOC, PCI };

static void draw(struct plan *plan)
{
	plan_init(plan);
	assert_int_equal(plan_space(plan, BUSWAY_SPACE_BUS), SOC);
	assert_int_equal(plan_space(plan, BUSWAY_SPACE_PCI), PCI);
	plan_window(plan, PCI, SOC, (struct busway_range){0x0, 0xfff}, 0x10000);
	plan_window(plan, PCI, SOC, (struct busway_range){0x1000, 0x1fff}, 0x11000);
	plan_window(plan, PCI, SOC, (struct busway_range){0x2000, 0x2fff}, 0x20000);
	plan->windows[2].access = BUSWAY_READ;
	plan_window(plan, SOC, CPU, (struct busway_range){0x10000, 0x1ffff}, 0x80010000);
	plan_window(plan, SOC, CPU, (struct busway_range){0x20000, 0x20fff}, 0x80020000);
	plan_window(plan, PCI, SOC, (struct busway_range){0x6000, 0x6fff}, 0x90000);
	plan_window(plan, PCI, SOC, (struct busway_range){0x8000, 0xbfff}, 0x30000);
	plan_window(plan, SOC, CPU, (struct busway_range){0x30000, 0x33fff}, 0x90000000);
	plan_region(plan, PCI, BUSWAY_REGION_APERTURE, (struct busway_range){0x4000, 0x4fff});
	plan_region(plan, PCI, BUSWAY_REGION_DOORBELL, (struct busway_range){0x5000, 0x5003});
	plan_ram(plan, (struct busway_range){0x80000000, 0x8fffffff});
	plan_ram(plan, (struct busway_range){0x90000000, 0x90000fff});
	plan_ram(plan, (struct busway_range){0x90001000, 0x90001fff});
	plan_ram(plan, (struct busway_range){0x90003000, 0x90003fff});
	plan_region(plan, CPU, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){0x90001800, 0x90001fff});
	plan_device(plan, PCI);
	plan->devices[0].emission = busway_emission_mask(16);
}

static int open_plan(void **state)
{
	static struct plan plan;

	draw(&plan);
	plan_open(&plan);
	*state = &plan;
	return 0;
}

static int close_plan(void **state)
{
	plan_close(*state);
	return 0;
}

/* ---- where accesses end ---- */

static void accesses_land_or_are_refused_with_the_hop(void **state)
{
	static const struct {
		const char *because;
		struct busway_range dma;
		enum busway_access access;
		enum busway_reason reason;
		const char *hop; /* that refused */
		uint64_t asked, limit_first, limit_last;
		uint64_t lands; /* in the CPU's space, or the last one */
	} cases[] = {
		{"through two windows", {0x10, 0x1f}, 3, 0, NULL, 0, 0, 0, 0x80010010},
		{"the last byte of the window", {0xfff, 0xfff}, 3, 0, NULL, 0, 0, 0, 0x80010fff},
		{"two windows side by side all the way",
		 {0xff0, 0x100f},
		 3,
		 0,
		 NULL,
		 0,
		 0,
		 0,
		 0x80010ff0},
		{"a read through a window for reads",
		 {0x2000, 0x2000},
		 1,
		 0,
		 NULL,
		 0,
		 0,
		 0,
		 0x80020000},
		{"a write through it",
		 {0x2000, 0x2000},
		 2,
		 BUSWAY_ACCESS,
		 "/bus2",
		 0x2000,
		 0x2000,
		 0x2fff,
		 0},
		{"both at once",
		 {0x2fff, 0x2fff},
		 3,
		 BUSWAY_ACCESS,
		 "/bus2",
		 0x2fff,
		 0x2000,
		 0x2fff,
		 0},
		{"two windows that lead apart",
		 {0x1ff0, 0x200f},
		 1,
		 BUSWAY_STRADDLES,
		 "/bus2",
		 0x1ff0,
		 0x1ff0,
		 0x1fff,
		 0},
		{"a peer's aperture",
		 {0x4000, 0x4000},
		 3,
		 BUSWAY_APERTURE,
		 "/bus2",
		 0x4000,
		 0x4000,
		 0x4fff,
		 0},
		{"a doorbell is a place to land", {0x5000, 0x5003}, 2, 0, NULL, 0, 0, 0, 0x5000},
		{"past the doorbell there is nothing",
		 {0x5000, 0x5004},
		 2,
		 BUSWAY_NO_WINDOW,
		 "/bus2",
		 0x5004,
		 0x6000,
		 0x6fff,
		 0},
		{"a hole: the nearest window is behind it",
		 {0x5f00, 0x5f00},
		 3,
		 BUSWAY_NO_WINDOW,
		 "/bus2",
		 0x5f00,
		 0x6000,
		 0x6fff,
		 0},
		{"a hole: the nearest window is before it",
		 {0x3000, 0x3000},
		 3,
		 BUSWAY_NO_WINDOW,
		 "/bus2",
		 0x3000,
		 0x2000,
		 0x2fff,
		 0},
		{"behind the last window",
		 {0xc000, 0xc000},
		 3,
		 BUSWAY_NO_WINDOW,
		 "/bus2",
		 0xc000,
		 0x8000,
		 0xbfff,
		 0},
		{"no window at the second hop",
		 {0x6010, 0x601f},
		 3,
		 BUSWAY_NO_WINDOW,
		 "/bus1",
		 0x90010,
		 0x30000,
		 0x33fff,
		 0},
		{"two banks of memory adjoin", {0x8ff0, 0x900f}, 3, 0, NULL, 0, 0, 0, 0x90000ff0},
		{"the carve-out in the second",
		 {0x97ff, 0x9800},
		 3,
		 BUSWAY_RESERVED,
		 "cpu",
		 0x90001800,
		 0x90001800,
		 0x90001fff,
		 0},
		{"between the banks: the nearest is before",
		 {0xa000, 0xa000},
		 3,
		 BUSWAY_NO_MEMORY,
		 "cpu",
		 0x90002000,
		 0x90001000,
		 0x90001fff,
		 0},
		{"between the banks: the nearest is behind",
		 {0xaff0, 0xaff0},
		 3,
		 BUSWAY_NO_MEMORY,
		 "cpu",
		 0x90002ff0,
		 0x90003000,
		 0x90003fff,
		 0},
		{"beyond the mask",
		 {0x10000, 0x10000},
		 3,
		 BUSWAY_BEYOND_MASK,
		 "/device0",
		 0x10000,
		 0,
		 0xffff,
		 0},
		{"half of it beyond the mask",
		 {0xffff, 0x10000},
		 3,
		 BUSWAY_BEYOND_MASK,
		 "/device0",
		 0x10000,
		 0,
		 0xffff,
		 0},
		{"the last address of all",
		 {UINT64_MAX, UINT64_MAX},
		 3,
		 BUSWAY_BEYOND_MASK,
		 "/device0",
		 UINT64_MAX,
		 0,
		 0xffff,
		 0},
		{"all addresses at once",
		 {0, UINT64_MAX},
		 3,
		 BUSWAY_BEYOND_MASK,
		 "/device0",
		 0x10000,
		 0,
		 0xffff,
		 0},
	};
	struct plan *plan = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_path path;
		struct busway_refusal why = {0};
		const int status =
			plan_resolve(plan, 0, cases[i].dma, cases[i].access, &path, &why);

		if (why.reason != cases[i].reason || (status != 0) != (cases[i].hop != NULL))
			fail_msg("case %zu: %s: %d %s", i, cases[i].because, status,
				 busway_reason_code(why.reason));
		if (!status) {
			/* its parts side by side: the last hop is that of the last part */
			assert_int_equal(path.hops[path.hop_count - 1].range.last -
						 busway_range_span(cases[i].dma),
					 cases[i].lands);
			continue;
		}
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_string_equal(why.hop, cases[i].hop);
		if (why.asked.first != cases[i].asked || !why.has_limit ||
		    why.limit.first != cases[i].limit_first ||
		    why.limit.last != cases[i].limit_last)
			fail_msg("case %zu: %s: asked 0x%" PRIx64 " limit 0x%" PRIx64
				 "..0x%" PRIx64,
				 i, cases[i].because, why.asked.first, why.limit.first,
				 why.limit.last);
		assert_int_equal(why.bus_addresses, cases[i].hop[0] == '/'); /* all but the CPU's */
	}
}

static void path_shows_every_hop_and_its_window(void **state)
{
	struct plan *plan = *state;
	struct busway_path path;
	size_t count;
	const struct busway_window *windows = busway_platform_windows(plan->platform, &count);

	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){0x1010, 0x101f},
				      BUSWAY_READ_WRITE, &path, NULL),
			 0);
	assert_int_equal(path.hop_count, 3);
	assert_int_equal(path.hops[0].space.index, PCI);
	assert_int_equal(path.hops[0].range.first, 0x1010);
	assert_int_equal(path.hops[0].range.last, 0x101f);
	assert_ptr_equal(path.hops[0].window, &windows[1]);
	assert_int_equal(path.hops[1].space.index, SOC);
	assert_int_equal(path.hops[1].range.first, 0x11010);
	assert_ptr_equal(path.hops[1].window, &windows[3]);
	assert_int_equal(path.hops[2].space.index, CPU);
	assert_int_equal(path.hops[2].range.first, 0x80011010);
	assert_int_equal(path.hops[2].range.last, 0x8001101f);
	assert_null(path.hops[2].window);
	assert_int_equal(path.target_count, 1);
	assert_int_equal(path.targets[0].index, 2);
}

static void path_of_a_refusal_ends_at_the_hop_that_refused(void **state)
{
	struct plan *plan = *state;
	struct busway_path path;

	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){0x6000, 0x6000},
				      BUSWAY_READ_WRITE, &path, NULL),
			 -BUSWAY_ERANGE);
	assert_int_equal(path.hop_count, 2);
	assert_int_equal(path.hops[1].space.index, SOC);
	assert_int_equal(path.hops[1].range.first, 0x90000);
	assert_null(path.hops[1].window);
	assert_int_equal(path.target_count, 0);
	/* what cannot be emitted has no hop at all */
	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){0x10000, 0x10000},
				      BUSWAY_READ_WRITE, &path, NULL),
			 -BUSWAY_ERANGE);
	assert_int_equal(path.hop_count, 0);
}

static void path_and_reason_need_not_be_asked_for(void **state)
{
	struct plan *plan = *state;
	struct busway_refusal why = {.reason = BUSWAY_NO_ROOM, .advice_count = 77};

	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){0, 0}, 3, NULL, NULL), 0);
	assert_int_equal(
		plan_resolve(plan, 0, (struct busway_range){0x3000, 0x3000}, 3, NULL, NULL),
		-BUSWAY_ERANGE);
	/* and success says nothing of reasons */
	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){0, 0}, 3, NULL, &why), 0);
	assert_int_equal(why.reason, BUSWAY_NO_ROOM);
	assert_int_equal(why.advice_count, 77);
}

static void range_that_ends_before_it_begins_is_refused(void **state)
{
	struct plan *plan = *state;
	struct busway_path path = {.hop_count = 77, .target_count = 78};
	struct busway_refusal why = {.reason = BUSWAY_NO_ROOM};

	assert_int_equal(plan_resolve(plan, 0, (struct busway_range){1, 0}, 3, &path, &why),
			 -BUSWAY_EINVAL);
	assert_int_equal(path.hop_count, 77);
	assert_int_equal(path.target_count, 78);
	assert_int_equal(why.reason, BUSWAY_NO_ROOM);
}

static void emission_of_the_call_goes_before_that_of_the_device(void **state)
{
	struct plan *plan = *state;
	const struct busway_emission narrow = busway_emission_mask(4);
	const struct busway_emission wide = {0};
	const struct busway_dma_range in = {{0x10}, {0x10}}, out = {{0x10000}, {0x10000}};
	struct busway_refusal why;

	assert_int_equal(
		busway_resolve(plan->platform, (busway_device_id){0}, in, &narrow, 3, NULL, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_BEYOND_MASK);
	assert_int_equal(why.limit.last, 0xf);
	assert_int_equal(
		busway_resolve(plan->platform, (busway_device_id){0}, out, &wide, 3, NULL, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_WINDOW);
}

/* ---- targets ---- */

/*
 *   ram0 [] ram1 [] ram2 [] ram3 [] ram4 [] ram5 []      0x1000 each, all adjoining
 */
static void regions_of_an_access_are_listed_in_order(void **state)
{
	struct plan plan;
	struct busway_path path;

	(void)state;
	plan_init(&plan);
	for (uint64_t i = 0; i < 6; i++)
		plan_ram(&plan, (struct busway_range){0x1000 * i, 0x1000 * i + 0xfff});
	plan_device(&plan, CPU);
	plan_open(&plan);
	for (uint64_t first = 0; first < 6; first++)
		for (uint64_t last = first; last < 6; last++) {
			const struct busway_range dma = {0x1000 * first + 1, 0x1000 * last + 1};

			assert_int_equal(plan_resolve(&plan, 0, dma, 3, &path, NULL), 0);
			assert_int_equal(path.target_count, last - first + 1 < BUSWAY_TARGETS_MAX
								    ? last - first + 1
								    : BUSWAY_TARGETS_MAX);
			for (unsigned i = 0; i < path.target_count; i++)
				assert_int_equal(path.targets[i].index, first + i);
		}
	plan_close(&plan);
}

static void doorbell_and_memory_beside_it_are_two_places(void **state)
{
	struct plan plan;
	struct busway_refusal why;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xfff});
	plan_region(&plan, CPU, BUSWAY_REGION_DOORBELL, (struct busway_range){0x1000, 0x1003});
	plan_region(&plan, CPU, BUSWAY_REGION_UNKNOWN, (struct busway_range){0x1004, 0x1fff});
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(
		plan_resolve(&plan, 0, (struct busway_range){0xfff, 0x1000}, 3, NULL, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_STRADDLES);
	assert_int_equal(
		plan_resolve(&plan, 0, (struct busway_range){0x1003, 0x1004}, 3, NULL, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_STRADDLES);
	assert_int_equal(why.limit.last, 0x1003);
	plan_close(&plan);
}

/* ---- both ends ---- */

/*
 *   dev --> [ bus ]  0..3        ---->  ..fffc .. ..ffff  [ cpu ]
 *                    ..fffc..ffff ---->  0..3
 */
static void first_and_last_addresses_are_ordinary(void **state)
{
	static const struct {
		struct busway_range dma;
		uint64_t lands;
	} cases[] = {
		{{0, 0}, UINT64_MAX - 3},      {{0, 3}, UINT64_MAX - 3},
		{{3, 3}, UINT64_MAX},          {{UINT64_MAX - 3, UINT64_MAX}, 0},
		{{UINT64_MAX, UINT64_MAX}, 3},
	};
	struct plan plan;
	struct busway_path path;
	struct busway_refusal why;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, 1, CPU, (struct busway_range){0, 3}, UINT64_MAX - 3);
	plan_window(&plan, 1, CPU, (struct busway_range){UINT64_MAX - 3, UINT64_MAX}, 0);
	plan_ram(&plan, (struct busway_range){0, 3});
	plan_ram(&plan, (struct busway_range){UINT64_MAX - 3, UINT64_MAX});
	plan_device(&plan, 1);
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(plan_resolve(&plan, 0, cases[i].dma, 3, &path, NULL), 0);
		assert_int_equal(path.hops[1].range.first, cases[i].lands);
	}
	assert_int_equal(plan_resolve(&plan, 0, (struct busway_range){3, 4}, 3, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.asked.first, 4);
	assert_int_equal(plan_resolve(&plan, 0, BUSWAY_RANGE_ALL, 3, NULL, &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_WINDOW);
	plan_close(&plan);
}

static void whole_space_is_one_access(void **state)
{
	struct plan plan;
	struct busway_path path;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, 1, CPU, BUSWAY_RANGE_ALL, 0);
	plan_ram(&plan, (struct busway_range){0, 0x7fffffffffffffff});
	plan_ram(&plan, (struct busway_range){0x8000000000000000, UINT64_MAX});
	plan_device(&plan, 1);
	plan_open(&plan);
	assert_int_equal(plan_resolve(&plan, 0, BUSWAY_RANGE_ALL, 3, &path, NULL), 0);
	assert_int_equal(path.target_count, 2);
	plan_close(&plan);
}

/* ---- long ways ---- */

/* A row of @count spaces, the CPU's among them, each with a window into the next. */
static void draw_row(struct plan *plan, unsigned count)
{
	plan_init(plan);
	for (unsigned i = 1; i < count; i++) {
		plan_space(plan, BUSWAY_SPACE_BUS);
		plan_window(plan, i, i - 1, (struct busway_range){0x100 * i, 0x100 * i + 0xff},
			    0x100 * (uint64_t)(i - 1));
	}
	plan_ram(plan, (struct busway_range){0, 0xff});
	plan_device(plan, count - 1);
}

static void way_may_lead_through_so_many_spaces_and_no_more(void **state)
{
	(void)state;
	for (unsigned count = 1; count <= BUSWAY_HOPS_MAX + 2; count++) {
		const uint64_t dma = 0x100 * (uint64_t)(count - 1) + 7;
		struct busway_refusal why = {0};
		struct busway_reach *reach;
		struct busway_path path;
		struct plan plan;
		int status;

		draw_row(&plan, count);
		plan_open(&plan);
		status =
			plan_resolve(&plan, 0, (struct busway_range){dma, dma + 1}, 3, &path, &why);
		reach = plan_reach(&plan, 0, NULL);
		if (count <= BUSWAY_HOPS_MAX) {
			assert_int_equal(status, 0);
			assert_int_equal(path.hop_count, count);
			assert_int_equal(path.hops[count - 1].range.first, 7);
			assert_int_equal(busway_reach_find(reach, busway_dma(dma))->phys.raw, 0);
		} else {
			assert_int_equal(status, -BUSWAY_ERANGE);
			assert_int_equal(why.reason, BUSWAY_TOO_MANY_HOPS);
			assert_null(busway_reach_find(reach, busway_dma(dma)));
		}
		busway_reach_destroy(reach);
		plan_close(&plan);
	}
}

/* A circle with a way out: each turn goes up by 0x10, until memory takes the access.
 *
 *   dev --> [ bus ]  0x00..0xef ----> itself, 0x10 up;  0xf0..0xff ----> [ cpu ] RAM
 */
static void circle_that_is_left_in_time_is_a_way(void **state)
{
	struct plan plan;
	struct busway_path path;
	struct busway_refusal why;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, 1, 1, (struct busway_range){0, 0xef}, 0x10);
	plan_window(&plan, 1, CPU, (struct busway_range){0xf0, 0xff}, 0);
	plan_window(&plan, 1, 1, (struct busway_range){0x100, 0x1ff}, 0x100);
	plan_ram(&plan, (struct busway_range){0, 0xff});
	plan_device(&plan, 1);
	plan_open(&plan);
	assert_int_equal(plan_resolve(&plan, 0, (struct busway_range){4, 4}, 3, &path, NULL), 0);
	assert_int_equal(path.hop_count, 17);
	assert_int_equal(path.hops[16].range.first, 4);
	assert_int_equal(
		plan_resolve(&plan, 0, (struct busway_range){0x123, 0x123}, 3, &path, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_TOO_MANY_HOPS);
	assert_int_equal(path.hop_count, BUSWAY_HOPS_MAX);
	plan_close(&plan);
}

/* ---- untranslatable ---- */

static void hop_without_stated_windows_says_so(void **state)
{
	struct plan plan;
	struct busway_refusal why;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan.spaces[1].untranslatable = true;
	plan_device(&plan, 1);
	plan_open(&plan);
	assert_int_equal(plan_resolve(&plan, 0, (struct busway_range){0, 0xff}, 3, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_UNTRANSLATABLE);
	assert_string_equal(why.hop, plan.spaces[1].name);
	assert_false(why.has_limit);
	plan_close(&plan);
}

/* ---- functions ---- */

static void function_below_a_host_has_its_view(void **state)
{
	static const struct busway_id_map map = {
		.controller = "/iommu",
		.is_range = true,
		.enabled = true,
		.id_base = 0x100,
		.id_count = 0x100,
		.id_mask = 0xffff,
	};
	struct plan plan;
	busway_device_id below = {77}, beside, refused = {78};
	const struct busway_device *function;
	struct busway_reach *reach;

	(void)state;
	draw(&plan);
	plan.devices[0].kind = BUSWAY_DEVICE_PCIE_HOST;
	plan.devices[0].iommu = &map;
	plan.devices[0].iommu_count = 1;
	plan_device(&plan, PCI);
	plan_open(&plan);
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){0}, 0x1ff,
						      "/pcie/fn", &below),
			 0);
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){0}, 0x200,
						      "/pcie/other", &beside),
			 0);
	assert_int_equal(below.index, 2);
	assert_int_equal(beside.index, 3);
	function = busway_platform_device(plan.platform, below);
	assert_string_equal(function->name, "/pcie/fn");
	assert_int_equal(function->kind, BUSWAY_DEVICE_PCI_FUNCTION);
	assert_true(function->has_requester);
	assert_int_equal(function->requester, 0x1ff);
	assert_int_equal(function->own.index, UINT32_MAX);
	assert_true(function->behind_iommu);
	assert_false(busway_platform_device(plan.platform, beside)->behind_iommu);
	assert_int_equal(
		plan_resolve(&plan, beside.index, (struct busway_range){0x10, 0x10}, 3, NULL, NULL),
		0);
	reach = plan_reach(&plan, beside.index, NULL);
	assert_non_null(busway_reach_find(reach, busway_dma(0x10)));
	busway_reach_destroy(reach);
	/* what is no host has no functions, and the platform is still sealed */
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){1}, 0, "/x",
						      &refused),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){4}, 0, "/x",
						      &refused),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){0}, 0, NULL,
						      &refused),
			 -BUSWAY_EINVAL);
	assert_int_equal(refused.index, 78);
	assert_int_equal(busway_platform_device_count(plan.platform), 4);
	assert_int_equal(busway_platform_add_bank(plan.platform, &plan.banks[0]), -BUSWAY_EBUSY);
	plan_close(&plan);
}

/* 80 windows side by side are 160 hops: more than a path holds. The end is what is kept. */
static void long_path_keeps_the_part_that_is_refused(void **state)
{
	struct busway_path path;
	struct busway_refusal why;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	for (uint64_t i = 0; i < 80; i++)
		plan_window(&plan, 1, 0, (struct busway_range){i * 0x100, i * 0x100 + 0xff},
			    i * 0x100);
	plan_ram(&plan, (struct busway_range){0, 0xffff});
	plan_device(&plan, 1);
	plan_open(&plan);
	assert_int_equal(plan_resolve(&plan, 0, (struct busway_range){0, 80 * 0x100}, 3, &path, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NO_WINDOW);
	assert_int_equal(path.hops[path.hop_count - 1].range.first, 80 * 0x100);
	assert_int_equal(path.hop_count + path.left_out, 161);
	plan_close(&plan);
}

/* Of what is the host's own, a function has what the description would give a listed one. */
static void function_below_a_host_has_what_a_listed_one_has(void **state)
{
	static const struct busway_id_map map = {
		.controller = "/iommu",
		.is_range = true,
		.enabled = true,
		.id_base = 0x100,
		.id_count = 0x100,
		.id_mask = 0xffff,
	};
	static const struct busway_note last = {BUSWAY_NOTE_MAP_CELLS, "/n", "p", UINT32_MAX, NULL};
	static const struct busway_note second = {BUSWAY_NOTE_DUPLICATE, "/n", "p", UINT32_MAX,
						  &last};
	static const struct busway_note first = {BUSWAY_NOTE_POOL_IGNORED, "/n", "p", UINT32_MAX,
						 &second};
	const struct busway_device *below, *beside;
	struct plan plan;
	uint32_t pools[2];
	busway_device_id id, refused;

	(void)state;
	draw(&plan);
	pools[0] = plan_pool(&plan, (struct busway_range){0x1000, 0x1fff});
	pools[1] = plan_pool(&plan, (struct busway_range){0x2000, 0x2fff});
	plan.devices[0].kind = BUSWAY_DEVICE_PCIE_HOST;
	plan.devices[0].iommu = &map;
	plan.devices[0].iommu_count = 1;
	plan.devices[0].pools = pools;
	plan.devices[0].pool_count = 2;
	plan.devices[0].restricted_pool = pools[1];
	plan.devices[0].notes = &first;
	plan_device(&plan, PCI);
	plan.devices[1].kind = BUSWAY_DEVICE_PCIE_HOST;
	plan.devices[1].is_bridge_itself = true;
	plan_device(&plan, PCI);
	plan.devices[2].kind = BUSWAY_DEVICE_PCIE_HOST;
	plan.devices[2].translated_always = true;
	plan_open(&plan);

	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){0}, 0x100,
						      "/below", &id),
			 0);
	below = busway_platform_device(plan.platform, id);
	assert_int_equal(below->pool_count, 0);
	assert_int_equal(below->restricted_pool, pools[1]);
	assert_int_equal(below->notes->code, BUSWAY_NOTE_POOL_IGNORED);
	assert_int_equal(below->notes->next->code, BUSWAY_NOTE_MAP_CELLS);
	assert_null(below->notes->next->next);

	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){0}, 0x300,
						      "/beside", &id),
			 0);
	beside = busway_platform_device(plan.platform, id);
	assert_int_equal(beside->pool_count, 1);
	assert_int_equal(beside->pools[0], pools[1]);
	assert_int_equal(beside->notes->code, BUSWAY_NOTE_MAP_CELLS);
	assert_null(beside->notes->next);

	/* the bridge as a master has another view than its functions */
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){1}, 0, "/x",
						      &refused),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_function(plan.platform, (busway_device_id){2}, 0x300,
						      "/always", &id),
			 0);
	assert_true(busway_platform_device(plan.platform, id)->behind_iommu);
	plan_close(&plan);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plan, close_plan)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_path_keeps_the_part_that_is_refused),
		TEST(accesses_land_or_are_refused_with_the_hop),
		TEST(path_shows_every_hop_and_its_window),
		TEST(path_of_a_refusal_ends_at_the_hop_that_refused),
		TEST(path_and_reason_need_not_be_asked_for),
		TEST(range_that_ends_before_it_begins_is_refused),
		TEST(emission_of_the_call_goes_before_that_of_the_device),
		cmocka_unit_test(regions_of_an_access_are_listed_in_order),
		cmocka_unit_test(doorbell_and_memory_beside_it_are_two_places),
		cmocka_unit_test(first_and_last_addresses_are_ordinary),
		cmocka_unit_test(whole_space_is_one_access),
		cmocka_unit_test(way_may_lead_through_so_many_spaces_and_no_more),
		cmocka_unit_test(circle_that_is_left_in_time_is_a_way),
		cmocka_unit_test(hop_without_stated_windows_says_so),
		cmocka_unit_test(function_below_a_host_has_its_view),
		cmocka_unit_test(function_below_a_host_has_what_a_listed_one_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
