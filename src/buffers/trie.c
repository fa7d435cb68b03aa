/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trie.c - slots, cells, nodes: new parts of a trie, which no reader sees yet.
 * Read buffers_internal.h first.
 */
#include "../base/bytes.h"
#include "buffers_internal.h"

/* ---- nodes and their slots ---- */

static enum shape shape_of(unsigned shift)
{
	return shift >= SHIFT_WIDE ? SHAPE_WIDE : SHAPE_NARROW;
}

struct node *node_make(struct busway_buffers *buffers, uint64_t base, unsigned shift)
{
	struct node *node = shape_take(buffers, shape_of(shift));

	if (!node)
		return NULL;
	memset(node, 0, sizeof(*node) + 2 * slot_count(shift) * sizeof(atomic_word));
	node->base = base;
	node->shift = shift;
	return node;
}

void node_give(struct busway_buffers *buffers, struct node *node)
{
	shape_give(buffers, shape_of(node->shift), node);
}

word word_for_whole(const struct record *record)
{
	const enum busway_access access = record->buffer.access;
	const uint64_t add = access ? offset_to_dma(record) : 0;

	if (add % DIRECT_ALIGN == 0 && add <= UINTPTR_MAX)
		return (word)add | (word)access << DIRECT_ACCESS | DIRECT;
	return (word)record | RECORD;
}

/* The record of a direct word is there before the word. It stays behind; without one nobody looks.
 */
void slot_set(struct node *node, unsigned index, word w, const struct record *record)
{
	const word old = load(&node->slot[index]);

	if (kind_of(w) == DIRECT)
		store(record_at(node, index), (word)record);
	store(&node->slot[index], w);
	node->used += (w != 0) - (unsigned)(old != 0);
}

/* ---- cells ---- */

/* Behind all that are there. */
static void cell_append(struct cell *cell, uint32_t first, uint32_t last,
			const struct record *record)
{
	const unsigned at = cell->live++;

	cell->first[at] = (int32_t)first;
	cell->add[at] = offset_to_dma(record);
	atomic_init(&cell->bound[at], last << 2 | (uint32_t)record->buffer.access);
	atomic_init(&cell->record[at], (word)record);
}

/* The part of piece @i that lies in the slot; false: it is dead, or there is none. */
static bool cell_piece(const struct cell *cell, unsigned i, uint64_t base,
		       struct busway_range *part, const struct record **record)
{
	*record = cell->first[i] == NO_PIECE ? NULL : record_from(load(&cell->record[i]));
	if (!*record)
		return false;
	part->first = base + (uint32_t)cell->first[i];
	part->last = base + (atomic_load_explicit(&cell->bound[i], memory_order_relaxed) >> 2);
	return true;
}

/* What is alive in @old (NULL: nothing), and @part. There is room. */
static word cell_with(struct busway_buffers *buffers, const struct cell *old, uint64_t base,
		      struct busway_range part, const struct record *record)
{
	struct cell *cell = shape_take(buffers, SHAPE_CELL);
	bool done = false;

	if (!cell)
		return 0;
	memset(cell, 0, sizeof(*cell));
	for (unsigned i = 0; i <= PIECES; i++)
		cell->first[i] = NO_PIECE;
	for (unsigned i = 0; old && i < PIECES; i++) {
		const struct record *other;
		struct busway_range its;

		if (!cell_piece(old, i, base, &its, &other))
			continue;
		if (!done && its.first > part.first) {
			cell_append(cell, (uint32_t)(part.first - base),
				    (uint32_t)(part.last - base), record);
			done = true;
		}
		cell_append(cell, (uint32_t)(its.first - base), (uint32_t)(its.last - base), other);
	}
	if (!done)
		cell_append(cell, (uint32_t)(part.first - base), (uint32_t)(part.last - base),
			    record);
	return (word)cell | CELL;
}

/* ---- whatever a slot leads to ---- */

/* Into a node that no reader sees. False: no memory, and some of it may be in. */
static bool node_put(struct busway_buffers *buffers, struct node *node, struct busway_range range,
		     const struct record *record)
{
	const unsigned last = index_of(node->shift, range.last);

	for (unsigned i = index_of(node->shift, range.first); i <= last; i++) {
		const struct busway_range slot = slot_range(node, i);
		const word old = load(&node->slot[i]);
		struct busway_range part = slot;
		word w;

		if (busway_range_within(slot, range)) {
			slot_set(node, i, word_for_whole(record), record);
			continue;
		}
		busway_range_common(slot, range, &part);
		if (kind_of(old) == NODE) {
			if (!node_put(buffers, node_from(old), part, record))
				return false;
			continue;
		}
		w = word_with(buffers, old, slot, node->shift, part, record);
		if (!w)
			return false;
		slot_set(node, i, w, NULL);
		if (kind_of(old) == CELL)
			shape_give(buffers, SHAPE_CELL, cell_from(old));
	}
	return true;
}

/* A node in place of @old, a full cell or an empty slot. */
static word node_with(struct busway_buffers *buffers, word old, struct busway_range slot,
		      unsigned shift, struct busway_range part, const struct record *record)
{
	struct node *node = node_make(buffers, slot.first, child_shift(shift));
	const struct record *other;
	struct busway_range its;
	bool ok = node != NULL;

	for (unsigned i = 0; ok && kind_of(old) == CELL && i < PIECES; i++)
		if (cell_piece(cell_from(old), i, slot.first, &its, &other))
			ok = node_put(buffers, node, its, other);
	if (ok && node_put(buffers, node, part, record))
		return (word)node | NODE;
	if (node)
		word_discard(buffers, (word)node | NODE);
	return 0;
}

/* Does @part cover a slot of 2 MiB? */
static bool covers_wide_slot(struct busway_range part)
{
	const uint64_t span = span_mask(SHIFT_WIDE);
	uint64_t first;

	return busway_align_up(part.first, span + 1, &first) && first <= part.last &&
	       part.last - first >= span;
}

/* In slots of 1 GiB, what covers slots of 2 MiB is better off with words of its own. */
static bool suits_cell(const struct cell *cell, unsigned shift, struct busway_range part)
{
	return shift <= SHIFT_CELL && !(cell && cell->live == PIECES) &&
	       !(shift > SHIFT_WIDE && covers_wide_slot(part));
}

word word_with(struct busway_buffers *buffers, word old, struct busway_range slot, unsigned shift,
	       struct busway_range part, const struct record *record)
{
	const struct cell *cell = kind_of(old) == CELL ? cell_from(old) : NULL;

	if (suits_cell(cell, shift, part))
		return cell_with(buffers, cell, slot.first, part, record);
	return node_with(buffers, old, slot, shift, part, record);
}

void word_discard(struct busway_buffers *buffers, word w)
{
	if (kind_of(w) == CELL)
		shape_give(buffers, SHAPE_CELL, cell_from(w));
	if (kind_of(w) != NODE)
		return;
	for (unsigned i = 0; i < slot_count(node_from(w)->shift); i++)
		word_discard(buffers, load(&node_from(w)->slot[i]));
	node_give(buffers, node_from(w));
}
