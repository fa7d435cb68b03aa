/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_json.c - an ACPI table for machines.
 */
#include "acpi.h"

static json_t *scopes_json(const struct busway_acpi_entry *e)
{
	json_t *list = json_array();
	char text[SCOPE_TEXT];

	for (size_t i = 0; i < e->scope_count; i++)
		json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:o}", "kind",
						      scope_kind_name(e->scopes[i].kind), "type",
						      (int)e->scopes[i].type, "id",
						      (int)e->scopes[i].id, "what",
						      json_text(scope_text(&e->scopes[i], text))));
	return list;
}

static json_t *mappings_json(const struct busway_acpi_entry *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < e->mapping_count; i++) {
		const struct busway_acpi_mapping *m = &e->mappings[i];

		json_array_append_new(list, json_pack("{s:o, s:o, s:o, s:b, s:i}", "first",
						      json_hex(m->first), "last", json_hex(m->last),
						      "out", json_hex(m->out), "single",
						      (int)m->single, "target", (int)m->target));
	}
	return list;
}

static json_t *entry_json(const struct busway_acpi_entry *e)
{
	json_t *o = json_pack("{s:s, s:i, s:i, s:i, s:o, s:i, s:b, s:o, s:i, s:i, s:o, s:o, s:o}",
			      "kind", busway_acpi_kind_name(e->kind), "type", (int)e->type,
			      "offset", (int)e->offset, "length", (int)e->length, "flags",
			      json_hex(e->flags), "segment", (int)e->segment, "all", (int)e->all,
			      "base", json_hex(e->base), "device", (int)e->device, "number",
			      (int)e->number, "name", e->name ? json_text(e->name) : json_null(),
			      "scopes", scopes_json(e), "mappings", mappings_json(e));

	if (e->has_memory)
		json_object_set_new(o, "memory",
				    json_pack("{s:o, s:o}", "first", json_hex(e->memory.first),
					      "last", json_hex(e->memory.last)));
	return o;
}

json_t *acpi_units_json(const struct busway_acpi *acpi)
{
	json_t *list = json_array();

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];

		if (is_acpi_unit(e))
			json_array_append_new(list, json_pack("{s:s, s:o, s:i, s:b, s:o}", "kind",
							      busway_acpi_kind_name(e->kind),
							      "base", json_hex(e->base), "segment",
							      (int)e->segment, "all", (int)e->all,
							      "scopes", scopes_json(e)));
	}
	return list;
}

/* Whom the memory is reserved for: scopes, or requester IDs. */
static json_t *holders_json(const struct busway_acpi_entry *e)
{
	json_t *list = json_array();
	char text[SCOPE_TEXT];

	for (size_t i = 0; i < e->scope_count; i++)
		json_array_append_new(list, json_text(scope_text(&e->scopes[i], text)));
	if (e->kind == BUSWAY_ACPI_IVMD) {
		const struct busway_acpi_scope ids = {.kind = BUSWAY_SCOPE_IDS,
						      .first_id = e->all ? 0 : e->device,
						      .last_id = e->all ? 0xffff : e->last_device};

		json_array_append_new(list, json_text(scope_text(&ids, text)));
	}
	return list;
}

json_t *acpi_reserved_json(const struct busway_acpi *acpi)
{
	json_t *list = json_array();

	for (size_t i = 0; i < acpi->entry_count; i++) {
		const struct busway_acpi_entry *e = &acpi->entries[i];

		if (e->has_memory)
			json_array_append_new(list, json_pack("{s:o, s:o, s:s, s:o}", "first",
							      json_hex(e->memory.first), "last",
							      json_hex(e->memory.last), "type",
							      acpi_region_type(e), "devices",
							      holders_json(e)));
	}
	return list;
}

int show_acpi_json(const struct loaded *loaded)
{
	const struct busway_acpi *acpi = loaded->acpi;
	json_t *entries = json_array(), *platform;

	for (size_t i = 0; i < acpi->entry_count; i++)
		json_array_append_new(entries, entry_json(&acpi->entries[i]));
	platform = json_pack(
		"{s:o, s:n, s:[], s:[], s:[], s:o, s:o, s:{s:s, s:i, s:b, s:o, s:i, s:o}}",
		"source", json_text(loaded->source), "model", "compatible", "memory", "pools",
		"iommus", acpi_units_json(acpi), "reserved", acpi_reserved_json(acpi), "table",
		"signature", acpi->signature, "revision", (int)acpi->revision, "checksum_good",
		(int)acpi->checksum_good, "flags", json_hex(acpi->flags), "address_bits",
		(int)acpi->address_bits, "entries", entries);
	return json_print(json_pack("{s:s, s:o, s:[]}", "schema", "busway-show/1", "platform",
				    platform, "devices"),
			  EXIT_YES);
}
