/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * space_test.c - taking and giving back IOVAs: beside a model that has a byte for each address.
 */
#include "model.h"

#include <string.h>

enum { RANGES = 512 };

struct out {
	uint64_t first, size;
};

/* ---- random sequences ---- */

static uint64_t some_power(struct rng *rng, unsigned bits)
{
	return rng_chance(rng, 50) ? 0 : (uint64_t)1 << rng_below(rng, bits);
}

static struct busway_iova_request some_request(struct rng *rng, const struct model *model)
{
	const uint64_t most = rng_chance(rng, 70) ? 8 : 1 + model->size / 4;
	struct busway_iova_request request = {.size = rng_between(rng, 1, most)};

	if (rng_chance(rng, 40))
		request.align = some_power(rng, 9);
	if (rng_chance(rng, 20))
		request.boundary = some_power(rng, 10);
	if (rng_chance(rng, 40))
		request.last = model->base + rng_below(rng, model->size);
	return request;
}

static void take_some(struct model *model, struct rng *rng, struct out *out, size_t *count)
{
	const struct busway_iova_request request = some_request(rng, model);
	struct busway_refusal why = {0};
	busway_dma_t first;
	int status;

	if (*count == RANGES)
		return;
	status = busway_iova_take(model->space, &request, &first, &why);
	if (status == -BUSWAY_ERANGE) {
		assert_false(model_has_place(model, &request));
		assert_true(why.reason == BUSWAY_IOVA_FULL || why.reason == BUSWAY_IOVA_NO_RUN);
		return;
	}
	assert_int_equal(status, 0);
	assert_true(model_place_serves(model, &request, first.raw));
	model_set(model, first.raw, request.size, MODEL_OUT);
	out[(*count)++] = (struct out){first.raw, request.size};
}

static void take_there(struct model *model, struct rng *rng, struct out *out, size_t *count)
{
	const uint64_t first = model->base + rng_below(rng, model->size);
	const uint64_t size = rng_between(rng, 1, 8);
	const bool is_free = model_is(model, first, size, MODEL_FREE);

	if (*count == RANGES || first + (size - 1) < first)
		return;
	assert_int_equal(busway_iova_take_at(model->space, dma_range(first, size), NULL),
			 is_free ? 0 : -BUSWAY_ERANGE);
	if (!is_free)
		return;
	model_set(model, first, size, MODEL_OUT);
	out[(*count)++] = (struct out){first, size};
}

static void give_some(struct model *model, struct rng *rng, struct out *out, size_t *count)
{
	const size_t i = *count ? (size_t)rng_below(rng, *count) : 0;

	if (!*count)
		return;
	assert_int_equal(
		busway_iova_give(model->space, dma_range(out[i].first, out[i].size), NULL), 0);
	model_set(model, out[i].first, out[i].size, MODEL_FREE);
	out[i] = out[--*count];
}

/* What is not out, or not all of it, cannot be given back. */
static void give_wrongly(struct model *model, struct rng *rng)
{
	const uint64_t first = model->base + rng_below(rng, model->size);
	const uint64_t size = rng_between(rng, 1, 8);

	if (first + (size - 1) < first || model_is(model, first, size, MODEL_OUT))
		return;
	assert_int_equal(busway_iova_give(model->space, dma_range(first, size), NULL),
			 -BUSWAY_ERANGE);
}

static void reserve_some(struct model *model, struct rng *rng)
{
	const uint64_t first = model->base + rng_below(rng, model->size);
	const uint64_t size = rng_between(rng, 1, 40);
	bool clear = true;

	if (first + (size - 1) < first || first - model->base + size > model->size)
		return;
	for (uint64_t at = first; at - first < size; at++)
		clear = clear && !model_is(model, at, 1, MODEL_OUT) &&
			!model_is(model, at, 1, MODEL_RESERVED);
	/* a reservation of nothing but what is not allowed is one, too: the model has no such state */
	for (uint64_t at = first; at - first < size && clear; at++)
		if (model_is(model, at, 1, MODEL_NOT_ALLOWED))
			return;
	assert_int_equal(busway_iova_reserve(model->space,
					     (struct busway_range){first, first + (size - 1)},
					     "somebody", NULL),
			 clear ? 0 : -BUSWAY_ERANGE);
	if (clear)
		model_set(model, first, size, MODEL_RESERVED);
}

static void release_some(struct model *model, struct rng *rng)
{
	const uint64_t at = model->base + rng_below(rng, model->size);
	struct busway_range range;
	const char *by;

	if (!model_is(model, at, 1, MODEL_RESERVED)) {
		assert_int_equal(busway_iova_release(model->space, at), -BUSWAY_EINVAL);
		return;
	}
	assert_true(busway_iova_next_reserved(model->space, at, &range, &by));
	assert_true(range.first <= at && at <= range.last);
	assert_string_equal(by, "somebody");
	assert_int_equal(busway_iova_release(model->space, at), 0);
	model_set(model, range.first, range.last - range.first + 1, MODEL_FREE);
}

static void random_sequence(uint64_t seed, unsigned steps, const struct busway_iova_options *options)
{
	static struct model model;
	static struct out out[RANGES];
	struct rng rng = rng_of(seed);
	static const uint64_t bases[] = {0, 1, 0x1000, 0xfffff000, UINT64_MAX - 4095};
	uint64_t base = bases[rng_below(&rng, COUNT(bases))];
	uint32_t size = (uint32_t)rng_between(&rng, 16, MODEL_SIZE);
	unsigned holes = (unsigned)rng_below(&rng, 6), eager = (unsigned)rng_between(&rng, 40, 70);
	size_t count = 0;

	if (base > UINT64_MAX - MODEL_SIZE)
		base = UINT64_MAX - (size - 1);
	model_init(&model, base, size);
	while (holes-- > 0) {
		const uint32_t first = (uint32_t)rng_below(&rng, size);
		const uint32_t more = (uint32_t)rng_below(&rng, 1 + size / 16);

		model_forbid(&model, first, more < size - first ? first + more : size - 1);
	}
	model_open(&model, options);
	for (unsigned i = 0; i < steps; i++) {
		const uint64_t what = rng_below(&rng, 100);

		if (what < eager)
			take_some(&model, &rng, out, &count);
		else if (what < 90)
			give_some(&model, &rng, out, &count);
		else if (what < 93)
			take_there(&model, &rng, out, &count);
		else if (what < 96)
			give_wrongly(&model, &rng);
		else if (what < 98)
			reserve_some(&model, &rng);
		else
			release_some(&model, &rng);
		if (i % 64 == 0)
			model_compare(&model);
	}
	while (count)
		give_some(&model, &rng, out, &count);
	model_compare(&model);
	model_close(&model);
}

static void every_answer_is_that_of_the_model(void **state)
{
	static const struct busway_iova_options options[] = {{0}, {.use_ends = true}, {.lean = true}};

	(void)state;
	for (unsigned round = 0; round < random_rounds(300); round++)
		random_sequence(random_seed() + round, 2000, &options[round % COUNT(options)]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_that_of_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
