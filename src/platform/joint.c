/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * joint.c - memory that several devices can all reach.
 *
 * For each device, the set of first bytes from which the wanted size is one run; then what is
 * common to all of these sets. The lowest address in it that suits everybody's alignment and
 * boundaries is the answer.
 */
#include "reach_internal.h"

#include <busway/intervals.h>

struct joint {
	struct busway_sharer *sharers;
	size_t count;
	uint64_t size, align;
	const struct busway_allocator *memory;
};

static const struct busway_device *device_of(const struct busway_sharer *sharer)
{
	return busway_platform_device(sharer->reach->platform, sharer->reach->device);
}

static const struct busway_pool *pool_of(const struct busway_sharer *sharer)
{
	const struct busway_device *device = device_of(sharer);

	return device->restricted_pool == UINT32_MAX
		       ? NULL
		       : pool_at(sharer->reach->platform, device->restricted_pool);
}

/* First bytes from which the device reaches the whole size as one run. */
static int starts_of(const struct joint *j, const struct busway_sharer *sharer,
		     struct busway_intervals *starts)
{
	const struct busway_pool *pool = pool_of(sharer);
	int status = 0;

	for (size_t i = 0; i < sharer->reach->run_count && status == 0; i++) {
		const struct reach_run *run = &sharer->reach->runs[i];
		struct busway_range r = {run->phys_first, run->phys_last};

		if (run->access != BUSWAY_READ_WRITE)
			continue;
		if (pool &&
		    (pool->dynamic || pool->empty || !busway_range_common(r, pool->range, &r)))
			continue;
		if (busway_range_holds(r, j->size))
			status = busway_intervals_add(
				starts, (struct busway_range){r.first, r.last - (j->size - 1)});
	}
	return status;
}

/* Take away the first bytes from which the memory would touch @avoid. */
static int avoid_range(const struct joint *j, struct busway_range avoid,
		       struct busway_intervals *starts)
{
	avoid.first = avoid.first > j->size - 1 ? avoid.first - (j->size - 1) : 0;
	return busway_intervals_remove(starts, avoid);
}

static bool in_a_pool(const struct joint *j, struct busway_range range)
{
	for (size_t i = 0; i < j->count; i++) {
		const struct busway_pool *pool = pool_of(&j->sharers[i]);

		if (pool && !pool->dynamic && !pool->empty &&
		    busway_range_overlaps(pool->range, range))
			return true;
	}
	return false;
}

static int common_starts(const struct joint *j, const struct busway_range *avoid,
			 size_t avoid_count, struct busway_intervals *starts)
{
	int status = starts_of(j, &j->sharers[0], starts);

	for (size_t i = 1; i < j->count && status == 0; i++) {
		struct busway_intervals more;

		busway_intervals_init(&more, j->memory);
		status = starts_of(j, &j->sharers[i], &more);
		if (status == 0)
			status = busway_intervals_intersect(starts, &more);
		busway_intervals_clear(&more);
	}
	for (size_t i = 0; i < avoid_count && status == 0; i++)
		if (!in_a_pool(j, avoid[i]))
			status = avoid_range(j, avoid[i], starts);
	return status;
}

/* Where @phys stands for the device, not across its boundary; else the next place to try. */
static bool suits(const struct joint *j, const struct busway_sharer *sharer, uint64_t phys,
		  busway_dma_t *dma, uint64_t *next)
{
	const struct busway_reach *reach = sharer->reach;
	const uint64_t boundary = device_of(sharer)->segments.boundary;
	uint64_t nearest = UINT64_MAX;

	for (size_t i = 0; i < reach->run_count; i++) {
		const struct reach_run *run = &reach->runs[i];
		uint64_t at, end;

		if (!run_holds(run, (struct busway_range){phys, phys + (j->size - 1)},
			       BUSWAY_READ_WRITE))
			continue;
		at = run->dma_first + (phys - run->phys_first);
		end = boundary ? at | (boundary - 1) : UINT64_MAX;
		if (end - at >= j->size - 1) {
			*dma = busway_dma(at);
			return true;
		}
		if (end - at < nearest)
			nearest = end - at;
	}
	*next = phys > UINT64_MAX - 1 - nearest ? UINT64_MAX : phys + nearest + 1;
	return false;
}

