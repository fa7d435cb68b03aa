/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * judge.c - an access of a device has come to memory: is that mapped for it, this way, and what do
 * the caches have of it?
 *
 *   mapped   [== to device ==][== from device ==]
 *   a read          [--------------|------------|---------]
 *                    good           read         outside
 */
#include "sim_internal.h"

/* What is judged: a run of bytes for which the same holds. */
struct run {
	struct busway_machine *machine;
	busway_device_id device;
	enum busway_access access;
	struct busway_landing landing;
};

static void tell(const struct run *run, enum busway_violation_kind kind,
		 const struct busway_trace *trace)
{
	struct busway_violation v =
		sim_violation(run->machine, kind, run->device, run->access, &run->landing);

	v.has_trace = trace != NULL;
	if (trace)
		v.trace = *trace;
	else
		v.has_trace =
			sim_nearest(run->machine, run->device, run->landing.dma.first, &v.trace);
	sim_violate(run->machine, &v);
}

/* ---- caches ---- */

/* Tells of the bytes @where of the driver's memory or of the slots, beginning with @phys. */
static void tell_dirty(const struct run *run, const struct sim_segment *segment,
		       struct busway_range where, uint64_t phys)
{
	const struct busway_trace trace = sim_trace(segment);
	const uint64_t dma = run->landing.dma.first;
	struct run part = *run;

	/* whole lines are looked at for a write: what is dirty may be beside the bytes */
	if (where.first >= phys && where.last - phys <= busway_range_span(run->landing.dma))
		part.landing.dma = (struct busway_range){dma + (where.first - phys),
							 dma + (where.last - phys)};
	part.landing.at = where;
	tell(&part, BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE, &trace);
}

/* Does the device meet what the CPU has written and not handed over? */
static void judge_dirt(const struct run *run, const struct sim_segment *segment)
{
	const bool snoops = sim_sees_caches(run->machine, run->device);
	const struct busway_range at = run->landing.at;
	const uint64_t own = sim_phys_of(segment, run->landing.dma.first);
	struct busway_range where;

	if (run->access == BUSWAY_READ && sim_bounced(segment) && sim_streams(segment->mapping) &&
	    sim_dirty(run->machine,
		      sim_leading((struct busway_range){own, own}, busway_range_span(at) + 1),
		      &where)) {
		tell_dirty(run, segment, where, own);
		return;
	}
	if (snoops &&
	    (sim_bounced(segment) || !sim_streams(segment->mapping) || run->access == BUSWAY_WRITE))
		return;
	if (sim_dirty(run->machine, run->access == BUSWAY_WRITE ? sim_lines(at) : at, &where))
		tell_dirty(run, segment, where, at.first);
}

/* The CPU has to be told of what is written now. */
static void note_written(const struct run *run, struct sim_segment *segment)
{
	struct sim_mapping *mapping = segment->mapping;
	const uint64_t span = busway_range_span(run->landing.dma);
	const uint64_t first = run->landing.dma.first - segment->dma.first;

	if (!sim_streams(mapping))
		return;
	sim_fresh(run->machine, run->landing.at);
	if (sim_bounced(segment))
		sim_fresh(run->machine, (struct busway_range){segment->phys.first + first,
							      segment->phys.first + first + span});
	if (busway_intervals_remove(
		    &mapping->with_cpu,
		    (struct busway_range){segment->offset + first, segment->offset + first + span}))
		sim_blind(run->machine);
}

/* ---- mappings ---- */

static void judge_mapped(const struct run *run, struct sim_segment *segment)
{
	const struct busway_trace trace = sim_trace(segment);

	if (segment->mapping->abandoned && sim_streams(segment->mapping) && !sim_bounced(segment)) {
		tell(run, BUSWAY_VIOLATION_AFTER_UNMAP, &trace);
		return;
	}
	if (!sim_allows(segment->mapping, run->access)) {
		tell(run,
		     run->access == BUSWAY_WRITE ? BUSWAY_VIOLATION_WROTE : BUSWAY_VIOLATION_READ,
		     &trace);
		return;
	}
	if (segment->mapping->abandoned)
		return; /* nobody looks at these bytes any more */
	judge_dirt(run, segment);
	if (run->access == BUSWAY_WRITE)
		note_written(run, segment);
}

static void judge_unmapped(const struct run *run, const struct busway_trace *freed)
{
	if (freed)
		tell(run, BUSWAY_VIOLATION_AFTER_UNMAP, freed);
	else if (!run->machine->options.lenient)
		tell(run, BUSWAY_VIOLATION_OUTSIDE, NULL);
}

void sim_judge(struct busway_machine *machine, busway_device_id device, enum busway_access access,
	       const struct busway_landing *landing)
{
	struct run run = {machine, device, access, *landing};
	struct busway_range rest = landing->dma;

	for (;;) {
		struct busway_range dma = rest;
		struct sim_segment *segment = sim_segment_at(machine, device, access, &dma);
		const struct busway_trace *freed =
			segment ? NULL : sim_freed_at(machine, device, &dma);

		run.landing.dma = dma;
		run.landing.at = sim_leading(
			(struct busway_range){landing->at.first + (dma.first - landing->dma.first),
					      landing->at.last},
			busway_range_span(dma) + 1);
		if (segment)
			judge_mapped(&run, segment);
		else
			judge_unmapped(&run, freed);
		if (dma.last == rest.last)
			return;
		rest.first = dma.last + 1;
	}
}
