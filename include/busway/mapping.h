/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping.h - streaming DMA: hand memory to a device, and take it back.
 *
 *   map      from now on the memory is the device's: it may do what the direction says
 *   sync     the CPU looks, or writes, while the device keeps its address
 *   unmap    the memory is the CPU's again, with all that the device wrote
 *
 * The library takes the cheapest way that is sound, and each mapping says which:
 *
 *   direct   the device reaches the memory itself, through windows, at an offset
 *   bounce   bytes are copied through a pool that the device reaches
 *   iommu    the memory is mapped in the device's domain; what shares a page with others, and must
 *            not, by way of slots
 *
 * Records are the caller's, and no call here allocates; a device with a domain may need memory for
 * page tables and for the IOVA space (-BUSWAY_ENOMEM), and is refused for the reasons of
 * busway_domain_map() as well. A record lives at one place while it is
 * mapped. Functions take a lane: one thread at a time for each (see dma.h).
 */
#ifndef BUSWAY_MAPPING_H
#define BUSWAY_MAPPING_H

#include <busway/dma.h>

/* From the CPU's point of view, as the field has it; the values are what the device does there. */
enum busway_direction {
	BUSWAY_TO_DEVICE = BUSWAY_READ,
	BUSWAY_FROM_DEVICE = BUSWAY_WRITE,
	BUSWAY_BIDIRECTIONAL = BUSWAY_READ_WRITE,
};

enum busway_map_attributes {
	BUSWAY_MAP_NO_BOUNCE = 1, /* refuse instead of bouncing */
	BUSWAY_MAP_SKIP_SYNC = 2, /* map and unmap copy and clean nothing: the caller syncs */
	/* The device writes every byte before unmapping: a bounced FROM_DEVICE buffer is not copied
	 * in. Without it, what the device leaves alone keeps its old bytes. */
	BUSWAY_MAP_OVERWRITES = 4,
	/* The cache lines in which the memory begins and ends hold nothing else that is written
	 * meanwhile: a non-coherent device need not bounce what is not aligned to lines. */
	BUSWAY_MAP_OWNS_LINES = 8,
};

enum busway_way {
	BUSWAY_WAY_DIRECT,
	BUSWAY_WAY_BOUNCE,
	BUSWAY_WAY_PEER,  /* another device's registers: see busway_map_peer() */
	BUSWAY_WAY_IOMMU, /* through the device's domain, or slots for it through the domain */
	BUSWAY_WAY_MIXED, /* of a list: some entries go one way, some another */
};

const char *busway_way_name(enum busway_way way);

enum busway_mapping_kind {
	BUSWAY_KIND_SINGLE,
	BUSWAY_KIND_LIST,
	BUSWAY_KIND_COHERENT,
	BUSWAY_KIND_PEER,
};

/* A run of addresses that the device was given. */
struct busway_mapped {
	struct busway_dma_range dma;
	busway_phys_t phys; /* the driver's memory, for dma.first on */
	/* the library's: */
	struct busway_mapping *owner_;
	struct busway_mapped *next_, **link_;
	struct pool *pool_; /* NULL: not bounced */
	uint32_t slot_;     /* the first one, */
	uint16_t offset_;   /* where in it the bytes begin, */
	uint8_t round_lg2_; /* and whole pages of this size that were taken; 0: slots */
};

/*
 * A mapping. Read .dma, .size, .way, .segments and .segment_count freely while it is mapped, and
 * write nothing. All zero is a record that is not mapped.
 */
struct busway_mapping {
	busway_dma_t dma; /* of the first segment */
	uint64_t size;    /* of all that was mapped */
	struct busway_mapped *segments;
	uint32_t segment_count;
	uint32_t entry_count; /* of a list: as it was handed in */
	uint8_t direction, attributes, kind, way;
	uint8_t state_;
	bool settled_;
	uint32_t device_; /* once it is unmapped or refused: whose it was, */
	union {
		struct busway_lane *lane_; /* while it is mapped or waits */
		struct busway_dma *api_;   /* else: of which API */
	};
	struct busway_mapped one_; /* the segment of what is not a list */
	void *pointer_;            /* of coherent memory */
	struct busway_waiter_ {
		void (*turn)(struct busway_mapping *mapping, void *ctx);
		void *ctx;
		struct busway_mapping *next;
		bool has_turn;
	} waiter_;
};

