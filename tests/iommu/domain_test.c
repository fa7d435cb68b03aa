/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_test.c - a domain beside an IOMMU that remembers everything it has ever translated until
 * it is told to forget: no IOVA leads to two places.
 */
#include "rig.h"

#include <busway/domain.h>

#include <stdlib.h>
#include <string.h>

enum { PAGE = 4096, LIVE = 48, CACHED = 4096, RW = BUSWAY_READ_WRITE };

/* What the IOMMU remembers: of each page of IOVAs, where it led when it was used. */
struct tlb {
	uint64_t iova[CACHED], phys[CACHED];
	size_t count;
	unsigned long told, everything;
};

struct scene {
	struct rig rig;
	struct busway_iova allowed;
	struct busway_domain *domain;
	struct tlb tlb;
};

static void forget(void *ctx, const struct busway_invalidation *what)
{
	struct tlb *tlb = ctx;
	size_t kept = 0;

	for (size_t i = 0; i < tlb->count; i++) {
		if (tlb->iova[i] >= what->iova.first.raw && tlb->iova[i] <= what->iova.last.raw)
			continue;
		tlb->iova[kept] = tlb->iova[i];
		tlb->phys[kept++] = tlb->phys[i];
	}
	tlb->count = kept;
	tlb->told++;
	tlb->everything += what->iova.first.raw == 0 && what->iova.last.raw == UINT64_MAX;
}

/* The device uses a page: by what the IOMMU remembers, else by the table. False: it does not lead
 * anywhere. */
static bool use(struct scene *s, uint64_t iova, uint64_t *phys)
{
	struct busway_translation found;

	for (size_t i = 0; i < s->tlb.count; i++)
		if (s->tlb.iova[i] == iova) {
			*phys = s->tlb.phys[i];
			return true;
		}
	if (!busway_pagetable_lookup(busway_domain_table(s->domain), busway_dma(iova), &found))
		return false;
	*phys = found.phys.raw;
	if (s->tlb.count < CACHED) {
		s->tlb.iova[s->tlb.count] = iova;
		s->tlb.phys[s->tlb.count++] = found.phys.raw;
	}
	return true;
}

/* IOVAs of @first and so many pages, less a hole of the two in the middle. */
static void open_scene(struct scene *s, uint32_t deferred, uint64_t first, uint64_t pages)
{
	struct busway_domain_options options = {
		.invalidate = forget, .ctx = &s->tlb, .deferred = deferred};

	memset(s, 0, sizeof(*s));
	rig_make(&s->rig, &table_cases[0]);
	rig_open(&s->rig);
	options.table = s->rig.options;
	options.tables = s->rig.tables;
	busway_intervals_init(&s->allowed.allowed, &s->rig.memory.allocator);
	assert_int_equal(busway_intervals_add(&s->allowed.allowed,
					      (struct busway_range){first, first + pages * PAGE - 1}),
			 0);
	assert_int_equal(
		busway_intervals_remove(&s->allowed.allowed,
					(struct busway_range){first + pages / 2 * PAGE,
							      first + pages / 2 * PAGE + 2 * PAGE -
								      1}),
		0);
	options.allowed = &s->allowed;
	assert_int_equal(busway_domain_create(&options, &s->rig.memory.allocator, &s->domain), 0);
}

static void close_scene(struct scene *s)
{
	assert_int_equal(busway_domain_destroy(s->domain), 0);
	busway_intervals_clear(&s->allowed.allowed);
	rig_close(&s->rig);
}

struct live {
	uint64_t iova, phys, pages;
};

/* Each page leads where it was mapped, whatever the IOMMU remembers. */
static void check(struct scene *s, const struct live *l)
{
	for (uint64_t i = 0; i < l->pages; i++) {
		uint64_t phys;

		assert_true(use(s, l->iova + i * PAGE, &phys));
		assert_int_equal(phys, l->phys + i * PAGE);
	}
}

