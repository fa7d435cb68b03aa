/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hosts_test.c - PCI host bridges and endpoint controllers.
 *
 * One node, two answers: what the functions below a bridge get, and what the bridge gets as a
 * master itself. Tree: hosts.dts, and the Raspberry Pi 5 of boards/ for masters below a function.
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

static int open_hosts(void **state)
{
	return open_named(state, "hosts");
}

static void functions_get_the_bridges_table(void **state)
{
	static const char soc[] = "0x0->0x0+0x80000000";
	const struct device_case cases[] = {
		{"its own", "/soc/pcie@10000000", "0x0->0x0+0x60000000"},
		{"a bridge below it has none that counts", "/soc/pcie@10000000/port@0,0",
		 "0x0->0x0+0x60000000"},
		{"however deep the function", "/soc/pcie@10000000/port@0,0/fn@0,0",
		 "0x0->0x0+0x60000000"},
		{"the bus's, where it has none", "/soc/pcie@20000000/fn@0,0", soc},
		{"the bus's, where it is empty", "/soc/pcie@21000000/fn@0,0", soc},
		{"none, where the bus's is hidden", "/soc/deep/pcie@22000000/fn@0,0", "none"},
		{"what the bus above lets through", "/soc/pcie@23000000/fn@0,0",
		 "0x1000000000->0x40000000+0x40000000"},
		{"none where there is none", "/free/pci@30000000/fn@0,0", "none"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

static void the_bridge_itself_gets_its_buss_table(void **state)
{
	static const char soc[] = "0x0->0x0+0x80000000";
	const struct device_case cases[] = {
		{"not its own", "/soc/pcie@10000000", soc},
		{"the one that its functions inherit", "/soc/pcie@20000000", soc},
		{"its first missing level is one further up", "/soc/deep/pcie@22000000", soc},
		{"no table, no limit", "/free/pci@30000000", "none"},
	};

	check_bridges(*state, windows_of, cases, COUNT(cases));
}

static void a_hidden_table_is_noted_for_functions(void **state)
{
	static const struct device_case functions[] = {
		{"two missing levels", "/soc/deep/pcie@22000000/fn@0,0", "hidden-table"},
		{"one missing level; the aperture lies in the window that is inherited",
		 "/soc/pcie@20000000/fn@0,0", "first-level-missing aperture-in-window"},
	};
	static const struct device_case bridges[] = {
		{"one missing level", "/soc/deep/pcie@22000000", "first-level-missing"},
	};

	check_devices(*state, notes_of, functions, COUNT(functions));
	check_bridges(*state, notes_of, bridges, COUNT(bridges));
}

static void outbound_windows_are_told_as_stated(void **state)
{
	static const struct device_case cases[] = {
		{"without configuration space, and without what has no size", "/soc/pcie@10000000",
		 "io 0x0<-0xe0000000+0x10000; mem32 0x40000000<-0x40000000+0x10000000; "
		 "mem64p 0x8000000000<-0x8000000000+0x100000000"},
		{"a bus without ranges cannot be crossed", "/free/pci@30000000",
		 "mem32 0x40000000<-null+0x10000000"},
		{"nor can one without size cells", "/sizeless/pci@31000000",
		 "mem32 0x40000000<-null+0x10000000"},
		{"through the ranges above, where they hold it", "/moved/pcie@1f000000",
		 "mem32 0x80000000<-0x110000000+0x1000000; mem32p 0x90000000<-null+0x1000000"},
		{"bus windows that are no addresses do not translate", "/mbus/pcie",
		 "mem32 0x40000<-0xf1040000+0x2000; mem32 0x100000000<-null+0x100000000; "
		 "io 0x100000000<-null+0x100000000"},
		{"a bridge below a bridge has none of its own", "/mbus/pcie/pcie@1,0", ""},
		{"no ranges, no windows", "/soc/pcie@23000000", ""},
	};

	check_devices(*state, outbound_of, cases, COUNT(cases));
}

/*
 *   bus       0          0x4000_0000  0x5000_0000  0x6000_0000
 *   windows   [---------------------------------]
 *   aperture             [----------]
 *   reach     [---------]            [----------]
 */
static void apertures_are_holes_for_functions_only(void **state)
{
	static const struct device_case functions[] = {
		{"in the bridge's own windows", "/soc/pcie@10000000/port@0,0/fn@0,0",
		 "0x0->0x0+0x40000000 /memory@0; 0x50000000->0x50000000+0x10000000 /memory@0"},
		{"in inherited windows", "/soc/pcie@20000000/fn@0,0",
		 "0x0->0x0+0x30000000 /memory@0; 0x40000000->0x40000000+0x40000000 /memory@0"},
		{"one that does not translate is no hole", "/free/pci@30000000/fn@0,0",
		 "0x0->0x0+0x100000000 /memory@0"},
		{"a hole is where the bus has it", "/moved/pcie@1f000000/fn@0,0",
		 "0x0->0x0+0x80000000 /memory@0; 0x81000000->0x81000000+0x7f000000 /memory@0"},
	};
	static const struct device_case bridges[] = {
		{"the bridge is on another bus", "/soc/pcie@10000000",
		 "0x0->0x0+0x80000000 /memory@0"},
		{"with inherited windows, too", "/soc/pcie@20000000",
		 "0x0->0x0+0x80000000 /memory@0"},
		{"and without any", "/moved/pcie@1f000000", "0x0->0x0+0x100000000 /memory@0"},
	};

	check_devices(*state, reach_of, functions, COUNT(functions));
	check_bridges(*state, reach_of, bridges, COUNT(bridges));
}

static void kinds_are_told_apart(void **state)
{
	static const struct {
		const char *because, *path;
		enum busway_device_kind kind;
	} cases[] = {
		{"device_type pci, called pcie", "/soc/pcie@10000000", BUSWAY_DEVICE_PCIE_HOST},
		{"device_type pci, not called pcie", "/free/pci@30000000", BUSWAY_DEVICE_PCI_HOST},
		{"device_type pciex", "/moved/pcie@1f000000", BUSWAY_DEVICE_PCIE_HOST},
		{"a port is a function", "/soc/pcie@10000000/port@0,0", BUSWAY_DEVICE_PCI_FUNCTION},
		{"a function of a port", "/soc/pcie@10000000/port@0,0/fn@0,0",
		 BUSWAY_DEVICE_PCI_FUNCTION},
		{"a port that is called pcie", "/mbus/pcie/pcie@1,0", BUSWAY_DEVICE_PCI_FUNCTION},
		{"by its name", "/pcie-ep@50000000", BUSWAY_DEVICE_PCIE_ENDPOINT},
		{"by its compatible string", "/controller@53000000", BUSWAY_DEVICE_PCIE_ENDPOINT},
		{"a bus is a platform device", "/soc", BUSWAY_DEVICE_PLATFORM},
		{"what has no place on the bus is no function",
		 "/soc/pcie@20100000/interrupt-controller", BUSWAY_DEVICE_PLATFORM},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const busway_device_id id = tree_device(tree, cases[i].path);

		if (busway_platform_device(tree->platform, id)->kind != cases[i].kind)
			fail_msg("%s: %s", cases[i].path, cases[i].because);
	}
}

static void a_function_has_the_requester_id_of_its_reg(void **state)
{
	struct tree *tree = *state;
	const struct busway_device *function = busway_platform_device(
		tree->platform, tree_device(tree, "/soc/pcie@10000000/port@0,0/fn@0,0"));

	assert_true(function->has_requester);
	assert_int_equal(function->requester, 0x100);
}

static void a_function_that_the_tree_does_not_list_gets_the_hosts_view(void **state)
{
	struct tree *tree = *state;
	const busway_device_id host = tree_device(tree, "/soc/pcie@20000000");
	busway_device_id function;

	assert_int_equal(
		busway_platform_add_function(tree->platform, host, 0x318, "03:03.0", &function), 0);
	assert_string_equal(
		reach_of(tree, function),
		"0x0->0x0+0x30000000 /memory@0; 0x40000000->0x40000000+0x40000000 /memory@0");
	assert_int_equal(busway_platform_add_function(tree->platform, tree_device(tree, "/soc"), 0,
						      "x", &function),
			 -BUSWAY_EINVAL);
}

static void endpoint_limits_are_read(void **state)
{
	static const struct {
		const char *because, *path;
		uint64_t base, size; /* size 0: not stated */
		uint32_t ob, ib, functions;
	} cases[] = {
		{"DesignWare's names; max-functions is one byte", "/pcie-ep@50000000", 0x900000000,
		 0x100000000, 6, 8, 2},
		{"Cadence's names; max-functions as a cell", "/pcie-ep@51000000", 0xc0000000,
		 0x2000000, 16, UINT32_MAX, 3},
		{"Rockchip's names", "/pcie-ep@52000000", 0xd0000000, 0x2000000, 32, UINT32_MAX,
		 UINT32_MAX},
		{"nothing is stated", "/controller@53000000", 0, 0, UINT32_MAX, UINT32_MAX,
		 UINT32_MAX},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const busway_device_id id = tree_device(tree, cases[i].path);
		const struct busway_endpoint *e =
			busway_platform_device(tree->platform, id)->endpoint;

		print_message("# %s: %s\n", cases[i].path, cases[i].because);
		assert_non_null(e);
		assert_int_equal(e->has_outbound, cases[i].size != 0);
		if (e->has_outbound) {
			assert_true(e->outbound.first.raw == cases[i].base);
			assert_true(e->outbound.last.raw == cases[i].base + cases[i].size - 1);
		}
		assert_int_equal(e->ob_windows, cases[i].ob);
		assert_int_equal(e->ib_windows, cases[i].ib);
		assert_int_equal(e->max_functions, cases[i].functions);
	}
}

/* ---- domains and buses ---- */

static int open_domains(void **state)
{
	return open_named(state, "domains");
}

static void domains_and_buses_are_told_as_linux_takes_them(void **state)
{
	static const struct {
		const char *because, *path, *told;
	} cases[] = {
		{"both", "/soc/pcie@10000000", "domain 0x0, buses 0x0..0xf"},
		{"without a range", "/soc/pcie@11000000", "domain 0x1"},
		{"a range that does not begin with 0", "/soc/pcie@13000000",
		 "domain 0x2, buses 0x20..0x3f"},
		{"a domain has 16 bits; there is no bus beyond 255", "/soc/pcie@14000000",
		 "domain 0x2345, buses 0x10..0xff"},
		{"too short, and the wrong way round", "/soc/pcie@15000000", ""},
		{"no bus of the range exists", "/soc/pcie@16000000", "domain 0x9"},
		{"half a range", "/soc/pcie@17000000", ""},
		{"no host bridge", "/soc/dma@1000", ""},
	};
	struct tree *tree = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_device *d =
			busway_platform_device(tree->platform, tree_device(tree, cases[i].path));
		char told[64] = "";

		if (d->has_domain)
			snprintf(told, sizeof(told), "domain 0x%x", (unsigned)d->domain);
		if (d->has_bus_range)
			snprintf(told + strlen(told), sizeof(told) - strlen(told),
				 ", buses 0x%x..0x%x", (unsigned)d->first_bus,
				 (unsigned)d->last_bus);
		print_message("# %s: %s\n", cases[i].path, cases[i].because);
		assert_string_equal(told, cases[i].told);
	}
}

static void a_function_is_no_host_bridge(void **state)
{
	struct tree *tree = *state;
	busway_device_id id;

	assert_int_equal(busway_platform_add_function(tree->platform,
						      tree_device(tree, "/soc/pcie@10000000"), 0,
						      "0:0.0", &id),
			 0);
	assert_false(busway_platform_device(tree->platform, id)->has_domain);
	assert_false(busway_platform_device(tree->platform, id)->has_bus_range);
}

/* ---- masters on a simple bus below a PCI function ---- */

static int open_rpi5(void **state)
{
	return open_named(state, "rpi5");
}

#define RP1 "/axi/pcie@1000120000/pci@0,0/dev@0,0/pci-ep-bus@1"

static void a_bus_below_a_function_goes_through_the_hosts_table(void **state)
{
	static const struct device_case windows[] = {
		{"parent addresses are PCI addresses", RP1 "/usb@40200000",
		 "0x1000000000->0x0+0x1000000000"},
		{"the function itself has the host's", "/axi/pcie@1000120000/pci@0,0/dev@0,0",
		 "0x0->0x1f00000000+0x400000; 0x1000000000->0x0+0x1000000000; "
		 "0xfffffff000->0x1000130000+0x1000"},
	};
	static const struct device_case reach[] = {
		{"RAM is 64 GiB higher", RP1 "/usb@40200000",
		 "0x1000080000->0x80000+0x3fb80000 /memory@0; "
		 "0x1040000000->0x40000000+0x1c0000000 /memory@0"},
	};

	check_devices(*state, windows_of, windows, COUNT(windows));
	check_devices(*state, reach_of, reach, COUNT(reach));
}

/* Linux translates an entry through every level, and takes missing ones for 1:1; only the search
 * for a table ends at them. */
static void what_comes_up_through_a_bridge_without_a_table_goes_on(void **state)
{
	static const struct device_case cases[] = {
		{"the bridge's functions have no table: it is hidden",
		 "/far/missing/pcie@24000000/fn@0,0", "none"},
		{"a bus below them has, and it is translated through all of them",
		 "/far/missing/pcie@24000000/fn@0,0/bus/dev", "0x0->0x90000000+0x1000"},
	};

	check_devices(*state, windows_of, cases, COUNT(cases));
}

/* Linux gives an address code 0 where it comes from a bus without codes, and finds no entry for it;
 * what is in front of it is memory to the bridge. */
static void an_address_without_a_code_is_memory(void **state)
{
	static const char path[] = "/codeless/pcie@25000000/fn@0,0/bus/dev";
	static const struct device_case windows[] = {
		{"the bridge's window holds it", path, "0x0->0x10000000+0x1000"},
	};
	static const struct device_case notes[] = {
		{"Linux drops it", path, "entry-dropped untranslatable missing-is-identity"},
	};
	const struct tree *tree = *state;

	check_devices(*state, windows_of, windows, COUNT(windows));
	check_devices(*state, notes_of, notes, COUNT(notes));
	assert_false(
		busway_platform_device(tree->platform, tree_device(tree, path))->dma.has_bus_limit);
}

#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(open_hosts, functions_get_the_bridges_table),
		ON(open_hosts, the_bridge_itself_gets_its_buss_table),
		ON(open_hosts, a_hidden_table_is_noted_for_functions),
		ON(open_hosts, what_comes_up_through_a_bridge_without_a_table_goes_on),
		ON(open_hosts, an_address_without_a_code_is_memory),
		ON(open_hosts, outbound_windows_are_told_as_stated),
		ON(open_hosts, apertures_are_holes_for_functions_only),
		ON(open_hosts, kinds_are_told_apart),
		ON(open_hosts, a_function_has_the_requester_id_of_its_reg),
		ON(open_hosts, a_function_that_the_tree_does_not_list_gets_the_hosts_view),
		ON(open_hosts, endpoint_limits_are_read),
		ON(open_domains, domains_and_buses_are_told_as_linux_takes_them),
		ON(open_domains, a_function_is_no_host_bridge),
		ON(open_rpi5, a_bus_below_a_function_goes_through_the_hosts_table),
	};

	return cmocka_run_group_tests_name("hosts", tests, NULL, NULL);
}
