/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nodes_test.c - where nobody has promised nodes: lean spaces, and ranges that come back in parts.
 */
#include "model.h"

enum { FIRST = 0x1000, PARTS = 60 };

static struct busway_iova_census census_of(const struct model *model)
{
	struct busway_iova_census census;

	busway_iova_space_census(model->space, &census);
	return census;
}

static void take_at(struct model *model, uint64_t first, uint64_t size)
{
	assert_int_equal(busway_iova_take_at(model->space, dma_range(first, size), NULL), 0);
	model_set(model, first, size, MODEL_OUT);
}

static void give(struct model *model, uint64_t first, uint64_t size)
{
	assert_int_equal(busway_iova_give(model->space, dma_range(first, size), NULL), 0);
	model_set(model, first, size, MODEL_FREE);
}

/* ---- in parts ---- */

/* One range that holds everything comes back as pieces of three, a granule apart. */
static void break_up(struct model *model, unsigned parts)
{
	take_at(model, FIRST, model->size);
	for (uint64_t i = 0; i < parts; i++)
		give(model, FIRST + 4 * i, 3);
}

static void close_parts(struct model *model, unsigned parts)
{
	for (uint64_t i = 0; i < parts; i++)
		give(model, FIRST + 4 * i + 3, 1);
	model_compare(model);
	model_close(model);
}

static void middles_of_parts_can_be_taken(void **state)
{
	static struct model model;

	(void)state;
	for (unsigned i = 2; i <= 2 * PARTS + 1; i++) {
		const unsigned parts = i / 2;

		model_init(&model, FIRST, 4 * parts);
		model_open(&model, NULL);
		break_up(&model, parts);
		if (i % 2) /* gives nodes back: those that are left are not more than they are */
			busway_iova_space_flush(model.space);
		for (uint64_t part = parts; part-- > 0;) /* where nodes are full */
			take_at(&model, FIRST + 4 * part + 1, 1);
		model_compare(&model);
		for (uint64_t part = 0; part < parts; part++)
			give(&model, FIRST + 4 * part + 1, 1);
		close_parts(&model, parts);
	}
}

/* All or nothing: a reservation of a granule in each of several allowed ranges. */
static void reservation_that_cannot_come_back_stays(void **state)
{
	enum { HOLES = 40, EACH = 8 };
	const struct busway_range all = {FIRST, FIRST + HOLES * EACH - 1};
	static struct model model;
	unsigned failed = 0;

	(void)state;
	for (uint64_t parts = 0; parts < HOLES; parts++) {
		model_init(&model, FIRST, HOLES * EACH);
		for (uint32_t i = 0; i < HOLES; i++)
			model_forbid(&model, i * EACH + EACH - 1, i * EACH + EACH - 1);
		model_open(&model, NULL);
		/* the last ranges are reserved, and in the first ones what was taken comes back */
		for (uint64_t i = 0; i < parts; i++)
			take_at(&model, FIRST + i * EACH, EACH - 1);
		assert_int_equal(
			busway_iova_reserve(model.space,
					    (struct busway_range){FIRST + parts * EACH, all.last},
					    "x", NULL),
			0);
		busway_iova_space_flush(model.space);
		test_memory_fail_at(&model.memory, 0, false);
		for (uint64_t i = 0; i < parts; i++)
			for (uint64_t j = 0; j < EACH - 1; j += 2)
				give(&model, FIRST + i * EACH + j, 1);
		test_memory_fail_at(&model.memory, 1, true);
		if (busway_iova_release(model.space, all.last)) {
			const struct busway_iova_census census = census_of(&model);

			failed++;
			assert_int_equal(census.reservations, 1);
			assert_int_equal(census.reserved, (HOLES - parts) * (EACH - 1));
			assert_int_equal(census.extents, parts * EACH / 2);
			test_memory_fail_at(&model.memory, 0, false);
			assert_int_equal(busway_iova_release(model.space, all.last), 0);
		}
		test_memory_fail_at(&model.memory, 0, false);
		for (uint64_t i = 0; i < parts; i++)
			for (uint64_t j = 1; j < EACH - 1; j += 2)
				give(&model, FIRST + i * EACH + j, 1);
		model_compare(&model);
		model_close(&model);
	}
	assert_true(failed > 0);
}

