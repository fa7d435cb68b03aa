/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * violation_test.c - every kind of violation, committed once, is told once, and only that; and what
 * comes close is not.
 */
#include "bench.h"

#define BUFFER (RAM + 0x10000u)
#define SLOT   (RAM + 0x400000u)

static const struct busway_machine_options usual = {.largest_mapping = 0x8000};

static void put(struct bench *b, uint32_t device, uint64_t dma, size_t size)
{
	static const unsigned char zeroes[0x4000];

	bench_write(b, device, dma, zeroes, size);
}

static void get(struct bench *b, uint32_t device, uint64_t dma, size_t size)
{
	static unsigned char bytes[0x4000];

	bench_read(b, device, dma, bytes, size);
}

static void look(struct bench *b, uint64_t phys, size_t size)
{
	static unsigned char bytes[0x4000];

	assert_int_equal(busway_machine_cpu_read(b->machine, busway_phys(phys), bytes, size), 0);
}

static void store(struct bench *b, uint64_t phys, size_t size)
{
	static unsigned char bytes[0x4000] = {9};

	assert_int_equal(busway_machine_cpu_write(b->machine, busway_phys(phys), bytes, size), 0);
}

/* Maps 4 KiB of BUFFER directly. Each test has one such mapping at most. */
static struct made *map(struct bench *b, uint32_t device, enum busway_direction direction)
{
	static struct made m;

	m = made(device, BUFFER, TO_BUS(BUFFER), 0x1000, direction);
	return bench_map(b, &m);
}

static void observe(struct bench *b, struct made m)
{
	static struct made kept[16];
	static unsigned next;
	struct made *record = &kept[next++ % COUNT(kept)];

	*record = m;
	bench_event(b, record, BUSWAY_EVENT_MAPPED);
}

static struct made small(enum busway_direction direction)
{
	return made(NONCOHERENT, BUFFER, TO_BUS(BUFFER), 0x40, direction);
}

/* ---- what the fabric refuses ---- */

static void no_lines(struct bench *b)
{
	put(b, 0, 0x100000000, 4);
}

static void no_window(struct bench *b)
{
	get(b, 0, BUS - 0x100, 0x100);
}

static void no_memory(struct bench *b)
{
	get(b, CARVER, 0x70000000, 8);
}

static void no_write(struct bench *b)
{
	put(b, 0, 0x80000010, 8);
	assert_string_equal(bench_first(b)->hop, "/bus1");
	assert_string_equal(bench_first(b)->by, "/window2");
	assert_int_equal(bench_first(b)->at.first, 0x80000010);
}

static void an_aperture(struct bench *b)
{
	get(b, 0, APERTURE, 8);
}

static void a_carveout(struct bench *b)
{
	put(b, 0, TO_BUS(CARVED), 0x1000);
}

static void behind_the_checker(struct bench *b)
{
	get(b, RESTRICTED, TO_BUS(BUFFER), 4);
}

static void a_circle(struct bench *b)
{
	get(b, 0, 0x90000000, 4);
}

static void half_a_message(struct bench *b)
{
	put(b, 0, DOORBELL, 2);
}

/* ---- what is not mapped ---- */

static void never_mapped(struct bench *b)
{
	put(b, 0, TO_BUS(BUFFER), 4);
	assert_false(bench_first(b)->has_trace); /* there is none */
}

static void one_byte_behind(struct bench *b)
{
	map(b, COHERENT, BUSWAY_FROM_DEVICE);
	put(b, COHERENT, TO_BUS(BUFFER) + 0xff8, 9);
}

static void one_byte_before(struct bench *b)
{
	map(b, COHERENT, BUSWAY_FROM_DEVICE);
	put(b, COHERENT, TO_BUS(BUFFER) - 1, 9);
}

static void mapped_for_another(struct bench *b)
{
	map(b, COHERENT, BUSWAY_BIDIRECTIONAL);
	get(b, 0, TO_BUS(BUFFER), 9);
}

static void unmapped(struct bench *b)
{
	bench_unmap(b, map(b, 0, BUSWAY_FROM_DEVICE));
	put(b, 0, TO_BUS(BUFFER) + 0x800, 4);
}

static void abandoned_memory_of_the_driver(struct bench *b)
{
	bench_event(b, map(b, 0, BUSWAY_FROM_DEVICE), BUSWAY_EVENT_ABANDONED);
	put(b, 0, TO_BUS(BUFFER), 4);
}

