/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * register.c - a buffer more: plan, then publish. Read buffers_internal.h first.
 *
 *   buffer            [-----------------------------------]
 *   slots     |    x     |          |          |    y     |
 *
 * What takes memory is made while no reader can see it: new contents for the slots x and y that the
 * buffer covers in part, and new roots above the old one. From then on nothing can fail.
 */
#include "buffers_internal.h"

struct plan {
	struct busway_buffers *buffers;
	const struct record *record;
	struct node *root; /* the old one, or that which is above it now */
	unsigned count;
	struct edit {
		struct node *node;
		unsigned index;
		word w;
	} edits[2];
};

/* ---- the root ---- */

/* The smallest node that could be a root and spans @range. */
static struct node *root_for(struct busway_buffers *buffers, struct busway_range range)
{
	unsigned shift = SHIFT_CELL;

	while (shift < SHIFT_TOP && (range.first ^ range.last) >> shift >= WIDE)
		shift += 9;
	return node_make(buffers, shift < SHIFT_TOP ? range.first & ~span_mask(shift + 9) : 0,
			 shift);
}

/* One level above @root. */
static struct node *root_above(struct busway_buffers *buffers, struct node *root)
{
	const unsigned shift = root->shift + 9;
	struct node *above = node_make(
		buffers, shift < SHIFT_TOP ? root->base & ~span_mask(shift + 9) : 0, shift);

	if (above)
		slot_set(above, index_of(shift, root->base), (word)root | NODE, NULL);
	return above;
}

/* New roots give way to the old one. */
static void shrink(struct plan *p, struct node *old)
{
	while (p->root != old) {
		struct node *root = p->root;
		const word below = load(&root->slot[index_of(root->shift, old->base)]);

		p->root = below ? node_from(below) : old;
		node_give(p->buffers, root);
	}
}

/* False: no memory. */
static bool grow(struct plan *p, struct busway_range range)
{
	struct node *const old = p->root;

	while (!busway_range_within(range, node_range(p->root))) {
		struct node *root =
			old->used ? root_above(p->buffers, p->root) : root_for(p->buffers, range);

		if (!root)
			return false;
		p->root = root;
	}
	return true;
}

/* ---- the two ends ---- */

static bool plan_in(struct plan *p, struct node *node, struct busway_range range);

static bool plan_slot(struct plan *p, struct node *node, unsigned index, struct busway_range range)
{
	const struct busway_range slot = slot_range(node, index);
	const word old = load(&node->slot[index]);
	struct busway_range part = slot;
	word w;

	if (busway_range_within(slot, range))
		return true;
	busway_range_common(slot, range, &part);
	if (kind_of(old) == NODE)
		return plan_in(p, node_from(old), part);
	w = word_with(p->buffers, old, slot, node->shift, part, p->record);
	if (!w)
		return false;
	p->edits[p->count++] = (struct edit){node, index, w};
	return true;
}

static bool plan_in(struct plan *p, struct node *node, struct busway_range range)
{
	const unsigned first = index_of(node->shift, range.first);
	const unsigned last = index_of(node->shift, range.last);

	return plan_slot(p, node, first, range) &&
	       (first == last || plan_slot(p, node, last, range));
}

/* ---- publishing ---- */

/* The slots that the buffer covers as a whole. */
static void publish_in(const struct plan *p, struct node *node, struct busway_range range)
{
	const unsigned last = index_of(node->shift, range.last);
	const word whole = word_for_whole(p->record);

	for (unsigned i = index_of(node->shift, range.first); i <= last; i++) {
		const struct busway_range slot = slot_range(node, i);
		const word old = load(&node->slot[i]);
		struct busway_range part = slot;

		if (busway_range_within(slot, range)) {
			slot_set(node, i, whole, p->record);
		} else if (kind_of(old) == NODE) {
			busway_range_common(slot, range, &part);
			publish_in(p, node_from(old), part);
		}
	}
}

static void publish(struct plan *p, struct busway_range range)
{
	struct busway_buffers *buffers = p->buffers;
	struct node *old = atomic_load_explicit(&buffers->root, memory_order_relaxed);
	const bool was_empty = old->used == 0;

	publish_in(p, p->root, range);
	for (unsigned i = 0; i < p->count; i++) {
		const struct edit *edit = &p->edits[i];
		const word replaced = load(&edit->node->slot[edit->index]);

		slot_set(edit->node, edit->index, edit->w, NULL);
		if (kind_of(replaced) == CELL)
			retire_cell(buffers, cell_from(replaced));
	}
	if (p->root == old)
		return;
	atomic_store_explicit(&buffers->root, p->root, memory_order_release);
	if (was_empty)
		retire_node(buffers, old);
}

static int enter(struct busway_buffers *buffers, struct node *root, struct record *record)
{
	struct plan plan = {.buffers = buffers, .record = record, .root = root};

	if (grow(&plan, record->buffer.va) && plan_in(&plan, plan.root, record->buffer.va)) {
		publish(&plan, record->buffer.va);
		return 0;
	}
	for (unsigned i = 0; i < plan.count; i++)
		word_discard(buffers, plan.edits[i].w);
	shrink(&plan, root);
	return -BUSWAY_ENOMEM;
}

int busway_buffers_register(struct busway_buffers *buffers, const struct busway_buffer *buffer,
			    struct busway_refusal *why)
{
	struct node *root = atomic_load_explicit(&buffers->root, memory_order_relaxed);
	const struct busway_range va = buffer->va;
	const struct record *other;
	struct record *record;

	if (va.first > va.last || (unsigned)buffer->access > BUSWAY_READ_WRITE ||
	    (buffer->access && busway_range_span(va) > UINT64_MAX - buffer->dma.raw))
		return -BUSWAY_EINVAL;
	other = look_in(root, va);
	if (other)
		return buffers_refuse(buffers, BUSWAY_BUFFER_OVERLAP, va, &other->buffer.va, why);
	record = shape_take(buffers, SHAPE_RECORD);
	if (!record)
		return -BUSWAY_ENOMEM;
	record->buffer = *buffer;
	if (enter(buffers, root, record)) {
		shape_give(buffers, SHAPE_RECORD, record);
		return -BUSWAY_ENOMEM;
	}
	buffers->count++;
	return 0;
}
