/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig.h - the DMA API on a small platform, with memory that is real and a device that does DMA.
 *
 * The rig's memory is one run of CPU-physical addresses, twice: what the CPU sees through its
 * caches, and what is in memory. A coherent device writes both, one that is not sees memory only.
 * Its accesses are followed by busway_resolve(), hop by hop: the reach, by which the API decides, is
 * not asked.
 */
#ifndef BUSWAY_TEST_RIG_H
#define BUSWAY_TEST_RIG_H

#include "../support/plan.h"
#include "../support/random.h"
#include "../support/test.h"

enum { RIG_SIZE = 1 << 20, RIG_LINE = 64 };

#define RIG_BASE ((uint64_t)0x80000000)

struct rig {
	struct plan plan;
	struct busway_dma *dma;
	struct busway_dma_environment environment;
	unsigned char *cached, *memory;
	bool *blind;         /* the CPU has no pointer to this page */
	size_t more_left;    /* bytes that more() may still give */
	uint64_t more_at;    /* where it gives next */
	unsigned misuses[BUSWAY_MISUSE_COUNT];
	struct busway_misuse_report last; /* .mapping may be gone */
	unsigned events[BUSWAY_EVENT_ABANDONED + 1];
};

/*
 *   /bus1 0x0..0xfffff --> RAM 0x80000000..0x800fffff, one coherent device of 64 address bits
 * Declare more, or other things, before rig_open().
 */
void rig_draw(struct rig *rig);

/* Plan, memory and API. Environment hooks may be taken away in between. */
void rig_declare(struct rig *rig); /* rig->plan is empty but for the CPU and the RAM */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig); /* all devices must be detached */

struct busway_dma_device *rig_attach(struct rig *rig, uint32_t device,
				     const struct busway_dma_options *options);

/* What the device reads or writes at @dma; false where the access does not land in memory. */
bool rig_read(struct rig *rig, uint32_t device, uint64_t dma, void *bytes, size_t size);
bool rig_write(struct rig *rig, uint32_t device, uint64_t dma, const void *bytes, size_t size);

/* The CPU's pointer, through its caches. */
unsigned char *rig_cpu(struct rig *rig, uint64_t phys);

/* The range of @size bytes at offset @at of the rig's memory. */
struct busway_phys_range rig_phys(uint64_t at, uint64_t size);

/* All misuse so far. */
unsigned rig_misuse_count(const struct rig *rig);

#endif
