/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cpu.c - the CPU accesses memory, and is watched: does it own these bytes, has it been told what
 * a device wrote there?
 */
#include "sim_internal.h"

struct cpu_access {
	struct busway_machine *machine;
	enum busway_access access;
	struct busway_range phys;
};

static void tell(const struct cpu_access *a, enum busway_violation_kind kind,
		 struct busway_range part, const struct sim_segment *segment)
{
	struct busway_violation v = {
		.kind = kind,
		.device = BUSWAY_NO_DEVICE,
		.name = busway_platform_space(a->machine->platform, BUSWAY_CPU_SPACE)->name,
		.access = a->access,
		.asked = part,
		.has_trace = segment != NULL,
	};

	if (segment)
		v.trace = sim_trace(segment);
	sim_violate(a->machine, &v);
}

/* Is the part of the driver's memory with the device, which may write it? */
static bool is_with_device(const struct sim_segment *segment, struct busway_range part)
{
	const struct sim_mapping *mapping = segment->mapping;
	const uint64_t first = segment->offset + (part.first - segment->phys.first);

	return sim_streams(mapping) && sim_allows(mapping, BUSWAY_WRITE) &&
	       !busway_intervals_holds(
		       &mapping->with_cpu,
		       (struct busway_range){first, first + busway_range_span(part)});
}

/* Tells whatever is mapped and not with the CPU; true if something is. */
static bool watch_mapped(const struct cpu_access *a)
{
	struct busway_machine *machine = a->machine;
	size_t at = shelf_upto(&machine->by_phys, 0, a->phys.last);
	const struct shelf_item *item;
	bool told = false;

	while ((item = shelf_next(&machine->by_phys, 0, a->phys, &at))) {
		const struct sim_segment *segment = item->thing;
		struct busway_range part = a->phys;

		busway_range_common(a->phys, segment->phys, &part);
		if (!is_with_device(segment, part))
			continue;
		tell(a,
		     a->access == BUSWAY_READ && sim_is_fresh(machine, part)
			     ? BUSWAY_VIOLATION_NO_SYNC_FOR_CPU
			     : BUSWAY_VIOLATION_NOT_OWNED,
		     part, segment);
		told = true;
	}
	return told;
}

/* What nobody else was told of is what the CPU was not told of. */
static void watch(const struct cpu_access *a)
{
	const bool told = watch_mapped(a);

	if (told || !sim_is_fresh(a->machine, a->phys))
		return;
	if (a->access == BUSWAY_READ)
		tell(a, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU, a->phys, NULL);
	sim_not_fresh(a->machine, a->phys); /* told once, or overwritten */
}

/* Coherent memory of a device that sees no caches is not for the caches. */
static enum sim_view view_at(const struct busway_machine *machine, uint64_t phys)
{
	const struct busway_range byte = {phys, phys};
	size_t at = shelf_upto(&machine->by_phys, 0, phys);
	const struct shelf_item *item;

	while ((item = shelf_next(&machine->by_phys, 0, byte, &at))) {
		const struct sim_mapping *mapping = ((struct sim_segment *)item->thing)->mapping;

		if (mapping->kind == BUSWAY_KIND_COHERENT &&
		    !sim_sees_caches(machine, mapping->device))
			return VIEW_MEMORY;
	}
	return VIEW_CACHED;
}

/* The bytes, if the CPU can access them. */
static unsigned char *access_bytes(struct busway_machine *machine, enum busway_access access,
				   busway_phys_t phys, size_t size)
{
	struct cpu_access a = {machine, access, {0, 0}};

	if (!busway_range_make(phys.raw, size, &a.phys) || !sim_bytes(machine, VIEW_CACHED, a.phys))
		return NULL;
	sim_pass_time(machine);
	watch(&a);
	return sim_bytes(machine, view_at(machine, phys.raw), a.phys);
}

int busway_machine_cpu_read(struct busway_machine *machine, busway_phys_t phys, void *to,
			    size_t size)
{
	const unsigned char *bytes = access_bytes(machine, BUSWAY_READ, phys, size);

	if (!bytes)
		return -BUSWAY_EINVAL;
	memcpy(to, bytes, size);
	return 0;
}

int busway_machine_cpu_write(struct busway_machine *machine, busway_phys_t phys, const void *from,
			     size_t size)
{
	unsigned char *bytes, *synced;
	struct busway_range range;

	if (!busway_range_make(phys.raw, size, &range))
		return -BUSWAY_EINVAL;
	if (sim_has_table(machine, range))
		return -BUSWAY_EBUSY;
	bytes = access_bytes(machine, BUSWAY_WRITE, phys, size);
	if (!bytes)
		return -BUSWAY_EINVAL;
	memcpy(bytes, from, size);
	if (view_at(machine, phys.raw) != VIEW_CACHED)
		return 0;
	/* a store is one, also of what stood there: dirty is what differs from what was synced */
	synced = sim_bytes(machine, VIEW_SYNCED, range);
	for (size_t i = 0; i < size; i++)
		synced[i] = (unsigned char)~bytes[i];
	return 0;
}