static void write_of_to_device(struct bench *b)
{
	map(b, 0, BUSWAY_TO_DEVICE);
	put(b, 0, TO_BUS(BUFFER), 0x1000);
}

static void read_of_from_device(struct bench *b)
{
	map(b, 0, BUSWAY_FROM_DEVICE);
	get(b, 0, TO_BUS(BUFFER), 0x1000);
}

/* ---- caches ---- */

static void written_after_mapping(struct bench *b)
{
	map(b, 0, BUSWAY_TO_DEVICE);
	cpu_at(b, BUFFER)[5] ^= 1;
	cpu_at(b, BUFFER)[6] ^= 1;
	cpu_at(b, BUFFER)[9] ^= 1; /* is not read */
	get(b, 0, TO_BUS(BUFFER), 8);
	assert_int_equal(bench_first(b)->asked.first, TO_BUS(BUFFER) + 5);
	assert_int_equal(bench_first(b)->asked.last, TO_BUS(BUFFER) + 6);
	assert_int_equal(bench_first(b)->at.first, BUFFER + 5);
	assert_int_equal(bench_first(b)->at.last, BUFFER + 6);
	assert_string_equal(bench_first(b)->hop, "cpu");
}

static void written_after_mapping_coherently(struct bench *b)
{
	map(b, COHERENT, BUSWAY_TO_DEVICE);
	cpu_at(b, BUFFER)[5] ^= 1;
	get(b, COHERENT, TO_BUS(BUFFER), 8);
}

static void mapped_without_cleaning(struct bench *b)
{
	cpu_at(b, BUFFER)[0x20] ^= 1;
	observe(b, small(BUSWAY_TO_DEVICE));
	get(b, 0, TO_BUS(BUFFER), 0x40);
}

static void a_dirty_line_below_a_write(struct bench *b)
{
	cpu_at(b, BUFFER)[0x3f] ^= 1;
	observe(b, small(BUSWAY_FROM_DEVICE));
	put(b, 0, TO_BUS(BUFFER), 4);
	assert_int_equal(bench_first(b)->asked.last, TO_BUS(BUFFER) + 3);
	assert_int_equal(bench_first(b)->at.first, BUFFER + 0x3f);
}

static void bounced_and_written_after(struct bench *b)
{
	observe(b, made(COHERENT, BUFFER, TO_BUS(SLOT), 0x40, BUSWAY_TO_DEVICE));
	cpu_at(b, BUFFER)[0x3f] ^= 1;
	get(b, COHERENT, TO_BUS(SLOT), 0x40);
	assert_int_equal(bench_first(b)->asked.first, TO_BUS(SLOT) + 0x3f);
	assert_int_equal(bench_first(b)->at.first, BUFFER + 0x3f);
}

static void read_before_a_sync(struct bench *b)
{
	map(b, 0, BUSWAY_FROM_DEVICE);
	put(b, 0, TO_BUS(BUFFER), 4);
	look(b, BUFFER, 1);
}

static void read_before_a_sync_coherently(struct bench *b)
{
	map(b, COHERENT, BUSWAY_BIDIRECTIONAL);
	put(b, COHERENT, TO_BUS(BUFFER), 4);
	look(b, BUFFER + 3, 1);
}

static void read_again_after_a_sync(struct bench *b)
{
	struct made *m = map(b, COHERENT, BUSWAY_FROM_DEVICE);

	bench_sync(b, m, true, 0, 0x1000);
	look(b, BUFFER, 1);
	put(b, COHERENT, TO_BUS(BUFFER), 4);
	look(b, BUFFER, 1);
	assert_true(bench_first(b)->has_trace); /* it is the device's again */
}

static void told_but_not_invalidated(struct bench *b)
{
	struct made *m = map(b, 0, BUSWAY_FROM_DEVICE);

	put(b, 0, TO_BUS(BUFFER), 4);
	bench_event(b, m, BUSWAY_EVENT_UNMAPPED);
	look(b, BUFFER, 4);
	look(b, BUFFER, 4); /* told once */
}

static void unmapped_without_a_sync(struct bench *b)
{
	static struct made m;

	m = made(COHERENT, BUFFER, TO_BUS(BUFFER), 0x40, BUSWAY_FROM_DEVICE);
	m.mapping.attributes = BUSWAY_MAP_SKIP_SYNC;
	bench_map(b, &m);
	put(b, COHERENT, TO_BUS(BUFFER), 4);
	bench_unmap(b, &m);
	look(b, BUFFER, 4);
}

