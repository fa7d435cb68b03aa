/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable.c - B1 to B9: page tables of an IOMMU, beside one walk for each page.
 *
 *   B1  a page of 4 KiB          B5  a page of 2 MiB
 *   B2  16 scattered pages       B6  256 of them
 *   B3  64 KiB                   B7  a page of 1 GiB
 *   B4  256 pages                B8  a fresh table, from its beginning; by PTE
 *                                B9  look-ups of random addresses
 *
 * In B1 to B4 the second page of each 2 MiB stays mapped, so that tables are there. Slots are drawn
 * once, at random; all are mapped, then all are unmapped, and that is measured apart. Both tables
 * must hold the same entries, bit for bit.
 */
#include "bench.h"
#include "plain_table.h"

#include <stdlib.h>
#include <string.h>

#define PAGE      ((uint64_t)4096)
#define LARGE     ((uint64_t)2 << 20)
#define HUGE      ((uint64_t)1 << 30)
#define PHYS_BASE ((uint64_t)4 << 30)
#define BASE      ((uint64_t)512 << 30)
#define BASE_40   ((uint64_t)256 << 30) /* for 40 bits of input */
#define SIZES     (PAGE | LARGE | HUGE)

enum { SLOTS = 256, LIST = 16, SEED = 0x77 };

struct shape {
	const char *name, *what;
	uint64_t span;  /* in which they lie */
	unsigned level; /* of the pages */
	unsigned pages; /* of one slot */
	unsigned slots;
	bool scattered, neighbours;
};

static const struct shape shapes[] = {
	{"B1-64M", "a 4 KiB page in 64 MiB", (uint64_t)64 << 20, 0, 1, 256, false, true},
	{"B1-16G", "a 4 KiB page in 16 GiB", (uint64_t)16 << 30, 0, 1, 256, false, true},
	{"B2", "16 scattered pages, one list", HUGE, 0, LIST, 64, true, true},
	{"B3", "64 KiB in one piece", HUGE, 0, LIST, 64, false, true},
	{"B4", "256 pages in one call", HUGE, 0, 256, 32, false, true},
	{"B5", "a 2 MiB page", HUGE, 1, 1, 256, false, false},
	{"B6", "256 pages of 2 MiB", (uint64_t)32 << 30, 1, 256, 32, false, false},
	{"B7", "a 1 GiB page", (uint64_t)192 << 30, 2, 1, 128, false, false},
};

static const struct {
	const char *name;
	enum busway_pagetable_format format;
	unsigned input_bits;
} formats[] = {
	{"s1", BUSWAY_ARM_STAGE1, 48},
	{"s2", BUSWAY_ARM_STAGE2, 40},
	{"vtd", BUSWAY_VTD_SECOND, 48},
	{"amd", BUSWAY_AMD_V1, 48},
};

struct tables {
	const struct shape *shape;
	enum busway_pagetable_format format;
	unsigned input_bits;
	struct busway_pagetable *table;
	struct plain_table plain;
	struct busway_freed_tables freed;
	uint64_t iova[SLOTS];
	struct busway_phys_range runs[SLOTS][LIST];
	bool mapped[2]; /* ours, the plain one */
};

/* ---- mapping and unmapping ---- */

static uint64_t page_size(const struct tables *t)
{
	return PAGE << 9 * t->shape->level;
}

static struct busway_dma_range slot_range(const struct tables *t, unsigned i)
{
	return (struct busway_dma_range){{t->iova[i]},
					 {t->iova[i] + t->shape->pages * page_size(t) - 1}};
}

static void run_map(void *state, unsigned long operations)
{
	struct tables *t = state;
	uint64_t failed = 0;

	for (unsigned long i = 0; i < operations && i < t->shape->slots; i++)
		failed |= (uint64_t)busway_pagetable_map(t->table, busway_dma(t->iova[i]),
							 t->runs[i], t->shape->scattered ? LIST : 1,
							 BUSWAY_READ_WRITE, NULL);
	t->mapped[0] = true;
	bench_sink += failed;
}

static void run_unmap(void *state, unsigned long operations)
{
	struct tables *t = state;
	uint64_t failed = 0;

	for (unsigned long i = 0; i < operations && i < t->shape->slots; i++)
		failed |= (uint64_t)busway_pagetable_unmap(t->table, slot_range(t, (unsigned)i), 0,
							   &t->freed, NULL, NULL);
	t->mapped[0] = false;
	bench_sink += failed;
}

static uint64_t phys_of(const struct tables *t, unsigned slot, unsigned page)
{
	if (t->shape->scattered)
		return t->runs[slot][page].first.raw;
	return t->runs[slot][0].first.raw + page * page_size(t);
}

static void run_plain_map(void *state, unsigned long operations)
{
	struct tables *t = state;
	const uint64_t size = page_size(t);

	for (unsigned i = 0; i < operations && i < t->shape->slots; i++)
		for (unsigned p = 0; p < t->shape->pages; p++)
			bench_sink += plain_map(&t->plain, t->iova[i] + p * size, phys_of(t, i, p),
						t->shape->level);
	t->mapped[1] = true;
}

static void run_plain_unmap(void *state, unsigned long operations)
{
	struct tables *t = state;
	const uint64_t size = page_size(t);

	for (unsigned i = 0; i < operations && i < t->shape->slots; i++)
		for (unsigned p = 0; p < t->shape->pages; p++)
			plain_unmap(&t->plain, t->iova[i] + p * size, t->shape->level);
	t->mapped[1] = false;
}

