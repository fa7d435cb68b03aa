/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function.c - a PCI function of a machine by name: "0000:03:00.0" or "03:00.0".
 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 8 };

/* Does @own end in @name, behind a ':' or whole? */
static bool ends_in(const char *own, const char *name)
{
	const size_t length = strlen(name), own_length = strlen(own);

	return own_length >= length && strcasecmp(own + own_length - length, name) == 0 &&
	       (own_length == length || own[own_length - length - 1] == ':');
}

static size_t find_all(const struct busway_pci *pci, const char *name, busway_pci_id *first)
{
	const size_t count = busway_pci_count(pci);
	size_t hits = 0;

	for (uint32_t i = 0; i < count; i++)
		if (ends_in(busway_pci_name(pci, (busway_pci_id){i}), name) && !hits++)
			*first = (busway_pci_id){i};
	return hits;
}

static void list_hits(const struct busway_pci *pci, const char *name, size_t hits)
{
	size_t listed = 0;

	for (uint32_t i = 0; i < busway_pci_count(pci) && listed < LISTED; i++) {
		const char *own = busway_pci_name(pci, (busway_pci_id){i});

		if (!ends_in(own, name))
			continue;
		fprintf(stderr, "  %s\n", own);
		listed++;
	}
	if (hits > LISTED)
		fprintf(stderr, "  and %zu more\n", hits - LISTED);
}

size_t pci_function_hits(const struct loaded *loaded, const char *name)
{
	busway_pci_id first;

	return find_all(busway_system_pci(loaded->machine), name, &first);
}

const struct busway_pci_function *function_of_device(const struct loaded *loaded,
						     busway_device_id id)
{
	const struct busway_pci *pci = loaded->machine ? busway_system_pci(loaded->machine) : NULL;
	const struct busway_device *d = busway_platform_device(loaded->platform, id);
	struct busway_pci_address at;
	const struct busway_pci_function *f;
	busway_pci_id function;

	if (!pci || d->kind != BUSWAY_DEVICE_PCI_FUNCTION)
		return NULL;
	at = (struct busway_pci_address){
		.domain = (uint32_t)strtoul(d->name, NULL, 16), /* its name begins with it */
		.bus = (uint8_t)(d->requester >> 8),
		.devfn = (uint8_t)d->requester,
	};
	function = busway_pci_find(pci, at);
	f = busway_pci_some(function) ? busway_pci_function(pci, function) : NULL;
	/* nodes of a device tree are functions, too */
	return f && f->has_device && f->platform_device.index == id.index ? f : NULL;
}

bool share_iommu_group(const struct loaded *loaded, busway_device_id a, busway_device_id b)
{
	const struct busway_pci_function *x = function_of_device(loaded, a);
	const struct busway_pci_function *y = function_of_device(loaded, b);

	return x && y && x->has_group && y->has_group && x->group == y->group;
}

bool find_pci_function(const struct loaded *loaded, const char *name, busway_pci_id *id)
{
	const struct busway_pci *pci = busway_system_pci(loaded->machine);
	const size_t hits = find_all(pci, name, id);

	if (hits == 1)
		return true;
	if (hits > 1) {
		complain("%s: '%s' is ambiguous: it could be any of", loaded->source, name);
		list_hits(pci, name, hits);
	} else {
		complain("%s: there is no PCI function '%s' (they are named as 0000:03:00.0, or "
			 "03:00.0)",
			 loaded->source, name);
	}
	return false;
}
