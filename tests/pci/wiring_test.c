/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wiring_test.c - what is above what, what contradicts itself, which root complexes forward.
 */
#include "tree.h"

#include "../support/test.h"
#include "../support/test_memory.h"

#include <string.h>

#define MIB ((uint64_t)1 << 20)

static struct busway_pci_function *port(struct tree *t, uint8_t bus, uint8_t slot,
					uint8_t secondary, uint8_t subordinate)
{
	return tree_bridge(t, BUSWAY_PCI_ROOT_PORT, bus, (uint8_t)(slot << 3), secondary,
			   subordinate, 0x80000000 + secondary * 16 * MIB, 16 * MIB);
}

static busway_pci_id find(const struct busway_pci *pci, uint8_t bus, uint8_t devfn)
{
	const busway_pci_id id = busway_pci_find(pci, (struct busway_pci_address){0, bus, devfn});

	assert_true(busway_pci_some(id));
	return id;
}

/* How often @code is listed; and of which function last. */
static size_t oddities(const struct busway_pci *pci, enum busway_pci_oddity_code code,
		       busway_pci_id *function)
{
	size_t count, found = 0;
	const struct busway_pci_oddity *list = busway_pci_oddities(pci, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i].code == code) {
			found++;
			if (function)
				*function = list[i].function;
		}
	return found;
}

static void bus_numbers_tell_what_is_above(void **state)
{
	static struct tree t;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 2, 0); /* in any order */
	port(&t, 0, 1, 1, 2);
	port(&t, 1, 0, 2, 2);
	pci = tree_seal(&t);
	assert_int_equal(busway_pci_count(pci), 3);
	assert_int_equal(busway_pci_above(pci, find(pci, 2, 0)).index, find(pci, 1, 0).index);
	assert_int_equal(busway_pci_above(pci, find(pci, 1, 0)).index, find(pci, 0, 8).index);
	assert_false(busway_pci_some(busway_pci_above(pci, find(pci, 0, 8))));
	assert_int_equal(busway_pci_depth(pci, find(pci, 2, 0)), 2);
	assert_int_equal(busway_pci_host_count(pci), 1);
	assert_string_equal(busway_pci_host(pci, (busway_pci_host_id){0})->name, "pci0000:00");
	assert_string_equal(busway_pci_name(pci, find(pci, 2, 0)), "0000:02:00.0");
	assert_false(busway_pci_is_odd(pci, find(pci, 2, 0)));
	busway_pci_destroy(pci);
}

static void what_the_system_says_counts_more(void **state)
{
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	port(&t, 0, 1, 1, 5);
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 3, 0);
	f->has_above = true;
	f->above = (struct busway_pci_address){0, 0, 8};
	pci = tree_seal(&t);
	assert_int_equal(busway_pci_above(pci, find(pci, 3, 0)).index, find(pci, 0, 8).index);
	busway_pci_destroy(pci);
}

static void a_virtual_function_sits_where_its_physical_one_does(void **state)
{
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	port(&t, 0, 1, 1, 2);
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 1, 0);
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 2, 3);
	f->is_virtual = true;
	f->physical = (struct busway_pci_address){0, 1, 0};
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 2, 4);
	f->is_virtual = true;
	f->physical = (struct busway_pci_address){0, 1, 7};
	pci = tree_seal(&t);
	assert_int_equal(busway_pci_above(pci, find(pci, 2, 3)).index, find(pci, 0, 8).index);
	assert_int_equal(busway_pci_depth(pci, find(pci, 2, 3)), 1);
	assert_int_equal(oddities(pci, BUSWAY_PCI_PHYSICAL_MISSING, NULL), 1);
	assert_true(busway_pci_is_odd(pci, find(pci, 2, 4)));
	busway_pci_destroy(pci);
}

