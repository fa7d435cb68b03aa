/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hunt.c - a search among extents of one class of length, below a limit. Read search.c first.
 */
#include "hunt.h"

/* ---- does it fit? ---- */

bool wanted_fits(const struct wanted *w, struct busway_range extent, uint64_t *start)
{
	uint64_t at;

	if (busway_range_span(extent) < w->span ||
	    !busway_align_up(extent.first, w->align + 1, &at))
		return false;
	if (w->span > w->boundary)
		return false;
	if ((at & w->boundary) > w->boundary - w->span) {
		/* on to the next boundary, which is a multiple of the alignment: a smaller one */
		if ((at | w->boundary) == UINT64_MAX)
			return false;
		at = (at | w->boundary) + 1;
	}
	if (at > extent.last || extent.last - at < w->span || at > w->start_last)
		return false;
	*start = at;
	return true;
}

/* As best_of(), of entries that begin below the limit, where all places are the same. */
static bool best_plain(const struct tree_leaf *leaf, uint32_t which, uint64_t least, uint32_t *at,
		       uint64_t *start)
{
	uint64_t shortest = UINT64_MAX;

	for (; which; which &= which - 1) {
		const uint32_t i = (uint32_t)__builtin_ctz(which);
		const uint64_t span = leaf->value[i] - leaf->node.first[i];

		if (span < least || span >= shortest)
			continue;
		shortest = span;
		*at = i;
		*start = leaf->node.first[i];
	}
	return shortest != UINT64_MAX;
}

bool best_of(const struct tree_leaf *leaf, uint32_t which, const struct wanted *w, uint32_t *at,
	     uint64_t *start)
{
	uint64_t shortest = UINT64_MAX;

	if (is_plain(w))
		return best_plain(leaf, which, w->span, at, start);
	for (; which; which &= which - 1) {
		const uint32_t i = (uint32_t)__builtin_ctz(which);
		const struct busway_range extent = {leaf->node.first[i], leaf->value[i]};
		const uint64_t span = busway_range_span(extent);

		if (span >= shortest || !wanted_fits(w, extent, start))
			continue;
		shortest = span;
		*at = i;
	}
	if (shortest == UINT64_MAX)
		return false;
	wanted_fits(w, (struct busway_range){leaf->node.first[*at], leaf->value[*at]}, start);
	return true;
}

/* ---- what is there below the limit? ---- */

void find_below(const struct tree *tree, uint64_t start_last, struct below *below)
{
	struct tree_node *node = tree->root;
	uint32_t level = tree->height;

	below->top = level;
	if (start_last == UINT64_MAX) {
		below->end = level;
		below->path.node[level] = node;
		below->count[level] = node->count;
		return;
	}
	below->end = 0;
	for (;; level--) {
		const uint32_t rank = tree_rank(node, start_last);

		VISIT();
		below->path.node[level] = node;
		below->count[level] = level && rank ? rank - 1 : rank;
		below->path.at[level] = below->count[level];
		if (!level)
			return;
		node = inner_of(node)->child[below->count[level]];
	}
}

uint64_t longest_below(const struct tree *tree, const struct below *below)
{
	uint64_t longest = 0;

	if (below->end == below->top && tree->height)
		return tree->summary.longest;
	for (uint32_t level = below->end; level <= below->top; level++)
		for (uint32_t i = 0; i < below->count[level]; i++) {
			struct tree_node *node = below->path.node[level];
			const uint64_t span = level ? inner_of(node)->longest[i]
						    : leaf_of(node)->value[i] - node->first[i];

			longest = span > longest ? span : longest;
		}
	return longest;
}

/* ---- descents ---- */

/* Children with something of @class, and something as long as @span, which may be another. */
static uint32_t children_with(const struct tree_inner *inner, uint32_t which, unsigned class,
			      uint64_t span)
{
	uint32_t long_enough = 0;

	which &= inner->having[class];
	if (!span)
		return which;
	for (; which; which &= which - 1) {
		const uint32_t i = (uint32_t)__builtin_ctz(which);

		long_enough |= (uint32_t)(inner->longest[i] >= span) << i;
	}
	return long_enough;
}

/* This is the shortest so far. */
static void keep(struct hunt *hunt, const struct tree *tree, const struct tree_path *at,
		 uint64_t span, uint64_t start)
{
	hunt->shortest = span;
	hunt->start = start;
	for (uint32_t level = 0; at != hunt->path && level <= tree->height; level++) {
		hunt->path->node[level] = at->node[level];
		hunt->path->at[level] = at->at[level];
	}
}

/* The leaf that @at leads to, entries @which of it. Is that enough? */
static bool look_at_leaf(struct hunt *hunt, const struct tree *tree, struct tree_path *at,
			 uint32_t which)
{
	const struct tree_leaf *leaf = leaf_of(at->node[0]);
	uint64_t start, span;

	hunt->tries--;
	which &= leaf_with_class(leaf, hunt->class);
	if (best_of(leaf, which, hunt->w, &at->at[0], &start)) {
		span = leaf->value[at->at[0]] - leaf->node.first[at->at[0]];
		if (span < hunt->shortest)
			keep(hunt, tree, at, span, start);
	}
	return !hunt->tries || hunt->shortest == hunt->w->span ||
	       (hunt->shortest != UINT64_MAX && !hunt->thorough);
}

/* Children to look below; where .spread says so, only from somewhere among them on. */
static uint32_t children_for(const struct hunt *hunt, const struct tree_node *node, uint32_t which,
			     uint32_t level)
{
	const uint32_t all =
		children_with((const struct tree_inner *)node, which, hunt->class, hunt->least);
	const uint32_t from = all & UINT32_MAX << (hunt->spread >> level % 6 * 5 & 15);

	return from ? from : all;
}

/* All leaves below children @which of the node of @top, from the lowest on. */
static bool look_below(struct hunt *hunt, const struct tree *tree, struct tree_path *at,
		       uint32_t top, uint32_t which)
{
	uint32_t rest[TREE_HEIGHT_MAX];
	uint32_t level = top;

	rest[level] = children_for(hunt, at->node[level], which, level);
	for (;;) {
		while (!rest[level])
			if (level++ == top)
				return false;
		at->at[level] = (uint32_t)__builtin_ctz(rest[level]);
		rest[level] &= rest[level] - 1;
		VISIT();
		at->node[level - 1] = inner_of(at->node[level])->child[at->at[level]];
		if (--level) {
			rest[level] = children_for(hunt, at->node[level], UINT32_MAX, level);
			/* where what is long enough below is of another class */
			if (!rest[level] && !--hunt->tries)
				return true;
			continue;
		}
		if (look_at_leaf(hunt, tree, at, UINT32_MAX))
			return true;
		level++;
	}
}

bool search_class(const struct tree *tree, const struct below *below, struct hunt *hunt,
		  unsigned class)
{
	struct tree_path own, *at = hunt->thorough ? &own : hunt->path;

	hunt->class = class;
	hunt->shortest = UINT64_MAX;
	/* longer classes, and those of one length, say it all: no length need be looked at */
	hunt->least =
		class >= TREE_EXACT_CLASSES && class == class_of(hunt->w->span) ? hunt->w->span : 0;
	for (uint32_t level = below->top;; level--) {
		const uint32_t which = ones(below->count[level]);

		at->node[level] = below->path.node[level];
		if (level ? look_below(hunt, tree, at, level, which)
			  : look_at_leaf(hunt, tree, at, which))
			break;
		if (level == below->end)
			break;
		at->at[level] = below->path.at[level];
	}
	return hunt->shortest != UINT64_MAX;
}
