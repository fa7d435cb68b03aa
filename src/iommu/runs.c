/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * runs.c - a page table as people see it: runs of IOVAs, and the tables themselves.
 */
#include "../base/text.h"
#include "skip.h"

/* ---- runs ---- */

struct merger {
	const struct busway_pagetable *pt;
	busway_run_visitor *visit;
	void *ctx;
	struct busway_mapped_run run;
	bool has_run;
};

static bool adjoins(const struct busway_mapped_run *a, const struct busway_mapped_run *b)
{
	const struct busway_range iova = busway_dma_raw(a->iova);

	return busway_range_adjoins(iova, busway_dma_raw(b->iova)) && a->prot == b->prot &&
	       b->phys.raw - a->phys.raw == b->iova.first.raw - a->iova.first.raw;
}

/* One page more; false: stop. */
static bool merge(struct merger *m, const struct busway_mapped_run *page)
{
	if (m->has_run && adjoins(&m->run, page)) {
		m->run.iova.last = page->iova.last;
		m->run.page_sizes |= page->page_sizes;
		return true;
	}
	if (m->has_run && !m->visit(m->ctx, &m->run))
		return false;
	m->run = *page;
	m->has_run = true;
	return true;
}

static bool merge_leaf(struct merger *m, uint64_t entry, unsigned level, struct busway_range part)
{
	const struct format *f = m->pt->format;
	const unsigned lg2 = f->page_lg2(m->pt, entry, level);
	const struct busway_mapped_run page = {
		.iova = busway_dma_range(part),
		.phys = {page_phys(f, m->pt, entry, lg2) | (part.first & low_bits(lg2))},
		.prot = f->prot(m->pt, entry),
		.page_sizes = (uint64_t)1 << lg2,
	};

	return merge(m, &page);
}

static bool visit_runs(struct merger *m, const uint64_t *table, unsigned level,
		       struct busway_range range)
{
	const struct busway_pagetable *pt = m->pt;
	const struct format *f = pt->format;
	const uint64_t low = low_bits(level_shift(pt, level));
	struct busway_range part = {range.first, range.first | low};

	for (size_t i = level_index(pt, level, range.first);; i++) {
		const uint64_t entry = entry_read(table + i);
		struct busway_range inside = {part.first,
					      part.last < range.last ? part.last : range.last};

		if (is_table(f, entry, level)) {
			if (table_part(f, pt, entry, level, &inside) &&
			    !visit_runs(m, table_of(f, pt, entry), level_below(f, entry, level),
					inside))
				return false;
		} else if (is_present(f, entry)) {
			if (!merge_leaf(m, entry, level, inside))
				return false;
		}
		if (part.last >= range.last)
			return true;
		part.first = part.last + 1;
		part.last = part.first | low;
	}
}

bool busway_pagetable_runs(const struct busway_pagetable *pt, struct busway_dma_range range,
			   busway_run_visitor *visit, void *ctx)
{
	struct merger m = {.pt = pt, .visit = visit, .ctx = ctx};
	struct busway_range inputs[2], part;
	const unsigned count = busway_pagetable_input(pt, inputs);

	for (unsigned i = 0; i < count; i++)
		if (busway_range_common(inputs[i], busway_dma_raw(range), &part) &&
		    !visit_runs(&m, pt->root, pt->top, part))
			return false;
	return !m.has_run || visit(ctx, &m.run);
}

/* ---- tables ---- */

struct table_tour {
	const struct busway_pagetable *pt;
	busway_table_visitor *visit;
	void *ctx;
};

/* IOVAs of the upper half, where there is one, are those whose highest bit is set. */
static uint64_t extend(const struct busway_pagetable *pt, uint64_t iova)
{
	if (!pt->format->signed_input || iova <= pt->input_last)
		return iova;
	return iova | ~pt->input_last;
}

static struct busway_table_info describe(const struct busway_pagetable *pt, const uint64_t *table,
					 uint64_t phys, unsigned level, uint64_t first)
{
	const unsigned bits = level == pt->top ? pt->input_bits : level_shift(pt, level + 1);
	struct busway_table_info info = {
		.iova = {{extend(pt, first)}, {extend(pt, first | low_bits(bits))}},
		.phys = {phys},
		.level = level,
	};

	for (size_t i = 0; i <= level_mask(pt, level); i++) {
		const uint64_t entry = entry_read(table + i);

		if (is_table(pt->format, entry, level))
			info.tables++;
		else if (is_present(pt->format, entry))
			info.leaves++;
		else
			info.empty++;
	}
	return info;
}

static bool visit_tables(const struct table_tour *tour, const uint64_t *table, uint64_t phys,
			 unsigned level, uint64_t first)
{
	const struct busway_pagetable *pt = tour->pt;
	const struct format *f = pt->format;
	const struct busway_table_info info = describe(pt, table, phys, level, first);

	if (!tour->visit(tour->ctx, &info))
		return false;
	for (size_t i = 0; level && i <= level_mask(pt, level); i++) {
		const uint64_t entry = entry_read(table + i);

		if (is_table(f, entry, level) &&
		    !visit_tables(tour, table_of(f, pt, entry), f->address(pt, entry),
				  level_below(f, entry, level),
				  first + ((uint64_t)i << level_shift(pt, level))))
			return false;
	}
	return true;
}

bool busway_pagetable_tables(const struct busway_pagetable *pt, busway_table_visitor *visit,
			     void *ctx)
{
	const struct table_tour tour = {pt, visit, ctx};

	return visit_tables(&tour, pt->root, pt->root_phys.raw, pt->top, 0);
}

/* ---- text ---- */

size_t busway_mapped_run_text(const struct busway_mapped_run *run, char *buf, size_t size)
{
	static const struct {
		unsigned prot;
		const char *word;
	} words[] = {
		{BUSWAY_PROT_NONCOHERENT, " non-coherent"},
		{BUSWAY_PROT_DEVICE, " device"},
		{BUSWAY_PROT_FORCE_SNOOP, " force-snoop"},
	};
	struct text text = text_open(buf, size);
	bool first = true;

	text_put_range(&text, busway_dma_raw(run->iova));
	text_put(&text, " -> ");
	text_put_hex(&text, run->phys.raw);
	text_put(&text, run->prot & BUSWAY_READ ? " r" : " -");
	text_put(&text, run->prot & BUSWAY_WRITE ? "w" : "-");
	text_put(&text, run->prot & BUSWAY_PROT_EXECUTE ? "x" : "-");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (run->prot & words[i].prot)
			text_put(&text, words[i].word);
	text_put(&text, ", pages of ");
	for (unsigned lg2 = 0; lg2 < 64; lg2++) {
		if (!(run->page_sizes >> lg2 & 1))
			continue;
		text_put(&text, first ? "" : " and ");
		text_put_size(&text, (uint64_t)1 << lg2);
		first = false;
	}
	text_close(&text);
	return text.length;
}
