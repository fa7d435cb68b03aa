/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_column.c - what the pieces of a column are, and how they look.
 *
 * Columns are cut first (svg_cut_columns()), so that each piece is one thing from end to end;
 * then each piece is named by what holds its first address, in the order of the model: a region
 * before a window, a window before nothing.
 */
#include "svg.h"

#include <inttypes.h>
#include <string.h>

/* ---- looks ---- */

static const struct {
	const char *look, *pattern, *text;
} kinds[SVG_KIND_COUNT] = {
	[SVG_KIND_MEMORY] = {"fill=\"#bfe8d8\" stroke=\"#00674b\"", NULL, "memory"},
	[SVG_KIND_MISSED] = {"fill=\"#fde3cc\" stroke=\"#a34700\"", "missed",
			     "memory out of reach"},
	[SVG_KIND_POOL] = {"fill=\"#cfe6f7\" stroke=\"#0b5c8e\" stroke-width=\"2\"", NULL,
			   "reserved memory, pool"},
	[SVG_KIND_CARVEOUT] = {"fill=\"#f3dfea\" stroke=\"#882255\"", "carveout",
			       "carve-out (no-map)"},
	[SVG_KIND_WINDOW] = {"fill=\"#dbe9f4\" stroke=\"#0072b2\"", NULL,
			     "window, memory behind it"},
	[SVG_KIND_EMPTY] = {"fill=\"#f4f8fb\" stroke=\"#0072b2\" stroke-dasharray=\"5 3\"", NULL,
			    "window, no usable memory behind it"},
	[SVG_KIND_HOLE] = {"fill=\"#fff\" stroke=\"#999\"", "hole", "hole: nothing forwards it"},
	[SVG_KIND_BEYOND] = {"fill=\"#eee\" stroke=\"#999\"", "beyond", "beyond the mask"},
	[SVG_KIND_APERTURE] = {"fill=\"#fbf1b8\" stroke=\"#8a6d00\"", "aperture",
			       "aperture: a peer answers, not memory"},
	[SVG_KIND_OUTBOUND] = {"fill=\"#fbf1b8\" stroke=\"#8a6d00\" stroke-dasharray=\"2 2\"",
			       "aperture", "outbound window of the CPU"},
	[SVG_KIND_DOORBELL] = {"fill=\"#e4dcf4\" stroke=\"#4b2e83\" stroke-width=\"2\"", NULL,
			       "MSI doorbell"},
	[SVG_KIND_UNKNOWN] = {"fill=\"#f3f3ee\" stroke=\"#777\" stroke-dasharray=\"5 3\"", NULL,
			      "may be memory: the platform states none"},
	[SVG_KIND_GAP] = {"fill=\"#fff\" stroke=\"#bbb\" stroke-dasharray=\"1 3\"", NULL,
			  "no memory (not to scale)"},
	[SVG_KIND_IOVA] = {"fill=\"#bfe8d8\" stroke=\"#00674b\"", NULL, "IOVAs that can be used"},
	[SVG_KIND_KEPT] = {"fill=\"#f3dfea\" stroke=\"#882255\"", "carveout",
			   "kept free, or not in a report"},
};

const char *svg_kind_text(enum svg_kind kind)
{
	return kinds[kind].text;
}

static void put_pattern(struct svg *svg, const char *pattern, int x, int y, int width, int height)
{
	char look[48];

	snprintf(look, sizeof(look), "fill=\"url(#%s)\"", pattern);
	svg_rect(svg, x, y, width, height, look);
}

void svg_draw_box(struct svg *svg, enum svg_kind kind, bool missed, int x, int y, int width,
		  int height)
{
	svg->kinds |= 1u << kind | (missed ? 1u << SVG_KIND_MISSED : 0);
	svg_rect(svg, x, y, width, height, kinds[kind].look);
	if (kinds[kind].pattern)
		put_pattern(svg, kinds[kind].pattern, x, y, width, height);
	if (missed && kind != SVG_KIND_MISSED)
		put_pattern(svg, kinds[SVG_KIND_MISSED].pattern, x, y, width, height);
}

/* ---- memory ---- */

struct busway_range svg_window_out(const struct busway_window *window)
{
	return (struct busway_range){window->out.raw,
				     window->out.raw + busway_range_span(window->in)};
}

struct busway_range svg_piece_phys(const struct busway_piece *piece)
{
	return (struct busway_range){
		piece->phys.raw, piece->phys.raw + (piece->dma.last.raw - piece->dma.first.raw)};
}

