/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_buffers.c - drivers that map, use and unmap buffers as they should; and some that do not.
 *
 * .cpu is what the CPU must find in the region of a buffer, .seen what the device must find in the
 * buffer, byte by byte, as far as the rules of ownership say: whoever does not own a byte does not
 * look at it.
 */
#include "dma_world.h"

#include <string.h>

#define RAM ((uint64_t)0x80000000)

/* ---- bytes of a buffer ---- */

static uint64_t region_of(const struct world *w, const struct buffer *b)
{
	return RAM + (uint64_t)(b - w->buffers) * 0x15000; /* some lie across two blocks */
}

/* Where byte @at of the buffer lies in its region. */
static uint64_t place(const struct world *w, const struct buffer *b, uint64_t at)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct busway_range part = busway_phys_raw(b->parts[i]);
		const uint64_t size = busway_range_span(part) + 1;

		if (at < size)
			return part.first + at - region_of(w, b);
		at -= size;
	}
	must(false, "a byte behind the buffer");
	return 0;
}

/* As many bytes from @at on as lie side by side, in memory and for the device. */
static size_t run_at(const struct buffer *b, uint64_t at, uint64_t size, busway_dma_t *dma)
{
	uint64_t rest = size, first = at;

	for (size_t i = 0; i < b->count; i++) {
		const uint64_t part = busway_range_span(busway_phys_raw(b->parts[i])) + 1;

		if (first < part) {
			rest = part - first < rest ? part - first : rest;
			break;
		}
		first -= part;
	}
	for (uint32_t i = 0; dma && i < b->mapping.segment_count; i++) {
		const struct busway_range segment = busway_dma_raw(b->mapping.segments[i].dma);
		const uint64_t bytes = busway_range_span(segment) + 1;

		if (at < bytes) {
			*dma = busway_dma(segment.first + at);
			return (size_t)(bytes - at < rest ? bytes - at : rest);
		}
		at -= bytes;
	}
	must(!dma, "segments are shorter than the buffer");
	return (size_t)rest;
}

static void cpu_writes(struct world *w, struct buffer *b, uint64_t at, uint64_t size)
{
	const uint64_t pattern = ++w->patterns;

	for (uint64_t done = 0; done < size;) {
		const size_t run = run_at(b, at + done, size - done, NULL);
		const uint64_t where = place(w, b, at + done);

		busway_pattern_fill(pattern, done, b->cpu + where, run);
		must(busway_machine_cpu_write(w->machine, busway_phys(region_of(w, b) + where),
					      b->cpu + where, run) == 0,
		     "no memory is there");
		done += run;
	}
}

static void cpu_reads(struct world *w, const struct buffer *b, uint64_t at, uint64_t size)
{
	unsigned char bytes[REGION];

	for (uint64_t done = 0; done < size;) {
		const size_t run = run_at(b, at + done, size - done, NULL);
		const uint64_t where = place(w, b, at + done);

		busway_machine_cpu_read(w->machine, busway_phys(region_of(w, b) + where), bytes,
					run);
		must(memcmp(bytes, b->cpu + where, run) == 0, "the CPU finds other bytes");
		done += run;
	}
}

void check_region(struct world *w, const struct buffer *b)
{
	unsigned char bytes[REGION];

	busway_machine_cpu_read(w->machine, busway_phys(region_of(w, b)), bytes, REGION);
	must(memcmp(bytes, b->cpu, REGION) == 0, "bytes have changed beside what was mapped");
}

static void device_writes(struct world *w, struct buffer *b, uint64_t at, uint64_t size)
{
	const uint64_t pattern = ++w->patterns;

	for (uint64_t done = 0; done < size;) {
		busway_dma_t dma = {0};
		const size_t run = run_at(b, at + done, size - done, &dma);

		busway_pattern_fill(pattern, done, b->seen + at + done, run);
		must(busway_machine_write(w->machine, (busway_device_id){b->device}, dma,
					  b->seen + at + done, run, 0) == 0,
		     "a device cannot write what is mapped for it");
		done += run;
	}
}

