/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_internal.h - what a map consists of. Read <busway/iova_map.h> first.
 *
 *   map.c         life, insertion, looking
 *   map_remove.c  removal
 */
#ifndef BUSWAY_IOVA_MAP_INTERNAL_H
#define BUSWAY_IOVA_MAP_INTERNAL_H

#include "tree.h"

#include <busway/iova_map.h>

enum { ENTRIES = 64 };

/* Memory for entries; given back with the map. */
struct shelf {
	struct shelf *next;
	union place {
		struct busway_iova_entry entry;
		union place *next; /* of those not in use */
	} place[ENTRIES];
};

struct busway_iova_map {
	const struct busway_allocator *memory;
	struct busway_iova_map_options options;
	struct tree by_iova, by_memory; /* first byte -> struct busway_iova_entry */
	struct shelf *shelves;
	union place *unused;
	size_t shelf_count;
};

static inline struct busway_iova_entry *entry_from(uint64_t value)
{
	return (struct busway_iova_entry *)(uintptr_t)value;
}

static inline struct busway_range iovas_of(const struct busway_iova_entry *entry)
{
	return busway_dma_raw(entry->iova);
}

static inline struct busway_range memory_of(const struct busway_iova_entry *entry)
{
	return (struct busway_range){
		entry->memory, entry->memory + (entry->iova.last.raw - entry->iova.first.raw)};
}

/* ---- map.c ---- */

struct busway_iova_entry *map_next(const struct busway_iova_map *map, uint64_t iova);
/* Nodes and a place for one entry more. */
int map_prepare(struct busway_iova_map *map);
/* Cannot fail after that. */
void map_enter(struct busway_iova_map *map, const struct busway_iova_entry *entry);
void map_discard(struct busway_iova_map *map, struct busway_iova_entry *entry);
int map_refuse(const struct busway_iova_map *map, enum busway_reason reason,
	       struct busway_range asked, struct busway_range limit, struct busway_refusal *why);

#endif
