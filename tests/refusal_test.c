/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * refusal_test.c - every reason and every advice is provoked once, and told in words.
 *
 * The table below is also the place to see what users read. A reason of BUSWAY_REASONS that no
 * case provokes fails the test, and so does a kind of advice.
 */
#include "support/plan.h"
#include "support/random.h"
#include "support/test.h"

#include <string.h>

enum { CPU, BUS };

/* ---- how to ask ---- */

static int refused_access(struct plan *plan, struct busway_range dma, enum busway_access access,
			  struct busway_refusal *why)
{
	int status;

	plan_open(plan);
	status = plan_resolve(plan, 0, dma, access, NULL, why);
	plan_close(plan);
	return status;
}

static int refused_address(struct plan *plan, struct busway_range phys, enum busway_access access,
			   struct busway_refusal *why)
{
	struct busway_reach *reach;
	struct busway_segment segment;
	size_t count;
	int status;

	plan_open(plan);
	reach = plan_reach(plan, 0, NULL);
	status = busway_address_for(reach, busway_phys_range(phys), access, 0, &segment, 1, &count,
				    why);
	busway_reach_destroy(reach);
	plan_close(plan);
	return status;
}

/* Of all devices of the plan. */
static int refused_joint(struct plan *plan, uint64_t size, struct busway_refusal *why)
{
	struct busway_reach *reaches[PLAN_DEVICES];
	struct busway_sharer sharers[PLAN_DEVICES] = {0};
	busway_phys_t phys;
	int status;

	plan_open(plan);
	for (uint32_t i = 0; i < plan->device_count; i++) {
		reaches[i] = plan_reach(plan, i, NULL);
		sharers[i].reach = reaches[i];
	}
	status = busway_joint_address(sharers, plan->device_count, size, 1, NULL, 0, 0,
				      &plan->memory.allocator, &phys, why);
	for (uint32_t i = 0; i < plan->device_count; i++)
		busway_reach_destroy(reaches[i]);
	plan_close(plan);
	return status;
}

/*
 * The common platform:
 *
 *   dev --> [ bus ]  0x1000..0x1fff --> 0x80001000,  0x20000..0x2ffff --> 0x90000000   [ cpu ]
 *   RAM     0x80000000..0x80001fff, 0x90000000..0x9000ffff
 */
static void draw(struct plan *plan)
{
	plan_init(plan);
	plan_space(plan, BUSWAY_SPACE_BUS);
	plan_window(plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0x80001000);
	plan_window(plan, BUS, CPU, (struct busway_range){0x20000, 0x2ffff}, 0x90000000);
	plan_ram(plan, (struct busway_range){0x80000000, 0x80001fff});
	plan_ram(plan, (struct busway_range){0x90000000, 0x9000ffff});
	plan_device(plan, BUS);
}

/* ---- what provokes them ---- */

static int access_beyond_the_mask(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].emission = busway_emission_mask(16);
	return refused_access(plan, (struct busway_range){0xfff0, 0x2000f}, 3, why);
}

static int access_to_a_window_beyond_the_mask(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].emission = busway_emission_mask(16);
	return refused_access(plan, (struct busway_range){0x20000, 0x2000f}, 3, why);
}

static int memory_beyond_the_mask(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].emission = busway_emission_mask(16);
	return refused_address(plan, (struct busway_range){0x90000000, 0x90000fff}, 3, why);
}

static int all_windows_beyond_the_mask(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].emission = busway_emission_mask(12);
	return refused_address(plan, (struct busway_range){0x80001000, 0x8000100f}, 3, why);
}

static int access_with_a_wrong_bit(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].emission =
		(struct busway_emission){.zero = ~(uint64_t)0x7fff, .one = 0x1000};
	return refused_access(plan, (struct busway_range){0x2800, 0x2800}, 3, why);
}

static int access_to_a_hole(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	return refused_access(plan, (struct busway_range){0x2000, 0x2fff}, 3, why);
}

static int memory_that_no_window_leads_to(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->window_count = 1;
	return refused_address(plan, (struct busway_range){0x90000000, 0x9000ffff}, 3, why);
}

