/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * joint_test.c - memory that several devices share: busway_joint_address(). Its reasons:
 * refusal_test.c.
 *
 * The brute force tries every address of small spaces, from the lowest on.
 */
#include "support/generate.h"
#include "support/test.h"
#include "support/twin.h"

#include <string.h>
#include <unistd.h>

enum { CPU, BUS };

/* ---- by hand ---- */

struct question {
	uint64_t size, align;
	struct busway_range avoid;
	bool has_avoid;
};

static int ask(struct plan *plan, size_t devices, struct question q, busway_phys_t *phys,
	       busway_dma_t *dma, struct busway_refusal *why)
{
	struct busway_sharer sharers[PLAN_DEVICES] = {0};
	struct busway_reach *reaches[PLAN_DEVICES];
	int status;

	for (uint32_t i = 0; i < devices; i++) {
		reaches[i] = plan_reach(plan, i, NULL);
		sharers[i] = (struct busway_sharer){reaches[i], dma[i]};
	}
	status = busway_joint_address(sharers, devices, q.size, q.align, &q.avoid, q.has_avoid, 0,
				      &plan->memory.allocator, phys, why);
	for (uint32_t i = 0; i < devices; i++) {
		dma[i] = sharers[i].dma;
		busway_reach_destroy(reaches[i]);
	}
	return status;
}

/*
 *   device 0   dma 0..ffff --> 0x10000..0x1ffff
 *   device 1   dma 0x8000..0xffff --> 0x18000, and 0x0..0x3fff --> 0x20000
 *   RAM        0x10000..0x2ffff
 */
static void draw(struct plan *plan)
{
	plan_init(plan);
	plan_space(plan, BUSWAY_SPACE_BUS);
	plan_space(plan, BUSWAY_SPACE_BUS);
	plan_window(plan, 1, CPU, (struct busway_range){0, 0xffff}, 0x10000);
	plan_window(plan, 2, CPU, (struct busway_range){0x8000, 0xffff}, 0x18000);
	plan_window(plan, 2, CPU, (struct busway_range){0, 0x3fff}, 0x20000);
	plan_ram(plan, (struct busway_range){0x10000, 0x2ffff});
	plan_device(plan, 1);
	plan_device(plan, 2);
}

static void lowest_memory_that_all_reach_is_taken(void **state)
{
	static const struct {
		const char *because;
		size_t devices;
		struct question q;
		uint64_t phys, dma[2];
	} cases[] = {
		{"one device has all it reaches",
		 1,
		 {0x1000, 0x1000, {0, 0}, false},
		 0x10000,
		 {0, 0}},
		{"two devices: where both begin",
		 2,
		 {0x1000, 0x1000, {0, 0}, false},
		 0x18000,
		 {0x8000, 0x8000}},
		{"all that they share", 2, {0x8000, 1, {0, 0}, false}, 0x18000, {0x8000, 0x8000}},
		{"one byte", 2, {1, 1, {0, 0}, false}, 0x18000, {0x8000, 0x8000}},
		{"a coarse alignment",
		 1,
		 {1, 0x8000, {0x10000, 0x10000}, true},
		 0x18000,
		 {0x8000, 0}},
		{"behind what is to be avoided",
		 2,
		 {0x1000, 1, {0x18000, 0x180ff}, true},
		 0x18100,
		 {0x8100, 0x8100}},
		{"before it, if there is room",
		 2,
		 {0x100, 1, {0x18100, 0x1ffff}, true},
		 0x18000,
		 {0x8000, 0x8000}},
		{"not even its first byte",
		 2,
		 {0x101, 1, {0x18100, 0x1effe}, true},
		 0x1efff,
		 {0xefff, 0xefff}},
		{"and aligned behind it",
		 2,
		 {0x100, 0x100, {0x10000, 0x18000}, true},
		 0x18100,
		 {0x8100, 0x8100}},
	};
	struct plan plan;

	(void)state;
	draw(&plan);
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(cases); i++) {
		busway_dma_t dma[2] = {{0}, {0}};
		busway_phys_t phys = {0x77};
		const int status = ask(&plan, cases[i].devices, cases[i].q, &phys, dma, NULL);

		if (status || phys.raw != cases[i].phys || dma[0].raw != cases[i].dma[0] ||
		    (cases[i].devices > 1 && dma[1].raw != cases[i].dma[1]))
			fail_msg("case %zu: %s: %d, 0x%" PRIx64, i, cases[i].because, status,
				 phys.raw);
	}
	plan_close(&plan);
}

