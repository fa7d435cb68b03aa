/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_test.c - the machine's IOMMU: where it leads, what it remembers, what it tells.
 *
 * Devices that see the caches are used, so that one copy of memory is enough to look at.
 */
#include "iommu_bench.h"

#define RW  ((unsigned)BUSWAY_READ_WRITE)
#define OLD (RAM + 0x1000000u)
#define NEW (RAM + 0x2000000u)

static unsigned char byte_at(struct iommu_bench *b, uint64_t phys)
{
	return *cpu_at(&b->bench, phys);
}

static void open_with(struct iommu_bench *b, const struct iommu_case *what,
		      const struct busway_machine_options *options)
{
	iommu_open(b, what, options);
	iommu_attach(b, COHERENT);
}

static void open(struct iommu_bench *b, const struct iommu_case *what)
{
	open_with(b, what, NULL);
}

/* What must be true in every format: begins with nothing mapped, on a machine of @options. */
struct behaviour {
	void (*check)(struct iommu_bench *b);
	const struct busway_machine_options *options; /* NULL: lenient */
};

static void in_every_format(void **state)
{
	static struct iommu_bench b;
	const struct behaviour *behaviour = *state;

	for (size_t i = 0; i < iommu_case_count; i++) {
		open_with(&b, &iommu_cases[i], behaviour->options);
		behaviour->check(&b);
		iommu_close(&b);
	}
}

#define BEHAVIOUR(f, options)                                                                      \
	&(struct behaviour)                                                                        \
	{                                                                                          \
		f, options                                                                         \
	}
#define IN_EVERY_FORMAT_WITH(options, f)                                                           \
	(struct CMUnitTest)                                                                        \
	{                                                                                          \
		.name = #f, .test_func = in_every_format, .initial_state = BEHAVIOUR(f, options)   \
	}
#define IN_EVERY_FORMAT(f) IN_EVERY_FORMAT_WITH(NULL, f)

static void writes_to(struct iommu_bench *b, uint64_t iova, unsigned char value, uint64_t phys)
{
	assert_int_equal(iommu_put(b, COHERENT, iova, value), 0);
	assert_int_equal(byte_at(b, phys), value);
}

/* Mapped, and remembered since a write of 1. */
static void map_and_use(struct iommu_bench *b, uint64_t iova, uint64_t phys, uint64_t size)
{
	iommu_map(b, iova, phys, size, RW);
	assert_int_equal(iommu_put(b, COHERENT, iova, 1), 0);
}

/* The entries lead to other memory, and the IOMMU is told nothing. */
static void move(struct iommu_bench *b, uint64_t iova, uint64_t phys, uint64_t size)
{
	iommu_clear(b, iova, size);
	iommu_map(b, iova, phys, size, RW);
}

/* ---- where it leads ---- */

/* Runs of all sizes that the format has, in an order of memory that is not that of IOVAs. */
static void every_format_leads_where_it_was_mapped(struct iommu_bench *b)
{
	const uint64_t places[] = {OLD + 0x40000, NEW, RAM + 0x5000000, OLD};
	const uint64_t sizes[] = {0x10000, 0x200000, 0x2000000, 0x30000};
	uint64_t iova = 0x40000000;

	for (size_t j = 0; j < COUNT(sizes); j++) {
		iommu_map(b, iova, places[j], sizes[j], RW);
		for (uint64_t at = 0x333; at < sizes[j]; at += sizes[j] / 16 + 0x21) {
			const unsigned char value = (unsigned char)(at * 37 >> 4 | 1);
			unsigned char got = 0;

			writes_to(b, iova + at, value, places[j] + at);
			assert_int_equal(iommu_get(b, COHERENT, iova + at, &got), 0);
			assert_int_equal(got, value);
		}
		iova += 0x2000000;
	}
	bench_told_nothing(&b->bench);
}