static void device_reads(struct world *w, const struct buffer *b, uint64_t at, uint64_t size)
{
	unsigned char bytes[REGION];

	for (uint64_t done = 0; done < size;) {
		busway_dma_t dma = {0};
		const size_t run = run_at(b, at + done, size - done, &dma);

		must(busway_machine_read(w->machine, (busway_device_id){b->device}, dma, bytes,
					 run) == 0,
		     "a device cannot read what is mapped for it");
		must(memcmp(bytes, b->seen + at + done, run) == 0, "a device finds other bytes");
		done += run;
	}
}

/* What changes sides: from the CPU's view to the device's, and back. */
static void hand_over(const struct world *w, struct buffer *b, uint64_t at, uint64_t size)
{
	for (uint64_t end = at + size, run; at < end; at += run) {
		run = run_at(b, at, end - at, NULL);
		memcpy(b->seen + at, b->cpu + place(w, b, at), (size_t)run);
	}
}

static void take_over(const struct world *w, struct buffer *b, uint64_t at, uint64_t size)
{
	for (uint64_t end = at + size, run; at < end; at += run) {
		run = run_at(b, at, end - at, NULL);
		memcpy(b->cpu + place(w, b, at), b->seen + at, (size_t)run);
	}
}

/* ---- mapping ---- */

static void draw_parts(struct world *w, struct buffer *b, size_t count)
{
	const uint64_t third = REGION / PARTS / 64 * 64;

	b->count = count;
	b->size = 0;
	for (size_t i = 0; i < count; i++) {
		const bool lines = chance(&w->in);
		const uint64_t room = count == 1 ? REGION : third;
		uint64_t at = below(&w->in, room), size = 1 + below(&w->in, room - at);

		if (lines) {
			at &= ~(uint64_t)63;
			size = (size + 63) & ~(uint64_t)63;
		}
		at += region_of(w, b) + i * third;
		b->parts[i] = (struct busway_phys_range){{at}, {at + size - 1}};
		b->size += size;
	}
}

/* What its record was last, once it is neither mapped nor waits. */
static void ended(struct buffer *b, bool was_mapped)
{
	b->was_mapped = was_mapped;
	b->was_refused = !was_mapped;
}

static unsigned draw_attributes(uint8_t byte)
{
	return (byte & 1 ? BUSWAY_MAP_OWNS_LINES : 0) |
	       ((byte & 6) == 6 ? BUSWAY_MAP_NO_BOUNCE : 0) |
	       ((byte & 24) == 24 ? BUSWAY_MAP_SKIP_SYNC : 0) |
	       ((byte & 96) == 96 ? BUSWAY_MAP_OVERWRITES : 0);
}

/* Mapped: what the device may see is what the CPU has, unless that was left out. */
static void mapped(struct world *w, struct buffer *b)
{
	uint64_t total = 0;

	for (uint32_t i = 0; i < b->mapping.segment_count; i++)
		total += busway_range_span(busway_dma_raw(b->mapping.segments[i].dma)) + 1;
	must(total == b->size && b->mapping.size == b->size, "another size than was mapped");
	must(!(b->attributes & BUSWAY_MAP_NO_BOUNCE) || b->mapping.way == BUSWAY_WAY_DIRECT,
	     "bounced against the driver's will");
	must(b->device != 2 || b->mapping.way == BUSWAY_WAY_BOUNCE,
	     "a restricted device gets at memory");
	b->live = true;
	ended(b, true);
	b->waits = b->has_turn = false;
	b->undefined = (b->attributes & (BUSWAY_MAP_SKIP_SYNC | BUSWAY_MAP_OVERWRITES)) != 0;
	hand_over(w, b, 0, b->size);
	if (b->attributes & BUSWAY_MAP_SKIP_SYNC) {
		must(busway_sync_for_device(&b->mapping, 0, b->size) == 0, "a sync fails");
		b->undefined = b->direction == BUSWAY_FROM_DEVICE;
	}
	expect_nothing(w);
	if (b->direction & BUSWAY_READ)
		device_reads(w, b, 0, b->size);
	expect_nothing(w);
}