static int memory_before_a_window(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	return refused_address(plan, (struct busway_range){0x80000ff0, 0x8000100f}, 3, why);
}

static int access_where_nothing_is_stated(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->window_count = 0;
	plan->spaces[BUS].untranslatable = true;
	return refused_access(plan, (struct busway_range){0, 0xf}, 3, why);
}

static int memory_where_nothing_is_stated(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->window_count = 0;
	plan->spaces[BUS].untranslatable = true;
	return refused_address(plan, (struct busway_range){0x80000000, 0x8000000f}, 3, why);
}

static int access_to_two_places(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_window(plan, BUS, CPU, (struct busway_range){0x2000, 0x2fff}, 0x90000000);
	return refused_access(plan, (struct busway_range){0x1ff0, 0x200f}, 3, why);
}

static int write_through_a_window_for_reads(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->windows[0].access = BUSWAY_READ;
	return refused_access(plan, (struct busway_range){0x1800, 0x180f}, BUSWAY_WRITE, why);
}

static int write_to_memory_for_reads(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->regions[1].access = BUSWAY_READ;
	return refused_address(plan, (struct busway_range){0x90000000, 0x9000000f}, BUSWAY_WRITE,
			       why);
}

static int access_to_an_aperture(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_region(plan, BUS, BUSWAY_REGION_APERTURE, (struct busway_range){0x1800, 0x1fff});
	return refused_access(plan, (struct busway_range){0x1000, 0x1fff}, 3, why);
}

static int memory_behind_an_aperture(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_region(plan, BUS, BUSWAY_REGION_APERTURE, (struct busway_range){0x1800, 0x1fff});
	return refused_address(plan, (struct busway_range){0x80001800, 0x8000180f}, 3, why);
}

static int memory_behind_an_earlier_window(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_window(plan, BUS, CPU, (struct busway_range){0x1800, 0x27ff}, 0x80000000);
	return refused_address(plan, (struct busway_range){0x80000000, 0x8000000f}, 3, why);
}

static int access_to_a_carve_out(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_region(plan, CPU, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){0x80001100, 0x800011ff});
	return refused_access(plan, (struct busway_range){0x1000, 0x1fff}, 3, why);
}

static int memory_in_a_carve_out(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_region(plan, CPU, BUSWAY_REGION_CARVEOUT,
		    (struct busway_range){0x80001100, 0x800011ff});
	return refused_address(plan, (struct busway_range){0x80001000, 0x80001fff}, 3, why);
}

static int access_beside_the_memory(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_window(plan, BUS, CPU, (struct busway_range){0x40000, 0x4ffff}, 0x8ffff000);
	return refused_access(plan, (struct busway_range){0x40ff0, 0x40fff}, 3, why);
}

static int memory_that_does_not_exist(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	return refused_address(plan, (struct busway_range){0xa0000000, 0xa0000000}, 3, why);
}

static int memory_that_is_a_doorbell(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_region(plan, CPU, BUSWAY_REGION_DOORBELL, (struct busway_range){0x1000, 0x1003});
	return refused_address(plan, (struct busway_range){0x1000, 0x1003}, 3, why);
}

static int memory_that_is_an_aperture(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_window(plan, CPU, 1, (struct busway_range){0x2000, 0x2fff}, 0);
	return refused_address(plan, (struct busway_range){0x2800, 0x28ff}, 3, why);
}

static int share_where_memory_is_not_stated(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->region_count = 0;
	plan->bank_count = 0;
	plan_region(plan, CPU, BUSWAY_REGION_UNKNOWN, BUSWAY_RANGE_ALL);
	return refused_joint(plan, 0x1000, why);
}

static int memory_for_a_restricted_device(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].restricted_pool =
		plan_pool(plan, (struct busway_range){0x90001000, 0x90001fff});
	return refused_address(plan, (struct busway_range){0x90000000, 0x9000000f}, 3, why);
}

static int memory_for_a_device_whose_pool_has_no_place(struct plan *plan,
						       struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].restricted_pool = plan_pool(plan, (struct busway_range){0, 0});
	plan->pools[0].dynamic = true;
	return refused_address(plan, (struct busway_range){0x90000000, 0x9000000f}, 3, why);
}

