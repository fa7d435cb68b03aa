/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * property_test.c - random sequences of map and unmap, beside a list of pages.
 *
 * The list says for each page of a window where it leads and what is allowed; the walker, which
 * knows the formats from their manuals only, and the library's own look-up must both say the same
 * of every page, after each step at the edges of what was changed, and at the end of a round of
 * all.
 */
#include "rig.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES = 20480, RUNS = 24 };

/* What a page of the window leads to. */
struct page {
	uint64_t phys;
	unsigned prot;
	bool mapped;
};

struct round {
	struct rig rig;
	struct rng rng;
	uint64_t seed, base, page_size, output_last;
	size_t count; /* pages of the window */
	struct page pages[PAGES];
};

/* ---- comparing ---- */

/* A device reads a page, or writes to it, and the IOMMU marks what it walked. */
static void use(struct round *t, const struct walk_result *w)
{
	uint64_t *at = (uint64_t *)(t->rig.arena + (w->entry_at - t->rig.what->tables_at));

	*at = walk_marked(&t->rig.walker, *at, w->write && rng_chance(&t->rng, 50));
}

static void expect_page(struct round *t, size_t i)
{
	const struct page *p = &t->pages[i];
	const uint64_t within = rng_below(&t->rng, t->page_size);
	const uint64_t iova = t->base + i * t->page_size + within;
	const struct walk_result w = rig_walk(&t->rig, iova);
	struct busway_translation b;
	const bool found = busway_pagetable_lookup(t->rig.table, busway_dma(iova), &b);

	if (w.mapped != p->mapped || found != p->mapped)
		fail_msg("%s, seed %llu: page %zu: %d, walker %d, look-up %d", t->rig.what->name,
			 (unsigned long long)t->seed, i, p->mapped, w.mapped, found);
	if (!p->mapped)
		return;
	if (w.phys != p->phys + within || b.phys.raw != p->phys + within)
		fail_msg("%s, seed %llu: page %zu: 0x%llx, walker 0x%llx, look-up 0x%llx",
			 t->rig.what->name, (unsigned long long)t->seed, i,
			 (unsigned long long)(p->phys + within), (unsigned long long)w.phys,
			 (unsigned long long)b.phys.raw);
	assert_int_equal(w.read, (p->prot & BUSWAY_READ) != 0);
	assert_int_equal(w.write, (p->prot & BUSWAY_WRITE) != 0);
	assert_int_equal(w.execute, (p->prot & BUSWAY_PROT_EXECUTE) != 0);
	assert_int_equal(w.snoop, (p->prot & BUSWAY_PROT_FORCE_SNOOP) != 0);
	assert_int_equal(w.type, p->prot & BUSWAY_PROT_DEVICE        ? 2
				 : p->prot & BUSWAY_PROT_NONCOHERENT ? 1
								     : 0);
	assert_int_equal(b.prot, p->prot);
	assert_int_equal((uint64_t)1 << b.page_lg2, w.page_size);
	assert_true(busway_pagetable_page_sizes(t->rig.table) & w.page_size);
	assert_int_equal(b.accessed, w.accessed);
	assert_int_equal(b.dirty, t->rig.options.track_dirty && w.dirty);
	if (rng_chance(&t->rng, 20))
		use(t, &w);
}

static void expect_all(struct round *t)
{
	for (size_t i = 0; i < t->count; i++)
		expect_page(t, i);
}

/* Both ends of what was changed, and their neighbours. */
static void expect_edges(struct round *t, size_t first, size_t count)
{
	const size_t edges[] = {first, first ? first - 1 : 0, first + count - 1,
				first + count < t->count ? first + count : first,
				first + rng_below(&t->rng, count)};

	for (size_t i = 0; i < sizeof(edges) / sizeof(edges[0]); i++)
		expect_page(t, edges[i]);
}

/* ---- steps ---- */

static size_t draw_length(struct round *t, size_t most)
{
	const unsigned bits = (unsigned)rng_below(&t->rng, 15);
	const size_t length = (size_t)rng_between(&t->rng, 1, (uint64_t)1 << bits);

	/* whole tables are a case of their own */
	if (rng_chance(&t->rng, 30))
		return length < most
			       ? (length + 63) / 64 * 64 < most ? (length + 63) / 64 * 64 : most
			       : most;
	return length < most ? length : most;
}

static size_t draw_first(struct round *t)
{
	const size_t first = (size_t)rng_below(&t->rng, t->count);

	return rng_chance(&t->rng, 50) ? first & ~(size_t)511 : first;
}

