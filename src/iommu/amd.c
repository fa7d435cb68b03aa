/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * amd.c - page tables of AMD's IOMMU for host translations ("v1").
 *
 * AMD I/O Virtualization Technology specification 48882, section 2.2.3: PR bit 0, A bit 5, D bit 6,
 * next level 11:9, address 51:12, FC bit 60, IR bit 61, IW bit 62. A next level of 0 is a page of
 * the size usual at its level; 7 a page whose size stands in its address: 2 * 2^n bytes where n is
 * the lowest address bit that is clear. All entries that such a page takes up are equal. An entry
 * may also lead several levels down at once: see skip.h.
 *
 * Pages end at 256 GiB: hardware does not take those of 512 GiB (Linux notes it as a bug of theirs,
 * drivers/iommu/generic_pt/fmt/amdv1.h), and larger ones are left out with them.
 */
#include "format_instance.h"

enum { BITS = 9, GRANULE_LG2 = 12, ENCODED = 7 };

#define PRESENT  ((uint64_t)1 << 0)
#define ACCESS   ((uint64_t)1 << 5)
#define DIRTY    ((uint64_t)1 << 6)
#define NEXT_LG2 9
#define ADDRESS  ((uint64_t)0x000ffffffffff000)
#define COHERENT ((uint64_t)1 << 60)
#define READ     ((uint64_t)1 << 61)
#define WRITE    ((uint64_t)1 << 62)

static bool setup(struct busway_pagetable *pt, const struct busway_pagetable_options *options)
{
	(void)options;
	if (pt->input_bits < 21 || pt->input_bits > 64 || pt->granule_lg2 != GRANULE_LG2 ||
	    pt->output_bits > 52)
		return false;
	pt->index_bits = BITS;
	pt->top = (uint8_t)((pt->input_bits - GRANULE_LG2 + BITS - 1) / BITS - 1);
	pt->leaf_levels = 7; /* 4 KiB, 2 MiB, 1 GiB */
	for (unsigned level = 0; level < 3; level++)
		pt->runs[level] = 0x1fe; /* 2 to 256 entries */
	pt->root_size = 4096;
	return true;
}

static uint64_t attributes(const struct busway_pagetable *pt, unsigned prot)
{
	(void)pt;
	if (!(prot & BUSWAY_READ_WRITE) || (prot & BUSWAY_PROT_EXECUTE))
		return 0;
	return PRESENT | (prot & BUSWAY_READ ? READ : 0) | (prot & BUSWAY_WRITE ? WRITE : 0) |
	       (prot & BUSWAY_PROT_FORCE_SNOOP ? COHERENT : 0);
}

INLINE unsigned prot_of(const struct busway_pagetable *pt, uint64_t entry)
{
	_Static_assert(BUSWAY_READ == READ >> 61 && BUSWAY_WRITE == WRITE >> 61, "IR and IW");
	_Static_assert(BUSWAY_PROT_FORCE_SNOOP == COHERENT >> 55, "FC is bit 60");
	(void)pt;
	return (unsigned)((entry & (READ | WRITE)) >> 61 | (entry & COHERENT) >> 55);
}

static uint64_t table_entry(const struct busway_pagetable *pt, uint64_t phys, unsigned level)
{
	(void)pt;
	return phys | PRESENT | READ | WRITE | (uint64_t)(level + 1) << NEXT_LG2;
}

INLINE uint64_t leaf_entry(const struct busway_pagetable *pt, uint64_t bits, uint64_t phys,
			   unsigned level, unsigned run_lg2)
{
	const unsigned lg2 = GRANULE_LG2 + level * BITS + run_lg2;

	(void)pt;
	if (!run_lg2)
		return phys | bits;
	return phys | bits | (uint64_t)ENCODED << NEXT_LG2 | (low_bits(lg2 - 1) & ADDRESS);
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
	return (entry & PRESENT) && ((entry + ((uint64_t)1 << NEXT_LG2)) & (uint64_t)6 << NEXT_LG2);
}

INLINE uint64_t stride(uint64_t size)
{
	return size;
}

INLINE unsigned page_lg2(const struct busway_pagetable *pt, uint64_t entry, unsigned level)
{
	(void)pt;
	if ((entry >> NEXT_LG2 & ENCODED) != ENCODED)
		return GRANULE_LG2 + level * BITS;
	return (unsigned)__builtin_ctzll(~entry & (ADDRESS | (uint64_t)1 << 52)) + 1;
}

FORMAT_DECLARE(amd);

const struct format format_amd = {
	/* a next level of 7 or 0, plus 1, is 0 or 1 */
	.leaf = {.add = (uint64_t)1 << NEXT_LG2, .mask = (uint64_t)6 << NEXT_LG2},
	.equal_in_run = true,
	.next_lg2 = NEXT_LG2,
	.index_bits = BITS,
	.dirty = DIRTY,
	.accessed = ACCESS,
	.option = COHERENT,
	.option_shift = 55,
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
	.map = amd_map,
	.unmap = amd_unmap,
	.lookup = amd_lookup,
};

FORMAT_INSTANCE(amd)
