/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wait.c - those who wait for slots, in line.
 *
 *   waits --slots are set aside, turn() is called--> its turn --busway_map_or_wait()--> mapped
 *
 * A record stands in the line until its own lane's thread takes it out, so that nobody else ever
 * touches a lane; of the record, others touch .waiter_ and .one_, under the lock. Whoever waits for
 * a pool keeps it from those behind, or a long run would never become free.
 */
#include "map_internal.h"

/* ---- the line, under line_lock ---- */

static void line_remove(struct busway_dma *dma, struct busway_mapping *mapping)
{
	struct busway_mapping **link = &dma->line;

	while (*link != mapping)
		link = &(*link)->waiter_.next;
	*link = mapping->waiter_.next;
	if (dma->line_end == &mapping->waiter_.next)
		dma->line_end = link;
	if (!mapping->waiter_.has_turn)
		atomic_fetch_sub_explicit(&dma->waiting, 1, memory_order_relaxed);
}

static struct busway_range memory_of(const struct busway_mapping *mapping)
{
	const uint64_t first = mapping->one_.phys.raw;

	return (struct busway_range){first, first + (mapping->size - 1)};
}

/* Nobody behind @mapping gets slots of pools that could serve it; or anybody does again. */
static void mark_pools(const struct busway_mapping *mapping, bool passed_by)
{
	const struct spans *spans = &mapping->lane_->device->streaming.spans;
	const struct want want = bounce_want(mapping->lane_, memory_of(mapping));
	const uint32_t count = atomic_load_explicit(&spans->count, memory_order_acquire);

	for (uint32_t i = 0; i < count; i++)
		if (!passed_by || span_could(&spans->span[i], &want))
			spans->span[i].pool->passed_by = passed_by;
}

/* Set slots aside for @mapping, of pools that nobody in front waits for; false: there are none. */
static bool set_aside(struct busway_mapping *mapping)
{
	const struct busway_range phys = memory_of(mapping);
	struct want want = bounce_want(mapping->lane_, phys);
	struct run run;

	want.in_turn = true;
	if (!run_take(&mapping->lane_->device->streaming.spans, &want, AREA_NONE, &run))
		return false;
	mapping->one_ = bounced_segment(mapping->lane_->device, &run, phys);
	return true;
}

static void unmark_line(struct busway_dma *dma)
{
	for (struct busway_mapping *m = dma->line; m; m = m->waiter_.next)
		mark_pools(m, false);
}

/* The next whose turn it is, with slots set aside; NULL: nobody's. */
static struct busway_mapping *next_turn(struct busway_dma *dma)
{
	unmark_line(dma);
	for (struct busway_mapping *m = dma->line; m; m = m->waiter_.next) {
		if (m->waiter_.has_turn)
			continue;
		if (set_aside(m)) {
			m->waiter_.has_turn = true;
			atomic_fetch_sub_explicit(&dma->waiting, 1, memory_order_relaxed);
			return m;
		}
		mark_pools(m, true);
	}
	return NULL;
}

/*
 * One thread tells at a time, so that whoever leaves the line can wait until it is not being told.
 * Who gives slots back meanwhile, in turn() or elsewhere, leaves word to look again.
 */
void line_serve(struct busway_dma *dma)
{
	struct busway_mapping *mapping;

	if (!has_waiters(dma))
		return;
	lock_take(&dma->line_lock);
	dma->again = true;
	while (!dma->serving && dma->again) {
		dma->again = false;
		mapping = next_turn(dma);
		if (!mapping)
			continue;
		dma->again = true;
		dma->serving = true;
		dma->told = mapping;
		lock_give(&dma->line_lock);
		mapping->waiter_.turn(mapping, mapping->waiter_.ctx);
		lock_take(&dma->line_lock);
		dma->told = NULL;
		dma->serving = false;
	}
	lock_give(&dma->line_lock);
}

/* Under line_lock: until its turn() has returned, which another thread may be calling. */
static void until_told(struct busway_dma *dma, const struct busway_mapping *mapping)
{
	while (dma->told == mapping) {
		lock_give(&dma->line_lock);
		lock_take(&dma->line_lock);
	}
}

/* ---- waiting ---- */

