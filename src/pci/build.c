/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - add functions and host bridges, seal, throw away.
 */
#include "pci_internal.h"

#include "../base/bytes.h"
#include "../base/sort.h"

int busway_pci_create(const struct busway_allocator *memory, struct busway_pci **out)
{
	struct arena arena = {.memory = memory};
	struct busway_pci *pci = arena_take(&arena, sizeof(*pci), _Alignof(struct busway_pci));

	if (!pci)
		return -BUSWAY_ENOMEM;
	*pci = (struct busway_pci){.arena = arena};
	*out = pci;
	return 0;
}

void busway_pci_destroy(struct busway_pci *pci)
{
	if (pci) {
		struct arena arena = pci->arena; /* it lies in it */

		arena_release(&arena);
	}
}

void *busway_pci_keep(struct busway_pci *pci, size_t size, size_t align)
{
	return arena_take(&pci->arena, size, align);
}

int busway_pci_add_host(struct busway_pci *pci, const struct busway_pci_host *host)
{
	struct host_node *place;

	if (pci->sealed)
		return -BUSWAY_EBUSY;
	if (!host->name)
		return -BUSWAY_EINVAL;
	place = vector_next(&pci->arena, &pci->added_hosts, sizeof(*place),
			    _Alignof(struct host_node));
	if (!place)
		return -BUSWAY_ENOMEM;
	*place = (struct host_node){.host = *host, .below = NONE};
	pci->added_hosts.count++;
	return 0;
}

int busway_pci_add_function(struct busway_pci *pci, const struct busway_pci_function *function)
{
	struct busway_pci_function *place;

	if (pci->sealed)
		return -BUSWAY_EBUSY;
	if (pci->added.count >= UINT32_MAX / 2)
		return -BUSWAY_ENOMEM;
	place = vector_next(&pci->arena, &pci->added, sizeof(*place),
			    _Alignof(struct busway_pci_function));
	if (!place)
		return -BUSWAY_ENOMEM;
	*place = *function;
	pci->added.count++;
	return 0;
}

/* A function and when it was added: of two with one address the earlier one counts. */
struct place {
	const struct busway_pci_function *function;
	size_t turn;
};

static bool place_before(const void *a, const void *b)
{
	const struct place *x = a, *y = b;
	const int order = busway_pci_address_compare(x->function->at, y->function->at);

	return order ? order < 0 : x->turn < y->turn;
}

static void fill_node(struct node *n, const struct busway_pci_function *f)
{
	*n = (struct node){
		.function = *f,
		.above = NONE,
		.host = NONE,
		.below = NONE,
		.beside = NONE,
	};
	busway_pci_address_text(f->at, n->name);
}

/* Put what was added into pci->nodes, in order. */
static int make_nodes(struct busway_pci *pci)
{
	const struct busway_pci_function *added = pci->added.items;
	const size_t count = pci->added.count;
	struct place *places =
		arena_take(&pci->arena, (count + 1) * sizeof(*places), _Alignof(struct place));

	pci->nodes =
		arena_take(&pci->arena, (count + 1) * sizeof(*pci->nodes), _Alignof(struct node));
	if (!places || !pci->nodes)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < count; i++)
		places[i] = (struct place){&added[i], i};
	sort(places, count, sizeof(*places), place_before);
	pci->count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct busway_pci_function *f = places[i].function;

		if (i && busway_pci_address_compare(f->at, places[i - 1].function->at) == 0) {
			if (add_oddity(pci, BUSWAY_PCI_TWICE, (uint32_t)pci->count - 1, NONE))
				return -BUSWAY_ENOMEM;
			continue;
		}
		fill_node(&pci->nodes[pci->count++], f);
	}
	return 0;
}

int busway_pci_seal(struct busway_pci *pci)
{
	const size_t hosts = pci->added_hosts.count;
	int status;

	if (pci->sealed)
		return -BUSWAY_EBUSY;
	pci->oddities.count = 0;
	status = make_nodes(pci);
	if (!status)
		status = wire(pci);
	if (!status)
		status = judge_claims(pci);
	if (status) {
		pci->added_hosts.count = hosts; /* those that were made up */
		pci->count = 0;
		return status;
	}
	pci->sealed = true;
	return 0;
}
