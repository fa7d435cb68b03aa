/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.c - stream IDs and formats of IOMMUs. See streams.h.
 *
 * Bindings: iommu/iommu.txt, pci/pci-iommu.txt, iommu/arm,smmu.yaml (a second cell, and
 * stream-match-mask, are ID bits that do not count), iommu/arm,smmu-v3.yaml,
 * iommu/riscv,iommu.yaml; all of Linux 6.12 or later.
 */
#include "streams.h"

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

/* ---- what an IOMMU is ---- */

static const struct {
	const char *compatible;
	enum busway_pagetable_format format;
} formats[] = {
	{"arm,smmu-v1", BUSWAY_ARM_STAGE1},        {"arm,smmu-v2", BUSWAY_ARM_STAGE1},
	{"arm,smmu-v3", BUSWAY_ARM_STAGE1},        {"arm,mmu-400", BUSWAY_ARM_STAGE1},
	{"arm,mmu-401", BUSWAY_ARM_STAGE1},        {"arm,mmu-500", BUSWAY_ARM_STAGE1},
	{"cavium,smmu-v2", BUSWAY_ARM_STAGE1},     {"qcom,smmu-v2", BUSWAY_ARM_STAGE1},
	{"qcom,smmu-500", BUSWAY_ARM_STAGE1},      {"nvidia,smmu-500", BUSWAY_ARM_STAGE1},
	{"renesas,ipmmu-vmsa", BUSWAY_ARM_STAGE1}, {"riscv,iommu", BUSWAY_RISCV_SV},
	{"riscv,pci-iommu", BUSWAY_RISCV_SV},
};

/* Units of a machine without a tree have the names of Linux's drivers, or of ACPI's structures. */
static const struct {
	const char *begins;
	enum busway_pagetable_format format;
} units[] = {
	{"dmar", BUSWAY_VTD_SECOND}, {"DRHD@", BUSWAY_VTD_SECOND},  {"ivhd", BUSWAY_AMD_V1},
	{"IVHD@", BUSWAY_AMD_V1},    {"smmu3.", BUSWAY_ARM_STAGE1}, {"SMMUv3@", BUSWAY_ARM_STAGE1},
};

static bool format_of_unit(const char *name, enum busway_pagetable_format *format)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strncmp(name, units[i].begins, strlen(units[i].begins)) == 0) {
			*format = units[i].format;
			return true;
		}
	return false;
}

static int node_of(const struct loaded *loaded, const char *path)
{
	return loaded->blob ? fdt_path_offset(loaded->blob, path) : -FDT_ERR_NOTFOUND;
}

bool streams_format(const struct loaded *loaded, const char *node,
		    enum busway_pagetable_format *format)
{
	const int at = node_of(loaded, node);

	*format = BUSWAY_ARM_STAGE1;
	if (!loaded->blob)
		return format_of_unit(node, format);
	for (size_t i = 0; at >= 0 && i < sizeof(formats) / sizeof(formats[0]); i++)
		if (fdt_node_check_compatible(loaded->blob, at, formats[i].compatible) == 0) {
			*format = formats[i].format;
			return true;
		}
	return false;
}

/* All bits from the highest one of @mask on downwards: ranges of IDs stay ranges so. */
static uint32_t loose_bits(uint32_t mask)
{
	for (unsigned shift = 1; shift < 32; shift *= 2)
		mask |= mask >> shift;
	return mask;
}

static bool is_arm(const struct loaded *loaded, const struct busway_id_map *map)
{
	enum busway_pagetable_format format;

	return streams_format(loaded, map->controller, &format) && format == BUSWAY_ARM_STAGE1;
}

/* Bits of an ID that do not count. */
static uint32_t ignored_bits(const struct loaded *loaded, const struct busway_id_map *map)
{
	const int at = node_of(loaded, map->controller);
	const fdt32_t *cell;
	uint32_t mask = map->cell_count > 1 ? map->cells[1] : 0;
	int size = 0;

	cell = at < 0 ? NULL : fdt_getprop(loaded->blob, at, "stream-match-mask", &size);
	if (cell && size == (int)sizeof(*cell))
		mask |= fdt32_to_cpu(*cell);
	return loose_bits(mask);
}

/* ---- which IOMMU ---- */

static bool has_note(const struct busway_device *device, enum busway_note_code code)
{
	for (const struct busway_note *n = device->notes; n; n = n->next)
		if (n->code == code)
			return true;
	return false;
}

