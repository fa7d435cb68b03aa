/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.c - what CPU and device do to the memory of a random driver. See buffer.h.
 *
 * Each buffer is filled with a pattern of its own by whoever is to write it, and checked by whoever
 * is to read it: the CPU through the machine's watched accesses, the device by its engine, or of a
 * list segment by segment.
 */
#include "buffer.h"

uint64_t below(struct work *w, uint64_t bound)
{
	return sim_random(&w->random) % bound;
}

static size_t size_of(struct busway_range range)
{
	return (size_t)busway_range_span(range) + 1;
}

static size_t buffer_size(const struct buffer *b)
{
	size_t size = 0;

	for (size_t i = 0; i < b->part_count; i++)
		size += size_of(busway_phys_raw(b->parts[i]));
	return size;
}

/* ---- memory ---- */

/* Near a random place of a random bank, or wherever there is some. */
static bool take_part(struct work *w, uint64_t longest, struct busway_phys_range *part)
{
	const struct busway_range bank =
		busway_phys_raw(w->scene->memory[below(w, w->scene->memory_count)]);
	const uint64_t size = 1 + below(w, below(w, 4) ? 4096 : longest);
	const uint64_t align = (uint64_t)1 << below(w, 13);
	struct busway_phys_range within = busway_phys_range(bank);
	busway_phys_t phys;

	if (busway_range_span(bank) > (uint64_t)1 << 20)
		within.first.raw +=
			below(w, busway_range_span(bank) - ((uint64_t)1 << 20)) & ~(uint64_t)0xfff;
	if (busway_machine_take(w->scene->machine, size, align, &within, 1, &phys) &&
	    busway_machine_take(w->scene->machine, size, align, NULL, 0, &phys))
		return false;
	*part = (struct busway_phys_range){phys, {phys.raw + (size - 1)}};
	return true;
}

bool buffer_take(struct work *w, struct buffer *b)
{
	const size_t wanted = below(w, 4) ? 1 : 2 + (size_t)below(w, PARTS - 1);

	for (b->part_count = 0; b->part_count < wanted; b->part_count++)
		if (!take_part(w, LONGEST / wanted, &b->parts[b->part_count])) {
			buffer_give(w, b);
			return false;
		}
	return true;
}

void buffer_give(struct work *w, struct buffer *b)
{
	for (size_t i = 0; i < b->part_count; i++)
		busway_machine_give(w->scene->machine, b->parts[i]);
	b->part_count = 0;
}

/* ---- the CPU ---- */

void cpu_fills(struct work *w, struct buffer *b)
{
	unsigned char *at = w->bytes;

	b->pattern = sim_random(&w->random);
	busway_pattern_fill(b->pattern, 0, w->bytes, buffer_size(b));
	for (size_t i = 0; i < b->part_count; i++) {
		const size_t size = size_of(busway_phys_raw(b->parts[i]));

		busway_machine_cpu_write(w->scene->machine, b->parts[i].first, at, size);
		at += size;
	}
}

void cpu_checks(struct work *w, struct buffer *b)
{
	const size_t whole = buffer_size(b);
	unsigned char *at = w->bytes;

	for (size_t i = 0; i < b->part_count; i++) {
		const size_t size = size_of(busway_phys_raw(b->parts[i]));

		busway_machine_cpu_read(w->scene->machine, b->parts[i].first, at, size);
		at += size;
	}
	if (busway_pattern_check(b->pattern, 0, w->bytes, whole) != whole)
		b->actor->wrong++;
}

/* ---- the device ---- */

static bool engine_does(const struct buffer *b, enum busway_engine_operation operation)
{
	const struct busway_engine_descriptor descriptor = {
		.operation = operation,
		.from = b->mapping.dma,
		.to = b->mapping.dma,
		.size = b->mapping.size,
		.pattern = b->pattern,
	};

	return busway_engine_execute(b->actor->engine, &descriptor).status == BUSWAY_ENGINE_DONE;
}

/* As a device does that is given a table of segments. */
static bool segments_do(struct work *w, const struct buffer *b,
			enum busway_engine_operation operation)
{
	struct busway_machine *machine = w->scene->machine;
	const size_t whole = (size_t)b->mapping.size;
	const bool writes = operation == BUSWAY_ENGINE_FILL;
	unsigned char *at = w->bytes;
	int status = 0;

	if (writes)
		busway_pattern_fill(b->pattern, 0, w->bytes, whole);
	for (uint32_t i = 0; i < b->mapping.segment_count && status == 0; i++) {
		const struct busway_dma_range dma = b->mapping.segments[i].dma;
		const size_t size = size_of(busway_dma_raw(dma));

		status =
			writes ? busway_machine_write(machine, b->actor->id, dma.first, at, size, 0)
			       : busway_machine_read(machine, b->actor->id, dma.first, at, size);
		at += size;
	}
	return status == 0 &&
	       (writes || busway_pattern_check(b->pattern, 0, w->bytes, whole) == whole);
}

void device_does(struct work *w, struct buffer *b, enum busway_engine_operation operation)
{
	if (!(b->part_count == 1 ? engine_does(b, operation) : segments_do(w, b, operation)))
		b->actor->wrong++;
}

/* ---- mapping ---- */

static int map_list(struct buffer *b, struct busway_lane *lane, struct busway_refusal *why)
{
	struct busway_plan plan = {0};
	enum busway_reason reason = BUSWAY_NOT_REFUSED;
	int status;

	/* what will be copied is known beforehand only; where it is refused, mapping says why */
	(void)busway_plan(lane, b->parts, b->part_count, b->direction, 0, &plan, NULL);
	status = busway_map_list(lane, b->parts, b->part_count, b->direction, 0, b->segments,
				 SEGMENTS, &b->mapping, NULL, why);
	if (status)
		return status;
	if (plan.bounced_bytes)
		reason = list_reason(b->actor, b->parts, b->part_count, b->direction, 0);
	count_served(b->actor, &b->mapping, plan.bounced_bytes, reason);
	return 0;
}

bool buffer_map(struct work *w, struct buffer *b)
{
	struct busway_lane *lane = busway_dma_lane(b->actor->device, 0);
	struct busway_refusal why = {0};
	int status;

	cpu_fills(w, b);
	if (b->part_count > 1) {
		status = map_list(b, lane, &why);
	} else {
		status = busway_map(lane, b->parts[0], b->direction, 0, &b->mapping, &why);
		if (status == 0)
			count_mapping(b->actor, &b->mapping, b->parts[0]);
	}
	/* -BUSWAY_ENOSPC: more segments than the driver has room for, which is nobody's refusal */
	if (status == -BUSWAY_ERANGE)
		b->actor->refused[why.reason]++;
	return status == 0;
}