/* ---- lean spaces ---- */

/* Pieces of three, a granule apart: all in the cache, the granules between out. */
static void cache_pieces(struct model *model, struct busway_iova_cache *cache, unsigned parts)
{
	for (uint64_t i = 0; i < parts; i++) {
		take_at(model, FIRST + 4 * i, 3);
		take_at(model, FIRST + 4 * i + 3, 1);
	}
	for (uint64_t i = 0; i < parts; i++) {
		assert_int_equal(busway_iova_cache_give(cache, dma_range(FIRST + 4 * i, 3), NULL),
				 0);
		model_set(model, FIRST + 4 * i, 3, MODEL_FREE);
	}
}

/* What is called back takes nodes; there must be some left for what is taken then. */
static void lean_space_takes_out_of_what_it_called_back(void **state)
{
	static const struct busway_iova_options lean = {.lean = true};
	static struct model model;

	(void)state;
	for (unsigned parts = 1; parts <= 2 * PARTS; parts++)
		for (unsigned how = 0; how < 2; how++) {
			const struct busway_iova_request odd = {
				.size = 1, .align = 4, .last = FIRST + 4};
			struct busway_iova_cache *cache;
			busway_dma_t dma;

			model_init(&model, FIRST - 1, 4 * parts + 1);
			model_forbid(&model, 0, 0);
			model_open(&model, &lean);
			assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
			cache_pieces(&model, cache, parts);
			if (how) {
				take_at(&model, FIRST + 1, 1);
				give(&model, FIRST + 1, 1);
			} else {
				assert_int_equal(busway_iova_take(model.space, &odd, &dma, NULL),
						 0);
				assert_int_equal(
					busway_iova_give(model.space, dma_range(dma.raw, 1), NULL),
					0);
			}
			busway_iova_cache_destroy(cache);
			close_parts(&model, parts);
		}
}

/* Where something is cached that cannot be called back, nobody says that there is no such place. */
static void refuse_for_memory_only(struct model *model)
{
	const struct busway_iova_request whole = {.size = model->size};
	const int expected = census_of(model).cached ? -BUSWAY_ENOMEM : -BUSWAY_ERANGE;
	busway_dma_t dma;

	assert_int_equal(busway_iova_take(model->space, &whole, &dma, NULL), expected);
	assert_int_equal(busway_iova_take_at(model->space, dma_range(FIRST, 4), NULL), expected);
	/* a reservation itself takes memory */
	test_memory_fail_at(&model->memory, 2, true);
	assert_int_equal(busway_iova_reserve(model->space, (struct busway_range){FIRST, FIRST + 3},
					     "x", NULL),
			 expected);
	test_memory_fail_at(&model->memory, 1, true);
}

/* The cache, or when it has gone the depot, keeps them, and whoever would be refused gets them. */
static void cached_ranges_that_cannot_come_back_are_kept(void **state)
{
	static const struct busway_iova_options lean = {.lean = true};
	const struct busway_iova_request lowest = {.size = 3, .last = FIRST + 2};
	static struct model model;
	unsigned kept = 0;

	(void)state;
	for (unsigned parts = 1; parts <= 2 * PARTS; parts++)
		for (unsigned gone = 0; gone < 2; gone++) {
			struct busway_iova_cache *cache;
			busway_dma_t dma;

			model_init(&model, FIRST, 4 * parts);
			model_open(&model, &lean);
			assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
			cache_pieces(&model, cache, parts);
			test_memory_fail_at(&model.memory, 1, true);
			busway_iova_space_flush(model.space);
			if (gone)
				busway_iova_cache_destroy(cache);
			busway_iova_space_flush(model.space);
			assert_int_equal(census_of(&model).double_frees, 0);
			assert_int_equal(census_of(&model).live, parts);
			kept += census_of(&model).cached != 0;
			refuse_for_memory_only(&model);
			assert_int_equal(busway_iova_space_destroy(model.space),
					 gone && census_of(&model).cached ? -BUSWAY_ENOMEM
									  : -BUSWAY_EBUSY);
			test_memory_fail_at(&model.memory, 0, false);
			assert_int_equal(busway_iova_take(model.space, &lowest, &dma, NULL), 0);
			give(&model, dma.raw, 3);
			if (!gone)
				busway_iova_cache_destroy(cache);
			busway_iova_space_flush(model.space);
			close_parts(&model, parts);
		}
	assert_true(kept > 0);
}

