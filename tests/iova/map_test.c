/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map_test.c - what is mapped where: beside an array that has a cell for each address.
 */
#include "model.h"

#include <string.h>

enum { ADDRESSES = 600, MEMORY = 600 };

struct cell {
	uint64_t memory;
	uint64_t mapping; /* which; 0: none */
};

struct twin {
	struct busway_iova_map_options options;
	struct cell cell[ADDRESSES];
	uint64_t by_memory[MEMORY]; /* the IOVA, plus 1 */
	uint64_t next;
	struct busway_iova_map *map;
	struct test_memory memory;
};

static void insert(struct twin *t, struct rng *rng)
{
	const uint64_t size = rng_between(rng, 1, 20);
	const uint64_t iova = rng_below(rng, ADDRESSES - size),
		       memory = rng_below(rng, MEMORY - size);
	const struct busway_iova_entry entry = {dma_range(iova, size), memory, t,
						BUSWAY_READ_WRITE};
	bool clear = true;

	for (uint64_t i = 0; i < size; i++)
		clear = clear && !t->cell[iova + i].mapping &&
			!(t->options.by_memory && t->by_memory[memory + i]);
	assert_int_equal(busway_iova_map_insert(t->map, &entry, NULL), clear ? 0 : -BUSWAY_ERANGE);
	if (!clear)
		return;
	t->next++;
	for (uint64_t i = 0; i < size; i++) {
		t->cell[iova + i] = (struct cell){memory + i, t->next};
		t->by_memory[memory + i] = iova + i + 1;
	}
}

static bool may_remove(const struct twin *t, uint64_t first, uint64_t last)
{
	const bool cuts_first = first && t->cell[first].mapping &&
				t->cell[first - 1].mapping == t->cell[first].mapping;
	const bool cuts_last = last + 1 < ADDRESSES && t->cell[last].mapping &&
			       t->cell[last + 1].mapping == t->cell[last].mapping;

	for (uint64_t i = first; i <= last && !t->options.may_have_gaps; i++)
		if (!t->cell[i].mapping)
			return false;
	return t->options.may_split || (!cuts_first && !cuts_last);
}

static void remove_some(struct twin *t, struct rng *rng)
{
	uint64_t first = rng_below(rng, ADDRESSES);
	uint64_t last =
		rng_between(rng, first, first + 30 < ADDRESSES ? first + 30 : ADDRESSES - 1);
	bool may;

	if (t->cell[first].mapping && rng_chance(rng, 70)) { /* just one mapping */
		while (first && t->cell[first - 1].mapping == t->cell[first].mapping)
			first--;
		last = first;
		while (last + 1 < ADDRESSES && t->cell[last + 1].mapping == t->cell[first].mapping)
			last++;
	}
	may = may_remove(t, first, last);
	assert_int_equal(
		busway_iova_map_remove(t->map, (struct busway_dma_range){{first}, {last}}, NULL),
		may ? 0 : -BUSWAY_ERANGE);
	for (uint64_t i = first; i <= last && may; i++) {
		if (t->cell[i].mapping)
			t->by_memory[t->cell[i].memory] = 0;
		t->cell[i].mapping = 0;
	}
	/* what is left on the right of a cut is a mapping of its own */
	for (uint64_t i = last + 1; may && first && i < ADDRESSES && t->cell[i].mapping &&
				    t->cell[i].mapping == t->cell[first - 1].mapping;
	     i++)
		t->cell[i].mapping += (uint64_t)1 << 40;
}

