/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.c - IOVAs, page table and invalidation, in the order that is safe.
 */
#include "domain_internal.h"

#include "../base/bytes.h"

/* ---- life ---- */

/* What its devices can use, of what the page table takes. */
static int allow(struct busway_domain *domain, const struct busway_iova *allowed)
{
	struct busway_intervals input;
	struct busway_range ranges[2];
	const unsigned count = busway_pagetable_input(domain->table, ranges);
	int status = 0;

	busway_intervals_init(&input, domain->memory);
	for (unsigned i = 0; i < count && status == 0; i++)
		status = busway_intervals_add(&input, ranges[i]);
	if (status == 0)
		status = busway_intervals_add(&domain->allowed, BUSWAY_RANGE_ALL);
	if (status == 0 && allowed)
		status = busway_intervals_intersect(&domain->allowed, &allowed->allowed);
	if (status == 0)
		status = busway_intervals_intersect(&domain->allowed, &input);
	busway_intervals_clear(&input);
	return status;
}

static int make_space(struct busway_domain *domain, const struct busway_domain_options *options)
{
	const struct busway_iova_options how = {
		.granule = domain->granule,
		.name = options->table.name,
		.depot_batches = options->depot_batches,
	};
	int status = allow(domain, options->allowed);

	return status ? status
		      : busway_iova_space_create(&domain->allowed, options->allowed, &how,
						 domain->memory, &domain->space);
}

static void free_domain(struct busway_domain *domain)
{
	const struct busway_allocator *m = domain->memory;

	queue_destroy(domain);
	busway_intervals_clear(&domain->allowed);
	busway_pagetable_destroy(domain->table);
	m->free(m->ctx, domain, sizeof(*domain), _Alignof(struct busway_domain));
}

int busway_domain_create(const struct busway_domain_options *options,
			 const struct busway_allocator *memory, struct busway_domain **out)
{
	struct busway_pagetable_options table = options->table;
	struct busway_domain *domain;
	int status;

	if (!options->invalidate)
		return -BUSWAY_EINVAL;
	domain = memory->alloc(memory->ctx, sizeof(*domain), _Alignof(struct busway_domain));
	if (!domain)
		return -BUSWAY_ENOMEM;
	*domain = (struct busway_domain){
		.memory = memory, .invalidate = options->invalidate, .ctx = options->ctx};
	busway_intervals_init(&domain->allowed, memory);
	table.exclusive = false;
	domain->splits = table.split;
	if (table.format == BUSWAY_RISCV_SV && !table.memory_types)
		domain->drops = BUSWAY_PROT_NONCOHERENT;
	/* their entries are for reading, or for both */
	if (table.format == BUSWAY_ARM_STAGE1 || table.format == BUSWAY_RISCV_SV)
		domain->adds = BUSWAY_READ;
	status = busway_pagetable_create(&table, &options->tables, memory, &domain->table);
	if (status == 0) {
		domain->page_sizes = busway_pagetable_page_sizes(domain->table);
		domain->granule = domain->page_sizes & -domain->page_sizes;
		status = queue_create(domain, options->deferred);
	}
	if (status == 0)
		status = make_space(domain, options);
	if (status)
		free_domain(domain);
	else
		*out = domain;
	return status;
}

int busway_domain_destroy(struct busway_domain *domain)
{
	int status;

	if (!domain)
		return 0;
	busway_domain_flush(domain, NULL);
	status = busway_iova_space_destroy(domain->space);
	if (status == 0)
		free_domain(domain);
	return status;
}

const struct busway_pagetable *busway_domain_table(const struct busway_domain *domain)
{
	return domain->table;
}

struct busway_iova_space *busway_domain_space(const struct busway_domain *domain)
{
	return domain->space;
}

uint64_t busway_domain_granule(const struct busway_domain *domain)
{
	return domain->granule;
}

/* ---- devices ---- */

