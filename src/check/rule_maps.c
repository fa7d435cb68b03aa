/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_maps.c - iommu-map and msi-map, phandles, and the doorbells behind them.
 *
 * Linux (of_map_id) takes the first entry that holds the masked requester ID; an entry whose base
 * has bits outside the mask fails the whole look-up; an ID that no entry holds goes past the IOMMU.
 */
#include "check_internal.h"

/* ---- the entries of one map ---- */

struct map {
	uint32_t node;
	enum fdt_property_id id;
	const struct busway_id_map *entries;
	size_t count;
};

static struct busway_range ids_of(const struct busway_id_map *e)
{
	return (struct busway_range){e->id_base, (uint64_t)e->id_base + e->id_count - 1};
}

static void report_overlap(struct busway_check *check, const void *of, const struct spot *a,
			   const struct spot *b)
{
	const struct map *map = of;
	const struct spot *first = a->owner < b->owner ? a : b, *second = first == a ? b : a;
	struct busway_range common = {0, 0};

	busway_range_common(a->range, b->range, &common);
	report(check, BUSWAY_FINDING_MAP_OVERLAP,
	       if_enabled(check, map->node, BUSWAY_SEVERITY_WARNING), map->node,
	       fdt_property_name(map->id), second->owner,
	       "entries %" PRIu32 " (IDs " RANGE_FORMAT ") and %" PRIu32 " (" RANGE_FORMAT
	       ") both hold the IDs " RANGE_FORMAT ": the first wins, the second never gets them",
	       first->owner, RANGE(first->range), second->owner, RANGE(second->range),
	       RANGE(common));
}

static void check_overlaps(struct busway_check *check, const struct map *map)
{
	struct spot *ids = take_spots(check, map->count);
	size_t used = 0;

	for (size_t i = 0; ids && i < map->count; i++)
		if (map->entries[i].is_range && map->entries[i].id_count)
			ids[used++] = (struct spot){.range = ids_of(&map->entries[i]),
						    .owner = (uint32_t)i};
	sweep_spots(check, ids, used, SWEEP_FURTHEST, report_overlap, map);
}

/* Do the entries before entry @end take every ID that is left after masking? */
static bool all_taken(struct busway_check *check, const struct map *map, size_t end)
{
	const uint32_t mask = map->entries[end].id_mask & 0xffff;
	struct busway_intervals taken;
	bool all = true;

	busway_intervals_init(&taken, check->memory);
	for (size_t i = 0; i < end && !check->status; i++)
		if (map->entries[i].id_count &&
		    busway_intervals_add(&taken, ids_of(&map->entries[i])))
			give_up(check);
	for (uint32_t id = 0; id <= mask && all; id++)
		if ((id & mask) == id)
			all = busway_intervals_holds(&taken, (struct busway_range){id, id});
	busway_intervals_clear(&taken);
	return all;
}

static void check_masks(struct busway_check *check, const struct map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct busway_id_map *e = &map->entries[i];

		if (!e->is_range || !(e->id_base & ~e->id_mask))
			continue;
		report(check, BUSWAY_FINDING_MAP_OUTSIDE_MASK,
		       if_enabled(check, map->node,
				  all_taken(check, map, i) ? BUSWAY_SEVERITY_NOTE
							   : BUSWAY_SEVERITY_ERROR),
		       map->node, fdt_property_name(map->id), (uint32_t)i,
		       "entry %zu begins at ID 0x%" PRIx32 ", outside the mask 0x%" PRIx32
		       ": look-ups that come to it fail",
		       i, e->id_base, e->id_mask);
		advise(check, "an ID of 0x%" PRIx32, e->id_base & e->id_mask);
		return; /* look-ups end here: what follows does not count */
	}
}

