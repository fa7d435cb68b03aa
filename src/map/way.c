/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * way.c - which way one run of memory goes, and why none will do.
 */
#include "map_internal.h"

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

	if (device->bounce || device->untrusted || device->domain ||
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

void refuse_limits(const struct busway_lane *lane, struct busway_range phys,
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
	} else if (device->domain && !device->bounce) {
		if (shares_lines(device, phys, direction, 0))
			refuse_lines(lane, phys, why);
		else
			refuse_limits(lane, phys, why);
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

	const struct want want = bounce_want(lane, phys);

	if (device->domain && !busway_intervals_holds(&device->dma->usable, phys)) {
		refuse_as(lane, BUSWAY_NO_MEMORY, phys, why);
		return false;
	}
	if (device->domain && !(attributes & BUSWAY_MAP_NO_BOUNCE) &&
	    !atomic_load_explicit(&spans->count, memory_order_acquire)) {
		run_refuse(device, spans, &want, phys, why);
		return false;
	}
	if ((device->untrusted && !device->bounce && !device->domain) ||
	    (attributes & BUSWAY_MAP_NO_BOUNCE) ||
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
		  enum busway_direction direction, unsigned attributes, const struct trial *trial,
		  struct busway_mapped *segment, struct busway_refusal *why)
{
	const struct spans *spans = &lane->device->streaming.spans;
	struct want want = bounce_want(lane, phys);
	struct run run;

	want.trial = trial;
	if (!may_bounce(lane, phys, direction, attributes, why))
		return -BUSWAY_ERANGE;
	if (!run_take(spans, &want, lane->area, &run)) {
		run_refuse(lane->device, spans, &want, phys, why);
		return -BUSWAY_ERANGE;
	}
	*segment = bounced_segment(lane->device, &run, phys);
	return 0;
}

int serve(struct busway_lane *lane, struct busway_range phys, enum busway_direction direction,
	  unsigned attributes, struct busway_mapped *segment, struct busway_refusal *why)
{
	uint64_t dma;

	if (!is_direct(lane, phys, direction, attributes, &dma))
		return serve_bounced(lane, phys, direction, attributes, NULL, segment, why);
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

const char *busway_way_name(enum busway_way way)
{
	static const char *const names[] = {"direct", "bounce", "peer", "iommu", "mixed"};

	return (unsigned)way < sizeof(names) / sizeof(names[0]) ? names[way] : "";
}