static void compare(const struct twin *t)
{
	size_t count = 0;

	for (uint64_t i = 0; i < ADDRESSES; i++) {
		const struct busway_iova_entry *entry = busway_iova_map_find(t->map, busway_dma(i));

		assert_int_equal(entry != NULL, t->cell[i].mapping != 0);
		count += t->cell[i].mapping && (!i || t->cell[i - 1].mapping != t->cell[i].mapping);
		if (!entry)
			continue;
		assert_int_equal(entry->memory + (i - entry->iova.first.raw), t->cell[i].memory);
		assert_ptr_equal(entry->owner, t);
		assert_int_equal(entry->access, BUSWAY_READ_WRITE);
		assert_true(entry->iova.first.raw == i ||
			    t->cell[i - 1].mapping == t->cell[i].mapping);
		assert_ptr_equal(busway_iova_map_next(t->map, busway_dma(i)), entry);
	}
	assert_int_equal(busway_iova_map_count(t->map), count);
	for (uint64_t i = 0; i < MEMORY && t->options.by_memory; i++) {
		const struct busway_iova_entry *entry = busway_iova_map_find_memory(t->map, i);

		assert_int_equal(entry != NULL, t->by_memory[i] != 0);
		if (entry)
			assert_int_equal(entry->iova.first.raw + (i - entry->memory) + 1,
					 t->by_memory[i]);
	}
	assert_null(busway_iova_map_find(t->map, busway_dma(UINT64_MAX)));
	assert_null(busway_iova_map_next(t->map, busway_dma(ADDRESSES)));
}

static void every_address_is_as_the_twin_says(void **state)
{
	static struct twin t;

	(void)state;
	for (unsigned round = 0; round < random_rounds(80); round++) {
		struct rng rng = rng_of(random_seed() + round);

		memset(&t, 0, sizeof(t));
		t.options = (struct busway_iova_map_options){
			.may_split = round & 1, .may_have_gaps = round & 2, .by_memory = round & 4};
		test_memory_open(&t.memory);
		assert_int_equal(busway_iova_map_create(&t.options, &t.memory.allocator, &t.map),
				 0);
		for (unsigned i = 0; i < 3000; i++) {
			if (rng_chance(&rng, 60))
				insert(&t, &rng);
			else
				remove_some(&t, &rng);
			if (i % 100 == 0)
				compare(&t);
		}
		busway_iova_map_destroy(t.map);
		test_memory_close(&t.memory);
	}
}

static void the_whole_space_is_one_mapping(void **state)
{
	const struct busway_iova_entry all = {{{0}, {UINT64_MAX}}, 0, NULL, BUSWAY_READ};
	const struct busway_iova_entry wraps = {{{0}, {1}}, UINT64_MAX, NULL, BUSWAY_READ};
	const struct busway_iova_entry none = {{{1}, {0}}, 0, NULL, BUSWAY_READ};
	const struct busway_iova_map_options options = {.may_split = true, .by_memory = true};
	const struct busway_iova_entry *entry;
	struct busway_iova_map *map;
	struct test_memory memory;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_iova_map_create(&options, &memory.allocator, &map), 0);
	assert_int_equal(busway_iova_map_insert(map, &wraps, NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_map_insert(map, &none, NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_map_remove(map, none.iova, NULL), -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_map_insert(map, &all, NULL), 0);
	/* a hole at each end, and one in the middle */
	assert_int_equal(busway_iova_map_remove(map, dma_range(UINT64_MAX, 1), NULL), 0);
	assert_int_equal(busway_iova_map_remove(map, dma_range(0, 1), NULL), 0);
	assert_int_equal(busway_iova_map_remove(map, dma_range(0x1000, 0x1000), NULL), 0);
	assert_int_equal(busway_iova_map_count(map), 2);
	entry = busway_iova_map_find_memory(map, UINT64_MAX - 1);
	assert_non_null(entry);
	assert_int_equal(entry->iova.first.raw, 0x2000);
	assert_int_equal(entry->iova.last.raw, UINT64_MAX - 1);
	assert_null(busway_iova_map_find_memory(map, 0x1000));
	assert_null(busway_iova_map_find(map, busway_dma(UINT64_MAX)));
	assert_true(busway_iova_map_bytes(map) > 0);
	busway_iova_map_destroy(map);
	busway_iova_map_destroy(NULL);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_address_is_as_the_twin_says),
		cmocka_unit_test(the_whole_space_is_one_mapping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
