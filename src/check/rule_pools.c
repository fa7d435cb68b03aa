/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_pools.c - reserved memory: against memory, against its users' windows, against itself.
 *
 * Pools outside the stated memory are legal (on-chip SRAM, memory that firmware keeps): only what
 * the kernel is to use as memory must be memory.
 */
#include "check_internal.h"

#include <stdio.h>

/* Does anybody heed this pool? Not where it is disabled, or /reserved-memory is ignored. */
static bool is_heeded(const struct busway_pool *pool)
{
	return pool->enabled && !pool->ignored;
}

/* ---- against each other ---- */

/* The lowest multiple of 1 MiB from which on the pool lies in free memory, wherever it is now. */
static void advise_place(struct busway_check *check, const struct busway_pool *pool)
{
	const uint64_t align = 0x100000;
	struct busway_intervals place;
	uint64_t base;

	busway_intervals_init(&place, check->memory);
	if (busway_intervals_add(&place, BUSWAY_RANGE_ALL) ||
	    busway_intervals_intersect(&place, &check->ram) ||
	    busway_intervals_subtract(&place, &check->reserved))
		give_up(check);
	for (size_t i = 0; i < place.count && !check->status; i++) {
		const struct busway_range run = place.runs[i];

		if (!busway_align_up(run.first, align, &base) || base > run.last ||
		    run.last - base < busway_range_span(pool->range))
			continue;
		advise(check, "if it may be moved: 0x%" PRIx64 " is free", base);
		break;
	}
	busway_intervals_clear(&place);
}

static void report_overlap(struct busway_check *check, const void *of, const struct spot *a,
			   const struct spot *b)
{
	enum { ADVISED = 16 }; /* each costs a walk over free memory */
	const struct busway_pool *pools = of;
	const struct busway_pool *first = &pools[a->owner < b->owner ? a->owner : b->owner];
	const struct busway_pool *second = &pools[a->owner < b->owner ? b->owner : a->owner];
	struct busway_range common = {0, 0};

	busway_range_common(first->range, second->range, &common);
	report(check, BUSWAY_FINDING_POOL_OVERLAP, BUSWAY_SEVERITY_ERROR,
	       node_at(check, second->name), "reg", NO_ENTRY,
	       RANGE_FORMAT " overlaps %s, " RANGE_FORMAT ", in " RANGE_FORMAT,
	       RANGE(second->range), first->name, RANGE(first->range), RANGE(common));
	about(check, common);
	if (check->pool_overlaps++ < ADVISED)
		advise_place(check, second);
}

static void check_overlaps(struct busway_check *check, const struct busway_pool *pools,
			   size_t count)
{
	struct spot *fixed = take_spots(check, count);
	size_t used = 0;

	for (size_t i = 0; fixed && i < count; i++)
		if (is_heeded(&pools[i]) && !pools[i].dynamic && !pools[i].empty)
			fixed[used++] =
				(struct spot){.range = pools[i].range, .owner = (uint32_t)i};
	sweep_spots(check, fixed, used, SWEEP_FURTHEST, report_overlap, pools);
}

/* ---- against memory ---- */

static void check_static(struct busway_check *check, const struct busway_pool *pool)
{
	struct busway_range common;
	const bool inside = busway_intervals_holds(&check->banks, pool->range);
	const bool partly = !inside && meets(&check->banks, pool->range, &common);
	const bool is_used = pool->type != BUSWAY_POOL_RESERVED && !pool->no_map;

	if (inside)
		return;
	report(check, BUSWAY_FINDING_POOL_OUTSIDE_MEMORY,
	       partly || is_used ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_NOTE,
	       node_at(check, pool->name), "reg", NO_ENTRY,
	       RANGE_FORMAT " is %s the stated memory, %s", RANGE(pool->range),
	       partly ? "partly outside" : "outside", set_words(&check->banks).text);
	about(check, pool->range);
}

/* The memory in which a dynamic pool may be placed. */
static bool place_of(struct busway_check *check, const struct busway_pool *pool,
		     struct busway_intervals *place)
{
	struct busway_intervals allowed;
	int status = 0;

