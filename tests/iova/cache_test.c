/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache_test.c - caches and their depot, by one thread.
 */
#include "model.h"

#include <string.h>

enum { CACHES = 3, RANGES = 2048 };

struct out {
	uint64_t first, size;
};

static struct busway_iova_census census_of(const struct model *model)
{
	struct busway_iova_census census;

	busway_iova_space_census(model->space, &census);
	return census;
}

/* ---- the model, with ranges that caches hold being free for whoever asks ---- */

static void take(struct model *model, struct busway_iova_cache *cache, struct rng *rng,
		 struct out *out, size_t *count)
{
	struct busway_iova_request request = {.size = rng_between(rng, 1, 40)};
	busway_dma_t first;
	int status;

	if (rng_chance(rng, 60))
		request.size = 1 + request.size % 3;
	if (rng_chance(rng, 20))
		request.align = (uint64_t)1 << rng_below(rng, 5);
	if (rng_chance(rng, 10))
		request.boundary = 64;
	if (rng_chance(rng, 30))
		request.last = model->base + rng_below(rng, model->size);
	if (*count == RANGES)
		return;
	status = busway_iova_cache_take(cache, &request, &first, NULL);
	assert_int_equal(status, model_has_place(model, &request) ? 0 : -BUSWAY_ERANGE);
	if (status)
		return;
	assert_true(model_place_serves(model, &request, first.raw));
	model_set(model, first.raw, request.size, MODEL_OUT);
	out[(*count)++] = (struct out){first.raw, request.size};
}

static void give(struct model *model, struct busway_iova_cache *cache, struct rng *rng,
		 struct out *out, size_t *count)
{
	const size_t i = *count ? (size_t)rng_below(rng, *count) : 0;
	const struct out one = out[i];

	if (!*count)
		return;
	out[i] = out[--*count];
	assert_int_equal(busway_iova_cache_give(cache, dma_range(one.first, one.size), NULL), 0);
	model_set(model, one.first, one.size, MODEL_FREE);
}

/*
 * What a cache holds is free in the model, and may not serve as it is (two halves that adjoin): it
 * is called back first. So whoever asks gets an answer as if there were no caches. A place that the
 * cache has and the limit forbids must not be handed out, either.
 */
static void answers_are_those_without_caches(void **state)
{
	static const struct busway_iova_options options[] = {{0}, {.depot_batches = 3}};
	static struct model model;
	static struct out out[RANGES];

	(void)state;
	for (unsigned round = 0; round < random_rounds(60); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_iova_cache *cache[CACHES];
		unsigned eager = 50;
		size_t count = 0;

		model_init(&model, 0x1000, (uint32_t)rng_between(&rng, 100, MODEL_SIZE));
		model_open(&model, &options[round % 2]);
		for (unsigned i = 0; i < CACHES; i++)
			assert_int_equal(busway_iova_cache_create(model.space, &cache[i]), 0);
		for (unsigned i = 0; i < 6000; i++) {
			struct busway_iova_cache *one = cache[rng_below(&rng, CACHES)];

			if (i % 500 == 0)
				eager = (unsigned)rng_between(&rng, 10, 90);
			if (rng_chance(&rng, eager))
				take(&model, one, &rng, out, &count);
			else
				give(&model, one, &rng, out, &count);
		}
		while (count)
			give(&model, cache[0], &rng, out, &count);
		assert_int_equal(busway_iova_space_destroy(model.space), -BUSWAY_EBUSY);
		busway_iova_space_flush(model.space);
		model_compare(&model);
		for (unsigned i = 0; i < CACHES; i++)
			busway_iova_cache_destroy(cache[i]);
		assert_int_equal(census_of(&model).double_frees, 0);
		model_close(&model);
	}
}

/* ---- what a cache keeps ---- */

