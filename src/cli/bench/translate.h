/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate.h - C1 to C4: the device's address of a part of a buffer.
 *
 *   translate.c        the workloads: which buffers there are, who asks for what
 *   translate_kinds.c  the directories that are measured: the library's, and two to compare
 *                            it with
 */
#ifndef BUSWAY_BENCH_TRANSLATE_H
#define BUSWAY_BENCH_TRANSLATE_H

#include "bench.h"

#include <busway/buffers.h>

struct region {
	uint64_t va, size, dma;
};

/*
 * A directory. Both loops ask for 64 bytes at each of the @count places @va, in this order or,
 * where they are .dependent, where the answer before leads to: what is asked next is not known
 * earlier.
 */
struct translate_kind {
	const char *name, *what; /* name: behind a '/'; "": the library's */
	void *(*create)(const struct region *regions, size_t count);
	void (*destroy)(void *directory);
	uint64_t (*run)(const void *directory, const uint64_t *va, unsigned long operations);
	uint64_t (*run_dependent)(const void *directory, const uint64_t *va,
				  unsigned long operations);
	size_t (*bytes)(const void *directory);
};

enum { TRANSLATE_KINDS = 3, QUERIES = 65536, QUERY_BYTES = 64 };

/* [0] is a flat table, [1] a binary search, [2] the library. */
extern const struct translate_kind translate_kinds[TRANSLATE_KINDS];

#endif
