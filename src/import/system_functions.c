/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_functions.c - each function as a device of the platform: below its host bridge, with the
 * mask that its driver has set, behind an IOMMU or not.
 */
#include "system_platform.h"

/* ---- the IOMMU ---- */

static int take_iommu(struct building *b, busway_pci_id id, const struct busway_device *device,
		      struct busway_function_facts *facts)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
	const struct system_unit *unit = system_unit_of(b->machine, id);
	const enum busway_known translated =
		system_translated(b, id, b->from_tree && device->behind_iommu);
	struct busway_id_map *map;

	facts->iommu = device->iommu;
	facts->iommu_count = device->iommu_count;
	facts->behind_iommu = translated != BUSWAY_ABSENT;
	if (busway_pci_join_iommu(b->machine->pci, id, translated))
		return -BUSWAY_EINVAL;
	if (unit && !device->iommu_count) {
		map = KEEP(b, struct busway_id_map, 1);
		if (!map)
			return -BUSWAY_ENOMEM;
		*map = (struct busway_id_map){
			.controller = unit->name,
			.is_range = true,
			.enabled = true,
			.id_base = device->requester,
			.id_count = 1,
			.id_mask = 0xffff,
			.out_base = device->requester,
		};
		facts->iommu = map;
		facts->iommu_count = 1;
	}
	if (translated == BUSWAY_UNKNOWN) {
		facts->notes = system_note(b, BUSWAY_NOTE_IOMMU_UNKNOWN, device->name,
					   f->has_group ? "iommu_group/type" : "iommu_group",
					   facts->notes);
		if (!facts->notes)
			return -BUSWAY_ENOMEM;
	}
	facts->translated_always =
		facts->behind_iommu &&
		!busway_id_map_hits(facts->iommu, facts->iommu_count, false, device->requester);
	return 0;
}

/* ---- the mask ---- */

/* Where bus addresses are the CPU's: is there memory beyond the mask? */
static bool is_narrow(const struct building *b, const struct busway_device *device, unsigned bits)
{
	size_t count;
	const struct busway_memory_bank *banks =
		busway_platform_banks(b->machine->platform, &count);

	for (size_t i = 0; i < count && bits && bits < 64 && !device->dma.restricted; i++)
		if (banks[i].range.last >> bits)
			return true;
	return false;
}

static int take_mask(struct building *b, busway_pci_id id, const struct busway_device *device,
		     struct busway_function_facts *facts)
{
	facts->mask = busway_pci_function(pci_of(b), id)->dma_mask;
	if (facts->behind_iommu || !is_narrow(b, device, facts->mask))
		return 0;
	facts->notes = system_note(b, BUSWAY_NOTE_NARROW_MASK, device->name, "dma_mask_bits",
				   facts->notes);
	return facts->notes ? 0 : -BUSWAY_ENOMEM;
}

static int add_function(struct building *b, busway_pci_id id)
{
	const struct busway_pci_function *f = busway_pci_function(pci_of(b), id);
	const struct host_facts *host = &b->hosts[busway_pci_host_of(pci_of(b), id).index];
	struct busway_function_facts facts = {.likely_master = !busway_pci_is_bridge(f->type)};
	const struct busway_device *device;
	busway_device_id added;
	int status;

	if (!host->has_device)
		return busway_pci_join_iommu(b->machine->pci, id, BUSWAY_UNKNOWN);
	status = busway_platform_add_function(b->machine->platform, host->device,
					      (uint16_t)(f->at.bus << 8 | f->at.devfn),
					      busway_pci_name(pci_of(b), id), &added);
	if (status)
		return status;
	device = busway_platform_device(b->machine->platform, added);
	status = take_iommu(b, id, device, &facts);
	if (!status)
		status = take_mask(b, id, device, &facts);
	if (!status)
		status = take_reservations(b, id, device, &facts);
	if (!status)
		status = busway_platform_set_function(b->machine->platform, added, &facts);
	return status ? status : busway_pci_join_device(b->machine->pci, id, added);
}

int add_functions(struct building *b)
{
	int status = 0;

	for (uint32_t i = 0; i < busway_pci_count(pci_of(b)) && !status; i++)
		status = add_function(b, (busway_pci_id){i});
	return status;
}
