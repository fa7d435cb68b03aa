/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * quirks.c - devices that are otherwise than their registers say: facts about chips, each with
 * where it comes from. A new one is one line.
 *
 * The first kinds come from vendors who told Linux that a device, though it has no ACS (or not
 * where it belongs), keeps its functions or ports apart; the last from faults that people found.
 */
#include "isolation_internal.h"

#define TABLE      "Linux, drivers/pci/quirks.c, pci_dev_acs_enabled: "
#define INTEL      TABLE "Intel Ethernet, no peer-to-peer between functions"
#define SOLARFLARE TABLE "Solarflare, no peer-to-peer between functions"
#define EMULEX     TABLE "Emulex, no peer-to-peer between functions"
#define BROADCOM   TABLE "Broadcom, no peer-to-peer between functions"
#define CAVIUM     TABLE "Cavium ThunderX, no peer-to-peer"
#define QCOM       TABLE "Qualcomm QDF2xxx, a root port is a root complex of its own"
#define PCH        TABLE "Intel PCH: peer decodes are off if Linux could turn them off"
#define SPT        TABLE "Intel 100 and 200 series PCH: ACS registers at other offsets"
#define AMD        TABLE "AMD south bridges, no peer-to-peer with an AMD IOMMU"
#define VULCAN     "Linux, drivers/pci/quirks.c: Broadcom Vulcan, Cavium ThunderX2"
#define RICOH      "Linux, drivers/pci/quirks.c; bugzilla.redhat.com/show_bug.cgi?id=605888"
#define MARVELL    "Linux, drivers/pci/quirks.c; bugzilla.kernel.org/show_bug.cgi?id=42679"

