/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver_test.c - drivers on the machine, through the DMA API: right ones are told nothing,
 * whatever caches and buses do meanwhile; if something below them is broken, the machine tells.
 *
 * The usual plan, but devices reach the lower half of memory only: what lies above bounces. Or each
 * device is behind an IOMMU, with a domain whose page tables the machine walks.
 */
#include "iommu_bench.h"

#include <busway/coherent.h>
#include <busway/domain.h>
#include <busway/iova_space.h>

enum { DEVICES = 4, BUFFERS = 12, PARTS = 3, LONGEST = 5000 };

/* What of the environment does not work. */
enum broken {
	NOTHING,
	CLEANS_NOTHING,
	INVALIDATES_NOTHING,
	UNCACHED_IS_CACHED,
	POINTS_ELSEWHERE,
	FORGETS_NOTHING, /* what is unmapped is not invalidated */
};

/* The domain of a device. */
struct translated {
	struct system *system;
	struct busway_iova iova;
	struct busway_domain *domain;
	uint32_t tag;
};

struct system {
	struct bench bench;
	enum broken broken;
	struct busway_dma *dma;
	struct busway_dma_device *devices[DEVICES];
	struct busway_engine *engines[DEVICES];
	const struct iommu_case *tables; /* NULL: no IOMMU */
	uint32_t deferred;
	struct translated translated[DEVICES];
	struct rng rng;
	unsigned wrong;
};

/* ---- an environment that may be broken ---- */

static struct bench *bench_of(void *ctx)
{
	return &((struct system *)ctx)->bench;
}

static void *pointer(void *ctx, struct busway_phys_range range)
{
	if (((struct system *)ctx)->broken == POINTS_ELSEWHERE) {
		range.first.raw ^= 0x10000;
		range.last.raw ^= 0x10000;
	}
	return bench_of(ctx)->environment.pointer(bench_of(ctx)->machine, range);
}

static void *uncached(void *ctx, struct busway_phys_range range)
{
	if (((struct system *)ctx)->broken == UNCACHED_IS_CACHED)
		return pointer(ctx, range);
	return bench_of(ctx)->environment.uncached(bench_of(ctx)->machine, range);
}

static void clean(void *ctx, void *at, size_t size)
{
	if (((struct system *)ctx)->broken != CLEANS_NOTHING)
		bench_of(ctx)->environment.clean(bench_of(ctx)->machine, at, size);
}

static void invalidate(void *ctx, void *at, size_t size)
{
	if (((struct system *)ctx)->broken != INVALIDATES_NOTHING)
		bench_of(ctx)->environment.invalidate(bench_of(ctx)->machine, at, size);
}

static int more(void *ctx, uint64_t size, uint64_t align, const struct busway_range *within,
		size_t count, busway_phys_t *phys)
{
	return bench_of(ctx)->environment.more(bench_of(ctx)->machine, size, align, within, count,
					       phys);
}

static void release(void *ctx, struct busway_phys_range range)
{
	bench_of(ctx)->environment.release(bench_of(ctx)->machine, range);
}

static void misuse(void *ctx, const struct busway_misuse_report *report)
{
	bench_of(ctx)->environment.misuse(bench_of(ctx)->machine, report);
}

static void observe(void *ctx, enum busway_dma_event event, busway_device_id id,
		    const struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	bench_of(ctx)->environment.observe(bench_of(ctx)->machine, event, id, mapping, offset,
					   size);
}

static const struct busway_dma_environment shim = {
	.pointer = pointer,
	.uncached = uncached,
	.clean = clean,
	.invalidate = invalidate,
	.cache_line = 64,
	.more = more,
	.release = release,
	.misuse = misuse,
	.observe = observe,
};

/* ---- the system ---- */

static void forget(void *ctx, const struct busway_invalidation *what)
{
	struct translated *t = ctx;

	if (t->system->broken != FORGETS_NOTHING)
		busway_machine_invalidate(t->system->bench.machine, t->tag, what->iova,
					  what->tables);
}

/* Page tables in the machine's memory, which its IOMMU walks for the device. */
static void translate(struct system *s, uint32_t i)
{
	struct translated *t = &s->translated[i];
	const struct busway_domain_options options = {
		.table = {.name = "iommu",
			  .format = s->tables->format,
			  .granule_lg2 = s->tables->granule_lg2,
			  .input_bits = s->tables->input_bits,
			  .output_bits = s->tables->output_bits},
		.tables = busway_machine_table_memory(s->bench.machine),
		.allowed = &t->iova,
		.invalidate = forget,
		.ctx = t,
		.deferred = s->deferred,
	};
	struct busway_machine_iommu iommu = {
		.name = "iommu",
		.format = s->tables->format,
		.granule_lg2 = s->tables->granule_lg2,
		.tag = i,
	};

	const struct busway_iova_member member = {.device = {i}};

	*t = (struct translated){.system = s, .tag = i};
	assert_int_equal(busway_iova_build_group(s->bench.plan.platform, &member, 1, NULL, 0,
						 &s->bench.memory.allocator, &t->iova),
			 0);
	assert_int_equal(busway_domain_create(&options, &s->bench.memory.allocator, &t->domain), 0);
	iommu.root = busway_pagetable_root(busway_domain_table(t->domain));
	assert_int_equal(busway_machine_translate(s->bench.machine, device(i), &iommu), 0);
}

