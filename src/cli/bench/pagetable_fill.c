/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable_fill.c - B8: a fresh page table, filled from its beginning and emptied again;
 * B9: look-ups of random addresses in a full one. Read pagetable.c first.
 *
 * An operation of B8 is one entry, with all that it takes: tables are allocated and cleared on the
 * way. In B9 the addresses are drawn before, or each depends on the answer to the one before
 * ("dep").
 */
#include "bench.h"
#include "plain_table.h"

#include <stdlib.h>
#include <string.h>

#define PAGE      ((uint64_t)4096)
#define PHYS_BASE ((uint64_t)4 << 30)
#define BASE      ((uint64_t)256 << 30)

enum { TABLE_BYTES = 4096, QUERIES = 65536, SEED = 0x77 };

struct filled {
	enum busway_pagetable_format format;
	unsigned long pages, step; /* pages of a call */
	struct busway_pagetable *table;
	struct plain_table plain;
	struct busway_freed_tables freed;
	bool plain_too; /* has the plain one been filled? */
	uint32_t *queries;
};

/* ---- tables that were given back are given out again ---- */

static void *shelf; /* linked through their first words */

static void *take_bytes(size_t size)
{
	void *table = shelf;

	if (!table || size != TABLE_BYTES)
		return aligned_alloc(size, size);
	memcpy(&shelf, table, sizeof(shelf));
	return table;
}

static void give_bytes(void *table, size_t size)
{
	if (size != TABLE_BYTES) {
		free(table);
		return;
	}
	memcpy(table, &shelf, sizeof(shelf));
	shelf = table;
}

static void *take_table(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = take_bytes(size);

	(void)ctx;
	phys->raw = (uintptr_t)table;
	return table;
}

static void give_table(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx, (void)phys;
	give_bytes(table, size);
}

/* ---- filling ---- */

static void run_fill(void *state, unsigned long operations)
{
	struct filled *f = state;
	uint64_t failed = 0;

	for (unsigned long i = 0; i < operations && i < f->pages; i += f->step) {
		const uint64_t phys = PHYS_BASE + i * PAGE;
		const struct busway_phys_range run = {{phys}, {phys + f->step * PAGE - 1}};

		failed |= (uint64_t)busway_pagetable_map(f->table, busway_dma(BASE + i * PAGE),
							 &run, 1, BUSWAY_READ_WRITE, NULL);
	}
	bench_sink += failed;
}

static void run_empty(void *state, unsigned long operations)
{
	struct filled *f = state;
	uint64_t failed = 0;

	for (unsigned long i = 0; i < operations && i < f->pages; i += f->step) {
		const uint64_t iova = BASE + i * PAGE;
		const struct busway_dma_range range = {{iova}, {iova + f->step * PAGE - 1}};

		failed |=
			(uint64_t)busway_pagetable_unmap(f->table, range, 0, &f->freed, NULL, NULL);
	}
	bench_sink += failed;
}

static void run_plain_fill(void *state, unsigned long operations)
{
	struct filled *f = state;

	for (unsigned long i = 0; i < operations && i < f->pages; i++)
		bench_sink += plain_map(&f->plain, BASE + i * PAGE, PHYS_BASE + i * PAGE, 0);
	f->plain_too = true;
}

static void run_plain_empty(void *state, unsigned long operations)
{
	struct filled *f = state;

	for (unsigned long i = 0; i < operations && i < f->pages; i++)
		plain_unmap(&f->plain, BASE + i * PAGE, 0);
}

/* The plain one has no way to give tables back: it is told to forget them. */
static void give_plain(uint64_t *table, unsigned level)
{
	for (unsigned i = 0; level && i < TABLE_BYTES / sizeof(*table); i++)
		if (table[i])
			give_plain((uint64_t *)(uintptr_t)(table[i] & 0xfffffffff000), level - 1);
	give_bytes(table, TABLE_BYTES);
}

static void start_anew(void *state)
{
	struct filled *f = state;
	const struct busway_dma_range all = {{0}, {((uint64_t)1 << 48) - 1}};

	(void)busway_pagetable_unmap(f->table, all, BUSWAY_UNMAP_HOLES, &f->freed, NULL, NULL);
	busway_pagetable_trim(f->table, all, &f->freed);
	busway_pagetable_release(f->table, &f->freed);
	for (unsigned i = 0; f->plain_too && i < TABLE_BYTES / sizeof(uint64_t); i++)
		if (f->plain.root[i]) {
			give_plain((uint64_t *)(uintptr_t)(f->plain.root[i] & 0xfffffffff000),
				   f->plain.levels - 2);
			f->plain.root[i] = 0;
		}
	f->plain_too = false;
}

/* Only what is measured next: the other one would push its tables out of the caches. */
static void fill_anew(void *state)
{
	struct filled *f = state;

	start_anew(f);
	run_fill(f, f->pages);
}

static void fill_plain_anew(void *state)
{
	struct filled *f = state;

	start_anew(f);
	run_plain_fill(f, f->pages);
}

/* ---- looking up ---- */

static uint64_t iova_of(const struct filled *f, uint32_t query)
{
	return BASE + (((uint64_t)query * f->pages >> 32) * PAGE | (query & 0xfff));
}

static uint64_t look_up(const struct filled *f, uint32_t query)
{
	struct busway_translation t = {{0}, 0, 0, false, false};

	(void)busway_pagetable_lookup(f->table, busway_dma(iova_of(f, query)), &t);
	return t.phys.raw;
}

static void run_lookup(void *state, unsigned long operations)
{
	const struct filled *f = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += look_up(f, f->queries[i % QUERIES]);
	bench_sink += sum;
}

