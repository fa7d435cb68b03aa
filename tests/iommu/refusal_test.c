/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal_test.c - what page tables refuse, in words; and what a refused call leaves behind: nothing.
 */
#include "rig.h"

#include <string.h>

enum { RW = BUSWAY_READ_WRITE };

#define CASE_ARM  0 /* of rig.c: "arm s1 4K 48" */
#define CASE_RISC 22

struct refused {
	const char *because;
	size_t table;
	uint64_t iova, phys, size;
	unsigned prot;
	bool unmap;
	enum busway_reason reason;
	const char *detail;
};

/* 0x200000..0x3fffff is one page, 0x400000..0x400fff another; both lead to 8 GiB above. */
static const struct refused cases[] = {
	{"the last IOVA is 2^48 - 1", CASE_ARM, 0xfffffffff000, 0, 0x2000, RW, false,
	 BUSWAY_IOVA_WIDTH,
	 "iommu@1000: bus 0xfffffffff000..0x1000000000fff: the page table does not take these IOVAs "
	 "(it takes 0x0..0xffffffffffff)"},
	{"an IOVA that would be right without its high bits", CASE_ARM, 0x8000000000401000, 0, 0x1000,
	 RW, false, BUSWAY_IOVA_WIDTH,
	 "iommu@1000: bus 0x8000000000401000..0x8000000000401fff: the page table does not take these "
	 "IOVAs (it takes 0x0..0xffffffffffff)"},
	{"between the halves of Sv39", CASE_RISC, (uint64_t)1 << 38, 0, 0x1000, RW, false,
	 BUSWAY_IOVA_WIDTH,
	 "iommu@1000: bus 0x4000000000..0x4000000fff: the page table does not take these IOVAs (it "
	 "takes 0x0..0x3fffffffff)"},
	{"an output of 49 bits in 48", CASE_ARM, 0x401000, (uint64_t)1 << 48, 0x1000, RW, false,
	 BUSWAY_OUTPUT_WIDTH,
	 "iommu@1000: CPU 0x1000000000000..0x1000000000fff: the page table cannot lead to addresses "
	 "that high (they hold 0x0..0xffffffffffff)"},
	{"the last byte is beyond the width", CASE_ARM, 0x1000, 0xfffffffff000, 0x2000, RW, false,
	 BUSWAY_OUTPUT_WIDTH,
	 "iommu@1000: CPU 0xfffffffff000..0x1000000000fff: the page table cannot lead to addresses "
	 "that high (they hold 0x0..0xffffffffffff)"},
	{"memory from the middle of a page", CASE_ARM, 0x1000, 0x1800, 0x1000, RW, false,
	 BUSWAY_PAGE_ALIGNMENT,
	 "iommu@1000: CPU 0x1800..0x27ff: it does not begin and end with a page of the page table "
	 "(whole pages are 0x1000..0x2fff)"},
	{"an IOVA in the middle of a page", CASE_ARM, 0x1010, 0x1000, 0x1000, RW, false,
	 BUSWAY_PAGE_ALIGNMENT,
	 "iommu@1000: bus 0x1010..0x200f: it does not begin and end with a page of the page table "
	 "(whole pages are 0x1000..0x2fff)"},
	{"a page less one byte", CASE_ARM, 0x1000, 0x1000, 0xfff, RW, true, BUSWAY_PAGE_ALIGNMENT,
	 "iommu@1000: bus 0x1000..0x1ffe: it does not begin and end with a page of the page table "
	 "(whole pages are 0x1000..0x1fff)"},
	{"the middle of it is mapped", CASE_ARM, 0x3ff000, 0x1000, 0x1000, RW, false,
	 BUSWAY_ALREADY_MAPPED,
	 "iommu@1000: bus 0x3ff000..0x3fffff: something is mapped there already (what is mapped is "
	 "0x200000..0x3fffff)"},
	{"its last page is mapped", CASE_ARM, 0x1ff000, 0x1000, 0x2000, RW, false,
	 BUSWAY_ALREADY_MAPPED,
	 "iommu@1000: bus 0x1ff000..0x200fff: something is mapped there already (what is mapped is "
	 "0x200000..0x3fffff)"},
	{"a large page where a small one is", CASE_ARM, 0x400000, 0x400000, 0x200000, RW, false,
	 BUSWAY_ALREADY_MAPPED,
	 "iommu@1000: bus 0x400000..0x5fffff: something is mapped there already (what is mapped is "
	 "0x400000..0x400fff)"},
	{"nothing behind the page", CASE_ARM, 0x400000, 0, 0x2000, RW, true, BUSWAY_NOT_MAPPED,
	 "iommu@1000: bus 0x400000..0x401fff: not all of it is mapped (nothing is at "
	 "0x401000..0x401fff)"},
	{"half of a large page", CASE_ARM, 0x200000, 0, 0x100000, RW, true, BUSWAY_WOULD_SPLIT,
	 "iommu@1000: bus 0x200000..0x2fffff: it is a part of a page, which may not be split or has "
	 "no smaller ones (the page is 0x200000..0x3fffff)"},
	{"the other half, and more", CASE_ARM, 0x300000, 0, 0x101000, RW, true, BUSWAY_WOULD_SPLIT,
	 "iommu@1000: bus 0x300000..0x400fff: it is a part of a page, which may not be split or has "
	 "no smaller ones (the page is 0x200000..0x3fffff)"},
	{"stage 1 cannot forbid reading", CASE_ARM, 0x1000, 0x1000, 0x1000, BUSWAY_WRITE, false,
	 BUSWAY_PERMISSION,
	 "iommu@1000: bus 0x1000..0x1fff: the format of the page table cannot say that this is "
	 "allowed, and nothing else"},
	{"nothing is allowed", CASE_ARM, 0x1000, 0x1000, 0x1000, 0, false, BUSWAY_PERMISSION,
	 "iommu@1000: bus 0x1000..0x1fff: the format of the page table cannot say that this is "
	 "allowed, and nothing else"},
	{"rights that nobody knows", CASE_ARM, 0x1000, 0x1000, 0x1000, 64 | RW, false,
	 BUSWAY_PERMISSION,
	 "iommu@1000: bus 0x1000..0x1fff: the format of the page table cannot say that this is "
	 "allowed, and nothing else"},
	{"device memory without Svpbmt", CASE_RISC, 0x1000, 0x1000, 0x1000,
	 RW | BUSWAY_PROT_DEVICE, false, BUSWAY_PERMISSION,
	 "iommu@1000: bus 0x1000..0x1fff: the format of the page table cannot say that this is "
	 "allowed, and nothing else"},
};

