/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree_shape.c - nodes of a tree are split, joined and shared. Read tree_internal.h first.
 */
#include "tree_internal.h"

/* ---- entries of a node ---- */

static void move_up(void *array, size_t item, uint32_t from, uint32_t count)
{
	unsigned char *at = array;

	memmove(at + (from + 1) * item, at + from * item, (count - from) * item);
}

static void move_down(void *array, size_t item, uint32_t to, uint32_t count)
{
	unsigned char *at = array;

	memmove(at + to * item, at + (to + 1) * item, (count - to - 1) * item);
}

void tree_open_leaf(const struct tree *tree, struct tree_leaf *leaf, uint32_t at)
{
	const uint32_t count = leaf->node.count++;

	move_up(leaf->node.first, sizeof(uint64_t), at, count);
	move_up(leaf->value, sizeof(uint64_t), at, count);
	if (!tree->plain)
		move_up(leaf->class, 1, at, count);
}

void tree_close_leaf(const struct tree *tree, struct tree_leaf *leaf, uint32_t at)
{
	const uint32_t count = leaf->node.count--;

	move_down(leaf->node.first, sizeof(uint64_t), at, count);
	move_down(leaf->value, sizeof(uint64_t), at, count);
	leaf->node.first[count - 1] = UINT64_MAX;
	if (!tree->plain)
		move_down(leaf->class, 1, at, count);
}

static void open_inner(const struct tree *tree, struct tree_inner *inner, uint32_t at)
{
	const uint32_t count = inner->node.count++, low = ones(at);

	move_up(inner->node.first, sizeof(uint64_t), at, count);
	move_up(inner->child, sizeof(struct tree_node *), at, count);
	if (tree->plain)
		return;
	move_up(inner->longest, sizeof(uint64_t), at, count);
	for (unsigned class = 0; class < TREE_CLASSES; class ++)
		inner->having[class] = (inner->having[class] & low) | (inner->having[class] & ~low)
									      << 1;
}

static void close_inner(const struct tree *tree, struct tree_inner *inner, uint32_t at)
{
	const uint32_t count = inner->node.count--, low = ones(at);

	move_down(inner->node.first, sizeof(uint64_t), at, count);
	move_down(inner->child, sizeof(struct tree_node *), at, count);
	inner->node.first[count - 1] = UINT64_MAX;
	if (tree->plain)
		return;
	move_down(inner->longest, sizeof(uint64_t), at, count);
	for (unsigned class = 0; class < TREE_CLASSES; class ++)
		inner->having[class] =
			(inner->having[class] & low) | (inner->having[class] >> 1 & ~low);
}

/* What copy_entries() does, of summaries. */
static void copy_summaries(struct tree_inner *target, uint32_t to, const struct tree_inner *source,
			   uint32_t from, uint32_t count)
{
	memmove(target->longest + to, source->longest + from, count * sizeof(uint64_t));
	for (unsigned class = 0; class < TREE_CLASSES; class ++)
		target->having[class] = (target->having[class] & ~(ones(count) << to)) |
					(source->having[class] >> from & ones(count)) << to;
}

/* Move @count entries from @from on in @source to @to on in @target, which has room there. */
static void copy_entries(const struct tree *tree, struct tree_node *target, uint32_t to,
			 struct tree_node *source, uint32_t from, uint32_t count, uint32_t level)
{
	memmove(target->first + to, source->first + from, count * sizeof(uint64_t));
	if (level) {
		struct tree_inner *in = inner_of(source), *out = inner_of(target);

		memmove(out->child + to, in->child + from, count * sizeof(struct tree_node *));
		if (!tree->plain)
			copy_summaries(out, to, in, from, count);
	} else {
		struct tree_leaf *in = leaf_of(source), *out = leaf_of(target);

		memmove(out->value + to, in->value + from, count * sizeof(uint64_t));
		if (!tree->plain)
			memmove(out->class + to, in->class + from, count);
	}
}

