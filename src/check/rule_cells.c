/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_cells.c - does a property have the cells that it must have, and do its numbers fit them?
 *
 * Addresses and sizes are written in as many cells as the bus says (Devicetree Specification 0.4,
 * 2.3.5). Linux reads whole entries and drops what is left over without a word.
 */
#include "check_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- lengths ---- */

static void report_length(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			  uint32_t length, uint32_t width, enum busway_severity severity)
{
	report(check, BUSWAY_FINDING_CELLS_MISMATCH, if_enabled(check, node, severity), node,
	       fdt_property_name(id), NO_ENTRY,
	       "0x%" PRIx32 " bytes are no whole number of entries of %" PRIu32 " cells (0x%" PRIx32
	       " bytes)",
	       length, width, width * 4);
}

/* A property of entries of @width cells. */
static void check_stride(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			 uint32_t width)
{
	const struct fdt_prop *prop = fdt_get(&check->importer.tree, node, id);

	if (!prop || !prop->length || !width || prop->length % (width * 4) == 0)
		return;
	report_length(check, node, id, prop->length, width, BUSWAY_SEVERITY_ERROR);
	advise(check, "write each entry with the #address-cells and #size-cells in force here");
}

static void check_reg(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const struct fdt_node *bus = &tree->nodes[tree->nodes[node].parent];
	const uint32_t width = bus->address_cells + bus->size_cells;

	/* without counts of its own, a bus is read in two ways: what fits one of them may be meant
	 */
	if (!reg || !reg->length || !width || reg->length % (width * 4) == 0 ||
	    (!bus->states_cells && reg->length % 12 == 0))
		return;
	report_length(check, node, FDT_REG, reg->length, width,
		      bus->states_cells ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_WARNING);
	advise(check,
	       "#address-cells is %u and #size-cells is %u on the bus: each entry of reg has "
	       "%" PRIu32 " cells",
	       bus->address_cells, bus->size_cells, width);
}

/* The unit address as a number; false where the name has none. */
static bool unit_address(const char *name, uint64_t *address)
{
	const char *at = strchr(name, '@');
	char *end;

	if (!at || !at[1])
		return false;
	*address = strtoull(at + 1, &end, 16);
	return *end == '\0';
}

/*
 * Numbers written for other cell counts can have the right length by chance: <0 A 0 B> on a bus of
 * one cell each, <A B C D> on one of two. The unit address tells what was meant.
 */
static void check_reg_meaning(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const struct fdt_node *bus = &tree->nodes[tree->nodes[node].parent];
	uint64_t unit;
	bool narrow, wide;

	if (!reg || bus->bus != FDT_BUS_DEFAULT || reg->length % 16 || !reg->length ||
	    bus->address_cells != bus->size_cells || !unit_address(tree->nodes[node].name, &unit) ||
	    !unit || unit > UINT32_MAX)
		return;
	narrow = bus->address_cells == 1 && !fdt_cell(reg, 0) && fdt_cell(reg, 1) == unit &&
		 !fdt_cell(reg, 2);
	wide = bus->address_cells == 2 && fdt_cell(reg, 0) == unit && fdt_cell(reg, 1);
	if (!narrow && !wide)
		return;
	report(check, BUSWAY_FINDING_CELLS_MISMATCH, if_enabled(check, node, BUSWAY_SEVERITY_ERROR),
	       node, "reg", NO_ENTRY,
	       "with #address-cells 0x%x and #size-cells 0x%x of the bus, reg says 0x%" PRIx64
	       ", not 0x%" PRIx64 " as the name does",
	       bus->address_cells, bus->size_cells, fdt_number(reg, 0, bus->address_cells), unit);
	advise(check, narrow ? "leave out the upper cells: one cell an address, one a size"
			     : "write the upper cells: two cells an address, two a size");
}

