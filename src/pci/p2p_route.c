/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_route.c - peer-to-peer as the route carries it.
 *
 * A request for the bus address of a BAR goes up until a bus is reached on which somebody answers,
 * turns there, and goes down. Where ACS does not let it turn, or where both have no bridge in
 * common, it takes the root complex to bring it there: by the same address, if every port above
 * forwards it; by another one that nobody below the root complex answers to; or by an IOVA.
 */
#include "pci_internal.h"

bool route_refuse(const struct p2p_route *r, enum busway_reason reason, uint32_t at, const char *by)
{
	refuse_p2p(r->out, reason, node_at(r->pci, at)->name, by);
	if (reason == BUSWAY_ACS_UNKNOWN || reason == BUSWAY_WIRING_UNKNOWN)
		r->out->certain = false;
	return false;
}

/* ---- down ---- */

static bool windows_refuse(const struct p2p_route *r, uint32_t n)
{
	const struct busway_pci_bridge *b = &node_at(r->pci, n)->function.bridge;

	if (!node_at(r->pci, n)->function.config_size)
		return route_refuse(r, BUSWAY_WIRING_UNKNOWN, n, NULL);
	route_refuse(r, BUSWAY_BRIDGE_WINDOW, n, NULL);
	r->out->refusal.has_limit = b->memory_open || b->prefetch_open;
	r->out->refusal.limit = b->prefetch_open && (!b->memory_open || r->bar->prefetchable)
					? b->prefetch
					: b->memory;
	return false;
}

bool route_descends(const struct p2p_route *r, uint32_t top)
{
	const struct busway_pci *pci = r->pci;

	for (uint32_t n = r->target; n != top; n = node_at(pci, n)->above) {
		if (n != r->target && !bridge_passes_all(node_at(pci, n), r->bar->bus))
			return windows_refuse(r, n);
		if (node_at(pci, r->target)->clean)
			continue;
		if (claims_twice(node_at(pci, n), r->bar->bus))
			return route_refuse(r, BUSWAY_BUS_CLAIMED, n, NULL);
		for (uint32_t i = first_beside(pci, n); i != NONE; i = node_at(pci, i)->beside)
			/* where it turns, who it comes from is judged on the way up */
			if (i != n && !(top != NONE && i == r->way.a_child) &&
			    claims_some(node_at(pci, i), r->bar->bus))
				return route_refuse(r, BUSWAY_BUS_CLAIMED, i, NULL);
	}
	return true;
}

/* It does not go straight from one to the other, and the root complex does not help. */
static void refuse_detour(const struct p2p_route *r, const struct climber *request, enum climb came)
{
	const bool sent_up = busway_pci_some(r->out->decider);

	if (came == CLIMB_STOPPED && !(sent_up && request->reason == BUSWAY_ACS_NO_UPSTREAM) &&
	    request->reason != BUSWAY_ACS_BLOCKED)
		route_refuse(r, request->reason, request->at, request->by);
	else
		by_root_complex(r->pci, r->initiator, r->target, r->policy,
				came == CLIMB_STOPPED && request->reason == BUSWAY_ACS_BLOCKED
					? BUSWAY_ACS_BLOCKED
				: r->way.common == NONE ? BUSWAY_PEER_ROUTE
							: BUSWAY_ACS_REDIRECT,
				r->out);
}

static void decide(const struct p2p_route *r)
{
	struct climber request = {
		.pci = r->pci,
		.range = r->bar->bus,
		.rightful = r->way.b_child,
		.common = r->way.common,
		.last = r->way.a_child,
		/* of two hosts, what is known of the one says nothing of the other's addresses */
		.quick = node_at(r->pci, r->target)->clean &&
			 node_at(r->pci, r->initiator)->host == node_at(r->pci, r->target)->host,
	};
	const enum climb came = climb(&request, r->initiator);
	struct climber back = {0};
	bool forwards;
	const enum turn answer = turn_of_completion(r->pci, r->way.b_child, r->way.common, &back);

	if (!route_descends(r, r->way.common))
		return;
	if (request.decider != NONE) {
		r->out->decider = (busway_pci_id){request.decider};
		r->out->acs = request.bits;
	} else if (back.decider != NONE) {
		r->out->decider = (busway_pci_id){back.decider};
		r->out->acs = back.bits;
	}
	if (came == CLIMB_STOPPED && request.reason == BUSWAY_ACS_UNKNOWN) {
		route_refuse(r, request.reason, request.at, NULL);
		return;
	}
	r->out->certain = r->out->certain && back.certain;
	if (came == CLIMB_TURNED && answer == TURN_DIRECT) {
		r->out->certain = r->out->certain && request.certain;
		r->out->verdict = BUSWAY_P2P_SWITCH;
		return;
	}
	forwards = busway_p2p_forwards(r->pci, (busway_pci_id){r->initiator},
				       (busway_pci_id){r->target}, r->policy);
	if (answer == TURN_UNKNOWN || (answer == TURN_BLOCKED && forwards)) {
		route_refuse(r, back.reason, back.at, NULL);
	} else if (!forwards) {
		refuse_detour(r, &request, came);
	} else {
		route_by_root(r, &request, came);
	}
}

/* Is @above on the way up from @n, or @n itself? */
static bool is_above(const struct busway_pci *pci, uint32_t above, uint32_t n)
{
	while (n != NONE && n != above)
		n = node_at(pci, n)->above;
	return n == above;
}

void decide_route(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		  const struct busway_pci_bar *bar, const struct busway_p2p_policy *policy,
		  struct busway_p2p *out)
{
	const struct p2p_route r = {.pci = pci,
				    .initiator = initiator,
				    .target = target,
				    .bar = bar,
				    .policy = policy,
				    .way = find_way(pci, initiator, target),
				    .out = out};
	const uint32_t odd = node_at(pci, initiator)->odd ? initiator : target;

	if (node_at(pci, odd)->odd) {
		route_refuse(&r, BUSWAY_WIRING_UNKNOWN, odd, NULL);
	} else if (!bar) {
		route_refuse(&r, BUSWAY_NO_BAR, target, NULL);
	} else if (initiator == target) { /* inside the function, if it does that */
		out->certain = false;
		out->verdict = BUSWAY_P2P_SWITCH;
	} else if (is_above(pci, initiator, target) || is_above(pci, target, initiator)) {
		/* whether a port answers to, or emits on, its lower side, no register says */
		out->certain = false;
		route_refuse(&r, BUSWAY_PEER_ROUTE, target, NULL);
	} else {
		/* how long it is, and so whether all of it is passed on, may not be known; nor
		 * whether others answer to some of it */
		out->certain = bar->sized && !host_at(pci, node_at(pci, initiator)->host)->unread &&
			       !host_at(pci, node_at(pci, target)->host)->unread;
		decide(&r);
	}
}

bool busway_p2p_climbs(const struct busway_pci *pci, busway_pci_id initiator,
		       struct busway_range range, bool translated, struct busway_refusal *why)
{
	struct climber c = {.pci = pci,
			    .range = range,
			    .translated = translated,
			    .rightful = NONE,
			    .common = NONE};

	if (!node_at(pci, initiator.index)->odd && climb(&c, initiator.index) == CLIMB_ROOT)
		return true;
	*why = (struct busway_refusal){
		.reason = node_at(pci, initiator.index)->odd ? BUSWAY_WIRING_UNKNOWN : c.reason,
		.hop = node_at(pci, node_at(pci, initiator.index)->odd ? initiator.index : c.at)
			       ->name,
		.by = c.by,
		.bus_addresses = true,
		.asked = range,
	};
	return false;
}
