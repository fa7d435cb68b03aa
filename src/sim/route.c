/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * route.c - all of the way: what a device emits, the fabric, and the IOMMU on the way.
 */
#include "sim_internal.h"

static void end_at(struct busway_landing *landing)
{
	landing->dma = sim_leading(landing->dma, busway_range_span(landing->at) + 1);
}

bool sim_route_begin(const struct busway_machine *machine, busway_device_id device,
		     struct busway_range dma, enum busway_access access,
		     struct busway_landing *landing)
{
	const struct busway_device *dev = sim_device(machine, device);
	bool translated = false;

	*landing = (struct busway_landing){
		.dma = dma,
		.space = dev->dma.enters,
		.at = dma,
		.refused = BUSWAY_VIOLATION_EMISSION,
	};
	if (sim_cut_emitted(&dev->emission, &landing->at)) {
		if (sim_iommu_of(machine, device))
			translated = sim_upstream(machine, dev, access, landing);
		else
			sim_hops(machine, dev, access, landing);
	}
	end_at(landing);
	return translated;
}

void sim_route_end(const struct busway_machine *machine, busway_device_id device,
		   enum busway_access access, struct busway_landing *landing)
{
	sim_hops(machine, sim_device(machine, device), access, landing);
	end_at(landing);
}

int busway_machine_route(const struct busway_machine *machine, busway_device_id device,
			 struct busway_dma_range dma, enum busway_access access,
			 struct busway_landing *landing)
{
	const struct busway_range range = busway_dma_raw(dma);
	const struct sim_iommu *iommu;
	struct sim_translation translation;

	if (!sim_device_exists(machine, device) || range.first > range.last ||
	    !(access & BUSWAY_READ_WRITE))
		return -BUSWAY_EINVAL;
	if (!sim_route_begin(machine, device, range, access, landing))
		return 0;
	iommu = sim_iommu_of(machine, device);
	translation = sim_translate_by_tables(machine, iommu, landing->at.first, access);
	if (sim_translated(iommu, &translation, landing))
		sim_route_end(machine, device, access, landing);
	return 0;
}
