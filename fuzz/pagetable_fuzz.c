/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pagetable_fuzz.c - any bytes as calls to a page table: no crash, no leak, and no wrong address.
 *
 * The first bytes choose a format and its options, each eight behind them are a call: map, unmap,
 * trim, release, or failing allocations. Beside it runs a list of pages, and a walker that knows
 * the formats from their manuals only (src/sim/walk.h); any difference aborts.
 */
#include "../src/sim/walk.h"

#include <busway/pagetable.h>

#include <stdlib.h>
#include <string.h>

enum { PAGES = 1536, TABLES = 512, TABLE_BYTES = 65536 };

struct page {
	uint64_t phys;
	unsigned prot;
	bool mapped;
};

static unsigned char *arena; /* TABLES of TABLE_BYTES each, for all granules */
static bool used[TABLES];
static unsigned live;
static bool fails;

#define TABLES_AT ((uint64_t)0x40000000)

static const struct {
	enum busway_pagetable_format format;
	enum walk_kind kind;
	unsigned granule_lg2, input_bits, output_bits, levels;
	int start_level;
} kinds[] = {
	{BUSWAY_ARM_STAGE1, WALK_ARM_S1, 12, 48, 48, 4, 0},
	{BUSWAY_ARM_STAGE1, WALK_ARM_S1, 12, 52, 52, 5, -1},
	{BUSWAY_ARM_STAGE1, WALK_ARM_S1, 16, 52, 52, 3, 1},
	{BUSWAY_ARM_STAGE2, WALK_ARM_S2, 12, 40, 48, 3, 1},
	{BUSWAY_ARM_STAGE2, WALK_ARM_S2, 14, 48, 48, 3, 1},
	{BUSWAY_VTD_SECOND, WALK_VTD, 12, 57, 52, 5, 0},
	{BUSWAY_AMD_V1, WALK_AMD, 12, 64, 52, 6, 0},
	{BUSWAY_RISCV_SV, WALK_RISCV, 12, 39, 56, 3, 0},
};

static void expect(bool right)
{
	if (!right)
		abort();
}

/* ---- memory ---- */

static void *take(void *ctx, size_t size, busway_phys_t *phys)
{
	(void)ctx;
	expect(size <= TABLE_BYTES);
	for (unsigned i = 0; i < TABLES && !fails; i++)
		if (!used[i]) {
			used[i] = true;
			live++;
			phys->raw = TABLES_AT + (uint64_t)i * TABLE_BYTES;
			return arena + (size_t)i * TABLE_BYTES;
		}
	return NULL;
}

static void give(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	const uint64_t i = (phys.raw - TABLES_AT) / TABLE_BYTES;

	(void)ctx;
	expect(used[i] && table == arena + i * TABLE_BYTES);
	memset(table, 0xa7, size);
	used[i] = false;
	live--;
}

static uint64_t read_word(void *ctx, uint64_t phys)
{
	uint64_t word;

	(void)ctx;
	expect(phys >= TABLES_AT && phys - TABLES_AT < (uint64_t)TABLES * TABLE_BYTES);
	expect(used[(phys - TABLES_AT) / TABLE_BYTES]);
	memcpy(&word, arena + (phys - TABLES_AT), sizeof(word));
	return word;
}

static void *alloc(void *ctx, size_t size, size_t align)
{
	(void)ctx, (void)align;
	return malloc(size);
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx, (void)size, (void)align;
	free(mem);
}

/* ---- one input ---- */

struct session {
	struct busway_pagetable *table;
	struct busway_freed_tables freed;
	struct walk_setup walker;
	uint64_t base, page;
	struct page pages[PAGES];
};

static void expect_page(const struct session *s, unsigned i)
{
	const struct page *p = &s->pages[i];
	const uint64_t iova = s->base + i * s->page + (i * 37u & 0xfff);
	const struct walk_result w = walk(&s->walker, iova);
	struct busway_translation t;

	expect(!w.violation && w.mapped == p->mapped);
	expect(busway_pagetable_lookup(s->table, busway_dma(iova), &t) == p->mapped);
	if (!p->mapped)
		return;
	expect(w.phys == p->phys + (i * 37u & 0xfff) && t.phys.raw == w.phys);
	expect(w.read == ((p->prot & BUSWAY_READ) != 0) &&
	       w.write == ((p->prot & BUSWAY_WRITE) != 0));
	expect(t.prot == p->prot && (uint64_t)1 << t.page_lg2 == w.page_size);
}

static bool any(const struct session *s, unsigned first, unsigned count, bool mapped)
{
	for (unsigned i = first; i < first + count; i++)
		if (s->pages[i].mapped == mapped)
			return true;
	return false;
}

static void map(struct session *s, unsigned first, unsigned count, uint64_t phys, unsigned prot)
{
	/* as a list of two */
	const unsigned head = count > 2 && (phys & 3) == 1 ? count / 2 : count;
	const uint64_t second = (phys & 3) == 1 ? phys << 20 : 0;
	struct busway_phys_range runs[2];
	int status;

	phys = (phys & 0xffffff) * s->page;
	runs[0] = (struct busway_phys_range){{phys}, {phys + head * s->page - 1}};
	runs[1] = (struct busway_phys_range){{(second & 0xffffff) * s->page}, {0}};
	runs[1].last.raw = runs[1].first.raw + ((count - head) * s->page - 1);
	status = busway_pagetable_map(s->table, busway_dma(s->base + first * s->page), runs,
				      head < count ? 2 : 1, prot, NULL);
	expect(status == 0 || status == -BUSWAY_ERANGE || (fails && status == -BUSWAY_ENOMEM));
	if (any(s, first, count, true))
		expect(status == -BUSWAY_ERANGE);
	for (unsigned i = 0; !status && i < count; i++)
		s->pages[first + i] = (struct page){
			i < head ? phys + i * s->page : runs[1].first.raw + (i - head) * s->page,
			prot, true};
}

