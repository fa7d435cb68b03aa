/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * generate.h - random platforms: nested windows, holes, offsets, overlaps, apertures, masks.
 *
 * Each space of a random plan lives in an arena of 2^bits addresses, which stands at 0, at the
 * top of the 64-bit space (..0xffffffffffffffff), or somewhere between. Windows and regions are
 * cut from the arenas with a liking for what breaks code: edges of the arena, edges of what is
 * there already, ranges that adjoin, single addresses, and, now and then, all 2^64 addresses.
 * Ways are mostly without circles, but not always.
 */
#ifndef BUSWAY_TEST_GENERATE_H
#define BUSWAY_TEST_GENERATE_H

#include "plan.h"
#include "random.h"

/* A plan with one device, of arenas of 2^@bits addresses. Not opened. */
void plan_random(struct plan *plan, uint64_t seed, unsigned bits);

/* The first address of the arena of device @index, and of the CPU's. */
uint64_t plan_device_base(const struct plan *plan, uint32_t index);

/* Another device for the plan, that enters a random space. Returns its index. */
uint32_t plan_random_device(struct plan *plan, struct rng *rng);

/* What a device can emit: masks, patterns of bits, lists of ranges, and all of them together. */
struct busway_emission random_emission(struct rng *rng, uint64_t base, uint64_t size,
				       struct busway_range only[PLAN_ONLY]);

/* Fix all bits above the arena at @base: what is emitted is inside, and not too many runs. */
void bound_emission(struct busway_emission *emission, uint64_t base, uint64_t size);

/* A range in base..base + size - 1, often at an edge. */
struct busway_range random_range(struct rng *rng, uint64_t base, uint64_t size);

#endif
