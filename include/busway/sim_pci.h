/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_pci.h - a simulated PCI fabric: carries a request from one function to another, hop by hop,
 * and shows where it went.
 *
 *     initiator --> [ bus: who claims the address? ] --> [ port: ACS ] --> ... --> BAR
 *                        | nobody, or two                    | blocked, sent up
 *
 * It does what the specifications say that hardware does, also where that is bad, and is the judge
 * of p2p.h: of a struct busway_pci it takes the functions and the host bridges as data, and finds
 * out by rules of its own what is above what and who answers. What no register says (does a root
 * complex forward? does a device pass requests between its functions?) is said by whoever makes
 * the fabric.
 *
 * Rules: PCI Local Bus 3.0, 3.2.2 (claiming), PCI-to-PCI Bridge 1.2, 4 (windows), PCI Express Base
 * 5.0, 2.2.4 (routing by address and by ID) and 6.12 (ACS). Where they leave open what happens,
 * nothing arrives.
 *
 * Hosted. A fabric is used by one thread at a time. Addresses are those of a PCI bus.
 */
#ifndef BUSWAY_SIM_PCI_H
#define BUSWAY_SIM_PCI_H

#include <busway/pci.h>

struct busway_pci_fabric;

/* What no register says. Each may be NULL. */
struct busway_pci_fabric_options {
	void *ctx;
	/* Does the root complex pass a request from below @from to below @to? NULL: never. */
	bool (*forwards)(void *ctx, busway_pci_host_id from, busway_pci_host_id to);
	/* Does the device of @function, which has several, pass requests between them inside?
	 * Asked where its ACS does not say it. NULL: it does not. */
	bool (*carries)(void *ctx, busway_pci_id function);
	/* What the IOMMU makes of an untranslated request. False: a fault. NULL: there is none. */
	bool (*translate)(void *ctx, busway_pci_id initiator, uint64_t address,
			  enum busway_access access, uint64_t *phys);
	/* Where the windows into the machine lead an address on the root bus of @host. False: none
	 * takes it. NULL: bus and CPU addresses are the same. */
	bool (*inbound)(void *ctx, busway_pci_host_id host, uint64_t address, uint64_t *phys);
};

/* id, code, sentence */
#define BUSWAY_PCI_ENDS(X)                                                                         \
	X(BUSWAY_PCI_ARRIVED, "arrived", "a BAR answers")                                          \
	X(BUSWAY_PCI_TO_CPU, "to-cpu", "it leaves PCI: the address is the CPU's")                  \
	X(BUSWAY_PCI_NO_MASTER, "no-bus-master", "bus mastering is off there")                     \
	X(BUSWAY_PCI_UNSUPPORTED, "unsupported-request", "nobody there answers to the address")    \
	X(BUSWAY_PCI_LOOPS_BACK, "leads-back",                                                     \
	  "it would go back out of the port it came in by, and the port does not forward it up")   \
	X(BUSWAY_PCI_MASTER_ABORT, "master-abort", "nobody on the shared bus answers")             \
	X(BUSWAY_PCI_COLLISION, "collision", "two answer to the address")                          \
	X(BUSWAY_PCI_ACS_VIOLATION, "acs-violation", "ACS forbids it")                             \
	X(BUSWAY_PCI_ROOT_REFUSES, "root-refuses", "the root complex does not forward it")         \
	X(BUSWAY_PCI_IOMMU_FAULT, "iommu-fault", "the IOMMU has no translation for it")            \
	X(BUSWAY_PCI_NO_INBOUND, "no-inbound", "no window leads from the root bus to the CPU")     \
	X(BUSWAY_PCI_COMPLETION_LOST, "completion-lost",                                           \
	  "the request arrives, but what was read does not come back")                             \
	X(BUSWAY_PCI_NOT_MODELLED, "not-modelled", "what is there could not be read")