static bool has_range(const struct busway_pool *pool)
{
	return !pool->dynamic && !pool->empty;
}

static const char *pool_words(const struct busway_pool *pool)
{
	if (!pool->enabled)
		return "disabled pool";
	if (pool->ignored)
		return "ignored pool";
	return pool->type == BUSWAY_POOL_RESTRICTED ? "restricted pool"
	       : pool->type == BUSWAY_POOL_SHARED   ? "shared pool"
						    : "reserved";
}

void svg_cut_memory(const struct busway_platform *platform, struct svg_column *column)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);
	const struct busway_pool *pools;
	const struct busway_region *regions;

	for (size_t i = 0; i < count; i++)
		svg_column_cut(column, banks[i].range);
	pools = busway_platform_pools(platform, &count);
	for (size_t i = 0; i < count; i++)
		if (has_range(&pools[i]))
			svg_column_cut(column, pools[i].range);
	regions = busway_platform_regions(platform, &count);
	for (size_t i = 0; i < count; i++)
		if (regions[i].kind == BUSWAY_REGION_CARVEOUT && regions[i].space.index == 0)
			svg_column_cut(column, regions[i].range);
}

void svg_name_memory(const struct busway_platform *platform, struct svg_piece *piece)
{
	const uint64_t address = piece->range.first;
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);
	const struct busway_pool *pools;
	const struct busway_region *regions;

	for (size_t i = count; i-- > 0;)
		if (busway_range_has(banks[i].range, address)) {
			piece->kind = SVG_KIND_MEMORY;
			piece->name = banks[i].name;
		}
	pools = busway_platform_pools(platform, &count);
	for (size_t i = count; i-- > 0;)
		if (has_range(&pools[i]) && busway_range_has(pools[i].range, address)) {
			piece->kind = SVG_KIND_POOL;
			piece->name = pools[i].name;
			piece->what = pool_words(&pools[i]);
		}
	regions = busway_platform_regions(platform, &count);
	for (size_t i = count; i-- > 0;)
		if (regions[i].kind == BUSWAY_REGION_CARVEOUT && regions[i].space.index == 0 &&
		    busway_range_has(regions[i].range, address)) {
			piece->kind = SVG_KIND_CARVEOUT;
			piece->name = regions[i].name;
		}
}

void svg_memory_tooltip(struct svg *svg, const struct busway_platform *platform,
			const struct svg_piece *piece)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(platform, &count);
	char size[32], more[1024] = "";
	int used = 0;

	size_text(size, sizeof(size), piece->range);
	for (size_t i = 0; i < count && used < (int)sizeof(more) - 1; i++)
		if (has_range(&pools[i]) && busway_range_has(pools[i].range, piece->range.first))
			used += snprintf(more + used, sizeof(more) - (size_t)used,
					 "; %s pool %s%s%s", pool_type_name(pools[i].type),
					 pools[i].name, pools[i].no_map ? ", no-map" : "",
					 pools[i].enabled ? "" : ", disabled");
	svg_group(svg, "0x%" PRIx64 "..0x%" PRIx64 ", %s: %s%s%s%s%s", piece->range.first,
		  piece->range.last, size, kinds[piece->kind].text, piece->name ? ": " : "",
		  piece->name ? piece->name : "",
		  piece->missed && piece->kind != SVG_KIND_MISSED ? ", out of reach" : "", more);
}

/* ---- the columns of a way ---- */

bool svg_mask_last(const struct svg_view *view, unsigned mask, uint64_t *last, unsigned *bits)
{
	const struct busway_emission emission = emission_for(view->loaded, view->answer->id, mask);

	*last = ~emission.zero;
	*bits = busway_bits_needed(*last);
	return *last != UINT64_MAX && *last == busway_bits_last(*bits);
}

bool svg_coherent_last(const struct svg_view *view, uint64_t *last, unsigned *bits)
{
	return view->options->has_coherent_mask &&
	       svg_mask_last(view, view->options->coherent_mask, last, bits);
}

struct svg_column *svg_column_of(const struct svg_view *view, busway_space_id space)
{
	for (size_t i = 0; i < view->column_count; i++)
		if (view->columns[i].space.index == space.index)
			return &view->columns[i];
	return NULL;
}

