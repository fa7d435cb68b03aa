/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * property_test.c - random drivers on random platforms, while devices read and write.
 *
 *   memory   | buffers of drivers, gaps between them | pools | more for pools |
 *
 * What each device and each driver must see is kept beside, byte by byte: after every unmapping the
 * driver's buffer holds what the device wrote, and no byte outside of any mapping ever changes.
 * Every access of a device is followed hop by hop and must land. What bounced is tried directly,
 * window by window: it bounces only where no address would have done.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum {
	DEVICES = 2,
	LIVE = 24,
	COHERENT = 8,
	BUFFERS_SIZE = 0x40000,
	POOLS_AT = 0x40000,
	POOL_SIZE = 0x10000,
	LONGEST = 0x5000,
	ENTRIES = 6,
};

struct buffer {
	struct busway_mapping mapping;
	struct busway_mapped segments[64];
	struct busway_phys_range entries[ENTRIES];
	size_t entry_count;
	uint32_t device;
	enum busway_direction direction;
	unsigned attributes;
	unsigned char *device_sees; /* of mapping.size bytes, through all entries */
	bool live, device_wrote_all;
};

struct shared {
	struct busway_coherent memory;
	unsigned char *expected;
	uint32_t device;
	bool live;
};

struct world {
	struct rig rig;
	struct rng rng;
	uint64_t seed;
	struct busway_dma_device *device[DEVICES];
	struct busway_dma_options options[DEVICES];
	unsigned char expected[BUFFERS_SIZE]; /* what the CPU must see of the buffers' memory */
	bool mapped[BUFFERS_SIZE];            /* a device may be writing there */
	struct buffer buffer[LIVE];
	struct shared shared[COHERENT];
	unsigned long served, bounced, refused;
};

/* ---- platforms ---- */

static void draw_windows(struct world *w, uint32_t bus)
{
	struct plan *plan = &w->rig.plan;
	const unsigned count = (unsigned)rng_between(&w->rng, 1, 4);
	uint64_t dma = rng_below(&w->rng, 64) << 12, at = 0;

	for (unsigned i = 0; i < count && at < RIG_SIZE; i++) {
		uint64_t size = (rng_between(&w->rng, 1, 200) << 12) +
				(rng_chance(&w->rng, 20) ? 0x440 : 0);

		if (i + 1 == count || size > RIG_SIZE - at)
			size = RIG_SIZE - at;
		plan_window(plan, bus, 0, (struct busway_range){dma, dma + size - 1},
			    RIG_BASE + at);
		/* a hole here and there, on either side, or none */
		dma += size + (rng_chance(&w->rng, 50) ? rng_below(&w->rng, 16) << 12 : 0) +
		       (rng_chance(&w->rng, 10) ? 0x40 : 0);
		at += size + (rng_chance(&w->rng, 30) ? rng_below(&w->rng, 8) << 12 : 0);
	}
}

static void draw_device(struct world *w)
{
	struct plan *plan = &w->rig.plan;
	const uint32_t bus = plan_space(plan, BUSWAY_SPACE_BUS);
	struct busway_device *d;
	uint32_t index;

	draw_windows(w, bus);
	index = plan_device(plan, bus);
	d = &plan->devices[index];
	d->coherence = rng_chance(&w->rng, 50) ? BUSWAY_COHERENT : BUSWAY_NONCOHERENT;
	if (rng_chance(&w->rng, 25)) {
		const uint64_t at = RIG_BASE + POOLS_AT + (2 + index) * POOL_SIZE;

		d->restricted_pool =
			plan_pool(plan, (struct busway_range){at, at + POOL_SIZE - 1});
		d->untrusted = rng_chance(&w->rng, 50);
	}
	if (rng_chance(&w->rng, 25))
		d->segments.max_size = (uint64_t)0x1000 << rng_below(&w->rng, 4);
	if (rng_chance(&w->rng, 25))
		d->segments.boundary = (uint64_t)0x1000 << rng_below(&w->rng, 4);
}

