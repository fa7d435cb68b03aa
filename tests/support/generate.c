/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate.c - see generate.h.
 */
#include "generate.h"

#include "test.h"

/* ---- ranges ---- */

static struct busway_range ordered(uint64_t a, uint64_t b)
{
	return a < b ? (struct busway_range){a, b} : (struct busway_range){b, a};
}

struct busway_range random_range(struct rng *rng, uint64_t base, uint64_t size)
{
	const uint64_t a = rng_below(rng, size), b = rng_below(rng, size);
	struct busway_range r = ordered(a, b);

	switch (rng_below(rng, 8)) {
	case 0: /* from the first address on */
		r.first = 0;
		break;
	case 1: /* up to the last one */
		r.last = size - 1;
		break;
	case 2: /* one address */
		r.last = r.first;
		break;
	case 3: { /* a naturally aligned block, as hardware likes them */
		const uint64_t block = (uint64_t)1 << rng_below(rng, 8);

		r.first = a & ~(block - 1);
		r.last = r.first + (block - 1) < size ? r.first + (block - 1) : size - 1;
		break;
	}
	case 4: /* a short one */
		r.last = r.first + rng_below(rng, size - r.first < 16 ? size - r.first : 16);
		break;
	default:
		break;
	}
	return (struct busway_range){base + r.first, base + r.last};
}

/* As random_range(), but often beginning right behind @before. */
static struct busway_range next_range(struct rng *rng, uint64_t base, uint64_t size,
				      const struct busway_range *before)
{
	struct busway_range r = random_range(rng, base, size);

	if (before && rng_chance(rng, 30) && before->last - base < size - 1) {
		const uint64_t room = base + (size - 1) - (before->last + 1);
		const uint64_t span = r.last - r.first;

		r.first = before->last + 1;
		r.last = r.first + (span < room ? span : room);
	}
	return r;
}

static enum busway_access random_access(struct rng *rng)
{
	return rng_chance(rng, 80)   ? BUSWAY_READ_WRITE
	       : rng_chance(rng, 50) ? BUSWAY_READ
				     : BUSWAY_WRITE;
}

/* ---- spaces and windows ---- */

static uint64_t random_base(struct rng *rng, uint64_t size)
{
	switch (rng_below(rng, 5)) {
	case 0:
	case 1:
		return 0;
	case 2:
	case 3:
		return 0 - size; /* up to the last address */
	default:
		return rng_next(rng) & ~(size - 1);
	}
}

static void add_spaces(struct plan *plan, struct rng *rng)
{
	const uint64_t count = 1 + rng_below(rng, 4);

	plan->base[0] = random_base(rng, plan->size);
	for (uint64_t i = 0; i < count; i++) {
		const uint32_t space =
			plan_space(plan, rng_chance(rng, 50) ? BUSWAY_SPACE_BUS : BUSWAY_SPACE_PCI);

		plan->base[space] = random_base(rng, plan->size);
		plan->spaces[space].untranslatable = rng_chance(rng, 10);
	}
}

/* Where a window of @span + 1 addresses comes out: mostly inside the arena of @to. */
static uint64_t random_out(struct plan *plan, struct rng *rng, uint32_t to, uint64_t span)
{
	const uint64_t base = plan->base[to];
	const uint64_t room = plan->size - 1 - span; /* both are inside an arena */
	uint64_t out = base + (rng_chance(rng, 25) ? room : rng_between(rng, 0, room));

	if (rng_chance(rng, 10) && out <= UINT64_MAX - span - 7)
		out += rng_below(rng, 8);
	return out;
}

/* A window that ends where another one begins, on both sides. */
static bool precede_window(struct plan *plan, const struct busway_window *next, struct rng *rng)
{
	const uint64_t base = plan->base[next->from.index];
	uint64_t room;

	if (next->in.first <= base || next->out.raw == 0)
		return false;
	room = next->in.first - base < next->out.raw ? next->in.first - base : next->out.raw;
	room = 1 + rng_below(rng, room);
	plan_window(plan, next->from.index, next->to.index,
		    (struct busway_range){next->in.first - room, next->in.first - 1},
		    next->out.raw - room);
	return true;
}

