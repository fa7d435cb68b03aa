/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable.h - the page tables that an IOMMU walks: written, read, changed and given back.
 *
 * A table turns an IOVA into an address of memory. Which formats there are is said by
 * busway_pagetable_format; what a table of a format can do, by its options. Read in this order:
 * busway_table_memory (where tables live), busway_pagetable_create(), _map(), _unmap(), _lookup().
 *
 *   IOVA   |---4K---|------- 2M -------|--4K--|          pages: the largest that fit
 *   entry     leaf         leaf          leaf            a leaf maps; tables lead to tables
 *
 * It leaves to others: which IOVA to take (an allocator), when the IOMMU forgets what it has cached
 * (invalidation), and the registers that say where the root is (busway_pagetable_root() has the
 * numbers for them). A table that was taken out of the tree is not given back to the allocator
 * before busway_pagetable_release(), which the caller calls after the invalidation.
 *
 * Threads. Map, unmap, read and clear dirty bits, and look up may run at the same time in one table
 * as long as they are given IOVAs that do not overlap; tables are put in place with one atomic
 * store each, and who comes second uses what is there. Unmapping takes a table away only where the
 * range covers all that the table could map: then nobody else may be in it. Calls on IOVAs that
 * overlap must follow each other. Unmapping waits while another thread splits a page, where .split
 * is set: an interrupt that unmaps must not come in between. With .exclusive no two calls run at
 * once, and every table that is left empty goes at once. Where the CPU has no atomic 64-bit access
 * all tables are as if .exclusive was promised.
 *
 * Sources: Arm Architecture Reference Manual DDI 0487, chapter D8 (VMSAv8-64); Intel VT-d
 * specification, sections 3.7 and 9.8; AMD I/O Virtualization Technology specification 48882,
 * section 2.2.3; RISC-V Privileged Architecture, chapters on Sv39, Sv48, Sv57, Svnapot and Svpbmt.
 */
#ifndef BUSWAY_PAGETABLE_H
#define BUSWAY_PAGETABLE_H

#include <busway/addr.h>
#include <busway/allocator.h>
#include <busway/platform.h>
#include <busway/refusal.h>
#include <busway/status.h>

enum busway_pagetable_format {
	BUSWAY_ARM_STAGE1, /* VMSAv8-64, the lower range of addresses (TTBR0) */
	BUSWAY_ARM_STAGE2, /* VMSAv8-64; tables of the first level are joined, up to 16 */
	BUSWAY_VTD_SECOND, /* VT-d second stage, 3 to 5 levels */
	BUSWAY_AMD_V1,     /* AMD host page tables, 1 to 6 levels */
	BUSWAY_RISCV_SV,   /* Sv39, Sv48, Sv57 */
	BUSWAY_FORMAT_COUNT
};

/*
 * What a mapping allows, added to BUSWAY_READ and BUSWAY_WRITE of busway_access. Memory is cached
 * and coherent unless said otherwise.
 */
enum busway_prot {
	BUSWAY_PROT_EXECUTE = 4,      /* Arm and RISC-V */
	BUSWAY_PROT_NONCOHERENT = 8,  /* past the caches, where the format can say so */
	BUSWAY_PROT_DEVICE = 16,      /* registers: not speculated, not joined; as above */
	BUSWAY_PROT_FORCE_SNOOP = 32, /* VT-d SNP, AMD FC: snoop even where the request says no */
};

enum { BUSWAY_PROT_COUNT = 64 }; /* all sums of the above are below */

/* What Arm's AttrIndx 0, 1 and 2 must mean: non-cacheable, write-back, Device-nGnRE (MAIR_ELx). */
#define BUSWAY_ARM_MAIR ((uint64_t)0x04ff44)

/*
 * Memory for tables. All calls may come from every thread that maps or unmaps.
 *
 * alloc    @size bytes (a power of two), aligned to @size, at @phys as the IOMMU sees it, of any
 *          content. Returns NULL where there is no more
 *
 * free     what alloc gave
 *
 * pointer  the table at @phys, which alloc gave. If the hook is NULL: phys + .offset
 *
 * clean    entries were written: make them visible to an IOMMU that does not snoop. If the hook is
 *          NULL: it does
 */
struct busway_table_memory {
	void *(*alloc)(void *ctx, size_t size, busway_phys_t *phys);
	void (*free)(void *ctx, void *table, busway_phys_t phys, size_t size);
	void *(*pointer)(void *ctx, busway_phys_t phys);
	void (*clean)(void *ctx, const void *entries, size_t size);
	uintptr_t offset;
	void *ctx;
};

