/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - where tables come from, and where they go.
 *
 * A table that is in no tree is linked to the next through its first entry. The address of a table
 * has its low bits clear, so that hardware that still finds the table sees an empty entry there.
 */
#include "skip.h"

static size_t table_size(const struct busway_pagetable *pt)
{
	return (size_t)1 << pt->granule_lg2;
}

/* ---- the allocator ---- */

/* NULL: no memory; or it lies where the IOMMU cannot be sent to. */
static uint64_t *table_take(struct busway_pagetable *pt, size_t size, busway_phys_t *phys)
{
	uint64_t *table = pt->tables.alloc(pt->tables.ctx, size, phys);

	if (!table)
		return NULL;
	if ((phys->raw & (size - 1)) || phys->raw > pt->output_last ||
	    size - 1 > pt->output_last - phys->raw || table_pointer(pt, phys->raw) != table) {
		pt->tables.free(pt->tables.ctx, table, *phys, size);
		return NULL;
	}
	entries_clear(table, size / sizeof(*table));
	clean(pt, table, size / sizeof(*table));
	return table;
}

bool table_take_root(struct busway_pagetable *pt, size_t size)
{
	pt->root = table_take(pt, size, &pt->root_phys);
	return pt->root != NULL;
}

/* ---- lists ---- */

void tables_push(const struct busway_pagetable *pt, struct table_list *list, uint64_t phys)
{
	uint64_t *table = table_pointer(pt, phys);

	entry_write(table, list->count ? list->head : 0);
	clean(pt, table, 1);
	list->head = phys;
	list->count++;
}

static uint64_t *unlink_first(struct busway_pagetable *pt, struct table_list *list, uint64_t *phys)
{
	uint64_t *table = table_pointer(pt, list->head);

	*phys = list->head;
	list->head = entry_read(table);
	list->count--;
	return table;
}

uint64_t *tables_pop(struct busway_pagetable *pt, struct table_list *list, uint64_t *phys)
{
	uint64_t *table = unlink_first(pt, list, phys);

	entry_write(table, 0);
	clean(pt, table, 1);
	return table;
}

void tables_give(struct busway_pagetable *pt, struct table_list *list)
{
	while (list->count) {
		uint64_t phys;
		uint64_t *table = unlink_first(pt, list, &phys);

		pt->tables.free(pt->tables.ctx, table, busway_phys(phys), table_size(pt));
	}
}

bool tables_take(struct busway_pagetable *pt, struct table_list *list, size_t count)
{
	struct table_list taken = {0, 0};

	while (taken.count < count) {
		busway_phys_t phys;

		if (!table_take(pt, table_size(pt), &phys)) {
			tables_give(pt, &taken);
			return false;
		}
		tables_push(pt, &taken, phys.raw);
	}
	while (taken.count) {
		uint64_t phys;

		unlink_first(pt, &taken, &phys);
		tables_push(pt, list, phys);
	}
	return true;
}

void busway_pagetable_release(struct busway_pagetable *pt, struct busway_freed_tables *freed)
{
	struct table_list list = {freed->head_.raw, freed->count};

	if (!list.count)
		return;
	tables_give(pt, &list);
	*freed = (struct busway_freed_tables){{0}, 0};
}

/* ---- trees ---- */

void tables_destroy_below(struct busway_pagetable *pt, uint64_t *table, unsigned level)
{
	const struct format *f = pt->format;

	for (size_t i = 0; level && i <= level_mask(pt, level); i++) {
		const uint64_t entry = entry_read(table + i);
		uint64_t *below;

		if (!is_table(f, entry, level))
			continue;
		below = table_of(f, pt, entry);
		tables_destroy_below(pt, below, level_below(f, entry, level));
		pt->tables.free(pt->tables.ctx, below, busway_phys(f->address(pt, entry)),
				table_size(pt));
	}
}

static void trim(struct busway_pagetable *pt, uint64_t *table, unsigned level,
		 struct busway_range range, struct table_list *freed);

/* The table that @at, an entry of @level, leads to. */
static void trim_below(struct busway_pagetable *pt, uint64_t *at, unsigned level,
		       struct busway_range range, struct table_list *freed)
{
	const struct format *f = pt->format;
	const uint64_t entry = entry_read(at);
	uint64_t *below = table_of(f, pt, entry);

	trim(pt, below, level_below(f, entry, level), range, freed);
	if (!fills_table(f, pt, entry, level, range) ||
	    entries_any(below, (size_t)1 << pt->index_bits))
		return;
	entry_write(at, 0);
	clean(pt, at, 1);
	tables_push(pt, freed, f->address(pt, entry));
}

static void trim(struct busway_pagetable *pt, uint64_t *table, unsigned level,
		 struct busway_range range, struct table_list *freed)
{
	const struct format *f = pt->format;
	const uint64_t low = low_bits(level_shift(pt, level));
	struct busway_range part = {range.first, range.first | low};

	if (!level)
		return;
	for (size_t i = level_index(pt, level, range.first);; i++) {
		const uint64_t entry = entry_read(table + i);

		if (is_table(f, entry, level)) {
			struct busway_range inside = {
				part.first, part.last < range.last ? part.last : range.last};

			if (table_part(f, pt, entry, level, &inside))
				trim_below(pt, table + i, level, inside, freed);
		}
		if (part.last >= range.last)
			return;
		part.first = part.last + 1;
		part.last = part.first | low;
	}
}

void tables_trim(struct busway_pagetable *pt, struct busway_range range,
		 struct busway_freed_tables *freed)
{
	struct table_list list = {freed->head_.raw, freed->count};

	trim(pt, pt->root, pt->top, range, &list);
	*freed = (struct busway_freed_tables){{list.head}, list.count};
}

void busway_pagetable_trim(struct busway_pagetable *pt, struct busway_dma_range range,
			   struct busway_freed_tables *freed)
{
	const struct busway_range raw = busway_dma_raw(range);

	if (raw.first <= raw.last && takes_input(pt, raw))
		tables_trim(pt, raw, freed);
}