static void open_world(struct world *w, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->rng = rng_of(seed);
	w->seed = seed;
	rig_declare(&w->rig);
	for (unsigned i = 0; i < DEVICES; i++)
		draw_device(w);
	if (rng_chance(&w->rng, 50))
		w->rig.environment.observe = NULL;
	w->rig.more_left = rng_chance(&w->rng, 50) ? 0x20000 : 0;
	rig_open(&w->rig);
	for (uint64_t i = 0; i < rng_below(&w->rng, 3); i++)
		assert_int_equal(busway_dma_add_pool(w->rig.dma,
						     rig_phys(POOLS_AT + i * POOL_SIZE, POOL_SIZE),
						     BUSWAY_USE_BOTH, 1 << rng_below(&w->rng, 3)),
				 0);
	memcpy(w->expected, w->rig.cached, BUFFERS_SIZE);
}

static bool attach(struct world *w, uint32_t i)
{
	const struct busway_dma_options options = {
		.lanes = (uint32_t)rng_between(&w->rng, 1, 3),
		.live = (uint32_t)rng_below(&w->rng, 40),
		.min_align_mask = rng_chance(&w->rng, 50)
					  ? 0
					  : ((uint64_t)1 << rng_below(&w->rng, 14)) - 1,
	};
	struct busway_refusal why;
	const int status = busway_dma_attach(w->rig.dma, (busway_device_id){i}, &options,
					     &w->device[i], &why);

	w->options[i] = options;
	assert_true(status == 0 ||
		    (status == -BUSWAY_ERANGE && why.reason == BUSWAY_EMPTY_REACH));
	return status == 0;
}

static struct busway_lane *any_lane(struct world *w, uint32_t device)
{
	struct busway_lane *lane = NULL;

	while (!lane)
		lane = busway_dma_lane(w->device[device], (uint32_t)rng_below(&w->rng, 3));
	return lane;
}

/* ---- what a driver and its device see ---- */

/* Copy @size bytes between the driver's entries, from @offset on, and @bytes. */
static void entries_copy(const struct buffer *b, unsigned char *memory, uint64_t offset,
			 unsigned char *bytes, size_t size, bool out)
{
	for (size_t i = 0; i < b->entry_count && size; i++) {
		const uint64_t first = b->entries[i].first.raw - RIG_BASE;
		const uint64_t length = b->entries[i].last.raw - b->entries[i].first.raw + 1;
		size_t part;

		if (offset >= length) {
			offset -= length;
			continue;
		}
		part = (size_t)(length - offset) < size ? (size_t)(length - offset) : size;
		if (out)
			memcpy(bytes, memory + first + offset, part);
		else
			memcpy(memory + first + offset, bytes, part);
		bytes += part;
		size -= part;
		offset = 0;
	}
	assert_int_equal(size, 0);
}

/* One access of the device to each segment that @offset.. touches. */
static void device_does(struct world *w, struct buffer *b, uint64_t offset, unsigned char *bytes,
			size_t size, bool write)
{
	for (uint32_t i = 0; i < b->mapping.segment_count && size; i++) {
		const struct busway_mapped *s = &b->mapping.segments[i];
		const uint64_t length = s->dma.last.raw - s->dma.first.raw + 1;
		const uint64_t at = s->dma.first.raw + offset;
		size_t part;
		bool landed;

		if (offset >= length) {
			offset -= length;
			continue;
		}
		part = (size_t)(length - offset) < size ? (size_t)(length - offset) : size;
		landed = write ? rig_write(&w->rig, b->device, at, bytes, part)
			       : rig_read(&w->rig, b->device, at, bytes, part);
		if (!landed)
			fail_msg("seed 0x%" PRIx64 ": device %u at 0x%" PRIx64 "+0x%zx is lost",
				 w->seed, b->device, at, part);
		bytes += part;
		size -= part;
		offset = 0;
	}
	assert_int_equal(size, 0);
}

static void check_device_sees(struct world *w, struct buffer *b)
{
	unsigned char *seen = malloc(b->mapping.size);

	device_does(w, b, 0, seen, (size_t)b->mapping.size, false);
	if (memcmp(seen, b->device_sees, (size_t)b->mapping.size) != 0)
		fail_msg("seed 0x%" PRIx64 ": device %u sees other bytes, way %s", w->seed,
			 b->device, busway_way_name(b->mapping.way));
	free(seen);
}