static void attach_all(struct system *s)
{
	for (uint32_t i = 0; i < DEVICES; i++) {
		struct busway_dma_options options = {0};

		if (s->tables)
			translate(s, i);
		options.domain = s->translated[i].domain;
		assert_int_equal(
			busway_dma_attach(s->dma, device(i), &options, &s->devices[i], NULL), 0);
		assert_int_equal(
			busway_engine_create(s->bench.machine, device(i), NULL, &s->engines[i]), 0);
	}
}

static void boot(struct system *s, uint64_t seed, enum broken broken,
		 const struct iommu_case *tables, uint32_t deferred)
{
	const struct busway_machine_options options = {.seed = seed, .posted = true};
	struct busway_dma_environment environment = shim;
	struct busway_phys_range pool;

	*s = (struct system){
		.broken = broken, .rng = rng_of(seed), .tables = tables, .deferred = deferred};
	bench_draw(&s->bench);
	s->bench.plan.windows[0].in.last -= RAM_SIZE / 2;
	/* its pools are in the upper half, behind a window of their own */
	plan_window(&s->bench.plan, 1, 0,
		    (struct busway_range){BUS + RAM_SIZE / 2, BUS + RAM_SIZE / 2 + 0x1ffffff},
		    CARVED);
	for (size_t i = 0; i < s->bench.plan.device_count; i++)
		s->bench.plan.devices[i].behind_iommu = tables;
	bench_open(&s->bench, &options);
	environment.ctx = s;
	assert_int_equal(busway_dma_create(s->bench.plan.platform, &environment,
					   &s->bench.memory.allocator, &s->dma),
			 0);
	assert_int_equal(
		busway_machine_take(s->bench.machine, 0x40000, 0x1000, NULL, 0, &pool.first), 0);
	pool.last.raw = pool.first.raw + 0x3ffff;
	assert_int_equal(busway_dma_add_pool(s->dma, pool, BUSWAY_USE_BOTH, 1), 0);
	attach_all(s);
}

static void halt(struct system *s)
{
	for (uint32_t i = 0; i < DEVICES; i++) {
		busway_engine_destroy(s->engines[i]);
		assert_int_equal(busway_dma_detach(s->devices[i]), 0);
	}
	assert_int_equal(busway_dma_destroy(s->dma), 0);
	for (uint32_t i = 0; s->tables && i < DEVICES; i++) {
		assert_int_equal(busway_domain_destroy(s->translated[i].domain), 0);
		busway_iova_free(&s->translated[i].iova);
	}
	bench_close(&s->bench);
}

/* ---- a driver ---- */

struct buffer {
	struct busway_mapping mapping;
	struct busway_mapped segments[8];
	struct busway_phys_range parts[PARTS];
	size_t count;
	uint64_t pattern;
	uint32_t device;
	bool live;
};

static uint64_t size_of(struct busway_phys_range r)
{
	return busway_range_span(busway_phys_raw(r)) + 1;
}

static void take_parts(struct system *s, struct buffer *b)
{
	/* the lower half, and what is free of the upper one */
	const struct busway_phys_range halves[] = {phys_range(RAM, RAM_SIZE / 2),
						   phys_range(CONFINED + 0x1000000, 0x4000000)};

	b->count = 1 + rng_below(&s->rng, PARTS);
	for (size_t i = 0; i < b->count; i++) {
		/* whole lines may be handed to devices that see no caches; others bounce */
		const bool lines = rng_chance(&s->rng, 50);
		const uint64_t size = lines ? 64 * (1 + rng_below(&s->rng, LONGEST / 64))
					    : 1 + rng_below(&s->rng, LONGEST);
		const uint64_t align = lines ? 64 : (uint64_t)1 << rng_below(&s->rng, 9);
		busway_phys_t phys = {0};

		assert_int_equal(busway_machine_take(s->bench.machine, size, align,
						     &halves[rng_below(&s->rng, 2)], 1, &phys),
				 0);
		b->parts[i] = phys_range(phys.raw, size);
	}
}

