/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_linux.c - a dma-ranges table as Linux 6.12 reads it, and where that is not the whole truth.
 *
 * Linux translates only the start of an entry, joins entries that continue each other, drops
 * those that do not translate, and stops at size zero (of_dma_get_range, of_pci_range_parser_one,
 * dma_range_map_max). What follows for the bus limit is kept; what it overlooks becomes notes.
 */
#include "fdt_importer.h"

#include <string.h>

/* Passed 1:1 from a bus without codes, an address has code 0 in Linux; Busway takes it for memory.
 */
static uint32_t linux_class_up(uint8_t from, uint8_t to, uint32_t class)
{
	return fdt_flag_cells(from) ? fdt_class_up(from, to, class) : 0;
}

/* Linux: where does the start of an entry come out? Sizes are not looked at. */
static bool linux_start(struct fdt_importer *importer, uint32_t node, const struct fdt_entry *entry,
			uint64_t *cpu, bool *clipped)
{
	uint64_t address = entry->parent;
	uint32_t class = entry->parent_class;
	const struct fdt_node *nodes = importer->tree.nodes;

	*clipped = false;
	if (node == 0)
		return false; /* nothing is above the root: its own table cannot be translated */
	for (uint32_t at = fdt_dma_parent(importer, node), above; at != 0; at = above) {
		const struct fdt_entry *upper;
		const struct fdt_table *table;

		above = fdt_dma_parent(importer, at);
		if (!fdt_has_dma_table(&importer->tree, at)) {
			class = linux_class_up(nodes[at].bus, nodes[above].bus, class);
			continue;
		}
		table = fdt_dma_table(importer, at);
		if (!table || !fdt_table_translate(table, &class, &address, &upper))
			return false;
		if (entry->size > upper->size - (address - upper->parent))
			*clipped = true;
	}
	*cpu = address;
	return true;
}

/* What Linux holds two entries to be of one kind by. */
static uint32_t linux_flags(uint8_t bus, uint32_t code)
{
	switch (bus) {
	case FDT_BUS_PCI:
		return code & 0x43000000; /* prefetchable, space */
	case FDT_BUS_ISA:
		return code & 1;
	case FDT_BUS_DEFAULT_FLAGS:
		return code;
	default:
		return 0;
	}
}

struct linux_entry {
	uint64_t bus, cpu, size;
	uint32_t flags, first; /* index of the first entry in it */
	bool translates;
};

static bool linux_joins(const struct linux_entry *a, const struct linux_entry *b)
{
	/* two halves of the whole space stay two: one of 2^64 bytes would look like an end */
	return a->flags == b->flags && a->translates == b->translates &&
	       a->size <= UINT64_MAX - b->size && b->bus == a->bus + a->size &&
	       b->cpu == a->cpu + a->size;
}

/* One joined entry is complete. False: it ends the map. */
static bool linux_take(struct fdt_table *table, const struct linux_entry *e)
{
	if (!e->translates)
		return true;
	table->linux_count++;
	table->has_limit = true;
	if (e->size == 0) {
		table->direct_count = e->first;
		return false;
	}
	if (e->bus + e->size - 1 > table->bus_limit)
		table->bus_limit = e->bus + e->size - 1;
	return true;
}

/* Read the table as Linux 6.12 does: join, drop what does not translate, end at size zero. */
static bool read_as_linux(struct fdt_importer *importer, struct fdt_table *table)
{
	const uint8_t bus = importer->tree.nodes[table->node].bus;
	struct linux_entry open = {0};
	bool is_open = false, ended = false;

	table->direct_count = table->count;
	for (uint32_t i = 0; i < table->count && !ended; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct linux_entry next = {e->child, UINT64_MAX, e->size, linux_flags(bus, e->code),
					   i,        false};
		bool clipped;

		next.translates = linux_start(importer, table->node, e, &next.cpu, &clipped);
		if (!next.translates && !fdt_note(importer, &table->notes, BUSWAY_NOTE_DROPPED,
						  table->node, FDT_DMA_RANGES, i))
			return false;
		if (next.translates && clipped &&
		    !fdt_note(importer, &table->notes, BUSWAY_NOTE_CLIPPED, table->node,
			      FDT_DMA_RANGES, i))
			return false;
		if (is_open && linux_joins(&open, &next)) {
			open.size += next.size;
			continue;
		}
		ended = is_open && !linux_take(table, &open);
		open = next;
		is_open = true;
	}
	if (is_open && !ended)
		ended = !linux_take(table, &open);
	table->is_empty = ended && table->linux_count == 1;
	if (ended && !fdt_note(importer, &table->notes, BUSWAY_NOTE_ZERO_SIZE, table->node,
			       FDT_DMA_RANGES, table->direct_count))
		return false;
	return true;
}

static bool wraps(uint64_t first, uint64_t size)
{
	return size && size - 1 > UINT64_MAX - first;
}

