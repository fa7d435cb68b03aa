/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_importer.h - what the parts of the device-tree importer share.
 *
 *   fdt_tree.c     the index: nodes and properties (fdt_check.c: as a whole; fdt_lookup.c: ask it)
 *   fdt_table.c    entries of ranges and dma-ranges
 *   fdt_owner.c    which of them has an address
 *   fdt_linux.c    a table as Linux reads it
 *   fdt_parent.c   where DMA of a node goes, and whether it is coherent
 *   fdt_dma.c      which table is a device's, and the spaces and windows that tables make
 *   fdt_memory.c   banks, reserved memory, pools
 *   fdt_maps.c     iommus, iommu-map, msi-parent, msi-map, doorbells
 *   fdt_iommu.c    what of that holds for which device
 *   fdt_host.c     host bridges and endpoint controllers
 *   fdt_device.c   which nodes are devices, and what is told of each
 *   fdt_import.c   the order in which all that happens
 */
#ifndef BUSWAY_FDT_IMPORTER_H
#define BUSWAY_FDT_IMPORTER_H

#include "fdt_tree.h"

/* Space classes on a PCI bus; 0 is configuration space. */
#define FDT_CLASS_IO     1u
#define FDT_CLASS_MEMORY 2u

/* One entry of ranges or dma-ranges. */
struct fdt_entry {
	uint32_t child_class, parent_class; /* space classes, see fdt_class() */
	uint32_t code;                      /* the flag cell as it stands */
	uint64_t child, parent, size;
};

/* ---- fdt_owner.c: which entry has an address ---- */

/* What an entry would take; one that is not live takes nothing. */
struct fdt_claim {
	struct busway_range range;
	uint32_t class;
	bool live;
};

/* From @first up to the next one: of which entry; FDT_NONE: of none. */
struct fdt_stretch {
	uint64_t first;
	uint32_t class;
	uint32_t owner;
};

struct fdt_owners {
	struct fdt_stretch *stretches; /* sorted by class and first */
	uint32_t count;
};

/* @overlaps: one for each claim, whether an earlier one has some of it. False: no memory. */
bool fdt_owners_make(struct arena *work, const struct fdt_claim *claims, uint32_t count,
		     struct fdt_owners *owners, bool *overlaps);

/* The first claim that holds @address, or FDT_NONE. */
uint32_t fdt_owner_of(const struct fdt_owners *owners, uint32_t class, uint64_t address);

/* The owner of the lowest address in @range that has one, or FDT_NONE. */
uint32_t fdt_owner_within(const struct fdt_owners *owners, uint32_t class,
			  struct busway_range range);

/* A property of entries, read. */
struct fdt_table {
	uint32_t node;
	struct fdt_entry *entries;
	uint32_t count;
	uint32_t direct_count;       /* dma-ranges: entries before the one that ends Linux's map */
	bool has_tail;               /* the property is no whole number of entries */
	bool sound;                  /* its cell counts can hold addresses */
	bool one_class;              /* all entries are of the class of the first */
	struct fdt_owners by_class;  /* as addresses from below see it, see fdt_table_translate() */
	struct fdt_owners by_device; /* dma-ranges: as its devices see it, whatever the class */
	uint32_t *order;             /* entries by class, then as they stand */
	busway_space_id *spaces; /* of each class: at its first place in .order, see up_space() */
	bool *space_made;
	/* Linux's map of it */
	bool has_limit;
	uint64_t bus_limit;
	uint32_t linux_count; /* entries of that map */
	bool is_empty;        /* its first entry is its end */
	const struct busway_note *notes;
};

/* What is worked out once for each node. */
struct fdt_memo {
	bool is_host, is_endpoint;
	bool searched, coherence_known, has_direct_space, host_space_made;
	bool doorbell_known, has_doorbell;
	uint32_t host_above; /* the nearest host bridge above, or FDT_NONE */
	uint32_t dma_parent;
	busway_phys_t doorbell;
	uint32_t found;  /* the search for a table, begun here: its node, or FDT_NONE */
	uint32_t hidden; /* a table above that the search does not reach, or FDT_NONE */
	enum busway_coherence coherence;
	struct fdt_table *table;  /* of dma-ranges */
	struct fdt_table *ranges; /* of ranges */
	struct busway_dma_view *view, *host_view;
	busway_space_id direct_space, host_space;
	/* of a host bridge without a table, by class */
	busway_space_id pass_spaces[FDT_CLASS_MEMORY + 1];
	bool pass_space_made[FDT_CLASS_MEMORY + 1];
	struct fdt_host *host;
	bool has_device;
	busway_device_id device; /* the device made of it */
	const struct fdt_device_maps *host_maps;
	/* of a region: who names it */
	const char **users;
	size_t user_count;
	uint32_t last_user;
	struct fdt_iova *iovas, *last_iova; /* kept free for it, in document order */
	/* of a host bridge: the restricted pool of its functions, or UINT32_MAX */
	bool restricted_known;
	uint32_t restricted_pool;
};

