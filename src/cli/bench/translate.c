/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate.c - C1 to C4: the device's address of a part of a buffer.
 * Read translate.h first.
 *
 *   C1  buffers of 2 MiB, one every 4 MiB; asked for at random
 *   C2  the same, 32 times in a row in each buffer
 *   C3  buffers of 1 to 256 pages, 0 to 15 pages apart
 *   C4  C1 with 256 buffers, by one thread and by two
 *
 * No part of the published workloads:
 *
 *   C3-pages  buffers of a page each, 0 or 1 pages apart
 *   C3-bytes  of 64 bytes to 1 MiB, up to 64 KiB apart, at any byte, which a table of pages cannot
 *             hold
 */
#include "translate.h"

#include <pthread.h>
#include <stdlib.h>

enum { THREADS = 2, SEED_QUERIES = 0x1234, SEED_REGIONS = 3, CHURN = 64, SCENES = 16 };

#define FIRST_VA  ((uint64_t)1 << 44)
#define FIRST_DMA ((uint64_t)4 << 30)
#define SIZE_2M   ((uint64_t)2 << 20)

enum shape { SHAPE_C1, SHAPE_C2, SHAPE_C3, SHAPE_PAGES, SHAPE_BYTES };

/* Buffers, and who asks for what in them; shared by all that are compared on it. */
struct scene {
	enum shape shape;
	uint32_t count;
	struct region *regions;
	uint64_t *va;  /* QUERIES */
	uint64_t *dma; /* the right answers */
};

struct translate_load {
	struct scene *scene;
	const struct translate_kind *kind;
	void *directory;
	char what[100];
	const char *text;
};

/* ---- scenes ---- */

/* The size of the next buffer, and how far the one behind it is away from it. */
static uint64_t draw_size(enum shape shape, uint64_t *random, uint64_t *gap)
{
	const uint64_t size = bench_random(random), apart = bench_random(random);

	switch (shape) {
	case SHAPE_C3:
		*gap = apart % 16 << 12;
		return (1 + size % 256) << 12;
	case SHAPE_PAGES:
		*gap = apart % 2 << 12;
		return 1 << 12;
	default:
		*gap = apart % (1 << 16);
		return QUERY_BYTES + size % (1 << 20);
	}
}

static void draw_regions(struct scene *s)
{
	uint64_t random = SEED_REGIONS, va = FIRST_VA, dma = FIRST_DMA, gap = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct region *r = &s->regions[i];

		if (s->shape >= SHAPE_C3) {
			*r = (struct region){va, draw_size(s->shape, &random, &gap), dma};
			va += r->size + gap;
			dma += r->size;
		} else {
			*r = (struct region){FIRST_VA + i * 2 * SIZE_2M, SIZE_2M,
					     FIRST_DMA + i * 2654435761U % s->count * SIZE_2M};
		}
	}
}

static void draw_queries(struct scene *s)
{
	const unsigned row = s->shape == SHAPE_C2 ? 32 : 1;
	uint64_t random = SEED_QUERIES, region = 0;

	for (unsigned i = 0; i < QUERIES; i++) {
		uint64_t offset;

		if (i % row == 0)
			region = bench_random(&random) % s->count;
		offset = bench_random(&random) % (s->regions[region].size / QUERY_BYTES) *
			 QUERY_BYTES;
		s->va[i] = s->regions[region].va + offset;
		s->dma[i] = s->regions[region].dma + offset;
	}
}

static bool draw(struct scene *s)
{
	if (s->dma)
		return true;
	s->regions = calloc(s->count, sizeof(*s->regions));
	s->va = malloc(QUERIES * sizeof(*s->va));
	s->dma = malloc(QUERIES * sizeof(*s->dma));
	if (!s->regions || !s->va || !s->dma)
		return false;
	draw_regions(s);
	draw_queries(s);
	return true;
}

