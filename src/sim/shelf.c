/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shelf.c - see shelf.h.
 */
#include "shelf.h"

#include <busway/status.h>

#include <string.h>

void shelf_init(struct shelf *shelf, const struct busway_allocator *memory)
{
	*shelf = (struct shelf){.memory = memory};
}

void shelf_clear(struct shelf *shelf)
{
	if (shelf->items)
		shelf->memory->free(shelf->memory->ctx, shelf->items,
				    shelf->capacity * sizeof(*shelf->items),
				    _Alignof(struct shelf_item));
	shelf_init(shelf, shelf->memory);
}

int shelf_reserve(struct shelf *shelf, size_t more)
{
	const struct busway_allocator *m = shelf->memory;
	size_t capacity = shelf->capacity ? shelf->capacity : 16;
	struct shelf_item *items;

	if (more <= shelf->capacity - shelf->count)
		return 0;
	while (capacity - shelf->count < more)
		capacity *= 2;
	items = m->alloc(m->ctx, capacity * sizeof(*items), _Alignof(struct shelf_item));
	if (!items)
		return -BUSWAY_ENOMEM;
	if (shelf->items) {
		memcpy(items, shelf->items, shelf->count * sizeof(*items));
		m->free(m->ctx, shelf->items, shelf->capacity * sizeof(*items),
			_Alignof(struct shelf_item));
	}
	shelf->items = items;
	shelf->capacity = capacity;
	return 0;
}

size_t shelf_upto(const struct shelf *shelf, uint32_t owner, uint64_t address)
{
	size_t low = 0, high = shelf->count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const struct shelf_item *item = &shelf->items[middle];

		if (item->owner < owner || (item->owner == owner && item->range.first <= address))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void shelf_add(struct shelf *shelf, struct shelf_item item)
{
	const size_t at = shelf_upto(shelf, item.owner, item.range.first);

	memmove(&shelf->items[at + 1], &shelf->items[at],
		(shelf->count - at) * sizeof(*shelf->items));
	shelf->items[at] = item;
	shelf->count++;
	if (busway_range_span(item.range) > shelf->longest)
		shelf->longest = busway_range_span(item.range);
}

void shelf_remove(struct shelf *shelf, struct shelf_item item)
{
	size_t at = shelf_upto(shelf, item.owner, item.range.first);

	while (at && shelf->items[at - 1].thing != item.thing)
		at--;
	if (!at)
		return;
	memmove(&shelf->items[at - 1], &shelf->items[at],
		(shelf->count - at) * sizeof(*shelf->items));
	if (--shelf->count == 0)
		shelf->longest = 0;
}

const struct shelf_item *shelf_next(const struct shelf *shelf, uint32_t owner,
				    struct busway_range range, size_t *at)
{
	while (*at) {
		const struct shelf_item *item = &shelf->items[--*at];

		if (item->owner != owner || (item->range.first < range.first &&
					     range.first - item->range.first > shelf->longest))
			break;
		if (busway_range_overlaps(item->range, range))
			return item;
	}
	*at = 0;
	return NULL;
}
