/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents.h - the free extents of a space: what is given back coalesces, what is taken is found.
 *
 * Ranges here are of granules. An extent never adjoins another.
 */
#ifndef BUSWAY_IOVA_EXTENTS_H
#define BUSWAY_IOVA_EXTENTS_H

#include "tree.h"

/* ---- extents.c ---- */

/* The extent that holds @granule, or else the first one behind it; false: there is none. */
bool extents_at(const struct tree *tree, uint64_t granule, struct busway_range *extent);

/* Is all of @range free? */
bool extents_hold(const struct tree *tree, struct busway_range range);

/* Take @range out of the extent at @path, which holds it. One more entry at most. */
void extents_take(struct tree *tree, struct tree_path *path, struct busway_range range);

/*
 * Give @range back. Return: 0; -BUSWAY_ERANGE: @overlap of it, a part of one extent, is free
 * already; -BUSWAY_ENOMEM: it takes an entry more, and there are no nodes. Nothing was done, then.
 */
int extents_give(struct tree *tree, struct busway_range range, struct busway_range *overlap);

/* ---- search.c ---- */

/* What is wanted: all in granules, spans are lengths less one. */
struct wanted {
	uint64_t span;
	uint64_t start_last; /* the highest first granule that the limit allows */
	uint64_t align;      /* less one: the low bits that must be 0 */
	uint64_t boundary; /* less one: bits above it are the same in first and last; or all ones */
	uint64_t most;     /* so many extents are looked at before giving up; UINT64_MAX: all */
};

/* Where in @extent the wanted run would lie, lowest; false: it does not fit. */
bool wanted_fits(const struct wanted *w, struct busway_range extent, uint64_t *start);

/*
 * Find a place for what is wanted, in an extent that is hardly longer. @path leads to the extent.
 * Without alignment and boundary it is found if there is one. With them, a few extents of about
 * that length are tried, and one that is so long that it must fit; before it says no, all of the
 * lengths between, or .most of them; *all tells which. How many leaves that takes stands in
 * <busway/iova_space.h>.
 */
bool extents_search(const struct tree *tree, const struct wanted *w, struct tree_path *path,
		    uint64_t *start, bool *all);

/* The longest run below the limit; spans. False: there is none. */
bool extents_longest(const struct tree *tree, uint64_t last, uint64_t *span);

#endif
