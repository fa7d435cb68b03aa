/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_tree.h - a flattened device tree, indexed once.
 *
 * libfdt reads the tokens and checks their bounds; but it finds parents and phandles by scanning
 * from the start, which makes every consumer quadratic. So one pass puts nodes and the properties
 * that matter into arrays, in document order, and phandles into a hash table. Everything points
 * into the blob. The words of the Devicetree Specification apply.
 */
#ifndef BUSWAY_FDT_TREE_H
#define BUSWAY_FDT_TREE_H

#include "../base/arena.h"

#include <busway/fdt.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The properties that matter. Sorted by name: fdt_tree.c searches this list. */
#define FDT_PROPERTIES(X)                                                                          \
	X(FDT_ADDRESS_CELLS, "#address-cells")                                                     \
	X(FDT_DMA_CELLS, "#dma-cells")                                                             \
	X(FDT_INTERCONNECT_CELLS, "#interconnect-cells")                                           \
	X(FDT_IOMMU_CELLS, "#iommu-cells")                                                         \
	X(FDT_MSI_CELLS, "#msi-cells")                                                             \
	X(FDT_SIZE_CELLS, "#size-cells")                                                           \
	X(FDT_ALIGNMENT, "alignment")                                                              \
	X(FDT_ALLOC_RANGES, "alloc-ranges")                                                        \
	X(FDT_BUS_RANGE, "bus-range")                                                              \
	X(FDT_CDNS_REGIONS, "cdns,max-outbound-regions")                                           \
	X(FDT_COMPATIBLE, "compatible")                                                            \
	X(FDT_CONSOLE_SIZE, "console-size")                                                        \
	X(FDT_DEVICE_TYPE, "device_type")                                                          \
	X(FDT_DMA_COHERENT, "dma-coherent")                                                        \
	X(FDT_DMA_NONCOHERENT, "dma-noncoherent")                                                  \
	X(FDT_DMA_RANGES, "dma-ranges")                                                            \
	X(FDT_DMAS, "dmas")                                                                        \
	X(FDT_FTRACE_SIZE, "ftrace-size")                                                          \
	X(FDT_HEIGHT, "height")                                                                    \
	X(FDT_INTERCONNECT_NAMES, "interconnect-names")                                            \
	X(FDT_INTERCONNECTS, "interconnects")                                                      \
	X(FDT_IOMMU_ADDRESSES, "iommu-addresses")                                                  \
	X(FDT_IOMMU_MAP, "iommu-map")                                                              \
	X(FDT_IOMMU_MAP_MASK, "iommu-map-mask")                                                    \
	X(FDT_IOMMUS, "iommus")                                                                    \
	X(FDT_LINUX_CMA_DEFAULT, "linux,cma-default")                                              \
	X(FDT_LINUX_DMA_DEFAULT, "linux,dma-default")                                              \
	X(FDT_LINUX_PCI_DOMAIN, "linux,pci-domain")                                                \
	X(FDT_LINUX_PHANDLE, "linux,phandle")                                                      \
	X(FDT_LINUX_USABLE_MEMORY, "linux,usable-memory")                                          \
	X(FDT_MAX_FUNCTIONS, "max-functions")                                                      \
	X(FDT_MEMORY_REGION, "memory-region")                                                      \
	X(FDT_MODEL, "model")                                                                      \
	X(FDT_MSI_CONTROLLER, "msi-controller")                                                    \
	X(FDT_MSI_MAP, "msi-map")                                                                  \
	X(FDT_MSI_MAP_MASK, "msi-map-mask")                                                        \
	X(FDT_MSI_PARENT, "msi-parent")                                                            \
	X(FDT_NO_MAP, "no-map")                                                                    \
	X(FDT_NUM_IB_WINDOWS, "num-ib-windows")                                                    \
	X(FDT_NUM_OB_WINDOWS, "num-ob-windows")                                                    \
	X(FDT_PCIE_IO_APERTURE, "pcie-io-aperture")                                                \
	X(FDT_PCIE_MEM_APERTURE, "pcie-mem-aperture")                                              \
	X(FDT_PHANDLE, "phandle")                                                                  \
	X(FDT_PMSG_SIZE, "pmsg-size")                                                              \
	X(FDT_RANGES, "ranges")                                                                    \
	X(FDT_RECORD_SIZE, "record-size")                                                          \
	X(FDT_REG, "reg")                                                                          \
	X(FDT_REG_NAMES, "reg-names")                                                              \
	X(FDT_REUSABLE, "reusable")                                                                \
	X(FDT_ROCKCHIP_REGIONS, "rockchip,max-outbound-regions")                                   \
	X(FDT_SIZE, "size")                                                                        \
	X(FDT_STATUS, "status")                                                                    \
	X(FDT_STRIDE, "stride")

enum fdt_property_id {
	FDT_OTHER,
#define X(id, name) id,
	FDT_PROPERTIES(X)
#undef X
		FDT_PROPERTY_COUNT
};

struct fdt_prop {
	const uint8_t *value;
	uint32_t length;
	uint16_t id; /* enum fdt_property_id */
};

/* How addresses of a bus are written and compared (Linux drivers/of/address.c). */
enum fdt_bus {
	FDT_BUS_DEFAULT,       /* number only */
	FDT_BUS_DEFAULT_FLAGS, /* 3 cells, of which the first must be equal */
	FDT_BUS_ISA,           /* 2 cells, of which bit 0 of the first tells I/O */
	FDT_BUS_PCI,           /* 3 cells, of which the first has the space code */
};

