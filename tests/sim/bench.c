/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - see bench.h.
 */
#include "bench.h"

enum { CPU, PCI };

static void draw_devices(struct plan *plan)
{
	static const uint32_t own_pool[] = {0};

	for (uint32_t i = NONCOHERENT; i <= CARVER; i++) {
		const uint32_t made = plan_device(plan, PCI);

		assert_int_equal(made, i);
		plan->devices[i].emission = busway_emission_mask(32);
		plan->devices[i].coherence = i == COHERENT ? BUSWAY_COHERENT : BUSWAY_NONCOHERENT;
	}
	plan->devices[RESTRICTED].restricted_pool = 1;
	plan->devices[CARVER].pools = own_pool;
	plan->devices[CARVER].pool_count = 1;
}

void bench_draw(struct bench *bench)
{
	struct plan *plan = &bench->plan;

	plan_init(plan);
	assert_int_equal(plan_space(plan, BUSWAY_SPACE_PCI), PCI);
	plan_window(plan, PCI, CPU, (struct busway_range){BUS, BUS + RAM_SIZE - 1}, RAM);
	plan_ram(plan, (struct busway_range){RAM, RAM + RAM_SIZE - 1});
	plan_region(plan, PCI, BUSWAY_REGION_DOORBELL,
		    (struct busway_range){DOORBELL, DOORBELL + 0xfff});
	plan_region(plan, PCI, BUSWAY_REGION_APERTURE,
		    (struct busway_range){APERTURE, APERTURE + 0xffff});
	plan_pool(plan, (struct busway_range){CARVED, CARVED + 0xfffff});
	plan->pools[0].type = BUSWAY_POOL_SHARED;
	plan->pools[0].no_map = true;
	plan_region(plan, CPU, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){CARVED, CARVED + 0xfffff});
	plan_pool(plan, (struct busway_range){CONFINED, CONFINED + 0xfffff});
	draw_devices(plan);
}

void bench_open(struct bench *bench, const struct busway_machine_options *options)
{
	plan_open(&bench->plan);
	test_memory_open(&bench->memory);
	bench->machine = NULL;
	if (busway_machine_create(bench->plan.platform, options, &bench->memory.allocator,
				  &bench->machine)) {
		plan_print(&bench->plan);
		fail_msg("the machine cannot be built");
	}
	bench->environment = busway_machine_environment(bench->machine);
}

void bench_close(struct bench *bench)
{
	busway_machine_destroy(bench->machine);
	test_memory_close(&bench->memory);
	plan_close(&bench->plan);
}

void bench_usual(struct bench *bench, const struct busway_machine_options *options)
{
	bench_draw(bench);
	bench_open(bench, options);
}

struct busway_phys_range phys_range(uint64_t first, uint64_t size)
{
	struct busway_range range = {0, 0};

	assert_true(busway_range_make(first, size, &range));
	return busway_phys_range(range);
}

int bench_read(struct bench *bench, uint32_t index, uint64_t dma, void *to, size_t size)
{
	return busway_machine_read(bench->machine, device(index), busway_dma(dma), to, size);
}

int bench_write(struct bench *bench, uint32_t index, uint64_t dma, const void *from, size_t size)
{
	return busway_machine_write(bench->machine, device(index), busway_dma(dma), from, size, 0);
}

/* ---- mappings ---- */

struct made made(uint32_t index, uint64_t phys, uint64_t dma, uint64_t size,
		 enum busway_direction direction)
{
	return (struct made){
		.mapping =
			{
				.dma = {dma},
				.size = size,
				.segment_count = 1,
				.entry_count = 1,
				.direction = (uint8_t)direction,
				.kind = BUSWAY_KIND_SINGLE,
				.way = dma == TO_BUS(phys) ? BUSWAY_WAY_DIRECT : BUSWAY_WAY_BOUNCE,
				.one_ = {.dma = {{dma}, {dma + size - 1}}, .phys = {phys}},
			},
		.device = index,
	};
}

static void tell(struct bench *bench, struct made *made, enum busway_dma_event event,
		 uint64_t offset, uint64_t size)
{
	if (!made->mapping.segments)
		made->mapping.segments = &made->mapping.one_;
	bench->environment.observe(bench->environment.ctx, event, device(made->device),
				   &made->mapping, offset, size);
}

void bench_event(struct bench *bench, struct made *made, enum busway_dma_event event)
{
	tell(bench, made, event, 0, made->mapping.size);
}

static void clean(struct bench *bench, const struct made *made, uint64_t offset, uint64_t size)
{
	if (made->device != COHERENT)
		bench->environment.clean(bench->environment.ctx,
					 cpu_at(bench, made->mapping.one_.phys.raw + offset),
					 size);
}

static void invalidate(struct bench *bench, const struct made *made, uint64_t offset,
		       uint64_t size)
{
	if (made->device != COHERENT && (made->mapping.direction & BUSWAY_WRITE))
		bench->environment.invalidate(bench->environment.ctx,
					      cpu_at(bench, made->mapping.one_.phys.raw + offset),
					      size);
}

void bench_sync(struct bench *bench, struct made *made, bool for_cpu, uint64_t offset,
		uint64_t size)
{
	if (for_cpu)
		invalidate(bench, made, offset, size);
	else
		clean(bench, made, offset, size);
	tell(bench, made,
	     for_cpu ? BUSWAY_EVENT_SYNCED_FOR_CPU : BUSWAY_EVENT_SYNCED_FOR_DEVICE, offset, size);
}

struct made *bench_map(struct bench *bench, struct made *made)
{
	if (!(made->mapping.attributes & BUSWAY_MAP_SKIP_SYNC))
		clean(bench, made, 0, made->mapping.size);
	bench_event(bench, made, BUSWAY_EVENT_MAPPED);
	return made;
}

void bench_unmap(struct bench *bench, struct made *made)
{
	bench_event(bench, made, BUSWAY_EVENT_UNMAPPED);
	if (!(made->mapping.attributes & BUSWAY_MAP_SKIP_SYNC))
		invalidate(bench, made, 0, made->mapping.size);
}

unsigned char *cpu_at(struct bench *bench, uint64_t phys)
{
	unsigned char *at = busway_machine_pointer(bench->machine, phys_range(phys, 1));

	assert_non_null(at);
	return at;
}

/* ---- what was told ---- */

static void print_violations(struct bench *bench)
{
	const struct busway_violation *v;
	char text[400];

	for (size_t i = 0; (v = busway_machine_violation(bench->machine, i)) && i < 8; i++) {
		busway_violation_text(v, text, sizeof(text));
		print_error("# %s: %s\n", busway_violation_code(v->kind), text);
	}
}

void bench_told(struct bench *bench, enum busway_violation_kind kind, uint64_t count)
{
	if (busway_machine_count(bench->machine, kind) != count ||
	    busway_machine_violations(bench->machine) != count) {
		print_violations(bench);
		fail_msg("%" PRIu64 " violations, %" PRIu64 " of %s; not %" PRIu64,
			 busway_machine_violations(bench->machine),
			 busway_machine_count(bench->machine, kind), busway_violation_code(kind),
			 count);
	}
	busway_machine_clear(bench->machine);
}

void bench_told_nothing(struct bench *bench)
{
	bench_told(bench, BUSWAY_NO_VIOLATION, 0);
}

const struct busway_violation *bench_first(struct bench *bench)
{
	const struct busway_violation *v = busway_machine_violation(bench->machine, 0);

	if (!v)
		fail_msg("nothing was told");
	return v;
}
