/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.c - which devices an IOMMU cannot tell apart.
 *
 * It tells them apart by what is called a stream, device or source ID. Devices on a chip behind PCI
 * come with the ID of the function in front of them. Functions of a bridge whose IDs are not known
 * here are told apart: each may well have one of its own. On a machine the groups that its kernel
 * has made say which functions share a domain.
 */
#include "iova.h"

#include <stdlib.h>
#include <string.h>

/* One ID of one IOMMU: the cells of a specifier. */
struct stream {
	const char *controller;
	const uint32_t *cells;
	size_t cell_count;
	uint32_t first; /* of the cells, where a range of requester IDs makes it */
};

/* Which of the IDs that @map takes is the device's? False: it has none, or that is not known. */
static bool requester_of(const struct busway_device *device, const struct busway_id_map *map,
			 uint32_t *id)
{
	if (device->has_requester || !map->id_mask)
		*id = device->requester & map->id_mask;
	else if (map->id_count == 1)
		*id = map->id_base;
	else
		return false;
	return *id >= map->id_base && *id - map->id_base < map->id_count;
}

/* False: it is not one ID, or none. */
static bool stream_of(const struct busway_device *device, const struct busway_id_map *map,
		      struct stream *stream)
{
	uint32_t id;

	if (!map->enabled)
		return false;
	*stream = (struct stream){map->controller, map->cells, map->cell_count, 0};
	if (!map->is_range)
		return true;
	if (!requester_of(device, map, &id))
		return false;
	stream->cells = NULL;
	stream->cell_count = 1;
	stream->first = map->out_base + (id - map->id_base);
	return true;
}

static uint32_t cell(const struct stream *stream, size_t i)
{
	return stream->cells ? stream->cells[i] : stream->first;
}

static bool same_stream(const struct stream *a, const struct stream *b)
{
	if (a->cell_count != b->cell_count || strcmp(a->controller, b->controller) != 0)
		return false;
	for (size_t i = 0; i < a->cell_count; i++)
		if (cell(a, i) != cell(b, i))
			return false;
	return true;
}

static bool have_common(const struct busway_device *a, const struct busway_device *b)
{
	struct stream x, y;

	for (size_t i = 0; i < a->iommu_count; i++)
		for (size_t j = 0; j < b->iommu_count; j++)
			if (stream_of(a, &a->iommu[i], &x) && stream_of(b, &b->iommu[j], &y) &&
			    same_stream(&x, &y))
				return true;
	return false;
}

/* Does @path name @node, or something below it? */
static bool is_within(const char *path, const char *node)
{
	const size_t length = strlen(node);

	return strncmp(path, node, length) == 0 && (!path[length] || path[length] == '/');
}

bool function_in_front(const struct loaded *loaded, busway_device_id id, busway_device_id *function)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	char *path = strdup(device->name), *slash;
	busway_device_id above;
	bool found = false;

	while (path && device->kind != BUSWAY_DEVICE_PCI_FUNCTION && !found &&
	       (slash = strrchr(path, '/')) && slash != path) {
		*slash = '\0';
		found = busway_platform_find_device(loaded->platform, path, &above, 1) == 1 &&
			busway_platform_device(loaded->platform, above)->kind ==
				BUSWAY_DEVICE_PCI_FUNCTION &&
			strcmp(busway_platform_device(loaded->platform, above)->name, path) == 0;
	}
	/* a table of the chip's own makes other addresses of what the device emits */
	if (found && device->dma.source && is_within(device->dma.source, path))
		found = false;
	free(path);
	if (found)
		*function = above;
	return found;
}

bool share_stream(const struct loaded *loaded, busway_device_id a, busway_device_id b)
{
	function_in_front(loaded, a, &a);
	function_in_front(loaded, b, &b);
	return a.index == b.index || share_iommu_group(loaded, a, b) ||
	       have_common(busway_platform_device(loaded->platform, a),
			   busway_platform_device(loaded->platform, b));
}
