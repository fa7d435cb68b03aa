/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_matrix.c - memory beside all views of it: the overview of a platform.
 *
 *   memory      A pcie          B soc, and 3 others
 *   RAM         0x0             0xc0000000
 *   RAM         0x40000000      (out of reach)
 *
 * Rows are pieces of the CPU's space, lanes are views: what a view reaches stands in its lane
 * with the address that its devices call it by. Where there are many views, lanes go on in a
 * further block, which repeats the memory.
 */
#include "svg.h"

#include <inttypes.h>
#include <string.h>

#define LANES_IN_ROW 5
#define LANE_WIDTH   190
#define BODY_WIDTH   290
#define HEAD_HEIGHT  64

static bool reaches(const struct answer *answer, uint64_t address, uint64_t *dma)
{
	size_t count;
	const struct busway_piece *pieces = busway_reach_pieces(answer->reach, &count);

	for (size_t i = 0; i < count; i++) {
		if (busway_range_has(svg_piece_phys(&pieces[i]), address)) {
			*dma = pieces[i].dma.first.raw + (address - pieces[i].phys.raw);
			return true;
		}
	}
	return false;
}

static void cut(const struct loaded *loaded, const struct svg_lane *lanes, size_t count,
		struct svg_column *column)
{
	svg_cut_memory(loaded->platform, column);
	for (size_t i = 0; i < count; i++) {
		size_t piece_count;
		const struct busway_piece *pieces =
			busway_reach_pieces(lanes[i].answer->reach, &piece_count);

		for (size_t j = 0; j < piece_count && j <= SVG_PIECES_MAX; j++)
			svg_column_cut(column, svg_piece_phys(&pieces[j]));
	}
}

/* What a lane has at a piece: memory under an address, memory out of reach, or nothing. */
enum cell { CELL_NONE, CELL_REACHED, CELL_MISSED };

static enum cell cell_at(const struct svg_lane *lane, const struct svg_piece *piece, uint64_t *dma)
{
	*dma = 0;
	if (reaches(lane->answer, piece->range.first, dma))
		return CELL_REACHED;
	return busway_intervals_has(&lane->answer->missed, piece->range.first) ? CELL_MISSED
									       : CELL_NONE;
}

/* Pieces that adjoin and mean the same to a lane are one box. */
static void draw_lane(struct svg *svg, const struct svg_lane *lane, const struct svg_column *column,
		      bool known, int x)
{
	size_t end;

	for (size_t i = 0; i < column->piece_count; i = end) {
		const struct svg_piece *piece = &column->pieces[i];
		uint64_t dma, next;
		const enum cell cell = cell_at(lane, piece, &dma);
		struct busway_range run = piece->range;
		int height = piece->height;
		char size[32];

		for (end = i + 1; end < column->piece_count; end++) {
			const struct svg_piece *p = &column->pieces[end];

			if (cell_at(lane, p, &next) != cell ||
			    (cell == CELL_REACHED &&
			     next - dma != p->range.first - piece->range.first))
				break;
			run.last = p->range.last;
			height += p->height;
		}
		if (cell == CELL_NONE)
			continue;
		size_text(size, sizeof(size), run);
		svg_group(svg, "view %s: CPU 0x%" PRIx64 "..0x%" PRIx64 ", %s%s%" PRIx64, lane->tag,
			  run.first, run.last, size,
			  cell == CELL_REACHED ? ", reached as 0x" : ", out of reach: ", dma);
		svg_draw_box(svg,
			     cell == CELL_MISSED ? SVG_KIND_MISSED
			     : known             ? SVG_KIND_WINDOW
						 : SVG_KIND_UNKNOWN,
			     false, x, piece->y, LANE_WIDTH - 20, height);
		if (height >= 2 * SVG_LINE) {
			svg_text(svg, x + 7, piece->y + height / 2 - 4, SVG_TEXT, LANE_WIDTH - 34,
				 SVG_BOLD, "%s", size);
			if (cell == CELL_REACHED)
				svg_text(svg, x + 7, piece->y + height / 2 + 12, SVG_SMALL,
					 LANE_WIDTH - 34, 0, "at 0x%" PRIx64, dma);
			else
				svg_text(svg, x + 7, piece->y + height / 2 + 12, SVG_TEXT,
					 LANE_WIDTH - 34, 0, "out of reach");
		} else if (cell == CELL_REACHED) {
			svg_text(svg, x + 7, piece->y + height / 2 + 4, SVG_SMALL, LANE_WIDTH - 34,
				 0, "at 0x%" PRIx64, dma);
		} else {
			svg_text(svg, x + 7, piece->y + height / 2 + 4, SVG_TEXT, LANE_WIDTH - 34,
				 0, "out of reach");
		}
		svg_group_end(svg);
	}
}

