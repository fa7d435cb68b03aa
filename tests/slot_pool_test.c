/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_pool_test.c - slots for many threads: src/pool/slot_pool.h.
 *
 * Each thread writes its name into the slots that it was given: nobody else may be in them.
 */
#include "../src/pool/slot_pool.h"
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

#include <pthread.h>
#include <stdlib.h>

enum { SLOTS = 2048, LIVE = 64, THREADS = 4 };

struct worker {
	pthread_t thread;
	struct slot_pool *pool;
	_Atomic uint8_t *owner;
	uint32_t name;
	unsigned steps;
	unsigned clashes, misplaced;
	struct slot_wish live[LIVE]; /* .phase: where it lies */
	unsigned live_count;
	struct rng rng;
};

static void take(struct worker *w)
{
	struct slot_wish wish = {1, 1, 0, NULL, false};
	uint32_t first;

	wish.count = (uint32_t)rng_between(&w->rng, 1, 40);
	wish.align = (uint32_t)1 << rng_below(&w->rng, 3);
	wish.phase = (uint32_t)rng_below(&w->rng, wish.align);
	first = slot_pool_take(w->pool, &wish, w->name);
	if (first == SLOT_NONE)
		return;
	w->misplaced += (first & (wish.align - 1)) != wish.phase || first + wish.count > SLOTS;
	for (uint32_t i = first; i < first + wish.count; i++)
		w->clashes += atomic_exchange(&w->owner[i], (uint8_t)(w->name + 1)) != 0;
	wish.phase = first;
	w->live[w->live_count++] = wish;
}

static void give(struct worker *w, unsigned which)
{
	const struct slot_wish was = w->live[which];

	for (uint32_t i = was.phase; i < was.phase + was.count; i++)
		w->clashes += atomic_exchange(&w->owner[i], 0) != w->name + 1;
	slot_pool_give(w->pool, was.phase, was.count, w->name);
	w->live[which] = w->live[--w->live_count];
}

static void step(struct worker *w)
{
	if (w->live_count == LIVE || (w->live_count && rng_chance(&w->rng, 48)))
		give(w, (unsigned)rng_below(&w->rng, w->live_count));
	else
		take(w);
}

static void *work(void *argument)
{
	struct worker *w = argument;

	for (unsigned i = 0; i < w->steps; i++)
		step(w);
	return NULL;
}

