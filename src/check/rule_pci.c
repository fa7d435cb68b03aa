/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_pci.c - space codes of PCI addresses, and bus numbers.
 *
 * First cell of a PCI address: npt000ss bbbbbbbb dddddfff rrrrrrrr (PCI Bus Binding to IEEE 1275,
 * 2.1). In ranges and dma-ranges only n, p, t and ss mean something.
 */
#include "check_internal.h"

#include <stdio.h>

/* ---- space codes ---- */

/* What a code can be wrong in. */
enum code_mistake {
	CODE_RIGHT,
	CODE_CONFIGURATION,
	CODE_IO_FOR_DMA,
	CODE_TOO_NARROW,
	CODE_STRAY_BITS,
	CODE_MISTAKES
};

static enum code_mistake mistake_of(const struct fdt_entry *e, bool dma)
{
	const uint32_t space = e->code >> 24 & 3;

	if (!e->size)
		return CODE_RIGHT;
	if (space == 0)
		return CODE_CONFIGURATION;
	if (space == 1 && dma)
		return CODE_IO_FOR_DMA;
	if (space == 2 && passes_end(e->child, e->size, 1))
		return CODE_TOO_NARROW;
	return e->code & 0x1cffffffu ? CODE_STRAY_BITS : CODE_RIGHT;
}

static void report_code(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			const struct fdt_table *table, uint32_t entry, uint32_t count,
			enum code_mistake mistake)
{
	static const char *const words[CODE_MISTAKES] = {
		[CODE_CONFIGURATION] = "configuration space does not belong here",
		[CODE_IO_FOR_DMA] = "there is no DMA to I/O space",
		[CODE_TOO_NARROW] = "the code says 32-bit memory, the window leaves 32 bits",
		[CODE_STRAY_BITS] = "bits of a bus, device, function or register are set",
	};
	const struct fdt_entry *e = &table->entries[entry];
	const bool note = mistake == CODE_TOO_NARROW && id == FDT_DMA_RANGES;
	char more[48] = "";

	if (count > 1)
		snprintf(more, sizeof(more), "; so it is of %" PRIu32 " entries", count);
	report(check, BUSWAY_FINDING_BAD_SPACE_CODE,
	       if_enabled(check, node, note ? BUSWAY_SEVERITY_NOTE : BUSWAY_SEVERITY_WARNING), node,
	       fdt_property_name(id), entry,
	       "entry %" PRIu32 ": code 0x%08" PRIx32 " for PCI 0x%" PRIx64 " to 0x%" PRIx64
	       " with size 0x%" PRIx64 ": %s%s",
	       entry, e->code, e->child, e->parent, e->size, words[mistake], more);
	if (mistake == CODE_CONFIGURATION)
		advise(check, "remove the entry: configuration space is stated by reg");
	else if (mistake == CODE_IO_FOR_DMA)
		advise(check, "0x%08" PRIx32 " for memory", (e->code & ~0x03000000u) | 0x02000000u);
	else if (mistake == CODE_TOO_NARROW)
		advise(check, "0x%08" PRIx32 " for 64-bit memory", e->code | 0x01000000u);
	else
		advise(check, "0x%08" PRIx32, e->code & 0xe3000000u);
}

/* Of entries with the same mistake, the first is told. */
static void check_table(struct busway_check *check, uint32_t node, enum fdt_property_id id,
			const struct fdt_table *table)
{
	uint32_t first[CODE_MISTAKES] = {0}, count[CODE_MISTAKES] = {0};

	for (uint32_t i = 0; i < table->count; i++) {
		const enum code_mistake mistake =
			mistake_of(&table->entries[i], id == FDT_DMA_RANGES);

		if (count[mistake]++ == 0)
			first[mistake] = i;
	}
	for (int mistake = CODE_RIGHT + 1; mistake < CODE_MISTAKES; mistake++)
		if (count[mistake])
			report_code(check, node, id, table, first[mistake], count[mistake],
				    (enum code_mistake)mistake);
}

static void check_io(struct busway_check *check, uint32_t node, const struct fdt_table *table)
{
	for (uint32_t i = 0; i < table->count; i++)
		if ((table->entries[i].code >> 24 & 3) == 1 && table->entries[i].child > 0xffff)
			report(check, BUSWAY_FINDING_IO_WINDOW_MISPLACED, BUSWAY_SEVERITY_NOTE,
			       node, "ranges", i,
			       "entry %" PRIu32 ": I/O addresses begin at 0x%" PRIx64
			       ", beyond the 0xffff that I/O BARs of many functions hold",
			       i, table->entries[i].child);
}

static void check_codes(struct busway_check *check, uint32_t node)
{
	const struct fdt_table *ranges = ranges_of(check, node);

	if (ranges && !is_run_time_bus(check, node)) {
		check_table(check, node, FDT_RANGES, ranges);
		check_io(check, node, ranges);
	}
	if (fdt_has_dma_table(&check->importer.tree, node)) {
		const struct fdt_table *dma = dma_table_of(check, node);

		if (dma)
			check_table(check, node, FDT_DMA_RANGES, dma);
	}
}

