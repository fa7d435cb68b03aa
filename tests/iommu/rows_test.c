/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rows_test.c - rows of entries that are written or cleared at once.
 *
 * Unmapping: a row of pages of one size is cleared at once. One of them may be a table of smaller
 * pages in its place, which has to be given back, or nothing, which has to be refused: wherever it
 * stands in the row and however long that is, in every format, whatever its neighbours allow.
 *
 * Mapping: a list of single pages goes into a table that is there; unless one of them is longer,
 * something is mapped there, or the table ends.
 */
#include "rig.h"

enum { LONGEST = 20, RW = BUSWAY_READ_WRITE };

enum odd { NONE, TABLE, HOLE, ODD_COUNT };

struct row {
	struct rig *rig;
	uint64_t size;  /* of a page */
	uint64_t first; /* IOVA */
	unsigned level, count, odd_at;
	enum odd odd;
};

static uint64_t table_size(const struct rig *rig, unsigned level)
{
	return (uint64_t)1 << (rig->what->granule_lg2 + level * (rig->what->granule_lg2 - 3));
}

/* What the formats have in their entries, one after the other. */
static unsigned prot_of(const struct rig *rig, unsigned i)
{
	static const unsigned prots[] = {RW, BUSWAY_READ, BUSWAY_WRITE};

	if (rig->what->format == BUSWAY_ARM_STAGE1 || rig->what->format == BUSWAY_RISCV_SV)
		return prots[i % 2];
	return prots[i % 3];
}

/* As far from each other as pages are long, so that no two of them are one. */
static uint64_t phys_of(const struct row *row, unsigned i)
{
	return (2 * i + 1) * row->size;
}

static void map_row(const struct row *row, bool alike)
{
	const uint64_t small = (uint64_t)1 << row->rig->what->granule_lg2;

	for (unsigned i = 0; i < row->count; i++) {
		uint64_t phys = phys_of(row, i);

		if (i == row->odd_at && row->odd == HOLE)
			continue;
		if (i == row->odd_at && row->odd == TABLE)
			phys += small; /* no large page fits */
		assert_int_equal(rig_map(row->rig, row->first + i * row->size, phys, row->size,
					 alike ? RW : prot_of(row->rig, i)),
				 0);
		assert_int_equal(rig_walk(row->rig, row->first + i * row->size).page_size,
				 phys & small & -(uint64_t)(row->level != 0) ? small : row->size);
	}
}

static void expect_gone(const struct row *row)
{
	for (unsigned i = 0; i < row->count; i++)
		assert_false(rig_walk(row->rig, row->first + i * row->size).mapped);
}

static void unmap_row(const struct row *row)
{
	const uint64_t bytes = row->count * row->size;
	const struct busway_dma_range all = rig_range(row->first, bytes);
	struct rig *rig = row->rig;
	struct busway_refusal why = {0};
	uint64_t unmapped = 0;
	int status = busway_pagetable_unmap(rig->table, all, 0, &rig->freed, &unmapped, &why);

	if (row->odd == HOLE) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_NOT_MAPPED);
		assert_int_equal(why.limit.first, row->first + row->odd_at * row->size);
		status = busway_pagetable_unmap(rig->table, all, BUSWAY_UNMAP_HOLES, &rig->freed,
						&unmapped, &why);
	}
	if (status || unmapped != bytes - (row->odd == HOLE ? row->size : 0) ||
	    rig->freed.count != (row->odd == TABLE))
		fail_msg("%s, level %u: %u of %u: %d, %llu bytes, %zu tables", rig->what->name,
			 row->level, row->odd_at, row->count, status, (unsigned long long)unmapped,
			 rig->freed.count);
	expect_gone(row);
	rig_release(rig);
}

static void play(struct row row, bool alike)
{
	for (row.count = 1; row.count <= LONGEST; row.count++)
		for (row.odd_at = 0; row.odd_at < row.count; row.odd_at++) {
			map_row(&row, alike);
			unmap_row(&row);
			if (row.odd == NONE)
				break;
		}
}

