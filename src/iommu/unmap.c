/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unmap.c - unmapping any range: pages are split where it ends inside them, and tables go.
 *
 *   survey   is all of it mapped? which pages does it cut? how many tables does splitting take?
 *   split    at both ends, with tables that were taken before
 *   clear    what is left are whole pages
 */
#include "skip.h"

/* ---- clearing ---- */

static void give_up_tree(struct busway_pagetable *pt, uint64_t entry, unsigned level,
			 struct table_list *freed)
{
	const struct format *f = pt->format;
	const uint64_t *table = table_of(f, pt, entry);

	for (size_t i = 0; level && i < (size_t)1 << pt->index_bits; i++) {
		const uint64_t below = entry_read(table + i);

		if (is_table(f, below, level))
			give_up_tree(pt, below, level_below(f, below, level), freed);
	}
	tables_push(pt, freed, f->address(pt, entry));
}

static void clear_table(struct busway_pagetable *pt, uint64_t *table, unsigned level,
			struct busway_range range, struct table_list *freed);

/* The table that @at, an entry of @level, leads to. */
static void clear_below(struct busway_pagetable *pt, uint64_t *at, unsigned level,
			struct busway_range range, struct table_list *freed)
{
	const struct format *f = pt->format;
	const uint64_t entry = entry_read(at);
	const unsigned below = level_below(f, entry, level);

	if (!freed || !fills_table(f, pt, entry, level, range)) {
		clear_table(pt, table_of(f, pt, entry), below, range, freed);
		return;
	}
	entry_write(at, 0);
	clean(pt, at, 1);
	give_up_tree(pt, entry, below, freed);
}

static void clear_table(struct busway_pagetable *pt, uint64_t *table, unsigned level,
			struct busway_range range, struct table_list *freed)
{
	const struct format *f = pt->format;
	const uint64_t low = low_bits(level_shift(pt, level));
	const size_t first = level_index(pt, level, range.first);
	const size_t count =
		(size_t)(((range.last | low) - range.first) >> level_shift(pt, level)) + 1;
	struct busway_range part = {range.first, range.first | low};

	if (!level) {
		entries_clear(table + first, count);
		clean(pt, table + first, count);
		return;
	}
	for (size_t i = first;; i++) {
		struct busway_range inside = {part.first,
					      part.last < range.last ? part.last : range.last};
		const uint64_t entry = entry_read(table + i);

		if (is_table(f, entry, level)) {
			if (table_part(f, pt, entry, level, &inside))
				clear_below(pt, table + i, level, inside, freed);
		} else if (entry) {
			entry_write(table + i, 0);
			clean(pt, table + i, 1);
		}
		if (part.last >= range.last)
			return;
		part.first = part.last + 1;
		part.last = part.first | low;
	}
}

void clear_range(struct busway_pagetable *pt, struct busway_range range, struct table_list *freed)
{
	clear_table(pt, pt->root, pt->top, range, freed);
}

/* ---- looking ---- */

struct survey {
	uint64_t mapped; /* bytes */
	struct busway_range hole, cut;
	bool has_hole, has_cut;
};

/*
 * From @pos on: as many whole leaves, or as much of a hole, as one table has; with @ends no more
 * than one leaf. Returns the last IOVA of it that is in the range.
 */
static uint64_t survey_piece(const struct busway_pagetable *pt, struct busway_range range,
			     uint64_t pos, bool ends, struct survey *s)
{
	const struct format *f = pt->format;
	unsigned level;
	uint64_t entry;
	const uint64_t *at = walk_to(f, pt, pos, 0, &level, &entry);
	const unsigned shift = level_shift(pt, level);
	const size_t index = level_index(pt, level, pos);
	const struct busway_range page = page_around(pt, pos);
	size_t count = ends ? 1 : (size_t)((range.last - pos) >> shift) + 1;
	uint64_t last;

	if (count > level_mask(pt, level) + 1 - index)
		count = (size_t)(level_mask(pt, level) + 1 - index);
	if (!is_page(f, entry, level)) {
		last = page.last < range.last ? page.last : range.last;
		if (!s->has_hole)
			s->hole = (struct busway_range){pos, last};
		s->has_hole = true;
		return last;
	}
	if ((pos & low_bits(shift)) || pt->runs[level] || (count == 1 && page.last > range.last) ||
	    entries_wrong(f->leaf, level ? f->leaf.mask : 0, at, count))
		last = page.last; /* one at a time */
	else
		last = pos + (((uint64_t)count << shift) - 1);
	if (page.first < range.first || last > range.last) {
		s->cut = page_around(pt, last > range.last ? range.last : range.first);
		s->has_cut = true;
		last = last < range.last ? last : range.last;
	}
	s->mapped += last - pos + 1;
	return last;
}