static void questions_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *because;
		size_t devices;
		struct question q;
	} cases[] = {
		{"nobody", 0, {1, 1, {0, 0}, false}},
		{"nothing", 1, {0, 1, {0, 0}, false}},
		{"no alignment", 1, {1, 0, {0, 0}, false}},
		{"an alignment that is no power of two", 1, {1, 3, {0, 0}, false}},
	};
	struct plan plan;

	(void)state;
	draw(&plan);
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(cases); i++) {
		busway_dma_t dma[2] = {{0x66}, {0x66}};
		busway_phys_t phys = {0x77};
		struct busway_refusal why = {.reason = BUSWAY_NO_WINDOW};

		if (ask(&plan, cases[i].devices, cases[i].q, &phys, dma, &why) != -BUSWAY_EINVAL)
			fail_msg("case %zu: %s", i, cases[i].because);
		assert_int_equal(phys.raw, 0x77);
		assert_int_equal(dma[0].raw, 0x66);
		assert_int_equal(why.reason, BUSWAY_NO_WINDOW);
	}
	plan_close(&plan);
}

static void refused_call_hands_nothing_out(void **state)
{
	static const struct question too_long = {0x8001, 1, {0, 0}, false};
	static const struct question everything = {UINT64_MAX, (uint64_t)1 << 63, {0, 0}, false};
	struct plan plan;
	busway_dma_t dma[2] = {{0x66}, {0x67}};
	busway_phys_t phys = {0x77};

	(void)state;
	draw(&plan);
	plan_open(&plan);
	assert_int_equal(ask(&plan, 2, too_long, &phys, dma, NULL), -BUSWAY_ERANGE);
	assert_int_equal(ask(&plan, 2, everything, &phys, dma, NULL), -BUSWAY_ERANGE);
	assert_int_equal(phys.raw, 0x77);
	assert_int_equal(dma[0].raw, 0x66);
	assert_int_equal(dma[1].raw, 0x67);
	plan_close(&plan);
}

static void memory_at_both_ends_is_ordinary(void **state)
{
	struct plan plan;
	busway_dma_t dma[1] = {{0}};
	busway_phys_t phys;

	(void)state;
	plan_init(&plan);
	plan_ram(&plan, (struct busway_range){0, 0xff});
	plan_ram(&plan, (struct busway_range){UINT64_MAX - 0x1ff, UINT64_MAX});
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(
		ask(&plan, 1, (struct question){0x100, 0x100, {0, 0}, false}, &phys, dma, NULL), 0);
	assert_int_equal(phys.raw, 0);
	assert_int_equal(
		ask(&plan, 1, (struct question){0x101, 1, {0, 0}, false}, &phys, dma, NULL), 0);
	assert_int_equal(phys.raw, UINT64_MAX - 0x1ff);
	assert_int_equal(ask(&plan, 1, (struct question){0x100, 1, {0, UINT64_MAX - 0x100}, true},
			     &phys, dma, NULL),
			 0);
	assert_int_equal(phys.raw, UINT64_MAX - 0xff);
	assert_int_equal(
		ask(&plan, 1, (struct question){1, 1, {0, UINT64_MAX - 1}, true}, &phys, dma, NULL),
		0);
	assert_int_equal(phys.raw, UINT64_MAX);
	assert_int_equal(dma[0].raw, UINT64_MAX);
	assert_int_equal(
		ask(&plan, 1, (struct question){1, 1, BUSWAY_RANGE_ALL, true}, &phys, dma, NULL),
		-BUSWAY_ERANGE);
	plan_close(&plan);
}

