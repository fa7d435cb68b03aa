/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.c - memory that several devices can all reach.
 */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>

enum { DEVICES_MAX = 64 };

struct request {
	const struct loaded *loaded;
	struct busway_sharer sharers[DEVICES_MAX];
	const struct busway_device *devices[DEVICES_MAX];
	size_t count;
	uint64_t size;
	bool ok;
	busway_phys_t phys;
	struct busway_refusal refusal;
};

static int alloc_json(const struct request *r, int status)
{
	json_t *devices = json_array();

	for (size_t i = 0; i < r->count; i++)
		json_array_append_new(
			devices,
			json_pack("{s:o, s:o}", "path", json_text(r->devices[i]->name), "dma",
				  r->ok ? json_hex(r->sharers[i].dma.raw) : json_null()));
	return json_print(json_pack("{s:s, s:b, s:o, s:o, s:o, s:o}", "schema", "busway-alloc/1",
				    "ok", r->ok, "phys",
				    r->ok ? json_hex(r->phys.raw) : json_null(), "size",
				    json_hex(r->size), "devices", devices, "refusal",
				    r->ok ? json_null() : json_refusal(&r->refusal)),
			  status);
}

static int alloc_text(const struct request *r, const struct options *options, int status)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	if (r->ok) {
		fputs("CPU ", page.out);
		put_range(&page, (struct busway_range){r->phys.raw, r->phys.raw + (r->size - 1)},
			  0);
		fputs(" serves all of them:\n", page.out);
		for (size_t i = 0; i < r->count; i++)
			fprintf(page.out, "  dma 0x%" PRIx64 "  %s\n", r->sharers[i].dma.raw,
				r->devices[i]->name);
	} else {
		put_styled(&page, STYLE_BAD, "refused\n");
		put_refusal(&page, &r->refusal);
	}
	return page_print(&page, status);
}

/* What is reserved, for whomever: not to be handed out to others. */
static struct busway_range *reserved_ranges(const struct busway_platform *platform, size_t *count)
{
	size_t pools;
	const struct busway_pool *pool = busway_platform_pools(platform, &pools);
	struct busway_range *ranges = calloc(pools + 1, sizeof(*ranges));

	*count = 0;
	for (size_t i = 0; ranges && i < pools; i++)
		if (pool[i].enabled && !pool[i].dynamic && !pool[i].empty)
			ranges[(*count)++] = pool[i].range;
	return ranges;
}

static int ask(struct request *r, const struct options *options)
{
	const struct busway_platform *platform = r->loaded->platform;
	size_t avoid_count, header_count;
	const struct busway_range *header = busway_platform_reserved(platform, &header_count);
	struct busway_range *avoid = reserved_ranges(platform, &avoid_count);
	int status;

	if (avoid) {
		struct busway_range *all =
			realloc(avoid, (avoid_count + header_count + 1) * sizeof(*avoid));

		if (!all)
			free(avoid);
		avoid = all;
	}
	if (!avoid)
		return complain("out of memory");
	for (size_t i = 0; i < header_count; i++)
		avoid[avoid_count++] = header[i];
	status = busway_joint_address(r->sharers, r->count, r->size, options->align, avoid,
				      avoid_count,
				      options->bypass_iommu ? BUSWAY_ADDRESS_BYPASS_IOMMU : 0,
				      &cli_memory, &r->phys, &r->refusal);
	free(avoid);
	r->ok = status == 0;
	if (status == 0)
		return EXIT_YES;
	return status == -BUSWAY_ERANGE ? EXIT_NO : complain("out of memory");
}

static int run(const struct options *options)
{
	struct request r = {0};
	busway_device_id devices[DEVICES_MAX];
	struct loaded loaded;
	int count, status = EXIT_YES;

	if (!parse_number(options->arguments[2], &r.size) || !r.size)
		return complain("'%s' is no size of 1 or more%s", options->arguments[2],
				number_hint(options->arguments[2]));
	if (!load(options->arguments[0], BUSWAY_FDT_ALL_NODES, &loaded))
		return EXIT_BAD;
	r.loaded = &loaded;
	count = find_devices(&loaded, options->arguments[1], options, devices, DEVICES_MAX);
	if (count < 0)
		status = EXIT_BAD;
	for (; status == EXIT_YES && r.count < (size_t)count; r.count++) {
		const busway_device_id id = devices[r.count];
		struct busway_reach *reach = make_reach(&loaded, id, options->coherent_mask);

		limit_segments(&loaded, id, options);
		if (!reach) {
			status = EXIT_BAD;
			break;
		}
		r.sharers[r.count].reach = reach;
		r.devices[r.count] = busway_platform_device(loaded.platform, id);
	}
	if (status == EXIT_YES)
		status = ask(&r, options);
	if (status != EXIT_BAD)
		status = options->format == FORMAT_JSON ? alloc_json(&r, status)
							: alloc_text(&r, options, status);
	for (size_t i = 0; i < r.count; i++)
		busway_reach_destroy((struct busway_reach *)(uintptr_t)r.sharers[i].reach);
	unload(&loaded);
	return status;
}

const struct command command_alloc = {
	.name = "alloc",
	.arguments = "PLATFORM DEVICE[,DEVICE...] LEN",
	.summary = "memory that all these devices can reach",
	.help = "\n"
		"Finds LEN bytes that each of the devices reaches as one run, outside everything "
		"that\n"
		"is reserved, and tells the address for each. A device with a restricted pool "
		"gets\n"
		"memory of that pool. The mask is that for coherent memory.\n"
		"\n"
		"  busway alloc board.dtb pcie@7d500000,mmc@7e340000 2M\n",
	.min_arguments = 3,
	.max_arguments = 3,
	.run = run,
};
