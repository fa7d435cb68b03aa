/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inspect.c - is what was mapped sane? Of the driver: is that memory to be mapped, and within the
 * device's limits? Of the library: does the address lead there?
 */
#include "sim_internal.h"

/* As many mappings of one cache line as Linux's debugging counts. */
enum { OVERLAPS_MAX = 7 };

static struct busway_violation about(const struct busway_machine *machine,
				     enum busway_violation_kind kind,
				     const struct sim_segment *segment)
{
	const struct busway_landing at_memory = {
		.dma = segment->dma,
		.space = BUSWAY_CPU_SPACE,
		.at = segment->phys,
	};
	struct busway_violation v =
		sim_violation(machine, kind, segment->mapping->device,
			      (enum busway_access)segment->mapping->direction, &at_memory);

	v.has_trace = true;
	v.trace = sim_trace(segment);
	return v;
}

static void tell(struct busway_machine *machine, enum busway_violation_kind kind,
		 const struct sim_segment *segment)
{
	const struct busway_violation v = about(machine, kind, segment);

	sim_violate(machine, &v);
}

/* ---- where it leads ---- */

static bool is_memory(const struct busway_landing *l)
{
	return l->space.index == BUSWAY_CPU_SPACE.index &&
	       (l->region->kind == BUSWAY_REGION_RAM || l->region->kind == BUSWAY_REGION_UNKNOWN ||
		l->region->kind == BUSWAY_REGION_CARVEOUT);
}

/* What is wrong with a piece that should lead to memory, right behind what did before. */
static enum busway_violation_kind wrong_way(const struct sim_segment *segment,
					    const struct busway_landing *l)
{
	if (!l->refused && l->region->kind == BUSWAY_REGION_DOORBELL)
		return BUSWAY_VIOLATION_DOORBELL_COVERED;
	if (l->refused || !is_memory(l))
		return BUSWAY_VIOLATION_ASTRAY;
	return segment->lands && !busway_range_adjoins(segment->landed, l->at)
		       ? BUSWAY_VIOLATION_ASTRAY
		       : BUSWAY_NO_VIOLATION;
}

static void tell_way(struct busway_machine *machine, enum busway_violation_kind kind,
		     const struct sim_segment *segment, const struct busway_landing *l)
{
	struct busway_violation v =
		sim_violation(machine, kind, segment->mapping->device,
			      (enum busway_access)segment->mapping->direction, l);

	v.has_trace = true;
	v.trace = sim_trace(segment);
	sim_violate(machine, &v);
}

/* Follows all of a segment; .landed is where it leads to, in one piece. */
static void follow(struct busway_machine *machine, struct sim_segment *segment, bool direct)
{
	struct busway_range rest = segment->dma;
	struct busway_landing l;

	for (;;) {
		enum busway_violation_kind wrong;

		busway_machine_route(machine, segment->mapping->device, busway_dma_range(rest),
				     (enum busway_access)segment->mapping->direction, &l);
		wrong = wrong_way(segment, &l);
		if (!wrong && direct && !segment->lands && l.at.first != segment->phys.first)
			wrong = BUSWAY_VIOLATION_ASTRAY;
		if (wrong) {
			tell_way(machine, wrong, segment, &l);
			segment->lands = false;
			return;
		}
		if (!segment->lands)
			segment->landed.first = l.at.first;
		segment->landed.last = l.at.last;
		segment->lands = true;
		if (l.dma.last == rest.last)
			return;
		rest.first = l.dma.last + 1;
	}
}

/* Registers of another device are no memory; what the CPU's space has there must be they. */
static void follow_peer(struct busway_machine *machine, const struct sim_segment *segment)
{
	struct busway_landing l;

	busway_machine_route(machine, segment->mapping->device, busway_dma_range(segment->dma),
			     (enum busway_access)segment->mapping->direction, &l);
	if (!l.refused && l.region->kind == BUSWAY_REGION_DOORBELL)
		tell_way(machine, BUSWAY_VIOLATION_DOORBELL_COVERED, segment, &l);
	else if (l.space.index == BUSWAY_CPU_SPACE.index &&
		 (l.refused != BUSWAY_VIOLATION_NO_MEMORY || l.at.first != segment->phys.first))
		tell_way(machine, BUSWAY_VIOLATION_ASTRAY, segment, &l);
}

/* ---- what is mapped ---- */

