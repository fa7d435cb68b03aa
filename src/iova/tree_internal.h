/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree_internal.h - what the files of a tree share. Read tree.h first.
 *
 *   tree.c          looking things up, changing entries
 *   tree_shape.c    nodes are split, joined and shared
 *   tree_summary.c  what can be found below each child
 *   tree_nodes.c    where nodes come from
 */
#ifndef BUSWAY_IOVA_TREE_INTERNAL_H
#define BUSWAY_IOVA_TREE_INTERNAL_H

#include "tree.h"

#include "../base/bytes.h"

/* ---- tree_summary.c: nothing to do for plain trees ---- */

/* An entry of a leaf, before or after; or that there was, or is, none. */
struct tree_entry {
	uint64_t span;
	unsigned class;
	bool any;
};

/* One entry of the leaf at @path is not what it was: tell those above. Plain trees: keys only. */
void tree_tell(struct tree *tree, const struct tree_path *path, struct tree_entry was,
	       struct tree_entry is);

/* The summary of all, anew. */
void tree_sum(struct tree *tree);

/* Entry @i of @parent is about its child of @level, whatever was there before. */
void tree_describe(const struct tree *tree, struct tree_inner *parent, uint32_t i, uint32_t level);

/* ---- tree_shape.c ---- */

/* Make room for an entry at @at, or close the gap that one leaves. */
void tree_open_leaf(const struct tree *tree, struct tree_leaf *leaf, uint32_t at);
void tree_close_leaf(const struct tree *tree, struct tree_leaf *leaf, uint32_t at);

/* Split the full node of @level; the path keeps to the entry that it led to. */
void tree_split(struct tree *tree, struct tree_path *path, uint32_t level);

/* The node of @level has too few entries: join it with a neighbour, or take some of it. */
void tree_rebalance(struct tree *tree, const struct tree_path *path, uint32_t level);

#endif
