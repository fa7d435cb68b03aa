/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_internal.h - what the files of the simulated machine share. Read <busway/sim.h> first.
 *
 *   machine.c      create and destroy
 *   environment.c  what the DMA API asks of the machine, and tells it
 *   fabric.c       hop by hop: where does an access go, and what refuses it?
 *   route.c        all of the way
 *   upstream.c     the hops before an IOMMU
 *   attach.c       which IOMMU translates for a device, and what makes it forget
 *   iommu.c        what the IOMMU makes of an address: from what it remembers, or by a walk
 *   iotlb.c        what it remembers
 *   walk*.c        walks of page tables, out of the manuals
 *   table_memory.c memory for page tables
 *   ram.c          simulated memory, in three views
 *   cache.c        lines between the views: written back, read anew, dirty
 *   take.c         memory for those who ask: pools, buffers
 *   claim.c        memory that somebody has chosen himself
 *   shelf.c        things by address
 *   table.c        what is mapped, as the DMA API tells it, and what was recently
 *   lookup.c       what is mapped at an address
 *   inspect.c      is what was mapped sane?
 *   access.c       accesses of devices, piece by piece
 *   posted.c       writes of devices that have not arrived
 *   judge.c        may the device do that to memory?
 *   cpu.c          accesses of the CPU, and whether it may
 *   violation.c    what went wrong, counted and kept
 *   engine.c, pattern.c   a device that works off descriptors, and bytes that it knows
 *
 * Nothing here uses the code of src/platform but what platform.h lets everybody read: what is
 * judged is no judge.
 */
#ifndef BUSWAY_SIM_INTERNAL_H
#define BUSWAY_SIM_INTERNAL_H

#include "iotlb.h"
#include "rng.h"
#include "shelf.h"

#include <busway/intervals.h>
#include <busway/sim.h>

#include <string.h>

enum {
	SIM_LINE = 64,   /* bytes of a cache line */
	SIM_FREED = 256, /* segments that are remembered when they are unmapped */
};

/* ---- the machine ---- */

struct sim_region {
	const struct busway_region *is;
};

struct sim_window {
	const struct busway_window *is;
};

/* What of the platform is in one space, in the order in which it was added. */
struct sim_ways {
	struct sim_region *regions;
	struct sim_window *windows;
	size_t region_count, window_count;
};

/* The copies of memory. */
enum sim_view {
	VIEW_CACHED, /* as the CPU sees it through its caches */
	VIEW_MEMORY, /* as it is, and as devices see it that do not see caches */
	VIEW_SYNCED, /* as VIEW_CACHED was when the line was cleaned or read last */
	SIM_VIEWS,
};

/* A run of memory. */
struct sim_store {
	struct busway_range phys;
	unsigned char *view[SIM_VIEWS]; /* where the byte at phys.first is */
};

/* The place of a pool of the platform. */
struct sim_place {
	bool known;
	struct busway_range range;
};

struct sim_mapping;

/* A run of addresses that a device was given. */
struct sim_segment {
	struct sim_mapping *mapping;
	struct busway_range dma;
	struct busway_range phys; /* the driver's memory */
	uint64_t offset;          /* of both in the mapping */
	/* where the fabric leads: @phys, or slots that stand for it */
	bool lands;
	struct busway_range landed;
};

/* A mapping that is live, or that was abandoned. */
struct sim_mapping {
	const struct busway_mapping *record; /* only compared */
	busway_device_id device;
	enum busway_direction direction;
	enum busway_mapping_kind kind;
	unsigned attributes;
	uint64_t number;
	bool abandoned;
	struct busway_intervals with_cpu; /* offsets that were synced for the CPU */
	uint32_t segment_count;
	struct sim_segment segments[];
};

/* Memory that take() gives to nobody. */
struct sim_claim {
	struct sim_claim *next;
	struct busway_range range;
};

struct sim_mark {
	struct busway_range range;
	enum busway_mark mark;
};

/* What translates for a device. */
struct sim_iommu {
	bool translates;
	struct busway_machine_iommu is;
	struct walk_setup walk; /* .read and .ctx belong to each walk */
};

