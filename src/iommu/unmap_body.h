/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unmap_body.h - unmapping, written once for all formats: whole pages of one table.
 *
 * Each format makes an instance of unmap_body(). What takes tables apart or away goes to
 * unmap_slowly().
 */
#ifndef BUSWAY_IOMMU_UNMAP_BODY_H
#define BUSWAY_IOMMU_UNMAP_BODY_H

#include "walk.h"

/* Of pages that are made of several entries: is none cut by the ends of the range? */
INLINE bool keeps_runs(const struct format *f, const struct busway_pagetable *pt,
		       const uint64_t *at, unsigned level, size_t count, struct busway_range range)
{
	if (!pt->runs[level])
		return true;
	return !(range.first & low_bits(f->page_lg2(pt, entry_read(at), level))) &&
	       !((range.last + 1) & low_bits(f->page_lg2(pt, entry_read(at + count - 1), level)));
}

/* A single page. @fast: .writes_fast is set. */
INLINE bool unmap_page(const struct format *f, struct busway_pagetable *pt,
		       struct busway_range range, struct busway_freed_tables *freed,
		       uint64_t *unmapped, bool fast)
{
	const uint64_t span = busway_range_span(range);
	unsigned level;
	uint64_t *at, entry;

	if (!LIKELY(range.last <= pt->input_last && !(range.first & span)))
		return false;
	at = fast ? walk_fast(f, pt, range.first, 0, &level, &entry)
		  : walk_to(f, pt, range.first, 0, &level, &entry);
	/* where the walk of a page's first byte ends is no table: if something is there, it is a
	 * page */
	if (!LIKELY(span == pt->page_span[level] && is_present(f, entry) &&
		    (!pt->runs[level] || f->page_lg2(pt, entry, level) == level_shift(pt, level))))
		return false;
	entry_write(at, 0);
	if (unmapped)
		*unmapped = span + 1;
	if (fast)
		return true;
	clean(pt, at, 1);
	if (pt->exclusive)
		unmap_tidy(pt, range.first, freed);
	return true;
}

/* Whole pages of one table. */
INLINE int unmap_more_body(const struct format *f, struct busway_pagetable *pt,
			   struct busway_range range, unsigned flags,
			   struct busway_freed_tables *freed, uint64_t *unmapped,
			   struct busway_refusal *why)
{
	const uint64_t span = busway_range_span(range);
	unsigned level, shift;
	uint64_t *at, entry;
	size_t count;

	if (!pt->writes_fast && unmap_page(f, pt, range, freed, unmapped, false))
		return 0;
	if (range.last < range.first || ((range.first | (range.last + 1)) & pt->page_span[0]) ||
	    !takes_input(pt, range))
		return explain_range(pt, range, why);
	at = walk_to(f, pt, range.first, 0, &level, &entry);
	shift = level_shift(pt, level);
	count = (size_t)(span >> shift) + 1;
	/* pages as a whole, of one table, and not all that it could map: then it would go as well
	 */
	if (((range.first | (range.last + 1)) & pt->page_span[level]) ||
	    (level != pt->top && ((range.first ^ range.last) >> shift >> pt->index_bits ||
				  count > low_bits(pt->index_bits))) ||
	    entries_wrong(f->leaf, level ? f->leaf.mask : 0, at, count) ||
	    !keeps_runs(f, pt, at, level, count, range))
		return unmap_slowly(pt, range, flags, freed, unmapped, why);
	entries_clear(at, count);
	clean(pt, at, count);
	if (unmapped)
		*unmapped = span + 1;
	if (pt->exclusive)
		unmap_tidy(pt, range.first, freed);
	return 0;
}

/* A single page of the usual table; all else goes to @more. */
INLINE int unmap_body(const struct format *f, struct busway_pagetable *pt,
		      struct busway_range range, unsigned flags, struct busway_freed_tables *freed,
		      uint64_t *unmapped, struct busway_refusal *why, unmap_call *more)
{
	if (LIKELY(pt->writes_fast) && unmap_page(f, pt, range, freed, unmapped, true))
		return 0;
	return more(pt, range, flags, freed, unmapped, why);
}

#endif
