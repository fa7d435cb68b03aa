/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation_random_test.c - groups and findings on random trees of buses.
 *
 * Whom peer-to-peer, decided on its own, lets reach another inside a switch or a device is in one
 * group with it; what is surely together may be together; nothing that can be read of a machine,
 * sound or not, makes any of it fail.
 */
#include "support/random.h"
#include "support/test.h"
#include "support/test_memory.h"

#include <busway/check.h>
#include <busway/isolation.h>
#include <busway/p2p.h>

enum { MOST = 56, BAR_SIZE = 0x100000 };

/* A tree while it grows: buses and addresses are given out in the order of a walk, so that windows
 * are what is below. */
struct garden {
	struct rng rng;
	struct busway_pci_function f[MOST + 8];
	size_t count;
	unsigned bus; /* the last one given out */
	uint64_t address;
};

static struct busway_pci_acs random_acs(struct garden *g)
{
	struct busway_pci_acs acs = {.known = BUSWAY_ABSENT};

	if (rng_chance(&g->rng, 15))
		acs.known = BUSWAY_UNKNOWN;
	else if (rng_chance(&g->rng, 75)) {
		acs.known = BUSWAY_PRESENT;
		acs.capability =
			rng_chance(&g->rng, 70) ? 0x7f : (uint16_t)rng_below(&g->rng, 0x80);
		acs.control = rng_chance(&g->rng, 40) ? 0x1d : (uint16_t)rng_below(&g->rng, 0x80);
		acs.control &= acs.capability;
		acs.egress_count = (uint16_t)rng_below(&g->rng, 9);
		acs.egress[0] = (uint8_t)rng_next(&g->rng);
	}
	return acs;
}

static size_t add(struct garden *g, uint8_t bus, uint8_t devfn, enum busway_pci_type type)
{
	g->f[g->count] = (struct busway_pci_function){
		.at = {0, bus, devfn},
		.type = type,
		.config_size = 4096,
		.has_command = true,
		.memory_decode = true,
		.bus_master = true,
		.has_port_number = rng_chance(&g->rng, 80),
		.port_number = devfn >> 3,
		.acs = random_acs(g),
		.has_group = rng_chance(&g->rng, 80),
		.group = (uint32_t)rng_below(&g->rng, 6),
		.translated = rng_chance(&g->rng, 50),
		.msi = {.known = BUSWAY_PRESENT,
			.enabled = rng_chance(&g->rng, 20),
			.address = 0xe0000000 + rng_below(&g->rng, 0x4000000)},
	};
	return g->count++;
}

static void add_endpoint(struct garden *g, uint8_t bus, uint8_t devfn, enum busway_pci_type type,
			 bool multifunction)
{
	struct busway_pci_function *f = &g->f[add(g, bus, devfn, type)];

	f->multifunction = multifunction;
	f->bars[0] = (struct busway_pci_bar){.kind = BUSWAY_BAR_MEM32,
					     .assigned = true,
					     .sized = true,
					     .bus = {g->address, g->address + BAR_SIZE - 1}};
	g->address += BAR_SIZE;
}

static void grow_below(struct garden *g, uint8_t bus, enum busway_pci_type above, unsigned depth);

static void add_bridge(struct garden *g, uint8_t bus, uint8_t devfn, enum busway_pci_type type,
		       unsigned depth)
{
	const size_t index = add(g, bus, devfn, type);
	const uint64_t first = g->address;
	struct busway_pci_bridge *b = &g->f[index].bridge;

	b->secondary = (uint8_t)++g->bus;
	grow_below(g, b->secondary, type, depth + 1);
	b->subordinate = (uint8_t)g->bus;
	b->memory_open = g->address > first;
	b->memory = (struct busway_range){first, g->address - 1};
}

