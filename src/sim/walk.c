/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.c - a walk from the root, and what differs by format only a little. See walk.h.
 */
#include "walk_steps.h"

enum { PAGE_LG2 = 12, INDEX_BITS = 9 }; /* of VT-d, AMD and RISC-V */

static unsigned width(const struct walk_setup *s)
{
	return PAGE_LG2 + INDEX_BITS * s->levels;
}

bool walk_takes(const struct walk_setup *s, uint64_t iova)
{
	switch (s->kind) {
	case WALK_ARM_S1:
	case WALK_ARM_S2:
		return s->input_bits >= 64 || !(iova >> s->input_bits);
	case WALK_VTD:
	case WALK_AMD:
		return width(s) >= 64 || !(iova >> width(s));
	case WALK_RISCV: {
		/* the upper bits are all like the highest one that is translated */
		const uint64_t upper = iova >> (width(s) - 1);

		return upper == 0 || upper == UINT64_MAX >> (width(s) - 1);
	}
	}
	return false;
}

struct walk_table walk_root(const struct walk_setup *s)
{
	const bool arm = s->kind == WALK_ARM_S1 || s->kind == WALK_ARM_S2;
	const unsigned top = arm ? s->input_bits : width(s);

	return (struct walk_table){
		.at = s->root,
		.level = arm ? s->start_level : (int)s->levels,
		.top = top < 64 ? top : 64,
		.read = true,
		.write = true,
	};
}

bool walk_step(const struct walk_setup *s, struct walk_table *t, uint64_t iova,
	       struct walk_result *r)
{
	switch (s->kind) {
	case WALK_ARM_S1:
	case WALK_ARM_S2:
		return walk_arm(s, t, iova, r);
	case WALK_VTD:
		return walk_vtd(s, t, iova, r);
	case WALK_AMD:
		return walk_amd(s, t, iova, r);
	case WALK_RISCV:
		return walk_riscv(s, t, iova, r);
	}
	return walk_violated(r, "no such format");
}

struct walk_result walk(const struct walk_setup *s, uint64_t iova)
{
	struct walk_result result = {0};
	struct walk_table table = walk_root(s);

	if (!walk_takes(s, iova))
		return result;
	while (walk_step(s, &table, iova, &result))
		;
	return result;
}

/*
 * Accessed and dirty: Arm D8.5 (AF; AP[2] and S2AP[1] where DBM is set); VT-d 3.7.2 (A, D); AMD
 * 2.2.3 (A, D); RISC-V, Sv39 (A, D). Only the entry of the page is marked.
 */
uint64_t walk_marked(const struct walk_setup *s, uint64_t entry, bool written)
{
	static const unsigned accessed[] = {
		[WALK_ARM_S1] = 10, [WALK_ARM_S2] = 10, [WALK_VTD] = 8,
		[WALK_AMD] = 5,     [WALK_RISCV] = 6,
	};
	static const unsigned dirty[] = {
		[WALK_ARM_S1] = 7, [WALK_ARM_S2] = 7, [WALK_VTD] = 9,
		[WALK_AMD] = 6,    [WALK_RISCV] = 7,
	};
	const uint64_t mark = (uint64_t)1 << dirty[s->kind];
	const bool arm = s->kind == WALK_ARM_S1 || s->kind == WALK_ARM_S2;

	entry |= (uint64_t)1 << accessed[s->kind];
	if (!written || (arm && !walk_bits(entry, 51, 51)))
		return entry;
	return s->kind == WALK_ARM_S1 ? entry & ~mark : entry | mark;
}
