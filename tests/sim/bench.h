/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.h - a machine on the table: a plan, its machine, and what tests do to both.
 *
 * Tests of one subject draw their own plan, or take the usual one:
 *
 *   device 0 --> [ /bus1 ] 0x40000000..0x4fffffff --> [ cpu ] 0x80000000..0x8fffffff RAM
 *   device 1 --> the same, and sees the caches
 *                  0x50000000  doorbell                 0x88000000..0x880fffff carve-out, pool 0
 *                  0x60000000  aperture                 0x89000000..0x890fffff pool 1
 *   device 2 --> the same as device 0, behind a checker: pool 1 only
 *   device 3 --> the same as device 0, and pool 0 is its own
 */
#ifndef BUSWAY_TEST_BENCH_H
#define BUSWAY_TEST_BENCH_H

#include "../support/plan.h"
#include "../support/random.h"
#include "../support/test.h"

#include <busway/sim.h>

#include <string.h>

/* Addresses of the usual plan. */
#define BUS       0x40000000u /* where RAM begins for devices, */
#define RAM       0x80000000u /* and for the CPU */
#define RAM_SIZE  0x10000000u
#define DOORBELL  0x50000000u
#define APERTURE  0x60000000u
#define CARVED    0x88000000u /* 1 MiB */
#define CONFINED  0x89000000u /* 1 MiB */
#define TO_BUS(x) ((x) - RAM + BUS)

enum { NONCOHERENT, COHERENT, RESTRICTED, CARVER };

struct bench {
	struct plan plan;
	struct test_memory memory; /* of the machine */
	struct busway_machine *machine;
	struct busway_dma_environment environment;
};

/* The usual plan; bench_open() builds it. */
void bench_draw(struct bench *bench);

/* Build plan and machine; @options may be NULL. */
void bench_open(struct bench *bench, const struct busway_machine_options *options);

/* Fails the test where memory is left behind. */
void bench_close(struct bench *bench);

/* Draw and open. */
void bench_usual(struct bench *bench, const struct busway_machine_options *options);

/* ---- short forms ---- */

static inline busway_device_id device(uint32_t index)
{
	return (busway_device_id){index};
}

struct busway_phys_range phys_range(uint64_t first, uint64_t size);

int bench_read(struct bench *bench, uint32_t device, uint64_t dma, void *to, size_t size);
int bench_write(struct bench *bench, uint32_t device, uint64_t dma, const void *from, size_t size);

/* ---- mappings, as the library would tell of them ---- */

/* A record of one segment, made by hand: direct where @dma is what leads to @phys, else bounced. */
struct made {
	struct busway_mapping mapping;
	uint32_t device;
};

/* All but the event. Of kind SINGLE. */
struct made made(uint32_t device, uint64_t phys, uint64_t dma, uint64_t size,
		 enum busway_direction direction);

/* The event alone, of all bytes. */
void bench_event(struct bench *bench, struct made *made, enum busway_dma_event event);
void bench_sync(struct bench *bench, struct made *made, bool for_cpu, uint64_t offset,
		uint64_t size);

/* As the library maps and unmaps directly: with clean and invalidate where the device needs it. */
struct made *bench_map(struct bench *bench, struct made *made);
void bench_unmap(struct bench *bench, struct made *made);

/* The CPU's pointer to one byte, or to as many as there are. */
unsigned char *cpu_at(struct bench *bench, uint64_t phys);

/* ---- what was told ---- */

/* The machine has told exactly this, @count times, and nothing else; then it is forgotten. */
void bench_told(struct bench *bench, enum busway_violation_kind kind, uint64_t count);
void bench_told_nothing(struct bench *bench);

/* The first violation, which there must be. */
const struct busway_violation *bench_first(struct bench *bench);

#endif