static void an_access_goes_on_in_another_page(struct iommu_bench *b)
{
	unsigned char bytes[0x20000], back[0x20000];

	busway_pattern_fill(b->page, 0, bytes, sizeof(bytes));
	iommu_map(b, IOVA, OLD, 0x10000, RW);
	iommu_map(b, IOVA + 0x10000, NEW, 0x10000, RW);
	assert_int_equal(bench_write(&b->bench, COHERENT, IOVA + 5, bytes, 0x1fff0), 0);
	assert_memory_equal(cpu_at(&b->bench, OLD + 5), bytes, 0xfffb);
	assert_memory_equal(cpu_at(&b->bench, NEW), bytes + 0xfffb, 0xfff5);
	assert_int_equal(bench_read(&b->bench, COHERENT, IOVA + 5, back, 0x1fff0), 0);
	assert_memory_equal(back, bytes, 0x1fff0);
	bench_told_nothing(&b->bench);
}

static void what_is_not_mapped_faults(struct iommu_bench *b)
{
	struct made near = made(COHERENT, OLD, IOVA, 0x10000, BUSWAY_TO_DEVICE);
	unsigned char value = 1;
	char words[512];

	iommu_map(b, IOVA, OLD, 0x10000, RW);
	bench_event(&b->bench, &near, BUSWAY_EVENT_MAPPED);
	bench_told_nothing(&b->bench);
	assert_int_equal(iommu_get(b, COHERENT, IOVA + 0x20004, &value), -BUSWAY_ERANGE);
	assert_int_equal(value, 0xff);
	assert_string_equal(bench_first(&b->bench)->hop, "iommu@1000");
	assert_int_equal(bench_first(&b->bench)->asked.first, IOVA + 0x20004);
	assert_int_equal(bench_first(&b->bench)->at.first, IOVA + 0x20004);
	assert_non_null(bench_first(&b->bench)->by);
	assert_true(bench_first(&b->bench)->has_trace);
	assert_int_equal(bench_first(&b->bench)->trace.dma.first.raw, IOVA);
	busway_violation_text(bench_first(&b->bench), words, sizeof(words));
	assert_non_null(strstr(words, "iommu@1000"));
	bench_told(&b->bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	bench_event(&b->bench, &near, BUSWAY_EVENT_UNMAPPED);
}

static void a_page_allows_what_it_says(struct iommu_bench *b)
{
	unsigned char value;

	iommu_map(b, IOVA, OLD, 0x10000, BUSWAY_READ);
	for (unsigned twice = 0; twice < 2; twice++) { /* by a walk, and remembered */
		assert_int_equal(iommu_put(b, COHERENT, IOVA, 9), -BUSWAY_ERANGE);
		bench_told(&b->bench, BUSWAY_VIOLATION_IOMMU_PERMISSION, 1);
		assert_int_equal(byte_at(b, OLD), 0);
		assert_int_equal(iommu_get(b, COHERENT, IOVA, &value), 0);
		assert_int_equal(value, 0);
		bench_told_nothing(&b->bench);
	}
}

/* ---- what it remembers ---- */

static void a_forgotten_invalidation_is_a_write_to_old_memory(struct iommu_bench *b)
{
	map_and_use(b, IOVA, OLD, 0x10000);
	move(b, IOVA, NEW, 0x10000);
	bench_told_nothing(&b->bench);
	writes_to(b, IOVA, 2, OLD);
	assert_int_equal(byte_at(b, NEW), 0);
	assert_string_equal(bench_first(&b->bench)->hop, "iommu@1000");
	assert_int_equal(bench_first(&b->bench)->at.first, OLD);
	bench_told(&b->bench, BUSWAY_VIOLATION_STALE, 1);
	iommu_forget(b, IOVA, 0x10000, true);
	writes_to(b, IOVA, 3, NEW);
	bench_told_nothing(&b->bench);
}

static void a_table_that_was_given_back_too_early_is_told(struct iommu_bench *b)
{
	map_and_use(b, IOVA, OLD, 0x10000);
	iommu_clear(b, IOVA, 0x10000);
	if (b->freed.count == 0)
		fail_msg("%s: no table was taken out", b->what->name);
	iommu_release(b);
	/* pages only: the way there is still remembered */
	iommu_forget(b, IOVA, 0x10000, false);
	iommu_put(b, COHERENT, IOVA, 2);
	bench_told(&b->bench, BUSWAY_VIOLATION_TABLE_GONE, 1);
	iommu_forget(b, IOVA, 0x10000, true);
	assert_int_equal(iommu_put(b, COHERENT, IOVA, 3), -BUSWAY_ERANGE);
	bench_told(&b->bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
}

/* The table is still there, but no longer where the tables lead. */
static void a_remembered_table_is_used_too(struct iommu_bench *b)
{
	map_and_use(b, IOVA, OLD, 0x10000);
	move(b, IOVA, NEW, 0x10000);
	iommu_forget(b, IOVA, 0x10000, false);
	iommu_put(b, COHERENT, IOVA, 2);
	assert_int_equal(byte_at(b, NEW), 0);
	bench_told(&b->bench, BUSWAY_VIOLATION_STALE, 1);
	iommu_forget(b, IOVA, 0x10000, true);
	writes_to(b, IOVA, 3, NEW);
	bench_told_nothing(&b->bench);
}

static void rights_that_were_taken_back_are_still_used(struct iommu_bench *b)
{
	map_and_use(b, IOVA, OLD, 0x10000);
	iommu_clear(b, IOVA, 0x10000);
	iommu_map(b, IOVA, OLD, 0x10000, BUSWAY_READ);
	writes_to(b, IOVA, 2, OLD);
	bench_told(&b->bench, BUSWAY_VIOLATION_STALE, 1);
}

static void only_what_is_invalidated_is_forgotten(struct iommu_bench *b)
{
	for (unsigned page = 0; page < 4; page++) { /* apart, so that nothing is joined */
		map_and_use(b, IOVA + page * b->page, OLD + 2 * page * b->page, b->page);
	}
	iommu_clear(b, IOVA, 4 * b->page);
	for (unsigned page = 0; page < 4; page++)
		iommu_map(b, IOVA + page * b->page, NEW + 2 * page * b->page, b->page, RW);
	/* the last byte of one, the first byte of the next */
	iommu_forget(b, IOVA + 2 * b->page - 1, 2, true);
	for (unsigned page = 0; page < 4; page++) {
		const bool forgotten = page == 1 || page == 2;

		assert_int_equal(iommu_put(b, COHERENT, IOVA + page * b->page, 2), 0);
		assert_int_equal(byte_at(b, OLD + 2 * page * b->page), forgotten ? 1 : 2);
		assert_int_equal(byte_at(b, NEW + 2 * page * b->page), forgotten ? 2 : 0);
		bench_told(&b->bench, BUSWAY_VIOLATION_STALE, forgotten ? 0 : 1);
	}
}

/* VT-d, IVA_REG: to invalidate a page of 2 MiB takes an address mask of 9 at least. */
static void a_large_page_of_vt_d_is_forgotten_as_a_whole(struct iommu_bench *b)
{
	const bool whole = b->what->format == BUSWAY_VTD_SECOND;

	map_and_use(b, IOVA, OLD, 0x200000);
	iommu_clear(b, IOVA, 0x10000);
	iommu_forget(b, IOVA, 0x10000, false);
	(void)iommu_put(b, COHERENT, IOVA, 2);
	assert_int_equal(byte_at(b, OLD), whole ? 2 : 1);
	bench_told(&b->bench, whole ? BUSWAY_VIOLATION_STALE : BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	iommu_forget(b, IOVA, 0x200000, false);
	(void)iommu_put(b, COHERENT, IOVA, 3);
	assert_int_equal(byte_at(b, OLD), whole ? 2 : 1);
	bench_told(&b->bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
}

static void other_tags_remember_for_themselves(void **state)
{
	static struct iommu_bench b;
	struct busway_machine_iommu other;

	(void)state;
	open(&b, &iommu_cases[0]);
	other = iommu_of(&b);
	other.tag = TAG + 1;
	assert_int_equal(busway_machine_translate(b.bench.machine, device(CARVER), &other), 0);
	b.bench.plan.devices[CARVER].coherence = BUSWAY_COHERENT;
	map_and_use(&b, IOVA, OLD, 0x10000);
	assert_int_equal(iommu_put(&b, CARVER, IOVA, 1), 0);
	iommu_clear(&b, IOVA, 0x10000);
	iommu_forget(&b, IOVA, 0x10000, true);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 2), -BUSWAY_ERANGE);
	bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	assert_int_equal(iommu_put(&b, CARVER, IOVA, 2), 0);
	bench_told(&b.bench, BUSWAY_VIOLATION_STALE, 1);
	iommu_close(&b);
}

/* A large page is remembered; of one piece of it the tables say something else by now. */
static void of_a_large_page_only_what_changed_is_stale(struct iommu_bench *b)
{
	const uint64_t offset = 0x40000;
	unsigned char bytes[0x10000 + 0x20];

	memset(bytes, 7, sizeof(bytes));
	iommu_map(b, IOVA, OLD, 0x2000000, RW);
	assert_int_equal(iommu_put(b, COHERENT, IOVA + offset, 1), 0);
	move(b, IOVA + offset, NEW + offset, b->page);
	assert_int_equal(
		bench_write(&b->bench, COHERENT, IOVA + offset - 0x10, bytes, b->page + 0x20), 0);
	assert_memory_equal(cpu_at(&b->bench, OLD + offset - 0x10), bytes, b->page + 0x20);
	assert_int_equal(bench_first(&b->bench)->asked.first, IOVA + offset);
	assert_int_equal(bench_first(&b->bench)->asked.last, IOVA + offset + b->page - 1);
	bench_told(&b->bench, BUSWAY_VIOLATION_STALE, 1);
}

/* A driver that mixes up tags: what is remembered of a page is used, tables are not misread. */
static void a_tag_that_two_formats_share_is_no_danger(void **state)
{
	static struct iommu_bench first, second;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++)
		for (size_t j = 0; j < iommu_case_count; j++) {
			struct busway_machine_iommu other;

			open(&first, &iommu_cases[i]);
			open(&second, &iommu_cases[j]);
			iommu_map(&second, IOVA, OLD, 0x10000, RW);
			other = iommu_of(&second);
			/* by numbers that mean nothing in the first machine */
			assert_int_equal(iommu_put(&first, COHERENT, IOVA, 1), -BUSWAY_ERANGE);
			assert_int_equal(busway_machine_translate(first.bench.machine,
								  device(COHERENT), &other),
					 0);
			iommu_put(&first, COHERENT, IOVA, 1);
			iommu_close(&second);
			iommu_close(&first);
		}
}

/* With room for one page only, what was remembered gives way to the next. */
static void what_gives_way_is_walked_anew(void **state)
{
	static struct iommu_bench b;
	const struct busway_machine_options small = {.lenient = true, .iotlb_pages = 1};

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		for (unsigned evict = 0; evict < 2; evict++) {
			open_with(&b, &iommu_cases[i], &small);
			iommu_map(&b, IOVA, OLD, b.page, RW);
			iommu_map(&b, IOVA + b.page, OLD + 4 * b.page, b.page, RW);
			assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), 0);
			if (evict)
				assert_int_equal(iommu_put(&b, COHERENT, IOVA + b.page, 1), 0);
			move(&b, IOVA, NEW, b.page);
			writes_to(&b, IOVA, 2, evict ? NEW : OLD);
			bench_told(&b.bench, BUSWAY_VIOLATION_STALE, evict ? 0 : 1);
			iommu_close(&b);
		}
	}
}