	busway_intervals_init(place, check->memory);
	busway_intervals_init(&allowed, check->memory);
	for (size_t i = 0; i < pool->alloc_range_count && !status; i++)
		status = busway_intervals_add(&allowed, pool->alloc_ranges[i]);
	if (!status && !pool->alloc_range_count)
		status = busway_intervals_add(&allowed, BUSWAY_RANGE_ALL);
	if (!status)
		status = busway_intervals_add(place, BUSWAY_RANGE_ALL);
	if (!status)
		status = busway_intervals_intersect(place, &check->ram);
	if (!status)
		status = busway_intervals_intersect(place, &allowed);
	if (!status)
		status = busway_intervals_subtract(place, &check->reserved);
	busway_intervals_clear(&allowed);
	if (status) {
		give_up(check);
		busway_intervals_clear(place);
	}
	return !status;
}

/* alloc-ranges in words. */
static struct words allowed_words(struct busway_check *check, const struct busway_pool *pool)
{
	struct busway_intervals allowed;
	struct words words;

	busway_intervals_init(&allowed, check->memory);
	for (size_t i = 0; i < pool->alloc_range_count; i++)
		if (busway_intervals_add(&allowed, pool->alloc_ranges[i]))
			give_up(check);
	words = set_words(&allowed);
	busway_intervals_clear(&allowed);
	return words;
}

/* Is there a free run in @window for the pool at its alignment? */
static bool fits_in(const struct busway_intervals *place, struct busway_range window,
		    const struct busway_pool *pool)
{
	const uint64_t mask = busway_is_power_of_two(pool->alignment) ? pool->alignment - 1 : 0;

	for (size_t i = 0; i < place->count; i++) {
		struct busway_range run;

		if (!busway_range_common(place->runs[i], window, &run) ||
		    (run.last - run.first) < (-run.first & mask))
			continue;
		run.first += -run.first & mask;
		if (busway_range_holds(run, pool->size))
			return true;
	}
	return false;
}

/* Linux tries each of alloc-ranges by itself, also where they adjoin. */
static bool fits_somewhere(const struct busway_intervals *place, const struct busway_pool *pool)
{
	for (size_t i = 0; i < pool->alloc_range_count; i++)
		if (fits_in(place, pool->alloc_ranges[i], pool))
			return true;
	return !pool->alloc_range_count && fits_in(place, BUSWAY_RANGE_ALL, pool);
}

static void check_dynamic(struct busway_check *check, const struct busway_pool *pool)
{
	struct busway_intervals place;
	char aligned[48] = "";

	if (!pool->size || !place_of(check, pool, &place))
		return;
	if (pool->alignment > 1)
		snprintf(aligned, sizeof(aligned), " aligned to 0x%" PRIx64, pool->alignment);
	if (!fits_somewhere(&place, pool)) {
		report(check, BUSWAY_FINDING_POOL_OUTSIDE_MEMORY, BUSWAY_SEVERITY_WARNING,
		       node_at(check, pool->name),
		       pool->alloc_range_count ? "alloc-ranges" : "size", NO_ENTRY,
		       "0x%" PRIx64 " bytes%s fit nowhere in %s%s; free memory there: %s",
		       pool->size, aligned, pool->alloc_range_count ? "alloc-ranges " : "memory",
		       allowed_words(check, pool).text,
		       place.count ? set_words(&place).text : "none");
		if (pool->alloc_range_count)
			about(check, pool->alloc_ranges[0]);
	}
	busway_intervals_clear(&place);
}

/* ---- against users ---- */

