/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable_internal.h - what the files of page tables share.
 *
 * Levels are counted from the leaves: entries of level 0 are the smallest pages, so that the
 * mapper reads the same for all formats.
 *
 * A format is a struct of facts and small functions (struct format). What is called for each page
 * is written once (map_body.h, unmap_body.h, walk.h) as inline functions that take the format as
 * a constant: arm.c, vtd.c, amd.c and riscv.c each make their own of it. What is called rarely
 * reaches the format through the table.
 */
#ifndef BUSWAY_IOMMU_INTERNAL_H
#define BUSWAY_IOMMU_INTERNAL_H

#include "../pool/lock.h"
#include "entry.h"

#include <busway/pagetable.h>

enum { LEVELS_MAX = 6, RUN_LG2_MAX = 8 };

#define INLINE    static inline __attribute__((always_inline))
#define LIKELY(x) __builtin_expect(!!(x), 1)

struct busway_pagetable;

typedef int map_call(struct busway_pagetable *pt, uint64_t iova,
		     const struct busway_phys_range *runs, size_t count, unsigned prot,
		     struct busway_refusal *why);
typedef int unmap_call(struct busway_pagetable *pt, struct busway_range range, unsigned flags,
		       struct busway_freed_tables *freed, uint64_t *unmapped,
		       struct busway_refusal *why);
typedef bool lookup_call(const struct busway_pagetable *pt, uint64_t iova,
			 struct busway_translation *out);

struct format {
	struct leaf_facts leaf;
	/* entries of a page of several entries are equal; else each has an address of its own */
	bool equal_in_run;
	/* where an entry says how many levels remain, as the number of the level + 1; 0: nowhere */
	unsigned next_lg2;
	unsigned index_bits; /* of all tables of the format; 0: see the table */
	bool signed_input;
	uint64_t dirty;      /* the bit that says that a page was written; 0: there is none */
	bool dirty_if_clear; /* the bit is clear in a page that was written */
	uint64_t accessed;
	/* the bit of a page to read and write that says BUSWAY_PROT_EXECUTE, or _FORCE_SNOOP, or
	 * says that it does not; and how far behind the bit of that name it stands. 0: none */
	uint64_t option;
	unsigned option_shift;
	/* Check the options and fill in what hangs on them. False: there is no such table. */
	bool (*setup)(struct busway_pagetable *pt, const struct busway_pagetable_options *options);
	/* the bits of a leaf for these rights; 0: the format cannot say that */
	uint64_t (*attributes)(const struct busway_pagetable *pt, unsigned prot);
	unsigned (*prot)(const struct busway_pagetable *pt, uint64_t entry);
	/* leads to a table of @level at @phys */
	uint64_t (*table_entry)(const struct busway_pagetable *pt, uint64_t phys, unsigned level);
	uint64_t (*leaf_entry)(const struct busway_pagetable *pt, uint64_t attributes,
			       uint64_t phys, unsigned level, unsigned run_lg2);
	uint64_t (*address)(const struct busway_pagetable *pt, uint64_t entry);
	/* the same in a table whose .direct is set; and does the entry lead to a table? */
	uint64_t (*direct_address)(uint64_t entry);
	uint64_t address_bits;            /* where it stands in the entry */
	bool (*leads_on)(uint64_t entry); /* of a level that has tables */
	/* what a leaf's bits grow by from one of @size bytes to the next; not across 2^48 on Arm */
	uint64_t (*stride)(uint64_t size);
	/* of the page that this leaf is all or a part of */
	unsigned (*page_lg2)(const struct busway_pagetable *pt, uint64_t entry, unsigned level);
	/* the instances for this format */
	map_call *map;
	unmap_call *unmap;
	lookup_call *lookup;
};

extern const struct format format_arm_stage1, format_arm_stage2, format_vtd, format_amd,
	format_riscv;

