/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * views.c - what the rules compare with: memory, registers, where windows lead, each other.
 */
#include "check_internal.h"

#include "../base/sort.h"

#include <string.h>

/* ---- memory and registers ---- */

static void add_range(struct busway_check *check, struct busway_intervals *set,
		      struct busway_range range)
{
	if (busway_intervals_add(set, range))
		give_up(check);
}

static void survey_memory(struct busway_check *check)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(check->platform, &count);
	const struct busway_pool *pools;

	for (size_t i = 0; i < count; i++)
		add_range(check, &check->banks, banks[i].range);
	for (size_t i = 0; i < count; i++)
		add_range(check, &check->ram, banks[i].range);
	pools = busway_platform_pools(check->platform, &count);
	for (size_t i = 0; i < count; i++) {
		if (!pools[i].enabled || pools[i].dynamic || pools[i].empty || pools[i].ignored)
			continue;
		add_range(check, &check->reserved, pools[i].range);
		if (pools[i].no_map && busway_intervals_remove(&check->ram, pools[i].range))
			give_up(check);
	}
}

/* Does the last byte of entry @i of reg come out where the first one says that it must? */
static bool ends_where_it_must(struct busway_check *check, uint32_t node, uint32_t i,
			       struct busway_range cpu)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const uint32_t parent = tree->nodes[node].parent;
	const struct fdt_node *bus = &tree->nodes[parent];
	const uint32_t flags = fdt_flag_cells(bus->bus), na = bus->address_cells;
	const uint32_t at = i * (na + bus->size_cells);
	const uint64_t first = fdt_number(reg, at + flags, na - flags);
	busway_phys_t last;

	return fdt_translate(&check->importer, parent,
			     fdt_class(bus->bus, flags ? fdt_cell(reg, at) : 0),
			     first + busway_range_span(cpu), &last) &&
	       last.raw == cpu.last;
}

static void survey_registers(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const struct fdt_node *bus = &tree->nodes[tree->nodes[node].parent];
	const uint32_t width = bus->address_cells + bus->size_cells;

	for (uint32_t i = 0; reg && width && i < fdt_cells(reg) / width && i < 64; i++) {
		struct check_register *entry;
		struct busway_phys_range range;

		if (!fdt_reg(&check->importer, node, i, &range) ||
		    !ends_where_it_must(check, node, i, busway_phys_raw(range)))
			continue;
		entry = vector_next(&check->importer.work, &check->registers, sizeof(*entry),
				    _Alignof(struct check_register));
		if (!entry) {
			give_up(check);
			return;
		}
		*entry = (struct check_register){busway_phys_raw(range), node, i};
		check->registers.count++;
		add_range(check, &check->register_bytes, entry->range);
	}
}

/* Has a node registers of a device, as the CPU sees them? */
static bool has_registers(const struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_node *n = &tree->nodes[node];

	return n->enabled && !n->bookkeeping && fdt_has(tree, node, FDT_REG) &&
	       tree->nodes[n->parent].bus != FDT_BUS_PCI &&
	       !fdt_inside(tree, node, check->importer.reserved_memory) &&
	       !fdt_string_is(tree, node, FDT_DEVICE_TYPE, "memory");
}

/* ---- names ---- */

static bool path_before(const void *left, const void *right)
{
	const struct check_path *a = left, *b = right;

	return (uintptr_t)a->path < (uintptr_t)b->path;
}

/* Names in the platform are the paths that the importer made: found by where they are. */
static void survey_paths(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	check->paths = arena_take(&check->importer.work, tree->node_count * sizeof(*check->paths),
				  _Alignof(struct check_path));
	if (!check->paths) {
		give_up(check);
		return;
	}
	for (uint32_t i = 0; i < tree->node_count; i++)
		if (tree->paths[i])
			check->paths[check->path_count++] = (struct check_path){tree->paths[i], i};
	sort(check->paths, check->path_count, sizeof(*check->paths), path_before);
}

uint32_t node_at(const struct busway_check *check, const char *path)
{
	size_t low = 0, high = check->path_count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if ((uintptr_t)check->paths[middle].path < (uintptr_t)path)
			low = middle + 1;
		else
			high = middle;
	}
	return low < check->path_count && check->paths[low].path == path ? check->paths[low].node
									 : 0;
}

void survey(struct busway_check *check)
{
	survey_paths(check);
	survey_memory(check);
	for (uint32_t i = 1; i < check->importer.tree.node_count && !check->status; i++)
		if (has_registers(check, i))
			survey_registers(check, i);
}

