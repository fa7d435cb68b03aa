/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ram.c - simulated memory: each run of it three times, and nothing of it until it is written.
 *
 * A run is what adjoins of memory banks, RAM regions, pools that lie elsewhere (SRAM), and of what
 * the options add. Pages that nobody wrote cost address space only.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE */

#include "sim_internal.h"

#include <sys/mman.h>

enum { PAGE = 4096 };

/* ---- what is memory ---- */

static int add_platform(const struct busway_machine *machine, struct busway_intervals *all)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(machine->platform, &count);
	const struct busway_region *regions;
	int status = 0;

	for (size_t i = 0; i < count && status == 0; i++)
		status = busway_intervals_add(all, banks[i].range);
	regions = busway_platform_regions(machine->platform, &count);
	for (size_t i = 0; i < count && status == 0; i++)
		if (regions[i].kind == BUSWAY_REGION_RAM &&
		    regions[i].space.index == BUSWAY_CPU_SPACE.index)
			status = busway_intervals_add(all, regions[i].range);
	return status;
}

static int add_more(const struct busway_machine *machine, struct busway_intervals *all)
{
	const struct busway_machine_options *o = &machine->options;
	int status = 0;

	for (size_t i = 0; i < machine->place_count && status == 0; i++)
		if (machine->places[i].known)
			status = busway_intervals_add(all, machine->places[i].range);
	for (size_t i = 0; i < o->memory_count && status == 0; i++)
		status = busway_intervals_add(all, busway_phys_raw(o->memory[i]));
	return status;
}

/* ---- mapping it ---- */

/* Pointers have the low bits of the addresses that they stand for. */
static size_t skew(const struct sim_store *store)
{
	return (size_t)(store->phys.first % PAGE);
}

static unsigned char *map_view(const struct sim_store *store)
{
	const uint64_t span = busway_range_span(store->phys);
	void *mem;

	if (span >= SIZE_MAX / 2)
		return NULL;
	mem = mmap(NULL, (size_t)span + 1 + skew(store), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (mem == MAP_FAILED)
		return NULL;
#ifdef MADV_NOHUGEPAGE
	madvise(mem, (size_t)span + 1 + skew(store), MADV_NOHUGEPAGE);
#endif
	return (unsigned char *)mem + skew(store);
}

static void unmap_view(const struct sim_store *store, enum sim_view view)
{
	if (store->view[view])
		munmap(store->view[view] - skew(store),
		       (size_t)busway_range_span(store->phys) + 1 + skew(store));
}

static int map_stores(struct busway_machine *machine, const struct busway_intervals *all)
{
	machine->stores = sim_alloc(machine, all->count, sizeof(*machine->stores));
	if (all->count && !machine->stores)
		return -BUSWAY_ENOMEM;
	machine->store_count = all->count;
	for (size_t i = 0; i < all->count; i++) {
		struct sim_store *store = &machine->stores[i];

		store->phys = all->runs[i];
		for (int view = 0; view < SIM_VIEWS; view++) {
			store->view[view] = map_view(store);
			if (!store->view[view])
				return -BUSWAY_ENOMEM;
		}
	}
	return 0;
}

/* ---- life ---- */

/* Where the platform says that its pools are. */
static int place_pools(struct busway_machine *machine)
{
	const struct busway_pool *pools =
		busway_platform_pools(machine->platform, &machine->place_count);

	machine->places = sim_alloc(machine, machine->place_count, sizeof(*machine->places));
	if (machine->place_count && !machine->places)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < machine->place_count; i++)
		machine->places[i] =
			(struct sim_place){!pools[i].dynamic && !pools[i].empty, pools[i].range};
	return 0;
}

int sim_ram_create(struct busway_machine *machine)
{
	struct busway_intervals all;
	int status = place_pools(machine);

	if (status || machine->options.routes_only)
		return status;
	busway_intervals_init(&all, machine->memory);
	status = add_platform(machine, &all);
	if (status == 0)
		status = add_more(machine, &all);
	if (status == 0)
		status = map_stores(machine, &all);
	busway_intervals_clear(&all);
	return status;
}

void sim_ram_destroy(struct busway_machine *machine)
{
	for (size_t i = 0; i < machine->store_count; i++)
		for (int view = 0; view < SIM_VIEWS; view++)
			unmap_view(&machine->stores[i], (enum sim_view)view);
	sim_free(machine, machine->stores, machine->store_count, sizeof(*machine->stores));
	sim_free(machine, machine->places, machine->place_count, sizeof(*machine->places));
}

int busway_machine_place_pool(struct busway_machine *machine, uint32_t index,
			      struct busway_phys_range range)
{
	int status;

	if (index >= machine->place_count || machine->places[index].known ||
	    range.first.raw > range.last.raw)
		return -BUSWAY_EINVAL;
	status = busway_intervals_remove(&machine->unused, busway_phys_raw(range));
	if (status == 0)
		machine->places[index] = (struct sim_place){true, busway_phys_raw(range)};
	return status;
}

/* ---- looking ---- */

const struct sim_store *sim_store_at(const struct busway_machine *machine, uint64_t phys)
{
	for (size_t i = 0; i < machine->store_count; i++)
		if (busway_range_has(machine->stores[i].phys, phys))
			return &machine->stores[i];
	return NULL;
}

unsigned char *sim_bytes(const struct busway_machine *machine, enum sim_view view,
			 struct busway_range range)
{
	const struct sim_store *store = sim_store_at(machine, range.first);

	return store && busway_range_within(range, store->phys) ? sim_byte(store, view, range.first)
								: NULL;
}

void *busway_machine_pointer(struct busway_machine *machine, struct busway_phys_range range)
{
	return range.first.raw > range.last.raw
		       ? NULL
		       : sim_bytes(machine, VIEW_CACHED, busway_phys_raw(range));
}
