/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_map.c - steps that map, sync and unmap. See script.h.
 */
#include "script.h"

#include <inttypes.h>
#include <string.h>

/* ---- memory of a buffer ---- */

void drop_memory(struct script *s, struct named *n)
{
	for (size_t i = 0; i < n->memory_count; i++) {
		if (n->held[i] == TAKEN)
			busway_machine_give(s->scene->machine, n->memory[i]);
		else if (n->held[i] == CLAIMED)
			busway_machine_unclaim(s->scene->machine, n->memory[i]);
	}
	n->memory_count = 0;
}

static bool take(struct script *s, uint64_t size, struct busway_phys_range *memory)
{
	busway_phys_t phys;

	if (busway_machine_take(s->scene->machine, size, 4096, NULL, 0, &phys)) {
		say_mistake(s, "the machine has no memory for it");
		return false;
	}
	*memory = (struct busway_phys_range){phys, {phys.raw + (size - 1)}};
	return true;
}

static bool claim(struct script *s, struct busway_phys_range memory)
{
	const int status = busway_machine_claim(s->scene->machine, memory);

	if (status)
		say_mistake(s, status == -BUSWAY_EBUSY ? "page tables of an IOMMU lie there"
						       : "out of memory");
	return status == 0;
}

/*
 * What is written as a size is taken of the machine. A range may be anybody's; what of it is free
 * is kept from others, above all from page tables. False: it was told, and there is none.
 */
static bool take_memory(struct script *s, const struct step *step, struct named *n)
{
	drop_memory(s, n);
	for (size_t i = 0; i < step->memory_count; i++) {
		const struct wanted_memory *w = &step->memory[i];
		struct busway_phys_range memory = busway_phys_range(w->range);

		if (w->is_size ? !take(s, w->size, &memory) : !claim(s, memory)) {
			drop_memory(s, n);
			return false;
		}
		n->held[i] = w->is_size ? TAKEN : CLAIMED;
		n->memory[n->memory_count++] = memory;
	}
	return true;
}

void set_seen(struct named *n, const struct busway_mapping *mapping)
{
	n->seen_count = mapping->segment_count;
	for (size_t i = 0; i < n->seen_count; i++)
		n->seen[i] = mapping->segments[i].dma;
}

/*
 * The lane to map @name with, its memory found. A live record keeps its memory: to map it again is
 * the driver's mistake, which the library is to see. NULL: it was told why not.
 */
static struct busway_lane *begin(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = lane_for(s, step->actor);

	if (lane && (n->allocated || n->is_out || n->blocks)) {
		say_mistake(s, "the name is in use for coherent memory");
		return NULL;
	}
	if (!lane || n->live || n->waits)
		return lane;
	n->actor = step->actor;
	n->seen_count = 0;
	return take_memory(s, step, n) ? lane : NULL;
}

/* ---- what became of it ---- */

static void say_mapped(struct script *s, struct named *n, enum busway_reason reason,
		       const char *before)
{
	const struct busway_mapping *m = &n->mapping;
	char rest[48] = "";

	if (m->segment_count > 1)
		snprintf(rest, sizeof(rest), ", and %" PRIu32 " more segment%s",
			 m->segment_count - 1, m->segment_count > 2 ? "s" : "");
	n->live = true;
	n->waits = false;
	set_seen(n, m);
	say_format(s, "%s%s%s%s%s, dma 0x%" PRIx64 "%s", before,
		   busway_way_name((enum busway_way)m->way), reason ? " (" : "",
		   busway_reason_code(reason), reason ? ")" : "", m->dma.raw, rest);
}

/* What was refused has no memory; a name that is mapped, or waits, stays so. */
static void give_up(struct script *s, struct named *n)
{
	if (!n->live && !n->waits)
		drop_memory(s, n);
}

static void say_failed(struct script *s, const struct step *step, int status,
		       const struct busway_refusal *why)
{
	give_up(s, step->name);
	if (status == -BUSWAY_ERANGE)
		say_refused(s, step->actor, why);
	else
		say_misuse(s);
}

/* ---- steps ---- */

void step_map(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = begin(s, step);
	struct busway_refusal why;
	int status;

	if (!lane)
		return;
	status = busway_map(lane, n->memory[0], step->direction, step->attributes, &n->mapping,
			    &why);
	if (status)
		say_failed(s, step, status, &why);
	else
		say_mapped(s, n, count_mapping(n->actor, &n->mapping, n->memory[0]), "");
}