/* @ends: nothing is asked but whether pages are cut, and only the two ends can do that. */
static struct survey survey(const struct busway_pagetable *pt, struct busway_range range, bool ends)
{
	struct survey s = {0};
	uint64_t pos = range.first;

	for (;;) {
		const uint64_t last = survey_piece(pt, range, pos, ends, &s);

		if (last >= range.last)
			return s;
		pos = ends ? range.last : last + 1;
	}
}

/* ---- all of it ---- */

static int split_ends(struct busway_pagetable *pt, struct busway_range range,
		      struct busway_range cut, struct busway_refusal *why)
{
	struct table_list spare = {0, 0};
	size_t count = 0;

	if (!pt->split || !split_tables(pt, range.first, &count) ||
	    !split_tables(pt, range.last + 1, &count))
		return explain(pt, BUSWAY_WOULD_SPLIT, range, cut, why);
	if (!tables_take(pt, &spare, count))
		return -BUSWAY_ENOMEM;
	/* others may be at it, too: then there is less to do than was counted */
	split_begin(pt);
	split_at(pt, range.first, &spare);
	split_at(pt, range.last + 1, &spare);
	split_end(pt);
	tables_give(pt, &spare);
	return 0;
}

int unmap_slowly(struct busway_pagetable *pt, struct busway_range range, unsigned flags,
		 struct busway_freed_tables *freed, uint64_t *unmapped, struct busway_refusal *why)
{
	const bool holes = flags & BUSWAY_UNMAP_HOLES;
	const struct survey s = survey(pt, range, holes && !unmapped);
	struct table_list list = {freed->head_.raw, freed->count};

	if (s.has_hole && !holes)
		return explain(pt, BUSWAY_NOT_MAPPED, range, s.hole, why);
	if (s.has_cut) {
		const int status = split_ends(pt, range, s.cut, why);

		if (status)
			return status;
	}
	clear_range(pt, range, &list);
	*freed = (struct busway_freed_tables){{list.head}, list.count};
	if (unmapped)
		*unmapped = s.mapped;
	if (pt->exclusive) {
		unmap_tidy(pt, range.first, freed);
		unmap_tidy(pt, range.last, freed);
	}
	return 0;
}

/* ---- tidying ---- */

static bool tidy(struct busway_pagetable *pt, uint64_t *table, unsigned level, uint64_t iova,
		 struct table_list *freed)
{
	const struct format *f = pt->format;
	uint64_t *at = table + level_index(pt, level, iova);
	const uint64_t entry = entry_read(at);

	if (is_table(f, entry, level)) {
		struct busway_range here = {iova, iova};

		if (!table_part(f, pt, entry, level, &here) ||
		    !tidy(pt, table_of(f, pt, entry), level_below(f, entry, level), iova, freed))
			return false;
		entry_write(at, 0);
		clean(pt, at, 1);
		tables_push(pt, freed, f->address(pt, entry));
	}
	return level != pt->top && !entries_any(table, (size_t)1 << pt->index_bits);
}

void unmap_tidy(struct busway_pagetable *pt, uint64_t iova, struct busway_freed_tables *freed)
{
	enum { NEAR = 8 };
	struct table_list list = {freed->head_.raw, freed->count};
	unsigned level;
	uint64_t entry;
	const uint64_t *at = walk_to(pt->format, pt, iova, 0, &level, &entry);
	const size_t left = (size_t)(level_mask(pt, level) + 1) - level_index(pt, level, iova);

	/* mostly something near is mapped still */
	if (entries_any(at, left < NEAR ? left : NEAR))
		return;
	tidy(pt, pt->root, pt->top, iova, &list);
	*freed = (struct busway_freed_tables){{list.head}, list.count};
}
