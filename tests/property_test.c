/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * property_test.c - random platforms: every answer of the library against the naive twin.
 *
 * Small spaces are tried address by address (support/generate.h says how they are placed). What
 * is promised, and here put to the test:
 *
 *   sound      an address that is handed out lands on the memory that was asked for
 *   complete   if some address would do, one is handed out
 *   the same   the flattened view tells of each address what hop-by-hop resolution tells
 *   helpful    what a refusal advises does help
 */
#include "support/generate.h"
#include "support/test.h"
#include "support/twin.h"

#include <string.h>

static const enum busway_access accesses[] = {BUSWAY_READ, BUSWAY_WRITE, BUSWAY_READ_WRITE};

#define FAIL(plan, ...)                                                                            \
	do {                                                                                       \
		plan_print(plan);                                                                  \
		fail_msg(__VA_ARGS__);                                                             \
	} while (0)

/* ---- rounds ---- */

/* Opens random plan after random plan, of 8 to 10 bits, and has each checked. */
static void each_random_plan(unsigned rounds, void (*check)(struct plan *plan, struct rng *rng))
{
	static struct plan plan;

	rounds = random_rounds(rounds);
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(~seed);

		plan_random(&plan, seed, 8 + (unsigned)(seed % 8 ? 0 : seed / 8 % 3));
		plan_open(&plan);
		check(&plan, &rng);
		plan_close(&plan);
	}
}

/* Every address of every arena, and those right beside them. */
static void each_address(struct plan *plan, void (*check)(struct plan *plan, uint64_t address))
{
	for (size_t s = 0; s < plan->space_count; s++) {
		bool seen = false;

		for (size_t before = 0; before < s; before++)
			seen = seen || plan->base[before] == plan->base[s];
		for (uint64_t i = 0; i < plan->size + 2 && !seen; i++)
			check(plan, plan->base[s] - 1 + i);
	}
	check(plan, 0);
	check(plan, UINT64_MAX);
}

/* ---- one byte ---- */

static const char *refusing_hop(const struct plan *plan, const struct twin_end *end)
{
	if (end->reason == BUSWAY_BEYOND_MASK || end->reason == BUSWAY_ADDRESS_BITS)
		return plan->devices[0].name;
	return plan->spaces[end->space].name;
}

static void check_path(struct plan *plan, const struct twin_end *end,
		       const struct busway_path *path, uint64_t dma)
{
	const struct busway_hop *last = &path->hops[path->hop_count - 1];

	if (path->hop_count != end->hops || last->space.index != end->space ||
	    last->range.first != end->address || last->range.last != end->address ||
	    path->target_count != 1 || path->targets[0].index != end->region)
		FAIL(plan, "0x%" PRIx64 " lands elsewhere: hop %u, 0x%" PRIx64, dma,
		     path->hop_count, last->range.first);
	for (unsigned i = 0; i < path->hop_count; i++)
		if ((path->hops[i].window == NULL) != (i + 1 == path->hop_count))
			FAIL(plan, "0x%" PRIx64 ": hop %u and its window", dma, i);
}

static void byte_resolves_as_the_twin_says(struct plan *plan, uint64_t dma)
{
	for (size_t a = 0; a < COUNT(accesses); a++) {
		const struct twin_end end = twin_follow(plan, 0, dma, accesses[a]);
		struct busway_refusal why = {0};
		struct busway_path path;
		const int status = plan_resolve(plan, 0, (struct busway_range){dma, dma},
						accesses[a], &path, &why);

		if (why.reason != end.reason ||
		    status != (end.reason == BUSWAY_NOT_REFUSED ? 0 : -BUSWAY_ERANGE))
			FAIL(plan, "0x%" PRIx64 " access %d: %s, not %s", dma, accesses[a],
			     busway_reason_code(why.reason), busway_reason_code(end.reason));
		if (!status)
			check_path(plan, &end, &path, dma);
		else if (strcmp(why.hop, refusing_hop(plan, &end)) != 0 ||
			 why.asked.first != end.address || why.asked.last != end.address)
			FAIL(plan, "0x%" PRIx64 ": refused by %s at 0x%" PRIx64, dma, why.hop,
			     why.asked.first);
	}
}

static void check_resolve(struct plan *plan, struct rng *rng)
{
	(void)rng;
	each_address(plan, byte_resolves_as_the_twin_says);
}

