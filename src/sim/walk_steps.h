/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_steps.h - what the walkers of the formats share. Each step: see walk_step().
 */
#ifndef BUSWAY_SIM_WALK_STEPS_H
#define BUSWAY_SIM_WALK_STEPS_H

#include "walk.h"

bool walk_arm(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r);
bool walk_vtd(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r);
bool walk_amd(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r);
bool walk_riscv(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
		struct walk_result *r);

/* Bits @high to @low of @x, as manuals write them. */
static inline uint64_t walk_bits(uint64_t x, unsigned high, unsigned low)
{
	return (x << (63 - high)) >> (63 - high + low);
}

/* The walk ends here. */
static inline bool walk_violated(struct walk_result *r, const char *what)
{
	r->violation = what;
	return false;
}

static inline uint64_t walk_word(const struct walk_setup *s, struct walk_result *r, uint64_t at)
{
	r->entry_at = at;
	r->tables++;
	return s->read(s->ctx, at);
}

#endif
