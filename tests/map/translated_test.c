/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translated_test.c - a device behind an IOMMU: through busway_dma_options.domain.
 *
 * The IOMMU remembers all that it has translated until it is told to forget. Tables are memory of
 * their own; their physical addresses are pointers.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum {
	POOL_AT = 0x40000,
	POOL_SIZE = 0x40000,
	OWN_AT = 0x80000, /* the driver's memory, to the end */
	OWN_SIZE = 0x80000,
	LIVE = 12,
	ENTRIES = 5,
	SEGMENTS = 24,
	CACHED = 8192,
	SHARED = 6,
};

/* ---- the IOMMU ---- */

struct iommu {
	uint64_t page;
	uint64_t iova[CACHED], phys[CACHED];
	unsigned access[CACHED];
	size_t count;
	unsigned long told;
};

static void *table_alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = aligned_alloc(size, size);

	(void)ctx;
	*phys = busway_phys((uint64_t)(uintptr_t)table);
	return table;
}

static void table_free(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx;
	(void)phys;
	memset(table, 0xff, size); /* looks valid in most formats */
	free(table);
}

static void forget(void *ctx, const struct busway_invalidation *what)
{
	struct iommu *iommu = ctx;
	size_t kept = 0;

	for (size_t i = 0; i < iommu->count; i++) {
		if (iommu->iova[i] >= what->iova.first.raw && iommu->iova[i] <= what->iova.last.raw)
			continue;
		iommu->iova[kept] = iommu->iova[i];
		iommu->access[kept] = iommu->access[i];
		iommu->phys[kept++] = iommu->phys[i];
	}
	iommu->count = kept;
	iommu->told++;
}

/* ---- a scene ---- */

struct kind {
	const char *name;
	enum busway_pagetable_format format;
	unsigned granule_lg2;
	uint32_t deferred;
	bool untrusted, noncoherent, restricted;
	uint64_t min_align_mask;
	struct busway_segment_limits limits;
};

static const struct kind kinds[] = {
	{.name = "plain", .format = BUSWAY_ARM_STAGE1, .granule_lg2 = 12},
	{.name = "deferred", .format = BUSWAY_VTD_SECOND, .granule_lg2 = 12, .deferred = 8},
	{.name = "untrusted", .format = BUSWAY_AMD_V1, .granule_lg2 = 12, .untrusted = true},
	{.name = "untrusted, deferred for others",
	 .format = BUSWAY_RISCV_SV,
	 .granule_lg2 = 12,
	 .untrusted = true,
	 .deferred = 4},
	{.name = "past the caches",
	 .format = BUSWAY_ARM_STAGE2,
	 .granule_lg2 = 12,
	 .noncoherent = true},
	{.name = "past the caches, deferred",
	 .format = BUSWAY_VTD_SECOND,
	 .granule_lg2 = 12,
	 .noncoherent = true,
	 .deferred = 16},
	{.name = "past the caches, untrusted, large granule",
	 .format = BUSWAY_ARM_STAGE1,
	 .granule_lg2 = 14,
	 .noncoherent = true,
	 .untrusted = true},
	{.name = "NVMe, short segments",
	 .format = BUSWAY_ARM_STAGE1,
	 .granule_lg2 = 12,
	 .min_align_mask = 4095,
	 .limits = {.max_size = 0x1800, .boundary = 0x4000}},
	{.name = "low bits above the granule",
	 .format = BUSWAY_VTD_SECOND,
	 .granule_lg2 = 12,
	 .min_align_mask = 0x3fff,
	 .limits = {.boundary = 0x8000}},
	{.name = "restricted to a pool, and behind an IOMMU",
	 .format = BUSWAY_VTD_SECOND,
	 .granule_lg2 = 12,
	 .restricted = true},
	{.name = "boundaries above a page, untrusted",
	 .format = BUSWAY_VTD_SECOND,
	 .granule_lg2 = 12,
	 .untrusted = true,
	 .limits = {.boundary = 0x2000}},
	{.name = "boundaries inside a page, untrusted",
	 .format = BUSWAY_VTD_SECOND,
	 .granule_lg2 = 12,
	 .untrusted = true,
	 .limits = {.boundary = 0x400}},
};

