/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.c - a place for a range among the free extents. Read extents.h first.
 *
 * An inner node knows for each class of length which of its children have such extents, so that the
 * lowest place of a class is one descent away, with a look at one word in each node. The extent is
 * the shortest of that class in the leaf that fits; where all extents are short, the shortest in
 * some leaves, which is seldom longer than the shortest of all, and often as long as what is
 * wanted.
 *
 * A limit cuts the tree along one path: what lies left of it is wholly below the limit. A descent
 * leaves that path where it first can.
 */
#include "hunt.h"

enum {
	TRIES = 4,          /* leaves that are looked at for a class in which an extent may fit, */
	LONG_TRIES = 2,     /* where it is aligned, and the class is of many lengths, */
	CROWDED_TRIES = 64, /* and where it is worth a longer search */
	AMPLE = 1024, /* times what is wanted: where there is that much in one extent it is not */
};

/* Bits of all classes above @class. */
static uint64_t above(unsigned class)
{
	return class >= TREE_CLASSES - 1 ? 0 : UINT64_MAX << (class + 1);
}

/* How much longer an extent must be to be sure that it fits; saturates. */
static uint64_t slack_of(const struct wanted *w)
{
	const uint64_t for_boundary = w->align >= w->span ? 0 : w->span;

	if (w->boundary == UINT64_MAX)
		return w->align;
	return w->align > UINT64_MAX - for_boundary ? UINT64_MAX : w->align + for_boundary;
}

/* ---- without alignment: whatever is long enough fits ---- */

/*
 * Is nothing that ends below the limit much longer than what is wanted? Then it matters which
 * extent is broken up.
 */
static bool is_crowded(const struct tree *tree, const struct below *below, const struct wanted *w)
{
	const uint64_t much = w->span >= UINT64_MAX / AMPLE ? UINT64_MAX : (w->span + 1) * AMPLE;
	uint32_t which;

	if (tree->summary.longest < much)
		return true;
	if (w->start_last == UINT64_MAX)
		return false;
	for (uint32_t level = below->top; level >= 1; level--) {
		const struct tree_inner *inner = inner_of(below->path.node[level]);

		for (unsigned class = class_of(much) + 1; class < TREE_CLASSES; class ++)
			if (inner->having[class] & ones(below->count[level]))
				return false;
		if (level == below->end)
			return true;
	}
	which = ones(below->count[0]);
	for (; which; which &= which - 1) {
		const uint32_t i = (uint32_t)__builtin_ctz(which);
		const struct tree_leaf *leaf = leaf_of(below->path.node[0]);
		const uint64_t end =
			leaf->value[i] < w->start_last ? leaf->value[i] : w->start_last;

		if (end - leaf->node.first[i] >= much)
			return false;
	}
	return true;
}

static bool search_plain(const struct tree *tree, const struct wanted *w, struct tree_path *path,
			 uint64_t *start)
{
	const unsigned class = class_of(w->span);
	uint64_t longer = tree->summary.classes & above(class);
	struct hunt hunt = {.w = w, .path = path};
	struct below below;
	bool found;

	if (tree->summary.longest < w->span)
		return false;
	find_below(tree, w->start_last, &below);
	hunt.thorough = is_crowded(tree, &below, w);
	hunt.tries = hunt.thorough ? CROWDED_TRIES : TRIES;
	found = tree->summary.classes >> class & 1 && search_class(tree, &below, &hunt, class);
	for (; longer && !found; longer &= longer - 1) {
		hunt.tries = hunt.thorough ? CROWDED_TRIES : 1;
		found = search_class(tree, &below, &hunt, (unsigned)__builtin_ctzll(longer));
	}
	*start = hunt.start;
	return found;
}

/* ---- with alignment or boundaries ---- */

