/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain_internal.h - what a domain consists of, and the steps of mapping for those who have
 * something to do in between. Read <busway/domain.h> first.
 *
 *   domain.c   life; map and unmap, and their steps
 *   defer.c    what waits for an invalidation
 */
#ifndef BUSWAY_DOMAIN_INTERNAL_H
#define BUSWAY_DOMAIN_INTERNAL_H

#include "../pool/lock.h"

#include <busway/domain.h>

/* IOVAs that were unmapped, and tables that were taken out with them. */
struct waiting {
	struct busway_dma_range iova;
	struct busway_freed_tables tables;
};

struct domain_queue {
	struct lock lock;     /* of .count and of the half that is filled */
	struct lock emptying; /* by one thread at a time */
	struct waiting *half[2];
	uint32_t count; /* in half[filled] */
	uint32_t filled;
	uint32_t most; /* in each half; 0: nothing waits */
};

struct busway_domain {
	const struct busway_allocator *memory;
	struct busway_pagetable *table;
	struct busway_iova_space *space;
	struct busway_intervals allowed;
	uint64_t page_sizes, granule;
	bool splits;    /* pages, where a part of one is unmapped */
	unsigned adds;  /* to every prot: where no entry can say "write, not read" */
	unsigned drops; /* from every prot: what the format has no word for */
	void (*invalidate)(void *ctx, const struct busway_invalidation *what);
	void *ctx;
	struct domain_queue queue;
	size_t trusted, untrusted; /* devices of the DMA API; under queue.lock */
};

/* ---- domain.c ---- */

/* The pages around @range. */
static inline struct busway_range domain_pages(const struct busway_domain *domain,
					       struct busway_range range)
{
	return (struct busway_range){range.first & ~(domain->granule - 1),
				     range.last | (domain->granule - 1)};
}

/* A device of the DMA API comes, and goes. False: others are there of whom it is to see nothing, or
 * who are to see nothing of it. */
bool domain_join(struct busway_domain *domain, bool untrusted);
void domain_leave(struct busway_domain *domain, bool untrusted);

/* As busway_pagetable_map(), with what the format cannot leave out. */
int domain_enter(struct busway_domain *domain, busway_dma_t iova,
		 const struct busway_phys_range *runs, size_t count, unsigned prot,
		 struct busway_refusal *why);

/* IOVAs for @where->size bytes, which may be given back by domain_give(). Where an alignment is not
 * asked for, a large page with which @run begins gets one that suits, if there is one. */
int domain_take(struct busway_domain *domain, struct busway_iova_cache *cache,
		const struct busway_iova_request *where, struct busway_range run,
		busway_dma_t *iova, struct busway_refusal *why);
void domain_give(struct busway_domain *domain, struct busway_iova_cache *cache,
		 struct busway_dma_range iova);

/* The entries are cleared: the IOMMU forgets the pages, and tables are given back. */
void domain_cut(struct busway_domain *domain, struct busway_dma_range pages,
		struct busway_freed_tables *tables);

/* The entries are cleared; nothing leads there once the IOMMU has forgotten it, which is now or
 * later, and then the IOVAs are given back. */
void domain_forget(struct busway_domain *domain, struct busway_iova_cache *cache,
		   struct busway_dma_range iova, struct busway_freed_tables *tables, bool now);

/* ---- defer.c ---- */

int queue_create(struct busway_domain *domain, uint32_t most);
void queue_destroy(struct busway_domain *domain);

/* They wait from now on. */
void queue_put(struct busway_domain *domain, struct busway_iova_cache *cache,
	       struct busway_dma_range iova, const struct busway_freed_tables *tables);

/* Nothing that waited at the call waits any more. */
void queue_empty(struct busway_domain *domain, struct busway_iova_cache *cache);

#endif
