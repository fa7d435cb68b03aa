/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * windows_test.c - dma-ranges: which table is a device's, and what its windows come to.
 *
 * Trees: buses.dts, levels.dts, root-table.dts, translate.dts, dma-parent.dts, islands.dts.
 */
#include "support.h"

#include <string.h>

/* ---- bus types: how addresses are written, and which can meet ---- */

static int open_buses(void **state)
{
	return open_named(state, "buses");
}

static void addresses_are_read_as_their_bus_writes_them(void **state)
{
	static const struct device_case cases[] = {
		{"one cell is an address", "/one-cell/dev", "0x0->0x80000000+0x40000000"},
		{"two cells are one address", "/two-cells/dev",
		 "0x1000000000->0x80000000+0x40000000"},
		{"of more cells the low two count", "/four-cells/dev", "0x1000->0x80000000+0x2000"},
		{"without size cells nothing translates", "/sizeless/dev", "untranslatable"},
		{"nor does it through a bus without them", "/sizeless-above/bus/dev",
		 "untranslatable"},
		{"counts are inherited", "/heir/dev", "0x0->0x80000000+0x1000"},
		{"the table of an isa bus, in its order", "/isa/dev",
		 "0x0->0x80000000+0x1000; 0x1000->0x90001000+0x1000"},
		{"of three cells the first is no part of the address", "/flagged/dev",
		 "0x0->0x80000000+0x1000; 0x1000->0x90001000+0x1000; 0x2000->0xa0002000+0x1000"},
		{"a node called pcie is a PCI bus", "/pcie@2/fn@0,0", "0x0->0x80000000+0x1000"},
		{"mem32 beyond 4 GiB: the numbers are believed", "/pcie@4/fn@0,0",
		 "0x0->0x0+0x1000000000000"},
		{"an entry of size zero ends the table", "/pcie@5/fn@0,0",
		 "0x0->0x80000000+0x1000"},
		{"but not as a part of the entry before it", "/pcie@6/fn@0,0",
		 "0x0->0x80000000+0x1000; 0x2000->0x80002000+0x1000"},
		{"I/O and configuration codes are used as memory", "/pcie@3/fn@0,0",
		 "0x0->0x80000000+0x1000; 0x10000->0x90000000+0x1000"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void only_addresses_of_one_class_meet(void **state)
{
	static const struct device_case cases[] = {
		{"isa memory meets isa memory", "/isa/memory-side/dev", "0x0->0x90000000+0x1000"},
		{"isa I/O meets isa I/O", "/isa/io-side/dev", "0x0->0x80000000+0x1000"},
		{"equal first cells meet", "/flagged/equal/dev", "0x0->0x90000000+0x1000"},
		{"unequal first cells do not", "/flagged/unequal/dev", "untranslatable"},
		{"from a bus without flags comes flag 0", "/flagged/plain/inner/dev",
		 "0x0->0xa0000000+0x1000"},
		{"mem32 and mem64 are one class", "/typed@1/port@0,0/fn@0,0/mem32-bus/dev",
		 "0x0->0x80000000+0x10000000"},
		{"bit 31 of the code is noise", "/typed@1/port@0,0/fn@0,0/n-bit-bus/dev",
		 "0x0->0x80000000+0x10000000"},
		{"I/O does not pass a memory window", "/typed@1/port@0,0/fn@0,0/io-bus/dev",
		 "untranslatable"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void odd_buses_are_noted(void **state)
{
	static const struct device_case cases[] = {
		{"nothing to tell", "/one-cell/dev", ""},
		{"whose counts hold is told", "/heir/dev", "cells-inherited"},
		{"codes that are not memory are told", "/pcie@3/fn@0,0", "space-code"},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

/* ---- levels: which table is it? ---- */

static int open_levels(void **state)
{
	return open_named(state, "levels");
}

static const char soc_window[] = "0x0->0x80000000+0x1000";

static void the_search_for_a_table_goes_up_as_in_linux(void **state)
{
	const struct device_case cases[] = {
		{"the bus's table", "/soc/direct", soc_window},
		{"a node's own table is for its children", "/soc/own-table", soc_window},
		{"and theirs goes through the one above", "/soc/own-table/dev",
		 "0x100->0x80000000+0x200"},
		{"missing at the first level is passed", "/soc/missing/dev", soc_window},
		{"a second missing level hides the table", "/soc/missing/missing/dev", "none"},
		{"the first level is counted from the device", "/soc/missing/missing", soc_window},
		{"translation passes missing levels", "/soc/missing/missing/own-table/dev",
		 "0x0->0x80000010+0x20"},
		{"an empty level is not a first one that is missing", "/soc/missing/empty/dev",
		 "none"},
		{"empty is passed", "/soc/empty/dev", soc_window},
		{"twice, too", "/soc/empty/empty/dev", soc_window},
		{"missing, then empty, then empty", "/soc/empty/empty/missing/dev", soc_window},
		{"missing, then empty", "/soc/empty/missing/dev", soc_window},
		{"no table anywhere", "/plain/dev", "none"},
		{"empty up to the root", "/passed/dev", "none"},
		{"missing, then empty, then the root", "/passed/missing/dev", "none"},
		{"a child of the root", "/outermost", "none"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void what_the_search_did_is_noted(void **state)
{
	static const struct device_case cases[] = {
		{"found at once", "/soc/direct", ""},
		{"a first level was passed", "/soc/missing/dev", "first-level-missing"},
		{"a table is hidden", "/soc/missing/missing/dev", "hidden-table"},
		{"hidden behind empty and missing", "/soc/missing/empty/dev", "hidden-table"},
		{"nothing is hidden where nothing is", "/plain/dev", "no-table"},
		{"translation passed a missing level", "/soc/missing/missing/own-table/dev",
		 "missing-is-identity"},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

static void the_node_that_decided_is_named(void **state)
{
	struct tree *tree = *state;
	const busway_device_id id = tree_device(tree, "/soc/empty/empty/dev");

	assert_string_equal(busway_platform_device(tree->platform, id)->dma.source, "/soc");
}

static int open_root_table(void **state)
{
	return open_named(state, "root-table");
}

static void a_table_on_the_root_leads_nowhere(void **state)
{
	static const struct device_case cases[] = {
		{"there is nothing above the root", "/dev", "untranslatable"},
		{"nor is there for those further down", "/bus/dev", "untranslatable"},
		{"a table below it ends at the root", "/bus/inner/dev", "0x0->0x1000+0x1000"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void an_untranslatable_device_reaches_nothing(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(reach_of(tree, tree_device(tree, "/dev")), "");
}

/* ---- translation: what becomes of windows on the way up ---- */

static int open_translate(void **state)
{
	return open_named(state, "translate");
}

static void windows_are_carried_up_piece_by_piece(void **state)
{
	static const struct device_case cases[] = {
		{"inside one window", "/upper/inside/dev", "0x0->0x80001000+0x1000"},
		{"what lies behind the window is cut off", "/upper/clipped-behind/dev",
		 "0x0->0x80003000+0x1000"},
		{"two windows pass two pieces", "/upper/in-pieces/dev",
		 "0x0->0x80000000+0x4000; 0xf000->0x90000000+0x1000"},
		{"an end may pass where the start does not", "/upper/start-outside/dev",
		 "0x1000->0x80000000+0x2000; 0x100000->0x90000000+0x1000"},
		{"also where no start does", "/upper/all-starts-outside/dev",
		 "0x1000->0x80000000+0x2000"},
		{"nothing passes", "/upper/wholly-outside/dev", "untranslatable"},
		{"a missing level is 1:1", "/upper/through-a-missing-level/missing/dev",
		 "0x0->0x80001000+0x1000"},
		{"2 TiB below 1 GiB are 1 GiB", "/gigabyte/terabytes/dev",
		 "0x1000000000->0x80000000+0x40000000"},
		{"three offsets add up", "/three-levels/middle/inner/dev",
		 "0xff00000000->0x80110000+0x100000"},
		{"the first entry that holds an address has it", "/overlap/dev",
		 "0x0->0x90000000+0x1000; 0x1000->0x80000000+0x1000; 0x2000->0x90002000+0x2000"},
		{"on the way up, too", "/overlap/upper-first/dev",
		 "0x0->0x80000800+0x800; 0x800->0x90002000+0x800"},
		{"one memory may have two addresses", "/alias/dev",
		 "0x0->0x80000000+0x1000; 0x10000->0x80000000+0x1000"},
		{"windows are sorted, and joined where they go on", "/unsorted/dev",
		 "0x0->0x80000000+0x2000; 0x8000->0x90000000+0x1000"},
		{"nothing goes on behind 2^64", "/wraps/dev",
		 "0x0->0xffffffffffffe000+0x2000; 0xfffffffffffff000->0x80000000+0x1000"},
		{"two halves are the whole space", "/halves/dev", "0x0->0x0+2^64"},
		{"a cut-off entry is none", "/tail/dev", "0x0->0x80000000+0x1000"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void an_entry_of_size_zero_ends_the_table(void **state)
{
	static const struct device_case cases[] = {
		{"what follows does not count", "/zero-ends/dev", "0x0->0x80000000+0x1000"},
		{"for addresses from below it is no end", "/zero-ends/below/dev",
		 "0x0->0xa0000000+0x1000"},
		{"merged into the entry before, it is none", "/zero-swallowed/dev",
		 "0x0->0x80000000+0x1000; 0x8000->0xa0000000+0x1000"},
		{"merged with the entry behind, it is none", "/zero-leads-on/dev",
		 "0x8000->0xa0000000+0x1000"},
		{"at the start, nothing is left", "/zero-first/dev", "empty-table"},
		{"dropped before it can end anything", "/zero-parent/dropped/dev",
		 "0x0->0x80000000+0x1000; 0x8000->0x80008000+0x1000"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void where_linux_differs_is_noted(void **state)
{
	static const struct device_case cases[] = {
		{"Linux says the same", "/upper/inside/dev", ""},
		{"Linux would not clip", "/upper/clipped-behind/dev", "entry-clipped"},
		{"Linux drops the entry", "/upper/start-outside/dev", "entry-dropped"},
		{"Linux then sets no limit", "/upper/wholly-outside/dev",
		 "entry-dropped untranslatable"},
		{"passes 2^64", "/wraps/dev", "entry-wraps"},
		{"overlaps", "/overlap/dev", "entry-shadowed"},
		{"is cut off", "/tail/dev", "entry-truncated"},
		{"ends", "/zero-ends/dev", "zero-size-entry"},
		{"does not end", "/zero-swallowed/dev", ""},
		{"Linux finds no end at 2^64", "/top/below/dev", "entry-dropped untranslatable"},
		{"is dropped and does not end", "/zero-parent/dropped/dev", "entry-dropped"},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

static void a_table_that_begins_with_its_end_is_empty(void **state)
{
	static const struct {
		const char *because, *path;
		bool empty;
	} cases[] = {
		{"what does not translate is not there for Linux",
		 "/zero-behind-dropped/dropped/dev", true},
		{"nothing ends a table of which nothing translates",
		 "/zero-behind-dropped/only-dropped/dev", false},
		{"a window comes first", "/zero-ends/dev", false},
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++)
		if (busway_platform_device(tree->platform, tree_device(tree, cases[i].path))
			    ->dma.empty_table != cases[i].empty)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
}

static void the_bus_limit_is_linuxs_figure(void **state)
{
	static const struct {
		const char *because, *path;
		bool has;
		uint64_t limit;
	} cases[] = {
		{"the last bus address", "/upper/inside/dev", true, 0xfff},
		{"unclipped, as Linux has it", "/upper/clipped-behind/dev", true, 0x7fff},
		{"of the highest window", "/unsorted/dev", true, 0x8fff},
		{"none where nothing translates", "/upper/wholly-outside/dev", false, 0},
		{"none where no start translates", "/upper/all-starts-outside/dev", false, 0},
		{"0 where the table begins with its end", "/zero-first/dev", true, 0},
		{"of the entries before the end", "/zero-ends/dev", true, 0xfff},
		{"the sum wraps in Linux as well", "/wraps/dev", true, 0x7fff},
		{"all of 64 bits", "/halves/dev", true, UINT64_MAX},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const busway_device_id id = tree_device(tree, cases[i].path);
		const struct busway_dma_view *dma =
			&busway_platform_device(tree->platform, id)->dma;

		if (dma->has_bus_limit != cases[i].has ||
		    (cases[i].has && dma->bus_limit != cases[i].limit))
			fail_msg("%s: %s: 0x%llx, not 0x%llx", cases[i].because, cases[i].path,
				 (unsigned long long)dma->bus_limit,
				 (unsigned long long)cases[i].limit);
	}
}

static void of_two_addresses_the_first_entry_gives_the_one(void **state)
{
	struct tree *tree = *state;
	const struct busway_phys_range memory = {{0x80000800}, {0x800008ff}};
	struct busway_reach *reach;
	busway_dma_t dma;

	assert_int_equal(busway_reach_build(tree->platform, tree_device(tree, "/alias/dev"), NULL,
					    &tree->memory.allocator, &reach),
			 0);
	assert_int_equal(busway_reach_address(reach, memory, &dma), 0);
	assert_true(dma.raw == 0x800);
	busway_reach_destroy(reach);
}

/* ---- the parent that DMA goes to ---- */

static int open_dma_parent(void **state)
{
	return open_named(state, "dma-parent");
}

static void dma_mem_names_the_parent_for_dma(void **state)
{
	static const char mbus[] = "0x0->0x40000000+0xc0000000";
	static const char soc[] = "0x0->0x0+0x10000";
	const struct device_case cases[] = {
		{"by its name", "/soc/chosen-by-name", mbus},
		{"wherever it stands in the list", "/soc/second-of-two", mbus},
		{"also behind an empty place", "/soc/behind-none", mbus},
		{"only the first of that name", "/soc/named-twice", mbus},
		{"other names are for other things", "/soc/other-name", soc},
		{"a name for nothing: the parent in the tree", "/soc/no-interconnects", soc},
		{"a phandle of nothing: the same", "/soc/no-phandle", soc},
		{"an empty place: the same", "/soc/null-phandle", soc},
		{"a target without cells: the same", "/soc/no-cells", soc},
		{"a specifier cut short: the same", "/soc/cut-short", soc},
		{"those below go the same way", "/soc/bus@4000/v2m@0", mbus},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void the_chosen_parent_is_noted(void **state)
{
	static const struct device_case cases[] = {
		{"chosen", "/soc/chosen-by-name", "dma-parent"},
		{"not chosen", "/soc/other-name", ""},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

static const char *coherence_of(struct tree *tree, busway_device_id id)
{
	static const char *const names[] = {
		[BUSWAY_COHERENCE_DEFAULT] = "default",
		[BUSWAY_COHERENT] = "coherent",
		[BUSWAY_NONCOHERENT] = "noncoherent",
	};

	return names[busway_platform_device(tree->platform, id)->coherence];
}

static void coherence_follows_the_parent_for_dma(void **state)
{
	static const struct device_case cases[] = {
		{"of the chosen parent", "/soc/chosen-by-name", "coherent"},
		{"of the parent in the tree", "/soc/other-name", "default"},
		{"of the parent's chosen parent", "/soc/bus@4000/v2m@0", "coherent"},
	};

	check_devices(*state, coherence_of, cases, COUNT(cases));
}

static void registers_keep_the_parent_in_the_tree(void **state)
{
	struct tree *tree = *state;
	const struct busway_device *user =
		busway_platform_device(tree->platform, tree_device(tree, "/soc/msi-user"));

	assert_string_equal(maps_of(tree, user->msi, user->msi_count),
			    "<> /soc/bus@4000/v2m@0 at 0x10004040");
}

/* ---- windows that are not about RAM ---- */

static int open_islands(void **state)
{
	return open_named(state, "islands");
}

static void windows_need_not_lead_to_ram(void **state)
{
	static const struct device_case windows[] = {
		{"what a coprocessor sees", "/ahb/m4",
		 "0x0->0x38000000+0x10000; 0x10000000->0x10000000+0x60000; "
		 "0x30000000->0x30000000+0x60000"},
		{"an alias in the middle of RAM", "/soc/ethernet",
		 "0xc0000000->0xc0000000+0x10000000; 0xd0000000->0x10d0000000+0x1000000; "
		 "0xd1000000->0xd1000000+0x2f000000"},
		{"a bank of IOVAs", "/media/decoder/core", "0x100000000->0x40000000+0xfff00000"},
	};
	static const struct device_case reach[] = {
		{"on-chip memory that no bank states is not RAM", "/ahb/m4", ""},
		{"RAM on both sides of the alias, and not behind it", "/soc/ethernet",
		 "0xc0000000->0xc0000000+0x10000000 /memory@c0000000; "
		 "0xd1000000->0xd1000000+0x2f000000 /memory@c0000000"},
	};

	check_devices(*state, windows_of, windows, COUNT(windows));
	check_devices(*state, reach_of, reach, COUNT(reach));
}

static void behind_an_iommu_the_bus_side_bounds_iovas(void **state)
{
	struct tree *tree = *state;
	struct busway_iova iova;

	assert_int_equal(busway_iova_build(tree->platform, tree_device(tree, "/media/decoder/core"),
					   NULL, &tree->memory.allocator, &iova),
			 0);
	assert_int_equal(iova.allowed.count, 1);
	assert_true(iova.allowed.runs[0].first == 0x100000000);
	assert_true(iova.allowed.runs[0].last == 0x1ffefffff);
	busway_iova_free(&iova);
}

static void an_odd_size_is_a_size(void **state)
{
	struct tree *tree = *state;
	const struct busway_device *dev =
		busway_platform_device(tree->platform, tree_device(tree, "/odd/dev"));

	assert_string_equal(windows_of(tree, tree_device(tree, "/odd/dev")), "0x0->0x0+0xffffffff");
	/* as Linux 6.12 has it; 6.1 took it for a mask, and made it 0xffffffff */
	assert_true(dev->dma.bus_limit == 0xfffffffe);
}

#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(open_buses, addresses_are_read_as_their_bus_writes_them),
		ON(open_buses, only_addresses_of_one_class_meet),
		ON(open_buses, odd_buses_are_noted),
		ON(open_levels, the_search_for_a_table_goes_up_as_in_linux),
		ON(open_levels, what_the_search_did_is_noted),
		ON(open_levels, the_node_that_decided_is_named),
		ON(open_root_table, a_table_on_the_root_leads_nowhere),
		ON(open_root_table, an_untranslatable_device_reaches_nothing),
		ON(open_translate, windows_are_carried_up_piece_by_piece),
		ON(open_translate, an_entry_of_size_zero_ends_the_table),
		ON(open_translate, where_linux_differs_is_noted),
		ON(open_translate, a_table_that_begins_with_its_end_is_empty),
		ON(open_translate, the_bus_limit_is_linuxs_figure),
		ON(open_translate, of_two_addresses_the_first_entry_gives_the_one),
		ON(open_islands, windows_need_not_lead_to_ram),
		ON(open_islands, behind_an_iommu_the_bus_side_bounds_iovas),
		ON(open_islands, an_odd_size_is_a_size),
		ON(open_dma_parent, dma_mem_names_the_parent_for_dma),
		ON(open_dma_parent, the_chosen_parent_is_noted),
		ON(open_dma_parent, coherence_follows_the_parent_for_dma),
		ON(open_dma_parent, registers_keep_the_parent_in_the_tree),
	};

	return cmocka_run_group_tests_name("windows", tests, NULL, NULL);
}
