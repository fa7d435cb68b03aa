/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malformed_test.c - trees that say something wrong: an error that names the place, or a right
 * answer.
 *
 * Counts of cells, names and phandles that stand twice, strings that do not end, circles. Of bytes
 * that are no tree see container_test.c.
 */
#include "blob.h"
#include "outcome.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

/* ---- depth and cells ---- */

static void *nested(unsigned depth, size_t *size)
{
	struct blob b;

	blob_open_root(&b);
	for (unsigned i = 1; i < depth; i++)
		blob_begin(&b, "n");
	for (unsigned i = 0; i < depth; i++)
		blob_end(&b);
	return blob_close(&b, size);
}

static void nesting_deeper_than_the_kernel_takes_is_refused(void **state)
{
	static const unsigned too_deep[] = {65, 66, 100, 1000, 100000};
	size_t size;
	void *tree = nested(64, &size);

	assert_int_equal(outcome_of(tree, size).status, 0);
	free(tree);
	for (size_t i = 0; i < COUNT(too_deep); i++) {
		struct outcome outcome;

		tree = nested(too_deep[i], &size);
		outcome = outcome_of(tree, size);
		assert_int_equal(outcome.status, -BUSWAY_EINVAL);
		assert_non_null(strstr(outcome.error.message, "deeper"));
		free(tree);
	}
	(void)state;
}

/*
 * The OMAP5 uEVM's tree says #address-cells = <7> on a node of keys: the kernel boots it, for
 * nobody reads addresses with that count.
 */
static void a_count_that_nothing_uses_does_no_harm(void **state)
{
	static const uint32_t counts[] = {5, 7, 0x100, 0x10001, 0x80000000, 0xffffffff};
	static const char *const properties[] = {"#address-cells", "#size-cells"};

	for (size_t i = 0; i < COUNT(counts); i++) {
		for (size_t p = 0; p < COUNT(properties); p++) {
			struct tree tree;
			struct blob b;
			size_t size;
			void *blob;

			blob_open_root(&b);
			blob_begin(&b, "bus");
			blob_cell(&b, "#address-cells", 1);
			blob_cell(&b, "#size-cells", 1);
			blob_cells(&b, "dma-ranges", 3, (uint32_t[]){0, 0x1000, 0x1000});
			blob_begin(&b, "keys");
			blob_cell(&b, properties[p], counts[i]);
			blob_begin(&b, "key");
			blob_end(&b);
			blob_end(&b);
			blob_end(&b);
			blob_end(&b);
			blob = blob_close(&b, &size);
			tree_take(&tree, blob, size);
			assert_string_equal(windows_of(&tree, tree_device(&tree, "/bus/keys")),
					    "0x0->0x1000+0x1000");
			tree_close(&tree);
		}
	}
	(void)state;
}

/* Where addresses are to be read with it: an error that names it, or no window at all. */
static void a_count_that_no_address_has_gives_no_window(void **state)
{
	static const uint32_t counts[] = {5, 0x100, 0x10001, 0x80000000, 0xffffffff};
	static const char *const properties[] = {"#address-cells", "#size-cells"};
	static const uint32_t cells[64] = {0, 0, 0, 0, 0x1000, 0x1000, 0, 0x1000};

	for (size_t i = 0; i < COUNT(counts); i++) {
		for (size_t p = 0; p < COUNT(properties); p++) {
			struct outcome outcome;
			struct tree tree;
			struct blob b;
			size_t size;
			void *blob;

			blob_open_root(&b);
			blob_begin(&b, "bus");
			blob_cell(&b, properties[p], counts[i]);
			blob_cells(&b, "dma-ranges", COUNT(cells), cells);
			blob_begin(&b, "dev");
			blob_cells(&b, "reg", COUNT(cells), cells);
			blob_end(&b);
			blob_end(&b);
			blob_end(&b);
			blob = blob_close(&b, &size);
			outcome = outcome_of(blob, size);
			if (outcome.status) {
				check_refused(blob, size, "a count of more than 4", "/bus",
					      properties[p], "cells");
				free(blob);
				continue;
			}
			tree_take(&tree, blob, size);
			assert_string_equal(windows_of(&tree, tree_device(&tree, "/bus/dev")),
					    "untranslatable");
			tree_close(&tree);
		}
	}
	(void)state;
}

