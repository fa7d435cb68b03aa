/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * suppress.c - findings that the user does not want: CODE, or CODE:NODE with a pattern of paths.
 */
#include "check.h"

#include <ctype.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool is_code(const char *text, size_t length)
{
	for (size_t i = 0; i < BUSWAY_FINDING_COUNT; i++) {
		const char *code = busway_finding_code((enum busway_finding_code)i);

		if (strlen(code) == length && memcmp(code, text, length) == 0)
			return true;
	}
	return false;
}

bool is_suppression(const char *text)
{
	const size_t length = strcspn(text, ":");

	return is_code(text, length) &&
	       (text[length] == '\0' || text[length + 1] == '/' || text[length + 1] == '*' ||
		text[length + 1] == '[' || isxdigit((unsigned char)text[length + 1]));
}

static bool add(struct suppressions *all, const char *text)
{
	const size_t length = strcspn(text, ":");
	struct suppression *items = realloc(all->items, (all->count + 1) * sizeof(*items));
	struct suppression one = {0};

	if (items) {
		all->items = items;
		one.code = strndup(text, length);
		one.node = text[length] ? strdup(text + length + 1) : NULL;
		if (one.code && (one.node || !text[length])) {
			items[all->count++] = one;
			return true;
		}
	}
	free(one.code);
	free(one.node);
	complain("out of memory");
	return false;
}

/* One line: a suppression, a comment or nothing. */
static bool take_line(struct suppressions *all, const char *path, int number, char *line)
{
	char *end;

	line[strcspn(line, "#\r")] = '\0';
	while (isspace((unsigned char)*line))
		line++;
	end = line + strlen(line);
	while (end > line && isspace((unsigned char)end[-1]))
		*--end = '\0';
	if (!*line)
		return true;
	if (!is_suppression(line)) {
		complain("%s: line %d: '%s' is neither a code of a finding nor CODE:NODE", path,
			 number, line);
		return false;
	}
	return add(all, line);
}

static bool read_from(struct suppressions *all, const char *path)
{
	size_t size;
	char *data = read_file(path, &size), *copy, *line;
	bool good = true;
	int number = 0;

	if (!data)
		return false;
	copy = strndup(data, size);
	free(data);
	if (!copy) {
		complain("out of memory");
		return false;
	}
	for (char *rest = copy; good && (line = strsep(&rest, "\n"));)
		good = take_line(all, path, ++number, line);
	free(copy);
	return good;
}

bool read_suppressions(const struct options *options, struct suppressions *out)
{
	bool good = true;

	*out = (struct suppressions){0};
	for (int i = 0; i < options->suppress_count && good; i++)
		good = add(out, options->suppress[i]);
	if (good && options->suppressions)
		good = read_from(out, options->suppressions);
	if (!good)
		free_suppressions(out);
	return good;
}

void free_suppressions(struct suppressions *suppressions)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		free(suppressions->items[i].code);
		free(suppressions->items[i].node);
	}
	free(suppressions->items);
	*suppressions = (struct suppressions){0};
}

bool is_suppressed(const struct suppressions *suppressions, const struct busway_finding *finding)
{
	for (size_t i = 0; i < suppressions->count; i++) {
		const struct suppression *s = &suppressions->items[i];

		if (strcmp(s->code, busway_finding_code(finding->code)) == 0 &&
		    (!s->node || fnmatch(s->node, finding->node, 0) == 0))
			return true;
	}
	return false;
}
