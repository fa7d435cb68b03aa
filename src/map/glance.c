/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glance.c - lists where nothing stands in the way: what mapping one costs mostly.
 */
#include "list.h"

/* A run of memory of which the device reaches every part: at its address + .ahead, modulo 2^64. */
struct view {
	uint64_t first, span, ahead;
};

/* The run at @phys, where it is certain at a glance and the low bits are kept; else one elsewhere.
 */
static struct view look(const struct busway_lane *lane, uint64_t phys, enum busway_access access)
{
	const struct reach_run *run = reach_run_glance(lane->reach, phys);
	uint64_t span;

	if (!run || lane->reach->aliased || (run->access & access) != access ||
	    !keeps_low_bits(lane, run->phys_first, run->dma_first))
		return (struct view){phys + 1, 0, 0};
	span = run->phys_last - run->phys_first;
	return (struct view){
		.first = run->phys_first,
		.span = span == UINT64_MAX ? span - 1 : span, /* no entry is all 2^64 bytes */
		.ahead = run->dma_first - run->phys_first,
	};
}

/* Also false where the range is upside down: then its span leads behind the end. */
static inline bool sees(struct view view, struct busway_range phys)
{
	const uint64_t at = phys.first - view.first;

	return at <= view.span && phys.last - phys.first <= view.span - at;
}

/* Does @segment end in front of @dma? No segment is behind address 0. */
static bool adjoins(const struct busway_mapped *segment, uint64_t dma)
{
	return dma != 0 && dma - 1 == segment->dma.last.raw;
}

/* The segments, and the bytes of all entries; 0: the list has to be looked at closely, whatever was
 * filled. */
static size_t glance(const struct busway_lane *lane, const struct busway_phys_range *entries,
		     size_t count, enum busway_access access, struct busway_mapped *segments,
		     size_t capacity, uint64_t *size)
{
	struct view view = look(lane, entries[0].first.raw, access);
	struct busway_mapped *next = segments, *const full = segments + capacity;
	uint64_t behind = ~entries[0].first.raw; /* the memory of the last segment */

	*size = count;
	for (size_t i = 0; i < count; i++) {
		const struct busway_range phys = busway_phys_raw(entries[i]);
		const uint64_t span = phys.last - phys.first;

		if (!LIKELY(sees(view, phys))) {
			view = look(lane, phys.first, access);
			if (!sees(view, phys))
				return 0;
			if (next > segments && !adjoins(next - 1, phys.first + view.ahead))
				behind = ~phys.first; /* in memory only */
		}
		if (phys.first != behind) {
			if (next == full)
				return 0;
			next->dma.first.raw = phys.first + view.ahead;
			next->phys.raw = phys.first;
			next->pool_ = NULL;
			next++;
		}
		next[-1].dma.last.raw = phys.last + view.ahead;
		behind = phys.last + 1;
		*size += span;
	}
	return (size_t)(next - segments);
}

bool list_at_a_glance(const struct list *list, const struct busway_phys_range *entries,
		      size_t count, struct busway_mapping *mapping)
{
	struct busway_lane *lane = list->lane;
	const uint32_t most = lane->device->segments.max_count;
	uint64_t size;
	size_t filled;

	if (!lane->plain || !list->capacity)
		return false;
	filled = glance(lane, entries, count, (enum busway_access)list->direction, list->segments,
			list->capacity, &size);
	if (!filled || (most && filled > most))
		return false;
	list_describe(mapping, list, size, count, filled);
	mapping->way = BUSWAY_WAY_DIRECT;
	mapping->lane_ = lane;
	mapping->dma = list->segments[0].dma.first;
	mapping->state_ = STATE_LIVE;
	live_add(lane, mapping);
	return true;
}
