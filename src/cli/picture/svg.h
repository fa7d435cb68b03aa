/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg.h - what the parts of a picture share.
 *
 *   svg.c          writing: text that cannot break the markup and fits its place, boxes, bands
 *   svg_scale.c    where the addresses of one space stand in a column
 *   svg_column.c   what the pieces of a column are, and how they look
 *   svg_way.c      the way of one device: columns, and bands between them
 *   svg_matrix.c   memory beside all views of it
 *   svg_iova.c     the space of IOVAs of a group: see ../iova/iova.h
 *   svg_findings.c what busway check finds, as marks
 *   show_svg.c     the whole picture, with its legend
 *
 *   bus               CPU
 *   +--------+        +--------+       A column is cut wherever something begins or ends in it.
 *   | hole   |    __--| RAM    |       Pieces are about as high as the logarithm of their size,
 *   +--------+__--    |        |       and never lower than a line of text: so labels do not
 *   | window |    __--+--------+       overlap, whatever the addresses are.
 *   +--------+__--    | RAM,   |
 *                     | missed |
 *                     +--------+
 *
 * Coordinates are whole pixels, so that the same platform makes the same bytes everywhere. Text
 * is set in a monospaced font, whose width is known without asking anybody.
 */
#ifndef BUSWAY_SVG_H
#define BUSWAY_SVG_H

#include "../cli.h"

#define SVG_TEXT       12 /* pixels: what stands in boxes */
#define SVG_SMALL      11 /* addresses, remarks */
#define SVG_HEAD       16
#define SVG_LINE       18 /* from one line of text to the next */
#define SVG_MARGIN     24
#define SVG_PIECES_MAX 4096 /* in a column: more is no picture any more */

/* ---- marks ---- */

enum svg_severity { SVG_NOTE, SVG_WARNING, SVG_ERROR };

/*
 * A finding, drawn as a numbered flag beside what it is about and told in a list below. With a
 * range it stands beside that place of the column of @node (a bus) or of the CPU's; else beside
 * the heading of @node's column or name. The number is the place in the list, from 1.
 */
struct svg_mark {
	const char *node, *property; /* property may be NULL */
	enum svg_severity severity;
	const char *code, *message;
	bool has_cpu, has_bus;
	struct busway_range cpu, bus;
};

struct svg_marks {
	const struct svg_mark *list;
	size_t count;
};

/* ---- svg.c ---- */

struct svg {
	struct page page;
	int right, bottom; /* what has been drawn reaches that far */
	unsigned kinds;    /* bit i: some piece is of kind i; what the legend explains */
	void **kept;       /* working memory, given back by svg_free() */
	size_t kept_count;
};

enum svg_style {
	SVG_PLAIN = 0,
	SVG_BOLD = 1,
	SVG_GREY = 2,
	SVG_END = 4,    /* the text ends at x */
	SVG_MIDDLE = 8, /* x is its middle */
	SVG_LIGHT = 16, /* on a dark ground */
};

bool svg_open(struct svg *svg);

/* Print the picture with its size and its names, and free everything. Returns an exit status. */
int svg_print(struct svg *svg, const char *title, const char *description);
void svg_free(struct svg *svg);

/* Memory, all zero, until svg_free(); NULL after a complaint. */
void *svg_keep(struct svg *svg, size_t count, size_t size);

/* How wide @count characters are. */
int svg_text_width(size_t count, int size);

/*
 * One line, its base line at @y. What is longer than @room pixels is cut in its middle, and a
 * tooltip has all of it. Bytes that are not plain characters are shown as '?'.
 */
void svg_text(struct svg *svg, int x, int y, int size, int room, unsigned style, const char *format,
	      ...) __attribute__((format(printf, 7, 8)));

/* @look: attributes, as they stand. */
void svg_rect(struct svg *svg, int x, int y, int width, int height, const char *look);
void svg_line(struct svg *svg, int x1, int y1, int x2, int y2, const char *look);

/* A band from the left edge @x1, @top1..@bottom1 to the right edge @x2, @top2..@bottom2. */
void svg_band(struct svg *svg, int x1, int top1, int bottom1, int x2, int top2, int bottom2,
	      const char *look);

/* What follows, until it is closed, has this tooltip. */
void svg_group(struct svg *svg, const char *format, ...) __attribute__((format(printf, 2, 3)));
void svg_group_end(struct svg *svg);

/* Flag number @number of a finding, 16 pixels wide, its upper left corner at @x, @y. */
#define SVG_FLAG 22
void svg_flag(struct svg *svg, int x, int y, size_t number, const struct svg_mark *mark);

/* The end of a path: what stands behind its last '/'. */
const char *svg_base_name(const char *path);

/* ---- svg_scale.c ---- */

enum svg_kind {
	SVG_KIND_MEMORY,   /* RAM that is reached, or of which nothing is asked */
	SVG_KIND_MISSED,   /* RAM out of reach */
	SVG_KIND_POOL,     /* reserved memory that is mapped */
	SVG_KIND_CARVEOUT, /* no-map */
	SVG_KIND_WINDOW,   /* bus addresses that are forwarded to memory */
	SVG_KIND_EMPTY,    /* forwarded, and no memory there */
	SVG_KIND_HOLE,     /* nothing forwards them */
	SVG_KIND_BEYOND,   /* beyond the mask */
	SVG_KIND_APERTURE,
	SVG_KIND_OUTBOUND, /* the CPU's side of an aperture */
	SVG_KIND_DOORBELL,
	SVG_KIND_UNKNOWN, /* memory may be here; the platform does not say */
	SVG_KIND_GAP,     /* no memory */
	SVG_KIND_IOVA,    /* IOVAs that can be used */
	SVG_KIND_KEPT,    /* IOVAs that are kept free, or not allowed */
	SVG_KIND_COUNT
};

