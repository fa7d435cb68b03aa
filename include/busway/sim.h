/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim.h - a simulated machine: the memory, the caches and the buses of any platform, to run
 * drivers and devices on.
 *
 *     driver ---- the DMA API (dma.h) ----> busway_machine_environment()
 *                                                     |
 *     device --> [ fabric: hop by hop ] --> [ memory | caches ]
 *                     [ IOMMU ]  walks page tables in that memory, and remembers
 *                     judged against what is mapped
 *
 * The machine does what hardware does, also where that is bad: an access ends where the windows
 * lead it, a checker lets nothing pass, a stale cache line stays stale. And it tells: each thing
 * that a driver, a device or this library did wrong is a violation, with the device, the address,
 * the hop and the mapping that was meant.
 *
 * It is an independent judge: it reads the building blocks of the platform and follows accesses
 * by code of its own, keeps a table of its own of what is mapped, and three copies of memory:
 * as the CPU sees it through its caches, as it is, and as the CPU saw it when it was synced last.
 *
 * Units are bytes; ranges are inclusive. Functions return 0 or a negative status (status.h). One
 * thread at a time uses a machine, its environment and its engines. Everything random comes from
 * the seed: the same calls with the same seed do the same. Hosted code (mmap).
 */
#ifndef BUSWAY_SIM_H
#define BUSWAY_SIM_H

#include <busway/mapping.h>
#include <busway/pagetable.h>

struct busway_machine;
struct busway_engine;
struct busway_interrupt;

/* ---- what can go wrong ------------------------------------------------------------------- */

/*
 * id, code, sentence. First what the fabric refuses: such bytes are not moved, and read as all
 * ones. What follows is done as asked, and told. stack to too-large are classes of Linux's DMA-API
 * debugging (kernel/dma/debug.c of 6.12) that the library cannot see by itself; dma.h has others.
 */
