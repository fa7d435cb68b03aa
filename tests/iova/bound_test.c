/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bound_test.c - how many nodes of the tree one call looks at: the most of a long run, not the
 * mean.
 *
 * A clock shows what else a machine does; this test is built with a tree that counts. The bounds
 * are those that <busway/iova_space.h> states.
 */
#include "model.h"

#include "../../src/iova/space_internal.h"

#include <stdlib.h>

_Thread_local unsigned long tree_visits;

enum { LIVE = 1000000, CALLS = 100000 };

enum call { TAKE, TAKE_BELOW, TAKE_ALIGNED, TAKE_AT, GIVE, RESERVE, RELEASE, CALL_KINDS };

struct out {
	uint64_t first, size;
};

struct run {
	struct test_memory memory;
	struct busway_iova_space *space;
	struct rng rng;
	struct out *out;
	size_t count;
	uint64_t least, most, last;
	unsigned long worst[CALL_KINDS], refused, visits;
	uint32_t levels; /* the most that there were */
};

static void note(struct run *run, enum call call)
{
	if (tree_visits > run->worst[call])
		run->worst[call] = tree_visits;
	if (run->space->extents.height + 1 > run->levels)
		run->levels = run->space->extents.height + 1;
}

static void take(struct run *run, enum call call)
{
	const uint64_t size = rng_between(&run->rng, run->least, run->most);
	struct busway_iova_request request = {.size = size};
	busway_dma_t first;
	int status;

	if (call == TAKE_BELOW)
		request.last = rng_between(&run->rng, run->last / 4, run->last);
	if (call == TAKE_ALIGNED)
		for (request.align = 1; request.align < size;)
			request.align *= 2;
	tree_visits = 0;
	status = busway_iova_take(run->space, &request, &first, NULL);
	note(run, call);
	run->refused += status == -BUSWAY_ERANGE;
	if (status == 0)
		run->out[run->count++] = (struct out){first.raw, size};
}

static void give(struct run *run)
{
	const size_t i = (size_t)rng_below(&run->rng, run->count);

	tree_visits = 0;
	assert_int_equal(
		busway_iova_give(run->space, dma_range(run->out[i].first, run->out[i].size), NULL),
		0);
	note(run, GIVE);
	run->out[i] = run->out[--run->count];
}

/* A free extent somewhere is taken by address, or reserved for a moment. */
static void take_there(struct run *run, enum call call)
{
	struct busway_range extent;
	int status;

	if (!busway_iova_next_free(run->space, rng_below(&run->rng, run->last), &extent) ||
	    extent.last - extent.first > run->most)
		return;
	tree_visits = 0;
	if (call == TAKE_AT) {
		status = busway_iova_take_at(
			run->space, dma_range(extent.first, extent.last - extent.first + 1), NULL);
		note(run, TAKE_AT);
		assert_int_equal(status, 0);
		run->out[run->count++] = (struct out){extent.first, extent.last - extent.first + 1};
		return;
	}
	assert_int_equal(busway_iova_reserve(run->space, extent, "nobody", NULL), 0);
	note(run, RESERVE);
	tree_visits = 0;
	assert_int_equal(busway_iova_release(run->space, extent.first), 0);
	note(run, RELEASE);
}

static void any_call(struct run *run, bool aligned)
{
	const uint64_t what = rng_below(&run->rng, 100);

	if (run->count && what < 50)
		give(run);
	else if (run->count + 1 >= LIVE + CALLS)
		return;
	else if (what < 70)
		take(run, TAKE);
	else if (what < 90)
		take(run, TAKE_BELOW);
	else if (what < 96)
		take(run, aligned ? TAKE_ALIGNED : TAKE);
	else
		take_there(run, what < 98 ? TAKE_AT : RESERVE);
}

