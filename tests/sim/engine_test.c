/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engine_test.c - a DMA engine: what each descriptor does, chains in memory, and how they end.
 */
#include "bench.h"

#define SOURCE (RAM + 0x10000u)
#define TARGET (RAM + 0x20000u)
#define RING   (RAM + 0x30000u)
#define SIZE   5000u /* more than the engine moves at once */

static const struct busway_machine_options lenient = {.lenient = true};

struct fixture {
	struct bench bench;
	struct busway_engine *engine;
	unsigned wires; /* how often it was told by wire */
};

static void wire(void *ctx)
{
	((struct fixture *)ctx)->wires++;
}

static void open(struct fixture *f, const struct busway_machine_options *options)
{
	const struct busway_engine_options engine = {
		.has_doorbell = true,
		.doorbell = {DOORBELL + 0x40},
		.value = 0x1234,
		.interrupt = wire,
		.ctx = f,
		.most = 100,
	};

	bench_usual(&f->bench, options);
	f->wires = 0;
	assert_int_equal(busway_engine_create(f->bench.machine, device(COHERENT), &engine,
					      &f->engine),
			 0);
}

static void close(struct fixture *f)
{
	busway_engine_destroy(f->engine);
	bench_close(&f->bench);
}

static struct busway_engine_descriptor descriptor(enum busway_engine_operation operation)
{
	return (struct busway_engine_descriptor){
		.operation = (uint32_t)operation,
		.from = {TO_BUS(SOURCE)},
		.to = {TO_BUS(TARGET)},
		.size = SIZE,
		.pattern = 77,
	};
}

static bool is_pattern(struct fixture *f, uint64_t phys)
{
	return busway_pattern_check(77, 0, cpu_at(&f->bench, phys), SIZE) == SIZE;
}

static void it_does_what_it_is_told(void **state)
{
	static struct fixture f;
	struct busway_engine_descriptor d;
	struct busway_engine_result r;

	(void)state;
	open(&f, &lenient);
	busway_pattern_fill(77, 0, cpu_at(&f.bench, SOURCE), SIZE);
	d = descriptor(BUSWAY_ENGINE_COPY);
	r = busway_engine_execute(f.engine, &d);
	assert_int_equal(r.status, BUSWAY_ENGINE_DONE);
	assert_int_equal(r.done, 1);
	assert_true(is_pattern(&f, TARGET));
	assert_int_equal(*cpu_at(&f.bench, TARGET + SIZE), 0);
	d = descriptor(BUSWAY_ENGINE_VERIFY);
	assert_int_equal(busway_engine_execute(f.engine, &d).status, BUSWAY_ENGINE_DONE);
	d = descriptor(BUSWAY_ENGINE_WRITE);
	assert_int_equal(busway_engine_execute(f.engine, &d).status, BUSWAY_ENGINE_DONE);
	assert_int_equal(*cpu_at(&f.bench, TARGET + SIZE - 1), 0);
	d = descriptor(BUSWAY_ENGINE_FILL);
	assert_int_equal(busway_engine_execute(f.engine, &d).status, BUSWAY_ENGINE_DONE);
	assert_true(is_pattern(&f, TARGET));
	d = descriptor(BUSWAY_ENGINE_READ);
	assert_int_equal(busway_engine_execute(f.engine, &d).status, BUSWAY_ENGINE_DONE);
	d.size = 4096; /* as much as it moves at once */
	assert_int_equal(busway_engine_execute(f.engine, &d).status, BUSWAY_ENGINE_DONE);
	bench_told_nothing(&f.bench);
	close(&f);
}

static void it_tells_where_it_went_wrong(void **state)
{
	static struct fixture f;
	struct busway_engine_descriptor d;
	struct busway_engine_result r;

	(void)state;
	open(&f, &lenient);
	busway_pattern_fill(77, 0, cpu_at(&f.bench, SOURCE), SIZE);
	cpu_at(&f.bench, SOURCE)[4321] ^= 0x80;
	d = descriptor(BUSWAY_ENGINE_VERIFY);
	r = busway_engine_execute(f.engine, &d);
	assert_int_equal(r.status, BUSWAY_ENGINE_MISMATCH);
	assert_int_equal(r.dma.raw, TO_BUS(SOURCE) + 4321);
	bench_told_nothing(&f.bench);
	d = descriptor(BUSWAY_ENGINE_COPY);
	d.to.raw = BUS + RAM_SIZE - 4096; /* its second piece goes to a doorbell */
	r = busway_engine_execute(f.engine, &d);
	assert_int_equal(r.status, BUSWAY_ENGINE_REFUSED);
	assert_int_equal(r.dma.raw, BUS + RAM_SIZE);
	assert_int_equal(r.done, 0);
	bench_told(&f.bench, BUSWAY_VIOLATION_DOORBELL, 1);
	close(&f);
}

