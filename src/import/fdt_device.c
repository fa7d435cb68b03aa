/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_device.c - which nodes are devices, and what is told of each.
 */
#include "fdt_importer.h"

#include <string.h>

/* ---- which nodes ---- */

/* Generic names (Devicetree Specification 0.4, 2.2.2, and usage) of things that do DMA. Sorted. */
static const char *const master_names[] = {
	"ahci",          "apbdma",        "camera",
	"camss",         "codec",         "crypto",
	"csi",           "display",       "display-controller",
	"dma",           "dma-apbh",      "dma-controller",
	"dsp",           "ehci",          "emmc",
	"eth",           "ethernet",      "fman",
	"fw-cfg",        "g2d",           "gpu",
	"hevc",          "iep",           "isp",
	"jpeg",          "jpegdec",       "jpegenc",
	"lcdif",         "mdp",           "mmc",
	"mshc",          "nand",          "nand-controller",
	"npu",           "nvme",          "ohci",
	"rga",           "rkvdec",        "sata",
	"scsi",          "sdhci",         "sdhost",
	"sdio",          "udc",           "ufs",
	"ufshc",         "ufshci",        "usb",
	"usbdrd",        "usbdrd3",       "vdec",
	"venc",          "video",         "video-codec",
	"video-decoder", "video-encoder", "virtio",
	"virtio_mmio",   "vop",           "vpu",
	"wifi",          "wlan",          "xhci",
};

/* The names are sorted: find @name, of @length, by halving. */
static bool has_master_name(const struct fdt_tree *tree, uint32_t node)
{
	const char *name = tree->nodes[node].name;
	const size_t length = strcspn(name, "@");
	size_t low = 0, high = sizeof(master_names) / sizeof(master_names[0]);

	while (low < high) {
		const size_t middle = (low + high) / 2;
		int order = strncmp(name, master_names[middle], length);

		if (order == 0 && master_names[middle][length])
			order = -1;
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

static bool is_likely_master(const struct fdt_tree *tree, uint32_t node)
{
	static const enum fdt_property_id signs[] = {
		FDT_IOMMUS,      FDT_DMA_COHERENT,       FDT_DMA_NONCOHERENT, FDT_DMA_CELLS,
		FDT_IOMMU_CELLS, FDT_INTERCONNECT_NAMES, FDT_MEMORY_REGION,
	};
	const struct fdt_prop *names = fdt_get(tree, node, FDT_INTERCONNECT_NAMES);

	if (!fdt_has(tree, node, FDT_COMPATIBLE) && !fdt_has(tree, node, FDT_REG))
		return false; /* a bus or a property sheet, not a device */
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (signs[i] != FDT_INTERCONNECT_NAMES && fdt_has(tree, node, signs[i]))
			return true;
	return (names && fdt_string_index(names, "dma-mem") >= 0) || has_master_name(tree, node);
}

static enum busway_device_kind kind_of(const struct fdt_importer *importer, uint32_t node,
				       uint32_t *host)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *compatible = fdt_get(tree, node, FDT_COMPATIBLE);
	const char *s = NULL;

	/* a function's reg is its place on the bus; what has none (the controller of the legacy
	 * interrupts) is a part of the bridge */
	if (fdt_is_on_pci(importer, node, host))
		return fdt_has(tree, node, FDT_REG) ? BUSWAY_DEVICE_PCI_FUNCTION
						    : BUSWAY_DEVICE_PLATFORM;
	if (fdt_is_endpoint(importer, node))
		return BUSWAY_DEVICE_PCIE_ENDPOINT;
	if (!fdt_is_host(importer, node))
		return fdt_has(tree, node, FDT_IOMMU_CELLS) ? BUSWAY_DEVICE_IOMMU
							    : BUSWAY_DEVICE_PLATFORM;
	if (fdt_name_is(tree, node, "pcie") || fdt_string_is(tree, node, FDT_DEVICE_TYPE, "pciex"))
		return BUSWAY_DEVICE_PCIE_HOST;
	while (compatible && (s = fdt_next_string(compatible, s)))
		if (strstr(s, "pcie"))
			return BUSWAY_DEVICE_PCIE_HOST;
	return BUSWAY_DEVICE_PCI_HOST;
}

/* Nodes that describe something other than devices. */
static bool is_description(const struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_tree *tree = &importer->tree;

	return node == 0 || tree->nodes[node].bookkeeping ||
	       fdt_inside(tree, node, importer->reserved_memory) ||
	       fdt_string_is(tree, node, FDT_DEVICE_TYPE, "memory");
}

/* ---- pools ---- */

static bool is_restricted(const struct fdt_importer *importer, uint32_t pool)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(importer->platform, &count);

	return pools[pool].type == BUSWAY_POOL_RESTRICTED && pools[pool].enabled;
}

