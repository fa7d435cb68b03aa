/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shelf.h - things by address: sorted by owner and first address; they may overlap.
 *
 * To add and to remove moves pointers of what lies behind. Who covers an address is found by going
 * back from there, as far as the longest thing is long.
 */
#ifndef BUSWAY_SIM_SHELF_H
#define BUSWAY_SIM_SHELF_H

#include <busway/addr.h>
#include <busway/allocator.h>

struct shelf_item {
	uint32_t owner;
	struct busway_range range;
	void *thing;
};

struct shelf {
	struct shelf_item *items;
	size_t count, capacity;
	uint64_t longest; /* span of the longest thing that there was since it was empty */
	const struct busway_allocator *memory;
};

void shelf_init(struct shelf *shelf, const struct busway_allocator *memory);
void shelf_clear(struct shelf *shelf);

/* Make room for @more things, so that adding them does not fail. 0, -BUSWAY_ENOMEM. */
int shelf_reserve(struct shelf *shelf, size_t more);

/* There is room. */
void shelf_add(struct shelf *shelf, struct shelf_item item);

/* @item as it was added, if it was. */
void shelf_remove(struct shelf *shelf, struct shelf_item item);

/* How many things of @owner, or of owners before it, begin at @address or before it. */
size_t shelf_upto(const struct shelf *shelf, uint32_t owner, uint64_t address);

/*
 * Go through what overlaps @range, from behind: begin with *@at = shelf_upto(range.last), until
 * NULL.
 */
const struct shelf_item *shelf_next(const struct shelf *shelf, uint32_t owner,
				    struct busway_range range, size_t *at);

#endif