/* What it is that waits, or is served before. */
static void describe_waiter(struct busway_mapping *mapping, struct busway_lane *lane,
			    struct busway_range phys, enum busway_direction direction,
			    unsigned attributes)
{
	describe_one(mapping, BUSWAY_KIND_SINGLE, busway_range_span(phys) + 1, direction,
		     attributes);
	mapping->lane_ = lane;
	mapping->one_.phys = busway_phys(phys.first);
}

/* Slots of a pool that nobody waits for? */
static bool overtakes_nobody(struct busway_mapping *mapping)
{
	struct busway_dma *dma = mapping->lane_->device->dma;
	bool served;

	lock_take(&dma->line_lock);
	unmark_line(dma);
	mark_pools(mapping, false);
	for (struct busway_mapping *m = dma->line; m; m = m->waiter_.next)
		if (!m->waiter_.has_turn)
			mark_pools(m, true);
	served = set_aside(mapping);
	lock_give(&dma->line_lock);
	return served;
}

/* @mapping is described. */
static int join_line(struct busway_mapping *mapping, void (*turn)(struct busway_mapping *, void *),
		     void *ctx)
{
	struct busway_lane *lane = mapping->lane_;
	struct busway_dma *dma = lane->device->dma;

	mapping->waiter_ = (struct busway_waiter_){.turn = turn, .ctx = ctx};
	mapping->state_ = STATE_WAITS;
	lane->live++;
	lock_take(&dma->line_lock);
	*dma->line_end = mapping;
	dma->line_end = &mapping->waiter_.next;
	atomic_fetch_add_explicit(&dma->waiting, 1, memory_order_relaxed);
	lock_give(&dma->line_lock);
	/* what was given back before we stood there was told to nobody; has_waiters() has the other
	 * half of the fence */
	if (!dma->environment.one_thread)
		atomic_thread_fence(memory_order_seq_cst);
	line_serve(dma);
	return -BUSWAY_EAGAIN;
}

/* Its turn came: leave the line, with the slots. False: it still waits. */
static bool take_turn(struct busway_lane *lane, struct busway_mapping *mapping)
{
	struct busway_dma *dma = lane->device->dma;
	bool is_turn;

	lock_take(&dma->line_lock);
	is_turn = mapping->waiter_.has_turn;
	if (is_turn)
		line_remove(dma, mapping);
	lock_give(&dma->line_lock);
	if (is_turn)
		lane->live--; /* a live mapping counts it again */
	return is_turn;
}

/* Is it what the record waits for? */
static bool is_the_same(const struct busway_mapping *mapping, const struct busway_lane *lane,
			struct busway_range phys, enum busway_direction direction,
			unsigned attributes)
{
	return mapping->lane_ == lane && mapping->one_.phys.raw == phys.first &&
	       mapping->size == busway_range_span(phys) + 1 && mapping->direction == direction &&
	       mapping->attributes == (uint8_t)attributes;
}

static bool needs_slots(struct busway_lane *lane, struct busway_range phys,
			enum busway_direction direction, unsigned attributes)
{
	uint64_t dma;

	return lane->device->domain ? translated_bounces(lane, phys, direction, attributes)
				    : !is_direct(lane, phys, direction, attributes, &dma);
}

/* It has its slots. Only IOVAs for them may be missing. */
static int finish(struct busway_lane *lane, struct busway_mapping *mapping,
		  struct busway_refusal *why)
{
	const struct busway_iova_request where = {
		.align = lane->min_align_mask + 1, /* all 64 bits are refused at attach */
		.boundary = lane->device->segments.boundary,
		.last = busway_bits_last(lane->device->streaming.bits),
	};
	int status;

	if (!lane->device->domain) {
		map_finish(lane, mapping);
		return 0;
	}
	mapping->lane_ = lane;
	status = translated_slots(lane, mapping, &where, why);
	if (status == 0)
		map_live(lane, mapping);
	return status;
}

