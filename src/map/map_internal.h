/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_internal.h - what the files of the DMA API share. Read <busway/dma.h> and mapping.h first.
 *
 *   dma.c      the API of a platform: create, destroy, its pools
 *   grow.c     more memory for them
 *   device.c   attach; leave.c: detach, abandon, quiet
 *   route.c    what one mask makes of platform and pools: a reach, and spans of pools
 *   mask.c     changing it
 *   live.h, live.c   which mapping owns an address
 *   way.c      which way one run of memory goes, and why none will do
 *   single.c   map and unmap one run of memory
 *   bounce.c   slots for a buffer, copies, and why there is no slot
 *   caches.c   what a device that sees no caches needs
 *   list.h, list.c, glance.c, plan.c   scatter-gather lists
 *   translated.c   through an IOMMU
 *   sync.c, wait.c, peer.c, by_address.c, misuse.c, coherent.c, blocks.c   as named
 */
#ifndef BUSWAY_MAP_INTERNAL_H
#define BUSWAY_MAP_INTERNAL_H

#include "../base/bytes.h"
#include "../platform/reach_internal.h"
#include "../pool/pool.h"

#include <busway/coherent.h>
#include <busway/domain.h>
#include <busway/intervals.h>
#include <busway/p2p.h>

#define LIKELY(x) __builtin_expect(!!(x), 1)

/* ---- where a device finds pools ---- */

/* Slots low..high of @pool, by addresses: slot i at base + i * BUSWAY_SLOT_SIZE, modulo 2^64. */
struct span {
	struct pool *pool;
	uint32_t low, high;
	bool whole; /* all of the pool */
	uint64_t base;
};

/* How many parts of pools a device sees, of all pools; what is more is not used, and no pool grows
 * for a device that sees so many. */
enum { SPANS_MAX = 32 };

/* Parts of pools, in the order in which they are tried. Grows while lanes read it. */
struct spans {
	_Atomic uint32_t count;
	struct span span[SPANS_MAX];
};

/* What a mask makes of the platform. */
struct route {
	unsigned bits;
	struct busway_reach *reach;  /* of memory */
	struct busway_reach *carved; /* and of no-map carve-outs, for pools */
	struct spans spans;
	struct pool *seen; /* the last pool that was looked at; NULL: none yet */
};

/* ---- the API of a platform, and its devices ---- */

enum { AREAS_MAX = 256 };

struct busway_dma {
	const struct busway_platform *platform;
	struct busway_dma_environment environment;
	const struct busway_allocator *memory;
	struct lock lock;               /* of everything below, and of appending to spans */
	uint64_t areas[AREAS_MAX / 64]; /* owned by lanes */
	struct pool *pools, **last_pool;
	struct busway_dma_device *devices;
	struct busway_intervals usable;   /* memory that may be mapped: set once */
	struct busway_phys_range *places; /* of the platform's pools, one each */
	bool *placed;
	size_t place_count;
	/* those who wait for slots, in their order, under a lock of their own */
	struct lock line_lock;
	struct busway_mapping *line, **line_end;
	_Atomic uint32_t waiting;
	bool serving, again;               /* one thread at a time tells others; once more, then */
	const struct busway_mapping *told; /* its turn() runs */
};

enum { LIVE_CLASSES = 64 };

struct busway_lane {
	/* what mapping reads first */
	const struct busway_reach *reach; /* of the streaming route */
	uint64_t min_align_mask;
	/* a buffer that the device reaches is handed over as it is, and nobody looks on */
	bool plain;
	/* one that it does not reach is copied through any slot, and nothing else is done */
	bool copies;
	uint8_t bucket_shift;
	struct busway_iova_cache *iovas; /* of the domain, if there is one */
	uint32_t area;                   /* the one that it owns in every pool that has so many */
	struct busway_mapped *fresh;     /* see live.h, also the next three */
	struct busway_mapped **buckets;  /* 2^(64 - bucket_shift) */
	struct busway_dma_device *device;
	size_t live;                     /* live mappings and allocations, and who waits */
	struct busway_blocks *blocks;    /* that are made of its coherent memory */
	size_t settled;                  /* of them, those in buckets */
	uint32_t in_class[LIVE_CLASSES]; /* their segments */
	char apart_[64]; /* no cache line is shared with the next lane, wherever memory begins */
};

