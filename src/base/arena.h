/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h - memory that is taken in pieces and given back all at once, and arrays that grow.
 */
#ifndef BUSWAY_ARENA_H
#define BUSWAY_ARENA_H

#include <busway/allocator.h>

#include <stdbool.h>
#include <stddef.h>

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of the whole chunk */
	size_t used;
};

struct arena {
	const struct busway_allocator *memory;
	struct arena_chunk *chunks;
	bool failed; /* something was not given: whoever builds on it must not call it whole */
};

/* Memory, not cleared, until arena_release(); NULL when there is none. */
void *arena_take(struct arena *arena, size_t size, size_t align);
void arena_release(struct arena *arena);

/* A growing array whose memory is the arena's; what it outgrows stays there until the end. */
struct vector {
	void *items;
	size_t count, capacity;
};

/* Room for one more item of @item_size bytes; NULL when there is no memory. Not counted yet. */
void *vector_next(struct arena *arena, struct vector *vector, size_t item_size, size_t align);

#endif
