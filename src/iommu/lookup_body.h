/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup_body.h - what an IOVA translates to, written once for all formats.
 */
#ifndef BUSWAY_IOMMU_LOOKUP_BODY_H
#define BUSWAY_IOMMU_LOOKUP_BODY_H

#include "walk.h"

INLINE void describe_leaf(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			  uint64_t entry, unsigned level, struct busway_translation *out)
{
	const unsigned lg2 = f->page_lg2(pt, entry, level);

	out->phys = busway_phys(page_phys(f, pt, entry, lg2) | (iova & low_bits(lg2)));
	out->prot = (uint16_t)f->prot(pt, entry);
	out->page_lg2 = (uint8_t)lg2;
	out->accessed = (entry & f->accessed) != 0;
	out->dirty = pt->track_dirty && is_dirty(f, entry);
}

/* In any table. */
INLINE bool lookup_more_body(const struct format *f, const struct busway_pagetable *pt,
			     uint64_t iova, struct busway_translation *out)
{
	unsigned level;
	uint64_t entry;

	if (!takes_input(pt, (struct busway_range){iova, iova}))
		return false;
	(void)walk_to(f, pt, iova, 0, &level, &entry);
	if (!is_page(f, entry, level))
		return false;
	describe_leaf(f, pt, iova, entry, level, out);
	return true;
}

/* In the usual one; all else goes to @more. */
INLINE bool lookup_body(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			struct busway_translation *out, lookup_call *more)
{
	unsigned level;
	uint64_t entry, differs;

	if (!LIKELY(pt->walks_fast && iova <= pt->input_last))
		return more(pt, iova, out);
	(void)walk_fast(f, pt, iova, 0, &level, &entry);
	if (!is_present(f, entry))
		return false;
	/* most pages are alike but for their addresses, and a bit at most; not if they are dirty
	 * and that is tracked */
	differs = (entry ^ pt->usual_leaf[level]) & ~(f->address_bits | f->accessed);
	if (LIKELY(!(differs & ~f->option))) {
		out->phys = busway_phys(f->direct_address(entry) | (iova & pt->page_span[level]));
		out->prot = (uint16_t)(BUSWAY_READ_WRITE | differs >> f->option_shift);
		out->page_lg2 = (uint8_t)(12 + 9 * level);
		out->accessed = (entry & f->accessed) != 0;
		out->dirty = false;
		return true;
	}
	describe_leaf(f, pt, iova, entry, level, out);
	return true;
}

#endif
