/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_overlap.c - windows that claim the same addresses.
 *
 *   one table     two entries for one child address: the first wins, the second is dead
 *   two siblings  both lead children to the same place on the bus above
 *
 * A window 1:1 claims nothing: it only passes what is below it. Outbound PCI windows are claimed as
 * a whole: see rule_apertures.c.
 */
#include "check_internal.h"

/* ---- one table ---- */

/* The entries of a table that count on the bus below it. */
struct side {
	const struct fdt_table *table;
	enum fdt_property_id id;
	uint32_t count;
};

static uint64_t offset_of(const struct fdt_entry *e)
{
	return e->parent - e->child;
}

static void report_entries(struct busway_check *check, const void *of, const struct spot *a,
			   const struct spot *b)
{
	const struct side *side = of;
	const struct fdt_table *table = side->table;
	const struct spot *first = a->owner < b->owner ? a : b, *second = first == a ? b : a;
	const enum busway_severity severity =
		offset_of(&table->entries[a->owner]) == offset_of(&table->entries[b->owner])
			? BUSWAY_SEVERITY_NOTE
			: BUSWAY_SEVERITY_ERROR;
	struct busway_range common = {0, 0};

	busway_range_common(a->range, b->range, &common);
	report(check, BUSWAY_FINDING_WINDOW_OVERLAP, if_enabled(check, table->node, severity),
	       table->node, fdt_property_name(side->id), second->owner,
	       "entries %" PRIu32 " (" RANGE_FORMAT ") and %" PRIu32 " (" RANGE_FORMAT
	       ") both claim " RANGE_FORMAT " on this bus: the first wins",
	       first->owner, RANGE(first->range), second->owner, RANGE(second->range),
	       RANGE(common));
	if (severity == BUSWAY_SEVERITY_ERROR)
		advise(check, "give each entry addresses of its own");
}

static void check_side(struct busway_check *check, const struct side *side)
{
	struct spot *spots = take_spots(check, side->count);
	size_t used = 0;

	for (uint32_t i = 0; spots && i < side->count; i++) {
		const struct fdt_entry *e = &side->table->entries[i];
		struct busway_range range;

		if (busway_range_make(e->child, e->size, &range))
			spots[used++] = (struct spot){range, e->child_class, i, i};
	}
	sweep_spots(check, spots, used, SWEEP_FURTHEST, report_entries, side);
}

static void check_one_table(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;

	if (fdt_has(tree, node, FDT_RANGES) && !is_run_time_bus(check, node)) {
		const struct fdt_table *table = ranges_of(check, node);

		if (!table) {
			give_up(check);
			return;
		}
		check_side(check, &(struct side){table, FDT_RANGES, table->count});
		/* two names for one thing harm nobody; of PCI windows see rule_apertures.c */
	}
	if (fdt_has_dma_table(tree, node)) {
		const struct fdt_table *table = dma_table_of(check, node);

		/* several views of one memory are no mistake: only what the bus sees matters */
		if (table)
			check_side(check,
				   &(struct side){table, FDT_DMA_RANGES, table->direct_count});
		else
			give_up(check);
	}
}

/* ---- siblings ---- */

/* What the windows of @node claim: addresses of one class on the bus above it. */
static void add_claims(struct busway_check *check, struct vector *claims, uint32_t node)
{
	const struct fdt_table *table = ranges_of(check, node);
	const struct fdt_node *n = &check->importer.tree.nodes[node];

	if (!table) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < table->count; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct busway_range range;
		struct spot *claim;

		if (!busway_range_make(e->parent, e->size, &range) || e->parent == e->child)
			continue;
		claim = vector_next(&check->importer.work, claims, sizeof(*claim),
				    _Alignof(struct spot));
		if (!claim) {
			give_up(check);
			return;
		}
		*claim = (struct spot){range, (uint64_t)n->parent << 32 | e->parent_class, node, i};
		claims->count++;
	}
}

/* Has @node registers (of its own, on the bus above) in @range? */
static bool has_reg_in(const struct busway_check *check, uint32_t node, struct busway_range range)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const struct fdt_node *bus = &tree->nodes[tree->nodes[node].parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells,
		       ns = bus->size_cells;

	if (!reg || na <= flags || !ns)
		return false;
	for (uint32_t at = 0; at + na + ns <= fdt_cells(reg); at += na + ns) {
		struct busway_range own;

		if (busway_range_make(fdt_number(reg, at + flags, na - flags),
				      fdt_number(reg, at + na, ns), &own) &&
		    busway_range_overlaps(own, range))
			return true;
	}
	return false;
}

/* Does a wrapper lead its children elsewhere than to where its own registers are? */
static bool leads_elsewhere(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = ranges_of(check, node);
	struct busway_range range;

	if (!table || !fdt_has(&check->importer.tree, node, FDT_REG))
		return false;
	for (uint32_t i = 0; i < table->count; i++)
		if (busway_range_make(table->entries[i].parent, table->entries[i].size, &range) &&
		    has_reg_in(check, node, range))
			return false;
	return true;
}

