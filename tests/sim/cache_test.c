/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache_test.c - what CPU and devices see of each other's bytes, and what caches may do meanwhile.
 *
 *   CPU's view    a a a a | a B a a      B was written by the CPU: the line is dirty
 *   memory        a a a a | a a a C      C was written by a device: the CPU does not see it
 *                  a line    a line
 */
#include "bench.h"

#define BUFFER (RAM + 0x10000u)
#define SLOT   (RAM + 0x400000u)

static const struct busway_machine_options lenient = {.lenient = true};

static unsigned char memory_at(struct bench *b, uint64_t phys)
{
	return *(unsigned char *)b->environment.uncached(b->machine, phys_range(phys, 1));
}

static void put(struct bench *b, uint32_t index, uint64_t phys, unsigned char value)
{
	assert_int_equal(bench_write(b, index, TO_BUS(phys), &value, 1), 0);
}

static unsigned char get(struct bench *b, uint32_t index, uint64_t phys)
{
	unsigned char byte = 0;

	assert_int_equal(bench_read(b, index, TO_BUS(phys), &byte, 1), 0);
	return byte;
}

static void clean(struct bench *b, uint64_t phys, size_t size)
{
	b->environment.clean(b->machine, cpu_at(b, phys), size);
}

static void invalidate(struct bench *b, uint64_t phys, size_t size)
{
	b->environment.invalidate(b->machine, cpu_at(b, phys), size);
}

/* ---- who sees what ---- */

static void only_coherent_devices_see_the_caches(void **state)
{
	static struct bench b;

	(void)state;
	bench_usual(&b, &lenient);
	*cpu_at(&b, BUFFER) = 1;
	assert_int_equal(get(&b, COHERENT, BUFFER), 1);
	assert_int_equal(get(&b, NONCOHERENT, BUFFER), 0);
	put(&b, NONCOHERENT, BUFFER + 64, 2);
	assert_int_equal(*cpu_at(&b, BUFFER + 64), 0);
	assert_int_equal(memory_at(&b, BUFFER + 64), 2);
	put(&b, COHERENT, BUFFER + 128, 3);
	assert_int_equal(*cpu_at(&b, BUFFER + 128), 3);
	assert_int_equal(memory_at(&b, BUFFER + 128), 3);
	bench_close(&b);
}

static void the_default_is_that_of_the_machine(void **state)
{
	(void)state;
	for (int coherent = 0; coherent < 2; coherent++) {
		const struct busway_machine_options options = {.lenient = true,
							       .default_coherent = coherent};
		static struct bench b;

		bench_draw(&b);
		b.plan.devices[NONCOHERENT].coherence = BUSWAY_COHERENCE_DEFAULT;
		bench_open(&b, &options);
		*cpu_at(&b, BUFFER) = 1;
		assert_int_equal(get(&b, NONCOHERENT, BUFFER), coherent);
		bench_close(&b);
	}
}

/* ---- whole lines ---- */

static void lines_are_written_back_whole_if_they_are_dirty(void **state)
{
	static struct bench b;

	(void)state;
	bench_usual(&b, &lenient);
	*cpu_at(&b, BUFFER + 63) = 1;
	put(&b, NONCOHERENT, BUFFER, 2);      /* beside it in the line: lost */
	put(&b, NONCOHERENT, BUFFER + 64, 3); /* in the next one: kept */
	clean(&b, BUFFER + 10, 60);
	assert_int_equal(memory_at(&b, BUFFER + 63), 1);
	assert_int_equal(memory_at(&b, BUFFER), 0);
	assert_int_equal(memory_at(&b, BUFFER + 64), 3);
	assert_int_equal(*cpu_at(&b, BUFFER + 64), 0);
	*cpu_at(&b, BUFFER + 128) = 4;
	*cpu_at(&b, BUFFER + 256) = 4;
	clean(&b, BUFFER + 192, 64); /* one line, and none beside it */
	assert_int_equal(memory_at(&b, BUFFER + 128), 0);
	assert_int_equal(memory_at(&b, BUFFER + 256), 0);
	bench_close(&b);
}

