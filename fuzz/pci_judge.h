/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_judge.h - what must hold for any tree of PCI functions, whatever bytes it came from.
 */
#ifndef BUSWAY_FUZZ_PCI_JUDGE_H
#define BUSWAY_FUZZ_PCI_JUDGE_H

#include <busway/p2p.h>
#include <busway/system.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "pci fuzz: %s\n", what);
		abort();
	}
}

static inline void *take_memory(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align;
	return malloc(size);
}

static inline void give_memory(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take_memory, give_memory, NULL};

/* A verdict and a reason exclude each other; what is common and how far it is, both agree on. */
static inline void judge_pair(const struct busway_pci *pci, uint32_t a, uint32_t b,
			      const struct busway_p2p_policy *policy)
{
	struct busway_p2p there, back;

	busway_p2p_decide(pci, (busway_pci_id){a}, (busway_pci_id){b}, BUSWAY_P2P_ANY_BAR, policy,
			  &there);
	busway_p2p_decide(pci, (busway_pci_id){b}, (busway_pci_id){a}, BUSWAY_P2P_ANY_BAR, policy,
			  &back);
	must((there.verdict == BUSWAY_P2P_REFUSED) == (there.refusal.reason != BUSWAY_NOT_REFUSED),
	     "a verdict without a reason, or a reason without");
	must(there.distance == back.distance, "the way back is of another length");
	must(there.common.index == back.common.index, "the way back has another bridge in common");
	if (there.verdict == BUSWAY_P2P_SWITCH && a != b && policy->view == BUSWAY_P2P_ROUTE)
		must(!busway_pci_is_odd(pci, (busway_pci_id){a}) &&
			     !busway_pci_is_odd(pci, (busway_pci_id){b}),
		     "a route through wiring that is not trusted");
}

/* All pairs in both views; of large trees those of the first functions. */
static inline void judge(const struct busway_pci *pci)
{
	const uint32_t count = busway_pci_count(pci) < 24 ? (uint32_t)busway_pci_count(pci) : 24;

	for (uint32_t i = 0; i < 8; i++) {
		const struct busway_p2p_policy policy = {
			.view = i & 1 ? BUSWAY_P2P_LINUX : BUSWAY_P2P_ROUTE,
			.cpu_zen = (i & 2) != 0,
			.trust_unknown = (i & 4) != 0,
		};

		for (uint32_t a = 0; a < count; a++)
			for (uint32_t b = 0; b < count; b++)
				judge_pair(pci, a, b, &policy);
	}
	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const busway_pci_id id = {i};

		must(busway_pci_find(pci, busway_pci_function(pci, id)->at).index == i,
		     "a function is not found");
		must(busway_pci_host_of(pci, id).index < busway_pci_host_count(pci),
		     "a function without a host bridge");
	}
}

#endif