static void on_turn(struct busway_mapping *mapping, void *ctx)
{
	struct buffer *b = ctx;

	must(&b->mapping == mapping && !b->has_turn, "a turn comes twice, or to another");
	b->has_turn = true;
}

static int call_map(struct world *w, struct buffer *b, bool waits, size_t capacity, size_t *needed,
		    struct busway_refusal *why)
{
	struct busway_lane *lane = lane_of(w, b->device, b->lane);

	if (b->count > 1)
		return busway_map_list(lane, b->parts, b->count, b->direction, b->attributes,
				       b->segments, capacity, &b->mapping, needed, why);
	if (waits)
		return busway_map_or_wait(lane, b->parts[0], b->direction, b->attributes,
					  &b->mapping, on_turn, b, why);
	return busway_map(lane, b->parts[0], b->direction, b->attributes, &b->mapping, why);
}

static uint64_t used_of_pools(struct world *w)
{
	struct busway_pool_census census;
	uint64_t used = 0;

	for (size_t i = 0; busway_dma_pool(w->dma, i, &census); i++)
		used += census.used;
	return used;
}

void map_buffer(struct world *w)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	struct buffer *b = &w->buffers[below(&w->in, BUFFERS)];
	const bool waits = chance(&w->in), plans = chance(&w->in);
	const size_t capacity = 1 + below(&w->in, SEGMENTS);
	struct busway_refusal why = {0};
	struct busway_plan plan;
	uint64_t used;
	size_t needed = 0;
	int planned = 0, status;

	b->device = b->live || b->waits ? b->device : (unsigned)below(&w->in, DEVICES);
	if (b->live || b->waits || !w->devices[b->device].device)
		return;
	b->lane = (unsigned)below(&w->in, LANES);
	b->direction = directions[below(&w->in, 3)];
	b->attributes = draw_attributes(next(&w->in));
	draw_parts(w, b, 1 + below(&w->in, PARTS));
	cpu_writes(w, b, 0, b->size);
	used = used_of_pools(w);
	if (plans)
		planned = busway_plan(lane_of(w, b->device, b->lane), b->parts, b->count,
				      b->direction, b->attributes, &plan, &why);
	must(used == used_of_pools(w), "a plan keeps slots");
	why = (struct busway_refusal){0};
	status = call_map(w, b, waits, capacity, &needed, &why);
	must(!plans || b->count == 1 || planned != 0 || status == 0 || status == -BUSWAY_ENOSPC,
	     "a plan promises what mapping refuses");
	must(status != -BUSWAY_ENOSPC || (b->count > 1 && needed > capacity),
	     "no room, but there is");
	must(status == 0 || status == -BUSWAY_ERANGE || status == -BUSWAY_ENOSPC ||
		     (status == -BUSWAY_EAGAIN && waits),
	     "mapping fails in another way");
	if (status == -BUSWAY_ERANGE || status == -BUSWAY_EAGAIN)
		check_refusal(&why);
	b->waits = status == -BUSWAY_EAGAIN;
	ended(b, false);
	/* a record that is refused while others wait in line does not always say so */
	b->was_refused = !waits || b->count > 1;
	expect_nothing(w);
	must(status == 0 || b->waits || used == used_of_pools(w), "a refusal keeps slots");
	if (status == 0)
		mapped(w, b);
}

void map_turns(struct world *w)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		struct buffer *b = &w->buffers[i];

		if (!b->waits || !b->has_turn)
			continue;
		must(call_map(w, b, true, 0, NULL, NULL) == 0, "a turn that is none");
		mapped(w, b);
	}
}

/* ---- using ---- */