static void bounced_and_read_before(struct bench *b)
{
	observe(b, made(COHERENT, BUFFER, TO_BUS(SLOT), 0x40, BUSWAY_FROM_DEVICE));
	put(b, COHERENT, TO_BUS(SLOT) + 0x10, 4);
	look(b, BUFFER + 0x13, 1);
}

static void copied_but_not_invalidated(struct bench *b)
{
	static struct made m;

	m = made(NONCOHERENT, BUFFER, TO_BUS(SLOT), 0x40, BUSWAY_FROM_DEVICE);
	bench_event(b, &m, BUSWAY_EVENT_MAPPED);
	put(b, NONCOHERENT, TO_BUS(SLOT), 4);
	bench_event(b, &m, BUSWAY_EVENT_SYNCED_FOR_CPU);
	look(b, BUFFER, 0x40);
	bench_event(b, &m, BUSWAY_EVENT_SYNCED_FOR_CPU); /* told once */
	assert_int_equal(bench_first(b)->access, BUSWAY_READ);
	assert_int_equal(bench_first(b)->asked.first, SLOT);
	assert_int_equal(bench_first(b)->asked.last, SLOT + 0x3f);
	assert_int_equal(bench_first(b)->trace.number, 1);
}

static void touched_while_mapped(struct bench *b)
{
	map(b, 0, BUSWAY_FROM_DEVICE);
	look(b, BUFFER + 0xfff, 2);
	assert_int_equal(bench_first(b)->asked.last, BUFFER + 0xfff);
	assert_true(bench_first(b)->has_trace);
}

static void stored_while_mapped(struct bench *b)
{
	map(b, COHERENT, BUSWAY_BIDIRECTIONAL);
	store(b, BUFFER - 1, 2);
}

static void given_back_to_the_device(struct bench *b)
{
	struct made *m = map(b, COHERENT, BUSWAY_BIDIRECTIONAL);

	bench_sync(b, m, true, 0, 0x1000);
	bench_sync(b, m, false, 0, 0x800);
	look(b, BUFFER + 0x800, 1);
	look(b, BUFFER + 0x7ff, 1);
}

/* ---- what is mapped ---- */

static void mark(struct bench *b, enum busway_mark kind)
{
	for (int other = BUSWAY_MARK_STACK; other <= BUSWAY_MARK_VMALLOC; other++)
		assert_int_equal(busway_machine_mark(b->machine, phys_range(BUFFER + 0x40, 1),
						     (enum busway_mark)other),
				 0);
	assert_int_equal(busway_machine_mark(b->machine, phys_range(BUFFER + 0x3f, 1), kind), 0);
	observe(b, small(BUSWAY_TO_DEVICE));
}

static void the_stack(struct bench *b)
{
	mark(b, BUSWAY_MARK_STACK);
}

static void text(struct bench *b)
{
	mark(b, BUSWAY_MARK_TEXT);
}

static void vmalloc(struct bench *b)
{
	mark(b, BUSWAY_MARK_VMALLOC);
}

static void nothing(struct bench *b)
{
	observe(b, made(0, RAM - 0x1000, TO_BUS(SLOT), 0x40, BUSWAY_TO_DEVICE));
}

static void a_long_segment(struct bench *b)
{
	observe(b, made(CARVER, BUFFER, TO_BUS(BUFFER), 0x2001, BUSWAY_TO_DEVICE));
}

static void across_a_boundary(struct bench *b)
{
	observe(b, made(CARVER, BUFFER + 0xffff, TO_BUS(BUFFER) + 0xffff, 2, BUSWAY_TO_DEVICE));
}

static void mapped_twice(struct bench *b)
{
	observe(b, small(BUSWAY_FROM_DEVICE));
	observe(b, made(COHERENT, BUFFER + 0x3f, TO_BUS(BUFFER) + 0x3f, 4, BUSWAY_BIDIRECTIONAL));
}

static void mapped_by_many(struct bench *b)
{
	struct made m = small(BUSWAY_FROM_DEVICE);

	m.mapping.attributes = BUSWAY_MAP_SKIP_SYNC;
	for (unsigned i = 0; i < 9; i++)
		observe(b, m);
}

