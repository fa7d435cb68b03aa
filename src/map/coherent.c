/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * coherent.c - memory that CPU and device share, from pools. Read <busway/coherent.h> first.
 */
#include "live.h"

/* ---- allocation ---- */

/* Where the CPU sees the slots so that the device's view is the same; NULL: nowhere. */
static unsigned char *shared_view(const struct busway_dma_device *device, const struct run *run)
{
	const struct busway_dma_environment *e = &device->dma->environment;
	const struct pool *pool = run->span->pool;
	const uint64_t at = pool_offset(run->first);

	if (!device->caches)
		return pool->cached + at;
	if (!pool->uncached)
		return NULL;
	/* nothing may be left in the caches that is written back, or read, later on; slots are
	 * whole lines, and what they held is nobody's */
	e->invalidate(e->ctx, pool->cached + at, (size_t)pool_offset(run->count));
	return pool->uncached + at;
}

/* Is there a pool that would serve, if the CPU could see it past its caches? */
static bool lacks_view(const struct busway_dma_device *device)
{
	struct busway_dma *dma = device->dma;
	bool lacks = false;

	lock_take(&dma->lock);
	for (const struct pool *pool = dma->pools; pool && device->caches; pool = pool->next)
		lacks |= pool->index == UINT32_MAX && (pool->use & BUSWAY_USE_COHERENT) &&
			 !pool->uncached;
	lock_give(&dma->lock);
	return lacks;
}

static int refuse_run(const struct busway_lane *lane, const struct want *want,
		      struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;
	const struct busway_range asked = {0, want->size - 1};

	run_refuse(device, &device->coherent.spans, want, asked, why);
	if (why->reason == BUSWAY_NO_POOL && (device->shared || device->bounce))
		why->by = (device->shared ? device->shared : device->bounce)->name;
	else if (why->reason == BUSWAY_NO_POOL && lacks_view(device))
		refuse_as(lane, BUSWAY_NO_POINTER, asked, why);
	return -BUSWAY_ERANGE;
}

static int find_run(struct busway_lane *lane, const struct want *want, unsigned flags,
		    struct run *run, struct busway_refusal *why)
{
	struct busway_dma_device *device = lane->device;
	const struct spans *spans = &device->coherent.spans;
	const bool grows = !device->shared && !device->bounce &&
			   !(flags & BUSWAY_COHERENT_ATOMIC) && device->dma->environment.more;
	int status = 0;

	if (run_take(spans, want, lane->area, run))
		return 0;
	if (grows)
		status = grow(device, &device->coherent, want, BUSWAY_USE_COHERENT);
	if (grows && status == 0 && run_take(spans, want, lane->area, run))
		return 0;
	return refuse_run(lane, want, why);
}

/* A run for it, all slots zeroed, and where the CPU sees its bytes. */
static int take_zeroed(struct busway_lane *lane, uint64_t size, const struct want *want,
		       unsigned flags, struct run *run, void **cpu, struct busway_refusal *why)
{
	const struct busway_range asked = {0, size - 1};
	unsigned char *slots;
	int status;

	if (lane->device->untrusted && !lane->device->bounce && !lane->device->shared &&
	    !lane->device->domain) {
		refuse_as(lane, BUSWAY_UNCONFINED, asked, why);
		return -BUSWAY_ERANGE;
	}
	if (!fits_segment(lane->device, size)) {
		refuse_limits(lane, asked, why);
		return -BUSWAY_ERANGE;
	}
	status = find_run(lane, want, flags, run, why);
	if (status)
		return status;
	slots = shared_view(lane->device, run);
	if (!slots) {
		slot_pool_give(&run->span->pool->slots, run->first, run->count, lane->area);
		refuse_as(lane, BUSWAY_NO_POINTER, asked, why);
		return -BUSWAY_ERANGE;
	}
	memset(slots, 0, (size_t)pool_offset(run->count));
	*cpu = slots + run->offset;
	return 0;
}

/* Through an IOMMU: whole pages, for nothing else; where they are is the IOVA's matter. */
static struct want want_of(const struct busway_dma_device *device, uint64_t size, uint64_t align)
{
	const uint64_t page = device->domain ? busway_domain_granule(device->domain) : 1;

	if (!device->domain)
		return (struct want){
			.size = size, .modulus = align, .boundary = device->segments.boundary};
	return (struct want){.size = (size + page - 1) & ~(page - 1), .modulus = page};
}

int busway_coherent_alloc(struct busway_lane *lane, uint64_t size, uint64_t align, unsigned flags,
			  struct busway_coherent *out, struct busway_refusal *why)
{
	struct busway_dma_device *device = lane->device;
	const struct want want = want_of(device, size, align);
	struct busway_mapping *mapping = &out->mapping_;
	struct busway_refusal own_why;
	struct run run;
	void *cpu;
	int status;

