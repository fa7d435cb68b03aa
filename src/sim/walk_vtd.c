/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_vtd.c - second stage. Intel VT-d specification, 3.7 and 9.8.
 */
#include "walk_steps.h"

static bool leaf(const struct walk_setup *s, const struct walk_table *t, uint64_t e, uint64_t iova,
		 struct walk_result *r)
{
	const unsigned shift = 12 + 9 * (unsigned)(t->level - 1);

	if (t->level > 3)
		return walk_violated(r, "a page where none may be");
	if (t->level > 1 && walk_bits(e, shift - 1, 12))
		return walk_violated(r, "a misaligned page");
	if (s->strict &&
	    (walk_bits(e, 6, 2) || walk_bits(e, 10, 10) || (t->level == 1 && walk_bits(e, 7, 7))))
		return walk_violated(r, "bits that nobody asked for");
	r->mapped = true;
	r->read = t->read;
	r->write = t->write;
	r->accessed = walk_bits(e, 8, 8);
	r->dirty = walk_bits(e, 9, 9);
	r->snoop = walk_bits(e, 11, 11);
	r->page_size = (uint64_t)1 << shift;
	r->phys = walk_bits(e, 51, shift) << shift | walk_bits(iova, shift - 1, 0);
	return false;
}

bool walk_vtd(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r)
{
	const unsigned shift = 12 + 9 * (unsigned)(t->level - 1);
	const uint64_t e = walk_word(s, r, t->at + walk_bits(iova, shift + 8, shift) * 8);

	if (!(e & 3)) /* neither read nor write: not present */
		return false;
	t->read = t->read && walk_bits(e, 0, 0);
	t->write = t->write && walk_bits(e, 1, 1);
	if (walk_bits(e, 51, 12) << 12 >> s->output_bits)
		return walk_violated(r, "address bits above the host's width");
	if (s->strict && walk_bits(e, 63, 52))
		return walk_violated(r, "bits that nobody has a use for");
	if (t->level == 1 || walk_bits(e, 7, 7))
		return leaf(s, t, e, iova, r);
	if (s->strict && walk_bits(e, 11, 2))
		return walk_violated(r, "reserved bits of a table");
	t->at = walk_bits(e, 51, 12) << 12;
	t->top = shift;
	t->level--;
	return true;
}
