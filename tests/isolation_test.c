/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation_test.c - which functions are together, on trees made by hand.
 *
 * Each tree is a list of functions; what is expected is written as groups of "BB:DD.F". The rules
 * are those of PCI Express Base 6.12, of the bridge specification, and of Linux 6.12.
 */
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

#include <busway/isolation.h>

#include <string.h>

enum { ALL = BUSWAY_ACS_SV | BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_UF };

#define NO_ACS      ((struct busway_pci_acs){.known = BUSWAY_ABSENT})
#define UNKNOWN_ACS ((struct busway_pci_acs){.known = BUSWAY_UNKNOWN})
#define WITH(bits)  ABLE(0x5f, bits)
#define ABLE(can, bits)                                                                            \
	((struct busway_pci_acs){.known = BUSWAY_PRESENT, .capability = (can), .control = (bits)})

#define DEVFN(d, f) ((uint8_t)((d) << 3 | (f)))

struct test_tree {
	struct test_memory memory;
	struct busway_pci *pci;
};

struct entry {
	struct busway_pci_acs acs;
	enum busway_pci_type type;
	uint16_t vendor, device;
	uint8_t bus, devfn, secondary; /* secondary: 0 is no bridge */
	uint8_t port_number;           /* + 1; 0: it has none */
	uint8_t physical; /* device and function of the physical one + 1, on the same bus */
	bool multifunction;
};

/* The highest bus number at or below @bus: buses are numbered downwards. */
static uint8_t last_bus(const struct entry *entries, size_t count, uint8_t bus)
{
	uint8_t last = bus;

	for (size_t i = 0; i < count; i++)
		if (entries[i].bus == bus && entries[i].secondary > bus) {
			const uint8_t below = last_bus(entries, count, entries[i].secondary);

			last = below > last ? below : last;
		}
	return last;
}

static void open_tree(struct test_tree *t, const struct entry *entries, size_t count)
{
	test_memory_open(&t->memory);
	assert_int_equal(busway_pci_create(&t->memory.allocator, &t->pci), 0);
	for (size_t i = 0; i < count; i++) {
		const struct entry *e = &entries[i];
		const struct busway_pci_function f = {
			.at = {0, e->bus, e->devfn},
			.vendor = e->vendor,
			.device = e->device,
			.type = e->type,
			.acs = e->acs,
			.multifunction = e->multifunction,
			.config_size = 4096,
			.bridge = {.primary = e->bus,
				   .secondary = e->secondary,
				   .subordinate = last_bus(entries, count, e->secondary)},
			.has_port_number = e->port_number != 0,
			.port_number = (uint8_t)(e->port_number - 1),
			.is_virtual = e->physical != 0,
			.physical = {0, e->bus, (uint8_t)(e->physical - 1)},
		};

		assert_int_equal(busway_pci_add_function(t->pci, &f), 0);
	}
	assert_int_equal(busway_pci_seal(t->pci), 0);
}

static void close_tree(struct test_tree *t)
{
	busway_pci_destroy(t->pci);
	test_memory_close(&t->memory);
}

/* As many links as it takes, and they lead from each member to each other. */
static void check_links(const struct busway_isolation *iso, size_t g)
{
	const struct busway_isolation_group *group = busway_isolation_group(iso, g);
	uint32_t with[64];

	for (size_t i = 0; i < COUNT(with); i++)
		with[i] = (uint32_t)i;
	for (size_t i = 0; i + 1 < group->count; i++) {
		const struct busway_isolation_link *l = &group->links[i];
		const uint32_t a = with[l->a.index], b = with[l->b.index];

		assert_int_equal(busway_isolation_group_of(iso, l->a), g);
		assert_int_equal(busway_isolation_group_of(iso, l->b), g);
		for (size_t k = 0; k < COUNT(with); k++)
			if (with[k] == a)
				with[k] = b;
	}
	for (size_t i = 1; i < group->count; i++)
		assert_int_equal(with[group->members[i].index], with[group->members[0].index]);
}