/* Again, for a record that waits: it may be its turn. */
static int map_in_turn(struct busway_lane *lane, struct busway_range phys,
		       enum busway_direction direction, unsigned attributes,
		       struct busway_mapping *mapping, struct busway_refusal *why)
{
	if (!is_the_same(mapping, lane, phys, direction, attributes)) {
		report(mapping->lane_, BUSWAY_MISUSE_MAPPED_TWICE, mapping,
		       (struct busway_dma_range){mapping->dma, mapping->dma}, 0, 0);
		return -BUSWAY_EINVAL;
	}
	if (!take_turn(lane, mapping))
		return -BUSWAY_EAGAIN;
	return finish(lane, mapping, why);
}

/* Is a refusal one that slots would mend which somebody gives back? */
static bool passes(const struct busway_refusal *why)
{
	return why->reason == BUSWAY_POOL_FULL || why->reason == BUSWAY_POOL_FRAGMENTED;
}

int busway_map_or_wait(struct busway_lane *lane, struct busway_phys_range phys,
		       enum busway_direction direction, unsigned attributes,
		       struct busway_mapping *mapping,
		       void (*turn)(struct busway_mapping *mapping, void *ctx), void *ctx,
		       struct busway_refusal *why)
{
	const struct busway_range r = busway_phys_raw(phys);
	const bool no_record = is_live(mapping) || r.first > r.last ||
			       busway_range_span(r) == UINT64_MAX || !is_direction(direction);
	struct busway_refusal own_why;
	int status;

	if (!why)
		why = &own_why;
	if (mapping->state_ == STATE_WAITS)
		return map_in_turn(lane, r, direction, attributes, mapping, why);
	if (no_record || !needs_slots(lane, r, direction, attributes) ||
	    !has_waiters(lane->device->dma)) {
		status = busway_map(lane, phys, direction, attributes, mapping, why);
		if (status != -BUSWAY_ERANGE || !passes(why))
			return status;
		describe_waiter(mapping, lane, r, direction, attributes);
		return join_line(mapping, turn, ctx);
	}
	if (lane->device->domain && !translated_in_one(lane, r)) {
		refuse_limits(lane, r, why);
		map_ended(lane, mapping, STATE_REFUSED);
		return -BUSWAY_ERANGE;
	}
	if (!bounce_could(lane, r, direction, attributes, why)) {
		map_ended(lane, mapping, STATE_REFUSED);
		return -BUSWAY_ERANGE;
	}
	describe_waiter(mapping, lane, r, direction, attributes);
	if (!overtakes_nobody(mapping))
		return join_line(mapping, turn, ctx);
	return finish(lane, mapping, why);
}

bool busway_map_cancel(struct busway_mapping *mapping)
{
	struct busway_lane *lane = mapping->lane_;
	struct busway_dma *dma;
	bool has_slots;

	if (mapping->state_ != STATE_WAITS)
		return false;
	dma = lane->device->dma;
	lock_take(&dma->line_lock);
	until_told(dma, mapping);
	has_slots = mapping->waiter_.has_turn;
	line_remove(dma, mapping);
	lock_give(&dma->line_lock);
	lane->live--;
	if (has_slots)
		slots_free(lane, &mapping->one_);
	map_ended(lane, mapping, STATE_REFUSED);
	line_serve(dma); /* its place in line may have kept others */
	return true;
}

void line_leave(struct busway_dma_device *device)
{
	struct busway_dma *dma = device->dma;
	struct busway_mapping *m, *next;

	lock_take(&dma->line_lock);
	for (m = dma->line; m; m = next) {
		next = m->waiter_.next;
		if (m->lane_->device != device)
			continue;
		if (dma->told == m) {
			until_told(dma, m);
			next = dma->line; /* the line may be another one now */
			continue;
		}
		line_remove(dma, m);
		if (m->waiter_.has_turn)
			slots_free(m->lane_, &m->one_);
		m->lane_->live--;
		map_ended(m->lane_, m, STATE_REFUSED);
	}
	lock_give(&dma->line_lock);
	line_serve(dma);
}

bool line_has(struct busway_dma_device *device)
{
	struct busway_dma *dma = device->dma;
	bool has = false;

	lock_take(&dma->line_lock);
	for (const struct busway_mapping *m = dma->line; m && !has; m = m->waiter_.next)
		has = m->lane_->device == device;
	lock_give(&dma->line_lock);
	return has;
}
