/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_test.c - which IOVAs a device can use: <busway/iova.h>.
 */
#include "support/generate.h"
#include "support/test.h"
#include "support/twin.h"

#include <string.h>

enum { CPU, BUS };

static struct busway_iova ask(struct plan *plan)
{
	struct busway_iova iova;

	assert_int_equal(busway_iova_build(plan->platform, (busway_device_id){0}, NULL,
					   &plan->memory.allocator, &iova),
			 0);
	return iova;
}

static bool is_removed(const struct busway_iova *iova, struct busway_range range, const char *by)
{
	for (size_t i = 0; i < iova->removed_count; i++)
		if (iova->removed[i].range.first == range.first &&
		    iova->removed[i].range.last == range.last &&
		    strcmp(iova->removed[i].by, by) == 0)
			return true;
	return false;
}

/*
 *   windows        0x1000..0x3fff, 0x8000..0x8fff, through what another hop lets pass
 *   aperture       0x2000..0x20ff
 *   iommu-addresses 0x3f00..0x3fff
 *   mask           16 bits
 */
static void each_hole_names_who_made_it(void **state)
{
	static const struct busway_region reserved = {
		.range = {0x3f00, 0x3fff}, .kind = BUSWAY_REGION_CARVEOUT, .name = "/reserved"};
	struct plan plan;
	struct busway_iova iova;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_PCI);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x1000, 0x3fff}, 0x80000000);
	plan_window(&plan, BUS, CPU, (struct busway_range){0x8000, 0x1ffff}, 0x90000000);
	plan_region(&plan, BUS, BUSWAY_REGION_APERTURE, (struct busway_range){0x2000, 0x20ff});
	plan_device(&plan, BUS);
	plan.devices[0].dma.source = "/pcie";
	plan.devices[0].emission = busway_emission_mask(16);
	plan.devices[0].iova_reserved = &reserved;
	plan.devices[0].iova_reserved_count = 1;
	plan_open(&plan);
	iova = ask(&plan);
	assert_true(is_removed(&iova, (struct busway_range){0, 0xfff}, "/pcie"));
	assert_true(is_removed(&iova, (struct busway_range){0x4000, 0x7fff}, "/pcie"));
	assert_true(is_removed(&iova, (struct busway_range){0x20000, UINT64_MAX}, "/pcie"));
	assert_true(is_removed(&iova, (struct busway_range){0x2000, 0x20ff}, plan.regions[0].name));
	assert_true(is_removed(&iova, reserved.range, "/reserved"));
	assert_true(is_removed(&iova, (struct busway_range){0x10000, UINT64_MAX},
			       plan.devices[0].name));
	assert_int_equal(iova.removed_count, 6);
	assert_int_equal(iova.allowed.count, 3);
	assert_int_equal(iova.allowed.runs[0].first, 0x1000);
	assert_int_equal(iova.allowed.runs[0].last, 0x1fff);
	assert_int_equal(iova.allowed.runs[1].first, 0x2100);
	assert_int_equal(iova.allowed.runs[1].last, 0x3eff);
	assert_int_equal(iova.allowed.runs[2].first, 0x8000);
	assert_int_equal(iova.allowed.runs[2].last, 0xffff);
	busway_iova_free(&iova);
	assert_int_equal(iova.removed_count, 0);
	assert_int_equal(iova.allowed.count, 0);
	busway_iova_free(&iova); /* once more does no harm */
	plan_close(&plan);
}

/* device 0..0xffff -> bridge 0x10000..0x1ffff, where an aperture answers 0x12000..0x12fff */
static void aperture_of_a_bridge_further_up_is_a_hole(void **state)
{
	struct plan plan;
	struct busway_iova iova;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_BUS);
	plan_space(&plan, BUSWAY_SPACE_PCI);
	plan_window(&plan, BUS, BUS + 1, (struct busway_range){0, 0xffff}, 0x10000);
	plan_window(&plan, BUS + 1, CPU, (struct busway_range){0, 0xfffff}, 0);
	plan_region(&plan, BUS + 1, BUSWAY_REGION_APERTURE,
		    (struct busway_range){0x12000, 0x12fff});
	plan_device(&plan, BUS);
	plan_open(&plan);
	iova = ask(&plan);
	assert_true(is_removed(&iova, (struct busway_range){0x2000, 0x2fff}, plan.regions[0].name));
	assert_int_equal(iova.removed_count, 2);
	assert_int_equal(iova.allowed.count, 2);
	assert_int_equal(iova.allowed.runs[0].last, 0x1fff);
	assert_int_equal(iova.allowed.runs[1].first, 0x3000);
	busway_iova_free(&iova);
	plan_close(&plan);
}

