/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.c - what is mapped for which device, as the machine has been told, and what was recently.
 *
 * Each segment stands on two shelves: under the addresses that the device emits, and under the
 * driver's memory. What was abandoned stays on the first one if its memory is in quarantine.
 */
#include "sim_internal.h"

/* ---- in and out ---- */

static size_t size_of(uint32_t segments)
{
	return sizeof(struct sim_mapping) + segments * sizeof(struct sim_segment);
}

static struct shelf_item dma_item(struct sim_segment *segment)
{
	return (struct shelf_item){segment->mapping->device.index, segment->dma, segment};
}

static struct shelf_item phys_item(struct sim_segment *segment)
{
	return (struct shelf_item){0, segment->phys, segment};
}

static struct sim_mapping *copy(struct busway_machine *machine, busway_device_id device,
				const struct busway_mapping *record)
{
	struct sim_mapping *mapping = sim_alloc(machine, 1, size_of(record->segment_count));
	uint64_t offset = 0;

	if (!mapping)
		return NULL;
	*mapping = (struct sim_mapping){
		.record = record,
		.device = device,
		.direction = (enum busway_direction)record->direction,
		.kind = (enum busway_mapping_kind)record->kind,
		.attributes = record->attributes,
		.number = ++machine->mappings,
		.segment_count = record->segment_count,
	};
	busway_intervals_init(&mapping->with_cpu, machine->memory);
	for (uint32_t i = 0; i < record->segment_count; i++) {
		const struct busway_mapped *from = &record->segments[i];
		struct sim_segment *to = &mapping->segments[i];
		const uint64_t span = busway_range_span(busway_dma_raw(from->dma));

		to->mapping = mapping;
		to->dma = busway_dma_raw(from->dma);
		busway_range_clip(from->phys.raw, span == UINT64_MAX ? span : span + 1, &to->phys);
		to->offset = offset;
		offset += span + 1;
	}
	return mapping;
}

static void destroy(struct busway_machine *machine, struct sim_mapping *mapping)
{
	busway_intervals_clear(&mapping->with_cpu);
	sim_free(machine, mapping, 1, size_of(mapping->segment_count));
}

static void take_off(struct busway_machine *machine, struct sim_mapping *mapping,
		     struct shelf *shelf)
{
	for (uint32_t i = 0; i < mapping->segment_count; i++)
		shelf_remove(shelf, shelf == &machine->by_dma ? dma_item(&mapping->segments[i])
							      : phys_item(&mapping->segments[i]));
}

static void remember(struct busway_machine *machine, const struct sim_mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		struct busway_trace *trace = &machine->freed[machine->freed_count++ % SIM_FREED];

		*trace = sim_trace(&mapping->segments[i]);
		trace->live = false;
	}
}

void sim_table_destroy(struct busway_machine *machine)
{
	while (machine->by_dma.count) {
		struct sim_segment *segment = machine->by_dma.items[0].thing;
		struct sim_mapping *mapping = segment->mapping;

		take_off(machine, mapping, &machine->by_dma);
		destroy(machine, mapping);
	}
	shelf_clear(&machine->by_dma);
	shelf_clear(&machine->by_phys);
}

/* ---- what an event means for the caches ---- */

/* The part of a segment in which offsets @part of its mapping lie, from 0 on; false: none does. */
static bool part_of(const struct sim_segment *segment, struct busway_range part,
		    struct busway_range *out)
{
	const struct busway_range all = {segment->offset,
					 segment->offset + busway_range_span(segment->dma)};

	if (!busway_range_common(all, part, out))
		return false;
	out->first -= segment->offset;
	out->last -= segment->offset;
	return true;
}

static struct busway_range within(struct busway_range range, struct busway_range part)
{
	return (struct busway_range){range.first + part.first, range.first + part.last};
}

/* The driver's memory is the device's, as it is now. Where the device sees no caches and the memory
 * itself, lines have to be cleaned for that. */
static void hand_over(struct busway_machine *machine, const struct sim_segment *segment,
		      struct busway_range part)
{
	if (sim_bounced(segment) || sim_sees_caches(machine, segment->mapping->device))
		sim_settle_bytes(machine, within(segment->phys, part));
}

/* The CPU has been told what the device wrote. Where the device sees no caches, lines have to be
 * invalidated for that. */
static void take_back(struct busway_machine *machine, const struct sim_segment *segment,
		      struct busway_range part)
{
	if (sim_bounced(segment)) {
		sim_not_fresh(machine, within(segment->phys, part));
		sim_settle_bytes(machine, within(segment->phys, part));
	}
	if (segment->lands && sim_sees_caches(machine, segment->mapping->device))
		sim_not_fresh(machine, within(segment->landed, part));
}

