/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system.h - a machine that runs, or was recorded: what its operating system says about PCI,
 * memory and IOMMUs, as a platform and the wiring of its PCI functions.
 *
 * Sources: the sysfs and proc of a Linux machine (the one at hand, a directory or a tar file with a
 * copy), and text dumps of `lspci -xxxx`. What could not be read is listed as a gap, and is unknown
 * from then on; it is never guessed.
 *
 * Hosted. A machine never changes once it was read: any number of threads may ask it.
 */
#ifndef BUSWAY_SYSTEM_H
#define BUSWAY_SYSTEM_H

#include <busway/pci.h>

struct busway_system;

/* Why a machine could not be read: which file, and what is wrong with it. */
struct busway_system_error {
	char file[256];
	char message[256];
};

/* Something that could not be read, or was not as it should be. */
struct busway_system_gap {
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

struct busway_system_group {
	uint32_t number;
	const char *type; /* "DMA", "DMA-FQ", "identity"; NULL: not said */
	const struct busway_reserved_region *reserved;
	size_t reserved_count;
	bool reserved_known;
};

/* What a table of firmware keeps free for one function, whatever its group. */
struct busway_system_reservation {
	busway_pci_id function;
	struct busway_reserved_region region;
};

/*
 * Each reads a machine. @error says why not. Errors: -BUSWAY_ENOMEM; -BUSWAY_EINVAL: this is no
 * such source, or nothing in it can be used.
 */
/* @root: a directory in which sys/ is, or a folder with sys/; "/" is the machine at hand. */
int busway_system_read_directory(const char *root, const struct busway_allocator *memory,
				 struct busway_system **out, struct busway_system_error *error);

/*
 * @data: a tar archive, plain or packed by gzip or xz, of a folder in which sys/ is, or of sys/
 * itself. It is unpacked in memory, 256 MiB at most; links lead nowhere but inside of it. A cut
 * archive is refused: what is missing may be anything.
 */
int busway_system_read_archive(const void *data, size_t size, const struct busway_allocator *memory,
			       struct busway_system **out, struct busway_system_error *error);

/*
 * @data: what `lspci -xxxx` prints, with -v or without. Configuration spaces are all that is in
 * it: sizes of BARs, CPU addresses, masks and IOMMU groups are unknown, and bus numbers tell who is
 * above whom. The .file of an error is the line: "line 12".
 */
int busway_system_read_lspci(const void *data, size_t size, const struct busway_allocator *memory,
			     struct busway_system **out, struct busway_system_error *error);

/* What can be told from the first bytes of a file. */
enum busway_system_form {
	BUSWAY_SYSTEM_NONE, /* neither */
	BUSWAY_SYSTEM_ARCHIVE,
	BUSWAY_SYSTEM_LSPCI,
};

enum busway_system_form busway_system_form(const void *data, size_t size);

void busway_system_free(struct busway_system *machine); /* may be NULL */

const struct busway_pci *busway_system_pci(const struct busway_system *machine);

/*
 * The same machine as a platform: memory, a space for each host bridge, and every function as a
 * device of kind BUSWAY_DEVICE_PCI_FUNCTION whose name is its address ("0000:03:00.0"). Where a
 * device tree describes the machine, it is the tree's, with the functions below its host bridges.
 *
 * Inbound windows are those of the device tree; on x86 machines they are 1:1 (a note says on what
 * that rests); of others nothing is known, and no access is passed. A function is behind an IOMMU
 * where its group is translated, and also where nothing says whether there is one.
 *
 * It lives as long as the machine. NULL: there is none.
 */
const struct busway_platform *busway_system_platform(const struct busway_system *machine);

/* The same, for what may be added to a sealed platform, while no other thread asks the machine. */
struct busway_platform *busway_system_edit_platform(struct busway_system *machine);

/* The flattened device tree that the platform is made of; NULL: it is made of what sysfs says. */
const void *busway_system_tree(const struct busway_system *machine, size_t *size);

const struct busway_system_gap *busway_system_gaps(const struct busway_system *machine,
						   size_t *count);
const struct busway_system_group *busway_system_groups(const struct busway_system *machine,
						       size_t *count);

const struct busway_system_reservation *busway_system_reservations(
	const struct busway_system *machine, size_t *count);

/*
 * Does the processor have a root complex that always forwards (AMD, family 17h and later), as
 * proc/cpuinfo says? Unknown where it says no vendor, as in most recordings.
 */
enum busway_known busway_system_cpu_zen(const struct busway_system *machine);

#endif
