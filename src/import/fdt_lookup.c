/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_lookup.c - ask an indexed tree: properties, phandles, paths, strings. See fdt_tree.h.
 */
#include "fdt_tree.h"

#include <string.h>

uint32_t fdt_hash(uint32_t x)
{
	x = (x ^ x >> 16) * 0x45d9f3bu;
	x = (x ^ x >> 16) * 0x45d9f3bu;
	return x ^ x >> 16;
}

bool fdt_prop_is(const struct fdt_prop *prop, const char *wanted)
{
	const size_t length = strlen(wanted) + 1;

	return prop && prop->length >= length && memcmp(prop->value, wanted, length) == 0;
}

bool fdt_base_name_is(const char *name, const char *wanted)
{
	const size_t length = strlen(wanted);

	return strncmp(name, wanted, length) == 0 && (name[length] == '\0' || name[length] == '@');
}

const struct fdt_prop *fdt_get(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id)
{
	const struct fdt_node *n = &tree->nodes[node];
	const struct fdt_prop *props = tree->props + n->first_prop;

	if (!(n->has >> id & 1))
		return NULL;
	for (uint32_t i = 0; i < n->prop_count; i++)
		if (props[i].id == id)
			return &props[i];
	return NULL;
}

uint32_t fdt_by_phandle(const struct fdt_tree *tree, uint32_t phandle)
{
	uint32_t slot = fdt_hash(phandle) & tree->phandle_mask;

	if (!phandle)
		return FDT_NONE;
	for (; tree->phandles[slot] != FDT_NONE; slot = (slot + 1) & tree->phandle_mask)
		if (tree->nodes[tree->phandles[slot]].phandle == phandle)
			return tree->phandles[slot];
	return FDT_NONE;
}

const char *fdt_path(struct fdt_tree *tree, uint32_t node)
{
	size_t length = 0, at;
	char *path = tree->paths[node];

	if (path)
		return path;
	for (uint32_t n = node; n != 0; n = tree->nodes[n].parent)
		length += strlen(tree->nodes[n].name) + 1;
	if (node == 0)
		length = 1;
	path = busway_platform_keep(tree->platform, length + 1, 1);
	if (!path) {
		tree->arena->failed = true;
		return NULL;
	}
	path[0] = '/';
	path[length] = '\0';
	at = length;
	for (uint32_t n = node; n != 0; n = tree->nodes[n].parent) {
		const size_t part = strlen(tree->nodes[n].name);

		at -= part;
		memcpy(path + at, tree->nodes[n].name, part);
		path[--at] = '/';
	}
	tree->paths[node] = path;
	return path;
}

uint64_t fdt_number(const struct fdt_prop *prop, uint32_t i, uint32_t count)
{
	uint64_t number = 0;

	while (count--)
		number = number << 32 | fdt_cell(prop, i++);
	return number;
}

bool fdt_get_u32(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id,
		 uint32_t *value)
{
	const struct fdt_prop *prop = fdt_get(tree, node, id);

	if (!prop || prop->length < 4)
		return false;
	*value = fdt_cell(prop, 0);
	return true;
}

const char *fdt_next_string(const struct fdt_prop *prop, const char *s)
{
	const char *first = (const char *)prop->value, *end = first + prop->length;
	const char *next = s ? s + strlen(s) + 1 : first;

	return next < end && memchr(next, '\0', (size_t)(end - next)) ? next : NULL;
}

int fdt_string_index(const struct fdt_prop *prop, const char *wanted)
{
	const char *s = NULL;

	for (int i = 0; (s = fdt_next_string(prop, s)); i++)
		if (strcmp(s, wanted) == 0)
			return i;
	return -1;
}

bool fdt_string_is(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id,
		   const char *wanted)
{
	return fdt_prop_is(fdt_get(tree, node, id), wanted);
}

bool fdt_is_compatible(const struct fdt_tree *tree, uint32_t node, const char *wanted)
{
	const struct fdt_prop *compatible = fdt_get(tree, node, FDT_COMPATIBLE);

	return compatible && fdt_string_index(compatible, wanted) >= 0;
}

bool fdt_name_is(const struct fdt_tree *tree, uint32_t node, const char *wanted)
{
	return fdt_base_name_is(tree->nodes[node].name, wanted);
}

uint32_t fdt_child(const struct fdt_tree *tree, uint32_t parent, const char *name)
{
	for (uint32_t i = parent + 1; i < tree->nodes[parent].end; i = tree->nodes[i].end)
		if (strcmp(tree->nodes[i].name, name) == 0)
			return i;
	return FDT_NONE;
}