static void print_worst(const struct run *run, const char *what)
{
	print_message(
		"# %s, %u levels, %zu extents: nodes looked at by take %lu, below a limit %lu, "
		"aligned %lu, at %lu, give %lu, reserve %lu, release %lu; %lu refused\n",
		what, run->levels, run->space->extents.count, run->worst[TAKE],
		run->worst[TAKE_BELOW], run->worst[TAKE_ALIGNED], run->worst[TAKE_AT],
		run->worst[GIVE], run->worst[RESERVE], run->worst[RELEASE], run->refused);
}

static void live_through(struct run *run, uint64_t granules, size_t live, bool aligned)
{
	static const struct busway_iova_options options = {.granule = 1};
	struct busway_range range = {1, granules};
	const struct busway_intervals allowed = {.runs = &range, .count = 1};

	test_memory_open(&run->memory);
	assert_int_equal(busway_iova_space_create(&allowed, NULL, &options, &run->memory.allocator,
						  &run->space),
			 0);
	run->out = malloc((LIVE + CALLS) * sizeof(*run->out));
	assert_non_null(run->out);
	run->last = granules;
	while (run->count < live && !run->refused)
		take(run, TAKE);
	/* holes everywhere, and some of them filled again */
	for (size_t i = run->count / 8; i > 0; i--)
		give(run);
	run->refused = 0;
	for (unsigned i = 0; i < random_rounds(CALLS); i++)
		any_call(run, aligned);
	print_worst(run, aligned ? "ample" : "crowded");
	while (run->count)
		give(run);
	free(run->out);
	assert_int_equal(busway_iova_space_destroy(run->space), 0);
	test_memory_close(&run->memory);
}

/* Nodes on the way down, told of a change on the way up, and those that a split or a join is about.
 */
static unsigned long bound_of(const struct run *run, unsigned leaves)
{
	return (leaves + 12ul) * run->levels;
}

static void check_all_but_takes(const struct run *run)
{
	assert_true(run->worst[TAKE_AT] <= bound_of(run, 0));
	assert_true(run->worst[GIVE] <= bound_of(run, 0));
	assert_true(run->worst[RESERVE] <= 2 * bound_of(run, 0));
	assert_true(run->worst[RELEASE] <= 2 * bound_of(run, 0));
}

static void few_nodes_are_looked_at_among_a_million_ranges(void **state)
{
	struct run run = {.rng = rng_of(random_seed()), .least = 64, .most = 512};

	(void)state;
	live_through(&run, (uint64_t)1 << 36, LIVE, true);
	assert_true(run.levels >= 4);
	assert_true(run.worst[TAKE] <= bound_of(&run, 5));
	/* below a low limit it may be crowded where all is not */
	assert_true(run.worst[TAKE_BELOW] <= bound_of(&run, 128));
	assert_true(run.worst[TAKE_ALIGNED] <= bound_of(&run, 2 * 9 + 1));
	check_all_but_takes(&run);
}

static void number_of_nodes_is_bounded_where_space_runs_out(void **state)
{
	static const struct {
		uint64_t least, most, granules;
	} kinds[] = {{33, 128, 1 << 22}, {1, 8, 1 << 19}, {513, 2000, 1 << 26}};

	(void)state;
	for (size_t i = 0; i < COUNT(kinds); i++) {
		struct run run = {.rng = rng_of(random_seed()),
				  .least = kinds[i].least,
				  .most = kinds[i].most};

		live_through(&run, kinds[i].granules, LIVE, false);
		assert_true(run.levels >= 3);
		assert_true(run.worst[TAKE] <= bound_of(&run, 128));
		assert_true(run.worst[TAKE_BELOW] <= bound_of(&run, 128));
		check_all_but_takes(&run);
	}
}

/* ---- refusals, with a full depot ---- */

enum { COMB = 1 << 15, BATCHES = COMB / BUSWAY_IOVA_BATCH, REFUSALS = 64 };

