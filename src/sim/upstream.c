/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * upstream.c - the way of an access to an IOMMU.
 *
 *   device --> [ bus ] ==1:1==> [ PCI bus ] --windows--> IOMMU
 *              passes all        aperture, doorbell, or a window must take it
 *
 * The IOMMU gets the address as the device emitted it: what windows do to it on the way is only
 * whether they take it.
 */
#include "sim_internal.h"

#include <busway/resolve.h> /* BUSWAY_HOPS_MAX */

/* Is all that the space does to pass everything as it is? */
static bool passes_all(const struct sim_ways *ways)
{
	const struct busway_window *only = ways->window_count == 1 ? ways->windows[0].is : NULL;

	return only && only->in.first == 0 && only->in.last == UINT64_MAX && only->out.raw == 0;
}

/* Does the IOMMU sit where the access is now, having come from space @from? */
static bool is_there(const struct busway_machine *machine, busway_space_id from, busway_space_id at)
{
	return !passes_all(&machine->ways[from.index]) &&
	       busway_platform_space(machine->platform, at)->kind != BUSWAY_SPACE_PCI;
}

bool sim_upstream(const struct busway_machine *machine, const struct busway_device *device,
		  enum busway_access access, struct busway_landing *landing)
{
	bool there = landing->space.index == BUSWAY_CPU_SPACE.index;

	for (unsigned hops = 0; !there; hops++) {
		const busway_space_id from = landing->space;

		if (!sim_hop(machine, device, access, landing))
			return false;
		if (hops == BUSWAY_HOPS_MAX) {
			landing->refused = BUSWAY_VIOLATION_LOOP;
			return false;
		}
		there = landing->space.index == BUSWAY_CPU_SPACE.index ||
			is_there(machine, from, landing->space);
	}
	landing->at = sim_leading(landing->dma, busway_range_span(landing->at) + 1);
	return true;
}
