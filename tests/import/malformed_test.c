/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * malformed_test.c - trees that are wrong: an error that names the place, or a right answer.
 *
 * Whatever the tree, the import gives back all memory and stays inside the blob: the blobs lie in
 * memory of exactly their size, so that sanitizers see a byte too many.
 */
#include "blob.h"
#include "support.h"

#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- asking ---- */

struct outcome {
	int status;
	struct busway_fdt_error error;
};

/* Where a pointer that must not be touched points. */
static max_align_t nothing;

/* Import and throw away; nothing may be left, and nothing handed out by a failure. */
static struct outcome import(const void *blob, size_t size)
{
	struct busway_platform *const untouched = (void *)&nothing;
	struct busway_platform *platform = untouched;
	struct test_memory memory;
	struct outcome outcome = {0};

	test_memory_open(&memory);
	outcome.status = busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, &memory.allocator,
					   &platform, &outcome.error);
	if (outcome.status == 0)
		busway_platform_destroy(platform);
	else
		assert_ptr_equal(platform, untouched);
	test_memory_close(&memory);
	return outcome;
}

/* Refused, naming @node and @property, with @message in the message. */
static void check_refused(const void *blob, size_t size, const char *because, const char *node,
			  const char *property, const char *message)
{
	const struct outcome outcome = import(blob, size);
	const struct busway_fdt_error *e = &outcome.error;

	if (outcome.status != -BUSWAY_EINVAL)
		fail_msg("%s: %d, not refused", because, outcome.status);
	if (strcmp(e->node, node) != 0 || strcmp(e->property, property) != 0 ||
	    !strstr(e->message, message))
		fail_msg("%s: '%s' '%s' '%s'", because, e->node, e->property, e->message);
}

static void check_blob(struct blob *blob, const char *because, const char *node,
		       const char *property, const char *message)
{
	size_t size;
	void *tree = blob_close(blob, &size);

	check_refused(tree, size, because, node, property, message);
	free(tree);
}

/* A copy in memory of exactly its size. */
static void *copy_of(const void *blob, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, blob, size);
	return copy;
}

/* ---- the container ---- */

static void a_tree_cut_short_is_refused_at_every_length(void **state)
{
	size_t size;
	void *blob = tree_read("juno-r1", &size);

	for (size_t length = 0; length < size; length++) {
		void *cut = copy_of(blob, length);
		struct outcome outcome = import(cut, length);

		if (outcome.status != -BUSWAY_EINVAL || !outcome.error.message[0])
			fail_msg("the first %zu of %zu bytes: %d", length, size, outcome.status);
		/* and where the header agrees with the length */
		if (length >= sizeof(struct fdt_header)) {
			fdt_set_totalsize(cut, (uint32_t)length);
			outcome = import(cut, length);
			if (outcome.status != -BUSWAY_EINVAL || !outcome.error.message[0])
				fail_msg("%zu of %zu bytes, by the header: %d", length, size,
					 outcome.status);
		}
		free(cut);
	}
	free(blob);
	(void)state;
}

static void padding_behind_a_tree_is_allowed(void **state)
{
	struct tree tree;
	size_t size;
	void *blob = tree_read("juno-r1", &size);
	uint8_t *padded = malloc(size + 4096);

	assert_non_null(padded);
	memcpy(padded, blob, size);
	memset(padded + size, 0xff, 4096);
	tree_take(&tree, padded, size + 4096);
	assert_int_not_equal(busway_platform_device_count(tree.platform), 0);
	/* and inside: QEMU's trees say that they are 1 MiB */
	fdt_set_totalsize(padded, (uint32_t)(size + 4096));
	assert_int_equal(import(padded, size + 4096).status, 0);
	tree_close(&tree);
	free(blob);
	(void)state;
}

static void change_magic(struct fdt_header *header)
{
	fdt_set_magic(header, 0xd00dfeee);
}

static void change_version(struct fdt_header *header)
{
	fdt_set_version(header, 15);
	fdt_set_last_comp_version(header, 15);
}

static void change_compatible_version(struct fdt_header *header)
{
	fdt_set_version(header, 99);
	fdt_set_last_comp_version(header, 99);
}

static void change_total(struct fdt_header *header)
{
	fdt_set_totalsize(header, fdt_totalsize(header) + 1);
}

static void change_total_to_zero(struct fdt_header *header)
{
	fdt_set_totalsize(header, 0);
}

