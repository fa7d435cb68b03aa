/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_dmar.c - the DMA remapping table of Intel (VT-d 4.1, 8.1 to 8.8).
 */
#include "acpi_internal.h"

enum {
	WIDTH = 36, /* host address width, less one */
	FLAGS = 37,
	FIRST = 48,

	ALL = 1 << 0, /* flag of DRHD and ATSR */
	SCOPE_HEADER = 6,
};

/* Of each type: which kind it is, its least length, and where its device scopes begin (0: none). */
static const struct shape {
	enum busway_acpi_kind kind;
	uint16_t least, scopes;
} shapes[] = {
	{BUSWAY_ACPI_DRHD, 16, 16}, {BUSWAY_ACPI_RMRR, 24, 24}, {BUSWAY_ACPI_ATSR, 8, 8},
	{BUSWAY_ACPI_RHSA, 20, 0},  {BUSWAY_ACPI_ANDD, 9, 0},   {BUSWAY_ACPI_SATC, 8, 8},
	{BUSWAY_ACPI_SIDP, 8, 8},
};

/* A device scope, 8.3.1. */
static enum busway_acpi_scope_kind scope_kind(uint8_t type)
{
	switch (type) {
	case 1:
		return BUSWAY_SCOPE_FUNCTION;
	case 2:
		return BUSWAY_SCOPE_BRIDGE;
	case 3:
		return BUSWAY_SCOPE_IOAPIC;
	case 4:
		return BUSWAY_SCOPE_HPET;
	case 5:
		return BUSWAY_SCOPE_NAMESPACE;
	default:
		return BUSWAY_SCOPE_OTHER;
	}
}

static int read_scope(struct acpi_reader *r, const uint8_t *at, struct busway_acpi_scope *scope)
{
	const size_t steps = (size_t)(at[1] - SCOPE_HEADER) / 2;
	uint8_t *path = arena_take(&r->table->arena, steps, 1);

	if (!path)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < steps; i++) {
		const uint8_t *step = at + SCOPE_HEADER + 2 * i;

		path[i] = (uint8_t)((step[0] & 31) << 3 | (step[1] & 7));
	}
	*scope = (struct busway_acpi_scope){
		.kind = scope_kind(at[0]),
		.type = at[0],
		.id = at[4],
		.bus = at[5],
		.path = path,
		.path_length = steps,
	};
	return 0;
}

/* How many scopes there are between the offsets; -1: one does not fit. */
static long count_scopes(const uint8_t *data, uint32_t at, uint32_t end)
{
	long count = 0;

	for (; at < end; at += data[at + 1], count++)
		if (end - at < SCOPE_HEADER || data[at + 1] < SCOPE_HEADER ||
		    data[at + 1] > end - at)
			return -1;
	return count;
}

static int read_scopes(struct acpi_reader *r, uint32_t at, uint32_t end,
		       struct busway_acpi_entry *entry)
{
	const long count = count_scopes(r->data, at, end);
	struct busway_acpi_scope *scopes;

	if (count < 0)
		return acpi_error(r, entry->offset, "a device scope does not fit into its entry");
	scopes = arena_take(&r->table->arena, (size_t)count * sizeof(*scopes),
			    _Alignof(struct busway_acpi_scope));
	if (!scopes)
		return -BUSWAY_ENOMEM;
	for (long i = 0; i < count; i++, at += r->data[at + 1])
		if (read_scope(r, r->data + at, &scopes[i]))
			return -BUSWAY_ENOMEM;
	entry->scopes = scopes;
	entry->scope_count = (size_t)count;
	return 0;
}

static int read_fields(struct acpi_reader *r, const uint8_t *at, struct busway_acpi_entry *e)
{
	switch (e->kind) {
	case BUSWAY_ACPI_DRHD:
		e->flags = at[4];
		e->all = (at[4] & ALL) != 0;
		e->segment = acpi_u16(at + 6);
		e->base = acpi_u64(at + 8);
		break;
	case BUSWAY_ACPI_RMRR:
		e->segment = acpi_u16(at + 6);
		e->has_memory = acpi_u64(at + 8) <= acpi_u64(at + 16);
		if (e->has_memory)
			e->memory = (struct busway_range){acpi_u64(at + 8), acpi_u64(at + 16)};
		break;
	case BUSWAY_ACPI_ATSR:
	case BUSWAY_ACPI_SATC:
		e->flags = at[4];
		e->all = e->kind == BUSWAY_ACPI_ATSR && (at[4] & ALL);
		e->segment = acpi_u16(at + 6);
		break;
	case BUSWAY_ACPI_SIDP:
		e->segment = acpi_u16(at + 6);
		break;
	case BUSWAY_ACPI_RHSA:
		e->base = acpi_u64(at + 8);
		e->number = acpi_u32(at + 16);
		break;
	case BUSWAY_ACPI_ANDD:
		e->number = at[7];
		e->name = acpi_text(r, at + 8, e->length - 8);
		return e->name ? 0 : -BUSWAY_ENOMEM;
	default:
		break;
	}
	return 0;
}

static int read_entry(struct acpi_reader *r, uint32_t offset, uint32_t length)
{
	const uint8_t *at = r->data + offset;
	const uint16_t type = acpi_u16(at);
	struct busway_acpi_entry e = {.type = (uint8_t)type, .offset = offset, .length = length};
	const struct shape *shape;
	int status;

	if (type >= sizeof(shapes) / sizeof(shapes[0]))
		return acpi_add(r, &e);
	shape = &shapes[type];
	if (length < shape->least)
		return acpi_error(r, offset, "an entry is shorter than its type asks for");
	e.kind = shape->kind;
	status = read_fields(r, at, &e);
	if (!status && shape->scopes)
		status = read_scopes(r, offset + shape->scopes, offset + length, &e);
	return status ? status : acpi_add(r, &e);
}

int read_dmar(struct acpi_reader *r)
{
	uint32_t offset = FIRST;

	if (r->size < FIRST)
		return acpi_error(r, WIDTH, "the header is cut off");
	r->table->acpi.address_bits = r->data[WIDTH] + 1U;
	r->table->acpi.flags = r->data[FLAGS];
	while (offset < r->size) {
		uint32_t length;
		int status;

		if (r->size - offset < 4)
			return acpi_error(r, offset, "an entry is cut off");
		length = acpi_u16(r->data + offset + 2);
		if (length < 4 || length > r->size - offset)
			return acpi_error(r, offset,
					  "the length of an entry leads out of the table");
		status = read_entry(r, offset, length);
		if (status)
			return status;
		offset += length;
	}
	return 0;
}