static void cache_keeps_no_more_than_it_says(void **state)
{
	static const struct busway_iova_options options = {.depot_batches = 2};
	static uint64_t first[2000];
	static struct model model;
	struct busway_iova_cache *cache;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, &options);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	for (unsigned i = 0; i < 2000; i++) {
		const struct busway_iova_request one = {.size = 1};
		busway_dma_t dma;

		assert_int_equal(busway_iova_cache_take(cache, &one, &dma, NULL), 0);
		first[i] = dma.raw;
	}
	assert_int_equal(census_of(&model).cached, 0);
	for (unsigned i = 0; i < 2000; i++)
		assert_int_equal(busway_iova_cache_give(cache, dma_range(first[i], 1), NULL), 0);
	assert_int_equal(census_of(&model).cached, (2 + 2) * BUSWAY_IOVA_BATCH);
	assert_int_equal(census_of(&model).live, 0);
	assert_int_equal(census_of(&model).free, MODEL_SIZE - 4 * BUSWAY_IOVA_BATCH);
	busway_iova_cache_destroy(cache);
	assert_int_equal(census_of(&model).cached, 2 * BUSWAY_IOVA_BATCH);
	model_close(&model); /* calls the depot back */
}

/* What was called back leaves room, also for who only gives. */
static void cache_that_was_called_back_keeps_ranges_again(void **state)
{
	enum { GIVEN = 2 * BUSWAY_IOVA_BATCH };
	static struct model model;
	struct busway_iova_cache *cache;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, NULL);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	for (unsigned round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < GIVEN; i++)
			assert_int_equal(busway_iova_take_at(model.space,
							     dma_range(0x1000 + 2 * i, 1), NULL),
					 0);
		for (uint64_t i = 0; i < GIVEN; i++)
			assert_int_equal(
				busway_iova_cache_give(cache, dma_range(0x1000 + 2 * i, 1), NULL),
				0);
		assert_int_equal(census_of(&model).cached, GIVEN);
		busway_iova_space_flush(model.space);
		assert_int_equal(census_of(&model).cached, 0);
	}
	busway_iova_cache_destroy(cache);
	model_close(&model);
}

static void range_given_back_twice_is_found(void **state)
{
	static struct model model;
	const struct busway_iova_request two = {.size = 2}, large = {.size = MODEL_SIZE};
	struct busway_iova_cache *cache;
	struct busway_refusal why = {0};
	busway_dma_t a, b, c;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, NULL);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	assert_int_equal(busway_iova_cache_take(cache, &two, &a, NULL), 0);
	assert_int_equal(busway_iova_cache_take(cache, &two, &b, NULL), 0);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(a.raw, 2), NULL), 0);
	/* at once, if it was the last */
	assert_int_equal(busway_iova_cache_give(cache, dma_range(a.raw, 2), &why), -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_IOVA_NOT_TAKEN);
	/* or when the cache is called back */
	assert_int_equal(busway_iova_cache_give(cache, dma_range(b.raw, 2), NULL), 0);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(a.raw, 2), NULL), 0);
	assert_int_equal(census_of(&model).double_frees, 0);
	assert_int_equal(census_of(&model).live, 0);
	assert_int_equal(busway_iova_cache_take(cache, &large, &c, NULL), 0);
	assert_int_equal(census_of(&model).double_frees, 1);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(c.raw, MODEL_SIZE), NULL), 0);
	busway_iova_cache_destroy(cache);
	model_close(&model);
}

static void wrong_requests_are_refused(void **state)
{
	static struct model model;
	static const struct busway_iova_request wrong[] = {
		{.size = 0}, {.size = 1, .align = 3}, {.size = 1, .boundary = 6}};
	struct busway_iova_cache *cache;
	busway_dma_t dma;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, NULL);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	for (unsigned filled = 0; filled < 2; filled++) {
		for (size_t i = 0; i < COUNT(wrong); i++) {
			assert_int_equal(busway_iova_cache_take(cache, &wrong[i], &dma, NULL),
					 -BUSWAY_EINVAL);
			assert_int_equal(busway_iova_take(model.space, &wrong[i], &dma, NULL),
					 -BUSWAY_EINVAL);
		}
		assert_int_equal(
			busway_iova_take_at(model.space, dma_range(0x1000 + filled, 1), NULL), 0);
		assert_int_equal(busway_iova_cache_give(cache, dma_range(0x1000 + filled, 1), NULL),
				 0);
	}
	/* what never was of the space */
	assert_int_equal(busway_iova_cache_give(cache, dma_range(0xfff, 1), NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(0x1000 + MODEL_SIZE, 1), NULL),
			 -BUSWAY_ERANGE);
	busway_iova_cache_destroy(cache);
	model_close(&model);
}

/* ---- below and above a limit ---- */

enum { PAGE = 4096, SOME = 5 };

