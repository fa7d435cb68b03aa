/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slot.h - a place for one range in a cache: its owner fills it, and anybody may empty it.
 *
 * Where 64 bits can be exchanged at once, filling is a store and emptying is one exchange: whoever
 * gets the range has it alone. Elsewhere (32-bit firmware) a lock of the cache does that.
 */
#ifndef BUSWAY_IOVA_SLOT_H
#define BUSWAY_IOVA_SLOT_H

#include "../pool/lock.h"

#include <stdint.h>

/* No first granule: that of a range at the very end of a space of 2^64 granules is not cached. */
#define SLOT_EMPTY UINT64_MAX

#if ATOMIC_LLONG_LOCK_FREE == 2

struct slot {
	_Atomic uint64_t granule;
};

static inline uint64_t slot_peek(struct slot *slot, struct lock *lock)
{
	(void)lock;
	return atomic_load_explicit(&slot->granule, memory_order_relaxed);
}

static inline uint64_t slot_take(struct slot *slot, struct lock *lock)
{
	(void)lock;
	return atomic_exchange_explicit(&slot->granule, SLOT_EMPTY, memory_order_acquire);
}

/* By the owner, into a slot that is empty. */
static inline void slot_put(struct slot *slot, struct lock *lock, uint64_t granule)
{
	(void)lock;
	atomic_store_explicit(&slot->granule, granule, memory_order_release);
}

#else

struct slot {
	uint64_t granule;
};

static inline uint64_t slot_exchange(struct slot *slot, struct lock *lock, uint64_t granule)
{
	uint64_t was;

	lock_take(lock);
	was = slot->granule;
	slot->granule = granule;
	lock_give(lock);
	return was;
}

static inline uint64_t slot_peek(struct slot *slot, struct lock *lock)
{
	uint64_t granule;

	lock_take(lock);
	granule = slot->granule;
	lock_give(lock);
	return granule;
}

static inline uint64_t slot_take(struct slot *slot, struct lock *lock)
{
	return slot_exchange(slot, lock, SLOT_EMPTY);
}

static inline void slot_put(struct slot *slot, struct lock *lock, uint64_t granule)
{
	slot_exchange(slot, lock, granule);
}

#endif

#endif
