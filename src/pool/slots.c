/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots.c - runs of slots with their lengths at both ends, in lists by length.
 *
 * The lists are those of a two-level segregated fit (Masmano, Ripoll, Crespo and Real, "TLSF: a
 * new dynamic memory allocator for real-time systems", ECRTS 2004), with an exact search behind
 * it: TLSF refuses a request that only a run of its own list could serve.
 */
#include "slots.h"

#include <busway/status.h>

#define SLOT_TAKEN ((uint32_t)1 << 31)

static unsigned highest_bit(uint64_t x)
{
	return 63 - (unsigned)__builtin_clzll(x);
}

/* The list for runs of @length. */
static unsigned list_of(uint32_t length)
{
	unsigned power;

	if (length <= SLOT_EXACT)
		return length - 1;
	power = highest_bit(length);
	return SLOT_EXACT + (power - 6) * SLOT_PARTS + (length >> (power - 3)) % SLOT_PARTS;
}

/* The first list of which every run has @length; behind the last: none has for sure. */
static unsigned list_from(uint32_t length)
{
	if (length <= SLOT_EXACT)
		return length - 1;
	/* the list in which it would be may hold shorter ones, unless it is the shortest there */
	return list_of(length - 1) + 1;
}

/* ---- lists ---- */

static void link_run(struct slots *s, uint32_t first, uint32_t length)
{
	const unsigned list = list_of(length);
	const uint32_t head = s->list[list];

	s->slot[first] = (struct slot){length, head, SLOT_NONE};
	s->slot[first + length - 1].run = length;
	if (head != SLOT_NONE)
		s->slot[head].previous = first;
	s->list[list] = first;
	s->filled[list / 64] |= (uint64_t)1 << list % 64;
}

static void unlink_run(struct slots *s, uint32_t first)
{
	const struct slot run = s->slot[first];
	const unsigned list = list_of(run.run);

	if (run.next != SLOT_NONE)
		s->slot[run.next].previous = run.previous;
	if (run.previous != SLOT_NONE) {
		s->slot[run.previous].next = run.next;
		return;
	}
	s->list[list] = run.next;
	if (run.next == SLOT_NONE)
		s->filled[list / 64] &= ~((uint64_t)1 << list % 64);
}

/* The first list from @list on that is not empty; SLOT_LISTS: none. */
static unsigned next_filled(const struct slots *s, unsigned list)
{
	const unsigned words = sizeof(s->filled) / sizeof(s->filled[0]);

	for (unsigned word = list / 64; word < words; word++) {
		uint64_t bits = s->filled[word];

		if (word == list / 64)
			bits &= ~(uint64_t)0 << list % 64;
		if (bits)
			return word * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return SLOT_LISTS;
}

/* ---- taking ---- */

/* The first slot from @first on that has the phase of the wish; it may be behind the row. */
static uint64_t in_phase(uint64_t first, const struct slot_wish *wish)
{
	return first + ((wish->phase - first) & (wish->align - 1));
}

/* Where the boundary lies that a run from @first would cross; 0: it crosses none. */
static uint64_t crossed(const struct slot_bounds *b, uint64_t first)
{
	const uint64_t at = b->base + first * b->slot + b->offset;
	const uint64_t end = at | (b->boundary - 1);

	return b->boundary && end - at < b->size - 1 ? end + 1 : 0;
}

bool slot_suits(const struct slot_wish *wish, uint32_t first)
{
	const struct slot_bounds *b = wish->bounds;

	if ((first & (wish->align - 1)) != wish->phase)
		return false;
	return !b || (first >= b->low && first <= b->high && b->high - first >= wish->count - 1 &&
		      !crossed(b, first));
}

uint32_t slot_place(const struct slot_wish *wish, uint32_t first, uint32_t last)
{
	const struct slot_bounds *b = wish->bounds;
	uint64_t at, edge;

	if (b && b->low > first)
		first = b->low;
	if (b && b->high < last)
		last = b->high;
	at = in_phase(first, wish);
	edge = b ? crossed(b, at) : 0;
	/* the first one behind the edge; if that crosses as well, so do all: either they lie the
	 * same to boundaries, or none has more room before the next one */
	if (edge) {
		at = in_phase((edge - b->base - b->offset + (b->slot - 1)) / b->slot, wish);
		if (crossed(b, at))
			return SLOT_NONE;
	}
	return at <= last && last - at >= wish->count - 1 ? (uint32_t)at : SLOT_NONE;
}

static uint32_t place_in_run(const struct slots *s, const struct slot_wish *wish, uint32_t run)
{
	return slot_place(wish, run, run + s->slot[run].run - 1);
}

/* A run in which the wish fits, where no list promises it. */
static uint32_t search(const struct slots *s, const struct slot_wish *wish)
{
	for (unsigned list = next_filled(s, list_of(wish->count)); list < SLOT_LISTS;
	     list = next_filled(s, list + 1))
		for (uint32_t run = s->list[list]; run != SLOT_NONE; run = s->slot[run].next)
			if (place_in_run(s, wish, run) != SLOT_NONE)
				return run;
	return SLOT_NONE;
}

static uint32_t find(const struct slots *s, const struct slot_wish *wish)
{
	/* both are at most SLOTS_MAX: no overflow; with that many the alignment cannot fail */
	const uint32_t enough = wish->count + (wish->align - 1);
	const unsigned sure = enough > s->count ? SLOT_LISTS : list_from(enough);
	const unsigned list = sure < SLOT_LISTS ? next_filled(s, sure) : SLOT_LISTS;

	if (list < SLOT_LISTS &&
	    (!wish->bounds || place_in_run(s, wish, s->list[list]) != SLOT_NONE))
		return s->list[list];
	return search(s, wish);
}

uint32_t slots_take(struct slots *s, const struct slot_wish *wish)
{
	const uint32_t count = wish->count;
	uint32_t run, length, first;

	if (count == 0 || count > s->count || wish->align > SLOTS_MAX)
		return SLOT_NONE;
	run = find(s, wish);
	if (run == SLOT_NONE)
		return SLOT_NONE;
	length = s->slot[run].run;
	first = wish->bounds ? place_in_run(s, wish, run) : (uint32_t)in_phase(run, wish);
	unlink_run(s, run);
	if (first != run)
		link_run(s, run, first - run);
	if (first + count != run + length)
		link_run(s, first + count, run + length - (first + count));
	s->slot[first].run = count | SLOT_TAKEN;
	s->slot[first + count - 1].run = count | SLOT_TAKEN;
	s->used += count;
	return first;
}

void slots_give(struct slots *s, uint32_t first)
{
	uint32_t length = slots_taken_at(s, first);
	const uint32_t behind = first + length;

	s->used -= length;
	if (behind < s->count && !(s->slot[behind].run & SLOT_TAKEN)) {
		length += s->slot[behind].run;
		unlink_run(s, behind);
	}
	if (first > 0 && !(s->slot[first - 1].run & SLOT_TAKEN)) {
		const uint32_t before = s->slot[first - 1].run;

		first -= before;
		length += before;
		unlink_run(s, first);
	}
	link_run(s, first, length);
}

uint32_t slots_taken_at(const struct slots *s, uint32_t first)
{
	return s->slot[first].run & ~SLOT_TAKEN;
}

/* The last list that is not empty; SLOT_LISTS: all are. */
static unsigned last_filled(const struct slots *s)
{
	for (unsigned word = sizeof(s->filled) / sizeof(s->filled[0]); word-- > 0;)
		if (s->filled[word])
			return word * 64 + highest_bit(s->filled[word]);
	return SLOT_LISTS;
}

uint32_t slots_longest(const struct slots *s)
{
	const unsigned list = last_filled(s);
	uint32_t longest = 0;

	if (list == SLOT_LISTS)
		return 0;
	if (list < SLOT_EXACT) /* all of it are of one length */
		return list + 1;
	for (uint32_t run = s->list[list]; run != SLOT_NONE; run = s->slot[run].next)
		if (s->slot[run].run > longest)
			longest = s->slot[run].run;
	return longest;
}

/* ---- life ---- */

int slots_create(struct slots *s, uint32_t count, const struct busway_allocator *memory)
{
	if (count == 0 || count > SLOTS_MAX)
		return -BUSWAY_EINVAL;
	*s = (struct slots){.memory = memory, .count = count};
	s->slot = memory->alloc(memory->ctx, count * sizeof(*s->slot), _Alignof(struct slot));
	if (!s->slot)
		return -BUSWAY_ENOMEM;
	for (unsigned i = 0; i < SLOT_LISTS; i++)
		s->list[i] = SLOT_NONE;
	link_run(s, 0, count);
	return 0;
}

void slots_destroy(struct slots *s)
{
	if (s->slot)
		s->memory->free(s->memory->ctx, s->slot, s->count * sizeof(*s->slot),
				_Alignof(struct slot));
	s->slot = NULL;
}
