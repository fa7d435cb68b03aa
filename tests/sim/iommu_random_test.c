/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_random_test.c - random maps, unmaps, invalidations and accesses beside a list of pages.
 *
 *   IOVA page    0   1   2   3 ...     now: where it leads; old: a set of where it may still lead,
 *     now        7   -   3   3         as it was not invalidated since
 *     old       {}  {5} {} {1,2}
 *
 * Each write has a number of its own, so that it is seen in which page of memory it lands.
 */
#include "iommu_bench.h"

#define MEMORY (RAM + 0x1000000u)
#define WORD   0x40u

/* Slots come in groups, which lie so far apart that tables are left empty, and go. */
#define APART 0x2000000u

enum { GROUP = 12, IOVAS = 4 * GROUP, PAGES = 64, NOWHERE = -1 };

struct slot {
	int now;
	unsigned prot;
	uint64_t old;
	bool changed; /* it or the way to it, since it was invalidated with the tables */
};

struct world {
	struct iommu_bench b;
	struct rng rng;
	uint64_t seed;
	struct slot slots[IOVAS];
	uint32_t words[PAGES]; /* as memory has them */
	uint32_t next;
};

static uint64_t iova_of(const struct world *w, size_t slot)
{
	return 0x40000000 + slot / GROUP * APART + slot % GROUP * w->b.page;
}

static uint64_t phys_of(const struct world *w, size_t page)
{
	return MEMORY + page * w->b.page;
}

static uint32_t word_at(struct world *w, size_t page)
{
	uint32_t word;

	memcpy(&word, cpu_at(&w->b.bench, phys_of(w, page) + WORD), sizeof(word));
	return word;
}

static void wrong(const struct world *w, size_t slot, const char *what)
{
	fail_msg("%s, seed %" PRIu64 ": slot %zu: %s", w->b.what->name, w->seed, slot, what);
}

static void begin(struct world *w, size_t what, uint64_t seed,
		  const struct busway_machine_options *options)
{
	w->rng = rng_of(seed);
	w->seed = seed;
	w->next = 0;
	memset(w->words, 0, sizeof(w->words));
	for (size_t i = 0; i < IOVAS; i++)
		w->slots[i] = (struct slot){.now = NOWHERE};
	iommu_open(&w->b, &iommu_cases[what], options);
	iommu_attach(&w->b, COHERENT);
}

/* ---- what is done to tables ---- */

/* A run of slots that are all mapped, or all not. */
static size_t run_of(struct world *w, bool mapped, size_t *first)
{
	size_t count = 0, most = (size_t)rng_between(&w->rng, 1, GROUP);

	*first = (size_t)rng_below(&w->rng, IOVAS);
	while (*first % GROUP + count < GROUP && count < most &&
	       (w->slots[*first + count].now != NOWHERE) == mapped)
		count++;
	return count;
}

static void map_some(struct world *w)
{
	size_t first;
	const size_t count = run_of(w, false, &first);
	const unsigned prot = rng_chance(&w->rng, 80) ? BUSWAY_READ_WRITE : BUSWAY_READ;
	size_t page;

	if (count == 0)
		return;
	/* often aligned alike, so that large pages fit */
	page = rng_chance(&w->rng, 50) ? first : (size_t)rng_below(&w->rng, PAGES - count + 1);
	iommu_map(&w->b, iova_of(w, first), phys_of(w, page), count * w->b.page, prot);
	for (size_t i = 0; i < count; i++) {
		w->slots[first + i].now = (int)(page + i);
		w->slots[first + i].prot = prot;
	}
}

static size_t clear_some(struct world *w, size_t *first)
{
	const size_t count = run_of(w, true, first), taken = w->b.freed.count;

	if (count == 0)
		return 0;
	iommu_clear(&w->b, iova_of(w, *first), count * w->b.page);
	for (size_t i = *first; i < *first + count; i++) {
		w->slots[i].old |= (uint64_t)1 << w->slots[i].now;
		w->slots[i].now = NOWHERE;
		w->slots[i].changed = true;
	}
	/* a table that went is the way to others, too */
	for (size_t i = 0; w->b.freed.count > taken && i < IOVAS; i++)
		w->slots[i].changed = true;
	return count;
}

static void invalidate(struct world *w, size_t first, size_t count, bool tables)
{
	const uint64_t from = iova_of(w, first), last = iova_of(w, first + count - 1);

	iommu_forget(&w->b, from, last + w->b.page - from, tables);
	for (size_t i = first; tables && i < first + count; i++) {
		w->slots[i].old = 0;
		w->slots[i].changed = false;
	}
}

/* ---- what the device does ---- */

/* In which page of memory @value stands now, which did not before. */
static int landed_in(struct world *w, uint32_t value)
{
	int found = NOWHERE;

	for (size_t i = 0; i < PAGES; i++) {
		const uint32_t word = word_at(w, i);

		if (word == w->words[i])
			continue;
		if (word != value || found != NOWHERE)
			wrong(w, i, "memory changes that was not written");
		found = (int)i;
		w->words[i] = word;
	}
	return found;
}

static uint64_t count_of(struct world *w, enum busway_violation_kind kind)
{
	return busway_machine_count(w->b.bench.machine, kind);
}