struct busway_dma_device {
	struct busway_dma *dma;
	struct busway_dma_device *next;
	busway_device_id id;
	struct busway_segment_limits segments;
	bool caches; /* it does not see the CPU's, and there are some */
	bool untrusted;
	bool joined;                  /* its domain knows of it */
	struct busway_domain *domain; /* NULL: addresses are not translated */
	const struct busway_pci *pci; /* NULL: nothing is known of routes to peers */
	busway_pci_id function;       /* that it is there, or none */
	struct busway_p2p_policy peers;
	struct pool *bounce; /* the pool that it must bounce through; NULL: those for all */
	struct pool *shared; /* the pool that serves its coherent memory; NULL: those for all */
	struct route streaming, coherent;
	struct busway_piece *windows; /* all that comes out in the CPU's space */
	size_t window_count;
	struct busway_lane *lanes;
	uint32_t lane_count;
	size_t bucket_count; /* of all lanes */
	struct busway_mapped **buckets;
};

static inline const struct busway_device *described(const struct busway_dma_device *device)
{
	return busway_platform_device(device->dma->platform, device->id);
}

/* ---- states of a record ---- */

enum { STATE_NONE, STATE_GONE, STATE_REFUSED, STATE_LIVE, STATE_WAITS };

static inline bool is_live(const struct busway_mapping *mapping)
{
	return mapping->state_ == STATE_LIVE;
}

static inline void observe(const struct busway_lane *lane, enum busway_dma_event event,
			   const struct busway_mapping *mapping, uint64_t offset, uint64_t size)
{
	const struct busway_dma_environment *e = &lane->device->dma->environment;

	if (e->observe)
		e->observe(e->ctx, event, lane->device->id, mapping, offset, size);
}

static inline bool has_waiters(const struct busway_dma *dma)
{
	/* slots were given back before: either they are seen by who joins the line, or he is here
	 */
	if (!dma->environment.one_thread)
		atomic_thread_fence(memory_order_seq_cst);
	return atomic_load_explicit(&dma->waiting, memory_order_acquire) != 0;
}

static inline void *pointer_to(const struct busway_dma *dma, struct busway_range phys)
{
	return dma->environment.pointer(dma->environment.ctx, busway_phys_range(phys));
}

/* ---- dma.c ---- */

/* The pool that stands for pool @index of the platform, made when first asked for. */
int platform_pool(struct busway_dma *dma, uint32_t index, unsigned use, struct pool **out,
		  struct busway_refusal *why);

/* A pool for all in @range, seen by every device. @grown: environment.more() gave it. */
int add_pool(struct busway_dma *dma, struct busway_range range, unsigned use, uint32_t areas,
	     bool grown);

/* ---- grow.c ---- */

struct want;

/* A pool that serves @want, where @route of @device reaches it. */
int grow(struct busway_dma_device *device, const struct route *route, const struct want *want,
	 unsigned use);

/* ---- route.c ---- */

/*
 * What @bits make of it; nothing is changed on failure. Refuses an empty reach: of the pool that
 * the device must use, or of all memory.
 */
int route_make(const struct busway_dma_device *device, unsigned bits, bool coherent,
	       struct route *route, struct busway_refusal *why);

/* The same, an empty reach being what it is. */
int route_build(const struct busway_dma_device *device, unsigned bits, bool coherent,
		struct route *route);
void route_free(struct route *route);

/* Append what @device sees of pools that came since. Under dma->lock. */
void route_catch_up(const struct busway_dma_device *device, bool coherent, struct route *route);

/* ---- device.c ---- */

/* All that it holds; it is on no list. */
void device_free(struct busway_dma_device *device);

/* Lanes keep what they read first of the route in force. */
void lanes_follow(struct busway_dma_device *device);

