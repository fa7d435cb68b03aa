/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal_test.c - every reason for which a space or a map refuses, provoked once and told in
 * words.
 *
 *   allowed   0x1000..0xffff (pages), but for 0x8000..0x8fff, which /hole took
 *   reserved  0x4000..0x4fff, by /somebody
 */
#include "model.h"

#include <string.h>

enum { PAGE = 0x1000 };

struct scene {
	struct test_memory memory;
	struct busway_iova set;
	struct busway_iova_removed removed[1];
	struct busway_iova_space *space;
	struct busway_iova_map *map;
};

static void open(struct scene *s)
{
	const struct busway_iova_map_options options = {.by_memory = true};
	const struct busway_iova_options cut = {.search_max = 1};

	test_memory_open(&s->memory);
	s->removed[0] =
		(struct busway_iova_removed){{0x8000, 0x8fff}, BUSWAY_IOVA_NO_WINDOW, "/hole"};
	busway_intervals_init(&s->set.allowed, &s->memory.allocator);
	assert_int_equal(busway_intervals_add(&s->set.allowed, (struct busway_range){0, 0xffff}),
			 0);
	assert_int_equal(busway_intervals_remove(&s->set.allowed, s->removed[0].range), 0);
	s->set.removed = s->removed;
	s->set.removed_count = 1;
	assert_int_equal(busway_iova_space_create(&s->set.allowed, &s->set, &cut,
						  &s->memory.allocator, &s->space),
			 0);
	assert_int_equal(busway_iova_reserve(s->space, (struct busway_range){0x4000, 0x4fff},
					     "/somebody", NULL),
			 0);
	assert_int_equal(busway_iova_map_create(&options, &s->memory.allocator, &s->map), 0);
}

static int take(struct scene *s, uint64_t size, uint64_t last, struct busway_refusal *why)
{
	const struct busway_iova_request request = {.size = size, .last = last};
	busway_dma_t first;

	return busway_iova_take(s->space, &request, &first, why);
}

/* ---- what provokes them ---- */

static int more_than_there_is(struct scene *s, struct busway_refusal *why)
{
	return take(s, 14 * PAGE, 0, why);
}

static int longer_than_any_run(struct scene *s, struct busway_refusal *why)
{
	return take(s, 8 * PAGE, 0, why);
}

static int longer_than_any_run_below_a_limit(struct scene *s, struct busway_refusal *why)
{
	return take(s, 4 * PAGE, 0x6fff, why);
}

/* Two pages of each three are free, in more nodes than one; none of them at a multiple of 1 MiB. */
static int a_search_that_is_cut(struct scene *s, struct busway_refusal *why)
{
	const struct busway_iova_request request = {.size = 2 * PAGE, .align = 0x100000};
	const struct busway_iova_options cut = {.search_max = 1};
	busway_dma_t first;

	assert_int_equal(busway_iova_space_destroy(s->space), 0);
	assert_int_equal(busway_intervals_add(&s->set.allowed, (struct busway_range){0, 0xfffff}),
			 0);
	assert_int_equal(busway_iova_space_create(&s->set.allowed, NULL, &cut, &s->memory.allocator,
						  &s->space),
			 0);
	for (uint64_t at = 0x1000; at < 0x100000; at += 0x3000)
		assert_int_equal(busway_iova_take_at(s->space, dma_range(at, PAGE), NULL), 0);
	return busway_iova_take(s->space, &request, &first, why);
}

static int what_is_taken(struct scene *s, struct busway_refusal *why)
{
	assert_int_equal(busway_iova_take_at(s->space, dma_range(0x2000, 2 * PAGE), NULL), 0);
	return busway_iova_take_at(s->space, dma_range(0x1000, 2 * PAGE), why);
}

static int what_is_given_back_twice(struct scene *s, struct busway_refusal *why)
{
	return busway_iova_give(s->space, dma_range(0x2000, PAGE), why);
}

static int what_is_reserved(struct scene *s, struct busway_refusal *why)
{
	return busway_iova_take_at(s->space, dma_range(0x3000, 2 * PAGE), why);
}

static int what_is_not_allowed(struct scene *s, struct busway_refusal *why)
{
	return busway_iova_take_at(s->space, dma_range(0x7000, 2 * PAGE), why);
}

static int map(struct scene *s, uint64_t iova, uint64_t memory, struct busway_refusal *why)
{
	const struct busway_iova_entry entry = {dma_range(iova, 2 * PAGE), memory, NULL,
						BUSWAY_READ_WRITE};

	return busway_iova_map_insert(s->map, &entry, why);
}

static int what_is_mapped(struct scene *s, struct busway_refusal *why)
{
	assert_int_equal(map(s, 0x2000, 0x70000, NULL), 0);
	return map(s, 0x1000, 0x90000, why);
}

static int memory_that_is_mapped(struct scene *s, struct busway_refusal *why)
{
	assert_int_equal(map(s, 0x2000, 0x70000, NULL), 0);
	return map(s, 0x5000, 0x6f000, why);
}

static int what_is_not_mapped(struct scene *s, struct busway_refusal *why)
{
	assert_int_equal(map(s, 0x2000, 0x70000, NULL), 0);
	return busway_iova_map_remove(s->map, dma_range(0x2000, 3 * PAGE), why);
}

