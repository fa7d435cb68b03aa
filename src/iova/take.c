/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.c - taking ranges out of a space, and giving them back. Read space_internal.h first.
 */
#include "space_internal.h"

static uint64_t low_bits(uint64_t power_of_two, unsigned shift)
{
	return power_of_two >> shift ? (power_of_two >> shift) - 1 : 0;
}

bool request_read(const struct busway_iova_space *space, const struct busway_iova_request *request,
		  struct wanted *w)
{
	if (!request->size || request->align & (request->align - 1) ||
	    request->boundary & (request->boundary - 1))
		return false;
	w->span = granule_of(space, request->size - 1);
	w->align = low_bits(request->align, space->shift);
	w->boundary = request->boundary ? low_bits(request->boundary, space->shift) : UINT64_MAX;
	w->start_last = UINT64_MAX;
	/* a multiple of the boundary lies inside any granule, then: no place serves */
	if (request->boundary && request->size > request->boundary)
		w->span += w->span <= w->boundary;
	return true;
}

/* Apply the limit: all of the last granule must lie below it. False: nothing does. */
static bool limit(const struct busway_iova_space *space, uint64_t last, struct wanted *w)
{
	const struct busway_intervals *allowed = &space->allowed;
	uint64_t granule = granule_of(space, last);

	w->start_last = UINT64_MAX;
	if (!allowed->count || granule > allowed->runs[allowed->count - 1].last)
		return true;
	if (last_byte_of(space, granule) > last && granule-- == 0)
		return false;
	if (granule < w->span)
		return false;
	if (granule < allowed->runs[allowed->count - 1].last)
		w->start_last = granule - w->span;
	return true;
}

/*
 * Two extents are parted by something that is out, by a reservation, or by what is not allowed.
 * While k of the ranges come back, each makes one extent more at most, and there is one less to
 * part them: so there are never more than half of extents and what parts them, together.
 */
static size_t extents_at_most(const struct busway_iova_space *space, size_t more)
{
	const size_t extents = space->extents.count;
	size_t parting = space->out + space->pieces + space->allowed.count;

	/* where ranges came back in parts, more is out than was counted */
	if (parting < extents)
		parting = extents;
	return (extents + parting + more) / 2 + 1;
}

int prepare_locked(struct busway_iova_space *space, size_t more)
{
	if (space->lean)
		return tree_prepare_few(&space->extents, more);
	return tree_prepare(&space->extents, extents_at_most(space, more));
}

bool has_room_locked(struct busway_iova_space *space, size_t more)
{
	struct tree *extents = &space->extents;

	return extents->count + more <= extents->covered || tree_prepare_few(extents, more) == 0;
}

void trim_locked(struct busway_iova_space *space)
{
	if (space->lean)
		tree_trim_few(&space->extents);
	else
		tree_trim(&space->extents, extents_at_most(space, 2));
}

/* Again, with each portion that is called back from below @last. */
static int find_again(struct busway_iova_space *space, struct wanted *w, uint64_t last,
		      struct tree_path *path, uint64_t *start, bool *all)
{
	struct calling calling = {.space = space, .last = last};
	const struct tree *extents = &space->extents;

	w->most = 0; /* the long search only when all is back */
	while (call_back_locked(&calling))
		if (extents_search(extents, w, path, start, all))
			return 0;
	w->most = space->search_max;
	if (calling.some && extents_search(extents, w, path, start, all))
		return 0;
	return calling.no_nodes ? -BUSWAY_ENOMEM : -BUSWAY_ERANGE;
}

/*
 * Search below @last, and again with what is called back from there. *all: see extents_search().
 * -BUSWAY_ERANGE: there is no place. -BUSWAY_ENOMEM: nor may it be called back.
 */
static int find(struct busway_iova_space *space, struct wanted *w, uint64_t last,
		struct tree_path *path, uint64_t *start, bool *all)
{
	*all = true;
	w->most = space->search_max;
	/* not even if everything were free */
	if (!limit(space, last, w) || w->span > space->allowed_span || w->span > w->boundary)
		return -BUSWAY_ERANGE;
	if (extents_search(&space->extents, w, path, start, all))
		return 0;
	return find_again(space, w, last, path, start, all);
}

/* Take @granules out of the extent at @path. After calling back, which uses up nodes. */
static int take_found(struct busway_iova_space *space, struct tree_path *path,
		      struct busway_range granules)
{
	/* one entry more now, and one when it comes back */
	if (prepare_locked(space, 2))
		return -BUSWAY_ENOMEM;
	extents_take(&space->extents, path, granules);
	space->free_count -= busway_range_span(granules) + 1;
	space->out++;
	return 0;
}

