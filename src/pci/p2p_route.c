/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_route.c - peer-to-peer as the route carries it.
 *
 * A request goes up until a bridge is reached below which its address is, turns round on the bus
 * below that bridge, and goes down. Only where it turns does ACS decide whether it may: ports
 * further down pass it up in any case, ports further up never see it (PCI Express Base 6.12.3).
 */
#include "pci_internal.h"

/* What ACS does with a request, or its completion, where it could turn round. */
enum turn { TURN_DIRECT, TURN_REDIRECTED, TURN_BLOCKED, TURN_UNKNOWN };

/* ---- does it get there ---- */

/* Does the bus of @n, looked at by who comes from below @from, have somebody else that answers? */
static uint32_t find_rival(const struct busway_pci *pci, uint32_t n, uint32_t rightful,
			   struct busway_range range)
{
	const uint32_t above = node_at(pci, n)->above;
	uint32_t i = above == NONE ? host_at(pci, node_at(pci, n)->host)->below
				   : node_at(pci, above)->below;

	for (; i != NONE; i = node_at(pci, i)->beside)
		if (i != rightful && claims_some(node_at(pci, i), range))
			return i;
	return NONE;
}

/* On each bus on the way only the bridge that leads on, or the target, may answer. */
static bool way_is_clear(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
			 const struct busway_pci_bar *bar, struct busway_p2p *out)
{
	const uint32_t common = out->common.index;
	uint32_t rival = NONE, n;

	if (node_at(pci, target)->clean)
		return true;
	for (n = target; n != common && rival == NONE; n = node_at(pci, n)->above)
		rival = find_rival(pci, n, n, bar->bus);
	for (n = initiator; n != common && rival == NONE; n = node_at(pci, n)->above)
		/* on the last bus the way to the target has been looked at already */
		if (node_at(pci, n)->above != common)
			rival = find_rival(pci, n, NONE, bar->bus);
	if (rival == NONE)
		return true;
	refuse_p2p(out, BUSWAY_BUS_CLAIMED, node_at(pci, rival)->name, NULL);
	return false;
}

static bool windows_pass(const struct busway_pci *pci, uint32_t target,
			 const struct busway_pci_bar *bar, struct busway_p2p *out)
{
	const uint32_t common = out->common.index;

	/* the target may be a bridge above the initiator, what both have in common by itself */
	for (uint32_t n = target == common ? common : node_at(pci, target)->above; n != common;
	     n = node_at(pci, n)->above) {
		const struct busway_pci_bridge *b = &node_at(pci, n)->function.bridge;

		if (bridge_passes_all(node_at(pci, n), bar))
			continue;
		if (!node_at(pci, n)->function.config_size) {
			out->certain = false;
			refuse_p2p(out, BUSWAY_WIRING_UNKNOWN, node_at(pci, n)->name, NULL);
			return false;
		}
		refuse_p2p(out, BUSWAY_BRIDGE_WINDOW, node_at(pci, n)->name, NULL);
		out->refusal.has_limit = b->memory_open || b->prefetch_open;
		out->refusal.limit = b->prefetch_open && (!b->memory_open || bar->prefetchable)
					     ? b->prefetch
					     : b->memory;
		return false;
	}
	return true;
}

/* ---- where it turns ---- */

/* Is the bus below @bridge a shared one, on which everybody hears everybody? */
static bool bus_is_shared(const struct busway_pci *pci, uint32_t bridge)
{
	const enum busway_pci_type type = node_at(pci, bridge)->function.type;

	return type == BUSWAY_PCI_PCIE_TO_PCI || type == BUSWAY_PCI_CONVENTIONAL_BRIDGE;
}

/* The number by which an egress control vector knows @n: of a port, or of a function of a device.
 */
static bool egress_number(const struct node *n, bool functions, unsigned *number)
{
	*number = functions ? n->function.at.devfn & 7 : n->function.port_number;
	return functions || n->function.has_port_number;
}

