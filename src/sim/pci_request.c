/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_request.c - a memory request on its way through the fabric.
 *
 * Up, bus by bus, until somebody beside the way answers or the root complex is reached; then down,
 * bus by bus, to a BAR. Each step knows only the registers of the one that does it.
 */
#include "pci_fabric.h"

static const struct place *place_of(const struct journey *j, uint32_t index)
{
	return &j->fabric->places[index];
}

static const struct busway_pci_function *function_of(const struct journey *j, uint32_t index)
{
	return j->fabric->places[index].f;
}

static void end_at(struct journey *j, enum busway_pci_end end, uint32_t index)
{
	j->out->end = end;
	j->out->function = (busway_pci_id){index};
}

static void violate(struct journey *j, uint32_t index, uint16_t bits)
{
	end_at(j, BUSWAY_PCI_ACS_VIOLATION, index);
	j->out->acs = bits;
}

/* ---- stretches of PCI Express ---- */

static void enter_express(struct journey *j, uint32_t requester, uint8_t bus)
{
	j->stretches[j->stretch_count] = (struct stretch){requester, NOWHERE, bus};
	j->on_express = true;
}

static void leave_express(struct journey *j, uint32_t completer)
{
	if (!j->on_express)
		return;
	j->stretches[j->stretch_count++].completer = completer;
	j->on_express = false;
}

/* ---- who answers on a bus ---- */

struct answer {
	uint32_t index; /* the last one that answers, if any does */
	unsigned bar;   /* BUSWAY_PCI_BARS: its windows do */
	unsigned count;
};

static struct answer ask_bus(const struct journey *j, uint32_t above, uint32_t host,
			     uint32_t except)
{
	struct answer answer = {.index = NOWHERE};

	for (uint32_t i = 0; i < j->fabric->count; i++) {
		const struct place *p = place_of(j, i);
		unsigned bar, count;

		if (i == except || p->above != above || (above == NOWHERE && p->host != host))
			continue;
		count = fabric_answers(p->f, j->address, &bar);
		if (!count)
			continue;
		answer.index = i;
		answer.bar = bar;
		answer.count += count;
	}
	return answer;
}

/* ---- down ---- */

static void arrive(struct journey *j, struct answer answer)
{
	const struct busway_pci_bar *bar = &function_of(j, answer.index)->bars[answer.bar];

	fabric_hop(j, BUSWAY_PCI_STEP_ARRIVE, answer.index);
	leave_express(j, answer.index);
	end_at(j, BUSWAY_PCI_ARRIVED, answer.index);
	j->out->bar = answer.bar;
	j->out->offset = j->address - bar->bus.first;
}

static void go_down(struct journey *j, struct answer answer)
{
	while (answer.count == 1 && answer.bar == BUSWAY_PCI_BARS) {
		const uint32_t bridge = answer.index;
		const enum bus_kind kind = fabric_bus_kind(j->fabric, bridge);

		fabric_hop(j, BUSWAY_PCI_STEP_DOWN, bridge);
		if (kind == BUS_SHARED)
			leave_express(j, bridge);
		else if (!j->on_express)
			enter_express(j, bridge, function_of(j, bridge)->bridge.secondary);
		if (kind == BUS_UNKNOWN) {
			end_at(j, BUSWAY_PCI_NOT_MODELLED, bridge);
			return;
		}
		answer = ask_bus(j, bridge, NOWHERE, NOWHERE);
		if (answer.count == 0) {
			end_at(j,
			       kind == BUS_SHARED ? BUSWAY_PCI_MASTER_ABORT
						  : BUSWAY_PCI_UNSUPPORTED,
			       bridge);
			return;
		}
	}
	if (answer.count > 1)
		end_at(j, BUSWAY_PCI_COLLISION, answer.index);
	else
		arrive(j, answer);
}

/* ---- ACS where a request could turn (PCI Express Base 6.12.3) ---- */

enum acs_says { ACS_DIRECT, ACS_UP, ACS_FORBIDS, ACS_SILENT };

