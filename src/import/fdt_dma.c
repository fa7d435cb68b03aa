/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_dma.c - which dma-ranges is a device's, and what it and those above it make of addresses.
 *
 * The Devicetree Specification does not say what a missing dma-ranges means; the rules are those
 * of Linux 6.12 (drivers/of/address.c, drivers/of/device.c):
 *
 *   search       from the device's DMA parent upwards: a non-empty dma-ranges ends it; an empty one
 *                is passed; a missing one is passed at the first level only, later it ends the
 *                search with nothing, and the device has no limit.
 *   translation  from that table upwards, missing and empty are both 1:1; in a table the first
 *                entry that holds the address wins.
 *   end          an entry of size zero ends the table for the devices that found it; it does not
 *                for addresses that come up from tables below.
 *
 * Unlike Linux, what an upper level does not pass is not handed out, and a table of which nothing
 * translates does not mean "no limit". A 1:1 step keeps the PCI space code, as bridges do
 * (kernels before early 2025 cleared it).
 */
#include "fdt_importer.h"

bool fdt_note(struct fdt_importer *importer, const struct busway_note **list,
	      enum busway_note_code code, uint32_t node, enum fdt_property_id property,
	      uint32_t entry)
{
	struct busway_note *note = KEEP(importer, struct busway_note, 1);
	const char *path = fdt_path(&importer->tree, node);

	if (!note || !path)
		return false;
	*note = (struct busway_note){code, path, fdt_property_name(property), entry, *list};
	*list = note;
	return true;
}

/* ---- tables ---- */

bool fdt_has_dma_table(const struct fdt_tree *tree, uint32_t node)
{
	const struct fdt_prop *prop = fdt_get(tree, node, FDT_DMA_RANGES);

	return prop && prop->length > 0;
}

uint32_t fdt_next_level(const struct fdt_importer *importer, uint32_t node, uint32_t *class)
{
	const struct fdt_tree *tree = &importer->tree;

	while (node != 0 && !fdt_has_dma_table(tree, node) && !fdt_is_host(importer, node)) {
		const uint32_t above = fdt_dma_parent(importer, node);

		*class = fdt_class_up(tree->nodes[node].bus, tree->nodes[above].bus, *class);
		node = above;
	}
	return node;
}

/* ---- spaces ---- */

static int up_space(struct fdt_importer *importer, uint32_t node, uint32_t class,
		    busway_space_id *space);

/* The space that addresses on the bus of @node have above it: of the next level, or the CPU's. */
static int space_above(struct fdt_importer *importer, uint32_t node, uint32_t class,
		       busway_space_id *space)
{
	const uint32_t at = fdt_next_level(importer, node, &class);

	if (at == 0) {
		*space = BUSWAY_CPU_SPACE;
		return 0;
	}
	return up_space(importer, at, class, space);
}

static int new_space(struct fdt_importer *importer, uint32_t node, busway_space_id *space)
{
	const struct busway_space s = {
		.name = fdt_path(&importer->tree, node),
		.kind = fdt_is_host(importer, node) ? BUSWAY_SPACE_PCI : BUSWAY_SPACE_BUS,
	};

	return s.name ? busway_platform_add_space(importer->platform, &s, space) : -BUSWAY_ENOMEM;
}

/* What would come out beyond 2^64 leads nowhere, but no later entry gets it either. */
static int add_cut_off(struct fdt_importer *importer, const struct busway_window *kept,
		       uint64_t last)
{
	const struct busway_space nowhere = {.name = kept->name, .kind = BUSWAY_SPACE_BUS};
	struct busway_window window = *kept;
	int status = busway_platform_add_space(importer->platform, &nowhere, &window.to);

	window.in = (struct busway_range){kept->in.last + 1, last};
	window.out = busway_local(0);
	return status ? status : busway_platform_add_window(importer->platform, &window);
}

