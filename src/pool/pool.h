/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.h - memory set aside for DMA: a run of physical memory, cut in slots.
 *
 * Knows nothing of devices: who may use it, and at what address they find it, is the DMA API's.
 * Taking and giving back: any number of threads.
 */
#ifndef BUSWAY_POOL_H
#define BUSWAY_POOL_H

#include "slot_pool.h"

#include <busway/dma.h>

struct pool {
	struct slot_pool slots;
	struct pool *next;         /* in the order in which they came */
	struct busway_range range; /* CPU-physical; whole slots */
	/* where the CPU finds range.first: through its caches, and past them (NULL: it can't) */
	unsigned char *cached, *uncached;
	const struct busway_allocator *memory;
	const char *name; /* of the platform's pool; NULL: a pool for all */
	unsigned use;
	uint32_t index; /* of the platform's pool; UINT32_MAX */
	bool grown;     /* environment.more() gave it */
	bool passed_by; /* while the line of those who wait is walked: somebody waits for it */
};

static inline uint64_t pool_phys(const struct pool *pool, uint32_t slot)
{
	return pool->range.first + slot * BUSWAY_SLOT_SIZE;
}

static inline uint64_t pool_offset(uint32_t slot)
{
	return slot * BUSWAY_SLOT_SIZE;
}

/* How many slots are @bytes? */
static inline uint64_t slots_for(uint64_t bytes)
{
	return bytes / BUSWAY_SLOT_SIZE + (bytes % BUSWAY_SLOT_SIZE != 0);
}

/*
 * Of @range, the whole slots of it are used: .range says which. @cached and @uncached are for its
 * first byte. -BUSWAY_EINVAL: it holds no slot, or too many; -BUSWAY_ENOMEM.
 */
int pool_create(struct busway_range range, void *cached, void *uncached, uint32_t areas,
		const struct busway_allocator *memory, struct pool **out);
void pool_destroy(struct pool *pool);

#endif
