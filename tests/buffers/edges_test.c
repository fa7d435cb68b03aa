/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edges_test.c - first and last bytes: of a buffer, of a slot of the directory, of the address space.
 */
#include "../../src/buffers/buffers_internal.h"
#include "model.h"

#include <string.h>

#define TOP UINT64_MAX

static struct busway_buffer buffer(uint64_t first, uint64_t last, uint64_t dma)
{
	return (struct busway_buffer){
		.va = {first, last}, .dma = {dma}, .access = BUSWAY_READ_WRITE};
}

static void open_with(struct model *m, uint64_t first, uint64_t last, uint64_t dma)
{
	const struct busway_buffer b = buffer(first, last, dma);

	model_open(m, false);
	assert_true(model_register(m, &b));
}

static void a_buffer_may_lie_anywhere_and_be_of_any_size(void **state)
{
	static const struct {
		const char *because;
		uint64_t first, last;
	} cases[] = {
		{"the first byte of all", 0, 0},
		{"the last byte of all", TOP, TOP},
		{"the last page", TOP - 0xfff, TOP},
		{"all 2^64 bytes", 0, TOP},
		{"all but the first", 1, TOP},
		{"all but the last", 0, TOP - 1},
		{"a byte on each side of 2 MiB", 0x1fffff, 0x200000},
		{"a byte on each side of 512 GiB", 0x7fffffffff, 0x8000000000},
		{"a byte on each side of 2^63", ((uint64_t)1 << 63) - 1, (uint64_t)1 << 63},
		{"a slot of 2 MiB", 0x40200000, 0x403fffff},
		{"one byte less", 0x40200000, 0x403ffffe},
		{"one byte more", 0x40200000, 0x40400000},
		{"a slot of 1 GiB", 0x40000000, 0x7fffffff},
		{"beyond 48 bits", (uint64_t)3 << 50, ((uint64_t)3 << 50) + 5},
	};
	static struct model m;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint64_t span = cases[i].last - cases[i].first;

		print_message("# %s\n", cases[i].because);
		for (unsigned odd = 0; odd < 2; odd++) {
			/* a distance that a word holds, and one that it does not */
			open_with(&m, cases[i].first, cases[i].last,
				  odd && span != TOP ? 1 : cases[i].first & 0xfff & (span == TOP ? 0 : TOP));
			model_compare(&m);
			assert_true(model_unregister(&m, m.list[0].va));
			model_compare(&m);
			model_close(&m);
		}
	}
}

static void all_or_nothing_of_the_length_is_translated(void **state)
{
	static const struct {
		const char *because;
		uint64_t va, length;
		int status;
		enum busway_reason reason;
		uint64_t limit;
	} cases[] = {
		{"all of it", 0x1000, 0x600000, 0, BUSWAY_NOT_REFUSED, 0},
		{"across slots of 2 MiB", 0x1ffffc, 8, 0, BUSWAY_NOT_REFUSED, 0},
		{"the last byte", 0x600fff, 1, 0, BUSWAY_NOT_REFUSED, 0},
		{"one byte too far", 0x600fff, 2, -BUSWAY_ERANGE, BUSWAY_BUFFER_END, 0x600fff},
		{"one byte before", 0xfff, 1, -BUSWAY_ERANGE, BUSWAY_BUFFER_UNKNOWN, 0},
		{"right behind", 0x601000, 1, -BUSWAY_ERANGE, BUSWAY_BUFFER_UNKNOWN, 0},
		{"no bytes", 0x1000, 0, -BUSWAY_EINVAL, BUSWAY_NOT_REFUSED, 0},
		{"the longest of all", 0x1000, TOP, -BUSWAY_EINVAL, BUSWAY_NOT_REFUSED, 0},
		{"past the end of all, to the buffer", 0x600800, TOP - 0x400, -BUSWAY_EINVAL,
		 BUSWAY_NOT_REFUSED, 0},
		{"to the end of all", 0x1000, TOP - 0xfff, -BUSWAY_ERANGE, BUSWAY_BUFFER_END,
		 0x600fff},
	};
	static struct model m;

	(void)state;
	open_with(&m, 0x1000, 0x600fff, 0x80001000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct busway_refusal why = {0};
		busway_dma_t dma = {0};

		print_message("# %s\n", cases[i].because);
		assert_int_equal(busway_buffers_translate(m.buffers, cases[i].va, cases[i].length,
							  BUSWAY_WRITE, &dma, &why),
				 cases[i].status);
		assert_true(dma.raw == (cases[i].status ? 0 : 0x80000000 + cases[i].va));
		assert_int_equal(why.reason, cases[i].reason);
		if (cases[i].limit)
			assert_true(why.limit.first == cases[i].va &&
				    why.limit.last == cases[i].limit);
	}
	model_close(&m);
}

