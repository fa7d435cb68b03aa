/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * environment.c - what the DMA API asks of the machine, and tells it.
 */
#include "sim_internal.h"

static void *pointer(void *ctx, struct busway_phys_range range)
{
	return sim_bytes(ctx, VIEW_CACHED, busway_phys_raw(range));
}

static void *uncached(void *ctx, struct busway_phys_range range)
{
	return sim_bytes(ctx, VIEW_MEMORY, busway_phys_raw(range));
}

/* The memory at @pointer, as far as there is some; false: it is no pointer into cached memory. */
static bool memory_at(const struct busway_machine *machine, const void *pointer, size_t size,
		      struct busway_range *phys)
{
	const uintptr_t at = (uintptr_t)pointer;

	for (size_t i = 0; i < machine->store_count; i++) {
		const struct sim_store *store = &machine->stores[i];
		const uintptr_t first = (uintptr_t)store->view[VIEW_CACHED];

		if (at >= first && at - first <= busway_range_span(store->phys))
			return busway_range_clip(store->phys.first + (at - first), size, phys);
	}
	return false;
}

void sim_clean_at(struct busway_machine *machine, const void *pointer, size_t size)
{
	struct busway_range phys;

	if (memory_at(machine, pointer, size, &phys))
		sim_clean(machine, phys);
}

static void clean(void *ctx, void *pointer, size_t size)
{
	sim_clean_at(ctx, pointer, size);
}

static void invalidate(void *ctx, void *pointer, size_t size)
{
	struct busway_range phys;

	if (memory_at(ctx, pointer, size, &phys))
		sim_invalidate(ctx, phys);
}

static int more(void *ctx, uint64_t size, uint64_t align, const struct busway_range *within,
		size_t count, busway_phys_t *phys)
{
	return sim_take(ctx, size, align, within, count, phys) ? -BUSWAY_ENOMEM : 0;
}

static void release(void *ctx, struct busway_phys_range range)
{
	busway_machine_give(ctx, range);
}

static void misuse(void *ctx, const struct busway_misuse_report *report)
{
	struct busway_machine *machine = ctx;
	const struct sim_mapping *mapping = NULL;
	struct busway_violation violation = {
		.kind = BUSWAY_VIOLATION_MISUSE,
		.misuse = report->misuse,
		.device = report->device,
		.asked = busway_dma_raw(report->asked),
	};

	if (sim_device_exists(machine, report->device)) {
		violation.name = sim_device(machine, report->device)->name;
		mapping = sim_find(machine, report->device, report->mapping);
	}
	violation.has_trace = mapping != NULL;
	if (mapping)
		violation.trace = sim_trace(&mapping->segments[0]);
	else if (violation.name)
		violation.has_trace = sim_nearest(machine, report->device, report->asked.first.raw,
						  &violation.trace);
	sim_violate(machine, &violation);
}

struct busway_dma_environment busway_machine_environment(struct busway_machine *machine)
{
	return (struct busway_dma_environment){
		.ctx = machine,
		.pointer = pointer,
		.uncached = uncached,
		.clean = clean,
		.invalidate = invalidate,
		.cache_line = SIM_LINE,
		.more = more,
		.release = release,
		.misuse = misuse,
		.one_thread = true,
		.observe = sim_observe,
	};
}