static int memory_for_a_device_whose_pool_is_rejected(struct plan *plan,
						      struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].restricted_pool =
		plan_pool(plan, (struct busway_range){0x90001000, 0x90001fff});
	plan->pools[0].valid = false;
	return refused_address(plan, (struct busway_range){0x90001000, 0x9000100f}, 3, why);
}

static int memory_for_a_translated_device(struct plan *plan, struct busway_refusal *why)
{
	static const struct busway_id_map map = {.controller = "/iommu", .enabled = true};

	draw(plan);
	plan->devices[0].behind_iommu = true;
	plan->devices[0].iommu = &map;
	plan->devices[0].iommu_count = 1;
	return refused_address(plan, (struct busway_range){0x90000000, 0x9000000f}, 3, why);
}

static int memory_in_too_many_segments(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].segments =
		(struct busway_segment_limits){.max_size = 0x100, .max_count = 4};
	return refused_address(plan, (struct busway_range){0x90000000, 0x900004ff}, 3, why);
}

static int share_of_more_than_a_segment(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan->devices[0].segments = (struct busway_segment_limits){.boundary = 0x1000};
	return refused_joint(plan, 0x1001, why);
}

static int access_in_a_circle(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_space(plan, BUSWAY_SPACE_BUS);
	plan_window(plan, BUS, 2, (struct busway_range){0x2000, 0x2fff}, 0);
	plan_window(plan, 2, BUS, (struct busway_range){0, 0xfff}, 0x2000);
	return refused_access(plan, (struct busway_range){0x2000, 0x2fff}, 3, why);
}

static int share_of_nothing(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_device(plan, BUS);
	plan->devices[0].emission = busway_emission_mask(16);
	plan->devices[1].emission = (struct busway_emission){.one = 0x20000};
	return refused_joint(plan, 0x1000, why);
}

static int share_of_more_than_there_is(struct plan *plan, struct busway_refusal *why)
{
	draw(plan);
	plan_device(plan, BUS);
	plan->devices[0].emission = busway_emission_mask(16);
	return refused_joint(plan, 0x1800, why);
}

/* ---- the table ---- */

struct refusal_case {
	int (*provoke)(struct plan *plan, struct busway_refusal *why);
	enum busway_reason reason;
	const char *detail, *advice;
};

