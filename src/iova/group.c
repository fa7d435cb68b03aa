/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group.c - which IOVAs all devices of a group can use. Read <busway/iova_space.h> first.
 */
#include <busway/iova_space.h>

#include "../base/bytes.h"
#include "../base/sort.h"
#include "../platform/iova_internal.h"

/* Only what is allowed to both. */
static int merge(struct busway_iova *iova, const struct busway_iova *other)
{
	int status = iova_make_room(iova, other->removed_count);

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
			status = iova_take_away(iova, regions[i].range, BUSWAY_IOVA_DOORBELL,
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

static int add_report(struct busway_iova *iova, const struct busway_iova_report *report)
{
	for (size_t i = 0; i < report->count; i++)
		if (report->ranges[i].first > report->ranges[i].last ||
		    (i && report->ranges[i].first <= report->ranges[i - 1].last))
			return -BUSWAY_EINVAL;
	return iova_take_outside(iova, report->ranges, report->count, BUSWAY_IOVA_REPORTED,
				 report->by);
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
