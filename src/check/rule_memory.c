/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rule_memory.c - banks that nobody reads, and banks that overlap.
 *
 * Linux takes children of the root with device_type "memory" (drivers/of/fdt.c); a node that is
 * only named so is not memory.
 */
#include "check_internal.h"

/* What the node would state, if it counted; false: nothing. */
static bool stated(struct busway_check *check, uint32_t node, struct busway_intervals *ranges)
{
	const struct fdt_tree *tree = &check->importer.tree;
	const struct fdt_prop *reg = fdt_get(tree, node, FDT_REG);
	const uint32_t na = tree->nodes[0].address_cells, ns = tree->nodes[0].size_cells;

	for (uint32_t at = 0; reg && na && ns && at + na + ns <= fdt_cells(reg); at += na + ns) {
		struct busway_range range;

		if (busway_range_clip(fdt_number(reg, at, na), fdt_number(reg, at + na, ns),
				      &range) &&
		    busway_intervals_add(ranges, range))
			give_up(check);
	}
	return !check->status && ranges->count;
}

static void check_ignored(struct busway_check *check, uint32_t node)
{
	const struct fdt_tree *tree = &check->importer.tree;
	struct busway_intervals ranges;

	if (!fdt_name_is(tree, node, "memory") || fdt_has(tree, node, FDT_DEVICE_TYPE) ||
	    !tree->nodes[node].available)
		return;
	busway_intervals_init(&ranges, check->memory);
	if (stated(check, node, &ranges)) {
		report(check, BUSWAY_FINDING_BANK_IGNORED, BUSWAY_SEVERITY_WARNING, node,
		       "device_type", NO_ENTRY,
		       "the node has no device_type: Linux does not use its memory, %s",
		       set_words(&ranges).text);
		about(check, ranges.runs[0]);
		advise(check, "device_type = \"memory\";");
	}
	busway_intervals_clear(&ranges);
}

static void check_overlaps(struct busway_check *check)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(check->platform, &count);
	struct busway_intervals seen;

	busway_intervals_init(&seen, check->memory);
	for (size_t i = 0; i < count && !check->status; i++) {
		struct busway_range common;

		if (meets(&seen, banks[i].range, &common)) {
			report(check, BUSWAY_FINDING_BANK_OVERLAP, BUSWAY_SEVERITY_WARNING,
			       node_at(check, banks[i].name), "reg", NO_ENTRY,
			       "bank " RANGE_FORMAT " overlaps an earlier one in " RANGE_FORMAT,
			       RANGE(banks[i].range), RANGE(common));
			about(check, common);
			if (common.first > banks[i].range.first)
				advise(check, "leave " RANGE_FORMAT " to the earlier bank",
				       RANGE(common));
			else if (common.last < banks[i].range.last)
				advise(check, "begin this bank at 0x%" PRIx64, common.last + 1);
			else
				advise(check, "remove this bank: others have it already");
		}
		if (busway_intervals_add(&seen, banks[i].range))
			give_up(check);
	}
	busway_intervals_clear(&seen);
}

void rule_memory(struct busway_check *check)
{
	const struct fdt_tree *tree = &check->importer.tree;

	for (uint32_t i = 1; i < tree->node_count; i = tree->nodes[i].end)
		check_ignored(check, i);
	check_overlaps(check);
}
