/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * acpi_iort.c - the I/O remapping table of Arm (DEN0049E).
 */
#include "acpi_internal.h"

enum {
	NODE_COUNT = 36,
	NODE_FIRST = 40,
	TABLE_SIZE = 48,

	NODE_HEADER = 16,
	MAPPING_SIZE = 20,
	MAPPING_SINGLE = 1 << 0,
	DESCRIPTOR_SIZE = 20,
};

/* By type: the kind and the least length. */
static const struct shape {
	enum busway_acpi_kind kind;
	uint16_t least;
} shapes[] = {
	{BUSWAY_ACPI_ITS, 20},  {BUSWAY_ACPI_NAMED, 30},   {BUSWAY_ACPI_ROOT_COMPLEX, 33},
	{BUSWAY_ACPI_SMMU, 60}, {BUSWAY_ACPI_SMMU_V3, 60}, {BUSWAY_ACPI_PMCG, 32},
	{BUSWAY_ACPI_RMR, 28},
};

static int read_mappings(struct acpi_reader *r, struct busway_acpi_entry *e)
{
	const uint8_t *node = r->data + e->offset;
	const uint32_t count = acpi_u32(node + 8), first = acpi_u32(node + 12);
	struct busway_acpi_mapping *mappings;

	if (!count)
		return 0;
	if (first > e->length || (e->length - first) / MAPPING_SIZE < count)
		return acpi_error(r, e->offset, "the ID mappings do not fit into their node");
	mappings = arena_take(&r->table->arena, count * sizeof(*mappings),
			      _Alignof(struct busway_acpi_mapping));
	if (!mappings)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = node + first + (size_t)i * MAPPING_SIZE;
		const uint32_t base = acpi_u32(at), more = acpi_u32(at + 4);

		mappings[i] = (struct busway_acpi_mapping){
			.first = base,
			.last = more > UINT32_MAX - base ? UINT32_MAX : base + more,
			.out = acpi_u32(at + 8),
			.single = (acpi_u32(at + 16) & MAPPING_SINGLE) != 0,
			.target = acpi_u32(at + 12),
		};
	}
	e->mappings = mappings;
	e->mapping_count = count;
	return 0;
}

/* The memory of an RMR node: each descriptor beyond the first is an entry of its own. */
static int read_reserved(struct acpi_reader *r, struct busway_acpi_entry *e)
{
	const uint8_t *node = r->data + e->offset;
	const uint32_t count = acpi_u32(node + 20), first = acpi_u32(node + 24);

	if (count && (first > e->length || (e->length - first) / DESCRIPTOR_SIZE < count))
		return acpi_error(r, e->offset, "the memory ranges do not fit into their node");
	e->unity = true;
	for (uint32_t i = 0; i < count; i++) {
		const uint8_t *at = node + first + (size_t)i * DESCRIPTOR_SIZE;

		acpi_memory(e, acpi_u64(at), acpi_u64(at + 8));
		if (i + 1 < count && acpi_add(r, e))
			return -BUSWAY_ENOMEM;
	}
	return 0;
}

static int read_fields(struct acpi_reader *r, const uint8_t *at, struct busway_acpi_entry *e)
{
	switch (e->kind) {
	case BUSWAY_ACPI_NAMED:
		e->flags = acpi_u32(at + 16);
		e->address_bits = at[28];
		e->name = acpi_text(r, at + 29, e->length - 29);
		return e->name ? 0 : -BUSWAY_ENOMEM;
	case BUSWAY_ACPI_ROOT_COMPLEX:
		e->flags = acpi_u32(at + 24);
		e->segment = acpi_u32(at + 28);
		e->address_bits = at[32];
		break;
	case BUSWAY_ACPI_SMMU:
		e->base = acpi_u64(at + 16);
		e->flags = acpi_u32(at + 36);
		break;
	case BUSWAY_ACPI_SMMU_V3:
		e->base = acpi_u64(at + 16);
		e->flags = acpi_u32(at + 24);
		break;
	case BUSWAY_ACPI_PMCG:
		e->base = acpi_u64(at + 16);
		break;
	case BUSWAY_ACPI_RMR:
		e->flags = acpi_u32(at + 16);
		return read_reserved(r, e);
	default:
		break;
	}
	return 0;
}

static int read_node(struct acpi_reader *r, uint32_t offset, uint32_t length)
{
	const uint8_t *at = r->data + offset;
	struct busway_acpi_entry e = {
		.type = at[0], .offset = offset, .length = length, .number = acpi_u32(at + 4)};
	int status;

	if (e.type >= sizeof(shapes) / sizeof(shapes[0]))
		return acpi_add(r, &e);
	if (length < shapes[e.type].least)
		return acpi_error(r, offset, "a node is shorter than its type asks for");
	e.kind = shapes[e.type].kind;
	status = read_mappings(r, &e); /* before what may add the entry several times */
	if (!status)
		status = read_fields(r, at, &e);
	return status ? status : acpi_add(r, &e);
}

int read_iort(struct acpi_reader *r)
{
	uint32_t count, offset;

	if (r->size < TABLE_SIZE)
		return acpi_error(r, NODE_COUNT, "the header is cut off");
	count = acpi_u32(r->data + NODE_COUNT);
	offset = acpi_u32(r->data + NODE_FIRST);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t length;
		int status;

		if (offset > r->size || r->size - offset < NODE_HEADER)
			return acpi_error(r, NODE_COUNT, "there are fewer nodes than it says");
		length = acpi_u16(r->data + offset + 1);
		if (length < NODE_HEADER || length > r->size - offset)
			return acpi_error(r, offset, "the length of a node leads out of the table");
		status = read_node(r, offset, length);
		if (status)
			return status;
		offset += length;
	}
	return 0;
}
