/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_body.h - mapping, written once for all formats: what goes into one table that is there.
 *
 * Each format makes an instance of map_body(). Whatever needs a table more, or more than one, goes
 * to map_slowly().
 */
#ifndef BUSWAY_IOMMU_MAP_BODY_H
#define BUSWAY_IOMMU_MAP_BODY_H

#include "walk.h"

/* The highest level whose pages fit at both addresses and into @size bytes. */
INLINE unsigned best_level(const struct busway_pagetable *pt, uint64_t addresses, uint64_t size)
{
	unsigned best = 0;

	for (unsigned level = 1; pt->leaf_levels >> level; level++) {
		const uint64_t page = (uint64_t)1 << level_shift(pt, level);

		if (size < page || (addresses & (page - 1)))
			break;
		if (pt->leaf_levels >> level & 1)
			best = level;
	}
	return best;
}

/* Arm's layouts for 52 bits break the address in two: no run crosses 2^48. */
INLINE bool breaks_address(const struct busway_pagetable *pt, uint64_t phys, uint64_t size)
{
	return pt->wide && (phys >> 48) != ((phys + (size - 1)) >> 48);
}

/* @count leaves of @level, of which every 2^@run_lg2 are a page. */
INLINE void write_leaves(const struct format *f, const struct busway_pagetable *pt, uint64_t *at,
			 uint64_t attributes, uint64_t phys, unsigned level, unsigned run_lg2,
			 size_t count)
{
	const uint64_t size = (uint64_t)1 << level_shift(pt, level);

	if (f->equal_in_run && run_lg2) {
		for (size_t i = 0; i < count; i += (size_t)1 << run_lg2)
			entries_fill(at + i,
				     f->leaf_entry(pt, attributes, phys + i * size, level, run_lg2),
				     0, (size_t)1 << run_lg2);
		return;
	}
	if (LIKELY(!breaks_address(pt, phys, count * size))) {
		entries_fill(at, f->leaf_entry(pt, attributes, phys, level, run_lg2),
			     f->stride(size), count);
		return;
	}
	for (size_t i = 0; i < count; i++)
		entry_write(at + i, f->leaf_entry(pt, attributes, phys + i * size, level, run_lg2));
}

/* How many entries from the one at @iova until the next that a page of several could begin at. */
INLINE size_t until_run(const struct busway_pagetable *pt, unsigned level, uint64_t iova)
{
	const unsigned smallest = (unsigned)__builtin_ctz(pt->runs[level]);
	const size_t in_run = (size_t)(iova >> level_shift(pt, level)) & (size_t)low_bits(smallest);

	return ((size_t)1 << smallest) - in_run;
}

/* The largest page of several entries of @level at both addresses; 0: none. */
INLINE unsigned best_run(const struct busway_pagetable *pt, unsigned level, uint64_t addresses,
			 size_t count)
{
	for (unsigned k = RUN_LG2_MAX; k; k--)
		if (pt->runs[level] >> k & 1 && count >> k &&
		    (addresses & low_bits(level_shift(pt, level) + k)) == 0)
			return k;
	return 0;
}

/* @count leaves of @level, in pages as large as can be. */
INLINE void write_run(const struct format *f, const struct busway_pagetable *pt, uint64_t *at,
		      unsigned level, uint64_t iova, uint64_t phys, size_t count,
		      uint64_t attributes)
{
	while (pt->runs[level] && count > 1) {
		const unsigned k = best_run(pt, level, iova | phys, count);
		size_t step = k ? count >> k << k : until_run(pt, level, iova);

		if (k) /* until a larger one could begin */
			for (unsigned larger = k + 1; larger <= RUN_LG2_MAX; larger++)
				if (pt->runs[level] >> larger & 1) {
					const size_t to = ((size_t)1 << larger) -
							  (size_t)(iova >> level_shift(pt, level) &
								   low_bits(larger));

					step = step < to ? step : to;
					break;
				}
		if (step >= count)
			step = count;
		write_leaves(f, pt, at, attributes, phys, level, k, step);
		at += step;
		iova += (uint64_t)step << level_shift(pt, level);
		phys += (uint64_t)step << level_shift(pt, level);
		count -= step;
	}
	if (count)
		write_leaves(f, pt, at, attributes, phys, level, 0, count);
}