static void check_table(struct busway_check *check, uint32_t node, enum fdt_property_id id)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *n = &tree->nodes[node], *parent = &tree->nodes[n->parent];
	const struct fdt_prop *prop = fdt_get(tree, node, id);

	if (!prop || !prop->length || node == 0)
		return;
	check_stride(check, node, id,
		     (uint32_t)n->address_cells + parent->address_cells + n->size_cells);
	if (!n->size_cells && !check->status) {
		report(check, BUSWAY_FINDING_CELLS_MISMATCH,
		       if_enabled(check, node, BUSWAY_SEVERITY_ERROR), node, fdt_property_name(id),
		       NO_ENTRY,
		       "the bus has #size-cells 0x0: an entry cannot say how large it is");
		advise(check, "#size-cells = <1>;");
	}
	if (!n->states_cells) {
		report(check, BUSWAY_FINDING_CELLS_INHERITED, BUSWAY_SEVERITY_NOTE, node,
		       fdt_has(tree, node, FDT_ADDRESS_CELLS) ? "#size-cells" : "#address-cells",
		       NO_ENTRY,
		       "the bus does not state both its cell counts: Linux takes %u and %u from "
		       "above, the specification 0x2 and 0x1",
		       n->address_cells, n->size_cells);
		advise(check, "#address-cells = <%u>; #size-cells = <%u>;", n->address_cells,
		       n->size_cells);
	}
}

/* Can a map be read as entries of 4 cells, or with the targets' own counts? */
static bool map_fits(const struct fdt_tree *tree, const struct fdt_prop *map,
		     enum fdt_property_id cells)
{
	uint32_t at = 0;

	if (map->length == 0 || map->length % 4)
		return false;
	if (map->length % 16 == 0)
		return true;
	while (at < fdt_cells(map)) {
		uint32_t target, count = 1;

		if (at + 1 >= fdt_cells(map))
			return false;
		target = fdt_by_phandle(tree, fdt_cell(map, at + 1));
		if (target != FDT_NONE)
			fdt_get_u32(tree, target, cells, &count);
		if (count > 4 || at + 3 + count > fdt_cells(map))
			return false;
		at += 3 + count;
	}
	return true;
}

static void check_map(struct busway_check *check, uint32_t node, enum fdt_property_id id,
		      enum fdt_property_id cells)
{
	const struct fdt_prop *map = fdt_get(&check->importer.tree, node, id);

	if (!map || map_fits(&check->importer.tree, map, cells))
		return;
	report(check, BUSWAY_FINDING_CELLS_MISMATCH,
	       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node, fdt_property_name(id),
	       NO_ENTRY,
	       "0x%" PRIx32 " bytes are no whole number of entries of 4 cells (first ID, phandle, "
	       "first output, length): Linux reads none of them",
	       map->length);
	advise(check, "four cells an entry: <first-id &controller first-output length>");
}

/* ---- numbers ---- */

static void check_number(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			 uint32_t entry, const char *what, uint64_t base, uint64_t size,
			 uint32_t cells)
{
	if (!passes_end(base, size, cells))
		return;
	report(check, BUSWAY_FINDING_ADDRESS_OVERFLOW,
	       if_enabled(check, node, BUSWAY_SEVERITY_ERROR), node, fdt_property_name(id), entry,
	       "entry %" PRIu32 ": %s0x%" PRIx64 " with size 0x%" PRIx64 " passes 0x%" PRIx64
	       ", the last address of %" PRIu32 " cell%s",
	       entry, what, base, size, cells >= 2 ? UINT64_MAX : (uint64_t)UINT32_MAX,
	       cells >= 2 ? 2 : cells, cells >= 2 ? "s" : "");
	if (base <= (cells >= 2 ? UINT64_MAX : UINT32_MAX))
		advise(check, "from there on at most 0x%" PRIx64 " bytes fit",
		       (cells >= 2 ? UINT64_MAX : UINT32_MAX) - base + 1);
}

