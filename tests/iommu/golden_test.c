/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * golden_test.c - descriptors worked out by hand from the manuals.
 *
 * Each case says in .because how its bits add up. Sections: Arm DDI 0487 D8.3 (descriptor formats),
 * D8.4 (AP, S2AP, XN), D8.6 (AttrIndx, MemAttr, SH), D8.7.1 (Contiguous); VT-d 9.8; AMD 48882 2.2.3
 * (PTE and PDE fields, page-size encodings); RISC-V Privileged: Sv39, Svnapot, Svpbmt.
 */
#include "rig.h"

#include <string.h>

struct golden {
	const char *because;
	const char *table; /* of rig.c */
	uint64_t iova, phys, size;
	unsigned prot;
	uint64_t leaf; /* the entry that maps the first byte */
};

enum {
	RW = BUSWAY_READ_WRITE,
	X = BUSWAY_PROT_EXECUTE,
	NC = BUSWAY_PROT_NONCOHERENT,
	DEV = BUSWAY_PROT_DEVICE,
	SNP = BUSWAY_PROT_FORCE_SNOOP,
};

#define K(n) ((uint64_t)(n) << 10)
#define M(n) ((uint64_t)(n) << 20)
#define G(n) ((uint64_t)(n) << 30)

static const struct golden goldens[] = {
	/* Arm stage 1, D8.3.1.1 and D8.3.2 */
	{"page 3, AttrIndx 1 (4), AP[1] (40), SH inner (300), AF (400), nG (800), PXN and UXN (0060...)",
	 "arm s1 4K 48", 0x1000, 0x812345000, K(4), RW, 0x0060000812345f47},
	{"read only: AP[2] (80)", "arm s1 4K 48", 0x1000, 0x812345000, K(4), BUSWAY_READ,
	 0x0060000812345fc7},
	{"device: AttrIndx 2 (8), SH outer (200)", "arm s1 4K 48", 0x1000, 0x812345000, K(4),
	 RW | DEV, 0x0060000812345e4b},
	{"non-cacheable: AttrIndx 0, SH outer", "arm s1 4K 48", 0x1000, 0x812345000, K(4), RW | NC,
	 0x0060000812345e43},
	{"code: neither PXN nor UXN", "arm s1 4K 48", 0x1000, 0x812345000, K(4), RW | X,
	 0x0000000812345f47},
	{"a block ends with 01", "arm s1 4K 48", 0x200000, 0x812200000, M(2), RW,
	 0x0060000812200f45},
	{"a block of level 1", "arm s1 4K 48", G(512), G(33), G(1), RW, 0x0060000840000f45},
	{"16 pages: Contiguous (0010...)", "arm s1 4K 48", 0x10000, 0x812340000, K(64), RW,
	 0x0070000812340f47},
	{"16 blocks of 2 MiB", "arm s1 4K 48", M(32), 0x812000000, M(32), RW, 0x0070000812000f45},
	{"16K: 128 pages are 2 MiB", "arm s1 16K 48", M(2), 0x812200000, M(2), RW,
	 0x0070000812200f47},
	{"16K: a block is 32 MiB", "arm s1 16K 48", M(32), 0x812000000, M(32), RW,
	 0x0060000812000f45},
	{"64K: 32 pages are 2 MiB", "arm s1 64K 48", M(2), 0x812200000, M(2), RW,
	 0x0070000812200f47},
	{"64K: a block is 512 MiB", "arm s1 64K 48", M(512), 0x820000000, M(512), RW,
	 0x0060000820000f45},
	{"64K, FEAT_LPA: 51:48 (d) stand in 15:12, SH stays", "arm s1 64K 52", 0x10000,
	 0xd5a3012340000, K(64), RW, 0x00605a301234df47},
	{"4K, FEAT_LPA2: 51:50 (3) stand in 9:8, 49:48 (1) where they are, no SH", "arm s1 4K 52",
	 0x1000, 0xd5a3012345000, K(4), RW, 0x00615a3012345f47},
	{"the same with 51:50 of 1 and 49:48 of 2", "arm s1 4K 52", 0x1000, 0x6000000001000, K(4), RW,
	 0x0062000000001d47},
	{"4K, FEAT_LPA2: a block of level 0", "arm s1 4K 52", G(512), G(1024), G(512), RW,
	 0x0060010000000c45},
	/* Arm stage 2 */
	{"page 3, MemAttr 15 (3c), S2AP 3 (c0), SH inner (300), AF (400), XN 10 (0040...)",
	 "arm s2 4K 40", 0x1000, 0x812345000, K(4), RW, 0x00400008123457ff},
	{"write only: S2AP 2 (80)", "arm s2 4K 40", 0x1000, 0x812345000, K(4), BUSWAY_WRITE,
	 0x00400008123457bf},
	{"device: MemAttr 1 (4), SH outer", "arm s2 4K 40", 0x1000, 0x812345000, K(4), RW | DEV,
	 0x00400008123456c7},
	{"non-cacheable: MemAttr 5 (14), SH outer", "arm s2 4K 40", 0x1000, 0x812345000, K(4),
	 RW | NC, 0x00400008123456d7},
	/* VT-d 9.8 */
	{"R and W", "vt-d 48", 0x1000, 0x812345000, K(4), RW, 0x812345003},
	{"R", "vt-d 48", 0x1000, 0x812345000, K(4), BUSWAY_READ, 0x812345001},
	{"W", "vt-d 48", 0x1000, 0x812345000, K(4), BUSWAY_WRITE, 0x812345002},
	{"SNP is bit 11", "vt-d 48", 0x1000, 0x812345000, K(4), RW | SNP, 0x812345803},
	{"PS in a PDE", "vt-d 48", 0x200000, 0x812200000, M(2), RW, 0x812200083},
	{"PS in a PDPE", "vt-d 57", G(512), G(33), G(1), RW, 0x840000083},
	/* AMD 2.2.3 */
	{"PR, IR (bit 61), IW (62), next level 0", "amd 48", 0x1000, 0x812345000, K(4), RW,
	 0x6000000812345001},
	{"IR", "amd 48", 0x1000, 0x812345000, K(4), BUSWAY_READ, 0x2000000812345001},
	{"FC is bit 60", "amd 48", 0x1000, 0x812345000, K(4), RW | SNP, 0x7000000812345001},
	{"8 KiB: next level 7 (e00), bit 12 is the lowest zero", "amd 48", 0x2000, 0x812344000, K(8),
	 RW, 0x6000000812344e01},
	{"64 KiB: bits 14:12 are set, 15 is not", "amd 48", 0x10000, 0x812340000, K(64), RW,
	 0x6000000812347e01},
	{"1 MiB: bits 18:12 are set", "amd 48", M(1), 0x812300000, M(1), RW, 0x600000081237fe01},
	{"2 MiB has its level to itself: next level 0", "amd 48", M(2), 0x812200000, M(2), RW,
	 0x6000000812200001},
	{"4 MiB: bits 20:12 are set", "amd 48", M(4), 0x812400000, M(4), RW, 0x60000008125ffe01},
	{"6 levels", "amd 64", ~(uint64_t)0xfff, 0x812345000, K(4), RW, 0x6000000812345001},
	/* RISC-V */
	{"V, R, W, U, A, D (d7); the page number from bit 10", "risc-v 39", 0x1000, 0x812345000, K(4),
	 RW, 0x2048d14d7},
	{"read only: neither W nor D", "risc-v 39", 0x1000, 0x812345000, K(4), BUSWAY_READ,
	 0x2048d1453},
	{"code: X", "risc-v 39", 0x1000, 0x812345000, K(4), RW | X, 0x2048d14df},
	{"64 KiB: N, and 8 in the lowest bits of the page number", "risc-v 39", 0x10000, 0x812340000,
	 K(64), RW, 0x80000002048d20d7},
	{"a megapage", "risc-v 39", M(2), 0x812200000, M(2), RW, 0x2048800d7},
	{"56 bits of address", "risc-v 39", 0x1000, 0xa5123456789000, K(4),
	 RW, 0x29448d159e24d7},
};