static void judge(struct world *w, size_t at, int landed)
{
	const struct slot *slot = &w->slots[at];
	const bool allowed = slot->now != NOWHERE && (slot->prot & BUSWAY_WRITE);
	const int right = allowed ? slot->now : NOWHERE;

	if (busway_machine_violations(w->b.bench.machine) > 1)
		wrong(w, at, "told more than once");
	if (count_of(w, BUSWAY_VIOLATION_STALE)) {
		if (!slot->changed)
			wrong(w, at, "told as stale, but it was invalidated");
		if (landed != NOWHERE && !(slot->old >> landed & 1))
			wrong(w, at, "lands where it never led");
		return;
	}
	if (landed != right)
		wrong(w, at, "lands elsewhere, and it is not told");
	if (count_of(w, BUSWAY_VIOLATION_IOMMU_FAULT) != (slot->now == NOWHERE) ||
	    count_of(w, BUSWAY_VIOLATION_IOMMU_PERMISSION) != (slot->now != NOWHERE && !allowed))
		wrong(w, at, "told as something else");
}

static bool write_one(struct world *w)
{
	const size_t at = (size_t)rng_below(&w->rng, IOVAS);
	const uint32_t value = ++w->next;
	bool stale;

	bench_write(&w->b.bench, COHERENT, iova_of(w, at) + WORD, &value, sizeof(value));
	judge(w, at, landed_in(w, value));
	stale = count_of(w, BUSWAY_VIOLATION_STALE) > 0;
	busway_machine_clear(w->b.bench.machine);
	return stale;
}

/* Everything is forgotten: tables that were taken out can go. */
static void forget_all(struct world *w)
{
	invalidate(w, 0, IOVAS, true);
	iommu_forget(&w->b, 0, UINT64_MAX, true);
	iommu_release(&w->b);
}

static unsigned careless_round(struct world *w)
{
	unsigned stale = 0;

	for (unsigned step = 0; step < 400; step++) {
		const size_t first = (size_t)rng_below(&w->rng, IOVAS);
		const size_t count = (size_t)rng_between(&w->rng, 1, IOVAS - first);
		const uint64_t what = rng_below(&w->rng, 100);
		size_t cleared;

		if (what < 20)
			map_some(w);
		else if (what < 32)
			clear_some(w, &cleared);
		else if (what < 36)
			invalidate(w, first, count, rng_chance(&w->rng, 50));
		else if (what < 37)
			forget_all(w);
		else
			stale += write_one(w);
	}
	forget_all(w);
	return stale;
}

/* Some invalidations are forgotten. What is not led as the list says is told, and nothing else. */
static void what_is_not_invalidated_is_told_where_it_leads_astray(void **state)
{
	static struct world w;
	const unsigned rounds = random_rounds(20);
	unsigned stale = 0;

	(void)state;
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < iommu_case_count; i++) {
			struct busway_machine_options options = {.lenient = true};

			options.seed = random_seed() + round;
			options.iotlb_pages = 1u << (round + i) % 7;
			options.iotlb_tables = 1u << (round + i) % 4;
			begin(&w, i, options.seed, &options);
			stale += careless_round(&w);
			iommu_close(&w.b);
		}
	assert_true(stale > 0);
}

/* ---- with writes on their way ---- */

/* Pages that nothing leads to any more keep what they have. */
static void check_idle(struct world *w)
{
	bool used[PAGES] = {false};

	for (size_t i = 0; i < IOVAS; i++)
		if (w->slots[i].now != NOWHERE)
			used[w->slots[i].now] = true;
	for (size_t i = 0; i < PAGES; i++) {
		if (!used[i] && word_at(w, i) != w->words[i])
			wrong(w, i, "written after its unmapping was done");
		w->words[i] = word_at(w, i);
	}
}

static void careful_step(struct world *w)
{
	const uint64_t what = rng_below(&w->rng, 100);
	const uint32_t value = ++w->next;
	size_t first, count;

	if (what < 20) {
		map_some(w);
	} else if (what < 35) {
		check_idle(w);
		count = clear_some(w, &first);
		if (count == 0)
			return;
		invalidate(w, first, count, w->b.freed.count > 0);
		iommu_release(&w->b);
		for (size_t i = 0; i < PAGES; i++) /* up to here it may have been written */
			w->words[i] = word_at(w, i);
	} else {
		bench_write(&w->b.bench, COHERENT,
			    iova_of(w, (size_t)rng_below(&w->rng, IOVAS)) + WORD, &value,
			    sizeof(value));
		check_idle(w);
	}
}

static void after_an_invalidation_memory_is_left_alone(void **state)
{
	static struct world w;
	const unsigned rounds = random_rounds(10);

	(void)state;
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < iommu_case_count; i++) {
			const struct busway_machine_options options = {
				.lenient = true, .posted = true, .seed = random_seed() + round};

			begin(&w, i, options.seed, &options);
			for (unsigned step = 0; step < 400; step++)
				careful_step(&w);
			busway_machine_settle(w.b.bench.machine);
			check_idle(&w);
			if (count_of(&w, BUSWAY_VIOLATION_STALE) ||
			    count_of(&w, BUSWAY_VIOLATION_TABLE_GONE))
				wrong(&w, 0, "something was not invalidated in time");
			iommu_close(&w.b);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_invalidated_is_told_where_it_leads_astray),
		cmocka_unit_test(after_an_invalidation_memory_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