static void a_cell_count_that_is_no_cell_is_refused(void **state)
{
	static const char *const properties[] = {"#address-cells", "#size-cells"};

	for (size_t p = 0; p < COUNT(properties); p++) {
		for (size_t size = 0; size < 4; size++) {
			struct blob b;

			blob_open_root(&b);
			blob_begin(&b, "bus");
			blob_bytes(&b, properties[p], "\0\0\0", size);
			blob_end(&b);
			blob_end(&b);
			check_blob_refused(&b, "too short", "/bus", properties[p], "one cell");
		}
	}
	(void)state;
}

/* No combination of counts reads outside a property, however short or long that is. */
static void every_combination_of_counts_gets_an_answer(void **state)
{
	static const uint32_t cells[24] = {1, 2, 3};

	for (uint32_t counts = 0; counts < 5 * 5 * 5 * 5; counts++) {
		for (size_t length = 0; length <= 16; length += 5) {
			struct blob b;
			size_t size;
			void *tree;

			blob_open(&b);
			blob_begin(&b, "");
			blob_cell(&b, "#address-cells", counts % 5);
			blob_cell(&b, "#size-cells", counts / 5 % 5);
			blob_begin(&b, "memory");
			blob_string(&b, "device_type", "memory");
			blob_bytes(&b, "reg", cells, length * 4);
			blob_end(&b);
			blob_begin(&b, "reserved-memory");
			blob_cell(&b, "#address-cells", counts % 5);
			blob_cell(&b, "#size-cells", counts / 5 % 5);
			blob_bytes(&b, "ranges", "", 0);
			blob_begin(&b, "pool");
			blob_bytes(&b, "no-map", "", 0);
			blob_bytes(&b, "reg", cells, length * 4);
			blob_end(&b);
			blob_begin(&b, "dynamic");
			blob_bytes(&b, "size", cells, length * 4);
			blob_bytes(&b, "alloc-ranges", cells, length * 4 + 1);
			blob_end(&b);
			blob_end(&b);
			blob_begin(&b, "pcie");
			blob_cell(&b, "#address-cells", counts / 25 % 5);
			blob_cell(&b, "#size-cells", counts / 125 % 5);
			blob_bytes(&b, "ranges", cells, length * 4);
			blob_bytes(&b, "dma-ranges", cells, length * 4);
			blob_begin(&b, "fn");
			blob_bytes(&b, "reg", cells, length);
			blob_end(&b);
			blob_end(&b);
			blob_begin(&b, "pcie-ep");
			blob_string(&b, "reg-names", "mem");
			blob_bytes(&b, "reg", cells, length);
			blob_bytes(&b, "max-functions", cells, length % 4);
			blob_end(&b);
			blob_end(&b);
			tree = blob_close(&b, &size);
			if (outcome_of(tree, size).status)
				fail_msg("counts %u, length %zu", counts, length);
			free(tree);
		}
	}
	(void)state;
}

/* ---- what stands twice ---- */

static void two_siblings_of_one_name_are_refused(void **state)
{
	struct blob b;

	blob_open_root(&b);
	blob_begin(&b, "bus");
	blob_begin(&b, "dev@1");
	blob_end(&b);
	blob_begin(&b, "dev@2");
	blob_end(&b);
	blob_begin(&b, "dev@1");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "a path would mean both", "/bus/dev@1", "", "two nodes");
	(void)state;
}

static void two_nodes_of_one_phandle_are_refused(void **state)
{
	struct blob b;

	blob_open_root(&b);
	blob_begin(&b, "one");
	blob_cell(&b, "phandle", 7);
	blob_end(&b);
	blob_begin(&b, "other");
	blob_cell(&b, "linux,phandle", 7);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "a reference would mean both", "/other", "phandle", "0x7");
	(void)state;
}

static void phandles_that_are_none_may_stand_twice(void **state)
{
	static const uint32_t none[] = {0, 0xffffffff};
	struct blob b;
	size_t size;
	void *tree;

	for (size_t i = 0; i < COUNT(none); i++) {
		blob_open_root(&b);
		for (int node = 0; node < 2; node++) {
			blob_begin(&b, node ? "one" : "other");
			blob_cell(&b, "phandle", none[i]);
			blob_cell(&b, "iommus", none[i]);
			blob_end(&b);
		}
		blob_end(&b);
		tree = blob_close(&b, &size);
		assert_int_equal(outcome_of(tree, size).status, 0);
		free(tree);
	}
	(void)state;
}

