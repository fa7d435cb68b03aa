/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * view_test.c - a table as people see it: runs, tables, which pages are used, what is dirty; and
 * when tables come and go.
 */
#include "rig.h"

#include <string.h>

enum { RW = BUSWAY_READ_WRITE };

#define CASE_ARM  0
#define CASE_S2   9
#define CASE_AMD  20
#define CASE_RISC 22

struct lines {
	char text[2048];
	unsigned count, stop_at; /* 0: never */
};

static bool add_line(void *ctx, const struct busway_mapped_run *run)
{
	struct lines *lines = ctx;
	char line[200];

	busway_mapped_run_text(run, line, sizeof(line));
	strcat(lines->text, line);
	strcat(lines->text, "\n");
	return ++lines->count != lines->stop_at;
}

static const struct busway_dma_range everything = {{0}, {UINT64_MAX}};

static void expect_lines(const struct rig *rig, struct busway_dma_range range, const char *text)
{
	struct lines lines = {.text = ""};

	assert_true(busway_pagetable_runs(rig->table, range, add_line, &lines));
	assert_string_equal(lines.text, text);
}

static void runs_are_merged_and_cut_to_the_range(void **state)
{
	struct lines lines = {.text = "", .stop_at = 1};
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	expect_lines(&rig, everything, "");
	/* one run of a small page, a large one and another small one */
	assert_int_equal(rig_map(&rig, 0x1ff000, 0x801ff000, 0x202000, RW), 0);
	/* adjoins, and leads elsewhere; then other rights */
	assert_int_equal(rig_map(&rig, 0x401000, 0x1000, 0x1000, RW), 0);
	assert_int_equal(rig_map(&rig, 0x402000, 0x2000, 0x1000,
				 BUSWAY_READ | BUSWAY_PROT_DEVICE | BUSWAY_PROT_EXECUTE),
			 0);
	assert_int_equal(rig_map(&rig, 0xfffffffff000, 0x3000, 0x1000, RW), 0);
	expect_lines(&rig, everything,
		     "0x1ff000..0x400fff -> 0x801ff000 rw-, pages of 4 KiB and 2 MiB\n"
		     "0x401000..0x401fff -> 0x1000 rw-, pages of 4 KiB\n"
		     "0x402000..0x402fff -> 0x2000 r-x device, pages of 4 KiB\n"
		     "0xfffffffff000..0xffffffffffff -> 0x3000 rw-, pages of 4 KiB\n");
	expect_lines(&rig, rig_range(0x201000, 0x1000),
		     "0x201000..0x201fff -> 0x80201000 rw-, pages of 2 MiB\n");
	expect_lines(&rig, rig_range(0x10, 0x1feff0), "");
	assert_false(busway_pagetable_runs(rig.table, everything, add_line, &lines));
	assert_int_equal(lines.count, 1);
	rig_close(&rig);
}

static void both_halves_of_risc_v_are_seen(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_RISC]);
	rig_open(&rig);
	assert_int_equal(rig_map(&rig, 0x3ffffff000, 0x1000, 0x1000, RW), 0);
	assert_int_equal(rig_map(&rig, 0xffffffc000000000, 0x2000, 0x1000, RW), 0);
	assert_int_equal(rig_map(&rig, 0xfffffffffffff000, 0x3000, 0x1000, RW), 0);
	expect_lines(&rig, everything,
		     "0x3ffffff000..0x3fffffffff -> 0x1000 rw-, pages of 4 KiB\n"
		     "0xffffffc000000000..0xffffffc000000fff -> 0x2000 rw-, pages of 4 KiB\n"
		     "0xfffffffffffff000..0xffffffffffffffff -> 0x3000 rw-, pages of 4 KiB\n");
	rig_close(&rig);
}

/* Not to what the bits below it would lead to, either. */
static void beyond_the_width_nothing_is_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		const uint64_t page = (uint64_t)1 << table_cases[i].granule_lg2;
		struct busway_translation t;
		static struct rig rig;

		rig_make(&rig, &table_cases[i]);
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, page, page, page, RW), 0);
		assert_true(busway_pagetable_lookup(rig.table, busway_dma(page), &t));
		for (unsigned bit = rig.what->input_bits; bit < 64; bit++)
			assert_false(busway_pagetable_lookup(
				rig.table, busway_dma(page | (uint64_t)1 << bit), &t));
		rig_close(&rig);
	}
}

