/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_messages.c - where message signalled interrupts are written to.
 *
 * An MSI is a write to an address. If a BAR or a window on the way claims that address, the write
 * goes there and no interrupt comes. (MSI-X keeps its addresses in a table in memory, which is not
 * looked at.)
 */
#include "pci_check.h"

/* Who claims an address, and whether a port on the way might keep the write from it. */
struct claimant {
	busway_pci_id id;
	bool is_bar;
	struct busway_range range;
};

static void try_claim(struct claimant *best, uint32_t index, bool is_bar, struct busway_range range,
		      struct busway_range doorbell)
{
	if (!busway_range_overlaps(range, doorbell))
		return;
	/* a BAR says more than the windows on the way to it */
	if (!busway_pci_some(best->id) || (is_bar && !best->is_bar))
		*best = (struct claimant){{index}, is_bar, range};
}

static struct claimant find_claimant(const struct pci_check *c, uint32_t index,
				     struct busway_range doorbell)
{
	const uint32_t host = busway_pci_host_of(c->pci, (busway_pci_id){index}).index;
	struct claimant best = {.id = BUSWAY_NO_FUNCTION};

	for (uint32_t i = 0; i < busway_pci_count(c->pci); i++) {
		const struct busway_pci_function *f = function_at(c, i);

		if (!has_bus_addresses(c, i) || !f->memory_decode ||
		    busway_pci_host_of(c->pci, (busway_pci_id){i}).index != host)
			continue;
		for (unsigned k = 0; k < BUSWAY_PCI_BARS; k++)
			if (busway_bar_is_memory(&f->bars[k]))
				try_claim(&best, i, true, f->bars[k].bus, doorbell);
		if (!busway_pci_is_bridge(f->type))
			continue;
		if (f->bridge.memory_open)
			try_claim(&best, i, false, f->bridge.memory, doorbell);
		if (f->bridge.prefetch_open)
			try_claim(&best, i, false, f->bridge.prefetch, doorbell);
	}
	return best;
}

/* Could a port above it send the write further up instead? */
static bool may_be_redirected(const struct pci_check *c, uint32_t index)
{
	busway_pci_id n = {index};

	for (; busway_pci_some(n); n = busway_pci_above(c->pci, n)) {
		const struct busway_pci_acs *acs = &busway_pci_function(c->pci, n)->acs;

		if (acs->known == BUSWAY_UNKNOWN || (acs->control & BUSWAY_ACS_RR))
			return true;
	}
	return false;
}

static bool tell_claimed(struct pci_check *c, uint32_t index, struct busway_range doorbell)
{
	const struct claimant who = find_claimant(c, index, doorbell);

	if (!busway_pci_some(who.id))
		return false;
	report_function(
		c, BUSWAY_FINDING_DOORBELL_IN_APERTURE,
		may_be_redirected(c, index) ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_ERROR,
		(busway_pci_id){index}, "MSI address", NO_ENTRY,
		"interrupts are written to 0x%" PRIx64 ", which %s of %s claims: " RANGE_FORMAT,
		doorbell.first, who.is_bar ? "a BAR" : "a window", busway_pci_name(c->pci, who.id),
		RANGE(who.range));
	advise(c->check,
	       "choose a doorbell outside of all windows and BARs, or move what claims it");
	return true;
}

static bool tell_aperture(struct pci_check *c, uint32_t index, struct busway_range doorbell)
{
	const struct busway_pci_host *host =
		busway_pci_host(c->pci, busway_pci_host_of(c->pci, (busway_pci_id){index}));

	for (size_t i = 0; host->windows_known && i < host->window_count; i++) {
		const struct busway_outbound *w = &host->windows[i];

		if (w->kind == BUSWAY_OUTBOUND_IO || !busway_range_overlaps(w->bus, doorbell))
			continue;
		report_function(c, BUSWAY_FINDING_DOORBELL_IN_APERTURE, BUSWAY_SEVERITY_WARNING,
				(busway_pci_id){index}, "MSI address", NO_ENTRY,
				"interrupts are written to 0x%" PRIx64
				", which lies in an aperture of %s: " RANGE_FORMAT,
				doorbell.first, host->name, RANGE(w->bus));
		advise(c->check, "choose a doorbell outside of all apertures");
		return true;
	}
	return false;
}

/* Do the BARs of @f say that the bus has other addresses than the CPU? */
static bool is_offset(const struct busway_pci_function *f)
{
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&f->bars[i]) && f->bars[i].has_cpu &&
		    f->bars[i].cpu.raw != f->bars[i].bus.first)
			return true;
	return false;
}

static void tell_memory(struct pci_check *c, uint32_t index, struct busway_range doorbell)
{
	const struct busway_pci_function *f = function_at(c, index);

	if (f->translated || f->translation_unknown || is_offset(f))
		return;
	for (size_t i = 0; i < c->memory_count; i++) {
		const struct busway_range bank = {c->memory[i].first.raw, c->memory[i].last.raw};

		if (!busway_range_overlaps(bank, doorbell))
			continue;
		report_function(
			c, BUSWAY_FINDING_DOORBELL_IN_APERTURE, BUSWAY_SEVERITY_NOTE,
			(busway_pci_id){index}, "MSI address", NO_ENTRY,
			"interrupts are written to 0x%" PRIx64 ", which is memory: " RANGE_FORMAT
			"; that is right only where the host bridge takes such writes itself",
			doorbell.first, RANGE(bank));
		return;
	}
}

void pci_rule_messages(struct pci_check *c)
{
	for (uint32_t i = 0; i < busway_pci_count(c->pci); i++) {
		const struct busway_pci_msi *msi = &function_at(c, i)->msi;
		const struct busway_range doorbell = {msi->address & ~UINT64_C(3),
						      msi->address | 3};

		if (msi->known != BUSWAY_PRESENT || !msi->enabled || !msi->address ||
		    busway_pci_is_odd(c->pci, (busway_pci_id){i}))
			continue;
		if (!tell_claimed(c, i, doorbell) && !tell_aperture(c, i, doorbell))
			tell_memory(c, i, doorbell);
	}
}
