/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wiring.c - who is above whom.
 *
 * An operating system says which bridge is above a function; a dump of configuration spaces does
 * not, and bus numbers tell: a function sits below the bridge whose secondary bus number is its
 * own. Where they contradict each other nothing below is trusted.
 */
#include "pci_internal.h"

/* Bridges above one function that are plausible: 256 buses, each below another. */
enum { DEPTH_MOST = 256 };

int add_oddity(struct busway_pci *pci, enum busway_pci_oddity_code code, uint32_t node,
	       uint32_t other)
{
	struct busway_pci_oddity *place = vector_next(&pci->arena, &pci->oddities, sizeof(*place),
						      _Alignof(struct busway_pci_oddity));

	if (!place)
		return -BUSWAY_ENOMEM;
	*place = (struct busway_pci_oddity){code, {node}, {other}};
	pci->oddities.count++;
	pci->nodes[node].odd = true;
	if (other != NONE)
		pci->nodes[other].odd = true;
	return 0;
}

uint32_t find_node(const struct busway_pci *pci, struct busway_pci_address at)
{
	size_t low = 0, high = pci->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (busway_pci_address_compare(pci->nodes[middle].function.at, at) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low < pci->count && busway_pci_address_compare(pci->nodes[low].function.at, at) == 0
		       ? (uint32_t)low
		       : NONE;
}

/* ---- bus numbers ---- */

/* The bridges of one domain by their secondary bus, and the buses that some bridge leads to. */
struct owners {
	uint32_t domain;
	uint32_t bridge[256];
	bool led_to[256];
};

static int find_owners(struct busway_pci *pci, size_t first, struct owners *owners)
{
	owners->domain = pci->nodes[first].function.at.domain;
	for (size_t bus = 0; bus < 256; bus++) {
		owners->bridge[bus] = NONE;
		owners->led_to[bus] = false;
	}
	for (size_t i = first; i < pci->count; i++) {
		const struct busway_pci_function *f = &pci->nodes[i].function;
		uint32_t *owner = &owners->bridge[f->bridge.secondary];

		if (f->at.domain != owners->domain)
			break;
		/* 0 is what a bridge says whose buses were never numbered */
		if (!busway_pci_is_bridge(f->type) || f->bridge.secondary == 0)
			continue;
		for (unsigned bus = f->bridge.secondary; bus <= f->bridge.subordinate; bus++)
			owners->led_to[bus] = true;
		if (*owner == NONE)
			*owner = (uint32_t)i;
		else if (add_oddity(pci, BUSWAY_PCI_BUS_TWICE, (uint32_t)i, *owner))
			return -BUSWAY_ENOMEM;
	}
	return 0;
}

static int find_above(struct busway_pci *pci, uint32_t index, const struct owners *owners)
{
	struct node *n = &pci->nodes[index];
	const struct busway_pci_function *f = &n->function;

	if (f->is_virtual) {
		const uint32_t physical = find_node(pci, f->physical);

		/* of a physical function that is virtual itself nothing follows */
		if (physical == NONE || pci->nodes[physical].function.is_virtual)
			return add_oddity(pci, BUSWAY_PCI_PHYSICAL_MISSING, index, NONE);
		return 0; /* see adopt_virtual() */
	}
	if (f->has_above) {
		n->above = find_node(pci, f->above);
		if (n->above == NONE || !busway_pci_is_bridge(pci->nodes[n->above].function.type)) {
			n->above = NONE;
			return add_oddity(pci, BUSWAY_PCI_ABOVE_MISSING, index, NONE);
		}
	} else if (!f->has_root_bus || f->root_bus != f->at.bus) {
		n->above = owners->bridge[f->at.bus];
		if (n->above == index) {
			n->above = NONE;
			return add_oddity(pci, BUSWAY_PCI_CIRCLE, index, NONE);
		}
		/* no root bus: a bridge is missing, or it is a virtual function that nobody says
		 * to be one */
		if (n->above == NONE && owners->led_to[f->at.bus])
			return add_oddity(pci, BUSWAY_PCI_ABOVE_MISSING, index, NONE);
	}
	return 0;
}

/* A virtual function is above nothing and below what its physical function is below. */
static void adopt_virtual(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++) {
		struct node *n = &pci->nodes[i];

		if (n->function.is_virtual && !n->odd)
			n->above = pci->nodes[find_node(pci, n->function.physical)].above;
	}
}

