/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_bars.c - two that claim the same addresses on one bus: BARs, and windows of bridges.
 *
 * One bus at a time is enough: where BARs of two buses overlap, either the windows of the bridges
 * above them do as well, on the bus where both begin, or a BAR lies outside of its bridge's.
 */
#include "pci_check.h"

enum { MEMORY_WINDOW = BUSWAY_PCI_BARS, PREFETCH_WINDOW, CLAIMS };

static const char *claim_name(uint32_t entry)
{
	return entry == MEMORY_WINDOW     ? "memory window"
	       : entry == PREFETCH_WINDOW ? "prefetchable window"
					  : bar_register(entry);
}

/* Called for two claims of one bus that overlap; @a begins first. */
static void tell(struct busway_check *check, const void *of, const struct spot *a,
		 const struct spot *b)
{
	/* a rule has one check at a time, and it is not const */
	struct pci_check *c = *(struct pci_check *const *)of;
	const bool both =
		function_at(c, a->owner)->memory_decode && function_at(c, b->owner)->memory_decode;

	report_function(c, BUSWAY_FINDING_BAR_OVERLAP,
			both ? BUSWAY_SEVERITY_ERROR : BUSWAY_SEVERITY_NOTE,
			(busway_pci_id){b->owner}, claim_name(b->entry), b->entry,
			"bus addresses " RANGE_FORMAT " overlap the %s of %s, " RANGE_FORMAT "%s",
			RANGE(b->range), claim_name(a->entry), name_at(c, a->owner),
			RANGE(a->range), both ? "" : "; memory decode of one of them is off");
	advise(check, "let the system assign addresses anew (Linux: pci=realloc), or update the "
		      "firmware");
}

static void add(struct spot *spots, size_t *count, uint64_t bus, uint32_t owner, uint32_t entry,
		struct busway_range range)
{
	spots[(*count)++] = (struct spot){range, bus, owner, entry};
}

/* What stands for the bus that a function sits on: the bridge above, or the host bridge. */
static uint64_t bus_of(const struct pci_check *c, uint32_t index)
{
	const busway_pci_id up = busway_pci_above(c->pci, (busway_pci_id){index});

	return busway_pci_some(up)
		       ? up.index
		       : (UINT64_C(1) << 32) +
				 busway_pci_host_of(c->pci, (busway_pci_id){index}).index;
}

static void add_claims(const struct pci_check *c, uint32_t index, struct spot *spots, size_t *count)
{
	const struct busway_pci_function *f = function_at(c, index);
	const uint64_t bus = bus_of(c, index);

	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&f->bars[i]))
			add(spots, count, bus, index, i, f->bars[i].bus);
	if (!busway_pci_is_bridge(f->type))
		return;
	if (f->bridge.memory_open)
		add(spots, count, bus, index, MEMORY_WINDOW, f->bridge.memory);
	if (f->bridge.prefetch_open)
		add(spots, count, bus, index, PREFETCH_WINDOW, f->bridge.prefetch);
}

void pci_rule_bars(struct pci_check *c)
{
	const size_t functions = busway_pci_count(c->pci);
	struct spot *spots = take_spots(c->check, functions * CLAIMS + 1);
	size_t count = 0;

	for (uint32_t i = 0; spots && i < functions; i++)
		if (has_bus_addresses(c, i))
			add_claims(c, i, spots, &count);
	if (spots)
		sweep_spots(c->check, spots, count, SWEEP_PREVIOUS_TOO, tell, &c);
}