#define BUSWAY_VIOLATIONS(X)                                                                       \
	X(BUSWAY_VIOLATION_EMISSION, "emission", "the device has no lines for this address")       \
	X(BUSWAY_VIOLATION_NO_WINDOW, "no-window", "nobody on this bus claims the address")        \
	X(BUSWAY_VIOLATION_NO_MEMORY, "no-memory", "no memory answers at this address")            \
	X(BUSWAY_VIOLATION_ACCESS, "access", "a window or a target forbids this access")           \
	X(BUSWAY_VIOLATION_APERTURE, "aperture",                                                   \
	  "an outbound aperture claims the address: memory behind it is not reached")              \
	/* also where page tables lie: see busway_machine_table_memory() */                        \
	X(BUSWAY_VIOLATION_CARVEOUT, "carve-out", "reserved memory that is not the device's")      \
	X(BUSWAY_VIOLATION_FILTER, "filter", "the bus checker lets the device at its pool only")   \
	X(BUSWAY_VIOLATION_LOOP, "loop", "windows lead the access in a circle")                    \
	X(BUSWAY_VIOLATION_DOORBELL, "doorbell", "a doorbell is used as memory")                   \
	/* of what an IOMMU does: see busway_machine_translate(). The first two are refused */     \
	X(BUSWAY_VIOLATION_IOMMU_FAULT, "iommu-fault", "the IOMMU has no translation for it")      \
	X(BUSWAY_VIOLATION_IOMMU_PERMISSION, "iommu-permission",                                   \
	  "the page does not allow this access")                                                   \
	X(BUSWAY_VIOLATION_STALE, "stale-translation",                                             \
	  "the IOMMU goes by what it remembers, which is not what its tables say")                 \
	X(BUSWAY_VIOLATION_TABLE_GONE, "table-gone",                                               \
	  "the IOMMU walks a table that was given back")                                           \
	/* of a device, against what is mapped for it */                                           \
	X(BUSWAY_VIOLATION_OUTSIDE, "outside", "memory that is not mapped for the device")         \
	X(BUSWAY_VIOLATION_AFTER_UNMAP, "after-unmap", "memory that is not mapped any more")       \
	X(BUSWAY_VIOLATION_WROTE, "wrote", "writes what is mapped for reading")                    \
	X(BUSWAY_VIOLATION_READ, "read", "reads what is mapped for writing")                       \
	/* of the CPU and the caches */                                                            \
	X(BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE, "no-sync-for-device",                               \
	  "the device meets what the CPU has written since it was synced")                         \
	X(BUSWAY_VIOLATION_NO_SYNC_FOR_CPU, "no-sync-for-cpu",                                     \
	  "the CPU reads what the device has written, without a sync")                             \
	X(BUSWAY_VIOLATION_NOT_OWNED, "not-owned",                                                 \
	  "the CPU touches what is mapped for the device to write")                                \
	/* of a driver, in what it maps */                                                         \
	X(BUSWAY_VIOLATION_STACK, "stack", "maps memory of the stack")                             \
	X(BUSWAY_VIOLATION_TEXT, "text", "maps program text or constants")                         \
	X(BUSWAY_VIOLATION_INVALID, "invalid", "maps an address at which no memory is")            \
	X(BUSWAY_VIOLATION_VMALLOC, "vmalloc", "maps memory that is contiguous for the CPU only")  \
	X(BUSWAY_VIOLATION_SEGMENT_SIZE, "segment-size",                                           \
	  "a segment is larger than the device takes")                                             \
	X(BUSWAY_VIOLATION_BOUNDARY, "boundary", "a segment crosses a boundary of the device")     \
	X(BUSWAY_VIOLATION_OVERLAP, "overlap", "maps bytes that are mapped for writing already")   \
	X(BUSWAY_VIOLATION_OVERLAPS, "overlaps",                                                   \
	  "maps bytes that too many mappings share already")                                       \
	X(BUSWAY_VIOLATION_TOO_LARGE, "too-large", "a mapping is larger than the platform maps")   \
	/* of the library, in what it hands out */                                                 \
	X(BUSWAY_VIOLATION_ASTRAY, "astray",                                                       \
	  "the address that was handed out does not lead to the memory")                           \
	X(BUSWAY_VIOLATION_DOORBELL_COVERED, "doorbell-covered",                                   \
	  "an address that was handed out is a doorbell")                                          \
	/* of the driver, as the library has reported it: .misuse says which */                    \
	X(BUSWAY_VIOLATION_MISUSE, "misuse", "the DMA API is misused")                             \
	/* of the machine itself */                                                                \
	X(BUSWAY_VIOLATION_BLIND, "blind",                                                         \
	  "there was no memory to keep watch: later violations may be wrong or missing")

enum busway_violation_kind {
	BUSWAY_NO_VIOLATION,
#define X(id, code, text) id,
	BUSWAY_VIOLATIONS(X)
#undef X
		BUSWAY_VIOLATION_COUNT
};

/* A segment of a mapping, as the machine has seen it come and go. */
struct busway_trace {
	busway_device_id device;
	struct busway_dma_range dma;
	busway_phys_t phys; /* the driver's memory, for dma.first on */
	enum busway_direction direction;
	enum busway_mapping_kind kind;
	uint64_t number; /* of the mapping: how many came before it, and 1 */
	bool live;       /* else it was unmapped recently */
};

struct busway_violation {
	enum busway_violation_kind kind;
	enum busway_misuse misuse;
	uint64_t number;         /* how many came before it, and 1 */
	busway_device_id device; /* BUSWAY_NO_DEVICE: the CPU did it */
	const char *name;        /* of the device; "cpu"; lives as long as the platform */
	enum busway_access access;
	struct busway_range asked; /* as the device emitted it; of the CPU: CPU-physical */
	/* how far it came: the space, or the window that forbade it; and what stands there. Or the
	 * IOMMU, and its reason */
	const char *hop, *by;
	struct busway_range at; /* the bytes of @asked, in addresses of that space */
	bool has_trace;
	struct busway_trace trace; /* the mapping that was meant, or is nearest */
};

/* The code for scripts ("after-unmap"), and the sentence; "" for BUSWAY_NO_VIOLATION. */
const char *busway_violation_code(enum busway_violation_kind kind);
const char *busway_violation_sentence(enum busway_violation_kind kind);

/*
 * All of a violation in words: device, address, hop, mapping. Always ends @buf with a NUL where
 * @size > 0. Return: the length that the whole text has.
 */
