/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - looking things up in a B+tree, and changing it. Read tree.h first.
 */
#include "tree.h"

#include "../base/bytes.h"

/* ---- summaries ---- */

unsigned class_of(uint64_t span)
{
	static const uint8_t coarse[64] = {
		0,  0,  0,  0,  0,  0,  0,  0,  0,  56, 57, 58, 59, 59, 60, 60,
		60, 61, 61, 61, 61, 62, 62, 62, 62, 62, 62, 62, 62, 63, 63, 63,
		63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
		63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63, 63,
	};
	unsigned power;

	if (span < TREE_EXACT_CLASSES)
		return (unsigned)span;
	power = 63 - (unsigned)__builtin_clzll(span);
	if (power >= 9)
		return coarse[power];
	return TREE_EXACT_CLASSES + (power - 4) * 8 + (unsigned)(span >> (power - 3) & 7);
}

static struct tree_summary leaf_summary(const struct tree_leaf *leaf)
{
	struct tree_summary summary = {0, 0};

	for (uint32_t i = 0; i < leaf->node.count; i++) {
		const uint64_t span = leaf->value[i] - leaf->node.first[i];

		summary.longest = span > summary.longest ? span : summary.longest;
		summary.classes |= (uint64_t)1 << leaf->class[i];
	}
	return summary;
}

static struct tree_summary inner_summary(const struct tree_inner *inner)
{
	struct tree_summary summary = {0, 0};

	for (uint32_t i = 0; i < inner->node.count; i++) {
		summary.longest =
			inner->longest[i] > summary.longest ? inner->longest[i] : summary.longest;
		summary.classes |= inner->classes[i];
	}
	return summary;
}

static struct tree_summary summary_of(const struct tree *tree, struct tree_node *node,
				      uint32_t level)
{
	if (tree->plain)
		return (struct tree_summary){0, 0};
	return level ? inner_summary(inner_of(node)) : leaf_summary(leaf_of(node));
}

/* Entry @i of @parent is about child @node of level @level: make it true. Was it? */
static bool describe(const struct tree *tree, struct tree_inner *parent, uint32_t i, uint32_t level)
{
	struct tree_node *node = parent->child[i];
	const struct tree_summary summary = summary_of(tree, node, level);

	if (parent->node.first[i] == node->first[0] && parent->longest[i] == summary.longest &&
	    parent->classes[i] == summary.classes)
		return true;
	parent->node.first[i] = node->first[0];
	parent->longest[i] = summary.longest;
	parent->classes[i] = summary.classes;
	return false;
}

/* The node of @level has changed: tell those above. */
static void tell_above(struct tree *tree, const struct tree_path *path, uint32_t level)
{
	for (; level < tree->height; level++)
		if (describe(tree, inner_of(path->node[level + 1]), path->at[level + 1], level))
			return;
	tree->summary = summary_of(tree, tree->root, tree->height);
}

/* ---- looking ---- */

bool tree_find(const struct tree *tree, uint64_t key, struct tree_path *path)
{
	struct tree_node *node = tree->root;
	uint32_t rank;

	for (uint32_t level = tree->height; level > 0; level--) {
		rank = tree_rank(node, key);
		path->node[level] = node;
		path->at[level] = rank ? rank - 1 : 0;
		node = inner_of(node)->child[path->at[level]];
	}
	rank = tree_rank(node, key);
	path->node[0] = node;
	path->at[0] = rank ? rank - 1 : 0;
	return rank != 0;
}

bool tree_look(const struct tree *tree, uint64_t key, uint64_t *value)
{
	const struct tree_node *node = tree->root;
	uint32_t rank;

	for (uint32_t level = tree->height; level > 0; level--) {
		rank = tree_rank(node, key);
		node = ((const struct tree_inner *)node)->child[rank ? rank - 1 : 0];
	}
	rank = tree_rank(node, key);
	if (!rank)
		return false;
	*value = ((const struct tree_leaf *)node)->value[rank - 1];
	return true;
}

bool tree_next(const struct tree *tree, struct tree_path *path)
{
	uint32_t level = 0;

	while (path->at[level] + 1 >= path->node[level]->count)
		if (++level > tree->height)
			return false;
	path->at[level]++;
	while (level > 0) {
		path->node[level - 1] = inner_of(path->node[level])->child[path->at[level]];
		path->at[--level] = 0;
	}
	return true;
}

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

