/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine.c - a DMA engine: one device of the machine that works off descriptors.
 *
 * It knows nothing but addresses, as hardware does, and stops at the first thing that goes wrong.
 */
#include "sim_internal.h"

enum { CHUNK = 4096, MOST = 65536 };

struct busway_engine {
	struct busway_machine *machine;
	busway_device_id device;
	struct busway_engine_options options;
	unsigned char chunk[CHUNK];
};

/* ---- descriptors in memory ---- */

static void put(unsigned char *bytes, uint64_t value, unsigned size)
{
	for (unsigned i = 0; i < size; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
}

static uint64_t get(const unsigned char *bytes, unsigned size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

void busway_engine_encode(const struct busway_engine_descriptor *d,
			  unsigned char bytes[BUSWAY_ENGINE_DESCRIPTOR_SIZE])
{
	put(bytes, d->operation, 4);
	put(bytes + 4, d->flags, 4);
	put(bytes + 8, d->from.raw, 8);
	put(bytes + 16, d->to.raw, 8);
	put(bytes + 24, d->size, 8);
	put(bytes + 32, d->pattern, 8);
	put(bytes + 40, d->next.raw, 8);
}

static struct busway_engine_descriptor decode(const unsigned char *bytes)
{
	return (struct busway_engine_descriptor){
		.operation = (uint32_t)get(bytes, 4),
		.flags = (uint32_t)get(bytes + 4, 4),
		.from = {get(bytes + 8, 8)},
		.to = {get(bytes + 16, 8)},
		.size = get(bytes + 24, 8),
		.pattern = get(bytes + 32, 8),
		.next = {get(bytes + 40, 8)},
	};
}

/* ---- what it does ---- */

static bool reads(const struct busway_engine_descriptor *d)
{
	return d->operation == BUSWAY_ENGINE_READ || d->operation == BUSWAY_ENGINE_COPY ||
	       d->operation == BUSWAY_ENGINE_VERIFY;
}

static bool writes(const struct busway_engine_descriptor *d)
{
	return d->operation == BUSWAY_ENGINE_WRITE || d->operation == BUSWAY_ENGINE_COPY ||
	       d->operation == BUSWAY_ENGINE_FILL;
}

static bool makes_sense(const struct busway_engine_descriptor *d)
{
	const uint32_t flags = BUSWAY_ENGINE_LAST | BUSWAY_ENGINE_INTERRUPT | BUSWAY_ENGINE_RELAXED;
	struct busway_range range;

	return d->operation < BUSWAY_ENGINE_OPERATIONS && !(d->flags & ~flags) &&
	       (!reads(d) || busway_range_make(d->from.raw, d->size, &range)) &&
	       (!writes(d) || busway_range_make(d->to.raw, d->size, &range));
}

static struct busway_engine_result ended(enum busway_engine_status status, uint64_t dma)
{
	return (struct busway_engine_result){.status = status, .dma = {dma}};
}

/* The next bytes of it, from @done on: into the chunk, checked, and out again. */
static struct busway_engine_result do_chunk(struct busway_engine *engine,
					    const struct busway_engine_descriptor *d, uint64_t done,
					    size_t size)
{
	const uint64_t from = d->from.raw + done, to = d->to.raw + done;
	const unsigned flags = d->flags & BUSWAY_ENGINE_RELAXED ? BUSWAY_WRITE_RELAXED : 0;
	size_t good = size;

	if (reads(d) && busway_machine_read(engine->machine, engine->device, busway_dma(from),
					    engine->chunk, size))
		return ended(BUSWAY_ENGINE_REFUSED, from);
	if (d->operation == BUSWAY_ENGINE_VERIFY)
		good = busway_pattern_check(d->pattern, done, engine->chunk, size);
	if (good != size)
		return ended(BUSWAY_ENGINE_MISMATCH, from + good);
	if (d->operation == BUSWAY_ENGINE_WRITE)
		memset(engine->chunk, 0, size);
	if (d->operation == BUSWAY_ENGINE_FILL)
		busway_pattern_fill(d->pattern, done, engine->chunk, size);
	if (writes(d) && busway_machine_write(engine->machine, engine->device, busway_dma(to),
					      engine->chunk, size, flags))
		return ended(BUSWAY_ENGINE_REFUSED, to);
	return ended(BUSWAY_ENGINE_DONE, 0);
}

static void interrupt(struct busway_engine *engine)
{
	const struct busway_engine_options *o = &engine->options;
	unsigned char message[4];

	put(message, o->value, 4);
	if (o->has_doorbell)
		busway_machine_write(engine->machine, engine->device, o->doorbell, message,
				     sizeof(message), 0);
	if (o->interrupt)
		o->interrupt(o->ctx);
}

struct busway_engine_result busway_engine_execute(struct busway_engine *engine,
						  const struct busway_engine_descriptor *descriptor)
{
	const struct busway_engine_descriptor *d = descriptor;
	struct busway_engine_result result = ended(BUSWAY_ENGINE_DONE, 0);

	if (!makes_sense(d))
		return ended(BUSWAY_ENGINE_BAD, 0);
	for (uint64_t done = 0; (reads(d) || writes(d)) && done < d->size; done += CHUNK) {
		const uint64_t left = d->size - done;

		result = do_chunk(engine, d, done, left < CHUNK ? (size_t)left : CHUNK);
		if (result.status != BUSWAY_ENGINE_DONE)
			return result;
	}
	result.done = 1;
	if (d->flags & BUSWAY_ENGINE_INTERRUPT)
		interrupt(engine);
	return result;
}

/* Fetches a descriptor and does what it says. */
static struct busway_engine_result step(struct busway_engine *engine, busway_dma_t at,
					struct busway_engine_descriptor *d)
{
	unsigned char bytes[BUSWAY_ENGINE_DESCRIPTOR_SIZE];
	struct busway_engine_result result;

	if (busway_machine_read(engine->machine, engine->device, at, bytes, sizeof(bytes)))
		return ended(BUSWAY_ENGINE_REFUSED, at.raw);
	*d = decode(bytes);
	result = busway_engine_execute(engine, d);
	if (result.status == BUSWAY_ENGINE_BAD)
		result.dma = at;
	return result;
}

struct busway_engine_result busway_engine_run(struct busway_engine *engine, busway_dma_t first)
{
	struct busway_engine_descriptor d = {.next = first};
	uint64_t done = 0;

	do {
		const busway_dma_t at = d.next;
		struct busway_engine_result result;

		if (done == engine->options.most) {
			result = ended(BUSWAY_ENGINE_CYCLE, at.raw);
			result.done = done;
			return result;
		}
		result = step(engine, at, &d);
		if (result.status != BUSWAY_ENGINE_DONE) {
			result.done = done;
			return result;
		}
		done++;
	} while (!(d.flags & BUSWAY_ENGINE_LAST));
	return (struct busway_engine_result){BUSWAY_ENGINE_DONE, done, {0}};
}

/* ---- life ---- */

int busway_engine_create(struct busway_machine *machine, busway_device_id device,
			 const struct busway_engine_options *options, struct busway_engine **out)
{
	struct busway_engine *engine;

	if (!sim_device_exists(machine, device))
		return -BUSWAY_EINVAL;
	engine = sim_alloc(machine, 1, sizeof(*engine));
	if (!engine)
		return -BUSWAY_ENOMEM;
	engine->machine = machine;
	engine->device = device;
	if (options)
		engine->options = *options;
	if (!engine->options.most)
		engine->options.most = MOST;
	*out = engine;
	return 0;
}

void busway_engine_destroy(struct busway_engine *engine)
{
	if (engine)
		sim_free(engine->machine, engine, 1, sizeof(*engine));
}