static void give_parts(struct system *s, const struct buffer *b)
{
	for (size_t i = 0; i < b->count; i++)
		busway_machine_give(s->bench.machine, b->parts[i]);
}

/* The pattern of a part is that of the buffer from byte 0 on, for each part. */
static void cpu_fills(struct system *s, struct buffer *b)
{
	static unsigned char bytes[LONGEST];

	b->pattern = rng_next(&s->rng);
	for (size_t i = 0; i < b->count; i++) {
		busway_pattern_fill(b->pattern + i, 0, bytes, (size_t)size_of(b->parts[i]));
		busway_machine_cpu_write(s->bench.machine, b->parts[i].first, bytes,
					 (size_t)size_of(b->parts[i]));
	}
}

static void cpu_checks(struct system *s, const struct buffer *b)
{
	static unsigned char bytes[LONGEST];

	for (size_t i = 0; i < b->count; i++) {
		const size_t size = (size_t)size_of(b->parts[i]);

		busway_machine_cpu_read(s->bench.machine, b->parts[i].first, bytes, size);
		s->wrong += busway_pattern_check(b->pattern + i, 0, bytes, size) != size;
	}
}

/* The device knows segments, and that parts follow each other in them. */
static void device_does(struct system *s, const struct buffer *b,
			enum busway_engine_operation operation)
{
	const struct busway_mapped *segment = b->mapping.segments;
	uint64_t done = 0;

	for (size_t i = 0; i < b->count; i++) {
		uint64_t left = size_of(b->parts[i]), at = 0;

		while (left) {
			const uint64_t rest =
				busway_range_span(busway_dma_raw(segment->dma)) + 1 - done;
			const uint64_t size = left < rest ? left : rest;
			unsigned char bytes[LONGEST];
			const uint64_t dma = segment->dma.first.raw + done;

			busway_pattern_fill(b->pattern + i, at, bytes, (size_t)size);
			if (operation == BUSWAY_ENGINE_FILL) {
				bench_write(&s->bench, b->device, dma, bytes, (size_t)size);
			} else {
				bench_read(&s->bench, b->device, dma, bytes, (size_t)size);
				s->wrong += busway_pattern_check(b->pattern + i, at, bytes,
								 (size_t)size) != size;
			}
			left -= size;
			at += size;
			done += size;
			if (size == rest) {
				segment++;
				done = 0;
			}
		}
	}
}

static void map(struct system *s, struct buffer *b)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	const enum busway_direction direction = directions[rng_below(&s->rng, 3)];
	struct busway_lane *lane;
	int status;

	b->device = (uint32_t)rng_below(&s->rng, DEVICES);
	lane = busway_dma_lane(s->devices[b->device], 0);
	take_parts(s, b);
	cpu_fills(s, b);
	if (b->count == 1)
		status = busway_map(lane, b->parts[0], direction, 0, &b->mapping, NULL);
	else
		status = busway_map_list(lane, b->parts, b->count, direction, 0, b->segments,
					 COUNT(b->segments), &b->mapping, NULL, NULL);
	assert_true(status == 0 || status == -BUSWAY_ERANGE);
	b->live = status == 0;
	if (!b->live)
		give_parts(s, b);
	else if (direction & BUSWAY_READ)
		device_does(s, b, BUSWAY_ENGINE_VERIFY);
}

static void use(struct system *s, struct buffer *b)
{
	const uint64_t size = b->mapping.size;

	if (!(b->mapping.direction & BUSWAY_WRITE)) {
		cpu_fills(s, b);
		assert_int_equal(busway_sync_for_device(&b->mapping, 0, size), 0);
		device_does(s, b, BUSWAY_ENGINE_VERIFY);
		return;
	}
	b->pattern = rng_next(&s->rng);
	device_does(s, b, BUSWAY_ENGINE_FILL);
	if (rng_chance(&s->rng, 50))
		return; /* the CPU sees it when it is unmapped */
	busway_machine_flush(s->bench.machine, device(b->device));
	/* in two parts, which is as good as in one */
	if (size > 1)
		assert_int_equal(busway_sync_for_cpu(&b->mapping, 0, size / 2), 0);
	assert_int_equal(busway_sync_for_cpu(&b->mapping, size / 2, size - size / 2), 0);
	cpu_checks(s, b);
	if (b->mapping.direction == BUSWAY_BIDIRECTIONAL) {
		cpu_fills(s, b);
		assert_int_equal(busway_sync_for_device(&b->mapping, 0, size), 0);
		device_does(s, b, BUSWAY_ENGINE_VERIFY);
	}
}

static void unmap(struct system *s, struct buffer *b)
{
	busway_machine_flush(s->bench.machine, device(b->device));
	assert_int_equal(busway_unmap(&b->mapping), 0);
	cpu_checks(s, b);
	give_parts(s, b);
	b->live = false;
}

