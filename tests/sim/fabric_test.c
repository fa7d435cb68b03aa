/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fabric_test.c - the way of an access: by hand, and on random platforms beside busway_resolve(),
 * which shares no code with it.
 */
#include "bench.h"

#include "../support/generate.h"

/* ---- by hand ---- */

static void each_byte_goes_its_way(void **state)
{
	static const struct {
		const char *because;
		uint32_t device;
		uint64_t first, last;
		enum busway_access access;
		enum busway_violation_kind refused;
		uint64_t piece_last, at;
	} cases[] = {
		{"memory through the window", 0, BUS, BUS + 9, 1, 0, BUS + 9, RAM},
		{"the window ends", 0, BUS + RAM_SIZE - 1, BUS + RAM_SIZE, 1, 0,
		 BUS + RAM_SIZE - 1, RAM + RAM_SIZE - 1},
		{"behind it nobody answers", 0, BUS - 2, BUS, 1, BUSWAY_VIOLATION_NO_WINDOW,
		 BUS - 1, BUS - 2},
		{"32 lines", 0, 0x100000000, 0x300000000, 1, BUSWAY_VIOLATION_EMISSION, 0x300000000,
		 0x100000000},
		{"the last address of 32 lines", 0, 0xffffffff, 0x100000000, 1,
		 BUSWAY_VIOLATION_NO_WINDOW, 0xffffffff, 0xffffffff},
		{"an aperture", 0, APERTURE + 0xfffe, APERTURE + 0x10001, 2,
		 BUSWAY_VIOLATION_APERTURE, APERTURE + 0xffff, APERTURE + 0xfffe},
		{"a doorbell", 0, DOORBELL + 4, DOORBELL + 7, 2, 0, DOORBELL + 7, DOORBELL + 4},
		{"a carve-out of others", 0, TO_BUS(CARVED), TO_BUS(CARVED), 1,
		 BUSWAY_VIOLATION_CARVEOUT, TO_BUS(CARVED), CARVED},
		{"memory ends at the carve-out", 0, TO_BUS(CARVED) - 3, TO_BUS(CARVED) + 5, 1, 0,
		 TO_BUS(CARVED) - 1, CARVED - 3},
		{"its own carve-out", CARVER, TO_BUS(CARVED), TO_BUS(CARVED), 1, 0, TO_BUS(CARVED),
		 CARVED},
		{"its pool", RESTRICTED, TO_BUS(CONFINED), TO_BUS(CONFINED) + 0x100000, 3, 0,
		 TO_BUS(CONFINED) + 0xfffff, CONFINED},
		{"below its pool", RESTRICTED, TO_BUS(CONFINED) - 5, TO_BUS(CONFINED), 3,
		 BUSWAY_VIOLATION_FILTER, TO_BUS(CONFINED) - 1, CONFINED - 5},
		{"above its pool", RESTRICTED, TO_BUS(CONFINED) + 0x100000,
		 TO_BUS(CONFINED) + 0x100001, 3, BUSWAY_VIOLATION_FILTER,
		 TO_BUS(CONFINED) + 0x100001, CONFINED + 0x100000},
		{"the checker is not asked about interrupts", RESTRICTED, DOORBELL, DOORBELL + 3, 2,
		 0, DOORBELL + 3, DOORBELL},
		{"all addresses", 0, 0, UINT64_MAX, 1, BUSWAY_VIOLATION_NO_WINDOW, BUS - 1, 0},
	};
	static struct bench bench;

	(void)state;
	bench_usual(&bench, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_range dma = {cases[i].first, cases[i].last};
		struct busway_landing l;

		assert_int_equal(busway_machine_route(bench.machine, device(cases[i].device),
						      busway_dma_range(dma), cases[i].access, &l),
				 0);
		if (l.refused != cases[i].refused || l.dma.first != dma.first ||
		    l.dma.last != cases[i].piece_last || l.at.first != cases[i].at ||
		    l.at.last - l.at.first != l.dma.last - l.dma.first)
			fail_msg("%s: %s, 0x%" PRIx64 "..0x%" PRIx64 " at 0x%" PRIx64
				 "..0x%" PRIx64,
				 cases[i].because, busway_violation_code(l.refused), l.dma.first,
				 l.dma.last, l.at.first, l.at.last);
	}
	bench_told_nothing(&bench);
	bench_close(&bench);
}

static void nonsense_is_not_routed(void **state)
{
	const struct busway_dma_range good = {{BUS}, {BUS}}, empty = {{BUS}, {BUS - 1}};
	static struct bench bench;
	struct busway_landing l;

	(void)state;
	bench_usual(&bench, NULL);
	assert_int_equal(busway_machine_route(bench.machine, device(4), good, 1, &l),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_route(bench.machine, device(0), good, 0, &l),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_route(bench.machine, device(0), empty, 1, &l),
			 -BUSWAY_EINVAL);
	bench_close(&bench);
}

