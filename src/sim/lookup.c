/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lookup.c - what is mapped at an address that a device emits, or was, or is nearest. The table
 * itself: table.c.
 */
#include "sim_internal.h"

struct sim_mapping *sim_find(const struct busway_machine *machine, busway_device_id device,
			     const struct busway_mapping *record)
{
	const struct shelf *shelf = &machine->by_dma;
	struct sim_segment *segment;

	if (!record)
		return NULL;
	for (size_t i = shelf_upto(shelf, device.index, record->dma.raw); i-- > 0;) {
		segment = shelf->items[i].thing;
		if (shelf->items[i].owner != device.index || segment->dma.first < record->dma.raw)
			return NULL;
		if (segment->mapping->record == record)
			return segment->mapping;
	}
	return NULL;
}

struct sim_segment *sim_segment_at(const struct busway_machine *machine, busway_device_id device,
				   enum busway_access access, struct busway_range *dma)
{
	const struct shelf *shelf = &machine->by_dma;
	size_t at = shelf_upto(shelf, device.index, dma->first);
	const struct busway_range byte = {dma->first, dma->first};
	const struct shelf_item *item;
	struct sim_segment *best = NULL;
	/* where the next one begins, it may be another one's */
	const bool more = at < shelf->count && shelf->items[at].owner == device.index &&
			  shelf->items[at].range.first <= dma->last;
	const uint64_t next = more ? shelf->items[at].range.first : 0;

	while ((item = shelf_next(shelf, device.index, byte, &at))) {
		best = item->thing;
		if (sim_allows(best->mapping, access))
			break;
	}
	if (best && best->dma.last < dma->last)
		dma->last = best->dma.last;
	if (more && next <= dma->last && !(best && sim_allows(best->mapping, access)))
		dma->last = next - 1;
	return best;
}

/* Newest first. */
static const struct busway_trace *freed(const struct busway_machine *machine, uint64_t age)
{
	if (age >= SIM_FREED || age >= machine->freed_count)
		return NULL;
	return &machine->freed[(machine->freed_count - 1 - age) % SIM_FREED];
}

const struct busway_trace *sim_freed_at(const struct busway_machine *machine,
					busway_device_id device, struct busway_range *dma)
{
	const struct busway_trace *trace;
	uint64_t last = dma->last;

	for (uint64_t age = 0; (trace = freed(machine, age)); age++) {
		const struct busway_range r = busway_dma_raw(trace->dma);

		if (trace->device.index != device.index)
			continue;
		if (busway_range_has(r, dma->first)) {
			if (r.last < dma->last)
				dma->last = r.last;
			return trace;
		}
		if (r.first > dma->first && r.first <= last)
			last = r.first - 1;
	}
	dma->last = last;
	return NULL;
}

struct busway_trace sim_trace(const struct sim_segment *segment)
{
	return (struct busway_trace){
		.device = segment->mapping->device,
		.dma = busway_dma_range(segment->dma),
		.phys = {segment->phys.first},
		.direction = segment->mapping->direction,
		.kind = segment->mapping->kind,
		.number = segment->mapping->number,
		.live = true,
	};
}

static uint64_t distance(struct busway_dma_range range, uint64_t address)
{
	return address < range.first.raw  ? range.first.raw - address
	       : address > range.last.raw ? address - range.last.raw
					  : 0;
}

static void take_nearer(struct busway_trace trace, busway_device_id device, uint64_t dma,
			bool *found, struct busway_trace *best)
{
	if (trace.device.index != device.index ||
	    (*found && distance(trace.dma, dma) >= distance(best->dma, dma)))
		return;
	*best = trace;
	*found = true;
}

bool sim_nearest(const struct busway_machine *machine, busway_device_id device, uint64_t dma,
		 struct busway_trace *trace)
{
	const struct busway_trace *gone;
	bool found = false;

	for (size_t i = 0; i < machine->by_dma.count; i++)
		take_nearer(sim_trace(machine->by_dma.items[i].thing), device, dma, &found, trace);
	for (uint64_t age = 0; (gone = freed(machine, age)); age++)
		take_nearer(*gone, device, dma, &found, trace);
	return found;
}