static int find_all_above(struct busway_pci *pci)
{
	struct owners *owners = arena_take(&pci->arena, sizeof(*owners), _Alignof(struct owners));
	int status = 0;

	if (!owners)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < pci->count && !status; i++) {
		if (i == 0 || pci->nodes[i].function.at.domain != owners->domain)
			status = find_owners(pci, i, owners);
		if (!status)
			status = find_above(pci, (uint32_t)i, owners);
	}
	if (!status)
		adopt_virtual(pci);
	return status;
}

/* ---- from the root down ---- */

/* Function 0 says it for all of its slot (PCI Local Bus 3.0, 6.2.1). */
static void spread_multifunction(struct busway_pci *pci)
{
	for (size_t i = 1; i < pci->count; i++) {
		const struct busway_pci_function *before = &pci->nodes[i - 1].function;
		struct busway_pci_function *f = &pci->nodes[i].function;

		if (same_slot(before->at, f->at) && (before->multifunction || (f->at.devfn & 7)))
			f->multifunction = true;
	}
}

/* Count the bridges above each; a way up that does not end is a circle, and is cut. */
static int count_depths(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++) {
		struct node *n = &pci->nodes[i];
		unsigned depth = 0;

		for (uint32_t up = n->above; up != NONE && depth <= DEPTH_MOST; depth++)
			up = pci->nodes[up].above;
		n->depth = (uint16_t)depth;
	}
	for (size_t i = 0; i < pci->count; i++) {
		struct node *n = &pci->nodes[i];

		if (n->depth <= DEPTH_MOST)
			continue;
		n->above = NONE;
		n->depth = 0;
		if (add_oddity(pci, BUSWAY_PCI_CIRCLE, (uint32_t)i, NONE))
			return -BUSWAY_ENOMEM;
	}
	return 0;
}

static uint32_t top_of(const struct busway_pci *pci, uint32_t index)
{
	while (pci->nodes[index].above != NONE)
		index = pci->nodes[index].above;
	return index;
}

static int make_host(struct busway_pci *pci, uint32_t domain, uint8_t bus)
{
	char *name = arena_take(&pci->arena, BUSWAY_PCI_NAME_SIZE, 1);
	char text[BUSWAY_PCI_NAME_SIZE];
	size_t length = 0;

	if (!name)
		return -BUSWAY_ENOMEM;
	/* "pci" and what is in front of the device number */
	busway_pci_address_text((struct busway_pci_address){domain, bus, 0}, text);
	while (text[length])
		length++;
	length -= sizeof(":00.0") - 1;
	name[0] = 'p';
	name[1] = 'c';
	name[2] = 'i';
	for (size_t i = 0; i < length; i++)
		name[3 + i] = text[i];
	name[3 + length] = 0;
	return busway_pci_add_host(pci, &(struct busway_pci_host){
						.name = name,
						.domain = domain,
						.root_bus = bus,
					});
}

static uint32_t find_host(const struct busway_pci *pci, uint32_t domain, uint8_t bus)
{
	for (size_t i = 0; i < pci->added_hosts.count; i++) {
		const struct busway_pci_host *host = &host_at(pci, i)->host;

		if (host->domain == domain && host->root_bus == bus)
			return (uint32_t)i;
	}
	return NONE;
}

