/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c - one space, a cache for each thread, and too little room for all.
 *
 * Each granule has an owner word that only who holds the range may write, without any lock: two
 * threads with the same granule are seen by the words, and by the thread sanitizer.
 */
#include "model.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 4, STEPS = 20000, LIVE = 160, GRANULES = 2048 };

static unsigned owner[GRANULES];

struct worker {
	pthread_t thread;
	struct busway_iova_space *space;
	struct busway_iova_cache *cache;
	uint64_t seed;
	unsigned id, wrong, refused;
	uint64_t first[LIVE], size[LIVE];
};

static void mark(struct worker *w, unsigned i, unsigned from, unsigned to)
{
	for (uint64_t at = w->first[i]; at - w->first[i] < w->size[i]; at++) {
		w->wrong += owner[at - 1] != from;
		owner[at - 1] = to;
	}
}

static void take(struct worker *w, struct rng *rng, unsigned i)
{
	const struct busway_iova_request request = {.size = rng_between(rng, 1, 34),
						    .last = rng_chance(rng, 10) ? GRANULES / 2 : 0};
	busway_dma_t first;
	const int status = rng_chance(rng, 90)
				   ? busway_iova_cache_take(w->cache, &request, &first, NULL)
				   : busway_iova_take(w->space, &request, &first, NULL);

	w->refused += status == -BUSWAY_ERANGE;
	w->wrong += status != 0 && status != -BUSWAY_ERANGE;
	if (status)
		return;
	w->first[i] = first.raw;
	w->size[i] = request.size;
	mark(w, i, 0, w->id);
}

static void give(struct worker *w, struct rng *rng, unsigned i)
{
	const struct busway_dma_range range = dma_range(w->first[i], w->size[i]);

	mark(w, i, w->id, 0);
	w->size[i] = 0;
	w->wrong += (rng_chance(rng, 90) ? busway_iova_cache_give(w->cache, range, NULL)
					 : busway_iova_give(w->space, range, NULL)) != 0;
}

static void *work(void *argument)
{
	struct worker *w = argument;
	struct rng rng = rng_of(w->seed);

	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned i = (unsigned)rng_below(&rng, LIVE);

		if (w->size[i])
			give(w, &rng, i);
		else
			take(w, &rng, i);
	}
	for (unsigned i = 0; i < LIVE; i++)
		if (w->size[i])
			give(w, &rng, i);
	return NULL;
}

static void nothing_is_handed_out_twice(void **state)
{
	static const struct busway_iova_options options = {.depot_batches = 4};
	static struct worker workers[THREADS];
	static struct model model;
	struct busway_iova_census census;

	(void)state;
	model_init(&model, 1, GRANULES);
	model_open(&model, &options);
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.space = model.space, .id = i + 1, .seed = random_seed() + i};
		assert_int_equal(busway_iova_cache_create(model.space, &workers[i].cache), 0);
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < 20; i++) {
		busway_iova_space_flush(model.space);
		busway_iova_space_census(model.space, &census);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
		assert_true(workers[i].refused >
			    0); /* caches were called back while others used them */
	}
	for (unsigned i = 0; i < THREADS; i++)
		busway_iova_cache_destroy(workers[i].cache);
	busway_iova_space_flush(model.space);
	busway_iova_space_census(model.space, &census);
	assert_int_equal(census.double_frees, 0);
	model_compare(&model);
	model_close(&model);
}

/* ---- an owner, and somebody who calls back all the time ---- */

enum { TURNS = 120000, HELD = 8 };

struct caller {
	struct busway_iova_space *space;
	atomic_bool done;
};

static void *call_back(void *argument)
{
	struct caller *caller = argument;

	while (!atomic_load(&caller->done))
		busway_iova_space_flush(caller->space);
	return NULL;
}

/* A range that both got is given back by both: that is found as soon as it is called back. */
static void range_that_is_called_back_is_not_the_owners_any_more(void **state)
{
	const struct busway_iova_request one = {.size = 1};
	static struct model model;
	struct busway_iova_census census;
	struct busway_iova_cache *cache;
	struct caller caller = {.done = false};
	busway_dma_t held[HELD];
	pthread_t thread;

	(void)state;
	model_init(&model, 1, GRANULES);
	model_open(&model, NULL);
	caller.space = model.space;
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_back, &caller), 0);
	for (unsigned turn = 0; turn < random_rounds(TURNS); turn++) {
		for (unsigned i = 0; i < HELD; i++)
			assert_int_equal(busway_iova_cache_take(cache, &one, &held[i], NULL), 0);
		for (unsigned i = 0; i < HELD; i++)
			for (unsigned j = 0; j < i; j++)
				assert_true(held[i].raw != held[j].raw);
		for (unsigned i = 0; i < HELD; i++)
			assert_int_equal(
				busway_iova_cache_give(cache, dma_range(held[i].raw, 1), NULL), 0);
		/* a cache to which nothing is given is not called back: both at once, now */
		for (unsigned i = 0; i < HELD; i++) {
			assert_int_equal(busway_iova_cache_take(cache, &one, &held[0], NULL), 0);
			assert_int_equal(
				busway_iova_cache_give(cache, dma_range(held[0].raw, 1), NULL), 0);
		}
	}
	atomic_store(&caller.done, true);
	pthread_join(thread, NULL);
	busway_iova_cache_destroy(cache);
	busway_iova_space_census(model.space, &census);
	assert_int_equal(census.double_frees, 0);
	model_compare(&model);
	model_close(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_handed_out_twice),
		cmocka_unit_test(range_that_is_called_back_is_not_the_owners_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
