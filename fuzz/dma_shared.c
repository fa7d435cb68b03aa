/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_shared.c - coherent memory and blocks: CPU and device see the same bytes at any time.
 */
#include "dma_world.h"

#include <string.h>

enum { LARGEST = 12288 };

/* The first and the last byte of it, both ways. */
static void share(struct world *w, unsigned device, unsigned char *cpu, busway_dma_t dma,
		  uint64_t size)
{
	const uint64_t ends[] = {0, size - 1};

	for (unsigned i = 0; i < 2; i++) {
		const unsigned char mine = (unsigned char)++w->patterns,
				    theirs = (unsigned char)~mine;
		const busway_dma_t at = {dma.raw + ends[i]};
		unsigned char found = 0;

		cpu[ends[i]] = mine;
		must(busway_machine_read(w->machine, (busway_device_id){device}, at, &found, 1) ==
				     0 &&
			     found == mine,
		     "a device does not see what the CPU wrote to shared memory");
		must(busway_machine_write(w->machine, (busway_device_id){device}, at, &theirs, 1,
					  0) == 0,
		     "a device cannot write shared memory");
		busway_machine_flush(w->machine, (busway_device_id){device});
		must(cpu[ends[i]] == theirs,
		     "the CPU does not see what a device wrote to shared memory");
	}
	expect_nothing(w);
}

static bool is_zero(const unsigned char *bytes, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

static unsigned flags_of(struct world *w)
{
	return chance(&w->in) ? BUSWAY_COHERENT_ATOMIC : 0;
}

void free_ring(struct world *w, struct ring *r)
{
	const bool by_address = chance(&w->in);

	must((by_address ? busway_coherent_free_address(lane_of(w, r->device, 0), r->memory.dma,
							r->memory.size, r->memory.cpu)
			 : busway_coherent_free(&r->memory)) == 0,
	     "coherent memory cannot be freed");
	r->live = false;
	expect_nothing(w);
}

static void allocate(struct world *w, struct ring *r)
{
	const uint64_t size = 1 + below(&w->in, LARGEST), align = (uint64_t)1 << below(&w->in, 14);
	struct busway_refusal why = {0};
	int status;

	r->device = (unsigned)below(&w->in, DEVICES);
	if (!w->devices[r->device].device)
		return;
	status = busway_coherent_alloc(lane_of(w, r->device, 0), size, align, flags_of(w),
				       &r->memory, &why);
	must(status == 0 || status == -BUSWAY_ERANGE, "allocating fails in another way");
	if (status) {
		check_refusal(&why);
		expect_nothing(w);
		return;
	}
	r->live = true;
	must(r->memory.size == size && r->memory.dma.raw % align == 0, "another place or size");
	must(is_zero(r->memory.cpu, size), "coherent memory is not zero");
	share(w, r->device, r->memory.cpu, r->memory.dma, size);
}

void use_ring(struct world *w)
{
	struct ring *r = &w->rings[below(&w->in, RINGS)];

	if (!r->live) {
		allocate(w, r);
		return;
	}
	switch (below(&w->in, 4)) {
	case 0:
		must(busway_coherent_free_address(lane_of(w, r->device, 0), r->memory.dma,
						  r->memory.size, &r) == -BUSWAY_EINVAL,
		     "freed by another pointer");
		expect_misuse(w, BUSWAY_MISUSE_WRONG_POINTER);
		break;
	case 1:
		free_ring(w, r);
		must(busway_coherent_free(&r->memory) == -BUSWAY_EINVAL, "freed twice");
		expect_misuse(w, BUSWAY_MISUSE_UNMAPPED_TWICE);
		break;
	case 2:
		free_ring(w, r);
		break;
	default:
		share(w, r->device, r->memory.cpu, r->memory.dma, r->memory.size);
	}
}

/* ---- blocks ---- */

static void give_block(struct world *w, struct block *b)
{
	struct busway_blocks *blocks = w->devices[b->device].blocks;

	must(busway_blocks_give(blocks, b->memory.dma) == 0, "a block cannot be given back");
	b->live = false;
	expect_nothing(w);
	if (chance(&w->in))
		return;
	must(busway_blocks_give(blocks, b->memory.dma) == -BUSWAY_EINVAL, "given back twice");
	expect_misuse(w, BUSWAY_MISUSE_UNMAPPED_TWICE);
}

static void take_block(struct world *w, struct block *b)
{
	struct driver_device *d = &w->devices[b->device];
	struct busway_refusal why = {0};
	int status = busway_blocks_take(d->blocks, flags_of(w), &b->memory, &why);

	must(status == 0 || status == -BUSWAY_ERANGE, "taking a block fails in another way");
	if (status) {
		check_refusal(&why);
		expect_nothing(w);
		return;
	}
	b->live = true;
	must(is_zero(b->memory.cpu, d->block_size), "a block is not zero");
	for (unsigned i = 0; i < BLOCKS; i++)
		must(&w->blocks[i] == b || !w->blocks[i].live || w->blocks[i].device != b->device ||
			     w->blocks[i].memory.dma.raw + d->block_size <= b->memory.dma.raw ||
			     b->memory.dma.raw + d->block_size <= w->blocks[i].memory.dma.raw,
		     "a block is two");
	share(w, b->device, b->memory.cpu, b->memory.dma, d->block_size);
}

void use_block(struct world *w)
{
	struct block *b = &w->blocks[below(&w->in, BLOCKS)];
	struct driver_device *d;

	if (b->live) {
		give_block(w, b);
		return;
	}
	b->device = (unsigned)below(&w->in, DEVICES);
	d = &w->devices[b->device];
	if (!d->device)
		return;
	if (!d->blocks) {
		const uint64_t size = 1 + below(&w->in, 3000);
		const uint64_t align = (uint64_t)1 << below(&w->in, 9);
		const uint64_t boundary = chance(&w->in) ? 4096 : 0;

		d->block_size = size;
		must(busway_blocks_create(lane_of(w, b->device, 0), size, align, boundary,
					  &world_memory, &d->blocks) == 0,
		     "blocks cannot be made");
	}
	take_block(w, b);
}

void end_blocks(struct world *w, unsigned device)
{
	for (unsigned i = 0; i < BLOCKS; i++)
		if (w->blocks[i].live && w->blocks[i].device == device)
			give_block(w, &w->blocks[i]);
	if (w->devices[device].blocks)
		must(busway_blocks_destroy(w->devices[device].blocks) == 0,
		     "blocks cannot be destroyed");
	w->devices[device].blocks = NULL;
}

void forget_shared(struct world *w, unsigned device)
{
	for (unsigned i = 0; i < RINGS; i++)
		if (w->rings[i].device == device)
			w->rings[i].live = false;
	for (unsigned i = 0; i < BLOCKS; i++)
		if (w->blocks[i].device == device)
			w->blocks[i].live = false;
	if (w->devices[device].blocks)
		must(busway_blocks_destroy(w->devices[device].blocks) == 0,
		     "blocks of an abandoned device stay");
	w->devices[device].blocks = NULL;
}
