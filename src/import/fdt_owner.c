/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt_owner.c - which entry of a table has an address, without looking at each of them.
 *
 *   entries     0: [------)      in property order: the first that holds an address has it
 *               1:     [-------)
 *   stretches   |  0   |0|  1  |  between all first and end addresses, each with its owner
 *
 * Entries are laid down in order, each on the stretches that are still free; a stretch that is
 * taken points on to the next one that may be free. So a table of n entries costs n log n, however
 * they overlap, and an address costs log n.
 */
#include "fdt_importer.h"

#include "../base/sort.h"

static bool comes_before(const void *a, const void *b)
{
	const struct fdt_stretch *x = a, *y = b;

	return x->class != y->class ? x->class < y->class : x->first < y->first;
}

/* Of the same class, first addresses ascending: where is the last that is not behind @address? */
static uint32_t find(const struct fdt_owners *owners, uint32_t class, uint64_t address)
{
	uint32_t low = 0, high = owners->count;

	while (low < high) {
		const uint32_t middle = low + (high - low) / 2;
		const struct fdt_stretch *s = &owners->stretches[middle];

		if (s->class < class || (s->class == class && s->first <= address))
			low = middle + 1;
		else
			high = middle;
	}
	return low - 1; /* UINT32_MAX: before the first */
}

static void drop_doubles(struct fdt_owners *owners)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < owners->count; i++)
		if (!kept || comes_before(&owners->stretches[kept - 1], &owners->stretches[i]))
			owners->stretches[kept++] = owners->stretches[i];
	owners->count = kept;
}

/* The first stretch at or behind @i that is free, or owners->count. */
static uint32_t next_free(uint32_t *next, uint32_t i)
{
	uint32_t free = i;

	while (next[free] != free)
		free = next[free];
	while (next[i] != free) {
		const uint32_t after = next[i];

		next[i] = free;
		i = after;
	}
	return free;
}

static void lay_down(struct fdt_owners *owners, uint32_t *next, uint32_t entry, uint32_t first,
		     uint32_t end, bool *overlaps)
{
	uint32_t expected = first;

	for (uint32_t i = next_free(next, first); i < end; i = next_free(next, i)) {
		*overlaps |= i != expected;
		owners->stretches[i].owner = entry;
		next[i] = i + 1;
		expected = i + 1;
	}
	*overlaps |= expected != end;
}

static void add_edge(struct fdt_owners *owners, uint32_t class, uint64_t first)
{
	owners->stretches[owners->count++] = (struct fdt_stretch){first, class, FDT_NONE};
}

bool fdt_owners_make(struct arena *work, const struct fdt_claim *claims, uint32_t count,
		     struct fdt_owners *owners, bool *overlaps)
{
	const size_t edges = (size_t)count * 2 + 1;
	uint32_t *next = arena_take(work, edges * sizeof(*next), _Alignof(uint32_t));

	*owners = (struct fdt_owners){
		.stretches = arena_take(work, edges * sizeof(struct fdt_stretch),
					_Alignof(struct fdt_stretch)),
	};
	if (!next || !owners->stretches)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!claims[i].live)
			continue;
		add_edge(owners, claims[i].class, claims[i].range.first);
		if (claims[i].range.last != UINT64_MAX)
			add_edge(owners, claims[i].class, claims[i].range.last + 1);
	}
	sort(owners->stretches, owners->count, sizeof(*owners->stretches), comes_before);
	drop_doubles(owners);
	for (uint32_t i = 0; i <= owners->count; i++)
		next[i] = i;
	for (uint32_t i = 0; i < count; i++) {
		overlaps[i] = false;
		if (claims[i].live)
			lay_down(owners, next, i,
				 find(owners, claims[i].class, claims[i].range.first),
				 find(owners, claims[i].class, claims[i].range.last) + 1,
				 &overlaps[i]);
	}
	return true;
}

uint32_t fdt_owner_of(const struct fdt_owners *owners, uint32_t class, uint64_t address)
{
	const uint32_t at = find(owners, class, address);

	return at == UINT32_MAX || owners->stretches[at].class != class ? FDT_NONE
									: owners->stretches[at]
										  .owner;
}

uint32_t fdt_owner_within(const struct fdt_owners *owners, uint32_t class,
			  struct busway_range range)
{
	const uint32_t owner = fdt_owner_of(owners, class, range.first);
	const uint32_t behind = find(owners, class, range.first) + 1;

	if (owner != FDT_NONE)
		return owner;
	/* behind a free stretch there is an edge of an entry, which has what follows */
	return behind < owners->count && owners->stretches[behind].class == class &&
			       owners->stretches[behind].first <= range.last
		       ? owners->stretches[behind].owner
		       : FDT_NONE;
}
