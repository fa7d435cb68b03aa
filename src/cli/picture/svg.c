/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * svg.c - writing a picture: text that cannot break the markup and fits its place, boxes, bands.
 *
 * The drawing goes into a buffer and the head of the file is written last, when its size is
 * known. Names of nodes come from whoever wrote the tree: everything that is text passes
 * put_escaped().
 */
#include "svg.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define ELLIPSIS "\xe2\x80\xa6"

/* ---- memory ---- */

bool svg_open(struct svg *svg)
{
	static const struct options plain;

	*svg = (struct svg){0};
	return page_open(&svg->page, &plain);
}

void *svg_keep(struct svg *svg, size_t count, size_t size)
{
	void **kept = realloc(svg->kept, (svg->kept_count + 1) * sizeof(*kept));
	void *memory = kept ? calloc(count + 1, size) : NULL;

	if (kept)
		svg->kept = kept;
	if (memory)
		svg->kept[svg->kept_count++] = memory;
	else
		complain("out of memory");
	return memory;
}

void svg_free(struct svg *svg)
{
	while (svg->kept_count)
		free(svg->kept[--svg->kept_count]);
	free(svg->kept);
	svg->kept = NULL;
	if (svg->page.out)
		fclose(svg->page.out);
	free(svg->page.text);
	svg->page = (struct page){0};
}

/* ---- text ---- */

static void put_escaped(FILE *out, const char *text, size_t count)
{
	for (; count; text++, count--) {
		switch (*text) {
		case '&':
			fputs("&amp;", out);
			break;
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		case '\'':
			fputs("&#39;", out);
			break;
		default:
			fputc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e ? '?'
											 : *text,
			      out);
		}
	}
}

int svg_text_width(size_t count, int size)
{
	/* 0.602 em in the widest of the usual monospaced fonts */
	return count > 4096 ? 4096 * size : (int)count * size * 61 / 100 + 1;
}

static void grow(struct svg *svg, int right, int bottom)
{
	if (right > svg->right)
		svg->right = right;
	if (bottom > svg->bottom)
		svg->bottom = bottom;
}

const char *svg_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void put_tooltip(FILE *out, const char *text)
{
	fputs("<title>", out);
	put_escaped(out, text, strlen(text));
	fputs("</title>", out);
}

static char *print_text(const char *format, va_list arguments)
{
	char *text;

	return vasprintf(&text, format, arguments) < 0 ? NULL : text;
}

void svg_text(struct svg *svg, int x, int y, int size, int room, unsigned style, const char *format,
	      ...)
{
	FILE *out = svg->page.out;
	va_list arguments;
	char *text;
	size_t length, shown, head;
	int width;

	va_start(arguments, format);
	text = print_text(format, arguments);
	va_end(arguments);
	if (!text)
		return; /* the buffer is out of memory, too, and says so when it is closed */
	length = shown = strlen(text);
	while (shown > 1 && svg_text_width(shown, size) > room)
		shown--;
	width = svg_text_width(shown, size);
	fprintf(out, "<text x=\"%d\" y=\"%d\" font-size=\"%d\"%s%s%s>", x, y, size,
		style & SVG_BOLD ? " font-weight=\"bold\"" : "",
		style & SVG_END      ? " text-anchor=\"end\""
		: style & SVG_MIDDLE ? " text-anchor=\"middle\""
				     : "",
		style & SVG_GREY    ? " fill=\"#555\""
		: style & SVG_LIGHT ? " fill=\"#fff\""
				    : "");
	if (shown < length) {
		/* the ends of paths tell them apart: keep them */
		head = shown / 2;
		put_tooltip(out, text);
		put_escaped(out, text, head);
		fputs(ELLIPSIS, out);
		put_escaped(out, text + length - (shown - head - 1), shown - head - 1);
	} else {
		put_escaped(out, text, length);
	}
	fputs("</text>\n", out);
	grow(svg,
	     style & SVG_END      ? x
	     : style & SVG_MIDDLE ? x + width / 2
				  : x + width,
	     y + size / 2);
	free(text);
}

/* ---- shapes ---- */

void svg_rect(struct svg *svg, int x, int y, int width, int height, const char *look)
{
	fprintf(svg->page.out, "<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" %s/>\n", x, y,
		width, height, look);
	grow(svg, x + width, y + height);
}

void svg_line(struct svg *svg, int x1, int y1, int x2, int y2, const char *look)
{
	fprintf(svg->page.out, "<line x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\" %s/>\n", x1, y1, x2,
		y2, look);
	grow(svg, x1 > x2 ? x1 : x2, y1 > y2 ? y1 : y2);
}

