/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_internal.h - what the rules share.
 *
 *   check.c             the order in which everything happens; the list of findings
 *   describe.c          findings in words: ranges, sizes, entries in device-tree syntax
 *   views.c             which memory the windows of a device lead to; what overlaps
 *   rule_cells.c        lengths, cell counts, overflow, sizes that are last addresses
 *   rule_registers.c    registers and windows against the buses above; memory over registers
 *   rule_overlap.c      windows that claim the same addresses
 *   rule_windows.c      dma-ranges as a whole: what is left out, hidden, dropped, missing
 *   rule_apertures.c    outbound PCI windows against RAM
 *   rule_pci.c          space codes, bus numbers
 *   rule_controllers.c  what the named controller cannot do
 *   rule_memory.c       banks
 *   rule_pools.c        reserved memory
 *   rule_maps.c         iommu-map, msi-map, phandles, doorbells
 *   rule_dmas.c         DMA clients' registers; coherence
 *
 *   pci_*.c             machines: see pci_check.h
 *
 * A rule looks at the tree (through the importer's index) and at the platform that was made of it,
 * and reports. Where memory runs out the check's status says so, and whatever follows does
 * nothing: rules need not look.
 */
#ifndef BUSWAY_CHECK_INTERNAL_H
#define BUSWAY_CHECK_INTERNAL_H

#include "../import/fdt_importer.h"

#include <busway/check.h>
#include <busway/intervals.h>
#include <busway/reach.h>

#include <inttypes.h>
#include <stdarg.h>

/* What the accesses of devices that enter at one space can come to. */
struct check_view {
	busway_space_id enters;
	struct busway_piece
		*windows; /* sorted by bus address; of all that leads to the CPU's space */
	size_t window_count;
	struct busway_intervals cpu; /* where they lead */
};

/* A register block as the CPU sees it. */
struct check_register {
	struct busway_range range;
	uint32_t node, entry;
};

struct busway_check {
	struct fdt_importer importer;
	struct busway_platform *platform;
	const struct busway_allocator *memory;
	struct arena texts;  /* of the findings */
	struct vector found; /* struct check_found */
	struct busway_finding *findings;
	size_t finding_count;
	struct busway_intervals banks;    /* all memory that is stated */
	struct busway_intervals ram;      /* without static no-map carve-outs */
	struct busway_intervals reserved; /* all static reserved memory */
	struct check_view **views;        /* by the space that they begin in; NULL: not made yet */
	struct check_path *paths;         /* sorted */
	size_t path_count;
	struct busway_intervals register_bytes; /* all of .registers */
	struct vector apertures;                /* struct aperture, see rule_apertures.c */
	struct vector registers;                /* struct check_register, of enabled devices */
	size_t pool_overlaps;                   /* told so far */
	int status;
};

struct check_found {
	struct busway_finding finding;
	uint32_t node;
};

#define NO_ENTRY UINT32_MAX

/* "%" PRIx64 twice, for RANGE() */
#define RANGE_FORMAT "0x%" PRIx64 "..0x%" PRIx64
#define RANGE(r)     (r).first, (r).last

/* A path that the platform's names point to, and its node. */
struct check_path {
	const char *path;
	uint32_t node;
};

/* A range that somebody takes. */
struct spot {
	struct busway_range range;
	uint64_t group; /* the space that it is in: only ranges of one group meet */
	uint32_t owner; /* a node, or an index of the rule's own */
	uint32_t entry; /* for the rule: which of the owner's */
};

/* What each spot is compared with. */
enum sweep_depth {
	SWEEP_FURTHEST,     /* of those before it, the one that reaches furthest */
	SWEEP_PREVIOUS_TOO, /* and the one just before it, which that one may hide */
};

/* ---- check.c ---- */

/* Add a finding. @property "" where it is about the node. */
void report(struct busway_check *check, enum busway_finding_code code,
	    enum busway_severity severity, uint32_t node, const char *property, uint32_t entry,
	    const char *format, ...) __attribute__((format(printf, 7, 8)));

/* The same for a node of any kind: @name lives as long as the findings, and @node is its place
 * among the others. */
void report_at(struct busway_check *check, enum busway_finding_code code,
	       enum busway_severity severity, uint32_t node, const char *name, const char *property,
	       uint32_t entry, const char *format, va_list arguments)
	__attribute__((format(printf, 8, 0)));

/* A check without findings, or NULL. */
struct busway_check *check_create(const struct busway_allocator *memory);

/* Put the findings in order. 0 or -BUSWAY_ENOMEM, and @check is gone. */
int check_finish(struct busway_check *check, struct busway_check **out);

/* Give the finding that was added last an advice, or a range of CPU-physical addresses. */
void advise(struct busway_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void about(struct busway_check *check, struct busway_range range);

/* The severity for something about @node: a node that is not enabled harms nobody. */
enum busway_severity if_enabled(const struct busway_check *check, uint32_t node,
				enum busway_severity severity);

/* Note that memory ran out. */
void give_up(struct busway_check *check);

/* ---- describe.c ---- */

struct words {
	char text[256];
};

/* "2 GiB", "0x1801" */
struct words size_words(uint64_t bytes);

/* "1 GiB" for a range; the whole 2^64 too */
struct words span_words(struct busway_range range);

/* "0x0..0xfff, 0x2000..0x2fff and 3 more" */
struct words set_words(const struct busway_intervals *set);

/* "<0x02000000 0x0 0x40000000 0x0 0x40000000 0x0 0x40000000>": an entry of a table of @node */
struct words entry_words(const struct busway_check *check, uint32_t node,
			 const struct fdt_entry *entry);

/*
 * An entry of @table that leads to @parent, at the offset (and with the code) that its last entry
 * has: "<...>", or "" where the table is empty or the numbers do not fit its cells.
 */
struct words entry_for(const struct busway_check *check, const struct fdt_table *table,
		       struct busway_range parent);

/* @value in @cells cells: "0x1 0x80000000" */
struct words cell_words(uint64_t value, uint32_t cells);

/* The full path of a node. */
const char *path_of(struct busway_check *check, uint32_t node);

/* ---- views.c ---- */

/* Make .banks, .ram, .reserved, .registers and .paths. */
void survey(struct busway_check *check);

/* The node of a name that the platform has: a path that the importer made. */
uint32_t node_at(const struct busway_check *check, const char *path);

/* Index of the first register block of @node or of a node behind it: they are in order of nodes. */
size_t first_register(const struct busway_check *check, uint32_t node);

/* The view of @device; NULL where there is no memory. */
const struct check_view *view_of(struct busway_check *check, const struct busway_device *device,
				 busway_device_id id);

/* The device that was made of @node, or NULL. */
const struct busway_device *device_of(const struct busway_check *check, uint32_t node,
				      busway_device_id *id);

/* The tables of dma-ranges and ranges of @node; NULL, and noted, where there is no memory. */
const struct fdt_table *dma_table_of(struct busway_check *check, uint32_t node);
const struct fdt_table *ranges_of(struct busway_check *check, uint32_t node);

/* Is the common part of @range and @set not empty? Then @common is its first run. */
bool meets(const struct busway_intervals *set, struct busway_range range,
	   struct busway_range *common);

/* Room for @count spots; NULL, and noted, where there is no memory. */
struct spot *take_spots(struct busway_check *check, size_t count);

/*
 * Sort @spots by group, first address and owner, compare each with one or two before it, and tell
 * the pairs that overlap and have two owners; @a is the earlier one. That is not every pair, but
 * where each owner has one range, each that overlaps an earlier one is told. @of is for @tell.
 */
void sweep_spots(struct busway_check *check, struct spot *spots, size_t count,
		 enum sweep_depth depth,
		 void (*tell)(struct busway_check *check, const void *of, const struct spot *a,
			      const struct spot *b),
		 const void *of);

/* Does some string of "compatible" contain one of @parts (NULL ends them)? */
bool compatible_has(const struct busway_check *check, uint32_t node, const char *const *parts);

/* Is @node below (or itself) a bus whose ranges are rewritten at run time (mbus)? */
bool is_run_time_bus(const struct busway_check *check, uint32_t node);

/* Does base + size pass what @cells address cells can say? */
bool passes_end(uint64_t base, uint64_t size, uint32_t cells);

/* ---- the rules ---- */

void rule_cells(struct busway_check *check);
void rule_registers(struct busway_check *check);
void rule_overlap(struct busway_check *check);
void rule_windows(struct busway_check *check);
void rule_apertures(struct busway_check *check);
void rule_pci(struct busway_check *check);
void rule_controllers(struct busway_check *check);
void rule_memory(struct busway_check *check);
void rule_pools(struct busway_check *check);
void rule_maps(struct busway_check *check);
void rule_dmas(struct busway_check *check);

#endif
