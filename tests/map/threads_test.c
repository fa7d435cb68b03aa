/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c - lanes of several devices, used at the same time, one by each thread.
 *
 * Pools are shared and too small for all, pools come while others map, and those who find them full
 * wait for their turn. Each thread's buffers are its own: what it finds in them it must have put
 * there. The thread sanitizer judges the rest.
 */
#include "rig.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

enum { THREADS = 4, LIVE = 6, STEPS = 4000, SHARE = 0x8000 };

struct worker {
	pthread_t thread;
	struct rig *rig;
	struct busway_lane *lane;
	uint32_t device;
	uint64_t at; /* of its own memory */
	uint64_t seed;
	unsigned wrong, bounced;
	struct busway_mapping mapping[LIVE];
	bool live[LIVE];
};

static void turn(struct busway_mapping *mapping, void *ctx)
{
	(void)mapping;
	atomic_store_explicit((atomic_bool *)ctx, true, memory_order_release);
}

/* Waits if it must. */
static int map(struct worker *w, struct busway_phys_range phys, struct busway_mapping *mapping,
	       bool may_wait)
{
	atomic_bool is_turn = false;
	int status;

	if (!may_wait)
		return busway_map(w->lane, phys, BUSWAY_BIDIRECTIONAL, 0, mapping, NULL);
	status = busway_map_or_wait(w->lane, phys, BUSWAY_BIDIRECTIONAL, 0, mapping, turn, &is_turn,
				    NULL);
	if (status != -BUSWAY_EAGAIN)
		return status;
	for (unsigned i = 0; i < 1000; i++) {
		if (atomic_load_explicit(&is_turn, memory_order_acquire))
			return busway_map_or_wait(w->lane, phys, BUSWAY_BIDIRECTIONAL, 0, mapping,
						  turn, &is_turn, NULL);
		sched_yield();
	}
	/* everybody may be waiting for everybody */
	w->wrong += !busway_map_cancel(mapping);
	return -BUSWAY_ERANGE;
}

static void use(struct worker *w, unsigned i, const unsigned char *own, uint64_t size)
{
	unsigned char seen[64], wrote[64];
	const size_t part = size < 64 ? (size_t)size : 64;

	w->bounced += w->mapping[i].way == BUSWAY_WAY_BOUNCE;
	w->wrong += !rig_read(w->rig, w->device, w->mapping[i].dma.raw, seen, part) ||
		    memcmp(seen, own, part) != 0;
	memset(wrote, (int)(w->seed + i), part);
	w->wrong += !rig_write(w->rig, w->device, w->mapping[i].dma.raw, wrote, part);
}

static void *work(void *argument)
{
	struct worker *w = argument;
	struct rng rng = rng_of(w->seed);

	for (unsigned step = 0; step < STEPS; step++) {
		const unsigned i = (unsigned)rng_below(&rng, LIVE);
		const uint64_t at = w->at + i * (SHARE / LIVE);
		const uint64_t size = rng_between(&rng, 1, SHARE / LIVE);
		unsigned char *own = rig_cpu(w->rig, RIG_BASE + at);

		if (w->live[i]) {
			w->wrong += busway_unmap(&w->mapping[i]) != 0;
			w->wrong += own[0] != (unsigned char)(w->seed + i);
			w->live[i] = false;
		} else if (map(w, rig_phys(at, size), &w->mapping[i], rng_chance(&rng, 50)) == 0) {
			w->live[i] = true;
			use(w, i, own, size);
		}
	}
	for (unsigned i = 0; i < LIVE; i++)
		if (w->live[i])
			w->wrong += busway_unmap(&w->mapping[i]) != 0;
	return NULL;
}

static void lanes_do_not_disturb_each_other(void **state)
{
	const struct busway_dma_options options = {.lanes = THREADS / 2};
	static struct worker workers[THREADS];
	struct busway_dma_device *device[2];
	struct busway_pool_census census;
	static struct rig rig;

	(void)state;
	rig_draw(&rig);
	rig.plan.devices[0].restricted_pool = UINT32_MAX;
	plan_device(&rig.plan, 1);
	rig.plan.devices[1].coherence = BUSWAY_COHERENT;
	rig.environment.observe = NULL;
	rig.environment.one_thread = false;
	rig_open(&rig);
	assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x40000, 0x6000), BUSWAY_USE_BOUNCE,
					     2),
			 0);
	for (unsigned i = 0; i < 2; i++) {
		device[i] = rig_attach(&rig, i, &options);
		assert_int_equal(busway_dma_set_mask(device[i], 19, NULL, NULL), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){
			.rig = &rig,
			.lane = busway_dma_lane(device[i % 2], i / 2),
			.device = i % 2,
			.at = 0x80000 + i * (uint64_t)SHARE,
			.seed = random_seed() + i,
		};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		sched_yield();
		assert_int_equal(busway_dma_add_pool(rig.dma, rig_phys(0x50000 + i * 0x1000, 0x800),
						     BUSWAY_USE_BOUNCE, 1),
				 0);
		assert_true(busway_dma_pool(rig.dma, 0, &census));
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
		assert_int_equal(workers[i].wrong, 0);
		assert_true(workers[i].bounced > STEPS / 20);
	}
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(busway_dma_detach(device[i]), 0);
	for (size_t i = 0; busway_dma_pool(rig.dma, i, &census); i++)
		assert_int_equal(census.used, 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lanes_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