/* Are the maps those of the bridge at @node, for what is behind it? */
static bool is_map_of(const struct loaded *loaded, const char *node,
		      const struct busway_id_map *maps)
{
	const size_t count = busway_platform_device_count(loaded->platform);

	for (uint32_t i = 0; i < count; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, (busway_device_id){i});

		if (!d->is_bridge_itself && d->iommu == maps && strcmp(d->name, node) == 0)
			return true;
	}
	return false;
}

/* An IOMMU of its own, and one behind a bridge further up. */
static bool has_two_in_a_row(const struct loaded *loaded, const struct busway_device *device)
{
	for (const struct busway_note *n = device->notes; n; n = n->next)
		if (n->code == BUSWAY_NOTE_BRIDGE_IOMMU &&
		    !is_map_of(loaded, n->node, device->iommu))
			return true;
	return false;
}

static bool counts(const struct busway_id_map *map)
{
	return map->enabled && (!map->is_range || map->id_count);
}

static bool reads_one_format(const struct loaded *loaded, const struct busway_device *device,
			     const char *iommu)
{
	enum busway_pagetable_format format, other;
	const bool known = streams_format(loaded, iommu, &format);

	for (size_t i = 0; i < device->iommu_count; i++)
		if (counts(&device->iommu[i]) &&
		    (streams_format(loaded, device->iommu[i].controller, &other) != known ||
		     other != format))
			return false;
	return true;
}

const char *streams_iommu(const struct loaded *loaded, const struct busway_device *device)
{
	const struct busway_id_map *map = busway_device_iommu(device);

	if (!map || has_note(device, BUSWAY_NOTE_IOMMU_UNREADABLE) ||
	    has_two_in_a_row(loaded, device) || !reads_one_format(loaded, device, map->controller))
		return NULL;
	return map->controller;
}

/* ---- IDs ---- */

/* Which entry decides, and what it makes of the function's ID; false: any entry, any ID. */
static bool is_exact(const struct busway_device *device, const struct busway_id_map *map)
{
	const uint32_t id = device->requester & map->id_mask;

	return device->has_requester && !has_note(device, BUSWAY_NOTE_BRIDGE_IOMMU) &&
	       map->is_range && !(map->id_base & ~map->id_mask) && id >= map->id_base &&
	       id - map->id_base < map->id_count;
}

/*
 * May it be any ID? Without cells there is one address space for all; what several cells mean is
 * known of Arm's two only; and Linux stops at a broken map.
 */
static bool is_any(const struct loaded *loaded, const struct busway_id_map *map)
{
	if (map->is_range)
		return (map->id_base & ~map->id_mask) != 0;
	return !map->cell_count ||
	       (map->cell_count > 1 && !(map->cell_count == 2 && is_arm(loaded, map)));
}

static struct stream stream_of(const struct loaded *loaded, const struct busway_device *device,
			       const struct busway_id_map *map)
{
	const bool exact = is_exact(device, map);
	const uint32_t offset = exact ? (device->requester & map->id_mask) - map->id_base : 0;
	const uint64_t first = (uint64_t)map->out_base + offset;
	const uint64_t last = exact || !map->is_range ? first : first + (map->id_count - 1);
	uint32_t ignored;

	if (is_any(loaded, map) || last > UINT32_MAX)
		return (struct stream){map->controller, 0, UINT32_MAX};
	ignored = ignored_bits(loaded, map);
	return (struct stream){map->controller, (uint32_t)first & ~ignored,
			       (uint32_t)last | ignored};
}

bool streams_of(const struct loaded *loaded, const struct busway_device *device,
		struct streams *out)
{
	const struct busway_id_map *deciding = busway_device_iommu(device);

	*out = (struct streams){.ids = calloc(device->iommu_count + 1, sizeof(*out->ids))};
	if (!out->ids)
		return false;
	if (deciding && is_exact(device, deciding)) {
		out->ids[out->count++] = stream_of(loaded, device, deciding);
		return true;
	}
	for (size_t i = 0; i < device->iommu_count; i++)
		if (counts(&device->iommu[i]))
			out->ids[out->count++] = stream_of(loaded, device, &device->iommu[i]);
	return true;
}

bool streams_meet(const struct streams *a, const struct streams *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (a->ids[i].first <= b->ids[j].last &&
			    b->ids[j].first <= a->ids[i].last &&
			    strcmp(a->ids[i].iommu, b->ids[j].iommu) == 0)
				return true;
	return false;
}