struct two_sides {
	struct test_memory memory;
	struct busway_intervals allowed;
	struct busway_iova_space *space;
	struct busway_iova_cache *cache;
};

/* So many pages below 4 GiB, and as many above. */
static void open_two_sides(struct two_sides *two, uint64_t pages,
			   const struct busway_iova_options *options)
{
	const uint64_t middle = (uint64_t)1 << 32;

	test_memory_open(&two->memory);
	busway_intervals_init(&two->allowed, &two->memory.allocator);
	assert_int_equal(busway_intervals_add(&two->allowed,
					      (struct busway_range){middle - pages * PAGE,
								    middle + pages * PAGE - 1}),
			 0);
	assert_int_equal(busway_iova_space_create(&two->allowed, NULL, options,
						  &two->memory.allocator, &two->space),
			 0);
	assert_int_equal(busway_iova_cache_create(two->space, &two->cache), 0);
}

static void close_two_sides(struct two_sides *two)
{
	busway_iova_cache_destroy(two->cache);
	assert_int_equal(busway_iova_space_destroy(two->space), 0);
	busway_intervals_clear(&two->allowed);
	test_memory_close(&two->memory);
}

static uint64_t cached_in(const struct two_sides *two)
{
	struct busway_iova_census census;

	busway_iova_space_census(two->space, &census);
	return census.cached;
}

/* @count pages out by @cache, lowest first, and back into it. */
static void cache_pages(struct two_sides *two, uint64_t count)
{
	const struct busway_iova_request page = {.size = PAGE};
	static busway_dma_t first[4096];

	assert_true(count <= COUNT(first));
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(busway_iova_cache_take(two->cache, &page, &first[i], NULL), 0);
	for (uint64_t i = 0; i < count; i++)
		assert_int_equal(
			busway_iova_cache_give(two->cache, dma_range(first[i].raw, PAGE), NULL), 0);
}

/* All that is low is cached: whoever prefers it gets it, and what is cached above stays there. */
static void low_ranges_are_called_back_before_high_ones_are_given(void **state)
{
	static const struct busway_iova_options options[] = {{0}, {.depot_batches = 8}};
	struct busway_iova_request low = {.prefer_low = true};
	const struct busway_iova_request page = {.size = PAGE, .prefer_low = true};
	static const uint64_t pages[] = {SOME, 3 * BUSWAY_IOVA_BATCH};

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		struct two_sides two;
		busway_dma_t a, b, c;

		open_two_sides(&two, pages[i % 2], &options[i % 2]);
		cache_pages(&two, pages[i % 2] + 2);
		assert_int_equal(cached_in(&two), pages[i % 2] + 2);
		low.size = pages[i % 2] * PAGE;
		if (i < 2)
			assert_int_equal(busway_iova_take(two.space, &low, &a, NULL), 0);
		else
			assert_int_equal(busway_iova_cache_take(two.cache, &low, &a, NULL), 0);
		assert_int_equal(a.raw + low.size - 1, UINT32_MAX);
		assert_int_equal(cached_in(&two), 2);
		assert_int_equal(busway_iova_give(two.space, dma_range(a.raw, low.size), NULL), 0);
		assert_int_equal(busway_iova_cache_take(two.cache, &page, &b, NULL), 0);
		assert_true(b.raw <= UINT32_MAX);
		/* and when nothing low is left, what the cache has above */
		while (busway_iova_cache_take(two.cache, &page, &c, NULL) == 0 &&
		       c.raw <= UINT32_MAX)
			;
		assert_int_equal(cached_in(&two), 1);
		for (uint64_t at = ((uint64_t)1 << 32) - pages[i % 2] * PAGE; at <= UINT32_MAX;
		     at += PAGE)
			assert_int_equal(busway_iova_give(two.space, dma_range(at, PAGE), NULL), 0);
		assert_int_equal(busway_iova_give(two.space, dma_range(c.raw, PAGE), NULL), 0);
		close_two_sides(&two);
	}
}