/* Regions that are shown in a column: all on a bus; in the CPU's, doorbells that @view rings. */
static bool is_shown(const struct svg_view *view, const struct busway_region *region)
{
	const struct busway_device *d = view->answer->device;

	if (region->kind == BUSWAY_REGION_UNKNOWN)
		return false;
	if (region->space.index != BUSWAY_CPU_SPACE.index)
		return true;
	if (region->kind != BUSWAY_REGION_DOORBELL)
		return region->kind == BUSWAY_REGION_APERTURE;
	for (size_t i = 0; i < d->msi_count; i++)
		if (d->msi[i].has_doorbell &&
		    busway_range_has(region->range, d->msi[i].doorbell.raw))
			return true;
	return false;
}

void svg_cut_columns(const struct svg_view *view)
{
	const struct busway_platform *platform = view->loaded->platform;
	struct svg_column *cpu = &view->columns[view->column_count - 1];
	size_t count;
	const struct busway_window *windows = busway_platform_windows(platform, &count);
	const struct busway_region *regions;
	const struct busway_piece *pieces;
	uint64_t last;
	unsigned bits;

	for (size_t i = 0; i < count; i++) {
		struct svg_column *from = svg_column_of(view, windows[i].from);
		struct svg_column *to = svg_column_of(view, windows[i].to);

		if (from && to && from != to) {
			svg_column_cut(from, windows[i].in);
			svg_column_cut(to, svg_window_out(&windows[i]));
		}
	}
	regions = busway_platform_regions(platform, &count);
	for (size_t i = 0; i < count; i++) {
		struct svg_column *column = svg_column_of(view, regions[i].space);

		if (column && is_shown(view, &regions[i]))
			svg_column_cut(column, regions[i].range);
	}
	svg_cut_memory(platform, cpu);
	for (size_t i = 0; i < view->answer->missed.count; i++)
		svg_column_cut(cpu, view->answer->missed.runs[i]);
	pieces = busway_reach_pieces(view->answer->reach, &count);
	for (size_t i = 0; i < count && i <= SVG_PIECES_MAX; i++) {
		svg_column_cut(&view->columns[0], busway_dma_raw(pieces[i].dma));
		svg_column_cut(cpu, svg_piece_phys(&pieces[i]));
	}
	for (size_t i = 0; i < view->step_count; i++)
		if (view->steps[i].from != view->columns)
			svg_column_cut(svg_column_of(view, view->steps[i].from->space),
				       view->steps[i].in);
	if (svg_mask_last(view, view->options->mask, &last, &bits))
		svg_column_cut(&view->columns[0], (struct busway_range){0, last});
	if (svg_coherent_last(view, &last, &bits))
		svg_column_cut(&view->columns[0], (struct busway_range){0, last});
}

static void name_cpu(const struct svg_view *view, struct svg_piece *piece)
{
	const struct busway_platform *platform = view->loaded->platform;
	size_t count;
	const struct busway_window *windows = busway_platform_windows(platform, &count);
	const struct busway_region *regions;

	if (!busway_platform_memory_known(platform))
		piece->kind = SVG_KIND_UNKNOWN;
	for (size_t i = count; i-- > 0;) {
		if (windows[i].from.index == 0 && svg_column_of(view, windows[i].to) &&
		    busway_range_has(windows[i].in, piece->range.first)) {
			piece->kind = SVG_KIND_OUTBOUND;
			piece->name = windows[i].name;
		}
	}
	svg_name_memory(platform, piece);
	regions = busway_platform_regions(platform, &count);
	for (size_t i = count; i-- > 0;) {
		if (regions[i].space.index == 0 && is_shown(view, &regions[i]) &&
		    busway_range_has(regions[i].range, piece->range.first)) {
			piece->kind = regions[i].kind == BUSWAY_REGION_DOORBELL ? SVG_KIND_DOORBELL
										: SVG_KIND_APERTURE;
			piece->name = regions[i].name;
		}
	}
	piece->missed = busway_intervals_has(&view->answer->missed, piece->range.first);
	if (piece->missed && piece->kind == SVG_KIND_MEMORY)
		piece->kind = SVG_KIND_MISSED;
}

static bool is_stepped_on(const struct svg_view *view, const struct svg_column *column,
			  uint64_t address)
{
	for (size_t i = 0; i < view->step_count; i++)
		if (view->steps[i].from == column && busway_range_has(view->steps[i].in, address))
			return true;
	return false;
}

