/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hunt.h - a search among extents of one class of length, below a limit. Read search.c first.
 */
#ifndef BUSWAY_IOVA_HUNT_H
#define BUSWAY_IOVA_HUNT_H

#include "extents.h"

static inline bool is_plain(const struct wanted *w)
{
	return w->align == 0 && w->boundary == UINT64_MAX;
}

/* The shortest of the entries @which of a leaf that fits, the lowest of those. */
bool best_of(const struct tree_leaf *leaf, uint32_t which, const struct wanted *w, uint32_t *at,
	     uint64_t *start);

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

void find_below(const struct tree *tree, uint64_t start_last, struct below *below);

/* The longest that begins there. */
uint64_t longest_below(const struct tree *tree, const struct below *below);

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

/* The shortest extent of @class that fits, of those that are looked at. False: none fits. */
bool search_class(const struct tree *tree, const struct below *below, struct hunt *hunt,
		  unsigned class);

#endif
