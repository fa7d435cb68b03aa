/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group.c - which IOVAs all devices of a group can use. Read <busway/iova_space.h> first.
 */
#include <busway/iova_space.h>

#include "../base/bytes.h"
#include "../base/sort.h"

static void give_removed(struct busway_iova *iova)
{
	if (iova->removed)
		iova->memory_->free(iova->memory_->ctx, iova->removed,
				    iova->removed_capacity_ * sizeof(*iova->removed),
				    _Alignof(struct busway_iova_removed));
}

/* Room for @more that are removed. */
static int make_room(struct busway_iova *iova, size_t more)
{
	const size_t wanted = iova->removed_count + more;
	const size_t capacity =
		wanted < 2 * iova->removed_capacity_ ? 2 * iova->removed_capacity_ : wanted;
	struct busway_iova_removed *grown;

	if (wanted <= iova->removed_capacity_)
		return 0;
	grown = iova->memory_->alloc(iova->memory_->ctx, capacity * sizeof(*grown),
				     _Alignof(struct busway_iova_removed));
	if (!grown)
		return -BUSWAY_ENOMEM;
	if (iova->removed_count)
		memcpy(grown, iova->removed, iova->removed_count * sizeof(*grown));
	give_removed(iova);
	iova->removed = grown;
	iova->removed_capacity_ = capacity;
	return 0;
}

static int take_away(struct busway_iova *iova, struct busway_range range,
		     enum busway_iova_cause cause, const char *by)
{
	if (make_room(iova, 1))
		return -BUSWAY_ENOMEM;
	iova->removed[iova->removed_count++] = (struct busway_iova_removed){range, cause, by};
	return busway_intervals_remove(&iova->allowed, range);
}

/* Only what is allowed to both. */
static int merge(struct busway_iova *iova, const struct busway_iova *other)
{
	int status = make_room(iova, other->removed_count);

	if (status)
		return status;
	if (other->removed_count)
		memcpy(iova->removed + iova->removed_count, other->removed,
		       other->removed_count * sizeof(*other->removed));
	iova->removed_count += other->removed_count;
	return busway_intervals_intersect(&iova->allowed, &other->allowed);
}

/* Doorbells that answer on the bus where the device is, before any IOMMU. */
static int remove_doorbells(struct busway_iova *iova, const struct busway_platform *platform,
			    const struct busway_device *device)
{
	const struct busway_region *regions;
	int status = 0;
	size_t count;

	if (device->dma.enters.index == BUSWAY_CPU_SPACE.index)
		return 0;
	regions = busway_platform_regions(platform, &count);
	for (size_t i = 0; i < count && !status; i++)
		if (regions[i].kind == BUSWAY_REGION_DOORBELL &&
		    regions[i].space.index == device->dma.enters.index)
			status = take_away(iova, regions[i].range, BUSWAY_IOVA_DOORBELL,
					   regions[i].name);
	return status;
}

static int add_member(struct busway_iova *iova, const struct busway_platform *platform,
		      const struct busway_iova_member *member)
{
	struct busway_iova one;
	int status =
		busway_iova_build(platform, member->device, member->emission, iova->memory_, &one);

	if (status)
		return status;
	status = merge(iova, &one);
	busway_iova_free(&one);
	return status ? status
		      : remove_doorbells(iova, platform,
					 busway_platform_device(platform, member->device));
}

/* What lies between the ranges of a report. */
static int add_report(struct busway_iova *iova, const struct busway_iova_report *report)
{
	uint64_t next = 0;
	int status = 0;

	for (size_t i = 0; i < report->count && !status; i++) {
		const struct busway_range range = report->ranges[i];

		if (range.first > range.last || range.first < next)
			return -BUSWAY_EINVAL;
		if (range.first > next)
			status = take_away(iova, (struct busway_range){next, range.first - 1},
					   BUSWAY_IOVA_REPORTED, report->by);
		if (range.last == UINT64_MAX)
			return i + 1 == report->count ? status : -BUSWAY_EINVAL;
		next = range.last + 1;
	}
	return status ? status
		      : take_away(iova, (struct busway_range){next, UINT64_MAX},
				  BUSWAY_IOVA_REPORTED, report->by);
}

static bool comes_before(const void *a, const void *b)
{
	const struct busway_iova_removed *x = a, *y = b;

	if (x->range.first != y->range.first)
		return x->range.first < y->range.first;
	if (x->range.last != y->range.last)
		return x->range.last < y->range.last;
	return x->cause != y->cause ? x->cause < y->cause : (uintptr_t)x->by < (uintptr_t)y->by;
}

/* Members that share a bridge say the same. */
static void drop_repeated(struct busway_iova *iova)
{
	size_t kept = 0;

	sort(iova->removed, iova->removed_count, sizeof(*iova->removed), comes_before);
	for (size_t i = 0; i < iova->removed_count; i++)
		if (!kept || comes_before(&iova->removed[kept - 1], &iova->removed[i]))
			iova->removed[kept++] = iova->removed[i];
	iova->removed_count = kept;
}

int busway_iova_build_group(const struct busway_platform *platform,
			    const struct busway_iova_member *members, size_t member_count,
			    const struct busway_iova_report *reports, size_t report_count,
			    const struct busway_allocator *memory, struct busway_iova *out)
{
	struct busway_iova iova = {.memory_ = memory};
	int status;

	if (!member_count)
		return -BUSWAY_EINVAL;
	busway_intervals_init(&iova.allowed, memory);
	status = busway_intervals_add(&iova.allowed, BUSWAY_RANGE_ALL);
	for (size_t i = 0; i < member_count && !status; i++)
		status = add_member(&iova, platform, &members[i]);
	for (size_t i = 0; i < report_count && !status; i++)
		status = add_report(&iova, &reports[i]);
	if (status) {
		busway_iova_free(&iova);
		return status;
	}
	drop_repeated(&iova);
	*out = iova;
	return 0;
}

const struct busway_iova_removed *busway_iova_removed_by(const struct busway_iova *iova,
							 struct busway_range range)
{
	for (size_t i = 0; i < iova->removed_count; i++)
		if (busway_range_overlaps(iova->removed[i].range, range))
			return &iova->removed[i];
	return NULL;
}
