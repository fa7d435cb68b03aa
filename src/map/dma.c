/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.c - the DMA API of one platform, and its pools. Read map_internal.h first.
 */
#include "map_internal.h"

enum { AREAS_OF_PLATFORM_POOLS = 8 };

static bool is_usable(const struct busway_dma_environment *e)
{
	if (!e->pointer || !e->more != !e->release)
		return false;
	if (!e->clean)
		return !e->invalidate;
	return e->invalidate && busway_is_power_of_two(e->cache_line) &&
	       e->cache_line <= BUSWAY_SLOT_SIZE;
}

/* Where the platform's pools were put: nowhere yet. */
static int make_places(struct busway_dma *dma)
{
	const struct busway_allocator *m = dma->memory;

	busway_platform_pools(dma->platform, &dma->place_count);
	if (!dma->place_count)
		return 0;
	dma->places = m->alloc(m->ctx, dma->place_count * sizeof(*dma->places),
			       _Alignof(struct busway_phys_range));
	dma->placed = m->alloc(m->ctx, dma->place_count * sizeof(*dma->placed), _Alignof(bool));
	if (!dma->places || !dma->placed)
		return -BUSWAY_ENOMEM;
	memset(dma->placed, 0, dma->place_count * sizeof(*dma->placed));
	return 0;
}

static bool takes_away(const struct busway_region *region)
{
	return region->kind != BUSWAY_REGION_RAM && region->kind != BUSWAY_REGION_UNKNOWN;
}

/* Memory, and what may be memory as the platform does not know; nothing that anybody else has. */
static int find_usable(struct busway_dma *dma)
{
	size_t count;
	const struct busway_region *regions = busway_platform_regions(dma->platform, &count);
	int status = 0;

	busway_intervals_init(&dma->usable, dma->memory);
	for (unsigned pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < count && status == 0; i++) {
			if (regions[i].space.index != BUSWAY_CPU_SPACE.index ||
			    takes_away(&regions[i]) != (pass == 1))
				continue;
			status = pass ? busway_intervals_remove(&dma->usable, regions[i].range)
				      : busway_intervals_add(&dma->usable, regions[i].range);
		}
	return status;
}

static void free_dma(struct busway_dma *dma)
{
	const struct busway_allocator *m = dma->memory;

	busway_intervals_clear(&dma->usable);
	if (dma->places)
		m->free(m->ctx, dma->places, dma->place_count * sizeof(*dma->places),
			_Alignof(struct busway_phys_range));
	if (dma->placed)
		m->free(m->ctx, dma->placed, dma->place_count * sizeof(*dma->placed),
			_Alignof(bool));
	m->free(m->ctx, dma, sizeof(*dma), _Alignof(struct busway_dma));
}

int busway_dma_create(const struct busway_platform *platform,
		      const struct busway_dma_environment *environment,
		      const struct busway_allocator *memory, struct busway_dma **out)
{
	struct busway_dma *dma;
	int status;

	if (!is_usable(environment))
		return -BUSWAY_EINVAL;
	dma = memory->alloc(memory->ctx, sizeof(*dma), _Alignof(struct busway_dma));
	if (!dma)
		return -BUSWAY_ENOMEM;
	*dma = (struct busway_dma){.platform = platform,
				   .environment = *environment,
				   .memory = memory,
				   .lock = LOCK_INIT,
				   .line_lock = LOCK_INIT};
	dma->last_pool = &dma->pools;
	dma->line_end = &dma->line;
	status = find_usable(dma);
	if (status == 0)
		status = make_places(dma);
	if (status)
		free_dma(dma);
	else
		*out = dma;
	return status;
}

int busway_dma_destroy(struct busway_dma *dma)
{
	const struct busway_dma_environment *e = &dma->environment;

	if (dma->devices)
		return -BUSWAY_EBUSY;
	while (dma->pools) {
		struct pool *pool = dma->pools;

		dma->pools = pool->next;
		if (pool->grown)
			e->release(e->ctx, busway_phys_range(pool->range));
		pool_destroy(pool);
	}
	free_dma(dma);
	return 0;
}