/* The bit of the egress control vector that stands for @to. */
static int egress_bit(const struct journey *j, uint32_t from, uint32_t to)
{
	const struct busway_pci_acs *acs = &function_of(j, from)->acs;
	const struct busway_pci_function *f = function_of(j, to);
	const enum bus_kind kind = fabric_bus_kind(j->fabric, place_of(j, from)->above);
	unsigned number = f->port_number;

	if (kind == BUS_LINK) {
		if (f->is_virtual || function_of(j, from)->is_virtual)
			return -1;
		number = f->at.devfn; /* on a link bits 7..3 are 0, or ARI's */
	} else if (!f->has_port_number) {
		return -1;
	}
	return number < acs->egress_count ? acs->egress[number / 8] >> number % 8 & 1 : -1;
}

static enum acs_says ask_acs(struct journey *j, uint32_t from, uint32_t to)
{
	const struct busway_pci_acs *acs = &function_of(j, from)->acs;
	int bit;

	if (acs->known != BUSWAY_PRESENT)
		return ACS_DIRECT;
	if (j->request->translated && (acs->control & BUSWAY_ACS_DT))
		return ACS_DIRECT;
	if (!(acs->control & BUSWAY_ACS_EC))
		return acs->control & BUSWAY_ACS_RR ? ACS_UP : ACS_DIRECT;
	bit = egress_bit(j, from, to);
	if (bit < 0) { /* which bit counts is not known */
		end_at(j, BUSWAY_PCI_NOT_MODELLED, from);
		return ACS_SILENT;
	}
	if (bit == 0)
		return ACS_DIRECT;
	if (acs->control & BUSWAY_ACS_RR)
		return ACS_UP;
	violate(j, from, BUSWAY_ACS_EC);
	return ACS_FORBIDS;
}

/* True: it goes on up. */
static bool turn(struct journey *j, uint32_t from, struct answer answer)
{
	switch (ask_acs(j, from, answer.index)) {
	case ACS_DIRECT:
		fabric_hop(j, BUSWAY_PCI_STEP_TURN, from);
		go_down(j, answer);
		return false;
	case ACS_UP:
		fabric_hop(j, BUSWAY_PCI_STEP_REDIRECT, from);
		return true;
	default:
		return false;
	}
}

/* ---- up ---- */

/* On the bus of @n, from @n. True: on to the bridge above, @sent by ACS or because nobody answers.
 */
static bool leave_bus(struct journey *j, uint32_t n, bool *sent)
{
	const uint32_t above = place_of(j, n)->above;
	const enum bus_kind kind = fabric_bus_kind(j->fabric, above);
	const struct answer answer = ask_bus(j, above, place_of(j, n)->host, n);
	const bool climbs = !fabric_passes(function_of(j, above), j->address);

	if (kind == BUS_UNKNOWN) {
		end_at(j, BUSWAY_PCI_NOT_MODELLED, above);
		return false;
	}
	/* what a device does not carry inside leaves it by its link, whoever in it would answer */
	if (kind == BUS_LINK && !fabric_carries(j->fabric, n))
		return true;
	if (kind == BUS_LINK ? answer.count > 1 : answer.count + climbs > 1) {
		end_at(j, BUSWAY_PCI_COLLISION, answer.index);
		return false;
	}
	if (answer.count && kind == BUS_SHARED) {
		fabric_hop(j, BUSWAY_PCI_STEP_TURN, n);
		go_down(j, answer);
		return false;
	}
	if (answer.count) {
		*sent = turn(j, n, answer);
		return *sent;
	}
	if (kind == BUS_LINK || climbs)
		return true;
	end_at(j, kind == BUS_SHARED ? BUSWAY_PCI_MASTER_ABORT : BUSWAY_PCI_UNSUPPORTED, above);
	return false;
}