struct busway_pagetable {
	/* all but the entries in the tables, .replaced, and what is behind .root_size is set
	 * once, then read freely */
	const struct format *format;
	uint64_t *root;
	uint64_t root_mask;  /* entries of the root - 1 */
	uint64_t input_last; /* of the space, or of its lower half */
	uint64_t output_last;
	uintptr_t offset;
	uint64_t page_span[LEVELS_MAX]; /* of each level: the size of a page less one byte */
	uint8_t top, top_shift; /* level of the root, and the bits of IOVA below its index */
	uint8_t granule_lg2, index_bits;
	uint8_t input_bits, output_bits, concatenated;
	bool wide;        /* Arm: the layout for 52 bits */
	bool direct;      /* not .wide, and pointers are addresses + .offset */
	bool walks_fast;  /* .direct, and as walk_fast() has it */
	bool writes_fast; /* and an entry that was written is all there is to do */
	bool split, exclusive, track_dirty, memory_types, skip_levels;
	bool replaced;             /* with .skip_levels: see busway_pagetable_replaced() */
	uint8_t leaf_levels;       /* bit n: level n may have leaves */
	uint16_t runs[LEVELS_MAX]; /* bit k: 2^k entries of the level may be one page; not bit 0 */
	uint64_t attributes[BUSWAY_PROT_COUNT];
	/* a clean page of one entry to read and write, without its address; 0: there is none */
	uint64_t usual_leaf[4];
	struct busway_table_memory tables;
	const struct busway_allocator *memory;
	const char *name;
	busway_phys_t root_phys;
	size_t root_size;
	struct lock splits; /* pages are split by one thread at a time */
	bool splitting;     /* one does: see split_wait() */
	unsigned uncleaned; /* threads that put a table in place now: see map_settle() */
};

/* ---- geometry ---- */

INLINE unsigned level_shift(const struct busway_pagetable *pt, unsigned level)
{
	return pt->granule_lg2 + level * pt->index_bits;
}

/* Entries of a table of @level, less one. */
INLINE uint64_t level_mask(const struct busway_pagetable *pt, unsigned level)
{
	return level == pt->top ? pt->root_mask : ((uint64_t)1 << pt->index_bits) - 1;
}

INLINE size_t level_index(const struct busway_pagetable *pt, unsigned level, uint64_t iova)
{
	return (size_t)(iova >> level_shift(pt, level) & level_mask(pt, level));
}

/* 2^shift - 1; all bits for 64 and above. */
INLINE uint64_t low_bits(unsigned shift)
{
	return shift >= 64 ? UINT64_MAX : ((uint64_t)1 << shift) - 1;
}

/* What a table of @level could map, around @iova. */
INLINE struct busway_range table_span(const struct busway_pagetable *pt, unsigned level,
				      uint64_t iova)
{
	const uint64_t low =
		low_bits(level == pt->top ? pt->input_bits : level_shift(pt, level + 1));

	return (struct busway_range){iova & ~low, iova | low};
}

/* Can the table translate all of @r? */
INLINE bool takes_input(const struct busway_pagetable *pt, struct busway_range r)
{
	return r.last <= pt->input_last || (pt->format->signed_input && r.first >= ~pt->input_last);
}

/* ---- entries ---- */

INLINE bool is_present(const struct format *f, uint64_t entry)
{
	return (entry | entry >> f->leaf.or_shift) & 1;
}

/* Of an entry that is present. */
INLINE bool is_leaf(const struct format *f, uint64_t entry, unsigned level)
{
	return level == 0 || (((entry ^ f->leaf.flip) + f->leaf.add) & f->leaf.mask) == 0;
}

INLINE bool is_table(const struct format *f, uint64_t entry, unsigned level)
{
	return level != 0 && f->leads_on(entry);
}

INLINE uint64_t *table_pointer(const struct busway_pagetable *pt, uint64_t phys)
{
	if (LIKELY(!pt->tables.pointer))
		return (uint64_t *)((uintptr_t)phys + pt->offset);
	return pt->tables.pointer(pt->tables.ctx, busway_phys(phys));
}

INLINE uint64_t *table_of(const struct format *f, const struct busway_pagetable *pt, uint64_t entry)
{
	return table_pointer(pt, f->address(pt, entry));
}

INLINE void clean(const struct busway_pagetable *pt, const uint64_t *at, size_t count)
{
	if (pt->tables.clean)
		pt->tables.clean(pt->tables.ctx, at, count * sizeof(*at));
}