static bool note_entry(struct fdt_importer *importer, struct fdt_table *table, uint32_t i,
		       bool is_shadowed)
{
	const struct fdt_entry *e = &table->entries[i];
	const struct fdt_node *node = &importer->tree.nodes[table->node];

	if ((wraps(e->child, e->size) || wraps(e->parent, e->size)) &&
	    !fdt_note(importer, &table->notes, BUSWAY_NOTE_WRAPS, table->node, FDT_DMA_RANGES, i))
		return false;
	if (node->bus == FDT_BUS_PCI && e->child_class != FDT_CLASS_MEMORY &&
	    !fdt_note(importer, &table->notes, BUSWAY_NOTE_CODE, table->node, FDT_DMA_RANGES, i))
		return false;
	return !is_shadowed || fdt_note(importer, &table->notes, BUSWAY_NOTE_SHADOWED, table->node,
					FDT_DMA_RANGES, i);
}

/* Who has which address for the devices of the table, and which entries an earlier one overlaps. */
static bool *index_devices(struct fdt_importer *importer, struct fdt_table *table)
{
	const uint32_t count = table->direct_count;
	struct fdt_claim *claims =
		arena_take(&importer->work, count * sizeof(*claims), _Alignof(struct fdt_claim));
	bool *overlaps = arena_take(&importer->work, count, 1);

	if (!claims || !overlaps)
		return NULL;
	for (uint32_t i = 0; i < count; i++) {
		const struct fdt_entry *e = &table->entries[i];

		claims[i] = (struct fdt_claim){.class = 0};
		claims[i].live = busway_range_clip(e->child, e->size, &claims[i].range);
	}
	return fdt_owners_make(&importer->work, claims, count, &table->by_device, overlaps)
		       ? overlaps
		       : NULL;
}

static bool note_table(struct fdt_importer *importer, struct fdt_table *table)
{
	const struct fdt_tree *tree = &importer->tree;
	uint32_t class = 0;
	const uint32_t node = table->node;
	const bool *overlaps = index_devices(importer, table);

	if (!overlaps)
		return false;
	for (uint32_t i = 0; i < table->direct_count; i++)
		if (!note_entry(importer, table, i, overlaps[i]))
			return false;
	if (table->has_tail &&
	    !fdt_note(importer, &table->notes, BUSWAY_NOTE_TAIL, node, FDT_DMA_RANGES, FDT_NONE))
		return false;
	if (!tree->nodes[node].states_cells &&
	    !fdt_note(importer, &table->notes, BUSWAY_NOTE_CELLS, node, FDT_DMA_RANGES, FDT_NONE))
		return false;
	if (!table->linux_count && !fdt_note(importer, &table->notes, BUSWAY_NOTE_NO_ENTRY, node,
					     FDT_DMA_RANGES, FDT_NONE))
		return false;
	/* a missing level between this table and what is above it */
	if (node != 0) {
		const uint32_t above = fdt_dma_parent(importer, node);

		if (above != 0 && fdt_next_level(importer, above, &class) != above &&
		    !fdt_has(tree, above, FDT_DMA_RANGES))
			return fdt_note(importer, &table->notes, BUSWAY_NOTE_MISSING_LEVEL, above,
					FDT_DMA_RANGES, FDT_NONE);
	}
	return true;
}

/* Can addresses be translated on every bus above? */
static bool way_is_open(const struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_node *nodes = importer->tree.nodes;

	while (node != 0) {
		const uint32_t above = fdt_dma_parent(importer, node);

		if (!fdt_can_cross(nodes[above].bus, &nodes[nodes[node].parent]))
			return false;
		node = above;
	}
	return true;
}

static bool make_room_for_spaces(struct fdt_importer *importer, struct fdt_table *table)
{
	const size_t count = (size_t)table->count + 1;

	table->spaces = arena_take(&importer->work, count * sizeof(*table->spaces),
				   _Alignof(busway_space_id));
	table->space_made = arena_take(&importer->work, count, 1);
	if (!table->spaces || !table->space_made)
		return false;
	memset(table->space_made, 0, count);
	return true;
}

struct fdt_table *fdt_dma_table(struct fdt_importer *importer, uint32_t node)
{
	struct fdt_memo *memo = &importer->memos[node];
	const uint8_t above = importer->tree.nodes[fdt_dma_parent(importer, node)].bus;

	if (memo->table)
		return memo->table;
	memo->table = fdt_table_read(importer, node, FDT_DMA_RANGES, above);
	if (!memo->table)
		return NULL;
	if (!way_is_open(importer, node))
		memo->table->count = 0;
	if (!make_room_for_spaces(importer, memo->table) || !read_as_linux(importer, memo->table) ||
	    !note_table(importer, memo->table))
		memo->table = NULL;
	return memo->table;
}