static void work_at_once(struct worker *workers)
{
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

static void work_in_turn(struct worker *workers)
{
	for (unsigned i = 0; i < workers->steps * THREADS; i++)
		step(&workers[i % THREADS]);
}

static void run(uint32_t areas, bool one_thread)
{
	static struct worker workers[THREADS];
	_Atomic uint8_t *owner = calloc(SLOTS, sizeof(*owner));
	struct test_memory memory;
	struct slot_pool pool;
	struct slot_census census;

	assert_non_null(owner);
	test_memory_open(&memory);
	assert_int_equal(slot_pool_create(&pool, SLOTS, areas, &memory.allocator), 0);
	if (one_thread)
		slot_pool_use_one_thread(&pool);
	for (uint32_t i = 0; i < THREADS; i++)
		workers[i] = (struct worker){.pool = &pool,
					     .owner = owner,
					     .name = i,
					     .steps = random_rounds(20000),
					     .rng = rng_of(random_seed() + i)};
	if (one_thread)
		work_in_turn(workers);
	else
		work_at_once(workers);
	for (unsigned i = 0; i < THREADS; i++) {
		while (workers[i].live_count)
			give(&workers[i], 0);
		assert_int_equal(workers[i].clashes, 0);
		assert_int_equal(workers[i].misplaced, 0);
	}
	census = slot_pool_census(&pool);
	assert_int_equal(census.used, 0);
	assert_int_equal(census.longest, SLOTS);
	assert_true(census.high_water > 0 && census.high_water <= SLOTS);
	slot_pool_destroy(&pool);
	test_memory_close(&memory);
	free(owner);
}

static void threads_never_share_a_slot(void **state)
{
	(void)state;
	run(1, false);
	run(2, false); /* the others have none */
	run(THREADS, false);
}

static void areas_of_one_thread_never_share_a_slot(void **state)
{
	(void)state;
	run(1, true);
	run(THREADS, true);
}

/* What areas keep is not lost: with all given back, the whole pool can be had at once. */
static void areas_lose_no_capacity(void **state)
{
	struct test_memory memory;
	struct slot_pool pool;
	uint32_t first[SLOTS / 8];

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(slot_pool_create(&pool, SLOTS, 4, &memory.allocator), 0);
	for (unsigned i = 0; i < SLOTS / 8; i++) {
		first[i] = slot_pool_take(&pool, &(struct slot_wish){8, 1, 0, NULL, false}, i);
		assert_int_not_equal(first[i], SLOT_NONE);
	}
	assert_int_equal(slot_pool_take(&pool, &(struct slot_wish){1, 1, 0, NULL, false}, 0),
			 SLOT_NONE);
	for (unsigned i = 0; i < SLOTS / 8; i++)
		slot_pool_give(&pool, first[i], 8, i);
	assert_int_equal(slot_pool_take(&pool, &(struct slot_wish){SLOTS, 1, 0, NULL, false}, 3),
			 0);
	assert_int_equal(slot_pool_census(&pool).high_water, SLOTS);
	slot_pool_give(&pool, 0, SLOTS, 0);
	for (unsigned i = 0; i < 4; i++) {
		first[0] = slot_pool_take(&pool, &(struct slot_wish){1, 1, 0, NULL, false}, 1);
		slot_pool_give(&pool, first[0], 1, 1);
		assert_int_equal(slot_pool_census(&pool).used, 0);
	}
	slot_pool_destroy(&pool);
	test_memory_close(&memory);
}

static void creation_loses_nothing_when_memory_ends(void **state)
{
	struct test_memory memory;
	struct slot_pool pool;

	(void)state;
	test_memory_open(&memory);
	for (unsigned long call = 1; call <= 2; call++) {
		test_memory_fail_at(&memory, call, false);
		assert_int_equal(slot_pool_create(&pool, 16, 2, &memory.allocator), -BUSWAY_ENOMEM);
		assert_int_equal(memory.blocks, 0);
	}
	test_memory_fail_at(&memory, 0, false);
	assert_int_equal(slot_pool_create(&pool, 16, 257, &memory.allocator), -BUSWAY_EINVAL);
	assert_int_equal(slot_pool_create(&pool, 16, 0, &memory.allocator), -BUSWAY_EINVAL);
	assert_int_equal(slot_pool_create(&pool, 0, 2, &memory.allocator), -BUSWAY_EINVAL);
	test_memory_close(&memory);
}

static void quarantine_is_kept_until_its_owner_is_quiet(void **state)
{
	const struct slot_wish half = {SLOTS / 4, 1, 0, NULL, false};
	struct test_memory memory;
	struct slot_pool pool;
	uint32_t first[3];

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(slot_pool_create(&pool, SLOTS, 1, &memory.allocator), 0);
	for (uint32_t i = 0; i < 3; i++) {
		first[i] = slot_pool_take(&pool, &half, 0);
		slot_pool_quarantine(&pool, first[i], i % 2);
	}
	assert_int_equal(slot_pool_census(&pool).quarantined, 3 * SLOTS / 4);
	slot_pool_release(&pool, 7, NULL, NULL);
	assert_int_equal(slot_pool_census(&pool).quarantined, 3 * SLOTS / 4);
	slot_pool_release(&pool, 0, NULL, NULL);
	assert_int_equal(slot_pool_census(&pool).quarantined, SLOTS / 4);
	assert_int_equal(slot_pool_census(&pool).used, SLOTS / 4);
	slot_pool_release(&pool, 1, NULL, NULL);
	assert_int_equal(slot_pool_census(&pool).used, 0);
	assert_int_equal(slot_pool_census(&pool).longest, SLOTS);
	slot_pool_destroy(&pool);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_never_share_a_slot),
		cmocka_unit_test(areas_of_one_thread_never_share_a_slot),
		cmocka_unit_test(areas_lose_no_capacity),
		cmocka_unit_test(creation_loses_nothing_when_memory_ends),
		cmocka_unit_test(quarantine_is_kept_until_its_owner_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
