/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claims.c - who answers to which bus addresses.
 *
 * A function answers to its BARs, a bridge to the windows that it passes down. Where every claim
 * that overlaps a BAR is that BAR itself or a window of a bridge above it, the way to it is clean:
 * no more needs to be asked about it. That is found by counting, so that it costs n log n.
 */
#include "pci_internal.h"

#include "../base/sort.h"

bool bridge_passes_some(const struct node *n, struct busway_range range)
{
	const struct busway_pci_bridge *b = &n->function.bridge;

	return (b->memory_open && busway_range_overlaps(b->memory, range)) ||
	       (b->prefetch_open && busway_range_overlaps(b->prefetch, range));
}

bool bridge_passes_all(const struct node *n, struct busway_range range)
{
	const struct busway_pci_bridge *b = &n->function.bridge;

	return (b->memory_open && busway_range_within(range, b->memory)) ||
	       (b->prefetch_open && busway_range_within(range, b->prefetch));
}

/* How many of its BARs answer to some of @range. */
static unsigned count_bars(const struct node *n, struct busway_range range)
{
	unsigned count = 0;

	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		count += busway_bar_is_memory(&n->function.bars[i]) &&
			 busway_range_overlaps(n->function.bars[i].bus, range);
	return count;
}

bool claims_by_bar(const struct node *n, struct busway_range range)
{
	return count_bars(n, range) != 0;
}

bool claims_some(const struct node *n, struct busway_range range)
{
	return (busway_pci_is_bridge(n->function.type) && bridge_passes_some(n, range)) ||
	       claims_by_bar(n, range);
}

bool claims_whole(const struct node *n, struct busway_range range)
{
	if (busway_pci_is_bridge(n->function.type) && bridge_passes_all(n, range))
		return true;
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&n->function.bars[i]) &&
		    busway_range_within(range, n->function.bars[i].bus))
			return true;
	return false;
}

bool claims_twice(const struct node *n, struct busway_range range)
{
	const bool bridge = busway_pci_is_bridge(n->function.type);

	return count_bars(n, range) + (bridge && bridge_passes_some(n, range)) > 1;
}

/* ---- counting ---- */

static bool edge_before(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;

	return x->host != y->host ? x->host < y->host : x->address < y->address;
}

static void add_claim(struct claims *claims, uint32_t host, struct busway_range range)
{
	claims->first[claims->count] = (struct edge){host, range.first};
	claims->last[claims->count] = (struct edge){host, range.last};
	claims->count++;
}

static void add_claims_of(struct claims *claims, const struct node *n)
{
	const struct busway_pci_bridge *b = &n->function.bridge;

	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&n->function.bars[i]))
			add_claim(claims, n->host, n->function.bars[i].bus);
	if (!busway_pci_is_bridge(n->function.type))
		return;
	if (b->memory_open)
		add_claim(claims, n->host, b->memory);
	if (b->prefetch_open)
		add_claim(claims, n->host, b->prefetch);
}

/* How many of @edges are below (@host, @address), or there as well where @also. */
static size_t count_below(const struct edge *edges, size_t count, struct edge limit, bool also)
{
	size_t low = 0, high = count;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		const bool below = also ? !edge_before(&limit, &edges[middle])
					: edge_before(&edges[middle], &limit);

		if (below)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Claims of its host that overlap @range. */
static size_t count_overlapping(const struct claims *claims, uint32_t host,
				struct busway_range range)
{
	return count_below(claims->first, claims->count, (struct edge){host, range.last}, true) -
	       count_below(claims->last, claims->count, (struct edge){host, range.first}, false);
}

/* Those that may be there: of the BAR itself, and of the bridges above it. */
static size_t count_expected(const struct busway_pci *pci, const struct node *n,
			     struct busway_range range)
{
	size_t count = 1;

	for (uint32_t up = n->above; up != NONE; up = pci->nodes[up].above) {
		const struct busway_pci_bridge *b = &pci->nodes[up].function.bridge;

		count += b->memory_open && busway_range_overlaps(b->memory, range);
		count += b->prefetch_open && busway_range_overlaps(b->prefetch, range);
	}
	return count;
}

static bool is_clean(const struct busway_pci *pci, const struct claims *claims,
		     const struct node *n)
{
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &n->function.bars[i];

		if (busway_bar_is_memory(bar) && count_overlapping(claims, n->host, bar->bus) !=
							 count_expected(pci, n, bar->bus))
			return false;
	}
	return true;
}

/* May it answer to more than is known? A bridge whose windows were not read, a BAR of unknown
 * size. */
static bool may_claim_more(const struct busway_pci_function *f)
{
	if (f->has_command && !f->memory_decode)
		return false;
	if (busway_pci_is_bridge(f->type) && !f->config_size)
		return true;
	for (unsigned i = 0; i < BUSWAY_PCI_BARS; i++)
		if (busway_bar_is_memory(&f->bars[i]) && !f->bars[i].sized)
			return true;
	return false;
}

bool somebody_claims(const struct busway_pci *pci, uint32_t host, struct busway_range range)
{
	return count_overlapping(&pci->claims, host, range) != 0;
}

int judge_claims(struct busway_pci *pci)
{
	const size_t most = pci->count * (BUSWAY_PCI_BARS + 2) + 1;
	struct claims claims = {
		.first = arena_take(&pci->arena, most * sizeof(struct edge), _Alignof(struct edge)),
		.last = arena_take(&pci->arena, most * sizeof(struct edge), _Alignof(struct edge)),
	};

	if (!claims.first || !claims.last)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < pci->count; i++)
		add_claims_of(&claims, &pci->nodes[i]);
	sort(claims.first, claims.count, sizeof(struct edge), edge_before);
	sort(claims.last, claims.count, sizeof(struct edge), edge_before);
	pci->claims = claims;
	for (size_t i = 0; i < pci->count; i++) {
		struct node *n = &pci->nodes[i];

		n->clean = is_clean(pci, &claims, n);
		if (may_claim_more(&n->function))
			host_at(pci, n->host)->unread = true;
	}
	return 0;
}
