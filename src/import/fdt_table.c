/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_table.c - entries of ranges and dma-ranges.
 *
 * An entry is a child address, a parent address and a size, in cells (Devicetree Specification
 * 0.4, 2.3.8 and 2.3.9). On some buses the first cell of an address is a code; only addresses of
 * one class can meet (Linux drivers/of/address.c).
 */
#include "fdt_importer.h"

#include "../base/sort.h"

uint32_t fdt_class(uint8_t bus, uint32_t flags)
{
	switch (bus) {
	case FDT_BUS_PCI: /* space code: 0 configuration, 1 I/O, 2 and 3 memory */
		return (flags >> 24 & 3) >= 2 ? FDT_CLASS_MEMORY : flags >> 24 & 3;
	case FDT_BUS_ISA:
		return flags & 1;
	case FDT_BUS_DEFAULT_FLAGS:
		return flags;
	default:
		return 0;
	}
}

uint32_t fdt_class_up(uint8_t from, uint8_t to, uint32_t class)
{
	if (from == to)
		return class;
	return to == FDT_BUS_PCI ? FDT_CLASS_MEMORY : 0;
}

bool fdt_can_cross(uint8_t bus, const struct fdt_node *parent)
{
	return bus == FDT_BUS_PCI || bus == FDT_BUS_ISA ||
	       (parent->address_cells > 0 && parent->size_cells > 0);
}

struct by_class {
	uint32_t class, entry;
};

static bool comes_before(const void *a, const void *b)
{
	const struct by_class *x = a, *y = b;

	return x->class != y->class ? x->class < y->class : x->entry < y->entry;
}

static bool index_classes(struct fdt_importer *importer, struct fdt_table *table)
{
	struct by_class *list = arena_take(&importer->work, table->count * sizeof(*list),
					   _Alignof(struct by_class));

	table->order = arena_take(&importer->work, table->count * sizeof(*table->order),
				  _Alignof(uint32_t));
	if (!list || !table->order)
		return false;
	for (uint32_t i = 0; i < table->count; i++)
		list[i] = (struct by_class){table->entries[i].child_class, i};
	sort(list, table->count, sizeof(*list), comes_before);
	for (uint32_t i = 0; i < table->count; i++)
		table->order[i] = list[i].entry;
	table->one_class = !table->count || list[0].class == list[table->count - 1].class;
	return true;
}

uint32_t fdt_table_place(const struct fdt_table *table, uint32_t class)
{
	uint32_t low = 0, high = table->count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;

		if (table->entries[table->order[middle]].child_class < class)
			low = middle + 1;
		else
			high = middle;
	}
	return low < table->count && table->entries[table->order[low]].child_class == class
		       ? low
		       : table->count;
}

/* In 64 bits, as Linux counts: an entry that reaches 2^64 never holds an address. */
static bool index_owners(struct fdt_importer *importer, struct fdt_table *table)
{
	const uint32_t count = table->count;
	struct fdt_claim *claims =
		arena_take(&importer->work, count * sizeof(*claims), _Alignof(struct fdt_claim));
	bool *overlaps = arena_take(&importer->work, count, 1);

	if (!claims || !overlaps)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		const struct fdt_entry *e = &table->entries[i];

		claims[i] = (struct fdt_claim){.class = e->child_class};
		claims[i].live = busway_range_clip(e->child, e->size, &claims[i].range) &&
				 e->child + e->size > e->child;
	}
	return fdt_owners_make(&importer->work, claims, count, &table->by_class, overlaps);
}

struct fdt_table *fdt_table_read(struct fdt_importer *importer, uint32_t node,
				 enum fdt_property_id id, uint8_t parent_bus)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *prop = fdt_get(tree, node, id);
	const struct fdt_node *n = &tree->nodes[node];
	const uint32_t na = n->address_cells, ns = n->size_cells;
	const uint32_t pna = tree->nodes[n->parent].address_cells;
	const uint32_t flags = fdt_flag_cells(n->bus), parent_flags = fdt_flag_cells(parent_bus);
	const uint32_t width = na + pna + ns;
	struct fdt_table *table =
		arena_take(&importer->work, sizeof(*table), _Alignof(struct fdt_table));

	if (!table)
		return NULL;
	*table = (struct fdt_table){.node = node};
	table->sound = na > flags && pna > parent_flags && ns > 0;
	if (!prop || !table->sound)
		return table;
	table->count = fdt_cells(prop) / width;
	table->has_tail = prop->length != table->count * width * 4;
	table->entries = arena_take(&importer->work, table->count * sizeof(*table->entries),
				    _Alignof(struct fdt_entry));
	if (!table->entries)
		return NULL;
	for (uint32_t i = 0, at = 0; i < table->count; i++, at += width) {
		const uint32_t code = flags ? fdt_cell(prop, at) : 0;

		table->entries[i] = (struct fdt_entry){
			.code = code,
			.child_class = fdt_class(n->bus, code),
			.child = fdt_number(prop, at + flags, na - flags),
			.parent_class =
				fdt_class(parent_bus, parent_flags ? fdt_cell(prop, at + na) : 0),
			.parent = fdt_number(prop, at + na + parent_flags, pna - parent_flags),
			.size = fdt_number(prop, at + na + pna, ns),
		};
	}
	return index_classes(importer, table) && index_owners(importer, table) ? table : NULL;
}

const struct fdt_table *fdt_ranges(struct fdt_importer *importer, uint32_t node)
{
	struct fdt_memo *memo = &importer->memos[node];
	const struct fdt_node *nodes = importer->tree.nodes;

	if (!memo->ranges)
		memo->ranges =
			fdt_table_read(importer, node, FDT_RANGES, nodes[nodes[node].parent].bus);
	return memo->ranges;
}

bool fdt_table_translate(const struct fdt_table *table, uint32_t *class, uint64_t *address,
			 const struct fdt_entry **entry)
{
	const uint32_t owner = fdt_owner_of(&table->by_class, *class, *address);
	const struct fdt_entry *e;

	if (owner == FDT_NONE)
		return false;
	e = &table->entries[owner];
	*address = e->parent + (*address - e->child);
	*class = e->parent_class;
	*entry = e;
	return true;
}
