/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address_test.c - the addresses of a region: busway_address_for(). Its reasons: refusal_test.c;
 * random platforms: property_test.c.
 *
 *   window 0   dma 0x0000..0x0fff --> 0x10000..0x10fff
 *   window 1   dma 0x4000..0x4fff --> 0x11000..0x11fff
 *   window 2   dma 0x8000..0x8fff --> 0x10800..0x117ff      overlaps both
 *   window 3   dma 0xc000..0xcfff --> 0x13000..0x13fff      read only
 *   RAM        0x10000..0x13fff
 */
#include "support/plan.h"
#include "support/test.h"

enum { CPU, BUS };

static int open_plan(void **state)
{
	static struct plan plan;

	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x0000, 0x0fff}, 0x10000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x4000, 0x4fff}, 0x11000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x8000, 0x8fff}, 0x10800);
	plan_window(&plan, BUS, CPU, (struct busway_range){0xc000, 0xcfff}, 0x13000);
	plan.windows[3].access = BUSWAY_READ;
	plan_ram(&plan, (struct busway_range){0x10000, 0x13fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	*state = &plan;
	return 0;
}

static int close_plan(void **state)
{
	plan_close(*state);
	return 0;
}

enum { SEGMENTS = 8 };

static const struct busway_segment untouched = {{{0x1dead}, {0x1beef}}};

struct answer {
	int status;
	size_t count;
	struct busway_segment segments[SEGMENTS];
	struct busway_refusal why;
};

static struct answer ask(struct plan *plan, struct busway_range phys, enum busway_access access,
			 unsigned flags, size_t capacity)
{
	struct busway_reach *reach = plan_reach(plan, 0, NULL);
	struct answer a = {.count = 0x77};

	for (size_t i = 0; i < SEGMENTS; i++)
		a.segments[i] = untouched;
	a.status = busway_address_for(reach, busway_phys_range(phys), access, flags, a.segments,
				      capacity, &a.count, &a.why);
	busway_reach_destroy(reach);
	return a;
}

static bool is_untouched(const struct busway_segment *segment)
{
	return segment->dma.first.raw == untouched.dma.first.raw &&
	       segment->dma.last.raw == untouched.dma.last.raw;
}

/* ---- segments ---- */

static void memory_is_reached_in_as_few_segments_as_the_windows_allow(void **state)
{
	static const struct {
		const char *because;
		struct busway_range phys;
		enum busway_access access;
		size_t count;
		struct busway_range dma[3];
	} cases[] = {
		{"one window", {0x10000, 0x100ff}, 3, 1, {{0, 0xff}}},
		{"one byte", {0x10fff, 0x10fff}, 3, 1, {{0xfff, 0xfff}}},
		{"two windows hold it: the first one added",
		 {0x10900, 0x109ff},
		 3,
		 1,
		 {{0x900, 0x9ff}}},
		{"across the seam, the third window holds it all",
		 {0x10fff, 0x11000},
		 3,
		 1,
		 {{0x87ff, 0x8800}}},
		{"the third goes further than the first",
		 {0x10800, 0x11fff},
		 3,
		 2,
		 {{0x8000, 0x8fff}, {0x4800, 0x4fff}}},
		{"the first one, then what goes furthest",
		 {0x10000, 0x11fff},
		 3,
		 2,
		 {{0x0, 0xfff}, {0x4000, 0x4fff}}},
		{"for reads the fourth as well", {0x13000, 0x13fff}, 1, 1, {{0xc000, 0xcfff}}},
	};
	struct plan *plan = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct answer a = ask(plan, cases[i].phys, cases[i].access, 0, SEGMENTS);

		if (a.status || a.count != cases[i].count)
			fail_msg("case %zu: %s: %d, %zu segments", i, cases[i].because, a.status,
				 a.count);
		for (size_t n = 0; n < a.count; n++)
			if (a.segments[n].dma.first.raw != cases[i].dma[n].first ||
			    a.segments[n].dma.last.raw != cases[i].dma[n].last)
				fail_msg("case %zu: %s: segment %zu is 0x%" PRIx64 "..0x%" PRIx64,
					 i, cases[i].because, n, a.segments[n].dma.first.raw,
					 a.segments[n].dma.last.raw);
		assert_true(is_untouched(&a.segments[a.count]));
	}
}

