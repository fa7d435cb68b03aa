/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reports.c - ranges of IOVAs that somebody else allows, as VFIO and iommufd report them:
 *
 *   --reported vfio=0-0x7ffffff,0x8100000-0xffffffffffff
 */
#include "iova.h"

#include <stdlib.h>
#include <string.h>

/* Behind "NAME=". */
static const char *ranges_of(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals ? equals + 1 : text;
}

static size_t count_ranges(const char *ranges)
{
	size_t count = 1;

	for (; *ranges; ranges++)
		count += *ranges == ',';
	return count;
}

/* @out has room for all. Returns the range that is wrong, or NULL; @next: where it ends. */
static const char *parse_ranges(const char *at, struct busway_range *out)
{
	const struct busway_range *before = NULL;

	for (;; at++, before = out++) {
		const size_t length = strcspn(at, ",");
		char one[80];

		if (length >= sizeof(one))
			return at;
		memcpy(one, at, length);
		one[length] = '\0';
		if (!parse_range(one, false, out) || (before && out->first <= before->last))
			return at;
		at += length;
		if (!*at)
			return NULL;
	}
}

/* The ranges of @text, to be given back by free(); NULL after a complaint. */
static struct busway_range *read_ranges(const char *text, size_t *count)
{
	const char *ranges = ranges_of(text), *wrong;
	struct busway_range *list;

	*count = count_ranges(ranges);
	list = malloc(*count * sizeof(*list));
	if (!list) {
		complain("out of memory");
		return NULL;
	}
	wrong = parse_ranges(ranges, list);
	if (!wrong)
		return list;
	complain("--reported: '%.*s' is no range that lies above those before it; say "
		 "[NAME=]FIRST-LAST,FIRST-LAST...%s",
		 (int)strcspn(wrong, ","), wrong, number_hint(wrong));
	free(list);
	return NULL;
}

bool is_report(const char *text)
{
	size_t count;
	struct busway_range *list = read_ranges(text, &count);

	free(list);
	return list;
}

static char *report_name(const char *text)
{
	const char *equals = strchr(text, '=');

	return equals && equals != text ? strndup(text, (size_t)(equals - text))
					: strdup("the report");
}

bool read_reports(const struct options *options, struct reports *reports)
{
	reports->list = calloc((size_t)options->report_count + 1, sizeof(*reports->list));
	reports->count = 0;
	for (int i = 0; reports->list && i < options->report_count; i++) {
		struct busway_iova_report *report = &reports->list[reports->count++];

		report->ranges = read_ranges(options->reports[i], &report->count);
		report->by = report_name(options->reports[i]);
		if (!report->ranges || !report->by) {
			free_reports(reports);
			return false;
		}
	}
	if (!reports->list)
		complain("out of memory");
	return reports->list;
}

void free_reports(struct reports *reports)
{
	for (size_t i = 0; i < reports->count; i++) {
		free((void *)(uintptr_t)reports->list[i].ranges);
		free((void *)(uintptr_t)reports->list[i].by);
	}
	free(reports->list);
	reports->list = NULL;
	reports->count = 0;
}
