/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.h - reproducible randomness: splitmix64, seeded by the round.
 *
 * Round r of a test runs with the seed random_seed() + r. A failure prints the seed of its round:
 * BUSWAY_SEED=<that> BUSWAY_ROUNDS=0 repeats just this round. BUSWAY_ROUNDS is a percentage of the
 * usual number of rounds: 100 is the default, 10000 a night's work, and one round is always run.
 */
#ifndef BUSWAY_TEST_RANDOM_H
#define BUSWAY_TEST_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

uint64_t random_seed(void);
unsigned random_rounds(unsigned usual);

struct rng rng_of(uint64_t seed);
uint64_t rng_next(struct rng *rng);

/* 0..bound-1; @bound is at least 1. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

/* first..last */
uint64_t rng_between(struct rng *rng, uint64_t first, uint64_t last);

bool rng_chance(struct rng *rng, unsigned percent);

#endif
