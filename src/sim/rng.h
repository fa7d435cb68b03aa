/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rng.h - chance of the simulated machine, the same for the same seed: splitmix64 (Steele, Lea,
 * Flood: Fast Splittable Pseudorandom Number Generators, 2014).
 */
#ifndef BUSWAY_SIM_RNG_H
#define BUSWAY_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

struct sim_rng {
	uint64_t state;
};

/* A number whose bits all depend on all bits of @x. */
static inline uint64_t sim_mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
	x = (x ^ x >> 27) * 0x94d049bb133111eb;
	return x ^ x >> 31;
}

static inline uint64_t sim_random(struct sim_rng *rng)
{
	return sim_mix(rng->state += 0x9e3779b97f4a7c15);
}

/* 0..@bound - 1; @bound is at least 1. */
static inline uint64_t sim_below(struct sim_rng *rng, uint64_t bound)
{
	return sim_random(rng) % bound;
}

static inline bool sim_chance(struct sim_rng *rng, unsigned percent)
{
	return sim_below(rng, 100) < percent;
}

#endif
