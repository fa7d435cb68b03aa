/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - small ranges that a thread keeps for itself: life, and calling back what they hold.
 * Read space_internal.h first; cache_use.c is what the owner does.
 *
 *   cache, of each size   [ batch in use ] [ the other one ]
 *   depot, of each size   [ batch ] -> [ batch ] -> ...        of all caches; space lock
 *
 * The owner takes from and puts on top of the batch in use without a lock; where that is empty or
 * full, the other one is used; where both are, a batch is exchanged with the depot.
 *
 * Whoever is about to be refused empties all batches: it holds the space lock, so that none changes
 * places, and each slot is exchanged for an empty one. The owner may meet empty slots, then. Who
 * has a limit, or would rather have low addresses, empties only slots of ranges that begin below
 * it.
 */
#include "cache.h"

/* ---- batches ---- */

struct batch *batch_create(const struct busway_allocator *memory)
{
	struct batch *batch = memory->alloc(memory->ctx, sizeof(*batch), _Alignof(struct batch));
	struct lock lock = LOCK_INIT;

	if (!batch)
		return NULL;
	batch->next = NULL;
	atomic_init(&batch->count, 0);
	slot_put(&batch->bottom, &lock, SLOT_EMPTY);
	for (unsigned i = 0; i < BUSWAY_IOVA_BATCH; i++)
		slot_put(&batch->slot[i], &lock, SLOT_EMPTY);
	return batch;
}

/* ---- calling back ---- */

/* Of the first @count slots, what begins at @last or before. */
static bool empty_batch(struct busway_iova_space *space, struct batch *batch, uint32_t count,
			struct lock *lock, uint64_t span, uint64_t last)
{
	bool some = false;

	/* what is put at this very moment may stay: it is not back before the refusal */
	while (count-- > 0) {
		struct slot *slot = &batch->slot[count];
		uint64_t first = slot_peek(slot, lock);

		if (first == SLOT_EMPTY || first > last)
			continue;
		/* the owner may have put another one there: this is what is ours now */
		first = slot_take(slot, lock);
		if (first == SLOT_EMPTY)
			continue;
		first >>= space->shift;
		some = true;
		/* said to be out, and is free: it was given back twice */
		if (give_locked(space, (struct busway_range){first, first + span}, NULL))
			space->double_frees++;
	}
	return some;
}

static bool empty_bin(struct busway_iova_space *space, struct bin *bin, struct lock *lock,
		      uint64_t span, uint64_t last)
{
	const uintptr_t top = (uintptr_t)atomic_load_explicit(&bin->top, memory_order_acquire);
	bool some = false;

	for (unsigned i = 0; i < 2; i++) {
		struct batch *batch = bin->at[i];
		const uintptr_t used = top - (uintptr_t)batch->slot; /* of another batch: large */
		const uint32_t count = used <= sizeof(batch->slot)
					       ? (uint32_t)(used / sizeof(struct slot))
					       : count_of(batch);

		if (empty_batch(space, batch, count, lock, span, last))
			some = true;
	}
	return some;
}

static bool empty_cache(struct busway_iova_space *space, struct busway_iova_cache *cache,
			uint64_t last)
{
	const bool had_low =
		last < LOW_LAST
			? atomic_load_explicit(&cache->has_low, memory_order_acquire)
			: atomic_exchange_explicit(&cache->has_low, 0, memory_order_acq_rel);
	bool some = false;

	if (last <= LOW_LAST && !had_low)
		return false;
	for (uint64_t span = 0; span < cache->sizes; span++)
		if (empty_bin(space, &cache->bins[span], &cache->lock, span, last))
			some = true;
	return some;
}

/* Of the batches of a size, what begins at @last or before; those that are empty may be used. */
static bool empty_chain(struct busway_iova_space *space, uint64_t span, uint64_t last)
{
	struct lock lock = LOCK_INIT; /* nobody else is at these batches */
	struct batch **link = &space->depot[span], *batch;
	bool some = false;

	while ((batch = *link)) {
		if (empty_batch(space, batch, count_of(batch), &lock, span, last))
			some = true;
		if (last != UINT64_MAX) {
			link = &batch->next;
			continue;
		}
		set_count(batch, 0);
		*link = batch->next;
		batch->next = space->unused;
		space->unused = batch;
	}
	return some;
}

static bool empty_depot(struct busway_iova_space *space, uint64_t last)
{
	bool some = false;

	if (last <= LOW_LAST && !space->depot_has_low)
		return false;
	if (last >= LOW_LAST)
		space->depot_has_low = false;
	for (uint64_t span = 0; span < SIZES; span++)
		if (empty_chain(space, span, last))
			some = true;
	return some;
}

