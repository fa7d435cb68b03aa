/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lock.h - a lock that spins, for sections of some dozens of instructions.
 *
 * Firmware with one core and interrupts that map must keep them off around calls that lock; each
 * public function says whether it does.
 */
#ifndef BUSWAY_LOCK_H
#define BUSWAY_LOCK_H

#include <stdatomic.h>

struct lock {
	atomic_flag held;
};

#define LOCK_INIT                                                                                  \
	{                                                                                          \
		ATOMIC_FLAG_INIT                                                                   \
	}

static inline void lock_take(struct lock *lock)
{
	while (atomic_flag_test_and_set_explicit(&lock->held, memory_order_acquire))
		;
}

static inline void lock_give(struct lock *lock)
{
	atomic_flag_clear_explicit(&lock->held, memory_order_release);
}

#endif
