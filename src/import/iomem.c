/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iomem.c - proc/iomem: who has which addresses of the CPU.
 *
 *   c0000000-fbffffff : PCI Bus 0000:00
 *     f6000000-f8ffffff : PCI Bus 0000:01
 *
 * Each level is two blanks deeper. A reader without privileges sees 0 for all addresses.
 */
#include "system_platform.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One line, which is cut into pieces; false: it is none of the file's. */
static bool parse_line(char *line, struct iomem_entry *entry)
{
	const size_t indent = strspn(line, " ");
	char *end;

	errno = 0;
	entry->depth = (unsigned)(indent / 2);
	entry->range.first = strtoull(line + indent, &end, 16);
	if (end == line + indent || *end != '-')
		return false;
	entry->range.last = strtoull(end + 1, &end, 16);
	if (strncmp(end, " : ", 3) != 0 || errno || entry->range.first > entry->range.last)
		return false;
	entry->name = end + 3;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

/* The entries of @text, which is cut into pieces. *bad: lines that are none. */
static size_t parse(char *text, struct iomem_entry *entries, size_t *bad)
{
	size_t count = 0;
	char *line;

	*bad = 0;
	while ((line = next_line(&text))) {
		if (parse_line(line, &entries[count]))
			count++;
		else
			++*bad;
	}
	return count;
}

/* Are all addresses 0? */
static bool is_hidden(const struct iomem_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (entries[i].range.last)
			return false;
	return true;
}

int read_iomem(struct building *b)
{
	struct iomem_entry *entries;
	size_t size = 0, bad;
	char *text = read_whole(b, &b->work, IOMEM_FILE, &size);
	int status = 0;

	if (b->work.failed)
		return -BUSWAY_ENOMEM;
	if (!text)
		return note_gap(b->machine, IOMEM_FILE,
				"cannot be read: where memory is, and what the CPU reaches through "
				"host bridges, is unknown");
	entries = arena_take(&b->work, count_lines(text) * sizeof(*entries),
			     _Alignof(struct iomem_entry));
	if (!entries)
		return -BUSWAY_ENOMEM;
	b->iomem.entries = entries;
	b->iomem.count = parse(text, entries, &bad);
	b->iomem.known = b->iomem.count && !is_hidden(entries, b->iomem.count);
	if (bad)
		status = note_gap(b->machine, IOMEM_FILE,
				  "has lines that are no \"FIRST-LAST : NAME\": they are left out");
	if (!status && !b->iomem.known)
		status = note_gap(b->machine, IOMEM_FILE,
				  b->iomem.count
					  ? "a reader without privileges sees no addresses in it: "
					    "where memory is, and what the CPU reaches through "
					    "host bridges, is unknown"
					  : "is empty: where memory is, is unknown");
	return status;
}
