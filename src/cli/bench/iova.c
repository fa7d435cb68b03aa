/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.c - A1 to A10: allocating IOVAs. Read iova.h first.
 *
 * Each workload is a set of live ranges and a way to replace them. It goes on from round to round.
 */
#include "iova.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 2, COUNTED = 20000 };

enum sizes { SIZE_ONE, SIZE_64, SIZE_MIX, SIZE_LARGE, SIZE_1_8, SIZE_33_128 };

/* How the live ranges change. */
enum manner { PAIRS, FIFO, BURSTS, RANDOM, COMB, LOW };

struct live {
	uint64_t first;
	uint32_t pages; /* 0: nothing */
};

struct iova_load {
	const struct iova_kind *kind;
	void *allocator;
	enum sizes sizes;
	enum manner manner;
	bool aligned;
	uint64_t last, seed;
	uint32_t count;
	unsigned threads;
	uint32_t *order; /* of a burst */
	char what[80];
	struct own_load {
		_Alignas(64) struct live *live; /* no line of memory is shared by threads */
		uint64_t random;
		uint32_t at; /* of a ring */
		unsigned long refused;
	} of[THREADS];
};

/* ---- one range ---- */

/* Of each 20: a look is cheaper than a chain of comparisons that nobody can foresee. */
static const uint8_t mix[20] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 4, 4, 8, 8, 16, 16, 32};

static uint32_t draw(const struct iova_load *l, uint64_t *random)
{
	uint64_t r;

	if (l->sizes == SIZE_ONE || l->sizes == SIZE_64)
		return l->sizes == SIZE_ONE ? 1 : 64;
	r = bench_random(random);
	switch (l->sizes) {
	case SIZE_MIX:
		return mix[r % 100 / 5];
	case SIZE_1_8:
		return 1 + (uint32_t)(r % 8);
	case SIZE_33_128:
		return 33 + (uint32_t)(r % 96);
	default:
		return 64 + (uint32_t)(r % 449);
	}
}

static uint64_t align_for(const struct iova_load *l, uint32_t pages)
{
	return l->aligned && pages > 1 ? (uint64_t)1 << (32 - __builtin_clz(pages - 1)) : 0;
}

static void take(struct iova_load *l, unsigned thread, uint32_t pages, uint64_t last,
		 struct live *live)
{
	live->pages =
		l->kind->take(l->allocator, thread, pages, last, align_for(l, pages), &live->first)
			? pages
			: 0;
	if (!live->pages)
		l->of[thread].refused++;
}

static void give(struct iova_load *l, unsigned thread, struct live *live)
{
	if (live->pages)
		l->kind->give(l->allocator, thread, live->first, live->pages);
	live->pages = 0;
}

/* ---- manners ---- */

static void step_pair(struct iova_load *l, unsigned thread)
{
	struct live live;

	take(l, thread, draw(l, &l->of[thread].random), l->last, &live);
	give(l, thread, &live);
}

static void step_fifo(struct iova_load *l, unsigned thread)
{
	struct live *live = &l->of[thread].live[l->of[thread].at];

	give(l, thread, live);
	take(l, thread, draw(l, &l->of[thread].random), l->last, live);
	l->of[thread].at = l->of[thread].at + 1 == l->count ? 0 : l->of[thread].at + 1;
}

static void step_random(struct iova_load *l, unsigned thread)
{
	struct live *live = &l->of[thread].live[bench_random(&l->of[thread].random) % l->count];

	give(l, thread, live);
	take(l, thread, draw(l, &l->of[thread].random), l->last, live);
}

/* Four calls: a single page goes, two come and go, one comes back. */
static void step_comb(struct iova_load *l)
{
	struct live *live = &l->of[0].live[bench_random(&l->of[0].random) % l->count];
	struct live two;

	give(l, 0, live);
	take(l, 0, 2, l->last, &two);
	give(l, 0, &two);
	take(l, 0, 1, l->last, live);
}

static void step_low(struct iova_load *l)
{
	struct live *live = &l->of[0].live[bench_random(&l->of[0].random) % l->count];

	give(l, 0, live);
	take(l, 0, 64, IOVA_LAST_40, live);
	give(l, 0, live);
	take(l, 0, 64, l->last, live);
}