/*
 * Add up what is to be mapped; @spans: the sizes less one byte, or-ed. False: something is wrong.
 * No run that passes the other checks is longer than 2^57, so that no sum gets past bit 63 unseen.
 */
INLINE bool add_up(const struct busway_pagetable *pt, uint64_t iova,
		   const struct busway_phys_range *runs, size_t count, struct busway_range *out,
		   uint64_t *spans)
{
	uint64_t unaligned = iova, high = 0, size = 0, sizes = 0;

	*spans = 0;
	for (size_t i = 0; i < count; i++) {
		const uint64_t first = runs[i].first.raw, last = runs[i].last.raw;

		unaligned |= first | (last + 1);
		high |= first | last;
		*spans |= last - first; /* negative if it ends before it begins */
		size += last - first + 1;
		sizes |= size;
	}
	return !(unaligned & pt->page_span[0]) && high <= pt->output_last &&
	       !((*spans | sizes) >> 63) && busway_range_make(iova, size, out) &&
	       takes_input(pt, *out);
}

/* Runs of small pages into one table that is there. False: it is not, or not empty there. */
INLINE bool map_small(const struct format *f, const struct busway_pagetable *pt,
		      struct busway_range range, const struct busway_phys_range *runs, size_t count,
		      uint64_t attributes, bool single_pages)
{
	const unsigned shift = pt->granule_lg2;
	unsigned level;
	uint64_t entry, *at = walk_to(f, pt, range.first, 0, &level, &entry), *next = at;
	const size_t pages = (size_t)(busway_range_span(range) >> shift) + 1;

	if (level || entries_any(at, pages))
		return false;
	for (size_t i = 0; single_pages && i < count; i++)
		entry_write(at + i, f->leaf_entry(pt, attributes, runs[i].first.raw, 0, 0));
	for (size_t i = 0; !single_pages && i < count; i++) {
		const uint64_t phys = runs[i].first.raw;
		const size_t n = (size_t)((runs[i].last.raw - phys) >> shift) + 1;

		write_run(f, pt, next, 0, range.first + ((uint64_t)(next - at) << shift), phys, n,
			  attributes);
		next += n;
	}
	clean(pt, at, pages);
	return true;
}

/* One run of pages of one size into one table that is there. */
INLINE bool map_run(const struct format *f, const struct busway_pagetable *pt,
		    struct busway_range range, uint64_t phys, uint64_t attributes)
{
	const uint64_t span = busway_range_span(range);
	const unsigned best = best_level(pt, range.first | phys, span + 1);
	const unsigned shift = level_shift(pt, best);
	const size_t count = (size_t)(span >> shift) + 1;
	unsigned level;
	uint64_t *at, entry;

	/* not of one size, or not in one table */
	if (((span + 1) & pt->page_span[best]) ||
	    (best != pt->top && (range.first ^ range.last) >> shift >> pt->index_bits))
		return false;
	at = walk_to(f, pt, range.first, best, &level, &entry);
	if (level != best || entries_any(at, count))
		return false;
	write_run(f, pt, at, best, range.first, phys, count, attributes);
	clean(pt, at, count);
	return true;
}

/* A single page of @level, which has leaves, into a table that is there. @fast: .writes_fast is
 * set.
 */
INLINE bool map_page(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
		     uint64_t first, uint64_t attributes, unsigned level, bool fast)
{
	const uint64_t span = fast ? low_bits(12 + 9 * level) : pt->page_span[level];
	unsigned reached;
	uint64_t *at, entry;

	if (!LIKELY(!((iova | first) & span) && attributes && (first | span) <= pt->output_last &&
		    (iova | span) <= pt->input_last))
		return false;
	at = fast ? walk_fast(f, pt, iova, level, &reached, &entry)
		  : walk_to(f, pt, iova, level, &reached, &entry);
	if (!LIKELY(reached == level && !entry))
		return false;
	entry_write(at, f->leaf_entry(pt, attributes, first, level, 0));
	if (!fast)
		clean(pt, at, 1);
	return true;
}

