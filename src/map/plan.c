/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - how a list would be served. Its pools are held meanwhile, so that it takes what it would
 * take and nobody sees it.
 */
#include "list.h"

/* Is it the first of its pool? Those of one pool stand together. */
static bool begins_pool(const struct spans *spans, uint32_t i)
{
	return i == 0 || spans->span[i].pool != spans->span[i - 1].pool;
}

static void hold(const struct spans *spans, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (begins_pool(spans, i))
			slot_pool_hold(&spans->span[i].pool->slots);
}

static void let_go(const struct spans *spans, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (begins_pool(spans, i))
			slot_pool_let_go(&spans->span[i].pool->slots);
}

int busway_plan(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		enum busway_direction direction, unsigned attributes, struct busway_plan *plan,
		struct busway_refusal *why)
{
	const struct spans *spans = &lane->device->streaming.spans;
	struct busway_refusal own_why;
	struct busway_plan made;
	struct list list = {
		.lane = lane,
		.direction = direction,
		.attributes = attributes,
		.plan = &made,
		.held = atomic_load_explicit(&spans->count, memory_order_acquire),
		.why = why ? why : &own_why,
	};
	int status;

	if (!count || !is_direction(direction))
		return -BUSWAY_EINVAL;
	do {
		made = (struct busway_plan){.way = BUSWAY_WAY_DIRECT};
		hold(spans, list.held);
		status = lane->device->domain ? translated_plan(&list, entries, count)
					      : list_serve(&list, entries, count);
		let_go(spans, list.held);
	} while (status && list_again(&list));
	if (status)
		return status;
	made.segments = list.count;
	if (lane->device->domain)
		made.way = BUSWAY_WAY_IOMMU;
	else if (made.bounced_bytes)
		made.way = made.bounced_bytes == list_size(entries, count) ? BUSWAY_WAY_BOUNCE
									   : BUSWAY_WAY_MIXED;
	*plan = made;
	return 0;
}
