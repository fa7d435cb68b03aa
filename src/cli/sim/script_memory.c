/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_memory.c - coherent memory, and what the CPU and devices do to bytes. See script.h.
 *
 * A pattern goes on from range to range and from segment to segment: what the CPU fills, a device
 * verifies, however the buffer was cut.
 */
#include "script.h"

#include <inttypes.h>

enum { CHUNK = 4096 };

/* ---- coherent memory ---- */

static bool is_free_for_coherent(struct script *s, const struct named *n)
{
	if (!n->live && !n->waits && !n->blocks && !n->is_out)
		return true;
	say_mistake(s, "the name is in use");
	return false;
}

static void set_memory(struct script *s, struct named *n, struct actor *actor, uint64_t phys,
		       uint64_t dma, uint64_t size)
{
	drop_memory(s, n);
	n->actor = actor;
	n->held[0] = HELD_BY_LIBRARY;
	n->memory_count = n->seen_count = 1;
	n->memory[0] = (struct busway_phys_range){{phys}, {phys + (size - 1)}};
	n->seen[0] = (struct busway_dma_range){{dma}, {dma + (size - 1)}};
}

static void say_no_memory(struct script *s, struct actor *actor, int status,
			  const struct busway_refusal *why)
{
	if (status == -BUSWAY_ERANGE)
		say_refused(s, actor, why);
	else if (status == -BUSWAY_ENOMEM)
		say_mistake(s, "out of memory");
	else
		say_misuse(s);
}

void step_alloc(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = lane_for(s, step->actor);
	struct busway_refusal why;
	int status;

	if (!lane || !is_free_for_coherent(s, n))
		return;
	status = busway_coherent_alloc(lane, step->number, 4096,
				       step->atomic ? BUSWAY_COHERENT_ATOMIC : 0, &n->coherent,
				       &why);
	if (status) {
		say_no_memory(s, step->actor, status, &why);
		return;
	}
	n->allocated = true;
	step->actor->coherent++;
	group_note_use(step->actor->group);
	set_memory(s, n, step->actor, n->coherent.phys.raw, n->coherent.dma.raw, step->number);
	say_format(s, "dma 0x%" PRIx64, n->coherent.dma.raw);
}

static void free_blocks(struct script *s, struct named *n)
{
	if (busway_blocks_destroy(n->blocks)) {
		say_mistake(s, "blocks of it are out");
		return;
	}
	n->blocks = NULL;
	say(s, "done");
}

void step_free(struct script *s, const struct step *step)
{
	struct named *n = step->name;

	if (n->blocks) {
		free_blocks(s, n);
		return;
	}
	if (busway_coherent_free(&n->coherent)) {
		say_misuse(s);
		return;
	}
	n->allocated = false;
	say(s, "done");
}

void step_blocks(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = lane_for(s, step->actor);

	if (!lane || !is_free_for_coherent(s, n))
		return;
	if (n->allocated) {
		say_mistake(s, "the name is in use");
		return;
	}
	n->actor = step->actor;
	n->block_size = step->number;
	if (busway_blocks_create(lane, step->number, 1, 0, &cli_memory, &n->blocks))
		say_mistake(s, "no size of a block, or out of memory");
	else
		say(s, "done");
}

void step_take(struct script *s, const struct step *step)
{
	struct named *n = step->name, *from = step->other;
	const struct busway_mapping *owner;
	struct busway_block block;
	struct busway_refusal why;
	int status;

	if (!from->blocks || !from->actor->device) {
		say_mistake(s, "no blocks are there");
		return;
	}
	if (!is_free_for_coherent(s, n))
		return;
	status = busway_blocks_take(from->blocks, step->atomic ? BUSWAY_COHERENT_ATOMIC : 0, &block,
				    &why);
	if (status) {
		say_no_memory(s, from->actor, status, &why);
		return;
	}
	owner = busway_dma_owner(from->actor->device, block.dma);
	set_memory(s, n, from->actor,
		   owner->segments[0].phys.raw + (block.dma.raw - owner->segments[0].dma.first.raw),
		   block.dma.raw, from->block_size);
	n->block_of = from;
	n->is_out = true;
	from->actor->coherent++;
	say_format(s, "dma 0x%" PRIx64, block.dma.raw);
}

void step_give(struct script *s, const struct step *step)
{
	struct named *n = step->name;

	if (!n->block_of || !n->block_of->blocks) {
		say_mistake(s, "no block");
		return;
	}
	if (busway_blocks_give(n->block_of->blocks, n->seen[0].first)) {
		say_misuse(s);
		return;
	}
	n->is_out = false;
	say(s, "done");
}

/* ---- the CPU ---- */

static uint64_t size_of(struct busway_range range)
{
	return busway_range_span(range) + 1;
}

