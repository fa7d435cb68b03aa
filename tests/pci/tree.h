/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - PCI trees for tests: made by hand or by chance, and what a reader sees of them.
 *
 * The truth is what the fabric runs on; what is seen may lack what a reader without privileges
 * cannot read.
 */
#ifndef BUSWAY_TEST_TREE_H
#define BUSWAY_TEST_TREE_H

#include "../support/random.h"

#include <busway/p2p.h>
#include <busway/sim_pci.h>

enum { TREE_FUNCTIONS = 128, TREE_HOSTS = 4 };

struct tree {
	struct busway_pci_function functions[TREE_FUNCTIONS];
	size_t count;
	struct busway_pci_host hosts[TREE_HOSTS];
	struct busway_outbound windows[TREE_HOSTS][2];
	uint64_t offsets[TREE_HOSTS]; /* CPU address less bus address */
	size_t host_count;
	/* what no register says */
	bool forwards[TREE_HOSTS][TREE_HOSTS];
	bool carries[TREE_FUNCTIONS]; /* by the index of busway_pci */
};

/* A function with what most have: decodes, masters, full configuration space, no ACS, no ATS. */
struct busway_pci_function *tree_add(struct tree *tree, enum busway_pci_type type, uint8_t bus,
				     uint8_t devfn);

/* Bridges: buses and one memory window; @size 0 leaves it closed. */
struct busway_pci_function *tree_bridge(struct tree *tree, enum busway_pci_type type, uint8_t bus,
					uint8_t devfn, uint8_t secondary, uint8_t subordinate,
					uint64_t base, uint64_t size);

/* A BAR that is 1:1 for the CPU. */
void tree_bar(struct busway_pci_function *f, unsigned index, uint64_t base, uint64_t size);
void tree_acs(struct busway_pci_function *f, uint16_t capability, uint16_t control);

void tree_random(struct tree *tree, struct rng *rng);

/* The same, as a reader sees it who cannot read all. */
void tree_hide(struct tree *tree, struct rng *rng);

/* The same, with all that drivers turn on turned on. */
void tree_enable(struct tree *tree);

/* Sealed; with the test's own allocator. */
struct busway_pci *tree_seal(const struct tree *tree);
extern const struct busway_allocator tree_memory;

#endif
