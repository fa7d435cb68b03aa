/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * report_test.c - what is told of a violation: the words, the mapping that was meant, and for how
 * long it is remembered.
 */
#include "bench.h"

#define BUFFER (RAM + 0x10000u)

static void put(struct bench *b, uint64_t phys, size_t size)
{
	static const unsigned char zeroes[64];

	bench_write(b, COHERENT, TO_BUS(phys), zeroes, size);
}

static struct made *map(struct bench *b, struct made *m, uint64_t phys, uint64_t size)
{
	*m = made(COHERENT, phys, TO_BUS(phys), size, BUSWAY_FROM_DEVICE);
	return bench_map(b, m);
}

/* ---- words ---- */

static void a_violation_is_told_in_words(void **state)
{
	static const char *const expected[] = {
		"/device1 writes dma 0x40010000..0x40010003: memory that is not mapped for the "
		"device; at cpu 0x80010000..0x80010003, /region0",
		"/device1 reads dma 0x60000000..0x60000000: an outbound aperture claims the "
		"address: memory behind it is not reached; at /bus1 0x60000000..0x60000000, "
		"/region2; mapping 1: from-device, dma 0x40010000..0x4001003f, CPU 0x80010000",
		"cpu reads CPU 0x80010004..0x80010007: the CPU touches what is mapped for the "
		"device to write; mapping 1: from-device, dma 0x40010000..0x4001003f, CPU "
		"0x80010000",
		"/device1 writes dma 0x40010000..0x40010003: memory that is not mapped any more; "
		"at cpu 0x80010000..0x80010003, /region0; mapping, gone by now, 1: from-device, "
		"dma 0x40010000..0x4001003f, CPU 0x80010000",
		"/device1: frees coherent memory by another CPU pointer; mapping, gone by now, 1: "
		"from-device, dma 0x40010000..0x4001003f, CPU 0x80010000",
	};
	const struct busway_misuse_report report = {.misuse = BUSWAY_MISUSE_WRONG_POINTER,
						    .device = {COHERENT}};
	static struct bench b;
	struct made m;
	unsigned char byte[4];

	(void)state;
	bench_usual(&b, NULL);
	put(&b, BUFFER, 4);
	map(&b, &m, BUFFER, 64);
	bench_read(&b, COHERENT, APERTURE, byte, 1);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 4), byte, 4);
	bench_unmap(&b, &m);
	put(&b, BUFFER, 4);
	b.environment.misuse(b.machine, &report);
	for (size_t i = 0; i < COUNT(expected); i++) {
		const struct busway_violation *v = busway_machine_violation(b.machine, i);
		char text[400];

		assert_non_null(v);
		assert_int_equal(busway_violation_text(v, text, sizeof(text)), strlen(expected[i]));
		assert_string_equal(text, expected[i]);
		assert_int_equal(busway_violation_text(v, text, 8), strlen(expected[i]));
		assert_int_equal(strlen(text), 7);
		assert_int_equal(busway_violation_text(v, NULL, 0), strlen(expected[i]));
	}
	bench_close(&b);
}

static void codes_are_words_of_their_own(void **state)
{
	(void)state;
	for (int i = 1; i < BUSWAY_VIOLATION_COUNT; i++) {
		const char *code = busway_violation_code((enum busway_violation_kind)i);

		assert_true(strlen(code) > 3);
		assert_true(strlen(busway_violation_sentence((enum busway_violation_kind)i)) > 15);
		for (int j = 1; j < i; j++)
			assert_string_not_equal(
				code, busway_violation_code((enum busway_violation_kind)j));
	}
	assert_string_equal(busway_violation_code(BUSWAY_NO_VIOLATION), "");
	assert_string_equal(busway_violation_code(BUSWAY_VIOLATION_COUNT), "");
	assert_string_equal(busway_violation_sentence(BUSWAY_VIOLATION_COUNT), "");
}

/* ---- how many are kept ---- */

static void counting_goes_on_when_records_are_full(void **state)
{
	static struct bench b;
	const struct busway_machine_options options = {.records = 2};

	(void)state;
	bench_usual(&b, &options);
	for (unsigned i = 0; i < 5; i++)
		put(&b, BUFFER + i, 1);
	assert_int_equal(busway_machine_violations(b.machine), 5);
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_OUTSIDE), 5);
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_COUNT), 0);
	assert_int_equal(busway_machine_misuses(b.machine, BUSWAY_NO_MISUSE), 0);
	assert_int_equal(busway_machine_violation(b.machine, 1)->asked.first, TO_BUS(BUFFER) + 1);
	assert_int_equal(busway_machine_violation(b.machine, 1)->number, 2);
	assert_null(busway_machine_violation(b.machine, 2));
	busway_machine_clear(b.machine);
	assert_null(busway_machine_violation(b.machine, 0));
	put(&b, BUFFER, 1);
	assert_int_equal(bench_first(&b)->number, 1);
	bench_told(&b, BUSWAY_VIOLATION_OUTSIDE, 1);
	bench_close(&b);
}

