/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capabilities.c - what the lists of capabilities say: port type, ACS, ATS, MSI.
 *
 * The first 256 bytes hold one list (PCI Local Bus 3.0, 6.7), the rest another (PCIe 7.6.3). Both
 * are followed for as many entries as can be, so that a list in a circle ends; a list that cannot
 * be read to its end leaves unknown what was not found in it.
 */
#include "pci_internal.h"

#include "config_bytes.h"

enum {
	STATUS = 0x06,
	STATUS_LIST = 1 << 4,
	LIST_FIRST = 0x34,
	CAPABILITY_PCIE = 0x10,
	CAPABILITIES_END = 256,
	CAPABILITIES_MOST = (256 - 64) / 4,

	PCIE_FLAGS = 2,
	LINK_CAPABILITIES = 0x0c,
	PCIE_SIZE = 0x10,

	CAPABILITY_MSI = 0x05,
	CAPABILITY_MSIX = 0x11,
	MSI_CONTROL = 2,
	MSI_ENABLE = 1 << 0,
	MSI_WIDE = 1 << 7,
	MSIX_ENABLE = 1 << 15,

	EXTENDED_FIRST = 0x100,
	EXTENDED_MOST = (4096 - 256) / 8,
	EXTENDED_ACS = 0x000d,
	EXTENDED_ATS = 0x000f,
	ATS_CONTROL = 6,
	ATS_ENABLE = 1 << 15,
};

/* A capability, or where and why it was not found. */
struct found {
	enum busway_known known;
	unsigned at;
};

static struct found find_capability(const uint8_t *config, size_t size, uint8_t id)
{
	unsigned at;

	if (!(config_u16(config, STATUS) & STATUS_LIST))
		return (struct found){.known = BUSWAY_ABSENT};
	at = config[LIST_FIRST] & 0xfcU;
	for (unsigned i = 0; i < CAPABILITIES_MOST && at; i++) {
		if (at < 0x40 || at + 2 > size)
			return (struct found){.known = BUSWAY_UNKNOWN};
		if (config[at] == id)
			return (struct found){BUSWAY_PRESENT, at};
		at = config[at + 1] & 0xfcU;
	}
	return (struct found){.known = at ? BUSWAY_UNKNOWN : BUSWAY_ABSENT};
}

static struct found find_extended(const uint8_t *config, size_t size, uint16_t id)
{
	unsigned at = EXTENDED_FIRST;

	for (unsigned i = 0; i < EXTENDED_MOST; i++) {
		uint32_t header;

		if (at < EXTENDED_FIRST || at + 4 > size)
			return (struct found){.known = BUSWAY_UNKNOWN};
		header = config_u32(config, at);
		if (header == UINT32_MAX) /* nothing answered; a list of nothing reads as 0 */
			return (struct found){.known = BUSWAY_UNKNOWN};
		if ((header & 0xffff) == id && header)
			return (struct found){BUSWAY_PRESENT, at};
		at = header >> 20 & 0xffcU;
		if (!at)
			return (struct found){.known = BUSWAY_ABSENT};
	}
	return (struct found){.known = BUSWAY_UNKNOWN}; /* a circle */
}

static enum busway_pci_type port_type(unsigned code, bool bridge)
{
	switch (code) {
	case 0: /* endpoint */
	case 1: /* legacy endpoint */
		return bridge ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_ENDPOINT;
	case 4:
		return bridge ? BUSWAY_PCI_ROOT_PORT : BUSWAY_PCI_UNKNOWN;
	case 5:
		return bridge ? BUSWAY_PCI_UPSTREAM_PORT : BUSWAY_PCI_UNKNOWN;
	case 6:
		return bridge ? BUSWAY_PCI_DOWNSTREAM_PORT : BUSWAY_PCI_UNKNOWN;
	case 7:
		return bridge ? BUSWAY_PCI_PCIE_TO_PCI : BUSWAY_PCI_UNKNOWN;
	case 8:
		return bridge ? BUSWAY_PCI_PCI_TO_PCIE : BUSWAY_PCI_UNKNOWN;
	case 9:
		return bridge ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_ROOT_ENDPOINT;
	case 10:
		return bridge ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_EVENT_COLLECTOR;
	default:
		return bridge ? BUSWAY_PCI_UNKNOWN_BRIDGE : BUSWAY_PCI_UNKNOWN;
	}
}

