/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_address.c - for drivers that keep only the address: the record is found, and compared with all
 * that the driver says.
 */
#include "live.h"

static uint32_t index_of(const struct busway_lane *lane)
{
	return (uint32_t)(lane - lane->device->lanes);
}

/* What begins at @dma in another lane of the device, and in which one; NULL. */
static const struct busway_mapping *in_other_lane(const struct busway_lane *lane, busway_dma_t dma,
						  uint32_t *other)
{
	const struct busway_dma_device *device = lane->device;

	for (uint32_t i = 0; i < device->lane_count; i++) {
		const struct busway_mapping *found =
			&device->lanes[i] == lane
				? NULL
				: live_at(&device->lanes[i], dma.raw, BUSWAY_KIND_SINGLE);

		*other = i;
		if (found)
			return found;
	}
	return NULL;
}

int not_found(const struct busway_lane *lane, struct busway_dma_range asked, bool unmapping)
{
	const struct busway_dma *dma = lane->device->dma;
	const bool look = unmapping && dma->environment.one_thread;
	uint32_t other = 0;
	const struct busway_mapping *mapping =
		look ? in_other_lane(lane, asked.first, &other) : NULL;

	if (mapping) {
		report(lane, BUSWAY_MISUSE_WRONG_LANE, mapping, asked, index_of(lane), other);
		return -BUSWAY_EINVAL;
	}
	for (const struct busway_dma_device *d = dma->devices; d && look; d = d->next) {
		const struct busway_mapping *owner =
			d == lane->device ? NULL : busway_dma_owner(d, asked.first);

		if (owner && owner->dma.raw == asked.first.raw) {
			report(lane, BUSWAY_MISUSE_WRONG_DEVICE, owner, asked,
			       lane->device->id.index, d->id.index);
			return -BUSWAY_EINVAL;
		}
	}
	report(lane, unmapping ? BUSWAY_MISUSE_NOT_MAPPED : BUSWAY_MISUSE_SYNC_NOT_MAPPED, NULL,
	       asked, 0, 0);
	return -BUSWAY_EINVAL;
}

static struct busway_dma_range asked_range(busway_dma_t dma, uint64_t size)
{
	return (struct busway_dma_range){dma, {dma.raw + (size ? size - 1 : 0)}};
}

/* Reports the first difference that counts; 0: none. */
static int compare(const struct busway_lane *lane, const struct busway_mapping *mapping,
		   enum busway_misuse misuse, struct busway_dma_range asked, uint64_t said,
		   uint64_t mapped)
{
	if (said == mapped)
		return 0;
	report(lane, misuse, mapping, asked, said, mapped);
	return -BUSWAY_EINVAL;
}

/* ---- unmapping ---- */

/* All that the driver says of a mapping. */
struct said {
	enum busway_mapping_kind kind;
	uint64_t size;    /* of all but lists */
	uint64_t entries; /* of lists */
	enum busway_direction direction;
};

/* How much of it is true; 7: all. What kind it is counts most, then its length. */
static unsigned truth(const struct busway_mapping *mapping, const struct said *said)
{
	const bool length = said->kind == BUSWAY_KIND_LIST ? mapping->entry_count == said->entries
							   : mapping->size == said->size;

	return (mapping->kind == said->kind ? 4u : 0) + (length ? 2u : 0) +
	       (mapping->direction == said->direction ? 1u : 0);
}

enum { ALL_TRUE = 7 };

/* Of the mappings that begin at @dma the one that is meant: memory may be mapped for reading as
 * often as one likes, and each time its address is the same. Only where the first that is found
 * does not fit, all are looked at. NULL: none begins there. */
static struct busway_mapping *meant(struct busway_lane *lane, uint64_t dma, const struct said *said)
{
	struct busway_mapping *best = live_at(lane, dma, said->kind);

	if (!best || truth(best, said) == ALL_TRUE)
		return best;
	for (const struct busway_mapped *s = live_first(lane); s; s = live_next(lane, s))
		if (s->dma.first.raw == dma && s == s->owner_->segments &&
		    truth(s->owner_, said) > truth(best, said))
			best = s->owner_;
	return best;
}

/* Unmaps it, or reports the first difference. */
static int unmap_meant(struct busway_lane *lane, struct busway_dma_range asked,
		       const struct said *said)
{
	struct busway_mapping *mapping = meant(lane, asked.first.raw, said);
	int status;

	if (!mapping)
		return not_found(lane, asked, true);
	status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_KIND, asked, said->kind, mapping->kind);
	if (status == 0 && said->kind == BUSWAY_KIND_LIST)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_COUNT, asked, said->entries,
				 mapping->entry_count);
	else if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_SIZE, asked, said->size,
				 mapping->size);
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_DIRECTION, asked,
				 said->direction, mapping->direction);
	return status ? status : busway_unmap(mapping);
}

