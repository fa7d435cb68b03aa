/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glance.c - lists where nothing stands in the way: what mapping one costs mostly.
 */
#include "list.h"

/* A run of memory of which the device reaches every part. */
struct view {
	uint64_t first, span, dma;
};

/* The run at @phys, where it is certain at a glance and the low bits are kept. */
static bool look(const struct busway_lane *lane, uint64_t phys, enum busway_access access,
		 struct view *view)
{
	const struct reach_run *run = reach_run_glance(lane->reach, phys);

	if (!run || lane->reach->aliased || (run->access & access) != access ||
	    !keeps_low_bits(lane, run->phys_first, run->dma_first))
		return false;
	*view = (struct view){run->phys_first, run->phys_last - run->phys_first, run->dma_first};
	/* no entry is all 2^64 bytes */
	if (view->span == UINT64_MAX)
		view->span--;
	return true;
}

/* Also false where the range is upside down: then its span leads behind the end. */
static inline bool sees(const struct view *view, struct busway_range phys)
{
	const uint64_t at = phys.first - view->first;

	return at <= view->span && phys.last - phys.first <= view->span - at;
}

/* The segments; 0: the list has to be looked at closely, whatever was filled. */
static size_t glance(const struct busway_lane *lane, const struct busway_phys_range *entries,
		     size_t count, enum busway_access access, struct busway_mapped *segments,
		     size_t capacity)
{
	uint64_t dma_behind = 0, phys_behind = 0; /* the last segment; none is behind address 0 */
	struct view view;
	size_t filled = 0;

	if (!look(lane, entries[0].first.raw, access, &view))
		return 0;
	for (size_t i = 0; i < count; i++) {
		const struct busway_range phys = busway_phys_raw(entries[i]);
		uint64_t dma;

		if (!sees(&view, phys) &&
		    !(look(lane, phys.first, access, &view) && sees(&view, phys)))
			return 0;
		dma = view.dma + (phys.first - view.first);
		if (!dma_behind || dma != dma_behind || phys.first != phys_behind) {
			if (filled == capacity)
				return 0;
			segments[filled].dma.first.raw = dma;
			segments[filled].phys.raw = phys.first;
			segments[filled++].pool_ = NULL;
		}
		dma_behind = dma + (phys.last - phys.first) + 1;
		phys_behind = phys.last + 1;
		segments[filled - 1].dma.last.raw = dma_behind - 1;
	}
	return filled;
}

bool list_at_a_glance(const struct list *list, const struct busway_phys_range *entries,
		      size_t count, struct busway_mapping *mapping)
{
	struct busway_lane *lane = list->lane;
	const uint32_t most = lane->device->segments.max_count;
	size_t filled;

	if (!lane->plain || !list->capacity)
		return false;
	filled = glance(lane, entries, count, (enum busway_access)list->direction, list->segments,
			list->capacity);
	if (!filled || (most && filled > most))
		return false;
	list_describe(mapping, list, entries, count, filled);
	mapping->way = BUSWAY_WAY_DIRECT;
	mapping->lane_ = lane;
	mapping->dma = list->segments[0].dma.first;
	mapping->state_ = STATE_LIVE;
	live_add(lane, mapping);
	return true;
}
