/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - scatter-gather lists: parts that are reached as they are, parts that bounce; joined, and
 * cut; all or nothing. Read list.h first.
 *
 *   entries    |  a     |  b  |    c           |
 *   reached    ==========     =======    =======
 *   segments   |  1      | 2  |  3   | 4 |  5  |     2 and 4 bounce; a and a part of b are joined
 */
#include "list.h"

/* ---- segments ---- */

/* The CPU must find it as one run, where its caches need care. */
static bool can_be_cleaned(const struct busway_lane *lane, struct busway_range phys)
{
	return !lane->device->caches || pointer_to(lane->device->dma, phys);
}

/* Segments that adjoin for the device are one run, within its limits. */
static void count_run(struct list *list, struct busway_range dma)
{
	const struct busway_segment_limits *limits = &list->lane->device->segments;
	struct busway_range run = list->run;

	if (!list->runs || !busway_range_adjoins(run, dma)) {
		run = (struct busway_range){dma.first, dma.first};
		list->runs++;
	}
	run.last = dma.last;
	for (;;) {
		list->run = limit_segment(limits, run);
		if (list->run.last == dma.last)
			return;
		run.first = list->run.last + 1;
		list->runs++;
	}
}

static void put(struct list *list, const struct busway_mapped *segment)
{
	count_run(list, busway_dma_raw(segment->dma));
	list->last = *segment;
	list->closed = false;
	list->count++;
	if (list->count <= list->capacity)
		list->segments[list->count - 1] = *segment;
}

/* How many bytes of what is at @phys and @dma the last segment may go on with; 0: none. */
static uint64_t room_in_last(const struct list *list, struct busway_range phys, uint64_t dma)
{
	const struct busway_mapped *last = &list->last;
	const struct busway_range both = {last->dma.first.raw, dma + busway_range_span(phys)};
	struct busway_range fits;

	if (!list->count || list->closed || dma == 0 || last->dma.last.raw != dma - 1 ||
	    phys.first - last->phys.raw != dma - both.first)
		return 0;
	fits = limit_segment(&list->lane->device->segments, both);
	if (fits.last < dma ||
	    !can_be_cleaned(list->lane,
			    (struct busway_range){last->phys.raw,
						  last->phys.raw + busway_range_span(fits)}))
		return 0;
	return fits.last - dma + 1;
}

void list_put_direct(struct list *list, struct busway_range phys, uint64_t dma)
{
	const uint64_t last = dma + busway_range_span(phys);
	const uint64_t room = room_in_last(list, phys, dma);

	if (room) {
		count_run(list, (struct busway_range){dma, dma + (room - 1)});
		list->last.dma.last.raw = dma + (room - 1);
		if (list->count <= list->capacity)
			list->segments[list->count - 1] = list->last;
		if (dma + (room - 1) == last)
			return;
		phys.first += room;
		dma += room;
	}
	for (;;) {
		const struct busway_range part = limit_segment(&list->lane->device->segments,
							       (struct busway_range){dma, last});
		const struct busway_mapped segment = {
			.dma = {{part.first}, {part.last}},
			.phys = {phys.first},
		};

		put(list, &segment);
		if (part.last == last)
			return;
		phys.first += busway_range_span(part) + 1;
		dma = part.last + 1;
	}
}

struct busway_range list_first_piece(const struct list *list, struct busway_range phys)
{
	const struct busway_segment_limits *limits = &list->lane->device->segments;
	const uint64_t kept = phys.first & list->lane->min_align_mask;
	uint64_t most = limits->max_size;

	if (limits->boundary) {
		const uint64_t room = limits->boundary - (kept & (limits->boundary - 1));

		if (!most || room < most)
			most = room;
	}
	if (most && busway_range_span(phys) > most - 1)
		phys.last = phys.first + (most - 1);
	return phys;
}

void list_count_bounced(struct list *list, const struct busway_mapped *segment)
{
	struct busway_plan *plan = list->plan;

	plan->bounced_bytes += busway_range_span(busway_dma_raw(segment->dma)) + 1;
	plan->slot_bytes += pool_offset(bounced_slots(segment));
}

