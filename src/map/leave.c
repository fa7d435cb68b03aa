/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * leave.c - a driver lets go of a device: detached with nothing left, or abandoned, and quiet
 * later.
 */
#include "live.h"

static void disown_areas(struct busway_dma_device *device)
{
	for (uint32_t i = 0; i < device->lane_count; i++) {
		const uint32_t area = device->lanes[i].area;

		if (area != AREA_NONE)
			device->dma->areas[area / 64] &= ~((uint64_t)1 << area % 64);
	}
}

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
	device_free(device);
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
	if (mapping->way == BUSWAY_WAY_IOMMU)
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