/* From more to fewer. */
static void set_count(const struct tree *tree, struct tree_node *node, uint32_t count,
		      uint32_t level)
{
	for (uint32_t i = count; i < node->count; i++)
		node->first[i] = UINT64_MAX;
	node->count = count;
	for (unsigned class = 0; class < TREE_CLASSES && level && !tree->plain; class ++)
		inner_of(node)->having[class] &= ones(count);
}

/* ---- splitting: what is below the parent stays the same ---- */

static void add_root(struct tree *tree, struct tree_path *path)
{
	struct tree_inner *root = tree_take_inner(tree);

	if (!tree->plain && !tree->height)
		tree_sum(tree);
	root->child[0] = tree->root;
	root->node.count = 1;
	tree->root = &root->node;
	tree_describe(tree, root, 0, tree->height++);
	path->node[tree->height] = tree->root;
	path->at[tree->height] = 0;
}

void tree_split(struct tree *tree, struct tree_path *path, uint32_t level)
{
	enum { HALF = TREE_ORDER / 2 };
	struct tree_node *left = path->node[level], *right;
	struct tree_inner *parent;

	VISIT(); /* the new one */
	if (level == tree->height)
		add_root(tree, path);
	if (path->node[level + 1]->count == TREE_ORDER)
		tree_split(tree, path, level + 1);
	parent = inner_of(path->node[level + 1]);
	right = level ? &tree_take_inner(tree)->node : &tree_take_leaf(tree)->node;
	copy_entries(tree, right, 0, left, HALF, TREE_ORDER - HALF, level);
	right->count = TREE_ORDER - HALF;
	set_count(tree, left, HALF, level);
	open_inner(tree, parent, path->at[level + 1] + 1);
	parent->child[path->at[level + 1] + 1] = right;
	tree_describe(tree, parent, path->at[level + 1], level);
	tree_describe(tree, parent, path->at[level + 1] + 1, level);
	if (path->at[level] >= HALF) {
		path->node[level] = right;
		path->at[level] -= HALF;
		path->at[level + 1]++;
	}
}

/* ---- joining: again, the same is below the parent ---- */

/* Entries of @a and its right neighbour @b, shared evenly. */
static void share(const struct tree *tree, struct tree_node *a, struct tree_node *b, uint32_t level)
{
	const uint32_t total = a->count + b->count, left = total / 2, right = total - left;

	if (a->count > left) {
		const uint32_t moved = a->count - left;

		copy_entries(tree, b, moved, b, 0, b->count, level);
		copy_entries(tree, b, 0, a, left, moved, level);
		b->count = right;
		set_count(tree, a, left, level);
	} else {
		const uint32_t moved = left - a->count;

		copy_entries(tree, a, a->count, b, 0, moved, level);
		a->count = left;
		copy_entries(tree, b, 0, b, moved, right, level);
		set_count(tree, b, right, level);
	}
}

static void drop(struct tree *tree, struct tree_node *node, uint32_t level)
{
	if (level)
		tree_give_inner(tree, inner_of(node));
	else
		tree_give_leaf(tree, leaf_of(node));
}

void tree_rebalance(struct tree *tree, const struct tree_path *path, uint32_t level)
{
	struct tree_inner *parent = inner_of(path->node[level + 1]);
	const uint32_t at = path->at[level + 1], i = at ? at - 1 : 0;
	struct tree_node *a = parent->child[i], *b = parent->child[i + 1];

	VISIT(); /* the neighbour */
	if (a->count + b->count <= 2 * TREE_MIN) {
		copy_entries(tree, a, a->count, b, 0, b->count, level);
		a->count += b->count;
		close_inner(tree, parent, i + 1);
		drop(tree, b, level);
	} else {
		share(tree, a, b, level);
		tree_describe(tree, parent, i + 1, level);
	}
	tree_describe(tree, parent, i, level);
	if (level + 1 < tree->height && parent->node.count < TREE_MIN) {
		tree_rebalance(tree, path, level + 1);
	} else if (parent->node.count == 1) {
		tree->root = a;
		tree->height--;
		tree_give_inner(tree, parent);
	}
}
