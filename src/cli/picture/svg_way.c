/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_way.c - the way of one device: a column for each space, bands for windows.
 *
 * Bands come first, columns upon them. A window's label stands at its left end, at a piece of the
 * window's own: pieces do not overlap, so labels do not either. Where windows overlap, some
 * label may find no place; the tooltip of the band has it.
 */
#include "svg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BODY_WIDTH  290
#define GAP_WIDTH   210
#define HEAD_HEIGHT 46

/* ---- the spaces ---- */

static bool has_space(const struct svg_view *view, busway_space_id space)
{
	for (size_t i = 0; i < view->column_count; i++)
		if (view->columns[i].space.index == space.index)
			return true;
	return false;
}

static void add_space(struct svg_view *view, busway_space_id id)
{
	static const char *const titles[] = {
		[BUSWAY_SPACE_CPU] = "CPU-physical",
		[BUSWAY_SPACE_BUS] = "bus",
		[BUSWAY_SPACE_PCI] = "PCI bus",
	};
	const struct busway_space *space = busway_platform_space(view->loaded->platform, id);

	view->columns[view->column_count++] = (struct svg_column){
		.space = id,
		.title = titles[space->kind],
		.path = space->name,
	};
}

/* From the device's space along the windows, nearest first; the CPU's space is last. */
static bool find_columns(struct svg *svg, struct svg_view *view)
{
	const struct busway_platform *platform = view->loaded->platform;
	size_t count;
	const struct busway_window *windows = busway_platform_windows(platform, &count);

	view->columns =
		svg_keep(svg, busway_platform_space_count(platform), sizeof(*view->columns));
	if (!view->columns)
		return false;
	if (view->answer->device->dma.enters.index != BUSWAY_CPU_SPACE.index)
		add_space(view, view->answer->device->dma.enters);
	for (size_t c = 0; c < view->column_count; c++)
		for (size_t i = 0; i < count; i++)
			if (windows[i].from.index == view->columns[c].space.index &&
			    windows[i].to.index != BUSWAY_CPU_SPACE.index &&
			    !has_space(view, windows[i].to))
				add_space(view, windows[i].to);
	add_space(view, BUSWAY_CPU_SPACE);
	return true;
}

/* Follow each piece of the reach through the columns. */
static bool find_steps(struct svg *svg, struct svg_view *view)
{
	const struct busway_platform *platform = view->loaded->platform;
	const struct busway_emission emission =
		emission_for(view->loaded, view->answer->id, view->options->mask);
	struct busway_path *path = svg_keep(svg, 1, sizeof(*path));
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(view->answer->reach, &count);

	if (count > SVG_PIECES_MAX)
		count = 0; /* the columns are going to refuse */
	view->steps = svg_keep(svg, count * view->column_count, sizeof(*view->steps));
	if (!path || !view->steps)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (busway_resolve(platform, view->answer->id, pieces[i].dma, &emission,
				   pieces[i].access, path, NULL)) {
			view->steps_missing = true;
			continue;
		}
		for (unsigned h = 0; h + 1 < path->hop_count && h + 1 < view->column_count; h++)
			view->steps[view->step_count++] = (struct svg_step){
				.from = svg_column_of(view, path->hops[h].space),
				.to = svg_column_of(view, path->hops[h + 1].space),
				.in = path->hops[h].range,
				.out = path->hops[h + 1].range,
			};
	}
	return true;
}

/* ---- layout ---- */

static int strip_width(const struct svg_column *column)
{
	const uint64_t top = column->pieces[column->piece_count - 1].range.first;

	return svg_text_width(2 + (size_t)digits_for(top), SVG_SMALL) + 8;
}

static bool lay_out(struct svg_view *view, int y)
{
	int x = SVG_MARGIN, height = 0;

	svg_cut_columns(view);
	for (size_t c = 0; c < view->column_count; c++)
		if (!svg_column_slice(&view->columns[c]))
			return false;
	svg_name_pieces(view);
	for (size_t c = 0; c < view->column_count; c++) {
		struct svg_column *column = &view->columns[c];

		if (svg_column_layout(column, y) > height)
			height = column->height;
		column->labels_right = c && c == view->column_count - 1;
		column->x = x;
		column->width = strip_width(column) + BODY_WIDTH;
		x += column->width + GAP_WIDTH;
	}
	for (size_t c = 0; c < view->column_count; c++)
		svg_column_stretch(&view->columns[c], height);
	return true;
}

