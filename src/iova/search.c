/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * search.c - a place for a range among the free extents. Read extents.h first.
 *
 * Every child of an inner node has a mask of the classes of length below it, so that the lowest
 * place with an extent of a class is one descent away. The extent is the shortest of the leaf that
 * fits: not always the shortest of all, but of its class.
 *
 * A limit cuts the tree along one path: what lies left of it is wholly below the limit. A descent
 * follows that path until it can leave it.
 */
#include "extents.h"

enum { PROBES = 4 }; /* classes that are tried before one where it must fit */

/* Bits of all classes above @class. */
static uint64_t above(unsigned class)
{
	return class >= TREE_CLASSES - 1 ? 0 : UINT64_MAX << (class + 1);
}

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

static bool is_plain(const struct wanted *w)
{
	return w->align == 0 && w->boundary == UINT64_MAX;
}

/* How much longer an extent must be to be sure that it fits; saturates. */
static uint64_t slack_of(const struct wanted *w)
{
	const uint64_t for_boundary = w->align >= w->span ? 0 : w->span;

	if (w->boundary == UINT64_MAX)
		return w->align;
	return w->align > UINT64_MAX - for_boundary ? UINT64_MAX : w->align + for_boundary;
}

/* The shortest extent of a leaf that fits. */
static bool best_of(const struct tree_leaf *leaf, const struct wanted *w, uint32_t *at,
		    uint64_t *start)
{
	uint64_t shortest = UINT64_MAX;
	bool found = false;

	for (uint32_t i = 0; i < leaf->node.count; i++) {
		const struct busway_range extent = {leaf->node.first[i], leaf->value[i]};
		const uint64_t span = busway_range_span(extent);

		if (span < w->span || (found && span >= shortest))
			continue;
		if (!wanted_fits(w, extent, start))
			continue;
		found = true;
		shortest = span;
		*at = i;
	}
	if (found)
		wanted_fits(w, (struct busway_range){leaf->node.first[*at], leaf->value[*at]},
			    start);
	return found;
}

/* ---- what is there below the limit? ---- */

static void merge(struct tree_summary *to, uint64_t longest, uint64_t classes)
{
	to->longest = longest > to->longest ? longest : to->longest;
	to->classes |= classes;
}

/* Summary of all extents that begin at @start_last or before. */
static struct tree_summary summary_below(const struct tree *tree, uint64_t start_last)
{
	struct tree_summary summary = {0, 0};
	const struct tree_node *node = tree->root;

	if (start_last == UINT64_MAX)
		return tree->summary;
	for (uint32_t level = tree->height; level > 0; level--) {
		const struct tree_inner *inner = (const struct tree_inner *)node;
		const uint32_t rank = tree_rank(node, start_last);

		if (!rank)
			return summary;
		for (uint32_t i = 0; i + 1 < rank; i++)
			merge(&summary, inner->longest[i], inner->classes[i]);
		node = inner->child[rank - 1];
	}
	for (uint32_t i = 0; i < node->count && node->first[i] <= start_last; i++) {
		const struct tree_leaf *leaf = (const struct tree_leaf *)node;

		merge(&summary, leaf->value[i] - node->first[i], (uint64_t)1 << leaf->class[i]);
	}
	return summary;
}

/* ---- descents ---- */

/* The first of @count children that has one of @classes and something as long as @span. */
static uint32_t child_with(const struct tree_inner *inner, uint32_t count, uint64_t classes,
			   uint64_t span)
{
	uint32_t i = 0;

	while (i < count && !((inner->classes[i] & classes) && inner->longest[i] >= span))
		i++;
	return i;
}

/*
 * To the lowest leaf below the limit that has one of @classes, and the shortest extent there that
 * fits. False: there is no such leaf, or nothing in it fits.
 */
static bool descend(const struct tree *tree, const struct wanted *w, uint64_t classes,
		    struct tree_path *path, uint64_t *start)
{
	struct tree_node *node = tree->root;
	bool cut = w->start_last != UINT64_MAX; /* on the path of the limit */

	for (uint32_t level = tree->height; level > 0; level--) {
		const struct tree_inner *inner = inner_of(node);
		uint32_t count = cut ? tree_rank(node, w->start_last) : node->count;
		uint32_t i = child_with(inner, count, classes, w->span);

		if (i == count)
			return false;
		cut = cut && i + 1 == count;
		path->node[level] = node;
		path->at[level] = i;
		node = inner->child[i];
	}
	path->node[0] = node;
	return best_of(leaf_of(node), w, &path->at[0], start);
}

