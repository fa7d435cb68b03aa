/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c - several threads map and unmap in one table, each its own IOVAs.
 *
 * The IOVAs of the threads take turns page by page, so that all of them meet in the same tables,
 * and each of them also has whole tables of its own, which it maps and gives up. The thread
 * sanitizer judges the rest.
 */
#define _POSIX_C_SOURCE 200112L

#include "rig.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, STEPS = 3000, SLOTS = 64, RW = BUSWAY_READ_WRITE };

struct worker {
	pthread_t thread;
	struct rig *rig;
	unsigned number, wrong;
	uint64_t page, table;
	struct busway_freed_tables freed;
	bool live[SLOTS];
};

/* Slot i of a worker: a page among those of the others, spread over tables of each level. */
static uint64_t slot(const struct worker *w, unsigned i)
{
	const uint64_t far = i % 4 * w->table + i % 3 * (w->table << 6);

	return far + (i * THREADS + w->number) * w->page;
}

static uint64_t phys(const struct worker *w, unsigned i)
{
	return ((uint64_t)(w->number * SLOTS + i) + 1) * w->page;
}

static void use_page(struct worker *w, unsigned i)
{
	const uint64_t iova = slot(w, i);
	const struct busway_phys_range run = rig_phys(phys(w, i), w->page);
	struct busway_translation t;

	if (w->live[i])
		w->wrong += busway_pagetable_unmap(w->rig->table, rig_range(iova, w->page), 0,
						   &w->freed, NULL, NULL) != 0;
	else
		w->wrong += busway_pagetable_map(w->rig->table, busway_dma(iova), &run, 1, RW,
						 NULL) != 0;
	w->live[i] = !w->live[i];
	if (busway_pagetable_lookup(w->rig->table, busway_dma(iova), &t) != w->live[i])
		w->wrong++;
	else if (w->live[i])
		w->wrong += t.phys.raw != run.first.raw;
}

/* Two tables of its own, behind those of the others: from one page before their beginning on. */
static void use_tables(struct worker *w)
{
	const uint64_t iova = (w->table << 8) + w->number * 4 * w->table + w->table - w->page;
	const struct busway_phys_range run = rig_phys(w->page, 2 * w->table);
	struct busway_translation t;

	w->wrong += busway_pagetable_map(w->rig->table, busway_dma(iova), &run, 1, RW, NULL) != 0;
	w->wrong += !busway_pagetable_lookup(w->rig->table, busway_dma(iova + w->table), &t) ||
		    t.phys.raw != w->page + w->table;
	w->wrong += busway_pagetable_unmap(w->rig->table, rig_range(iova, 2 * w->table), 0,
					   &w->freed, NULL, NULL) != 0;
	busway_pagetable_release(w->rig->table, &w->freed);
}

static void *work(void *argument)
{
	struct worker *w = argument;
	struct rng rng = rng_of(random_seed() + w->number);

	for (unsigned step = 0; step < STEPS; step++) {
		use_page(w, (unsigned)rng_below(&rng, SLOTS));
		if (step % 64 == 0)
			use_tables(w);
	}
	return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
	static const size_t cases[] = {0, 5, 9, 17, 20, 22};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		static struct worker workers[THREADS];
		static struct rig rig;

		rig_make(&rig, &table_cases[cases[c]]);
		rig_open(&rig);
		for (unsigned i = 0; i < THREADS; i++) {
			const unsigned lg2 = rig.what->granule_lg2;

			workers[i] = (struct worker){
				.rig = &rig,
				.number = i,
				.page = (uint64_t)1 << lg2,
				.table = (uint64_t)1 << (2 * lg2 - 3),
			};
			assert_int_equal(
				pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
		}
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
			assert_int_equal(workers[i].wrong, 0);
		}
		for (unsigned i = 0; i < THREADS; i++)
			for (unsigned s = 0; s < SLOTS; s++) {
				const struct walk_result r = rig_walk(&rig, slot(&workers[i], s));

				assert_int_equal(r.mapped, workers[i].live[s]);
				if (r.mapped)
					assert_int_equal(r.phys, phys(&workers[i], s));
			}
		rig_close(&rig);
	}
}

/* ---- parts of one page ---- */

enum { ROUNDS = 2500, ASKS = 300 };

/* A page of which thread n unmaps small pages n, n + THREADS, ...; before that it asks, where this
 * is tracked, whether they were written. */
