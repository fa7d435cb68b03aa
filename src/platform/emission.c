/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * emission.c - which addresses a device can put on the bus.
 *
 * A mask of n bits is the common case: one run from 0. Bits with a meaning of their own (an
 * alias selector, a cache attribute, a bit that the device has no line for) cut the space into
 * runs of 2^k addresses, where k is the lowest such bit.
 */
#include "platform_internal.h"

struct busway_emission busway_emission_mask(unsigned bits)
{
	return (struct busway_emission){.zero = ~busway_bits_last(bits)};
}

/* The lowest x >= @from with (x & @care) == @value; false: there is none. */
static bool next_pattern(uint64_t from, uint64_t care, uint64_t value, uint64_t *x)
{
	const uint64_t wrong = (from & care) ^ value;
	unsigned bit = 63;
	uint64_t below;

	*x = from;
	if (!wrong)
		return true;
	while (!(wrong >> bit & 1))
		bit--;
	if (from >> bit & 1) {
		/* the pattern wants a 0 where @from has a 1: a free bit above must go up */
		do {
			if (++bit == 64)
				return false;
		} while ((care | from) >> bit & 1);
	}
	/* raise this bit, and take the least of all below it */
	below = ((uint64_t)1 << bit) - 1;
	*x = (((from | ((uint64_t)1 << bit)) & ~below)) | (value & below);
	return true;
}

static bool next_masked(const struct busway_emission *e, uint64_t from, struct busway_range *run)
{
	const uint64_t care = e->zero | e->one;
	unsigned free_bits = 0;
	uint64_t x;

	if (e->zero & e->one)
		return false;
	if (!care) {
		*run = BUSWAY_RANGE_ALL;
		return true;
	}
	while (!(care >> free_bits & 1))
		free_bits++;
	if (!next_pattern(from >> free_bits, care >> free_bits, e->one >> free_bits, &x))
		return false;
	if (free_bits && x >> (64 - free_bits))
		return false; /* the next one would be beyond 2^64 */
	run->first = x << free_bits;
	run->last = run->first + busway_bits_last(free_bits);
	return true;
}

bool emission_next(const struct busway_emission *e, uint64_t from, struct busway_range *run)
{
	if (!e->only_count)
		return next_masked(e, from, run);
	for (size_t i = 0; i < e->only_count; i++) {
		const struct busway_range only = e->only[i];
		struct busway_range masked;

		if (only.last < from)
			continue;
		if (!next_masked(e, from > only.first ? from : only.first, &masked))
			return false;
		if (busway_range_common(masked, only, run))
			return true;
	}
	return false;
}

bool emission_holds(const struct busway_emission *e, struct busway_range range, uint64_t *bad)
{
	struct busway_range run;

	for (;;) {
		if (!emission_next(e, range.first, &run) || run.first > range.first) {
			*bad = range.first;
			return false;
		}
		if (run.last >= range.last)
			return true;
		range.first = run.last + 1;
	}
}

/* Is the pattern that of a plain mask: high bits zero and nothing else? */
static bool is_plain_mask(const struct busway_emission *e)
{
	return !e->one && !e->only_count && (~e->zero & (~e->zero + 1)) == 0;
}

/* The last run of the pattern that begins at or before @from: the first one, seen in a mirror. */
static bool previous_masked(const struct busway_emission *e, uint64_t from,
			    struct busway_range *run)
{
	const uint64_t care = e->zero | e->one;
	const struct busway_emission mirrored = {.zero = e->one, .one = care & ~e->one};
	struct busway_range r;

	if (e->zero & e->one || !next_masked(&mirrored, ~from, &r))
		return false;
	*run = (struct busway_range){~r.last, ~r.first};
	return true;
}

static bool previous_run(const struct busway_emission *e, uint64_t from, struct busway_range *run)
{
	if (!e->only_count)
		return previous_masked(e, from, run);
	for (size_t i = e->only_count; i-- > 0;) {
		const struct busway_range only = e->only[i];
		struct busway_range masked;

		if (only.first > from)
			continue;
		if (!previous_masked(e, from < only.last ? from : only.last, &masked))
			return false;
		if (busway_range_common(masked, only, run))
			return true;
	}
	return false;
}

/* The run that is nearest to @address, which is in none. */
static bool nearest_run(const struct busway_emission *e, uint64_t address, struct busway_range *out)
{
	struct busway_range before, behind;
	const bool has_before = previous_run(e, address, &before);
	const bool has_behind = emission_next(e, address, &behind);

	if (has_before && has_behind)
		*out = address - before.last <= behind.first - address ? before : behind;
	else if (has_before || has_behind)
		*out = has_before ? before : behind;
	return has_before || has_behind;
}

/* Ranges that the device can emit may adjoin: the whole of them is one run. */
static void widen(const struct busway_emission *e, struct busway_range *run)
{
	struct busway_range more;

	for (size_t i = 0; i < e->only_count; i++) {
		if (run->last != UINT64_MAX && emission_next(e, run->last + 1, &more) &&
		    busway_range_adjoins(*run, more))
			run->last = more.last;
		if (run->first != 0 && previous_run(e, run->first - 1, &more) &&
		    busway_range_adjoins(more, *run))
			run->first = more.first;
	}
}

void emission_refuse(const struct busway_device *device, const struct busway_emission *e,
		     struct busway_range asked, struct busway_refusal *why)
{
	struct busway_range run;

	*why = (struct busway_refusal){
		.hop = device->name,
		.bus_addresses = true,
		.asked = asked,
	};
	if (is_plain_mask(e)) {
		why->reason = BUSWAY_BEYOND_MASK;
		why->has_limit = true;
		why->limit = (struct busway_range){0, ~e->zero};
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_MASK,
						   .bits = busway_bits_needed(asked.last)});
		return;
	}
	why->reason = BUSWAY_ADDRESS_BITS;
	if (nearest_run(e, asked.first, &run)) {
		widen(e, &run);
		why->has_limit = true;
		why->limit = run;
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_NEAREST,
						   .bus_addresses = true,
						   .range = run});
	}
}