static void every_byte_resolves_as_hop_by_hop(void **state)
{
	(void)state;
	each_random_plan(2000, check_resolve);
}

/* ---- ranges ---- */

static void check_access(struct plan *plan, struct rng *rng)
{
	for (unsigned n = 0; n < 60; n++) {
		const uint64_t base = plan_device_base(plan, 0);
		const enum busway_access access = accesses[rng_below(rng, COUNT(accesses))];
		const struct busway_range dma = random_range(rng, base, plan->size);
		uint64_t good_last = 0;
		const struct twin_end end = twin_access(plan, 0, dma, access, &good_last);
		struct busway_refusal why = {0};
		struct busway_path path;
		const int status = plan_resolve(plan, 0, dma, access, &path, &why);

		if (why.reason != end.reason ||
		    status != (end.reason == BUSWAY_NOT_REFUSED ? 0 : -BUSWAY_ERANGE))
			FAIL(plan, "0x%" PRIx64 "..0x%" PRIx64 " access %d: %s, not %s", dma.first,
			     dma.last, access, busway_reason_code(why.reason),
			     busway_reason_code(end.reason));
		if (status && (strcmp(why.hop, refusing_hop(plan, &end)) != 0 ||
			       why.asked.first != end.address))
			FAIL(plan, "0x%" PRIx64 "..0x%" PRIx64 ": refused by %s at 0x%" PRIx64,
			     dma.first, dma.last, why.hop, why.asked.first);
		if (!status && path.targets[0].index != end.region)
			FAIL(plan, "0x%" PRIx64 "..0x%" PRIx64 ": other memory", dma.first,
			     dma.last);
		if (why.reason == BUSWAY_STRADDLES &&
		    (why.limit.first != dma.first || why.limit.last != good_last))
			FAIL(plan,
			     "0x%" PRIx64 "..0x%" PRIx64 ": straddles at 0x%" PRIx64
			     ", not 0x%" PRIx64,
			     dma.first, dma.last, why.limit.last, good_last);
	}
}

static void every_access_is_one_if_its_bytes_stay_side_by_side(void **state)
{
	(void)state;
	each_random_plan(2000, check_access);
}

/* ---- the flattened view ---- */

static struct busway_reach *reach_now; /* of the plan that is looked at, for each_address() */

/* In the CPU's memory: what can be done there; where it lands; and in which region. */
static enum busway_access memory_at(const struct plan *plan, uint64_t dma, struct twin_end *end)
{
	unsigned access = 0;

	for (size_t a = 0; a < 2; a++) {
		const struct twin_end one = twin_follow(plan, 0, dma, accesses[a]);

		if (!twin_is_memory(plan, &one))
			continue;
		access |= accesses[a];
		*end = one;
	}
	return (enum busway_access)access;
}

static void reach_tells_of_a_byte_what_the_twin_says(struct plan *plan, uint64_t dma)
{
	struct twin_end end = {0};
	const enum busway_access access = memory_at(plan, dma, &end);
	const struct busway_piece *piece = busway_reach_find(reach_now, busway_dma(dma));

	if ((piece != NULL) != (access != 0))
		FAIL(plan, "0x%" PRIx64 " is %s the reach", dma, piece ? "in" : "not in");
	if (!piece)
		return;
	if (piece->phys.raw + (dma - piece->dma.first.raw) != end.address ||
	    piece->access != access ||
	    plan->regions[piece->target.index].name != plan->regions[end.region].name)
		FAIL(plan,
		     "0x%" PRIx64 ": piece 0x%" PRIx64 "..0x%" PRIx64 " --> 0x%" PRIx64
		     " access %d, not 0x%" PRIx64 " access %d",
		     dma, piece->dma.first.raw, piece->dma.last.raw, piece->phys.raw, piece->access,
		     end.address, access);
}