/* ---- bounce.c ---- */

/* Slots that may be given back unused: the high water stays where it is. */
struct trial {
	bool asked;    /* nothing is taken, */
	uint32_t held; /* only asked, of so many spans, whose pools are held; 0: taken */
};

/* What is wanted of a pool: a run of @size bytes at an address that is @residue modulo @modulus
 * (a power of two), across no @boundary (0: any). */
struct want {
	uint64_t size, modulus, residue, boundary;
	uint64_t inside; /* of these bytes, where those begin that are meant */
	/* NULL: it will be used */
	const struct trial *trial;
	bool in_turn; /* not of pools that are .passed_by; under line_lock */
};

/* A run of slots, and where in them the bytes lie. */
struct run {
	const struct span *span;
	uint32_t first, count;
	uint64_t offset, dma;
};

/* The segment that a run is, for the driver's memory at @phys. */
static inline struct busway_mapped bounced_segment(const struct busway_dma_device *device,
						   const struct run *run, struct busway_range phys)
{
	const unsigned page =
		device->domain ? (unsigned)__builtin_ctzll(busway_domain_granule(device->domain))
			       : 0;

	return (struct busway_mapped){
		.dma = {{run->dma}, {run->dma + busway_range_span(phys)}},
		.phys = {phys.first},
		.pool_ = run->span->pool,
		.slot_ = run->first,
		.offset_ = (uint16_t)run->offset,
		.round_lg2_ = (uint8_t)page,
	};
}

/* Takes a run in the first span that has one. False: none has. */
bool run_take(const struct spans *spans, const struct want *want, uint32_t area, struct run *run);

/* Would @span serve it, if it were empty? */
bool span_could(const struct span *span, const struct want *want);

/* Is there a span that would serve it, if it were empty? */
bool run_could(const struct spans *spans, const struct want *want);

/* Why run_take() found none; of no span at all: no-pool. */
void run_refuse(const struct busway_dma_device *device, const struct spans *spans,
		const struct want *want, struct busway_range asked, struct busway_refusal *why);

/* What a buffer at @phys wants. */
struct want bounce_want(const struct busway_lane *lane, struct busway_range phys);

/* Is one run of slots for it within the device's limits on segments? */
bool fits_segment(const struct busway_dma_device *device, uint64_t size);

/* All of the slots are the device's to read: what others left there is not. */
void slots_wipe(const struct busway_dma_device *device, const struct busway_mapped *segment);

/* Give the slots of a segment back, if it has any; then, once for all, serve those who wait. */
void slots_free(const struct busway_lane *lane, const struct busway_mapped *segment);
void slots_freed(const struct busway_lane *lane);

/* Of a bounced segment: how many slots it has, and its bytes as the CPU sees them. */
static inline uint32_t bounced_slots(const struct busway_mapped *segment)
{
	const uint64_t size = busway_range_span(busway_dma_raw(segment->dma)) + 1;
	const uint64_t inside = ((uint64_t)1 << segment->round_lg2_) - 1;

	return (uint32_t)slots_for((segment->offset_ + size + inside) & ~inside);
}

static inline unsigned char *bounced_bytes(const struct busway_mapped *segment)
{
	return segment->pool_->cached + pool_offset(segment->slot_) + segment->offset_;
}

static inline bool copies_in(const struct busway_mapping *mapping)
{
	return !(mapping->attributes & BUSWAY_MAP_SKIP_SYNC) &&
	       !(mapping->direction == BUSWAY_FROM_DEVICE &&
		 (mapping->attributes & BUSWAY_MAP_OVERWRITES));
}

static inline bool copies_out(const struct busway_mapping *mapping)
{
	return (mapping->direction & BUSWAY_WRITE) && !(mapping->attributes & BUSWAY_MAP_SKIP_SYNC);
}

/* Fill the slots before the device looks; and empty them after. */
void bounce_begin(const struct busway_mapping *mapping, const struct busway_mapped *segment);
void bounce_end(const struct busway_mapping *mapping, const struct busway_mapped *segment);

