/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walker.c - see walker.h. Sections: Arm DDI 0487 (issue K) D8.2, D8.3, D8.4, D8.7; Intel VT-d 9.8;
 * AMD 48882 2.2.3; RISC-V Privileged Architecture, Sv39 to Sv57, Svnapot, Svpbmt.
 */
#include "walker.h"

#include <stddef.h>

static uint64_t bits(uint64_t x, unsigned high, unsigned low)
{
	return (x << (63 - high)) >> (63 - high + low);
}

static struct walk_result violated(struct walk_result r, const char *what)
{
	r.violation = what;
	return r;
}

static uint64_t word(const struct walk_setup *s, struct walk_result *r, uint64_t at)
{
	r->entry_at = at;
	return s->read(s->ctx, at);
}

/* ---- Arm ---- */

/* Next-level table or output address: D8.3.1, by granule and width. */
static uint64_t arm_address(const struct walk_setup *s, uint64_t d)
{
	if (s->granule_lg2 == 16)
		return bits(d, 47, 16) << 16 | (s->wide ? bits(d, 15, 12) << 48 : 0);
	return bits(d, s->wide ? 49 : 47, s->granule_lg2) << s->granule_lg2 |
	       (s->wide ? bits(d, 9, 8) << 50 : 0);
}

/* Bits that must be zero in the address field of a descriptor that maps 2^size_lg2 bytes. */
static bool arm_reserved(const struct walk_setup *s, uint64_t d, unsigned size_lg2)
{
	const unsigned address_low = s->granule_lg2 == 16 ? 16 : s->granule_lg2;

	if (size_lg2 > address_low && bits(d, size_lg2 - 1, address_low))
		return true;
	if (s->granule_lg2 == 16)
		return (!s->wide && bits(d, 15, 12)) || bits(d, 50, 48);
	if (s->granule_lg2 == 14 && bits(d, 13, 12))
		return true;
	return s->wide ? bits(d, 50, 50) : bits(d, 50, 48);
}

/* Is a block allowed there? D8.3.1.1. */
static bool arm_block(const struct walk_setup *s, int level)
{
	switch (s->granule_lg2) {
	case 12:
		return level == 1 || level == 2 || (level == 0 && s->wide);
	case 14:
		return level == 2 || (level == 1 && s->wide);
	default:
		return level == 2 || (level == 1 && s->wide);
	}
}

/* Contiguous entries: D8.7.1. 0: none at this level. */
static unsigned arm_contiguous(const struct walk_setup *s, int level)
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

static bool arm_run_is_one(const struct walk_setup *s, uint64_t at, unsigned count, uint64_t size,
			   bool any_dirty_bit)
{
	const uint64_t first_at = at & ~((uint64_t)count * 8 - 1);
	const uint64_t first = s->read(s->ctx, first_at);
	const uint64_t hints = any_dirty_bit ? (uint64_t)1 << 7 | 1 << 10 : 0;

	if (arm_address(s, first) & (count * size - 1))
		return false;
	for (unsigned i = 1; i < count; i++) {
		const uint64_t d = s->read(s->ctx, first_at + i * 8);
		/* all but the address is equal */
		const uint64_t same = d - (arm_address(s, d) - arm_address(s, first));

		if (arm_address(s, d) != arm_address(s, first) + i * size ||
		    ((!s->wide || s->granule_lg2 != 16) && ((same ^ first) & ~hints) != 0))
			return false;
	}
	return true;
}

static struct walk_result arm_leaf(const struct walk_setup *s, struct walk_result r, uint64_t d,
				   int level, uint64_t iova, unsigned shift)
{
	const bool stage1 = s->kind == WALK_ARM_S1;
	const bool modifier = bits(d, 51, 51) && s->dirty_by_hardware;
	const bool lpa2 = s->wide && s->granule_lg2 != 16;
	const unsigned count = bits(d, 52, 52) ? arm_contiguous(s, level) : 1;

	if (!bits(d, 10, 10))
		return violated(r, "access flag fault");
	if (arm_reserved(s, d, shift))
		return violated(r, "reserved bits of a block or page");
	if (!count || (count > 1 && !arm_run_is_one(s, r.entry_at, count, (uint64_t)1 << shift,
						    s->dirty_by_hardware)))
		return violated(r, "contiguous bit without a contiguous run");
	r.mapped = true;
	r.page_size = (uint64_t)count << shift;
	r.phys = arm_address(s, d) | bits(iova, shift - 1, 0);
	r.accessed = true;
	if (stage1) {
		/* AttrIndx by the MAIR that the library asks for: 44 is non-cacheable, ff write-back, 04
		 * Device-nGnRE */
		static const unsigned types[8] = {1, 0, 2, 9, 9, 9, 9, 9};

		r.type = types[bits(d, 4, 2)];
		if (!bits(d, 6, 6))
			return violated(r, "not for unprivileged accesses");
		if (!bits(d, 11, 11))
			return violated(r, "global: of every address space");
		r.read = true;
		r.write = !bits(d, 7, 7) || modifier;
		r.dirty = !bits(d, 7, 7);
		r.execute = !bits(d, 54, 54);
	} else {
		const uint64_t attributes = bits(d, 5, 2);

		r.type = attributes == 15 ? 0 : attributes == 5 ? 1 : attributes == 1 ? 2 : 9;
		r.read = bits(d, 6, 6);
		r.write = bits(d, 7, 7) || modifier;
		r.dirty = bits(d, 7, 7);
		r.execute = !bits(d, 54, 54);
	}
	/* SH: inner for what is cached, outer else; part of the address with LPA2 */
	if (!lpa2 && bits(d, 9, 8) != (r.type ? 2 : 3))
		return violated(r, "shareability");
	return r;
}