/* ---- which mapping ---- */

static void the_nearest_mapping_is_named(void **state)
{
	static struct bench b;
	struct made near, far, other;

	(void)state;
	bench_usual(&b, NULL);
	map(&b, &far, BUFFER, 64);
	map(&b, &near, BUFFER + 0x1000, 64);
	other = made(NONCOHERENT, BUFFER + 0x1100, TO_BUS(BUFFER + 0x1100), 64, BUSWAY_TO_DEVICE);
	bench_map(&b, &other);
	put(&b, BUFFER + 0x1100, 1); /* what is another device's is not meant */
	assert_int_equal(bench_first(&b)->trace.number, 2);
	assert_true(bench_first(&b)->trace.live);
	busway_machine_clear(b.machine);
	put(&b, BUFFER + 0x100, 1);
	assert_int_equal(bench_first(&b)->trace.number, 1);
	busway_machine_clear(b.machine);
	bench_unmap(&b, &far); /* nearer, but gone */
	put(&b, BUFFER + 0x100, 1);
	assert_int_equal(bench_first(&b)->trace.number, 1);
	assert_false(bench_first(&b)->trace.live);
	bench_told(&b, BUSWAY_VIOLATION_OUTSIDE, 1);
	bench_close(&b);
}

static void what_was_unmapped_is_remembered_for_a_while(void **state)
{
	static struct bench b;
	struct made m;

	(void)state;
	bench_usual(&b, NULL);
	for (unsigned i = 0; i < 300; i++)
		bench_unmap(&b, map(&b, &m, BUFFER + i * 64, 64));
	put(&b, BUFFER + 43 * 64, 1);
	bench_told(&b, BUSWAY_VIOLATION_OUTSIDE, 1);
	put(&b, BUFFER + 44 * 64, 1);
	assert_int_equal(bench_first(&b)->trace.number, 45);
	bench_told(&b, BUSWAY_VIOLATION_AFTER_UNMAP, 1);
	bench_close(&b);
}

static void each_part_of_an_access_is_judged(void **state)
{
	static struct bench b;
	struct made gone, live;

	(void)state;
	bench_usual(&b, NULL);
	bench_unmap(&b, map(&b, &gone, BUFFER, 16));
	map(&b, &live, BUFFER + 32, 16);
	put(&b, BUFFER, 64); /* gone, never, live, never */
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_AFTER_UNMAP), 1);
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_OUTSIDE), 2);
	assert_int_equal(bench_first(&b)->asked.last, TO_BUS(BUFFER) + 15);
	assert_int_equal(busway_machine_violation(b.machine, 1)->asked.first, TO_BUS(BUFFER) + 16);
	assert_int_equal(busway_machine_violation(b.machine, 1)->asked.last, TO_BUS(BUFFER) + 31);
	assert_int_equal(busway_machine_violation(b.machine, 1)->at.last, BUFFER + 31);
	assert_int_equal(busway_machine_violation(b.machine, 2)->asked.first, TO_BUS(BUFFER) + 48);
	busway_machine_clear(b.machine);
	bench_close(&b);
}

/*
 *   first    [== to device ==]          both in force where they overlap
 *   second           [== from device ==]
 */
static void mappings_that_overlap_are_all_in_force(void **state)
{
	static struct bench b;
	struct made first = made(COHERENT, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_TO_DEVICE);
	struct made second =
		made(COHERENT, BUFFER + 32, TO_BUS(BUFFER + 32), 64, BUSWAY_FROM_DEVICE);
	static unsigned char bytes[96];

	(void)state;
	bench_usual(&b, NULL);
	bench_map(&b, &first);
	bench_map(&b, &second);
	put(&b, BUFFER + 32, 64);
	bench_read(&b, COHERENT, TO_BUS(BUFFER), bytes, 64);
	bench_told_nothing(&b);
	put(&b, BUFFER, 33);
	assert_int_equal(bench_first(&b)->asked.last, TO_BUS(BUFFER) + 31);
	assert_int_equal(bench_first(&b)->trace.number, 1);
	bench_told(&b, BUSWAY_VIOLATION_WROTE, 1);
	bench_read(&b, COHERENT, TO_BUS(BUFFER) + 1, bytes, 95);
	assert_int_equal(bench_first(&b)->asked.first, TO_BUS(BUFFER) + 64);
	assert_int_equal(bench_first(&b)->asked.last, TO_BUS(BUFFER) + 95);
	bench_told(&b, BUSWAY_VIOLATION_READ, 1);
	bench_unmap(&b, &first);
	bench_read(&b, COHERENT, TO_BUS(BUFFER) + 30, bytes, 3); /* gone, and not for reading */
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_AFTER_UNMAP), 1);
	assert_int_equal(busway_machine_count(b.machine, BUSWAY_VIOLATION_READ), 1);
	busway_machine_clear(b.machine);
	bench_close(&b);
}