/* ---- pools ---- */

static int make_pool(struct busway_dma *dma, struct busway_range range, uint32_t areas,
		     struct pool **out)
{
	const struct busway_dma_environment *e = &dma->environment;
	void *cached = pointer_to(dma, range);
	int status;

	if (!cached)
		return -BUSWAY_EINVAL;
	status = pool_create(range, cached,
			     e->uncached ? e->uncached(e->ctx, busway_phys_range(range)) : NULL,
			     areas, dma->memory, out);
	if (status == 0 && e->one_thread)
		slot_pool_use_one_thread(&(*out)->slots);
	return status;
}

/* Under dma->lock. */
static void list_pool(struct busway_dma *dma, struct pool *pool)
{
	*dma->last_pool = pool;
	dma->last_pool = &pool->next;
}

static const struct pool *overlapping_pool(const struct busway_dma *dma, struct busway_range range)
{
	for (const struct pool *pool = dma->pools; pool; pool = pool->next)
		if (busway_range_overlaps(pool->range, range))
			return pool;
	return NULL;
}

/* Is a part of it a no-map carve-out? */
static bool is_carved_out(const struct busway_platform *platform, struct busway_range range)
{
	size_t count;
	const struct busway_region *regions = busway_platform_regions(platform, &count);

	for (size_t i = 0; i < count; i++)
		if (regions[i].kind == BUSWAY_REGION_CARVEOUT &&
		    regions[i].space.index == BUSWAY_CPU_SPACE.index &&
		    busway_range_overlaps(regions[i].range, range))
			return true;
	return false;
}

/* Does the platform set a part of @range aside for somebody? */
static bool is_set_aside(const struct busway_dma *dma, struct busway_range range)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(dma->platform, &count);

	for (size_t i = 0; i < count; i++) {
		const struct busway_range its =
			dma->placed[i] ? busway_phys_raw(dma->places[i]) : pools[i].range;
		const bool has_place = dma->placed[i] || (!pools[i].dynamic && !pools[i].empty);

		if (pools[i].enabled && !pools[i].ignored && has_place &&
		    busway_range_overlaps(its, range))
			return true;
	}
	return false;
}

/* Is all of @range stated to be memory? Of a platform that states none, everything may be. */
static bool is_memory(const struct busway_platform *platform, struct busway_range range)
{
	size_t count, i;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);

	if (!count)
		return true;
	for (;;) {
		for (i = 0; i < count && !busway_range_has(banks[i].range, range.first); i++)
			;
		if (i == count)
			return false;
		if (range.last <= banks[i].range.last)
			return true;
		range.first = banks[i].range.last + 1;
	}
}

int add_pool(struct busway_dma *dma, struct busway_range range, unsigned use, uint32_t areas,
	     bool grown)
{
	struct pool *pool;
	int status = make_pool(dma, range, areas, &pool);

	if (status)
		return status;
	pool->use = use;
	pool->grown = grown;
	lock_take(&dma->lock);
	if (overlapping_pool(dma, pool->range)) {
		lock_give(&dma->lock);
		pool_destroy(pool);
		return -BUSWAY_EINVAL;
	}
	list_pool(dma, pool);
	for (struct busway_dma_device *d = dma->devices; d; d = d->next) {
		route_catch_up(d, false, &d->streaming);
		route_catch_up(d, true, &d->coherent);
	}
	lock_give(&dma->lock);
	line_serve(dma);
	return 0;
}

int busway_dma_add_pool(struct busway_dma *dma, struct busway_phys_range range, unsigned use,
			uint32_t areas)
{
	const struct busway_range r = busway_phys_raw(range);

	if (r.first > r.last || !use || (use & ~(unsigned)BUSWAY_USE_BOTH) ||
	    !is_memory(dma->platform, r) || is_set_aside(dma, r) || is_carved_out(dma->platform, r))
		return -BUSWAY_EINVAL;
	return add_pool(dma, r, use, areas, false);
}

