/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.c - what both ways to decide about peer-to-peer share.
 */
#include "pci_internal.h"

struct way find_way(const struct busway_pci *pci, uint32_t a, uint32_t b)
{
	struct way way = {.common = NONE, .a_child = a, .b_child = b};
	unsigned a_depth = node_at(pci, a)->depth, b_depth = node_at(pci, b)->depth;
	uint32_t x = a, y = b;

	/* from the same height up, step by step, until both are the same */
	for (; a_depth > b_depth; a_depth--, way.a_steps++) {
		way.a_child = x;
		x = node_at(pci, x)->above;
	}
	for (; b_depth > a_depth; b_depth--, way.b_steps++) {
		way.b_child = y;
		y = node_at(pci, y)->above;
	}
	for (; x != y && x != NONE && y != NONE; way.a_steps++, way.b_steps++) {
		way.a_child = x;
		way.b_child = y;
		x = node_at(pci, x)->above;
		y = node_at(pci, y)->above;
	}
	if (x == y)
		way.common = x; /* NONE, where both have come to a root bus */
	return way;
}

void refuse_p2p(struct busway_p2p *out, enum busway_reason reason, const char *hop, const char *by)
{
	out->verdict = BUSWAY_P2P_REFUSED;
	out->refusal.reason = reason;
	out->refusal.hop = hop;
	out->refusal.by = by;
}

static void advise(struct busway_refusal *refusal, struct busway_advice advice)
{
	if (refusal->advice_count < BUSWAY_ADVICE_MAX)
		refusal->advice[refusal->advice_count++] = advice;
}

/* "ACS RR, CR", for a refusal, which needs text that lives. */
static const char *redirect_text(uint16_t bits)
{
	static const char *const texts[8] = {
		NULL,     "ACS RR",     "ACS CR",     "ACS RR, CR",
		"ACS EC", "ACS RR, EC", "ACS CR, EC", "ACS RR, CR, EC",
	};

	return texts[(bits & BUSWAY_ACS_RR ? 1 : 0) | (bits & BUSWAY_ACS_CR ? 2 : 0) |
		     (bits & BUSWAY_ACS_EC ? 4 : 0)];
}

void by_root_complex(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		     const struct busway_p2p_policy *policy, enum busway_reason reason,
		     struct busway_p2p *out)
{
	const char *decider =
		busway_pci_some(out->decider) ? node_at(pci, out->decider.index)->name : NULL;

	if (busway_p2p_forwards(pci, (busway_pci_id){initiator}, (busway_pci_id){target}, policy)) {
		out->verdict = node_at(pci, initiator)->function.translated
				       ? BUSWAY_P2P_IOMMU
				       : BUSWAY_P2P_HOST_BRIDGE;
		return;
	}
	if (!host_is_known(pci, node_at(pci, initiator)->host) ||
	    !host_is_known(pci, node_at(pci, target)->host))
		out->certain = false;
	refuse_p2p(out, reason,
		   decider ? decider : host_at(pci, node_at(pci, initiator)->host)->host.name,
		   redirect_text(out->acs));
	if (decider && reason != BUSWAY_ACS_BLOCKED)
		advise(&out->refusal, (struct busway_advice){.kind = BUSWAY_ADVISE_ACS,
							     .hop = decider,
							     .bits = out->acs});
	else if (!decider)
		advise(&out->refusal, (struct busway_advice){.kind = BUSWAY_ADVISE_ONE_SWITCH});
}

/* ---- which memory of the target ---- */

static uint32_t largest_bar(const struct busway_pci_function *f)
{
	uint32_t best = BUSWAY_P2P_ANY_BAR;

	for (uint32_t i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&f->bars[i]) &&
		    (best == BUSWAY_P2P_ANY_BAR ||
		     busway_range_span(f->bars[i].bus) > busway_range_span(f->bars[best].bus)))
			best = i;
	return best;
}

static uint32_t choose_bar(const struct busway_pci_function *f, uint32_t bar)
{
	if (bar == BUSWAY_P2P_ANY_BAR)
		return largest_bar(f);
	return bar < BUSWAY_PCI_BARS && busway_bar_is_memory(&f->bars[bar]) ? bar
									    : BUSWAY_P2P_ANY_BAR;
}

/* What is off on the way: bus mastering up from the initiator, decoding down to the target. */
static unsigned find_needs(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
			   uint32_t common)
{
	unsigned needs = 0;

	for (uint32_t n = initiator; n != common; n = node_at(pci, n)->above) {
		const struct busway_pci_function *f = &node_at(pci, n)->function;

		if (f->has_command && !f->bus_master)
			needs |= BUSWAY_P2P_NEEDS_BUS_MASTER;
	}
	for (uint32_t n = target; n != common; n = node_at(pci, n)->above) {
		const struct busway_pci_function *f = &node_at(pci, n)->function;

		/* of a virtual function the bit is in the physical one */
		if (f->has_command && !f->memory_decode && !f->is_virtual)
			needs |= BUSWAY_P2P_NEEDS_DECODE;
	}
	return needs;
}

void busway_p2p_decide(const struct busway_pci *pci, busway_pci_id initiator, busway_pci_id target,
		       uint32_t bar, const struct busway_p2p_policy *policy, struct busway_p2p *out)
{
	const uint32_t a = initiator.index, b = target.index;
	const struct way way = find_way(pci, a, b);
	const struct busway_pci_function *f = &node_at(pci, b)->function;
	const uint32_t chosen = choose_bar(f, bar);
	const struct busway_pci_bar *memory =
		chosen == BUSWAY_P2P_ANY_BAR ? NULL : &f->bars[chosen];

	*out = (struct busway_p2p){
		.certain = true,
		.bar = chosen,
		/* without anything in common both functions count as well */
		.distance = way.a_steps + way.b_steps,
		.common = {way.common},
		.decider = BUSWAY_NO_FUNCTION,
		.refusal = {.bus_addresses = true, .no_addresses = memory == NULL},
	};
	if (memory)
		out->refusal.asked = memory->bus;
	if (policy->view == BUSWAY_P2P_LINUX)
		decide_linux(pci, a, b, policy, out);
	else
		decide_route(pci, a, b, memory, policy, out);
	if (memory && memory->bus_guessed)
		out->certain = false;
	/* through the root complex every bridge above both has a part in it */
	out->needs = find_needs(pci, a, b, out->verdict > BUSWAY_P2P_SWITCH ? NONE : way.common);
	if (out->refusal.reason == BUSWAY_ACS_UNKNOWN)
		advise(&out->refusal, (struct busway_advice){.kind = BUSWAY_ADVISE_PRIVILEGE,
							     .hop = out->refusal.hop});
}