/*
 * Where what is allowed changes but the addresses go on, it is still one segment.
 *
 *   RAM   0x0000..0x0fff read, write      0x1000..0x1fff read
 */
static void change_of_what_is_allowed_is_no_seam(void **state)
{
	struct plan plan;
	struct answer a;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xfff});
	plan_ram(&plan, (struct busway_range){0x1000, 0x1fff});
	plan.regions[1].access = BUSWAY_READ;
	plan_device(&plan, CPU);
	plan_open(&plan);
	a = ask(&plan, (struct busway_range){0x800, 0x17ff}, BUSWAY_READ, 0, SEGMENTS);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.segments[0].dma.first.raw, 0x800);
	assert_int_equal(a.segments[0].dma.last.raw, 0x17ff);
	plan_close(&plan);
}

/*
 * The way that goes furthest is that of window 0, though what it allows changes on it.
 *
 *   window 0   dma 0x0000..0x2fff --> 0x0000..0x2fff
 *   window 1   dma 0x8000..0xa7ff --> 0x0000..0x27ff      read only, all of it
 *   RAM        0x0000..0x1fff read, write      0x2000..0x2fff read
 */
static void way_on_which_more_or_less_is_allowed_is_still_one_way(void **state)
{
	struct plan plan;
	struct answer a;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x0000, 0x2fff}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x8000, 0xa7ff}, 0);
	plan.windows[1].access = BUSWAY_READ;
	plan_ram(&plan, (struct busway_range){0, 0x1fff});
	plan_ram(&plan, (struct busway_range){0x2000, 0x2fff});
	plan.regions[1].access = BUSWAY_READ;
	plan_device(&plan, BUS);
	plan_open(&plan);
	a = ask(&plan, (struct busway_range){0, 0x2fff}, BUSWAY_READ, 0, SEGMENTS);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 1);
	assert_int_equal(a.segments[0].dma.first.raw, 0);
	assert_int_equal(a.segments[0].dma.last.raw, 0x2fff);
	plan_close(&plan);
}

/*
 *   window 0   the last 0x1000 addresses of the bus --> 0x0000..0x0fff
 *   window 1   dma 0x0000..0x0fff                   --> 0x1000..0x1fff
 */
static void last_address_of_a_bus_is_a_seam(void **state)
{
	struct plan plan;
	struct answer a;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){UINT64_MAX - 0xfff, UINT64_MAX}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0x1000);
	plan_ram(&plan, (struct busway_range){0, 0x1fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	a = ask(&plan, (struct busway_range){0, 0x1fff}, BUSWAY_READ_WRITE, 0, SEGMENTS);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 2);
	assert_int_equal(a.segments[0].dma.last.raw, UINT64_MAX);
	assert_int_equal(a.segments[1].dma.first.raw, 0);
	plan_close(&plan);
}

