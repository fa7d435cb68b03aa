/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * question.c - both views of a pair; names of things.
 */
#include "p2p.h"

enum busway_p2p_view other_view(enum busway_p2p_view view)
{
	return view == BUSWAY_P2P_LINUX ? BUSWAY_P2P_ROUTE : BUSWAY_P2P_LINUX;
}

void decide_both(const struct question *q, busway_pci_id a, busway_pci_id b, struct views *views)
{
	struct busway_p2p_policy other = q->policy;

	other.view = other_view(q->policy.view);
	busway_p2p_decide(q->pci, a, b, BUSWAY_P2P_ANY_BAR, &q->policy, &views->p);
	busway_p2p_decide(q->pci, a, b, BUSWAY_P2P_ANY_BAR, &other, &views->other);
	views->differ = views->p.verdict != views->other.verdict ||
			views->p.certain != views->other.certain;
}

/* ---- names ---- */

const char *view_name(enum busway_p2p_view view)
{
	return view == BUSWAY_P2P_LINUX ? "linux" : "route";
}

const char *verdict_name(enum busway_p2p_verdict verdict)
{
	static const char *const names[] = {"refused", "switch", "host-bridge", "iommu"};

	return names[verdict];
}

const char *address_form(enum busway_p2p_verdict verdict)
{
	static const char *const forms[] = {NULL, "bus", "cpu", "iova"};

	return forms[verdict];
}

const char *function_type_name(enum busway_pci_type type)
{
	static const char *const names[] = {
		[BUSWAY_PCI_UNKNOWN] = "function",
		[BUSWAY_PCI_CONVENTIONAL] = "conventional function",
		[BUSWAY_PCI_ENDPOINT] = "endpoint",
		[BUSWAY_PCI_ROOT_ENDPOINT] = "integrated endpoint",
		[BUSWAY_PCI_EVENT_COLLECTOR] = "event collector",
		[BUSWAY_PCI_ROOT_PORT] = "root port",
		[BUSWAY_PCI_UPSTREAM_PORT] = "upstream port",
		[BUSWAY_PCI_DOWNSTREAM_PORT] = "downstream port",
		[BUSWAY_PCI_PCIE_TO_PCI] = "PCIe-to-PCI bridge",
		[BUSWAY_PCI_PCI_TO_PCIE] = "PCI-to-PCIe bridge",
		[BUSWAY_PCI_CONVENTIONAL_BRIDGE] = "PCI bridge",
		[BUSWAY_PCI_UNKNOWN_BRIDGE] = "bridge",
	};

	return names[type];
}

/* ---- functions ---- */

bool has_memory(const struct busway_pci_function *function)
{
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&function->bars[i]))
			return true;
	return false;
}

/* Ports, and functions of a device that has several. */
static bool can_have_acs(const struct busway_pci_function *f)
{
	switch (f->type) {
	case BUSWAY_PCI_ROOT_PORT:
	case BUSWAY_PCI_DOWNSTREAM_PORT:
		return true;
	case BUSWAY_PCI_ENDPOINT:
	case BUSWAY_PCI_UPSTREAM_PORT:
		return f->multifunction;
	default:
		return false;
	}
}

const char *acs_state(const struct busway_pci_function *f, char *text, size_t size)
{
	char bits[32];

	if (f->acs.known == BUSWAY_UNKNOWN)
		snprintf(text, size, "ACS unknown");
	else if (f->acs.known == BUSWAY_ABSENT)
		snprintf(text, size, "%s", can_have_acs(f) ? "no ACS" : "");
	else if (!f->acs.control)
		snprintf(text, size, "ACS off");
	else
		snprintf(text, size, "ACS %s", busway_acs_text(f->acs.control, bits, sizeof(bits)));
	return text;
}

/* ---- root complexes ---- */

/* The first function on the root bus stands for its host bridge. */
static busway_pci_id first_of_host(const struct busway_pci *pci, busway_pci_host_id host)
{
	const size_t count = busway_pci_count(pci);

	for (uint32_t i = 0; i < count; i++) {
		const busway_pci_id id = {i};

		if (busway_pci_host_of(pci, id).index == host.index &&
		    !busway_pci_some(busway_pci_above(pci, id)))
			return id;
	}
	return BUSWAY_NO_FUNCTION;
}

void host_text(const struct question *q, busway_pci_host_id host, char *text, size_t size)
{
	const busway_pci_id first = first_of_host(q->pci, host);
	size_t count;
	const struct busway_p2p_host *known = busway_p2p_hosts(&count);
	const struct busway_pci_function *f;

	snprintf(text, size, "root complex, not known to forward");
	if (!busway_pci_some(first) || !busway_p2p_forwards(q->pci, first, first, &q->policy))
		return;
	snprintf(text, size, "root complex, %s",
		 q->policy.cpu_zen ? "known to forward: AMD, family 17h or later"
				   : "taken for one that forwards (--unknown-root)");
	if (q->policy.cpu_zen)
		return;
	f = busway_pci_function(q->pci, first);
	for (size_t i = 0; i < count; i++)
		if (known[i].vendor == f->vendor && known[i].device == f->device)
			snprintf(text, size, "root complex, known to forward%s: %s",
				 known[i].same_host_only ? " below itself" : "", known[i].family);
}
