/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_registers.c - registers and windows against the buses above them, and against memory.
 *
 *   child   reg 0x11c408 + 4              [##]
 *   bus     ranges 0 + 0x11c40a     [-------]          the last two bytes lead nowhere
 *
 * What translates nowhere cannot be reached by the CPU: the driver fails when it maps registers.
 */
#include "check_internal.h"

/* An access on its way up: to the bus of @node, at @address. */
struct climb {
	uint32_t node;
	uint32_t class;
	struct busway_range range;
};

enum step {
	STEP_ON,     /* one level up */
	STEP_TOP,    /* at the CPU */
	STEP_NO_WAY, /* the bus is not memory-mapped, or we cannot know */
	STEP_LOST,   /* no entry of ranges holds the first address */
	STEP_CUT,    /* the range leaves the entry, to where nothing follows it */
};

/* The entry of @table that holds @address, or NULL. */
static const struct fdt_entry *find_entry(const struct fdt_table *table, uint32_t class,
					  uint64_t address)
{
	uint64_t at = address;
	const struct fdt_entry *entry;

	return fdt_table_translate(table, &class, &at, &entry) ? entry : NULL;
}

static enum step step_up(struct busway_check *check, struct climb *climb,
			 const struct fdt_entry **used, uint64_t *last_passed)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *n = &tree->nodes[climb->node];
	const struct fdt_prop *ranges = fdt_get(tree, climb->node, FDT_RANGES);
	const struct fdt_table *table;
	const struct fdt_entry *entry;
	uint64_t last;

	if (climb->node == 0)
		return STEP_TOP;
	if (!ranges || is_run_time_bus(check, climb->node))
		return STEP_NO_WAY;
	*used = NULL;
	if (ranges->length == 0) {
		climb->class = fdt_class_up(n->bus, tree->nodes[n->parent].bus, climb->class);
		climb->node = n->parent;
		return STEP_ON;
	}
	table = ranges_of(check, climb->node);
	if (!table)
		give_up(check);
	if (!table || !table->sound)
		return STEP_NO_WAY;
	*used = entry = find_entry(table, climb->class, climb->range.first);
	if (!entry)
		return STEP_LOST;
	/* entries that continue each other are one window */
	for (last = entry->child + (entry->size - 1); last < climb->range.last;) {
		const struct fdt_entry *next = find_entry(table, climb->class, last + 1);

		if (!next || next->parent - next->child != entry->parent - entry->child) {
			*last_passed = last;
			return STEP_CUT;
		}
		last = next->child + (next->size - 1);
	}
	climb->range.first += entry->parent - entry->child;
	climb->range.last += entry->parent - entry->child;
	climb->class = entry->parent_class;
	climb->node = n->parent;
	return STEP_ON;
}

/* What is wrong on the way up: @child is whose reg or window it is, @what says which. */
static void report_lost(struct busway_check *check, const struct climb *climb, uint32_t child,
			const char *what, enum step step, uint64_t last_passed)
{
	const struct fdt_table *table = ranges_of(check, climb->node);

	if (step == STEP_CUT)
		/* Linux translates the first address only: the device works, by luck */
		report(check, BUSWAY_FINDING_CHILD_RANGE_OUTSIDE_PARENT, BUSWAY_SEVERITY_WARNING,
		       climb->node, "ranges", NO_ENTRY,
		       "%s of %s, " RANGE_FORMAT ", leaves its window behind 0x%" PRIx64, what,
		       path_of(check, child), RANGE(climb->range), last_passed);
	else
		report(check, BUSWAY_FINDING_CHILD_RANGE_OUTSIDE_PARENT, BUSWAY_SEVERITY_ERROR,
		       climb->node, "ranges", NO_ENTRY,
		       "%s of %s, " RANGE_FORMAT ", is in none of the %" PRIu32 " windows", what,
		       path_of(check, child), RANGE(climb->range), table ? table->count : 0);
}

/* How much larger must the window be? */
static void advise_lost(struct busway_check *check, const struct climb *climb, enum step step,
			const struct fdt_entry *used)
{
	struct fdt_entry better;

	if (step == STEP_CUT && used) {
		better = *used;
		better.size = climb->range.last - used->child + 1;
		advise(check, "the entry %s holds it",
		       entry_words(check, climb->node, &better).text);
	} else {
		advise(check, "an entry for " RANGE_FORMAT " is missing, or the address is wrong",
		       RANGE(climb->range));
	}
}

/* Was a window of @node told already? Of all that is behind it, the first is named. */
static bool was_told(const struct busway_check *check, uint32_t node, struct busway_range window)
{
	const struct check_found *found = check->found.items;

	/* what is behind one window stands together in the tree */
	for (size_t i = check->found.count; i-- > 0 && i + 8 > check->found.count;)
		if (found[i].node == node && found[i].finding.has_range &&
		    found[i].finding.range.first == window.first)
			return true;
	return false;
}

/*
 * Follow @climb to the CPU. @owner is the node that states the range, @what names it. A window of
 * a bus that lies outside the bus above as a whole is that window's mistake, not its user's.
 */
