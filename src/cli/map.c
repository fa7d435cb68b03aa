/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - the address that a driver would be handed for some memory, or why none.
 */
#include "cli.h"

#include <inttypes.h>
#include <stdlib.h>

struct mapping {
	struct busway_range phys;
	bool ok, bounced;
	struct busway_segment *segments;
	size_t count;
	struct busway_refusal refusal;
};

static json_t *mapping_json(const struct mapping *m)
{
	json_t *object = json_pack("{s:o, s:o, s:b}", "phys", json_hex(m->phys.first), "size",
				   json_size(m->phys), "ok", m->ok);
	json_t *segments;

	if (!m->ok) {
		json_object_set_new(object, "refusal", json_refusal(&m->refusal));
		return object;
	}
	segments = json_array();
	for (size_t i = 0; i < m->count; i++) {
		const struct busway_range dma = busway_dma_raw(m->segments[i].dma);

		json_array_append_new(segments, json_pack("{s:o, s:o}", "dma", json_hex(dma.first),
							  "size", json_size(dma)));
	}
	json_object_set_new(object, "how", json_string(m->bounced ? "bounce" : "direct"));
	json_object_set_new(object, "segments", segments);
	return object;
}

static int map_json(const struct options *options, const struct busway_device *device,
		    const struct mapping *mappings, size_t count, int status)
{
	json_t *results = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(results, mapping_json(&mappings[i]));
	return json_print(json_pack("{s:s, s:o, s:i, s:o}", "schema", "busway-map/1", "device",
				    json_text(device->name), "mask", (int)options->mask, "results",
				    results),
			  status);
}

static void put_mapping(struct page *page, const struct loaded *loaded,
			const struct busway_device *device, const struct mapping *m)
{
	struct peer peer;

	fputs("CPU ", page->out);
	put_range(page, m->phys, 0);
	fputs(" (", page->out);
	put_size(page, m->phys);
	fputs("): ", page->out);
	if (!m->ok) {
		put_styled(page, STYLE_BAD, "refused\n");
		put_refusal(page, &m->refusal);
		if (find_peer(loaded, device, m->phys, true, &peer))
			put_peer(page, loaded, &peer);
		return;
	}
	put_styled(page, STYLE_GOOD, m->bounced ? "bounce" : "direct");
	fputs(m->count == 1 ? ", dma " : "\n", page->out);
	for (size_t i = 0; i < m->count; i++) {
		if (m->count > 1)
			fputs("  dma ", page->out);
		put_range(page, busway_dma_raw(m->segments[i].dma), 0);
		fputc('\n', page->out);
	}
}

static int map_text(const struct options *options, const struct loaded *loaded,
		    const struct busway_device *device, const struct mapping *mappings,
		    size_t count, int status)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	put_styled(&page, STYLE_BOLD, "%s", device->name);
	fprintf(page.out, " with a %u-bit mask\n", options->mask);
	for (size_t i = 0; i < count; i++)
		put_mapping(&page, loaded, device, &mappings[i]);
	if (!busway_platform_memory_known(loaded->platform) && !options->quiet)
		fprintf(page.out,
			"note: the %s does not state its memory; that there is some at these "
			"addresses is taken on trust\n",
			loaded->machine ? "machine" : "tree");
	return page_print(&page, status);
}

/* A device with a restricted pool: the address in the pool, or why the pool has none for it. */
static int map_bounced(const struct options *options, const struct loaded *loaded,
		       busway_device_id device, struct mapping *m)
{
	struct busway_refusal why;
	int status;

	m->segments = malloc(sizeof(*m->segments));
	if (!m->segments)
		return complain("out of memory");
	status = bounce_address(loaded, device, options, m->phys, &m->segments[0].dma, &why);
	if (status == -BUSWAY_ENOMEM)
		return complain("out of memory");
	if (status == -BUSWAY_ERANGE)
		m->refusal = why;
	m->count = 1;
	m->ok = m->bounced = status == 0;
	return m->ok ? EXIT_YES : EXIT_NO;
}

