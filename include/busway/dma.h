/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma.h - the DMA API of one platform: its pools, its devices and their masks.
 *
 *   struct busway_dma         a platform and the bounce and coherent pools that all devices share
 *   struct busway_dma_device  a device that a driver has taken: masks, limits, pools of its own
 *   struct busway_lane        what one thread of the driver uses: mapping.h and coherent.h begin
 *                             with it
 *
 * A driver attaches its device, sets its masks, and maps. It never computes an address.
 *
 * Threads. Different lanes may be used at the same time, one by one thread at a time. What is said
 * of a whole device (attach, masks, detach) excludes all lanes of that device; pools are locked
 * where lanes meet in them. Locks spin, for some dozens of instructions: where interrupts map as
 * well, keep them off around calls that may be interrupted by calls of another lane.
 */
#ifndef BUSWAY_DMA_H
#define BUSWAY_DMA_H

#include <busway/domain.h>
#include <busway/platform.h>

struct busway_dma;
struct busway_dma_device;
struct busway_lane;
struct busway_mapping;
struct busway_pci;
struct busway_p2p_policy;

/* ---- what the surroundings give -------------------------------------------------------- */

/* What happened to a mapping; see busway_dma_environment.observe. */
enum busway_dma_event {
	BUSWAY_EVENT_MAPPED,
	BUSWAY_EVENT_UNMAPPED, /* before its memory can be used again */
	BUSWAY_EVENT_SYNCED_FOR_CPU,
	BUSWAY_EVENT_SYNCED_FOR_DEVICE,
	BUSWAY_EVENT_ABANDONED, /* given up while live: its memory is in quarantine */
};

/*
 * What a driver did wrong, and what of its mappings it did it to. The numbers are those of the
 * classes of Linux's DMA-API debugging (kernel/dma/debug.c of 6.12) where it has one.
 *
 * id, code, sentence
 */
#define BUSWAY_MISUSES(X)                                                                          \
	X(BUSWAY_MISUSE_UNMAP_REFUSED, "unmap-refused",                                            \
	  "unmaps what mapping it had refused to give")                                            \
	X(BUSWAY_MISUSE_NOT_MAPPED, "not-mapped", "unmaps an address at which nothing is mapped")  \
	X(BUSWAY_MISUSE_UNMAPPED_TWICE, "unmapped-twice", "unmaps what is not mapped any more")    \
	X(BUSWAY_MISUSE_MAPPED_TWICE, "mapped-twice",                                              \
	  "maps with the record of a live or waiting mapping")                                     \
	X(BUSWAY_MISUSE_WRONG_DEVICE, "wrong-device", "unmaps what another device has mapped")     \
	X(BUSWAY_MISUSE_WRONG_LANE, "wrong-lane",                                                  \
	  "unmaps what was mapped through another lane of the device")                             \
	X(BUSWAY_MISUSE_WRONG_SIZE, "wrong-size", "unmaps with another size")                      \
	X(BUSWAY_MISUSE_WRONG_KIND, "wrong-kind", "gives back by the function for another kind")   \
	X(BUSWAY_MISUSE_WRONG_POINTER, "wrong-pointer",                                            \
	  "frees coherent memory by another CPU pointer")                                          \
	X(BUSWAY_MISUSE_WRONG_COUNT, "wrong-count", "names another number of list entries")        \
	X(BUSWAY_MISUSE_WRONG_DIRECTION, "wrong-direction", "names another direction")             \
	X(BUSWAY_MISUSE_LEAK, "leak", "leaves the device with mappings that are live")             \
	X(BUSWAY_MISUSE_SYNC_NOT_MAPPED, "sync-not-mapped", "syncs what is not mapped")            \
	X(BUSWAY_MISUSE_SYNC_OUTSIDE, "sync-outside", "syncs beyond the mapped bytes")             \
	X(BUSWAY_MISUSE_SYNC_NOTHING, "sync-nothing",                                              \
	  "syncs for the CPU what the device only reads, or for the device what it only writes")   \
	X(BUSWAY_MISUSE_MASK_LIVE, "mask-live", "narrows a mask under a live mapping")

