/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * defer.c - what was unmapped waits, until one invalidation of the domain is worth it.
 *
 *   unmap --> half 0: | . . . . |      is filled, by all threads
 *             half 1: | x x x x |      is emptied, by one: invalidate, then give back
 */
#include "domain_internal.h"

int queue_create(struct busway_domain *domain, uint32_t most)
{
	const struct busway_allocator *m = domain->memory;
	struct domain_queue *queue = &domain->queue;

	queue->lock = queue->emptying = (struct lock)LOCK_INIT;
	if (!most)
		return 0;
	for (unsigned i = 0; i < 2; i++) {
		queue->half[i] =
			m->alloc(m->ctx, most * sizeof(*queue->half[i]), _Alignof(struct waiting));
		if (!queue->half[i])
			return -BUSWAY_ENOMEM;
		queue->most = most; /* what queue_destroy() gives back */
	}
	return 0;
}

void queue_destroy(struct busway_domain *domain)
{
	const struct busway_allocator *m = domain->memory;
	struct domain_queue *queue = &domain->queue;

	for (unsigned i = 0; i < 2; i++)
		if (queue->half[i])
			m->free(m->ctx, queue->half[i], queue->most * sizeof(*queue->half[i]),
				_Alignof(struct waiting));
}

void queue_empty(struct busway_domain *domain, struct busway_iova_cache *cache)
{
	const struct busway_invalidation everything = {{{0}, {UINT64_MAX}}, true};
	struct domain_queue *queue = &domain->queue;
	struct waiting *half;
	uint32_t count;

	lock_take(&queue->emptying);
	lock_take(&queue->lock);
	half = queue->half[queue->filled];
	count = queue->count;
	queue->filled ^= 1;
	queue->count = 0;
	lock_give(&queue->lock);
	if (count)
		domain->invalidate(domain->ctx, &everything);
	for (uint32_t i = 0; i < count; i++) {
		busway_pagetable_release(domain->table, &half[i].tables);
		domain_give(domain, cache, half[i].iova);
	}
	lock_give(&queue->emptying);
}

void queue_put(struct busway_domain *domain, struct busway_iova_cache *cache,
	       struct busway_dma_range iova, const struct busway_freed_tables *tables)
{
	struct domain_queue *queue = &domain->queue;

	for (;;) {
		bool put;

		lock_take(&queue->lock);
		put = queue->count < queue->most;
		if (put)
			queue->half[queue->filled][queue->count++] =
				(struct waiting){iova, *tables};
		lock_give(&queue->lock);
		if (put)
			return;
		queue_empty(domain, cache);
	}
}