	if (!why)
		why = &own_why;
	if (size == 0 || size > SIZE_MAX / 2 || !busway_is_power_of_two(align) ||
	    !map_arguments(lane, mapping, BUSWAY_BIDIRECTIONAL))
		return -BUSWAY_EINVAL;
	status = take_zeroed(lane, size, &want, flags, &run, &cpu, why);
	if (status) {
		map_ended(lane, mapping, STATE_REFUSED);
		return status;
	}
	*out = (struct busway_coherent){
		.cpu = cpu,
		.phys = {pool_phys(run.span->pool, run.first) + run.offset},
		.dma = {run.dma},
		.size = size,
	};
	mapping->one_ = bounced_segment(
		device, &run, (struct busway_range){out->phys.raw, out->phys.raw + (size - 1)});
	mapping->dma = out->dma;
	describe_one(mapping, BUSWAY_KIND_COHERENT, size, BUSWAY_BIDIRECTIONAL, 0);
	mapping->way = BUSWAY_WAY_DIRECT;
	mapping->pointer_ = cpu;
	mapping->lane_ = lane;
	if (device->domain) {
		const struct busway_iova_request where = {
			.align = align,
			.boundary = device->segments.boundary,
			.last = busway_bits_last(device->coherent.bits),
		};

		status = translated_slots(lane, mapping, &where, why);
		if (status) {
			out->cpu = NULL;
			out->phys.raw = out->dma.raw = out->size = 0;
			return status;
		}
		out->dma = mapping->dma = mapping->one_.dma.first;
	}
	map_live(lane, mapping);
	return 0;
}

/* Nobody's bytes stay: not in slots that an untrusted device reaches as ever, nor in the caches,
 * which know nothing of what went past them. */
static void leave_slots(const struct busway_dma_device *device,
			const struct busway_mapping *mapping)
{
	const struct busway_mapped *segment = &mapping->one_;
	const size_t size = (size_t)pool_offset(bounced_slots(segment));

	if (device->untrusted)
		memset((unsigned char *)mapping->pointer_ - segment->offset_, 0, size);
	caches_to_cpu(device, segment->pool_->cached + pool_offset(segment->slot_), size);
}

static void free_live(struct busway_mapping *mapping)
{
	struct busway_lane *lane = mapping->lane_;

	observe(lane, BUSWAY_EVENT_UNMAPPED, mapping, 0, mapping->size);
	live_remove(lane, mapping);
	if (lane->device->domain)
		translated_unmap(mapping, true);
	leave_slots(lane->device, mapping);
	map_ended(lane, mapping, STATE_GONE);
	slots_free(lane, &mapping->one_);
	slots_freed(lane);
}

int busway_coherent_free(struct busway_coherent *coherent)
{
	if (!is_live(&coherent->mapping_))
		return not_live(&coherent->mapping_, true);
	free_live(&coherent->mapping_);
	return 0;
}

/* Frees nothing: says what is there instead. */
static int free_differs(struct busway_lane *lane, const struct busway_mapping *mapping,
			busway_dma_t dma, uint64_t size)
{
	const struct busway_dma_range asked = {dma, {dma.raw + (size ? size - 1 : 0)}};

	if (!mapping)
		return not_found(lane, asked, true);
	if (mapping->kind != BUSWAY_KIND_COHERENT)
		report(lane, BUSWAY_MISUSE_WRONG_KIND, mapping, asked, BUSWAY_KIND_COHERENT,
		       mapping->kind);
	else
		report(lane, BUSWAY_MISUSE_WRONG_SIZE, mapping, asked, size, mapping->size);
	return -BUSWAY_EINVAL;
}

/* What a driver says of an allocation. */
struct said {
	uint64_t first, size;
	const void *cpu;
};

static unsigned truth(const struct busway_mapped *segment, const void *ctx)
{
	const struct busway_mapping *mapping = segment->owner_;
	const struct said *said = ctx;

	if (segment != mapping->segments || segment->dma.first.raw != said->first)
		return 0;
	return 1 + (mapping->kind == BUSWAY_KIND_COHERENT ? 4u : 0) +
	       (mapping->size == said->size ? 2u : 0) + (mapping->pointer_ == said->cpu ? 1u : 0);
}

int busway_coherent_free_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
				 const void *cpu)
{
	const struct said said = {dma.raw, size, cpu};
	const struct busway_mapped *segment = live_find(lane, dma.raw, truth, &said);
	struct busway_mapping *mapping = segment ? segment->owner_ : NULL;

	if (!mapping || mapping->kind != BUSWAY_KIND_COHERENT || mapping->size != size)
		return free_differs(lane, mapping, dma, size);
	if (mapping->pointer_ != cpu) {
		report(lane, BUSWAY_MISUSE_WRONG_POINTER, mapping, mapping->one_.dma, 0, 0);
		return -BUSWAY_EINVAL;
	}
	free_live(mapping);
	return 0;
}
