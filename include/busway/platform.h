/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform.h - the address-space graph: spaces, windows, regions, devices.
 *
 *   device ---> [ space: PCI bus ] --window--> [ space: SoC bus ] --window--> [ space: CPU ]
 *                    |                                                             |
 *                 region: aperture                                       region: RAM bank
 *
 * The words, here and everywhere in Busway:
 *
 *   space    a set of addresses with one meaning
 *   window   forwards a range of one space into another space, at an offset
 *   region   where an access ends: RAM, a carve-out, an outbound aperture, a doorbell
 *   device   an initiator: the space where its accesses enter, and what it can emit
 *   hop      one space on the way of an access
 *
 * In one space a region claims its addresses before any window does, and of several windows the
 * first one added wins (property order, as Linux and hardware decoders have it).
 *
 * A platform is built once (create, add..., seal) by an importer or by hand and never changes
 * after busway_platform_seal(): from then on any number of threads may ask it. Building is for
 * one thread. Strings and arrays that are handed in are not copied, unless it is said: they live
 * as long as the platform (busway_platform_keep() gives such memory).
 *
 * Unless a function says otherwise it returns 0 or a negative status: -BUSWAY_EINVAL for arguments
 * that make no sense, -BUSWAY_ENOMEM, -BUSWAY_ERANGE for a refusal. A failed call changes nothing.
 */
#ifndef BUSWAY_PLATFORM_H
#define BUSWAY_PLATFORM_H

#include <busway/addr.h>
#include <busway/allocator.h>
#include <busway/refusal.h>
#include <busway/status.h>

struct busway_platform;

/* Names of things in a platform: indices, of distinct types. */
typedef struct {
	uint32_t index;
} busway_space_id;

typedef struct {
	uint32_t index;
} busway_region_id;

typedef struct {
	uint32_t index;
} busway_device_id;

#define BUSWAY_NO_DEVICE ((busway_device_id){UINT32_MAX})

enum busway_access {
	BUSWAY_READ = 1,
	BUSWAY_WRITE = 2,
	BUSWAY_READ_WRITE = 3,
};

/* ---- building blocks ------------------------------------------------------------------- */

enum busway_space_kind {
	BUSWAY_SPACE_CPU, /* CPU-physical; a platform has exactly one */
	BUSWAY_SPACE_BUS, /* an interconnect of the SoC */
	BUSWAY_SPACE_PCI, /* the memory space of one PCI host bridge */
};

struct busway_space {
	const char *name; /* path of the node, or "cpu" */
	enum busway_space_kind kind;
	/* no window that was stated leads up from here: an access is refused as untranslatable */
	bool untranslatable;
};

struct busway_window {
	busway_space_id from, to;
	struct busway_range in; /* in addresses of @from */
	busway_local_t out;     /* where in.first comes out in @to; wrapping round is refused */
	enum busway_access access;
	const char *name; /* node whose property states it */
	uint32_t entry; /* which entry of that property, from 0; UINT32_MAX: the node passes 1:1 */
};

/* In the order in which they win where they overlap: the first claims the address. */
enum busway_region_kind {
	BUSWAY_REGION_DOORBELL, /* MSI target */
	BUSWAY_REGION_CARVEOUT, /* no-map reserved memory: not for anybody else's DMA */
	BUSWAY_REGION_APERTURE, /* outbound aperture: a peer or a bridge answers, not memory */
	BUSWAY_REGION_RAM,
	BUSWAY_REGION_UNKNOWN, /* nothing is known; taken only where no window takes the access */
};

struct busway_region {
	busway_space_id space;
	struct busway_range range;
	enum busway_region_kind kind;
	enum busway_access access;
	const char *name;
};

/*
 * What a device can emit: addresses a with (a & zero) == 0 and (a & one) == one, and, where
 * @only_count > 0, inside one of the ranges @only (sorted, disjoint). A DMA mask of n bits is
 * zero = ~(2^n - 1); address bits with a meaning of their own are bits of @zero or @one.
 */
struct busway_emission {
	uint64_t zero, one;
	const struct busway_range *only;
	size_t only_count;
};

/* All addresses of @bits address lines (0..64). */
struct busway_emission busway_emission_mask(unsigned bits);

enum busway_coherence {
	BUSWAY_COHERENCE_DEFAULT, /* the architecture's default applies */
	BUSWAY_COHERENT,
	BUSWAY_NONCOHERENT,
};