/* One extent after the other, where some below a child may fit. */
static bool search_all(const struct tree *tree, const struct wanted *w, struct tree_path *path,
		       uint64_t *start, bool *all)
{
	uint64_t most = w->most;
	uint32_t level = tree->height;

	path->node[level] = tree->root;
	path->at[level] = 0;
	for (;;) {
		const struct tree_node *node = path->node[level];
		const uint32_t i = path->at[level];

		if (i >= node->count || node->first[i] > w->start_last) {
			/* nothing further to the right can do, either, where the limit was met */
			if (i < node->count || level == tree->height)
				return false;
			path->at[++level]++;
		} else if (level) {
			const struct tree_inner *inner = (const struct tree_inner *)node;

			if (inner->longest[i] < w->span) {
				path->at[level]++;
				continue;
			}
			VISIT();
			path->node[--level] = inner->child[i];
			path->at[level] = 0;
		} else if (!most) {
			*all = false;
			return false;
		} else if (best_of((const struct tree_leaf *)node, ones(node->count), w,
				   &path->at[0], start)) {
			return true;
		} else {
			most -= most < node->count ? most : node->count;
			path->at[0] = node->count;
		}
	}
}

/* A few extents of classes that may fit, and then one of a class that must. */
static bool search_classes(const struct tree *tree, const struct wanted *w, struct tree_path *path,
			   uint64_t *start)
{
	const unsigned class = class_of(w->span);
	const uint64_t slack = slack_of(w);
	const bool never_sure = slack > UINT64_MAX - w->span;
	const unsigned sure = never_sure ? TREE_CLASSES : class_of(w->span + slack) + 1;
	uint64_t maybe = tree->summary.classes & (above(class) | (uint64_t)1 << class);
	uint64_t certain = tree->summary.classes & above(sure - 1);
	struct hunt hunt = {.w = w, .path = path};
	struct below below;
	bool found = false;

	if (tree->summary.longest < w->span)
		return false;
	find_below(tree, w->start_last, &below);
	if (sure < TREE_CLASSES)
		maybe &= ((uint64_t)1 << sure) - 1;
	for (; maybe && !found; maybe &= maybe - 1) {
		const unsigned each = (unsigned)__builtin_ctzll(maybe);

		hunt.tries = each < TREE_EXACT_CLASSES ? TRIES : LONG_TRIES;
		hunt.spread = (uint32_t)tree->count * 2654435769u >> 4;
		found = search_class(tree, &below, &hunt, each);
	}
	if (!found && (never_sure || w->start_last < slack))
		return false;
	if (!found && w->start_last != UINT64_MAX)
		find_below(tree, w->start_last - slack, &below);
	hunt.spread = 0;
	for (; certain && !found; certain &= certain - 1) {
		hunt.tries = 1;
		found = search_class(tree, &below, &hunt, (unsigned)__builtin_ctzll(certain));
	}
	*start = hunt.start;
	return found;
}

/* ---- where there are few extents ---- */

/* The only leaf: one pass over it says all. */
static bool search_leaf(const struct tree *tree, const struct wanted *w, struct tree_path *path,
			uint64_t *start)
{
	const uint32_t below = tree_rank(tree->root, w->start_last);

	VISIT();
	path->node[0] = tree->root;
	return best_of(leaf_of(tree->root), ones(below), w, &path->at[0], start);
}

bool extents_search(const struct tree *tree, const struct wanted *w, struct tree_path *path,
		    uint64_t *start, bool *all)
{
	*all = true;
	if (!tree->count || w->span > w->boundary)
		return false;
	if (!tree->height)
		return search_leaf(tree, w, path, start);
	if (is_plain(w))
		return search_plain(tree, w, path, start);
	return search_classes(tree, w, path, start) || search_all(tree, w, path, start, all);
}

/* ---- how long is the longest? ---- */

bool extents_longest(const struct tree *tree, uint64_t last, uint64_t *span)
{
	struct busway_range extent;
	struct tree_path path;
	struct below below;

	if (!tree->count || !tree_find(tree, last, &path))
		return false;
	find_below(tree, last, &below);
	*span = longest_below(tree, &below);
	extent = (struct busway_range){path_first(&path), path_value(&path)};
	if (extent.last <= last)
		return true;
	/* the last one is cut by the limit: ask for those before, and for its part */
	*span = 0;
	if (extent.first) {
		find_below(tree, extent.first - 1, &below);
		*span = longest_below(tree, &below);
	}
	if (last - extent.first > *span)
		*span = last - extent.first;
	return true;
}
