/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci.h - PCI as it is wired: functions, bridges, windows, BARs, ACS.
 *
 *        host bridge            struct busway_pci_host: windows, what it forwards
 *             | root bus
 *        root port              struct busway_pci_function with a bridge
 *             | link
 *        switch upstream port
 *          |        | internal bus
 *     downstream  downstream ports: their ACS decides between what is below them
 *          |        |
 *     endpoint    endpoint      BARs: addresses on the bus, seldom those of the CPU
 *
 * A struct busway_pci is built once (create, add..., seal) by an importer or by hand and never
 * changes after busway_pci_seal(): from then on any number of threads may ask it. Building is for
 * one thread. Strings and arrays that are handed in are not copied; busway_pci_keep() gives memory
 * that lives as long.
 *
 * What could not be read is unknown, never absent: a reader without privileges gets 64 bytes of
 * configuration space and learns nothing of capabilities.
 *
 * Register numbers are those of PCI Local Bus 3.0, PCI-to-PCI Bridge 1.2 and PCI Express Base 5.0.
 */
#ifndef BUSWAY_PCI_H
#define BUSWAY_PCI_H

#include <busway/acs.h>
#include <busway/platform.h>

struct busway_pci;

/* Names of functions and host bridges: indices, of distinct types. */
typedef struct {
	uint32_t index;
} busway_pci_id;

typedef struct {
	uint32_t index;
} busway_pci_host_id;

#define BUSWAY_NO_FUNCTION ((busway_pci_id){UINT32_MAX})

static inline bool busway_pci_some(busway_pci_id id)
{
	return id.index != UINT32_MAX;
}

/* Where a function sits: domain (segment), bus, and device and function in one byte. */
struct busway_pci_address {
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn; /* device in bits 7..3, function in bits 2..0; ARI: the function in all */
};

/* "0000:03:00.0"; the domain with more digits where it needs them. */
#define BUSWAY_PCI_NAME_SIZE 20
void busway_pci_address_text(struct busway_pci_address at, char text[BUSWAY_PCI_NAME_SIZE]);

/* -1, 0 or 1: by domain, bus, device and function. */
int busway_pci_address_compare(struct busway_pci_address a, struct busway_pci_address b);

/* May be read, or not; and if so, is it there? */
enum busway_known {
	BUSWAY_UNKNOWN, /* could not be read */
	BUSWAY_ABSENT,
	BUSWAY_PRESENT,
};

enum busway_pci_type {
	BUSWAY_PCI_UNKNOWN,         /* its capabilities could not be read */
	BUSWAY_PCI_CONVENTIONAL,    /* no PCI Express capability: its bus is shared */
	BUSWAY_PCI_ENDPOINT,        /* PCIe, legacy or not */
	BUSWAY_PCI_ROOT_ENDPOINT,   /* integrated into the root complex */
	BUSWAY_PCI_EVENT_COLLECTOR, /* of the root complex */
	BUSWAY_PCI_ROOT_PORT,       /* bridges from here on */
	BUSWAY_PCI_UPSTREAM_PORT,   /* of a switch */
	BUSWAY_PCI_DOWNSTREAM_PORT, /* of a switch */
	BUSWAY_PCI_PCIE_TO_PCI,     /* a conventional bus below it */
	BUSWAY_PCI_PCI_TO_PCIE,     /* reverse: a conventional bus above it */
	BUSWAY_PCI_CONVENTIONAL_BRIDGE,
	BUSWAY_PCI_UNKNOWN_BRIDGE, /* its capabilities could not be read */
};

/* Does it have a bus of its own below? */
bool busway_pci_is_bridge(enum busway_pci_type type);

enum busway_bar_kind {
	BUSWAY_BAR_NONE,
	BUSWAY_BAR_IO,
	BUSWAY_BAR_MEM32,
	BUSWAY_BAR_MEM64,
};

/* A base address register. */
struct busway_pci_bar {
	enum busway_bar_kind kind;
	bool prefetchable;
	bool assigned;           /* .bus means something */
	bool sized;              /* its size is known; else .bus is its first byte only */
	bool has_cpu;            /* .cpu is known */
	bool bus_guessed;        /* no register tells .bus: it is where the CPU finds it */
	struct busway_range bus; /* in the space of its PCI bus */
	busway_phys_t cpu;       /* where the CPU finds bus.first */
};