struct busway_pagetable_options {
	const char
		*name; /* of the IOMMU, for refusals; lives as long as the table; NULL: "IOMMU" */
	enum busway_pagetable_format format;
	/*
	 * Bits of an IOVA. Arm: 25 to 48, or 52; in stage 2 no more than .output_bits, or 40; VT-d:
	 * 39, 48, 57; AMD: 21 to 64; RISC-V: 39, 48, 57. RISC-V extends the sign: the upper half of
	 * the space is at its very end. 0: 48.
	 */
	unsigned input_bits;
	/*
	 * Bits of a physical address: 32 to 52 (RISC-V: 56). 0: 48. With more than 48 bits, in or
	 * out, Arm's 4K and 16K granules have the layout of FEAT_LPA2 and 64K that of FEAT_LPA.
	 */
	unsigned output_bits;
	unsigned granule_lg2; /* Arm: 12, 14 or 16; others: 12. 0: 12 */
	/*
	 * Sizes of pages that may be used: bit n allows 2^n bytes. 0: all that the format has. What
	 * the format does not have is ignored, and the granule is always used.
	 */
	uint64_t page_sizes;
	bool split;        /* unmapping a part of a page makes smaller pages of it; else refused */
	bool exclusive;    /* no two calls at once: see above */
	bool track_dirty;  /* the IOMMU marks what was written: see busway_pagetable_dirty() */
	bool memory_types; /* RISC-V: Svpbmt is there */
	/*
	 * AMD, with .exclusive only: entries lead several levels down at once where the bits of
	 * the IOVA between are 0, so that what is mapped low in the space, or at the beginning of
	 * a region of 2^30 or 2^39 bytes, takes fewer tables and shorter walks. Mapping may then
	 * change an entry that the IOMMU has cached: see busway_pagetable_replaced().
	 */
	bool skip_levels;
};

struct busway_pagetable;

/* Tables that were taken out and that the IOMMU may still be walking. {0} is an empty list. */
struct busway_freed_tables {
	busway_phys_t head_;
	size_t count;
};

/* Where the IOMMU begins. */
struct busway_pagetable_root {
	busway_phys_t table;
	size_t size;           /* bytes of it; aligned to it */
	unsigned levels;       /* tables on the way to the smallest page; AMD: the mode */
	unsigned start_level;  /* Arm: as its manual counts, -1 as UINT_MAX; others: levels - 1 */
	unsigned concatenated; /* Arm stage 2: tables joined at the start; else 1 */
	unsigned input_bits, output_bits;
};

/**
 * busway_pagetable_create() - an empty table
 * @options: copied
 * @tables:  where tables come from; copied
 * @memory:  for the record of the table itself; must outlive it
 * @out:     the result
 *
 * Return: 0, or -BUSWAY_EINVAL: the format has no such widths or granule, or cannot skip levels, or
 * not without .exclusive; -BUSWAY_ENOMEM: also where the memory for tables is not aligned, or lies
 * where the IOMMU cannot be sent to.
 */
int busway_pagetable_create(const struct busway_pagetable_options *options,
			    const struct busway_table_memory *tables,
			    const struct busway_allocator *memory, struct busway_pagetable **out);

/* Gives all tables back. The IOMMU must not walk them any more. NULL is allowed. */
void busway_pagetable_destroy(struct busway_pagetable *pt);

struct busway_pagetable_root busway_pagetable_root(const struct busway_pagetable *pt);

/* The sizes of pages that are in use: bit n stands for 2^n bytes. */
uint64_t busway_pagetable_page_sizes(const struct busway_pagetable *pt);

/* The IOVAs that it can translate, into @ranges; RISC-V has two. Return: how many. */
unsigned busway_pagetable_input(const struct busway_pagetable *pt, struct busway_range ranges[2]);

/**
 * busway_pagetable_map() - map runs of memory at consecutive IOVAs
 * @pt:    may be shared with other threads: see the top of the file
 * @iova:  where the first byte of the first run appears
 * @runs:  physical memory; each begins and ends with a page of the smallest size
 * @count: of @runs, 1 or more
 * @prot:  BUSWAY_READ and/or BUSWAY_WRITE, and busway_prot
 * @why:   receives the reason of a refusal; may be NULL
 *
 * The largest allowed pages are used that fit; runs that adjoin are one. All of it is mapped or
 * nothing. Where a table of small pages is already there (and may be empty), it is used.
 *
 * Return: 0, or
 *   -BUSWAY_EINVAL  no runs, or they are empty, or they are longer than 2^64;
 *   -BUSWAY_ERANGE  refused: page-alignment, iova-width, output-width, already-mapped, permission;
 *   -BUSWAY_ENOMEM  there is no more memory for tables.
 */
int busway_pagetable_map(struct busway_pagetable *pt, busway_dma_t iova,
			 const struct busway_phys_range *runs, size_t count, unsigned prot,
			 struct busway_refusal *why);

/**
 * busway_pagetable_replaced() - must the IOMMU forget before it can use what was mapped?
 * @pt: as for mapping
 *
 * With .skip_levels, busway_pagetable_map() puts a table between an entry and the one several
 * levels below to which it led. An IOMMU that has cached the old entry finds all that was mapped
 * before, but may not find what is new: the caller invalidates all that it has cached of the whole
 * table, upper levels with it, before devices use it. The same holds after unmapping if tables
 * were freed, as an entry that left levels out belongs to more IOVAs than its table.
 *
 * Return: true once after such mappings; without .skip_levels always false: then what is mapped
 * was empty before, on all levels.
 */
