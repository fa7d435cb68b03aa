/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * blocks.c - equal blocks of coherent memory, many to an allocation.
 *
 *   chunk   |bbb-|bbb-|bbb-|...     groups of blocks that cross no boundary, and a bit for each
 *
 * What is free stands in records that the device cannot reach: what it writes into a block that was
 * given back breaks nothing here.
 */
#include "live.h"

#include <stddef.h>

/* No more than an allocation takes at least: where there is room for one, there is for blocks. */
#define CHUNK_SIZE BUSWAY_SLOT_SIZE

/* In .attributes of a chunk's mapping, so that it is not taken for somebody else's memory. */
enum { IS_CHUNK = 0x80 };

struct chunk {
	struct busway_coherent memory;
	struct busway_blocks *owner;
	struct chunk *next;           /* of all */
	struct chunk *next_with_room; /* of those with a free block */
	uint32_t free;
	uint64_t used[]; /* a bit for each block */
};

struct busway_blocks {
	struct busway_lane *lane;            /* NULL: its device is gone */
	struct busway_blocks *next, **link_; /* of that lane */
	const struct busway_allocator *memory;
	uint64_t size, align, chunk_size;
	uint64_t stride;          /* from block to block */
	uint64_t group, in_group; /* bytes, and blocks in them */
	uint32_t per_chunk;
	size_t out;
	struct chunk *chunks, *with_room;
};

static uint64_t power_of_two_up(uint64_t x)
{
	uint64_t power = 1;

	while (power < x)
		power <<= 1;
	return power;
}

/* How blocks lie in a chunk; false: they are too large for any. */
static bool lay_out(struct busway_blocks *b, uint64_t boundary)
{
	if (!busway_align_up(b->size, b->align, &b->stride) || b->stride > UINT64_MAX / 4)
		return false;
	b->chunk_size = b->stride > CHUNK_SIZE / 2 ? b->stride : CHUNK_SIZE;
	b->group = b->stride;
	if (boundary) {
		/* a chunk that begins at a multiple of this much crosses nothing larger */
		const uint64_t natural = power_of_two_up(b->chunk_size);

		if (b->stride <= boundary)
			b->group = boundary < natural ? boundary : natural;
		if (b->align < natural)
			b->align = natural;
	}
	b->in_group = b->group / b->stride;
	b->per_chunk = (uint32_t)(b->chunk_size / b->group * b->in_group);
	if (!b->per_chunk) { /* one group, of which the chunk is a part */
		b->in_group = b->chunk_size / b->stride;
		b->per_chunk = (uint32_t)b->in_group;
	}
	return true;
}

static size_t words(const struct busway_blocks *b)
{
	return (b->per_chunk + 63) / 64;
}

static size_t record_size(const struct busway_blocks *b)
{
	return sizeof(struct chunk) + words(b) * sizeof(uint64_t);
}

static uint64_t offset_of(const struct busway_blocks *b, uint32_t block)
{
	return block / b->in_group * b->group + block % b->in_group * b->stride;
}

int busway_blocks_create(struct busway_lane *lane, uint64_t size, uint64_t align, uint64_t boundary,
			 const struct busway_allocator *memory, struct busway_blocks **out)
{
	struct busway_blocks *b;

	if (size == 0 || !busway_is_power_of_two(align) ||
	    (boundary && (!busway_is_power_of_two(boundary) || size > boundary)))
		return -BUSWAY_EINVAL;
	b = memory->alloc(memory->ctx, sizeof(*b), _Alignof(struct busway_blocks));
	if (!b)
		return -BUSWAY_ENOMEM;
	*b = (struct busway_blocks){.lane = lane, .memory = memory, .size = size, .align = align};
	if (!lay_out(b, boundary)) {
		memory->free(memory->ctx, b, sizeof(*b), _Alignof(struct busway_blocks));
		return -BUSWAY_EINVAL;
	}
	b->next = lane->blocks;
	b->link_ = &lane->blocks;
	if (b->next)
		b->next->link_ = &b->next;
	lane->blocks = b;
	*out = b;
	return 0;
}

void blocks_leave(struct busway_lane *lane)
{
	for (struct busway_blocks *b = lane->blocks; b; b = b->next)
		b->lane = NULL;
	lane->blocks = NULL;
}

int busway_blocks_destroy(struct busway_blocks *b)
{
	if (b->out && b->lane)
		return -BUSWAY_EBUSY;
	if (b->lane) {
		*b->link_ = b->next;
		if (b->next)
			b->next->link_ = b->link_;
	}
	while (b->chunks) {
		struct chunk *chunk = b->chunks;

		b->chunks = chunk->next;
		if (b->lane)
			busway_coherent_free(&chunk->memory);
		b->memory->free(b->memory->ctx, chunk, record_size(b), _Alignof(struct chunk));
	}
	b->memory->free(b->memory->ctx, b, sizeof(*b), _Alignof(struct busway_blocks));
	return 0;
}