static void function_0_says_that_its_slot_has_several(void **state)
{
	static struct tree t;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 0, 8)->multifunction = true;
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 0, 10);
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 0, 16);
	pci = tree_seal(&t);
	assert_true(busway_pci_function(pci, find(pci, 0, 10))->multifunction);
	assert_false(busway_pci_function(pci, find(pci, 0, 16))->multifunction);
	busway_pci_destroy(pci);
}

/* ---- contradictions ---- */

static void of_two_with_one_address_the_first_counts(void **state)
{
	static struct tree t;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 0, 8)->device = 1;
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 0, 8)->device = 2;
	pci = tree_seal(&t);
	assert_int_equal(busway_pci_count(pci), 1);
	assert_int_equal(busway_pci_function(pci, find(pci, 0, 8))->device, 1);
	assert_int_equal(oddities(pci, BUSWAY_PCI_TWICE, NULL), 1);
	assert_true(busway_pci_is_odd(pci, find(pci, 0, 8)));
	busway_pci_destroy(pci);
}

static void circles_are_cut_and_told(void **state)
{
	static struct tree t;
	struct busway_pci *pci;
	busway_pci_id id;

	(void)state;
	t = (struct tree){0};
	port(&t, 3, 0, 4, 4); /* each below the other */
	port(&t, 4, 0, 3, 3);
	port(&t, 7, 0, 7, 7); /* below itself */
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 4, 8);
	pci = tree_seal(&t);
	assert_true(oddities(pci, BUSWAY_PCI_CIRCLE, &id) >= 2);
	for (uint32_t i = 0; i < busway_pci_count(pci); i++)
		assert_true(busway_pci_is_odd(pci, (busway_pci_id){i}));
	busway_pci_destroy(pci);
}

static void a_bridge_that_is_not_there_is_told(void **state)
{
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 3, 0);
	f->has_above = true;
	f->above = (struct busway_pci_address){0, 0, 8};
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 3, 8);
	f->has_above = true;
	f->above = (struct busway_pci_address){0, 3, 0}; /* which is no bridge */
	pci = tree_seal(&t);
	assert_int_equal(oddities(pci, BUSWAY_PCI_ABOVE_MISSING, NULL), 2);
	assert_true(busway_pci_is_odd(pci, find(pci, 3, 0)));
	busway_pci_destroy(pci);
}

static void bus_numbers_must_fit(void **state)
{
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;
	busway_pci_id id;

	(void)state;
	t = (struct tree){0};
	port(&t, 0, 1, 1, 2);
	port(&t, 1, 0, 2, 3); /* beyond the port above */
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 2, 0);
	port(&t, 0, 4, 9, 9);
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 12, 0); /* on a bus that is not its bridge's */
	f->has_above = true;
	f->above = (struct busway_pci_address){0, 0, 4 << 3};
	pci = tree_seal(&t);
	assert_int_equal(oddities(pci, BUSWAY_PCI_NOT_BELOW, &id), 2);
	assert_true(busway_pci_is_odd(pci, find(pci, 2, 0))); /* it spreads down */
	assert_true(busway_pci_is_odd(pci, find(pci, 12, 0)));
	assert_false(busway_pci_is_odd(pci, find(pci, 0, 8)));
	busway_pci_destroy(pci);

	t = (struct tree){0};
	port(&t, 0, 1, 1, 2);
	port(&t, 0, 2, 1, 3);
	pci = tree_seal(&t);
	assert_int_equal(oddities(pci, BUSWAY_PCI_BUS_TWICE, NULL), 1);
	busway_pci_destroy(pci);

	t = (struct tree){0};
	port(&t, 0, 1, 1, 4);
	port(&t, 0, 2, 3, 5);
	pci = tree_seal(&t);
	assert_int_equal(oddities(pci, BUSWAY_PCI_BUSES_OVERLAP, NULL), 1);
	assert_true(busway_pci_is_odd(pci, find(pci, 0, 8)));
	assert_true(busway_pci_is_odd(pci, find(pci, 0, 16)));
	busway_pci_destroy(pci);
}