/* Another way to where a window leads. */
static bool alias_window(struct plan *plan, const struct busway_window *other, struct rng *rng)
{
	const uint64_t base = plan->base[other->from.index];
	const uint64_t span = other->in.last - other->in.first;
	uint64_t first;

	if (span >= plan->size)
		return false;
	first = base + rng_below(rng, plan->size - span);
	plan_window(plan, other->from.index, other->to.index,
		    (struct busway_range){first, first + span}, other->out.raw);
	return true;
}

/* A window that goes on where another one ends, on both sides. */
static bool continue_window(struct plan *plan, const struct busway_window *before, struct rng *rng)
{
	const uint64_t end = plan->base[before->from.index] + (plan->size - 1);
	const uint64_t out_last = before->out.raw + (before->in.last - before->in.first);
	uint64_t span;

	if (before->in.last >= end || out_last == UINT64_MAX)
		return false;
	span = rng_below(rng, end - before->in.last);
	if (span > UINT64_MAX - (out_last + 1))
		return false;
	plan_window(plan, before->from.index, before->to.index,
		    (struct busway_range){before->in.last + 1, before->in.last + 1 + span},
		    out_last + 1);
	return true;
}

/* A window that has to do with one that is there. */
static bool add_neighbour(struct plan *plan, struct rng *rng)
{
	const struct busway_window *other;

	if (!plan->window_count)
		return false;
	other = &plan->windows[rng_chance(rng, 60) ? plan->window_count - 1
						   : rng_below(rng, plan->window_count)];
	switch (rng_below(rng, 5)) {
	case 0:
		return continue_window(plan, other, rng);
	case 1:
		return precede_window(plan, other, rng);
	case 2:
		return alias_window(plan, other, rng);
	default:
		return false;
	}
}

static void add_window(struct plan *plan, struct rng *rng)
{
	const struct busway_window *before =
		plan->window_count ? &plan->windows[plan->window_count - 1] : NULL;
	uint32_t from = (uint32_t)rng_between(rng, 1, plan->space_count - 1), to, made;
	struct busway_range in;

	if (add_neighbour(plan, rng)) {
		plan->windows[plan->window_count - 1].access = random_access(rng);
		return;
	}
	to = (uint32_t)rng_below(rng, from);
	if (rng_chance(rng, 4)) { /* anywhere: circles, and ways down from the CPU's space */
		from = (uint32_t)rng_below(rng, plan->space_count);
		to = (uint32_t)rng_below(rng, plan->space_count);
	}
	in = next_range(rng, plan->base[from], plan->size,
			before && before->from.index == from ? &before->in : NULL);
	if (rng_chance(rng, 2))
		made = plan_window(plan, from, to, BUSWAY_RANGE_ALL, 0);
	else
		made = plan_window(plan, from, to, in,
				   random_out(plan, rng, to, in.last - in.first));
	plan->windows[made].access = random_access(rng);
}

/* ---- regions ---- */

static void add_memory(struct plan *plan, struct rng *rng)
{
	const struct busway_range *before = NULL;
	const uint64_t count = 1 + rng_below(rng, 4);

	if (rng_chance(rng, 15)) { /* a platform that does not say where its memory is */
		plan_region(plan, 0, BUSWAY_REGION_UNKNOWN,
			    rng_chance(rng, 50) ? BUSWAY_RANGE_ALL
						: random_range(rng, plan->base[0], plan->size));
		return;
	}
	for (uint64_t i = 0; i < count; i++) {
		const uint32_t ram =
			plan_ram(plan, next_range(rng, plan->base[0], plan->size, before));

		if (before && rng_chance(rng, 40)) /* one memory node of several ranges */
			plan->regions[ram].name = plan->regions[ram - 1].name;
		plan->regions[ram].access = random_access(rng);
		before = &plan->regions[ram].range;
	}
}

