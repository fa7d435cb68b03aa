/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_climb.c - the way up of a request, and of what was read.
 *
 *   bus of a switch   the port it came in by decides, with its ACS, whether it may turn to the
 *                     port that answers (PCI Express Base 6.12.3)
 *   link              functions of one device: the same, if the device carries requests inside
 *   shared bus        who answers gets it; the bridge above answers to all but its own windows
 *   port              passes up what is not for its own windows; that too, where UF is set
 */
#include "pci_internal.h"

/* ---- buses ---- */

enum bus { BUS_SWITCH, BUS_LINK, BUS_SHARED, BUS_UNKNOWN };

/* What sits on a bus tells what it is, where the bridge above cannot be read. */
static enum bus beside_unknown(enum busway_pci_type type)
{
	switch (type) {
	case BUSWAY_PCI_DOWNSTREAM_PORT:
		return BUS_SWITCH;
	case BUSWAY_PCI_ENDPOINT:
	case BUSWAY_PCI_UPSTREAM_PORT:
	case BUSWAY_PCI_PCIE_TO_PCI:
		return BUS_LINK;
	default:
		return BUS_UNKNOWN;
	}
}

/* Of the bus below @above, on which @n is. */
static enum bus bus_of(const struct busway_pci *pci, uint32_t above, uint32_t n)
{
	switch (node_at(pci, above)->function.type) {
	case BUSWAY_PCI_UPSTREAM_PORT:
		return BUS_SWITCH;
	case BUSWAY_PCI_PCIE_TO_PCI:
	case BUSWAY_PCI_CONVENTIONAL_BRIDGE:
		return BUS_SHARED;
	case BUSWAY_PCI_UNKNOWN_BRIDGE:
		return beside_unknown(node_at(pci, n)->function.type);
	default:
		return BUS_LINK;
	}
}

static bool is_port(enum busway_pci_type type)
{
	return type == BUSWAY_PCI_ROOT_PORT || type == BUSWAY_PCI_DOWNSTREAM_PORT;
}

/* ---- ACS where it could turn ---- */

/* The number by which the egress control vector of @from knows @to: of a port, or, in one device,
 * of a function. That of virtual functions is not said anywhere. */
static bool egress_number(const struct busway_pci *pci, uint32_t from, uint32_t to,
			  unsigned *number)
{
	const struct busway_pci_function *f = &node_at(pci, to)->function;
	const struct busway_pci_function *own = &node_at(pci, from)->function;
	const uint32_t above = node_at(pci, from)->above;

	/* an integrated function's vector is of functions; it has no port to know others by */
	if (above == NONE && own->type != BUSWAY_PCI_ROOT_PORT)
		return false;
	if (above != NONE && bus_of(pci, above, from) != BUS_SWITCH) {
		*number = f->at.devfn; /* on a link bits 7..3 are 0, or those of ARI */
		return !f->is_virtual && !own->is_virtual;
	}
	*number = f->port_number;
	return f->has_port_number;
}

enum turn turn_of_request(const struct busway_pci *pci, uint32_t from, uint32_t to, bool translated,
			  uint16_t *bits)
{
	const struct busway_pci_acs *acs = &node_at(pci, from)->function.acs;
	unsigned number;

	*bits = 0;
	if (acs->known == BUSWAY_UNKNOWN)
		return TURN_UNKNOWN;
	if (acs->known == BUSWAY_ABSENT)
		return TURN_DIRECT;
	if (translated && (acs->control & BUSWAY_ACS_DT))
		return TURN_DIRECT;
	if (!(acs->control & BUSWAY_ACS_EC)) {
		*bits = acs->control & BUSWAY_ACS_RR;
		return *bits ? TURN_REDIRECTED : TURN_DIRECT;
	}
	if (!egress_number(pci, from, to, &number) || number >= acs->egress_count)
		return TURN_UNKNOWN;
	if (!(acs->egress[number / 8] >> (number % 8) & 1))
		return TURN_DIRECT; /* allowed by name, whatever RR says */
	*bits = acs->control & (BUSWAY_ACS_RR | BUSWAY_ACS_EC);
	return acs->control & BUSWAY_ACS_RR ? TURN_REDIRECTED : TURN_BLOCKED;
}

/* ---- the way up ---- */