/* A result that is not looked at is the first mistake of all. */
#define BUSWAY_CHECKED __attribute__((warn_unused_result))

/**
 * busway_map() - hand a run of memory to the device, as one segment
 * @phys:       the memory; a run of CPU-physical addresses
 * @attributes: enum busway_map_attributes
 * @mapping:    the record: all zero, or unmapped
 * @why:        may be NULL
 *
 * Memory that the device does not reach as one run, or whose address does not have the low bits of
 * @phys that the minimum alignment mask asks for, bounces.
 *
 * Return: 0; -BUSWAY_ERANGE: refused: no way, and no pool or none wanted (the reasons of
 * busway_address_for(), low-bits, cache-line, unconfined), or a pool that cannot serve (pool-full,
 * pool-fragmented, pool-too-small, with its occupancy), segment-limits, no-pointer; -BUSWAY_EINVAL:
 * an empty range or all 2^64 bytes, no direction, a live or waiting record (misuse).
 */
int busway_map(struct busway_lane *lane, struct busway_phys_range phys,
	       enum busway_direction direction, unsigned attributes, struct busway_mapping *mapping,
	       struct busway_refusal *why) BUSWAY_CHECKED;

/**
 * busway_map_list() - hand a scatter-gather list to the device
 * @entries:  memory, in the order in which the device is to see it; nothing is empty
 * @segments: the caller's, as long-lived as the mapping; filled, of @capacity
 *
 * Entries that follow each other in memory and on the bus are joined, entries that straddle windows
 * are cut, in as few segments as the device's limits allow. What is not reached bounces, of an
 * entry that is reached in part only that part, unless this takes more segments than there may be.
 * All or nothing.
 *
 * Return: as busway_map(); -BUSWAY_ENOSPC: more than @capacity segments, whose number is in
 * @needed.
 */
int busway_map_list(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		    enum busway_direction direction, unsigned attributes,
		    struct busway_mapped *segments, size_t capacity, struct busway_mapping *mapping,
		    size_t *needed, struct busway_refusal *why) BUSWAY_CHECKED;

/* Where busway_mapping_next_run() has come to. {0} is the beginning. */
struct busway_runs {
	uint64_t next_;
	uint32_t segment_;
	bool inside_;
};

/*
 * busway_mapping_next_run() - the addresses that are to be given to the device
 * Segments that adjoin for the device, though their memory lies apart, are one run, within the
 * device's limits. These count against its greatest number of segments. False: no more.
 */
bool busway_mapping_next_run(const struct busway_mapping *mapping, struct busway_runs *at,
			     struct busway_dma_range *run);

/**
 * busway_map_peer() - hand registers of another device to the device (a FIFO, a BAR)
 * @phys: where the CPU finds them
 *
 * The address is the one by which the device's windows lead there, if they do and the device can
 * emit it; never the CPU's address as it is.
 *
 * What is behind a PCI host bridge is refused (peer-route), unless the device was attached with
 * busway_dma_options.pci: then the route between the two functions decides (busway_p2p_decide(), as
 * the route carries it), and the address is
 *
 *   through a switch       that on the bus, past any IOMMU                    .way peer
 *   by the root complex    the one by which windows lead to the CPU's         .way peer
 *                          an IOVA, if the device has a domain: whole pages   .way iommu
 *
 * or it is refused, for the reason of the verdict, or as peer-uncertain. All of @phys must be
 * inside one BAR whose size and place for the CPU are known. What has to be turned on in the two
 * functions (bus mastering, decoding) is left to their drivers.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ERANGE.
 */
int busway_map_peer(struct busway_lane *lane, struct busway_phys_range phys,
		    enum busway_direction direction, struct busway_mapping *mapping,
		    struct busway_refusal *why) BUSWAY_CHECKED;

/**
 * busway_unmap() - take the memory back
 * Copies back what was bounced, unless the device only read or BUSWAY_MAP_SKIP_SYNC. Serves those
 * who wait for slots.
 * Return: 0, or -BUSWAY_EINVAL: it is not mapped (misuse).
 */