enum busway_device_kind {
	BUSWAY_DEVICE_PLATFORM,
	BUSWAY_DEVICE_PCIE_HOST,
	BUSWAY_DEVICE_PCI_HOST,
	BUSWAY_DEVICE_PCIE_ENDPOINT, /* an endpoint controller */
	BUSWAY_DEVICE_PCI_FUNCTION,
	BUSWAY_DEVICE_IOMMU,
};

/* Zero means "no limit" in each. Facts of the device, as a driver would state them. */
struct busway_segment_limits {
	uint64_t max_size;  /* bytes in one segment */
	uint64_t boundary;  /* a power of two that no segment crosses */
	uint32_t max_count; /* segments in one list */
};

/* An entry of iommu-map, msi-map, iommus or msi-parent. */
struct busway_id_map {
	const char *controller; /* path of its node */
	bool is_range;          /* a range of requester IDs; else one specifier of the device */
	bool enabled;           /* the controller is */
	uint32_t id_base, id_count, id_mask;
	uint32_t out_base;     /* first cell of the specifier */
	const uint32_t *cells; /* of a specifier: all of them */
	size_t cell_count;
	bool has_doorbell; /* the controller is of a type with a fixed doorbell address */
	busway_phys_t doorbell;
};

enum busway_outbound_kind {
	BUSWAY_OUTBOUND_IO,
	BUSWAY_OUTBOUND_MEM32,
	BUSWAY_OUTBOUND_MEM64,
};

/* An outbound window of a host bridge, as stated. */
struct busway_outbound {
	enum busway_outbound_kind kind;
	bool prefetchable;
	bool has_cpu; /* its CPU side translates */
	struct busway_range bus;
	busway_phys_t cpu;
};

/* Limits of an endpoint controller; UINT32_MAX where not stated. */
struct busway_endpoint {
	bool has_outbound;
	struct busway_phys_range outbound;
	uint32_t ob_windows, ib_windows, max_functions;
};

enum busway_pool_type {
	BUSWAY_POOL_RESTRICTED,
	BUSWAY_POOL_SHARED,
	BUSWAY_POOL_RESERVED,
};

struct busway_pool {
	const char *name;
	enum busway_pool_type type;
	bool enabled;
	bool valid;   /* its flags do not contradict its type */
	bool ignored; /* nobody heeds it: the node that holds it is ignored as a whole */
	bool no_map, reusable;
	bool dynamic; /* placed at boot: no range here */
	bool empty;   /* of size zero, for firmware to fill in: only range.first means something */
	struct busway_range range;
	uint64_t size, alignment; /* of a dynamic pool, in bytes; alignment 0: not stated */
	const struct busway_range *alloc_ranges;
	size_t alloc_range_count;
	const char *const *users;
	size_t user_count;
};

/* Memory that the platform states; add a RAM region of the same range with it. Without any bank
 * the platform does not say where its memory is. */
struct busway_memory_bank {
	const char *name;
	struct busway_range range;
};