size_t busway_violation_text(const struct busway_violation *violation, char *buf, size_t size);

/* ---- life -------------------------------------------------------------------------------- */

struct busway_machine_options {
	uint64_t seed;
	/* a device may touch memory that is not mapped for it; all else is told all the same */
	bool lenient;
	bool default_coherent;    /* where the platform leaves it to the architecture */
	bool posted;              /* writes of devices arrive later: see busway_machine_settle() */
	bool routes_only;         /* without memory: for busway_machine_route() alone */
	bool walks_past_caches;   /* IOMMUs do not see what the CPU has in its caches */
	bool undrained;           /* an invalidation does not wait for writes on their way */
	size_t iotlb_pages;       /* translations that IOMMUs remember; 0: 64 */
	size_t iotlb_tables;      /* tables on the way that they remember; 0: 32 */
	size_t records;           /* how many violations are kept; 0: 256. All are counted. */
	uint64_t largest_mapping; /* in bytes; 0: any */
	/* more memory: where the platform does not say where it is. Read by create only. */
	const struct busway_phys_range *memory;
	size_t memory_count;
	/* a doorbell was rung; may be NULL. May use the machine, and unmap. */
	void (*interrupt)(void *ctx, const struct busway_interrupt *interrupt);
	/* registers of a device that are mapped for another one (busway_map_peer()) are accessed;
	 * NULL: they read as all ones */
	void (*registers)(void *ctx, busway_phys_t phys, void *bytes, size_t size,
			  enum busway_access access);
	void *ctx; /* of both */
};

/**
 * busway_machine_create() - the machine of a platform
 * @platform: sealed; outlives it
 * @options:  copied; NULL: all zero
 * @memory:   for records; outlives it. Simulated memory is mmap()ed: sparse, zeroed, reserved only.
 *
 * Terabytes of memory are fine, and all 2^64 bytes with routes_only.
 *
 * Return: 0, -BUSWAY_ENOMEM: of records, or of simulated memory.
 */
int busway_machine_create(const struct busway_platform *platform,
			  const struct busway_machine_options *options,
			  const struct busway_allocator *memory, struct busway_machine **out);

/* Writes that have not arrived are lost. @machine may be NULL. */
void busway_machine_destroy(struct busway_machine *machine);

/* For busway_dma_create(). Good as long as the machine. */
struct busway_dma_environment busway_machine_environment(struct busway_machine *machine);

/*
 * busway_machine_place_pool() - where a pool is whose place the platform leaves open
 * As busway_dma_place_pool(), which the machine does not see. Return: 0, -BUSWAY_ENOMEM;
 * -BUSWAY_EINVAL: no such pool, or it has a place, or @range is empty.
 */
int busway_machine_place_pool(struct busway_machine *machine, uint32_t index,
			      struct busway_phys_range range);

/* busway_dma_quiet() was called: what the device had when it was abandoned is not its any more. */
void busway_machine_quiet(struct busway_machine *machine, busway_device_id device);

/* ---- the CPU ----------------------------------------------------------------------------- */

/*
 * busway_machine_take() - memory for buffers, rings and pools, as an operating system gives it
 * Clear of carve-outs, pools and reserved memory; the lowest place that fits.
 * @align:  a power of two
 * @within: where it must be, whole; the first that has room. @count 0: anywhere
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM. Give it back by busway_machine_give().
 */
int busway_machine_take(struct busway_machine *machine, uint64_t size, uint64_t align,
			const struct busway_phys_range *within, size_t count, busway_phys_t *phys);
void busway_machine_give(struct busway_machine *machine, struct busway_phys_range range);

/*
 * busway_machine_claim(), busway_machine_unclaim() - keep memory that somebody has chosen himself
 * Until it is unclaimed, nobody is given any of it: no taker, no pool that grows, no page table.
 * Claims may overlap; one that was made twice is unclaimed twice. What is taken already, set aside
 * or no memory at all may be claimed as well: it stays as it is.
 * @range: to unclaim, one that was claimed; else nothing happens
 * Return: 0, -BUSWAY_ENOMEM; -BUSWAY_EINVAL: @range is empty; -BUSWAY_EBUSY: page tables lie in it.
 */
