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

/* Notes of the host that hold for its functions: those about its maps and its pool. */
static bool is_for_functions(const struct busway_note *note, bool behind_iommu)
{
	return note->code == BUSWAY_NOTE_MAP_CELLS || note->code == BUSWAY_NOTE_IOMMU_UNREADABLE ||
	       note->code == BUSWAY_NOTE_BRIDGE_IOMMU ||
	       (note->code == BUSWAY_NOTE_POOL_IGNORED && behind_iommu);
}

static bool copy_notes(struct busway_platform *platform, const struct busway_note *from,
		       struct busway_device *function)
{
	const struct busway_note **end = &function->notes;

	for (; from; from = from->next) {
		struct busway_note *copy;

		if (!is_for_functions(from, function->behind_iommu))
			continue;
		copy = busway_platform_keep(platform, sizeof(*copy), _Alignof(struct busway_note));
		if (!copy)
			return false;
		*copy = *from;
		copy->next = NULL;
		*end = copy;
		end = &copy->next;
	}
	return true;
}

/* Behind an IOMMU the pool is not attached; it stays the one that the device is restricted to. */
static bool take_pool(struct busway_platform *platform, struct busway_device *function)
{
	uint32_t *pool;

	if (function->restricted_pool == UINT32_MAX || function->behind_iommu)
		return true;
	pool = busway_platform_keep(platform, sizeof(*pool), _Alignof(uint32_t));
	if (!pool)
		return false;
	*pool = function->restricted_pool;
	function->pools = pool;
	function->pool_count = 1;
	return true;
}

int busway_platform_add_function(struct busway_platform *platform, busway_device_id host,
				 uint16_t requester, const char *name, busway_device_id *id)
{
	const bool sealed = platform->sealed;
	const struct busway_device *h;
	struct busway_device function;
	int status;

	if (host.index >= platform->devices.count)
		return -BUSWAY_EINVAL;
	h = busway_platform_device(platform, host);
	/* the view of a bridge as a master itself is not that of its functions */
	if (h->is_bridge_itself ||
	    (h->kind != BUSWAY_DEVICE_PCIE_HOST && h->kind != BUSWAY_DEVICE_PCI_HOST))
		return -BUSWAY_EINVAL;
	function = (struct busway_device){
		.name = name,
		.kind = BUSWAY_DEVICE_PCI_FUNCTION,
		.enabled = h->enabled,
		.likely_master = true,
		.coherence = h->coherence,
		.untrusted = h->untrusted,
		.dma = h->dma,
		.emission = h->emission,
		.segments = h->segments,
		.has_requester = true,
		.requester = requester,
		.own = BUSWAY_NO_DEVICE,
		.iommu = h->iommu,
		.iommu_count = h->iommu_count,
		.msi = h->msi,
		.msi_count = h->msi_count,
		.behind_iommu = h->translated_always ||
				busway_id_map_hits(h->iommu, h->iommu_count, false, requester),
		.translated_always = h->translated_always,
		.restricted_pool = h->restricted_pool,
		.iova_reserved = h->iova_reserved,
		.iova_reserved_count = h->iova_reserved_count,
	};
	if (!take_pool(platform, &function) || !copy_notes(platform, h->notes, &function))
		return -BUSWAY_ENOMEM;
	platform->sealed = false; /* devices are in no decoder */
	status = busway_platform_add_device(platform, &function, id);
	platform->sealed = sealed;
	return status;
}

static struct busway_device *function_at(struct busway_platform *platform, busway_device_id id)
{
	struct busway_device *devices = platform->devices.items;

	return id.index < platform->devices.count &&
			       devices[id.index].kind == BUSWAY_DEVICE_PCI_FUNCTION
		       ? &devices[id.index]
		       : NULL;
}

/* The notes of a device lie in memory of the platform's: copy them, with more behind. */
static bool join_notes(struct busway_platform *platform, struct busway_device *function,
		       const struct busway_note *more)
{
	const struct busway_note *own = function->notes, *head = more;
	const struct busway_note **end = &head;

	for (; more && own; own = own->next) {
		struct busway_note *copy =
			busway_platform_keep(platform, sizeof(*copy), _Alignof(struct busway_note));

		if (!copy)
			return false;
		*copy = *own;
		copy->next = more;
		*end = copy;
		end = &copy->next;
	}
	if (more)
		function->notes = head;
	return true;
}

int busway_platform_set_function(struct busway_platform *platform, busway_device_id id,
				 const struct busway_function_facts *facts)
{
	struct busway_device *function = function_at(platform, id), changed;

	if (!function || facts->mask > 64)
		return -BUSWAY_EINVAL;
	changed = *function;
	changed.behind_iommu = facts->behind_iommu;
	changed.pool_count = 0; /* behind an IOMMU the kernel ignores it */
	if (!take_pool(platform, &changed) || !join_notes(platform, &changed, facts->notes))
		return -BUSWAY_ENOMEM;
	*function = changed;
	if (facts->mask)
		function->emission = busway_emission_mask(facts->mask);
	function->likely_master = facts->likely_master;
	function->translated_always = facts->translated_always;
	function->iommu = facts->iommu;
	function->iommu_count = facts->iommu_count;
	function->iova_reserved = facts->iova_reserved;
	function->iova_reserved_count = facts->iova_reserved_count;
	return 0;
}