struct live {
	struct busway_mapping mapping;
	struct busway_mapped segments[SEGMENTS];
	struct busway_phys_range entries[ENTRIES];
	size_t count;
	enum busway_direction direction;
	unsigned char *expected; /* what the driver will find */
};

struct scene {
	const struct kind *kind;
	struct rig rig;
	struct iommu iommu;
	struct busway_iova allowed;
	struct busway_domain *domain;
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct live live[LIVE];
	bool owned[OWN_SIZE]; /* bytes that are mapped */
	unsigned served, bounced;
	struct busway_coherent coherent[SHARED];
};

static void open_scene(struct scene *s, const struct kind *kind)
{
	struct busway_dma_options options = {.min_align_mask = kind->min_align_mask};
	const struct busway_iova_member member = {.device = {0}};
	struct busway_domain_options how = {
		.table = {.format = kind->format, .granule_lg2 = kind->granule_lg2},
		.tables = {.alloc = table_alloc, .free = table_free},
		.invalidate = forget,
		.ctx = &s->iommu,
		.deferred = kind->deferred,
	};

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	s->iommu.page = (uint64_t)1 << kind->granule_lg2;
	rig_draw(&s->rig);
	/* the windows lead elsewhere: nothing is reached but through the IOMMU */
	s->rig.plan.windows[0].in = (struct busway_range){0x40000000, 0x7fffffff};
	s->rig.plan.devices[0].behind_iommu = true;
	s->rig.plan.devices[0].untrusted = kind->untrusted;
	s->rig.plan.devices[0].coherence =
		kind->noncoherent ? BUSWAY_NONCOHERENT : BUSWAY_COHERENT;
	s->rig.plan.devices[0].segments = kind->limits;
	/* another one beside it, which is trusted if the first is not */
	plan_device(&s->rig.plan, 1);
	s->rig.plan.devices[1].behind_iommu = true;
	s->rig.plan.devices[1].untrusted = !kind->untrusted;
	if (kind->restricted)
		s->rig.plan.devices[0].restricted_pool =
			plan_pool(&s->rig.plan, busway_phys_raw(rig_phys(POOL_AT, POOL_SIZE)));
	rig_open(&s->rig);
	if (!kind->restricted)
		assert_int_equal(busway_dma_add_pool(s->rig.dma, rig_phys(POOL_AT, POOL_SIZE),
					     BUSWAY_USE_BOTH, 1),
			 0);
	assert_int_equal(busway_iova_build_group(s->rig.plan.platform, &member, 1, NULL, 0,
						 &s->rig.plan.memory.allocator, &s->allowed),
			 0);
	how.allowed = &s->allowed;
	assert_int_equal(busway_domain_create(&how, &s->rig.plan.memory.allocator, &s->domain), 0);
	options.domain = s->domain;
	s->device = rig_attach(&s->rig, 0, &options);
	s->lane = busway_dma_lane(s->device, 0);
}

static void close_scene(struct scene *s)
{
	struct busway_pool_census census;

	assert_int_equal(busway_dma_detach(s->device), 0);
	assert_int_equal(busway_domain_destroy(s->domain), 0);
	busway_iova_free(&s->allowed);
	assert_true(busway_dma_pool(s->rig.dma, 0, &census));
	assert_int_equal(census.used, 0);
	assert_int_equal(rig_misuse_count(&s->rig), 0);
	rig_close(&s->rig);
}

/* ---- the device ---- */

/* Where a byte is; false: the IOMMU lets nothing through. */
static bool translate(struct scene *s, uint64_t iova, enum busway_access access, uint64_t *phys)
{
	struct iommu *iommu = &s->iommu;
	const uint64_t page = iova & ~(iommu->page - 1);
	struct busway_translation found;
	size_t i = 0;

	while (i < iommu->count && iommu->iova[i] != page)
		i++;
	if (i == iommu->count) {
		if (!busway_pagetable_lookup(busway_domain_table(s->domain), busway_dma(page),
					     &found))
			return false;
		if (iommu->count == CACHED)
			i = --iommu->count;
		iommu->iova[i] = page;
		iommu->phys[i] = found.phys.raw;
		iommu->access[i] = found.prot;
		iommu->count++;
	}
	*phys = iommu->phys[i] + (iova - page);
	return (iommu->access[i] & access) == (unsigned)access && *phys >= RIG_BASE &&
	       *phys < RIG_BASE + RIG_SIZE;
}