static void open_leaf(struct tree_leaf *leaf, uint32_t at)
{
	const uint32_t count = leaf->node.count++;

	move_up(leaf->node.first, sizeof(uint64_t), at, count);
	move_up(leaf->value, sizeof(uint64_t), at, count);
	move_up(leaf->class, 1, at, count);
}

static void close_leaf(struct tree_leaf *leaf, uint32_t at)
{
	const uint32_t count = leaf->node.count--;

	move_down(leaf->node.first, sizeof(uint64_t), at, count);
	move_down(leaf->value, sizeof(uint64_t), at, count);
	move_down(leaf->class, 1, at, count);
	leaf->node.first[count - 1] = UINT64_MAX;
}

static void open_inner(struct tree_inner *inner, uint32_t at)
{
	const uint32_t count = inner->node.count++;

	move_up(inner->node.first, sizeof(uint64_t), at, count);
	move_up(inner->child, sizeof(struct tree_node *), at, count);
	move_up(inner->longest, sizeof(uint64_t), at, count);
	move_up(inner->classes, sizeof(uint64_t), at, count);
}

static void close_inner(struct tree_inner *inner, uint32_t at)
{
	const uint32_t count = inner->node.count--;

	move_down(inner->node.first, sizeof(uint64_t), at, count);
	move_down(inner->child, sizeof(struct tree_node *), at, count);
	move_down(inner->longest, sizeof(uint64_t), at, count);
	move_down(inner->classes, sizeof(uint64_t), at, count);
	inner->node.first[count - 1] = UINT64_MAX;
}

static void set_entry(const struct tree *tree, struct tree_leaf *leaf, uint32_t at, uint64_t first,
		      uint64_t value)
{
	leaf->node.first[at] = first;
	leaf->value[at] = value;
	leaf->class[at] = tree->plain ? 0 : (uint8_t)class_of(value - first);
}

/* Move @count entries from @from on in @source to @to on in @target, which has room there. */
static void copy_entries(struct tree_node *target, uint32_t to, struct tree_node *source,
			 uint32_t from, uint32_t count, uint32_t level)
{
	memmove(target->first + to, source->first + from, count * sizeof(uint64_t));
	if (level) {
		struct tree_inner *in = inner_of(source), *out = inner_of(target);

		memmove(out->child + to, in->child + from, count * sizeof(struct tree_node *));
		memmove(out->longest + to, in->longest + from, count * sizeof(uint64_t));
		memmove(out->classes + to, in->classes + from, count * sizeof(uint64_t));
	} else {
		struct tree_leaf *in = leaf_of(source), *out = leaf_of(target);

		memmove(out->value + to, in->value + from, count * sizeof(uint64_t));
		memmove(out->class + to, in->class + from, count);
	}
}

static void set_count(struct tree_node *node, uint32_t count)
{
	for (uint32_t i = count; i < node->count; i++)
		node->first[i] = UINT64_MAX;
	node->count = count;
}

/* ---- splitting ---- */

static void add_root(struct tree *tree, struct tree_path *path)
{
	struct tree_inner *root = tree_take_inner(tree);

	root->child[0] = tree->root;
	root->node.count = 1;
	tree->root = &root->node;
	describe(tree, root, 0, tree->height++);
	path->node[tree->height] = tree->root;
	path->at[tree->height] = 0;
}

/* Split the full node of @level; the path keeps to the entry that it led to. */
static void split(struct tree *tree, struct tree_path *path, uint32_t level)
{
	enum { HALF = TREE_ORDER / 2 };
	struct tree_node *left = path->node[level], *right;
	struct tree_inner *parent;

	if (level == tree->height)
		add_root(tree, path);
	if (path->node[level + 1]->count == TREE_ORDER)
		split(tree, path, level + 1);
	parent = inner_of(path->node[level + 1]);
	right = level ? &tree_take_inner(tree)->node : &tree_take_leaf(tree)->node;
	copy_entries(right, 0, left, HALF, TREE_ORDER - HALF, level);
	right->count = TREE_ORDER - HALF;
	set_count(left, HALF);
	open_inner(parent, path->at[level + 1] + 1);
	parent->child[path->at[level + 1] + 1] = right;
	describe(tree, parent, path->at[level + 1], level);
	describe(tree, parent, path->at[level + 1] + 1, level);
	if (path->at[level] >= HALF) {
		path->node[level] = right;
		path->at[level] -= HALF;
		path->at[level + 1]++;
	}
}