/* Rows of @level in a table which has more than that, so that it stays. */
static void play_level(const struct table_case *what, unsigned level, bool alike, bool sizes)
{
	static struct rig rig;
	struct row row = {.rig = &rig, .level = level};
	struct busway_range inputs[2];
	uint64_t page_sizes = 0;

	rig_make(&rig, what);
	for (unsigned i = 0; i <= level; i++)
		page_sizes |= table_size(&rig, i);
	rig.options.page_sizes = sizes ? page_sizes : 0;
	rig_open(&rig);
	row.size = table_size(&rig, level);
	row.first = 3 * row.size;
	(void)busway_pagetable_input(rig.table, inputs);
	if ((busway_pagetable_page_sizes(rig.table) & row.size) &&
	    row.first + LONGEST * row.size <= inputs[0].last &&
	    phys_of(&row, LONGEST) <= busway_bits_last(what->output_bits))
		for (unsigned odd = NONE; odd < ODD_COUNT; odd++) {
			row.odd = odd;
			if (odd != TABLE || level)
				play(row, alike);
		}
	rig_close(&rig);
}

static void one_that_is_not_like_the_others_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++)
		for (unsigned level = 0; level < 2; level++)
			for (unsigned how = 0; how < 4; how++)
				play_level(&table_cases[i], level, how & 1, how & 2);
}

/* ---- lists ---- */

struct list {
	struct rig *rig;
	uint64_t page, first; /* IOVA */
	unsigned count, odd_at;
};

/* Nothing is as its neighbour would have it. */
static uint64_t memory_of(const struct list *l, unsigned i)
{
	return (7 * (uint64_t)i + 3) % 64 * 2 * l->page;
}

/* @longer: the one at .odd_at has two pages. */
static int map_list(const struct list *l, bool longer)
{
	struct busway_phys_range runs[LONGEST];

	for (unsigned i = 0; i < l->count; i++)
		runs[i] =
			rig_phys(memory_of(l, i), longer && i == l->odd_at ? 2 * l->page : l->page);
	return busway_pagetable_map(l->rig->table, busway_dma(l->first), runs, l->count, RW, NULL);
}

static void expect_at(const struct list *l, unsigned i, uint64_t phys)
{
	const struct walk_result w = rig_walk(l->rig, l->first + i * l->page);

	if (!w.mapped || w.phys != phys)
		fail_msg("%s: page %u of %u from 0x%llx: 0x%llx, not 0x%llx", l->rig->what->name, i,
			 l->count, (unsigned long long)l->first, (unsigned long long)w.phys,
			 (unsigned long long)phys);
}

static void expect_list(const struct list *l, bool longer)
{
	unsigned at = 0;

	assert_false(rig_walk(l->rig, l->first - l->page).mapped);
	for (unsigned i = 0; i < l->count; i++) {
		expect_at(l, at++, memory_of(l, i));
		if (longer && i == l->odd_at)
			expect_at(l, at++, memory_of(l, i) + l->page);
	}
	assert_false(rig_walk(l->rig, l->first + at * l->page).mapped);
	assert_int_equal(rig_unmap(l->rig, l->first, at * l->page), 0);
}

static void play_list(const struct list *l)
{
	const uint64_t odd = l->first + l->odd_at * l->page;

	assert_int_equal(map_list(l, false), 0);
	expect_list(l, false);
	assert_int_equal(map_list(l, true), 0);
	expect_list(l, true);
	/* something is there */
	assert_int_equal(rig_map(l->rig, odd, 0, l->page, RW), 0);
	assert_int_equal(map_list(l, false), -BUSWAY_ERANGE);
	for (unsigned i = 0; i < l->count; i++)
		assert_int_equal(rig_walk(l->rig, l->first + i * l->page).mapped, i == l->odd_at);
	assert_int_equal(rig_walk(l->rig, odd).phys, 0);
	assert_int_equal(rig_unmap(l->rig, odd, l->page), 0);
}

/* Around the end of a table: both are there. */
static void a_list_leads_where_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		static struct rig rig;
		struct list l = {.rig = &rig};
		uint64_t table;

		rig_make(&rig, &table_cases[i]);
		rig_open(&rig);
		l.page = table_size(&rig, 0);
		table = table_size(&rig, 1);
		/* what lies behind the first one in memory is a third one, and empty there */
		assert_int_equal(rig_map(&rig, 2 * table + 100 * l.page, 0, l.page, RW), 0);
		assert_int_equal(rig_map(&rig, table + 100 * l.page, 0, l.page, RW), 0);
		assert_int_equal(rig_map(&rig, 4 * table + 100 * l.page, 0, l.page, RW), 0);
		for (l.count = 2; l.count < LONGEST; l.count += l.count < 10 ? 1 : 5)
			for (l.odd_at = 0; l.odd_at < l.count; l.odd_at++)
				for (unsigned before = 0; before < l.count + 3; before++) {
					l.first = 2 * table - before * l.page + l.page;
					play_list(&l);
				}
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_is_not_like_the_others_is_found),
		cmocka_unit_test(a_list_leads_where_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
