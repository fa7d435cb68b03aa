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

static unsigned begins(const struct busway_mapped *segment, const void *ctx)
{
	const busway_dma_t *dma = ctx;

	return segment == segment->owner_->segments && segment->dma.first.raw == dma->raw;
}

/* What begins at @dma in another lane of the device, and in which one; NULL. */
static const struct busway_mapping *in_other_lane(const struct busway_lane *lane, busway_dma_t dma,
						  uint32_t *other)
{
	const struct busway_dma_device *device = lane->device;

	for (uint32_t i = 0; i < device->lane_count; i++) {
		const struct busway_mapped *found =
			&device->lanes[i] == lane
				? NULL
				: live_find(&device->lanes[i], dma.raw, begins, &dma);

		*other = i;
		if (found)
			return found->owner_;
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
	uint64_t first;
	enum busway_mapping_kind kind;
	bool by_entries; /* .length is that of a list; else it is in bytes */
	uint64_t length;
	enum busway_direction direction;
};

static uint64_t length_of(const struct busway_mapping *mapping, const struct said *said)
{
	return said->by_entries ? mapping->entry_count : mapping->size;
}

/* How much of it is true. What kind it is counts most, then its length: memory may be mapped for
 * reading as often as one likes, and each time its address is the same. */
static unsigned truth(const struct busway_mapped *segment, const void *ctx)
{
	const struct busway_mapping *mapping = segment->owner_;
	const struct said *said = ctx;

	if (segment != mapping->segments || segment->dma.first.raw != said->first)
		return 0;
	return 1 + (mapping->kind == said->kind ? 4u : 0) +
	       (length_of(mapping, said) == said->length ? 2u : 0) +
	       (mapping->direction == said->direction ? 1u : 0);
}

/* Unmaps what is meant, or reports the first difference. */
static int unmap_meant(struct busway_lane *lane, struct busway_dma_range asked,
		       const struct said *said)
{
	const struct busway_mapped *segment = live_find(lane, said->first, truth, said);
	struct busway_mapping *mapping;
	int status;

	if (!segment)
		return not_found(lane, asked, true);
	mapping = segment->owner_;
	status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_KIND, asked, said->kind, mapping->kind);
	if (status == 0)
		status = compare(lane, mapping,
				 said->by_entries ? BUSWAY_MISUSE_WRONG_COUNT
						  : BUSWAY_MISUSE_WRONG_SIZE,
				 asked, said->length, length_of(mapping, said));
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_DIRECTION, asked,
				 said->direction, mapping->direction);
	return status ? status : busway_unmap(mapping);
}

int busway_unmap_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			 enum busway_mapping_kind kind, enum busway_direction direction)
{
	return unmap_meant(lane, asked_range(dma, size),
			   &(struct said){dma.raw, kind, false, size, direction});
}

int busway_unmap_list_address(struct busway_lane *lane, busway_dma_t dma, size_t entries,
			      enum busway_direction direction)
{
	return unmap_meant(lane, asked_range(dma, 1),
			   &(struct said){dma.raw, BUSWAY_KIND_LIST, true, entries, direction});
}

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

/* What the driver says of a part that it syncs. */
struct said_part {
	struct busway_dma_range asked;
	enum busway_direction direction;
};

static unsigned sync_truth(const struct busway_mapped *segment, const void *ctx)
{
	const struct said_part *said = ctx;

	return 1 + (segment->owner_->kind <= BUSWAY_KIND_LIST ? 4u : 0) +
	       (leads_to(segment, said->asked) ? 2u : 0) +
	       (segment->owner_->direction == said->direction ? 1u : 0);
}

int busway_sync_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			enum busway_direction direction, bool for_cpu)
{
	const struct busway_dma_range asked = asked_range(dma, size);
	const struct busway_mapped *segment =
		live_find(lane, dma.raw, sync_truth, &(struct said_part){asked, direction});
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