/* Sorted, disjoint, and merged where nothing tells them apart. */
static void check_order(struct plan *plan, const struct busway_piece *pieces, size_t count,
			bool has_target)
{
	for (size_t i = 0; i < count; i++) {
		const struct busway_piece *a = &pieces[i], *b = &pieces[i + 1];
		const uint64_t span = a->dma.last.raw - a->dma.first.raw;

		if (a->dma.first.raw > a->dma.last.raw || a->phys.raw > UINT64_MAX - span ||
		    !a->access)
			FAIL(plan, "piece %zu makes no sense", i);
		if (i + 1 == count)
			return;
		if (a->dma.last.raw >= b->dma.first.raw)
			FAIL(plan, "pieces %zu and its next are not in order", i);
		if (a->dma.last.raw + 1 == b->dma.first.raw && a->phys.raw + span != UINT64_MAX &&
		    a->phys.raw + span + 1 == b->phys.raw && a->access == b->access &&
		    (!has_target ||
		     plan->regions[a->target.index].name == plan->regions[b->target.index].name))
			FAIL(plan, "piece %zu and its next are not merged", i);
	}
}

static void check_reach(struct plan *plan, struct rng *rng)
{
	size_t count;
	const struct busway_piece *pieces;

	(void)rng;
	reach_now = plan_reach(plan, 0, NULL);
	pieces = busway_reach_pieces(reach_now, &count);
	check_order(plan, pieces, count, true);
	each_address(plan, reach_tells_of_a_byte_what_the_twin_says);
	busway_reach_destroy(reach_now);
}

static void reach_is_what_every_byte_resolves_to(void **state)
{
	(void)state;
	each_random_plan(3000, check_reach);
}

/* ---- effective windows ---- */

static const struct busway_piece *window_pieces;
static size_t window_count;

static void windows_tell_of_a_byte_what_the_twin_says(struct plan *plan, uint64_t dma)
{
	const struct busway_piece *piece = NULL;
	unsigned access = 0;
	uint64_t phys = 0;

	for (size_t a = 0; a < 2; a++) {
		const struct twin_end end = twin_by_windows(plan, 0, dma, accesses[a]);

		if (end.reason != BUSWAY_NOT_REFUSED)
			continue;
		access |= accesses[a];
		phys = end.address;
	}
	for (size_t i = 0; i < window_count; i++)
		if (busway_range_has(busway_dma_raw(window_pieces[i].dma), dma))
			piece = &window_pieces[i];
	if ((piece != NULL) != (access != 0) ||
	    (piece &&
	     (piece->access != access || piece->phys.raw + (dma - piece->dma.first.raw) != phys)))
		FAIL(plan, "0x%" PRIx64 " is %s a window", dma, piece ? "in" : "not in");
}

static void check_windows(struct plan *plan, struct rng *rng)
{
	struct busway_piece *pieces = NULL;

	(void)rng;
	assert_int_equal(busway_windows_build(plan->platform, (busway_device_id){0},
					      &plan->memory.allocator, &pieces, &window_count),
			 0);
	window_pieces = pieces;
	check_order(plan, pieces, window_count, false);
	each_address(plan, windows_tell_of_a_byte_what_the_twin_says);
	if (window_count)
		plan->memory.allocator.free(&plan->memory, pieces, window_count * sizeof(*pieces),
					    _Alignof(struct busway_piece));
}

static void effective_windows_are_what_comes_out_in_the_cpu_space(void **state)
{
	(void)state;
	each_random_plan(3000, check_windows);
}

/* ---- the address of memory ---- */

/* The place in line of a way: that of its first window. What needs no window is in front. */
static uint32_t rank_of(const struct twin_byte *byte)
{
	return byte->window == UINT32_MAX ? 0 : byte->window;
}

/* By trying all: the address of @phys as one segment, of the window that was added first. */
static bool first_window_to(const struct twin_map *map, struct busway_range phys, uint32_t *window)
{
	const uint64_t size = phys.last - phys.first + 1;
	uint64_t dma = 0;
	bool found = false;

	for (bool first = true; twin_map_next(map, phys.first, BUSWAY_READ_WRITE, first, &dma);
	     first = false) {
		if (twin_map_run(map, dma, BUSWAY_READ_WRITE, size) != size)
			continue;
		if (!found || rank_of(twin_map_at(map, dma)) < *window)
			*window = rank_of(twin_map_at(map, dma));
		found = true;
	}
	return found;
}