/* "00:01.0; 01:00.0 01:00.1?": groups of more than one, '?' where it is not certain. */
static void groups_text(const struct test_tree *t, enum busway_isolation_view view, char *text,
			size_t size)
{
	struct busway_isolation *iso;
	size_t used = 0;

	assert_int_equal(busway_isolation_create(t->pci, view, &t->memory.allocator, &iso), 0);
	text[0] = '\0';
	for (size_t g = 0; g < busway_isolation_count(iso); g++) {
		const struct busway_isolation_group *group = busway_isolation_group(iso, g);

		check_links(iso, g);
		if (group->count < 2 && group->certain)
			continue;
		for (size_t i = 0; i < group->count; i++) {
			used += (size_t)snprintf(text + used, size - used, "%s%s",
						 i      ? " "
						 : used ? "; "
							: "",
						 busway_pci_name(t->pci, group->members[i]) + 5);
			assert_int_equal(busway_isolation_group_of(iso, group->members[i]), g);
		}
		used += (size_t)snprintf(text + used, size - used, "%s", group->certain ? "" : "?");
	}
	busway_isolation_destroy(iso);
}

static void expect(const struct entry *entries, size_t count, enum busway_isolation_view view,
		   const char *expected)
{
	struct test_tree t;
	char text[1024];

	open_tree(&t, entries, count);
	groups_text(&t, view, text, sizeof(text));
	if (strcmp(text, expected) != 0)
		print_message("view %d: %s\n", (int)view, text);
	assert_string_equal(text, expected);
	close_tree(&t);
}

#define EXPECT(entries, view, text) expect(entries, COUNT(entries), BUSWAY_ISOLATION_##view, text)

/* A switch below a root port, an endpoint below each of its two ports. */
#define SWITCH(root_acs, first_acs, second_acs)                                                    \
	{                                                                                          \
		{.bus = 0,                                                                         \
		 .devfn = DEVFN(1, 0),                                                             \
		 .secondary = 1,                                                                   \
		 .type = BUSWAY_PCI_ROOT_PORT,                                                     \
		 .acs = (root_acs)},                                                               \
			{.bus = 1,                                                                 \
			 .secondary = 2,                                                           \
			 .type = BUSWAY_PCI_UPSTREAM_PORT,                                         \
			 .acs = NO_ACS},                                                           \
			{.bus = 2,                                                                 \
			 .secondary = 3,                                                           \
			 .type = BUSWAY_PCI_DOWNSTREAM_PORT,                                       \
			 .acs = (first_acs),                                                       \
			 .port_number = 1},                                                        \
			{.bus = 2,                                                                 \
			 .devfn = DEVFN(1, 0),                                                     \
			 .secondary = 4,                                                           \
			 .type = BUSWAY_PCI_DOWNSTREAM_PORT,                                       \
			 .acs = (second_acs),                                                      \
			 .port_number = 2},                                                        \
			{.bus = 3, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},                    \
			{.bus = 4, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},                    \
	}

static void switch_without_acs_is_one_group_but_not_for_linux(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), NO_ACS, NO_ACS);

	(void)state;
	EXPECT(tree, SURE, "02:00.0 02:01.0 03:00.0 04:00.0");
	EXPECT(tree, ROUTE, "02:00.0 02:01.0 03:00.0 04:00.0");
	/* measured: the root port's ACS is taken for that of the switch below it */
	EXPECT(tree, LINUX, "02:00.0 03:00.0; 02:01.0 04:00.0");
}

static void switch_that_redirects_keeps_its_ports_apart(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), WITH(ALL), WITH(ALL));

	(void)state;
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "");
}

static void one_port_that_does_not_redirect_joins_both(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), WITH(ALL), WITH(BUSWAY_ACS_SV));

	(void)state;
	EXPECT(tree, SURE, "02:00.0 02:01.0 03:00.0 04:00.0");
	EXPECT(tree, LINUX, "02:01.0 04:00.0");
}

