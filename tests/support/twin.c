/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin.c - see twin.h.
 */
#include "twin.h"

#include "test.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

bool twin_emits(const struct busway_emission *emission, uint64_t dma)
{
	bool inside = emission->only_count == 0;

	for (size_t i = 0; i < emission->only_count; i++)
		if (emission->only[i].first <= dma && dma <= emission->only[i].last)
			inside = true;
	return inside && (dma & emission->zero) == 0 && (dma & emission->one) == emission->one;
}

/* A mask of n bits and nothing else: from some bit on, all bits are zero. */
static bool is_mask(const struct busway_emission *emission)
{
	if (emission->one || emission->only_count)
		return false;
	for (unsigned bit = 0; bit < 63; bit++)
		if (emission->zero >> bit & 1 && !(emission->zero >> (bit + 1) & 1))
			return false;
	return true;
}

/* The region of the highest precedence: by kind, then the first one. */
static uint32_t region_of(const struct plan *plan, uint32_t space, uint64_t address, bool unknown)
{
	for (int kind = BUSWAY_REGION_DOORBELL; kind <= BUSWAY_REGION_UNKNOWN; kind++) {
		if ((kind == BUSWAY_REGION_UNKNOWN) != unknown)
			continue;
		for (uint32_t i = 0; i < plan->region_count; i++) {
			const struct busway_region *r = &plan->regions[i];

			if ((int)r->kind == kind && r->space.index == space &&
			    r->range.first <= address && address <= r->range.last)
				return i;
		}
	}
	return NOBODY;
}

static uint32_t window_of(const struct plan *plan, uint32_t space, uint64_t address)
{
	for (uint32_t i = 0; i < plan->window_count; i++) {
		const struct busway_window *w = &plan->windows[i];

		if (w->from.index == space && w->in.first <= address && address <= w->in.last)
			return i;
	}
	return NOBODY;
}

static struct twin_end refused(struct twin_end at, enum busway_reason reason, uint32_t region)
{
	at.reason = reason;
	at.region = region;
	return at;
}

static struct twin_end in_region(const struct plan *plan, struct twin_end at, uint32_t region,
				 enum busway_access access)
{
	const struct busway_region *r = &plan->regions[region];

	if ((access & BUSWAY_READ && !(r->access & BUSWAY_READ)) ||
	    (access & BUSWAY_WRITE && !(r->access & BUSWAY_WRITE)))
		return refused(at, BUSWAY_ACCESS, region);
	if (r->kind == BUSWAY_REGION_CARVEOUT)
		return refused(at, BUSWAY_RESERVED, region);
	if (r->kind == BUSWAY_REGION_APERTURE)
		return refused(at, BUSWAY_APERTURE, region);
	return refused(at, BUSWAY_NOT_REFUSED, region);
}

static struct twin_end unclaimed(const struct plan *plan, struct twin_end at)
{
	if (at.space == 0)
		return refused(at, BUSWAY_NO_MEMORY, NOBODY);
	return refused(at,
		       plan->spaces[at.space].untranslatable ? BUSWAY_UNTRANSLATABLE
							     : BUSWAY_NO_WINDOW,
		       NOBODY);
}

static struct twin_end start(const struct plan *plan, uint32_t device, uint64_t dma)
{
	return (struct twin_end){
		.space = plan->devices[device].dma.enters.index,
		.address = dma,
		.region = NOBODY,
		.window = NOBODY,
	};
}

/* Go through window @index; false: it does not allow that. */
static bool pass(const struct plan *plan, struct twin_end *at, uint32_t index,
		 enum busway_access access)
{
	const struct busway_window *w = &plan->windows[index];

	if ((access & BUSWAY_READ && !(w->access & BUSWAY_READ)) ||
	    (access & BUSWAY_WRITE && !(w->access & BUSWAY_WRITE)))
		return false;
	if (at->window == NOBODY)
		at->window = index;
	at->address = at->address - w->in.first + w->out.raw;
	at->space = w->to.index;
	return true;
}

struct twin_end twin_follow(const struct plan *plan, uint32_t device, uint64_t dma,
			    enum busway_access access)
{
	const struct busway_emission *emission = &plan->devices[device].emission;
	struct twin_end at = start(plan, device, dma);

	if (!twin_emits(emission, dma))
		return refused(at, is_mask(emission) ? BUSWAY_BEYOND_MASK : BUSWAY_ADDRESS_BITS,
			       NOBODY);
	while (at.hops < BUSWAY_HOPS_MAX) {
		uint32_t region = region_of(plan, at.space, at.address, false);
		const uint32_t window = window_of(plan, at.space, at.address);

		at.hops++;
		if (region == NOBODY && window == NOBODY)
			region = region_of(plan, at.space, at.address, true);
		if (region != NOBODY)
			return in_region(plan, at, region, access);
		if (window == NOBODY)
			return unclaimed(plan, at);
		if (!pass(plan, &at, window, access))
			return refused(at, BUSWAY_ACCESS, NOBODY);
	}
	return refused(at, BUSWAY_TOO_MANY_HOPS, NOBODY);
}

struct twin_end twin_by_windows(const struct plan *plan, uint32_t device, uint64_t dma,
				enum busway_access access)
{
	struct twin_end at = start(plan, device, dma);