static void lines_are_read_anew_whole(void **state)
{
	static struct bench b;

	(void)state;
	bench_usual(&b, &lenient);
	*cpu_at(&b, BUFFER) = 1;       /* lost */
	*cpu_at(&b, BUFFER + 128) = 1; /* kept: not in the range */
	put(&b, NONCOHERENT, BUFFER + 127, 2);
	invalidate(&b, BUFFER + 63, 2);
	assert_int_equal(*cpu_at(&b, BUFFER), 0);
	assert_int_equal(*cpu_at(&b, BUFFER + 127), 2);
	assert_int_equal(*cpu_at(&b, BUFFER + 128), 1);
	bench_close(&b);
}

static void the_lines_at_the_ends_of_memory_are_cut(void **state)
{
	static struct bench b;

	(void)state;
	bench_draw(&b);
	b.plan.regions[0].range = b.plan.banks[0].range =
		(struct busway_range){RAM + 3, RAM + RAM_SIZE - 7};
	bench_open(&b, &lenient);
	*cpu_at(&b, RAM + 3) = 1;
	*cpu_at(&b, RAM + RAM_SIZE - 7) = 1;
	clean(&b, RAM + 3, RAM_SIZE);
	busway_machine_disturb(b.machine, phys_range(RAM, 64));
	assert_int_equal(memory_at(&b, RAM + 3), 1);
	assert_int_equal(memory_at(&b, RAM + RAM_SIZE - 7), 1);
	clean(&b, RAM + RAM_SIZE - 7, 100);
	b.environment.clean(b.machine, &b, 100); /* no memory of the machine */
	bench_close(&b);
}

static void each_bank_has_lines(void **state)
{
	static struct bench b;

	(void)state;
	bench_draw(&b);
	plan_ram(&b.plan, (struct busway_range){0x10000, 0x1ffff});
	bench_open(&b, &lenient);
	*cpu_at(&b, 0x10000) = 1;
	*cpu_at(&b, RAM + RAM_SIZE - 1) = 2;
	clean(&b, 0x10000, 1);
	clean(&b, RAM + RAM_SIZE - 1, 1);
	assert_int_equal(memory_at(&b, 0x10000), 1);
	assert_int_equal(memory_at(&b, RAM + RAM_SIZE - 1), 2);
	bench_close(&b);
}

/* ---- at any time ---- */

static void caches_evict_and_refill_when_they_like(void **state)
{
	static struct bench b;
	unsigned evicted = 0, refilled = 0;

	(void)state;
	bench_usual(&b, &lenient);
	for (unsigned i = 0; i < 100; i++) {
		*cpu_at(&b, BUFFER + 128 * i) = 1;
		put(&b, NONCOHERENT, BUFFER + 128 * i + 64, 2);
	}
	busway_machine_disturb(b.machine, phys_range(BUFFER, 12800));
	*cpu_at(&b, SLOT) = 1; /* one byte is one line */
	for (unsigned i = 0; memory_at(&b, SLOT) == 0 && i < 100; i++)
		busway_machine_disturb(b.machine, phys_range(SLOT, 1));
	assert_int_equal(memory_at(&b, SLOT), 1);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(*cpu_at(&b, BUFFER + 128 * i), 1); /* never lost */
		assert_int_equal(memory_at(&b, BUFFER + 128 * i + 64), 2);
		evicted += memory_at(&b, BUFFER + 128 * i) == 1;
		refilled += *cpu_at(&b, BUFFER + 128 * i + 64) == 2;
	}
	assert_in_range(evicted, 25, 75);
	assert_in_range(refilled, 25, 75);
	assert_int_equal(memory_at(&b, BUFFER + 12800), 0);
	bench_close(&b);
}

/* A driver that forgets one of its syncs; is it told, and are bytes wrong? */
struct forgetful {
	bool forgets_device, forgets_cpu;
	unsigned told, wrong;
};

static void transfer(struct bench *b, struct forgetful *driver, unsigned char value)
{
	struct made m = made(NONCOHERENT, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_BIDIRECTIONAL);
	unsigned char byte = 0;

	bench_map(b, &m);
	bench_sync(b, &m, true, 0, 64);
	busway_machine_cpu_write(b->machine, busway_phys(BUFFER), &value, 1);
	if (!driver->forgets_device)
		bench_sync(b, &m, false, 0, 64);
	busway_machine_disturb(b->machine, phys_range(BUFFER, 64));
	driver->wrong += get(b, NONCOHERENT, BUFFER) != value;
	put(b, NONCOHERENT, BUFFER, (unsigned char)(value + 1));
	busway_machine_disturb(b->machine, phys_range(BUFFER, 64));
	if (!driver->forgets_cpu)
		bench_sync(b, &m, true, 0, 64);
	busway_machine_disturb(b->machine, phys_range(BUFFER, 64));
	busway_machine_cpu_read(b->machine, busway_phys(BUFFER), &byte, 1);
	driver->wrong += byte != (unsigned char)(value + 1);
	bench_unmap(b, &m);
}