static void faults_are_not_remembered(struct iommu_bench *b)
{
	assert_int_equal(iommu_put(b, COHERENT, IOVA, 1), -BUSWAY_ERANGE);
	bench_told(&b->bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	iommu_map(b, IOVA, OLD, b->page, RW);
	writes_to(b, IOVA, 2, OLD);
	bench_told_nothing(&b->bench);
}

/* The whole table is given back while the device is still translated by it. */
static void a_root_that_was_given_back_is_told(void **state)
{
	static struct iommu_bench b;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		open(&b, &iommu_cases[i]);
		iommu_map(&b, IOVA, OLD, 0x10000, RW);
		busway_pagetable_destroy(b.table);
		b.table = NULL;
		iommu_put(&b, COHERENT, IOVA, 2);
		bench_told(&b.bench, BUSWAY_VIOLATION_TABLE_GONE, 1);
		bench_close(&b.bench);
	}
}

/* ---- writes on their way ---- */

/* A write is on its way while its page is unmapped; then other memory is mapped there. */
static void unmap_before_arrival(struct iommu_bench *b, bool undrained)
{
	const struct busway_machine_options options = {
		.lenient = true, .posted = true, .undrained = undrained, .seed = 5};

	open_with(b, &iommu_cases[0], &options);
	map_and_use(b, IOVA, OLD, 0x10000);
	busway_machine_settle(b->bench.machine);
	assert_int_equal(iommu_put(b, COHERENT, IOVA, 2), 0);
	iommu_unmap(b, IOVA, 0x10000);
}

