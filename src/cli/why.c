/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * why.c - follow one access of a device, hop by hop.
 */
#include "cli.h"

#include <inttypes.h>

struct access {
	const struct loaded *loaded;
	const struct busway_device *device;
	struct busway_range range;
	struct busway_path path;
	struct busway_refusal refusal;
	bool ok;
};

static const char *space_name(const struct access *a, busway_space_id id)
{
	return busway_platform_space(a->loaded->platform, id)->name;
}

static const struct busway_region *target_of(const struct access *a)
{
	return busway_platform_region(a->loaded->platform, a->path.targets[0]);
}

static json_t *via_json(const struct busway_hop *hop)
{
	if (hop->window && hop->window->entry == UINT32_MAX)
		return json_text(hop->window->name);
	if (hop->window)
		return json_sprintf("%s#%u", hop->window->name, hop->window->entry);
	return hop->region ? json_text(hop->region->name) : json_null();
}

static json_t *target_json(const struct access *a)
{
	const struct busway_region *region = target_of(a);

	return json_pack("{s:o, s:s, s:o, s:o}", "node", json_text(region->name), "kind",
			 region_name(region->kind), "base", json_hex(region->range.first), "size",
			 json_size(region->range));
}

static int why_json(const struct access *a)
{
	json_t *hops = json_array(), *root;

	for (unsigned i = 0; i < a->path.hop_count; i++) {
		const struct busway_hop *hop = &a->path.hops[i];

		json_array_append_new(hops,
				      json_pack("{s:o, s:o, s:o, s:o}", "space",
						json_text(space_name(a, hop->space)), "first",
						json_hex(hop->range.first), "last",
						json_hex(hop->range.last), "via", via_json(hop)));
	}
	root = json_pack("{s:s, s:o, s:o, s:o, s:b, s:b, s:o, s:o, s:o}", "schema", "busway-why/1",
			 "device", json_text(a->device->name), "address", json_hex(a->range.first),
			 "size", json_size(a->range), "ok", a->ok, "iommu", a->device->behind_iommu,
			 "hops", hops, "target", a->ok ? target_json(a) : json_null(), "refusal",
			 a->ok ? json_null() : json_refusal(&a->refusal));
	if (a->path.left_out)
		json_object_set_new(root, "hops_left_out",
				    json_integer((json_int_t)a->path.left_out));
	return json_print(root, a->ok ? EXIT_YES : EXIT_NO);
}

static void put_hops(struct page *page, const struct access *a)
{
	int digits = 8;
	size_t width = 3;

	for (unsigned i = 0; i < a->path.hop_count; i++) {
		const struct busway_hop *hop = &a->path.hops[i];
		const size_t length = (size_t)snprintf(NULL, 0, "%s", space_name(a, hop->space));

		if (digits_for(hop->range.last) > digits)
			digits = digits_for(hop->range.last);
		if (length > width)
			width = length;
	}
	if (a->path.left_out)
		fprintf(page->out, "  (%u hops of earlier parts)\n", a->path.left_out);
	for (unsigned i = 0; i < a->path.hop_count; i++) {
		const struct busway_hop *hop = &a->path.hops[i];

		fprintf(page->out, "  %-*s  ", (int)width, space_name(a, hop->space));
		put_range(page, hop->range, digits);
		if (hop->window && hop->window->entry == UINT32_MAX) {
			fprintf(page->out, "  %s passes it 1:1\n", hop->window->name);
		} else if (hop->window) {
			fprintf(page->out, "  window %u of %s: ", hop->window->entry,
				hop->window->name);
			put_range(page, hop->window->in, 0);
			fprintf(page->out, " -> 0x%" PRIx64 "\n", hop->window->out.raw);
		} else if (hop->region) {
			fprintf(page->out, "  %s %s\n", region_name(hop->region->kind),
				hop->region->name);
		} else {
			fputs(hop->space.index == BUSWAY_CPU_SPACE.index
				      ? "  nothing is known here\n"
				      : "  no window\n",
			      page->out);
		}
	}
}

/* To a peer busway p2p knows the way, and what would change it. */
static void put_why_not(struct page *page, const struct access *a)
{
	struct busway_refusal refusal = a->refusal;
	struct peer peer;
	const bool to_peer = find_peer(a->loaded, a->device, a->range, false, &peer);

	if (to_peer)
		refusal.advice_count = 0;
	put_refusal(page, &refusal);
	if (to_peer)
		put_peer(page, a->loaded, &peer);
}

static int why_text(const struct access *a, const struct options *options)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	put_styled(&page, STYLE_BOLD, "%s", a->device->name);
	fputs(" emits ", page.out);
	put_range(&page, a->range, 0);
	fputs(": ", page.out);
	if (a->ok)
		put_styled(&page, STYLE_GOOD, "reaches %s", target_of(a)->name);
	else
		put_styled(&page, STYLE_BAD, "refused");
	fputc('\n', page.out);
	put_hops(&page, a);
	if (!a->ok)
		put_why_not(&page, a);
	if (a->device->behind_iommu && !options->bypass_iommu && !options->quiet)
		fprintf(page.out,
			"  note: %s%s translates what comes out of this device's bus; shown is "
			"the way of an untranslated access\n",
			iommu_is_unknown(a->loaded, a->device) ? "perhaps " : "",
			iommu_name(a->device));
	return page_print(&page, a->ok ? EXIT_YES : EXIT_NO);
}

static int run(const struct options *options)
{
	struct access a = {0};
	struct busway_emission emission;
	struct loaded loaded;
	busway_device_id device;
	int status = EXIT_BAD;

	if (!parse_range(options->arguments[2], true, &a.range))
		return complain(
			"'%s' is no address and no range; say ADDR, ADDR+LEN or FIRST-LAST%s",
			options->arguments[2], number_hint(options->arguments[2]));
	if (!load(options->arguments[0], BUSWAY_FDT_ALL_NODES, &loaded))
		return EXIT_BAD;
	if (find_device(&loaded, options->arguments[1], options, &device)) {
		a.loaded = &loaded;
		a.device = busway_platform_device(loaded.platform, device);
		emission = emission_for(&loaded, device, options->mask);
		a.ok = busway_resolve(loaded.platform, device, busway_dma_range(a.range), &emission,
				      options->access, &a.path, &a.refusal) == 0;
		status = options->format == FORMAT_JSON ? why_json(&a) : why_text(&a, options);
	}
	unload(&loaded);
	return status;
}

const struct command command_why = {
	.name = "why",
	.arguments = "PLATFORM DEVICE ADDR[+LEN]",
	.summary = "follow one access of a device, hop by hop",
	.help = "\n"
		"ADDR is what the device emits: a bus address. Shows each space that the access\n"
		"crosses, the window by which it leaves it, and where it lands or what stops it.\n"
		"\n"
		"  busway why board.dtb mmc@7e340000 0xc000_0000+4K\n"
		"  busway why board.dtb pcie@7d500000:01:00.0 0x4_0000_0000 --mask 36\n",
	.min_arguments = 3,
	.max_arguments = 3,
	.run = run,
};