/* All of them, and back in another order; an operation is a range. */
static void burst(struct iova_load *l)
{
	for (uint32_t i = 0; i < l->count; i++)
		take(l, 0, 1, l->last, &l->of[0].live[i]);
	for (uint32_t i = 0; i < l->count; i++)
		give(l, 0, &l->of[0].live[l->order[i]]);
}

/* A loop for each: whatever costs instructions here is measured, too. */
static void run_pairs(struct iova_load *l, unsigned thread, unsigned long operations)
{
	for (unsigned long i = 0; i < operations; i++)
		step_pair(l, thread);
}

static void run_fifo(struct iova_load *l, unsigned thread, unsigned long operations)
{
	for (unsigned long i = 0; i < operations; i++)
		step_fifo(l, thread);
}

static void run_random(struct iova_load *l, unsigned thread, unsigned long operations)
{
	for (unsigned long i = 0; i < operations; i++)
		step_random(l, thread);
}

static void run_thread(struct iova_load *l, unsigned thread, unsigned long operations)
{
	switch (l->manner) {
	case PAIRS:
		run_pairs(l, thread, operations);
		break;
	case FIFO:
		run_fifo(l, thread, operations);
		break;
	case RANDOM:
		run_random(l, thread, operations);
		break;
	case COMB:
		for (unsigned long i = 0; i < operations; i++)
			step_comb(l);
		break;
	case LOW:
		for (unsigned long i = 0; i < operations; i++)
			step_low(l);
		break;
	case BURSTS:
		for (unsigned long i = 0; i < operations; i += l->count)
			burst(l);
		break;
	}
}

static void run_one(void *state, unsigned long operations)
{
	run_thread(state, 0, operations);
}

/* ---- two threads, an operation of each ---- */

struct thread {
	pthread_t id;
	struct iova_load *load;
	unsigned index;
	unsigned long operations;
};

static void *thread_main(void *argument)
{
	const struct thread *t = argument;

	run_thread(t->load, t->index, t->operations);
	return NULL;
}

static void run_two(void *state, unsigned long operations)
{
	struct thread threads[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){.load = state, .index = i, .operations = operations};
		if (pthread_create(&threads[i].id, NULL, thread_main, &threads[i]))
			abort();
	}
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i].id, NULL);
}

/* ---- A9: windows are reserved; an operation is a window ---- */

static void run_reserve(void *state, unsigned long operations)
{
	const struct iova_load *l = state;

	for (uint64_t i = 0; i < operations; i++)
		if (!l->kind->reserve(l->allocator, 4096 + i % l->count * 1024, 256))
			abort();
}

static void start_anew(void *state)
{
	struct iova_load *l = state;

	if (l->allocator)
		l->kind->destroy(l->allocator, false);
	l->allocator = l->kind->create();
	if (!l->allocator)
		abort();
}

/* ---- making ---- */

static bool shuffle(struct iova_load *l)
{
	uint64_t random = 7;

	l->order = malloc(l->count * sizeof(*l->order));
	for (uint32_t i = 0; l->order && i < l->count; i++)
		l->order[i] = i;
	for (uint32_t i = l->count; l->order && i > 1; i--) {
		const uint32_t j = (uint32_t)(bench_random(&random) % i), was = l->order[j];

		l->order[j] = l->order[i - 1];
		l->order[i - 1] = was;
	}
	return l->order != NULL;
}

/* Two single pages for each, of which every second goes. */
static void make_comb(struct iova_load *l)
{
	for (uint32_t i = 0; i < l->count; i++) {
		struct live other;

		take(l, 0, 1, l->last, &l->of[0].live[i]);
		take(l, 0, 1, l->last, &other);
		l->order[i] = (uint32_t)other.first;
	}
	for (uint32_t i = 0; i < l->count; i++)
		l->kind->give(l->allocator, 0, l->order[i], 1);
}

static void fill(struct iova_load *l, unsigned thread)
{
	uint64_t *random = &l->of[thread].random;

	for (uint32_t i = 0; i < l->count; i++)
		take(l, thread, draw(l, random), l->last, &l->of[thread].live[i]);
	for (uint32_t i = 0; i < l->count && l->manner == RANDOM; i++)
		step_random(l, thread);
}

