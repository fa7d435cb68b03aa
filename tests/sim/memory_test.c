/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_test.c - simulated memory: what is written is read, 48 GiB cost nothing, who gets what.
 */
#include "bench.h"

static const struct busway_machine_options lenient = {.lenient = true};

static void bytes_land_where_the_windows_lead(void **state)
{
	static struct bench bench;
	unsigned char *cpu, bytes[8] = {1, 2, 3, 4, 5, 6, 7, 8}, back[8] = {0};

	(void)state;
	bench_usual(&bench, &lenient);
	assert_int_equal(bench_write(&bench, COHERENT, BUS + 0x1000, bytes, 8), 0);
	cpu = busway_machine_pointer(bench.machine, phys_range(RAM + 0x1000, 8));
	assert_memory_equal(cpu, bytes, 8);
	cpu[7] = 9;
	assert_int_equal(bench_read(&bench, COHERENT, BUS + 0x1000, back, 8), 0);
	assert_int_equal(back[7], 9);
	assert_memory_equal(back, bytes, 7);
	bench_told_nothing(&bench);
	bench_close(&bench);
}

static void what_nobody_answers_reads_as_ones(void **state)
{
	static struct bench bench;
	unsigned char bytes[8] = {0}, *cpu;

	(void)state;
	bench_usual(&bench, &lenient);
	cpu = busway_machine_pointer(bench.machine, phys_range(RAM, 4));
	memset(cpu, 7, 4);
	assert_int_equal(bench_read(&bench, COHERENT, BUS - 4, bytes, 8), -BUSWAY_ERANGE);
	assert_memory_equal(bytes, "\xff\xff\xff\xff\7\7\7\7", 8);
	assert_int_equal(bench_first(&bench)->asked.first, BUS - 4);
	assert_int_equal(bench_first(&bench)->asked.last, BUS - 1);
	assert_string_equal(bench_first(&bench)->hop, "/bus1");
	bench_told(&bench, BUSWAY_VIOLATION_NO_WINDOW, 1);
	bench_close(&bench);
}

static void only_four_bytes_ring_a_doorbell(void **state)
{
	static const struct {
		const char *because;
		uint64_t dma;
		size_t size;
		bool rings;
	} cases[] = {
		{"a message", DOORBELL + 0x40, 4, true},
		{"half of one", DOORBELL + 0x40, 2, false},
		{"two", DOORBELL + 0x40, 8, false},
		{"not aligned", DOORBELL + 0x41, 4, false},
		{"not all of it inside", DOORBELL + 0xffe, 4, false},
		{"half of it inside", DOORBELL + 0xffc, 8, false},
	};
	static struct bench bench;
	const unsigned char message[8] = {0x78, 0x56, 0x34, 0x12};
	unsigned char back[4];
	struct busway_interrupt last = {.value = 0};

	(void)state;
	bench_usual(&bench, NULL);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const uint64_t before = busway_machine_interrupts(bench.machine, &last);
		const int status = bench_write(&bench, 0, cases[i].dma, message, cases[i].size);

		if (busway_machine_interrupts(bench.machine, &last) - before != cases[i].rings ||
		    status != (cases[i].rings ? 0 : -BUSWAY_ERANGE) ||
		    busway_machine_count(bench.machine, BUSWAY_VIOLATION_DOORBELL) ==
			    cases[i].rings)
			fail_msg("%s", cases[i].because);
		busway_machine_clear(bench.machine);
	}
	assert_int_equal(bench_read(&bench, 0, DOORBELL + 0x40, back, 4), -BUSWAY_ERANGE);
	assert_memory_equal(back, "\xff\xff\xff\xff", 4);
	bench_told(&bench, BUSWAY_VIOLATION_DOORBELL, 1);
	assert_int_equal(last.value, 0x12345678);
	assert_int_equal(last.dma.raw, DOORBELL + 0x40);
	bench_close(&bench);
}

static bool commits_strictly(void)
{
	FILE *f = fopen("/proc/sys/vm/overcommit_memory", "r");
	const int mode = f ? fgetc(f) : EOF;

	if (f)
		fclose(f);
	return mode == '2';
}

/* How much of what this program has is there, in pages. */
static unsigned long resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long pages = 0;

	if (f) {
		if (fscanf(f, "%*s %lu", &pages) != 1)
			pages = 0;
		fclose(f);
	}
	return pages;
}

