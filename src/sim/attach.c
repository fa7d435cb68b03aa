/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * attach.c - which IOMMU translates for a device, and what makes it forget.
 */
#include "sim_internal.h"

enum { PAGES = 64, TABLES = 32 }; /* that are remembered */

/* ---- what translates ---- */

static bool arm_setup(struct walk_setup *walk, const struct busway_machine_iommu *is)
{
	const unsigned granule = is->granule_lg2 ? is->granule_lg2 : 12;
	const int start = (int)is->root.start_level;
	const unsigned bits = is->root.input_bits;
	unsigned below; /* bits that tables below the root translate, and the page */

	if ((granule != 12 && granule != 14 && granule != 16) || start < -1 || start > 3)
		return false;
	below = granule + (unsigned)(3 - start) * (granule - 3);
	walk->granule_lg2 = granule;
	walk->start_level = start;
	walk->wide = bits > 48 || is->root.output_bits > 48;
	/* at most 16 tables are joined at the root */
	return bits > below && bits <= 52 && bits <= below + (granule - 3) + 4;
}

static bool make_walk(struct walk_setup *walk, const struct busway_machine_iommu *is)
{
	static const enum walk_kind kinds[] = {
		[BUSWAY_ARM_STAGE1] = WALK_ARM_S1, [BUSWAY_ARM_STAGE2] = WALK_ARM_S2,
		[BUSWAY_VTD_SECOND] = WALK_VTD,    [BUSWAY_AMD_V1] = WALK_AMD,
		[BUSWAY_RISCV_SV] = WALK_RISCV,
	};
	const struct busway_pagetable_root *root = &is->root;

	if ((unsigned)is->format >= BUSWAY_FORMAT_COUNT || root->output_bits < 32 ||
	    root->output_bits > 56)
		return false;
	*walk = (struct walk_setup){
		.kind = kinds[is->format],
		.input_bits = root->input_bits,
		.output_bits = root->output_bits,
		.levels = root->levels,
		.memory_types = is->memory_types,
		.dirty_by_hardware = is->track_dirty,
		.root = root->table.raw,
	};
	if (is->format == BUSWAY_ARM_STAGE1 || is->format == BUSWAY_ARM_STAGE2)
		return arm_setup(walk, is);
	walk->granule_lg2 = 12;
	return root->levels >= 1 && root->levels <= (is->format == BUSWAY_AMD_V1 ? 6 : 5);
}

/* Room for what translates for each device that there is by now. */
static int grow(struct busway_machine *machine)
{
	const size_t count = busway_platform_device_count(machine->platform);
	struct sim_iommu *iommus;

	if (machine->iommu_count >= count)
		return 0;
	iommus = sim_alloc(machine, count, sizeof(*iommus));
	if (!iommus)
		return -BUSWAY_ENOMEM;
	if (machine->iommu_count)
		memcpy(iommus, machine->iommus, machine->iommu_count * sizeof(*iommus));
	sim_free(machine, machine->iommus, machine->iommu_count, sizeof(*iommus));
	machine->iommus = iommus;
	machine->iommu_count = count;
	return 0;
}

static int prepare(struct busway_machine *machine)
{
	const struct busway_machine_options *o = &machine->options;
	const int status = grow(machine);

	if (status || machine->tlb.page_count)
		return status;
	return iotlb_create(&machine->tlb, o->iotlb_pages ? o->iotlb_pages : PAGES,
			    o->iotlb_tables ? o->iotlb_tables : TABLES, machine->memory);
}

int busway_machine_translate(struct busway_machine *machine, busway_device_id device,
			     const struct busway_machine_iommu *iommu)
{
	struct sim_iommu made = {.translates = true};
	int status;

	if (!sim_device_exists(machine, device))
		return -BUSWAY_EINVAL;
	if (!iommu) {
		if (device.index < machine->iommu_count)
			machine->iommus[device.index].translates = false;
		return 0;
	}
	if (!iommu->name || !make_walk(&made.walk, iommu) ||
	    (iommu->track_dirty && machine->options.walks_past_caches))
		return -BUSWAY_EINVAL;
	made.is = *iommu;
	status = prepare(machine);
	if (status == 0)
		machine->iommus[device.index] = made;
	return status;
}

void sim_iommus_destroy(struct busway_machine *machine)
{
	iotlb_destroy(&machine->tlb, machine->memory);
	sim_free(machine, machine->iommus, machine->iommu_count, sizeof(*machine->iommus));
}

const struct sim_iommu *sim_iommu_of(const struct busway_machine *machine, busway_device_id device)
{
	return device.index < machine->iommu_count && machine->iommus[device.index].translates
		       ? &machine->iommus[device.index]
		       : NULL;
}

/* ---- invalidation ---- */

void busway_machine_invalidate(struct busway_machine *machine, uint32_t tag,
			       struct busway_dma_range range, bool tables)
{
	const bool was_draining = machine->draining;

	machine->draining = true;
	for (uint32_t i = 0; !machine->options.undrained && i < machine->iommu_count; i++)
		if (machine->iommus[i].translates && machine->iommus[i].is.tag == tag)
			busway_machine_flush(machine, (busway_device_id){i});
	machine->draining = was_draining;
	if (range.first.raw <= range.last.raw)
		iotlb_forget(&machine->tlb, tag, busway_dma_raw(range), tables);
}
