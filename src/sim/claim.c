/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * claim.c - memory that somebody has chosen himself.
 *
 *   unused   [============================]
 *   claims          [=====]  [=]                 may overlap, and lie on what is taken
 *   take()   [------]     [--] [----------]
 *
 * Claims are a list beside what is unused: one that ends needs no memory, and memory under a claim
 * may be given back at any time.
 */
#include "sim_internal.h"

const struct busway_range *sim_claim_in(const struct busway_machine *machine,
					struct busway_range phys)
{
	for (const struct sim_claim *claim = machine->claims; claim; claim = claim->next)
		if (busway_range_overlaps(claim->range, phys))
			return &claim->range;
	return NULL;
}

int busway_machine_claim(struct busway_machine *machine, struct busway_phys_range range)
{
	struct sim_claim *claim;

	if (range.first.raw > range.last.raw)
		return -BUSWAY_EINVAL;
	if (sim_has_table(machine, busway_phys_raw(range)))
		return -BUSWAY_EBUSY;
	claim = sim_alloc(machine, 1, sizeof(*claim));
	if (!claim)
		return -BUSWAY_ENOMEM;
	claim->range = busway_phys_raw(range);
	claim->next = machine->claims;
	machine->claims = claim;
	return 0;
}

void busway_machine_unclaim(struct busway_machine *machine, struct busway_phys_range range)
{
	struct sim_claim **at = &machine->claims;
	struct sim_claim *claim;

	while (*at &&
	       ((*at)->range.first != range.first.raw || (*at)->range.last != range.last.raw))
		at = &(*at)->next;
	claim = *at;
	if (!claim)
		return;
	*at = claim->next;
	sim_free(machine, claim, 1, sizeof(*claim));
}

void sim_claims_destroy(struct busway_machine *machine)
{
	while (machine->claims)
		busway_machine_unclaim(machine, busway_phys_range(machine->claims->range));
}
