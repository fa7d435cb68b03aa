/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dirty.c - which pages devices have written to, where the IOMMU marks them.
 *
 * Arm DDI 0487 D8.5 (DBM, with AP[2] or S2AP[1] as the mark), VT-d 9.8 (D), AMD 48882 2.2.3 (D),
 * RISC-V Privileged Architecture (D, with Svadu or the IOMMU's SADE). Of a page of several entries,
 * any may be marked.
 */
#include "skip.h"

struct reader {
	struct busway_pagetable *pt;
	bool clear;
	busway_run_visitor *visit;
	void *ctx;
};

static uint64_t made_clean(const struct format *f, uint64_t entry)
{
	return f->dirty_if_clear ? entry | f->dirty : entry & ~f->dirty;
}

/* Was it, and is it no longer so? Meanwhile parts of the page may be split off and unmapped. */
static bool read_entry(const struct reader *r, uint64_t *at, unsigned level)
{
	const struct format *f = r->pt->format;
	uint64_t entry = entry_read(at);

	/* pages that cannot be written are not marked, whatever the bit says */
	while (is_present(f, entry) && is_leaf(f, entry, level) && is_dirty(f, entry) &&
	       (f->prot(r->pt, entry) & BUSWAY_WRITE)) {
		if (!r->clear || entry_replace(at, &entry, made_clean(f, entry)))
			return true;
	}
	return false;
}

/* The page that begins at or before the entry for @first, all of its entries. @gone: it has become
 * a table, whose pages know what was written. */
static bool read_page(const struct reader *r, uint64_t *at, unsigned level,
		      struct busway_range inside, struct busway_range *page, bool *gone)
{
	const struct busway_pagetable *pt = r->pt;
	const struct format *f = pt->format;
	const uint64_t entry = entry_read(at);
	const unsigned lg2 = f->page_lg2(pt, entry, level), shift = level_shift(pt, level);
	const uint64_t *own = at;
	struct busway_mapped_run run;
	bool dirty = false;

	*page = (struct busway_range){inside.first & ~low_bits(lg2), inside.first | low_bits(lg2)};
	at -= (size_t)((inside.first - page->first) >> shift);
	for (size_t i = 0; i < (size_t)1 << (lg2 - shift); i++)
		dirty |= read_entry(r, at + i, level);
	if (!dirty) {
		*gone = is_table(f, entry_read(own), level);
		return true;
	}
	clean(pt, at, (size_t)1 << (lg2 - shift));
	run = (struct busway_mapped_run){
		.iova = busway_dma_range(*page),
		.phys = {page_phys(f, pt, entry, lg2)},
		.prot = f->prot(pt, entry),
		.page_sizes = (uint64_t)1 << lg2,
	};
	return r->visit(r->ctx, &run);
}

static bool read_table(const struct reader *r, uint64_t *table, unsigned level,
		       struct busway_range range)
{
	const struct busway_pagetable *pt = r->pt;
	const struct format *f = pt->format;
	const uint64_t low = low_bits(level_shift(pt, level));
	struct busway_range part = {range.first, range.first | low};

	for (;;) {
		uint64_t *at = table + level_index(pt, level, part.first);
		const uint64_t entry = entry_read(at);
		struct busway_range inside = {part.first,
					      part.last < range.last ? part.last : range.last};
		struct busway_range page = part;
		bool gone = false;

		if (is_table(f, entry, level)) {
			if (table_part(f, pt, entry, level, &inside) &&
			    !read_table(r, table_of(f, pt, entry), level_below(f, entry, level),
					inside))
				return false;
		} else if (is_present(f, entry)) {
			if (!read_page(r, at, level, inside, &page, &gone))
				return false;
			if (gone)
				continue;
		}
		if (page.last >= range.last)
			return true;
		part.first = page.last + 1;
		part.last = part.first | low;
	}
}

int busway_pagetable_dirty(struct busway_pagetable *pt, struct busway_dma_range range, bool clear,
			   busway_run_visitor *visit, void *ctx)
{
	const struct reader reader = {pt, clear, visit, ctx};
	struct busway_range inputs[2], part;
	const unsigned count = busway_pagetable_input(pt, inputs);

	if (!pt->track_dirty || !pt->format->dirty)
		return -BUSWAY_EINVAL;
	for (unsigned i = 0; i < count; i++)
		if (busway_range_common(inputs[i], busway_dma_raw(range), &part) &&
		    !read_table(&reader, pt->root, pt->top, part))
			break;
	return 0;
}
