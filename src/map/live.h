/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.h - which mapping owns an address.
 *
 *   fresh -> mapping -> mapping -> ...         what was mapped last, in no order
 *
 *   class k: segments of 2^k + 1 .. 2^(k+1) bytes (1 and 2 bytes: class 0)
 *   bucket:  hash of dma.first >> (k + 1)
 *
 * Most mappings go before anybody asks whose they are, so they begin in one short list; who asks,
 * or maps one too many, moves all of it to the buckets. A segment of class k that holds an address
 * begins in the same 2^(k+1) bytes as the address, or in those before: two buckets to look in, for
 * each class of which a segment lives. Everything is linked through the records, so that nothing is
 * allocated, and leaves without being searched.
 */
#ifndef BUSWAY_LIVE_H
#define BUSWAY_LIVE_H

#include "map_internal.h"

/* So many mappings are fresh at most, of so many segments each: what one who asks may have to move.
 */
enum { FRESH_MAX = 64, FRESH_SEGMENTS = 64 };

/* Moves all that is fresh to the buckets. */
void live_settle(struct busway_lane *lane);

/* The segments of one that is in the buckets leave. */
void live_unsettle(struct busway_lane *lane, struct busway_mapping *mapping);

static inline void live_link(struct busway_mapped **head, struct busway_mapped *segment)
{
	struct busway_mapped *next = *head;

	segment->next_ = next;
	segment->link_ = head;
	if (next)
		next->link_ = &segment->next_;
	*head = segment;
}

static inline void live_unlink(struct busway_mapped *segment)
{
	struct busway_mapped *next = segment->next_;

	*segment->link_ = next;
	if (next)
		next->link_ = segment->link_;
}

/* A mapping lives. Its .one_ stands for it while it is fresh, also if it is a list. */
static inline void live_add(struct busway_lane *lane, struct busway_mapping *mapping)
{
	mapping->one_.owner_ = mapping;
	mapping->settled_ = false;
	live_link(&lane->fresh, &mapping->one_);
	if (!LIKELY(++lane->live - lane->settled <= FRESH_MAX &&
		    mapping->segment_count <= FRESH_SEGMENTS))
		live_settle(lane);
}

static inline void live_remove(struct busway_lane *lane, struct busway_mapping *mapping)
{
	lane->live--;
	if (mapping->settled_)
		live_unsettle(lane, mapping);
	else
		live_unlink(&mapping->one_);
}

/* How well a segment fits what is looked for; 0: not at all. */
typedef unsigned live_merit(const struct busway_mapped *segment, const void *ctx);

/* Of the segments of @lane that hold @dma, the one of the greatest @merit; where that is NULL, one
 * of the shortest. NULL: there is none. */
const struct busway_mapped *live_find(struct busway_lane *lane, uint64_t dma, live_merit *merit,
				      const void *ctx);

/* Go through all segments of a lane: the first, and the one behind @segment; NULL: no more. */
struct busway_mapped *live_first(struct busway_lane *lane);
struct busway_mapped *live_next(const struct busway_lane *lane,
				const struct busway_mapped *segment);

#endif
