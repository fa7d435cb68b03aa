/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_completion.c - the way back of what was read.
 *
 * On a conventional bus it comes back the way it went. On PCI Express it is a packet of its own
 * that finds its way by the bus number of the requester (PCI Express Base 2.2.4.2), and meets ACS
 * of its own: CR where it could turn, UF where it would lead back down (6.12.3).
 */
#include "pci_fabric.h"

static const struct busway_pci_function *function_of(const struct journey *j, uint32_t index)
{
	return j->fabric->places[index].f;
}

static uint32_t above_of(const struct journey *j, uint32_t index)
{
	return j->fabric->places[index].above;
}

static bool lose(struct journey *j, uint32_t index)
{
	j->out->end = BUSWAY_PCI_COMPLETION_LOST;
	j->out->function = (busway_pci_id){index};
	return false;
}

static uint16_t control_of(const struct journey *j, uint32_t index)
{
	const struct busway_pci_acs *acs = &function_of(j, index)->acs;

	return acs->known == BUSWAY_PRESENT ? acs->control : 0;
}

/* The one on the bus below @above that is @to, or that @to is below; NOWHERE. */
static uint32_t branch_to(const struct journey *j, uint32_t above, uint32_t to)
{
	while (to != NOWHERE && above_of(j, to) != above)
		to = above_of(j, to);
	return to;
}

/* Down to @to from @branch, by bus numbers. */
static bool comes_down(struct journey *j, uint32_t branch, const struct stretch *s)
{
	for (uint32_t n = s->requester; n != branch; n = above_of(j, n))
		if (!fabric_leads_to_bus(function_of(j, above_of(j, n)), s->bus))
			return lose(j, above_of(j, n));
	return true;
}

/* Would another port beside @branch on its bus take it as well? */
static bool is_disputed(const struct journey *j, uint32_t branch, uint32_t from, uint8_t bus)
{
	for (uint32_t i = 0; i < j->fabric->count; i++)
		if (i != branch && i != from && above_of(j, i) == above_of(j, branch) &&
		    j->fabric->places[i].host == j->fabric->places[branch].host &&
		    busway_pci_is_bridge(function_of(j, i)->type) &&
		    fabric_leads_to_bus(function_of(j, i), bus))
			return true;
	return false;
}

static bool through_root(struct journey *j, uint32_t top, const struct stretch *s)
{
	const struct busway_pci_fabric_options *o = &j->fabric->options;
	const struct place *from = &j->fabric->places[top];
	const struct place *to = &j->fabric->places[s->requester];
	uint32_t branch = s->requester;

	while (above_of(j, branch) != NOWHERE)
		branch = above_of(j, branch);
	if (!o->forwards ||
	    !o->forwards(o->ctx, (busway_pci_host_id){from->host}, (busway_pci_host_id){to->host}))
		return lose(j, top);
	return comes_down(j, branch, s);
}

/* Up from @n through @up. True: it went on. */
static bool pass_up(struct journey *j, uint32_t up, const struct stretch *s)
{
	const enum busway_pci_type type = function_of(j, up)->type;

	if (type == BUSWAY_PCI_UPSTREAM_PORT)
		return true;
	if (type != BUSWAY_PCI_ROOT_PORT && type != BUSWAY_PCI_DOWNSTREAM_PORT)
		return lose(j, up);
	if (fabric_leads_to_bus(function_of(j, up), s->bus) && !(control_of(j, up) & BUSWAY_ACS_UF))
		return lose(j, up);
	return true;
}

static bool completes(struct journey *j, const struct stretch *s)
{
	uint32_t n = s->completer;
	const uint32_t below = branch_to(j, n, s->requester);

	if (n != s->requester && below != NOWHERE) /* it asked a bridge above it */
		return comes_down(j, below, s);
	for (size_t steps = 0; steps <= j->fabric->count; steps++) {
		const uint32_t above = above_of(j, n);
		const enum bus_kind kind = fabric_bus_kind(j->fabric, above);
		uint32_t branch = NOWHERE;
		bool back;

		if (n == s->requester)
			return true;
		if (kind == BUS_SWITCH || (kind == BUS_LINK && fabric_carries(j->fabric, n)))
			branch = branch_to(j, above, s->requester);
		back = branch == n; /* sent up by the port itself, with UF */
		if (back)
			branch = NOWHERE;
		if (branch != NOWHERE) {
			if (is_disputed(j, branch, n, s->bus))
				return lose(j, n);
			if (!(control_of(j, n) & BUSWAY_ACS_CR))
				return comes_down(j, branch, s);
			fabric_hop(j, BUSWAY_PCI_STEP_CR, n);
		} else if (kind == BUS_SWITCH && !back &&
			   fabric_leads_to_bus(function_of(j, above), s->bus)) {
			return lose(j, above); /* another branch, or none, has that number */
		}
		if (above == NOWHERE)
			return through_root(j, n, s);
		if (above == s->requester)
			return true; /* the bridge that asks on behalf of a conventional bus */
		if (!pass_up(j, above, s))
			return false;
		fabric_hop(j, BUSWAY_PCI_STEP_COMPLETION, above);
		n = above;
	}
	return lose(j, n);
}

void fabric_complete(struct journey *j)
{
	/* from where it was read to where it was asked */
	for (unsigned i = j->stretch_count; i-- > 0;)
		if (!completes(j, &j->stretches[i]))
			return;
}