static void an_invalidation_waits_for_writes_on_their_way(void **state)
{
	static struct iommu_bench b;

	(void)state;
	for (unsigned undrained = 0; undrained < 2; undrained++) {
		unmap_before_arrival(&b, undrained);
		assert_int_equal(byte_at(&b, OLD), undrained ? 1 : 2);
		iommu_map(&b, IOVA, NEW, 0x10000, RW);
		busway_machine_settle(b.bench.machine);
		/* undrained, it comes to memory that is somebody else's: nobody can tell */
		assert_int_equal(byte_at(&b, NEW), undrained ? 2 : 0);
		bench_told_nothing(&b.bench);
		iommu_close(&b);
	}
}

static void a_write_that_comes_after_the_invalidation_faults(void **state)
{
	static struct iommu_bench b;

	(void)state;
	unmap_before_arrival(&b, true);
	busway_machine_settle(b.bench.machine);
	assert_int_equal(byte_at(&b, OLD), 1);
	bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	iommu_close(&b);
}

/* ---- walks past the caches ---- */

static void without_snooping_entries_have_to_be_cleaned(struct iommu_bench *b)
{
	iommu_map(b, IOVA, OLD, 0x30000, RW);
	writes_to(b, IOVA + 0x21234, 1, OLD + 0x21234);
	bench_told_nothing(&b->bench);
	/* the same by who believes that the IOMMU snoops */
	busway_pagetable_destroy(b->table);
	b->tables.clean = NULL;
	assert_int_equal(busway_pagetable_create(&b->options, &b->tables,
						 &b->bench.memory.allocator, &b->table),
			 0);
	iommu_attach(b, COHERENT);
	iommu_forget(b, 0, UINT64_MAX, true);
	iommu_map(b, IOVA, NEW, 0x30000, RW);
	iommu_put(b, COHERENT, IOVA + 0x21234, 2);
	assert_int_equal(byte_at(b, NEW + 0x21234), 0);
	bench_told(&b->bench, BUSWAY_VIOLATION_STALE, 1);
}

