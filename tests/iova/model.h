/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - a space so plain that it is surely right: one byte for each granule.
 *
 * Granules are bytes here: the model has 2^n addresses from .base on, and nothing else is allowed.
 */
#ifndef BUSWAY_IOVA_MODEL_H
#define BUSWAY_IOVA_MODEL_H

#include "../support/random.h"
#include "../support/test.h"
#include "../support/test_memory.h"

enum { MODEL_SIZE = 4096 };

enum model_state { MODEL_FREE, MODEL_OUT, MODEL_RESERVED, MODEL_NOT_ALLOWED };

struct model {
	uint64_t base;
	uint32_t size;
	uint8_t state[MODEL_SIZE];
	struct test_memory memory;
	struct busway_intervals allowed;
	struct busway_iova_space *space;
};

/* All of base..base + size - 1 is allowed, but for what model_forbid() takes away before opening. */
void model_init(struct model *model, uint64_t base, uint32_t size);
void model_forbid(struct model *model, uint32_t first, uint32_t last);
void model_open(struct model *model, const struct busway_iova_options *options);
void model_close(struct model *model);

/* Does any place serve @request? And does @first? */
bool model_has_place(const struct model *model, const struct busway_iova_request *request);
bool model_place_serves(const struct model *model, const struct busway_iova_request *request,
			uint64_t first);

bool model_is(const struct model *model, uint64_t first, uint64_t size, enum model_state state);
void model_set(struct model *model, uint64_t first, uint64_t size, enum model_state state);

/* Free extents, reservations and all numbers are as the model says. */
void model_compare(struct model *model);

static inline struct busway_dma_range dma_range(uint64_t first, uint64_t size)
{
	return (struct busway_dma_range){{first}, {first + (size - 1)}};
}

#endif
