/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_world.h - what bytes are made into: a small platform, its simulated machine, the DMA API on
 * it, devices with drivers, and what these know.
 *
 *   RAM 0x80000000..0x801fffff, eight blocks of 256 KiB
 *     blocks 0..3   memory of buffers, each buffer with 16 KiB of its own
 *     blocks 4..6   pools and more memory
 *     block 7       the restricted pool of device 2
 *   /bus            up to three windows to some of the blocks, at any offset, and one to block 7
 *
 * A driver knows what each byte of its buffers must be; the machine knows the rest.
 */
#ifndef BUSWAY_FUZZ_DMA_WORLD_H
#define BUSWAY_FUZZ_DMA_WORLD_H

#include <busway/busway.h>
#include <busway/coherent.h>
#include <busway/sim.h>

enum {
	DEVICES = 3,
	LANES = 2,
	BUFFERS = 10,
	REGION = 16384, /* of one buffer */
	PARTS = 3,
	SEGMENTS = 48,
	RINGS = 4,
	BLOCKS = 8,
};

/* The bytes that are left; zeroes behind the last one. */
struct input {
	const uint8_t *data;
	size_t left;
};

uint8_t next(struct input *in);
uint64_t below(struct input *in, uint64_t bound); /* 0..bound - 1, of two bytes; bound 1 or more */
bool chance(struct input *in);                    /* one of two */

extern const struct busway_allocator world_memory; /* which is watched */

/* Aborts, and says what is wrong. */
void must(bool holds, const char *what);

struct driver_device {
	struct busway_dma_device *device; /* NULL: nobody has it */
	struct busway_dma_options options;
	bool caches; /* it does not see them */
	struct busway_blocks *blocks;
	uint64_t block_size;
};

struct buffer {
	struct busway_mapping mapping;
	struct busway_mapped segments[SEGMENTS];
	struct busway_phys_range parts[PARTS];
	size_t count;
	uint64_t size; /* of all parts */
	unsigned device, lane;
	enum busway_direction direction;
	unsigned attributes;
	bool live, waits, has_turn;
	bool was_mapped, was_refused; /* its record, once it is neither */
	/* whole sizes below: what the CPU must find in the region, and the device in the buffer */
	unsigned char cpu[REGION], seen[REGION];
	bool undefined; /* what the device finds is anything until it is written */
};

struct ring {
	struct busway_coherent memory;
	unsigned device;
	bool live;
};

struct block {
	struct busway_block memory;
	unsigned device;
	bool live;
};

struct world {
	struct input in;
	struct busway_platform *platform;
	struct busway_machine *machine;
	struct busway_dma *dma;
	struct driver_device devices[DEVICES];
	struct buffer buffers[BUFFERS];
	struct ring rings[RINGS];
	struct block blocks[BLOCKS];
	uint64_t told; /* violations that were expected */
	uint64_t patterns;
};

/* False: the bytes make no world. */
bool world_open(struct world *w, const uint8_t *data, size_t size);
void world_close(struct world *w);

bool attach(struct world *w, unsigned index);

static inline struct busway_lane *lane_of(struct world *w, unsigned device, unsigned lane)
{
	return busway_dma_lane(w->devices[device].device, lane);
}

/* A refusal is one, and can be put into words. */
void check_refusal(const struct busway_refusal *why);

/* Since the last look there was nothing; or the driver misused the API once, in this way. */
void expect_nothing(struct world *w);
void expect_misuse(struct world *w, enum busway_misuse misuse);

/* ---- dma_buffers.c: streaming ---- */

void map_buffer(struct world *w);
void use_buffer(struct world *w);
void unmap_buffer(struct world *w, struct buffer *b);
void unmap_any(struct world *w);
void misuse_buffer(struct world *w);
void map_turns(struct world *w);
void check_region(struct world *w, const struct buffer *b);

/* All that is mapped or waits, for @device, is not any more: it was abandoned. */
void forget_buffers(struct world *w, unsigned device);

/* ---- dma_shared.c: coherent memory ---- */

void use_ring(struct world *w);
void use_block(struct world *w);
void free_ring(struct world *w, struct ring *r);
void forget_shared(struct world *w, unsigned device);
void end_blocks(struct world *w, unsigned device);

#endif