/* Something the reader should know about how an answer came to be. */
#define BUSWAY_NOTES(X)                                                                            \
	X(BUSWAY_NOTE_HIDDEN_TABLE, "hidden-table",                                                \
	  "a dma-ranges above is not reached: two levels without one lie between; Linux applies "  \
	  "no window here")                                                                        \
	X(BUSWAY_NOTE_ZERO_SIZE, "zero-size-entry",                                                \
	  "an entry of size zero ends the table: later entries do not count")                      \
	X(BUSWAY_NOTE_DROPPED, "entry-dropped",                                                    \
	  "the start of an entry does not translate through the levels above: Linux drops it")     \
	X(BUSWAY_NOTE_CLIPPED, "entry-clipped",                                                    \
	  "the levels above pass a part of an entry only; Linux does not clip it and would hand "  \
	  "out addresses that lead nowhere")                                                       \
	X(BUSWAY_NOTE_WRAPS, "entry-wraps", "an entry passes 2^64: what lies beyond is cut off")   \
	X(BUSWAY_NOTE_SHADOWED, "entry-shadowed",                                                  \
	  "an entry overlaps an earlier one on the bus: the earlier one wins")                     \
	X(BUSWAY_NOTE_TAIL, "entry-truncated",                                                     \
	  "the property is not a whole number of entries: the tail is ignored")                    \
	X(BUSWAY_NOTE_NO_ENTRY, "untranslatable",                                                  \
	  "no entry translates; Linux would then run the device without any limit")                \
	X(BUSWAY_NOTE_MISSING_LEVEL, "missing-is-identity",                                        \
	  "a level above without dma-ranges passes addresses 1:1")                                 \
	X(BUSWAY_NOTE_FIRST_LEVEL, "first-level-missing",                                          \
	  "the bus itself has no dma-ranges: the one of the level above applies")                  \
	X(BUSWAY_NOTE_NO_TABLE, "no-table",                                                        \
	  "no dma-ranges on the way up: no window limits the device, only its mask")               \
	X(BUSWAY_NOTE_COLLISION, "aperture-in-window",                                             \
	  "an outbound aperture lies inside an inbound window: DMA to it does not reach memory")   \
	X(BUSWAY_NOTE_DMA_PARENT, "dma-parent",                                                    \
	  "interconnect-names \"dma-mem\" names the DMA parent")                                   \
	X(BUSWAY_NOTE_CODE, "space-code",                                                          \
	  "an entry with a configuration or I/O space code is used as memory")                     \
	X(BUSWAY_NOTE_HOST_IOMMUS, "iommus-on-host",                                               \
	  "iommus on a host bridge is for the bridge itself: functions below it are not "          \
	  "translated")                                                                            \
	X(BUSWAY_NOTE_IOMMU_UNREADABLE, "iommu-unreadable",                                        \
	  "the property names an IOMMU but cannot be read to its end: the device is taken for "    \
	  "translated")                                                                            \
	X(BUSWAY_NOTE_BRIDGE_IOMMU, "bridge-iommu",                                                \
	  "the way to memory leads through a host bridge with an iommu-map: what it names "        \
	  "translates this device, too; Linux does not look there")                                \
	X(BUSWAY_NOTE_POOL_IGNORED, "restricted-pool-behind-iommu",                                \
	  "behind an IOMMU the kernel ignores a restricted pool")                                  \
	X(BUSWAY_NOTE_CELLS, "cells-inherited",                                                    \
	  "the node states no #address-cells or #size-cells of its own: the nearest above count")  \
	X(BUSWAY_NOTE_MAP_CELLS, "map-cells",                                                      \
	  "map entries were read with the cell count of the controller, not as 4 cells")           \
	X(BUSWAY_NOTE_DUPLICATE, "duplicate-property",                                             \
	  "the property stands twice in one node: the first one counts")                           \
	X(BUSWAY_NOTE_DOORBELL_IN_MEMORY, "doorbell-in-memory",                                    \
	  "an MSI doorbell lies inside declared memory: it answers there, and these bytes are no " \
	  "memory for anybody")                                                                    \
	X(BUSWAY_NOTE_ROOT_COMPLEX, "x86-root-complex",                                            \
	  "no table says what the host bridge makes of addresses from below: that of an x86 "      \
	  "machine passes them to the CPU's space 1:1")                                            \
	X(BUSWAY_NOTE_INBOUND_UNKNOWN, "inbound-unknown",                                          \
	  "nothing says what the host bridge makes of addresses from below: no access is passed")  \
	X(BUSWAY_NOTE_IOMMU_UNKNOWN, "iommu-unknown",                                              \
	  "nothing says whether an IOMMU translates what the function emits: it is taken for "     \
	  "translated")                                                                            \
	X(BUSWAY_NOTE_NARROW_MASK, "narrow-mask",                                                  \
	  "its DMA mask is narrower than memory, and no IOMMU translates: memory beyond it is "    \
	  "bounced, or refused")                                                                   \
	X(BUSWAY_NOTE_RESERVED_IGNORED, "reserved-memory-ignored",                                 \
	  "/reserved-memory lacks ranges or repeats other cells than the root's: ignored")

enum busway_note_code {
#define X(id, code, text) id,
	BUSWAY_NOTES(X)
#undef X
		BUSWAY_NOTE_COUNT
};

struct busway_note {
	enum busway_note_code code;
	const char *node;
	const char *property;
	uint32_t entry; /* UINT32_MAX: not about one entry */
	const struct busway_note *next;
};

const char *busway_note_code(enum busway_note_code code);
const char *busway_note_text(enum busway_note_code code);

/* How a device's accesses enter the graph, and what decided it. */
struct busway_dma_view {
	busway_space_id enters;
	bool restricted;    /* windows limit it */
	const char *source; /* node whose property decided; NULL if none did */
	bool empty_table;   /* of what translates, the first is the end: a zero-size entry */
	bool has_bus_limit;
	uint64_t bus_limit; /* the figure that Linux calls the bus limit */
	const struct busway_note *notes;
};

