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

struct best {
	const struct busway_mapped *segment;
	unsigned merit;
};

static void look_in_bucket(const struct busway_lane *lane, uint64_t key, uint64_t dma,
			   live_merit *merit, const void *ctx, struct best *best)
{
	for (const struct busway_mapped *s = *live_bucket(lane, key); s; s = s->next_) {
		unsigned its;

		if (dma < s->dma.first.raw || s->dma.last.raw < dma)
			continue;
		its = merit ? merit(s, ctx) : 1;
		if (its > best->merit)
			*best = (struct best){s, its};
		if (best->segment && !merit)
			return;
	}
}

const struct busway_mapped *live_find(struct busway_lane *lane, uint64_t dma, live_merit *merit,
				      const void *ctx)
{
	struct best best = {0};

	live_settle(lane);
	for (size_t class = 0; class < LIVE_CLASSES; class ++) {
		const uint64_t key = live_key(dma, class);

		if (!lane->in_class[class])
			continue;
		look_in_bucket(lane, key, dma, merit, ctx, &best);
		if (key && (merit || !best.segment))
			look_in_bucket(lane, key - 1, dma, merit, ctx, &best);
		if (best.segment && !merit)
			break;
	}
	return best.segment;
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