enum { SHORT_BUS = 32 };

/* Who else on the bus of @n answers to some of @range; NONE. @more: and is not alone. */
static uint32_t find_answer(const struct busway_pci *pci, uint32_t n, struct busway_range range,
			    bool *more)
{
	uint32_t found = NONE;
	unsigned looked = 0;

	*more = false;
	for (uint32_t i = first_beside(pci, n); i != NONE; i = node_at(pci, i)->beside) {
		/* a long bus, as one of virtual functions: mostly nobody does */
		if (looked++ == SHORT_BUS && !somebody_claims(pci, node_at(pci, n)->host, range))
			return NONE;
		if (i == n || !claims_some(node_at(pci, i), range))
			continue;
		*more = found != NONE;
		if (*more)
			break;
		found = i;
	}
	return found;
}

static enum climb stop(struct climber *c, enum busway_reason reason, uint32_t at, const char *by)
{
	c->reason = reason;
	c->at = at;
	c->by = by;
	return CLIMB_STOPPED;
}

/* It could turn to @answer, beside @n. */
static enum climb turn_to(struct climber *c, uint32_t n, uint32_t answer)
{
	const struct busway_pci *pci = c->pci;
	const uint32_t above = node_at(pci, n)->above;
	const enum bus bus = bus_of(pci, above, n);

	const bool whole = claims_whole(node_at(pci, answer), c->range);

	if (!whole && bus != BUS_LINK)
		return stop(c, BUSWAY_BUS_CLAIMED, answer, NULL);
	/* the bridge above would answer as well */
	if (bus != BUS_LINK && !bridge_passes_all(node_at(pci, above), c->range))
		return stop(c, BUSWAY_BRIDGE_WINDOW, above, NULL);
	if (bus == BUS_SHARED)
		return answer == c->rightful ? CLIMB_TURNED
					     : stop(c, BUSWAY_BUS_CLAIMED, answer, NULL);
	switch (turn_of_request(pci, n, answer, c->translated, &c->bits)) {
	case TURN_DIRECT:
		if (answer != c->rightful || !whole)
			return stop(c, BUSWAY_BUS_CLAIMED, answer, NULL);
		if (bus != BUS_SWITCH && carries_inside(node_at(pci, n)) != BUSWAY_PRESENT)
			c->certain = false;
		return CLIMB_TURNED;
	case TURN_REDIRECTED:
		c->decider = n;
		c->sent = true;
		return CLIMB_ROOT;
	case TURN_BLOCKED:
		c->decider = n;
		return stop(c, BUSWAY_ACS_BLOCKED, n, "ACS EC");
	default:
		c->decider = n;
		return stop(c, BUSWAY_ACS_UNKNOWN, n, NULL);
	}
}

/* On the bus of @n. CLIMB_ROOT: on up. */
static enum climb leave_bus(struct climber *c, uint32_t n)
{
	const struct busway_pci *pci = c->pci;
	const uint32_t above = node_at(pci, n)->above;
	const enum bus bus = bus_of(pci, above, n);
	uint32_t answer;
	bool more;

	if (c->quick) /* nobody answers who is not on the way to the target */
		answer = above == c->common ? c->rightful : NONE, more = false;
	else
		answer = find_answer(pci, n, c->range, &more);
	/* what a device does not carry inside leaves it, whoever in it would answer */
	if (bus == BUS_LINK && carries_inside(node_at(pci, n)) == BUSWAY_ABSENT)
		return CLIMB_ROOT;
	if (answer != NONE && more)
		return stop(c, BUSWAY_BUS_CLAIMED, answer, NULL);
	if (answer != NONE)
		return turn_to(c, n, answer);
	if (bus != BUS_LINK && bridge_passes_some(node_at(pci, above), c->range))
		return stop(c, BUSWAY_BUS_CLAIMED, above, NULL); /* and nobody below it does */
	return CLIMB_ROOT;
}

/* Through the bridge @up, from below. */
static enum climb pass_up(struct climber *c, uint32_t up)
{
	const struct node *n = node_at(c->pci, up);
	const struct busway_pci_acs *acs = &n->function.acs;
	const bool back = bridge_passes_some(n, c->range), port = is_port(n->function.type);

