/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots_test.c - runs of slots: src/pool/slots.h.
 *
 * The twin is an array of flags; whether a wish can be met is asked of it slot by slot.
 */
#include "../src/pool/slots.h"
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

#include <stdlib.h>

struct pair {
	struct slots slots;
	uint32_t count, live_count;
	bool *taken;
	struct slot_wish *live; /* .phase: where it lies */
};

static void open_pair(struct pair *p, struct test_memory *memory, uint32_t count)
{
	*p = (struct pair){.count = count};
	test_memory_open(memory);
	assert_int_equal(slots_create(&p->slots, count, &memory->allocator), 0);
	p->taken = calloc(count, sizeof(*p->taken));
	p->live = calloc(count, sizeof(*p->live));
	assert_non_null(p->taken);
	assert_non_null(p->live);
}

static void close_pair(struct pair *p, struct test_memory *memory)
{
	free(p->taken);
	free(p->live);
	slots_destroy(&p->slots);
	test_memory_close(memory);
}

static bool is_free(const struct pair *p, uint32_t first, uint32_t count)
{
	if (count > p->count - first)
		return false;
	for (uint32_t i = first; i < first + count; i++)
		if (p->taken[i])
			return false;
	return true;
}

/* Does a run from @first lie as wished? Boundaries are looked for byte by byte. */
static bool lies_right(struct slot_wish wish, uint32_t first)
{
	const struct slot_bounds *b = wish.bounds;

	if (first % wish.align != wish.phase)
		return false;
	if (!b)
		return true;
	if (first < b->low || first + wish.count > b->high + 1)
		return false;
	for (uint64_t byte = 1; b->boundary && byte < b->size; byte++)
		if ((b->base + first * b->slot + b->offset + byte) % b->boundary == 0)
			return false;
	return true;
}

/* Is there a place, wherever? */
static bool can_be_met(const struct pair *p, struct slot_wish wish)
{
	for (uint32_t i = 0; i < p->count; i++)
		if (is_free(p, i, wish.count) && lies_right(wish, i))
			return true;
	return false;
}

static uint32_t longest(const struct pair *p)
{
	uint32_t best = 0, run = 0;

	for (uint32_t i = 0; i < p->count; i++) {
		run = p->taken[i] ? 0 : run + 1;
		best = run > best ? run : best;
	}
	return best;
}

static void take(struct pair *p, struct slot_wish wish, uint64_t seed)
{
	const uint32_t first = slots_take(&p->slots, &wish);

	if (first == SLOT_NONE) {
		if (can_be_met(p, wish))
			fail_msg("seed 0x%" PRIx64 ": %u slots, %u modulo %u: refused", seed,
				 wish.count, wish.phase, wish.align);
		return;
	}
	if (first >= p->count || !is_free(p, first, wish.count) || !lies_right(wish, first) ||
	    !slot_suits(&wish, first))
		fail_msg("seed 0x%" PRIx64 ": %u slots, %u modulo %u: at %u", seed, wish.count,
			 wish.phase, wish.align, first);
	assert_int_equal(slots_taken_at(&p->slots, first), wish.count);
	for (uint32_t i = first; i < first + wish.count; i++)
		p->taken[i] = true;
	wish.phase = first;
	p->live[p->live_count++] = wish;
}

static void give(struct pair *p, uint32_t which)
{
	const struct slot_wish was = p->live[which];

	slots_give(&p->slots, was.phase);
	for (uint32_t i = was.phase; i < was.phase + was.count; i++)
		p->taken[i] = false;
	p->live[which] = p->live[--p->live_count];
}

/* Slots of 16 bytes, so that the twin need not look at many. */
static const struct slot_bounds *any_bounds(struct rng *rng, const struct slot_wish *wish,
					    uint32_t count, struct slot_bounds *bounds)
{
	uint64_t offset;

	if (rng_chance(rng, 50))
		return NULL;
	offset = rng_below(rng, 16);
	*bounds = (struct slot_bounds){
		.high = count - 1,
		.slot = 16,
		.base = rng_below(rng, 1000) * (rng_chance(rng, 50) ? 16 : 1),
		.offset = offset,
		.size = wish->count * 16 - offset - rng_below(rng, 16 - offset),
		.boundary = rng_chance(rng, 30) ? 0 : (uint64_t)8 << rng_below(rng, 8),
	};
	if (rng_chance(rng, 50)) {
		bounds->low = (uint32_t)rng_below(rng, count);
		bounds->high = (uint32_t)rng_between(rng, bounds->low, count - 1);
	}
	return bounds;
}

