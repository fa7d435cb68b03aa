/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_iova.c - `busway show --iova --format svg`: the space of IOVAs as a column, what of it can be
 * used, and beside it who takes the rest.
 */
#include "../iova/iova.h"
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
	BODY = 250,       /* width of the column, without the addresses */
	WHO = 420,        /* width of what stands beside it */
	MEMBERS_MAX = 12, /* lines */
	DIGITS = 16
};

static const enum svg_kind looks[] = {
	[BUSWAY_IOVA_NO_WINDOW] = SVG_KIND_HOLE,    [BUSWAY_IOVA_APERTURE] = SVG_KIND_APERTURE,
	[BUSWAY_IOVA_RESERVED] = SVG_KIND_KEPT,     [BUSWAY_IOVA_EMISSION] = SVG_KIND_BEYOND,
	[BUSWAY_IOVA_DOORBELL] = SVG_KIND_DOORBELL, [BUSWAY_IOVA_REPORTED] = SVG_KIND_KEPT,
	[BUSWAY_IOVA_SYSTEM] = SVG_KIND_KEPT,
};

/* What a piece looks like that several took away: what answers there goes first. */
static enum svg_kind look_of(unsigned causes)
{
	static const enum busway_iova_cause order[] = {BUSWAY_IOVA_APERTURE,  BUSWAY_IOVA_DOORBELL,
						       BUSWAY_IOVA_NO_WINDOW, BUSWAY_IOVA_EMISSION,
						       BUSWAY_IOVA_SYSTEM,    BUSWAY_IOVA_RESERVED,
						       BUSWAY_IOVA_REPORTED};

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++)
		if (causes >> order[i] & 1)
			return looks[order[i]];
	return SVG_KIND_IOVA;
}

/* ---- one piece ---- */

static bool covers(const struct busway_iova_removed *removed, const struct svg_piece *piece)
{
	return busway_range_has(removed->range, piece->range.first);
}

/* Who took it, the first by name. */
static void put_who(struct svg *svg, const struct busway_iova *iova, const struct svg_piece *piece,
		    int x)
{
	const struct busway_iova_removed *first = NULL;
	size_t others = 0;
	char more[32] = "", text[512];

	for (size_t i = 0; i < iova->removed_count; i++) {
		if (!covers(&iova->removed[i], piece))
			continue;
		others += first != NULL;
		if (!first)
			first = &iova->removed[i];
	}
	if (!first)
		return;
	removed_text(first, text, sizeof(text));
	if (others)
		snprintf(more, sizeof(more), ", and %zu more", others);
	svg_text(svg, x, piece->y + piece->height / 2 + 4, SVG_SMALL, WHO, 0, "%s%s", text, more);
}

/* The range, and all that takes it, each with a range of its own. */
static void open_tooltip(struct svg *svg, const struct busway_iova *iova,
			 const struct svg_piece *piece)
{
	struct page page = {0};
	char text[512], size[32];

	size_text(size, sizeof(size), piece->range);
	page.out = open_memstream(&page.text, &page.size);
	for (size_t i = 0; page.out && i < iova->removed_count; i++) {
		const struct busway_iova_removed *r = &iova->removed[i];

		if (!covers(r, piece))
			continue;
		removed_text(r, text, sizeof(text));
		fprintf(page.out, "; 0x%" PRIx64 "..0x%" PRIx64 " %s: %s", r->range.first,
			r->range.last, iova_cause_name(r->cause), text);
	}
	if (page.out)
		fclose(page.out);
	svg_group(svg, "0x%" PRIx64 "..0x%" PRIx64 ", %s%s", piece->range.first, piece->range.last,
		  size, page.text ? page.text : "");
	free(page.text);
}

