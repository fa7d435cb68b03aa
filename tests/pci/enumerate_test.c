/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * enumerate_test.c - small trees with every setting: each verdict is executed on the fabric.
 *
 *   root port -- upstream port -- downstream port 0 -- endpoint
 *                              \- downstream port 1 -- endpoint, or a switch with two more
 *   root port -- endpoint
 */
#include "../support/test.h"

#include "judge.h"

#define MIB  ((uint64_t)1 << 20)
#define BASE ((uint64_t)0x80000000)

static struct score score;

static void judge(struct tree *t, bool zen)
{
	const struct busway_p2p_policy policy = {.view = BUSWAY_P2P_ROUTE, .cpu_zen = zen};

	judge_tree(t, t, true, &policy, &score);
}

static void add_host(struct tree *t, uint64_t offset)
{
	for (size_t i = 0; i < 2; i++)
		t->windows[0][i] = (struct busway_outbound){
			.kind = BUSWAY_OUTBOUND_MEM32,
			.has_cpu = true,
			.bus = {BASE + i * 16 * MIB, BASE + (i + 1) * 16 * MIB - 1},
			.cpu = {BASE + i * 16 * MIB + offset},
		};
	t->hosts[t->host_count++] = (struct busway_pci_host){.name = "pci0000:00",
							     .windows = t->windows[0],
							     .window_count = 2,
							     .windows_known = true};
}

static void endpoint(struct tree *t, uint8_t bus, uint64_t at, uint64_t offset, bool translated)
{
	struct busway_pci_function *f = tree_add(t, BUSWAY_PCI_ENDPOINT, bus, 0);

	tree_bar(f, 0, at, 4096);
	f->bars[0].cpu.raw += offset;
	f->translated = translated;
}

enum { RP1, RP2, UP, DP0, DP1 };

static void draw(struct tree *t, uint64_t offset, bool translated)
{
	*t = (struct tree){0};
	tree_bridge(t, BUSWAY_PCI_ROOT_PORT, 0, 1 << 3, 1, 4, BASE, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_ROOT_PORT, 0, 2 << 3, 5, 5, BASE + 2 * MIB, MIB);
	tree_bridge(t, BUSWAY_PCI_UPSTREAM_PORT, 1, 0, 2, 4, BASE, 2 * MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 0, 3, 3, BASE, MIB);
	tree_bridge(t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 1 << 3, 4, 4, BASE + MIB, MIB);
	endpoint(t, 3, BASE, offset, translated);
	endpoint(t, 4, BASE + MIB, offset, translated);
	endpoint(t, 5, BASE + 2 * MIB, offset, translated);
	add_host(t, offset);
}

/* Every control register of one port, its vector for the other, those of the other and of the root
 * port that matter to it. */
static void every_acs_setting_of_a_switch(void **state)
{
	static struct tree t;

	(void)state;
	for (unsigned i = 0; i < 1 << 13; i++) {
		const uint16_t control = i & 0x7f;

		draw(&t, i >> 11 & 1 ? 0x4000000000 : 0, i >> 12 & 1);
		tree_acs(&t.functions[DP0], 0x7f, control);
		t.functions[DP0].acs.egress[0] = i >> 7 & 1 ? 2 : 0;
		tree_acs(&t.functions[DP1], 0x7f, i >> 8 & 1 ? BUSWAY_ACS_CR : 0);
		if (i >> 9 & 1)
			tree_acs(&t.functions[RP1], 0x7f, BUSWAY_ACS_UF);
		judge(&t, i >> 10 & 1);
	}
}

/* The same with ATS on, and an IOMMU. */
static void every_acs_setting_with_translated_requests(void **state)
{
	static struct tree t;

	(void)state;
	for (unsigned i = 0; i < 1 << 11; i++) {
		draw(&t, i >> 10 & 1 ? 0x4000000000 : 0, true);
		for (size_t k = 5; k < t.count; k++) {
			t.functions[k].ats = BUSWAY_PRESENT;
			t.functions[k].ats_enabled = true;
		}
		tree_acs(&t.functions[DP0], 0x7f, i & 0x7f);
		t.functions[DP0].acs.egress[0] = i >> 7 & 1 ? 2 : 0;
		tree_acs(&t.functions[RP1], 0x7f,
			 (i >> 8 & 1 ? BUSWAY_ACS_UF : 0) | (i >> 9 & 1 ? BUSWAY_ACS_TB : 0));
		judge(&t, true);
	}
}

