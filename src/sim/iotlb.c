/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iotlb.c - see iotlb.h.
 */
#include "iotlb.h"

#include <busway/status.h>

#include <string.h>

int iotlb_create(struct iotlb *tlb, size_t pages, size_t tables,
		 const struct busway_allocator *memory)
{
	struct iotlb made = {.page_count = pages, .table_count = tables};

	made.pages = memory->alloc(memory->ctx, pages * sizeof(*made.pages),
				   _Alignof(struct iotlb_page));
	made.tables = memory->alloc(memory->ctx, tables * sizeof(*made.tables),
				    _Alignof(struct iotlb_table));
	if (!made.pages || !made.tables) {
		iotlb_destroy(&made, memory);
		return -BUSWAY_ENOMEM;
	}
	memset(made.pages, 0, pages * sizeof(*made.pages));
	memset(made.tables, 0, tables * sizeof(*made.tables));
	*tlb = made;
	return 0;
}

void iotlb_destroy(struct iotlb *tlb, const struct busway_allocator *memory)
{
	if (tlb->pages)
		memory->free(memory->ctx, tlb->pages, tlb->page_count * sizeof(*tlb->pages),
			     _Alignof(struct iotlb_page));
	if (tlb->tables)
		memory->free(memory->ctx, tlb->tables, tlb->table_count * sizeof(*tlb->tables),
			     _Alignof(struct iotlb_table));
	*tlb = (struct iotlb){0};
}

const struct iotlb_page *iotlb_page_at(const struct iotlb *tlb, uint32_t tag, uint64_t iova)
{
	for (size_t i = 0; i < tlb->page_count; i++) {
		const struct iotlb_page *p = &tlb->pages[i];

		if (p->valid && p->tag == tag && busway_range_has(p->iova, iova))
			return p;
	}
	return NULL;
}

const struct iotlb_table *iotlb_table_at(const struct iotlb *tlb, uint32_t tag, uint32_t format,
					 uint64_t iova)
{
	const struct iotlb_table *nearest = NULL;

	for (size_t i = 0; i < tlb->table_count; i++) {
		const struct iotlb_table *t = &tlb->tables[i];

		if (t->valid && t->tag == tag && t->format == format &&
		    busway_range_has(t->iova, iova) &&
		    (!nearest || t->table.top < nearest->table.top))
			nearest = t;
	}
	return nearest;
}

static bool is_page(const struct iotlb_page *a, const struct iotlb_page *b)
{
	return a->valid && a->tag == b->tag && a->iova.first == b->iova.first &&
	       a->iova.last == b->iova.last;
}

void iotlb_add_page(struct iotlb *tlb, struct sim_rng *rng, struct iotlb_page page)
{
	size_t at = 0;

	for (size_t i = 0; i < tlb->page_count; i++)
		if (is_page(&tlb->pages[i], &page))
			tlb->pages[i].valid = false;
	while (at < tlb->page_count && tlb->pages[at].valid)
		at++;
	if (tlb->page_count == 0)
		return;
	if (at == tlb->page_count)
		at = (size_t)sim_below(rng, tlb->page_count);
	page.valid = true;
	tlb->pages[at] = page;
}

void iotlb_add_table(struct iotlb *tlb, struct sim_rng *rng, struct iotlb_table table)
{
	size_t at = 0;

	while (at < tlb->table_count && tlb->tables[at].valid)
		at++;
	if (tlb->table_count == 0)
		return;
	if (at == tlb->table_count)
		at = (size_t)sim_below(rng, tlb->table_count);
	table.valid = true;
	tlb->tables[at] = table;
}

static bool is_told(const struct iotlb_page *page, struct busway_range iova)
{
	return page->whole ? busway_range_within(page->iova, iova)
			   : busway_range_overlaps(page->iova, iova);
}

void iotlb_forget(struct iotlb *tlb, uint32_t tag, struct busway_range iova, bool tables)
{
	for (size_t i = 0; i < tlb->page_count; i++)
		if (tlb->pages[i].tag == tag && is_told(&tlb->pages[i], iova))
			tlb->pages[i].valid = false;
	for (size_t i = 0; tables && i < tlb->table_count; i++)
		if (tlb->tables[i].tag == tag && busway_range_overlaps(tlb->tables[i].iova, iova))
			tlb->tables[i].valid = false;
}
