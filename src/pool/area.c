/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * area.c - see area.h.
 */
#include "area.h"

void area_rob(struct area *area, struct slots *row)
{
	/* what is kept from now on is not promised to be found */
	const size_t keeps = atomic_load_explicit(&area->keeps, memory_order_acquire);

	if (keeps == atomic_load_explicit(&area->robbed, memory_order_relaxed))
		return;
	for (unsigned length = 0; length < AREA_LENGTHS; length++)
		for (unsigned i = 0; i < AREA_DEPTH; i++) {
			_Atomic uint32_t *run = &area->run[length][i];
			uint32_t first = atomic_load_explicit(run, memory_order_relaxed);

			if (first)
				first = atomic_exchange_explicit(run, 0, memory_order_acquire);
			if (first)
				slots_give(row, first - 1);
		}
	atomic_store_explicit(&area->robbed, keeps, memory_order_relaxed);
}