int busway_machine_claim(struct busway_machine *machine, struct busway_phys_range range);
void busway_machine_unclaim(struct busway_machine *machine, struct busway_phys_range range);

/*
 * busway_machine_pointer() - memory as the CPU sees it through its caches
 * What is read there is not watched. A store is noticed, as something that has to be synced, where
 * it changes a byte: one that stores what a stale line holds anyway is taken for none, and the line
 * is not written back. busway_machine_cpu_write() is noticed whatever it stores. Nothing keeps page
 * tables from who stores there this way. NULL: @range is not all inside one run of memory.
 */
void *busway_machine_pointer(struct busway_machine *machine, struct busway_phys_range range);

/*
 * busway_machine_cpu_read(), busway_machine_cpu_write() - the CPU accesses memory, and is watched
 * Tells what the CPU reads too early, and touches although the device owns it. Coherent memory of a
 * device that does not see the caches is accessed past them.
 * Return: 0, -BUSWAY_EINVAL: not all of it is inside one run of memory; -BUSWAY_EBUSY: page tables
 * lie there, and nothing is written.
 */
int busway_machine_cpu_read(struct busway_machine *machine, busway_phys_t phys, void *to,
			    size_t size);
int busway_machine_cpu_write(struct busway_machine *machine, busway_phys_t phys, const void *from,
			     size_t size);

/*
 * busway_machine_disturb() - what caches may do at any time, to the lines of a range
 * Of the dirty lines some are written back, of the others some are read anew. Neither is a sync:
 * what was forgotten is told all the same.
 */
void busway_machine_disturb(struct busway_machine *machine, struct busway_phys_range range);

/* What an operating system would not want to be mapped. */
enum busway_mark {
	BUSWAY_MARK_STACK,
	BUSWAY_MARK_TEXT,
	BUSWAY_MARK_VMALLOC,
};

/* Later mappings of what is in @range are violations. 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM. */
int busway_machine_mark(struct busway_machine *machine, struct busway_phys_range range,
			enum busway_mark mark);

/* ---- devices ----------------------------------------------------------------------------- */

/**
 * busway_machine_read(), busway_machine_write() - a device accesses an address
 * @size: any; each piece goes where the fabric leads it
 *
 * A read pushes all writes before it of the same device; what does not answer reads as all ones.
 * A write may arrive later (see options.posted), and is judged when it does. Time passes with each
 * access of a device or of the CPU that is watched: some writes arrive.
 *
 * Return: 0; -BUSWAY_ERANGE: some bytes were refused; -BUSWAY_EINVAL: no such device, an empty
 * access, or one that passes 2^64.
 */
int busway_machine_read(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
			void *to, size_t size);

enum busway_write_flags {
	BUSWAY_WRITE_RELAXED = 1, /* may overtake earlier writes of its device */
};

int busway_machine_write(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
			 const void *from, size_t size, unsigned flags);

/*
 * busway_machine_settle(), busway_machine_flush() - writes arrive
 * All, in some order that the rules of PCI allow; or those of one device, as when the CPU reads one
 * of its registers.
 */
void busway_machine_settle(struct busway_machine *machine);
void busway_machine_flush(struct busway_machine *machine, busway_device_id device);

/* A write of four bytes has arrived at a doorbell. */
struct busway_interrupt {
	busway_device_id device;
	busway_dma_t dma; /* as the device emitted it */
	const struct busway_region *doorbell;
	uint32_t value; /* little endian */
};

/* How many there were; the last one into @last, which may be NULL, if there was any. */
uint64_t busway_machine_interrupts(const struct busway_machine *machine,
				   struct busway_interrupt *last);

/* Where a piece of an access ends. */
struct busway_landing {
	struct busway_range dma;            /* this piece, as the device emits it */
	busway_space_id space;              /* where it has come to, */
	struct busway_range at;             /* at which addresses */
	const struct busway_region *region; /* that answers or refuses there, or */
	const struct busway_window *window; /* that refuses; else NULL */
	enum busway_violation_kind refused; /* BUSWAY_NO_VIOLATION: it lands */
	const char *iommu;  /* name of the one that translated or refuses; NULL: none did */
	const char *reason; /* why it refuses; else NULL */
};

