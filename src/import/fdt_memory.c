/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_memory.c - memory banks, and what of them is reserved for whom.
 *
 * Banks: children of the root with device_type "memory" (Linux drivers/of/fdt.c; a node that is
 * only named so is none). Reserved memory: Devicetree Specification 0.4, 3.5, and the bindings
 * of shared-dma-pool and restricted-dma-pool.
 */
#include "fdt_importer.h"

#include <libfdt.h>

/* ---- banks ---- */

static int add_bank(struct fdt_importer *importer, const char *name, uint64_t base, uint64_t size)
{
	struct busway_memory_bank bank = {.name = name};
	struct busway_region region = {
		.space = BUSWAY_CPU_SPACE,
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = name,
	};
	int status;

	if (!busway_range_clip(base, size, &bank.range))
		return 0; /* left for the boot loader to fill in */
	region.range = bank.range;
	status = busway_platform_add_bank(importer->platform, &bank);
	return status ? status : busway_platform_add_region(importer->platform, &region);
}

static int add_banks(struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_LINUX_USABLE_MEMORY);
	const uint32_t na = tree->nodes[0].address_cells, ns = tree->nodes[0].size_cells;
	const char *name = fdt_path(&importer->tree, node);
	int status = 0;

	if (!reg)
		reg = fdt_get(tree, node, FDT_REG);
	if (!name)
		return -BUSWAY_ENOMEM;
	if (!reg || !na || !ns)
		return 0;
	for (uint32_t at = 0; at + na + ns <= fdt_cells(reg) && !status; at += na + ns)
		status = add_bank(importer, name, fdt_number(reg, at, na),
				  fdt_number(reg, at + na, ns));
	return status;
}

/* ---- pools ---- */

static enum busway_pool_type pool_type(const struct fdt_tree *tree, uint32_t node)
{
	if (fdt_is_compatible(tree, node, "restricted-dma-pool"))
		return BUSWAY_POOL_RESTRICTED;
	if (fdt_is_compatible(tree, node, "shared-dma-pool"))
		return BUSWAY_POOL_SHARED;
	return BUSWAY_POOL_RESERVED;
}

/* Would the kernel take the pool for what it says it is? (kernel/dma/swiotlb.c, coherent.c) */
static bool flags_fit(const struct fdt_tree *tree, uint32_t node, enum busway_pool_type type)
{
	const bool no_map = fdt_has(tree, node, FDT_NO_MAP);
	const bool reusable = fdt_has(tree, node, FDT_REUSABLE);

	if (type == BUSWAY_POOL_RESTRICTED)
		return !no_map && !reusable && !fdt_has(tree, node, FDT_LINUX_CMA_DEFAULT) &&
		       !fdt_has(tree, node, FDT_LINUX_DMA_DEFAULT);
	return type != BUSWAY_POOL_SHARED || !(no_map && reusable); /* of no type: nobody asks */
}

static int add_carveout(struct fdt_importer *importer, const struct busway_pool *pool)
{
	const struct busway_region region = {
		.space = BUSWAY_CPU_SPACE,
		.range = pool->range,
		.kind = BUSWAY_REGION_CARVEOUT,
		.access = BUSWAY_READ_WRITE,
		.name = pool->name,
	};

	return busway_platform_add_region(importer->platform, &region);
}

static int add_pool(struct fdt_importer *importer, uint32_t node, const struct busway_pool *pool)
{
	uint32_t index;
	int status = busway_platform_add_pool(importer->platform, pool, &index);

	if (status)
		return status;
	if (importer->reserved_ignored)
		return 0; /* told, but nobody heeds it */
	if (importer->pool_index[node] == UINT32_MAX)
		importer->pool_index[node] = index;
	if (pool->no_map && pool->enabled && !pool->dynamic && !pool->empty)
		return add_carveout(importer, pool);
	return 0;
}

/* Linux wants alignment in #address-cells; the specification says #size-cells: take what is there
 */
static uint64_t whole_number(const struct fdt_prop *prop)
{
	const uint32_t cells = prop ? fdt_cells(prop) : 0;

	return cells ? fdt_number(prop, 0, cells) : 0;
}

static int add_dynamic(struct fdt_importer *importer, uint32_t node, struct busway_pool pool)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *ranges = fdt_get(tree, node, FDT_ALLOC_RANGES);
	const uint32_t na = tree->nodes[0].address_cells, ns = tree->nodes[0].size_cells;
	const uint32_t count = ranges && na && ns ? fdt_cells(ranges) / (na + ns) : 0;
	struct busway_range *made = KEEP(importer, struct busway_range, count);

	if (!made)
		return -BUSWAY_ENOMEM;
	pool.dynamic = true;
	pool.size = whole_number(fdt_get(tree, node, FDT_SIZE));
	pool.alignment = whole_number(fdt_get(tree, node, FDT_ALIGNMENT));
	pool.alloc_ranges = made;
	for (uint32_t i = 0; i < count; i++)
		if (busway_range_clip(fdt_number(ranges, i * (na + ns), na),
				      fdt_number(ranges, i * (na + ns) + na, ns),
				      &made[pool.alloc_range_count]))
			pool.alloc_range_count++;
	return add_pool(importer, node, &pool);
}

