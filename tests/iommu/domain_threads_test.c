/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_threads_test.c - threads that map and unmap in one domain, each with a cache of its own.
 *
 * Each page of IOVAs that a thread has is marked as its own; what it looks up there must be what it
 * mapped. The IOMMU remembers one translation for each page until it is told to forget.
 */
#include "rig.h"

#include <busway/domain.h>

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, PAGES = 4096, THREADS = 3, LIVE = 24 };

struct shared {
	struct rig rig;
	struct busway_domain *domain;
	_Atomic uint32_t owner[PAGES];
	_Atomic uint64_t remembered[PAGES]; /* physical + 1; 0: nothing */
};

struct live {
	uint64_t iova, pages, phys;
};

struct worker {
	pthread_t thread;
	struct shared *shared;
	struct busway_iova_cache *cache;
	uint32_t name;
	unsigned wrong, mapped;
};

static void forget(void *ctx, const struct busway_invalidation *what)
{
	struct shared *s = ctx;
	const uint64_t last = what->iova.last.raw / PAGE;

	for (uint64_t i = what->iova.first.raw / PAGE; i < PAGES && i <= last; i++)
		atomic_store(&s->remembered[i], 0);
}

/* The device uses the pages; the IOMMU remembers where the first one led. */
static void use(struct worker *w, const struct live *l)
{
	struct shared *s = w->shared;

	for (uint64_t i = 0; i < l->pages; i++) {
		const uint64_t page = l->iova / PAGE + i;
		struct busway_translation found;
		uint64_t phys = atomic_load(&s->remembered[page]);

		if (!phys && busway_pagetable_lookup(busway_domain_table(s->domain),
						     busway_dma(page * PAGE), &found))
			phys = found.phys.raw + 1;
		w->wrong += phys != l->phys + i * PAGE + 1;
		w->wrong += atomic_load(&s->owner[page]) != w->name;
		atomic_store(&s->remembered[page], phys);
	}
}

static bool map(struct worker *w, struct rng *rng, struct live *l)
{
	struct shared *s = w->shared;
	const struct busway_iova_request where = {.align = rng_chance(rng, 20) ? 8 * PAGE : 1};
	struct busway_phys_range run;
	busway_dma_t iova;

	*l = (struct live){.pages = rng_between(rng, 1, 40), .phys = PAGE * rng_below(rng, 1 << 18)};
	run = rig_phys(l->phys, l->pages * PAGE);
	if (busway_domain_map(s->domain, w->cache, &where, &run, 1, BUSWAY_READ_WRITE, &iova, NULL))
		return false;
	l->iova = iova.raw;
	for (uint64_t i = 0; i < l->pages; i++)
		w->wrong += atomic_exchange(&s->owner[iova.raw / PAGE + i], w->name) != 0;
	w->mapped++;
	return true;
}

static void unmap(struct worker *w, const struct live *l)
{
	struct shared *s = w->shared;

	use(w, l);
	for (uint64_t i = 0; i < l->pages; i++)
		w->wrong += atomic_exchange(&s->owner[l->iova / PAGE + i], 0) != w->name;
	w->wrong += busway_domain_unmap(s->domain, w->cache, rig_range(l->iova, l->pages * PAGE), 0,
					NULL) != 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct rng rng = rng_of(random_seed() + w->name);
	struct live live[LIVE];
	size_t count = 0;

	for (unsigned step = 0; step < random_rounds(6000); step++) {
		if (count == LIVE || (count && rng_chance(&rng, 45))) {
			const size_t i = rng_below(&rng, count);

			unmap(w, &live[i]);
			live[i] = live[--count];
		} else if (map(w, &rng, &live[count])) {
			use(w, &live[count++]);
		}
	}
	while (count)
		unmap(w, &live[--count]);
	return NULL;
}

static void play(uint32_t deferred)
{
	static struct shared s;
	static struct worker workers[THREADS];
	struct busway_iova allowed;
	struct busway_domain_options options = {.invalidate = forget, .ctx = &s};

	memset(&s, 0, sizeof(s));
	rig_make(&s.rig, &table_cases[0]);
	rig_open(&s.rig);
	busway_intervals_init(&allowed.allowed, &s.rig.memory.allocator);
	allowed.removed = NULL;
	allowed.removed_count = 0;
	assert_int_equal(busway_intervals_add(&allowed.allowed,
					      (struct busway_range){0, PAGES * PAGE - 1}),
			 0);
	options.table = s.rig.options;
	options.tables = s.rig.tables;
	options.allowed = &allowed;
	options.deferred = deferred;
	options.depot_batches = 4;
	assert_int_equal(busway_domain_create(&options, &s.rig.memory.allocator, &s.domain), 0);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.shared = &s, .name = i + 1};
		assert_int_equal(busway_iova_cache_create(busway_domain_space(s.domain),
							  &workers[i].cache),
				 0);
	}
	for (uint32_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (uint32_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].wrong, 0);
		assert_true(workers[i].mapped > random_rounds(6000) / 4);
		busway_iova_cache_destroy(workers[i].cache);
	}
	assert_int_equal(busway_domain_destroy(s.domain), 0);
	busway_intervals_clear(&allowed.allowed);
	rig_close(&s.rig);
}

static void threads_do_not_meet_at_an_iova(void **state)
{
	(void)state;
	play(0);
}

static void nor_where_invalidations_are_deferred(void **state)
{
	(void)state;
	play(32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_do_not_meet_at_an_iova),
		cmocka_unit_test(nor_where_invalidations_are_deferred),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