static void check_user(struct busway_check *check, const struct busway_pool *pool,
		       const struct busway_device *user, busway_device_id id)
{
	const char *const path = user->name;
	const struct check_view *view;
	struct busway_intervals missed;

	if (!user->enabled || user->behind_iommu || !user->dma.restricted)
		return;
	view = view_of(check, user, id);
	if (!view)
		return;
	if (pool->dynamic) {
		if (!place_of(check, pool, &missed))
			return;
	} else {
		busway_intervals_init(&missed, check->memory);
		if (busway_intervals_add(&missed, pool->range))
			give_up(check);
	}
	if (busway_intervals_subtract(&missed, &view->cpu))
		give_up(check);
	if (!check->status && missed.count) {
		report(check, BUSWAY_FINDING_POOL_OUTSIDE_REACH, BUSWAY_SEVERITY_WARNING,
		       node_at(check, pool->name), pool->dynamic ? "alloc-ranges" : "reg", NO_ENTRY,
		       "%s%s: %s cannot reach it (windows lead to %s)",
		       pool->dynamic ? "the pool may be placed in " : "", set_words(&missed).text,
		       path, set_words(&view->cpu).text);
		about(check, missed.runs[0]);
		if (view->cpu.count)
			advise(check, "place it inside %s", set_words(&view->cpu).text);
	}
	busway_intervals_clear(&missed);
}

static void check_users(struct busway_check *check, const struct busway_pool *pool)
{
	for (size_t i = 0; i < pool->user_count; i++) {
		busway_device_id id;
		const struct busway_device *user =
			device_of(check, node_at(check, pool->users[i]), &id);

		if (user)
			check_user(check, pool, user, id);
	}
}

/* The default pool serves every master that has none of its own. */
static void check_default(struct busway_check *check, const struct busway_pool *pool)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t node = node_at(check, pool->name);
	const size_t before = check->found.count;

	if (!fdt_has(tree, node, FDT_LINUX_CMA_DEFAULT) &&
	    !fdt_has(tree, node, FDT_LINUX_DMA_DEFAULT))
		return;
	for (uint32_t i = 1; i < tree->node_count && check->found.count == before; i++) {
		busway_device_id id;
		const struct busway_device *user = device_of(check, i, &id);

		if (user && user->likely_master && user->pool_count == 0 &&
		    user->kind != BUSWAY_DEVICE_PCI_FUNCTION)
			check_user(check, pool, user, id);
	}
}

/* ---- by itself ---- */

static void check_flags(struct busway_check *check, const struct busway_pool *pool)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t node = node_at(check, pool->name);
	static const enum fdt_property_id flags[] = {FDT_NO_MAP, FDT_REUSABLE,
						     FDT_LINUX_CMA_DEFAULT, FDT_LINUX_DMA_DEFAULT};

	if (pool->valid || pool->ignored || pool->type == BUSWAY_POOL_RESERVED)
		return;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		const char *name = fdt_property_name(flags[i]);

		if (!fdt_has(tree, node, flags[i]))
			continue;
		report(check, BUSWAY_FINDING_POOL_REJECTED, BUSWAY_SEVERITY_ERROR, node, name,
		       NO_ENTRY,
		       pool->type == BUSWAY_POOL_RESTRICTED ? "a restricted-dma-pool must not have "
							      "%s: the kernel makes no pool, "
							      "and its users get ordinary memory"
							    : "a shared-dma-pool must not have %s "
							      "and reusable: the kernel makes "
							      "no pool",
		       name);
		advise(check, "remove %s", name);
		return;
	}
}

static void check_size(struct busway_check *check, const struct busway_pool *pool)
{
	enum { PAGE = 0x1000, LARGEST_MAPPING = 0x40000 }; /* 128 slots of 2 KiB (swiotlb) */
	const uint64_t size = pool->dynamic ? pool->size : busway_range_span(pool->range) + 1;
	const bool restricted = pool->type == BUSWAY_POOL_RESTRICTED;
	const uint64_t least = restricted ? LARGEST_MAPPING : PAGE;

	if (pool->type == BUSWAY_POOL_RESERVED || size == 0 || size >= least)
		return;
	report(check, BUSWAY_FINDING_POOL_TOO_SMALL, BUSWAY_SEVERITY_WARNING,
	       node_at(check, pool->name), pool->dynamic ? "size" : "reg", NO_ENTRY,
	       "0x%" PRIx64 " bytes are less than %s, 0x%" PRIx64, size,
	       restricted ? "one largest mapping" : "a page", least);
	advise(check, "at least 0x%" PRIx64 " bytes", least);
}

