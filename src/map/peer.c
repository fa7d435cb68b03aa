/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * peer.c - registers of another device, at the address by which this one reaches them.
 *
 * The windows give an address; following it hop by hop shows whether it arrives. What is behind a
 * PCI host bridge is refused unless the wiring of PCI is known: see peer_pci.c.
 */
#include "map_internal.h"

#include <busway/resolve.h>

/* The host bridge behind which the CPU finds a part of @phys; NULL. */
static const char *bridge_at(const struct busway_platform *platform, struct busway_range phys,
			     struct busway_range *aperture)
{
	const size_t count = busway_platform_device_count(platform);

	for (uint32_t i = 0; i < count; i++) {
		const struct busway_device *d =
			busway_platform_device(platform, (busway_device_id){i});

		for (size_t k = 0; k < d->outbound_count; k++) {
			const struct busway_outbound *out = &d->outbound[k];

			aperture->first = out->cpu.raw;
			aperture->last = out->cpu.raw + busway_range_span(out->bus);
			if (out->has_cpu && busway_range_overlaps(*aperture, phys))
				return d->name;
		}
	}
	return NULL;
}

static bool overlaps_memory(const struct busway_platform *platform, struct busway_range phys)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(platform, &count);

	for (size_t i = 0; i < count; i++)
		if (busway_range_overlaps(banks[i].range, phys))
			return true;
	return false;
}

/* Does an access to @dma come out at @phys in the CPU's space, where nothing else answers? */
static bool arrives(const struct busway_lane *lane, struct busway_range dma, uint64_t phys,
		    enum busway_direction direction, struct busway_refusal *why)
{
	struct busway_path path;
	const struct busway_hop *end;
	const int status =
		busway_resolve(lane->device->dma->platform, lane->device->id, busway_dma_range(dma),
			       &lane->reach->emission, (enum busway_access)direction, &path, why);

	/* "no memory" is what is wanted of registers */
	if (status && why->reason != BUSWAY_NO_MEMORY)
		return false;
	end = &path.hops[path.hop_count - 1];
	return end->space.index == BUSWAY_CPU_SPACE.index && end->range.first == phys &&
	       end->range.last == phys + busway_range_span(dma);
}

bool peer_by_windows(const struct busway_lane *lane, struct busway_range phys,
		     enum busway_direction direction, uint64_t *dma, struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;

	for (size_t i = 0; i < device->window_count; i++) {
		const struct busway_piece *w = &device->windows[i];
		const struct busway_range out = {
			w->phys.raw, w->phys.raw + busway_range_span(busway_dma_raw(w->dma))};
		struct busway_range in;

		if (!busway_range_within(phys, out))
			continue;
		in.first = w->dma.first.raw + (phys.first - w->phys.raw);
		in.last = in.first + busway_range_span(phys);
		if (!within_limits(&device->segments, in.first, busway_range_span(in)) ||
		    !arrives(lane, in, phys.first, direction, why))
			continue;
		*dma = in.first;
		return true;
	}
	return false;
}

int peer_finish(struct busway_lane *lane, struct busway_range phys, uint64_t dma,
		enum busway_direction direction, struct busway_mapping *mapping)
{
	mapping->one_ = (struct busway_mapped){
		.dma = {{dma}, {dma + busway_range_span(phys)}},
		.phys = {phys.first},
	};
	describe_one(mapping, BUSWAY_KIND_PEER, busway_range_span(phys) + 1, direction, 0);
	mapping->way = BUSWAY_WAY_PEER;
	map_finish(lane, mapping);
	return 0;
}

int busway_map_peer(struct busway_lane *lane, struct busway_phys_range phys,
		    enum busway_direction direction, struct busway_mapping *mapping,
		    struct busway_refusal *why)
{
	const struct busway_platform *platform = lane->device->dma->platform;
	const struct busway_range r = busway_phys_raw(phys);
	struct busway_range aperture;
	struct busway_refusal own_why;
	const char *bridge;
	uint64_t dma;

	if (!why)
		why = &own_why;
	if (r.first > r.last || overlaps_memory(platform, r) ||
	    !map_arguments(lane, mapping, direction))
		return -BUSWAY_EINVAL;
	if (peer_is_pci(lane->device, r)) {
		const int status = peer_map_pci(lane, r, direction, mapping, why);

		if (status)
			map_ended(lane, mapping, STATE_REFUSED);
		return status;
	}
	bridge = bridge_at(platform, r, &aperture);
	if (bridge || lane->device->bounce || lane->device->untrusted) {
		refuse_as(lane,
			  bridge                 ? BUSWAY_PEER_ROUTE
			  : lane->device->bounce ? BUSWAY_RESTRICTED
						 : BUSWAY_UNCONFINED,
			  r, why);
		why->by = bridge;
		why->has_limit = bridge != NULL;
		why->limit = aperture;
		map_ended(lane, mapping, STATE_REFUSED);
		return -BUSWAY_ERANGE;
	}
	refuse_as(lane, lane->device->domain ? BUSWAY_PEER_ROUTE : BUSWAY_NO_WINDOW, r, why);
	if (lane->device->domain || !peer_by_windows(lane, r, direction, &dma, why)) {
		map_ended(lane, mapping, STATE_REFUSED);
		return -BUSWAY_ERANGE;
	}
	return peer_finish(lane, r, dma, direction, mapping);
}
