/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_place_test.c - where the IOMMU sits on the way of an access, and what is judged behind it.
 */
#include "iommu_bench.h"

#define RW         ((unsigned)BUSWAY_READ_WRITE)
#define BUFFER     (RAM + 0x1000000u)
#define CPU_BELL   0xa0000000u /* in the CPU's space */
#define RING_VALUE 0x12345678u

static const struct iommu_case *const plain = &iommu_cases[0];

static void attach_to(struct iommu_bench *b, const struct busway_machine_options *options)
{
	iommu_open_drawn(b, plain, options);
	iommu_attach(b, COHERENT);
}

static void draw(struct iommu_bench *b)
{
	b->options = (struct busway_pagetable_options){.split = true, .exclusive = true};
	bench_draw(&b->bench);
}

/* @iova is mapped, and still the bus does this to a write. */
static void bus_refuses(struct iommu_bench *b, uint64_t iova, enum busway_violation_kind kind)
{
	iommu_map(b, iova, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(b, COHERENT, iova, 1), -BUSWAY_ERANGE);
	assert_int_equal(*cpu_at(&b->bench, BUFFER), 0);
	bench_told(&b->bench, kind, 1);
}

/* ---- before it ---- */

static void the_bus_limits_what_comes_to_the_iommu(void **state)
{
	static struct iommu_bench b;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	bus_refuses(&b, 0x70000000, BUSWAY_VIOLATION_NO_WINDOW);
	bus_refuses(&b, APERTURE, BUSWAY_VIOLATION_APERTURE);
	bus_refuses(&b, 0x148000000, BUSWAY_VIOLATION_EMISSION);
	/* an access that leaves the window on its way */
	iommu_map(&b, 0x4ffff000, BUFFER + 0x1000, 0x1000, RW);
	assert_int_equal(bench_write(&b.bench, COHERENT, 0x4ffffffc, "12345678", 8),
			 -BUSWAY_ERANGE);
	assert_memory_equal(cpu_at(&b.bench, BUFFER + 0x1ffc), "1234", 4);
	iommu_close(&b);
}

static void a_doorbell_of_the_bus_rings_untranslated(void **state)
{
	static struct iommu_bench b;
	const uint32_t value = RING_VALUE;
	struct busway_interrupt last;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	iommu_map(&b, DOORBELL, BUFFER, 0x1000, RW);
	assert_int_equal(bench_write(&b.bench, COHERENT, DOORBELL + 8, &value, 4), 0);
	assert_int_equal(busway_machine_interrupts(b.bench.machine, &last), 1);
	assert_int_equal(last.value, RING_VALUE);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

/* One bus passes all 1:1, the next has windows into a bus of PCI, and that one has its own. */
static void draw_buses(struct iommu_bench *b)
{
	struct plan *plan = &b->bench.plan;
	uint32_t first, second, third;

	draw(b);
	first = plan_space(plan, BUSWAY_SPACE_PCI);
	second = plan_space(plan, BUSWAY_SPACE_PCI);
	third = plan_space(plan, BUSWAY_SPACE_PCI);
	plan_window(plan, first, second, BUSWAY_RANGE_ALL, 0);
	plan_window(plan, second, third, (struct busway_range){0x40000000, 0x4fffffff}, 0x90000000);
	plan_window(plan, third, 0, (struct busway_range){0x90000000, 0x97ffffff}, 0x1000);
	plan_region(plan, first, BUSWAY_REGION_DOORBELL,
		    (struct busway_range){0x41000000, 0x41000fff});
	plan_region(plan, second, BUSWAY_REGION_APERTURE,
		    (struct busway_range){0x42000000, 0x42000fff});
	plan_region(plan, third, BUSWAY_REGION_APERTURE,
		    (struct busway_range){0x93000000, 0x93000fff});
	plan->devices[COHERENT].dma.enters.index = first;
}

static void bridges_above_limit_it_too(void **state)
{
	static struct iommu_bench b;
	const uint32_t value = RING_VALUE;

	(void)state;
	draw_buses(&b);
	attach_to(&b, NULL);
	bus_refuses(&b, 0x42000000, BUSWAY_VIOLATION_APERTURE);
	bus_refuses(&b, 0x43000000, BUSWAY_VIOLATION_APERTURE);
	bus_refuses(&b, 0x48000000, BUSWAY_VIOLATION_NO_WINDOW);
	bus_refuses(&b, 0x50001000, BUSWAY_VIOLATION_NO_WINDOW);
	assert_int_equal(bench_write(&b.bench, COHERENT, 0x41000000, &value, 4), 0);
	assert_int_equal(busway_machine_interrupts(b.bench.machine, NULL), 1);
	/* what all of them take gets there as the device emitted it */
	iommu_map(&b, 0x47fff000, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, 0x47fff123, 7), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER + 0x123), 7);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

