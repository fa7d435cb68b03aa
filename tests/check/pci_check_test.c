/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_check_test.c - mistakes in the PCI functions of a machine: each provoked, and its near miss.
 *
 * The machine is a switch with two endpoints below a root port, and is right; each test spoils it.
 */
#include "support/test.h"
#include "support/test_memory.h"

#include <busway/check.h>

#include <string.h>

enum { ROOT, UPSTREAM, LEFT, RIGHT, A, B, FUNCTIONS };
enum { ALL = BUSWAY_ACS_SV | BUSWAY_ACS_RR | BUSWAY_ACS_CR | BUSWAY_ACS_UF };

struct machine {
	struct busway_pci_function f[FUNCTIONS];
	struct busway_pci_host host;
	struct busway_outbound windows[1];
	struct busway_phys_range memory[1];
	size_t memory_count;
};

static struct busway_pci_bridge passes(uint8_t bus, uint64_t first, uint64_t last)
{
	return (struct busway_pci_bridge){
		.secondary = bus,
		.subordinate = bus > 2 ? bus : 4,
		.memory_open = true,
		.memory = {first, last},
	};
}

static struct busway_pci_bar bar(uint64_t first, uint64_t size)
{
	return (struct busway_pci_bar){
		.kind = BUSWAY_BAR_MEM32,
		.assigned = true,
		.sized = true,
		.bus = {first, first + size - 1},
		.has_cpu = true,
		.cpu = busway_phys(first),
	};
}

static struct machine sound(void)
{
	static const enum busway_pci_type types[FUNCTIONS] = {
		BUSWAY_PCI_ROOT_PORT,       BUSWAY_PCI_UPSTREAM_PORT, BUSWAY_PCI_DOWNSTREAM_PORT,
		BUSWAY_PCI_DOWNSTREAM_PORT, BUSWAY_PCI_ENDPOINT,      BUSWAY_PCI_ENDPOINT,
	};
	static const struct busway_pci_address at[FUNCTIONS] = {
		{0, 0, 8}, {0, 1, 0}, {0, 2, 0}, {0, 2, 8}, {0, 3, 0}, {0, 4, 0},
	};
	struct machine m = {
		.host = {.name = "pci0000:00", .windows_known = true, .window_count = 1},
		.windows = {{.kind = BUSWAY_OUTBOUND_MEM32, .bus = {0xe0000000, 0xfebfffff}}},
		.memory = {{{0}, {0x13fffffff}}},
		.memory_count = 1,
	};

	for (int i = 0; i < FUNCTIONS; i++) {
		const bool port = i == ROOT || i == LEFT || i == RIGHT;

		m.f[i] = (struct busway_pci_function){
			.at = at[i],
			.type = types[i],
			.config_size = 4096,
			.has_command = true,
			.memory_decode = true,
			.bus_master = true,
			.acs = {.known = port ? BUSWAY_PRESENT : BUSWAY_ABSENT,
				.capability = port ? 0x5f : 0,
				.control = port ? ALL : 0},
			.msi = {.known = BUSWAY_ABSENT},
			.has_group = true,
			.group = (uint32_t)i,
			.translated = true,
		};
	}
	m.f[ROOT].bridge = passes(1, 0xfe000000, 0xfe3fffff);
	m.f[UPSTREAM].bridge = passes(2, 0xfe000000, 0xfe3fffff);
	m.f[LEFT].bridge = passes(3, 0xfe000000, 0xfe1fffff);
	m.f[RIGHT].bridge = passes(4, 0xfe200000, 0xfe3fffff);
	m.f[A].bars[0] = bar(0xfe000000, 0x100000);
	m.f[B].bars[0] = bar(0xfe200000, 0x100000);
	return m;
}

/* ---- asking ---- */

static struct busway_pci *make(const struct machine *m, const struct busway_allocator *memory)
{
	struct busway_pci_host host = m->host;
	struct busway_pci *pci;

