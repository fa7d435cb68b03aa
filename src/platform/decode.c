/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.c - who takes an address, once precedence between overlapping claims is settled.
 *
 *   rank 0       [-----A-----]
 *   rank 1   [----B----]  [-----C-----]
 *   runs     [-B-][-----A-----][--C---]
 *
 * One sweep over the claims by their first address, with a heap of those that are open, the
 * winner on top: n log n, whatever the overlaps.
 */
#include "platform_internal.h"

#include "../base/sort.h"

static bool starts_before(const void *a, const void *b)
{
	const struct decode_claim *x = a, *y = b;

	return x->range.first != y->range.first ? x->range.first < y->range.first
						: x->rank < y->rank;
}

static void heap_push(const struct decode_claim *claims, uint32_t *heap, size_t *count,
		      uint32_t item)
{
	size_t i = (*count)++;

	while (i > 0 && claims[item].rank < claims[heap[(i - 1) / 2]].rank) {
		heap[i] = heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	heap[i] = item;
}

static void heap_pop(const struct decode_claim *claims, uint32_t *heap, size_t *count)
{
	const uint32_t item = heap[--*count];
	size_t i = 0;

	for (size_t child = 1; child < *count; child = 2 * i + 1) {
		if (child + 1 < *count && claims[heap[child + 1]].rank < claims[heap[child]].rank)
			child++;
		if (claims[item].rank <= claims[heap[child]].rank)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = item;
}

/* Append a run, or lengthen the last one where it is the same claim going on. */
static size_t put_run(struct decode_run *runs, size_t count, struct busway_range range,
		      uint32_t index)
{
	if (count && runs[count - 1].index == index &&
	    busway_range_adjoins(runs[count - 1].range, range)) {
		runs[count - 1].range.last = range.last;
		return count;
	}
	runs[count] = (struct decode_run){range, index};
	return count + 1;
}

size_t decode_settle(struct decode_claim *claims, size_t count, uint32_t *heap,
		     struct decode_run *runs)
{
	size_t next = 0, open = 0, run_count = 0;
	uint64_t position = 0;

	sort(claims, count, sizeof(*claims), starts_before);
	for (;;) {
		while (open && claims[heap[0]].range.last < position)
			heap_pop(claims, heap, &open);
		if (!open && next == count)
			return run_count;
		if (!open && claims[next].range.first > position)
			position = claims[next].range.first;
		if (next < count && claims[next].range.first <= position) {
			heap_push(claims, heap, &open, (uint32_t)next);
			next++;
			continue;
		}
		const struct decode_claim *winner = &claims[heap[0]];
		struct busway_range run = {position, winner->range.last};

		if (next < count && claims[next].range.first <= run.last) {
			/* a later claim begins inside: it cuts the winner only if it outranks it */
			if (claims[next].rank > winner->rank) {
				heap_push(claims, heap, &open, (uint32_t)next);
				next++;
				continue;
			}
			run.last = claims[next].range.first - 1;
		}
		run_count = put_run(runs, run_count, run, winner->index);
		if (run.last == UINT64_MAX)
			return run_count;
		position = run.last + 1;
	}
}

struct claim claim_at(const struct space_entry *space, uint64_t address)
{
	const struct {
		const struct decoder *decoder;
		enum claim_kind kind;
	} order[] = {
		{&space->regions, CLAIM_REGION},
		{&space->windows, CLAIM_WINDOW},
		{&space->background, CLAIM_REGION},
	};
	uint64_t last = UINT64_MAX;

	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		const struct decoder *decoder = order[i].decoder;
		const size_t at = decode_find(decoder, address);

		if (at == decoder->count)
			continue;
		const struct decode_run *run = &decoder->runs[at];

		if (run->range.first <= address)
			return (struct claim){order[i].kind, run->index,
					      run->range.last < last ? run->range.last : last};
		if (run->range.first - 1 < last)
			last = run->range.first - 1;
	}
	return (struct claim){CLAIM_NONE, 0, last};
}
