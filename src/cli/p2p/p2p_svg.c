/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_svg.c - the tree of buses as a picture: one line a function, indented as deep as it sits.
 *
 *  [pci0000:00] root complex
 *   +--[0000:00:02.0] root port, ACS SV, RR       Where the way of a pair goes, lines are thick
 *   |   +--[0000:03:00.0] endpoint                and its steps have numbers.
 *   +--[0000:00:03.0] ...
 */
#include "../picture/svg.h"
#include "p2p.h"

#include <stdlib.h>

enum { ROW = 24, INDENT = 26, BOX = 18, ELBOW = 10, WORDS = 760 };

struct rows {
	struct svg svg;
	struct drawing drawing;
	int *y; /* of functions that are drawn; 0: not */
	int host_y, next_y;
};

static int left_of(const struct rows *r, busway_pci_id id)
{
	return SVG_MARGIN + ((int)busway_pci_depth(r->drawing.question->pci, id) + 1) * INDENT;
}

/* ---- lines ---- */

static void draw_line(struct rows *r, busway_pci_id id, bool way)
{
	const busway_pci_id above = busway_pci_above(r->drawing.question->pci, id);
	const int from = busway_pci_some(above) ? r->y[above.index] : r->host_y;
	const int x = left_of(r, id) - INDENT + ELBOW, y = r->y[id.index] + BOX / 2;
	const char *look = way ? "stroke=\"#d55e00\" stroke-width=\"4\""
			       : "stroke=\"#999\" stroke-width=\"1\"";

	svg_line(&r->svg, x, from + BOX, x, y, look);
	svg_line(&r->svg, x, y, left_of(r, id), y, look);
}

static bool is_on_way(const struct rows *r, busway_pci_id id)
{
	const struct busway_pci *pci = r->drawing.question->pci;

	return path_goes_up(pci, &r->drawing.path, id) || path_goes_down(pci, &r->drawing.path, id);
}

/* ---- boxes ---- */

static const char *look_of(const struct rows *r, busway_pci_id id)
{
	static const char *const certain[] = {
		"fill=\"#f6d5c3\" stroke=\"#555\"",
		"fill=\"#c5e8d9\" stroke=\"#555\"",
		"fill=\"#c9dff0\" stroke=\"#555\"",
		"fill=\"#ecd3e3\" stroke=\"#555\"",
	};
	static const char *const uncertain[] = {
		"fill=\"#f6d5c3\" stroke=\"#555\" stroke-dasharray=\"4 3\"",
		"fill=\"#c5e8d9\" stroke=\"#555\" stroke-dasharray=\"4 3\"",
		"fill=\"#c9dff0\" stroke=\"#555\" stroke-dasharray=\"4 3\"",
		"fill=\"#ecd3e3\" stroke=\"#555\" stroke-dasharray=\"4 3\"",
	};
	struct busway_p2p p;

	if (drawing_target(&r->drawing, id, &p))
		return (p.certain ? certain : uncertain)[p.verdict];
	return path_has(&r->drawing.path, id) ? "fill=\"#fff2cc\" stroke=\"#d55e00\""
					      : "fill=\"#fff\" stroke=\"#555\"";
}

/* "  (step 2: up, step 6: down)" of a function or host bridge. */
static void put_steps(FILE *out, const struct path *path, busway_pci_id id, busway_pci_host_id host)
{
	const char *before = "  (step ";

	for (size_t i = 0; i < path->count; i++) {
		const struct step *step = &path->steps[i];
		const bool here = busway_pci_some(id)
					  ? step->id.index == id.index
					  : step->leg == LEG_HOST && step->host.index == host.index;

		if (!here)
			continue;
		fprintf(out, "%s%zu: %s", before, i + 1, leg_name(step->leg));
		before = ", step ";
	}
	if (*before == ',')
		fputc(')', out);
}

/* A box with a name, and words behind it. */
static void draw_box(struct rows *r, int x, int y, const char *name, const char *look,
		     const char *words)
{
	const size_t length = sizeof("0000:00:00.0") + 2;
	const int width = svg_text_width(length, SVG_TEXT) + 6;

	svg_rect(&r->svg, x, y, width, BOX, look);
	svg_text(&r->svg, x + 6, y + 13, SVG_TEXT, width - 10, SVG_BOLD, "%s", name);
	svg_text(&r->svg, x + width + 8, y + 13, SVG_SMALL, WORDS, 0, "%s", words);
}

