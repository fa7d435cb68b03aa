/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_fabric.c - what is above what in a PCI fabric, and who answers to an address.
 */
#include "pci_fabric.h"

/* ---- life ---- */

static uint32_t at_address(const struct busway_pci_fabric *fabric, struct busway_pci_address at)
{
	for (size_t i = 0; i < fabric->count; i++) {
		const struct busway_pci_address *x = &fabric->places[i].f->at;

		if (x->domain == at.domain && x->bus == at.bus && x->devfn == at.devfn)
			return (uint32_t)i;
	}
	return NOWHERE;
}

static uint32_t bridge_to(const struct busway_pci_fabric *fabric,
			  const struct busway_pci_function *f)
{
	for (size_t i = 0; i < fabric->count; i++) {
		const struct busway_pci_function *x = fabric->places[i].f;

		if (busway_pci_is_bridge(x->type) && x->at.domain == f->at.domain &&
		    x->bridge.secondary == f->at.bus && f->at.bus != 0)
			return (uint32_t)i;
	}
	return NOWHERE;
}

static uint32_t find_above(const struct busway_pci_fabric *fabric,
			   const struct busway_pci_function *f)
{
	if (f->is_virtual) {
		const uint32_t physical = at_address(fabric, f->physical);

		if (physical == NOWHERE || fabric->places[physical].f->is_virtual)
			return NOWHERE;
		return find_above(fabric, fabric->places[physical].f);
	}
	if (f->has_above)
		return at_address(fabric, f->above);
	if (f->has_root_bus && f->root_bus == f->at.bus)
		return NOWHERE;
	return bridge_to(fabric, f);
}

static uint32_t find_host(const struct busway_pci_fabric *fabric, uint32_t index)
{
	const struct busway_pci_function *top;
	uint8_t bus;

	for (size_t steps = 0; fabric->places[index].above != NOWHERE; steps++) {
		if (steps > fabric->count)
			return NOWHERE; /* a circle */
		index = fabric->places[index].above;
	}
	top = fabric->places[index].f;
	bus = top->has_root_bus ? top->root_bus : top->at.bus;
	for (uint32_t i = 0; i < busway_pci_host_count(fabric->pci); i++) {
		const struct busway_pci_host *host =
			busway_pci_host(fabric->pci, (busway_pci_host_id){i});

		if (host->domain == top->at.domain && host->root_bus == bus)
			return i;
	}
	return NOWHERE;
}

int busway_pci_fabric_create(const struct busway_pci *pci,
			     const struct busway_pci_fabric_options *options,
			     const struct busway_allocator *memory, struct busway_pci_fabric **out)
{
	struct busway_pci_fabric *fabric =
		memory->alloc(memory->ctx, sizeof(*fabric), _Alignof(struct busway_pci_fabric));
	const size_t count = busway_pci_count(pci);

	if (!fabric)
		return -BUSWAY_ENOMEM;
	*fabric = (struct busway_pci_fabric){
		.pci = pci, .memory = memory, .options = *options, .count = count};
	fabric->places = memory->alloc(memory->ctx, (count + 1) * sizeof(*fabric->places),
				       _Alignof(struct place));
	if (!fabric->places) {
		memory->free(memory->ctx, fabric, sizeof(*fabric),
			     _Alignof(struct busway_pci_fabric));
		return -BUSWAY_ENOMEM;
	}
	for (uint32_t i = 0; i < count; i++)
		fabric->places[i] = (struct place){
			.f = busway_pci_function(pci, (busway_pci_id){i}), .above = NOWHERE};
	for (uint32_t i = 0; i < count; i++)
		fabric->places[i].above = find_above(fabric, fabric->places[i].f);
	for (uint32_t i = 0; i < count; i++)
		fabric->places[i].host = find_host(fabric, i);
	*out = fabric;
	return 0;
}