/* Is it one of memory, with an address? */
static inline bool busway_bar_is_memory(const struct busway_pci_bar *bar)
{
	return bar->assigned && (bar->kind == BUSWAY_BAR_MEM32 || bar->kind == BUSWAY_BAR_MEM64);
}

#define BUSWAY_PCI_BARS 6

/* What a bridge passes down. */
struct busway_pci_bridge {
	uint8_t primary, secondary, subordinate;
	bool io_open, memory_open, prefetch_open;
	struct busway_range io, memory, prefetch; /* in bus addresses; of the open ones */
};

struct busway_pci_acs {
	enum busway_known known;
	uint16_t capability, control;
	uint16_t egress_count; /* valid bits of .egress */
	uint8_t egress[32]; /* bit n of byte n / 8: port or function n may not be reached directly
			     */
};

/* Message signalled interrupts (PCI Local Bus 3.0, 6.8). Where MSI-X writes to stands in a table
 * in memory, not here. */
struct busway_pci_msi {
	enum busway_known known;
	bool enabled, wide; /* wide: 64 bits of address */
	uint64_t address;   /* on the bus */
	enum busway_known msix;
	bool msix_enabled;
};

struct busway_pci_function {
	struct busway_pci_address at;
	uint16_t vendor, device;
	uint32_t class_code; /* class, subclass, programming interface: 24 bits */
	enum busway_pci_type type;
	bool multifunction;   /* of several functions, as function 0 says */
	uint16_t config_size; /* bytes of configuration space that could be read */
	bool has_command;
	bool memory_decode, bus_master; /* command register, bits 1 and 2 */
	struct busway_pci_bar bars[BUSWAY_PCI_BARS];
	struct busway_pci_bridge bridge;
	struct busway_pci_acs acs;
	struct busway_pci_msi msi;
	enum busway_known ats;
	bool ats_enabled;
	bool has_port_number;
	uint8_t port_number; /* of a port, for egress control: link capabilities, bits 31..24 */

	/* what an operating system says of it */
	bool has_above; /* the bridge above it; else bus numbers tell */
	struct busway_pci_address above;
	bool is_virtual; /* a virtual function of .physical */
	struct busway_pci_address physical;
	bool has_root_bus; /* the number of the root bus above it; else bus numbers tell */
	uint8_t root_bus;
	unsigned dma_mask, coherent_mask; /* bits; 0: not said */
	bool has_group;
	uint32_t group;           /* of its IOMMU */
	bool translated;          /* an IOMMU translates what it emits */
	bool translation_unknown; /* that is a guess: what would tell could not be read */
	bool has_device;
	busway_device_id platform_device; /* in the platform that was imported with it */
	const char *driver;               /* or NULL */
};

/* A host bridge: the root of a tree of buses. */
struct busway_pci_host {
	const char *name; /* "pci0000:00" or the path of its node */
	uint32_t domain;
	uint8_t root_bus;
	/* what the CPU reaches through it, and with it the offset between its side and the bus */
	const struct busway_outbound *windows;
	size_t window_count;
	bool windows_known;
};

/* What is odd about the wiring; none of it is trusted then. */
#define BUSWAY_PCI_ODDITIES(X)                                                                     \
	X(BUSWAY_PCI_TWICE, "listed-twice",                                                        \
	  "two functions have one address: the first one counts")                                  \
	X(BUSWAY_PCI_BUS_TWICE, "bus-number-twice", "two bridges have one secondary bus number")   \
	X(BUSWAY_PCI_NOT_BELOW, "bus-number-outside",                                              \
	  "its buses are not among those of the bridge above")                                     \
	X(BUSWAY_PCI_CIRCLE, "bus-circle", "the bridges above it lead in a circle")                \
	X(BUSWAY_PCI_ABOVE_MISSING, "bridge-missing", "the bridge above it is not there")          \
	X(BUSWAY_PCI_PHYSICAL_MISSING, "physical-missing", "its physical function is not there")   \
	X(BUSWAY_PCI_BUSES_OVERLAP, "bus-numbers-overlap",                                         \
	  "a bridge beside it leads to some of its buses")

