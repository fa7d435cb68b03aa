/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_parent.c - where DMA of a node goes, and whether it is coherent on the way.
 *
 * The parent for DMA is that in the tree, unless interconnect-names "dma-mem" names another one
 * (Linux 6.12, __of_get_dma_parent() and of_dma_is_coherent() in drivers/of/address.c).
 */
#include "fdt_importer.h"

#include <busway/resolve.h>

/* DMA parents on a way to the root: as many as levels that a tree may have. Real chains: 6. */
enum { CHAIN_MAX = 64 };

_Static_assert(CHAIN_MAX + 2 <= BUSWAY_HOPS_MAX, "a space for each level, a host's and the CPU's");

/* Target of entry @index of interconnects, or FDT_NONE. */
static uint32_t interconnect(const struct fdt_tree *tree, uint32_t node, uint32_t index)
{
	const struct fdt_prop *prop = fdt_get(tree, node, FDT_INTERCONNECTS);
	uint32_t at = 0;

	while (prop && at < fdt_cells(prop)) {
		const uint32_t phandle = fdt_cell(prop, at++);
		const uint32_t target = fdt_by_phandle(tree, phandle);
		uint32_t cells = 0;

		if (phandle && (target == FDT_NONE ||
				!fdt_get_u32(tree, target, FDT_INTERCONNECT_CELLS, &cells) ||
				cells > fdt_cells(prop) - at))
			return FDT_NONE;
		if (index-- == 0)
			return phandle ? target : FDT_NONE;
		at += cells;
	}
	return FDT_NONE;
}

static uint32_t dma_mem(const struct fdt_tree *tree, uint32_t node)
{
	const struct fdt_prop *names = fdt_get(tree, node, FDT_INTERCONNECT_NAMES);
	const int index = names ? fdt_string_index(names, "dma-mem") : -1;

	return index < 0 ? FDT_NONE : interconnect(tree, node, (uint32_t)index);
}

/* Do all chains of DMA parents end at the root? */
static int check_chains(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;

	/* only a node with a parent of its own choice can close a circle, or make a chain longer
	 * than the tree is deep */
	for (uint32_t i = 1; i < tree->node_count; i++) {
		uint32_t at = i;

		if (fdt_dma_parent(importer, i) == tree->nodes[i].parent)
			continue;
		for (unsigned steps = 0; at != 0; steps++) {
			at = fdt_dma_parent(importer, at);
			if (at == i)
				return fdt_fail(tree, i, "interconnects",
						"the DMA parents lead in a circle");
			if (steps == CHAIN_MAX)
				return fdt_fail(tree, i, "interconnects",
						"the DMA parents lead in a circle further up, or "
						"through more than %d levels",
						CHAIN_MAX);
		}
	}
	return 0;
}

int fdt_find_dma_parents(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;

	for (uint32_t i = 0; i < tree->node_count; i++) {
		const uint32_t chosen = dma_mem(tree, i);

		importer->memos[i].dma_parent = chosen == FDT_NONE ? tree->nodes[i].parent : chosen;
	}
	return check_chains(importer);
}

/* ---- coherence ---- */

enum busway_coherence fdt_coherence(struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_tree *tree = &importer->tree;

	for (uint32_t at = node;; at = fdt_dma_parent(importer, at)) {
		struct fdt_memo *memo = &importer->memos[at];

		if (!memo->coherence_known && fdt_has(tree, at, FDT_DMA_COHERENT))
			memo->coherence = BUSWAY_COHERENT;
		else if (!memo->coherence_known && fdt_has(tree, at, FDT_DMA_NONCOHERENT))
			memo->coherence = BUSWAY_NONCOHERENT;
		memo->coherence_known = true;
		if (memo->coherence != BUSWAY_COHERENCE_DEFAULT || at == 0)
			return memo->coherence;
	}
}
