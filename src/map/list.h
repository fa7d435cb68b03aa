/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.h - a scatter-gather list on its way to segments.
 *
 *   list.c     entries: which parts are reached as they are, and which bounce; joined, and cut
 *   glance.c   the same where nothing stands in the way
 *   plan.c     how one would be served
 */
#ifndef BUSWAY_LIST_H
#define BUSWAY_LIST_H

#include "live.h"

struct list {
	struct busway_lane *lane;
	enum busway_direction direction;
	unsigned attributes;
	struct busway_mapped *segments;
	size_t capacity, count;    /* count goes on where nothing more fits */
	struct busway_mapped last; /* the segment that the next part may go on with */
	bool whole_entries; /* of one that is reached in part, all is bounced: fewer segments */
	bool in_parts;      /* there was such an entry */
	bool too_many;      /* why it failed: more segments than there may be */
	struct busway_plan *plan; /* only asked: nothing is kept */
	uint32_t held;            /* then: spans of pools that are held */
	struct busway_refusal *why;
};

/* Serve all entries. On failure nothing is taken, but of pools that are held. */
int list_serve(struct list *list, const struct busway_phys_range *entries, size_t count);

/* Is it worth trying again, with fewer segments? Then it is set to do so. */
bool list_again(struct list *list);

/* All bytes of the entries. */
uint64_t list_size(const struct busway_phys_range *entries, size_t count);

/* What the record says of it. */
static inline void list_describe(struct busway_mapping *mapping, const struct list *list,
				 uint64_t size, size_t entries, size_t segments)
{
	mapping->size = size;
	mapping->segments = list->segments;
	mapping->segment_count = (uint32_t)segments;
	mapping->entry_count = (uint32_t)entries;
	mapping->direction = (uint8_t)list->direction;
	mapping->attributes = (uint8_t)list->attributes;
	mapping->kind = BUSWAY_KIND_LIST;
}

/* ---- glance.c ---- */

/* Where the device reaches all of it at a glance and minds nothing. False: nothing has changed. */
bool list_at_a_glance(const struct list *list, const struct busway_phys_range *entries,
		      size_t count, struct busway_mapping *mapping);

#endif