static uint32_t pool_of_phandle(const struct fdt_importer *importer, uint32_t phandle)
{
	const uint32_t node = fdt_by_phandle(&importer->tree, phandle);

	return node == FDT_NONE ? UINT32_MAX : importer->pool_index[node];
}

/* The device's own memory-region, in order: all nodes, and those of them that are pools. */
static int own_pools(struct fdt_importer *importer, uint32_t node, struct busway_device *device)
{
	const struct fdt_prop *regions = fdt_get(&importer->tree, node, FDT_MEMORY_REGION);
	const uint32_t count = regions ? fdt_cells(regions) : 0;
	const char **names = KEEP(importer, const char *, count);
	uint32_t *pools = KEEP(importer, uint32_t, count);

	if (!pools || !names)
		return -BUSWAY_ENOMEM;
	device->pools = pools;
	device->memory_regions = names;
	for (uint32_t i = 0; i < count; i++) {
		const uint32_t target = fdt_by_phandle(&importer->tree, fdt_cell(regions, i));
		const uint32_t pool =
			target == FDT_NONE ? UINT32_MAX : importer->pool_index[target];

		if (target == FDT_NONE)
			continue;
		names[device->memory_region_count] = fdt_path(&importer->tree, target);
		if (!names[device->memory_region_count++])
			return -BUSWAY_ENOMEM;
		if (pool == UINT32_MAX)
			continue;
		pools[device->pool_count++] = pool;
		if (device->restricted_pool == UINT32_MAX && is_restricted(importer, pool))
			device->restricted_pool = pool;
	}
	return 0;
}

/* The first available restricted pool that @host names. */
static uint32_t restricted_pool_of(struct fdt_importer *importer, uint32_t host)
{
	const struct fdt_prop *regions = fdt_get(&importer->tree, host, FDT_MEMORY_REGION);
	struct fdt_memo *memo = &importer->memos[host];

	if (memo->restricted_known)
		return memo->restricted_pool;
	memo->restricted_known = true;
	memo->restricted_pool = UINT32_MAX;
	for (uint32_t i = 0; regions && i < fdt_cells(regions); i++) {
		const uint32_t pool = pool_of_phandle(importer, fdt_cell(regions, i));

		if (pool != UINT32_MAX && is_restricted(importer, pool)) {
			memo->restricted_pool = pool;
			break;
		}
	}
	return memo->restricted_pool;
}

/* A function without a memory-region of its own uses the host's restricted pool. */
static int take_pools(struct fdt_importer *importer, uint32_t node, uint32_t host,
		      struct busway_device *device)
{
	uint32_t *one;

	if (host == FDT_NONE || fdt_has(&importer->tree, node, FDT_MEMORY_REGION))
		return own_pools(importer, node, device);
	device->restricted_pool = restricted_pool_of(importer, host);
	if (device->restricted_pool == UINT32_MAX || device->behind_iommu)
		return 0;
	one = KEEP(importer, uint32_t, 1);
	if (!one)
		return -BUSWAY_ENOMEM;
	*one = device->restricted_pool;
	device->pools = one;
	device->pool_count = 1;
	return 0;
}

/* ---- devices ---- */

static int fill_common(struct fdt_importer *importer, uint32_t node, struct busway_device *device)
{
	const struct fdt_node *n = &importer->tree.nodes[node];

	*device = (struct busway_device){
		.name = fdt_path(&importer->tree, node),
		.enabled = n->enabled,
		.emission = busway_emission_mask(64),
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
	if (!device->name)
		return -BUSWAY_ENOMEM;
	if (n->duplicate_property &&
	    !fdt_note(importer, &device->notes, BUSWAY_NOTE_DUPLICATE, node,
		      (enum fdt_property_id)n->duplicate_id, FDT_NONE))
		return -BUSWAY_ENOMEM;
	return 0;
}

static int take_view(const struct busway_dma_view *view, struct busway_device *device)
{
	if (!view)
		return -BUSWAY_ENOMEM;
	device->dma = *view;
	return 0;
}

/* The bridge itself: its doorbell, its embedded DMA engine. */
static int add_own(struct fdt_importer *importer, uint32_t node, enum busway_device_kind kind,
		   busway_device_id *id)
{
	struct busway_device device;
	int status = fill_common(importer, node, &device);

	if (!status)
		status = take_view(fdt_dma_view(importer, node), &device);
	if (!status)
		status = fdt_take_maps(importer, node, FDT_MAP_OF_BRIDGE_ITSELF, &device);
	if (!status)
		status = take_pools(importer, node, FDT_NONE, &device);
	if (!status)
		status = fdt_take_iova_reservations(importer, node, FDT_NONE, &device);
	if (status)
		return status;
	device.kind = kind;
	device.is_bridge_itself = true;
	device.coherence = fdt_coherence(importer, node);
	return busway_platform_add_device(importer->platform, &device, id);
}

/* The domain is a number of 16 bits, and no bus is beyond 255: Linux cuts off the rest. */
static void take_buses(const struct fdt_tree *tree, uint32_t node, struct busway_device *device)
{
	const struct fdt_prop *buses = fdt_get(tree, node, FDT_BUS_RANGE);
	uint32_t domain;

	if (fdt_get_u32(tree, node, FDT_LINUX_PCI_DOMAIN, &domain)) {
		device->has_domain = true;
		device->domain = (uint16_t)domain;
	}
	if (buses && fdt_cells(buses) >= 2) {
		const uint32_t first = fdt_cell(buses, 0), last = fdt_cell(buses, 1);

		device->has_bus_range = first <= last && first <= 0xff;
		device->first_bus = (uint8_t)first;
		device->last_bus = last > 0xff ? 0xff : (uint8_t)last;
	}
}

static int take_host(struct fdt_importer *importer, uint32_t node, struct busway_device *device)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_host *host = fdt_host(importer, node);

	if (!host)
		return -BUSWAY_ENOMEM;
	device->outbound = host->outbound;
	device->outbound_count = host->outbound_count;
	take_buses(tree, node, device);
	if (fdt_has(tree, node, FDT_IOMMUS) && !fdt_has(tree, node, FDT_IOMMU_MAP) &&
	    !fdt_note(importer, &device->notes, BUSWAY_NOTE_HOST_IOMMUS, node, FDT_IOMMUS,
		      FDT_NONE))
		return -BUSWAY_ENOMEM;
	return add_own(importer, node, device->kind, &device->own);
}