static bool device_read(struct scene *s, uint64_t iova, unsigned char *byte)
{
	uint64_t phys;

	if (!translate(s, iova, BUSWAY_READ, &phys))
		return false;
	*byte = (s->kind->noncoherent ? s->rig.memory : s->rig.cached)[phys - RIG_BASE];
	return true;
}

static bool device_write(struct scene *s, uint64_t iova, unsigned char byte)
{
	uint64_t phys;

	if (!translate(s, iova, BUSWAY_WRITE, &phys))
		return false;
	s->rig.memory[phys - RIG_BASE] = byte;
	if (!s->kind->noncoherent)
		s->rig.cached[phys - RIG_BASE] = byte;
	return true;
}

/* ---- a driver ---- */

/* The driver's byte @i of all that is mapped. */
static unsigned char *own_byte(struct scene *s, const struct live *l, uint64_t i)
{
	size_t e = 0;

	while (i > l->entries[e].last.raw - l->entries[e].first.raw) {
		i -= l->entries[e].last.raw - l->entries[e].first.raw + 1;
		e++;
	}
	return rig_cpu(&s->rig, l->entries[e].first.raw + i);
}

/* Goes through all bytes as the device is told of them. */
static void use(struct scene *s, struct live *l, struct rng *rng)
{
	struct busway_runs at = {0};
	struct busway_dma_range run;
	const struct busway_segment_limits *limits = &s->kind->limits;
	uint64_t i = 0;

	while (busway_mapping_next_run(&l->mapping, &at, &run)) {
		if (limits->max_size)
			assert_true(run.last.raw - run.first.raw < limits->max_size);
		if (limits->boundary)
			assert_true(run.first.raw / limits->boundary ==
				    run.last.raw / limits->boundary);
		for (uint64_t iova = run.first.raw; iova <= run.last.raw; iova++, i++) {
			unsigned char byte;

			if (l->direction & BUSWAY_READ) {
				assert_true(device_read(s, iova, &byte));
				assert_int_equal(byte, l->expected[i]);
			}
			if ((l->direction & BUSWAY_WRITE) && rng_chance(rng, 60)) {
				byte = (unsigned char)rng_next(rng);
				assert_true(device_write(s, iova, byte));
				l->expected[i] = byte;
			}
		}
	}
	assert_int_equal(i, l->mapping.size);
}

/* Pages of the IOMMU that hold a byte of somebody else's: of nobody untrusted. */
static bool check_run(void *ctx, const struct busway_mapped_run *run)
{
	struct scene *s = ctx;
	const uint64_t first = run->phys.raw, last = first + (run->iova.last.raw - run->iova.first.raw);

	for (uint64_t phys = first; phys <= last; phys++) {
		const uint64_t at = phys - RIG_BASE;
		const bool pool = at >= POOL_AT && at < POOL_AT + POOL_SIZE;

		assert_true(at < RIG_SIZE);
		if (s->kind->untrusted && !pool)
			assert_true(at >= OWN_AT && s->owned[at - OWN_AT]);
		assert_true(pool || !s->kind->restricted);
	}
	return true;
}

static void check_tables(struct scene *s)
{
	const struct busway_dma_range all = {{0}, {UINT64_MAX}};

	busway_domain_flush(s->domain, NULL);
	assert_true(busway_pagetable_runs(busway_domain_table(s->domain), all, check_run, s));
}

static bool draw_entry(struct scene *s, struct live *l, struct rng *rng)
{
	const uint64_t align = rng_chance(rng, 50) ? s->iommu.page : rng_chance(rng, 50) ? 64 : 1;
	const uint64_t size = (rng_between(rng, 1, 0x2800) + align - 1) / align * align;
	uint64_t at = rng_below(rng, OWN_SIZE - 0x8000) / align * align;

	if (l->count && rng_chance(rng, 30)) /* goes on where the last one ended */
		at = l->entries[l->count - 1].last.raw + 1 - RIG_BASE - OWN_AT;
	if (at + size > OWN_SIZE)
		return false;
	for (uint64_t i = at / 64 * 64; i < (at + size + 63) / 64 * 64; i++)
		if (s->owned[i])
			return false;
	memset(s->owned + at, true, size);
	l->entries[l->count++] = rig_phys(OWN_AT + at, size);
	return true;
}

