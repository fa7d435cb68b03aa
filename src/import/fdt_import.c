/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_import.c - from a flattened device tree to a sealed platform, step by step.
 */
#include "fdt_importer.h"

#include <string.h>

static int make_memos(struct fdt_importer *importer)
{
	const uint32_t count = importer->tree.node_count;

	importer->memos = arena_take(&importer->work, count * sizeof(*importer->memos),
				     _Alignof(struct fdt_memo));
	importer->pool_index = arena_take(&importer->work, count * sizeof(*importer->pool_index),
					  _Alignof(uint32_t));
	if (!importer->memos || !importer->pool_index)
		return -BUSWAY_ENOMEM;
	memset(importer->memos, 0, count * sizeof(*importer->memos));
	memset(importer->pool_index, 0xff, count * sizeof(*importer->pool_index));
	return 0;
}

static int describe(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *compatible = fdt_get(tree, 0, FDT_COMPATIBLE);
	const struct fdt_prop *model = fdt_get(tree, 0, FDT_MODEL);
	const char *name = model ? fdt_next_string(model, NULL) : NULL;
	const char **list, *s = NULL;
	size_t count = 0;

	while (compatible && (s = fdt_next_string(compatible, s)))
		count++;
	list = KEEP(importer, const char *, count);
	if (!list)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < count; i++)
		list[i] = s = fdt_next_string(compatible, s);
	busway_platform_describe(importer->platform, name ? name : "", list, count);
	return 0;
}

static int add_aliases(struct fdt_importer *importer)
{
	const struct fdt_alias *aliases = importer->tree.aliases.items;
	int status = 0;

	for (size_t i = 0; i < importer->tree.aliases.count && !status; i++)
		status = busway_platform_add_alias(importer->platform, aliases[i].name,
						   aliases[i].path);
	return status;
}

static int import(struct fdt_importer *importer, const void *blob, size_t size,
		  struct busway_fdt_error *error)
{
	int status = fdt_tree_index(&importer->tree, blob, size, &importer->work,
				    importer->platform, error);

	if (!status)
		status = make_memos(importer);
	if (!status)
		fdt_find_hosts(importer);
	if (!status)
		status = fdt_find_dma_parents(importer);
	if (!status)
		status = describe(importer);
	if (!status)
		status = fdt_add_memory(importer);
	if (!status)
		status = fdt_add_doorbells(importer);
	if (!status)
		status = fdt_add_devices(importer);
	if (!status)
		status = add_aliases(importer);
	if (!status)
		busway_platform_set_notes(importer->platform, importer->notes);
	return status ? status : busway_platform_seal(importer->platform);
}

int fdt_importer_run(struct fdt_importer *importer, const void *blob, size_t size, unsigned flags,
		     const struct busway_allocator *memory, struct busway_fdt_error *error)
{
	int status;

	*importer = (struct fdt_importer){.work = {.memory = memory}, .flags = flags};
	if (error)
		*error = (struct busway_fdt_error){0};
	status = busway_platform_create(memory, &importer->platform);
	if (status)
		return status;
	status = import(importer, blob, size, error);
	/* what found no memory on the way may have been taken for "not there" */
	if (!status && importer->work.failed)
		status = -BUSWAY_ENOMEM;
	if (status) {
		arena_release(&importer->work);
		busway_platform_destroy(importer->platform);
	}
	return status;
}

int busway_fdt_import(const void *blob, size_t size, unsigned flags,
		      const struct busway_allocator *memory, struct busway_platform **out,
		      struct busway_fdt_error *error)
{
	struct fdt_importer importer;
	const int status = fdt_importer_run(&importer, blob, size, flags, memory, error);

	if (status)
		return status;
	arena_release(&importer.work);
	*out = importer.platform;
	return 0;
}