enum busway_misuse {
	BUSWAY_NO_MISUSE,
#define X(id, code, text) id,
	BUSWAY_MISUSES(X)
#undef X
		BUSWAY_MISUSE_COUNT
};

/* Sizes, directions (enum busway_direction), kinds, counts, devices or lanes: as said now, and as
 * mapped. */
struct busway_difference {
	uint64_t said, mapped;
};

/* One act of misuse. Pointers are good during the report only. */
struct busway_misuse_report {
	enum busway_misuse misuse;
	busway_device_id device;              /* that the driver names */
	const struct busway_mapping *mapping; /* that is meant, or lies nearest; NULL: none */
	struct busway_dma_range asked;        /* what the driver named, where it named any */
	struct busway_difference difference;
};

/* The code for scripts ("wrong-size"), and the sentence; "" for BUSWAY_NO_MISUSE. */
const char *busway_misuse_code(enum busway_misuse misuse);
const char *busway_misuse_text(enum busway_misuse misuse);

/*
 * What the library asks of the program around it. Copied by busway_dma_create(). Functions that
 * may be NULL say so. Each may be called by several threads at a time.
 */
struct busway_dma_environment {
	void *ctx;
	/* Where the CPU finds @range, through its caches if it has any; NULL: it can't. Called with
	 * locks held, too: it calls nothing of the library. */
	void *(*pointer)(void *ctx, struct busway_phys_range range);
	/*
	 * The same memory past the caches, for what CPU and device both see at any time. NULL: no
	 * device is non-coherent, or none of those can be given coherent memory.
	 */
	void *(*uncached)(void *ctx, struct busway_phys_range range);
	/*
	 * Write back what the CPU wrote at @pointer, or drop what its caches hold of it: both of
	 * whole lines. NULL: caches are coherent for all devices.
	 */
	void (*clean)(void *ctx, void *pointer, size_t size);
	void (*invalidate)(void *ctx, void *pointer, size_t size);
	uint32_t cache_line; /* bytes, a power of two; 0 where clean is NULL */
	/*
	 * More memory for pools: @size bytes, aligned to @align, in one of the ranges @within, of
	 * which the CPU may be using nothing. 0 or -BUSWAY_ENOMEM. NULL: pools do not grow.
	 */
	int (*more)(void *ctx, uint64_t size, uint64_t align, const struct busway_range *within,
		    size_t count, busway_phys_t *phys);
	void (*release)(void *ctx, struct busway_phys_range range); /* what more() gave */
	/* A driver did something wrong; the call that told so has no other effect. May be NULL. */
	void (*misuse)(void *ctx, const struct busway_misuse_report *report);
	/* All calls come from one thread at a time, and no call is interrupted by another: slots
	 * are taken without waiting for anybody, and what one lane unmaps by address is looked for
	 * in others, too, of the same device (wrong-lane) and of others (wrong-device). */
	bool one_thread;
	/* For a simulated machine or a trace: every event of every mapping, and whose it is; NULL:
	 * nobody looks. */
	void (*observe)(void *ctx, enum busway_dma_event event, busway_device_id device,
			const struct busway_mapping *mapping, uint64_t offset, uint64_t size);
};

/*
 * Of every function here that takes @why: it may be NULL, and is written where the result is
 * -BUSWAY_ERANGE, and only there.
 */

/* ---- life ------------------------------------------------------------------------------ */

/**
 * busway_dma_create() - the DMA API of a platform
 * @platform:    sealed; outlives it
 * @environment: copied; pointer() must be there
 * @memory:      for records; outlives it, and is asked by attach, detach, masks and pools only
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM.
 */
int busway_dma_create(const struct busway_platform *platform,
		      const struct busway_dma_environment *environment,
		      const struct busway_allocator *memory, struct busway_dma **out);

/* Gives pools back, and what is in quarantine. -BUSWAY_EBUSY while a device is attached. From one
 * thread, as attach and detach of one busway_dma are. */
