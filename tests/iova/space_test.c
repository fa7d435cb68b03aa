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
	struct out back = out[i];

	if (!*count)
		return;
	if (back.size > 1 && rng_chance(rng, 30)) { /* the first part of it */
		back.size = rng_between(rng, 1, back.size - 1);
		out[i] = (struct out){out[i].first + back.size, out[i].size - back.size};
	} else {
		out[i] = out[--*count];
	}
	assert_int_equal(busway_iova_give(model->space, dma_range(back.first, back.size), NULL), 0);
	model_set(model, back.first, back.size, MODEL_FREE);
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
	/* a reservation of nothing but what is not allowed is one, too: the model has no such state
	 */
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

static void random_sequence(uint64_t seed, unsigned steps,
			    const struct busway_iova_options *options)
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
		if (i % 512 == 0)
			busway_iova_space_flush(model.space);
	}
	while (count)
		give_some(&model, &rng, out, &count);
	model_compare(&model);
	model_close(&model);
}

static void every_answer_is_that_of_the_model(void **state)
{
	static const struct busway_iova_options options[] = {
		{0}, {.use_ends = true}, {.lean = true}};

	(void)state;
	for (unsigned round = 0; round < random_rounds(300); round++)
		random_sequence(random_seed() + round, 2000, &options[round % COUNT(options)]);
}

/* ---- small spaces, completely ---- */

enum { SMALL = 9 };

static void ask_everything(struct model *model)
{
	static const uint64_t aligns[] = {0, 2, 4, 8}, boundaries[] = {0, 2, 4, 8};

	for (uint64_t size = 1; size <= SMALL + 1; size++)
		for (unsigned i = 0; i < COUNT(aligns) * COUNT(boundaries); i++)
			for (uint64_t last = 0; last <= SMALL; last++) {
				const struct busway_iova_request request = {
					.size = size,
					.align = aligns[i % COUNT(aligns)],
					.boundary = boundaries[i / COUNT(aligns)],
					.last = last ? model->base + last - 1 : 0,
				};
				busway_dma_t first;
				const int status =
					busway_iova_take(model->space, &request, &first, NULL);

				if (status == -BUSWAY_ERANGE) {
					assert_false(model_has_place(model, &request));
					continue;
				}
				assert_int_equal(status, 0);
				assert_true(model_place_serves(model, &request, first.raw));
				assert_int_equal(busway_iova_give(model->space,
								  dma_range(first.raw, size), NULL),
						 0);
			}
}

/* Every pattern of what is free, every size, alignment, boundary and limit. */
static void small_spaces_answer_as_if_they_were_searched(void **state)
{
	static const uint64_t bases[] = {0, 5, UINT64_MAX - (SMALL - 1)};
	static const struct busway_iova_options ends = {.use_ends = true};
	static struct model model;

	(void)state;
	for (unsigned round = 0; round < COUNT(bases); round++)
		for (unsigned pattern = 0; pattern < 1u << SMALL; pattern++) {
			model_init(&model, bases[round], SMALL);
			model_open(&model, &ends);
			for (unsigned i = 0; i < SMALL; i++)
				if (pattern >> i & 1) {
					assert_int_equal(
						busway_iova_take_at(model.space,
								    dma_range(model.base + i, 1),
								    NULL),
						0);
					model_set(&model, model.base + i, 1, MODEL_OUT);
				}
			ask_everything(&model);
			model_compare(&model);
			for (unsigned i = 0; i < SMALL; i++)
				if (pattern >> i & 1)
					busway_iova_give(model.space, dma_range(model.base + i, 1),
							 NULL);
			model_close(&model);
		}
}

/* ---- full to the last byte, and empty again ---- */

