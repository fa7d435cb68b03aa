/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intervals.c - sets of addresses as sorted runs. Read <busway/intervals.h> first.
 *
 * Additions and removals are one operation, splice(): the runs i..j-1 that the change touches
 * are replaced by up to two others.
 */
#include <busway/intervals.h>

#include "../base/bytes.h"

void busway_intervals_init(struct busway_intervals *set, const struct busway_allocator *memory)
{
	*set = (struct busway_intervals){.memory_ = memory};
}

void busway_intervals_clear(struct busway_intervals *set)
{
	if (set->runs)
		set->memory_->free(set->memory_->ctx, set->runs,
				   set->capacity_ * sizeof(*set->runs),
				   _Alignof(struct busway_range));
	busway_intervals_init(set, set->memory_);
}

size_t busway_intervals_find(const struct busway_intervals *set, uint64_t address)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->runs[middle].last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool busway_intervals_has(const struct busway_intervals *set, uint64_t address)
{
	size_t i = busway_intervals_find(set, address);

	return i < set->count && set->runs[i].first <= address;
}

bool busway_intervals_holds(const struct busway_intervals *set, struct busway_range range)
{
	size_t i = busway_intervals_find(set, range.first);

	return i < set->count && busway_range_within(range, set->runs[i]);
}

bool busway_intervals_bytes(const struct busway_intervals *set, uint64_t *bytes)
{
	*bytes = 0;
	if (set->count == 1 && busway_range_span(set->runs[0]) == UINT64_MAX)
		return false;
	for (size_t i = 0; i < set->count; i++)
		*bytes += busway_range_span(set->runs[i]) + 1;
	return true;
}

static int reserve(struct busway_intervals *set, size_t count)
{
	const struct busway_allocator *memory = set->memory_;
	size_t capacity = set->capacity_ ? set->capacity_ : 4;
	struct busway_range *runs;

	if (count <= set->capacity_)
		return 0;
	while (capacity < count)
		capacity *= 2;
	if (capacity > SIZE_MAX / sizeof(*runs))
		return -BUSWAY_ENOMEM;
	runs = memory->alloc(memory->ctx, capacity * sizeof(*runs), _Alignof(struct busway_range));
	if (!runs)
		return -BUSWAY_ENOMEM;
	if (set->runs) {
		memcpy(runs, set->runs, set->count * sizeof(*runs));
		memory->free(memory->ctx, set->runs, set->capacity_ * sizeof(*runs),
			     _Alignof(struct busway_range));
	}
	set->runs = runs;
	set->capacity_ = capacity;
	return 0;
}

/* Replace runs i..j-1 by the @count runs at @by. */
static int splice(struct busway_intervals *set, size_t i, size_t j, const struct busway_range *by,
		  size_t count)
{
	size_t total = set->count - (j - i) + count;
	int status = reserve(set, total);

	if (status)
		return status;
	if (total) {
		memmove(set->runs + i + count, set->runs + j,
			(set->count - j) * sizeof(*set->runs));
		memcpy(set->runs + i, by, count * sizeof(*by));
	}
	set->count = total;
	return 0;
}

int busway_intervals_add(struct busway_intervals *set, struct busway_range range)
{
	/* runs that touch or adjoin the range: widen it by one on both sides, where there is one */
	size_t i = busway_intervals_find(set, range.first ? range.first - 1 : 0);
	size_t j = i;

	while (j < set->count &&
	       (set->runs[j].first <= range.last || busway_range_adjoins(range, set->runs[j]))) {
		if (set->runs[j].first < range.first)
			range.first = set->runs[j].first;
		if (set->runs[j].last > range.last)
			range.last = set->runs[j].last;
		j++;
	}
	return splice(set, i, j, &range, 1);
}

int busway_intervals_remove(struct busway_intervals *set, struct busway_range range)
{
	size_t i = busway_intervals_find(set, range.first);
	size_t j = i, count = 0;
	struct busway_range rest[2];

	while (j < set->count && set->runs[j].first <= range.last)
		j++;
	if (i == j)
		return 0;
	if (set->runs[i].first < range.first)
		rest[count++] = (struct busway_range){set->runs[i].first, range.first - 1};
	if (set->runs[j - 1].last > range.last)
		rest[count++] = (struct busway_range){range.last + 1, set->runs[j - 1].last};
	return splice(set, i, j, rest, count);
}

int busway_intervals_keep(struct busway_intervals *set, struct busway_range range)
{
	struct busway_range one = range;
	const struct busway_intervals other = {.runs = &one, .count = 1};

	return busway_intervals_intersect(set, &other);
}

/* @set is exchanged for @made, whose old place takes what @set held. */
static void adopt(struct busway_intervals *set, struct busway_intervals *made)
{
	struct busway_intervals old = *set;

	*set = *made;
	busway_intervals_clear(&old);
}

int busway_intervals_intersect(struct busway_intervals *set, const struct busway_intervals *other)
{
	struct busway_intervals made;
	size_t i = 0, j = 0;

	busway_intervals_init(&made, set->memory_);
	while (i < set->count && j < other->count) {
		struct busway_range common;

		if (busway_range_common(set->runs[i], other->runs[j], &common) &&
		    splice(&made, made.count, made.count, &common, 1) != 0) {
			busway_intervals_clear(&made);
			return -BUSWAY_ENOMEM;
		}
		if (set->runs[i].last < other->runs[j].last)
			i++;
		else
			j++;
	}
	adopt(set, &made);
	return 0;
}

int busway_intervals_subtract(struct busway_intervals *set, const struct busway_intervals *other)
{
	struct busway_intervals made;
	int status = 0;

	busway_intervals_init(&made, set->memory_);
	for (size_t i = 0; i < set->count && status == 0; i++)
		status = splice(&made, made.count, made.count, &set->runs[i], 1);
	for (size_t j = 0; j < other->count && status == 0; j++)
		status = busway_intervals_remove(&made, other->runs[j]);
	if (status) {
		busway_intervals_clear(&made);
		return status;
	}
	adopt(set, &made);
	return 0;
}
