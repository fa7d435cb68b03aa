/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * single.c - map and unmap one run of memory: which way it goes, and why none will do.
 */
#include "live.h"

#define LIKELY(x) __builtin_expect(!!(x), 1)

/* ---- direct ---- */

bool within_limits(const struct busway_segment_limits *limits, uint64_t dma, uint64_t span)
{
	if (limits->max_size && span > limits->max_size - 1)
		return false;
	return !limits->boundary || (dma | (limits->boundary - 1)) - dma >= span;
}

bool shares_lines(const struct busway_dma_device *device, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes)
{
	const struct busway_range lines = whole_lines(device->dma, phys);

	return device->caches && (direction & BUSWAY_WRITE) &&
	       !(attributes & BUSWAY_MAP_OWNS_LINES) &&
	       (lines.first != phys.first || lines.last != phys.last);
}

/* What is wanted of an address beside leading to the memory. */
struct wanted {
	const struct busway_lane *lane;
	struct busway_range phys;
};

static bool suits(const void *ctx, uint64_t dma)
{
	const struct wanted *w = ctx;

	return keeps_low_bits(w->lane, w->phys.first, dma) &&
	       within_limits(&w->lane->device->segments, dma, busway_range_span(w->phys));
}

bool is_direct(const struct busway_lane *lane, struct busway_range phys,
	       enum busway_direction direction, unsigned attributes, uint64_t *dma)
{
	const struct busway_dma_device *device = lane->device;
	const enum busway_access access = (enum busway_access)direction;
	const struct wanted wanted = {lane, phys};

	if (device->bounce || device->untrusted ||
	    shares_lines(device, phys, direction, attributes))
		return false;
	if (reach_lookup(lane->reach, phys, access, dma) && suits(&wanted, *dma))
		return true;
	return (lane->reach->aliased || lane->reach->mixed) &&
	       reach_any_way(lane->reach, phys, access, suits, &wanted, dma);
}

/* ---- why not direct ---- */

struct busway_range leading_part(const struct busway_reach *reach, struct busway_range phys,
				 enum busway_access access)
{
	struct busway_range part = {phys.first, phys.first};

	for (size_t i = 0; i < reach->run_count && reach->runs[i].phys_first <= phys.first; i++)
		if (reach->runs[i].phys_last > part.last &&
		    (reach->runs[i].access & access) == access)
			part.last = reach->runs[i].phys_last;
	if (part.last > phys.last)
		part.last = phys.last;
	return part;
}

void refuse_as(const struct busway_lane *lane, enum busway_reason reason, struct busway_range phys,
	       struct busway_refusal *why)
{
	*why = (struct busway_refusal){
		.reason = reason, .hop = described(lane->device)->name, .asked = phys};
}

static void refuse_limits(const struct busway_lane *lane, struct busway_range phys,
			  struct busway_refusal *why)
{
	const struct busway_segment_limits *limits = &lane->device->segments;
	uint64_t most = limits->max_size;

	if (!most || (limits->boundary && limits->boundary < most))
		most = limits->boundary;
	refuse_as(lane, BUSWAY_SEGMENT_LIMITS, phys, why);
	advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_SMALLER, .size = most});
}

static void refuse_lines(const struct busway_lane *lane, struct busway_range phys,
			 struct busway_refusal *why)
{
	const struct busway_dma *dma = lane->device->dma;

	refuse_as(lane, BUSWAY_CACHE_LINE, phys, why);
	why->has_limit = true;
	why->limit = whole_lines(dma, phys);
	advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_OWN_LINES,
					   .size = dma->environment.cache_line});
}

/* Where a pool would have to be; nothing where no memory is reached. */
static void advise_pool(const struct busway_lane *lane, struct busway_range phys,
			struct busway_refusal *why)
{
	struct busway_range where;

	for (unsigned i = 0; i < why->advice_count; i++)
		if (why->advice[i].kind == BUSWAY_ADVISE_BOUNCE)
			return;
	if (!lane->device->bounce && reach_longest(lane->reach, BUSWAY_READ_WRITE, &where))
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_BOUNCE,
						   .range = where,
						   .size = busway_range_span(phys) + 1});
}

