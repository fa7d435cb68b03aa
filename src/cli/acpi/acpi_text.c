/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_text.c - an ACPI table for people.
 */
#include "acpi.h"

#include <inttypes.h>

static void put_list(struct page *page, const struct busway_acpi_entry *e)
{
	char text[SCOPE_TEXT];

	for (size_t i = 0; i < e->scope_count; i++) {
		const struct busway_acpi_scope *s = &e->scopes[i];

		fprintf(page->out, "      ");
		if (s->kind == BUSWAY_SCOPE_BRIDGE)
			fprintf(page->out, "all below ");
		put_safe(page, scope_text(s, text));
		fputc('\n', page->out);
	}
	for (size_t i = 0; i < e->mapping_count; i++) {
		const struct busway_acpi_mapping *m = &e->mappings[i];

		fprintf(page->out,
			"      IDs 0x%" PRIx32 "..0x%" PRIx32 " as 0x%" PRIx32 " to +%" PRIu32 "\n",
			m->first, m->last, m->out, m->target);
	}
}

/* Requester IDs that an IVMD block is for. */
static void put_holder(struct page *page, const struct busway_acpi_entry *e)
{
	const struct busway_acpi_scope ids = {
		.kind = BUSWAY_SCOPE_IDS, .first_id = e->device, .last_id = e->last_device};
	char text[SCOPE_TEXT];

	if (e->kind == BUSWAY_ACPI_IVMD && !e->all)
		fprintf(page->out, "      %s\n", scope_text(&ids, text));
}

static void put_entry(struct page *page, const struct busway_acpi_entry *e)
{
	fprintf(page->out, "  ");
	put_styled(page, STYLE_BOLD, "%s", busway_acpi_kind_name(e->kind));
	if (e->kind == BUSWAY_ACPI_UNKNOWN)
		fprintf(page->out, " type 0x%x, %" PRIu32 " bytes", e->type, e->length);
	if (is_acpi_unit(e))
		fprintf(page->out, " at 0x%" PRIx64, e->base);
	if (e->has_memory) {
		fputc(' ', page->out);
		put_range(page, e->memory, digits_for(e->memory.last));
		fprintf(page->out, " %s", acpi_region_type(e));
	}
	if (e->name) {
		fputc(' ', page->out);
		put_safe(page, e->name);
	}
	fprintf(page->out, ", segment %" PRIu32 "%s\n", e->segment,
		e->kind == BUSWAY_ACPI_DRHD && e->all ? ", all that no other unit names"
		: e->all                              ? ", all"
						      : "");
	put_list(page, e);
	put_holder(page, e);
}

int show_acpi_text(const struct loaded *loaded, const struct options *options)
{
	const struct busway_acpi *acpi = loaded->acpi;
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	put_safe(&page, loaded->source);
	fprintf(page.out, ": %s, revision %u", acpi->signature, acpi->revision);
	if (acpi->address_bits)
		fprintf(page.out, ", %u address bits", acpi->address_bits);
	fprintf(page.out, ", %zu %s%s\n", acpi->entry_count,
		acpi->entry_count == 1 ? "entry" : "entries",
		acpi->checksum_good ? "" : "; its checksum is wrong");
	for (size_t i = 0; i < acpi->entry_count; i++)
		put_entry(&page, &acpi->entries[i]);
	return page_print(&page, EXIT_YES);
}