/* Whatever a format can say is read from it again, as the walker reads it. */
static void rights_and_attributes_are_found_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		const uint64_t page = (uint64_t)1 << table_cases[i].granule_lg2;
		unsigned known = 0;
		static struct rig rig;

		rig_make(&rig, &table_cases[i]);
		rig.options.memory_types = true;
		rig_open(&rig);
		for (unsigned prot = 0; prot < BUSWAY_PROT_COUNT; prot++) {
			struct busway_translation found;
			struct walk_result w;
			unsigned expected;

			if (rig_map(&rig, prot * page, page, page, prot))
				continue;
			known++;
			w = rig_walk(&rig, prot * page);
			expected = (w.read ? BUSWAY_READ : 0u) | (w.write ? BUSWAY_WRITE : 0u) |
				   (w.execute ? BUSWAY_PROT_EXECUTE : 0u) |
				   (w.snoop ? BUSWAY_PROT_FORCE_SNOOP : 0u) |
				   (w.type == 2   ? BUSWAY_PROT_DEVICE
				    : w.type == 1 ? BUSWAY_PROT_NONCOHERENT
						  : 0u);
			assert_true(busway_pagetable_lookup(rig.table, busway_dma(prot * page),
							    &found));
			if (found.prot != expected)
				fail_msg("%s: mapped %x, found %x, the walker %x", rig.what->name,
					 prot, found.prot, expected);
		}
		assert_true(known >= 6);
		rig_close(&rig);
	}
}

/* Arm D8.3: with 64K, level 1 has blocks only where physical addresses have more than 48 bits. AMD:
 * 512 GiB does not work. The walker takes neither. */
static void pages_that_hardware_does_not_have_are_not_made(void **state)
{
	static const struct {
		size_t which;
		uint64_t size, page;
	} cases[] = {
		{8, (uint64_t)1 << 42, (uint64_t)1 << 42},  /* arm s1 64K 52 */
		{25, (uint64_t)1 << 42, (uint64_t)1 << 34}, /* and in 48 */
		{CASE_AMD, (uint64_t)1 << 38, (uint64_t)1 << 38},
		{CASE_AMD, (uint64_t)1 << 39, (uint64_t)1 << 38},
		{CASE_AMD, (uint64_t)1 << 40, (uint64_t)1 << 38},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static struct rig rig;

		rig_make(&rig, &table_cases[cases[i].which]);
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, cases[i].size, cases[i].size, cases[i].size, RW), 0);
		assert_int_equal(rig_walk(&rig, cases[i].size).page_size, cases[i].page);
		assert_int_equal(rig_walk(&rig, 2 * cases[i].size - 1).phys, 2 * cases[i].size - 1);
		rig_close(&rig);
	}
}

/* Also where its table is there already, so that nothing but an entry is needed. */
static void sizes_that_were_ruled_out_are_not_used(void **state)
{
	static const uint64_t sizes[] = {(uint64_t)1 << 21, (uint64_t)1 << 30};

	(void)state;
	for (size_t i = 0; i < 2 * table_case_count; i++) {
		const uint64_t size = sizes[i % 2], at = 4 * size;
		static struct rig rig;

		rig_make(&rig, &table_cases[i / 2]);
		if (rig.what->granule_lg2 != 12 || at >> (rig.what->input_bits - 2))
			continue;
		rig.options.page_sizes = ~size;
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, at, 0, 0x1000, RW), 0);
		assert_int_equal(rig_map(&rig, at + size, size, size, RW), 0);
		assert_true(rig_walk(&rig, at + size).page_size < size);
		assert_int_equal(rig_walk(&rig, at + 2 * size - 1).phys, 2 * size - 1);
		rig_close(&rig);
	}
}

/* ---- tables ---- */

struct table_count {
	unsigned tables, leaves, links, levels;
};

static bool count_table(void *ctx, const struct busway_table_info *info)
{
	struct table_count *count = ctx;

	count->tables++;
	count->leaves += info->leaves;
	count->links += info->tables;
	count->levels |= 1u << info->level;
	return true;
}

static struct table_count count_tables(const struct rig *rig)
{
	struct table_count count = {0};

	assert_true(busway_pagetable_tables(rig->table, count_table, &count));
	assert_int_equal(count.links + 1, count.tables);
	return count;
}

