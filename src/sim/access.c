/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * access.c - an access of a device: cut where its way changes, each piece followed to its end.
 */
#include "sim_internal.h"

/* An access, or what is left of one. */
struct access {
	struct busway_machine *machine;
	busway_device_id device;
	enum busway_access access; /* one of both */
	struct busway_range dma;
	unsigned char *bytes; /* of dma.first */
	size_t whole;         /* bytes of the access that it was at first */
};

/* Nobody answers. @by: what stands there, where that is not the region or window; else NULL */
static int refuse_by(const struct access *a, const struct busway_landing *l,
		     enum busway_violation_kind kind, const char *by)
{
	struct busway_violation v = sim_violation(a->machine, kind, a->device, a->access, l);

	if (by)
		v.by = by;
	if (a->access == BUSWAY_READ)
		memset(a->bytes, 0xff, (size_t)busway_range_span(l->dma) + 1);
	v.has_trace = sim_nearest(a->machine, a->device, l->dma.first, &v.trace);
	sim_violate(a->machine, &v);
	return -BUSWAY_ERANGE;
}

static int refuse(const struct access *a, const struct busway_landing *l,
		  enum busway_violation_kind kind)
{
	return refuse_by(a, l, kind, NULL);
}

/* An interrupt is a write of four bytes, no more and no less. */
static int ring(const struct access *a, const struct busway_landing *l)
{
	struct busway_machine *machine = a->machine;
	const unsigned char *b = a->bytes;

	if (a->access != BUSWAY_WRITE || a->whole != 4 || busway_range_span(l->dma) != 3 ||
	    l->at.first % 4)
		return refuse(a, l, BUSWAY_VIOLATION_DOORBELL);
	machine->interrupts++;
	machine->last_interrupt = (struct busway_interrupt){
		.device = a->device,
		.dma = {l->dma.first},
		.doorbell = l->region,
		.value = b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24,
	};
	if (machine->options.interrupt)
		machine->options.interrupt(machine->options.ctx, &machine->last_interrupt);
	return 0;
}

/* @size bytes of a store, from @phys on. */
static void move(const struct access *a, const struct sim_store *store, uint64_t phys, size_t size)
{
	const bool coherent = sim_sees_caches(a->machine, a->device);

	if (a->access == BUSWAY_READ) {
		memcpy(a->bytes, sim_byte(store, coherent ? VIEW_CACHED : VIEW_MEMORY, phys), size);
		return;
	}
	memcpy(sim_byte(store, VIEW_MEMORY, phys), a->bytes, size);
	if (coherent) {
		memcpy(sim_byte(store, VIEW_CACHED, phys), a->bytes, size);
		memcpy(sim_byte(store, VIEW_SYNCED, phys), a->bytes, size);
	}
}

/*
 * What the fabric does not know as memory may be registers that are mapped for the device. Cuts @l
 * behind what is mapped; false: it is not.
 */
static bool reach_peer(const struct access *a, struct busway_landing *l)
{
	const struct busway_machine_options *o = &a->machine->options;
	struct busway_range dma = l->dma;
	const struct sim_segment *segment = sim_segment_at(a->machine, a->device, a->access, &dma);
	const size_t size = (size_t)busway_range_span(dma) + 1;

	if ((l->refused != BUSWAY_VIOLATION_NO_MEMORY && l->refused != BUSWAY_VIOLATION_APERTURE) ||
	    !segment || segment->mapping->kind != BUSWAY_KIND_PEER ||
	    !sim_allows(segment->mapping, a->access))
		return false;
	l->dma = dma;
	if (a->access == BUSWAY_READ)
		memset(a->bytes, 0xff, size);
	if (o->registers)
		o->registers(o->ctx, busway_phys(sim_phys_of(segment, dma.first)), a->bytes, size,
			     a->access);
	return true;
}

/*
 * Cuts @l behind what is in one store. Tables are kept from devices: those who follow their entries
 * trust them. @judge: what is mapped says what the device may do there
 */