static void check_one_address(struct plan *plan, const struct twin_map *map,
			      const struct busway_reach *reach, struct busway_range phys)
{
	const uint64_t size = phys.last - phys.first + 1;
	const struct twin_byte *byte;
	uint32_t window = UINT32_MAX;
	busway_dma_t dma = {0x77};
	const int status = busway_reach_address(reach, busway_phys_range(phys), &dma);

	if (!first_window_to(map, phys, &window)) {
		if (status != -BUSWAY_ERANGE)
			FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " cannot be at 0x%" PRIx64,
			     phys.first, phys.last, dma.raw);
		return;
	}
	if (status)
		FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " is not found", phys.first,
		     phys.last);
	byte = twin_map_at(map, dma.raw);
	if (!byte || byte->phys != phys.first ||
	    twin_map_run(map, dma.raw, BUSWAY_READ_WRITE, size) != size)
		FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " is not at 0x%" PRIx64, phys.first,
		     phys.last, dma.raw);
	if (rank_of(byte) != window)
		FAIL(plan,
		     "memory 0x%" PRIx64 "..0x%" PRIx64 " at 0x%" PRIx64 " of window %" PRIu32
		     ", not %" PRIu32,
		     phys.first, phys.last, dma.raw, rank_of(byte), window);
}

static void check_addresses(struct plan *plan, struct rng *rng)
{
	struct busway_reach *reach = plan_reach(plan, 0, NULL);
	const uint64_t base = plan->base[0];
	struct twin_map map;

	twin_map_open(&map, plan, 0);
	for (uint64_t i = 0; i < plan->size; i++)
		check_one_address(plan, &map, reach, (struct busway_range){base + i, base + i});
	for (unsigned n = 0; n < 100; n++)
		check_one_address(plan, &map, reach, random_range(rng, base, plan->size));
	twin_map_close(&map);
	busway_reach_destroy(reach);
}

static void memory_has_the_address_of_the_first_window_that_leads_there(void **state)
{
	(void)state;
	each_random_plan(1000, check_addresses);
}

/* ---- segments ---- */

/* As few as can be: from each byte on, the way that goes furthest. 0: some byte has none. */
static size_t fewest_segments(const struct twin_map *map, struct busway_range phys,
			      enum busway_access access)
{
	size_t count = 0;

	for (uint64_t at = phys.first;;) {
		uint64_t dma = 0, furthest = 0;

		for (bool first = true; twin_map_next(map, at, access, first, &dma);
		     first = false) {
			const uint64_t run = twin_map_run(map, dma, access, phys.last - at + 1);

			furthest = run > furthest ? run : furthest;
		}
		if (!furthest)
			return 0;
		count++;
		if (furthest == phys.last - at + 1)
			return count;
		at += furthest;
	}
}

enum { SEGMENTS_MAX = 2048 };

static void check_segments(struct plan *plan, const struct twin_map *map, struct busway_range phys,
			   enum busway_access access, const struct busway_segment *segments,
			   size_t count)
{
	const struct busway_segment_limits *limits = &plan->devices[0].segments;
	uint64_t next = phys.first, size = 0;

	for (size_t i = 0; i < count; i++) {
		const struct busway_range dma = busway_dma_raw(segments[i].dma);
		const struct twin_byte *byte = twin_map_at(map, dma.first);

		size = dma.last - dma.first + 1;
		if (!byte || byte->phys != next ||
		    twin_map_run(map, dma.first, access, size) != size)
			FAIL(plan, "segment %zu 0x%" PRIx64 "..0x%" PRIx64 " is not at 0x%" PRIx64,
			     i, dma.first, dma.last, next);
		if ((limits->max_size && size > limits->max_size) ||
		    (limits->boundary &&
		     dma.first / limits->boundary != dma.last / limits->boundary))
			FAIL(plan, "segment %zu 0x%" PRIx64 "..0x%" PRIx64 " is beyond limits", i,
			     dma.first, dma.last);
		/* and back again, by the library's own forward way */
		assert_int_equal(plan_resolve(plan, 0, dma, access, NULL, NULL), 0);
		next += size;
	}
	if (next - 1 != phys.last)
		FAIL(plan, "segments end at 0x%" PRIx64, next - 1);
}

static void check_address_for(struct plan *plan, const struct twin_map *map,
			      const struct busway_reach *reach, struct busway_range phys,
			      enum busway_access access)
{
	static struct busway_segment segments[SEGMENTS_MAX];
	const struct busway_segment_limits *limits = &plan->devices[0].segments;
	const bool limited = limits->max_size || limits->boundary || limits->max_count;
	const size_t fewest = fewest_segments(map, phys, access);
	struct busway_refusal why = {0};
	size_t count = 0;
	const int status = busway_address_for(reach, busway_phys_range(phys), access, 0, segments,
					      SEGMENTS_MAX, &count, &why);