static struct forgetful run(bool forgets_device, bool forgets_cpu)
{
	struct forgetful driver = {forgets_device, forgets_cpu, 0, 0};

	for (uint64_t seed = 0; seed < 60; seed++) {
		const struct busway_machine_options options = {.seed = seed};
		static struct bench b;

		bench_usual(&b, &options);
		for (unsigned char i = 0; i < 10; i++)
			transfer(&b, &driver, (unsigned char)(1 + 2 * i));
		driver.told += (unsigned)busway_machine_violations(b.machine);
		bench_close(&b);
	}
	return driver;
}

static void a_missing_sync_is_told_and_shows(void **state)
{
	struct forgetful driver = run(false, false);

	(void)state;
	assert_int_equal(driver.told, 0);
	assert_int_equal(driver.wrong, 0);
	driver = run(true, false);
	assert_int_equal(driver.told, 2 * 600); /* when the device reads, and when it writes */
	assert_in_range(driver.wrong, 100, 1100);
	driver = run(false, true);
	assert_int_equal(driver.told, 600);
	assert_in_range(driver.wrong, 100, 500);
}

/* ---- what is no violation ---- */

static void what_is_right_is_not_told(void **state)
{
	static struct bench b;
	struct made m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_TO_DEVICE);
	struct made n = made(COHERENT, BUFFER + 32, TO_BUS(BUFFER + 32), 64, BUSWAY_TO_DEVICE);
	unsigned char bytes[64] = {1};

	(void)state;
	bench_usual(&b, NULL);
	bench_map(&b, &m);
	bench_map(&b, &n); /* twice, but nobody writes */
	bench_read(&b, COHERENT, TO_BUS(BUFFER), bytes, 64);
	bench_read(&b, COHERENT, TO_BUS(BUFFER + 32), bytes, 64); /* both mappings */
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER), bytes, 64);
	*bytes = 7;
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER), bytes, 64);
	bench_sync(&b, &m, false, 0, 64);
	bench_read(&b, COHERENT, TO_BUS(BUFFER), bytes, 64);
	bench_unmap(&b, &m);
	bench_read(&b, COHERENT, TO_BUS(BUFFER + 32), bytes, 64);
	bench_unmap(&b, &n);
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER), bytes, 64);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER), bytes, 64);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void a_device_may_read_what_it_wrote(void **state)
{
	(void)state;
	for (uint32_t i = NONCOHERENT; i <= COHERENT; i++) {
		static struct bench b;
		struct made m = made(i, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_BIDIRECTIONAL);

		bench_usual(&b, NULL);
		bench_map(&b, &m);
		put(&b, i, BUFFER + 9, 5);
		assert_int_equal(get(&b, i, BUFFER + 9), 5);
		bench_told_nothing(&b);
		bench_close(&b);
	}
}

static void bytes_beside_a_buffer_are_the_cpus(void **state)
{
	static struct bench b;
	struct made m = made(NONCOHERENT, BUFFER + 64, TO_BUS(BUFFER + 64), 64, BUSWAY_FROM_DEVICE);
	unsigned char bytes[64] = {1};

	(void)state;
	bench_usual(&b, NULL);
	bench_map(&b, &m);
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER), bytes, 64);
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER + 128), bytes, 64);
	bench_write(&b, NONCOHERENT, TO_BUS(BUFFER + 64), bytes, 64);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 128), bytes, 64);
	bench_sync(&b, &m, true, 0, 32);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 64), bytes, 32);
	bench_unmap(&b, &m);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER + 64), bytes, 64);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void a_stale_line_that_is_overwritten_is_nobodys_loss(void **state)
{
	static struct bench b;
	struct made m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_FROM_DEVICE);
	unsigned char bytes[64] = {1};

	(void)state;
	bench_usual(&b, NULL);
	m.mapping.attributes = BUSWAY_MAP_SKIP_SYNC;
	bench_map(&b, &m);
	bench_write(&b, COHERENT, TO_BUS(BUFFER), bytes, 64);
	bench_unmap(&b, &m);
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER), bytes, 64);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER), bytes, 64);
	bench_told_nothing(&b);
	bench_close(&b);
}