/* Nothing changed that is in no mapping. */
static void check_canaries(struct world *w)
{
	for (size_t i = 0; i < BUFFERS_SIZE; i++)
		if (!w->mapped[i] && w->rig.cached[i] != w->expected[i])
			fail_msg("seed 0x%" PRIx64 ": byte 0x%zx of nobody's has changed", w->seed,
				 i);
}

/* ---- is it direct where it can be? ---- */

static bool would_do(struct world *w, uint32_t device, const struct busway_window *window,
		     struct busway_phys_range phys, enum busway_direction direction)
{
	const struct busway_segment_limits *limits = &w->rig.plan.devices[device].segments;
	const uint64_t span = phys.last.raw - phys.first.raw;
	const unsigned bits = busway_dma_mask(w->device[device]);
	struct busway_emission emission = busway_emission_mask(bits);
	const uint64_t dma = window->in.first + (phys.first.raw - window->out.raw);
	struct busway_path path;

	if (phys.first.raw < window->out.raw ||
	    phys.first.raw - window->out.raw > window->in.last - window->in.first ||
	    dma > UINT64_MAX - span || (limits->max_size && span >= limits->max_size) ||
	    (limits->boundary && dma / limits->boundary != (dma + span) / limits->boundary) ||
	    ((dma ^ phys.first.raw) & w->options[device].min_align_mask))
		return false;
	if (w->rig.plan.devices[device].coherence != BUSWAY_COHERENT && (direction & BUSWAY_WRITE) &&
	    (phys.first.raw % RIG_LINE || (phys.last.raw + 1) % RIG_LINE))
		return false;
	return busway_resolve(w->rig.plan.platform, (busway_device_id){device},
			      (struct busway_dma_range){{dma}, {dma + span}}, &emission,
			      (enum busway_access)direction, &path, NULL) == 0;
}

static void check_complete(struct world *w, uint32_t device, struct busway_phys_range phys,
			   enum busway_direction direction)
{
	const struct plan *plan = &w->rig.plan;

	if (plan->devices[device].restricted_pool != UINT32_MAX)
		return;
	for (size_t i = 0; i < plan->window_count; i++)
		if (plan->windows[i].from.index == plan->devices[device].dma.enters.index &&
		    would_do(w, device, &plan->windows[i], phys, direction))
			fail_msg("seed 0x%" PRIx64 ": not direct, though it could be", w->seed);
}

/* ---- steps ---- */

static void mark(struct world *w, const struct buffer *b, bool mapped)
{
	for (size_t i = 0; i < b->entry_count; i++)
		memset(w->mapped + (b->entries[i].first.raw - RIG_BASE), mapped,
		       (size_t)(b->entries[i].last.raw - b->entries[i].first.raw + 1));
}

/* Memory that no live mapping has; a line apart from others, which may be written meanwhile. */
static bool choose_entry(struct world *w, struct buffer *b)
{
	const uint64_t size = rng_chance(&w->rng, 50) ? rng_between(&w->rng, 1, 200)
						       : rng_between(&w->rng, 1, LONGEST);
	uint64_t at = rng_below(&w->rng, BUFFERS_SIZE - LONGEST);

	if (rng_chance(&w->rng, 50))
		at &= ~(uint64_t)(RIG_LINE - 1);
	for (uint64_t i = at; i < at + size; i++)
		if (w->mapped[i])
			return false;
	b->entries[b->entry_count++] = rig_phys(at, size);
	mark(w, b, true);
	return true;
}

static void begin(struct world *w, struct buffer *b)
{
	b->device_sees = malloc((size_t)b->mapping.size);
	entries_copy(b, w->expected, 0, b->device_sees, (size_t)b->mapping.size, true);
	b->live = true;
	b->device_wrote_all = false;
	w->served++;
	if (!(b->attributes & BUSWAY_MAP_OVERWRITES) || b->direction != BUSWAY_FROM_DEVICE)
		check_device_sees(w, b);
}