static void what_is_called_back_has_its_nodes(void **state)
{
	static struct model model;

	(void)state;
	for (unsigned parts = 1; parts <= 2 * PARTS; parts++) {
		struct busway_iova_cache *cache;

		model_init(&model, FIRST, 4 * parts);
		model_open(&model, NULL);
		assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
		cache_pieces(&model, cache, parts);
		test_memory_fail_at(&model.memory, 1, true);
		busway_iova_cache_destroy(cache);
		assert_int_equal(model.memory.calls, 0);
		assert_int_equal(census_of(&model).cached, 0);
		close_parts(&model, parts);
	}
}

/* The allocator is asked between the look at a slot and the taking of it: an owner in between. */
static struct {
	void *(*alloc)(void *ctx, size_t size, size_t align);
	struct busway_iova_cache *cache; /* NULL: it has had its turn */
} owner;

/* The two topmost ranges of the cache change places; no lock is taken for that. */
static void *swap_then_alloc(void *ctx, size_t size, size_t align)
{
	const struct busway_iova_request request = {.size = 3};
	struct busway_iova_cache *cache = owner.cache;
	busway_dma_t top, next;

	owner.cache = NULL;
	if (cache) {
		assert_int_equal(busway_iova_cache_take(cache, &request, &top, NULL), 0);
		assert_int_equal(busway_iova_cache_take(cache, &request, &next, NULL), 0);
		assert_int_equal(busway_iova_cache_give(cache, dma_range(top.raw, 3), NULL), 0);
		assert_int_equal(busway_iova_cache_give(cache, dma_range(next.raw, 3), NULL), 0);
	}
	return owner.alloc(ctx, size, align);
}

static void what_is_called_back_is_what_is_in_the_slot_by_then(void **state)
{
	static const struct busway_iova_options lean = {.lean = true};
	static struct model model;
	struct busway_iova_cache *cache;

	(void)state;
	model_init(&model, FIRST, 4 * PARTS);
	model_open(&model, &lean);
	assert_int_equal(busway_iova_cache_create(model.space, &cache), 0);
	cache_pieces(&model, cache, PARTS);
	owner.alloc = model.memory.allocator.alloc;
	owner.cache = cache;
	model.memory.allocator.alloc = swap_then_alloc;
	busway_iova_space_flush(model.space);
	assert_null(owner.cache);
	assert_int_equal(census_of(&model).double_frees, 0);
	assert_int_equal(census_of(&model).cached, 0);
	assert_int_equal(census_of(&model).live, PARTS);
	busway_iova_cache_destroy(cache);
	close_parts(&model, PARTS);
}

/* A space with nothing out goes, whatever is reserved, and needs no memory for that. */
static void lean_space_with_reservations_goes_without_memory(void **state)
{
	static const struct busway_iova_options lean = {.lean = true};
	static struct model model;

	(void)state;
	model_init(&model, FIRST, MODEL_SIZE);
	for (uint32_t i = 7; i < MODEL_SIZE; i += 8)
		model_forbid(&model, i, i);
	model_open(&model, &lean);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(busway_iova_reserve(model.space,
						     (struct busway_range){FIRST + i * 1024,
									   FIRST + i * 1024 + 1000},
						     "x", NULL),
				 0);
	busway_iova_space_flush(model.space);
	test_memory_fail_at(&model.memory, 1, true);
	assert_int_equal(busway_iova_space_destroy(model.space), 0);
	busway_intervals_clear(&model.allowed);
	test_memory_close(&model.memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(middles_of_parts_can_be_taken),
		cmocka_unit_test(reservation_that_cannot_come_back_stays),
		cmocka_unit_test(lean_space_takes_out_of_what_it_called_back),
		cmocka_unit_test(cached_ranges_that_cannot_come_back_are_kept),
		cmocka_unit_test(what_is_called_back_has_its_nodes),
		cmocka_unit_test(what_is_called_back_is_what_is_in_the_slot_by_then),
		cmocka_unit_test(lean_space_with_reservations_goes_without_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