/* ---- bus numbers ---- */

/* bus-range; without it all 256. False where its numbers make no range. */
static bool buses_of(const struct fdt_tree *tree, uint32_t node, uint32_t *first, uint32_t *last)
{
	const struct fdt_prop *buses = fdt_get(tree, node, FDT_BUS_RANGE);

	*first = 0;
	*last = 0xff;
	if (!buses)
		return true;
	if (fdt_cells(buses) < 2)
		return false;
	*first = fdt_cell(buses, 0);
	*last = fdt_cell(buses, 1);
	return *first <= *last && *last <= 0xff;
}

static void check_ecam(struct busway_check *check, uint32_t node)
{
	/* 1 MiB of configuration space for each bus (PCI Express Base, 7.2.2) */
	static const char *const ecam[] = {"pci-host-ecam-generic", NULL};
	const struct fdt_tree *tree = &check->importer.tree;
	uint32_t first, last;
	struct busway_phys_range reg;
	uint64_t fits, stated;

	if (!compatible_has(check, node, ecam) || !buses_of(tree, node, &first, &last) ||
	    !fdt_reg(&check->importer, node, 0, &reg))
		return;
	stated = (uint64_t)last - first + 1;
	fits = (busway_range_span(busway_phys_raw(reg)) >> 20) + 1;
	if (fits >= stated)
		return;
	report(check, BUSWAY_FINDING_BUS_RANGE_TRUNCATED, BUSWAY_SEVERITY_NOTE, node, "bus-range",
	       NO_ENTRY,
	       "the buses 0x%" PRIx32 "..0x%" PRIx32 " are 0x%" PRIx64
	       ", the configuration space of 0x%" PRIx64 " bytes holds 0x%" PRIx64,
	       first, last, stated, busway_range_span(busway_phys_raw(reg)) + 1, fits);
	advise(check, "bus-range = <0x%" PRIx32 " 0x%" PRIx64 ">; or a larger reg", first,
	       first + fits - 1);
}

/* A bridge below the host whose buses are none of the host's. */
static void check_bridge(struct busway_check *check, uint32_t node, uint32_t host)
{
	const struct fdt_tree *tree = &check->importer.tree;
	uint32_t first, last, host_first, host_last;

	if (!fdt_has(tree, node, FDT_BUS_RANGE) || !buses_of(tree, host, &host_first, &host_last))
		return;
	if (buses_of(tree, node, &first, &last) && first >= host_first && last <= host_last)
		return;
	report(check, BUSWAY_FINDING_BUS_RANGE_TRUNCATED, BUSWAY_SEVERITY_NOTE, node, "bus-range",
	       NO_ENTRY, "bus-range is not inside 0x%" PRIx32 "..0x%" PRIx32 ", the buses of %s",
	       host_first, host_last, path_of(check, host));
}

static void add_buses(struct busway_check *check, struct vector *claims, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	struct spot *claim;
	uint32_t domain, first, last;

	/* without the property Linux numbers the domains itself, a new one for each bridge */
	if (!tree->nodes[node].enabled || !fdt_get_u32(tree, node, FDT_LINUX_PCI_DOMAIN, &domain))
		return;
	if (!buses_of(tree, node, &first, &last))
		return;
	claim = vector_next(&check->importer.work, claims, sizeof(*claim), _Alignof(struct spot));
	if (!claim) {
		give_up(check);
		return;
	}
	*claim = (struct spot){.range = {first, last}, .group = domain, .owner = node};
	claims->count++;
}

static void report_buses(struct busway_check *check, const void *of, const struct spot *a,
			 const struct spot *b)
{
	report(check, BUSWAY_FINDING_BUS_RANGE_OVERLAP, BUSWAY_SEVERITY_ERROR, b->owner,
	       fdt_has(&check->importer.tree, b->owner, FDT_BUS_RANGE) ? "bus-range"
								       : "linux,pci-domain",
	       NO_ENTRY,
	       "buses " RANGE_FORMAT " of domain 0x%" PRIx64
	       " are those of %s as well (" RANGE_FORMAT ")",
	       RANGE(b->range), b->group, path_of(check, a->owner), RANGE(a->range));
	advise(check, "a linux,pci-domain of its own for each host bridge");
	(void)of;
}

void rule_pci(struct busway_check *check)
{
	struct vector claims = {0};

	for (uint32_t i = 1; i < check->importer.tree.node_count && !check->status; i++) {
		const uint32_t host = check->importer.memos[i].host_above;

		if (host != FDT_NONE && !fdt_is_host(&check->importer, i))
			check_bridge(check, i, host);
		if (!fdt_is_host(&check->importer, i))
			continue;
		check_codes(check, i);
		check_ecam(check, i);
		add_buses(check, &claims, i);
	}
	if (check->status)
		return;
	sweep_spots(check, claims.items, claims.count, SWEEP_FURTHEST, report_buses, NULL);
}