static bool is_expected_refusal(enum busway_reason reason)
{
	switch (reason) {
	case BUSWAY_NO_WINDOW:
	case BUSWAY_BEYOND_MASK:
	case BUSWAY_STRADDLES:
	case BUSWAY_SEGMENT_LIMITS:
	case BUSWAY_RESTRICTED:
	case BUSWAY_POOL_FULL:
	case BUSWAY_POOL_FRAGMENTED:
	case BUSWAY_POOL_TOO_SMALL:
	case BUSWAY_NO_POOL:
	case BUSWAY_CACHE_LINE:
	case BUSWAY_LOW_BITS:
		return true;
	default:
		return false;
	}
}

static void refused(struct world *w, struct buffer *b, int status, const struct busway_refusal *why)
{
	assert_int_equal(status, -BUSWAY_ERANGE);
	if (!is_expected_refusal(why->reason))
		fail_msg("seed 0x%" PRIx64 ": refused as %s", w->seed,
			 busway_reason_code(why->reason));
	mark(w, b, false);
	w->refused++;
}

static void step_map(struct world *w, struct buffer *b)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	const bool list = rng_chance(&w->rng, 40);
	struct busway_refusal why = {0};
	struct busway_plan plan;
	int planned, status;
	struct busway_lane *lane;

	b->device = (uint32_t)rng_below(&w->rng, DEVICES);
	if (!w->device[b->device])
		return;
	lane = any_lane(w, b->device);
	b->entry_count = 0;
	b->direction = directions[rng_below(&w->rng, 3)];
	b->attributes = rng_chance(&w->rng, 30) ? BUSWAY_MAP_OVERWRITES : 0;
	if (rng_chance(&w->rng, 10))
		b->attributes |= BUSWAY_MAP_NO_BOUNCE;
	for (uint64_t i = list ? rng_between(&w->rng, 1, ENTRIES) : 1; i > 0; i--)
		choose_entry(w, b);
	if (!b->entry_count)
		return;
	planned = busway_plan(lane, b->entries, b->entry_count, b->direction, b->attributes, &plan,
			      &why);
	if (list)
		status = busway_map_list(lane, b->entries, b->entry_count, b->direction,
					 b->attributes, b->segments, COUNT(b->segments),
					 &b->mapping, NULL, &why);
	else
		status = busway_map(lane, b->entries[0], b->direction, b->attributes, &b->mapping,
				    &why);
	/* which runs of a nearly full pool are tried first is nobody's promise */
	if (list && status != planned && why.reason != BUSWAY_POOL_FRAGMENTED)
		fail_msg("seed 0x%" PRIx64 ": %zu entries, planned %d, got %d, %s", w->seed,
			 b->entry_count, planned, status, busway_reason_code(why.reason));
	if (status) {
		refused(w, b, status, &why);
		if (!list)
			check_complete(w, b->device, b->entries[0], b->direction);
		return;
	}
	if (list && planned == 0) {
		assert_int_equal(plan.way, b->mapping.way);
		assert_int_equal(plan.segments, b->mapping.segment_count);
	} else if (!list && b->mapping.way == BUSWAY_WAY_BOUNCE) {
		check_complete(w, b->device, b->entries[0], b->direction);
	}
	w->bounced += b->mapping.way != BUSWAY_WAY_DIRECT;
	begin(w, b);
}

static void fill(struct world *w, unsigned char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)rng_next(&w->rng);
}

static void step_device_writes(struct world *w, struct buffer *b)
{
	uint64_t offset = rng_below(&w->rng, b->mapping.size);
	uint64_t size = rng_between(&w->rng, 1, b->mapping.size - offset);

	if (!(b->direction & BUSWAY_WRITE))
		return;
	if (b->attributes & BUSWAY_MAP_OVERWRITES) {
		offset = 0;
		size = b->mapping.size;
		b->device_wrote_all = true;
	}
	fill(w, b->device_sees + offset, (size_t)size);
	device_does(w, b, offset, b->device_sees + offset, (size_t)size, true);
}

