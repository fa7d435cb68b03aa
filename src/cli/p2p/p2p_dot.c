/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_dot.c - the tree of buses as a graph for dot.
 *
 * Meaning is never in the colour alone: verdicts are words in the boxes, uncertain ones have a
 * dashed frame, and the way of a pair has thick lines with arrows.
 */
#include "p2p.h"

/* Text between quotation marks. */
static void put_quoted(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? '?' : *text,
		      out);
	}
	fputc('"', out);
}

static const char *host_name(const struct drawing *d, busway_pci_host_id host)
{
	return busway_pci_host(d->question->pci, host)->name;
}

static const char *fill_of(const struct drawing *d, busway_pci_id id, bool *dashed)
{
	static const char *const fills[] = {"#f6d5c3", "#c5e8d9", "#c9dff0", "#ecd3e3"};
	struct busway_p2p p;

	*dashed = false;
	if (!drawing_target(d, id, &p))
		return path_has(&d->path, id) ? "#fff2cc" : "#ffffff";
	*dashed = !p.certain;
	return fills[p.verdict];
}

static void put_function(FILE *out, const struct drawing *d, busway_pci_id id)
{
	const struct busway_pci *pci = d->question->pci;
	const busway_pci_id above = busway_pci_above(pci, id);
	const bool up = path_goes_up(pci, &d->path, id), down = path_goes_down(pci, &d->path, id);
	bool dashed;
	const char *fill = fill_of(d, id, &dashed);

	fprintf(out, "  \"%s\" [label=\"%s\\n", busway_pci_name(pci, id), busway_pci_name(pci, id));
	put_label(out, d, id, "\\n");
	fprintf(out, "\", fillcolor=\"%s\", style=\"filled%s\"];\n  ", fill,
		dashed ? ",dashed" : "");
	if (busway_pci_some(above))
		fprintf(out, "\"%s\"", busway_pci_name(pci, above));
	else
		put_quoted(out, host_name(d, busway_pci_host_of(pci, id)));
	fprintf(out, " -> \"%s\"", busway_pci_name(pci, id));
	if (up || down)
		fprintf(out, " [dir=%s, color=\"#d55e00\", penwidth=3]",
			up && down ? "both"
			: up       ? "back"
				   : "forward");
	fputs(";\n", out);
}

static void put_host(FILE *out, const struct drawing *d, busway_pci_host_id host)
{
	char text[HOST_TEXT];

	host_text(d->question, host, text, sizeof(text));
	fputs("  ", out);
	put_quoted(out, host_name(d, host));
	fputs(" [shape=ellipse, label=", out);
	put_quoted(out, host_name(d, host));
	fprintf(out, ", tooltip=\"%s\"];\n", text);
	for (busway_pci_id id = pci_tree_first(&d->tree, host); busway_pci_some(id);
	     id = drawing_next(d, id))
		put_function(out, d, id);
}

/* From one root complex to another. */
static void put_crossing(FILE *out, const struct drawing *d)
{
	for (size_t i = 1; i < d->path.count; i++) {
		if (d->path.steps[i].leg != LEG_HOST || d->path.steps[i - 1].leg != LEG_HOST)
			continue;
		fputs("  ", out);
		put_quoted(out, host_name(d, d->path.steps[i - 1].host));
		fputs(" -> ", out);
		put_quoted(out, host_name(d, d->path.steps[i].host));
		fputs(" [color=\"#d55e00\", penwidth=3, constraint=false];\n", out);
	}
}

int p2p_dot(const struct question *q, const struct options *options)
{
	const size_t hosts = busway_pci_host_count(q->pci);
	struct drawing d;
	struct page page;

	if (!drawing_make(q, options, &d))
		return EXIT_BAD;
	if (!page_open(&page, options)) {
		pci_tree_free(&d.tree);
		return EXIT_BAD;
	}
	fputs("digraph p2p {\n  label=\"", page.out);
	put_title(page.out, &d);
	fputs("\";\n  rankdir=LR;\n"
	      "  node [shape=box, fontname=\"monospace\", fontsize=10, style=filled, "
	      "fillcolor=\"#ffffff\"];\n"
	      "  edge [dir=none, color=\"#777777\"];\n",
	      page.out);
	for (uint32_t i = 0; i < hosts; i++)
		if (drawing_has_host(&d, (busway_pci_host_id){i}))
			put_host(page.out, &d, (busway_pci_host_id){i});
	put_crossing(page.out, &d);
	fputs("}\n", page.out);
	pci_tree_free(&d.tree);
	return page_print(&page,
			  d.pair && d.views.p.verdict == BUSWAY_P2P_REFUSED ? EXIT_NO : EXIT_YES);
}
