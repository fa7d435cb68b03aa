/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fabric.c - the way of an access, as hardware goes it: from one space to the next.
 *
 *   [ space ]   0x1000 [== region ==]          a region takes its addresses first, of several the
 *                  [==== window 1 ====]        one of the first kind; then the first window that
 *                         [==== window 2 ====] was added; unknown memory where no window does
 *
 * In each space everything is looked at, in the order in which it was added: nothing is sorted,
 * joined or settled before. Slow, plain, and without a line of what it judges.
 */
#include "sim_internal.h"

#include <busway/resolve.h> /* BUSWAY_HOPS_MAX */

/* ---- what there is, by space ---- */

static void count_ways(const struct busway_machine *machine, uint32_t space, struct sim_ways *ways)
{
	size_t count;
	const struct busway_region *regions = busway_platform_regions(machine->platform, &count);
	const struct busway_window *windows;

	for (size_t i = 0; i < count; i++)
		ways->region_count += regions[i].space.index == space;
	windows = busway_platform_windows(machine->platform, &count);
	for (size_t i = 0; i < count; i++)
		ways->window_count += windows[i].from.index == space;
}

static void list_ways(const struct busway_machine *machine, uint32_t space, struct sim_ways *ways)
{
	size_t count, listed = 0;
	const struct busway_region *regions = busway_platform_regions(machine->platform, &count);
	const struct busway_window *windows;

	for (size_t i = 0; i < count; i++)
		if (regions[i].space.index == space)
			ways->regions[listed++].is = &regions[i];
	listed = 0;
	windows = busway_platform_windows(machine->platform, &count);
	for (size_t i = 0; i < count; i++)
		if (windows[i].from.index == space)
			ways->windows[listed++].is = &windows[i];
}

int sim_ways_create(struct busway_machine *machine)
{
	machine->space_count = busway_platform_space_count(machine->platform);
	machine->ways = sim_alloc(machine, machine->space_count, sizeof(*machine->ways));
	if (!machine->ways)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < machine->space_count; i++) {
		struct sim_ways *ways = &machine->ways[i];

		count_ways(machine, i, ways);
		ways->regions = sim_alloc(machine, ways->region_count, sizeof(*ways->regions));
		ways->windows = sim_alloc(machine, ways->window_count, sizeof(*ways->windows));
		if ((ways->region_count && !ways->regions) ||
		    (ways->window_count && !ways->windows))
			return -BUSWAY_ENOMEM;
		list_ways(machine, i, ways);
	}
	return 0;
}

void sim_ways_destroy(struct busway_machine *machine)
{
	for (size_t i = 0; machine->ways && i < machine->space_count; i++) {
		struct sim_ways *ways = &machine->ways[i];

		sim_free(machine, ways->regions, ways->region_count, sizeof(*ways->regions));
		sim_free(machine, ways->windows, ways->window_count, sizeof(*ways->windows));
	}
	sim_free(machine, machine->ways, machine->space_count, sizeof(*machine->ways));
}

/* ---- who takes an address ---- */

static const struct busway_region *region_at(const struct sim_ways *ways, uint64_t address,
					     bool unknown)
{
	const struct busway_region *best = NULL;

	for (size_t i = 0; i < ways->region_count; i++) {
		const struct busway_region *r = ways->regions[i].is;

		if ((r->kind == BUSWAY_REGION_UNKNOWN) == unknown &&
		    busway_range_has(r->range, address) && (!best || r->kind < best->kind))
			best = r;
	}
	return best;
}

struct sim_taker sim_taker_at(const struct sim_ways *ways, uint64_t address)
{
	struct sim_taker taker = {region_at(ways, address, false), NULL};

	for (size_t i = 0; !taker.region && !taker.window && i < ways->window_count; i++)
		if (busway_range_has(ways->windows[i].is->in, address))
			taker.window = ways->windows[i].is;
	if (!taker.region && !taker.window)
		taker.region = region_at(ways, address, true);
	return taker;
}

/* The last address up to which nothing of @range begins or ends behind @address. */
static uint64_t before_edge(struct busway_range range, uint64_t address, uint64_t last)
{
	if (range.first > address)
		return range.first - 1 < last ? range.first - 1 : last;
	if (range.last >= address)
		return range.last < last ? range.last : last;
	return last;
}

static uint64_t next_edge(const struct sim_ways *ways, uint64_t address, uint64_t last)
{
	for (size_t i = 0; i < ways->region_count; i++)
		last = before_edge(ways->regions[i].is->range, address, last);
	for (size_t i = 0; i < ways->window_count; i++)
		last = before_edge(ways->windows[i].is->in, address, last);
	return last;
}

/* The last address of @range up to which the same one takes all. */
static uint64_t taken_until(const struct sim_ways *ways, struct busway_range range,
			    struct sim_taker taker)
{
	for (;;) {
		const uint64_t edge = next_edge(ways, range.first, range.last);
		struct sim_taker next;

		if (edge == range.last)
			return edge;
		next = sim_taker_at(ways, edge + 1);
		if (next.region != taker.region || next.window != taker.window)
			return edge;
		range.first = edge + 1;
	}
}

/* ---- what a device can emit ---- */

static bool emits(const struct busway_emission *e, uint64_t address)
{
	bool listed = e->only_count == 0;

	for (size_t i = 0; i < e->only_count; i++)
		listed = listed || busway_range_has(e->only[i], address);
	return listed && !(address & e->zero) && (address & e->one) == e->one;
}

