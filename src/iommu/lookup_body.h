/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup_body.h - what an IOVA translates to, written once for all formats.
 */
#ifndef BUSWAY_IOMMU_LOOKUP_BODY_H
#define BUSWAY_IOMMU_LOOKUP_BODY_H

#include "pagetable_internal.h"

INLINE bool lookup_body(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			struct busway_translation *out)
{
	unsigned level, lg2;
	uint64_t entry;

	if (!takes_input(pt, (struct busway_range){iova, iova}))
		return false;
	entry = entry_read(walk_to(f, pt, iova, 0, &level));
	if (!is_page(f, entry, level))
		return false;
	lg2 = f->page_lg2(pt, entry, level);
	out->phys = busway_phys(page_phys(f, pt, entry, lg2) | (iova & low_bits(lg2)));
	out->prot = (uint16_t)f->prot(pt, entry);
	out->page_lg2 = (uint8_t)lg2;
	out->accessed = (entry & f->accessed) != 0;
	out->dirty = pt->track_dirty && is_dirty(f, entry);
	return true;
}

#endif
