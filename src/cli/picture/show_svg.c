/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * show_svg.c - `busway show --format svg`: the whole picture.
 *
 * Of one device: its way to memory. Of a platform: memory beside all views of it, then the way
 * of each view that windows limit. Below: what is no address, the findings, and the legend.
 */
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How wide text below a picture may be where the picture itself is narrow. */
#define TEXT_WIDTH 860

/* ---- lines of text below a picture ---- */

static int width_of(const struct svg *svg)
{
	return svg->right - SVG_MARGIN > TEXT_WIDTH ? svg->right - SVG_MARGIN : TEXT_WIDTH;
}

static int next_line(struct svg *svg)
{
	return svg->bottom + SVG_LINE - 4;
}

static void put_head(struct svg *svg, const char *title, const char *below)
{
	svg_text(svg, SVG_MARGIN, SVG_MARGIN + SVG_HEAD, SVG_HEAD, TEXT_WIDTH, SVG_BOLD, "%s",
		 title);
	svg_text(svg, SVG_MARGIN, SVG_MARGIN + SVG_HEAD + 22, SVG_TEXT, TEXT_WIDTH, SVG_GREY, "%s",
		 below);
}

static void put_maps(struct svg *svg, const char *title, const struct busway_id_map *maps,
		     size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char doorbell[48] = "";

		if (maps[i].has_doorbell)
			snprintf(doorbell, sizeof(doorbell), ", doorbell at CPU 0x%" PRIx64,
				 maps[i].doorbell.raw);
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), 0, "%s %s%s%s",
			 title, maps[i].controller, doorbell, maps[i].enabled ? "" : " (disabled)");
	}
}

static void put_pools(struct svg *svg, const struct loaded *loaded)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(loaded->platform, &count);
	char size[32];

	for (size_t i = 0; i < count; i++) {
		if (!pools[i].dynamic && !pools[i].empty)
			continue;
		if (pools[i].dynamic && pools[i].size)
			size_text(size, sizeof(size), (struct busway_range){0, pools[i].size - 1});
		else
			snprintf(size, sizeof(size), "no size");
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), 0,
			 "pool %s (%s, %s): %s", pools[i].name, pool_type_name(pools[i].type), size,
			 pools[i].dynamic ? "placed at boot" : "filled in by firmware");
	}
}

/* With hops in between, what the windows come to together is not to be seen. */
static void put_windows(struct svg *svg, const struct svg_view *view)
{
	const struct answer *answer = view->answer;
	size_t count;
	const struct busway_window *windows =
		busway_platform_windows(view->loaded->platform, &count);
	bool hops = false;
	char size[32];

	for (size_t i = 0; i < count; i++)
		hops |= windows[i].from.index == answer->device->dma.enters.index &&
			windows[i].to.index != BUSWAY_CPU_SPACE.index;
	for (size_t i = 0; hops && answer->device->dma.restricted && i < answer->window_count;
	     i++) {
		const struct busway_piece *w = &answer->windows[i];

		size_text(size, sizeof(size), busway_dma_raw(w->dma));
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), 0,
			 "all hops together: bus 0x%" PRIx64 "..0x%" PRIx64 " -> CPU 0x%" PRIx64
			 ", %s",
			 w->dma.first.raw, w->dma.last.raw, w->phys.raw, size);
	}
}

static void put_facts(struct svg *svg, const struct svg_view *view)
{
	const struct busway_device *d = view->answer->device;
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(view->loaded->platform, &count);

	put_windows(svg, view);
	if (d->behind_iommu)
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), 0,
			 "behind an IOMMU: this is the way of accesses that it passes "
			 "untranslated");
	put_maps(svg, "IOMMU", d->iommu, d->iommu_count);
	put_maps(svg, "MSI to", d->msi, d->msi_count);
	for (size_t i = 0; i < d->pool_count; i++)
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), 0,
			 "pool %s (%s)%s", pools[d->pools[i]].name,
			 pool_type_name(pools[d->pools[i]].type),
			 d->pools[i] == d->restricted_pool ? ": every mapping has to come from it"
							   : "");
}

/* @text in as many lines as it takes, broken at spaces; the first one at @y. */
static void put_wrapped(struct svg *svg, int x, int y, int room, const char *text)
{
	const size_t most = (size_t)(room / svg_text_width(1, SVG_TEXT));

	while (*text) {
		size_t length = strlen(text), end = length;

		if (length > most) {
			for (end = most; end && text[end] != ' ';)
				end--;
			if (!end)
				end = most;
		}
		svg_text(svg, x, y, SVG_TEXT, room, 0, "%.*s", (int)end, text);
		text += end + (text[end] == ' ');
		y += SVG_LINE;
	}
}

