/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - what one mask makes of the platform: which memory is reached directly, and which slots
 * of which pools, by which addresses.
 */
#include "map_internal.h"

/* ---- spans of pools ---- */

/* The slots of @pool that lie in the run as a whole. */
static bool span_of(const struct reach_run *run, struct pool *pool, struct span *span)
{
	const struct busway_range reached = {run->phys_first, run->phys_last};
	struct busway_range common;
	uint64_t low, behind;

	if (run->access != BUSWAY_READ_WRITE || !busway_range_common(reached, pool->range, &common))
		return false;
	low = slots_for(common.first - pool->range.first);
	behind = (common.last - pool->range.first) / BUSWAY_SLOT_SIZE;
	if ((common.last - pool->range.first) % BUSWAY_SLOT_SIZE == BUSWAY_SLOT_SIZE - 1)
		behind++;
	if (low >= behind)
		return false;
	*span = (struct span){
		.pool = pool,
		.low = (uint32_t)low,
		.high = (uint32_t)(behind - 1),
		.whole = low == 0 && behind == pool->slots.row.count,
		.base = run->dma_first + (pool->range.first - run->phys_first),
	};
	return true;
}

static void see(const struct busway_dma_device *device, struct route *route, struct pool *pool)
{
	uint32_t count = atomic_load_explicit(&route->spans.count, memory_order_relaxed);

	/* an IOMMU leads to all of it, and .base is where the pool is in memory */
	if (device->domain && count < SPANS_MAX)
		route->spans.span[count++] = (struct span){
			.pool = pool,
			.high = pool->slots.row.count - 1,
			.whole = true,
			.base = pool->range.first,
		};
	for (size_t i = 0; !device->domain && i < route->carved->run_count && count < SPANS_MAX;
	     i++)
		if (span_of(&route->carved->runs[i], pool, &route->spans.span[count]))
			count++;
	/* lanes that see the number see what stands there */
	atomic_store_explicit(&route->spans.count, count, memory_order_release);
}

/* Is @pool what serves the device, streaming or coherent? */
static bool serves(const struct busway_dma_device *device, bool coherent, const struct pool *pool)
{
	if (coherent && device->shared)
		return pool == device->shared;
	if (device->bounce)
		return pool == device->bounce;
	/* CPU and device would not see the same where there is no way past the caches */
	if (coherent && device->caches && !pool->uncached)
		return false;
	return pool->index == UINT32_MAX &&
	       (pool->use & (coherent ? BUSWAY_USE_COHERENT : BUSWAY_USE_BOUNCE));
}

void route_catch_up(const struct busway_dma_device *device, bool coherent, struct route *route)
{
	struct pool *pool = route->seen ? route->seen->next : device->dma->pools;

	for (; pool; pool = pool->next) {
		if (serves(device, coherent, pool))
			see(device, route, pool);
		route->seen = pool;
	}
}

/* ---- routes ---- */

void route_free(struct route *route)
{
	busway_reach_destroy(route->reach);
	busway_reach_destroy(route->carved);
	route->reach = route->carved = NULL;
}

/* The pool that must be used; NULL: all memory serves. */
static const struct pool *sole_pool(const struct busway_dma_device *device, bool coherent)
{
	return coherent && device->shared ? device->shared : device->bounce;
}

/* Is there an IOVA that @bits drive? */
static bool has_iovas(const struct busway_domain *domain, unsigned bits)
{
	struct busway_range first;

	return busway_iova_next_allowed(busway_domain_space(domain), 0, &first) &&
	       first.first <= busway_bits_last(bits);
}

static bool is_empty(const struct busway_dma_device *device, bool coherent,
		     const struct route *route)
{
	if (device->domain)
		return !has_iovas(device->domain, route->bits) ||
		       (sole_pool(device, coherent) && route->spans.count == 0);
	return sole_pool(device, coherent) ? route->spans.count == 0 : route->reach->run_count == 0;
}

static int refuse_empty(const struct busway_dma_device *device, bool coherent, unsigned bits,
			struct busway_refusal *why)
{
	const struct pool *pool = sole_pool(device, coherent);
	const struct busway_range emits = {0, busway_bits_last(bits)};

	*why = (struct busway_refusal){
		.reason = BUSWAY_EMPTY_REACH,
		.hop = described(device)->name,
		.by = pool ? pool->name : NULL,
		.bus_addresses = true,
		.asked = emits,
		.has_limit = true,
		.limit = emits,
	};
	return -BUSWAY_ERANGE;
}

int route_build(const struct busway_dma_device *device, unsigned bits, bool coherent,
		struct route *route)
{
	struct busway_dma *dma = device->dma;
	struct busway_emission emission = described(device)->emission;
	int status;

	*route = (struct route){.bits = bits};
	emission.zero |= busway_emission_mask(bits).zero;
	status = busway_reach_build(dma->platform, device->id, &emission, dma->memory,
				    &route->reach);
	if (status == 0)
		status = reach_build_mode(dma->platform, device->id, &emission, FLATTEN_CARVEOUTS,
					  dma->memory, &route->carved);
	if (status) {
		route_free(route);
		return status;
	}
	lock_take(&dma->lock);
	route_catch_up(device, coherent, route);
	lock_give(&dma->lock);
	return 0;
}

/* The least mask by which the device gets at something. */
static void advise_mask(const struct busway_dma_device *device, bool coherent, unsigned bits,
			struct busway_refusal *why)
{
	bool found = false;

	while (!found && bits++ < 64) {
		struct route route;

		if (route_build(device, bits, coherent, &route))
			return;
		found = !is_empty(device, coherent, &route);
		route_free(&route);
	}
	if (found)
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_MASK, .bits = bits});
}

int route_make(const struct busway_dma_device *device, unsigned bits, bool coherent,
	       struct route *route, struct busway_refusal *why)
{
	const int status = route_build(device, bits, coherent, route);

	if (status || !is_empty(device, coherent, route))
		return status;
	route_free(route);
	refuse_empty(device, coherent, bits, why);
	advise_mask(device, coherent, bits, why);
	return -BUSWAY_ERANGE;
}