struct fdt_node {
	const char *name; /* with its unit address; "" for the root */
	uint32_t parent;  /* of the root: itself */
	uint32_t end;     /* first node behind this one and its children */
	uint64_t has;     /* which properties, a bit each */
	uint32_t first_prop, prop_count;
	uint32_t name_hash;
	uint32_t phandle; /* 0: none */
	uint8_t depth;
	uint8_t address_cells, size_cells; /* of its children; inherited where not stated */
	uint8_t bus;                       /* enum fdt_bus, of its children's addresses */
	bool states_cells;                 /* both counts are its own */
	bool available;                    /* its own status says so */
	bool enabled;                      /* and that of all above */
	bool bookkeeping;                  /* __symbols__ and the like: its properties are none */
	bool duplicate_property;           /* some property stands twice: the first counts */
	uint8_t duplicate_id;
};

#define FDT_NONE UINT32_MAX

enum { FDT_CELLS_MAX = 4 }; /* Linux: OF_MAX_ADDR_CELLS, drivers/of/address.c */

struct fdt_alias {
	const char *name, *path;
};

struct fdt_tree {
	const void *blob;
	struct arena *arena;              /* of the index */
	struct busway_platform *platform; /* keeps what outlives the index: paths */
	struct fdt_node *nodes;
	uint32_t node_count;
	struct fdt_prop *props;
	uint32_t *phandles; /* hash table of node indices; FDT_NONE: empty */
	uint32_t phandle_mask;
	struct vector aliases; /* struct fdt_alias */
	struct busway_fdt_error *error;
	char **paths; /* made when first asked for */
};

/*
 * fdt_tree_index() - read the tree at @blob
 * @arena:    for the index; release it when done, whatever is returned
 * @platform: keeps the paths that fdt_path() makes
 * Return: 0, -BUSWAY_EINVAL with @error filled, -BUSWAY_ENOMEM.
 */
int fdt_tree_index(struct fdt_tree *tree, const void *blob, size_t size, struct arena *arena,
		   struct busway_platform *platform, struct busway_fdt_error *error);

/* The last step of that: checks of the whole, and the table of phandles. */
int fdt_tree_check(struct fdt_tree *tree);

/* Fill the tree's error; @node may be FDT_NONE, @property NULL. Returns -BUSWAY_EINVAL. */
int fdt_fail(const struct fdt_tree *tree, uint32_t node, const char *property, const char *format,
	     ...) __attribute__((format(printf, 4, 5)));

const char *fdt_property_name(enum fdt_property_id id);

/* The property of @node, or NULL. */
const struct fdt_prop *fdt_get(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id);

static inline bool fdt_has(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id)
{
	return tree->nodes[node].has >> id & 1;
}

/* The node with @phandle, or FDT_NONE. */
uint32_t fdt_by_phandle(const struct fdt_tree *tree, uint32_t phandle);

/* The full path; NULL when there is no memory. Lives as long as the platform. */
const char *fdt_path(struct fdt_tree *tree, uint32_t node);

/* Cell @i of a property; the caller has checked that it is there. */
static inline uint32_t fdt_cell(const struct fdt_prop *prop, uint32_t i)
{
	const uint8_t *p = prop->value + (size_t)i * 4;

	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint32_t fdt_cells(const struct fdt_prop *prop)
{
	return prop->length / 4;
}

/* Cells @i.. as one number; of more than two, the low 64 bits count. */
uint64_t fdt_number(const struct fdt_prop *prop, uint32_t i, uint32_t count);

/* A property of one cell; false if it is absent or shorter. */
bool fdt_get_u32(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id,
		 uint32_t *value);

/* The string behind @s in a string list; the first where @s is NULL. NULL at its end, or where it
 * is not terminated. */
const char *fdt_next_string(const struct fdt_prop *prop, const char *s);

/* Which string of the list is @wanted; -1: none. */
int fdt_string_index(const struct fdt_prop *prop, const char *wanted);

/* Does the first string of property @id equal @wanted? */
bool fdt_string_is(const struct fdt_tree *tree, uint32_t node, enum fdt_property_id id,
		   const char *wanted);

/* Does a property's value begin with the string @wanted? False where there is none. */
bool fdt_prop_is(const struct fdt_prop *prop, const char *wanted);

/* Is a node's name without its unit address @wanted? */
bool fdt_base_name_is(const char *name, const char *wanted);

/* Spread a number over 32 bits, for hash tables. */
uint32_t fdt_hash(uint32_t x);

/* Does some string of "compatible" equal @wanted? */
bool fdt_is_compatible(const struct fdt_tree *tree, uint32_t node, const char *wanted);

/* Is the name without its unit address @wanted? */
bool fdt_name_is(const struct fdt_tree *tree, uint32_t node, const char *wanted);

/* The child of @parent with that full name, or FDT_NONE. */
uint32_t fdt_child(const struct fdt_tree *tree, uint32_t parent, const char *name);

/* Is @node inside the subtree of @top, @top included? */
static inline bool fdt_inside(const struct fdt_tree *tree, uint32_t node, uint32_t top)
{
	return top != FDT_NONE && top <= node && node < tree->nodes[top].end;
}

#endif