static const struct refusal_case refusal_cases[] = {
	{access_beyond_the_mask, BUSWAY_BEYOND_MASK,
	 "/device0: bus 0x10000..0x2000f: the device drives no address that high (it drives "
	 "0x0..0xffff)",
	 ""}, /* a mask for all of it would meet the hole between the windows */
	{access_to_a_window_beyond_the_mask, BUSWAY_BEYOND_MASK,
	 "/device0: bus 0x20000..0x2000f: the device drives no address that high (it drives "
	 "0x0..0xffff)",
	 "an 18-bit mask would do"},
	{memory_beyond_the_mask, BUSWAY_BEYOND_MASK,
	 "/device0: bus 0x20000..0x20fff: the device drives no address that high (it drives "
	 "0x0..0xffff)",
	 "an 18-bit mask would do; or a bounce pool of 4 KiB inside CPU 0x80001000..0x80001fff"},
	{all_windows_beyond_the_mask, BUSWAY_BEYOND_MASK,
	 "/device0: bus 0x1000..0x100f: the device drives no address that high (it drives "
	 "0x0..0xfff)",
	 "a 13-bit mask would do; or a window's bus base must be below 2^12"},
	{access_with_a_wrong_bit, BUSWAY_ADDRESS_BITS,
	 "/device0: bus 0x2800..0x2800: the device cannot emit these addresses (the nearest it can "
	 "emit is 0x3000..0x3fff)",
	 "the nearest that would do is bus 0x3000..0x3fff"},
	{access_to_a_hole, BUSWAY_NO_WINDOW,
	 "/bus1: bus 0x2000..0x2fff: no window of this hop forwards the range (the nearest window "
	 "is 0x1000..0x1fff)",
	 "the nearest that would do is bus 0x1000..0x1fff"},
	{memory_that_no_window_leads_to, BUSWAY_NO_WINDOW,
	 "/bus1: CPU 0x90000000..0x9000ffff: no window of this hop forwards the range (the nearest "
	 "window is 0x80001000..0x80001fff)",
	 "a window of /bus1 that covers CPU 0x90000000..0x9000ffff"},
	{memory_before_a_window, BUSWAY_NO_WINDOW,
	 "/bus1: CPU 0x80000ff0..0x80000fff: no window of this hop forwards the range (the nearest "
	 "window is 0x80001000..0x80001fff)",
	 "a bounce pool of 32 bytes inside CPU 0x90000000..0x9000ffff"},
	{access_where_nothing_is_stated, BUSWAY_UNTRANSLATABLE,
	 "/bus1: bus 0x0..0xf: no window of this hop leads through the levels above it", ""},
	{memory_where_nothing_is_stated, BUSWAY_UNTRANSLATABLE,
	 "/bus1: CPU 0x80000000..0x8000000f: no window of this hop leads through the levels above "
	 "it",
	 ""},
	{access_to_two_places, BUSWAY_STRADDLES,
	 "/bus1: bus 0x1ff0..0x200f: parts of the range go different ways (one way goes "
	 "0x1ff0..0x1fff)",
	 "split it behind 0x1fff"},
	{write_through_a_window_for_reads, BUSWAY_ACCESS,
	 "/bus1: bus 0x1800..0x180f: this access is not allowed here (/window0, which is "
	 "0x1000..0x1fff)",
	 ""},
	{write_to_memory_for_reads, BUSWAY_ACCESS,
	 "cpu: CPU 0x90000000..0x9000000f: this access is not allowed here (/region1, which is "
	 "0x90000000..0x9000ffff)",
	 "a bounce pool of 16 bytes inside CPU 0x80001000..0x80001fff"},
	{access_to_an_aperture, BUSWAY_APERTURE,
	 "/bus1: bus 0x1800..0x1fff: an outbound aperture claims the range on the bus (/region2, "
	 "which is 0x1800..0x1fff)",
	 "move the aperture of /region2 off bus 0x1800..0x1fff"},
	{memory_behind_an_aperture, BUSWAY_APERTURE,
	 "/bus1: bus 0x1800..0x180f: an outbound aperture claims the range on the bus (/region2, "
	 "which is 0x1800..0x1fff)",
	 "move the aperture of /region2 off bus 0x1800..0x1fff; or a bounce pool of 16 bytes "
	 "inside CPU 0x90000000..0x9000ffff"},
	{memory_behind_an_earlier_window, BUSWAY_SHADOWED,
	 "/bus1: bus 0x1800..0x180f: an earlier window of this hop takes the addresses (/window0, "
	 "which is 0x1000..0x1fff)",
	 "a bounce pool of 16 bytes inside CPU 0x90000000..0x9000ffff"},
	{access_to_a_carve_out, BUSWAY_RESERVED,
	 "cpu: CPU 0x80001100..0x800011ff: the range is in a no-map carve-out (/region2, which is "
	 "0x80001100..0x800011ff)",
	 ""},
	{memory_in_a_carve_out, BUSWAY_RESERVED,
	 "cpu: CPU 0x80001100..0x800011ff: the range is in a no-map carve-out (/region2, which is "
	 "0x80001100..0x800011ff)",
	 ""},
	{access_beside_the_memory, BUSWAY_NO_MEMORY,
	 "cpu: CPU 0x8ffffff0..0x8fffffff: nothing that is known answers here (the nearest that is "
	 "known is 0x90000000..0x9000ffff)",
	 "the nearest that would do is CPU 0x90000000..0x9000ffff"},
	{memory_that_does_not_exist, BUSWAY_NO_MEMORY,
	 "cpu: CPU 0xa0000000..0xa0000000: nothing that is known answers here (the nearest that is "
	 "known is 0x90000000..0x9000ffff)",
	 ""},
	{memory_that_is_a_doorbell, BUSWAY_NO_MEMORY,
	 "cpu: CPU 0x1000..0x1003: what answers here is not memory (/region2, which is "
	 "0x1000..0x1003)",
	 ""},
	{memory_that_is_an_aperture, BUSWAY_NO_MEMORY,
	 "cpu: CPU 0x2800..0x28ff: what answers here is not memory (/window2, which is "
	 "0x2000..0x2fff)",
	 ""},
	{share_where_memory_is_not_stated, BUSWAY_UNKNOWN_MEMORY,
	 "cpu: 4 KiB wanted: the platform does not say where memory is",
	 "add the /memory node that the boot loader fills in, or ask with a tree taken from the "
	 "running machine"},
	{memory_for_a_restricted_device, BUSWAY_RESTRICTED,
	 "/device0: CPU 0x90000000..0x9000000f: the device may use its restricted pool only "
	 "(/pool0, which is 0x90001000..0x90001fff)",
	 "bounce through /pool0 inside CPU 0x90001000..0x90001fff"},
	{memory_for_a_device_whose_pool_has_no_place, BUSWAY_RESTRICTED,
	 "/device0: CPU 0x90000000..0x9000000f: the device may use its restricted pool only "
	 "(/pool0)",
	 "bounce through /pool0"},
	{memory_for_a_device_whose_pool_is_rejected, BUSWAY_POOL_REJECTED,
	 "/device0: CPU 0x90001000..0x9000100f: the flags of the restricted pool contradict its "
	 "type, so the kernel makes none of it (/pool0)",
	 ""},
	{memory_for_a_translated_device, BUSWAY_BEHIND_IOMMU,
	 "/device0: CPU 0x90000000..0x9000000f: an IOMMU translates what the device emits (/iommu)",
	 "map it in a domain of /iommu, or let the IOMMU pass this device untranslated"},
	{memory_in_too_many_segments, BUSWAY_SEGMENT_LIMITS,
	 "/device0: CPU 0x90000000..0x900004ff: the device takes fewer or smaller segments; it "
	 "takes at most 4 segments, 5 are needed",
	 ""},
	{share_of_more_than_a_segment, BUSWAY_SEGMENT_LIMITS,
	 "/device0: CPU 0x0..0x1000: the device takes fewer or smaller segments",
	 "ask for 4 KiB at most"},
	{access_in_a_circle, BUSWAY_TOO_MANY_HOPS,
	 "/bus1: bus 0x2000..0x2fff: the way never ends: windows lead in a circle", ""},
	{share_of_nothing, BUSWAY_NO_JOINT_MEMORY,
	 "cpu: 4 KiB wanted: there is no memory that all devices reach, aligned and bounded as "
	 "asked",
	 ""},
	{share_of_more_than_there_is, BUSWAY_NO_ROOM,
	 "cpu: 6 KiB wanted: no run of the shared memory that suits alignment and boundaries is "
	 "that long (the longest is 0x80001000..0x80001fff)",
	 "ask for 4 KiB at most"},
};