size_t first_register(const struct busway_check *check, uint32_t node)
{
	const struct check_register *registers = check->registers.items;
	size_t low = 0, high = check->registers.count;

	while (low < high) {
		const size_t middle = (low + high) / 2;

		if (registers[middle].node < node)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- views ---- */

static struct check_view *make_view(struct busway_check *check, busway_device_id id,
				    busway_space_id enters)
{
	struct check_view *view =
		arena_take(&check->importer.work, sizeof(*view), _Alignof(struct check_view));

	if (!view)
		return NULL;
	*view = (struct check_view){.enters = enters};
	busway_intervals_init(&view->cpu, check->memory);
	if (busway_windows_build(check->platform, id, check->memory, &view->windows,
				 &view->window_count))
		return NULL;
	check->views[enters.index] = view;
	for (size_t i = 0; i < view->window_count; i++) {
		const struct busway_piece *w = &view->windows[i];
		const struct busway_range cpu = {
			w->phys.raw, w->phys.raw + (w->dma.last.raw - w->dma.first.raw)};

		if (busway_intervals_add(&view->cpu, cpu))
			return NULL;
	}
	return view;
}

static bool make_room_for_views(struct busway_check *check)
{
	const size_t count = busway_platform_space_count(check->platform);

	if (check->views)
		return true;
	check->views = arena_take(&check->importer.work, count * sizeof(struct check_view *),
				  _Alignof(struct check_view *));
	for (size_t i = 0; check->views && i < count; i++)
		check->views[i] = NULL;
	return check->views != NULL;
}

const struct check_view *view_of(struct busway_check *check, const struct busway_device *device,
				 busway_device_id id)
{
	struct check_view *view;

	if (!make_room_for_views(check)) {
		give_up(check);
		return NULL;
	}
	if (check->views[device->dma.enters.index])
		return check->views[device->dma.enters.index];
	view = make_view(check, id, device->dma.enters);
	if (!view)
		give_up(check);
	return view;
}

const struct busway_device *device_of(const struct busway_check *check, uint32_t node,
				      busway_device_id *id)
{
	const struct fdt_memo *memo = &check->importer.memos[node];

	if (!memo->has_device)
		return NULL;
	*id = memo->device;
	return busway_platform_device(check->platform, memo->device);
}

/* ---- tables ---- */

const struct fdt_table *dma_table_of(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = fdt_dma_table(&check->importer, node);

	if (!table)
		give_up(check);
	return table;
}

const struct fdt_table *ranges_of(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = fdt_ranges(&check->importer, node);

	if (!table)
		give_up(check);
	return table;
}

/* ---- what overlaps ---- */

struct spot *take_spots(struct busway_check *check, size_t count)
{
	struct spot *spots =
		arena_take(&check->importer.work, count * sizeof(*spots), _Alignof(struct spot));

	if (!spots)
		give_up(check);
	return spots;
}

static bool spot_before(const void *left, const void *right)
{
	const struct spot *a = left, *b = right;

	if (a->group != b->group)
		return a->group < b->group;
	if (a->range.first != b->range.first)
		return a->range.first < b->range.first;
	return a->owner < b->owner;
}

static bool contend(const struct spot *a, const struct spot *b)
{
	return a->group == b->group && a->owner != b->owner &&
	       busway_range_overlaps(a->range, b->range);
}

void sweep_spots(struct busway_check *check, struct spot *spots, size_t count,
		 enum sweep_depth depth,
		 void (*tell)(struct busway_check *check, const void *of, const struct spot *a,
			      const struct spot *b),
		 const void *of)
{
	size_t furthest = 0; /* of this group, so far */

	sort(spots, count, sizeof(*spots), spot_before);
	for (size_t i = 1; i < count; i++) {
		const struct spot *a = &spots[furthest], *b = &spots[i];

		if (depth == SWEEP_PREVIOUS_TOO && furthest != i - 1 && contend(&spots[i - 1], b))
			tell(check, of, &spots[i - 1], b);
		if (contend(a, b))
			tell(check, of, a, b);
		if (a->group != b->group || b->range.last > a->range.last)
			furthest = i;
	}
}

/* ---- small questions ---- */

bool meets(const struct busway_intervals *set, struct busway_range range,
	   struct busway_range *common)
{
	const size_t i = busway_intervals_find(set, range.first);

	return i < set->count && busway_range_common(set->runs[i], range, common);
}

bool compatible_has(const struct busway_check *check, uint32_t node, const char *const *parts)
{
	const struct fdt_prop *prop = fdt_get(&check->importer.tree, node, FDT_COMPATIBLE);
	const char *s = prop ? (const char *)prop->value : NULL;
	const char *end = prop ? s + prop->length : NULL;

	while (s < end) {
		const char *nul = memchr(s, '\0', (size_t)(end - s));

		if (!nul)
			return false;
		for (const char *const *part = parts; *part; part++)
			if (strstr(s, *part))
				return true;
		s = nul + 1;
	}
	return false;
}

bool is_run_time_bus(const struct busway_check *check, uint32_t node)
{
	/* Marvell's mbus: the driver writes its ranges anew when it has assigned windows */
	static const char *const parts[] = {
		"marvell,armada370-mbus", "marvell,armada375-mbus", "marvell,armada380-mbus",
		"marvell,armadaxp-mbus",  "marvell,dove-mbus",      "marvell,kirkwood-mbus",
		"marvell,mv78xx0-mbus",   "marvell,orion5x-",       NULL,
	};
	const struct fdt_node *nodes = check->importer.tree.nodes;

	for (uint32_t at = node; at != 0; at = nodes[at].parent)
		if (compatible_has(check, at, parts))
			return true;
	return false;
}

bool passes_end(uint64_t base, uint64_t size, uint32_t cells)
{
	const uint64_t last = cells >= 2 ? UINT64_MAX : UINT32_MAX;

	return size && (base > last || size - 1 > last - base);
}
