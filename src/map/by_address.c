/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_address.c - for drivers that keep only the address: the record is found, and compared with all
 * that the driver says.
 */
#include "live.h"

int not_found(const struct busway_lane *lane, struct busway_dma_range asked, bool unmapping)
{
	const struct busway_dma *dma = lane->device->dma;

	const bool look = unmapping && dma->environment.one_thread;

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

int busway_unmap_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			 enum busway_mapping_kind kind, enum busway_direction direction)
{
	struct busway_mapping *mapping = live_at(lane, dma.raw, kind);
	const struct busway_dma_range asked = asked_range(dma, size);
	int status;

	if (!mapping)
		return not_found(lane, asked, true);
	status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_KIND, asked, kind, mapping->kind);
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_SIZE, asked, size,
				 mapping->size);
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_DIRECTION, asked, direction,
				 mapping->direction);
	return status ? status : busway_unmap(mapping);
}

int busway_unmap_list_address(struct busway_lane *lane, busway_dma_t dma, size_t entries,
			      enum busway_direction direction)
{
	struct busway_mapping *mapping = live_at(lane, dma.raw, BUSWAY_KIND_LIST);
	const struct busway_dma_range asked = asked_range(dma, 1);
	int status;

	if (!mapping)
		return not_found(lane, asked, true);
	status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_KIND, asked, BUSWAY_KIND_LIST,
			 mapping->kind);
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_COUNT, asked, entries,
				 mapping->entry_count);
	if (status == 0)
		status = compare(lane, mapping, BUSWAY_MISUSE_WRONG_DIRECTION, asked, direction,
				 mapping->direction);
	return status ? status : busway_unmap(mapping);
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

int busway_sync_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			enum busway_direction direction, bool for_cpu)
{
	const struct busway_mapped *segment = live_find(lane, dma.raw);
	const struct busway_dma_range asked = asked_range(dma, size);
	struct busway_mapping *mapping;
	uint64_t offset = 0;
	int status;

	if (!segment)
		return not_found(lane, asked, false);
	mapping = segment->owner_;
	for (const struct busway_mapped *s = mapping->segments; s != segment; s++)
		offset += busway_range_span(busway_dma_raw(s->dma)) + 1;
	offset += dma.raw - segment->dma.first.raw;
	status = compare_directions(lane, mapping, asked, direction, for_cpu);
	if (status)
		return status;
	return for_cpu ? busway_sync_for_cpu(mapping, offset, size)
		       : busway_sync_for_device(mapping, offset, size);
}
