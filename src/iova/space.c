/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space.c - a space comes and goes, and what is in it. Read space_internal.h first.
 */
#include "cache.h"

#define GRANULE_USUAL ((uint64_t)4096)

static bool in_order(const struct busway_intervals *allowed)
{
	for (size_t i = 0; i < allowed->count; i++) {
		const struct busway_range run = allowed->runs[i];

		if (run.first > run.last)
			return false;
		if (i && (allowed->runs[i - 1].last == UINT64_MAX ||
			  run.first <= allowed->runs[i - 1].last + 1))
			return false;
	}
	return true;
}

/* The whole granules of @bytes; false: it holds none. */
static bool whole_granules(const struct busway_iova_space *space, struct busway_range bytes,
			   struct busway_range *granules)
{
	const uint64_t mask = ((uint64_t)1 << space->shift) - 1;
	uint64_t first = granule_of(space, bytes.first), last = granule_of(space, bytes.last);

	if (bytes.first & mask) {
		if (first == granule_of(space, UINT64_MAX))
			return false;
		first++;
	}
	if ((bytes.last & mask) != mask) {
		if (last == 0)
			return false;
		last--;
	}
	*granules = (struct busway_range){first, last};
	return first <= last;
}

static int copy_allowed(struct busway_iova_space *space, const struct busway_intervals *allowed,
			bool use_ends)
{
	const uint64_t end = granule_of(space, UINT64_MAX);
	struct busway_intervals *own = &space->allowed;
	struct busway_range granules;
	int status = 0;

	for (size_t i = 0; i < allowed->count && !status; i++)
		if (whole_granules(space, allowed->runs[i], &granules))
			status = busway_intervals_add(own, granules);
	if (!status && !use_ends)
		status = busway_intervals_remove(own, (struct busway_range){0, 0});
	if (!status && !use_ends)
		status = busway_intervals_remove(own, (struct busway_range){end, end});
	if (!status && !busway_intervals_bytes(own, &space->allowed_count))
		status = -BUSWAY_EINVAL;
	for (size_t i = 0; i < own->count && !status; i++)
		if (busway_range_span(own->runs[i]) > space->allowed_span)
			space->allowed_span = busway_range_span(own->runs[i]);
	return status;
}

static int fill_extents(struct busway_iova_space *space)
{
	const struct busway_intervals *allowed = &space->allowed;
	struct busway_range overlap;

	for (size_t i = 0; i < allowed->count; i++) {
		if (tree_prepare_few(&space->extents, 1))
			return -BUSWAY_ENOMEM;
		extents_give(&space->extents, allowed->runs[i], &overlap);
	}
	space->free_count = space->allowed_count;
	return 0;
}

static void give_batches(struct busway_iova_space *space)
{
	while (space->unused) {
		struct batch *batch = space->unused;

		space->unused = batch->next;
		space->memory->free(space->memory->ctx, batch, sizeof(*batch),
				    _Alignof(struct batch));
	}
}

static int take_batches(struct busway_iova_space *space, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct batch *batch = batch_create(space->memory);

		if (!batch)
			return -BUSWAY_ENOMEM;
		batch->next = space->unused;
		space->unused = batch;
	}
	return 0;
}

static void discard(struct busway_iova_space *space)
{
	give_batches(space);
	tree_destroy(&space->extents);
	tree_destroy(&space->reserved);
	busway_intervals_clear(&space->allowed);
	space->memory->free(space->memory->ctx, space, sizeof(*space),
			    _Alignof(struct busway_iova_space));
}

static int fill(struct busway_iova_space *space, const struct busway_intervals *allowed,
		const struct busway_iova_options *options)
{
	int status = tree_create(&space->extents, false, space->memory);

	if (!status)
		status = tree_create(&space->reserved, true, space->memory);
	if (!status)
		status = copy_allowed(space, allowed, options->use_ends);
	if (!status)
		status = fill_extents(space);
	return status ? status : take_batches(space, options->depot_batches);
}

