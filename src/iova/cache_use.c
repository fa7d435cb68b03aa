/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache_use.c - taking ranges from a cache, and giving them to it. Read cache.c first.
 *
 * What most calls do takes some 25 instructions and one atomic exchange, and calls nothing.
 */
#include "cache.h"

#define NOINLINE __attribute__((noinline))

/*
 * A range is in a slot: after that, so that whoever takes .given does not miss the range. Who takes
 * it between the look and the store finds it as low as it was, which is low enough.
 */
static inline void note(struct busway_iova_cache *cache, uint64_t first)
{
	const uint64_t lowest = slot_peek(&cache->given, &cache->lock);

	slot_put(&cache->given, &cache->lock, lower_of(first, lowest));
}

/* ---- exchanging batches ---- */

static void swap(struct bin *bin)
{
	struct batch *batch = bin->in_use;

	set_count(batch, (uint32_t)(top_of(bin) - batch->slot));
	use_batch(bin, bin->other);
	bin->other = batch;
}

/* Put @batch in the place of that in use, which is returned. */
static struct batch *exchange_locked(struct bin *bin, struct batch *batch)
{
	struct batch *was = bin->in_use;

	set_count(was, (uint32_t)(top_of(bin) - was->slot));
	bin->at[bin->at[1] == was] = batch;
	use_batch(bin, batch);
	return was;
}

/* Exchange an empty batch for one of the depot. */
static bool refill_locked(struct busway_iova_cache *cache, uint64_t span)
{
	struct busway_iova_space *space = cache->space;
	struct batch *batch = space->depot[span], *empty;
	struct bin *bin = &cache->bins[span];

	if (!batch || top_of(bin) != bin->in_use->slot)
		return false;
	for (unsigned i = 0; i < sizeof(*batch); i += 64)
		__builtin_prefetch((const char *)batch + i, 1);
	space->depot[span] = batch->next;
	note(cache, space->depot_lowest[span]);
	if (!batch->next)
		space->depot_lowest[span] = SLOT_EMPTY;
	empty = exchange_locked(bin, batch);
	empty->next = space->unused;
	space->unused = empty;
	return true;
}

/* Exchange the full batch in use for an empty one, and make it the depot's. */
static bool store_locked(struct busway_iova_cache *cache, uint64_t span)
{
	struct busway_iova_space *space = cache->space;
	struct batch *empty = space->unused, *full;

	if (!empty)
		return false;
	space->unused = empty->next;
	full = exchange_locked(&cache->bins[span], empty);
	full->next = space->depot[span];
	space->depot[span] = full;
	space->depot_lowest[span] = lower_of(space->depot_lowest[span], lowest_in(cache));
	return true;
}

/* ---- taking ---- */

static bool suits(const struct busway_iova_request *request, uint64_t first, uint64_t reach,
		  uint64_t limit)
{
	const uint64_t last = first + (request->size - 1);

	return first + reach <= limit && !(request->align && first & (request->align - 1)) &&
	       !(request->boundary && (first ^ last) & ~(request->boundary - 1));
}

/* One that suits, from the top of the batch in use down; the top takes its place. */
static bool pop(struct busway_iova_cache *cache, struct bin *bin,
		const struct busway_iova_request *request, uint64_t limit, uint64_t *first)
{
	struct slot *slots = bin->in_use->slot, *top = top_of(bin);

	for (struct slot *slot = top; slot-- > slots;) {
		const uint64_t seen = slot_peek(slot, &cache->lock);

		if (seen == SLOT_EMPTY && slot + 1 == top)
			top = slot;
		if (seen == SLOT_EMPTY || !suits(request, seen, bin->reach, limit) ||
		    slot_take(slot, &cache->lock) == SLOT_EMPTY)
			continue;
		*first = seen;
		if (slot + 1 < top) {
			const uint64_t last = slot_take(top - 1, &cache->lock);

			if (last != SLOT_EMPTY) {
				slot_put(slot, &cache->lock, last);
				note(cache, last);
			}
		}
		set_top(bin, top - 1);
		return true;
	}
	set_top(bin, top);
	return false;
}

static bool pop_any(struct busway_iova_cache *cache, struct bin *bin,
		    const struct busway_iova_request *request, uint64_t limit, uint64_t *first)
{
	if (pop(cache, bin, request, limit, first))
		return true;
	if (!count_of(bin->other))
		return false;
	swap(bin);
	return pop(cache, bin, request, limit, first);
}

/* Below 4 GiB: by the cache, where it may have something there, or by the space. */
static bool take_low(struct busway_iova_cache *cache, const struct busway_iova_request *request,
		     struct wanted *w, busway_dma_t *first)
{
	bool found = lowest_in(cache) <= LOW_LAST &&
		     pop_any(cache, &cache->bins[w->span], request, LOW_LAST, &first->raw);

	if (found)
		return true;
	lock_take(&cache->space->lock);
	found = cache->space->depot_lowest[w->span] <= LOW_LAST && refill_locked(cache, w->span) &&
		pop_any(cache, &cache->bins[w->span], request, LOW_LAST, &first->raw);
	found = found || take_low_locked(cache->space, w, first);
	lock_give(&cache->space->lock);
	return found;
}