	host.windows = m->windows;
	if (busway_pci_create(memory, &pci))
		return NULL;
	assert_int_equal(busway_pci_add_host(pci, &host), 0);
	for (int i = 0; i < FUNCTIONS; i++)
		assert_int_equal(busway_pci_add_function(pci, &m->f[i]), 0);
	assert_int_equal(busway_pci_seal(pci), 0);
	return pci;
}

/* All findings, one a line: "code severity node property". */
static void findings(const struct machine *m, char *text, size_t size)
{
	struct test_memory memory;
	struct busway_check *check;
	struct busway_pci *pci;
	size_t count;

	test_memory_open(&memory);
	pci = make(m, &memory.allocator);
	assert_int_equal(busway_pci_check(pci, m->memory_count ? m->memory : NULL, m->memory_count,
					  &memory.allocator, &check),
			 0);
	text[0] = '\0';
	for (size_t i = 0; i < (busway_check_findings(check, &count), count); i++) {
		const struct busway_finding *f = &busway_check_findings(check, &count)[i];
		const size_t used = strlen(text);

		snprintf(text + used, size - used, "%s%s %s %s %s", used ? "\n" : "",
			 busway_finding_code(f->code), busway_severity_name(f->severity),
			 f->node + 5, f->property);
		assert_true(strlen(f->message) > 20);
	}
	assert_null(busway_check_platform(check));
	busway_check_destroy(check);
	busway_pci_destroy(pci);
	test_memory_close(&memory);
}

static void expect(const struct machine *m, const char *expected)
{
	char text[2048];

	findings(m, text, sizeof(text));
	assert_string_equal(text, expected);
}

/* ---- the machine itself ---- */

static void nothing_is_wrong_with_a_sound_machine(void **state)
{
	const struct machine m = sound();

	(void)state;
	expect(&m, "");
}

/* ---- groups ---- */

static void groups_of_an_open_switch_are_not_enforced(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[LEFT].acs = m.f[RIGHT].acs = (struct busway_pci_acs){.known = BUSWAY_ABSENT};
	expect(&m, "group-not-enforced warning 02:00.0 ACS control");
	m.f[A].group = m.f[B].group; /* one group: nothing is claimed (the ports are nobody's) */
	expect(&m, "");
	m.f[A].has_group = false;
	expect(&m, "");
}

static void acs_that_is_unknown_proves_nothing(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[LEFT].acs.known = m.f[RIGHT].acs.known = BUSWAY_UNKNOWN;
	expect(&m, "");
}

static void a_group_of_what_the_wiring_keeps_apart_is_too_wide(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[ROOT].acs = (struct busway_pci_acs){.known = BUSWAY_ABSENT};
	expect(&m, ""); /* each its own group still */
	for (int i = 0; i < FUNCTIONS; i++)
		m.f[i].group = 7;
	expect(&m, "group-too-wide note 03:00.0 iommu_group");
	/* where nobody can say that they are apart, the group is not too wide */
	m.f[LEFT].acs.known = m.f[RIGHT].acs.known = BUSWAY_UNKNOWN;
	expect(&m, "");
}

/* ---- windows and BARs ---- */

static void a_bar_outside_of_the_window_above_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[A].bars[0] = bar(0xfe180000, 0x100000); /* its end is the other port's */
	expect(&m, "bar-outside-window error 03:00.0 BAR 0");
	m.f[A].memory_decode = false;
	expect(&m, "bar-outside-window note 03:00.0 BAR 0");
	m.f[A].memory_decode = true;
	m.f[A].bars[0] = bar(0xfe180000, 0x80000); /* ends with the window */
	expect(&m, "");
	m.f[LEFT].bridge.prefetch_open = true; /* either window will do */
	m.f[LEFT].bridge.prefetch = m.f[LEFT].bridge.memory;
	m.f[LEFT].bridge.memory_open = false;
	expect(&m, "");
	m.f[LEFT].bridge.prefetch_open = false;
	expect(&m, "bar-outside-window error 03:00.0 BAR 0");
	m.f[LEFT].class_code = 0x060401; /* takes what nobody else takes */
	expect(&m, "");
}