/* A descriptor in coherent memory, fetched by the device. */
static void fetch(struct system *s)
{
	const uint32_t index = (uint32_t)rng_below(&s->rng, DEVICES);
	const struct busway_engine_descriptor last = {.flags = BUSWAY_ENGINE_LAST};
	struct busway_coherent memory = {0};

	if (busway_coherent_alloc(busway_dma_lane(s->devices[index], 0), 64, 64, 0, &memory, NULL))
		return;
	busway_engine_encode(&last, memory.cpu);
	s->wrong += busway_engine_run(s->engines[index], memory.dma).status != BUSWAY_ENGINE_DONE;
	assert_int_equal(busway_coherent_free(&memory), 0);
}

static void work(struct system *s, unsigned steps)
{
	static struct buffer buffers[BUFFERS];

	memset(buffers, 0, sizeof(buffers));
	/* what goes astray may have hit a page table: there is no going on */
	while (steps-- &&
	       !(s->broken == FORGETS_NOTHING && busway_machine_violations(s->bench.machine))) {
		struct buffer *b = &buffers[rng_below(&s->rng, BUFFERS)];

		if (rng_chance(&s->rng, 10))
			fetch(s);
		else if (!b->live)
			map(s, b);
		else if (rng_chance(&s->rng, 60))
			use(s, b);
		else
			unmap(s, b);
		if (b->count)
			busway_machine_disturb(s->bench.machine, b->parts[0]);
	}
	for (size_t i = 0; i < BUFFERS; i++)
		if (buffers[i].live)
			unmap(s, &buffers[i]);
}

static void right_drivers_are_told_nothing(void **state)
{
	static struct system s;

	(void)state;
	for (unsigned round = 0; round < random_rounds(30); round++) {
		boot(&s, random_seed() + round, NOTHING, NULL, 0);
		work(&s, 400);
		assert_int_equal(s.wrong, 0);
		bench_told_nothing(&s.bench);
		halt(&s);
	}
}

static void what_is_broken_below_is_told(void **state)
{
	static const struct {
		const char *because;
		enum broken broken;
		enum busway_violation_kind kind;
	} cases[] = {
		{"lines are not cleaned", CLEANS_NOTHING, BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
		{"lines are not invalidated", INVALIDATES_NOTHING,
		 BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
		{"coherent memory is cached", UNCACHED_IS_CACHED,
		 BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	};
	static struct system s;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		boot(&s, random_seed() + i, cases[i].broken, NULL, 0);
		work(&s, 400);
		if (!busway_machine_count(s.bench.machine, cases[i].kind))
			fail_msg("%s: not told", cases[i].because);
		busway_machine_clear(s.bench.machine);
		halt(&s);
	}
}

/* Bytes that are copied to the wrong place are nobody's violation: they are wrong bytes. */
static void copies_that_go_astray_show(void **state)
{
	static struct system s;

	(void)state;
	boot(&s, random_seed(), POINTS_ELSEWHERE, NULL, 0);
	work(&s, 400);
	assert_true(s.wrong > 0);
	busway_machine_clear(s.bench.machine);
	halt(&s);
}

static void right_drivers_behind_an_iommu_are_told_nothing(void **state)
{
	static struct system s;
	const unsigned rounds = random_rounds(6);

	(void)state;
	for (unsigned round = 0; round < rounds; round++)
		for (size_t i = 0; i < iommu_case_count; i++) {
			boot(&s, random_seed() + round, NOTHING, &iommu_cases[i], round % 3 * 8);
			work(&s, 400);
			bench_told_nothing(&s.bench);
			assert_int_equal(s.wrong, 0);
			halt(&s);
		}
}

static void what_is_not_invalidated_is_told(void **state)
{
	static struct system s;

	(void)state;
	for (size_t i = 0; i < iommu_case_count; i++) {
		boot(&s, random_seed() + i, FORGETS_NOTHING, &iommu_cases[i], 0);
		work(&s, 400);
		if (!busway_machine_count(s.bench.machine, BUSWAY_VIOLATION_STALE) &&
		    !busway_machine_count(s.bench.machine, BUSWAY_VIOLATION_TABLE_GONE))
			fail_msg("%s: not told", iommu_cases[i].name);
		busway_machine_clear(s.bench.machine);
		halt(&s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_drivers_are_told_nothing),
		cmocka_unit_test(what_is_broken_below_is_told),
		cmocka_unit_test(copies_that_go_astray_show),
		cmocka_unit_test(right_drivers_behind_an_iommu_are_told_nothing),
		cmocka_unit_test(what_is_not_invalidated_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
