/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * by_hand.c - a platform that no device tree describes: said in code, then asked.
 *
 *   device ---> [ /bus ]  0x0..0x3fffffff --window--> [ cpu ]  RAM 0x80000000..0xffffffff
 *
 * Memory comes from a static array: nothing here needs a heap, as in firmware.
 */
#include <busway/busway.h>

#include <inttypes.h>
#include <stdio.h>

/* ---- an allocator of a few lines: a static array that is never given back ---- */

static _Alignas(max_align_t) unsigned char store[64 * 1024];
static size_t used;

static void *take(void *ctx, size_t size, size_t align)
{
	const size_t at = (used + align - 1) & ~(align - 1);

	(void)ctx;
	if (at > sizeof(store) || size > sizeof(store) - at)
		return NULL;
	used = at + size;
	return store + at;
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)mem;
	(void)size;
	(void)align;
}

static const struct busway_allocator memory = {take, give_back, NULL};

/* ---- the platform ---- */

static int build(struct busway_platform **out, busway_device_id *device)
{
	const struct busway_space bus = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
	const struct busway_memory_bank bank = {.name = "/ram", .range = {0x80000000, 0xffffffff}};
	const struct busway_region ram = {
		.space = BUSWAY_CPU_SPACE,
		.range = {0x80000000, 0xffffffff},
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/ram",
	};
	struct busway_window window = {
		.to = BUSWAY_CPU_SPACE,
		.in = {0x0, 0x3fffffff},
		.out = busway_local(0x80000000),
		.access = BUSWAY_READ_WRITE,
		.name = "/bus",
	};
	struct busway_device dma = {
		.name = "/bus/dma",
		.enabled = true,
		.emission = busway_emission_mask(32),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
	struct busway_platform *platform;
	int status = busway_platform_create(&memory, &platform);

	if (status)
		return status;
	status = busway_platform_add_space(platform, &bus, &window.from);
	if (!status)
		status = busway_platform_add_window(platform, &window);
	if (!status)
		status = busway_platform_add_bank(platform, &bank);
	if (!status)
		status = busway_platform_add_region(platform, &ram);
	dma.dma.enters = window.from;
	dma.dma.restricted = true;
	if (!status)
		status = busway_platform_add_device(platform, &dma, device);
	if (!status)
		status = busway_platform_seal(platform);
	if (status)
		busway_platform_destroy(platform);
	else
		*out = platform;
	return status;
}

/* ---- the questions ---- */

static void print_refusal(const struct busway_refusal *why)
{
	char text[512];

	busway_refusal_detail(why, text, sizeof(text));
	printf("  %s: %s\n", busway_reason_code(why->reason), text);
	if (busway_refusal_advice(why, text, sizeof(text)))
		printf("  would help: %s\n", text);
}

static void where_does_it_land(const struct busway_platform *platform, busway_device_id device,
			       uint64_t dma)
{
	const struct busway_dma_range one = {busway_dma(dma), busway_dma(dma)};
	struct busway_refusal why;
	struct busway_path path;

	printf("the device emits 0x%" PRIx64 "\n", dma);
	if (busway_resolve(platform, device, one, NULL, BUSWAY_WRITE, &path, &why))
		print_refusal(&why);
	else
		printf("  lands at CPU 0x%" PRIx64 ", after %u hops\n",
		       path.hops[path.hop_count - 1].range.first, path.hop_count);
}

static void which_address(const struct busway_reach *reach, uint64_t first, uint64_t last)
{
	const struct busway_phys_range wanted = {busway_phys(first), busway_phys(last)};
	struct busway_segment segment;
	struct busway_refusal why;
	size_t count;
	int status;

	printf("the driver wants CPU 0x%" PRIx64 "..0x%" PRIx64 "\n", first, last);
	status = busway_address_for(reach, wanted, BUSWAY_READ_WRITE, 0, &segment, 1, &count, &why);
	if (status == 0)
		printf("  dma 0x%" PRIx64 "\n", segment.dma.first.raw);
	else if (status == -BUSWAY_ENOSPC)
		printf("  %zu segments, and room for one\n", count);
	else
		print_refusal(&why);
}

int main(void)
{
	struct busway_platform *platform;
	struct busway_reach *reach;
	busway_device_id device;

	if (build(&platform, &device) ||
	    busway_reach_build(platform, device, NULL, &memory, &reach))
		return 1;
	where_does_it_land(platform, device, 0x1000);
	where_does_it_land(platform, device, 0x40000000);
	which_address(reach, 0x90000000, 0x90000fff);
	which_address(reach, 0xd0000000, 0xd0000fff);
	busway_reach_destroy(reach);
	busway_platform_destroy(platform);
	return 0;
}