static void check_reg_numbers(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const struct fdt_node *bus = &tree->nodes[tree->nodes[node].parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells,
		       ns = bus->size_cells, width = na + ns;

	if (!reg || na <= flags || !ns || node == 0 || bus->bus == FDT_BUS_PCI)
		return;
	for (uint32_t i = 0; i < fdt_cells(reg) / width; i++)
		check_number(check, node, FDT_REG, i, "",
			     fdt_number(reg, i * width + flags, na - flags),
			     fdt_number(reg, i * width + na, ns), na - flags);
}

static void check_table_numbers(struct busway_check *check, uint32_t node, enum fdt_property_id id,
				const struct fdt_table *table)
{
	const struct fdt_node *nodes = check->importer.tree.nodes;
	const struct fdt_node *n = &nodes[node], *parent = &nodes[n->parent];
	const uint32_t na = n->address_cells - fdt_flag_cells(n->bus),
		       pna = parent->address_cells - fdt_flag_cells(parent->bus);

	for (uint32_t i = 0; i < table->count; i++) {
		const struct fdt_entry *e = &table->entries[i];

		check_number(check, node, id, i, "child address ", e->child, e->size, na);
		if (!passes_end(e->child, e->size, na))
			check_number(check, node, id, i, "parent address ", e->parent, e->size,
				     pna);
	}
}

/* ---- sizes that are last addresses ---- */

/* 0xfffff instead of 0x100000: what a range's last address or a mask looks like. */
static bool looks_like_last(uint64_t size, uint32_t cells)
{
	const uint64_t most = cells >= 2 ? UINT64_MAX : UINT32_MAX;

	return (size & 0xfff) == 0xfff && size < most; /* one more could not be written */
}

/* Windows and pools are used in pages: the last one is lost where the size is none of them. */
static void check_pages(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			uint32_t entry, uint64_t size, uint32_t cells)
{
	const uint64_t most = cells >= 2 ? UINT64_MAX : UINT32_MAX;

	if (!(size & 0xfff) || size == most || looks_like_last(size, cells))
		return;
	report(check, BUSWAY_FINDING_WINDOW_SIZE_ODD,
	       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node, fdt_property_name(id), entry,
	       "entry %" PRIu32 ": size 0x%" PRIx64 " is no whole number of pages", entry, size);
	if (size <= most - 0xfff)
		advise(check, "size <%s>",
		       cell_words((size + 0xfff) & ~(uint64_t)0xfff, cells).text);
}

static void check_size(struct busway_check *check, uint32_t node, enum fdt_property_id id,
		       uint32_t entry, uint64_t base, uint64_t size, uint32_t cells,
		       enum busway_severity severity)
{
	if (!looks_like_last(size, cells))
		return;
	report(check, BUSWAY_FINDING_WINDOW_SIZE_ODD, if_enabled(check, node, severity), node,
	       fdt_property_name(id), entry,
	       "entry %" PRIu32 ": size 0x%" PRIx64
	       " is one short of a page boundary: it looks like a last address",
	       entry, size);
	if (base && size > base)
		advise(check, "size <%s>, or <%s> if 0x%" PRIx64 " is meant as the last address",
		       cell_words(size + 1, cells).text, cell_words(size - base + 1, cells).text,
		       size);
	else
		advise(check, "size <%s>", cell_words(size + 1, cells).text);
}

static void check_table_sizes(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			      const struct fdt_table *table)
{
	const uint32_t cells = check->importer.tree.nodes[node].size_cells;

	for (uint32_t i = 0; i < table->count; i++) {
		check_size(check, node, id, i, table->entries[i].child, table->entries[i].size,
			   cells,
			   id == FDT_DMA_RANGES ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_NOTE);
		if (id == FDT_DMA_RANGES)
			check_pages(check, node, id, i, table->entries[i].size, cells);
	}
}

static void check_root_pairs(struct busway_check *check, uint32_t node, enum fdt_property_id id)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *prop = fdt_get(tree, node, id);
	const uint32_t na = tree->nodes[0].address_cells, ns = tree->nodes[0].size_cells;

	if (!prop || !na || !ns)
		return;
	for (uint32_t at = 0, i = 0; at + na + ns <= fdt_cells(prop); at += na + ns, i++) {
		const uint64_t size = fdt_number(prop, at + na, ns);

		check_size(check, node, id, i, fdt_number(prop, at, na), size, ns,
			   BUSWAY_SEVERITY_WARNING);
		if (id == FDT_ALLOC_RANGES)
			check_pages(check, node, id, i, size, ns);
	}
}

/* ---- reserved memory: in the root's cells ---- */

