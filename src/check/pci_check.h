/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_check.h - what the rules about PCI functions share.
 *
 *   pci_check.c     the order in which everything happens; bus numbers, masks
 *   pci_groups.c    IOMMU groups against the wiring
 *   pci_windows.c   BARs and windows against the windows above them
 *   pci_bars.c      BARs that somebody else claims as well
 *   pci_messages.c  where MSI writes to
 *   pci_acs.c       ACS settings that contradict each other
 *
 * Nothing is said about what could not be read, nor about functions whose wiring is odd: that
 * itself is a finding.
 */
#ifndef BUSWAY_PCI_CHECK_H
#define BUSWAY_PCI_CHECK_H

#include "check_internal.h"

#include "../base/text.h"

#include <busway/pci.h>

struct pci_check {
	struct busway_check *check;
	const struct busway_pci *pci;
	const struct busway_phys_range *memory; /* NULL: not known */
	size_t memory_count;
	struct arena work;
};

/* Add a finding about a function. @property: a register, or a file of sysfs. */
void report_function(struct pci_check *c, enum busway_finding_code code,
		     enum busway_severity severity, busway_pci_id id, const char *property,
		     uint32_t entry, const char *format, ...) __attribute__((format(printf, 7, 8)));

static inline const struct busway_pci_function *function_at(const struct pci_check *c, uint32_t i)
{
	return busway_pci_function(c->pci, (busway_pci_id){i});
}

static inline const char *name_at(const struct pci_check *c, uint32_t i)
{
	return busway_pci_name(c->pci, (busway_pci_id){i});
}

/* A bridge of the kind that passes down whatever nobody else takes (class 06 04 01). */
static inline bool decodes_subtractively(const struct busway_pci_function *bridge)
{
	return bridge->class_code == 0x060401;
}

/* Can its BARs be trusted as bus addresses? Of a virtual function only the CPU's side is told. */
static inline bool has_bus_addresses(const struct pci_check *c, uint32_t i)
{
	const struct busway_pci_function *f = function_at(c, i);

	return f->config_size && !f->is_virtual && !busway_pci_is_odd(c->pci, (busway_pci_id){i});
}

/* The register of a BAR: "BAR 0". */
const char *bar_register(unsigned index);

/* Room that lasts until the rules are done; NULL, and noted, where there is no memory. */
void *take_work(struct pci_check *c, size_t size, size_t align);

void pci_rule_groups(struct pci_check *c);
void pci_rule_windows(struct pci_check *c);
void pci_rule_bars(struct pci_check *c);
void pci_rule_messages(struct pci_check *c);
void pci_rule_acs(struct pci_check *c);

#endif
