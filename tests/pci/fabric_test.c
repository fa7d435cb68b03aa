/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fabric_test.c - the judge itself: what the specification says of single steps.
 *
 *   0:1.0 root port -- 1:0.0 upstream -- 2:0.0 -- 3:0.0 A
 *                                     \- 2:1.0 -- 4:0.0 B
 *   0:2.0 conventional bridge -- 5:0.0 C, 5:1.0 D
 */
#include "tree.h"

#include "../support/test.h"

#include <string.h>

#define MIB  ((uint64_t)1 << 20)
#define BASE ((uint64_t)0x80000000)

enum { RP, CB, UP, DP0, DP1, A, B, C, D };

struct scene {
	struct tree tree;
	struct busway_pci *pci;
	struct busway_pci_fabric *fabric;
	bool forwards, no_inbound;
	struct busway_pci_outcome out;
};

static bool forwards(void *ctx, busway_pci_host_id from, busway_pci_host_id to)
{
	(void)from;
	(void)to;
	return ((struct scene *)ctx)->forwards;
}

static bool translate(void *ctx, busway_pci_id initiator, uint64_t address,
		      enum busway_access access, uint64_t *phys)
{
	(void)ctx;
	(void)initiator;
	(void)access;
	*phys = address - ((uint64_t)1 << 40);
	return address >> 40 == 1;
}

static bool inbound(void *ctx, busway_pci_host_id host, uint64_t address, uint64_t *phys)
{
	(void)host;
	*phys = address;
	return !((struct scene *)ctx)->no_inbound;
}

static struct busway_pci_function *draw(struct scene *s)
{
	struct tree *t = &s->tree;

	*s = (struct scene){0};
	tree_bridge(t, BUSWAY_PCI_ROOT_PORT, 0, 8, 1, 4, BASE, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_CONVENTIONAL_BRIDGE, 0, 16, 5, 5, BASE + 2 * MIB, MIB);
	tree_bridge(t, BUSWAY_PCI_UPSTREAM_PORT, 1, 0, 2, 4, BASE, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 0, 3, 3, BASE, MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 8, 4, 4, BASE + MIB, MIB);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 3, 0), 0, BASE, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_ENDPOINT, 4, 0), 0, BASE + MIB, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_CONVENTIONAL, 5, 0), 0, BASE + 2 * MIB, 4096);
	tree_bar(tree_add(t, BUSWAY_PCI_CONVENTIONAL, 5, 8), 0, BASE + 2 * MIB + 4096, 4096);
	return t->functions;
}

static void open(struct scene *s)
{
	const struct busway_pci_fabric_options options = {
		.ctx = s, .forwards = forwards, .translate = translate, .inbound = inbound};

	s->pci = tree_seal(&s->tree);
	assert_int_equal(busway_pci_fabric_create(s->pci, &options, &tree_memory, &s->fabric), 0);
}

static void close(struct scene *s)
{
	busway_pci_fabric_destroy(s->fabric);
	busway_pci_destroy(s->pci);
}

static enum busway_pci_end go(struct scene *s, uint32_t from, uint64_t address,
			      enum busway_access access, bool translated)
{
	open(s);
	busway_pci_fabric_route(s->fabric,
				&(struct busway_pci_request){{from}, address, access, translated},
				&s->out);
	close(s);
	return s->out.end;
}

static enum busway_pci_end write_b(struct scene *s, bool translated)
{
	return go(s, A, BASE + MIB + 8, BUSWAY_WRITE, translated);
}

/* PCI Express Base 6.12.3, the table of request redirect and egress control. */
static void redirect_and_egress_control(void **state)
{
	static const struct {
		uint16_t control;
		bool bit;
		enum busway_pci_end end;
	} rows[] = {
		{0, true, BUSWAY_PCI_ARRIVED},
		{BUSWAY_ACS_RR, false, BUSWAY_PCI_LOOPS_BACK}, /* at the root port without UF */
		{BUSWAY_ACS_EC, true, BUSWAY_PCI_ACS_VIOLATION},
		{BUSWAY_ACS_EC, false, BUSWAY_PCI_ARRIVED},
		{BUSWAY_ACS_RR | BUSWAY_ACS_EC, true, BUSWAY_PCI_LOOPS_BACK},
		{BUSWAY_ACS_RR | BUSWAY_ACS_EC, false, BUSWAY_PCI_ARRIVED},
	};
	static struct scene s;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct busway_pci_function *f = draw(&s);

		tree_acs(&f[DP0], 0x7f, rows[i].control);
		f[DP0].acs.egress[0] = rows[i].bit ? 2 : 0;
		assert_int_equal(write_b(&s, false), rows[i].end);
		if (rows[i].end == BUSWAY_PCI_ACS_VIOLATION) {
			assert_int_equal(s.out.function.index, DP0);
			assert_int_equal(s.out.acs, BUSWAY_ACS_EC);
		}
		if (rows[i].end == BUSWAY_PCI_LOOPS_BACK)
			assert_int_equal(s.out.function.index, RP);
	}
}

