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

/*
 * The entry behind that at @path, or the first one where there is none before: @far is only written
 * where it lies in another leaf. NULL: there is none.
 */
static struct tree_path *entry_behind(const struct tree *tree, struct tree_path *path,
				      bool has_before, struct tree_path *near,
				      struct tree_path *far)
{
	if (!tree->count)
		return NULL;
	if (!has_before || path->at[0] + 1 < path->node[0]->count) {
		/* only the leaf counts, until something is removed there */
		near->node[0] = path->node[0];
		near->at[0] = path->at[0] + has_before;
		return near;
	}
	*far = *path;
	return tree_next(tree, far) ? far : NULL;
}

static int tell_overlap(struct busway_range a, struct busway_range b, struct busway_range *overlap)
{
	busway_range_common(a, b, overlap);
	return -BUSWAY_ERANGE;
}

/* @range closes the gap between the entry at @path and the one behind it. */
static void close_gap(struct tree *tree, struct tree_path *path, struct tree_path *behind,
		      bool is_near)
{
	const uint64_t last = path_value(behind);

	tree_replace(tree, path, path_first(path), last);
	if (is_near) {
		path->at[0]++;
		behind = path;
	}
	tree_remove(tree, behind);
}

int extents_give(struct tree *tree, struct busway_range range, struct busway_range *overlap)
{
	struct tree_path path, near, far, *behind;
	bool has_before, joins_before, joins_behind;

	has_before = tree_find(tree, range.first, &path);
	if (has_before && path_value(&path) >= range.first)
		return tell_overlap(range, entry_of(&path), overlap);
	behind = entry_behind(tree, &path, has_before, &near, &far);
	if (behind && path_first(behind) <= range.last)
		return tell_overlap(range, entry_of(behind), overlap);
	joins_before = has_before && busway_range_adjoins(entry_of(&path), range);
	joins_behind = behind && busway_range_adjoins(range, entry_of(behind));
	if (joins_before && joins_behind) {
		close_gap(tree, &path, behind, behind == &near);
	} else if (joins_before) {
		tree_replace(tree, &path, path_first(&path), range.last);
	} else if (joins_behind && behind == &near) {
		path.at[0] = near.at[0];
		tree_replace(tree, &path, range.first, path_value(&path));
	} else if (joins_behind) {
		tree_replace(tree, behind, range.first, path_value(behind));
	} else {
		if (!tree_can_insert(tree, &path))
			return -BUSWAY_ENOMEM;
		path.at[0] += has_before;
		tree_insert(tree, &path, range.first, range.last);
	}
	return 0;
}
