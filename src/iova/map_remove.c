/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_remove.c - nothing is mapped any more. Read map_internal.h first.
 *
 *   entries [--a--][----b----]   [--c--]
 *   range        [------------------]      cuts a and c, and has a gap
 */
#include "map_internal.h"

/* Does the policy of the map let @range go? */
static int check(const struct busway_iova_map *map, struct busway_range range,
		 struct busway_refusal *why)
{
	uint64_t at = range.first;

	for (;;) {
		const struct busway_iova_entry *entry = map_next(map, at);
		const bool inside = entry && entry->iova.first.raw <= range.last;

		if ((!inside || entry->iova.first.raw > at) && !map->options.may_have_gaps)
			return map_refuse(
				map, BUSWAY_IOVA_NOT_MAPPED, range,
				(struct busway_range){at, inside ? entry->iova.first.raw - 1
								 : range.last},
				why);
		if (!inside)
			return 0;
		if (!busway_range_within(iovas_of(entry), range) && !map->options.may_split)
			return map_refuse(map, BUSWAY_IOVA_CUT, range, iovas_of(entry), why);
		if (entry->iova.last.raw >= range.last)
			return 0;
		at = entry->iova.last.raw + 1;
	}
}

/* What is left of @entry begins at @first. */
static void cut_front(struct busway_iova_map *map, struct busway_iova_entry *entry, uint64_t first)
{
	struct tree_path path;

	tree_find(&map->by_iova, entry->iova.first.raw, &path);
	tree_replace(&map->by_iova, &path, first, path_value(&path));
	if (map->options.by_memory) {
		tree_find(&map->by_memory, entry->memory, &path);
		tree_replace(&map->by_memory, &path,
			     entry->memory + (first - entry->iova.first.raw), path_value(&path));
	}
	entry->memory += first - entry->iova.first.raw;
	entry->iova.first = busway_dma(first);
}

/* @range lies inside @entry, and touches neither end. */
static void cut_middle(struct busway_iova_map *map, struct busway_iova_entry *entry,
		       struct busway_range range)
{
	struct busway_iova_entry rest = *entry;

	rest.iova.first = busway_dma(range.last + 1);
	rest.memory += rest.iova.first.raw - entry->iova.first.raw;
	entry->iova.last = busway_dma(range.first - 1);
	map_enter(map, &rest);
}

static void remove_from(struct busway_iova_map *map, struct busway_iova_entry *entry,
			struct busway_range range)
{
	const struct busway_range iovas = iovas_of(entry);

	if (iovas.first < range.first && iovas.last > range.last)
		cut_middle(map, entry, range);
	else if (iovas.first < range.first)
		entry->iova.last = busway_dma(range.first - 1);
	else if (iovas.last > range.last)
		cut_front(map, entry, range.last + 1);
	else
		map_discard(map, entry);
}

int busway_iova_map_remove(struct busway_iova_map *map, struct busway_dma_range range,
			   struct busway_refusal *why)
{
	const struct busway_range iovas = busway_dma_raw(range);
	struct busway_iova_entry *entry;
	int status;

	if (iovas.first > iovas.last)
		return -BUSWAY_EINVAL;
	status = check(map, iovas, why);
	if (status)
		return status;
	entry = map_next(map, iovas.first);
	if (entry && entry->iova.first.raw < iovas.first && entry->iova.last.raw > iovas.last &&
	    map_prepare(map))
		return -BUSWAY_ENOMEM;
	while (entry && entry->iova.first.raw <= iovas.last) {
		remove_from(map, entry, iovas);
		entry = map_next(map, iovas.first);
	}
	return 0;
}