static void what_is_sent_up_needs_uf_and_a_root_complex(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	tree_acs(&f[DP0], 0x7f, BUSWAY_ACS_RR);
	tree_acs(&f[RP], 0x7f, BUSWAY_ACS_UF);
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_ROOT_REFUSES);
	s.forwards = true;
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_ARRIVED);
	assert_int_equal(s.out.function.index, B);
	assert_int_equal(s.out.offset, 8);
}

static void translated_requests_go_straight_or_nowhere(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	tree_acs(&f[DP0], 0x7f, BUSWAY_ACS_RR | BUSWAY_ACS_DT);
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_LOOPS_BACK);
	assert_int_equal(write_b(&s, true), BUSWAY_PCI_ARRIVED);
	f[DP0].acs.control |= BUSWAY_ACS_TB;
	assert_int_equal(write_b(&s, true), BUSWAY_PCI_ACS_VIOLATION);
	assert_int_equal(s.out.acs, BUSWAY_ACS_TB);
}

static void completions_have_a_way_of_their_own(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	tree_acs(&f[DP1], 0x7f, BUSWAY_ACS_CR);
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_ARRIVED);
	assert_int_equal(go(&s, A, BASE + MIB, BUSWAY_READ, false), BUSWAY_PCI_COMPLETION_LOST);
	tree_acs(&f[RP], 0x7f, BUSWAY_ACS_UF);
	assert_int_equal(go(&s, A, BASE + MIB, BUSWAY_READ, false), BUSWAY_PCI_COMPLETION_LOST);
	s.forwards = true;
	assert_int_equal(go(&s, A, BASE + MIB, BUSWAY_READ, false), BUSWAY_PCI_ARRIVED);
}

static void the_source_is_validated(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	f[A].has_above = true; /* it answers on a bus that is not the port's */
	f[A].above = f[DP0].at;
	f[A].at.bus = 9;
	tree_acs(&f[DP0], 0x7f, 0);
	/* in the order of addresses it is the last one now */
	assert_int_equal(go(&s, D, BASE + MIB, BUSWAY_WRITE, false), BUSWAY_PCI_ARRIVED);
	tree_acs(&f[DP0], 0x7f, BUSWAY_ACS_SV);
	assert_int_equal(go(&s, D, BASE + MIB, BUSWAY_WRITE, false), BUSWAY_PCI_ACS_VIOLATION);
	assert_int_equal(s.out.acs, BUSWAY_ACS_SV);
}

static void on_a_shared_bus_who_answers_has_it(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	assert_int_equal(go(&s, C, BASE + 2 * MIB + 4096, BUSWAY_READ, false), BUSWAY_PCI_ARRIVED);
	assert_int_equal(s.out.function.index, D);
	assert_int_equal(go(&s, C, BASE + 2 * MIB + 65536, BUSWAY_READ, false),
			 BUSWAY_PCI_MASTER_ABORT);
	f[CB].bridge.memory.last = BASE + 2 * MIB + 4095; /* the bridge answers to D's, too */
	assert_int_equal(go(&s, C, BASE + 2 * MIB + 4096, BUSWAY_READ, false),
			 BUSWAY_PCI_COLLISION);
	f[C].bus_master = false;
	assert_int_equal(go(&s, C, BASE, BUSWAY_READ, false), BUSWAY_PCI_NO_MASTER);
}

static void in_a_switch_nobody_or_two_may_answer(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	f[DP1].bridge.memory.last = BASE + MIB + 0x7ffff;
	assert_int_equal(go(&s, A, BASE + MIB + 0x80000, BUSWAY_WRITE, false),
			 BUSWAY_PCI_UNSUPPORTED);
	f[UP].bridge.memory.last = BASE + MIB - 1;
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_COLLISION);
	f[DP1].memory_decode = false; /* and goes up then, where only the root port is in the way */
	assert_int_equal(write_b(&s, false), BUSWAY_PCI_LOOPS_BACK);
}

