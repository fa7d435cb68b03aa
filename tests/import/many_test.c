/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * many_test.c - trees with ten thousand of something: read in seconds, or refused with a word.
 *
 * What is long because somebody wants it to take long: effort_test.c.
 */
#include "blob.h"
#include "outcome.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MANY = 10000 };

/* Seconds of processor time that the import takes; with sanitizers and on a busy machine it must
 * stay far below what a quadratic algorithm would need. */
static double seconds_for(const void *blob, size_t size)
{
	const clock_t start = clock();
	const struct outcome outcome = outcome_of(blob, size);

	/* too much of something may be refused, with a word */
	if (outcome.status) {
		assert_int_equal(outcome.status, -BUSWAY_EINVAL);
		assert_true(outcome.error.message[0] != '\0');
	}
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static void check_time(struct blob *b, const char *because)
{
	size_t size;
	void *tree = blob_close(b, &size);
	const double seconds = seconds_for(tree, size);

	print_message("# %s: %.2f s for %zu bytes\n", because, seconds, size);
	if (seconds > 10)
		fail_msg("%s: %.1f seconds", because, seconds);
	free(tree);
}

/* Windows of 256 bytes, each second one at an offset, so that none of them join. */
static uint32_t *many_windows(void)
{
	uint32_t *cells = malloc(MANY * 3 * sizeof(*cells));

	assert_non_null(cells);
	for (uint32_t i = 0; i < MANY; i++) {
		cells[i * 3] = i * 0x100;
		cells[i * 3 + 1] = i * 0x100 + (i % 2 ? 0x1000000 : 0);
		cells[i * 3 + 2] = 0x100;
	}
	return cells;
}

static void ten_thousand_windows_are_read(void **state)
{
	uint32_t *cells = many_windows();
	struct busway_piece *pieces;
	struct tree tree;
	struct blob b;
	size_t size, count;
	void *blob;

	blob_open_root(&b);
	blob_begin(&b, "memory");
	blob_string(&b, "device_type", "memory");
	blob_cells(&b, "reg", 2, (uint32_t[]){0, 0x80000000});
	blob_end(&b);
	blob_begin(&b, "bus");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_cells(&b, "dma-ranges", MANY * 3, cells);
	blob_begin(&b, "dev");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	blob = blob_close(&b, &size);
	tree_take(&tree, blob, size);
	assert_int_equal(busway_windows_build(tree.platform, tree_device(&tree, "/bus/dev"),
					      &tree.memory.allocator, &pieces, &count),
			 0);
	assert_int_equal(count, MANY);
	tree.memory.allocator.free(tree.memory.allocator.ctx, pieces, count * sizeof(*pieces),
				   _Alignof(struct busway_piece));
	tree_close(&tree);
	free(cells);
	(void)state;
}

/* However long the table is, an entry that an earlier one overlaps is told. */
static void one_of_ten_thousand_entries_that_overlaps_is_noted(void **state)
{
	uint32_t *cells = many_windows();
	struct tree tree;
	struct blob b;
	size_t size;
	void *blob;

	cells[7000 * 3] = 42 * 0x100;
	blob_open_root(&b);
	blob_begin(&b, "bus");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_cells(&b, "dma-ranges", MANY * 3, cells);
	blob_begin(&b, "dev");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	blob = blob_close(&b, &size);
	tree_take(&tree, blob, size);
	assert_string_equal(notes_of(&tree, tree_device(&tree, "/bus/dev")), "entry-shadowed");
	assert_int_equal(busway_platform_device(tree.platform, tree_device(&tree, "/bus/dev"))
				 ->dma.notes->entry,
			 7000);
	tree_close(&tree);
	free(cells);
	(void)state;
}

static void ten_thousand_windows_below_ten_thousand_take_seconds_at_most(void **state)
{
	uint32_t *cells = many_windows();
	struct blob b;

	blob_open_root(&b);
	blob_begin(&b, "upper");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_cells(&b, "dma-ranges", MANY * 3, cells);
	blob_begin(&b, "lower");
	blob_cells(&b, "dma-ranges", MANY * 3, cells);
	blob_begin(&b, "dev");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	check_time(&b, "two tables of 10000 entries");
	free(cells);
	(void)state;
}

static void put_name(char *name, size_t size, const char *stem, uint32_t i)
{
	snprintf(name, size, "%s@%x", stem, i);
}

static void ten_thousand_pools_and_users_take_seconds_at_most(void **state)
{
	struct blob b;
	char name[32];

	blob_open_root(&b);
	blob_begin(&b, "reserved-memory");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_bytes(&b, "ranges", "", 0);
	for (uint32_t i = 0; i < MANY; i++) {
		put_name(name, sizeof(name), "pool", i);
		blob_begin(&b, name);
		blob_cells(&b, "reg", 2, (uint32_t[]){i * 0x1000, 0x1000});
		blob_bytes(&b, "no-map", "", 0);
		blob_cell(&b, "phandle", i + 1);
		blob_end(&b);
	}
	blob_end(&b);
	for (uint32_t i = 0; i < MANY; i++) {
		put_name(name, sizeof(name), "dev", i);
		blob_begin(&b, name);
		blob_cell(&b, "memory-region", i + 1);
		blob_end(&b);
	}
	blob_end(&b);
	check_time(&b, "10000 pools and 10000 users");
	(void)state;
}

/* Each node's DMA parent is the next one; the last one's is the root. */
static void begin_chain(struct blob *b, uint32_t length)
{
	char name[32];

	blob_open_root(b);
	for (uint32_t i = 1; i <= length; i++) {
		put_name(name, sizeof(name), "bus", i);
		blob_begin(b, name);
		blob_cell(b, "phandle", i);
		blob_cell(b, "#interconnect-cells", 0);
		blob_cell(b, "#address-cells", 1);
		blob_cell(b, "#size-cells", 1);
		if (i < length) {
			blob_cell(b, "interconnects", i + 1);
			blob_string(b, "interconnect-names", "dma-mem");
		}
		blob_bytes(b, "dma-ranges", "", 0);
		blob_end(b);
	}
	blob_begin(b, "dev");
	blob_cell(b, "interconnects", 1);
	blob_string(b, "interconnect-names", "dma-mem");
	blob_end(b);
	blob_end(b);
}

static void a_long_chain_of_dma_parents_takes_seconds_at_most(void **state)
{
	struct blob b;

	begin_chain(&b, MANY / 2);
	check_time(&b, "5000 DMA parents, one behind the other");
	(void)state;
}

static void many_siblings_are_told_apart_quickly(void **state)
{
	struct blob b;
	char name[32];

	blob_open_root(&b);
	for (uint32_t i = 0; i < 10 * MANY; i++) {
		put_name(name, sizeof(name), "dev", i);
		blob_begin(&b, name);
		blob_end(&b);
	}
	blob_end(&b);
	check_time(&b, "100000 siblings");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ten_thousand_windows_are_read),
		cmocka_unit_test(one_of_ten_thousand_entries_that_overlaps_is_noted),
		cmocka_unit_test(ten_thousand_windows_below_ten_thousand_take_seconds_at_most),
		cmocka_unit_test(ten_thousand_pools_and_users_take_seconds_at_most),
		cmocka_unit_test(a_long_chain_of_dma_parents_takes_seconds_at_most),
		cmocka_unit_test(many_siblings_are_told_apart_quickly),
	};

	return cmocka_run_group_tests_name("many", tests, NULL, NULL);
}