static struct busway_refusal provoke(const struct refusal_case *c)
{
	struct busway_refusal why;
	static struct plan plan;
	int status;

	memset(&why, 0xa5, sizeof(why));
	status = c->provoke(&plan, &why);
	if (status != -BUSWAY_ERANGE) {
		plan_print(&plan);
		fail_msg("%s: %d, nothing was refused", busway_reason_code(c->reason), status);
	}
	return why;
}

static void refusals_say_what_happened_and_what_would_help(void **state)
{
	unsigned wrong = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(refusal_cases); i++) {
		const struct refusal_case *c = &refusal_cases[i];
		const struct busway_refusal why = provoke(c);
		char detail[512], advice[512];

		busway_refusal_detail(&why, detail, sizeof(detail));
		busway_refusal_advice(&why, advice, sizeof(advice));
		if (why.reason == c->reason && strcmp(detail, c->detail) == 0 &&
		    strcmp(advice, c->advice) == 0)
			continue;
		print_error("# case %zu: %s\n#   %s\n#   %s\n", i, busway_reason_code(why.reason),
			    detail, advice);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* The earlier window leads to a bus where nothing is: it is still what stands in the way. */
static void window_to_nowhere_is_named_as_what_shadows(void **state)
{
	struct plan plan;
	struct busway_refusal why;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, BUS, 2, (struct busway_range){0x1000, 0x1fff}, 0);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x1fff}, 0x80000000);
	plan_ram(&plan, (struct busway_range){0x80000000, 0x80000fff});
	plan_device(&plan, BUS);
	assert_int_equal(refused_address(&plan, (struct busway_range){0x80000000, 0x8000000f}, 3, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_SHADOWED);
	assert_string_equal(why.by, plan.windows[0].name);
	assert_int_equal(why.limit.first, 0x1000);
}

