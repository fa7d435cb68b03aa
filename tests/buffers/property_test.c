/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * property_test.c - random sequences of registering and unregistering, beside the model.
 *
 * Places and sizes are drawn so that slots of all sizes fill, overflow and empty again: many small
 * buffers side by side, large ones that end anywhere, at the bottom, at the top and in the middle of
 * the address space.
 */
#include "model.h"

#include <string.h>

/* Where the buffers of a round lie: 2^span_lg2 bytes from @base on, sizes up to 2^size_lg2. */
struct arena {
	uint64_t base;
	unsigned span_lg2, size_lg2, align_lg2;
};

static struct arena draw_arena(struct rng *rng)
{
	static const uint64_t bases[] = {0, (uint64_t)1 << 44, 0xffff800000000000, 0x7fffffe00000,
					 0x123456789abcd};
	struct arena a = {.span_lg2 = (unsigned)rng_between(rng, 6, 64)};

	a.size_lg2 = (unsigned)rng_between(rng, a.span_lg2 < 10 ? 0 : a.span_lg2 - 10,
					   a.span_lg2 < 66 ? a.span_lg2 - 1 : 63);
	a.align_lg2 = rng_chance(rng, 50) ? 0 : (unsigned)rng_below(rng, 24);
	a.base = bases[rng_below(rng, COUNT(bases))];
	if (rng_chance(rng, 20) && a.span_lg2 < 64)
		a.base = 0 - ((uint64_t)1 << a.span_lg2);
	return a;
}

/* A place: somewhere in the arena, or where something begins or has ended. */
static uint64_t draw_place(const struct model *m, const struct arena *a, struct rng *rng)
{
	const struct busway_buffer *near;

	if (m->count && rng_chance(rng, 40)) {
		near = &m->list[rng_below(rng, m->count)];
		return rng_chance(rng, 60)   ? near->va.last + 1
		       : rng_chance(rng, 50) ? near->va.first - rng_below(rng, 4)
					     : near->va.last - rng_below(rng, 2);
	}
	return a->base + ((rng_next(rng) >> (64 - a->span_lg2)) >> a->align_lg2 << a->align_lg2);
}

static struct busway_buffer draw_buffer(const struct model *m, const struct arena *a,
					struct rng *rng)
{
	static const enum busway_access accesses[] = {BUSWAY_READ, BUSWAY_WRITE, BUSWAY_READ_WRITE,
						      BUSWAY_READ_WRITE, 0};
	struct busway_buffer b = {.access = accesses[rng_below(rng, COUNT(accesses))]};
	uint64_t size = (uint64_t)1 << rng_below(rng, a->size_lg2 + 1);

	if (rng_chance(rng, 60))
		size += rng_below(rng, size);
	if (rng_chance(rng, 50) && size >> a->align_lg2)
		size = size >> a->align_lg2 << a->align_lg2;
	b.va.first = draw_place(m, a, rng);
	b.va.last = size - 1 > UINT64_MAX - b.va.first ? UINT64_MAX : b.va.first + (size - 1);
	b.dma.raw = rng_next(rng) >> rng_below(rng, 64);
	if (rng_chance(rng, 60)) /* as far from the virtual address as pages are */
		b.dma.raw = (b.dma.raw & ~(uint64_t)0xfff) | (b.va.first & 0xfff);
	if (rng_chance(rng, 10))
		b.dma.raw = b.va.first;
	if (b.dma.raw > UINT64_MAX - (b.va.last - b.va.first))
		b.dma.raw = UINT64_MAX - (b.va.last - b.va.first);
	b.owner = (void *)(uintptr_t)rng_next(rng);
	return b;
}

static void ask(struct model *m, const struct arena *a, struct rng *rng)
{
	const uint64_t length = rng_chance(rng, 50) ? rng_below(rng, 70)
						    : rng_next(rng) >> rng_below(rng, 64);
	uint64_t va = draw_place(m, a, rng);

	if (m->count && rng_chance(rng, 50)) {
		const struct busway_range in = m->list[rng_below(rng, m->count)].va;

		va = in.first + rng_next(rng) % (in.last - in.first ? in.last - in.first : 1);
	}
	model_ask(m, va, length, (enum busway_access)rng_between(rng, 1, 3));
}

static void unregister(struct model *m, struct rng *rng)
{
	struct busway_range va = m->list[rng_below(rng, m->count)].va;

	if (rng_chance(rng, 10) && va.last != UINT64_MAX)
		va.last++;
	else if (rng_chance(rng, 10) && va.first != va.last)
		va.first++;
	model_unregister(m, va);
}

static void round_of(uint64_t seed)
{
	static struct model m;
	struct rng rng = rng_of(seed);
	const struct arena arena = draw_arena(&rng);
	const unsigned live = (unsigned)rng_between(&rng, 1, rng_chance(&rng, 20) ? 1500 : 120);

	model_open(&m, rng_chance(&rng, 50));
	for (unsigned step = 0; step < 2 * live + 100; step++) {
		const struct busway_buffer b = draw_buffer(&m, &arena, &rng);

		if (m.count < live && !rng_chance(&rng, 20))
			model_register(&m, &b);
		else if (m.count)
			unregister(&m, &rng);
		ask(&m, &arena, &rng);
		if (rng_chance(&rng, 5))
			busway_buffers_reclaim(m.buffers, busway_buffers_ticket(m.buffers));
		if (rng_chance(&rng, 1))
			model_compare(&m);
	}
	model_compare(&m);
	while (m.count)
		assert_true(model_unregister(&m, m.list[rng_below(&rng, m.count)].va));
	model_compare(&m);
	model_close(&m);
}

static void random_sequences_agree_with_the_model(void **state)
{
	const unsigned rounds = random_rounds(250);

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		print_message("# seed %llu\n", (unsigned long long)(random_seed() + i));
		round_of(random_seed() + i);
	}
}

/* Every byte of a small space, after every step. */
static void small_spaces_agree_at_every_byte(void **state)
{
	static const uint64_t bases[] = {0, 0 - (uint64_t)96, ((uint64_t)1 << 39) - 48};
	const unsigned rounds = random_rounds(60);
	static struct model m;

	(void)state;
	for (unsigned i = 0; i < rounds; i++) {
		struct rng rng = rng_of(random_seed() + i);
		const uint64_t base = bases[i % COUNT(bases)];

		model_open(&m, i & 1);
		for (unsigned step = 0; step < 120; step++) {
			const uint64_t first = rng_below(&rng, 96);
			const uint64_t last = first + rng_below(&rng, rng_between(&rng, 1, 96 - first));
			const struct busway_buffer b = {
				.va = {base + first, base + last},
				.dma = {rng_below(&rng, 1 << 20)},
				.access = (enum busway_access)rng_below(&rng, 4)};

			if (m.count && rng_chance(&rng, 30))
				unregister(&m, &rng);
			else
				model_register(&m, &b);
			for (uint64_t at = 0; at < 96; at++)
				model_ask(&m, base + at, 1 + rng_below(&rng, 4), BUSWAY_READ);
		}
		model_close(&m);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_sequences_agree_with_the_model),
		cmocka_unit_test(small_spaces_agree_at_every_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
