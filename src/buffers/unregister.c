/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unregister.c - a buffer less: unlinked, without memory. Read buffers_internal.h first.
 */
#include "buffers_internal.h"

/* The piece at @offset dies. */
static void kill_piece(struct cell *cell, int32_t offset)
{
	const unsigned at = cell_count(cell, offset) - 1;

	atomic_store_explicit(&cell->bound[at], 0, memory_order_release);
	store(&cell->record[at], 0);
	cell->live--;
}

/* @part of the slot is unlinked, which is all of it unless there is a node or a cell. */
static void unlink_slot(struct busway_buffers *buffers, struct node *node, unsigned index,
			struct busway_range part);

static void unlink_in(struct busway_buffers *buffers, struct node *node, struct busway_range range)
{
	const unsigned last = index_of(node->shift, range.last);

	for (unsigned i = index_of(node->shift, range.first); i <= last; i++) {
		struct busway_range part = range;

		busway_range_common(slot_range(node, i), range, &part);
		unlink_slot(buffers, node, i, part);
	}
}

static void unlink_slot(struct busway_buffers *buffers, struct node *node, unsigned index,
			struct busway_range part)
{
	const word w = load(&node->slot[index]);

	if (kind_of(w) == NODE) {
		unlink_in(buffers, node_from(w), part);
		if (node_from(w)->used)
			return;
		slot_set(node, index, 0, NULL);
		retire_node(buffers, node_from(w));
	} else if (kind_of(w) == CELL) {
		kill_piece(cell_from(w), (int32_t)(part.first - slot_range(node, index).first));
		if (cell_from(w)->live)
			return;
		slot_set(node, index, 0, NULL);
		retire_cell(buffers, cell_from(w));
	} else {
		slot_set(node, index, 0, NULL);
	}
}

int busway_buffers_unregister(struct busway_buffers *buffers, struct busway_range va,
			      struct busway_refusal *why)
{
	const struct record *record;
	struct busway_range its;

	if (va.first > va.last)
		return -BUSWAY_EINVAL;
	record = look(buffers, va.first);
	if (!record)
		return buffers_refuse(buffers, BUSWAY_BUFFER_UNKNOWN, va, NULL, why);
	its = record->buffer.va;
	if (its.first != va.first || its.last != va.last)
		return buffers_refuse(buffers, BUSWAY_BUFFER_PART, va, &its, why);
	unlink_in(buffers, atomic_load_explicit(&buffers->root, memory_order_relaxed), va);
	retire_record(buffers, (struct record *)(uintptr_t)record);
	buffers->count--;
	return 0;
}
