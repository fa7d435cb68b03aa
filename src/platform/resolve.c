/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.c - follow one access, hop by hop. Read <busway/resolve.h> first.
 *
 * The access is followed from its first byte; each hop may narrow how much of it goes the same
 * way (a window or a region ends). What was cut off is followed next, as a part of its own. All
 * parts must land side by side, in memory, or the access is not one access.
 */
#include <busway/resolve.h>

#include "../base/bytes.h"

#include "platform_internal.h"

struct part {
	struct busway_range range; /* in addresses of the first space; then of the last */
	uint32_t region;
};

struct walk {
	const struct busway_platform *platform;
	busway_space_id enters;
	const struct busway_emission *emission;
	enum busway_access access;
	unsigned part_start; /* the first hop of the part that is followed */
	struct busway_path *path;
	struct busway_refusal *why;
};

static void record_hop(struct walk *walk, busway_space_id space, struct busway_range range,
		       const struct busway_window *window, const struct busway_region *region)
{
	struct busway_path *path = walk->path;

	if (path->hop_count == BUSWAY_HOPS_MAX) {
		/* earlier parts make room: the one that lands last, or is refused, is kept whole */
		path->hop_count -= walk->part_start;
		path->left_out += walk->part_start;
		memmove(path->hops, path->hops + walk->part_start,
			path->hop_count * sizeof(*path->hops));
		walk->part_start = 0;
	}
	if (path->hop_count < BUSWAY_HOPS_MAX)
		path->hops[path->hop_count++] = (struct busway_hop){space, range, window, region};
}

static int refuse(struct walk *walk, enum busway_reason reason, busway_space_id space,
		  struct busway_range asked)
{
	const struct busway_space *s = &space_entry(walk->platform, space)->space;

	*walk->why = (struct busway_refusal){
		.reason = reason,
		.hop = s->name,
		.asked = asked,
		.bus_addresses = s->kind != BUSWAY_SPACE_CPU,
	};
	return -BUSWAY_ERANGE;
}

/* The run of @decoder that is nearest to @address; false: it has none. */
static bool nearest(const struct decoder *decoder, uint64_t address, struct busway_range *out)
{
	const size_t at = decode_find(decoder, address);

	if (!decoder->count)
		return false;
	*out = decoder->runs[at < decoder->count ? at : at - 1].range;
	if (at > 0 && distance(decoder->runs[at - 1].range, address) < distance(*out, address))
		*out = decoder->runs[at - 1].range;
	return true;
}

/* Can the device put an address of @range, which is on its own bus, there at all? */
static bool can_emit(const struct walk *walk, busway_space_id space, struct busway_range range)
{
	struct busway_range run;

	return space.index != walk->enters.index ||
	       (emission_next(walk->emission, range.first, &run) && run.first <= range.last);
}

static void advise_nearest(struct walk *walk, busway_space_id space, struct busway_range near)
{
	if (can_emit(walk, space, near))
		advise(walk->why, (struct busway_advice){
					  .kind = BUSWAY_ADVISE_NEAREST,
					  .bus_addresses = space.index != BUSWAY_CPU_SPACE.index,
					  .range = near,
				  });
}

/* Nobody takes @range.first in @space. */
static int refuse_unclaimed(struct walk *walk, busway_space_id space, struct busway_range range)
{
	const struct space_entry *entry = space_entry(walk->platform, space);
	const bool is_cpu = entry->space.kind == BUSWAY_SPACE_CPU;
	struct busway_range near;
	bool found;

	refuse(walk,
	       is_cpu                        ? BUSWAY_NO_MEMORY
	       : entry->space.untranslatable ? BUSWAY_UNTRANSLATABLE
					     : BUSWAY_NO_WINDOW,
	       space, range);
	found = is_cpu ? nearest_bank(walk->platform, range.first, &near)
		       : nearest(&entry->windows, range.first, &near);
	if (found) {
		walk->why->has_limit = true;
		walk->why->limit = near;
		advise_nearest(walk, space, near);
	}
	return -BUSWAY_ERANGE;
}

static int refuse_access(struct walk *walk, busway_space_id space, struct busway_range asked,
			 const char *by, struct busway_range limit)
{
	refuse(walk, BUSWAY_ACCESS, space, asked);
	walk->why->by = by;
	walk->why->has_limit = true;
	walk->why->limit = limit;
	return -BUSWAY_ERANGE;
}

/* Reserved memory is not for anybody else's DMA, and in an aperture it is not memory that answers.
 */
static bool is_no_place(const struct busway_region *region)
{
	return region->kind == BUSWAY_REGION_CARVEOUT || region->kind == BUSWAY_REGION_APERTURE;
}

/* Memory behind the aperture would be reached if it moved; without any, the next window helps. */
static void advise_off_aperture(struct walk *walk, busway_space_id space, struct busway_range asked,
				const struct busway_region *region)
{
	const struct decoder *windows = &space_entry(walk->platform, space)->windows;
	struct busway_range near;

	if (!nearest(windows, asked.first, &near))
		return;
	if (busway_range_has(near, asked.first))
		advise(walk->why, (struct busway_advice){.kind = BUSWAY_ADVISE_APERTURE,
							 .hop = region->name,
							 .range = region->range});
	else
		advise_nearest(walk, space, near);
}

static int refuse_region(struct walk *walk, busway_space_id space, struct busway_range asked,
			 const struct busway_region *region)
{
	const bool aperture = region->kind == BUSWAY_REGION_APERTURE;

	refuse(walk, aperture ? BUSWAY_APERTURE : BUSWAY_RESERVED, space, asked);
	walk->why->by = region->name;
	walk->why->has_limit = true;
	walk->why->limit = region->range;
	if (aperture)
		advise_off_aperture(walk, space, asked, region);
	return -BUSWAY_ERANGE;
}

