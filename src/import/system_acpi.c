/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_acpi.c - what the ACPI tables of a machine say of its functions: which unit translates
 * each, and which memory stays mapped for it.
 *
 * The kernel's groups say more: whether that unit is used, and how. Where sysfs links the unit of a
 * function, its name is the kernel's.
 */
#include <busway/acpi.h>

#include "system_platform.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TABLES "sys/firmware/acpi/tables/"

/* A table and where it comes from. */
struct source {
	const char *path;
	const struct busway_acpi *acpi;
	const char *width; /* the same for its address width, as long as the machine lives */
};

/* The unit that an entry stands for becomes the function's: "DRHD@fed90000", as tables number
 * their units by nothing but their registers. */
static int add_unit_of(struct building *b, const struct busway_acpi_entry *entry, busway_pci_id id)
{
	char name[48];
	struct system_unit unit = {0};
	uint32_t index;
	int status;

	snprintf(name, sizeof(name), "%s@%" PRIx64, busway_acpi_kind_name(entry->kind),
		 entry->base);
	unit.name = keep_text(b->machine, name);
	if (!unit.name)
		return -BUSWAY_ENOMEM;
	status = system_add_unit(b->machine, &unit, &index);
	return status ? status : system_set_unit(b->machine, id, index);
}

static int take_unit(struct building *b, const struct source *source, busway_pci_id id)
{
	const struct busway_acpi_entry *entry = busway_acpi_unit_of(source->acpi, pci_of(b), id);
	const unsigned bits = source->acpi->address_bits;
	int status = 0;

	if (!entry)
		return 0;
	if (!system_unit_of(b->machine, id))
		status = add_unit_of(b, entry, id);
	/* units are asked to take as many address bits as the platform has (VT-d 4.1, 11.4.2,
	 * MGAW): that many, unless a register of theirs was read */
	if (!status && entry->kind == BUSWAY_ACPI_DRHD && bits < 64)
		system_limit_unit(b->machine, id, busway_bits_last(bits), source->width);
	return status;
}

/* Memory that an entry keeps mapped for some functions, or excludes from translation. */
static int take_memory(struct building *b, const struct source *source,
		       const struct busway_acpi_entry *entry)
{
	const struct busway_pci *pci = pci_of(b);
	const bool excluded = entry->kind == BUSWAY_ACPI_IVMD && !entry->unity;
	struct busway_reserved_region region = {
		.range = entry->memory,
		.type = excluded ? BUSWAY_RESERVED_NEVER : BUSWAY_RESERVED_DIRECT,
	};
	char text[96];
	int status = 0;

	snprintf(text, sizeof(text), "%s, %s at 0x%" PRIx32, source->path,
		 busway_acpi_kind_name(entry->kind), entry->offset);
	region.source = keep_text(b->machine, text);
	if (!region.source)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < busway_pci_count(pci) && !status; i++)
		if (busway_acpi_reserves_for(source->acpi, entry, pci, (busway_pci_id){i}))
			status = system_reserve(b->machine, (busway_pci_id){i}, &region);
	return status;
}

static int take_table(struct building *b, const struct source *source)
{
	int status = 0;

	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++)
		status = take_unit(b, source, (busway_pci_id){i});
	for (size_t i = 0; i < source->acpi->entry_count && !status; i++)
		if (source->acpi->entries[i].has_memory)
			status = take_memory(b, source, &source->acpi->entries[i]);
	if (!status && !source->acpi->checksum_good)
		status = note_gap(b->machine, source->path, "its checksum is wrong");
	return status;
}

static int say_bad(struct building *b, const char *path, const struct busway_acpi_error *error)
{
	char text[192];

	snprintf(text, sizeof(text), "at 0x%" PRIx32 ": %s", error->offset, error->message);
	return note_gap(b->machine, path, text);
}

/* Tables are for privileged readers: that one is there can be seen by all. */
static int read_table(struct building *b, const char *path)
{
	struct busway_acpi_error error = {0};
	struct busway_acpi *acpi;
	size_t size = 0;
	const char *data = read_whole(b, &b->work, path, &size);
	const char *width;
	char text[96];
	int status;

	if (b->work.failed)
		return -BUSWAY_ENOMEM;
	if (!data)
		return note_gap(b->machine, path,
				"cannot be read: what it reserves for which function is unknown");
	status = busway_acpi_read(data, size, b->machine->arena.memory, &acpi, &error);
	if (status == -BUSWAY_ENOMEM)
		return status;
	if (status)
		return say_bad(b, path, &error);
	snprintf(text, sizeof(text), "%s, host address width", path);
	width = keep_text(b->machine, text);
	status = width ? take_table(b, &(struct source){path, acpi, width}) : -BUSWAY_ENOMEM;
	busway_acpi_free(acpi);
	return status;
}

static int see_table(void *ctx, const char *name)
{
	struct building *b = ctx;
	char path[64];

	if (strcmp(name, "DMAR") != 0 && strcmp(name, "IVRS") != 0 && strcmp(name, "IORT") != 0)
		return 0;
	snprintf(path, sizeof(path), TABLES "%s", name);
	return read_table(b, path);
}

int read_acpi(struct building *b)
{
	const int status = file_list(b->files, "sys/firmware/acpi/tables", see_table, b);

	return status == -BUSWAY_ENOMEM ? status : 0;
}
