/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_controllers.c - inbound windows that the named PCI controller cannot program.
 *
 * What a controller accepts is in no property: it is known by its name, from the drivers of
 * Linux 6.12 in drivers/pci/controller (named in each row).
 */
#include "check_internal.h"

struct limits {
	const char *compatible; /* a part of a compatible string */
	bool identity;          /* the PCI address must be the CPU's */
	bool power_of_two;      /* naturally aligned, of a size that is a power of two */
	uint32_t windows;       /* how many it has; 0: not known */
};

static const struct limits known[] = {
	/* cadence/pcie-cadence-host.c: BARs that cannot translate */
	{"cdns,cdns-pcie-host", true, false, 0},
	{"ti,j721e-pcie-host", true, false, 0},
	{"ti,j7200-pcie-host", true, false, 0},
	{"ti,am64-pcie-host", true, false, 0},
	{"ti,j784s4-pcie-host", true, false, 0},
	/* pcie-iproc.c: sizes from a list, addresses aligned to the size */
	{"brcm,iproc-pcie", false, true, 0},
	/* pcie-brcmstb.c: sizes are rounded up to a power of two, from an address aligned to it */
	{"brcm,bcm2712-pcie", false, true, 0},
	{"brcm,bcm7712-pcie", false, true, 0},
	/* pci-xgene.c: three regions */
	{"apm,xgene-pcie", false, false, 3},
};

/*
 * What the driver gets: entries that continue each other in both spaces come as one
 * (of_pci_range_parser_one in drivers/of/address.c). Returns the entry after them.
 */
static uint32_t join(const struct fdt_table *table, uint32_t i, struct fdt_entry *joined)
{
	*joined = table->entries[i];
	while (++i < table->count) {
		const struct fdt_entry *next = &table->entries[i];
		const uint64_t size = joined->size + next->size;

		if (next->code != joined->code || next->child != joined->child + joined->size ||
		    next->parent != joined->parent + joined->size || size < joined->size)
			break;
		joined->size = size;
	}
	return i;
}

/* How many windows the driver gets; those of size zero are left out. */
static uint32_t count_windows(const struct fdt_table *table)
{
	struct fdt_entry e;
	uint32_t count = 0;

	for (uint32_t i = 0; i < table->count;) {
		i = join(table, i, &e);
		count += e.size != 0;
	}
	return count;
}

/*
 * R-Car splits a window at the alignment of its address and at 4 GiB; 3 pieces are all it has.
 * Pieces only shrink: a poorly aligned start makes all of them small (rcar_pcie_inbound_ranges).
 */
static uint32_t rcar_pieces(const struct fdt_entry *e)
{
	uint64_t address = e->parent, left = e->size, size = e->size;
	uint32_t pieces = 0;

	while (left && pieces < 1000) {
		if (address && size > (address & -address))
			size = address & -address;
		if (size > (uint64_t)1 << 32)
			size = (uint64_t)1 << 32;
		address += size;
		left -= left < size ? left : size; /* the mask of the last piece is rounded up */
		pieces++;
	}
	return pieces;
}

static bool is_aligned(const struct fdt_entry *e)
{
	return busway_is_power_of_two(e->size) && !(e->child & (e->size - 1)) &&
	       !(e->parent & (e->size - 1));
}

static void check_shape(struct busway_check *check, uint32_t node, uint32_t i,
			const struct fdt_entry *e, bool must)
{
	uint64_t size = 1;

	if (!e->size || is_aligned(e))
		return;
	report(check, BUSWAY_FINDING_NON_POWER_OF_TWO_WINDOW,
	       if_enabled(check, node, must ? BUSWAY_SEVERITY_WARNING : BUSWAY_SEVERITY_NOTE), node,
	       "dma-ranges", i,
	       "entry %" PRIu32 ": 0x%" PRIx64 " to 0x%" PRIx64 " with size 0x%" PRIx64
	       " is no naturally aligned power of two%s",
	       i, e->child, e->parent, e->size,
	       must ? ", and this controller programs nothing else" : "");
	while (size < e->size && size < (uint64_t)1 << 63)
		size <<= 1;
	if (must && size >= e->size && !(e->child & (size - 1)) && !(e->parent & (size - 1)))
		advise(check, "size 0x%" PRIx64, size);
	else if (must)
		advise(check, "several entries, each aligned to its size, of those that continue "
			      "each other the later first: Linux joins them otherwise");
}