/* IDs of the bridge's buses that hit no entry. Whole maps with a mask are tried ID by ID. */
static void check_gaps(struct busway_check *check, const struct map *map)
{
	const struct fdt_prop *buses = fdt_get(&check->importer.tree, map->node, FDT_BUS_RANGE);
	const uint32_t first = buses && fdt_cells(buses) >= 2 ? fdt_cell(buses, 0) & 0xff : 0;
	const uint32_t last = buses && fdt_cells(buses) >= 2 ? fdt_cell(buses, 1) & 0xff : 0xff;
	struct busway_intervals left;

	if (!map->count || map->entries[0].id_mask != UINT32_MAX || first > last)
		return;
	busway_intervals_init(&left, check->memory);
	if (busway_intervals_add(&left, (struct busway_range){first << 8, last << 8 | 0xff}))
		give_up(check);
	for (size_t i = 0; i < map->count && !check->status; i++)
		if (map->entries[i].id_count &&
		    busway_intervals_remove(&left, ids_of(&map->entries[i])))
			give_up(check);
	if (!check->status && left.count)
		report(check, BUSWAY_FINDING_MAP_INCOMPLETE, BUSWAY_SEVERITY_NOTE, map->node,
		       fdt_property_name(map->id), NO_ENTRY,
		       "requester IDs %s are in no entry: such functions go past the IOMMU",
		       set_words(&left).text);
	busway_intervals_clear(&left);
}

/* ---- what the entries point at ---- */

static void check_target(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			 uint32_t entry, uint32_t phandle)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t target = fdt_by_phandle(tree, phandle);
	const bool iommu = id == FDT_IOMMUS || id == FDT_IOMMU_MAP;

	if (target == FDT_NONE) {
		report(check, BUSWAY_FINDING_UNRESOLVED_PHANDLE,
		       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node,
		       fdt_property_name(id), entry,
		       "entry %" PRIu32 ": no node has the phandle 0x%" PRIx32, entry, phandle);
	} else if (iommu ? !fdt_has(tree, target, FDT_IOMMU_CELLS)
			 : !fdt_has(tree, target, FDT_MSI_CONTROLLER) &&
				   !fdt_has(tree, target, FDT_MSI_CELLS)) {
		report(check, BUSWAY_FINDING_IOMMU_MAP_WRONG_TARGET,
		       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node,
		       fdt_property_name(id), entry, "entry %" PRIu32 " points at %s, which %s",
		       entry, path_of(check, target),
		       iommu ? "states no #iommu-cells: it is no IOMMU" : "is no msi-controller");
	}
}

/* Phandles of a map at every 4 cells; sized entries are another matter. */
static void check_map_targets(struct busway_check *check, uint32_t node, enum fdt_property_id id)
{
	const struct fdt_prop *prop = fdt_get(&check->importer.tree, node, id);

	if (!prop || prop->length % 16)
		return;
	for (uint32_t i = 0; i < fdt_cells(prop) / 4; i++)
		check_target(check, node, id, i, fdt_cell(prop, i * 4 + 1));
}

/* A list of phandles with as many cells behind each as its target says; 0 skips. */
static void check_list(struct busway_check *check, uint32_t node, enum fdt_property_id id,
		       enum fdt_property_id cells)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *prop = fdt_get(tree, node, id);

	for (uint32_t at = 0, i = 0; prop && at < fdt_cells(prop); i++) {
		const uint32_t phandle = fdt_cell(prop, at++);
		const uint32_t target = fdt_by_phandle(tree, phandle);
		uint32_t count = 0;

		if (!phandle && (id == FDT_DMAS || id == FDT_INTERCONNECTS))
			continue;
		if (id == FDT_IOMMUS || id == FDT_MSI_PARENT)
			check_target(check, node, id, i, phandle);
		else if (target == FDT_NONE)
			report(check, BUSWAY_FINDING_UNRESOLVED_PHANDLE,
			       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node,
			       fdt_property_name(id), i,
			       "entry %" PRIu32 ": no node has the phandle 0x%" PRIx32, i, phandle);
		if (target == FDT_NONE)
			return;
		if (cells != FDT_OTHER)
			fdt_get_u32(tree, target, cells, &count);
		if (count > fdt_cells(prop) - at)
			return;
		at += count;
	}
}

/* ---- doorbells ---- */

/* Where does the controller of @map take messages, as the CPU sees it? */
static bool doorbell_of(struct busway_check *check, const struct busway_id_map *map,
			struct busway_range *doorbell)
{
	/* RISC-V IMSIC: each interrupt file begins with its doorbell (AIA specification, 3.5);
	 * BCM2712 MIP: the first words of the block (drivers/irqchip/irq-bcm2712-mip.c) */
	static const char *const at_start[] = {"riscv,imsics", "brcm,bcm2712-mip", NULL};
	const uint32_t node = node_at(check, map->controller);
	struct busway_phys_range reg;

	if (map->has_doorbell)
		return busway_range_make(map->doorbell.raw, 4, doorbell);
	return compatible_has(check, node, at_start) && fdt_reg(&check->importer, node, 0, &reg) &&
	       busway_range_make(reg.first.raw, 4, doorbell);
}