/* Single granules, every second of them in the caches and their depot: no two are free together. */
static void cache_a_comb(struct busway_iova_cache *const cache[2])
{
	const struct busway_iova_request one = {.size = 1};
	busway_dma_t first;

	for (uint64_t i = 0; i < 2 * COMB; i++)
		assert_int_equal(busway_iova_cache_take(cache[0], &one, &first, NULL), 0);
	for (uint64_t i = 0; i < COMB; i++) {
		/* in an order of its own: an odd factor */
		const uint64_t at = 2 + 2 * (i * 48271 % COMB);

		assert_int_equal(busway_iova_cache_give(cache[i % 16 == 0], dma_range(at, 1), NULL),
				 0);
	}
}

static void open_comb(struct run *run, struct busway_iova_cache *cache[2])
{
	static const struct busway_iova_options options = {.granule = 1, .depot_batches = BATCHES};
	struct busway_range range = {1, 2 * COMB};
	const struct busway_intervals allowed = {.runs = &range, .count = 1};

	test_memory_open(&run->memory);
	assert_int_equal(busway_iova_space_create(&allowed, NULL, &options, &run->memory.allocator,
						  &run->space),
			 0);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(busway_iova_cache_create(run->space, &cache[i]), 0);
	cache_a_comb(cache);
}

static void close_comb(struct run *run, struct busway_iova_cache *cache[2])
{
	for (uint64_t i = 0; i < COMB; i++)
		assert_int_equal(busway_iova_give(run->space, dma_range(1 + 2 * i, 1), NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		busway_iova_cache_destroy(cache[i]);
	assert_int_equal(busway_iova_space_destroy(run->space), 0);
	test_memory_close(&run->memory);
}

/* Few nodes are looked at, and so many slots and nodes for what is called back. */
static void refuse(struct run *run, uint64_t last, unsigned long slots, unsigned long ranges)
{
	const struct busway_iova_request four = {.size = 4, .last = last};
	busway_dma_t first;

	tree_visits = 0;
	assert_int_equal(busway_iova_take(run->space, &four, &first, NULL), -BUSWAY_ERANGE);
	run->levels = run->space->extents.height + 1;
	run->visits += tree_visits;
	assert_true(tree_visits <= bound_of(run, 5) + slots + ranges * bound_of(run, 0));
}

static void refusal_looks_at_nothing_that_it_called_back_before(void **state)
{
	(void)state;
	for (unsigned limited = 0; limited < 2; limited++) {
		const uint64_t last = limited ? 2 * COMB - 1 : 0;
		struct busway_iova_cache *cache[2];
		struct run run = {0};

		open_comb(&run, cache);
		refuse(&run, last, COMB, COMB);
		for (unsigned i = 0; i < REFUSALS; i++)
			refuse(&run, last, 0, 0);
		/* the slots of one cache again, where something has come into it */
		assert_int_equal(busway_iova_cache_give(cache[0], dma_range(3, 1), NULL), 0);
		refuse(&run, last, 2 * BUSWAY_IOVA_BATCH, 1);
		assert_int_equal(busway_iova_take_at(run.space, dma_range(3, 1), NULL), 0);
		close_comb(&run, cache);
	}
}

/* Each limit is new, and something more lies below it. */
static void depot_is_walked_once_whatever_the_limits(void **state)
{
	struct busway_iova_cache *cache[2];
	struct run run = {0};

	(void)state;
	open_comb(&run, cache);
	for (uint64_t i = 1; i <= REFUSALS; i++)
		refuse(&run, i * (2 * COMB / REFUSALS), COMB, COMB);
	assert_true(run.visits <= COMB * (1 + bound_of(&run, 0)) +
					  REFUSALS * (bound_of(&run, 5) + 4 * BUSWAY_IOVA_BATCH));
	close_comb(&run, cache);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_nodes_are_looked_at_among_a_million_ranges),
		cmocka_unit_test(refusal_looks_at_nothing_that_it_called_back_before),
		cmocka_unit_test(depot_is_walked_once_whatever_the_limits),
		cmocka_unit_test(number_of_nodes_is_bounded_where_space_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
