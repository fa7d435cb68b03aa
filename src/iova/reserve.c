/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reserve.c - ranges that somebody withholds for a time. Read space_internal.h first.
 *
 *   allowed      [=========]    [======]
 *   reservation       [------------]         its pieces: where both are
 */
#include "space_internal.h"

static bool overlaps(const struct tree_path *path, struct busway_range granules)
{
	return busway_range_overlaps(reservation_at(path)->range, granules);
}

const struct reservation *reservation_in(const struct busway_iova_space *space,
					 struct busway_range granules)
{
	struct tree_path path;

	if (!space->reserved.count)
		return NULL;
	if (tree_find(&space->reserved, granules.first, &path)) {
		if (overlaps(&path, granules))
			return reservation_at(&path);
		if (!tree_next(&space->reserved, &path))
			return NULL;
	}
	return overlaps(&path, granules) ? reservation_at(&path) : NULL;
}

/* Piece after piece, from *at on. */
static bool next_piece(const struct busway_iova_space *space, struct busway_range granules,
		       size_t *at, struct busway_range *piece)
{
	return *at < space->allowed.count &&
	       busway_range_common(space->allowed.runs[(*at)++], granules, piece);
}

/* How much of it is allowed; and is it free? If not, @piece is one that is not. */
static bool measure(const struct busway_iova_space *space, struct reservation *r,
		    struct busway_range *piece)
{
	size_t at = busway_intervals_find(&space->allowed, r->range.first);

	r->pieces = 0;
	r->taken = 0;
	while (next_piece(space, r->range, &at, piece)) {
		if (!extents_hold(&space->extents, *piece))
			return false;
		r->taken += busway_range_span(*piece) + 1;
		r->pieces++;
	}
	return true;
}

static void take_pieces(struct busway_iova_space *space, const struct reservation *r)
{
	size_t at = busway_intervals_find(&space->allowed, r->range.first);
	struct busway_range piece;
	struct tree_path path;

	while (next_piece(space, r->range, &at, &piece)) {
		tree_find(&space->extents, piece.first, &path);
		extents_take(&space->extents, &path, piece);
	}
	space->pieces += r->pieces;
	space->free_count -= r->taken;
	space->reserved_count += r->taken;
}

static void give_pieces(struct busway_iova_space *space, const struct reservation *r)
{
	size_t at = busway_intervals_find(&space->allowed, r->range.first);
	struct busway_range piece, overlap;

	while (next_piece(space, r->range, &at, &piece)) /* see has_room_locked() */
		extents_give(&space->extents, piece, &overlap);
	space->pieces -= r->pieces;
	space->free_count += r->taken;
	space->reserved_count -= r->taken;
}

static int reserve_locked(struct busway_iova_space *space, struct reservation *r,
			  struct busway_refusal *why)
{
	struct calling calling = {.space = space, .last = last_byte_of(space, r->range.last)};
	struct busway_range piece;
	bool is_free;

	/* who has reserved some of it says more than who took it away before */
	if (reservation_in(space, r->range))
		return refuse_give(space, r->range, NULL, why);
	is_free = measure(space, r, &piece);
	while (!is_free && call_back_locked(&calling))
		is_free = measure(space, r, &piece);
	if (!is_free)
		return calling.no_nodes ? -BUSWAY_ENOMEM : refuse_at(space, piece, why);
	/* each piece may be one entry more now, and one when it comes back */
	if (tree_prepare_few(&space->reserved, 1) || prepare_locked(space, 2 * r->pieces))
		return -BUSWAY_ENOMEM;
	take_pieces(space, r);
	tree_put(&space->reserved, r->range.first, (uintptr_t)r);
	return 0;
}

static void forget(const struct busway_iova_space *space, struct reservation *r)
{
	space->memory->free(space->memory->ctx, r, sizeof(*r), _Alignof(struct reservation));
}

int busway_iova_reserve(struct busway_iova_space *space, struct busway_range range, const char *by,
			struct busway_refusal *why)
{
	struct reservation *r;
	int status;

	if (range.first > range.last)
		return -BUSWAY_EINVAL;
	lock_take(&space->lock);
	r = space->memory->alloc(space->memory->ctx, sizeof(*r), _Alignof(struct reservation));
	if (r)
		*r = (struct reservation){
			.range = {granule_of(space, range.first), granule_of(space, range.last)},
			.by = by,
		};
	status = r ? reserve_locked(space, r, why) : -BUSWAY_ENOMEM;
	if (r && status)
		forget(space, r);
	lock_give(&space->lock);
	return status;
}

/* How many extents more there will be: one for each piece with nothing free beside it. */
static size_t extents_after(const struct busway_iova_space *space, const struct reservation *r)
{
	size_t at = busway_intervals_find(&space->allowed, r->range.first), alone = 0;
	struct busway_range piece, extent;

	while (next_piece(space, r->range, &at, &piece))
		alone += !extents_at(&space->extents, piece.first ? piece.first - 1 : 0, &extent) ||
			 !(busway_range_adjoins(extent, piece) ||
			   busway_range_adjoins(piece, extent));
	return alone;
}

static int release_locked(struct busway_iova_space *space, uint64_t granule)
{
	struct reservation *r;
	struct tree_path path;

	if (!tree_find(&space->reserved, granule, &path) ||
	    reservation_at(&path)->range.last < granule)
		return -BUSWAY_EINVAL;
	r = reservation_at(&path);
	if (!has_room_locked(space, extents_after(space, r)))
		return -BUSWAY_ENOMEM;
	give_pieces(space, r);
	tree_remove(&space->reserved, &path);
	tree_trim_few(&space->reserved);
	forget(space, r);
	return 0;
}

void forget_reservations(struct busway_iova_space *space)
{
	struct tree_path path;

	if (!space->reserved.count)
		return;
	tree_find(&space->reserved, 0, &path);
	do
		forget(space, reservation_at(&path));
	while (tree_next(&space->reserved, &path));
}

int busway_iova_release(struct busway_iova_space *space, uint64_t address)
{
	int status;

	lock_take(&space->lock);
	status = release_locked(space, granule_of(space, address));
	lock_give(&space->lock);
	return status;
}

bool busway_iova_next_reserved(struct busway_iova_space *space, uint64_t from,
			       struct busway_range *range, const char **by)
{
	const struct reservation *r;

	lock_take(&space->lock);
	r = reservation_in(space, (struct busway_range){granule_of(space, from), UINT64_MAX});
	if (r) {
		*range = bytes_of(space, r->range);
		*by = r->by;
	}
	lock_give(&space->lock);
	return r != NULL;
}
