/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_root.c - peer-to-peer through the root complex, for p2p_route.c.
 *
 * What comes up there has, or gets, an address of the CPU, and goes down to who answers to that.
 */
#include "pci_internal.h"

/* Where the CPU finds the BAR. False: that is not known. */
static bool cpu_range(const struct p2p_route *r, struct busway_range *range)
{
	const struct busway_pci_host *host =
		&host_at(r->pci, node_at(r->pci, r->target)->host)->host;
	const struct busway_range bus = r->bar->bus;

	if (r->bar->has_cpu) {
		if (r->bar->cpu.raw > UINT64_MAX - busway_range_span(bus))
			return false;
		*range = (struct busway_range){r->bar->cpu.raw,
					       r->bar->cpu.raw + busway_range_span(bus)};
		return true;
	}
	for (size_t i = 0; i < host->window_count; i++) {
		const struct busway_outbound *w = &host->windows[i];

		if (w->kind == BUSWAY_OUTBOUND_IO || !w->has_cpu ||
		    !busway_range_within(bus, w->bus))
			continue;
		range->first = w->cpu.raw + (bus.first - w->bus.first);
		range->last = range->first + busway_range_span(bus);
		return true;
	}
	return false;
}

static bool host_passes(const struct busway_pci_host *host, struct busway_range bus,
			struct busway_range cpu, bool *overlaps)
{
	bool passes = false;

	for (size_t i = 0; i < host->window_count; i++) {
		const struct busway_outbound *w = &host->windows[i];
		const struct busway_range side = {w->cpu.raw,
						  w->cpu.raw + busway_range_span(w->bus)};

		if (w->kind == BUSWAY_OUTBOUND_IO || !w->has_cpu ||
		    !busway_range_overlaps(side, cpu))
			continue;
		*overlaps = true;
		passes = passes || (busway_range_within(bus, w->bus) &&
				    bus.first - w->bus.first == cpu.first - w->cpu.raw);
	}
	return passes;
}

/* Does the root complex bring the CPU's @cpu to the target's bus, and nowhere else? */
static bool root_leads_there(const struct p2p_route *r, struct busway_range cpu)
{
	const struct busway_pci *pci = r->pci;
	const uint32_t own = node_at(pci, r->target)->host;

	for (uint32_t h = 0; h < pci->added_hosts.count; h++) {
		const struct busway_pci_host *host = &host_at(pci, h)->host;
		bool overlaps = false;

		if (h == own) {
			if (host->windows_known &&
			    !host_passes(host, r->bar->bus, cpu, &overlaps)) {
				refuse_p2p(r->out, BUSWAY_BRIDGE_WINDOW, host->name, NULL);
				return false;
			}
			continue;
		}
		if (host->windows_known) {
			(void)host_passes(host, r->bar->bus, cpu, &overlaps);
			if (overlaps) {
				refuse_p2p(r->out, BUSWAY_BUS_CLAIMED, host->name, NULL);
				return false;
			}
			continue;
		}
		if (!somebody_claims(pci, h, cpu))
			continue;
		for (uint32_t i = host_at(pci, h)->below; i != NONE; i = node_at(pci, i)->beside)
			if (claims_some(node_at(pci, i), cpu))
				return route_refuse(r, BUSWAY_BUS_CLAIMED, i, NULL);
	}
	return true;
}

/* Two root ports of one root complex may be kept apart by egress control. */
static bool root_allows(const struct p2p_route *r)
{
	const uint32_t from = r->way.a_child, to = r->way.b_child;
	uint16_t bits;

	if (r->way.common != NONE || node_at(r->pci, from)->host != node_at(r->pci, to)->host)
		return true;
	switch (turn_of_request(r->pci, from, to, false, &bits)) {
	case TURN_UNKNOWN:
		return route_refuse(r, BUSWAY_ACS_UNKNOWN, from, NULL);
	case TURN_BLOCKED:
		r->out->decider = (busway_pci_id){from};
		r->out->acs = bits;
		return route_refuse(r, BUSWAY_ACS_BLOCKED, from, "ACS EC");
	default:
		return true;
	}
}

/* A device with ATS may ask for the address behind an IOVA, and then emit that. */
static bool translated_arrives(const struct p2p_route *r, struct busway_range cpu)
{
	const struct busway_pci_function *f = &node_at(r->pci, r->initiator)->function;
	struct climber c = {
		.pci = r->pci, .range = cpu, .translated = true, .rightful = NONE, .common = NONE};

	if (f->ats == BUSWAY_UNKNOWN)
		r->out->certain = false;
	if (f->ats != BUSWAY_PRESENT || !f->ats_enabled)
		return true;
	if (cpu.first == r->bar->bus.first && r->way.common != NONE)
		c.rightful = r->way.b_child;
	if (climb(&c, r->initiator) != CLIMB_STOPPED) {
		r->out->certain = r->out->certain && c.certain;
		return true;
	}
	r->out->decider = (busway_pci_id){c.at};
	return route_refuse(r, c.reason, c.at, c.by);
}

/* Does @request bring a request there that is neither translated nor answered to below? */
static bool untranslated_arrives(const struct p2p_route *r, struct busway_range cpu,
				 const struct climber *request, enum climb came)
{
	struct climber c = {.pci = r->pci, .range = cpu, .rightful = NONE, .common = NONE};

	if (cpu.first != r->bar->bus.first) {
		if (climb(&c, r->initiator) == CLIMB_ROOT)
			return true;
		return route_refuse(r, c.reason, c.at, c.by);
	}
	if (came != CLIMB_STOPPED)
		return true;
	return route_refuse(r, request->reason, request->at, request->by);
}

void route_by_root(const struct p2p_route *r, const struct climber *request, enum climb came)
{
	const struct busway_pci_function *f = &node_at(r->pci, r->initiator)->function;
	const bool translated = f->translated;
	struct busway_range cpu = r->bar->bus;

	if (!cpu_range(r, &cpu))
		r->out->certain = false;
	if (!translated && came == CLIMB_TURNED && cpu.first == r->bar->bus.first) {
		/* the request goes straight, and only what is read comes by the root complex */
		r->out->certain = r->out->certain && request->certain && !f->translation_unknown;
		r->out->verdict = BUSWAY_P2P_HOST_BRIDGE;
		return;
	}
	if (f->translation_unknown)
		r->out->certain = false;
	if (r->way.common != NONE && !route_descends(r, NONE))
		return;
	if (!root_leads_there(r, cpu) || !root_allows(r) ||
	    !(translated ? translated_arrives(r, cpu)
			 : untranslated_arrives(r, cpu, request, came)))
		return;
	r->out->verdict = translated ? BUSWAY_P2P_IOMMU : BUSWAY_P2P_HOST_BRIDGE;
}
