/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_pool.h - slots for many threads: one row, and in front of it areas that keep what was
 * given back.
 *
 *   thread --> area 0: runs of 1..32 slots, last in, first out --\
 *   thread --> area 1: ...                                        --> the row, one lock
 *
 * A thread that owns an area names it; what the area serves takes no lock. An area keeps a bounded
 * share of the row. What areas keep is not lost to others: a wish that the row cannot meet robs all
 * areas and asks once more, so a refusal means that no run exists.
 *
 * Any number of threads; those that name an area, one at a time for each.
 */
#ifndef BUSWAY_SLOT_POOL_H
#define BUSWAY_SLOT_POOL_H

#include "area.h"
#include "lock.h"

/* Who has no area; so has who names one that the pool has not. */
#define AREA_NONE UINT32_MAX

struct slot_pool {
	struct lock lock;    /* of the row, and of what follows */
	uint32_t high_water; /* most slots that were out of the row at once */
	uint32_t quarantine; /* the first slot of a run there, and so on by .next; SLOT_NONE */
	uint32_t quarantined;
	uint32_t held; /* the first slot of what slot_pool_hold_run() took, and so on by .next */
	struct slots row;
	/* read only: the row's lists keep these off the lock's cache line */
	const struct busway_allocator *memory;
	struct area *area;
	uint32_t area_count;
	uint32_t keep; /* slots that one area may keep */
};

/* What a pool looked like when it refused, or was asked. */
struct slot_census {
	uint32_t total, used, longest, high_water, quarantined;
};

/* @areas: 1..256. -BUSWAY_EINVAL, -BUSWAY_ENOMEM. */
int slot_pool_create(struct slot_pool *pool, uint32_t slots, uint32_t areas,
		     const struct busway_allocator *memory);

/* Only one thread at a time will call, whatever area it names: areas need no exchanges, which
 * would have each map wait for what was copied before. Before anybody calls. */
void slot_pool_use_one_thread(struct slot_pool *pool);
void slot_pool_destroy(struct slot_pool *pool);

/* The first slot or SLOT_NONE. @area: the thread's. The high water is left alone where @wish.probe
 * says that the run may be given back unused. */
uint32_t slot_pool_take(struct slot_pool *pool, const struct slot_wish *wish, uint32_t area);

/* The same, only of what the area keeps: SLOT_NONE is no refusal. */
static inline uint32_t slot_pool_take_kept(struct slot_pool *pool, const struct slot_wish *wish,
					   uint32_t area)
{
	if (area >= pool->area_count || wish->count - 1 >= AREA_LENGTHS)
		return SLOT_NONE;
	return area_take(&pool->area[area], wish->count, wish);
}

/* What was taken as a probe is in use after all: move the high water. */
void slot_pool_mark(struct slot_pool *pool);

/* @count as it was wished. */
void slot_pool_give_to_row(struct slot_pool *pool, uint32_t first);

static inline void slot_pool_give(struct slot_pool *pool, uint32_t first, uint32_t count,
				  uint32_t area)
{
	if (area >= pool->area_count || !area_keep(&pool->area[area], first, count, pool->keep))
		slot_pool_give_to_row(pool, first);
}

/*
 * For one who only asks what could be had at once: while the pool is held nobody else gets at it,
 * and what was taken meanwhile is given back before anybody does. Who holds several pools takes
 * them in the order in which they were made.
 */
void slot_pool_hold(struct slot_pool *pool);
uint32_t slot_pool_hold_run(struct slot_pool *pool, const struct slot_wish *wish);
struct slot_census slot_pool_hold_census(const struct slot_pool *pool);
void slot_pool_let_go(struct slot_pool *pool);

/*
 * Quarantine: a run that @who may still use is kept from everybody; release gives back all runs of
 * @who, each after @leaves() was called with it (NULL: nobody wants to know), under the lock. No
 * allocation: who it is stands in the row.
 */
void slot_pool_quarantine(struct slot_pool *pool, uint32_t first, uint32_t who);
void slot_pool_release(struct slot_pool *pool, uint32_t who,
		       void (*leaves)(void *ctx, uint32_t first, uint32_t count), void *ctx);

/* Robs the areas, so that the longest run is the true one. */
struct slot_census slot_pool_census(struct slot_pool *pool);

#endif