/* The library has copied from slots what a device wrote there: did it see that? */
static void check_copy(struct busway_machine *machine, const struct sim_segment *segment,
		       struct busway_range part)
{
	const struct busway_range at = within(segment->landed, part);
	struct busway_violation v = {
		.kind = BUSWAY_VIOLATION_NO_SYNC_FOR_CPU,
		.device = BUSWAY_NO_DEVICE,
		.name = busway_platform_space(machine->platform, BUSWAY_CPU_SPACE)->name,
		.access = BUSWAY_READ,
		.asked = at,
		.has_trace = true,
	};

	if (!sim_bounced(segment) || !sim_is_fresh(machine, at))
		return;
	v.trace = sim_trace(segment);
	sim_violate(machine, &v);
	sim_not_fresh(machine, at);
}

static void forget_fresh(struct busway_machine *machine, const struct sim_segment *segment)
{
	sim_not_fresh(machine, segment->phys);
	if (sim_bounced(segment))
		sim_not_fresh(machine, segment->landed);
}

/* ---- events ---- */

static bool synced_with(const struct sim_mapping *mapping)
{
	return sim_streams(mapping) && !(mapping->attributes & BUSWAY_MAP_SKIP_SYNC);
}

static void mapped(struct busway_machine *machine, busway_device_id device,
		   const struct busway_mapping *record)
{
	struct sim_mapping *mapping = copy(machine, device, record);

	if (!mapping || shelf_reserve(&machine->by_dma, record->segment_count) ||
	    shelf_reserve(&machine->by_phys, record->segment_count)) {
		sim_blind(machine);
		if (mapping)
			destroy(machine, mapping);
		return;
	}
	sim_inspect(machine, mapping);
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		struct sim_segment *segment = &mapping->segments[i];
		const struct busway_range all = {0, busway_range_span(segment->phys)};

		shelf_add(&machine->by_dma, dma_item(segment));
		shelf_add(&machine->by_phys, phys_item(segment));
		forget_fresh(machine, segment);
		if (synced_with(mapping))
			hand_over(machine, segment, all);
	}
}

static void unmapped(struct busway_machine *machine, struct sim_mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		const struct busway_range all = {0, busway_range_span(mapping->segments[i].phys)};

		if (synced_with(mapping))
			take_back(machine, &mapping->segments[i], all);
	}
	take_off(machine, mapping, &machine->by_dma);
	take_off(machine, mapping, &machine->by_phys);
	remember(machine, mapping);
	destroy(machine, mapping);
}

/* What the device may still write is out of everybody's way, unless it is the driver's own. */
static void abandoned(struct busway_machine *machine, struct sim_mapping *mapping)
{
	bool quarantined = mapping->kind == BUSWAY_KIND_COHERENT;

	for (uint32_t i = 0; i < mapping->segment_count; i++)
		quarantined = quarantined || sim_bounced(&mapping->segments[i]);
	if (!quarantined) {
		unmapped(machine, mapping);
		return;
	}
	take_off(machine, mapping, &machine->by_phys);
	mapping->abandoned = true;
	mapping->record = NULL;
}

static void synced(struct busway_machine *machine, struct sim_mapping *mapping,
		   struct busway_range offsets, bool for_cpu)
{
	struct busway_range part;
	const int status = for_cpu ? busway_intervals_add(&mapping->with_cpu, offsets)
				   : busway_intervals_remove(&mapping->with_cpu, offsets);

	if (status)
		sim_blind(machine);
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		if (!part_of(&mapping->segments[i], offsets, &part))
			continue;
		if (for_cpu) {
			take_back(machine, &mapping->segments[i], part);
			check_copy(machine, &mapping->segments[i], part);
		} else {
			hand_over(machine, &mapping->segments[i], part);
		}
	}
}

void sim_observe(void *ctx, enum busway_dma_event event, busway_device_id device,
		 const struct busway_mapping *record, uint64_t offset, uint64_t size)
{
	struct busway_machine *machine = ctx;
	struct sim_mapping *mapping;
	struct busway_range offsets;

	if (!sim_device_exists(machine, device) || !record->segment_count)
		return;
	if (event == BUSWAY_EVENT_MAPPED) {
		mapped(machine, device, record);
		return;
	}
	mapping = sim_find(machine, device, record);
	if (!mapping)
		return;
	if (event == BUSWAY_EVENT_UNMAPPED)
		unmapped(machine, mapping);
	else if (event == BUSWAY_EVENT_ABANDONED)
		abandoned(machine, mapping);
	else if (busway_range_make(offset, size, &offsets))
		synced(machine, mapping, offsets, event == BUSWAY_EVENT_SYNCED_FOR_CPU);
}

void busway_machine_quiet(struct busway_machine *machine, busway_device_id device)
{
	for (size_t i = machine->by_dma.count; i-- > 0;) {
		struct sim_segment *segment = machine->by_dma.items[i].thing;

		if (!segment->mapping->abandoned || segment->mapping->device.index != device.index)
			continue;
		take_off(machine, segment->mapping, &machine->by_dma);
		remember(machine, segment->mapping);
		destroy(machine, segment->mapping);
		i = machine->by_dma.count;
	}
}
