/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi.h - busway show of a raw ACPI table: which IOMMU is for whom, and what is mapped 1:1.
 *
 *   acpi_names.c   scopes and types in words
 *   acpi_json.c    for machines
 *   acpi_text.c    for people
 */
#ifndef BUSWAY_CLI_ACPI_H
#define BUSWAY_CLI_ACPI_H

#include "../cli.h"

int show_acpi_json(const struct loaded *loaded);
int show_acpi_text(const struct loaded *loaded, const struct options *options);

/* platform.iommus and platform.reserved of the contract, from a table. */
json_t *acpi_units_json(const struct busway_acpi *acpi);
json_t *acpi_reserved_json(const struct busway_acpi *acpi);

enum { SCOPE_TEXT = 256 };

/* "40:05.0", "IOAPIC 4 as f0:1f.7", "00:01.0-00:1f.7 as 00:14.4". Returns @text. */
const char *scope_text(const struct busway_acpi_scope *scope, char text[SCOPE_TEXT]);

/* "function", "bridge": what a scope names. */
const char *scope_kind_name(enum busway_acpi_scope_kind kind);

/* "direct", "reserved": the words that sysfs has for regions. */
const char *acpi_region_type(const struct busway_acpi_entry *entry);

/* Is it an IOMMU? */
bool is_acpi_unit(const struct busway_acpi_entry *entry);

#endif