/* A part; of a device that sees no caches whole lines of memory, or all of it. */
static void draw_part(struct world *w, const struct buffer *b, uint64_t *at, uint64_t *size)
{
	*at = below(&w->in, b->size);
	*size = 1 + below(&w->in, b->size - *at);
	if (w->devices[b->device].caches || b->undefined) {
		*at = 0;
		*size = b->size;
	}
}

static void sync_to_cpu(struct world *w, struct buffer *b, uint64_t at, uint64_t size)
{
	busway_machine_flush(w->machine, (busway_device_id){b->device});
	must(busway_sync_for_cpu(&b->mapping, at, size) == 0, "a sync fails");
	take_over(w, b, at, size);
}

/* From one of the buffers on, the first one that is live; NULL. */
static struct buffer *live_buffer(struct world *w)
{
	const uint64_t from = below(&w->in, BUFFERS);

	for (uint64_t i = 0; i < BUFFERS; i++)
		if (w->buffers[(from + i) % BUFFERS].live)
			return &w->buffers[(from + i) % BUFFERS];
	return NULL;
}

void use_buffer(struct world *w)
{
	struct buffer *b = live_buffer(w);
	uint64_t at, size;

	if (!b)
		return;
	draw_part(w, b, &at, &size);
	if (b->direction & BUSWAY_WRITE) {
		device_writes(w, b, at, size);
		b->undefined = false;
		if (chance(&w->in))
			return;
		/* two ways: all that the device wrote in parts is the CPU's to write to only then
		 */
		if (b->direction == BUSWAY_BIDIRECTIONAL)
			at = 0, size = b->size;
		sync_to_cpu(w, b, at, size);
		cpu_reads(w, b, at, size);
	}
	if (b->direction & BUSWAY_READ)
		cpu_writes(w, b, at, size);
	if (chance(&w->in) && b->direction != BUSWAY_FROM_DEVICE &&
	    !(b->attributes & BUSWAY_MAP_SKIP_SYNC) && b->count == 1)
		must(busway_sync_address(lane_of(w, b->device, b->lane),
					 busway_dma(b->mapping.dma.raw + at), size, b->direction,
					 false) == 0,
		     "a sync by address fails");
	else
		must(busway_sync_for_device(&b->mapping, at, size) == 0, "a sync fails");
	if (b->direction & BUSWAY_READ) {
		hand_over(w, b, at, size);
		device_reads(w, b, 0, b->size);
	}
	expect_nothing(w);
}

static int call_unmap(struct world *w, struct buffer *b)
{
	struct busway_lane *lane = lane_of(w, b->device, b->lane);

	if (chance(&w->in))
		return busway_unmap(&b->mapping);
	return b->count > 1
		       ? busway_unmap_list_address(lane, b->mapping.dma, b->count, b->direction)
		       : busway_unmap_address(lane, b->mapping.dma, b->size, BUSWAY_KIND_SINGLE,
					      b->direction);
}

void unmap_buffer(struct world *w, struct buffer *b)
{
	if (b->waits) {
		must(busway_map_cancel(&b->mapping), "what waits cannot be cancelled");
		b->waits = b->has_turn = false;
		return;
	}
	if ((b->direction & BUSWAY_WRITE) && b->undefined)
		device_writes(w, b, 0, b->size);
	busway_machine_flush(w->machine, (busway_device_id){b->device});
	if (b->attributes & BUSWAY_MAP_SKIP_SYNC)
		busway_sync_for_cpu(&b->mapping, 0, b->size);
	must(call_unmap(w, b) == 0, "unmapping fails");
	b->live = false;
	if (b->direction & BUSWAY_WRITE)
		take_over(w, b, 0, b->size);
	expect_nothing(w);
	check_region(w, b);
}

void unmap_any(struct world *w)
{
	struct buffer *b = &w->buffers[below(&w->in, BUFFERS)];

	if (b->live || b->waits)
		unmap_buffer(w, b);
}

