/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.c - see arena.h. Chunks come from the caller; large things get a chunk to themselves.
 */
#include "arena.h"
#include "bytes.h"

#include <stdbool.h>
#include <stdint.h>

enum { CHUNK_SIZE = 16 * 1024 };

static void *chunk_take(struct arena_chunk *chunk, size_t size, size_t align)
{
	uintptr_t base = (uintptr_t)chunk;
	uintptr_t start = (base + chunk->used + (align - 1)) & ~(uintptr_t)(align - 1);

	if (start - base > chunk->size || size > chunk->size - (start - base))
		return NULL;
	chunk->used = start - base + size;
	return (void *)start;
}

static void *failed(struct arena *arena)
{
	arena->failed = true;
	return NULL;
}

void *arena_take(struct arena *arena, size_t size, size_t align)
{
	const size_t overhead = sizeof(struct arena_chunk) + align;
	struct arena_chunk *chunk;
	void *taken;

	if (size == 0)
		size = 1; /* so that every success is a pointer of its own */
	taken = arena->chunks ? chunk_take(arena->chunks, size, align) : NULL;
	if (taken)
		return taken;
	if (size > SIZE_MAX / 2)
		return failed(arena);
	/* what is large gets a chunk to itself, and small things go on in the one before */
	const bool alone = size + overhead > CHUNK_SIZE / 2;
	const size_t chunk_size = alone ? size + overhead : CHUNK_SIZE;

	chunk = arena->memory->alloc(arena->memory->ctx, chunk_size, _Alignof(max_align_t));
	if (!chunk)
		return failed(arena);
	*chunk = (struct arena_chunk){.size = chunk_size, .used = sizeof(*chunk)};
	if (alone && arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	return chunk_take(chunk, size, align);
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
		size_t capacity = vector->capacity ? vector->capacity * 2 : 16;
		void *items;

		if (capacity > SIZE_MAX / 2 / item_size)
			return failed(arena);
		items = arena_take(arena, capacity * item_size, align);
		if (!items)
			return NULL;
		if (vector->count)
			memcpy(items, vector->items, vector->count * item_size);
		vector->items = items;
		vector->capacity = capacity;
	}
	return (char *)vector->items + vector->count * item_size;
}
