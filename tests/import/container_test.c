/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * container_test.c - bytes that are no flattened tree: header, blocks, tokens, names.
 *
 * Whatever the bytes, the import stays inside them: they lie in memory of exactly their size, so
 * that sanitizers see a byte too many. What right bytes say that is wrong: malformed_test.c.
 */
#include "blob.h"
#include "outcome.h"
#include "support.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* ---- the header and its blocks ---- */

/* A copy in memory of exactly its size. */
static void *copy_of(const void *blob, size_t size)
{
	void *copy = malloc(size ? size : 1);

	assert_non_null(copy);
	if (size)
		memcpy(copy, blob, size);
	return copy;
}

static void a_tree_cut_short_is_refused_at_every_length(void **state)
{
	size_t size;
	void *blob = tree_read("juno-r1", &size);

	for (size_t length = 0; length < size; length++) {
		void *cut = copy_of(blob, length);
		struct outcome outcome = outcome_of(cut, length);

		if (outcome.status != -BUSWAY_EINVAL || !outcome.error.message[0])
			fail_msg("the first %zu of %zu bytes: %d", length, size, outcome.status);
		/* and where the header agrees with the length */
		if (length >= sizeof(struct fdt_header)) {
			fdt_set_totalsize(cut, (uint32_t)length);
			outcome = outcome_of(cut, length);
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
	assert_int_equal(outcome_of(padded, size + 4096).status, 0);
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
	assert_int_equal(outcome_of(blob, size).status, 0);
	free(blob);
	(void)state;
}

/* ---- tokens ---- */

static void structure_that_is_no_tree_is_refused(void **state)
{
	struct blob b;

	blob_open(&b);
	check_blob_refused(&b, "no root", "", "", "broken");

	blob_open_root(&b);
	blob_begin(&b, "open");
	check_blob_refused(&b, "nodes that do not end", "/open", "", "broken");

	blob_open_root(&b);
	blob_end(&b);
	blob_end(&b);
	check_blob_refused(&b, "an end too many", "", "", "never began");

	blob_open_root(&b);
	blob_end(&b);
	blob_begin(&b, "");
	blob_end(&b);
	check_blob_refused(&b, "two roots", "", "", "");

	blob_open_root(&b);
	blob_token(&b, 5);
	blob_end(&b);
	check_blob_refused(&b, "a token that does not exist", "/", "", "broken");

	blob_open_root(&b);
	blob_begin(&b, "child");
	blob_end(&b);
	blob_cell(&b, "late", 1);
	blob_end(&b);
	check_blob_refused(&b, "a property behind a child", "/", "", "follows the first child");

	blob_open(&b);
	blob_cell(&b, "early", 1);
	blob_begin(&b, "");
	blob_end(&b);
	check_blob_refused(&b, "a property before the root", "", "", "outside the root");

	blob_open_root(&b);
	blob_end(&b);
	blob_cell(&b, "behind", 1);
	check_blob_refused(&b, "a property behind the root", "", "", "outside the root");
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
	assert_int_equal(outcome_of(tree, size).status, 0);
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
		assert_int_equal(outcome_of(tree, size).status, -BUSWAY_EINVAL);
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
		check_blob_refused(&b, "behind the strings", "/node", "", "outside the strings");
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
		check_blob_refused(&b, cases[i].because, "/bus", "", cases[i].message);
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
	assert_int_equal(outcome_of(tree, size).status, -BUSWAY_EINVAL);
	free(tree);
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
			outcome = outcome_of(blob, size);
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
		cmocka_unit_test(any_changed_byte_gets_an_answer),
	};

	return cmocka_run_group_tests_name("container", tests, NULL, NULL);
}
