/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_fuzz.c - any bytes as a platform and as what drivers do there: no violation but those that
 * a driver commits, no wrong byte, and nothing left at the end.
 *
 * The first bytes draw platform, machine and pools (dma_world.c), the others one operation after
 * the other: map, wait, sync, unmap, allocate, free, change masks, let go of devices, by record and
 * by address, and misuse, which must be told as what it is and change nothing. The simulated
 * machine carries all of it out and judges; bytes are held against what the rules of ownership say.
 */
#include "dma_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPERATIONS_MAX = 300 };

/* ---- devices ---- */

static bool anything_live(const struct world *w, unsigned device)
{
	for (unsigned i = 0; i < BUFFERS; i++)
		if ((w->buffers[i].live || w->buffers[i].waits) && w->buffers[i].device == device)
			return true;
	for (unsigned i = 0; i < RINGS; i++)
		if (w->rings[i].live && w->rings[i].device == device)
			return true;
	return w->devices[device].blocks != NULL;
}

static void set_mask(struct world *w)
{
	struct driver_device *d = &w->devices[below(&w->in, DEVICES)];
	const bool coherent = chance(&w->in);
	const unsigned bits = 1 + (unsigned)below(&w->in, 64);
	struct busway_refusal why = {0};
	unsigned before;
	int status;

	if (!d->device)
		return;
	before = coherent ? busway_dma_coherent_mask(d->device) : busway_dma_mask(d->device);
	status = (coherent ? busway_dma_set_coherent_mask : busway_dma_set_mask)(d->device, bits,
										 NULL, &why);
	if (status == -BUSWAY_ERANGE) {
		check_refusal(&why);
		if (why.reason == BUSWAY_LIVE_MAPPING)
			expect_misuse(w, BUSWAY_MISUSE_MASK_LIVE);
		must(why.reason != BUSWAY_LIVE_MAPPING || bits < before, "widening is refused");
	}
	must(status == 0 || status == -BUSWAY_ERANGE || (status == -BUSWAY_EBUSY && !coherent),
	     "a mask fails in another way");
	must((coherent ? busway_dma_coherent_mask(d->device) : busway_dma_mask(d->device)) ==
		     (status ? before : bits),
	     "a mask that was not set");
	expect_nothing(w);
}

static void come_or_go(struct world *w)
{
	const unsigned index = (unsigned)below(&w->in, DEVICES);
	struct driver_device *d = &w->devices[index];

	if (!d->device) {
		attach(w, index);
		return;
	}
	if (anything_live(w, index))
		return;
	must(busway_dma_detach(d->device) == 0, "a driver cannot leave");
	d->device = NULL;
	expect_nothing(w);
}

static void abandon(struct world *w, unsigned index)
{
	struct driver_device *d = &w->devices[index];
	size_t live = 0;

	if (!d->device)
		return;
	for (unsigned i = 0; i < BUFFERS; i++)
		live += w->buffers[i].live && w->buffers[i].device == index;
	for (unsigned i = 0; i < RINGS; i++)
		live += w->rings[i].live && w->rings[i].device == index;
	busway_machine_flush(w->machine, (busway_device_id){index});
	must(busway_dma_abandon(d->device) >= live, "less is abandoned than was live");
	d->device = NULL;
	busway_dma_quiet(w->dma, (busway_device_id){index});
	busway_machine_quiet(w->machine, (busway_device_id){index});
	forget_buffers(w, index);
	forget_shared(w, index);
	expect_nothing(w);
}

static void grow(struct world *w)
{
	struct driver_device *d = &w->devices[below(&w->in, DEVICES)];
	const uint64_t size = 1 + below(&w->in, 30000);
	int status;

	if (!d->device)
		return;
	status = busway_dma_grow(d->device, size);
	must(status == 0 || status == -BUSWAY_ENOMEM || status == -BUSWAY_EINVAL,
	     "growing fails in another way");
	expect_nothing(w);
}

/* Caches write back and read anew when they like. */
static void disturb(struct world *w)
{
	const uint64_t first = 0x80000000 + below(&w->in, 512) * 4096;

	busway_machine_disturb(w->machine, (struct busway_phys_range){{first}, {first + 0x7fff}});
}

/* ---- one after the other ---- */

static void step(struct world *w)
{
	switch (next(&w->in) % 16) {
	case 0:
	case 1:
	case 2:
	case 3:
		map_buffer(w);
		break;
	case 4:
	case 5:
	case 6:
		use_buffer(w);
		break;
	case 7:
	case 8:
		unmap_any(w);
		break;
	case 9:
		misuse_buffer(w);
		break;
	case 10:
		use_ring(w);
		break;
	case 11:
		use_block(w);
		break;
	case 12:
		set_mask(w);
		break;
	case 13:
		come_or_go(w);
		break;
	case 14:
		if (chance(&w->in))
			grow(w);
		else
			abandon(w, (unsigned)below(&w->in, DEVICES));
		break;
	default:
		disturb(w);
	}
	map_turns(w);
}

/* Waiting is over first: who gets a turn on the way is mapped, and unmapped. */
static void finish(struct world *w)
{
	struct busway_pool_census census;

	for (unsigned i = 0; i < BUFFERS; i++)
		if (w->buffers[i].waits)
			unmap_buffer(w, &w->buffers[i]);
	for (unsigned i = 0; i < BUFFERS; i++)
		if (w->buffers[i].live)
			unmap_buffer(w, &w->buffers[i]);
	for (unsigned i = 0; i < RINGS; i++)
		if (w->rings[i].live)
			free_ring(w, &w->rings[i]);
	for (unsigned i = 0; i < DEVICES; i++) {
		end_blocks(w, i);
		must(!w->devices[i].device || busway_dma_detach(w->devices[i].device) == 0,
		     "a driver cannot leave at the end");
	}
	for (size_t i = 0; busway_dma_pool(w->dma, i, &census); i++)
		must(census.used == 0 && census.quarantined == 0, "slots are left behind");
	for (unsigned i = 0; i < BUFFERS; i++)
		check_region(w, &w->buffers[i]);
	busway_machine_settle(w->machine);
	expect_nothing(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	if (!world_open(&w, data, size))
		return 0;
	for (unsigned i = 0; i < OPERATIONS_MAX && w.in.left; i++)
		step(&w);
	finish(&w);
	world_close(&w);
	return 0;
}