static void device_without_limits_has_every_iova(void **state)
{
	struct plan plan;
	struct busway_iova iova;

	(void)state;
	plan_init(&plan);
	plan_device(&plan, CPU);
	plan_open(&plan);
	iova = ask(&plan);
	assert_int_equal(iova.removed_count, 0);
	assert_true(busway_intervals_holds(&iova.allowed, BUSWAY_RANGE_ALL));
	busway_iova_free(&iova);
	plan_close(&plan);
}

static void emission_of_the_call_goes_before_that_of_the_device(void **state)
{
	const struct busway_emission narrow = busway_emission_mask(8);
	struct plan plan;
	struct busway_iova iova;

	(void)state;
	plan_init(&plan);
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(busway_iova_build(plan.platform, (busway_device_id){0}, &narrow,
					   &plan.memory.allocator, &iova),
			 0);
	assert_int_equal(iova.allowed.count, 1);
	assert_int_equal(iova.allowed.runs[0].last, 0xff);
	busway_iova_free(&iova);
	plan_close(&plan);
}

static void too_many_holes_are_refused(void **state)
{
	const struct busway_emission even = {.zero = 1};
	struct plan plan;
	struct busway_iova iova = {.removed_count = 0x77};

	(void)state;
	plan_init(&plan);
	plan_device(&plan, CPU);
	plan_open(&plan);
	assert_int_equal(busway_iova_build(plan.platform, (busway_device_id){0}, &even,
					   &plan.memory.allocator, &iova),
			 -BUSWAY_E2BIG);
	assert_int_equal(iova.removed_count, 0x77);
	plan_close(&plan);
}

/* ---- against a look at each address ---- */

/* Does a window of @space take the address? What passes all of a space 1:1 leads to the next. */
static bool has_window(const struct plan *plan, uint32_t space, uint64_t iova)
{
	for (unsigned hops = 0; space != CPU && hops < PLAN_SPACES; hops++) {
		const struct busway_window *first = NULL;

		for (size_t i = 0; i < plan->window_count && !first; i++)
			if (plan->windows[i].from.index == space)
				first = &plan->windows[i];
		if (!first || first->in.first || first->in.last != UINT64_MAX || first->out.raw)
			break;
		space = first->to.index;
	}
	if (space == CPU)
		return true;
	/* what is behind PCI passes the bridge's windows, too */
	for (size_t i = 0; i < plan->window_count; i++)
		if (plan->windows[i].from.index == space &&
		    plan->spaces[plan->windows[i].to.index].kind == BUSWAY_SPACE_PCI)
			return twin_by_windows(plan, 0, iova, BUSWAY_READ).reason ==
				       BUSWAY_NOT_REFUSED ||
			       twin_by_windows(plan, 0, iova, BUSWAY_WRITE).reason ==
				       BUSWAY_NOT_REFUSED;
	for (size_t i = 0; i < plan->window_count; i++)
		if (plan->windows[i].from.index == space && plan->windows[i].in.first <= iova &&
		    iova <= plan->windows[i].in.last)
			return true;
	return false;
}

static bool has_region(const struct plan *plan, uint32_t space, uint64_t address,
		       enum busway_region_kind kind, enum busway_access access)
{
	for (size_t i = 0; i < plan->region_count; i++)
		if (plan->regions[i].space.index == space && plan->regions[i].kind == kind &&
		    plan->regions[i].range.first <= address &&
		    address <= plan->regions[i].range.last)
			return (plan->regions[i].access & access) == access;
	return false;
}

