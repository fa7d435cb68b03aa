/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.c - see model.h.
 */
#include "model.h"

#include <string.h>

void model_open(struct model *model, bool exclusive)
{
	const struct busway_buffers_options options = {.exclusive = exclusive};

	model->count = 0;
	test_memory_open(&model->memory);
	assert_int_equal(
		busway_buffers_create(&options, &model->memory.allocator, &model->buffers), 0);
}

void model_close(struct model *model)
{
	busway_buffers_destroy(model->buffers);
	test_memory_close(&model->memory);
}

const struct busway_buffer *model_find(const struct model *model, uint64_t va)
{
	for (size_t i = 0; i < model->count; i++)
		if (model->list[i].va.first <= va && va <= model->list[i].va.last)
			return &model->list[i];
	return NULL;
}

/* The lowest with a byte from @first to @last. */
static const struct busway_buffer *lowest_in(const struct model *model, uint64_t first,
					     uint64_t last)
{
	const struct busway_buffer *lowest = NULL;

	for (size_t i = 0; i < model->count; i++) {
		const struct busway_buffer *b = &model->list[i];

		if (b->va.last >= first && b->va.first <= last &&
		    (!lowest || b->va.first < lowest->va.first))
			lowest = b;
	}
	return lowest;
}

static void assert_same(const struct busway_buffer *a, const struct busway_buffer *b)
{
	assert_true(a->va.first == b->va.first && a->va.last == b->va.last);
	assert_true(a->dma.raw == b->dma.raw && a->access == b->access && a->owner == b->owner);
}

bool model_register(struct model *model, const struct busway_buffer *buffer)
{
	const struct busway_buffer *other = lowest_in(model, buffer->va.first, buffer->va.last);
	struct busway_refusal why = {0};
	const int status = busway_buffers_register(model->buffers, buffer, &why);

	if (other) {
		assert_int_equal(status, -BUSWAY_ERANGE);
		assert_int_equal(why.reason, BUSWAY_BUFFER_OVERLAP);
		assert_true(why.asked.first == buffer->va.first &&
			    why.asked.last == buffer->va.last);
		assert_true(why.limit.first == other->va.first && why.limit.last == other->va.last);
		return false;
	}
	assert_int_equal(status, 0);
	assert_true(model->count < MODEL_BUFFERS);
	model->list[model->count++] = *buffer;
	return true;
}

bool model_unregister(struct model *model, struct busway_range va)
{
	const struct busway_buffer *there = model_find(model, va.first);
	struct busway_refusal why = {0};
	const int status = busway_buffers_unregister(model->buffers, va, &why);

	if (there && there->va.first == va.first && there->va.last == va.last) {
		assert_int_equal(status, 0);
		model->list[there - model->list] = model->list[--model->count];
		return true;
	}
	assert_int_equal(status, -BUSWAY_ERANGE);
	assert_int_equal(why.reason, there ? BUSWAY_BUFFER_PART : BUSWAY_BUFFER_UNKNOWN);
	if (there)
		assert_true(why.limit.first == there->va.first && why.limit.last == there->va.last);
	return false;
}

/* What must come out, for all @length bytes or, where @cut, for as many as there are. */
static int expect(const struct model *model, uint64_t va, uint64_t length, bool cut,
		  enum busway_access access, uint64_t *goes, uint64_t *dma,
		  enum busway_reason *reason)
{
	const struct busway_buffer *b = model_find(model, va);

	*reason = BUSWAY_NOT_REFUSED;
	if (length == 0 || (va != 0 && length > UINT64_MAX - va + 1))
		return -BUSWAY_EINVAL;
	if (!b)
		*reason = BUSWAY_BUFFER_UNKNOWN;
	else if (b->access == 0)
		*reason = BUSWAY_BUFFER_UNREACHED;
	else if ((b->access & access) != access)
		*reason = BUSWAY_BUFFER_ACCESS;
	else if (!cut && length - 1 > b->va.last - va)
		*reason = BUSWAY_BUFFER_END;
	if (*reason)
		return -BUSWAY_ERANGE;
	*goes = length - 1 > b->va.last - va ? b->va.last - va + 1 : length;
	*dma = b->dma.raw + (va - b->va.first);
	return 0;
}

void model_ask(struct model *model, uint64_t va, uint64_t length, enum busway_access access)
{
	const struct busway_buffer *there = model_find(model, va);
	const struct busway_buffer *next = lowest_in(model, va, UINT64_MAX);
	uint64_t goes = 0, dma = 0, run = length;
	busway_dma_t got = {~(uint64_t)0x5a5a};
	struct busway_refusal why = {0};
	struct busway_buffer found;
	enum busway_reason reason;
	int status = expect(model, va, length, false, access, &goes, &dma, &reason);

	assert_int_equal(busway_buffers_translate(model->buffers, va, length, access, &got, &why),
			 status);
	assert_true(got.raw == (status ? ~(uint64_t)0x5a5a : dma));
	assert_int_equal(why.reason, reason);
	if (reason == BUSWAY_BUFFER_END)
		assert_true(why.limit.first == va && why.limit.last == there->va.last);
	else if (reason) /* where nothing is registered, the next one is named */
		assert_true(why.has_limit == (next != NULL) &&
			    (!next || (why.limit.first == next->va.first &&
				       why.limit.last == next->va.last)));

	status = expect(model, va, length, true, access, &goes, &dma, &reason);
	got.raw = 0x5a5a;
	assert_int_equal(busway_buffers_run(model->buffers, va, &run, access, &got, NULL), status);
	assert_true(run == (status ? length : goes) && got.raw == (status ? 0x5a5a : dma));

	assert_int_equal(busway_buffers_find(model->buffers, va, &found), there != NULL);
	if (there)
		assert_same(&found, there);
	assert_int_equal(busway_buffers_next(model->buffers, va, &found), next != NULL);
	if (next)
		assert_same(&found, next);
}

void model_compare(struct model *model)
{
	struct busway_buffer found;
	size_t count = 0;

	assert_int_equal(busway_buffers_count(model->buffers), model->count);
	for (uint64_t at = 0; busway_buffers_next(model->buffers, at, &found); count++) {
		assert_same(&found, model_find(model, found.va.first));
		at = found.va.last + 1;
		if (!at && ++count)
			break;
	}
	assert_int_equal(count, model->count);
	for (size_t i = 0; i < model->count; i++) {
		const struct busway_range va = model->list[i].va;

		model_ask(model, va.first, va.last - va.first + 1, BUSWAY_READ);
		model_ask(model, va.first, va.last - va.first + 2, BUSWAY_WRITE);
		model_ask(model, va.last, 1, BUSWAY_READ_WRITE);
		model_ask(model, va.first - 1, 1, BUSWAY_READ);
		model_ask(model, va.last + 1, 1, BUSWAY_READ);
	}
}