static void many_gigabytes_cost_what_is_touched(void **state)
{
	static struct bench bench;
	const uint64_t gib = (uint64_t)1 << 30;
	unsigned long before;

	(void)state;
	if (commits_strictly())
		skip(); /* /proc/sys/vm/overcommit_memory is 2: nothing is sparse */
	plan_init(&bench.plan);
	plan_ram(&bench.plan, (struct busway_range){0, 2 * gib - 1});
	plan_ram(&bench.plan, (struct busway_range){4 * gib, 34 * gib - 1});
	plan_ram(&bench.plan, (struct busway_range){64 * gib, 80 * gib - 1});
	plan_device(&bench.plan, 0);
	bench_open(&bench, &lenient);
	before = resident();
	bench.environment.clean(bench.machine, cpu_at(&bench, gib), gib / 4);
	bench.environment.invalidate(bench.machine, cpu_at(&bench, gib), gib / 4);
	busway_machine_disturb(bench.machine, phys_range(gib, gib / 8));
	assert_true(resident() < before + 4096); /* 16 MiB */
	for (size_t i = 0; i < bench.plan.bank_count; i++) {
		const uint64_t last = bench.plan.banks[i].range.last;
		unsigned char *cpu =
			busway_machine_pointer(bench.machine, phys_range(last - 4, 5)), byte = 0;

		assert_non_null(cpu);
		assert_int_equal(cpu[4], 0);
		assert_int_equal(bench_write(&bench, 0, last, &(unsigned char){(unsigned char)(i + 1)}, 1), 0);
		assert_int_equal(bench_read(&bench, 0, last, &byte, 1), 0);
		assert_int_equal(byte, i + 1);
		assert_null(busway_machine_pointer(bench.machine, phys_range(last - 4, 6)));
	}
	bench_close(&bench);
}

static void pointers_keep_the_offset_in_a_page(void **state)
{
	static struct bench bench;

	(void)state;
	plan_init(&bench.plan);
	plan_ram(&bench.plan, (struct busway_range){0x80000123, 0x80001fff});
	plan_ram(&bench.plan, (struct busway_range){0x80002000, 0x80002fff}); /* adjoins */
	bench_open(&bench, NULL);
	assert_int_equal((uintptr_t)busway_machine_pointer(bench.machine,
							   phys_range(0x80000123, 1)) %
				 4096,
			 0x123);
	assert_non_null(busway_machine_pointer(bench.machine, phys_range(0x80001fff, 2)));
	assert_null(busway_machine_pointer(bench.machine, phys_range(0x80000122, 2)));
	bench_close(&bench);
}

static bool is_memory(struct bench *b, uint64_t first, uint64_t last)
{
	return busway_machine_pointer(b->machine, phys_range(first, last - first + 1)) != NULL;
}

static void memory_is_what_is_stated_as_such(void **state)
{
	static struct bench b;

	(void)state;
	plan_init(&b.plan);
	plan_space(&b.plan, BUSWAY_SPACE_BUS);
	b.plan.banks[0] = (struct busway_memory_bank){"/memory", {0x10000, 0x11000}};
	b.plan.banks[1] = (struct busway_memory_bank){"/memory", {0x20000, 0x20fff}};
	b.plan.bank_count = 2;
	plan_region(&b.plan, 0, BUSWAY_REGION_RAM, (struct busway_range){0x30000, 0x30fff});
	plan_region(&b.plan, 0, BUSWAY_REGION_RAM, (struct busway_range){0x32000, 0x32fff});
	plan_region(&b.plan, 0, BUSWAY_REGION_APERTURE, (struct busway_range){0x40000, 0x40fff});
	plan_region(&b.plan, 1, BUSWAY_REGION_RAM, (struct busway_range){0x50000, 0x50fff});
	plan_pool(&b.plan, (struct busway_range){0x60000, 0x60fff}); /* SRAM */
	plan_pool(&b.plan, (struct busway_range){0x62000, 0x62fff});
	bench_open(&b, NULL);
	assert_true(is_memory(&b, 0x10000, 0x11000));
	assert_true(is_memory(&b, 0x20000, 0x20fff));
	assert_true(is_memory(&b, 0x30000, 0x30fff));
	assert_true(is_memory(&b, 0x32000, 0x32fff));
	assert_true(is_memory(&b, 0x60000, 0x60fff));
	assert_true(is_memory(&b, 0x62000, 0x62fff));
	assert_false(is_memory(&b, 0x40000, 0x40000));
	assert_false(is_memory(&b, 0x50000, 0x50000));
	assert_false(is_memory(&b, 0x11001, 0x11001));
	/* the last byte of 4097 is one of its own, in each view */
	*cpu_at(&b, 0x11000) = 1;
	assert_int_equal(*(unsigned char *)b.environment.uncached(b.machine,
								  phys_range(0x11000, 1)),
			 0);
	bench_close(&b);
}