static void a_bar_of_the_root_bus_has_to_be_in_an_aperture(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[ROOT].bars[1] = bar(0xfec00000, 0x1000);
	expect(&m, "bar-outside-window error 00:01.0 BAR 1");
	m.host.windows_known = false; /* then nothing is said */
	expect(&m, "");
	m.host.windows_known = true;
	m.f[ROOT].bars[1] = bar(0xfebff000, 0x1000);
	expect(&m, "");
}

static void a_window_outside_of_the_one_above_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[RIGHT].bridge.memory.last = 0xfe4fffff;
	expect(&m, "bridge-window-outside error 02:01.0 memory window");
	m.f[RIGHT].memory_decode = false;
	expect(&m, "bridge-window-outside note 02:01.0 memory window");
	m = sound();
	m.f[RIGHT].bridge.prefetch_open = true;
	m.f[RIGHT].bridge.prefetch = (struct busway_range){0x100000000, 0x1000fffff};
	expect(&m, "bridge-window-outside error 02:01.0 prefetchable window");
	m.f[UPSTREAM].bridge.prefetch_open = m.f[ROOT].bridge.prefetch_open = true;
	m.f[UPSTREAM].bridge.prefetch = m.f[RIGHT].bridge.prefetch;
	m.f[ROOT].bridge.prefetch = m.f[RIGHT].bridge.prefetch;
	/* only the host bridge does not know of it */
	expect(&m, "bridge-window-outside error 00:01.0 prefetchable window");
	m.host.windows_known = false;
	expect(&m, "");
}

static void addresses_that_two_claim_are_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[LEFT].bridge.memory.last = 0xfe2fffff; /* reaches into the window of the other port */
	expect(&m, "bar-overlap error 02:01.0 memory window");
	m.f[LEFT].memory_decode = false;
	expect(&m, "bar-overlap note 02:01.0 memory window");
	m = sound();
	m.f[UPSTREAM].bars[0] = bar(0xfe000000, 0x1000); /* it begins where its own window does */
	m.f[RIGHT].bars[0] = bar(0xfe1ff000, 0x1000);    /* on the bus of both ports */
	expect(&m, "bar-overlap error 02:01.0 BAR 0");
	m.f[RIGHT].bars[0].assigned = false;
	expect(&m, "");
}

/* ---- messages ---- */

static struct busway_pci_msi msi(uint64_t address)
{
	return (struct busway_pci_msi){
		.known = BUSWAY_PRESENT, .enabled = true, .address = address, .wide = true};
}

static void a_doorbell_that_a_bar_claims_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[A].msi = msi(0xfee00000);
	expect(&m, "");
	m.f[A].msi = msi(0xfe200ffc);
	expect(&m, "doorbell-in-aperture warning 03:00.0 MSI address"); /* RR may save it */
	m.f[ROOT].acs.control = m.f[LEFT].acs.control = m.f[RIGHT].acs.control = 0;
	m.f[A].group = m.f[B].group;
	expect(&m, "doorbell-in-aperture error 03:00.0 MSI address");
	m.f[A].msi.enabled = false;
	expect(&m, "");
}

static void a_doorbell_in_an_aperture_or_in_memory_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[A].msi = msi(0xe0000000); /* nobody's BAR, but the host bridge's aperture */
	expect(&m, "doorbell-in-aperture warning 03:00.0 MSI address");
	m.f[A].msi = msi(0xdffffffc);
	expect(&m, ""); /* an IOVA */
	m.f[A].translated = false;
	expect(&m, "doorbell-in-aperture note 03:00.0 MSI address");
	m.f[A].bars[0].cpu = busway_phys(0x1fe000000); /* the bus is not the CPU's space */
	expect(&m, "");
	m.f[A].bars[0].cpu = busway_phys(0xfe000000);
	m.memory_count = 0;
	expect(&m, "");
}