	for (; at.hops < BUSWAY_HOPS_MAX; at.hops++) {
		uint32_t window;

		if (at.space == 0)
			return at;
		window = window_of(plan, at.space, at.address);
		if (window == NOBODY)
			return unclaimed(plan, at);
		if (!pass(plan, &at, window, access))
			return refused(at, BUSWAY_ACCESS, NOBODY);
	}
	return refused(at, BUSWAY_TOO_MANY_HOPS, NOBODY);
}

static bool any_memory(const struct plan *plan, uint32_t region)
{
	return plan->regions[region].kind == BUSWAY_REGION_RAM ||
	       plan->regions[region].kind == BUSWAY_REGION_UNKNOWN;
}

bool twin_is_memory(const struct plan *plan, const struct twin_end *end)
{
	return end->reason == BUSWAY_NOT_REFUSED && end->space == 0 &&
	       any_memory(plan, end->region);
}

struct twin_end twin_access(const struct plan *plan, uint32_t device, struct busway_range dma,
			    enum busway_access access, uint64_t *good_last)
{
	const struct twin_end first = twin_follow(plan, device, dma.first, access);
	struct twin_end before = first;

	/* what cannot be emitted does not even leave the device */
	for (uint64_t i = 0; i <= dma.last - dma.first; i++)
		if (!twin_emits(&plan->devices[device].emission, dma.first + i))
			return twin_follow(plan, device, dma.first + i, access);
	if (first.reason != BUSWAY_NOT_REFUSED)
		return first;
	for (uint64_t i = 1; i <= dma.last - dma.first; i++) {
		const struct twin_end end = twin_follow(plan, device, dma.first + i, access);

		if (end.reason != BUSWAY_NOT_REFUSED)
			return end;
		if (end.space != before.space || before.address == UINT64_MAX ||
		    end.address != before.address + 1 ||
		    (end.region != before.region &&
		     !(any_memory(plan, end.region) && any_memory(plan, before.region)))) {
			*good_last = dma.first + (i - 1);
			return refused(start(plan, device, dma.first), BUSWAY_STRADDLES, NOBODY);
		}
		before = end;
	}
	return first;
}

/* ---- every byte of a random plan, written down ---- */

static struct twin_byte look_at(const struct plan *plan, uint32_t device, uint64_t dma)
{
	static const enum busway_access each[] = {BUSWAY_READ, BUSWAY_WRITE};
	struct twin_byte byte = {.dma = dma, .window = NOBODY};

	for (size_t i = 0; i < COUNT(each); i++) {
		const struct twin_end end = twin_follow(plan, device, dma, each[i]);

		if (!twin_is_memory(plan, &end))
			continue;
		byte.access |= each[i];
		byte.phys = end.address;
		byte.window = end.window;
	}
	return byte;
}

static bool has_arena(const struct twin_map *map, uint64_t base)
{
	for (size_t i = 0; i < map->arenas; i++)
		if (map->bases[i] == base)
			return true;
	return false;
}

void twin_map_open(struct twin_map *map, const struct plan *plan, uint32_t device)
{
	*map = (struct twin_map){
		.plan = plan,
		.bytes = calloc(plan->space_count * plan->size, sizeof(*map->bytes)),
		.bases = calloc(plan->space_count, sizeof(*map->bases)),
	};
	assert_non_null(map->bytes);
	assert_non_null(map->bases);
	for (size_t s = 0; s < plan->space_count; s++) {
		struct twin_byte *bytes = map->bytes + map->arenas * plan->size;

		if (has_arena(map, plan->base[s]))
			continue;
		for (uint64_t i = 0; i < plan->size; i++)
			bytes[i] = look_at(plan, device, plan->base[s] + i);
		map->bases[map->arenas++] = plan->base[s];
	}
}

void twin_map_close(struct twin_map *map)
{
	free(map->bytes);
	free(map->bases);
	*map = (struct twin_map){0};
}

const struct twin_byte *twin_map_at(const struct twin_map *map, uint64_t dma)
{
	for (size_t i = 0; i < map->arenas; i++)
		if (dma - map->bases[i] < map->plan->size)
			return map->bytes + i * map->plan->size + (dma - map->bases[i]);
	return NULL;
}

bool twin_map_next(const struct twin_map *map, uint64_t phys, enum busway_access access, bool first,
		   uint64_t *dma)
{
	const uint64_t before = *dma;
	bool found = false;

	for (size_t i = 0; i < map->arenas * map->plan->size; i++) {
		const struct twin_byte *byte = &map->bytes[i];

		if (byte->phys == phys && byte->access && (byte->access & access) == access &&
		    (first || byte->dma > before) && (!found || byte->dma < *dma)) {
			*dma = byte->dma;
			found = true;
		}
	}
	return found;
}

uint64_t twin_map_run(const struct twin_map *map, uint64_t dma, enum busway_access access,
		      uint64_t max)
{
	const struct twin_byte *first = twin_map_at(map, dma);
	uint64_t count = 0;

	while (count < max) {
		const struct twin_byte *byte = twin_map_at(map, dma + count);

		if ((count && (dma + count == 0 || first->phys + count == 0)) || !byte ||
		    !byte->access || (byte->access & access) != access ||
		    byte->phys != first->phys + count)
			break;
		count++;
	}
	return count;
}