/* What was not looked at in an earlier life of the memory is nobody's business in the next. */
static void a_new_mapping_begins_anew(void **state)
{
	static struct bench b;
	struct made m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 64, BUSWAY_FROM_DEVICE);
	struct made n = made(NONCOHERENT, BUFFER, TO_BUS(SLOT), 64, BUSWAY_FROM_DEVICE);
	unsigned char byte;

	(void)state;
	bench_usual(&b, NULL);
	m.mapping.attributes = BUSWAY_MAP_SKIP_SYNC;
	bench_map(&b, &m);
	put(&b, COHERENT, BUFFER, 1);
	bench_unmap(&b, &m);
	m.mapping.direction = BUSWAY_TO_DEVICE;
	bench_map(&b, &m);
	busway_machine_cpu_read(b.machine, busway_phys(BUFFER), &byte, 1);
	bench_unmap(&b, &m);
	/* the same of slots */
	bench_event(&b, &n, BUSWAY_EVENT_MAPPED);
	put(&b, NONCOHERENT, SLOT, 1);
	bench_event(&b, &n, BUSWAY_EVENT_UNMAPPED);
	bench_event(&b, &n, BUSWAY_EVENT_MAPPED);
	bench_event(&b, &n, BUSWAY_EVENT_SYNCED_FOR_CPU);
	bench_told_nothing(&b);
	bench_close(&b);
}

/* The library copies what the device wrote to the driver's memory: the CPU has written nothing. */
static void what_the_library_copies_is_handed_over(void **state)
{
	static struct bench b;
	struct made m = made(COHERENT, BUFFER, TO_BUS(SLOT), 64, BUSWAY_BIDIRECTIONAL);

	(void)state;
	bench_usual(&b, NULL);
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	put(&b, COHERENT, SLOT, 1);
	*cpu_at(&b, BUFFER) = 1;
	bench_event(&b, &m, BUSWAY_EVENT_SYNCED_FOR_CPU);
	assert_int_equal(get(&b, COHERENT, SLOT), 1);
	bench_told_nothing(&b);
	bench_close(&b);
}

/* ---- other kinds of mappings ---- */

static struct made coherent(uint32_t index)
{
	struct made m = made(index, BUFFER, TO_BUS(BUFFER), 0x1000, BUSWAY_BIDIRECTIONAL);

	m.mapping.kind = BUSWAY_KIND_COHERENT;
	return m;
}

static void coherent_memory_is_everybodys(void **state)
{
	(void)state;
	for (uint32_t i = NONCOHERENT; i <= COHERENT; i++) {
		static struct bench b;
		struct made m = coherent(i);
		unsigned char byte = 5;

		bench_usual(&b, NULL);
		bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
		busway_machine_cpu_write(b.machine, busway_phys(BUFFER), &byte, 1);
		assert_int_equal(get(&b, i, BUFFER), 5);
		put(&b, i, BUFFER, 6);
		busway_machine_cpu_read(b.machine, busway_phys(BUFFER), &byte, 1);
		assert_int_equal(byte, 6);
		bench_told_nothing(&b);
		/* a driver that goes through the caches where it must not */
		*cpu_at(&b, BUFFER + 8) = 1;
		get(&b, i, BUFFER + 8);
		bench_told(&b, BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE, i == NONCOHERENT);
		bench_close(&b);
	}
}

