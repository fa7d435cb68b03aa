/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skip_test.c - AMD's entries that lead several levels down at once (48882, section 2.2.3).
 *
 * Judges: entries worked out by hand, the walker of src/sim, and a twin that leaves no level out,
 * which is given the same calls.
 */
#include "rig.h"

#include <string.h>

enum { RW = BUSWAY_READ_WRITE, CASE_AMD_48 = 20, CASE_AMD_64 = 21 };

#define K(n)  ((uint64_t)(n) << 10)
#define M(n)  ((uint64_t)(n) << 20)
#define G(n)  ((uint64_t)(n) << 30)
#define WAY   ((uint64_t)0x6000000000000001) /* PR, IR (bit 61), IW (62) */
#define TO(n) (WAY | (uint64_t)(n) << 9)     /* next level 11:9 */
#define TABLE ((uint64_t)0x000ffffffffff000)

static const struct busway_dma_range everything = {{0}, {UINT64_MAX}};

static void open_amd(struct rig *rig, size_t which, bool skip)
{
	rig_make(rig, &table_cases[which]);
	rig->options.skip_levels = skip;
	rig->options.exclusive = true;
	rig->options.track_dirty = true;
	rig_open(rig);
}

static uint64_t entry_at(const struct rig *rig, uint64_t table, unsigned index)
{
	return rig_read((void *)(uintptr_t)rig, table + index * 8);
}

static void expect_way(uint64_t entry, uint64_t bits)
{
	if ((entry & ~TABLE) != bits)
		fail_msg("0x%016" PRIx64 ", not 0x%016" PRIx64, entry, bits);
}

/* ---- by hand ---- */

static void levels_whose_index_is_zero_are_left_out(void **state)
{
	static struct rig rig;
	uint64_t entry;

	(void)state;
	open_amd(&rig, CASE_AMD_48, true);
	assert_int_equal(rig_map(&rig, 0x5000, 0x1000, K(4), RW), 0);
	expect_way(entry_at(&rig, rig.walker.root, 0), TO(1));
	assert_int_equal(rig_walk(&rig, 0x5000).tables, 2);
	/* a page of 2 MiB stands in a table of level 2 */
	assert_int_equal(rig_map(&rig, G(512) + M(4), 0x80200000, M(2), RW), 0);
	expect_way(entry_at(&rig, rig.walker.root, 1), TO(2));
	/* bits 38:30 are 3: a table of level 3, and from there down to level 1 at once */
	assert_int_equal(rig_map(&rig, G(1024) + G(3) + 0x1000, 0x2000, K(4), RW), 0);
	entry = entry_at(&rig, rig.walker.root, 2);
	expect_way(entry, TO(3));
	expect_way(entry_at(&rig, entry & TABLE, 3), TO(1));
	assert_int_equal(rig.live, 1 + 1 + 1 + 2);
	assert_false(busway_pagetable_replaced(rig.table));
	rig_close(&rig);
}

static void a_level_comes_in_between_where_its_index_is_not_zero(void **state)
{
	static struct rig rig;
	uint64_t first, second;

	(void)state;
	open_amd(&rig, CASE_AMD_64, true);
	assert_int_equal(rig_map(&rig, 0x5000, 0x1000, K(4), RW), 0);
	first = entry_at(&rig, rig.walker.root, 0);
	expect_way(first, TO(1));
	/* bits 38:30: level 3, which leads on to what was there */
	assert_int_equal(rig_map(&rig, G(1), 0x2000, K(4), RW), 0);
	second = entry_at(&rig, rig.walker.root, 0);
	expect_way(second, TO(3));
	assert_true(entry_at(&rig, second & TABLE, 0) == first);
	expect_way(entry_at(&rig, second & TABLE, 1), TO(1));
	assert_true(busway_pagetable_replaced(rig.table));
	assert_false(busway_pagetable_replaced(rig.table));
	/* bits 29:21: level 2, between that table and the first */
	assert_int_equal(rig_map(&rig, M(2), 0x3000, K(4), RW), 0);
	assert_true(entry_at(&rig, rig.walker.root, 0) == second);
	expect_way(entry_at(&rig, second & TABLE, 0), TO(2));
	assert_true(entry_at(&rig, entry_at(&rig, second & TABLE, 0) & TABLE, 0) == first);
	assert_true(busway_pagetable_replaced(rig.table));
	/* what is in a table that is there replaces nothing */
	assert_int_equal(rig_map(&rig, M(4), 0x4000, K(4), RW), 0);
	assert_false(busway_pagetable_replaced(rig.table));
	assert_int_equal(rig_walk(&rig, 0x5000).phys, 0x1000);
	assert_int_equal(rig_walk(&rig, G(1)).phys, 0x2000);
	assert_int_equal(rig_walk(&rig, M(2)).phys, 0x3000);
	rig_close(&rig);
}

