/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blob.c - see blob.h.
 */
#include "blob.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

static void put(struct bytes *bytes, const void *data, size_t size)
{
	if (bytes->size + size > bytes->capacity) {
		bytes->capacity = 2 * (bytes->capacity + size) + 64;
		bytes->data = realloc(bytes->data, bytes->capacity);
		if (!bytes->data)
			abort();
	}
	if (size)
		memcpy(bytes->data + bytes->size, data, size);
	bytes->size += size;
}

static void put_u32(struct bytes *bytes, uint32_t value)
{
	const fdt32_t big_endian = cpu_to_fdt32(value);

	put(bytes, &big_endian, sizeof(big_endian));
}

static void align(struct bytes *bytes)
{
	while (bytes->size % 4)
		put(bytes, "", 1);
}

/* Where @name stands in the strings block; it is put there if it does not. */
static uint32_t offset_of(struct blob *blob, const char *name)
{
	const size_t length = strlen(name) + 1;
	struct bytes *strings = &blob->strings;

	for (size_t at = 0; at + length <= strings->size; at++)
		if (memcmp(strings->data + at, name, length) == 0)
			return (uint32_t)at;
	put(strings, name, length);
	return (uint32_t)(strings->size - length);
}

void blob_open(struct blob *blob)
{
	*blob = (struct blob){0};
}

void blob_token(struct blob *blob, uint32_t token)
{
	put_u32(&blob->structure, token);
}

void blob_begin(struct blob *blob, const char *name)
{
	blob_token(blob, FDT_BEGIN_NODE);
	put(&blob->structure, name, strlen(name) + 1);
	align(&blob->structure);
}

void blob_end(struct blob *blob)
{
	blob_token(blob, FDT_END_NODE);
}

void blob_bytes_at(struct blob *blob, uint32_t offset, const void *value, size_t size)
{
	blob_token(blob, FDT_PROP);
	put_u32(&blob->structure, (uint32_t)size);
	put_u32(&blob->structure, offset);
	put(&blob->structure, value, size);
	align(&blob->structure);
}

void blob_bytes(struct blob *blob, const char *name, const void *value, size_t size)
{
	blob_bytes_at(blob, offset_of(blob, name), value, size);
}

void blob_cells(struct blob *blob, const char *name, size_t count, const uint32_t *cells)
{
	blob_token(blob, FDT_PROP);
	put_u32(&blob->structure, (uint32_t)(count * 4));
	put_u32(&blob->structure, offset_of(blob, name));
	for (size_t i = 0; i < count; i++)
		put_u32(&blob->structure, cells[i]);
}

void blob_cell(struct blob *blob, const char *name, uint32_t value)
{
	blob_cells(blob, name, 1, &value);
}

void blob_string(struct blob *blob, const char *name, const char *value)
{
	blob_bytes(blob, name, value, strlen(value) + 1);
}

void blob_open_root(struct blob *blob)
{
	blob_open(blob);
	blob_begin(blob, "");
	blob_cell(blob, "#address-cells", 1);
	blob_cell(blob, "#size-cells", 1);
}

void *blob_close(struct blob *blob, size_t *size)
{
	static const uint8_t no_reservations[16];
	const size_t header_size = sizeof(struct fdt_header);
	const size_t structure_at = header_size + sizeof(no_reservations);
	struct fdt_header header = {0};
	size_t strings_at;
	uint8_t *tree;

	blob_token(blob, FDT_END);
	strings_at = structure_at + blob->structure.size;
	*size = strings_at + blob->strings.size;
	fdt_set_magic(&header, FDT_MAGIC);
	fdt_set_totalsize(&header, (uint32_t)*size);
	fdt_set_off_dt_struct(&header, (uint32_t)structure_at);
	fdt_set_off_dt_strings(&header, (uint32_t)strings_at);
	fdt_set_off_mem_rsvmap(&header, (uint32_t)header_size);
	fdt_set_version(&header, 17);
	fdt_set_last_comp_version(&header, 16);
	fdt_set_size_dt_strings(&header, (uint32_t)blob->strings.size);
	fdt_set_size_dt_struct(&header, (uint32_t)blob->structure.size);
	tree = malloc(*size);
	if (!tree)
		abort();
	memcpy(tree, &header, header_size);
	memcpy(tree + header_size, no_reservations, sizeof(no_reservations));
	memcpy(tree + structure_at, blob->structure.data, blob->structure.size);
	if (blob->strings.size)
		memcpy(tree + strings_at, blob->strings.data, blob->strings.size);
	free(blob->structure.data);
	free(blob->strings.data);
	*blob = (struct blob){0};
	return tree;
}
