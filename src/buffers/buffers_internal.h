/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffers_internal.h - how a directory of buffers is built. Read <busway/buffers.h> first.
 *
 * A trie over virtual addresses. A slot of a node stands for 2^shift bytes and is one word:
 *
 *   empty
 *   direct   all of the slot lies in one buffer: dma - va (a multiple of 4 KiB), and the access
 *   record   the same where that does not fit in the word: the record of the buffer
 *   cell     up to 7 pieces of buffers, sorted; only where slots are of 1 GiB or less
 *   node     more than that: slots of the next smaller size
 *
 *   1 GiB slots    |  direct  |   node   |  cell  |  empty  | ...      512 to a node
 *   2 MiB                     |d|d|cell|e|...                          512
 *   256 KiB, 32 KiB, 4 KiB, ..., 1 byte                                8
 *
 * and above them 512 GiB, 256 TiB and 128 PiB. A buffer is entered in the largest slots that it
 * covers, and in a cell at each of its ends; a cell that overflows becomes a node. The root is a
 * node that spans all buffers, and grows upwards. Nodes other than the root are never empty.
 *
 * Readers walk without a lock. So
 *   - a slot changes by one store of its word, and what the word leads to is complete before;
 *   - a cell does not change, but that pieces die, one store each; a piece more is a new cell;
 *   - a record does not change;
 *   - what is unlinked is put aside (memory.c) until the writer says that nobody looks at it.
 *
 *   memory.c      pools, and what is put aside
 *   trie.c        slots, cells, nodes: making new parts that no reader sees yet
 *   buffers.c     life, counting
 *   register.c    plan, then publish
 *   unregister.c  unlink
 *   look.c        the record of an address, for what is not hot
 *   translate.c   the hot path
 */
#ifndef BUSWAY_BUFFERS_INTERNAL_H
#define BUSWAY_BUFFERS_INTERNAL_H

#include <busway/buffers.h>
#include <busway/status.h>

#include <stdatomic.h>
/* gcc's header of SSE2 wants a hosted environment */
#if defined(__SSE2__) && __STDC_HOSTED__
#define CELL_VECTORS
#include <emmintrin.h>
#endif

typedef uintptr_t word;
typedef _Atomic(uintptr_t) atomic_word;

enum kind { EMPTY, NODE, DIRECT, CELL, RECORD, KIND_MASK = 7 };

enum {
	DIRECT_ACCESS = 3, /* how far the access is shifted in a direct word */
	DIRECT_ALIGN = 4096,
	PIECES = 7, /* of a cell */
	NO_PIECE = INT32_MAX,
	WIDE = 512, /* slots of a node, down to 2 MiB each */
	NARROW = 8, /* below that */
	SHIFT_WIDE = 21,
	SHIFT_CELL = 30, /* cells count their bytes in 30 bits */
	SHIFT_TOP = 57,
	LINE = 64,
};

/* What is put aside: a list through the objects themselves. The kind is in the low bits. */
struct aside {
	uintptr_t next;
};

struct record {
	struct busway_buffer buffer;
	struct aside aside;
};

struct node {
	uint64_t base; /* the address of slot 0 */
	uint32_t shift;
	uint32_t used; /* slots that are not empty: the writer's */
	struct aside aside;
	unsigned char pad[LINE - 2 * sizeof(uint64_t) - sizeof(struct aside)];
	atomic_word
		slot[]; /* the words, then as many records, each good while its word is direct */
};

/*
 * Readers find the last piece that begins at or before the address, then see whether it ends
 * behind. Offsets are from the first byte of the slot; a piece may go on in the next slot.
 */
struct cell {
	int32_t first[PIECES + 1]; /* NO_PIECE: there are no more; so is the last one */
	/* last byte << 2 | access; 0: dead, or the first byte of the slot alone, out of reach */
	_Atomic(uint32_t) bound[PIECES];
	uint32_t live;        /* the writer's */
	uint64_t add[PIECES]; /* dma - va */
	struct aside aside;
	atomic_word record[PIECES]; /* 0: dead */
};

/* ---- sizes ---- */

static inline uint64_t span_mask(unsigned shift)
{
	return ((uint64_t)1 << shift) - 1;
}

static inline unsigned child_shift(unsigned shift)
{
	return shift - (shift > SHIFT_WIDE ? 9 : 3);
}

static inline unsigned slot_count(unsigned shift)
{
	return shift >= SHIFT_WIDE ? WIDE : NARROW;
}

static inline unsigned index_of(unsigned shift, uint64_t va)
{
	return (unsigned)(va >> shift) & (slot_count(shift) - 1);
}

/* The addresses that a slot stands for. */
static inline struct busway_range slot_range(const struct node *node, unsigned index)
{
	const uint64_t first = node->base + ((uint64_t)index << node->shift);

	return (struct busway_range){first, first + span_mask(node->shift)};
}

/* The addresses of all slots of @node. */
static inline struct busway_range node_range(const struct node *node)
{
	const unsigned bits = node->shift + (node->shift >= SHIFT_WIDE ? 9 : 3);

	return (struct busway_range){node->base,
				     node->base + (bits < 64 ? span_mask(bits) : UINT64_MAX)};
}

