/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - what is mapped: life, insertion, looking. Read map_internal.h first.
 */
#include "map_internal.h"

/* ---- entries ---- */

static int add_shelf(struct busway_iova_map *map)
{
	struct shelf *shelf =
		map->memory->alloc(map->memory->ctx, sizeof(*shelf), _Alignof(struct shelf));

	if (!shelf)
		return -BUSWAY_ENOMEM;
	shelf->next = map->shelves;
	map->shelves = shelf;
	map->shelf_count++;
	for (unsigned i = ENTRIES; i-- > 0;) {
		shelf->place[i].next = map->unused;
		map->unused = &shelf->place[i];
	}
	return 0;
}

int map_prepare(struct busway_iova_map *map)
{
	if (tree_prepare_few(&map->by_iova, 1) ||
	    (map->options.by_memory && tree_prepare_few(&map->by_memory, 1)))
		return -BUSWAY_ENOMEM;
	return map->unused ? 0 : add_shelf(map);
}

void map_enter(struct busway_iova_map *map, const struct busway_iova_entry *entry)
{
	union place *place = map->unused;

	map->unused = place->next;
	place->entry = *entry;
	tree_put(&map->by_iova, entry->iova.first.raw, (uintptr_t)&place->entry);
	if (map->options.by_memory)
		tree_put(&map->by_memory, entry->memory, (uintptr_t)&place->entry);
}

void map_discard(struct busway_iova_map *map, struct busway_iova_entry *entry)
{
	union place *place = (union place *)entry;

	tree_drop(&map->by_iova, entry->iova.first.raw);
	tree_trim_few(&map->by_iova);
	if (map->options.by_memory) {
		tree_drop(&map->by_memory, entry->memory);
		tree_trim_few(&map->by_memory);
	}
	place->next = map->unused;
	map->unused = place;
}

/* ---- life ---- */

int busway_iova_map_create(const struct busway_iova_map_options *options,
			   const struct busway_allocator *memory, struct busway_iova_map **out)
{
	struct busway_iova_map *map =
		memory->alloc(memory->ctx, sizeof(*map), _Alignof(struct busway_iova_map));

	if (!map)
		return -BUSWAY_ENOMEM;
	*map = (struct busway_iova_map){.memory = memory};
	if (options)
		map->options = *options;
	if (!map->options.name)
		map->options.name = "IOVA map";
	if (tree_create(&map->by_iova, true, memory) ||
	    tree_create(&map->by_memory, true, memory)) {
		busway_iova_map_destroy(map);
		return -BUSWAY_ENOMEM;
	}
	*out = map;
	return 0;
}

void busway_iova_map_destroy(struct busway_iova_map *map)
{
	const struct busway_allocator *memory;

	if (!map)
		return;
	memory = map->memory;
	while (map->shelves) {
		struct shelf *shelf = map->shelves;

		map->shelves = shelf->next;
		memory->free(memory->ctx, shelf, sizeof(*shelf), _Alignof(struct shelf));
	}
	if (map->by_iova.memory)
		tree_destroy(&map->by_iova);
	if (map->by_memory.memory)
		tree_destroy(&map->by_memory);
	memory->free(memory->ctx, map, sizeof(*map), _Alignof(struct busway_iova_map));
}

/* ---- looking ---- */

const struct busway_iova_entry *busway_iova_map_find(const struct busway_iova_map *map,
						     busway_dma_t iova)
{
	uint64_t value;

	if (!tree_look(&map->by_iova, iova.raw, &value))
		return NULL;
	return entry_from(value)->iova.last.raw >= iova.raw ? entry_from(value) : NULL;
}

struct busway_iova_entry *map_next(const struct busway_iova_map *map, uint64_t iova)
{
	struct tree_path path;

	if (!map->by_iova.count)
		return NULL;
	if (tree_find(&map->by_iova, iova, &path) &&
	    entry_from(path_value(&path))->iova.last.raw < iova && !tree_next(&map->by_iova, &path))
		return NULL;
	return entry_from(path_value(&path));
}

const struct busway_iova_entry *busway_iova_map_next(const struct busway_iova_map *map,
						     busway_dma_t iova)
{
	return map_next(map, iova.raw);
}

const struct busway_iova_entry *busway_iova_map_find_memory(const struct busway_iova_map *map,
							    uint64_t memory)
{
	uint64_t value;

	if (!tree_look(&map->by_memory, memory, &value))
		return NULL;
	return memory_of(entry_from(value)).last >= memory ? entry_from(value) : NULL;
}

size_t busway_iova_map_count(const struct busway_iova_map *map)
{
	return map->by_iova.count;
}

size_t busway_iova_map_bytes(const struct busway_iova_map *map)
{
	return sizeof(*map) + map->shelf_count * sizeof(struct shelf) + tree_bytes(&map->by_iova) +
	       tree_bytes(&map->by_memory);
}

/* ---- insertion ---- */

int map_refuse(const struct busway_iova_map *map, enum busway_reason reason,
	       struct busway_range asked, struct busway_range limit, struct busway_refusal *why)
{
	if (why)
		*why = (struct busway_refusal){
			.reason = reason,
			.hop = map->options.name,
			.bus_addresses = reason != BUSWAY_VA_MAPPED,
			.asked = asked,
			.limit = limit,
			.has_limit = true,
		};
	return -BUSWAY_ERANGE;
}

/* The first entry whose memory overlaps @memory; NULL: there is none. */
static const struct busway_iova_entry *memory_in(const struct busway_iova_map *map,
						 struct busway_range memory)
{
	struct tree_path path;

	if (!map->by_memory.count)
		return NULL;
	if (tree_find(&map->by_memory, memory.first, &path) &&
	    memory_of(entry_from(path_value(&path))).last < memory.first &&
	    !tree_next(&map->by_memory, &path))
		return NULL;
	return entry_from(path_value(&path))->memory <= memory.last ? entry_from(path_value(&path))
								    : NULL;
}

int busway_iova_map_insert(struct busway_iova_map *map, const struct busway_iova_entry *entry,
			   struct busway_refusal *why)
{
	const struct busway_range iovas = iovas_of(entry);
	const struct busway_iova_entry *other;

	if (iovas.first > iovas.last || busway_range_span(iovas) > UINT64_MAX - entry->memory)
		return -BUSWAY_EINVAL;
	other = busway_iova_map_next(map, entry->iova.first);
	if (other && other->iova.first.raw <= iovas.last)
		return map_refuse(map, BUSWAY_IOVA_MAPPED, iovas, iovas_of(other), why);
	other = map->options.by_memory ? memory_in(map, memory_of(entry)) : NULL;
	if (other)
		return map_refuse(map, BUSWAY_VA_MAPPED, memory_of(entry), memory_of(other), why);
	if (map_prepare(map))
		return -BUSWAY_ENOMEM;
	map_enter(map, entry);
	return 0;
}
