/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_text_test.c - what people are shown of a domain: put_domain().
 *
 * The judge is what was mapped: the test knows each run, and writes down its line itself.
 */
#include "../../src/cli/cli.h"
#include "../support/test.h"

#include <stdlib.h>
#include <string.h>

#define MIB ((uint64_t)1 << 20)

static void *table_alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = aligned_alloc(size, size);

	(void)ctx;
	phys->raw = (uintptr_t)table;
	return table;
}

static void table_free(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx;
	(void)phys;
	(void)size;
	free(table);
}

static void invalidate(void *ctx, const struct busway_invalidation *what)
{
	(void)ctx;
	(void)what;
}

static struct busway_domain *open_domain(enum busway_pagetable_format format)
{
	const struct busway_domain_options options = {
		.table = {.format = format},
		.tables = {.alloc = table_alloc, .free = table_free},
		.invalidate = invalidate,
	};
	struct busway_domain *domain;

	assert_int_equal(busway_domain_create(&options, &cli_memory, &domain), 0);
	return domain;
}

static struct busway_dma_range map_at(struct busway_domain *domain, uint64_t iova, uint64_t phys,
				      uint64_t size, unsigned prot)
{
	const struct busway_phys_range run = {{phys}, {phys + size - 1}};
	const struct busway_dma_range range = {{iova}, {iova + size - 1}};

	assert_int_equal(busway_domain_map_at(domain, range.first, &run, 1, prot, NULL), 0);
	return range;
}

static void unmap(struct busway_domain *domain, struct busway_dma_range range)
{
	assert_int_equal(busway_domain_unmap(domain, NULL, range, 0, NULL), 0);
}

static char *shown(const struct busway_domain *domain, size_t lines)
{
	const struct options options = {0};
	struct page page;

	assert_true(page_open(&page, &options));
	put_domain(&page, domain, lines);
	fclose(page.out);
	return page.text;
}

static void assert_shown(const struct busway_domain *domain, size_t lines, const char *line)
{
	char *text = shown(domain, lines);

	if (!strstr(text, line))
		fail_msg("there is no \"%s\" in:\n%s", line, text);
	free(text);
}

static unsigned count_of(const char *text, const char *word)
{
	unsigned count = 0;

	for (; (text = strstr(text, word)); text++)
		count++;
	return count;
}

/* A 2 MiB page, two pages that adjoin in IOVAs only, and one that may be read only. */
static void runs_have_their_place_rights_and_pages(void **state)
{
	struct busway_domain *domain = open_domain(BUSWAY_ARM_STAGE1);
	struct busway_dma_range ranges[4];

	(void)state;
	ranges[0] = map_at(domain, 0x40000000, 0x80000000, 2 * MIB, BUSWAY_READ_WRITE);
	ranges[1] = map_at(domain, 0x50000000, 0x90000000, 0x1000, BUSWAY_READ_WRITE);
	ranges[2] = map_at(domain, 0x50001000, 0xa0000000, 0x1000, BUSWAY_READ_WRITE);
	ranges[3] = map_at(domain, 0x60000000, 0xb0000000, 0x1000, BUSWAY_READ);
	assert_shown(domain, 9, "\n  mapped: 2.01 MiB in 4 runs\n");
	assert_shown(domain, 9, "\n    0x40000000..0x401fffff -> 0x80000000 rw-, pages of 2 MiB\n");
	assert_shown(domain, 9, "\n    0x50000000..0x50000fff -> 0x90000000 rw-, pages of 4 KiB\n");
	assert_shown(domain, 9, "\n    0x50001000..0x50001fff -> 0xa0000000 rw-, pages of 4 KiB\n");
	assert_shown(domain, 9, "\n    0x60000000..0x60000fff -> 0xb0000000 r--, pages of 4 KiB\n");
	assert_shown(domain, 9, "\n  IOVAs: taken 2.01 MiB, kept by caches none, ");
	for (size_t i = 0; i < COUNT(ranges); i++)
		unmap(domain, ranges[i]);
	assert_shown(domain, 9, "\n  mapped: nothing\n  tables: ");
	assert_shown(domain, 9, "\n  IOVAs: taken none, ");
	assert_int_equal(busway_domain_destroy(domain), 0);
}

