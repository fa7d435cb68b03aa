/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_bench.h - the usual bench, with page tables in its memory and an IOMMU that walks them.
 *
 *   device --> [ /bus1 ] 0x40000000..0x4fffffff --> IOMMU --> [ cpu ] 0x80000000..0x8fffffff RAM
 */
#ifndef BUSWAY_TEST_IOMMU_BENCH_H
#define BUSWAY_TEST_IOMMU_BENCH_H

#include "bench.h"

#include <busway/pagetable.h>

struct iommu_case {
	const char *name;
	enum busway_pagetable_format format;
	unsigned granule_lg2, input_bits, output_bits;
};

extern const struct iommu_case iommu_cases[];
extern const size_t iommu_case_count;

/* IOVAs that the bus passes, and where no memory is for who is not translated. */
#define IOVA 0x48000000u
#define TAG  7u

struct iommu_bench {
	struct bench bench;
	const struct iommu_case *what;
	struct busway_pagetable_options options;
	struct busway_table_memory tables;
	struct busway_pagetable *table;
	struct busway_freed_tables freed;
	uint64_t page; /* bytes of the smallest */
};

/* The machine, and a table of @what in it. @options, of the machine, may be NULL: lenient. */
void iommu_open(struct iommu_bench *b, const struct iommu_case *what,
		const struct busway_machine_options *options);
/* The same behind bench_draw(): the plan is the caller's by now. */
void iommu_open_drawn(struct iommu_bench *b, const struct iommu_case *what,
		      const struct busway_machine_options *options);
void iommu_close(struct iommu_bench *b);

/* What the machine is told of the table. */
struct busway_machine_iommu iommu_of(const struct iommu_bench *b);

/* The table translates for the device. */
void iommu_attach(struct iommu_bench *b, uint32_t device);

void iommu_map(struct iommu_bench *b, uint64_t iova, uint64_t phys, uint64_t size, unsigned prot);

/* The entries alone. */
void iommu_clear(struct iommu_bench *b, uint64_t iova, uint64_t size);
void iommu_forget(struct iommu_bench *b, uint64_t iova, uint64_t size, bool tables);
void iommu_release(struct iommu_bench *b);

/* As it should be: entries, invalidation, tables. */
void iommu_unmap(struct iommu_bench *b, uint64_t iova, uint64_t size);

/* The device writes one byte, or reads one. The status. */
int iommu_put(struct iommu_bench *b, uint32_t device, uint64_t iova, unsigned char value);
int iommu_get(struct iommu_bench *b, uint32_t device, uint64_t iova, unsigned char *value);

#endif
