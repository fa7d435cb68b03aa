/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_pool.c - areas in front of a row of slots.
 */
#include "slot_pool.h"

#include "../base/bytes.h"

#include <busway/status.h>

/* Under the lock. */
static void rob_areas(struct slot_pool *pool)
{
	for (uint32_t i = 0; i < pool->area_count; i++)
		area_rob(&pool->area[i], &pool->row);
}

static void mark(struct slot_pool *pool)
{
	if (pool->row.used > pool->high_water)
		pool->high_water = pool->row.used;
}

static uint32_t take_from_row(struct slot_pool *pool, const struct slot_wish *wish)
{
	uint32_t first;

	lock_take(&pool->lock);
	first = slots_take(&pool->row, wish);
	if (first == SLOT_NONE) {
		rob_areas(pool);
		first = slots_take(&pool->row, wish);
	}
	if (!wish->probe)
		mark(pool);
	lock_give(&pool->lock);
	return first;
}

uint32_t slot_pool_take(struct slot_pool *pool, const struct slot_wish *wish, uint32_t area)
{
	const uint32_t first = slot_pool_take_kept(pool, wish, area);

	return first == SLOT_NONE ? take_from_row(pool, wish) : first;
}

void slot_pool_give_to_row(struct slot_pool *pool, uint32_t first)
{
	lock_take(&pool->lock);
	slots_give(&pool->row, first);
	lock_give(&pool->lock);
}

void slot_pool_mark(struct slot_pool *pool)
{
	lock_take(&pool->lock);
	mark(pool);
	lock_give(&pool->lock);
}

/* ---- asking ---- */

void slot_pool_hold(struct slot_pool *pool)
{
	lock_take(&pool->lock);
	rob_areas(pool);
	pool->held = SLOT_NONE;
}

uint32_t slot_pool_hold_run(struct slot_pool *pool, const struct slot_wish *wish)
{
	const uint32_t first = slots_take(&pool->row, wish);

	if (first != SLOT_NONE) {
		pool->row.slot[first].next = pool->held;
		pool->held = first;
	}
	return first;
}

void slot_pool_let_go(struct slot_pool *pool)
{
	uint32_t next;

	for (uint32_t first = pool->held; first != SLOT_NONE; first = next) {
		next = pool->row.slot[first].next;
		slots_give(&pool->row, first);
	}
	lock_give(&pool->lock);
}

/* ---- quarantine ---- */

void slot_pool_quarantine(struct slot_pool *pool, uint32_t first, uint32_t who)
{
	lock_take(&pool->lock);
	pool->row.slot[first].next = pool->quarantine;
	pool->row.slot[first].previous = who;
	pool->quarantine = first;
	pool->quarantined += slots_taken_at(&pool->row, first);
	lock_give(&pool->lock);
}

void slot_pool_release(struct slot_pool *pool, uint32_t who,
		       void (*leaves)(void *ctx, uint32_t first, uint32_t count), void *ctx)
{
	uint32_t first, next;

	lock_take(&pool->lock);
	first = pool->quarantine;
	pool->quarantine = SLOT_NONE;
	for (; first != SLOT_NONE; first = next) {
		struct slot *slot = &pool->row.slot[first];

		next = slot->next;
		if (slot->previous == who) {
			if (leaves)
				leaves(ctx, first, slots_taken_at(&pool->row, first));
			pool->quarantined -= slots_taken_at(&pool->row, first);
			slots_give(&pool->row, first);
		} else {
			slot->next = pool->quarantine;
			pool->quarantine = first;
		}
	}
	lock_give(&pool->lock);
}

/* ---- what it looks like ---- */

struct slot_census slot_pool_hold_census(const struct slot_pool *pool)
{
	return (struct slot_census){
		.total = pool->row.count,
		.used = pool->row.used,
		.longest = slots_longest(&pool->row),
		.high_water = pool->high_water,
		.quarantined = pool->quarantined,
	};
}

struct slot_census slot_pool_census(struct slot_pool *pool)
{
	struct slot_census census;

	lock_take(&pool->lock);
	rob_areas(pool);
	census = slot_pool_hold_census(pool);
	lock_give(&pool->lock);
	return census;
}

/* ---- life ---- */

int slot_pool_create(struct slot_pool *pool, uint32_t slots, uint32_t areas,
		     const struct busway_allocator *memory)
{
	const size_t size = areas * sizeof(struct area);
	int status;

	if (areas == 0 || areas > 256)
		return -BUSWAY_EINVAL;
	*pool = (struct slot_pool){.memory = memory,
				   .area_count = areas,
				   .keep = slots / 8 / areas,
				   .quarantine = SLOT_NONE};
	status = slots_create(&pool->row, slots, memory);
	if (status)
		return status;
	pool->area = memory->alloc(memory->ctx, size, _Alignof(struct area));
	if (!pool->area) {
		slots_destroy(&pool->row);
		return -BUSWAY_ENOMEM;
	}
	memset(pool->area, 0, size);
	pool->lock = (struct lock)LOCK_INIT;
	return 0;
}

void slot_pool_use_one_thread(struct slot_pool *pool)
{
	for (uint32_t i = 0; i < pool->area_count; i++)
		pool->area[i].one_thread = true;
}

void slot_pool_destroy(struct slot_pool *pool)
{
	if (pool->area)
		pool->memory->free(pool->memory->ctx, pool->area,
				   pool->area_count * sizeof(struct area), _Alignof(struct area));
	pool->area = NULL;
	slots_destroy(&pool->row);
}