/* Follow as much of @part as goes one way; it becomes what landed, and where. */
static int follow(struct walk *walk, busway_space_id space, struct part *part, uint64_t *span)
{
	struct busway_range range = part->range;

	for (unsigned hops = 0; hops < BUSWAY_HOPS_MAX; hops++) {
		const struct space_entry *entry = space_entry(walk->platform, space);
		const struct claim claim = claim_at(entry, range.first);

		if (claim.last < range.last)
			range.last = claim.last;
		if (claim.kind == CLAIM_NONE) {
			record_hop(walk, space, range, NULL, NULL);
			return refuse_unclaimed(walk, space, range);
		}
		if (claim.kind == CLAIM_REGION) {
			const struct busway_region *region = region_at(walk->platform, claim.index);

			record_hop(walk, space, range, NULL, region);
			if ((region->access & walk->access) != walk->access)
				return refuse_access(walk, space, range, region->name,
						     region->range);
			if (is_no_place(region))
				return refuse_region(walk, space, range, region);
			*span = busway_range_span(range);
			*part = (struct part){range, claim.index};
			return 0;
		}
		const struct busway_window *window = window_at(walk->platform, claim.index);

		record_hop(walk, space, range, window, NULL);
		if ((window->access & walk->access) != walk->access)
			return refuse_access(walk, space, range, window->name, window->in);
		range = (struct busway_range){window_out(window, range.first),
					      window_out(window, range.last)};
		space = window->to;
	}
	return refuse(walk, BUSWAY_TOO_MANY_HOPS, space, range);
}

static int refuse_straddle(struct walk *walk, busway_space_id space, struct busway_range asked,
			   uint64_t good_last)
{
	refuse(walk, BUSWAY_STRADDLES, space, asked);
	walk->why->has_limit = true;
	walk->why->limit = (struct busway_range){asked.first, good_last};
	advise(walk->why,
	       (struct busway_advice){.kind = BUSWAY_ADVISE_SPLIT, .range = walk->why->limit});
	return -BUSWAY_ERANGE;
}

static bool is_memory(const struct busway_platform *platform, uint32_t region)
{
	const enum busway_region_kind kind = region_at(platform, region)->kind;

	return kind == BUSWAY_REGION_RAM || kind == BUSWAY_REGION_UNKNOWN;
}

/* Does @next land right behind @part, so that the two are one piece of memory? */
static bool continues(const struct busway_platform *platform, const struct part *part,
		      const struct part *next)
{
	const struct busway_region *a = region_at(platform, part->region);
	const struct busway_region *b = region_at(platform, next->region);

	return a->space.index == b->space.index && busway_range_adjoins(part->range, next->range) &&
	       (part->region == next->region ||
		(is_memory(platform, part->region) && is_memory(platform, next->region)));
}

static void record_target(struct busway_path *path, uint32_t region)
{
	if (path->target_count && path->targets[path->target_count - 1].index == region)
		return;
	if (path->target_count < BUSWAY_TARGETS_MAX)
		path->targets[path->target_count++] = (busway_region_id){region};
}

static int follow_all(struct walk *walk, busway_space_id space, struct busway_range range)
{
	struct part landed = {{0, 0}, 0};
	uint64_t first = range.first;

	for (;;) {
		struct part part = {{first, range.last}, 0};
		uint64_t span = 0;
		int status;

		walk->part_start = walk->path->hop_count;
		status = follow(walk, space, &part, &span);
		if (status)
			return status;
		if (first != range.first && !continues(walk->platform, &landed, &part))
			return refuse_straddle(walk, space, range, first - 1);
		record_target(walk->path, part.region);
		landed = part;
		if (span == range.last - first)
			return 0;
		first += span + 1;
	}
}

/* Would the access land if the device drove all address lines? Else a mask is no help. */
static bool lands_anyway(const struct busway_platform *platform, busway_device_id device,
			 struct busway_dma_range dma, enum busway_access access)
{
	const struct busway_emission all = busway_emission_mask(64);

	return busway_resolve(platform, device, dma, &all, access, NULL, NULL) == 0;
}

int busway_resolve(const struct busway_platform *platform, busway_device_id device,
		   struct busway_dma_range dma, const struct busway_emission *emission,
		   enum busway_access access, struct busway_path *path, struct busway_refusal *why)
{
	struct busway_path own_path;
	struct busway_refusal own_why;
	struct walk walk = {
		.platform = platform,
		.emission = emission,
		.access = access,
		.path = path ? path : &own_path,
		.why = why ? why : &own_why,
	};
	const struct busway_range range = busway_dma_raw(dma);
	const struct busway_device *dev;
	uint64_t bad;

	if (!platform->sealed || device.index >= platform->devices.count ||
	    range.first > range.last || !(access & BUSWAY_READ_WRITE))
		return -BUSWAY_EINVAL;
	dev = busway_platform_device(platform, device);
	walk.enters = dev->dma.enters;
	walk.path->hop_count = 0;
	walk.path->left_out = 0;
	walk.path->target_count = 0;
	if (!emission)
		walk.emission = &dev->emission;
	if (!emission_holds(walk.emission, range, &bad)) {
		emission_refuse(dev, walk.emission, (struct busway_range){bad, range.last},
				walk.why);
		if (why && why->reason == BUSWAY_BEYOND_MASK &&
		    !lands_anyway(platform, device, dma, access))
			why->advice_count = 0;
		return -BUSWAY_ERANGE;
	}
	return follow_all(&walk, dev->dma.enters, range);
}
