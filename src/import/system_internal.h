/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_internal.h - what the importers of running and recorded machines share.
 *
 *   system.c      the struct, gaps, what is asked of it
 *   files*.c       a tree of files: a directory, an archive
 *   lspci.c        a dump of lspci -xxxx
 *   sysfs.c        where sys/ is, and the functions that it lists
 *   sysfs_list.c   which functions there are, and the bridges above them
 *   sysfs_function.c   what one of them is
 *   sysfs_offset.c   where its BARs are on the bus, if its registers do not tell
 *   sysfs_text.c   numbers and addresses in its files
 *   system_platform.h   the platform that is made of all that
 *   cpuinfo.c      the processor
 */
#ifndef BUSWAY_SYSTEM_INTERNAL_H
#define BUSWAY_SYSTEM_INTERNAL_H

#include <busway/system.h>

#include "../base/arena.h"
#include "files.h"

struct busway_system {
	struct arena arena;
	struct busway_pci *pci;
	struct vector gaps;   /* struct busway_system_gap */
	struct vector groups; /* struct busway_system_group */
	enum busway_known cpu_zen;
	struct busway_platform *platform;
	const void *tree; /* that the platform is made of, or NULL */
	size_t tree_size;
	struct vector units;    /* struct system_unit */
	struct vector unit_of;  /* uint32_t: unit of each function; see system_iommu.c */
	struct vector reserved; /* struct busway_system_reservation */
};

/* What an importer works with. */
struct reading {
	struct busway_system *machine;
	struct file_tree *files;
	struct busway_system_error *error;
};

/* Read what is recorded in @files, which is closed, whatever comes of it. */
int read_machine(struct file_tree *files, const struct busway_allocator *memory,
		 struct busway_system **out, struct busway_system_error *error);

/* Note that @file could not be read as it should be; the texts are copied. 0 or -BUSWAY_ENOMEM. */
int note_gap(struct busway_system *machine, const char *file, const char *message);

/* A copy that lives as long as the machine, or NULL. */
char *keep_text(struct busway_system *machine, const char *text);

/* Say what is wrong in @error. Returns -BUSWAY_EINVAL. */
int system_error(struct busway_system_error *error, const char *file, const char *message);

/* ---- sysfs.c, cpuinfo.c ---- */

/* Go to where sys/ is: here, or one folder down. */
int enter_sysfs_root(struct reading *reading);

int read_sysfs(struct reading *reading);
int read_cpuinfo(struct reading *reading);

/* ---- sysfs_list.c ---- */

#define SYSFS_DEVICES "sys/bus/pci/devices"

/* A function that is to be read. */
struct sysfs_entry {
	struct busway_pci_address at;
	bool listed;       /* in SYSFS_DEVICES; else only the path of one below it names it */
	bool has_link;     /* that is its place, and .above or .root_bus are known */
	bool above_others; /* there is something below it: it is a bridge */
	bool has_above, has_root_bus;
	struct busway_pci_address above;
	uint8_t root_bus;
	const char *folder; /* where its files are: .folder_length characters of it */
	size_t folder_length;
};

/* All functions, each once, in the order of their addresses. */
int list_functions(struct reading *reading, struct vector *entries);

/* ---- sysfs_function.c ---- */

/* Read a function and add it. */
int read_function(struct reading *reading, const struct sysfs_entry *entry);

/* ---- sysfs_offset.c ---- */

/* By how much the CPU's addresses of the BARs of the function at @at exceed those on the bus,
 * modulo 2^64. False: that is not known. */
bool measure_bus_offset(struct reading *reading, struct busway_pci_address at, uint64_t *offset);

/* ---- sysfs_text.c ---- */

/* "0000:03:00.0", and nothing behind it. */
bool parse_pci_address(const char *text, struct busway_pci_address *at);

/* A number at the start of *@text, as strtoull has it with base 0; moves *@text behind it. */
bool parse_u64(const char **text, uint64_t *value);

#endif
