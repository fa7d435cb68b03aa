/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_names.c - scopes and types of ACPI tables in words.
 */
#include "acpi.h"

#include <string.h>

const char *scope_kind_name(enum busway_acpi_scope_kind kind)
{
	static const char *const names[] = {"function",  "bridge", "ioapic", "hpet",
					    "namespace", "ids",    "other"};

	return names[kind];
}

bool is_acpi_unit(const struct busway_acpi_entry *entry)
{
	return entry->kind == BUSWAY_ACPI_DRHD || entry->kind == BUSWAY_ACPI_IVHD ||
	       entry->kind == BUSWAY_ACPI_SMMU || entry->kind == BUSWAY_ACPI_SMMU_V3;
}

const char *acpi_region_type(const struct busway_acpi_entry *entry)
{
	return entry->kind == BUSWAY_ACPI_IVMD && !entry->unity ? "reserved" : "direct";
}

static size_t put_id(char *text, size_t room, unsigned bus, unsigned devfn)
{
	return (size_t)snprintf(text, room, "%02x:%02x.%x", bus, devfn >> 3, devfn & 7);
}

static size_t put_path(char *text, const struct busway_acpi_scope *s)
{
	size_t used = put_id(text, SCOPE_TEXT, s->bus, s->path_length ? s->path[0] : 0);

	for (size_t i = 1; i < s->path_length && used < SCOPE_TEXT; i++)
		used += (size_t)snprintf(text + used, SCOPE_TEXT - used, "/%02x.%x",
					 s->path[i] >> 3, s->path[i] & 7);
	return used;
}

static size_t put_ids(char *text, const struct busway_acpi_scope *s)
{
	size_t used = put_id(text, SCOPE_TEXT, s->first_id >> 8, s->first_id & 255);

	if (s->last_id != s->first_id) {
		text[used++] = '-';
		used += put_id(text + used, SCOPE_TEXT - used, s->last_id >> 8, s->last_id & 255);
	}
	return used;
}

const char *scope_text(const struct busway_acpi_scope *scope, char text[SCOPE_TEXT])
{
	const bool is_function =
		scope->kind == BUSWAY_SCOPE_FUNCTION || scope->kind == BUSWAY_SCOPE_BRIDGE;
	char place[SCOPE_TEXT];
	size_t used;

	if (scope->path_length)
		put_path(place, scope);
	else
		put_ids(place, scope);
	if (is_function || scope->kind == BUSWAY_SCOPE_IDS)
		used = (size_t)snprintf(text, SCOPE_TEXT, "%s", place);
	else
		used = (size_t)snprintf(text, SCOPE_TEXT, "%s %u as %s",
					scope_kind_name(scope->kind), scope->id, place);
	if (scope->has_alias && used < SCOPE_TEXT)
		snprintf(text + used, SCOPE_TEXT - used, " as %02x:%02x.%x", scope->alias >> 8,
			 scope->alias >> 3 & 31, scope->alias & 7);
	return text;
}