/* ---- bands ---- */

static void draw_band(struct svg *svg, const struct svg_column *from, struct busway_range in,
		      const struct svg_column *to, struct busway_range out, const char *look)
{
	const bool upwards = from < to;
	const struct svg_column *left = upwards ? from : to, *right = upwards ? to : from;
	const struct busway_range l = upwards ? in : out, r = upwards ? out : in;

	svg_band(svg, left->x + left->width, svg_column_top(left, l), svg_column_bottom(left, l),
		 right->x, svg_column_top(right, r), svg_column_bottom(right, r), look);
}

/* "at +0x40000000": where a window comes out, as seen from where it goes in. */
static void shift_text(char *text, size_t capacity, uint64_t in, uint64_t out)
{
	if (in == out)
		snprintf(text, capacity, "1:1");
	else
		snprintf(text, capacity, "%c0x%" PRIx64, out > in ? '+' : '-',
			 out > in ? out - in : in - out);
}

/* At the first piece of the window that no other label has taken. */
static void label_band(struct svg *svg, const struct svg_view *view, const struct svg_column *from,
		       bool *taken, const struct busway_window *window)
{
	const struct svg_piece *piece = svg_column_at(from, window->in.first);
	const struct svg_piece *end = from->pieces + from->piece_count;
	char shift[24], text[64];

	while (piece < end && piece->range.first <= window->in.last && taken[piece - from->pieces])
		piece++;
	if (piece == end || piece->range.first > window->in.last)
		return;
	taken[piece - from->pieces] = true;
	shift_text(shift, sizeof(shift), window->in.first, window->out.raw);
	if (from == view->columns && !view->answer->device->dma.restricted)
		snprintf(text, sizeof(text), "no table: %s", shift);
	else if (window->entry == UINT32_MAX)
		snprintf(text, sizeof(text), "passes it %s", shift);
	else
		snprintf(text, sizeof(text), "window %u, %s", window->entry, shift);
	/* edges of other bands may pass here */
	svg_rect(svg, from->x + from->width + 3, piece->y + 3,
		 svg_text_width(strlen(text), SVG_SMALL) + 5, 14,
		 "fill=\"#fff\" fill-opacity=\"0.7\"");
	svg_text(svg, from->x + from->width + 6, piece->y + 13, SVG_SMALL, GAP_WIDTH - 12, 0, "%s",
		 text);
}

static void window_tooltip(struct svg *svg, const struct busway_window *window, const char *what)
{
	const struct busway_range out = svg_window_out(window);
	char size[32];

	size_text(size, sizeof(size), window->in);
	if (window->entry == UINT32_MAX) {
		svg_group(svg, "%s passes everything 1:1", window->name);
		return;
	}
	svg_group(svg,
		  "%s %u of %s: 0x%" PRIx64 "..0x%" PRIx64 " -> 0x%" PRIx64 "..0x%" PRIx64 ", %s",
		  what, window->entry, window->name, window->in.first, window->in.last, out.first,
		  out.last, size);
}

/* What of the windows leads to memory. */
static void draw_steps(struct svg *svg, const struct svg_view *view)
{
	for (size_t i = 0; i < view->step_count; i++)
		draw_band(svg, view->steps[i].from, view->steps[i].in, view->steps[i].to,
			  view->steps[i].out,
			  "fill=\"#009e73\" fill-opacity=\"0.28\" stroke=\"#00674b\" "
			  "stroke-opacity=\"0.5\"");
}