static void name_bus(const struct svg_view *view, const struct svg_column *column,
		     struct svg_piece *piece)
{
	static const enum svg_kind of_region[] = {
		[BUSWAY_REGION_DOORBELL] = SVG_KIND_DOORBELL,
		[BUSWAY_REGION_CARVEOUT] = SVG_KIND_CARVEOUT,
		[BUSWAY_REGION_APERTURE] = SVG_KIND_APERTURE,
		[BUSWAY_REGION_RAM] = SVG_KIND_MEMORY,
		[BUSWAY_REGION_UNKNOWN] = SVG_KIND_UNKNOWN,
	};
	const struct busway_platform *platform = view->loaded->platform;
	const bool first = column == view->columns;
	const uint64_t address = piece->range.first;
	const struct busway_piece *reached;
	size_t count;
	const struct busway_window *windows = busway_platform_windows(platform, &count);
	const struct busway_region *regions, *best = NULL;

	piece->kind = SVG_KIND_HOLE;
	for (size_t i = count; i-- > 0;)
		if (windows[i].from.index == column->space.index &&
		    busway_range_has(windows[i].in, address)) {
			piece->kind =
				first || !view->steps_missing ? SVG_KIND_EMPTY : SVG_KIND_WINDOW;
			piece->name = NULL;
		}
	if (!first && piece->kind != SVG_KIND_HOLE && is_stepped_on(view, column, address))
		piece->kind = SVG_KIND_WINDOW;
	reached = first ? busway_reach_find(view->answer->reach, (busway_dma_t){address}) : NULL;
	if (reached) {
		piece->kind =
			busway_platform_memory_known(platform) ? SVG_KIND_WINDOW : SVG_KIND_UNKNOWN;
		piece->name = busway_platform_region(platform, reached->target)->name;
	}
	regions = busway_platform_regions(platform, &count);
	for (size_t i = 0; i < count; i++)
		if (regions[i].space.index == column->space.index && is_shown(view, &regions[i]) &&
		    busway_range_has(regions[i].range, address) &&
		    (!best || regions[i].kind < best->kind))
			best = &regions[i];
	if (best && !reached) {
		piece->kind = of_region[best->kind];
		piece->name = best->name;
	}
}

void svg_name_pieces(const struct svg_view *view)
{
	uint64_t last = UINT64_MAX;
	unsigned bits;

	if (!svg_mask_last(view, view->options->mask, &last, &bits))
		last = UINT64_MAX;
	for (size_t c = 0; c < view->column_count; c++) {
		const struct svg_column *column = &view->columns[c];

		for (size_t i = 0; i < column->piece_count; i++) {
			struct svg_piece *piece = &column->pieces[i];

			if (c == view->column_count - 1)
				name_cpu(view, piece);
			else
				name_bus(view, column, piece);
			if (c == 0 && piece->range.first > last &&
			    (piece->kind == SVG_KIND_HOLE || piece->kind == SVG_KIND_EMPTY ||
			     piece->kind == SVG_KIND_GAP))
				piece->kind = SVG_KIND_BEYOND;
		}
	}
}

/* ---- drawing ---- */

static const char *words(const struct svg_view *view, const struct svg_column *column,
			 const struct svg_piece *piece)
{
	switch (piece->kind) {
	case SVG_KIND_MISSED:
		return "out of reach";
	case SVG_KIND_POOL:
		return piece->missed ? "out of reach:" : piece->what;
	case SVG_KIND_CARVEOUT:
		return "no-map";
	case SVG_KIND_WINDOW:
		return piece->name ? "to" : "window, to memory";
	case SVG_KIND_EMPTY:
		return column == view->columns ? "window, no usable memory" : "window";
	case SVG_KIND_HOLE:
		return "hole";
	case SVG_KIND_BEYOND:
		return "beyond the mask";
	case SVG_KIND_APERTURE:
		return "aperture of";
	case SVG_KIND_OUTBOUND:
		return "outbound to";
	case SVG_KIND_DOORBELL:
		return "doorbell";
	case SVG_KIND_UNKNOWN:
		return "memory not stated";
	case SVG_KIND_GAP:
		return "no memory";
	default:
		return "";
	}
}

/* Fillers have no name worth a place; of the others the end of the path is shown. */
static const char *shown_name(const struct svg_piece *piece)
{
	if (!piece->name || piece->kind == SVG_KIND_EMPTY || piece->kind == SVG_KIND_HOLE ||
	    piece->kind == SVG_KIND_BEYOND || piece->kind == SVG_KIND_GAP ||
	    piece->kind == SVG_KIND_UNKNOWN)
		return "";
	return svg_base_name(piece->name);
}

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

