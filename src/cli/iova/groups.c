/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - which devices share a domain, and which IOVAs all of them can use.
 *
 * What an IOMMU cannot tell apart shares a domain (../streams.c), and then an IOVA must be good for
 * all of it. On a machine the groups that its kernel has made share one besides.
 */
#include "../streams.h"
#include "iova.h"

#include <stdlib.h>

static const struct busway_device *device_at(const struct loaded *loaded, busway_device_id id)
{
	return busway_platform_device(loaded->platform, id);
}

/* ---- groups ---- */

/* May it be in a group without being named? */
static bool may_join(const struct busway_device *device, const struct options *options)
{
	return device->behind_iommu && (device->enabled || options->all) &&
	       (device->likely_master || options->all);
}

/*
 * A bridge stands for functions that the tree does not list: where their IDs differ, each has one
 * of its own, and is asked for by that (pcie@40000000:00:01.0). What iommu-map leaves out is behind
 * the IOMMU only if its bus got another number, and so did those that the map has.
 */
static bool stands_apart(const struct streams *streams)
{
	const struct busway_device *device = streams->seen_as;

	if (device->kind == BUSWAY_DEVICE_PCI_FUNCTION)
		return device->has_requester && !device->translated_always &&
		       !busway_id_map_hits(device->iommu, device->iommu_count, false,
					   device->requester);
	return streams->one_of && !device->is_bridge_itself &&
	       (device->kind == BUSWAY_DEVICE_PCIE_HOST || device->kind == BUSWAY_DEVICE_PCI_HOST);
}

/* A chip behind a function has that function's ID, whichever it is. */
static bool share(const struct streams *a, const struct streams *b)
{
	return a->seen_as == b->seen_as ||
	       (!stands_apart(a) && !stands_apart(b) && streams_meet(a, b));
}

/* Those that share a stream with a member become members, too. */
static void let_join(const struct loaded *loaded, const struct options *options,
		     const struct streams *streams, struct iova_group *group, bool *taken)
{
	const size_t all = busway_platform_device_count(loaded->platform);

	for (size_t i = 0; i < group->count; i++) {
		const uint32_t at = group->devices[i].index;

		if (!device_at(loaded, group->devices[i])->behind_iommu)
			continue;
		for (uint32_t j = 0; j < all; j++) {
			if (taken[j] ||
			    !may_join(device_at(loaded, (busway_device_id){j}), options) ||
			    !(share(&streams[at], &streams[j]) ||
			      share_iommu_group(loaded, group->devices[i], (busway_device_id){j})))
				continue;
			taken[j] = true;
			group->devices[group->count++] = (busway_device_id){j};
		}
	}
}

/* The IDs of every device, by index; streams_free() it. NULL after a complaint. */
static struct streams *find_streams(const struct loaded *loaded)
{
	const size_t all = busway_platform_device_count(loaded->platform);
	struct streams *streams = calloc(all + 1, sizeof(*streams));

	for (uint32_t i = 0; streams && i < all; i++)
		if (!streams_of(loaded, (busway_device_id){i}, &streams[i])) {
			streams_free(streams, i + 1);
			streams = NULL;
		}
	if (!streams)
		complain("out of memory");
	return streams;
}

/* One that has no member yet, and room for all devices. NULL: no memory. */
static struct iova_group *open_group(struct iova_groups *groups, size_t devices)
{
	struct iova_group *group = &groups->list[groups->count];

	*group = (struct iova_group){.devices = calloc(devices + 1, sizeof(*group->devices)),
				     .iova = {.memory_ = &cli_memory}};
	busway_intervals_init(&group->iova.allowed, &cli_memory);
	groups->count += group->devices != NULL;
	return group->devices ? group : NULL;
}

/* Room for what nobody joined is given back. */
static void close_group(struct iova_group *group)
{
	busway_device_id *less = realloc(group->devices, (group->count + 1) * sizeof(*less));

	if (less)
		group->devices = less;
}