/* What passes everything is no limit, and no reason to look for the IOMMU behind it. */
static void a_bus_that_passes_everything_is_no_limit(void **state)
{
	static struct iommu_bench b;
	uint32_t first, second;

	(void)state;
	draw(&b);
	first = plan_space(&b.bench.plan, BUSWAY_SPACE_BUS);
	second = plan_space(&b.bench.plan, BUSWAY_SPACE_BUS);
	plan_window(&b.bench.plan, first, second, BUSWAY_RANGE_ALL, 0);
	plan_window(&b.bench.plan, second, 0, (struct busway_range){BUS, BUS + RAM_SIZE - 1}, RAM);
	b.bench.plan.devices[COHERENT].dma.enters.index = first;
	attach_to(&b, NULL);
	bus_refuses(&b, 0x70000000, BUSWAY_VIOLATION_NO_WINDOW);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 7), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER), 7);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

static void windows_that_lead_in_a_circle_do_not_end_at_it(void **state)
{
	static struct iommu_bench b;
	uint32_t one, other;

	(void)state;
	draw(&b);
	one = plan_space(&b.bench.plan, BUSWAY_SPACE_PCI);
	other = plan_space(&b.bench.plan, BUSWAY_SPACE_PCI);
	plan_window(&b.bench.plan, one, other, (struct busway_range){0x40000000, 0x4fffffff}, 0);
	plan_window(&b.bench.plan, other, one, (struct busway_range){0, 0xfffffff}, 0x40000000);
	b.bench.plan.devices[COHERENT].dma.enters.index = one;
	attach_to(&b, NULL);
	bus_refuses(&b, IOVA, BUSWAY_VIOLATION_LOOP);
	iommu_close(&b);
}

/* Where windows lead does not matter: here to where no memory is. */
static void what_windows_make_of_the_address_does_not_matter(void **state)
{
	static struct iommu_bench b;
	uint32_t middle;

	(void)state;
	draw(&b);
	middle = plan_space(&b.bench.plan, BUSWAY_SPACE_BUS);
	b.bench.plan.windows[0].to.index = middle;
	b.bench.plan.windows[0].out.raw = 0x7000000000;
	attach_to(&b, NULL);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 7), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER), 7);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

static void without_a_bus_every_iova_comes_to_it(void **state)
{
	static struct iommu_bench b;
	const uint64_t iovas[] = {0, 0x1000, RAM, CARVED, CPU_BELL, 0xfffff000};

	(void)state;
	draw(&b);
	plan_region(&b.bench.plan, 0, BUSWAY_REGION_DOORBELL,
		    (struct busway_range){CPU_BELL, CPU_BELL + 0xfff});
	b.bench.plan.devices[COHERENT].dma.enters = BUSWAY_CPU_SPACE;
	attach_to(&b, NULL);
	for (size_t i = 0; i < COUNT(iovas); i++) {
		iommu_map(&b, iovas[i], BUFFER + i * 0x1000, 0x1000, RW);
		assert_int_equal(iommu_put(&b, COHERENT, iovas[i], 7), 0);
		assert_int_equal(*cpu_at(&b.bench, BUFFER + i * 0x1000), 7);
	}
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

/* ---- behind it ---- */

static void what_it_leads_to_is_looked_up_in_the_cpus_space(void **state)
{
	static struct iommu_bench b;
	const uint32_t value = RING_VALUE;
	struct busway_interrupt last;

	(void)state;
	draw(&b);
	plan_region(&b.bench.plan, 0, BUSWAY_REGION_DOORBELL,
		    (struct busway_range){CPU_BELL, CPU_BELL + 0xfff});
	attach_to(&b, NULL);
	iommu_map(&b, IOVA, CPU_BELL, 0x1000, RW);
	assert_int_equal(bench_write(&b.bench, COHERENT, IOVA + 0x40, &value, 4), 0);
	assert_int_equal(busway_machine_interrupts(b.bench.machine, &last), 1);
	assert_int_equal(last.value, RING_VALUE);
	assert_int_equal(last.dma.raw, IOVA + 0x40);
	bench_told_nothing(&b.bench);
	iommu_map(&b, IOVA + 0x1000, CARVED, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x1000, 1), -BUSWAY_ERANGE);
	bench_told(&b.bench, BUSWAY_VIOLATION_CARVEOUT, 1);
	iommu_map(&b, IOVA + 0x2000, 0x1000, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x2000, 1), -BUSWAY_ERANGE);
	bench_told(&b.bench, BUSWAY_VIOLATION_NO_MEMORY, 1);
	iommu_close(&b);
}

