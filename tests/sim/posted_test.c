/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * posted_test.c - writes that arrive later: in which orders they may, and what pushes them.
 */
#include "bench.h"

#define HERE  (RAM + 0x1000u)
#define THERE (RAM + 0x2000u)

static struct busway_machine_options posted(uint64_t seed)
{
	return (struct busway_machine_options){.seed = seed, .lenient = true, .posted = true};
}

static void put(struct bench *b, uint32_t index, uint64_t phys, unsigned char value, unsigned flags)
{
	assert_int_equal(busway_machine_write(b->machine, device(index), busway_dma(TO_BUS(phys)),
					      &value, 1, flags),
			 0);
}

/* Writes HERE, then THERE; which orders are seen, over many seeds? The second write is that of
 * @second, with @flags; the first one is that of COHERENT, with @first_flags. */
static void try_orders(uint32_t second, unsigned first_flags, unsigned flags, bool *in_order,
		       bool *overtaken)
{
	*in_order = *overtaken = false;
	for (uint64_t seed = 0; seed < 200; seed++) {
		const struct busway_machine_options options = posted(seed);
		struct bench b;

		bench_draw(&b);
		b.plan.devices[NONCOHERENT].coherence = BUSWAY_COHERENT;
		bench_open(&b, &options);
		put(&b, COHERENT, HERE, 1, first_flags);
		put(&b, second, THERE, 1, flags);
		/* time passes with what another device does */
		for (unsigned i = 0; *cpu_at(&b, HERE) == *cpu_at(&b, THERE) && i < 100; i++)
			put(&b, CARVER, RAM + 0x3000, 0, 0);
		*in_order = *in_order || *cpu_at(&b, HERE) > *cpu_at(&b, THERE);
		*overtaken = *overtaken || *cpu_at(&b, HERE) < *cpu_at(&b, THERE);
		busway_machine_settle(b.machine);
		assert_int_equal(*cpu_at(&b, HERE) + *cpu_at(&b, THERE), 2);
		bench_close(&b);
	}
}

static void writes_overtake_as_pci_lets_them(void **state)
{
	static const struct {
		const char *because;
		uint32_t second;
		unsigned first_flags, flags;
		bool overtakes;
	} cases[] = {
		{"one device, in order", COHERENT, 0, 0, false},
		{"marked relaxed", COHERENT, 0, BUSWAY_WRITE_RELAXED, true},
		{"behind a relaxed one", COHERENT, BUSWAY_WRITE_RELAXED, 0, false},
		{"two devices", NONCOHERENT, 0, 0, true},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool in_order, overtaken;

		try_orders(cases[i].second, cases[i].first_flags, cases[i].flags, &in_order,
			   &overtaken);
		if (!in_order || overtaken != cases[i].overtakes)
			fail_msg("%s: %d %d", cases[i].because, in_order, overtaken);
	}
}

static void writes_of_one_device_are_seen_in_order(void **state)
{
	static struct bench b;
	const struct busway_machine_options options = posted(7);
	unsigned char seen = 0;
	unsigned late = 0;

	(void)state;
	bench_usual(&b, &options);
	for (unsigned char i = 1; i <= 200; i++) {
		put(&b, COHERENT, HERE, i, 0);
		assert_true(*cpu_at(&b, HERE) >= seen);
		seen = *cpu_at(&b, HERE);
		late += seen < i;
	}
	assert_true(late > 50);
	busway_machine_settle(b.machine);
	assert_int_equal(*cpu_at(&b, HERE), 200);
	bench_close(&b);
}

static void a_read_pushes_the_writes_of_its_device(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		const struct busway_machine_options options = posted(seed);
		struct bench b;
		unsigned char byte = 0;

		bench_usual(&b, &options);
		put(&b, COHERENT, HERE, 1, 0);
		put(&b, COHERENT, THERE, 2, BUSWAY_WRITE_RELAXED);
		assert_int_equal(bench_read(&b, COHERENT, TO_BUS(THERE + 1), &byte, 1), 0);
		assert_int_equal(*cpu_at(&b, HERE), 1);
		assert_int_equal(*cpu_at(&b, THERE), 2);
		bench_close(&b);
	}
}

static void a_register_read_pushes_those_of_one_device(void **state)
{
	unsigned others_wait = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		const struct busway_machine_options options = posted(seed);
		struct bench b;

		bench_usual(&b, &options);
		put(&b, CARVER, CARVED, 1, 0);
		put(&b, COHERENT, HERE, 1, 0);
		busway_machine_flush(b.machine, device(COHERENT));
		assert_int_equal(*cpu_at(&b, HERE), 1);
		others_wait += *(unsigned char *)b.environment.uncached(
				       b.machine, phys_range(CARVED, 1)) == 0;
		bench_close(&b);
	}
	assert_true(others_wait > 10);
}

/* A driver that polls memory, and a device that polls it, hear in the end. */
static void time_passes_with_what_others_do(void **state)
{
	(void)state;
	for (int by_device = 0; by_device < 2; by_device++) {
		static struct bench b;
		const struct busway_machine_options options = posted(1);
		unsigned char byte = 0;
		unsigned polls = 0;

		bench_usual(&b, &options);
		put(&b, COHERENT, HERE, 1, 0);
		for (; !*cpu_at(&b, HERE) && polls < 1000; polls++) {
			if (by_device)
				bench_read(&b, CARVER, TO_BUS(CARVED), &byte, 1);
			else
				busway_machine_cpu_read(b.machine, busway_phys(THERE), &byte, 1);
		}
		assert_true(polls < 1000);
		bench_close(&b);
	}
}

