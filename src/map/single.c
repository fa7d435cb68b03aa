/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - map and unmap one run of memory.
 */
#include "live.h"

/* ---- mapping ---- */

bool map_arguments(struct busway_lane *lane, struct busway_mapping *mapping,
		   enum busway_direction direction)
{
	if (is_live(mapping) || mapping->state_ == STATE_WAITS) {
		report(lane, BUSWAY_MISUSE_MAPPED_TWICE, mapping, mapping->segments[0].dma, 0, 0);
		return false;
	}
	return is_direction(direction);
}

void *own_bytes(const struct busway_lane *lane, const struct busway_mapped *segment,
		uint64_t offset, size_t size)
{
	const uint64_t first = segment->phys.raw + offset;

	return pointer_to(lane->device->dma, (struct busway_range){first, first + (size - 1)});
}

/* What a segment of the driver's own memory needs before the device looks, and after. */
static void direct_begin(const struct busway_mapping *mapping, const struct busway_mapped *segment)
{
	const struct busway_dma_device *device = mapping->lane_->device;
	const size_t size = (size_t)busway_range_span(busway_dma_raw(segment->dma)) + 1;

	if (device->caches && !(mapping->attributes & BUSWAY_MAP_SKIP_SYNC))
		caches_to_device(device, own_bytes(mapping->lane_, segment, 0, size), size);
}

static void direct_end(const struct busway_mapping *mapping, const struct busway_mapped *segment)
{
	const struct busway_dma_device *device = mapping->lane_->device;
	const size_t size = (size_t)busway_range_span(busway_dma_raw(segment->dma)) + 1;

	if (device->caches && (mapping->direction & BUSWAY_WRITE) &&
	    !(mapping->attributes & BUSWAY_MAP_SKIP_SYNC))
		caches_to_cpu(device, own_bytes(mapping->lane_, segment, 0, size), size);
}

static uint8_t way_of(const struct busway_mapping *mapping)
{
	uint32_t bounced = 0;

	for (uint32_t i = 0; i < mapping->segment_count; i++)
		bounced += mapping->segments[i].pool_ != NULL;
	return bounced == 0                       ? BUSWAY_WAY_DIRECT
	       : bounced < mapping->segment_count ? BUSWAY_WAY_MIXED
						  : BUSWAY_WAY_BOUNCE;
}

void map_begin(struct busway_mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		const struct busway_mapped *segment = &mapping->segments[i];

		if (segment->pool_)
			bounce_begin(mapping, segment);
		else if (mapping->kind != BUSWAY_KIND_PEER)
			direct_begin(mapping, segment);
	}
}

void map_live(struct busway_lane *lane, struct busway_mapping *mapping)
{
	mapping->lane_ = lane;
	mapping->dma = mapping->segments[0].dma.first;
	/* of a peer's registers the route has decided */
	if (lane->device->domain && mapping->kind != BUSWAY_KIND_PEER)
		mapping->way = BUSWAY_WAY_IOMMU;
	else if (mapping->kind < BUSWAY_KIND_COHERENT)
		mapping->way = way_of(mapping);
	mapping->state_ = STATE_LIVE;
	live_add(lane, mapping);
	observe(lane, BUSWAY_EVENT_MAPPED, mapping, 0, mapping->size);
}

void map_finish(struct busway_lane *lane, struct busway_mapping *mapping)
{
	mapping->lane_ = lane;
	map_begin(mapping);
	map_live(lane, mapping);
}

void map_ended(struct busway_lane *lane, struct busway_mapping *mapping, uint8_t state)
{
	mapping->state_ = state;
	mapping->device_ = lane->device->id.index;
	mapping->api_ = lane->device->dma;
}