static void of_a_bridge_that_was_not_read_any_number_fits(void **state)
{
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;

	(void)state;
	t = (struct tree){0};
	f = port(&t, 0, 1, 0, 0);
	f->config_size = 0;
	f = tree_add(&t, BUSWAY_PCI_ENDPOINT, 3, 0);
	f->has_above = true;
	f->above = (struct busway_pci_address){0, 0, 8};
	pci = tree_seal(&t);
	assert_false(busway_pci_is_odd(pci, find(pci, 3, 0)));
	busway_pci_destroy(pci);
}

/* ---- root complexes ---- */

struct host_case {
	const char *because;
	uint16_t first_device, second_device; /* of the first function of two host bridges */
	uint8_t devfn;
	enum busway_pci_type type;
	bool within, between;
};

static const struct host_case host_cases[] = {
	{"Skylake-E forwards everywhere", 0x2030, 0x2030, 0, BUSWAY_PCI_ROOT_ENDPOINT, true, true},
	{"Sandy Bridge-EP within one host", 0x3c00, 0x3c00, 0, BUSWAY_PCI_ROOT_ENDPOINT, true,
	 false},
	{"both must be known", 0x2030, 0x29c0, 0, BUSWAY_PCI_ROOT_ENDPOINT, true, false},
	{"an unknown one", 0x29c0, 0x2030, 0, BUSWAY_PCI_ROOT_ENDPOINT, false, false},
	{"it stands for it as a root port, too", 0x2031, 0x2031, 8, BUSWAY_PCI_ROOT_PORT, true,
	 true},
	{"but not as something else", 0x2031, 0x2031, 8, BUSWAY_PCI_ROOT_ENDPOINT, false, false},
};

static void known_root_complexes_forward(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(host_cases); i++) {
		const struct host_case *c = &host_cases[i];
		static struct tree t;
		struct busway_p2p_policy policy = {.view = BUSWAY_P2P_LINUX};
		struct busway_pci_function *f;
		struct busway_pci *pci;
		busway_pci_id a, b, far;

		t = (struct tree){0};
		for (uint8_t h = 0; h < 2; h++) {
			f = tree_add(&t, c->type, (uint8_t)(h * 0x80), c->devfn);
			f->vendor = 0x8086;
			f->device = h ? c->second_device : c->first_device;
			f->bridge.secondary = (uint8_t)(h * 0x80 + 1);
			f->bridge.subordinate = (uint8_t)(h * 0x80 + 1);
			tree_add(&t, BUSWAY_PCI_ENDPOINT, (uint8_t)(h * 0x80), 5 << 3);
			tree_add(&t, BUSWAY_PCI_ENDPOINT, (uint8_t)(h * 0x80), 6 << 3);
		}
		pci = tree_seal(&t);
		a = find(pci, 0, 5 << 3);
		b = find(pci, 0, 6 << 3);
		far = find(pci, 0x80, 5 << 3);
		if (busway_p2p_forwards(pci, a, b, &policy) != c->within ||
		    busway_p2p_forwards(pci, a, far, &policy) != c->between)
			fail_msg("%s", c->because);
		policy.cpu_zen = true;
		assert_true(busway_p2p_forwards(pci, a, far, &policy));
		policy = (struct busway_p2p_policy){.trust_unknown = true};
		assert_true(busway_p2p_forwards(pci, a, far, &policy));
		busway_pci_destroy(pci);
	}
}

/* ---- what is not known of the target ---- */

static void a_bar_of_unknown_size_is_not_certain_to_be_passed(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	for (unsigned sized = 0; sized < 2; sized++) {
		t = (struct tree){0};
		tree_bridge(&t, BUSWAY_PCI_CONVENTIONAL_BRIDGE, 0, 8, 1, 1, 0x80000000, MIB);
		tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 0);
		tree_bar(tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 8), 0, 0x80000000, 4096);
		t.functions[2].bars[0].sized = sized;
		t.functions[2].memory_decode = false; /* else its size matters to others, too */
		pci = tree_seal(&t);
		busway_p2p_decide(pci, find(pci, 1, 0), find(pci, 1, 8), BUSWAY_P2P_ANY_BAR,
				  &policy, &d);
		assert_int_equal(d.verdict, BUSWAY_P2P_SWITCH);
		assert_int_equal(d.certain, sized);
		busway_pci_destroy(pci);
	}
}

