/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - mistakes of meaning in a device tree or a machine: what corrupts data or cannot work.
 *
 * dtc counts cells, schemas check types; this asks what the numbers do: does a PCI window lie on
 * RAM, does a window reach the memory, is a doorbell in reach. A finding is an error only where
 * the tree itself says that data is lost or that a device cannot work; what may be a limit of the
 * hardware is a warning; what is worth knowing, a note.
 *
 * Every code has a page in docs/check/, with an example, the repair, and when to ignore it.
 */
#ifndef BUSWAY_CHECK_H
#define BUSWAY_CHECK_H

#include <busway/fdt.h>
#include <busway/pci.h>

enum busway_severity {
	BUSWAY_SEVERITY_NOTE,
	BUSWAY_SEVERITY_WARNING,
	BUSWAY_SEVERITY_ERROR,
};

/* Code, its usual severity, and what it says in one line. Codes are for scripts: they stay. */
#define BUSWAY_FINDINGS(X)                                                                         \
	X(APERTURE_OVERLAPS_RAM, "aperture-overlaps-ram", ERROR,                                   \
	  "an outbound PCI window lies on RAM, as the CPU or as DMA sees it")                      \
	X(MSI_DOORBELL_UNREACHABLE, "msi-doorbell-unreachable", ERROR,                             \
	  "no inbound window leads to the doorbell of the MSI controller")                         \
	X(MEMORY_UNREACHABLE, "memory-unreachable", WARNING,                                       \
	  "the inbound windows leave out a part of the memory")                                    \
	X(WINDOW_WITHOUT_MEMORY, "window-without-memory", WARNING,                                 \
	  "no inbound window leads to any memory")                                                 \
	X(MISSING_DMA_RANGES, "missing-dma-ranges", WARNING,                                       \
	  "a bus without dma-ranges below a table: its two readings reach different memory")       \
	X(NO_WINDOW_IN_DEVICE_REACH, "no-window-in-device-reach", NOTE,                            \
	  "all inbound windows begin above what a 32-bit device can emit")                         \
	X(PERIPHERAL_UNREACHABLE, "peripheral-unreachable", ERROR,                                 \
	  "the registers of a DMA client are in no inbound window of its DMA engine")              \
	X(WINDOW_OVERLAP, "window-overlap", ERROR, "two windows claim the same addresses")         \
	X(MMIO_WINDOW_OVERLAPS_RAM, "mmio-window-overlaps-ram", NOTE,                              \
	  "a bus window claims addresses of RAM")                                                  \
	X(MEMORY_OVERLAPS_MMIO, "memory-overlaps-mmio", ERROR,                                     \
	  "a memory node covers the registers of a device")                                        \
	X(CHILD_RANGE_OUTSIDE_PARENT, "child-range-outside-parent", ERROR,                         \
	  "registers or a window lie in no window of the bus above")                               \
	X(CELLS_MISMATCH, "cells-mismatch", ERROR,                                                 \
	  "the length of a property does not fit the cell counts in force")                        \
	X(CELLS_INHERITED, "cells-inherited", NOTE,                                                \
	  "a bus states no cell counts of its own: readers disagree on them")                      \
	X(ADDRESS_OVERFLOW, "address-overflow", ERROR,                                             \
	  "base and size pass the end of the address cells")                                       \
	X(BAD_SPACE_CODE, "bad-space-code", WARNING,                                               \
	  "a PCI space code that is not allowed here or does not fit the address")                 \
	X(IO_WINDOW_MISPLACED, "io-window-misplaced", NOTE,                                        \
	  "a PCI I/O window beyond the 64 KiB that I/O BARs can hold")                             \
	X(NON_POWER_OF_TWO_WINDOW, "non-power-of-two-window", NOTE,                                \
	  "an inbound window that is no naturally aligned power of two")                           \
	X(WINDOW_MISALIGNED, "window-misaligned", WARNING,                                         \
	  "an inbound window is not aligned as its controller needs it")                           \
	X(WINDOW_NOT_IDENTITY, "window-not-identity", WARNING,                                     \
	  "the controller cannot translate: the PCI address must equal the CPU address")           \
	X(TOO_MANY_WINDOWS, "too-many-windows", WARNING,                                           \
	  "more inbound windows than the controller has")                                          \
	X(WINDOW_SIZE_ODD, "window-size-odd", WARNING,                                             \
	  "a size that looks like the last address of a range")                                    \
	X(ZERO_SIZE_ENTRY, "zero-size-entry", WARNING,                                             \
	  "an entry of size zero ends the table and hides the entries behind it")                  \
	X(WINDOW_UNTRANSLATABLE, "window-untranslatable", ERROR,                                   \
	  "a DMA window leads to no address that the levels above pass")                           \
	X(POOL_OVERLAP, "pool-overlap", ERROR, "two pieces of reserved memory overlap")            \
	X(POOL_OUTSIDE_MEMORY, "pool-outside-memory", WARNING,                                     \
	  "reserved memory lies outside the memory, or cannot be placed in it")                    \
	X(POOL_OUTSIDE_REACH, "pool-outside-reach", WARNING,                                       \
	  "a pool is, or may be placed, where its user cannot reach it")                           \
	X(POOL_TOO_SMALL, "pool-too-small", WARNING,                                               \
	  "a pool smaller than anything it is used for")                                           \
	X(POOL_REJECTED, "pool-rejected", ERROR,                                                   \
	  "the flags of a pool contradict its type: the kernel rejects it")                        \
	X(POOL_IGNORED, "pool-ignored", NOTE, "a restricted pool that the kernel does not use")    \
	X(BANK_IGNORED, "bank-ignored", WARNING,                                                   \
	  "a memory node without device_type: its memory is not used")                             \
	X(BANK_OVERLAP, "bank-overlap", WARNING, "two memory banks overlap")                       \
	X(MAP_OVERLAP, "map-overlap", WARNING, "two entries of a map hold the same requester ID")  \
	X(MAP_OUTSIDE_MASK, "map-outside-mask", ERROR,                                             \
	  "an entry of a map lies outside its mask: look-ups fail")                                \
	X(MAP_INCOMPLETE, "map-incomplete", NOTE,                                                  \
	  "requester IDs of the bus that a map leaves out")                                        \
	X(IOMMU_MAP_WRONG_TARGET, "iommu-map-wrong-target", WARNING,                               \
	  "an entry points at a node that is no IOMMU, or no MSI controller")                      \
	X(IOMMUS_ON_HOST, "iommus-on-host", NOTE,                                                  \
	  "iommus on a host bridge translates the bridge, not the functions below it")             \
	X(BUS_RANGE_TRUNCATED, "bus-range-truncated", NOTE,                                        \
	  "fewer buses fit the configuration space than bus-range states")                         \
	X(BUS_RANGE_OVERLAP, "bus-range-overlap", ERROR,                                           \
	  "two host bridges of one domain claim the same bus numbers")                             \
	X(COHERENCE_MISMATCH, "coherence-mismatch", NOTE,                                          \
	  "contradicting or inconsistent statements on cache coherence")                           \
	X(UNRESOLVED_PHANDLE, "unresolved-phandle", WARNING, "a phandle that no node has")         \
	X(DUPLICATE_PROPERTY, "duplicate-property", WARNING,                                       \
	  "a property stands twice in one node: the first one counts")                             \
	X(GROUP_NOT_ENFORCED, "group-not-enforced", WARNING,                                       \
	  "IOMMU groups claim an isolation that the hardware between them does not enforce")       \
	X(GROUP_TOO_WIDE, "group-too-wide", NOTE,                                                  \
	  "an IOMMU group holds functions that the wiring keeps apart")                            \
	X(BAR_OUTSIDE_WINDOW, "bar-outside-window", ERROR,                                         \
	  "no window of the bridge above covers a BAR")                                            \
	X(BAR_OVERLAP, "bar-overlap", ERROR, "two PCI functions claim the same bus addresses")     \
	X(BRIDGE_WINDOW_OUTSIDE, "bridge-window-outside", ERROR,                                   \
	  "a window of a bridge lies outside those of the bridge above it")                        \
	X(DOORBELL_IN_APERTURE, "doorbell-in-aperture", ERROR,                                     \
	  "interrupts are written to an address that PCI memory claims")                           \
	X(ACS_CONTRADICTION, "acs-contradiction", WARNING,                                         \
	  "ACS settings that contradict each other")                                               \
	X(BUS_NUMBERS_ODD, "bus-numbers-odd", WARNING,                                             \
	  "bridges and bus numbers do not fit together")                                           \
	X(MASK_BELOW_MEMORY, "mask-below-memory", WARNING,                                         \
	  "the DMA mask of a function without an IOMMU ends below the memory")

