/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - looking things up in a B+tree, and changing it. Read tree.h first.
 */
#include "tree_internal.h"

/* ---- looking ---- */

bool tree_find(const struct tree *tree, uint64_t key, struct tree_path *path)
{
	struct tree_node *node = tree->root;
	uint32_t rank;

	for (uint32_t level = tree->height; level > 0; level--) {
		VISIT();
		rank = tree_rank(node, key);
		path->node[level] = node;
		path->at[level] = rank ? rank - 1 : 0;
		node = inner_of(node)->child[path->at[level]];
	}
	VISIT();
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
		VISIT();
		path->node[level - 1] = inner_of(path->node[level])->child[path->at[level]];
		path->at[--level] = 0;
	}
	return true;
}

/* ---- changing ---- */

static struct tree_entry entry_at(const struct tree *tree, const struct tree_leaf *leaf,
				  uint32_t at)
{
	if (tree->plain)
		return (struct tree_entry){0};
	return (struct tree_entry){leaf->value[at] - leaf->node.first[at], leaf->class[at], true};
}

static struct tree_entry set_entry(const struct tree *tree, struct tree_leaf *leaf, uint32_t at,
				   uint64_t first, uint64_t value)
{
	leaf->node.first[at] = first;
	leaf->value[at] = value;
	if (!tree->plain)
		leaf->class[at] = (uint8_t)class_of(value - first);
	return entry_at(tree, leaf, at);
}

void tree_replace(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value)
{
	struct tree_leaf *leaf = leaf_of(path->node[0]);
	const struct tree_entry was = entry_at(tree, leaf, path->at[0]);

	tree_tell(tree, path, was, set_entry(tree, leaf, path->at[0], first, value));
}

void tree_insert(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value)
{
	struct tree_leaf *leaf;

	if (path->node[0]->count == TREE_ORDER)
		tree_split(tree, path, 0);
	leaf = leaf_of(path->node[0]);
	tree_open_leaf(tree, leaf, path->at[0]);
	tree->count++;
	tree_tell(tree, path, (struct tree_entry){0},
		  set_entry(tree, leaf, path->at[0], first, value));
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
	const struct tree_entry was = entry_at(tree, leaf, path->at[0]);

	tree_close_leaf(tree, leaf, path->at[0]);
	tree->count--;
	tree_tell(tree, path, was, (struct tree_entry){0});
	if (tree->height && leaf->node.count < TREE_MIN)
		tree_rebalance(tree, path, 0);
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
