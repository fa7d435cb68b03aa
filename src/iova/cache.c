/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - small ranges that a thread keeps for itself. Read space_internal.h first.
 *
 *   cache, of each size   [ batch in use ] [ the other one ]
 *   depot, of each size   [ batch ] -> [ batch ] -> ...        of all caches; space lock
 *
 * The owner takes from and puts on top of the batch in use without a lock; where that is empty or
 * full, the other one is used; where both are, a batch is exchanged with the depot.
 *
 * Whoever is about to be refused empties all batches: it holds the space lock, so that none changes
 * places, and each slot is exchanged for an empty one. The owner may meet empty slots, then.
 */
#include "space_internal.h"

/* ---- batches ---- */

struct batch *batch_create(const struct busway_allocator *memory)
{
	struct batch *batch = memory->alloc(memory->ctx, sizeof(*batch), _Alignof(struct batch));
	struct lock lock = LOCK_INIT;

	if (!batch)
		return NULL;
	batch->next = NULL;
	atomic_init(&batch->count, 0);
	for (unsigned i = 0; i < BUSWAY_IOVA_BATCH; i++)
		slot_put(&batch->slot[i], &lock, SLOT_EMPTY);
	return batch;
}

static uint32_t count_of(struct batch *batch)
{
	return atomic_load_explicit(&batch->count, memory_order_relaxed);
}

static void set_count(struct batch *batch, uint32_t count)
{
	atomic_store_explicit(&batch->count, count, memory_order_relaxed);
}

/* ---- calling back ---- */

static bool empty_batch(struct busway_iova_space *space, struct batch *batch, struct lock *lock,
			uint64_t span)
{
	bool some = false;

	/* what is put at this very moment may stay: it is not back before the refusal */
	for (uint32_t i = count_of(batch); i-- > 0;) {
		const uint64_t first = slot_peek(&batch->slot[i], lock) == SLOT_EMPTY
					       ? SLOT_EMPTY
					       : slot_take(&batch->slot[i], lock);

		if (first == SLOT_EMPTY)
			continue;
		some = true;
		/* said to be out, and is free: it was given back twice */
		if (give_locked(space, (struct busway_range){first, first + span}, NULL))
			space->double_frees++;
	}
	return some;
}

static bool empty_cache(struct busway_iova_space *space, struct busway_iova_cache *cache)
{
	bool some = false;

	for (uint64_t span = 0; span < SIZES; span++)
		for (unsigned i = 0; i < 2; i++)
			if (empty_batch(space, cache->bins[span].at[i], &cache->lock, span))
				some = true;
	return some;
}

static bool empty_depot(struct busway_iova_space *space)
{
	struct lock lock = LOCK_INIT; /* nobody else is at these batches */
	bool some = false;

	for (uint64_t span = 0; span < SIZES; span++)
		while (space->depot[span]) {
			struct batch *batch = space->depot[span];

			if (empty_batch(space, batch, &lock, span))
				some = true;
			set_count(batch, 0);
			space->depot[span] = batch->next;
			batch->next = space->unused;
			space->unused = batch;
		}
	return some;
}