void step_map_list(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = begin(s, step);
	struct busway_plan plan = {0};
	enum busway_reason reason = BUSWAY_NOT_REFUSED;
	struct busway_refusal why;
	size_t needed = 0;
	int status;

	if (!lane)
		return;
	/* what will be copied is known beforehand only; where it is refused, mapping says why */
	(void)busway_plan(lane, n->memory, n->memory_count, step->direction, step->attributes,
			  &plan, NULL);
	status =
		busway_map_list(lane, n->memory, n->memory_count, step->direction, step->attributes,
				n->segments, SEGMENTS_MAX, &n->mapping, &needed, &why);
	if (status == -BUSWAY_ENOSPC) {
		give_up(s, n);
		say_format(s, "refused: %zu segments, and a script has room for %d", needed,
			   SEGMENTS_MAX);
		return;
	}
	if (status) {
		say_failed(s, step, status, &why);
		return;
	}
	if (n->mapping.way != BUSWAY_WAY_DIRECT)
		reason = list_reason(n->actor, n->memory, n->memory_count, step->direction,
				     step->attributes);
	count_served(n->actor, &n->mapping, plan.bounced_bytes, reason);
	say_mapped(s, n, reason, "");
}

/* Registers of another device: the CPU's side of them is not memory. */
void step_map_peer(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = begin(s, step);
	struct busway_refusal why;
	int status;

	if (!lane)
		return;
	status = busway_map_peer(lane, busway_phys_range(step->range), step->direction, &n->mapping,
				 &why);
	if (status == -BUSWAY_EINVAL && !n->live && !n->waits) {
		say_mistake(s, "that is memory, and no registers of a device");
		return;
	}
	if (status) {
		say_failed(s, step, status, &why);
		return;
	}
	count_served(n->actor, &n->mapping, 0, BUSWAY_NOT_REFUSED);
	say_mapped(s, n, BUSWAY_NOT_REFUSED, "");
}

static void on_turn(struct busway_mapping *mapping, void *ctx)
{
	struct named *n = ctx;

	(void)mapping;
	n->has_turn = true;
}

void step_map_or_wait(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane = begin(s, step);
	struct busway_refusal why;
	int status;

	if (!lane)
		return;
	status = busway_map_or_wait(lane, n->memory[0], step->direction, step->attributes,
				    &n->mapping, on_turn, n, &why);
	if (status == -BUSWAY_EAGAIN && n->waits)
		say(s, "still waits");
	else if (status == -BUSWAY_EAGAIN)
		say_format(s, "waits (%s)", busway_reason_code(why.reason));
	else if (status)
		say_failed(s, step, status, &why);
	else
		say_mapped(s, n, count_mapping(n->actor, &n->mapping, n->memory[0]), "");
	n->waits |= status == -BUSWAY_EAGAIN;
}

void map_turns(struct script *s)
{
	for (struct named *n = s->names; n; n = n->next) {
		char before[NAME_LENGTH + 32];

		if (!n->waits || !n->has_turn)
			continue;
		n->has_turn = false;
		/* slots are set aside: it is mapped without fail */
		if (busway_map_or_wait(busway_dma_lane(n->actor->device, 0), n->memory[0],
				       (enum busway_direction)n->mapping.direction,
				       n->mapping.attributes, &n->mapping, on_turn, n, NULL))
			continue;
		snprintf(before, sizeof(before), "%s has its turn: ", n->name);
		say_mapped(s, n, count_mapping(n->actor, &n->mapping, n->memory[0]), before);
	}
}

void step_cancel(struct script *s, const struct step *step)
{
	struct named *n = step->name;

	if (!busway_map_cancel(&n->mapping)) {
		say_mistake(s, "it does not wait");
		return;
	}
	n->waits = n->has_turn = false;
	say(s, "done");
}

static void say_unmapped(struct script *s, struct named *n, int status)
{
	if (status) {
		say_misuse(s);
		return;
	}
	n->live = false;
	say(s, "done");
}

void step_unmap(struct script *s, const struct step *step)
{
	say_unmapped(s, step->name, busway_unmap(&step->name->mapping));
}

/* As a driver does that keeps the address and the number of entries only. */
void step_unmap_list(struct script *s, const struct step *step)
{
	struct named *n = step->name;
	struct busway_lane *lane;

	if (!n->seen_count) {
		say_mistake(s, "it was never mapped");
		return;
	}
	lane = lane_for(s, n->actor);
	if (lane)
		say_unmapped(s, n,
			     busway_unmap_list_address(
				     lane, n->seen[0].first,
				     step->number ? (size_t)step->number : n->mapping.entry_count,
				     (enum busway_direction)n->mapping.direction));
}

void step_sync(struct script *s, const struct step *step)
{
	struct busway_mapping *mapping = &step->name->mapping;
	const uint64_t offset = step->has_range ? step->range.first : 0;
	const uint64_t size = step->has_range ? busway_range_span(step->range) + 1 : mapping->size;

	if (step->for_cpu ? busway_sync_for_cpu(mapping, offset, size)
			  : busway_sync_for_device(mapping, offset, size))
		say_misuse(s);
	else
		say(s, "done");
}
