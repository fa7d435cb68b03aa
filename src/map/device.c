/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - a driver takes a device.
 */
#include "../iommu/domain_internal.h"
#include "live.h"

enum { LANES_MAX = 256, LIVE_USUAL = 256, LIVE_MAX = 1 << 24, INITIAL_BITS = 32 };

/* ---- lanes ---- */

static unsigned log2_up(uint64_t x)
{
	unsigned bits = 0;

	while (((uint64_t)1 << bits) < x)
		bits++;
	return bits;
}

static int make_lanes(struct busway_dma_device *device, const struct busway_dma_options *options)
{
	const struct busway_allocator *m = device->dma->memory;
	const uint32_t count = options->lanes ? options->lanes : 1;
	const unsigned bits = log2_up(options->live ? options->live : LIVE_USUAL) + 1;
	const uint64_t buckets = (uint64_t)count << bits;

	if (buckets > SIZE_MAX / 2 / sizeof(void *))
		return -BUSWAY_ENOMEM;
	device->lanes =
		m->alloc(m->ctx, count * sizeof(*device->lanes), _Alignof(struct busway_lane));
	if (!device->lanes)
		return -BUSWAY_ENOMEM;
	memset(device->lanes, 0, count * sizeof(*device->lanes));
	device->lane_count = count;
	device->buckets = m->alloc(m->ctx, (size_t)buckets * sizeof(void *),
				   _Alignof(struct busway_mapped *));
	if (!device->buckets)
		return -BUSWAY_ENOMEM;
	device->bucket_count = (size_t)buckets;
	memset(device->buckets, 0, (size_t)buckets * sizeof(void *));
	for (uint32_t i = 0; i < count; i++)
		device->lanes[i] = (struct busway_lane){
			.min_align_mask = options->min_align_mask,
			.bucket_shift = (uint8_t)(64 - bits),
			.area = AREA_NONE,
			.buckets = device->buckets + ((size_t)i << bits),
			.device = device,
		};
	return 0;
}

struct busway_lane *busway_dma_lane(struct busway_dma_device *device, uint32_t index)
{
	return index < device->lane_count ? &device->lanes[index] : NULL;
}

static int make_caches(struct busway_dma_device *device)
{
	struct busway_iova_space *space =
		device->domain ? busway_domain_space(device->domain) : NULL;
	int status = 0;

	for (uint32_t i = 0; i < device->lane_count && space && status == 0; i++)
		status = busway_iova_cache_create(space, &device->lanes[i].iovas);
	return status;
}

/* Under dma->lock: the lowest area that no lane owns, of those that pools may have. */
static uint32_t own_area(struct busway_dma *dma)
{
	for (uint32_t i = 0; i < AREAS_MAX / 64; i++) {
		const uint64_t free = ~dma->areas[i];

		if (free) {
			dma->areas[i] |= free & -free;
			return i * 64 + (uint32_t)__builtin_ctzll(free);
		}
	}
	return AREA_NONE;
}

/* ---- pools of its own ---- */

/* A pool of memory-region that serves coherent memory: a no-map one before others. */
static bool find_shared(const struct busway_dma_device *device, uint32_t *index)
{
	const struct busway_device *d = described(device);
	bool found = false;

	for (size_t i = 0; i < d->pool_count; i++) {
		const struct busway_pool *pool = pool_at(device->dma->platform, d->pools[i]);

		if (pool->type != BUSWAY_POOL_SHARED || !pool->enabled || pool->ignored ||
		    !pool->valid)
			continue;
		if (!found || (pool_at(device->dma->platform, *index)->reusable && !pool->reusable))
			*index = d->pools[i];
		found = true;
	}
	return found;
}

static int take_pools(struct busway_dma_device *device, struct busway_refusal *why)
{
	const struct busway_device *d = described(device);
	uint32_t index = 0;
	int status = 0;

	/* also behind an IOMMU: whether a checker stands behind that is not said, and the pool
	 * serves in any case */
	if (d->restricted_pool != UINT32_MAX)
		status = platform_pool(device->dma, d->restricted_pool, BUSWAY_USE_BOTH,
				       &device->bounce, why);
	if (status == 0 && find_shared(device, &index))
		status = platform_pool(device->dma, index, BUSWAY_USE_COHERENT, &device->shared,
				       why);
	return status;
}

