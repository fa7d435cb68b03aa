/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - the DMA API where the device reaches the memory: map, list, and who owns what.
 *
 * The reference is what kernels do for such a device: walk the table until an entry fits, and hold
 * the end against one limit. Nothing is kept there, so that unmapping is free, nobody can say whose
 * an address is, and what begins in one entry and ends behind it is let through.
 */
#include "bench.h"

#include <stdlib.h>

enum { MASK_BITS = 40, RECORDS = 512, LIST = 16 };

struct mapper {
	struct bench_windows windows;
	unsigned window_count;
	uint32_t live; /* for owner: so many records stay mapped */
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct busway_mapping *records;
	struct busway_mapped *segments;
	struct busway_phys_range *entries; /* of lists: BENCH_PAGES, and the first ones again */
};

/* ---- one run of memory ---- */

static struct busway_phys_range page_at(uint64_t phys)
{
	return (struct busway_phys_range){{phys}, {phys + 4095}};
}

static uint64_t map(const struct mapper *m, uint64_t phys, struct busway_mapping *record)
{
	const int status =
		busway_map(m->lane, page_at(phys), BUSWAY_BIDIRECTIONAL, 0, record, NULL);

	return (uint64_t)status + record->dma.raw;
}

static void run_map(void *state, unsigned long operations)
{
	const struct mapper *m = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		sum += map(m, m->windows.phys[i % BENCH_PAGES], m->records);
		busway_unmap(m->records);
	}
	bench_sink += sum;
}

static void unmap_all(void *state)
{
	const struct mapper *m = state;

	for (unsigned i = 0; i < RECORDS; i++)
		if (m->records[i].segments)
			busway_unmap(&m->records[i]);
	for (unsigned i = 0; i < RECORDS; i++)
		m->records[i] = (struct busway_mapping){0};
}

/* The records do for so many; with more operations, unmapping is a part of it. */
static void run_map_alone(void *state, unsigned long operations)
{
	struct mapper *m = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		if (i && i % RECORDS == 0)
			unmap_all(m);
		sum += map(m, m->windows.phys[i % BENCH_PAGES], &m->records[i % RECORDS]);
	}
	bench_sink += sum;
}

/* ---- lists: an operation is a segment ---- */

static uint64_t map_list(const struct mapper *m, unsigned long i, unsigned long at)
{
	struct busway_mapping *record = &m->records[at / LIST];
	struct busway_mapped *segments = &m->segments[at];
	const int status =
		busway_map_list(m->lane, &m->entries[i % BENCH_PAGES], LIST, BUSWAY_BIDIRECTIONAL,
				0, segments, LIST, record, NULL, NULL);

	return (uint64_t)status + segments[LIST - 1].dma.first.raw;
}

static void run_list(void *state, unsigned long operations)
{
	const struct mapper *m = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i += LIST) {
		sum += map_list(m, i, 0);
		busway_unmap(m->records);
	}
	bench_sink += sum;
}

static void run_list_alone(void *state, unsigned long operations)
{
	struct mapper *m = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i += LIST) {
		if (i && i % RECORDS == 0)
			unmap_all(m);
		sum += map_list(m, i, i % RECORDS);
	}
	bench_sink += sum;
}

/* ---- the reference ---- */

__attribute__((noinline)) static uint64_t walk_table(const struct bench_windows *w, uint64_t phys,
						     uint64_t size, uint64_t limit)
{
	uint64_t dma = UINT64_MAX;

	for (unsigned i = 0; i < w->table_count && dma == UINT64_MAX; i++)
		if (phys >= w->table[i].cpu && phys - w->table[i].cpu < w->table[i].size)
			dma = w->table[i].dma + (phys - w->table[i].cpu);
	return dma + (size - 1) > limit ? UINT64_MAX : dma;
}

static void run_walk(void *state, unsigned long operations)
{
	const struct mapper *m = state;
	const uint64_t limit = ((uint64_t)1 << MASK_BITS) - 1;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += walk_table(&m->windows, m->windows.phys[i % BENCH_PAGES], 4096, limit);
	bench_sink += sum;
}

/* ---- whose is an address? ---- */

static uint64_t draw(const struct mapper *m, uint64_t *random)
{
	return (bench_random(random) >> 32) * m->live >> 32;
}

static void run_owner(void *state, unsigned long operations)
{
	const struct mapper *m = state;
	uint64_t random = 1, sum = 0;

	for (unsigned long i = 0; i < operations; i++) {
		const busway_dma_t dma = {(draw(m, &random) << 12) + 100};

		sum += busway_dma_owner(m->device, dma)->size;
	}
	bench_sink += sum;
}

