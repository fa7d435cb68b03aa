/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_host.c - PCI host bridges, endpoint controllers, and where registers are.
 *
 * Registers and outbound windows go up through ranges, by the parents in the tree: a missing
 * ranges cannot be crossed, an empty one is 1:1 (Devicetree Specification 0.4, 2.3.8).
 */
#include "fdt_importer.h"

#include <string.h>

/* ---- which nodes ---- */

static bool ends_with(const char *s, const char *end)
{
	const size_t length = strlen(s), end_length = strlen(end);

	return length >= end_length && strcmp(s + length - end_length, end) == 0;
}

static bool on_pci(const struct fdt_tree *tree, uint32_t node)
{
	return node != 0 && tree->nodes[tree->nodes[node].parent].bus == FDT_BUS_PCI;
}

static bool is_endpoint(const struct fdt_tree *tree, uint32_t node)
{
	const struct fdt_prop *compatible = fdt_get(tree, node, FDT_COMPATIBLE);
	const char *s = NULL;

	if (on_pci(tree, node))
		return false;
	if (fdt_name_is(tree, node, "pcie-ep") || fdt_name_is(tree, node, "pcie_ep"))
		return true;
	while (compatible && (s = fdt_next_string(compatible, s)))
		if (ends_with(s, "pcie-ep") || strstr(s, "pcie-ep-") || ends_with(s, "-pcie_ep"))
			return true;
	return false;
}

static bool is_host(const struct fdt_tree *tree, uint32_t node)
{
	if (tree->nodes[node].bus != FDT_BUS_PCI || node == 0 || on_pci(tree, node))
		return false;
	return fdt_has(tree, node, FDT_DEVICE_TYPE) || fdt_has(tree, node, FDT_RANGES) ||
	       fdt_has(tree, node, FDT_BUS_RANGE);
}

void fdt_find_hosts(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;

	for (uint32_t i = 0; i < tree->node_count; i++) {
		struct fdt_memo *memo = &importer->memos[i];
		const uint32_t parent = tree->nodes[i].parent;

		memo->is_endpoint = is_endpoint(tree, i);
		memo->is_host = is_host(tree, i) && !memo->is_endpoint;
		memo->host_above = i == 0 ? FDT_NONE
				   : importer->memos[parent].is_host
					   ? parent
					   : importer->memos[parent].host_above;
	}
}

bool fdt_is_endpoint(const struct fdt_importer *importer, uint32_t node)
{
	return importer->memos[node].is_endpoint;
}

bool fdt_is_host(const struct fdt_importer *importer, uint32_t node)
{
	return importer->memos[node].is_host;
}

bool fdt_is_on_pci(const struct fdt_importer *importer, uint32_t node, uint32_t *host)
{
	if (!on_pci(&importer->tree, node) || importer->memos[node].host_above == FDT_NONE)
		return false;
	*host = importer->memos[node].host_above;
	return true;
}

/* ---- registers ---- */

bool fdt_translate(struct fdt_importer *importer, uint32_t node, uint32_t class, uint64_t address,
		   busway_phys_t *phys)
{
	const struct fdt_tree *tree = &importer->tree;

	/* @address is on the bus of @node: each level's ranges lead to the bus of its parent */
	while (node != 0) {
		const uint32_t parent = tree->nodes[node].parent;
		const struct fdt_prop *ranges = fdt_get(tree, node, FDT_RANGES);
		const uint8_t above = tree->nodes[parent].bus;
		const struct fdt_entry *entry;
		const struct fdt_table *table;

		if (!ranges || !fdt_can_cross(tree->nodes[node].bus, &tree->nodes[node]))
			return false;
		if (ranges->length == 0) {
			class = fdt_class_up(tree->nodes[node].bus, above, class);
		} else {
			table = fdt_ranges(importer, node);
			if (!table || !fdt_table_translate(table, &class, &address, &entry))
				return false;
		}
		node = parent;
	}
	*phys = busway_phys(address);
	return fdt_can_cross(tree->nodes[0].bus, &tree->nodes[0]);
}

bool fdt_reg(struct fdt_importer *importer, uint32_t node, uint32_t index,
	     struct busway_phys_range *out)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const uint32_t parent = tree->nodes[node].parent;
	const struct fdt_node *bus = &tree->nodes[parent];
	const uint32_t na = bus->address_cells, ns = bus->size_cells;
	const uint32_t at = index * (na + ns), flags = fdt_flag_cells(bus->bus);
	struct busway_range range;
	busway_phys_t phys;

	if (!reg || na <= flags || !ns || at + na + ns > fdt_cells(reg) || node == 0)
		return false;
	if (!fdt_translate(importer, parent, fdt_class(bus->bus, flags ? fdt_cell(reg, at) : 0),
			   fdt_number(reg, at + flags, na - flags), &phys))
		return false;
	if (!busway_range_make(phys.raw, fdt_number(reg, at + na, ns), &range))
		return false;
	*out = busway_phys_range(range);
	return true;
}

/* ---- outbound windows ---- */

static bool take_outbound(struct fdt_importer *importer, uint32_t node, const struct fdt_entry *e,
			  struct busway_outbound *out)
{
	const uint32_t space = e->code >> 24 & 3;

