/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk_arm.c - VMSAv8-64, stage 1 and 2. Arm DDI 0487 (issue K) D8.2, D8.3, D8.4, D8.5, D8.7.
 */
#include "walk_steps.h"

/* Next-level table or output address: D8.3.1, by granule and width. */
static uint64_t address(const struct walk_setup *s, uint64_t d)
{
	if (s->granule_lg2 == 16)
		return walk_bits(d, 47, 16) << 16 | (s->wide ? walk_bits(d, 15, 12) << 48 : 0);
	return walk_bits(d, s->wide ? 49 : 47, s->granule_lg2) << s->granule_lg2 |
	       (s->wide ? walk_bits(d, 9, 8) << 50 : 0);
}

/* Is a bit set that must be zero in the descriptor of a page of 2^size_lg2 bytes, or a table? */
static bool reserved(const struct walk_setup *s, uint64_t d, unsigned size_lg2)
{
	const unsigned low = s->granule_lg2 == 16 ? 16 : s->granule_lg2;

	if (size_lg2 > low && walk_bits(d, size_lg2 - 1, low))
		return true;
	if (s->granule_lg2 == 16)
		return (!s->wide && walk_bits(d, 15, 12)) || walk_bits(d, 50, 48);
	if (s->granule_lg2 == 14 && walk_bits(d, 13, 12))
		return true;
	return s->wide ? walk_bits(d, 50, 50) : walk_bits(d, 50, 48);
}

/* Is a block allowed there? D8.3.1.1; with 64K at level 1 if physical addresses are that wide. */
static bool block_allowed(const struct walk_setup *s, int level)
{
	if (s->granule_lg2 == 12)
		return level == 1 || level == 2 || (level == 0 && s->wide);
	return level == 2 || (level == 1 && (s->granule_lg2 == 16 ? s->output_bits > 48 : s->wide));
}

/* Contiguous entries: D8.7.1. 0: none at this level. */
static unsigned contiguous(const struct walk_setup *s, int level)
{
	switch (s->granule_lg2) {
	case 12:
		return level >= 1 && level <= 3 ? 16 : 0;
	case 14:
		return level == 3 ? 128 : level == 2 ? 32 : 0;
	default:
		return level == 3 || level == 2 ? 32 : 0;
	}
}

static bool run_is_one(const struct walk_setup *s, uint64_t at, unsigned count, uint64_t size)
{
	const uint64_t first_at = at & ~((uint64_t)count * 8 - 1);
	const uint64_t first = s->read(s->ctx, first_at);
	const uint64_t hints = s->dirty_by_hardware ? (uint64_t)1 << 7 | 1 << 10 : 0;

	if (address(s, first) & (count * size - 1))
		return false;
	for (unsigned i = 1; i < count; i++) {
		const uint64_t d = s->read(s->ctx, first_at + (uint64_t)i * 8);
		/* all but the address is equal */
		const uint64_t same = d - (address(s, d) - address(s, first));

		if (address(s, d) != address(s, first) + i * size ||
		    ((!s->wide || s->granule_lg2 != 16) && ((same ^ first) & ~hints) != 0))
			return false;
	}
	return true;
}

/* AttrIndx by the MAIR that the library asks for: 44 is non-cacheable, ff write-back, 04
 * Device-nGnRE. */
static bool rights_stage1(const struct walk_setup *s, uint64_t d, struct walk_result *r)
{
	static const unsigned types[8] = {1, 0, 2, 9, 9, 9, 9, 9};

	r->type = types[walk_bits(d, 4, 2)];
	if (!walk_bits(d, 6, 6))
		return walk_violated(r, "not for unprivileged accesses");
	if (s->strict && !walk_bits(d, 11, 11))
		return walk_violated(r, "global: of every address space");
	r->read = true;
	r->write = !walk_bits(d, 7, 7) || (walk_bits(d, 51, 51) && s->dirty_by_hardware);
	r->dirty = !walk_bits(d, 7, 7);
	r->execute = !walk_bits(d, 54, 54);
	return true;
}

static void rights_stage2(const struct walk_setup *s, uint64_t d, struct walk_result *r)
{
	const uint64_t attributes = walk_bits(d, 5, 2);

	r->type = attributes == 15 ? 0 : attributes == 5 ? 1 : attributes == 1 ? 2 : 9;
	r->read = walk_bits(d, 6, 6);
	r->write = walk_bits(d, 7, 7) || (walk_bits(d, 51, 51) && s->dirty_by_hardware);
	r->dirty = walk_bits(d, 7, 7);
	r->execute = !walk_bits(d, 54, 54);
}

static bool leaf(const struct walk_setup *s, struct walk_result *r, uint64_t d, int level,
		 uint64_t iova, unsigned shift)
{
	const bool lpa2 = s->wide && s->granule_lg2 != 16;
	const unsigned count = walk_bits(d, 52, 52) ? contiguous(s, level) : 1;

	if (!walk_bits(d, 10, 10) && !s->dirty_by_hardware)
		return walk_violated(r, "access flag fault");
	if (reserved(s, d, shift))
		return walk_violated(r, "reserved bits of a block or page");
	if (!count || (count > 1 && !run_is_one(s, r->entry_at, count, (uint64_t)1 << shift)))
		return walk_violated(r, "contiguous bit without a contiguous run");
	if (s->kind == WALK_ARM_S2)
		rights_stage2(s, d, r);
	else if (!rights_stage1(s, d, r))
		return false;
	/* SH: inner for what is cached, outer else; part of the address with LPA2 */
	if (s->strict && !lpa2 && walk_bits(d, 9, 8) != (r->type ? 2 : 3))
		return walk_violated(r, "shareability");
	r->mapped = true;
	r->accessed = walk_bits(d, 10, 10);
	r->page_size = (uint64_t)count << shift;
	r->phys = address(s, d) | walk_bits(iova, shift - 1, 0);
	return false;
}

bool walk_arm(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	      struct walk_result *r)
{
	const unsigned shift = s->granule_lg2 + (unsigned)(3 - t->level) * (s->granule_lg2 - 3);
	const uint64_t d = walk_word(s, r, t->at + walk_bits(iova, t->top - 1, shift) * 8);

	if (!(d & 1))
		return false;
	if (t->level == 3)
		return d & 2 ? leaf(s, r, d, t->level, iova, shift)
			     : walk_violated(r, "reserved descriptor at level 3");
	if (!(d & 2))
		return block_allowed(s, t->level) ? leaf(s, r, d, t->level, iova, shift)
						  : walk_violated(r, "a block where none may be");
	if (walk_bits(d, 63, 59))
		return walk_violated(r, "a table that takes rights away");
	if (reserved(s, d, 0))
		return walk_violated(r, "reserved bits of a table");
	t->at = address(s, d);
	t->top = shift;
	t->level++;
	return true;
}
