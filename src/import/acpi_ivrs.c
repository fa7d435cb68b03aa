/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_ivrs.c - the I/O virtualization table of AMD (document 48882, 5.2).
 */
#include "acpi_internal.h"

enum {
	INFO = 36,
	FIRST = 48,

	HARDWARE_OLD = 0x10, /* IVHD */
	HARDWARE = 0x11,
	HARDWARE_ACPI = 0x40,
	MEMORY_ALL = 0x20, /* IVMD */
	MEMORY_ONE = 0x21,
	MEMORY_RANGE = 0x22,

	HARDWARE_OLD_SIZE = 24,
	HARDWARE_SIZE = 40,
	MEMORY_SIZE = 32,

	UNITY = 1 << 0,

	ENTRY_ALL = 1,
	ENTRY_ONE = 2,
	ENTRY_FROM = 3,
	ENTRY_TO = 4,
	ENTRY_ALIAS = 0x42,
	ENTRY_ALIAS_FROM = 0x43,
	ENTRY_EXTENDED = 0x46,
	ENTRY_EXTENDED_FROM = 0x47,
	ENTRY_SPECIAL = 0x48,
	ENTRY_NAMED = 0xf0,

	SPECIAL_IOAPIC = 1,
	SPECIAL_HPET = 2,
};

/* How long a device entry is, 5.2.2: its type's top bits say it; 0 where it does not fit. */
static uint32_t entry_length(const uint8_t *at, uint32_t room)
{
	uint32_t length;

	if (at[0] < 0x80)
		length = at[0] < 0x40 ? 4 : 8;
	else if (at[0] < 0xc0)
		length = 16;
	else if (at[0] != ENTRY_NAMED)
		length = 32;
	else
		length = room < 22 ? room + 1 : 22U + at[21]; /* an identifier of any length */
	return length <= room ? length : 0;
}

static struct busway_acpi_scope ids(uint8_t type, uint16_t first, uint16_t last)
{
	return (struct busway_acpi_scope){
		.kind = BUSWAY_SCOPE_IDS, .type = type, .first_id = first, .last_id = last};
}

/* One scope, but for the end of a range, which completes the one before it. True: it is one more.
 */
static bool read_device(const uint8_t *at, struct busway_acpi_scope *scope,
			struct busway_acpi_scope *before)
{
	const uint16_t id = acpi_u16(at + 1);

	switch (at[0]) {
	case ENTRY_ALL:
		*scope = ids(at[0], 0, 0xffff);
		return true;
	case ENTRY_ONE:
	case ENTRY_EXTENDED:
	case ENTRY_FROM:
	case ENTRY_EXTENDED_FROM:
		*scope = ids(at[0], id, id);
		return true;
	case ENTRY_ALIAS:
	case ENTRY_ALIAS_FROM:
		*scope = ids(at[0], id, id);
		scope->has_alias = true;
		scope->alias = acpi_u16(at + 5);
		return true;
	case ENTRY_TO:
		if (before && before->first_id <= id &&
		    (before->type == ENTRY_FROM || before->type == ENTRY_ALIAS_FROM ||
		     before->type == ENTRY_EXTENDED_FROM))
			before->last_id = id;
		return false;
	case ENTRY_SPECIAL:
		*scope = ids(at[0], acpi_u16(at + 5), acpi_u16(at + 5));
		scope->kind = at[7] == SPECIAL_IOAPIC ? BUSWAY_SCOPE_IOAPIC
			      : at[7] == SPECIAL_HPET ? BUSWAY_SCOPE_HPET
						      : BUSWAY_SCOPE_OTHER;
		scope->id = at[4];
		return true;
	case ENTRY_NAMED:
		*scope = ids(at[0], id, id);
		scope->kind = BUSWAY_SCOPE_NAMESPACE;
		return true;
	default:
		return false; /* padding, or what is not known */
	}
}

static int read_devices(struct acpi_reader *r, uint32_t at, uint32_t end,
			struct busway_acpi_entry *e)
{
	struct busway_acpi_scope *scopes =
		arena_take(&r->table->arena, ((end - at) / 4 + 1) * sizeof(*scopes),
			   _Alignof(struct busway_acpi_scope));
	size_t count = 0;

	if (!scopes)
		return -BUSWAY_ENOMEM;
	while (at < end) {
		const uint32_t length = end - at < 4 ? 0 : entry_length(r->data + at, end - at);

		if (!length)
			return acpi_error(r, at, "a device entry does not fit into its block");
		count += read_device(r->data + at, &scopes[count],
				     count ? &scopes[count - 1] : NULL);
		at += length;
	}
	e->scopes = scopes;
	e->scope_count = count;
	return 0;
}

static int read_hardware(struct acpi_reader *r, const uint8_t *at, struct busway_acpi_entry *e)
{
	const uint32_t size = e->type == HARDWARE_OLD ? HARDWARE_OLD_SIZE : HARDWARE_SIZE;

	if (e->length < size)
		return acpi_error(r, e->offset, "a block is shorter than its type asks for");
	e->kind = BUSWAY_ACPI_IVHD;
	e->device = acpi_u16(at + 4);
	e->number = acpi_u16(at + 6); /* of its capability */
	e->base = acpi_u64(at + 8);
	e->segment = acpi_u16(at + 16);
	return read_devices(r, e->offset + size, e->offset + e->length, e);
}

static int read_memory(struct acpi_reader *r, const uint8_t *at, struct busway_acpi_entry *e)
{
	if (e->length < MEMORY_SIZE)
		return acpi_error(r, e->offset, "a block is shorter than its type asks for");
	e->kind = BUSWAY_ACPI_IVMD;
	e->device = acpi_u16(at + 4);
	e->last_device = e->type == MEMORY_RANGE ? acpi_u16(at + 6) : e->device;
	e->number = acpi_u16(at + 6);
	e->segment = acpi_u16(at + 8);
	e->all = e->type == MEMORY_ALL;
	e->unity = (e->flags & UNITY) != 0;
	acpi_memory(e, acpi_u64(at + 16), acpi_u64(at + 24));
	return 0;
}

static int read_block(struct acpi_reader *r, uint32_t offset, uint32_t length)
{
	const uint8_t *at = r->data + offset;
	struct busway_acpi_entry e = {
		.type = at[0], .flags = at[1], .offset = offset, .length = length};
	int status = 0;

	if (e.type == HARDWARE_OLD || e.type == HARDWARE || e.type == HARDWARE_ACPI)
		status = read_hardware(r, at, &e);
	else if (e.type >= MEMORY_ALL && e.type <= MEMORY_RANGE)
		status = read_memory(r, at, &e);
	return status ? status : acpi_add(r, &e);
}

int read_ivrs(struct acpi_reader *r)
{
	uint32_t offset = FIRST;

	if (r->size < FIRST)
		return acpi_error(r, INFO, "the header is cut off");
	r->table->acpi.flags = acpi_u32(r->data + INFO);
	r->table->acpi.address_bits = r->table->acpi.flags >> 8 & 127;
	while (offset < r->size) {
		uint32_t length;
		int status;

		if (r->size - offset < 4)
			return acpi_error(r, offset, "a block is cut off");
		length = acpi_u16(r->data + offset + 2);
		if (length < 4 || length > r->size - offset)
			return acpi_error(r, offset,
					  "the length of a block leads out of the table");
		status = read_block(r, offset, length);
		if (status)
			return status;
		offset += length;
	}
	return 0;
}