static void tables_come_and_go(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(count_tables(&rig).tables, 1);
	assert_int_equal(rig_map(&rig, 0x1000, 0, 0x1000, RW), 0);
	assert_int_equal(count_tables(&rig).tables, 4);
	/* two tables of small pages, as memory and IOVA do not lie alike */
	assert_int_equal(rig_map(&rig, 0x200000, 0x1000, 0x400000, RW), 0);
	assert_int_equal(count_tables(&rig).tables, 6);
	assert_int_equal(count_tables(&rig).leaves, 1025);
	/* all that the two could map is gone, and so are they; but not before the invalidation */
	assert_int_equal(rig_unmap(&rig, 0x200000, 0x200000), 0);
	assert_int_equal(rig.freed.count, 1);
	assert_int_equal(rig_unmap(&rig, 0x400000, 0x200000), 0);
	assert_int_equal(rig.freed.count, 2);
	assert_int_equal(rig.live, 6);
	rig_release(&rig);
	assert_int_equal(rig.live, 4);
	/* a page alone: others might be about to map in that table */
	assert_int_equal(rig_unmap(&rig, 0x1000, 0x1000), 0);
	assert_int_equal(rig.freed.count, 0);
	/* trimming leaves what is not in the range as a whole */
	busway_pagetable_trim(rig.table, rig_range(0, 0x1ff000), &rig.freed);
	assert_int_equal(rig.freed.count, 0);
	busway_pagetable_trim(rig.table, rig_range(0, 0x200000), &rig.freed);
	assert_int_equal(rig.freed.count, 1);
	busway_pagetable_trim(rig.table, rig_range(0, (uint64_t)1 << 48), &rig.freed);
	assert_int_equal(rig.freed.count, 3);
	rig_release(&rig);
	assert_int_equal(rig.live, 1);
	rig_close(&rig);
}

static void a_table_goes_with_those_below_it(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(rig_map(&rig, 0x40001000, 0, 0x1000, RW), 0);
	assert_int_equal(rig_map(&rig, 0x50001000, 0, 0x1000, RW), 0);
	assert_int_equal(count_tables(&rig).tables, 5);
	assert_int_equal(busway_pagetable_unmap(rig.table, rig_range(0x40000000, 0x40000000),
						BUSWAY_UNMAP_HOLES, &rig.freed, NULL, NULL),
			 0);
	assert_int_equal(rig.freed.count, 3);
	rig_release(&rig);
	assert_int_equal(rig.live, 2);
	rig_close(&rig);
}

static void no_more_tables_are_taken_than_are_missing(void **state)
{
	const struct busway_phys_range runs[] = {
		rig_phys(0x40000000, 0x2000), rig_phys(0x80000000, 0x1000),
		rig_phys(0x20000000, 0x3000), rig_phys(0x10000000, 0x1000)};
	static struct rig rig;
	size_t calls;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	calls = rig.calls;
	/* the last three pages of one table and the first four of the next */
	assert_int_equal(
		busway_pagetable_map(rig.table, busway_dma(0x1fd000), runs, COUNT(runs), RW, NULL),
		0);
	assert_int_equal(rig.calls - calls, 4);
	assert_int_equal(rig.live, 5);
	rig_close(&rig);
}

static void an_exclusive_table_gives_up_what_is_empty(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig.options.exclusive = true;
	rig_open(&rig);
	assert_int_equal(rig_map(&rig, 0x1000, 0, 0x2000, RW), 0);
	assert_int_equal(rig_map(&rig, 0x1ff000, 0, 0x1000, RW), 0);
	assert_int_equal(rig_unmap(&rig, 0x1000, 0x2000), 0);
	assert_int_equal(rig.freed.count, 0);
	assert_int_equal(rig_unmap(&rig, 0x1ff000, 0x1000), 0);
	assert_int_equal(rig.freed.count, 3);
	/* and a large page fits again */
	assert_int_equal(rig_map(&rig, 0, 0, 0x200000, RW), 0);
	assert_int_equal(rig_walk(&rig, 0).page_size, 0x200000);
	rig_close(&rig);
}

static void an_empty_table_that_is_still_there_is_used(void **state)
{
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(rig_map(&rig, 0x1000, 0, 0x1000, RW), 0);
	assert_int_equal(rig_unmap(&rig, 0x1000, 0x1000), 0);
	assert_int_equal(rig_map(&rig, 0, 0, 0x400000, RW), 0);
	assert_int_equal(rig_walk(&rig, 0).page_size, 0x10000); /* 16 contiguous pages */
	assert_int_equal(rig_walk(&rig, 0x200000).page_size, 0x200000);
	rig_close(&rig);
}

/* ---- pages ---- */