/* Whose windows or sizes are not known may answer to anything, if it answers at all. */
static void others_that_were_not_read_make_it_uncertain(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};
	static struct tree t;
	struct busway_pci_function *other;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	for (unsigned kind = 0; kind < 5; kind++) {
		t = (struct tree){0};
		tree_bridge(&t, BUSWAY_PCI_CONVENTIONAL_BRIDGE, 0, 8, 1, 1, 0x80000000, MIB);
		tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 0);
		tree_bar(tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 8), 0, 0x80000000, 4096);
		other = tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 16);
		tree_bar(other, 0, 0x80004000, 4096);
		if (kind < 3)
			other->bars[0].sized = kind == 0;
		if (kind == 2)
			other->memory_decode = false;
		if (kind >= 3) {
			other->type = BUSWAY_PCI_UNKNOWN_BRIDGE;
			other->has_command = false;
			other->config_size = kind == 3 ? 0 : 64;
		}
		pci = tree_seal(&t);
		busway_p2p_decide(pci, find(pci, 1, 0), find(pci, 1, 8), BUSWAY_P2P_ANY_BAR,
				  &policy, &d);
		assert_int_equal(d.verdict, BUSWAY_P2P_SWITCH);
		assert_int_equal(d.certain, kind != 1 && kind != 3);
		busway_pci_destroy(pci);
	}
}

/* The list of root complexes says nothing about one whose IDs could not be read. */
static void a_root_complex_that_was_not_read_is_not_certain_to_refuse(void **state)
{
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	for (unsigned view = 0; view < 2; view++)
		for (unsigned read = 0; read < 2; read++) {
			const struct busway_p2p_policy policy = {.view = view ? BUSWAY_P2P_LINUX
									      : BUSWAY_P2P_ROUTE};

			t = (struct tree){0};
			tree_add(&t, BUSWAY_PCI_UNKNOWN, 0, 0)->vendor = read ? 0x1234 : 0;
			tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 8);
			tree_bar(tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 16), 0, 0x80000000,
				 4096);
			pci = tree_seal(&t);
			busway_p2p_decide(pci, find(pci, 0, 8), find(pci, 0, 16),
					  BUSWAY_P2P_ANY_BAR, &policy, &d);
			assert_int_equal(d.verdict, BUSWAY_P2P_REFUSED);
			assert_int_equal(d.certain, read);
			busway_pci_destroy(pci);
		}
}

static void guesses_are_not_certain(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE, .trust_unknown = true};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	for (unsigned guess = 0; guess < 3; guess++) {
		t = (struct tree){0};
		tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 8)->translation_unknown = guess == 1;
		tree_bar(tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 16), 0, 0x80000000, 4096);
		t.functions[1].bars[0].bus_guessed = guess == 2;
		pci = tree_seal(&t);
		busway_p2p_decide(pci, find(pci, 0, 8), find(pci, 0, 16), BUSWAY_P2P_ANY_BAR,
				  &policy, &d);
		assert_int_equal(d.verdict, BUSWAY_P2P_HOST_BRIDGE);
		assert_int_equal(d.certain, guess == 0);
		busway_pci_destroy(pci);
	}
}