/* The first byte of the page that a leaf is part of. */
INLINE uint64_t page_phys(const struct format *f, const struct busway_pagetable *pt, uint64_t entry,
			  unsigned page_lg2)
{
	return f->address(pt, entry) & ~low_bits(page_lg2);
}

INLINE bool is_dirty(const struct format *f, uint64_t entry)
{
	return f->dirty && ((entry & f->dirty) != 0) != f->dirty_if_clear;
}

/* ---- tables (tables.c) ---- */

/* Tables that are in no tree: linked through their first entries, which stay empty to hardware. */
struct table_list {
	uint64_t head;
	size_t count;
};

/* @count more, zeroed. False: there are not as many, and the list is as before. */
bool tables_take(struct busway_pagetable *pt, struct table_list *list, size_t count);

/* One off the list, zeroed. */
uint64_t *tables_pop(struct busway_pagetable *pt, struct table_list *list, uint64_t *phys);

void tables_push(const struct busway_pagetable *pt, struct table_list *list, uint64_t phys);

/* Give all of the list back to the allocator. */
void tables_give(struct busway_pagetable *pt, struct table_list *list);

bool table_take_root(struct busway_pagetable *pt, size_t size);

/* All tables below entries of @table, and not itself; nobody walks them. */
void tables_destroy_below(struct busway_pagetable *pt, uint64_t *table, unsigned level);

/* Take out the empty tables that can map nothing but @range. */
void tables_trim(struct busway_pagetable *pt, struct busway_range range,
		 struct busway_freed_tables *freed);

/* ---- the ways that are taken less often ---- */

/* map.c: any runs; @range is where they are mapped; all but what is mapped was checked. */
int map_slowly(struct busway_pagetable *pt, struct busway_range range,
	       const struct busway_phys_range *runs, uint64_t attributes,
	       struct busway_refusal *why);

/* map.c: @runs were mapped; clean what leads there as well. Another thread may have put a table in
 * place, which was used, without having cleaned the entry so far. */
void map_settle(const struct busway_pagetable *pt, uint64_t iova,
		const struct busway_phys_range *runs, size_t count);

/* unmap.c */
int unmap_slowly(struct busway_pagetable *pt, struct busway_range range, unsigned flags,
		 struct busway_freed_tables *freed, uint64_t *unmapped, struct busway_refusal *why);

/* Empty all entries in the range, which cuts no page. Tables that could map nothing else go to
 * @freed with all that is in them; NULL: they stay. */
void clear_range(struct busway_pagetable *pt, struct busway_range range, struct table_list *freed);

/* With .exclusive: the table that has the entry for @iova may have become empty. */
void unmap_tidy(struct busway_pagetable *pt, uint64_t iova, struct busway_freed_tables *freed);

/*
 * split.c: make the page that @cut lies in, behind its first byte, end there. Takes tables from
 * @list, as many as split_tables() says; false there: there are no pages that small to make.
 */
void split_at(struct busway_pagetable *pt, uint64_t cut, struct table_list *list);
void split_begin(struct busway_pagetable *pt);
void split_end(struct busway_pagetable *pt);
bool split_tables(const struct busway_pagetable *pt, uint64_t cut, size_t *count);

/*
 * What another thread has begun to split is split, and the IOMMU sees it. Before that, other
 * entries of the same page may still lead to what was just unmapped.
 */
INLINE void split_wait(const struct busway_pagetable *pt)
{
	while (__atomic_load_n(&pt->splitting, __ATOMIC_ACQUIRE))
		;
}

/* ---- refusals (refuse.c): fill @why, which may be NULL; return -BUSWAY_ERANGE or _EINVAL ---- */

/* The call has failed a check; find out which. */
int explain_map(const struct busway_pagetable *pt, uint64_t iova,
		const struct busway_phys_range *runs, size_t count, unsigned prot,
		struct busway_refusal *why);
int explain_range(const struct busway_pagetable *pt, struct busway_range range,
		  struct busway_refusal *why);
int explain(const struct busway_pagetable *pt, enum busway_reason reason, struct busway_range asked,
	    struct busway_range limit, struct busway_refusal *why);

/* The page that is mapped at @iova, as a range of IOVAs. */
struct busway_range page_around(const struct busway_pagetable *pt, uint64_t iova);

#endif