/*
 * From @at on, up to which first byte do the same runs of all devices serve? Alignments and
 * boundaries are powers of two, so between these edges what suits repeats itself.
 */
static uint64_t same_runs_until(const struct joint *j, uint64_t at, uint64_t last)
{
	for (size_t i = 0; i < j->count; i++) {
		const struct busway_reach *reach = j->sharers[i].reach;

		for (size_t k = 0; k < reach->run_count; k++) {
			const struct reach_run *run = &reach->runs[k];
			uint64_t end; /* the last first byte that this run serves */

			if (!busway_range_holds(
				    (struct busway_range){run->phys_first, run->phys_last},
				    j->size))
				continue;
			end = run->phys_last - (j->size - 1);
			if (run->phys_first > at && run->phys_first - 1 < last)
				last = run->phys_first - 1;
			if (end >= at && end < last)
				last = end;
		}
	}
	return last;
}

/* Is the boundary of this device above @limit? 0 is no limit. */
static bool is_above(const struct busway_sharer *sharer, uint64_t limit)
{
	return limit && device_of(sharer)->segments.boundary > limit;
}

/*
 * Try the places from @range.first on, while the same runs serve. Only devices with a boundary of
 * @limit or less are asked; 0: all of them.
 */
static bool place_between(const struct joint *j, struct busway_range range, uint64_t limit,
			  uint64_t *phys)
{
	uint64_t period = j->align; /* after that, those who refused so far refuse again */
	uint64_t at = range.first;

	for (;;) {
		uint64_t next = at;
		busway_dma_t dma;
		size_t i = 0;

		if (!busway_align_up(at, j->align, &at) || at > range.last)
			return false;
		while (i < j->count && (is_above(&j->sharers[i], limit) ||
					suits(j, &j->sharers[i], at, &dma, &next)))
			i++;
		if (i == j->count) {
			*phys = at;
			return true;
		}
		if (device_of(&j->sharers[i])->segments.boundary > period)
			period = device_of(&j->sharers[i])->segments.boundary;
		if (next <= at || next - range.first > period)
			return false;
		at = next;
	}
}

/* The least boundary of a device that is above @boundary; 0: there is none. */
static uint64_t next_boundary(const struct joint *j, uint64_t boundary)
{
	uint64_t least = 0;

	for (size_t i = 0; i < j->count; i++) {
		const uint64_t b = device_of(&j->sharers[i])->segments.boundary;

		if (b > boundary && (!least || b < least))
			least = b;
	}
	return least;
}

/*
 * Is there a place for the devices of the least boundary, then of the next one...? Each answer
 * costs a period of that boundary at most: a small one that never suits is not tried again and
 * again up to the end of a large one.
 */
static bool may_have_place(const struct joint *j, struct busway_range range)
{
	uint64_t at;

	for (uint64_t b = next_boundary(j, 0); b; b = next_boundary(j, b))
		if (!place_between(j, range, b, &at))
			return false;
	return true;
}

/* Try the places in one run of starts, in order. */
static bool place_in(const struct joint *j, struct busway_range starts, uint64_t *phys)
{
	for (;;) {
		const struct busway_range part = {starts.first,
						  same_runs_until(j, starts.first, starts.last)};

		if (may_have_place(j, part) && place_between(j, part, 0, phys))
			return true;
		if (part.last == starts.last)
			return false;
		starts.first = part.last + 1;
	}
}

static void hand_out(const struct joint *j, uint64_t at, busway_phys_t *phys)
{
	uint64_t next;

	for (size_t i = 0; i < j->count; i++)
		suits(j, &j->sharers[i], at, &j->sharers[i].dma, &next);
	*phys = busway_phys(at);
}

static int refuse_joint(const struct joint *j, enum busway_reason reason,
			struct busway_refusal *why)
{
	const struct busway_platform *platform = j->sharers[0].reach->platform;

	/* nobody in particular refuses: it is what they share of the memory that is not enough */
	*why = (struct busway_refusal){
		.reason = reason,
		.hop = space_entry(platform, BUSWAY_CPU_SPACE)->space.name,
		.asked = {0, j->size - 1},
	};
	return -BUSWAY_ERANGE;
}