/* Of several IOMMUs, the one that is enabled and translates the device is to be asked. */
static void iommu_that_is_named_is_the_one_that_translates(void **state)
{
	static const struct busway_id_map maps[] = {
		{.controller = "/off", .is_range = true, .id_count = 0x100, .id_mask = 0xffff},
		{.controller = "/other",
		 .is_range = true,
		 .enabled = true,
		 .id_base = 0x200,
		 .id_count = 0x100,
		 .id_mask = 0xffff},
		{.controller = "/mine",
		 .is_range = true,
		 .enabled = true,
		 .id_base = 0x100,
		 .id_count = 0x100,
		 .id_mask = 0xffff},
	};
	struct plan plan;
	struct busway_refusal why;

	(void)state;
	draw(&plan);
	plan.devices[0].behind_iommu = true;
	plan.devices[0].has_requester = true;
	plan.devices[0].requester = 0x108;
	plan.devices[0].iommu = maps;
	plan.devices[0].iommu_count = COUNT(maps);
	assert_int_equal(refused_address(&plan, (struct busway_range){0x90000000, 0x9000000f}, 3, &why),
			 -BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_BEHIND_IOMMU);
	assert_string_equal(why.by, "/mine");
}

static void shadowed_memory_names_the_hop_where_the_way_parts(void **state)
{
	const struct busway_phys_range wanted = {{0x9000}, {0x9fff}};
	static struct plan plan;
	struct busway_refusal why;
	struct busway_reach *reach;
	struct busway_segment segment;
	uint32_t near, far;
	size_t count;

	(void)state;
	plan_init(&plan);
	near = plan_space(&plan, BUSWAY_SPACE_BUS);
	far = plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_window(&plan, near, far, (struct busway_range){0, 0xffff}, 0);
	plan_window(&plan, far, 0, (struct busway_range){0, 0xfff}, 0x1000);
	plan_window(&plan, far, 0, (struct busway_range){0, 0xfff}, 0x9000);
	plan_ram(&plan, (struct busway_range){0x1000, 0x1fff});
	plan_ram(&plan, (struct busway_range){0x9000, 0x9fff});
	plan_device(&plan, near);
	plan_open(&plan);
	reach = plan_reach(&plan, 0, NULL);
	assert_int_equal(
		busway_address_for(reach, wanted, BUSWAY_READ, 0, &segment, 1, &count, &why),
		-BUSWAY_ERANGE);
	assert_int_equal(why.reason, BUSWAY_SHADOWED);
	assert_string_equal(why.hop, plan.spaces[far].name);
	assert_int_equal(why.limit.last, 0xfff);
	busway_reach_destroy(reach);
	plan_close(&plan);
}

/* Fails for a reason that was added without a case; those of the DMA API: map/reasons_test.c. */
static void every_reason_is_provoked(void **state)
{
	bool provoked[BUSWAY_REASON_COUNT] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(refusal_cases); i++)
		provoked[provoke(&refusal_cases[i]).reason] = true;
	for (int reason = 1; reason < BUSWAY_EMPTY_REACH; reason++)
		if (!provoked[reason])
			fail_msg("nothing provokes %s",
				 busway_reason_code((enum busway_reason)reason));
}

static void every_kind_of_advice_is_provoked(void **state)
{
	bool provoked[BUSWAY_ADVISE_MEMORY_NODE + 1] = {false};

	(void)state;
	for (size_t i = 0; i < COUNT(refusal_cases); i++) {
		const struct busway_refusal why = provoke(&refusal_cases[i]);

		assert_in_range(why.advice_count, 0, BUSWAY_ADVICE_MAX);
		for (unsigned a = 0; a < why.advice_count; a++) {
			assert_in_range(why.advice[a].kind, 0, BUSWAY_ADVISE_MEMORY_NODE);
			provoked[why.advice[a].kind] = true;
		}
	}
	for (size_t kind = 0; kind < COUNT(provoked); kind++)
		if (!provoked[kind])
			fail_msg("nothing provokes advice %zu", kind);
}

