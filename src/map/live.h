/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - which mapping owns an address.
 *
 *   class k: segments of 2^(k-1) + 1 .. 2^k bytes        bucket: hash of (k, dma.first >> k)
 *
 * A segment of class k that holds an address begins in the same 2^k bytes as the address, or in
 * those before: two buckets to look in, for each class of which a segment lives. Segments are
 * linked through themselves, so that nothing is allocated, and leave without being searched.
 */
#ifndef BUSWAY_LIVE_H
#define BUSWAY_LIVE_H

#include "map_internal.h"

/* How many bits the size less one has. */
static inline unsigned live_class(uint64_t span)
{
	return span ? 64 - (unsigned)__builtin_clzll(span) : 0;
}

static inline uint64_t live_key(uint64_t address, unsigned class)
{
	return class < 64 ? address >> class : 0;
}

static inline struct busway_mapped **live_bucket(const struct busway_lane *lane, unsigned class,
						 uint64_t key)
{
	/* a multiplication by an odd number near 2^64 / golden ratio spreads the high bits */
	const uint64_t hash = (key + ((uint64_t) class << 56)) * 0x9e3779b97f4a7c15u;

	return &lane->buckets[hash >> lane->bucket_shift];
}

static inline void live_add(struct busway_lane *lane, struct busway_mapped *segment)
{
	const struct busway_range dma = busway_dma_raw(segment->dma);
	const unsigned class = live_class(busway_range_span(dma));
	struct busway_mapped **bucket = live_bucket(lane, class, live_key(dma.first, class));
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
