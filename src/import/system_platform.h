/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_platform.h - a platform from what a running or recorded machine says of itself.
 *
 *   system_platform.c   the order in which all that happens
 *   system_groups.c     IOMMU groups and what they keep free
 *   system_iommu.c      IOMMUs: which unit a function is behind, what is kept free for it
 *   system_acpi.c       what ACPI tables say of both
 *   iomem.c             proc/iomem: who has which addresses of the CPU
 *   system_memory.c     memory
 *   system_x86.c        is it an x86 machine, and how do we know
 *   system_offset.c     the bus addresses of what the CPU reaches through a host bridge
 *   system_hosts.c      host bridges: their space, apertures, windows
 *   system_fdt.c        host bridges that a device tree describes
 *   system_reserved.c   IOVAs that somebody keeps free
 *   system_functions.c  each function as a device
 */
#ifndef BUSWAY_SYSTEM_PLATFORM_H
#define BUSWAY_SYSTEM_PLATFORM_H

#include "system_internal.h"

/* ---- iomem.c ---- */

/* A line of proc/iomem; those that follow and are deeper lie in it. */
struct iomem_entry {
	struct busway_range range;
	unsigned depth;
	const char *name;
};

struct iomem {
	const struct iomem_entry *entries;
	size_t count;
	bool known; /* it is there, and its addresses are not hidden from the reader */
};

#define IOMEM_FILE "proc/iomem"

/* ---- what is being built ---- */

/* A host bridge of the machine. */
struct host_facts {
	const char *path; /* "sys/devices/pci0000:00"; NULL: links did not tell */
	const char *node; /* path of its node in the device tree, as sysfs links it; or NULL */
	struct busway_outbound *windows;
	size_t window_count;
	bool has_device;
	busway_device_id device;
};

struct building {
	struct busway_system *machine;
	struct file_tree *files;
	struct arena work; /* given back before the importer returns */
	struct iomem iomem;
	const char *x86;  /* the file that says that it is an x86 machine; NULL: none does */
	bool iommus_told; /* a function without a group has no IOMMU; else that is unknown */
	bool from_tree;   /* the platform is a device tree's */
	struct host_facts *hosts; /* one for each of the machine's */
};

static inline const struct busway_pci *pci_of(const struct building *b)
{
	return b->machine->pci;
}

/* Memory for @count items that lives as long as the platform; NULL: there is none. */
#define KEEP(b, type, count)                                                                       \
	((type *)busway_platform_keep((b)->machine->platform, (count) * sizeof(type),              \
				      _Alignof(type)))

/* All of a file, with a NUL behind it, in memory of @arena; NULL: it cannot be read, or there is no
 * memory (then arena->failed). */
char *read_whole(struct building *b, struct arena *arena, const char *path, size_t *size);

/* The next line that is not empty, cut off from *@text, which moves behind it; NULL: none is left.
 */
char *next_line(char **text);

/* A note that lives as long as the platform, in front of @next; NULL: no memory. */
const struct busway_note *system_note(struct building *b, enum busway_note_code code,
				      const char *node, const char *property,
				      const struct busway_note *next);

/* Build b->machine->platform once its functions are sealed. @reading->files: NULL: there are none.
 * 0 or -BUSWAY_ENOMEM. */
int build_platform(struct reading *reading);

/* The parts, in the order in which they run; each 0 or -BUSWAY_ENOMEM. */
int read_groups(struct building *b);
int read_units(struct building *b);
int read_acpi(struct building *b);
int say_unknown_widths(struct building *b);
int read_iomem(struct building *b);
int find_x86(struct building *b);
int find_host_paths(struct building *b);
int find_host_windows(struct building *b);

/* A platform from sys/firmware/fdt, if that describes a host bridge of the machine: else
 * b->machine->platform stays NULL. */
int import_tree(struct building *b);

/* Or else one of what sysfs and proc say, sealed. */
int add_memory(struct building *b);
int add_hosts(struct building *b);

int add_functions(struct building *b);

/* ---- system_reserved.c ---- */

/* IOVAs that are kept free for a function, and for those below a host bridge that no device tree
 * describes. 0 or -BUSWAY_ENOMEM. */
int take_reservations(struct building *b, busway_pci_id id, const struct busway_device *device,
		      struct busway_function_facts *facts);
int take_host_reservations(struct building *b, uint32_t host, struct busway_device *device);

/* ---- system_x86.c ---- */

/* What a device writes to for an interrupt (Intel SDM 3A, 10.11.1). */
#define SYSTEM_X86_INTERRUPTS "x86-msi"
extern const struct busway_range system_x86_interrupts;

/* ---- system_offset.c ---- */

/* The bus addresses of @cpu, a range that the CPU reaches through the host bridge @host: as its
 * BARs have it. False: not known; a gap says why, unless there was no memory (*status). */
bool bus_of_window(struct building *b, uint32_t host, struct busway_range cpu,
		   struct busway_range *bus, int *status);

/* ---- system_groups.c ---- */

/* The group of a function, or NULL. */
const struct busway_system_group *group_of(const struct busway_system *machine,
					   const struct busway_pci_function *f);

/* "direct", "msi": as sysfs has it. */
const char *reserved_type_name(enum busway_reserved_type type);

/* ---- system_iommu.c: also for importers of ACPI tables, behind read_units() ---- */

/* An IOMMU: a unit of it, as the kernel or a table names it. */
struct system_unit {
	const char *name; /* "dmar0" */
	bool has_last;
	uint64_t last; /* the highest IOVA that it takes */
	const char *last_source;
};

/* Adds a unit, or finds the one of that name. 0 or -BUSWAY_ENOMEM. */
int system_add_unit(struct busway_system *machine, const struct system_unit *unit, uint32_t *index);

/* Say which unit translates a function, if one does. What sysfs links goes before. */
int system_set_unit(struct busway_system *machine, busway_pci_id function, uint32_t unit);

/* No IOVA above @last for who is behind the unit of @function, unless more is known of that unit.
 * @source is not copied. */
void system_limit_unit(struct busway_system *machine, busway_pci_id function, uint64_t last,
		       const char *source);

/* The unit that a function is behind; NULL: not known. */
const struct system_unit *system_unit_of(const struct busway_system *machine,
					 busway_pci_id function);

/*
 * Does an IOMMU translate what a function emits? @by_tree: the device tree has one in front of it.
 * A link to a group may be missing where there is an IOMMU: of a function without a driver on
 * platforms with a device tree, and where links were not recorded. Unknown is taken for translated,
 * and is told.
 */
enum busway_known system_translated(const struct building *b, busway_pci_id id, bool by_tree);

/* Keep IOVAs of a function free; nothing is copied but the struct. */
int system_reserve(struct busway_system *machine, busway_pci_id function,
		   const struct busway_reserved_region *region);

#endif