void forget_buffers(struct world *w, unsigned device)
{
	for (unsigned i = 0; i < BUFFERS; i++) {
		struct buffer *b = &w->buffers[i];

		if (b->device != device || (!b->live && !b->waits))
			continue;
		/* nobody copied or synced: what the CPU finds is not known, so it writes anew */
		if (b->live)
			cpu_writes(w, b, 0, b->size);
		b->live = b->waits = b->has_turn = false;
	}
}

/* ---- misuse: told once, as what it is, and nothing is changed ---- */

static void misuse_live(struct world *w, struct buffer *b)
{
	struct busway_lane *lane = lane_of(w, b->device, b->lane);
	const enum busway_direction other =
		b->direction == BUSWAY_BIDIRECTIONAL ? BUSWAY_TO_DEVICE : BUSWAY_BIDIRECTIONAL;
	const bool list = b->count > 1;
	struct busway_coherent none = {0};

	switch (below(&w->in, 6)) {
	case 0:
		must(busway_map(lane, b->parts[0], b->direction, 0, &b->mapping, NULL) ==
			     -BUSWAY_EINVAL,
		     "a live record is mapped");
		expect_misuse(w, BUSWAY_MISUSE_MAPPED_TWICE);
		break;
	case 1:
		must(busway_sync_for_device(&b->mapping, b->size, 1) == -BUSWAY_EINVAL,
		     "a sync behind the end");
		expect_misuse(w, BUSWAY_MISUSE_SYNC_OUTSIDE);
		break;
	case 2:
		if (list)
			must(busway_unmap_list_address(lane, b->mapping.dma, b->count + 1,
						       b->direction) == -BUSWAY_EINVAL,
			     "a list of another length");
		else
			must(busway_unmap_address(lane, b->mapping.dma, b->size + 1,
						  BUSWAY_KIND_SINGLE,
						  b->direction) == -BUSWAY_EINVAL,
			     "another size");
		expect_misuse(w, list ? BUSWAY_MISUSE_WRONG_COUNT : BUSWAY_MISUSE_WRONG_SIZE);
		break;
	case 3:
		must((list ? busway_unmap_list_address(lane, b->mapping.dma, b->count, other)
			   : busway_unmap_address(lane, b->mapping.dma, b->size, BUSWAY_KIND_SINGLE,
						  other)) == -BUSWAY_EINVAL,
		     "another direction");
		expect_misuse(w, BUSWAY_MISUSE_WRONG_DIRECTION);
		break;
	case 4:
		must(busway_coherent_free_address(lane, b->mapping.dma, b->size, &none) ==
			     -BUSWAY_EINVAL,
		     "another kind");
		expect_misuse(w, BUSWAY_MISUSE_WRONG_KIND);
		break;
	default:
		must(busway_dma_detach(w->devices[b->device].device) == -BUSWAY_EBUSY,
		     "a driver leaves something mapped");
		expect_misuse(w, BUSWAY_MISUSE_LEAK);
	}
}

void misuse_buffer(struct world *w)
{
	struct buffer *b = &w->buffers[below(&w->in, BUFFERS)];

	if (b->live) {
		misuse_live(w, b);
	} else if (b->waits) {
		must(busway_unmap(&b->mapping) == -BUSWAY_EINVAL, "what waits is unmapped");
		expect_misuse(w, BUSWAY_MISUSE_UNMAP_REFUSED);
	} else if (b->was_refused || b->was_mapped) {
		must(busway_unmap(&b->mapping) == -BUSWAY_EINVAL, "unmapped twice");
		expect_misuse(w, b->was_mapped ? BUSWAY_MISUSE_UNMAPPED_TWICE
					       : BUSWAY_MISUSE_UNMAP_REFUSED);
		must(busway_sync_for_cpu(&b->mapping, 0, 1) == -BUSWAY_EINVAL, "synced when gone");
		expect_misuse(w, BUSWAY_MISUSE_SYNC_NOT_MAPPED);
	}
}
