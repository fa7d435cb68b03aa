/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent.h - memory that CPU and device see the same way at any time: rings, descriptors.
 *
 * It comes from the first of these that the device has, and from no other:
 *
 *   1. its shared pool (shared-dma-pool in memory-region; a no-map one before a reusable one)
 *   2. its restricted pool
 *   3. the pools of the platform that serve coherent memory, which may grow
 *
 * What comes from it is inside the coherent mask and the windows, is zero, and, for a device that
 * does not see the CPU's caches, is accessed past them.
 */
#ifndef BUSWAY_COHERENT_H
#define BUSWAY_COHERENT_H

#include <busway/mapping.h>

enum busway_coherent_flags {
	/* never calls environment.more(): memory that was set aside before, or none */
	BUSWAY_COHERENT_ATOMIC = 1,
};

/* An allocation; all zero is one that holds nothing. Lives at one place while it holds memory. */
struct busway_coherent {
	void *cpu;
	busway_phys_t phys;
	busway_dma_t dma;
	uint64_t size;
	struct busway_mapping mapping_;
};

/**
 * busway_coherent_alloc() - memory that CPU and device share
 * @size:  bytes; whole slots (BUSWAY_SLOT_SIZE) are taken. For less, see busway_blocks_create().
 * @align: of the device's address; a power of two
 * @flags: enum busway_coherent_flags
 * @why:   may be NULL
 *
 * One run of addresses, within the device's segment size and boundary.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM; -BUSWAY_ERANGE: refused: no-pool, pool-full,
 * pool-fragmented, pool-too-small, segment-limits, no-pointer.
 */
int busway_coherent_alloc(struct busway_lane *lane, uint64_t size, uint64_t align, unsigned flags,
			  struct busway_coherent *out, struct busway_refusal *why) BUSWAY_CHECKED;

/* -BUSWAY_EINVAL: it holds nothing (misuse). */
int busway_coherent_free(struct busway_coherent *coherent);

/* For drivers that keep address and pointer: compared with the record. */
int busway_coherent_free_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
				 const void *cpu);

/* ---- small blocks ---------------------------------------------------------------------- */

/* Blocks of one size, many to a slot: descriptors. For one lane. */
struct busway_blocks;

struct busway_block {
	void *cpu;
	busway_dma_t dma;
};

/**
 * busway_blocks_create() - a pool of equal blocks of coherent memory
 * @size:     of a block; @align: of its address, a power of two
 * @boundary: a power of two that no block crosses; 0: any
 * @memory:   for records
 *
 * Return: 0, -BUSWAY_EINVAL: @size is 0 or above the boundary; -BUSWAY_ENOMEM.
 */
int busway_blocks_create(struct busway_lane *lane, uint64_t size, uint64_t align, uint64_t boundary,
			 const struct busway_allocator *memory, struct busway_blocks **out);

/* -BUSWAY_EBUSY while blocks are out, unless the device is gone. In the latter case that is all
 * that may be done with them: taking and giving is -BUSWAY_EINVAL. */
int busway_blocks_destroy(struct busway_blocks *blocks);

/* A block, zeroed. Return: as busway_coherent_alloc(). An atomic take uses what there is already.
 */
int busway_blocks_take(struct busway_blocks *blocks, unsigned flags, struct busway_block *out,
		       struct busway_refusal *why) BUSWAY_CHECKED;

/* -BUSWAY_EINVAL: no block of it that is out (misuse). */
int busway_blocks_give(struct busway_blocks *blocks, busway_dma_t dma);

#endif
