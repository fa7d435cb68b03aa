/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_internal.h - what the files of pci/ share.
 *
 *   config.c        the header of a configuration space
 *   capabilities.c  the lists of capabilities in it
 *   build.c         add functions and hosts, seal
 *   wiring.c        who is above whom
 *   join.c          the device and the windows that the platform gives them
 *   claims.c        who answers to which bus addresses
 *   read.c          ask a sealed struct busway_pci
 *   hosts.c         root complexes that are known to forward
 *   p2p_linux.c     peer-to-peer as Linux decides
 *   p2p_route.c     peer-to-peer as the route carries it
 *   p2p.c           what both share
 */
#ifndef BUSWAY_PCI_INTERNAL_H
#define BUSWAY_PCI_INTERNAL_H

#include <busway/p2p.h>

#include "../base/arena.h"

#define NONE UINT32_MAX

/* A function and its place among the others. */
struct node {
	struct busway_pci_function function;
	char name[BUSWAY_PCI_NAME_SIZE];
	uint32_t above; /* bridge; NONE: on a root bus */
	uint32_t host;
	uint32_t below, beside; /* first function on its secondary bus; next on the same bus */
	uint16_t depth;         /* bridges above it */
	bool odd;
	bool clean; /* nobody but the bridges above it answers to the addresses of its BARs */
};

struct host_node {
	struct busway_pci_host host;
	uint32_t below; /* first function on the root bus */
};

struct busway_pci {
	struct arena arena;
	struct vector added;       /* struct busway_pci_function, until sealed */
	struct vector added_hosts; /* struct host_node; more come while sealing */
	struct vector oddities;
	struct node *nodes;
	size_t count;
	bool sealed;
};

static inline const struct node *node_at(const struct busway_pci *pci, uint32_t index)
{
	return &pci->nodes[index];
}

static inline struct host_node *host_at(const struct busway_pci *pci, size_t index)
{
	return (struct host_node *)pci->added_hosts.items + index;
}

/* ---- capabilities.c ---- */

void read_capabilities(const uint8_t *config, size_t size, struct busway_pci_function *f);

/* ---- wiring.c ---- */

/* Fill in what is above and below each node. 0 or -BUSWAY_ENOMEM. */
int wire(struct busway_pci *pci);

/* The node at @at, or NONE. */
uint32_t find_node(const struct busway_pci *pci, struct busway_pci_address at);

int add_oddity(struct busway_pci *pci, enum busway_pci_oddity_code code, uint32_t node,
	       uint32_t other);

/* ---- claims.c ---- */

/* Find out whose BARs nobody else claims. 0 or -BUSWAY_ENOMEM. */
int judge_claims(struct busway_pci *pci);

/* Does the bridge @n pass some address of @range to its secondary bus, or all of them? */
bool bridge_passes_some(const struct node *n, struct busway_range range);
bool bridge_passes_all(const struct node *n, const struct busway_pci_bar *bar);

/* Does @n itself, or what is behind it, answer to some address of @range? */
bool claims_some(const struct node *n, struct busway_range range);

/* ---- p2p*.c ---- */

/* The way between two functions: what both are below, and the last steps before it. */
struct way {
	uint32_t common;           /* NONE: they meet in a host bridge, or nowhere */
	uint32_t a_child, b_child; /* the last on each side; the functions themselves at least */
	unsigned a_steps, b_steps; /* to @common, or as many as there are functions on the way */
};

struct way find_way(const struct busway_pci *pci, uint32_t a, uint32_t b);

void decide_linux(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		  const struct busway_p2p_policy *policy, struct busway_p2p *out);
void decide_route(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		  const struct busway_pci_bar *bar, const struct busway_p2p_policy *policy,
		  struct busway_p2p *out);

/* Through the root complex, if that is known to forward; else refused for @reason. */
void by_root_complex(const struct busway_pci *pci, uint32_t initiator, uint32_t target,
		     const struct busway_p2p_policy *policy, enum busway_reason reason,
		     struct busway_p2p *out);

void refuse_p2p(struct busway_p2p *out, enum busway_reason reason, const char *hop, const char *by);

#endif
