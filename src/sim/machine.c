/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - a machine from its parts, and back; and what the DMA API asks of it.
 */
#include "sim_internal.h"

enum { RECORDS = 256 };

static void *allocate(const struct busway_allocator *memory, size_t size)
{
	void *mem = memory->alloc(memory->ctx, size, _Alignof(max_align_t));

	if (mem)
		memset(mem, 0, size);
	return mem;
}

void *sim_alloc(const struct busway_machine *machine, size_t count, size_t size)
{
	return count && count <= SIZE_MAX / size ? allocate(machine->memory, count * size) : NULL;
}

void sim_free(const struct busway_machine *machine, void *mem, size_t count, size_t size)
{
	if (mem)
		machine->memory->free(machine->memory->ctx, mem, count * size,
				      _Alignof(max_align_t));
}

static int create_records(struct busway_machine *machine)
{
	if (machine->options.records == 0)
		machine->options.records = RECORDS;
	machine->records = sim_alloc(machine, machine->options.records, sizeof(*machine->records));
	return machine->records ? 0 : -BUSWAY_ENOMEM;
}

static int create_parts(struct busway_machine *machine)
{
	int status = create_records(machine);

	if (status == 0)
		status = sim_ways_create(machine);
	if (status == 0)
		status = sim_ram_create(machine);
	if (status == 0)
		status = sim_unused_create(machine);
	return status;
}

int busway_machine_create(const struct busway_platform *platform,
			  const struct busway_machine_options *options,
			  const struct busway_allocator *memory, struct busway_machine **out)
{
	struct busway_machine *machine = allocate(memory, sizeof(*machine));
	int status;

	if (!machine)
		return -BUSWAY_ENOMEM;
	machine->platform = platform;
	machine->memory = memory;
	if (options)
		machine->options = *options;
	machine->rng.state = machine->options.seed;
	busway_intervals_init(&machine->unused, memory);
	busway_intervals_init(&machine->fresh, memory);
	busway_intervals_init(&machine->tables, memory);
	busway_intervals_init(&machine->former_tables, memory);
	shelf_init(&machine->by_dma, memory);
	shelf_init(&machine->by_phys, memory);
	status = create_parts(machine);
	/* what was read by now need not live as long as the machine */
	machine->options.memory = NULL;
	machine->options.memory_count = 0;
	if (status)
		busway_machine_destroy(machine);
	else
		*out = machine;
	return status;
}

void busway_machine_destroy(struct busway_machine *machine)
{
	if (!machine)
		return;
	sim_posted_destroy(machine);
	sim_table_destroy(machine);
	sim_free(machine, machine->marks, machine->mark_count, sizeof(*machine->marks));
	busway_intervals_clear(&machine->fresh);
	busway_intervals_clear(&machine->tables);
	busway_intervals_clear(&machine->former_tables);
	sim_iommus_destroy(machine);
	sim_claims_destroy(machine);
	busway_intervals_clear(&machine->unused);
	sim_ram_destroy(machine);
	sim_ways_destroy(machine);
	sim_free(machine, machine->records, machine->options.records, sizeof(*machine->records));
	sim_free(machine, machine, 1, sizeof(*machine));
}
