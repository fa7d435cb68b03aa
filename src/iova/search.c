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
#include "extents.h"

enum {
	TRIES = 4,          /* leaves that are looked at for a class in which an extent may fit, */
	CROWDED_TRIES = 64, /* and where it is worth a longer search */
	AMPLE = 1024, /* times what is wanted: where there is that much in one extent it is not */
};

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

/* The shortest of the entries @which of a leaf that fits, the lowest of those. */
static bool best_of(const struct tree_leaf *leaf, uint32_t which, const struct wanted *w,
		    uint32_t *at, uint64_t *start)
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

/*
 * The path of the limit: what is left of it is wholly below. Of the node of each level from .top
 * down to 0 only the first .count children, or entries, count; the one behind leads to the next
 * level. Without a limit that is all of the root, and nothing further down.
 */
struct below {
	struct tree_path path;
	uint32_t count[TREE_HEIGHT_MAX];
	uint32_t top, end; /* levels: from .top down to .end */
};

static uint32_t ones(uint32_t count)
{
	return ((uint32_t)1 << count) - 1;
}

static void find_below(const struct tree *tree, uint64_t start_last, struct below *below)
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

/* The longest that begins there. */
static uint64_t longest_below(const struct tree *tree, const struct below *below)
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

/* A search for an extent of one class, and what it has found. */
struct hunt {
	const struct wanted *w;
	unsigned class;
	uint64_t least; /* what children must have, where their class does not say it all */
	uint32_t tries; /* leaves that may still be looked at */
	/* bits that say where among the children to begin; 0: at the lowest. What did not fit is
	 * left there, and would be tried first again and again. */
	uint32_t spread;
	bool thorough;     /* look at all of them, unless what is found cannot be shorter */
	uint64_t shortest; /* span found; UINT64_MAX: none */
	uint64_t start;
	struct tree_path *path; /* to what was found */
};

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
		if (span < hunt->shortest) {
			hunt->shortest = span;
			hunt->start = start;
			for (uint32_t level = 0; level <= tree->height; level++) {
				hunt->path->node[level] = at->node[level];
				hunt->path->at[level] = at->at[level];
			}
		}
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

/* The shortest extent of @class that fits, in one of the lowest leaves that have that class. */
static bool search_class(const struct tree *tree, const struct below *below, struct hunt *hunt,
			 unsigned class)
{
	struct tree_path at;

	hunt->class = class;
	hunt->shortest = UINT64_MAX;
	/* longer classes, and those of one length, say it all: no length need be looked at */
	hunt->least =
		class >= TREE_EXACT_CLASSES && class == class_of(hunt->w->span) ? hunt->w->span : 0;
	for (uint32_t level = below->top;; level--) {
		const uint32_t which = ones(below->count[level]);

		at.node[level] = below->path.node[level];
		if (level ? look_below(hunt, tree, &at, level, which)
			  : look_at_leaf(hunt, tree, &at, which))
			break;
		if (level == below->end)
			break;
		at.at[level] = below->path.at[level];
	}
	return hunt->shortest != UINT64_MAX;
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

	if (tree->summary.longest < much || class_of(much) == TREE_CLASSES - 1)
		return true;
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
		hunt.tries = TRIES;
		hunt.spread = (uint32_t)tree->count * 2654435769u >> 4;
		found = search_class(tree, &below, &hunt, (unsigned)__builtin_ctzll(maybe));
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
