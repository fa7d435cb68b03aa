/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.h - what a cache consists of: batches of slots, two for each size. Read cache.c first.
 */
#ifndef BUSWAY_IOVA_CACHE_H
#define BUSWAY_IOVA_CACHE_H

#include "slot.h"
#include "space_internal.h"

enum { SIZES = BUSWAY_IOVA_CACHED_GRANULES };

/* Ranges of one size. Slots from .count on are empty; some before may be. */
struct batch {
	struct batch *next;     /* in the depot: space lock */
	_Atomic uint32_t count; /* of slots; means nothing while the batch is the one in use */
	struct slot bottom;     /* always empty: what is found below slot[0] */
	struct slot slot[BUSWAY_IOVA_BATCH];
};

/* What a cache has of one size, in a line of memory. */
struct bin {
	/* the first slot behind those of the batch in use that may be filled; written by the owner
	 */
	_Alignas(64) _Atomic(struct slot *) top;
	struct slot *end; /* of that batch; of the owner, as are the batches themselves: */
	struct batch *in_use, *other;
	struct batch *at[2]; /* the same two; changed under the space lock only */
	uint64_t reach;      /* from the first byte of a range to its last */
};

struct busway_iova_cache {
	struct bin bins[SIZES]; /* first: a bin is a shift and an addition away */
	struct busway_iova_space *space;
	unsigned shift;
	uint64_t mask;  /* of the bytes inside a granule */
	uint64_t sizes; /* that are cached: SIZES, or none where granules are huge */
	/* bytes: what lies outside cannot have come from the space, or looks like SLOT_EMPTY */
	struct busway_range inside;
	/*
	 * Nothing in the cache begins below both: what the owner has put there since it was called
	 * back, and what was left there then. In bytes; SLOT_EMPTY: nothing.
	 */
	struct slot given; /* the lowest: written by the owner, taken by who calls back */
	struct slot kept;  /* written under the space lock */
	struct lock lock;  /* of slots, where slot.h wants one */
	struct busway_iova_cache *next; /* space lock */
};

static inline struct slot *top_of(struct bin *bin)
{
	return atomic_load_explicit(&bin->top, memory_order_relaxed);
}

static inline void set_top(struct bin *bin, struct slot *top)
{
	atomic_store_explicit(&bin->top, top, memory_order_relaxed);
}

static inline uint32_t count_of(struct batch *batch)
{
	return atomic_load_explicit(&batch->count, memory_order_relaxed);
}

static inline void set_count(struct batch *batch, uint32_t count)
{
	atomic_store_explicit(&batch->count, count, memory_order_relaxed);
}

static inline uint64_t lower_of(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t lowest_in(struct busway_iova_cache *cache)
{
	return lower_of(slot_peek(&cache->given, &cache->lock),
			slot_peek(&cache->kept, &cache->lock));
}

/* @batch, one of the bin's two, is used from now on. By the owner. */
static inline void use_batch(struct bin *bin, struct batch *batch)
{
	bin->in_use = batch;
	bin->end = batch->slot + BUSWAY_IOVA_BATCH;
	/* whoever calls back and sees this sees the count of the batch used before, too */
	atomic_store_explicit(&bin->top, batch->slot + count_of(batch), memory_order_release);
}

#endif
