/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.c - stream IDs and formats of IOMMUs. See streams.h.
 *
 * What is not known to its end is taken for more IDs, never for fewer: whom an IOMMU cannot tell
 * apart cannot have two address spaces.
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
	return mask;
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

/* The last requester ID of an entry that its mask lets be: the mask is applied first. */
static uint32_t last_masked(const struct busway_id_map *map)
{
	const uint64_t last = (uint64_t)map->id_base + (map->id_count - 1);
	uint32_t id = 0;

	for (unsigned bit = 32; bit-- > 0;)
		if (map->id_mask >> bit & 1 && (id | (uint64_t)1 << bit) <= last)
			id |= UINT32_C(1) << bit;
	return id;
}

/* The low bits of the largest aligned block of IDs from @first on, up to @last. */
static uint32_t block_bits(uint32_t first, uint32_t last)
{
	uint32_t bits = 0;

	while (bits != UINT32_MAX) {
		const uint32_t more = bits << 1 | 1;

		if ((first & more) || (first | more) > last)
			break;
		bits = more;
	}
	return bits;
}

static bool is_same(const struct stream *a, const struct stream *b)
{
	return !((a->id ^ b->id) & ~(a->ignored | b->ignored)) && strcmp(a->iommu, b->iommu) == 0;
}

/* Room doubles where the count is a power of two. False: out of memory. */
static bool add_stream(struct streams *out, struct stream one)
{
	if (!(out->count & (out->count - 1))) {
		struct stream *more =
			realloc(out->ids, (out->count ? 2 * out->count : 1) * sizeof(*more));

		if (!more)
			return false;
		out->ids = more;
	}
	out->ids[out->count++] = one;
	return true;
}

/* All IDs from @first to @last, of which one is the device's. */
static bool add_range(struct streams *out, const char *iommu, uint64_t first, uint64_t last,
		      uint32_t ignored)
{
	while (first <= last) {
		const uint32_t bits = block_bits((uint32_t)first, (uint32_t)last);
		const struct stream one = {iommu, (uint32_t)first, bits | ignored};

		if ((bits & ~ignored) || (out->count && !is_same(&out->ids[0], &one)))
			out->one_of = true;
		if (!add_stream(out, one))
			return false;
		first += (uint64_t)bits + 1;
	}
	return true;
}

static bool add_map(const struct loaded *loaded, const struct busway_device *device,
		    const struct busway_id_map *map, struct streams *out)
{
	const uint32_t ignored = ignored_bits(loaded, map);
	const uint32_t id = device->requester & map->id_mask;
	uint64_t first = map->out_base, last = first;

	if (is_any(loaded, map)) {
		out->one_of |= map->is_range;
		return add_stream(out, (struct stream){map->controller, 0, UINT32_MAX});
	}
	if (!map->is_range)
		return add_stream(out, (struct stream){map->controller, map->out_base, ignored});
	if (is_exact(device, map))
		first = last = first + (id - map->id_base);
	else
		last += last_masked(map) - map->id_base;
	return last > UINT32_MAX ? add_range(out, map->controller, 0, UINT32_MAX, 0)
				 : add_range(out, map->controller, first, last, ignored);
}

static bool add_device(const struct loaded *loaded, const struct busway_device *device,
		       struct streams *out)
{
	const struct busway_id_map *deciding = busway_device_iommu(device);

	if (deciding && is_exact(device, deciding))
		return add_map(loaded, device, deciding, out);
	for (size_t i = 0; i < device->iommu_count; i++)
		if (counts(&device->iommu[i]) && !add_map(loaded, device, &device->iommu[i], out))
			return false;
	return true;
}

bool streams_of(const struct loaded *loaded, busway_device_id id, struct streams *out)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	const struct busway_device *function = NULL;
	busway_device_id front;

	if (function_above(loaded, id, &front))
		function = busway_platform_device(loaded->platform, front);
	/* maps of the bridge are for the function; a chip may also have an IOMMU of its own */
	*out = (struct streams){.seen_as = function && device->iommu == function->iommu ? function
											: device};
	return (out->seen_as == function || add_device(loaded, device, out)) &&
	       (!function || add_device(loaded, function, out));
}

bool streams_meet(const struct streams *a, const struct streams *b)
{
	for (size_t i = 0; i < a->count; i++)
		for (size_t j = 0; j < b->count; j++)
			if (is_same(&a->ids[i], &b->ids[j]))
				return true;
	return false;
}

void streams_free(struct streams *list, size_t count)
{
	for (size_t i = 0; list && i < count; i++)
		free(list[i].ids);
	free(list);
}
