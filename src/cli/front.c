/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * front.c - the PCI function in front of a device on a chip.
 */
#include "streams.h"

#include <string.h>

/* Does @path name @node, or something below it? */
static bool is_within(const char *path, const char *node)
{
	const size_t length = strlen(node);

	return strncmp(path, node, length) == 0 && (!path[length] || path[length] == '/');
}

bool function_above(const struct loaded *loaded, busway_device_id id, busway_device_id *function)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	const size_t all = busway_platform_device_count(loaded->platform);
	size_t nearest = 0;

	for (uint32_t i = 0; i < all && device->kind != BUSWAY_DEVICE_PCI_FUNCTION; i++) {
		const struct busway_device *above =
			busway_platform_device(loaded->platform, (busway_device_id){i});

		if (above->kind != BUSWAY_DEVICE_PCI_FUNCTION ||
		    !is_within(device->name, above->name) || strlen(above->name) <= nearest)
			continue;
		nearest = strlen(above->name);
		function->index = i;
	}
	return nearest > 0;
}

bool function_in_front(const struct loaded *loaded, busway_device_id id, busway_device_id *function)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	busway_device_id above;

	if (!function_above(loaded, id, &above))
		return false;
	/* a table of the chip's own makes other addresses of what the device emits */
	if (device->dma.source &&
	    is_within(device->dma.source, busway_platform_device(loaded->platform, above)->name))
		return false;
	*function = above;
	return true;
}