static void limits_split_segments_further(void **state)
{
	static const struct {
		const char *because;
		struct busway_segment_limits limits;
		struct busway_range phys;
		size_t count;
		struct busway_range dma[4];
	} cases[] = {
		{"no limits", {0, 0, 0}, {0x10000, 0x10fff}, 1, {{0, 0xfff}}},
		{"exactly one segment", {0x1000, 0, 1}, {0x10000, 0x10fff}, 1, {{0, 0xfff}}},
		{"one byte more than a segment",
		 {0xfff, 0, 0},
		 {0x10000, 0x10fff},
		 2,
		 {{0, 0xffe}, {0xfff, 0xfff}}},
		{"a boundary counts on the bus",
		 {0, 0x400, 0},
		 {0x103ff, 0x10400},
		 2,
		 {{0x3ff, 0x3ff}, {0x400, 0x400}}},
		{"beside a boundary", {0, 0x400, 0}, {0x10400, 0x107ff}, 1, {{0x400, 0x7ff}}},
		{"size and boundary",
		 {0x300, 0x400, 0},
		 {0x10000, 0x105ff},
		 3,
		 {{0, 0x2ff}, {0x300, 0x3ff}, {0x400, 0x5ff}}},
		{"segments of one byte", {1, 0, 2}, {0x10000, 0x10001}, 2, {{0, 0}, {1, 1}}},
		{"a boundary at each byte", {0, 1, 0}, {0x10002, 0x10003}, 2, {{2, 2}, {3, 3}}},
		{"as many as it takes",
		 {0x400, 0, 4},
		 {0x10000, 0x10fff},
		 4,
		 {{0, 0x3ff}, {0x400, 0x7ff}, {0x800, 0xbff}, {0xc00, 0xfff}}},
	};
	struct plan *plan = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct answer a;

		assert_int_equal(busway_platform_set_segments(plan->platform, (busway_device_id){0},
							      &cases[i].limits),
				 0);
		a = ask(plan, cases[i].phys, BUSWAY_READ_WRITE, 0, SEGMENTS);
		if (a.status || a.count != cases[i].count)
			fail_msg("case %zu: %s: %d, %zu segments", i, cases[i].because, a.status,
				 a.count);
		for (size_t n = 0; n < a.count; n++)
			if (a.segments[n].dma.first.raw != cases[i].dma[n].first ||
			    a.segments[n].dma.last.raw != cases[i].dma[n].last)
				fail_msg("case %zu: %s: segment %zu", i, cases[i].because, n);
	}
}

static void list_that_is_too_long_for_the_device_is_refused(void **state)
{
	const struct busway_segment_limits limits = {.max_size = 0x400, .max_count = 3};
	struct plan *plan = *state;
	struct answer a;

	assert_int_equal(
		busway_platform_set_segments(plan->platform, (busway_device_id){0}, &limits), 0);
	a = ask(plan, (struct busway_range){0x10000, 0x10bff}, BUSWAY_READ_WRITE, 0, SEGMENTS);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 3);
	a = ask(plan, (struct busway_range){0x10000, 0x10c00}, BUSWAY_READ_WRITE, 0, SEGMENTS);
	assert_int_equal(a.status, -BUSWAY_ERANGE);
	assert_int_equal(a.why.reason, BUSWAY_SEGMENT_LIMITS);
	assert_int_equal(a.count, 0x77);
}

static void segments_beyond_the_array_are_counted(void **state)
{
	const struct busway_segment_limits limits = {.max_size = 0x400};
	struct plan *plan = *state;

	assert_int_equal(
		busway_platform_set_segments(plan->platform, (busway_device_id){0}, &limits), 0);
	for (size_t capacity = 0; capacity <= 5; capacity++) {
		const struct answer a = ask(plan, (struct busway_range){0x10000, 0x10fff},
					    BUSWAY_READ_WRITE, 0, capacity);

		assert_int_equal(a.status, capacity < 4 ? -BUSWAY_ENOSPC : 0);
		assert_int_equal(a.count, 4);
		assert_true(is_untouched(&a.segments[capacity]));
	}
}

static void array_need_not_exist_to_be_counted(void **state)
{
	struct plan *plan = *state;
	struct busway_reach *reach = plan_reach(plan, 0, NULL);
	size_t count = 0;

	assert_int_equal(busway_address_for(
				 reach, busway_phys_range((struct busway_range){0x10000, 0x11fff}),
				 BUSWAY_READ, 0, NULL, 0, &count, NULL),
			 -BUSWAY_ENOSPC);
	assert_int_equal(count, 2);
	busway_reach_destroy(reach);
}

/* ---- refusals ---- */

