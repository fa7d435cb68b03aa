/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intervals.h - a set of addresses, kept as sorted, disjoint, never adjoining ranges.
 *
 *   add 2..5, 9..9        [----]   []
 *   add 6..8              [--------]          what adjoins becomes one run
 *   remove 4..4           [-] [----]
 *
 * Lookups are binary searches; add and remove move the runs behind the place of change.
 * A set is not locked: one writer, or any number of readers, at a time.
 */
#ifndef BUSWAY_INTERVALS_H
#define BUSWAY_INTERVALS_H

#include <busway/addr.h>
#include <busway/allocator.h>
#include <busway/status.h>

struct busway_intervals {
	struct busway_range *runs; /* sorted, disjoint, not adjoining; read freely */
	size_t count;
	size_t capacity_;
	const struct busway_allocator *memory_;
};

/* An empty set that takes its memory from @memory, which must outlive it. */
void busway_intervals_init(struct busway_intervals *set, const struct busway_allocator *memory);

/* Give the memory back; the set is empty and may be used again. */
void busway_intervals_clear(struct busway_intervals *set);

/*
 * Add, remove, or keep only what lies in a range.
 * Return: 0, or -BUSWAY_ENOMEM, with the set as it was.
 */
int busway_intervals_add(struct busway_intervals *set, struct busway_range range);
int busway_intervals_remove(struct busway_intervals *set, struct busway_range range);
int busway_intervals_keep(struct busway_intervals *set, struct busway_range range);

/*
 * @set becomes what is in both sets (or, for _subtract, in @set and not in @other).
 * Linear in the number of runs. Return: 0, or -BUSWAY_ENOMEM, with @set as it was.
 */
int busway_intervals_intersect(struct busway_intervals *set, const struct busway_intervals *other);
int busway_intervals_subtract(struct busway_intervals *set, const struct busway_intervals *other);

/* Index of the first run that ends at or behind @address; set->count if there is none. */
size_t busway_intervals_find(const struct busway_intervals *set, uint64_t address);

bool busway_intervals_has(const struct busway_intervals *set, uint64_t address);

/* Is every address of @range in the set? */
bool busway_intervals_holds(const struct busway_intervals *set, struct busway_range range);

/*
 * Number of addresses in the set, into @bytes.
 * False, with @bytes 0, for the set of all 2^64 addresses, whose number 64 bits cannot hold.
 */
bool busway_intervals_bytes(const struct busway_intervals *set, uint64_t *bytes);

#endif