enum busway_finding_code {
#define X(id, code, severity, summary) BUSWAY_FINDING_##id,
	BUSWAY_FINDINGS(X)
#undef X
		BUSWAY_FINDING_COUNT
};

struct busway_finding {
	enum busway_finding_code code;
	enum busway_severity severity;
	const char *node;     /* whose property is wrong; full path, or "0000:03:00.0" */
	const char *property; /* the one to edit; of a missing one, its name; "" for the node; of a
				 PCI function the register, or the file of sysfs */
	uint32_t entry;       /* of the property, from 0; UINT32_MAX: not about one entry */
	const char *message;  /* one sentence, numbers in hex */
	const char *advice;   /* what would be right; "" where that cannot be told */
	/* CPU-physical addresses that it is about, where it is about such */
	bool has_range;
	struct busway_range range;
};

const char *busway_finding_code(enum busway_finding_code code);
const char *busway_finding_summary(enum busway_finding_code code);
enum busway_severity busway_finding_usual_severity(enum busway_finding_code code);
const char *busway_severity_name(enum busway_severity severity);

struct busway_check;

/**
 * busway_fdt_check() - import a tree and look for mistakes in it
 * @blob, @size, @memory, @error: as for busway_fdt_import(); @blob must outlive the result
 * @out: the findings and the platform; give both back with busway_check_destroy()
 *
 * Return: 0, whatever was found; -BUSWAY_EINVAL for a tree that cannot be read; -BUSWAY_ENOMEM.
 * Nothing is left behind by failure. Threads: any number, on different @memory or one that is safe
 * for that.
 */
int busway_fdt_check(const void *blob, size_t size, const struct busway_allocator *memory,
		     struct busway_check **out, struct busway_fdt_error *error);

/**
 * busway_pci_check() - look for mistakes in the PCI functions of a machine
 * @pci: sealed; must outlive the result
 * @memory: RAM as the CPU sees it, or NULL: it is not known
 * Return: 0, whatever was found; -BUSWAY_ENOMEM. Threads: as above.
 */
int busway_pci_check(const struct busway_pci *pci, const struct busway_phys_range *memory,
		     size_t memory_count, const struct busway_allocator *allocator,
		     struct busway_check **out);
void busway_check_destroy(struct busway_check *check);

/* In the order of the nodes in the tree; of one node, the gravest first. */
const struct busway_finding *busway_check_findings(const struct busway_check *check, size_t *count);

/* The platform that was checked; lives as long as @check. NULL after busway_pci_check(). */
const struct busway_platform *busway_check_platform(const struct busway_check *check);

#endif
