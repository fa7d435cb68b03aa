/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_test.c - one slot, filled by its owner, who wants it back at once, and emptied by another
 * thread meanwhile: each range is got by one of the two.
 */
#include "../../src/iova/slot.h"
#include "../support/test.h"

#include <pthread.h>
#include <string.h>

/* Both must have got some for the two to have met: on a busy machine that takes more than a round. */
enum { RANGES = 200000, MET = 5000, ROUNDS = 500 };

struct shared {
	struct slot slot;
	struct lock lock;
	_Atomic unsigned char got[RANGES]; /* how often, by granule */
	_Atomic bool done;
};

static bool take(struct shared *s)
{
	const uint64_t granule = slot_take(&s->slot, &s->lock);

	if (granule == SLOT_EMPTY)
		return false;
	s->got[granule]++;
	return true;
}

static void *take_on(void *argument)
{
	struct shared *s = argument;
	uintptr_t got = 0;

	while (!s->done)
		got += take(s);
	return (void *)got;
}

/* How many the other thread got. */
static uintptr_t run(struct shared *s)
{
	unsigned wrong = 0;
	pthread_t other;
	void *got;

	memset(s, 0, sizeof(*s));
	s->lock = (struct lock)LOCK_INIT;
	slot_put(&s->slot, &s->lock, SLOT_EMPTY);
	assert_int_equal(pthread_create(&other, NULL, take_on, s), 0);
	for (uint64_t granule = 0; granule < RANGES; granule++) {
		slot_put(&s->slot, &s->lock, granule);
		(void)take(s);
	}
	s->done = true;
	pthread_join(other, &got);
	for (unsigned i = 0; i < RANGES; i++)
		wrong += s->got[i] != 1;
	assert_int_equal(wrong, 0);
	return (uintptr_t)got;
}

static void what_is_in_a_slot_is_got_by_one(void **state)
{
	static struct shared s;
	uintptr_t met = 0;

	(void)state;
	for (unsigned i = 0; met < MET && i < ROUNDS; i++)
		met += run(&s);
	assert_int_not_equal(met, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_a_slot_is_got_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
