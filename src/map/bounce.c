/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c - slots for a buffer, what is copied when, and why there is no slot.
 *
 *   slots   |   2048   |   2048   |   2048   |
 *   bytes        [----- the buffer ------]         offset: low bits that must be kept
 */
#include "map_internal.h"

/* ---- slots ---- */

/* Whole pages, for nothing else; the low bits are those of the place inside. */
static struct want want_pages(const struct busway_lane *lane, struct busway_range phys)
{
	const uint64_t inside = busway_domain_granule(lane->device->domain) - 1;
	const uint64_t offset = phys.first & lane->min_align_mask & inside;

	return (struct want){
		.size = (offset + busway_range_span(phys) + 1 + inside) & ~inside,
		.modulus = inside + 1,
		.inside = offset,
	};
}

struct want bounce_want(const struct busway_lane *lane, struct busway_range phys)
{
	if (lane->device->domain)
		return want_pages(lane, phys);
	return (struct want){
		.size = busway_range_span(phys) + 1, /* not all 2^64: fits_segment() */
		.modulus = lane->min_align_mask + 1,
		.residue = phys.first & lane->min_align_mask,
		.boundary = lane->device->segments.boundary,
	};
}

bool fits_segment(const struct busway_dma_device *device, uint64_t size)
{
	const struct busway_segment_limits *limits = &device->segments;

	return size != 0 && (!limits->max_size || size <= limits->max_size) &&
	       (!limits->boundary || size <= limits->boundary);
}

static bool is_held(const struct want *want)
{
	return want->trial && want->trial->asked;
}

/* The wish that a want is, in the slots of a span; false: it holds more than slots are counted. */
static bool wish_of(const struct span *span, const struct want *want, struct slot_wish *wish,
		    struct slot_bounds *bounds)
{
	/* how far behind the modulus the first slot lies, as the device counts */
	const uint64_t ahead = (want->residue - span->base) & (want->modulus - 1);
	const uint64_t offset = ahead % BUSWAY_SLOT_SIZE;
	const uint64_t align =
		want->modulus > BUSWAY_SLOT_SIZE ? want->modulus / BUSWAY_SLOT_SIZE : 1;

	if (want->size > UINT64_MAX - BUSWAY_SLOT_SIZE || align > SLOTS_MAX ||
	    slots_for(offset + want->size) > SLOTS_MAX)
		return false;
	*wish = (struct slot_wish){
		.count = (uint32_t)slots_for(offset + want->size),
		.align = (uint32_t)align,
		.phase = (uint32_t)(ahead / BUSWAY_SLOT_SIZE),
		.bounds = span->whole && !want->boundary ? NULL : bounds,
		.probe = want->trial != NULL,
	};
	*bounds = (struct slot_bounds){
		.low = span->low,
		.high = span->high,
		.boundary = want->boundary,
		.base = span->base,
		.slot = BUSWAY_SLOT_SIZE,
		.offset = offset,
		.size = want->size,
	};
	return true;
}

/* Spans that may be looked at for @want. */
static uint32_t span_count(const struct spans *spans, const struct want *want)
{
	return is_held(want) ? want->trial->held
			     : atomic_load_explicit(&spans->count, memory_order_acquire);
}

bool run_take(const struct spans *spans, const struct want *want, uint32_t area, struct run *run)
{
	const uint32_t count = span_count(spans, want);

	for (uint32_t i = 0; i < count; i++) {
		const struct span *span = &spans->span[i];
		struct slot_bounds bounds;
		struct slot_wish wish;
		uint32_t first;

		if ((want->in_turn && span->pool->passed_by) ||
		    !wish_of(span, want, &wish, &bounds))
			continue;
		first = is_held(want) ? slot_pool_hold_run(&span->pool->slots, &wish)
				      : slot_pool_take(&span->pool->slots, &wish, area);
		if (first == SLOT_NONE)
			continue;
		*run = (struct run){
			.span = span,
			.first = first,
			.count = wish.count,
			.offset = bounds.offset + want->inside,
			.dma = span->base + pool_offset(first) + bounds.offset + want->inside,
		};
		return true;
	}
	return false;
}

void slots_free(const struct busway_lane *lane, const struct busway_mapped *segment)
{
	if (segment->pool_)
		slot_pool_give(&segment->pool_->slots, segment->slot_, bounced_slots(segment),
			       lane->area);
}

void slots_freed(const struct busway_lane *lane)
{
	struct busway_dma *dma = lane->device->dma;

	if (has_waiters(dma))
		line_serve(dma);
}

