/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.c - which IOVAs a device behind an IOMMU can use. Read <busway/iova.h> first.
 */
#include "iova_internal.h"

#include "../base/bytes.h"
#include "../base/sort.h"
#include "reach_internal.h"

#include <busway/resolve.h>

static void give_removed(struct busway_iova *iova)
{
	if (iova->removed)
		iova->memory_->free(iova->memory_->ctx, iova->removed,
				    iova->removed_capacity_ * sizeof(*iova->removed),
				    _Alignof(struct busway_iova_removed));
}

int iova_make_room(struct busway_iova *iova, size_t more)
{
	const size_t wanted = iova->removed_count + more;
	const size_t twice = iova->removed_capacity_ ? 2 * iova->removed_capacity_ : 8;
	const size_t capacity = wanted < twice ? twice : wanted;
	struct busway_iova_removed *grown;

	if (wanted <= iova->removed_capacity_)
		return 0;
	grown = iova->memory_->alloc(iova->memory_->ctx, capacity * sizeof(*grown),
				     _Alignof(struct busway_iova_removed));
	if (!grown)
		return -BUSWAY_ENOMEM;
	if (iova->removed_count)
		memcpy(grown, iova->removed, iova->removed_count * sizeof(*grown));
	give_removed(iova);
	iova->removed = grown;
	iova->removed_capacity_ = capacity;
	return 0;
}

int iova_take_away(struct busway_iova *iova, struct busway_range range,
		   enum busway_iova_cause cause, const char *by)
{
	if (iova_make_room(iova, 1))
		return -BUSWAY_ENOMEM;
	iova->removed[iova->removed_count++] = (struct busway_iova_removed){range, cause, by};
	return busway_intervals_remove(&iova->allowed, range);
}

int iova_take_outside(struct busway_iova *iova, const struct busway_range *ranges, size_t count,
		      enum busway_iova_cause cause, const char *by)
{
	uint64_t next = 0;
	int status = 0;

	for (size_t i = 0; i < count && !status; i++) {
		if (ranges[i].first > next)
			status = iova_take_away(
				iova, (struct busway_range){next, ranges[i].first - 1}, cause, by);
		if (ranges[i].last == UINT64_MAX)
			return status;
		next = ranges[i].last + 1;
	}
	return status ? status
		      : iova_take_away(iova, (struct busway_range){next, UINT64_MAX}, cause, by);
}

/*
 * The space whose windows the device's addresses meet first. What passes everything 1:1 (a bridge
 * that inherits the table above it) does not count. Only the bus side of these windows is a limit:
 * where they lead is the IOMMU's matter, and so is what the levels above make of it.
 */
static busway_space_id first_windows(const struct busway_platform *platform, busway_space_id space)
{
	for (unsigned hops = 0; hops < BUSWAY_HOPS_MAX; hops++) {
		const struct space_entry *entry = space_entry(platform, space);
		const struct busway_window *window =
			entry->windows.count ? window_at(platform, entry->windows.runs[0].index)
					     : NULL;

		if (space.index == BUSWAY_CPU_SPACE.index || !window || window->in.first ||
		    window->in.last != UINT64_MAX || window->out.raw || entry->windows.count > 1)
			break;
		space = window->to;
	}
	return space;
}

/* Does a window of @space lead to a PCI bus? Then a bridge's windows come before its IOMMU, too. */
static bool leads_to_pci(const struct busway_platform *platform, busway_space_id space)
{
	for (uint32_t i = platform->outgoing.head[space.index]; i != UINT32_MAX;
	     i = platform->outgoing.next[i])
		if (space_entry(platform, window_at(platform, i)->to)->space.kind ==
		    BUSWAY_SPACE_PCI)
			return true;
	return false;
}

static int remove_holes(struct busway_iova *iova, const struct busway_platform *platform,
			const struct busway_device *device, const char *by)
{
	const busway_space_id space = first_windows(platform, device->dma.enters);
	const struct space_entry *first = space_entry(platform, space);
	const struct busway_allocator *memory = iova->memory_;
	struct flat flat = {.memory = memory};
	const bool limited = space.index != BUSWAY_CPU_SPACE.index;
	const bool through = limited && leads_to_pci(platform, space);
	int status = through ? flatten(platform, device->dma.enters, FLATTEN_WINDOWS, &flat) : 0;
	const size_t count = through ? flat.count : first->windows.count;
	struct busway_range *windows;

	if (status || !limited)
		return status; /* nothing limits what is at the CPU's space already */
	windows = memory->alloc(memory->ctx, (count + 1) * sizeof(*windows),
				_Alignof(struct busway_range));
	for (size_t i = 0; windows && i < count; i++)
		windows[i] = through ? busway_dma_raw(flat.pieces[i].piece.dma)
				     : first->windows.runs[i].range;
	flat_free(&flat);
	if (!windows)
		return -BUSWAY_ENOMEM;
	status = iova_take_outside(iova, windows, count, BUSWAY_IOVA_NO_WINDOW, by);
	memory->free(memory->ctx, windows, (count + 1) * sizeof(*windows),
		     _Alignof(struct busway_range));
	return status;
}