static void each_reason_is_given_and_changes_nothing(void **state)
{
	bool provoked[BUSWAY_REASON_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct refused *c = &cases[i];
		const struct busway_phys_range run = rig_phys(c->phys, c->size);
		struct busway_refusal why = {0};
		static struct rig rig;
		uint64_t unmapped = 77;
		char detail[512];
		size_t live;
		int status;

		rig_make(&rig, &table_cases[c->table]);
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, 0x200000, 0x200200000, 0x200000, RW), 0);
		assert_int_equal(rig_map(&rig, 0x400000, 0x200400000, 0x1000, RW), 0);
		live = rig.live;
		status = c->unmap
				 ? busway_pagetable_unmap(rig.table, rig_range(c->iova, c->size), 0,
							  &rig.freed, &unmapped, &why)
				 : busway_pagetable_map(rig.table, busway_dma(c->iova), &run, 1,
							c->prot, &why);
		busway_refusal_detail(&why, detail, sizeof(detail));
		if (status != -BUSWAY_ERANGE || why.reason != c->reason || strcmp(detail, c->detail))
			fail_msg("%s: %d, %s", c->because, status, detail);
		provoked[why.reason] = true;
		assert_int_equal(unmapped, 77);
		assert_int_equal(rig.freed.count, 0);
		assert_int_equal(rig.live, live);
		assert_int_equal(rig_walk(&rig, 0x3fffff).phys, 0x2003fffff);
		assert_int_equal(rig_walk(&rig, 0x400fff).phys, 0x200400fff);
		assert_false(rig_walk(&rig, 0x401000).mapped);
		assert_false(rig_walk(&rig, 0x1ff000).mapped);
		assert_false(rig_walk(&rig, 0x1000).mapped);
		/* and without a record all the same */
		assert_int_equal(c->unmap ? rig_unmap(&rig, c->iova, c->size)
					  : rig_map(&rig, c->iova, c->phys, c->size, c->prot),
				 -BUSWAY_ERANGE);
		rig_close(&rig);
	}
	/* mixed-trust is of the DMA API: map/translated_test.c */
	for (int r = BUSWAY_IOVA_WIDTH; r <= BUSWAY_PERMISSION; r++)
		if (!provoked[r])
			fail_msg("nothing provokes %s", busway_reason_code((enum busway_reason)r));
}

