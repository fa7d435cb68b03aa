/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rig.c - see rig.h.
 */
#define _POSIX_C_SOURCE 200112L

#include "rig.h"

#include <stdlib.h>
#include <string.h>

#define HIGH52 ((uint64_t)0xd5a3 << 36) /* bits 51:48, and others that a short field would lose */

/* Arm's start levels: D8.2 (stage 1 by the bits of the address; stage 2 joins up to 16 tables). */
const struct table_case table_cases[] = {
	{"arm s1 4K 48", BUSWAY_ARM_STAGE1, 12, 48, 48, 0x80000000, 0, 4},
	{"arm s1 4K 39 of 40", BUSWAY_ARM_STAGE1, 12, 39, 40, 0, 1, 3},
	{"arm s1 4K 52", BUSWAY_ARM_STAGE1, 12, 52, 52, HIGH52, -1, 5},
	{"arm s1 16K 48", BUSWAY_ARM_STAGE1, 14, 48, 48, 0x80000000, 0, 4},
	{"arm s1 16K 36", BUSWAY_ARM_STAGE1, 14, 36, 40, 0x80000000, 2, 2},
	{"arm s1 16K 52", BUSWAY_ARM_STAGE1, 14, 52, 52, HIGH52, 0, 4},
	{"arm s1 64K 48", BUSWAY_ARM_STAGE1, 16, 48, 48, 0x80000000, 1, 3},
	{"arm s1 64K 42", BUSWAY_ARM_STAGE1, 16, 42, 48, 0x80000000, 2, 2},
	{"arm s1 64K 52", BUSWAY_ARM_STAGE1, 16, 52, 52, HIGH52, 1, 3},
	{"arm s2 4K 40", BUSWAY_ARM_STAGE2, 12, 40, 48, 0x80000000, 1, 3},
	{"arm s2 4K 48", BUSWAY_ARM_STAGE2, 12, 48, 48, 0x80000000, 0, 4},
	{"arm s2 4K 52", BUSWAY_ARM_STAGE2, 12, 52, 52, HIGH52, 0, 4},
	{"arm s2 16K 48", BUSWAY_ARM_STAGE2, 14, 48, 48, 0x80000000, 1, 3},
	{"arm s2 16K 40", BUSWAY_ARM_STAGE2, 14, 40, 48, 0x80000000, 2, 2},
	{"arm s2 64K 48", BUSWAY_ARM_STAGE2, 16, 48, 48, 0x80000000, 1, 3},
	{"arm s2 64K 52", BUSWAY_ARM_STAGE2, 16, 52, 52, HIGH52, 1, 3},
	{"vt-d 39", BUSWAY_VTD_SECOND, 12, 39, 46, 0x80000000, 0, 3},
	{"vt-d 48", BUSWAY_VTD_SECOND, 12, 48, 46, 0x3f0000000000, 0, 4},
	{"vt-d 57", BUSWAY_VTD_SECOND, 12, 57, 52, HIGH52, 0, 5},
	{"amd 30", BUSWAY_AMD_V1, 12, 30, 48, 0x80000000, 0, 2},
	{"amd 48", BUSWAY_AMD_V1, 12, 48, 52, HIGH52, 0, 4},
	{"amd 64", BUSWAY_AMD_V1, 12, 64, 52, 0x80000000, 0, 6},
	{"risc-v 39", BUSWAY_RISCV_SV, 12, 39, 56, (uint64_t)0xa5 << 48, 0, 3},
	{"risc-v 48", BUSWAY_RISCV_SV, 12, 48, 48, 0x80000000, 0, 4},
	{"risc-v 57", BUSWAY_RISCV_SV, 12, 57, 56, 0x80000000, 0, 5},
	{"arm s1 64K 52 of 48", BUSWAY_ARM_STAGE1, 16, 52, 48, 0x80000000, 1, 3},
	{"arm s2 4K 25", BUSWAY_ARM_STAGE2, 12, 25, 48, 0x80000000, 2, 2},
};
const size_t table_case_count = sizeof(table_cases) / sizeof(table_cases[0]);

/* ---- memory ---- */

static bool is_free(const struct rig *rig, size_t at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (at + i >= RIG_PAGES || rig->used[at + i])
			return false;
	return true;
}

static void *alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	struct rig *rig = ctx;
	const size_t pages = (size + RIG_PAGE - 1) / RIG_PAGE;
	void *found = NULL;

	pthread_mutex_lock(&rig->lock);
	rig->calls++;
	if (!rig->fail_at ||
	    (rig->fail_on ? rig->calls < rig->fail_at : rig->calls != rig->fail_at)) {
		/* onwards, so that what was given back is not handed out again at once */
		for (size_t tried = 0; !found && tried < RIG_PAGES; tried++) {
			const size_t at = (rig->next + tried) % RIG_PAGES / pages * pages;

			if (!is_free(rig, at, pages))
				continue;
			memset(rig->used + at, 1, pages);
			rig->next = at + pages;
			rig->live += pages;
			found = rig->arena + at * RIG_PAGE;
			phys->raw = rig->what->tables_at + at * RIG_PAGE;
		}
	}
	pthread_mutex_unlock(&rig->lock);
	return found;
}