/* A record of one segment that asks for no more than to be filled in; its pool is the caller's. */
static inline void fill_in(struct busway_lane *lane, struct busway_mapping *mapping,
			   struct busway_range phys, uint64_t dma, enum busway_direction direction,
			   unsigned attributes, enum busway_way way)
{
	mapping->dma = busway_dma(dma);
	describe_one(mapping, BUSWAY_KIND_SINGLE, busway_range_span(phys) + 1, direction,
		     attributes);
	mapping->way = (uint8_t)way;
	mapping->state_ = STATE_LIVE;
	mapping->lane_ = lane;
	mapping->one_.dma = (struct busway_dma_range){{dma}, {dma + busway_range_span(phys)}};
	mapping->one_.phys = busway_phys(phys.first);
	mapping->one_.pool_ = NULL;
	live_add(lane, mapping);
}

static inline bool may_map(const struct busway_mapping *mapping, struct busway_range phys,
			   enum busway_direction direction)
{
	return mapping->state_ < STATE_LIVE && phys.first <= phys.last &&
	       phys.last - phys.first != UINT64_MAX && is_direction(direction);
}

/* ---- where copying is all there is to do ---- */

/* Slots that the lane's area kept, at an address with the low bits of @phys. False: none. */
static inline bool take_kept(const struct busway_lane *lane, struct busway_range phys,
			     struct run *run)
{
	const struct spans *spans = &lane->device->streaming.spans;
	const struct span *span = &spans->span[0];
	const uint64_t ahead = (phys.first - span->base) & lane->min_align_mask;
	const uint64_t align = (lane->min_align_mask + 1) / BUSWAY_SLOT_SIZE;
	struct slot_pool *slots;
	uint64_t count;

	if (!atomic_load_explicit(&spans->count, memory_order_acquire) || !span->whole ||
	    busway_range_span(phys) >= AREA_LENGTHS * BUSWAY_SLOT_SIZE)
		return false;
	slots = &span->pool->slots;
	run->span = span;
	run->offset = ahead % BUSWAY_SLOT_SIZE;
	count = (run->offset + busway_range_span(phys)) / BUSWAY_SLOT_SIZE + 1;
	if (lane->area >= slots->area_count || count > AREA_LENGTHS)
		return false;
	if (align <= 1) {
		run->first = area_take(&slots->area[lane->area], (uint32_t)count, NULL);
	} else {
		const struct slot_wish wish = {.count = (uint32_t)count,
					       .align = (uint32_t)align,
					       .phase = (uint32_t)(ahead / BUSWAY_SLOT_SIZE)};

		run->first = area_take(&slots->area[lane->area], (uint32_t)count, &wish);
	}
	run->dma = span->base + pool_offset(run->first) + run->offset;
	return run->first != SLOT_NONE;
}

/* False: nothing has changed. */
static inline bool map_copied(struct busway_lane *lane, struct busway_range phys,
			      enum busway_direction direction, unsigned attributes,
			      struct busway_mapping *mapping)
{
	struct run run;
	void *own;

	if (!may_map(mapping, phys, direction) || (attributes & BUSWAY_MAP_NO_BOUNCE) ||
	    (lane->plain && !reach_misses(lane->reach, phys.first)))
		return false;
	own = pointer_to(lane->device->dma, phys);
	if (!own || !take_kept(lane, phys, &run))
		return false;
	fill_in(lane, mapping, phys, run.dma, direction, attributes, BUSWAY_WAY_BOUNCE);
	mapping->one_.pool_ = run.span->pool;
	mapping->one_.slot_ = run.first;
	mapping->one_.offset_ = (uint16_t)run.offset;
	mapping->one_.round_lg2_ = 0;
	if (copies_in(mapping))
		memcpy(bounced_bytes(&mapping->one_), own, (size_t)mapping->size);
	return true;
}

static inline int unmap_copied(struct busway_lane *lane, struct busway_mapping *mapping)
{
	const struct busway_mapped *segment = &mapping->one_;

	live_remove(lane, mapping);
	if (copies_out(mapping))
		memcpy(own_bytes(lane, segment, 0, (size_t)mapping->size), bounced_bytes(segment),
		       (size_t)mapping->size);
	map_ended(lane, mapping, STATE_GONE);
	slot_pool_give(&segment->pool_->slots, segment->slot_, bounced_slots(segment), lane->area);
	if (has_waiters(lane->device->dma))
		line_serve(lane->device->dma);
	return 0;
}

