/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids.c - requester IDs: which functions an IOMMU or MSI map is for, and functions by their ID.
 *
 * Entries are tried in order; an entry whose base has bits outside the mask ends the search with
 * an error in Linux (of_map_id), so nothing behind it counts.
 */
#include "platform_internal.h"

static bool entry_hits(const struct busway_id_map *map, uint16_t requester)
{
	const uint32_t id = requester & map->id_mask;

	return id >= map->id_base && id - map->id_base < map->id_count;
}

/* The entry that decides and whose controller is enabled; NULL: none. */
static const struct busway_id_map *hit(const struct busway_id_map *maps, size_t count, bool any,
				       uint16_t requester)
{
	for (size_t i = 0; i < count; i++) {
		if (maps[i].is_range && maps[i].id_base & ~maps[i].id_mask)
			return &maps[i]; /* a broken map: in doubt, nobody goes around the IOMMU */
		if (!maps[i].is_range || any ? maps[i].id_count || !maps[i].is_range
					     : entry_hits(&maps[i], requester)) {
			if (maps[i].enabled)
				return &maps[i];
			if (!any)
				return NULL;
		}
	}
	return NULL;
}

bool busway_id_map_hits(const struct busway_id_map *maps, size_t count, bool any,
			uint16_t requester)
{
	return hit(maps, count, any, requester) != NULL;
}

const struct busway_id_map *busway_device_iommu(const struct busway_device *device)
{
	const struct busway_id_map *map = NULL;

	if (!device->behind_iommu)
		return NULL;
	if (device->has_requester)
		map = hit(device->iommu, device->iommu_count, false, device->requester);
	/* for somebody below the bridge, or for a function whose bus the description leaves open */
	return map ? map : hit(device->iommu, device->iommu_count, true, 0);
}

int busway_platform_add_function(struct busway_platform *platform, busway_device_id host,
				 uint16_t requester, const char *name, busway_device_id *id)
{
	const bool sealed = platform->sealed;
	struct busway_device function;
	int status;

	if (host.index >= platform->devices.count)
		return -BUSWAY_EINVAL;
	function = *busway_platform_device(platform, host);
	if (function.kind != BUSWAY_DEVICE_PCIE_HOST && function.kind != BUSWAY_DEVICE_PCI_HOST)
		return -BUSWAY_EINVAL;
	function.name = name;
	function.kind = BUSWAY_DEVICE_PCI_FUNCTION;
	function.own = BUSWAY_NO_DEVICE;
	function.outbound_count = 0;
	function.has_domain = function.has_bus_range = false;
	function.has_requester = true;
	function.requester = requester;
	function.behind_iommu =
		busway_id_map_hits(function.iommu, function.iommu_count, false, requester);
	platform->sealed = false; /* devices are in no decoder */
	status = busway_platform_add_device(platform, &function, id);
	platform->sealed = sealed;
	return status;
}