enum busway_pci_oddity_code {
#define X(id, code, text) id,
	BUSWAY_PCI_ODDITIES(X)
#undef X
		BUSWAY_PCI_ODDITY_COUNT
};

struct busway_pci_oddity {
	enum busway_pci_oddity_code code;
	busway_pci_id function, other; /* other: of .._BUS_TWICE and .._OVERLAP */
};

const char *busway_pci_oddity_code(enum busway_pci_oddity_code code);
const char *busway_pci_oddity_text(enum busway_pci_oddity_code code);

/* ---- configuration space --------------------------------------------------------------- */

/*
 * busway_pci_read_config() - what the first @size bytes of a configuration space say
 * @config: 64, 256 or 4096 bytes as a rule; any number does, and any content: lists of
 *          capabilities that lead in a circle end where they begin to
 * @function: .at and what an operating system says are left alone, everything else is set
 * Return: 0; -BUSWAY_EINVAL where it is no function at all (nothing answered: all ones), or less
 * than 64 bytes are there; @function is left alone then.
 */
int busway_pci_read_config(const uint8_t *config, size_t size,
			   struct busway_pci_function *function);

/* ---- building -------------------------------------------------------------------------- */

/* @memory must outlive it. 0 or -BUSWAY_ENOMEM. */
int busway_pci_create(const struct busway_allocator *memory, struct busway_pci **out);
void busway_pci_destroy(struct busway_pci *pci); /* may be NULL */
void *busway_pci_keep(struct busway_pci *pci, size_t size, size_t align);

/* Each copies the struct. -BUSWAY_EBUSY after sealing, -BUSWAY_ENOMEM, -BUSWAY_EINVAL. */
int busway_pci_add_host(struct busway_pci *pci, const struct busway_pci_host *host);
int busway_pci_add_function(struct busway_pci *pci, const struct busway_pci_function *function);

/*
 * busway_pci_seal() - put the functions in order and find out what is above each
 * Host bridges that nobody has added are made up from the root buses that functions sit on.
 * 0, -BUSWAY_ENOMEM (call it again or destroy), -BUSWAY_EBUSY.
 */
int busway_pci_seal(struct busway_pci *pci);

/*
 * What is known only once the platform around the functions is built: the device that a function is
 * in it, whether an IOMMU translates what it emits, and what the CPU reaches through a host bridge
 * (@windows is not copied). After sealing, while no other thread asks. 0 or -BUSWAY_EINVAL.
 */
int busway_pci_join_device(struct busway_pci *pci, busway_pci_id id, busway_device_id device);
int busway_pci_join_iommu(struct busway_pci *pci, busway_pci_id id, enum busway_known translated);
int busway_pci_join_windows(struct busway_pci *pci, busway_pci_host_id id,
			    const struct busway_outbound *windows, size_t count);

/* ---- reading (sealed) ------------------------------------------------------------------ */

/* Functions are in the order of their addresses. */
size_t busway_pci_count(const struct busway_pci *pci);
const struct busway_pci_function *busway_pci_function(const struct busway_pci *pci,
						      busway_pci_id id);

/* The function at @at, or BUSWAY_NO_FUNCTION. Binary search. */
busway_pci_id busway_pci_find(const struct busway_pci *pci, struct busway_pci_address at);

/* The bridge that owns its bus; of a virtual function that of the physical one; none: it sits on
 * a root bus. */
busway_pci_id busway_pci_above(const struct busway_pci *pci, busway_pci_id id);

/* "0000:03:00.0": lives as long as @pci. */
const char *busway_pci_name(const struct busway_pci *pci, busway_pci_id id);

/* How many bridges are above it. */
unsigned busway_pci_depth(const struct busway_pci *pci, busway_pci_id id);

/* Is something odd about the bridges above it or about itself? Then its way is not known. */
bool busway_pci_is_odd(const struct busway_pci *pci, busway_pci_id id);

size_t busway_pci_host_count(const struct busway_pci *pci);
const struct busway_pci_host *busway_pci_host(const struct busway_pci *pci, busway_pci_host_id id);
busway_pci_host_id busway_pci_host_of(const struct busway_pci *pci, busway_pci_id id);

const struct busway_pci_oddity *busway_pci_oddities(const struct busway_pci *pci, size_t *count);

#endif