/*
 * busway_machine_route() - where does an access go?
 * Follows @dma.first, and as much of @dma as goes the same way: ask for the rest anew. Nothing is
 * accessed or told, and where page tables lie is not looked at. Return: 0, -BUSWAY_EINVAL.
 */
int busway_machine_route(const struct busway_machine *machine, busway_device_id device,
			 struct busway_dma_range dma, enum busway_access access,
			 struct busway_landing *landing);

/* ---- an IOMMU ---------------------------------------------------------------------------- */

/*
 * How accesses of a device are translated. The IOMMU sits behind the windows that limit the bus:
 *
 *   device --> [ PCI bus: aperture, doorbell ] --window--> IOMMU --> [ cpu ]
 *                                                IOVA as emitted     what the tables say
 *
 * The first windows on the way, other than one that passes everything 1:1, must take the address,
 * and so must those of PCI buses behind; where they lead does not matter. What claims the address
 * on these buses gets it untranslated. A device for which nothing was said here passes
 * untranslated, also where the platform has it behind an IOMMU.
 */
struct busway_machine_iommu {
	const char *name; /* the hop in reports; lives as long as the machine */
	enum busway_pagetable_format format;
	struct busway_pagetable_root root;
	unsigned granule_lg2; /* Arm: 12, 14 or 16; 0: 12 */
	bool memory_types;    /* RISC-V: Svpbmt is there */
	bool track_dirty; /* it marks pages that are used and written; needs walks that see caches
			   */
	/* whose translations are remembered as the same: devices of one domain share one (Arm's
	 * ASID or VMID, domain ID, PSCID). Domains of two IOMMUs do not share one. */
	uint32_t tag;
};

/**
 * busway_machine_translate() - an IOMMU translates for @device from now on
 * @iommu: copied; NULL: nothing does any more
 *
 * Nothing that was remembered is forgotten by this. Writes that have not arrived are translated
 * when they arrive.
 *
 * The IOMMU really remembers: pages, and tables on the way there. It goes by that until it is
 * invalidated, or has room for other things to remember (chance says which). Each access that it so
 * translates otherwise than the tables say is done, and told: stale-translation. So is each walk of
 * a table that was given back to busway_machine_table_memory(): table-gone. In both cases it is not
 * looked at any further, as what is mapped says nothing of where it went.
 *
 * Return: 0; -BUSWAY_ENOMEM; -BUSWAY_EINVAL: no such device or name, a format, root or granule that
 * cannot be walked, or .track_dirty and options.walks_past_caches.
 */
int busway_machine_translate(struct busway_machine *machine, busway_device_id device,
			     const struct busway_machine_iommu *iommu);

/**
 * busway_machine_invalidate() - the invalidation command of an IOMMU, done when it returns
 * @tag:    whose
 * @range:  of IOVAs; all that touches it is forgotten, but of VT-d's large pages only those that
 *          lie in it as a whole: software has to say how large they are
 * @tables: the way there as well: tables were taken out. Else pages only
 *
 * First all writes arrive that devices of the tag have on their way, as they do in hardware; those
 * may use what is forgotten afterwards. Not with options.undrained.
 */
void busway_machine_invalidate(struct busway_machine *machine, uint32_t tag,
			       struct busway_dma_range range, bool tables);

/*
 * busway_machine_table_memory() - memory for page tables, in simulated memory
 * For busway_pagetable_create(). Good as long as the machine. The IOMMU sees what is written there
 * at once, unless options.walks_past_caches: then when it was cleaned.
 *
 * The library follows the entries of its tables, and trusts them: as long as a table lies there,
 * what a device writes to it is refused (carve-out), and so is busway_machine_cpu_write(). Devices
 * may read it.
 */
struct busway_table_memory busway_machine_table_memory(struct busway_machine *machine);

/* ---- violations -------------------------------------------------------------------------- */

/* How many there were since the beginning or the last clear: all, of one kind, of one misuse. */
uint64_t busway_machine_violations(const struct busway_machine *machine);
uint64_t busway_machine_count(const struct busway_machine *machine,
			      enum busway_violation_kind kind);