static void more_than_is_mapped_at_once(struct bench *b)
{
	observe(b, made(0, BUFFER, TO_BUS(BUFFER), 0x8001, BUSWAY_TO_DEVICE));
}

static void another_place(struct bench *b)
{
	struct made m = made(0, BUFFER, TO_BUS(BUFFER) + 8, 0x40, BUSWAY_TO_DEVICE);

	m.mapping.way = BUSWAY_WAY_DIRECT;
	observe(b, m);
}

static void half_of_it_in_a_carveout(struct bench *b)
{
	observe(b, made(0, CARVED - 4, TO_BUS(CARVED) - 4, 8, BUSWAY_TO_DEVICE));
}

static void in_two_places(struct bench *b)
{
	/* to the end of one window, and on through the next, which leads to where the first did */
	observe(b, made(0, BUFFER, 0xa000fff8, 0x10, BUSWAY_TO_DEVICE));
}

static void bytes_of_a_doorbell(struct bench *b)
{
	observe(b, made(0, BUFFER, DOORBELL + 0x100, 0x40, BUSWAY_FROM_DEVICE));
}

static void misuse(struct bench *b)
{
	const struct made *m = map(b, 0, BUSWAY_FROM_DEVICE);
	const struct busway_misuse_report report = {
		.misuse = BUSWAY_MISUSE_WRONG_SIZE, .device = {0}, .mapping = &m->mapping};

	b->environment.misuse(b->environment.ctx, &report);
	assert_int_equal(busway_machine_misuses(b->machine, BUSWAY_MISUSE_WRONG_SIZE), 1);
	assert_int_equal(busway_machine_misuses(b->machine, BUSWAY_MISUSE_LEAK), 0);
	assert_true(bench_first(b)->has_trace);
	assert_int_equal(bench_first(b)->trace.dma.first.raw, TO_BUS(BUFFER));
}

static void no_memory_for_records(struct bench *b)
{
	test_memory_fail_at(&b->memory, 1, false);
	observe(b, small(BUSWAY_FROM_DEVICE));
}

