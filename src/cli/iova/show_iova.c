/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_iova.c - `busway show --iova`: which IOVAs a group of devices can use.
 */
#include "iova.h"

#include <stdlib.h>

/* Each member once, as `show` lists devices. */
static busway_device_id *members_of(const struct iova_groups *groups, size_t *count)
{
	busway_device_id *devices;

	*count = 0;
	for (size_t i = 0; i < groups->count; i++)
		*count += groups->list[i].count;
	devices = malloc((*count + 1) * sizeof(*devices));
	if (!devices)
		complain("out of memory");
	*count = 0;
	for (size_t i = 0; devices && i < groups->count; i++)
		for (size_t j = 0; j < groups->list[i].count; j++)
			devices[(*count)++] = groups->list[i].devices[j];
	return devices;
}

static int print_json(const struct loaded *loaded, const struct options *options,
		      const struct iova_groups *groups)
{
	size_t count;
	busway_device_id *devices = members_of(groups, &count);
	json_t *root = devices ? show_document(loaded, options, devices, count) : NULL;

	free(devices);
	if (!root)
		return EXIT_BAD;
	json_object_set_new(root, "groups", iova_groups_json(loaded, groups));
	return json_print(root, EXIT_YES);
}

int show_iova(const struct options *options)
{
	const char *list = options->argument_count > 1 ? options->arguments[1] : NULL;
	struct iova_groups groups;
	struct loaded loaded;
	int status = EXIT_BAD;

	if (!load(options->arguments[0], list || options->all ? BUSWAY_FDT_ALL_NODES : 0, &loaded))
		return EXIT_BAD;
	if (make_groups(&loaded, options, list, &groups)) {
		if (options->format == FORMAT_JSON)
			status = print_json(&loaded, options, &groups);
		else if (options->format == FORMAT_SVG)
			status = show_iova_svg(&loaded, &groups);
		else
			status = iova_text(&loaded, options, &groups);
		free_groups(&groups);
	}
	unload(&loaded);
	return status;
}