static void disown(struct scene *s, struct live *l)
{
	for (size_t i = 0; i < l->count; i++)
		memset(s->owned + (l->entries[i].first.raw - RIG_BASE - OWN_AT), false,
		       l->entries[i].last.raw - l->entries[i].first.raw + 1);
	l->count = 0;
}

static void begin(struct scene *s, struct live *l, struct rng *rng)
{
	static const enum busway_direction directions[] = {BUSWAY_TO_DEVICE, BUSWAY_FROM_DEVICE,
							   BUSWAY_BIDIRECTIONAL};
	const size_t wanted = rng_between(rng, 1, ENTRIES);
	const bool single = wanted == 1 && rng_chance(rng, 60);
	struct busway_plan plan;
	struct busway_refusal why;
	uint64_t size = 0;
	int status, planned;

	memset(&l->mapping, 0, sizeof(l->mapping));
	l->direction = directions[rng_below(rng, 3)];
	for (unsigned tries = 0; tries < 20 && l->count < wanted; tries++)
		draw_entry(s, l, rng);
	if (!l->count)
		return;
	for (size_t i = 0; i < l->count; i++)
		size += l->entries[i].last.raw - l->entries[i].first.raw + 1;
	planned = busway_plan(s->lane, l->entries, l->count, l->direction, 0, &plan, &why);
	if (single)
		status = busway_map(s->lane, l->entries[0], l->direction, 0, &l->mapping, &why);
	else
		status = busway_map_list(s->lane, l->entries, l->count, l->direction, 0,
					 l->segments, SEGMENTS, &l->mapping, NULL, &why);
	if (status) {
		/* of the pool there may be too little, of segments too many */
		assert_true(status == -BUSWAY_ENOSPC ||
			    (status == -BUSWAY_ERANGE &&
			     (why.reason == BUSWAY_SEGMENT_LIMITS ||
			      why.reason == BUSWAY_POOL_FULL ||
			      why.reason == BUSWAY_POOL_FRAGMENTED)));
		disown(s, l);
		return;
	}
	assert_int_equal(planned, 0);
	assert_true((plan.bounced_entries != 0) == (plan.bounced_bytes != 0));
	s->served++;
	s->bounced += plan.bounced_bytes != 0;
	if (!single)
		assert_int_equal(plan.segments, l->mapping.segment_count);
	assert_int_equal(l->mapping.way, BUSWAY_WAY_IOMMU);
	assert_int_equal(l->mapping.size, size);
	l->expected = malloc(size);
	assert_non_null(l->expected);
	for (uint64_t i = 0; i < size; i++)
		l->expected[i] = *own_byte(s, l, i);
	for (uint32_t i = 0; i < l->mapping.segment_count; i++) {
		const struct busway_mapped *segment = &l->mapping.segments[i];
		const struct busway_segment_limits *limits = &s->kind->limits;

		assert_true(!limits->boundary || segment->dma.first.raw / limits->boundary ==
							 segment->dma.last.raw / limits->boundary);
		assert_int_equal((segment->dma.first.raw ^ segment->phys.raw) &
					 s->kind->min_align_mask,
				 0);
		assert_ptr_equal(busway_dma_owner(s->device, segment->dma.last), &l->mapping);
	}
}

static void end(struct scene *s, struct live *l)
{
	const struct busway_dma_range gone = {l->mapping.dma, l->mapping.segments[0].dma.last};
	const bool slots = l->mapping.segments[0].pool_ != NULL;
	const uint64_t size = l->mapping.size;
	unsigned char byte;

	assert_int_equal(busway_unmap(&l->mapping), 0);
	for (uint64_t i = 0; i < size; i++)
		if (*own_byte(s, l, i) != l->expected[i])
			fail_msg("%s: byte %u of %u", s->kind->name, (unsigned)i, (unsigned)size);
	if (!s->kind->deferred || s->kind->untrusted || slots)
		assert_false(device_read(s, gone.first.raw, &byte) ||
			     device_write(s, gone.last.raw, 1));
	free(l->expected);
	disown(s, l);
}