/* ---- ACS ---- */

static void acs_that_contradicts_itself_is_found(void **state)
{
	static const struct {
		uint16_t capability, control;
		const char *severity, *because;
	} cases[] = {
		{0x5f, ALL, NULL, "what Linux sets"},
		{0x5f, ALL | BUSWAY_ACS_EC, "warning", "EC without the capability"},
		{0x7f, ALL | BUSWAY_ACS_TB, NULL, "TB alone"},
		{0x7f, ALL | BUSWAY_ACS_DT, NULL, "DT and RR"},
		{0x7f, ALL | BUSWAY_ACS_TB | BUSWAY_ACS_DT, "warning", "TB blocks what DT passes"},
		{0x5f, ALL & ~BUSWAY_ACS_SV, "note", "RR without SV"},
		{0x5e, ALL & ~BUSWAY_ACS_SV, NULL, "SV cannot be set"},
	};
	struct machine m = sound();

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[512], expected[128] = "";

		m.f[ROOT].acs.capability = cases[i].capability;
		m.f[ROOT].acs.control = cases[i].control;
		if (cases[i].severity)
			snprintf(expected, sizeof(expected),
				 "acs-contradiction %s 00:01.0 ACS control", cases[i].severity);
		findings(&m, text, sizeof(text));
		if (strcmp(text, expected) != 0)
			print_message("%s\n", cases[i].because);
		assert_string_equal(text, expected);
	}
}

/* On a function of a device, so that no port beside it differs. */
static void redirects_of_only_one_half_are_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[ROOT].acs.control = BUSWAY_ACS_CR;
	expect(&m, "acs-contradiction warning 00:01.0 ACS control");
	m.f[ROOT].acs.control = BUSWAY_ACS_DT;
	expect(&m, "acs-contradiction note 00:01.0 ACS control");
	m.f[ROOT].acs.control = 0;
	expect(&m, "");
}

static void an_egress_vector_that_allows_all_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[ROOT].acs = (struct busway_pci_acs){.known = BUSWAY_PRESENT,
						.capability = 0x7f,
						.control = ALL | BUSWAY_ACS_EC,
						.egress_count = 9};
	expect(&m, "acs-contradiction warning 00:01.0 ACS control");
	m.f[ROOT].acs.egress[1] = 1; /* port 8 */
	expect(&m, "");
	m.f[ROOT].acs.egress_count = 0; /* it could not be read */
	expect(&m, "");
}

static void ports_of_a_switch_that_differ_are_found(void **state)
{
	struct machine m = sound();

	(void)state;
	for (int i = 0; i < FUNCTIONS; i++)
		m.f[i].has_group = false;
	m.f[RIGHT].acs.control = 0;
	expect(&m, "acs-contradiction warning 02:01.0 ACS control");
	m.f[LEFT].acs.control = 0; /* none redirects: it is an open switch */
	expect(&m, "");
	m = sound();
	for (int i = 0; i < FUNCTIONS; i++)
		m.f[i].has_group = false;
	m.f[RIGHT].acs = (struct busway_pci_acs){.known = BUSWAY_UNKNOWN};
	expect(&m, "");
	/* one with a vector does by that what the other does by RR */
	m.f[RIGHT].acs = (struct busway_pci_acs){.known = BUSWAY_PRESENT,
						 .capability = 0x7f,
						 .control = BUSWAY_ACS_SV | BUSWAY_ACS_EC,
						 .egress_count = 2,
						 .egress = {3}};
	expect(&m, "");
}

/* ---- bus numbers, masks ---- */