/* Does @act to the chunks of all memory of @n, with the offset in the pattern; false: it stopped.
 */
static bool each_chunk(struct script *s, const struct named *n, uint64_t pattern,
		       bool (*act)(struct script *, busway_phys_t, size_t, uint64_t, uint64_t))
{
	uint64_t offset = 0;

	for (size_t i = 0; i < n->memory_count; i++) {
		const struct busway_range range = busway_phys_raw(n->memory[i]);
		const uint64_t size = size_of(range);

		for (uint64_t at = 0; at < size; at += CHUNK) {
			const size_t part = size - at < CHUNK ? (size_t)(size - at) : CHUNK;

			if (!act(s, busway_phys(range.first + at), part, pattern, offset + at))
				return false;
		}
		offset += size;
	}
	return true;
}

static bool fill_chunk(struct script *s, busway_phys_t phys, size_t size, uint64_t pattern,
		       uint64_t offset)
{
	unsigned char bytes[CHUNK];

	busway_pattern_fill(pattern, offset, bytes, size);
	return busway_machine_cpu_write(s->scene->machine, phys, bytes, size) == 0;
}

static bool check_chunk(struct script *s, busway_phys_t phys, size_t size, uint64_t pattern,
			uint64_t offset)
{
	unsigned char bytes[CHUNK];

	return busway_machine_cpu_read(s->scene->machine, phys, bytes, size) == 0 &&
	       busway_pattern_check(pattern, offset, bytes, size) == size;
}

static bool has_memory(struct script *s, const struct named *n)
{
	if (n->memory_count)
		return true;
	say_mistake(s, "it has no memory");
	return false;
}

void step_fill(struct script *s, const struct step *step)
{
	if (!has_memory(s, step->name))
		return;
	if (each_chunk(s, step->name, step->number, fill_chunk))
		say(s, "done");
	else
		say_mistake(s, "no memory is there, or page tables of an IOMMU");
}

void step_check(struct script *s, const struct step *step)
{
	bool same;

	if (!has_memory(s, step->name))
		return;
	same = each_chunk(s, step->name, step->number, check_chunk);
	step->name->actor->wrong += !same;
	say(s, same ? "as expected" : "other bytes");
}

/* ---- devices ---- */

enum outcome { DONE, REFUSED, OTHER_BYTES };

/* At most a chunk. */
static enum outcome do_part(struct script *s, const struct actor *actor, const struct step *step,
			    busway_dma_t dma, size_t size, uint64_t offset)
{
	const bool reads =
		step->operation == BUSWAY_ENGINE_READ || step->operation == BUSWAY_ENGINE_VERIFY;
	unsigned char bytes[CHUNK] = {0};

	if (step->operation == BUSWAY_ENGINE_FILL)
		busway_pattern_fill(step->number, offset, bytes, size);
	if (reads ? busway_machine_read(s->scene->machine, actor->id, dma, bytes, size)
		  : busway_machine_write(s->scene->machine, actor->id, dma, bytes, size, 0))
		return REFUSED;
	return step->operation == BUSWAY_ENGINE_VERIFY &&
			       busway_pattern_check(step->number, offset, bytes, size) != size
		       ? OTHER_BYTES
		       : DONE;
}

static enum outcome do_range(struct script *s, const struct actor *actor, const struct step *step,
			     struct busway_range dma, uint64_t offset)
{
	const uint64_t size = size_of(dma);
	enum outcome outcome = DONE;

	for (uint64_t at = 0; at < size && outcome == DONE; at += CHUNK)
		outcome = do_part(s, actor, step, busway_dma(dma.first + at),
				  size - at < CHUNK ? (size_t)(size - at) : CHUNK, offset + at);
	return outcome;
}

static void say_outcome(struct script *s, struct actor *actor, enum outcome outcome)
{
	static const char *const texts[] = {"done", "refused by the bus", "other bytes"};

	actor->wrong += outcome == OTHER_BYTES;
	busway_machine_flush(s->scene->machine, actor->id);
	say(s, texts[outcome]);
}

void step_device(struct script *s, const struct step *step)
{
	const struct named *n = step->name;
	enum outcome outcome = DONE;
	uint64_t offset = 0;

	if (!n->seen_count) {
		say_mistake(s, "the device has no address of it");
		return;
	}
	for (size_t i = 0; i < n->seen_count && outcome == DONE; i++) {
		const struct busway_range dma = busway_dma_raw(n->seen[i]);

		outcome = do_range(s, n->actor, step, dma, offset);
		offset += size_of(dma);
	}
	say_outcome(s, n->actor, outcome);
}

void step_access(struct script *s, const struct step *step)
{
	say_outcome(s, step->actor, do_range(s, step->actor, step, step->range, 0));
}