static void memory_that_is_set_aside_is_not_given(void **state)
{
	const struct busway_phys_range near = phys_range(CARVED - 0x1000, 0x200000);
	const struct busway_phys_range pool = phys_range(CONFINED, 0x100000);
	static struct bench bench;
	busway_phys_t at;

	(void)state;
	bench_usual(&bench, NULL);
	assert_int_equal(busway_machine_take(bench.machine, 0x1000, 1, &near, 1, &at), 0);
	assert_int_equal(at.raw, CARVED - 0x1000);
	assert_int_equal(busway_machine_take(bench.machine, 0x1000, 1, &near, 1, &at), 0);
	assert_int_equal(at.raw, CARVED + 0x100000);
	assert_int_equal(busway_machine_take(bench.machine, 0x1000, 0x2000, &near, 1, &at), 0);
	assert_int_equal(at.raw, CARVED + 0x102000);
	assert_int_equal(busway_machine_take(bench.machine, 0x1000, 1, &pool, 1, &at),
			 -BUSWAY_ENOMEM);
	assert_int_equal(busway_machine_take(bench.machine, RAM_SIZE, 1, NULL, 0, &at),
			 -BUSWAY_ENOMEM);
	assert_int_equal(busway_machine_take(bench.machine, 0, 1, NULL, 0, &at), -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_take(bench.machine, 1, 3, NULL, 0, &at), -BUSWAY_EINVAL);
	busway_machine_give(bench.machine, phys_range(CARVED - 0x1000, 0x1000));
	assert_int_equal(busway_machine_take(bench.machine, 0x1000, 1, &near, 1, &at), 0);
	assert_int_equal(at.raw, CARVED - 0x1000);
	bench_close(&bench);
}

static void every_byte_is_given_once(void **state)
{
	/* of the first there is nothing left, of the second one byte */
	const struct busway_phys_range within[] = {phys_range(RAM, 8), phys_range(RAM + 7, 2)};
	static struct bench b;
	busway_phys_t at;

	(void)state;
	bench_usual(&b, NULL);
	for (uint64_t i = 0; i < 8; i++) {
		assert_int_equal(busway_machine_take(b.machine, 1, 1, within, 1, &at), 0);
		assert_int_equal(at.raw, RAM + i);
	}
	assert_int_equal(busway_machine_take(b.machine, 1, 1, within, 1, &at), -BUSWAY_ENOMEM);
	assert_int_equal(busway_machine_take(b.machine, 1, 1, within, 2, &at), 0);
	assert_int_equal(at.raw, RAM + 8);
	assert_int_equal(busway_machine_take(b.machine, 1, 1, within, 2, &at), -BUSWAY_ENOMEM);
	busway_machine_give(b.machine, phys_range(RAM + 3, 1));
	assert_int_equal(busway_machine_take(b.machine, 2, 1, within, 2, &at), -BUSWAY_ENOMEM);
	assert_int_equal(busway_machine_take(b.machine, 1, 1, within, 2, &at), 0);
	assert_int_equal(at.raw, RAM + 3);
	bench_close(&b);
}

/* The DMA API asks for memory in one of many ranges, in any order, and gets the lowest. */
static void a_pool_grows_at_the_lowest_place(void **state)
{
	const struct busway_range within[] = {
		{CONFINED, CONFINED + 0xfff}, {RAM + 0x3000, RAM + 0x3fff}, {RAM, RAM + 0x1fff}};
	static struct bench b;
	busway_phys_t at;

	(void)state;
	bench_usual(&b, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(b.environment.more(b.machine, 0x1000, 0x1000, within, 3, &at), 0);
		assert_int_equal(at.raw, RAM + (i < 2 ? i * 0x1000 : 0x3000));
	}
	assert_int_equal(b.environment.more(b.machine, 0x1000, 0x1000, within, 3, &at),
			 -BUSWAY_ENOMEM);
	b.environment.release(b.machine, phys_range(RAM + 0x1000, 0x1000));
	assert_int_equal(b.environment.more(b.machine, 0x1000, 0x1000, within, 3, &at), 0);
	assert_int_equal(at.raw, RAM + 0x1000);
	bench_close(&b);
}