/* Do registers below @a begin where registers below @b begin? Then two drivers fight. */
static bool registers_collide(const struct busway_check *check, uint32_t a, uint32_t b)
{
	enum { TRIES = 256 }; /* wrappers have a few registers below them, buses have many */
	const struct fdt_tree *tree = &check->importer.tree;
	const struct check_register *registers = check->registers.items;
	const size_t count = check->registers.count;
	size_t first = first_register(check, a), other = first_register(check, b);

	for (size_t i = first;
	     i < count && i < first + TRIES && fdt_inside(tree, registers[i].node, a); i++) {
		for (size_t j = other;
		     j < count && j < other + TRIES && fdt_inside(tree, registers[j].node, b); j++)
			if (registers[i].node != a && registers[j].node != b &&
			    registers[i].range.first == registers[j].range.first)
				return true;
	}
	return false;
}

/*
 * Buses may share a window: each passes what is below it. A window that leads to another node's
 * registers instead of its own is a mistake.
 */
static bool is_mistake(struct busway_check *check, const struct spot *wrong,
		       const struct spot *right)
{
	return (leads_elsewhere(check, wrong->owner) &&
		has_reg_in(check, right->owner, wrong->range)) ||
	       registers_collide(check, wrong->owner, right->owner);
}

/* The window to where the wrapper's own registers are. */
static void advise_own(struct busway_check *check, const struct spot *wrong)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *bus = &tree->nodes[tree->nodes[wrong->owner].parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells;
	const struct fdt_prop *reg = fdt_get(tree, wrong->owner, FDT_REG);
	const struct fdt_table *table = ranges_of(check, wrong->owner);
	struct fdt_entry better;

	if (!table || !reg || fdt_cells(reg) < na)
		return;
	better = table->entries[wrong->entry];
	better.parent = fdt_number(reg, flags, na - flags);
	advise(check, "%s", entry_words(check, wrong->owner, &better).text);
}

static void report_claims(struct busway_check *check, const void *of, const struct spot *a,
			  const struct spot *b)
{
	/* the one that is not where its own registers are is the wrong one; else the later one */
	const bool a_is_wrong = leads_elsewhere(check, a->owner) != leads_elsewhere(check, b->owner)
					? leads_elsewhere(check, a->owner)
					: a->owner > b->owner;
	const struct spot *wrong = a_is_wrong ? a : b, *right = a_is_wrong ? b : a;
	struct busway_range common = {0, 0};

	busway_range_common(a->range, b->range, &common);
	if (!is_mistake(check, wrong, right))
		return;
	report(check, BUSWAY_FINDING_WINDOW_OVERLAP, BUSWAY_SEVERITY_ERROR, wrong->owner, "ranges",
	       wrong->entry,
	       "the window to " RANGE_FORMAT " is claimed by %s as well, in " RANGE_FORMAT "%s",
	       RANGE(wrong->range), path_of(check, right->owner), RANGE(common),
	       leads_elsewhere(check, wrong->owner) ? "; its own registers are not there" : "");
	about(check, common);
	if (leads_elsewhere(check, wrong->owner))
		advise_own(check, wrong);
	(void)of;
}

/* ---- memory ---- */

/* A bus that leads its children to where memory is. One that passes everything 1:1 claims nothing.
 */
static void check_memory(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = ranges_of(check, node);

	for (uint32_t i = 0; table && i < table->count; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct busway_range window, memory;
		busway_phys_t cpu;

		if (!fdt_translate(&check->importer, check->importer.tree.nodes[node].parent,
				   e->parent_class, e->parent, &cpu) ||
		    (cpu.raw == e->child && e->size > 0x10000000) ||
		    !busway_range_clip(cpu.raw, e->size, &window) ||
		    !meets(&check->ram, window, &memory))
			continue;
		report(check, BUSWAY_FINDING_MMIO_WINDOW_OVERLAPS_RAM, BUSWAY_SEVERITY_NOTE, node,
		       "ranges", i,
		       "entry %" PRIu32 ": the window to " RANGE_FORMAT " covers RAM " RANGE_FORMAT,
		       i, RANGE(window), RANGE(memory));
		about(check, memory);
	}
}

void rule_overlap(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	struct vector claims = {0};

	for (uint32_t i = 1; i < tree->node_count && !check->status; i++) {
		if (tree->nodes[i].bookkeeping)
			continue;
		check_one_table(check, i);
		if (fdt_has(tree, i, FDT_RANGES) && tree->nodes[i].enabled &&
		    tree->nodes[i].bus == FDT_BUS_DEFAULT && !is_run_time_bus(check, i))
			check_memory(check, i);
		if (fdt_has(tree, i, FDT_RANGES) && tree->nodes[i].enabled &&
		    tree->nodes[i].bus != FDT_BUS_PCI &&
		    tree->nodes[tree->nodes[i].parent].bus != FDT_BUS_PCI &&
		    !is_run_time_bus(check, i))
			add_claims(check, &claims, i);
	}
	if (check->status)
		return;
	/* a wide bus, with which all may share, hides two others from each other */
	sweep_spots(check, claims.items, claims.count, SWEEP_PREVIOUS_TOO, report_claims, NULL);
}
