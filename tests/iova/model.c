/* SPDX-License-Identifier: BSD-2-Clause */
#include "model.h"

#include <string.h>

void model_init(struct model *model, uint64_t base, uint32_t size)
{
	memset(model, 0, sizeof(*model));
	model->base = base;
	model->size = size;
}

void model_forbid(struct model *model, uint32_t first, uint32_t last)
{
	memset(model->state + first, MODEL_NOT_ALLOWED, last - first + 1);
}

void model_open(struct model *model, const struct busway_iova_options *options)
{
	struct busway_iova_options all = options ? *options : (struct busway_iova_options){0};

	all.granule = 1;
	test_memory_open(&model->memory);
	busway_intervals_init(&model->allowed, &model->memory.allocator);
	for (uint32_t i = 0; i < model->size; i++) {
		const uint64_t at = model->base + i;

		if (model->state[i] == MODEL_FREE)
			assert_int_equal(busway_intervals_add(&model->allowed,
							      (struct busway_range){at, at}),
					 0);
		if (model->state[i] == MODEL_FREE && !all.use_ends && (at == 0 || at == UINT64_MAX))
			model->state[i] = MODEL_NOT_ALLOWED;
	}
	assert_int_equal(busway_iova_space_create(&model->allowed, NULL, &all,
						  &model->memory.allocator, &model->space),
			 0);
}

void model_close(struct model *model)
{
	assert_int_equal(busway_iova_space_destroy(model->space), 0);
	busway_intervals_clear(&model->allowed);
	test_memory_close(&model->memory);
}

bool model_is(const struct model *model, uint64_t first, uint64_t size, enum model_state state)
{
	const uint64_t at = first - model->base;

	if (first < model->base || at >= model->size || size > model->size - at)
		return false;
	for (uint64_t i = at; i < at + size; i++)
		if (model->state[i] != state)
			return false;
	return true;
}

void model_set(struct model *model, uint64_t first, uint64_t size, enum model_state state)
{
	memset(model->state + (first - model->base), (int)state, size);
}

bool model_place_serves(const struct model *model, const struct busway_iova_request *request,
			uint64_t first)
{
	const uint64_t last = first + (request->size - 1);

	if (last < first || !model_is(model, first, request->size, MODEL_FREE))
		return false;
	if (request->align && first % request->align)
		return false;
	if (request->boundary && first / request->boundary != last / request->boundary)
		return false;
	return !request->last || last <= request->last;
}

bool model_has_place(const struct model *model, const struct busway_iova_request *request)
{
	for (uint32_t i = 0; i < model->size; i++)
		if (model_place_serves(model, request, model->base + i))
			return true;
	return false;
}

/* The run of @state from *at on; false: there is none. */
static bool next_run(const struct model *model, enum model_state state, uint32_t *at,
		     struct busway_range *run)
{
	while (*at < model->size && model->state[*at] != state)
		(*at)++;
	if (*at == model->size)
		return false;
	run->first = model->base + *at;
	while (*at < model->size && model->state[*at] == state)
		(*at)++;
	run->last = model->base + *at - 1;
	return true;
}

void model_compare(struct model *model)
{
	struct busway_iova_census census;
	struct busway_range expected, found;
	uint64_t counts[4] = {0}, from = 0, longest = 0;
	uint32_t at = 0;
	size_t runs = 0;

	while (next_run(model, MODEL_FREE, &at, &expected)) {
		assert_true(busway_iova_next_free(model->space, from, &found));
		assert_int_equal(found.first, expected.first);
		assert_int_equal(found.last, expected.last);
		from = found.last + 1; /* 0 behind the end: checked below */
		runs++;
		if (expected.last - expected.first + 1 > longest)
			longest = expected.last - expected.first + 1;
	}
	if (from || !runs)
		assert_false(busway_iova_next_free(model->space, from, &found));
	for (uint32_t i = 0; i < model->size; i++)
		counts[model->state[i]]++;
	busway_iova_space_census(model->space, &census);
	assert_int_equal(census.allowed,
			 counts[MODEL_FREE] + counts[MODEL_OUT] + counts[MODEL_RESERVED]);
	assert_int_equal(census.free, counts[MODEL_FREE]);
	assert_int_equal(census.live, counts[MODEL_OUT]);
	assert_int_equal(census.reserved, counts[MODEL_RESERVED]);
	assert_int_equal(census.cached, 0);
	assert_int_equal(census.extents, runs);
	assert_int_equal(census.longest, longest);
}
