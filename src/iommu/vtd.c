/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * vtd.c - second-stage page tables of Intel VT-d.
 *
 * Intel Virtualization Technology for Directed I/O, sections 3.7 (second-stage translation) and 9.8
 * (second-stage paging entries): R bit 0, W bit 1, page size bit 7, A bit 8, D bit 9, SNP bit 11,
 * address 51:12. There is no bit that says "present": an entry is if it has R or W.
 */
#include "format_instance.h"

enum { BITS = 9, GRANULE_LG2 = 12 };

#define READ    ((uint64_t)1 << 0)
#define WRITE   ((uint64_t)1 << 1)
#define LARGE   ((uint64_t)1 << 7)
#define ACCESS  ((uint64_t)1 << 8)
#define DIRTY   ((uint64_t)1 << 9)
#define SNOOP   ((uint64_t)1 << 11)
#define ADDRESS ((uint64_t)0x000ffffffffff000)

static bool setup(struct busway_pagetable *pt, const struct busway_pagetable_options *options)
{
	const unsigned bits = pt->input_bits;

	(void)options;
	if ((bits != 39 && bits != 48 && bits != 57) || pt->granule_lg2 != GRANULE_LG2 ||
	    pt->output_bits > 52)
		return false;
	pt->index_bits = BITS;
	pt->top = (uint8_t)((bits - GRANULE_LG2) / BITS - 1);
	pt->leaf_levels = 7; /* 4 KiB, 2 MiB, 1 GiB */
	pt->root_size = 4096;
	return true;
}

static uint64_t attributes(const struct busway_pagetable *pt, unsigned prot)
{
	(void)pt;
	if (!(prot & BUSWAY_READ_WRITE) || (prot & BUSWAY_PROT_EXECUTE))
		return 0;
	/* what is cached is not for this table to say: other requests snoop as they ask */
	return (prot & BUSWAY_READ ? READ : 0) | (prot & BUSWAY_WRITE ? WRITE : 0) |
	       (prot & BUSWAY_PROT_FORCE_SNOOP ? SNOOP : 0);
}

INLINE unsigned prot_of(const struct busway_pagetable *pt, uint64_t entry)
{
	_Static_assert(BUSWAY_READ == READ && BUSWAY_WRITE == WRITE, "R and W are bits 0 and 1");
	_Static_assert(BUSWAY_PROT_FORCE_SNOOP == SNOOP >> 6, "SNP is bit 11");
	(void)pt;
	return (unsigned)((entry & (READ | WRITE)) | (entry & SNOOP) >> 6);
}

static uint64_t table_entry(const struct busway_pagetable *pt, uint64_t phys, unsigned level)
{
	(void)pt, (void)level;
	return phys | READ | WRITE;
}

INLINE uint64_t leaf_entry(const struct busway_pagetable *pt, uint64_t bits, uint64_t phys,
			   unsigned level, unsigned run_lg2)
{
	(void)pt, (void)run_lg2;
	return phys | bits | (level ? LARGE : 0);
}

INLINE uint64_t address(const struct busway_pagetable *pt, uint64_t entry)
{
	(void)pt;
	return entry & ADDRESS;
}

INLINE uint64_t direct_address(uint64_t entry)
{
	return entry & ADDRESS;
}

INLINE bool leads_on(uint64_t entry)
{
	return (entry & (READ | WRITE)) && !(entry & LARGE);
}

INLINE uint64_t stride(uint64_t size)
{
	return size;
}

INLINE unsigned page_lg2(const struct busway_pagetable *pt, uint64_t entry, unsigned level)
{
	(void)pt, (void)entry;
	return GRANULE_LG2 + level * BITS;
}

FORMAT_DECLARE(vtd);

const struct format format_vtd = {
	.leaf = {.or_shift = 1, .flip = LARGE, .mask = LARGE},
	.index_bits = BITS,
	.dirty = DIRTY,
	.accessed = ACCESS,
	.setup = setup,
	.attributes = attributes,
	.prot = prot_of,
	.table_entry = table_entry,
	.leaf_entry = leaf_entry,
	.address = address,
	.direct_address = direct_address,
	.address_bits = ADDRESS,
	.leads_on = leads_on,
	.stride = stride,
	.page_lg2 = page_lg2,
	.map = vtd_map,
	.unmap = vtd_unmap,
	.lookup = vtd_lookup,
};

FORMAT_INSTANCE(vtd)
