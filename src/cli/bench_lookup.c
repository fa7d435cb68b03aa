/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_lookup.c - look up one address: reach, resolve, and D, the direct mapping.
 *
 * Windows of 32 GiB, one every 64 GiB, at an offset of 2 GiB, and 4096 pages drawn before the
 * clock starts. The reference is what kernels do: walk the table until an entry fits.
 */
#include "bench.h"

#include <stdlib.h>

enum { PAGES = 4096, WINDOW_LG2 = 35, STEP_LG2 = 36, SEED = 4 };

struct table_entry {
	uint64_t cpu, dma, size;
};

struct lookup {
	struct busway_platform *platform;
	struct busway_reach *reach;
	busway_device_id device;
	struct table_entry *table;
	unsigned table_count;
	uint64_t phys[PAGES], dma[PAGES];
};

static void run_find(void *state, unsigned long operations)
{
	const struct lookup *l = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		const struct busway_piece *piece =
			busway_reach_find(l->reach, busway_dma(l->dma[i % PAGES]));

		sum += piece ? piece->phys.raw : 1;
	}
	bench_sink += sum;
}

static void run_address(void *state, unsigned long operations)
{
	const struct lookup *l = state;
	busway_dma_t dma = {0};
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		const uint64_t phys = l->phys[i % PAGES];
		const struct busway_phys_range page = {{phys}, {phys + 4095}};

		sum += (uint64_t)busway_reach_address(l->reach, page, &dma) + dma.raw;
	}
	bench_sink += sum;
}

static void run_resolve(void *state, unsigned long operations)
{
	const struct lookup *l = state;
	struct busway_path path;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		const uint64_t dma = l->dma[i % PAGES];
		const struct busway_dma_range page = {{dma}, {dma + 4095}};

		sum += (uint64_t)busway_resolve(l->platform, l->device, page, NULL,
						BUSWAY_READ_WRITE, &path, NULL);
	}
	bench_sink += sum;
}

__attribute__((noinline)) static uint64_t walk_table(const struct table_entry *table,
						     unsigned count, uint64_t phys)
{
	for (unsigned i = 0; i < count; i++)
		if (phys >= table[i].cpu && phys - table[i].cpu < table[i].size)
			return table[i].dma + (phys - table[i].cpu);
	return UINT64_MAX;
}

static void run_walk(void *state, unsigned long operations)
{
	const struct lookup *l = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += walk_table(l->table, l->table_count, l->phys[i % PAGES]);
	bench_sink += sum;
}

static bool add_window(struct lookup *l, busway_space_id bus, unsigned i)
{
	const uint64_t cpu = (uint64_t)i << STEP_LG2, dma = cpu + ((uint64_t)1 << 31);
	const uint64_t size = (uint64_t)1 << WINDOW_LG2;
	const struct busway_window window = {
		.from = bus,
		.to = BUSWAY_CPU_SPACE,
		.in = {dma, dma + (size - 1)},
		.out = {cpu},
		.access = BUSWAY_READ_WRITE,
		.name = "/bus",
		.entry = i,
	};

	l->table[i] = (struct table_entry){cpu, dma, size};
	return busway_platform_add_window(l->platform, &window) == 0;
}

static bool build(struct lookup *l, unsigned windows)
{
	const struct busway_space space = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
	const struct busway_region ram = {
		.range = {0, ((uint64_t)1 << 44) - 1},
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/memory",
	};
	struct busway_device device = {
		.name = "/bus/device",
		.emission = busway_emission_mask(64),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
	busway_space_id bus = BUSWAY_CPU_SPACE;

	if (busway_platform_create(&cli_memory, &l->platform) ||
	    (windows && busway_platform_add_space(l->platform, &space, &bus)) ||
	    busway_platform_add_region(l->platform, &ram))
		return false;
	for (unsigned i = 0; i < windows; i++)
		if (!add_window(l, bus, i))
			return false;
	device.dma.enters = bus;
	return !busway_platform_add_device(l->platform, &device, &l->device) &&
	       !busway_platform_seal(l->platform) &&
	       !busway_reach_build(l->platform, l->device, NULL, &cli_memory, &l->reach);
}

static struct lookup *make_lookup(unsigned windows)
{
	struct lookup *l = calloc(1, sizeof(*l));
	uint64_t random = SEED;

	if (!l)
		return NULL;
	l->table = calloc(windows + 1, sizeof(*l->table));
	l->table_count = windows ? windows : 1;
	l->table[0] = (struct table_entry){0, 0, (uint64_t)1 << 44};
	if (!build(l, windows))
		return NULL;
	for (unsigned i = 0; i < PAGES; i++) {
		const uint64_t window = windows ? bench_random(&random) % windows : 0;
		const uint64_t page = bench_random(&random) % ((uint64_t)1 << (WINDOW_LG2 - 12));

		l->phys[i] = (window << STEP_LG2) + (page << 12);
		l->dma[i] = l->phys[i] + (windows ? (uint64_t)1 << 31 : 0);
	}
	return l;
}

static bool add_one(struct workloads *workloads, unsigned windows, const char *prefix,
		    const char *what, void (*run)(void *, unsigned long))
{
	struct lookup *l = make_lookup(windows);
	const struct workload *walk;
	char name[32], reference[32];

	if (!l)
		return false;
	snprintf(name, sizeof(name), "%s%u", prefix, windows);
	snprintf(reference, sizeof(reference), "%s%u/walk", prefix, windows);
	walk = add_workload(workloads, reference, "walk the table until an entry fits", NULL,
			    run_walk, l, 1 << 16);
	return walk && add_workload(workloads, name, what, walk->name, run, l, 1 << 16);
}

bool add_lookup_workloads(struct workloads *workloads)
{
	static const unsigned direct[] = {0, 1, 4, 16}, windows[] = {1, 8, 64};

	for (size_t i = 0; i < sizeof(direct) / sizeof(direct[0]); i++)
		if (!add_one(workloads, direct[i], "D-R",
			     "direct mapping of a page, start and end checked", run_address))
			return false;
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		if (!add_one(workloads, windows[i], "reach-", "the piece that holds an address",
			     run_find) ||
		    !add_one(workloads, windows[i], "resolve-", "an access, hop by hop",
			     run_resolve))
			return false;
	return true;
}
