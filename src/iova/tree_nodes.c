/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree_nodes.c - where the nodes of a tree come from. Read tree.h first.
 *
 * All nodes but the root have TREE_MIN entries or more, so n entries need n / TREE_MIN leaves at
 * most, whatever the order in which they came; and so on for the levels above.
 */
#include "tree_internal.h"

static size_t leaf_size(const struct tree *tree)
{
	return tree->plain ? offsetof(struct tree_leaf, class) : sizeof(struct tree_leaf);
}

static size_t inner_size(const struct tree *tree)
{
	return tree->plain ? offsetof(struct tree_inner, longest) : sizeof(struct tree_inner);
}

/* What a spare node holds. */
struct spare {
	struct spare *next;
};

static void *take(struct tree_spare *spare)
{
	struct spare *node = spare->list;

	spare->list = node->next;
	spare->count--;
	return node;
}

static void give(struct tree_spare *spare, void *mem)
{
	struct spare *node = mem;

	node->next = spare->list;
	spare->list = node;
	spare->count++;
}

/* Add nodes until there are @total. */
static int fill(const struct tree *tree, struct tree_spare *spare, size_t total, size_t size,
		size_t align)
{
	while (spare->total < total) {
		void *node = tree->memory->alloc(tree->memory->ctx, size, align);

		if (!node)
			return -BUSWAY_ENOMEM;
		give(spare, node);
		spare->total++;
	}
	return 0;
}

static void drain(const struct tree *tree, struct tree_spare *spare, size_t total, size_t size,
		  size_t align)
{
	while (spare->total > total && spare->count) {
		tree->memory->free(tree->memory->ctx, take(spare), size, align);
		spare->total--;
	}
}

static size_t leaves_for(size_t entries)
{
	return entries < 2 * (size_t)TREE_MIN ? 1 : entries / TREE_MIN;
}

static size_t inners_for(size_t leaves)
{
	size_t inners = 0;

	while (leaves > 1) {
		leaves = leaves < 2 * (size_t)TREE_MIN ? 1 : leaves / TREE_MIN;
		inners += leaves;
	}
	return inners;
}

int tree_grow(struct tree *tree, size_t entries)
{
	const size_t leaves = leaves_for(entries);
	int status = fill(tree, &tree->leaves, leaves, leaf_size(tree), _Alignof(struct tree_leaf));

	if (status == 0)
		status = fill(tree, &tree->inners, inners_for(leaves), inner_size(tree),
			      _Alignof(struct tree_inner));
	/* what was filled stays, and serves the next attempt */
	if (status == 0)
		tree->covered = leaves * TREE_MIN + TREE_MIN - 1;
	return status;
}

int tree_prepare_few(struct tree *tree, size_t insertions)
{
	const size_t leaves = tree->leaves.total - tree->leaves.count + insertions;
	const size_t inners =
		tree->inners.total - tree->inners.count + insertions * (tree->height + 1);

	if (fill(tree, &tree->leaves, leaves, leaf_size(tree), _Alignof(struct tree_leaf)))
		return -BUSWAY_ENOMEM;
	return fill(tree, &tree->inners, inners, inner_size(tree), _Alignof(struct tree_inner));
}

void tree_trim_few(struct tree *tree)
{
	const size_t leaves = tree->leaves.total - tree->leaves.count + 2;
	const size_t inners = tree->inners.total - tree->inners.count + 2 * (tree->height + 1);

	drain(tree, &tree->leaves, leaves, leaf_size(tree), _Alignof(struct tree_leaf));
	drain(tree, &tree->inners, inners, inner_size(tree), _Alignof(struct tree_inner));
	tree->covered = 0;
}

void tree_trim(struct tree *tree, size_t entries)
{
	size_t leaves;

	if (entries < tree->count)
		entries = tree->count;
	leaves = leaves_for(entries);
	drain(tree, &tree->leaves, leaves, leaf_size(tree), _Alignof(struct tree_leaf));
	drain(tree, &tree->inners, inners_for(leaves), inner_size(tree),
	      _Alignof(struct tree_inner));
	/* there may have been fewer */
	if (tree->covered > leaves * TREE_MIN + TREE_MIN - 1)
		tree->covered = leaves * TREE_MIN + TREE_MIN - 1;
}

struct tree_leaf *tree_take_leaf(struct tree *tree)
{
	struct tree_leaf *leaf = take(&tree->leaves);

	leaf->node.count = 0;
	for (unsigned i = 0; i < TREE_ORDER; i++)
		leaf->node.first[i] = UINT64_MAX;
	if (!tree->plain)
		memset(leaf->class, 0, sizeof(leaf->class));
	return leaf;
}

struct tree_inner *tree_take_inner(struct tree *tree)
{
	struct tree_inner *inner = take(&tree->inners);

	inner->node.count = 0;
	for (unsigned i = 0; i < TREE_ORDER; i++)
		inner->node.first[i] = UINT64_MAX;
	if (!tree->plain)
		memset(inner->having, 0, sizeof(inner->having));
	return inner;
}

void tree_give_leaf(struct tree *tree, struct tree_leaf *leaf)
{
	give(&tree->leaves, leaf);
}

void tree_give_inner(struct tree *tree, struct tree_inner *inner)
{
	give(&tree->inners, inner);
}

int tree_create(struct tree *tree, bool plain, const struct busway_allocator *memory)
{
	*tree = (struct tree){.memory = memory, .plain = plain};
	if (tree_grow(tree, 1))
		return -BUSWAY_ENOMEM;
	tree->root = &tree_take_leaf(tree)->node;
	return 0;
}

static void give_below(struct tree *tree, struct tree_node *node, uint32_t height)
{
	if (height == 0) {
		tree_give_leaf(tree, leaf_of(node));
		return;
	}
	for (uint32_t i = 0; i < node->count; i++)
		give_below(tree, inner_of(node)->child[i], height - 1);
	tree_give_inner(tree, inner_of(node));
}

void tree_destroy(struct tree *tree)
{
	if (tree->root)
		give_below(tree, tree->root, tree->height);
	tree->root = NULL;
	drain(tree, &tree->leaves, 0, leaf_size(tree), _Alignof(struct tree_leaf));
	drain(tree, &tree->inners, 0, inner_size(tree), _Alignof(struct tree_inner));
}

size_t tree_bytes(const struct tree *tree)
{
	return tree->leaves.total * leaf_size(tree) + tree->inners.total * inner_size(tree);
}