static void completion_redirect_alone_isolates_nothing(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), WITH(BUSWAY_ACS_CR), WITH(BUSWAY_ACS_CR));

	(void)state;
	EXPECT(tree, SURE, "02:00.0 02:01.0 03:00.0 04:00.0"); /* a write has no completion */
}

static void root_port_without_acs_makes_linux_groups_wide(void **state)
{
	const struct entry tree[] = SWITCH(NO_ACS, WITH(ALL), WITH(ALL));

	(void)state;
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "00:01.0 01:00.0 02:00.0 02:01.0 03:00.0 04:00.0");
}

static void what_acs_cannot_do_counts_as_done_for_linux(void **state)
{
	const struct entry tree[] =
		SWITCH(ABLE(BUSWAY_ACS_RR, BUSWAY_ACS_RR), WITH(ALL), WITH(ALL));

	(void)state;
	EXPECT(tree, LINUX, "");
}

static void acs_that_could_not_be_read_may_join(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), UNKNOWN_ACS, UNKNOWN_ACS);

	(void)state;
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "02:00.0 02:01.0 03:00.0 04:00.0?");
	EXPECT(tree, LINUX, "02:00.0 03:00.0?; 02:01.0 04:00.0?");
}

static struct busway_pci_acs egress(uint16_t control, uint16_t count, uint8_t vector)
{
	struct busway_pci_acs acs = ABLE(0x7f, control);

	acs.egress_count = count;
	acs.egress[0] = vector;
	return acs;
}

static void egress_control_decides_for_each_port(void **state)
{
	const uint16_t both = ALL | BUSWAY_ACS_EC;
	struct entry tree[] = SWITCH(WITH(ALL), WITH(ALL), WITH(ALL));

	(void)state;
	/* ports 0 and 1; a set bit keeps from the port, a clear one lets pass in spite of RR */
	tree[2].acs = egress(both, 2, 0x2);
	tree[3].acs = egress(both, 2, 0x1);
	EXPECT(tree, ROUTE, "");
	tree[3].acs = egress(both, 2, 0x2);
	EXPECT(tree, SURE, "02:00.0 02:01.0 03:00.0 04:00.0");
	/* without RR a set bit blocks: as good */
	tree[2].acs = egress(BUSWAY_ACS_EC, 2, 0x2);
	tree[3].acs = egress(BUSWAY_ACS_EC, 2, 0x1);
	EXPECT(tree, ROUTE, "");
	/* a vector that is too short, or a port without a number, says nothing */
	tree[3].acs = egress(both, 0, 0);
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "02:00.0 02:01.0 03:00.0 04:00.0?");
	tree[3].acs = egress(both, 2, 0x1);
	tree[2].port_number = 0;
	EXPECT(tree, ROUTE, "02:00.0 02:01.0 03:00.0 04:00.0?");
}

