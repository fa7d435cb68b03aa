/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_maps.c - which IOMMU and which MSI controller sees a device, and under which ID.
 *
 * Entries of iommu-map and msi-map are 4 cells (ID base, phandle, output base, length) in Linux
 * up to 6.12, whatever the target says. Where that reading meets cells that are no phandles,
 * entries are read with the target's own cell count instead, as later series propose; which
 * reading was taken is told.
 */
#include "fdt_importer.h"

/* GITS_TRANSLATER: second 64 KiB page of the ITS, offset 0x40; MSI_SETSPI_NS of a v2m frame. */
static const struct {
	const char *compatible;
	uint64_t offset;
} doorbells[] = {
	{"arm,gic-v3-its", 0x10040},
	{"arm,gic-v2m-frame", 0x40},
};

static bool find_doorbell(struct fdt_importer *importer, uint32_t node, busway_phys_t *address)
{
	struct busway_phys_range reg;

	for (size_t i = 0; i < sizeof(doorbells) / sizeof(doorbells[0]); i++) {
		if (!fdt_is_compatible(&importer->tree, node, doorbells[i].compatible) ||
		    !fdt_reg(importer, node, 0, &reg) ||
		    reg.first.raw > UINT64_MAX - doorbells[i].offset - 3)
			continue;
		*address = busway_phys(reg.first.raw + doorbells[i].offset);
		return true;
	}
	return false;
}

/* The same, looked for once: a map may name one controller in each of its entries. */
static bool doorbell_of(struct fdt_importer *importer, uint32_t node, busway_phys_t *address)
{
	struct fdt_memo *memo = &importer->memos[node];

	if (!memo->doorbell_known)
		memo->has_doorbell = find_doorbell(importer, node, &memo->doorbell);
	memo->doorbell_known = true;
	*address = memo->doorbell;
	return memo->has_doorbell;
}

static int fill_target(struct fdt_importer *importer, uint32_t target, struct busway_id_map *map)
{
	map->controller = fdt_path(&importer->tree, target);
	map->enabled = importer->tree.nodes[target].enabled;
	map->has_doorbell = doorbell_of(importer, target, &map->doorbell);
	return map->controller ? 0 : -BUSWAY_ENOMEM;
}

/* ---- ranges of requester IDs ---- */

/* Cells of the entry at @at, of which the target states its own count where @sized. 0: none. */
static uint32_t entry_width(const struct fdt_tree *tree, const struct fdt_prop *map, uint32_t at,
			    bool sized, enum fdt_property_id cells)
{
	uint32_t target, count = 1;

	if (at + 1 >= fdt_cells(map))
		return 0;
	target = fdt_by_phandle(tree, fdt_cell(map, at + 1));
	if (target == FDT_NONE)
		return 0;
	if (sized && fdt_get_u32(tree, target, cells, &count) && count > 4)
		return 0;
	return at + 3 + count <= fdt_cells(map) ? 3 + count : 0;
}

/* How many entries the map has, read one way; 0: it cannot be read so. */
static uint32_t count_entries(const struct fdt_tree *tree, const struct fdt_prop *map, bool sized,
			      enum fdt_property_id cells)
{
	uint32_t count = 0;

	for (uint32_t at = 0, width; at < fdt_cells(map); at += width, count++) {
		width = entry_width(tree, map, at, sized, cells);
		if (!width)
			return 0;
	}
	return count;
}

int fdt_id_map(struct fdt_importer *importer, uint32_t node, enum fdt_property_id id,
	       enum fdt_property_id mask_id, enum fdt_property_id cells, struct fdt_maps *out)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *prop = fdt_get(tree, node, id);
	const bool whole = prop && prop->length % 4 == 0;
	uint32_t count = whole ? count_entries(tree, prop, false, cells) : 0;
	uint32_t mask = UINT32_MAX, at = 0;
	struct busway_id_map *maps;

	*out = (struct fdt_maps){0};
	if (whole && !count) {
		count = count_entries(tree, prop, true, cells);
		out->sized_entries = count > 0;
	}
	out->unreadable = prop && prop->length && !count;
	fdt_get_u32(tree, node, mask_id, &mask);
	maps = KEEP(importer, struct busway_id_map, count);
	if (!maps)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t width = entry_width(tree, prop, at, out->sized_entries, cells);

		maps[i] = (struct busway_id_map){
			.is_range = true,
			.id_base = fdt_cell(prop, at),
			.out_base = width > 3 ? fdt_cell(prop, at + 2) : 0,
			.id_count = fdt_cell(prop, at + width - 1),
			.id_mask = mask,
		};
		if (fill_target(importer, fdt_by_phandle(tree, fdt_cell(prop, at + 1)), &maps[i]))
			return -BUSWAY_ENOMEM;
		at += width;
	}
	out->maps = maps;
	out->count = count;
	return 0;
}