/* All bits below the highest one of @x, which is not 0. */
static uint64_t below_highest(uint64_t x)
{
	uint64_t bits = 0;

	while (x >>= 1)
		bits = bits << 1 | 1;
	return bits;
}

/* An address of @range up to which the answer surely is that for the first one. */
static uint64_t emitted_until(const struct busway_emission *e, struct busway_range range)
{
	const uint64_t wrong = (range.first & e->zero) | (~range.first & e->one);
	const uint64_t care = e->zero | e->one;
	uint64_t last = range.last;

	if (wrong) /* it stays wrong while the bits above stay */
		last = range.first | below_highest(wrong);
	else if (care) /* it stays right while the lowest bit that counts, and all above, stay */
		last = range.first | ((care & (~care + 1)) - 1);
	if (last > range.last)
		last = range.last;
	for (size_t i = 0; i < e->only_count; i++)
		last = before_edge(e->only[i], range.first, last);
	return last;
}

bool sim_cut_emitted(const struct busway_emission *e, struct busway_range *range)
{
	const bool emitted = emits(e, range->first);
	struct busway_range rest = *range;

	for (;;) {
		rest.first = emitted_until(e, rest);
		if (rest.first == range->last || emits(e, rest.first + 1) != emitted)
			break;
		rest.first++;
	}
	range->last = rest.first;
	return emitted;
}

/* ---- checkers at the end of the way ---- */

static bool same_name(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Is all of @region in a place that is known? Pools are in the CPU's space. */
static bool is_in(const struct busway_region *region, const struct sim_place *place)
{
	return place->known && region->space.index == BUSWAY_CPU_SPACE.index &&
	       busway_range_within(region->range, place->range);
}

/* Is pool @index the one that @region keeps from others? */
static bool is_of_pool(const struct busway_machine *machine, const struct busway_region *region,
		       uint32_t index)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(machine->platform, &count);

	return index < count && (same_name(pools[index].name, region->name) ||
				 is_in(region, &machine->places[index]));
}

/* Is the carve-out the device's own? */
static bool owns(const struct busway_machine *machine, const struct busway_device *device,
		 const struct busway_region *carveout)
{
	for (size_t i = 0; i < device->pool_count; i++)
		if (is_of_pool(machine, carveout, device->pools[i]))
			return true;
	for (size_t i = 0; i < device->memory_region_count; i++)
		if (same_name(device->memory_regions[i], carveout->name))
			return true;
	return is_of_pool(machine, carveout, device->restricted_pool);
}

/* Cuts @at where the checker's answer changes; does it let the device through? */
static bool checker_passes(const struct busway_machine *machine, const struct busway_device *device,
			   const struct busway_region *region, struct busway_range *at)
{
	const struct sim_place *place;
	bool inside;

	if (device->restricted_pool >= machine->place_count)
		return true;
	place = &machine->places[device->restricted_pool];
	if (!place->known || region->space.index != BUSWAY_CPU_SPACE.index)
		return false;
	inside = busway_range_has(place->range, at->first);
	at->last = before_edge(place->range, at->first, at->last);
	return inside;
}

static enum busway_violation_kind refusal_of(const struct busway_machine *machine,
					     const struct busway_device *device,
					     const struct busway_region *region,
					     enum busway_access access, struct busway_range *at)
{
	if ((region->access & access) != access)
		return BUSWAY_VIOLATION_ACCESS;
	switch (region->kind) {
	case BUSWAY_REGION_APERTURE:
		return BUSWAY_VIOLATION_APERTURE;
	case BUSWAY_REGION_CARVEOUT:
		if (!owns(machine, device, region))
			return BUSWAY_VIOLATION_CARVEOUT;
		break;
	case BUSWAY_REGION_DOORBELL:
		return BUSWAY_NO_VIOLATION; /* no memory: the checker is not asked */
	case BUSWAY_REGION_RAM:
	case BUSWAY_REGION_UNKNOWN:
		break;
	}
	return checker_passes(machine, device, region, at) ? BUSWAY_NO_VIOLATION
							   : BUSWAY_VIOLATION_FILTER;
}

/* ---- all the way ---- */

bool sim_hop(const struct busway_machine *machine, const struct busway_device *device,
	     enum busway_access access, struct busway_landing *landing)
{
	const struct sim_ways *ways = &machine->ways[landing->space.index];
	const struct sim_taker taker = sim_taker_at(ways, landing->at.first);
	const struct busway_window *window = taker.window;

	landing->at.last = taken_until(ways, landing->at, taker);
	if (taker.region) {
		landing->region = taker.region;
		landing->refused = refusal_of(machine, device, taker.region, access, &landing->at);
		return false;
	}
	if (!window) {
		landing->refused = busway_platform_space(machine->platform, landing->space)->kind ==
						   BUSWAY_SPACE_CPU
					   ? BUSWAY_VIOLATION_NO_MEMORY
					   : BUSWAY_VIOLATION_NO_WINDOW;
		return false;
	}
	if ((window->access & access) != access) {
		landing->window = window;
		landing->refused = BUSWAY_VIOLATION_ACCESS;
		return false;
	}
	landing->at.first = landing->at.first - window->in.first + window->out.raw;
	landing->at.last = landing->at.last - window->in.first + window->out.raw;
	landing->space = window->to;
	return true;
}

void sim_hops(const struct busway_machine *machine, const struct busway_device *device,
	      enum busway_access access, struct busway_landing *landing)
{
	unsigned hops = 0;

	while (sim_hop(machine, device, access, landing))
		if (++hops == BUSWAY_HOPS_MAX) {
			landing->refused = BUSWAY_VIOLATION_LOOP;
			return;
		}
}
