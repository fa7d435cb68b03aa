/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c - several threads map and unmap in one table, each its own IOVAs.
 *
 * The IOVAs of the threads take turns page by page, so that all of them meet in the same tables, and
 * each of them also has whole tables of its own, which it maps and gives up. The thread sanitizer
 * judges the rest.
 */
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
