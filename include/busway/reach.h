/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach.h - what one device can address, flattened; and the inverse: the address of a region.
 *
 *   device 0..4G        |----A----|          |--B--|
 *   CPU    RAM     [==========]   [====]  [==========]
 *   reach               [=====]              [=====]
 *
 * Built once for a device and a mask; then looked up in nanoseconds. A reach is immutable: any
 * number of threads may look it up.
 */
#ifndef BUSWAY_REACH_H
#define BUSWAY_REACH_H

#include <busway/platform.h>

/* A run of addresses that leads to one region, or to adjoining ones of one name (one string: the
 * ranges of a memory node), at one offset. The target is the first of them. */
struct busway_piece {
	struct busway_dma_range dma;
	busway_phys_t phys; /* where dma.first lands */
	busway_region_id target;
	enum busway_access access;
};

struct busway_reach;

/* Pieces stop here: patterns of address bits can cut a space in more parts than memory holds. */
#define BUSWAY_PIECES_MAX ((size_t)1 << 20)

/**
 * busway_reach_build() - flatten what a device can reach
 * @platform: sealed; must outlive the reach
 * @device:   the initiator
 * @emission: what it can emit; NULL: what the platform says of it
 * @memory:   where the reach lives; must outlive it
 * @out:      the reach; give it back with busway_reach_destroy()
 *
 * Holds memory only: RAM, or all that is not known to be something else where the platform does
 * not say where its memory is. IOMMUs are passed untranslated.
 *
 * Return: 0 (also where nothing is reachable), -BUSWAY_EINVAL, -BUSWAY_ENOMEM, -BUSWAY_E2BIG beyond
 * BUSWAY_PIECES_MAX. Threads: any number.
 */
int busway_reach_build(const struct busway_platform *platform, busway_device_id device,
		       const struct busway_emission *emission,
		       const struct busway_allocator *memory, struct busway_reach **out);
void busway_reach_destroy(struct busway_reach *reach);

/* The pieces, sorted by dma, disjoint, merged within one target. */
const struct busway_piece *busway_reach_pieces(const struct busway_reach *reach, size_t *count);

/* The piece that holds @dma, or NULL. log2(pieces) steps, no allocation. */
const struct busway_piece *busway_reach_find(const struct busway_reach *reach, busway_dma_t dma);

/**
 * busway_reach_address() - the one address by which the device reaches a run of memory
 * The fast path: @phys as one segment, or -BUSWAY_ERANGE. Where several addresses would do, the one
 * of the window that was added first is taken (Linux: the first entry of dma-ranges that matches).
 *
 * Answers only for devices that are handed memory as it is: for one behind an IOMMU, with a
 * restricted pool, or with a limit on the size or boundary of segments when the reach was built, it
 * is always -BUSWAY_ERANGE; busway_address_for() tells the reason, or the segments.
 *
 * Threads: any number. No allocation. Cost: log2(pieces); where windows alias (several addresses
 * for one byte), also the number of pieces that begin at or before @phys and are as high.
 */
int busway_reach_address(const struct busway_reach *reach, struct busway_phys_range phys,
			 busway_dma_t *out);

struct busway_segment {
	struct busway_dma_range dma;
};

/* No list is longer; what would need more is refused (BUSWAY_SEGMENT_LIMITS). */
#define BUSWAY_SEGMENTS_MAX ((size_t)1 << 24)

/**
 * busway_address_for() - the addresses by which a device reaches a region
 * @reach:    of the device
 * @phys:     the memory that is wanted
 * @access:   what the device is to do there
 * @segments: filled in the order of the memory; holds @capacity
 * @count:    how many; also set when they do not fit
 * @why:      the reason of a refusal; may be NULL
 *
 * As few segments as the windows allow, split further by the device's segment limits. Refuses a
 * device that must bounce (restricted pool) or is translated (IOMMU): see busway_address_flags.
 *
 * Return: 0; -BUSWAY_ERANGE with a reason; -BUSWAY_ENOSPC if there are more than @capacity
 * segments. Threads: any number. No allocation.
 */
enum busway_address_flags {
	BUSWAY_ADDRESS_BYPASS_IOMMU = 1, /* the IOMMU is known to pass everything untranslated */
};

int busway_address_for(const struct busway_reach *reach, struct busway_phys_range phys,
		       enum busway_access access, unsigned flags, struct busway_segment *segments,
		       size_t capacity, size_t *count, struct busway_refusal *why);

/**
 * busway_windows_build() - a device's effective windows
 * @pieces: freed by the caller with @memory: count * sizeof(**pieces), aligned as the type
 *
 * As busway_reach_build(), but of everything that comes out in the CPU's space, whatever is
 * there, whatever the device can emit, and without regard to apertures. .target means nothing.
 */
int busway_windows_build(const struct busway_platform *platform, busway_device_id device,
			 const struct busway_allocator *memory, struct busway_piece **pieces,
			 size_t *count);

/* ---- several devices ------------------------------------------------------------------- */

/* One of the devices that are to share memory. */
struct busway_sharer {
	const struct busway_reach *reach;
	busway_dma_t dma; /* out: its address of the memory */
};

/**
 * busway_joint_address() - memory that several devices can all reach
 * @sharers: the devices, all of one platform; .dma is filled on success
 * @size:    bytes, 1 or more
 * @align:   of the CPU-physical address; a power of two
 * @avoid:   CPU-physical addresses that may not be handed out; may be NULL
 * @memory:  for working memory, given back before the return
 * @phys:    the memory, on success
 * @why:     the reason of a refusal; may be NULL
 *
 * The memory is one run for each of the devices, within its segment size and boundary. A device
 * with a restricted pool gets memory of that pool, whatever @avoid says of it. Takes the lowest
 * address that serves all.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM, -BUSWAY_ERANGE with a reason. Threads: any number.
 */
int busway_joint_address(struct busway_sharer *sharers, size_t count, uint64_t size, uint64_t align,
			 const struct busway_range *avoid, size_t avoid_count, unsigned flags,
			 const struct busway_allocator *memory, busway_phys_t *phys,
			 struct busway_refusal *why);

#endif