static bool draw_windows(struct svg *svg, const struct svg_view *view)
{
	size_t count;
	const struct busway_window *windows =
		busway_platform_windows(view->loaded->platform, &count);
	bool **taken = svg_keep(svg, view->column_count, sizeof(*taken));

	for (size_t c = 0; taken && c < view->column_count; c++) {
		taken[c] = svg_keep(svg, view->columns[c].piece_count, sizeof(**taken));
		if (!taken[c])
			return false;
	}
	if (!taken)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct svg_column *from = svg_column_of(view, windows[i].from);
		const struct svg_column *to = svg_column_of(view, windows[i].to);

		/* an outbound one that passes below other columns would seem to end at them */
		if (!from || !to || from == to || from > to + 1)
			continue;
		window_tooltip(svg, &windows[i], from < to ? "window" : "outbound window");
		draw_band(svg, from, windows[i].in, to, svg_window_out(&windows[i]),
			  from < to ? "fill=\"#0072b2\" fill-opacity=\"0.13\" stroke=\"#0072b2\" "
				      "stroke-opacity=\"0.7\""
				    : "fill=\"#e6c000\" fill-opacity=\"0.22\" stroke=\"#8a6d00\" "
				      "stroke-dasharray=\"2 3\"");
		svg_group_end(svg);
	}
	draw_steps(svg, view);
	for (size_t i = 0; i < count; i++) {
		const struct svg_column *from = svg_column_of(view, windows[i].from);
		const struct svg_column *to = svg_column_of(view, windows[i].to);

		if (from && to && from < to)
			label_band(svg, view, from, taken[from - view->columns], &windows[i]);
	}
	return true;
}

/* ---- headings, mask ---- */

static bool names(const struct svg_mark *mark, const struct svg_view *view,
		  const struct svg_column *column)
{
	const struct busway_device *d = view->answer->device;

	if (mark->has_cpu || mark->has_bus)
		return false;
	return strcmp(mark->node, column->path) == 0 ||
	       (column == view->columns && (strcmp(mark->node, d->name) == 0 ||
					    (d->dma.source && !strcmp(mark->node, d->dma.source))));
}

static void draw_heading(struct svg *svg, const struct svg_view *view,
			 const struct svg_column *column, int y)
{
	const int strip = strip_width(column);
	const int x = column->labels_right ? column->x : column->x + strip;
	int used = 0;

	for (size_t i = 0; i < view->marks.count; i++) {
		if (used >= 5 * (SVG_FLAG + 2) || !names(&view->marks.list[i], view, column))
			continue;
		used += SVG_FLAG + 2;
		svg_flag(svg, x + BODY_WIDTH - used, y + 2, i + 1, &view->marks.list[i]);
	}
	svg_text(svg, x, y + 15, SVG_TEXT + 1, BODY_WIDTH - used, SVG_BOLD, "%s", column->title);
	svg_text(svg, x, y + 15 + SVG_LINE, SVG_TEXT, BODY_WIDTH, SVG_GREY, "%s",
		 column->space.index == BUSWAY_CPU_SPACE.index ? "memory as the CPU sees it"
							       : column->path);
}

static void draw_mask(struct svg *svg, const struct svg_column *column, const char *what,
		      uint64_t last, unsigned bits, const char *look)
{
	const int y = svg_column_bottom(column, (struct busway_range){0, last});

	svg_group(svg, "%s of %u bits: the device emits 0x0..0x%" PRIx64, what, bits, last);
	svg_line(svg, column->x - 14, y, column->x + column->width + 6, y, look);
	svg_group_end(svg);
}

static void draw_masks(struct svg *svg, const struct svg_view *view)
{
	uint64_t last;
	unsigned bits;

	if (svg_coherent_last(view, &last, &bits))
		draw_mask(svg, view->columns, "coherent mask", last, bits,
			  "stroke=\"#4b2e83\" stroke-width=\"3\" stroke-dasharray=\"3 3\"");
	if (svg_mask_last(view, view->options->mask, &last, &bits))
		draw_mask(svg, view->columns, "mask", last, bits,
			  "stroke=\"#b00020\" stroke-width=\"3\" stroke-dasharray=\"10 4\"");
}

bool svg_draw_way(struct svg *svg, const struct svg_view *asked, int y)
{
	struct svg_view view = *asked;
	bool ok = find_columns(svg, &view) && find_steps(svg, &view) &&
		  lay_out(&view, y + HEAD_HEIGHT) && draw_windows(svg, &view);

	for (size_t c = 0; ok && c < view.column_count; c++) {
		draw_heading(svg, &view, &view.columns[c], y);
		svg_draw_column(svg, &view, &view.columns[c]);
	}
	if (ok)
		draw_masks(svg, &view);
	for (size_t c = 0; c < view.column_count; c++)
		svg_column_free(&view.columns[c]);
	return ok;
}
