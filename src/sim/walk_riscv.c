/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_riscv.c - RISC-V Privileged Architecture, Sv39 to Sv57, Svnapot, Svpbmt.
 */
#include "walk_steps.h"

#include <stddef.h>

/* Entries of a run of 64 KiB are the same, but for A and D. */
static bool run_is_one(const struct walk_setup *s, uint64_t at, uint64_t e)
{
	for (unsigned i = 0; i < 16; i++)
		if ((s->read(s->ctx, (at & ~(uint64_t)127) + (uint64_t)i * 8) ^ e) &
		    ~(uint64_t)0xc0)
			return false;
	return true;
}

/* What makes a leaf one that an IOMMU does not take from a device; NULL: nothing. */
static const char *wrong_rights(const struct walk_setup *s, uint64_t e)
{
	if (!walk_bits(e, 4, 4))
		return "not for user mode";
	if (s->strict && walk_bits(e, 5, 5))
		return "global: of every address space";
	if (s->dirty_by_hardware)
		return NULL;
	if (!walk_bits(e, 6, 6))
		return "a page that faults at the first access";
	return walk_bits(e, 2, 2) && !walk_bits(e, 7, 7) ? "a page that faults at the first write"
							 : NULL;
}

static bool leaf(const struct walk_setup *s, const struct walk_table *t, uint64_t e, uint64_t iova,
		 struct walk_result *r)
{
	const unsigned below = 9 * (unsigned)(t->level - 1);
	uint64_t number = walk_bits(e, 53, 10);
	unsigned size_lg2 = 12 + below;
	const char *wrong;

	if (number & (((uint64_t)1 << below) - 1))
		return walk_violated(r, "a misaligned superpage");
	if (walk_bits(e, 63, 63)) {
		if (below || (number & 15) != 8)
			return walk_violated(r, "a reserved encoding of N");
		if (!run_is_one(s, r->entry_at, e))
			return walk_violated(r, "entries of one page differ");
		size_lg2 = 16;
		number &= ~(uint64_t)15;
	}
	wrong = wrong_rights(s, e);
	if (wrong)
		return walk_violated(r, wrong);
	r->mapped = true;
	r->accessed = walk_bits(e, 6, 6);
	r->dirty = walk_bits(e, 7, 7);
	r->read = walk_bits(e, 1, 1);
	r->write = walk_bits(e, 2, 2);
	r->execute = walk_bits(e, 3, 3);
	r->type = (unsigned)walk_bits(e, 62, 61);
	r->page_size = (uint64_t)1 << size_lg2;
	r->phys = number << 12 | walk_bits(iova, size_lg2 - 1, 0);
	return false;
}

bool walk_riscv(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
		struct walk_result *r)
{
	const unsigned shift = 12 + 9 * (unsigned)(t->level - 1);
	const uint64_t e = walk_word(s, r, t->at + walk_bits(iova, shift + 8, shift) * 8);

	if (!(e & 1))
		return false;
	if (walk_bits(e, 2, 1) == 2)
		return walk_violated(r, "write without read is reserved");
	if (walk_bits(e, 60, 54) || walk_bits(e, 62, 61) > (s->memory_types ? 2 : 0))
		return walk_violated(r, "reserved bits");
	if (walk_bits(e, 3, 1))
		return leaf(s, t, e, iova, r);
	if (t->level == 1)
		return walk_violated(r, "a pointer at the last level");
	if (walk_bits(e, 7, 6) || walk_bits(e, 4, 4) || walk_bits(e, 63, 61))
		return walk_violated(r, "bits that a pointer must not have");
	t->at = walk_bits(e, 53, 10) << 12;
	t->top = shift;
	t->level--;
	return true;
}