/* ---- joining ---- */

/* Entries of @a and its right neighbour @b, shared evenly. */
static void share(struct tree_node *a, struct tree_node *b, uint32_t level)
{
	const uint32_t total = a->count + b->count, left = total / 2, right = total - left;

	if (a->count > left) {
		const uint32_t moved = a->count - left;

		copy_entries(b, moved, b, 0, b->count, level);
		copy_entries(b, 0, a, left, moved, level);
		b->count = right;
		set_count(a, left);
	} else {
		const uint32_t moved = left - a->count;

		copy_entries(a, a->count, b, 0, moved, level);
		a->count = left;
		copy_entries(b, 0, b, moved, right, level);
		set_count(b, right);
	}
}

static void drop(struct tree *tree, struct tree_node *node, uint32_t level)
{
	if (level)
		tree_give_inner(tree, inner_of(node));
	else
		tree_give_leaf(tree, leaf_of(node));
}

/* The node of @level has too few entries: join it with a neighbour, or take some of it. */
static void rebalance(struct tree *tree, const struct tree_path *path, uint32_t level)
{
	struct tree_inner *parent = inner_of(path->node[level + 1]);
	const uint32_t at = path->at[level + 1], i = at ? at - 1 : 0;
	struct tree_node *a = parent->child[i], *b = parent->child[i + 1];

	if (a->count + b->count <= 2 * TREE_MIN) {
		copy_entries(a, a->count, b, 0, b->count, level);
		a->count += b->count;
		close_inner(parent, i + 1);
		drop(tree, b, level);
	} else {
		share(a, b, level);
		describe(tree, parent, i + 1, level);
	}
	describe(tree, parent, i, level);
	if (level + 1 < tree->height && parent->node.count < TREE_MIN) {
		rebalance(tree, path, level + 1);
	} else if (parent->node.count > 1) {
		tell_above(tree, path, level + 1);
	} else {
		tree->root = a;
		tree->height--;
		tree_give_inner(tree, parent);
		tree->summary = summary_of(tree, a, tree->height);
	}
}

/* ---- changing ---- */

void tree_replace(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value)
{
	set_entry(tree, leaf_of(path->node[0]), path->at[0], first, value);
	tell_above(tree, path, 0);
}

void tree_insert(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value)
{
	if (path->node[0]->count == TREE_ORDER)
		split(tree, path, 0);
	open_leaf(leaf_of(path->node[0]), path->at[0]);
	set_entry(tree, leaf_of(path->node[0]), path->at[0], first, value);
	tree->count++;
	tell_above(tree, path, 0);
}

bool tree_can_insert(const struct tree *tree, const struct tree_path *path)
{
	size_t inners = 0;
	uint32_t level = 0;

	if (path->node[0]->count < TREE_ORDER)
		return true;
	while (++level <= tree->height && path->node[level]->count == TREE_ORDER)
		inners++;
	inners += level > tree->height; /* a new root */
	return tree->leaves.count >= 1 && tree->inners.count >= inners;
}

void tree_remove(struct tree *tree, struct tree_path *path)
{
	struct tree_leaf *leaf = leaf_of(path->node[0]);

	close_leaf(leaf, path->at[0]);
	tree->count--;
	if (tree->height && leaf->node.count < TREE_MIN)
		rebalance(tree, path, 0);
	else
		tell_above(tree, path, 0);
}

void tree_put(struct tree *tree, uint64_t key, uint64_t value)
{
	struct tree_path path;

	if (tree_find(tree, key, &path))
		path.at[0]++;
	tree_insert(tree, &path, key, value);
}

void tree_drop(struct tree *tree, uint64_t key)
{
	struct tree_path path;

	if (tree_find(tree, key, &path))
		tree_remove(tree, &path);
}