static int map(struct scene *s, const struct busway_iova_request *where, struct live *l)
{
	const struct busway_phys_range run = rig_phys(l->phys, l->pages * PAGE);
	busway_dma_t iova;
	const int status = busway_domain_map(s->domain, NULL, where, &run, 1, RW, &iova, NULL);

	if (status == 0)
		l->iova = iova.raw;
	return status;
}

static void play(uint32_t deferred)
{
	static struct scene s;
	struct rng rng = rng_of(random_seed() + deferred);
	struct live live[LIVE];
	size_t count = 0;
	uint64_t phys;

	open_scene(&s, deferred, 0x100000, 512);
	for (unsigned step = 0; step < random_rounds(20000); step++) {
		const struct busway_iova_request where = {
			.align = rng_chance(&rng, 20) ? 4 * PAGE : 0};
		struct busway_refusal why;
		struct busway_dma_range range;
		struct live l;

		if (count == LIVE || (count && rng_chance(&rng, 45))) {
			const size_t i = rng_below(&rng, count);

			l = live[i];
			live[i] = live[--count];
			check(&s, &l);
			range = rig_range(l.iova, l.pages * PAGE);
			assert_int_equal(
				busway_domain_unmap(s.domain, NULL, range,
						    rng_chance(&rng, 5) ? BUSWAY_UNMAP_NOW : 0,
						    &why),
				0);
			if (!deferred)
				assert_false(use(&s, l.iova, &phys));
			continue;
		}
		l = (struct live){.phys = PAGE * rng_below(&rng, 1 << 20),
				  .pages = rng_between(&rng, 1, 16)};
		if (map(&s, &where, &l) == 0) {
			check(&s, &l);
			live[count++] = l;
		}
	}
	if (deferred) {
		busway_domain_flush(s.domain, NULL);
		assert_true(s.tlb.told <= s.tlb.everything + random_rounds(20000) / 20);
	}
	while (count) {
		check(&s, &live[--count]);
		assert_int_equal(busway_domain_unmap(
					 s.domain, NULL,
					 rig_range(live[count].iova, live[count].pages * PAGE), 0,
					 NULL),
				 0);
	}
	busway_domain_flush(s.domain, NULL);
	assert_int_equal(s.tlb.count, 0);
	close_scene(&s);
}

static void no_iova_leads_to_two_places_where_unmapping_is_strict(void **state)
{
	(void)state;
	play(0);
}

static void no_iova_leads_to_two_places_where_invalidations_are_deferred(void **state)
{
	(void)state;
	play(1);
	play(16);
}

/* The space is full of what waits to be forgotten. */
static void what_waits_is_forgotten_before_anything_is_refused(void **state)
{
	static struct scene s;
	struct live l = {.phys = 0x40000000, .pages = 7};
	struct busway_iova_request where = {0};

	(void)state;
	open_scene(&s, 8, 0x100000, 16);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(map(&s, &where, &l), 0);
		check(&s, &l);
		assert_int_equal(busway_domain_unmap(s.domain, NULL,
						     rig_range(l.iova, l.pages * PAGE), 0, NULL),
				 0);
	}
	assert_int_equal(s.tlb.everything, 4); /* each but the first */
	close_scene(&s);
}

