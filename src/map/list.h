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
	bool closed;               /* it does not */
	size_t runs;               /* of addresses: see busway_mapping_next_run() */
	struct busway_range run;   /* the last one */
	bool single;               /* one entry, and one segment */
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
				 uint64_t size, size_t entries)
{
	describe_any(mapping, list->single ? BUSWAY_KIND_SINGLE : BUSWAY_KIND_LIST, size,
		     list->direction, list->attributes);
	mapping->segments = list->segments;
	mapping->segment_count = (uint32_t)list->count;
	mapping->entry_count = (uint32_t)entries;
}

/* What goes to memory at @dma: as few segments as there can be. */
void list_put_direct(struct list *list, struct busway_range phys, uint64_t dma);

/* A segment of slots. */
void list_put_slots(struct list *list, const struct busway_mapped *segment);

/* The largest piece that one of them may have: its low bits are those of the memory. */
struct busway_range list_first_piece(const struct list *list, struct busway_range phys);

/* For a plan: such a segment was served. */
void list_count_bounced(struct list *list, const struct busway_mapped *segment);

bool list_makes_sense(struct busway_range phys);

/* Refuses more runs than the device takes. */
int list_check_runs(struct list *list, struct busway_range first);

/* Slots that were taken are given back; or are in use now. */
void list_give_back(struct list *list);
void list_mark_high_water(const struct list *list);

/* ---- translated.c ---- */

/* The same through the device's domain; the mapping is live. */
int translated_map(struct list *list, const struct busway_phys_range *entries, size_t count,
		   struct busway_mapping *mapping, size_t *needed);
int translated_plan(struct list *list, const struct busway_phys_range *entries, size_t count);

/* ---- glance.c ---- */

/* Where the device reaches all of it at a glance and minds nothing: mapped. There is room for as
 * many segments as entries. False: nothing has changed, but what @segments point to. */
bool list_at_a_glance(struct busway_lane *lane, const struct busway_phys_range *entries,
		      size_t count, enum busway_direction direction, unsigned attributes,
		      struct busway_mapped *segments, struct busway_mapping *mapping);

#endif
