/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_text.c - what is mapped in a domain, and the tables that say so, for people:
 *
 *   page table of 4 levels at 0x100000, IOVAs of 48 bits
 *     mapped: 4 MiB in 1 run
 *       0x80000000..0x803fffff -> 0x90000000 rw-, pages of 2 MiB
 *     tables: 3
 *       level 3: 1 of 512 entries: 0 pages, 1 table, 511 empty
 */
#include "cli.h"

#include <inttypes.h>

enum { LEVELS_MAX = 8 };

/* ---- what is mapped ---- */

struct run_list {
	struct page *page; /* NULL: only count */
	size_t lines;      /* how many are shown */
	size_t count;
	uint64_t bytes;
};

static bool add_run(void *ctx, const struct busway_mapped_run *run)
{
	struct run_list *list = ctx;
	char text[160];

	list->bytes += run->iova.last.raw - run->iova.first.raw + 1;
	if (list->count++ >= list->lines)
		return true;
	busway_mapped_run_text(run, text, sizeof(text));
	if (list->page)
		fprintf(list->page->out, "    %s\n", text);
	return true;
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void put_runs(struct page *page, const struct busway_pagetable *table, size_t lines)
{
	const struct busway_dma_range all = {{0}, {UINT64_MAX}};
	struct run_list counted = {.lines = 0}, shown = {.page = page, .lines = lines};

	busway_pagetable_runs(table, all, add_run, &counted);
	if (!counted.count) {
		fputs("  mapped: nothing\n", page->out);
		return;
	}
	fputs("  mapped: ", page->out);
	put_size(page, (struct busway_range){0, counted.bytes - 1});
	fprintf(page->out, " in %zu run%s\n", counted.count, plural(counted.count));
	busway_pagetable_runs(table, all, add_run, &shown);
	if (counted.count > lines)
		fprintf(page->out, "    and %zu more run%s\n", counted.count - lines,
			plural(counted.count - lines));
}

/* ---- tables ---- */

struct level {
	size_t count, leaves, tables, empty;
};

static bool add_table(void *ctx, const struct busway_table_info *info)
{
	struct level *level = (struct level *)ctx + (info->level < LEVELS_MAX ? info->level : 0);

	level->count++;
	level->leaves += info->leaves;
	level->tables += info->tables;
	level->empty += info->empty;
	return true;
}

static void put_tables(struct page *page, const struct busway_pagetable *table)
{
	struct level levels[LEVELS_MAX] = {0};
	size_t count = 0;

	busway_pagetable_tables(table, add_table, levels);
	for (int i = 0; i < LEVELS_MAX; i++)
		count += levels[i].count;
	fprintf(page->out, "  tables: %zu\n", count);
	for (int i = LEVELS_MAX - 1; i >= 0; i--) {
		const struct level *l = &levels[i];

		if (!l->count)
			continue;
		fprintf(page->out,
			"    level %d: %zu of %zu entries: %zu page%s, %zu table%s, %zu empty\n", i,
			l->count, (l->leaves + l->tables + l->empty) / l->count, l->leaves,
			plural(l->leaves), l->tables, plural(l->tables), l->empty);
	}
}

/* ---- IOVAs ---- */

static void put_granules(struct page *page, const char *what, uint64_t count,
			 const struct busway_iova_census *census)
{
	fprintf(page->out, "%s ", what);
	if (count)
		put_size(page, (struct busway_range){0, count * census->granule - 1});
	else
		fputs("none", page->out);
}

static void put_space(struct page *page, struct busway_iova_space *space)
{
	struct busway_iova_census census;

	busway_iova_space_census(space, &census);
	put_granules(page, "  IOVAs: taken", census.live, &census);
	put_granules(page, ", kept by caches", census.cached, &census);
	put_granules(page, ", reserved", census.reserved, &census);
	put_granules(page, ", free", census.free, &census);
	put_granules(page, " (longest run", census.longest, &census);
	fputs(")\n", page->out);
}

void put_domain(struct page *page, const struct busway_domain *domain, size_t lines)
{
	const struct busway_pagetable *table = busway_domain_table(domain);
	const struct busway_pagetable_root root = busway_pagetable_root(table);

	fprintf(page->out, "page table of %u levels at 0x%" PRIx64 ", IOVAs of %u bits\n",
		root.levels, root.table.raw, root.input_bits);
	put_runs(page, table, lines);
	put_tables(page, table);
	put_space(page, busway_domain_space(domain));
}
