/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree_summary.c - what can be found below each child. Read tree_internal.h first.
 *
 * A change of one entry gains or loses a class or two, and seldom is about the longest extent: what
 * has not changed is not looked at, and where nothing changes for a node, those above are not told.
 * Of a tree that is one leaf there is no summary: it is made when the leaf is split.
 */
#include "tree_internal.h"

const uint8_t tree_coarse_classes[64] = {
	0,  0,  0,  0,  0,  0,  0,  0,  0,  56, 57, 58, 59, 59, 60, 60, 60, 61, 61, 61, 61, 62,
	62, 62, 62, 62, 62, 62, 62, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
	63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
};

/* ---- of a whole node ---- */

static uint64_t leaf_longest(const struct tree_leaf *leaf)
{
	uint64_t longest = 0;

	for (uint32_t i = 0; i < leaf->node.count; i++) {
		const uint64_t span = leaf->value[i] - leaf->node.first[i];

		longest = span > longest ? span : longest;
	}
	return longest;
}

static uint64_t inner_longest(const struct tree_inner *inner)
{
	uint64_t longest = 0;

	for (uint32_t i = 0; i < inner->node.count; i++)
		longest = inner->longest[i] > longest ? inner->longest[i] : longest;
	return longest;
}

static struct tree_summary summary_of(struct tree_node *node, uint32_t level)
{
	struct tree_summary summary = {0, 0};

	VISIT();
	if (level) {
		const struct tree_inner *inner = inner_of(node);

		summary.longest = inner_longest(inner);
		for (unsigned class = 0; class < TREE_CLASSES; class ++)
			summary.classes |= (uint64_t)(inner->having[class] != 0) << class;
	} else {
		const struct tree_leaf *leaf = leaf_of(node);

		summary.longest = leaf_longest(leaf);
		for (uint32_t i = 0; i < node->count; i++)
			summary.classes |= (uint64_t)1 << leaf->class[i];
	}
	return summary;
}

void tree_describe(const struct tree *tree, struct tree_inner *parent, uint32_t i, uint32_t level)
{
	struct tree_node *node = parent->child[i];
	struct tree_summary summary;

	parent->node.first[i] = node->first[0];
	if (tree->plain)
		return;
	summary = summary_of(node, level);
	parent->longest[i] = summary.longest;
	for (unsigned class = 0; class < TREE_CLASSES; class ++)
		parent->having[class] = (parent->having[class] & ~((uint32_t)1 << i)) |
					(uint32_t)(summary.classes >> class & 1) << i;
}

void tree_sum(struct tree *tree)
{
	tree->summary = summary_of(tree->root, tree->height);
}

/* ---- of what has changed ---- */

/* From this class on few extents are expected: the longest is often alone in its class. */
enum { FEW = 48 };

/* Of a node: classes, and the longest extent before and after. */
struct change {
	uint64_t gained, lost;
	uint64_t was, is;
};

/* The longest of the node of @level, as those above have it. */
static uint64_t known_longest(const struct tree *tree, const struct tree_path *path, uint32_t level)
{
	return level == tree->height
		       ? tree->summary.longest
		       : inner_of(path->node[level + 1])->longest[path->at[level + 1]];
}

static bool knows_class(const struct tree_path *path, unsigned class)
{
	return inner_of(path->node[1])->having[class] >> path->at[1] & 1;
}

/* Of those in the leaf, all of class @class or of none that is longer: is there but one entry? */
static bool is_longest(const struct tree_path *path, unsigned class)
{
	const struct tree_leaf *leaf = leaf_of(path->node[0]);

	for (unsigned c = class + 1; c < TREE_CLASSES; c++)
		if (knows_class(path, c))
			return false;
	return leaf_with_class(leaf, class) == (uint32_t)1 << path->at[0];
}

static struct change change_of_leaf(const struct tree *tree, const struct tree_path *path,
				    struct tree_entry was, struct tree_entry is)
{
	const struct tree_leaf *leaf = leaf_of(path->node[0]);
	struct change change = {.was = known_longest(tree, path, 0)};

	change.is = change.was;
	if (!is.any || !was.any || is.class != was.class) {
		if (is.any)
			change.gained = (uint64_t)!knows_class(path, is.class) << is.class;
		if (was.any)
			change.lost = (uint64_t)!leaf_with_class(leaf, was.class) << was.class;
	}
	if (is.any && is.span >= change.was)
		change.is = is.span;
	else if (was.any && was.span == change.was)
		change.is = is.any && is.class >= FEW && is_longest(path, is.class)
				    ? is.span
				    : leaf_longest(leaf);
	return change;
}

/* Are all extents of @class and longer below child @i? */
static bool has_longest(const struct tree_inner *inner, uint32_t i, unsigned class)
{
	for (; class < TREE_CLASSES; class ++)
		if (inner->having[class] & ~((uint32_t)1 << i))
			return false;
	return true;
}

/* Child @i of @inner has changed: what is that to @inner, whose longest was @longest? */
static void apply(struct tree_inner *inner, uint32_t i, uint64_t longest, struct change *change)
{
	const uint32_t bit = (uint32_t)1 << i;

	for (uint64_t rest = change->gained; rest; rest &= rest - 1) {
		uint32_t *having = &inner->having[__builtin_ctzll(rest)];

		if (*having)
			change->gained &= ~(rest & -rest);
		*having |= bit;
	}
	for (uint64_t rest = change->lost; rest; rest &= rest - 1) {
		uint32_t *having = &inner->having[__builtin_ctzll(rest)];

		*having &= ~bit;
		if (*having)
			change->lost &= ~(rest & -rest);
	}
	inner->longest[i] = change->is;
	if (change->is >= longest)
		longest = change->is;
	else if (change->was == longest)
		longest = class_of(change->is) >= FEW && has_longest(inner, i, class_of(change->is))
				  ? change->is
				  : inner_longest(inner);
	change->is = longest;
}

static void tell_keys(const struct tree *tree, const struct tree_path *path)
{
	for (uint32_t level = 0; level < tree->height; level++) {
		VISIT();
		inner_of(path->node[level + 1])->node.first[path->at[level + 1]] =
			path->node[level]->first[0];
		if (path->at[level + 1])
			return;
	}
}

void tree_tell(struct tree *tree, const struct tree_path *path, struct tree_entry was,
	       struct tree_entry is)
{
	struct change change;

	if (!tree->height)
		return;
	tell_keys(tree, path);
	if (tree->plain)
		return;
	change = change_of_leaf(tree, path, was, is);
	for (uint32_t level = 1; level <= tree->height; level++) {
		const uint64_t longest = known_longest(tree, path, level);

		VISIT();
		if (!(change.gained | change.lost) && change.was == change.is)
			return;
		apply(inner_of(path->node[level]), path->at[level], longest, &change);
		change.was = longest;
	}
	tree->summary.classes = (tree->summary.classes | change.gained) & ~change.lost;
	tree->summary.longest = change.is;
}
