/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob.h - flattened trees put together token by token, so that they can be wrong in any way.
 *
 * libfdt's own writers refuse what a test of wrong trees is about. Nothing here checks anything:
 *
 *   struct blob b;
 *   blob_open(&b);
 *   blob_begin(&b, "");
 *   blob_cells(&b, "#address-cells", 1, (uint32_t[]){2});
 *   blob_end(&b);
 *   tree = blob_close(&b, &size);    with FDT_END; free() it
 */
#ifndef BUSWAY_TESTS_IMPORT_BLOB_H
#define BUSWAY_TESTS_IMPORT_BLOB_H

#include <stddef.h>
#include <stdint.h>

struct bytes {
	uint8_t *data;
	size_t size, capacity;
};

struct blob {
	struct bytes structure, strings;
};

void blob_open(struct blob *blob);

/* The same, and the root begun, with one cell for addresses and one for sizes. */
void blob_open_root(struct blob *blob);

void blob_token(struct blob *blob, uint32_t token);
void blob_begin(struct blob *blob, const char *name);
void blob_end(struct blob *blob);
void blob_bytes(struct blob *blob, const char *name, const void *value, size_t size);
void blob_cells(struct blob *blob, const char *name, size_t count, const uint32_t *cells);
void blob_cell(struct blob *blob, const char *name, uint32_t value);
void blob_string(struct blob *blob, const char *name, const char *value);

/* A property whose name lies at @offset of the strings block, whatever is there. */
void blob_bytes_at(struct blob *blob, uint32_t offset, const void *value, size_t size);

/* The tree, in memory of exactly its size; @blob is empty afterwards. */
void *blob_close(struct blob *blob, size_t *size);

#endif