/* Whoever has a limit calls back what begins below it, and nothing else. */
static void caches_keep_what_lies_beyond_the_limit(void **state)
{
	const uint64_t middle = (uint64_t)1 << 32;
	struct two_sides two;
	busway_dma_t dma;

	(void)state;
	for (uint64_t limit = middle - 3 * PAGE; limit <= middle + 3 * PAGE; limit += PAGE) {
		const struct busway_iova_request all = {.size = 2 * SOME * PAGE, .last = limit - 1};

		open_two_sides(&two, SOME, NULL);
		cache_pages(&two, 2 * SOME);
		assert_int_equal(busway_iova_take(two.space, &all, &dma, NULL), -BUSWAY_ERANGE);
		assert_int_equal(cached_in(&two), (middle + SOME * PAGE - limit) / PAGE);
		close_two_sides(&two);
	}
}

/* ---- how much is called back ---- */

static void no_more_is_called_back_than_is_wanted(void **state)
{
	enum { PAGES = 20 * BUSWAY_IOVA_BATCH };
	static const struct busway_iova_options depot = {.depot_batches = 64};
	const struct busway_iova_request some = {.size = SOME * PAGE};
	const struct busway_iova_request most = {.size = PAGES * PAGE};
	struct two_sides two;
	busway_dma_t dma;

	(void)state;
	open_two_sides(&two, PAGES / 2, &depot);
	cache_pages(&two, PAGES);
	assert_int_equal(cached_in(&two), PAGES);
	assert_int_equal(busway_iova_take(two.space, &some, &dma, NULL), 0);
	assert_int_equal(cached_in(&two), PAGES - BUSWAY_IOVA_BATCH);
	assert_int_equal(busway_iova_give(two.space, dma_range(dma.raw, SOME * PAGE), NULL), 0);
	/* and all, where all is wanted */
	assert_int_equal(busway_iova_take(two.space, &most, &dma, NULL), 0);
	assert_int_equal(cached_in(&two), 0);
	assert_int_equal(busway_iova_give(two.space, dma_range(dma.raw, PAGES * PAGE), NULL), 0);
	close_two_sides(&two);
}

