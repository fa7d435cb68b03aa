/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skip.h - entries that lead several levels down at once.
 *
 *   level 3   |entry| ------------------.        IOVA bits of levels 2 and 1 are 0: else nothing
 *   level 2                             |        is mapped
 *   level 1                             v
 *   level 0                          |table|
 *
 * Only AMD's format has them, and only tables with .skip_levels: AMD 48882, section 2.2.3.
 */
#ifndef BUSWAY_IOMMU_SKIP_H
#define BUSWAY_IOMMU_SKIP_H

#include "walk.h"

/* The level of the table that an entry of @level leads to. */
INLINE unsigned level_below(const struct format *f, uint64_t entry, unsigned level)
{
	return f->next_lg2 ? (unsigned)(entry >> f->next_lg2 & 7) - 1 : level - 1;
}

/* The highest level above @below, and below @level, whose index in @iova is not 0; or @below. */
INLINE unsigned highest_index(const struct busway_pagetable *pt, uint64_t iova, unsigned level,
			      unsigned below)
{
	do
		level--;
	while (level > below && !level_index(pt, level, iova));
	return level;
}

/*
 * @range is all or a part of what an entry of @level translates: cut it to what the table that the
 * entry leads to can map. False: nothing of it.
 */
INLINE bool table_part(const struct format *f, const struct busway_pagetable *pt, uint64_t entry,
		       unsigned level, struct busway_range *range)
{
	const unsigned below = level_below(f, entry, level);
	uint64_t last;

	if (below + 1 == level)
		return true;
	if (highest_index(pt, range->first, level, below) != below)
		return false;
	last = range->first | low_bits(level_shift(pt, below + 1));
	range->last = range->last < last ? range->last : last;
	return true;
}

/* Is it all that the table can map to which an entry of @level leads? */
INLINE bool fills_table(const struct format *f, const struct busway_pagetable *pt, uint64_t entry,
			unsigned level, struct busway_range range)
{
	return busway_range_span(range) ==
	       low_bits(level_shift(pt, level_below(f, entry, level) + 1));
}

#endif