static bool descend_to_class(const struct tree *tree, const struct wanted *w, unsigned class,
			     struct tree_path *path, uint64_t *start)
{
	return descend(tree, w, (uint64_t)1 << class, path, start);
}

/* ---- without alignment: whatever is long enough fits ---- */

static bool search_plain(const struct tree *tree, const struct wanted *w, struct tree_path *path,
			 uint64_t *start)
{
	const struct tree_summary below = summary_below(tree, w->start_last);
	const unsigned class = class_of(w->span);
	const uint64_t longer = below.classes & above(class);

	if (!below.classes || below.longest < w->span)
		return false;
	if (below.classes >> class & 1 && descend_to_class(tree, w, class, path, start) &&
	    (!longer || leaf_of(path->node[0])->class[path->at[0]] <= __builtin_ctzll(longer)))
		return true;
	return longer && descend_to_class(tree, w, (unsigned)__builtin_ctzll(longer), path, start);
}

/* ---- with alignment or boundaries ---- */

/* One extent after the other, where some below a child may fit. */
static bool search_all(const struct tree *tree, const struct wanted *w, struct tree_path *path,
		       uint64_t *start, bool *all)
{
	uint64_t most = w->most;
	uint32_t level = tree->height;
	const uint64_t classes = above(class_of(w->span)) | (uint64_t)1 << class_of(w->span);

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

			if (!(inner->classes[i] & classes) || inner->longest[i] < w->span) {
				path->at[level]++;
				continue;
			}
			path->node[--level] = inner->child[i];
			path->at[level] = 0;
		} else if (!most) {
			*all = false;
			return false;
		} else if (best_of((const struct tree_leaf *)node, w, &path->at[0], start)) {
			return true;
		} else {
			most -= most < node->count ? most : node->count;
			path->at[0] = node->count;
		}
	}
}

/* The few classes that may fit, and then one that must. */
static bool search_classes(const struct tree *tree, const struct wanted *w, struct tree_path *path,
			   uint64_t *start)
{
	const unsigned class = class_of(w->span);
	const uint64_t slack = slack_of(w);
	const bool never_sure = slack > UINT64_MAX - w->span;
	const unsigned sure = never_sure ? TREE_CLASSES : class_of(w->span + slack) + 1;
	uint64_t maybe = tree->summary.classes & (above(class) | (uint64_t)1 << class);
	uint64_t certain, start_last = w->start_last;

	if (sure < TREE_CLASSES)
		maybe &= ((uint64_t)1 << sure) - 1;
	for (unsigned i = 0; i < PROBES && maybe; i++, maybe &= maybe - 1)
		if (descend_to_class(tree, w, (unsigned)__builtin_ctzll(maybe), path, start))
			return true;
	if (never_sure || w->start_last < slack)
		return false;
	if (start_last != UINT64_MAX)
		start_last -= slack;
	certain = summary_below(tree, start_last).classes & above(sure - 1);
	if (!certain)
		return false;
	return descend_to_class(tree, w, (unsigned)__builtin_ctzll(certain), path, start);
}

bool extents_search(const struct tree *tree, const struct wanted *w, struct tree_path *path,
		    uint64_t *start, bool *all)
{
	*all = true;
	if (!tree->count || w->span > w->boundary)
		return false;
	if (is_plain(w))
		return search_plain(tree, w, path, start);
	return search_classes(tree, w, path, start) || search_all(tree, w, path, start, all);
}

/* ---- how long is the longest? ---- */

bool extents_longest(const struct tree *tree, uint64_t last, uint64_t *span)
{
	const struct tree_summary below = summary_below(tree, last);
	struct busway_range extent;
	struct tree_path path;

	if (!tree->count || !tree_find(tree, last, &path))
		return false;
	*span = below.longest;
	extent = (struct busway_range){path_first(&path), path_value(&path)};
	if (extent.last <= last)
		return true;
	/* the last one is cut by the limit: ask for those before, and for its part */
	*span = last - extent.first;
	if (extent.first) {
		const struct tree_summary before = summary_below(tree, extent.first - 1);

		if (before.classes && before.longest > *span)
			*span = before.longest;
	}
	return true;
}
