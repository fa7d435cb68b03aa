/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * maps_test.c - which IOMMU and which MSI controller sees a device, and under which ID.
 *
 * Tree: maps.dts.
 */
#include "support.h"

#include <inttypes.h>
#include <stdio.h>

static int open_maps(void **state)
{
	return open_named(state, "maps");
}

static const char *iommu_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *d = busway_platform_device(tree->platform, id);

	return maps_of(tree, d->iommu, d->iommu_count);
}

static const char *msi_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *d = busway_platform_device(tree->platform, id);

	return maps_of(tree, d->msi, d->msi_count);
}

#define SMMU "/iommu@1000000"
#define WIDE "/iommu@2000000"
#define OFF  "/iommu@5000000 (disabled)"
#define ITS  "/gic@8000000/its@80000 at 0x8090040"
#define V2M  "/gic@8000000/v2m@e0000 at 0x80e0040"

static void specifiers_are_as_long_as_their_controller_says(void **state)
{
	static const struct device_case iommus[] = {
		{"one cell", "/one", "<0x10> " SMMU},
		{"one, two and no cell", "/several",
		 "<0x10> " SMMU "; <0x20 0x7f> " WIDE "; <> /iommu@3000000"},
		{"the list ends where no count is stated", "/ends-early", "<0x10> " SMMU},
		{"a specifier cut short is none", "/cut-short", ""},
		{"a phandle of nothing ends the list", "/nowhere", ""},
		{"that the controller is off is told", "/behind-off", "<0x1> " OFF},
	};
	static const struct device_case msis[] = {
		{"with an ID; the doorbell is in the second 64 KiB", "/one", "<0x11> " ITS},
		{"no count is a count of 0", "/several", "<> " V2M "; <> /msi@9000000"},
		{"a phandle of nothing", "/nowhere", ""},
	};

	check_devices(*state, iommu_of, iommus, COUNT(iommus));
	check_devices(*state, msi_of, msis, COUNT(msis));
}

static void maps_are_for_functions(void **state)
{
	static const char iommus[] =
		"0x0+0x100->0x1000 mask 0xfff8 " SMMU "; 0x100+0x100->0x0 mask 0xfff8 " OFF
		"; 0x200+0x100->0x5 mask 0xfff8 " WIDE;
	const struct device_case iommu[] = {
		{"of the bridge, with the mask", "/pcie@10000000", iommus},
		{"and so for each function", "/pcie@10000000/fn@0,0", iommus},
		{"iommus on the bridge are not for functions", "/pcie@20000000/fn@0,0", ""},
		{"entries as long as the controller says", "/pcie@30000000",
		 "0x0+0x100->0x40 " WIDE "; 0x100+0x100->0x41 " WIDE},
		{"four cells where that fits", "/pcie@40000000",
		 "0x0+0x1->0x40 " WIDE "; 0x100+0x1->0x41 " WIDE},
		{"a phandle of nothing", "/pcie@50000000", ""},
		{"that the controller is off is told", "/pcie@60000000", "0x0+0x10000->0x0 " OFF},
	};
	const struct device_case msi[] = {
		{"with both, the map is shown", "/pcie@10000000",
		 "0x0+0x10000->0x400 mask 0xff00 " ITS},
		{"without a map, the parent", "/pcie@20000000", "<0x5> " ITS},
		{"a controller that states no count", "/pcie@30000000", "0x0+0x10000->0x0 " V2M},
		{"cut short", "/pcie@50000000", ""},
		{"a map above the bridge", "/above/pcie@70000000", "0x0+0x10000->0x900 " ITS},
		{"the nearest map", "/above/pcie@71000000", "0x0+0x10000->0x0 " V2M},
		{"of functions only", "/above/plain", "<> " V2M},
	};

	check_devices(*state, iommu_of, iommu, COUNT(iommu));
	check_devices(*state, msi_of, msi, COUNT(msi));
}

