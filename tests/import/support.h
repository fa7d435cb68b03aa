/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * support.h - what the tests of the importer share: trees, and answers as text.
 *
 * Answers are compared as text, so that a case is one line of a table and a failure shows both
 * sides. Numbers are hex; what all 2^64 addresses have as size is "2^64".
 *
 *   windows  "0x0->0x80000000+0x40000000; ..."   bus -> CPU + size
 *   reach    the same, with the memory node behind each piece
 *   notes    "hidden-table zero-size-entry ..."   codes, sorted
 */
#ifndef BUSWAY_TESTS_IMPORT_SUPPORT_H
#define BUSWAY_TESTS_IMPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/test_memory.h"

#include <busway/busway.h>
#include <busway/fdt.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- trees ---- */

struct tree {
	struct test_memory memory;
	void *blob;
	size_t size;
	struct busway_platform *platform;
	char text[8192]; /* the last answer */
};

/* Read and import trees/NAME.dts, with every node as a device. Fails the test where it cannot. */
void tree_open(struct tree *tree, const char *name);

/* The same for a tree that the test has built; @blob is freed by tree_close(). */
void tree_take(struct tree *tree, void *blob, size_t size);

/* Also checks that the platform gives back all memory. */
void tree_close(struct tree *tree);

/* The compiled tree as a file; free() it. */
void *tree_read(const char *name, size_t *size);

busway_device_id tree_device(const struct tree *tree, const char *path);

/* ---- answers as text, in tree->text ---- */

const char *windows_of(struct tree *tree, busway_device_id id);
const char *reach_of(struct tree *tree, busway_device_id id);
const char *notes_of(struct tree *tree, busway_device_id id);
const char *banks_of(struct tree *tree);
const char *outbound_of(struct tree *tree, busway_device_id id);
const char *pools_of(struct tree *tree, busway_device_id id);
const char *maps_of(struct tree *tree, const struct busway_id_map *maps, size_t count);

/* ---- tables of cases ---- */

struct device_case {
	const char *because;
	const char *path;
	const char *expected;
};

typedef const char *answer_fn(struct tree *tree, busway_device_id id);

/* Each case asks @answer of the device @path; tells all that fail, then fails the test. */
void check_devices(struct tree *tree, answer_fn *answer, const struct device_case *cases,
		   size_t count);

/* The same of the host bridges themselves, as masters. */
void check_bridges(struct tree *tree, answer_fn *answer, const struct device_case *cases,
		   size_t count);

/* Setup and teardown: the tree NAME as the test's state. */
int open_named(void **state, const char *name);
int close_tree(void **state);

#endif
