/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_fabric.h - what the files of the PCI fabric share.
 *
 *   pci_fabric.c      what is above what, and who answers to an address
 *   pci_request.c     a request, hop by hop
 *   pci_completion.c  the way back of what was read
 *   pci_bytes.c       the bytes of BARs
 *   pci_say.c         names of things
 */
#ifndef BUSWAY_SIM_PCI_FABRIC_H
#define BUSWAY_SIM_PCI_FABRIC_H

#include <busway/sim_pci.h>

#define NOWHERE UINT32_MAX

/* How functions on one bus hear each other. */
enum bus_kind {
	BUS_ROOT,   /* of the root complex */
	BUS_SWITCH, /* inside a switch: one upstream port above, downstream ports on it */
	BUS_LINK,   /* one device, of one function or several */
	BUS_SHARED, /* conventional: everybody hears everything */
	BUS_UNKNOWN,
};

struct place {
	const struct busway_pci_function *f;
	uint32_t above; /* the bridge; NOWHERE: on a root bus */
	uint32_t host;  /* index of the host bridge; NOWHERE: not listed */
};

struct cell {
	uint64_t offset;
	uint32_t function, bar;
	uint8_t byte;
};

struct busway_pci_fabric {
	const struct busway_pci *pci;
	const struct busway_allocator *memory;
	struct busway_pci_fabric_options options;
	struct place *places;
	size_t count;
	struct cell *cells; /* open addressing; .function NOWHERE: free */
	size_t cell_count, cell_room;
};

/* A part of the way on PCI Express: completions come back through it by the requester's ID. */
struct stretch {
	uint32_t requester, completer; /* functions or bridges */
	uint8_t bus;                   /* of the requester ID */
};

#define STRETCHES 520 /* up and down through 256 bridges each */

struct journey {
	const struct busway_pci_fabric *fabric;
	const struct busway_pci_request *request;
	struct busway_pci_outcome *out;
	uint64_t address;
	struct stretch stretches[STRETCHES];
	unsigned stretch_count;
	bool on_express; /* the last stretch has no end yet */
};

/* ---- pci_fabric.c ---- */

enum bus_kind fabric_bus_kind(const struct busway_pci_fabric *fabric, uint32_t above);

/* Does the bridge pass @address to its secondary bus? */
bool fabric_passes(const struct busway_pci_function *bridge, uint64_t address);

/* How often does a function answer to @address: by BARs and, of a bridge, windows? */
unsigned fabric_answers(const struct busway_pci_function *f, uint64_t address, unsigned *bar);

/* Do two functions sit in one device? */
bool fabric_one_device(const struct busway_pci_fabric *fabric, uint32_t a, uint32_t b);

/* Is @bus among the buses behind the bridge? */
bool fabric_leads_to_bus(const struct busway_pci_function *bridge, uint8_t bus);

/* Does the device of @index pass requests between its functions inside? */
bool fabric_carries(const struct busway_pci_fabric *fabric, uint32_t index);

void fabric_hop(struct journey *j, enum busway_pci_step step, uint32_t index);

/* ---- pci_completion.c ---- */

/* Does what was read come back? Else the journey ends as lost. */
void fabric_complete(struct journey *j);

#endif
