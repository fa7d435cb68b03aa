/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * join.c - what becomes known of functions and host bridges only when the platform around them is
 * built.
 */
#include "pci_internal.h"

int busway_pci_join_device(struct busway_pci *pci, busway_pci_id id, busway_device_id device)
{
	struct busway_pci_function *f;

	if (!pci->sealed || id.index >= pci->count)
		return -BUSWAY_EINVAL;
	f = &pci->nodes[id.index].function;
	f->has_device = true;
	f->platform_device = device;
	return 0;
}

int busway_pci_join_translation(struct busway_pci *pci, busway_pci_id id,
				enum busway_known translated)
{
	struct busway_pci_function *f;

	if (!pci->sealed || id.index >= pci->count)
		return -BUSWAY_EINVAL;
	f = &pci->nodes[id.index].function;
	f->translated = translated == BUSWAY_PRESENT;
	f->translation_unknown = translated == BUSWAY_UNKNOWN;
	return 0;
}

int busway_pci_join_windows(struct busway_pci *pci, busway_pci_host_id id,
			    const struct busway_outbound *windows, size_t count)
{
	struct busway_pci_host *host;

	if (!pci->sealed || id.index >= pci->added_hosts.count || (count && !windows))
		return -BUSWAY_EINVAL;
	host = &host_at(pci, id.index)->host;
	host->windows = windows;
	host->window_count = count;
	host->windows_known = true;
	return 0;
}
