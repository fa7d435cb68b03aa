/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * order.c - the order of the matrix: by host bridge, then by address, which is the order of buses.
 * Neighbours below one bridge are a group.
 */
#include "p2p.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->host != y->host)
		return x->host < y->host ? -1 : 1;
	return x->id.index < y->id.index ? -1 : x->id.index > y->id.index;
}

/* The highest bridge above each place that is above another place as well. @counts: how many
 * places are below each function. */
static void find_groups(const struct busway_pci *pci, struct place *places, size_t count,
			uint32_t *counts)
{
	for (size_t i = 0; i < count; i++)
		for (busway_pci_id up = busway_pci_above(pci, places[i].id); busway_pci_some(up);
		     up = busway_pci_above(pci, up))
			counts[up.index]++;
	for (size_t i = 0; i < count; i++) {
		places[i].group = UINT32_MAX;
		for (busway_pci_id up = busway_pci_above(pci, places[i].id); busway_pci_some(up);
		     up = busway_pci_above(pci, up))
			if (counts[up.index] > 1)
				places[i].group = up.index;
	}
}

struct place *make_places(const struct question *q, bool all, size_t *count)
{
	struct place *places = calloc(q->a_count + 1, sizeof(*places));
	uint32_t *counts = calloc(busway_pci_count(q->pci) + 1, sizeof(*counts));

	*count = 0;
	if (!places || !counts) {
		free(places);
		free(counts);
		complain("%s: out of memory", q->loaded->source);
		return NULL;
	}
	for (size_t i = 0; i < q->a_count; i++)
		if (all || has_memory(busway_pci_function(q->pci, q->a[i])))
			places[(*count)++] = (struct place){
				.id = q->a[i],
				.host = busway_pci_host_of(q->pci, q->a[i]).index,
			};
	qsort(places, *count, sizeof(*places), compare);
	find_groups(q->pci, places, *count, counts);
	free(counts);
	return places;
}

bool begins_group(const struct place *places, size_t i)
{
	return i == 0 || places[i].host != places[i - 1].host ||
	       places[i].group != places[i - 1].group;
}
