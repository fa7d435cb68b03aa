/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workload.c - random drivers, and devices that do what they are told.
 *
 * Each buffer is filled with a pattern of its own by whoever is to write it, and checked by whoever
 * is to read it: the CPU through the machine's watched accesses, the device by its engine. Buffers
 * lie anywhere in memory, so that they are reached, or bounce, or are refused.
 */
#include "sim.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFERS = 64, RINGS = 8, LONGEST = 64 << 10 };

struct buffer {
	struct busway_mapping mapping;
	struct busway_phys_range memory;
	enum busway_direction direction;
	uint64_t pattern;
	struct actor *actor;
	bool live;
};

struct ring {
	struct busway_coherent memory;
	struct actor *actor;
	bool live;
};

struct work {
	struct scene *scene;
	uint64_t random;
	unsigned char bytes[LONGEST];
	struct buffer buffers[BUFFERS];
	struct ring rings[RINGS];
};

static uint64_t below(struct work *w, uint64_t bound)
{
	return sim_random(&w->random) % bound;
}

static struct actor *any_actor(struct work *w)
{
	for (unsigned i = 0; i < 64; i++) {
		struct actor *actor = &w->scene->actors[below(w, w->scene->count)];

		if (actor->device)
			return actor;
	}
	return NULL;
}

static struct busway_lane *lane_of(const struct actor *actor)
{
	return busway_dma_lane(actor->device, 0);
}

static uint64_t size_of(const struct buffer *b)
{
	return busway_range_span(busway_phys_raw(b->memory)) + 1;
}

/* Memory for a buffer: near a random place of a random bank, or wherever there is some. */
static bool take_memory(struct work *w, struct buffer *b)
{
	const struct busway_range bank =
		busway_phys_raw(w->scene->memory[below(w, w->scene->memory_count)]);
	const uint64_t size = 1 + below(w, below(w, 4) ? 4096 : LONGEST);
	const uint64_t align = (uint64_t)1 << below(w, 13);
	struct busway_phys_range within = busway_phys_range(bank);
	busway_phys_t phys;

	if (busway_range_span(bank) > (uint64_t)1 << 20)
		within.first.raw +=
			below(w, busway_range_span(bank) - ((uint64_t)1 << 20)) & ~(uint64_t)0xfff;
	if (busway_machine_take(w->scene->machine, size, align, &within, 1, &phys) &&
	    busway_machine_take(w->scene->machine, size, align, NULL, 0, &phys))
		return false;
	b->memory = (struct busway_phys_range){phys, {phys.raw + (size - 1)}};
	return true;
}

/* ---- what the CPU and the device do ---- */

static void cpu_fills(struct work *w, struct buffer *b)
{
	const size_t size = (size_t)size_of(b);

	b->pattern = sim_random(&w->random);
	busway_pattern_fill(b->pattern, 0, w->bytes, size);
	busway_machine_cpu_write(w->scene->machine, b->memory.first, w->bytes, size);
}

static void cpu_checks(struct work *w, struct buffer *b)
{
	const size_t size = (size_t)size_of(b);

	busway_machine_cpu_read(w->scene->machine, b->memory.first, w->bytes, size);
	if (busway_pattern_check(b->pattern, 0, w->bytes, size) != size)
		b->actor->wrong++;
}

static void device_does(struct buffer *b, enum busway_engine_operation operation)
{
	const struct busway_engine_descriptor descriptor = {
		.operation = operation,
		.from = b->mapping.dma,
		.to = b->mapping.dma,
		.size = b->mapping.size,
		.pattern = b->pattern,
	};

	if (busway_engine_execute(b->actor->engine, &descriptor).status != BUSWAY_ENGINE_DONE)
		b->actor->wrong++;
}

/* ---- steps ---- */

static void map(struct work *w, struct buffer *b)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	struct busway_refusal why;

	b->actor = any_actor(w);
	if (!b->actor || !take_memory(w, b))
		return;
	b->direction = directions[below(w, 3)];
	cpu_fills(w, b);
	if (busway_map(lane_of(b->actor), b->memory, b->direction, 0, &b->mapping, &why)) {
		b->actor->refused[why.reason]++;
		busway_machine_give(w->scene->machine, b->memory);
		return;
	}
	b->live = true;
	count_mapping(b->actor, &b->mapping, b->memory);
	if (b->direction & BUSWAY_READ)
		device_does(b, BUSWAY_ENGINE_VERIFY);
}

