/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_place.c - the line of a device-tree source that a finding is about.
 *
 * The compiler knows: with -T it writes the tree as a source again, one node or property a line,
 * and behind each where that was said last: file, first line and column, last line and column.
 * (With one T, names of files would lose the folder that a preprocessor's marks begin with.) Of
 * such a text:
 *
 *	soc {                                   comment "board.dtsi:12:6-30:3"
 *		ranges = <0x00 0x00 0x1000>;    comment "<stdin>:40:2-40:31"
 *	};                                      comment "board.dtsi:12:6-30:3"
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

/* A line without indentation and labels, and what stands behind it as a comment. */
struct row {
	const char *text, *comment;
	size_t length, comment_length;
};

static const char *skip_labels(const char *text, const char *end)
{
	for (;;) {
		const char *s = text;

		while (s < end && (*s == '_' || (*s >= '0' && *s <= '9') ||
				   (*s >= 'A' && *s <= 'Z') || (*s >= 'a' && *s <= 'z')))
			s++;
		if (s == text || end - s < 2 || s[0] != ':' || s[1] != ' ')
			return text;
		text = s + 2;
	}
}

static struct row row_of(const char *line, size_t length)
{
	static const char close[] = " */";
	const char *end = line + length, *comment = NULL;
	struct row row = {0};

	while (line < end && (*line == '\t' || *line == ' '))
		line++;
	if (end - line > 6 && memcmp(end - 3, close, 3) == 0) {
		for (comment = end - 6; comment > line && memcmp(comment, "/* ", 3) != 0; comment--)
			;
		row.comment = comment + 3;
		row.comment_length = (size_t)(end - 3 - row.comment);
		end = comment;
	}
	while (end > line && end[-1] == ' ')
		end--;
	row.text = skip_labels(line, end);
	row.length = (size_t)(end - row.text);
	return row;
}

/* Does @row open the node, or state the property, of this name? */
static bool is_named(const struct row *row, const char *name, size_t length)
{
	return row->length > length && memcmp(row->text, name, length) == 0 &&
	       (row->text[length] == ' ' || row->text[length] == ';');
}

/* "<stdin>:12:3-14:4", "soc.dtsi:7:1-7:20" */
static void take_place(const struct row *row, struct place *place)
{
	static const char self[] = "<stdin>";
	const char *colon = row->comment_length ? row->comment + row->comment_length : NULL;
	unsigned long line;

	for (int i = 0; i < 3 && colon; i++)
		colon = memrchr(row->comment, ':', (size_t)(colon - row->comment));
	line = colon ? strtoul(colon + 1, NULL, 10) : 0;
	if (line == 0 || line > INT32_MAX)
		return;
	place->line = (unsigned)line;
	place->file_length = (int)(colon - row->comment);
	place->file = row->comment;
	if ((size_t)place->file_length == strlen(self) &&
	    memcmp(place->file, self, strlen(self)) == 0)
		place->file = NULL;
}

struct place find_place(const char *places, const char *node, const char *property)
{
	struct place place = {.line = 1};
	const char *rest = node;       /* of the path, below the nodes that were found */
	size_t depth = 0, matched = 0; /* open nodes; those of them on the path */
	size_t length;

	for (const char *line = places; line && *line; line += length + (line[length] == '\n')) {
		struct row row;
		const size_t name = matched ? strcspn(rest, "/") : 1;

		length = strcspn(line, "\n");
		row = row_of(line, length);
		if (row.length && row.text[row.length - 1] == '{') {
			if (depth == matched && *rest && is_named(&row, rest, name)) {
				rest += name + (matched && rest[name] == '/');
				matched++;
				if (!*rest)
					take_place(&row, &place);
			}
			depth++;
		} else if (row.length && row.text[0] == '}') {
			if (depth == matched)
				break; /* the node, or the last of its parents that is there */
			depth--;
		} else if (depth && depth == matched && !*rest && property[0] &&
			   is_named(&row, property, strlen(property))) {
			take_place(&row, &place);
			break;
		}
	}
	return place;
}
