/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_pool.h - slots for many threads: one row, and in front of it areas that keep what was
 * given back.
 *
 *   thread --> area 0: runs of 1..32 slots, last in, first out --\
 *   thread --> area 1: ...                                        --> the row, one lock
 *
 * A thread names the area that it uses; threads with areas of their own share no lock while these
 * serve them. An area keeps a bounded share of the row. What areas keep is not lost to others: a
 * wish that the row cannot meet empties all areas and asks once more, so a refusal means that no
 * run exists.
 *
 * Any number of threads.
 */
#ifndef BUSWAY_SLOT_POOL_H
#define BUSWAY_SLOT_POOL_H

#include "lock.h"
#include "slots.h"

/* An area keeps at most this many runs of each length. */
enum { AREA_LENGTHS = 32, AREA_DEPTH = 8 };

struct area {
	struct lock lock;
	_Atomic uint32_t kept;       /* slots in all its runs; changed under the lock */
	uint8_t depth[AREA_LENGTHS]; /* runs of 1 + i slots */
	uint32_t run[AREA_LENGTHS][AREA_DEPTH];
	char apart_[64]; /* no cache line is shared with the next area, wherever memory begins */
};

struct slot_pool {
	struct lock lock;    /* of the row and the high water */
	uint32_t high_water; /* most slots that were out of the row at once */
	uint32_t quarantine; /* the first slot of a run there, and so on by .next; SLOT_NONE */
	uint32_t quarantined;
	struct slots row;
	/* read only: the row's lists keep these off the lock's cache line */
	const struct busway_allocator *memory;
	struct area *area;
	uint32_t area_count; /* a power of two */
	uint32_t keep;       /* slots that one area may keep */
};

/* What a pool looked like when it refused, or was asked. */
struct slot_census {
	uint32_t total, used, longest, high_water, quarantined;
};

/* @areas: a power of two, 1..256. -BUSWAY_EINVAL, -BUSWAY_ENOMEM. */
int slot_pool_create(struct slot_pool *pool, uint32_t slots, uint32_t areas,
		     const struct busway_allocator *memory);
void slot_pool_destroy(struct slot_pool *pool);

/* The first slot or SLOT_NONE. @hint: the thread, any number. The high water is left alone where
 * @wish.probe says that the run will be given back unused. */
uint32_t slot_pool_take(struct slot_pool *pool, const struct slot_wish *wish, uint32_t hint);

/* The same, only of what the area keeps, and for those who mind no place: SLOT_NONE is no refusal.
 */
uint32_t slot_pool_take_kept(struct slot_pool *pool, uint32_t count, uint32_t hint);

/* What was taken as a probe is in use after all: move the high water. */
void slot_pool_mark(struct slot_pool *pool);

/* @count as it was wished. */
void slot_pool_give(struct slot_pool *pool, uint32_t first, uint32_t count, uint32_t hint);

/*
 * Quarantine: a run that @who may still use is kept from everybody; release gives back all runs of
 * @who. No allocation: who it is stands in the row.
 */
void slot_pool_quarantine(struct slot_pool *pool, uint32_t first, uint32_t who);
void slot_pool_release(struct slot_pool *pool, uint32_t who);

/* Empties the areas, so that the longest run is the true one. */
struct slot_census slot_pool_census(struct slot_pool *pool);

#endif
