/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim_test.c - memory that somebody has chosen himself is given to nobody.
 */
#include "bench.h"

/* ---- against a model: each byte of a small place by itself ---- */

enum { PLACE = 48, CLAIMS = 6 };

struct place {
	struct bench bench;
	struct rng rng;
	bool taken[PLACE];
	struct busway_phys_range claims[CLAIMS];
	size_t claim_count;
};

static bool is_free(const struct place *p, uint64_t phys)
{
	for (size_t i = 0; i < p->claim_count; i++)
		if (p->claims[i].first.raw <= phys && phys <= p->claims[i].last.raw)
			return false;
	return !p->taken[phys - RAM];
}

/* The lowest place, by trying all; PLACE: there is none. */
static uint64_t lowest(const struct place *p, uint64_t size, uint64_t align)
{
	for (uint64_t at = 0; at + size <= PLACE; at += align) {
		uint64_t i = 0;

		while (i < size && is_free(p, RAM + at + i))
			i++;
		if (i == size)
			return at;
	}
	return PLACE;
}

static void take_some(struct place *p)
{
	const struct busway_phys_range within = phys_range(RAM, PLACE);
	const uint64_t size = 1 + rng_below(&p->rng, 8);
	const uint64_t align = (uint64_t)1 << rng_below(&p->rng, 4);
	const uint64_t expected = lowest(p, size, align);
	busway_phys_t at;

	if (busway_machine_take(p->bench.machine, size, align, &within, 1, &at)) {
		assert_int_equal(expected, PLACE);
		return;
	}
	assert_int_equal(at.raw, RAM + expected);
	for (uint64_t i = 0; i < size; i++)
		p->taken[expected + i] = true;
}

static void give_some(struct place *p)
{
	const uint64_t i = rng_below(&p->rng, PLACE);

	if (p->taken[i])
		busway_machine_give(p->bench.machine, phys_range(RAM + i, 1));
	p->taken[i] = false;
}

static void claim_some(struct place *p)
{
	const uint64_t first = rng_below(&p->rng, PLACE);
	const struct busway_phys_range range =
		phys_range(RAM + first, 1 + rng_below(&p->rng, PLACE - first));

	if (p->claim_count == CLAIMS)
		return;
	assert_int_equal(busway_machine_claim(p->bench.machine, range), 0);
	p->claims[p->claim_count++] = range;
}

static void unclaim_one(struct place *p)
{
	struct busway_phys_range *claim = p->claims, never;

	if (p->claim_count == 0)
		return;
	claim += rng_below(&p->rng, p->claim_count);
	/* what was never claimed is nobody's, however much it looks like a claim */
	never = (struct busway_phys_range){{RAM - 1}, claim->last};
	busway_machine_unclaim(p->bench.machine, never);
	never = (struct busway_phys_range){claim->first, {RAM + PLACE}};
	busway_machine_unclaim(p->bench.machine, never);
	busway_machine_unclaim(p->bench.machine, *claim);
	*claim = p->claims[--p->claim_count];
}

static void what_is_claimed_is_given_to_nobody(void **state)
{
	static void (*const acts[])(struct place *) = {take_some,  take_some,  take_some,
						       give_some,  give_some,  give_some,
						       claim_some, unclaim_one};
	static struct place p;

	(void)state;
	for (unsigned round = 0; round <= random_rounds(60); round++) {
		p = (struct place){.rng = rng_of(random_seed() + round)};
		bench_usual(&p.bench, NULL);
		for (unsigned i = 0; i < 400; i++)
			acts[rng_below(&p.rng, COUNT(acts))](&p);
		bench_close(&p.bench); /* with claims that are left */
	}
}

/* ---- what is no memory ---- */

static void a_claim_of_nothing_is_none(void **state)
{
	static struct bench b;
	busway_phys_t at;

	(void)state;
	bench_usual(&b, NULL);
	assert_int_equal(
		busway_machine_claim(b.machine, (struct busway_phys_range){{RAM + 1}, {RAM}}),
		-BUSWAY_EINVAL);
	test_memory_fail_at(&b.memory, 1, false);
	assert_int_equal(busway_machine_claim(b.machine, phys_range(RAM, RAM_SIZE)),
			 -BUSWAY_ENOMEM);
	test_memory_fail_at(&b.memory, 0, false);
	/* nor is what is no memory, or not to be given: it does not become any */
	assert_int_equal(busway_machine_claim(b.machine, phys_range(CARVED, 0x100000)), 0);
	busway_machine_unclaim(b.machine, phys_range(CARVED, 0x100000));
	assert_int_equal(busway_machine_claim(b.machine, phys_range(0, UINT64_MAX)), 0);
	assert_int_equal(busway_machine_take(b.machine, 1, 1, NULL, 0, &at), -BUSWAY_ENOMEM);
	busway_machine_unclaim(b.machine, phys_range(0, UINT64_MAX));
	assert_int_equal(busway_machine_take(b.machine, 1, 1, NULL, 0, &at), 0);
	assert_int_equal(at.raw, RAM);
	for (uint64_t left = RAM_SIZE; left >= 0x10000; left -= 0x10000) {
		if (busway_machine_take(b.machine, 0x10000, 0x10000, NULL, 0, &at))
			break;
		assert_false(at.raw >= CARVED && at.raw < CARVED + 0x100000);
	}
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_claimed_is_given_to_nobody),
		cmocka_unit_test(a_claim_of_nothing_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