struct busway_machine {
	const struct busway_platform *platform;
	const struct busway_allocator *memory;
	struct busway_machine_options options;
	struct sim_rng rng;
	struct sim_ways *ways; /* of each space */
	size_t space_count;
	struct sim_store *stores;
	size_t store_count;
	struct sim_place *places; /* of each pool */
	size_t place_count;
	struct busway_intervals unused; /* what take() may give, but for */
	struct sim_claim *claims;
	/* table.c: live segments by what the device emits, and by the driver's memory */
	struct shelf by_dma, by_phys;
	uint64_t mappings;                    /* that there were */
	struct busway_trace freed[SIM_FREED]; /* a ring */
	uint64_t freed_count;
	/* cpu-physical bytes that a device wrote, of which the CPU was not told */
	struct busway_intervals fresh;
	struct sim_mark *marks;
	size_t mark_count;
	struct sim_post *posted; /* in the order in which devices wrote */
	size_t posted_count;
	struct sim_iommu *iommus; /* of each device that there was when one was translated first */
	size_t iommu_count;
	struct iotlb tlb;
	bool draining; /* writes arrive because an invalidation waits for them */
	struct busway_intervals tables, former_tables;
	struct busway_interrupt last_interrupt;
	uint64_t interrupts;
	struct busway_violation *records; /* options.records of them */
	size_t record_count;
	uint64_t violations;
	uint64_t counts[BUSWAY_VIOLATION_COUNT], misuses[BUSWAY_MISUSE_COUNT];
};

/* Memory for @count things of @size bytes, zeroed; NULL. */
void *sim_alloc(const struct busway_machine *machine, size_t count, size_t size);
void sim_free(const struct busway_machine *machine, void *mem, size_t count, size_t size);

static inline const struct busway_device *sim_device(const struct busway_machine *machine,
						     busway_device_id device)
{
	return busway_platform_device(machine->platform, device);
}

/* Does it see what the CPU has in its caches? */
static inline bool sim_sees_caches(const struct busway_machine *machine, busway_device_id device)
{
	const enum busway_coherence c = sim_device(machine, device)->coherence;

	return c == BUSWAY_COHERENT ||
	       (c == BUSWAY_COHERENCE_DEFAULT && machine->options.default_coherent);
}

static inline bool sim_device_exists(const struct busway_machine *machine, busway_device_id device)
{
	return device.index < busway_platform_device_count(machine->platform);
}

/* The first @size bytes of @range, which has as many. */
static inline struct busway_range sim_leading(struct busway_range range, uint64_t size)
{
	return (struct busway_range){range.first, range.first + (size - 1)};
}

/* ---- fabric.c ---- */

int sim_ways_create(struct busway_machine *machine);
void sim_ways_destroy(struct busway_machine *machine);

/* Who takes an address of a space; both NULL: nobody. */
struct sim_taker {
	const struct busway_region *region;
	const struct busway_window *window;
};

struct sim_taker sim_taker_at(const struct sim_ways *ways, uint64_t address);

/* One hop: true if the access goes on from landing->space. Cuts landing->at. */
bool sim_hop(const struct busway_machine *machine, const struct busway_device *device,
	     enum busway_access access, struct busway_landing *landing);

/* All hops from landing->space on. */
void sim_hops(const struct busway_machine *machine, const struct busway_device *device,
	      enum busway_access access, struct busway_landing *landing);

/* Cuts @range behind what is like its first byte; is that emitted? */
bool sim_cut_emitted(const struct busway_emission *e, struct busway_range *range);

/* ---- route.c ---- */

/*
 * Begin to follow an access, up to the IOMMU if the device is translated. True: the IOMMU comes
 * next, landing->at is what it is given; else the access ends there.
 */
bool sim_route_begin(const struct busway_machine *machine, busway_device_id device,
		     struct busway_range dma, enum busway_access access,
		     struct busway_landing *landing);