static void reserved_memory_is_not_given(void **state)
{
	static struct bench bench;
	struct busway_platform *platform;
	busway_phys_t at;

	(void)state;
	bench_draw(&bench);
	test_memory_open(&bench.plan.memory);
	test_memory_open(&bench.memory);
	assert_int_equal(busway_platform_create(&bench.plan.memory.allocator, &platform), 0);
	assert_int_equal(plan_add(&bench.plan, platform), 0);
	assert_int_equal(
		busway_platform_add_reserved(platform, (struct busway_range){RAM, RAM + 0xfff}), 0);
	assert_int_equal(busway_platform_seal(platform), 0);
	bench.plan.platform = platform;
	assert_int_equal(busway_machine_create(platform, NULL, &bench.memory.allocator,
					       &bench.machine),
			 0);
	assert_int_equal(busway_machine_take(bench.machine, 1, 1, NULL, 0, &at), 0);
	assert_int_equal(at.raw, RAM + 0x1000);
	bench_close(&bench);
}

static void memory_may_be_stated_by_options(void **state)
{
	static struct bench bench;
	const struct busway_phys_range more = phys_range(0x1000, 0x1000);
	const struct busway_machine_options options = {
		.lenient = true, .memory = &more, .memory_count = 1};
	unsigned char byte = 5;

	(void)state;
	plan_init(&bench.plan);
	plan_region(&bench.plan, 0, BUSWAY_REGION_UNKNOWN, BUSWAY_RANGE_ALL);
	plan_device(&bench.plan, 0);
	bench_open(&bench, &options);
	assert_int_equal(bench_write(&bench, 0, 0x1fff, &byte, 1), 0);
	bench_told_nothing(&bench);
	assert_int_equal(bench_write(&bench, 0, 0x1ffe, "\1\2\3", 3), -BUSWAY_ERANGE);
	assert_int_equal(bench_first(&bench)->asked.first, 0x2000);
	assert_int_equal(bench_first(&bench)->asked.last, 0x2000);
	bench_told(&bench, BUSWAY_VIOLATION_NO_MEMORY, 1);
	assert_int_equal(bench_read(&bench, 0, 0x1fff, &byte, 1), 0);
	assert_int_equal(byte, 2);
	bench_close(&bench);
}

static void creation_loses_nothing_when_memory_ends(void **state)
{
	static struct bench bench;
	struct busway_machine *machine = NULL;
	unsigned long call = 0;
	int status;

	(void)state;
	bench_usual(&bench, NULL);
	busway_machine_destroy(bench.machine);
	do {
		test_memory_fail_at(&bench.memory, ++call, false);
		status = busway_machine_create(bench.plan.platform, NULL, &bench.memory.allocator,
					       &machine);
		assert_int_equal(status == 0, machine != NULL);
		assert_true(status == 0 || status == -BUSWAY_ENOMEM);
	} while (status);
	assert_true(call > 8);
	test_memory_fail_at(&bench.memory, 0, false);
	bench.machine = machine;
	bench_close(&bench);
}

static void nonsense_is_refused(void **state)
{
	static struct bench bench;
	unsigned char byte = 0;

	(void)state;
	bench_usual(&bench, NULL);
	assert_int_equal(bench_read(&bench, 0, BUS, &byte, 0), -BUSWAY_EINVAL);
	assert_int_equal(bench_read(&bench, 4, BUS, &byte, 1), -BUSWAY_EINVAL);
	assert_int_equal(bench_read(&bench, 0, UINT64_MAX, &byte, 2), -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_cpu_read(bench.machine, busway_phys(RAM), &byte, 0),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_cpu_read(bench.machine, busway_phys(RAM - 1), &byte, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_cpu_write(bench.machine, busway_phys(RAM + RAM_SIZE - 1),
						  "\1", 2),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_machine_mark(bench.machine, (struct busway_phys_range){{1}, {0}},
					     BUSWAY_MARK_TEXT),
			 -BUSWAY_EINVAL);
	assert_null(busway_machine_pointer(bench.machine, (struct busway_phys_range){
								  {RAM + 1}, {RAM}}));
	bench_told_nothing(&bench);
	busway_machine_destroy(NULL);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_land_where_the_windows_lead),
		cmocka_unit_test(what_nobody_answers_reads_as_ones),
		cmocka_unit_test(only_four_bytes_ring_a_doorbell),
		cmocka_unit_test(many_gigabytes_cost_what_is_touched),
		cmocka_unit_test(pointers_keep_the_offset_in_a_page),
		cmocka_unit_test(memory_is_what_is_stated_as_such),
		cmocka_unit_test(memory_that_is_set_aside_is_not_given),
		cmocka_unit_test(every_byte_is_given_once),
		cmocka_unit_test(a_pool_grows_at_the_lowest_place),
		cmocka_unit_test(reserved_memory_is_not_given),
		cmocka_unit_test(memory_may_be_stated_by_options),
		cmocka_unit_test(creation_loses_nothing_when_memory_ends),
		cmocka_unit_test(nonsense_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