static void restricted_device_gets_memory_of_its_pool(void **state)
{
	struct plan plan;
	busway_dma_t dma[2] = {{0}, {0}};
	busway_phys_t phys;
	struct busway_refusal why;

	(void)state;
	draw(&plan);
	plan.devices[1].restricted_pool = plan_pool(&plan, (struct busway_range){0x19000, 0x19fff});
	plan_open(&plan);
	/* the pool is reserved memory, of course */
	assert_int_equal(ask(&plan, 2, (struct question){0x1000, 1, {0x19000, 0x19fff}, true},
			     &phys, dma, NULL),
			 0);
	assert_int_equal(phys.raw, 0x19000);
	assert_int_equal(dma[0].raw, 0x9000);
	assert_int_equal(dma[1].raw, 0x9000);
	assert_int_equal(
		ask(&plan, 2, (struct question){0x1001, 1, {0, 0}, false}, &phys, dma, &why),
		-BUSWAY_ERANGE);
	plan_close(&plan);
}

/*
 * A device whose addresses are never aligned as the memory is: this ends at once all the same.
 *
 *   dev --> [ bus ]  0x800..  --> [ cpu ] RAM 0..2^44, boundary 4096, alignment 4096
 */
static void search_that_cannot_succeed_ends_soon(void **state)
{
	struct plan plan;
	busway_dma_t dma[1] = {{0}};
	busway_phys_t phys;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x800, ((uint64_t)1 << 44) + 0x7ff}, 0);
	plan_ram(&plan, (struct busway_range){0, ((uint64_t)1 << 44) - 1});
	plan_device(&plan, BUS);
	plan.devices[0].segments.boundary = 0x1000;
	plan_open(&plan);
	alarm(10);
	assert_int_equal(
		ask(&plan, 1, (struct question){0x1000, 0x1000, {0, 0}, false}, &phys, dma, NULL),
		-BUSWAY_ERANGE);
	alarm(0);
	plan_close(&plan);
}

/*
 * The same beside a device with a large boundary, right behind which the search begins:
 *
 *   dev 0 --> [ bus1 ]  2^40 - 0x800..  --> [ cpu ] RAM 0..2^50, boundary 2^40
 *   dev 1 --> [ bus2 ]  0x800..         --> the same,            boundary 4096
 */
static void search_between_a_small_and_a_large_boundary_ends_soon(void **state)
{
	const uint64_t size = (uint64_t)1 << 50, large = (uint64_t)1 << 40;
	struct plan plan;
	busway_dma_t dma[2] = {{0}, {0}};
	busway_phys_t phys;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, 1, CPU, (struct busway_range){large - 0x800, large - 0x801 + size}, 0);
	plan_window(&plan, 2, CPU, (struct busway_range){0x800, 0x7ff + size}, 0);
	plan_ram(&plan, (struct busway_range){0, size - 1});
	plan_device(&plan, 1);
	plan_device(&plan, 2);
	plan.devices[0].segments.boundary = large;
	plan.devices[1].segments.boundary = 0x1000;
	plan_open(&plan);
	alarm(10);
	assert_int_equal(
		ask(&plan, 2, (struct question){0x1000, 0x1000, {0, 0}, false}, &phys, dma, NULL),
		-BUSWAY_ERANGE);
	alarm(0);
	plan_close(&plan);
}

/* ---- brute force ---- */

/* Is there an address by which the device reaches phys..phys + size - 1 as one segment? */
static bool serves(const struct twin_map *map, const struct busway_device *device, uint64_t phys,
		   uint64_t size, const uint64_t *wanted)
{
	const uint64_t boundary = device->segments.boundary, max = device->segments.max_size;
	uint64_t dma = 0;

	if (max && size > max)
		return false;
	for (bool first = true; twin_map_next(map, phys, BUSWAY_READ_WRITE, first, &dma);
	     first = false)
		if (twin_map_run(map, dma, BUSWAY_READ_WRITE, size) == size &&
		    (!boundary || dma / boundary == (dma + (size - 1)) / boundary) &&
		    (!wanted || *wanted == dma))
			return true;
	return false;
}

struct joint_round {
	struct plan plan;
	struct twin_map maps[PLAN_DEVICES];
	uint32_t devices;
	uint64_t size, align;
	struct busway_range avoid[3];
	size_t avoid_count;
};