static int put_bounced(struct list *list, struct busway_range phys)
{
	const struct trial trial = {list->plan != NULL, list->held};

	for (;;) {
		const struct busway_range piece = list_first_piece(list, phys);
		struct busway_mapped segment = {0};
		int status = 0;

		/* without a place to note slots in, count on as if there were some */
		if (list->plan || list->count < list->capacity)
			status = serve_bounced(list->lane, piece, list->direction, list->attributes,
					       &trial, &segment, list->why);
		if (status)
			return status;
		list_put_slots(list, &segment);
		if (list->plan)
			list_count_bounced(list, &segment);
		if (piece.last == phys.last)
			return 0;
		phys.first = piece.last + 1;
	}
}

/* ---- entries ---- */

/* The first part of @phys that is reached as it is. */
static bool reached(const struct list *list, struct busway_range phys, struct way *way)
{
	return reach_leading(list->lane->reach, phys, (enum busway_access)list->direction,
			     &list->lane->device->segments, list->lane->min_align_mask, way);
}

/* What is not reached at @phys.first goes on until there. */
static uint64_t end_of_gap(const struct list *list, struct busway_range phys)
{
	struct way way;

	do {
		const uint64_t last = reach_next_run(list->lane->reach, phys);

		if (last == phys.last)
			return last;
		phys.first = last + 1;
	} while (!reached(list, phys, &way));
	return phys.first - 1;
}

static bool has_gap(const struct list *list, struct busway_range phys)
{
	struct way way;

	while (reached(list, phys, &way)) {
		if (way.phys_last == phys.last)
			return false;
		phys.first = way.phys_last + 1;
	}
	return true;
}

static int put_parts(struct list *list, struct busway_range phys)
{
	int status = 0;

	for (;;) {
		struct busway_range part = phys;
		struct way way;

		if (reached(list, phys, &way)) {
			part.last = way.phys_last;
			list_put_direct(list, part, way.dma);
		} else {
			part.last = end_of_gap(list, phys);
			status = put_bounced(list, part);
		}
		if (status || part.last == phys.last)
			return status;
		phys.first = part.last + 1;
	}
}

/* May parts of it bounce, and others not? Where caches need care, a cut might lie inside a line. */
static bool may_bounce_in_part(const struct list *list)
{
	const struct busway_dma_device *device = list->lane->device;

	return !list->whole_entries && !device->caches &&
	       !(list->attributes & BUSWAY_MAP_NO_BOUNCE) &&
	       atomic_load_explicit(&device->streaming.spans.count, memory_order_acquire);
}

static int put_entry(struct list *list, struct busway_range phys)
{
	const struct busway_dma_device *device = list->lane->device;
	uint64_t dma;

	/* what can't be cleaned is refused there */
	if (device->bounce || device->untrusted || !can_be_cleaned(list->lane, phys) ||
	    shares_lines(device, phys, list->direction, list->attributes))
		return put_bounced(list, phys);
	if (is_direct(list->lane, phys, list->direction, list->attributes, &dma)) {
		list_put_direct(list, phys, dma);
		return 0;
	}
	if (!has_gap(list, phys))
		return put_parts(list, phys);
	list->in_parts = true;
	return may_bounce_in_part(list) ? put_parts(list, phys) : put_bounced(list, phys);
}

bool list_makes_sense(struct busway_range phys)
{
	return phys.first <= phys.last && busway_range_span(phys) != UINT64_MAX;
}

/* ---- the list ---- */

void list_give_back(struct list *list)
{
	const size_t kept = list->count < list->capacity ? list->count : list->capacity;

	for (size_t i = 0; i < kept; i++)
		slots_free(list->lane, &list->segments[i]);
	slots_freed(list->lane);
}

void list_mark_high_water(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->segments[i].pool_ &&
		    (i == 0 || list->segments[i].pool_ != list->segments[i - 1].pool_))
			slot_pool_mark(&list->segments[i].pool_->slots);
}

static int refuse_count(struct list *list, struct busway_range first)
{
	const uint32_t most = list->lane->device->segments.max_count;

	refuse_as(list->lane, BUSWAY_SEGMENT_LIMITS, first, list->why);
	list->why->has_limit = true;
	list->why->limit = (struct busway_range){1, most};
	list->why->needed = list->runs;
	list->too_many = true;
	return -BUSWAY_ERANGE;
}

void list_put_slots(struct list *list, const struct busway_mapped *segment)
{
	put(list, segment);
	list->closed = true;
}

int list_check_runs(struct list *list, struct busway_range first)
{
	const uint32_t most = list->lane->device->segments.max_count;

	return most && list->runs > most ? refuse_count(list, first) : 0;
}