/* Of each bridge the window is right, closed, too short, too long, or elsewhere. */
static void every_way_to_set_windows_wrong(void **state)
{
	static struct tree t;

	(void)state;
	for (unsigned i = 0; i < 5 * 5 * 5 * 5 * 5 * 2; i++) {
		unsigned rest = i / 2;

		draw(&t, 0, false);
		tree_acs(&t.functions[RP1], 0x7f, BUSWAY_ACS_UF);
		tree_acs(&t.functions[DP0], 0x7f, i & 1 ? BUSWAY_ACS_RR : 0);
		for (size_t k = RP1; k <= DP1; k++, rest /= 5) {
			struct busway_pci_bridge *b = &t.functions[k].bridge;

			switch (rest % 5) {
			case 1:
				b->memory_open = false;
				break;
			case 2:
				b->memory.last = b->memory.first + 2047;
				break;
			case 3:
				b->memory.last += MIB;
				break;
			case 4:
				b->memory.first += 8 * MIB;
				b->memory.last += 8 * MIB;
				break;
			}
		}
		judge(&t, true);
	}
}

/* A switch below a switch: what the inner one sends up, the outer one must send up as well. */
static void every_way_to_send_up_through_two_switches(void **state)
{
	static const uint16_t outer[] = {0, BUSWAY_ACS_UF, BUSWAY_ACS_RR,
					 BUSWAY_ACS_RR | BUSWAY_ACS_UF | BUSWAY_ACS_CR};
	static struct tree t;

	(void)state;
	for (unsigned i = 0; i < 1 << 9; i++) {
		t = (struct tree){0};
		tree_bridge(&t, BUSWAY_PCI_ROOT_PORT, 0, 8, 1, 8, BASE, 4 * MIB);
		tree_bridge(&t, BUSWAY_PCI_UPSTREAM_PORT, 1, 0, 2, 8, BASE, 4 * MIB);
		tree_bridge(&t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 0, 3, 6, BASE, 3 * MIB);
		tree_bridge(&t, BUSWAY_PCI_DOWNSTREAM_PORT, 2, 8, 7, 7, BASE + 3 * MIB, MIB);
		tree_bridge(&t, BUSWAY_PCI_UPSTREAM_PORT, 3, 0, 4, 6, BASE, 3 * MIB);
		tree_bridge(&t, BUSWAY_PCI_DOWNSTREAM_PORT, 4, 0, 5, 5, BASE, MIB);
		tree_bridge(&t, BUSWAY_PCI_DOWNSTREAM_PORT, 4, 8, 6, 6, BASE + MIB, MIB);
		endpoint(&t, 5, BASE, 0, i >> 8 & 1);
		endpoint(&t, 6, BASE + MIB, 0, false);
		endpoint(&t, 7, BASE + 3 * MIB, 0, false);
		add_host(&t, 0);
		tree_acs(&t.functions[5], 0x7f, i & 1 ? BUSWAY_ACS_RR : 0);
		tree_acs(&t.functions[6], 0x7f, i >> 1 & 1 ? BUSWAY_ACS_CR : 0);
		if (i >> 2 & 1)
			tree_acs(&t.functions[2], 0x1f, outer[i >> 3 & 3]);
		if (i >> 5 & 1)
			tree_acs(&t.functions[0], 0x1f, outer[i >> 6 & 3]);
		judge(&t, true);
	}
}

static void there_was_some_of_everything(void **state)
{
	(void)state;
	for (size_t i = 0; i <= BUSWAY_P2P_IOMMU; i++)
		assert_true(score.verdicts[i] != 0);
	print_message("# refused %lu, switch %lu, host bridge %lu, IOMMU %lu; carried %lu\n",
		      score.verdicts[0], score.verdicts[1], score.verdicts[2], score.verdicts[3],
		      score.carried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_acs_setting_of_a_switch),
		cmocka_unit_test(every_acs_setting_with_translated_requests),
		cmocka_unit_test(every_way_to_set_windows_wrong),
		cmocka_unit_test(every_way_to_send_up_through_two_switches),
		cmocka_unit_test(there_was_some_of_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