int busway_unmap_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			 enum busway_mapping_kind kind, enum busway_direction direction)
{
	/* of a list, its size is said here */
	const struct said said = {.kind = kind, .size = size, .direction = direction};
	struct busway_mapping *mapping;

	if (kind != BUSWAY_KIND_LIST)
		return unmap_meant(lane, asked_range(dma, size), &said);
	mapping = live_at(lane, dma.raw, kind);
	if (mapping && mapping->kind == kind && mapping->size != size)
		return compare(lane, mapping, BUSWAY_MISUSE_WRONG_SIZE, asked_range(dma, size),
			       size, mapping->size);
	return unmap_meant(lane, asked_range(dma, size),
			   &(struct said){.kind = kind,
					  .entries = mapping ? mapping->entry_count : 0,
					  .direction = direction});
}

int busway_unmap_list_address(struct busway_lane *lane, busway_dma_t dma, size_t entries,
			      enum busway_direction direction)
{
	const struct said said = {
		.kind = BUSWAY_KIND_LIST, .entries = entries, .direction = direction};

	return unmap_meant(lane, asked_range(dma, 1), &said);
}

/* ---- syncing ---- */

/* Does the direction that is said make sense of a mapping in another one? */
static int compare_directions(const struct busway_lane *lane, const struct busway_mapping *mapping,
			      struct busway_dma_range asked, enum busway_direction direction,
			      bool for_cpu)
{
	const unsigned opposite = for_cpu ? BUSWAY_TO_DEVICE : BUSWAY_FROM_DEVICE;

	if (mapping->direction == BUSWAY_BIDIRECTIONAL || mapping->direction == direction)
		return 0;
	return compare(lane, mapping,
		       mapping->direction == opposite && direction != BUSWAY_BIDIRECTIONAL
			       ? BUSWAY_MISUSE_SYNC_NOTHING
			       : BUSWAY_MISUSE_WRONG_DIRECTION,
		       asked, direction, mapping->direction);
}

/* Does @segment lead to all of @asked, it and those of its mapping that go on where it ends? */
static bool leads_to(const struct busway_mapped *segment, struct busway_dma_range asked)
{
	const struct busway_mapping *mapping = segment->owner_;
	const struct busway_mapped *end = mapping->segments + mapping->segment_count;

	while (segment->dma.last.raw < asked.last.raw) {
		if (segment + 1 == end || segment[1].dma.first.raw != segment->dma.last.raw + 1)
			return false;
		segment++;
	}
	return true;
}

static unsigned sync_truth(const struct busway_mapped *segment, struct busway_dma_range asked,
			   enum busway_direction direction)
{
	return (segment->owner_->kind <= BUSWAY_KIND_LIST ? 4u : 0) +
	       (leads_to(segment, asked) ? 2u : 0) +
	       (segment->owner_->direction == direction ? 1u : 0);
}

/* Of the segments that hold the first byte of @asked the one that is meant; NULL: none does. */
static const struct busway_mapped *segment_meant(struct busway_lane *lane,
						 struct busway_dma_range asked,
						 enum busway_direction direction)
{
	const struct busway_mapped *best = live_find(lane, asked.first.raw);

	if (!best || sync_truth(best, asked, direction) == ALL_TRUE)
		return best;
	for (const struct busway_mapped *s = live_first(lane); s; s = live_next(lane, s))
		if (busway_range_has(busway_dma_raw(s->dma), asked.first.raw) &&
		    sync_truth(s, asked, direction) > sync_truth(best, asked, direction))
			best = s;
	return best;
}

int busway_sync_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			enum busway_direction direction, bool for_cpu)
{
	const struct busway_dma_range asked = asked_range(dma, size);
	const struct busway_mapped *segment = segment_meant(lane, asked, direction);
	struct busway_mapping *mapping;
	uint64_t offset = 0;
	int status;

	if (!segment)
		return not_found(lane, asked, false);
	mapping = segment->owner_;
	if (asked.last.raw < asked.first.raw || !leads_to(segment, asked)) {
		report(lane, BUSWAY_MISUSE_SYNC_OUTSIDE, mapping, asked, size, mapping->size);
		return -BUSWAY_EINVAL;
	}
	for (const struct busway_mapped *s = mapping->segments; s != segment; s++)
		offset += busway_range_span(busway_dma_raw(s->dma)) + 1;
	offset += dma.raw - segment->dma.first.raw;
	status = compare_directions(lane, mapping, asked, direction, for_cpu);
	if (status)
		return status;
	return for_cpu ? busway_sync_for_cpu(mapping, offset, size)
		       : busway_sync_for_device(mapping, offset, size);
}
