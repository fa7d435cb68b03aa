/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glance.c - lists where nothing stands in the way: what mapping one costs mostly.
 */
#include "list.h"

/* A run of memory of which the device reaches every part: .first at .dma, and so on. */
struct view {
	uint64_t first, span, dma;
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
		.dma = run->dma_first,
	};
}

/* Does @segment end in front of @dma? No segment is behind address 0. */
static bool adjoins(const struct busway_mapped *segment, uint64_t dma)
{
	return dma != 0 && dma - 1 == segment->dma.last.raw;
}

/* Entries as far as one view sees them, and the segments that they become. */
struct filled {
	const struct busway_phys_range *entry, *end;
	struct busway_mapped *next; /* there is room for as many as there are entries */
	uint64_t size;              /* of all entries so far, but a byte each */
};

/* False: the view does not see the first one. An entry at @behind (0: none) goes on with the last
 * segment; within a view each that adjoins the one before does. All is counted from where the view
 * begins. */
static inline bool fill(struct filled *f, struct view view, uint64_t behind)
{
	const struct busway_phys_range *entry = f->entry;
	struct busway_mapped *next = f->next;
	uint64_t size = f->size;
	uint64_t goes_on = behind ? behind - view.first : UINT64_MAX; /* no entry begins there */

	for (; entry < f->end; entry++) {
		const uint64_t first = entry->first.raw - view.first;
		const uint64_t last = entry->last.raw - view.first;

		if (!LIKELY(last <= view.span && first <= last)) /* also if it is upside down */
			break;
		if (LIKELY(first != goes_on)) {
			next->dma.first.raw = view.dma + first;
			next->phys.raw = view.first + first;
			next->pool_ = NULL;
			next++;
		}
		next[-1].dma.last.raw = view.dma + last;
		goes_on = last + 1;
		size += last - first;
	}
	if (entry == f->entry)
		return false;
	*f = (struct filled){entry, f->end, next, size};
	return true;
}

/* The segments, and the bytes of all entries; 0: the list has to be looked at closely, whatever was
 * filled. */
static size_t glance(const struct busway_lane *lane, const struct busway_phys_range *entries,
		     size_t count, enum busway_access access, struct busway_mapped *segments,
		     uint64_t *size)
{
	struct filled f = {entries, entries + count, segments, 0};

	do {
		const uint64_t first = f.entry->first.raw;
		const struct view view = look(lane, first, access);
		const bool joins =
			f.next > segments && adjoins(f.next - 1, first - view.first + view.dma);

		if (!fill(&f, view, joins ? f.entry[-1].last.raw + 1 : 0))
			return 0;
	} while (f.entry < f.end);
	*size = f.size + count;
	return (size_t)(f.next - segments);
}

bool list_at_a_glance(struct busway_lane *lane, const struct busway_phys_range *entries,
		      size_t count, enum busway_direction direction, unsigned attributes,
		      struct busway_mapped *segments, struct busway_mapping *mapping)
{
	const uint32_t most = lane->device->segments.max_count;
	uint64_t size;
	const size_t filled =
		glance(lane, entries, count, (enum busway_access)direction, segments, &size);

	if (!filled || (most && filled > most))
		return false;
	describe_any(mapping, BUSWAY_KIND_LIST, size, direction, attributes);
	mapping->segments = segments;
	mapping->segment_count = (uint32_t)filled;
	mapping->entry_count = (uint32_t)count;
	mapping->way = BUSWAY_WAY_DIRECT;
	mapping->lane_ = lane;
	mapping->dma = segments[0].dma.first;
	mapping->state_ = STATE_LIVE;
	live_add(lane, mapping);
	return true;
}