static void give_back(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	struct rig *rig = ctx;
	const size_t pages = (size + RIG_PAGE - 1) / RIG_PAGE;
	const size_t at = (size_t)((unsigned char *)table - rig->arena) / RIG_PAGE;

	pthread_mutex_lock(&rig->lock);
	if (phys.raw != rig->what->tables_at + at * RIG_PAGE)
		abort();
	for (size_t i = 0; i < pages; i++)
		if (!rig->used[at + i])
			abort(); /* twice */
	memset(table, 0xa7, pages * RIG_PAGE);
	memset(rig->used + at, 0, pages);
	rig->live -= pages;
	pthread_mutex_unlock(&rig->lock);
}

static void *pointer(void *ctx, busway_phys_t phys)
{
	const struct rig *rig = ctx;

	return rig->arena + (phys.raw - rig->what->tables_at);
}

static void cleaned(void *ctx, const void *entries, size_t size)
{
	struct rig *rig = ctx;

	rig->cleaned++;
	if (rig->on_clean)
		rig->on_clean(rig, entries, size);
}

uint64_t rig_read(void *ctx, uint64_t phys)
{
	const struct rig *rig = ctx;
	const uint64_t at = phys - rig->what->tables_at;

	if (at >= (uint64_t)RIG_PAGES * RIG_PAGE || at % 8)
		fail_msg("%s: the IOMMU reads 0x%llx", rig->what->name, (unsigned long long)phys);
	if (!rig->used[at / RIG_PAGE])
		fail_msg("%s: the IOMMU reads a table that was given back", rig->what->name);
	return *(const uint64_t *)(rig->arena + at);
}

void rig_fail_at(struct rig *rig, size_t count, bool and_all_later)
{
	rig->fail_at = count ? rig->calls + count : 0;
	rig->fail_on = and_all_later;
}

/* ---- making ---- */

void rig_make(struct rig *rig, const struct table_case *what)
{
	*rig = (struct rig){
		.what = what,
		.options = {
			.name = "iommu@1000",
			.format = what->format,
			.input_bits = what->input_bits,
			.output_bits = what->output_bits,
			.granule_lg2 = what->granule_lg2,
		},
	};
}

void rig_open(struct rig *rig)
{
	static const enum walk_kind kinds[] = {WALK_ARM_S1, WALK_ARM_S2, WALK_VTD, WALK_AMD,
					       WALK_RISCV};
	void *arena;

	test_memory_open(&rig->memory);
	pthread_mutex_init(&rig->lock, NULL);
	assert_int_equal(posix_memalign(&arena, 1 << 20, (size_t)RIG_PAGES * RIG_PAGE), 0);
	rig->arena = arena;
	rig->tables = (struct busway_table_memory){
		.alloc = alloc,
		.free = give_back,
		.pointer = rig->by_pointer ? pointer : NULL,
		.clean = rig->by_pointer || rig->cleans ? cleaned : NULL,
		.offset = (uintptr_t)rig->arena - (uintptr_t)rig->what->tables_at,
		.ctx = rig,
	};
	assert_int_equal(busway_pagetable_create(&rig->options, &rig->tables,
						 &rig->memory.allocator, &rig->table),
			 0);
	rig->walker = (struct walk_setup){
		.kind = kinds[rig->what->format],
		.granule_lg2 = rig->what->granule_lg2,
		.input_bits = rig->what->input_bits,
		.output_bits = rig->what->output_bits,
		.levels = rig->what->levels,
		.start_level = rig->what->start_level,
		.wide = rig->what->input_bits > 48 || rig->what->output_bits > 48,
		.dirty_by_hardware = rig->options.track_dirty,
		.memory_types = rig->options.memory_types,
		.strict = true,
		.root = busway_pagetable_root(rig->table).table.raw,
		.read = rig_read,
		.ctx = rig,
	};
}

void rig_release(struct rig *rig)
{
	busway_pagetable_release(rig->table, &rig->freed);
	assert_int_equal(rig->freed.count, 0);
}

void rig_close(struct rig *rig)
{
	rig_release(rig);
	busway_pagetable_destroy(rig->table);
	assert_int_equal(rig->live, 0);
	test_memory_close(&rig->memory);
	pthread_mutex_destroy(&rig->lock);
	free(rig->arena);
}

/* ---- using ---- */

struct walk_result rig_walk(const struct rig *rig, uint64_t iova)
{
	const struct walk_result r = walk(&rig->walker, iova);

	if (r.violation)
		fail_msg("%s: 0x%llx: %s", rig->what->name, (unsigned long long)iova, r.violation);
	return r;
}

int rig_map(struct rig *rig, uint64_t iova, uint64_t phys, uint64_t size, unsigned prot)
{
	const struct busway_phys_range run = rig_phys(phys, size);

	return busway_pagetable_map(rig->table, busway_dma(iova), &run, 1, prot, NULL);
}

int rig_unmap(struct rig *rig, uint64_t iova, uint64_t size)
{
	return busway_pagetable_unmap(rig->table, rig_range(iova, size), 0, &rig->freed, NULL,
				      NULL);
}