static void quarantine_is_out_of_everybodys_way(void **state)
{
	static struct bench b;
	struct made m = coherent(NONCOHERENT);
	struct made n = made(NONCOHERENT, BUFFER, TO_BUS(SLOT), 64, BUSWAY_FROM_DEVICE);

	(void)state;
	bench_usual(&b, NULL);
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	bench_event(&b, &n, BUSWAY_EVENT_MAPPED);
	bench_event(&b, &m, BUSWAY_EVENT_ABANDONED);
	bench_event(&b, &n, BUSWAY_EVENT_ABANDONED);
	put(&b, NONCOHERENT, BUFFER, 1);
	put(&b, NONCOHERENT, SLOT, 1);
	busway_machine_cpu_write(b.machine, busway_phys(BUFFER), "", 1);
	bench_told_nothing(&b);
	busway_machine_quiet(b.machine, device(COHERENT));
	put(&b, NONCOHERENT, BUFFER, 1);
	bench_told_nothing(&b);
	busway_machine_quiet(b.machine, device(NONCOHERENT));
	put(&b, NONCOHERENT, BUFFER, 1);
	put(&b, NONCOHERENT, SLOT, 1);
	bench_told(&b, BUSWAY_VIOLATION_AFTER_UNMAP, 2);
	bench_close(&b);
}

struct registers {
	uint64_t phys;
	size_t size;
	unsigned char last;
};

static void access_registers(void *ctx, busway_phys_t phys, void *bytes, size_t size,
			     enum busway_access access)
{
	struct registers *r = ctx;

	r->phys = phys.raw;
	r->size = size;
	if (access == BUSWAY_READ)
		memset(bytes, 0x5a, size);
	else
		r->last = *(unsigned char *)bytes;
}

/* A FIFO of 8 bytes below memory, which the window reaches as well. */
#define FIFO (RAM - 0x1000u)

static void open_with_fifo(struct bench *b, struct made *m, struct registers *registers)
{
	const struct busway_machine_options options = {
		.registers = registers ? access_registers : NULL, .ctx = registers};

	bench_draw(b);
	b->plan.windows[0].in.first -= 0x1000;
	b->plan.windows[0].out.raw -= 0x1000;
	bench_open(b, &options);
	*m = made(COHERENT, FIFO, TO_BUS(FIFO), 8, BUSWAY_BIDIRECTIONAL);
	m->mapping.kind = BUSWAY_KIND_PEER;
	m->mapping.way = BUSWAY_WAY_PEER;
}

static void registers_of_a_peer_answer_where_they_are_mapped(void **state)
{
	static struct bench b;
	struct registers registers = {0};
	unsigned char bytes[8] = {3};
	struct made m;

	(void)state;
	open_with_fifo(&b, &m, &registers);
	assert_int_equal(bench_read(&b, COHERENT, TO_BUS(FIFO), bytes, 1), -BUSWAY_ERANGE);
	bench_told(&b, BUSWAY_VIOLATION_NO_MEMORY, 1);
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	assert_int_equal(bench_read(&b, COHERENT, TO_BUS(FIFO) + 2, bytes, 4), 0);
	assert_int_equal(bytes[3], 0x5a);
	assert_int_equal(registers.phys, FIFO + 2);
	assert_int_equal(registers.size, 4);
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(FIFO), "\7", 1), 0);
	assert_int_equal(registers.last, 7);
	bench_told_nothing(&b);
	assert_int_equal(bench_read(&b, COHERENT, TO_BUS(FIFO) + 4, bytes, 8), -BUSWAY_ERANGE);
	assert_memory_equal(bytes, "\x5a\x5a\x5a\x5a\xff\xff\xff\xff", 8);
	assert_int_equal(bench_first(&b)->asked.first, TO_BUS(FIFO) + 8);
	bench_told(&b, BUSWAY_VIOLATION_NO_MEMORY, 1);
	bench_close(&b);
}

static void registers_that_nobody_plays_read_as_ones(void **state)
{
	static struct bench b;
	unsigned char byte = 3;
	struct made m;

	(void)state;
	open_with_fifo(&b, &m, NULL);
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	assert_int_equal(bench_read(&b, COHERENT, TO_BUS(FIFO) + 7, &byte, 1), 0);
	assert_int_equal(byte, 0xff);
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(FIFO), &byte, 1), 0);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void registers_are_subject_to_the_direction(void **state)
{
	static struct bench b;
	unsigned char byte = 3;
	struct made m;

	(void)state;
	open_with_fifo(&b, &m, NULL);
	m.mapping.direction = BUSWAY_TO_DEVICE;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	assert_int_equal(bench_write(&b, COHERENT, TO_BUS(FIFO), &byte, 1), -BUSWAY_ERANGE);
	bench_told(&b, BUSWAY_VIOLATION_NO_MEMORY, 1);
	bench_close(&b);
}