static void use(struct work *w, struct buffer *b)
{
	if (!(b->direction & BUSWAY_WRITE)) {
		device_does(b, BUSWAY_ENGINE_VERIFY);
		return;
	}
	b->pattern = sim_random(&w->random);
	device_does(b, BUSWAY_ENGINE_FILL);
	if (below(w, 2))
		return;
	/* the driver hears of it by reading a register, which pushes the writes before it */
	busway_machine_flush(w->scene->machine, b->actor->id);
	busway_sync_for_cpu(&b->mapping, 0, b->mapping.size);
	cpu_checks(w, b);
	if (b->direction == BUSWAY_BIDIRECTIONAL)
		cpu_fills(w, b);
	busway_sync_for_device(&b->mapping, 0, b->mapping.size);
	if (b->direction == BUSWAY_BIDIRECTIONAL)
		device_does(b, BUSWAY_ENGINE_VERIFY);
}

static void unmap(struct work *w, struct buffer *b)
{
	busway_machine_flush(w->scene->machine, b->actor->id);
	busway_unmap(&b->mapping);
	cpu_checks(w, b);
	busway_machine_give(w->scene->machine, b->memory);
	b->live = false;
}

/* A descriptor is written by the CPU, and fetched by the device itself. */
static void share(struct work *w, struct ring *r)
{
	const struct busway_engine_descriptor nothing = {
		.operation = BUSWAY_ENGINE_NOTHING,
		.flags = BUSWAY_ENGINE_LAST,
	};
	struct busway_refusal why;
	uint64_t size;
	unsigned flags;

	if (r->live && below(w, 2)) {
		busway_engine_encode(&nothing, r->memory.cpu);
		if (busway_engine_run(r->actor->engine, r->memory.dma).status != BUSWAY_ENGINE_DONE)
			r->actor->wrong++;
		return;
	}
	if (r->live) {
		busway_coherent_free(&r->memory);
		r->live = false;
		return;
	}
	r->actor = any_actor(w);
	if (!r->actor)
		return;
	/* one after the other: the order in which arguments are worked out is the compiler's */
	size = 64 + below(w, 16384);
	flags = below(w, 2) ? BUSWAY_COHERENT_ATOMIC : 0;
	if (busway_coherent_alloc(lane_of(r->actor), size, 64, flags, &r->memory, &why)) {
		r->actor->refused[why.reason]++;
		return;
	}
	r->live = true;
	r->actor->coherent++;
	group_note_use(r->actor->group);
}

static void step(struct work *w)
{
	struct buffer *b = &w->buffers[below(w, BUFFERS)];

	if (below(w, 10) == 0)
		share(w, &w->rings[below(w, RINGS)]);
	else if (!b->live)
		map(w, b);
	else if (below(w, 3))
		use(w, b);
	else
		unmap(w, b);
	if (below(w, 64) == 0)
		busway_machine_disturb(w->scene->machine, b->memory);
}

static void finish(struct work *w)
{
	for (int i = 0; i < BUFFERS; i++)
		if (w->buffers[i].live)
			unmap(w, &w->buffers[i]);
	for (int i = 0; i < RINGS; i++)
		if (w->rings[i].live)
			busway_coherent_free(&w->rings[i].memory);
	busway_machine_settle(w->scene->machine);
}

/* ---- progress ---- */

static void show_progress(uint64_t done, uint64_t all)
{
	enum { WIDTH = 40 };
	const int full = (int)(done * WIDTH / all);

	fprintf(stderr, "\r[%.*s%*s] %3u %%", full, "########################################",
		WIDTH - full, "", (unsigned)(done * 100 / all));
	if (done == all)
		fputs("\r\033[K", stderr);
}

bool sim_workload(struct scene *scene)
{
	const uint64_t steps = scene->options->count ? scene->options->count : 20000;
	const bool progress = isatty(STDERR_FILENO) && !scene->options->quiet;
	struct work *w = calloc(1, sizeof(*w));

	if (!w)
		return complain("out of memory") == EXIT_YES;
	w->scene = scene;
	w->random = scene->options->seed;
	while (scene->steps < steps && any_actor(w)) {
		step(w);
		scene->steps++;
		if (progress && (scene->steps % 256 == 0 || scene->steps == steps))
			show_progress(scene->steps, steps);
	}
	finish(w);
	free(w);
	return true;
}