static int take_requester(const struct fdt_tree *tree, uint32_t node, struct busway_device *device)
{
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);

	if (reg && fdt_cells(reg) >= 1) {
		device->has_requester = true;
		device->requester = (uint16_t)(fdt_cell(reg, 0) >> 8);
	}
	return 0;
}

static int note_ignored_pool(struct fdt_importer *importer, uint32_t node,
			     struct busway_device *device)
{
	if (device->restricted_pool != UINT32_MAX && device->behind_iommu &&
	    !fdt_note(importer, &device->notes, BUSWAY_NOTE_POOL_IGNORED, node, FDT_MEMORY_REGION,
		      FDT_NONE))
		return -BUSWAY_ENOMEM;
	return 0;
}

static int add_device(struct fdt_importer *importer, uint32_t node, enum busway_device_kind kind,
		      uint32_t host, bool likely)
{
	const struct fdt_tree *tree = &importer->tree;
	const bool is_host = kind == BUSWAY_DEVICE_PCIE_HOST || kind == BUSWAY_DEVICE_PCI_HOST;
	const uint32_t pci = is_host ? node : host; /* FDT_NONE: not on PCI */
	struct busway_device device;
	busway_device_id id;
	int status = fill_common(importer, node, &device);

	if (status)
		return status;
	device.kind = kind;
	device.likely_master = likely;
	device.coherence = fdt_coherence(importer, pci != FDT_NONE ? pci : node);
	status = take_view(pci != FDT_NONE ? fdt_host_view(importer, pci)
					   : fdt_dma_view(importer, node),
			   &device);
	if (!status)
		status = fdt_take_maps(importer, pci != FDT_NONE ? pci : node,
				       pci != FDT_NONE ? FDT_MAP_OF_FUNCTIONS : FDT_MAP_OF_DEVICE,
				       &device);
	if (!status)
		status = take_pools(importer, node, host, &device);
	if (!status)
		status = fdt_take_iova_reservations(importer, node, pci, &device);
	if (!status && is_host)
		status = take_host(importer, node, &device);
	if (!status && kind == BUSWAY_DEVICE_PCIE_ENDPOINT)
		status = fdt_endpoint(importer, node, &device.endpoint);
	if (!status && kind == BUSWAY_DEVICE_PCI_FUNCTION)
		status = take_requester(tree, node, &device);
	if (!status)
		status = note_ignored_pool(importer, node, &device);
	if (!status)
		status = busway_platform_add_device(importer->platform, &device, &id);
	if (status)
		return status;
	importer->memos[node].has_device = true;
	importer->memos[node].device = id;
	return 0;
}

int fdt_add_devices(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;
	const bool all = importer->flags & BUSWAY_FDT_ALL_NODES;
	const uint32_t cpus = fdt_child(tree, 0, "cpus");
	int status = fdt_read_iova_reservations(importer);

	for (uint32_t i = 1; i < tree->node_count && !status; i++) {
		uint32_t host = FDT_NONE;
		enum busway_device_kind kind;
		bool likely;

		if (is_description(importer, i) || fdt_inside(tree, i, cpus))
			continue;
		kind = kind_of(importer, i, &host);
		likely = kind != BUSWAY_DEVICE_PLATFORM || is_likely_master(tree, i);
		if (likely || all)
			status = add_device(importer, i, kind, host, likely);
	}
	return status;
}