static void full_space_becomes_one_extent_for_each_allowed_range(void **state)
{
	static uint64_t first[MODEL_SIZE], size[MODEL_SIZE];
	static struct model model;

	(void)state;
	for (unsigned round = 0; round < random_rounds(40); round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_iova_census census;
		uint64_t want = 16;
		size_t count = 0;

		model_init(&model, 0x1000, MODEL_SIZE);
		for (uint32_t i = 500; i < MODEL_SIZE; i += 700)
			model_forbid(&model, i, i + 3);
		model_open(&model, NULL);
		while (want) {
			const struct busway_iova_request request = {.size = want};
			busway_dma_t dma;

			if (busway_iova_take(model.space, &request, &dma, NULL)) {
				want--;
				continue;
			}
			model_set(&model, dma.raw, want, MODEL_OUT);
			first[count] = dma.raw;
			size[count++] = want;
			want = want > 1 ? rng_between(&rng, 1, 16) : 1;
		}
		busway_iova_space_census(model.space, &census);
		assert_int_equal(census.free, 0);
		assert_int_equal(census.extents, 0);
		assert_int_equal(census.ranges, count);
		while (count) {
			const size_t i = (size_t)rng_below(&rng, count--);

			assert_int_equal(
				busway_iova_give(model.space, dma_range(first[i], size[i]), NULL),
				0);
			model_set(&model, first[i], size[i], MODEL_FREE);
			first[i] = first[count];
			size[i] = size[count];
		}
		model_compare(&model);
		busway_iova_space_census(model.space, &census);
		assert_int_equal(census.extents, 1 + (MODEL_SIZE - 500 + 699) / 700);
		model_close(&model);
	}
}

/* ---- preferences and edges ---- */

static struct busway_iova_space *open_space(struct test_memory *memory, struct busway_range allowed,
					    const struct busway_iova_options *options)
{
	const struct busway_intervals set = {.runs = &allowed, .count = 1};
	struct busway_iova_space *space;

	test_memory_open(memory);
	assert_int_equal(busway_iova_space_create(&set, NULL, options, &memory->allocator, &space),
			 0);
	return space;
}

static void low_addresses_are_preferred_and_nothing_is_remembered(void **state)
{
	const struct busway_range allowed = {0xffff0000, 0x2ffffffff};
	const struct busway_iova_request low = {.size = 0x8000, .prefer_low = true};
	const struct busway_iova_request must = {.size = 0x8000, .last = UINT32_MAX};
	struct busway_iova_space *space;
	struct test_memory memory;
	busway_dma_t a, b, c, d;

	(void)state;
	space = open_space(&memory, allowed, NULL);
	assert_int_equal(busway_iova_take(space, &low, &a, NULL), 0);
	assert_int_equal(busway_iova_take(space, &low, &b, NULL), 0);
	assert_true(a.raw < UINT32_MAX && b.raw < UINT32_MAX);
	assert_int_equal(busway_iova_take(space, &low, &c, NULL), 0);
	assert_true(c.raw > UINT32_MAX);
	assert_int_equal(busway_iova_take(space, &must, &d, NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_give(space, dma_range(a.raw, 0x8000), NULL), 0);
	assert_int_equal(busway_iova_take(space, &low, &d, NULL), 0);
	assert_int_equal(d.raw, a.raw);
	assert_int_equal(busway_iova_give(space, dma_range(b.raw, 0x8000), NULL), 0);
	assert_int_equal(busway_iova_give(space, dma_range(c.raw, 0x8000), NULL), 0);
	assert_int_equal(busway_iova_give(space, dma_range(d.raw, 0x8000), NULL), 0);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);
}

