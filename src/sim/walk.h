/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.h - what an IOMMU does with an IOVA, read from the architecture manuals.
 *
 * It shares no header and no number with the library: it is told where the root is, reads words of
 * memory, and knows the layouts from the manuals alone. It is stricter than hardware: where a
 * manual says that a bit is reserved, that entries have to be equal, or that software must not do
 * something, it gives up and says why.
 *
 *   root ---> table ---> table ---> leaf        a step reads one entry of one table: so a walk can
 *                ^ from a cache of tables       begin at a table that was found before
 */
#ifndef BUSWAY_SIM_WALK_H
#define BUSWAY_SIM_WALK_H

#include <stdbool.h>
#include <stdint.h>

enum walk_kind { WALK_ARM_S1, WALK_ARM_S2, WALK_VTD, WALK_AMD, WALK_RISCV };

struct walk_setup {
	enum walk_kind kind;
	unsigned granule_lg2; /* Arm: 12, 14, 16 */
	unsigned input_bits;  /* Arm */
	unsigned output_bits;
	unsigned levels;        /* VT-d, AMD (the mode), RISC-V */
	int start_level;        /* Arm: as in the manual */
	bool wide;              /* Arm: FEAT_LPA or FEAT_LPA2 layout */
	bool dirty_by_hardware; /* the IOMMU marks pages that are used and written */
	bool memory_types;      /* RISC-V: Svpbmt is there */
	bool strict; /* also gives up at bits that hardware takes, but that nobody means */
	uint64_t root;
	uint64_t (*read)(void *ctx, uint64_t phys);
	void *ctx;
};

/* A table, and what led to it. */
struct walk_table {
	uint64_t at;      /* its physical address */
	int level;        /* Arm: as in the manual; others: 1 is the last one */
	unsigned top;     /* it translates 2^top addresses; the root of AMD level 6: 64 */
	bool read, write; /* what the entries so far allow */
};

struct walk_result {
	bool mapped;
	const char *violation; /* NULL: none */
	uint64_t phys;
	uint64_t page_size; /* contiguous ones taken together */
	bool read, write, execute, dirty, accessed;
	unsigned type; /* 0 cached, 1 uncached, 2 device */
	bool snoop;
	uint64_t entry_at; /* physical address of the entry that was read last */
	unsigned tables;   /* that were read */
};

/* From the root to the end. */
struct walk_result walk(const struct walk_setup *setup, uint64_t iova);

/* ---- step by step ---- */

/* Does the format translate addresses like this at all? */
bool walk_takes(const struct walk_setup *setup, uint64_t iova);

struct walk_table walk_root(const struct walk_setup *setup);

/* Reads the entry of @table for @iova. True: it leads to another table, which is @table now. */
bool walk_step(const struct walk_setup *setup, struct walk_table *table, uint64_t iova,
	       struct walk_result *result);

/* What the IOMMU makes of the entry of a page that is used, and written. */
uint64_t walk_marked(const struct walk_setup *setup, uint64_t entry, bool written);

#endif
