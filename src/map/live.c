/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * live.c - see live.h.
 */
#include "live.h"

/* Of a segment of @span + 1 bytes. */
static size_t live_class(uint64_t span)
{
	return (size_t)(__builtin_clzll(span | 1) ^ 63);
}

static uint64_t live_key(uint64_t address, size_t class)
{
	return address >> class >> 1;
}

static struct busway_mapped **live_bucket(const struct busway_lane *lane, uint64_t key)
{
	/* a multiplication by an odd number near 2^64 / golden ratio spreads the high bits */
	return &lane->buckets[key * 0x9e3779b97f4a7c15u >> lane->bucket_shift];
}

/* ---- coming and going ---- */

static void settle(struct busway_lane *lane, struct busway_mapping *mapping)
{
	mapping->settled_ = true;
	lane->settled++;
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		struct busway_mapped *segment = &mapping->segments[i];
		const struct busway_range dma = busway_dma_raw(segment->dma);
		const size_t class = live_class(busway_range_span(dma));

		segment->owner_ = mapping;
		live_link(live_bucket(lane, live_key(dma.first, class)), segment);
		lane->in_class[class]++;
	}
}

void live_settle(struct busway_lane *lane)
{
	struct busway_mapped *next;

	for (struct busway_mapped *s = lane->fresh; s; s = next) {
		next = s->next_;
		settle(lane, s->owner_);
	}
	lane->fresh = NULL;
}

void live_unsettle(struct busway_lane *lane, struct busway_mapping *mapping)
{
	lane->settled--;
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		const struct busway_range dma = busway_dma_raw(mapping->segments[i].dma);

		live_unlink(&mapping->segments[i]);
		lane->in_class[live_class(busway_range_span(dma))]--;
	}
}

/* ---- looking ---- */

static const struct busway_mapped *in_bucket(const struct busway_lane *lane, uint64_t key,
					     uint64_t dma)
{
	for (const struct busway_mapped *s = *live_bucket(lane, key); s; s = s->next_)
		if (s->dma.first.raw <= dma && dma <= s->dma.last.raw)
			return s;
	return NULL;
}

const struct busway_mapped *live_find(struct busway_lane *lane, uint64_t dma)
{
	live_settle(lane);
	for (size_t class = 0; class < LIVE_CLASSES; class ++) {
		const uint64_t key = live_key(dma, class);
		const struct busway_mapped *found;

		if (!lane->in_class[class])
			continue;
		found = in_bucket(lane, key, dma);
		if (!found && key)
			found = in_bucket(lane, key - 1, dma);
		if (found)
			return found;
	}
	return NULL;
}

/* A better answer than @best, where what is asked for is of @kind? */
static bool is_better(const struct busway_mapped *best, const struct busway_mapped *s,
		      enum busway_mapping_kind kind)
{
	return !best || (best->owner_->kind != kind && s->owner_->kind == kind);
}

struct busway_mapping *live_at(struct busway_lane *lane, uint64_t dma,
			       enum busway_mapping_kind kind)
{
	const struct busway_mapped *best = NULL;

	live_settle(lane);
	for (size_t class = 0; class < LIVE_CLASSES; class ++) {
		const struct busway_mapped *s;

		if (!lane->in_class[class])
			continue;
		for (s = *live_bucket(lane, live_key(dma, class)); s; s = s->next_)
			if (s->dma.first.raw == dma && s == s->owner_->segments &&
			    is_better(best, s, kind))
				best = s;
	}
	return best ? best->owner_ : NULL;
}

static struct busway_mapped *first_from(const struct busway_lane *lane, uint64_t bucket)
{
	const uint64_t count = (uint64_t)1 << (64 - lane->bucket_shift);

	for (; bucket < count; bucket++)
		if (lane->buckets[bucket])
			return lane->buckets[bucket];
	return NULL;
}

struct busway_mapped *live_first(struct busway_lane *lane)
{
	live_settle(lane);
	return first_from(lane, 0);
}

struct busway_mapped *live_next(const struct busway_lane *lane, const struct busway_mapped *segment)
{
	const struct busway_range dma = busway_dma_raw(segment->dma);
	const size_t class = live_class(busway_range_span(dma));
	struct busway_mapped **bucket = live_bucket(lane, live_key(dma.first, class));

	return segment->next_ ? segment->next_
			      : first_from(lane, (uint64_t)(bucket - lane->buckets) + 1);
}
