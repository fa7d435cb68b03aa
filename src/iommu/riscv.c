/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * riscv.c - page tables of RISC-V: Sv39, Sv48, Sv57, and pages of 64 KiB (Svnapot).
 *
 * RISC-V Privileged Architecture, "Sv39: Page-Based 39-bit Virtual-Memory System" and those behind
 * it: V bit 0, R 1, W 2, X 3, U 4, A 6, D 7, page number 53:10, memory type 62:61 (Svpbmt), N bit
 * 63 (Svnapot). An entry without R, W and X leads to a table; W without R is reserved. Bits of an
 * address above the highest must be equal to it.
 */
#include "format_instance.h"

enum { BITS = 9, GRANULE_LG2 = 12, NAPOT_LG2 = 4 };

#define VALID    ((uint64_t)1 << 0)
#define READ     ((uint64_t)1 << 1)
#define WRITE    ((uint64_t)1 << 2)
#define EXECUTE  ((uint64_t)1 << 3)
#define USER     ((uint64_t)1 << 4)
#define ACCESS   ((uint64_t)1 << 6)
#define DIRTY    ((uint64_t)1 << 7)
#define NUMBER   ((uint64_t)0x003ffffffffffc00)
#define UNCACHED ((uint64_t)1 << 61)
#define DEVICE   ((uint64_t)2 << 61)
#define NAPOT    ((uint64_t)1 << 63)

static bool setup(struct busway_pagetable *pt, const struct busway_pagetable_options *options)
{
	const unsigned bits = pt->input_bits;

	(void)options;
	if ((bits != 39 && bits != 48 && bits != 57) || pt->granule_lg2 != GRANULE_LG2 ||
	    pt->output_bits > 56)
		return false;
	pt->index_bits = BITS;
	pt->top = (uint8_t)((bits - GRANULE_LG2) / BITS - 1);
	pt->leaf_levels = (uint8_t)low_bits(pt->top + 1u); /* up to 256 TiB */
	pt->runs[0] = 1 << NAPOT_LG2;
	pt->root_size = 4096;
	return true;
}

static uint64_t attributes(const struct busway_pagetable *pt, unsigned prot)
{
	uint64_t bits = VALID | READ | USER | ACCESS;

	/* W without R is reserved, and what can be executed only is not for devices */
	if (!(prot & BUSWAY_READ) || (prot & BUSWAY_PROT_FORCE_SNOOP))
		return 0;
	if (prot & (BUSWAY_PROT_NONCOHERENT | BUSWAY_PROT_DEVICE) && !pt->memory_types)
		return 0;
	if (prot & BUSWAY_WRITE)
		bits |= WRITE | (pt->track_dirty ? 0 : DIRTY);
	if (prot & BUSWAY_PROT_EXECUTE)
		bits |= EXECUTE;
	if (prot & BUSWAY_PROT_DEVICE)
		bits |= DEVICE;
	else if (prot & BUSWAY_PROT_NONCOHERENT)
		bits |= UNCACHED;
	return bits;
}

INLINE unsigned prot_of(const struct busway_pagetable *pt, uint64_t entry)
{
	_Static_assert(BUSWAY_READ == READ >> 1 && BUSWAY_WRITE == WRITE >> 1 &&
			       BUSWAY_PROT_EXECUTE == EXECUTE >> 1,
		       "R, W and X are bits 1 to 3");
	_Static_assert(BUSWAY_PROT_NONCOHERENT == UNCACHED >> 58 &&
			       BUSWAY_PROT_DEVICE == DEVICE >> 58,
		       "the memory type is bits 62:61");
	(void)pt;
	return (unsigned)((entry & (READ | WRITE | EXECUTE)) >> 1 |
			  (entry & (UNCACHED | DEVICE)) >> 58);
}

static uint64_t table_entry(const struct busway_pagetable *pt, uint64_t phys, unsigned level)
{
	(void)pt, (void)level;
	return phys >> 2 | VALID;
}

INLINE uint64_t leaf_entry(const struct busway_pagetable *pt, uint64_t bits, uint64_t phys,
			   unsigned level, unsigned run_lg2)
{
	(void)pt, (void)level;
	/* the lowest bits of the page number say how many pages are one: 8 of 16 */
	return phys >> 2 | bits | (run_lg2 ? NAPOT | (uint64_t)8 << 10 : 0);
}

INLINE uint64_t address(const struct busway_pagetable *pt, uint64_t entry)
{
	(void)pt;
	return (entry & NUMBER) << 2;
}

INLINE uint64_t direct_address(uint64_t entry)
{
	return (entry & NUMBER) << 2;
}

INLINE bool leads_on(uint64_t entry)
{
	return (entry & (VALID | READ)) == VALID;
}

INLINE uint64_t stride(uint64_t size)
{
	return size >> 2;
}

INLINE unsigned page_lg2(const struct busway_pagetable *pt, uint64_t entry, unsigned level)
{
	(void)pt;
	return GRANULE_LG2 + level * BITS + (entry & NAPOT ? NAPOT_LG2 : 0);
}

FORMAT_DECLARE(riscv);

const struct format format_riscv = {
	.leaf = {.flip = READ, .mask = READ},
	.equal_in_run = true,
	.signed_input = true,
	.index_bits = BITS,
	.dirty = DIRTY,
	.accessed = ACCESS,
	.option = EXECUTE,
	.option_shift = 1,
	.setup = setup,
	.attributes = attributes,
	.prot = prot_of,
	.table_entry = table_entry,
	.leaf_entry = leaf_entry,
	.address = address,
	.direct_address = direct_address,
	.address_bits = NUMBER,
	.leads_on = leads_on,
	.stride = stride,
	.page_lg2 = page_lg2,
	.map = riscv_map,
	.unmap = riscv_unmap,
	.lookup = riscv_lookup,
};

FORMAT_INSTANCE(riscv)