/* What the IOMMU has made of it goes on. */
void sim_route_end(const struct busway_machine *machine, busway_device_id device,
		   enum busway_access access, struct busway_landing *landing);

/* ---- upstream.c ---- */

/* From landing->space to where an IOMMU sits; false: the access ends before. */
bool sim_upstream(const struct busway_machine *machine, const struct busway_device *device,
		  enum busway_access access, struct busway_landing *landing);

/* ---- attach.c ---- */

/* What translates for @device; NULL: nothing does. */
const struct sim_iommu *sim_iommu_of(const struct busway_machine *machine, busway_device_id device);

void sim_iommus_destroy(struct busway_machine *machine);

/* ---- iommu.c ---- */

/* What an IOMMU makes of an address. */
struct sim_translation {
	enum busway_violation_kind kind; /* BUSWAY_NO_VIOLATION: nothing is wrong */
	bool passes;                     /* it leads to .phys all the same */
	const char *reason;              /* of the kind; static; NULL: there is none */
	uint64_t phys;
	uint64_t last; /* the IOVA up to which this holds */
};

/* As the tables have it. Nothing is remembered. */
struct sim_translation sim_translate_by_tables(const struct busway_machine *machine,
					       const struct sim_iommu *iommu, uint64_t iova,
					       enum busway_access access);

/* As the IOMMU does it. @access: one of both */
struct sim_translation sim_translate(struct busway_machine *machine, const struct sim_iommu *iommu,
				     uint64_t iova, enum busway_access access);

/* Applies it to an access that has come to the IOMMU; false: it is refused. */
bool sim_translated(const struct sim_iommu *iommu, const struct sim_translation *translation,
		    struct busway_landing *landing);

/* ---- table_memory.c ---- */

/* Does a table lie in some of these bytes? */
bool sim_has_table(const struct busway_machine *machine, struct busway_range phys);

/* Cuts @phys behind what is like its first byte; does a table lie there? */
bool sim_cut_table(const struct busway_machine *machine, struct busway_range *phys);

/* Was there a table once, and is none any more? */
bool sim_was_table(const struct busway_machine *machine, uint64_t phys);

/* ---- environment.c ---- */

/* Of what a pointer into VIEW_CACHED points to: dirty lines to memory. */
void sim_clean_at(struct busway_machine *machine, const void *pointer, size_t size);

/* ---- ram.c ---- */

int sim_ram_create(struct busway_machine *machine);
void sim_ram_destroy(struct busway_machine *machine);

/* The run that holds @phys; NULL. */
const struct sim_store *sim_store_at(const struct busway_machine *machine, uint64_t phys);

/* Where in @view the byte at @phys is, which the store has. */
static inline unsigned char *sim_byte(const struct sim_store *store, enum sim_view view,
				      uint64_t phys)
{
	return store->view[view] + (phys - store->phys.first);
}

/* All of @range in @view; NULL where it is not in one store. */
unsigned char *sim_bytes(const struct busway_machine *machine, enum sim_view view,
			 struct busway_range range);

/* ---- cache.c ---- */

/* Of whole lines: dirty ones to memory; all from memory. */
void sim_clean(struct busway_machine *machine, struct busway_range phys);
void sim_invalidate(struct busway_machine *machine, struct busway_range phys);

/* These bytes are the same everywhere: as the CPU sees them. */
void sim_settle_bytes(struct busway_machine *machine, struct busway_range phys);

/* Did the CPU write some of these bytes since they were synced? Which, from first to last? */
bool sim_dirty(const struct busway_machine *machine, struct busway_range phys,
	       struct busway_range *where);

/* The lines in which a range lies. */
static inline struct busway_range sim_lines(struct busway_range r)
{
	return (struct busway_range){r.first & ~(uint64_t)(SIM_LINE - 1), r.last | (SIM_LINE - 1)};
}

/* A device has written these bytes, or the CPU has been told so. */
void sim_fresh(struct busway_machine *machine, struct busway_range phys);
void sim_not_fresh(struct busway_machine *machine, struct busway_range phys);
bool sim_is_fresh(const struct busway_machine *machine, struct busway_range phys);