static void what_is_mapped_keeps_the_domain(void **state)
{
	static struct scene s;
	struct live l = {.phys = 0x40000000, .pages = 1};
	struct busway_iova_request where = {.last = 0x100fff};
	struct busway_refusal why;

	(void)state;
	open_scene(&s, 0, 0x100000, 16);
	assert_int_equal(map(&s, &where, &l), 0);
	assert_int_equal(l.iova, 0x100000);
	assert_int_equal(busway_domain_destroy(s.domain), -BUSWAY_EBUSY);
	/* that page is taken, and so is what is behind it */
	assert_int_equal(map(&s, &where, &l), -BUSWAY_ERANGE);
	assert_int_equal(busway_domain_map_at(s.domain, busway_dma(0x100000),
					      &(struct busway_phys_range){{0}, {PAGE - 1}}, 1, RW,
					      &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_IOVA_TAKEN);
	/* the hole is nobody's */
	assert_int_equal(busway_domain_map_at(s.domain, busway_dma(0x108000),
					      &(struct busway_phys_range){{0}, {PAGE - 1}}, 1, RW,
					      &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_IOVA_NOT_ALLOWED);
	assert_int_equal(busway_domain_map_at(s.domain, busway_dma(0x102000),
					      &(struct busway_phys_range){{0x8000}, {0x8fff}}, 1,
					      RW, &why),
			 0);
	assert_int_equal(busway_domain_unmap(s.domain, NULL, rig_range(0x102000, PAGE), 0, NULL),
			 0);
	assert_int_equal(busway_domain_unmap(s.domain, NULL, rig_range(0x102000, PAGE), 0, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NOT_MAPPED);
	assert_int_equal(busway_domain_unmap(s.domain, NULL, rig_range(0x100000, PAGE), 0, NULL),
			 0);
	close_scene(&s);
}

/* A large page that could be, is: also where the IOVAs are not aligned by themselves. */
static void large_pages_get_iovas_that_suit(void **state)
{
	static struct scene s;
	const uint64_t large = (uint64_t)2 << 20;
	struct live small = {.phys = 0x1000, .pages = 1}, big = {.phys = large, .pages = 1024};
	struct busway_translation found;

	(void)state;
	open_scene(&s, 0, 0x100000, 4096);
	assert_int_equal(map(&s, &(struct busway_iova_request){0}, &small), 0);
	assert_int_equal(map(&s, &(struct busway_iova_request){0}, &big), 0);
	assert_int_equal(big.iova % large, 0);
	assert_true(busway_pagetable_lookup(busway_domain_table(s.domain), busway_dma(big.iova),
					    &found));
	assert_int_equal(found.page_lg2, 21);
	assert_int_equal(busway_domain_unmap(s.domain, NULL, rig_range(big.iova, 2 * large), 0,
					     NULL),
			 0);
	assert_int_equal(busway_domain_unmap(s.domain, NULL, rig_range(small.iova, PAGE), 0, NULL),
			 0);
	close_scene(&s);
}

/* The upper half of RISC-V's space is at the very end; between the halves is nothing. */
static void iovas_are_those_that_the_table_takes(void **state)
{
	static struct scene s;
	struct busway_domain_options options = {.invalidate = forget, .ctx = &s.tlb};
	const struct busway_phys_range run = rig_phys(0x1000, PAGE);
	struct busway_domain *domain;
	struct busway_refusal why;

	(void)state;
	open_scene(&s, 0, 0x100000, 64);
	options.table = (struct busway_pagetable_options){.format = BUSWAY_RISCV_SV,
							  .input_bits = 39};
	options.tables = s.rig.tables;
	assert_int_equal(busway_domain_create(&options, &s.rig.memory.allocator, &domain), 0);
	assert_int_equal(busway_domain_map_at(domain, busway_dma((uint64_t)1 << 38), &run, 1, RW,
					      &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_IOVA_NOT_ALLOWED);
	assert_int_equal(busway_domain_map_at(domain, busway_dma(UINT64_MAX << 38), &run, 1, RW,
					      &why),
			 0);
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(UINT64_MAX << 38, PAGE), 0,
					     &why),
			 0);
	assert_int_equal(busway_domain_destroy(domain), 0);
	close_scene(&s);
}

static void creation_loses_nothing_when_memory_ends(void **state)
{
	static struct scene s;
	struct busway_domain_options options = {.invalidate = forget, .deferred = 4};
	struct busway_domain *domain;
	int status = -BUSWAY_ENOMEM;

	(void)state;
	open_scene(&s, 0, 0x100000, 64);
	options.table = s.rig.options;
	options.tables = s.rig.tables;
	options.allowed = &s.allowed;
	for (unsigned long call = 1; status; call++) {
		const size_t blocks = s.rig.memory.blocks;

		test_memory_fail_at(&s.rig.memory, call, false);
		status = busway_domain_create(&options, &s.rig.memory.allocator, &domain);
		test_memory_fail_at(&s.rig.memory, 0, false);
		if (status) {
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(s.rig.memory.blocks, blocks);
		}
	}
	assert_int_equal(busway_domain_destroy(domain), 0);
	options.invalidate = NULL;
	assert_int_equal(busway_domain_create(&options, &s.rig.memory.allocator, &domain),
			 -BUSWAY_EINVAL);
	close_scene(&s);
}

static void note(void *ctx, const struct busway_invalidation *what)
{
	*(struct busway_dma_range *)ctx = what->iova;
}

/* Hardware may keep what it remembers of a large page unless it is told of all of it. */
static void of_a_page_that_is_split_the_whole_is_forgotten(void **state)
{
	struct busway_dma_range told = {{0}, {0}};
	struct busway_domain_options options = {.invalidate = note, .ctx = &told};
	const struct busway_phys_range run = rig_phys(0x40000000, 0x600000);
	struct busway_domain *domain;
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[17]); /* vt-d 48 */
	rig_open(&rig);
	options.table = rig.options;
	options.table.split = true;
	options.tables = rig.tables;
	assert_int_equal(busway_domain_create(&options, &rig.memory.allocator, &domain), 0);
	assert_int_equal(busway_domain_map_at(domain, busway_dma(0x200000), &run, 1, RW, NULL), 0);
	/* from the middle of the first into the last */
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(0x300000, 0x301000), 0, NULL),
			 0);
	assert_int_equal(told.first.raw, 0x200000);
	assert_int_equal(told.last.raw, 0x7fffff);
	/* what is left of them is of small pages */
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(0x200000, 0x100000), 0, NULL),
			 0);
	assert_int_equal(told.first.raw, 0x200000);
	assert_int_equal(told.last.raw, 0x2fffff);
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(0x601000, 0x1ff000), 0, NULL),
			 0);
	assert_int_equal(busway_domain_destroy(domain), 0);
	rig_close(&rig);
}

