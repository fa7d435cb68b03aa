/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.h - a platform as it is declared: what both the library and the twin are told.
 *
 * A plan is plain arrays of what the public header calls building blocks, in the order in which
 * they are added. plan_open() builds the library's platform from it; twin.h reads the arrays. On
 * a failure plan_print() draws it.
 */
#ifndef BUSWAY_TEST_PLAN_H
#define BUSWAY_TEST_PLAN_H

#include "test_memory.h"

#include <busway/busway.h>

enum {
	PLAN_SPACES = 80,
	PLAN_WINDOWS = 96,
	PLAN_REGIONS = 96,
	PLAN_BANKS = 32,
	PLAN_DEVICES = 4,
	PLAN_POOLS = 4,
	PLAN_ONLY = 8,
};

struct plan {
	/* spaces[0] is the CPU's, which is not added */
	struct busway_space spaces[PLAN_SPACES];
	struct busway_window windows[PLAN_WINDOWS];
	struct busway_region regions[PLAN_REGIONS];
	struct busway_memory_bank banks[PLAN_BANKS];
	struct busway_pool pools[PLAN_POOLS];
	struct busway_device devices[PLAN_DEVICES];
	struct busway_range only[PLAN_DEVICES][PLAN_ONLY];
	size_t space_count, window_count, region_count, bank_count, pool_count, device_count;
	uint64_t seed; /* of a random plan */
	/* of a random plan: everything of a space lies in base..base + size - 1, mostly */
	uint64_t base[PLAN_SPACES];
	uint64_t size;
	/* what plan_open() makes */
	struct test_memory memory;
	struct busway_platform *platform;
};

/* ---- declaring ---- */

/* A CPU space and nothing in it. */
void plan_init(struct plan *plan);

/* Each returns the index. Names are made up: "/bus1", "/bus1/window3", "ram0"... */
uint32_t plan_space(struct plan *plan, enum busway_space_kind kind);
uint32_t plan_window(struct plan *plan, uint32_t from, uint32_t to, struct busway_range in,
		     uint64_t out);
uint32_t plan_region(struct plan *plan, uint32_t space, enum busway_region_kind kind,
		     struct busway_range range);

/* RAM in the CPU's space, and a memory bank for it. Returns the region. */
uint32_t plan_ram(struct plan *plan, struct busway_range range);

/* A device that enters @space and drives all address lines. */
uint32_t plan_device(struct plan *plan, uint32_t space);

/* A pool of @range in the CPU's space. */
uint32_t plan_pool(struct plan *plan, struct busway_range range);

/* ---- building ---- */

/* Add everything that was declared to a platform of @memory, in order, without sealing. */
int plan_add(const struct plan *plan, struct busway_platform *platform);

/* Create, add, seal; fails the test where that fails. */
void plan_open(struct plan *plan);

/* Destroy; fails the test where memory is left behind. */
void plan_close(struct plan *plan);

/* ---- asking, in one line: of a plan that is open ---- */

/* A reach of device @index by @emission, NULL: its own; fails the test where there is none. */
struct busway_reach *plan_reach(struct plan *plan, uint32_t index,
				const struct busway_emission *emission);

int plan_resolve(struct plan *plan, uint32_t device, struct busway_range dma,
		 enum busway_access access, struct busway_path *path, struct busway_refusal *why);

/* ---- drawing ---- */

/* The graph, as comments between the lines of the test's output. */
void plan_print(const struct plan *plan);

#endif