static unsigned draw_prot(struct round *t)
{
	unsigned prot = rng_chance(&t->rng, 20) ? BUSWAY_READ : BUSWAY_READ_WRITE;

	switch (t->rig.what->format) {
	case BUSWAY_ARM_STAGE2:
		if (rng_chance(&t->rng, 10))
			prot = BUSWAY_WRITE;
		/* fall through */
	case BUSWAY_ARM_STAGE1:
		prot |= rng_chance(&t->rng, 10) ? BUSWAY_PROT_EXECUTE : 0u;
		if (rng_chance(&t->rng, 20))
			prot |= rng_chance(&t->rng, 50) ? BUSWAY_PROT_DEVICE
							: BUSWAY_PROT_NONCOHERENT;
		break;
	case BUSWAY_RISCV_SV:
		prot |= rng_chance(&t->rng, 10) ? BUSWAY_PROT_EXECUTE : 0u;
		break;
	default:
		if (rng_chance(&t->rng, 10))
			prot = BUSWAY_WRITE;
		prot |= rng_chance(&t->rng, 20) ? BUSWAY_PROT_FORCE_SNOOP : 0u;
		break;
	}
	return prot;
}

/* Anywhere; mostly such that large pages fit, sometimes right at the end or across 2^48. */
static uint64_t draw_phys(struct round *t, size_t first, size_t count)
{
	const uint64_t size = count * t->page_size;
	uint64_t phys = rng_next(&t->rng) & t->output_last & ~(t->page_size - 1);

	if (rng_chance(&t->rng, 60)) /* as the IOVA lies */
		phys = (phys & ~(uint64_t)0x3fffffff) |
		       ((t->base + first * t->page_size) & 0x3fffffff);
	if (rng_chance(&t->rng, 10))
		phys = t->output_last - size + 1;
	if (rng_chance(&t->rng, 10) && t->output_last >> 49)
		phys = ((uint64_t)1 << 48) - rng_below(&t->rng, count + 1) * t->page_size;
	if (phys > t->output_last - size + 1)
		phys = t->output_last - size + 1;
	return phys;
}

static bool any_mapped(const struct round *t, size_t first, size_t count, bool mapped)
{
	for (size_t i = first; i < first + count; i++)
		if (t->pages[i].mapped == mapped)
			return true;
	return false;
}

static void step_map(struct round *t)
{
	const size_t first = draw_first(t);
	const unsigned prot = draw_prot(t);
	const size_t run_count = rng_chance(&t->rng, 50) ? 1 : 1 + rng_below(&t->rng, RUNS);
	struct busway_phys_range runs[RUNS];
	struct page *wanted = calloc(PAGES, sizeof(*wanted));
	struct busway_refusal why;
	size_t count = 0, used = 0;
	int status;

	assert_non_null(wanted);
	for (; used < run_count && first + count < t->count; used++) {
		const size_t length = draw_length(t, t->count - first - count);
		uint64_t phys = draw_phys(t, first + count, length);

		if (used && rng_chance(&t->rng, 30) &&
		    runs[used - 1].last.raw <= t->output_last - length * t->page_size)
			phys = runs[used - 1].last.raw + 1; /* adjoins */
		runs[used] = rig_phys(phys, length * t->page_size);
		for (size_t i = 0; i < length; i++)
			wanted[count + i] = (struct page){phys + i * t->page_size, prot, true};
		count += length;
	}
	status = busway_pagetable_map(t->rig.table, busway_dma(t->base + first * t->page_size),
				      runs, used, prot, &why);
	if (any_mapped(t, first, count, true)) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_ALREADY_MAPPED);
		assert_true(busway_range_overlaps(why.asked, why.limit));
	} else {
		assert_int_equal(status, 0);
		memcpy(t->pages + first, wanted, count * sizeof(*wanted));
	}
	free(wanted);
	expect_edges(t, first, count);
}

/* Does a page begin before @i and reach to it? As the walker sees it. */
static bool is_cut(struct round *t, size_t i)
{
	const uint64_t iova = t->base + i * t->page_size;
	struct walk_result w;

	if (i == t->count || !t->pages[i].mapped)
		return false;
	w = rig_walk(&t->rig, iova);
	return (iova & (w.page_size - 1)) != 0;
}

