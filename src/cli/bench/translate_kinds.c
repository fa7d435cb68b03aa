/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translate_kinds.c - what translates addresses in C1 to C4. Read translate.h first.
 *
 * The flat table is what user-space drivers have for this: 1 GiB, then 2 MiB, an entry each, and
 * where buffers are smaller a table of 4 KiB pages. It checks neither lengths nor accesses.
 */
#include "translate.h"

#include <stdlib.h>

/* ---- the loops, one for each function that they call ---- */

#define LOOPS(prefix, translate)                                                                   \
	static uint64_t prefix##_run(const void *directory, const uint64_t *va,                    \
				     unsigned long operations)                                     \
	{                                                                                          \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		for (unsigned long i = 0; i < operations; i++)                                     \
			sum += translate(directory, va[i % QUERIES]);                              \
		return sum;                                                                        \
	}                                                                                          \
                                                                                                   \
	static uint64_t prefix##_run_dependent(const void *directory, const uint64_t *va,          \
					       unsigned long operations)                           \
	{                                                                                          \
		uint64_t sum = 0;                                                                  \
                                                                                                   \
		/* bit 63 of all answers is 0 */                                                   \
		for (unsigned long i = 0; i < operations; i++)                                     \
			sum = translate(directory, va[(i + (sum >> 63)) % QUERIES]);               \
		return sum;                                                                        \
	}

/* ---- a flat table ---- */

enum { TOP = 1 << 18, PAGES = 512, IS_PAGES = 1 };

#define NOWHERE    UINT64_MAX
#define SLOT_BYTES ((uint64_t)2 << 20)

struct flat {
	size_t bytes;
	/* of 256 TiB, 1 GiB each; below that 2 MiB each: the address, NOWHERE, or a table of pages
	 * and IS_PAGES */
	uint64_t *gib[TOP];
};

__attribute__((noinline)) static uint64_t flat_translate(const struct flat *flat, uint64_t va)
{
	uint64_t slot;

	if (va >> 48 || !flat->gib[va >> 30])
		return NOWHERE;
	slot = flat->gib[va >> 30][va >> 21 & (PAGES - 1)];
	if (slot == NOWHERE)
		return NOWHERE;
	if (slot & IS_PAGES) {
		slot = ((const uint64_t *)(uintptr_t)(slot - IS_PAGES))[va >> 12 & (PAGES - 1)];
		return slot == NOWHERE ? NOWHERE : slot + (va & 0xfff);
	}
	return slot + (va & (SLOT_BYTES - 1));
}

/* Entries that lead nowhere; NULL: out of memory. */
static uint64_t *flat_table(struct flat *flat)
{
	uint64_t *table = malloc(PAGES * sizeof(*table));

	for (unsigned i = 0; table && i < PAGES; i++)
		table[i] = NOWHERE;
	flat->bytes += PAGES * sizeof(*table);
	return table;
}

/* Aligned 2 MiB as one entry, all else page by page. */
static bool flat_add(struct flat *flat, const struct region *region)
{
	const bool whole = (region->va | region->size) % SLOT_BYTES == 0;

	for (uint64_t at = 0; at < region->size; at += whole ? SLOT_BYTES : 4096) {
		const uint64_t va = region->va + at, dma = region->dma + at;
		uint64_t **gib = &flat->gib[va >> 30], *slot, *pages;

		if (!*gib)
			*gib = flat_table(flat);
		if (!*gib)
			return false;
		slot = &(*gib)[va >> 21 & (PAGES - 1)];
		if (whole) {
			*slot = dma;
			continue;
		}
		pages = *slot == NOWHERE ? flat_table(flat)
					 : (uint64_t *)(uintptr_t)(*slot - IS_PAGES);
		if (!pages)
			return false;
		*slot = (uintptr_t)pages + IS_PAGES;
		pages[va >> 12 & (PAGES - 1)] = dma;
	}
	return true;
}

static void flat_destroy(void *directory)
{
	struct flat *flat = directory;

	for (unsigned i = 0; i < TOP; i++) {
		const uint64_t *gib = flat->gib[i];

		for (unsigned j = 0; gib && j < PAGES; j++)
			if (gib[j] != NOWHERE && gib[j] & IS_PAGES)
				free((void *)(uintptr_t)(gib[j] - IS_PAGES));
		free(flat->gib[i]);
	}
	free(flat);
}

static void *flat_create(const struct region *regions, size_t count)
{
	struct flat *flat = calloc(1, sizeof(*flat));

	for (size_t i = 0; flat && i < count; i++)
		if (!flat_add(flat, &regions[i])) {
			flat_destroy(flat);
			return NULL;
		}
	return flat;
}

/* Without the 2 MiB of the top, of which little is touched. */
static size_t flat_bytes(const void *directory)
{
	return ((const struct flat *)directory)->bytes;
}

LOOPS(flat, flat_translate)

/* ---- a binary search over sorted regions ---- */

struct sorted {
	size_t count;
	const struct region *regions;
};

__attribute__((noinline)) static uint64_t sorted_translate(const struct sorted *sorted, uint64_t va)
{
	const struct region *at = sorted->regions;
	size_t count = sorted->count;

	while (count > 1) {
		at += at[count / 2].va <= va ? count / 2 : 0;
		count -= count / 2;
	}
	return va - at->va < at->size ? at->dma + (va - at->va) : NOWHERE;
}

static void *sorted_create(const struct region *regions, size_t count)
{
	struct sorted *sorted = malloc(sizeof(*sorted));

	if (sorted)
		*sorted = (struct sorted){count, regions}; /* they are in order */
	return sorted;
}

static size_t sorted_bytes(const void *directory)
{
	return ((const struct sorted *)directory)->count * sizeof(struct region);
}

LOOPS(sorted, sorted_translate)

/* ---- the library ---- */

static uint64_t ours_translate(const struct busway_buffers *buffers, uint64_t va)
{
	busway_dma_t dma = {0};

	return busway_buffers_translate(buffers, va, QUERY_BYTES, BUSWAY_WRITE, &dma, NULL)
		       ? NOWHERE
		       : dma.raw;
}

static void *ours_create(const struct region *regions, size_t count)
{
	struct busway_buffers *buffers;

	if (busway_buffers_create(NULL, &cli_memory, &buffers))
		return NULL;
	for (size_t i = 0; i < count; i++) {
		const struct busway_buffer buffer = {
			.va = {regions[i].va, regions[i].va + (regions[i].size - 1)},
			.dma = {regions[i].dma},
			.access = BUSWAY_READ_WRITE,
		};

		if (busway_buffers_register(buffers, &buffer, NULL)) {
			busway_buffers_destroy(buffers);
			return NULL;
		}
		if (i % 64 == 0) /* readers would be elsewhere now and then */
			busway_buffers_reclaim(buffers, busway_buffers_ticket(buffers));
	}
	return buffers;
}

static void ours_destroy(void *directory)
{
	busway_buffers_destroy(directory);
}

static size_t ours_bytes(const void *directory)
{
	return busway_buffers_bytes(directory);
}

LOOPS(ours, ours_translate)

const struct translate_kind translate_kinds[TRANSLATE_KINDS] = {
	{"/flat", "a table of 2 MiB and 4 KiB pages, without checks", flat_create, flat_destroy,
	 flat_run, flat_run_dependent, flat_bytes},
	{"/search", "a binary search over sorted buffers", sorted_create, free, sorted_run,
	 sorted_run_dependent, sorted_bytes},
	{"", "length, access and reach checked", ours_create, ours_destroy, ours_run,
	 ours_run_dependent, ours_bytes},
};