/* Bridges further up answer, too, before an IOMMU sees the access. */
static int remove_apertures_above(struct busway_iova *iova, const struct busway_platform *platform,
				  const struct busway_device *device)
{
	struct flat flat = {.memory = iova->memory_};
	int status = flatten(platform, device->dma.enters, FLATTEN_APERTURES, &flat);

	for (size_t i = 0; i < flat.count && !status; i++) {
		const struct busway_region *region =
			region_at(platform, flat.pieces[i].piece.target.index);

		/* those of the first space are told whole, below */
		if (region->space.index != device->dma.enters.index ||
		    flat.pieces[i].piece.dma.first.raw != flat.pieces[i].piece.phys.raw)
			status = iova_take_away(iova, busway_dma_raw(flat.pieces[i].piece.dma),
						BUSWAY_IOVA_APERTURE, region->name);
	}
	flat_free(&flat);
	return status;
}

static int remove_apertures(struct busway_iova *iova, const struct busway_platform *platform,
			    const struct busway_device *device)
{
	int status = remove_apertures_above(iova, platform, device);

	for (uint32_t i = 0; i < platform->regions.count && !status; i++) {
		const struct busway_region *region = region_at(platform, i);

		if (region->kind == BUSWAY_REGION_APERTURE &&
		    region->space.index == device->dma.enters.index)
			status = iova_take_away(iova, region->range, BUSWAY_IOVA_APERTURE,
						region->name);
	}
	return status;
}

/* What the device cannot emit, between the runs that it can. */
static int remove_unemitted(struct busway_iova *iova, const struct busway_device *device,
			    const struct busway_emission *emission)
{
	struct busway_range run;
	uint64_t next = 0;
	int status = 0;

	while (!status && emission_next(emission, next, &run)) {
		if (iova->removed_count > BUSWAY_PIECES_MAX)
			return -BUSWAY_E2BIG;
		if (run.first > next)
			status = iova_take_away(iova, (struct busway_range){next, run.first - 1},
						BUSWAY_IOVA_EMISSION, device->name);
		if (run.last == UINT64_MAX)
			return status;
		next = run.last + 1;
	}
	return status ? status
		      : iova_take_away(iova, (struct busway_range){next, UINT64_MAX},
				       BUSWAY_IOVA_EMISSION, device->name);
}

/* Nodes of a device tree have paths from its root; others are named by the file that says so. */
static enum busway_iova_cause cause_of(const struct busway_region *reserved)
{
	return reserved->name[0] == '/' ? BUSWAY_IOVA_RESERVED : BUSWAY_IOVA_SYSTEM;
}

static bool comes_before(const void *a, const void *b)
{
	const struct busway_iova_removed *x = a, *y = b;

	return x->range.first != y->range.first ? x->range.first < y->range.first
						: x->range.last < y->range.last;
}

static int build(struct busway_iova *iova, const struct busway_platform *platform,
		 const struct busway_device *device, const struct busway_emission *emission)
{
	const char *source = device->dma.source ? device->dma.source : device->name;
	int status = busway_intervals_add(&iova->allowed, BUSWAY_RANGE_ALL);

	if (!status)
		status = remove_holes(iova, platform, device, source);
	if (!status)
		status = remove_apertures(iova, platform, device);
	for (size_t i = 0; i < device->iova_reserved_count && !status; i++)
		status = iova_take_away(iova, device->iova_reserved[i].range,
					cause_of(&device->iova_reserved[i]),
					device->iova_reserved[i].name);
	if (!status)
		status = remove_unemitted(iova, device, emission);
	if (!status)
		sort(iova->removed, iova->removed_count, sizeof(*iova->removed), comes_before);
	return status;
}

int busway_iova_build(const struct busway_platform *platform, busway_device_id device,
		      const struct busway_emission *emission, const struct busway_allocator *memory,
		      struct busway_iova *out)
{
	struct busway_iova iova = {.memory_ = memory};
	const struct busway_device *dev;
	int status;

	if (!platform->sealed || device.index >= platform->devices.count)
		return -BUSWAY_EINVAL;
	dev = busway_platform_device(platform, device);
	busway_intervals_init(&iova.allowed, memory);
	status = build(&iova, platform, dev, emission ? emission : &dev->emission);
	if (status)
		busway_iova_free(&iova);
	else
		*out = iova;
	return status;
}

void busway_iova_free(struct busway_iova *iova)
{
	busway_intervals_clear(&iova->allowed);
	give_removed(iova);
	iova->removed = NULL;
	iova->removed_count = iova->removed_capacity_ = 0;
}
