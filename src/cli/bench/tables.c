/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tables.c - memory for page tables: the heap's, where pointers are physical addresses.
 */
#include "bench.h"

#include <stdlib.h>

void *bench_take_table(size_t size)
{
	return aligned_alloc(size, size);
}

static void *take(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = bench_take_table(size);

	(void)ctx;
	*phys = busway_phys((uintptr_t)table);
	return table;
}

static void give(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx, (void)phys, (void)size;
	free(table);
}

const struct busway_table_memory bench_tables = {.alloc = take, .free = give};