void refuse_direct(const struct busway_lane *lane, struct busway_range phys,
		   enum busway_direction direction, struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;
	uint64_t dma;
	size_t count;

	if (device->untrusted && !device->bounce) {
		refuse_as(lane, BUSWAY_UNCONFINED, phys, why);
	} else if (device->bounce ||
		   !reach_lookup(lane->reach, phys, (enum busway_access)direction, &dma)) {
		/* in more than one piece there may be addresses, but no one for all of it */
		if (busway_address_for(lane->reach, busway_phys_range(phys),
				       (enum busway_access)direction, BUSWAY_ADDRESS_BYPASS_IOMMU,
				       NULL, 0, &count, why) != -BUSWAY_ERANGE) {
			refuse_as(lane, BUSWAY_STRADDLES, phys, why);
			why->has_limit = true;
			why->limit = leading_part(lane->reach, phys, (enum busway_access)direction);
			advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_SPLIT,
							   .range = why->limit});
		}
		advise_pool(lane, phys, why);
	} else if (!within_limits(&device->segments, dma, busway_range_span(phys))) {
		refuse_limits(lane, phys, why);
	} else if (!keeps_low_bits(lane, phys.first, dma)) {
		refuse_as(lane, BUSWAY_LOW_BITS, phys, why);
		why->has_limit = true;
		why->limit = (struct busway_range){dma, dma + busway_range_span(phys)};
		advise_pool(lane, phys, why);
	} else {
		refuse_lines(lane, phys, why);
		advise_pool(lane, phys, why);
	}
}

/* ---- the way ---- */

/* What no free slot would mend. */
static bool may_bounce(const struct busway_lane *lane, struct busway_range phys,
		       enum busway_direction direction, unsigned attributes,
		       struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;
	const struct spans *spans = &device->streaming.spans;

	if ((device->untrusted && !device->bounce) || (attributes & BUSWAY_MAP_NO_BOUNCE) ||
	    !atomic_load_explicit(&spans->count, memory_order_acquire)) {
		refuse_direct(lane, phys, direction, why);
		return false;
	}
	if (!fits_segment(device, busway_range_span(phys) + 1)) {
		refuse_limits(lane, phys, why);
		return false;
	}
	if (!pointer_to(device->dma, phys)) {
		/* is it memory at all? */
		refuse_direct(lane, phys, direction, why);
		if (why->reason != BUSWAY_NO_MEMORY)
			refuse_as(lane, BUSWAY_NO_POINTER, phys, why);
		return false;
	}
	return true;
}

bool bounce_could(struct busway_lane *lane, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes, struct busway_refusal *why)
{
	const struct want want = bounce_want(lane, phys);

	if (!may_bounce(lane, phys, direction, attributes, why))
		return false;
	run_refuse(lane->device, &lane->device->streaming.spans, &want, phys, why);
	return run_could(&lane->device->streaming.spans, &want);
}

int serve_bounced(struct busway_lane *lane, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes,
		  struct busway_mapped *segment, struct busway_refusal *why)
{
	const struct spans *spans = &lane->device->streaming.spans;
	struct want want = bounce_want(lane, phys);
	struct run run;

	want.probe = (attributes & MAP_PROBE) != 0;
	if (!may_bounce(lane, phys, direction, attributes, why))
		return -BUSWAY_ERANGE;
	if (!run_take(spans, &want, lane->index, &run)) {
		run_refuse(lane->device, spans, &want, phys, why);
		return -BUSWAY_ERANGE;
	}
	*segment = bounced_segment(&run, phys);
	return 0;
}

int serve(struct busway_lane *lane, struct busway_range phys, enum busway_direction direction,
	  unsigned attributes, struct busway_mapped *segment, struct busway_refusal *why)
{
	uint64_t dma;

	if (!is_direct(lane, phys, direction, attributes, &dma))
		return serve_bounced(lane, phys, direction, attributes, segment, why);
	if (lane->device->caches && !pointer_to(lane->device->dma, phys)) {
		refuse_as(lane, BUSWAY_NO_POINTER, phys, why);
		return -BUSWAY_ERANGE;
	}
	*segment = (struct busway_mapped){
		.dma = {{dma}, {dma + busway_range_span(phys)}},
		.phys = {phys.first},
	};
	return 0;
}

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

void map_finish(struct busway_lane *lane, struct busway_mapping *mapping)
{
	mapping->lane_ = lane;
	mapping->dma = mapping->segments[0].dma.first;
	if (mapping->kind != BUSWAY_KIND_PEER)
		mapping->way = way_of(mapping);
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		struct busway_mapped *segment = &mapping->segments[i];

		segment->owner_ = mapping;
		live_add(lane, segment);
		if (segment->pool_)
			bounce_begin(mapping, segment);
		else if (mapping->kind != BUSWAY_KIND_PEER)
			direct_begin(mapping, segment);
	}
	mapping->state_ = STATE_LIVE;
	lane->live++;
	observe(lane, BUSWAY_EVENT_MAPPED, mapping, 0, mapping->size);
}

void map_ended(struct busway_lane *lane, struct busway_mapping *mapping, uint8_t state)
{
	mapping->state_ = state;
	mapping->device_ = lane->device->id.index;
	mapping->api_ = lane->device->dma;
}

