/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outcome.h - what the import says to a tree that may be wrong, when the platform does not matter.
 *
 * Whatever it says: it gives back all memory, and what fails hands nothing out.
 */
#ifndef BUSWAY_TESTS_IMPORT_OUTCOME_H
#define BUSWAY_TESTS_IMPORT_OUTCOME_H

#include "blob.h"

#include <busway/fdt.h>

struct outcome {
	int status;
	struct busway_fdt_error error;
};

/* Import and throw away. */
struct outcome outcome_of(const void *blob, size_t size);

/* Refused, naming @node and @property, with @message in the message. */
void check_refused(const void *blob, size_t size, const char *because, const char *node,
		   const char *property, const char *message);

/* The same of a tree that is finished and freed here. */
void check_blob_refused(struct blob *blob, const char *because, const char *node,
			const char *property, const char *message);

#endif
