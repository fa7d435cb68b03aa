/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * random.c - see random.h.
 */
#include "random.h"

#include <stdlib.h>

uint64_t random_seed(void)
{
	const char *text = getenv("BUSWAY_SEED");

	return text ? strtoull(text, NULL, 0) : 0xb05a11;
}

unsigned random_rounds(unsigned usual)
{
	const char *text = getenv("BUSWAY_ROUNDS");
	const unsigned long percent = text ? strtoul(text, NULL, 0) : 100;
	const unsigned long rounds = usual * percent / 100;

	return rounds ? (unsigned)rounds : 1;
}

struct rng rng_of(uint64_t seed)
{
	return (struct rng){seed};
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	return rng_next(rng) % bound;
}

uint64_t rng_between(struct rng *rng, uint64_t first, uint64_t last)
{
	const uint64_t span = last - first;

	return span == UINT64_MAX ? rng_next(rng) : first + rng_below(rng, span + 1);
}

bool rng_chance(struct rng *rng, unsigned percent)
{
	return rng_below(rng, 100) < percent;
}