/* Adjoining on both sides, and still two: the caller steps. */
static void a_run_ends_where_its_buffer_ends(void **state)
{
	const struct busway_buffer second = buffer(0x3000, 0x4fff, 0x83000);
	static struct model m;
	uint64_t length = 0x2000;
	busway_dma_t dma;

	(void)state;
	open_with(&m, 0x1000, 0x2fff, 0x81000);
	assert_true(model_register(&m, &second));
	assert_int_equal(busway_buffers_run(m.buffers, 0x2800, &length, BUSWAY_READ, &dma, NULL), 0);
	assert_true(length == 0x800 && dma.raw == 0x82800);
	length = 0x1800;
	assert_int_equal(busway_buffers_run(m.buffers, 0x3000, &length, BUSWAY_READ, &dma, NULL), 0);
	assert_true(length == 0x1800 && dma.raw == 0x83000);
	assert_int_equal(busway_buffers_translate(m.buffers, 0x2800, 0x1000, BUSWAY_READ, &dma, NULL),
			 -BUSWAY_ERANGE);
	model_close(&m);
}

static void arguments_that_make_no_sense_are_told_apart_from_refusals(void **state)
{
	static const struct {
		const char *because;
		struct busway_buffer buffer;
	} cases[] = {
		{"the range is none", {{5, 4}, {0}, BUSWAY_READ, NULL}},
		{"no such access", {{0, 1}, {0}, (enum busway_access)4, NULL}},
		{"the device's addresses end", {{0, 1}, {TOP}, BUSWAY_READ, NULL}},
	};
	static const unsigned accesses[] = {0, 4, 5, 7, 8, 32, 1U << 31, UINT32_MAX};
	static struct model m;
	busway_dma_t dma;

	(void)state;
	model_open(&m, false);
	for (size_t i = 0; i < COUNT(cases); i++)
		if (busway_buffers_register(m.buffers, &cases[i].buffer, NULL) != -BUSWAY_EINVAL)
			fail_msg("%s", cases[i].because);
	assert_int_equal(busway_buffers_unregister(m.buffers, (struct busway_range){5, 4}, NULL),
			 -BUSWAY_EINVAL);
	/* in a cell, and in a slot of its own; of which the device reaches one, or not */
	for (unsigned i = 0; i < 4; i++) {
		struct busway_buffer b = buffer(0x40000000, 0x40000000 + (i & 1 ? 0x1fffff : 0xfff), 0);

		b.access = i & 2 ? 0 : BUSWAY_READ_WRITE;
		assert_true(model_register(&m, &b));
		for (size_t j = 0; j < COUNT(accesses); j++)
			assert_int_equal(busway_buffers_translate(m.buffers, 0x40000000, 1,
								  (enum busway_access)accesses[j],
								  &dma, NULL),
					 -BUSWAY_EINVAL);
		assert_true(model_unregister(&m, b.va));
	}
	model_close(&m);
}

