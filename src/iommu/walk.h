/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h - the way from the root to the entry for an IOVA.
 */
#ifndef BUSWAY_IOMMU_WALK_H
#define BUSWAY_IOMMU_WALK_H

#include "pagetable_internal.h"

/* ---- any table ---- */

/* skip.c: walk_to() where entries may leave levels out; then an entry that leads to where @iova is
 * not, or below @target, may be the end. */
uint64_t *walk_skipping(const struct busway_pagetable *pt, uint64_t iova, unsigned target,
			unsigned *level);

/*
 * The entry for @iova: of @target's level, or of a higher one where the way ends before.
 * @level becomes the level that was reached, and @entry what was read there. Whoever reads it once
 * more may find a table that another thread has put there since, and take it for a page.
 */
INLINE uint64_t *walk_to(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			 unsigned target, unsigned *level, uint64_t *entry)
{
	const unsigned bits = f->index_bits ? f->index_bits : pt->index_bits;
	const uint64_t mask = ((uint64_t)1 << bits) - 1;
	unsigned shift = pt->top_shift, at_level = pt->top;
	uint64_t *at = pt->root + (size_t)(iova >> shift & pt->root_mask);

	if (f->next_lg2 && pt->skip_levels) {
		at = walk_skipping(pt, iova, target, level);
		*entry = entry_read(at); /* calls exclude each other */
		return at;
	}
	*entry = entry_read(at);
	if (LIKELY(pt->direct)) {
		const uintptr_t offset = pt->offset;

		while (at_level > target && f->leads_on(*entry)) {
			at_level--;
			shift -= bits;
			at = (uint64_t *)((uintptr_t)f->direct_address(*entry) + offset) +
			     (size_t)(iova >> shift & mask);
			*entry = entry_read(at);
		}
		*level = at_level;
		return at;
	}
	while (at_level > target && f->leads_on(*entry)) {
		at_level--;
		shift -= bits;
		at = table_of(f, pt, *entry) + (size_t)(iova >> shift & mask);
		*entry = entry_read(at);
	}
	*level = at_level;
	return at;
}

/* Where a walk ended: is it a page? All but AMD's entries cannot be anything else there. */
INLINE bool is_page(const struct format *f, uint64_t entry, unsigned level)
{
	return is_present(f, entry) && !(f->next_lg2 && is_table(f, entry, level));
}

/* ---- the usual table ---- */

/* From an entry down to the one below, whose index begins at bit @shift of @iova. False: no table.
 */
INLINE bool step_down(const struct format *f, uintptr_t offset, uint64_t iova, unsigned shift,
		      uint64_t **at, uint64_t *entry)
{
	if (!f->leads_on(*entry))
		return false;
	*at = (uint64_t *)(offset + (uintptr_t)(iova >> (shift - 3) & 0xff8) +
			   (uintptr_t)f->direct_address(*entry));
	*entry = entry_read(*at);
	return true;
}

/* walk_to() with .walks_fast: three or four levels of 512 entries, nothing to look up on the way.
 */
INLINE uint64_t *walk_fast(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			   unsigned target, unsigned *level, uint64_t *entry)
{
	const uintptr_t offset = pt->offset;
	uint64_t *at = pt->root + (size_t)(iova >> pt->top_shift & pt->root_mask);

	*entry = entry_read(at);
	if (LIKELY(pt->top == 3)) {
		*level = 3;
		if (target == 3 || !step_down(f, offset, iova, 30, &at, entry))
			return at;
	}
	*level = 2;
	if (target == 2 || !step_down(f, offset, iova, 21, &at, entry))
		return at;
	*level = 1;
	if (target == 1 || !step_down(f, offset, iova, 12, &at, entry))
		return at;
	*level = 0;
	return at;
}

#endif