int busway_unmap(struct busway_mapping *mapping);

/**
 * busway_sync_for_cpu(), busway_sync_for_device() - the CPU looks while it stays mapped
 * @offset, @size: of a part of the mapping, counted through all segments
 *
 * For the CPU: what the device wrote there is in the driver's memory now. For the device: what the
 * CPU wrote there is what the device reads now. Of a bounced buffer that the device writes in
 * parts, sync only what it wrote. Of a device that does not see the caches, parts are whole cache
 * lines: what shares a line with a part is synced with it.
 *
 * Return: 0, also where the direction leaves nothing to do; -BUSWAY_EINVAL: not mapped, or beyond
 * its end (misuse).
 */
int busway_sync_for_cpu(struct busway_mapping *mapping, uint64_t offset, uint64_t size);
int busway_sync_for_device(struct busway_mapping *mapping, uint64_t offset, uint64_t size);

/* ---- waiting for slots ----------------------------------------------------------------- */

/**
 * busway_map_or_wait() - as busway_map(), but where the pool is full, wait in line
 * @turn: called once, when @mapping's turn has come, by a thread that made room, which may hold up
 *        others: it should do no more than tell the lane's own thread. Slots are set aside then, so
 *        that calling this function again, for the same memory and by that thread, maps without
 *        fail (through a domain, IOVAs may be missing: refused, and the place in line is lost). Not
 * before @turn was called; @turn may do it itself if it is that thread.
 *
 * Turns come in the order of the calls: while somebody waits for a pool, later calls of this
 * function are not served from it before; another pool may serve them. Only pool-full and
 * pool-fragmented wait; other refusals are final. @mapping must stay until it is mapped or
 * busway_map_cancel() is called.
 *
 * Return: 0: mapped; -BUSWAY_EAGAIN: it waits, @why says for what; else as busway_map().
 */
int busway_map_or_wait(struct busway_lane *lane, struct busway_phys_range phys,
		       enum busway_direction direction, unsigned attributes,
		       struct busway_mapping *mapping,
		       void (*turn)(struct busway_mapping *mapping, void *ctx), void *ctx,
		       struct busway_refusal *why) BUSWAY_CHECKED;

/* Leave the line, or give back what was set aside. False: it does not wait. Not from turn(), which
 * is not called any more when this returns. */
bool busway_map_cancel(struct busway_mapping *mapping);

/* ---- asking first ---------------------------------------------------------------------- */

/* How a list would be served, at this moment. */
struct busway_plan {
	enum busway_way way;
	size_t segments;
	size_t bounced_entries;
	uint64_t bounced_bytes; /* to be copied, each way that the direction says */
	uint64_t slot_bytes;    /* of the pools */
};

/**
 * busway_plan() - how many segments, by which way, at what cost; nothing is changed
 * Whether pools have room at the moment is part of the answer. Of a list that takes several runs of
 * a nearly full pool, which ones are tried first decides: pool-fragmented is then no last word.
 * Return: as busway_map_list(), which would then do so.
 */
int busway_plan(struct busway_lane *lane, const struct busway_phys_range *entries, size_t count,
		enum busway_direction direction, unsigned attributes, struct busway_plan *plan,
		struct busway_refusal *why);

/* ---- by address ------------------------------------------------------------------------ */

/*
 * For drivers that keep only the address, as those of other systems do: the record is found by it,
 * and all that the caller says is compared with it. Where several mappings are at one address, as
 * where memory is mapped twice for reading, the one that fits best is meant. Only mappings of @lane
 * are found. A sync stays inside one run of the device's addresses: segments that do not follow
 * each other there are synced one by one. Return: 0, or -BUSWAY_EINVAL and a report.
 */
int busway_unmap_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			 enum busway_mapping_kind kind, enum busway_direction direction);
int busway_unmap_list_address(struct busway_lane *lane, busway_dma_t dma, size_t entries,
			      enum busway_direction direction);
int busway_sync_address(struct busway_lane *lane, busway_dma_t dma, uint64_t size,
			enum busway_direction direction, bool for_cpu);

#endif
