/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grow.c - more memory for pools, of what the surroundings have.
 */
#include "map_internal.h"

/* What a pool grows by at least, where there is that much. */
#define GROWTH ((uint64_t)1 << 20)

/* Where new memory would serve the device: what it reaches. */
static struct busway_range *reached(const struct busway_dma *dma, const struct busway_reach *reach,
				    size_t *count)
{
	const struct busway_allocator *m = dma->memory;
	struct busway_range *ranges;

	*count = 0;
	if (!reach->run_count)
		return NULL;
	ranges =
		m->alloc(m->ctx, reach->run_count * sizeof(*ranges), _Alignof(struct busway_range));
	for (size_t i = 0; ranges && i < reach->run_count; i++)
		if (reach->runs[i].access == BUSWAY_READ_WRITE)
			ranges[(*count)++] = (struct busway_range){reach->runs[i].phys_first,
								   reach->runs[i].phys_last};
	return ranges;
}

/* The usual growth, or what is needed where that is not to be had. */
static int ask(const struct busway_dma_environment *e, uint64_t *size, uint64_t align,
	       const struct busway_range *within, size_t count, busway_phys_t *phys)
{
	const uint64_t needed = *size;
	int status = -BUSWAY_ENOMEM;

	if (needed < GROWTH)
		status = e->more(e->ctx, *size = GROWTH, align, within, count, phys);
	if (status)
		status = e->more(e->ctx, *size = needed, align, within, count, phys);
	return status;
}

int grow(struct busway_dma_device *device, const struct route *route, uint64_t size, uint64_t align,
	 unsigned use)
{
	const struct busway_dma_environment *e = &device->dma->environment;
	const struct busway_allocator *m = device->dma->memory;
	struct busway_range range;
	busway_phys_t phys;
	size_t count;
	struct busway_range *within = reached(device->dma, route->reach, &count);
	int status;

	if (!within)
		return -BUSWAY_ENOMEM;
	size = slots_for(size) * BUSWAY_SLOT_SIZE;
	/* a run as long as what is wanted, from where it has to begin, serves it */
	status = ask(e, &size, align > BUSWAY_SLOT_SIZE ? align : BUSWAY_SLOT_SIZE, within, count,
		     &phys);
	m->free(m->ctx, within, route->reach->run_count * sizeof(*within),
		_Alignof(struct busway_range));
	if (status)
		return status;
	range = (struct busway_range){phys.raw, phys.raw + (size - 1)};
	status = add_pool(device->dma, range, use, 1, true);
	if (status)
		e->release(e->ctx, busway_phys_range(range));
	return status;
}

int busway_dma_grow(struct busway_dma_device *device, uint64_t size)
{
	if (size == 0 || size > SIZE_MAX / 2 || device->bounce || !device->dma->environment.more)
		return -BUSWAY_EINVAL;
	return grow(device, &device->streaming, size, BUSWAY_SLOT_SIZE, BUSWAY_USE_BOUNCE);
}