static bool is_free(const struct joint_round *r, uint64_t phys)
{
	bool pooled = false;

	for (uint32_t d = 0; d < r->devices; d++) {
		const uint32_t pool = r->plan.devices[d].restricted_pool;

		if (pool == UINT32_MAX)
			continue;
		pooled = true;
		for (uint64_t i = 0; i < r->size; i++)
			if (r->plan.pools[pool].dynamic || r->plan.pools[pool].empty ||
			    phys + i < r->plan.pools[pool].range.first ||
			    phys + i > r->plan.pools[pool].range.last)
				return false;
	}
	for (size_t a = 0; a < r->avoid_count && !pooled; a++)
		for (uint64_t i = 0; i < r->size; i++)
			if (phys + i >= r->avoid[a].first && phys + i <= r->avoid[a].last)
				return false;
	return true;
}

static bool by_brute_force(const struct joint_round *r, uint64_t *phys)
{
	for (uint64_t i = 0; i + r->size <= r->plan.size; i++) {
		const uint64_t at = r->plan.base[CPU] + i;
		bool all = at % r->align == 0 && is_free(r, at);

		for (uint32_t d = 0; d < r->devices && all; d++)
			all = serves(&r->maps[d], &r->plan.devices[d], at, r->size, NULL);
		if (all) {
			*phys = at;
			return true;
		}
	}
	return false;
}

static void draw_round(struct joint_round *r, uint64_t seed)
{
	struct rng rng = rng_of(~seed);

	plan_random(&r->plan, seed, 7);
	/* read and written everywhere: else hardly anything is shared */
	for (size_t i = 0; i < r->plan.region_count && rng_chance(&rng, 90); i++)
		r->plan.regions[i].access = BUSWAY_READ_WRITE;
	for (size_t i = 0; i < r->plan.window_count && rng_chance(&rng, 90); i++)
		r->plan.windows[i].access = BUSWAY_READ_WRITE;
	while (r->plan.device_count < PLAN_DEVICES && rng_chance(&rng, 40))
		plan_random_device(&r->plan, &rng);
	r->devices = (uint32_t)r->plan.device_count;
	for (uint32_t d = 0; d < r->devices; d++) {
		struct busway_device *device = &r->plan.devices[d];

		if (rng_chance(&rng, 30))
			device->segments.boundary = (uint64_t)1 << rng_below(&rng, 7);
		if (rng_chance(&rng, 20))
			device->segments.max_size = 1 + rng_below(&rng, 40);
		if (rng_chance(&rng, 10)) {
			device->restricted_pool = plan_pool(
				&r->plan, random_range(&rng, r->plan.base[CPU], r->plan.size));
			r->plan.pools[device->restricted_pool].dynamic = rng_chance(&rng, 10);
			r->plan.pools[device->restricted_pool].empty = rng_chance(&rng, 10);
		}
	}
	r->size = 1 + rng_below(&rng, rng_chance(&rng, 85) ? 8 : r->plan.size / 2);
	r->align = (uint64_t)1 << rng_below(&rng, 4);
	r->avoid_count = rng_below(&rng, COUNT(r->avoid) + 1);
	for (size_t i = 0; i < r->avoid_count; i++)
		r->avoid[i] = random_range(&rng, r->plan.base[CPU], r->plan.size / 4);
}

static void fail_round(const struct joint_round *r, const char *what)
{
	plan_print(&r->plan);
	for (size_t i = 0; i < r->avoid_count; i++)
		print_error("# avoid 0x%" PRIx64 "..0x%" PRIx64 "\n", r->avoid[i].first,
			    r->avoid[i].last);
	fail_msg("%s: size 0x%" PRIx64 ", align 0x%" PRIx64, what, r->size, r->align);
}

/* Where memory is not stated, a pool with an address is the only one that has a place. */
static bool has_memory(const struct joint_round *r)
{
	for (uint32_t d = 0; d < r->devices; d++) {
		const uint32_t pool = r->plan.devices[d].restricted_pool;

		if (pool != UINT32_MAX && !r->plan.pools[pool].dynamic &&
		    !r->plan.pools[pool].empty)
			return true;
	}
	return r->plan.bank_count > 0;
}