static struct walk_result arm_walk(const struct walk_setup *s, uint64_t iova)
{
	const unsigned index_bits = s->granule_lg2 - 3;
	struct walk_result r = {0};
	uint64_t table = s->root;
	unsigned top = s->input_bits;

	if (s->input_bits < 64 && iova >> s->input_bits)
		return r;
	for (int level = s->start_level; level <= 3; level++) {
		const unsigned shift = s->granule_lg2 + (unsigned)(3 - level) * index_bits;
		const uint64_t d = word(s, &r, table + bits(iova, top - 1, shift) * 8);

		r.tables++;
		top = shift;
		if (!(d & 1))
			return r;
		if (level == 3)
			return d & 2 ? arm_leaf(s, r, d, level, iova, shift)
				     : violated(r, "reserved descriptor at level 3");
		if (!(d & 2))
			return arm_block(s, level) ? arm_leaf(s, r, d, level, iova, shift)
						   : violated(r, "a block where none may be");
		if (bits(d, 63, 59))
			return violated(r, "a table that takes rights away");
		if (arm_reserved(s, d, 0))
			return violated(r, "reserved bits of a table");
		table = arm_address(s, d);
	}
	return r;
}

/* ---- VT-d ---- */

static struct walk_result vtd_walk(const struct walk_setup *s, uint64_t iova)
{
	struct walk_result r = {.read = true, .write = true};
	uint64_t table = s->root;

	if (iova >> (12 + 9 * s->levels))
		return r;
	for (unsigned level = s->levels; level >= 1; level--) {
		const unsigned shift = 12 + 9 * (level - 1);
		const uint64_t e = word(s, &r, table + bits(iova, shift + 8, shift) * 8);
		const bool leaf = level == 1 || bits(e, 7, 7);

		r.tables++;
		if (!(e & 3)) /* neither read nor write: not present */
			return r;
		r.read &= bits(e, 0, 0);
		r.write &= bits(e, 1, 1);
		if (bits(e, 51, 12) << 12 >> s->output_bits)
			return violated(r, "address bits above the host's width");
		if (bits(e, 63, 52))
			return violated(r, "bits that nobody has a use for");
		if (!leaf) {
			if (bits(e, 11, 2))
				return violated(r, "reserved bits of a table");
			table = bits(e, 51, 12) << 12;
			continue;
		}
		if (level > 3)
			return violated(r, "a page where none may be");
		if (level > 1 && bits(e, shift - 1, 12))
			return violated(r, "a misaligned page");
		if (bits(e, 6, 2) || bits(e, 10, 10) || (level == 1 && bits(e, 7, 7)))
			return violated(r, "bits that nobody asked for");
		r.mapped = true;
		r.accessed = bits(e, 8, 8);
		r.dirty = bits(e, 9, 9);
		r.snoop = bits(e, 11, 11);
		r.page_size = (uint64_t)1 << shift;
		r.phys = bits(e, 51, shift) << shift | bits(iova, shift - 1, 0);
		return r;
	}
	return r;
}

/* ---- AMD ---- */

static struct walk_result amd_walk(const struct walk_setup *s, uint64_t iova)
{
	struct walk_result r = {.read = true, .write = true};
	uint64_t table = s->root;
	unsigned level = s->levels;