/* Where nothing that comes back could help, everything stays where it is. */
static void nothing_is_called_back_in_vain(void **state)
{
	const uint64_t middle = (uint64_t)1 << 32;
	const struct busway_iova_request vain[] = {
		{.size = (2 * SOME + 1) * PAGE},
		{.size = 2 * PAGE, .last = 2 * PAGE - 2},
		{.size = 4 * PAGE, .boundary = 2 * PAGE},
	};
	struct two_sides two;
	busway_dma_t dma;

	(void)state;
	open_two_sides(&two, SOME, NULL);
	cache_pages(&two, 2 * SOME - 1);
	for (size_t i = 0; i < COUNT(vain); i++)
		assert_int_equal(busway_iova_take(two.space, &vain[i], &dma, NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_reserve(two.space,
					     (struct busway_range){middle + (SOME - 1) * PAGE,
								   middle + SOME * PAGE - 1},
					     "somebody", NULL),
			 0);
	/* who wants a given place: it is reserved; it was never allowed */
	for (uint64_t i = 0; i < 2; i++)
		assert_int_equal(
			busway_iova_take_at(two.space,
					    dma_range(middle + (SOME - 1 + i) * PAGE, PAGE), NULL),
			-BUSWAY_ERANGE);
	assert_int_equal(cached_in(&two), 2 * SOME - 1);
	/* it is free, and nothing beyond it comes back */
	assert_int_equal(busway_iova_take_at(two.space, dma_range(middle, PAGE), NULL), 0);
	assert_int_equal(cached_in(&two), SOME - 2);
	assert_int_equal(busway_iova_give(two.space, dma_range(middle, PAGE), NULL), 0);
	close_two_sides(&two);
}

/*
 * Two granules of each four are free, in many leaves, none at a multiple of 64; the one that is
 * lies in a cache, and adjoins a free one. It is found wherever it is.
 */
static void aligned_place_that_comes_back_is_found_among_many(void **state)
{
	const struct busway_iova_request aligned = {.size = 1, .align = 64};
	static struct model model;
	struct busway_iova_cache *cache;
	busway_dma_t dma;

	(void)state;
	model_init(&model, 0x1000, MODEL_SIZE);
	model_open(&model, NULL);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	assert_int_equal(busway_iova_take_at(model.space, dma_range(0x1000, MODEL_SIZE), NULL), 0);
	for (uint64_t at = 0x1000; at < 0x1000 + MODEL_SIZE; at += 4)
		assert_int_equal(busway_iova_give(model.space, dma_range(at + 1, 2), NULL), 0);
	for (uint64_t at = 0x1000; at < 0x1000 + MODEL_SIZE; at += 64) {
		assert_int_equal(busway_iova_take_at(model.space, dma_range(at + 2, 1), NULL), 0);
		assert_int_equal(busway_iova_cache_give(cache, dma_range(at, 1), NULL), 0);
		assert_int_equal(busway_iova_take(model.space, &aligned, &dma, NULL), 0);
		assert_int_equal(dma.raw, at);
		assert_int_equal(busway_iova_give(model.space, dma_range(at + 2, 1), NULL), 0);
	}
	for (uint64_t at = 0x1000; at < 0x1000 + MODEL_SIZE; at += 4) {
		assert_int_equal(busway_iova_give(model.space, dma_range(at, 1), NULL), 0);
		assert_int_equal(busway_iova_give(model.space, dma_range(at + 3, 1), NULL), 0);
	}
	busway_iova_cache_destroy(cache);
	model_close(&model);
}

/* Batches that were emptied serve again, also where the limit of who asked was low. */
static void depot_that_was_called_back_keeps_ranges_again(void **state)
{
	enum { BATCHES = 3, PAGES = (2 + BATCHES) * BUSWAY_IOVA_BATCH };
	static const struct busway_iova_options depot = {.depot_batches = BATCHES};
	const uint64_t middle = (uint64_t)1 << 32;
	const struct busway_iova_request all = {.size = PAGES * PAGE + PAGE, .last = middle - 1};
	struct two_sides two;
	busway_dma_t dma;

	(void)state;
	open_two_sides(&two, PAGES, &depot);
	for (unsigned round = 0; round < 3; round++) {
		cache_pages(&two, PAGES);
		assert_int_equal(cached_in(&two), PAGES);
		assert_int_equal(busway_iova_take(two.space, &all, &dma, NULL), -BUSWAY_ERANGE);
		assert_int_equal(cached_in(&two), 0);
	}
	close_two_sides(&two);
}

/* The depot, too, keeps what lies beyond, where nothing of that size begins below the limit. */
static void depot_keeps_what_lies_beyond_the_limit(void **state)
{
	enum { PAGES = 5 * BUSWAY_IOVA_BATCH };
	static const struct busway_iova_options depot = {.depot_batches = 3};
	const struct busway_iova_request low = {.size = SOME * PAGE, .last = UINT32_MAX};
	const struct busway_iova_request two_pages = {.size = 2 * PAGE};
	struct two_sides two;
	busway_dma_t dma, all;

	(void)state;
	open_two_sides(&two, PAGES, &depot);
	assert_int_equal(busway_iova_cache_take(two.cache, &two_pages, &dma, NULL), 0);
	assert_true(dma.raw <= UINT32_MAX);
	assert_int_equal(busway_iova_take_at(two.space,
					     dma_range(dma.raw + 2 * PAGE, (PAGES - 2) * PAGE),
					     NULL),
			 0);
	/* pages are above 4 GiB, and two that adjoin are below */
	cache_pages(&two, PAGES);
	assert_int_equal(busway_iova_cache_give(two.cache, dma_range(dma.raw, 2 * PAGE), NULL), 0);
	assert_int_equal(cached_in(&two), PAGES + 2);
	assert_int_equal(busway_iova_take(two.space, &low, &all, NULL), -BUSWAY_ERANGE);
	assert_int_equal(cached_in(&two), PAGES);
	assert_int_equal(busway_iova_give(two.space,
					  dma_range(dma.raw + 2 * PAGE, (PAGES - 2) * PAGE), NULL),
			 0);
	close_two_sides(&two);
}

/* What one cache gave to the depot and another has from there is known to be in the other. */
static void what_came_from_the_depot_is_called_back(void **state)
{
	enum { PAGES = 3 * BUSWAY_IOVA_BATCH };
	static const struct busway_iova_options depot = {.depot_batches = 1};
	const struct busway_iova_request page = {.size = PAGE};
	struct busway_iova_cache *other;
	struct two_sides two;
	busway_dma_t dma;

	(void)state;
	open_two_sides(&two, PAGES, &depot);
	assert_int_equal(busway_iova_cache_create(two.space, &other), 0);
	cache_pages(&two, PAGES);
	assert_int_equal(busway_iova_cache_take(other, &page, &dma, NULL), 0);
	assert_int_equal(cached_in(&two), PAGES - 1);
	busway_iova_space_flush(two.space);
	assert_int_equal(cached_in(&two), 0);
	assert_int_equal(busway_iova_give(two.space, dma_range(dma.raw, PAGE), NULL), 0);
	busway_iova_cache_destroy(other);
	close_two_sides(&two);
}

static void limit_inside_a_cached_granule_excludes_it(void **state)
{
	static const struct busway_iova_options ends = {.use_ends = true};
	const struct busway_iova_request inside = {.size = 1, .last = PAGE / 2};
	const struct busway_iova_request just = {.size = 1, .last = PAGE - 1};
	struct busway_range page = {0, PAGE - 1};
	const struct busway_intervals allowed = {.runs = &page, .count = 1};
	struct busway_iova_space *space;
	struct busway_iova_cache *cache;
	struct test_memory memory;
	busway_dma_t dma;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_iova_space_create(&allowed, NULL, &ends, &memory.allocator, &space),
			 0);
	assert_int_equal(busway_iova_cache_create(space, &cache), 0);
	assert_int_equal(busway_iova_cache_take(cache, &just, &dma, NULL), 0);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(0, PAGE), NULL), 0);
	assert_int_equal(busway_iova_cache_take(cache, &inside, &dma, NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_cache_take(cache, &just, &dma, NULL), 0);
	assert_int_equal(dma.raw, 0);
	assert_int_equal(busway_iova_cache_give(cache, dma_range(0, PAGE), NULL), 0);
	busway_iova_cache_destroy(cache);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);
}