static void an_open_upper_switch_joins_what_a_lower_one_redirects(void **state)
{
	const struct entry tree[] = {
		{.bus = 0,
		 .devfn = DEVFN(1, 0),
		 .secondary = 1,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = WITH(ALL)},
		{.bus = 1, .secondary = 2, .type = BUSWAY_PCI_UPSTREAM_PORT, .acs = NO_ACS},
		{.bus = 2,
		 .devfn = DEVFN(0, 0),
		 .secondary = 3,
		 .type = BUSWAY_PCI_DOWNSTREAM_PORT,
		 .acs = NO_ACS},
		{.bus = 2,
		 .devfn = DEVFN(1, 0),
		 .secondary = 8,
		 .type = BUSWAY_PCI_DOWNSTREAM_PORT,
		 .acs = NO_ACS},
		{.bus = 3, .secondary = 4, .type = BUSWAY_PCI_UPSTREAM_PORT, .acs = NO_ACS},
		{.bus = 4,
		 .devfn = DEVFN(0, 0),
		 .secondary = 5,
		 .type = BUSWAY_PCI_DOWNSTREAM_PORT,
		 .acs = WITH(ALL)},
		{.bus = 4,
		 .devfn = DEVFN(1, 0),
		 .secondary = 6,
		 .type = BUSWAY_PCI_DOWNSTREAM_PORT,
		 .acs = WITH(ALL)},
		{.bus = 5, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
		{.bus = 6, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
		{.bus = 8, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
	};

	(void)state;
	/* each of the lower ones reaches 08:00.0: redirected up, it turns round on bus 2 */
	EXPECT(tree, SURE, "02:00.0 02:01.0 03:00.0 04:00.0 04:01.0 05:00.0 06:00.0 08:00.0");
}

static void conventional_buses_are_one_group_with_their_bridge(void **state)
{
	const struct entry tree[] = {
		{.bus = 0,
		 .devfn = DEVFN(1, 0),
		 .secondary = 1,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = WITH(ALL)},
		{.bus = 1, .secondary = 2, .type = BUSWAY_PCI_PCIE_TO_PCI, .acs = NO_ACS},
		{.bus = 2, .devfn = DEVFN(1, 0), .type = BUSWAY_PCI_CONVENTIONAL, .acs = NO_ACS},
		{.bus = 2,
		 .devfn = DEVFN(2, 0),
		 .secondary = 3,
		 .type = BUSWAY_PCI_PCI_TO_PCIE,
		 .acs = NO_ACS},
		{.bus = 3, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
	};

	(void)state;
	EXPECT(tree, SURE, "01:00.0 02:01.0 02:02.0 03:00.0");
	EXPECT(tree, ROUTE, "01:00.0 02:01.0 02:02.0 03:00.0");
	EXPECT(tree, LINUX, "01:00.0 02:01.0 02:02.0 03:00.0");
}

static void linux_names_the_bridge_that_hides_requesters(void **state)
{
	const struct entry tree[] = {
		{.bus = 0,
		 .devfn = DEVFN(1, 0),
		 .secondary = 1,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = WITH(ALL)},
		{.bus = 1, .secondary = 2, .type = BUSWAY_PCI_PCIE_TO_PCI, .acs = NO_ACS},
		{.bus = 2, .devfn = DEVFN(1, 0), .type = BUSWAY_PCI_CONVENTIONAL, .acs = NO_ACS},
	};
	const struct busway_isolation_group *group;
	struct busway_isolation *iso;
	struct test_tree t;

	(void)state;
	open_tree(&t, tree, COUNT(tree));
	assert_int_equal(
		busway_isolation_create(t.pci, BUSWAY_ISOLATION_LINUX, &t.memory.allocator, &iso),
		0);
	group = busway_isolation_group(iso, 1);
	assert_int_equal(group->count, 2);
	assert_int_equal(group->links[0].cause, BUSWAY_TOGETHER_BRIDGE);
	assert_string_equal(busway_pci_name(t.pci, group->links[0].decider), "0000:01:00.0");
	busway_isolation_destroy(iso);
	close_tree(&t);
}

/* A device of two functions below a root port that has all of ACS. */
#define DEVICE(acs0, acs1)                                                                         \
	{                                                                                          \
		{.bus = 0,                                                                         \
		 .devfn = DEVFN(1, 0),                                                             \
		 .secondary = 1,                                                                   \
		 .type = BUSWAY_PCI_ROOT_PORT,                                                     \
		 .acs = WITH(ALL)},                                                                \
			{.bus = 1,                                                                 \
			 .devfn = 0,                                                               \
			 .type = BUSWAY_PCI_ENDPOINT,                                              \
			 .acs = (acs0),                                                            \
			 .multifunction = true,                                                    \
			 .vendor = 0x1234,                                                         \
			 .device = 1},                                                             \
			{.bus = 1,                                                                 \
			 .devfn = 1,                                                               \
			 .type = BUSWAY_PCI_ENDPOINT,                                              \
			 .acs = (acs1),                                                            \
			 .vendor = 0x1234,                                                         \
			 .device = 1},                                                             \
	}

/* With ARI function numbers have eight bits. */
static void egress_control_knows_functions_beyond_seven(void **state)
{
	struct entry tree[] = DEVICE(NO_ACS, NO_ACS);

	(void)state;
	tree[2].devfn = 9;
	tree[1].acs = egress(ALL | BUSWAY_ACS_EC, 16, 0);
	tree[1].acs.egress[1] = 0x2;
	tree[2].acs = egress(ALL | BUSWAY_ACS_EC, 16, 0x1);
	EXPECT(tree, ROUTE, "");
	tree[1].acs.egress[0] = 0x2; /* another function is kept from, this one is not */
	tree[1].acs.egress[1] = 0;
	EXPECT(tree, SURE, "01:00.0 01:01.1");
	tree[1].acs.egress_count = 9; /* too short to say anything about function 9 */
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "01:00.0 01:01.1?");
}

/* Root ports of one device are known by port numbers, as those of a switch. */
static void egress_control_knows_root_ports_by_number(void **state)
{
	struct entry tree[] = {
		{.bus = 0,
		 .devfn = DEVFN(1, 0),
		 .secondary = 1,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .port_number = 5,
		 .multifunction = true},
		{.bus = 0,
		 .devfn = DEVFN(1, 1),
		 .secondary = 2,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .port_number = 6},
	};

	(void)state;
	tree[0].acs = egress(ALL | BUSWAY_ACS_EC, 8, 0x20); /* from port 5 */
	tree[1].acs = egress(ALL | BUSWAY_ACS_EC, 8, 0x10); /* from port 4 */
	EXPECT(tree, ROUTE, "");
	tree[0].acs.egress[0] = 0x02;
	EXPECT(tree, SURE, "00:01.0 00:01.1");
}

static void functions_of_a_device_without_acs_may_be_one(void **state)
{
	const struct entry tree[] = DEVICE(NO_ACS, NO_ACS);

	(void)state;
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "01:00.0 01:00.1?");
	EXPECT(tree, LINUX, "01:00.0 01:00.1");
}

static void a_device_that_could_redirect_and_does_not_carries(void **state)
{
	const struct entry off[] = DEVICE(WITH(0), WITH(0)), on[] = DEVICE(WITH(ALL), WITH(ALL));
	const struct entry never[] = DEVICE(ABLE(BUSWAY_ACS_TB, 0), ABLE(BUSWAY_ACS_TB, 0));

	(void)state;
	EXPECT(off, SURE, "01:00.0 01:00.1");
	EXPECT(off, LINUX, "01:00.0 01:00.1");
	EXPECT(on, ROUTE, "");
	EXPECT(on, LINUX, "");
	/* ACS without RR: a device that never carries between its functions (6.12.1.2) */
	EXPECT(never, ROUTE, "");
	EXPECT(never, LINUX, "");
}

static void quirks_grant_isolation(void **state)
{
	struct entry tree[] = DEVICE(NO_ACS, NO_ACS);

	(void)state;
	tree[1].vendor = tree[2].vendor = 0x8086;
	tree[1].device = tree[2].device = 0x1521; /* I350 */
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "");
	tree[1].device = tree[2].device = 0x1524; /* the last of them */
	EXPECT(tree, ROUTE, "");
	tree[1].device = tree[2].device = 0x1525;
	EXPECT(tree, ROUTE, "01:00.0 01:00.1?");
}

static void quirks_join_by_requester_id(void **state)
{
	struct entry tree[] = DEVICE(WITH(ALL), WITH(ALL));

	(void)state;
	tree[1].vendor = 0x1b4b;
	tree[1].device = 0x9123; /* emits with function 1 */
	EXPECT(tree, SURE, "01:00.0 01:00.1");
	EXPECT(tree, LINUX, "01:00.0 01:00.1");
	tree[2].devfn = 2; /* no function 1 there: nobody to be taken for */
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "");
}