static void who_is_not_translated_passes(void **state)
{
	static struct iommu_bench b;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	assert_int_equal(iommu_put(&b, CARVER, TO_BUS(BUFFER), 1), 0);
	assert_int_equal(iommu_put(&b, COHERENT, TO_BUS(BUFFER), 1), -BUSWAY_ERANGE);
	bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	assert_int_equal(busway_machine_translate(b.bench.machine, device(COHERENT), NULL), 0);
	assert_int_equal(iommu_put(&b, COHERENT, TO_BUS(BUFFER), 2), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER), 2);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

/* ---- routes ---- */

static void a_route_says_who_translates(void **state)
{
	static struct iommu_bench b;
	const struct busway_dma_range two_pages = {{IOVA + 0x10}, {IOVA + 0x1fff}};
	struct busway_landing l;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	assert_int_equal(busway_machine_route(b.bench.machine, device(COHERENT), two_pages,
					      BUSWAY_READ_WRITE, &l),
			 0);
	assert_int_equal(l.refused, BUSWAY_NO_VIOLATION);
	assert_string_equal(l.iommu, "iommu@1000");
	assert_int_equal(l.dma.first, IOVA + 0x10);
	assert_int_equal(l.dma.last, IOVA + 0xfff);
	assert_int_equal(l.at.first, BUFFER + 0x10);
	assert_int_equal(l.at.last, BUFFER + 0xfff);
	assert_int_equal(l.space.index, 0);
	assert_int_equal(
		busway_machine_route(b.bench.machine, device(COHERENT),
				     (struct busway_dma_range){{IOVA + 0x1000}, {IOVA + 0x1fff}},
				     BUSWAY_READ, &l),
		0);
	assert_int_equal(l.refused, BUSWAY_VIOLATION_IOMMU_FAULT);
	assert_non_null(l.reason);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

static void asking_for_a_route_remembers_nothing(void **state)
{
	static struct iommu_bench b;
	const struct busway_dma_range page = {{IOVA}, {IOVA + 0xfff}};
	struct busway_landing l;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	busway_machine_route(b.bench.machine, device(COHERENT), page, BUSWAY_WRITE, &l);
	iommu_clear(&b, IOVA, 0x1000);
	iommu_map(&b, IOVA, BUFFER + 0x5000, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 7), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER + 0x5000), 7);
	bench_told_nothing(&b.bench);
	iommu_close(&b);
}

/* And what is remembered has no say in it. */
static void a_route_goes_by_the_tables(void **state)
{
	static struct iommu_bench b;
	const struct busway_dma_range page = {{IOVA}, {IOVA + 0xfff}};
	struct busway_landing l;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 7), 0);
	iommu_clear(&b, IOVA, 0x1000);
	iommu_map(&b, IOVA, BUFFER + 0x5000, 0x1000, RW);
	busway_machine_route(b.bench.machine, device(COHERENT), page, BUSWAY_WRITE, &l);
	assert_int_equal(l.at.first, BUFFER + 0x5000);
	iommu_close(&b);
}

/* ---- what is mapped by the DMA API ---- */

static void open_strict(struct iommu_bench *b)
{
	const struct busway_machine_options strict = {0};

	draw(b);
	attach_to(b, &strict);
}