/* Entries that lead to tables: the one at the top of each of these. */
static const struct {
	const char *because;
	const char *table;
	uint64_t bits; /* beside the address of the next table */
	uint64_t address; /* how that stands in the entry: a mask */
} ways[] = {
	{"Arm: a table ends with 11, nothing else", "arm s1 4K 48", 3, 0xfffffffff000},
	{"VT-d: R and W, so that leaves decide", "vt-d 48", 3, 0xffffffffff000},
	{"AMD: PR, IR, IW, next level 3 (600) of 4", "amd 48", 0x6000000000000601, 0xffffffffff000},
	{"AMD: next level 5 (a00) of 6", "amd 64", 0x6000000000000a01, 0xffffffffff000},
	{"RISC-V: V only", "risc-v 48", 1, 0x3ffffffffffc00},
};

static const struct table_case *find_case(const char *name)
{
	for (size_t i = 0; i < table_case_count; i++)
		if (!strcmp(table_cases[i].name, name))
			return &table_cases[i];
	fail_msg("no case %s", name);
	return NULL;
}

static void leaves_are_as_the_manuals_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(goldens); i++) {
		const struct golden *g = &goldens[i];
		struct walk_result r;
		uint64_t entry;
		static struct rig rig;

		rig_make(&rig, find_case(g->table));
		rig_open(&rig);
		if (rig_map(&rig, g->iova, g->phys, g->size, g->prot))
			fail_msg("%s: %s: refused", g->table, g->because);
		r = rig_walk(&rig, g->iova);
		entry = rig_read(&rig, r.entry_at);
		if (entry != g->leaf)
			fail_msg("%s: %s: 0x%016" PRIx64 ", not 0x%016" PRIx64, g->table, g->because,
				 entry, g->leaf);
		assert_int_equal(r.page_size, g->size);
		rig_close(&rig);
	}
}