/* Does a flag stand at this piece? With a range, at the piece that holds its first address. */
static bool is_marked(const struct svg_view *view, const struct svg_column *column,
		      const struct svg_piece *piece, const struct svg_mark *mark)
{
	const bool cpu = column == &view->columns[view->column_count - 1];

	if (mark->has_cpu && cpu)
		return busway_range_has(piece->range, mark->cpu.first);
	if (mark->has_bus && !cpu)
		return busway_range_has(piece->range, mark->bus.first) &&
		       (is_same(mark->node, column->path) ||
			(column == view->columns &&
			 (is_same(mark->node, view->answer->device->name) ||
			  is_same(mark->node, view->answer->device->dma.source))));
	return !mark->has_cpu && !mark->has_bus && cpu && is_same(mark->node, piece->name) &&
	       (piece == column->pieces || !is_same(mark->node, piece[-1].name));
}

static int draw_flags(struct svg *svg, const struct svg_view *view, const struct svg_column *column,
		      const struct svg_piece *piece, int right)
{
	int used = 0;

	for (size_t i = 0; i < view->marks.count; i++) {
		const struct svg_mark *mark = &view->marks.list[i];

		if (used >= 4 * (SVG_FLAG + 2) || !is_marked(view, column, piece, mark))
			continue;
		used += SVG_FLAG + 2;
		svg_flag(svg, right - used, piece->y + 2, i + 1, mark);
	}
	return used;
}

void svg_piece_size(char *text, size_t capacity, const struct svg_piece *piece)
{
	if (piece->range.last == UINT64_MAX && piece->range.first)
		snprintf(text, capacity, "up to 2^64:");
	else
		size_text(text, capacity, piece->range);
}

static void draw_piece(struct svg *svg, const struct svg_view *view,
		       const struct svg_column *column, const struct svg_piece *piece, int x,
		       int width)
{
	const char *what = words(view, column, piece), *name = shown_name(piece);
	const char *space = *what && *name ? " " : "";
	const bool name_first = piece->kind == SVG_KIND_MISSED;
	const char *first = name_first ? name : what, *second = name_first ? what : name;
	char size[32];
	int room;

	svg_piece_size(size, sizeof(size), piece);
	svg_memory_tooltip(svg, view->loaded->platform, piece);
	svg_draw_box(svg, piece->kind, piece->missed, x, piece->y, width, piece->height);
	room = width - 14 - draw_flags(svg, view, column, piece, x + width);
	if (piece->height >= 2 * SVG_LINE && (*what || *name)) {
		const int y = piece->y + piece->height / 2;

		svg_text(svg, x + 7, y - 4, SVG_TEXT, room, SVG_BOLD, "%s", size);
		svg_text(svg, x + 7, y + 12, SVG_TEXT, width - 14, 0, "%s%s%s", first, space,
			 second);
	} else {
		svg_text(svg, x + 7, piece->y + piece->height / 2 + 4, SVG_TEXT, room, 0,
			 "%s %s%s%s", size, first, space, second);
	}
	svg_group_end(svg);
}

void svg_draw_column(struct svg *svg, const struct svg_view *view, const struct svg_column *column)
{
	const struct svg_piece *last = &column->pieces[column->piece_count - 1];
	const int digits = digits_for(last->range.first);
	const int strip = svg_text_width(2 + (size_t)digits, SVG_SMALL) + 8;
	const int body = column->labels_right ? column->x : column->x + strip;
	const int width = column->width - strip;
	const int label = column->labels_right ? body + width + 6 : column->x + 2;
	const int edge = column->labels_right ? column->x + column->width : column->x;

	/* bands that pass under a column shall not be read as ending in its text */
	svg_rect(svg, column->labels_right ? body : column->x, column->y, column->width,
		 column->height, "fill=\"#fff\"");
	for (size_t i = 0; i < column->piece_count; i++) {
		const struct svg_piece *piece = &column->pieces[i];

		draw_piece(svg, view, column, piece, body, width);
		svg_line(svg, column->labels_right ? body + width : edge, piece->y,
			 column->labels_right ? edge : body, piece->y,
			 "stroke=\"#bbb\" stroke-width=\"1\"");
		svg_text(svg, label, piece->y + 13, SVG_SMALL, strip, 0, "0x%0*" PRIx64, digits,
			 piece->range.first);
	}
}