static int land(const struct access *a, struct busway_landing *l, bool judge)
{
	const bool is_cpu = l->space.index == BUSWAY_CPU_SPACE.index;
	const struct sim_store *store = is_cpu ? sim_store_at(a->machine, l->at.first) : NULL;
	bool is_table;

	if (!store)
		return refuse(a, l, BUSWAY_VIOLATION_NO_MEMORY);
	if (l->at.last > store->phys.last)
		l->at.last = store->phys.last;
	is_table = a->access == BUSWAY_WRITE && sim_cut_table(a->machine, &l->at);
	l->dma = sim_leading(l->dma, busway_range_span(l->at) + 1);
	if (is_table)
		return refuse_by(a, l, BUSWAY_VIOLATION_CARVEOUT, "a page table");
	if (judge)
		sim_judge(a->machine, a->device, a->access, l);
	move(a, store, l->at.first, (size_t)busway_range_span(l->at) + 1);
	return 0;
}

/* The IOMMU goes by something that is not so any more. */
static void tell_translation(const struct access *a, const struct busway_landing *l,
			     enum busway_violation_kind kind)
{
	struct busway_violation v = sim_violation(a->machine, kind, a->device, a->access, l);

	v.has_trace = sim_nearest(a->machine, a->device, l->dma.first, &v.trace);
	sim_violate(a->machine, &v);
}

/* Follows the first piece of @a. False: it was told that the IOMMU leads it astray. */
static bool follow(const struct access *a, struct busway_landing *l)
{
	const struct sim_iommu *iommu = sim_iommu_of(a->machine, a->device);
	struct sim_translation t;

	if (!sim_route_begin(a->machine, a->device, a->dma, a->access, l))
		return true;
	t = sim_translate(a->machine, iommu, l->at.first, a->access);
	if (!sim_translated(iommu, &t, l))
		return true; /* refused for that reason */
	sim_route_end(a->machine, a->device, a->access, l);
	if (t.kind)
		tell_translation(a, l, t.kind);
	return t.kind == BUSWAY_NO_VIOLATION;
}

/* Does the first piece of @a, and tells how long it was. */
static int do_piece(const struct access *a, size_t *size)
{
	struct busway_landing l;
	const bool judge = follow(a, &l);
	int status;

	if (l.refused && reach_peer(a, &l))
		status = 0;
	else if (l.refused)
		status = refuse(a, &l, l.refused);
	else if (l.region->kind == BUSWAY_REGION_DOORBELL)
		status = ring(a, &l);
	else
		status = land(a, &l, judge);
	*size = (size_t)busway_range_span(l.dma) + 1;
	return status;
}

static int do_access(struct access *a)
{
	size_t left = a->whole;
	int result = 0;

	while (left) {
		size_t size = left;
		const int status = do_piece(a, &size);

		if (status)
			result = status;
		left -= size;
		a->dma.first += size;
		a->bytes += size;
	}
	return result;
}

int sim_write(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
	      const void *bytes, size_t size)
{
	/* the bytes of a write are only read */
	struct access a = {machine,
			   device,
			   BUSWAY_WRITE,
			   {dma.raw, dma.raw + (size - 1)},
			   (unsigned char *)(uintptr_t)bytes,
			   size};

	return do_access(&a);
}

static bool is_access(const struct busway_machine *machine, busway_device_id device,
		      busway_dma_t dma, size_t size)
{
	struct busway_range range;

	return sim_device_exists(machine, device) && busway_range_make(dma.raw, size, &range);
}

int busway_machine_read(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
			void *to, size_t size)
{
	if (!is_access(machine, device, dma, size))
		return -BUSWAY_EINVAL;
	busway_machine_flush(machine, device);
	sim_pass_time(machine);
	return do_access(&(struct access){
		machine, device, BUSWAY_READ, {dma.raw, dma.raw + (size - 1)}, to, size});
}

int busway_machine_write(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
			 const void *from, size_t size, unsigned flags)
{
	if (!is_access(machine, device, dma, size))
		return -BUSWAY_EINVAL;
	if (machine->options.posted) {
		sim_pass_time(machine);
		if (sim_post(machine, device, dma, from, size, flags & BUSWAY_WRITE_RELAXED))
			return 0;
	}
	return sim_write(machine, device, dma, from, size);
}

uint64_t busway_machine_interrupts(const struct busway_machine *machine,
				   struct busway_interrupt *last)
{
	if (last && machine->interrupts)
		*last = machine->last_interrupt;
	return machine->interrupts;
}