/* ---- way.c ---- */

/*
 * The way for one run of memory that is to be one segment. 0: @segment is filled, with slots taken
 * if .pool_ is set. Nothing is copied or synced.
 */
int serve(struct busway_lane *lane, struct busway_range phys, enum busway_direction direction,
	  unsigned attributes, struct busway_mapped *segment, struct busway_refusal *why);

/* Does the device reach all of it as one segment, within its limits, as it is? */
bool is_direct(const struct busway_lane *lane, struct busway_range phys,
	       enum busway_direction direction, unsigned attributes, uint64_t *dma);

/* Why not, where it is not; with the advice that belongs to it. */
void refuse_direct(const struct busway_lane *lane, struct busway_range phys,
		   enum busway_direction direction, struct busway_refusal *why);

/* May others write to lines in which @phys begins and ends, while the device writes to it? */
bool shares_lines(const struct busway_dma_device *device, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes);

static inline bool keeps_low_bits(const struct busway_lane *lane, uint64_t phys, uint64_t dma)
{
	return ((phys ^ dma) & lane->min_align_mask) == 0;
}

/* Does a segment at @dma keep to the device's limits? */
bool within_limits(const struct busway_segment_limits *limits, uint64_t dma, uint64_t span);

/* The part of @phys that goes one way, from its first byte on; at least that byte. */
struct busway_range leading_part(const struct busway_reach *reach, struct busway_range phys,
				 enum busway_access access);

/* The same with slots, whatever would be direct. */
int serve_bounced(struct busway_lane *lane, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes, const struct trial *trial,
		  struct busway_mapped *segment, struct busway_refusal *why);

/* Could slots serve it, if those that are taken were free? Else @why. */
bool bounce_could(struct busway_lane *lane, struct busway_range phys,
		  enum busway_direction direction, unsigned attributes, struct busway_refusal *why);

void refuse_limits(const struct busway_lane *lane, struct busway_range phys,
		   struct busway_refusal *why);
void refuse_as(const struct busway_lane *lane, enum busway_reason reason, struct busway_range phys,
	       struct busway_refusal *why);

/* ---- single.c ---- */

static inline bool is_direction(enum busway_direction direction)
{
	return direction - 1u < 3;
}

bool map_arguments(struct busway_lane *lane, struct busway_mapping *mapping,
		   enum busway_direction direction);

/* What a record says of what was asked for, beside its segments. */
static inline void describe_any(struct busway_mapping *mapping, enum busway_mapping_kind kind,
				uint64_t size, enum busway_direction direction, unsigned attributes)
{
	mapping->size = size;
	mapping->direction = (uint8_t)direction;
	mapping->attributes = (uint8_t)attributes;
	mapping->kind = (uint8_t)kind;
}

/* The same of one that has its segment in itself. */
static inline void describe_one(struct busway_mapping *mapping, enum busway_mapping_kind kind,
				uint64_t size, enum busway_direction direction, unsigned attributes)
{
	describe_any(mapping, kind, size, direction, attributes);
	mapping->segments = &mapping->one_;
	mapping->segment_count = mapping->entry_count = 1;
}

/* The segments are served: sync them; make the mapping live; both. */
void map_begin(struct busway_mapping *mapping);
void map_live(struct busway_lane *lane, struct busway_mapping *mapping);
void map_finish(struct busway_lane *lane, struct busway_mapping *mapping);

/* It is not mapped now: refused, or unmapped. */
void map_ended(struct busway_lane *lane, struct busway_mapping *mapping, uint8_t state);

/* Bytes of the driver's own memory, or of coherent memory, by the segment. */
void *own_bytes(const struct busway_lane *lane, const struct busway_mapped *segment,
		uint64_t offset, size_t size);

/* ---- translated.c ---- */

/* One run of memory through the device's domain, as busway_map(). */
int translated_single(struct busway_lane *lane, struct busway_range phys,
		      enum busway_direction direction, unsigned attributes,
		      struct busway_mapping *mapping, struct busway_refusal *why);