/* Behind an IOMMU the CPU's address of a peer would be a wrong one. */
static void without_word_of_an_iommu_no_cpu_address_is_certain(void **state)
{
	const struct busway_p2p_policy route = {.view = BUSWAY_P2P_ROUTE, .cpu_zen = true};
	const struct busway_p2p_policy refusing = {.view = BUSWAY_P2P_ROUTE};
	const struct busway_p2p_policy linux_view = {.view = BUSWAY_P2P_LINUX, .cpu_zen = true};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;
	busway_pci_id a, b;

	(void)state;
	t = (struct tree){0};
	tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 8)->vendor = 0x1234;
	tree_bar(tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 16), 0, 0x80000000, 4096);
	t.functions[1].bars[0].has_cpu = true;
	t.functions[1].bars[0].cpu = busway_phys(0x80000000);
	pci = tree_seal(&t);
	a = find(pci, 0, 8);
	b = find(pci, 0, 16);
	for (int known = BUSWAY_UNKNOWN; known <= BUSWAY_PRESENT; known++) {
		assert_int_equal(busway_pci_join_iommu(pci, a, (enum busway_known)known), 0);
		busway_p2p_decide(pci, a, b, BUSWAY_P2P_ANY_BAR, &route, &d);
		assert_int_equal(d.verdict, known == BUSWAY_PRESENT ? BUSWAY_P2P_IOMMU
								    : BUSWAY_P2P_HOST_BRIDGE);
		assert_int_equal(d.certain, known != BUSWAY_UNKNOWN);
		/* what nothing can change is certain, and Linux does not ask */
		busway_p2p_decide(pci, a, b, BUSWAY_P2P_ANY_BAR, &refusing, &d);
		assert_true(d.verdict == BUSWAY_P2P_REFUSED && d.certain);
		busway_p2p_decide(pci, a, b, BUSWAY_P2P_ANY_BAR, &linux_view, &d);
		assert_true(d.verdict != BUSWAY_P2P_REFUSED && d.certain);
	}
	busway_pci_destroy(pci);
}

/* Two BARs of one function at one place: which of them answers? */
static void a_function_that_answers_twice_is_refused(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	t = (struct tree){0};
	tree_bridge(&t, BUSWAY_PCI_CONVENTIONAL_BRIDGE, 0, 8, 1, 1, 0x80000000, MIB);
	tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 0);
	tree_bar(tree_add(&t, BUSWAY_PCI_CONVENTIONAL, 1, 8), 0, 0x80000000, 4096);
	tree_bar(&t.functions[2], 1, 0x80000800, 4096);
	pci = tree_seal(&t);
	busway_p2p_decide(pci, find(pci, 1, 0), find(pci, 1, 8), 0, &policy, &d);
	assert_int_equal(d.verdict, BUSWAY_P2P_REFUSED);
	assert_int_equal(d.refusal.reason, BUSWAY_BUS_CLAIMED);
	busway_pci_destroy(pci);
}

/* A dump without the bridge of a bus that another bridge leads to: it is no root bus. */
static void a_bus_whose_bridge_is_missing_is_no_root_bus(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_LINUX, .cpu_zen = true};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;
	busway_pci_id id;

	(void)state;
	t = (struct tree){0};
	port(&t, 0, 1, 1, 3);
	tree_add(&t, BUSWAY_PCI_ENDPOINT, 1, 0);
	tree_bar(tree_add(&t, BUSWAY_PCI_ENDPOINT, 3, 0), 0, 0x80000000 + 16 * MIB, 4096);
	tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 4, 0); /* a root bus of its own */
	pci = tree_seal(&t);
	assert_int_equal(oddities(pci, BUSWAY_PCI_ABOVE_MISSING, &id), 1);
	assert_int_equal(id.index, find(pci, 3, 0).index);
	busway_p2p_decide(pci, find(pci, 1, 0), id, BUSWAY_P2P_ANY_BAR, &policy, &d);
	assert_false(d.certain);
	busway_pci_destroy(pci);
}