	if (status == -BUSWAY_ERANGE && why.reason == BUSWAY_SEGMENT_LIMITS && limits->max_count &&
	    fewest)
		return;
	if ((status == 0) != (fewest != 0) || (status && status != -BUSWAY_ERANGE))
		FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " access %d: %d %s", phys.first,
		     phys.last, access, status, busway_reason_code(why.reason));
	if (status) {
		if (!why.reason || !why.hop)
			FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 ": refused without reason",
			     phys.first, phys.last);
		return;
	}
	if (!limited && count != fewest)
		FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " in %zu segments, not %zu",
		     phys.first, phys.last, count, fewest);
	if (limits->max_count && count > limits->max_count)
		FAIL(plan, "%zu segments", count);
	check_segments(plan, map, phys, access, segments, count);
}

static void check_all_segments(struct plan *plan, struct rng *rng)
{
	struct busway_reach *reach = plan_reach(plan, 0, NULL);
	struct twin_map map;

	twin_map_open(&map, plan, 0);
	for (unsigned n = 0; n < 80; n++) {
		if (n == 40) {
			struct busway_segment_limits *limits = &plan->devices[0].segments;

			limits->max_size = rng_chance(rng, 50) ? 1 + rng_below(rng, 100) : 0;
			limits->boundary =
				rng_chance(rng, 50) ? (uint64_t)1 << rng_below(rng, 8) : 0;
			limits->max_count =
				rng_chance(rng, 30) ? 1 + (uint32_t)rng_below(rng, 20) : 0;
			assert_int_equal(busway_platform_set_segments(
						 plan->platform, (busway_device_id){0}, limits),
					 0);
		}
		check_address_for(plan, &map, reach, random_range(rng, plan->base[0], plan->size),
				  accesses[rng_below(rng, COUNT(accesses))]);
	}
	twin_map_close(&map);
	busway_reach_destroy(reach);
}

static void segments_cover_the_memory_and_are_the_fewest(void **state)
{
	(void)state;
	each_random_plan(1500, check_all_segments);
}

/* By the library alone, both ways: from memory to its address, and from there to memory. */
static bool comes_back(struct plan *plan, const struct busway_segment *segment, uint64_t dma,
		       enum busway_access access, struct busway_range phys)
{
	struct busway_path path;
	const struct busway_hop *end;

	if (plan_resolve(plan, 0, (struct busway_range){dma, dma}, access, &path, NULL))
		return false;
	end = &path.hops[path.hop_count - 1];
	return end->space.index == 0 &&
	       end->range.first - phys.first == dma - segment->dma.first.raw;
}

static void check_round_trip(struct plan *plan, struct rng *rng)
{
	struct busway_reach *reach = plan_reach(plan, 0, NULL);
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

	for (size_t i = 0; i < count; i++) {
		const struct busway_range dma = busway_dma_raw(pieces[i].dma);
		const enum busway_access access = pieces[i].access;
		const uint64_t a = rng_between(rng, dma.first, dma.last);
		const uint64_t b = rng_between(rng, a, dma.last);
		const struct busway_range phys = {pieces[i].phys.raw + (a - dma.first),
						  pieces[i].phys.raw + (b - dma.first)};
		struct busway_segment segment;
		size_t segments;

		if (busway_address_for(reach, busway_phys_range(phys), access, 0, &segment, 1,
				       &segments, NULL) ||
		    segment.dma.last.raw - segment.dma.first.raw != phys.last - phys.first ||
		    plan_resolve(plan, 0, busway_dma_raw(segment.dma), access, NULL, NULL) ||
		    !comes_back(plan, &segment, segment.dma.first.raw, access, phys) ||
		    !comes_back(plan, &segment, segment.dma.last.raw, access, phys))
			FAIL(plan, "memory 0x%" PRIx64 "..0x%" PRIx64 " does not come back",
			     phys.first, phys.last);
	}
	busway_reach_destroy(reach);
}

static void address_of_memory_resolves_to_that_memory(void **state)
{
	(void)state;
	each_random_plan(10000, check_round_trip);
}

/* ---- advice ---- */