enum busway_pci_end {
#define X(id, code, text) id,
	BUSWAY_PCI_ENDS(X)
#undef X
		BUSWAY_PCI_END_COUNT
};

const char *busway_pci_end_code(enum busway_pci_end end);
const char *busway_pci_end_text(enum busway_pci_end end);

enum busway_pci_step {
	BUSWAY_PCI_STEP_EMIT,       /* by the initiator */
	BUSWAY_PCI_STEP_UP,         /* through this port or bridge */
	BUSWAY_PCI_STEP_REDIRECT,   /* ACS of this port or function sends it up */
	BUSWAY_PCI_STEP_TURN,       /* from below this one to one beside it */
	BUSWAY_PCI_STEP_ROOT,       /* through the root complex, at this CPU address */
	BUSWAY_PCI_STEP_DOWN,       /* through this port or bridge */
	BUSWAY_PCI_STEP_ARRIVE,     /* at a BAR of this function */
	BUSWAY_PCI_STEP_COMPLETION, /* what was read, on its way back up through this one; or.. */
	BUSWAY_PCI_STEP_CR,         /* ..sent up by its ACS */
};

const char *busway_pci_step_text(enum busway_pci_step step);

struct busway_pci_hop {
	enum busway_pci_step step;
	busway_pci_id function;
	uint64_t address; /* of the request there; of completions 0 */
};

#define BUSWAY_PCI_HOPS 96

struct busway_pci_request {
	busway_pci_id initiator;
	uint64_t address;
	enum busway_access access; /* of BUSWAY_READ the completion is followed, too */
	bool translated;           /* as ATS has it: the address is one of the CPU already */
};

struct busway_pci_outcome {
	enum busway_pci_end end;
	busway_pci_id function; /* where it ended */
	unsigned bar;           /* arrived: which BAR of it, */
	uint64_t offset;        /* and where in it */
	uint64_t phys;          /* to-cpu */
	uint16_t acs;           /* acs-violation: the bits of its control register */
	size_t hop_count;       /* of all hops; the first BUSWAY_PCI_HOPS are kept */
	struct busway_pci_hop hops[BUSWAY_PCI_HOPS];
};

/*
 * @pci must be sealed and outlive it, as @memory must. @options are copied.
 * 0 or -BUSWAY_ENOMEM.
 */
int busway_pci_fabric_create(const struct busway_pci *pci,
			     const struct busway_pci_fabric_options *options,
			     const struct busway_allocator *memory, struct busway_pci_fabric **out);
void busway_pci_fabric_destroy(struct busway_pci_fabric *fabric); /* may be NULL */

/* Where does one byte go? Nothing is accessed. Always sets @out. */
void busway_pci_fabric_route(const struct busway_pci_fabric *fabric,
			     const struct busway_pci_request *request,
			     struct busway_pci_outcome *out);

/*
 * busway_pci_fabric_write(), busway_pci_fabric_read() - access @size bytes from an address on
 * Each byte goes where the fabric leads it. @out: of the first byte that does not arrive at a BAR
 * (and come back), else of the last one. A byte that is not read is 0xff.
 * Return: 0; -BUSWAY_ERANGE: some byte did not arrive; -BUSWAY_ENOMEM; -BUSWAY_EINVAL: nothing is
 * asked for, or it passes 2^64.
 */
int busway_pci_fabric_write(struct busway_pci_fabric *fabric, busway_pci_id initiator,
			    uint64_t address, const void *from, size_t size,
			    struct busway_pci_outcome *out);
int busway_pci_fabric_read(struct busway_pci_fabric *fabric, busway_pci_id initiator,
			   uint64_t address, void *to, size_t size, struct busway_pci_outcome *out);

/* What is in a BAR, as the function itself sees it: bytes that nobody wrote are 0. */
void busway_pci_fabric_look(const struct busway_pci_fabric *fabric, busway_pci_id function,
			    unsigned bar, uint64_t offset, void *to, size_t size);

#endif