/* ---- masks to begin with ---- */

/* As route_make(), but a reach that is empty is taken as it is where nothing better is advised. */
static int first_route(struct busway_dma_device *device, bool coherent, struct route *route,
		       struct busway_refusal *why)
{
	int status = route_make(device, INITIAL_BITS, coherent, route, why);

	if (status == -BUSWAY_ERANGE && why->advice_count)
		status = route_make(device, why->advice[0].bits, coherent, route, why);
	return status;
}

static int first_routes(struct busway_dma_device *device, struct busway_refusal *why)
{
	int status = first_route(device, false, &device->streaming, why);

	if (status == 0)
		status = first_route(device, true, &device->coherent, why);
	/* no coherent memory can be had, but the device may do without */
	if (status == -BUSWAY_ERANGE && device->streaming.reach)
		status = route_build(device, INITIAL_BITS, true, &device->coherent);
	if (status == 0)
		status =
			busway_windows_build(device->dma->platform, device->id, device->dma->memory,
					     &device->windows, &device->window_count);
	return status;
}

void lanes_follow(struct busway_dma_device *device)
{
	const struct busway_segment_limits *limits = &device->segments;
	const bool simple = !device->domain && !device->untrusted && !device->caches &&
			    !limits->max_size && !limits->boundary &&
			    !device->dma->environment.observe;

	for (uint32_t i = 0; i < device->lane_count; i++) {
		struct busway_lane *lane = &device->lanes[i];

		lane->reach = device->streaming.reach;
		lane->plain = simple && !device->bounce;
		lane->copies = simple && lane->min_align_mask / BUSWAY_SLOT_SIZE < SLOTS_MAX;
	}
}

/* ---- attach ---- */

void device_free(struct busway_dma_device *device)
{
	const struct busway_allocator *m = device->dma->memory;

	if (device->joined)
		domain_leave(device->domain, device->untrusted);
	route_free(&device->streaming);
	route_free(&device->coherent);
	if (device->windows)
		m->free(m->ctx, device->windows, device->window_count * sizeof(*device->windows),
			_Alignof(struct busway_piece));
	if (device->buckets)
		m->free(m->ctx, device->buckets, device->bucket_count * sizeof(void *),
			_Alignof(struct busway_mapped *));
	for (uint32_t i = 0; i < device->lane_count; i++)
		busway_iova_cache_destroy(device->lanes[i].iovas);
	if (device->lanes)
		m->free(m->ctx, device->lanes, device->lane_count * sizeof(*device->lanes),
			_Alignof(struct busway_lane));
	m->free(m->ctx, device, sizeof(*device), _Alignof(struct busway_dma_device));
}

static bool is_attached(const struct busway_dma *dma, busway_device_id id)
{
	for (const struct busway_dma_device *d = dma->devices; d; d = d->next)
		if (d->id.index == id.index)
			return true;
	return false;
}

static int refuse_iommu(const struct busway_device *d, struct busway_refusal *why)
{
	const struct busway_id_map *map = busway_device_iommu(d);

	*why = (struct busway_refusal){
		.reason = BUSWAY_BEHIND_IOMMU,
		.hop = d->name,
		.by = map ? map->controller : NULL,
		.asked = BUSWAY_RANGE_ALL,
	};
	advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_DOMAIN, .hop = why->by});
	return -BUSWAY_ERANGE;
}

/* Can the device use all that the domain hands out? */
static int check_domain(const struct busway_dma_device *device, struct busway_refusal *why)
{
	const struct busway_iova_member member = {device->id, NULL};
	const struct busway_dma *dma = device->dma;
	const struct busway_iova_removed *removed;
	struct busway_range range;
	struct busway_iova iova;
	uint64_t from = 0;
	int status =
		busway_iova_build_group(dma->platform, &member, 1, NULL, 0, dma->memory, &iova);

	if (status)
		return status;
	while (status == 0 &&
	       busway_iova_next_allowed(busway_domain_space(device->domain), from, &range)) {
		if (!busway_intervals_holds(&iova.allowed, range)) {
			removed = busway_iova_removed_by(&iova, range);
			*why = (struct busway_refusal){
				.reason = BUSWAY_IOVA_NOT_ALLOWED,
				.hop = described(device)->name,
				.by = removed ? removed->by : NULL,
				.bus_addresses = true,
				.asked = range,
				.has_limit = removed != NULL,
				.limit = removed ? removed->range : range,
			};
			status = -BUSWAY_ERANGE;
		}
		if (range.last == UINT64_MAX)
			break;
		from = range.last + 1;
	}
	busway_iova_free(&iova);
	return status;
}

