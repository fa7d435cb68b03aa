/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable.c - a page table from its making to its end, and the way to its format.
 */
#include "../base/bytes.h"
#include "pagetable_internal.h"

enum { INPUT_USUAL = 48, OUTPUT_USUAL = 48, GRANULE_USUAL_LG2 = 12, OUTPUT_LEAST = 32 };

static const struct format *format_of(enum busway_pagetable_format format)
{
	switch (format) {
	case BUSWAY_ARM_STAGE1:
		return &format_arm_stage1;
	case BUSWAY_ARM_STAGE2:
		return &format_arm_stage2;
	case BUSWAY_VTD_SECOND:
		return &format_vtd;
	case BUSWAY_AMD_V1:
		return &format_amd;
	case BUSWAY_RISCV_SV:
		return &format_riscv;
	case BUSWAY_FORMAT_COUNT:
		break;
	}
	return NULL;
}

/* ---- making ---- */

/* Of the sizes that the format has, keep those that the caller allows. */
static void keep_sizes(struct busway_pagetable *pt, uint64_t allowed)
{
	pt->leaf_levels &= (uint8_t)low_bits(pt->top + 1u);
	for (unsigned level = 0; level < LEVELS_MAX; level++) {
		const unsigned shift = level_shift(pt, level);

		if (!(pt->leaf_levels >> level & 1))
			pt->runs[level] = 0;
		if (!allowed)
			continue;
		for (unsigned k = 1; k <= RUN_LG2_MAX && shift + k < 64; k++)
			if (!(allowed >> (shift + k) & 1))
				pt->runs[level] &= (uint16_t) ~(1u << k);
		if (level && shift < 64 && !(allowed >> shift & 1))
			pt->leaf_levels &= (uint8_t) ~(1u << level);
	}
}

static void set_usual_leaf(struct busway_pagetable *pt)
{
	const uint64_t bits = pt->attributes[BUSWAY_READ_WRITE];

	for (unsigned level = 0; bits && level < 4; level++)
		if (pt->leaf_levels >> level & 1)
			pt->usual_leaf[level] = pt->format->leaf_entry(pt, bits, 0, level, 0);
}

static bool set_up(struct busway_pagetable *pt, const struct busway_pagetable_options *options,
		   const struct busway_table_memory *tables)
{
	pt->tables = *tables;
	pt->offset = tables->offset;
	pt->name = options->name ? options->name : "IOMMU";
	pt->split = options->split;
	pt->exclusive = options->exclusive;
	pt->track_dirty = options->track_dirty;
	pt->memory_types = options->memory_types;
	pt->skip_levels = options->skip_levels;
	if (options->input_bits > 64 || options->output_bits > 64 || options->granule_lg2 > 16)
		return false;
	if (pt->skip_levels && (!pt->format->next_lg2 || !pt->exclusive))
		return false;
	pt->input_bits = (uint8_t)(options->input_bits ? options->input_bits : INPUT_USUAL);
	pt->output_bits = (uint8_t)(options->output_bits ? options->output_bits : OUTPUT_USUAL);
	pt->granule_lg2 =
		(uint8_t)(options->granule_lg2 ? options->granule_lg2 : GRANULE_USUAL_LG2);
	pt->concatenated = 1;
	pt->splits = (struct lock)LOCK_INIT;
	if (pt->output_bits < OUTPUT_LEAST || !pt->format->setup(pt, options))
		return false;
	pt->direct = !pt->wide && !tables->pointer;
	pt->top_shift = (uint8_t)level_shift(pt, pt->top);
	pt->walks_fast = pt->direct && pt->granule_lg2 == 12 && pt->index_bits == 9 &&
			 (pt->top == 2 || pt->top == 3) && !pt->skip_levels;
	pt->writes_fast = pt->walks_fast && !pt->exclusive && !tables->clean;
	for (unsigned level = 0; level < LEVELS_MAX; level++)
		pt->page_span[level] = low_bits(level_shift(pt, level));
	pt->root_mask = low_bits(pt->input_bits - pt->top_shift);
	pt->input_last = low_bits(pt->format->signed_input ? pt->input_bits - 1u : pt->input_bits);
	pt->output_last = low_bits(pt->output_bits);
	keep_sizes(pt, options->page_sizes);
	for (unsigned prot = 0; prot < BUSWAY_PROT_COUNT; prot++)
		pt->attributes[prot] = pt->format->attributes(pt, prot);
	set_usual_leaf(pt);
	return true;
}