static int serve_entries(struct list *list, const struct busway_phys_range *entries, size_t count)
{
	int status = 0;

	list->count = list->runs = 0;
	for (size_t i = 0; i < count && status == 0; i++) {
		const struct busway_range phys = busway_phys_raw(entries[i]);
		const uint64_t bounced = list->plan ? list->plan->bounced_bytes : 0;

		status = list_makes_sense(phys) ? put_entry(list, phys) : -BUSWAY_EINVAL;
		if (list->plan)
			list->plan->bounced_entries += list->plan->bounced_bytes != bounced;
	}
	return status;
}

int list_serve(struct list *list, const struct busway_phys_range *entries, size_t count)
{
	int status = serve_entries(list, entries, count);

	/* segments for which there was no place count as runs of their own: look at the place first
	 */
	if (status == 0 && !list->plan && list->count > list->capacity) {
		status = -BUSWAY_ENOSPC;
		list->too_many = true;
	}
	if (status == 0)
		status = list_check_runs(list, busway_phys_raw(entries[0]));
	if (status && !list->plan)
		list_give_back(list);
	return status;
}

bool list_again(struct list *list)
{
	if (!list->too_many || !list->in_parts || list->whole_entries)
		return false;
	list->whole_entries = true;
	list->too_many = false;
	return true;
}

uint64_t list_size(const struct busway_phys_range *entries, size_t count)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += busway_range_span(busway_phys_raw(entries[i])) + 1;
	return size;
}

/* ---- mapping ---- */

__attribute__((noinline)) static int map_slowly(struct list *list,
						const struct busway_phys_range *entries,
						size_t count, struct busway_mapping *mapping,
						size_t *needed)
{
	struct busway_refusal own_why;
	size_t most;
	int status;

	if (!list->why)
		list->why = &own_why;
	if (list->lane->device->domain) {
		status = translated_map(list, entries, count, mapping, needed);
		if (status)
			map_ended(list->lane, mapping, STATE_REFUSED);
		return status;
	}
	status = list_serve(list, entries, count);
	most = list->count;
	if (status && list_again(list)) {
		const bool no_room = status == -BUSWAY_ENOSPC;

		status = list_serve(list, entries, count);
		if (status == -BUSWAY_ENOSPC)
			most = list->count;
		else if (status && no_room) /* with more room it would do as it was */
			status = -BUSWAY_ENOSPC;
	}
	if (status == -BUSWAY_ENOSPC && needed)
		*needed = most;
	if (status) {
		map_ended(list->lane, mapping, STATE_REFUSED);
		return status;
	}
	list_mark_high_water(list);
	list_describe(mapping, list, list_size(entries, count), count);
	map_finish(list->lane, mapping);
	return 0;
}

bool busway_mapping_next_run(const struct busway_mapping *mapping, struct busway_runs *at,
			     struct busway_dma_range *run)
{
	const struct busway_mapped *segment, *end;
	struct busway_range all;

	if (!is_live(mapping) || at->segment_ == mapping->segment_count)
		return false;
	segment = &mapping->segments[at->segment_];
	end = mapping->segments + mapping->segment_count;
	all = busway_dma_raw(segment->dma);
	if (at->inside_)
		all.first = at->next_;
	while (segment + 1 != end && busway_range_adjoins(all, busway_dma_raw(segment[1].dma)))
		all.last = (++segment)->dma.last.raw;
	*run = busway_dma_range(limit_segment(&mapping->lane_->device->segments, all));
	/* the rest of it goes on in the last of those segments, or before: they adjoin */
	at->inside_ = run->last.raw != all.last;
	at->next_ = run->last.raw + 1;
	at->segment_ = (uint32_t)(segment - mapping->segments) + !at->inside_;
	return true;
}

int busway_map_list(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		    enum busway_direction direction, unsigned attributes,
		    struct busway_mapped *segments, size_t capacity, struct busway_mapping *mapping,
		    size_t *needed, struct busway_refusal *why)
{
	if (!count || count > UINT32_MAX || !map_arguments(lane, mapping, direction))
		return -BUSWAY_EINVAL;
	if (LIKELY(lane->plain && capacity >= count) &&
	    list_at_a_glance(lane, entries, count, direction, attributes, segments, mapping))
		return 0;
	return map_slowly(
		&(struct list){
			.lane = lane,
			.direction = direction,
			.attributes = attributes,
			.segments = segments,
			.capacity = capacity < UINT32_MAX ? capacity : UINT32_MAX,
			.why = why,
		},
		entries, count, mapping, needed);
}