static void ends_of_the_space_are_kept_back(void **state)
{
	static const struct busway_iova_options use_ends = {.use_ends = true};
	struct busway_iova_space *space;
	struct busway_range range;
	struct test_memory memory;

	(void)state;
	space = open_space(&memory, BUSWAY_RANGE_ALL, NULL);
	assert_true(busway_iova_next_allowed(space, 0, &range));
	assert_true(range.first == 0x1000 && range.last == UINT64_MAX - 0x1000);
	assert_false(busway_iova_next_allowed(space, UINT64_MAX, &range));
	assert_int_equal(busway_iova_take_at(space, dma_range(0, 0x1000), NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);

	space = open_space(&memory, BUSWAY_RANGE_ALL, &use_ends);
	assert_int_equal(busway_iova_take_at(space, dma_range(0, 0x1000), NULL), 0);
	assert_int_equal(busway_iova_take_at(space, dma_range(UINT64_MAX - 0xfff, 0x1000), NULL),
			 0);
	assert_true(busway_iova_next_free(space, 0, &range));
	assert_true(range.first == 0x1000 && range.last == UINT64_MAX - 0x1000);
	assert_int_equal(busway_iova_space_destroy(space), -BUSWAY_EBUSY);
	assert_int_equal(busway_iova_give(space, dma_range(0, 0x1000), NULL), 0);
	assert_int_equal(busway_iova_give(space, dma_range(UINT64_MAX - 0xfff, 0x1000), NULL), 0);
	assert_true(busway_iova_next_free(space, 0, &range));
	assert_true(range.first == 0 && range.last == UINT64_MAX);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);
}

static void allowed_ranges_are_cut_to_whole_granules(void **state)
{
	static const struct {
		const char *because;
		struct busway_range allowed, whole;
		bool some;
	} cases[] = {
		{"both ends are cut", {0x1001, 0x4ffe}, {0x2000, 0x3fff}, true},
		{"a granule to the byte stays", {0x1000, 0x1fff}, {0x1000, 0x1fff}, true},
		{"a byte less is nothing", {0x1001, 0x1fff}, {0, 0}, false},
		{"nor at the end of all addresses", {UINT64_MAX - 5, UINT64_MAX}, {0, 0}, false},
		{"nor at their beginning", {0, 5}, {0, 0}, false},
	};
	const struct busway_iova_request one = {.size = 1};
	const struct busway_iova_options wrong = {.granule = 3},
					 bytes = {.granule = 1, .use_ends = true};
	struct busway_range all = BUSWAY_RANGE_ALL, found, mixed[] = {{5, 9}, {10, 12}};
	const struct busway_intervals every = {.runs = &all, .count = 1},
				      adjoining = {.runs = mixed, .count = 2};
	struct busway_iova_space *space;
	struct test_memory memory;
	busway_dma_t dma;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		space = open_space(&memory, cases[i].allowed, NULL);
		if (busway_iova_next_allowed(space, 0, &found) != cases[i].some ||
		    (cases[i].some &&
		     (found.first != cases[i].whole.first || found.last != cases[i].whole.last)))
			fail_msg("case %zu: %s", i, cases[i].because);
		if (!cases[i].some)
			assert_int_equal(busway_iova_take(space, &one, &dma, NULL), -BUSWAY_ERANGE);
		assert_int_equal(busway_iova_space_destroy(space), 0);
		test_memory_close(&memory);
	}
	test_memory_open(&memory);
	assert_int_equal(busway_iova_space_create(&every, NULL, &wrong, &memory.allocator, &space),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_space_create(&every, NULL, &bytes, &memory.allocator, &space),
			 -BUSWAY_EINVAL);
	assert_int_equal(
		busway_iova_space_create(&adjoining, NULL, NULL, &memory.allocator, &space),
		-BUSWAY_EINVAL);
	assert_int_equal(busway_iova_space_destroy(NULL), 0);
	test_memory_close(&memory);
}

