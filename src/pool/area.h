/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * area.h - runs of slots that one thread gave back and will soon want again.
 *
 *   runs of n slots | run | run | - |      depth: 2; what was kept last is taken first
 *
 * One thread at a time owns an area: it alone keeps and takes. Others may rob it, of everything, at
 * any moment: so a run leaves by an exchange, which is all that taking one costs, and the owner's
 * figures say what may be there at most. What was kept when it was robbed last stands in .robbed,
 * so that whoever robs next need not look again.
 */
#ifndef BUSWAY_AREA_H
#define BUSWAY_AREA_H

#include "slots.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* An area keeps at most this many runs of each length. */
enum { AREA_LENGTHS = 32, AREA_DEPTH = 8 };

struct area {
	bool one_thread; /* who robs is the owner's thread: nothing happens meanwhile */
	/* the owner's: slots in all its runs at most, and runs of 1 + i slots */
	uint32_t kept;
	uint8_t depth[AREA_LENGTHS];
	/* how often something was kept: written by the owner; and that when it was robbed last */
	_Atomic size_t keeps, robbed;
	/* the first slot + 1; 0: it was taken or robbed */
	_Atomic uint32_t run[AREA_LENGTHS][AREA_DEPTH];
	char apart_[64]; /* no cache line is shared with the next area, wherever memory begins */
};

/* Empty a place; 0: it is. */
static inline uint32_t area_leave(const struct area *area, _Atomic uint32_t *run)
{
	uint32_t first;

	if (!area->one_thread)
		return atomic_exchange_explicit(run, 0, memory_order_acquire);
	first = atomic_load_explicit(run, memory_order_relaxed);
	atomic_store_explicit(run, 0, memory_order_relaxed);
	return first;
}

/* The run of @count slots that was kept last, if it lies as wished (@wish NULL: anywhere). By the
 * owner. SLOT_NONE: there is none. */
static inline uint32_t area_take(struct area *area, uint32_t count, const struct slot_wish *wish)
{
	uint8_t *depth = &area->depth[count - 1];

	while (*depth) {
		_Atomic uint32_t *run = &area->run[count - 1][*depth - 1];
		uint32_t first = atomic_load_explicit(run, memory_order_relaxed);

		if (first && wish && !slot_suits(wish, first - 1))
			break;
		--*depth;
		area->kept -= count;
		if (first)
			first = area_leave(area, run);
		if (first)
			return first - 1;
	}
	return SLOT_NONE;
}

/* Keep a run, if there is room and no more than @most slots are kept. By the owner. */
static inline bool area_keep(struct area *area, uint32_t first, uint32_t count, uint32_t most)
{
	const size_t keeps = atomic_load_explicit(&area->keeps, memory_order_relaxed);
	uint8_t *depth;

	if (count > AREA_LENGTHS)
		return false;
	depth = &area->depth[count - 1];
	if (*depth == AREA_DEPTH || most - area->kept < count)
		return false;
	atomic_store_explicit(&area->run[count - 1][(*depth)++], first + 1, memory_order_release);
	area->kept += count;
	atomic_store_explicit(&area->keeps, keeps + 1, memory_order_release);
	return true;
}

/* All that is kept goes back to @row. By anybody who holds the row. */
void area_rob(struct area *area, struct slots *row);

#endif