/* What all members can use. */
static bool allow(const struct loaded *loaded, const struct options *options,
		  const struct reports *reports, struct iova_group *group)
{
	static const struct busway_emission everything = {0};
	struct busway_iova_member *members = calloc(2 * group->count + 1, sizeof(*members));
	struct busway_emission *emissions = calloc(group->count + 1, sizeof(*emissions));
	int status = -BUSWAY_ENOMEM;
	size_t count = 0;

	for (size_t i = 0; members && emissions && i < group->count; i++) {
		emissions[i] = emission_for(loaded, group->devices[i], options->mask);
		members[count++] = (struct busway_iova_member){group->devices[i], &emissions[i]};
		/* and what limits the function in front of it, but for its mask */
		if (function_in_front(loaded, group->devices[i], &members[count].device))
			members[count++].emission = &everything;
	}
	if (members && emissions)
		status = busway_iova_build_group(loaded->platform, members, count, reports->list,
						 reports->count, &cli_memory, &group->iova);
	free(members);
	free(emissions);
	if (status)
		complain("%s: a group of devices: %s", loaded->source,
			 status == -BUSWAY_E2BIG ? "more holes than are kept" : "out of memory");
	return !status;
}

/* The devices that are named, as one group. */
static bool join_named(const struct loaded *loaded, const struct options *options, const char *list,
		       struct iova_group *group, bool *taken)
{
	enum { NAMED_MAX = 256 };
	busway_device_id named[NAMED_MAX];
	const int count = find_devices(loaded, list, options, named, NAMED_MAX);
	struct streams *streams = count > 0 ? find_streams(loaded) : NULL;
	const bool ok = streams;

	for (int i = 0; i < count; i++) {
		if (!taken[named[i].index])
			group->devices[group->count++] = named[i];
		taken[named[i].index] = true;
	}
	group->named = group->count;
	if (ok)
		let_join(loaded, options, streams, group, taken);
	streams_free(streams, busway_platform_device_count(loaded->platform));
	return ok;
}

/* Each device behind an IOMMU, with those that it shares a stream with. False: out of memory. */
static bool join_each(const struct loaded *loaded, const struct options *options,
		      const struct streams *streams, struct iova_groups *groups, bool *taken)
{
	const size_t all = busway_platform_device_count(loaded->platform);

	for (uint32_t i = 0; i < all; i++) {
		struct iova_group *group;

		if (taken[i] || !may_join(device_at(loaded, (busway_device_id){i}), options))
			continue;
		group = open_group(groups, all);
		if (!group)
			return false;
		taken[i] = true;
		group->devices[group->count++] = (busway_device_id){i};
		let_join(loaded, options, streams, group, taken);
		group->named = group->count;
		close_group(group);
	}
	return true;
}

static bool join_all(const struct loaded *loaded, const struct options *options,
		     struct iova_groups *groups, bool *taken)
{
	struct streams *streams = find_streams(loaded);
	const bool ok = streams && join_each(loaded, options, streams, groups, taken);

	if (streams && !ok)
		complain("out of memory");
	streams_free(streams, busway_platform_device_count(loaded->platform));
	return ok;
}

static bool find_groups(const struct loaded *loaded, const struct options *options,
			const char *list, struct iova_groups *groups)
{
	/* what is named may be a function that is new to the platform */
	const size_t room = busway_platform_device_count(loaded->platform) + 512;
	bool *taken = calloc(room, sizeof(*taken));
	bool ok = false;

	groups->list = calloc(list ? 1 : room, sizeof(*groups->list));
	if (!taken || !groups->list || (list && !open_group(groups, room)))
		complain("out of memory");
	else
		ok = list ? join_named(loaded, options, list, groups->list, taken)
			  : join_all(loaded, options, groups, taken);
	free(taken);
	return ok;
}

bool make_groups(const struct loaded *loaded, const struct options *options, const char *list,
		 struct iova_groups *groups)
{
	bool ok;

	*groups = (struct iova_groups){0};
	ok = read_reports(options, &groups->reports) && find_groups(loaded, options, list, groups);
	for (size_t i = 0; ok && i < groups->count; i++)
		ok = allow(loaded, options, &groups->reports, &groups->list[i]);
	if (!ok)
		free_groups(groups);
	return ok;
}

void free_groups(struct iova_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		busway_iova_free(&groups->list[i].iova);
		free(groups->list[i].devices);
	}
	free(groups->list);
	free_reports(&groups->reports);
	*groups = (struct iova_groups){0};
}
