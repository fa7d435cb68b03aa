/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * list.c - scatter-gather lists: joined, cut, bounced, all or nothing; and how one would be served.
 */
#include "live.h"

struct list {
	struct busway_lane *lane;
	enum busway_direction direction;
	unsigned attributes;
	struct busway_mapped *segments;
	size_t capacity, count;    /* count goes on where nothing more fits */
	struct busway_mapped last; /* the segment to which the next one may be joined */
	struct busway_plan *plan;  /* only asked: nothing is kept */
	struct busway_refusal *why;
};

/* Who keeps the slots that a plan tries: nobody else has this name. */
static uint32_t planner(const struct busway_lane *lane)
{
	return (uint32_t)1 << 31 | lane->device->id.index << 8 | lane->index;
}

/* ---- segments ---- */

/* The CPU must find it as one run, where its caches need care. */
static bool can_be_cleaned(const struct busway_lane *lane, struct busway_range phys)
{
	return !lane->device->caches || pointer_to(lane->device->dma, phys);
}

static bool joins(const struct list *list, const struct busway_mapped *next)
{
	const struct busway_mapped *last = &list->last;
	const struct busway_range a = busway_dma_raw(last->dma), b = busway_dma_raw(next->dma);

	return list->count && !last->pool_ && !next->pool_ && busway_range_adjoins(a, b) &&
	       next->phys.raw - last->phys.raw == b.first - a.first &&
	       can_be_cleaned(list->lane,
			      (struct busway_range){last->phys.raw,
						    next->phys.raw + (b.last - b.first)}) &&
	       within_limits(&list->lane->device->segments, a.first, b.last - a.first);
}

static void put(struct list *list, const struct busway_mapped *segment)
{
	if (joins(list, segment)) {
		list->last.dma.last = segment->dma.last;
	} else {
		list->last = *segment;
		list->count++;
	}
	if (list->count <= list->capacity)
		list->segments[list->count - 1] = list->last;
}

static void put_at(struct list *list, struct busway_range phys, uint64_t dma)
{
	const struct busway_mapped segment = {
		.dma = {{dma}, {dma + busway_range_span(phys)}},
		.phys = {phys.first},
	};

	put(list, &segment);
}

/* ---- entries ---- */

/* The first part of @phys that may be one segment, as far as windows and limits go. */
static struct busway_range first_part(const struct list *list, struct busway_range phys)
{
	const struct busway_segment_limits *limits = &list->lane->device->segments;
	const enum busway_access access = (enum busway_access)list->direction;
	struct busway_range part = leading_part(list->lane->reach, phys, access);
	uint64_t dma;

	if (!reach_lookup(list->lane->reach, part, access, &dma))
		return part;
	if (limits->max_size && busway_range_span(part) > limits->max_size - 1)
		part.last = part.first + (limits->max_size - 1);
	if (limits->boundary && (dma | (limits->boundary - 1)) - dma < busway_range_span(part))
		part.last = part.first + ((dma | (limits->boundary - 1)) - dma);
	return part;
}

/* All of it without bouncing, in parts? Else the list is as it was. */
static bool put_direct(struct list *list, struct busway_range phys)
{
	const unsigned attributes = list->attributes | BUSWAY_MAP_OWNS_LINES;
	const struct busway_mapped last = list->last;
	const size_t count = list->count;
	uint64_t dma;

	if (!can_be_cleaned(list->lane, phys))
		return false; /* who looks for slots says so */
	if (is_direct(list->lane, phys, list->direction, list->attributes, &dma)) {
		put_at(list, phys, dma);
		return true;
	}
	if (shares_lines(list->lane->device, phys, list->direction, list->attributes))
		return false;
	for (;;) {
		const struct busway_range part = first_part(list, phys);

		if (!is_direct(list->lane, part, list->direction, attributes, &dma)) {
			list->last = last;
			list->count = count;
			if (count && count <= list->capacity)
				list->segments[count - 1] = last;
			return false;
		}
		put_at(list, part, dma);
		if (part.last == phys.last)
			return true;
		phys.first = part.last + 1;
	}
}

/* A bounced segment that was served, for a plan: it is counted and kept by nobody. */
static void count_bounced(struct list *list, const struct busway_mapped *segment)
{
	struct busway_plan *plan = list->plan;

	plan->bounced_bytes += busway_range_span(busway_dma_raw(segment->dma)) + 1;
	plan->slot_bytes += pool_offset(bounced_slots(segment));
	slot_pool_quarantine(&segment->pool_->slots, segment->slot_, planner(list->lane));
}