static void what_an_entry_skips_is_not_mapped(void **state)
{
	const struct busway_dma_range other = rig_range(M(2), K(4));
	struct busway_translation t;
	struct busway_refusal why;
	static struct rig rig;
	uint64_t unmapped = 1;

	(void)state;
	open_amd(&rig, CASE_AMD_48, true);
	assert_int_equal(rig_map(&rig, 0, 0x1000, K(4), RW), 0);
	assert_false(busway_pagetable_lookup(rig.table, busway_dma(M(2)), &t));
	assert_false(busway_pagetable_lookup(rig.table, busway_dma(G(1)), &t));
	assert_int_equal(busway_pagetable_unmap(rig.table, other, 0, &rig.freed, NULL, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_NOT_MAPPED);
	assert_int_equal(busway_pagetable_unmap(rig.table, other, BUSWAY_UNMAP_HOLES, &rig.freed,
						&unmapped, NULL),
			 0);
	assert_int_equal(unmapped, 0);
	assert_true(busway_pagetable_lookup(rig.table, busway_dma(0), &t));
	/* the table goes as soon as it is empty, and with it the entry that led there */
	assert_int_equal(rig_unmap(&rig, 0, K(4)), 0);
	assert_int_equal(rig.freed.count, 1);
	assert_true(entry_at(&rig, rig.walker.root, 0) == 0);
	rig_close(&rig);
}

static void only_amd_and_only_exclusive(void **state)
{
	(void)state;
	for (size_t i = 0; i < table_case_count; i++) {
		struct busway_pagetable *table = NULL;
		static struct rig rig;

		rig_make(&rig, &table_cases[i]);
		rig_open(&rig);
		rig.options.skip_levels = true;
		rig.options.exclusive = rig.what->format != BUSWAY_AMD_V1;
		assert_int_equal(busway_pagetable_create(&rig.options, &rig.tables,
							 &rig.memory.allocator, &table),
				 -BUSWAY_EINVAL);
		rig_close(&rig);
	}
}

/* ---- beside a twin ---- */

struct twins {
	struct rig rig, full;
	struct rng rng;
};

/* Indexes are mostly 0, so that regions meet at all levels. */
static uint64_t draw_iova(struct twins *t)
{
	static const unsigned indexes[] = {0, 0, 0, 0, 1, 2, 511};
	uint64_t iova = 0;

	for (unsigned shift = 12; shift < 64; shift += 9)
		iova |= (uint64_t)indexes[rng_below(&t->rng, COUNT(indexes))] << shift;
	return iova & busway_bits_last(t->rig.what->input_bits);
}

static uint64_t draw_size(struct twins *t)
{
	static const uint64_t sizes[] = {K(4),        K(8), K(64), M(1), M(2),
					 M(2) + K(4), M(4), G(1),  G(2)};

	return sizes[rng_below(&t->rng, COUNT(sizes))];
}

struct text {
	char bytes[32768];
	size_t length;
};

static bool add_run(void *ctx, const struct busway_mapped_run *run)
{
	struct text *text = ctx;

	text->length += busway_mapped_run_text(run, text->bytes + text->length,
					       sizeof(text->bytes) - text->length);
	assert_true(text->length < sizeof(text->bytes));
	return true;
}

static void expect_alike(struct twins *t, struct busway_dma_range range)
{
	static struct text here, there;

	here = there = (struct text){.length = 0};
	assert_true(busway_pagetable_runs(t->rig.table, range, add_run, &here));
	assert_true(busway_pagetable_runs(t->full.table, range, add_run, &there));
	assert_string_equal(here.bytes, there.bytes);
	here = there = (struct text){.length = 0};
	assert_int_equal(busway_pagetable_dirty(t->rig.table, range, true, add_run, &here), 0);
	assert_int_equal(busway_pagetable_dirty(t->full.table, range, true, add_run, &there), 0);
	assert_string_equal(here.bytes, there.bytes);
	/* never more tables */
	assert_true(t->rig.live <= t->full.live);
}

static void expect_same_byte(struct twins *t, uint64_t iova)
{
	const struct walk_result here = rig_walk(&t->rig, iova), there = rig_walk(&t->full, iova);
	struct busway_translation b;

	assert_int_equal(here.mapped, there.mapped);
	assert_int_equal(busway_pagetable_lookup(t->rig.table, busway_dma(iova), &b), here.mapped);
	if (!here.mapped)
		return;
	assert_true(here.phys == there.phys && b.phys.raw == here.phys);
	assert_true(here.page_size == there.page_size && here.tables <= there.tables);
	/* a device writes there: D is bit 6 */
	*(uint64_t *)(t->rig.arena + (here.entry_at - t->rig.what->tables_at)) |= 0x40;
	*(uint64_t *)(t->full.arena + (there.entry_at - t->full.what->tables_at)) |= 0x40;
}

static void step(struct twins *t)
{
	const uint64_t size = draw_size(t), phys = rng_below(&t->rng, 64) * M(512);
	const uint64_t iova = draw_iova(t) & ~((size & -size) - 1);
	const struct busway_dma_range range = rig_range(iova, size);
	uint64_t here = 0, there = 0;

	if (range.last.raw < iova || range.last.raw > busway_bits_last(t->rig.what->input_bits))
		return;
	if (rng_chance(&t->rng, 60)) {
		assert_int_equal(rig_map(&t->rig, iova, phys, size, RW),
				 rig_map(&t->full, iova, phys, size, RW));
	} else {
		const unsigned flags = rng_chance(&t->rng, 60) ? BUSWAY_UNMAP_HOLES : 0;

		assert_int_equal(busway_pagetable_unmap(t->rig.table, range, flags, &t->rig.freed,
							&here, NULL),
				 busway_pagetable_unmap(t->full.table, range, flags, &t->full.freed,
							&there, NULL));
		assert_true(here == there);
		rig_release(&t->rig);
		rig_release(&t->full);
	}
	expect_same_byte(t, iova);
	expect_same_byte(t, range.last.raw);
	expect_same_byte(t, draw_iova(t));
	expect_alike(t, everything);
	expect_alike(t, range);
}

static void it_translates_as_one_that_leaves_no_level_out(void **state)
{
	const unsigned rounds = random_rounds(8);

	(void)state;
	for (unsigned r = 0; r < rounds; r++) {
		static struct twins t;

		t.rng = rng_of(random_seed() + r);
		open_amd(&t.rig, r % 2 ? CASE_AMD_48 : CASE_AMD_64, true);
		open_amd(&t.full, r % 2 ? CASE_AMD_48 : CASE_AMD_64, false);
		for (unsigned i = 0; i < 150; i++)
			step(&t);
		assert_int_equal(busway_pagetable_unmap(
					 t.rig.table,
					 (struct busway_dma_range){
						 {0}, {busway_bits_last(t.rig.what->input_bits)}},
					 BUSWAY_UNMAP_HOLES, &t.rig.freed, NULL, NULL),
				 0);
		rig_release(&t.rig);
		assert_int_equal(t.rig.live, 1); /* the root */
		rig_close(&t.rig);
		rig_close(&t.full);
	}
}

static void without_memory_nothing_has_changed(void **state)
{
	static struct rig rig;
	unsigned failures = 0;

	(void)state;
	open_amd(&rig, CASE_AMD_64, true);
	assert_int_equal(rig_map(&rig, 0, 0x1000, K(4), RW), 0);
	for (size_t n = 1;; n++) {
		const size_t live = rig.live;
		const uint64_t entry = entry_at(&rig, rig.walker.root, 0);
		int status;

		rig_fail_at(&rig, n, n % 2);
		/* across 1 GiB in small pages: levels 3 and 2 come in between */
		status = rig_map(&rig, G(1) - M(2), 0x1000, M(4), RW);
		rig_fail_at(&rig, 0, false);
		if (!status)
			break;
		failures++;
		assert_int_equal(status, -BUSWAY_ENOMEM);
		assert_int_equal(rig.live, live);
		assert_true(entry_at(&rig, rig.walker.root, 0) == entry);
		assert_false(busway_pagetable_replaced(rig.table));
	}
	assert_true(failures >= 4);
	assert_true(busway_pagetable_replaced(rig.table));
	assert_int_equal(rig_walk(&rig, G(1)).phys, 0x201000);
	assert_int_equal(rig_walk(&rig, 0).phys, 0x1000);
	rig_close(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_whose_index_is_zero_are_left_out),
		cmocka_unit_test(a_level_comes_in_between_where_its_index_is_not_zero),
		cmocka_unit_test(what_an_entry_skips_is_not_mapped),
		cmocka_unit_test(only_amd_and_only_exclusive),
		cmocka_unit_test(it_translates_as_one_that_leaves_no_level_out),
		cmocka_unit_test(without_memory_nothing_has_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