int busway_dma_destroy(struct busway_dma *dma);

/* ---- pools ----------------------------------------------------------------------------- */

/* A pool is cut in slots of this size; a bounced buffer takes a run of them. */
#define BUSWAY_SLOT_SIZE ((uint64_t)2048)

enum busway_pool_use {
	BUSWAY_USE_BOUNCE = 1,
	BUSWAY_USE_COHERENT = 2, /* coherent and atomic memory */
	BUSWAY_USE_BOTH = 3,
};

/**
 * busway_dma_add_pool() - memory that all devices bounce through or get coherent memory of
 * @range: set aside by the caller; whole slots of it are used. 2^39 bytes at most.
 * @use:   enum busway_pool_use
 * @areas: 1..256: so many lanes, those attached first, keep slots that they gave back, all together
 *         at most an eighth of the pool, and take these again without a lock. Slots that are kept
 * are free, and had by whoever finds no others; only the high water counts them
 *
 * Devices with a restricted pool, or a pool of their own for that use, do not get at it. At any
 * time, from any thread; calls that wait for slots are served from it.
 *
 * Return: 0, -BUSWAY_ENOMEM; -BUSWAY_EINVAL: empty, not memory of the platform, no pointer to it,
 * or it overlaps another pool.
 */
int busway_dma_add_pool(struct busway_dma *dma, struct busway_phys_range range, unsigned use,
			uint32_t areas);

/*
 * busway_dma_place_pool() - where the firmware or the kernel put a pool whose place the platform
 * leaves open (dynamic, or filled in at boot). Before the first device attaches that uses it.
 * @index: of busway_platform_pools(). -BUSWAY_EINVAL: it has a place, or @range holds no slot or
 * overlaps another pool.
 */
int busway_dma_place_pool(struct busway_dma *dma, uint32_t index, struct busway_phys_range range);

/* How a pool is used, in bytes. */
struct busway_pool_census {
	const char *name; /* of the platform's pool; NULL: added by the caller */
	struct busway_phys_range range;
	unsigned use;
	uint64_t size, used;
	uint64_t longest;    /* the longest free run */
	uint64_t high_water; /* the most that was used at once */
	uint64_t quarantined;
};

/* The pools in the order in which they came; false behind the last one. Any thread. */
bool busway_dma_pool(struct busway_dma *dma, size_t index, struct busway_pool_census *census);

/* ---- devices --------------------------------------------------------------------------- */

struct busway_dma_options {
	uint32_t lanes; /* 0: 1; up to 256 */
	/* How many segments a lane may have live at once: a guess, up to 2^24; 0: 256. With more,
	 * who owns an address is found more slowly. */
	uint32_t live;
	/* Low address bits that a bounced buffer keeps (a power of two less one): NVMe's are 4095.
	 */
	uint64_t min_align_mask;
	bool default_coherent; /* where the platform leaves it to the architecture */
	bool bypass_iommu;     /* the IOMMU is known to pass everything untranslated */
	/* The device's accesses are translated by this one, which the caller has told the IOMMU.
	 * The device must be able to use all that the domain hands out, and devices that are not
	 * trusted share none with others. Outlives the device; NULL: none. */
	struct busway_domain *domain;
	/*
	 * How PCI is wired (pci.h): with it, a PCI function gets at the BARs of others, see
	 * busway_map_peer(). Outlives the device; NULL: it does not. The device is the function
	 * whose .platform_device it is, else the one with its requester ID, if there is one such.
	 */
	const struct busway_pci *pci;
	/* how unknown root complexes are treated (p2p.h); .view is not used. Copied. NULL: refused
	 */
	const struct busway_p2p_policy *peer_policy;
};

/**
 * busway_dma_attach() - a driver takes a device
 * @options: NULL: one lane, nothing special
 * @why:     may be NULL
 *
 * Both masks are of 32 bits, or of as many as reach anything if that takes more. Segment limits
 * are those of the platform (busway_platform_set_segments()). Its restricted pool and shared pools
 * are taken into use; the device then gets no other memory for what they serve.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM; -BUSWAY_EBUSY: attached already; -BUSWAY_ERANGE:
 * refused: an IOMMU translates it, and there is no domain (behind-iommu); the domain is not for it
 * (iova-not-allowed, mixed-trust), its pool is rejected (pool-rejected), has no
 * place (pool-unplaced) or no pointer (no-pointer), or its restricted pool cannot be reached
 * (empty-reach).
 */