/* The largest piece that one segment may have. */
static struct busway_range first_piece(const struct list *list, struct busway_range phys)
{
	const struct busway_segment_limits *limits = &list->lane->device->segments;
	uint64_t most = limits->max_size;

	if (!most || (limits->boundary && limits->boundary < most))
		most = limits->boundary;
	if (most && busway_range_span(phys) > most - 1)
		phys.last = phys.first + (most - 1);
	return phys;
}

static int put_bounced(struct list *list, struct busway_range phys)
{
	const struct spans *spans = &list->lane->device->streaming.spans;

	if (list->plan)
		list->plan->bounced_entries++;
	for (;;) {
		const struct busway_range piece = first_piece(list, phys);
		struct busway_mapped segment;
		int status;

		/* there is no place to note slots: count on, as if there were some */
		if (!list->plan && list->count >= list->capacity) {
			list->count++;
			list->last.pool_ = spans->span[0].pool; /* nothing is joined to it */
		} else {
			status = serve_bounced(list->lane, piece, list->direction,
					       list->attributes | MAP_PROBE, &segment, list->why);
			if (status)
				return status;
			put(list, &segment);
			if (list->plan)
				count_bounced(list, &segment);
		}
		if (piece.last == phys.last)
			return 0;
		phys.first = piece.last + 1;
	}
}

/* ---- the list ---- */

static void give_back(struct list *list)
{
	const size_t kept = list->count < list->capacity ? list->count : list->capacity;

	for (size_t i = 0; i < kept; i++)
		slots_free(list->lane, &list->segments[i]);
	slots_freed(list->lane);
}

/* Nothing stands in the way any more: what was taken on trial is in use. */
static void mark_high_water(const struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->segments[i].pool_ &&
		    (i == 0 || list->segments[i].pool_ != list->segments[i - 1].pool_))
			slot_pool_mark(&list->segments[i].pool_->slots);
}

static int refuse_count(const struct list *list, struct busway_range first)
{
	const uint32_t most = list->lane->device->segments.max_count;

	refuse_as(list->lane, BUSWAY_SEGMENT_LIMITS, first, list->why);
	list->why->has_limit = true;
	list->why->limit = (struct busway_range){1, most};
	list->why->needed = list->count;
	return -BUSWAY_ERANGE;
}

/* Serve all entries. On failure nothing is taken. */
static int serve_list(struct list *list, const struct busway_phys_range *entries, size_t count)
{
	const uint32_t most = list->lane->device->segments.max_count;
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++) {
		const struct busway_range phys = busway_phys_raw(entries[i]);

		if (phys.first > phys.last || busway_range_span(phys) == UINT64_MAX)
			status = -BUSWAY_EINVAL;
		else if (!put_direct(list, phys))
			status = put_bounced(list, phys);
	}
	if (status == 0 && most && list->count > most)
		status = refuse_count(list, busway_phys_raw(entries[0]));
	if (status == 0 && !list->plan && list->count > list->capacity)
		status = -BUSWAY_ENOSPC;
	if (status && !list->plan)
		give_back(list);
	return status;
}

static uint64_t total_size(const struct busway_phys_range *entries, size_t count)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++)
		size += busway_range_span(busway_phys_raw(entries[i])) + 1;
	return size;
}

static void fill_in(struct busway_mapping *mapping, const struct list *list,
		    const struct busway_phys_range *entries, size_t count, size_t segments)
{
	mapping->size = total_size(entries, count);
	mapping->segments = list->segments;
	mapping->segment_count = (uint32_t)segments;
	mapping->entry_count = (uint32_t)count;
	mapping->direction = (uint8_t)list->direction;
	mapping->attributes = (uint8_t)list->attributes;
	mapping->kind = BUSWAY_KIND_LIST;
}

/* ---- where nothing stands in the way ---- */

/*
 * The segments of a list that a plain lane's device reaches at a glance; 0: it has to be looked at
 * closely, whatever was filled.
 */