static void iommus_of_a_bridge_are_its_own(void **state)
{
	static const struct device_case cases[] = {
		{"without a map", "/pcie@20000000", "<0x77> " SMMU},
		{"beside a map", "/pcie@10000000", "<0x77> " SMMU},
		{"not stated", "/pcie@30000000", ""},
	};

	check_bridges(*state, iommu_of, cases, COUNT(cases));
}

#define CHIP "/pcie@70000000/chip@0,0"

/* The way to memory of what is behind a function leads through the bridge, and so does its ID. */
static void what_comes_out_of_a_bridge_is_translated_there(void **state)
{
	static const char map[] = "0x0+0x100->0x0 " OFF "; 0x100+0x100->0x0 " SMMU;
	const struct device_case iommu[] = {
		{"a device on a bus of its own", CHIP "/bus/eth@1000", map},
		{"one with a property of its own", CHIP "/bus/own@2000", "<0x9> " OFF},
		{"functions of a bridge behind the bridge", CHIP "/bus/pcie@3000/fn@0,0", map},
		{"by its DMA parent", "/sent", map},
		{"all off", "/pcie@71000000/chip@0,0/bus/eth@1000", "0x0+0x100->0x0 " OFF},
	};
	static const struct device_case notes[] = {
		{"who translates", CHIP "/bus/eth@1000", "missing-is-identity bridge-iommu"},
		{"beside what it states itself", CHIP "/bus/own@2000",
		 "missing-is-identity bridge-iommu"},
		{"nobody does", "/pcie@71000000/chip@0,0/bus/eth@1000", "no-table"},
	};

	check_devices(*state, iommu_of, iommu, COUNT(iommu));
	check_devices(*state, notes_of, notes, COUNT(notes));
}

/* bus 0..0x7fffffff -> PCI 0x30000000.., where the aperture answers 0x40000000..0x4fffffff */
static void apertures_further_up_are_no_iovas(void **state)
{
	struct tree *tree = *state;
	struct busway_iova iova;

	assert_int_equal(busway_iova_build(tree->platform, tree_device(tree, CHIP "/bus/eth@1000"),
					   NULL, &tree->memory.allocator, &iova),
			 0);
	assert_int_equal(iova.allowed.count, 2);
	assert_true(iova.allowed.runs[0].first == 0);
	assert_true(iova.allowed.runs[0].last == 0x0fffffff);
	assert_true(iova.allowed.runs[1].first == 0x20000000);
	assert_true(iova.allowed.runs[1].last == 0x7fffffff);
	assert_int_equal(iova.removed_count, 2);
	assert_string_equal(iova.removed[0].by, "/pcie@70000000");
	busway_iova_free(&iova);
}

