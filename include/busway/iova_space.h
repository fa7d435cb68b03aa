/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_space.h - hand out I/O virtual addresses, out of those that are allowed.
 *
 *   struct busway_iova_set    which addresses a group of devices may use, and who took the others
 *   struct busway_iova_space  what of them is free
 *   struct busway_iova_cache  what one thread keeps for itself of small ranges
 *
 * Read <busway/iova.h> first for where the holes come from. A space knows free ranges only: for a
 * range that is out it keeps no record, and what is given back is named by address and size. What
 * is mapped where is another question: <busway/iova_map.h>.
 *
 * Addresses are in bytes. A space counts in granules, the smallest page of the IOMMU: sizes are
 * rounded up to whole granules, and allowed ranges are cut down to them.
 *
 * Bounds, for e free extents (e is at most the ranges that are out, plus holes, plus 1):
 *   take, unaligned    5 leaves of the tree are looked at, with the nodes above them. Where no
 *                      extent below the limit is 1024 times what is wanted: 64 of each of two
 *                      classes of length, and fewer where one fits exactly
 *   take, aligned or   2 leaves for each class of length in which it may fit (4 for lengths up to
 *     with a boundary  16 granules), and one where it must. Before it is refused: all extents
 *                      of the lengths between, or as many as options.search_max says
 *   take_at, give      O(log e)
 *   reserve, release   O(log e) for each allowed range inside the reservation
 *
 * A tree of a million extents has 5 or 6 levels; a leaf has 11 to 24 extents.
 *
 * A call that would be refused first calls back what caches and depot hold (see
 * busway_iova_cache_create), in portions of 61 ranges, 122, 244 and so on: it goes on with what has
 * come back as soon as that is enough. That is O(log e) for each range, which was given since the
 * last time: a full depot makes one call as long as options.depot_batches allows. Nothing is looked
 * at twice in vain: the next refusal takes a look at each cache and each size, and at the slots,
 * 3904 at most, of a cache that was given something since which begins below the limit. Where not
 * even a space with nothing out would serve, nothing is called back.
 *
 * Placement: where nothing is that long, the shortest extent of those looked at, and the lowest of
 * them. That refuses no more than a search of all extents would; with alignment it may.
 *
 * Memory: 18 to 46 bytes a free extent, in nodes of 416 and 840 bytes. Where options.lean is not
 * set, there also are nodes for as many extents as could come to be while everything that is out
 * comes back one by one, which is half of the extents and of the ranges that are out: all nodes
 * together are 23 bytes for each of them at most. That is why giving back cannot fail.
 *
 * Threads: a space may be used by any number of threads, a cache by one at a time. Calls that say
 * so lock the space, for one operation; what a cache serves takes no lock.
 */
#ifndef BUSWAY_IOVA_SPACE_H
#define BUSWAY_IOVA_SPACE_H

#include <busway/iova.h>
#include <busway/refusal.h>

struct busway_iova_space;
struct busway_iova_cache;

/* ---- which addresses are allowed ------------------------------------------------------- */

/* A range that something outside the platform forbids, or the only ones that it allows. */
struct busway_iova_report {
	const struct busway_range *ranges; /* sorted, disjoint: as VFIO and iommufd report them */
	size_t count;
	const char *by; /* who says so; outlives the set */
};

/* A member of the group, and what limits it beyond the platform. */
struct busway_iova_member {
	busway_device_id device;
	const struct busway_emission *emission; /* NULL: what the platform says */
};

/**
 * busway_iova_build_group() - the IOVAs that every device of a group can use
 * @members, @member_count: the devices that share a domain; at least one
 * @reports, @report_count: more that limits them: only what every report has is allowed. May be
 *                          NULL where there are none
 * @out:                    as busway_iova_build(), for all of them; give it back with
 *                          busway_iova_free()
 *
 * Every range that somebody takes away stands in .removed with who it was, also where somebody else
 * takes it away, too. An MSI doorbell that answers on a device's own bus is a hole, as apertures
 * are: the write never reaches the IOMMU.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM, -BUSWAY_E2BIG. Threads: any number.
 */
int busway_iova_build_group(const struct busway_platform *platform,
			    const struct busway_iova_member *members, size_t member_count,
			    const struct busway_iova_report *reports, size_t report_count,
			    const struct busway_allocator *memory, struct busway_iova *out);

/* Who took @range, or some of it, away: the first of .removed that does; NULL: nobody. */
const struct busway_iova_removed *busway_iova_removed_by(const struct busway_iova *iova,
							 struct busway_range range);