static bool has_segments(struct plan *plan, struct busway_range phys, enum busway_access access,
			 const struct busway_emission *emission, struct busway_refusal *why)
{
	static struct busway_segment segments[SEGMENTS_MAX];
	struct busway_reach *reach = plan_reach(plan, 0, emission);
	size_t count;
	const int status = busway_address_for(reach, busway_phys_range(phys), access, 0, segments,
					      SEGMENTS_MAX, &count, why);

	busway_reach_destroy(reach);
	return status == 0;
}

/* The first byte of @phys that has no address. */
static uint64_t first_without(struct plan *plan, struct busway_range phys,
			      enum busway_access access)
{
	uint64_t at = phys.first;

	while (at < phys.last &&
	       has_segments(plan, (struct busway_range){at, at}, access, NULL, NULL))
		at++;
	return at;
}

static void follow_advice(struct plan *plan, struct busway_range phys, enum busway_access access,
			  const struct busway_advice *advice)
{
	const struct busway_emission wider = busway_emission_mask(advice->bits);
	uint64_t missing;

	switch (advice->kind) {
	case BUSWAY_ADVISE_MASK:
		/* the next obstacle may show, but this one is none any more */
		missing = first_without(plan, phys, access);
		if (!has_segments(plan, (struct busway_range){missing, missing}, access, &wider,
				  NULL))
			FAIL(plan,
			     "memory 0x%" PRIx64 "..0x%" PRIx64
			     " access %d: a mask of %u bits does not help at 0x%" PRIx64,
			     phys.first, phys.last, access, advice->bits, missing);
		break;
	case BUSWAY_ADVISE_BOUNCE:
		/* anywhere in that range there is room, for what the device wants to do */
		if (advice->size != phys.last - phys.first + 1 ||
		    advice->range.last - advice->range.first < advice->size - 1 ||
		    !has_segments(plan, advice->range, access, NULL, NULL))
			FAIL(plan,
			     "memory 0x%" PRIx64 "..0x%" PRIx64 " access %d: bouncing in 0x%" PRIx64
			     "..0x%" PRIx64 " does not help",
			     phys.first, phys.last, access, advice->range.first,
			     advice->range.last);
		break;
	case BUSWAY_ADVISE_APERTURE:
	case BUSWAY_ADVISE_NEAREST:
	case BUSWAY_ADVISE_WINDOW:
	case BUSWAY_ADVISE_WINDOW_BASE:
		break;
	default:
		FAIL(plan, "advice %d for memory", advice->kind);
	}
}

static void check_advice(struct plan *plan, struct rng *rng)
{
	for (unsigned n = 0; n < 30; n++) {
		const struct busway_range phys = random_range(rng, plan->base[0], plan->size);
		const enum busway_access access = accesses[rng_below(rng, COUNT(accesses))];
		struct busway_refusal why = {0};

		if (has_segments(plan, phys, access, NULL, &why))
			continue;
		for (unsigned i = 0; i < why.advice_count; i++)
			follow_advice(plan, phys, access, &why.advice[i]);
	}
}

static void advice_for_memory_helps(void **state)
{
	(void)state;
	each_random_plan(5000, check_advice);
}

static void check_advice_for_access(struct plan *plan, struct rng *rng)
{
	for (unsigned n = 0; n < 60; n++) {
		const struct busway_range dma =
			random_range(rng, plan_device_base(plan, 0), plan->size);
		struct busway_refusal why = {0};

		if (!plan_resolve(plan, 0, dma, BUSWAY_READ, NULL, &why))
			continue;
		for (unsigned i = 0; i < why.advice_count; i++) {
			const struct busway_advice *advice = &why.advice[i];
			struct busway_emission wider = busway_emission_mask(advice->bits);

			if (advice->kind == BUSWAY_ADVISE_SPLIT &&
			    plan_resolve(plan, 0, advice->range, BUSWAY_READ, NULL, NULL))
				FAIL(plan, "0x%" PRIx64 "..0x%" PRIx64 ": split behind 0x%" PRIx64,
				     dma.first, dma.last, advice->range.last);
			if (advice->kind == BUSWAY_ADVISE_MASK &&
			    !(twin_emits(&wider, dma.last) &&
			      (advice->bits == 0 || (wider = busway_emission_mask(advice->bits - 1),
						     !twin_emits(&wider, dma.last)))))
				FAIL(plan, "0x%" PRIx64 "..0x%" PRIx64 ": %u bits", dma.first,
				     dma.last, advice->bits);
		}
	}
}

