/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * caches.c - what a device that does not see the CPU's caches needs around its accesses.
 *
 * Before it looks, what the CPU wrote is cleaned, for every direction: a line that is still dirty
 * could be written back over what the device writes. After it wrote, lines are invalidated: the
 * CPU may have read some ahead meanwhile. (Arm DEN0024A, 11.5, has both.)
 */
#include "map_internal.h"

void caches_to_device(const struct busway_dma_device *device, void *pointer, size_t size)
{
	const struct busway_dma_environment *e = &device->dma->environment;

	if (device->caches)
		e->clean(e->ctx, pointer, size);
}

void caches_to_cpu(const struct busway_dma_device *device, void *pointer, size_t size)
{
	const struct busway_dma_environment *e = &device->dma->environment;

	if (device->caches)
		e->invalidate(e->ctx, pointer, size);
}

struct busway_range whole_lines(const struct busway_dma *dma, struct busway_range phys)
{
	const uint64_t within = dma->environment.cache_line ? dma->environment.cache_line - 1 : 0;

	return (struct busway_range){phys.first & ~within, phys.last | within};
}