/* ---- a space --------------------------------------------------------------------------- */

struct busway_iova_options {
	uint64_t granule; /* bytes, a power of two; 0: 4096 */
	const char *name; /* in refusals; outlives the space; NULL: "IOVA space" */
	/* hand out the granule of address 0, and the last one of the 64-bit space: both look like
	 * "none" to somebody, so they are kept back by default */
	bool use_ends;
	/* keep no nodes ready beyond the next call: giving back may ask for memory, and may fail */
	bool lean;
	/* how many extents are looked at before an aligned range is refused; 0: all. With a limit
	 * here, a refusal may be wrong, and says so. */
	uint32_t search_max;
	/* batches of the depot that caches share, of 61 ranges and 512 bytes each; 0: none */
	uint32_t depot_batches;
};

/**
 * busway_iova_space_create() - a space in which everything that is allowed is free
 * @allowed: sorted, disjoint, not adjoining; those of busway_iova_build_group(). Copied.
 * @set:     where refusals look up who took a range away; NULL: nobody knows. Outlives the space.
 * @options: NULL: all zero
 * @memory:  outlives the space; asked under the lock of the space, by takes and reservations, and
 * by gives of a lean one
 *
 * Return: 0; -BUSWAY_ENOMEM; -BUSWAY_EINVAL: a granule that is no power of two, ranges that are not
 * in order, or 2^64 granules, whose number 64 bits cannot hold.
 */
int busway_iova_space_create(const struct busway_intervals *allowed, const struct busway_iova *set,
			     const struct busway_iova_options *options,
			     const struct busway_allocator *memory, struct busway_iova_space **out);

/* -BUSWAY_EBUSY while something is out, or a cache is not destroyed; -BUSWAY_ENOMEM: no nodes for
 * what the depot holds (see busway_iova_give). It goes on as it was, then. @space may be NULL. */
int busway_iova_space_destroy(struct busway_iova_space *space);

/* What is wanted. All zero but .size asks for any place at all. */
struct busway_iova_request {
	uint64_t size;     /* bytes, 1 or more */
	uint64_t align;    /* of the first byte; a power of two; 0 and 1: a granule is enough */
	uint64_t boundary; /* a power of two; no multiple of it lies inside the range; 0: none */
	uint64_t last;     /* the highest address that may be used; 0: any */
	/* below 4 GiB if there is room, also by what caches hold there, else anywhere below .last
	 */
	bool prefer_low;
};

/**
 * busway_iova_take() - a range of free addresses
 * @first: its first byte; it has request->size bytes, rounded up to granules
 * @why:   the reason of a refusal; may be NULL. Written where the result is -BUSWAY_ERANGE
 *
 * The range lies in an extent that is about as short as any that serves, as low in it as can be.
 *
 * Return: 0; -BUSWAY_EINVAL: a size of 0, an alignment or a boundary that is no power of two;
 * -BUSWAY_ENOMEM: no nodes; -BUSWAY_ERANGE: iova-full, iova-no-run or iova-search-cut; @why says
 * how long the longest run is, and which place without the limit would do (what caches keep is not
 * free there, where calling it back could not help). Nothing is remembered of a refusal. Threads:
 * any number; locks the space.
 */
int busway_iova_take(struct busway_iova_space *space, const struct busway_iova_request *request,
		     busway_dma_t *first, struct busway_refusal *why);

/**
 * busway_iova_take_at() - just this range, if it is free
 * @range: whole granules. For a mapping at the buffer's own virtual address, say.
 *
 * Return: 0; -BUSWAY_EINVAL: no whole granules; -BUSWAY_ENOMEM; -BUSWAY_ERANGE:
 * iova-not-allowed, iova-reserved or iova-taken, with the part of @range that it is about.
 * Threads: any number; locks the space.
 */
int busway_iova_take_at(struct busway_iova_space *space, struct busway_dma_range range,
			struct busway_refusal *why);

/**
 * busway_iova_give() - give back what was taken
 * @range: as it was taken: its last byte may be anywhere in its last granule
 *
 * Cannot fail for a range that is out, given back as a whole (see options.lean). In parts it may:
 * each part more than there were takes wants a place of its own, and may use up that of a range
 * which comes back behind it.
 *
 * Return: 0; -BUSWAY_EINVAL: it does not begin at a granule; -BUSWAY_ERANGE: iova-not-taken (some
 * of it is free already), iova-reserved or iova-not-allowed (some of it never was to be had);
 * -BUSWAY_ENOMEM: see above. Nothing changes where it fails. Threads: any number; locks the space.
 */
