/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu_iova_test.c - the IOVAs that busway_iova_build_group() allows, beside what comes to the
 * IOMMU of the machine, on random platforms.
 */
#include "../support/generate.h"
#include "bench.h"

#include <busway/iova_space.h>

static void open(struct bench *b, uint64_t seed)
{
	const struct busway_machine_options routes = {.routes_only = true};
	/* a root where no memory is: what comes there faults */
	const struct busway_machine_iommu iommu = {
		.name = "iommu",
		.format = BUSWAY_AMD_V1,
		.root = {.levels = 6, .input_bits = 64, .output_bits = 52},
	};

	plan_random(&b->plan, seed, 8);
	bench_open(b, &routes);
	assert_int_equal(busway_machine_translate(b->machine, device(0), &iommu), 0);
}

/*
 * What the set does not look at: the rights of windows, and what on the bus itself answers as
 * memory.
 */
static bool is_known(const struct busway_landing *l)
{
	return l->refused == BUSWAY_VIOLATION_IOMMU_FAULT ||
	       l->refused == BUSWAY_VIOLATION_ACCESS ||
	       (l->region && l->region->kind != BUSWAY_REGION_APERTURE &&
		l->region->kind != BUSWAY_REGION_DOORBELL);
}

/* Return: how many came to the IOMMU. */
static unsigned compare(struct bench *b, const struct busway_intervals *allowed)
{
	const uint64_t base = plan_device_base(&b->plan, 0);
	unsigned come = 0;

	for (uint64_t i = 0; i < b->plan.size; i++) {
		const struct busway_dma_range byte = {{base + i}, {base + i}};
		struct busway_landing l;

		if (!busway_intervals_has(allowed, base + i))
			continue;
		busway_machine_route(b->machine, device(0), byte, BUSWAY_READ_WRITE, &l);
		if (!is_known(&l)) {
			plan_print(&b->plan);
			fail_msg("seed %" PRIu64 ": 0x%" PRIx64 " is allowed: %s", b->plan.seed,
				 base + i, busway_violation_code(l.refused));
		}
		come += l.refused == BUSWAY_VIOLATION_IOMMU_FAULT;
	}
	return come;
}

static void an_iova_that_is_allowed_comes_to_the_iommu(void **state)
{
	static struct bench b;
	const uint64_t seed = random_seed();
	const unsigned rounds = random_rounds(200);
	const struct busway_iova_member member = {.device = {0}};
	unsigned come = 0;

	(void)state;
	for (unsigned round = 0; round < rounds; round++) {
		struct busway_iova iova;

		open(&b, seed + round);
		if (busway_iova_build_group(b.plan.platform, &member, 1, NULL, 0,
					    &b.memory.allocator, &iova) == 0) {
			come += compare(&b, &iova.allowed);
			busway_iova_free(&iova);
		}
		bench_close(&b);
	}
	assert_true(come > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_iova_that_is_allowed_comes_to_the_iommu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