/* What the ACS of a port says to all that comes up through it. */
static bool port_admits(struct journey *j, uint32_t port, uint8_t bus)
{
	const struct busway_pci_function *f = function_of(j, port);
	const uint16_t control = f->acs.known == BUSWAY_PRESENT ? f->acs.control : 0;

	if ((control & BUSWAY_ACS_SV) && !fabric_leads_to_bus(f, bus))
		violate(j, port, BUSWAY_ACS_SV);
	else if ((control & BUSWAY_ACS_TB) && j->request->translated)
		violate(j, port, BUSWAY_ACS_TB);
	else
		return true;
	return false;
}

/* Through the bridge @up, from its secondary side. @sent: ACS sends it up, whoever is there. */
static bool pass_up(struct journey *j, uint32_t up, bool *sent)
{
	const struct busway_pci_function *f = function_of(j, up);
	const bool port = f->type == BUSWAY_PCI_ROOT_PORT || f->type == BUSWAY_PCI_DOWNSTREAM_PORT;
	unsigned bar;

	if (f->has_command && !f->bus_master) {
		end_at(j, BUSWAY_PCI_NO_MASTER, up);
		return false;
	}
	if (port && !port_admits(j, up, j->stretches[j->stretch_count].bus))
		return false;
	/* its own registers: whether it answers on this side, too, is left open */
	if (fabric_answers(f, j->address, &bar) > (fabric_passes(f, j->address) ? 1U : 0U)) {
		end_at(j, BUSWAY_PCI_COLLISION, up);
		return false;
	}
	if (f->type != BUSWAY_PCI_UPSTREAM_PORT && fabric_passes(f, j->address) &&
	    !(port && f->acs.known == BUSWAY_PRESENT && (f->acs.control & BUSWAY_ACS_UF))) {
		end_at(j, BUSWAY_PCI_LOOPS_BACK, up);
		return false;
	}
	if (f->type == BUSWAY_PCI_UPSTREAM_PORT && fabric_passes(f, j->address) && !*sent) {
		end_at(j, BUSWAY_PCI_UNSUPPORTED, up);
		return false;
	}
	if (f->type != BUSWAY_PCI_UPSTREAM_PORT)
		*sent = fabric_passes(f, j->address); /* by UF */
	else
		*sent = false;
	fabric_hop(j, BUSWAY_PCI_STEP_UP, up);
	if (fabric_bus_kind(j->fabric, place_of(j, up)->above) == BUS_SHARED)
		leave_express(j, up);
	else if (!j->on_express) /* it asks in its own name */
		enter_express(j, up, f->bridge.secondary);
	return true;
}

/* ---- the root complex ---- */

static bool is_memory_window(const struct busway_outbound *w)
{
	return w->has_cpu && w->kind != BUSWAY_OUTBOUND_IO;
}

/* The address on the bus of @host that the CPU's @phys leads to. */
static bool outbound(const struct busway_pci_host *host, uint64_t phys, uint64_t *address)
{
	for (size_t i = 0; i < host->window_count; i++) {
		const struct busway_outbound *w = &host->windows[i];
		const uint64_t offset = phys - w->cpu.raw;

		if (!is_memory_window(w) || phys < w->cpu.raw ||
		    offset > w->bus.last - w->bus.first)
			continue;
		*address = w->bus.first + offset;
		return true;
	}
	*address = phys; /* nobody has said where its windows are: where its devices answer */
	return !host->windows_known;
}

static bool to_cpu_address(struct journey *j, uint32_t top, uint64_t *phys)
{
	const struct busway_pci_fabric_options *o = &j->fabric->options;
	const uint32_t host = place_of(j, top)->host;

	*phys = j->address;
	if (j->request->translated)
		return true;
	if (function_of(j, j->request->initiator.index)->translated && o->translate) {
		if (o->translate(o->ctx, j->request->initiator, j->address, j->request->access,
				 phys))
			return true;
		end_at(j, BUSWAY_PCI_IOMMU_FAULT, top);
		return false;
	}
	if (!o->inbound || o->inbound(o->ctx, (busway_pci_host_id){host}, j->address, phys))
		return true;
	end_at(j, BUSWAY_PCI_NO_INBOUND, top);
	return false;
}