static void change_structure_offset(struct fdt_header *header)
{
	fdt_set_off_dt_struct(header, fdt_totalsize(header));
}

static void change_structure_size(struct fdt_header *header)
{
	fdt_set_size_dt_struct(header, 0xfffffff0);
}

static void change_strings_offset(struct fdt_header *header)
{
	fdt_set_off_dt_strings(header, 0xfffffff0);
}

static void change_strings_size(struct fdt_header *header)
{
	fdt_set_size_dt_strings(header, 0xffffffff);
}

static void change_reservations_offset(struct fdt_header *header)
{
	fdt_set_off_mem_rsvmap(header, 0xfffffff8);
}

static void a_broken_header_is_refused(void **state)
{
	static const struct {
		const char *because;
		void (*change)(struct fdt_header *header);
		const char *message;
	} cases[] = {
		{"another magic number", change_magic, "magic number is 0xd00dfeee"},
		{"older than what is read", change_version, "version 15"},
		{"only for readers yet to come", change_compatible_version, "header"},
		{"longer than the file", change_total, "cut short"},
		{"shorter than its own header", change_total_to_zero, "header"},
		{"structure behind the end", change_structure_offset, ""},
		{"structure of 4 GiB", change_structure_size, "header"},
		{"strings behind the end", change_strings_offset, "header"},
		{"strings of 4 GiB", change_strings_size, "header"},
		{"reservations behind the end", change_reservations_offset, "header"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t size;
		void *blob = tree_read("juno-r1", &size);

		cases[i].change(blob);
		check_refused(blob, size, cases[i].because, "", "", cases[i].message);
		free(blob);
	}
	check_refused("", 0, "nothing", "", "", "empty");
	(void)state;
}

static void reservations_without_an_end_are_refused(void **state)
{
	size_t size, padded_size;
	void *blob = tree_read("juno-r1", &size);
	uint8_t *padded;

	padded_size = (size + 7) / 8 * 8 + 16;
	padded = malloc(padded_size);
	assert_non_null(padded);
	memcpy(padded, blob, size);
	/* the last 16 bytes are the only entry, and it is not the one that ends the list */
	memset(padded + size, 0xff, padded_size - size);
	fdt_set_totalsize(padded, (uint32_t)padded_size);
	fdt_set_off_mem_rsvmap(padded, (uint32_t)padded_size - 16);
	check_refused(padded, padded_size, "no pair of zeroes", "", "", "header");
	free(padded);
	free(blob);
	(void)state;
}

/* Cells are read where they lie: on some processors, and to the sanitizer, that is no address. */
static void blocks_that_do_not_begin_at_a_cell_are_refused(void **state)
{
	struct blob b;
	size_t size;
	uint8_t *tree, *shifted;

	for (size_t by = 1; by < 4; by++) {
		blob_open_root(&b);
		blob_begin(&b, "child");
		blob_end(&b);
		blob_end(&b);
		tree = blob_close(&b, &size);
		shifted = malloc(size + by);
		assert_non_null(shifted);
		memcpy(shifted, tree, fdt_off_dt_struct(tree));
		memset(shifted + fdt_off_dt_struct(tree), 0, by);
		memcpy(shifted + fdt_off_dt_struct(tree) + by, tree + fdt_off_dt_struct(tree),
		       size - fdt_off_dt_struct(tree));
		fdt_set_totalsize(shifted, (uint32_t)(size + by));
		fdt_set_off_dt_struct(shifted, fdt_off_dt_struct(tree) + (uint32_t)by);
		fdt_set_off_dt_strings(shifted, fdt_off_dt_strings(tree) + (uint32_t)by);
		check_refused(shifted, size + by, "between two cells", "", "", "");
		free(shifted);
		free(tree);
	}
	(void)state;
}

static void format_version_16_is_read(void **state)
{
	size_t size;
	void *blob = tree_read("juno-r1", &size);

	/* it has no field for the size of the structure block */
	fdt_set_version(blob, 16);
	fdt_set_size_dt_struct(blob, 0);
	assert_int_equal(import(blob, size).status, 0);
	free(blob);
	(void)state;
}

/* ---- tokens ---- */

static void structure_that_is_no_tree_is_refused(void **state)
{
	struct blob b;

	blob_open(&b);
	check_blob(&b, "no root", "", "", "broken");

	blob_open_root(&b);
	blob_begin(&b, "open");
	check_blob(&b, "nodes that do not end", "/open", "", "broken");

	blob_open_root(&b);
	blob_end(&b);
	blob_end(&b);
	check_blob(&b, "an end too many", "", "", "never began");

	blob_open_root(&b);
	blob_end(&b);
	blob_begin(&b, "");
	blob_end(&b);
	check_blob(&b, "two roots", "", "", "");

	blob_open_root(&b);
	blob_token(&b, 5);
	blob_end(&b);
	check_blob(&b, "a token that does not exist", "/", "", "broken");

	blob_open_root(&b);
	blob_begin(&b, "child");
	blob_end(&b);
	blob_cell(&b, "late", 1);
	blob_end(&b);
	check_blob(&b, "a property behind a child", "/", "", "follows the first child");

	blob_open(&b);
	blob_cell(&b, "early", 1);
	blob_begin(&b, "");
	blob_end(&b);
	check_blob(&b, "a property before the root", "", "", "outside the root");

	blob_open_root(&b);
	blob_end(&b);
	blob_cell(&b, "behind", 1);
	check_blob(&b, "a property behind the root", "", "", "outside the root");
	(void)state;
}

static void filler_tokens_are_passed(void **state)
{
	struct blob b;
	size_t size;
	void *tree;

	blob_open(&b);
	blob_token(&b, FDT_NOP);
	blob_begin(&b, "");
	blob_token(&b, FDT_NOP);
	blob_cell(&b, "#address-cells", 1);
	blob_token(&b, FDT_NOP);
	blob_begin(&b, "child");
	blob_token(&b, FDT_NOP);
	blob_end(&b);
	blob_token(&b, FDT_NOP);
	blob_end(&b);
	blob_token(&b, FDT_NOP);
	tree = blob_close(&b, &size);
	assert_int_equal(import(tree, size).status, 0);
	free(tree);
	(void)state;
}

static void a_property_longer_than_the_tree_is_refused(void **state)
{
	struct blob b;
	size_t size;
	uint8_t *tree;

	for (uint32_t length = 5; length; length <<= 4) {
		blob_open_root(&b);
		blob_cell(&b, "reg", 1);
		blob_end(&b);
		tree = blob_close(&b, &size);
		/* the length of the last property: 4 cells before FDT_END_NODE and FDT_END */
		fdt32_st(tree + fdt_off_dt_strings(tree) - 5 * 4, 0x1000 + length);
		assert_int_equal(import(tree, size).status, -BUSWAY_EINVAL);
		free(tree);
	}
	(void)state;
}

static void a_property_name_outside_the_strings_is_refused(void **state)
{
	static const uint32_t offsets[] = {0x1000, 0x7fffffff, 0xffffffff};
	struct blob b;
	size_t size;
	void *tree;

	for (size_t i = 0; i < COUNT(offsets); i++) {
		blob_open_root(&b);
		blob_begin(&b, "node");
		blob_bytes_at(&b, offsets[i], "", 1);
		blob_end(&b);
		blob_end(&b);
		check_blob(&b, "behind the strings", "/node", "", "outside the strings");
	}
	blob_open_root(&b);
	blob_end(&b);
	tree = blob_close(&b, &size);
	fdt_set_size_dt_strings(tree, fdt_size_dt_strings(tree) - 1);
	check_refused(tree, size, "the last one has no end", "/", "", "outside the strings");
	free(tree);
	(void)state;
}

static void names_that_are_no_names_are_refused(void **state)
{
	static const struct {
		const char *because, *name, *message;
	} cases[] = {
		{"a line feed", "a\nb", "0x0a"}, {"an escape", "\033[2J", "0x1b"},
		{"a delete", "a\177", "0x7f"},   {"a space", "a b", "0x20"},
		{"a slash", "a/b", "0x2f"},      {"not ASCII", "caf\xc3\xa9", "0xc3"},
		{"none", "", "no name"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct blob b;

		blob_open_root(&b);
		blob_begin(&b, "bus");
		blob_begin(&b, cases[i].name);
		blob_end(&b);
		blob_end(&b);
		blob_end(&b);
		check_blob(&b, cases[i].because, "/bus", "", cases[i].message);
	}
	(void)state;
}

static void a_node_name_without_an_end_is_refused(void **state)
{
	struct blob b;
	size_t size;
	uint8_t *tree;

	blob_open_root(&b);
	blob_begin(&b, "name");
	tree = blob_close(&b, &size);
	/* fill all behind the name's start */
	memset(tree + fdt_off_dt_struct(tree) + fdt_size_dt_struct(tree) - 12, 'x', 12);
	assert_int_equal(import(tree, size).status, -BUSWAY_EINVAL);
	free(tree);
	(void)state;
}

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

	assert_int_equal(import(tree, size).status, 0);
	free(tree);
	for (size_t i = 0; i < COUNT(too_deep); i++) {
		struct outcome outcome;

		tree = nested(too_deep[i], &size);
		outcome = import(tree, size);
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
			outcome = import(blob, size);
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
			check_blob(&b, "too short", "/bus", properties[p], "one cell");
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
			if (import(tree, size).status)
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
	check_blob(&b, "a path would mean both", "/bus/dev@1", "", "two nodes");
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
	check_blob(&b, "a reference would mean both", "/other", "phandle", "0x7");
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
		assert_int_equal(import(tree, size).status, 0);
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
			assert_int_equal(import(tree, size).status, 0);
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
	check_blob(&b, "a node above itself", "/self", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "one", 1, 2);
	blob_end(&b);
	begin_linked(&b, "two", 2, 1);
	blob_end(&b);
	blob_end(&b);
	check_blob(&b, "two nodes above each other", "/one", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "bus", 1, 2);
	blob_begin(&b, "child");
	blob_cell(&b, "phandle", 2);
	blob_cell(&b, "#interconnect-cells", 0);
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	check_blob(&b, "a bus above its own child", "/bus", "interconnects", "circle");

	blob_open_root(&b);
	begin_linked(&b, "into", 1, 2);
	blob_end(&b);
	begin_linked(&b, "two", 2, 3);
	blob_end(&b);
	begin_linked(&b, "three", 3, 2);
	blob_end(&b);
	blob_end(&b);
	check_blob(&b, "a way into a circle", "/into", "interconnects", "circle");
	(void)state;
}

/* ---- much of something ---- */

enum { MANY = 10000 };

/* Seconds of processor time that the import takes; with sanitizers and on a busy machine it must
 * stay far below what a quadratic algorithm would need. */
static double seconds_for(const void *blob, size_t size)
{
	const clock_t start = clock();
	const struct outcome outcome = import(blob, size);

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

/* ---- any byte may be wrong ---- */

static void any_changed_byte_gets_an_answer(void **state)
{
	static const uint8_t flips[] = {0x01, 0x80, 0xff};
	size_t size;
	uint8_t *blob = tree_read("chromebook-asurada", &size);

	for (size_t at = 0; at < size; at++) {
		for (size_t i = 0; i < COUNT(flips); i++) {
			struct outcome outcome;

			blob[at] ^= flips[i];
			outcome = import(blob, size);
			blob[at] ^= flips[i];
			if (outcome.status == 0)
				continue;
			assert_int_equal(outcome.status, -BUSWAY_EINVAL);
			if (!outcome.error.message[0])
				fail_msg("byte %zu ^ 0x%x: refused without a word", at, flips[i]);
		}
	}
	free(blob);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_cut_short_is_refused_at_every_length),
		cmocka_unit_test(padding_behind_a_tree_is_allowed),
		cmocka_unit_test(a_broken_header_is_refused),
		cmocka_unit_test(reservations_without_an_end_are_refused),
		cmocka_unit_test(blocks_that_do_not_begin_at_a_cell_are_refused),
		cmocka_unit_test(format_version_16_is_read),
		cmocka_unit_test(structure_that_is_no_tree_is_refused),
		cmocka_unit_test(filler_tokens_are_passed),
		cmocka_unit_test(a_property_longer_than_the_tree_is_refused),
		cmocka_unit_test(a_property_name_outside_the_strings_is_refused),
		cmocka_unit_test(names_that_are_no_names_are_refused),
		cmocka_unit_test(a_node_name_without_an_end_is_refused),
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
		cmocka_unit_test(ten_thousand_windows_are_read),
		cmocka_unit_test(one_of_ten_thousand_entries_that_overlaps_is_noted),
		cmocka_unit_test(ten_thousand_windows_below_ten_thousand_take_seconds_at_most),
		cmocka_unit_test(ten_thousand_pools_and_users_take_seconds_at_most),
		cmocka_unit_test(a_long_chain_of_dma_parents_takes_seconds_at_most),
		cmocka_unit_test(many_siblings_are_told_apart_quickly),
		cmocka_unit_test(any_changed_byte_gets_an_answer),
	};

	return cmocka_run_group_tests_name("malformed", tests, NULL, NULL);
}
