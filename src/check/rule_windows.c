/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_windows.c - dma-ranges as a whole: what it leaves out, what hides in it, where it is
 * missing.
 *
 * A table is judged as one: which memory do all its windows together, through all levels above,
 * lead to? A table that is too small and a bus that is limited look alike, so this warns and
 * names the memory. Behind an IOMMU the windows limit IOVAs, not memory.
 */
#include "check_internal.h"

#include <stdio.h>

/* ---- who uses which table ---- */

/* A table, and the enabled masters without IOMMU that found it. */
struct use {
	uint32_t node;
	uint32_t users;
	uint32_t first_user;
	bool certain; /* they are likely masters */
	busway_device_id device;
	const struct busway_device *any;
};

/* The uses of tables, in a map from node to use. */
struct uses {
	struct use *of; /* for each node */
};

static bool counts(const struct busway_device *d)
{
	return d->enabled && d->likely_master && !d->behind_iommu &&
	       d->kind != BUSWAY_DEVICE_PCI_FUNCTION && d->kind != BUSWAY_DEVICE_IOMMU;
}

/* Could it be a master, though nothing says so? Whoever wrote a table for it thinks so. */
static bool may_count(const struct busway_check *check, uint32_t node,
		      const struct busway_device *d)
{
	const struct fdt_tree *tree = &check->importer.tree;

	return d->enabled && !d->likely_master && !d->behind_iommu &&
	       d->kind == BUSWAY_DEVICE_PLATFORM && fdt_has(tree, node, FDT_COMPATIBLE) &&
	       fdt_has(tree, node, FDT_REG) && !fdt_has(tree, node, FDT_RANGES) &&
	       fdt_has(tree, tree->nodes[node].parent, FDT_RANGES);
}

static void take_use(struct busway_check *check, struct uses *uses, uint32_t user,
		     const struct busway_device *d, busway_device_id id)
{
	struct use *use;

	if (!d->dma.source || !d->dma.restricted)
		return;
	use = &uses->of[node_at(check, d->dma.source)];
	if (use->users++ == 0) {
		use->first_user = user;
		use->device = id;
		use->any = d;
		use->certain = d->likely_master;
	}
}

/* Tables that no likely master uses: take whoever is below. */
static void collect_doubtful(struct busway_check *check, struct uses *uses)
{
	for (uint32_t i = 1; i < check->importer.tree.node_count; i++) {
		busway_device_id id;
		const struct busway_device *d = device_of(check, i, &id);

		if (d && may_count(check, i, d) && d->dma.source &&
		    !uses->of[node_at(check, d->dma.source)].certain)
			take_use(check, uses, i, d, id);
	}
}

static void collect_uses(struct busway_check *check, struct uses *uses)
{
	const struct fdt_tree *tree = &check->importer.tree;

	uses->of = arena_take(&check->importer.work, tree->node_count * sizeof(*uses->of),
			      _Alignof(struct use));
	if (!uses->of) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < tree->node_count; i++)
		uses->of[i] = (struct use){.node = i};
	for (uint32_t i = 1; i < tree->node_count; i++) {
		busway_device_id id;
		const struct busway_device *d = device_of(check, i, &id);

		if (d && counts(d))
			take_use(check, uses, i, d, id);
	}
	collect_doubtful(check, uses);
}

/* ---- memory that a table leaves out ---- */

static void advise_entry(struct busway_check *check, uint32_t node, struct busway_range missing,
			 const struct check_view *view)
{
	const size_t i = busway_intervals_find(&check->banks, missing.first);
	struct busway_range rest = missing, common;
	struct words entry;

	/* the bank, carve-outs and all, or what is behind the last window in it */
	if (i < check->banks.count)
		rest = check->banks.runs[i];
	if (meets(&view->cpu, rest, &common))
		rest.first = missing.first;
	if (meets(&view->cpu, rest, &common))
		rest = missing;
	entry = entry_for(check, dma_table_of(check, node), rest);

	if (entry.text[0])
		advise(check,
		       "if the bus can reach it, add the entry %s; if not, buffers there must be "
		       "bounced",
		       entry.text);
	else
		advise(check, "buffers there must be bounced, or the bus described anew");
}

static void name_users(struct busway_check *check, const struct use *use, char *text, size_t size)
{
	if (use->users > 1)
		snprintf(text, size, "%s and %" PRIu32 " more", path_of(check, use->first_user),
			 use->users - 1);
	else
		snprintf(text, size, "%s", path_of(check, use->first_user));
}