static int add_entry(struct fdt_importer *importer, const struct fdt_table *table, uint32_t i,
		     busway_space_id from)
{
	const struct fdt_entry *e = &table->entries[i];
	struct busway_window window = {
		.from = from,
		.out = {e->parent},
		.access = BUSWAY_READ_WRITE,
		.name = fdt_path(&importer->tree, table->node),
		.entry = i,
	};
	struct busway_range out, child;
	int status;

	if (!busway_range_clip(e->child, e->size, &window.in) ||
	    !busway_range_clip(e->parent, e->size, &out))
		return 0; /* of size zero: it forwards nothing */
	child = window.in;
	if (busway_range_span(out) < busway_range_span(window.in))
		window.in.last = window.in.first + busway_range_span(out);
	if (!window.name)
		return -BUSWAY_ENOMEM;
	status = space_above(importer, fdt_dma_parent(importer, table->node), e->parent_class,
			     &window.to);
	if (!status)
		status = busway_platform_add_window(importer->platform, &window);
	return status || window.in.last == child.last ? status
						      : add_cut_off(importer, &window, child.last);
}

/* Windows for the entries of @node's table; @class FDT_NONE takes those that its devices see. */
static int add_table(struct fdt_importer *importer, uint32_t node, uint32_t class,
		     busway_space_id space)
{
	const struct fdt_table *table = fdt_dma_table(importer, node);
	const bool direct = class == FDT_NONE;
	int status = 0;

	if (!table)
		return -BUSWAY_ENOMEM;
	if (!table->linux_count)
		busway_platform_mark_untranslatable(importer->platform, space);
	if (node == 0)
		return 0;
	for (uint32_t i = 0; direct && i < table->direct_count && !status; i++)
		status = add_entry(importer, table, i, space);
	for (uint32_t i = direct ? table->count : fdt_table_place(table, class);
	     i < table->count && !status; i++) {
		const uint32_t entry = table->order[i];

		if (table->entries[entry].child_class != class)
			break;
		status = add_entry(importer, table, entry, space);
	}
	return status;
}

/* Do addresses of @class from below see the same entries as the devices of this level? */
static bool same_for_all(const struct fdt_table *table, uint32_t class)
{
	return table->direct_count == table->count && table->one_class &&
	       (!table->count || table->entries[0].child_class == class);
}

/* The space of the devices that found the table of @node. */
static int direct_space(struct fdt_importer *importer, uint32_t node, busway_space_id *space)
{
	struct fdt_memo *memo = &importer->memos[node];
	int status = 0;

	if (!memo->has_direct_space) {
		status = new_space(importer, node, &memo->direct_space);
		if (!status)
			status = add_table(importer, node, FDT_NONE, memo->direct_space);
		memo->has_direct_space = status == 0;
	}
	*space = memo->direct_space;
	return status;
}

/* Everything of @space goes 1:1 to @to. */
static int add_identity(struct fdt_importer *importer, uint32_t node, busway_space_id space,
			busway_space_id to)
{
	const struct busway_window window = {
		.from = space,
		.to = to,
		.in = BUSWAY_RANGE_ALL,
		.access = BUSWAY_READ_WRITE,
		.name = fdt_path(&importer->tree, node),
		.entry = UINT32_MAX,
	};

	return window.name ? busway_platform_add_window(importer->platform, &window)
			   : -BUSWAY_ENOMEM;
}

/* A host bridge without a table passes what comes up from below on, whatever its functions get. */
static int pass_on(struct fdt_importer *importer, uint32_t host, uint32_t class,
		   busway_space_id space)
{
	const struct fdt_node *nodes = importer->tree.nodes;
	const uint32_t above = fdt_dma_parent(importer, host);
	busway_space_id to;
	const int status = space_above(importer, above,
				       fdt_class_up(nodes[host].bus, nodes[above].bus, class), &to);

	return status ? status : add_identity(importer, host, space, to);
}

static int host_space(struct fdt_importer *importer, uint32_t host, busway_space_id *space);

/* A space of its own for addresses of one class that come up from below. */
static int new_class_space(struct fdt_importer *importer, uint32_t node, uint32_t class,
			   busway_space_id *space)
{
	int status = new_space(importer, node, space);

	if (!status)
		status = fdt_has_dma_table(&importer->tree, node)
				 ? add_table(importer, node, class, *space)
				 : pass_on(importer, node, class, *space);
	if (!status && fdt_is_host(importer, node))
		status = fdt_host_add_apertures(importer, node, *space, false);
	return status;
}

