/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach_test.c - the flattened view: <busway/reach.h>. Random platforms: property_test.c.
 */
#include "support/plan.h"
#include "support/test.h"

#include <string.h>

enum { CPU, BUS };

/* A piece that is expected: dma, where its first byte lands, and the region (by index). */
struct expected {
	uint64_t first, last, phys;
	uint32_t target;
	enum busway_access access;
};

static void check_pieces(struct plan *plan, const struct busway_reach *reach,
			 const struct expected *expected, size_t expected_count)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

	for (size_t i = 0; i < count && i < expected_count; i++) {
		assert_int_equal(pieces[i].dma.first.raw, expected[i].first);
		assert_int_equal(pieces[i].dma.last.raw, expected[i].last);
		assert_int_equal(pieces[i].phys.raw, expected[i].phys);
		assert_int_equal(pieces[i].target.index, expected[i].target);
		assert_int_equal(pieces[i].access, expected[i].access);
	}
	if (count != expected_count) {
		plan_print(plan);
		fail_msg("%zu pieces, not %zu", count, expected_count);
	}
}

static void check_reach(struct plan *plan, const struct expected *expected, size_t count)
{
	struct busway_reach *reach = plan_reach(plan, 0, NULL);

	check_pieces(plan, reach, expected, count);
	busway_reach_destroy(reach);
}

/*
 *   window 0     [0----------fff]                  --> 0x10000
 *   window 1             [800------------17ff]     --> 0x20000, where 0 leaves something
 *   RAM             0x10100..0x10fff, 0x20000..0x203ff, 0x20800..
 *   carve-out       0x10200..0x102ff
 */