/* The IOMMU lets whole pages through; the driver has mapped some bytes of one. */
static void the_rest_of_a_page_is_outside(void **state)
{
	static struct iommu_bench b;
	struct made m = made(COHERENT, BUFFER + 0x80, IOVA + 0x80, 100, BUSWAY_BIDIRECTIONAL);

	(void)state;
	open_strict(&b);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	bench_map(&b.bench, &m);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x80, 1), 0);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x80 + 99, 1), 0);
	bench_told_nothing(&b.bench);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x7f, 1), 0);
	bench_told(&b.bench, BUSWAY_VIOLATION_OUTSIDE, 1);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x80 + 100, 1), 0);
	bench_told(&b.bench, BUSWAY_VIOLATION_OUTSIDE, 1);
	bench_unmap(&b.bench, &m);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x80, 1), 0);
	bench_told(&b.bench, BUSWAY_VIOLATION_AFTER_UNMAP, 1);
	iommu_unmap(&b, IOVA, 0x1000);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA + 0x80, 1), -BUSWAY_ERANGE);
	assert_false(bench_first(&b.bench)->trace.live);
	assert_int_equal(bench_first(&b.bench)->trace.dma.first.raw, IOVA + 0x80);
	bench_told(&b.bench, BUSWAY_VIOLATION_IOMMU_FAULT, 1);
	iommu_close(&b);
}

static void what_is_handed_out_is_followed_through_it(void **state)
{
	static struct iommu_bench b;
	struct made right = made(COHERENT, BUFFER, IOVA, 0x2000, BUSWAY_TO_DEVICE);
	struct made two_places = made(COHERENT, BUFFER, IOVA, 0x3000, BUSWAY_TO_DEVICE);
	struct made elsewhere = made(COHERENT, BUFFER + 0x4000, IOVA, 0x1000, BUSWAY_TO_DEVICE);
	struct made nowhere = made(COHERENT, BUFFER, IOVA + 0x3000, 0x1000, BUSWAY_TO_DEVICE);

	(void)state;
	open_strict(&b);
	iommu_map(&b, IOVA, BUFFER, 0x2000, RW);
	iommu_map(&b, IOVA + 0x2000, BUFFER + 0x8000, 0x1000, RW);
	right.mapping.way = elsewhere.mapping.way = BUSWAY_WAY_DIRECT;
	bench_map(&b.bench, &right);
	bench_told_nothing(&b.bench);
	bench_unmap(&b.bench, &right);
	bench_map(&b.bench, &two_places);
	bench_told(&b.bench, BUSWAY_VIOLATION_ASTRAY, 1);
	bench_unmap(&b.bench, &two_places);
	bench_map(&b.bench, &elsewhere);
	bench_told(&b.bench, BUSWAY_VIOLATION_ASTRAY, 1);
	bench_unmap(&b.bench, &elsewhere);
	bench_map(&b.bench, &nowhere);
	assert_string_equal(bench_first(&b.bench)->hop, "cpu");
	bench_told(&b.bench, BUSWAY_VIOLATION_ASTRAY, 1);
	bench_unmap(&b.bench, &nowhere);
	iommu_close(&b);
}

/* What is stale is told with the mapping that it was. */
static void a_stale_access_names_the_mapping(void **state)
{
	static struct iommu_bench b;
	struct made m = made(COHERENT, BUFFER, IOVA, 0x1000, BUSWAY_FROM_DEVICE);

	(void)state;
	open_strict(&b);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	bench_map(&b.bench, &m);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), 0);
	bench_unmap(&b.bench, &m);
	iommu_clear(&b, IOVA, 0x1000);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 2), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER), 2);
	assert_true(bench_first(&b.bench)->has_trace);
	assert_false(bench_first(&b.bench)->trace.live);
	assert_int_equal(bench_first(&b.bench)->trace.phys.raw, BUFFER);
	bench_told(&b.bench, BUSWAY_VIOLATION_STALE, 1);
	iommu_close(&b);
}

/* ---- arguments and memory ---- */

static void what_cannot_be_walked_is_not_taken(void **state)
{
	static struct iommu_bench b;
	const struct busway_machine_options past = {.walks_past_caches = true};
	struct busway_machine_iommu good, bad;

	(void)state;
	draw(&b);
	iommu_open_drawn(&b, plain, &past);
	good = iommu_of(&b);
	assert_int_equal(busway_machine_translate(b.bench.machine, device(99), &good),
			 -BUSWAY_EINVAL);
#define REFUSED(change)                                                                            \
	bad = good;                                                                                \
	bad.change;                                                                                \
	assert_int_equal(busway_machine_translate(b.bench.machine, device(0), &bad), -BUSWAY_EINVAL)
	REFUSED(name = NULL);
	REFUSED(format = BUSWAY_FORMAT_COUNT);
	REFUSED(granule_lg2 = 13);
	REFUSED(root.start_level = 4);
	REFUSED(root.start_level = 3);
	REFUSED(root.input_bits = 53);
	REFUSED(root.input_bits = 21);
	REFUSED(root.output_bits = 57);
	REFUSED(track_dirty = true);
	REFUSED(format = BUSWAY_VTD_SECOND; bad.root.levels = 6);
	REFUSED(format = BUSWAY_AMD_V1; bad.root.levels = 0);
#undef REFUSED
	iommu_close(&b);
}

