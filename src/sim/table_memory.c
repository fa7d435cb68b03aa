/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_memory.c - simulated memory for the tables of an IOMMU: what is one, and what was one once.
 */
#include "sim_internal.h"

static struct busway_range bytes_of(busway_phys_t phys, size_t size)
{
	return (struct busway_range){phys.raw, phys.raw + (size - 1)};
}

static int become_table(struct busway_machine *machine, struct busway_range bytes)
{
	int status = busway_intervals_add(&machine->tables, bytes);

	if (status)
		return status;
	/* it is a table again: a walk may read it */
	status = busway_intervals_remove(&machine->former_tables, bytes);
	/* what was added last has left the room that this takes */
	if (status && busway_intervals_remove(&machine->tables, bytes))
		sim_blind(machine);
	return status;
}

static void *alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	struct busway_machine *machine = ctx;
	const struct busway_range anywhere = BUSWAY_RANGE_ALL;
	struct busway_range bytes;

	if (sim_take(machine, size, size, &anywhere, 1, phys))
		return NULL;
	bytes = bytes_of(*phys, size);
	if (become_table(machine, bytes)) {
		busway_machine_give(machine, busway_phys_range(bytes));
		return NULL;
	}
	return sim_bytes(machine, VIEW_CACHED, bytes);
}

/*
 * Who takes it next finds it like other memory: the same in the caches and behind them. What cannot
 * be told from a table any more stays one, and is given to nobody.
 */
static void release(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	struct busway_machine *machine = ctx;
	const struct busway_range bytes = bytes_of(phys, size);

	(void)table;
	if (busway_intervals_remove(&machine->tables, bytes)) {
		sim_blind(machine);
		return;
	}
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

bool sim_has_table(const struct busway_machine *machine, struct busway_range phys)
{
	const size_t i = busway_intervals_find(&machine->tables, phys.first);

	return i < machine->tables.count && machine->tables.runs[i].first <= phys.last;
}

bool sim_cut_table(const struct busway_machine *machine, struct busway_range *phys)
{
	const size_t i = busway_intervals_find(&machine->tables, phys->first);
	struct busway_range run;

	if (i == machine->tables.count || machine->tables.runs[i].first > phys->last)
		return false;
	run = machine->tables.runs[i];
	if (run.first > phys->first) {
		phys->last = run.first - 1;
		return false;
	}
	if (run.last < phys->last)
		phys->last = run.last;
	return true;
}

bool sim_was_table(const struct busway_machine *machine, uint64_t phys)
{
	return busway_intervals_has(&machine->former_tables, phys);
}
