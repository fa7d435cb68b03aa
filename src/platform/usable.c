/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usable.c - what carve-outs leave of a memory bank.
 */
#include "platform_internal.h"

#include <busway/intervals.h>

int busway_platform_usable(const struct busway_platform *platform, size_t index,
			   const struct busway_allocator *memory, uint64_t *bytes)
{
	const struct busway_memory_bank *banks = platform->banks.items;
	struct busway_intervals set;
	int status;

	if (index >= platform->banks.count)
		return -BUSWAY_EINVAL;
	busway_intervals_init(&set, memory);
	status = busway_intervals_add(&set, banks[index].range);
	for (uint32_t i = 0; i < platform->regions.count && status == 0; i++) {
		const struct busway_region *region = region_at(platform, i);

		if (region->kind == BUSWAY_REGION_CARVEOUT &&
		    region->space.index == BUSWAY_CPU_SPACE.index)
			status = busway_intervals_remove(&set, region->range);
	}
	if (status == 0 && !busway_intervals_bytes(&set, bytes))
		*bytes = UINT64_MAX; /* one short: 2^64 does not fit */
	busway_intervals_clear(&set);
	return status;
}
