/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arm.c - VMSAv8-64, stage 1 and stage 2.
 *
 * Arm Architecture Reference Manual DDI 0487, D8.3 (descriptors), D8.2 (where a walk begins), D8.4
 * (permissions), D8.5 (hardware update of access and dirty state), D8.6 (memory types), D8.7 (the
 * Contiguous bit).
 *
 *   valid 0, table or page 1, AttrIndx 4:2 or MemAttr 5:2, AP 7:6 or S2AP 7:6, SH 9:8, AF 10, nG
 * 11, address 47:m, DBM 51, Contiguous 52, PXN 53, XN 54
 *
 * Addresses of 52 bits (.wide): with 64K, bits 51:48 stand in 15:12 (FEAT_LPA); with 4K and 16K,
 * 49:48 stay and 51:50 stand in 9:8, where SH was (FEAT_LPA2).
 */
#include "format_instance.h"

#define VALID         ((uint64_t)1 << 0)
#define TABLE         ((uint64_t)1 << 1) /* and a page, at level 0 of ours */
#define UNPRIVILEGED  ((uint64_t)1 << 6)
#define READ_ONLY     ((uint64_t)1 << 7)
#define S2_READ       ((uint64_t)1 << 6)
#define S2_WRITE      ((uint64_t)1 << 7)
#define SHARE_OUTER   ((uint64_t)2 << 8)
#define SHARE_INNER   ((uint64_t)3 << 8)
#define ACCESS        ((uint64_t)1 << 10)
#define NOT_GLOBAL    ((uint64_t)1 << 11)
#define MODIFIER      ((uint64_t)1 << 51) /* DBM: the IOMMU may make it dirty */
#define CONTIGUOUS    ((uint64_t)1 << 52)
#define NO_EXECUTE    ((uint64_t)3 << 53) /* stage 1: PXN and UXN */
#define S2_NO_EXECUTE ((uint64_t)2 << 53)
#define ADDRESS       ((uint64_t)0x0000fffffffff000)

enum { INDEX_UNCACHED, INDEX_CACHED, INDEX_DEVICE }; /* see BUSWAY_ARM_MAIR */
enum { S2_DEVICE = 1, S2_UNCACHED = 5, S2_CACHED = 15 };
enum { CONCATENATED_BITS = 4 };
/* Stage 2 takes as many bits as physical addresses have, or these: SMMUv3 (IHI 0070), STE.S2T0SZ */
enum { STAGE2_ALWAYS = 40 };

/* ---- geometry ---- */

/* Which entries can be one page: D8.7.1. Levels as here, from the leaves. */
static void set_runs(struct busway_pagetable *pt)
{
	switch (pt->granule_lg2) {
	case 12:
		pt->runs[0] = pt->runs[1] = pt->runs[2] = 1 << 4;
		break;
	case 14:
		pt->runs[0] = 1 << 7;
		pt->runs[1] = 1 << 5;
		break;
	default:
		pt->runs[0] = pt->runs[1] = 1 << 5;
		break;
	}
}

static bool setup(struct busway_pagetable *pt, const struct busway_pagetable_options *options)
{
	const bool stage2 = options->format == BUSWAY_ARM_STAGE2;
	unsigned top, root_bits;

	if ((pt->granule_lg2 != 12 && pt->granule_lg2 != 14 && pt->granule_lg2 != 16) ||
	    pt->input_bits < 25 || pt->input_bits > 52 || pt->output_bits > 52)
		return false;
	if (stage2 && pt->input_bits > pt->output_bits && pt->input_bits > STAGE2_ALWAYS)
		return false;
	pt->wide = pt->input_bits > 48 || pt->output_bits > 48;
	pt->index_bits = (uint8_t)(pt->granule_lg2 - 3);
	top = (pt->input_bits - pt->granule_lg2 - 1u) / pt->index_bits;
	root_bits = pt->input_bits - pt->granule_lg2 - top * pt->index_bits;
	/* with 4K, tables joined at level 3 need FEAT_TTST (D8.2), and a walk of two levels does as
	 * well */
	if (stage2 && top > (pt->granule_lg2 == 12) && root_bits <= CONCATENATED_BITS) {
		pt->concatenated = (uint8_t)(1 << root_bits);
		root_bits += pt->index_bits;
		top--;
	}
	pt->top = (uint8_t)top;
	/* the root is aligned to its size, and to 64 bytes at least: D8.2 */
	pt->root_size = root_bits < 3 ? 64 : (size_t)8 << root_bits;
	/* blocks: 2 MiB and 1 GiB; 32 MiB; 512 MiB. One level more with LPA2; with 64K only where
	 * physical addresses are that wide */
	pt->leaf_levels = pt->granule_lg2 == 12 ? 7 : 3;
	if (pt->wide && (pt->granule_lg2 != 16 || pt->output_bits > 48))
		pt->leaf_levels = (uint8_t)(pt->leaf_levels << 1 | 1);
	set_runs(pt);
	return true;
}

