/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - a B+tree from 64-bit keys to 64-bit values, in nodes of 24.
 *
 *   inner   key of each child (exactly its lowest), and what can be found below it
 *   leaf    key and value of each entry
 *
 * One shape serves the free extents of a space (key: first granule, value: last), with a summary
 * of lengths for each child, and plain look-up tables (key: first byte, value: a pointer), without.
 *
 * Nodes come from a store that is filled beforehand, so that no change of a tree can fail half
 * way: tree_prepare() before, then any insertion up to the promised number of entries.
 *
 * Nothing here locks.
 */
#ifndef BUSWAY_IOVA_TREE_H
#define BUSWAY_IOVA_TREE_H

#include "../base/bytes.h"

#include <busway/addr.h>
#include <busway/allocator.h>
#include <busway/status.h>

enum {
	TREE_ORDER = 24,         /* entries of a node at most, */
	TREE_MIN = 11,           /* and at least, but for the root */
	TREE_HEIGHT_MAX = 20,    /* 11^19 > 2^64 */
	TREE_CLASSES = 64,       /* of lengths: see class_of() */
	TREE_EXACT_CLASSES = 16, /* so many of them hold one length each */
};

/* A node, or a slot of a cache, is looked at: tests count that. */
#ifdef TREE_VISITS
extern _Thread_local unsigned long tree_visits;
#define VISIT() ((void)tree_visits++)
#else
#define VISIT() ((void)0)
#endif

extern const uint8_t tree_coarse_classes[64]; /* by the power of two */

/*
 * The class of a length, given as last - first. Lengths 1 to 16 have one each, then there are eight
 * to each power of two up to 512, then coarser ones. What is in a higher class is longer.
 */
static inline unsigned class_of(uint64_t span)
{
	unsigned power;

	if (span < TREE_EXACT_CLASSES)
		return (unsigned)span;
	power = 63 - (unsigned)__builtin_clzll(span);
	if (power >= 9)
		return tree_coarse_classes[power];
	return TREE_EXACT_CLASSES + (power - 4) * 8 + (unsigned)(span >> (power - 3) & 7);
}

/* Of a part of the tree: the longest extent, as last - first, and a bit for each class in it. */
struct tree_summary {
	uint64_t longest, classes;
};

/* Unused keys are UINT64_MAX: a search looks at whole groups of eight. */
struct tree_node {
	uint32_t count;
	uint64_t first[TREE_ORDER];
};

struct tree_leaf {
	struct tree_node node;
	uint64_t value[TREE_ORDER];
	/* plain trees end here */
	uint8_t class[TREE_ORDER];
};

struct tree_inner {
	struct tree_node node;
	struct tree_node *child[TREE_ORDER];
	/* plain trees end here */
	uint64_t longest[TREE_ORDER];
	uint32_t having[TREE_CLASSES]; /* a bit for each child with an extent of that class */
};

/* Nodes not in use, linked by their first words. */
struct tree_spare {
	void *list;
	size_t count, total; /* in the list; with those in use */
};

struct tree {
	const struct busway_allocator *memory;
	struct tree_node *root;      /* a leaf where .height is 0 */
	uint32_t height;             /* levels of inner nodes */
	bool plain;                  /* without summaries: values are no lengths */
	size_t count;                /* of entries */
	size_t covered;              /* for so many entries there are nodes, whatever their order */
	struct tree_summary summary; /* of all; means nothing while the root is a leaf */
	struct tree_spare leaves, inners;
};

/* A place: node[0] is the leaf, node[height] the root, at[] which entry of each. */
struct tree_path {
	struct tree_node *node[TREE_HEIGHT_MAX];
	uint32_t at[TREE_HEIGHT_MAX];
};

/* ---- life (tree_nodes.c) ---- */

/* -BUSWAY_ENOMEM. An empty tree has a leaf, and is prepared for TREE_ORDER entries. */
int tree_create(struct tree *tree, bool plain, const struct busway_allocator *memory);
void tree_destroy(struct tree *tree);

/* See to it that there are nodes for @entries entries. -BUSWAY_ENOMEM: as it was. */
int tree_grow(struct tree *tree, size_t entries);

