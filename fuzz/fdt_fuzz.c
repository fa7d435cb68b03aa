/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_fuzz.c - any bytes as a device tree: no crash, no leak, and no wrong address.
 *
 * What is imported is also asked, and the answers are held against each other: both ends of each
 * piece of a reach resolve, hop by hop, to where the piece says, and the address that is handed
 * out for them leads back to them.
 */
#include <busway/busway.h>
#include <busway/fdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICES_MAX = 24, PIECES_MAX = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align;
	return malloc(size);
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take, give_back, NULL};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "fdt_fuzz: %s\n", what);
		abort();
	}
}

/* The access lands at @phys. */
static void check_landing(const struct busway_platform *platform, busway_device_id device,
			  uint64_t dma, uint64_t phys, enum busway_access access)
{
	const struct busway_dma_range one = {{dma}, {dma}};
	struct busway_path path;
	const struct busway_hop *last;

	must(busway_resolve(platform, device, one, NULL, access, &path, NULL) == 0,
	     "an address of the reach does not resolve");
	must(path.hop_count > 0 && path.target_count == 1, "a path without an end");
	last = &path.hops[path.hop_count - 1];
	must(last->space.index == BUSWAY_CPU_SPACE.index && last->range.first == phys,
	     "an address of the reach leads elsewhere");
}

static void check_piece(const struct busway_platform *platform, busway_device_id device,
			const struct busway_reach *reach, const struct busway_piece *piece)
{
	const uint64_t span = piece->dma.last.raw - piece->dma.first.raw;
	const uint64_t ends[] = {0, span / 2, span};

	must(piece->dma.first.raw <= piece->dma.last.raw, "a piece is empty");
	must(span <= UINT64_MAX - piece->phys.raw, "a piece wraps");
	for (size_t i = 0; i < 3; i++) {
		const uint64_t phys = piece->phys.raw + ends[i];
		const struct busway_phys_range byte = {{phys}, {phys}};
		struct busway_segment segment;
		size_t count;

		check_landing(platform, device, piece->dma.first.raw + ends[i], phys,
			      piece->access);
		if (busway_address_for(reach, byte, piece->access, BUSWAY_ADDRESS_BYPASS_IOMMU,
				       &segment, 1, &count, NULL) == 0)
			check_landing(platform, device, segment.dma.first.raw, phys, piece->access);
		else
			must(busway_platform_device(platform, device)->restricted_pool !=
				     UINT32_MAX,
			     "memory of the reach has no address");
	}
}

static void check_device(const struct busway_platform *platform, busway_device_id device)
{
	struct busway_reach *reach;
	struct busway_piece *windows;
	struct busway_iova iova;
	size_t count;

	if (busway_reach_build(platform, device, NULL, &memory, &reach) == 0) {
		const struct busway_piece *pieces = busway_reach_pieces(reach, &count);

		for (size_t i = 0; i < count && i < PIECES_MAX; i++) {
			check_piece(platform, device, reach, &pieces[i]);
			must(i == 0 || pieces[i - 1].dma.last.raw < pieces[i].dma.first.raw,
			     "pieces are not sorted");
		}
		busway_reach_destroy(reach);
	}
	if (busway_windows_build(platform, device, &memory, &windows, &count) == 0)
		free(windows);
	if (busway_iova_build(platform, device, NULL, &memory, &iova) == 0)
		busway_iova_free(&iova);
}

static void check_refusal(const struct busway_platform *platform, busway_device_id device,
			  uint64_t address)
{
	const struct busway_dma_range one = {{address}, {address}};
	struct busway_refusal why;
	char text[256];

	if (busway_resolve(platform, device, one, NULL, BUSWAY_READ, NULL, &why) == 0)
		return;
	must(why.reason != BUSWAY_NOT_REFUSED, "a refusal without a reason");
	busway_refusal_detail(&why, text, sizeof(text));
	busway_refusal_advice(&why, text, sizeof(text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct busway_platform *platform;
	struct busway_fdt_error error;
	void *blob;
	unsigned flags;

	if (!size)
		return 0;
	/* the first byte chooses; the tree is 8-byte aligned, as the importer asks */
	flags = data[0] & 1 ? BUSWAY_FDT_ALL_NODES : 0;
	blob = malloc(size);
	if (!blob)
		return 0;
	memcpy(blob, data + 1, size - 1);
	if (busway_fdt_import(blob, size - 1, flags, &memory, &platform, &error) == 0) {
		const size_t count = busway_platform_device_count(platform);

		for (uint32_t i = 0; i < count && i < DEVICES_MAX; i++) {
			check_device(platform, (busway_device_id){i});
			check_refusal(platform, (busway_device_id){i}, 0);
			check_refusal(platform, (busway_device_id){i}, UINT64_MAX);
		}
		busway_platform_destroy(platform);
	} else {
		must(error.message[0] != '\0', "a refused tree without a message");
	}
	free(blob);
	return 0;
}