/* A size that is cached, and what is on top does not serve. */
static NOINLINE int take_slowly(struct busway_iova_cache *cache,
				const struct busway_iova_request *asked, busway_dma_t *first,
				struct busway_refusal *why)
{
	struct busway_iova_request request = *asked;
	const uint64_t limit = request.last ? request.last : UINT64_MAX;
	struct busway_iova_space *space = cache->space;
	struct wanted w;
	struct bin *bin;
	int status = 0;

	if (!request_read(space, &request, &w))
		return -BUSWAY_EINVAL;
	if (prefers_low(&request) && take_low(cache, &request, &w, first))
		return 0;
	request.prefer_low = false;
	bin = &cache->bins[w.span];
	if (pop_any(cache, bin, &request, limit, &first->raw))
		return 0;
	lock_take(&space->lock);
	if (!refill_locked(cache, w.span) || !pop_any(cache, bin, &request, limit, &first->raw))
		status = take_locked(space, &request, &w, first, why);
	lock_give(&space->lock);
	return status;
}

int busway_iova_cache_take(struct busway_iova_cache *cache,
			   const struct busway_iova_request *request, busway_dma_t *first,
			   struct busway_refusal *why)
{
	const uint64_t span = (request->size - 1) >> cache->shift; /* of size 0: long */
	struct bin *bin;
	struct slot *top;
	uint64_t found;

	if (span >= cache->sizes)
		return busway_iova_take(cache->space, request, first, why);
	if (request->align > 1 || request->boundary)
		return take_slowly(cache, request, first, why);
	bin = &cache->bins[span];
	top = top_of(bin) - 1;
	found = slot_peek(top, &cache->lock);
	/* a limit of 0 is none; what ends at 0 goes the long way; an empty slot is seen at the end
	 */
	if (found + bin->reach - 1 > request->last - 1 ||
	    (request->prefer_low && found + bin->reach > LOW_LAST) ||
	    slot_take(top, &cache->lock) == SLOT_EMPTY)
		return take_slowly(cache, request, first, why);
	set_top(bin, top);
	*first = busway_dma(found);
	return 0;
}

/* ---- giving back ---- */

/* Is there room on top of the batch in use? Slots that were called back make some. */
static bool find_room(struct busway_iova_cache *cache, struct bin *bin)
{
	struct slot *slots = bin->in_use->slot, *top = top_of(bin);

	while (top > slots && slot_peek(top - 1, &cache->lock) == SLOT_EMPTY)
		top--;
	set_top(bin, top);
	return top < bin->end;
}

/* By the owner, where there is room. */
static inline void push(struct busway_iova_cache *cache, struct bin *bin, struct slot *top,
			uint64_t first)
{
	slot_put(top, &cache->lock, first);
	set_top(bin, top + 1);
	note(cache, first);
}

/* What the cache cannot take as it is: it may be wrong, large, or one too many. */
static NOINLINE int give_slowly(struct busway_iova_cache *cache, struct busway_dma_range range,
				struct busway_refusal *why)
{
	const struct busway_range bytes = busway_dma_raw(range);
	const struct busway_range granules = {bytes.first >> cache->shift,
					      bytes.last >> cache->shift};
	const uint64_t span = busway_range_span(granules);
	struct busway_iova_space *space = cache->space;
	struct bin *bin;
	int status = 0;

	if (bytes.first > bytes.last || bytes.first & cache->mask)
		return -BUSWAY_EINVAL;
	if (span >= cache->sizes || !busway_range_within(bytes, cache->inside))
		return busway_iova_give(space, range, why);
	bin = &cache->bins[span];
	if (slot_peek(top_of(bin) - 1, &cache->lock) == bytes.first)
		return refuse_give(space, granules, &granules, why);
	if (!find_room(cache, bin))
		swap(bin);
	if (find_room(cache, bin)) {
		push(cache, bin, top_of(bin), bytes.first);
		return 0;
	}
	lock_take(&space->lock);
	if (store_locked(cache, span))
		push(cache, bin, top_of(bin), bytes.first);
	else
		status = give_locked(space, granules, why);
	lock_give(&space->lock);
	return status;
}

int busway_iova_cache_give(struct busway_iova_cache *cache, struct busway_dma_range range,
			   struct busway_refusal *why)
{
	const uint64_t first = range.first.raw, last = range.last.raw;
	const uint64_t span = (last - first) >> cache->shift; /* wrong way round: long */
	struct bin *bin;
	struct slot *top;

	if (span >= cache->sizes)
		return busway_iova_give(cache->space, range, why);
	if (first & cache->mask || first < cache->inside.first || last > cache->inside.last)
		return give_slowly(cache, range, why);
	bin = &cache->bins[span];
	top = top_of(bin);
	if (top == bin->end || slot_peek(top - 1, &cache->lock) == first)
		return give_slowly(cache, range, why);
	push(cache, bin, top, first);
	return 0;
}
