/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pool.c - a device that must bounce, a pool of 64 MiB, and memory that it does not reach.
 *
 *   /bus 0x0..0xffffffff   CPU 1 GiB: the pool, reached      CPU 4 GiB: the driver's, out of reach
 *
 * All pools lie in the same bytes: one workload runs at a time, and nobody reads them.
 */
#include "bench.h"

#include <stdlib.h>
#include <sys/mman.h>

#define POOL_PHYS ((uint64_t)1 << 30)

static unsigned char *bytes; /* of the pool, then the driver's */

static void *pointer(void *ctx, struct busway_phys_range range)
{
	const uint64_t first = range.first.raw;

	(void)ctx;
	return first >= BENCH_OWN_PHYS ? bench_own_bytes() + (first - BENCH_OWN_PHYS)
				       : bench_slot_bytes() + (first - POOL_PHYS);
}

unsigned char *bench_slot_bytes(void)
{
	return bytes;
}

unsigned char *bench_own_bytes(void)
{
	return bytes + BENCH_POOL_SIZE;
}

/* Untouched: who reads or writes them fills them first. */
static bool make_bytes(void)
{
	void *mapped;

	if (bytes)
		return true;
	mapped = mmap(NULL, BENCH_POOL_SIZE + BENCH_OWN_SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mapped != MAP_FAILED)
		bytes = mapped;
	return bytes;
}

static bool make_platform(struct busway_platform **platform, busway_device_id *id)
{
	const struct busway_region ram = {
		.range = {0, ((uint64_t)1 << 40) - 1},
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/memory",
	};
	const struct busway_device device = {
		.name = "/device",
		.emission = busway_emission_mask(32),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
		.dma = {.enters = BUSWAY_CPU_SPACE},
	};

	return !busway_platform_create(&cli_memory, platform) &&
	       !busway_platform_add_region(*platform, &ram) &&
	       !busway_platform_add_device(*platform, &device, id) &&
	       !busway_platform_seal(*platform);
}

bool bench_pool_make(uint32_t areas, uint32_t lanes, struct bench_pool *pool)
{
	const struct busway_dma_environment environment = {.pointer = pointer,
							   .one_thread = lanes == 1};
	const struct busway_phys_range range = {{POOL_PHYS}, {POOL_PHYS + (BENCH_POOL_SIZE - 1)}};
	const struct busway_dma_options options = {.lanes = lanes, .live = 1 << 15};
	struct busway_platform *platform;
	struct busway_dma_device *device;
	busway_device_id id;

	if (!make_bytes() || !make_platform(&platform, &id) ||
	    busway_dma_create(platform, &environment, &cli_memory, &pool->dma) ||
	    busway_dma_add_pool(pool->dma, range, BUSWAY_USE_BOUNCE, areas) ||
	    busway_dma_attach(pool->dma, id, &options, &device, NULL))
		return false;
	for (uint32_t i = 0; i < lanes && i < BENCH_LANES; i++)
		pool->lane[i] = busway_dma_lane(device, i);
	return true;
}
