/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * domain.h - an address space behind an IOMMU: which IOVAs there are, what they lead to, and when
 * the IOMMU has forgotten it.
 *
 *   map      take IOVAs (iova_space.h), write entries (pagetable.h)
 *   unmap    clear the entries, let the IOMMU forget them, give tables and IOVAs back
 *
 * Devices that share a domain reach the same memory at the same IOVAs. The DMA API maps through a
 * domain where a device is attached with one (busway_dma_options); who wants addresses of his own
 * calls what is declared here.
 *
 * An IOVA, and the memory of a table, is used again only after the IOMMU has forgotten it. With
 * .deferred this is put off until enough has come together, and a device can reach what was
 * unmapped until then: at most twice that many ranges (while some are being forgotten, others
 * wait), and none of them after busway_domain_flush().
 *
 * Threads: mapping and unmapping by any number of threads at a time, of IOVAs that do not overlap;
 * each with a cache of its own or none. Creating, destroying: one.
 */
#ifndef BUSWAY_DOMAIN_H
#define BUSWAY_DOMAIN_H

#include <busway/iova_space.h>
#include <busway/pagetable.h>

struct busway_domain;

/* What the IOMMU is to forget. */
struct busway_invalidation {
	struct busway_dma_range iova; /* whole pages; of what was split, all of the former page */
	/*
	 * And the way there: tables were taken out. Else pages only. A RISC-V
	 * IOMMU without capabilities.NL forgets tables only where no address is given (IOTINVAL.VMA
	 * with AV = 0).
	 */
	bool tables;
};

struct busway_domain_options {
	/* .name: of the IOMMU, and of the IOVA space in refusals. .exclusive is not used. */
	struct busway_pagetable_options table;
	struct busway_table_memory tables;
	/* what its devices can use: busway_iova_build() or busway_iova_build_group(). Of the space
	 * that the page table takes, all else is reserved. Outlives the domain; NULL: everything */
	const struct busway_iova *allowed;
	/*
	 * Lets the IOMMU forget, and returns when it has, and when accesses that used what it
	 * forgot have ended. Of the whole domain where .iova is everything. By any thread that
	 * unmaps.
	 */
	void (*invalidate)(void *ctx, const struct busway_invalidation *what);
	void *ctx;
	uint32_t deferred;      /* ranges that wait for one invalidation together; 0: none waits */
	uint32_t depot_batches; /* see busway_iova_options */
};

/**
 * busway_domain_create() - a domain in which nothing is mapped
 * @options: copied
 * @memory:  outlives it; asked by creation, by takes of IOVAs and caches
 * Return: 0, -BUSWAY_ENOMEM; -BUSWAY_EINVAL: no .invalidate, or as busway_pagetable_create().
 */
int busway_domain_create(const struct busway_domain_options *options,
			 const struct busway_allocator *memory, struct busway_domain **out);

/* -BUSWAY_EBUSY: something is mapped, or a cache is not destroyed. NULL is allowed. */
int busway_domain_destroy(struct busway_domain *domain);

/* The parts: to look at, to reserve IOVAs, to create caches for threads. Good as long as it is. */
const struct busway_pagetable *busway_domain_table(const struct busway_domain *domain);
struct busway_iova_space *busway_domain_space(const struct busway_domain *domain);

/* Bytes of the smallest page: what is mapped begins and ends with one. */
uint64_t busway_domain_granule(const struct busway_domain *domain);

/**
 * busway_domain_map() - map runs of memory at consecutive IOVAs
 * @cache: the thread's; NULL: it has none
 * @where: what is wanted of the IOVA; .size is not used. Without an .align, one run that begins
 *         with a large page gets an IOVA that does, too, where there is one
 * @runs:  physical memory, whole pages each
 * @prot:  BUSWAY_READ, BUSWAY_WRITE and busway_prot. Arm's stage 1 and RISC-V have no entries for
 *         writing alone: there reading is allowed, too
 * @iova:  of the first byte
 *
 * Return: 0; -BUSWAY_EINVAL; -BUSWAY_ENOMEM; -BUSWAY_ERANGE: as busway_iova_take() and
 * busway_pagetable_map(). Nothing changes where it fails.
 */
int busway_domain_map(struct busway_domain *domain, struct busway_iova_cache *cache,
		      const struct busway_iova_request *where, const struct busway_phys_range *runs,
		      size_t count, unsigned prot, busway_dma_t *iova, struct busway_refusal *why);

/* The same at an IOVA that is named: as busway_iova_take_at(). */
int busway_domain_map_at(struct busway_domain *domain, busway_dma_t iova,
			 const struct busway_phys_range *runs, size_t count, unsigned prot,
			 struct busway_refusal *why);

enum busway_domain_unmap_flags {
	BUSWAY_UNMAP_NOW = 1, /* also where invalidations are deferred */
};

/**
 * busway_domain_unmap() - nothing is mapped at @range any more
 * @cache: the thread's; NULL: it has none
 * @range: as it was mapped, or a part of whole pages
 * @flags: busway_domain_unmap_flags
 *
 * When it returns no device reaches the memory, unless invalidations are deferred, or another
 * thread unmaps a part of the same large page at this time: then when both have returned.
 *
 * Return: 0; -BUSWAY_ERANGE: as busway_pagetable_unmap(); -BUSWAY_ENOMEM: a page has to be split.
 * Nothing changes where it fails.
 */
int busway_domain_unmap(struct busway_domain *domain, struct busway_iova_cache *cache,
			struct busway_dma_range range, unsigned flags, struct busway_refusal *why);

/* When it returns, no device reaches anything that was unmapped before the call. @cache: as above;
 * what waited goes there. */
void busway_domain_flush(struct busway_domain *domain, struct busway_iova_cache *cache);

#endif