static void check_reach(struct busway_check *check, const struct use *use)
{
	const struct check_view *view = view_of(check, use->any, use->device);
	struct busway_intervals missed, reserved;
	char users[320];

	if (!view || !check->ram.count)
		return;
	busway_intervals_init(&missed, check->memory);
	busway_intervals_init(&reserved, check->memory);
	if (busway_intervals_add(&missed, BUSWAY_RANGE_ALL) ||
	    busway_intervals_intersect(&missed, &check->ram) ||
	    busway_intervals_subtract(&missed, &view->cpu) ||
	    busway_intervals_add(&reserved, BUSWAY_RANGE_ALL) ||
	    busway_intervals_intersect(&reserved, &check->reserved) ||
	    busway_intervals_intersect(&reserved, &view->cpu))
		give_up(check);
	name_users(check, use, users, sizeof(users));
	if (!check->status && missed.count) {
		struct busway_intervals all = check->ram;
		uint64_t bytes_missed, bytes;
		const bool none = busway_intervals_bytes(&missed, &bytes_missed) &&
				  busway_intervals_bytes(&all, &bytes) && bytes == bytes_missed;

		if (none)
			report(check, BUSWAY_FINDING_WINDOW_WITHOUT_MEMORY,
			       reserved.count ? BUSWAY_SEVERITY_NOTE : BUSWAY_SEVERITY_WARNING,
			       use->node, "dma-ranges", NO_ENTRY,
			       "no window leads to memory (%s), they lead to %s: %s reaches %s",
			       set_words(&missed).text,
			       view->cpu.count ? set_words(&view->cpu).text : "nothing", users,
			       reserved.count ? "static reserved memory only" : "none of it");
		else
			report(check, BUSWAY_FINDING_MEMORY_UNREACHABLE, BUSWAY_SEVERITY_WARNING,
			       use->node, "dma-ranges", NO_ENTRY,
			       "memory %s (%s) is in no window: %s cannot reach it",
			       set_words(&missed).text, size_words(bytes_missed).text, users);
		about(check, missed.runs[0]);
		advise_entry(check, use->node, missed.runs[0], view);
	}
	busway_intervals_clear(&missed);
	busway_intervals_clear(&reserved);
}

/* ---- 32-bit functions ---- */

static void check_low_windows(struct busway_check *check, uint32_t host)
{
	busway_device_id id;
	const struct busway_device *d = device_of(check, host, &id);
	const struct check_view *view;

	if (!d || !d->enabled || !d->dma.restricted || d->behind_iommu)
		return;
	view = view_of(check, d, id);
	if (!view || !view->window_count || view->windows[0].dma.first.raw <= UINT32_MAX)
		return;
	report(check, BUSWAY_FINDING_NO_WINDOW_IN_DEVICE_REACH, BUSWAY_SEVERITY_NOTE,
	       node_at(check, d->dma.source), "dma-ranges", NO_ENTRY,
	       "the first window begins at 0x%" PRIx64
	       ": functions below %s that emit 32-bit addresses reach no memory",
	       view->windows[0].dma.first.raw, path_of(check, host));
}

/* ---- entries ---- */

/*
 * Where does the start of an entry come out at the CPU, through the dma-ranges above? @left: how
 * many bytes of it each level passes at most.
 */
static bool climb(struct busway_check *check, uint32_t node, const struct fdt_entry *e,
		  uint64_t *cpu, uint64_t *left)
{
	uint32_t class = e->parent_class;
	uint64_t address = e->parent;
	uint32_t at = fdt_dma_parent(&check->importer, node);

	*left = e->size;
	while ((at = fdt_next_level(&check->importer, at, &class)) != 0) {
		const uint32_t above = fdt_dma_parent(&check->importer, at);
		const struct fdt_entry *upper;

		if (fdt_has_dma_table(&check->importer.tree, at)) {
			const struct fdt_table *table = dma_table_of(check, at);

			if (!table || !fdt_table_translate(table, &class, &address, &upper))
				return false;
			if (*left > upper->size - (address - upper->parent))
				*left = upper->size - (address - upper->parent);
		} else {
			class = fdt_class_up(check->importer.tree.nodes[at].bus,
					     check->importer.tree.nodes[above].bus, class);
		}
		at = above;
	}
	*cpu = address;
	return true;
}

static bool start_of(struct busway_check *check, uint32_t node, const struct fdt_entry *e,
		     uint64_t *cpu)
{
	uint64_t left;

	return climb(check, node, e, cpu, &left);
}

static uint64_t passed_above(struct busway_check *check, uint32_t node, const struct fdt_entry *e)
{
	uint64_t cpu, left;

	return climb(check, node, e, &cpu, &left) ? left : 0;
}

