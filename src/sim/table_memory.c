/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_memory.c - simulated memory for the tables of an IOMMU, and what was one once.
 */
#include "sim_internal.h"

static struct busway_range bytes_of(busway_phys_t phys, size_t size)
{
	return (struct busway_range){phys.raw, phys.raw + (size - 1)};
}

static void *alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	struct busway_machine *machine = ctx;
	const struct busway_range anywhere = BUSWAY_RANGE_ALL;

	if (sim_take(machine, size, size, &anywhere, 1, phys))
		return NULL;
	/* it is a table again: a walk may read it */
	if (busway_intervals_remove(&machine->former_tables, bytes_of(*phys, size))) {
		busway_machine_give(machine, busway_phys_range(bytes_of(*phys, size)));
		return NULL;
	}
	return sim_bytes(machine, VIEW_CACHED, bytes_of(*phys, size));
}

/* Who takes it next finds it like other memory: the same in the caches and behind them. */
static void release(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	struct busway_machine *machine = ctx;
	const struct busway_range bytes = bytes_of(phys, size);

	(void)table;
	sim_settle_bytes(machine, bytes);
	if (busway_intervals_add(&machine->former_tables, bytes))
		sim_blind(machine);
	busway_machine_give(machine, busway_phys_range(bytes));
}

static void *pointer(void *ctx, busway_phys_t phys)
{
	return sim_bytes(ctx, VIEW_CACHED, bytes_of(phys, 1));
}

static void clean(void *ctx, const void *entries, size_t size)
{
	sim_clean_at(ctx, entries, size);
}

struct busway_table_memory busway_machine_table_memory(struct busway_machine *machine)
{
	return (struct busway_table_memory){
		.alloc = alloc,
		.free = release,
		.pointer = pointer,
		.clean = machine->options.walks_past_caches ? clean : NULL,
		.ctx = machine,
	};
}

bool sim_was_table(const struct busway_machine *machine, uint64_t phys)
{
	return busway_intervals_has(&machine->former_tables, phys);
}