/* Ask once for the count, and again with room for all. */
static int map_one(const struct busway_reach *reach, const struct options *options,
		   const struct loaded *loaded, busway_device_id device, struct mapping *m)
{
	const unsigned flags = options->bypass_iommu ? BUSWAY_ADDRESS_BYPASS_IOMMU : 0;
	const struct busway_phys_range phys = busway_phys_range(m->phys);
	int status = busway_address_for(reach, phys, BUSWAY_READ_WRITE, flags, NULL, 0, &m->count,
					&m->refusal);

	if (status == -BUSWAY_ENOSPC) {
		m->segments = malloc(m->count * sizeof(*m->segments));
		if (!m->segments)
			return complain("out of memory");
		status = busway_address_for(reach, phys, BUSWAY_READ_WRITE, flags, m->segments,
					    m->count, &m->count, &m->refusal);
	}
	m->ok = status == 0;
	if (status == -BUSWAY_ERANGE && m->refusal.reason == BUSWAY_RESTRICTED)
		return map_bounced(options, loaded, device, m);
	return m->ok ? EXIT_YES : EXIT_NO;
}

static int map_all(const struct options *options, const struct loaded *loaded,
		   busway_device_id device, struct mapping *mappings, size_t count)
{
	struct busway_reach *reach = make_reach(loaded, device, options->mask);
	int result = EXIT_YES;

	if (!reach)
		return EXIT_BAD;
	for (size_t i = 0; i < count && result != EXIT_BAD; i++) {
		const int one = map_one(reach, options, loaded, device, &mappings[i]);

		if (one > result)
			result = one;
	}
	busway_reach_destroy(reach);
	return result;
}

static int run(const struct options *options)
{
	const size_t count = (size_t)options->argument_count - 2;
	struct mapping *mappings = calloc(count, sizeof(*mappings));
	struct loaded loaded;
	busway_device_id device;
	int status = EXIT_YES;

	for (size_t i = 0; mappings && i < count && status == EXIT_YES; i++)
		if (!parse_range(options->arguments[i + 2], false, &mappings[i].phys))
			status = complain("'%s' is no range; say ADDR+LEN or FIRST-LAST%s",
					  options->arguments[i + 2],
					  number_hint(options->arguments[i + 2]));
	if (!mappings || status || !load(options->arguments[0], BUSWAY_FDT_ALL_NODES, &loaded)) {
		free(mappings);
		return EXIT_BAD;
	}
	status = EXIT_BAD;
	if (find_device(&loaded, options->arguments[1], options, &device)) {
		const struct busway_device *d = busway_platform_device(loaded.platform, device);

		limit_segments(&loaded, device, options);
		status = map_all(options, &loaded, device, mappings, count);
		if (status != EXIT_BAD)
			status = options->format == FORMAT_JSON
					 ? map_json(options, d, mappings, count, status)
					 : map_text(options, &loaded, d, mappings, count, status);
	}
	for (size_t i = 0; i < count; i++)
		free(mappings[i].segments);
	free(mappings);
	unload(&loaded);
	return status;
}

const struct command command_map = {
	.name = "map",
	.arguments = "PLATFORM DEVICE PHYS+LEN...",
	.summary = "the address a driver would be handed for this memory, or why none",
	.help = "\n"
		"PHYS is CPU-physical. Each range is answered by itself: the addresses by which "
		"the\n"
		"device reaches it directly, the one in its restricted pool, or the reason why "
		"there\n"
		"is none and what would help.\n"
		"\n"
		"  busway map board.dtb mmc@7e340000 0x3000_0000+64K\n"
		"  busway map board.dtb pcie@7d500000 0x1_0000_0000+1M --mask 32\n",
	.min_arguments = 3,
	.max_arguments = -1,
	.run = run,
};