static void grow_link(struct garden *g, uint8_t bus, unsigned depth)
{
	const uint64_t functions = rng_between(&g->rng, 1, 3);

	if (depth < 6 && rng_chance(&g->rng, 40)) {
		add_bridge(g, bus, 0, BUSWAY_PCI_UPSTREAM_PORT, depth);
		return;
	}
	if (rng_chance(&g->rng, 15)) {
		add_bridge(g, bus, 0, BUSWAY_PCI_PCIE_TO_PCI, depth);
		return;
	}
	for (uint8_t i = 0; i < functions; i++)
		add_endpoint(g, bus, i, BUSWAY_PCI_ENDPOINT, functions > 1);
}

static void grow_below(struct garden *g, uint8_t bus, enum busway_pci_type above, unsigned depth)
{
	const uint64_t slots = rng_between(&g->rng, 1, 4);

	if (above == BUSWAY_PCI_ROOT_PORT || above == BUSWAY_PCI_DOWNSTREAM_PORT) {
		if (g->count < MOST - 3)
			grow_link(g, bus, depth);
		return;
	}
	for (uint8_t i = 0; i < slots && g->count < MOST - 8; i++) {
		const uint8_t devfn = (uint8_t)(i << 3);

		if (above == BUSWAY_PCI_UPSTREAM_PORT)
			add_bridge(g, bus, devfn, BUSWAY_PCI_DOWNSTREAM_PORT, depth);
		else
			add_endpoint(g, bus, devfn, BUSWAY_PCI_CONVENTIONAL, false);
	}
}

static struct garden grow(uint64_t seed)
{
	struct garden g = {.rng = rng_of(seed), .address = 0xe0000000};
	const uint64_t ports = rng_between(&g.rng, 1, 3);

	for (uint8_t i = 0; i < ports; i++)
		add_bridge(&g, 0, (uint8_t)(8 + (i << 3)), BUSWAY_PCI_ROOT_PORT, 0);
	return g;
}

/* Change what could be anything. */
static void spoil(struct garden *g)
{
	for (uint64_t n = rng_between(&g->rng, 1, 6); n; n--) {
		struct busway_pci_function *f = &g->f[rng_below(&g->rng, g->count)];

		switch (rng_below(&g->rng, 7)) {
		case 0:
			f->type = (enum busway_pci_type)rng_below(&g->rng,
								  BUSWAY_PCI_UNKNOWN_BRIDGE + 1);
			break;
		case 1:
			f->bridge.secondary = (uint8_t)rng_below(&g->rng, 12);
			break;
		case 2:
			f->at.bus = (uint8_t)rng_below(&g->rng, 12);
			break;
		case 3:
			f->is_virtual = true;
			f->physical = g->f[rng_below(&g->rng, g->count)].at;
			break;
		case 4:
			f->vendor = rng_chance(&g->rng, 50) ? 0x8086 : 0x1b4b;
			f->device = rng_chance(&g->rng, 50) ? 0x1521 : 0x9123;
			break;
		case 5:
			f->bars[0].bus.first = f->bars[0].bus.last = rng_next(&g->rng);
			break;
		default:
			f->bridge.memory = (struct busway_range){
				0xe0000000, 0xe0000000 + rng_next(&g->rng) % 0x8000000};
			break;
		}
	}
}

struct views {
	struct test_memory memory;
	struct busway_pci *pci;
	struct busway_isolation *view[3];
};

