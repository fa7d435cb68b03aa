/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * oom_test.c - no memory for tables, at every place where some is asked for: nothing has changed.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { RW = BUSWAY_READ_WRITE };

/* All of the tables, to be compared. */
static unsigned char *picture(const struct rig *rig)
{
	unsigned char *bytes = malloc((size_t)RIG_PAGES * RIG_PAGE);

	assert_non_null(bytes);
	for (size_t i = 0; i < RIG_PAGES; i++)
		if (rig->used[i])
			memcpy(bytes + i * RIG_PAGE, rig->arena + i * RIG_PAGE, RIG_PAGE);
		else
			memset(bytes + i * RIG_PAGE, 0, RIG_PAGE);
	return bytes;
}

static void expect_unchanged(const struct rig *rig, const unsigned char *before)
{
	unsigned char *now = picture(rig);

	assert_memory_equal(now, before, (size_t)RIG_PAGES * RIG_PAGE);
	free(now);
}

/* Small pages over several tables, of which some are there. */
static void mapping_is_all_or_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i += 3) {
		const uint64_t page = (uint64_t)1 << table_cases[i].granule_lg2;
		const uint64_t table = page << (table_cases[i].granule_lg2 - 3);
		unsigned long failures = 0;
		static struct rig rig;

		rig_make(&rig, &table_cases[i]);
		rig.options.page_sizes = page;
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, table, page, page, RW), 0);
		for (size_t n = 1;; n++) {
			const size_t live = rig.live;
			unsigned char *before = picture(&rig);
			int status;

			rig_fail_at(&rig, n, n % 2);
			status = rig_map(&rig, table - 2 * page, 0, 2 * page, RW);
			if (!status)
				status = rig_map(&rig, table + page, 0, 2 * table, RW);
			rig_fail_at(&rig, 0, false);
			if (!status) {
				free(before);
				break;
			}
			assert_int_equal(status, -BUSWAY_ENOMEM);
			failures++;
			if (rig_walk(&rig, table - page).mapped)
				assert_int_equal(rig_unmap(&rig, table - 2 * page, 2 * page), 0);
			busway_pagetable_trim(rig.table, rig_range(0, table), &rig.freed);
			rig_release(&rig);
			assert_int_equal(rig.live, live);
			expect_unchanged(&rig, before);
			free(before);
		}
		assert_true(failures >= 2);
		rig_close(&rig);
	}
}

static void a_split_is_all_or_nothing(void **state)
{
	static struct rig rig;
	unsigned failures = 0;

	(void)state;
	rig_make(&rig, &table_cases[0]);
	rig.options.split = true;
	rig_open(&rig);
	assert_int_equal(rig_map(&rig, 0, 0, (uint64_t)2 << 30, RW), 0);
	for (size_t n = 1;; n++) {
		unsigned char *before = picture(&rig);
		int status;

		rig_fail_at(&rig, n, false);
		/* from within the first GiB into the second: four tables */
		status = rig_unmap(&rig, 0x3ffff000, 0x2000);
		rig_fail_at(&rig, 0, false);
		if (!status) {
			free(before);
			break;
		}
		assert_int_equal(status, -BUSWAY_ENOMEM);
		failures++;
		expect_unchanged(&rig, before);
		free(before);
	}
	assert_int_equal(failures, 4);
	assert_true(rig_walk(&rig, 0x3fffefff).mapped);
	assert_false(rig_walk(&rig, 0x3ffff000).mapped);
	assert_false(rig_walk(&rig, 0x40000fff).mapped);
	assert_int_equal(rig_walk(&rig, 0x40001000).phys, 0x40001000);
	rig_close(&rig);
}

static void making_a_table_needs_two_blocks(void **state)
{
	struct busway_pagetable *table = NULL;
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[0]);
	rig_open(&rig);
	rig_fail_at(&rig, 1, false);
	assert_int_equal(busway_pagetable_create(&rig.options, &rig.tables, &rig.memory.allocator,
						 &table),
			 -BUSWAY_ENOMEM);
	rig_fail_at(&rig, 0, false);
	test_memory_fail_at(&rig.memory, 1, false);
	assert_int_equal(busway_pagetable_create(&rig.options, &rig.tables, &rig.memory.allocator,
						 &table),
			 -BUSWAY_ENOMEM);
	assert_null(table);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mapping_is_all_or_nothing),
		cmocka_unit_test(a_split_is_all_or_nothing),
		cmocka_unit_test(making_a_table_needs_two_blocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
