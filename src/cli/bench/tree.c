/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - device trees of a size, for the benchmarks.
 *
 * Shaped like those of large SoCs: one bus with a window, clusters of blocks on it, most with
 * clocks and interrupts that no DMA question looks at, some behind an IOMMU.
 */
#include "bench.h"

#include <libfdt.h>
#include <stdlib.h>

enum { BLOCK_BYTES = 120 };

static void put_cells(void *fdt, const char *name, const uint32_t *cells, int count)
{
	fdt32_t swapped[16];

	for (int i = 0; i < count; i++)
		swapped[i] = cpu_to_fdt32(cells[i]);
	fdt_property(fdt, name, swapped, count * 4);
}

#define CELLS(fdt, name, ...)                                                                      \
	put_cells(fdt, name, (const uint32_t[]){__VA_ARGS__},                                      \
		  sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

static void put_block(void *fdt, unsigned i)
{
	char name[32];

	snprintf(name, sizeof(name), "%s@%x", i % 5 == 0 ? "dma-controller" : "serial",
		 0x10000000 + i * 0x1000);
	fdt_begin_node(fdt, name);
	fdt_property_string(fdt, "compatible", "vendor,soc-block");
	CELLS(fdt, "reg", 0, 0x10000000 + i * 0x1000, 0, 0x1000);
	CELLS(fdt, "interrupts", 0, i, 4);
	CELLS(fdt, "clocks", 2, i, 2, i + 1);
	if (i % 7 == 0)
		CELLS(fdt, "iommus", 1, i);
	if (i % 3 == 0)
		fdt_property_string(fdt, "status", "disabled");
	fdt_end_node(fdt);
}

static void put_host(void *fdt)
{
	fdt_begin_node(fdt, "pcie@40000000");
	fdt_property_string(fdt, "device_type", "pci");
	CELLS(fdt, "#address-cells", 3);
	CELLS(fdt, "#size-cells", 2);
	CELLS(fdt, "reg", 0, 0x40000000, 0, 0x10000);
	CELLS(fdt, "ranges", 0x02000000, 0, 0x50000000, 0, 0x50000000, 0, 0x10000000);
	CELLS(fdt, "dma-ranges", 0x43000000, 0, 0x80000000, 0, 0x80000000, 0, 0x80000000);
	CELLS(fdt, "iommu-map", 0, 1, 0x10000, 0x1000);
	fdt_end_node(fdt);
}

static void put_tree(void *fdt, unsigned blocks)
{
	fdt_begin_node(fdt, "");
	CELLS(fdt, "#address-cells", 2);
	CELLS(fdt, "#size-cells", 2);
	fdt_property_string(fdt, "model", "Busway benchmark board");
	fdt_begin_node(fdt, "memory@80000000");
	fdt_property_string(fdt, "device_type", "memory");
	CELLS(fdt, "reg", 0, 0x80000000, 0, 0x80000000, 8, 0, 2, 0);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "soc");
	CELLS(fdt, "#address-cells", 2);
	CELLS(fdt, "#size-cells", 2);
	fdt_property(fdt, "ranges", NULL, 0);
	CELLS(fdt, "dma-ranges", 0, 0, 0, 0, 0x10, 0);
	fdt_begin_node(fdt, "iommu@f000000");
	CELLS(fdt, "#iommu-cells", 1);
	CELLS(fdt, "phandle", 1);
	fdt_end_node(fdt);
	fdt_begin_node(fdt, "clock-controller@e000000");
	CELLS(fdt, "#clock-cells", 1);
	CELLS(fdt, "phandle", 2);
	fdt_end_node(fdt);
	put_host(fdt);
	for (unsigned i = 0; i < blocks; i++)
		put_block(fdt, i);
	fdt_end_node(fdt);
	fdt_end_node(fdt);
}

void *bench_tree(unsigned blocks, size_t *size)
{
	const int capacity = (int)(blocks * 2 * BLOCK_BYTES) + 4096;
	void *fdt = malloc((size_t)capacity);

	if (!fdt || fdt_create(fdt, capacity) || fdt_finish_reservemap(fdt)) {
		free(fdt);
		return NULL;
	}
	put_tree(fdt, blocks);
	if (fdt_finish(fdt)) {
		free(fdt);
		return NULL;
	}
	*size = fdt_totalsize(fdt);
	return fdt;
}