/* ---- codes ---- */

static void codes_are_unique_and_never_missing(void **state)
{
	static const struct {
		enum busway_reason reason;
		const char *code, *text;
	} all[] = {
#define X(id, code, text) {id, code, text},
		BUSWAY_REASONS(X)
#undef X
	};
	static const struct {
		enum busway_note_code note;
		const char *code, *text;
	} notes[] = {
#define X(id, code, text) {id, code, text},
		BUSWAY_NOTES(X)
#undef X
	};

	(void)state;
	assert_int_equal(COUNT(all), BUSWAY_REASON_COUNT - 1);
	for (size_t i = 0; i < COUNT(all); i++) {
		assert_string_equal(busway_reason_code(all[i].reason), all[i].code);
		assert_string_equal(busway_reason_text(all[i].reason), all[i].text);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(all[i].code, all[j].code);
	}
	assert_int_equal(COUNT(notes), BUSWAY_NOTE_COUNT);
	for (size_t i = 0; i < COUNT(notes); i++) {
		assert_string_equal(busway_note_code(notes[i].note), notes[i].code);
		assert_string_equal(busway_note_text(notes[i].note), notes[i].text);
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(notes[i].code, notes[j].code);
	}
	assert_string_equal(busway_reason_code(BUSWAY_NOT_REFUSED), "");
	assert_string_equal(busway_reason_code(BUSWAY_REASON_COUNT), "");
	assert_string_equal(busway_reason_text((enum busway_reason) - 1), "");
	assert_string_equal(busway_note_code(BUSWAY_NOTE_COUNT), "");
	assert_string_equal(busway_note_text((enum busway_note_code) - 1), "");
}

/* ---- text in buffers that are too small ---- */

enum { TEXT_MAX = 1024, CANARY = 0x5a };

typedef size_t text_fn(const struct busway_refusal *refusal, char *buf, size_t size);

static void check_every_size(text_fn *write, const struct busway_refusal *why)
{
	char full[TEXT_MAX], cut[TEXT_MAX];
	const size_t length = write(why, full, sizeof(full));

	assert_in_range(length, 0, TEXT_MAX - 8);
	assert_int_equal(strlen(full), length);
	assert_int_equal(write(why, NULL, 0), length);
	for (size_t size = 0; size <= length + 2; size++) {
		memset(cut, CANARY, sizeof(cut));
		assert_int_equal(write(why, cut, size), length);
		for (size_t i = size; i < length + 8; i++)
			assert_int_equal(cut[i], CANARY);
		if (!size)
			continue;
		assert_non_null(memchr(cut, '\0', size));
		assert_memory_equal(cut, full, strlen(cut));
		assert_int_equal(strlen(cut), size > length ? length : size - 1);
	}
}

static void text_never_overruns_its_buffer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusal_cases); i++) {
		const struct busway_refusal why = provoke(&refusal_cases[i]);

		check_every_size(busway_refusal_detail, &why);
		check_every_size(busway_refusal_advice, &why);
	}
}

static uint64_t random_number(struct rng *rng)
{
	return rng_chance(rng, 20)   ? UINT64_MAX
	       : rng_chance(rng, 20) ? 0
				     : rng_next(rng) >> rng_below(rng, 64) << rng_below(rng, 20);
}