/* ---- dirty pages ---- */

struct dirt {
	uint64_t page, pages; /* bit n: page n from IOVA on */
};

static bool collect(void *ctx, const struct busway_mapped_run *run)
{
	struct dirt *dirt = ctx;

	for (uint64_t at = run->iova.first.raw; at < run->iova.last.raw; at += dirt->page)
		dirt->pages |= (uint64_t)1 << (at - IOVA) / dirt->page;
	return true;
}

static uint64_t dirty_pages(struct iommu_bench *b, bool clear)
{
	struct dirt dirt = {.page = b->page};
	const struct busway_dma_range all = {{IOVA}, {IOVA + 8 * b->page - 1}};

	assert_int_equal(busway_pagetable_dirty(b->table, all, clear, collect, &dirt), 0);
	return dirt.pages;
}

static void pages_that_are_written_are_marked(void **state)
{
	static struct iommu_bench b;
	unsigned char value;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		b.options = (struct busway_pagetable_options){
			.split = true, .exclusive = true, .track_dirty = true};
		bench_draw(&b.bench);
		iommu_open_drawn(&b, &iommu_cases[i], NULL);
		iommu_attach(&b, COHERENT);
		for (unsigned page = 0; page < 8; page++)
			iommu_map(&b, IOVA + page * b.page, OLD + 2 * page * b.page, b.page, RW);
		assert_int_equal(dirty_pages(&b, false), 0);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + b.page, 1), 0);
		assert_int_equal(iommu_get(&b, COHERENT, IOVA + 2 * b.page, &value), 0);
		/* remembered by a read, and written then */
		assert_int_equal(iommu_get(&b, COHERENT, IOVA + 5 * b.page, &value), 0);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + 5 * b.page, 1), 0);
		assert_int_equal(dirty_pages(&b, true), 1 << 1 | 1 << 5);
		assert_int_equal(dirty_pages(&b, false), 0);
		/* it remembers that these pages are marked: that is missed */
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + b.page, 2), 0);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + 5 * b.page, 2), 0);
		assert_int_equal(dirty_pages(&b, false), 0);
		iommu_forget(&b, IOVA, 8 * b.page, false);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA + b.page, 3), 0);
		assert_int_equal(dirty_pages(&b, false), 1 << 1);
		bench_told_nothing(&b.bench);
		iommu_close(&b);
	}
}

