/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_check.c - what must hold of an indexed tree as a whole, and the phandles that it gives.
 *
 * Refused are cell counts that no address has, siblings of one name, phandles given twice.
 */
#include "fdt_tree.h"

#include <string.h>

static uint32_t *make_table(struct arena *arena, uint32_t entries, uint32_t *mask)
{
	uint32_t size = 16, *table;

	while (size < entries * 2 && size < 1u << 31)
		size *= 2;
	*mask = size - 1;
	table = arena_take(arena, (size_t)size * sizeof(*table), _Alignof(uint32_t));
	if (table)
		memset(table, 0xff, (size_t)size * sizeof(*table));
	return table;
}

static int index_phandles(struct fdt_tree *tree)
{
	tree->phandles = make_table(tree->arena, tree->node_count, &tree->phandle_mask);
	if (!tree->phandles)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < tree->node_count; i++) {
		const uint32_t phandle = tree->nodes[i].phandle;
		uint32_t slot = fdt_hash(phandle) & tree->phandle_mask;

		if (!phandle)
			continue;
		for (; tree->phandles[slot] != FDT_NONE; slot = (slot + 1) & tree->phandle_mask) {
			const uint32_t other = tree->phandles[slot];

			if (tree->nodes[other].phandle == phandle)
				return fdt_fail(tree, i, "phandle",
						"0x%x is the phandle of another node as well (%s)",
						phandle, tree->nodes[other].name);
		}
		tree->phandles[slot] = i;
	}
	return 0;
}

/* Two children of one node must not have one name: a path would mean both. */
static int check_siblings(struct fdt_tree *tree)
{
	uint32_t mask, *table = make_table(tree->arena, tree->node_count, &mask);

	if (!table)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 1; i < tree->node_count; i++) {
		const struct fdt_node *node = &tree->nodes[i];
		uint32_t slot = node->name_hash & mask;

		for (; table[slot] != FDT_NONE; slot = (slot + 1) & mask) {
			const struct fdt_node *other = &tree->nodes[table[slot]];

			if (other->name_hash == node->name_hash && other->parent == node->parent &&
			    strcmp(other->name, node->name) == 0)
				return fdt_fail(tree, i, NULL,
						"there are two nodes of this name here");
		}
		table[slot] = i;
	}
	return 0;
}

/* Which node at or above @node states the count that is in force there? */
static int refuse_cells(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id)
{
	while (node != 0 && !fdt_has(tree, node, id))
		node = tree->nodes[node].parent;
	return fdt_fail(tree, node, fdt_property_name(id),
			"%u cells: a count of more than %d, which no address and no size has",
			fdt_cell(fdt_get(tree, node, id), 0), FDT_CELLS_MAX);
}

static int check_counts(const struct fdt_tree *tree, uint32_t node, bool size_too)
{
	const struct fdt_node *n = &tree->nodes[node];

	if (n->address_cells > FDT_CELLS_MAX)
		return refuse_cells(tree, node, FDT_ADDRESS_CELLS);
	if (size_too && n->size_cells > FDT_CELLS_MAX)
		return refuse_cells(tree, node, FDT_SIZE_CELLS);
	return 0;
}

/* Counts that no address has are an error where addresses are read with them. */
static int check_cells(const struct fdt_tree *tree)
{
	for (uint32_t i = 0; i < tree->node_count; i++) {
		const bool has_ranges =
			fdt_has(tree, i, FDT_RANGES) || fdt_has(tree, i, FDT_DMA_RANGES);
		int failed = 0;

		if (has_ranges)
			failed = check_counts(tree, i, true);
		if (!failed && (has_ranges || fdt_has(tree, i, FDT_REG)))
			failed = check_counts(tree, tree->nodes[i].parent,
					      fdt_has(tree, i, FDT_REG));
		if (failed)
			return failed;
	}
	return 0;
}

int fdt_tree_check(struct fdt_tree *tree)
{
	int failed = check_cells(tree);

	if (!failed)
		failed = index_phandles(tree);
	return failed ? failed : check_siblings(tree);
}
