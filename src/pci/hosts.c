/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts.c - root complexes that are known to forward requests from one of their ports to another.
 *
 * No register says whether a root complex does (PCI Express Base 1.3.1 leaves it open). This is
 * the list that Linux 6.12 goes by (drivers/pci/p2pdma.c), as data: facts about chips, each with
 * where it comes from. A new one is one line.
 */
#include "pci_internal.h"

static const struct busway_p2p_host known[] = {
	{0x8086, 0x3c00, true, "Intel Xeon E5 (Sandy Bridge-EP)", "Linux 6.12"},
	{0x8086, 0x3c01, true, "Intel Xeon E5 (Sandy Bridge-EP)", "Linux 6.12"},
	{0x8086, 0x2f00, true, "Intel Xeon E7 v3 (Haswell-EP)", "Linux 6.12"},
	{0x8086, 0x2f01, true, "Intel Xeon E7 v3 (Haswell-EP)", "Linux 6.12"},
	{0x8086, 0x2030, false, "Intel Skylake-E", "Linux 6.12"},
	{0x8086, 0x2031, false, "Intel Skylake-E", "Linux 6.12"},
	{0x8086, 0x2032, false, "Intel Skylake-E", "Linux 6.12"},
	{0x8086, 0x2033, false, "Intel Skylake-E", "Linux 6.12"},
	{0x8086, 0x2020, false, "Intel Skylake-E", "Linux 6.12"},
	{0x8086, 0x09a2, false, "Intel Ice Lake-SP and later", "Linux 6.12"},
};

const struct busway_p2p_host *busway_p2p_hosts(size_t *count)
{
	*count = sizeof(known) / sizeof(known[0]);
	return known;
}

/*
 * The function that stands for a host bridge: the first one on its root bus, where it is device 0
 * or a root port. Of a bridge whose capabilities could not be read its place on the root bus says
 * that it is a root port.
 */
static const struct busway_pci_function *representative(const struct busway_pci *pci, uint32_t host)
{
	const uint32_t first = host_at(pci, host)->below;
	const struct busway_pci_function *f;

	if (first == NONE)
		return NULL;
	f = &pci->nodes[first].function;
	return f->at.devfn == 0 || f->type == BUSWAY_PCI_ROOT_PORT ||
			       f->type == BUSWAY_PCI_UNKNOWN_BRIDGE
		       ? f
		       : NULL;
}

static bool host_forwards(const struct busway_pci *pci, uint32_t host, bool same)
{
	const struct busway_pci_function *f = representative(pci, host);

	for (size_t i = 0; f && i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].vendor == f->vendor && known[i].device == f->device)
			return same || !known[i].same_host_only;
	return false;
}

bool host_is_known(const struct busway_pci *pci, uint32_t host)
{
	const struct busway_pci_function *f = representative(pci, host);

	return !f || f->vendor;
}

bool busway_p2p_forwards(const struct busway_pci *pci, busway_pci_id a, busway_pci_id b,
			 const struct busway_p2p_policy *policy)
{
	const uint32_t x = node_at(pci, a.index)->host, y = node_at(pci, b.index)->host;

	if (policy->cpu_zen || policy->trust_unknown)
		return true;
	if (x == y)
		return host_forwards(pci, x, true);
	return host_forwards(pci, x, false) && host_forwards(pci, y, false);
}
