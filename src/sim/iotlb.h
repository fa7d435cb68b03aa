/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iotlb.h - what an IOMMU remembers of walks: pages, and tables on the way to them.
 *
 * Nothing of it is ever compared with the tables: what was remembered is used until it is
 * invalidated, or makes room for something else.
 */
#ifndef BUSWAY_SIM_IOTLB_H
#define BUSWAY_SIM_IOTLB_H

#include "rng.h"
#include "walk.h"

#include <busway/addr.h>
#include <busway/allocator.h>

#include <stddef.h>

struct iotlb_page {
	bool valid;
	uint32_t tag;
	struct busway_range iova;
	uint64_t phys; /* of iova.first */
	bool read, write;
	bool dirty; /* and so marked */
	bool whole; /* is forgotten only where all of it is to be */
};

struct iotlb_table {
	bool valid;
	uint32_t tag;
	uint32_t format;          /* a number of the caller's: only tables of the same are used */
	struct busway_range iova; /* what it translates */
	struct walk_table table;
};

struct iotlb {
	struct iotlb_page *pages;
	struct iotlb_table *tables;
	size_t page_count, table_count; /* room; 0: not there yet */
};

/* 0, -BUSWAY_ENOMEM. Both counts are at least 1. */
int iotlb_create(struct iotlb *tlb, size_t pages, size_t tables,
		 const struct busway_allocator *memory);
void iotlb_destroy(struct iotlb *tlb, const struct busway_allocator *memory);

/* NULL: not remembered. Of the tables that lead to @iova the nearest to the page. */
const struct iotlb_page *iotlb_page_at(const struct iotlb *tlb, uint32_t tag, uint64_t iova);
const struct iotlb_table *iotlb_table_at(const struct iotlb *tlb, uint32_t tag, uint32_t format,
					 uint64_t iova);

/* Remember; where there is no room, chance says what is forgotten for it. What was remembered of
 * the very same page is replaced. */
void iotlb_add_page(struct iotlb *tlb, struct sim_rng *rng, struct iotlb_page page);
void iotlb_add_table(struct iotlb *tlb, struct sim_rng *rng, struct iotlb_table table);

/* Forget what touches @iova, but for pages that are only forgotten as a whole; with @tables the
 * tables as well. */
void iotlb_forget(struct iotlb *tlb, uint32_t tag, struct busway_range iova, bool tables);

#endif
