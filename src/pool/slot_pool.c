/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot_pool.c - areas in front of a row of slots.
 *
 * Order of locks: an area's, then the row's. Nobody holds two areas.
 */
#include "slot_pool.h"

#include "../base/bytes.h"

#include <busway/status.h>

static struct area *area_of(struct slot_pool *pool, uint32_t hint)
{
	return &pool->area[hint & (pool->area_count - 1)];
}

/* May be looked at without the lock: whoever sees 0 sees in the row what went there. */
static uint32_t kept_of(const struct area *area)
{
	return atomic_load_explicit(&area->kept, memory_order_acquire);
}

static void set_kept(struct area *area, uint32_t kept)
{
	atomic_store_explicit(&area->kept, kept, memory_order_release);
}

/* The run that was kept last, if it lies as wished; @wish NULL: anywhere. */
static inline uint32_t take_kept(struct area *area, uint32_t count, const struct slot_wish *wish)
{
	uint32_t first = SLOT_NONE;
	uint8_t *depth;

	if (count - 1 >= AREA_LENGTHS || kept_of(area) < count)
		return SLOT_NONE;
	depth = &area->depth[count - 1];
	lock_take(&area->lock);
	if (*depth) {
		first = area->run[count - 1][*depth - 1];
		if (!wish || slot_suits(wish, first)) {
			(*depth)--;
			set_kept(area, kept_of(area) - count);
		} else {
			first = SLOT_NONE;
		}
	}
	lock_give(&area->lock);
	return first;
}

uint32_t slot_pool_take_kept(struct slot_pool *pool, uint32_t count, uint32_t hint)
{
	return take_kept(area_of(pool, hint), count, NULL);
}

static uint32_t take_from_row(struct slot_pool *pool, const struct slot_wish *wish)
{
	uint32_t first;

	lock_take(&pool->lock);
	first = slots_take(&pool->row, wish);
	if (pool->row.used > pool->high_water && !wish->probe)
		pool->high_water = pool->row.used;
	lock_give(&pool->lock);
	return first;
}

static void empty_area(struct slot_pool *pool, struct area *area)
{
	/* who is refused finds every area empty, mostly */
	if (!kept_of(area))
		return;
	lock_take(&area->lock);
	lock_take(&pool->lock);
	for (unsigned i = 0; i < AREA_LENGTHS; i++)
		while (area->depth[i])
			slots_give(&pool->row, area->run[i][--area->depth[i]]);
	lock_give(&pool->lock);
	set_kept(area, 0);
	lock_give(&area->lock);
}

static void empty_areas(struct slot_pool *pool)
{
	for (uint32_t i = 0; i < pool->area_count; i++)
		empty_area(pool, &pool->area[i]);
}

uint32_t slot_pool_take(struct slot_pool *pool, const struct slot_wish *wish, uint32_t hint)
{
	uint32_t first = take_kept(area_of(pool, hint), wish->count, wish);

	if (first == SLOT_NONE)
		first = take_from_row(pool, wish);
	if (first == SLOT_NONE) {
		/* though all areas be empty now: another thread may have emptied them meanwhile */
		empty_areas(pool);
		first = take_from_row(pool, wish);
	}
	return first;
}

void slot_pool_give(struct slot_pool *pool, uint32_t first, uint32_t count, uint32_t hint)
{
	struct area *area = area_of(pool, hint);
	bool kept = false;

	if (count <= AREA_LENGTHS) {
		lock_take(&area->lock);
		kept = area->depth[count - 1] < AREA_DEPTH && pool->keep - kept_of(area) >= count;
		if (kept) {
			area->run[count - 1][area->depth[count - 1]++] = first;
			set_kept(area, kept_of(area) + count);
		}
		lock_give(&area->lock);
	}
	if (kept)
		return;
	lock_take(&pool->lock);
	slots_give(&pool->row, first);
	lock_give(&pool->lock);
}

void slot_pool_mark(struct slot_pool *pool)
{
	lock_take(&pool->lock);
	if (pool->row.used > pool->high_water)
		pool->high_water = pool->row.used;
	lock_give(&pool->lock);
}

void slot_pool_quarantine(struct slot_pool *pool, uint32_t first, uint32_t who)
{
	lock_take(&pool->lock);
	pool->row.slot[first].next = pool->quarantine;
	pool->row.slot[first].previous = who;
	pool->quarantine = first;
	pool->quarantined += slots_taken_at(&pool->row, first);
	lock_give(&pool->lock);
}

void slot_pool_release(struct slot_pool *pool, uint32_t who)
{
	uint32_t first, next;

	lock_take(&pool->lock);
	first = pool->quarantine;
	pool->quarantine = SLOT_NONE;
	for (; first != SLOT_NONE; first = next) {
		struct slot *slot = &pool->row.slot[first];

		next = slot->next;
		if (slot->previous == who) {
			pool->quarantined -= slots_taken_at(&pool->row, first);
			slots_give(&pool->row, first);
		} else {
			slot->next = pool->quarantine;
			pool->quarantine = first;
		}
	}
	lock_give(&pool->lock);
}

struct slot_census slot_pool_census(struct slot_pool *pool)
{
	struct slot_census census;

	empty_areas(pool);
	lock_take(&pool->lock);
	census = (struct slot_census){
		.total = pool->row.count,
		.used = pool->row.used,
		.longest = slots_longest(&pool->row),
		.high_water = pool->high_water,
		.quarantined = pool->quarantined,
	};
	lock_give(&pool->lock);
	return census;
}

int slot_pool_create(struct slot_pool *pool, uint32_t slots, uint32_t areas,
		     const struct busway_allocator *memory)
{
	const size_t size = areas * sizeof(struct area);
	int status;

	if (areas == 0 || areas > 256 || (areas & (areas - 1)))
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
	for (uint32_t i = 0; i < areas; i++)
		pool->area[i].lock = (struct lock)LOCK_INIT;
	pool->lock = (struct lock)LOCK_INIT;
	return 0;
}

void slot_pool_destroy(struct slot_pool *pool)
{
	if (pool->area)
		pool->memory->free(pool->memory->ctx, pool->area,
				   pool->area_count * sizeof(struct area), _Alignof(struct area));
	pool->area = NULL;
	slots_destroy(&pool->row);
}