static void lists_that_make_no_sense_are_refused(void **state)
{
	const struct busway_phys_range backwards = {{0x2000}, {0x0fff}};
	const struct busway_phys_range huge[] = {{{0}, {UINT64_MAX - 0xfff}}, {{0}, {0x1fff}}};
	const struct busway_phys_range high[] = {rig_phys(0x1000, 0x1000),
						 rig_phys((uint64_t)1 << 52, 0x1000)};
	struct busway_refusal why;
	static struct rig rig;

	(void)state;
	rig_make(&rig, &table_cases[CASE_ARM]);
	rig_open(&rig);
	assert_int_equal(busway_pagetable_map(rig.table, busway_dma(0), high, 0, RW, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_pagetable_map(rig.table, busway_dma(0), &backwards, 1, RW, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_pagetable_map(rig.table, busway_dma(0), huge, 2, RW, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_pagetable_map(rig.table, busway_dma(0), high, 2, RW, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_OUTPUT_WIDTH);
	assert_int_equal(why.asked.first, (uint64_t)1 << 52);
	assert_int_equal(busway_pagetable_unmap(rig.table,
						(struct busway_dma_range){{0x1000}, {0x0fff}}, 0,
						&rig.freed, NULL, NULL),
			 -BUSWAY_EINVAL);
	rig_close(&rig);
}

/* Also where nothing is missing but the entries. */
static void each_page_of_a_list_is_looked_at(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		const uint64_t page = (uint64_t)1 << table_cases[i].granule_lg2;
		const uint64_t iova = 4 * page, half = page / 2;
		const struct busway_phys_range bad[] = {
			rig_phys((uint64_t)1 << table_cases[i].output_bits, page),
			rig_phys(2 * page + 1, page - 2),
			{{2 * page + half}, {2 * page + half - 1}}, /* nothing, backwards */
			rig_phys(2 * page + half, page),
		};
		static struct rig rig;

		rig_make(&rig, &table_cases[i]);
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, iova - page, 0, page, RW), 0);
		for (size_t k = 0; k < 3 * COUNT(bad); k++) {
			struct busway_phys_range runs[3] = {
				rig_phys(0, page), rig_phys(3 * page, page), rig_phys(page, page)};

			runs[k % 3] = bad[k / 3];
			assert_int_not_equal(busway_pagetable_map(rig.table, busway_dma(iova), runs,
								  3, RW, NULL),
					     0);
			runs[k % 3] = rig_phys(2 * page, page);
			assert_int_not_equal(busway_pagetable_map(rig.table, busway_dma(iova + half),
								  runs, 3, RW, NULL),
					     0);
			if (rig.what->input_bits < 64)
				assert_int_not_equal(
					busway_pagetable_map(
						rig.table,
						busway_dma(iova |
							   (uint64_t)1 << rig.what->input_bits),
						runs, 3, RW, NULL),
					0);
			for (unsigned n = 0; n < 3; n++)
				assert_false(rig_walk(&rig, iova + n * page).mapped);
		}
		rig_close(&rig);
	}
}

static void widths_that_do_not_exist_are_refused(void **state)
{
	static const struct {
		const char *because;
		enum busway_pagetable_format format;
		unsigned granule_lg2, input, output;
		bool ok;
	} widths[] = {
		{"Arm has no 8K", BUSWAY_ARM_STAGE1, 13, 48, 48, false},
		{"Arm ends at 52 bits", BUSWAY_ARM_STAGE1, 12, 53, 48, false},
		{"and so do addresses", BUSWAY_ARM_STAGE1, 12, 48, 53, false},
		{"Arm begins at 25 bits", BUSWAY_ARM_STAGE1, 12, 24, 48, false},
		{"which is enough", BUSWAY_ARM_STAGE1, 12, 25, 48, true},
		{"also with 64K", BUSWAY_ARM_STAGE2, 16, 25, 48, true},
		{"stage 2 takes no more bits than it gives", BUSWAY_ARM_STAGE2, 12, 48, 44, false},
		{"as many", BUSWAY_ARM_STAGE2, 12, 44, 44, true},
		{"and 40 always", BUSWAY_ARM_STAGE2, 12, 40, 36, true},
		{"stage 1 does", BUSWAY_ARM_STAGE1, 12, 48, 36, true},
		{"nothing said is 48, 48, 4K", BUSWAY_ARM_STAGE1, 0, 0, 0, true},
		{"VT-d has steps of 9", BUSWAY_VTD_SECOND, 12, 40, 48, false},
		{"VT-d has 4K only", BUSWAY_VTD_SECOND, 16, 48, 48, false},
		{"VT-d's addresses end at 52", BUSWAY_VTD_SECOND, 12, 48, 53, false},
		{"AMD takes all of 64 bits", BUSWAY_AMD_V1, 12, 64, 52, true},
		{"and no more", BUSWAY_AMD_V1, 12, 65, 52, false},
		{"AMD begins at a level of 21 bits", BUSWAY_AMD_V1, 12, 20, 52, false},
		{"there is no Sv64", BUSWAY_RISCV_SV, 12, 64, 48, false},
		{"RISC-V has 56 bits", BUSWAY_RISCV_SV, 12, 39, 56, true},
		{"not 57", BUSWAY_RISCV_SV, 12, 39, 57, false},
		{"no such format", BUSWAY_FORMAT_COUNT, 12, 48, 48, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(widths); i++) {
		const struct busway_pagetable_options options = {
			.format = widths[i].format,
			.input_bits = widths[i].input,
			.output_bits = widths[i].output,
			.granule_lg2 = widths[i].granule_lg2,
		};
		struct busway_pagetable *table = NULL;
		static struct rig rig;
		int status;

		rig_make(&rig, &table_cases[CASE_ARM]);
		rig_open(&rig);
		status = busway_pagetable_create(&options, &rig.tables, &rig.memory.allocator, &table);
		if (status != (widths[i].ok ? 0 : -BUSWAY_EINVAL))
			fail_msg("%s: %d", widths[i].because, status);
		busway_pagetable_destroy(table);
		rig_close(&rig);
	}
}

static void *high_table(void *ctx, size_t size, busway_phys_t *phys)
{
	static _Alignas(4096) unsigned char page[4096];

	(void)ctx, (void)size;
	phys->raw = (uint64_t)1 << 40;
	return page;
}

static void forget(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)table, (void)phys, (void)size;
	++*(unsigned *)ctx;
}

static void *to_page(void *ctx, busway_phys_t phys)
{
	busway_phys_t ignored;

	(void)phys;
	return high_table(ctx, 0, &ignored);
}

static void a_table_beyond_the_width_is_given_back(void **state)
{
	const struct busway_pagetable_options options = {.format = BUSWAY_VTD_SECOND,
							 .output_bits = 40};
	unsigned given_back = 0;
	const struct busway_table_memory tables = {
		.alloc = high_table, .free = forget, .pointer = to_page, .ctx = &given_back};
	struct busway_pagetable *table;
	struct test_memory memory;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_pagetable_create(&options, &tables, &memory.allocator, &table),
			 -BUSWAY_ENOMEM);
	assert_int_equal(given_back, 1);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_is_given_and_changes_nothing),
		cmocka_unit_test(lists_that_make_no_sense_are_refused),
		cmocka_unit_test(each_page_of_a_list_is_looked_at),
		cmocka_unit_test(widths_that_do_not_exist_are_refused),
		cmocka_unit_test(a_table_beyond_the_width_is_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