struct told {
	const struct rig *rig;
	size_t live; /* pages of tables, when the IOMMU was told */
	bool tables;
};

static void note_tables(void *ctx, const struct busway_invalidation *what)
{
	struct told *told = ctx;

	told->live = told->rig->live;
	told->tables = what->tables;
}

/* Not before: the IOMMU may still walk it. */
static void a_table_is_given_back_once_it_is_forgotten(void **state)
{
	static struct rig rig;
	struct told told = {.rig = &rig};
	struct busway_domain_options options = {.invalidate = note_tables, .ctx = &told};
	/* small pages: memory and IOVAs do not lie alike */
	const struct busway_phys_range run = rig_phys(0x40001000, 0x200000 + PAGE);
	struct busway_domain *domain;
	size_t live;

	(void)state;
	rig_make(&rig, &table_cases[0]);
	rig_open(&rig);
	options.table = rig.options;
	options.tables = rig.tables;
	assert_int_equal(busway_domain_create(&options, &rig.memory.allocator, &domain), 0);
	assert_int_equal(busway_domain_map_at(domain, busway_dma(0x200000), &run, 1, RW, NULL), 0);
	live = rig.live;
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(0x400000, PAGE), 0, NULL), 0);
	assert_false(told.tables);
	assert_int_equal(busway_domain_unmap(domain, NULL, rig_range(0x200000, 0x200000), 0, NULL),
			 0);
	assert_true(told.tables);
	assert_int_equal(told.live, live);
	assert_int_equal(rig.live, live - 1);
	assert_int_equal(busway_domain_destroy(domain), 0);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_a_page_that_is_split_the_whole_is_forgotten),
		cmocka_unit_test(a_table_is_given_back_once_it_is_forgotten),
		cmocka_unit_test(no_iova_leads_to_two_places_where_unmapping_is_strict),
		cmocka_unit_test(no_iova_leads_to_two_places_where_invalidations_are_deferred),
		cmocka_unit_test(what_waits_is_forgotten_before_anything_is_refused),
		cmocka_unit_test(what_is_mapped_keeps_the_domain),
		cmocka_unit_test(large_pages_get_iovas_that_suit),
		cmocka_unit_test(iovas_are_those_that_the_table_takes),
		cmocka_unit_test(creation_loses_nothing_when_memory_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