/* The same, where the run says which level; each has a copy, in which the way is straight. */
INLINE bool map_page_fast(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			  const struct busway_phys_range *run, uint64_t attributes)
{
	const uint64_t first = run->first.raw, span = run->last.raw - first;

	if (LIKELY(span == low_bits(12)))
		return map_page(f, pt, iova, first, attributes, 0, true);
	if (span == low_bits(21) && pt->leaf_levels >> 1 & 1)
		return map_page(f, pt, iova, first, attributes, 1, true);
	return span == low_bits(30) && pt->leaf_levels >> 2 & 1 &&
	       map_page(f, pt, iova, first, attributes, 2, true);
}

/* The same in any table. */
INLINE bool map_page_any(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
			 const struct busway_phys_range *run, uint64_t attributes)
{
	const uint64_t first = run->first.raw, span = run->last.raw - first;
	unsigned level = 0;

	while (span > pt->page_span[level] && level < pt->top)
		level++;
	return span == pt->page_span[level] && pt->leaf_levels >> level & 1 &&
	       map_page(f, pt, iova, first, attributes, level, false);
}

/*
 * A list of single small pages into one table of the usual kind that is there. Its entries are sent
 * for first, and come while the list is looked at.
 */
INLINE bool map_list(const struct format *f, const struct busway_pagetable *pt, uint64_t iova,
		     const struct busway_phys_range *runs, size_t count, uint64_t attributes)
{
	uint64_t *at, entry, addresses = 0, others = 0;
	unsigned level;

	if ((iova & low_bits(12)) || iova > pt->input_last || count > 512 - (iova >> 12 & 511))
		return false;
	at = walk_fast(f, pt, iova, 0, &level, &entry);
	if (level)
		return false;
	__builtin_prefetch(at + count - 1, 1);
	for (size_t i = 0; i < count; i++) {
		addresses |= runs[i].first.raw;
		others |= runs[i].first.raw ^ runs[i].last.raw ^ low_bits(12);
	}
	if (others || (addresses & low_bits(12)) || addresses > pt->output_last ||
	    entries_any(at, count))
		return false;
	for (size_t i = 0; i < count; i++)
		entry_write(at + i, f->leaf_entry(pt, attributes, runs[i].first.raw, 0, 0));
	return true;
}

/* Anything but a page in the usual table. */
INLINE int map_more_body(const struct format *f, struct busway_pagetable *pt, uint64_t iova,
			 const struct busway_phys_range *runs, size_t count, unsigned prot,
			 struct busway_refusal *why)
{
	const uint64_t attributes = prot < BUSWAY_PROT_COUNT ? pt->attributes[prot] : 0;
	struct busway_range range;
	uint64_t spans;

	if (count == 1 && !pt->writes_fast && map_page_any(f, pt, iova, runs, attributes))
		return 0;
	if (count > 1 && attributes && pt->writes_fast &&
	    map_list(f, pt, iova, runs, count, attributes))
		return 0;
	if (!count || !attributes || !add_up(pt, iova, runs, count, &range, &spans))
		return explain_map(pt, iova, runs, count, prot, why);
	if (count == 1) {
		if (map_run(f, pt, range, runs[0].first.raw, attributes))
			return 0;
	} else if ((range.first ^ range.last) >> pt->granule_lg2 >> pt->index_bits == 0) {
		if (map_small(f, pt, range, runs, count, attributes, spans == pt->page_span[0]))
			return 0;
	}
	return map_slowly(pt, range, runs, attributes, why);
}

/* A single page in the usual table; all else goes to @more. */
INLINE int map_body(const struct format *f, struct busway_pagetable *pt, uint64_t iova,
		    const struct busway_phys_range *runs, size_t count, unsigned prot,
		    struct busway_refusal *why, map_call *more)
{
	if (LIKELY(pt->writes_fast && count == 1 && prot < BUSWAY_PROT_COUNT) &&
	    map_page_fast(f, pt, iova, runs, pt->attributes[prot]))
		return 0;
	return more(pt, iova, runs, count, prot, why);
}

#endif