static void what_makes_no_sense_is_not_done(void **state)
{
	static const struct {
		const char *because;
		uint32_t operation, flags;
		uint64_t from, to, size;
	} cases[] = {
		{"no such operation", BUSWAY_ENGINE_OPERATIONS, 0, 0, 0, 1},
		{"no such flag", BUSWAY_ENGINE_NOTHING, 8, 0, 0, 1},
		{"nothing to read", BUSWAY_ENGINE_READ, 0, 0, 0, 0},
		{"nothing to fill", BUSWAY_ENGINE_FILL, 0, 0, 0, 0},
		{"a source beyond the last address", BUSWAY_ENGINE_COPY, 0, UINT64_MAX, 0, 2},
		{"a target beyond it", BUSWAY_ENGINE_COPY, 0, 0, UINT64_MAX, 2},
	};
	static struct fixture f;

	(void)state;
	open(&f, &lenient);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_engine_descriptor d = {
			.operation = cases[i].operation,
			.flags = cases[i].flags,
			.from = {cases[i].from},
			.to = {cases[i].to},
			.size = cases[i].size,
		};

		if (busway_engine_execute(f.engine, &d).status != BUSWAY_ENGINE_BAD)
			fail_msg("%s", cases[i].because);
	}
	bench_told_nothing(&f.bench);
	close(&f);
}

/* Puts descriptor @index of a ring into memory; the next one follows, or @next. */
static void put(struct fixture *f, unsigned index, struct busway_engine_descriptor d, uint64_t next)
{
	const uint64_t here = RING + index * (uint64_t)BUSWAY_ENGINE_DESCRIPTOR_SIZE;

	d.next.raw = TO_BUS(next ? next : here + BUSWAY_ENGINE_DESCRIPTOR_SIZE);
	busway_engine_encode(&d, cpu_at(&f->bench, here));
}

static struct busway_engine_result run(struct fixture *f)
{
	return busway_engine_run(f->engine, busway_dma(TO_BUS(RING)));
}

static void a_chain_in_memory_is_worked_off(void **state)
{
	static struct fixture f;
	struct busway_engine_descriptor d;
	struct busway_interrupt last;
	struct busway_engine_result r;

	(void)state;
	open(&f, &lenient);
	d = descriptor(BUSWAY_ENGINE_FILL);
	d.to.raw = TO_BUS(SOURCE);
	d.flags = BUSWAY_ENGINE_INTERRUPT;
	put(&f, 0, d, 0);
	put(&f, 1, descriptor(BUSWAY_ENGINE_COPY), 0);
	d = descriptor(BUSWAY_ENGINE_VERIFY);
	d.from.raw = TO_BUS(TARGET);
	d.flags = BUSWAY_ENGINE_LAST | BUSWAY_ENGINE_INTERRUPT;
	put(&f, 2, d, RAM);
	r = run(&f);
	assert_int_equal(r.status, BUSWAY_ENGINE_DONE);
	assert_int_equal(r.done, 3);
	assert_true(is_pattern(&f, TARGET));
	assert_int_equal(busway_machine_interrupts(f.bench.machine, &last), 2);
	assert_int_equal(last.value, 0x1234);
	assert_int_equal(last.device.index, COHERENT);
	assert_int_equal(f.wires, 2);
	bench_told_nothing(&f.bench);
	close(&f);
}