static void what_the_api_cannot_mean_is_ignored(void **state)
{
	static struct bench b;
	struct made m = made(99, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_TO_DEVICE);

	(void)state;
	bench_usual(&b, NULL);
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED); /* no such device */
	m.device = COHERENT;
	m.mapping.segment_count = 0;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	m.mapping.segment_count = 1;
	bench_event(&b, &m, BUSWAY_EVENT_UNMAPPED); /* never mapped */
	bench_event(&b, &m, BUSWAY_EVENT_SYNCED_FOR_CPU);
	bench_told_nothing(&b);
	bench_close(&b);
}

/*
 *   gone     [=]   [=]  of another: [=]
 *   write  [---------------------------]
 */
static void an_access_is_cut_where_something_was(void **state)
{
	static const struct {
		uint64_t first, last;
		enum busway_violation_kind kind;
	} expected[] = {
		{0, 15, BUSWAY_VIOLATION_OUTSIDE},     {16, 23, BUSWAY_VIOLATION_AFTER_UNMAP},
		{24, 31, BUSWAY_VIOLATION_OUTSIDE},    {32, 39, BUSWAY_VIOLATION_AFTER_UNMAP},
		{40, 62, BUSWAY_VIOLATION_OUTSIDE},    {63, 63, BUSWAY_VIOLATION_AFTER_UNMAP},
	};
	static struct bench b;
	struct made m;

	(void)state;
	bench_usual(&b, NULL);
	bench_unmap(&b, map(&b, &m, BUFFER + 63, 64));
	bench_unmap(&b, map(&b, &m, BUFFER + 32, 8));
	bench_unmap(&b, map(&b, &m, BUFFER + 16, 8));
	m = made(NONCOHERENT, BUFFER + 48, TO_BUS(BUFFER + 48), 8, BUSWAY_FROM_DEVICE);
	bench_unmap(&b, bench_map(&b, &m));
	put(&b, BUFFER, 64);
	assert_int_equal(busway_machine_violations(b.machine), COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		const struct busway_violation *v = busway_machine_violation(b.machine, i);

		assert_int_equal(v->kind, expected[i].kind);
		assert_int_equal(v->asked.first, TO_BUS(BUFFER) + expected[i].first);
		assert_int_equal(v->asked.last, TO_BUS(BUFFER) + expected[i].last);
	}
	bench_close(&b);
}

static void near_is_measured_from_the_nearer_end(void **state)
{
	static const struct {
		uint64_t at, number;
	} cases[] = {{0x200, 1}, {0x7ff, 1}, {0x900, 2}, {0x1100, 2}, {0, 1}};
	static struct bench b;
	struct made low, high;

	(void)state;
	bench_usual(&b, NULL);
	map(&b, &low, BUFFER + 0x100, 0x80);   /* ends at 0x17f */
	map(&b, &high, BUFFER + 0xe90, 0x200); /* begins at 0xe90, 0x691 from there to 0x7ff */
	for (size_t i = 0; i < COUNT(cases); i++) {
		put(&b, BUFFER + cases[i].at, 1);
		assert_int_equal(bench_first(&b)->trace.number, cases[i].number);
		bench_told(&b, BUSWAY_VIOLATION_OUTSIDE, 1);
	}
	bench_close(&b);
}