int busway_iova_space_create(const struct busway_intervals *allowed, const struct busway_iova *set,
			     const struct busway_iova_options *options,
			     const struct busway_allocator *memory, struct busway_iova_space **out)
{
	const struct busway_iova_options usual = {0};
	struct busway_iova_space *space;
	uint64_t granule;
	int status;

	options = options ? options : &usual;
	granule = options->granule ? options->granule : GRANULE_USUAL;
	if (!busway_is_power_of_two(granule) || !in_order(allowed))
		return -BUSWAY_EINVAL;
	space = memory->alloc(memory->ctx, sizeof(*space), _Alignof(struct busway_iova_space));
	if (!space)
		return -BUSWAY_ENOMEM;
	*space = (struct busway_iova_space){
		.memory = memory,
		.name = options->name ? options->name : "IOVA space",
		.set = set,
		.shift = (unsigned)__builtin_ctzll(granule),
		.lean = options->lean,
		.search_max = options->search_max ? options->search_max : UINT64_MAX,
		.lock = LOCK_INIT,
	};
	memset(space->depot_lowest, 0xff, sizeof(space->depot_lowest));
	busway_intervals_init(&space->allowed, memory);
	status = fill(space, allowed, options);
	if (status)
		discard(space);
	else
		*out = space;
	return status;
}

int busway_iova_space_destroy(struct busway_iova_space *space)
{
	struct calling calling = {.space = space, .last = UINT64_MAX};

	if (!space)
		return 0;
	if (space->caches)
		return -BUSWAY_EBUSY;
	/* the depot; nobody else is here any more */
	while (call_back_locked(&calling))
		;
	if (space->free_count + space->reserved_count != space->allowed_count)
		return calling.no_nodes ? -BUSWAY_ENOMEM : -BUSWAY_EBUSY;
	forget_reservations(space);
	discard(space);
	return 0;
}

/* ---- looking ---- */

void busway_iova_space_census(struct busway_iova_space *space, struct busway_iova_census *census)
{
	uint64_t longest = 0, taken;
	bool some;

	lock_take(&space->lock);
	some = extents_longest(&space->extents, UINT64_MAX, &longest);
	*census = (struct busway_iova_census){
		.granule = (uint64_t)1 << space->shift,
		.allowed = space->allowed_count,
		.free = space->free_count,
		.reserved = space->reserved_count,
		.cached = cached_locked(space),
		.longest = some ? longest + 1 : 0,
		.extents = space->extents.count,
		.reservations = space->reserved.count,
		.ranges = space->out,
		.double_frees = space->double_frees,
		.node_bytes = tree_bytes(&space->extents),
	};
	taken = census->allowed - census->free - census->reserved;
	/* what was given back twice may be cached twice */
	census->live = census->cached < taken ? taken - census->cached : 0;
	lock_give(&space->lock);
}

bool busway_iova_next_allowed(const struct busway_iova_space *space, uint64_t from,
			      struct busway_range *range)
{
	const size_t i = busway_intervals_find(&space->allowed, granule_of(space, from));

	if (i == space->allowed.count)
		return false;
	*range = bytes_of(space, space->allowed.runs[i]);
	return true;
}

bool busway_iova_next_free(struct busway_iova_space *space, uint64_t from,
			   struct busway_range *range)
{
	bool found;

	lock_take(&space->lock);
	found = extents_at(&space->extents, granule_of(space, from), range);
	lock_give(&space->lock);
	if (found)
		*range = bytes_of(space, *range);
	return found;
}

void busway_iova_space_flush(struct busway_iova_space *space)
{
	struct calling calling = {.space = space, .last = UINT64_MAX};

	lock_take(&space->lock);
	while (call_back_locked(&calling))
		;
	trim_locked(space);
	lock_give(&space->lock);
}
