/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failing_memory_test.c - the import when memory runs out: the 1st, 2nd, 3rd... allocation fails.
 *
 * Each failure gives -BUSWAY_ENOMEM, hands nothing out, and gives all memory back.
 */
#include "support.h"

#include <busway/check.h>

#include <stdlib.h>

/* Where a pointer that must not be touched points. */
static max_align_t nothing;

/* How many allocations it takes until the import succeeds. One fails, or that and all later ones. */
static unsigned long sweep(const void *blob, size_t size, unsigned flags, bool all_later)
{
	for (unsigned long fail_at = 1;; fail_at++) {
		struct busway_platform *const untouched = (void *)&nothing;
		struct busway_platform *platform = untouched;
		struct test_memory memory;
		int status;

		test_memory_open(&memory);
		test_memory_fail_at(&memory, fail_at, all_later);
		status = busway_fdt_import(blob, size, flags, &memory.allocator, &platform, NULL);
		if (status == 0) {
			busway_platform_destroy(platform);
			assert_true(memory.calls < fail_at);
			test_memory_close(&memory);
			return fail_at - 1;
		}
		if (status != -BUSWAY_ENOMEM || platform != untouched)
			fail_msg("allocation %lu fails: status %d", fail_at, status);
		test_memory_close(&memory);
	}
}

/* The same for the checker. */
static unsigned long sweep_check(const void *blob, size_t size, bool all_later)
{
	for (unsigned long fail_at = 1;; fail_at++) {
		struct busway_check *const untouched = (void *)&nothing;
		struct busway_check *check = untouched;
		struct test_memory memory;
		int status;

		test_memory_open(&memory);
		test_memory_fail_at(&memory, fail_at, all_later);
		status = busway_fdt_check(blob, size, &memory.allocator, &check, NULL);
		if (status == 0) {
			busway_check_destroy(check);
			assert_true(memory.calls < fail_at);
			test_memory_close(&memory);
			return fail_at - 1;
		}
		if (status != -BUSWAY_ENOMEM || check != untouched)
			fail_msg("check: allocation %lu fails: status %d", fail_at, status);
		test_memory_close(&memory);
	}
}

static void check(const char *name)
{
	size_t size;
	void *blob = tree_read(name, &size);
	const unsigned long all = sweep(blob, size, BUSWAY_FDT_ALL_NODES, true);
	const unsigned long likely = sweep(blob, size, 0, true);
	const unsigned long checks = sweep_check(blob, size, true);

	print_message("# %s: %lu, %lu and %lu allocations\n", name, all, likely, checks);
	assert_true(all > 3 && likely > 3 && checks > all);
	assert_int_equal(sweep(blob, size, BUSWAY_FDT_ALL_NODES, false), all);
	assert_int_equal(sweep_check(blob, size, false), checks);
	free(blob);
}

static void rpi5_without_memory(void **state)
{
	(void)state;
	check("rpi5");
}

static void chromebook_without_memory(void **state)
{
	(void)state;
	check("chromebook-asurada");
}

static void rk3588_without_memory(void **state)
{
	(void)state;
	check("rk3588");
}

/* Small trees fit into few chunks: these reach more of the code. */
static void test_trees_without_memory(void **state)
{
	static const char *const names[] = {"translate", "hosts", "maps", "reserved", "dma-parent"};

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++)
		check(names[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rpi5_without_memory),
		cmocka_unit_test(chromebook_without_memory),
		cmocka_unit_test(rk3588_without_memory),
		cmocka_unit_test(test_trees_without_memory),
	};

	return cmocka_run_group_tests_name("failing-memory", tests, NULL, NULL);
}
