/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * take.c - memory for those who ask: the part of an operating system that hands out pages.
 *
 * What may be given is one set of addresses. It begins as the memory that is stated, without all
 * that is set aside or answers as something else. What is claimed (claim.c) stays in the set, and
 * is passed over.
 */
#include "sim_internal.h"

static int remove_regions(const struct busway_machine *machine, struct busway_intervals *unused)
{
	size_t count;
	const struct busway_region *regions = busway_platform_regions(machine->platform, &count);
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		if (regions[i].space.index == BUSWAY_CPU_SPACE.index &&
		    regions[i].kind < BUSWAY_REGION_RAM)
			status = busway_intervals_remove(unused, regions[i].range);
	return status;
}

static int remove_reserved(const struct busway_machine *machine, struct busway_intervals *unused)
{
	size_t count;
	const struct busway_range *reserved = busway_platform_reserved(machine->platform, &count);
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		status = busway_intervals_remove(unused, reserved[i]);
	for (size_t i = 0; i < machine->place_count && status == 0; i++)
		if (machine->places[i].known)
			status = busway_intervals_remove(unused, machine->places[i].range);
	return status;
}

int sim_unused_create(struct busway_machine *machine)
{
	int status = 0;

	for (size_t i = 0; i < machine->store_count && status == 0; i++)
		status = busway_intervals_add(&machine->unused, machine->stores[i].phys);
	if (status == 0)
		status = remove_regions(machine, &machine->unused);
	if (status == 0)
		status = remove_reserved(machine, &machine->unused);
	return status;
}

/* The lowest place in @run that nobody claims; false: there is none. */
static bool fits_run(const struct busway_machine *machine, uint64_t size, uint64_t align,
		     struct busway_range run, uint64_t *first)
{
	while (busway_align_up(run.first, align, &run.first) && run.first <= run.last &&
	       busway_range_holds(run, size)) {
		const struct busway_range *claim = sim_claim_in(machine, sim_leading(run, size));

		if (!claim) {
			*first = run.first;
			return true;
		}
		if (claim->last >= run.last)
			return false;
		run.first = claim->last + 1;
	}
	return false;
}

/* The lowest place in what is unused and in @within; false: there is none. */
static bool fits(const struct busway_machine *machine, uint64_t size, uint64_t align,
		 struct busway_range within, uint64_t *first)
{
	const struct busway_intervals *unused = &machine->unused;

	for (size_t i = busway_intervals_find(unused, within.first); i < unused->count; i++) {
		struct busway_range run;

		if (!busway_range_common(unused->runs[i], within, &run))
			return false;
		if (fits_run(machine, size, align, run, first))
			return true;
	}
	return false;
}

/* The lowest of all ranges. */
int sim_take(struct busway_machine *machine, uint64_t size, uint64_t align,
	     const struct busway_range *within, size_t count, busway_phys_t *phys)
{
	uint64_t first = 0, at;
	bool found = false;

	if (size == 0 || !busway_is_power_of_two(align))
		return -BUSWAY_EINVAL;
	for (size_t i = 0; i < count; i++)
		if (fits(machine, size, align, within[i], &at) && (!found || at < first)) {
			first = at;
			found = true;
		}
	if (!found || busway_intervals_remove(&machine->unused,
					      (struct busway_range){first, first + (size - 1)}))
		return -BUSWAY_ENOMEM;
	*phys = busway_phys(first);
	return 0;
}

int busway_machine_take(struct busway_machine *machine, uint64_t size, uint64_t align,
			const struct busway_phys_range *within, size_t count, busway_phys_t *phys)
{
	const struct busway_range anywhere = BUSWAY_RANGE_ALL;
	int status;

	if (count == 0)
		return sim_take(machine, size, align, &anywhere, 1, phys);
	for (size_t i = 0; i < count; i++) {
		const struct busway_range range = busway_phys_raw(within[i]);

		status = sim_take(machine, size, align, &range, 1, phys);
		if (status != -BUSWAY_ENOMEM)
			break;
	}
	return status;
}

void busway_machine_give(struct busway_machine *machine, struct busway_phys_range range)
{
	if (range.first.raw <= range.last.raw &&
	    busway_intervals_add(&machine->unused, busway_phys_raw(range)))
		sim_blind(machine);
}