static void unmap(struct session *s, unsigned first, unsigned count, bool holes)
{
	const uint64_t iova = s->base + first * s->page;
	const struct busway_dma_range range = {{iova}, {iova + (count * s->page - 1)}};
	uint64_t unmapped = 0, expected = 0;
	const int status = busway_pagetable_unmap(s->table, range, holes ? BUSWAY_UNMAP_HOLES : 0,
						  &s->freed, &unmapped, NULL);

	for (unsigned i = first; i < first + count; i++)
		expected += s->pages[i].mapped ? s->page : 0;
	if (!holes && any(s, first, count, false))
		expect(status == -BUSWAY_ERANGE);
	if (status)
		return;
	expect(unmapped == expected);
	for (unsigned i = first; i < first + count; i++)
		s->pages[i].mapped = false;
}

static void call(struct session *s, const uint8_t *bytes)
{
	const unsigned first = (bytes[1] | (unsigned)bytes[2] << 8) % PAGES;
	const unsigned wanted = 1 + ((bytes[3] | (unsigned)(bytes[4] & 7) << 8) % PAGES);
	const unsigned count = wanted < PAGES - first ? wanted : PAGES - first;
	const uint64_t phys = bytes[5] | (uint64_t)bytes[6] << 8 | (uint64_t)bytes[7] << 16;
	const struct busway_dma_range range = {{s->base + first * s->page},
					       {s->base + (first + count) * s->page - 1}};

	switch (bytes[0] & 7) {
	case 0:
	case 1:
		map(s, first, count, phys, bytes[0] & 8 ? BUSWAY_READ : BUSWAY_READ_WRITE);
		break;
	case 2: /* as the IOVA lies, so that large pages fit */
		map(s, first, count, s->base / s->page + first, BUSWAY_READ_WRITE);
		break;
	case 3:
	case 4:
		unmap(s, first, count, bytes[0] & 8);
		break;
	case 5:
		busway_pagetable_trim(s->table, range, &s->freed);
		break;
	case 6:
		busway_pagetable_release(s->table, &s->freed);
		break;
	default:
		fails = bytes[0] & 8;
		break;
	}
	expect_page(s, first);
	expect_page(s, first + count - 1);
	expect_page(s, first ? first - 1 : 0);
	expect_page(s, first + count < PAGES ? first + count : 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct busway_allocator memory = {alloc, give_back, NULL};
	static struct session s;
	struct busway_pagetable_options options = {0};
	struct busway_table_memory tables = {.alloc = take, .free = give};
	struct busway_range inputs[2];
	unsigned kind, halves;

	if (size < 4)
		return 0;
	if (!arena)
		arena = aligned_alloc(TABLE_BYTES, (size_t)TABLES * TABLE_BYTES);
	expect(arena != NULL);
	memset(&s, 0, sizeof(s));
	fails = false;
	kind = data[0] % (sizeof(kinds) / sizeof(kinds[0]));
	options.format = kinds[kind].format;
	options.granule_lg2 = kinds[kind].granule_lg2;
	options.input_bits = kinds[kind].input_bits;
	options.output_bits = kinds[kind].output_bits;
	options.split = data[1] & 1;
	options.exclusive = data[1] & 2;
	options.track_dirty = data[1] & 4;
	options.skip_levels =
		options.format == BUSWAY_AMD_V1 && options.exclusive && (data[1] & 32);
	options.page_sizes = data[1] & 8 ? (uint64_t)data[2] << 12 | (uint64_t)data[3] << 18 : 0;
	tables.offset = (uintptr_t)arena - (uintptr_t)TABLES_AT;
	expect(busway_pagetable_create(&options, &tables, &memory, &s.table) == 0);
	s.page = (uint64_t)1 << kinds[kind].granule_lg2;
	halves = busway_pagetable_input(s.table, inputs);
	s.base = data[1] & 16 ? inputs[halves - 1].last - PAGES * s.page + 1
			      : (uint64_t)data[2] << (kinds[kind].granule_lg2 + 4);
	s.walker = (struct walk_setup){
		.kind = kinds[kind].kind,
		.granule_lg2 = kinds[kind].granule_lg2,
		.input_bits = kinds[kind].input_bits,
		.output_bits = kinds[kind].output_bits,
		.levels = kinds[kind].levels,
		.start_level = kinds[kind].start_level,
		.wide = kinds[kind].output_bits == 52 && kinds[kind].kind <= WALK_ARM_S2,
		.dirty_by_hardware = options.track_dirty,
		.memory_types = options.memory_types,
		.strict = true,
		.root = busway_pagetable_root(s.table).table.raw,
		.read = read_word,
	};
	for (size_t at = 4; at + 8 <= size && at < 4 + 8 * 64; at += 8)
		call(&s, data + at);
	for (unsigned i = 0; i < PAGES; i++)
		expect_page(&s, i);
	busway_pagetable_release(s.table, &s.freed);
	busway_pagetable_destroy(s.table);
	expect(live == 0);
	return 0;
}