/* ---- take.c ---- */

int sim_unused_create(struct busway_machine *machine);
int sim_take(struct busway_machine *machine, uint64_t size, uint64_t align,
	     const struct busway_range *within, size_t count, busway_phys_t *phys);

/* ---- claim.c ---- */

/* A claim to some of these bytes; NULL: there is none. */
const struct busway_range *sim_claim_in(const struct busway_machine *machine,
					struct busway_range phys);

void sim_claims_destroy(struct busway_machine *machine);

/* ---- table.c ---- */

void sim_table_destroy(struct busway_machine *machine);

/* An event of a mapping; environment.observe. */
void sim_observe(void *ctx, enum busway_dma_event event, busway_device_id device,
		 const struct busway_mapping *record, uint64_t offset, uint64_t size);

/* ---- lookup.c ---- */

/*
 * The live segment of @device that holds @dma.first, and allows @access if any does; NULL: none.
 * Cuts @dma behind the bytes for which that is so.
 */
struct sim_segment *sim_segment_at(const struct busway_machine *machine, busway_device_id device,
				   enum busway_access access, struct busway_range *dma);

/* The same of what was unmapped recently. */
const struct busway_trace *sim_freed_at(const struct busway_machine *machine,
					busway_device_id device, struct busway_range *dma);

struct busway_trace sim_trace(const struct sim_segment *segment);

/* The mapping that is nearest to @dma, live or not, as the device sees it; false: there is none. */
bool sim_nearest(const struct busway_machine *machine, busway_device_id device, uint64_t dma,
		 struct busway_trace *trace);

/* The live mapping with this record; NULL. */
struct sim_mapping *sim_find(const struct busway_machine *machine, busway_device_id device,
			     const struct busway_mapping *record);

/* Is it the driver's own memory that the device does not touch itself? */
static inline bool sim_bounced(const struct sim_segment *segment)
{
	return segment->lands && segment->landed.first != segment->phys.first;
}

/* Where in the driver's memory the byte at @dma is. */
static inline uint64_t sim_phys_of(const struct sim_segment *segment, uint64_t dma)
{
	return segment->phys.first + (dma - segment->dma.first);
}

/* May the device do that to what is mapped? */
static inline bool sim_allows(const struct sim_mapping *mapping, enum busway_access access)
{
	return ((unsigned)mapping->direction & access) == (unsigned)access;
}

/* Memory that is handed over and taken back. */
static inline bool sim_streams(const struct sim_mapping *mapping)
{
	return mapping->kind == BUSWAY_KIND_SINGLE || mapping->kind == BUSWAY_KIND_LIST;
}

/* ---- inspect.c ---- */

/* A mapping is about to enter the table. Tells what is wrong with it; finds out where it lands. */
void sim_inspect(struct busway_machine *machine, struct sim_mapping *mapping);

/* ---- access.c ---- */

/* A write arrives. */
int sim_write(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
	      const void *bytes, size_t size);

/* ---- posted.c ---- */

/* A write that will arrive later; false where it must go by itself: all before it have arrived. */
bool sim_post(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
	      const void *bytes, size_t size, bool relaxed);

/* Some writes may arrive now. */
void sim_pass_time(struct busway_machine *machine);

void sim_posted_destroy(struct busway_machine *machine);

/* ---- judge.c ---- */

/* A piece of an access lands in memory: may it? And what does that mean for the caches? */
void sim_judge(struct busway_machine *machine, busway_device_id device, enum busway_access access,
	       const struct busway_landing *landing);

/* ---- violation.c ---- */

/* Count it, and keep it while there is room; @violation needs no number. */
void sim_violate(struct busway_machine *machine, const struct busway_violation *violation);

/* What a device did: as far as it came. Without the mapping. */
struct busway_violation sim_violation(const struct busway_machine *machine,
				      enum busway_violation_kind kind, busway_device_id device,
				      enum busway_access access,
				      const struct busway_landing *landing);

/* There was no memory for a record. */
void sim_blind(struct busway_machine *machine);

#endif
