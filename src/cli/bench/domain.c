/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.c - domain: an IOVA, a page mapped, unmapped and forgotten, and the IOVA given back;
 * by itself, and by the DMA API.
 *
 * The IOMMU forgets at once: what hardware takes for that is not measured. The reference takes and
 * gives back a lock.
 */
#include "bench.h"

#include <stdlib.h>

enum { PAGE = 4096, PAGES = 4096 };

struct domain {
	struct bench_windows windows; /* for addresses of pages only */
	struct busway_platform *platform;
	struct busway_iova allowed;
	struct busway_domain *domain;
	struct busway_iova_cache *cache;
	struct busway_lane *lane;
	unsigned pages;
};

static void forget(void *ctx, const struct busway_invalidation *what)
{
	(void)ctx;
	(void)what;
}

static void *pointer(void *ctx, struct busway_phys_range range)
{
	(void)range;
	return ctx;
}

/* ---- running ---- */

static struct busway_phys_range run_at(const struct domain *d, unsigned long i)
{
	const uint64_t first = d->windows.phys[i % BENCH_PAGES] & ~(uint64_t)(PAGE - 1);

	return (struct busway_phys_range){{first}, {first + ((uint64_t)d->pages * PAGE - 1)}};
}

static void run_domain(void *state, unsigned long operations)
{
	const struct busway_iova_request anywhere = {.align = 1};
	const struct domain *d = state;

	for (unsigned long i = 0; i < operations; i++) {
		const struct busway_phys_range run = run_at(d, i);
		busway_dma_t iova;

		if (busway_domain_map(d->domain, d->cache, &anywhere, &run, 1, BUSWAY_READ_WRITE,
				      &iova, NULL) ||
		    busway_domain_unmap(d->domain, d->cache,
					(struct busway_dma_range){
						iova, {iova.raw + (uint64_t)d->pages * PAGE - 1}},
					0, NULL))
			abort();
	}
}

static void run_mapping(void *state, unsigned long operations)
{
	const struct domain *d = state;
	struct busway_mapping mapping = {0};

	for (unsigned long i = 0; i < operations; i++) {
		if (busway_map(d->lane, run_at(d, i), BUSWAY_BIDIRECTIONAL, 0, &mapping, NULL))
			abort();
		busway_unmap(&mapping);
	}
}

/* ---- making ---- */

/* Memory, and a device of 48 bits behind an IOMMU. */
static bool make_platform(struct domain *d, busway_device_id *id)
{
	const struct busway_region ram = {
		.range = {0, ((uint64_t)1 << 48) - 1},
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/memory",
	};
	const struct busway_device device = {
		.name = "/device",
		.emission = busway_emission_mask(48),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
		.dma = {.enters = BUSWAY_CPU_SPACE},
		.behind_iommu = true,
	};

	return !busway_platform_create(&cli_memory, &d->platform) &&
	       !busway_platform_add_region(d->platform, &ram) &&
	       !busway_platform_add_device(d->platform, &device, id) &&
	       !busway_platform_seal(d->platform);
}

static bool prepare(void *state)
{
	struct busway_domain_options options = {
		.table = {.format = BUSWAY_ARM_STAGE1},
		.tables = bench_tables,
		.invalidate = forget,
	};
	struct busway_dma_environment environment = {.ctx = state, .pointer = pointer};
	struct busway_dma_options how = {.live = 256};
	struct domain *d = state;
	struct busway_iova_member member = {.device = {0}};
	struct busway_dma_device *device;
	struct busway_dma *dma;

	if (d->lane)
		return true;
	if (!bench_windows_make(&d->windows, 0) || !make_platform(d, &member.device) ||
	    busway_iova_build_group(d->platform, &member, 1, NULL, 0, &cli_memory, &d->allowed))
		return false;
	options.allowed = &d->allowed;
	if (busway_domain_create(&options, &cli_memory, &d->domain) ||
	    busway_iova_cache_create(busway_domain_space(d->domain), &d->cache))
		return false;
	how.domain = d->domain;
	if (busway_dma_create(d->platform, &environment, &cli_memory, &dma) ||
	    busway_dma_attach(dma, member.device, &how, &device, NULL))
		return false;
	d->lane = busway_dma_lane(device, 0);
	return true;
}

bool add_domain_workloads(struct workloads *workloads)
{
	static const unsigned sizes[] = {1, 16};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct domain *d = calloc(1, sizeof(*d));
		struct workload *lock, *alone, *mapped;
		char name[24], reference[32];

		if (!d)
			return false;
		d->pages = sizes[i];
		snprintf(name, sizeof(name), "domain-%u", sizes[i]);
		snprintf(reference, sizeof(reference), "%s/lock", name);
		lock = add_workload(workloads, reference, "take a lock and give it back", NULL,
				    bench_run_lock, d, 1 << 14);
		alone = lock ? add_workload(workloads, name,
					    "take IOVAs, map pages, unmap, give them back",
					    lock->name, run_domain, d, 1 << 14)
			     : NULL;
		snprintf(name, sizeof(name), "domain-%u-map", sizes[i]);
		mapped = alone ? add_workload(workloads, name, "the same by the DMA API",
					      lock->name, run_mapping, d, 1 << 14)
			       : NULL;
		if (!mapped)
			return false;
		alone->prepare = mapped->prepare = prepare;
	}
	return true;
}
