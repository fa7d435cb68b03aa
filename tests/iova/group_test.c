/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * group_test.c - which IOVAs all devices of a group can use: busway_iova_build_group().
 */
#include "../support/generate.h"
#include "../support/test.h"
#include "../support/twin.h"

#include <string.h>

enum { CPU, BUS };

static bool is_removed(const struct busway_iova *iova, struct busway_range range,
		       enum busway_iova_cause cause, const char *by)
{
	for (size_t i = 0; i < iova->removed_count; i++)
		if (iova->removed[i].range.first == range.first &&
		    iova->removed[i].range.last == range.last && iova->removed[i].cause == cause &&
		    strcmp(iova->removed[i].by, by) == 0)
			return true;
	return false;
}

/*
 *   bus    window     0x0000..0xffff, for both devices
 *          aperture   0x2000..0x2fff, doorbell 0x7000..0x7003
 *   first  mask of 15 bits
 *   second reserved   0x4000..0x4fff
 *   kernel reports    0x1000..0x5fff, 0x7000..UINT64_MAX
 */
static void group_has_what_everybody_can_use(void **state)
{
	static const struct busway_region reserved = {
		.range = {0x4000, 0x4fff}, .kind = BUSWAY_REGION_CARVEOUT, .name = "/reserved"};
	static const struct busway_range kernel[] = {{0x1000, 0x5fff}, {0x7000, UINT64_MAX}};
	static const struct busway_iova_report report = {kernel, 2, "kernel"};
	const struct busway_iova_member members[] = {{{0}, NULL}, {{1}, NULL}};
	const struct busway_range expected[] = {
		{0x1000, 0x1fff}, {0x3000, 0x3fff}, {0x5000, 0x5fff}, {0x7004, 0x7fff}};
	struct busway_iova iova;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_space(&plan, BUSWAY_SPACE_PCI);
	plan_window(&plan, BUS, CPU, (struct busway_range){0, 0xffff}, 0x80000000);
	plan_region(&plan, BUS, BUSWAY_REGION_APERTURE, (struct busway_range){0x2000, 0x2fff});
	plan_region(&plan, BUS, BUSWAY_REGION_DOORBELL, (struct busway_range){0x7000, 0x7003});
	plan_device(&plan, BUS);
	plan_device(&plan, BUS);
	plan.devices[0].dma.source = plan.devices[1].dma.source = "/pcie";
	plan.devices[0].emission = busway_emission_mask(15);
	plan.devices[1].iova_reserved = &reserved;
	plan.devices[1].iova_reserved_count = 1;
	plan_open(&plan);
	assert_int_equal(busway_iova_build_group(plan.platform, members, 2, &report, 1,
						 &plan.memory.allocator, &iova),
			 0);
	assert_int_equal(iova.allowed.count, COUNT(expected));
	for (size_t i = 0; i < COUNT(expected); i++) {
		assert_int_equal(iova.allowed.runs[i].first, expected[i].first);
		assert_int_equal(iova.allowed.runs[i].last, expected[i].last);
	}
	assert_true(is_removed(&iova, (struct busway_range){0x10000, UINT64_MAX},
			       BUSWAY_IOVA_NO_WINDOW, "/pcie"));
	assert_true(is_removed(&iova, (struct busway_range){0x2000, 0x2fff}, BUSWAY_IOVA_APERTURE,
			       plan.regions[0].name));
	assert_true(is_removed(&iova, (struct busway_range){0x7000, 0x7003}, BUSWAY_IOVA_DOORBELL,
			       plan.regions[1].name));
	assert_true(is_removed(&iova, (struct busway_range){0x8000, UINT64_MAX},
			       BUSWAY_IOVA_EMISSION, plan.devices[0].name));
	assert_true(is_removed(&iova, reserved.range, BUSWAY_IOVA_RESERVED, "/reserved"));
	assert_true(
		is_removed(&iova, (struct busway_range){0, 0xfff}, BUSWAY_IOVA_REPORTED, "kernel"));
	assert_true(is_removed(&iova, (struct busway_range){0x6000, 0x6fff}, BUSWAY_IOVA_REPORTED,
			       "kernel"));
	assert_int_equal(iova.removed_count, 7); /* what both say is said once */
	assert_string_equal(busway_iova_removed_by(&iova, reserved.range)->by, "/reserved");
	assert_null(busway_iova_removed_by(&iova, expected[0]));
	busway_iova_free(&iova);
	plan_close(&plan);
}