static void the_largest_pages_that_fit_are_used(void **state)
{
	static const struct {
		const char *because;
		size_t table;
		uint64_t iova, phys, size, sizes;
		const char *lines;
	} cases[] = {
		{"1 GiB, 2 MiB and pages between", CASE_S2, 0x3fe00000, 0x3fe00000, 0x40201000, 0,
		 "0x3fe00000..0x80000fff -> 0x3fe00000 rw-, pages of 4 KiB and 2 MiB and 1 GiB\n"},
		{"memory that lies otherwise takes small pages", CASE_S2, 0x200000, 0x201000,
		 0x400000, 0, "0x200000..0x5fffff -> 0x201000 rw-, pages of 4 KiB\n"},
		{"what is not allowed is not used", CASE_S2, 0x200000, 0x200000, 0x200000, 0x1000,
		 "0x200000..0x3fffff -> 0x200000 rw-, pages of 4 KiB\n"},
		{"2 MiB left out, 1 GiB not", CASE_S2, 0x3fe00000, 0x3fe00000, 0x40200000,
		 0x40011000,
		 "0x3fe00000..0x7fffffff -> 0x3fe00000 rw-, pages of 64 KiB and 1 GiB\n"},
		{"AMD: every power of two on the way up and down", CASE_AMD, 0x1000, 0x1000,
		 0x7f000, 0,
		 "0x1000..0x7ffff -> 0x1000 rw-, pages of 4 KiB and 8 KiB and 16 KiB and 32 KiB "
		 "and "
		 "64 KiB and 128 KiB and 256 KiB\n"},
		{"AMD: one page", CASE_AMD, 0x100000, 0x300000, 0x100000, 0,
		 "0x100000..0x1fffff -> 0x300000 rw-, pages of 1 MiB\n"},
		{"AMD: 256 MiB", CASE_AMD, 0x10000000, 0x30000000, 0x10000000, 0,
		 "0x10000000..0x1fffffff -> 0x30000000 rw-, pages of 256 MiB\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct lines lines = {.text = ""};
		static struct rig rig;

		rig_make(&rig, &table_cases[cases[i].table]);
		rig.options.page_sizes = cases[i].sizes;
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, cases[i].iova, cases[i].phys, cases[i].size, RW), 0);
		busway_pagetable_runs(rig.table, everything, add_line, &lines);
		if (strcmp(lines.text, cases[i].lines) != 0)
			fail_msg("%s: %s", cases[i].because, lines.text);
		rig_close(&rig);
	}
}

static void runs_that_adjoin_make_one_large_page(void **state)
{
	const struct busway_phys_range runs[] = {
		rig_phys(0x40000000, 0x1000), rig_phys(0x40001000, 0xff000),
		rig_phys(0x40100000, 0x100000), rig_phys(0x80000000, 0x1000)};
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(
		busway_pagetable_map(rig.table, busway_dma(0), runs, COUNT(runs), RW, NULL), 0);
	assert_int_equal(rig_walk(&rig, 0).page_size, 0x200000);
	assert_int_equal(rig_walk(&rig, 0x200000).phys, 0x80000000);
	rig_close(&rig);
}

/* ---- dirty ---- */

/* What the IOMMU does when a device writes: by the manuals, as in walk.c. */
static void device_writes(const struct rig *rig, uint64_t iova)
{
	const struct walk_result r = rig_walk(rig, iova);
	uint64_t *at = (uint64_t *)(rig->arena + (r.entry_at - rig->what->tables_at));

	switch (rig->what->format) {
	case BUSWAY_ARM_STAGE1:
		*at &= ~((uint64_t)1 << 7);
		break;
	case BUSWAY_ARM_STAGE2:
	case BUSWAY_RISCV_SV:
		*at |= (uint64_t)1 << 7;
		break;
	case BUSWAY_VTD_SECOND:
		*at |= (uint64_t)1 << 9;
		break;
	default:
		*at |= (uint64_t)1 << 6;
		break;
	}
}

static bool note_dirty(void *ctx, const struct busway_mapped_run *run)
{
	struct lines *lines = ctx;
	char line[64];

	snprintf(line, sizeof(line), "%" PRIx64 "-%" PRIx64 " ", run->iova.first.raw,
		 run->iova.last.raw);
	strcat(lines->text, line);
	return true;
}

static void expect_dirty(struct rig *rig, bool clear, const char *text)
{
	struct lines lines = {.text = ""};

	assert_int_equal(busway_pagetable_dirty(rig->table, everything, clear, note_dirty, &lines),
			 0);
	if (strcmp(lines.text, text) != 0)
		fail_msg("%s: %s", rig->what->name, lines.text);
}