void busway_pci_fabric_destroy(struct busway_pci_fabric *fabric)
{
	const struct busway_allocator *m;

	if (!fabric)
		return;
	m = fabric->memory;
	if (fabric->cells)
		m->free(m->ctx, fabric->cells, fabric->cell_room * sizeof(*fabric->cells),
			_Alignof(struct cell));
	m->free(m->ctx, fabric->places, (fabric->count + 1) * sizeof(*fabric->places),
		_Alignof(struct place));
	m->free(m->ctx, fabric, sizeof(*fabric), _Alignof(struct busway_pci_fabric));
}

/* ---- buses and devices ---- */

enum bus_kind fabric_bus_kind(const struct busway_pci_fabric *fabric, uint32_t above)
{
	if (above == NOWHERE)
		return BUS_ROOT;
	switch (fabric->places[above].f->type) {
	case BUSWAY_PCI_UPSTREAM_PORT:
		return BUS_SWITCH;
	case BUSWAY_PCI_ROOT_PORT:
	case BUSWAY_PCI_DOWNSTREAM_PORT:
	case BUSWAY_PCI_PCI_TO_PCIE:
		return BUS_LINK;
	case BUSWAY_PCI_PCIE_TO_PCI:
	case BUSWAY_PCI_CONVENTIONAL_BRIDGE:
		return BUS_SHARED;
	default:
		return BUS_UNKNOWN;
	}
}

/* A link has one device at its end, whatever the numbers are (ARI, virtual functions). */
bool fabric_one_device(const struct busway_pci_fabric *fabric, uint32_t a, uint32_t b)
{
	const struct place *x = &fabric->places[a], *y = &fabric->places[b];

	return x->above == y->above && x->host == y->host &&
	       fabric_bus_kind(fabric, x->above) == BUS_LINK;
}

bool fabric_carries(const struct busway_pci_fabric *fabric, uint32_t index)
{
	const struct busway_pci_acs *acs = &fabric->places[index].f->acs;

	/* only a device that does has these (6.12.1.2) */
	if (acs->known == BUSWAY_PRESENT)
		return (acs->capability & BUSWAY_ACS_RR) != 0;
	return fabric->options.carries &&
	       fabric->options.carries(fabric->options.ctx, (busway_pci_id){index});
}

bool fabric_leads_to_bus(const struct busway_pci_function *bridge, uint8_t bus)
{
	return bus >= bridge->bridge.secondary && bus <= bridge->bridge.subordinate;
}

/* ---- answering ---- */

static bool inside(struct busway_range range, uint64_t address)
{
	return range.first <= address && address <= range.last;
}

bool fabric_passes(const struct busway_pci_function *bridge, uint64_t address)
{
	const struct busway_pci_bridge *b = &bridge->bridge;

	return busway_pci_is_bridge(bridge->type) &&
	       ((b->memory_open && inside(b->memory, address)) ||
		(b->prefetch_open && inside(b->prefetch, address)));
}

unsigned fabric_answers(const struct busway_pci_function *f, uint64_t address, unsigned *bar)
{
	unsigned answers = 0;

	/* of virtual functions the bit is in a register of the physical one that is not seen here
	 */
	if (f->has_command && !f->memory_decode && !f->is_virtual)
		return 0;
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		if ((f->bars[i].kind != BUSWAY_BAR_MEM32 && f->bars[i].kind != BUSWAY_BAR_MEM64) ||
		    !f->bars[i].assigned || !inside(f->bars[i].bus, address))
			continue;
		answers++;
		*bar = i;
	}
	if (fabric_passes(f, address)) {
		answers++;
		*bar = BUSWAY_PCI_BARS;
	}
	return answers;
}

void fabric_hop(struct journey *j, enum busway_pci_step step, uint32_t index)
{
	struct busway_pci_outcome *out = j->out;
	const bool request = step != BUSWAY_PCI_STEP_COMPLETION && step != BUSWAY_PCI_STEP_CR;

	if (out->hop_count < BUSWAY_PCI_HOPS)
		out->hops[out->hop_count] =
			(struct busway_pci_hop){step, {index}, request ? j->address : 0};
	out->hop_count++;
}