/* The driver looks at a part, changes it, and gives it back. */
static void step_sync(struct world *w, struct buffer *b)
{
	const uint64_t lines = b->mapping.size / RIG_LINE;
	const uint64_t offset = lines ? rng_below(&w->rng, lines) * RIG_LINE : 0;
	const size_t size = lines ? RIG_LINE : (size_t)b->mapping.size;
	unsigned char bytes[RIG_LINE];

	if (b->direction != BUSWAY_BIDIRECTIONAL)
		return;
	assert_int_equal(busway_sync_for_cpu(&b->mapping, offset, size), 0);
	entries_copy(b, w->rig.cached, offset, bytes, size, true);
	if (memcmp(bytes, b->device_sees + offset, size) != 0)
		fail_msg("seed 0x%" PRIx64 ": synced for the CPU, and not there", w->seed);
	fill(w, bytes, size);
	entries_copy(b, w->rig.cached, offset, bytes, size, false);
	memcpy(b->device_sees + offset, bytes, size);
	assert_int_equal(busway_sync_for_device(&b->mapping, offset, size), 0);
	check_device_sees(w, b);
}

static void step_unmap(struct world *w, struct buffer *b)
{
	unsigned char *bytes = malloc((size_t)b->mapping.size);
	const uint64_t size = b->mapping.size;

	if ((b->attributes & BUSWAY_MAP_OVERWRITES) && !b->device_wrote_all)
		step_device_writes(w, b);
	assert_ptr_equal(busway_dma_owner(w->device[b->device], b->mapping.dma), &b->mapping);
	assert_int_equal(busway_unmap(&b->mapping), 0);
	entries_copy(b, w->rig.cached, 0, bytes, (size_t)size, true);
	if (memcmp(bytes, b->device_sees, (size_t)size) != 0)
		fail_msg("seed 0x%" PRIx64 ": unmapped, and other bytes are there", w->seed);
	entries_copy(b, w->expected, 0, bytes, (size_t)size, false);
	mark(w, b, false);
	free(bytes);
	free(b->device_sees);
	b->live = false;
}

static void step_coherent(struct world *w, struct shared *s)
{
	const uint64_t size = rng_between(&w->rng, 1, 0x3000);
	struct busway_refusal why = {0};
	int status;

	s->device = (uint32_t)rng_below(&w->rng, DEVICES);
	if (!w->device[s->device])
		return;
	status = busway_coherent_alloc(any_lane(w, s->device), size,
				       (uint64_t)1 << rng_below(&w->rng, 14),
				       rng_chance(&w->rng, 50) ? BUSWAY_COHERENT_ATOMIC : 0,
				       &s->memory, &why);
	if (status) {
		assert_true(is_expected_refusal(why.reason));
		return;
	}
	s->expected = calloc(1, (size_t)size);
	s->live = true;
	assert_memory_equal(s->memory.cpu, s->expected, (size_t)size);
}

static void step_share(struct world *w, struct shared *s)
{
	const uint64_t offset = rng_below(&w->rng, s->memory.size);
	const size_t size = (size_t)rng_between(&w->rng, 1, s->memory.size - offset);
	unsigned char *bytes = malloc(size), *cpu = (unsigned char *)s->memory.cpu;

	fill(w, s->expected + offset, size);
	if (rng_chance(&w->rng, 50)) {
		memcpy(cpu + offset, s->expected + offset, size);
		assert_true(rig_read(&w->rig, s->device, s->memory.dma.raw + offset, bytes, size));
		assert_memory_equal(bytes, s->expected + offset, size);
	} else {
		assert_true(rig_write(&w->rig, s->device, s->memory.dma.raw + offset,
				      s->expected + offset, size));
	}
	assert_memory_equal(cpu, s->expected, (size_t)s->memory.size);
	free(bytes);
}

static void step_free(struct shared *s)
{
	assert_int_equal(busway_coherent_free(&s->memory), 0);
	free(s->expected);
	s->live = false;
}