/* ThunderX2: what looks like a bridge to conventional PCI above the root ports has the IOMMU. */
static void an_iommu_at_a_bridge_tells_apart_what_comes_to_it(void **state)
{
	struct entry tree[] = {
		{.bus = 0, .secondary = 1, .type = BUSWAY_PCI_PCIE_TO_PCI, .acs = NO_ACS},
		{.bus = 1,
		 .devfn = DEVFN(1, 0),
		 .secondary = 2,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = WITH(ALL)},
		{.bus = 1,
		 .devfn = DEVFN(2, 0),
		 .secondary = 3,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = WITH(ALL)},
		{.bus = 2, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
		{.bus = 3, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
	};

	(void)state;
	EXPECT(tree, SURE, "00:00.0 01:01.0 01:02.0 02:00.0 03:00.0");
	tree[0].vendor = 0x14e4;
	tree[0].device = 0x9084;
	EXPECT(tree, ROUTE, "");
}

static void virtual_functions_are_as_isolated_as_acs_says(void **state)
{
	struct entry tree[] = DEVICE(NO_ACS, NO_ACS);

	(void)state;
	tree[1].multifunction = false;
	tree[2].physical = 1;
	tree[2].acs = UNKNOWN_ACS;
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "");
	tree[1].acs = WITH(0); /* carries between functions */
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "01:00.0 01:00.1?");
	tree[2].acs = WITH(BUSWAY_ACS_RR);
	EXPECT(tree, ROUTE, "");
	tree[2].acs = WITH(0);
	EXPECT(tree, SURE, "01:00.0 01:00.1");
}

