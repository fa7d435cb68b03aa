/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_json.c - the key "groups" of busway-show/1.
 */
#include "iova.h"

static json_t *group_json(const struct loaded *loaded, const struct iova_group *group)
{
	json_t *devices = json_array(), *object;
	struct busway_range size;

	for (size_t i = 0; i < group->count; i++)
		json_array_append_new(
			devices,
			json_text(
				busway_platform_device(loaded->platform, group->devices[i])->name));
	object = json_pack("{s:o, s:o}", "devices", devices, "usable",
			   usable_size(&group->iova, &size) ? json_size(size) : json_hex(0));
	json_object_set_new(object, "iova", iova_json(&group->iova));
	return object;
}

json_t *iova_groups_json(const struct loaded *loaded, const struct iova_groups *groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < groups->count; i++)
		json_array_append_new(list, group_json(loaded, &groups->list[i]));
	return list;
}