/* ---- why there is none ---- */

bool span_could(const struct span *span, const struct want *want)
{
	struct slot_bounds bounds;
	struct slot_wish wish;

	if (!wish_of(span, want, &wish, &bounds))
		return false;
	wish.bounds = &bounds;
	return slot_place(&wish, span->low, span->high) != SLOT_NONE;
}

bool run_could(const struct spans *spans, const struct want *want)
{
	const uint32_t count = atomic_load_explicit(&spans->count, memory_order_acquire);

	for (uint32_t i = 0; i < count; i++)
		if (span_could(&spans->span[i], want))
			return true;
	return false;
}

static struct busway_occupancy occupancy(const struct slot_census *slots)
{
	return (struct busway_occupancy){
		.size = pool_offset(slots->total),
		.used = pool_offset(slots->used),
		.longest = pool_offset(slots->longest),
		.high_water = pool_offset(slots->high_water),
	};
}

/* Of spans that would serve if they were empty the one with most room, else the largest. */
static const struct span *best_span(const struct spans *spans, uint32_t count,
				    const struct want *want, bool *could,
				    struct slot_census *census)
{
	const struct span *best = NULL;
	uint32_t most = 0;

	*could = false;
	for (uint32_t i = 0; i < count; i++) {
		const struct span *span = &spans->span[i];
		struct slot_pool *slots = &span->pool->slots;
		const struct slot_census now =
			is_held(want) ? slot_pool_hold_census(slots) : slot_pool_census(slots);
		const bool serves = span_could(span, want);
		const uint32_t room = serves ? now.total - now.used : span->high - span->low;

		if (best && (*could > serves || (*could == serves && room <= most)))
			continue;
		best = span;
		*could = serves;
		*census = now;
		most = room;
	}
	return best;
}

void run_refuse(const struct busway_dma_device *device, const struct spans *spans,
		const struct want *want, struct busway_range asked, struct busway_refusal *why)
{
	const uint32_t count = span_count(spans, want);
	struct slot_census census = {0};
	const struct span *span;
	bool could;

	*why = (struct busway_refusal){
		.reason = BUSWAY_NO_POOL,
		.hop = described(device)->name,
		.asked = asked,
		.needed = want->size,
	};
	span = best_span(spans, count, want, &could, &census);
	if (!span)
		return;
	why->reason = !could ? BUSWAY_POOL_TOO_SMALL
		      : pool_offset(census.total - census.used) < want->size
			      ? BUSWAY_POOL_FULL
			      : BUSWAY_POOL_FRAGMENTED;
	why->by = span->pool->name;
	why->has_limit = true;
	why->limit = span->pool->range;
	why->pool = occupancy(&census);
	if (could)
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_UNMAP_SOME,
						   .size = want->size});
	else if (pool_offset(span->high - span->low + 1) < want->size)
		/* else alignment or a boundary is in the way, and no size helps for sure */
		advise(why,
		       (struct busway_advice){.kind = BUSWAY_ADVISE_SMALLER,
					      .size = pool_offset(span->high - span->low + 1)});
}

/* ---- bytes ---- */

void slots_wipe(const struct busway_dma_device *device, const struct busway_mapped *segment)
{
	unsigned char *slots = segment->pool_->cached + pool_offset(segment->slot_);
	const size_t size = (size_t)pool_offset(bounced_slots(segment));

	memset(slots, 0, size);
	caches_to_device(device, slots, size);
}

void bounce_begin(const struct busway_mapping *mapping, const struct busway_mapped *segment)
{
	const struct busway_lane *lane = mapping->lane_;
	const struct busway_dma_device *device = lane->device;
	const size_t size = (size_t)busway_range_span(busway_dma_raw(segment->dma)) + 1;
	unsigned char *bytes = bounced_bytes(segment);

	if (device->untrusted)
		slots_wipe(device, segment);
	if (copies_in(mapping))
		memcpy(bytes, own_bytes(lane, segment, 0, size), size);
	caches_to_device(device, bytes, size);
}

void bounce_end(const struct busway_mapping *mapping, const struct busway_mapped *segment)
{
	const struct busway_lane *lane = mapping->lane_;
	const size_t size = (size_t)busway_range_span(busway_dma_raw(segment->dma)) + 1;

	if (copies_out(mapping)) {
		caches_to_cpu(lane->device, bounced_bytes(segment), size);
		memcpy(own_bytes(lane, segment, 0, size), bounced_bytes(segment), size);
	}
	if (lane->device->untrusted)
		slots_wipe(lane->device, segment);
}
