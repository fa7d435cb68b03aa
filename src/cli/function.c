/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function.c - a PCI function of a machine by name: "0000:03:00.0" or "03:00.0".
 */
#include "cli.h"

#include <stdio.h>
#include <string.h>

/* All functions that end in @name, behind a ':' or whole. */
static size_t find_all(const struct busway_pci *pci, const char *name, busway_pci_id *first)
{
	const size_t length = strlen(name), count = busway_pci_count(pci);
	size_t hits = 0;

	for (uint32_t i = 0; i < count; i++) {
		const char *own = busway_pci_name(pci, (busway_pci_id){i});
		const size_t own_length = strlen(own);

		if (own_length < length || strcasecmp(own + own_length - length, name) != 0 ||
		    (own_length > length && own[own_length - length - 1] != ':'))
			continue;
		if (!hits++)
			*first = (busway_pci_id){i};
	}
	return hits;
}

bool find_pci_function(const struct loaded *loaded, const char *name, busway_pci_id *id)
{
	const struct busway_pci *pci = busway_machine_pci(loaded->machine);
	const size_t hits = find_all(pci, name, id);

	if (hits == 1)
		return true;
	if (hits > 1)
		complain("%s: '%s' is ambiguous: say its domain as well", loaded->source, name);
	else
		complain("%s: there is no PCI function '%s'", loaded->source, name);
	return false;
}