static void put_marks(struct svg *svg, struct svg_marks marks)
{
	static const char *const names[] = {"note", "warning", "error"};
	char *text;

	if (!marks.count)
		return;
	svg_text(svg, SVG_MARGIN, svg->bottom + SVG_LINE * 2, SVG_TEXT + 1, TEXT_WIDTH, SVG_BOLD,
		 "findings");
	for (size_t i = 0; i < marks.count; i++) {
		const struct svg_mark *m = &marks.list[i];
		const int y = svg->bottom + SVG_LINE + 4;

		svg_flag(svg, SVG_MARGIN, y - 12, i + 1, m);
		if (asprintf(&text, "%s %s: %s%s%s: %s", names[m->severity], m->code, m->node,
			     m->property ? ": " : "", m->property ? m->property : "",
			     m->message) < 0)
			continue;
		put_wrapped(svg, SVG_MARGIN + SVG_FLAG + 8, y, width_of(svg) - SVG_FLAG - 8, text);
		free(text);
	}
}

/* Only what occurs in the picture. */
void svg_put_legend(struct svg *svg)
{
	const int right = SVG_MARGIN + width_of(svg);
	const unsigned kinds = svg->kinds;
	int x = SVG_MARGIN, y = svg->bottom + SVG_LINE;

	for (enum svg_kind kind = 0; kind < SVG_KIND_COUNT; kind++) {
		const char *text = svg_kind_text(kind);
		const int width = 28 + svg_text_width(strlen(text), SVG_SMALL) + 20;

		if (!(kinds & 1u << kind))
			continue;
		if (x + width > right && x > SVG_MARGIN) {
			x = SVG_MARGIN;
			y += SVG_LINE + 4;
		}
		svg_draw_box(svg, kind, false, x, y, 22, 14);
		svg_text(svg, x + 28, y + 11, SVG_SMALL, width, 0, "%s", text);
		x += width;
	}
	svg_text(svg, SVG_MARGIN, svg->bottom + SVG_LINE + 4, SVG_SMALL, width_of(svg), SVG_GREY,
		 "Addresses grow downwards, each at the beginning of its piece; heights are not to "
		 "scale.");
}

/* ---- one device ---- */

static void describe(char *text, size_t capacity, const struct svg_view *view)
{
	const struct answer *answer = view->answer;
	const struct busway_device *d = answer->device;
	char mask[96] = "";
	int used = 0;
	uint64_t last;
	unsigned bits;

	if (svg_mask_last(view, view->options->mask, &last, &bits))
		used = snprintf(mask, sizeof(mask), "; mask %u bits (dashed)", bits);
	if (svg_coherent_last(view, &last, &bits))
		snprintf(mask + used, sizeof(mask) - (size_t)used,
			 "; coherent mask %u bits (dotted)", bits);
	if (!d->dma.restricted)
		snprintf(text, capacity, "%s, %s; no windows: bus addresses are CPU addresses%s",
			 kind_name(d->kind), coherence_name(d->coherence), mask);
	else if (answer_error(answer))
		snprintf(text, capacity, "%s, %s; windows of %s: %s, nothing leads to memory%s",
			 kind_name(d->kind), coherence_name(d->coherence), d->dma.source,
			 answer_error(answer), mask);
	else
		snprintf(text, capacity, "%s, %s; windows of %s%s", kind_name(d->kind),
			 coherence_name(d->coherence), d->dma.source, mask);
}

static bool draw_device(struct svg *svg, const struct svg_view *view, char *title, size_t capacity)
{
	const struct busway_device *d = view->answer->device;
	char below[512];

	snprintf(title, capacity, "%s%s", d->name,
		 d->own.index != BUSWAY_NO_DEVICE.index ? " (its functions)"
		 : d->is_bridge_itself                  ? " itself, as a master"
							: "");
	describe(below, sizeof(below), view);
	put_head(svg, title, below);
	if (!svg_draw_way(svg, view, svg->bottom + SVG_LINE))
		return false;
	put_facts(svg, view);
	put_pools(svg, view->loaded);
	return true;
}

/* ---- a platform ---- */

struct overview {
	const struct loaded *loaded;
	const struct options *options;
	busway_device_id *devices; /* those that are shown */
	size_t count, disabled;
	struct answer *answers; /* one for each view */
	struct svg_lane *lanes;
	size_t lane_count;
};

