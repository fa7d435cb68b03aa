/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_table.h - the plainest page table: one walk from the root for each page.
 *
 * What the page tables of the library are measured against. It writes the same entries, checks
 * nothing but that an entry is empty, and knows one size of page at a time. Physical addresses are
 * pointers.
 */
#ifndef BUSWAY_BENCH_PLAIN_TABLE_H
#define BUSWAY_BENCH_PLAIN_TABLE_H

#include <busway/pagetable.h>

struct plain_table {
	enum busway_pagetable_format format;
	unsigned levels;
	uint64_t *root;
	void *(*alloc)(size_t size);
};

/* Pages of 12 + 9 * @level bits. False: out of memory, or something is there. */
bool plain_map(struct plain_table *table, uint64_t iova, uint64_t phys, unsigned level);
void plain_unmap(struct plain_table *table, uint64_t iova, unsigned level);

/* The entry that maps an IOVA; 0: nothing does. */
uint64_t plain_entry(const struct plain_table *table, uint64_t iova, unsigned *level);

/* Where it leads to. */
uint64_t plain_lookup(const struct plain_table *table, uint64_t iova);

#endif
