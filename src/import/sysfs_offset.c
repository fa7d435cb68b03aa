/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_offset.c - how far the CPU's addresses of a virtual function's BARs are from those on the
 * bus.
 *
 * The registers of its own BARs read as 0, and the file "resource" has the CPU's side only. The
 * BARs of its physical function have both, and lie behind the same host bridge.
 */
#include "system_internal.h"

#include <stdio.h>

enum { TEXT_SIZE = 2048, CONFIG_SIZE = 4096, MEMORY = 0x200, UNSET = 0x20000000 };

struct measure {
	bool seen, disagree;
	uint64_t offset;
};

static void measure_bar(struct measure *m, const struct busway_pci_bar *bar, uint64_t first)
{
	const uint64_t offset = first - bar->bus.first;

	if (!bar->assigned || (bar->kind != BUSWAY_BAR_MEM32 && bar->kind != BUSWAY_BAR_MEM64))
		return;
	m->disagree |= m->seen && m->offset != offset;
	m->seen = true;
	m->offset = offset;
}

/* @file of the function at @at, which is read into @buf. */
static long read_file_of(struct reading *reading, struct busway_pci_address at, const char *file,
			 void *buf, size_t size)
{
	char path[FILE_PATH_SIZE], name[BUSWAY_PCI_NAME_SIZE];

	busway_pci_address_text(at, name);
	snprintf(path, sizeof(path), SYSFS_DEVICES "/%s/%s", name, file);
	return file_read(reading->files, path, buf, size);
}

bool measure_bus_offset(struct reading *reading, struct busway_pci_address at, uint64_t *offset)
{
	struct busway_pci_function f = {.at = at};
	struct measure m = {0};
	uint8_t config[CONFIG_SIZE];
	char text[TEXT_SIZE];
	const char *line = text;
	long got = read_file_of(reading, at, "config", config, sizeof(config));

	if (got < 0 || busway_pci_read_config(config, (size_t)got, &f))
		return false;
	got = read_file_of(reading, at, "resource", text, sizeof(text) - 1);
	if (got < 0)
		return false;
	text[got] = 0;
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		uint64_t first, last, flags;

		if (!parse_u64(&line, &first) || !parse_u64(&line, &last) ||
		    !parse_u64(&line, &flags))
			return false;
		if (first < last && (flags & MEMORY) && !(flags & UNSET))
			measure_bar(&m, &f.bars[i], first);
	}
	if (m.disagree)
		return false;
	*offset = m.offset;
	return m.seen;
}