/* ---- words ---- */

static inline enum kind kind_of(word w)
{
	return (enum kind)(w & KIND_MASK);
}

static inline struct node *node_from(word w)
{
	return (struct node *)(w - NODE);
}

static inline struct cell *cell_from(word w)
{
	return (struct cell *)(w - CELL);
}

static inline const struct record *record_from(word w)
{
	return (const struct record *)(w & ~(word)KIND_MASK);
}

static inline word load(const atomic_word *at)
{
	return atomic_load_explicit(at, memory_order_acquire);
}

static inline void store(atomic_word *at, word w)
{
	atomic_store_explicit(at, w, memory_order_release);
}

/* Where the record of a direct word stands. */
static inline atomic_word *record_at(struct node *node, unsigned index)
{
	return &node->slot[slot_count(node->shift) + index];
}

static inline uint64_t offset_to_dma(const struct record *record)
{
	return record->buffer.dma.raw - record->buffer.va.first;
}

/* ---- memory.c ---- */

enum shape { SHAPE_RECORD, SHAPE_CELL, SHAPE_NARROW, SHAPE_WIDE, SHAPE_COUNT };

struct chunk;
struct spare;

/* Objects of one size, in chunks that get larger; nothing of it goes back before the end. */
struct pool {
	struct spare *spare;
	struct chunk *chunks;
	unsigned chunk_count;
	size_t bytes;
};

struct busway_buffers {
	_Atomic(struct node *) root;
	/* what follows is the writer's */
	const struct busway_allocator *memory;
	const char *name;
	bool exclusive;
	size_t count;
	struct pool pools[SHAPE_COUNT];
	/* put aside, the oldest first; their numbers: all so far, and those that were reclaimed */
	uintptr_t oldest;
	struct aside *newest;
	uint64_t put_aside, reclaimed;
	size_t aside_bytes;
};

/* Not cleared; NULL: no memory. */
void *shape_take(struct busway_buffers *buffers, enum shape shape);
/* For what no reader has seen. */
void shape_give(struct busway_buffers *buffers, enum shape shape, void *object);
/* For what readers may look at. */
void retire_record(struct busway_buffers *buffers, struct record *record);
void retire_cell(struct busway_buffers *buffers, struct cell *cell);
void retire_node(struct busway_buffers *buffers, struct node *node);
size_t pools_bytes(const struct busway_buffers *buffers);
void pools_destroy(struct busway_buffers *buffers);

/* ---- trie.c ---- */

/* Empty; NULL: no memory. */
struct node *node_make(struct busway_buffers *buffers, uint64_t base, unsigned shift);
void node_give(struct busway_buffers *buffers, struct node *node);

/* What a slot holds of which @record covers every byte. */
word word_for_whole(const struct record *record);

/* Set a slot. */
void slot_set(struct node *node, unsigned index, word w, const struct record *record);

/*
 * What becomes of a slot (an empty one or a cell) when @record takes @part of it, not all; 0: no
 * memory, and nothing has changed. The old cell remains.
 */
word word_with(struct busway_buffers *buffers, word old, struct busway_range slot, unsigned shift,
	       struct busway_range part, const struct record *record);

/* Give back what word_with() made. */
void word_discard(struct busway_buffers *buffers, word w);

/* ---- look.c ---- */

/* How many pieces of @cell begin at or before @offset: the last of them may hold it. No branches.
 */
static inline unsigned cell_count_plain(const struct cell *cell, int32_t offset)
{
	unsigned count = PIECES;

#if defined(__GNUC__) && !defined(__clang__) /* clang does it unasked */
#pragma GCC unroll 8
#endif
	for (unsigned i = 0; i < PIECES; i++)
		count -= offset < cell->first[i];
	return count;
}

#ifdef CELL_VECTORS
static inline unsigned cell_count(const struct cell *cell, int32_t offset)
{
	const __m128i *first = (const __m128i *)cell->first, at = _mm_set1_epi32(offset);
	const __m128i low = _mm_cmpgt_epi32(_mm_loadu_si128(first), at);
	const __m128i high = _mm_cmpgt_epi32(_mm_loadu_si128(first + 1), at);
	const __m128i bytes = _mm_packs_epi16(_mm_packs_epi32(low, high), low);

	return (unsigned)__builtin_ctz((unsigned)_mm_movemask_epi8(bytes));
}
#else
static inline unsigned cell_count(const struct cell *cell, int32_t offset)
{
	return cell_count_plain(cell, offset);
}
#endif

/* The record of the buffer that holds @va; NULL. */
const struct record *look(const struct busway_buffers *buffers, uint64_t va);

/* The first one that has a byte in @range; NULL. */
const struct record *look_in(const struct node *node, struct busway_range range);

int buffers_refuse(const struct busway_buffers *buffers, enum busway_reason reason,
		   struct busway_range asked, const struct busway_range *limit,
		   struct busway_refusal *why);

#endif