struct fdt_host {
	struct busway_outbound *outbound;
	size_t outbound_count;
};

struct fdt_importer {
	struct fdt_tree tree;
	struct arena work;
	struct busway_platform *platform;
	unsigned flags;
	struct fdt_memo *memos;          /* one for each node */
	uint32_t reserved_memory;        /* node, or FDT_NONE */
	bool reserved_ignored;           /* Linux ignores it */
	const struct busway_note *notes; /* of the platform */
	uint32_t *pool_index;            /* of the first pool of each node; UINT32_MAX: none */
};

/* Memory of the platform's; that there was none is remembered with the working memory. */
static inline void *fdt_keep(struct fdt_importer *importer, size_t size, size_t align)
{
	void *memory = busway_platform_keep(importer->platform, size, align);

	if (!memory)
		importer->work.failed = true;
	return memory;
}

#define KEEP(importer, type, count)                                                                \
	((type *)fdt_keep(importer, (count) * sizeof(type), _Alignof(type)))

/* ---- fdt_import.c ---- */

/*
 * Read a tree into a sealed platform. After success the index, the tables and the memos stay for
 * more questions, until the caller releases .work; the platform is the caller's. After failure
 * nothing is left.
 */
int fdt_importer_run(struct fdt_importer *importer, const void *blob, size_t size, unsigned flags,
		     const struct busway_allocator *memory, struct busway_fdt_error *error);

/* Put a note in front of @list; false when there is no memory. */
bool fdt_note(struct fdt_importer *importer, const struct busway_note **list,
	      enum busway_note_code code, uint32_t node, enum fdt_property_id property,
	      uint32_t entry);

/* ---- fdt_table.c ---- */

static inline uint32_t fdt_flag_cells(uint8_t bus)
{
	return bus == FDT_BUS_DEFAULT ? 0 : 1;
}

/* Which addresses of a bus can be compared at all: those of one class. @flags: the first cell. */
uint32_t fdt_class(uint8_t bus, uint32_t flags);

/* The class that an address of @class on a bus of type @from has one level up, passed 1:1. */
uint32_t fdt_class_up(uint8_t from, uint8_t to, uint32_t class);

/* Can an address that comes up be translated on a bus of type @bus, whose cells @parent states?
 * Linux crosses none without address or size cells (OF_CHECK_COUNTS); PCI's and isa's are fixed. */
bool fdt_can_cross(uint8_t bus, const struct fdt_node *parent);

/*
 * Read the entries of property @id of @node; @parent_bus is the type of the bus above. The table
 * lives as long as the work. Return: the table, without entries where the property is absent or
 * empty; NULL when there is no memory.
 */
struct fdt_table *fdt_table_read(struct fdt_importer *importer, uint32_t node,
				 enum fdt_property_id id, uint8_t parent_bus);

/* The table of ranges of @node, read once. */
const struct fdt_table *fdt_ranges(struct fdt_importer *importer, uint32_t node);

/* Translate one address of @class upwards through @table; false: no entry holds it. */
bool fdt_table_translate(const struct fdt_table *table, uint32_t *class, uint64_t *address,
			 const struct fdt_entry **entry);

/* Where in .order the entries of @class begin; .count: there is none. */
uint32_t fdt_table_place(const struct fdt_table *table, uint32_t class);

/* ---- fdt_linux.c ---- */

/* The dma-ranges of @node, read once, with Linux's view and notes; NULL: no memory. */
struct fdt_table *fdt_dma_table(struct fdt_importer *importer, uint32_t node);

/* ---- fdt_parent.c ---- */

/* Where DMA of each node goes; -BUSWAY_EINVAL where a chain of parents does not end at the root. */
int fdt_find_dma_parents(struct fdt_importer *importer);

