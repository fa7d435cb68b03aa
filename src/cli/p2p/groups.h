/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.h - isolation groups of a machine's functions: busway p2p PLATFORM --groups.
 */
#ifndef BUSWAY_CLI_GROUPS_H
#define BUSWAY_CLI_GROUPS_H

#include "../cli.h"

/* List them for the machine of @loaded. Returns an exit status, and has complained where it is bad.
 */
int list_groups(const struct loaded *loaded, const struct options *options);

#endif