static bool same_view(const struct loaded *loaded, busway_device_id a, busway_device_id b)
{
	const struct busway_device *x = busway_platform_device(loaded->platform, a);
	const struct busway_device *y = busway_platform_device(loaded->platform, b);

	return x->dma.enters.index == y->dma.enters.index && x->dma.source == y->dma.source &&
	       x->dma.restricted == y->dma.restricted && x->emission.zero == y->emission.zero &&
	       x->emission.one == y->emission.one && !x->emission.only_count &&
	       !y->emission.only_count;
}

/* Devices that are shown; host bridges count twice where they themselves see something else. */
static bool gather(struct svg *svg, struct overview *o, const busway_device_id *devices,
		   size_t count)
{
	o->devices = svg_keep(svg, 2 * count, sizeof(*o->devices));
	for (size_t i = 0; o->devices && i < count; i++) {
		const struct busway_device *d =
			busway_platform_device(o->loaded->platform, devices[i]);

		if (!d->enabled && !o->options->all) {
			o->disabled++;
			continue;
		}
		o->devices[o->count++] = devices[i];
		if (d->own.index != BUSWAY_NO_DEVICE.index &&
		    !same_view(o->loaded, devices[i], d->own))
			o->devices[o->count++] = d->own;
	}
	o->answers = svg_keep(svg, o->count, sizeof(*o->answers));
	o->lanes = svg_keep(svg, o->count, sizeof(*o->lanes));
	return o->devices && o->answers && o->lanes;
}

/* "A".."Z", "A1".."Z1", "A2" ... */
static void make_tag(char *tag, size_t capacity, size_t index)
{
	if (index < 26)
		snprintf(tag, capacity, "%c", (char)('A' + index));
	else
		snprintf(tag, capacity, "%c%u", (char)('A' + index % 26),
			 (unsigned)(index / 26 % 100000));
}

static bool group(struct overview *o)
{
	for (size_t i = 0; i < o->count; i++) {
		size_t lane = 0;

		while (lane < o->lane_count &&
		       !same_view(o->loaded, o->answers[lane].id, o->devices[i]))
			lane++;
		if (lane < o->lane_count) {
			o->lanes[lane].others++;
			continue;
		}
		if (answer_make(o->loaded, o->devices[i], o->options, &o->answers[lane]))
			return false;
		o->lanes[lane].answer = &o->answers[lane];
		make_tag(o->lanes[lane].tag, sizeof(o->lanes[lane].tag), lane);
		o->lane_count++;
	}
	return true;
}

static char *member_paths(const struct overview *o, size_t lane)
{
	char *paths = NULL;
	size_t size;
	FILE *out = open_memstream(&paths, &size);

	for (size_t i = 0; out && i < o->count; i++) {
		const struct busway_device *d =
			busway_platform_device(o->loaded->platform, o->devices[i]);

		if (same_view(o->loaded, o->answers[lane].id, o->devices[i]))
			fprintf(out, "%s%s ", d->name, d->is_bridge_itself ? " (itself)" : "");
	}
	if (out && fclose(out)) {
		free(paths);
		paths = NULL;
	}
	return paths;
}

static void put_members_line(struct svg *svg, const char *line)
{
	svg_text(svg, SVG_MARGIN, next_line(svg), SVG_SMALL, width_of(svg), SVG_GREY, "%s", line);
}

/* The devices of a view: a few lines of names, all of their paths in the tooltip. */
static void put_members(struct svg *svg, const struct overview *o, size_t lane)
{
	enum { LINES_MAX = 4, NAME_MAX_SHOWN = 60 };
	const size_t room = (size_t)width_of(svg) / (size_t)svg_text_width(1, SVG_SMALL);
	char line[1024] = "", name[96], *paths = member_paths(o, lane);
	size_t left = o->lanes[lane].others + 1, used = 0;
	int lines = 1;

	svg_group(svg, "%s", paths ? paths : "");
	for (size_t i = 0; i < o->count; i++) {
		const struct busway_device *d =
			busway_platform_device(o->loaded->platform, o->devices[i]);
		size_t length;

		if (!same_view(o->loaded, o->answers[lane].id, o->devices[i]))
			continue;
		length = (size_t)snprintf(
			name, sizeof(name), "%.*s%s%s", NAME_MAX_SHOWN, svg_base_name(d->name),
			d->is_bridge_itself ? " itself" : "", left > 1 ? ", " : "");
		/* the last line keeps room for how many more there are */
		if (used + length + (lines == LINES_MAX && left > 1 ? 14 : 0) > room ||
		    used + length + 32 > sizeof(line)) {
			if (lines++ == LINES_MAX)
				break;
			put_members_line(svg, line);
			used = 0;
		}
		memcpy(line + used, name, length + 1);
		used += length;
		left--;
	}
	if (left)
		snprintf(line + used, sizeof(line) - used, "and %zu more", left);
	put_members_line(svg, line);
	svg_group_end(svg);
	free(paths);
}