static void root_ports_of_one_device_take_along_what_is_below(void **state)
{
	struct entry tree[] = {
		{.bus = 0,
		 .devfn = DEVFN(28, 0),
		 .secondary = 1,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = NO_ACS,
		 .multifunction = true},
		{.bus = 0,
		 .devfn = DEVFN(28, 1),
		 .secondary = 2,
		 .type = BUSWAY_PCI_ROOT_PORT,
		 .acs = NO_ACS},
		{.bus = 1, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
		{.bus = 2, .type = BUSWAY_PCI_ENDPOINT, .acs = NO_ACS},
	};

	(void)state;
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "00:1c.0 00:1c.1 01:00.0 02:00.0?");
	EXPECT(tree, LINUX, "00:1c.0 00:1c.1 01:00.0 02:00.0");
	tree[1].devfn = DEVFN(29, 0); /* two devices: each has its way to the IOMMU */
	tree[0].multifunction = false;
	EXPECT(tree, ROUTE, "");
	EXPECT(tree, LINUX, "00:1c.0 01:00.0; 00:1d.0 02:00.0");
}

static void an_unknown_bridge_may_be_any(void **state)
{
	const struct entry tree[] = {
		{.bus = 0, .devfn = DEVFN(1, 0), .secondary = 1, .type = BUSWAY_PCI_UNKNOWN_BRIDGE},
		{.bus = 1, .type = BUSWAY_PCI_UNKNOWN},
	};

	(void)state;
	EXPECT(tree, SURE, "");
	EXPECT(tree, ROUTE, "00:01.0 01:00.0?");
	EXPECT(tree, LINUX, "00:01.0 01:00.0?");
}