int main(void)
{
	static const struct busway_machine_options strict = {0};
	static const struct busway_machine_options past = {.lenient = true,
							   .walks_past_caches = true};
	const struct CMUnitTest tests[] = {
		IN_EVERY_FORMAT(every_format_leads_where_it_was_mapped),
		IN_EVERY_FORMAT(an_access_goes_on_in_another_page),
		IN_EVERY_FORMAT_WITH(&strict, what_is_not_mapped_faults),
		IN_EVERY_FORMAT(a_page_allows_what_it_says),
		IN_EVERY_FORMAT(a_forgotten_invalidation_is_a_write_to_old_memory),
		IN_EVERY_FORMAT(a_table_that_was_given_back_too_early_is_told),
		IN_EVERY_FORMAT(a_remembered_table_is_used_too),
		IN_EVERY_FORMAT(rights_that_were_taken_back_are_still_used),
		IN_EVERY_FORMAT(only_what_is_invalidated_is_forgotten),
		IN_EVERY_FORMAT(a_large_page_of_vt_d_is_forgotten_as_a_whole),
		cmocka_unit_test(other_tags_remember_for_themselves),
		IN_EVERY_FORMAT(of_a_large_page_only_what_changed_is_stale),
		cmocka_unit_test(a_tag_that_two_formats_share_is_no_danger),
		cmocka_unit_test(what_gives_way_is_walked_anew),
		IN_EVERY_FORMAT(faults_are_not_remembered),
		cmocka_unit_test(a_root_that_was_given_back_is_told),
		cmocka_unit_test(an_invalidation_waits_for_writes_on_their_way),
		cmocka_unit_test(a_write_that_comes_after_the_invalidation_faults),
		IN_EVERY_FORMAT_WITH(&past, without_snooping_entries_have_to_be_cleaned),
		cmocka_unit_test(pages_that_are_written_are_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