static void registers_may_be_behind_an_aperture(void **state)
{
	static struct bench b;
	struct made m;
	unsigned char byte;

	(void)state;
	open_with_fifo(&b, &m, NULL);
	m = made(COHERENT, FIFO, APERTURE + 0x100, 8, BUSWAY_BIDIRECTIONAL);
	m.mapping.kind = BUSWAY_KIND_PEER;
	m.mapping.way = BUSWAY_WAY_PEER;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	assert_int_equal(bench_read(&b, COHERENT, APERTURE + 0x100, &byte, 1), 0);
	bench_told_nothing(&b);
	assert_int_equal(bench_read(&b, COHERENT, APERTURE + 0x108, &byte, 1), -BUSWAY_ERANGE);
	bench_told(&b, BUSWAY_VIOLATION_APERTURE, 1);
	/* but memory is none, and a doorbell is not, either */
	m = made(COHERENT, FIFO, TO_BUS(BUFFER), 8, BUSWAY_BIDIRECTIONAL);
	m.mapping.kind = BUSWAY_KIND_PEER;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	bench_told(&b, BUSWAY_VIOLATION_ASTRAY, 1);
	m = made(COHERENT, FIFO, TO_BUS(FIFO) + 8, 8, BUSWAY_BIDIRECTIONAL);
	m.mapping.kind = BUSWAY_KIND_PEER;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	bench_told(&b, BUSWAY_VIOLATION_ASTRAY, 1);
	m = made(COHERENT, FIFO, DOORBELL, 8, BUSWAY_BIDIRECTIONAL);
	m.mapping.kind = BUSWAY_KIND_PEER;
	bench_event(&b, &m, BUSWAY_EVENT_MAPPED);
	bench_told(&b, BUSWAY_VIOLATION_DOORBELL_COVERED, 1);
	bench_close(&b);
}

/* Also one that stores what is there: the line is dirty, and has to be synced. */
static void a_watched_store_is_one_whatever_it_stores(void **state)
{
	struct bench bench;
	struct made m = made(NONCOHERENT, RAM + 0x1000, TO_BUS(RAM + 0x1000), 64, BUSWAY_TO_DEVICE);
	unsigned char byte = 0;

	(void)state;
	bench_usual(&bench, NULL);
	bench_map(&bench, &m);
	assert_int_equal(bench_read(&bench, NONCOHERENT, TO_BUS(RAM + 0x1008), &byte, 1), 0);
	bench_told_nothing(&bench);
	assert_int_equal(busway_machine_cpu_write(bench.machine, busway_phys(RAM + 0x1008), &byte, 1), 0);
	assert_int_equal(bench_read(&bench, NONCOHERENT, TO_BUS(RAM + 0x1008), &byte, 1), 0);
	bench_told(&bench, BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE, 1);
	bench_unmap(&bench, &m);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_coherent_devices_see_the_caches),
		cmocka_unit_test(the_default_is_that_of_the_machine),
		cmocka_unit_test(lines_are_written_back_whole_if_they_are_dirty),
		cmocka_unit_test(lines_are_read_anew_whole),
		cmocka_unit_test(the_lines_at_the_ends_of_memory_are_cut),
		cmocka_unit_test(each_bank_has_lines),
		cmocka_unit_test(caches_evict_and_refill_when_they_like),
		cmocka_unit_test(a_missing_sync_is_told_and_shows),
		cmocka_unit_test(what_is_right_is_not_told),
		cmocka_unit_test(a_device_may_read_what_it_wrote),
		cmocka_unit_test(bytes_beside_a_buffer_are_the_cpus),
		cmocka_unit_test(a_stale_line_that_is_overwritten_is_nobodys_loss),
		cmocka_unit_test(a_new_mapping_begins_anew),
		cmocka_unit_test(what_the_library_copies_is_handed_over),
		cmocka_unit_test(coherent_memory_is_everybodys),
		cmocka_unit_test(quarantine_is_out_of_everybodys_way),
		cmocka_unit_test(registers_of_a_peer_answer_where_they_are_mapped),
		cmocka_unit_test(registers_that_nobody_plays_read_as_ones),
		cmocka_unit_test(registers_are_subject_to_the_direction),
		cmocka_unit_test(registers_may_be_behind_an_aperture),
		cmocka_unit_test(a_watched_store_is_one_whatever_it_stores),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