bool domain_join(struct busway_domain *domain, bool untrusted)
{
	size_t *mine = untrusted ? &domain->untrusted : &domain->trusted;
	bool alike;

	lock_take(&domain->queue.lock);
	alike = !(untrusted ? domain->trusted : domain->untrusted);
	*mine += alike;
	lock_give(&domain->queue.lock);
	return alike;
}

void domain_leave(struct busway_domain *domain, bool untrusted)
{
	lock_take(&domain->queue.lock);
	--*(untrusted ? &domain->untrusted : &domain->trusted);
	lock_give(&domain->queue.lock);
	/* who comes next finds nothing of what the device had */
	busway_domain_flush(domain, NULL);
}

/* ---- IOVAs ---- */

static int take(struct busway_domain *domain, struct busway_iova_cache *cache,
		const struct busway_iova_request *where, busway_dma_t *iova,
		struct busway_refusal *why)
{
	return cache ? busway_iova_cache_take(cache, where, iova, why)
		     : busway_iova_take(domain->space, where, iova, why);
}

/* The largest page that may begin where @run does, and is no longer. */
static uint64_t leading_page(const struct busway_domain *domain, struct busway_range run)
{
	uint64_t best = domain->granule;

	/* where one does not fit, no larger one does */
	for (uint64_t sizes = domain->page_sizes; sizes; sizes &= sizes - 1) {
		const uint64_t size = sizes & -sizes;

		if ((run.first & (size - 1)) || busway_range_span(run) < size - 1)
			break;
		best = size;
	}
	return best;
}

/* IOVAs that suit a large page. */
static bool take_aligned(struct busway_domain *domain, struct busway_iova_cache *cache,
			 const struct busway_iova_request *where, struct busway_range run,
			 busway_dma_t *iova)
{
	struct busway_iova_request aligned = *where;

	aligned.align = leading_page(domain, run);
	return aligned.align > domain->granule && take(domain, cache, &aligned, iova, NULL) == 0;
}

/* domain_take(), where each mapping of a domain passes. */
static inline __attribute__((always_inline)) int take_suiting(
	struct busway_domain *domain, struct busway_iova_cache *cache,
	const struct busway_iova_request *where, struct busway_range run, busway_dma_t *iova,
	struct busway_refusal *why)
{
	int status;

	if (!where->align && busway_range_span(run) >= domain->granule &&
	    take_aligned(domain, cache, where, run, iova))
		return 0;
	status = take(domain, cache, where, iova, why);
	/* what waits to be forgotten may be what is missing */
	if (status == -BUSWAY_ERANGE && domain->queue.most) {
		queue_empty(domain, cache);
		status = take(domain, cache, where, iova, why);
	}
	return status;
}

int domain_take(struct busway_domain *domain, struct busway_iova_cache *cache,
		const struct busway_iova_request *where, struct busway_range run,
		busway_dma_t *iova, struct busway_refusal *why)
{
	return take_suiting(domain, cache, where, run, iova, why);
}

void domain_give(struct busway_domain *domain, struct busway_iova_cache *cache,
		 struct busway_dma_range iova)
{
	/* as it was taken, or a part of that: only then may it fail, and the part is lost */
	if (cache)
		(void)busway_iova_cache_give(cache, iova, NULL);
	else
		(void)busway_iova_give(domain->space, iova, NULL);
}

/* ---- mapping ---- */

int domain_enter(struct busway_domain *domain, busway_dma_t iova,
		 const struct busway_phys_range *runs, size_t count, unsigned prot,
		 struct busway_refusal *why)
{
	return busway_pagetable_map(domain->table, iova, runs, count,
				    (prot | domain->adds) & ~domain->drops, why);
}

/* The size of all runs; 0: they are no runs of whole bytes, or too many. */
static uint64_t size_of(const struct busway_phys_range *runs, size_t count)
{
	uint64_t size = 0;

	for (size_t i = 0; i < count; i++) {
		const struct busway_range run = busway_phys_raw(runs[i]);

		if (run.first > run.last || busway_range_span(run) >= UINT64_MAX - size)
			return 0;
		size += busway_range_span(run) + 1;
	}
	return size;
}