/* Entries behind one of size zero: Linux ends there. */
static void check_zero_size(struct busway_check *check, const struct fdt_table *table)
{
	uint32_t hidden = 0, first = 0;
	bool memory = false;

	if (table->direct_count >= table->count)
		return;
	for (uint32_t i = table->direct_count + 1; i < table->count; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct busway_range range, common;
		uint64_t cpu;

		if (!e->size)
			continue;
		if (hidden++ == 0)
			first = i;
		memory |= start_of(check, table->node, e, &cpu) &&
			  busway_range_clip(cpu, e->size, &range) &&
			  meets(&check->ram, range, &common);
	}
	if (!hidden)
		return;
	report(check, BUSWAY_FINDING_ZERO_SIZE_ENTRY,
	       if_enabled(check, table->node,
			  memory ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_WARNING),
	       table->node, "dma-ranges", table->direct_count,
	       "entry %" PRIu32 ", at 0x%" PRIx64 ", has size 0x0: Linux ends the table there, and "
	       "what follows does not count%s, from entry %" PRIu32 " (0x%" PRIx64 " to 0x%" PRIx64
	       " with size 0x%" PRIx64 ") on",
	       table->direct_count, table->entries[table->direct_count].child,
	       memory ? " though it leads to memory" : "", first, table->entries[first].child,
	       table->entries[first].parent, table->entries[first].size);
	advise(check, "remove the entry, or move it to the end");
}

static void check_notes(struct busway_check *check, const struct fdt_table *table)
{
	for (const struct busway_note *note = table->notes; note; note = note->next) {
		const struct fdt_entry *e =
			note->entry < table->count ? &table->entries[note->entry] : NULL;

		if (!e)
			continue;
		if (note->code == BUSWAY_NOTE_DROPPED)
			report(check, BUSWAY_FINDING_WINDOW_UNTRANSLATABLE,
			       if_enabled(check, table->node, BUSWAY_SEVERITY_ERROR), table->node,
			       "dma-ranges", note->entry,
			       "entry %" PRIu32 " leads to 0x%" PRIx64
			       ", which no level above passes: %s",
			       note->entry, e->parent,
			       table->linux_count ? "Linux drops it"
						  : "Linux drops it and, as nothing is left, sets "
						    "no limit at all");
		if (note->code == BUSWAY_NOTE_CLIPPED)
			report(check, BUSWAY_FINDING_CHILD_RANGE_OUTSIDE_PARENT,
			       if_enabled(check, table->node, BUSWAY_SEVERITY_WARNING), table->node,
			       "dma-ranges", note->entry,
			       "entry %" PRIu32 " leads to 0x%" PRIx64 " with size 0x%" PRIx64
			       ", of which the levels above pass 0x%" PRIx64
			       " at most; Linux does not look",
			       note->entry, e->parent, e->size,
			       passed_above(check, table->node, e));
	}
}

static void check_table(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = dma_table_of(check, node);

	if (!table) {
		give_up(check);
		return;
	}
	check_zero_size(check, table);
	check_notes(check, table);
}

/* ---- buses without dma-ranges below a table ---- */

/* Is all memory reached 1:1 through @table? Then a missing level changes nothing. */
static bool passes_memory_unchanged(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = dma_table_of(check, node);
	struct busway_intervals left;
	bool unchanged;

	if (!table) {
		give_up(check);
		return true;
	}
	busway_intervals_init(&left, check->memory);
	if (busway_intervals_add(&left, BUSWAY_RANGE_ALL) ||
	    busway_intervals_intersect(&left, &check->ram))
		give_up(check);
	for (uint32_t i = 0; i < table->direct_count && !check->status; i++) {
		const struct fdt_entry *e = &table->entries[i];
		struct busway_range range;
		uint64_t cpu;

		if (start_of(check, node, e, &cpu) && cpu == e->child &&
		    busway_range_clip(cpu, e->size, &range) &&
		    busway_intervals_remove(&left, range))
			give_up(check);
	}
	unchanged = left.count == 0;
	busway_intervals_clear(&left);
	return unchanged;
}

/* A bus on the way from a master to a table, without dma-ranges of its own. */
struct gap {
	uint32_t bus, table;
	bool lost; /* Linux does not find the table */
};

static bool find_gap(struct busway_check *check, uint32_t node, struct gap *gap)
{
	const struct fdt_tree *tree = &check->importer.tree;
	uint32_t at = fdt_dma_parent(&check->importer, node);
	uint32_t missing[2] = {FDT_NONE, FDT_NONE};
	unsigned count = 0;

	for (bool first = true; at != 0 && !fdt_has_dma_table(tree, at); first = false) {
		if (!fdt_has(tree, at, FDT_DMA_RANGES)) {
			if (count < 2)
				missing[count] = at;
			count++;
			if (!first)
				gap->lost = true;
		}
		at = fdt_dma_parent(&check->importer, at);
	}
	if (at == 0 || !count)
		return false;
	/* the one that ends Linux's search is the one to mend */
	gap->bus = gap->lost && missing[0] == fdt_dma_parent(&check->importer, node) ? missing[1]
										     : missing[0];
	gap->table = at;
	return gap->bus != FDT_NONE;
}