struct busway_device {
	const char
		*name; /* path of the node, unique, or that of the bridge for .is_bridge_itself */
	enum busway_device_kind kind;
	bool enabled;
	bool likely_master; /* its name, type or properties say that it does DMA */
	enum busway_coherence coherence;
	bool untrusted;
	struct busway_dma_view dma;
	struct busway_emission emission;
	struct busway_segment_limits segments;
	bool has_requester; /* PCI: bus, device, function in bits 15..0 */
	uint16_t requester;
	/* of a host bridge, where they are stated; without a range all 256 buses are its own */
	bool has_domain, has_bus_range;
	uint32_t domain; /* of 16 bits on real segments; controllers with a domain within go beyond
			  */
	uint8_t first_bus, last_bus;
	/* of a host bridge: the bridge as a master itself; this one's .dma is for the functions */
	busway_device_id own;
	bool is_bridge_itself;
	const struct busway_id_map *iommu, *msi;
	size_t iommu_count, msi_count;
	bool behind_iommu; /* some access of it is translated by an enabled IOMMU */
	/* and so is every other, whatever the requester ID: an IOMMU stands behind a bridge further
	 * up, or what names it cannot be read */
	bool translated_always;
	const struct busway_outbound *outbound;
	size_t outbound_count;
	const uint32_t *pools; /* indices of the platform's pools, in the order that counts */
	size_t pool_count;
	uint32_t restricted_pool; /* index of the pool that it must use; UINT32_MAX: none */
	/* paths of the nodes that its own memory-region names, in order, pools or not */
	const char *const *memory_regions;
	size_t memory_region_count;
	/* what may not be used as an IOVA of it (iommu-addresses), and who says so */
	const struct busway_region *iova_reserved;
	size_t iova_reserved_count;
	const struct busway_endpoint *endpoint;
	const struct busway_note *notes;
};

/* ---- building -------------------------------------------------------------------------- */

/* @memory must outlive the platform. It has one space, the CPU's, with index 0. */
int busway_platform_create(const struct busway_allocator *memory, struct busway_platform **out);

/* Gives back all memory, that of busway_platform_keep() too. @platform may be NULL. */
void busway_platform_destroy(struct busway_platform *platform);

/* Memory, not cleared, that lives as long as the platform; NULL when there is none. */
void *busway_platform_keep(struct busway_platform *platform, size_t size, size_t align);

/* Each copies the struct (not what it points to). -BUSWAY_EINVAL: an id does not exist, an empty or
 * wrapping range, no name; -BUSWAY_EBUSY: the platform is sealed. */
int busway_platform_add_space(struct busway_platform *platform, const struct busway_space *space,
			      busway_space_id *id);
int busway_platform_add_window(struct busway_platform *platform,
			       const struct busway_window *window);
int busway_platform_add_region(struct busway_platform *platform,
			       const struct busway_region *region);
int busway_platform_add_bank(struct busway_platform *platform,
			     const struct busway_memory_bank *bank);
int busway_platform_add_pool(struct busway_platform *platform, const struct busway_pool *pool,
			     uint32_t *index);
int busway_platform_add_device(struct busway_platform *platform, const struct busway_device *device,
			       busway_device_id *id);
/* CPU-physical memory that nobody may be given, for reasons outside the graph (the header's
 * memory reservations). It is not subtracted from any reach. */
int busway_platform_add_reserved(struct busway_platform *platform, struct busway_range range);

/* Another name for the device @path; neither string is copied. */
int busway_platform_add_alias(struct busway_platform *platform, const char *name, const char *path);
/* Notes about the platform as a whole; the list is not copied. */
void busway_platform_set_notes(struct busway_platform *platform, const struct busway_note *notes);

void busway_platform_describe(struct busway_platform *platform, const char *model,
			      const char *const *compatible, size_t compatible_count);

/* A space's .untranslatable is known only once its windows are; allowed until sealing. */
void busway_platform_mark_untranslatable(struct busway_platform *platform, busway_space_id id);

/*
 * busway_platform_seal() - sort what was added so that it can be asked
 * Must be called once, after the last addition. Cost: n log n in windows and regions.
 * Return: 0; -BUSWAY_ENOMEM (call it again or destroy); -BUSWAY_EBUSY if it was sealed before.
 */
