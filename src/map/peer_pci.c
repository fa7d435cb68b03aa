/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer_pci.c - BARs of another PCI function, at the address that the route between the two carries.
 *
 *   switch        the address on the bus: it never comes up to where windows or IOMMUs are
 *   host bridge   what the windows into the machine make the CPU's address; nobody may answer to
 *                 it on the way up
 *   IOMMU         an IOVA, to which nobody may answer either
 *
 * What decides and could not be read is a reason to refuse.
 */
#include "map_internal.h"

#include <busway/resolve.h>

/* ---- who is who ---- */

busway_pci_id peer_function(const struct busway_pci *pci, busway_device_id id,
			    const struct busway_device *device)
{
	busway_pci_id found = BUSWAY_NO_FUNCTION;

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		if (f->has_device && f->platform_device.index == id.index)
			return (busway_pci_id){i};
	}
	for (uint32_t i = 0; device->has_requester && i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		if (f->has_device || (f->at.bus << 8 | f->at.devfn) != device->requester ||
		    (device->has_domain && device->domain != f->at.domain))
			continue;
		if (busway_pci_some(found))
			return BUSWAY_NO_FUNCTION; /* of two domains */
		found.index = i;
	}
	return found;
}

/* Where the CPU finds a BAR. False: that, or its size, is not known. */
static bool cpu_range(const struct busway_pci_bar *bar, struct busway_range *cpu)
{
	if (!busway_bar_is_memory(bar) || !bar->sized || !bar->has_cpu ||
	    bar->cpu.raw > UINT64_MAX - busway_range_span(bar->bus))
		return false;
	*cpu = (struct busway_range){bar->cpu.raw, bar->cpu.raw + busway_range_span(bar->bus)};
	return true;
}

struct target {
	busway_pci_id function; /* none: not all of it is in one BAR */
	unsigned bar;
	struct busway_range bus;
	unsigned count; /* BARs that have some of it */
};

static struct target find_target(const struct busway_pci *pci, struct busway_range phys)
{
	struct target target = {.function = BUSWAY_NO_FUNCTION};

	for (uint32_t i = 0; i < busway_pci_count(pci); i++)
		for (unsigned k = 0; k < BUSWAY_PCI_BARS; k++) {
			const struct busway_pci_bar *bar =
				&busway_pci_function(pci, (busway_pci_id){i})->bars[k];
			struct busway_range cpu;

			if (!cpu_range(bar, &cpu) || !busway_range_overlaps(cpu, phys))
				continue;
			target.count++;
			if (!busway_range_within(phys, cpu))
				continue;
			target.function.index = i;
			target.bar = k;
			target.bus.first = bar->bus.first + (phys.first - cpu.first);
			target.bus.last = target.bus.first + busway_range_span(phys);
		}
	return target;
}

bool peer_is_pci(const struct busway_dma_device *device, struct busway_range phys)
{
	return device->pci && find_target(device->pci, phys).count != 0;
}

/* ---- by which address ---- */

/* Can the device emit it, as one segment? */
static bool can_emit(const struct busway_lane *lane, struct busway_range dma,
		     struct busway_range phys, struct busway_refusal *why)
{
	struct busway_path path;
	struct busway_refusal own_why;

	if (!within_limits(&lane->device->segments, dma.first, busway_range_span(dma))) {
		refuse_limits(lane, phys, why);
		return false;
	}
	/* where the windows would lead it does not matter: it does not come there */
	if (busway_resolve(lane->device->dma->platform, lane->device->id, busway_dma_range(dma),
			   &lane->reach->emission, BUSWAY_READ_WRITE, &path,
			   &own_why) != -BUSWAY_ERANGE ||
	    (own_why.reason != BUSWAY_BEYOND_MASK && own_why.reason != BUSWAY_ADDRESS_BITS))
		return true;
	*why = own_why;
	return false;
}

/* On the bus that the two have in common, the aperture of the host bridge is at the CPU's
 * address: what answers there is the BAR. */
static bool is_aperture(const struct busway_lane *lane, const struct target *target,
			struct busway_range phys, enum busway_direction direction)
{
	const struct busway_pci *pci = lane->device->pci;
	struct busway_path path;
	struct busway_refusal why;