bool call_back_locked(struct busway_iova_space *space, uint64_t last)
{
	bool some = empty_depot(space, last);

	for (struct busway_iova_cache *cache = space->caches; cache; cache = cache->next)
		if (empty_cache(space, cache, last))
			some = true;
	return some;
}

static uint64_t held_by(struct batch *batch, struct lock *lock)
{
	uint64_t held = 0;

	for (uint32_t i = 0; i < BUSWAY_IOVA_BATCH; i++)
		held += slot_peek(&batch->slot[i], lock) != SLOT_EMPTY;
	return held;
}

uint64_t cached_locked(const struct busway_iova_space *space)
{
	struct lock lock = LOCK_INIT;
	uint64_t cached = 0;

	for (unsigned span = 0; span < SIZES; span++) {
		uint64_t held = 0;

		for (struct batch *batch = space->depot[span]; batch; batch = batch->next)
			held += held_by(batch, &lock);
		for (struct busway_iova_cache *c = space->caches; c; c = c->next)
			held += held_by(c->bins[span].at[0], &c->lock) +
				held_by(c->bins[span].at[1], &c->lock);
		cached += held * (span + 1);
	}
	return cached;
}

/* ---- life ---- */

static void discard(const struct busway_allocator *memory, struct busway_iova_cache *cache)
{
	for (unsigned i = 0; i < 2 * SIZES; i++) {
		struct batch *batch = cache->bins[i / 2].at[i % 2];

		if (batch)
			memory->free(memory->ctx, batch, sizeof(*batch), _Alignof(struct batch));
	}
	memory->free(memory->ctx, cache, sizeof(*cache), _Alignof(struct busway_iova_cache));
}

/* What lies outside cannot have come from the space; the very last address looks like no range. */
static struct busway_range inside(const struct busway_iova_space *space)
{
	const struct busway_intervals *allowed = &space->allowed;
	struct busway_range all;

	if (!allowed->count)
		return (struct busway_range){1, 0};
	all = bytes_of(space, (struct busway_range){allowed->runs[0].first,
						    allowed->runs[allowed->count - 1].last});
	all.last -= all.last == UINT64_MAX;
	return all;
}

/* False: out of memory. */
static bool fill_bins(struct busway_iova_cache *cache, const struct busway_allocator *memory)
{
	for (unsigned span = 0; span < SIZES; span++) {
		struct bin *bin = &cache->bins[span];

		for (unsigned i = 0; i < 2; i++) {
			bin->at[i] = batch_create(memory);
			if (!bin->at[i])
				return false;
		}
		bin->reach = (((uint64_t)span + 1) << cache->shift) - 1;
		bin->other = bin->at[1];
		use_batch(bin, bin->at[0]);
	}
	return true;
}

static struct busway_iova_cache *create(struct busway_iova_space *space)
{
	const struct busway_allocator *memory = space->memory;
	struct busway_iova_cache *cache =
		memory->alloc(memory->ctx, sizeof(*cache), _Alignof(struct busway_iova_cache));

	if (!cache)
		return NULL;
	*cache = (struct busway_iova_cache){
		.space = space,
		.shift = space->shift,
		.mask = ((uint64_t)1 << space->shift) - 1,
		/* a size of 0, less one, must be too many granules */
		.sizes = UINT64_MAX >> space->shift >= SIZES ? SIZES : 0,
		.inside = inside(space),
		.lock = LOCK_INIT,
	};
	if (fill_bins(cache, memory))
		return cache;
	discard(memory, cache);
	return NULL;
}

int busway_iova_cache_create(struct busway_iova_space *space, struct busway_iova_cache **out)
{
	struct busway_iova_cache *cache;

	lock_take(&space->lock);
	cache = create(space);
	if (cache) {
		cache->next = space->caches;
		space->caches = cache;
		*out = cache;
	}
	lock_give(&space->lock);
	return cache ? 0 : -BUSWAY_ENOMEM;
}

void busway_iova_cache_destroy(struct busway_iova_cache *cache)
{
	struct busway_iova_space *space = cache ? cache->space : NULL;
	struct busway_iova_cache **link;

	if (!cache)
		return;
	lock_take(&space->lock);
	empty_cache(space, cache, UINT64_MAX);
	for (link = &space->caches; *link != cache; link = &(*link)->next)
		;
	*link = cache->next;
	discard(space->memory, cache);
	lock_give(&space->lock);
}
