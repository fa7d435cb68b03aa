/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - devices behind IOMMUs: who shares an address space, and the domain of each group.
 *
 *   devices with a stream ID in common --> group --> domain: IOVAs that all of them can use,
 *                                                    tables in simulated memory
 *
 * Who shares with whom is asked of the devices that take part. Bridges of conventional PCI, which
 * make one ID of several functions, and functions that reach each other without the IOMMU, are not
 * told by a device tree: such functions are taken for apart. Of a machine its kernel's groups tell.
 */
#include "../streams.h"
#include "sim.h"

#include <stdlib.h>

/* Ranges that wait for one invalidation together. */
enum { DEFERRED = 256 };

/* ---- who shares ---- */

/* Functions of one IOMMU group, as a machine's kernel has them. */
static bool share_domain(const struct scene *scene, const struct streams *streams, size_t a,
			 size_t b)
{
	return streams[a].count && streams[b].count &&
	       share_iommu_group(&scene->loaded, scene->actors[a].id, scene->actors[b].id);
}

/* Actors by the number of the first one of their group; NULL: no memory. */
static size_t *find_groups(const struct scene *scene, const struct streams *streams)
{
	size_t *first = calloc(scene->count, sizeof(*first));

	for (size_t i = 0; first && i < scene->count; i++) {
		first[i] = i;
		for (size_t j = 0; j < i; j++) {
			const size_t from = first[i] > first[j] ? first[i] : first[j];
			const size_t to = first[i] > first[j] ? first[j] : first[i];

			if (from == to || !(streams_meet(&streams[i], &streams[j]) ||
					    share_domain(scene, streams, i, j)))
				continue;
			for (size_t k = 0; k <= i; k++)
				if (first[k] == from)
					first[k] = to;
		}
	}
	return first;
}

/* The IDs of all actors for which an IOMMU can be served; streams_free() it. */
static struct streams *find_streams(const struct scene *scene)
{
	struct streams *streams = calloc(scene->count + 1, sizeof(*streams));

	for (size_t i = 0; streams && i < scene->count; i++) {
		const busway_device_id id = scene->actors[i].id;

		if (streams_iommu(&scene->loaded,
				  busway_platform_device(scene->loaded.platform, id)) &&
		    !streams_of(&scene->loaded, id, &streams[i])) {
			streams_free(streams, i + 1);
			return NULL;
		}
	}
	return streams;
}

static bool form_groups(struct scene *scene)
{
	struct streams *streams = find_streams(scene);
	size_t *first = streams ? find_groups(scene, streams) : NULL;

	scene->groups = calloc(scene->count, sizeof(*scene->groups));
	for (size_t i = 0; first && scene->groups && i < scene->count; i++) {
		struct actor *actor = &scene->actors[i];

		if (!streams[i].count)
			continue;
		if (first[i] == i) {
			actor->group = &scene->groups[scene->group_count++];
			*actor->group = (struct group){
				.scene = scene,
				.tag = (uint32_t)scene->group_count,
				.iommu = streams_iommu(
					&scene->loaded,
					busway_platform_device(scene->loaded.platform, actor->id)),
			};
		} else {
			actor->group = scene->actors[first[i]].group;
		}
	}
	streams_free(streams, scene->count);
	free(first);
	return (first && scene->groups) || complain("out of memory") == EXIT_YES;
}

/* ---- domains ---- */

static void forget(void *ctx, const struct busway_invalidation *what)
{
	struct group *group = ctx;

	group->invalidations++;
	busway_machine_invalidate(group->scene->machine, group->tag, what->iova, what->tables);
}

/* Masks are not asked: they are the drivers', for each mapping. */
static int find_allowed(const struct scene *scene, struct group *group)
{
	static const struct busway_emission everything = {0};
	struct busway_iova_member *members = calloc(2 * scene->count, sizeof(*members));
	size_t count = 0;
	int status;

	if (!members)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < scene->count; i++) {
		if (scene->actors[i].group != group)
			continue;
		members[count++] = (struct busway_iova_member){scene->actors[i].id, NULL};
		/* and what limits the function in front of it, but for its address lines */
		if (function_in_front(&scene->loaded, scene->actors[i].id, &members[count].device))
			members[count++].emission = &everything;
	}
	status = busway_iova_build_group(scene->loaded.platform, members, count, NULL, 0,
					 &cli_memory, &group->allowed);
	free(members);
	return status;
}

static int make_domain(struct scene *scene, struct group *group)
{
	struct busway_domain_options options = {
		.table = {.name = group->iommu},
		.tables = busway_machine_table_memory(scene->machine),
		.allowed = &group->allowed,
		.invalidate = forget,
		.ctx = group,
		.deferred = scene->options->deferred ? DEFERRED : 0,
	};
	int status = find_allowed(scene, group);

	if (status)
		return status;
	group->assumed = !streams_format(&scene->loaded, group->iommu, &group->format);
	options.table.format = group->format;
	status = busway_domain_create(&options, &cli_memory, &group->domain);
	if (status)
		busway_iova_free(&group->allowed);
	return status;
}

/* The IOMMU is told where the tables are. */
static int translate(struct scene *scene, const struct actor *actor)
{
	const struct group *group = actor->group;
	const struct busway_machine_iommu iommu = {
		.name = group->iommu,
		.format = group->format,
		.root = busway_pagetable_root(busway_domain_table(group->domain)),
		.tag = group->tag,
	};

	return busway_machine_translate(scene->machine, actor->id, &iommu);
}

bool groups_open(struct scene *scene)
{
	int status = 0;

	if (scene->options->bypass_iommu)
		return true;
	if (!form_groups(scene))
		return false;
	for (size_t i = 0; i < scene->group_count && status == 0; i++)
		status = make_domain(scene, &scene->groups[i]);
	for (size_t i = 0; i < scene->count && status == 0; i++)
		if (scene->actors[i].group)
			status = translate(scene, &scene->actors[i]);
	return status == 0 || complain("%s: there is not enough memory for its page tables",
				       scene->loaded.source) == EXIT_YES;
}

void groups_close(struct scene *scene)
{
	for (size_t i = 0; i < scene->group_count; i++)
		if (scene->groups[i].domain) {
			busway_domain_destroy(scene->groups[i].domain);
			busway_iova_free(&scene->groups[i].allowed);
		}
	free(scene->groups);
}

/* ---- looking ---- */

struct busway_domain *group_domain(const struct actor *actor)
{
	return actor->group ? actor->group->domain : NULL;
}

static uint64_t live_bytes(const struct group *group, uint64_t *allowed)
{
	struct busway_iova_census census;

	busway_iova_space_census(busway_domain_space(group->domain), &census);
	*allowed = census.allowed * census.granule;
	return census.live * census.granule;
}

void group_note_use(struct group *group)
{
	uint64_t allowed;
	const uint64_t live = group ? live_bytes(group, &allowed) : 0;

	if (group && live > group->high_water)
		group->high_water = live;
}

uint64_t group_allowed(const struct group *group)
{
	uint64_t allowed;

	live_bytes(group, &allowed);
	return allowed;
}

uint64_t iommu_faults(const struct scene *scene)
{
	return busway_machine_count(scene->machine, BUSWAY_VIOLATION_IOMMU_FAULT) +
	       busway_machine_count(scene->machine, BUSWAY_VIOLATION_IOMMU_PERMISSION);
}