/* Of a list that was abandoned, slots are in quarantine; the driver's own memory is not. */
static void what_is_not_in_quarantine_is_not_to_be_touched(void **state)
{
	static struct bench b;
	struct busway_mapped segments[2] = {
		{.dma = {{TO_BUS(BUFFER)}, {TO_BUS(BUFFER) + 63}}, .phys = {BUFFER}},
		{.dma = {{TO_BUS(BUFFER) + 0x1000}, {TO_BUS(BUFFER) + 0x103f}},
		 .phys = {BUFFER + 0x2000}},
	};
	struct made m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 128, BUSWAY_FROM_DEVICE);

	(void)state;
	bench_usual(&b, NULL);
	m.mapping.kind = BUSWAY_KIND_LIST;
	m.mapping.way = BUSWAY_WAY_MIXED;
	m.mapping.segments = segments;
	m.mapping.segment_count = 2;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	bench_event(&b, &m, BUSWAY_EVENT_ABANDONED);
	put(&b, BUFFER + 0x1000, 64);
	bench_told_nothing(&b);
	put(&b, BUFFER, 64);
	bench_told(&b, BUSWAY_VIOLATION_AFTER_UNMAP, 1);
	bench_close(&b);
}

static void a_lenient_machine_tells_what_is_wrong_for_certain(void **state)
{
	static struct bench b;
	const struct busway_machine_options options = {.lenient = true};
	struct made m;

	(void)state;
	bench_usual(&b, &options);
	put(&b, BUFFER, 1);
	bench_told_nothing(&b);
	bench_unmap(&b, map(&b, &m, BUFFER, 16));
	put(&b, BUFFER, 1);
	bench_told(&b, BUSWAY_VIOLATION_AFTER_UNMAP, 1);
	bench_close(&b);
}

/* ---- lists ---- */

static void each_segment_of_a_list_is_watched(void **state)
{
	static struct bench b;
	struct busway_mapped segments[2] = {
		{.dma = {{TO_BUS(BUFFER)}, {TO_BUS(BUFFER) + 63}}, .phys = {BUFFER}},
		{.dma = {{TO_BUS(BUFFER) + 0x1000}, {TO_BUS(BUFFER) + 0x100f}},
		 .phys = {BUFFER + 0x1000}},
	};
	struct made m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 80, BUSWAY_FROM_DEVICE);
	unsigned char bytes[16];

	(void)state;
	bench_usual(&b, NULL);
	m.mapping.kind = BUSWAY_KIND_LIST;
	m.mapping.segments = segments;
	m.mapping.segment_count = 2;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	put(&b, BUFFER, 64);
	put(&b, BUFFER + 0x1000, 16);
	bench_told_nothing(&b);
	bench_sync(&b, &m, true, 60, 10); /* the end of the first, the beginning of the second */
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 60), bytes, 4);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 0x1000), bytes, 6);
	bench_told_nothing(&b);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 59), bytes, 1);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 0x1006), bytes, 1);
	bench_told(&b, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU, 2);
	bench_event(&b, &m, BUSWAY_EVENT_UNMAPPED);
	put(&b, BUFFER + 0x100f, 1);
	bench_told(&b, BUSWAY_VIOLATION_AFTER_UNMAP, 1);
	bench_close(&b);
}

/* ---- when memory for records ends ---- */

static void it_says_when_it_cannot_watch(void **state)
{
	static struct bench b;
	struct made m;

	(void)state;
	for (unsigned long call = 1;; call++) {
		uint64_t blind;

		bench_usual(&b, NULL);
		test_memory_fail_at(&b.memory, call, false);
		map(&b, &m, BUFFER, 64);
		put(&b, BUFFER, 32);
		bench_sync(&b, &m, true, 0, 8);
		bench_sync(&b, &m, true, 16, 8);
		put(&b, BUFFER + 4, 1);
		bench_unmap(&b, &m);
		blind = busway_machine_count(b.machine, BUSWAY_VIOLATION_BLIND);
		assert_true(blind == (b.memory.calls >= call));
		bench_close(&b);
		if (!blind)
			break;
		assert_true(call < 30);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_violation_is_told_in_words),
		cmocka_unit_test(codes_are_words_of_their_own),
		cmocka_unit_test(counting_goes_on_when_records_are_full),
		cmocka_unit_test(the_nearest_mapping_is_named),
		cmocka_unit_test(what_was_unmapped_is_remembered_for_a_while),
		cmocka_unit_test(each_part_of_an_access_is_judged),
		cmocka_unit_test(mappings_that_overlap_are_all_in_force),
		cmocka_unit_test(what_the_api_cannot_mean_is_ignored),
		cmocka_unit_test(an_access_is_cut_where_something_was),
		cmocka_unit_test(near_is_measured_from_the_nearer_end),
		cmocka_unit_test(what_is_not_in_quarantine_is_not_to_be_touched),
		cmocka_unit_test(a_lenient_machine_tells_what_is_wrong_for_certain),
		cmocka_unit_test(each_segment_of_a_list_is_watched),
		cmocka_unit_test(it_says_when_it_cannot_watch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
