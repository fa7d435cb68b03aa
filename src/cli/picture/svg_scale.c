/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg_scale.c - where the addresses of one space stand in a column.
 *
 * 64 bits of addresses on one linear scale show nothing. So a column is cut wherever something
 * begins or ends in it; each piece gets a line of text at least, and some more by the logarithm
 * of its size, unless there are many.
 */
#include "svg.h"

#include <stdlib.h>
#include <string.h>

/* Pieces above which each gets one line only. */
#define CROWD       22
#define LINE_HEIGHT 20
#define HEIGHT_MAX  150

static void cut_at(struct svg_column *column, uint64_t address)
{
	if (column->cut_count == column->cut_capacity) {
		const size_t capacity = column->cut_capacity * 2 + 64;
		uint64_t *cuts = realloc(column->cuts, capacity * sizeof(*cuts));

		if (!cuts) {
			column->failed = true;
			return;
		}
		column->cuts = cuts;
		column->cut_capacity = capacity;
	}
	column->cuts[column->cut_count++] = address;
}

void svg_column_cut(struct svg_column *column, struct busway_range range)
{
	cut_at(column, range.first);
	if (range.last != UINT64_MAX)
		cut_at(column, range.last + 1);
}

static int by_address(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

bool svg_column_slice(struct svg_column *column)
{
	size_t count = 0;

	cut_at(column, 0);
	if (!column->failed) {
		qsort(column->cuts, column->cut_count, sizeof(*column->cuts), by_address);
		for (size_t i = 0; i < column->cut_count; i++)
			if (!i || column->cuts[i] != column->cuts[count - 1])
				column->cuts[count++] = column->cuts[i];
		column->pieces = calloc(count + 1, sizeof(*column->pieces));
	}
	if (!column->pieces) {
		complain("out of memory");
		return false;
	}
	if (count > SVG_PIECES_MAX) {
		complain("%s: %zu pieces make no picture any more: ask for text or JSON",
			 column->path, count);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		column->pieces[i] = (struct svg_piece){
			.range = {column->cuts[i],
				  i + 1 < count ? column->cuts[i + 1] - 1 : UINT64_MAX},
			.kind = SVG_KIND_GAP,
		};
	column->piece_count = count;
	return true;
}

static bool is_filler(const struct svg_piece *piece)
{
	return piece->kind == SVG_KIND_GAP || piece->kind == SVG_KIND_HOLE ||
	       piece->kind == SVG_KIND_BEYOND;
}

static int natural_height(const struct svg_piece *piece, size_t count)
{
	const unsigned bits = busway_bits_needed(busway_range_span(piece->range));
	int more;

	if (count > CROWD || is_filler(piece))
		return LINE_HEIGHT;
	more = bits > 12 ? (int)(bits - 12) * 9 / 5 : 0;
	return LINE_HEIGHT + (more > 50 ? 50 : more);
}

static void place(struct svg_column *column, int y)
{
	column->y = y;
	for (size_t i = 0; i < column->piece_count; i++) {
		column->pieces[i].y = y;
		y += column->pieces[i].height;
	}
	column->height = y - column->y;
}

int svg_column_layout(struct svg_column *column, int y)
{
	for (size_t i = 0; i < column->piece_count; i++)
		column->pieces[i].height = natural_height(&column->pieces[i], column->piece_count);
	place(column, y);
	return column->height;
}

/* Towards @height: what is missing is shared by those pieces that are something. */
void svg_column_stretch(struct svg_column *column, int height)
{
	int missing = height - column->height, sum = 0;

	for (size_t i = 0; i < column->piece_count; i++)
		sum += is_filler(&column->pieces[i]) ? 0 : column->pieces[i].height;
	for (size_t i = 0; i < column->piece_count && sum && missing > 0; i++) {
		struct svg_piece *piece = &column->pieces[i];
		int more = is_filler(piece) ? 0 : (int)((int64_t)missing * piece->height / sum);

		if (piece->height + more > HEIGHT_MAX)
			more = piece->height > HEIGHT_MAX ? 0 : HEIGHT_MAX - piece->height;
		piece->height += more;
	}
	place(column, column->y);
	if (column->height < height)
		place(column, column->y + (height - column->height) / 2);
}

struct svg_piece *svg_column_at(const struct svg_column *column, uint64_t address)
{
	size_t low = 0, high = column->piece_count;

	while (high - low > 1) {
		const size_t middle = low + (high - low) / 2;

		if (column->pieces[middle].range.first <= address)
			low = middle;
		else
			high = middle;
	}
	return &column->pieces[low];
}

int svg_column_top(const struct svg_column *column, struct busway_range range)
{
	return svg_column_at(column, range.first)->y;
}

int svg_column_bottom(const struct svg_column *column, struct busway_range range)
{
	const struct svg_piece *piece = svg_column_at(column, range.last);

	return piece->y + piece->height;
}

void svg_column_free(struct svg_column *column)
{
	free(column->cuts);
	free(column->pieces);
	column->cuts = NULL;
	column->pieces = NULL;
}