/* Is there a place? Then @at is it. */
static int find_place(const struct joint *j, const struct busway_range *avoid, size_t avoid_count,
		      bool *found, uint64_t *at)
{
	struct busway_intervals starts;
	int status;

	*found = false;
	busway_intervals_init(&starts, j->memory);
	status = common_starts(j, avoid, avoid_count, &starts);
	for (size_t i = 0; i < starts.count && status == 0 && !*found; i++)
		*found = place_in(j, starts.runs[i], at);
	busway_intervals_clear(&starts);
	return status;
}

/* There is no place: for how much less would there be one? What suits less suits still less. */
static int explain_joint(const struct joint *j, const struct busway_range *avoid,
			 size_t avoid_count, struct busway_refusal *why)
{
	struct joint less = *j;
	uint64_t fits = 0, fails = j->size, at, best = 0;

	while (fails - fits > 1) {
		bool found;
		int status;

		less.size = fits + (fails - fits) / 2;
		status = find_place(&less, avoid, avoid_count, &found, &at);
		if (status)
			return status;
		if (found) {
			fits = less.size;
			best = at;
		} else {
			fails = less.size;
		}
	}
	refuse_joint(j, fits ? BUSWAY_NO_ROOM : BUSWAY_NO_JOINT_MEMORY, why);
	if (fits) {
		why->has_limit = true;
		why->limit = (struct busway_range){best, best + (fits - 1)};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_SMALLER, .size = fits});
	}
	return -BUSWAY_ERANGE;
}

/* The longest single segment that the device takes; 0: any. */
static uint64_t segment_max(const struct busway_segment_limits *limits)
{
	if (!limits->max_size || (limits->boundary && limits->boundary < limits->max_size))
		return limits->boundary;
	return limits->max_size;
}

/* Is there memory whose place is known? A restricted pool with an address is, whatever else is. */
static bool place_known(const struct joint *j)
{
	return busway_platform_memory_known(j->sharers[0].reach->platform) ||
	       in_a_pool(j, BUSWAY_RANGE_ALL);
}

/* Things that no address can mend: an IOMMU, segment sizes, unknown memory. */
static int refuse_early(const struct joint *j, unsigned flags, struct busway_refusal *why)
{
	const struct busway_platform *platform = j->sharers[0].reach->platform;

	if (!place_known(j)) {
		refuse_joint(j, BUSWAY_UNKNOWN_MEMORY, why);
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_MEMORY_NODE});
		return -BUSWAY_ERANGE;
	}
	for (size_t i = 0; i < j->count; i++) {
		const struct busway_device *device = device_of(&j->sharers[i]);
		const uint64_t max = segment_max(&device->segments);
		struct busway_device translated = *device;

		if (!pool_of(&j->sharers[i]) || pool_of(&j->sharers[i])->valid)
			translated.restricted_pool = UINT32_MAX; /* its pool serves here */
		if (refuse_indirect(platform, &translated, (struct busway_range){0, j->size - 1},
				    flags, why))
			return -BUSWAY_ERANGE;
		if (max && j->size > max) {
			refuse_joint(j, BUSWAY_SEGMENT_LIMITS, why);
			why->hop = device->name;
			advise(why,
			       (struct busway_advice){.kind = BUSWAY_ADVISE_SMALLER, .size = max});
			return -BUSWAY_ERANGE;
		}
	}
	return 0;
}

int busway_joint_address(struct busway_sharer *sharers, size_t count, uint64_t size, uint64_t align,
			 const struct busway_range *avoid, size_t avoid_count, unsigned flags,
			 const struct busway_allocator *memory, busway_phys_t *phys,
			 struct busway_refusal *why)
{
	const struct joint j = {sharers, count, size, align, memory};
	struct busway_refusal own_why;
	bool found = false;
	uint64_t at = 0;
	int status;

	if (!why)
		why = &own_why;
	if (!count || !size || !busway_is_power_of_two(align))
		return -BUSWAY_EINVAL;
	status = refuse_early(&j, flags, why);
	if (status)
		return status;
	status = find_place(&j, avoid, avoid_count, &found, &at);
	if (status == 0 && !found)
		status = explain_joint(&j, avoid, avoid_count, why);
	else if (status == 0)
		hand_out(&j, at, phys);
	return status;
}
