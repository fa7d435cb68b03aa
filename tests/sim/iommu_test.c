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

static void open(struct iommu_bench *b, const struct iommu_case *what)
{
	iommu_open(b, what, NULL);
	iommu_attach(b, COHERENT);
}

/* ---- where it leads ---- */

/* Runs of all sizes that the format has, in an order of memory that is not that of IOVAs. */
static void every_format_leads_where_it_was_mapped(void **state)
{
	static struct iommu_bench b;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		const uint64_t places[] = {OLD + 0x40000, NEW, RAM + 0x5000000, OLD};
		const uint64_t sizes[] = {0x10000, 0x200000, 0x2000000, 0x30000};
		uint64_t iova = 0x40000000;

		open(&b, &iommu_cases[i]);
		for (size_t j = 0; j < COUNT(sizes); j++) {
			iommu_map(&b, iova, places[j], sizes[j], RW);
			for (uint64_t at = 0x333; at < sizes[j]; at += sizes[j] / 16 + 0x21) {
				const unsigned char value = (unsigned char)(at * 37 >> 4 | 1);
				unsigned char got = 0;

				assert_int_equal(iommu_put(&b, COHERENT, iova + at, value), 0);
				assert_int_equal(byte_at(&b, places[j] + at), value);
				assert_int_equal(iommu_get(&b, COHERENT, iova + at, &got), 0);
				assert_int_equal(got, value);
			}
			iova += 0x2000000;
		}
		bench_told_nothing(&b.bench);
		iommu_close(&b);
	}
}

static void an_access_goes_on_in_another_page(void **state)
{
	static struct iommu_bench b;
	unsigned char bytes[0x20000], back[0x20000];

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		open(&b, &iommu_cases[i]);
		busway_pattern_fill(i, 0, bytes, sizeof(bytes));
		iommu_map(&b, IOVA, OLD, 0x10000, RW);
		iommu_map(&b, IOVA + 0x10000, NEW, 0x10000, RW);
		assert_int_equal(bench_write(&b.bench, COHERENT, IOVA + 5, bytes, 0x1fff0), 0);
		assert_memory_equal(cpu_at(&b.bench, OLD + 5), bytes, 0xfffb);
		assert_memory_equal(cpu_at(&b.bench, NEW), bytes + 0xfffb, 0xfff5);
		assert_int_equal(bench_read(&b.bench, COHERENT, IOVA + 5, back, 0x1fff0), 0);
		assert_memory_equal(back, bytes, 0x1fff0);
		bench_told_nothing(&b.bench);
		iommu_close(&b);
	}
}

static void what_is_not_mapped_faults(void **state)
{
	static struct iommu_bench b;
	const struct busway_machine_options strict = {0};
	struct made near = made(COHERENT, OLD, IOVA, 0x10000, BUSWAY_TO_DEVICE);
	unsigned char value = 1;
	char words[512];

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		iommu_open(&b, &iommu_cases[i], &strict);
		iommu_attach(&b, COHERENT);
		iommu_map(&b, IOVA, OLD, 0x10000, RW);
		bench_event(&b.bench, &near, BUSWAY_EVENT_MAPPED);
		bench_told_nothing(&b.bench);
		assert_int_equal(iommu_get(&b, COHERENT, IOVA + 0x20004, &value), -BUSWAY_ERANGE);
		assert_int_equal(value, 0xff);
		assert_string_equal(bench_first(&b.bench)->hop, "iommu@1000");
		assert_int_equal(bench_first(&b.bench)->asked.first, IOVA + 0x20004);
		assert_int_equal(bench_first(&b.bench)->at.first, IOVA + 0x20004);
		assert_non_null(bench_first(&b.bench)->by);
		assert_true(bench_first(&b.bench)->has_trace);
		assert_int_equal(bench_first(&b.bench)->trace.dma.first.raw, IOVA);
		busway_violation_text(bench_first(&b.bench), words, sizeof(words));
		assert_non_null(strstr(words, "iommu@1000"));
		bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
		bench_event(&b.bench, &near, BUSWAY_EVENT_UNMAPPED);
		iommu_close(&b);
	}
}

static void a_page_allows_what_it_says(void **state)
{
	static struct iommu_bench b;
	unsigned char value;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		open(&b, &iommu_cases[i]);
		iommu_map(&b, IOVA, OLD, 0x10000, BUSWAY_READ);
		for (unsigned twice = 0; twice < 2; twice++) { /* by a walk, and remembered */
			assert_int_equal(iommu_put(&b, COHERENT, IOVA, 9), -BUSWAY_ERANGE);
			bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_PERMISSION, 1);
			assert_int_equal(byte_at(&b, OLD), 0);
			assert_int_equal(iommu_get(&b, COHERENT, IOVA, &value), 0);
			assert_int_equal(value, 0);
			bench_told_nothing(&b.bench);
		}
		iommu_close(&b);
	}
}

/* ---- what it remembers ---- */

static void a_forgotten_invalidation_is_a_write_to_old_memory(void **state)
{
	static struct iommu_bench b;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		open(&b, &iommu_cases[i]);
		iommu_map(&b, IOVA, OLD, 0x10000, RW);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), 0);
		iommu_clear(&b, IOVA, 0x10000);
		iommu_map(&b, IOVA, NEW, 0x10000, RW);
		bench_told_nothing(&b.bench);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 2), 0);
		assert_int_equal(byte_at(&b, OLD), 2);
		assert_int_equal(byte_at(&b, NEW), 0);
		assert_string_equal(bench_first(&b.bench)->hop, "iommu@1000");
		assert_int_equal(bench_first(&b.bench)->at.first, OLD);
		bench_told(&b.bench, BUSWAY_VIOLATION_STALE, 1);
		iommu_forget(&b, IOVA, 0x10000, true);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 3), 0);
		assert_int_equal(byte_at(&b, NEW), 3);
		bench_told_nothing(&b.bench);
		iommu_close(&b);
	}
}

static void a_table_that_was_given_back_too_early_is_told(void **state)
{
	static struct iommu_bench b;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		open(&b, &iommu_cases[i]);
		iommu_map(&b, IOVA, OLD, 0x10000, RW);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), 0);
		iommu_clear(&b, IOVA, 0x10000);
		if (b.freed.count == 0)
			fail_msg("%s: no table was taken out", b.what->name);
		iommu_release(&b);
		/* pages only: the way there is still remembered */
		iommu_forget(&b, IOVA, 0x10000, false);
		iommu_put(&b, COHERENT, IOVA, 2);
		bench_told(&b.bench, BUSWAY_VIOLATION_TABLE_GONE, 1);
		iommu_forget(&b, IOVA, 0x10000, true);
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 3), -BUSWAY_ERANGE);
		bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
		iommu_close(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_leads_where_it_was_mapped),
		cmocka_unit_test(an_access_goes_on_in_another_page),
		cmocka_unit_test(what_is_not_mapped_faults),
		cmocka_unit_test(a_page_allows_what_it_says),
		cmocka_unit_test(a_forgotten_invalidation_is_a_write_to_old_memory),
		cmocka_unit_test(a_table_that_was_given_back_too_early_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