/* Of a buffer that is gone nothing is found, though its cell goes on for the sake of others. */
static void what_died_in_a_cell_is_gone(void **state)
{
	static const enum busway_access accesses[] = {0, BUSWAY_READ_WRITE};
	static struct model m;
	struct busway_buffer b = buffer(0x200000, 0x200000, 0);
	const struct busway_buffer other = buffer(0x201000, 0x201fff, 0);

	(void)state;
	for (size_t i = 0; i < COUNT(accesses); i++) {
		model_open(&m, false);
		b.access = accesses[i];
		assert_true(model_register(&m, &b));
		assert_true(model_register(&m, &other));
		assert_true(model_unregister(&m, b.va));
		model_ask(&m, 0x200000, 1, BUSWAY_READ);
		assert_false(model_unregister(&m, b.va));
		b.dma.raw = 0x7000;
		assert_true(model_register(&m, &b));
		model_compare(&m);
		model_close(&m);
	}
}

/* The root is above all that there is: in which order it came does not matter. */
static void the_directory_grows_to_where_buffers_are(void **state)
{
	static const uint64_t places[] = {0x200000, 0x7f0000000000, (uint64_t)1 << 52, TOP - 0x1fffff,
					  0x555500000000};
	static struct model m;

	(void)state;
	for (unsigned from = 0; from < COUNT(places); from++) {
		model_open(&m, false);
		for (unsigned i = 0; i < COUNT(places); i++) {
			const uint64_t at = places[(from + i) % COUNT(places)];
			const struct busway_buffer b = buffer(at, at + 0x1fffff, at);

			assert_true(model_register(&m, &b));
			model_compare(&m);
		}
		while (m.count) {
			assert_true(model_unregister(&m, m.list[0].va));
			model_compare(&m);
		}
		model_close(&m);
	}
}

/* So many small ones in a slot that it becomes nodes down to single bytes; and back. */
static void crowds_of_small_buffers_are_found_one_by_one(void **state)
{
	static const uint64_t sizes[] = {1, 3, 8, 64, 4096, 5000};
	static struct model m;

	(void)state;
	for (size_t s = 0; s < COUNT(sizes); s++) {
		model_open(&m, false);
		for (uint64_t i = 0; i < 300; i++) {
			const uint64_t at = 0x3ffff000 + i * sizes[s];
			const struct busway_buffer b = buffer(at, at + (sizes[s] - 1), i * 7919 * 4096);

			assert_true(model_register(&m, &b));
		}
		model_compare(&m);
		for (unsigned i = 0; i < 150; i++)
			assert_true(model_unregister(&m, m.list[i % m.count].va));
		model_compare(&m);
		model_close(&m);
	}
}

/* Where the processor compares several at once, others still do it one by one. */
static void pieces_are_counted_alike_at_once_and_one_by_one(void **state)
{
	struct cell cell = {0};

	(void)state;
	for (unsigned pieces = 0; pieces <= PIECES; pieces++) {
		for (unsigned i = 0; i <= PIECES; i++)
			cell.first[i] = i < pieces ? (int32_t)(10 * i + i % 3) : NO_PIECE;
		for (int32_t at = 0; at < 80; at++) {
			unsigned expected = 0;

			while (expected < pieces && cell.first[expected] <= at)
				expected++;
			assert_int_equal(cell_count(&cell, at), expected);
			assert_int_equal(cell_count_plain(&cell, at), expected);
		}
		assert_int_equal(cell_count(&cell, (1 << SHIFT_CELL) - 1), pieces);
		assert_int_equal(cell_count_plain(&cell, (1 << SHIFT_CELL) - 1), pieces);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_may_lie_anywhere_and_be_of_any_size),
		cmocka_unit_test(all_or_nothing_of_the_length_is_translated),
		cmocka_unit_test(a_run_ends_where_its_buffer_ends),
		cmocka_unit_test(arguments_that_make_no_sense_are_told_apart_from_refusals),
		cmocka_unit_test(what_died_in_a_cell_is_gone),
		cmocka_unit_test(the_directory_grows_to_where_buffers_are),
		cmocka_unit_test(crowds_of_small_buffers_are_found_one_by_one),
		cmocka_unit_test(pieces_are_counted_alike_at_once_and_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