static char *words_of(const struct rows *r, busway_pci_id id, busway_pci_host_id host)
{
	const struct drawing *d = &r->drawing;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	if (busway_pci_some(id)) {
		put_label(out, d, id, "; ");
	} else {
		char host_words[HOST_TEXT];

		host_text(d->question, host, host_words, sizeof(host_words));
		fputs(host_words, out);
	}
	put_steps(out, &d->path, id, host);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static void draw_row(struct rows *r, busway_pci_id id, busway_pci_host_id host)
{
	const struct busway_pci *pci = r->drawing.question->pci;
	const bool some = busway_pci_some(id);
	char *words = words_of(r, id, host);

	if (words && some)
		draw_box(r, left_of(r, id), r->y[id.index], busway_pci_name(pci, id),
			 look_of(r, id), words);
	else if (words)
		draw_box(r, SVG_MARGIN, r->host_y, busway_pci_host(pci, host)->name,
			 "fill=\"#eee\" stroke=\"#555\" rx=\"8\"", words);
	free(words);
}

/* ---- the whole ---- */

static void draw_host(struct rows *r, busway_pci_host_id host)
{
	const struct drawing *d = &r->drawing;
	const busway_pci_id first = pci_tree_first(&d->tree, host);
	busway_pci_id id;

	r->host_y = r->next_y;
	r->next_y += ROW;
	for (id = first; busway_pci_some(id); id = drawing_next(d, id), r->next_y += ROW)
		r->y[id.index] = r->next_y;
	for (int way = 0; way < 2; way++)
		for (id = first; busway_pci_some(id); id = drawing_next(d, id))
			if (is_on_way(r, id) == (way == 1))
				draw_line(r, id, way);
	draw_row(r, BUSWAY_NO_FUNCTION, host);
	for (id = first; busway_pci_some(id); id = drawing_next(d, id))
		draw_row(r, id, host);
	r->next_y += ROW / 2;
}

static char *title_of(const struct drawing *d)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	put_title(out, d);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}

static int draw(struct rows *r, const char *title)
{
	const struct drawing *d = &r->drawing;
	const size_t hosts = busway_pci_host_count(d->question->pci);
	const bool no = d->pair && d->views.p.verdict == BUSWAY_P2P_REFUSED;
	int status;

	svg_text(&r->svg, SVG_MARGIN, SVG_MARGIN + SVG_HEAD, SVG_HEAD, 1000, SVG_BOLD, "%s", title);
	r->next_y = SVG_MARGIN + 2 * SVG_HEAD;
	if (d->reach) {
		svg_text(&r->svg, SVG_MARGIN, r->next_y + 13, SVG_SMALL, 1000, SVG_GREY,
			 "the verdict stands behind each target; dashed: not certain");
		r->next_y += ROW;
	}
	for (uint32_t i = 0; i < hosts; i++)
		if (drawing_has_host(d, (busway_pci_host_id){i}))
			draw_host(r, (busway_pci_host_id){i});
	status = svg_print(&r->svg, title,
			   "The tree of PCI buses of a machine: one line a function, indented as "
			   "deep as it sits.");
	return status == EXIT_YES && no ? EXIT_NO : status;
}

int p2p_svg(const struct question *q, const struct options *options)
{
	struct rows r = {0};
	int status = EXIT_BAD;
	char *title;

	if (!drawing_make(q, options, &r.drawing))
		return EXIT_BAD;
	title = title_of(&r.drawing);
	if (!svg_open(&r.svg)) {
		free(title);
		pci_tree_free(&r.drawing.tree);
		return EXIT_BAD;
	}
	r.y = svg_keep(&r.svg, busway_pci_count(q->pci), sizeof(*r.y));
	if (r.y && title)
		status = draw(&r, title);
	else
		svg_free(&r.svg);
	if (!title)
		complain("out of memory");
	free(title);
	pci_tree_free(&r.drawing.tree);
	return status;
}
