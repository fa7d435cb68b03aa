/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skip.c - the way through a table whose entries may leave levels out.
 */
#include "skip.h"

uint64_t *walk_skipping(const struct busway_pagetable *pt, uint64_t iova, unsigned target,
			unsigned *level)
{
	const struct format *f = pt->format;
	unsigned at_level = pt->top;
	uint64_t *at = pt->root + level_index(pt, at_level, iova);

	while (at_level > target) {
		const uint64_t entry = entry_read(at);
		unsigned below;

		if (!f->leads_on(entry))
			break;
		below = level_below(f, entry, at_level);
		if (below < target || highest_index(pt, iova, at_level, below) != below)
			break;
		at_level = below;
		at = table_of(f, pt, entry) + level_index(pt, below, iova);
	}
	*level = at_level;
	return at;
}

bool busway_pagetable_replaced(struct busway_pagetable *pt)
{
	const bool replaced = pt->replaced;

	pt->replaced = false;
	return replaced;
}
