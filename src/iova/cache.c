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

int busway_iova_cache_create(struct busway_iova_space *space, struct busway_iova_cache **out)
{
	const struct busway_allocator *memory = space->memory;
	struct busway_iova_cache *cache;
	bool complete = true;

	lock_take(&space->lock);
	cache = memory->alloc(memory->ctx, sizeof(*cache), _Alignof(struct busway_iova_cache));
	if (cache) {
		*cache = (struct busway_iova_cache){.space = space, .lock = LOCK_INIT};
		for (unsigned i = 0; i < 2 * SIZES && complete; i++) {
			cache->bins[i / 2].at[i % 2] = batch_create(memory);
			complete = cache->bins[i / 2].at[i % 2] != NULL;
		}
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

static bool pop_any(struct busway_iova_cache *cache, struct bin *bin, const struct wanted *w,
		    uint64_t last_granule, uint64_t *granule)
{
	if (pop(cache, bin->at[bin->which], w, last_granule, granule))
		return true;
	if (!count_of(bin->at[!bin->which]))
		return false;
	bin->which = !bin->which;
	return pop(cache, bin->at[bin->which], w, last_granule, granule);
}

/* Exchange an empty batch for one of the depot. */
static bool refill_locked(struct busway_iova_space *space, struct bin *bin, uint64_t span)
{
	struct batch *batch = space->depot[span], **place = &bin->at[bin->which];

	if (!batch || count_of(*place))
		return false;
	space->depot[span] = batch->next;
	(*place)->next = space->unused;
	space->unused = *place;
	*place = batch;
	return true;
}

static int take_slowly(struct busway_iova_cache *cache, const struct busway_iova_request *request,
		       const struct wanted *w, uint64_t last_granule, busway_dma_t *first,
		       struct busway_refusal *why)
{
	struct busway_iova_space *space = cache->space;
	uint64_t granule;
	int status = 0;

	lock_take(&space->lock);
	if (w->span < SIZES && refill_locked(space, &cache->bins[w->span], w->span) &&
	    pop_any(cache, &cache->bins[w->span], w, last_granule, &granule))
		*first = busway_dma(granule << space->shift);
	else
		status = take_locked(space, request, w, first, why);
	lock_give(&space->lock);
	return status;
}

int busway_iova_cache_take(struct busway_iova_cache *cache,
			   const struct busway_iova_request *request, busway_dma_t *first,
			   struct busway_refusal *why)
{
	const struct busway_iova_space *space = cache->space;
	uint64_t last = request->last ? request->last : UINT64_MAX, granule, last_granule;
	struct wanted w;

	if (!request_read(space, request, &w))
		return -BUSWAY_EINVAL;
	if (request->prefer_low && last > UINT32_MAX)
		last = UINT32_MAX;
	last_granule = granule_of(space, last);
	if (last_byte_of(space, last_granule) > last && last_granule)
		last_granule--;
	if (w.span < SIZES && pop_any(cache, &cache->bins[w.span], &w, last_granule, &granule)) {
		*first = busway_dma(granule << space->shift);
		return 0;
	}
	return take_slowly(cache, request, &w, last_granule, first, why);
}

/* ---- giving back ---- */

/* Exchange the full batch in use for an empty one, and make it the depot's. */
static bool store_locked(struct busway_iova_space *space, struct bin *bin, uint64_t span)
{
	struct batch *empty = space->unused, **place = &bin->at[bin->which];

	if (!empty)
		return false;
	space->unused = empty->next;
	(*place)->next = space->depot[span];
	space->depot[span] = *place;
	*place = empty;
	return true;
}

static void push(struct busway_iova_cache *cache, struct batch *batch, uint64_t granule)
{
	const uint32_t count = count_of(batch);

	slot_put(&batch->slot[count], &cache->lock, granule);
	set_count(batch, count + 1);
}

static int give_slowly(struct busway_iova_cache *cache, struct busway_range granules,
		       struct busway_refusal *why)
{
	const uint64_t span = busway_range_span(granules);
	struct busway_iova_space *space = cache->space;
	int status = 0;

	lock_take(&space->lock);
	if (span < SIZES && granules.first != SLOT_EMPTY &&
	    store_locked(space, &cache->bins[span], span))
		push(cache, cache->bins[span].at[cache->bins[span].which], granules.first);
	else
		status = give_locked(space, granules, why);
	lock_give(&space->lock);
	return status;
}

/* Could these have come from the space? What lies in its holes is found later. */
static bool is_inside(const struct busway_iova_space *space, struct busway_range granules)
{
	const struct busway_intervals *allowed = &space->allowed;

	return allowed->count && granules.first >= allowed->runs[0].first &&
	       granules.last <= allowed->runs[allowed->count - 1].last;
}

int busway_iova_cache_give(struct busway_iova_cache *cache, struct busway_dma_range range,
			   struct busway_refusal *why)
{
	const struct busway_iova_space *space = cache->space;
	const struct busway_range granules = {granule_of(space, range.first.raw),
					      granule_of(space, range.last.raw)};
	const uint64_t span = granules.last - granules.first;
	struct batch *batch;
	struct bin *bin;
	uint32_t count;

	if (range.first.raw > range.last.raw || granules.first << space->shift != range.first.raw)
		return -BUSWAY_EINVAL;
	if (span >= SIZES || granules.first == SLOT_EMPTY || !is_inside(space, granules))
		return give_slowly(cache, granules, why);
	bin = &cache->bins[span];
	batch = bin->at[bin->which];
	count = count_of(batch);
	if (count && slot_peek(&batch->slot[count - 1], &cache->lock) == granules.first)
		return refuse_give(space, granules, &granules, why);
	if (count == BUSWAY_IOVA_BATCH) {
		batch = bin->at[!bin->which];
		if (count_of(batch) == BUSWAY_IOVA_BATCH)
			return give_slowly(cache, granules, why);
		bin->which = !bin->which;
	}
	push(cache, batch, granules.first);
	return 0;
}
