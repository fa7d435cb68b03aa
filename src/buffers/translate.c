/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate.c - the hot path: an address of the device for an address of the driver.
 * Read buffers_internal.h first.
 *
 * What is decided by one word of a slot, or by one piece of a cell, is answered at once. The rest
 * (an access that goes on in the next slot, and all refusals) is decided by the buffer's record.
 */
#include "buffers_internal.h"

static bool is_access(enum busway_access access)
{
	return (unsigned)access - BUSWAY_READ <= BUSWAY_READ_WRITE - BUSWAY_READ;
}

/* ---- by the record ---- */

static void refuse_unknown(const struct busway_buffers *buffers, struct busway_range asked,
			   struct busway_refusal *why)
{
	struct busway_buffer next;
	const bool some = why && busway_buffers_next(buffers, asked.first, &next);

	buffers_refuse(buffers, BUSWAY_BUFFER_UNKNOWN, asked, some ? &next.va : NULL, why);
}

/* The record of the buffer at asked.first; NULL: there is none, or the device may not do that. */
static const struct record *admit(const struct busway_buffers *buffers, struct busway_range asked,
				  enum busway_access access, struct busway_refusal *why)
{
	const struct record *record = look(buffers, asked.first);
	enum busway_reason reason;

	if (!record) {
		refuse_unknown(buffers, asked, why);
		return NULL;
	}
	if (!(access & ~(unsigned)record->buffer.access))
		return record;
	reason = record->buffer.access ? BUSWAY_BUFFER_ACCESS : BUSWAY_BUFFER_UNREACHED;
	buffers_refuse(buffers, reason, asked, &record->buffer.va, why);
	return NULL;
}

static int refuse_end(const struct busway_buffers *buffers, struct busway_range asked,
		      uint64_t last, struct busway_refusal *why)
{
	const struct busway_range goes = {asked.first, last};
	const int status = buffers_refuse(buffers, BUSWAY_BUFFER_END, asked, &goes, why);

	if (why)
		why->advice[why->advice_count++] =
			(struct busway_advice){.kind = BUSWAY_ADVISE_SPLIT, .range = goes};
	return status;
}

__attribute__((noinline)) static int by_record(const struct busway_buffers *buffers, uint64_t va,
					       uint64_t length, enum busway_access access,
					       busway_dma_t *dma, struct busway_refusal *why)
{
	const struct record *record;
	struct busway_range asked;

	if (!is_access(access) || !busway_range_make(va, length, &asked))
		return -BUSWAY_EINVAL;
	record = admit(buffers, asked, access, why);
	if (!record)
		return -BUSWAY_ERANGE;
	if (asked.last > record->buffer.va.last)
		return refuse_end(buffers, asked, record->buffer.va.last, why);
	dma->raw = va + offset_to_dma(record);
	return 0;
}

int busway_buffers_run(const struct busway_buffers *buffers, uint64_t va, uint64_t *length,
		       enum busway_access access, busway_dma_t *dma, struct busway_refusal *why)
{
	const struct record *record;
	struct busway_range asked;

	if (!is_access(access) || !busway_range_make(va, *length, &asked))
		return -BUSWAY_EINVAL;
	record = admit(buffers, asked, access, why);
	if (!record)
		return -BUSWAY_ERANGE;
	if (asked.last > record->buffer.va.last)
		*length = record->buffer.va.last - va + 1;
	dma->raw = va + offset_to_dma(record);
	return 0;
}

/* ---- at once ---- */

/* Down to the slot of @va that is no node, with the size of the slots there. */
static inline word descend(word w, uint64_t va, unsigned *shift)
{
	while (kind_of(w) == NODE && *shift > SHIFT_WIDE) {
		*shift -= 9;
		w = load(&node_from(w)->slot[va >> *shift & (WIDE - 1)]);
	}
	while (kind_of(w) == NODE) {
		*shift -= 3;
		w = load(&node_from(w)->slot[va >> *shift & (NARROW - 1)]);
	}
	return w;
}

/* A length of 0 is the longest of all in these two, and does not fit. */
static inline bool slot_grants(word w, uint64_t behind, uint64_t length, enum busway_access access)
{
	return length - 1 <= behind && access &&
	       !(access & ~(w >> DIRECT_ACCESS & BUSWAY_READ_WRITE));
}

/* The piece at @offset, of less than 2^30; @add: what leads to the device's address. */
static inline bool cell_grants(const struct cell *cell, uint64_t offset, uint64_t length,
			       enum busway_access access, uint64_t *add)
{
	const unsigned at = cell_count(cell, (int32_t)offset) - 1;
	uint32_t bound;

	__builtin_prefetch(cell->add); /* the next line; which of them is not known yet */
	if (at >= PIECES)
		return false;
	bound = atomic_load_explicit(&cell->bound[at], memory_order_acquire);
	*add = cell->add[at];
	return length - 1 <= UINT32_MAX && offset + (length - 1) <= bound >> 2 && access &&
	       !(access & ~(bound & BUSWAY_READ_WRITE));
}

int busway_buffers_translate(const struct busway_buffers *buffers, uint64_t va, uint64_t length,
			     enum busway_access access, busway_dma_t *dma,
			     struct busway_refusal *why)
{
	const struct node *root = atomic_load_explicit(&buffers->root, memory_order_acquire);
	const uint64_t index = (va - root->base) >> root->shift;
	unsigned shift = root->shift;
	uint64_t add;
	word w;

	if (index >= WIDE)
		return by_record(buffers, va, length, access, dma, why);
	w = descend(load(&root->slot[index]), va, &shift);
	if (kind_of(w) == DIRECT && slot_grants(w, ~va & span_mask(shift), length, access)) {
		dma->raw = va + (w & ~(word)(DIRECT_ALIGN - 1));
		return 0;
	}
	if (kind_of(w) == CELL &&
	    cell_grants(cell_from(w), va & span_mask(shift), length, access, &add)) {
		dma->raw = va + add;
		return 0;
	}
	return by_record(buffers, va, length, access, dma, why);
}