/* The same, made once for each class; all classes that no entry has share one. */
static int class_space(struct fdt_importer *importer, uint32_t node, uint32_t class,
		       busway_space_id *space)
{
	struct fdt_memo *memo = &importer->memos[node];
	const bool has_table = fdt_has_dma_table(&importer->tree, node);
	const uint32_t place = has_table                  ? fdt_table_place(memo->table, class)
			       : class < FDT_CLASS_MEMORY ? class
							  : FDT_CLASS_MEMORY;
	busway_space_id *made = has_table ? memo->table->spaces : memo->pass_spaces;
	bool *is_made = has_table ? memo->table->space_made : memo->pass_space_made;
	int status = 0;

	if (!is_made[place])
		status = new_class_space(importer, node, class, &made[place]);
	if (!status) {
		is_made[place] = true;
		*space = made[place];
	}
	return status;
}

static int up_space(struct fdt_importer *importer, uint32_t node, uint32_t class,
		    busway_space_id *space)
{
	const struct fdt_table *table;

	if (!fdt_has_dma_table(&importer->tree, node))
		return class_space(importer, node, class, space);
	table = fdt_dma_table(importer, node);
	if (!table)
		return -BUSWAY_ENOMEM;
	if (!same_for_all(table, class))
		return class_space(importer, node, class, space);
	return fdt_is_host(importer, node) ? host_space(importer, node, space)
					   : direct_space(importer, node, space);
}

/* ---- the search ---- */

static void search(const struct fdt_importer *importer, uint32_t start, struct fdt_memo *memo)
{
	const struct fdt_tree *tree = &importer->tree;
	uint32_t node = start, above;
	bool past_first = false;

	memo->searched = true;
	memo->found = FDT_NONE;
	memo->hidden = FDT_NONE;
	for (;; node = above) {
		if (fdt_has_dma_table(tree, node)) {
			memo->found = node;
			return;
		}
		if (past_first && !fdt_has(tree, node, FDT_DMA_RANGES))
			break;
		past_first = true;
		above = fdt_dma_parent(importer, node);
		if (node == 0)
			return;
	}
	for (; node != 0; node = fdt_dma_parent(importer, node)) {
		if (fdt_has_dma_table(tree, node)) {
			memo->hidden = node;
			return;
		}
	}
}

static const struct fdt_memo *searched(struct fdt_importer *importer, uint32_t start)
{
	struct fdt_memo *memo = &importer->memos[start];

	if (!memo->searched)
		search(importer, start, memo);
	return memo;
}

/* The view of what enters where the search from @start leads. */
static int fill_view(struct fdt_importer *importer, uint32_t start, struct busway_dma_view *view)
{
	const struct fdt_memo *memo = searched(importer, start);
	const struct fdt_table *table;

	*view = (struct busway_dma_view){.enters = BUSWAY_CPU_SPACE};
	if (memo->found == FDT_NONE) {
		if (memo->hidden != FDT_NONE &&
		    !fdt_note(importer, &view->notes, BUSWAY_NOTE_HIDDEN_TABLE, memo->hidden,
			      FDT_DMA_RANGES, FDT_NONE))
			return -BUSWAY_ENOMEM;
		if (memo->hidden == FDT_NONE &&
		    !fdt_note(importer, &view->notes, BUSWAY_NOTE_NO_TABLE, start, FDT_DMA_RANGES,
			      FDT_NONE))
			return -BUSWAY_ENOMEM;
		return 0;
	}
	table = fdt_dma_table(importer, memo->found);
	view->source = fdt_path(&importer->tree, memo->found);
	if (!table || !view->source)
		return -BUSWAY_ENOMEM;
	view->restricted = true;
	view->has_bus_limit = table->has_limit;
	view->bus_limit = table->bus_limit;
	view->empty_table = table->is_empty;
	view->notes = table->notes;
	if (memo->found != start && !fdt_has(&importer->tree, start, FDT_DMA_RANGES) &&
	    !fdt_note(importer, &view->notes, BUSWAY_NOTE_FIRST_LEVEL, start, FDT_DMA_RANGES,
		      FDT_NONE))
		return -BUSWAY_ENOMEM;
	return direct_space(importer, memo->found, &view->enters);
}

