/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * served.c - which way mappings went, how much of them was copied, and why.
 */
#include "sim.h"

void count_served(struct actor *actor, const struct busway_mapping *mapping, uint64_t bounced_bytes,
		  enum busway_reason reason)
{
	actor->ways[mapping->way]++;
	actor->bytes += mapping->size;
	actor->bounced_bytes += bounced_bytes;
	if (bounced_bytes)
		actor->bounced_for[reason]++;
	group_note_use(actor->group);
}

/* Nobody but a call that may not bounce is told why: so that is asked here, and below. */
enum busway_reason list_reason(const struct actor *actor, const struct busway_phys_range *memory,
			       size_t count, enum busway_direction direction, unsigned attributes)
{
	struct busway_plan plan;
	struct busway_refusal why = {0};

	for (size_t i = 0; i < count; i++)
		if (busway_plan(busway_dma_lane(actor->device, 0), &memory[i], 1, direction,
				attributes | BUSWAY_MAP_NO_BOUNCE, &plan, &why) == -BUSWAY_ERANGE)
			return why.reason;
	return BUSWAY_NOT_REFUSED;
}

/* Does the IOMMU lead to slots instead of the memory? */
static bool leads_elsewhere(const struct actor *actor, const struct busway_mapping *mapping,
			    struct busway_phys_range memory)
{
	struct busway_translation found;

	return !busway_pagetable_lookup(busway_domain_table(group_domain(actor)), mapping->dma,
					&found) ||
	       found.phys.raw != memory.first.raw;
}

/* Through an IOMMU to slots. Low bits that lead across a boundary are no reason for a plan, which
 * may cut the memory there. */
static enum busway_reason translated_reason(const struct actor *actor,
					    const struct busway_mapping *mapping,
					    struct busway_phys_range memory)
{
	const enum busway_reason reason = list_reason(
		actor, &memory, 1, (enum busway_direction)mapping->direction, mapping->attributes);

	return reason ? reason : BUSWAY_SEGMENT_LIMITS;
}

static enum busway_reason bounced_reason(const struct actor *actor,
					 const struct busway_mapping *mapping,
					 struct busway_phys_range memory)
{
	struct busway_mapping direct = {0};
	struct busway_refusal why = {0};

	if (busway_map(busway_dma_lane(actor->device, 0), memory,
		       (enum busway_direction)mapping->direction, BUSWAY_MAP_NO_BOUNCE, &direct,
		       &why) == 0)
		busway_unmap(&direct);
	return why.reason;
}

enum busway_reason count_mapping(struct actor *actor, const struct busway_mapping *mapping,
				 struct busway_phys_range memory)
{
	enum busway_reason reason = BUSWAY_NOT_REFUSED;
	bool bounced = mapping->way == BUSWAY_WAY_BOUNCE;

	if (bounced) {
		reason = bounced_reason(actor, mapping, memory);
	} else if (mapping->way == BUSWAY_WAY_IOMMU && leads_elsewhere(actor, mapping, memory)) {
		reason = translated_reason(actor, mapping, memory);
		bounced = true;
	}
	count_served(actor, mapping, bounced ? mapping->size : 0, reason);
	return reason;
}