static void refused_call_writes_no_segment(void **state)
{
	static const struct {
		const char *because;
		struct busway_range phys;
		enum busway_access access;
		int status;
	} cases[] = {
		{"the second half is out of reach", {0x11f00, 0x120ff}, 3, -BUSWAY_ERANGE},
		{"the second half may not be written", {0x12000, 0x13fff}, 2, -BUSWAY_ERANGE},
		{"nothing is there", {0, 0}, 3, -BUSWAY_ERANGE},
		{"nor at the last address", {UINT64_MAX, UINT64_MAX}, 3, -BUSWAY_ERANGE},
		{"nor everywhere", {0, UINT64_MAX}, 3, -BUSWAY_ERANGE},
		{"it ends before it begins", {1, 0}, 3, -BUSWAY_EINVAL},
	};
	const struct busway_segment_limits few = {.max_size = 0x400, .max_count = 2};
	struct plan *plan = *state;
	struct answer a;

	for (size_t i = 0; i < COUNT(cases); i++) {
		a = ask(plan, cases[i].phys, cases[i].access, 0, SEGMENTS);
		if (a.status != cases[i].status || a.count != 0x77 || !is_untouched(a.segments))
			fail_msg("case %zu: %s", i, cases[i].because);
	}
	assert_int_equal(busway_platform_set_segments(plan->platform, (busway_device_id){0}, &few),
			 0);
	a = ask(plan, (struct busway_range){0x10000, 0x10fff}, BUSWAY_READ_WRITE, 0, SEGMENTS);
	assert_int_equal(a.status, -BUSWAY_ERANGE);
	assert_true(is_untouched(a.segments));
}

static void translated_device_is_refused_unless_its_iommu_passes(void **state)
{
	static const struct busway_id_map map = {.controller = "/iommu", .enabled = true};
	struct plan plan;
	struct answer a;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xfff});
	plan_device(&plan, CPU);
	plan.devices[0].behind_iommu = true;
	plan.devices[0].iommu = &map;
	plan.devices[0].iommu_count = 1;
	plan_open(&plan);
	a = ask(&plan, (struct busway_range){0, 0xf}, BUSWAY_READ, 0, SEGMENTS);
	assert_int_equal(a.status, -BUSWAY_ERANGE);
	assert_int_equal(a.why.reason, BUSWAY_BEHIND_IOMMU);
	assert_string_equal(a.why.by, "/iommu");
	a = ask(&plan, (struct busway_range){0, 0xf}, BUSWAY_READ, BUSWAY_ADDRESS_BYPASS_IOMMU,
		SEGMENTS);
	assert_int_equal(a.status, 0);
	assert_int_equal(a.count, 1);
	plan_close(&plan);
}

static void device_with_a_restricted_pool_is_refused_even_inside_it(void **state)
{
	struct plan plan;
	struct answer a;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xfff});
	plan_device(&plan, CPU);
	plan.devices[0].restricted_pool = plan_pool(&plan, (struct busway_range){0x100, 0x1ff});
	plan_open(&plan);
	for (unsigned flags = 0; flags <= BUSWAY_ADDRESS_BYPASS_IOMMU; flags++) {
		a = ask(&plan, (struct busway_range){0x100, 0x10f}, BUSWAY_READ, flags, SEGMENTS);
		assert_int_equal(a.status, -BUSWAY_ERANGE);
		assert_int_equal(a.why.reason, BUSWAY_RESTRICTED);
		assert_true(a.why.has_limit);
		assert_int_equal(a.why.limit.first, 0x100);
		assert_int_equal(a.why.limit.last, 0x1ff);
	}
	plan_close(&plan);
}

/*
 * Two ways to the same memory, and segments of 0x100 that cross no 0x100: by the first, which is
 * askew, 0x200 bytes take three segments, by the second two.
 */
static void way_of_fewest_segments_is_taken(void **state)
{
	const struct busway_phys_range memory = {{0x10000}, {0x101ff}};
	struct busway_segment segments[4];
	struct plan plan;
	struct busway_reach *reach;
	size_t count = 0;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1040, 0x1fff}, 0x10000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x8000, 0x8fff}, 0x10000);
	plan_ram(&plan, (struct busway_range){0x10000, 0x10fff});
	plan_device(&plan, BUS);
	plan.devices[0].segments = (struct busway_segment_limits){
		.max_size = 0x100, .boundary = 0x100, .max_count = 2};
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	assert_int_equal(
		busway_address_for(reach, memory, BUSWAY_READ_WRITE, 0, segments, 4, &count, NULL),
		0);
	assert_int_equal(count, 2);
	assert_int_equal(segments[0].dma.first.raw, 0x8000);
	assert_int_equal(segments[1].dma.last.raw, 0x81ff);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/*
 * 0x40..0x103f in segments of 0x80 that cross no 0x100: two before the first boundary, two in each
 * of 15 blocks, one behind the last. As many as are counted are written.
 */
