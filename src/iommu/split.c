/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * split.c - a page becomes smaller ones that map the same.
 *
 *   |---------2M---------|      cut at 12K      |4K|4K|4K|4K ...|
 *
 * A page of several entries becomes pages of one; a large page becomes a table. What devices do in
 * between is not lost: an entry is replaced only if it is still what the new ones were made of, and
 * pages whose state cannot be known for each part count as written.
 */
#include "map_body.h"

/* The bits of a leaf made of @entry: its rights, and what the IOMMU noted. */
static uint64_t bits_like(const struct busway_pagetable *pt, uint64_t entry, bool dirty)
{
	const struct format *f = pt->format;
	uint64_t bits = pt->attributes[f->prot(pt, entry)];

	bits = (bits & ~f->accessed) | (entry & f->accessed);
	if (pt->track_dirty && (dirty || is_dirty(f, entry)))
		bits = f->dirty_if_clear ? bits & ~f->dirty : bits | f->dirty;
	return bits;
}

/* Where the page that @cut cuts is; false: it cuts none. */
static bool find_cut(const struct busway_pagetable *pt, uint64_t cut, uint64_t **at,
		     unsigned *level, unsigned *lg2)
{
	const struct format *f = pt->format;
	uint64_t entry;

	if (!takes_input(pt, (struct busway_range){cut, cut}))
		return false;
	*at = walk_to(f, pt, cut, 0, level, &entry);
	if (!is_page(f, entry, *level))
		return false;
	*lg2 = f->page_lg2(pt, entry, *level);
	return (cut & low_bits(*lg2)) != 0;
}

bool split_tables(const struct busway_pagetable *pt, uint64_t cut, size_t *count)
{
	unsigned level, lg2;
	uint64_t *at;

	if (!find_cut(pt, cut, &at, &level, &lg2))
		return true;
	for (; level && (cut & low_bits(level_shift(pt, level))); level--) {
		if (!(pt->leaf_levels >> (level - 1) & 1))
			return false;
		(*count)++;
	}
	return true;
}

/* A page of several entries becomes one page each. */
static void dissolve(struct busway_pagetable *pt, uint64_t *at, uint64_t iova, unsigned level,
		     unsigned lg2)
{
	const struct format *f = pt->format;
	const unsigned shift = level_shift(pt, level);
	const size_t count = (size_t)1 << (lg2 - shift);
	uint64_t *first = at - (size_t)((iova & low_bits(lg2)) >> shift);
	const uint64_t phys = page_phys(f, pt, entry_read(first), lg2);

	for (size_t i = 0; i < count; i++) {
		uint64_t entry = entry_read(first + i), part;

		/* any of the entries may have been marked for the whole page */
		do
			part = f->leaf_entry(
				pt, bits_like(pt, entry, (f->prot(pt, entry) & BUSWAY_WRITE) != 0),
				phys + ((uint64_t)i << shift), level, 0);
		while (!entry_replace(first + i, &entry, part));
	}
	clean(pt, first, count);
}

/* A large page becomes a table of pages of the next level. */
static void lower(struct busway_pagetable *pt, uint64_t *at, uint64_t iova, unsigned level,
		  struct table_list *list)
{
	const struct format *f = pt->format;
	const unsigned shift = level_shift(pt, level);
	const size_t count = (size_t)1 << pt->index_bits;
	uint64_t entry = entry_read(at), phys, to;
	uint64_t *table = tables_pop(pt, list, &phys);

	do {
		write_run(f, pt, table, level - 1, iova & ~low_bits(shift),
			  page_phys(f, pt, entry, shift), count, bits_like(pt, entry, false));
		clean(pt, table, count);
		to = f->table_entry(pt, phys, level - 1);
	} while (!entry_replace(at, &entry, to));
	clean(pt, at, 1);
}

void split_at(struct busway_pagetable *pt, uint64_t cut, struct table_list *list)
{
	unsigned level, lg2;
	uint64_t *at;

	while (find_cut(pt, cut, &at, &level, &lg2)) {
		if (lg2 > level_shift(pt, level))
			dissolve(pt, at, cut, level, lg2);
		else
			lower(pt, at, cut, level, list);
	}
}

/* Both: other threads split other parts of the same page, and unmap what they have split. */
void split_begin(struct busway_pagetable *pt)
{
	lock_take(&pt->splits);
	__atomic_store_n(&pt->splitting, true, __ATOMIC_RELAXED);
}

void split_end(struct busway_pagetable *pt)
{
	__atomic_store_n(&pt->splitting, false, __ATOMIC_RELEASE);
	lock_give(&pt->splits);
}
