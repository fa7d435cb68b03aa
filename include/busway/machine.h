/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.h - a machine that runs, or was recorded: what its operating system says about PCI,
 * memory and IOMMUs, as a platform and the wiring of its PCI functions.
 *
 * Sources: the sysfs and proc of a Linux machine (the one at hand, a directory or a tar file with a
 * copy), and text dumps of `lspci -xxxx`. What could not be read is listed as a gap, and is unknown
 * from then on; it is never guessed.
 *
 * Hosted. A machine never changes once it was read: any number of threads may ask it.
 */
#ifndef BUSWAY_MACHINE_H
#define BUSWAY_MACHINE_H

#include <busway/pci.h>

struct busway_machine;

/* Why a machine could not be read: which file, and what is wrong with it. */
struct busway_machine_error {
	char file[256];
	char message[256];
};

/* Something that could not be read, or was not as it should be. */
struct busway_machine_gap {
	const char *file; /* within the source: "sys/devices/.../config" */
	const char *message;
};

/* An IOMMU group as the kernel has it. */
enum busway_reserved_type {
	BUSWAY_RESERVED_DIRECT,           /* mapped 1:1 always */
	BUSWAY_RESERVED_DIRECT_RELAXABLE, /* mapped 1:1 until it is given away */
	BUSWAY_RESERVED_NEVER,            /* "reserved": never mapped */
	BUSWAY_RESERVED_MSI,              /* doorbells of hardware */
	BUSWAY_RESERVED_SOFTWARE_MSI,
};

struct busway_reserved_region {
	struct busway_range range; /* IOVAs */
	enum busway_reserved_type type;
	const char *source; /* the file or the table that says so */
};

struct busway_machine_group {
	uint32_t number;
	const char *type; /* "DMA", "DMA-FQ", "identity"; NULL: not said */
	const struct busway_reserved_region *reserved;
	size_t reserved_count;
	bool reserved_known;
};

/*
 * Each reads a machine. @error says why not. Errors: -BUSWAY_ENOMEM; -BUSWAY_EINVAL: this is no
 * such source, or nothing in it can be used.
 */
/* @root: a directory in which sys/ is; "/" is the machine at hand. */
int busway_machine_read_directory(const char *root, const struct busway_allocator *memory,
				  struct busway_machine **out, struct busway_machine_error *error);

void busway_machine_free(struct busway_machine *machine); /* may be NULL */

const struct busway_pci *busway_machine_pci(const struct busway_machine *machine);
const struct busway_machine_gap *busway_machine_gaps(const struct busway_machine *machine,
						     size_t *count);
const struct busway_machine_group *busway_machine_groups(const struct busway_machine *machine,
							 size_t *count);

/* Does the processor have a root complex that always forwards (AMD, family 17h and later)? */
enum busway_known busway_machine_cpu_zen(const struct busway_machine *machine);

#endif