/* ramoops divides its region among the logs that it is told to keep (fs/pstore/ram.c). */
static void check_ramoops(struct busway_check *check, const struct busway_pool *pool)
{
	static const enum fdt_property_id parts[] = {FDT_RECORD_SIZE, FDT_CONSOLE_SIZE,
						     FDT_FTRACE_SIZE, FDT_PMSG_SIZE};
	const struct fdt_tree *tree = &check->importer.tree;
	const uint32_t node = node_at(check, pool->name);
	const uint64_t span = busway_range_span(pool->range);
	uint64_t needed = 0;

	if (pool->dynamic || !fdt_is_compatible(tree, node, "ramoops"))
		return;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		uint32_t size;

		if (fdt_get_u32(tree, node, parts[i], &size))
			needed += size;
	}
	if (!needed || needed - 1 <= span)
		return;
	report(check, BUSWAY_FINDING_POOL_TOO_SMALL, BUSWAY_SEVERITY_WARNING, node, "reg", NO_ENTRY,
	       "0x%" PRIx64 " bytes for logs that take 0x%" PRIx64, span + 1, needed);
	advise(check, "a region of at least 0x%" PRIx64 " bytes", needed);
}

static void check_pool(struct busway_check *check, const struct busway_pool *pool)
{
	if (!is_heeded(pool) || pool->empty)
		return;
	check_flags(check, pool);
	check_size(check, pool);
	check_ramoops(check, pool);
	if (!check->banks.count)
		return;
	if (pool->dynamic)
		check_dynamic(check, pool);
	else
		check_static(check, pool);
	if (pool->type == BUSWAY_POOL_RESERVED)
		return;
	check_users(check, pool);
	check_default(check, pool);
}

/* A framebuffer whose lines do not fit the memory that it names. */
static void check_framebuffer(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	uint32_t height, stride, phandle;
	uint32_t region = node;
	struct busway_phys_range memory;

	if (!fdt_is_compatible(tree, node, "simple-framebuffer") ||
	    !fdt_get_u32(tree, node, FDT_HEIGHT, &height) ||
	    !fdt_get_u32(tree, node, FDT_STRIDE, &stride))
		return;
	if (fdt_get_u32(tree, node, FDT_MEMORY_REGION, &phandle))
		region = fdt_by_phandle(tree, phandle);
	if (region == FDT_NONE || !fdt_reg(&check->importer, region, 0, &memory) ||
	    (uint64_t)height * stride <= busway_range_span(busway_phys_raw(memory)) + 1)
		return;
	report(check, BUSWAY_FINDING_POOL_TOO_SMALL,
	       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), region, "reg", NO_ENTRY,
	       "0x%" PRIx64 " bytes for a framebuffer of 0x%" PRIx32 " lines of 0x%" PRIx32
	       " bytes (%s)",
	       busway_range_span(busway_phys_raw(memory)) + 1, height, stride,
	       path_of(check, node));
	advise(check, "a region of at least 0x%" PRIx64 " bytes", (uint64_t)height * stride);
}

static void check_ignored(struct busway_check *check)
{
	for (uint32_t i = 1; i < check->importer.tree.node_count && !check->status; i++) {
		busway_device_id id;
		const struct busway_device *d = device_of(check, i, &id);

		if (!d || !d->enabled || !d->behind_iommu || d->restricted_pool == UINT32_MAX ||
		    !fdt_has(&check->importer.tree, i, FDT_MEMORY_REGION))
			continue;
		report(check, BUSWAY_FINDING_POOL_IGNORED, BUSWAY_SEVERITY_NOTE, i, "memory-region",
		       NO_ENTRY,
		       "the device is behind an IOMMU: the kernel does not use its restricted "
		       "pool");
	}
}

void rule_pools(struct busway_check *check)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(check->platform, &count);

	check_overlaps(check, pools, count);
	for (size_t i = 0; i < count && !check->status; i++)
		check_pool(check, &pools[i]);
	check_ignored(check);
	for (uint32_t i = 1; i < check->importer.tree.node_count && !check->status; i++)
		check_framebuffer(check, i);
}