/* Where a granule is a large part of all addresses, sizes are a few granules at most, or none. */
static void huge_granules_are_not_cached(void **state)
{
	struct busway_range all = BUSWAY_RANGE_ALL;
	const struct busway_intervals allowed = {.runs = &all, .count = 1};

	(void)state;
	for (unsigned bit = 56; bit < 63; bit++) {
		const uint64_t granule = (uint64_t)1 << bit;
		const struct busway_iova_options options = {.granule = granule};
		const struct busway_iova_request one = {.size = granule}, none = {.size = 0};
		struct busway_iova_census census;
		struct busway_iova_space *space;
		struct busway_iova_cache *cache;
		struct test_memory memory;
		busway_dma_t dma;

		test_memory_open(&memory);
		assert_int_equal(busway_iova_space_create(&allowed, NULL, &options,
							  &memory.allocator, &space),
				 0);
		assert_int_equal(busway_iova_cache_create(space, &cache), 0);
		assert_int_equal(busway_iova_cache_take(cache, &none, &dma, NULL), -BUSWAY_EINVAL);
		assert_int_equal(busway_iova_cache_take(cache, &one, &dma, NULL), 0);
		assert_int_equal(dma.raw, granule);
		assert_int_equal(busway_iova_cache_give(cache, dma_range(dma.raw, granule), NULL),
				 0);
		busway_iova_space_census(space, &census);
		assert_int_equal(census.cached, bit < 59);
		assert_int_equal(busway_iova_cache_give(
					 cache, (struct busway_dma_range){{granule}, {0}}, NULL),
				 -BUSWAY_EINVAL);
		busway_iova_cache_destroy(cache);
		assert_int_equal(busway_iova_space_destroy(space), 0);
		test_memory_close(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_those_without_caches),
		cmocka_unit_test(cache_keeps_no_more_than_it_says),
		cmocka_unit_test(cache_that_was_called_back_keeps_ranges_again),
		cmocka_unit_test(range_given_back_twice_is_found),
		cmocka_unit_test(wrong_requests_are_refused),
		cmocka_unit_test(low_ranges_are_called_back_before_high_ones_are_given),
		cmocka_unit_test(caches_keep_what_lies_beyond_the_limit),
		cmocka_unit_test(no_more_is_called_back_than_is_wanted),
		cmocka_unit_test(nothing_is_called_back_in_vain),
		cmocka_unit_test(aligned_place_that_comes_back_is_found_among_many),
		cmocka_unit_test(depot_that_was_called_back_keeps_ranges_again),
		cmocka_unit_test(depot_keeps_what_lies_beyond_the_limit),
		cmocka_unit_test(what_came_from_the_depot_is_called_back),
		cmocka_unit_test(limit_inside_a_cached_granule_excludes_it),
		cmocka_unit_test(huge_granules_are_not_cached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