struct heard {
	struct bench *bench;
	unsigned count;
	bool complete; /* what was written before had arrived */
};

static void hear(void *ctx, const struct busway_interrupt *interrupt)
{
	struct heard *heard = ctx;

	heard->count++;
	heard->complete = *cpu_at(heard->bench, HERE) == 1 && *cpu_at(heard->bench, THERE) == 1;
	assert_int_equal(interrupt->value, 0x01020304);
	/* a driver may use the machine while it is told */
	busway_machine_flush(heard->bench->machine, interrupt->device);
	bench_write(heard->bench, COHERENT, TO_BUS(HERE), "\5", 1);
}

static void an_interrupt_comes_behind_what_was_written(void **state)
{
	unsigned late = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct busway_machine_options options = posted(seed);
		struct bench b;
		struct heard heard = {.bench = &b};

		options.interrupt = hear;
		options.ctx = &heard;
		bench_usual(&b, &options);
		put(&b, COHERENT, HERE, 1, 0);
		put(&b, COHERENT, THERE, 1, BUSWAY_WRITE_RELAXED);
		assert_int_equal(bench_write(&b, COHERENT, DOORBELL, "\4\3\2\1", 4), 0);
		late += heard.count == 0;
		busway_machine_settle(b.machine);
		assert_int_equal(heard.count, 1);
		assert_true(heard.complete);
		assert_int_equal(busway_machine_interrupts(b.machine, NULL), 1);
		assert_int_equal(*cpu_at(&b, HERE), 5);
		bench_close(&b);
	}
	assert_true(late > 10);
}

static void what_arrives_too_late_is_judged_when_it_arrives(void **state)
{
	unsigned told = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 50; seed++) {
		const struct busway_machine_options options = posted(seed);
		struct bench b;
		struct made m = made(COHERENT, HERE, TO_BUS(HERE), 64, BUSWAY_FROM_DEVICE);

		bench_usual(&b, &options);
		bench_map(&b, &m);
		put(&b, COHERENT, HERE, 1, 0);
		bench_unmap(&b, &m);
		busway_machine_settle(b.machine);
		told += busway_machine_count(b.machine, BUSWAY_VIOLATION_AFTER_UNMAP) == 1;
		assert_true(busway_machine_violations(b.machine) <= 1);
		bench_close(&b);
	}
	assert_true(told > 10);
}

/* What a few random writes and reads of all devices make of memory, as a number. */
static uint64_t history(uint64_t seed)
{
	const struct busway_machine_options options = posted(seed);
	struct rng rng = rng_of(1);
	static struct bench b;
	uint64_t sum = 0;

	bench_usual(&b, &options);
	for (unsigned i = 0; i < 300; i++) {
		unsigned char byte = 0;

		put(&b, (uint32_t)rng_below(&rng, 2), HERE + rng_below(&rng, 4), (unsigned char)i,
		    rng_chance(&rng, 50));
		if (rng_chance(&rng, 10))
			busway_machine_disturb(b.machine, phys_range(HERE, 4));
		busway_machine_cpu_read(b.machine, busway_phys(HERE + rng_below(&rng, 4)), &byte,
					1);
		sum = sum * 31 + byte;
	}
	bench_close(&b);
	return sum;
}

static void a_seed_repeats_a_run(void **state)
{
	unsigned others = 0;

	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		assert_int_equal(history(seed), history(seed));
		others += history(seed) != history(seed + 1);
	}
	assert_true(others > 15);
}

static void without_memory_writes_arrive_at_once_and_in_order(void **state)
{
	static struct bench b;
	const struct busway_machine_options options = posted(3);

	(void)state;
	bench_usual(&b, &options);
	put(&b, COHERENT, HERE, 1, 0);
	test_memory_fail_at(&b.memory, 1, true);
	put(&b, COHERENT, HERE, 2, 0);
	assert_int_equal(*cpu_at(&b, HERE), 2);
	test_memory_fail_at(&b.memory, 0, false);
	busway_machine_settle(b.machine);
	assert_int_equal(*cpu_at(&b, HERE), 2);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void what_has_not_arrived_is_lost_with_the_machine(void **state)
{
	static struct bench b;
	const struct busway_machine_options options = posted(3);

	(void)state;
	bench_usual(&b, &options);
	for (unsigned i = 0; i < 40; i++)
		put(&b, COHERENT, HERE, 1, 0);
	bench_close(&b); /* counts what is left behind */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_overtake_as_pci_lets_them),
		cmocka_unit_test(writes_of_one_device_are_seen_in_order),
		cmocka_unit_test(a_read_pushes_the_writes_of_its_device),
		cmocka_unit_test(a_register_read_pushes_those_of_one_device),
		cmocka_unit_test(time_passes_with_what_others_do),
		cmocka_unit_test(an_interrupt_comes_behind_what_was_written),
		cmocka_unit_test(what_arrives_too_late_is_judged_when_it_arrives),
		cmocka_unit_test(a_seed_repeats_a_run),
		cmocka_unit_test(without_memory_writes_arrive_at_once_and_in_order),
		cmocka_unit_test(what_has_not_arrived_is_lost_with_the_machine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
