/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lspci.h - text dumps of configuration spaces.
 */
#ifndef BUSWAY_LSPCI_H
#define BUSWAY_LSPCI_H

#include "system_internal.h"

/* Does its first line begin with the address of a function? */
bool looks_like_lspci(const char *data, size_t size);

/* Add its functions. 0, -BUSWAY_ENOMEM, or -BUSWAY_EINVAL: @error names the line. */
int read_lspci(struct busway_system *machine, const void *data, size_t size,
	       struct busway_system_error *error);

#endif