/* ---- rights ---- */

static uint64_t common_attributes(const struct busway_pagetable *pt, unsigned prot)
{
	const bool cached = !(prot & (BUSWAY_PROT_NONCOHERENT | BUSWAY_PROT_DEVICE));
	uint64_t bits = VALID | ACCESS;

	if (!pt->wide || pt->granule_lg2 == 16) /* else the field is a part of the address */
		bits |= cached ? SHARE_INNER : SHARE_OUTER;
	if (pt->track_dirty && (prot & BUSWAY_WRITE))
		bits |= MODIFIER;
	return bits;
}

static uint64_t stage1_attributes(const struct busway_pagetable *pt, unsigned prot)
{
	unsigned index = INDEX_CACHED;

	if (!(prot & BUSWAY_READ) || (prot & BUSWAY_PROT_FORCE_SNOOP))
		return 0; /* AP knows "read" and "read and write" */
	if (prot & BUSWAY_PROT_DEVICE)
		index = INDEX_DEVICE;
	else if (prot & BUSWAY_PROT_NONCOHERENT)
		index = INDEX_UNCACHED;
	return common_attributes(pt, prot) | (uint64_t)index << 2 | UNPRIVILEGED | NOT_GLOBAL |
	       (!(prot & BUSWAY_WRITE) || pt->track_dirty ? READ_ONLY : 0) |
	       (prot & BUSWAY_PROT_EXECUTE ? 0 : NO_EXECUTE);
}

static uint64_t stage2_attributes(const struct busway_pagetable *pt, unsigned prot)
{
	unsigned type = S2_CACHED;

	if (!(prot & BUSWAY_READ_WRITE) || (prot & BUSWAY_PROT_FORCE_SNOOP))
		return 0;
	if (prot & BUSWAY_PROT_DEVICE)
		type = S2_DEVICE;
	else if (prot & BUSWAY_PROT_NONCOHERENT)
		type = S2_UNCACHED;
	return common_attributes(pt, prot) | (uint64_t)type << 2 |
	       (prot & BUSWAY_READ ? S2_READ : 0) |
	       ((prot & BUSWAY_WRITE) && !pt->track_dirty ? S2_WRITE : 0) |
	       (prot & BUSWAY_PROT_EXECUTE ? 0 : S2_NO_EXECUTE);
}

INLINE unsigned stage1_prot(const struct busway_pagetable *pt, uint64_t entry)
{
	_Static_assert(BUSWAY_WRITE == 2 && BUSWAY_PROT_EXECUTE == 4, "where the bits are put");
	/* a byte for each AttrIndx */
	const uint64_t types = (uint64_t)BUSWAY_PROT_NONCOHERENT << 8 * INDEX_UNCACHED |
			       (uint64_t)BUSWAY_PROT_DEVICE << 8 * INDEX_DEVICE;

	(void)pt;
	/* what is read-only now can be written if the IOMMU may make it so: DBM */
	return BUSWAY_READ | ((unsigned)(~entry >> 7 | entry >> 51) & 1) << 1 |
	       (unsigned)!(entry & NO_EXECUTE) << 2 |
	       ((unsigned)(types >> 8 * (entry >> 2 & 7)) & 0xff);
}

