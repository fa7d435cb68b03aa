/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space_internal.h - what a space consists of. Read <busway/iova_space.h> first.
 *
 *   space.c     life, looking
 *   take.c      taking and giving back
 *   reserve.c   reservations
 *   refuse.c    why something is refused
 *   cache.c     caches, and the depot that they share
 *   extents.c, search.c   the free extents; tree.c: what they are kept in
 *
 * Inside, addresses are numbers of granules; they become bytes at the public functions.
 */
#ifndef BUSWAY_IOVA_SPACE_INTERNAL_H
#define BUSWAY_IOVA_SPACE_INTERNAL_H

#include "extents.h"
#include "slot.h"

#include <busway/iova_space.h>

enum { SIZES = BUSWAY_IOVA_CACHED_GRANULES };

/* Ranges of one size. Those in .slot from .count on are empty; some before may be. */
struct batch {
	struct batch *next;     /* in the depot: space lock */
	_Atomic uint32_t count; /* written by the owner */
	struct slot slot[BUSWAY_IOVA_BATCH];
};

/* What a cache has of one size. .at changes under the space lock only. */
struct bin {
	struct batch *at[2];
	struct batch *in_use; /* one of them; of the owner */
	struct batch *other;
};

struct busway_iova_cache {
	struct busway_iova_space *space;
	unsigned shift;
	struct busway_range inside; /* of the space, from the first to the last allowed granule */
	struct lock lock;           /* of slots, where slot.h wants one */
	struct busway_iova_cache *next; /* space lock */
	struct bin bins[SIZES];
};

struct reservation {
	struct busway_range range; /* granules */
	const char *by;
	uint64_t taken; /* granules of it that are allowed */
	size_t pieces;  /* allowed ranges that it lies in */
};

struct busway_iova_space {
	const struct busway_allocator *memory;
	const char *name;
	const struct busway_iova *set;
	unsigned shift; /* a granule is 1 << shift bytes */
	bool lean;
	uint64_t search_max;
	struct busway_intervals allowed; /* granules; set once, then read freely */
	uint64_t allowed_count;
	/* space lock, all below */
	struct lock lock;
	struct tree extents;
	struct tree reserved; /* first granule -> struct reservation */
	uint64_t free_count, reserved_count;
	size_t out;    /* ranges that will come back */
	size_t pieces; /* and of reservations */
	size_t double_frees;
	struct busway_iova_cache *caches;
	struct batch *depot[SIZES];
	struct batch *unused; /* batches of the depot with nothing in them */
};

static inline uint64_t granule_of(const struct busway_iova_space *space, uint64_t address)
{
	return address >> space->shift;
}

static inline uint64_t last_byte_of(const struct busway_iova_space *space, uint64_t granule)
{
	return granule << space->shift | (((uint64_t)1 << space->shift) - 1);
}

static inline struct busway_range bytes_of(const struct busway_iova_space *space,
					   struct busway_range granules)
{
	return (struct busway_range){granules.first << space->shift,
				     last_byte_of(space, granules.last)};
}

static inline struct reservation *reservation_at(const struct tree_path *path)
{
	return (struct reservation *)(uintptr_t)path_value(path);
}

/* ---- take.c ---- */

/* A request in granules. False: it makes no sense. */
bool request_read(const struct busway_iova_space *space, const struct busway_iova_request *request,
		  struct wanted *w);

/* busway_iova_take() with the lock held. */
int take_locked(struct busway_iova_space *space, const struct busway_iova_request *request,
		const struct wanted *w, busway_dma_t *first, struct busway_refusal *why);

/* Give granules back that are known to be out, or to be said so. */
int give_locked(struct busway_iova_space *space, struct busway_range granules,
		struct busway_refusal *why);

/* Nodes for @more entries more than there are, and can come back. */
int prepare_locked(struct busway_iova_space *space, size_t more);
void trim_locked(struct busway_iova_space *space);

/* ---- reserve.c ---- */

/* The first reservation that overlaps @granules; NULL: there is none. */
const struct reservation *reservation_in(const struct busway_iova_space *space,
					 struct busway_range granules);

/* ---- cache.c ---- */

/* One with nothing in it; NULL: out of memory. */
struct batch *batch_create(const struct busway_allocator *memory);

/* Put back what caches and depot hold. False: they held nothing. */
bool call_back_locked(struct busway_iova_space *space);

uint64_t cached_locked(const struct busway_iova_space *space);

/* ---- refuse.c: all return -BUSWAY_ERANGE; @why may be NULL ---- */

int refuse_take(const struct busway_iova_space *space, const struct busway_iova_request *request,
		const struct wanted *w, bool all, struct busway_refusal *why);

/* Some of @granules is not free: which, and why? */
int refuse_at(const struct busway_iova_space *space, struct busway_range granules,
	      struct busway_refusal *why);

/* Some of @granules cannot be given back: it is free (@overlap), reserved, or was never allowed. */
int refuse_give(const struct busway_iova_space *space, struct busway_range granules,
		const struct busway_range *overlap, struct busway_refusal *why);

#endif
