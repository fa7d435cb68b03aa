/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nodes_test.c - which nodes are devices, and what is told of each.
 *
 * Tree: nodes.dts.
 */
#include "support.h"

#include <string.h>

static int open_nodes(void **state)
{
	return open_named(state, "nodes");
}

static const struct busway_device *device_at(const struct tree *tree, const char *path)
{
	return busway_platform_device(tree->platform, tree_device(tree, path));
}

static void coherence_has_three_states(void **state)
{
	static const struct {
		const char *because, *path;
		enum busway_coherence coherence;
	} cases[] = {
		{"of the bus", "/soc/uart@1000", BUSWAY_COHERENT},
		{"its own counts before the bus's", "/soc/dma-controller@2000", BUSWAY_NONCOHERENT},
		{"of both, dma-coherent is asked first", "/soc/both@3000", BUSWAY_COHERENT},
		{"nothing is stated: the architecture decides", "/ethernet@10000",
		 BUSWAY_COHERENCE_DEFAULT},
		{"of a bus that is not coherent", "/noncoherent/mmc@20000", BUSWAY_NONCOHERENT},
		{"a bridge's own", "/noncoherent/pcie@30000", BUSWAY_COHERENT},
		{"functions have their bridge's", "/noncoherent/pcie@30000/fn@0,0",
		 BUSWAY_COHERENT},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (device_at(*state, cases[i].path)->coherence != cases[i].coherence)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
}

static void a_device_is_enabled_if_all_above_it_are(void **state)
{
	static const struct {
		const char *because, *path;
		bool enabled;
	} cases[] = {
		{"no status", "/soc/uart@1000", true},
		{"okay", "/soc/okay", true},
		{"ok", "/soc/ok", true},
		{"disabled", "/soc/bus", false},
		{"below a disabled bus", "/soc/bus/child", false},
		{"reserved is for somebody else", "/soc/reserved", false},
		{"failed", "/soc/fail", false},
		{"an empty status is not okay", "/soc/nothing", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (device_at(*state, cases[i].path)->enabled != cases[i].enabled)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
}

static void nodes_that_describe_other_things_are_no_devices(void **state)
{
	static const char *const paths[] = {
		"/",           "/chosen",      "/aliases",         "/cpus",
		"/cpus/cpu@0", "/__symbols__", "/memory@80000000",
	};
	const struct tree *tree = *state;
	busway_device_id id;

	for (size_t i = 0; i < COUNT(paths); i++)
		if (busway_platform_find_device(tree->platform, paths[i], &id, 1) != 0)
			fail_msg("%s is a device", paths[i]);
}

static void a_bookkeeping_property_is_no_phandle(void **state)
{
	assert_int_equal(device_at(*state, "/stray")->iommu_count, 0);
}

static void likely_masters_are_known_by_name_type_or_property(void **state)
{
	static const struct {
		const char *because, *path;
		bool likely;
	} cases[] = {
		{"a UART", "/soc/uart@1000", false},
		{"a generic name", "/ethernet@10000", true},
		{"another one", "/noncoherent/mmc@20000", true},
		{"says how coherent it is", "/soc/both@3000", true},
		{"an IOMMU reads its tables", "/soc/iommu@4000", true},
		{"a host bridge", "/noncoherent/pcie@30000", true},
		{"a function", "/noncoherent/pcie@30000/fn@0,0", true},
		{"a bus", "/soc", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++)
		if (device_at(*state, cases[i].path)->likely_master != cases[i].likely)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
}

static void without_the_flag_only_likely_masters_are_devices(void **state)
{
	struct tree *tree = *state;
	struct busway_platform *likely;
	const size_t all = busway_platform_device_count(tree->platform);
	busway_device_id id;

	assert_int_equal(busway_fdt_import(tree->blob, tree->size, 0, &tree->memory.allocator,
					   &likely, NULL),
			 0);
	assert_true(busway_platform_device_count(likely) < all);
	for (uint32_t i = 0; i < busway_platform_device_count(likely); i++) {
		const struct busway_device *d =
			busway_platform_device(likely, (busway_device_id){i});

		assert_true(d->likely_master || d->is_bridge_itself);
	}
	assert_int_equal(busway_platform_find_device(likely, "/ethernet@10000", &id, 1), 1);
	assert_int_equal(busway_platform_find_device(likely, "/soc/uart@1000", &id, 1), 0);
	busway_platform_destroy(likely);
}

static void devices_are_found_by_path_alias_or_end_of_path(void **state)
{
	static const struct {
		const char *because, *name;
		size_t count;
		const char *path;
	} cases[] = {
		{"the full path", "/soc/uart@1000", 1, "/soc/uart@1000"},
		{"an alias", "serial0", 1, "/soc/uart@1000"},
		{"an alias for nothing", "ghost", 0, NULL},
		{"the end of one path", "uart@1000", 1, "/soc/uart@1000"},
		{"more of its end", "soc/uart@1000", 1, "/soc/uart@1000"},
		{"not a part of a name", "art@1000", 0, NULL},
		{"not a name without its address", "uart", 0, NULL},
		{"the end of two paths", "same@1", 2, "/same@1"},
		{"a full path is exact", "/same@1", 1, "/same@1"},
		{"the bridge, not the bridge as a master", "pcie@30000", 1,
		 "/noncoherent/pcie@30000"},
		{"nothing", "", 0, NULL},
	};
	const struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		busway_device_id found[4];
		const size_t count = busway_platform_find_device(tree->platform, cases[i].name,
								 found, COUNT(found));

		if (count != cases[i].count ||
		    (count && strcmp(busway_platform_device(tree->platform, found[0])->name,
				     cases[i].path) != 0))
			fail_msg("'%s': %s: %zu found", cases[i].name, cases[i].because, count);
	}
}

static void the_board_is_named(void **state)
{
	const struct tree *tree = *state;
	size_t count;
	const char *const *compatible = busway_platform_compatible(tree->platform, &count);

	assert_string_equal(busway_platform_model(tree->platform), "Test of nodes");
	assert_int_equal(count, 2);
	assert_string_equal(compatible[0], "test,nodes");
	assert_string_equal(compatible[1], "test,any");
}

#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(open_nodes, coherence_has_three_states),
		ON(open_nodes, a_device_is_enabled_if_all_above_it_are),
		ON(open_nodes, nodes_that_describe_other_things_are_no_devices),
		ON(open_nodes, a_bookkeeping_property_is_no_phandle),
		ON(open_nodes, likely_masters_are_known_by_name_type_or_property),
		ON(open_nodes, without_the_flag_only_likely_masters_are_devices),
		ON(open_nodes, devices_are_found_by_path_alias_or_end_of_path),
		ON(open_nodes, the_board_is_named),
	};

	return cmocka_run_group_tests_name("nodes", tests, NULL, NULL);
}
