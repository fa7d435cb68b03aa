/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * slots.h - which runs of a row of equal slots are taken.
 *
 *   |TTTTTT|ff|TTT|ffffffffff|TT|      T: taken, f: free; neighbours that are free are one run
 *
 * Indices only: what a slot is, and where it lies, is the caller's. What is known of a run stands
 * in the entries of its first and its last slot, and free runs of like length are in one list, so
 * that taking and giving back cost the same however many slots and runs there are:
 *
 *   take   the first run of a list whose runs are all long enough; only where there is none, or it
 *          is out of bounds, are the lists searched in which a run may be: what fits is found
 *          while it exists
 *   give   joins the run with its free neighbours
 *
 * For one thread at a time. No allocation after slots_create().
 */
#ifndef BUSWAY_SLOTS_H
#define BUSWAY_SLOTS_H

#include <busway/allocator.h>

#include <stdbool.h>
#include <stdint.h>

#define SLOT_NONE UINT32_MAX
#define SLOTS_MAX ((uint32_t)1 << 28) /* their entries fit in 32 bits of memory */

/* Runs of 1..64 slots have a list for each length, longer ones 8 lists for each power of two. */
enum { SLOT_EXACT = 64, SLOT_PARTS = 8, SLOT_LISTS = SLOT_EXACT + 23 * SLOT_PARTS };

struct slot {
	uint32_t run; /* first and last slot of a run: its length, and SLOT_TAKEN */
	/* first slot of a free run: its neighbours in the list; of a taken one: the caller's */
	uint32_t next, previous;
};

struct slots {
	const struct busway_allocator *memory;
	struct slot *slot;
	uint32_t count, used;
	uint64_t filled[(SLOT_LISTS + 63) / 64]; /* lists that are not empty */
	uint32_t list[SLOT_LISTS];
};

/*
 * Where in the row a run may lie, for one who sees a part of it only, or minds boundaries: slot i
 * stands at address @base + i * @slot; of a run from there, @size bytes from @offset on are used.
 */
struct slot_bounds {
	uint32_t low, high; /* the first and the last slot */
	uint64_t boundary;  /* a power of two that no used byte crosses; 0: any */
	uint64_t base, slot, offset, size;
};

/* What is wanted: @count slots of which the first is @phase modulo @align (a power of two). */
struct slot_wish {
	uint32_t count, align, phase;
	const struct slot_bounds *bounds; /* NULL: anywhere */
	bool probe;                       /* nobody will use it: see slot_pool.h */
};

/* The first place as wished in the run of slots @first..@last, if they were free; SLOT_NONE. */
uint32_t slot_place(const struct slot_wish *wish, uint32_t first, uint32_t last);

/* Does a run that begins at @first lie as wished? */
bool slot_suits(const struct slot_wish *wish, uint32_t first);

/* All free. -BUSWAY_EINVAL unless 1 <= count <= SLOTS_MAX; -BUSWAY_ENOMEM. */
int slots_create(struct slots *slots, uint32_t count, const struct busway_allocator *memory);
void slots_destroy(struct slots *slots);

/* The first slot of the run, or SLOT_NONE: there is none, wherever one looks. */
uint32_t slots_take(struct slots *slots, const struct slot_wish *wish);

/* @first as slots_take() answered. */
void slots_give(struct slots *slots, uint32_t first);

/* How many slots the taken run has that begins at @first. */
uint32_t slots_taken_at(const struct slots *slots, uint32_t first);

/* The length of the longest free run. */
uint32_t slots_longest(const struct slots *slots);

#endif