static void of_two_properties_the_first_counts_and_it_is_noted(void **state)
{
	struct tree tree;
	struct blob b;
	size_t size;
	void *blob;

	blob_open_root(&b);
	blob_begin(&b, "bus");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_cells(&b, "dma-ranges", 3, (uint32_t[]){0, 0x1000, 0x1000});
	blob_cells(&b, "dma-ranges", 3, (uint32_t[]){0, 0x2000, 0x1000});
	blob_begin(&b, "dev");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	blob = blob_close(&b, &size);
	tree_take(&tree, blob, size);
	assert_string_equal(windows_of(&tree, tree_device(&tree, "/bus/dev")),
			    "0x0->0x1000+0x1000");
	assert_non_null(strstr(notes_of(&tree, tree_device(&tree, "/bus")), "duplicate-property"));
	tree_close(&tree);
	(void)state;
}

/* ---- strings that do not end ---- */

static void strings_without_an_end_are_no_strings(void **state)
{
	static const char *const properties[] = {
		"compatible", "model", "device_type", "status", "reg-names", "interconnect-names",
	};
	struct blob b;
	size_t size;
	void *tree;

	for (size_t i = 0; i < COUNT(properties); i++) {
		for (size_t length = 0; length <= 8; length++) {
			blob_open_root(&b);
			blob_bytes(&b, properties[i], "memory-pci-dma-mem-okay", length);
			blob_begin(&b, "aliases");
			blob_bytes(&b, "name", "/node", length % 6);
			blob_end(&b);
			blob_begin(&b, "node");
			blob_bytes(&b, properties[i], "memory-pci-dma-mem-okay", length);
			blob_end(&b);
			blob_end(&b);
			tree = blob_close(&b, &size);
			assert_int_equal(outcome_of(tree, size).status, 0);
			free(tree);
		}
	}
	(void)state;
}

/* ---- DMA parents in a circle ---- */

/* A node whose DMA parent is the node with phandle @parent. */
static void begin_linked(struct blob *b, const char *name, uint32_t phandle, uint32_t parent)
{
	blob_begin(b, name);
	blob_cell(b, "phandle", phandle);
	blob_cell(b, "#interconnect-cells", 0);
	blob_cell(b, "interconnects", parent);
	blob_string(b, "interconnect-names", "dma-mem");
}

static void dma_parents_in_a_circle_are_refused(void **state)
{
	struct blob b;

	blob_open_root(&b);
	begin_linked(&b, "self", 1, 1);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "a node above itself", "/self", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "one", 1, 2);
	blob_end(&b);
	begin_linked(&b, "two", 2, 1);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "two nodes above each other", "/one", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "bus", 1, 2);
	blob_begin(&b, "child");
	blob_cell(&b, "phandle", 2);
	blob_cell(&b, "#interconnect-cells", 0);
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "a bus above its own child", "/bus", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "into", 1, 2);
	blob_end(&b);
	begin_linked(&b, "two", 2, 3);
	blob_end(&b);
	begin_linked(&b, "three", 3, 2);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "a way into a circle", "/into", "interconnects", "circle");
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nesting_deeper_than_the_kernel_takes_is_refused),
		cmocka_unit_test(a_count_that_nothing_uses_does_no_harm),
		cmocka_unit_test(a_count_that_no_address_has_gives_no_window),
		cmocka_unit_test(a_cell_count_that_is_no_cell_is_refused),
		cmocka_unit_test(every_combination_of_counts_gets_an_answer),
		cmocka_unit_test(two_siblings_of_one_name_are_refused),
		cmocka_unit_test(two_nodes_of_one_phandle_are_refused),
		cmocka_unit_test(phandles_that_are_none_may_stand_twice),
		cmocka_unit_test(of_two_properties_the_first_counts_and_it_is_noted),
		cmocka_unit_test(strings_without_an_end_are_no_strings),
		cmocka_unit_test(dma_parents_in_a_circle_are_refused),
	};

	return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