static void add_region(struct plan *plan, struct rng *rng)
{
	static const enum busway_region_kind kinds[] = {
		BUSWAY_REGION_DOORBELL, BUSWAY_REGION_CARVEOUT, BUSWAY_REGION_APERTURE,
		BUSWAY_REGION_APERTURE, BUSWAY_REGION_UNKNOWN,  BUSWAY_REGION_RAM,
	};
	const enum busway_region_kind kind = kinds[rng_below(rng, COUNT(kinds))];
	const uint32_t space =
		rng_chance(rng, 40) ? 0 : (uint32_t)rng_below(rng, plan->space_count);
	struct busway_range range = random_range(rng, plan->base[space], plan->size);
	uint32_t made;

	/* short ones, so that something is left around them */
	if (range.last - range.first > plan->size / 4)
		range.last = range.first + plan->size / 8;
	made = plan_region(plan, space, kind, range);
	plan->regions[made].access = random_access(rng);
}

/* ---- devices ---- */

struct busway_emission random_emission(struct rng *rng, uint64_t base, uint64_t size,
				       struct busway_range only[PLAN_ONLY])
{
	struct busway_emission e = {0};
	uint64_t next = base;

	if (rng_chance(rng, 35))
		return e;
	if (base == 0 && rng_chance(rng, 50))
		e = busway_emission_mask((unsigned)rng_below(rng, 13));
	if (rng_chance(rng, 30)) { /* bits inside the arena that are fixed */
		const uint64_t bits = rng_next(rng) & rng_next(rng) & (size - 1);

		e.one |= bits & rng_next(rng) & ~e.zero;
		e.zero |= bits & ~e.one;
	}
	if (base != 0 && rng_chance(rng, 20)) /* and all of those outside */
		e.one |= base & ~e.zero;
	if (rng_chance(rng, 3))
		e.one |= e.zero; /* a contradiction: nothing at all */
	if (!rng_chance(rng, 30))
		return e;
	e.only = only;
	do {
		const uint64_t rest = base + (size - 1) - next;

		only[e.only_count].first = next + rng_below(rng, rest / 2 + 1);
		only[e.only_count].last =
			rng_between(rng, only[e.only_count].first, base + (size - 1));
		if (rng_chance(rng, 60)) /* short: room for more */
			only[e.only_count].last =
				only[e.only_count].first +
				(only[e.only_count].last - only[e.only_count].first) / 4;
		next = only[e.only_count].last + 1 + (rng_chance(rng, 30) ? 0 : rng_below(rng, 8));
		e.only_count++;
	} while (e.only_count < PLAN_ONLY && next - base < size && next > base &&
		 rng_chance(rng, 75));
	return e;
}

void bound_emission(struct busway_emission *emission, uint64_t base, uint64_t size)
{
	emission->one |= base & ~(size - 1);
	emission->zero |= ~base & ~(size - 1);
}

/* Memory of 2^64 addresses and a pattern of low bits: more pieces than a reach can have. */
static bool is_boundless(const struct plan *plan)
{
	for (size_t i = 0; i < plan->region_count; i++)
		if (plan->regions[i].range.last - plan->regions[i].range.first == UINT64_MAX)
			return true;
	return false;
}

uint32_t plan_random_device(struct plan *plan, struct rng *rng)
{
	const uint32_t space = rng_chance(rng, 70) ? (uint32_t)plan->space_count - 1
						   : (uint32_t)rng_below(rng, plan->space_count);
	const uint32_t device = plan_device(plan, space);

	plan->devices[device].emission =
		random_emission(rng, plan->base[space], plan->size, plan->only[device]);
	if (is_boundless(plan))
		bound_emission(&plan->devices[device].emission, plan->base[space], plan->size);
	return device;
}

uint64_t plan_device_base(const struct plan *plan, uint32_t index)
{
	return plan->base[plan->devices[index].dma.enters.index];
}

/* ---- all of it ---- */

void plan_random(struct plan *plan, uint64_t seed, unsigned bits)
{
	struct rng rng = rng_of(seed);
	uint64_t windows, regions;

	plan_init(plan);
	plan->seed = seed;
	plan->size = (uint64_t)1 << bits;
	add_spaces(plan, &rng);
	windows = rng_below(&rng, 4 * plan->space_count) + 1;
	regions = rng_below(&rng, 6);
	for (uint64_t i = 0; i < windows; i++)
		add_window(plan, &rng);
	add_memory(plan, &rng);
	for (uint64_t i = 0; i < regions; i++)
		add_region(plan, &rng);
	plan_random_device(plan, &rng);
}