int busway_domain_map(struct busway_domain *domain, struct busway_iova_cache *cache,
		      const struct busway_iova_request *where, const struct busway_phys_range *runs,
		      size_t count, unsigned prot, busway_dma_t *iova, struct busway_refusal *why)
{
	struct busway_iova_request request = *where;
	busway_dma_t first;
	int status;

	request.size = size_of(runs, count);
	if (!request.size)
		return -BUSWAY_EINVAL;
	status = take_suiting(domain, cache, &request, busway_phys_raw(runs[0]), &first, why);
	if (status)
		return status;
	status = domain_enter(domain, first, runs, count, prot, why);
	if (status)
		domain_give(domain, cache,
			    (struct busway_dma_range){first, {first.raw + (request.size - 1)}});
	else
		*iova = first;
	return status;
}

int busway_domain_map_at(struct busway_domain *domain, busway_dma_t iova,
			 const struct busway_phys_range *runs, size_t count, unsigned prot,
			 struct busway_refusal *why)
{
	const uint64_t size = size_of(runs, count);
	const struct busway_dma_range range = {iova, {iova.raw + (size - 1)}};
	int status;

	if (!size || range.last.raw < iova.raw)
		return -BUSWAY_EINVAL;
	status = busway_iova_take_at(domain->space, range, why);
	if (status == -BUSWAY_ERANGE && domain->queue.most) {
		queue_empty(domain, NULL);
		status = busway_iova_take_at(domain->space, range, why);
	}
	if (status)
		return status;
	status = domain_enter(domain, iova, runs, count, prot, why);
	if (status)
		domain_give(domain, NULL, range);
	return status;
}

/* ---- unmapping ---- */

void domain_cut(struct busway_domain *domain, struct busway_dma_range pages,
		struct busway_freed_tables *tables)
{
	const struct busway_invalidation these = {pages, tables->count != 0};

	domain->invalidate(domain->ctx, &these);
	if (these.tables)
		busway_pagetable_release(domain->table, tables);
}

void domain_forget(struct busway_domain *domain, struct busway_iova_cache *cache,
		   struct busway_dma_range iova, struct busway_freed_tables *tables, bool now)
{
	if (!now && domain->queue.most) {
		queue_put(domain, cache, iova, tables);
		return;
	}
	domain_cut(domain, iova, tables);
	domain_give(domain, cache, iova);
}

/* @range and all of the pages that it cuts: of what is split the IOMMU forgets the whole. */
static struct busway_dma_range cut_pages(const struct busway_domain *domain,
					 struct busway_dma_range range)
{
	struct busway_translation page;

	if (!domain->splits)
		return range;
	if (busway_pagetable_lookup(domain->table, range.first, &page))
		range.first.raw &= ~(((uint64_t)1 << page.page_lg2) - 1);
	if (busway_pagetable_lookup(domain->table, range.last, &page))
		range.last.raw |= ((uint64_t)1 << page.page_lg2) - 1;
	return range;
}

int busway_domain_unmap(struct busway_domain *domain, struct busway_iova_cache *cache,
			struct busway_dma_range range, unsigned flags, struct busway_refusal *why)
{
	struct busway_freed_tables tables = {{0}, 0};
	const struct busway_dma_range pages = cut_pages(domain, range);
	const int status = busway_pagetable_unmap(domain->table, range, 0, &tables, NULL, why);

	if (status)
		return status;
	if (domain->queue.most && !(flags & BUSWAY_UNMAP_NOW)) {
		queue_put(domain, cache, range, &tables);
		return 0;
	}
	domain_cut(domain, pages, &tables);
	domain_give(domain, cache, range);
	return 0;
}

void busway_domain_flush(struct busway_domain *domain, struct busway_iova_cache *cache)
{
	if (domain->queue.most)
		queue_empty(domain, cache);
}
