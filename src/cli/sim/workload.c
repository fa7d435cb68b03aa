/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * workload.c - random drivers, and devices that do what they are told.
 *
 * Drivers map buffers and lists, look at them, unmap them, and share descriptors with their
 * devices. Buffers lie anywhere in memory, so that they are reached, or bounce, or are refused.
 */
#include "buffer.h"

#include <stdlib.h>
#include <unistd.h>

enum { BUFFERS = 64, RINGS = 8 };

struct ring {
	struct busway_coherent memory;
	struct actor *actor;
	bool live;
};

struct drivers {
	struct work work;
	struct buffer buffers[BUFFERS];
	struct ring rings[RINGS];
};

static struct actor *any_actor(struct work *w)
{
	for (unsigned i = 0; i < 64; i++) {
		struct actor *actor = &w->scene->actors[below(w, w->scene->count)];

		if (actor->device)
			return actor;
	}
	return NULL;
}

/* ---- steps ---- */

static void map(struct work *w, struct buffer *b)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};

	b->actor = any_actor(w);
	if (!b->actor || !buffer_take(w, b))
		return;
	b->direction = directions[below(w, 3)];
	b->live = buffer_map(w, b);
	if (!b->live)
		buffer_give(w, b);
	else if (b->direction & BUSWAY_READ)
		device_does(w, b, BUSWAY_ENGINE_VERIFY);
}

static void use(struct work *w, struct buffer *b)
{
	if (!(b->direction & BUSWAY_WRITE)) {
		device_does(w, b, BUSWAY_ENGINE_VERIFY);
		return;
	}
	b->pattern = sim_random(&w->random);
	device_does(w, b, BUSWAY_ENGINE_FILL);
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
		device_does(w, b, BUSWAY_ENGINE_VERIFY);
}

static void unmap(struct work *w, struct buffer *b)
{
	busway_machine_flush(w->scene->machine, b->actor->id);
	busway_unmap(&b->mapping);
	cpu_checks(w, b);
	buffer_give(w, b);
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
	if (busway_coherent_alloc(busway_dma_lane(r->actor->device, 0), size, 64, flags, &r->memory,
				  &why)) {
		r->actor->refused[why.reason]++;
		return;
	}
	r->live = true;
	r->actor->coherent++;
	group_note_use(r->actor->group);
}

static void step(struct drivers *d)
{
	struct work *w = &d->work;
	struct buffer *b = &d->buffers[below(w, BUFFERS)];

	if (below(w, 10) == 0)
		share(w, &d->rings[below(w, RINGS)]);
	else if (!b->live)
		map(w, b);
	else if (below(w, 3))
		use(w, b);
	else
		unmap(w, b);
	if (below(w, 64) == 0 && b->part_count)
		busway_machine_disturb(w->scene->machine, b->parts[0]);
}

static void finish(struct drivers *d)
{
	for (int i = 0; i < BUFFERS; i++)
		if (d->buffers[i].live)
			unmap(&d->work, &d->buffers[i]);
	for (int i = 0; i < RINGS; i++)
		if (d->rings[i].live)
			busway_coherent_free(&d->rings[i].memory);
	busway_machine_settle(d->work.scene->machine);
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
	struct drivers *d = calloc(1, sizeof(*d));

	if (!d)
		return complain("out of memory") == EXIT_YES;
	d->work.scene = scene;
	d->work.random = scene->options->seed;
	while (scene->steps < steps && any_actor(&d->work)) {
		step(d);
		scene->steps++;
		if (progress && (scene->steps % 256 == 0 || scene->steps == steps))
			show_progress(scene->steps, steps);
	}
	finish(d);
	free(d);
	return true;
}