/* Does DMA of things below a bus that is not memory-mapped go through it? */
static bool is_virtual_bus(const struct busway_check *check, uint32_t node)
{
	static const char *const parts[] = {"simple-bus", "simple-mfd", NULL};
	const struct fdt_tree *tree = &check->importer.tree;

	return !fdt_has(tree, node, FDT_RANGES) && tree->nodes[node].states_cells &&
	       tree->nodes[node].size_cells > 0 && compatible_has(check, node, parts);
}

/* Old trees name nodes as they like (dwc3@..., gmac@...): what is it compatible with? */
static bool sounds_like_a_master(const struct busway_check *check, uint32_t node)
{
	static const char *const yes[] = {"dwc3", "usb",  "dwmac",  "gmac", "emac", "ethernet",
					  "dma",  "sdhc", "mmc",    "ahci", "sata", "ufs",
					  "mali", "vpu",  "crypto", NULL};
	static const char *const no[] = {"phy", "clk", "clock", "reset", "mdio", "syscon", NULL};

	return compatible_has(check, node, yes) && !compatible_has(check, node, no);
}

/* Is @node a master on a bus through which DMA goes? (Ports of USB or SDIO are no such buses.) */
static bool is_master(const struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t bus = tree->nodes[node].parent;
	busway_device_id id;
	const struct busway_device *d = device_of(check, node, &id);

	if (d && fdt_has(tree, bus, FDT_RANGES) &&
	    (counts(d) || (may_count(check, node, d) && sounds_like_a_master(check, node))))
		return true;
	return tree->nodes[node].enabled && fdt_has(tree, node, FDT_COMPATIBLE) &&
	       is_virtual_bus(check, bus);
}

/* The first entries of a table: "0x0 to 0x80000000 with size 0x40000000, ..." */
static struct words table_words(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = dma_table_of(check, node);
	struct words words = {""};
	size_t used = 0;

	for (uint32_t i = 0; table && i < table->count && i < 2; i++)
		used += (size_t)snprintf(words.text + used, sizeof(words.text) - used,
					 "%s0x%" PRIx64 " to 0x%" PRIx64 " with size 0x%" PRIx64,
					 i ? ", " : "", table->entries[i].child,
					 table->entries[i].parent, table->entries[i].size);
	if (table && table->count > 2)
		snprintf(words.text + used, sizeof(words.text) - used, " and more");
	return words;
}

static void check_gap(struct busway_check *check, uint32_t node, bool *told)
{
	struct gap gap = {0};
	bool differs;

	if (!is_master(check, node) || !find_gap(check, node, &gap) || told[gap.bus])
		return;
	differs = check->ram.count && !passes_memory_unchanged(check, gap.table);
	if (!differs && !gap.lost)
		return;
	told[gap.bus] = true;
	report(check, BUSWAY_FINDING_MISSING_DMA_RANGES,
	       differs ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_NOTE, gap.bus, "dma-ranges",
	       NO_ENTRY, "the bus has no dma-ranges, %s above it has one (%s): %s for %s%s",
	       path_of(check, gap.table), table_words(check, gap.table).text,
	       gap.lost ? "two levels without it lie between and Linux applies none"
			: "Linux applies that one, other readers none",
	       path_of(check, node),
	       differs ? ", and 1:1 or inherited gives different memory" : "");
	advise(check, "dma-ranges;");
}

static void check_gaps(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	bool *told = arena_take(&check->importer.work, tree->node_count * sizeof(*told), 1);

	if (!told) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < tree->node_count; i++)
		told[i] = false;
	for (uint32_t i = 1; i < tree->node_count && !check->status; i++)
		if (!fdt_is_host(&check->importer, i) &&
		    tree->nodes[tree->nodes[i].parent].bus != FDT_BUS_PCI &&
		    !tree->nodes[i].bookkeeping)
			check_gap(check, i, told);
}

void rule_windows(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;
	struct uses uses = {NULL};

	for (uint32_t i = 0; i < tree->node_count && !check->status; i++) {
		if (fdt_has_dma_table(tree, i))
			check_table(check, i);
		if (fdt_is_host(&check->importer, i))
			check_low_windows(check, i);
	}
	if (!check->status)
		collect_uses(check, &uses);
	for (uint32_t i = 0; i < tree->node_count && !check->status; i++)
		if (uses.of[i].users)
			check_reach(check, &uses.of[i]);
	if (!check->status)
		check_gaps(check);
}