bool call_back_locked(struct busway_iova_space *space)
{
	bool some = empty_depot(space);

	for (struct busway_iova_cache *cache = space->caches; cache; cache = cache->next)
		if (empty_cache(space, cache))
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

/* Nothing that lies outside can have come from the space. */
static struct busway_range inside(const struct busway_iova_space *space)
{
	const struct busway_intervals *allowed = &space->allowed;

	if (!allowed->count)
		return (struct busway_range){1, 0};
	return (struct busway_range){allowed->runs[0].first,
				     allowed->runs[allowed->count - 1].last};
}

int busway_iova_cache_create(struct busway_iova_space *space, struct busway_iova_cache **out)
{
	const struct busway_allocator *memory = space->memory;
	struct busway_iova_cache *cache;
	bool complete = true;

	lock_take(&space->lock);
	cache = memory->alloc(memory->ctx, sizeof(*cache), _Alignof(struct busway_iova_cache));
	if (cache) {
		*cache = (struct busway_iova_cache){.space = space,
						    .shift = space->shift,
						    .inside = inside(space),
						    .lock = LOCK_INIT};
		for (unsigned i = 0; i < 2 * SIZES && complete; i++) {
			cache->bins[i / 2].at[i % 2] = batch_create(memory);
			complete = cache->bins[i / 2].at[i % 2] != NULL;
		}
	}
	for (unsigned i = 0; i < SIZES && cache; i++) {
		cache->bins[i].in_use = cache->bins[i].at[0];
		cache->bins[i].other = cache->bins[i].at[1];
	}
	if (cache && complete) {
		cache->next = space->caches;
		space->caches = cache;
		*out = cache;
	} else if (cache) {
		discard(memory, cache);
	}
	lock_give(&space->lock);
	return cache && complete ? 0 : -BUSWAY_ENOMEM;
}

void busway_iova_cache_destroy(struct busway_iova_cache *cache)
{
	struct busway_iova_space *space = cache ? cache->space : NULL;
	struct busway_iova_cache **link;

	if (!cache)
		return;
	lock_take(&space->lock);
	empty_cache(space, cache);
	for (link = &space->caches; *link != cache; link = &(*link)->next)
		;
	*link = cache->next;
	discard(space->memory, cache);
	lock_give(&space->lock);
}

/* ---- taking ---- */

static bool suits(const struct wanted *w, uint64_t granule, uint64_t last_granule)
{
	const uint64_t last = granule + w->span;

	return last <= last_granule && !(granule & w->align) && !((granule ^ last) & ~w->boundary);
}

/* One that suits, from the top of the batch down; the top takes its place. */
static bool pop(struct busway_iova_cache *cache, struct batch *batch, const struct wanted *w,
		uint64_t last_granule, uint64_t *granule)
{
	uint32_t count = count_of(batch);

	for (uint32_t i = count; i-- > 0;) {
		const uint64_t seen = slot_peek(&batch->slot[i], &cache->lock);

		if (seen == SLOT_EMPTY && i + 1 == count)
			count = i;
		if (seen == SLOT_EMPTY || !suits(w, seen, last_granule) ||
		    slot_take(&batch->slot[i], &cache->lock) == SLOT_EMPTY)
			continue;
		*granule = seen;
		if (i + 1 < count) {
			const uint64_t top = slot_take(&batch->slot[count - 1], &cache->lock);

			if (top != SLOT_EMPTY)
				slot_put(&batch->slot[i], &cache->lock, top);
		}
		set_count(batch, count - 1);
		return true;
	}
	set_count(batch, count);
	return false;
}

static void swap(struct bin *bin)
{
	struct batch *batch = bin->in_use;

	bin->in_use = bin->other;
	bin->other = batch;
}

static bool pop_any(struct busway_iova_cache *cache, struct bin *bin, const struct wanted *w,
		    uint64_t last_granule, uint64_t *granule)
{
	if (pop(cache, bin->in_use, w, last_granule, granule))
		return true;
	if (!count_of(bin->other))
		return false;
	swap(bin);
	return pop(cache, bin->in_use, w, last_granule, granule);
}

/* Put @batch in the place of that in use, which is returned. */
static struct batch *exchange_locked(struct bin *bin, struct batch *batch)
{
	struct batch *was = bin->in_use;

	bin->at[bin->at[1] == was] = batch;
	bin->in_use = batch;
	return was;
}

/* Exchange an empty batch for one of the depot. */
static bool refill_locked(struct busway_iova_space *space, struct bin *bin, uint64_t span)
{
	struct batch *batch = space->depot[span], *empty;

	if (!batch || count_of(bin->in_use))
		return false;
	for (unsigned i = 0; i < sizeof(*batch); i += 64)
		__builtin_prefetch((const char *)batch + i, 1);
	space->depot[span] = batch->next;
	empty = exchange_locked(bin, batch);
	empty->next = space->unused;
	space->unused = empty;
	return true;
}

static int take_slowly(struct busway_iova_cache *cache, const struct busway_iova_request *request,
		       busway_dma_t *first, struct busway_refusal *why)
{
	struct busway_iova_space *space = cache->space;
	uint64_t last = request->last ? request->last : UINT64_MAX, granule;
	struct bin *bin;
	struct wanted w;
	int status = 0;

	if (!request_read(space, request, &w))
		return -BUSWAY_EINVAL;
	if (request->prefer_low && last > UINT32_MAX)
		last = UINT32_MAX;
	granule = granule_of(space, last);
	if (last_byte_of(space, granule) <= last)
		last = granule;
	else
		last = granule ? granule - 1 : 0;
	bin = w.span < SIZES ? &cache->bins[w.span] : NULL;
	if (bin && pop_any(cache, bin, &w, last, &granule)) {
		*first = busway_dma(granule << space->shift);
		return 0;
	}
	lock_take(&space->lock);
	if (bin && refill_locked(space, bin, w.span) && pop_any(cache, bin, &w, last, &granule))
		*first = busway_dma(granule << space->shift);
	else
		status = take_locked(space, request, &w, first, why);
	lock_give(&space->lock);
	return status;
}

/* Does what begins at @first serve? Requests with boundaries, and wrong ones, go the long way. */
static bool serves(const struct busway_iova_request *request, uint64_t first, uint64_t last)
{
	return (!request->align ||
		!(request->align & (request->align - 1) || first & (request->align - 1))) &&
	       !request->boundary && (!request->last || last <= request->last) &&
	       (!request->prefer_low || last <= UINT32_MAX);
}

int busway_iova_cache_take(struct busway_iova_cache *cache,
			   const struct busway_iova_request *request, busway_dma_t *first,
			   struct busway_refusal *why)
{
	const uint64_t span = (request->size - 1) >> cache->shift; /* of size 0: long */
	struct batch *batch;
	uint32_t count;
	uint64_t top;

	if (span >= SIZES || request->size == 0)
		return take_slowly(cache, request, first, why);
	batch = cache->bins[span].in_use;
	count = count_of(batch);
	if (!count)
		return take_slowly(cache, request, first, why);
	top = slot_peek(&batch->slot[count - 1], &cache->lock);
	if (top == SLOT_EMPTY ||
	    !serves(request, top << cache->shift, ((top + span + 1) << cache->shift) - 1) ||
	    slot_take(&batch->slot[count - 1], &cache->lock) == SLOT_EMPTY)
		return take_slowly(cache, request, first, why);
	set_count(batch, count - 1);
	*first = busway_dma(top << cache->shift);
	return 0;
}

/* ---- giving back ---- */

static void push(struct busway_iova_cache *cache, struct batch *batch, uint64_t granule)
{
	const uint32_t count = count_of(batch);

	slot_put(&batch->slot[count], &cache->lock, granule);
	set_count(batch, count + 1);
}

/* Exchange the full batch in use for an empty one, and make it the depot's. */
static bool store_locked(struct busway_iova_space *space, struct bin *bin, uint64_t span)
{
	struct batch *empty = space->unused, *full;

	if (!empty)
		return false;
	space->unused = empty->next;
	full = exchange_locked(bin, empty);
	full->next = space->depot[span];
	space->depot[span] = full;
	return true;
}

static int give_slowly(struct busway_iova_cache *cache, struct busway_range granules,
		       struct busway_refusal *why)
{
	const uint64_t span = busway_range_span(granules);
	struct busway_iova_space *space = cache->space;
	int status = 0;

	lock_take(&space->lock);
	if (span < SIZES && busway_range_within(granules, cache->inside) &&
	    granules.first != SLOT_EMPTY && store_locked(space, &cache->bins[span], span))
		push(cache, cache->bins[span].in_use, granules.first);
	else
		status = give_locked(space, granules, why);
	lock_give(&space->lock);
	return status;
}

int busway_iova_cache_give(struct busway_iova_cache *cache, struct busway_dma_range range,
			   struct busway_refusal *why)
{
	const struct busway_range granules = {range.first.raw >> cache->shift,
					      range.last.raw >> cache->shift};
	const uint64_t span = granules.last - granules.first;
	struct bin *bin;
	uint32_t count;

	if (range.first.raw > range.last.raw || granules.first << cache->shift != range.first.raw)
		return -BUSWAY_EINVAL;
	if (span >= SIZES || granules.first == SLOT_EMPTY ||
	    !busway_range_within(granules, cache->inside))
		return give_slowly(cache, granules, why);
	bin = &cache->bins[span];
	count = count_of(bin->in_use);
	if (count && slot_peek(&bin->in_use->slot[count - 1], &cache->lock) == granules.first)
		return refuse_give(cache->space, granules, &granules, why);
	if (count == BUSWAY_IOVA_BATCH) {
		if (count_of(bin->other) == BUSWAY_IOVA_BATCH)
			return give_slowly(cache, granules, why);
		swap(bin);
	}
	push(cache, bin->in_use, granules.first);
	return 0;
}