static int enter_domain(struct busway_dma_device *device, struct busway_refusal *why)
{
	int status = check_domain(device, why);

	if (status == 0 && !domain_join(device->domain, device->untrusted)) {
		*why = (struct busway_refusal){.reason = BUSWAY_MIXED_TRUST,
					       .hop = described(device)->name,
					       .asked = BUSWAY_RANGE_ALL};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_DOMAIN});
		status = -BUSWAY_ERANGE;
	}
	device->joined = status == 0;
	return status;
}

static bool makes_sense(const struct busway_dma *dma, busway_device_id id,
			const struct busway_dma_options *options)
{
	return id.index < busway_platform_device_count(dma->platform) &&
	       options->lanes <= LANES_MAX && options->live <= LIVE_MAX &&
	       options->min_align_mask != UINT64_MAX &&
	       (!options->domain || (busway_platform_device(dma->platform, id)->behind_iommu &&
				     !options->bypass_iommu)) &&
	       (options->min_align_mask & (options->min_align_mask + 1)) == 0;
}

static void describe(struct busway_dma_device *device, const struct busway_dma_options *options)
{
	const struct busway_device *d = described(device);
	const bool coherent =
		d->coherence == BUSWAY_COHERENT ||
		(d->coherence == BUSWAY_COHERENCE_DEFAULT && options->default_coherent);

	device->segments = d->segments;
	device->untrusted = d->untrusted;
	device->caches = !coherent && device->dma->environment.clean;
	device->pci = options->pci;
	device->function =
		options->pci ? peer_function(options->pci, device->id, d) : BUSWAY_NO_FUNCTION;
	if (options->peer_policy)
		device->peers = *options->peer_policy;
	device->peers.view = BUSWAY_P2P_ROUTE;
}

int busway_dma_attach(struct busway_dma *dma, busway_device_id id,
		      const struct busway_dma_options *options, struct busway_dma_device **out,
		      struct busway_refusal *why)
{
	static const struct busway_dma_options usual = {0};
	const struct busway_allocator *m = dma->memory;
	struct busway_dma_device *device;
	struct busway_refusal own_why;
	int status;

	if (!options)
		options = &usual;
	if (!why)
		why = &own_why;
	if (!makes_sense(dma, id, options))
		return -BUSWAY_EINVAL;
	if (is_attached(dma, id))
		return -BUSWAY_EBUSY;
	if (busway_platform_device(dma->platform, id)->behind_iommu && !options->bypass_iommu &&
	    !options->domain)
		return refuse_iommu(busway_platform_device(dma->platform, id), why);
	device = m->alloc(m->ctx, sizeof(*device), _Alignof(struct busway_dma_device));
	if (!device)
		return -BUSWAY_ENOMEM;
	*device = (struct busway_dma_device){.dma = dma, .id = id, .domain = options->domain};
	describe(device, options);
	status = take_pools(device, why);
	if (status == 0)
		status = first_routes(device, why);
	if (status == 0)
		status = make_lanes(device, options);
	if (status == 0)
		status = make_caches(device);
	if (status == 0 && device->domain)
		status = enter_domain(device, why);
	if (status) {
		device_free(device);
		return status;
	}
	lanes_follow(device);
	lock_take(&dma->lock);
	route_catch_up(device, false, &device->streaming);
	route_catch_up(device, true, &device->coherent);
	for (uint32_t i = 0; i < device->lane_count; i++)
		device->lanes[i].area = own_area(dma);
	device->next = dma->devices;
	dma->devices = device;
	lock_give(&dma->lock);
	*out = device;
	return 0;
}