/* A port that redirects decides for Linux only where it is known to be on the way. */
static void of_odd_wiring_nothing_is_certain(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_LINUX};
	static struct tree t;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	for (unsigned odd = 0; odd < 2; odd++) {
		t = (struct tree){0};
		tree_acs(port(&t, 0, 1, 1, 1), 0x5f, BUSWAY_ACS_RR);
		port(&t, 0, 2, odd ? 1 : 2, 2);
		tree_add(&t, BUSWAY_PCI_ENDPOINT, 1, 0);
		tree_bar(tree_add(&t, BUSWAY_PCI_ENDPOINT, 1, 1), 0, 0x80000000 + 16 * MIB, 4096);
		pci = tree_seal(&t);
		busway_p2p_decide(pci, find(pci, 1, 0), find(pci, 1, 1), BUSWAY_P2P_ANY_BAR,
				  &policy, &d);
		assert_int_equal(d.verdict, BUSWAY_P2P_REFUSED);
		assert_int_equal(d.refusal.reason, BUSWAY_ACS_REDIRECT);
		assert_int_equal(d.certain, !odd);
		busway_pci_destroy(pci);
	}
}

/* An integrated function knows functions of its device by number, and ports not at all. */
static void an_integrated_function_forbids_what_no_number_tells(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE, .trust_unknown = true};
	static struct tree t;
	struct busway_pci_function *f;
	struct busway_pci *pci;
	struct busway_p2p d;

	(void)state;
	t = (struct tree){0};
	f = tree_add(&t, BUSWAY_PCI_ROOT_ENDPOINT, 0, 8);
	tree_acs(f, 0x7f, BUSWAY_ACS_EC);
	f->acs.egress_count = 8;
	port(&t, 0, 2, 1, 1);
	tree_bar(tree_add(&t, BUSWAY_PCI_ENDPOINT, 1, 0), 0, 0x80000000 + 16 * MIB, 4096);
	pci = tree_seal(&t);
	busway_p2p_decide(pci, find(pci, 0, 8), find(pci, 1, 0), BUSWAY_P2P_ANY_BAR, &policy, &d);
	assert_int_equal(d.verdict, BUSWAY_P2P_REFUSED);
	assert_int_equal(d.refusal.reason, BUSWAY_ACS_UNKNOWN);
	assert_false(d.certain);
	busway_pci_destroy(pci);
}

/* ---- anything ---- */

static void scatter(struct tree *t, struct rng *rng)
{
	*t = (struct tree){0};
	for (unsigned i = 0; i < 24; i++) {
		const enum busway_pci_type type =
			(enum busway_pci_type)rng_below(rng, BUSWAY_PCI_UNKNOWN_BRIDGE + 1);
		struct busway_pci_function *f = tree_bridge(
			t, type, (uint8_t)rng_below(rng, 6), (uint8_t)rng_below(rng, 24),
			(uint8_t)rng_below(rng, 6), (uint8_t)rng_below(rng, 8),
			rng_below(rng, 8) * MIB, rng_below(rng, 8) * MIB);

		tree_bar(f, 0, rng_below(rng, 64) * 65536, 65536);
		tree_acs(f, 0x7f, (uint16_t)rng_below(rng, 128));
		f->acs.known = (enum busway_known)rng_below(rng, 3);
		f->has_above = rng_chance(rng, 20);
		f->above = t->functions[rng_below(rng, i + 1)].at;
		f->is_virtual = rng_chance(rng, 10);
		f->physical = t->functions[rng_below(rng, i + 1)].at;
	}
}