static bool prepare(void *state)
{
	struct iova_load *l = state;

	if (l->allocator)
		return true;
	l->allocator = l->kind->create();
	if (!l->allocator || ((l->manner == BURSTS || l->manner == COMB) && !shuffle(l)))
		return false;
	for (unsigned i = 0; i < l->threads; i++) {
		l->of[i].random = l->seed + i;
		l->of[i].live = calloc(l->count, sizeof(*l->of[i].live));
		if (!l->of[i].live)
			return false;
	}
	if (l->manner == COMB)
		make_comb(l);
	for (unsigned i = 0;
	     i < l->threads && l->manner != COMB && l->manner != BURSTS && l->manner != PAIRS; i++)
		fill(l, i);
	if (l->last == IOVA_LAST_32 && l->manner == RANDOM) {
		l->of[0].refused = 0;
		run_thread(l, 0, COUNTED);
		snprintf(l->what, sizeof(l->what), "%s; %lu of %d refused", l->kind->what,
			 l->of[0].refused, COUNTED);
	}
	return true;
}

static struct iova_load *make(const struct iova_load *like, const struct iova_kind *kind)
{
	struct iova_load *l = aligned_alloc(_Alignof(struct iova_load), sizeof(*l));

	if (l) {
		*l = *like;
		l->kind = kind;
		snprintf(l->what, sizeof(l->what), "%s", kind->what);
	}
	return l;
}

/* @run, of the library, beside the workload @reference. */
static bool add_beside(struct workloads *workloads, const char *name, const struct iova_load *like,
		       const char *reference, unsigned long batch,
		       void (*run)(void *, unsigned long))
{
	struct iova_load *l = make(like, &iova_busway);
	struct workload *w =
		l ? add_workload(workloads, name, l->what, reference, run, l, batch) : NULL;

	if (w && run != run_reserve)
		w->prepare = prepare;
	else if (w)
		w->before = start_anew;
	return w;
}

static bool add(struct workloads *workloads, const char *name, const struct iova_load *like,
		const struct iova_kind *reference, unsigned long batch,
		void (*run)(void *, unsigned long))
{
	struct iova_load *beside = make(like, reference);
	char reference_name[48];
	struct workload *r;

	if (!beside)
		return false;
	snprintf(reference_name, sizeof(reference_name), "%s/%s", name, reference->name);
	r = add_workload(workloads, reference_name, beside->what, NULL, run, beside, batch);
	if (r && run != run_reserve)
		r->prepare = prepare;
	else if (r)
		r->before = start_anew;
	return r && add_beside(workloads, name, like, r->name, batch, run);
}

static bool add_cached(struct workloads *all)
{
	struct iova_load l = {.last = IOVA_LAST_48, .seed = 0x42, .count = 1, .threads = 1};
	bool ok = add(all, "A1-1", &l, &iova_stacks, 1 << 16, run_one);

	l.sizes = SIZE_64;
	ok = ok && add(all, "A1-64", &l, &iova_tree, 1 << 14, run_one);
	l = (struct iova_load){.manner = FIFO,
			       .sizes = SIZE_MIX,
			       .last = IOVA_LAST_32,
			       .seed = 0x42,
			       .threads = 1};
	l.count = 1024;
	ok = ok && add(all, "A2-1024", &l, &iova_stacks, 1 << 16, run_one);
	l.count = 65536;
	ok = ok && add(all, "A2-65536", &l, &iova_stacks, 1 << 16, run_one);
	l = (struct iova_load){.manner = BURSTS, .last = IOVA_LAST_48, .threads = 1};
	l.count = 4096;
	ok = ok && add(all, "A3-4096", &l, &iova_stacks, 1 << 16, run_one);
	l.count = 131072;
	return ok && add(all, "A3-131072", &l, &iova_stacks, 1 << 17, run_one);
}