static const struct busway_pci_quirk quirks[] = {
	{0x1924, 0x0903, 0x0903, BUSWAY_QUIRK_APART, SOLARFLARE},
	{0x1924, 0x0923, 0x0923, BUSWAY_QUIRK_APART, SOLARFLARE},
	{0x1924, 0x0a03, 0x0a03, BUSWAY_QUIRK_APART, SOLARFLARE},
	{0x8086, 0x105e, 0x1060, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10a7, 0x10a7, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10a9, 0x10a9, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10c6, 0x10c6, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10c9, 0x10c9, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10d6, 0x10d6, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10d9, 0x10d9, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10db, 0x10db, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10dd, 0x10dd, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10e1, 0x10e1, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10e6, 0x10e8, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10f1, 0x10f1, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x10f7, 0x10fc, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1507, 0x1507, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1509, 0x150a, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x150d, 0x1511, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1514, 0x1514, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1516, 0x1516, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1518, 0x1518, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x151c, 0x151c, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1521, 0x1524, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1526, 0x1527, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1529, 0x152a, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x154d, 0x154d, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x154f, 0x154f, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1551, 0x1551, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x1558, 0x1558, BUSWAY_QUIRK_APART, INTEL},
	{0x8086, 0x15b7, 0x15b8, BUSWAY_QUIRK_APART, INTEL},
	{0x19a2, 0x0710, 0x0710, BUSWAY_QUIRK_APART, EMULEX},
	{0x10df, 0x0720, 0x0720, BUSWAY_QUIRK_APART, EMULEX},
	{0x177d, 0xa000, 0xa0ff, BUSWAY_QUIRK_PORT_APART, CAVIUM},
	{0x14e4, 0x16d7, 0x16d7, BUSWAY_QUIRK_APART, BROADCOM},
	{0x14e4, 0x1750, 0x1750, BUSWAY_QUIRK_APART, BROADCOM},
	{0x17cb, 0x0400, 0x0401, BUSWAY_QUIRK_PORT_APART, QCOM},
	{0x8086, 0x1c10, 0x1c1f, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d10, 0x1d10, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d12, 0x1d12, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d14, 0x1d14, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d16, 0x1d16, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d18, 0x1d18, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d1a, 0x1d1a, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d1c, 0x1d1c, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1d1e, 0x1d1e, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x1e10, 0x1e1f, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x3b42, 0x3b51, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c10, 0x8c1f, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c90, 0x8c90, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c92, 0x8c92, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c94, 0x8c94, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c96, 0x8c96, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c98, 0x8c98, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c9a, 0x8c9a, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c9c, 0x8c9c, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8c9e, 0x8c9e, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x8d10, 0x8d1e, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x9c10, 0x9c1b, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0x9c90, 0x9c9b, BUSWAY_QUIRK_PORT_MAYBE, PCH},
	{0x8086, 0xa110, 0xa11f, BUSWAY_QUIRK_PORT_MAYBE, SPT},
	{0x8086, 0xa167, 0xa16a, BUSWAY_QUIRK_PORT_MAYBE, SPT},
	{0x8086, 0xa290, 0xa29f, BUSWAY_QUIRK_PORT_MAYBE, SPT},
	{0x8086, 0xa2e7, 0xa2ee, BUSWAY_QUIRK_PORT_MAYBE, SPT},
	{0x1002, 0x4383, 0x4385, BUSWAY_QUIRK_AMD_APART, AMD},
	{0x1002, 0x4399, 0x4399, BUSWAY_QUIRK_AMD_APART, AMD},
	{0x1002, 0x439c, 0x439d, BUSWAY_QUIRK_AMD_APART, AMD},
	{0x1022, 0x7809, 0x7809, BUSWAY_QUIRK_AMD_APART, AMD},
	{0x1022, 0x780f, 0x780f, BUSWAY_QUIRK_AMD_APART, AMD},
	{0x14e4, 0x9000, 0x9000, BUSWAY_QUIRK_ROOT_BRIDGE, VULCAN},
	{0x14e4, 0x9084, 0x9084, BUSWAY_QUIRK_ROOT_BRIDGE, VULCAN},
	{0x1180, 0xe476, 0xe476, BUSWAY_QUIRK_USES_DEVFN_0, RICOH},
	{0x1180, 0xe832, 0xe832, BUSWAY_QUIRK_USES_DEVFN_0, RICOH},
	{0x1b4b, 0x9120, 0x9120, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x9123, 0x9123, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x9130, 0x9130, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x9172, 0x9172, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x917a, 0x917a, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x9182, 0x9182, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x91a0, 0x91a0, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1b4b, 0x9230, 0x9230, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1103, 0x0642, 0x0642, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
	{0x1c28, 0x0122, 0x0122, BUSWAY_QUIRK_USES_DEVFN_1, MARVELL},
};

const struct busway_pci_quirk *busway_pci_quirks(size_t *count)
{
	*count = sizeof(quirks) / sizeof(quirks[0]);
	return quirks;
}

const struct busway_pci_quirk *find_quirk(const struct busway_pci_function *f)
{
	for (size_t i = 0; i < sizeof(quirks) / sizeof(quirks[0]); i++)
		if (quirks[i].vendor == f->vendor && quirks[i].first <= f->device &&
		    f->device <= quirks[i].last)
			return &quirks[i];
	return NULL;
}

bool has_iommu(const struct busway_pci_function *bridge)
{
	const struct busway_pci_quirk *quirk =
		hides_requesters(bridge->type) ? find_quirk(bridge) : NULL;

	return quirk && quirk->kind == BUSWAY_QUIRK_ROOT_BRIDGE;
}

bool uses_id_of(const struct busway_pci_function *f, const struct busway_pci_function *other)
{
	const unsigned in_slot = other->at.devfn & 7;
	const struct busway_pci_quirk *quirk;

	if (!same_slot(f->at, other->at) || in_slot > 1 || f->at.devfn == other->at.devfn ||
	    f->is_virtual)
		return false;
	quirk = find_quirk(f);
	return quirk &&
	       quirk->kind == (in_slot ? BUSWAY_QUIRK_USES_DEVFN_1 : BUSWAY_QUIRK_USES_DEVFN_0);
}