static unsigned stage2_prot(const struct busway_pagetable *pt, uint64_t entry)
{
	const unsigned type = (unsigned)(entry >> 2 & 15);

	_Static_assert(BUSWAY_PROT_EXECUTE == S2_NO_EXECUTE >> 52, "XN is bit 54");
	(void)pt;
	return (entry & S2_READ ? BUSWAY_READ : 0u) |
	       (entry & (S2_WRITE | MODIFIER) ? BUSWAY_WRITE : 0u) |
	       (entry & S2_NO_EXECUTE ? 0u : BUSWAY_PROT_EXECUTE) |
	       (type == S2_DEVICE ? BUSWAY_PROT_DEVICE : 0u) |
	       (type == S2_UNCACHED ? BUSWAY_PROT_NONCOHERENT : 0u);
}

/* ---- addresses ---- */

INLINE uint64_t encode(const struct busway_pagetable *pt, uint64_t phys)
{
	if (LIKELY(!pt->wide))
		return phys;
	if (pt->granule_lg2 == 16)
		return (phys & ADDRESS) | (phys >> 48 & 15) << 12;
	return (phys & ~((uint64_t)3 << 50)) | (phys >> 50 & 3) << 8;
}

INLINE uint64_t address(const struct busway_pagetable *pt, uint64_t entry)
{
	if (LIKELY(!pt->wide))
		return entry & ADDRESS;
	if (pt->granule_lg2 == 16)
		return (entry & ADDRESS & ~low_bits(16)) | (entry >> 12 & 15) << 48;
	return (entry & (ADDRESS | (uint64_t)3 << 48)) | (entry >> 8 & 3) << 50;
}

static uint64_t table_entry(const struct busway_pagetable *pt, uint64_t phys, unsigned level)
{
	(void)level;
	return encode(pt, phys) | VALID | TABLE;
}

INLINE uint64_t leaf_entry(const struct busway_pagetable *pt, uint64_t bits, uint64_t phys,
			   unsigned level, unsigned run_lg2)
{
	return encode(pt, phys) | bits | (level ? 0 : TABLE) | (run_lg2 ? CONTIGUOUS : 0);
}

INLINE uint64_t direct_address(uint64_t entry)
{
	return entry & ADDRESS;
}

INLINE bool leads_on(uint64_t entry)
{
	return (entry & (VALID | TABLE)) == (VALID | TABLE);
}

INLINE uint64_t stride(uint64_t size)
{
	return size;
}

INLINE unsigned page_lg2(const struct busway_pagetable *pt, uint64_t entry, unsigned level)
{
	const unsigned lg2 = level_shift(pt, level);

	if (entry & CONTIGUOUS)
		return lg2 + (unsigned)__builtin_ctz(pt->runs[level]);
	return lg2;
}

FORMAT_DECLARE(arm_stage1);
FORMAT_DECLARE(arm_stage2);

const struct format format_arm_stage1 = {
	.leaf = {.mask = TABLE},
	.dirty = READ_ONLY,
	.dirty_if_clear = true,
	.accessed = ACCESS,
	.setup = setup,
	.attributes = stage1_attributes,
	.prot = stage1_prot,
	.table_entry = table_entry,
	.leaf_entry = leaf_entry,
	.address = address,
	.direct_address = direct_address,
	.address_bits = ADDRESS,
	.leads_on = leads_on,
	.stride = stride,
	.page_lg2 = page_lg2,
	.map = arm_stage1_map,
	.unmap = arm_stage1_unmap,
	.lookup = arm_stage1_lookup,
};

const struct format format_arm_stage2 = {
	.leaf = {.mask = TABLE},
	.dirty = S2_WRITE,
	.accessed = ACCESS,
	.option = S2_NO_EXECUTE,
	.option_shift = 52,
	.setup = setup,
	.attributes = stage2_attributes,
	.prot = stage2_prot,
	.table_entry = table_entry,
	.leaf_entry = leaf_entry,
	.address = address,
	.direct_address = direct_address,
	.address_bits = ADDRESS,
	.leads_on = leads_on,
	.stride = stride,
	.page_lg2 = page_lg2,
	.map = arm_stage2_map,
	.unmap = arm_stage2_unmap,
	.lookup = arm_stage2_lookup,
};

FORMAT_INSTANCE(arm_stage1)
FORMAT_INSTANCE(arm_stage2)
