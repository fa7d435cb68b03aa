/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sync.c - the CPU looks, or writes, while the device keeps its address.
 */
#include "map_internal.h"

/* A part of one segment. */
struct part {
	const struct busway_mapped *segment;
	uint64_t offset;
	size_t size;
};

static void part_for_cpu(const struct busway_mapping *mapping, struct part part)
{
	const struct busway_lane *lane = mapping->lane_;
	void *own = own_bytes(lane, part.segment, part.offset, part.size);

	if (!(mapping->direction & BUSWAY_WRITE))
		return;
	if (part.segment->pool_) {
		unsigned char *bytes = bounced_bytes(part.segment) + part.offset;

		caches_to_cpu(lane->device, bytes, part.size);
		memcpy(own, bytes, part.size);
	} else {
		caches_to_cpu(lane->device, own, part.size);
	}
}

static void part_for_device(const struct busway_mapping *mapping, struct part part)
{
	const struct busway_lane *lane = mapping->lane_;
	void *own = own_bytes(lane, part.segment, part.offset, part.size);

	if (part.segment->pool_) {
		unsigned char *bytes = bounced_bytes(part.segment) + part.offset;

		if (mapping->direction & BUSWAY_READ) {
			/* what the device wrote beside it, in the same lines, is not to be undone
			 */
			caches_to_cpu(lane->device, bytes, part.size);
			memcpy(bytes, own, part.size);
		}
		caches_to_device(lane->device, bytes, part.size);
	} else {
		caches_to_device(lane->device, own, part.size);
	}
}

/* Is it mapped, and the part inside it? */
static int check(const struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	const struct busway_dma_range all = {mapping->dma, mapping->dma};

	if (!is_live(mapping))
		return not_live(mapping, false);
	if (mapping->kind == BUSWAY_KIND_COHERENT || mapping->kind == BUSWAY_KIND_PEER) {
		report(mapping->lane_, BUSWAY_MISUSE_WRONG_KIND, mapping, all, BUSWAY_KIND_SINGLE,
		       mapping->kind);
		return -BUSWAY_EINVAL;
	}
	if (size == 0 || offset > mapping->size || size > mapping->size - offset) {
		report(mapping->lane_, BUSWAY_MISUSE_SYNC_OUTSIDE, mapping, all, size,
		       mapping->size);
		return -BUSWAY_EINVAL;
	}
	return 0;
}

static int sync_parts(struct busway_mapping *mapping, uint64_t offset, uint64_t size,
		      void (*sync)(const struct busway_mapping *, struct part))
{
	int status = check(mapping, offset, size);

	for (const struct busway_mapped *s = mapping->segments; status == 0 && size; s++) {
		const uint64_t span = busway_range_span(busway_dma_raw(s->dma));
		uint64_t rest = span - offset + 1;

		if (offset > span) {
			offset -= span + 1;
			continue;
		}
		if (rest > size)
			rest = size;
		sync(mapping, (struct part){s, offset, (size_t)rest});
		size -= rest;
		offset = 0;
	}
	return status;
}

int busway_sync_for_cpu(struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	const int status = sync_parts(mapping, offset, size, part_for_cpu);

	if (status == 0)
		observe(mapping->lane_, BUSWAY_EVENT_SYNCED_FOR_CPU, mapping, offset, size);
	return status;
}

int busway_sync_for_device(struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	const int status = sync_parts(mapping, offset, size, part_for_device);

	if (status == 0)
		observe(mapping->lane_, BUSWAY_EVENT_SYNCED_FOR_DEVICE, mapping, offset, size);
	return status;
}