static void reports_out_of_order_are_refused(void **state)
{
	static const struct busway_range backwards[] = {{0x2000, 0x2fff}, {0x1000, 0x1fff}};
	static const struct busway_range behind_the_end[] = {{0x2000, UINT64_MAX}, {0, 1}};
	static const struct busway_range no_range[] = {{2, 1}};
	static const struct busway_iova_report wrong[] = {
		{backwards, 2, "x"}, {behind_the_end, 2, "x"}, {no_range, 1, "x"}};
	const struct busway_iova_member member = {{0}, NULL}, nobody = {{7}, NULL};
	struct busway_iova iova;
	struct plan plan;

	(void)state;
	plan_init(&plan);
	plan_device(&plan, CPU);
	plan_open(&plan);
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_int_equal(busway_iova_build_group(plan.platform, &member, 1, &wrong[i], 1,
							 &plan.memory.allocator, &iova),
				 -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_build_group(plan.platform, &member, 0, NULL, 0,
						 &plan.memory.allocator, &iova),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_iova_build_group(plan.platform, &nobody, 1, NULL, 0,
						 &plan.memory.allocator, &iova),
			 -BUSWAY_EINVAL);
	plan_close(&plan);
}

/* An address is allowed to the group if, and only if, it is to each device by itself. */
static void group_is_what_is_common_to_its_members(void **state)
{
	static struct plan plan;

	(void)state;
	for (unsigned round = 0; round < random_rounds(300); round++) {
		struct busway_iova_member members[PLAN_DEVICES];
		struct busway_iova one[PLAN_DEVICES], group;
		struct rng rng = rng_of(random_seed() + round);
		uint32_t count;

		plan_random(&plan, rng_next(&rng), 8);
		plan_random_device(&plan, &rng);
		plan_random_device(&plan, &rng);
		plan_open(&plan);
		for (count = 0; count < plan.device_count; count++) {
			members[count] = (struct busway_iova_member){{count}, NULL};
			if (busway_iova_build(plan.platform, (busway_device_id){count}, NULL,
					      &plan.memory.allocator, &one[count]))
				break; /* more holes than are told */
		}
		if (!count) {
			plan_close(&plan);
			continue;
		}
		assert_int_equal(busway_iova_build_group(plan.platform, members, count, NULL, 0,
							 &plan.memory.allocator, &group),
				 0);
		for (unsigned i = 0; i < 400; i++) {
			const uint64_t at =
				plan_device_base(&plan, i % count) + rng_below(&rng, 2 * plan.size);
			bool everybody = true;

			for (uint32_t d = 0; d < count; d++)
				everybody = everybody && busway_intervals_has(&one[d].allowed, at);
			if (busway_iova_removed_by(&group, (struct busway_range){at, at}))
				assert_false(busway_intervals_has(&group.allowed, at));
			else
				assert_true(busway_intervals_has(&group.allowed, at) && everybody);
			assert_true(everybody || !busway_intervals_has(&group.allowed, at));
		}
		busway_iova_free(&group);
		for (uint32_t i = 0; i < count; i++)
			busway_iova_free(&one[i]);
		plan_close(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(group_has_what_everybody_can_use),
		cmocka_unit_test(reports_out_of_order_are_refused),
		cmocka_unit_test(group_is_what_is_common_to_its_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