	if (space == 0 || e->size == 0)
		return false; /* configuration space, or nothing */
	*out = (struct busway_outbound){
		.kind = space == 1   ? BUSWAY_OUTBOUND_IO
			: space == 2 ? BUSWAY_OUTBOUND_MEM32
				     : BUSWAY_OUTBOUND_MEM64,
		.prefetchable = e->code & 0x40000000,
	};
	busway_range_clip(e->child, e->size, &out->bus);
	out->has_cpu = fdt_translate(importer, importer->tree.nodes[node].parent, e->parent_class,
				     e->parent, &out->cpu);
	return true;
}

const struct fdt_host *fdt_host(struct fdt_importer *importer, uint32_t node)
{
	struct fdt_memo *memo = &importer->memos[node];
	const struct fdt_table *table;
	struct fdt_host *host;

	if (memo->host)
		return memo->host;
	host = KEEP(importer, struct fdt_host, 1);
	table = fdt_ranges(importer, node);
	if (!host || !table)
		return NULL;
	*host = (struct fdt_host){KEEP(importer, struct busway_outbound, table->count), 0};
	if (!host->outbound)
		return NULL;
	for (uint32_t i = 0; i < table->count; i++)
		if (take_outbound(importer, node, &table->entries[i],
				  &host->outbound[host->outbound_count]))
			host->outbound_count++;
	memo->host = host;
	return host;
}

static int add_aperture(struct fdt_importer *importer, const struct busway_outbound *out,
			busway_space_id space, const char *name, uint32_t entry,
			bool reachable_from_cpu)
{
	const struct busway_region region = {
		.space = space,
		.range = out->bus,
		.kind = BUSWAY_REGION_APERTURE,
		.access = BUSWAY_READ_WRITE,
		.name = name,
	};
	struct busway_window window = {
		.from = BUSWAY_CPU_SPACE,
		.to = space,
		.out = {out->bus.first},
		.access = BUSWAY_READ_WRITE,
		.name = name,
		.entry = entry,
	};
	int status = busway_platform_add_region(importer->platform, &region);

	if (status || !reachable_from_cpu)
		return status;
	busway_range_clip(out->cpu.raw, busway_range_span(out->bus) + 1, &window.in);
	if (busway_range_span(out->bus) == UINT64_MAX)
		window.in = (struct busway_range){out->cpu.raw, UINT64_MAX};
	return busway_platform_add_window(importer->platform, &window);
}

int fdt_host_add_apertures(struct fdt_importer *importer, uint32_t node, busway_space_id space,
			   bool reachable_from_cpu)
{
	const struct fdt_host *host = fdt_host(importer, node);
	const char *name = fdt_path(&importer->tree, node);
	int status = 0;

	if (!host || !name)
		return -BUSWAY_ENOMEM;
	for (uint32_t i = 0; i < host->outbound_count && !status; i++)
		if (host->outbound[i].has_cpu && host->outbound[i].kind != BUSWAY_OUTBOUND_IO)
			status = add_aperture(importer, &host->outbound[i], space, name, i,
					      reachable_from_cpu);
	return status;
}

/* ---- endpoint controllers ---- */

static uint32_t first_u32(const struct fdt_tree *tree, uint32_t node,
			  const enum fdt_property_id *ids, size_t count)
{
	uint32_t value;

	for (size_t i = 0; i < count; i++)
		if (fdt_get_u32(tree, node, ids[i], &value))
			return value;
	return UINT32_MAX;
}

/* One byte in the bindings (/bits/ 8), one cell in trees that got it wrong. */
static uint32_t max_functions(const struct fdt_tree *tree, uint32_t node)
{
	const struct fdt_prop *prop = fdt_get(tree, node, FDT_MAX_FUNCTIONS);

	if (!prop || !prop->length)
		return UINT32_MAX;
	return prop->length >= 4 ? fdt_cell(prop, 0) : prop->value[0];
}

int fdt_endpoint(struct fdt_importer *importer, uint32_t node, const struct busway_endpoint **out)
{
	/* the name of the outbound space: DesignWare, Cadence, Rockchip RK3399 */
	static const char *const names[] = {"addr_space", "mem", "mem-base"};
	static const enum fdt_property_id ob[] = {FDT_NUM_OB_WINDOWS, FDT_CDNS_REGIONS,
						  FDT_ROCKCHIP_REGIONS};
	static const enum fdt_property_id ib[] = {FDT_NUM_IB_WINDOWS};
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *reg_names = fdt_get(tree, node, FDT_REG_NAMES);
	struct busway_endpoint *endpoint = KEEP(importer, struct busway_endpoint, 1);

	if (!endpoint)
		return -BUSWAY_ENOMEM;
	*endpoint = (struct busway_endpoint){
		.ob_windows = first_u32(tree, node, ob, sizeof(ob) / sizeof(ob[0])),
		.ib_windows = first_u32(tree, node, ib, 1),
		.max_functions = max_functions(tree, node),
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && reg_names; i++) {
		const int index = fdt_string_index(reg_names, names[i]);

		if (index >= 0 && !endpoint->has_outbound)
			endpoint->has_outbound =
				fdt_reg(importer, node, (uint32_t)index, &endpoint->outbound);
	}
	*out = endpoint;
	return 0;
}
