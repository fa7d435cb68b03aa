/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * twin.h - the naive twin: what must come out, by looking at one byte after the other.
 *
 * Reads a plan and nothing else. For each address it goes through all declared regions, then all
 * declared windows, from the first on, and takes what holds the address. No sorting, no ranges
 * in common, no code of the library (not even its inline functions): plain enough to be right.
 */
#ifndef BUSWAY_TEST_TWIN_H
#define BUSWAY_TEST_TWIN_H

#include "plan.h"

#include <stdbool.h>

/* Where the access of one byte ends. */
struct twin_end {
	enum busway_reason reason; /* BUSWAY_NOT_REFUSED: it lands */
	uint32_t space;            /* where it landed or was refused */
	uint64_t address;          /* there */
	uint32_t region;           /* that it landed in; or that refused it, for reserved etc. */
	uint32_t window;           /* the first one on the way; UINT32_MAX: none */
	unsigned hops;             /* spaces on the way */
};

/* Can a device with @emission put this address on the bus? */
bool twin_emits(const struct busway_emission *emission, uint64_t dma);

/* Follow one byte; the device's emission is asked first. */
struct twin_end twin_follow(const struct plan *plan, uint32_t device, uint64_t dma,
			    enum busway_access access);

/* The same by the windows alone: no regions, no emission; the end is the CPU's space. */
struct twin_end twin_by_windows(const struct plan *plan, uint32_t device, uint64_t dma,
				enum busway_access access);

/* Is that memory of the CPU's space? */
bool twin_is_memory(const struct plan *plan, const struct twin_end *end);

/*
 * Follow all bytes of dma first..last. Where it is refused as straddling, @good_last is the last
 * byte of the leading part. The result is that of the first byte, or of the byte that is refused.
 */
struct twin_end twin_access(const struct plan *plan, uint32_t device, struct busway_range dma,
			    enum busway_access access, uint64_t *good_last);

/* ---- every byte of a random plan, written down ---- */

/*
 * What becomes of each address that lies in the arena of some space: that of the device's first
 * space, and those of the others, since windows of all 2^64 addresses pass theirs.
 */
struct twin_byte {
	uint64_t dma, phys;        /* phys: in the CPU's memory; .access is 0 where it is not */
	enum busway_access access; /* what may be done there */
	uint32_t window;           /* the first one on the way */
};

struct twin_map {
	const struct plan *plan;
	struct twin_byte *bytes; /* arenas * plan->size of them */
	uint64_t *bases;
	size_t arenas;
};

void twin_map_open(struct twin_map *map, const struct plan *plan, uint32_t device);
void twin_map_close(struct twin_map *map);

/* NULL for an address in no arena. */
const struct twin_byte *twin_map_at(const struct twin_map *map, uint64_t dma);

/* The next address behind *@dma, or from the lowest on where @first, that lands on @phys. */
bool twin_map_next(const struct twin_map *map, uint64_t phys, enum busway_access access, bool first,
		   uint64_t *dma);

/* How many bytes from @dma on, at most @max, land side by side in memory. */
uint64_t twin_map_run(const struct twin_map *map, uint64_t dma, enum busway_access access,
		      uint64_t max);

#endif
