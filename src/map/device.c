/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.c - a driver takes a device, and lets go of it.
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

static void disown_areas(struct busway_dma_device *device)
{
	for (uint32_t i = 0; i < device->lane_count; i++) {
		const uint32_t area = device->lanes[i].area;

		if (area != AREA_NONE)
			device->dma->areas[area / 64] &= ~((uint64_t)1 << area % 64);
	}
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

static void free_device(struct busway_dma_device *device)
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
		*why = (struct busway_refusal){.reason = BUSWAY_UNCONFINED,
					       .hop = described(device)->name,
					       .asked = BUSWAY_RANGE_ALL};
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
		free_device(device);
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

/* ---- letting go ---- */

static void unlist(struct busway_dma_device *device)
{
	struct busway_dma *dma = device->dma;
	struct busway_dma_device **link = &dma->devices;

	for (uint32_t i = 0; i < device->lane_count; i++)
		blocks_leave(&device->lanes[i]);
	lock_take(&dma->lock);
	while (*link != device)
		link = &(*link)->next;
	*link = device->next;
	disown_areas(device);
	lock_give(&dma->lock);
	free_device(device);
}

/* A lane in which something lives; NULL. */
static const struct busway_lane *busy_lane(const struct busway_dma_device *device)
{
	for (uint32_t i = 0; i < device->lane_count; i++)
		if (device->lanes[i].live)
			return &device->lanes[i];
	return NULL;
}

static size_t live_count(const struct busway_dma_device *device)
{
	size_t count = 0;

	for (uint32_t i = 0; i < device->lane_count; i++)
		count += device->lanes[i].live;
	return count;
}

int busway_dma_detach(struct busway_dma_device *device)
{
	const struct busway_lane *busy = busy_lane(device);
	const struct busway_mapped *example = NULL;

	for (uint32_t i = 0; i < device->lane_count && !example; i++)
		example = live_first(&device->lanes[i]);
	if (busy) {
		report(busy, BUSWAY_MISUSE_LEAK, example ? example->owner_ : NULL,
		       example ? example->dma : busway_dma_range(BUSWAY_RANGE_ALL), 0,
		       live_count(device));
		return -BUSWAY_EBUSY;
	}
	unlist(device);
	return 0;
}

/* Forget a mapping, all its segments; the slots stay taken, on the list of the device. */
static void abandon(struct busway_lane *lane, struct busway_mapping *mapping)
{
	observe(lane, BUSWAY_EVENT_ABANDONED, mapping, 0, mapping->size);
	live_remove(lane, mapping);
	/* a device that an IOMMU has cut off does no harm any more */
	if (lane->device->domain)
		translated_unmap(mapping, true);
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		const struct busway_mapped *segment = &mapping->segments[i];

		if (segment->pool_ && lane->device->domain) {
			slots_wipe(lane->device, segment);
			slots_free(lane, segment);
		} else if (segment->pool_)
			slot_pool_quarantine(&segment->pool_->slots, segment->slot_,
					     lane->device->id.index);
	}
	map_ended(lane, mapping, STATE_GONE);
}

size_t busway_dma_abandon(struct busway_dma_device *device)
{
	struct busway_dma *dma = device->dma;
	size_t count;

	line_leave(device); /* who waits has nothing that could stay behind */
	count = live_count(device);
	for (uint32_t i = 0; i < device->lane_count; i++) {
		struct busway_lane *lane = &device->lanes[i];

		for (struct busway_mapped *s = live_first(lane); s; s = live_first(lane))
			abandon(lane, s->owner_);
	}
	unlist(device);
	line_serve(dma); /* what a domain has cut off is free at once */
	return count;
}

struct wiper {
	const struct busway_dma_environment *environment;
	const struct pool *pool;
};

/*
 * What a device has left in slots is nobody's, and a device that reaches all of the pool would find
 * it when it is back. Not before it is quiet: what it was told to read, it may be reading still.
 */
static void wipe(void *ctx, uint32_t first, uint32_t count)
{
	const struct wiper *w = ctx;
	const struct busway_dma_environment *e = w->environment;
	unsigned char *bytes = w->pool->cached + pool_offset(first);
	const size_t size = (size_t)pool_offset(count);

	if (e->invalidate) /* stale lines: what stands in them is not what is in memory */
		e->invalidate(e->ctx, bytes, size);
	memset(bytes, 0, size);
	if (e->clean)
		e->clean(e->ctx, bytes, size);
}

void busway_dma_quiet(struct busway_dma *dma, busway_device_id id)
{
	struct pool *pool;

	lock_take(&dma->lock);
	for (pool = dma->pools; pool; pool = pool->next) {
		struct wiper wiper = {&dma->environment, pool};

		slot_pool_release(&pool->slots, id.index, wipe, &wiper);
	}
	lock_give(&dma->lock);
	line_serve(dma);
}
