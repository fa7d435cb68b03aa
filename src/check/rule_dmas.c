/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_dmas.c - can a DMA engine reach the registers of its clients? Do twins agree on coherence?
 *
 * A client's driver hands its engine the CPU address of a register. The engine's windows turn it
 * into a bus address, as they do for memory; without a window for it, the transfer fails or goes
 * elsewhere. Where the bus has the register at that very number, it answers there anyway.
 */
#include "check_internal.h"

/* ---- clients ---- */

/* Is every level from @bus to the CPU 1:1? */
static bool same_on_bus(const struct busway_check *check, uint32_t bus)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t at = bus; at != 0; at = tree->nodes[at].parent) {
		const struct fdt_prop *ranges = fdt_get(tree, at, FDT_RANGES);

		if (!ranges)
			return false;
		if (ranges->length)
			return false;
	}
	return true;
}

/* Has @bus the registers below it at the CPU's own numbers? */
static bool answers_on(struct busway_check *check, uint32_t bus, const struct check_register *reg)
{
	busway_phys_t phys;

	return fdt_inside(&check->importer.tree, reg->node, bus) &&
	       (same_on_bus(check, bus) ||
		(fdt_translate(&check->importer, bus, 0, reg->range.first, &phys) &&
		 phys.raw == reg->range.first));
}

/* Does a bus on the way from @engine to the windows of @source answer for the registers? */
static bool passes_unchanged(struct busway_check *check, uint32_t engine, uint32_t source,
			     const struct check_register *reg)
{
	uint32_t bus = fdt_dma_parent(&check->importer, engine);

	/* below the first windows no bus changes the numbers */
	while (bus != source && bus != 0 && !answers_on(check, bus, reg))
		bus = fdt_dma_parent(&check->importer, bus);
	return answers_on(check, bus, reg);
}

static const struct check_register *registers_of(const struct busway_check *check, uint32_t node)
{
	const struct check_register *registers = check->registers.items;
	const size_t i = first_register(check, node);

	return i < check->registers.count && registers[i].node == node ? &registers[i] : NULL;
}

/* What ranges says of the registers, dma-ranges must say, too. */
static void advise_window(struct busway_check *check, uint32_t bus, struct busway_range reg)
{
	const struct fdt_table *ranges = ranges_of(check, bus);

	for (uint32_t i = 0; ranges && i < ranges->count; i++) {
		const struct fdt_entry *e = &ranges->entries[i];
		struct busway_range window;

		if (busway_range_make(e->parent, e->size, &window) &&
		    busway_range_within(reg, window)) {
			advise(check, "add to dma-ranges what ranges says of the registers: %s",
			       entry_words(check, bus, e).text);
			return;
		}
	}
	advise(check, "add an entry for the registers to dma-ranges");
}

static void check_client(struct busway_check *check, uint32_t client, uint32_t engine, bool *told)
{
	const struct check_register *reg = registers_of(check, client);
	busway_device_id id;
	const struct busway_device *d = device_of(check, engine, &id);
	const struct check_view *view;
	uint32_t source;

	if (!reg || !d || !d->enabled || d->behind_iommu || !d->dma.restricted)
		return;
	source = node_at(check, d->dma.source);
	view = view_of(check, d, id);
	if (!view || told[source] || busway_intervals_holds(&view->cpu, reg->range) ||
	    passes_unchanged(check, engine, source, reg))
		return;
	told[source] = true;
	report(check, BUSWAY_FINDING_PERIPHERAL_UNREACHABLE, BUSWAY_SEVERITY_ERROR, source,
	       "dma-ranges", NO_ENTRY,
	       "the registers of %s, " RANGE_FORMAT
	       ", are in no inbound window of its DMA engine %s (windows lead to %s)",
	       path_of(check, client), RANGE(reg->range), path_of(check, engine),
	       set_words(&view->cpu).text);
	about(check, reg->range);
	advise_window(check, source, reg->range);
}

static void check_clients(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	bool *told = arena_take(&check->importer.work, tree->node_count * sizeof(*told), 1);

	if (!told) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < tree->node_count; i++)
		told[i] = false;
	for (uint32_t i = 1; i < tree->node_count && !check->status; i++) {
		const struct fdt_prop *dmas = fdt_get(tree, i, FDT_DMAS);

		for (uint32_t at = 0; dmas && tree->nodes[i].enabled && at < fdt_cells(dmas);) {
			const uint32_t engine = fdt_by_phandle(tree, fdt_cell(dmas, at++));
			uint32_t cells = 0;

			if (engine == FDT_NONE ||
			    !fdt_get_u32(tree, engine, FDT_DMA_CELLS, &cells) ||
			    cells > fdt_cells(dmas) - at)
				break;
			at += cells;
			check_client(check, i, engine, told);
		}
	}
}

/* ---- coherence ---- */

static bool same_compatible(const struct fdt_tree *tree, uint32_t a, uint32_t b)
{
	const struct fdt_prop *x = fdt_get(tree, a, FDT_COMPATIBLE);
	const struct fdt_prop *y = fdt_get(tree, b, FDT_COMPATIBLE);

	if (!x || !y || x->length != y->length)
		return false;
	for (uint32_t i = 0; i < x->length; i++)
		if (x->value[i] != y->value[i])
			return false;
	return true;
}

/* Neighbours of one kind under one parent, of which one says that it is coherent. */
static void check_twins(struct busway_check *check, uint32_t node, uint32_t *previous)
{
	const struct fdt_tree *tree = &check->importer.tree;
	busway_device_id id;
	const struct busway_device *d = device_of(check, node, &id);
	const uint32_t last = previous[tree->nodes[node].parent];

	if (!d || !d->enabled || !d->likely_master || !fdt_has(tree, node, FDT_COMPATIBLE))
		return;
	previous[tree->nodes[node].parent] = node;
	if (last == FDT_NONE || !same_compatible(tree, last, node) ||
	    fdt_has(tree, last, FDT_DMA_COHERENT) == fdt_has(tree, node, FDT_DMA_COHERENT))
		return;
	report(check, BUSWAY_FINDING_COHERENCE_MISMATCH, BUSWAY_SEVERITY_NOTE,
	       fdt_has(tree, node, FDT_DMA_COHERENT) ? last : node, "dma-coherent", NO_ENTRY,
	       "%s of the same kind is stated coherent, this one is not",
	       path_of(check, fdt_has(tree, node, FDT_DMA_COHERENT) ? node : last));
}

static void check_coherence(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	uint32_t *previous = arena_take(&check->importer.work, tree->node_count * sizeof(*previous),
					_Alignof(uint32_t));

	if (!previous) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < tree->node_count; i++)
		previous[i] = FDT_NONE;
	for (uint32_t i = 1; i < tree->node_count && !check->status; i++) {
		if (fdt_has(tree, i, FDT_DMA_COHERENT) && fdt_has(tree, i, FDT_DMA_NONCOHERENT)) {
			report(check, BUSWAY_FINDING_COHERENCE_MISMATCH,
			       if_enabled(check, i, BUSWAY_SEVERITY_WARNING), i, "dma-noncoherent",
			       NO_ENTRY,
			       "the node says dma-coherent and dma-noncoherent: Linux takes the "
			       "first");
			advise(check, "remove the one that is wrong");
		}
		check_twins(check, i, previous);
	}
}

void rule_dmas(struct busway_check *check)
{
	check_clients(check);
	check_coherence(check);
}