static void draw_piece(struct svg *svg, const struct busway_iova *iova,
		       const struct svg_piece *piece, unsigned causes, int x)
{
	const int label = svg_text_width(2 + DIGITS, SVG_SMALL) + 8, middle = piece->height / 2 + 4;
	char size[32], words[128] = "can be used";

	if (causes)
		causes_text(causes, words, sizeof(words));
	size_text(size, sizeof(size), piece->range);
	open_tooltip(svg, iova, piece);
	svg_draw_box(svg, piece->kind, false, x + label, piece->y, BODY, piece->height);
	svg_text(svg, x + label + 7, piece->y + middle, SVG_TEXT, BODY - 14,
		 causes ? SVG_PLAIN : SVG_BOLD, "%s %s", size, words);
	svg_line(svg, x, piece->y, x + label, piece->y, "stroke=\"#bbb\" stroke-width=\"1\"");
	svg_text(svg, x + 2, piece->y + 13, SVG_SMALL, label, 0, "0x%016" PRIx64,
		 piece->range.first);
	put_who(svg, iova, piece, x + label + BODY + 10);
	svg_group_end(svg);
}

/* ---- one group ---- */

static bool draw_space(struct svg *svg, const struct iova_group *group)
{
	struct svg_column column = {.path = "IOVAs"};
	size_t count;
	struct iova_part *parts = make_parts(&group->iova, &count);
	bool ok;

	for (size_t i = 0; parts && i < count; i++)
		svg_column_cut(&column, parts[i].range);
	ok = parts && svg_column_slice(&column);
	if (ok) { /* a piece for each part */
		for (size_t i = 0; i < count; i++)
			column.pieces[i].kind = look_of(parts[i].causes);
		svg_column_layout(&column, svg->bottom + SVG_LINE);
		for (size_t i = 0; i < count; i++)
			draw_piece(svg, &group->iova, &column.pieces[i], parts[i].causes,
				   SVG_MARGIN);
	}
	svg_column_free(&column);
	free(parts);
	return ok;
}

static void put_line(struct svg *svg, int size, unsigned style, const char *text)
{
	svg_text(svg, SVG_MARGIN, svg->bottom + SVG_LINE, size, 2 * WHO, style, "%s", text);
}

static void put_members(struct svg *svg, const struct loaded *loaded,
			const struct iova_group *group)
{
	char line[600], size[32] = "none";
	struct busway_range usable;

	for (size_t i = 0; i < group->count && i < MEMBERS_MAX; i++) {
		const struct busway_device *d =
			busway_platform_device(loaded->platform, group->devices[i]);

		snprintf(line, sizeof(line), "%s%s", d->name, d->is_bridge_itself ? " itself" : "");
		put_line(svg, SVG_TEXT + 2, SVG_BOLD, line);
	}
	if (group->count > MEMBERS_MAX) {
		snprintf(line, sizeof(line), "and %zu more", group->count - MEMBERS_MAX);
		put_line(svg, SVG_TEXT, SVG_GREY, line);
	}
	if (usable_size(&group->iova, &usable))
		size_text(size, sizeof(size), usable);
	snprintf(line, sizeof(line), "IOVAs that %s can use: %s",
		 group->count > 1 ? "all of them" : "it", size);
	put_line(svg, SVG_TEXT, SVG_GREY, line);
}

int show_iova_svg(const struct loaded *loaded, const struct iova_groups *groups)
{
	const char *model = busway_platform_model(loaded->platform);
	char title[300];
	struct svg svg;
	bool ok;

	if (!svg_open(&svg))
		return EXIT_BAD;
	snprintf(title, sizeof(title), "IOVAs of %s", model[0] ? model : "(no model)");
	svg_text(&svg, SVG_MARGIN, SVG_MARGIN + SVG_HEAD, SVG_HEAD, 2 * WHO, SVG_BOLD, "%s", title);
	if (!groups->count)
		put_line(&svg, SVG_TEXT, 0, "no device is behind an IOMMU");
	ok = true;
	for (size_t i = 0; ok && i < groups->count; i++) {
		put_members(&svg, loaded, &groups->list[i]);
		ok = draw_space(&svg, &groups->list[i]);
	}
	if (ok) {
		svg_put_legend(&svg);
		return svg_print(&svg, title,
				 "The space of I/O virtual addresses of groups of devices: what of "
				 "it they can use, and who takes the rest.");
	}
	svg_free(&svg);
	return EXIT_BAD;
}
