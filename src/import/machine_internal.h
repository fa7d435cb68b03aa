/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_internal.h - what the importers of running and recorded machines share.
 *
 *   machine.c      the struct, gaps, what is asked of it
 *   files*.c       a tree of files: a directory
 *   sysfs.c        the functions that sysfs lists
 *   sysfs_text.c   numbers and addresses in its files
 */
#ifndef BUSWAY_MACHINE_INTERNAL_H
#define BUSWAY_MACHINE_INTERNAL_H

#include <busway/machine.h>

#include "../base/arena.h"
#include "files.h"

struct busway_machine {
	struct arena arena;
	struct busway_pci *pci;
	struct vector gaps;   /* struct busway_machine_gap */
	struct vector groups; /* struct busway_machine_group */
	enum busway_known cpu_zen;
};

/* What an importer works with. */
struct reading {
	struct busway_machine *machine;
	struct file_tree *files;
	struct busway_machine_error *error;
};

/* Note that @file could not be read as it should be; the texts are copied. 0 or -BUSWAY_ENOMEM. */
int note_gap(struct busway_machine *machine, const char *file, const char *message);

/* A copy that lives as long as the machine, or NULL. */
char *keep_text(struct busway_machine *machine, const char *text);

/* Say what is wrong in @error. Returns -BUSWAY_EINVAL. */
int machine_error(struct busway_machine_error *error, const char *file, const char *message);

int read_sysfs(struct reading *reading);

/* ---- sysfs_text.c ---- */

/* "0000:03:00.0", and nothing behind it. */
bool parse_pci_address(const char *text, struct busway_pci_address *at);

/* A number at the start of *@text, as strtoull has it with base 0; moves *@text behind it. */
bool parse_u64(const char **text, uint64_t *value);

#endif