static void step_unmap(struct round *t)
{
	const size_t first = draw_first(t);
	const size_t count = draw_length(t, t->count - first);
	const bool holes = rng_chance(&t->rng, 50);
	const bool cut = is_cut(t, first) || is_cut(t, first + count);
	struct busway_refusal why = {0};
	const bool counted = !holes || first & 1;
	uint64_t unmapped = 1, expected = 0;
	int status;

	for (size_t i = first; i < first + count; i++)
		expected += t->pages[i].mapped ? t->page_size : 0;
	status = busway_pagetable_unmap(
		t->rig.table, rig_range(t->base + first * t->page_size, count * t->page_size),
		holes ? BUSWAY_UNMAP_HOLES : 0, &t->rig.freed, counted ? &unmapped : NULL, &why);
	if (!holes && any_mapped(t, first, count, false)) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_NOT_MAPPED);
	} else if (cut && status) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_WOULD_SPLIT);
		/* with the pages left out that are needed for it, it may be refused all the same */
		assert_true(!t->rig.options.split || t->rig.options.page_sizes);
	} else {
		assert_true(!cut || t->rig.options.split);
		assert_int_equal(status, 0);
		assert_int_equal(unmapped, counted ? expected : 1);
		for (size_t i = first; i < first + count; i++)
			t->pages[i].mapped = false;
	}
	expect_edges(t, first, count);
	if (rng_chance(&t->rng, 50))
		rig_release(&t->rig);
}

/* ---- rounds ---- */

/* A window somewhere: at the beginning, at the end, or around a boundary of larger pages. */
static void draw_window(struct round *t)
{
	const struct table_case *what = t->rig.what;
	struct busway_range inputs[2];
	const unsigned halves = busway_pagetable_input(t->rig.table, inputs);
	const struct busway_range in = inputs[rng_below(&t->rng, halves)];
	const unsigned table_lg2 = 2 * what->granule_lg2 - 3; /* what a table of pages maps */
	const uint64_t half = (t->count / 2) * t->page_size;

	switch (rng_below(&t->rng, 4)) {
	case 0:
		t->base = in.first;
		break;
	case 1:
		t->base = in.last - t->count * t->page_size + 1;
		break;
	case 2: /* across the largest boundary that is in the middle of the space */
		t->base = in.first + (in.last - in.first) / 2 + 1 - half;
		break;
	default:
		t->base = in.first + rng_below(&t->rng, (in.last - in.first) / 2 >> table_lg2) *
					     ((uint64_t)1 << table_lg2);
		break;
	}
	t->base &= ~(t->page_size - 1);
}

static void play(const struct table_case *what, uint64_t seed)
{
	struct round *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	t->rng = rng_of(seed);
	t->seed = seed;
	rig_make(&t->rig, what);
	t->rig.options.split = rng_chance(&t->rng, 60);
	t->rig.options.exclusive = rng_chance(&t->rng, 50);
	t->rig.options.track_dirty = rng_chance(&t->rng, 30);
	t->rig.by_pointer = rng_chance(&t->rng, 30);
	if (what->format == BUSWAY_AMD_V1 && rng_chance(&t->rng, 70))
		t->rig.options.skip_levels = t->rig.options.exclusive = true;
	if (rng_chance(&t->rng, 30)) {
		t->rig.options.page_sizes = rng_next(&t->rng);
		t->rig.options.page_sizes |= rng_next(&t->rng);
	}
	rig_open(&t->rig);
	t->page_size = (uint64_t)1 << what->granule_lg2;
	t->output_last = busway_bits_last(what->output_bits);
	/* about two and a half tables of pages */
	t->count = (size_t)5 << (what->granule_lg2 - 4);
	assert_true(t->count <= PAGES);
	draw_window(t);
	for (unsigned step = 0; step < 120; step++) {
		if (rng_chance(&t->rng, 50))
			step_map(t);
		else
			step_unmap(t);
	}
	expect_all(t);
	/* and back again: nothing is left but the root */
	assert_int_equal(busway_pagetable_unmap(t->rig.table,
						rig_range(t->base, t->count * t->page_size),
						BUSWAY_UNMAP_HOLES, &t->rig.freed, NULL, NULL),
			 0);
	busway_pagetable_trim(t->rig.table, rig_range(t->base, t->count * t->page_size),
			      &t->rig.freed);
	memset(t->pages, 0, sizeof(t->pages));
	expect_all(t);
	rig_close(&t->rig);
	free(t);
}

static void every_page_translates_as_the_list_says(void **state)
{
	const unsigned rounds = random_rounds(6);

	(void)state;
	for (unsigned r = 0; r < rounds; r++)
		for (size_t i = 0; i < table_case_count; i++)
			play(&table_cases[i], random_seed() + r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_translates_as_the_list_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