bool busway_pagetable_replaced(struct busway_pagetable *pt);

enum busway_unmap_flags {
	BUSWAY_UNMAP_HOLES = 1, /* it is all right if parts of the range are not mapped */
};

/**
 * busway_pagetable_unmap() - nothing is mapped in a range any more
 * @range:    of IOVAs; begins and ends with a page of the smallest size
 * @flags:    busway_unmap_flags
 * @freed:    tables that are no longer needed are added here; the caller's, and no other thread's
 * @unmapped: bytes that were mapped; may be NULL
 * @why:      receives the reason of a refusal; may be NULL
 *
 * A page of which only a part is in the range is split, or refused: see busway_pagetable_options.
 * All of it is unmapped or nothing. A split takes a page apart while the device may use it: on Arm
 * the IOMMU must allow that (FEAT_BBM level 2, SMMU_IDR3.BBML), others just need the invalidation
 * that follows the unmapping anyway.
 *
 * The device can reach what was mapped until the caller has invalidated the range; only then may
 * the memory or the IOVAs be used for something else, and @freed be released. Where a page was
 * split, that is all of the former page (busway_pagetable_lookup() tells before how large it is):
 * VT-d wants an address mask that covers a large page, else it may keep it (description of
 * IVA_REG).
 *
 * Return: 0, or
 *   -BUSWAY_ERANGE  refused: page-alignment, iova-width, not-mapped, would-split;
 *   -BUSWAY_ENOMEM  a split needs tables, and there is no more memory.
 */
int busway_pagetable_unmap(struct busway_pagetable *pt, struct busway_dma_range range,
			   unsigned flags, struct busway_freed_tables *freed, uint64_t *unmapped,
			   struct busway_refusal *why);

/**
 * busway_pagetable_trim() - take out the tables that are empty
 * @range: of IOVAs; no other call may be at work on those, nor on the rest of the tables that they
 *         are in
 *
 * Tables that can map nothing but @range go if nothing is mapped in them. For callers that unmap
 * page by page, so that large pages fit again.
 */
void busway_pagetable_trim(struct busway_pagetable *pt, struct busway_dma_range range,
			   struct busway_freed_tables *freed);

/* The invalidation is done: give the tables of @freed back. The list is empty afterwards. */
void busway_pagetable_release(struct busway_pagetable *pt, struct busway_freed_tables *freed);

struct busway_translation {
	busway_phys_t phys;   /* of this very byte */
	uint16_t prot;        /* as it was mapped, as far as the format keeps it */
	uint8_t page_lg2;     /* size of the page around it */
	bool accessed, dirty; /* as the IOMMU left them, where the format has them */
};

/* What an IOVA translates to. False, and @out left alone: nothing. */
bool busway_pagetable_lookup(const struct busway_pagetable *pt, busway_dma_t iova,
			     struct busway_translation *out);

/* ---- looking at it ---- */

/* A run of IOVAs that leads to a run of memory under one set of rights. */
struct busway_mapped_run {
	struct busway_dma_range iova;
	busway_phys_t phys; /* of the first byte */
	unsigned prot;
	uint64_t page_sizes; /* of the pages it is made of: bit n stands for 2^n bytes */
};

/* Called with each in ascending order; false: stop. */
typedef bool busway_run_visitor(void *ctx, const struct busway_mapped_run *run);

/* The runs that lie in @range, cut to it. Return: false if @visit stopped. */
bool busway_pagetable_runs(const struct busway_pagetable *pt, struct busway_dma_range range,
			   busway_run_visitor *visit, void *ctx);

struct busway_table_info {
	struct busway_dma_range iova; /* what it could map */
	busway_phys_t phys;
	unsigned level;                 /* 0: its entries are the smallest pages */
	unsigned leaves, tables, empty; /* entries */
};

typedef bool busway_table_visitor(void *ctx, const struct busway_table_info *info);

/* Each table, those above before those below. Return: false if @visit stopped. */
bool busway_pagetable_tables(const struct busway_pagetable *pt, busway_table_visitor *visit,
			     void *ctx);

/*
 * A line about a run: "0x1000..0x2fff -> 0x80001000 rw 2 x 4 KiB ...". Written into @buf of @size
 * bytes, ended with NUL where @size > 0. Return: the length of the whole line.
 */
size_t busway_mapped_run_text(const struct busway_mapped_run *run, char *buf, size_t size);

/**
 * busway_pagetable_dirty() - what was written by devices
 * @range: of IOVAs
 * @clear: mark it as not written; the caller invalidates what was visited afterwards, or writes may
 *         be missed
 * @visit: called with each run of pages that is dirty, in ascending order; .page_sizes says how
 *         fine the answer is; must not stop if @clear is set
 *
 * Return: 0, or -BUSWAY_EINVAL: the table does not track (.track_dirty).
 */
int busway_pagetable_dirty(struct busway_pagetable *pt, struct busway_dma_range range, bool clear,
			   busway_run_visitor *visit, void *ctx);

#endif