/* Coherent memory comes and goes between the mappings, and stays where it is. */
static void share(struct scene *s, struct busway_coherent *c, struct rng *rng)
{
	const size_t size = rng_between(rng, 1, 3) * 0x1000;
	unsigned char byte;

	if (!c->size) {
		memset(c, 0, sizeof(*c));
		if (busway_coherent_alloc(s->lane, size, rng_chance(rng, 50) ? 1 : 0x2000, 0, c,
					  NULL))
			assert_true(!c->cpu && !c->size);
		return;
	}
	for (uint64_t at = 0; at < c->size; at += 0x7ff) {
		unsigned char *cpu = (unsigned char *)c->cpu + at;

		*cpu = (unsigned char)rng_next(rng);
		assert_true(device_read(s, c->dma.raw + at, &byte));
		assert_int_equal(byte, *cpu);
	}
	if (rng_chance(rng, 30)) {
		const uint64_t dma = c->dma.raw;

		assert_int_equal(busway_coherent_free(c), 0);
		c->size = 0;
		assert_false(device_read(s, dma, &byte));
	}
}

static void play(const struct kind *kind)
{
	static struct scene s;
	static unsigned char before[OWN_SIZE];
	struct rng rng = rng_of(random_seed() + (uint64_t)(kind - kinds));

	open_scene(&s, kind);
	for (unsigned step = 0; step < random_rounds(400); step++) {
		struct live *l = &s.live[rng_below(&rng, LIVE)];

		memcpy(before, rig_cpu(&s.rig, RIG_BASE + OWN_AT), OWN_SIZE);
		if (rng_chance(&rng, 25))
			share(&s, &s.coherent[rng_below(&rng, SHARED)], &rng);
		if (!l->count)
			begin(&s, l, &rng);
		else if (rng_chance(&rng, 50))
			use(&s, l, &rng);
		else
			end(&s, l);
		/* nobody touches what is not mapped */
		if (!l->count || !(l->direction & BUSWAY_WRITE))
			continue;
		for (uint64_t i = 0; i < OWN_SIZE; i++)
			if (!s.owned[i])
				assert_int_equal(rig_cpu(&s.rig, RIG_BASE + OWN_AT)[i], before[i]);
		if (step % 16 == 0)
			check_tables(&s);
	}
	for (size_t i = 0; i < LIVE; i++)
		if (s.live[i].count)
			end(&s, &s.live[i]);
	for (size_t i = 0; i < SHARED; i++)
		if (s.coherent[i].size)
			assert_int_equal(busway_coherent_free(&s.coherent[i]), 0);
	assert_true(s.served >= random_rounds(400) / 6);
	assert_true(s.bounced == 0 || kind->untrusted || kind->noncoherent || kind->restricted ||
		    kind->limits.boundary);
	assert_true(s.bounced > 0 || !(kind->untrusted || kind->noncoherent || kind->restricted));
	close_scene(&s);
}

static void every_byte_goes_where_it_belongs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		play(&kinds[i]);
}

