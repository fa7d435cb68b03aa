/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_bench.c - see iommu_bench.h.
 */
#include "iommu_bench.h"

const struct iommu_case iommu_cases[] = {
	{"arm s1 4K", BUSWAY_ARM_STAGE1, 12, 48, 48},
	{"arm s1 4K, 39 bits", BUSWAY_ARM_STAGE1, 12, 39, 40},
	{"arm s1 4K, 52 bits", BUSWAY_ARM_STAGE1, 12, 52, 52},
	{"arm s1 16K", BUSWAY_ARM_STAGE1, 14, 48, 48},
	{"arm s1 64K", BUSWAY_ARM_STAGE1, 16, 48, 48},
	{"arm s1 64K, 52 bits", BUSWAY_ARM_STAGE1, 16, 52, 52},
	{"arm s2 4K", BUSWAY_ARM_STAGE2, 12, 48, 48},
	{"arm s2 4K, 40 bits", BUSWAY_ARM_STAGE2, 12, 40, 48},
	{"arm s2 16K", BUSWAY_ARM_STAGE2, 14, 40, 48},
	{"arm s2 64K", BUSWAY_ARM_STAGE2, 16, 48, 48},
	{"vt-d, 3 levels", BUSWAY_VTD_SECOND, 12, 39, 46},
	{"vt-d, 4 levels", BUSWAY_VTD_SECOND, 12, 48, 46},
	{"vt-d, 5 levels", BUSWAY_VTD_SECOND, 12, 57, 52},
	{"amd, 3 levels", BUSWAY_AMD_V1, 12, 39, 48},
	{"amd, 4 levels", BUSWAY_AMD_V1, 12, 48, 52},
	{"amd, 6 levels", BUSWAY_AMD_V1, 12, 64, 52},
	{"risc-v 39", BUSWAY_RISCV_SV, 12, 39, 56},
	{"risc-v 48", BUSWAY_RISCV_SV, 12, 48, 48},
	{"risc-v 57", BUSWAY_RISCV_SV, 12, 57, 56},
};
const size_t iommu_case_count = COUNT(iommu_cases);

void iommu_open_drawn(struct iommu_bench *b, const struct iommu_case *what,
		      const struct busway_machine_options *options)
{
	const struct busway_machine_options lenient = {.lenient = true};

	bench_open(&b->bench, options ? options : &lenient);
	b->what = what;
	b->options.name = "iommu@1000";
	b->options.format = what->format;
	b->options.granule_lg2 = what->granule_lg2;
	b->options.input_bits = what->input_bits;
	b->options.output_bits = what->output_bits;
	b->tables = busway_machine_table_memory(b->bench.machine);
	b->freed = (struct busway_freed_tables){{0}, 0};
	b->page = (uint64_t)1 << what->granule_lg2;
	assert_int_equal(busway_pagetable_create(&b->options, &b->tables,
						 &b->bench.memory.allocator, &b->table),
			 0);
}

void iommu_open(struct iommu_bench *b, const struct iommu_case *what,
		const struct busway_machine_options *options)
{
	b->options = (struct busway_pagetable_options){.split = true, .exclusive = true};
	bench_draw(&b->bench);
	iommu_open_drawn(b, what, options);
}

void iommu_close(struct iommu_bench *b)
{
	iommu_release(b);
	busway_pagetable_destroy(b->table);
	bench_close(&b->bench);
}

struct busway_machine_iommu iommu_of(const struct iommu_bench *b)
{
	return (struct busway_machine_iommu){
		.name = b->options.name,
		.format = b->what->format,
		.root = busway_pagetable_root(b->table),
		.granule_lg2 = b->what->granule_lg2,
		.memory_types = b->options.memory_types,
		.track_dirty = b->options.track_dirty,
		.tag = TAG,
	};
}

void iommu_attach(struct iommu_bench *b, uint32_t device)
{
	const struct busway_machine_iommu iommu = iommu_of(b);

	assert_int_equal(
		busway_machine_translate(b->bench.machine, (busway_device_id){device}, &iommu), 0);
}

static struct busway_dma_range iovas(uint64_t first, uint64_t size)
{
	return (struct busway_dma_range){{first}, {first + (size - 1)}};
}

void iommu_map(struct iommu_bench *b, uint64_t iova, uint64_t phys, uint64_t size, unsigned prot)
{
	const struct busway_phys_range run = phys_range(phys, size);
	struct busway_refusal why;

	if (busway_pagetable_map(b->table, busway_dma(iova), &run, 1, prot, &why))
		fail_msg("%s: 0x%" PRIx64 " is not mapped", b->what->name, iova);
}

void iommu_clear(struct iommu_bench *b, uint64_t iova, uint64_t size)
{
	if (busway_pagetable_unmap(b->table, iovas(iova, size), 0, &b->freed, NULL, NULL))
		fail_msg("%s: 0x%" PRIx64 " is not unmapped", b->what->name, iova);
}

void iommu_forget(struct iommu_bench *b, uint64_t iova, uint64_t size, bool tables)
{
	busway_machine_invalidate(b->bench.machine, TAG, iovas(iova, size), tables);
}

void iommu_release(struct iommu_bench *b)
{
	busway_pagetable_release(b->table, &b->freed);
}

void iommu_unmap(struct iommu_bench *b, uint64_t iova, uint64_t size)
{
	iommu_clear(b, iova, size);
	iommu_forget(b, iova, size, b->freed.count > 0);
	iommu_release(b);
}

int iommu_put(struct iommu_bench *b, uint32_t device, uint64_t iova, unsigned char value)
{
	return bench_write(&b->bench, device, iova, &value, 1);
}

int iommu_get(struct iommu_bench *b, uint32_t device, uint64_t iova, unsigned char *value)
{
	return bench_read(&b->bench, device, iova, value, 1);
}