static void links_say_who_decides_and_what_is_missing(void **state)
{
	const struct entry tree[] = SWITCH(NO_ACS, NO_ACS, WITH(ALL));
	const struct busway_isolation_group *group;
	struct busway_isolation *iso;
	struct test_tree t;

	(void)state;
	open_tree(&t, tree, COUNT(tree));
	assert_int_equal(
		busway_isolation_create(t.pci, BUSWAY_ISOLATION_ROUTE, &t.memory.allocator, &iso),
		0);
	group = busway_isolation_group(iso, busway_isolation_group_of(iso, (busway_pci_id){4}));
	assert_int_equal(group->count, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(group->links[i].cause, BUSWAY_TOGETHER_SWITCH);
		assert_string_equal(busway_pci_name(t.pci, group->links[i].decider),
				    "0000:02:00.0");
		assert_int_equal(group->links[i].missing, BUSWAY_ACS_RR);
		assert_true(group->links[i].certain);
	}
	busway_isolation_destroy(iso);
	assert_int_equal(
		busway_isolation_create(t.pci, BUSWAY_ISOLATION_LINUX, &t.memory.allocator, &iso),
		0);
	group = busway_isolation_group(iso, 0);
	assert_int_equal(group->count, 6);
	assert_int_equal(group->links[0].cause, BUSWAY_TOGETHER_PATH);
	assert_int_equal(group->links[0].missing, ALL);
	busway_isolation_destroy(iso);
	close_tree(&t);
}

/* Functions that the wiring calls odd are in no group that is certain. */
static void oddity_is_never_certain(void **state)
{
	struct entry tree[] = DEVICE(WITH(ALL), WITH(ALL));

	(void)state;
	tree[0].secondary = 1;
	tree[1].physical = 9; /* of a physical function that is not there */
	EXPECT(tree, ROUTE, "01:00.0?");
}

static void no_memory_leaves_nothing_behind(void **state)
{
	const struct entry tree[] = SWITCH(WITH(ALL), NO_ACS, UNKNOWN_ACS);
	struct test_tree t;

	(void)state;
	open_tree(&t, tree, COUNT(tree));
	for (int view = 0; view < 3; view++) {
		struct busway_isolation *iso;
		const size_t before = t.memory.blocks;
		unsigned long call = 1;

		for (;; call++) {
			int status;

			test_memory_fail_at(&t.memory, call, true);
			status = busway_isolation_create(t.pci, (enum busway_isolation_view)view,
							 &t.memory.allocator, &iso);
			if (!status)
				break;
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(t.memory.blocks, before);
		}
		assert_true(call > 1);
		busway_isolation_destroy(iso);
	}
	close_tree(&t);
}

/* ---- beside a judge of its own, on random switches ---- */

/* Ports of one switch, each with an endpoint: together is who is connected by "does not redirect",
 * worked out by going from port to port. */
