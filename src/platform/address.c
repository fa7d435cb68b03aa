/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * address.c - the addresses by which a device reaches a region, or the reason why there is none.
 *
 * As few segments as the windows allow: from each place on, the run that goes furthest. Only
 * when that leaves a gap is the graph asked why (explain.c).
 */
#include "reach_internal.h"

/* Where @run, and what goes on behind it on both sides, ends. Only what is allowed differs. Behind
 * the last address of the bus nothing goes on. */
static uint64_t way_last(const struct busway_reach *reach, const struct reach_run *run,
			 enum busway_access access)
{
	for (const struct reach_run *next = run + 1; next < reach->runs + reach->run_count;
	     next++) {
		if (run->phys_last == UINT64_MAX || next->phys_first > run->phys_last + 1)
			break;
		if (next->phys_first == run->phys_last + 1 && (next->access & access) == access &&
		    next->dma_first == run->dma_first + (next->phys_first - run->phys_first) &&
		    next->dma_first != 0)
			run = next;
	}
	return run->phys_last;
}

struct busway_range limit_segment(const struct busway_segment_limits *limits,
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

bool reach_leading(const struct busway_reach *reach, struct busway_range phys,
		   enum busway_access access, const struct busway_segment_limits *limits,
		   uint64_t low_bits, struct way *best)
{
	const size_t at = reach_run_at(reach, phys.first);
	bool found = false;

	for (size_t i = at == reach->run_count ? 0 : at + 1; i-- > 0;) {
		const struct reach_run *run = &reach->runs[i];
		struct way way = {0};

		if (reach->highest[i] < phys.first)
			break;
		if (!run_holds(run, (struct busway_range){phys.first, phys.first}, access))
			continue;
		way = (struct way){
			.dma = run->dma_first + (phys.first - run->phys_first),
			.phys_last = way_last(reach, run, access),
			.rank = reach->aliased ? run_rank(reach, run, phys.first) : 0,
		};
		if ((way.dma ^ phys.first) & low_bits)
			continue;
		if (way.phys_last > phys.last)
			way.phys_last = phys.last;
		if (reach->aliased) {
			const struct busway_range whole = {way.dma,
							   way.dma + (way.phys_last - phys.first)};

			way.phys_last =
				phys.first + busway_range_span(limit_segment(limits, whole));
		}
		if (!found || way.phys_last > best->phys_last ||
		    (way.phys_last == best->phys_last && way.rank < best->rank))
			*best = way;
		found = true;
	}
	return found;
}

uint64_t reach_next_run(const struct busway_reach *reach, struct busway_range phys)
{
	const size_t at = reach_run_at(reach, phys.first);
	const size_t next = at == reach->run_count ? 0 : at + 1;

	if (next >= reach->run_count || reach->runs[next].phys_first > phys.last)
		return phys.last;
	return reach->runs[next].phys_first - 1;
}

bool reach_any_way(const struct busway_reach *reach, struct busway_range phys,
		   enum busway_access access, bool (*suits)(const void *ctx, uint64_t dma),
		   const void *ctx, uint64_t *dma)
{
	const size_t at = reach_run_at(reach, phys.first);
	uint32_t best_rank = 0;
	bool found = false;

	for (size_t i = at == reach->run_count ? 0 : at + 1; i-- > 0;) {
		const struct reach_run *run = &reach->runs[i];
		const uint64_t there = run->dma_first + (phys.first - run->phys_first);
		uint32_t rank;

		if (reach->highest[i] < phys.first)
			break;
		if (!run_holds(run, (struct busway_range){phys.first, phys.first}, access) ||
		    way_last(reach, run, access) < phys.last || !suits(ctx, there))
			continue;
		rank = reach->aliased ? run_rank(reach, run, phys.first) : 0;
		if (found && rank >= best_rank)
			continue;
		*dma = there;
		best_rank = rank;
		found = true;
	}
	return found;
}

struct filling {
	const struct busway_segment_limits *limits;
	struct busway_segment *segments; /* NULL: only count */
	size_t capacity;
	uint64_t count;
};

/* How many pieces of at most @most bytes (0: any) has a range? Stops counting at UINT64_MAX. */
static uint64_t pieces_of(struct busway_range range, uint64_t most)
{
	const uint64_t span = busway_range_span(range);

	if (!most)
		return 1;
	return span / most == UINT64_MAX ? UINT64_MAX : span / most + 1;
}

static uint64_t add_up(uint64_t a, uint64_t b)
{
	return a > UINT64_MAX - b ? UINT64_MAX : a + b;
}

/* As many segments as limit_segment() would make of @dma, one after the other. */
static uint64_t count_segments(const struct busway_segment_limits *limits, struct busway_range dma)
{
	const uint64_t below = limits->boundary - 1; /* of boundary 0: everything */
	const struct busway_range block = {0, below};
	struct busway_range head = dma, tail = dma;
	uint64_t blocks, each;

	if (!limits->boundary || (dma.first | below) >= dma.last)
		return pieces_of(dma, limits->max_size);
	head.last = dma.first | below;
	tail.first = dma.last & ~below;
	blocks = (tail.first - (head.last + 1)) / limits->boundary;
	each = pieces_of(block, limits->max_size);
	if (blocks && each > UINT64_MAX / blocks)
		return UINT64_MAX;
	return add_up(add_up(pieces_of(head, limits->max_size), blocks * each),
		      pieces_of(tail, limits->max_size));
}

static void put(struct filling *filling, struct busway_range dma)
{
	if (!filling->segments) {
		filling->count = add_up(filling->count, count_segments(filling->limits, dma));
		return;
	}
	for (;;) {
		const struct busway_range part = limit_segment(filling->limits, dma);

		if (filling->count < filling->capacity)
			filling->segments[filling->count].dma = busway_dma_range(part);
		filling->count++;
		if (part.last == dma.last)
			return;
		dma.first = part.last + 1;
	}
}

/* Walk @phys run by run. False: from @rest->first on there is no way. */
static bool fill(const struct busway_reach *reach, struct busway_range *rest,
		 enum busway_access access, struct filling *filling)
{
	while (filling->count <= BUSWAY_SEGMENTS_MAX) {
		struct way way = {0};

		if (!reach_leading(reach, *rest, access, filling->limits, 0, &way))
			return false;
		put(filling,
		    (struct busway_range){way.dma, way.dma + (way.phys_last - rest->first)});
		if (way.phys_last == rest->last)
			break;
		rest->first = way.phys_last + 1;
	}
	return true;
}

static int refuse_segments(const struct busway_device *device, struct busway_range phys,
			   uint64_t count, struct busway_refusal *why)
{
	const uint64_t most =
		device->segments.max_count && device->segments.max_count < BUSWAY_SEGMENTS_MAX
			? device->segments.max_count
			: BUSWAY_SEGMENTS_MAX;

	*why = (struct busway_refusal){
		.reason = BUSWAY_SEGMENT_LIMITS,
		.hop = device->name,
		.asked = phys,
		.has_limit = true,
		.limit = {1, most},
		.needed = count,
	};
	return -BUSWAY_ERANGE;
}

bool refuse_indirect(const struct busway_platform *platform, const struct busway_device *device,
		     struct busway_range phys, unsigned flags, struct busway_refusal *why)
{
	if (device->behind_iommu && !(flags & BUSWAY_ADDRESS_BYPASS_IOMMU)) {
		const struct busway_id_map *map = busway_device_iommu(device);
		const char *iommu = map ? map->controller : NULL;

		*why = (struct busway_refusal){.reason = BUSWAY_BEHIND_IOMMU,
					       .hop = device->name,
					       .by = iommu,
					       .asked = phys};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_DOMAIN, .hop = iommu});
		return true;
	}
	if (device->restricted_pool != UINT32_MAX) {
		const struct busway_pool *pool = pool_at(platform, device->restricted_pool);

		if (!pool->valid) {
			*why = (struct busway_refusal){.reason = BUSWAY_POOL_REJECTED,
						       .hop = device->name,
						       .by = pool->name,
						       .asked = phys};
			return true;
		}
		*why = (struct busway_refusal){.reason = BUSWAY_RESTRICTED,
					       .hop = device->name,
					       .by = pool->name,
					       .asked = phys,
					       .has_limit = !pool->dynamic && !pool->empty,
					       .limit = pool->range};
		if (!pool->empty)
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
	struct filling counting = {.limits = &device->segments};
	struct filling filling = {
		.limits = &device->segments, .segments = segments, .capacity = capacity};
	struct busway_range rest = whole;
	struct busway_refusal own_why;

	if (!why)
		why = &own_why;
	if (whole.first > whole.last || !(access & BUSWAY_READ_WRITE))
		return -BUSWAY_EINVAL;
	if (refuse_indirect(reach->platform, device, whole, flags, why))
		return -BUSWAY_ERANGE;
	/* count first: a refused call writes no segment */
	if (!fill(reach, &rest, access, &counting)) {
		explain_address(reach, gap_from(reach, rest, access), busway_range_span(whole),
				access, why);
		return -BUSWAY_ERANGE;
	}
	if (counting.count > BUSWAY_SEGMENTS_MAX ||
	    (device->segments.max_count && counting.count > device->segments.max_count))
		return refuse_segments(device, whole, counting.count, why);
	*count = (size_t)counting.count;
	if (counting.count > capacity)
		return -BUSWAY_ENOSPC;
	rest = whole;
	fill(reach, &rest, access, &filling);
	return 0;
}