static void inspect_marks(struct busway_machine *machine, const struct sim_segment *segment)
{
	static const enum busway_violation_kind kinds[] = {
		[BUSWAY_MARK_STACK] = BUSWAY_VIOLATION_STACK,
		[BUSWAY_MARK_TEXT] = BUSWAY_VIOLATION_TEXT,
		[BUSWAY_MARK_VMALLOC] = BUSWAY_VIOLATION_VMALLOC,
	};

	for (size_t i = 0; i < machine->mark_count; i++)
		if (busway_range_overlaps(machine->marks[i].range, segment->phys)) {
			tell(machine, kinds[machine->marks[i].mark], segment);
			return;
		}
}

static void inspect_limits(struct busway_machine *machine, const struct sim_segment *segment)
{
	const struct busway_segment_limits *limits =
		&sim_device(machine, segment->mapping->device)->segments;

	if (limits->max_size && busway_range_span(segment->dma) > limits->max_size - 1)
		tell(machine, BUSWAY_VIOLATION_SEGMENT_SIZE, segment);
	if (limits->boundary &&
	    segment->dma.first / limits->boundary != segment->dma.last / limits->boundary)
		tell(machine, BUSWAY_VIOLATION_BOUNDARY, segment);
}

static bool is_written(const struct sim_mapping *mapping)
{
	return sim_streams(mapping) && mapping->direction != BUSWAY_TO_DEVICE;
}

/* How many others that devices write share its bytes; the last one into @with. */
static unsigned overlaps(const struct busway_machine *machine, const struct sim_segment *segment,
			 const struct sim_segment **with)
{
	size_t at = shelf_upto(&machine->by_phys, 0, segment->phys.last);
	const struct shelf_item *item;
	unsigned count = 0;

	while ((item = shelf_next(&machine->by_phys, 0, segment->phys, &at))) {
		const struct sim_segment *other = item->thing;

		if (!is_written(other->mapping))
			continue;
		*with = other;
		count++;
	}
	return count;
}

static void inspect_overlaps(struct busway_machine *machine, const struct sim_mapping *mapping)
{
	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		const struct sim_segment *with = NULL;
		const unsigned count = overlaps(machine, &mapping->segments[i], &with);
		const bool skip = mapping->attributes & BUSWAY_MAP_SKIP_SYNC;
		struct busway_violation v;

		if (count == 0 || (skip && count <= OVERLAPS_MAX))
			continue;
		v = about(machine,
			  count > OVERLAPS_MAX ? BUSWAY_VIOLATION_OVERLAPS
					       : BUSWAY_VIOLATION_OVERLAP,
			  &mapping->segments[i]);
		v.trace = sim_trace(with);
		sim_violate(machine, &v);
		return;
	}
}

void sim_inspect(struct busway_machine *machine, struct sim_mapping *mapping)
{
	const struct sim_segment *last = &mapping->segments[mapping->segment_count - 1];
	const uint64_t most = machine->options.largest_mapping;

	for (uint32_t i = 0; i < mapping->segment_count; i++) {
		struct sim_segment *segment = &mapping->segments[i];

		if (mapping->kind == BUSWAY_KIND_PEER) {
			follow_peer(machine, segment);
			continue;
		}
		if (!sim_bytes(machine, VIEW_MEMORY, segment->phys)) {
			tell(machine, BUSWAY_VIOLATION_INVALID, segment);
			continue; /* no address leads to nothing */
		}
		follow(machine, segment, mapping->record->way == BUSWAY_WAY_DIRECT);
		inspect_limits(machine, segment);
		if (sim_streams(mapping))
			inspect_marks(machine, segment);
	}
	if (most && sim_streams(mapping) && last->offset + busway_range_span(last->dma) > most - 1)
		tell(machine, BUSWAY_VIOLATION_TOO_LARGE, &mapping->segments[0]);
	if (is_written(mapping))
		inspect_overlaps(machine, mapping);
}

int busway_machine_mark(struct busway_machine *machine, struct busway_phys_range range,
			enum busway_mark mark)
{
	const size_t count = machine->mark_count;
	struct sim_mark *marks;

	if (range.first.raw > range.last.raw || (unsigned)mark > BUSWAY_MARK_VMALLOC)
		return -BUSWAY_EINVAL;
	marks = sim_alloc(machine, count + 1, sizeof(*marks));
	if (!marks)
		return -BUSWAY_ENOMEM;
	if (count)
		memcpy(marks, machine->marks, count * sizeof(*marks));
	marks[count] = (struct sim_mark){busway_phys_raw(range), mark};
	sim_free(machine, machine->marks, count, sizeof(*marks));
	machine->marks = marks;
	machine->mark_count = count + 1;
	return 0;
}