/* A window for the page of the doorbell, as the tables are read: 64 KiB, the largest page. */
static void advise_page(struct busway_check *check, uint32_t table, uint64_t doorbell)
{
	const uint64_t first = doorbell & ~(uint64_t)0xffff;
	const struct words entry = entry_for(check, dma_table_of(check, table),
					     (struct busway_range){first, first | 0xffff});

	if (entry.text[0])
		advise(check, "add the entry %s", entry.text);
}

static void check_doorbell(struct busway_check *check, uint32_t node, const struct busway_device *d,
			   busway_device_id id)
{
	/* iProc steers MSIs to the controller whatever the windows are (pcie-iproc.c) */
	static const char *const steers[] = {"brcm,iproc-pcie", NULL};
	const struct check_view *view;

	if (!d->enabled || d->behind_iommu || !d->dma.restricted || !d->msi_count ||
	    compatible_has(check, node, steers))
		return;
	view = view_of(check, d, id);
	for (size_t i = 0; view && i < d->msi_count; i++) {
		const struct busway_id_map *map = &d->msi[i];
		struct busway_range doorbell;

		if (!map->enabled || !doorbell_of(check, map, &doorbell) ||
		    busway_intervals_holds(&view->cpu, doorbell))
			continue;
		report(check, BUSWAY_FINDING_MSI_DOORBELL_UNREACHABLE, BUSWAY_SEVERITY_ERROR,
		       node_at(check, d->dma.source), "dma-ranges", NO_ENTRY,
		       "the doorbell of %s at 0x%" PRIx64
		       " is in no inbound window: MSIs of %s go nowhere (windows lead to %s)",
		       map->controller, doorbell.first, path_of(check, node),
		       set_words(&view->cpu).text);
		about(check, doorbell);
		advise_page(check, node_at(check, d->dma.source), doorbell.first);
		return;
	}
}

/* ---- all nodes ---- */

static void check_maps(struct busway_check *check, uint32_t node)
{
	const struct {
		enum fdt_property_id map, mask, cells;
	} kinds[] = {
		{FDT_IOMMU_MAP, FDT_IOMMU_MAP_MASK, FDT_IOMMU_CELLS},
		{FDT_MSI_MAP, FDT_MSI_MAP_MASK, FDT_MSI_CELLS},
	};

	for (size_t i = 0; i < 2; i++) {
		struct fdt_maps maps;

		if (!fdt_has(&check->importer.tree, node, kinds[i].map))
			continue;
		if (fdt_id_map(&check->importer, node, kinds[i].map, kinds[i].mask, kinds[i].cells,
			       &maps)) {
			give_up(check);
			return;
		}
		const struct map map = {node, kinds[i].map, maps.maps, maps.count};

		check_overlaps(check, &map);
		check_masks(check, &map);
		if (kinds[i].map == FDT_IOMMU_MAP && fdt_is_host(&check->importer, node))
			check_gaps(check, &map);
		check_map_targets(check, node, kinds[i].map);
	}
}

static void check_node(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	busway_device_id id;
	const struct busway_device *d = device_of(check, node, &id);

	check_maps(check, node);
	check_list(check, node, FDT_IOMMUS, FDT_IOMMU_CELLS);
	check_list(check, node, FDT_MSI_PARENT, FDT_MSI_CELLS);
	check_list(check, node, FDT_MEMORY_REGION, FDT_OTHER);
	check_list(check, node, FDT_DMAS, FDT_DMA_CELLS);
	if (d && d->kind != BUSWAY_DEVICE_PCI_FUNCTION)
		check_doorbell(check, node, d, id);
	if (fdt_is_host(&check->importer, node) && fdt_has(tree, node, FDT_IOMMUS) &&
	    !fdt_has(tree, node, FDT_IOMMU_MAP)) {
		report(check, BUSWAY_FINDING_IOMMUS_ON_HOST, BUSWAY_SEVERITY_NOTE, node, "iommus",
		       NO_ENTRY,
		       "iommus translates the bridge itself: functions below it go past the IOMMU");
		advise(check, "iommu-map = <first-id &iommu first-output length>;");
	}
}

void rule_maps(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t i = 1; i < tree->node_count && !check->status; i++)
		if (!tree->nodes[i].bookkeeping)
			check_node(check, i);
}