static bool add_large(struct workloads *all)
{
	static const struct {
		uint32_t count;
		const char *name, *aligned;
	} kinds[] = {
		{1024, "A5-1024", "A5-1024-aligned"},
		{16384, "A5-16384", "A5-16384-aligned"},
		{131072, "A5-131072", "A5-131072-aligned"},
		{1048576, "A5-1048576", "A5-1048576-aligned"},
	};
	struct iova_load l = {.manner = FIFO,
			      .sizes = SIZE_LARGE,
			      .last = IOVA_LAST_48,
			      .seed = 0x42,
			      .threads = 1,
			      .count = 1024};
	bool ok = add(all, "A4-1024", &l, &iova_tree, 1 << 14, run_one);

	l.count = 131072;
	ok = ok && add(all, "A4-131072", &l, &iova_tree, 1 << 14, run_one);
	l.manner = RANDOM;
	l.seed = 0x99;
	/* with alignment beside without: a search through all extents would take minutes to fill it
	 */
	for (size_t i = 0; ok && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		l.count = kinds[i].count;
		l.aligned = false;
		ok = add(all, kinds[i].name, &l, &iova_tree, 1 << 12, run_one);
		l.aligned = true;
		ok = ok && add_beside(all, kinds[i].aligned, &l, kinds[i].name, 1 << 12, run_one);
	}
	return ok;
}

static bool add_crowded(struct workloads *all)
{
	static const struct {
		const char *name;
		enum sizes sizes;
		uint32_t count;
		bool aligned;
	} kinds[] = {
		{"A6-8p-77", SIZE_1_8, 180000, false},
		{"A6-8p-94", SIZE_1_8, 220000, false},
		{"A6-128p-61", SIZE_33_128, 8000, false},
		{"A6-128p-92", SIZE_33_128, 12000, false},
		{"A6-128p-92-aligned", SIZE_33_128, 12000, true},
	};
	bool ok = true;

	for (size_t i = 0; ok && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct iova_load l = {.manner = RANDOM,
					    .sizes = kinds[i].sizes,
					    .aligned = kinds[i].aligned,
					    .last = IOVA_LAST_32,
					    .seed = 0x99,
					    .threads = 1,
					    .count = kinds[i].count};

		ok = add(all, kinds[i].name, &l, &iova_tree, 1 << 12, run_one);
	}
	return ok;
}

static bool add_holes(struct workloads *all)
{
	static const uint32_t counts[] = {1000, 10000, 100000, 1000000};
	struct iova_load l = {.last = IOVA_LAST_48, .threads = 1};
	bool ok = true;
	char name[32];

	for (size_t i = 0; ok && i < sizeof(counts) / sizeof(counts[0]); i++) {
		l.count = counts[i];
		l.manner = COMB;
		l.seed = 5;
		snprintf(name, sizeof(name), "A7-%u", counts[i]);
		ok = add(all, name, &l, &iova_tree, 1 << 12, run_one);
	}
	for (size_t i = 0; ok && i < sizeof(counts) / sizeof(counts[0]); i++) {
		if (i == 1)
			continue;
		l.count = counts[i];
		l.manner = LOW;
		l.sizes = SIZE_64;
		l.seed = 11;
		snprintf(name, sizeof(name), "A8-%u", counts[i]);
		ok = add(all, name, &l, &iova_tree, 1 << 12, run_one);
	}
	l.count = 64;
	ok = ok && add(all, "A9-64", &l, &iova_tree, 64, run_reserve);
	l.count = 4096;
	return ok && add(all, "A9-4096", &l, &iova_tree, 4096, run_reserve);
}

static bool add_threads(struct workloads *all)
{
	struct iova_load l = {.manner = FIFO, .last = IOVA_LAST_48, .seed = 0x42, .threads = 2};
	bool ok;

	l.count = 1;
	ok = add(all, "A10-1", &l, &iova_stacks, 1 << 16, run_two);
	l.count = 512;
	ok = ok && add(all, "A10-512", &l, &iova_stacks, 1 << 16, run_two);
	l.sizes = SIZE_MIX;
	l.last = IOVA_LAST_32;
	l.count = 1024;
	ok = ok && add(all, "A10-mix", &l, &iova_stacks, 1 << 16, run_two);
	l.manner = RANDOM;
	l.sizes = SIZE_LARGE;
	l.last = IOVA_LAST_48;
	l.seed = 0x99;
	l.count = 16384;
	return ok && add(all, "A10-random", &l, &iova_tree, 1 << 12, run_two);
}

bool add_iova_workloads(struct workloads *workloads)
{
	return add_cached(workloads) && add_large(workloads) && add_crowded(workloads) &&
	       add_holes(workloads) && add_threads(workloads);
}
