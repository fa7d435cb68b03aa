/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_text.c - numbers and addresses as the files of sysfs have them.
 */
#include "system_internal.h"

#include <errno.h>
#include <stdlib.h>

static bool hex_field(const char **text, unsigned most, char end, unsigned long *value)
{
	char *behind;
	unsigned digits = 0;

	while (((*text)[digits] >= '0' && (*text)[digits] <= '9') ||
	       ((*text)[digits] >= 'a' && (*text)[digits] <= 'f') ||
	       ((*text)[digits] >= 'A' && (*text)[digits] <= 'F'))
		digits++;
	if (digits == 0 || digits > most || (*text)[digits] != end)
		return false;
	*value = strtoul(*text, &behind, 16);
	*text = behind + (end != 0);
	return true;
}

bool parse_pci_address(const char *text, struct busway_pci_address *at)
{
	unsigned long domain, bus, device, function;

	if (!hex_field(&text, 8, ':', &domain) || !hex_field(&text, 2, ':', &bus) ||
	    !hex_field(&text, 2, '.', &device) || !hex_field(&text, 1, 0, &function) ||
	    device > 31 || function > 7)
		return false;
	*at = (struct busway_pci_address){
		.domain = (uint32_t)domain,
		.bus = (uint8_t)bus,
		.devfn = (uint8_t)(device << 3 | function),
	};
	return true;
}

bool parse_u64(const char **text, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(*text, &end, 0);
	if (end == *text || errno)
		return false;
	*text = end;
	return true;
}
