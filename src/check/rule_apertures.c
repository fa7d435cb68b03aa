/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_apertures.c - outbound PCI windows against RAM.
 *
 *   PCI bus   |== inbound: RAM ==[aperture]==|     DMA to RAM under the aperture goes to a peer
 *   CPU       |== RAM =======[aperture]======|     CPU accesses to RAM go to PCI
 *
 * The PCI side counts as DMA sees it: through the inbound windows of the functions.
 */
#include "check_internal.h"

/* One outbound window of one host bridge. */
struct aperture {
	uint32_t host, entry;
	const struct fdt_entry *stated;
	struct busway_range bus, cpu;
};

/* The memory that DMA to @bus would be meant for, through the windows of @view. */
static bool memory_under(const struct busway_check *check, const struct check_view *view,
			 struct busway_range bus, struct busway_range *memory)
{
	for (size_t i = 0; i < view->window_count; i++) {
		const struct busway_piece *w = &view->windows[i];
		struct busway_range part;
		uint64_t offset = w->phys.raw - w->dma.first.raw;

		if (!busway_range_common(busway_dma_raw(w->dma), bus, &part))
			continue;
		part = (struct busway_range){part.first + offset, part.last + offset};
		if (meets(&check->ram, part, memory))
			return true;
	}
	return false;
}

/* Is @bus clear of the memory as DMA sees it, and of the host's other apertures? */
static bool is_free(struct busway_check *check, const struct check_view *view,
		    const struct aperture *a, struct busway_range bus)
{
	const struct fdt_table *table = ranges_of(check, a->host);
	struct busway_range memory, other;

	if (memory_under(check, view, bus, &memory))
		return false;
	for (uint32_t i = 0; table && i < table->count; i++)
		if (i != a->entry && table->entries[i].child_class == FDT_CLASS_MEMORY &&
		    busway_range_clip(table->entries[i].child, table->entries[i].size, &other) &&
		    busway_range_overlaps(other, bus))
			return false;
	return true;
}

/* The PCI address that would do: the CPU's own, or the lowest free multiple of the size. */
static void advise_place(struct busway_check *check, const struct check_view *view,
			 const struct aperture *a)
{
	enum { TRIES = 4096 };
	struct fdt_entry better = *a->stated;
	struct busway_range bus = a->cpu;
	const uint64_t size = a->stated->size;
	uint64_t step = 0x100000;

	while (step < size && step < (uint64_t)1 << 62)
		step <<= 1;
	if (a->cpu.first > UINT32_MAX && (better.code >> 24 & 3) == 2)
		better.code |= 0x01000000; /* the window leaves 32 bits: mem64 */
	if (!is_free(check, view, a, bus)) {
		unsigned tries = 0;

		better.code = a->stated->code;
		do {
			if (++tries == TRIES || !busway_range_make(tries * step, size, &bus) ||
			    ((better.code >> 24 & 3) == 2 && bus.last > UINT32_MAX))
				return;
		} while (!is_free(check, view, a, bus));
	}
	better.child = bus.first;
	advise(check, "a PCI address that is clear of memory: %s",
	       entry_words(check, a->host, &better).text);
}

static void check_bus_side(struct busway_check *check, const struct busway_device *host,
			   const struct check_view *view, const struct aperture *a)
{
	struct busway_range memory;

	if (!memory_under(check, view, a->bus, &memory))
		return;
	report(check, BUSWAY_FINDING_APERTURE_OVERLAPS_RAM,
	       host->behind_iommu ? BUSWAY_SEVERITY_NOTE : BUSWAY_SEVERITY_ERROR, a->host, "ranges",
	       a->entry,
	       "entry %" PRIu32 ": PCI " RANGE_FORMAT " covers RAM " RANGE_FORMAT
	       ": DMA to that memory %s",
	       a->entry, RANGE(a->bus), RANGE(memory),
	       host->behind_iommu ? "needs an IOVA elsewhere"
				  : "ends at a device or at nobody on the bus");
	about(check, memory);
	advise_place(check, view, a);
}

static void check_cpu_side(struct busway_check *check, const struct aperture *a)
{
	struct busway_range memory;

	if (!meets(&check->ram, a->cpu, &memory))
		return;
	report(check, BUSWAY_FINDING_APERTURE_OVERLAPS_RAM, BUSWAY_SEVERITY_ERROR, a->host,
	       "ranges", a->entry,
	       "entry %" PRIu32 ": CPU addresses " RANGE_FORMAT " cover RAM " RANGE_FORMAT
	       ": two things answer there",
	       a->entry, RANGE(a->cpu), RANGE(memory));
	about(check, memory);
}

/* Registers of something else under the window: two things answer the CPU there. */
static void check_registers(struct busway_check *check, const struct aperture *a)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct check_register *registers = check->registers.items;
	struct busway_range common;

	if (!meets(&check->register_bytes, a->cpu, &common))
		return;
	for (size_t i = 0; i < check->registers.count; i++) {
		const struct check_register *r = &registers[i];

		if (!busway_range_common(r->range, a->cpu, &common) ||
		    fdt_inside(tree, r->node, a->host) || fdt_inside(tree, a->host, r->node) ||
		    !fdt_has(tree, r->node, FDT_COMPATIBLE))
			continue;
		report(check, BUSWAY_FINDING_WINDOW_OVERLAP, BUSWAY_SEVERITY_ERROR, a->host,
		       "ranges", a->entry,
		       "entry %" PRIu32 ": CPU addresses " RANGE_FORMAT
		       " cover the registers of %s, " RANGE_FORMAT,
		       a->entry, RANGE(a->cpu), path_of(check, r->node), RANGE(r->range));
		about(check, common);
		return;
	}
}

