/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bounce.c - the address that a device with a restricted pool is handed for some memory.
 *
 * The DMA API is asked, which takes slots of the pool as a driver's call would. There are no bytes:
 * the pool is a reservation of addresses that nobody touches, since the caller syncs by itself.
 */
#include "cli.h"

#include <sys/mman.h>

struct stage {
	void *base;
};

static void *pointer(void *ctx, struct busway_phys_range range)
{
	(void)range;
	return ((struct stage *)ctx)->base;
}

/* Is all of it stated to be memory? Where nothing is stated, it is taken on trust. */
static bool is_memory(const struct busway_platform *platform, struct busway_range range)
{
	size_t count, i;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);

	while (count) {
		for (i = 0; i < count && !busway_range_has(banks[i].range, range.first); i++)
			;
		if (i == count)
			return false;
		if (range.last <= banks[i].range.last)
			return true;
		range.first = banks[i].range.last + 1;
	}
	return true;
}

static int map_in(struct busway_dma *dma, busway_device_id id, const struct options *options,
		  struct busway_range phys, struct busway_dma_range *out,
		  struct busway_refusal *why)
{
	const struct busway_dma_options how = {.bypass_iommu = options->bypass_iommu};
	struct busway_mapping mapping = {0};
	struct busway_dma_device *device;
	int status = busway_dma_attach(dma, id, &how, &device, why);

	if (status)
		return status;
	status = busway_dma_set_mask(device, options->mask, NULL, why);
	if (status == 0)
		status = busway_map(busway_dma_lane(device, 0), busway_phys_range(phys),
				    BUSWAY_BIDIRECTIONAL, BUSWAY_MAP_SKIP_SYNC, &mapping, why);
	if (status == 0) {
		*out = mapping.segments[0].dma;
		busway_unmap(&mapping);
	}
	busway_dma_detach(device);
	return status;
}

int bounce_address(const struct loaded *loaded, busway_device_id id, const struct options *options,
		   struct busway_range phys, struct busway_dma_range *out,
		   struct busway_refusal *why)
{
	const struct busway_device *device = busway_platform_device(loaded->platform, id);
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(loaded->platform, &count);
	struct stage stage;
	const struct busway_dma_environment environment = {.ctx = &stage, .pointer = pointer};
	struct busway_dma *dma;
	uint64_t span;
	int status;

	/* a pool without a place has no addresses to give; what is no memory cannot be copied */
	if (device->restricted_pool >= count || device->untrusted ||
	    pools[device->restricted_pool].dynamic || pools[device->restricted_pool].empty ||
	    !is_memory(loaded->platform, phys))
		return -BUSWAY_EINVAL;
	span = busway_range_span(pools[device->restricted_pool].range);
	stage.base = mmap(NULL, (size_t)span + 1, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (stage.base == MAP_FAILED)
		return -BUSWAY_ENOMEM;
	status = busway_dma_create(loaded->platform, &environment, &cli_memory, &dma);
	if (status == 0) {
		status = map_in(dma, id, options, phys, out, why);
		busway_dma_destroy(dma);
	}
	munmap(stage.base, (size_t)span + 1);
	return status;
}
