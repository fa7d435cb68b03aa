/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * piecewise_arena.c - src/base/arena.c without its chunks: an allocation for each thing taken.
 *
 * The real arena asks for memory three or four times while it imports a board, so a sweep over
 * failing allocations meets three or four places. With this one in its place it meets them all.
 */
#include "../../src/base/arena.h"

#include <stdint.h>
#include <string.h>

enum { HEADER_SIZE = (sizeof(struct arena_chunk) + 15) / 16 * 16 };

void *arena_take(struct arena *arena, size_t size, size_t align)
{
	struct arena_chunk *chunk;

	(void)align; /* the header keeps any alignment */
	if (size > SIZE_MAX / 2)
		return NULL;
	size = (size ? size : 1) + HEADER_SIZE;
	chunk = arena->memory->alloc(arena->memory->ctx, size, _Alignof(max_align_t));
	if (!chunk) {
		arena->failed = true;
		return NULL;
	}
	*chunk = (struct arena_chunk){.next = arena->chunks, .size = size};
	arena->chunks = chunk;
	return (char *)chunk + HEADER_SIZE;
}

void arena_release(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *chunk = arena->chunks;

		arena->chunks = chunk->next;
		arena->memory->free(arena->memory->ctx, chunk, chunk->size, _Alignof(max_align_t));
	}
}

void *vector_next(struct arena *arena, struct vector *vector, size_t item_size, size_t align)
{
	if (vector->count == vector->capacity) {
		const size_t capacity = vector->count + 1;
		void *items = arena_take(arena, capacity * item_size, align);

		if (!items)
			return NULL;
		if (vector->count)
			memcpy(items, vector->items, vector->count * item_size);
		vector->items = items;
		vector->capacity = capacity;
	}
	return (char *)vector->items + vector->count * item_size;
}