/* PCIe 7.5.3: the capability register and, of ports, the link capabilities. */
static void read_pcie(const uint8_t *config, size_t size, unsigned at,
		      struct busway_pci_function *f)
{
	if (at + PCIE_FLAGS + 2 > size)
		return;
	f->type = port_type(config_u16(config, at + PCIE_FLAGS) >> 4 & 15,
			    busway_pci_is_bridge(f->type));
	/* integrated functions have no link, and 0 where its registers would be */
	f->has_port_number = at + PCIE_SIZE <= size && f->type != BUSWAY_PCI_ROOT_ENDPOINT &&
			     f->type != BUSWAY_PCI_EVENT_COLLECTOR;
	if (f->has_port_number)
		f->port_number = (uint8_t)(config_u32(config, at + LINK_CAPABILITIES) >> 24);
}

/* PCIe 7.7.11. */
static void read_acs(const uint8_t *config, size_t size, unsigned at, struct busway_pci_acs *acs)
{
	unsigned count, bytes;

	if (at + 8 > size)
		return;
	*acs = (struct busway_pci_acs){
		.known = BUSWAY_PRESENT,
		.capability = config_u16(config, at + 4) & 0x7f,
		.control = config_u16(config, at + 6) & 0x7f,
	};
	if (!(acs->capability & BUSWAY_ACS_EC))
		return;
	count = config[at + 5] ? config[at + 5] : 256; /* 0 stands for 256 */
	bytes = (count + 7) / 8;
	if (at + 8 + bytes > size)
		return; /* no bit of the vector is known */
	acs->egress_count = (uint16_t)count;
	for (unsigned i = 0; i < bytes; i++)
		acs->egress[i] = config[at + 8 + i];
}

/* PCI Local Bus 3.0, 6.8.1 and 6.8.2. */
static void read_msi(const uint8_t *config, size_t size, struct busway_pci_msi *msi)
{
	const struct found found = find_capability(config, size, CAPABILITY_MSI);
	const struct found msix = find_capability(config, size, CAPABILITY_MSIX);
	uint16_t control;

	*msi = (struct busway_pci_msi){.known = found.known, .msix = msix.known};
	if (msix.known == BUSWAY_PRESENT && msix.at + 4 <= size)
		msi->msix_enabled = (config_u16(config, msix.at + MSI_CONTROL) & MSIX_ENABLE) != 0;
	if (found.known != BUSWAY_PRESENT)
		return;
	if (found.at + 12 > size) {
		msi->known = BUSWAY_UNKNOWN;
		return;
	}
	control = config_u16(config, found.at + MSI_CONTROL);
	msi->enabled = (control & MSI_ENABLE) != 0;
	msi->wide = (control & MSI_WIDE) != 0;
	msi->address = config_u32(config, found.at + 4);
	if (msi->wide)
		msi->address |= (uint64_t)config_u32(config, found.at + 8) << 32;
}

void read_capabilities(const uint8_t *config, size_t size, struct busway_pci_function *f)
{
	const struct found pcie = find_capability(config, size, CAPABILITY_PCIE);
	struct found acs, ats;

	f->acs = (struct busway_pci_acs){.known = BUSWAY_UNKNOWN};
	f->ats = BUSWAY_UNKNOWN;
	f->ats_enabled = false;
	f->has_port_number = false;
	read_msi(config, size, &f->msi);
	if (pcie.known == BUSWAY_UNKNOWN)
		return;
	if (pcie.known == BUSWAY_ABSENT) { /* and with it all of the second list */
		f->type = busway_pci_is_bridge(f->type) ? BUSWAY_PCI_CONVENTIONAL_BRIDGE
							: BUSWAY_PCI_CONVENTIONAL;
		f->acs.known = BUSWAY_ABSENT;
		f->ats = BUSWAY_ABSENT;
		return;
	}
	read_pcie(config, size, pcie.at, f);
	acs = find_extended(config, size, EXTENDED_ACS);
	f->acs.known = acs.known == BUSWAY_ABSENT ? BUSWAY_ABSENT : BUSWAY_UNKNOWN;
	if (acs.known == BUSWAY_PRESENT)
		read_acs(config, size, acs.at, &f->acs);
	ats = find_extended(config, size, EXTENDED_ATS);
	f->ats = ats.known;
	if (ats.known == BUSWAY_PRESENT && ats.at + ATS_CONTROL + 2 <= size)
		f->ats_enabled = (config_u16(config, ats.at + ATS_CONTROL) & ATS_ENABLE) != 0;
}