static void check_identity(struct busway_check *check, uint32_t node, uint32_t i,
			   const struct fdt_entry *e)
{
	struct fdt_entry better = *e;

	if (e->child == e->parent || !e->size)
		return;
	better.child = e->parent;
	report(check, BUSWAY_FINDING_WINDOW_NOT_IDENTITY,
	       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node, "dma-ranges", i,
	       "entry %" PRIu32 ": PCI 0x%" PRIx64 " leads to CPU 0x%" PRIx64
	       ", but this controller cannot translate",
	       i, e->child, e->parent);
	advise(check, "%s", entry_words(check, node, &better).text);
}

static void check_count(struct busway_check *check, uint32_t node, uint32_t has, uint32_t needs,
			const char *what)
{
	if (!has || needs <= has)
		return;
	report(check, BUSWAY_FINDING_TOO_MANY_WINDOWS,
	       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node, "dma-ranges", NO_ENTRY,
	       "dma-ranges needs 0x%" PRIx32 " %s, the controller has 0x%" PRIx32, needs, what,
	       has);
	advise(check, "write entries that continue each other one after the other, Linux joins "
		      "them; or leave out what nobody needs");
}

/* DesignWare: start addresses to the granularity of the iATU, 64 KiB or less, at least 4 KiB. */
static void check_designware(struct busway_check *check, uint32_t node,
			     const struct fdt_table *table)
{
	static const char *const parts[] = {"snps,dw-pcie", NULL};
	uint32_t windows;

	if (!compatible_has(check, node, parts))
		return;
	if (fdt_get_u32(&check->importer.tree, node, FDT_NUM_IB_WINDOWS, &windows))
		check_count(check, node, windows, count_windows(table), "inbound windows");
	for (uint32_t i = 0, next; i < table->count; i = next) {
		struct fdt_entry e;

		next = join(table, i, &e);
		if (!e.size || !((e.child | e.parent) & 0xfff))
			continue;
		report(check, BUSWAY_FINDING_WINDOW_MISALIGNED,
		       if_enabled(check, node, BUSWAY_SEVERITY_WARNING), node, "dma-ranges", i,
		       "entry %" PRIu32 ": 0x%" PRIx64 " to 0x%" PRIx64
		       " is not aligned to 0x1000, the least that the iATU can program",
		       i, e.child, e.parent);
	}
}

static void check_rcar(struct busway_check *check, uint32_t node, const struct fdt_table *table)
{
	static const char *const parts[] = {"renesas,pcie-rcar", "renesas,pcie-r8a", NULL};
	uint32_t pieces = 0;

	if (!compatible_has(check, node, parts))
		return;
	for (uint32_t i = 0; i < table->count && pieces < 1000;) {
		struct fdt_entry e;

		i = join(table, i, &e);
		pieces += rcar_pieces(&e);
	}
	check_count(check, node, 3, pieces, "pieces (split at alignment and 4 GiB)");
}

static void check_host(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *table = dma_table_of(check, node);
	const struct limits *limits = NULL;

	if (!table) {
		give_up(check);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]) && !limits; i++) {
		const char *const parts[] = {known[i].compatible, NULL};

		if (compatible_has(check, node, parts))
			limits = &known[i];
	}
	for (uint32_t i = 0, next; i < table->count; i = next) {
		struct fdt_entry e;

		next = join(table, i, &e);
		check_shape(check, node, i, &e, limits && limits->power_of_two);
	}
	for (uint32_t i = 0; i < table->count && limits && limits->identity; i++)
		check_identity(check, node, i, &table->entries[i]);
	if (limits)
		check_count(check, node, limits->windows, count_windows(table), "inbound windows");
	check_designware(check, node, table);
	check_rcar(check, node, table);
}

void rule_controllers(struct busway_check *check)
{
	for (uint32_t i = 1; i < check->importer.tree.node_count && !check->status; i++)
		if (fdt_is_host(&check->importer, i) && fdt_has_dma_table(&check->importer.tree, i))
			check_host(check, i);
}