static void follow(struct busway_check *check, struct climb climb, uint32_t owner, const char *what)
{
	const struct fdt_entry *used = NULL, *below = NULL;
	uint64_t last_passed = 0;
	uint32_t from = owner;

	if (check->status)
		return;
	for (;;) {
		const uint32_t level = climb.node;
		const struct climb here = climb;
		const enum step step = step_up(check, &climb, &used, &last_passed);

		if (step == STEP_TOP || step == STEP_NO_WAY || check->status)
			return;
		if (step == STEP_ON) {
			below = used;
			from = used ? level : from;
			continue;
		}
		if (from != owner && below && step == STEP_LOST) {
			/* the window of @from that was used leads out of this bus */
			const struct busway_range window = {below->parent,
							    below->parent + (below->size - 1)};

			if (was_told(check, from, window))
				return;
			report(check, BUSWAY_FINDING_CHILD_RANGE_OUTSIDE_PARENT,
			       BUSWAY_SEVERITY_ERROR, from, "ranges", NO_ENTRY,
			       "the window to " RANGE_FORMAT " leads %s of %s to 0x%" PRIx64
			       ", which is in no window of %s",
			       RANGE(window), what, path_of(check, owner), here.range.first,
			       path_of(check, level));
			about(check, window);
			return;
		}
		report_lost(check, &here, owner, what, step, last_passed);
		advise_lost(check, &here, step, used);
		return;
	}
}

static void check_reg(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const uint32_t parent = tree->nodes[node].parent;
	const struct fdt_node *bus = &tree->nodes[parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells,
		       ns = bus->size_cells;

	if (!reg || na <= flags || !ns || bus->bus == FDT_BUS_PCI)
		return;
	for (uint32_t at = 0; at + na + ns <= fdt_cells(reg); at += na + ns) {
		/* BCM2712's MIP: its second entry is the PCI address that takes messages */
		const bool is_message = at && fdt_is_compatible(tree, node, "brcm,bcm2712-mip");
		struct climb climb = {
			.node = parent,
			.class = fdt_class(bus->bus, flags ? fdt_cell(reg, at) : 0),
		};

		if (!is_message && busway_range_make(fdt_number(reg, at + flags, na - flags),
						     fdt_number(reg, at + na, ns), &climb.range))
			follow(check, climb, node, "reg");
	}
}

/* The apertures of a host bridge are used as a whole. */
static void check_apertures(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = ranges_of(check, node);

	if (!table) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < table->count; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct climb climb = {
			.node = check->importer.tree.nodes[node].parent,
			.class = e->parent_class,
		};

		if (e->child_class == 0 || !busway_range_make(e->parent, e->size, &climb.range))
			continue;
		follow(check, climb, node, "an outbound window");
	}
}

/* ---- memory over registers ---- */

/* Things whose reg is memory on purpose. */
static bool lives_in_memory(const struct busway_check *check, uint32_t node,
			    struct busway_range range)
{
	static const char *const parts[] = {
		"simple-framebuffer",
		"ramoops",
		"smem",
		"shmem",
		"sram",
		"rmtfs",
		"scratch",
		"cmd-db",
		"pmem",
		"mem-region",
		"mailbox-mem",
		"memory",
		NULL,
	};
	const struct fdt_tree *tree = &check->importer.tree;

	/* an offset into the parent's registers, written as an address (mrvl,mmp2-mux-intc) */
	if (range.last < 0x1000)
		return true;
	return compatible_has(check, node, parts) ||
	       fdt_string_is(tree, node, FDT_DEVICE_TYPE, "cpu") ||
	       fdt_name_is(tree, tree->nodes[node].parent, "chosen") ||
	       fdt_name_is(tree, tree->nodes[node].parent, "firmware") ||
	       !fdt_has(tree, node, FDT_COMPATIBLE);
}

/* One finding for a bank: which registers it covers first, and of how many devices. */
static void report_bank(struct busway_check *check, const struct busway_memory_bank *bank)
{
	const struct check_register *registers = check->registers.items, *first = NULL;
	struct busway_range common;
	size_t count = 0;

	for (size_t i = 0; i < check->registers.count; i++) {
		const struct check_register *r = &registers[i];

		if (!busway_range_overlaps(r->range, bank->range) ||
		    !meets(&check->ram, r->range, &common) ||
		    meets(&check->reserved, r->range, &common) ||
		    lives_in_memory(check, r->node, r->range))
			continue;
		count++;
		if (!first || r->range.first < first->range.first)
			first = r;
	}
	if (!first)
		return;
	report(check, BUSWAY_FINDING_MEMORY_OVERLAPS_MMIO, BUSWAY_SEVERITY_ERROR,
	       node_at(check, bank->name), "reg", NO_ENTRY,
	       "bank " RANGE_FORMAT " covers the registers of %s, " RANGE_FORMAT
	       " (0x%zx such register blocks)",
	       RANGE(bank->range), path_of(check, first->node), RANGE(first->range), count);
	about(check, first->range);
	if (first->range.first > bank->range.first)
		advise(check, "end the bank before 0x%" PRIx64 ": size <%s>", first->range.first,
		       cell_words(first->range.first - bank->range.first,
				  check->importer.tree.nodes[0].size_cells)
			       .text);
}

static void check_memory(struct busway_check *check)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(check->platform, &count);

	for (size_t i = 0; i < count && i < 256 && !check->status; i++)
		report_bank(check, &banks[i]);
}

void rule_registers(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t i = 1; i < tree->node_count && !check->status; i++) {
		if (!tree->nodes[i].enabled || tree->nodes[i].bookkeeping ||
		    fdt_inside(tree, i, check->importer.reserved_memory))
			continue;
		check_reg(check, i);
		if (fdt_is_host(&check->importer, i))
			check_apertures(check, i);
	}
	check_memory(check);
}