static void circles_end(void **state)
{
	static struct bench bench;
	struct busway_landing l;

	(void)state;
	plan_init(&bench.plan);
	plan_space(&bench.plan, BUSWAY_SPACE_BUS);
	plan_space(&bench.plan, BUSWAY_SPACE_BUS);
	plan_window(&bench.plan, 1, 2, BUSWAY_RANGE_ALL, 0);
	plan_window(&bench.plan, 2, 1, (struct busway_range){0, 0xff}, 1);
	plan_device(&bench.plan, 1);
	bench_open(&bench, NULL);
	assert_int_equal(busway_machine_route(bench.machine, device(0),
					      (struct busway_dma_range){{0}, {7}}, 1, &l),
			 0);
	assert_int_equal(l.refused, BUSWAY_VIOLATION_LOOP);
	bench_close(&bench);
}

static void a_pool_without_a_place_lets_nothing_pass(void **state)
{
	static struct bench bench;
	const struct busway_dma_range dma = {{TO_BUS(CONFINED)}, {TO_BUS(CONFINED)}};
	struct busway_landing l;

	(void)state;
	bench_draw(&bench);
	bench.plan.pools[1].dynamic = true;
	bench.plan.pools[1].range = (struct busway_range){0, 0};
	bench_open(&bench, NULL);
	busway_machine_route(bench.machine, device(RESTRICTED), dma, 1, &l);
	assert_int_equal(l.refused, BUSWAY_VIOLATION_FILTER);
	assert_int_equal(busway_machine_place_pool(bench.machine, 2, phys_range(CONFINED, 1)),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_place_pool(bench.machine, 0, phys_range(CONFINED, 1)),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_place_pool(bench.machine, 1, phys_range(CONFINED, 1)), 0);
	busway_machine_route(bench.machine, device(RESTRICTED), dma, 1, &l);
	assert_int_equal(l.refused, 0);
	assert_int_equal(busway_machine_place_pool(bench.machine, 1, phys_range(CONFINED, 1)),
			 -BUSWAY_EINVAL);
	bench_close(&bench);
}

static void what_looks_like_the_pool_elsewhere_is_not_it(void **state)
{
	static struct bench bench;
	const struct busway_dma_range dma = {{CONFINED + 8}, {CONFINED + 9}};
	struct busway_landing l;

	(void)state;
	bench_draw(&bench);
	/* memory of the bus itself, at the addresses that the pools have for the CPU */
	plan_region(&bench.plan, 1, BUSWAY_REGION_RAM,
		    (struct busway_range){CONFINED, CONFINED + 0xffff});
	plan_region(&bench.plan, 1, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){CARVED, CARVED + 0xffff});
	bench_open(&bench, NULL);
	busway_machine_route(bench.machine, device(RESTRICTED), dma, 1, &l);
	assert_int_equal(l.refused, BUSWAY_VIOLATION_FILTER);
	busway_machine_route(bench.machine, device(NONCOHERENT), dma, 1, &l);
	assert_int_equal(l.refused, 0);
	busway_machine_route(bench.machine, device(CARVER),
			     (struct busway_dma_range){{CARVED}, {CARVED}}, 1, &l);
	assert_int_equal(l.refused, BUSWAY_VIOLATION_CARVEOUT);
	bench_close(&bench);
}

static void a_carveout_is_known_by_its_name_or_its_place(void **state)
{
	static const char *const regions[] = {"/pool0"};
	static struct bench bench;
	const struct busway_dma_range dma = {{TO_BUS(CARVED)}, {TO_BUS(CARVED)}};
	struct busway_landing l;

	(void)state;
	bench_draw(&bench);
	bench.plan.regions[bench.plan.region_count - 1].name = "/pool0";
	bench.plan.pools[0].dynamic = true; /* its place is not stated */
	bench.plan.devices[COHERENT].memory_regions = regions;
	bench.plan.devices[COHERENT].memory_region_count = 1;
	bench_open(&bench, NULL);
	for (uint32_t i = NONCOHERENT; i <= CARVER; i++) {
		busway_machine_route(bench.machine, device(i), dma, 1, &l);
		assert_int_equal(l.refused == 0, i == COHERENT || i == CARVER);
	}
	bench_close(&bench);
}

/* ---- beside busway_resolve() ---- */

static const struct busway_machine_options routes_only = {.routes_only = true};

static enum busway_violation_kind same_refusal(enum busway_reason reason)
{
	switch (reason) {
	case BUSWAY_NOT_REFUSED:
		return BUSWAY_NO_VIOLATION;
	case BUSWAY_BEYOND_MASK:
	case BUSWAY_ADDRESS_BITS:
		return BUSWAY_VIOLATION_EMISSION;
	case BUSWAY_NO_WINDOW:
	case BUSWAY_UNTRANSLATABLE:
		return BUSWAY_VIOLATION_NO_WINDOW;
	case BUSWAY_NO_MEMORY:
		return BUSWAY_VIOLATION_NO_MEMORY;
	case BUSWAY_ACCESS:
		return BUSWAY_VIOLATION_ACCESS;
	case BUSWAY_APERTURE:
		return BUSWAY_VIOLATION_APERTURE;
	case BUSWAY_RESERVED:
		return BUSWAY_VIOLATION_CARVEOUT;
	case BUSWAY_TOO_MANY_HOPS:
		return BUSWAY_VIOLATION_LOOP;
	default:
		fail_msg("the fabric knows nothing like %s", busway_reason_code(reason));
		return BUSWAY_NO_VIOLATION;
	}
}

