/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * look.c - the record of an address, for what is not hot. Read buffers_internal.h first.
 */
#include "buffers_internal.h"

/* A record that a concurrent update took away, or another in its place, is seen as it is. */
static const struct record *if_holds(const struct record *record, uint64_t va)
{
	return record && busway_range_has(record->buffer.va, va) ? record : NULL;
}

const struct record *look(const struct busway_buffers *buffers, uint64_t va)
{
	struct node *node = atomic_load_explicit(&buffers->root, memory_order_acquire);

	if (!busway_range_has(node_range(node), va))
		return NULL;
	for (;;) {
		const unsigned index = index_of(node->shift, va);
		const word w = load(&node->slot[index]);
		unsigned pieces;

		switch (kind_of(w)) {
		case NODE:
			node = node_from(w);
			break;
		case DIRECT:
			return if_holds(record_from(load(record_at(node, index))), va);
		case RECORD:
			return if_holds(record_from(w), va);
		case CELL:
			pieces = cell_count(cell_from(w), (int32_t)(va & span_mask(node->shift)));
			return pieces ? if_holds(record_from(
							 load(&cell_from(w)->record[pieces - 1])),
						 va)
				      : NULL;
		default:
			return NULL;
		}
	}
}

static const struct record *if_overlaps(const struct record *record, struct busway_range range)
{
	return record && busway_range_overlaps(record->buffer.va, range) ? record : NULL;
}

static const struct record *look_in_cell(const struct cell *cell, struct busway_range range)
{
	const struct record *record = NULL;

	for (unsigned i = 0; i < PIECES && !record; i++)
		if (cell->first[i] != NO_PIECE)
			record = if_overlaps(record_from(load(&cell->record[i])), range);
	return record;
}

const struct record *look_in(const struct node *node, struct busway_range range)
{
	const struct record *record = NULL;
	struct busway_range part;
	unsigned last;

	if (!busway_range_common(node_range(node), range, &part))
		return NULL;
	last = index_of(node->shift, part.last);
	for (unsigned i = index_of(node->shift, part.first); i <= last && !record; i++) {
		const word w = load(&node->slot[i]);

		if (kind_of(w) == NODE)
			record = look_in(node_from(w), part);
		else if (kind_of(w) == CELL)
			record = look_in_cell(cell_from(w), part);
		else if (kind_of(w) == RECORD)
			record = if_overlaps(record_from(w), part);
		else if (kind_of(w) == DIRECT)
			record = if_overlaps(
				record_from(load(&node->slot[slot_count(node->shift) + i])), part);
	}
	return record;
}

bool busway_buffers_find(const struct busway_buffers *buffers, uint64_t va,
			 struct busway_buffer *out)
{
	const struct record *record = look(buffers, va);

	if (record)
		*out = record->buffer;
	return record != NULL;
}

bool busway_buffers_next(const struct busway_buffers *buffers, uint64_t va,
			 struct busway_buffer *out)
{
	const struct record *record =
		look_in(atomic_load_explicit(&buffers->root, memory_order_acquire),
			(struct busway_range){va, UINT64_MAX});

	if (record)
		*out = record->buffer;
	return record != NULL;
}
