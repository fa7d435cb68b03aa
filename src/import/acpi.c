/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.c - an ACPI table: its header (ACPI 6.5, 5.2.6), its memory, and which one it is.
 */
#include "acpi_internal.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *signature;
	int (*read)(struct acpi_reader *reader);
} readers[] = {
	{"DMAR", read_dmar},
	{"IVRS", read_ivrs},
	{"IORT", read_iort},
};

enum { READER_COUNT = sizeof(readers) / sizeof(readers[0]) };

const char *busway_acpi_kind_name(enum busway_acpi_kind kind)
{
	static const char *const names[] = {
		"unknown", "DRHD", "RMRR",  "ATSR", "RHSA", "ANDD",   "SATC", "SIDP", "IVHD",
		"IVMD",    "ITS",  "named", "root", "SMMU", "SMMUv3", "PMCG", "RMR",
	};

	return names[kind];
}

int acpi_error(struct acpi_reader *reader, uint32_t offset, const char *message)
{
	reader->error->offset = offset;
	snprintf(reader->error->message, sizeof(reader->error->message), "%s", message);
	return -BUSWAY_EINVAL;
}

int acpi_add(struct acpi_reader *reader, const struct busway_acpi_entry *entry)
{
	struct acpi_table *table = reader->table;
	struct busway_acpi_entry *place = vector_next(
		&table->arena, &table->entries, sizeof(*place), _Alignof(struct busway_acpi_entry));

	if (!place)
		return -BUSWAY_ENOMEM;
	*place = *entry;
	table->entries.count++;
	return 0;
}

const char *acpi_text(struct acpi_reader *reader, const uint8_t *text, size_t most)
{
	const uint8_t *end = memchr(text, 0, most);
	const size_t length = end ? (size_t)(end - text) : most;
	char *copy = arena_take(&reader->table->arena, length + 1, 1);

	if (copy) {
		memcpy(copy, text, length);
		copy[length] = 0;
	}
	return copy;
}

bool acpi_memory(struct busway_acpi_entry *entry, uint64_t base, uint64_t size)
{
	entry->has_memory = busway_range_clip(base, size, &entry->memory);
	return entry->has_memory;
}

static int find_reader(const void *data, size_t size)
{
	for (int i = 0; size >= 4 && i < READER_COUNT; i++)
		if (memcmp(data, readers[i].signature, 4) == 0)
			return i;
	return -1;
}

bool busway_acpi_is_table(const void *data, size_t size)
{
	return find_reader(data, size) >= 0;
}

static bool sums_to_zero(const uint8_t *data, uint32_t size)
{
	uint8_t sum = 0;

	for (uint32_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + data[i]);
	return sum == 0;
}

static int read_header(struct acpi_reader *reader, size_t size, int *which)
{
	const uint8_t *data = reader->data;

	*which = find_reader(data, size);
	if (*which < 0)
		return acpi_error(reader, 0, "this is none of DMAR, IVRS, IORT");
	if (size < ACPI_HEADER)
		return acpi_error(reader, 0, "the header is cut off");
	reader->size = acpi_u32(data + 4);
	if (reader->size < ACPI_HEADER)
		return acpi_error(reader, 4, "its length is less than that of its header");
	if (reader->size > size)
		return acpi_error(reader, 4, "it is shorter than it says");
	return 0;
}

static int read_table(struct acpi_reader *reader, size_t size)
{
	struct busway_acpi *acpi = &reader->table->acpi;
	int which, status = read_header(reader, size, &which);

	if (status)
		return status;
	memcpy(acpi->signature, readers[which].signature, 5);
	acpi->revision = reader->data[8];
	acpi->checksum_good = sums_to_zero(reader->data, reader->size);
	status = readers[which].read(reader);
	acpi->entries = reader->table->entries.items;
	acpi->entry_count = reader->table->entries.count;
	return status;
}

int busway_acpi_read(const void *data, size_t size, const struct busway_allocator *memory,
		     struct busway_acpi **out, struct busway_acpi_error *error)
{
	struct arena arena = {.memory = memory};
	struct acpi_table *table = arena_take(&arena, sizeof(*table), _Alignof(struct acpi_table));
	struct acpi_reader reader = {.table = table, .error = error, .data = data};
	int status;

	*error = (struct busway_acpi_error){0};
	if (!table)
		return -BUSWAY_ENOMEM;
	*table = (struct acpi_table){.arena = arena};
	status = read_table(&reader, size);
	if (status) {
		busway_acpi_free(&table->acpi);
		return status;
	}
	*out = &table->acpi;
	return 0;
}

void busway_acpi_free(struct busway_acpi *acpi)
{
	if (acpi) {
		struct arena arena = ((struct acpi_table *)acpi)->arena; /* it lies in it */

		arena_release(&arena);
	}
}