static void bus_numbers_that_do_not_fit_are_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[RIGHT].bridge.subordinate = 5; /* the bridge above ends at 4 */
	expect(&m, "bus-numbers-odd warning 02:01.0 bus numbers");
	m.f[RIGHT].bridge.subordinate = 3;
	m.f[RIGHT].bridge.secondary = 3;
	m.f[B].at.bus = 3;
	m.f[B].at.devfn = 8;
	expect(&m, "bus-numbers-odd warning 02:01.0 bus numbers");
}

static void a_mask_below_memory_is_found(void **state)
{
	struct machine m = sound();

	(void)state;
	m.f[A].dma_mask = 32;
	expect(&m, ""); /* behind an IOMMU */
	m.f[A].translated = false;
	expect(&m, "mask-below-memory warning 03:00.0 dma_mask_bits");
	m.f[A].translation_unknown = true;
	expect(&m, ""); /* perhaps behind one */
	m.f[A].translation_unknown = false;
	m.f[A].dma_mask = 33; /* memory ends at 5 GiB */
	expect(&m, "");
	m.f[A].dma_mask = 32;
	m.memory[0].last = busway_phys(0xffffffff);
	expect(&m, "");
	m.memory[0].last = busway_phys(0x100000000);
	m.f[A].bus_master = false; /* no driver has set it */
	expect(&m, "");
	m.f[A].bus_master = true;
	m.memory_count = 0; /* not known */
	expect(&m, "");
	m.memory_count = 1;
	m.f[A].dma_mask = 0; /* not said */
	expect(&m, "");
}

/* ---- memory ---- */

static void no_memory_leaves_nothing_behind(void **state)
{
	struct machine m = sound();
	struct test_memory memory, kept;
	struct busway_pci *pci;

	(void)state;
	m.f[LEFT].acs = m.f[RIGHT].acs = (struct busway_pci_acs){.known = BUSWAY_ABSENT};
	m.f[A].bars[0] = bar(0xfe180000, 0x100000);
	test_memory_open(&memory);
	test_memory_open(&kept);
	pci = make(&m, &kept.allocator);
	for (unsigned long call = 1;; call++) {
		struct busway_check *check;
		int status;

		test_memory_fail_at(&memory, call, call % 2);
		status = busway_pci_check(pci, m.memory, 1, &memory.allocator, &check);
		if (!status) {
			const bool unharmed = memory.calls < call;

			busway_check_destroy(check);
			if (unharmed)
				break;
			fail_msg("allocation %lu failed, and nobody noticed", call);
		}
		assert_int_equal(status, -BUSWAY_ENOMEM);
		assert_int_equal(memory.blocks, 0);
	}
	busway_pci_destroy(pci);
	test_memory_close(&kept);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wrong_with_a_sound_machine),
		cmocka_unit_test(groups_of_an_open_switch_are_not_enforced),
		cmocka_unit_test(acs_that_is_unknown_proves_nothing),
		cmocka_unit_test(a_group_of_what_the_wiring_keeps_apart_is_too_wide),
		cmocka_unit_test(a_bar_outside_of_the_window_above_is_found),
		cmocka_unit_test(a_bar_of_the_root_bus_has_to_be_in_an_aperture),
		cmocka_unit_test(a_window_outside_of_the_one_above_is_found),
		cmocka_unit_test(addresses_that_two_claim_are_found),
		cmocka_unit_test(a_doorbell_that_a_bar_claims_is_found),
		cmocka_unit_test(a_doorbell_in_an_aperture_or_in_memory_is_found),
		cmocka_unit_test(acs_that_contradicts_itself_is_found),
		cmocka_unit_test(redirects_of_only_one_half_are_found),
		cmocka_unit_test(an_egress_vector_that_allows_all_is_found),
		cmocka_unit_test(ports_of_a_switch_that_differ_are_found),
		cmocka_unit_test(bus_numbers_that_do_not_fit_are_found),
		cmocka_unit_test(a_mask_below_memory_is_found),
		cmocka_unit_test(no_memory_leaves_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