static void check_reserved_node(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *root = &tree->nodes[0];
	const struct fdt_prop *size = fdt_get(tree, node, FDT_SIZE);
	const struct fdt_prop *alignment = fdt_get(tree, node, FDT_ALIGNMENT);

	check_stride(check, node, FDT_ALLOC_RANGES, root->address_cells + root->size_cells);
	check_root_pairs(check, node, FDT_ALLOC_RANGES);
	check_root_pairs(check, node, FDT_REG);
	if (fdt_has(tree, node, FDT_REG))
		return;
	if (size && size->length != root->size_cells * 4u) {
		report_length(check, node, FDT_SIZE, size->length, root->size_cells,
			      BUSWAY_SEVERITY_ERROR);
		advise(check, "size has the root's #size-cells: %u", root->size_cells);
	}
	if (alignment && alignment->length != root->address_cells * 4u) {
		report_length(check, node, FDT_ALIGNMENT, alignment->length, root->address_cells,
			      BUSWAY_SEVERITY_ERROR);
		advise(check, "Linux wants alignment in the root's #address-cells: %u",
		       root->address_cells);
	}
}

static void check_reserved_memory(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t top = check->importer.reserved_memory;
	const struct fdt_node *root = &tree->nodes[0], *n;
	enum busway_severity severity;

	if (top == FDT_NONE)
		return;
	n = &tree->nodes[top];
	/* with nothing in it, nothing is ignored */
	severity = top + 1 < n->end ? if_enabled(check, top, BUSWAY_SEVERITY_ERROR)
				    : BUSWAY_SEVERITY_NOTE;
	if (!n->states_cells || n->address_cells != root->address_cells ||
	    n->size_cells != root->size_cells) {
		report(check, BUSWAY_FINDING_CELLS_MISMATCH, severity, top,
		       n->address_cells != root->address_cells ||
				       !fdt_has(tree, top, FDT_ADDRESS_CELLS)
			       ? "#address-cells"
			       : "#size-cells",
		       NO_ENTRY,
		       "the cell counts 0x%x and 0x%x are not stated as the root's, 0x%x and 0x%x: "
		       "Linux ignores all reserved memory",
		       n->address_cells, n->size_cells, root->address_cells, root->size_cells);
		advise(check, "#address-cells = <%u>; #size-cells = <%u>;", root->address_cells,
		       root->size_cells);
	} else if (!fdt_has(tree, top, FDT_RANGES)) {
		report(check, BUSWAY_FINDING_CELLS_MISMATCH, severity, top, "ranges", NO_ENTRY,
		       "without ranges Linux ignores all reserved memory");
		advise(check, "ranges;");
	}
	for (uint32_t i = top + 1; i < n->end; i = tree->nodes[i].end)
		check_reserved_node(check, i);
}

/* ---- all nodes ---- */

static void check_node(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *n = &tree->nodes[node];

	check_reg(check, node);
	check_reg_meaning(check, node);
	check_reg_numbers(check, node);
	check_table(check, node, FDT_RANGES);
	check_table(check, node, FDT_DMA_RANGES);
	check_map(check, node, FDT_IOMMU_MAP, FDT_IOMMU_CELLS);
	check_map(check, node, FDT_MSI_MAP, FDT_MSI_CELLS);
	if (fdt_string_is(tree, node, FDT_DEVICE_TYPE, "memory"))
		check_root_pairs(check, node, FDT_REG);
	for (int dma = 0; dma < 2; dma++) {
		const enum fdt_property_id id = dma ? FDT_DMA_RANGES : FDT_RANGES;
		const struct fdt_table *table;

		if (!fdt_has(tree, node, id) || node == 0)
			continue;
		table = dma ? dma_table_of(check, node) : ranges_of(check, node);
		if (!table) {
			give_up(check);
			return;
		}
		check_table_numbers(check, node, id, table);
		check_table_sizes(check, node, id, table);
	}
	if (n->duplicate_property)
		report(check, BUSWAY_FINDING_DUPLICATE_PROPERTY, BUSWAY_SEVERITY_WARNING, node,
		       fdt_property_name((enum fdt_property_id)n->duplicate_id), NO_ENTRY,
		       "the property stands twice in the node: readers take the first one");
}

void rule_cells(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t i = 0; i < tree->node_count && !check->status; i++)
		if (!tree->nodes[i].bookkeeping)
			check_node(check, i);
	check_reserved_memory(check);
}