static void without_memory_nothing_is_translated(void **state)
{
	static struct iommu_bench b;
	struct busway_machine_iommu iommu;
	unsigned long call = 1;

	(void)state;
	draw(&b);
	iommu_open_drawn(&b, plain, NULL);
	iommu = iommu_of(&b);
	for (;; call++) {
		int status;

		test_memory_fail_at(&b.bench.memory, call, false);
		status = busway_machine_translate(b.bench.machine, device(COHERENT), &iommu);
		test_memory_fail_at(&b.bench.memory, 0, false);
		if (status == 0)
			break;
		assert_int_equal(status, -BUSWAY_ENOMEM);
		assert_int_equal(iommu_put(&b, COHERENT, TO_BUS(BUFFER), (unsigned char)call), 0);
		assert_int_equal(*cpu_at(&b.bench, BUFFER), call);
	}
	assert_true(call > 2);
	iommu_map(&b, IOVA, BUFFER, 0x1000, RW);
	assert_int_equal(iommu_put(&b, COHERENT, IOVA, 99), 0);
	assert_int_equal(*cpu_at(&b.bench, BUFFER), 99);
	iommu_close(&b);
}

/* Tables that cannot be had leave nothing mapped, and all memory is there again afterwards. */
static void without_memory_there_are_no_tables(void **state)
{
	static struct iommu_bench b;
	const struct busway_phys_range run = phys_range(BUFFER, 0x1000);
	busway_phys_t before, after;
	unsigned long call = 1;

	(void)state;
	draw(&b);
	attach_to(&b, NULL);
	assert_int_equal(busway_machine_take(b.bench.machine, 0x1000, 0x1000, NULL, 0, &before), 0);
	busway_machine_give(b.bench.machine, phys_range(before.raw, 0x1000));
	for (; call < 40; call++) {
		int status;

		test_memory_fail_at(&b.bench.memory, call, false);
		status = busway_pagetable_map(b.table, busway_dma(IOVA), &run, 1, RW, NULL);
		test_memory_fail_at(&b.bench.memory, 0, false);
		if (status) {
			assert_int_equal(status, -BUSWAY_ENOMEM);
			assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), -BUSWAY_ERANGE);
			iommu_forget(&b, 0, UINT64_MAX, true);
			continue;
		}
		assert_int_equal(iommu_put(&b, COHERENT, IOVA, 1), 0);
		iommu_unmap(&b, IOVA, 0x1000);
	}
	busway_machine_clear(b.bench.machine);
	assert_int_equal(busway_machine_take(b.bench.machine, 0x1000, 0x1000, NULL, 0, &after), 0);
	assert_int_equal(before.raw, after.raw);
	iommu_close(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bus_limits_what_comes_to_the_iommu),
		cmocka_unit_test(a_doorbell_of_the_bus_rings_untranslated),
		cmocka_unit_test(bridges_above_limit_it_too),
		cmocka_unit_test(a_bus_that_passes_everything_is_no_limit),
		cmocka_unit_test(windows_that_lead_in_a_circle_do_not_end_at_it),
		cmocka_unit_test(what_windows_make_of_the_address_does_not_matter),
		cmocka_unit_test(without_a_bus_every_iova_comes_to_it),
		cmocka_unit_test(what_it_leads_to_is_looked_up_in_the_cpus_space),
		cmocka_unit_test(who_is_not_translated_passes),
		cmocka_unit_test(a_route_says_who_translates),
		cmocka_unit_test(asking_for_a_route_remembers_nothing),
		cmocka_unit_test(a_route_goes_by_the_tables),
		cmocka_unit_test(the_rest_of_a_page_is_outside),
		cmocka_unit_test(what_is_handed_out_is_followed_through_it),
		cmocka_unit_test(a_stale_access_names_the_mapping),
		cmocka_unit_test(what_cannot_be_walked_is_not_taken),
		cmocka_unit_test(without_memory_nothing_is_translated),
		cmocka_unit_test(without_memory_there_are_no_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