/* The parent that DMA goes to. */
static inline uint32_t fdt_dma_parent(const struct fdt_importer *importer, uint32_t node)
{
	return importer->memos[node].dma_parent;
}

enum busway_coherence fdt_coherence(struct fdt_importer *importer, uint32_t node);

/* ---- fdt_dma.c ---- */

/* Has @node a dma-ranges that is not empty? */
bool fdt_has_dma_table(const struct fdt_tree *tree, uint32_t node);

/* The level at or above @node that does something to addresses: a table or a host bridge. */
uint32_t fdt_next_level(const struct fdt_importer *importer, uint32_t node, uint32_t *class);

/* How DMA of the platform device @node enters the graph; NULL when there is no memory. */
const struct busway_dma_view *fdt_dma_view(struct fdt_importer *importer, uint32_t node);

/* The same for the functions below the host bridge @host. */
const struct busway_dma_view *fdt_host_view(struct fdt_importer *importer, uint32_t host);

/* ---- fdt_host.c ---- */

/* Which nodes are host bridges and endpoint controllers; before anything asks for them. */
void fdt_find_hosts(struct fdt_importer *importer);

bool fdt_is_host(const struct fdt_importer *importer, uint32_t node);
bool fdt_is_endpoint(const struct fdt_importer *importer, uint32_t node);

/* Is @node on a PCI bus? Then @host is the host bridge above it. */
bool fdt_is_on_pci(const struct fdt_importer *importer, uint32_t node, uint32_t *host);

/* What the bridge's ranges say; NULL when there is no memory. */
const struct fdt_host *fdt_host(struct fdt_importer *importer, uint32_t node);

/* Translate an address on the bus of @node through ranges to a CPU-physical one. */
bool fdt_translate(struct fdt_importer *importer, uint32_t node, uint32_t class, uint64_t address,
		   busway_phys_t *phys);

/* Entry @index of reg of @node as a CPU-physical range. */
bool fdt_reg(struct fdt_importer *importer, uint32_t node, uint32_t index,
	     struct busway_phys_range *out);

/* Apertures of the host bridge @node in one of its spaces, and windows from the CPU's space into
 * them. */
int fdt_host_add_apertures(struct fdt_importer *importer, uint32_t node, busway_space_id space,
			   bool reachable_from_cpu);

int fdt_endpoint(struct fdt_importer *importer, uint32_t node, const struct busway_endpoint **out);

/* ---- fdt_memory.c ---- */

int fdt_add_memory(struct fdt_importer *importer);

/* ---- fdt_maps.c ---- */

struct fdt_maps {
	const struct busway_id_map *maps;
	size_t count;
	bool sized_entries; /* read with the controllers' own cell counts */
	bool unreadable;    /* there is more in the property than could be read */
};

int fdt_id_map(struct fdt_importer *importer, uint32_t node, enum fdt_property_id id,
	       enum fdt_property_id mask_id, enum fdt_property_id cells, struct fdt_maps *out);
int fdt_specifiers(struct fdt_importer *importer, uint32_t node, enum fdt_property_id list,
		   enum fdt_property_id cells, struct fdt_maps *out);

/* A region for the doorbell of each controller that has one at a known place. */
int fdt_add_doorbells(struct fdt_importer *importer);

/* ---- fdt_iommu.c ---- */

/* How the IOMMU entries of a node are to be read. */
enum fdt_map_use { FDT_MAP_OF_DEVICE, FDT_MAP_OF_FUNCTIONS, FDT_MAP_OF_BRIDGE_ITSELF };

/* IOMMU and MSI entries of @node; of a host bridge for its functions or for itself. */
int fdt_take_maps(struct fdt_importer *importer, uint32_t node, enum fdt_map_use use,
		  struct busway_device *device);

/* Read iommu-addresses of all regions; once, behind fdt_add_memory(). */
int fdt_read_iova_reservations(struct fdt_importer *importer);

/* IOVAs that iommu-addresses keeps free for @node, and for @host where that is not FDT_NONE. */
int fdt_take_iova_reservations(struct fdt_importer *importer, uint32_t node, uint32_t host,
			       struct busway_device *device);

/* ---- fdt_device.c ---- */

int fdt_add_devices(struct fdt_importer *importer);

#endif