/* They live as long as the process. */
static struct scene *make_scene(enum shape shape, uint32_t count)
{
	static struct scene scenes[SCENES];
	static unsigned used;
	struct scene *s;

	if (used == SCENES)
		abort();
	s = &scenes[used++];
	*s = (struct scene){.shape = shape, .count = count};
	return s;
}

/* ---- asking ---- */

/* Every answer is right, before it counts how fast they come. */
static bool prepare(void *state)
{
	struct translate_load *l = state;

	if (l->directory)
		return true;
	if (!draw(l->scene))
		return false;
	l->directory = l->kind->create(l->scene->regions, l->scene->count);
	if (!l->directory)
		return false;
	for (unsigned i = 0; i < QUERIES; i++)
		if (l->kind->run(l->directory, &l->scene->va[i], 1) != l->scene->dma[i])
			abort();
	snprintf(l->what, sizeof(l->what), "%s; %zu KiB", l->text,
		 l->kind->bytes(l->directory) >> 10);
	return true;
}

static void run_ask(void *state, unsigned long operations)
{
	const struct translate_load *l = state;

	bench_sink += l->kind->run(l->directory, l->scene->va, operations);
}

static void run_dependent(void *state, unsigned long operations)
{
	const struct translate_load *l = state;

	bench_sink += l->kind->run_dependent(l->directory, l->scene->va, operations);
}

struct reader {
	pthread_t thread;
	const struct translate_load *load;
	unsigned long operations;
	uint64_t sum;
};

static void *read_on(void *argument)
{
	struct reader *r = argument;

	r->sum = r->load->kind->run(r->load->directory, r->load->scene->va, r->operations);
	return NULL;
}

/* An operation of each. */
static void run_two(void *state, unsigned long operations)
{
	struct reader readers[THREADS];

	for (unsigned i = 0; i < THREADS; i++) {
		readers[i] = (struct reader){.load = state, .operations = operations};
		if (pthread_create(&readers[i].thread, NULL, read_on, &readers[i]))
			abort();
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(readers[i].thread, NULL);
		bench_sink += readers[i].sum;
	}
}

/* ---- registering ---- */

static bool prepare_scene(void *state)
{
	return draw(((struct translate_load *)state)->scene);
}

/* All of them, into a new directory; an operation is a buffer. */
static void run_register(void *state, unsigned long operations)
{
	const struct translate_load *l = state;

	for (unsigned long done = 0; done < operations; done += l->scene->count) {
		void *directory = l->kind->create(l->scene->regions, l->scene->count);

		if (!directory)
			abort();
		l->kind->destroy(directory);
	}
}

/* A buffer at random goes, and comes back; readers are thought to be elsewhere now and then. */
static void run_replace(void *state, unsigned long operations)
{
	const struct translate_load *l = state;
	uint64_t random = SEED_QUERIES;

	for (unsigned long i = 0; i < operations; i++) {
		const struct region *r =
			&l->scene->regions[bench_random(&random) % l->scene->count];
		const struct busway_buffer buffer = {
			.va = {r->va, r->va + (r->size - 1)},
			.dma = {r->dma},
			.access = BUSWAY_READ_WRITE,
		};

		if (busway_buffers_unregister(l->directory, buffer.va, NULL) ||
		    busway_buffers_register(l->directory, &buffer, NULL))
			abort();
		if (i % CHURN == 0)
			busway_buffers_reclaim(l->directory, busway_buffers_ticket(l->directory));
	}
}

/* ---- adding ---- */

static struct workload *add(struct workloads *workloads, struct scene *scene,
			    const struct translate_kind *kind, const char *name,
			    const char *reference, void (*run)(void *, unsigned long),
			    unsigned long batch)
{
	struct translate_load *l = calloc(1, sizeof(*l));
	struct workload *w;
	char full[48];

	if (!l)
		return NULL;
	*l = (struct translate_load){.scene = scene, .kind = kind, .text = kind->what};
	snprintf(l->what, sizeof(l->what), "%s", l->text);
	snprintf(full, sizeof(full), "%s%s", name, kind->name);
	w = add_workload(workloads, full, l->what, reference, run, l, batch);
	if (w)
		w->prepare = prepare;
	return w;
}

