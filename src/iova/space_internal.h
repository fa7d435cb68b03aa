/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space_internal.h - what a space consists of. Read <busway/iova_space.h> first.
 *
 *   space.c     life, looking
 *   take.c      taking and giving back
 *   reserve.c   reservations
 *   refuse.c    why something is refused
 *   cache.c     caches, and the depot that they share: life, calling back
 *   cache_use.c taking from them, giving to them
 *   extents.c, search.c, hunt.c   the free extents; tree.c: what they are kept in
 *
 * Inside, addresses are numbers of granules; they become bytes at the public functions.
 */
#ifndef BUSWAY_IOVA_SPACE_INTERNAL_H
#define BUSWAY_IOVA_SPACE_INTERNAL_H

#include "extents.h"

#include "../pool/lock.h"

#include <busway/iova_space.h>

#define LOW_LAST ((uint64_t)UINT32_MAX) /* .prefer_low: below 4 GiB */

struct batch;

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
	uint64_t allowed_span; /* of the longest of them, less one */
	/* space lock, all below */
	struct lock lock;
	struct tree extents;
	struct tree reserved; /* first granule -> struct reservation */
	uint64_t free_count, reserved_count;
	size_t out;    /* ranges that will come back */
	size_t pieces; /* and of reservations */
	size_t double_frees;
	struct busway_iova_cache *caches;
	struct batch *depot[BUSWAY_IOVA_CACHED_GRANULES];
	struct batch *unused; /* batches of the depot with nothing in them */
	/* bytes: of that size nothing in the depot begins below; UINT64_MAX: there is nothing */
	uint64_t depot_lowest[BUSWAY_IOVA_CACHED_GRANULES];
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

/* A request in granules, but for the limit. False: it makes no sense. */
bool request_read(const struct busway_iova_space *space, const struct busway_iova_request *request,
		  struct wanted *w);

/* Would it rather have a place below 4 GiB, than just any? */
static inline bool prefers_low(const struct busway_iova_request *request)
{
	return request->prefer_low && (!request->last || request->last > LOW_LAST);
}

/* busway_iova_take() with the lock held; the limit in @w is set anew. */
int take_locked(struct busway_iova_space *space, const struct busway_iova_request *request,
		struct wanted *w, busway_dma_t *first, struct busway_refusal *why);

/* Below 4 GiB, also what is called back there. False: not to be had, or out of memory. */
bool take_low_locked(struct busway_iova_space *space, struct wanted *w, busway_dma_t *first);

/* Give granules back that are known to be out, or to be said so. */
int give_locked(struct busway_iova_space *space, struct busway_range granules,
		struct busway_refusal *why);

/* Nodes for @more entries more than there are, and can come back. */
int prepare_locked(struct busway_iova_space *space, size_t more);
void trim_locked(struct busway_iova_space *space);

/*
 * May @more extents come to be by giving back? There always are nodes for them, but in lean spaces
 * and after ranges came back in parts: then memory is asked for them.
 */
bool has_room_locked(struct busway_iova_space *space, size_t more);

/* ---- reserve.c ---- */

/* The first reservation that overlaps @granules; NULL: there is none. */
const struct reservation *reservation_in(const struct busway_iova_space *space,
					 struct busway_range granules);

/* Only their own memory: what they withheld stays as it is. */
void forget_reservations(struct busway_iova_space *space);

/* ---- cache.c ---- */

/* One with nothing in it; NULL: out of memory. */
struct batch *batch_create(const struct busway_allocator *memory);

/* Ranges are put back that caches and depot hold: those that begin at byte .last or before. */
struct calling {
	struct busway_iova_space *space;
	uint64_t last;
	size_t portion; /* ranges; at first 0 */
	size_t called;  /* of this portion */
	bool no_nodes;  /* memory for nodes ran out: the rest stays where it is */
	bool some;      /* was called back, in all portions */
};

/*
 * The next portion: twice as long as the one before, or somewhat longer. Of the depot also what
 * lies beyond .last may be put back. False: nothing was left, or there are no nodes.
 */
bool call_back_locked(struct calling *calling);

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