static void run_lookup_dependent(void *state, unsigned long operations)
{
	const struct filled *f = state;
	uint64_t last = 0;

	for (unsigned long i = 0; i < operations; i++)
		last = look_up(f, f->queries[(i + (last & 1)) % QUERIES] & ~(uint32_t)1);
	bench_sink += last;
}

static void run_plain_lookup(void *state, unsigned long operations)
{
	const struct filled *f = state;
	uint64_t sum = 0;

	for (unsigned long i = 0; i < operations; i++)
		sum += plain_lookup(&f->plain, iova_of(f, f->queries[i % QUERIES]));
	bench_sink += sum;
}

static void run_plain_lookup_dependent(void *state, unsigned long operations)
{
	const struct filled *f = state;
	uint64_t last = 0;

	for (unsigned long i = 0; i < operations; i++)
		last = plain_lookup(&f->plain, iova_of(f, f->queries[(i + (last & 1)) % QUERIES] &
								  ~(uint32_t)1));
	bench_sink += last;
}

/* ---- making ---- */

static bool prepare(void *state)
{
	struct filled *f = state;
	const struct busway_pagetable_options options = {.format = f->format, .page_sizes = PAGE};
	const struct busway_table_memory memory = {.alloc = take_table, .free = give_table};

	if (f->table)
		return true;
	if (busway_pagetable_create(&options, &memory, &cli_memory, &f->table))
		return false;
	f->plain = (struct plain_table){.format = f->format,
					.levels = busway_pagetable_root(f->table).levels,
					.root = take_bytes(TABLE_BYTES),
					.alloc = take_bytes};
	if (!f->plain.root)
		return false;
	memset(f->plain.root, 0, TABLE_BYTES);
	return true;
}

static bool prepare_lookup(void *state)
{
	struct filled *f = state;
	uint64_t random = SEED;

	if (f->table)
		return true;
	f->queries = malloc(QUERIES * sizeof(*f->queries));
	if (!f->queries || !prepare(f))
		return false;
	for (unsigned i = 0; i < QUERIES; i++)
		f->queries[i] = (uint32_t)bench_random(&random);
	fill_anew(f);
	run_plain_fill(f, f->pages);
	for (unsigned i = 0; i < QUERIES; i++)
		if (look_up(f, f->queries[i]) !=
		    plain_lookup(&f->plain, iova_of(f, f->queries[i]))) {
			complain("bench: B9: look-ups differ");
			return false;
		}
	return true;
}

struct kind {
	const char *name, *what;
	unsigned long pages, step;
	void (*run)(void *state, unsigned long operations);
	void (*plain)(void *state, unsigned long operations);
	void (*before)(void *state);
	void (*before_plain)(void *state);
	unsigned long batch;
	bool own; /* begins a table of its own */
};

static const struct kind kinds[] = {
	{"B8-512-%s-map", "an entry of 512 a call, in a fresh table", 1 << 20, 512, run_fill,
	 run_plain_fill, start_anew, start_anew, 1 << 20, true},
	{"B8-512-%s-unmap", "the same, unmapped", 1 << 20, 512, run_empty, run_plain_empty,
	 fill_anew, fill_plain_anew, 1 << 20, false},
	{"B8-1-%s-map", "an entry a call, in a fresh table", 1 << 18, 1, run_fill, run_plain_fill,
	 start_anew, start_anew, 1 << 18, true},
	{"B8-1-%s-unmap", "the same, unmapped", 1 << 18, 1, run_empty, run_plain_empty, fill_anew,
	 fill_plain_anew, 1 << 18, false},
	{"B9-64M-%s", "look an IOVA up, of 64 MiB", 1 << 14, 512, run_lookup, run_plain_lookup,
	 NULL, NULL, QUERIES, true},
	{"B9-64M-%s-dep", "the same, each waits for the one before", 1 << 14, 512,
	 run_lookup_dependent, run_plain_lookup_dependent, NULL, NULL, QUERIES, false},
	{"B9-16G-%s", "look an IOVA up, of 16 GiB", 1 << 22, 512, run_lookup, run_plain_lookup,
	 NULL, NULL, QUERIES, true},
	{"B9-16G-%s-dep", "the same, each waits for the one before", 1 << 22, 512,
	 run_lookup_dependent, run_plain_lookup_dependent, NULL, NULL, QUERIES, false},
};

static bool add_kind(struct workloads *workloads, const struct kind *kind, const char *format,
		     struct filled *f)
{
	struct workload *plain, *w;
	char name[32], reference[40];

	snprintf(name, sizeof(name), kind->name, format);
	snprintf(reference, sizeof(reference), "%s/plain", name);
	plain = add_workload(workloads, reference, "one walk for each page", NULL, kind->plain, f,
			     kind->batch);
	w = plain ? add_workload(workloads, name, kind->what, plain->name, kind->run, f,
				 kind->batch)
		  : NULL;
	if (!w)
		return false;
	plain->prepare = w->prepare = kind->before ? prepare : prepare_lookup;
	plain->before = kind->before_plain;
	w->before = kind->before;
	return true;
}

bool add_pagetable_fill_workloads(struct workloads *workloads)
{
	static const struct {
		enum busway_pagetable_format format;
		const char *name;
	} formats[] = {
		{BUSWAY_ARM_STAGE1, "s1"},
		{BUSWAY_ARM_STAGE2, "s2"},
		{BUSWAY_VTD_SECOND, "vtd"},
		{BUSWAY_AMD_V1, "amd"},
	};

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		struct filled *f = NULL;

		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			if (kinds[k].own)
				f = calloc(1, sizeof(*f));
			if (!f)
				return false;
			f->format = formats[i].format;
			f->pages = kinds[k].pages;
			f->step = kinds[k].step;
			if (!add_kind(workloads, &kinds[k], formats[i].name, f))
				return false;
		}
	}
	return true;
}
