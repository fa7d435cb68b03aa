/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * extents.c - taking and giving back ranges of the free extents. Read extents.h first.
 */
#include "extents.h"

static struct busway_range entry_of(const struct tree_path *path)
{
	return (struct busway_range){path_first(path), path_value(path)};
}

bool extents_at(const struct tree *tree, uint64_t granule, struct busway_range *extent)
{
	struct tree_path path;

	if (!tree->count)
		return false;
	if (tree_find(tree, granule, &path) && path_value(&path) < granule &&
	    !tree_next(tree, &path))
		return false;
	*extent = entry_of(&path);
	return true;
}

bool extents_hold(const struct tree *tree, struct busway_range range)
{
	struct busway_range extent;

	return extents_at(tree, range.first, &extent) && busway_range_within(range, extent);
}

/*
 *   extent [----------]
 *   range     [---]          what is left keeps its place, or is two entries
 */
void extents_take(struct tree *tree, struct tree_path *path, struct busway_range range)
{
	const struct busway_range extent = entry_of(path);

	if (range.first == extent.first && range.last == extent.last) {
		tree_remove(tree, path);
	} else if (range.first == extent.first) {
		tree_replace(tree, path, range.last + 1, extent.last);
	} else {
		tree_replace(tree, path, extent.first, range.first - 1);
		if (range.last == extent.last)
			return;
		path->at[0]++;
		tree_insert(tree, path, range.last + 1, extent.last);
	}
}

/* The entry behind @path goes, and its end becomes the end of the entry at @path. */
static void join_next(struct tree *tree, struct tree_path *path, struct tree_path *next)
{
	const uint64_t last = path_value(next);

	tree_replace(tree, path, path_first(path), last);
	tree_remove(tree, next);
}

static bool tell_overlap(struct busway_range a, struct busway_range b, struct busway_range *overlap)
{
	busway_range_common(a, b, overlap);
	return false;
}

bool extents_give(struct tree *tree, struct busway_range range, struct busway_range *overlap)
{
	struct tree_path path, next;
	bool has_before, has_next = tree->count != 0, joins_before, joins_next;

	has_before = tree_find(tree, range.first, &path);
	if (has_before && path_value(&path) >= range.first)
		return tell_overlap(range, entry_of(&path), overlap);
	next = path;
	if (has_before)
		has_next = tree_next(tree, &next);
	if (has_next && path_first(&next) <= range.last)
		return tell_overlap(range, entry_of(&next), overlap);
	joins_before = has_before && busway_range_adjoins(entry_of(&path), range);
	joins_next = has_next && busway_range_adjoins(range, entry_of(&next));
	if (joins_before && joins_next) {
		join_next(tree, &path, &next);
	} else if (joins_before) {
		tree_replace(tree, &path, path_first(&path), range.last);
	} else if (joins_next) {
		tree_replace(tree, &next, range.first, path_value(&next));
	} else {
		path.at[0] += has_before;
		tree_insert(tree, &path, range.first, range.last);
	}
	return true;
}