static size_t glance_at(const struct busway_lane *lane, const struct busway_phys_range *entries,
			size_t count, enum busway_access access, struct busway_mapped *segments,
			size_t capacity)
{
	uint64_t end = 0,
		 phys_end = 0; /* behind the last segment; no segment is behind address 0 */
	size_t filled = 0;

	for (size_t i = 0; i < count; i++) {
		const struct busway_range phys = busway_phys_raw(entries[i]);
		uint64_t dma;

		if (phys.first > phys.last || phys.last - phys.first == UINT64_MAX ||
		    !reach_glance(lane->reach, phys, access, &dma) ||
		    !keeps_low_bits(lane, phys.first, dma))
			return 0;
		if (!end || dma != end || phys.first != phys_end) {
			if (filled == capacity)
				return 0;
			segments[filled].dma.first.raw = dma;
			segments[filled].phys.raw = phys.first;
			segments[filled++].pool_ = NULL;
		}
		end = dma + busway_range_span(phys) + 1;
		phys_end = phys.last + 1;
		segments[filled - 1].dma.last.raw = end - 1;
	}
	return filled;
}

/* False: nothing has changed. */
static bool map_at_a_glance(const struct list *list, const struct busway_phys_range *entries,
			    size_t count, struct busway_mapping *mapping)
{
	struct busway_lane *lane = list->lane;
	const uint32_t most = lane->device->segments.max_count;
	const size_t filled =
		lane->plain ? glance_at(lane, entries, count, (enum busway_access)list->direction,
					list->segments, list->capacity)
			    : 0;

	if (!filled || (most && filled > most))
		return false;
	fill_in(mapping, list, entries, count, filled);
	mapping->way = BUSWAY_WAY_DIRECT;
	mapping->lane_ = lane;
	mapping->dma = list->segments[0].dma.first;
	mapping->state_ = STATE_LIVE;
	live_add(lane, mapping);
	return true;
}

/* ---- mapping ---- */

__attribute__((noinline)) static int map_slowly(struct list *list,
						const struct busway_phys_range *entries,
						size_t count, struct busway_mapping *mapping,
						size_t *needed)
{
	struct busway_refusal own_why;
	int status;

	if (!list->why)
		list->why = &own_why;
	status = serve_list(list, entries, count);
	if (status == -BUSWAY_ENOSPC && needed)
		*needed = list->count;
	if (status) {
		map_ended(list->lane, mapping, STATE_REFUSED);
		return status;
	}
	mark_high_water(list);
	fill_in(mapping, list, entries, count, list->count);
	map_finish(list->lane, mapping);
	return 0;
}

int busway_map_list(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		    enum busway_direction direction, unsigned attributes,
		    struct busway_mapped *segments, size_t capacity, struct busway_mapping *mapping,
		    size_t *needed, struct busway_refusal *why)
{
	struct list list = {
		.lane = lane,
		.direction = direction,
		.attributes = attributes,
		.segments = segments,
		.capacity = capacity < UINT32_MAX ? capacity : UINT32_MAX,
		.why = why,
	};

	if (!count || count > UINT32_MAX || !map_arguments(lane, mapping, direction))
		return -BUSWAY_EINVAL;
	if (map_at_a_glance(&list, entries, count, mapping))
		return 0;
	return map_slowly(&list, entries, count, mapping, needed);
}

static void end_plan(struct list *list)
{
	const struct spans *spans = &list->lane->device->streaming.spans;
	const uint32_t count = atomic_load_explicit(&spans->count, memory_order_acquire);

	for (uint32_t i = 0; i < count && list->plan->bounced_bytes; i++)
		slot_pool_release(&spans->span[i].pool->slots, planner(list->lane));
	slots_freed(list->lane);
}

int busway_plan(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		enum busway_direction direction, unsigned attributes, struct busway_plan *plan,
		struct busway_refusal *why)
{
	struct busway_refusal own_why;
	struct busway_plan made = {.way = BUSWAY_WAY_DIRECT};
	struct list list = {
		.lane = lane,
		.direction = direction,
		.attributes = attributes,
		.plan = &made,
		.why = why ? why : &own_why,
	};
	int status;

	if (!count || !is_direction(direction))
		return -BUSWAY_EINVAL;
	status = serve_list(&list, entries, count);
	end_plan(&list);
	if (status)
		return status;
	made.segments = list.count;
	if (made.bounced_entries)
		made.way = made.bounced_entries == count ? BUSWAY_WAY_BOUNCE : BUSWAY_WAY_MIXED;
	*plan = made;
	return 0;
}