/* ---- specifiers of one device ---- */

static uint32_t count_specifiers(const struct fdt_tree *tree, const struct fdt_prop *prop,
				 enum fdt_property_id cells)
{
	uint32_t count = 0;

	for (uint32_t at = 0; prop && at < fdt_cells(prop); count++) {
		const uint32_t target = fdt_by_phandle(tree, fdt_cell(prop, at));
		uint32_t width = 0;

		if (target == FDT_NONE)
			break;
		/* msi-parent of a controller that states no cells has none; iommus end there */
		if (!fdt_get_u32(tree, target, cells, &width) && cells == FDT_IOMMU_CELLS)
			break;
		if (width > fdt_cells(prop) - at - 1)
			break;
		at += 1 + width;
	}
	return count;
}

static int fill_specifier(struct fdt_importer *importer, const struct fdt_prop *prop, uint32_t *at,
			  enum fdt_property_id cells_id, struct busway_id_map *map)
{
	const struct fdt_tree *tree = &importer->tree;
	const uint32_t target = fdt_by_phandle(tree, fdt_cell(prop, (*at)++));
	uint32_t width = 0, *cells;

	fdt_get_u32(tree, target, cells_id, &width);
	cells = KEEP(importer, uint32_t, width);
	if (!cells)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < width; i++)
		cells[i] = fdt_cell(prop, (*at)++);
	*map = (struct busway_id_map){
		.out_base = width ? cells[0] : 0,
		.cells = cells,
		.cell_count = width,
	};
	return fill_target(importer, target, map);
}

int fdt_specifiers(struct fdt_importer *importer, uint32_t node, enum fdt_property_id list,
		   enum fdt_property_id cells, struct fdt_maps *out)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *prop = fdt_get(tree, node, list);
	const uint32_t count = count_specifiers(tree, prop, cells);
	struct busway_id_map *maps = KEEP(importer, struct busway_id_map, count);
	uint32_t at = 0;

	*out = (struct fdt_maps){0};
	if (!maps)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < count; i++)
		if (fill_specifier(importer, prop, &at, cells, &maps[i]))
			return -BUSWAY_ENOMEM;
	out->maps = maps;
	out->count = count;
	out->unreadable = prop && at * 4 != prop->length;
	return 0;
}

/* ---- doorbells ---- */

/* A bank around a doorbell is a mistake of the tree: what answers is the doorbell. */
static bool note_if_in_memory(struct fdt_importer *importer, uint32_t node,
			      struct busway_range doorbell)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(importer->platform, &count);

	for (size_t i = 0; i < count; i++)
		if (busway_range_overlaps(banks[i].range, doorbell))
			return fdt_note(importer, &importer->notes, BUSWAY_NOTE_DOORBELL_IN_MEMORY,
					node, FDT_REG, FDT_NONE);
	return true;
}

int fdt_add_doorbells(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;
	int status = 0;

	for (uint32_t i = 1; i < tree->node_count && !status; i++) {
		busway_phys_t address;

		if (!tree->nodes[i].enabled || !doorbell_of(importer, i, &address))
			continue;
		const struct busway_region region = {
			.space = BUSWAY_CPU_SPACE,
			.range = {address.raw, address.raw + 3},
			.kind = BUSWAY_REGION_DOORBELL,
			.access = BUSWAY_WRITE,
			.name = fdt_path(&importer->tree, i),
		};
		status = region.name && note_if_in_memory(importer, i, region.range)
				 ? busway_platform_add_region(importer->platform, &region)
				 : -BUSWAY_ENOMEM;
	}
	return status;
}
