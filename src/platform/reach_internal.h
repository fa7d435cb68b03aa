/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach_internal.h - what the files behind <busway/reach.h> share.
 */
#ifndef BUSWAY_REACH_INTERNAL_H
#define BUSWAY_REACH_INTERNAL_H

#include "platform_internal.h"

#include <busway/reach.h>

/* ---- flattening ---- */

enum flatten_mode {
	FLATTEN_MEMORY,
	FLATTEN_CARVEOUTS, /* memory and no-map carve-outs: for those who may use these */
	FLATTEN_WINDOWS,   /* the CPU's addresses behind windows, whatever is there */
	FLATTEN_APERTURES, /* what outbound apertures on the way answer; phys is on their bus */
};

/* As busway_piece, with the window by which it left the first space (its place in line). */
struct flat_piece {
	struct busway_piece piece;
	uint32_t rank;
};

struct flat {
	struct flat_piece *pieces;
	size_t count, capacity;
	const struct busway_allocator *memory;
};

/* All of @space, sorted by dma, merged. On failure @flat is empty. */
int flatten(const struct busway_platform *platform, busway_space_id space, enum flatten_mode mode,
	    struct flat *flat);
int flat_add(struct flat *flat, const struct flat_piece *piece);
void flat_free(struct flat *flat);

/* ---- reach ---- */

/* Pieces of all targets that continue on both sides: how addresses are looked up by memory. */
struct reach_run {
	uint64_t phys_first, phys_last, dma_first;
	enum busway_access access;
};

/* From @first on, as far as the next one: the place in line of the first window. */
struct reach_rank {
	uint64_t first;
	uint32_t rank;
};

/*
 * An index of runs by the top bits of memory, for the hot path:
 *
 *   memory   |  index_base << shift  |          |          |   ...   of index_count parts
 *   run               A        A       none: search for it      B
 *
 * Each part has the run in it, if that is the only one. Where there is none, it has an empty run;
 * where there are several, one of everything that allows nothing.
 */
enum { REACH_PARTS_MIN = 4, REACH_PARTS_MAX = 256 };

struct busway_reach {
	uint64_t index_base, index_count;
	const struct reach_run **index;
	unsigned index_shift;
	const struct busway_platform *platform;
	const struct busway_allocator *memory;
	busway_device_id device;
	struct busway_emission emission;
	struct busway_piece *pieces;
	size_t piece_count;
	struct reach_run *runs; /* sorted by phys_first */
	uint64_t *highest;      /* highest[i]: the greatest phys_last of runs 0..i */
	size_t run_count;
	bool direct;  /* else busway_reach_address() must not answer */
	bool aliased; /* some runs overlap in memory */
	bool mixed;   /* some adjoin on both sides, and allow another access */
	/* only where aliased: which window each stretch of emitted addresses passes first */
	struct reach_rank *ranks; /* sorted by first */
	size_t rank_count;
};

static inline bool run_holds(const struct reach_run *run, struct busway_range phys,
			     enum busway_access access)
{
	return run->phys_first <= phys.first && phys.last <= run->phys_last &&
	       (run->access & access) == access;
}

/* The run in which @phys may be, if one look is enough; it may also be outside. NULL: search. */
static inline const struct reach_run *reach_run_glance(const struct busway_reach *reach,
						       uint64_t phys)
{
	const uint64_t part = (phys >> reach->index_shift) - reach->index_base;

	return part < reach->index_count ? reach->index[part] : NULL;
}

/* The address of all of @phys, where one look is enough. False: reach_lookup() may still know. */
static inline bool reach_glance(const struct busway_reach *reach, struct busway_range phys,
				enum busway_access access, uint64_t *dma)
{
	const struct reach_run *run = reach_run_glance(reach, phys.first);

	if (!run || !run_holds(run, phys, access))
		return false;
	*dma = run->dma_first + (phys.first - run->phys_first);
	return true;
}

/* Is it certain at a glance that no address leads to @phys? */
static inline bool reach_misses(const struct busway_reach *reach, uint64_t phys)
{
	const struct reach_run *run = reach_run_glance(reach, phys);

	return !run || phys < run->phys_first || phys > run->phys_last;
}

/* As busway_reach_build(), in another mode. */
int reach_build_mode(const struct busway_platform *platform, busway_device_id device,
		     const struct busway_emission *emission, enum flatten_mode mode,
		     const struct busway_allocator *memory, struct busway_reach **out);

/*
 * The address by which the device reaches all of @phys for @access, as one run, whatever way it is
 * to be handed memory. As busway_reach_address() otherwise.
 */
bool reach_lookup(const struct busway_reach *reach, struct busway_range phys,
		  enum busway_access access, uint64_t *dma);

/*
 * The same off the hot path, by any way that @suits: where windows alias, and where parts of @phys
 * adjoin that allow more than @access, each another thing. Of several, the first window's. Where
 * the reach is neither .aliased nor .mixed, reach_lookup() knows all ways.
 */
bool reach_any_way(const struct busway_reach *reach, struct busway_range phys,
		   enum busway_access access, bool (*suits)(const void *ctx, uint64_t dma),
		   const void *ctx, uint64_t *dma);

/* A way to a run of memory: one stretch of addresses on the bus. */
struct way {
	uint64_t dma, phys_last;
	uint32_t rank; /* the place in line of the first window, where windows alias */
};

/*
 * Of the ways to @phys.first by which the bits of it that are in @low_bits (2^n - 1) are kept, the
 * one to take for @phys: the furthest, then the first window's. Where windows alias and segments
 * are limited, the furthest by one segment: taking that again and again is as few as there can be,
 * since from a later start no way ends earlier. False: there is none.
 */
bool reach_leading(const struct busway_reach *reach, struct busway_range phys,
		   enum busway_access access, const struct busway_segment_limits *limits,
		   uint64_t low_bits, struct way *best);

/* The last byte of @phys before another run begins. */
uint64_t reach_next_run(const struct busway_reach *reach, struct busway_range phys);

/* Cut @dma to the first segment that the device's limits allow. */
struct busway_range limit_segment(const struct busway_segment_limits *limits,
				  struct busway_range dma);

/* The last run that begins at or before @phys; run_count where none does. */
size_t reach_run_at(const struct busway_reach *reach, uint64_t phys);

/* The place in line of the window by which @run reaches @phys; 0 where nothing is aliased. */
uint32_t run_rank(const struct busway_reach *reach, const struct reach_run *run, uint64_t phys);

/* Why the memory @phys, all of it outside the reach, has no address. */
void explain_address(const struct busway_reach *reach, struct busway_range phys,
		     uint64_t size_less_one, enum busway_access access, struct busway_refusal *why);

/* Refuses a device that must bounce or is translated, with the advice that belongs to it. */
bool refuse_indirect(const struct busway_platform *platform, const struct busway_device *device,
		     struct busway_range phys, unsigned flags, struct busway_refusal *why);

/* The longest run of memory where a device may do @access; false where there is none. */
bool reach_longest(const struct busway_reach *reach, enum busway_access access,
		   struct busway_range *run);

#endif
