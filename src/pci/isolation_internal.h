/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation_internal.h - what the files about isolation share.
 *
 *   isolation.c        groups from links: who is with whom
 *   isolation_route.c  links as the hardware makes them
 *   isolation_linux.c  links as Linux makes them
 *   quirks.c           devices that are otherwise than their registers say
 */
#ifndef BUSWAY_ISOLATION_INTERNAL_H
#define BUSWAY_ISOLATION_INTERNAL_H

#include <busway/isolation.h>

#include "pci_internal.h"

/* Groups while they grow. */
struct joining {
	const struct busway_pci *pci;
	uint32_t *with;  /* of each function another one of its group; itself: none */
	bool *uncertain; /* of each: something that decides about it could not be read */
	struct busway_isolation_link *links;
	size_t link_count; /* less than there are functions */
};

/* Why something is joined. */
struct why {
	enum busway_isolation_cause cause;
	uint32_t decider;
	uint16_t missing;
	bool certain;
};

/* Put the groups of @a and @b together, if they are not. */
void join(struct joining *j, uint32_t a, uint32_t b, struct why why);

/* The function that stands for all of a group: the first. */
uint32_t group_root(const struct joining *j, uint32_t index);

/* All links that are certain, or all that are not, of the ports and devices as they are built.
 * 0 or -BUSWAY_ENOMEM. */
int join_route(struct joining *j, struct arena *work, bool certain);

void join_linux(struct joining *j);

/* A bridge behind which requester IDs are lost. */
static inline bool hides_requesters(enum busway_pci_type type)
{
	return type == BUSWAY_PCI_PCIE_TO_PCI || type == BUSWAY_PCI_PCI_TO_PCIE ||
	       type == BUSWAY_PCI_CONVENTIONAL_BRIDGE;
}

/* ---- quirks.c ---- */

/* What is known of @f, or NULL. */
const struct busway_pci_quirk *find_quirk(const struct busway_pci_function *f);

/* Is the IOMMU at this bridge, so that requests are told apart as they come to it? */
bool has_iommu(const struct busway_pci_function *bridge);

/* Does @f, on the same bus, emit with the requester ID of @other? */
bool uses_id_of(const struct busway_pci_function *f, const struct busway_pci_function *other);

#endif
