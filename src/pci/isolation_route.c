/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation_route.c - who is together as ports and devices are built (PCI Express Base 6.12).
 *
 * Where a function or port may send requests to its neighbour, so may everything behind it: a
 * redirect further down only sends them up to there. So each bridge is closed, or open, or perhaps
 * open; behind an open one all are together with it. Completions do not matter: a write has none.
 */
#include "isolation_internal.h"

enum carries { CARRIES_NOT, CARRIES_MAYBE, CARRIES };

struct verdict {
	enum carries carries;
	enum busway_isolation_cause cause;
	uint32_t decider;
	uint16_t missing;
};

struct route {
	struct joining *j;
	struct why *open; /* of each bridge that is open, in this pass */
	bool *is_open;
	bool certain; /* this pass */
};

/* ---- one request to a neighbour ---- */

static enum carries by_egress(const struct busway_pci_acs *acs, bool has_number, unsigned number)
{
	if (!has_number || number >= acs->egress_count)
		return CARRIES_MAYBE;
	return acs->egress[number / 8] >> (number % 8) & 1 ? CARRIES_NOT : CARRIES;
}

/* Between ports of a switch it is what a request to a peer meets there. */
static struct verdict by_port(const struct busway_pci *pci, uint32_t from, uint32_t to)
{
	static const enum carries carries[] = {
		[TURN_DIRECT] = CARRIES,
		[TURN_REDIRECTED] = CARRIES_NOT,
		[TURN_BLOCKED] = CARRIES_NOT,
		[TURN_UNKNOWN] = CARRIES_MAYBE,
	};
	uint16_t bits;

	return (struct verdict){carries[turn_of_request(pci, from, to, false, &bits)],
				BUSWAY_TOGETHER_SWITCH, from, BUSWAY_ACS_RR};
}

/* A device, or a root port, of which its vendor says that it keeps to itself. */
static bool known_apart(const struct busway_pci_function *f)
{
	const struct busway_pci_quirk *quirk = find_quirk(f);

	return quirk &&
	       (quirk->kind == BUSWAY_QUIRK_APART ||
		(quirk->kind == BUSWAY_QUIRK_PORT_APART && f->type == BUSWAY_PCI_ROOT_PORT));
}

/* Is the bus of @index a link, on which all functions are of one device? */
static bool on_link(const struct busway_pci *pci, uint32_t index)
{
	const uint32_t above = node_at(pci, index)->above;
	enum busway_pci_type type;

	if (above == NONE)
		return false;
	type = node_at(pci, above)->function.type;
	return type == BUSWAY_PCI_ROOT_PORT || type == BUSWAY_PCI_DOWNSTREAM_PORT ||
	       type == BUSWAY_PCI_PCI_TO_PCIE;
}

/* What the egress control vector of @from, which is of the same device, says of @to. */
static enum carries by_function_egress(const struct busway_pci *pci, uint32_t from, uint32_t to)
{
	const struct busway_pci_function *f = &node_at(pci, from)->function;
	const struct busway_pci_function *other = &node_at(pci, to)->function;

	if (f->type == BUSWAY_PCI_ROOT_PORT)
		return by_egress(&f->acs, other->has_port_number, other->port_number);
	/* on a link bits 7..3 are 0, or those of ARI */
	return by_egress(&f->acs, true, on_link(pci, from) ? other->at.devfn : other->at.devfn & 7);
}

/* Functions of one device: what has ACS says by RR whether it carries at all; what has none, may.
 */
static struct verdict by_function(const struct busway_pci *pci, uint32_t from, uint32_t to)
{
	const struct busway_pci_function *f = &node_at(pci, from)->function;
	const struct busway_pci_acs *acs = &f->acs;
	struct verdict v = {CARRIES_NOT, BUSWAY_TOGETHER_DEVICE, from, BUSWAY_ACS_RR};

	if (known_apart(f))
		return v;
	if (acs->known != BUSWAY_PRESENT)
		v.carries = CARRIES_MAYBE;
	else if (acs->control & BUSWAY_ACS_EC)
		v.carries = by_function_egress(pci, from, to);
	else if ((acs->capability & BUSWAY_ACS_RR) && !(acs->control & BUSWAY_ACS_RR))
		v.carries = CARRIES;
	return v;
}

/* A virtual function and the physical one: what carries between them must have ACS (Single Root
 * I/O Virtualization 1.1, 3.5). */
static struct verdict by_virtual(const struct busway_pci *pci, uint32_t virtual, uint32_t physical)
{
	const struct busway_pci_acs *acs = &node_at(pci, physical)->function.acs;
	const struct busway_pci_acs *own = &node_at(pci, virtual)->function.acs;
	struct verdict v = {CARRIES_NOT, BUSWAY_TOGETHER_DEVICE, virtual, BUSWAY_ACS_RR};