static void disagree(struct bench *bench, struct busway_range dma, enum busway_access access,
		     const char *what)
{
	plan_print(&bench->plan);
	fail_msg("dma 0x%" PRIx64 "..0x%" PRIx64 " access %d: %s", dma.first, dma.last, access,
		 what);
}

static void compare_byte(struct bench *bench, uint64_t address, enum busway_access access)
{
	const struct busway_range dma = {address, address};
	struct busway_refusal why = {.reason = BUSWAY_NOT_REFUSED};
	struct busway_path path;
	struct busway_landing l;
	const struct busway_hop *last;

	plan_resolve(&bench->plan, 0, dma, access, &path, &why);
	busway_machine_route(bench->machine, device(0), busway_dma_range(dma), access, &l);
	if (l.refused != same_refusal(why.reason))
		disagree(bench, dma, access, busway_violation_code(l.refused));
	if (l.dma.first != address || l.dma.last != address || l.at.first != l.at.last)
		disagree(bench, dma, access, "one byte is not one byte");
	if (l.refused == BUSWAY_VIOLATION_EMISSION || l.refused == BUSWAY_VIOLATION_LOOP)
		return;
	last = &path.hops[path.hop_count - 1];
	if (l.space.index != last->space.index || l.at.first != last->range.first ||
	    l.region != last->region)
		disagree(bench, dma, access, "it ends elsewhere");
}

static bool is_memory(const struct busway_region *region)
{
	return region->kind == BUSWAY_REGION_RAM || region->kind == BUSWAY_REGION_UNKNOWN;
}

/* Does all of @dma land, side by side, in memory or in one doorbell? */
static bool lands_whole(struct bench *bench, struct busway_range dma, enum busway_access access)
{
	struct busway_landing l, before = {.region = NULL};

	for (;;) {
		busway_machine_route(bench->machine, device(0), busway_dma_range(dma), access, &l);
		if (l.refused)
			return false;
		if (before.region &&
		    (before.space.index != l.space.index ||
		     !busway_range_adjoins(before.at, l.at) ||
		     (before.region != l.region &&
		      (!is_memory(before.region) || !is_memory(l.region)))))
			return false;
		if (l.dma.last == dma.last)
			return true;
		before = l;
		dma.first = l.dma.last + 1;
	}
}

/* The pieces of a route are those that single bytes would give. */
static void compare_piece(struct bench *bench, struct busway_range dma, enum busway_access access)
{
	struct busway_landing l, byte;

	busway_machine_route(bench->machine, device(0), busway_dma_range(dma), access, &l);
	for (uint64_t i = 0; i <= dma.last - dma.first; i++) {
		const struct busway_range one = {dma.first + i, dma.first + i};
		bool same;

		busway_machine_route(bench->machine, device(0), busway_dma_range(one), access,
				     &byte);
		same = byte.refused == l.refused && byte.space.index == l.space.index &&
		       byte.region == l.region && byte.at.first == l.at.first + i;
		if (i <= l.dma.last - l.dma.first && !same)
			disagree(bench, dma, access, "a piece holds what goes elsewhere");
	}
}

static void compare_plan(struct bench *bench, struct rng *rng)
{
	const uint64_t base = plan_device_base(&bench->plan, 0);

	for (uint64_t i = 0; i < bench->plan.size; i++)
		for (int access = BUSWAY_READ; access <= BUSWAY_READ_WRITE; access++)
			compare_byte(bench, base + i, (enum busway_access)access);
	for (unsigned i = 0; i < 60; i++) {
		const struct busway_range dma = random_range(rng, base, bench->plan.size);
		const enum busway_access access = (enum busway_access)rng_between(rng, 1, 3);
		const bool lands =
			plan_resolve(&bench->plan, 0, dma, access, NULL, NULL) == 0;

		if (lands != lands_whole(bench, dma, access))
			disagree(bench, dma, access, "one of both lets it land");
		compare_piece(bench, dma, access);
	}
}

static void the_fabric_and_resolve_agree_on_every_byte(void **state)
{
	static struct bench bench;
	const uint64_t seed = random_seed();

	(void)state;
	for (unsigned round = 0; round < random_rounds(400); round++) {
		struct rng rng = rng_of(seed + round);

		plan_random(&bench.plan, seed + round, 8);
		bench_open(&bench, &routes_only);
		compare_plan(&bench, &rng);
		bench_close(&bench);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_byte_goes_its_way),
		cmocka_unit_test(nonsense_is_not_routed),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(a_pool_without_a_place_lets_nothing_pass),
		cmocka_unit_test(what_looks_like_the_pool_elsewhere_is_not_it),
		cmocka_unit_test(a_carveout_is_known_by_its_name_or_its_place),
		cmocka_unit_test(the_fabric_and_resolve_agree_on_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
