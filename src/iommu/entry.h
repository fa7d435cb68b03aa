/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * entry.h - reading and writing entries of page tables that hardware walks at the same time.
 *
 * All formats have entries of 64 bits, little-endian, that are empty when all their low bits are
 * zero: what makes an entry valid stands in its first word. Where the CPU writes 64 bits at once,
 * the IOMMU sees an entry or not. Where it does not, the first word goes first and comes last, so
 * that no entry is ever seen with half an address.
 */
#ifndef BUSWAY_IOMMU_ENTRY_H
#define BUSWAY_IOMMU_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ENTRY_ORDER(x) __builtin_bswap64(x)
#define ENTRY_LOW      1 /* which half has the low bits */
#else
#define ENTRY_ORDER(x) (x)
#define ENTRY_LOW      0
#endif

#if __GCC_ATOMIC_LLONG_LOCK_FREE == 2

static inline uint64_t entry_read(const uint64_t *at)
{
	return ENTRY_ORDER(__atomic_load_n(at, __ATOMIC_ACQUIRE));
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes */
static inline void entry_write(uint64_t *at, uint64_t entry)
{
	__atomic_store_n(at, ENTRY_ORDER(entry), __ATOMIC_RELEASE);
}

/* Put @to in the place of @from. False: something else is there, which *@from becomes. */
/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin writes */
static inline bool entry_replace(uint64_t *at, uint64_t *from, uint64_t to)
{
	uint64_t expected = ENTRY_ORDER(*from);
	const bool done = __atomic_compare_exchange_n(at, &expected, ENTRY_ORDER(to), false,
						      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);

	*from = ENTRY_ORDER(expected);
	return done;
}

#else /* one thread; the IOMMU reads all the same */

typedef volatile uint32_t __attribute__((may_alias)) entry_half;

static inline uint64_t entry_read(const uint64_t *at)
{
	const entry_half *half = (const entry_half *)at;

	return (uint64_t)half[1 - ENTRY_LOW] << 32 | half[ENTRY_LOW];
}

static inline void entry_write(uint64_t *at, uint64_t entry)
{
	entry_half *half = (entry_half *)at;

	half[ENTRY_LOW] = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	half[1 - ENTRY_LOW] = (uint32_t)(entry >> 32);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	half[ENTRY_LOW] = (uint32_t)entry;
}

static inline bool entry_replace(uint64_t *at, uint64_t *from, uint64_t to)
{
	const uint64_t there = entry_read(at);
	const bool done = there == *from;

	*from = there;
	if (done)
		entry_write(at, to);
	return done;
}

#endif

/* ---- runs of entries ---- */

/*
 * Two at a time where the CPU has vectors whose halves are written whole. Stores are volatile so
 * that no compiler makes a memset() of them, which may go byte by byte from the wrong end.
 */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && (defined(__SSE2__) || defined(__aarch64__))
#define ENTRY_PAIRS
typedef uint64_t __attribute__((vector_size(16), aligned(8), may_alias)) entry_pair;
#endif

/* @count entries from @at: @first, and each @step more than the one before. */
static inline void entries_fill(uint64_t *at, uint64_t first, uint64_t step, size_t count)
{
	size_t i = 0;

#ifdef ENTRY_PAIRS
	if (count >= 8) {
		const entry_pair two = {2 * step, 2 * step}, eight = {8 * step, 8 * step};
		entry_pair a = {first, first + step}, b = a + two, c = b + two, d = c + two;

		for (; i + 8 <= count; i += 8) {
			*(volatile entry_pair *)(at + i) = a;
			*(volatile entry_pair *)(at + i + 2) = b;
			*(volatile entry_pair *)(at + i + 4) = c;
			*(volatile entry_pair *)(at + i + 6) = d;
			a += eight, b += eight, c += eight, d += eight;
		}
		first += i * step;
	}
#endif
	for (; i < count; i++, first += step)
		entry_write(at + i, first);
}

static inline void entries_clear(uint64_t *at, size_t count)
{
	size_t i = 0;

#ifdef ENTRY_PAIRS
	const entry_pair zero = {0, 0};

	for (; i + 8 <= count; i += 8) {
		*(volatile entry_pair *)(at + i) = zero;
		*(volatile entry_pair *)(at + i + 2) = zero;
		*(volatile entry_pair *)(at + i + 4) = zero;
		*(volatile entry_pair *)(at + i + 6) = zero;
	}
#endif
	for (; i < count; i++)
		entry_write(at + i, 0);
}

/* All of their bits, or-ed: 0 if all are empty. */
static inline uint64_t entries_any(const uint64_t *at, size_t count)
{
	uint64_t any = 0;
	size_t i = 0;

#ifdef ENTRY_PAIRS
	if (count >= 8) {
		entry_pair a = {0, 0}, b = a, c = a, d = a;

		for (; i + 8 <= count; i += 8) {
			a |= *(const entry_pair *)(at + i);
			b |= *(const entry_pair *)(at + i + 2);
			c |= *(const entry_pair *)(at + i + 4);
			d |= *(const entry_pair *)(at + i + 6);
		}
		a |= b | c | d;
		any = a[0] | a[1];
	}
#endif
	for (; i < count; i++)
		any |= entry_read(at + i);
	return any;
}

/*
 * What is wrong with a row of leaves, in bits: 0 if each of them has bit 0 of (entry | entry >>
 * @or_shift) and none of @mask in (entry ^ @flip) + @add. Each format says what those are.
 */
struct leaf_facts {
	unsigned or_shift;
	uint64_t flip, add, mask;
};

static inline uint64_t leaf_wrong(struct leaf_facts f, uint64_t mask, uint64_t entry)
{
	return (~(entry | entry >> f.or_shift) & 1) | (((entry ^ f.flip) + f.add) & mask);
}

/*
 * Most leaves have some bits and have not some others, which is quicker to find out. True: nothing
 * is wrong with any of them. False: look closer.
 */
static inline __attribute__((always_inline)) bool entries_usual(struct leaf_facts f, uint64_t mask,
								const uint64_t *at, size_t count)
{
	const uint64_t set = f.flip & mask, clear = mask ? (mask | f.add) & ~f.flip : 0;
	uint64_t all = UINT64_MAX; /* of the bits, with those flipped that are to be clear */
	size_t i = 0;

#ifdef ENTRY_PAIRS
	if (count >= 8) {
		const entry_pair flip = {clear, clear};
		entry_pair a = {all, all}, b = a, c = a, d = a;

		for (; i + 8 <= count; i += 8) {
			a &= *(const entry_pair *)(at + i) ^ flip;
			b &= *(const entry_pair *)(at + i + 2) ^ flip;
			c &= *(const entry_pair *)(at + i + 4) ^ flip;
			d &= *(const entry_pair *)(at + i + 6) ^ flip;
		}
		a &= b & c & d;
		all = a[0] & a[1];
	}
#endif
	for (; i < count; i++)
		all &= entry_read(at + i) ^ clear;
	return ((all | all >> f.or_shift) & 1) && !(~all & (set | clear));
}

/* @mask: 0 where entries cannot be anything but leaves, f.mask where they may be tables. */
static inline __attribute__((always_inline)) uint64_t entries_wrong(struct leaf_facts f,
								    uint64_t mask,
								    const uint64_t *at,
								    size_t count)
{
	uint64_t wrong = 0;
	size_t i = 0;

	if (mask ? entries_usual(f, f.mask, at, count) : entries_usual(f, 0, at, count))
		return 0;
#ifdef ENTRY_PAIRS
	if (count >= 8) {
		const entry_pair flip = {f.flip, f.flip}, add = {f.add, f.add};
		entry_pair absent = {0, 0}, tables = absent;

		for (; i + 4 <= count; i += 4) {
			const entry_pair a = *(const entry_pair *)(at + i);
			const entry_pair b = *(const entry_pair *)(at + i + 2);

			absent |= ~(a | a >> f.or_shift) | ~(b | b >> f.or_shift);
			if (mask)
				tables |= ((a ^ flip) + add) | ((b ^ flip) + add);
		}
		wrong = ((absent[0] | absent[1]) & 1) | ((tables[0] | tables[1]) & mask);
	}
#endif
	for (; i < count; i++)
		wrong |= leaf_wrong(f, mask, entry_read(at + i));
	return wrong;
}

#endif
