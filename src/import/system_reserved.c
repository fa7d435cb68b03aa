/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_reserved.c - the IOVAs that somebody keeps free for a function, each with its source.
 */
#include "system_platform.h"

#include <stdio.h>
#include <string.h>

/* A list that grows in the platform's memory. */
struct regions {
	struct busway_region *items;
	size_t count, capacity;
};

static int add(struct building *b, struct regions *list, struct busway_range range,
	       const char *name)
{
	const size_t capacity = list->capacity ? 2 * list->capacity : 4;
	struct busway_region *items;

	if (list->count == list->capacity) {
		items = KEEP(b, struct busway_region, capacity);
		if (!items)
			return -BUSWAY_ENOMEM;
		if (list->count)
			memcpy(items, list->items, list->count * sizeof(*items));
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = (struct busway_region){
		.range = range,
		.kind = BUSWAY_REGION_CARVEOUT,
		.access = BUSWAY_READ_WRITE,
		.name = name,
	};
	return 0;
}

/* "sys/kernel/iommu_groups/7/reserved_regions: msi" */
static int add_reserved(struct building *b, struct regions *list,
			const struct busway_reserved_region *reserved)
{
	const char *type = reserved_type_name(reserved->type);
	const size_t size = strlen(reserved->source) + strlen(type) + 3;
	char *name = busway_platform_keep(b->machine->platform, size, 1);

	if (!name)
		return -BUSWAY_ENOMEM;
	snprintf(name, size, "%s: %s", reserved->source, type);
	return add(b, list, reserved->range, name);
}

static bool has_range(const struct regions *list, struct busway_range range)
{
	for (size_t i = 0; i < list->count; i++)
		if (busway_range_within(range, list->items[i].range))
			return true;
	return false;
}

/* On x86 machines writes there are interrupts, whatever an IOMMU maps; a kernel that told its
 * regions has said so itself. */
static int add_interrupts(struct building *b, struct regions *list)
{
	const bool has = !b->x86 || has_range(list, system_x86_interrupts);

	return has ? 0 : add(b, list, system_x86_interrupts, SYSTEM_X86_INTERRUPTS);
}

/* What the group keeps free; of all groups below a host bridge, what no other one did. */
static int add_group(struct building *b, struct regions *list,
		     const struct busway_system_group *group, bool once)
{
	int status = 0;

	for (size_t i = 0; group && i < group->reserved_count && !status; i++)
		if (!once || !has_range(list, group->reserved[i].range))
			status = add_reserved(b, list, &group->reserved[i]);
	return status;
}

/* What the group, tables and the IOMMU's width take, behind what the device tree has. */
int take_reservations(struct building *b, busway_pci_id id, const struct busway_device *device,
		      struct busway_function_facts *facts)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
	const struct busway_system_reservation *tables = b->machine->reserved.items;
	const struct system_unit *unit = system_unit_of(b->machine, id);
	struct regions list = {0};
	int status = 0;

	for (size_t i = 0; b->from_tree && i < device->iova_reserved_count && !status; i++)
		status = add(b, &list, device->iova_reserved[i].range,
			     device->iova_reserved[i].name);
	if (!status)
		status = add_group(b, &list, group_of(b->machine, f), false);
	for (size_t i = 0; i < b->machine->reserved.count && !status; i++)
		if (tables[i].function.index == id.index)
			status = add_reserved(b, &list, &tables[i].region);
	if (!status && unit && unit->has_last && unit->last != UINT64_MAX)
		status = add(b, &list, (struct busway_range){unit->last + 1, UINT64_MAX},
			     unit->last_source);
	if (!status)
		status = add_interrupts(b, &list);
	facts->iova_reserved = list.items;
	facts->iova_reserved_count = list.count;
	return status;
}

int take_host_reservations(struct building *b, uint32_t host, struct busway_device *device)
{
	const struct busway_system_reservation *tables = b->machine->reserved.items;
	struct regions list = {0};
	int status = 0;

	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++) {
		const busway_pci_id id = {i};

		if (busway_pci_host_of(pci_of(b), id).index == host)
			status = add_group(b, &list,
					   group_of(b->machine, busway_pci_function(pci_of(b), id)),
					   true);
	}
	for (size_t i = 0; i < b->machine->reserved.count && !status; i++)
		if (busway_pci_host_of(pci_of(b), tables[i].function).index == host &&
		    !has_range(&list, tables[i].region.range))
			status = add_reserved(b, &list, &tables[i].region);
	if (!status)
		status = add_interrupts(b, &list);
	device->iova_reserved = list.items;
	device->iova_reserved_count = list.count;
	return status;
}