	c->sent = false;
	if (!c->quick && claims_by_bar(n, c->range))
		return stop(c, BUSWAY_BUS_CLAIMED, up, NULL);
	if (n->function.type == BUSWAY_PCI_UPSTREAM_PORT)
		return CLIMB_ROOT; /* what would lead back down is sent up: leave_bus() saw to it */
	if (c->translated && acs->known == BUSWAY_UNKNOWN)
		return stop(c, BUSWAY_ACS_UNKNOWN, up, NULL);
	if (c->translated && acs->known == BUSWAY_PRESENT && (acs->control & BUSWAY_ACS_TB))
		return stop(c, BUSWAY_ACS_BLOCKED, up, "ACS TB");
	if (!back)
		return CLIMB_ROOT;
	if (acs->known == BUSWAY_UNKNOWN)
		return stop(c, BUSWAY_ACS_UNKNOWN, up, NULL);
	if (!port || acs->known != BUSWAY_PRESENT || !(acs->control & BUSWAY_ACS_UF))
		return stop(c, BUSWAY_ACS_NO_UPSTREAM, up, NULL);
	c->sent = true;
	return CLIMB_ROOT;
}

enum climb climb(struct climber *c, uint32_t from)
{
	uint32_t n = from;

	c->sent = false;
	c->decider = NONE;
	c->bits = 0;
	c->certain = true;
	if (c->quick && c->common != NONE)
		n = c->last; /* up to there nobody is interested */
	while (node_at(c->pci, n)->above != NONE) {
		enum climb here = c->sent ? CLIMB_ROOT : leave_bus(c, n);

		n = node_at(c->pci, n)->above;
		if (here == CLIMB_ROOT)
			here = pass_up(c, n);
		if (here != CLIMB_ROOT)
			return here;
	}
	return CLIMB_ROOT;
}

/* ---- what was read, on its way back ---- */

/* Each port above has the requester's bus below it, and must send up what goes there. */
static enum turn ports_send_up(struct climber *c, uint32_t common)
{
	/* of what comes through a conventional bus above it is the bridge there who asks */
	for (uint32_t n = common; n != NONE; n = node_at(c->pci, n)->above)
		if (node_at(c->pci, n)->function.type == BUSWAY_PCI_PCI_TO_PCIE)
			c->certain = false;
	for (uint32_t n = common; n != NONE; n = node_at(c->pci, n)->above) {
		const struct busway_pci_function *f = &node_at(c->pci, n)->function;

		if (f->type == BUSWAY_PCI_UPSTREAM_PORT)
			continue;
		c->at = n;
		c->reason = f->acs.known == BUSWAY_UNKNOWN ? BUSWAY_ACS_UNKNOWN
							   : BUSWAY_ACS_NO_UPSTREAM;
		if (f->acs.known == BUSWAY_UNKNOWN)
			return TURN_UNKNOWN;
		if (!is_port(f->type) || f->acs.known != BUSWAY_PRESENT ||
		    !(f->acs.control & BUSWAY_ACS_UF))
			return TURN_BLOCKED;
	}
	return TURN_REDIRECTED;
}

enum turn turn_of_completion(const struct busway_pci *pci, uint32_t to, uint32_t common,
			     struct climber *c)
{
	const struct busway_pci_acs *acs = &node_at(pci, to)->function.acs;
	const enum bus bus = common == NONE ? BUS_SHARED : bus_of(pci, common, to);

	c->pci = pci;
	c->bits = 0;
	c->decider = NONE;
	c->certain = true;
	if (bus == BUS_SHARED)
		return TURN_DIRECT;
	c->decider = c->at = to;
	if (acs->known == BUSWAY_UNKNOWN) {
		c->reason = BUSWAY_ACS_UNKNOWN;
		return TURN_UNKNOWN;
	}
	c->bits = acs->known == BUSWAY_PRESENT ? acs->control & BUSWAY_ACS_CR : 0;
	if (!c->bits) {
		c->decider = NONE;
		c->certain =
			bus == BUS_SWITCH ||
			(bus == BUS_LINK && carries_inside(node_at(pci, to)) != BUSWAY_UNKNOWN);
		if (bus != BUS_LINK || carries_inside(node_at(pci, to)) != BUSWAY_ABSENT)
			return TURN_DIRECT;
	}
	return ports_send_up(c, common);
}
