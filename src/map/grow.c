/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * grow.c - more memory for pools, of what the surroundings have.
 */
#include "map_internal.h"

/* What pools grow by at least, where there is that much: more the more there are, so that a device
 * does not come to see too many parts. */
#define GROWTH ((uint64_t)1 << 20)

static uint64_t usual_growth(struct busway_dma *dma)
{
	uint64_t size = GROWTH;

	lock_take(&dma->lock);
	for (const struct pool *pool = dma->pools; pool; pool = pool->next)
		if (pool->grown)
			size += busway_range_span(pool->range) + 1;
	lock_give(&dma->lock);
	return size;
}

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

/* Is what is aligned for the CPU aligned for the device? */
static bool offsets_are_aligned(const struct busway_reach *reach, uint64_t align)
{
	for (size_t i = 0; i < reach->run_count; i++)
		if ((reach->runs[i].dma_first - reach->runs[i].phys_first) & (align - 1))
			return false;
	return true;
}

static uint64_t power_of_two_up(uint64_t x)
{
	uint64_t power = 1;

	while (power < x)
		power <<= 1;
	return power;
}

/* How much serves @want wherever it begins; @align: what may be asked of where it begins. */
static uint64_t needed_for(const struct busway_reach *reach, const struct want *want,
			   uint64_t *align)
{
	const uint64_t natural = want->boundary ? power_of_two_up(want->size) : 1;
	uint64_t size = want->size;

	*align = want->modulus > natural ? want->modulus : natural;
	if (*align < BUSWAY_SLOT_SIZE)
		*align = BUSWAY_SLOT_SIZE;
	if (!offsets_are_aligned(reach, *align))
		size += *align;
	return slots_for(size) * BUSWAY_SLOT_SIZE;
}

/* The usual growth, or the least, or what is needed. */
static int ask(struct busway_dma *dma, uint64_t *size, uint64_t align,
	       const struct busway_range *within, size_t count, busway_phys_t *phys)
{
	const struct busway_dma_environment *e = &dma->environment;
	const uint64_t needed = *size, sizes[] = {usual_growth(dma), GROWTH, needed};
	int status = -BUSWAY_ENOMEM;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && status; i++) {
		*size = sizes[i];
		if (*size >= needed)
			status = e->more(e->ctx, *size, align, within, count, phys);
	}
	return status;
}

int grow(struct busway_dma_device *device, const struct route *route, const struct want *want,
	 unsigned use)
{
	const struct busway_dma_environment *e = &device->dma->environment;
	const struct busway_allocator *m = device->dma->memory;
	struct busway_range *within, range;
	uint64_t size, align;
	busway_phys_t phys;
	size_t count;
	int status;

	if (atomic_load_explicit(&route->spans.count, memory_order_relaxed) == SPANS_MAX)
		return -BUSWAY_ENOMEM; /* the device would not see it */
	within = reached(device->dma, route->reach, &count);
	if (!within)
		return -BUSWAY_ENOMEM;
	size = needed_for(route->reach, want, &align);
	status = ask(device->dma, &size, align, within, count, &phys);
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
	const struct want want = {.size = size, .modulus = 1};

	if (size == 0 || size > SIZE_MAX / 4 || device->bounce || !device->dma->environment.more)
		return -BUSWAY_EINVAL;
	return grow(device, &device->streaming, &want, BUSWAY_USE_BOUNCE);
}