static void check_round(struct joint_round *r)
{
	struct busway_sharer sharers[PLAN_DEVICES];
	struct busway_reach *reaches[PLAN_DEVICES];
	struct busway_refusal why = {0};
	busway_phys_t phys = {0};
	uint64_t expected = 0;
	const bool found = has_memory(r) && by_brute_force(r, &expected);
	int status;

	for (uint32_t d = 0; d < r->devices; d++) {
		reaches[d] = plan_reach(&r->plan, d, NULL);
		sharers[d] = (struct busway_sharer){.reach = reaches[d]};
	}
	status = busway_joint_address(sharers, r->devices, r->size, r->align, r->avoid,
				      r->avoid_count, 0, &r->plan.memory.allocator, &phys, &why);
	if (status && found)
		fail_round(r, busway_reason_code(why.reason));
	if (!status && !found)
		fail_round(r, "there is no such memory");
	if (found && phys.raw != expected)
		fail_round(r, "it is not the lowest");
	if (!found && status != -BUSWAY_ERANGE)
		fail_round(r, "wrong status");
	for (uint32_t d = 0; d < r->devices; d++) {
		if (found && !serves(&r->maps[d], &r->plan.devices[d], phys.raw, r->size,
				     &sharers[d].dma.raw))
			fail_round(r, "an address of a device is wrong");
		busway_reach_destroy(reaches[d]);
	}
}

static void random_devices_share_what_brute_force_finds(void **state)
{
	static struct joint_round r;
	const unsigned rounds = random_rounds(6000);
	unsigned found = 0;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		uint64_t phys;

		r = (struct joint_round){0};
		draw_round(&r, random_seed() + round);
		plan_open(&r.plan);
		for (uint32_t d = 0; d < r.devices; d++)
			twin_map_open(&r.maps[d], &r.plan, d);
		check_round(&r);
		found += by_brute_force(&r, &phys);
		for (uint32_t d = 0; d < r.devices; d++)
			twin_map_close(&r.maps[d]);
		plan_close(&r.plan);
	}
	/* the platforms are not all hopeless */
	if (rounds >= 100)
		assert_in_range(found, rounds / 6, rounds);
}

/* What is said to be there is there, for a question without other wishes. */
static void advice_to_ask_for_less_helps(void **state)
{
	static struct joint_round r;
	const unsigned rounds = random_rounds(6000);
	unsigned advised = 0;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct question q = {.align = 1};
		busway_dma_t dma[PLAN_DEVICES] = {{0}};
		struct busway_refusal why = {0};
		busway_phys_t phys;

		r = (struct joint_round){0};
		draw_round(&r, random_seed() + round);
		for (uint32_t d = 0; d < r.devices; d++)
			r.plan.devices[d].segments = (struct busway_segment_limits){0};
		plan_open(&r.plan);
		q.size = r.plan.size;
		if (ask(&r.plan, r.devices, q, &phys, dma, &why) && why.advice_count &&
		    why.advice[0].kind == BUSWAY_ADVISE_SMALLER) {
			advised++;
			q.size = why.advice[0].size;
			if (q.size >= r.plan.size || ask(&r.plan, r.devices, q, &phys, dma, NULL))
				fail_round(&r, "asking for less does not help");
		}
		plan_close(&r.plan);
	}
	assert_true(advised > 0 || rounds < 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lowest_memory_that_all_reach_is_taken),
		cmocka_unit_test(questions_that_make_no_sense_are_refused),
		cmocka_unit_test(refused_call_hands_nothing_out),
		cmocka_unit_test(memory_at_both_ends_is_ordinary),
		cmocka_unit_test(restricted_device_gets_memory_of_its_pool),
		cmocka_unit_test(random_devices_share_what_brute_force_finds),
		cmocka_unit_test(advice_to_ask_for_less_helps),
		cmocka_unit_test(search_that_cannot_succeed_ends_soon),
		cmocka_unit_test(search_between_a_small_and_a_large_boundary_ends_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
