/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - pools of what a directory is built of, and what is put aside.
 * Read buffers_internal.h first.
 */
#include "buffers_internal.h"

struct chunk {
	struct chunk *next;
	size_t size;
};

struct spare {
	struct spare *next;
};

static const struct {
	size_t size, aside; /* bytes from one to the next; where its struct aside is */
	unsigned few, most; /* in the first chunk, and in large ones */
} shapes[SHAPE_COUNT] = {
	[SHAPE_RECORD] = {sizeof(struct record), offsetof(struct record, aside), 16, 256},
	[SHAPE_CELL] = {(sizeof(struct cell) + LINE - 1) / LINE * LINE,
			offsetof(struct cell, aside), 8, 128},
	[SHAPE_NARROW] = {LINE + 2 * NARROW * sizeof(atomic_word), offsetof(struct node, aside), 8,
			  128},
	[SHAPE_WIDE] = {LINE + 2 * WIDE * sizeof(atomic_word), offsetof(struct node, aside), 1, 1},
};

/* ---- pools ---- */

/* Each as many as all before it. There is room to begin at a cache line, however malloc aligns. */
static int add_chunk(struct busway_buffers *buffers, enum shape shape)
{
	struct pool *pool = &buffers->pools[shape];
	const size_t each = shapes[shape].size;
	unsigned count = shapes[shape].few << (pool->chunk_count < 8 ? pool->chunk_count : 8);
	struct chunk *chunk;
	size_t size;
	uintptr_t at;

	if (count > shapes[shape].most)
		count = shapes[shape].most;
	size = sizeof(*chunk) + LINE + count * each;
	chunk = buffers->memory->alloc(buffers->memory->ctx, size, _Alignof(struct chunk));
	if (!chunk)
		return -BUSWAY_ENOMEM;
	*chunk = (struct chunk){pool->chunks, size};
	pool->chunks = chunk;
	pool->chunk_count++;
	pool->bytes += size;
	at = ((uintptr_t)chunk + sizeof(*chunk) + LINE - 1) & ~(uintptr_t)(LINE - 1);
	while (count-- > 0)
		shape_give(buffers, shape, (void *)(at + count * each));
	return 0;
}

void *shape_take(struct busway_buffers *buffers, enum shape shape)
{
	struct pool *pool = &buffers->pools[shape];
	struct spare *spare;

	if (!pool->spare && add_chunk(buffers, shape))
		return NULL;
	spare = pool->spare;
	pool->spare = spare->next;
	return spare;
}

void shape_give(struct busway_buffers *buffers, enum shape shape, void *object)
{
	struct spare *spare = object;

	spare->next = buffers->pools[shape].spare;
	buffers->pools[shape].spare = spare;
}

size_t pools_bytes(const struct busway_buffers *buffers)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < SHAPE_COUNT; i++)
		bytes += buffers->pools[i].bytes;
	return bytes;
}

void pools_destroy(struct busway_buffers *buffers)
{
	const struct busway_allocator *memory = buffers->memory;

	for (unsigned i = 0; i < SHAPE_COUNT; i++) {
		while (buffers->pools[i].chunks) {
			struct chunk *chunk = buffers->pools[i].chunks;

			buffers->pools[i].chunks = chunk->next;
			memory->free(memory->ctx, chunk, chunk->size, _Alignof(struct chunk));
		}
	}
}

/* ---- putting aside ---- */

static void retire(struct busway_buffers *buffers, enum shape shape, struct aside *aside)
{
	const uintptr_t link = (uintptr_t)aside | shape;

	if (buffers->exclusive) {
		shape_give(buffers, shape, (unsigned char *)aside - shapes[shape].aside);
		return;
	}
	aside->next = 0;
	if (buffers->newest)
		buffers->newest->next = link;
	else
		buffers->oldest = link;
	buffers->newest = aside;
	buffers->put_aside++;
	buffers->aside_bytes += shapes[shape].size;
}

void retire_record(struct busway_buffers *buffers, struct record *record)
{
	retire(buffers, SHAPE_RECORD, &record->aside);
}

void retire_cell(struct busway_buffers *buffers, struct cell *cell)
{
	retire(buffers, SHAPE_CELL, &cell->aside);
}

void retire_node(struct busway_buffers *buffers, struct node *node)
{
	retire(buffers, node->shift >= SHIFT_WIDE ? SHAPE_WIDE : SHAPE_NARROW, &node->aside);
}

uint64_t busway_buffers_ticket(const struct busway_buffers *buffers)
{
	return buffers->put_aside;
}

void busway_buffers_reclaim(struct busway_buffers *buffers, uint64_t ticket)
{
	while (buffers->oldest && buffers->reclaimed < ticket) {
		const enum shape shape = (enum shape)(buffers->oldest & 3);
		struct aside *aside = (struct aside *)(buffers->oldest - shape);

		buffers->oldest = aside->next;
		if (!buffers->oldest)
			buffers->newest = NULL;
		buffers->reclaimed++;
		buffers->aside_bytes -= shapes[shape].size;
		shape_give(buffers, shape, (unsigned char *)aside - shapes[shape].aside);
	}
}

size_t busway_buffers_aside(const struct busway_buffers *buffers)
{
	return buffers->aside_bytes;
}
