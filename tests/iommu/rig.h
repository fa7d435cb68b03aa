/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig.h - page tables in memory of their own, and an IOMMU that walks them (src/sim/walk.h).
 *
 * Physical addresses of tables are not pointers: they begin at a base of the case. A page that is
 * given back is filled with entries that look valid in every format, so that walking it shows.
 */
#ifndef BUSWAY_TEST_IOMMU_RIG_H
#define BUSWAY_TEST_IOMMU_RIG_H

#include "../../src/sim/walk.h"
#include "../support/random.h"
#include "../support/test.h"
#include "../support/test_memory.h"

#include <busway/pagetable.h>

#include <pthread.h>

struct table_case {
	const char *name;
	enum busway_pagetable_format format;
	unsigned granule_lg2, input_bits, output_bits;
	uint64_t tables_at; /* physical address of the first */
	int start_level;    /* worked out by hand: what the walker begins with */
	unsigned levels;
};

extern const struct table_case table_cases[];
extern const size_t table_case_count;

enum { RIG_PAGES = 2048, RIG_PAGE = 4096 };

struct rig {
	const struct table_case *what;
	struct busway_pagetable_options options;
	struct busway_table_memory tables;
	struct busway_pagetable *table;
	struct busway_freed_tables freed;
	struct walk_setup walker;
	struct test_memory memory;
	pthread_mutex_t lock;
	unsigned char *arena;
	unsigned char used[RIG_PAGES];
	size_t next, live, calls, fail_at; /* in pages; calls of alloc; that call fails; 0: none */
	bool fail_on;                      /* and those behind it */
	bool by_pointer;                   /* through the hook instead of an offset */
	bool cleans;                       /* by an offset, and the hook as well */
	size_t cleaned;                    /* calls of the hook */
	/* what the hook does besides; NULL: nothing */
	void (*on_clean)(struct rig *rig, const void *entries, size_t size);
};

/* The options as the case says; change them before rig_open(). */
void rig_make(struct rig *rig, const struct table_case *what);
void rig_open(struct rig *rig);

/* Fails the test if a table or a block was not given back. */
void rig_close(struct rig *rig);

/* The same pages as after @count more calls of alloc fail, counted from 1; 0: none. */
void rig_fail_at(struct rig *rig, size_t count, bool and_all_later);

struct walk_result rig_walk(const struct rig *rig, uint64_t iova);

uint64_t rig_read(void *ctx, uint64_t phys);

/* One run of memory; the status. */
int rig_map(struct rig *rig, uint64_t iova, uint64_t phys, uint64_t size, unsigned prot);
int rig_unmap(struct rig *rig, uint64_t iova, uint64_t size);

static inline struct busway_dma_range rig_range(uint64_t first, uint64_t size)
{
	return (struct busway_dma_range){{first}, {first + (size - 1)}};
}

static inline struct busway_phys_range rig_phys(uint64_t first, uint64_t size)
{
	return (struct busway_phys_range){{first}, {first + (size - 1)}};
}

/* The invalidation is done. */
void rig_release(struct rig *rig);

#endif