/* Whatever is above what: all is decided, and the fabric ends somewhere. */
static void any_wiring_is_answered(void **state)
{
	static struct tree t;

	(void)state;
	for (unsigned round = 0; round < random_rounds(2000); round++) {
		struct rng rng = rng_of(random_seed() + round);
		const struct busway_pci_fabric_options options = {.ctx = NULL};
		struct busway_pci_fabric *fabric;
		struct busway_pci *pci;

		scatter(&t, &rng);
		pci = tree_seal(&t);
		assert_int_equal(busway_pci_fabric_create(pci, &options, &tree_memory, &fabric), 0);
		for (uint32_t a = 0; a < busway_pci_count(pci); a++)
			for (uint32_t b = 0; b < busway_pci_count(pci); b++) {
				struct busway_p2p_policy policy = {.cpu_zen = round & 1};
				struct busway_pci_outcome out;
				struct busway_p2p d;

				policy.view = (enum busway_p2p_view)(round >> 1 & 1);
				busway_p2p_decide(pci, (busway_pci_id){a}, (busway_pci_id){b},
						  BUSWAY_P2P_ANY_BAR, &policy, &d);
				assert_int_equal(d.verdict == BUSWAY_P2P_REFUSED,
						 d.refusal.reason != BUSWAY_NOT_REFUSED);
				busway_pci_fabric_route(
					fabric,
					&(struct busway_pci_request){
						{a}, rng_below(&rng, 8 * MIB), BUSWAY_READ, false},
					&out);
				assert_true(out.end < BUSWAY_PCI_END_COUNT);
			}
		busway_pci_fabric_destroy(fabric);
		busway_pci_destroy(pci);
	}
}

/* ---- memory ---- */

static int build(struct busway_pci *pci, const struct tree *t)
{
	int status = 0;

	for (size_t i = 0; i < t->count && !status; i++)
		status = busway_pci_add_function(pci, &t->functions[i]);
	return status;
}

static void without_memory_nothing_is_half_done(void **state)
{
	static struct tree t;
	struct rng rng = rng_of(7);
	struct test_memory memory;

	(void)state;
	tree_random(&t, &rng);
	t.functions[3].at = t.functions[2].at; /* something to tell */
	for (unsigned long call = 1;; call++) {
		struct busway_pci *pci;
		int status;

		test_memory_open(&memory);
		test_memory_fail_at(&memory, call, false);
		status = busway_pci_create(&memory.allocator, &pci);
		if (status == 0) {
			status = build(pci, &t);
			if (status == 0) {
				status = busway_pci_seal(pci);
				/* it may be tried again, and is not different then */
				if (status == -BUSWAY_ENOMEM)
					assert_int_equal(busway_pci_seal(pci), 0);
				assert_int_equal(busway_pci_count(pci), t.count - 1);
				assert_int_equal(oddities(pci, BUSWAY_PCI_TWICE, NULL), 1);
				assert_int_equal(busway_pci_seal(pci), -BUSWAY_EBUSY);
			}
			busway_pci_destroy(pci);
		}
		if (memory.calls < call) {
			test_memory_close(&memory);
			break;
		}
		assert_int_equal(status, -BUSWAY_ENOMEM);
		test_memory_close(&memory);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bus_numbers_tell_what_is_above),
		cmocka_unit_test(what_the_system_says_counts_more),
		cmocka_unit_test(a_virtual_function_sits_where_its_physical_one_does),
		cmocka_unit_test(function_0_says_that_its_slot_has_several),
		cmocka_unit_test(of_two_with_one_address_the_first_counts),
		cmocka_unit_test(circles_are_cut_and_told),
		cmocka_unit_test(a_bridge_that_is_not_there_is_told),
		cmocka_unit_test(bus_numbers_must_fit),
		cmocka_unit_test(of_a_bridge_that_was_not_read_any_number_fits),
		cmocka_unit_test(known_root_complexes_forward),
		cmocka_unit_test(a_bar_of_unknown_size_is_not_certain_to_be_passed),
		cmocka_unit_test(others_that_were_not_read_make_it_uncertain),
		cmocka_unit_test(a_root_complex_that_was_not_read_is_not_certain_to_refuse),
		cmocka_unit_test(guesses_are_not_certain),
		cmocka_unit_test(without_word_of_an_iommu_no_cpu_address_is_certain),
		cmocka_unit_test(a_function_that_answers_twice_is_refused),
		cmocka_unit_test(a_bus_whose_bridge_is_missing_is_no_root_bus),
		cmocka_unit_test(of_odd_wiring_nothing_is_certain),
		cmocka_unit_test(an_integrated_function_forbids_what_no_number_tells),
		cmocka_unit_test(any_wiring_is_answered),
		cmocka_unit_test(without_memory_nothing_is_half_done),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