/* ---- taking ---- */

static int add_chunk(struct busway_blocks *b, unsigned flags, struct busway_refusal *why)
{
	struct chunk *chunk =
		b->memory->alloc(b->memory->ctx, record_size(b), _Alignof(struct chunk));
	int status;

	if (!chunk)
		return -BUSWAY_ENOMEM;
	memset(chunk, 0, record_size(b));
	status =
		busway_coherent_alloc(b->lane, b->chunk_size, b->align, flags, &chunk->memory, why);
	if (status) {
		b->memory->free(b->memory->ctx, chunk, record_size(b), _Alignof(struct chunk));
		return status;
	}
	chunk->memory.mapping_.attributes = IS_CHUNK;
	chunk->owner = b;
	chunk->free = b->per_chunk;
	chunk->next = b->chunks;
	b->chunks = chunk;
	chunk->next_with_room = b->with_room;
	b->with_room = chunk;
	return 0;
}

static uint32_t take_bit(const struct busway_blocks *b, struct chunk *chunk)
{
	for (uint32_t word = 0; word < words(b); word++) {
		const uint64_t unused = ~chunk->used[word];
		uint32_t bit;

		if (!unused)
			continue;
		bit = (uint32_t)__builtin_ctzll(unused);
		chunk->used[word] |= (uint64_t)1 << bit;
		return word * 64 + bit;
	}
	return 0; /* not reached: chunks in the list have room */
}

int busway_blocks_take(struct busway_blocks *b, unsigned flags, struct busway_block *out,
		       struct busway_refusal *why)
{
	struct chunk *chunk;
	uint64_t offset;
	int status;

	if (!b->lane)
		return -BUSWAY_EINVAL;
	if (!b->with_room) {
		status = add_chunk(b, flags, why);
		if (status)
			return status;
	}
	chunk = b->with_room;
	offset = offset_of(b, take_bit(b, chunk));
	if (--chunk->free == 0)
		b->with_room = chunk->next_with_room;
	b->out++;
	out->cpu = (unsigned char *)chunk->memory.cpu + offset;
	out->dma = busway_dma(chunk->memory.dma.raw + offset);
	memset(out->cpu, 0, (size_t)b->size);
	return 0;
}

/* ---- giving back ---- */

/* The chunk of @b that holds @dma, and which of its blocks begins there; NULL. */
static struct chunk *chunk_at(const struct busway_blocks *b, busway_dma_t dma, uint32_t *block)
{
	const struct busway_mapped *segment = live_find(b->lane, dma.raw, NULL, NULL);
	struct busway_mapping *mapping = segment ? segment->owner_ : NULL;
	struct chunk *chunk;
	uint64_t offset, within;

	if (!mapping || mapping->kind != BUSWAY_KIND_COHERENT || mapping->attributes != IS_CHUNK)
		return NULL;
	chunk = (struct chunk *)((char *)mapping - offsetof(struct chunk, memory.mapping_));
	offset = dma.raw - chunk->memory.dma.raw;
	within = offset % b->group;
	if (chunk->owner != b || within % b->stride || within / b->stride >= b->in_group)
		return NULL;
	*block = (uint32_t)(offset / b->group * b->in_group + within / b->stride);
	return *block < b->per_chunk && offset == offset_of(b, *block) ? chunk : NULL;
}

int busway_blocks_give(struct busway_blocks *b, busway_dma_t dma)
{
	const struct busway_dma_range asked = {dma, dma};
	uint32_t block = 0;
	struct chunk *chunk = b->lane ? chunk_at(b, dma, &block) : NULL;
	const uint64_t bit = (uint64_t)1 << block % 64;

	if (!b->lane)
		return -BUSWAY_EINVAL;
	if (!chunk || !(chunk->used[block / 64] & bit)) {
		report(b->lane, chunk ? BUSWAY_MISUSE_UNMAPPED_TWICE : BUSWAY_MISUSE_NOT_MAPPED,
		       chunk ? &chunk->memory.mapping_ : NULL, asked, 0, 0);
		return -BUSWAY_EINVAL;
	}
	chunk->used[block / 64] &= ~bit;
	if (chunk->free++ == 0) {
		chunk->next_with_room = b->with_room;
		b->with_room = chunk;
	}
	b->out--;
	return 0;
}