/* What the ACS of @from does with a request to @to beside it. */
static enum turn turn_of_request(const struct busway_pci *pci, uint32_t from, uint32_t to,
				 bool functions, uint16_t *bits)
{
	const struct busway_pci_acs *acs = &node_at(pci, from)->function.acs;
	unsigned number;

	if (acs->known == BUSWAY_UNKNOWN)
		return TURN_UNKNOWN;
	if (acs->known == BUSWAY_ABSENT)
		return TURN_DIRECT;
	if (!(acs->control & BUSWAY_ACS_EC)) {
		*bits = acs->control & BUSWAY_ACS_RR;
		return *bits ? TURN_REDIRECTED : TURN_DIRECT;
	}
	if (!egress_number(node_at(pci, to), functions, &number) || number >= acs->egress_count)
		return TURN_UNKNOWN;
	if (!(acs->egress[number / 8] >> (number % 8) & 1))
		return TURN_DIRECT; /* allowed by name, whatever RR says */
	*bits = acs->control & (BUSWAY_ACS_RR | BUSWAY_ACS_EC);
	return acs->control & BUSWAY_ACS_RR ? TURN_REDIRECTED : TURN_BLOCKED;
}

/* And that of @to with the completion of a read, on its way back. */
static enum turn turn_of_completion(const struct busway_pci *pci, uint32_t to, uint16_t *bits)
{
	const struct busway_pci_acs *acs = &node_at(pci, to)->function.acs;

	if (acs->known == BUSWAY_UNKNOWN)
		return TURN_UNKNOWN;
	*bits = acs->known == BUSWAY_PRESENT ? acs->control & BUSWAY_ACS_CR : 0;
	return *bits ? TURN_REDIRECTED : TURN_DIRECT;
}

/* Do functions of one device carry requests between each other? One that has ACS says so by
 * having RR; of one without ACS nothing can be read. */
static bool device_says_that_it_carries(const struct node *n)
{
	return n->function.acs.known == BUSWAY_PRESENT &&
	       (n->function.acs.capability & BUSWAY_ACS_RR);
}

static enum turn find_turn(const struct busway_pci *pci, struct way way, struct busway_p2p *out)
{
	const uint32_t from = way.a_child, to = way.b_child;
	const bool ports = node_at(pci, from)->function.type == BUSWAY_PCI_DOWNSTREAM_PORT ||
			   node_at(pci, from)->function.type == BUSWAY_PCI_UNKNOWN_BRIDGE;
	enum turn turn;

	if (from == to || bus_is_shared(pci, way.common))
		return TURN_DIRECT;
	turn = turn_of_request(pci, from, to, !ports, &out->acs);
	out->decider = (busway_pci_id){from};
	if (turn != TURN_DIRECT)
		return turn;
	turn = turn_of_completion(pci, to, &out->acs);
	if (turn != TURN_DIRECT) {
		out->decider = (busway_pci_id){to};
		return turn;
	}
	if (!ports && !device_says_that_it_carries(node_at(pci, from)))
		out->certain = false;
	out->decider = BUSWAY_NO_FUNCTION;
	return TURN_DIRECT;
}

void decide_route(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		  const struct busway_pci_bar *bar, const struct busway_p2p_policy *policy,
		  struct busway_p2p *out)
{
	const struct way way = find_way(pci, initiator, target);
	const uint32_t odd = node_at(pci, initiator)->odd ? initiator : target;

	if (node_at(pci, odd)->odd) {
		out->certain = false;
		refuse_p2p(out, BUSWAY_WIRING_UNKNOWN, node_at(pci, odd)->name, NULL);
		return;
	}
	if (!bar) {
		refuse_p2p(out, BUSWAY_NO_BAR, node_at(pci, target)->name, NULL);
		return;
	}
	if (initiator == target) { /* it never leaves the function */
		out->verdict = BUSWAY_P2P_SWITCH;
		return;
	}
	if (!way_is_clear(pci, initiator, target, bar, out) || !windows_pass(pci, target, bar, out))
		return;
	if (way.common == NONE) {
		by_root_complex(pci, initiator, target, policy, BUSWAY_PEER_ROUTE, out);
		return;
	}
	switch (find_turn(pci, way, out)) {
	case TURN_DIRECT:
		out->verdict = BUSWAY_P2P_SWITCH;
		break;
	case TURN_REDIRECTED:
		by_root_complex(pci, initiator, target, policy, BUSWAY_ACS_REDIRECT, out);
		break;
	case TURN_BLOCKED:
		refuse_p2p(out, BUSWAY_ACS_BLOCKED, node_at(pci, out->decider.index)->name,
			   "ACS EC");
		break;
	case TURN_UNKNOWN:
		out->certain = false;
		refuse_p2p(out, BUSWAY_ACS_UNKNOWN, node_at(pci, out->decider.index)->name, NULL);
		break;
	}
}
