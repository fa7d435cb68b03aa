/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * path.c - the way of a pair: up from the initiator to where it turns, and down to the target.
 */
#include "p2p.h"

static void add(struct path *path, enum leg leg, busway_pci_id id, busway_pci_host_id host)
{
	if (path->count < PATH_MOST)
		path->steps[path->count++] = (struct step){leg, id, host};
}

static bool same(busway_pci_id a, busway_pci_id b)
{
	return a.index == b.index;
}

/* Does it go on up to the root complex? */
static bool goes_to_host(const struct busway_p2p *p)
{
	if (p->verdict != BUSWAY_P2P_REFUSED)
		return p->verdict != BUSWAY_P2P_SWITCH;
	if (!busway_pci_some(p->common) || p->refusal.reason == BUSWAY_PEER_ROUTE ||
	    p->refusal.reason == BUSWAY_ACS_REDIRECT)
		return true;
	/* redirected, and then something above refuses */
	return p->refusal.reason != BUSWAY_ACS_BLOCKED &&
	       (p->acs & (BUSWAY_ACS_RR | BUSWAY_ACS_CR));
}

/* Down from below @top to @id. */
static void add_down(const struct busway_pci *pci, struct path *path, busway_pci_id top,
		     busway_pci_id id)
{
	const busway_pci_host_id host = busway_pci_host_of(pci, id);
	const size_t begin = path->count;

	for (enum leg leg = LEG_END; busway_pci_some(id) && !same(id, top); leg = LEG_DOWN) {
		add(path, leg, id, host);
		id = busway_pci_above(pci, id);
	}
	/* it was walked up */
	for (size_t i = begin, k = path->count; i + 1 < k; i++) {
		const struct step swapped = path->steps[i];

		path->steps[i] = path->steps[--k];
		path->steps[k] = swapped;
	}
}

void path_make(const struct busway_pci *pci, busway_pci_id a, busway_pci_id b,
	       const struct busway_p2p *p, struct path *path)
{
	const busway_pci_host_id from = busway_pci_host_of(pci, a), to = busway_pci_host_of(pci, b);
	const bool to_host = !same(a, b) && goes_to_host(p);
	const busway_pci_id top = to_host ? BUSWAY_NO_FUNCTION : p->common;

	path->count = 0;
	add(path, LEG_START, a, from);
	for (busway_pci_id up = busway_pci_above(pci, a);
	     !same(a, top) && busway_pci_some(up) && !same(up, top); up = busway_pci_above(pci, up))
		add(path, LEG_UP, up, from);
	if (to_host) {
		add(path, LEG_HOST, BUSWAY_NO_FUNCTION, from);
		if (from.index != to.index)
			add(path, LEG_HOST, BUSWAY_NO_FUNCTION, to);
	} else if (!same(top, a) && !same(top, b)) {
		add(path, LEG_TURN, top, from);
	}
	if (same(top, b))
		add(path, LEG_END, b, to);
	else
		add_down(pci, path, top, b);
}

bool path_has(const struct path *path, busway_pci_id id)
{
	for (size_t i = 0; i < path->count; i++)
		if (same(path->steps[i].id, id))
			return true;
	return false;
}

static bool is_above(const struct busway_pci *pci, busway_pci_id above, busway_pci_id id)
{
	return busway_pci_some(above) && same(busway_pci_above(pci, id), above);
}

bool path_goes_up(const struct busway_pci *pci, const struct path *path, busway_pci_id id)
{
	for (size_t i = 0; i + 1 < path->count; i++) {
		const struct step *step = &path->steps[i], *next = step + 1;

		if ((step->leg == LEG_START || step->leg == LEG_UP) && same(step->id, id))
			return next->leg == LEG_HOST || is_above(pci, next->id, id);
	}
	return false;
}

bool path_goes_down(const struct busway_pci *pci, const struct path *path, busway_pci_id id)
{
	for (size_t i = 1; i < path->count; i++) {
		const struct step *step = &path->steps[i], *before = step - 1;

		if ((step->leg == LEG_DOWN || step->leg == LEG_END) && same(step->id, id))
			return before->leg == LEG_HOST || is_above(pci, before->id, id);
	}
	return false;
}

const char *leg_name(enum leg leg)
{
	static const char *const names[] = {"start", "up", "turn", "host", "down", "end"};

	return names[leg];
}

unsigned step_needs(const struct busway_pci *pci, const struct step *step)
{
	const struct busway_pci_function *f;

	if (!busway_pci_some(step->id) || step->leg == LEG_TURN)
		return 0;
	f = busway_pci_function(pci, step->id);
	if (!f->has_command)
		return 0;
	if (step->leg == LEG_START || step->leg == LEG_UP)
		return f->bus_master ? 0 : BUSWAY_P2P_NEEDS_BUS_MASTER;
	/* of a virtual function the bit is in the physical one */
	return f->memory_decode || f->is_virtual ? 0 : BUSWAY_P2P_NEEDS_DECODE;
}
