/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_amd.c - host page tables. AMD I/O Virtualization Technology specification 48882, 2.2.3.
 */
#include "walk_steps.h"

enum { SIZED = 7 }; /* a next level that says: a page whose size stands in its address */

static unsigned shift_of(int level)
{
	return 12 + 9 * (unsigned)(level - 1);
}

/* The lowest zero of the address says the size, from 8 KiB on. 0: not one of this level. */
static unsigned size_lg2_of(uint64_t e, unsigned shift)
{
	unsigned size_lg2 = 13;

	while (size_lg2 <= 52 && walk_bits(e, size_lg2 - 1, size_lg2 - 1))
		size_lg2++;
	return size_lg2 > shift && size_lg2 < shift + 9 ? size_lg2 : 0;
}

/* All entries that the page covers are the same, but for A and D. */
static bool run_is_one(const struct walk_setup *s, uint64_t at, uint64_t e, unsigned count_lg2)
{
	const uint64_t first = at & ~(((uint64_t)8 << count_lg2) - 1);

	for (uint64_t i = 0; i < (uint64_t)1 << count_lg2; i++)
		if ((s->read(s->ctx, first + i * 8) ^ e) & ~(uint64_t)0x60)
			return false;
	return true;
}

static bool leaf(const struct walk_setup *s, const struct walk_table *t, uint64_t e, uint64_t iova,
		 struct walk_result *r)
{
	const unsigned shift = shift_of(t->level);
	const bool sized = walk_bits(e, 11, 9) == SIZED;
	const unsigned size_lg2 = sized ? size_lg2_of(e, shift) : shift;

	if (!size_lg2)
		return walk_violated(r, "a size that is not of this level");
	if (size_lg2 == 39)
		return walk_violated(r, "a page of 512 GiB, which hardware does not take");
	if (t->level == 6)
		return walk_violated(r, "a page where none may be");
	if (sized && !run_is_one(s, r->entry_at, e, size_lg2 - shift))
		return walk_violated(r, "entries of one page differ");
	if (!sized && t->level > 1 && walk_bits(e, shift - 1, 12))
		return walk_violated(r, "a misaligned page");
	r->mapped = true;
	r->read = t->read;
	r->write = t->write;
	r->accessed = walk_bits(e, 5, 5);
	r->dirty = walk_bits(e, 6, 6);
	r->snoop = walk_bits(e, 60, 60);
	r->page_size = (uint64_t)1 << size_lg2;
	r->phys = (size_lg2 > 51 ? 0 : walk_bits(e, 51, size_lg2) << size_lg2) |
		  walk_bits(iova, size_lg2 - 1, 0);
	return false;
}

bool walk_amd(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r)
{
	const unsigned shift = shift_of(t->level);
	const unsigned high = shift + 8 > 63 ? 63 : shift + 8;
	const uint64_t e = walk_word(s, r, t->at + walk_bits(iova, high, shift) * 8);
	const int next = (int)walk_bits(e, 11, 9);

	if (!(e & 1))
		return false;
	t->read = t->read && walk_bits(e, 61, 61);
	t->write = t->write && walk_bits(e, 62, 62);
	if (walk_bits(e, 58, 52) || walk_bits(e, 63, 63) || walk_bits(e, 8, 7) ||
	    walk_bits(e, 4, 1))
		return walk_violated(r, "reserved bits");
	if (next == 0 || next == SIZED)
		return leaf(s, t, e, iova, r);
	if (next >= t->level)
		return walk_violated(r, "next level is not lower");
	/* levels left out stand for zero bits: else the walk ends here */
	if (next < t->level - 1 && walk_bits(iova, shift - 1, 12 + 9 * (unsigned)next))
		return false;
	t->at = walk_bits(e, 51, 12) << 12;
	t->level = next;
	t->top = 12 + 9 * (unsigned)next;
	return true;
}
