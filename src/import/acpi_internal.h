/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_internal.h - what the readers of ACPI tables share.
 *
 *   acpi.c        the header, memory, which table it is
 *   acpi_dmar.c   Intel; acpi_ivrs.c AMD; acpi_iort.c Arm
 *   acpi_scope.c  which function an entry is about
 */
#ifndef BUSWAY_ACPI_INTERNAL_H
#define BUSWAY_ACPI_INTERNAL_H

#include <busway/acpi.h>

#include "../base/arena.h"

struct acpi_table {
	struct busway_acpi acpi;
	struct arena arena;
	struct vector entries; /* struct busway_acpi_entry */
};

/* A table while it is being read. */
struct acpi_reader {
	struct acpi_table *table;
	struct busway_acpi_error *error;
	const uint8_t *data;
	uint32_t size; /* of the table, as its header says; it is there */
};

static inline uint16_t acpi_u16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t acpi_u32(const uint8_t *at)
{
	return acpi_u16(at) | (uint32_t)acpi_u16(at + 2) << 16;
}

static inline uint64_t acpi_u64(const uint8_t *at)
{
	return acpi_u32(at) | (uint64_t)acpi_u32(at + 4) << 32;
}

enum { ACPI_HEADER = 36 };

/* Each reads all entries. 0, -BUSWAY_EINVAL after acpi_error(), -BUSWAY_ENOMEM. */
int read_dmar(struct acpi_reader *reader);
int read_ivrs(struct acpi_reader *reader);
int read_iort(struct acpi_reader *reader);

/* Says why; returns -BUSWAY_EINVAL. */
int acpi_error(struct acpi_reader *reader, uint32_t offset, const char *message);

/* Add a copy of @entry to the list. 0 or -BUSWAY_ENOMEM. */
int acpi_add(struct acpi_reader *reader, const struct busway_acpi_entry *entry);

/* A copy of at most @most bytes of text, ended by its first NUL; NULL without memory. */
const char *acpi_text(struct acpi_reader *reader, const uint8_t *text, size_t most);

/* The range of @size bytes at @base; false where it is empty; cut off at 2^64. */
bool acpi_memory(struct busway_acpi_entry *entry, uint64_t base, uint64_t size);

#endif