static int a_part_of_a_mapping(struct scene *s, struct busway_refusal *why)
{
	assert_int_equal(map(s, 0x2000, 0x70000, NULL), 0);
	return busway_iova_map_remove(s->map, dma_range(0x2000, PAGE), why);
}

static const struct {
	enum busway_reason reason;
	int (*provoke)(struct scene *s, struct busway_refusal *why);
	const char *detail, *advice;
} cases[] = {
	{BUSWAY_IOVA_FULL, more_than_there_is,
	 "IOVA space: 56 KiB wanted: less than the wanted bytes are free in the IOVA space (within "
	 "0x0..0xffffffffffffffff); 56 KiB wanted, 4 KiB of 56 KiB used, the longest free run is "
	 "28 "
	 "KiB",
	 "ask for 28 KiB at most"},
	{BUSWAY_IOVA_NO_RUN, longer_than_any_run,
	 "IOVA space: 32 KiB wanted: enough is free in the IOVA space, but not in one run that "
	 "suits "
	 "limit, alignment and boundaries (within 0x0..0xffffffffffffffff); 32 KiB wanted, 4 KiB "
	 "of "
	 "56 KiB used, the longest free run is 28 KiB",
	 "ask for 28 KiB at most"},
	{BUSWAY_IOVA_NO_RUN, longer_than_any_run_below_a_limit,
	 "IOVA space: 16 KiB wanted: enough is free in the IOVA space, but not in one run that "
	 "suits "
	 "limit, alignment and boundaries (within 0x0..0x6fff); 16 KiB wanted, 4 KiB of 56 KiB "
	 "used, "
	 "the longest free run is 12 KiB",
	 "the nearest that would do is bus 0x9000..0xcfff; or ask for 12 KiB at most"},
	{BUSWAY_IOVA_SEARCH_CUT, a_search_that_is_cut,
	 "IOVA space: 8 KiB wanted: no free run was found that suits alignment and boundaries, and "
	 "not all were looked at (within 0x0..0xffffffffffffffff); 8 KiB wanted, 340 KiB of 1020 "
	 "KiB "
	 "used, the longest free run is 8 KiB",
	 ""},
	{BUSWAY_IOVA_TAKEN, what_is_taken,
	 "IOVA space: bus 0x1000..0x2fff: somebody has these IOVAs (which is 0x2000..0x2fff)", ""},
	{BUSWAY_IOVA_NOT_TAKEN, what_is_given_back_twice,
	 "IOVA space: bus 0x2000..0x2fff: nobody has these IOVAs: they are free (which is "
	 "0x2000..0x2fff)",
	 ""},
	{BUSWAY_IOVA_WITHHELD, what_is_reserved,
	 "IOVA space: bus 0x3000..0x4fff: these IOVAs are reserved (/somebody, which is "
	 "0x4000..0x4fff)",
	 ""},
	{BUSWAY_IOVA_NOT_ALLOWED, what_is_not_allowed,
	 "IOVA space: bus 0x7000..0x8fff: not every device of the group can use these IOVAs "
	 "(/hole, "
	 "which is 0x8000..0x8fff)",
	 ""},
	{BUSWAY_IOVA_MAPPED, what_is_mapped,
	 "IOVA map: bus 0x1000..0x2fff: something is mapped at these IOVAs (which is "
	 "0x2000..0x3fff)",
	 ""},
	{BUSWAY_VA_MAPPED, memory_that_is_mapped,
	 "IOVA map: memory 0x6f000..0x70fff: this memory is mapped at another IOVA (which is "
	 "0x70000..0x71fff)",
	 ""},
	{BUSWAY_IOVA_NOT_MAPPED, what_is_not_mapped,
	 "IOVA map: bus 0x2000..0x4fff: nothing is mapped at these IOVAs (which is 0x4000..0x4fff)",
	 ""},
	{BUSWAY_IOVA_CUT, a_part_of_a_mapping,
	 "IOVA map: bus 0x2000..0x2fff: this is a part of a mapping, and mappings go as a whole "
	 "(which is 0x2000..0x3fff)",
	 ""},
};

static void empty(struct scene *s)
{
	struct busway_range range = {0, 0};

	/* whatever is not free and not reserved */
	for (uint64_t at = 0x1000; at < 0x100000; at += PAGE)
		if (!busway_iova_next_free(s->space, at, &range) || range.first > at)
			busway_iova_give(s->space, dma_range(at, PAGE), NULL);
	assert_int_equal(busway_iova_space_destroy(s->space), 0);
	busway_iova_map_destroy(s->map);
	busway_intervals_clear(&s->set.allowed);
	test_memory_close(&s->memory);
}

static void every_reason_is_provoked_and_told_in_words(void **state)
{
	bool provoked[BUSWAY_REASON_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_refusal why = {0};
		struct scene s;
		char text[400];

		open(&s);
		assert_int_equal(cases[i].provoke(&s, &why), -BUSWAY_ERANGE);
		assert_int_equal(why.reason, cases[i].reason);
		busway_refusal_detail(&why, text, sizeof(text));
		assert_string_equal(text, cases[i].detail);
		busway_refusal_advice(&why, text, sizeof(text));
		assert_string_equal(text, cases[i].advice);
		provoked[why.reason] = true;
		empty(&s);
	}
	for (int r = BUSWAY_IOVA_FULL; r <= BUSWAY_VA_MAPPED; r++)
		if (!provoked[r])
			fail_msg("nothing provokes %s", busway_reason_code((enum busway_reason)r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_provoked_and_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