void svg_band(struct svg *svg, int x1, int top1, int bottom1, int x2, int top2, int bottom2,
	      const char *look)
{
	fprintf(svg->page.out, "<polygon points=\"%d,%d %d,%d %d,%d %d,%d\" %s/>\n", x1, top1, x2,
		top2, x2, bottom2, x1, bottom1, look);
	grow(svg, x1 > x2 ? x1 : x2, bottom1 > bottom2 ? bottom1 : bottom2);
}

void svg_group(struct svg *svg, const char *format, ...)
{
	va_list arguments;
	char *text;

	va_start(arguments, format);
	text = print_text(format, arguments);
	va_end(arguments);
	fputs("<g>", svg->page.out);
	put_tooltip(svg->page.out, text ? text : "");
	fputc('\n', svg->page.out);
	free(text);
}

void svg_group_end(struct svg *svg)
{
	fputs("</g>\n", svg->page.out);
}

void svg_flag(struct svg *svg, int x, int y, size_t number, const struct svg_mark *mark)
{
	static const char *const grounds[] = {
		[SVG_NOTE] = "fill=\"#0b5c8e\" rx=\"3\"",
		[SVG_WARNING] = "fill=\"#8a5a00\" rx=\"8\"",
		[SVG_ERROR] = "fill=\"#a3261b\"",
	};
	static const char *const names[] = {"note", "warning", "error"};

	svg_group(svg, "%s %s: %s%s%s: %s", names[mark->severity], mark->code, mark->node,
		  mark->property ? ": " : "", mark->property ? mark->property : "", mark->message);
	svg_rect(svg, x, y, SVG_FLAG, 16, grounds[mark->severity]);
	svg_text(svg, x + SVG_FLAG / 2, y + 12, SVG_SMALL, SVG_FLAG, SVG_LIGHT | SVG_MIDDLE, "%zu",
		 number);
	svg_group_end(svg);
}

/* ---- the whole ---- */

/* Meaning is never in the colour alone: these are for those who do not see it. */
static const char definitions[] =
	"<defs>\n"
	"<pattern id=\"missed\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
	"<path d=\"M-2,10 L10,-2 M-2,2 L2,-2 M6,10 L10,6\" stroke=\"#d55e00\" stroke-width=\"1\" "
	"stroke-opacity=\"0.55\"/></pattern>\n"
	"<pattern id=\"hole\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\">"
	"<path d=\"M-2,-2 L9,9 M-2,5 L2,9 M5,-2 L9,2\" stroke=\"#777\" stroke-width=\"1\" "
	"stroke-opacity=\"0.45\"/></pattern>\n"
	"<pattern id=\"carveout\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\">"
	"<path d=\"M0,0 L8,8 M8,0 L0,8\" stroke=\"#882255\" stroke-width=\"1\" "
	"stroke-opacity=\"0.35\"/></pattern>\n"
	"<pattern id=\"aperture\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<circle cx=\"3\" cy=\"3\" r=\"1\" fill=\"#8a6d00\" fill-opacity=\"0.55\"/></pattern>\n"
	"<pattern id=\"beyond\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\">"
	"<path d=\"M0,3 L6,3\" stroke=\"#555\" stroke-width=\"1\" stroke-opacity=\"0.4\"/>"
	"</pattern>\n"
	"</defs>\n";

int svg_print(struct svg *svg, const char *title, const char *description)
{
	const int width = svg->right + SVG_MARGIN, height = svg->bottom + SVG_MARGIN;
	struct page whole;
	int status = EXIT_YES;

	if (fclose(svg->page.out))
		status = complain("out of memory");
	svg->page.out = NULL;
	if (status == EXIT_YES && !page_open(&whole, &(struct options){0}))
		status = EXIT_BAD;
	if (status == EXIT_YES) {
		FILE *out = whole.out;

		fprintf(out,
			"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
			"<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%d\" "
			"height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"",
			width, height, width, height);
		put_escaped(out, title, strlen(title));
		fputs("\" font-family=\"'DejaVu Sans Mono','Liberation Mono',Menlo,Consolas,"
		      "monospace\" fill=\"#111\">\n<title>",
		      out);
		put_escaped(out, title, strlen(title));
		fputs("</title>\n<desc>", out);
		put_escaped(out, description, strlen(description));
		fprintf(out,
			"</desc>\n%s<rect x=\"0\" y=\"0\" width=\"%d\" height=\"%d\" "
			"fill=\"#fff\"/>\n",
			definitions, width, height);
		fwrite(svg->page.text, 1, svg->page.size, out);
		fputs("</svg>\n", out);
		status = page_print(&whole, status);
	}
	svg_free(svg);
	return status;
}