static void tables_are_linked_as_the_manuals_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ways); i++) {
		static struct rig rig;
		uint64_t entry;

		rig_make(&rig, find_case(ways[i].table));
		rig_open(&rig);
		assert_int_equal(rig_map(&rig, 0, 0x1000, K(4), RW), 0);
		entry = rig_read(&rig, rig.walker.root);
		if ((entry & ~ways[i].address) != ways[i].bits)
			fail_msg("%s: 0x%016" PRIx64, ways[i].because, entry);
		rig_close(&rig);
	}
}

/* Arm D8.2.1 and D8.2.2 (start levels, concatenation), VT-d 3.7, AMD 2.2.3 (mode), Sv39 to Sv57. */
static void the_root_is_described_for_registers(void **state)
{
	static const struct {
		const char *table;
		unsigned levels, start_level, concatenated;
		size_t size;
	} roots[] = {
		{"arm s1 4K 48", 4, 0, 1, 4096},
		{"arm s1 4K 39 of 40", 3, 1, 1, 4096},
		{"arm s1 4K 52", 5, UINT32_MAX, 1, 16 * 8},
		{"arm s1 16K 48", 4, 0, 1, 64},      /* one bit: 16 bytes, 64 at least */
		{"arm s1 16K 36", 2, 2, 1, 2048 * 8},
		{"arm s1 64K 48", 3, 1, 1, 64 * 8},
		{"arm s1 64K 52", 3, 1, 1, 1024 * 8},
		{"arm s2 4K 40", 3, 1, 2, 2 * 4096},
		{"arm s2 4K 25", 2, 2, 1, 16 * 8},   /* 16 tables at level 3 need FEAT_TTST */
		{"arm s2 4K 52", 4, 0, 16, 16 * 4096},
		{"arm s2 16K 48", 3, 1, 2, 2 * 16384},
		{"vt-d 39", 3, 2, 1, 4096},
		{"vt-d 57", 5, 4, 1, 4096},
		{"amd 48", 4, 3, 1, 4096},
		{"amd 64", 6, 5, 1, 4096},
		{"risc-v 39", 3, 2, 1, 4096},
		{"risc-v 57", 5, 4, 1, 4096},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(roots); i++) {
		struct busway_pagetable_root root;
		static struct rig rig;

		rig_make(&rig, find_case(roots[i].table));
		rig_open(&rig);
		root = busway_pagetable_root(rig.table);
		if (root.levels != roots[i].levels || root.start_level != roots[i].start_level ||
		    root.concatenated != roots[i].concatenated || root.size != roots[i].size)
			fail_msg("%s: %u levels from %d, %u joined, %zu bytes", roots[i].table,
				 root.levels, (int)root.start_level, root.concatenated, root.size);
		assert_int_equal(root.table.raw & (root.size - 1), 0);
		rig_close(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_are_as_the_manuals_say),
		cmocka_unit_test(tables_are_linked_as_the_manuals_say),
		cmocka_unit_test(the_root_is_described_for_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
