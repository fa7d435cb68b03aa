/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_iommu.c - what translates a device, where its MSIs go, and which IOVAs are kept free for it.
 *
 * Functions have the maps of their host bridge. A platform device below a function (a chip with
 * buses of its own behind PCI) has its own properties; but what it emits comes out of the host
 * bridge with the ID of that function, so that the IOMMU of the bridge translates it as well:
 *
 *   device ---> bus ---> function ---> host bridge ---> IOMMU of its iommu-map ---> memory
 *
 * Linux does not look there (of_iommu_configure() reads the device's own node), hardware does.
 */
#include "fdt_importer.h"

struct fdt_device_maps {
	struct fdt_maps iommu, msi;
	bool by_map;       /* IOMMUs are those of iommu-map, not of iommus */
	bool behind_iommu; /* some access is translated */
	uint32_t msi_node; /* whose property says where MSIs go */
};

/* Linux looks for msi-map upwards from the host bridge, and takes the first (of_msi_map_id). */
static uint32_t msi_map_of(const struct fdt_tree *tree, uint32_t host)
{
	for (uint32_t at = host; at != 0; at = tree->nodes[at].parent)
		if (fdt_has(tree, at, FDT_MSI_MAP))
			return at;
	return host;
}

static int read_maps(struct fdt_importer *importer, uint32_t node, enum fdt_map_use use,
		     struct fdt_device_maps *m)
{
	const struct fdt_tree *tree = &importer->tree;
	int status;

	m->by_map = use == FDT_MAP_OF_FUNCTIONS ||
		    (use == FDT_MAP_OF_DEVICE && fdt_has(tree, node, FDT_IOMMU_MAP));
	if (m->by_map)
		status = fdt_id_map(importer, node, FDT_IOMMU_MAP, FDT_IOMMU_MAP_MASK,
				    FDT_IOMMU_CELLS, &m->iommu);
	else
		status = fdt_specifiers(importer, node, FDT_IOMMUS, FDT_IOMMU_CELLS, &m->iommu);
	m->msi_node = use == FDT_MAP_OF_FUNCTIONS ? msi_map_of(tree, node) : node;
	if (!status && fdt_has(tree, m->msi_node, FDT_MSI_MAP))
		status = fdt_id_map(importer, m->msi_node, FDT_MSI_MAP, FDT_MSI_MAP_MASK,
				    FDT_MSI_CELLS, &m->msi);
	else if (!status)
		status = fdt_specifiers(importer, node, FDT_MSI_PARENT, FDT_MSI_CELLS, &m->msi);
	if (!status)
		m->behind_iommu = m->iommu.unreadable ||
				  busway_id_map_hits(m->iommu.maps, m->iommu.count, true, 0);
	return status;
}

/* The maps of a host bridge for its functions, read once; NULL when there is no memory. */
static const struct fdt_device_maps *host_maps(struct fdt_importer *importer, uint32_t host)
{
	struct fdt_memo *memo = &importer->memos[host];
	struct fdt_device_maps *maps;

	if (memo->host_maps)
		return memo->host_maps;
	maps = arena_take(&importer->work, sizeof(*maps), _Alignof(struct fdt_device_maps));
	if (!maps || read_maps(importer, host, FDT_MAP_OF_FUNCTIONS, maps))
		return NULL;
	memo->host_maps = maps;
	return maps;
}

static int take_read(struct fdt_importer *importer, uint32_t node, const struct fdt_device_maps *m,
		     struct busway_device *device)
{
	device->iommu = m->iommu.maps;
	device->iommu_count = m->iommu.count;
	device->msi = m->msi.maps;
	device->msi_count = m->msi.count;
	device->behind_iommu = m->behind_iommu;
	device->translated_always = m->iommu.unreadable;
	if (m->iommu.unreadable &&
	    !fdt_note(importer, &device->notes, BUSWAY_NOTE_IOMMU_UNREADABLE, node,
		      m->by_map ? FDT_IOMMU_MAP : FDT_IOMMUS, FDT_NONE))
		return -BUSWAY_ENOMEM;
	if ((m->iommu.sized_entries || m->msi.sized_entries) &&
	    !fdt_note(importer, &device->notes, BUSWAY_NOTE_MAP_CELLS,
		      m->iommu.sized_entries ? node : m->msi_node,
		      m->iommu.sized_entries ? FDT_IOMMU_MAP : FDT_MSI_MAP, FDT_NONE))
		return -BUSWAY_ENOMEM;
	return 0;
}

/* Whatever comes out of @node: which host bridges does it pass on the way up? */
static int take_bridges_above(struct fdt_importer *importer, uint32_t node,
			      struct busway_device *device)
{
	for (uint32_t at = fdt_dma_parent(importer, node); at != 0;
	     at = fdt_dma_parent(importer, at)) {
		const struct fdt_device_maps *m;

		if (!fdt_is_host(importer, at))
			continue;
		m = host_maps(importer, at);
		if (!m)
			return -BUSWAY_ENOMEM;
		if (!m->iommu.count && !m->iommu.unreadable)
			continue;
		if (!device->iommu_count) {
			device->iommu = m->iommu.maps;
			device->iommu_count = m->iommu.count;
		}
		if (!m->behind_iommu)
			continue;
		device->behind_iommu = true;
		device->translated_always = true;
		if (!fdt_note(importer, &device->notes, BUSWAY_NOTE_BRIDGE_IOMMU, at, FDT_IOMMU_MAP,
			      FDT_NONE))
			return -BUSWAY_ENOMEM;
	}
	return 0;
}

int fdt_take_maps(struct fdt_importer *importer, uint32_t node, enum fdt_map_use use,
		  struct busway_device *device)
{
	const struct fdt_device_maps *m;
	struct fdt_device_maps own;
	int status;

	if (use == FDT_MAP_OF_FUNCTIONS) {
		m = host_maps(importer, node);
		status = m ? 0 : -BUSWAY_ENOMEM;
	} else {
		m = &own;
		status = read_maps(importer, node, use, &own);
	}
	if (!status)
		status = take_read(importer, node, m, device);
	return status ? status : take_bridges_above(importer, node, device);
}

/* ---- iommu-addresses ---- */

struct fdt_iova {
	struct busway_region region;
	struct fdt_iova *next;
};

static int keep_free(struct fdt_importer *importer, uint32_t device, uint32_t by,
		     struct busway_range range)
{
	struct fdt_memo *memo = &importer->memos[device];
	struct fdt_iova *iova =
		arena_take(&importer->work, sizeof(*iova), _Alignof(struct fdt_iova));
	const char *name = fdt_path(&importer->tree, by);

	if (!iova || !name)
		return -BUSWAY_ENOMEM;
	*iova = (struct fdt_iova){.region = {
					  .range = range,
					  .kind = BUSWAY_REGION_CARVEOUT,
					  .access = BUSWAY_READ_WRITE,
					  .name = name,
				  }};
	if (memo->last_iova)
		memo->last_iova->next = iova;
	else
		memo->iovas = iova;
	memo->last_iova = iova;
	return 0;
}

/* The phandle of each entry names the device; its addresses are what that device emits, in the
 * cells of the bus that it is on. */
static int read_iova_reservations(struct fdt_importer *importer, uint32_t node)
{
	const struct fdt_tree *tree = &importer->tree;
	const struct fdt_prop *prop = fdt_get(tree, node, FDT_IOMMU_ADDRESSES);
	int status = 0;

	for (uint32_t at = 0; prop && at < fdt_cells(prop) && !status;) {
		const uint32_t target = fdt_by_phandle(tree, fdt_cell(prop, at++));
		const struct fdt_node *bus;
		uint32_t na, ns, flags;
		struct busway_range range;

		if (target == FDT_NONE)
			return 0;
		bus = &tree->nodes[tree->nodes[target].parent];
		na = bus->address_cells;
		ns = bus->size_cells;
		flags = fdt_flag_cells(bus->bus);
		if (na <= flags || !ns || na + ns > fdt_cells(prop) - at)
			return 0;
		if (busway_range_clip(fdt_number(prop, at + flags, na - flags),
				      fdt_number(prop, at + na, ns), &range))
			status = keep_free(importer, target, node, range);
		at += na + ns;
	}
	return status;
}

int fdt_read_iova_reservations(struct fdt_importer *importer)
{
	const struct fdt_tree *tree = &importer->tree;
	const uint32_t top = importer->reserved_memory;
	int status = 0;

	if (top == FDT_NONE)
		return 0;
	for (uint32_t i = top + 1; i < tree->nodes[top].end && !status; i = tree->nodes[i].end)
		if (tree->nodes[i].enabled)
			status = read_iova_reservations(importer, i);
	return status;
}

static size_t copy_iovas(const struct fdt_iova *from, struct busway_region *out)
{
	size_t count = 0;

	for (; from; from = from->next, count++)
		if (out)
			out[count] = from->region;
	return count;
}

int fdt_take_iova_reservations(struct fdt_importer *importer, uint32_t node, uint32_t host,
			       struct busway_device *device)
{
	const struct fdt_iova *own = importer->memos[node].iovas;
	const struct fdt_iova *of_host =
		host == FDT_NONE || host == node ? NULL : importer->memos[host].iovas;
	const size_t count = copy_iovas(own, NULL);
	const size_t all = count + copy_iovas(of_host, NULL);
	struct busway_region *made;

	if (!all)
		return 0;
	made = KEEP(importer, struct busway_region, all);
	if (!made)
		return -BUSWAY_ENOMEM;
	copy_iovas(own, made);
	copy_iovas(of_host, made + count);
	device->iova_reserved = made;
	device->iova_reserved_count = all;
	return 0;
}
