/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * read.c - look at a platform, and find a device in it by name.
 */
#include "platform_internal.h"

const struct busway_space *busway_platform_space(const struct busway_platform *platform,
						 busway_space_id id)
{
	return &space_entry(platform, id)->space;
}

const struct busway_region *busway_platform_region(const struct busway_platform *platform,
						   busway_region_id id)
{
	return region_at(platform, id.index);
}

const struct busway_device *busway_platform_device(const struct busway_platform *platform,
						   busway_device_id id)
{
	return (const struct busway_device *)platform->devices.items + id.index;
}

size_t busway_platform_device_count(const struct busway_platform *platform)
{
	return platform->devices.count;
}

size_t busway_platform_space_count(const struct busway_platform *platform)
{
	return platform->spaces.count;
}

const struct busway_window *busway_platform_windows(const struct busway_platform *platform,
						    size_t *count)
{
	*count = platform->windows.count;
	return platform->windows.items;
}

const struct busway_region *busway_platform_regions(const struct busway_platform *platform,
						    size_t *count)
{
	*count = platform->regions.count;
	return platform->regions.items;
}

const struct busway_memory_bank *busway_platform_banks(const struct busway_platform *platform,
						       size_t *count)
{
	*count = platform->banks.count;
	return platform->banks.items;
}

const struct busway_pool *busway_platform_pools(const struct busway_platform *platform,
						size_t *count)
{
	*count = platform->pools.count;
	return platform->pools.items;
}

const struct busway_range *busway_platform_reserved(const struct busway_platform *platform,
						    size_t *count)
{
	*count = platform->reserved.count;
	return platform->reserved.items;
}

const struct busway_note *busway_platform_notes(const struct busway_platform *platform)
{
	return platform->notes;
}

const char *busway_platform_model(const struct busway_platform *platform)
{
	return platform->model;
}

const char *const *busway_platform_compatible(const struct busway_platform *platform, size_t *count)
{
	*count = platform->compatible_count;
	return platform->compatible;
}

bool busway_platform_memory_known(const struct busway_platform *platform)
{
	return platform->banks.count > 0;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* Is @name the end of @path, beginning behind a '/'? */
static bool is_suffix(const char *path, const char *name)
{
	const size_t path_length = length(path), name_length = length(name);

	return name_length > 0 && name_length < path_length &&
	       path[path_length - name_length - 1] == '/' &&
	       same(path + path_length - name_length, name);
}

static const char *path_of_alias(const struct busway_platform *platform, const char *name)
{
	const struct alias *aliases = platform->aliases.items;

	for (size_t i = 0; i < platform->aliases.count; i++)
		if (same(aliases[i].name, name))
			return aliases[i].path;
	return NULL;
}

static bool find_path(const struct busway_platform *platform, const char *path,
		      busway_device_id *found)
{
	for (uint32_t i = 0; i < platform->devices.count; i++) {
		const struct busway_device *d =
			busway_platform_device(platform, (busway_device_id){i});

		if (!d->is_bridge_itself && same(d->name, path)) {
			*found = (busway_device_id){i};
			return true;
		}
	}
	return false;
}

size_t busway_platform_find_device(const struct busway_platform *platform, const char *name,
				   busway_device_id *found, size_t capacity)
{
	const char *path = path_of_alias(platform, name);
	busway_device_id exact;
	size_t count = 0;

	if (find_path(platform, path ? path : name, &exact)) {
		if (capacity)
			found[0] = exact;
		return 1;
	}
	for (uint32_t i = 0; i < platform->devices.count; i++) {
		const struct busway_device *d =
			busway_platform_device(platform, (busway_device_id){i});

		if (d->is_bridge_itself || !is_suffix(d->name, name))
			continue;
		if (count < capacity)
			found[count] = (busway_device_id){i};
		count++;
	}
	return count;
}

bool nearest_bank(const struct busway_platform *p, uint64_t address, struct busway_range *bank)
{
	const struct busway_memory_bank *banks = p->banks.items;
	bool found = false;

	for (size_t i = 0; i < p->banks.count; i++) {
		if (!found || distance(banks[i].range, address) < distance(*bank, address))
			*bank = banks[i].range;
		found = true;
	}
	return found;
}