static bool draw_views(struct svg *svg, const struct overview *o, struct svg_marks marks)
{
	for (size_t i = 0; i < o->lane_count; i++) {
		const struct svg_view view = {.loaded = o->loaded,
					      .options = o->options,
					      .answer = &o->answers[i],
					      .marks = marks};
		const struct busway_device *d = o->answers[i].device;
		char below[512], others[48] = "";

		if (o->lanes[i].others)
			snprintf(others, sizeof(others), " and %zu other%s", o->lanes[i].others,
				 o->lanes[i].others == 1 ? "" : "s");
		svg_line(svg, SVG_MARGIN, svg->bottom + SVG_LINE, SVG_MARGIN + width_of(svg),
			 svg->bottom + SVG_LINE, "stroke=\"#999\"");
		svg_text(svg, SVG_MARGIN, svg->bottom + SVG_LINE + 8, SVG_TEXT + 2, width_of(svg),
			 SVG_BOLD, "%s  %s%s%s", o->lanes[i].tag, d->name,
			 d->is_bridge_itself ? " itself" : "", others);
		describe(below, sizeof(below), &view);
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, width_of(svg), SVG_GREY, "%s",
			 below);
		if (o->lanes[i].others)
			put_members(svg, o, i);
		/* where bus addresses are the CPU's and all is reached, the lane has told it */
		if (d->dma.restricted || d->dma.enters.index != BUSWAY_CPU_SPACE.index ||
		    o->answers[i].missed.count) {
			if (!svg_draw_way(svg, &view, svg->bottom + SVG_LINE))
				return false;
			put_windows(svg, &view);
		}
	}
	return true;
}

static bool draw_platform(struct svg *svg, struct overview *o, struct svg_marks marks, char *title,
			  size_t capacity)
{
	const char *model = busway_platform_model(o->loaded->platform);
	size_t count;
	const char *const *names = busway_platform_compatible(o->loaded->platform, &count);
	char below[256];
	bool ok;

	snprintf(title, capacity, "%s", model[0] ? model : "(no model)");
	snprintf(below, sizeof(below), "%s%s%zu DMA-capable device%s, %zu view%s of memory",
		 count ? names[0] : "", count ? ": " : "", o->count, o->count == 1 ? "" : "s",
		 o->lane_count, o->lane_count == 1 ? "" : "s");
	put_head(svg, title, below);
	if (!busway_platform_memory_known(o->loaded->platform))
		svg_text(
			svg, SVG_MARGIN, next_line(svg), SVG_TEXT, TEXT_WIDTH, 0,
			"memory: the tree states none (boot loaders fill it in): reach is unknown");
	ok = svg_draw_matrix(svg, o->loaded, o->lanes, o->lane_count, marks,
			     svg->bottom + SVG_LINE);
	put_pools(svg, o->loaded);
	if (o->disabled)
		svg_text(svg, SVG_MARGIN, next_line(svg), SVG_TEXT, TEXT_WIDTH, SVG_GREY,
			 "%zu disabled device%s not shown", o->disabled,
			 o->disabled == 1 ? " is" : "s are");
	return ok && draw_views(svg, o, marks);
}

int show_svg(const struct loaded *loaded, const struct options *options,
	     const busway_device_id *devices, size_t count, bool one, struct svg_marks marks)
{
	struct overview overview = {.loaded = loaded, .options = options};
	struct answer answer;
	struct svg svg;
	char title[512] = "";
	bool ok = false;

	if (!svg_open(&svg))
		return EXIT_BAD;
	if (!one) {
		ok = gather(&svg, &overview, devices, count) && group(&overview) &&
		     draw_platform(&svg, &overview, marks, title, sizeof(title));
	} else if (answer_make(loaded, devices[0], options, &answer) == 0) {
		const struct svg_view view = {
			.loaded = loaded, .options = options, .answer = &answer, .marks = marks};

		ok = draw_device(&svg, &view, title, sizeof(title));
		answer_free(&answer);
	}
	if (ok) {
		put_marks(&svg, marks);
		svg_put_legend(&svg);
	}
	for (size_t i = 0; i < overview.lane_count; i++)
		answer_free(&overview.answers[i]);
	if (ok)
		return svg_print(&svg, title,
				 one ? "Address spaces on the way from a device to memory, as "
				       "columns, and the windows between them, as bands."
				     : "Memory of a platform beside what its devices reach of it, "
				       "and the windows that they reach it through.");
	svg_free(&svg);
	return EXIT_BAD;
}