static void draw_lane_heading(struct svg *svg, const struct svg_lane *lane, struct svg_marks marks,
			      int x, int y)
{
	const struct busway_device *d = lane->answer->device;
	const int room = LANE_WIDTH - 20;
	int used = 0;

	for (size_t i = 0; i < marks.count && used < 4 * (SVG_FLAG + 2); i++) {
		if (strcmp(marks.list[i].node, d->name) != 0 &&
		    (!d->dma.source || strcmp(marks.list[i].node, d->dma.source) != 0))
			continue;
		used += SVG_FLAG + 2;
		svg_flag(svg, x + room - used, y + 2, i + 1, &marks.list[i]);
	}
	svg_group(svg, "view %s: %s%s", lane->tag, d->name,
		  d->is_bridge_itself ? " itself, as a master" : "");
	svg_text(svg, x, y + 15, SVG_TEXT + 1, room - used, SVG_BOLD, "%s", lane->tag);
	svg_text(svg, x, y + 15 + 17, SVG_SMALL, room, 0, "%s%s", svg_base_name(d->name),
		 d->is_bridge_itself ? " itself" : "");
	if (lane->others)
		svg_text(svg, x, y + 15 + 33, SVG_SMALL, room, SVG_GREY, "and %zu other%s",
			 lane->others, lane->others == 1 ? "" : "s");
	svg_group_end(svg);
}

static bool is_same(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

static void draw_memory(struct svg *svg, const struct loaded *loaded,
			const struct svg_column *column, struct svg_marks marks, int x, int strip,
			int digits)
{
	for (size_t i = 0; i < column->piece_count; i++) {
		const struct svg_piece *p = &column->pieces[i];
		const char *name = p->name                       ? svg_base_name(p->name)
				   : p->kind == SVG_KIND_UNKNOWN ? "memory not stated"
								 : "no memory";
		const char *what = p->kind == SVG_KIND_CARVEOUT ? "no-map"
				   : p->kind == SVG_KIND_POOL   ? p->what
								: "";
		const char *space = *what ? " " : "";
		char size[32];
		int used = 0, room;

		svg_piece_size(size, sizeof(size), p);
		svg_text(svg, x + 2, p->y + 13, SVG_SMALL, strip, 0, "0x%0*" PRIx64, digits,
			 p->range.first);
		svg_memory_tooltip(svg, loaded->platform, p);
		svg_draw_box(svg, p->kind, false, x + strip, p->y, BODY_WIDTH, p->height);
		for (size_t m = 0; m < marks.count && used < 4 * (SVG_FLAG + 2); m++) {
			const struct svg_mark *mark = &marks.list[m];

			if (mark->has_cpu ? !busway_range_has(p->range, mark->cpu.first)
					  : !is_same(mark->node, p->name) ||
						    (i && is_same(mark->node, p[-1].name)))
				continue;
			used += SVG_FLAG + 2;
			svg_flag(svg, x + strip + BODY_WIDTH - used, p->y + 2, m + 1, mark);
		}
		room = BODY_WIDTH - 14 - used;
		if (p->height >= 2 * SVG_LINE) {
			svg_text(svg, x + strip + 7, p->y + p->height / 2 - 4, SVG_TEXT, room,
				 SVG_BOLD, "%s", size);
			svg_text(svg, x + strip + 7, p->y + p->height / 2 + 12, SVG_TEXT,
				 BODY_WIDTH - 14, 0, "%s%s%s", what, space, name);
		} else {
			svg_text(svg, x + strip + 7, p->y + p->height / 2 + 4, SVG_TEXT, room, 0,
				 "%s %s%s%s", size, what, space, name);
		}
		svg_group_end(svg);
	}
}

bool svg_draw_matrix(struct svg *svg, const struct loaded *loaded, const struct svg_lane *lanes,
		     size_t count, struct svg_marks marks, int y)
{
	const bool known = busway_platform_memory_known(loaded->platform);
	struct svg_column column = {.path = "cpu"};
	bool ok;

	cut(loaded, lanes, count, &column);
	ok = svg_column_slice(&column);
	for (size_t i = 0; ok && i < column.piece_count; i++) {
		if (!known)
			column.pieces[i].kind = SVG_KIND_UNKNOWN;
		svg_name_memory(loaded->platform, &column.pieces[i]);
	}
	for (size_t row = 0; ok && (row == 0 || row < count); row += LANES_IN_ROW) {
		const int digits = digits_for(column.pieces[column.piece_count - 1].range.first);
		const int strip = svg_text_width(2 + (size_t)digits, SVG_SMALL) + 8;
		const int lane_x = SVG_MARGIN + strip + BODY_WIDTH + 40;

		svg_column_layout(&column, y + HEAD_HEIGHT);
		svg_text(svg, SVG_MARGIN + strip, y + 15, SVG_TEXT + 1, BODY_WIDTH, SVG_BOLD,
			 "memory");
		svg_text(svg, SVG_MARGIN + strip, y + 15 + SVG_LINE, SVG_TEXT, BODY_WIDTH, SVG_GREY,
			 "as the CPU sees it");
		draw_memory(svg, loaded, &column, marks, SVG_MARGIN, strip, digits);
		for (size_t i = row; i < count && i < row + LANES_IN_ROW; i++) {
			const int x = lane_x + (int)(i - row) * LANE_WIDTH;

			draw_lane_heading(svg, &lanes[i], marks, x, y);
			svg_line(svg, x, column.y, x, column.y + column.height,
				 "stroke=\"#bbb\" stroke-dasharray=\"1 3\"");
			draw_lane(svg, &lanes[i], &column, known, x);
		}
		y = column.y + column.height + SVG_LINE * 2;
	}
	svg_column_free(&column);
	return ok;
}
