/* SPDX-License-Identifier: BSD-2-Clause */
/* outcome.c - what the import says to a tree that may be wrong. */
#include "outcome.h"

#include "support.h"

#include <stdlib.h>
#include <string.h>

/* Where a pointer that must not be touched points. */
static max_align_t nothing;

struct outcome outcome_of(const void *blob, size_t size)
{
	struct busway_platform *const untouched = (void *)&nothing;
	struct busway_platform *platform = untouched;
	struct test_memory memory;
	struct outcome outcome = {0};

	test_memory_open(&memory);
	outcome.status = busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, &memory.allocator,
					   &platform, &outcome.error);
	if (outcome.status == 0)
		busway_platform_destroy(platform);
	else
		assert_ptr_equal(platform, untouched);
	test_memory_close(&memory);
	return outcome;
}

void check_refused(const void *blob, size_t size, const char *because, const char *node,
		   const char *property, const char *message)
{
	const struct outcome outcome = outcome_of(blob, size);
	const struct busway_fdt_error *e = &outcome.error;

	if (outcome.status != -BUSWAY_EINVAL)
		fail_msg("%s: %d, not refused", because, outcome.status);
	if (strcmp(e->node, node) != 0 || strcmp(e->property, property) != 0 ||
	    !strstr(e->message, message))
		fail_msg("%s: '%s' '%s' '%s'", because, e->node, e->property, e->message);
}

void check_blob_refused(struct blob *blob, const char *because, const char *node,
			const char *property, const char *message)
{
	size_t size;
	void *tree = blob_close(blob, &size);

	check_refused(tree, size, because, node, property, message);
	free(tree);
}
