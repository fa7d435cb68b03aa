/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - see pool.h.
 */
#include "pool.h"

#include <busway/status.h>

int pool_create(struct busway_range range, void *cached, void *uncached, uint32_t areas,
		const struct busway_allocator *memory, struct pool **out)
{
	struct pool *pool;
	uint64_t first, slots;
	int status;

	if (!busway_align_up(range.first, BUSWAY_SLOT_SIZE, &first) || first > range.last)
		return -BUSWAY_EINVAL;
	/* one less than the bytes, so that it always fits; the last slot may be missing a byte */
	slots = (range.last - first) / BUSWAY_SLOT_SIZE;
	if ((range.last - first) % BUSWAY_SLOT_SIZE == BUSWAY_SLOT_SIZE - 1)
		slots++;
	if (slots == 0 || slots > SLOTS_MAX)
		return -BUSWAY_EINVAL;
	pool = memory->alloc(memory->ctx, sizeof(*pool), _Alignof(struct pool));
	if (!pool)
		return -BUSWAY_ENOMEM;
	*pool = (struct pool){
		.range = {first, first + (slots * BUSWAY_SLOT_SIZE - 1)},
		.cached = (unsigned char *)cached + (first - range.first),
		.uncached = uncached ? (unsigned char *)uncached + (first - range.first) : NULL,
		.memory = memory,
		.index = UINT32_MAX,
	};
	status = slot_pool_create(&pool->slots, (uint32_t)slots, areas, memory);
	if (status) {
		memory->free(memory->ctx, pool, sizeof(*pool), _Alignof(struct pool));
		return status;
	}
	*out = pool;
	return 0;
}

void pool_destroy(struct pool *pool)
{
	slot_pool_destroy(&pool->slots);
	pool->memory->free(pool->memory->ctx, pool, sizeof(*pool), _Alignof(struct pool));
}