/* Of two root ports, or functions, egress control may keep them apart; what RR sends to the root
 * complex is there already. */
static bool root_allows(struct journey *j, uint32_t from, uint32_t to)
{
	const struct busway_pci_acs *acs = &function_of(j, from)->acs;

	if (from == to || acs->known != BUSWAY_PRESENT || !(acs->control & BUSWAY_ACS_EC))
		return true;
	return ask_acs(j, from, to) <= ACS_UP;
}

static void pass_root(struct journey *j, uint32_t top)
{
	const struct busway_pci_fabric *fabric = j->fabric;
	const uint32_t host = place_of(j, top)->host;
	struct answer answer = {.index = NOWHERE};
	uint64_t phys, there = 0;
	uint32_t to = NOWHERE;

	if (!to_cpu_address(j, top, &phys))
		return;
	j->address = phys;
	fabric_hop(j, BUSWAY_PCI_STEP_ROOT, top);
	for (uint32_t i = 0; i < busway_pci_host_count(fabric->pci); i++) {
		struct answer more;

		if (!outbound(busway_pci_host(fabric->pci, (busway_pci_host_id){i}), phys,
			      &j->address))
			continue;
		more = ask_bus(j, NOWHERE, i, NOWHERE);
		if (more.count) {
			answer.index = more.index;
			answer.bar = more.bar;
			to = i;
			there = j->address;
		}
		answer.count += more.count;
	}
	j->address = there;
	if (answer.count == 0) {
		j->out->phys = phys;
		end_at(j, BUSWAY_PCI_TO_CPU, top);
	} else if (answer.count > 1) {
		end_at(j, BUSWAY_PCI_COLLISION, answer.index);
	} else if (!fabric->options.forwards ||
		   !fabric->options.forwards(fabric->options.ctx, (busway_pci_host_id){host},
					     (busway_pci_host_id){to})) {
		end_at(j, BUSWAY_PCI_ROOT_REFUSES, top);
	} else if (to != host || root_allows(j, top, answer.index)) {
		go_down(j, answer);
	}
}

/* ---- all of it ---- */

static void go_up(struct journey *j, uint32_t n)
{
	bool sent = false;

	for (size_t steps = 0; steps <= j->fabric->count; steps++) {
		const uint32_t above = place_of(j, n)->above;

		if (above == NOWHERE) {
			pass_root(j, n);
			return;
		}
		if ((!sent && !leave_bus(j, n, &sent)) || !pass_up(j, above, &sent))
			return;
		n = above;
	}
	end_at(j, BUSWAY_PCI_NOT_MODELLED, n); /* a circle */
}

void busway_pci_fabric_route(const struct busway_pci_fabric *fabric,
			     const struct busway_pci_request *request,
			     struct busway_pci_outcome *out)
{
	const uint32_t first = request->initiator.index;
	const struct busway_pci_function *f = fabric->places[first].f;
	struct journey j = {
		.fabric = fabric, .request = request, .out = out, .address = request->address};

	*out = (struct busway_pci_outcome){.end = BUSWAY_PCI_NOT_MODELLED, .function = {first}};
	if (busway_pci_is_bridge(f->type) || fabric->places[first].host == NOWHERE)
		return; /* who initiates is a device of a known root */
	if (f->has_command && !f->bus_master) {
		end_at(&j, BUSWAY_PCI_NO_MASTER, first);
		return;
	}
	fabric_hop(&j, BUSWAY_PCI_STEP_EMIT, first);
	if (fabric_bus_kind(fabric, fabric->places[first].above) != BUS_SHARED)
		enter_express(&j, first, f->at.bus);
	go_up(&j, first);
	if (out->end == BUSWAY_PCI_ARRIVED && (request->access & BUSWAY_READ))
		fabric_complete(&j);
}