/* A live mapping by an address beyond @bits? Then the mask must be refused. */
static bool falls_out(const struct world *w, uint32_t device, unsigned bits, bool coherent)
{
	const uint64_t last = busway_bits_last(bits);

	for (size_t i = 0; i < LIVE && !coherent; i++)
		for (uint32_t k = 0; w->buffer[i].live && w->buffer[i].device == device &&
				     k < w->buffer[i].mapping.segment_count;
		     k++)
			if (w->buffer[i].mapping.segments[k].dma.last.raw > last)
				return true;
	for (size_t i = 0; i < COHERENT && coherent; i++)
		if (w->shared[i].live && w->shared[i].device == device &&
		    w->shared[i].memory.dma.raw + w->shared[i].memory.size - 1 > last)
			return true;
	return false;
}

static void step_mask(struct world *w)
{
	const uint32_t device = (uint32_t)rng_below(&w->rng, DEVICES);
	const unsigned bits = (unsigned)rng_between(&w->rng, 17, 22);
	const bool coherent = rng_chance(&w->rng, 30);
	struct busway_refusal why = {0};
	unsigned before;
	int status;

	if (!w->device[device])
		return;
	before = coherent ? busway_dma_coherent_mask(w->device[device])
			  : busway_dma_mask(w->device[device]);
	status = coherent ? busway_dma_set_coherent_mask(w->device[device], bits, NULL, &why)
			  : busway_dma_set_mask(w->device[device], bits, NULL, &why);
	if (falls_out(w, device, bits, coherent)) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_LIVE_MAPPING);
	} else if (status) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_EMPTY_REACH);
	}
	if (status == 0)
		before = bits;
	assert_int_equal(before, coherent ? busway_dma_coherent_mask(w->device[device])
					  : busway_dma_mask(w->device[device]));
}

static void step(struct world *w)
{
	struct buffer *b = &w->buffer[rng_below(&w->rng, LIVE)];
	struct shared *s = &w->shared[rng_below(&w->rng, COHERENT)];
	const uint64_t what = rng_below(&w->rng, 100);

	if (what < 70) {
		if (!b->live)
			step_map(w, b);
		else if (what < 25)
			step_unmap(w, b);
		else if (what < 50)
			step_device_writes(w, b);
		else
			step_sync(w, b);
	} else if (what < 95) {
		if (!s->live)
			step_coherent(w, s);
		else if (what < 80)
			step_free(s);
		else
			step_share(w, s);
	} else {
		step_mask(w);
	}
}

static void close_world(struct world *w)
{
	struct busway_pool_census census;

	for (size_t i = 0; i < LIVE; i++)
		if (w->buffer[i].live)
			step_unmap(w, &w->buffer[i]);
	for (size_t i = 0; i < COHERENT; i++)
		if (w->shared[i].live)
			step_free(&w->shared[i]);
	check_canaries(w);
	for (uint32_t i = 0; i < DEVICES; i++)
		if (w->device[i])
			assert_int_equal(busway_dma_detach(w->device[i]), 0);
	for (size_t i = 0; busway_dma_pool(w->rig.dma, i, &census); i++)
		assert_int_equal(census.used, 0);
	assert_int_equal(rig_misuse_count(&w->rig), w->rig.misuses[BUSWAY_MISUSE_MASK_LIVE]);
	rig_close(&w->rig);
}

static void every_byte_is_where_it_is_expected_and_no_other_changed(void **state)
{
	const unsigned rounds = random_rounds(250), steps = 4000;
	unsigned long served = 0, bounced = 0, refusals = 0;
	struct world *w = malloc(sizeof(*w));

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		open_world(w, random_seed() + round);
		for (uint32_t i = 0; i < DEVICES; i++)
			attach(w, i);
		for (unsigned i = 0; i < steps; i++) {
			step(w);
			if (i % 256 == 0)
				check_canaries(w);
		}
		close_world(w);
		served += w->served;
		bounced += w->bounced;
		refusals += w->refused;
	}
	print_message("# %lu mappings, %lu of them bounced, %lu refused, in %u steps\n", served,
		      bounced, refusals, rounds * steps);
	/* the test means something only where all of it happens */
	assert_true(bounced > served / 10 && bounced < served && refusals > served / 100);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_is_where_it_is_expected_and_no_other_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