static void a_chain_ends_at_what_is_wrong(void **state)
{
	static struct fixture f;
	struct busway_engine_result r;

	(void)state;
	open(&f, &lenient);
	put(&f, 0, descriptor(BUSWAY_ENGINE_NOTHING), 0);
	put(&f, 1, descriptor(BUSWAY_ENGINE_OPERATIONS), 0);
	r = run(&f);
	assert_int_equal(r.status, BUSWAY_ENGINE_BAD);
	assert_int_equal(r.done, 1);
	assert_int_equal(r.dma.raw, TO_BUS(RING) + BUSWAY_ENGINE_DESCRIPTOR_SIZE);
	put(&f, 1, descriptor(BUSWAY_ENGINE_NOTHING), RAM + RAM_SIZE - 8);
	r = run(&f);
	assert_int_equal(r.status, BUSWAY_ENGINE_REFUSED);
	assert_int_equal(r.done, 2);
	assert_int_equal(r.dma.raw, BUS + RAM_SIZE - 8);
	close(&f);
}

static void a_chain_without_end_ends(void **state)
{
	static struct fixture f;
	struct busway_engine_result r;

	(void)state;
	open(&f, &lenient);
	put(&f, 0, descriptor(BUSWAY_ENGINE_NOTHING), 0);
	put(&f, 1, descriptor(BUSWAY_ENGINE_NOTHING), RING);
	r = run(&f);
	assert_int_equal(r.status, BUSWAY_ENGINE_CYCLE);
	assert_int_equal(r.done, 100);
	close(&f);
}

static void descriptors_are_fetched_by_dma(void **state)
{
	static struct fixture f;

	(void)state;
	open(&f, NULL); /* strict */
	put(&f, 0, descriptor(BUSWAY_ENGINE_NOTHING), 0);
	put(&f, 1, (struct busway_engine_descriptor){.flags = BUSWAY_ENGINE_LAST}, 0);
	assert_int_equal(run(&f).status, BUSWAY_ENGINE_DONE);
	bench_told(&f.bench, BUSWAY_VIOLATION_OUTSIDE, 2);
	close(&f);
}

static void descriptors_are_little_endian(void **state)
{
	static const unsigned char expected[BUSWAY_ENGINE_DESCRIPTOR_SIZE] = {
		4, 0, 0, 0, 2, 0, 0, 0, 8, 7, 6, 5, 4, 3, 2, 1, 9, 0, 0, 0, 0, 0, 0, 0,
		10, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0x80};
	const struct busway_engine_descriptor d = {
		4, 2, {0x0102030405060708}, {9}, 10, 11, {0x800000000000000c}};
	unsigned char bytes[BUSWAY_ENGINE_DESCRIPTOR_SIZE];

	(void)state;
	busway_engine_encode(&d, bytes);
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

static void a_pattern_is_known_by_its_number_and_place(void **state)
{
	unsigned char bytes[64], other[64];

	(void)state;
	busway_pattern_fill(5, 0, bytes, 64);
	busway_pattern_fill(5, 13, other, 51);
	assert_memory_equal(other, bytes + 13, 51);
	assert_int_equal(busway_pattern_check(5, 0, bytes, 64), 64);
	assert_true(busway_pattern_check(6, 0, bytes, 64) < 4);
	assert_true(busway_pattern_check(5, 1, bytes, 63) < 4);
	bytes[63] ^= 1;
	assert_int_equal(busway_pattern_check(5, 0, bytes, 64), 63);
}

static void an_engine_needs_a_device_and_memory(void **state)
{
	static struct bench b;
	struct busway_engine *engine = NULL;

	(void)state;
	bench_usual(&b, NULL);
	assert_int_equal(busway_engine_create(b.machine, device(99), NULL, &engine),
			 -BUSWAY_EINVAL);
	test_memory_fail_at(&b.memory, 1, true);
	assert_int_equal(busway_engine_create(b.machine, device(0), NULL, &engine),
			 -BUSWAY_ENOMEM);
	assert_null(engine);
	busway_engine_destroy(NULL);
	bench_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_does_what_it_is_told),
		cmocka_unit_test(it_tells_where_it_went_wrong),
		cmocka_unit_test(what_makes_no_sense_is_not_done),
		cmocka_unit_test(a_chain_in_memory_is_worked_off),
		cmocka_unit_test(a_chain_ends_at_what_is_wrong),
		cmocka_unit_test(a_chain_without_end_ends),
		cmocka_unit_test(descriptors_are_fetched_by_dma),
		cmocka_unit_test(descriptors_are_little_endian),
		cmocka_unit_test(a_pattern_is_known_by_its_number_and_place),
		cmocka_unit_test(an_engine_needs_a_device_and_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