int busway_pagetable_create(const struct busway_pagetable_options *options,
			    const struct busway_table_memory *tables,
			    const struct busway_allocator *memory, struct busway_pagetable **out)
{
	const struct format *format = format_of(options->format);
	struct busway_pagetable *pt;

	if (!format)
		return -BUSWAY_EINVAL;
	pt = memory->alloc(memory->ctx, sizeof(*pt), _Alignof(struct busway_pagetable));
	if (!pt)
		return -BUSWAY_ENOMEM;
	memset(pt, 0, sizeof(*pt));
	pt->memory = memory;
	pt->format = format;
	if (!set_up(pt, options, tables)) {
		memory->free(memory->ctx, pt, sizeof(*pt), _Alignof(struct busway_pagetable));
		return -BUSWAY_EINVAL;
	}
	if (!table_take_root(pt, pt->root_size)) {
		memory->free(memory->ctx, pt, sizeof(*pt), _Alignof(struct busway_pagetable));
		return -BUSWAY_ENOMEM;
	}
	*out = pt;
	return 0;
}

void busway_pagetable_destroy(struct busway_pagetable *pt)
{
	const struct busway_allocator *memory;

	if (!pt)
		return;
	memory = pt->memory;
	tables_destroy_below(pt, pt->root, pt->top);
	pt->tables.free(pt->tables.ctx, pt->root, pt->root_phys, pt->root_size);
	memory->free(memory->ctx, pt, sizeof(*pt), _Alignof(struct busway_pagetable));
}

/* ---- asking ---- */

struct busway_pagetable_root busway_pagetable_root(const struct busway_pagetable *pt)
{
	const bool arm = pt->format == &format_arm_stage1 || pt->format == &format_arm_stage2;

	return (struct busway_pagetable_root){
		.table = pt->root_phys,
		.size = pt->root_size,
		.levels = pt->top + 1u,
		.start_level = arm ? 3 - pt->top : pt->top,
		.concatenated = pt->concatenated,
		.input_bits = pt->input_bits,
		.output_bits = pt->output_bits,
	};
}

uint64_t busway_pagetable_page_sizes(const struct busway_pagetable *pt)
{
	uint64_t sizes = 0;

	for (unsigned level = 0; level <= pt->top; level++) {
		if (pt->leaf_levels >> level & 1)
			sizes |= ((uint64_t)1 | pt->runs[level]) << level_shift(pt, level);
	}
	return sizes;
}

unsigned busway_pagetable_input(const struct busway_pagetable *pt, struct busway_range ranges[2])
{
	ranges[0] = (struct busway_range){0, pt->input_last};
	if (!pt->format->signed_input)
		return 1;
	ranges[1] = (struct busway_range){~pt->input_last, UINT64_MAX};
	return 2;
}

/* ---- the instance for the format ---- */

int busway_pagetable_map(struct busway_pagetable *pt, busway_dma_t iova,
			 const struct busway_phys_range *runs, size_t count, unsigned prot,
			 struct busway_refusal *why)
{
	int status;

	if (LIKELY(!pt->tables.clean))
		return pt->format->map(pt, iova.raw, runs, count, prot, why);
	status = pt->format->map(pt, iova.raw, runs, count, prot, why);
	if (status == 0)
		map_settle(pt, iova.raw, runs, count);
	return status;
}

int busway_pagetable_unmap(struct busway_pagetable *pt, struct busway_dma_range range,
			   unsigned flags, struct busway_freed_tables *freed, uint64_t *unmapped,
			   struct busway_refusal *why)
{
	int status;

	if (LIKELY(!pt->split))
		return pt->format->unmap(pt, busway_dma_raw(range), flags, freed, unmapped, why);
	status = pt->format->unmap(pt, busway_dma_raw(range), flags, freed, unmapped, why);
	split_wait(pt);
	return status;
}

bool busway_pagetable_lookup(const struct busway_pagetable *pt, busway_dma_t iova,
			     struct busway_translation *out)
{
	return pt->format->lookup(pt, iova.raw, out);
}
