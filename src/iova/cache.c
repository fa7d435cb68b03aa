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
 * has a limit, or would rather have low addresses, leaves ranges in caches that begin beyond it,
 * and of the depot the sizes of which all do.
 *
 * Nothing is walked twice in vain: a batch of the depot is emptied and unlinked, and of each cache
 * and each size of the depot it is known below which address there is nothing.
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

/* Does it go on with this portion? */
static bool goes_on(const struct calling *calling)
{
	return calling->called < calling->portion && !calling->no_nodes;
}

/* The first @count slots, as far as @last. Return: nothing that begins below is left there. */
static uint64_t empty_batch(struct calling *calling, struct batch *batch, uint32_t count,
			    struct lock *lock, uint64_t span, uint64_t last)
{
	struct busway_iova_space *space = calling->space;
	uint64_t left = SLOT_EMPTY;

	/* what is put at this very moment may stay: it is not back before the refusal */
	while (count-- > 0) {
		struct slot *slot = &batch->slot[count];
		uint64_t first = slot_peek(slot, lock);

		VISIT();
		if (first == SLOT_EMPTY || first > last) {
			left = lower_of(left, first);
			continue;
		}
		if (!has_room_locked(space, 1)) {
			calling->no_nodes = true;
			break;
		}
		/* the owner may have put another one there: this is what is ours now */
		first = slot_take(slot, lock);
		if (first == SLOT_EMPTY)
			continue;
		first >>= space->shift;
		calling->called++;
		/* said to be out, and is free: it was given back twice */
		if (give_locked(space, (struct busway_range){first, first + span}, NULL))
			space->double_frees++;
	}
	return left;
}

static uint64_t empty_bin(struct calling *calling, struct bin *bin, struct lock *lock,
			  uint64_t span)
{
	uint64_t left = SLOT_EMPTY;
	const uintptr_t top = (uintptr_t)atomic_load_explicit(&bin->top, memory_order_acquire);

	for (unsigned i = 0; i < 2; i++) {
		struct batch *batch = bin->at[i];
		const uintptr_t used = top - (uintptr_t)batch->slot; /* of another batch: large */
		const uint32_t count = used <= sizeof(batch->slot)
					       ? (uint32_t)(used / sizeof(struct slot))
					       : count_of(batch);

		left = lower_of(left,
				empty_batch(calling, batch, count, lock, span, calling->last));
	}
	return left;
}

static void empty_cache(struct calling *calling, struct busway_iova_cache *cache)
{
	const uint64_t lowest = lowest_in(cache);
	uint64_t left = SLOT_EMPTY;

	if (lowest == SLOT_EMPTY || lowest > calling->last)
		return;
	/* first: what is put there from now on is noted anew */
	slot_take(&cache->given, &cache->lock);
	for (uint64_t span = 0; span < cache->sizes && goes_on(calling); span++)
		left = lower_of(left, empty_bin(calling, &cache->bins[span], &cache->lock, span));
	if (!goes_on(calling))
		left = 0; /* there may be anything in those that were not reached */
	slot_put(&cache->kept, &cache->lock, left);
}

/* The batches of a size; those that are empty then may be used. */
static void empty_chain(struct calling *calling, uint64_t span)
{
	struct lock lock = LOCK_INIT; /* nobody else is at these batches */
	struct busway_iova_space *space = calling->space;
	struct batch *batch;

	while ((batch = space->depot[span]) && goes_on(calling)) {
		empty_batch(calling, batch, count_of(batch), &lock, span, UINT64_MAX);
		if (calling->no_nodes)
			return;
		set_count(batch, 0);
		space->depot[span] = batch->next;
		batch->next = space->unused;
		space->unused = batch;
	}
	if (!batch)
		space->depot_lowest[span] = SLOT_EMPTY;
}

bool call_back_locked(struct calling *calling)
{
	struct busway_iova_space *space = calling->space;

	calling->portion = calling->portion ? 2 * calling->portion : BUSWAY_IOVA_BATCH;
	calling->called = 0;
	for (uint64_t span = 0; span < SIZES; span++)
		if (space->depot_lowest[span] <= calling->last)
			empty_chain(calling, span);
	for (struct busway_iova_cache *cache = space->caches; cache && goes_on(calling);
	     cache = cache->next)
		empty_cache(calling, cache);
	calling->some |= calling->called != 0;
	return calling->called != 0;
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
	slot_put(&cache->given, &cache->lock, SLOT_EMPTY);
	slot_put(&cache->kept, &cache->lock, SLOT_EMPTY);
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

/* What could not be given back is called back later. */
static void leave_to_depot(struct busway_iova_space *space, struct busway_iova_cache *cache)
{
	for (unsigned i = 0; i < 2 * SIZES; i++) {
		struct batch **place = &cache->bins[i / 2].at[i % 2], *batch = *place;

		if (!held_by(batch, &cache->lock))
			continue;
		set_count(batch, BUSWAY_IOVA_BATCH); /* or fewer */
		batch->next = space->depot[i / 2];
		space->depot[i / 2] = batch;
		space->depot_lowest[i / 2] = 0; /* it may be as low as that */
		*place = NULL;
	}
}

void busway_iova_cache_destroy(struct busway_iova_cache *cache)
{
	struct busway_iova_space *space = cache ? cache->space : NULL;
	struct calling calling = {.space = space, .last = UINT64_MAX, .portion = SIZE_MAX};
	struct busway_iova_cache **link;

	if (!cache)
		return;
	lock_take(&space->lock);
	empty_cache(&calling, cache);
	if (calling.no_nodes)
		leave_to_depot(space, cache);
	for (link = &space->caches; *link != cache; link = &(*link)->next)
		;
	*link = cache->next;
	discard(space->memory, cache);
	lock_give(&space->lock);
}