struct svg_piece {
	struct busway_range range;
	enum svg_kind kind;
	bool missed;      /* usable memory out of reach, also where a pool lies in it */
	const char *name; /* what is here: a path; NULL: nothing with a name */
	const char *what; /* what kind of pool; NULL: .kind tells all */
	int y, height;
};

struct svg_column {
	busway_space_id space;
	const char *title, *path;
	bool labels_right; /* addresses stand at its right, else at its left */
	int x, width;      /* with the addresses */
	uint64_t *cuts;
	size_t cut_count, cut_capacity;
	bool failed; /* out of memory, or too many cuts */
	struct svg_piece *pieces;
	size_t piece_count;
	int y, height;
};

/* Something begins and ends here. */
void svg_column_cut(struct svg_column *column, struct busway_range range);

/* Make the pieces, all gaps. False: no memory, or too many; complains. */
bool svg_column_slice(struct svg_column *column);

/* The height that the pieces would like; @stretch says what is added, shared among them. */
int svg_column_layout(struct svg_column *column, int y);
void svg_column_stretch(struct svg_column *column, int height);
void svg_column_free(struct svg_column *column);

/* The piece that holds an address. */
struct svg_piece *svg_column_at(const struct svg_column *column, uint64_t address);

/* Where @range, whose ends are cuts, begins and ends. */
int svg_column_top(const struct svg_column *column, struct busway_range range);
int svg_column_bottom(const struct svg_column *column, struct busway_range range);

/* ---- svg_column.c ---- */

/* A hop of the way to some memory: from a place in one column to a place in the next. */
struct svg_step {
	const struct svg_column *from, *to;
	struct busway_range in, out;
};

/* What is to be shown of a device, and where. */
struct svg_view {
	const struct loaded *loaded;
	const struct options *options;
	const struct answer *answer;
	struct svg_marks marks;
	struct svg_column *columns; /* from the device's space to the CPU's */
	size_t column_count;
	struct svg_step *steps; /* all hops to all memory that is reached */
	size_t step_count;
	bool steps_missing; /* some hops could not be followed as one */
};

struct svg_column *svg_column_of(const struct svg_view *view, busway_space_id space);
struct busway_range svg_window_out(const struct busway_window *window);
struct busway_range svg_piece_phys(const struct busway_piece *piece);

/* The last address that the device can drive under a mask, if that is a number of address lines. */
bool svg_mask_last(const struct svg_view *view, unsigned mask, uint64_t *last, unsigned *bits);

/* The same under the mask for coherent memory, if one was given. */
bool svg_coherent_last(const struct svg_view *view, uint64_t *last, unsigned *bits);

/* Cut the CPU's column where memory and pools begin and end, and say what each piece is. */
void svg_cut_memory(const struct busway_platform *platform, struct svg_column *column);
void svg_name_memory(const struct busway_platform *platform, struct svg_piece *piece);

void svg_cut_columns(const struct svg_view *view);
void svg_name_pieces(const struct svg_view *view);
void svg_draw_column(struct svg *svg, const struct svg_view *view, const struct svg_column *column);

/* What the legend says of a kind of piece, and how it looks. */
const char *svg_kind_text(enum svg_kind kind);
void svg_draw_box(struct svg *svg, enum svg_kind kind, bool missed, int x, int y, int width,
		  int height);

/* Its size, for a label: how much lies between the last thing and 2^64 is of no interest. */
void svg_piece_size(char *text, size_t capacity, const struct svg_piece *piece);

/* All that is known of a piece of the CPU's column, as a tooltip; close it as a group. */
void svg_memory_tooltip(struct svg *svg, const struct busway_platform *platform,
			const struct svg_piece *piece);

/* ---- svg_way.c, svg_matrix.c ---- */

/* Draw the way of a device below @y. False after a complaint. */
bool svg_draw_way(struct svg *svg, const struct svg_view *view, int y);

/* One view of memory in the overview. */
struct svg_lane {
	const struct answer *answer;
	size_t others; /* devices that share it, besides that of the answer */
	char tag[8];
};

bool svg_draw_matrix(struct svg *svg, const struct loaded *loaded, const struct svg_lane *lanes,
		     size_t count, struct svg_marks marks, int y);

/* ---- svg_findings.c ---- */

struct svg_findings {
	struct busway_check *check;
	struct svg_marks marks; /* their texts are the check's */
};

/* What is wrong with a platform, or (with @device) with what matters to one device. Complains and
 * returns false where there is no memory. */
bool svg_findings_make(const struct loaded *loaded, const struct busway_device *device,
		       struct svg_findings *findings);
void svg_findings_free(struct svg_findings *findings);

/* ---- show_svg.c ---- */

/* Explain the kinds of pieces that were drawn. */
void svg_put_legend(struct svg *svg);

int show_svg(const struct loaded *loaded, const struct options *options,
	     const busway_device_id *devices, size_t count, bool one, struct svg_marks marks);

#endif
