/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation.h - which PCI functions an IOMMU can keep apart.
 *
 * An IOMMU sits behind the ports of the root complex: what comes that far passes it. Functions are
 * one group if it cannot tell them apart (a bridge to conventional PCI puts its own requester ID in
 * place of theirs, and some devices use the ID of another function), or if they reach each other
 * before a request comes that far: on a shared bus, inside a switch, inside a device.
 *
 *   BUSWAY_ISOLATION_SURE    joined only where it is certain that one reaches the other
 *   BUSWAY_ISOLATION_ROUTE   joined also where it may be: what could not be read, and what a
 *                            device without ACS does inside, is marked uncertain
 *   BUSWAY_ISOLATION_LINUX   as Linux 6.12 forms its groups (pci_device_group())
 *
 * That different groups are really apart is said by the second: that a group really is one by the
 * first. A function that forges the requester ID of another is not looked at (ACS SV is against
 * that), nor are registers of the ports themselves.
 *
 * Sources: PCI Express Base 6.12 (ACS), PCI Express to PCI/PCI-X Bridge 1.0, 2.3 (requester IDs);
 * drivers/iommu/iommu.c and drivers/pci/pci.c of Linux 6.12.
 */
#ifndef BUSWAY_ISOLATION_H
#define BUSWAY_ISOLATION_H

#include <busway/pci.h>

enum busway_isolation_view {
	BUSWAY_ISOLATION_SURE,
	BUSWAY_ISOLATION_ROUTE,
	BUSWAY_ISOLATION_LINUX,
};

/* Why two functions are in one group: a code and a few words. */
#define BUSWAY_ISOLATION_CAUSES(X)                                                                 \
	X(BUSWAY_TOGETHER_BRIDGE, "conventional-bridge",                                           \
	  "a bridge to conventional PCI: a shared bus, and its requester ID in place of theirs")   \
	X(BUSWAY_TOGETHER_SWITCH, "switch-port",                                                   \
	  "a port of a switch lets requests to its neighbours pass")                               \
	X(BUSWAY_TOGETHER_DEVICE, "one-device",                                                    \
	  "functions of one device that nothing keeps from reaching each other inside")            \
	X(BUSWAY_TOGETHER_ALIAS, "requester-alias",                                                \
	  "a device that uses the requester ID of another function")                               \
	X(BUSWAY_TOGETHER_UNKNOWN, "unknown-bridge", "a bridge whose capabilities are unknown")    \
	X(BUSWAY_TOGETHER_PATH, "acs-above",                                                       \
	  "Linux wants SV, RR, CR and UF on every port up to the root")

enum busway_isolation_cause {
#define X(id, code, text) id,
	BUSWAY_ISOLATION_CAUSES(X)
#undef X
		BUSWAY_TOGETHER_COUNT
};

/* Two functions that are together, and why. The links of a group hold it together as a tree. */
struct busway_isolation_link {
	busway_pci_id a, b;
	enum busway_isolation_cause cause;
	busway_pci_id decider; /* whose ACS, or requester IDs, decide */
	uint16_t missing;      /* bits that it would have to set in its ACS control register */
	bool certain;
};

struct busway_isolation_group {
	const busway_pci_id *members; /* in the order of addresses */
	size_t count;
	const struct busway_isolation_link *links; /* @count - 1 of them */
	bool certain; /* all that decides about its members could be read */
};

struct busway_isolation;

/*
 * busway_isolation_create() - groups of all functions of @pci, which must be sealed and outlive it
 * Cost: n log n, and as much again as ports and functions have neighbours in their switch or
 * device. 0 or -BUSWAY_ENOMEM. Reading is for any number of threads.
 */
int busway_isolation_create(const struct busway_pci *pci, enum busway_isolation_view view,
			    const struct busway_allocator *memory, struct busway_isolation **out);
void busway_isolation_destroy(struct busway_isolation *isolation); /* may be NULL */

/* Groups are in the order of their first members. */
size_t busway_isolation_count(const struct busway_isolation *isolation);
const struct busway_isolation_group *busway_isolation_group(
	const struct busway_isolation *isolation, size_t index);
uint32_t busway_isolation_group_of(const struct busway_isolation *isolation, busway_pci_id id);

const char *busway_isolation_cause_code(enum busway_isolation_cause cause);
const char *busway_isolation_cause_text(enum busway_isolation_cause cause);

/* ---- devices that are known to be otherwise than their registers say ------------------- */

enum busway_pci_quirk_kind {
	BUSWAY_QUIRK_APART,        /* functions of the device do not reach each other */
	BUSWAY_QUIRK_PORT_APART,   /* a root port that redirects without an ACS capability */
	BUSWAY_QUIRK_PORT_MAYBE,   /* the same, if registers say so that are not read here */
	BUSWAY_QUIRK_AMD_APART,    /* as the first, on a root bus of a machine with an AMD IOMMU */
	BUSWAY_QUIRK_USES_DEVFN_0, /* emits with function 0 of its slot */
	BUSWAY_QUIRK_USES_DEVFN_1, /* emits with function 1 of its slot */
	BUSWAY_QUIRK_ROOT_BRIDGE,  /* the IOMMU is at this bridge, not further up */
};

struct busway_pci_quirk {
	uint16_t vendor;
	uint16_t first, last; /* device IDs */
	enum busway_pci_quirk_kind kind;
	const char *source;
};

const struct busway_pci_quirk *busway_pci_quirks(size_t *count);

#endif