	return target->bus.first == phys.first &&
	       busway_pci_host_of(pci, lane->device->function).index ==
		       busway_pci_host_of(pci, target->function).index &&
	       within_limits(&lane->device->segments, phys.first, busway_range_span(phys)) &&
	       busway_resolve(lane->device->dma->platform, lane->device->id, busway_dma_range(phys),
			      &lane->reach->emission, (enum busway_access)direction, &path,
			      &why) == -BUSWAY_ERANGE &&
	       why.reason == BUSWAY_APERTURE;
}

static bool by_host_bridge(const struct busway_lane *lane, const struct target *target,
			   struct busway_range phys, enum busway_direction direction, uint64_t *dma,
			   struct busway_refusal *why)
{
	refuse_as(lane, BUSWAY_NO_WINDOW, phys, why);
	if (is_aperture(lane, target, phys, direction)) {
		*dma = phys.first;
		return true;
	}
	if (!peer_by_windows(lane, phys, direction, dma, why))
		return false;
	/* the verdict is about the CPU's own address */
	return *dma == phys.first ||
	       busway_p2p_climbs(lane->device->pci, lane->device->function,
				 (struct busway_range){*dma, *dma + busway_range_span(phys)}, false,
				 why);
}

/* ---- all of it ---- */

/* What stands against it, whatever the route is. */
static enum busway_reason not_allowed(const struct busway_lane *lane, const struct target *target)
{
	const struct busway_dma_device *device = lane->device;

	if (device->bounce)
		return BUSWAY_RESTRICTED;
	if (!busway_pci_some(device->function))
		return BUSWAY_WIRING_UNKNOWN;
	if (target->count != 1 || !busway_pci_some(target->function))
		return BUSWAY_STRADDLES;
	return BUSWAY_NOT_REFUSED;
}

static int refuse_pci(const struct busway_lane *lane, enum busway_reason reason,
		      struct busway_range phys, struct busway_refusal *why)
{
	refuse_as(lane, reason, phys, why);
	return -BUSWAY_ERANGE;
}

/* A device that asks for translations emits, later, the CPU's address as well; the verdict has
 * looked at that only where it knows of the IOMMU. */
static bool may_use_domain(const struct busway_dma_device *device, const struct busway_p2p *verdict)
{
	const struct busway_pci_function *f = busway_pci_function(device->pci, device->function);

	return verdict->verdict == BUSWAY_P2P_IOMMU || f->ats == BUSWAY_ABSENT ||
	       (f->ats == BUSWAY_PRESENT && !f->ats_enabled);
}

int peer_map_pci(struct busway_lane *lane, struct busway_range phys,
		 enum busway_direction direction, struct busway_mapping *mapping,
		 struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;
	const struct target target = find_target(device->pci, phys);
	const enum busway_reason reason = not_allowed(lane, &target);
	struct busway_p2p verdict;
	uint64_t dma;

	if (reason != BUSWAY_NOT_REFUSED)
		return refuse_pci(lane, reason, phys, why);
	busway_p2p_decide(device->pci, device->function, target.function, target.bar,
			  &device->peers, &verdict);
	if (verdict.verdict == BUSWAY_P2P_REFUSED) {
		*why = verdict.refusal;
		why->asked = target.bus;
		return -BUSWAY_ERANGE;
	}
	if (!verdict.certain)
		return refuse_pci(lane, BUSWAY_PEER_UNCERTAIN, phys, why);
	if (verdict.verdict != BUSWAY_P2P_SWITCH && device->domain)
		return may_use_domain(device, &verdict)
			       ? translated_peer(lane, phys, direction, mapping, why)
			       : refuse_pci(lane, BUSWAY_PEER_UNCERTAIN, phys, why);
	if (device->untrusted)
		return refuse_pci(lane, BUSWAY_UNCONFINED, phys, why);
	if (verdict.verdict == BUSWAY_P2P_IOMMU) /* and the device has no domain in it */
		return refuse_pci(lane, BUSWAY_BEHIND_IOMMU, phys, why);
	dma = target.bus.first;
	if (verdict.verdict == BUSWAY_P2P_SWITCH
		    ? !can_emit(lane, target.bus, phys, why)
		    : !by_host_bridge(lane, &target, phys, direction, &dma, why))
		return -BUSWAY_ERANGE;
	return peer_finish(lane, phys, dma, direction, mapping);
}