static void the_root_complex_knows_cpu_addresses(void **state)
{
	static struct scene s;
	struct busway_pci_function *f = draw(&s);

	(void)state;
	assert_int_equal(go(&s, A, 0x1000, BUSWAY_WRITE, false), BUSWAY_PCI_TO_CPU);
	assert_int_equal(s.out.phys, 0x1000);
	s.no_inbound = true;
	assert_int_equal(go(&s, A, 0x1000, BUSWAY_WRITE, false), BUSWAY_PCI_NO_INBOUND);
	f[A].translated = true;
	assert_int_equal(go(&s, A, 0x1000, BUSWAY_WRITE, false), BUSWAY_PCI_IOMMU_FAULT);
	s.forwards = true;
	assert_int_equal(go(&s, A, ((uint64_t)1 << 40) + BASE + 2 * MIB + 4, BUSWAY_READ, false),
			 BUSWAY_PCI_ARRIVED);
	assert_int_equal(s.out.function.index, C);
	assert_int_equal(s.out.offset, 4);
}

static void each_hop_is_told(void **state)
{
	static const struct {
		enum busway_pci_step step;
		uint32_t function;
	} way[] = {
		{BUSWAY_PCI_STEP_EMIT, A},   {BUSWAY_PCI_STEP_UP, DP0},
		{BUSWAY_PCI_STEP_TURN, DP0}, {BUSWAY_PCI_STEP_DOWN, DP1},
		{BUSWAY_PCI_STEP_ARRIVE, B}, {BUSWAY_PCI_STEP_COMPLETION, DP1},
	};
	static struct scene s;

	(void)state;
	draw(&s);
	assert_int_equal(go(&s, A, BASE + MIB, BUSWAY_READ, false), BUSWAY_PCI_ARRIVED);
	assert_int_equal(s.out.hop_count, COUNT(way));
	for (size_t i = 0; i < COUNT(way); i++) {
		assert_int_equal(s.out.hops[i].step, way[i].step);
		assert_int_equal(s.out.hops[i].function.index, way[i].function);
	}
	for (int i = 0; i < BUSWAY_PCI_END_COUNT; i++)
		assert_true(busway_pci_end_code((enum busway_pci_end)i)[0] &&
			    busway_pci_end_text((enum busway_pci_end)i)[0]);
	for (int i = 0; i <= BUSWAY_PCI_STEP_CR; i++)
		assert_true(busway_pci_step_text((enum busway_pci_step)i)[0]);
}

static void bytes_stay_where_they_were_written(void **state)
{
	static struct scene s;
	uint8_t bytes[256], found[256];

	(void)state;
	draw(&s);
	open(&s);
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned i = 0; i < 256; i++)
			bytes[i] = (uint8_t)(i ^ round);
		assert_int_equal(busway_pci_fabric_write(s.fabric, (busway_pci_id){A},
							 BASE + MIB + round * 300, bytes, 256,
							 &s.out),
				 0);
	}
	for (unsigned round = 0; round < 8; round++) {
		assert_int_equal(busway_pci_fabric_read(s.fabric, (busway_pci_id){A},
							BASE + MIB + round * 300, found, 256,
							&s.out),
				 0);
		for (unsigned i = 0; i < 256; i++)
			assert_int_equal(found[i], i ^ round);
	}
	/* behind the BAR nothing answers, and reads as ones; what is in front of it is there */
	assert_int_equal(busway_pci_fabric_read(s.fabric, (busway_pci_id){A}, BASE + MIB + 4094,
						found, 4, &s.out),
			 -BUSWAY_ERANGE);
	assert_int_equal(s.out.end, BUSWAY_PCI_UNSUPPORTED);
	assert_int_equal(found[1], 0);
	assert_int_equal(found[2], 0xff);
	assert_int_equal(
		busway_pci_fabric_write(s.fabric, (busway_pci_id){A}, UINT64_MAX, bytes, 2, &s.out),
		-BUSWAY_EINVAL);
	close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirect_and_egress_control),
		cmocka_unit_test(what_is_sent_up_needs_uf_and_a_root_complex),
		cmocka_unit_test(translated_requests_go_straight_or_nowhere),
		cmocka_unit_test(completions_have_a_way_of_their_own),
		cmocka_unit_test(the_source_is_validated),
		cmocka_unit_test(on_a_shared_bus_who_answers_has_it),
		cmocka_unit_test(in_a_switch_nobody_or_two_may_answer),
		cmocka_unit_test(the_root_complex_knows_cpu_addresses),
		cmocka_unit_test(each_hop_is_told),
		cmocka_unit_test(bytes_stay_where_they_were_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