int busway_dma_attach(struct busway_dma *dma, busway_device_id id,
		      const struct busway_dma_options *options, struct busway_dma_device **out,
		      struct busway_refusal *why);

/* Lane @index of those that were asked for; NULL behind the last one. Lives as the device does. */
struct busway_lane *busway_dma_lane(struct busway_dma_device *device, uint32_t index);

/*
 * busway_dma_detach() - the driver lets go
 * -BUSWAY_EBUSY while something is mapped or allocated: reported as a leak, with one example, and
 * nothing is changed. See busway_dma_abandon().
 */
int busway_dma_detach(struct busway_dma_device *device);

/*
 * busway_dma_abandon() - let go of a device that may still be doing DMA
 * Everything that is live is taken from the driver: records are the caller's again, slots and
 * coherent memory go into quarantine until busway_dma_quiet(). Of a device with a domain nothing
 * does: it has no way to them any more. @device is gone.
 * Mappings that wait are cancelled. Return: how many live mappings and allocations there were,
 * those that waited not among them.
 */
size_t busway_dma_abandon(struct busway_dma_device *device);

/* The device was reset, or bus mastering is off: what it left behind is zeroed, and may be used
 * again. */
void busway_dma_quiet(struct busway_dma *dma, busway_device_id id);

/*
 * busway_dma_grow() - a bounce pool of at least @size bytes more, of environment.more(), where the
 * device reaches it; all devices may use it. As a worker would, that hears of a full pool: mapping
 * itself never asks for memory. Any thread, while the mask of the device does not change.
 * -BUSWAY_ENOMEM; -BUSWAY_EINVAL: no size, no more(), or the device has a restricted pool.
 */
int busway_dma_grow(struct busway_dma_device *device, uint64_t size);

/* ---- masks ----------------------------------------------------------------------------- */

/* What the platform makes of a mask. */
struct busway_mask_report {
	unsigned required_bits; /* the mask that would drive every address that leads to memory */
	/* Some memory has no address under this mask: buffers there bounce or are refused. */
	bool limited;
};

/**
 * busway_dma_set_mask() - how many address bits the driver says its device drives
 * @bits:   1..64
 * @report: may be NULL
 * @why:    may be NULL
 *
 * The streaming and the coherent mask are apart. Widening always works. Narrowing is refused while
 * a live mapping (or allocation) would be outside (live-mapping, which names it). A mask by which
 * no memory can be reached, or none of the pool that must be used, is refused (empty-reach). An
 * MSI doorbell is a reservation in the space of a bus and touches no mask.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM; -BUSWAY_ERANGE: refused; -BUSWAY_EBUSY: a mapping of
 * the device waits for slots (streaming mask only). Unless it is 0, nothing has changed.
 */
int busway_dma_set_mask(struct busway_dma_device *device, unsigned bits,
			struct busway_mask_report *report, struct busway_refusal *why);
int busway_dma_set_coherent_mask(struct busway_dma_device *device, unsigned bits,
				 struct busway_mask_report *report, struct busway_refusal *why);

/* The masks that are in force, in bits. */
unsigned busway_dma_mask(const struct busway_dma_device *device);
unsigned busway_dma_coherent_mask(const struct busway_dma_device *device);

/* ---- who owns an address --------------------------------------------------------------- */

/*
 * The live mapping or allocation of @device that holds @dma, or NULL. Looks in one list for each
 * size of 2^n in use and lane, not at all mappings; the first to ask sorts in what a lane mapped
 * last, at most 64. Excludes all lanes of the device.
 */
const struct busway_mapping *busway_dma_owner(const struct busway_dma_device *device,
					      busway_dma_t dma);

#endif