/* A record of one segment that asks for no more than to be filled in. */
static inline void fill_in(struct busway_lane *lane, struct busway_mapping *mapping,
			   struct busway_range phys, uint64_t dma, enum busway_direction direction,
			   unsigned attributes, enum busway_way way)
{
	mapping->dma = busway_dma(dma);
	mapping->size = busway_range_span(phys) + 1;
	mapping->segments = &mapping->one_;
	mapping->segment_count = mapping->entry_count = 1;
	mapping->direction = (uint8_t)direction;
	mapping->attributes = (uint8_t)attributes;
	mapping->kind = BUSWAY_KIND_SINGLE;
	mapping->way = (uint8_t)way;
	mapping->state_ = STATE_LIVE;
	mapping->lane_ = lane;
	mapping->one_.dma = (struct busway_dma_range){{dma}, {dma + busway_range_span(phys)}};
	mapping->one_.phys = busway_phys(phys.first);
	mapping->one_.owner_ = mapping;
	mapping->one_.pool_ = NULL;
	live_add(lane, &mapping->one_);
	lane->live++;
}

static inline bool may_map(const struct busway_mapping *mapping, struct busway_range phys,
			   enum busway_direction direction)
{
	return mapping->state_ < STATE_LIVE && phys.first <= phys.last &&
	       phys.last - phys.first != UINT64_MAX && is_direction(direction);
}

/* Through slots that were used last, where copying is all there is to do. False: nothing has
 * changed. */
static bool map_copied(struct busway_lane *lane, struct busway_range phys,
		       enum busway_direction direction, unsigned attributes,
		       struct busway_mapping *mapping)
{
	const size_t size = (size_t)busway_range_span(phys) + 1;
	struct pool *pool;
	uint64_t dma;
	uint32_t slot;
	void *own;

	if (!may_map(mapping, phys, direction) || (attributes & BUSWAY_MAP_NO_BOUNCE) ||
	    (lane->plain && !reach_misses(lane->reach, phys.first)))
		return false;
	own = pointer_to(lane->device->dma, phys);
	pool = own ? kept_take(lane, busway_range_span(phys) + 1, &slot, &dma) : NULL;
	if (!pool)
		return false;
	fill_in(lane, mapping, phys, dma, direction, attributes, BUSWAY_WAY_BOUNCE);
	mapping->one_.pool_ = pool;
	mapping->one_.slot_ = slot;
	mapping->one_.offset_ = 0;
	if (copies_in(mapping))
		memcpy(bounced_bytes(&mapping->one_), own, size);
	return true;
}

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
	status = serve(lane, phys, direction, attributes, &mapping->one_, why ? why : &own_why);
	if (status) {
		map_ended(lane, mapping, STATE_REFUSED);
		return status;
	}
	mapping->size = busway_range_span(phys) + 1;
	mapping->segments = &mapping->one_;
	mapping->segment_count = mapping->entry_count = 1;
	mapping->direction = (uint8_t)direction;
	mapping->attributes = (uint8_t)attributes;
	mapping->kind = BUSWAY_KIND_SINGLE;
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

static void unmap_segment(struct busway_lane *lane, const struct busway_mapping *mapping,
			  struct busway_mapped *segment)
{
	live_remove(lane, segment);
	if (segment->pool_)
		bounce_end(mapping, segment);
	else if (mapping->kind != BUSWAY_KIND_PEER)
		direct_end(mapping, segment);
}

static int unmap_copied(struct busway_lane *lane, struct busway_mapping *mapping)
{
	const struct busway_mapped *segment = &mapping->one_;

	live_remove(lane, &mapping->one_);
	lane->live--;
	if (copies_out(mapping))
		memcpy(own_bytes(lane, segment, 0, (size_t)mapping->size), bounced_bytes(segment),
		       (size_t)mapping->size);
	map_ended(lane, mapping, STATE_GONE);
	slot_pool_give(&segment->pool_->slots, segment->slot_, bounced_slots(segment), lane->index);
	slots_freed(lane);
	return 0;
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
	lane->live--;
	observe(lane, BUSWAY_EVENT_UNMAPPED, mapping, 0, mapping->size);
	for (uint32_t i = 0; i < mapping->segment_count; i++)
		unmap_segment(lane, mapping, &mapping->segments[i]);
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
	if (LIKELY(mapping->kind == BUSWAY_KIND_SINGLE))
		live_remove(lane, &mapping->one_);
	else
		for (uint32_t i = 0; i < mapping->segment_count; i++)
			live_remove(lane, &mapping->segments[i]);
	lane->live--;
	map_ended(lane, mapping, STATE_GONE);
	return 0;
}

const char *busway_way_name(enum busway_way way)
{
	static const char *const names[] = {"direct", "bounce", "peer", "mixed"};

	return (unsigned)way < sizeof(names) / sizeof(names[0]) ? names[way] : "";
}
