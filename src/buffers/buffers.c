/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffers.c - the life of a directory. Read buffers_internal.h first.
 */
#include "buffers_internal.h"

int busway_buffers_create(const struct busway_buffers_options *options,
			  const struct busway_allocator *memory, struct busway_buffers **out)
{
	struct busway_buffers *buffers =
		memory->alloc(memory->ctx, sizeof(*buffers), _Alignof(struct busway_buffers));
	struct node *root;

	if (!buffers)
		return -BUSWAY_ENOMEM;
	*buffers = (struct busway_buffers){
		.memory = memory,
		.name = options && options->name ? options->name : "buffers",
		.exclusive = options && options->exclusive,
	};
	root = node_make(buffers, 0, SHIFT_CELL);
	if (!root) {
		memory->free(memory->ctx, buffers, sizeof(*buffers),
			     _Alignof(struct busway_buffers));
		return -BUSWAY_ENOMEM;
	}
	atomic_init(&buffers->root, root);
	*out = buffers;
	return 0;
}

void busway_buffers_destroy(struct busway_buffers *buffers)
{
	const struct busway_allocator *memory;

	if (!buffers)
		return;
	memory = buffers->memory;
	pools_destroy(buffers);
	memory->free(memory->ctx, buffers, sizeof(*buffers), _Alignof(struct busway_buffers));
}

size_t busway_buffers_count(const struct busway_buffers *buffers)
{
	return buffers->count;
}

size_t busway_buffers_bytes(const struct busway_buffers *buffers)
{
	return sizeof(*buffers) + pools_bytes(buffers);
}

int buffers_refuse(const struct busway_buffers *buffers, enum busway_reason reason,
		   struct busway_range asked, const struct busway_range *limit,
		   struct busway_refusal *why)
{
	if (why)
		*why = (struct busway_refusal){
			.reason = reason,
			.hop = buffers->name,
			.asked = asked,
			.limit = limit ? *limit : (struct busway_range){0, 0},
			.has_limit = limit != NULL,
		};
	return -BUSWAY_ERANGE;
}
