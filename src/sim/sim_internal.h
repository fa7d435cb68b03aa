/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_internal.h - what the files of the simulated machine share. Read <busway/sim.h> first.
 *
 *   machine.c    create and destroy; the environment of the DMA API
 *   fabric.c     hop by hop: where does an access go, and what refuses it?
 *   ram.c        simulated memory, in three views
 *   take.c       memory for those who ask: pools, buffers
 *   access.c     accesses of devices, piece by piece
 *   violation.c  what went wrong, counted and kept
 *
 * Nothing here uses the code of src/platform but what platform.h lets everybody read: what is
 * judged is no judge.
 */
#ifndef BUSWAY_SIM_INTERNAL_H
#define BUSWAY_SIM_INTERNAL_H

#include "rng.h"

#include <busway/intervals.h>
#include <busway/sim.h>

#include <string.h>

enum { SIM_LINE = 64 }; /* bytes of a cache line */

/* ---- the machine ---- */

/* What of the platform is in one space, in the order in which it was added. */
struct sim_ways {
	const struct busway_region **regions;
	const struct busway_window **windows;
	size_t region_count, window_count;
};

/* The copies of memory. */
enum sim_view {
	VIEW_CACHED, /* as the CPU sees it through its caches */
	VIEW_MEMORY, /* as it is, and as devices see it that do not see caches */
	VIEW_SYNCED, /* VIEW_CACHED, when the line was cleaned or read last */
	SIM_VIEWS,
};

/* A run of memory. */
struct sim_store {
	struct busway_range phys;
	unsigned char *view[SIM_VIEWS]; /* where the byte at phys.first is */
};

/* The place of a pool of the platform. */
struct sim_place {
	bool known;
	struct busway_range range;
};

struct busway_machine {
	const struct busway_platform *platform;
	const struct busway_allocator *memory;
	struct busway_machine_options options;
	struct sim_rng rng;
	struct sim_ways *ways; /* of each space */
	size_t space_count;
	struct sim_store *stores;
	size_t store_count;
	struct sim_place *places; /* of each pool */
	size_t place_count;
	struct busway_intervals unused; /* what take() may give */
	struct busway_interrupt last_interrupt;
	uint64_t interrupts;
	struct busway_violation *records; /* options.records of them */
	size_t record_count;
	uint64_t violations;
	uint64_t counts[BUSWAY_VIOLATION_COUNT], misuses[BUSWAY_MISUSE_COUNT];
};

/* Memory for @count things of @size bytes, zeroed; NULL. */
void *sim_alloc(const struct busway_machine *machine, size_t count, size_t size);
void sim_free(const struct busway_machine *machine, void *mem, size_t count, size_t size);

static inline const struct busway_device *sim_device(const struct busway_machine *machine,
						     busway_device_id device)
{
	return busway_platform_device(machine->platform, device);
}

static inline bool sim_device_exists(const struct busway_machine *machine, busway_device_id device)
{
	return device.index < busway_platform_device_count(machine->platform);
}

/* The first @size bytes of @range, which has as many. */
static inline struct busway_range sim_leading(struct busway_range range, uint64_t size)
{
	return (struct busway_range){range.first, range.first + (size - 1)};
}

/* ---- fabric.c ---- */

int sim_ways_create(struct busway_machine *machine);
void sim_ways_destroy(struct busway_machine *machine);

/* ---- ram.c ---- */

int sim_ram_create(struct busway_machine *machine);
void sim_ram_destroy(struct busway_machine *machine);

/* The run that holds @phys; NULL. */
const struct sim_store *sim_store_at(const struct busway_machine *machine, uint64_t phys);

/* Where in @view the byte at @phys is, which the store has. */
static inline unsigned char *sim_byte(const struct sim_store *store, enum sim_view view,
				      uint64_t phys)
{
	return store->view[view] + (phys - store->phys.first);
}

/* All of @range in @view; NULL where it is not in one store. */
unsigned char *sim_bytes(const struct busway_machine *machine, enum sim_view view,
			 struct busway_range range);

/* ---- take.c ---- */

int sim_unused_create(struct busway_machine *machine);

/* ---- violation.c ---- */

/* Count it, and keep it while there is room; @violation needs no number. */
void sim_violate(struct busway_machine *machine, const struct busway_violation *violation);

/* There was no memory for a record. */
void sim_blind(struct busway_machine *machine);

#endif