uint64_t busway_machine_misuses(const struct busway_machine *machine, enum busway_misuse misuse);

/* The first ones, in order; NULL behind the last one that was kept. Good until the next clear. */
const struct busway_violation *busway_machine_violation(const struct busway_machine *machine,
							size_t index);

/* Forget them all; what is mapped is not forgotten. */
void busway_machine_clear(struct busway_machine *machine);

/* ---- a DMA engine ------------------------------------------------------------------------ */

enum busway_engine_operation {
	BUSWAY_ENGINE_NOTHING,
	BUSWAY_ENGINE_READ,   /* .from, and forget it */
	BUSWAY_ENGINE_WRITE,  /* zeroes to .to */
	BUSWAY_ENGINE_COPY,   /* .from to .to */
	BUSWAY_ENGINE_FILL,   /* the bytes of .pattern to .to */
	BUSWAY_ENGINE_VERIFY, /* are these the bytes of .pattern at .from? */
	BUSWAY_ENGINE_OPERATIONS,
};

enum busway_engine_flags {
	BUSWAY_ENGINE_LAST = 1,      /* .next means nothing */
	BUSWAY_ENGINE_INTERRUPT = 2, /* when this one is done */
	BUSWAY_ENGINE_RELAXED = 4,   /* its writes may overtake others */
};

/* What the engine is to do. In memory it takes 48 bytes: see busway_engine_encode(). */
struct busway_engine_descriptor {
	uint32_t operation, flags;
	busway_dma_t from, to;
	uint64_t size;
	uint64_t pattern;  /* see busway_pattern_fill() */
	busway_dma_t next; /* of the next descriptor */
};

#define BUSWAY_ENGINE_DESCRIPTOR_SIZE 48

/* How it ended. */
enum busway_engine_status {
	BUSWAY_ENGINE_DONE,
	BUSWAY_ENGINE_REFUSED,  /* the bus refused an access; see the violations */
	BUSWAY_ENGINE_MISMATCH, /* other bytes than the pattern's, first at .dma */
	BUSWAY_ENGINE_BAD,      /* the descriptor at .dma makes no sense */
	BUSWAY_ENGINE_CYCLE,    /* the chain has no end */
};

struct busway_engine_result {
	enum busway_engine_status status;
	uint64_t done;    /* descriptors */
	busway_dma_t dma; /* where it went wrong */
};

struct busway_engine_options {
	bool has_doorbell; /* interrupts are writes of @value to @doorbell; */
	busway_dma_t doorbell;
	uint32_t value;
	/* and calls of this, a wire, which overtakes writes that have not arrived; may be NULL */
	void (*interrupt)(void *ctx);
	void *ctx;
	uint64_t most; /* descriptors in a chain; 0: 65536 */
};

/* An engine that is @device. @options: copied; NULL: all zero. 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM.
 */
int busway_engine_create(struct busway_machine *machine, busway_device_id device,
			 const struct busway_engine_options *options, struct busway_engine **out);
void busway_engine_destroy(struct busway_engine *engine);

/* One descriptor that is handed in, without the bus; .next and LAST mean nothing. */
struct busway_engine_result busway_engine_execute(
	struct busway_engine *engine, const struct busway_engine_descriptor *descriptor);

/* The chain at @first: each descriptor is fetched by DMA. Stops where something goes wrong. */
struct busway_engine_result busway_engine_run(struct busway_engine *engine, busway_dma_t first);

/* A descriptor as it stands in memory: little endian, in the order of the fields. */
void busway_engine_encode(const struct busway_engine_descriptor *descriptor,
			  unsigned char bytes[BUSWAY_ENGINE_DESCRIPTOR_SIZE]);

/* Bytes @offset... of @pattern: no two patterns look alike, nor do two places of one. */
void busway_pattern_fill(uint64_t pattern, uint64_t offset, void *bytes, size_t size);

/* How many bytes from the beginning are those of the pattern; @size: all. */
size_t busway_pattern_check(uint64_t pattern, uint64_t offset, const void *bytes, size_t size);

#endif
