/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.c - functions from the root down.
 */
#include "p2p.h"

#include <stdlib.h>

#define NOBODY UINT32_MAX

bool pci_tree_make(const struct busway_pci *pci, struct pci_tree *tree)
{
	const size_t count = busway_pci_count(pci), hosts = busway_pci_host_count(pci);

	*tree = (struct pci_tree){
		.pci = pci,
		.first = malloc((count + 1) * sizeof(uint32_t)),
		.next = malloc((count + 1) * sizeof(uint32_t)),
		.root = malloc((hosts + 1) * sizeof(uint32_t)),
	};
	if (!tree->first || !tree->next || !tree->root) {
		pci_tree_free(tree);
		complain("out of memory");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		tree->first[i] = NOBODY;
	for (size_t i = 0; i < hosts; i++)
		tree->root[i] = NOBODY;
	for (size_t i = count; i-- > 0;) {
		const busway_pci_id id = {(uint32_t)i}, above = busway_pci_above(pci, id);
		uint32_t *list = busway_pci_some(above)
					 ? &tree->first[above.index]
					 : &tree->root[busway_pci_host_of(pci, id).index];

		tree->next[i] = *list;
		*list = (uint32_t)i;
	}
	return true;
}

void pci_tree_free(struct pci_tree *tree)
{
	free(tree->first);
	free(tree->next);
	free(tree->root);
	*tree = (struct pci_tree){0};
}

busway_pci_id pci_tree_first(const struct pci_tree *tree, busway_pci_host_id host)
{
	return (busway_pci_id){tree->root[host.index]};
}

busway_pci_id pci_tree_next(const struct pci_tree *tree, busway_pci_id id, bool skip)
{
	if (!skip && tree->first[id.index] != NOBODY)
		return (busway_pci_id){tree->first[id.index]};
	while (busway_pci_some(id) && tree->next[id.index] == NOBODY)
		id = busway_pci_above(tree->pci, id);
	return busway_pci_some(id) ? (busway_pci_id){tree->next[id.index]} : BUSWAY_NO_FUNCTION;
}

bool pci_tree_is_leaf(const struct pci_tree *tree, busway_pci_id id)
{
	return tree->first[id.index] == NOBODY;
}

size_t pci_tree_count_below(const struct pci_tree *tree, busway_pci_id id)
{
	const busway_pci_id behind = pci_tree_next(tree, id, true);
	size_t count = 0;

	for (busway_pci_id at = pci_tree_next(tree, id, false); at.index != behind.index;
	     at = pci_tree_next(tree, at, false))
		count++;
	return count;
}