/* Remember it, to compare it with those of all bridges. */
static void keep_aperture(struct busway_check *check, const struct aperture *a)
{
	struct aperture *kept = vector_next(&check->importer.work, &check->apertures, sizeof(*kept),
					    _Alignof(struct aperture));

	if (!kept) {
		give_up(check);
		return;
	}
	*kept = *a;
	check->apertures.count++;
}

static void check_host(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = ranges_of(check, node);
	busway_device_id id;
	const struct busway_device *host = device_of(check, node, &id);
	const struct check_view *view = host ? view_of(check, host, id) : NULL;

	if (!table)
		give_up(check);
	if (!table || !view)
		return;
	for (uint32_t i = 0; i < table->count; i++) {
		struct aperture a = {.host = node, .entry = i, .stated = &table->entries[i]};
		busway_phys_t cpu;

		if (a.stated->child_class == 0 ||
		    !fdt_translate(&check->importer, check->importer.tree.nodes[node].parent,
				   a.stated->parent_class, a.stated->parent, &cpu) ||
		    !busway_range_clip(cpu.raw, a.stated->size, &a.cpu) ||
		    !busway_range_clip(a.stated->child, a.stated->size, &a.bus))
			continue;
		keep_aperture(check, &a);
		check_cpu_side(check, &a);
		check_registers(check, &a);
		if (a.stated->child_class == FDT_CLASS_MEMORY)
			check_bus_side(check, host, view, &a);
	}
}

/* ---- against each other ---- */

static void report_overlap(struct busway_check *check, const void *of, const struct spot *a,
			   const struct spot *b)
{
	const struct aperture *apertures = of;
	const struct aperture *first = &apertures[a->owner < b->owner ? a->owner : b->owner];
	const struct aperture *second = &apertures[a->owner < b->owner ? b->owner : a->owner];
	struct busway_range common = {0, 0};

	busway_range_common(first->cpu, second->cpu, &common);
	report(check, BUSWAY_FINDING_WINDOW_OVERLAP, BUSWAY_SEVERITY_ERROR, second->host, "ranges",
	       second->entry,
	       "entry %" PRIu32 ": CPU addresses " RANGE_FORMAT " are those of entry %" PRIu32
	       " of %s (" RANGE_FORMAT ") as well, in " RANGE_FORMAT,
	       second->entry, RANGE(second->cpu), first->entry, path_of(check, first->host),
	       RANGE(first->cpu), RANGE(common));
	about(check, common);
	advise(check, "give each outbound window CPU addresses of its own");
}

/* Outbound windows claim their CPU addresses as a whole, whatever the buses between say. */
static void check_apertures(struct busway_check *check)
{
	const struct aperture *apertures = check->apertures.items;
	struct spot *spots = take_spots(check, check->apertures.count);
	size_t used = 0;

	for (uint32_t i = 0; spots && i < check->apertures.count; i++)
		spots[used++] = (struct spot){.range = apertures[i].cpu, .owner = i};
	sweep_spots(check, spots, used, SWEEP_FURTHEST, report_overlap, apertures);
}

/* ---- Marvell's mbus: apertures for all host bridges, in properties of their own ---- */

static void check_mbus(struct busway_check *check, uint32_t node, enum fdt_property_id id)
{
	const struct fdt_prop *prop = fdt_get(&check->importer.tree, node, id);
	struct busway_range aperture, memory;

	if (!prop || fdt_cells(prop) < 2 ||
	    !busway_range_make(fdt_cell(prop, 0), fdt_cell(prop, 1), &aperture) ||
	    !meets(&check->ram, aperture, &memory))
		return;
	report(check, BUSWAY_FINDING_APERTURE_OVERLAPS_RAM,
	       if_enabled(check, node, BUSWAY_SEVERITY_ERROR), node, fdt_property_name(id), 0,
	       "the aperture " RANGE_FORMAT " lies on RAM " RANGE_FORMAT, RANGE(aperture),
	       RANGE(memory));
	about(check, memory);
	if (check->ram.runs[check->ram.count - 1].last < UINT32_MAX - fdt_cell(prop, 1))
		advise(check, "place it behind the memory, from 0x%" PRIx64,
		       check->ram.runs[check->ram.count - 1].last + 1);
}

void rule_apertures(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t i = 1; i < tree->node_count && !check->status; i++) {
		if (fdt_is_host(&check->importer, i) && tree->nodes[i].enabled &&
		    !is_run_time_bus(check, i))
			check_host(check, i);
		check_mbus(check, i, FDT_PCIE_MEM_APERTURE);
		check_mbus(check, i, FDT_PCIE_IO_APERTURE);
	}
	if (!check->status)
		check_apertures(check);
}
