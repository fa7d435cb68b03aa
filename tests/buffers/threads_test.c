/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * threads_test.c - readers beside a writer.
 *
 * Each place in the address space is of one buffer at a time; the writer takes it away and puts
 * another there, with another address, access and size, and tells what it did by two counters: what
 * a reader is told must be the answer of a buffer that was there at some time of its call. Readers
 * say when they are outside of all calls; the writer reclaims what none of them can see. The memory
 * that goes round is what the thread sanitizer judges.
 */
#include "model.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { READERS = 3, PLACES = 40, UPDATES = 20000, GRACES = 100, PLACE_SIZE = 0x180000 };

#define FIRST_PLACE ((uint64_t)0x3ff00000)

struct scene {
	struct busway_buffers *buffers;
	/* how often a buffer of the place was registered or unregistered: before it begins, and
	 * when it is done; odd: it is there */
	_Atomic(uint64_t) begun[PLACES], done[PLACES];
	atomic_bool over;
	/* how often each reader was outside of all calls */
	_Atomic(uint64_t) outside[READERS];
};

struct reader {
	pthread_t thread;
	struct scene *scene;
	unsigned index;
	uint64_t answers, refusals;
	const char *wrong;
};

/* What is registered at @place for the @turn-th time. */
static struct busway_buffer buffer_of(unsigned place, uint64_t turn)
{
	struct rng rng = rng_of(place * 1000003 + turn);
	const uint64_t at = FIRST_PLACE + place * (uint64_t)PLACE_SIZE;
	const uint64_t size = rng_chance(&rng, 30) ? PLACE_SIZE : rng_between(&rng, 0x40, 0x3000);

	return (struct busway_buffer){
		.va = {at, at + (size - 1)},
		.dma = {rng_chance(&rng, 50) ? turn << 24 : (turn << 24) + 1 + place},
		.access = rng_chance(&rng, 80) ? BUSWAY_READ_WRITE : BUSWAY_READ,
		.owner = (void *)(uintptr_t)turn,
	};
}

/* What buffer @turn of @place says to the question; turns that are even: nothing is there. */
static bool would_say(unsigned place, uint64_t turn, uint64_t va, uint64_t length, int status,
		      uint64_t dma)
{
	struct busway_buffer b;

	if (turn % 2 == 0)
		return status != 0;
	b = buffer_of(place, turn);
	if (va + (length - 1) > b.va.last || !(b.access & BUSWAY_WRITE))
		return status != 0;
	return status == 0 && dma == b.dma.raw + (va - b.va.first);
}

static void ask(struct reader *r, struct rng *rng)
{
	struct scene *s = r->scene;
	const unsigned place = (unsigned)rng_below(rng, PLACES);
	const uint64_t length = rng_chance(rng, 80) ? rng_between(rng, 1, 0x40) : 0x300000;
	const uint64_t va = FIRST_PLACE + place * (uint64_t)PLACE_SIZE +
			    rng_below(rng, rng_chance(rng, 50) ? 0x80 : PLACE_SIZE);
	const uint64_t before = atomic_load_explicit(&s->done[place], memory_order_acquire);
	busway_dma_t dma = {0};
	const int status =
		busway_buffers_translate(s->buffers, va, length, BUSWAY_WRITE, &dma, NULL);
	const uint64_t after = atomic_load_explicit(&s->begun[place], memory_order_acquire);
	struct busway_buffer found;
	bool right = false;

	for (uint64_t turn = before; turn <= after && !right; turn++)
		right = would_say(place, turn, va, length, status, dma.raw);
	if (!right)
		r->wrong = "an answer that was never right";
	r->answers += status == 0;
	r->refusals += status != 0;
	if (rng_chance(rng, 20) && busway_buffers_next(s->buffers, va, &found) &&
	    found.va.last < va)
		r->wrong = "the next one is before";
}

static void *read_on(void *argument)
{
	struct reader *r = argument;
	struct rng rng = rng_of(random_seed() + r->index);

	while (!atomic_load_explicit(&r->scene->over, memory_order_relaxed)) {
		ask(r, &rng);
		atomic_fetch_add_explicit(&r->scene->outside[r->index], 1, memory_order_seq_cst);
	}
	/* for good */
	atomic_store_explicit(&r->scene->outside[r->index], UINT64_MAX, memory_order_release);
	return NULL;
}

/* The memory behind @ticket is given up once all readers have moved on since @seen. */
struct grace {
	uint64_t ticket, seen[READERS];
};

static void begin_grace(struct scene *s, struct grace *grace)
{
	grace->ticket = busway_buffers_ticket(s->buffers);
	for (unsigned i = 0; i < READERS; i++)
		grace->seen[i] = atomic_load_explicit(&s->outside[i], memory_order_seq_cst);
}

static bool end_grace(struct scene *s, const struct grace *grace)
{
	/* two steps: the first may have begun before the ticket was there */
	for (unsigned i = 0; i < READERS; i++) {
		const uint64_t now = atomic_load_explicit(&s->outside[i], memory_order_seq_cst);

		if (now != UINT64_MAX && now < grace->seen[i] + 2)
			return false;
	}
	busway_buffers_reclaim(s->buffers, grace->ticket);
	return true;
}

static void update(struct scene *s, unsigned place)
{
	const uint64_t turn = atomic_load_explicit(&s->done[place], memory_order_relaxed);
	const struct busway_buffer b = buffer_of(place, turn % 2 ? turn : turn + 1);

	atomic_store_explicit(&s->begun[place], turn + 1, memory_order_seq_cst);
	assert_int_equal(turn % 2 ? busway_buffers_unregister(s->buffers, b.va, NULL)
				  : busway_buffers_register(s->buffers, &b, NULL),
			 0);
	atomic_store_explicit(&s->done[place], turn + 1, memory_order_seq_cst);
}

static void readers_are_told_what_was_true(void **state)
{
	static struct scene s;
	struct reader readers[READERS];
	struct rng rng = rng_of(random_seed());
	struct test_memory memory;
	struct grace grace;
	unsigned reclaimed = 0;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_buffers_create(NULL, &memory.allocator, &s.buffers), 0);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){.scene = &s, .index = i};
		assert_int_equal(pthread_create(&readers[i].thread, NULL, read_on, &readers[i]), 0);
	}
	begin_grace(&s, &grace);
	for (unsigned i = 0; i < UPDATES || reclaimed < GRACES; i++) {
		update(&s, (unsigned)rng_below(&rng, PLACES));
		if (end_grace(&s, &grace)) {
			reclaimed++;
			begin_grace(&s, &grace);
		} else if (i % 64 == 0) {
			sched_yield();
		}
	}
	while (!end_grace(&s, &grace))
		sched_yield();
	atomic_store(&s.over, true);
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(readers[i].thread, NULL), 0);
		if (readers[i].wrong)
			fail_msg("reader %u: %s", i, readers[i].wrong);
		assert_true(readers[i].answers > 0 && readers[i].refusals > 0);
	}
	busway_buffers_destroy(s.buffers);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_are_told_what_was_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
