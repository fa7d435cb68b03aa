/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * addr.h - addresses that cannot be mixed, and inclusive ranges of them.
 *
 * Three kinds of address meet in every DMA question, and confusing them is the mistake that
 * this library exists to end. Each has its own type, so that the compiler refuses to mix them:
 *
 *   busway_phys_t   as the CPU sees it: where RAM and registers are
 *   busway_dma_t    as a device emits it: a bus address, or an IOVA in front of an IOMMU
 *   busway_local_t  as one space on the way sees it; means nothing without naming the space
 *
 * A range is first..last, both inclusive, never empty: the top of a 64-bit space is
 * representable and nothing wraps. A base and a size become a range in one place only
 * (busway_range_make), where data enters. No address value is special: 0 and ~0 are addresses,
 * and status is always returned apart from them.
 *
 * Everything here is inline, allocates nothing and may be called from any thread.
 */
#ifndef BUSWAY_ADDR_H
#define BUSWAY_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
	uint64_t raw;
} busway_phys_t;

typedef struct {
	uint64_t raw;
} busway_dma_t;

typedef struct {
	uint64_t raw;
} busway_local_t;

static inline busway_phys_t busway_phys(uint64_t raw)
{
	return (busway_phys_t){raw};
}

static inline busway_dma_t busway_dma(uint64_t raw)
{
	return (busway_dma_t){raw};
}

static inline busway_local_t busway_local(uint64_t raw)
{
	return (busway_local_t){raw};
}

/* A range of addresses of one space. first <= last always holds. */
struct busway_range {
	uint64_t first, last;
};

/* A range of CPU-physical addresses. */
struct busway_phys_range {
	busway_phys_t first, last;
};

/* A range of addresses as a device emits them. */
struct busway_dma_range {
	busway_dma_t first, last;
};

/* Every 64-bit address. It has no size that 64 bits can hold, only a range. */
#define BUSWAY_RANGE_ALL ((struct busway_range){0, UINT64_MAX})

/* The same where a constant is wanted: to initialize something static. */
#define BUSWAY_RANGE_ALL_INIT                                                                      \
	{                                                                                          \
		0, UINT64_MAX                                                                      \
	}

/*
 * busway_range_make() - the range of @size bytes from @first
 * False, leaving @out alone, where @size is 0 or the range would pass the last 64-bit address.
 */
static inline bool busway_range_make(uint64_t first, uint64_t size, struct busway_range *out)
{
	if (size == 0 || size - 1 > UINT64_MAX - first)
		return false;
	*out = (struct busway_range){first, first + (size - 1)};
	return true;
}

/*
 * busway_range_clip() - as busway_range_make(), but what would pass the end is cut off
 * For data that hardware clips as well (a window that ends beyond 2^64). False if @size is 0.
 */
static inline bool busway_range_clip(uint64_t first, uint64_t size, struct busway_range *out)
{
	if (size == 0)
		return false;
	if (size - 1 > UINT64_MAX - first)
		size = UINT64_MAX - first + 1; /* first > 0 here, so this does not wrap */
	*out = (struct busway_range){first, first + (size - 1)};
	return true;
}

/* Distance from first to last: the size less one, so that it always fits. */
static inline uint64_t busway_range_span(struct busway_range r)
{
	return r.last - r.first;
}

static inline bool busway_range_has(struct busway_range r, uint64_t address)
{
	return r.first <= address && address <= r.last;
}

/* Is all of @in inside @out? */
static inline bool busway_range_within(struct busway_range in, struct busway_range out)
{
	return out.first <= in.first && in.last <= out.last;
}

static inline bool busway_range_overlaps(struct busway_range a, struct busway_range b)
{
	return a.first <= b.last && b.first <= a.last;
}

/* The common part of @a and @b; false, leaving @out alone, where there is none. */
static inline bool busway_range_common(struct busway_range a, struct busway_range b,
				       struct busway_range *out)
{
	if (!busway_range_overlaps(a, b))
		return false;
	*out = (struct busway_range){
		a.first > b.first ? a.first : b.first,
		a.last < b.last ? a.last : b.last,
	};
	return true;
}

/* Does @b begin at the address right behind @a? */
static inline bool busway_range_adjoins(struct busway_range a, struct busway_range b)
{
	return a.last != UINT64_MAX && b.first == a.last + 1;
}

/* Room for @size bytes in @r? Subtracts, so nothing can wrap. */
static inline bool busway_range_holds(struct busway_range r, uint64_t size)
{
	return size != 0 && busway_range_span(r) >= size - 1;
}

/* @x rounded up to @align, a power of two; false where that passes 2^64 - 1. */
static inline bool busway_align_up(uint64_t x, uint64_t align, uint64_t *out)
{
	if (x > UINT64_MAX - (align - 1))
		return false;
	*out = (x + (align - 1)) & ~(align - 1);
	return true;
}

static inline bool busway_is_power_of_two(uint64_t x)
{
	return x != 0 && (x & (x - 1)) == 0;
}

/* The addresses that @bits address lines can drive: 0..2^bits - 1; 64 and above drive all. */
static inline uint64_t busway_bits_last(unsigned bits)
{
	return bits >= 64 ? UINT64_MAX : ((uint64_t)1 << bits) - 1;
}

/* How many address lines it takes to drive @address; 0 for address 0. */
static inline unsigned busway_bits_needed(uint64_t address)
{
	unsigned bits = 0;

	while (bits < 64 && address > busway_bits_last(bits))
		bits++;
	return bits;
}

static inline struct busway_range busway_phys_raw(struct busway_phys_range r)
{
	return (struct busway_range){r.first.raw, r.last.raw};
}

static inline struct busway_range busway_dma_raw(struct busway_dma_range r)
{
	return (struct busway_range){r.first.raw, r.last.raw};
}

static inline struct busway_phys_range busway_phys_range(struct busway_range r)
{
	return (struct busway_phys_range){{r.first}, {r.last}};
}

static inline struct busway_dma_range busway_dma_range(struct busway_range r)
{
	return (struct busway_dma_range){{r.first}, {r.last}};
}

#endif
