/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - which mapping owns an address.
 *
 *   class k: segments of 2^k + 1 .. 2^(k+1) bytes (1 and 2 bytes: class 0)
 *   bucket:  hash of dma.first >> (k + 1)
 *
 * A segment of class k that holds an address begins in the same 2^(k+1) bytes as the address, or in
 * those before: two buckets to look in, for each class of which a segment lives. Segments are
 * linked through themselves, so that nothing is allocated, and leave without being searched.
 */
#ifndef BUSWAY_LIVE_H
#define BUSWAY_LIVE_H

#include "map_internal.h"

/* Of a segment of @span + 1 bytes. */
static inline size_t live_class(uint64_t span)
{
	return (size_t)(__builtin_clzll(span | 1) ^ 63);
}

static inline uint64_t live_key(uint64_t address, size_t class)
{
	return address >> class >> 1;
}

static inline struct busway_mapped **live_bucket(const struct busway_lane *lane, uint64_t key)
{
	/* a multiplication by an odd number near 2^64 / golden ratio spreads the high bits */
	return &lane->buckets[key * 0x9e3779b97f4a7c15u >> lane->bucket_shift];
}

static inline void live_add(struct busway_lane *lane, struct busway_mapped *segment)
{
	const struct busway_range dma = busway_dma_raw(segment->dma);
	const size_t class = live_class(busway_range_span(dma));
	struct busway_mapped **bucket = live_bucket(lane, live_key(dma.first, class));
	struct busway_mapped *head = *bucket;

	segment->next_ = head;
	segment->link_ = bucket;
	if (head)
		head->link_ = &segment->next_;
	*bucket = segment;
	lane->in_class[class]++;
}

static inline void live_remove(struct busway_lane *lane, struct busway_mapped *segment)
{
	struct busway_mapped *next = segment->next_;

	*segment->link_ = next;
	if (next)
		next->link_ = segment->link_;
	lane->in_class[live_class(busway_range_span(busway_dma_raw(segment->dma)))]--;
}

/* The segment of @lane that holds @dma; where several do, that of the smallest class. */
const struct busway_mapped *live_find(const struct busway_lane *lane, uint64_t dma);

/* The live mapping of @lane that begins at @dma, of @kind if there is one of it; NULL. */
struct busway_mapping *live_at(const struct busway_lane *lane, uint64_t dma,
			       enum busway_mapping_kind kind);

/* Go through all segments of a lane: the first, and the one behind @segment; NULL: no more. */
struct busway_mapped *live_first(const struct busway_lane *lane);
struct busway_mapped *live_next(const struct busway_lane *lane,
				const struct busway_mapped *segment);

#endif