/* What even a perfect index cannot do without: the record itself is read. */
static void run_read(void *state, unsigned long operations)
{
	const struct mapper *m = state;
	uint64_t random = 1, sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += m->records[draw(m, &random)].size;
	bench_sink += sum;
}

/* ---- making ---- */

static void *no_pointer(void *ctx, struct busway_phys_range range)
{
	(void)ctx, (void)range;
	return NULL;
}

static bool prepare(void *state)
{
	static const struct busway_dma_environment environment = {.pointer = no_pointer};
	struct mapper *m = state;
	const uint32_t records = m->live ? m->live : RECORDS;
	const struct busway_dma_options options = {.live = records};
	struct busway_dma *dma;

	if (m->records)
		return true;
	if (!bench_windows_make(&m->windows, m->window_count) ||
	    busway_dma_create(m->windows.platform, &environment, &cli_memory, &dma) ||
	    busway_dma_attach(dma, m->windows.device, &options, &m->device, NULL) ||
	    busway_dma_set_mask(m->device, MASK_BITS, NULL, NULL))
		return false;
	m->lane = busway_dma_lane(m->device, 0);
	m->segments = calloc(RECORDS, sizeof(*m->segments));
	m->records = calloc(records, sizeof(*m->records));
	m->entries = calloc(BENCH_PAGES + LIST, sizeof(*m->entries));
	for (unsigned i = 0; m->entries && i < BENCH_PAGES + LIST; i++)
		m->entries[i] = page_at(m->windows.phys[i % BENCH_PAGES]);
	return m->segments && m->records && m->entries;
}

static bool prepare_owner(void *state)
{
	struct mapper *m = state;

	if (m->records)
		return true;
	if (!prepare(m))
		return false;
	for (uint32_t i = 0; i < m->live; i++)
		map(m, (uint64_t)i << 12, &m->records[i]);
	return true;
}

static struct mapper *make_mapper(unsigned windows, uint32_t live)
{
	struct mapper *m = calloc(1, sizeof(*m));

	if (m) {
		m->window_count = windows;
		m->live = live;
	}
	return m;
}

static bool add_mapping(struct workloads *workloads, unsigned windows)
{
	static const struct {
		const char *name, *what;
		void (*run)(void *state, unsigned long operations);
		bool alone;
	} kinds[] = {
		{"map-R", "map and unmap a page", run_map, false},
		{"mapalone-R", "map a page", run_map_alone, true},
		{"list-R", "map and unmap a list: a segment of 16", run_list, false},
		{"listalone-R", "map a list: a segment of 16", run_list_alone, true},
	};
	struct mapper *m = make_mapper(windows, 0);

	for (size_t i = 0; m && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct workload *walk, *w;
		char name[16], reference[32];

		snprintf(name, sizeof(name), "%s%u", kinds[i].name, windows);
		snprintf(reference, sizeof(reference), "%s/walk", name);
		walk = add_workload(workloads, reference, "walk the table, check the end", NULL,
				    run_walk, m, 1 << 16);
		w = walk ? add_workload(workloads, name, kinds[i].what, walk->name, kinds[i].run, m,
					kinds[i].alone ? RECORDS : 1 << 16)
			 : NULL;
		if (!w)
			return false;
		walk->prepare = w->prepare = prepare;
		/* nothing is mapped when the clock starts */
		w->before = unmap_all;
	}
	return m;
}

static bool add_owner(struct workloads *workloads, uint32_t live, const char *name)
{
	struct mapper *m = make_mapper(0, live);
	struct workload *read, *w;
	char reference[32];

	if (!m)
		return false;
	snprintf(reference, sizeof(reference), "%s/read", name);
	read = add_workload(workloads, reference, "read the record of a mapping", NULL, run_read, m,
			    1 << 15);
	w = read ? add_workload(workloads, name, "whose is an address, of so many mappings?",
				read->name, run_owner, m, 1 << 15)
		 : NULL;
	if (!w)
		return false;
	read->prepare = w->prepare = prepare_owner;
	return true;
}

bool add_map_workloads(struct workloads *workloads)
{
	static const unsigned windows[] = {0, 1, 4, 16};

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++)
		if (!add_mapping(workloads, windows[i]))
			return false;
	return add_owner(workloads, 100, "owner-100") && add_owner(workloads, 10000, "owner-10K") &&
	       add_owner(workloads, 1000000, "owner-1M");
}