static void segments_are_counted_as_they_are_made(void **state)
{
	const struct busway_phys_range memory = {{0x40}, {0x103f}};
	struct busway_segment segments[64];
	struct plan plan;
	struct busway_reach *reach;
	size_t count = 0;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xffff});
	plan_device(&plan, CPU);
	plan.devices[0].segments =
		(struct busway_segment_limits){.max_size = 0x80, .boundary = 0x100};
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	assert_int_equal(
		busway_address_for(reach, memory, BUSWAY_READ_WRITE, 0, segments, 64, &count, NULL),
		0);
	assert_int_equal(count, 33);
	assert_int_equal(segments[32].dma.first.raw, 0x1000);
	assert_int_equal(segments[32].dma.last.raw, 0x103f);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/* All of a 64-bit space in segments of one byte is refused at once, not counted to the end. */
static void endless_lists_are_refused_at_once(void **state)
{
	static const struct busway_segment_limits limits[] = {
		{.max_size = 1}, {.boundary = 1}, {.max_size = 3, .boundary = 2}};

	(void)state;
	for (size_t i = 0; i < COUNT(limits) * 2; i++) {
		struct busway_refusal why = {0};
		struct plan plan;
		struct busway_reach *reach;
		size_t count = 0;

		plan_init(&plan);
		plan_space(&plan, BUSWAY_SPACE_BUS);
		plan_window(&plan, BUS, CPU, BUSWAY_RANGE_ALL, 0);
		if (i >= COUNT(limits)) { /* aliased as well */
			plan.windows[0].in.last = UINT64_MAX - 0x1000;
			plan_window(&plan, BUS, CPU,
				    (struct busway_range){UINT64_MAX - 0xfff, UINT64_MAX}, 0);
		}
		plan_ram(&plan, (struct busway_range){0, UINT64_MAX - 0x1000});
		plan_device(&plan, BUS);
		plan.devices[0].segments = limits[i % COUNT(limits)];
		plan_open(&plan);
		reach = plan_reach(&plan, 0, NULL);
		assert_int_equal(
			busway_address_for(reach,
					   (struct busway_phys_range){{0}, {UINT64_MAX - 0x1000}},
					   BUSWAY_READ_WRITE, 0, NULL, 0, &count, &why),
			-BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_SEGMENT_LIMITS);
		assert_true(why.needed > BUSWAY_SEGMENTS_MAX);
		busway_reach_destroy(reach);
		plan_close(&plan);
	}
}

/* What one access is not: nothing. */
static void access_to_do_nothing_is_invalid(void **state)
{
	struct busway_path path;
	struct answer a;

	a = ask(*state, (struct busway_range){0x10000, 0x1000f}, (enum busway_access)0, 0,
		SEGMENTS);
	assert_int_equal(a.status, -BUSWAY_EINVAL);
	assert_int_equal(plan_resolve(*state, 0, (struct busway_range){0, 0}, (enum busway_access)0,
				      &path, NULL),
			 -BUSWAY_EINVAL);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_plan, close_plan)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_counted_as_they_are_made),
		cmocka_unit_test(way_of_fewest_segments_is_taken),
		cmocka_unit_test(endless_lists_are_refused_at_once),
		cmocka_unit_test_setup_teardown(access_to_do_nothing_is_invalid, open_plan,
						close_plan),
		TEST(memory_is_reached_in_as_few_segments_as_the_windows_allow),
		cmocka_unit_test(change_of_what_is_allowed_is_no_seam),
		cmocka_unit_test(way_on_which_more_or_less_is_allowed_is_still_one_way),
		cmocka_unit_test(last_address_of_a_bus_is_a_seam),
		TEST(limits_split_segments_further),
		TEST(list_that_is_too_long_for_the_device_is_refused),
		TEST(segments_beyond_the_array_are_counted),
		TEST(array_need_not_exist_to_be_counted),
		TEST(refused_call_writes_no_segment),
		cmocka_unit_test(translated_device_is_refused_unless_its_iommu_passes),
		cmocka_unit_test(device_with_a_restricted_pool_is_refused_even_inside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
