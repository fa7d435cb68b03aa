/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.c - the addresses by which a device reaches a region, or the reason why there is none.
 *
 * As few segments as the windows allow: from each place on, the run that goes furthest. Only
 * when that leaves a gap is the graph asked why (explain.c).
 */
#include "reach_internal.h"

/* Of the runs that hold @phys.first, the one to take for @phys. */
static const struct reach_run *best_run(const struct busway_reach *reach, struct busway_range phys,
					enum busway_access access)
{
	const struct reach_run *best = NULL;

	for (size_t i = reach->run_count; i-- > 0;) {
		const struct reach_run *run = &reach->runs[i];
		uint64_t last, best_last;

		if (run->phys_first > phys.first)
			continue;
		if (reach->highest[i] < phys.first)
			break;
		if (!run_holds(run, (struct busway_range){phys.first, phys.first}, access))
			continue;
		last = run->phys_last < phys.last ? run->phys_last : phys.last;
		best_last = !best ? 0 : best->phys_last < phys.last ? best->phys_last : phys.last;
		if (!best || last > best_last || (last == best_last && run->rank < best->rank))
			best = run;
	}
	return best;
}

/* Cut @dma to the first segment that the device's limits allow. */
static struct busway_range limit_segment(const struct busway_segment_limits *limits,
					 struct busway_range dma)
{
	if (limits->max_size && busway_range_span(dma) > limits->max_size - 1)
		dma.last = dma.first + (limits->max_size - 1);
	if (limits->boundary) {
		const uint64_t end = dma.first | (limits->boundary - 1);

		if (dma.last > end)
			dma.last = end;
	}
	return dma;
}

struct filling {
	struct busway_segment *segments;
	size_t capacity, count;
};

static void put_segments(struct filling *filling, const struct busway_segment_limits *limits,
			 struct busway_range dma)
{
	for (;;) {
		const struct busway_range part = limit_segment(limits, dma);

		if (filling->count < filling->capacity)
			filling->segments[filling->count].dma = busway_dma_range(part);
		filling->count++;
		if (part.last == dma.last)
			return;
		dma.first = part.last + 1;
	}
}

static int refuse_segments(const struct busway_device *device, struct busway_range phys,
			   size_t count, struct busway_refusal *why)
{
	*why = (struct busway_refusal){
		.reason = BUSWAY_SEGMENT_LIMITS,
		.hop = device->name,
		.asked = phys,
		.has_limit = true,
		.limit = {1, device->segments.max_count},
		.needed = count,
	};
	return -BUSWAY_ERANGE;
}

bool refuse_indirect(const struct busway_platform *platform, const struct busway_device *device,
		     struct busway_range phys, unsigned flags, struct busway_refusal *why)
{
	if (device->behind_iommu && !(flags & BUSWAY_ADDRESS_BYPASS_IOMMU)) {
		const char *iommu = device->iommu_count ? device->iommu[0].controller : NULL;

		*why = (struct busway_refusal){.reason = BUSWAY_BEHIND_IOMMU,
					       .hop = device->name,
					       .by = iommu,
					       .asked = phys};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_DOMAIN, .hop = iommu});
		return true;
	}
	if (device->restricted_pool != UINT32_MAX) {
		const struct busway_pool *pool = pool_at(platform, device->restricted_pool);

		*why = (struct busway_refusal){.reason = BUSWAY_RESTRICTED,
					       .hop = device->name,
					       .by = pool->name,
					       .asked = phys,
					       .has_limit = !pool->dynamic && !pool->empty,
					       .limit = pool->range};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_POOL,
						   .hop = pool->name,
						   .range = pool->range});
		return true;
	}
	return false;
}

/* The part of @phys from its first byte on that no run holds. */
static struct busway_range gap_from(const struct busway_reach *reach, struct busway_range phys,
				    enum busway_access access)
{
	for (size_t i = 0; i < reach->run_count; i++) {
		const struct reach_run *run = &reach->runs[i];

		if (run->phys_first > phys.last)
			break;
		if (run->phys_first > phys.first && (run->access & access) == access) {
			phys.last = run->phys_first - 1;
			break;
		}
	}
	return phys;
}

int busway_address_for(const struct busway_reach *reach, struct busway_phys_range phys,
		       enum busway_access access, unsigned flags, struct busway_segment *segments,
		       size_t capacity, size_t *count, struct busway_refusal *why)
{
	const struct busway_device *device = busway_platform_device(reach->platform, reach->device);
	const struct busway_range whole = busway_phys_raw(phys);
	struct filling filling = {segments, capacity, 0};
	struct busway_range rest = whole;
	struct busway_refusal own_why;

	if (!why)
		why = &own_why;
	if (whole.first > whole.last)
		return -BUSWAY_EINVAL;
	if (refuse_indirect(reach->platform, device, whole, flags, why))
		return -BUSWAY_ERANGE;
	for (;;) {
		const struct reach_run *run = best_run(reach, rest, access);
		uint64_t last;

		if (!run) {
			explain_address(reach, gap_from(reach, rest, access),
					busway_range_span(whole), access, why);
			return -BUSWAY_ERANGE;
		}
		last = run->phys_last < rest.last ? run->phys_last : rest.last;
		put_segments(&filling, &device->segments,
			     (struct busway_range){run->dma_first + (rest.first - run->phys_first),
						   run->dma_first + (last - run->phys_first)});
		if (last == rest.last)
			break;
		rest.first = last + 1;
	}
	if (device->segments.max_count && filling.count > device->segments.max_count)
		return refuse_segments(device, whole, filling.count, why);
	*count = filling.count;
	return filling.count > capacity ? -BUSWAY_ENOSPC : 0;
}
