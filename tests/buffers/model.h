/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - a directory so plain that it is surely right: a list, looked through from end to end.
 *
 * model_register() and model_unregister() do the same to the list and to the directory, and fail the
 * test where the two disagree. So does model_ask(), of one question.
 */
#ifndef BUSWAY_BUFFERS_MODEL_H
#define BUSWAY_BUFFERS_MODEL_H

#include "../support/random.h"
#include "../support/test.h"
#include "../support/test_memory.h"

enum { MODEL_BUFFERS = 4096 };

struct model {
	struct busway_buffer list[MODEL_BUFFERS];
	size_t count;
	struct test_memory memory;
	struct busway_buffers *buffers;
};

void model_open(struct model *model, bool exclusive);
void model_close(struct model *model);

/* True: it is registered now. */
bool model_register(struct model *model, const struct busway_buffer *buffer);
bool model_unregister(struct model *model, struct busway_range va);

/* All that can be asked about @length bytes from @va on. */
void model_ask(struct model *model, uint64_t va, uint64_t length, enum busway_access access);

/* Every buffer is found at its ends and beside them, the list by busway_buffers_next(). */
void model_compare(struct model *model);

/* The one that holds @va; NULL. */
const struct busway_buffer *model_find(const struct model *model, uint64_t va);

#endif
