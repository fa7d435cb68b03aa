/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glance_test.c - what is mapped at a glance is mapped as what is looked at closely.
 *
 * Where somebody observes, nothing is mapped at a glance. So the same calls go to two APIs of the
 * same platform, of which one is observed, and both must answer alike.
 */
#include "rig.h"

#include <string.h>

enum { ENTRIES = 6, CAPACITY = 8, ROUNDS = 100, ASKED = 30, STEP = 0x100, POOL_AT = 0x40000 };

struct side {
	struct rig rig;
	struct busway_dma_device *device;
	struct busway_mapped segments[CAPACITY];
	struct busway_mapping mapping;
	int status;
	size_t needed;
};

/* What a round asks of both. */
struct question {
	struct busway_dma_options options;
	uint32_t most; /* segments of a device */
	bool bounces;
	struct busway_phys_range entries[ENTRIES];
	size_t count, capacity;
	enum busway_direction direction;
};

/*
 *   +0x0..0x3ff     --> the last addresses that there are
 *   +0x400..0x7ff   --> the first ones: adjoins in memory, and on the bus if that were a ring
 *   +0x800..0xbff   --> 0x10000, to be read only
 *   +0xc00..0xfff   --> 0x400: adjoins the second one on the bus, not in memory
 *   +0x1000..0x14ff --> 0x20080: low bits change
 *   +0x40000..0x47fff --> 0x30000: a pool for the rest, if there is one
 */
static void open_side(struct side *side, const struct question *q, bool observed)
{
	static const struct {
		uint64_t at, size, dma;
	} windows[] = {{0x0, 0x400, UINT64_MAX - 0x3ff}, {0x400, 0x400, 0x0},
		       {0x800, 0x400, 0x10000},          {0xc00, 0x400, 0x400},
		       {0x1000, 0x500, 0x20080},         {POOL_AT, 0x8000, 0x30000}};
	struct plan *plan = &side->rig.plan;
	uint32_t bus;

	memset(side, 0, sizeof(*side));
	rig_declare(&side->rig);
	bus = plan_space(plan, BUSWAY_SPACE_BUS);
	/* with the last window, the others are too small to be seen at a glance */
	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]) - !q->bounces; i++)
		plan_window(plan, bus, 0,
			    (struct busway_range){windows[i].dma,
						  windows[i].dma + (windows[i].size - 1)},
			    RIG_BASE + windows[i].at);
	plan->windows[2].access = BUSWAY_READ;
	plan_device(plan, bus);
	plan->devices[0].coherence = BUSWAY_COHERENT;
	plan->devices[0].segments.max_count = q->most;
	if (!observed)
		side->rig.environment.observe = NULL;
	rig_open(&side->rig);
	assert_int_equal(
		busway_dma_add_pool(side->rig.dma, rig_phys(POOL_AT, 0x8000), BUSWAY_USE_BOUNCE, 1),
		0);
	side->device = rig_attach(&side->rig, 0, &q->options);
	assert_int_equal(busway_dma_set_mask(side->device, 64, NULL, NULL), 0);
}

static void close_side(struct side *side)
{
	assert_int_equal(busway_dma_detach(side->device), 0);
	rig_close(&side->rig);
}

/* A buffer anywhere in memory that is not reached. */
static void draw_buffer(struct question *q, struct rng *rng)
{
	q->entries[0] = rig_phys(0x80000 + rng_below(rng, 0x2000), rng_between(rng, 1, 0x1800));
}

static void draw_memory(struct question *q, struct rng *rng)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	uint64_t first = 0;

	q->count = rng_between(rng, 1, ENTRIES);
	q->capacity = rng_chance(rng, 70) ? CAPACITY : rng_below(rng, 4);
	q->direction = directions[rng_below(rng, 3)];
	for (size_t i = 0; i < q->count; i++) {
		const uint64_t size = STEP * rng_between(rng, 1, 4);

		if (i == 0 || rng_chance(rng, 40))
			first = STEP * rng_below(rng, 0x1600 / STEP);
		else if (first == 0x800) /* what follows on the bus, not in memory */
			first = 0xc00;
		q->entries[i] = rig_phys(first, rng_chance(rng, 3) ? 0 : size);
		first += size;
	}
}

static void ask_list(struct side *side, const struct question *q)
{
	side->status = busway_map_list(busway_dma_lane(side->device, 0), q->entries, q->count,
				       q->direction, 0, side->segments, q->capacity, &side->mapping,
				       &side->needed, NULL);
}

static void ask_single(struct side *side, const struct question *q)
{
	side->status = busway_map(busway_dma_lane(side->device, 0), q->entries[0], q->direction, 0,
				  &side->mapping, NULL);
}

static const struct busway_mapping *owner(const struct side *side, uint64_t dma)
{
	return busway_dma_owner(side->device, busway_dma(dma));
}

static void compare(const struct side *a, const struct side *b)
{
	assert_int_equal(a->status, b->status);
	assert_int_equal(a->needed, b->needed);
	if (a->status)
		return;
	assert_int_equal(a->mapping.dma.raw, b->mapping.dma.raw);
	assert_int_equal(a->mapping.size, b->mapping.size);
	assert_int_equal(a->mapping.way, b->mapping.way);
	assert_int_equal(a->mapping.kind, b->mapping.kind);
	assert_int_equal(a->mapping.direction, b->mapping.direction);
	assert_int_equal(a->mapping.entry_count, b->mapping.entry_count);
	assert_int_equal(a->mapping.segment_count, b->mapping.segment_count);
	for (uint32_t i = 0; i < a->mapping.segment_count; i++) {
		const struct busway_mapped *s = &a->mapping.segments[i],
					   *t = &b->mapping.segments[i];

		assert_int_equal(s->dma.first.raw, t->dma.first.raw);
		assert_int_equal(s->dma.last.raw, t->dma.last.raw);
		assert_int_equal(s->phys.raw, t->phys.raw);
		assert_ptr_equal(owner(a, s->dma.last.raw), &a->mapping);
		assert_ptr_equal(owner(b, s->dma.last.raw), &b->mapping);
	}
}

static void play(unsigned round, void (*ask)(struct side *, const struct question *), bool bounces)
{
	static const uint64_t masks[] = {0, 0, 0xff, 0xfff};
	static struct side glancing, observed;
	struct rng rng = rng_of(random_seed() + round);
	struct question q = {
		.bounces = bounces,
		.options.min_align_mask = masks[rng_below(&rng, 4)],
		.most = rng_chance(&rng, 30) ? (uint32_t)rng_between(&rng, 1, 3) : 0,
	};

	open_side(&glancing, &q, false);
	open_side(&observed, &q, true);
	for (unsigned i = 0; i < ASKED; i++) {
		draw_memory(&q, &rng);
		if (bounces)
			draw_buffer(&q, &rng);
		ask(&glancing, &q);
		ask(&observed, &q);
		compare(&glancing, &observed);
		if (glancing.status == 0) {
			assert_int_equal(busway_unmap(&glancing.mapping), 0);
			assert_int_equal(busway_unmap(&observed.mapping), 0);
		}
	}
	close_side(&glancing);
	close_side(&observed);
}

static void one_run_is_mapped_alike(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(ROUNDS); round++)
		play(round, ask_single, false);
}

static void a_list_is_mapped_alike(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(ROUNDS); round++)
		play(round, ask_list, false);
}

static void what_bounces_is_mapped_alike(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(ROUNDS); round++)
		play(round, ask_single, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_run_is_mapped_alike),
		cmocka_unit_test(a_list_is_mapped_alike),
		cmocka_unit_test(what_bounces_is_mapped_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