static void odd_maps_are_noted(void **state)
{
	static const struct device_case cases[] = {
		{"nothing odd", "/pcie@40000000/fn@0,0", "no-table"},
		{"how long the entries were taken to be", "/pcie@30000000/fn@0,0",
		 "no-table map-cells"},
		{"iommus that translate no function", "/pcie@20000000", "no-table iommus-on-host"},
		{"specifiers that end early", "/ends-early", "no-table iommu-unreadable"},
		{"a map of nothing", "/pcie@50000000/fn@0,0", "no-table iommu-unreadable"},
		{"an empty property names nobody", "/empty", "no-table"},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

static void behind_an_iommu_is_what_an_enabled_one_translates(void **state)
{
	static const struct {
		const char *because, *path;
		bool behind;
	} cases[] = {
		{"a specifier", "/one", true},
		{"none", "/other", false},
		{"an empty one", "/empty", false},
		{"in doubt: a phandle of nothing", "/nowhere", true},
		{"in doubt: cut short", "/cut-short", true},
		{"in doubt: no count is stated", "/countless", true},
		{"in doubt: one that is off, then what cannot be read", "/off-then-nowhere", true},
		{"in doubt: bytes that are no cell", "/bytes", true},
		{"one that is off", "/behind-off", false},
		{"a map", "/pcie@10000000", true},
		{"a map to one that is off", "/pcie@60000000", false},
		{"iommus of the bridge", "/pcie@20000000/fn@0,0", false},
		{"that of the bridge further up", CHIP "/bus/eth@1000", true},
		{"beside one of its own that is off", CHIP "/bus/own@2000", true},
		{"for a bridge behind the bridge", CHIP "/bus/pcie@3000", true},
		{"for what is sent there", "/sent", true},
		{"one further up that is off", "/pcie@71000000/chip@0,0/bus/eth@1000", false},
		{"in doubt: a map of nothing", "/pcie@50000000", true},
		{"and so for its functions", "/pcie@50000000/fn@0,0", true},
		{"in doubt: a map of five cells", "/pcie@51000000", true},
		{"in doubt: a map with bytes behind it", "/pcie@52000000", true},
		{"an empty map", "/pcie@53000000", false},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const busway_device_id id = tree_device(tree, cases[i].path);

		if (busway_platform_device(tree->platform, id)->behind_iommu != cases[i].behind)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
	}
}

/* iommu-map of pcie@10000000: 0..0xff on, 0x100..0x1ff off, 0x200..0x2ff on; mask 0xfff8 */
static void a_requester_is_looked_up_as_linux_does(void **state)
{
	static const struct {
		const char *because;
		uint16_t requester;
		bool hit;
	} cases[] = {
		{"the first of an entry", 0x000, true},
		{"what the mask leaves of it", 0x007, true},
		{"the last of an entry", 0x0ff, true},
		{"an entry of an IOMMU that is off", 0x100, false},
		{"another entry", 0x2f8, true},
		{"in no entry: around the IOMMU", 0x300, false},
	};
	struct tree *tree = *state;
	const struct busway_device *host =
		busway_platform_device(tree->platform, tree_device(tree, "/pcie@10000000"));

	for (size_t i = 0; i < COUNT(cases); i++)
		if (busway_id_map_hits(host->iommu, host->iommu_count, false, cases[i].requester) !=
		    cases[i].hit)
			fail_msg("requester 0x%x: %s", (unsigned)cases[i].requester,
				 cases[i].because);
	assert_true(busway_id_map_hits(host->iommu, host->iommu_count, true, 0));
}

static void a_function_below_a_map_in_doubt_is_taken_for_translated(void **state)
{
	struct tree *tree = *state;
	busway_device_id function;

	assert_int_equal(busway_platform_add_function(tree->platform,
						      tree_device(tree, "/pcie@51000000"), 0x100,
						      "01:00.0", &function),
			 0);
	assert_true(busway_platform_device(tree->platform, function)->behind_iommu);
	/* the map is that of the bridge further up: the ID is not one on its bus */
	assert_int_equal(busway_platform_add_function(tree->platform,
						      tree_device(tree, CHIP "/bus/pcie@3000"),
						      0x300, "03:00.0", &function),
			 0);
	assert_true(busway_platform_device(tree->platform, function)->behind_iommu);
}

static void doorbells_are_regions_of_enabled_controllers(void **state)
{
	struct tree *tree = *state;
	size_t count, doorbells = 0;
	const struct busway_region *regions = busway_platform_regions(tree->platform, &count);

	for (size_t i = 0; i < count; i++) {
		if (regions[i].kind != BUSWAY_REGION_DOORBELL)
			continue;
		doorbells++;
		assert_true(regions[i].range.first == 0x8090040 ||
			    regions[i].range.first == 0x80b0040 ||
			    regions[i].range.first == 0x80e0040 ||
			    regions[i].range.first == 0x90010040);
		assert_true(busway_range_span(regions[i].range) == 3);
		assert_int_equal(regions[i].access, BUSWAY_WRITE);
	}
	assert_int_equal(doorbells, 4);
}

static void a_doorbell_inside_memory_is_a_hole_and_noted(void **state)
{
	struct tree *tree = *state;
	const struct busway_note *notes = busway_platform_notes(tree->platform);

	assert_string_equal(reach_of(tree, tree_device(tree, "/other")),
			    "0x80000000->0x80000000+0x10010040 /memory@80000000; "
			    "0x90010044->0x90010044+0x2ffeffbc /memory@80000000");
	assert_non_null(notes);
	assert_int_equal(notes->code, BUSWAY_NOTE_DOORBELL_IN_MEMORY);
	assert_string_equal(notes->node, "/its@90000000");
	assert_null(notes->next);
}

static void a_doorbell_is_known_by_its_controllers_type(void **state)
{
	static const struct {
		const char *because, *path;
		bool has;
		uint64_t doorbell;
	} cases[] = {
		{"an ITS", "/one", true, 0x8090040},
		{"a v2m frame", "/several", true, 0x80e0040},
		{"an ITS whose second 64 KiB are not stated: they are there", "/short", true,
		 0x80b0040},
		{"a controller of another type", "/other", false, 0},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_device *d =
			busway_platform_device(tree->platform, tree_device(tree, cases[i].path));

		assert_true(d->msi_count > 0);
		if (d->msi[0].has_doorbell != cases[i].has ||
		    (cases[i].has && d->msi[0].doorbell.raw != cases[i].doorbell))
			fail_msg("%s: %s", cases[i].path, cases[i].because);
	}
}

static const char *kept_free_of(struct tree *tree, busway_device_id id)
{
	const struct busway_device *d = busway_platform_device(tree->platform, id);
	size_t used = 0;

	tree->text[0] = '\0';
	for (size_t i = 0; i < d->iova_reserved_count; i++)
		used += (size_t)snprintf(tree->text + used, sizeof(tree->text) - used,
					 "%s0x%" PRIx64 "..0x%" PRIx64 " %s", i ? "; " : "",
					 d->iova_reserved[i].range.first,
					 d->iova_reserved[i].range.last, d->iova_reserved[i].name);
	return tree->text;
}

static void iommu_addresses_are_kept_free_for_their_device(void **state)
{
	static const struct device_case cases[] = {
		{"of two nodes, without the one that is off", "/display@60000",
		 "0x90000000..0x90ffffff /reserved-memory/splash@90000000; "
		 "0x0..0xfffff /reserved-memory/hole"},
		{"in the cells of the device's bus", "/bus/camera@70000",
		 "0x20000000..0x20000fff /reserved-memory/splash@90000000"},
		{"for the functions of a bridge that is named", "/pcie@40000000/fn@0,0",
		 "0x30000000..0x30000fff /reserved-memory/splash@90000000"},
		{"not for others", "/one", ""},
	};

	check_devices(*state, kept_free_of, cases, COUNT(cases));
}

#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(open_maps, specifiers_are_as_long_as_their_controller_says),
		ON(open_maps, maps_are_for_functions),
		ON(open_maps, iommus_of_a_bridge_are_its_own),
		ON(open_maps, what_comes_out_of_a_bridge_is_translated_there),
		ON(open_maps, apertures_further_up_are_no_iovas),
		ON(open_maps, odd_maps_are_noted),
		ON(open_maps, behind_an_iommu_is_what_an_enabled_one_translates),
		ON(open_maps, a_requester_is_looked_up_as_linux_does),
		ON(open_maps, a_function_below_a_map_in_doubt_is_taken_for_translated),
		ON(open_maps, doorbells_are_regions_of_enabled_controllers),
		ON(open_maps, a_doorbell_inside_memory_is_a_hole_and_noted),
		ON(open_maps, a_doorbell_is_known_by_its_controllers_type),
		ON(open_maps, iommu_addresses_are_kept_free_for_their_device),
	};

	return cmocka_run_group_tests_name("maps", tests, NULL, NULL);
}