/* The library's, and before it what it is set against: the flat table, if that can hold it. */
static bool add_compared(struct workloads *workloads, struct scene *scene, const char *name,
			 void (*run)(void *, unsigned long))
{
	const struct workload *reference = NULL, *search;

	if (scene->shape != SHAPE_BYTES) {
		reference = add(workloads, scene, &translate_kinds[0], name, NULL, run, QUERIES);
		if (!reference)
			return false;
	}
	search = add(workloads, scene, &translate_kinds[1], name, NULL, run, QUERIES);
	if (!reference)
		reference = search;
	return search &&
	       add(workloads, scene, &translate_kinds[2], name, reference->name, run, QUERIES);
}

static bool add_shape(struct workloads *workloads, enum shape shape, const char *prefix,
		      uint32_t count)
{
	struct scene *scene = make_scene(shape, count);
	char name[24], dependent[40];

	snprintf(name, sizeof(name), "%s%u", prefix, count);
	snprintf(dependent, sizeof(dependent), "%s-dependent", name);
	return add_compared(workloads, scene, name, run_ask) &&
	       add_compared(workloads, scene, dependent, run_dependent);
}

static bool add_registering(struct workloads *workloads, enum shape shape, const char *name)
{
	struct scene *scene = make_scene(shape, 65536);
	struct workload *flat, *ours;

	flat = add(workloads, scene, &translate_kinds[0], name, NULL, run_register, scene->count);
	ours = flat ? add(workloads, scene, &translate_kinds[2], name, flat->name, run_register,
			  scene->count)
		    : NULL;
	if (!ours)
		return false;
	flat->prepare = ours->prepare = prepare_scene;
	return true;
}

static bool add_replacing(struct workloads *workloads, enum shape shape, const char *name)
{
	struct scene *scene = make_scene(shape, 65536);
	const struct workload *search =
		add(workloads, scene, &translate_kinds[1], name, NULL, run_ask, QUERIES);

	return search &&
	       add(workloads, scene, &translate_kinds[2], name, search->name, run_replace, QUERIES);
}

static bool add_threads(struct workloads *workloads)
{
	struct scene *scene = make_scene(SHAPE_C1, 256);
	struct workload *one =
		add(workloads, scene, &translate_kinds[2], "C4-1", NULL, run_ask, QUERIES);

	if (!one)
		return false;
	one->batch = 16UL * QUERIES; /* a thread is not made for less */
	one = add(workloads, scene, &translate_kinds[2], "C4-2", one->name, run_two,
		  16UL * QUERIES);
	return one != NULL;
}

bool add_translate_workloads(struct workloads *workloads)
{
	static const uint32_t counts[] = {1, 16, 256, 4096, 65536};

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		if (!add_shape(workloads, SHAPE_C1, "C1-N", counts[i]))
			return false;
	return add_shape(workloads, SHAPE_C2, "C2-N", 65536) &&
	       add_shape(workloads, SHAPE_C3, "C3-N", 4096) &&
	       add_shape(workloads, SHAPE_C3, "C3-N", 65536) &&
	       add_shape(workloads, SHAPE_PAGES, "C3-pages", 65536) &&
	       add_shape(workloads, SHAPE_BYTES, "C3-bytes", 65536) && add_threads(workloads) &&
	       add_registering(workloads, SHAPE_C1, "C1-register") &&
	       add_registering(workloads, SHAPE_C3, "C3-register") &&
	       add_replacing(workloads, SHAPE_C1, "C1-replace") &&
	       add_replacing(workloads, SHAPE_C3, "C3-replace");
}
