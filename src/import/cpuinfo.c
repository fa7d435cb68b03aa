/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpuinfo.c - the processor, as proc/cpuinfo of an x86 machine has it.
 *
 * Only AMD's own vendor string counts, as in cpu_supports_p2pdma() of Linux 6.12
 * (drivers/pci/p2pdma.c): derived designs are not known to forward.
 */
#include "system_internal.h"

#include <string.h>

enum { FIRST_PROCESSOR = 4096, ZEN_FAMILY = 0x17 };

/* What stands behind "NAME<tabs>: " at the start of a line, or NULL. */
static const char *value_of(const char *text, const char *name)
{
	const size_t length = strlen(name);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		const char *behind;

		line += *line == '\n';
		if (strncmp(line, name, length) != 0)
			continue;
		behind = line + length + strspn(line + length, " \t");
		if (*behind == ':')
			return behind + 1 + strspn(behind + 1, " \t");
	}
	return NULL;
}

int read_cpuinfo(struct reading *reading)
{
	static const char amd[] = "AuthenticAMD";
	char text[FIRST_PROCESSOR];
	const long got = file_read(reading->files, "proc/cpuinfo", text, sizeof(text) - 1);
	const char *vendor, *family;
	uint64_t number;

	if (got <= 0)
		return 0;
	text[got] = 0;
	vendor = value_of(text, "vendor_id");
	family = value_of(text, "cpu family");
	if (!vendor || !family || !parse_u64(&family, &number))
		return 0;
	reading->machine->cpu_zen =
		strncmp(vendor, amd, sizeof(amd) - 1) == 0 && number >= ZEN_FAMILY ? BUSWAY_PRESENT
										   : BUSWAY_ABSENT;
	return 0;
}
