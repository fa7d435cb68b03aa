/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mask.c - changing the mask of a device that may have live mappings.
 */
#include "live.h"

#include <busway/intervals.h>

/* ---- what the platform makes of it ---- */

/* The highest address by which something is reached: slots of its pool, if @sole, or memory. */
static uint64_t highest_address(const struct route *route, bool sole)
{
	const uint32_t spans = atomic_load_explicit(&route->spans.count, memory_order_relaxed);
	uint64_t highest = 0;

	for (uint32_t i = 0; sole && i < spans; i++) {
		const struct span *span = &route->spans.span[i];
		const uint64_t last = span->base + pool_offset(span->high) + BUSWAY_SLOT_SIZE - 1;

		highest = last > highest ? last : highest;
	}
	for (size_t i = 0; !sole && i < route->reach->piece_count; i++)
		if (route->reach->pieces[i].dma.last.raw > highest)
			highest = route->reach->pieces[i].dma.last.raw;
	return highest;
}

static int add_memory(const struct busway_platform *platform, struct busway_intervals *memory)
{
	size_t count;
	const struct busway_region *regions = busway_platform_regions(platform, &count);
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		if (regions[i].kind == BUSWAY_REGION_RAM &&
		    regions[i].space.index == BUSWAY_CPU_SPACE.index)
			status = busway_intervals_add(memory, regions[i].range);
	for (size_t i = 0; i < count && status == 0; i++)
		if ((regions[i].kind == BUSWAY_REGION_CARVEOUT ||
		     regions[i].kind == BUSWAY_REGION_DOORBELL) &&
		    regions[i].space.index == BUSWAY_CPU_SPACE.index)
			status = busway_intervals_remove(memory, regions[i].range);
	return status;
}

/* Is there memory that @reach leaves out? */
static int leaves_out(const struct busway_dma *dma, const struct busway_reach *reach, bool *out)
{
	struct busway_intervals memory;
	int status;

	busway_intervals_init(&memory, dma->memory);
	status = add_memory(dma->platform, &memory);
	for (size_t i = 0; i < reach->run_count && status == 0; i++)
		if (reach->runs[i].access == BUSWAY_READ_WRITE)
			status = busway_intervals_remove(
				&memory, (struct busway_range){reach->runs[i].phys_first,
							       reach->runs[i].phys_last});
	*out = memory.count != 0;
	busway_intervals_clear(&memory);
	return status;
}

/* The last one that the domain may hand out. */
static uint64_t highest_iova(const struct busway_domain *domain)
{
	struct busway_range range = {0, 0};
	uint64_t from = 0;

	while (busway_iova_next_allowed(busway_domain_space(domain), from, &range) &&
	       range.last != UINT64_MAX)
		from = range.last + 1;
	return range.last;
}

static int make_report(const struct busway_dma_device *device, bool coherent,
		       const struct route *route, struct busway_mask_report *report)
{
	const bool sole = device->bounce || (coherent && device->shared);
	struct route widest;
	int status;

	if (device->domain) {
		report->required_bits = busway_bits_needed(highest_iova(device->domain));
		report->limited = device->bounce != NULL;
		return 0;
	}
	status = route_build(device, 64, coherent, &widest);

	if (status)
		return status;
	report->required_bits = busway_bits_needed(highest_address(&widest, sole));
	route_free(&widest);
	report->limited = device->bounce != NULL;
	return report->limited ? 0 : leaves_out(device->dma, route->reach, &report->limited);
}

/* ---- what lives ---- */

static bool is_coherent(const struct busway_mapped *segment)
{
	return segment->owner_->kind == BUSWAY_KIND_COHERENT;
}

/* A live segment that a mask of @bits would not drive; NULL. */
static const struct busway_mapped *falls_out(const struct busway_dma_device *device, bool coherent,
					     unsigned bits)
{
	const uint64_t last = busway_bits_last(bits);

	for (uint32_t i = 0; i < device->lane_count; i++) {
		struct busway_lane *lane = &device->lanes[i];

		for (const struct busway_mapped *s = live_first(lane); s; s = live_next(lane, s))
			if (is_coherent(s) == coherent && s->dma.last.raw > last)
				return s;
	}
	return NULL;
}

static int refuse_live(const struct busway_dma_device *device, const struct busway_mapped *segment,
		       unsigned bits, struct busway_refusal *why)
{
	const struct busway_range dma = busway_dma_raw(segment->dma);

	*why = (struct busway_refusal){
		.reason = BUSWAY_LIVE_MAPPING,
		.hop = described(device)->name,
		.bus_addresses = true,
		.asked = dma,
		.has_limit = true,
		.limit = {0, busway_bits_last(bits)},
	};
	advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_UNMAP_FIRST,
					   .bus_addresses = true,
					   .range = dma});
	report(segment->owner_->lane_, BUSWAY_MISUSE_MASK_LIVE, segment->owner_, segment->dma, bits,
	       0);
	return -BUSWAY_ERANGE;
}

/* ---- the change ---- */

static void put_in_force(struct busway_dma_device *device, struct route *old, struct route *new)
{
	struct busway_dma *dma = device->dma;

	/* others read the spans: who walks the line, and who adds a pool */
	lock_take(&dma->line_lock);
	lock_take(&dma->lock);
	route_catch_up(device, old == &device->coherent, new);
	route_free(old);
	*old = *new;
	lanes_follow(device);
	lock_give(&dma->lock);
	lock_give(&dma->line_lock);
}

static int set_mask(struct busway_dma_device *device, unsigned bits, bool coherent,
		    struct busway_mask_report *report, struct busway_refusal *why)
{
	struct route *old = coherent ? &device->coherent : &device->streaming;
	struct busway_mask_report unread;
	const struct busway_mapped *live;
	struct busway_refusal own_why;
	struct route new;
	int status;

	if (!why)
		why = &own_why;
	if (bits < 1 || bits > 64)
		return -BUSWAY_EINVAL;
	if (!coherent && line_has(device))
		return -BUSWAY_EBUSY;
	live = falls_out(device, coherent, bits);
	if (live)
		return refuse_live(device, live, bits, why);
	status = route_make(device, bits, coherent, &new, why);
	if (status)
		return status;
	status = make_report(device, coherent, &new, &unread);
	if (status) {
		route_free(&new);
		return status;
	}
	if (report)
		*report = unread;
	put_in_force(device, old, &new);
	line_serve(device->dma);
	return 0;
}

int busway_dma_set_mask(struct busway_dma_device *device, unsigned bits,
			struct busway_mask_report *report, struct busway_refusal *why)
{
	return set_mask(device, bits, false, report, why);
}

int busway_dma_set_coherent_mask(struct busway_dma_device *device, unsigned bits,
				 struct busway_mask_report *report, struct busway_refusal *why)
{
	return set_mask(device, bits, true, report, why);
}

unsigned busway_dma_mask(const struct busway_dma_device *device)
{
	return device->streaming.bits;
}

unsigned busway_dma_coherent_mask(const struct busway_dma_device *device)
{
	return device->coherent.bits;
}

const struct busway_mapping *busway_dma_owner(const struct busway_dma_device *device,
					      busway_dma_t dma)
{
	for (uint32_t i = 0; i < device->lane_count; i++) {
		const struct busway_mapped *found =
			live_find(&device->lanes[i], dma.raw, NULL, NULL);

		if (found)
			return found->owner_;
	}
	return NULL;
}