static bool holds_a_slot(struct busway_range range)
{
	uint64_t first;

	return range.first <= range.last &&
	       busway_align_up(range.first, BUSWAY_SLOT_SIZE, &first) && first <= range.last &&
	       range.last - first >= BUSWAY_SLOT_SIZE - 1;
}

int busway_dma_place_pool(struct busway_dma *dma, uint32_t index, struct busway_phys_range range)
{
	const struct busway_range r = busway_phys_raw(range);
	bool overlaps;
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(dma->platform, &count);

	if (index >= count || (!pools[index].dynamic && !pools[index].empty) ||
	    dma->placed[index] || !holds_a_slot(r) || is_set_aside(dma, r))
		return -BUSWAY_EINVAL;
	lock_take(&dma->lock);
	overlaps = overlapping_pool(dma, r) != NULL;
	lock_give(&dma->lock);
	if (overlaps)
		return -BUSWAY_EINVAL;
	dma->places[index] = range;
	dma->placed[index] = true;
	return 0;
}

/* ---- pools of the platform ---- */

static int refuse_pool(const struct busway_pool *pool, enum busway_reason reason,
		       struct busway_refusal *why)
{
	*why = (struct busway_refusal){
		.reason = reason, .hop = pool->name, .asked = pool->range, .has_limit = false};
	if (reason == BUSWAY_POOL_UNPLACED)
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_PLACE, .hop = pool->name});
	return -BUSWAY_ERANGE;
}

static struct pool *pool_with_index(struct busway_dma *dma, uint32_t index)
{
	struct pool *pool;

	lock_take(&dma->lock);
	for (pool = dma->pools; pool && pool->index != index; pool = pool->next)
		;
	lock_give(&dma->lock);
	return pool;
}

int platform_pool(struct busway_dma *dma, uint32_t index, unsigned use, struct pool **out,
		  struct busway_refusal *why)
{
	const struct busway_pool *its = pool_at(dma->platform, index);
	const bool unplaced = (its->dynamic || its->empty) && !dma->placed[index];
	const struct busway_range range =
		dma->placed[index] ? busway_phys_raw(dma->places[index]) : its->range;
	struct pool *pool;
	int status;

	if (!its->valid)
		return refuse_pool(its, BUSWAY_POOL_REJECTED, why);
	if (unplaced)
		return refuse_pool(its, BUSWAY_POOL_UNPLACED, why);
	*out = pool_with_index(dma, index);
	if (*out)
		return 0;
	if (!pointer_to(dma, range))
		return refuse_pool(its, BUSWAY_NO_POINTER, why);
	status = make_pool(dma, range, AREAS_OF_PLATFORM_POOLS, &pool);
	if (status)
		return status;
	pool->index = index;
	pool->name = its->name;
	pool->use = use;
	lock_take(&dma->lock);
	list_pool(dma, pool);
	lock_give(&dma->lock);
	*out = pool;
	return 0;
}

bool busway_dma_pool(struct busway_dma *dma, size_t index, struct busway_pool_census *census)
{
	struct slot_census slots;
	struct pool *pool;

	lock_take(&dma->lock);
	for (pool = dma->pools; pool && index; pool = pool->next)
		index--;
	lock_give(&dma->lock);
	if (!pool)
		return false;
	slots = slot_pool_census(&pool->slots);
	*census = (struct busway_pool_census){
		.name = pool->name,
		.range = busway_phys_range(pool->range),
		.use = pool->use,
		.size = pool_offset(slots.total),
		.used = pool_offset(slots.used),
		.longest = pool_offset(slots.longest),
		.high_water = pool_offset(slots.high_water),
		.quarantined = pool_offset(slots.quarantined),
	};
	return true;
}
