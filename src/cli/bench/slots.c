/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots.c - E3: slots of a pool that is partly taken, by buffers of all sizes that came and
 * went; and what a refusal costs.
 *
 * Nothing is copied. The reference takes and gives back a lock. E3-75-2K takes slots and gives them
 * back; E3-75-2K-map does so by mapping and unmapping a buffer.
 */
#include "../../map/map_internal.h"
#include "bench.h"

#include <stdlib.h>

enum { SEED = 42, TURNS = 4, PROBES = 1000, RUN = 64 << 10 };

#define SLOTS_ONLY (BUSWAY_MAP_SKIP_SYNC | BUSWAY_MAP_OVERWRITES)

/* A pool that is taken by so many per cent. */
struct taken {
	struct bench_pool pool;
	struct busway_mapping *records;
	uint64_t random, used, most;
	uint32_t count; /* of records; some may be unmapped */
	unsigned percent;
};

struct probe {
	struct taken *taken;
	uint64_t size;
	bool served;
	char what[64];
};

static int map(struct taken *t, uint64_t size, struct busway_mapping *mapping)
{
	const struct busway_phys_range range = {{BENCH_OWN_PHYS}, {BENCH_OWN_PHYS + (size - 1)}};

	return busway_map(t->pool.lane[0], range, BUSWAY_FROM_DEVICE, SLOTS_ONLY, mapping, NULL);
}

/* ---- buffers that come and go ---- */

static void come(struct taken *t, struct busway_mapping *record)
{
	const uint64_t size = BUSWAY_SLOT_SIZE * (1 + bench_random(&t->random) % 16);

	if (t->used + size <= t->most && map(t, size, record) == 0)
		t->used += size;
}

static void go(struct taken *t, struct busway_mapping *record)
{
	const uint64_t size = record->size;

	if (busway_unmap(record) == 0)
		t->used -= size;
	*record = (struct busway_mapping){0};
}

static void replace_one(struct taken *t)
{
	struct busway_mapping *record = &t->records[bench_random(&t->random) % t->count];

	if (record->size)
		go(t, record);
	come(t, record);
}

/* Is a run of 64 KiB found whenever there is one? */
static bool finds_every_run(struct taken *t)
{
	unsigned there = 0, served = 0;

	for (unsigned i = 0; i < PROBES; i++) {
		struct busway_pool_census census;
		struct busway_mapping mapping = {0};

		replace_one(t);
		busway_dma_pool(t->pool.dma, 0, &census);
		there += census.longest >= RUN;
		if (map(t, RUN, &mapping) == 0) {
			served++;
			busway_unmap(&mapping);
		}
	}
	if (there != served)
		complain("bench: %u %% taken: 64 KiB were there %u times, and served %u times",
			 t->percent, there, served);
	return there == served;
}

static bool fill(struct taken *t)
{
	const uint32_t most = (uint32_t)(BENCH_POOL_SIZE / BUSWAY_SLOT_SIZE);

	if (t->records)
		return true;
	t->random = SEED;
	t->most = BENCH_POOL_SIZE / 100 * t->percent;
	t->records = calloc(most, sizeof(*t->records));
	if (!t->records || !bench_pool_make(1, 1, &t->pool))
		return false;
	while (t->count < most && t->used + 16 * BUSWAY_SLOT_SIZE <= t->most)
		come(t, &t->records[t->count++]);
	for (uint32_t i = 0; i < TURNS * t->count; i++)
		replace_one(t);
	return t->count == 0 || finds_every_run(t);
}

/* ---- the probe ---- */

static void run_probe(void *state, unsigned long operations)
{
	const struct probe *p = state;
	struct busway_mapping mapping = {0};

	for (unsigned long i = 0; i < operations; i++)
		if (map(p->taken, p->size, &mapping) == 0)
			busway_unmap(&mapping);
}

static void run_slots(void *state, unsigned long operations)
{
	const struct probe *p = state;
	const struct bench_pool *pool = &p->taken->pool;
	const struct slot_wish wish = {.count = (uint32_t)slots_for(p->size), .align = 1};
	struct slot_pool *slots = &pool->dma->pools->slots;

	for (unsigned long i = 0; i < operations; i++) {
		const uint32_t first = slot_pool_take(slots, &wish, pool->lane[0]->area);

		if (first != SLOT_NONE)
			slot_pool_give(slots, first, wish.count, pool->lane[0]->area);
	}
}

static bool prepare(void *state)
{
	struct probe *p = state;
	struct busway_mapping mapping = {0};

	if (!fill(p->taken))
		return false;
	p->served = map(p->taken, p->size, &mapping) == 0;
	if (p->served)
		busway_unmap(&mapping);
	snprintf(p->what, sizeof(p->what), "%u KiB of a pool %u %% taken: %s",
		 (unsigned)(p->size / 1024), p->taken->percent, p->served ? "served" : "refused");
	return true;
}

static bool add_probe(struct workloads *workloads, struct taken *taken, unsigned kib)
{
	struct probe *p = calloc(1, sizeof(*p));
	struct workload *lock, *slots, *mapped;
	char name[24], reference[32];

	if (!p)
		return false;
	*p = (struct probe){.taken = taken, .size = (uint64_t)kib << 10};
	snprintf(name, sizeof(name), "E3-%u-%uK", taken->percent, kib);
	snprintf(reference, sizeof(reference), "%s/lock", name);
	lock = add_workload(workloads, reference, "take a lock and give it back", NULL,
			    bench_run_lock, p, 1 << 14);
	slots = lock ? add_workload(workloads, name, p->what, lock->name, run_slots, p, 1 << 14)
		     : NULL;
	snprintf(name, sizeof(name), "E3-%u-%uK-map", taken->percent, kib);
	mapped = slots ? add_workload(workloads, name, "the same, mapped and unmapped", lock->name,
				      run_probe, p, 1 << 14)
		       : NULL;
	if (!mapped)
		return false;
	slots->prepare = mapped->prepare = prepare;
	return true;
}

bool add_slot_workloads(struct workloads *workloads)
{
	static const unsigned percents[] = {0, 25, 50, 75, 90, 95}, kib[] = {2, 16, 64};

	static struct taken pools[sizeof(percents) / sizeof(percents[0])];

	for (size_t i = 0; i < sizeof(percents) / sizeof(percents[0]); i++) {
		struct taken *taken = &pools[i];

		taken->percent = percents[i];
		for (size_t j = 0; j < sizeof(kib) / sizeof(kib[0]); j++)
			if (!add_probe(workloads, taken, kib[j]))
				return false;
		/* longer than any run can be that is free */
		if (percents[i] == 95 && !add_probe(workloads, taken, 8 << 10))
			return false;
	}
	return true;
}