static inline int tree_prepare(struct tree *tree, size_t entries)
{
	return entries <= tree->covered ? 0 : tree_grow(tree, entries);
}

/*
 * See to it that there are nodes for @insertions more, and no longer: for trees of which nothing is
 * promised. -BUSWAY_ENOMEM: as it was.
 */
int tree_prepare_few(struct tree *tree, size_t insertions);

/* Give nodes back that a few insertions do not need. */
void tree_trim_few(struct tree *tree);

/* Give nodes back that @entries entries do not need. */
void tree_trim(struct tree *tree, size_t entries);

/* Bytes of all nodes, spare ones too. */
size_t tree_bytes(const struct tree *tree);

struct tree_leaf *tree_take_leaf(struct tree *tree);
struct tree_inner *tree_take_inner(struct tree *tree);
void tree_give_leaf(struct tree *tree, struct tree_leaf *leaf);
void tree_give_inner(struct tree *tree, struct tree_inner *inner);

/* ---- looking (tree.c) ---- */

/* The lowest @count bits. */
static inline uint32_t ones(uint32_t count)
{
	return ((uint32_t)1 << count) - 1;
}

static inline struct tree_leaf *leaf_of(struct tree_node *node)
{
	return (struct tree_leaf *)node;
}

static inline struct tree_inner *inner_of(struct tree_node *node)
{
	return (struct tree_inner *)node;
}

static inline uint64_t path_first(const struct tree_path *path)
{
	return path->node[0]->first[path->at[0]];
}

static inline uint64_t path_value(const struct tree_path *path)
{
	return leaf_of(path->node[0])->value[path->at[0]];
}

/* How many keys of @node are @key or less. */
static inline uint32_t tree_rank(const struct tree_node *node, uint64_t key)
{
	const uint32_t base = 8 * ((uint32_t)(node->first[7] <= key) + (node->first[15] <= key));
	uint32_t rank = base;

	for (uint32_t i = 0; i < 8; i++)
		rank += node->first[base + i] <= key;
	return rank < node->count ? rank : node->count;
}

/*
 * The last entry whose key is @key or less. False: there is none, and the path leads to the first
 * entry, or to the place of one in an empty tree.
 */
bool tree_find(const struct tree *tree, uint64_t key, struct tree_path *path);

/* The value of that entry; false: there is none. */
bool tree_look(const struct tree *tree, uint64_t key, uint64_t *value);

/* The entry behind; false: there is none, and the path means nothing any more. */
bool tree_next(const struct tree *tree, struct tree_path *path);

/* A bit for each entry of @leaf of that class. */
static inline uint32_t leaf_with_class(const struct tree_leaf *leaf, unsigned class)
{
	const uint64_t each = 0x0101010101010101, low = 0x7f7f7f7f7f7f7f7f;
	uint32_t found = 0;

	for (unsigned i = 0; i < TREE_ORDER / 8; i++) {
		uint64_t eight;

		memcpy(&eight, leaf->class + 8 * i, sizeof(eight));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		eight = __builtin_bswap64(eight);
#endif
		eight ^= each * class; /* classes are below 64: a byte of 0 is what is looked for */
		eight = ~(eight + low) >> 7 & each;
		found |= (uint32_t)(eight * 0x0102040810204080 >> 56) << 8 * i;
	}
	return found & ones(leaf->node.count);
}

/* ---- changing (tree.c): paths mean nothing after an insertion or a removal ---- */

/* The key must stay between its neighbours. */
void tree_replace(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value);
/* A new entry at at[0]; it may be one behind the last of the leaf. The tree must be prepared. */
void tree_insert(struct tree *tree, struct tree_path *path, uint64_t first, uint64_t value);
void tree_remove(struct tree *tree, struct tree_path *path);

/* Are there nodes for just this insertion? */
bool tree_can_insert(const struct tree *tree, const struct tree_path *path);

/* The same by key: a new one, and one that is there. */
void tree_put(struct tree *tree, uint64_t key, uint64_t value);
void tree_drop(struct tree *tree, uint64_t key);

#endif
