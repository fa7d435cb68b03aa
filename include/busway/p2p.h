/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p.h - peer-to-peer: can one PCI function reach another's memory, by which route, and with
 * which address?
 *
 * Two questions, and their answers differ:
 *
 *   as the route carries it   what the bridges and ports between the two really do with a request
 *   as Linux decides          what its p2pdma layer says (drivers/pci/p2pdma.c, 6.12): coarser
 *                             about ACS, silent about windows
 *
 * In both a root complex is not known to forward from one of its ports to another unless the
 * list of known ones (busway_p2p_hosts()) has it. Rules of ACS: PCI Express Base 6.12.
 *
 * No function here allocates; all may be called from any thread.
 */
#ifndef BUSWAY_P2P_H
#define BUSWAY_P2P_H

#include <busway/pci.h>

enum busway_p2p_verdict {
	BUSWAY_P2P_REFUSED,
	BUSWAY_P2P_SWITCH,      /* it stays below a common bridge: emit the bus address */
	BUSWAY_P2P_HOST_BRIDGE, /* through the root complex: emit what leads to its CPU address */
	BUSWAY_P2P_IOMMU,       /* through the root complex, translated: emit an IOVA */
};

enum busway_p2p_view {
	BUSWAY_P2P_ROUTE, /* as the route carries it */
	BUSWAY_P2P_LINUX, /* as Linux decides */
};

struct busway_p2p_policy {
	enum busway_p2p_view view;
	bool cpu_zen;       /* an AMD processor of family 17h or later: its root complex forwards */
	bool trust_unknown; /* take a root complex that is not known for one that forwards */
};

/* What a driver has to turn on before any of it works. */
enum busway_p2p_need {
	BUSWAY_P2P_NEEDS_BUS_MASTER = 1, /* of the initiator, or of a bridge above it */
	BUSWAY_P2P_NEEDS_DECODE = 2,     /* of the target, or of a bridge above it */
};

#define BUSWAY_P2P_ANY_BAR UINT32_MAX

struct busway_p2p {
	enum busway_p2p_verdict verdict;
	bool certain; /* everything that decides could be read */
	uint32_t bar; /* of the target: which was decided about; BUSWAY_P2P_ANY_BAR: it has none */
	unsigned distance;     /* as Linux counts: bridges on the way, both functions included */
	busway_pci_id common;  /* the bridge that both are below, or none */
	busway_pci_id decider; /* the port or function whose bits decide, or none */
	uint16_t acs;          /* those bits of its ACS control register */
	unsigned needs;        /* enum busway_p2p_need */
	struct busway_refusal refusal; /* .reason is BUSWAY_NOT_REFUSED where it is not */
};

/*
 * busway_p2p_decide() - can @initiator reach memory of @target?
 * @bar: which BAR of @target, or BUSWAY_P2P_ANY_BAR: the largest one of memory
 * @out: always set. Names in its refusal are those of @pci.
 *
 * As the route carries it: writes arrive and reads come back, by the bus address (switch), by the
 * CPU's address of the BAR where windows lead it into the machine 1:1 (host bridge), or by any IOVA
 * that comes up to the root complex (IOMMU). About another address ask busway_p2p_climbs(). For
 * what ACS sends up every port above must have UF set; an initiator with ATS switched on must get
 * there with translated requests, too.
 *
 * Cost: proportional to the number of bridges above the two.
 */
void busway_p2p_decide(const struct busway_pci *pci, busway_pci_id initiator, busway_pci_id target,
		       uint32_t bar, const struct busway_p2p_policy *policy,
		       struct busway_p2p *out);

/*
 * busway_p2p_climbs() - does a request for @range come up to the root complex?
 * For addresses that lead to the target from there on only: an IOVA, or what a window into the
 * machine makes a CPU address.
 * @translated: it is marked as translated (ATS)
 * @why: set where it does not: who answers to some of it, or stops it
 */
bool busway_p2p_climbs(const struct busway_pci *pci, busway_pci_id initiator,
		       struct busway_range range, bool translated, struct busway_refusal *why);

/* ---- known root complexes -------------------------------------------------------------- */

struct busway_p2p_host {
	uint16_t vendor, device;
	bool same_host_only; /* between devices below one host bridge only */
	const char *family, *source;
};

/* Those that forward. */
const struct busway_p2p_host *busway_p2p_hosts(size_t *count);

/* Does the root complex forward between the two? Not, if it is not known to. */
bool busway_p2p_forwards(const struct busway_pci *pci, busway_pci_id a, busway_pci_id b,
			 const struct busway_p2p_policy *policy);

#endif