/* ---- mapping ---- */

/* Out of line, so that busway_map() keeps no registers for it. */
__attribute__((noinline)) static int map_slowly(struct busway_lane *lane, struct busway_range phys,
						enum busway_direction direction,
						unsigned attributes, struct busway_mapping *mapping,
						struct busway_refusal *why)
{
	struct busway_refusal own_why;
	int status;

	if (lane->copies && map_copied(lane, phys, direction, attributes, mapping))
		return 0;
	if (phys.first > phys.last || busway_range_span(phys) == UINT64_MAX ||
	    !map_arguments(lane, mapping, direction))
		return -BUSWAY_EINVAL;
	if (lane->device->domain)
		return translated_single(lane, phys, direction, attributes, mapping,
					 why ? why : &own_why);
	status = serve(lane, phys, direction, attributes, &mapping->one_, why ? why : &own_why);
	if (status) {
		map_ended(lane, mapping, STATE_REFUSED);
		return status;
	}
	describe_one(mapping, BUSWAY_KIND_SINGLE, busway_range_span(phys) + 1, direction,
		     attributes);
	map_finish(lane, mapping);
	return 0;
}

/* The device reaches it, sees the caches and minds nothing: this is what mapping costs mostly. */
int busway_map(struct busway_lane *lane, struct busway_phys_range phys,
	       enum busway_direction direction, unsigned attributes, struct busway_mapping *mapping,
	       struct busway_refusal *why)
{
	const struct busway_range r = busway_phys_raw(phys);
	uint64_t dma;

	if (!LIKELY(lane->plain && may_map(mapping, r, direction) &&
		    reach_glance(lane->reach, r, (enum busway_access)direction, &dma) &&
		    keeps_low_bits(lane, r.first, dma)))
		return map_slowly(lane, r, direction, attributes, mapping, why);
	fill_in(lane, mapping, r, dma, direction, attributes, BUSWAY_WAY_DIRECT);
	return 0;
}

/* ---- unmapping ---- */

static void unmap_segment(const struct busway_mapping *mapping, const struct busway_mapped *segment)
{
	if (segment->pool_)
		bounce_end(mapping, segment);
	else if (mapping->kind != BUSWAY_KIND_PEER)
		direct_end(mapping, segment);
}

__attribute__((noinline)) static int unmap_slowly(struct busway_mapping *mapping)
{
	struct busway_lane *lane = mapping->lane_;

	if (!is_live(mapping))
		return not_live(mapping, true);
	if (lane->copies && mapping->way == BUSWAY_WAY_BOUNCE &&
	    mapping->kind == BUSWAY_KIND_SINGLE)
		return unmap_copied(lane, mapping);
	if (mapping->kind == BUSWAY_KIND_COHERENT) {
		report(lane, BUSWAY_MISUSE_WRONG_KIND, mapping, mapping->segments[0].dma,
		       BUSWAY_KIND_SINGLE, mapping->kind);
		return -BUSWAY_EINVAL;
	}
	live_remove(lane, mapping);
	if (mapping->way == BUSWAY_WAY_IOMMU)
		translated_unmap(mapping, false);
	observe(lane, BUSWAY_EVENT_UNMAPPED, mapping, 0, mapping->size);
	for (uint32_t i = 0; i < mapping->segment_count; i++)
		unmap_segment(mapping, &mapping->segments[i]);
	map_ended(lane, mapping, STATE_GONE);
	for (uint32_t i = 0; i < mapping->segment_count; i++)
		slots_free(lane, &mapping->segments[i]);
	slots_freed(lane);
	return 0;
}

int busway_unmap(struct busway_mapping *mapping)
{
	struct busway_lane *lane = mapping->lane_;

	if (!LIKELY(is_live(mapping) && lane->plain && mapping->way == BUSWAY_WAY_DIRECT &&
		    mapping->kind <= BUSWAY_KIND_LIST))
		return unmap_slowly(mapping);
	live_remove(lane, mapping);
	map_ended(lane, mapping, STATE_GONE);
	return 0;
}
