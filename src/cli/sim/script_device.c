/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_device.c - steps about a whole device, and the end of a script. See script.h.
 */
#include "script.h"

struct busway_lane *lane_for(struct script *s, struct actor *actor)
{
	if (actor->device)
		return busway_dma_lane(actor->device, 0);
	say_mistake(s, "no driver has the device");
	return NULL;
}

/* ---- masks ---- */

static void set_mask(struct script *s, const struct step *step,
		     int (*set)(struct busway_dma_device *, unsigned, struct busway_mask_report *,
				struct busway_refusal *),
		     struct busway_mask_report *report)
{
	struct busway_refusal why;
	int status;

	if (!lane_for(s, step->actor))
		return;
	status = set(step->actor->device, (unsigned)step->number, report, &why);
	if (status == -BUSWAY_ERANGE)
		say_refused(s, step->actor, &why);
	else if (status == -BUSWAY_EBUSY)
		say(s, "refused: a mapping waits for slots");
	else if (status)
		say_mistake(s, "out of memory");
	else
		say(s, "done");
}

void step_mask(struct script *s, const struct step *step)
{
	set_mask(s, step, busway_dma_set_mask, &step->actor->mask);
}

void step_coherent_mask(struct script *s, const struct step *step)
{
	set_mask(s, step, busway_dma_set_coherent_mask, NULL);
}

/* ---- coming and going ---- */

/* The device is gone: blocks were of a lane of it. */
static void forget_driver(struct script *s, struct actor *actor)
{
	actor->device = NULL;
	for (struct named *n = s->names; n; n = n->next) {
		if (n->actor != actor)
			continue;
		n->live = n->waits = n->has_turn = n->allocated = n->is_out = false;
		n->block_of = NULL;
		if (n->blocks)
			busway_blocks_destroy(n->blocks);
		n->blocks = NULL;
	}
}

void step_detach(struct script *s, const struct step *step)
{
	if (!lane_for(s, step->actor))
		return;
	if (busway_dma_detach(step->actor->device)) {
		say_misuse(s);
		return;
	}
	forget_driver(s, step->actor);
	say(s, "done");
}

void step_abandon(struct script *s, const struct step *step)
{
	size_t count;

	if (!lane_for(s, step->actor))
		return;
	count = busway_dma_abandon(step->actor->device);
	forget_driver(s, step->actor);
	say_format(s, "%zu in quarantine", count);
}

void step_quiet(struct script *s, const struct step *step)
{
	busway_dma_quiet(s->scene->dma, step->actor->id);
	busway_machine_quiet(s->scene->machine, step->actor->id);
	say(s, "done");
}

void step_attach(struct script *s, const struct step *step)
{
	if (step->actor->device)
		say_mistake(s, "a driver has it already");
	else if (!scene_attach(s->scene, step->actor))
		say_mistake(s, "out of memory");
	else if (step->actor->device)
		say(s, "done");
	else
		say_refused(s, step->actor, &step->actor->why);
}

/* ---- the end ---- */

static void give_back(struct script *s, struct named *n)
{
	if (n->waits) {
		say_left(s, n, "is left waiting");
		busway_map_cancel(&n->mapping);
		n->waits = false;
	}
	if (n->live) {
		say_left(s, n, "is left live: a leak");
		busway_unmap(&n->mapping);
	}
	if (n->allocated) {
		say_left(s, n, "is left live: a leak");
		busway_coherent_free(&n->coherent);
	}
	if (n->is_out) {
		say_left(s, n, "is left out: a leak");
		busway_blocks_give(n->block_of->blocks, n->seen[0].first);
	}
}

void give_everything_back(struct script *s)
{
	/* those who wait first, so that nobody gets his turn from what is given back */
	for (struct named *n = s->names; n; n = n->next)
		if (n->waits)
			give_back(s, n);
	for (struct named *n = s->names; n; n = n->next)
		give_back(s, n);
	for (struct named *n = s->names; n; n = n->next)
		if (n->blocks)
			busway_blocks_destroy(n->blocks);
}