static void random_switches_are_as_a_search_finds_them(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(400); round++) {
		struct rng rng = rng_of(random_seed() + round);
		enum { PORTS = 6 };
		struct entry tree[2 + 2 * PORTS] = {
			{.bus = 0,
			 .devfn = DEVFN(1, 0),
			 .secondary = 1,
			 .type = BUSWAY_PCI_ROOT_PORT,
			 .acs = WITH(ALL)},
			{.bus = 1, .secondary = 2, .type = BUSWAY_PCI_UPSTREAM_PORT, .acs = NO_ACS},
		};
		bool reach[PORTS][PORTS];
		struct busway_isolation *iso;
		struct test_tree t;

		for (int i = 0; i < PORTS; i++) {
			const uint64_t kind = rng_below(&rng, 8);
			const uint8_t vector = (uint8_t)rng_next(&rng);

			tree[2 + i] = (struct entry){.bus = 2,
						     .devfn = DEVFN(i, 0),
						     .secondary = (uint8_t)(10 + i),
						     .type = BUSWAY_PCI_DOWNSTREAM_PORT,
						     .port_number = (uint8_t)(i + 1),
						     .acs = WITH(ALL)};
			tree[2 + PORTS + i] = (struct entry){.bus = (uint8_t)(10 + i),
							     .type = BUSWAY_PCI_ENDPOINT,
							     .acs = NO_ACS};
			if (kind == 0)
				tree[2 + i].acs = NO_ACS;
			else if (kind < 4)
				tree[2 + i].acs =
					egress(kind == 1 ? BUSWAY_ACS_EC : ALL | BUSWAY_ACS_EC,
					       PORTS, vector | 0xf);
			for (int k = 0; k < PORTS; k++)
				reach[i][k] = i == k || kind == 0 ||
					      (kind < 4 && kind > 0 && !((vector | 0xf) >> k & 1));
		}
		for (int i = 0; i < PORTS; i++)
			for (int k = 0; k < PORTS; k++)
				reach[i][k] |= reach[k][i];
		for (int m = 0; m < PORTS; m++)
			for (int i = 0; i < PORTS; i++)
				for (int k = 0; k < PORTS; k++)
					reach[i][k] |= reach[i][m] && reach[m][k];
		open_tree(&t, tree, COUNT(tree));
		assert_int_equal(busway_isolation_create(t.pci, BUSWAY_ISOLATION_ROUTE,
							 &t.memory.allocator, &iso),
				 0);
		for (uint32_t i = 0; i < PORTS; i++)
			for (uint32_t k = 0; k < PORTS; k++)
				assert_int_equal(
					busway_isolation_group_of(iso,
								  (busway_pci_id){2 + PORTS + i}) ==
						busway_isolation_group_of(
							iso, (busway_pci_id){2 + PORTS + k}),
					reach[i][k]);
		busway_isolation_destroy(iso);
		close_tree(&t);
	}
}

static void quirks_have_sources_and_whole_ranges(void **state)
{
	size_t count;
	const struct busway_pci_quirk *quirks = busway_pci_quirks(&count);

	(void)state;
	assert_true(count > 50);
	for (size_t i = 0; i < count; i++) {
		assert_true(quirks[i].first <= quirks[i].last);
		assert_non_null(strstr(quirks[i].source, "Linux"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switch_without_acs_is_one_group_but_not_for_linux),
		cmocka_unit_test(switch_that_redirects_keeps_its_ports_apart),
		cmocka_unit_test(one_port_that_does_not_redirect_joins_both),
		cmocka_unit_test(completion_redirect_alone_isolates_nothing),
		cmocka_unit_test(root_port_without_acs_makes_linux_groups_wide),
		cmocka_unit_test(what_acs_cannot_do_counts_as_done_for_linux),
		cmocka_unit_test(acs_that_could_not_be_read_may_join),
		cmocka_unit_test(egress_control_decides_for_each_port),
		cmocka_unit_test(egress_control_knows_functions_beyond_seven),
		cmocka_unit_test(egress_control_knows_root_ports_by_number),
		cmocka_unit_test(an_open_upper_switch_joins_what_a_lower_one_redirects),
		cmocka_unit_test(conventional_buses_are_one_group_with_their_bridge),
		cmocka_unit_test(linux_names_the_bridge_that_hides_requesters),
		cmocka_unit_test(functions_of_a_device_without_acs_may_be_one),
		cmocka_unit_test(a_device_that_could_redirect_and_does_not_carries),
		cmocka_unit_test(quirks_grant_isolation),
		cmocka_unit_test(quirks_join_by_requester_id),
		cmocka_unit_test(an_iommu_at_a_bridge_tells_apart_what_comes_to_it),
		cmocka_unit_test(virtual_functions_are_as_isolated_as_acs_says),
		cmocka_unit_test(root_ports_of_one_device_take_along_what_is_below),
		cmocka_unit_test(an_unknown_bridge_may_be_any),
		cmocka_unit_test(links_say_who_decides_and_what_is_missing),
		cmocka_unit_test(oddity_is_never_certain),
		cmocka_unit_test(no_memory_leaves_nothing_behind),
		cmocka_unit_test(random_switches_are_as_a_search_finds_them),
		cmocka_unit_test(quirks_have_sources_and_whole_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