/* Everything as it must be before the clock starts. */
static void unmap_all(void *state)
{
	struct tables *t = state;

	if (t->mapped[0])
		run_unmap(t, SLOTS);
	if (t->mapped[1])
		run_plain_unmap(t, SLOTS);
	busway_pagetable_release(t->table, &t->freed);
}

static void map_all(void *state)
{
	struct tables *t = state;

	unmap_all(t);
	run_map(t, SLOTS);
	run_plain_map(t, SLOTS);
}

/* Both as warm as the other, whatever ran before. */
static void unmap_again(void *state)
{
	map_all(state);
	unmap_all(state);
}

/* ---- making ---- */

static bool open_tables(struct tables *t, uint64_t sizes)
{
	const struct busway_pagetable_options options = {
		.format = t->format,
		.input_bits = t->input_bits,
		.page_sizes = sizes,
	};
	struct busway_pagetable_root root;

	if (busway_pagetable_create(&options, &bench_tables, &cli_memory, &t->table))
		return false;
	root = busway_pagetable_root(t->table);
	t->plain = (struct plain_table){.format = t->format,
					.levels = root.levels,
					.root = bench_take_table(root.size),
					.alloc = bench_take_table};
	if (t->plain.root)
		memset(t->plain.root, 0, root.size);
	return t->plain.root;
}

static void draw_slots(struct tables *t)
{
	const uint64_t size = t->shape->pages * page_size(t), places = t->shape->span / size;
	uint64_t random = SEED, *place = calloc(places, sizeof(*place));

	for (uint64_t i = 0; place && i < places; i++)
		place[i] = i;
	for (unsigned i = 0; place && i < t->shape->slots; i++) {
		/* slots whose first 2 MiB begin with the page that stays are left out */
		uint64_t j, chosen;

		do {
			j = i + bench_random(&random) % (places - i);
			chosen = place[j] * size;
		} while (t->shape->neighbours && size < LARGE && chosen % LARGE <= PAGE);
		place[j] = place[i];
		place[i] = chosen / size;
		t->iova[i] = (t->input_bits == 40 ? BASE_40 : BASE) + chosen;
		for (unsigned p = 0; p < LIST; p++) {
			const uint64_t first =
				PHYS_BASE + (t->shape->scattered
						     ? bench_random(&random) % (1 << 20) * PAGE
						     : (uint64_t)i * size + HUGE);

			t->runs[i][p] = (struct busway_phys_range){
				{first}, {first + (t->shape->scattered ? PAGE : size) - 1}};
		}
	}
	free(place);
}

/* The second page of each 2 MiB, in both. */
static bool keep_tables(struct tables *t)
{
	const uint64_t base = t->input_bits == 40 ? BASE_40 : BASE;
	const struct busway_phys_range run = {{PHYS_BASE}, {PHYS_BASE + PAGE - 1}};

	for (uint64_t at = base + PAGE; at < base + t->shape->span; at += LARGE)
		if (busway_pagetable_map(t->table, busway_dma(at), &run, 1, BUSWAY_READ_WRITE,
					 NULL) ||
		    !plain_map(&t->plain, at, PHYS_BASE, 0))
			return false;
	return true;
}

/* Is the same entry in both, for the first page of each slot and the last? */
static bool same_entries(const struct tables *t)
{
	const struct plain_table ours = {
		.format = t->format,
		.levels = t->plain.levels,
		.root = (uint64_t *)(uintptr_t)busway_pagetable_root(t->table).table.raw,
	};

	for (unsigned i = 0; i < t->shape->slots; i++)
		for (unsigned p = 0; p < t->shape->pages; p++) {
			const uint64_t iova = t->iova[i] + p * page_size(t);
			unsigned a, b;

			if (plain_entry(&ours, iova, &a) != plain_entry(&t->plain, iova, &b) ||
			    a != b || !plain_entry(&ours, iova, &a))
				return false;
		}
	return true;
}

static bool prepare(void *state)
{
	struct tables *t = state;

	if (t->table)
		return true;
	if (!open_tables(t, SIZES))
		return false;
	draw_slots(t);
	if (t->shape->neighbours && !keep_tables(t))
		return false;
	map_all(t);
	if (!same_entries(t)) {
		complain("bench: %s: the tables differ", t->shape->name);
		return false;
	}
	unmap_all(t);
	return true;
}

static bool add_pair(struct workloads *workloads, struct tables *t, const char *format, bool map)
{
	struct workload *plain, *w;
	char name[32], reference[40];

	snprintf(name, sizeof(name), "%s-%s-%s", t->shape->name, format, map ? "map" : "unmap");
	snprintf(reference, sizeof(reference), "%s/plain", name);
	plain = add_workload(workloads, reference, "one walk for each page", NULL,
			     map ? run_plain_map : run_plain_unmap, t, t->shape->slots);
	w = plain ? add_workload(workloads, name, t->shape->what, plain->name,
				 map ? run_map : run_unmap, t, t->shape->slots)
		  : NULL;
	if (!w)
		return false;
	plain->prepare = w->prepare = prepare;
	plain->before = w->before = map ? unmap_again : map_all;
	return true;
}

bool add_pagetable_workloads(struct workloads *workloads)
{
	for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++)
		for (size_t f = 0; f < sizeof(formats) / sizeof(formats[0]); f++) {
			struct tables *t = calloc(1, sizeof(*t));

			if (!t)
				return false;
			t->shape = &shapes[s];
			t->format = formats[f].format;
			t->input_bits = formats[f].input_bits;
			if (!add_pair(workloads, t, formats[f].name, true) ||
			    !add_pair(workloads, t, formats[f].name, false))
				return false;
		}
	return true;
}
