/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walker.h - what an IOMMU would do with an IOVA, read from the architecture manuals.
 *
 * It shares no header and no number with the library: it is told where the root is, reads words of
 * memory, and knows the layouts from the manuals alone. It is stricter than hardware: a reserved bit
 * that is set, a contiguous run that is not one, or a misaligned page is a violation.
 */
#ifndef BUSWAY_TEST_WALKER_H
#define BUSWAY_TEST_WALKER_H

#include <stdbool.h>
#include <stdint.h>

enum walk_kind { WALK_ARM_S1, WALK_ARM_S2, WALK_VTD, WALK_AMD, WALK_RISCV };

struct walk_setup {
	enum walk_kind kind;
	unsigned granule_lg2;  /* Arm */
	unsigned input_bits;   /* AMD: not asked, .levels is the mode */
	unsigned output_bits;
	unsigned levels;       /* VT-d, AMD, RISC-V */
	int start_level;       /* Arm: as in the manual */
	bool wide;             /* Arm: FEAT_LPA or FEAT_LPA2 layout */
	bool dirty_by_hardware;
	uint64_t root;
	uint64_t (*read)(void *ctx, uint64_t phys);
	void *ctx;
};

struct walk_result {
	bool mapped;
	const char *violation; /* NULL: none */
	uint64_t phys;
	uint64_t page_size;    /* contiguous ones taken together */
	bool read, write, execute, dirty, accessed;
	unsigned type;         /* 0 cached, 1 uncached, 2 device */
	bool snoop;
	uint64_t entry_at;     /* physical address of the entry that maps it */
	unsigned tables;       /* that were read */
};

struct walk_result walk(const struct walk_setup *setup, uint64_t iova);

#endif
