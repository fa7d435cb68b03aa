/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_memory.c - memory as proc/iomem has it: "System RAM", and what lies in it and is taken.
 */
#include "system_platform.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = sizeof("ram@") + 16 };

/* Also what drivers have made memory of: "System RAM (kmem)". */
static bool is_memory(const struct iomem_entry *entry)
{
	static const char name[] = "System RAM";

	return strncmp(entry->name, name, sizeof(name) - 1) == 0;
}

static int add_bank(struct building *b, struct busway_range range)
{
	char *name = busway_platform_keep(b->machine->platform, NAME_SIZE, 1);
	const struct busway_memory_bank bank = {.name = name, .range = range};
	const struct busway_region region = {
		.space = BUSWAY_CPU_SPACE,
		.range = range,
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = name,
	};
	int status;

	if (!name)
		return -BUSWAY_ENOMEM;
	snprintf(name, NAME_SIZE, "ram@%" PRIx64, range.first);
	status = busway_platform_add_bank(b->machine->platform, &bank);
	return status ? status : busway_platform_add_region(b->machine->platform, &region);
}

/* A bank, and what in it has an owner already: kernel, crash kernel, what firmware keeps. */
static int add_entry(struct building *b, size_t index)
{
	const struct iomem_entry *entry = &b->iomem.entries[index];
	int status = add_bank(b, entry->range);

	for (size_t i = index + 1; i < b->iomem.count && !status; i++) {
		if (b->iomem.entries[i].depth <= entry->depth)
			break;
		status = busway_platform_add_reserved(b->machine->platform,
						      b->iomem.entries[i].range);
	}
	return status;
}

/* Somewhere, but nobody says where. */
static int add_unknown(struct building *b)
{
	const struct busway_region all = {
		.space = BUSWAY_CPU_SPACE,
		.range = BUSWAY_RANGE_ALL,
		.kind = BUSWAY_REGION_UNKNOWN,
		.access = BUSWAY_READ_WRITE,
		.name = "(memory not told)",
	};

	return busway_platform_add_region(b->machine->platform, &all);
}

static int add_doorbell(struct building *b)
{
	const struct busway_region doorbell = {
		.space = BUSWAY_CPU_SPACE,
		.range = system_x86_interrupts,
		.kind = BUSWAY_REGION_DOORBELL,
		.access = BUSWAY_WRITE,
		.name = SYSTEM_X86_INTERRUPTS,
	};

	return busway_platform_add_region(b->machine->platform, &doorbell);
}

int add_memory(struct building *b)
{
	int status = b->x86 ? add_doorbell(b) : 0;

	for (size_t i = 0; b->iomem.known && i < b->iomem.count && !status; i++)
		if (is_memory(&b->iomem.entries[i]))
			status = add_entry(b, i);
	if (!status && !busway_platform_memory_known(b->machine->platform))
		status = add_unknown(b);
	return status;
}