const struct busway_dma_view *fdt_dma_view(struct fdt_importer *importer, uint32_t node)
{
	const uint32_t start = fdt_dma_parent(importer, node);
	const bool chosen = start != importer->tree.nodes[node].parent;
	struct fdt_memo *memo = &importer->memos[start];
	struct busway_dma_view *own;

	if (!memo->view) {
		struct busway_dma_view *view = KEEP(importer, struct busway_dma_view, 1);

		if (!view || fill_view(importer, start, view))
			return NULL;
		memo->view = view;
	}
	if (!chosen)
		return memo->view;
	own = KEEP(importer, struct busway_dma_view, 1);
	if (!own)
		return NULL;
	*own = *memo->view;
	return fdt_note(importer, &own->notes, BUSWAY_NOTE_DMA_PARENT, node, FDT_INTERCONNECT_NAMES,
			FDT_NONE)
		       ? own
		       : NULL;
}

/* ---- host bridges ---- */

/* The bus of a host bridge without a table of its own leads 1:1 to where the search leads. */
static int inherit(struct fdt_importer *importer, uint32_t host, busway_space_id space)
{
	const struct fdt_memo *memo = searched(importer, host);
	busway_space_id to = BUSWAY_CPU_SPACE;
	int status = 0;

	if (memo->found != FDT_NONE)
		status = direct_space(importer, memo->found, &to);
	return status ? status : add_identity(importer, host, space, to);
}

static int host_space(struct fdt_importer *importer, uint32_t host, busway_space_id *space)
{
	struct fdt_memo *memo = &importer->memos[host];
	int status;

	if (!memo->host_space_made) {
		if (fdt_has_dma_table(&importer->tree, host)) {
			status = direct_space(importer, host, &memo->host_space);
		} else {
			status = new_space(importer, host, &memo->host_space);
			if (!status)
				status = inherit(importer, host, memo->host_space);
		}
		if (!status)
			status = fdt_host_add_apertures(importer, host, memo->host_space,
							importer->tree.nodes[host].enabled);
		if (status)
			return status;
		memo->host_space_made = true;
	}
	*space = memo->host_space;
	return 0;
}

/* Do the bridge's apertures lie inside the inbound windows, its own or those it inherits? */
static bool note_collisions(struct fdt_importer *importer, uint32_t host,
			    const struct busway_note **notes)
{
	const uint32_t found = searched(importer, host)->found;
	const struct fdt_table *table;
	const struct fdt_host *h = fdt_host(importer, host);

	if (found == FDT_NONE)
		return true;
	table = fdt_dma_table(importer, found);
	if (!table || !h)
		return false;
	for (size_t i = 0; i < h->outbound_count; i++) {
		const struct busway_outbound *o = &h->outbound[i];
		uint32_t entry;

		if (!o->has_cpu || o->kind == BUSWAY_OUTBOUND_IO)
			continue;
		entry = fdt_owner_within(&table->by_device, 0, o->bus);
		if (entry != FDT_NONE &&
		    !fdt_note(importer, notes, BUSWAY_NOTE_COLLISION, found, FDT_DMA_RANGES, entry))
			return false;
	}
	return true;
}

const struct busway_dma_view *fdt_host_view(struct fdt_importer *importer, uint32_t host)
{
	struct fdt_memo *memo = &importer->memos[host];
	struct busway_dma_view *view;

	if (memo->host_view)
		return memo->host_view;
	view = KEEP(importer, struct busway_dma_view, 1);
	if (!view || fill_view(importer, host, view) ||
	    !note_collisions(importer, host, &view->notes) ||
	    host_space(importer, host, &view->enters))
		return NULL;
	memo->host_view = view;
	return view;
}