static const struct {
	const char *because;
	void (*act)(struct bench *bench);
	enum busway_violation_kind kind;
} acts[] = {
	{"33 bits on 32 lines", no_lines, BUSWAY_VIOLATION_EMISSION},
	{"before the window", no_window, BUSWAY_VIOLATION_NO_WINDOW},
	{"a window to where nothing is", no_memory, BUSWAY_VIOLATION_NO_MEMORY},
	{"a window for reads", no_write, BUSWAY_VIOLATION_ACCESS},
	{"an aperture", an_aperture, BUSWAY_VIOLATION_APERTURE},
	{"a carve-out of others", a_carveout, BUSWAY_VIOLATION_CARVEOUT},
	{"outside its pool", behind_the_checker, BUSWAY_VIOLATION_FILTER},
	{"windows in a circle", a_circle, BUSWAY_VIOLATION_LOOP},
	{"two bytes to a doorbell", half_a_message, BUSWAY_VIOLATION_DOORBELL},
	{"never mapped", never_mapped, BUSWAY_VIOLATION_OUTSIDE},
	{"one byte behind a mapping", one_byte_behind, BUSWAY_VIOLATION_OUTSIDE},
	{"one byte before it", one_byte_before, BUSWAY_VIOLATION_OUTSIDE},
	{"mapped for another device", mapped_for_another, BUSWAY_VIOLATION_OUTSIDE},
	{"after it was unmapped", unmapped, BUSWAY_VIOLATION_AFTER_UNMAP},
	{"after it was abandoned", abandoned_memory_of_the_driver, BUSWAY_VIOLATION_AFTER_UNMAP},
	{"a write against the direction", write_of_to_device, BUSWAY_VIOLATION_WROTE},
	{"a read against it", read_of_from_device, BUSWAY_VIOLATION_READ},
	{"the CPU wrote after mapping", written_after_mapping,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	{"and where it does no harm here", written_after_mapping_coherently,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	{"the library did not clean", mapped_without_cleaning,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	{"nor before the device wrote", a_dirty_line_below_a_write,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	{"what was copied before", bounced_and_written_after, BUSWAY_VIOLATION_NO_SYNC_FOR_DEVICE},
	{"the CPU reads too early", read_before_a_sync, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"and where it does no harm here", read_before_a_sync_coherently,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"the device wrote once more", read_again_after_a_sync, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"the library did not invalidate", told_but_not_invalidated,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"unmapped without a sync", unmapped_without_a_sync, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"what is copied later", bounced_and_read_before, BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"the library copied what is old", copied_but_not_invalidated,
	 BUSWAY_VIOLATION_NO_SYNC_FOR_CPU},
	{"read while it is the device's", touched_while_mapped, BUSWAY_VIOLATION_NOT_OWNED},
	{"written while it is", stored_while_mapped, BUSWAY_VIOLATION_NOT_OWNED},
	{"half of it is again", given_back_to_the_device, BUSWAY_VIOLATION_NOT_OWNED},
	{"the stack", the_stack, BUSWAY_VIOLATION_STACK},
	{"program text", text, BUSWAY_VIOLATION_TEXT},
	{"no memory", nothing, BUSWAY_VIOLATION_INVALID},
	{"vmalloc", vmalloc, BUSWAY_VIOLATION_VMALLOC},
	{"one byte too long", a_long_segment, BUSWAY_VIOLATION_SEGMENT_SIZE},
	{"two bytes across", across_a_boundary, BUSWAY_VIOLATION_BOUNDARY},
	{"one byte mapped twice", mapped_twice, BUSWAY_VIOLATION_OVERLAP},
	{"nine times", mapped_by_many, BUSWAY_VIOLATION_OVERLAPS},
	{"more than is mapped at once", more_than_is_mapped_at_once, BUSWAY_VIOLATION_TOO_LARGE},
	{"leads elsewhere", another_place, BUSWAY_VIOLATION_ASTRAY},
	{"leads nowhere, from half of it on", half_of_it_in_a_carveout, BUSWAY_VIOLATION_ASTRAY},
	{"leads to two places", in_two_places, BUSWAY_VIOLATION_ASTRAY},
	{"leads to a doorbell", bytes_of_a_doorbell, BUSWAY_VIOLATION_DOORBELL_COVERED},
	{"the library's report", misuse, BUSWAY_VIOLATION_MISUSE},
	{"no memory to watch by", no_memory_for_records, BUSWAY_VIOLATION_BLIND},
};

/* The usual plan, and: a window to nowhere, one for reads, a circle, two windows side by side that
 * lead to one place; limits of the last device. */
static void open(struct bench *b)
{
	uint32_t window, round;

	bench_draw(b);
	plan_window(&b->plan, 1, 0, (struct busway_range){0x70000000, 0x7000ffff}, 0x1000);
	window = plan_window(&b->plan, 1, 0, (struct busway_range){0x80000000, 0x8000ffff}, RAM);
	b->plan.windows[window].access = BUSWAY_READ;
	round = plan_space(&b->plan, BUSWAY_SPACE_BUS);
	plan_window(&b->plan, 1, round, (struct busway_range){0x90000000, 0x9000ffff}, 0);
	plan_window(&b->plan, round, 1, (struct busway_range){0, 0xffff}, 0x90000000);
	plan_window(&b->plan, 1, 0, (struct busway_range){0xa0000000, 0xa000ffff}, RAM);
	plan_window(&b->plan, 1, 0, (struct busway_range){0xa0010000, 0xa001ffff}, RAM);
	b->plan.devices[CARVER].segments = (struct busway_segment_limits){0x2000, 0x10000, 0};
	bench_open(b, &usual);
}

/* No record is meant: the mapping that is nearest to what was named. */
static void misuse_by_address_names_the_nearest(void **state)
{
	static struct bench b;
	struct made low, high;
	const uint64_t gap = TO_BUS(BUFFER) + 0x40;
	const struct busway_misuse_report report = {
		.misuse = BUSWAY_MISUSE_NOT_MAPPED, .device = {0}, .asked = {{gap}, {gap + 0xffff}}};

	(void)state;
	open(&b);
	low = small(BUSWAY_TO_DEVICE);
	high = made(0, BUFFER + 0x10000, TO_BUS(BUFFER) + 0x10000, 0x40, BUSWAY_TO_DEVICE);
	bench_event(&b, &low, BUSWAY_EVENT_MAPPED);
	bench_event(&b, &high, BUSWAY_EVENT_MAPPED);
	b.environment.misuse(b.machine, &report);
	assert_true(bench_first(&b)->has_trace);
	assert_int_equal(bench_first(&b)->trace.number, 1);
	bench_told(&b, BUSWAY_VIOLATION_MISUSE, 1);
	assert_int_equal(busway_machine_misuses(b.machine, BUSWAY_MISUSE_NOT_MAPPED), 0);
	bench_close(&b);
}

static void what_is_done_wrong_once_is_told_once(void **state)
{
	static struct bench b;

	(void)state;
	for (size_t i = 0; i < COUNT(acts); i++) {
		char words[512];

		open(&b);
		acts[i].act(&b);
		print_message("# %s\n", acts[i].because);
		busway_violation_text(bench_first(&b), words, sizeof(words));
		assert_true(strlen(words) > 20);
		if (acts[i].kind >= BUSWAY_VIOLATION_STACK &&
		    acts[i].kind <= BUSWAY_VIOLATION_DOORBELL_COVERED)
			assert_true(bench_first(&b)->has_trace);
		bench_told(&b, acts[i].kind, 1);
		bench_close(&b);
	}
}

/* What leads to memory by two windows leads to memory. */
static void ways_that_meet_again_are_right(void **state)
{
	static struct bench b;
	struct made m = made(COHERENT, RAM + 0xfff0, TO_BUS(RAM) + 0xfff0, 0x20, BUSWAY_TO_DEVICE);

	(void)state;
	bench_draw(&b);
	b.plan.windows[0].in.last = BUS + 0xffff;
	plan_window(&b.plan, 1, 0, (struct busway_range){BUS + 0x10000, BUS + 0xfffff},
		    RAM + 0x10000);
	bench_open(&b, NULL);
	bench_map(&b, &m);
	get(&b, COHERENT, TO_BUS(RAM) + 0xfff0, 0x20);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void memory_that_only_the_options_state_is_mapped_as_any(void **state)
{
	static struct bench b;
	const struct busway_phys_range more = phys_range(RAM, 0x10000);
	const struct busway_machine_options options = {.memory = &more, .memory_count = 1};
	struct made m = made(0, RAM, RAM, 0x40, BUSWAY_FROM_DEVICE);

	(void)state;
	plan_init(&b.plan);
	plan_region(&b.plan, 0, BUSWAY_REGION_UNKNOWN, BUSWAY_RANGE_ALL);
	plan_device(&b.plan, 0);
	bench_open(&b, &options);
	m.mapping.way = BUSWAY_WAY_DIRECT;
	bench_map(&b, &m);
	put(&b, 0, RAM, 0x40);
	bench_told_nothing(&b);
	bench_close(&b);
}

static void what_is_just_within_limits_is_right(void **state)
{
	static struct bench b;
	struct made m = small(BUSWAY_FROM_DEVICE);

	(void)state;
	open(&b);
	observe(&b, made(CARVER, BUFFER, TO_BUS(BUFFER), 0x2000, BUSWAY_TO_DEVICE));
	observe(&b, made(CARVER, BUFFER + 0xff00, TO_BUS(BUFFER) + 0xff00, 0x100, BUSWAY_TO_DEVICE));
	observe(&b, made(0, BUFFER, TO_BUS(BUFFER), 0x8000, BUSWAY_TO_DEVICE));
	m.mapping.attributes = BUSWAY_MAP_SKIP_SYNC;
	for (unsigned i = 0; i < 8; i++) /* the last one meets seven */
		observe(&b, m);
	observe(&b, made(0, BUFFER + 0x40, TO_BUS(BUFFER) + 0x40, 0x40, BUSWAY_FROM_DEVICE));
	bench_told_nothing(&b);
	bench_close(&b);
}

static void every_kind_is_committed(void **state)
{
	(void)state;
	for (int kind = 1; kind < BUSWAY_VIOLATION_COUNT; kind++) {
		/* those of an IOMMU: iommu_test.c */
		bool found = kind >= BUSWAY_VIOLATION_IOMMU_FAULT &&
			     kind <= BUSWAY_VIOLATION_TABLE_GONE;

		for (size_t i = 0; i < COUNT(acts); i++)
			found = found || (int)acts[i].kind == kind;
		if (!found)
			fail_msg("nobody commits %s",
				 busway_violation_code((enum busway_violation_kind)kind));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_wrong_once_is_told_once),
		cmocka_unit_test(what_is_just_within_limits_is_right),
		cmocka_unit_test(every_kind_is_committed),
		cmocka_unit_test(ways_that_meet_again_are_right),
		cmocka_unit_test(memory_that_only_the_options_state_is_mapped_as_any),
		cmocka_unit_test(misuse_by_address_names_the_nearest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
