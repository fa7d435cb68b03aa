/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - where why and map of a machine end at another function's memory: busway p2p tells more.
 */
#include "cli.h"

/* Is all of @range in @bar? @by_cpu: it is where the CPU finds it, else bus addresses. */
static bool bar_holds(const struct busway_pci_bar *bar, struct busway_range range, bool by_cpu)
{
	const uint64_t first = by_cpu ? bar->cpu.raw : bar->bus.first;

	return busway_bar_is_memory(bar) && (!by_cpu || bar->has_cpu) && range.first >= first &&
	       range.last - first <= busway_range_span(bar->bus);
}

static bool function_of(const struct loaded *loaded, const struct busway_device *device,
			busway_pci_id *id)
{
	const struct busway_pci *pci = busway_system_pci(loaded->machine);

	for (id->index = 0; id->index < busway_pci_count(pci); id->index++) {
		const struct busway_pci_function *f = busway_pci_function(pci, *id);

		if (f->has_device &&
		    busway_platform_device(loaded->platform, f->platform_device) == device)
			return true;
	}
	return false;
}

bool find_peer(const struct loaded *loaded, const struct busway_device *device,
	       struct busway_range range, bool by_cpu, struct peer *peer)
{
	const struct busway_pci *pci = loaded->machine ? busway_system_pci(loaded->machine) : NULL;
	busway_pci_id own;

	if (!pci || !function_of(loaded, device, &own))
		return false;
	peer->initiator = busway_pci_name(pci, own);
	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		if (i == own.index || f->at.domain != busway_pci_function(pci, own)->at.domain)
			continue;
		peer->target = busway_pci_name(pci, (busway_pci_id){i});
		for (peer->bar = 0; peer->bar < BUSWAY_PCI_BARS; peer->bar++)
			if (bar_holds(&f->bars[peer->bar], range, by_cpu))
				return true;
	}
	return false;
}

void put_peer(struct page *page, const struct loaded *loaded, const struct peer *peer)
{
	fprintf(page->out, "  that is BAR %u of %s: busway p2p ", peer->bar, peer->target);
	put_safe(page, loaded->source);
	fprintf(page->out, " %s %s tells whether it is reached, and how\n", peer->initiator,
		peer->target);
}
