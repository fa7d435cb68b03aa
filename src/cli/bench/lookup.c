/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup.c - look up one address: reach, resolve, and D, the direct mapping.
 *
 * The reference is what kernels do: walk the table until an entry fits.
 */
#include "bench.h"

#include <stdlib.h>

struct lookup {
	struct bench_windows windows;
	struct busway_reach *reach;
};

static void run_find(void *state, unsigned long operations)
{
	const struct lookup *l = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		const struct busway_piece *piece =
			busway_reach_find(l->reach, busway_dma(l->windows.dma[i % BENCH_PAGES]));

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
		const uint64_t phys = l->windows.phys[i % BENCH_PAGES];
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
		const uint64_t dma = l->windows.dma[i % BENCH_PAGES];
		const struct busway_dma_range page = {{dma}, {dma + 4095}};

		sum += (uint64_t)busway_resolve(l->windows.platform, l->windows.device, page, NULL,
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
		sum += walk_table(l->windows.table, l->windows.table_count,
				  l->windows.phys[i % BENCH_PAGES]);
	bench_sink += sum;
}

static struct lookup *make_lookup(unsigned windows)
{
	struct lookup *l = calloc(1, sizeof(*l));

	if (!l || !bench_windows_make(&l->windows, windows) ||
	    busway_reach_build(l->windows.platform, l->windows.device, NULL, &cli_memory,
			       &l->reach))
		return NULL;
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