/* Below @last. -BUSWAY_ERANGE: there is no place, without a reason yet. */
static int take_below(struct busway_iova_space *space, struct wanted *w, uint64_t last,
		      busway_dma_t *first, bool *all)
{
	struct tree_path path;
	uint64_t start;
	int status = find(space, w, last, &path, &start, all);

	if (status)
		return status;
	status = take_found(space, &path, (struct busway_range){start, start + w->span});
	if (!status)
		*first = busway_dma(start << space->shift);
	return status;
}

bool take_low_locked(struct busway_iova_space *space, struct wanted *w, busway_dma_t *first)
{
	bool all;

	return take_below(space, w, LOW_LAST, first, &all) == 0;
}

int take_locked(struct busway_iova_space *space, const struct busway_iova_request *request,
		struct wanted *w, busway_dma_t *first, struct busway_refusal *why)
{
	const uint64_t last = request->last ? request->last : UINT64_MAX;
	bool all;
	int status;

	if (prefers_low(request) && take_low_locked(space, w, first))
		return 0;
	status = take_below(space, w, last, first, &all);
	return status == -BUSWAY_ERANGE ? refuse_take(space, request, w, all, why) : status;
}

int busway_iova_take(struct busway_iova_space *space, const struct busway_iova_request *request,
		     busway_dma_t *first, struct busway_refusal *why)
{
	struct wanted w;
	int status;

	if (!request_read(space, request, &w))
		return -BUSWAY_EINVAL;
	lock_take(&space->lock);
	status = take_locked(space, request, &w, first, why);
	lock_give(&space->lock);
	return status;
}

/* Most spaces have few holes, and many none. */
static bool is_allowed(const struct busway_iova_space *space, struct busway_range granules)
{
	if (space->allowed.count == 1)
		return busway_range_within(granules, space->allowed.runs[0]);
	return busway_intervals_holds(&space->allowed, granules);
}

/* Was some of @granules never to be had, or reserved? */
static bool is_withheld(const struct busway_iova_space *space, struct busway_range granules)
{
	return !is_allowed(space, granules) ||
	       (space->reserved.count && reservation_in(space, granules));
}

/* ---- at a given place ---- */

static int take_at_locked(struct busway_iova_space *space, struct busway_range granules,
			  struct busway_refusal *why)
{
	struct calling calling = {.space = space, .last = last_byte_of(space, granules.last)};
	struct tree *extents = &space->extents;
	struct tree_path path;

	if (is_withheld(space, granules))
		return refuse_at(space, granules, why);
	while (!extents_hold(extents, granules))
		if (!call_back_locked(&calling))
			return calling.no_nodes ? -BUSWAY_ENOMEM : refuse_at(space, granules, why);
	tree_find(extents, granules.first, &path);
	return take_found(space, &path, granules);
}

int busway_iova_take_at(struct busway_iova_space *space, struct busway_dma_range range,
			struct busway_refusal *why)
{
	const struct busway_range bytes = busway_dma_raw(range);
	const struct busway_range granules = {granule_of(space, bytes.first),
					      granule_of(space, bytes.last)};
	int status;

	if (bytes.first > bytes.last || bytes_of(space, granules).first != bytes.first ||
	    bytes_of(space, granules).last != bytes.last)
		return -BUSWAY_EINVAL;
	lock_take(&space->lock);
	status = take_at_locked(space, granules, why);
	lock_give(&space->lock);
	return status;
}

/* ---- giving back ---- */

int give_locked(struct busway_iova_space *space, struct busway_range granules,
		struct busway_refusal *why)
{
	struct busway_range overlap;
	int status;

	if (is_withheld(space, granules))
		return refuse_give(space, granules, NULL, why);
	status = extents_give(&space->extents, granules, &overlap);
	/* what was taken as a whole has its nodes; a part, or in a lean space: */
	if (status == -BUSWAY_ENOMEM && tree_prepare_few(&space->extents, 1) == 0)
		status = extents_give(&space->extents, granules, &overlap);
	if (status == -BUSWAY_ERANGE)
		return refuse_give(space, granules, &overlap, why);
	if (status)
		return status;
	space->free_count += busway_range_span(granules) + 1;
	space->out -= space->out != 0;
	return 0;
}

int busway_iova_give(struct busway_iova_space *space, struct busway_dma_range range,
		     struct busway_refusal *why)
{
	const struct busway_range granules = {granule_of(space, range.first.raw),
					      granule_of(space, range.last.raw)};
	int status;

	if (range.first.raw > range.last.raw || granules.first << space->shift != range.first.raw)
		return -BUSWAY_EINVAL;
	lock_take(&space->lock);
	status = give_locked(space, granules, why);
	lock_give(&space->lock);
	return status;
}
