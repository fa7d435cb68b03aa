/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * import.c - G: load, validate, index and answer everything for a device tree.
 *
 * "Everything" is the windows and the reach of each likely DMA master. The reference in the same
 * run is libfdt's own validation of the same bytes, fdt_check_full().
 */
#include "bench.h"

#include <libfdt.h>
#include <stdlib.h>

struct tree {
	void *blob;
	size_t size;
};

struct trees {
	struct tree *list;
	size_t count;
};

static uint64_t answer_all(const struct busway_platform *platform)
{
	const size_t devices = busway_platform_device_count(platform);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < devices; i++) {
		struct busway_reach *reach;
		struct busway_piece *windows;
		size_t count;

		if (busway_reach_build(platform, (busway_device_id){i}, NULL, &cli_memory, &reach))
			continue;
		busway_reach_pieces(reach, &count);
		sum += count;
		busway_reach_destroy(reach);
		if (busway_windows_build(platform, (busway_device_id){i}, &cli_memory, &windows,
					 &count))
			continue;
		sum += count;
		if (windows)
			cli_memory.free(NULL, windows, 0, 0);
	}
	return sum;
}

static void run_import(void *state, unsigned long operations)
{
	const struct trees *trees = state;

	while (operations--) {
		for (size_t i = 0; i < trees->count; i++) {
			struct busway_platform *platform;

			if (busway_fdt_import(trees->list[i].blob, trees->list[i].size, 0,
					      &cli_memory, &platform, NULL))
				continue;
			bench_sink += answer_all(platform);
			busway_platform_destroy(platform);
		}
	}
}

static void run_check_full(void *state, unsigned long operations)
{
	const struct trees *trees = state;

	while (operations--)
		for (size_t i = 0; i < trees->count; i++)
			bench_sink +=
				(uint64_t)fdt_check_full(trees->list[i].blob, trees->list[i].size);
}

static struct trees *make_trees(size_t count)
{
	struct trees *trees = calloc(1, sizeof(*trees));

	if (trees)
		trees->list = calloc(count + 1, sizeof(*trees->list));
	if (trees && !trees->list) {
		free(trees);
		trees = NULL;
	}
	return trees;
}

static void free_trees(struct trees *trees)
{
	for (size_t i = 0; i < trees->count; i++)
		free(trees->list[i].blob);
	free(trees->list);
	free(trees);
}

/* A tree that cannot be read would be measured as a very fast one. */
static bool is_readable(const struct tree *tree, const char *file)
{
	struct busway_fdt_error error;
	struct busway_platform *platform;
	const int status =
		busway_fdt_import(tree->blob, tree->size, 0, &cli_memory, &platform, &error);

	if (status == -BUSWAY_EINVAL)
		complain("%s: %s: bench takes flattened device trees", file, error.message);
	else if (status)
		complain("%s: out of memory", file);
	else
		busway_platform_destroy(platform);
	return status == 0;
}

static bool add_pair(struct workloads *workloads, const char *name, const char *what,
		     struct trees *trees, unsigned long batch)
{
	char reference[32];
	const struct workload *check;

	snprintf(reference, sizeof(reference), "%s/check-full", name);
	check = add_workload(workloads, reference, "fdt_check_full of the same bytes", NULL,
			     run_check_full, trees, batch);
	return check && add_workload(workloads, name, what, check->name, run_import, trees, batch);
}

static bool add_made(struct workloads *workloads, const char *name, const char *what,
		     unsigned blocks, unsigned long batch)
{
	struct trees *trees = make_trees(1);

	if (!trees)
		return false;
	trees->list[0].blob = bench_tree(blocks, &trees->list[0].size);
	trees->count = 1;
	if (trees->list[0].blob && add_pair(workloads, name, what, trees, batch))
		return true;
	free_trees(trees);
	return false;
}

bool add_import_workloads(struct workloads *workloads, char *const *files, size_t file_count)
{
	struct trees *trees;

	if (!file_count)
		return add_made(workloads, "G-small", "a tree of 30 KB", 220, 50) &&
		       add_made(workloads, "G-big", "a tree of 125 KB", 900, 10) &&
		       add_made(workloads, "G-huge", "a tree of 1.25 MB: is the cost linear?", 9000,
				1);
	trees = make_trees(file_count);
	if (!trees)
		return false;
	for (size_t i = 0; i < file_count; i++) {
		struct tree *tree = &trees->list[i];

		tree->blob = read_file(files[i], &tree->size);
		if (!tree->blob)
			break;
		trees->count++;
		if (!is_readable(tree, files[i])) {
			free_trees(trees);
			return false;
		}
	}
	if (trees->count == file_count &&
	    add_pair(workloads, "G-files", "the trees that were named, all of them", trees, 1))
		return true;
	free_trees(trees);
	return false;
}