static void pieces_are_what_is_memory_behind_the_windows(void **state)
{
	static const struct expected expected[] = {
		{0x100, 0x1ff, 0x10100, 0, 3},
		{0x300, 0xfff, 0x10300, 0, 3},
		{0x1000, 0x17ff, 0x20800, 2, 3},
	};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_PCI);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0x10000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x800, 0x17ff}, 0x20000);
	plan_ram(&plan, (struct busway_range){0x10100, 0x10fff});
	plan_ram(&plan, (struct busway_range){0x20000, 0x203ff});
	plan_ram(&plan, (struct busway_range){0x20800, 0x2ffff});
	plan_region(&plan, CPU, BUSWAY_REGION_CARVEOUT, (struct busway_range){0x10200, 0x102ff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

/* Ranges of one memory node are one piece; of two nodes, two. */
static void pieces_are_merged_within_one_name(void **state)
{
	static const struct expected expected[] = {
		{0, 0x2fff, 0, 0, 3},
		{0x3000, 0x3fff, 0x3000, 2, 3},
		{0x4000, 0x4fff, 0x4000, 3, 1},
	};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xfff});
	plan_ram(&plan, (struct busway_range){0x1000, 0x2fff});
	plan_ram(&plan, (struct busway_range){0x3000, 0x3fff});
	plan_ram(&plan, (struct busway_range){0x4000, 0x4fff});
	plan.regions[1].name = plan.regions[0].name;
	plan.regions[3].name = plan.regions[2].name; /* but for reads only */
	plan.regions[3].access = BUSWAY_READ;
	plan_device(&plan, CPU);
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

/* Two windows in a row with one offset are no seam; with another offset they are. */
static void windows_side_by_side_are_one_piece(void **state)
{
	static const struct expected expected[] = {
		{0, 0x1fff, 0x8000, 0, 3},
		{0x2000, 0x2fff, 0xb000, 0, 3},
	};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0x9000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0x8000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x2000, 0x2fff}, 0xb000);
	plan_ram(&plan, (struct busway_range){0, 0xffff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

static void piece_allows_what_every_hop_allows(void **state)
{
	static const struct expected expected[] = {
		{0, 0xfff, 0x1000, 0, 1},
		{0x2000, 0x2fff, 0x1000, 0, 3},
	};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0x1000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0x2000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x2000, 0x2fff}, 0x1000);
	plan.windows[0].access = BUSWAY_READ;
	plan.windows[1].access = BUSWAY_READ; /* of memory for writes: nothing is left */
	plan_ram(&plan, (struct busway_range){0x1000, 0x1fff});
	plan_ram(&plan, (struct busway_range){0x2000, 0x2fff});
	plan.regions[1].access = BUSWAY_WRITE;
	plan_device(&plan, BUS);
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

static void pieces_are_cut_to_what_the_device_emits(void **state)
{
	static const struct busway_range only[] = {{0x10, 0x1f}, {0x40, 0x4ff}, {0x900, 0xfff}};
	static const struct expected bits[] = {
		{0x100, 0x1ff, 0x1100, 0, 3},
		{0x300, 0x3ff, 0x1300, 0, 3},
	};
	static const struct expected ranges[] = {
		{0x10, 0x1f, 0x1010, 0, 3},
		{0x40, 0x4ff, 0x1040, 0, 3},
	};
	const struct busway_emission patterned = {.zero = ~(uint64_t)0x3ff, .one = 0x100};
	const struct busway_emission listed = {
		.zero = ~(uint64_t)0x7ff, .only = only, .only_count = 3};
	struct busway_reach *reach;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0x1000);
	plan_ram(&plan, (struct busway_range){0, 0xffff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, &patterned);
	check_pieces(&plan, reach, bits, COUNT(bits));
	busway_reach_destroy(reach);
	reach = plan_reach(&plan, 0, &listed);
	check_pieces(&plan, reach, ranges, COUNT(ranges));
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/* .only may list ranges that adjoin: that is still one piece. */
static void ranges_that_adjoin_are_emitted_as_one(void **state)
{
	static const struct expected expected[] = {{0x10, 0x2f, 0x10, 0, 3}};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xffff});
	plan_device(&plan, CPU);
	plan.only[0][0] = (struct busway_range){0x10, 0x1f};
	plan.only[0][1] = (struct busway_range){0x20, 0x2f};
	plan.devices[0].emission.only = plan.only[0];
	plan.devices[0].emission.only_count = 2;
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

/*
 * Memory on a bus is no memory of the CPU's: its address there means something else.
 *
 *   dev --> [ bus ]  RAM 0x1000..0x1fff        [ cpu ]  RAM 0x1000..0x1fff, out of reach
 */
static void memory_of_a_bus_is_not_taken_for_the_cpus(void **state)
{
	struct plan plan;
	struct busway_reach *reach;
	busway_dma_t dma;
	size_t count;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_region(&plan, BUS, BUSWAY_REGION_RAM, (struct busway_range){0x1000, 0x1fff});
	plan_ram(&plan, (struct busway_range){0x1000, 0x1fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	busway_reach_pieces(reach, &count);
	assert_int_equal(count, 0);
	assert_int_equal(
		busway_reach_address(
			reach, busway_phys_range((struct busway_range){0x1000, 0x1fff}), &dma),
		-BUSWAY_ERANGE);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

static void unknown_memory_is_reached_where_nothing_else_is(void **state)
{
	static const struct expected expected[] = {
		{0, 0xfff, 0x40000000, 0, 3},
		{0x2000, 0x2fff, 0x40002000, 0, 3},
	};
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0x2fff}, 0x40000000);
	plan_region(&plan, CPU, BUSWAY_REGION_UNKNOWN, BUSWAY_RANGE_ALL);
	plan_region(&plan, CPU, BUSWAY_REGION_APERTURE,
		    (struct busway_range){0x40001000, 0x40001fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	check_reach(&plan, expected, COUNT(expected));
	plan_close(&plan);
}

static void device_that_reaches_nothing_has_an_empty_reach(void **state)
{
	static const uint64_t addresses[] = {0, 1, 0x1000, UINT64_MAX};
	struct plan plan;
	struct busway_reach *reach;
	struct busway_piece *pieces = (void *)&plan;
	size_t count = 77;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_ram(&plan, BUSWAY_RANGE_ALL);
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	for (size_t i = 0; i < COUNT(addresses); i++) {
		const struct busway_phys_range one = {{addresses[i]}, {addresses[i]}};
		busway_dma_t dma = {0x77};

		assert_null(busway_reach_find(reach, busway_dma(addresses[i])));
		assert_int_equal(busway_reach_address(reach, one, &dma), -BUSWAY_ERANGE);
		assert_int_equal(dma.raw, 0x77);
	}
	check_pieces(&plan, reach, NULL, 0);
	busway_reach_destroy(reach);
	assert_int_equal(busway_windows_build(plan.platform, (busway_device_id){0},
					      &plan.memory.allocator, &pieces, &count),
			 0);
	assert_int_equal(count, 0);
	plan_close(&plan);
}

static void whole_space_is_one_piece(void **state)
{
	static const struct expected expected[] = {{0, UINT64_MAX, 0, 0, 3}};
	struct plan plan;
	struct busway_reach *reach;
	busway_dma_t dma;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, BUSWAY_RANGE_ALL, 0);
	plan_ram(&plan, BUSWAY_RANGE_ALL);
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	check_pieces(&plan, reach, expected, 1);
	assert_non_null(busway_reach_find(reach, busway_dma(0)));
	assert_non_null(busway_reach_find(reach, busway_dma(UINT64_MAX)));
	assert_int_equal(busway_reach_address(reach, busway_phys_range(BUSWAY_RANGE_ALL), &dma), 0);
	assert_int_equal(dma.raw, 0);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/*
 * What is last in one space is not followed by what is first.
 *
 *   dma ..fff0..ffff --> 0..f          dma 0..f --> ..fff0..ffff
 */
static void pieces_do_not_go_on_across_the_end(void **state)
{
	static const struct expected expected[] = {
		{0, 0xf, UINT64_MAX - 0xf, 1, 3},
		{0x10, 0x1f, 0x20, 0, 3},
		{UINT64_MAX - 0xf, UINT64_MAX, 0, 0, 3},
	};
	struct plan plan;
	struct busway_reach *reach;
	busway_dma_t dma;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xf}, UINT64_MAX - 0xf);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x10, 0x1f}, 0x20);
	plan_window(&plan, BUS, CPU, (struct busway_range){UINT64_MAX - 0xf, UINT64_MAX}, 0);
	plan_ram(&plan, (struct busway_range){0, 0xff});
	plan_ram(&plan, (struct busway_range){UINT64_MAX - 0xff, UINT64_MAX});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	check_pieces(&plan, reach, expected, COUNT(expected));
	assert_int_equal(
		busway_reach_address(
			reach, busway_phys_range((struct busway_range){UINT64_MAX - 1, UINT64_MAX}),
			&dma),
		0);
	assert_int_equal(dma.raw, 0xe);
	assert_int_equal(
		busway_reach_address(reach, busway_phys_range((struct busway_range){0, 0xf}), &dma),
		0);
	assert_int_equal(dma.raw, UINT64_MAX - 0xf);
	assert_int_equal(busway_reach_address(
				 reach, busway_phys_range((struct busway_range){0, 0x10}), &dma),
			 -BUSWAY_ERANGE);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/* ---- several addresses for one piece of memory ---- */

/*
 *   window 0   dma 0x3000..0x3fff --> 0x0000..0x0fff
 *   window 1   dma 0x1000..0x2fff --> 0x0000..0x1fff
 *   window 2   dma 0x5000..0x5fff --> 0x0800..0x17ff
 */
static void first_window_that_holds_the_memory_is_taken(void **state)
{
	static const struct {
		const char *because;
		struct busway_range phys;
		uint64_t dma;
	} cases[] = {
		{"all three hold it: window 0", {0x900, 0x9ff}, 0x3900},
		{"its last byte", {0xfff, 0xfff}, 0x3fff},
		{"windows 1 and 2 hold it: window 1", {0x1000, 0x10ff}, 0x2000},
		{"window 0 ends inside: window 1", {0xfff, 0x1000}, 0x1fff},
		{"only window 1 is that long", {0x0, 0x1fff}, 0x1000},
		{"only window 1 reaches it", {0x1800, 0x1fff}, 0x2800},
	};
	struct plan plan;
	struct busway_reach *reach;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x3000, 0x3fff}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x2fff}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x5000, 0x5fff}, 0x800);
	plan_ram(&plan, (struct busway_range){0, 0x1fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		busway_dma_t dma = {0x77};

		if (busway_reach_address(reach, busway_phys_range(cases[i].phys), &dma) ||
		    dma.raw != cases[i].dma)
			fail_msg("case %zu: %s: 0x%" PRIx64, i, cases[i].because, dma.raw);
	}
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/*
 * That a window is merged with its neighbour does not change its place in line.
 *
 *   window 0   dma 0x1000..0x1fff --> 0x1000
 *   window 1   dma 0x8000..0x8fff --> 0x1000     another way to the same memory
 *   window 2   dma 0x0000..0x0fff --> 0x0000     window 0 goes on from here
 */
static void merged_windows_keep_their_place_in_line(void **state)
{
	struct plan plan;
	struct busway_reach *reach;
	busway_dma_t dma;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0x1000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x8000, 0x8fff}, 0x1000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x0000, 0x0fff}, 0x0000);
	plan_ram(&plan, (struct busway_range){0, 0x1fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	assert_int_equal(
		busway_reach_address(
			reach, busway_phys_range((struct busway_range){0x1000, 0x10ff}), &dma),
		0);
	assert_int_equal(dma.raw, 0x1000);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

static void one_address_is_for_reading_and_writing(void **state)
{
	struct plan plan;
	struct busway_reach *reach;
	busway_dma_t dma;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xfff}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0);
	plan.windows[0].access = BUSWAY_READ;
	plan_ram(&plan, (struct busway_range){0, 0x1fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	assert_int_equal(
		busway_reach_address(reach, busway_phys_range((struct busway_range){0, 0xf}), &dma),
		0);
	assert_int_equal(dma.raw, 0x1000);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/* ---- limits ---- */

/* With its lowest address line missing a device sees each second byte: too many pieces. */
static void reach_of_too_many_pieces_is_refused(void **state)
{
	const struct busway_emission even = {.zero = 1};
	struct plan plan;
	struct busway_reach *reach = NULL;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 4 * BUSWAY_PIECES_MAX});
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(busway_reach_build(plan.platform, (busway_device_id){0}, &even,
					    &plan.memory.allocator, &reach),
			 -BUSWAY_E2BIG);
	assert_null(reach);
	plan_close(&plan);
}

/* ---- effective windows ---- */

/*
 *   dev --> [ pci ]  0..1fff --> [ soc ] 0x10000..; 0x10000..0x10fff --> [ cpu ] 0x80000000
 *
 * There is no memory, an aperture stands in the way, and the device drives 4 address lines.
 */
static void windows_are_told_whatever_is_there(void **state)
{
	struct plan plan;
	struct busway_piece *pieces;
	size_t count;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_space(&plan, BUSWAY_SPACE_PCI);
	plan_window(&plan, 2, 1, (struct busway_range){0, 0x1fff}, 0x10000);
	plan_window(&plan, 1, 0, (struct busway_range){0x10000, 0x10fff}, 0x80000000);
	plan.windows[1].access = BUSWAY_WRITE;
	plan_region(&plan, 2, BUSWAY_REGION_APERTURE, (struct busway_range){0, 0xff});
	plan_device(&plan, 2);
	plan.devices[0].emission = busway_emission_mask(4);
	plan_open(&plan);
	assert_int_equal(busway_windows_build(plan.platform, (busway_device_id){0},
					      &plan.memory.allocator, &pieces, &count),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(pieces[0].dma.first.raw, 0);
	assert_int_equal(pieces[0].dma.last.raw, 0xfff);
	assert_int_equal(pieces[0].phys.raw, 0x80000000);
	assert_int_equal(pieces[0].access, BUSWAY_WRITE);
	plan.memory.allocator.free(&plan.memory, pieces, count * sizeof(*pieces),
				   _Alignof(struct busway_piece));
	plan_close(&plan);
}

static void device_in_the_cpu_space_has_one_window_of_all(void **state)
{
	struct plan plan;
	struct busway_piece *pieces;
	size_t count;

	(void)state;
	plan_init(&plan);
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(busway_windows_build(plan.platform, (busway_device_id){0},
					      &plan.memory.allocator, &pieces, &count),
			 0);
	assert_int_equal(count, 1);
	assert_int_equal(pieces[0].dma.first.raw, 0);
	assert_int_equal(pieces[0].dma.last.raw, UINT64_MAX);
	assert_int_equal(pieces[0].phys.raw, 0);
	plan.memory.allocator.free(&plan.memory, pieces, count * sizeof(*pieces),
				   _Alignof(struct busway_piece));
	plan_close(&plan);
}

/* The fast path hands out memory as it is: not to those who must bounce, or are translated. */
static void one_address_is_for_devices_without_conditions_only(void **state)
{
	static const char *const because[] = {"nothing in the way", "an IOMMU", "a restricted pool",
					      "a largest segment", "a boundary"};
	const struct busway_phys_range memory = {{0x1000}, {0x10ff}};

	(void)state;
	for (size_t i = 0; i < COUNT(because); i++) {
		struct plan plan;
		struct busway_reach *reach;
		busway_dma_t dma = {0xdead};
		int status;

		plan_init(&plan);
		plan_ram(&plan, (struct busway_range){0, 0xffff});
		plan_device(&plan, CPU);
		plan.devices[0].behind_iommu = i == 1;
		if (i == 2)
			plan.devices[0].restricted_pool =
				plan_pool(&plan, (struct busway_range){0x1000, 0x1fff});
		plan.devices[0].segments.max_size = i == 3 ? 0x80 : 0;
		plan.devices[0].segments.boundary = i == 4 ? 0x80 : 0;
		plan_open(&plan);
		reach = plan_reach(&plan, 0, NULL);
		status = busway_reach_address(reach, memory, &dma);
		if (status != (i ? -BUSWAY_ERANGE : 0) || dma.raw != (i ? 0xdead : 0x1000))
			fail_msg("%s: %d, 0x%" PRIx64, because[i], status, dma.raw);
		busway_reach_destroy(reach);
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_is_for_devices_without_conditions_only),
		cmocka_unit_test(pieces_are_what_is_memory_behind_the_windows),
		cmocka_unit_test(pieces_are_merged_within_one_name),
		cmocka_unit_test(windows_side_by_side_are_one_piece),
		cmocka_unit_test(piece_allows_what_every_hop_allows),
		cmocka_unit_test(pieces_are_cut_to_what_the_device_emits),
		cmocka_unit_test(ranges_that_adjoin_are_emitted_as_one),
		cmocka_unit_test(memory_of_a_bus_is_not_taken_for_the_cpus),
		cmocka_unit_test(unknown_memory_is_reached_where_nothing_else_is),
		cmocka_unit_test(device_that_reaches_nothing_has_an_empty_reach),
		cmocka_unit_test(whole_space_is_one_piece),
		cmocka_unit_test(pieces_do_not_go_on_across_the_end),
		cmocka_unit_test(first_window_that_holds_the_memory_is_taken),
		cmocka_unit_test(merged_windows_keep_their_place_in_line),
		cmocka_unit_test(one_address_is_for_reading_and_writing),
		cmocka_unit_test(reach_of_too_many_pieces_is_refused),
		cmocka_unit_test(windows_are_told_whatever_is_there),
		cmocka_unit_test(device_in_the_cpu_space_has_one_window_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
