/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffer.h - memory of a random driver, and who has written what to it.
 *
 * A pattern goes on from part to part as the device sees them, whatever segments they become.
 */
#ifndef BUSWAY_CLI_BUFFER_H
#define BUSWAY_CLI_BUFFER_H

#include "sim.h"

enum { PARTS = 4, LONGEST = 64 << 10, SEGMENTS = 256 };

struct buffer {
	struct busway_mapping mapping;
	struct busway_mapped segments[SEGMENTS]; /* of a list */
	struct busway_phys_range parts[PARTS];
	size_t part_count; /* 1: no list */
	enum busway_direction direction;
	uint64_t pattern;
	struct actor *actor;
	bool live;
};

struct work {
	struct scene *scene;
	uint64_t random;
	unsigned char bytes[LONGEST];
};

uint64_t below(struct work *w, uint64_t bound);

/* Memory anywhere, for one run or for a list; false: there is none. */
bool buffer_take(struct work *w, struct buffer *b);
void buffer_give(struct work *w, struct buffer *b);

/* The CPU writes a pattern of its own to it, or reads it and compares. */
void cpu_fills(struct work *w, struct buffer *b);
void cpu_checks(struct work *w, struct buffer *b);

/* The device writes the pattern (BUSWAY_ENGINE_FILL), or compares (BUSWAY_ENGINE_VERIFY). */
void device_does(struct work *w, struct buffer *b, enum busway_engine_operation operation);

/* Map it as what it is; counts how it was served, or why not. False: it is not mapped. */
bool buffer_map(struct work *w, struct buffer *b);

#endif