/* Level 3 -> level 2 -> level 1, which has the 2 MiB page and two tables of 4 KiB pages. */
static void tables_are_counted_level_by_level(void **state)
{
	struct busway_domain *domain = open_domain(BUSWAY_ARM_STAGE1);
	const struct busway_dma_range large =
		map_at(domain, 0x40000000, 0x80000000, 2 * MIB, BUSWAY_READ_WRITE);
	const struct busway_dma_range small =
		map_at(domain, 0x50000000, 0x90000000, 0x3000, BUSWAY_READ_WRITE);
	const struct busway_dma_range other =
		map_at(domain, 0x70000000, 0xa0000000, 0x2000, BUSWAY_READ_WRITE);

	(void)state;
	assert_shown(domain, 9, "page table of 4 levels at 0x");
	assert_shown(domain, 9, ", IOVAs of 48 bits\n");
	assert_shown(domain, 9, "\n  tables: 5\n");
	assert_shown(domain, 9, "    level 3: 1 of 512 entries: 0 pages, 1 table, 511 empty\n");
	assert_shown(domain, 9, "    level 2: 1 of 512 entries: 0 pages, 1 table, 511 empty\n");
	assert_shown(domain, 9, "    level 1: 1 of 512 entries: 1 page, 2 tables, 509 empty\n");
	assert_shown(domain, 9, "    level 0: 2 of 512 entries: 5 pages, 0 tables, 1019 empty\n");
	unmap(domain, large);
	unmap(domain, small);
	unmap(domain, other);
	assert_int_equal(busway_domain_destroy(domain), 0);
}

static void long_lists_end_with_how_many_more(void **state)
{
	enum { RUNS = 20 };
	struct busway_domain *domain = open_domain(BUSWAY_VTD_SECOND);
	char *text;

	(void)state;
	for (uint64_t i = 0; i < RUNS; i++)
		map_at(domain, MIB * (i + 1), 0x80000000 + 2 * MIB * i, 0x1000, BUSWAY_READ_WRITE);
	text = shown(domain, 3);
	assert_int_equal(count_of(text, " -> "), 3);
	assert_non_null(strstr(text, "\n    and 17 more runs\n"));
	free(text);
	assert_shown(domain, RUNS - 1, "\n    and 1 more run\n");
	text = shown(domain, RUNS);
	assert_int_equal(count_of(text, " -> "), RUNS);
	assert_null(strstr(text, "more"));
	free(text);
	for (uint64_t i = 0; i < RUNS; i++)
		unmap(domain, (struct busway_dma_range){{MIB * (i + 1)}, {MIB * (i + 1) + 0xfff}});
	assert_int_equal(busway_domain_destroy(domain), 0);
}

static void every_format_is_shown(void **state)
{
	(void)state;
	for (int format = 0; format < BUSWAY_FORMAT_COUNT; format++) {
		struct busway_domain *domain = open_domain((enum busway_pagetable_format)format);
		const struct busway_dma_range range =
			map_at(domain, 0x1234000, 0x89abc000, 0x1000, BUSWAY_READ_WRITE);

		assert_shown(domain, 1, "    0x1234000..0x1234fff -> 0x89abc000 rw");
		assert_shown(domain, 1, "\n  mapped: 4 KiB in 1 run\n");
		assert_shown(domain, 1, " 1 page, 0 tables, ");
		unmap(domain, range);
		assert_int_equal(busway_domain_destroy(domain), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_have_their_place_rights_and_pages),
		cmocka_unit_test(tables_are_counted_level_by_level),
		cmocka_unit_test(long_lists_end_with_how_many_more),
		cmocka_unit_test(every_format_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