/* Would that take slots? */
bool translated_bounces(struct busway_lane *lane, struct busway_range phys,
			enum busway_direction direction, unsigned attributes);

/* Can slots for it be one segment, with its low bits? */
bool translated_in_one(struct busway_lane *lane, struct busway_range phys);

/* The slots of the record are there, and described: IOVAs for them. On failure it has no slots. */
int translated_slots(struct busway_lane *lane, struct busway_mapping *mapping,
		     const struct busway_iova_request *where, struct busway_refusal *why);

/* The device has no way to it any more: now, or when invalidations are due. */
void translated_unmap(const struct busway_mapping *mapping, bool now);

/* Registers of a peer at @phys, in whole pages, through the device's domain. */
int translated_peer(struct busway_lane *lane, struct busway_range phys,
		    enum busway_direction direction, struct busway_mapping *mapping,
		    struct busway_refusal *why);

/* ---- peer_pci.c ---- */

/* Which function of @pci the device is; BUSWAY_NO_FUNCTION: none, or more than one could be. */
busway_pci_id peer_function(const struct busway_pci *pci, busway_device_id id,
			    const struct busway_device *device);

/* Is @phys in some BAR of the wiring that the device knows? */
bool peer_is_pci(const struct busway_dma_device *device, struct busway_range phys);

/* Map what is: 0, -BUSWAY_ERANGE, -BUSWAY_ENOMEM. */
int peer_map_pci(struct busway_lane *lane, struct busway_range phys,
		 enum busway_direction direction, struct busway_mapping *mapping,
		 struct busway_refusal *why);

/* ---- peer.c ---- */

/* The address by which the device's windows lead to @phys in the CPU's space. */
bool peer_by_windows(const struct busway_lane *lane, struct busway_range phys,
		     enum busway_direction direction, uint64_t *dma, struct busway_refusal *why);

/* The registers at @phys are the device's, at @dma. */
int peer_finish(struct busway_lane *lane, struct busway_range phys, uint64_t dma,
		enum busway_direction direction, struct busway_mapping *mapping);

/* ---- caches.c ---- */

/* Before the device looks, and after it wrote: a part of the driver's own memory or of slots. */
void caches_to_device(const struct busway_dma_device *device, void *pointer, size_t size);
void caches_to_cpu(const struct busway_dma_device *device, void *pointer, size_t size);

/* The whole lines in which @phys lies; @phys itself where there are none. */
struct busway_range whole_lines(const struct busway_dma *dma, struct busway_range phys);

/* ---- wait.c ---- */

/* Somebody gave slots back: whose turn is it? */
void line_serve(struct busway_dma *dma);

/* Nobody waits for @device any more. */
void line_leave(struct busway_dma_device *device);

/* Does a mapping of @device stand in line? */
bool line_has(struct busway_dma_device *device);

/* ---- blocks.c ---- */

/* The device goes; what is made of its memory has none any more. */
void blocks_leave(struct busway_lane *lane);

/* ---- misuse.c ---- */

void report_of(const struct busway_dma *dma, busway_device_id device, enum busway_misuse misuse,
	       const struct busway_mapping *mapping, struct busway_dma_range asked,
	       struct busway_difference difference);

/* The same of a live mapping's lane. */
static inline void report(const struct busway_lane *lane, enum busway_misuse misuse,
			  const struct busway_mapping *mapping, struct busway_dma_range asked,
			  uint64_t said, uint64_t mapped)
{
	report_of(lane->device->dma, lane->device->id, misuse, mapping, asked,
		  (struct busway_difference){said, mapped});
}

/* Nothing of @lane is at @asked: of another device? Reports it; -BUSWAY_EINVAL. */
int not_found(const struct busway_lane *lane, struct busway_dma_range asked, bool unmapping);

/* Reports the unmapping, or the syncing, of what is not mapped; -BUSWAY_EINVAL. */
int not_live(const struct busway_mapping *mapping, bool unmapping);

#endif