	if (level < 6 && iova >> (12 + 9 * level))
		return r;
	for (;;) {
		const unsigned shift = 12 + 9 * (level - 1);
		const unsigned high = shift + 8 > 63 ? 63 : shift + 8;
		const uint64_t at = table + bits(iova, high, shift) * 8;
		const uint64_t e = word(s, &r, at);
		const unsigned next = (unsigned)bits(e, 11, 9);
		unsigned size_lg2 = shift;

		r.tables++;
		if (!(e & 1))
			return r;
		r.read &= bits(e, 61, 61);
		r.write &= bits(e, 62, 62);
		if (bits(e, 58, 52) || bits(e, 63, 63) || bits(e, 8, 7) || bits(e, 4, 1))
			return violated(r, "reserved bits");
		if (next != 0 && next != 7) {
			if (next >= level)
				return violated(r, "next level is not lower");
			/* levels left out stand for zero bits: else the walk ends here */
			if (next < level - 1 && bits(iova, shift - 1, 12 + 9 * next)) {
				r.read = r.write = false;
				return r;
			}
			table = bits(e, 51, 12) << 12;
			level = next;
			continue;
		}
		if (next == 7) {
			/* the lowest zero of the address says the size, from 8 KiB on */
			size_lg2 = 13;
			while (bits(e, size_lg2 - 1, size_lg2 - 1))
				size_lg2++;
			if (size_lg2 <= shift || size_lg2 >= shift + 9)
				return violated(r, "a size that is not of this level");
			/* all entries that the page covers are the same */
			for (uint64_t i = 0; i < (uint64_t)1 << (size_lg2 - shift); i++) {
				const uint64_t first = at & ~(((uint64_t)8 << (size_lg2 - shift)) - 1);

				if ((s->read(s->ctx, first + i * 8) ^ e) & ~(uint64_t)0x60)
					return violated(r, "entries of one page differ");
			}
		} else if (level > 1 && bits(e, shift - 1, 12)) {
			return violated(r, "a misaligned page");
		}
		r.mapped = true;
		r.accessed = bits(e, 5, 5);
		r.dirty = bits(e, 6, 6);
		r.snoop = bits(e, 60, 60);
		r.page_size = (uint64_t)1 << size_lg2;
		r.phys = bits(e, 51, size_lg2) << size_lg2 | bits(iova, size_lg2 - 1, 0);
		return r;
	}
}

/* ---- RISC-V ---- */

static struct walk_result riscv_walk(const struct walk_setup *s, uint64_t iova)
{
	const unsigned width = 12 + 9 * s->levels;
	struct walk_result r = {0};
	uint64_t table = s->root;
	const uint64_t upper = iova >> (width - 1);

	if (upper != 0 && upper != UINT64_MAX >> (width - 1))
		return r;
	for (unsigned i = s->levels; i-- > 0;) {
		const unsigned shift = 12 + 9 * i;
		const uint64_t at = table + bits(iova, shift + 8, shift) * 8;
		const uint64_t e = word(s, &r, at);
		const bool napot = bits(e, 63, 63);
		unsigned size_lg2 = shift;
		uint64_t number = bits(e, 53, 10);

		r.tables++;
		if (!(e & 1))
			return r;
		if (bits(e, 2, 1) == 2)
			return violated(r, "write without read is reserved");
		if (bits(e, 60, 54) || bits(e, 62, 61) == 3)
			return violated(r, "reserved bits");
		if (!bits(e, 3, 1)) {
			if (i == 0)
				return violated(r, "a pointer at the last level");
			if (bits(e, 7, 6) || bits(e, 4, 4) || napot || bits(e, 62, 61))
				return violated(r, "bits that a pointer must not have");
			table = number << 12;
			continue;
		}
		if (i && number & (((uint64_t)1 << (9 * i)) - 1))
			return violated(r, "a misaligned superpage");
		if (napot) {
			if (i || (number & 15) != 8)
				return violated(r, "a reserved encoding of N");
			for (unsigned j = 0; j < 16; j++)
				if ((s->read(s->ctx, (at & ~(uint64_t)127) + j * 8) ^ e) &
				    ~(uint64_t)0xc0)
					return violated(r, "entries of one page differ");
			size_lg2 = 16;
			number &= ~(uint64_t)15;
		}
		if (!bits(e, 4, 4))
			return violated(r, "not for user mode");
		if (bits(e, 5, 5))
			return violated(r, "global: of every address space");
		if (!bits(e, 6, 6))
			return violated(r, "a page that faults at the first access");
		if (bits(e, 2, 2) && !bits(e, 7, 7) && !s->dirty_by_hardware)
			return violated(r, "a page that faults at the first write");
		r.mapped = true;
		r.accessed = true;
		r.dirty = bits(e, 7, 7);
		r.read = bits(e, 1, 1);
		r.write = bits(e, 2, 2);
		r.execute = bits(e, 3, 3);
		r.type = (unsigned)bits(e, 62, 61);
		r.page_size = (uint64_t)1 << size_lg2;
		r.phys = number << 12 | bits(iova, size_lg2 - 1, 0);
		return r;
	}
	return r;
}

struct walk_result walk(const struct walk_setup *setup, uint64_t iova)
{
	switch (setup->kind) {
	case WALK_ARM_S1:
	case WALK_ARM_S2:
		return arm_walk(setup, iova);
	case WALK_VTD:
		return vtd_walk(setup, iova);
	case WALK_AMD:
		return amd_walk(setup, iova);
	case WALK_RISCV:
		return riscv_walk(setup, iova);
	}
	return (struct walk_result){.violation = "no such format"};
}
