/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * windows.c - a device behind windows, and pages that it reaches.
 *
 * Windows of 32 GiB, one every 64 GiB, at an offset of 2 GiB, and pages drawn before the clock
 * starts. Beside it the table that kernels keep of such windows, which they walk until an entry
 * fits.
 */
#include "bench.h"

enum { WINDOW_LG2 = 35, STEP_LG2 = 36, SEED = 4 };

static bool add_window(struct bench_windows *b, busway_space_id bus, unsigned i)
{
	const uint64_t cpu = (uint64_t)i << STEP_LG2, dma = cpu + ((uint64_t)1 << 31);
	const uint64_t size = (uint64_t)1 << WINDOW_LG2;
	const struct busway_window window = {
		.from = bus,
		.to = BUSWAY_CPU_SPACE,
		.in = {dma, dma + (size - 1)},
		.out = {cpu},
		.access = BUSWAY_READ_WRITE,
		.name = "/bus",
		.entry = i,
	};

	b->table[i] = (struct table_entry){cpu, dma, size};
	return busway_platform_add_window(b->platform, &window) == 0;
}

static bool build(struct bench_windows *b, unsigned windows)
{
	const struct busway_space space = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
	const struct busway_region ram = {
		.range = {0, ((uint64_t)1 << 44) - 1},
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/memory",
	};
	struct busway_device device = {
		.name = "/bus/device",
		.emission = busway_emission_mask(64),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
	busway_space_id bus = BUSWAY_CPU_SPACE;

	if (busway_platform_create(&cli_memory, &b->platform) ||
	    (windows && busway_platform_add_space(b->platform, &space, &bus)) ||
	    busway_platform_add_region(b->platform, &ram))
		return false;
	for (unsigned i = 0; i < windows; i++)
		if (!add_window(b, bus, i))
			return false;
	device.dma.enters = bus;
	return !busway_platform_add_device(b->platform, &device, &b->device) &&
	       !busway_platform_seal(b->platform);
}

bool bench_windows_make(struct bench_windows *b, unsigned windows)
{
	uint64_t random = SEED;

	b->table_count = windows ? windows : 1;
	b->table[0] = (struct table_entry){0, 0, (uint64_t)1 << 44};
	if (windows > BENCH_WINDOWS || !build(b, windows))
		return false;
	for (unsigned i = 0; i < BENCH_PAGES; i++) {
		const uint64_t window = windows ? bench_random(&random) % windows : 0;
		const uint64_t page = bench_random(&random) % ((uint64_t)1 << (WINDOW_LG2 - 12));

		b->phys[i] = (window << STEP_LG2) + (page << 12);
		b->dma[i] = b->phys[i] + (windows ? (uint64_t)1 << 31 : 0);
	}
	return true;
}