static int add_static(struct fdt_importer *importer, uint32_t node, struct busway_pool pool)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const uint32_t na = tree->nodes[0].address_cells, ns = tree->nodes[0].size_cells;
	const uint32_t width = na + ns;
	int status = 0;

	/* Linux skips the whole node where the length is wrong */
	if (!na || !ns || !fdt_cells(reg) || reg->length % (width * 4))
		return 0;
	for (uint32_t at = 0; at + width <= fdt_cells(reg) && !status; at += width) {
		const uint64_t base = fdt_number(reg, at, na);

		pool.empty = !busway_range_clip(base, fdt_number(reg, at + na, ns), &pool.range);
		if (pool.empty)
			pool.range = (struct busway_range){base, base};
		status = add_pool(importer, node, &pool);
	}
	return status;
}

static int add_reserved(struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_tree *tree = &importer->tree;
	const enum busway_pool_type type = pool_type(tree, node);
	struct busway_pool pool = {
		.name = fdt_path(&importer->tree, node),
		.type = type,
		.enabled = tree->nodes[node].enabled,
		.valid = flags_fit(tree, node, type) && !importer->reserved_ignored,
		.ignored = importer->reserved_ignored,
		.no_map = fdt_has(tree, node, FDT_NO_MAP),
		.reusable = fdt_has(tree, node, FDT_REUSABLE),
		.users = importer->memos[node].users,
		.user_count = importer->memos[node].user_count,
	};

	if (!pool.name)
		return -BUSWAY_ENOMEM;
	if (fdt_has(tree, node, FDT_REG))
		return add_static(importer, node, pool);
	return fdt_has(tree, node, FDT_SIZE) ? add_dynamic(importer, node, pool) : 0;
}

/* One more user of each region that @user names; one that it names twice has it once. */
static void count_users(struct fdt_importer *importer, uint32_t user, const char *name)
{
	const struct fdt_prop *regions = fdt_get(&importer->tree, user, FDT_MEMORY_REGION);

	for (uint32_t i = 0; regions && i < fdt_cells(regions); i++) {
		const uint32_t node = fdt_by_phandle(&importer->tree, fdt_cell(regions, i));
		struct fdt_memo *memo = &importer->memos[node == FDT_NONE ? 0 : node];

		if (node == FDT_NONE || (memo->user_count && memo->last_user == user))
			continue;
		memo->last_user = user;
		if (memo->users)
			memo->users[memo->user_count] = name;
		memo->user_count++;
	}
}

/* Who names which region, in document order: counted first, then filled in. */
static int find_users(struct fdt_importer *importer)
{
	const uint32_t count = importer->tree.node_count;

	for (uint32_t i = 0; i < count; i++)
		count_users(importer, i, NULL);
	for (uint32_t i = 0; i < count; i++) {
		struct fdt_memo *memo = &importer->memos[i];

		if (!memo->user_count)
			continue;
		memo->users = KEEP(importer, const char *, memo->user_count);
		if (!memo->users)
			return -BUSWAY_ENOMEM;
		memo->user_count = 0;
	}
	for (uint32_t i = 0; i < count; i++) {
		const char *name;

		if (!fdt_has(&importer->tree, i, FDT_MEMORY_REGION))
			continue;
		name = fdt_path(&importer->tree, i);
		if (!name)
			return -BUSWAY_ENOMEM;
		count_users(importer, i, name);
	}
	return 0;
}

/* Linux (__reserved_mem_check_root) ignores the node unless its cells are the root's. */
static bool is_heeded(const struct fdt_tree *tree, uint32_t node)
{
	const struct fdt_node *root = &tree->nodes[0], *n = &tree->nodes[node];

	return n->states_cells && n->address_cells == root->address_cells &&
	       n->size_cells == root->size_cells && fdt_has(tree, node, FDT_RANGES);
}

static int add_reserved_memory(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;
	const uint32_t top = fdt_child(tree, 0, "reserved-memory");
	int status;

	importer->reserved_memory = top;
	if (top == FDT_NONE)
		return 0;
	if (!is_heeded(tree, top)) {
		importer->reserved_ignored = true;
		if (!fdt_note(importer, &importer->notes, BUSWAY_NOTE_RESERVED_IGNORED, top,
			      FDT_RANGES, FDT_NONE))
			return -BUSWAY_ENOMEM;
	}
	status = find_users(importer);
	for (uint32_t i = top + 1; i < tree->nodes[top].end && !status; i = tree->nodes[i].end)
		status = add_reserved(importer, i);
	return status;
}

/* The header's reservations: independent of /reserved-memory. */
static int add_reservations(struct fdt_importer *importer)
{
	const void *blob = importer->tree.blob;
	const int count = fdt_num_mem_rsv(blob);
	int status = 0;

	for (int i = 0; i < count && !status; i++) {
		struct busway_range range;
		uint64_t address, size;

		if (fdt_get_mem_rsv(blob, i, &address, &size) == 0 &&
		    busway_range_clip(address, size, &range))
			status = busway_platform_add_reserved(importer->platform, range);
	}
	return status;
}

int fdt_add_memory(struct fdt_importer *importer)
{
	static const char *const unknown = "(memory not stated)";
	const struct fdt_tree *tree = &importer->tree;
	const struct busway_region all = {
		.space = BUSWAY_CPU_SPACE,
		.range = BUSWAY_RANGE_ALL,
		.kind = BUSWAY_REGION_UNKNOWN,
		.access = BUSWAY_READ_WRITE,
		.name = unknown,
	};
	int status = 0;

	for (uint32_t i = 1; i < tree->node_count && !status; i = tree->nodes[i].end)
		if (fdt_string_is(tree, i, FDT_DEVICE_TYPE, "memory") && tree->nodes[i].available)
			status = add_banks(importer, i);
	if (!status && !busway_platform_memory_known(importer->platform))
		status = busway_platform_add_region(importer->platform, &all);
	if (!status)
		status = add_reservations(importer);
	return status ? status : add_reserved_memory(importer);
}