static void what_devices_write_is_seen_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		const struct table_case *what = &table_cases[i];
		static struct rig rig;

		if (what->granule_lg2 != 12)
			continue;
		rig_make(&rig, what);
		rig.options.track_dirty = true;
		rig.options.split = true;
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, 0x1000, 0x1000, 0x3000, RW), 0);
		assert_int_equal(rig_map(&rig, 0x5000, 0x5000, 0x1000, BUSWAY_READ), 0);
		assert_int_equal(rig_map(&rig, 0x200000, 0x200000, 0x200000, RW), 0);
		assert_true(rig_walk(&rig, 0x1000).write);
		assert_false(rig_walk(&rig, 0x5000).write);
		expect_dirty(&rig, false, "");
		device_writes(&rig, 0x2000);
		device_writes(&rig, 0x212345);
		if (rig_walk(&rig, 0x2000).page_size == 0x1000) {
			expect_dirty(&rig, false, "2000-2fff 200000-3fffff ");
			expect_dirty(&rig, true, "2000-2fff 200000-3fffff ");
		} else { /* AMD has made a page of 8 KiB */
			expect_dirty(&rig, true, "2000-3fff 200000-3fffff ");
		}
		expect_dirty(&rig, false, "");
		assert_true(rig_walk(&rig, 0x2000).write);
		/* and a split does not forget */
		device_writes(&rig, 0x200000);
		assert_int_equal(rig_unmap(&rig, 0x201000, 0x1ff000), 0);
		expect_dirty(&rig, false, "200000-200fff ");
		rig_close(&rig);
	}
}

static void a_table_that_does_not_track_says_so(void **state)
{
	struct lines lines = {.text = ""};
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(busway_pagetable_dirty(rig.table, everything, false, note_dirty, &lines),
			 -BUSWAY_EINVAL);
	rig_close(&rig);
}

static void expect_to_be_told(bool by_pointer)
{
	static struct rig rig;
	size_t before;

	rig_make(&rig, &table_cases[CASE_ARM]);
	rig.by_pointer = by_pointer;
	rig.cleans = true;
	rig_open(&rig);
	assert_true(rig.cleaned >= 1); /* the root */
	before = rig.cleaned;
	assert_int_equal(rig_map(&rig, 0x1000, 0, 0x1000, RW), 0);
	assert_true(rig.cleaned >= before + 7); /* three tables, three links, a page */
	before = rig.cleaned;
	assert_int_equal(rig_map(&rig, 0x2000, 0, 0x1000, RW), 0);
	assert_int_equal(rig.cleaned, before + 1);
	assert_int_equal(rig_unmap(&rig, 0x1000, 0x2000), 0);
	assert_int_equal(rig.cleaned, before + 2);
	assert_int_equal(rig_map(&rig, 0x3000, 0, 0x1000, RW), 0);
	assert_int_equal(rig_unmap(&rig, 0x3000, 0x1000), 0);
	assert_int_equal(rig.cleaned, before + 4);
	rig_close(&rig);
}

static void an_iommu_that_does_not_snoop_is_told_of_each_change(void **state)
{
	(void)state;
	expect_to_be_told(true);
	expect_to_be_told(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_are_merged_and_cut_to_the_range),
		cmocka_unit_test(both_halves_of_risc_v_are_seen),
		cmocka_unit_test(beyond_the_width_nothing_is_found),
		cmocka_unit_test(rights_and_attributes_are_found_again),
		cmocka_unit_test(pages_that_hardware_does_not_have_are_not_made),
		cmocka_unit_test(sizes_that_were_ruled_out_are_not_used),
		cmocka_unit_test(tables_come_and_go),
		cmocka_unit_test(a_table_goes_with_those_below_it),
		cmocka_unit_test(no_more_tables_are_taken_than_are_missing),
		cmocka_unit_test(an_exclusive_table_gives_up_what_is_empty),
		cmocka_unit_test(an_empty_table_that_is_still_there_is_used),
		cmocka_unit_test(the_largest_pages_that_fit_are_used),
		cmocka_unit_test(runs_that_adjoin_make_one_large_page),
		cmocka_unit_test(what_devices_write_is_seen_once),
		cmocka_unit_test(a_table_that_does_not_track_says_so),
		cmocka_unit_test(an_iommu_that_does_not_snoop_is_told_of_each_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