static void open_views(struct views *v, const struct garden *g)
{
	test_memory_open(&v->memory);
	assert_int_equal(busway_pci_create(&v->memory.allocator, &v->pci), 0);
	for (size_t i = 0; i < g->count; i++)
		assert_int_equal(busway_pci_add_function(v->pci, &g->f[i]), 0);
	assert_int_equal(busway_pci_seal(v->pci), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(busway_isolation_create(v->pci, (enum busway_isolation_view)i,
							 &v->memory.allocator, &v->view[i]),
				 0);
}

static void close_views(struct views *v)
{
	for (int i = 0; i < 3; i++)
		busway_isolation_destroy(v->view[i]);
	busway_pci_destroy(v->pci);
	test_memory_close(&v->memory);
}

static bool together(const struct views *v, enum busway_isolation_view view, uint32_t a, uint32_t b)
{
	return busway_isolation_group_of(v->view[view], (busway_pci_id){a}) ==
	       busway_isolation_group_of(v->view[view], (busway_pci_id){b});
}

static void check_partition(const struct views *v, enum busway_isolation_view view)
{
	size_t members = 0;

	for (size_t g = 0; g < busway_isolation_count(v->view[view]); g++) {
		const struct busway_isolation_group *group =
			busway_isolation_group(v->view[view], g);

		members += group->count;
		for (size_t i = 0; i < group->count; i++)
			assert_int_equal(
				busway_isolation_group_of(v->view[view], group->members[i]), g);
		for (size_t i = 0; i + 1 < group->count; i++) {
			assert_int_equal(
				busway_isolation_group_of(v->view[view], group->links[i].a), g);
			assert_true(!group->certain || group->links[i].certain);
			assert_non_null(busway_isolation_cause_code(group->links[i].cause));
		}
	}
	assert_int_equal(members, busway_pci_count(v->pci));
}

static void check_findings(const struct views *v)
{
	const struct busway_phys_range memory = {{0}, {0xe1ffffff}};
	struct busway_check *check;
	size_t count;

	assert_int_equal(busway_pci_check(v->pci, &memory, 1, &v->memory.allocator, &check), 0);
	(void)busway_check_findings(check, &count);
	busway_check_destroy(check);
}

static void check_all(uint64_t seed, const struct garden *g)
{
	struct views v;

	open_views(&v, g);
	for (int view = 0; view < 3; view++)
		check_partition(&v, (enum busway_isolation_view)view);
	for (uint32_t a = 0; a < busway_pci_count(v.pci); a++)
		for (uint32_t b = 0; b < busway_pci_count(v.pci); b++)
			if (together(&v, BUSWAY_ISOLATION_SURE, a, b) &&
			    !together(&v, BUSWAY_ISOLATION_ROUTE, a, b))
				fail_msg("seed %" PRIu64 ": %u and %u", seed, a, b);
	check_findings(&v);
	close_views(&v);
}

static void groups_and_findings_hold_on_any_machine(void **state)
{
	(void)state;
	for (unsigned round = 0; round < random_rounds(1500); round++) {
		const uint64_t seed = random_seed() + round;
		struct garden g = grow(seed);

		if (round % 2)
			spoil(&g);
		check_all(seed, &g);
	}
}

static void whoever_reaches_another_below_the_root_is_in_its_group(void **state)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE};
	size_t direct = 0, apart = 0;

	(void)state;
	for (unsigned round = 0; round < random_rounds(600); round++) {
		const uint64_t seed = random_seed() + round;
		const struct garden g = grow(seed);
		struct views v;

		open_views(&v, &g);
		for (uint32_t a = 0; a < g.count; a++)
			for (uint32_t b = 0; b < g.count; b++) {
				struct busway_p2p p;

				busway_p2p_decide(v.pci, (busway_pci_id){a}, (busway_pci_id){b},
						  BUSWAY_P2P_ANY_BAR, &policy, &p);
				if (!together(&v, BUSWAY_ISOLATION_ROUTE, a, b))
					apart++;
				/* a port itself emits nothing but interrupts */
				if (a == b ||
				    busway_pci_is_bridge(
					    busway_pci_function(v.pci, (busway_pci_id){a})->type) ||
				    p.verdict != BUSWAY_P2P_SWITCH || !p.certain)
					continue;
				direct++;
				if (!together(&v, BUSWAY_ISOLATION_SURE, a, b))
					fail_msg("seed %" PRIu64 ": %s reaches %s", seed,
						 busway_pci_name(v.pci, (busway_pci_id){a}),
						 busway_pci_name(v.pci, (busway_pci_id){b}));
			}
		close_views(&v);
	}
	if (random_rounds(600) > 100) {
		assert_true(direct > 1000); /* it was about something */
		assert_true(apart > 1000);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_and_findings_hold_on_any_machine),
		cmocka_unit_test(whoever_reaches_another_below_the_root_is_in_its_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
