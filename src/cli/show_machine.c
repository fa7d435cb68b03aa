/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_machine.c - what `busway show --format json` tells of a machine besides: its IOMMUs, the
 * IOVAs that its groups keep free, and what its kernel says of a function. And for all that show
 * devices: is it known whether an IOMMU translates?
 */
#include "cli.h"

#include <string.h>

static const char *reserved_name(enum busway_reserved_type type)
{
	static const char *const names[] = {
		[BUSWAY_RESERVED_DIRECT] = "direct",
		[BUSWAY_RESERVED_DIRECT_RELAXABLE] = "direct-relaxable",
		[BUSWAY_RESERVED_NEVER] = "reserved",
		[BUSWAY_RESERVED_MSI] = "msi",
		[BUSWAY_RESERVED_SOFTWARE_MSI] = "msi",
	};

	return names[type];
}

/* ---- is there an IOMMU? ---- */

static bool is_function_of(const struct loaded *loaded, const struct busway_device *device,
			   const struct busway_pci_function *f)
{
	if (device->kind == BUSWAY_DEVICE_PCI_HOST || device->kind == BUSWAY_DEVICE_PCIE_HOST)
		return device->has_domain && device->domain == f->at.domain &&
		       f->at.bus >= device->first_bus && f->at.bus <= device->last_bus;
	return f->has_device &&
	       busway_platform_device(loaded->platform, f->platform_device) == device;
}

bool iommu_is_unknown(const struct loaded *loaded, const struct busway_device *device)
{
	const struct busway_pci *pci = loaded->machine ? busway_system_pci(loaded->machine) : NULL;

	if (!pci)
		return false;
	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		if (f->translation_unknown && is_function_of(loaded, device, f))
			return true;
	}
	return false;
}

/* ---- platform.reserved ---- */

static json_t *members_of(const struct busway_pci *pci, uint32_t group)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const busway_pci_id id = {i};
		const struct busway_pci_function *f = busway_pci_function(pci, id);

		if (f->has_group && f->group == group)
			json_array_append_new(list, json_string(busway_pci_name(pci, id)));
	}
	return list;
}

/* @group: -1: a table says so, for each of them. */
static json_t *region_json(const struct busway_reserved_region *r, json_int_t group,
			   json_t *devices)
{
	return json_pack("{s:o, s:o, s:s, s:o, s:o, s:o}", "first", json_hex(r->range.first),
			 "last", json_hex(r->range.last), "type", reserved_name(r->type), "group",
			 group < 0 ? json_null() : json_integer(group), "source",
			 json_text(r->source), "devices", devices);
}

static bool same_region(const struct busway_reserved_region *a,
			const struct busway_reserved_region *b)
{
	return a->range.first == b->range.first && a->range.last == b->range.last &&
	       a->type == b->type && strcmp(a->source, b->source) == 0;
}

/* What tables keep free: one entry for all functions that it holds for. They stand side by side. */
static void add_tables(const struct loaded *loaded, json_t *list)
{
	const struct busway_pci *pci = busway_system_pci(loaded->machine);
	size_t count;
	const struct busway_system_reservation *all =
		busway_system_reservations(loaded->machine, &count);

	for (size_t i = 0; i < count;) {
		const struct busway_reserved_region *r = &all[i].region;
		json_t *devices = json_array();

		for (; i < count && same_region(r, &all[i].region); i++)
			json_array_append_new(devices,
					      json_string(busway_pci_name(pci, all[i].function)));
		json_array_append_new(list, region_json(r, -1, devices));
	}
}

json_t *machine_reserved_json(const struct loaded *loaded)
{
	const struct busway_pci *pci = busway_system_pci(loaded->machine);
	size_t count;
	const struct busway_system_group *groups = busway_system_groups(loaded->machine, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < groups[i].reserved_count; j++) {
			json_array_append_new(list,
					      region_json(&groups[i].reserved[j], groups[i].number,
							  members_of(pci, groups[i].number)));
		}
	}
	add_tables(loaded, list);
	return list;
}

/* ---- platform.iommus ---- */

/* The controller that a device is behind: "" where the machine does not tell which. */
static const char *controller_of(const struct busway_device *device)
{
	const struct busway_id_map *map = busway_device_iommu(device);

	return map ? map->controller : "";
}

static json_t *find_iommu(const json_t *list, const char *name)
{
	size_t i;
	json_t *iommu;

	json_array_foreach(list, i, iommu)
	{
		const char *other = json_string_value(json_object_get(iommu, "name"));

		if (strcmp(other ? other : "", name) == 0)
			return iommu;
	}
	return NULL;
}

json_t *machine_iommus_json(const struct loaded *loaded)
{
	const size_t count = busway_platform_device_count(loaded->platform);
	json_t *list = json_array();

	for (uint32_t i = 0; i < count; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, (busway_device_id){i});
		const struct busway_pci_function *f =
			function_of_device(loaded, (busway_device_id){i});
		json_t *iommu;

		if (!f || !d->behind_iommu || (!d->iommu_count && !f->has_group))
			continue;
		iommu = find_iommu(list, controller_of(d));
		if (!iommu) {
			iommu = json_pack("{s:o, s:[]}", "name",
					  *controller_of(d) ? json_text(controller_of(d))
							    : json_null(),
					  "devices");
			json_array_append_new(list, iommu);
		}
		json_array_append_new(json_object_get(iommu, "devices"), json_text(d->name));
	}
	return list;
}

/* ---- platform.gaps ---- */

json_t *machine_gaps_json(const struct loaded *loaded)
{
	size_t count;
	const struct busway_system_gap *gaps = busway_system_gaps(loaded->machine, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "file", json_text(gaps[i].file),
						      "message", json_text(gaps[i].message)));
	return list;
}

/* ---- a device ---- */

static json_t *bits(unsigned mask)
{
	return mask ? json_integer(mask) : json_null();
}

void add_function_json(const struct loaded *loaded, busway_device_id id, json_t *object)
{
	const struct busway_pci_function *f = function_of_device(loaded, id);

	if (!f)
		return;
	json_object_set_new(object, "dma_mask_bits", bits(f->dma_mask));
	json_object_set_new(object, "coherent_dma_mask_bits", bits(f->coherent_mask));
	json_object_set_new(object, "iommu_group",
			    f->has_group ? json_integer(f->group) : json_null());
}