/* A domain hands out what each device can use, and the trusted share none with others. */
static void a_domain_is_for_devices_that_can_use_it(void **state)
{
	static struct scene s;
	struct busway_domain_options how = {.tables = {.alloc = table_alloc, .free = table_free},
					    .invalidate = forget,
					    .ctx = &s.iommu};
	struct busway_dma_options options = {0};
	struct busway_dma_device *device;
	struct busway_domain *wide;
	struct busway_refusal why;

	(void)state;
	open_scene(&s, &kinds[0]);
	assert_int_equal(busway_dma_detach(s.device), 0);
	/* the device's windows are fewer */
	assert_int_equal(busway_domain_create(&how, &s.rig.plan.memory.allocator, &wide), 0);
	options.domain = wide;
	assert_int_equal(busway_dma_attach(s.rig.dma, (busway_device_id){0}, &options, &device, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_IOVA_NOT_ALLOWED);
	assert_int_equal(busway_domain_destroy(wide), 0);
	/* somebody is there who is trusted, or is not */
	options.domain = s.domain;
	s.device = rig_attach(&s.rig, 0, &options);
	assert_int_equal(busway_dma_attach(s.rig.dma, (busway_device_id){1}, &options, &device, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_MIXED_TRUST);
	close_scene(&s);
}

/* At every allocation: nothing is left, nobody is in the domain. */
static void a_device_that_gets_no_memory_is_in_no_domain(void **state)
{
	static struct scene s;
	struct busway_dma_options options = {.lanes = 3};
	struct busway_dma_device *device;
	struct test_memory *memory = &s.rig.plan.memory;
	int status = -BUSWAY_ENOMEM;

	(void)state;
	open_scene(&s, &kinds[0]);
	options.domain = s.domain;
	assert_int_equal(busway_dma_detach(s.device), 0);
	for (unsigned long call = 1; status; call++) {
		const size_t blocks = memory->blocks;

		test_memory_fail_at(memory, call, false);
		status = busway_dma_attach(s.rig.dma, (busway_device_id){0}, &options, &device, NULL);
		test_memory_fail_at(memory, 0, false);
		if (status) {
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(memory->blocks, blocks);
		}
	}
	s.device = device;
	close_scene(&s);
}

/* Somebody takes a page away from under a mapping: the device loses the rest of it at the end, and
 * nobody gets the IOVAs. */
static void what_was_unmapped_behind_its_back_is_not_given_again(void **state)
{
	static struct scene s;
	struct busway_mapping mapping = {0}, next = {0};
	struct busway_refusal why;
	uint64_t first, phys;

	(void)state;
	open_scene(&s, &kinds[0]);
	assert_int_equal(busway_map(s.lane, rig_phys(OWN_AT, 0x3000), BUSWAY_TO_DEVICE, 0, &mapping,
				    &why),
			 0);
	first = mapping.dma.raw;
	assert_int_equal(busway_domain_unmap(s.domain, NULL,
					     (struct busway_dma_range){{first}, {first + 0xfff}}, 0,
					     &why),
			 0);
	assert_int_equal(busway_unmap(&mapping), 0);
	assert_false(translate(&s, first + 0x1000, BUSWAY_READ, &phys));
	for (unsigned i = 0; i < 4; i++) {
		memset(&next, 0, sizeof(next));
		assert_int_equal(busway_map(s.lane, rig_phys(OWN_AT + 0x10000, 0x2000),
					    BUSWAY_TO_DEVICE, 0, &next, &why),
				 0);
		assert_true(next.dma.raw > first + 0x2fff || next.dma.raw + 0x1fff < first + 0x1000);
		assert_int_equal(busway_unmap(&next), 0);
	}
	assert_int_equal(busway_dma_detach(s.device), 0);
	/* the IOVAs are still out */
	assert_int_equal(busway_domain_destroy(s.domain), -BUSWAY_EBUSY);
	assert_int_equal(busway_iova_give(busway_domain_space(s.domain),
					  (struct busway_dma_range){{first + 0x1000},
								    {first + 0x2fff}},
					  &why),
			 0);
	assert_int_equal(busway_domain_destroy(s.domain), 0);
	busway_iova_free(&s.allowed);
	rig_close(&s.rig);
}

/* As many entries as it takes: large pages where memory has them. */
static void large_buffers_get_large_pages(void **state)
{
	static struct scene s;
	struct busway_mapping mapping = {0};
	struct busway_translation found;
	struct kind kind = kinds[0];

	(void)state;
	kind.granule_lg2 = 12;
	open_scene(&s, &kind);
	/* of the rig's memory, 64 KiB are a contiguous run of entries at best */
	assert_int_equal(busway_map(s.lane, rig_phys(OWN_AT, 0x20000), BUSWAY_TO_DEVICE, 0, &mapping,
				    NULL),
			 0);
	assert_true(busway_pagetable_lookup(busway_domain_table(s.domain), mapping.dma, &found));
	assert_int_equal(found.page_lg2, 16);
	assert_int_equal(busway_unmap(&mapping), 0);
	close_scene(&s);
}

static void no_turn(struct busway_mapping *mapping, void *ctx)
{
	(void)mapping;
	++*(unsigned *)ctx;
}

/* Who has waited is mapped as who has not: with all low bits, and across no boundary. */
static void a_turn_is_mapped_as_anything_is(void **state)
{
	static const struct kind kind = {.name = "waiting",
					 .format = BUSWAY_VTD_SECOND,
					 .granule_lg2 = 12,
					 .untrusted = true,
					 .min_align_mask = 0x3fff,
					 .limits = {.boundary = 0x40000}};
	static struct scene s;
	struct busway_mapping big = {0}, waiting[2];
	const struct busway_phys_range own[] = {rig_phys(OWN_AT + 0x41210, 0x4000),
						rig_phys(OWN_AT + 0x51210, 0x800),
						rig_phys(OWN_AT + 0x3f000, 0x3f100)};
	struct busway_refusal why;
	unsigned turns = 0;

	(void)state;
	memset(waiting, 0, sizeof(waiting));
	open_scene(&s, &kind);
	assert_int_equal(busway_map(s.lane, rig_phys(OWN_AT + 0x10, 0x3d000), BUSWAY_TO_DEVICE, 0,
				    &big, &why),
			 0);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(busway_map_or_wait(s.lane, own[i], BUSWAY_TO_DEVICE, 0, &waiting[i],
						    no_turn, &turns, &why),
				 -BUSWAY_EAGAIN);
	/* low bits lead this one across the boundary wherever it is */
	assert_int_equal(busway_map_or_wait(s.lane, own[2], BUSWAY_TO_DEVICE, 0,
					    &(struct busway_mapping){0}, no_turn, &turns, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_SEGMENT_LIMITS);
	assert_int_equal(busway_unmap(&big), 0);
	assert_int_equal(turns, 2);
	for (size_t i = 0; i < 2; i++) {
		uint64_t phys;

		assert_int_equal(busway_map_or_wait(s.lane, own[i], BUSWAY_TO_DEVICE, 0, &waiting[i],
						    no_turn, &turns, &why),
				 0);
		assert_int_equal((waiting[i].dma.raw ^ own[i].first.raw) & 0x3fff, 0);
		for (uint64_t at = 0; at < waiting[i].size; at++) {
			assert_true(translate(&s, waiting[i].dma.raw + at, BUSWAY_READ, &phys));
			assert_int_equal(*rig_cpu(&s.rig, phys),
					 *rig_cpu(&s.rig, own[i].first.raw + at));
		}
		assert_int_equal(busway_unmap(&waiting[i]), 0);
	}
	close_scene(&s);
}

/* What an IOMMU has cut off is free at once, and empty. */
static void nothing_of_an_abandoned_device_is_left(void **state)
{
	static struct scene s;
	struct busway_mapping big = {0};
	struct busway_pool_census census;

	(void)state;
	open_scene(&s, &kinds[2]);
	assert_int_equal(busway_map(s.lane, rig_phys(OWN_AT + 0x10, 0x3e000), BUSWAY_TO_DEVICE, 0,
				    &big, NULL),
			 0);
	assert_int_equal(busway_dma_abandon(s.device), 1);
	assert_int_equal(busway_domain_destroy(s.domain), 0);
	busway_iova_free(&s.allowed);
	assert_true(busway_dma_pool(s.rig.dma, 0, &census));
	assert_int_equal(census.used, 0);
	for (uint64_t i = 0; i < 0x3e000; i++)
		assert_int_equal(*rig_cpu(&s.rig, RIG_BASE + POOL_AT + i), 0);
	rig_close(&s.rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_goes_where_it_belongs),
		cmocka_unit_test(a_device_that_gets_no_memory_is_in_no_domain),
		cmocka_unit_test(what_was_unmapped_behind_its_back_is_not_given_again),
		cmocka_unit_test(large_buffers_get_large_pages),
		cmocka_unit_test(a_domain_is_for_devices_that_can_use_it),
		cmocka_unit_test(a_turn_is_mapped_as_anything_is),
		cmocka_unit_test(nothing_of_an_abandoned_device_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
