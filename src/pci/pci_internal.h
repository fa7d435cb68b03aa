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
 *   p2p_climb.c     the way up of a request, for that
 *   p2p_root.c      and the way through the root complex
 *   p2p.c           what both share
 *
 * and, about who is isolated from whom, what isolation_internal.h lists.
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
	bool unread;    /* somebody below it may answer to more than is known */
};

/* First and last addresses of what functions answer to, each sorted: see claims.c. */
struct edge {
	uint32_t host;
	uint64_t address;
};

struct claims {
	struct edge *first, *last;
	size_t count;
};

struct busway_pci {
	struct arena arena;
	struct vector added;       /* struct busway_pci_function, until sealed */
	struct vector added_hosts; /* struct host_node; more come while sealing */
	struct vector oddities;
	struct node *nodes;
	size_t count;
	struct claims claims; /* of all of them */
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
bool bridge_passes_all(const struct node *n, struct busway_range range);

/* Does @n itself, or what is behind it, answer to some address of @range? */
bool claims_some(const struct node *n, struct busway_range range);
/* One claim of it to all of that? More than one to some? Its BARs alone to some? */
bool claims_whole(const struct node *n, struct busway_range range);
bool claims_twice(const struct node *n, struct busway_range range);
bool claims_by_bar(const struct node *n, struct busway_range range);

/* Does anybody below @host, at any depth, answer to some of it? In time that hardly grows with the
 * number of functions. */
bool somebody_claims(const struct busway_pci *pci, uint32_t host, struct busway_range range);

/* The first one on the bus of @n. */
static inline uint32_t first_beside(const struct busway_pci *pci, uint32_t n)
{
	const uint32_t above = node_at(pci, n)->above;

	return above == NONE ? host_at(pci, node_at(pci, n)->host)->below
			     : node_at(pci, above)->below;
}

/* Functions of one device, unless that has ARI. */
static inline bool same_slot(struct busway_pci_address a, struct busway_pci_address b)
{
	return a.domain == b.domain && a.bus == b.bus && (a.devfn & ~7) == (b.devfn & ~7);
}

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

/* Could it be read which root complex it is? */
bool host_is_known(const struct busway_pci *pci, uint32_t host);

/* What ACS does with a request, or its completion, where it could turn round. */
enum turn { TURN_DIRECT, TURN_REDIRECTED, TURN_BLOCKED, TURN_UNKNOWN };

/* What the ACS of @from does with a request to @to beside it. @translated: as ATS has it. */
enum turn turn_of_request(const struct busway_pci *pci, uint32_t from, uint32_t to, bool translated,
			  uint16_t *bits);

/* Do functions of one device carry requests between each other? One that has ACS says so by
 * having RR (PCI Express Base 6.12.1.2); of one without ACS nothing can be read. */
static inline enum busway_known carries_inside(const struct node *n)
{
	if (n->function.acs.known != BUSWAY_PRESENT)
		return BUSWAY_UNKNOWN;
	return n->function.acs.capability & BUSWAY_ACS_RR ? BUSWAY_PRESENT : BUSWAY_ABSENT;
}

enum climb { CLIMB_ROOT, CLIMB_TURNED, CLIMB_STOPPED };

/* A request on its way up. */
struct climber {
	const struct busway_pci *pci;
	struct busway_range range;
	bool translated;   /* by ATS */
	uint32_t rightful; /* it may turn to this one; NONE: to nobody */
	/* nobody answers but @rightful, below @common, and who is above it; @last is below it, too,
	 * on the way up */
	bool quick;
	uint32_t common, last;
	/* what came of it */
	bool sent;        /* by ACS, past all that answer */
	bool certain;     /* that it turns */
	uint32_t decider; /* whose ACS decided last; NONE */
	uint16_t bits;
	enum busway_reason reason; /* stopped: why, */
	uint32_t at;               /* where */
	const char *by;
};

/* To the root complex, or where it turns to ->rightful, or is stopped. */
enum climb climb(struct climber *c, uint32_t from);

/* What is done to what @to answers, where it could turn below @common; blocked and unknown: ->at
 * and ->reason say by whom. */
enum turn turn_of_completion(const struct busway_pci *pci, uint32_t to, uint32_t common,
			     struct climber *c);

/* What is asked of a route. */
struct p2p_route {
	const struct busway_pci *pci;
	uint32_t initiator, target;
	const struct busway_pci_bar *bar;
	const struct busway_p2p_policy *policy;
	struct way way;
	struct busway_p2p *out;
};

/* Refused by what is at @at. Return: false. */
bool route_refuse(const struct p2p_route *r, enum busway_reason reason, uint32_t at,
		  const char *by);

/* From @top, or the root complex where it is NONE, down to the target: each bridge passes it, and
 * nobody beside it answers. Else it is refused. */
bool route_descends(const struct p2p_route *r, uint32_t top);

/* The root complex forwards; does that bring it there? @request: of the bus address, and what came
 * of it. */
void route_by_root(const struct p2p_route *r, const struct climber *request, enum climb came);

void refuse_p2p(struct busway_p2p *out, enum busway_reason reason, const char *hop, const char *by);

#endif