int busway_platform_seal(struct busway_platform *platform);

/* ---- reading --------------------------------------------------------------------------- */

#define BUSWAY_CPU_SPACE ((busway_space_id){0})

const struct busway_space *busway_platform_space(const struct busway_platform *platform,
						 busway_space_id id);
const struct busway_region *busway_platform_region(const struct busway_platform *platform,
						   busway_region_id id);
const struct busway_device *busway_platform_device(const struct busway_platform *platform,
						   busway_device_id id);
size_t busway_platform_device_count(const struct busway_platform *platform);
size_t busway_platform_space_count(const struct busway_platform *platform);
const struct busway_window *busway_platform_windows(const struct busway_platform *platform,
						    size_t *count);
const struct busway_region *busway_platform_regions(const struct busway_platform *platform,
						    size_t *count);
const struct busway_memory_bank *busway_platform_banks(const struct busway_platform *platform,
						       size_t *count);
const struct busway_pool *busway_platform_pools(const struct busway_platform *platform,
						size_t *count);
const struct busway_note *busway_platform_notes(const struct busway_platform *platform);
const char *busway_platform_model(const struct busway_platform *platform);
const char *const *busway_platform_compatible(const struct busway_platform *platform,
					      size_t *count);

/* Bytes of bank @index (below its count) that no no-map carve-out takes; needs @memory to work. */
int busway_platform_usable(const struct busway_platform *platform, size_t index,
			   const struct busway_allocator *memory, uint64_t *bytes);

/* Is @requester, or some requester where @any, translated by one of @maps? As Linux reads maps. */
bool busway_id_map_hits(const struct busway_id_map *maps, size_t count, bool any,
			uint16_t requester);

/* Of the IOMMUs of @device the one that translates it, or the first one that translates some
 * function below it; NULL: it is not behind an IOMMU, or the platform does not say behind which. */
const struct busway_id_map *busway_device_iommu(const struct busway_device *device);

/*
 * busway_platform_add_function() - a PCI function below a host bridge, by its requester ID
 * The one thing that may be added after sealing, while no other thread asks the platform: @name
 * stands for a function that the description does not list. It gets the view that @host gives
 * its functions, whether an IOMMU translates it by its ID, and of pools the host's restricted one
 * unless it is translated. -BUSWAY_EINVAL: @host is not a host bridge, or is one as a master
 * itself.
 */
int busway_platform_add_function(struct busway_platform *platform, busway_device_id host,
				 uint16_t requester, const char *name, busway_device_id *id);

/*
 * What an operating system says of a function that busway_platform_add_function() added. Nothing is
 * copied. Allowed after sealing, as that is.
 */
struct busway_function_facts {
	unsigned mask; /* bits of its DMA mask, 1..64; 0: not said */
	bool likely_master;
	bool behind_iommu, translated_always; /* as struct busway_device has them */
	const struct busway_id_map *iommu;
	size_t iommu_count;
	/* instead of those that the host keeps free for its functions */
	const struct busway_region *iova_reserved;
	size_t iova_reserved_count;
	const struct busway_note *notes; /* put behind those that it has */
};

/* -BUSWAY_EINVAL: @id is no PCI function, or a mask of more than 64 bits. */
int busway_platform_set_function(struct busway_platform *platform, busway_device_id id,
				 const struct busway_function_facts *facts);

const struct busway_range *busway_platform_reserved(const struct busway_platform *platform,
						    size_t *count);

/*
 * State the segment limits of a device, as its driver knows them; also after sealing, while no
 * other thread asks the platform. A boundary that is no power of two is -BUSWAY_EINVAL.
 */
int busway_platform_set_segments(struct busway_platform *platform, busway_device_id id,
				 const struct busway_segment_limits *limits);

/* Does the platform say where its memory is? */
bool busway_platform_memory_known(const struct busway_platform *platform);

/*
 * busway_platform_find_device() - a device by name
 * @name: full path, alias, or unique end of a path that begins behind a '/'
 * @found: up to @capacity candidates, in the order in which they were added; may be NULL if
 *         @capacity is 0
 * Return: how many devices the name fits (more than one: it is ambiguous). An exact path or
 * alias fits one device only. Bridges as masters themselves are not found by name.
 */
size_t busway_platform_find_device(const struct busway_platform *platform, const char *name,
				   busway_device_id *found, size_t capacity);

#endif