static void advice_for_an_access_helps(void **state)
{
	(void)state;
	each_random_plan(5000, check_advice_for_access);
}

/* ---- large spaces: at every boundary, and at random ---- */

/* A small plan becomes a large one: each address turns into 2^shift addresses. */
static struct busway_range widen(struct busway_range r, unsigned shift)
{
	return (struct busway_range){r.first << shift,
				     (r.last << shift) + (((uint64_t)1 << shift) - 1)};
}

static void widen_plan(struct plan *plan, unsigned shift)
{
	struct busway_emission *emission = &plan->devices[0].emission;

	emission->zero <<= shift;
	emission->one <<= shift;
	for (size_t i = 0; i < emission->only_count; i++)
		plan->only[0][i] = widen(plan->only[0][i], shift);
	for (size_t i = 0; i < plan->window_count; i++) {
		struct busway_window *w = &plan->windows[i];

		if (w->in.first == 0 && w->in.last == UINT64_MAX)
			continue;
		w->in = widen(w->in, shift);
		w->out.raw <<= shift;
		if (w->out.raw > UINT64_MAX - (w->in.last - w->in.first)) /* not beyond the end */
			w->out.raw = UINT64_MAX - (w->in.last - w->in.first);
	}
	for (size_t i = 0; i < plan->region_count; i++)
		if (plan->regions[i].range.last - plan->regions[i].range.first != UINT64_MAX)
			plan->regions[i].range = widen(plan->regions[i].range, shift);
	for (size_t i = 0; i < plan->bank_count; i++)
		plan->banks[i].range = widen(plan->banks[i].range, shift);
	for (size_t i = 0; i < plan->space_count; i++)
		plan->base[i] <<= shift;
	plan->size <<= shift;
}

/* The two views of one byte, and the twin's. */
static void check_both_views(struct plan *plan, uint64_t dma)
{
	byte_resolves_as_the_twin_says(plan, dma);
	reach_tells_of_a_byte_what_the_twin_says(plan, dma);
}

static void check_boundaries(struct plan *plan, struct rng *rng)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(reach_now, &count);

	check_order(plan, pieces, count, true);
	for (size_t i = 0; i < count; i++)
		for (uint64_t step = 0; step < 3; step++) {
			check_both_views(plan, pieces[i].dma.first.raw - 1 + step);
			check_both_views(plan, pieces[i].dma.last.raw - 1 + step);
		}
	for (size_t i = 0; i < plan->window_count; i++)
		for (uint64_t step = 0; step < 3; step++) {
			check_both_views(plan, plan->windows[i].in.first - 1 + step);
			check_both_views(plan, plan->windows[i].in.last - 1 + step);
		}
	for (unsigned n = 0; n < 100; n++) {
		const size_t space = (size_t)rng_below(rng, plan->space_count);

		check_both_views(plan, plan->base[space] + rng_below(rng, plan->size));
		check_both_views(plan, rng_next(rng));
	}
}

static void flattened_view_is_hop_by_hop_at_every_boundary_of_large_spaces(void **state)
{
	const unsigned rounds = random_rounds(1500);
	static struct plan plan;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(~seed);

		plan_random(&plan, seed, 8);
		widen_plan(&plan, 8 + (unsigned)rng_below(&rng, 48));
		plan_open(&plan);
		reach_now = plan_reach(&plan, 0, NULL);
		check_boundaries(&plan, &rng);
		busway_reach_destroy(reach_now);
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_resolves_as_hop_by_hop),
		cmocka_unit_test(every_access_is_one_if_its_bytes_stay_side_by_side),
		cmocka_unit_test(reach_is_what_every_byte_resolves_to),
		cmocka_unit_test(effective_windows_are_what_comes_out_in_the_cpu_space),
		cmocka_unit_test(memory_has_the_address_of_the_first_window_that_leads_there),
		cmocka_unit_test(segments_cover_the_memory_and_are_the_fewest),
		cmocka_unit_test(address_of_memory_resolves_to_that_memory),
		cmocka_unit_test(advice_for_memory_helps),
		cmocka_unit_test(advice_for_an_access_helps),
		cmocka_unit_test(flattened_view_is_hop_by_hop_at_every_boundary_of_large_spaces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