	if (acs->known == BUSWAY_UNKNOWN)
		v.carries = CARRIES_MAYBE;
	else if (acs->known == BUSWAY_PRESENT && (acs->capability & BUSWAY_ACS_RR))
		v.carries = own->known == BUSWAY_UNKNOWN ? CARRIES_MAYBE
			    : own->known == BUSWAY_PRESENT && (own->control & BUSWAY_ACS_RR)
				    ? CARRIES_NOT
				    : CARRIES;
	return v;
}

/* ---- two neighbours ---- */

static void open_bridge(struct route *r, uint32_t index, struct why why)
{
	if (!busway_pci_is_bridge(node_at(r->j->pci, index)->function.type) || r->is_open[index])
		return;
	r->is_open[index] = true;
	r->open[index] = why;
}

/* @from sends to @to, if the verdict is one for this pass. */
static void apply(struct route *r, uint32_t from, uint32_t to, struct verdict v)
{
	const struct why why = {v.cause, v.decider, v.missing, r->certain};

	if (v.carries != (r->certain ? CARRIES : CARRIES_MAYBE))
		return;
	join(r->j, from, to, why);
	open_bridge(r, from, why);
	open_bridge(r, to, why);
}

static void look_at_neighbour(struct route *r, uint32_t a, uint32_t b)
{
	const struct busway_pci *pci = r->j->pci;
	const struct busway_pci_function *x = &node_at(pci, a)->function;
	const struct busway_pci_function *y = &node_at(pci, b)->function;
	const uint32_t above = node_at(pci, a)->above;

	if (x->is_virtual || y->is_virtual)
		return;
	if (r->certain && (uses_id_of(x, y) || uses_id_of(y, x)))
		join(r->j, a, b,
		     (struct why){BUSWAY_TOGETHER_ALIAS, uses_id_of(x, y) ? a : b, 0, true});
	if (above != NONE && node_at(pci, above)->function.type == BUSWAY_PCI_UPSTREAM_PORT) {
		apply(r, a, b, by_port(pci, a, b));
		apply(r, b, a, by_port(pci, b, a));
	} else if (on_link(pci, a) || same_slot(x->at, y->at)) {
		apply(r, a, b, by_function(pci, a, b));
		apply(r, b, a, by_function(pci, b, a));
	}
}

/* ---- all ---- */

/* Bridges that are open whatever their registers say. */
static void open_by_type(struct route *r, uint32_t index)
{
	const enum busway_pci_type type = node_at(r->j->pci, index)->function.type;

	if (r->certain && hides_requesters(type))
		open_bridge(r, index, (struct why){BUSWAY_TOGETHER_BRIDGE, index, 0, true});
	if (!r->certain && type == BUSWAY_PCI_UNKNOWN_BRIDGE)
		open_bridge(r, index, (struct why){BUSWAY_TOGETHER_UNKNOWN, index, 0, false});
}

static void look_at(struct route *r, uint32_t index)
{
	const struct busway_pci *pci = r->j->pci;
	const struct busway_pci_function *f = &node_at(pci, index)->function;

	open_by_type(r, index);
	if (f->is_virtual && !node_at(pci, index)->odd) {
		const uint32_t physical = find_node(pci, f->physical);

		apply(r, index, physical, by_virtual(pci, index, physical));
	}
	for (uint32_t i = node_at(pci, index)->beside; i != NONE; i = node_at(pci, i)->beside)
		look_at_neighbour(r, index, i);
}

/* With each open bridge above it, as far as the IOMMU. */
static void join_open(struct route *r, uint32_t index)
{
	const struct busway_pci *pci = r->j->pci;

	for (uint32_t up = node_at(pci, index)->above; up != NONE; up = node_at(pci, up)->above) {
		if (has_iommu(&node_at(pci, up)->function))
			break;
		if (r->is_open[up])
			join(r->j, index, up, r->open[up]);
	}
}

int join_route(struct joining *j, struct arena *work, bool certain)
{
	const size_t count = j->pci->count;
	struct route r = {.j = j, .certain = certain};

	r.open = arena_take(work, (count + 1) * sizeof(*r.open), _Alignof(struct why));
	r.is_open = arena_take(work, (count + 1) * sizeof(*r.is_open), _Alignof(bool));
	if (!r.open || !r.is_open)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < count; i++)
		r.is_open[i] = false;
	for (uint32_t i = 0; i < count; i++)
		look_at(&r, i);
	for (uint32_t i = 0; i < count; i++)
		join_open(&r, i);
	return 0;
}
