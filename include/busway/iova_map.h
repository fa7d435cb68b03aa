/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_map.h - what is mapped where: the one truth about a domain's IOVAs.
 *
 * <busway/iova_space.h> hands out addresses and knows nothing of what happens there. This map
 * holds, for each range of IOVAs, the memory behind it, what the device may do, and whose it is. It
 * finds an entry by an IOVA or by an address of the memory, and refuses whatever contradicts it: a
 * second mapping at the same IOVA, the unmapping of what is not mapped, or of a part where
 * mappings go as a whole.
 *
 * Memory: 40 bytes an entry, and 16 to 40 in nodes of 392 bytes; with .by_memory the latter twice.
 * Look-ups, insertions and removals of an entry are O(log n).
 *
 * Threads: one writer, or any number of readers, at a time; the map has no lock.
 */
#ifndef BUSWAY_IOVA_MAP_H
#define BUSWAY_IOVA_MAP_H

#include <busway/platform.h>
#include <busway/refusal.h>

struct busway_iova_map;

struct busway_iova_entry {
	struct busway_dma_range iova;
	uint64_t memory; /* what the first byte leads to: a virtual or a physical address */
	void *owner;     /* the caller's */
	enum busway_access access;
};

struct busway_iova_map_options {
	/* a part of a mapping may be removed: what is left stays, as one entry or two */
	bool may_split;
	/* a range may be removed of which parts are not mapped */
	bool may_have_gaps;
	/* entries are found by their memory as well, and no memory may be mapped twice */
	bool by_memory;
	const char *name; /* in refusals; outlives the map; NULL: "IOVA map" */
};

/* @options: NULL: all zero. @memory outlives the map. -BUSWAY_ENOMEM. */
int busway_iova_map_create(const struct busway_iova_map_options *options,
			   const struct busway_allocator *memory, struct busway_iova_map **out);

/* With all entries that are left. @map may be NULL. */
void busway_iova_map_destroy(struct busway_iova_map *map);

/**
 * busway_iova_map_insert() - @entry is mapped from now on
 * @entry: copied; entry->iova.first <= entry->iova.last
 *
 * Return: 0; -BUSWAY_ENOMEM; -BUSWAY_EINVAL: the range is none, or its memory passes 2^64;
 * -BUSWAY_ERANGE: iova-mapped (.limit: the first entry that is in the way, .asked: @entry), or
 * va-mapped (the same of the memory). Nothing changes where it fails.
 */
int busway_iova_map_insert(struct busway_iova_map *map, const struct busway_iova_entry *entry,
			   struct busway_refusal *why);

/**
 * busway_iova_map_remove() - nothing is mapped in @range any more
 *
 * Whole entries only, any number of them, side by side; unless the options of the map say
 * otherwise. Ask busway_iova_map_next() before, if you want to know what it is.
 *
 * Return: 0; -BUSWAY_EINVAL: the range is none; -BUSWAY_ENOMEM: only where one entry is cut in two;
 * -BUSWAY_ERANGE: iova-not-mapped (.limit: the first part where nothing is), iova-cut (.limit: the
 * entry that it would cut). Nothing changes where it fails.
 */
int busway_iova_map_remove(struct busway_iova_map *map, struct busway_dma_range range,
			   struct busway_refusal *why);

/* The entry that holds @iova; NULL: nothing is mapped there. Good until the map changes. */
const struct busway_iova_entry *busway_iova_map_find(const struct busway_iova_map *map,
						     busway_dma_t iova);

/* The same, or else the first one behind @iova. */
const struct busway_iova_entry *busway_iova_map_next(const struct busway_iova_map *map,
						     busway_dma_t iova);

/* The entry whose memory holds @memory; NULL: there is none, or the map is not .by_memory. */
const struct busway_iova_entry *busway_iova_map_find_memory(const struct busway_iova_map *map,
							    uint64_t memory);

/* How many entries there are, and the bytes that the map has from its allocator. */
size_t busway_iova_map_count(const struct busway_iova_map *map);
size_t busway_iova_map_bytes(const struct busway_iova_map *map);

#endif