struct parts {
	struct rig rig;
	uint64_t small, size;
	pthread_barrier_t begin, end;
};

struct part {
	pthread_t thread;
	struct parts *all;
	unsigned number, wrong;
};

/* Is what was unmapped at @gone a part of no page any more, also not of one that is found nearby?
 */
static bool is_apart(const struct parts *p, uint64_t gone)
{
	for (uint64_t at = 0; at < p->size; at += p->small) {
		struct busway_translation t;

		if (busway_pagetable_lookup(p->rig.table, busway_dma(at), &t) &&
		    at >> t.page_lg2 == gone >> t.page_lg2)
			return false;
	}
	return true;
}

static bool take_any(void *ctx, const struct busway_mapped_run *run)
{
	(void)ctx, (void)run;
	return true;
}

static void *unmap_parts(void *argument)
{
	struct part *part = argument;
	struct parts *all = part->all;
	struct busway_freed_tables freed = {{0}, 0};
	const uint64_t stride = all->small * THREADS;
	const bool track_dirty = all->rig.options.track_dirty;

	for (unsigned round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&all->begin);
		for (uint64_t at = part->number * all->small; at < all->size; at += stride) {
			const struct busway_dma_range page = rig_range(at, all->small);

			/* the first thread also while the others are at work */
			for (unsigned n = part->number || at ? 1 : ASKS; track_dirty && n; n--)
				part->wrong += busway_pagetable_dirty(all->rig.table, page, true,
								      take_any, NULL) != 0;
			part->wrong += busway_pagetable_unmap(all->rig.table, page, 0, &freed, NULL,
							      NULL) != 0;
			if (at < stride)
				part->wrong += !is_apart(all, at);
		}
		pthread_barrier_wait(&all->end);
	}
	part->wrong += freed.count != 0;
	return NULL;
}

static void expect_nothing(const struct parts *all)
{
	for (uint64_t at = 0; at < all->size; at += all->small)
		if (rig_walk(&all->rig, at).mapped)
			fail_msg("%s: 0x%llx leads somewhere", all->rig.what->name,
				 (unsigned long long)at);
}

static void threads_unmap_parts_of_one_page(void **state)
{
	static const struct {
		size_t which;
		uint64_t size;
		bool track_dirty;
	} cases[] = {
		{0, 0x10000, false},   {0, 0x200000, false},  {9, 0x10000, false},
		{17, 0x200000, false}, {20, 0x4000, false},   {20, 0x100000, false},
		{22, 0x10000, false},  {22, 0x200000, false}, {0, 0x10000, true},
		{3, 0x200000, true},   {4, 0x200000, true},   {5, 0x200000, true},
		{9, 0x200000, true},   {17, 0x200000, true},  {20, 0x100000, true},
		{22, 0x10000, true},
	};

	(void)state;
	for (size_t c = 0; c < COUNT(cases); c++) {
		static struct part parts[THREADS];
		static struct parts all;

		rig_make(&all.rig, &table_cases[cases[c].which]);
		all.rig.options.split = true;
		all.rig.options.track_dirty = cases[c].track_dirty;
		rig_open(&all.rig);
		all.small = (uint64_t)1 << all.rig.what->granule_lg2;
		all.size = cases[c].size;
		pthread_barrier_init(&all.begin, NULL, THREADS + 1);
		pthread_barrier_init(&all.end, NULL, THREADS + 1);
		for (unsigned i = 0; i < THREADS; i++) {
			parts[i] = (struct part){.all = &all, .number = i};
			assert_int_equal(
				pthread_create(&parts[i].thread, NULL, unmap_parts, &parts[i]), 0);
		}
		for (unsigned round = 0; round < ROUNDS; round++) {
			assert_int_equal(rig_map(&all.rig, 0, 0x40000000, all.size, RW), 0);
			assert_int_equal(rig_walk(&all.rig, 0).page_size, all.size);
			pthread_barrier_wait(&all.begin);
			pthread_barrier_wait(&all.end);
			expect_nothing(&all);
			busway_pagetable_trim(all.rig.table, rig_range(0, 0x40000000),
					      &all.rig.freed);
			rig_release(&all.rig);
		}
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(parts[i].thread, NULL), 0);
			assert_int_equal(parts[i].wrong, 0);
		}
		pthread_barrier_destroy(&all.begin);
		pthread_barrier_destroy(&all.end);
		rig_close(&all.rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_do_not_disturb_each_other),
		cmocka_unit_test(threads_unmap_parts_of_one_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
