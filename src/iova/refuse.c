/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuse.c - why a space refuses. Read space_internal.h first.
 */
#include "space_internal.h"

/* @granules as bytes; what 64 bits cannot hold is told as the most that they can. */
static uint64_t size_of(const struct busway_iova_space *space, uint64_t granules)
{
	return granules > UINT64_MAX >> space->shift ? UINT64_MAX : granules << space->shift;
}

static void advise(struct busway_refusal *why, struct busway_advice advice)
{
	if (why->advice_count < BUSWAY_ADVICE_MAX)
		why->advice[why->advice_count++] = advice;
}

static void advise_on_take(const struct busway_iova_space *space, const struct wanted *w,
			   struct busway_refusal *why)
{
	struct wanted anywhere = *w;
	struct tree_path path;
	uint64_t start;
	bool all;

	anywhere.start_last = UINT64_MAX;
	anywhere.most = 1; /* no long search for mere advice */
	if (extents_search(&space->extents, &anywhere, &path, &start, &all))
		advise(why, (struct busway_advice){
				    .kind = BUSWAY_ADVISE_NEAREST,
				    .bus_addresses = true,
				    .range = bytes_of(
					    space, (struct busway_range){start, start + w->span}),
			    });
	if (why->pool.longest && why->pool.longest < why->needed)
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_SMALLER,
						   .size = why->pool.longest});
}

int refuse_take(const struct busway_iova_space *space, const struct busway_iova_request *request,
		const struct wanted *w, bool all, struct busway_refusal *why)
{
	const uint64_t last = request->last ? request->last : UINT64_MAX;
	const uint64_t whole = last_byte_of(space, granule_of(space, last));
	uint64_t below = granule_of(space, last), longest = 0;
	bool some = whole <= last || below-- != 0;

	if (!why)
		return -BUSWAY_ERANGE;
	some = some && extents_longest(&space->extents, below, &longest);
	*why = (struct busway_refusal){
		.reason = !all ? BUSWAY_IOVA_SEARCH_CUT
			  : space->free_count && space->free_count - 1 >= w->span
				  ? BUSWAY_IOVA_NO_RUN
				  : BUSWAY_IOVA_FULL,
		.hop = space->name,
		.bus_addresses = true,
		.asked = {0, request->size - 1},
		.limit = {0, last},
		.has_limit = true,
		.needed = request->size,
		.pool = {.size = size_of(space, space->allowed_count),
			 .used = size_of(space, space->allowed_count - space->free_count),
			 .longest = some ? size_of(space, longest + 1) : 0},
	};
	advise_on_take(space, w, why);
	return -BUSWAY_ERANGE;
}

static int tell(const struct busway_iova_space *space, enum busway_reason reason,
		struct busway_range asked, struct busway_range limit, const char *by,
		struct busway_refusal *why)
{
	if (!why)
		return -BUSWAY_ERANGE;
	*why = (struct busway_refusal){
		.reason = reason,
		.hop = space->name,
		.by = by,
		.bus_addresses = true,
		.asked = bytes_of(space, asked),
		.limit = bytes_of(space, limit),
		.has_limit = true,
	};
	return -BUSWAY_ERANGE;
}

/* The part of @granules that is not allowed, first of all; who took it away? */
static int tell_not_allowed(const struct busway_iova_space *space, struct busway_range granules,
			    struct busway_refusal *why)
{
	const struct busway_intervals *allowed = &space->allowed;
	struct busway_range part = granules;
	size_t i = busway_intervals_find(allowed, part.first);
	const struct busway_iova_removed *removed;

	if (i < allowed->count && allowed->runs[i].first <= part.first)
		part.first = allowed->runs[i++].last + 1;
	if (i < allowed->count && allowed->runs[i].first <= part.last)
		part.last = allowed->runs[i].first - 1;
	removed = space->set ? busway_iova_removed_by(space->set, bytes_of(space, part)) : NULL;
	return tell(space, BUSWAY_IOVA_NOT_ALLOWED, granules, part, removed ? removed->by : NULL,
		    why);
}

int refuse_at(const struct busway_iova_space *space, struct busway_range granules,
	      struct busway_refusal *why)
{
	const struct reservation *reserved = reservation_in(space, granules);
	struct busway_range part = granules, extent;

	if (!busway_intervals_holds(&space->allowed, granules))
		return tell_not_allowed(space, granules, why);
	if (reserved)
		return tell(space, BUSWAY_IOVA_WITHHELD, granules, reserved->range, reserved->by,
			    why);
	/* up to where it is free, and on to the next free extent */
	if (extents_at(&space->extents, part.first, &extent) && extent.first <= part.first)
		part.first = extent.last + 1;
	if (extents_at(&space->extents, part.first, &extent) && extent.first <= part.last)
		part.last = extent.first - 1;
	return tell(space, BUSWAY_IOVA_TAKEN, granules, part, NULL, why);
}

int refuse_give(const struct busway_iova_space *space, struct busway_range granules,
		const struct busway_range *overlap, struct busway_refusal *why)
{
	const struct reservation *reserved;

	if (overlap) /* also without the lock */
		return tell(space, BUSWAY_IOVA_NOT_TAKEN, granules, *overlap, NULL, why);
	reserved = reservation_in(space, granules);
	if (!reserved)
		return tell_not_allowed(space, granules, why);
	return tell(space, BUSWAY_IOVA_WITHHELD, granules, reserved->range, reserved->by, why);
}