static struct slot_wish any_wish(struct rng *rng, uint32_t count, struct slot_bounds *bounds)
{
	struct slot_wish wish = {1, 1, 0, NULL, false};

	if (rng_chance(rng, 10))
		wish.count = (uint32_t)rng_between(rng, 1, count);
	else
		wish.count = (uint32_t)rng_between(rng, 1, count < 24 ? count : 24);
	if (rng_chance(rng, 40))
		wish.align = (uint32_t)1 << rng_below(rng, 7);
	wish.phase = (uint32_t)rng_below(rng, wish.align);
	wish.bounds = any_bounds(rng, &wish, count, bounds);
	return wish;
}

static void a_wish_is_met_exactly_while_a_place_exists(void **state)
{
	const unsigned rounds = random_rounds(200);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		const uint64_t seed = random_seed() + round;
		struct rng rng = rng_of(seed);
		struct test_memory memory;
		struct pair p;

		open_pair(&p, &memory, (uint32_t)rng_between(&rng, 1, 600));
		for (unsigned step = 0; step < 300; step++) {
			struct slot_bounds bounds;

			if (p.live_count && rng_chance(&rng, 45))
				give(&p, (uint32_t)rng_below(&rng, p.live_count));
			else
				take(&p, any_wish(&rng, p.count, &bounds), seed);
			assert_int_equal(slots_longest(&p.slots), longest(&p));
		}
		while (p.live_count)
			give(&p, 0);
		assert_int_equal(p.slots.used, 0);
		assert_int_equal(slots_longest(&p.slots), p.count);
		close_pair(&p, &memory);
	}
}

static void the_whole_row_is_one_run(void **state)
{
	static const uint32_t counts[] = {1,  2,   63,  64,  65,    71,    72,
					  73, 127, 128, 129, 32768, 100000};

	(void)state;
	for (size_t i = 0; i < COUNT(counts); i++) {
		struct test_memory memory;
		struct pair p;

		open_pair(&p, &memory, counts[i]);
		assert_int_equal(
			slots_take(&p.slots, &(struct slot_wish){counts[i] + 1, 1, 0, NULL, false}),
			SLOT_NONE);
		assert_int_equal(
			slots_take(&p.slots, &(struct slot_wish){counts[i], 1, 0, NULL, false}), 0);
		assert_int_equal(slots_longest(&p.slots), 0);
		assert_int_equal(slots_take(&p.slots, &(struct slot_wish){1, 1, 0, NULL, false}),
				 SLOT_NONE);
		slots_give(&p.slots, 0);
		assert_int_equal(slots_longest(&p.slots), counts[i]);
		close_pair(&p, &memory);
	}
}

static void senseless_wishes_are_refused(void **state)
{
	struct test_memory memory;
	struct pair p;

	(void)state;
	open_pair(&p, &memory, 100);
	assert_int_equal(slots_take(&p.slots, &(struct slot_wish){0, 1, 0, NULL, false}),
			 SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, &(struct slot_wish){UINT32_MAX, 1, 0, NULL, false}),
			 SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, &(struct slot_wish){1, SLOTS_MAX, 100, NULL, false}),
			 SLOT_NONE);
	assert_int_equal(slots_take(&p.slots, &(struct slot_wish){1, SLOTS_MAX, 99, NULL, false}),
			 99);
	close_pair(&p, &memory);
}

static void creation_refuses_what_cannot_be(void **state)
{
	struct test_memory memory;
	struct slots slots;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(slots_create(&slots, 0, &memory.allocator), -BUSWAY_EINVAL);
	assert_int_equal(slots_create(&slots, SLOTS_MAX + 1, &memory.allocator), -BUSWAY_EINVAL);
	test_memory_fail_at(&memory, 1, false);
	assert_int_equal(slots_create(&slots, 8, &memory.allocator), -BUSWAY_ENOMEM);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wish_is_met_exactly_while_a_place_exists),
		cmocka_unit_test(the_whole_row_is_one_run),
		cmocka_unit_test(senseless_wishes_are_refused),
		cmocka_unit_test(creation_refuses_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
