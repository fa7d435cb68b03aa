/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_linux.c - peer-to-peer as the p2pdma layer of Linux 6.12 decides it.
 *
 * It looks for redirecting bits on every function of both ways up to the bridge that is common to
 * both, the functions themselves and, on the target's way, that bridge included. It does not look
 * at windows, and does not ask where on the way the bits are.
 */
#include "pci_internal.h"

enum { REDIRECT = BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_EC };

/* Note a redirecting function in @out; true where there is one. */
static bool redirects(const struct busway_pci *pci, uint32_t index, struct busway_p2p *out)
{
	const struct busway_pci_acs *acs = &node_at(pci, index)->function.acs;

	if (acs->known == BUSWAY_UNKNOWN)
		out->certain = false;
	if (acs->known != BUSWAY_PRESENT || !(acs->control & REDIRECT))
		return false;
	out->decider = (busway_pci_id){index};
	out->acs = acs->control & REDIRECT;
	return true;
}

static bool way_redirects(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
			  uint32_t common, struct busway_p2p *out)
{
	for (uint32_t n = target; n != NONE; n = node_at(pci, n)->above) {
		if (redirects(pci, n, out))
			return true;
		if (n == common)
			break;
	}
	for (uint32_t n = initiator; n != common; n = node_at(pci, n)->above)
		if (redirects(pci, n, out))
			return true;
	return false;
}

void decide_linux(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		  const struct busway_p2p_policy *policy, struct busway_p2p *out)
{
	const uint32_t common = out->common.index;

	const bool odd = node_at(pci, initiator)->odd || node_at(pci, target)->odd;

	if (odd)
		out->certain = false;
	if (common == NONE) {
		by_root_complex(pci, initiator, target, policy, BUSWAY_PEER_ROUTE, out);
	} else if (way_redirects(pci, initiator, target, common, out)) {
		out->certain = !odd; /* one that redirects is enough, if it is on the way */
		by_root_complex(pci, initiator, target, policy, BUSWAY_ACS_REDIRECT, out);
	} else {
		out->verdict = BUSWAY_P2P_SWITCH;
	}
}