static int find_hosts(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++) {
		struct node *n = &pci->nodes[i];
		const struct busway_pci_function *top =
			&pci->nodes[top_of(pci, (uint32_t)i)].function;
		const uint8_t bus = top->has_root_bus ? top->root_bus : top->at.bus;

		n->host = find_host(pci, top->at.domain, bus);
		if (n->host == NONE) {
			const int status = make_host(pci, top->at.domain, bus);

			if (status)
				return status;
			n->host = (uint32_t)pci->added_hosts.count - 1;
		}
	}
	return 0;
}

/* Lists of what sits on each bus, in the order of addresses. */
static void link_buses(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->added_hosts.count; i++)
		host_at(pci, i)->below = NONE;
	for (size_t i = pci->count; i-- > 0;) {
		struct node *n = &pci->nodes[i];
		uint32_t *list = n->above == NONE ? &host_at(pci, n->host)->below
						  : &pci->nodes[n->above].below;

		n->beside = *list;
		*list = (uint32_t)i;
	}
}

/* Does a bridge of which nothing was read, or with the buses @up, lead to these? */
static bool leads_to(const struct busway_pci_function *up, unsigned first, unsigned last)
{
	return up->config_size == 0 ||
	       (first >= up->bridge.secondary && last <= up->bridge.subordinate);
}

/* Packets that go by bus numbers must find it, and what is below it. */
static bool numbers_fit(const struct busway_pci *pci, const struct node *n)
{
	const struct busway_pci_function *up = &pci->nodes[n->above].function;
	const struct busway_pci_bridge *own = &n->function.bridge;

	if (!leads_to(up, n->function.at.bus, n->function.at.bus))
		return false;
	return !busway_pci_is_bridge(n->function.type) || own->secondary == 0 ||
	       n->function.config_size == 0 || leads_to(up, own->secondary, own->subordinate);
}

/* Do its buses, and those of the bridges below it, lie among those of the bridge above? Oddity
 * spreads down. */
static int check_numbers(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++) {
		const struct node *n = &pci->nodes[i];

		if (n->above == NONE || numbers_fit(pci, n))
			continue;
		if (add_oddity(pci, BUSWAY_PCI_NOT_BELOW, (uint32_t)i, NONE))
			return -BUSWAY_ENOMEM;
	}
	return 0;
}

static bool buses_overlap(const struct busway_pci_function *a, const struct busway_pci_function *b)
{
	return busway_pci_is_bridge(a->type) && busway_pci_is_bridge(b->type) &&
	       a->bridge.secondary && b->bridge.secondary &&
	       a->bridge.secondary != b->bridge.secondary && /* that is found already */
	       a->bridge.secondary <= b->bridge.subordinate &&
	       b->bridge.secondary <= a->bridge.subordinate;
}

/* Bridges beside each other lead to different buses. */
static int check_beside(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++) {
		const struct node *n = &pci->nodes[i];

		if (!busway_pci_is_bridge(n->function.type))
			continue;
		for (uint32_t k = n->beside; k != NONE; k = pci->nodes[k].beside)
			if (buses_overlap(&n->function, &pci->nodes[k].function) &&
			    add_oddity(pci, BUSWAY_PCI_BUSES_OVERLAP, (uint32_t)i, k))
				return -BUSWAY_ENOMEM;
	}
	return 0;
}

static void spread_oddity(struct busway_pci *pci)
{
	for (size_t i = 0; i < pci->count; i++)
		for (uint32_t up = pci->nodes[i].above; up != NONE; up = pci->nodes[up].above)
			if (pci->nodes[up].odd)
				pci->nodes[i].odd = true;
}

int wire(struct busway_pci *pci)
{
	int status = find_all_above(pci);

	if (!status)
		status = count_depths(pci);
	if (!status)
		status = find_hosts(pci);
	if (!status)
		status = check_numbers(pci);
	if (status)
		return status;
	spread_multifunction(pci);
	link_buses(pci);
	status = check_beside(pci);
	if (status)
		return status;
	spread_oddity(pci);
	return 0;
}
