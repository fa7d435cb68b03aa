/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.h - allocators of IOVAs behind one table, so that all pay the same call.
 *
 *   iova.c        A1 to A10
 *   iova_kinds.c  the library, and what it is set against
 *
 * In pages of 4 KiB, from page 1 on, below 2^36.
 */
#ifndef BUSWAY_BENCH_IOVA_H
#define BUSWAY_BENCH_IOVA_H

#include "bench.h"

#define IOVA_LAST_48 (((uint64_t)1 << 36) - 1)
#define IOVA_LAST_40 (((uint64_t)1 << 28) - 1)
#define IOVA_LAST_32 (((uint64_t)1 << 20) - 1)

struct iova_kind {
	const char *name, *what;
	/* two threads at most; NULL: out of memory */
	void *(*create)(void);
	/* with alignment where @align is not 0; false: refused */
	bool (*take)(void *allocator, unsigned thread, uint64_t pages, uint64_t last,
		     uint64_t align, uint64_t *first);
	void (*give)(void *allocator, unsigned thread, uint64_t first, uint64_t pages);
	bool (*reserve)(void *allocator, uint64_t first, uint64_t pages); /* may be NULL */
	void (*destroy)(void *allocator, bool whatever_is_out);
};

extern const struct iova_kind iova_busway; /* by caches */
extern const struct iova_kind iova_tree;   /* exhaustive best fit in two red-black trees, locked */
extern const struct iova_kind iova_stacks; /* a stack for each size, locked, before that */

#endif
