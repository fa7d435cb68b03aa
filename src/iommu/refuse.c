/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refuse.c - why a page table refuses, as a record. Only called once it does.
 */
#include "../base/bytes.h"
#include "walk.h"

int explain(const struct busway_pagetable *pt, enum busway_reason reason, struct busway_range asked,
	    struct busway_range limit, struct busway_refusal *why)
{
	if (!why)
		return -BUSWAY_ERANGE;
	memset(why, 0, sizeof(*why));
	why->reason = reason;
	why->hop = pt->name;
	why->bus_addresses = reason != BUSWAY_OUTPUT_WIDTH;
	why->asked = asked;
	why->limit = limit;
	why->has_limit = reason != BUSWAY_PERMISSION;
	if (reason == BUSWAY_ALREADY_MAPPED) {
		why->advice_count = 1;
		why->advice[0] = (struct busway_advice){
			.kind = BUSWAY_ADVISE_UNMAP_FIRST,
			.bus_addresses = true,
			.range = limit,
		};
	}
	return -BUSWAY_ERANGE;
}

/* @r rounded out to pages. */
static struct busway_range to_pages(const struct busway_pagetable *pt, struct busway_range r)
{
	const uint64_t low = low_bits(pt->granule_lg2);

	return (struct busway_range){r.first & ~low, r.last | low};
}

int explain_range(const struct busway_pagetable *pt, struct busway_range range,
		  struct busway_refusal *why)
{
	struct busway_range inputs[2];
	const unsigned count = busway_pagetable_input(pt, inputs);
	const struct busway_range pages = to_pages(pt, range);

	if (range.last < range.first)
		return -BUSWAY_EINVAL;
	if (pages.first != range.first || pages.last != range.last)
		return explain(pt, BUSWAY_PAGE_ALIGNMENT, range, pages, why);
	return explain(pt, BUSWAY_IOVA_WIDTH, range,
		       inputs[count > 1 && range.first > ~range.last ? 1 : 0], why);
}

/* The first run that has something wrong, or @count. */
static size_t find_run(const struct busway_pagetable *pt, const struct busway_phys_range *runs,
		       size_t count, enum busway_reason *reason)
{
	for (size_t i = 0; i < count; i++) {
		const struct busway_range run = busway_phys_raw(runs[i]);
		const struct busway_range pages = to_pages(pt, run);

		*reason = BUSWAY_PAGE_ALIGNMENT;
		if (pages.first != run.first || pages.last != run.last)
			return i;
		*reason = BUSWAY_OUTPUT_WIDTH;
		if (run.last > pt->output_last)
			return i;
	}
	return count;
}

int explain_map(const struct busway_pagetable *pt, uint64_t iova,
		const struct busway_phys_range *runs, size_t count, unsigned prot,
		struct busway_refusal *why)
{
	enum busway_reason reason = BUSWAY_NOT_REFUSED;
	struct busway_range range = {iova, iova};
	uint64_t size = 0;
	size_t bad;

	for (size_t i = 0; i < count; i++) {
		const struct busway_range run = busway_phys_raw(runs[i]);

		if (run.last < run.first || busway_range_span(run) >= UINT64_MAX - size)
			return -BUSWAY_EINVAL;
		size += busway_range_span(run) + 1;
	}
	if (!busway_range_clip(iova, size, &range))
		return -BUSWAY_EINVAL; /* nothing is asked for */
	if (prot >= BUSWAY_PROT_COUNT || !pt->attributes[prot])
		return explain(pt, BUSWAY_PERMISSION, range, range, why);
	bad = find_run(pt, runs, count, &reason);
	if (bad == count)
		return explain_range(pt, range, why);
	(void)explain(pt, reason, busway_phys_raw(runs[bad]),
		      reason == BUSWAY_OUTPUT_WIDTH ? (struct busway_range){0, pt->output_last}
						    : to_pages(pt, busway_phys_raw(runs[bad])),
		      why);
	if (why)
		why->bus_addresses = false;
	return -BUSWAY_ERANGE;
}

struct busway_range page_around(const struct busway_pagetable *pt, uint64_t iova)
{
	const struct format *f = pt->format;
	unsigned level, lg2;
	uint64_t entry;

	(void)walk_to(f, pt, iova, 0, &level, &entry);
	lg2 = is_present(f, entry) ? f->page_lg2(pt, entry, level) : level_shift(pt, level);
	return (struct busway_range){iova & ~low_bits(lg2), iova | low_bits(lg2)};
}
