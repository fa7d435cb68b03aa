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

#include "../base/sort.h"

/* A claim of addresses on the bus above. */
struct claim {
	uint32_t node, parent, entry, class;
	struct busway_range range;
};

/* ---- one table ---- */

/* The entries of one table, to be sorted by one side of them. */
struct side {
	struct busway_range range;
	uint32_t class, entry;
	uint64_t offset; /* parent - child */
};

static bool side_before(const void *left, const void *right)
{
	const struct side *a = left, *b = right;

	if (a->class != b->class)
		return a->class < b->class;
	if (a->range.first != b->range.first)
		return a->range.first < b->range.first;
	return a->entry < b->entry;
}

static size_t fill_sides(const struct fdt_table *table, uint32_t count, struct side *sides)
{
	size_t used = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct busway_range range;

		if (!busway_range_make(e->child, e->size, &range))
			continue;
		sides[used++] = (struct side){range, e->child_class, i, e->parent - e->child};
	}
	return used;
}

static void report_entries(struct busway_check *check, const struct fdt_table *table,
			   enum fdt_property_id id, const struct side *a, const struct side *b)
{
	const struct side *first = a->entry < b->entry ? a : b;
	const struct side *second = first == a ? b : a;
	const enum busway_severity severity =
		a->offset == b->offset ? BUSWAY_SEVERITY_NOTE : BUSWAY_SEVERITY_ERROR;
	struct busway_range common = {0, 0};

	busway_range_common(a->range, b->range, &common);
	report(check, BUSWAY_FINDING_WINDOW_OVERLAP, if_enabled(check, table->node, severity),
	       table->node, fdt_property_name(id), second->entry,
	       "entries %" PRIu32 " (" RANGE_FORMAT ") and %" PRIu32 " (" RANGE_FORMAT
	       ") both claim " RANGE_FORMAT " on this bus: the first wins",
	       first->entry, RANGE(first->range), second->entry, RANGE(second->range),
	       RANGE(common));
	if (severity == BUSWAY_SEVERITY_ERROR)
		advise(check, "give each entry addresses of its own");
}

static void check_side(struct busway_check *check, const struct fdt_table *table,
		       enum fdt_property_id id, uint32_t count)
{
	struct side *sides =
		arena_take(&check->importer.work, count * sizeof(*sides), _Alignof(struct side));
	size_t used, longest = 0;

	if (!sides) {
		give_up(check);
		return;
	}
	used = fill_sides(table, count, sides);
	sort(sides, used, sizeof(*sides), side_before);
	for (size_t i = 1; i < used; i++) {
		if (sides[i].class != sides[longest].class ||
		    !busway_range_overlaps(sides[i].range, sides[longest].range))
			longest = i;
		else
			report_entries(check, table, id, &sides[longest], &sides[i]);
		if (sides[i].range.last > sides[longest].range.last)
			longest = i;
	}
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
		check_side(check, table, FDT_RANGES, table->count);
		/* two names for one thing harm nobody; of PCI windows see rule_apertures.c */
	}
	if (fdt_has_dma_table(tree, node)) {
		const struct fdt_table *table = dma_table_of(check, node);

		/* several views of one memory are no mistake: only what the bus sees matters */
		if (table)
			check_side(check, table, FDT_DMA_RANGES, table->direct_count);
		else
			give_up(check);
	}
}

/* ---- siblings ---- */

static bool claim_before(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;

	if (a->parent != b->parent)
		return a->parent < b->parent;
	if (a->class != b->class)
		return a->class < b->class;
	if (a->range.first != b->range.first)
		return a->range.first < b->range.first;
	return a->node < b->node;
}

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
		struct claim *claim;
		struct busway_range range;

		if (!busway_range_make(e->parent, e->size, &range) || e->parent == e->child)
			continue;
		claim = vector_next(&check->importer.work, claims, sizeof(*claim),
				    _Alignof(struct claim));
		if (!claim) {
			give_up(check);
			return;
		}
		*claim = (struct claim){node, n->parent, i, e->parent_class, range};
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
static bool is_mistake(struct busway_check *check, const struct claim *wrong,
		       const struct claim *right)
{
	return (leads_elsewhere(check, wrong->node) &&
		has_reg_in(check, right->node, wrong->range)) ||
	       registers_collide(check, wrong->node, right->node);
}

/* The window to where the wrapper's own registers are. */
static void advise_own(struct busway_check *check, const struct claim *wrong)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *bus = &tree->nodes[wrong->parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells;
	const struct fdt_prop *reg = fdt_get(tree, wrong->node, FDT_REG);
	const struct fdt_table *table = ranges_of(check, wrong->node);
	struct fdt_entry better;

	if (!table || !reg || fdt_cells(reg) < na)
		return;
	better = table->entries[wrong->entry];
	better.parent = fdt_number(reg, flags, na - flags);
	advise(check, "%s", entry_words(check, wrong->node, &better).text);
}

static void report_claims(struct busway_check *check, const struct claim *a, const struct claim *b)
{
	/* the one that is not where its own registers are is the wrong one; else the later one */
	const bool a_is_wrong = leads_elsewhere(check, a->node) != leads_elsewhere(check, b->node)
					? leads_elsewhere(check, a->node)
					: a->node > b->node;
	const struct claim *wrong = a_is_wrong ? a : b, *right = a_is_wrong ? b : a;
	struct busway_range common = {0, 0};

	busway_range_common(a->range, b->range, &common);
	if (!is_mistake(check, wrong, right))
		return;
	report(check, BUSWAY_FINDING_WINDOW_OVERLAP, BUSWAY_SEVERITY_ERROR, wrong->node, "ranges",
	       wrong->entry,
	       "the window to " RANGE_FORMAT " is claimed by %s as well, in " RANGE_FORMAT "%s",
	       RANGE(wrong->range), path_of(check, right->node), RANGE(common),
	       leads_elsewhere(check, wrong->node) ? "; its own registers are not there" : "");
	about(check, common);
	if (leads_elsewhere(check, wrong->node))
		advise_own(check, wrong);
}

static bool contend(const struct claim *a, const struct claim *b)
{
	return a->parent == b->parent && a->class == b->class &&
	       busway_range_overlaps(a->range, b->range);
}

/* Each claim against the widest before it, and, as a wide bus may hide two others, the last. */
static void check_siblings(struct busway_check *check, const struct claim *claims, size_t count)
{
	size_t longest = 0;

	for (size_t i = 1; i < count; i++) {
		if (longest != i - 1 && contend(&claims[i], &claims[i - 1]) &&
		    claims[i].node != claims[i - 1].node)
			report_claims(check, &claims[i - 1], &claims[i]);
		if (!contend(&claims[i], &claims[longest]))
			longest = i;
		else if (claims[i].node != claims[longest].node)
			report_claims(check, &claims[longest], &claims[i]);
		if (claims[i].range.last > claims[longest].range.last)
			longest = i;
	}
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
	sort(claims.items, claims.count, sizeof(struct claim), claim_before);
	check_siblings(check, claims.items, claims.count);
}