int busway_iova_give(struct busway_iova_space *space, struct busway_dma_range range,
		     struct busway_refusal *why);

/* ---- reservations ---------------------------------------------------------------------- */

/**
 * busway_iova_reserve() - take @range out of what can be handed out, on behalf of @by
 * @range: whole granules are taken. It may cover addresses that never were allowed.
 * @by:    not copied; outlives the reservation
 *
 * Return: 0; -BUSWAY_EINVAL: @range is none; -BUSWAY_ENOMEM; -BUSWAY_ERANGE: iova-taken, with the
 * first run of @range that is out, or iova-reserved, with the reservation that overlaps it and who
 * made it. Threads: any number; locks the space.
 */
int busway_iova_reserve(struct busway_iova_space *space, struct busway_range range, const char *by,
			struct busway_refusal *why);

/* Give a reservation back: any address of it names it. -BUSWAY_EINVAL: nothing is reserved there;
 * -BUSWAY_ENOMEM: only in a lean space, or after ranges came back in parts. It is reserved still,
 * then. Threads: any number; locks the space. */
int busway_iova_release(struct busway_iova_space *space, uint64_t address);

/* ---- looking --------------------------------------------------------------------------- */

/*
 * In granules. allowed = free + reserved + cached + live, but where caches hold what was given back
 * twice; exact while nobody changes anything.
 */
struct busway_iova_census {
	uint64_t granule; /* bytes */
	uint64_t allowed, free, reserved, cached, live;
	uint64_t longest; /* free extent */
	size_t extents, reservations;
	size_t ranges; /* that are out, in parts as they are to be given back; cached ones too */
	size_t double_frees; /* found when caches were called back; dropped */
	size_t node_bytes;   /* of the caller's memory, for extents and for what must come back */
};

void busway_iova_space_census(struct busway_iova_space *space, struct busway_iova_census *census);

/*
 * The allowed range, the free extent, or the reservation that holds @from, or else the first one
 * behind it. False: there is none. Go on behind .last. For allowed ranges: never a lock.
 */
bool busway_iova_next_allowed(const struct busway_iova_space *space, uint64_t from,
			      struct busway_range *range);
bool busway_iova_next_free(struct busway_iova_space *space, uint64_t from,
			   struct busway_range *range);
bool busway_iova_next_reserved(struct busway_iova_space *space, uint64_t from,
			       struct busway_range *range, const char **by);

/* ---- caches ---------------------------------------------------------------------------- */

enum {
	BUSWAY_IOVA_CACHED_GRANULES = 32, /* ranges of up to so many are cached, by exact size */
	BUSWAY_IOVA_BATCH = 61            /* ranges in a batch */
};

/**
 * busway_iova_cache_create() - what one thread keeps of small ranges
 *
 * For each size up to 32 granules two batches: 35 KiB of memory. What it can strand: 2 batches of
 * 61 ranges of each size it deals in, and options.depot_batches batches in all caches' depot; no
 * more, and none of it when somebody else would be refused: what begins below that one's limit is
 * called back before that; of the depot, whatever is of the same size as well.
 *
 * Return: 0, -BUSWAY_ENOMEM. Threads: any number; locks the space.
 */
int busway_iova_cache_create(struct busway_iova_space *space, struct busway_iova_cache **out);

/*
 * Gives back what it holds; what there are no nodes for (see busway_iova_give) is left to the
 * depot, and called back from there. The thread that uses the cache has ended or does not use it
 * any more. @cache may be NULL.
 */
void busway_iova_cache_destroy(struct busway_iova_cache *cache);

/*
 * As busway_iova_take() and busway_iova_give(), by way of the cache. A range may be taken by one
 * cache and given by another, or without any. What is given to a cache is not looked at: of a range
 * that is given back twice the second time is found only if it is the last that was given, or
 * later, when the cache is called back. A map (<busway/iova_map.h>) finds it at once. Hold caches
 * and the space to ranges that the map has let go.
 *
 * Threads: one at a time for each cache.
 */
int busway_iova_cache_take(struct busway_iova_cache *cache,
			   const struct busway_iova_request *request, busway_dma_t *first,
			   struct busway_refusal *why);
int busway_iova_cache_give(struct busway_iova_cache *cache, struct busway_dma_range range,
			   struct busway_refusal *why);

/* Call back what all caches and the depot hold, and give spare nodes back to the allocator. What
 * there are no nodes for (see busway_iova_give) stays where it is. */
void busway_iova_space_flush(struct busway_iova_space *space);

#endif