static void limit_inside_a_granule_excludes_it(void **state)
{
	const struct busway_range allowed = {0x1000, 0x2fff};
	const struct busway_iova_request within = {.size = 1, .last = 0x1ffe};
	const struct busway_iova_request just = {.size = 1, .last = 0x1fff};
	struct busway_iova_space *space;
	struct test_memory memory;
	busway_dma_t dma;

	(void)state;
	space = open_space(&memory, allowed, NULL);
	assert_int_equal(busway_iova_take(space, &within, &dma, NULL), -BUSWAY_ERANGE);
	assert_int_equal(busway_iova_take(space, &just, &dma, NULL), 0);
	assert_int_equal(dma.raw, 0x1000);
	assert_int_equal(busway_iova_give(space, dma_range(0x1000, 0x1000), NULL), 0);
	assert_int_equal(busway_iova_give(space, dma_range(0x1001, 1), NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_take_at(space, dma_range(0x1000, 0xfff), NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);
}

/* A range of pages begins at one, so a boundary inside a page lets short ones pass only. */
static void boundary_inside_a_granule_is_kept(void **state)
{
	const struct busway_range allowed = {0x1000, 0x4fff};
	struct busway_refusal why = {0};
	struct busway_iova_space *space;
	struct busway_iova_cache *cache;
	struct test_memory memory;
	busway_dma_t dma;

	(void)state;
	space = open_space(&memory, allowed, NULL);
	assert_int_equal(busway_iova_cache_create(space, &cache), 0);
	for (uint64_t size = 1; size <= 0x3000; size += 0x7ff) {
		const struct busway_iova_request request = {.size = size, .boundary = 0x800};
		const int expected = size <= 0x800 ? 0 : -BUSWAY_ERANGE;

		assert_int_equal(busway_iova_take(space, &request, &dma, &why), expected);
		if (!expected)
			assert_int_equal(busway_iova_give(space, dma_range(dma.raw, size), NULL),
					 0);
		else
			assert_int_equal(why.reason, BUSWAY_IOVA_NO_RUN);
		assert_int_equal(busway_iova_cache_take(cache, &request, &dma, &why), expected);
		if (!expected)
			assert_int_equal(
				busway_iova_cache_give(cache, dma_range(dma.raw, size), NULL), 0);
	}
	busway_iova_cache_destroy(cache);
	assert_int_equal(busway_iova_space_destroy(space), 0);
	test_memory_close(&memory);
}

/* Where a leaf has an extent of just that length, no longer one is broken up. */
static void shortest_extent_that_serves_is_taken(void **state)
{
	static struct model model;
	busway_dma_t dma;

	(void)state;
	model_init(&model, 0x1000, 2000);
	for (uint32_t at = 0, length = 40; length > 0; at += length + 1, length--)
		model_forbid(&model, at + length, at + length);
	model_open(&model, NULL);
	for (uint64_t size = 1; size <= 16; size++) {
		const struct busway_iova_request request = {.size = size};
		struct busway_range extent;

		assert_int_equal(busway_iova_take(model.space, &request, &dma, NULL), 0);
		assert_true(busway_iova_next_allowed(model.space, dma.raw, &extent));
		assert_int_equal(extent.last - extent.first + 1, size);
		assert_int_equal(extent.first, dma.raw);
	}
	for (uint64_t size = 1; size <= 16; size++) {
		struct busway_range extent = {0, 0};
		uint64_t from = 0;

		while (busway_iova_next_allowed(model.space, from, &extent) &&
		       extent.last - extent.first + 1 != size)
			from = extent.last + 1;
		assert_int_equal(busway_iova_give(model.space, dma_range(extent.first, size), NULL),
				 0);
	}
	model_close(&model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_answer_is_that_of_the_model),
		cmocka_unit_test(small_spaces_answer_as_if_they_were_searched),
		cmocka_unit_test(full_space_becomes_one_extent_for_each_allowed_range),
		cmocka_unit_test(low_addresses_are_preferred_and_nothing_is_remembered),
		cmocka_unit_test(ends_of_the_space_are_kept_back),
		cmocka_unit_test(allowed_ranges_are_cut_to_whole_granules),
		cmocka_unit_test(limit_inside_a_granule_excludes_it),
		cmocka_unit_test(boundary_inside_a_granule_is_kept),
		cmocka_unit_test(shortest_extent_that_serves_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