/* Records that nothing produces have a text as well. */
static void any_record_has_a_text(void **state)
{
	const unsigned rounds = random_rounds(300);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct rng rng = rng_of(random_seed() + round);
		struct busway_refusal why = {
			.reason = (enum busway_reason)rng_below(&rng, BUSWAY_REASON_COUNT + 1),
			.hop = rng_chance(&rng, 80) ? "/a/long@path" : NULL,
			.by = rng_chance(&rng, 50) ? "/b" : NULL,
			.bus_addresses = rng_chance(&rng, 50),
			.asked = {random_number(&rng), random_number(&rng)},
			.limit = {random_number(&rng), random_number(&rng)},
			.has_limit = rng_chance(&rng, 70),
			.advice_count = (unsigned)rng_below(&rng, BUSWAY_ADVICE_MAX + 1),
		};

		for (unsigned i = 0; i < why.advice_count; i++)
			why.advice[i] = (struct busway_advice){
				.kind = (enum busway_advice_kind)rng_below(
					&rng, BUSWAY_ADVISE_MEMORY_NODE + 1),
				.bits = (unsigned)rng_below(&rng, 65),
				.hop = "/c",
				.range = {random_number(&rng), random_number(&rng)},
				.size = random_number(&rng),
			};
		check_every_size(busway_refusal_detail, &why);
		check_every_size(busway_refusal_advice, &why);
	}
}

static void no_refusal_has_no_text(void **state)
{
	const struct busway_refusal why = {.reason = BUSWAY_NOT_REFUSED, .hop = "/x"};
	char text[8] = "before";

	(void)state;
	assert_int_equal(busway_refusal_detail(&why, text, sizeof(text)), 0);
	assert_string_equal(text, "");
	strcpy(text, "before");
	assert_int_equal(busway_refusal_advice(&why, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

/* Names are UTF-8 where somebody writes them so: a cut is between characters. */
static void text_is_cut_at_a_whole_character(void **state)
{
	const struct busway_refusal why = {
		.reason = BUSWAY_NO_WINDOW, .hop = "/\xc3\xa9\xe2\x82\xac", .asked = {0, 1}};
	static const size_t lengths[] = {0, 0, 1, 1, 3, 3, 3, 6, 7}; /* by size of the buffer */
	char text[64];

	(void)state;
	for (size_t size = 1; size < COUNT(lengths); size++) {
		busway_refusal_detail(&why, text, size);
		assert_int_equal(strlen(text), lengths[size]);
	}
}

static void sizes_are_told_in_the_largest_unit_that_fits(void **state)
{
	static const struct {
		uint64_t size;
		const char *text;
	} cases[] = {
		{1, "ask for 1 bytes at most"},
		{1023, "ask for 1023 bytes at most"},
		{1024, "ask for 1 KiB at most"},
		{1025, "ask for 1025 bytes at most"},
		{0x300000, "ask for 3 MiB at most"},
		{(uint64_t)5 << 30, "ask for 5 GiB at most"},
		{(uint64_t)4096 << 40, "ask for 4096 TiB at most"},
		{99999, "ask for 99999 bytes at most"},
		{100000 + 1, "ask for 0x186a1 bytes at most"},
		{UINT64_MAX, "ask for 0xffffffffffffffff bytes at most"},
		{0, "ask for 0 bytes at most"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct busway_refusal why = {
			.reason = BUSWAY_NO_ROOM,
			.advice_count = 1,
			.advice[0] = {.kind = BUSWAY_ADVISE_SMALLER, .size = cases[i].size},
		};
		char text[64];

		busway_refusal_advice(&why, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

/* ---- the version ---- */

static void version_is_three_numbers(void **state)
{
	unsigned a, b, c;
	char rest;

	(void)state;
	assert_int_equal(sscanf(busway_version(), "%u.%u.%u%c", &a, &b, &c, &rest), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(window_to_nowhere_is_named_as_what_shadows),
		cmocka_unit_test(iommu_that_is_named_is_the_one_that_translates),
		cmocka_unit_test(refusals_say_what_happened_and_what_would_help),
		cmocka_unit_test(shadowed_memory_names_the_hop_where_the_way_parts),
		cmocka_unit_test(every_reason_is_provoked),
		cmocka_unit_test(every_kind_of_advice_is_provoked),
		cmocka_unit_test(codes_are_unique_and_never_missing),
		cmocka_unit_test(text_never_overruns_its_buffer),
		cmocka_unit_test(any_record_has_a_text),
		cmocka_unit_test(no_refusal_has_no_text),
		cmocka_unit_test(text_is_cut_at_a_whole_character),
		cmocka_unit_test(sizes_are_told_in_the_largest_unit_that_fits),
		cmocka_unit_test(version_is_three_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