/* Does a bridge on the way answer, before the access comes to the CPU's space? */
static bool meets_aperture(const struct plan *plan, uint64_t address, enum busway_access access)
{
	uint32_t space = plan->devices[0].dma.enters.index;

	for (unsigned hops = 0; space != CPU && hops < PLAN_SPACES; hops++) {
		const struct busway_window *taken = NULL;

		if (has_region(plan, space, address, BUSWAY_REGION_DOORBELL, 0) ||
		    has_region(plan, space, address, BUSWAY_REGION_CARVEOUT, 0))
			return false;
		if (has_region(plan, space, address, BUSWAY_REGION_APERTURE, 0))
			return hops == 0 ||
			       has_region(plan, space, address, BUSWAY_REGION_APERTURE, access);
		if (has_region(plan, space, address, BUSWAY_REGION_RAM, 0))
			return false;
		for (size_t i = 0; i < plan->window_count && !taken; i++)
			if (plan->windows[i].from.index == space &&
			    plan->windows[i].in.first <= address &&
			    address <= plan->windows[i].in.last)
				taken = &plan->windows[i];
		if (!taken || (taken->access & access) != access)
			return false;
		address = taken->out.raw + (address - taken->in.first);
		space = taken->to.index;
	}
	return false;
}

static bool may_be_used(const struct plan *plan, uint64_t iova)
{
	const struct busway_device *device = &plan->devices[0];

	if (!has_window(plan, device->dma.enters.index, iova))
		return false;
	for (size_t i = 0; i < plan->region_count; i++)
		if (plan->regions[i].kind == BUSWAY_REGION_APERTURE &&
		    plan->regions[i].space.index == device->dma.enters.index &&
		    plan->regions[i].range.first <= iova && iova <= plan->regions[i].range.last)
			return false;
	if (meets_aperture(plan, iova, BUSWAY_READ) || meets_aperture(plan, iova, BUSWAY_WRITE))
		return false;
	for (size_t i = 0; i < device->iova_reserved_count; i++)
		if (device->iova_reserved[i].range.first <= iova &&
		    iova <= device->iova_reserved[i].range.last)
			return false;
	return twin_emits(&device->emission, iova);
}

static void check_address(const struct plan *plan, const struct busway_iova *iova, uint64_t address)
{
	const bool expected = may_be_used(plan, address);
	bool taken = false;

	for (size_t i = 0; i < iova->removed_count; i++) {
		assert_true(iova->removed[i].range.first <= iova->removed[i].range.last);
		assert_non_null(iova->removed[i].by);
		taken = taken || busway_range_has(iova->removed[i].range, address);
	}
	if (busway_intervals_has(&iova->allowed, address) != expected || taken == expected) {
		plan_print(plan);
		fail_msg("0x%" PRIx64 " is %s", address, expected ? "usable" : "not usable");
	}
}

static void every_iova_is_allowed_or_removed(void **state)
{
	const unsigned rounds = random_rounds(150);

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		static struct plan plan;
		struct busway_region reserved[2];
		struct rng rng = rng_of(~(random_seed() + round));
		struct busway_iova iova;

		plan_random(&plan, random_seed() + round, 8);
		bound_emission(&plan.devices[0].emission, plan_device_base(&plan, 0), plan.size);
		for (size_t i = 0; i < COUNT(reserved); i++)
			reserved[i] = (struct busway_region){
				.range = random_range(&rng, plan_device_base(&plan, 0), 64),
				.name = "/reserved",
			};
		plan.devices[0].iova_reserved = reserved;
		plan.devices[0].iova_reserved_count = rng_below(&rng, COUNT(reserved) + 1);
		plan_open(&plan);
		iova = ask(&plan);
		for (size_t s = 0; s < plan.space_count; s++)
			for (uint64_t i = 0; i < plan.size + 2; i++)
				check_address(&plan, &iova, plan.base[s] - 1 + i);
		check_address(&plan, &iova, 0);
		check_address(&plan, &iova, UINT64_MAX);
		for (size_t i = 1; i < iova.removed_count; i++)
			assert_true(iova.removed[i - 1].range.first <= iova.removed[i].range.first);
		busway_iova_free(&iova);
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hole_names_who_made_it),
		cmocka_unit_test(aperture_of_a_bridge_further_up_is_a_hole),
		cmocka_unit_test(device_without_limits_has_every_iova),
		cmocka_unit_test(emission_of_the_call_goes_before_that_of_the_device),
		cmocka_unit_test(too_many_holes_are_refused),
		cmocka_unit_test(every_iova_is_allowed_or_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
