/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posted.c - writes on their way: they arrive later, in some order that PCI allows.
 *
 * By the ordering rules (PCI Express Base Specification, 2.4.1): a write does not overtake an
 * earlier one of its device unless it is marked relaxed; a read does not overtake any of them, so
 * that it waits until they have arrived; a message that signals an interrupt is a write like
 * others. Nothing holds between devices.
 */
#include "sim_internal.h"

enum { POSTED_MAX = 64 }; /* on their way at once; then some arrive */

struct sim_post {
	struct sim_post *next;
	busway_device_id device;
	busway_dma_t dma;
	bool relaxed;
	size_t size;
	unsigned char bytes[];
};

/* Does no earlier write hold it up? */
static bool may_arrive(const struct busway_machine *machine, const struct sim_post *post)
{
	const struct sim_post *p = machine->posted;

	while (p != post && p->device.index != post->device.index)
		p = p->next;
	return post->relaxed || p == post;
}

static bool is_candidate(const struct busway_machine *machine, const struct sim_post *post,
			 const busway_device_id *device)
{
	return (!device || device->index == post->device.index) && may_arrive(machine, post);
}

/* Any of those that may arrive, of @device or of all; NULL. */
static struct sim_post *choose(struct busway_machine *machine, const busway_device_id *device)
{
	struct sim_post *chosen = NULL;
	uint64_t count = 0;

	for (struct sim_post *p = machine->posted; p; p = p->next)
		if (is_candidate(machine, p, device) && sim_below(&machine->rng, ++count) == 0)
			chosen = p;
	return chosen;
}

static void destroy(struct busway_machine *machine, struct sim_post *post)
{
	sim_free(machine, post, 1, sizeof(*post) + post->size);
}

/* It is off the list before it lands: landing may ring somebody who uses the machine. */
static void arrive(struct busway_machine *machine, struct sim_post *post)
{
	struct sim_post **at = &machine->posted;

	while (*at != post)
		at = &(*at)->next;
	*at = post->next;
	machine->posted_count--;
	sim_write(machine, post->device, post->dma, post->bytes, post->size);
	destroy(machine, post);
}

/* Some of @device, or of all, arrive until none is left. */
static void arrive_all(struct busway_machine *machine, const busway_device_id *device)
{
	struct sim_post *post;

	while ((post = choose(machine, device)))
		arrive(machine, post);
}

void sim_pass_time(struct busway_machine *machine)
{
	while (machine->posted &&
	       (machine->posted_count >= POSTED_MAX || sim_chance(&machine->rng, 30)))
		arrive(machine, choose(machine, NULL));
}

bool sim_post(struct busway_machine *machine, busway_device_id device, busway_dma_t dma,
	      const void *bytes, size_t size, bool relaxed)
{
	struct sim_post *post =
		size <= SIZE_MAX / 2 ? sim_alloc(machine, 1, sizeof(*post) + size) : NULL;
	struct sim_post **at = &machine->posted;

	if (!post) {
		arrive_all(machine, &device);
		return false;
	}
	while (*at)
		at = &(*at)->next;
	post->device = device;
	post->dma = dma;
	post->relaxed = relaxed;
	post->size = size;
	memcpy(post->bytes, bytes, size);
	*at = post;
	machine->posted_count++;
	return true;
}

void busway_machine_settle(struct busway_machine *machine)
{
	arrive_all(machine, NULL);
}

void busway_machine_flush(struct busway_machine *machine, busway_device_id device)
{
	arrive_all(machine, &device);
}

void sim_posted_destroy(struct busway_machine *machine)
{
	while (machine->posted) {
		struct sim_post *post = machine->posted;

		machine->posted = post->next;
		destroy(machine, post);
	}
}
