/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory_test.c - banks, reserved memory and pools.
 *
 * Trees: memory.dts, no-memory.dts, reserved*.dts.
 */
#include "support.h"

#include <string.h>

/* ---- banks ---- */

static int open_memory(void **state)
{
	return open_named(state, "memory");
}

static void banks_are_what_the_kernel_takes_for_memory(void **state)
{
	struct tree *tree = *state;

	/* usable-memory before reg; no disabled node, none without device_type, none below a bus;
	 * sizes of zero left out; cut off at 2^64 */
	assert_string_equal(banks_of(tree), "0x100000000+0x40000000 /memory@100000000; "
					    "0x200000000+0x20000000 /memory@100000000; "
					    "0x90000000+0x1000000 /memory@80000000; "
					    "0x0+0x1000 /ram@0; 0x3000+0x1000 /ram@0; "
					    "0xfffffffff0000000+0x10000000 "
					    "/memory@fffffffff0000000");
	assert_true(busway_platform_memory_known(tree->platform));
}

static void reach_is_sorted_by_the_devices_address(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(reach_of(tree, tree_device(tree, "/dev")),
			    "0x0->0x0+0x1000 /ram@0; 0x3000->0x3000+0x1000 /ram@0; "
			    "0x90000000->0x90000000+0x1000000 /memory@80000000; "
			    "0x100000000->0x100000000+0x40000000 /memory@100000000; "
			    "0x200000000->0x200000000+0x20000000 /memory@100000000; "
			    "0xfffffffff0000000->0xfffffffff0000000+0x10000000 "
			    "/memory@fffffffff0000000");
}

static int open_no_memory(void **state)
{
	return open_named(state, "no-memory");
}

static void memory_that_is_not_stated_is_unknown_not_absent(void **state)
{
	struct tree *tree = *state;

	assert_string_equal(banks_of(tree), "");
	assert_false(busway_platform_memory_known(tree->platform));
	/* anything may be memory, as far as the windows go */
	assert_string_equal(reach_of(tree, tree_device(tree, "/bus/dev")),
			    "0x0->0x40000000+0x1000 (memory not stated)");
	assert_string_equal(reach_of(tree, tree_device(tree, "/dev")),
			    "0x0->0x0+2^64 (memory not stated)");
}

/* ---- reserved memory ---- */

static int open_reserved(void **state)
{
	return open_named(state, "reserved");
}

static void static_no_map_regions_in_force_are_carved_out(void **state)
{
	struct tree *tree = *state;

	/* Taken off: both pairs of two@81000000; pools that the kernel rejects as pools.
	 * Not taken off: pools without no-map, disabled ones, the one with a reg of 3 cells, the
	 * one without a size, dynamic ones, and the header's reservation at 0x90000000. */
	assert_string_equal(reach_of(tree, tree_device(tree, "/plain")),
			    "0x80000000->0x80000000+0x1000000 /memory@80000000; "
			    "0x81001000->0x81001000+0xfff000 /memory@80000000; "
			    "0x82002000->0x82002000+0x5ffe000 /memory@80000000; "
			    "0x88001000->0x88001000+0x7ff000 /memory@80000000; "
			    "0x88801000->0x88801000+0x7ff000 /memory@80000000; "
			    "0x89001000->0x89001000+0x36fff000 /memory@80000000");
}

static void usable_is_the_bank_less_the_same_regions(void **state)
{
	struct tree *tree = *state;
	uint64_t bytes;

	assert_int_equal(busway_platform_usable(tree->platform, 0, &tree->memory.allocator, &bytes),
			 0);
	assert_true(bytes == 0x40000000 - 0x1000 - 0x2000 - 0x1000 - 0x1000 - 0x1000);
	assert_int_equal(busway_platform_usable(tree->platform, 1, &tree->memory.allocator, &bytes),
			 -BUSWAY_EINVAL);
}

static void the_headers_reservations_are_kept_apart(void **state)
{
	struct tree *tree = *state;
	size_t count;
	const struct busway_range *reserved = busway_platform_reserved(tree->platform, &count);

	assert_int_equal(count, 1);
	assert_true(reserved[0].first == 0x90000000);
	assert_true(reserved[0].last == 0x90000fff);
}

struct pool_case {
	const char *because, *name;
	enum busway_pool_type type;
	bool enabled, valid, no_map, reusable, dynamic;
	uint64_t base, size;
	size_t users;
};

static void check_pool(const struct pool_case *c, const struct busway_pool *pool)
{
	const uint64_t size = pool->dynamic ? pool->size
			      : pool->empty ? 0
					    : busway_range_span(pool->range) + 1;

	if (strcmp(pool->name, c->name) != 0)
		fail_msg("%s stands where %s should", pool->name, c->name);
	if (pool->type != c->type || pool->enabled != c->enabled || pool->valid != c->valid ||
	    pool->no_map != c->no_map || pool->reusable != c->reusable ||
	    pool->dynamic != c->dynamic || (!pool->dynamic && pool->range.first != c->base) ||
	    size != c->size || pool->user_count != c->users)
		fail_msg("%s: %s", c->name, c->because);
}

static void pools_are_told_as_stated(void **state)
{
#define RESERVED   BUSWAY_POOL_RESERVED
#define SHARED     BUSWAY_POOL_SHARED
#define RESTRICTED BUSWAY_POOL_RESTRICTED
#define AT         "/reserved-memory/"
	static const struct pool_case cases[] = {
		{"no type, no flags", AT "mapped@80000000", RESERVED, true, true, false, false,
		 false, 0x80000000, 0x1000, 4},
		{"the first pair", AT "two@81000000", SHARED, true, true, true, false, false,
		 0x81000000, 0x1000, 1},
		{"the second pair, of one node", AT "two@81000000", SHARED, true, true, true, false,
		 false, 0x82000000, 0x2000, 1},
		{"disabled; no-map does not suit a restricted pool", AT "off@83000000", RESTRICTED,
		 false, false, true, false, false, 0x83000000, 0x1000, 1},
		/* wrong@84000000 has a reg of 3 cells: the kernel skips it */
		{"restricted", AT "restricted@85000000", RESTRICTED, true, true, false, false,
		 false, 0x85000000, 0x100000, 6},
		{"restricted", AT "restricted@86000000", RESTRICTED, true, true, false, false,
		 false, 0x86000000, 0x100000, 2},
		{"dynamic: size without reg", AT "cma", SHARED, true, true, false, true, true, 0,
		 0x2000000, 1},
		{"reg beats size", AT "both@87000000", RESERVED, true, true, false, false, false,
		 0x87000000, 0x1000, 0},
		/* neither has no reg and no size: nothing is reserved */
		{"reusable contradicts no-map", AT "bad-shared@88000000", SHARED, true, false, true,
		 true, false, 0x88000000, 0x1000, 0},
		{"they do not matter where it has no type", AT "bad-plain@88800000", RESERVED, true,
		 true, true, true, false, 0x88800000, 0x1000, 0},
		{"restricted contradicts no-map", AT "bad-no-map@89000000", RESTRICTED, true, false,
		 true, false, false, 0x89000000, 0x1000, 0},
		{"restricted contradicts reusable", AT "bad-reusable@8a000000", RESTRICTED, true,
		 false, false, true, false, 0x8a000000, 0x1000, 0},
		{"restricted contradicts linux,cma-default", AT "bad-cma@8b000000", RESTRICTED,
		 true, false, false, false, false, 0x8b000000, 0x1000, 0},
		{"restricted contradicts linux,dma-default", AT "bad-dma@8c000000", RESTRICTED,
		 true, false, false, false, false, 0x8c000000, 0x1000, 0},
		{"no size: firmware fills it in", AT "zero@8d000000", RESERVED, true, true, true,
		 false, false, 0x8d000000, 0, 0},
		{"outside every bank", AT "sram@1000", RESERVED, true, true, true, false, false,
		 0x1000, 0x1000, 0},
	};
	struct tree *tree = *state;
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(tree->platform, &count);

	assert_int_equal(count, COUNT(cases));
	for (size_t i = 0; i < count; i++)
		check_pool(&cases[i], &pools[i]);
#undef RESERVED
#undef SHARED
#undef RESTRICTED
}

static const struct busway_pool *find_pool(const struct tree *tree, const char *name)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(tree->platform, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(pools[i].name, name) == 0)
			return &pools[i];
	fail_msg("there is no pool %s", name);
	return NULL;
}

static void a_dynamic_pool_tells_where_it_may_be_placed(void **state)
{
	const struct busway_pool *pool = find_pool(*state, AT "cma");

	assert_true(pool->alignment == 0x400000);
	assert_int_equal(pool->alloc_range_count, 2);
	assert_true(pool->alloc_ranges[0].first == 0x80000000);
	assert_true(pool->alloc_ranges[0].last == 0x9fffffff);
	assert_true(pool->alloc_ranges[1].first == 0xa0000000);
	assert_true(pool->alloc_ranges[1].last == 0xafffffff);
}

static void users_are_the_nodes_that_name_a_pool(void **state)
{
	static const char *const users[] = {
		"/user-two",
		"/user-restricted",
		"/pcie@10000000",
		"/pcie@10000000/port@0,0/unrestricted@2,0",
	};
	const struct busway_pool *pool = find_pool(*state, AT "mapped@80000000");

	assert_int_equal(pool->user_count, COUNT(users));
	for (size_t i = 0; i < COUNT(users); i++)
		assert_string_equal(pool->users[i], users[i]);
}

static void a_device_has_its_own_pools_or_its_hosts_restricted_one(void **state)
{
	static const struct device_case cases[] = {
		{"none is named", "/plain", ""},
		{"in the order of the property, the first pair counts", "/user-two",
		 "two@81000000; mapped@80000000"},
		{"the first restricted one restricts", "/user-restricted",
		 "mapped@80000000; restricted@85000000 (restricted); restricted@86000000"},
		{"a disabled one does not", "/user-off", "off@83000000"},
		{"the bridge's own list", "/pcie@10000000",
		 "mapped@80000000; restricted@85000000 (restricted)"},
		{"a port without a list gets the host's restricted pool", "/pcie@10000000/port@0,0",
		 "restricted@85000000 (restricted)"},
		{"and so does a function", "/pcie@10000000/port@0,0/fn@0,0",
		 "restricted@85000000 (restricted)"},
		{"its own list counts before the host's", "/pcie@10000000/port@0,0/own@1,0",
		 "restricted@86000000 (restricted)"},
		{"even one that restricts nothing", "/pcie@10000000/port@0,0/unrestricted@2,0",
		 "mapped@80000000"},
		{"the pool of a port", "/pcie@20000000/port@0,0",
		 "restricted@85000000 (restricted)"},
		{"is not for what is below the port", "/pcie@20000000/port@0,0/fn@0,0", ""},
		{"behind an IOMMU the host's pool is not attached", "/pcie@30000000/fn@0,0", ""},
		{"an IOMMU that is off does not matter", "/pcie@40000000/fn@0,0",
		 "restricted@85000000 (restricted)"},
	};

	check_devices(*state, pools_of, cases, COUNT(cases));
}

static void a_pool_that_the_kernel_ignores_is_noted(void **state)
{
	static const struct device_case cases[] = {
		{"in force", "/user-restricted", "no-table"},
		{"behind an IOMMU", "/translated-user", "no-table restricted-pool-behind-iommu"},
		{"of the host, behind an IOMMU", "/pcie@30000000/fn@0,0",
		 "no-table restricted-pool-behind-iommu"},
	};

	check_devices(*state, notes_of, cases, COUNT(cases));
}

/* What the device is told for @phys; BUSWAY_NOT_REFUSED if it gets an address. */
static enum busway_reason refusal_for(struct tree *tree, const char *path, uint64_t phys,
				      unsigned flags)
{
	const struct busway_phys_range memory = {{phys}, {phys + 0xfff}};
	struct busway_refusal why = {0};
	struct busway_segment segment;
	struct busway_reach *reach;
	size_t count;

	assert_int_equal(busway_reach_build(tree->platform, tree_device(tree, path), NULL,
					    &tree->memory.allocator, &reach),
			 0);
	if (busway_address_for(reach, memory, BUSWAY_READ_WRITE, flags, &segment, 1, &count,
			       &why) == 0)
		why.reason = BUSWAY_NOT_REFUSED;
	busway_reach_destroy(reach);
	return why.reason;
}

static void a_restricted_device_is_never_mapped_directly(void **state)
{
	static const struct {
		const char *because, *path;
		uint64_t phys;
		unsigned flags;
		enum busway_reason reason;
	} cases[] = {
		{"ordinary memory", "/user-restricted", 0x90000000, 0, BUSWAY_RESTRICTED},
		{"not even in its pool", "/user-restricted", 0x85000000, 0, BUSWAY_RESTRICTED},
		{"the host's pool", "/pcie@10000000/port@0,0/fn@0,0", 0x90000000, 0,
		 BUSWAY_RESTRICTED},
		{"a disabled pool restricts nobody", "/user-off", 0x90000000, 0,
		 BUSWAY_NOT_REFUSED},
		{"an IOMMU comes before the pool", "/translated-user", 0x90000000, 0,
		 BUSWAY_BEHIND_IOMMU},
		{"and hides it from the kernel", "/pcie@30000000/fn@0,0", 0x90000000, 0,
		 BUSWAY_BEHIND_IOMMU},
		{"a carve-out is for nobody else", "/plain", 0x81000000, 0, BUSWAY_RESERVED},
		{"what is not memory is refused", "/plain", 0xf0000000, 0, BUSWAY_NO_MEMORY},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const enum busway_reason reason =
			refusal_for(*state, cases[i].path, cases[i].phys, cases[i].flags);

		if (reason != cases[i].reason)
			fail_msg("%s: %s: '%s', not '%s'", cases[i].path, cases[i].because,
				 busway_reason_code(reason), busway_reason_code(cases[i].reason));
	}
}

/* ---- a /reserved-memory that does not count ---- */

/* Its pools are told, as ones that the kernel does not take, and nothing is carved out. */
static void check_ignored(const char *name)
{
	const struct busway_pool *pools;
	struct tree tree;
	size_t count;

	tree_open(&tree, name);
	pools = busway_platform_pools(tree.platform, &count);
	for (size_t i = 0; i < count; i++)
		assert_false(pools[i].valid);
	assert_string_equal(pools_of(&tree, tree_device(&tree, "/dev")), "");
	assert_string_equal(reach_of(&tree, tree_device(&tree, "/dev")),
			    "0x80000000->0x80000000+0x40000000 /memory@80000000");
	tree_close(&tree);
}

static void without_ranges_reserved_memory_is_ignored(void **state)
{
	(void)state;
	check_ignored("reserved-no-ranges");
}

static void with_other_cells_reserved_memory_is_ignored(void **state)
{
	(void)state;
	check_ignored("reserved-other-cells");
}

static void without_cells_of_its_own_reserved_memory_is_ignored(void **state)
{
	(void)state;
	check_ignored("reserved-no-cells");
}

#define ON(open, test) cmocka_unit_test_setup_teardown(test, open, close_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON(open_memory, banks_are_what_the_kernel_takes_for_memory),
		ON(open_memory, reach_is_sorted_by_the_devices_address),
		ON(open_no_memory, memory_that_is_not_stated_is_unknown_not_absent),
		ON(open_reserved, static_no_map_regions_in_force_are_carved_out),
		ON(open_reserved, usable_is_the_bank_less_the_same_regions),
		ON(open_reserved, the_headers_reservations_are_kept_apart),
		ON(open_reserved, pools_are_told_as_stated),
		ON(open_reserved, a_dynamic_pool_tells_where_it_may_be_placed),
		ON(open_reserved, users_are_the_nodes_that_name_a_pool),
		ON(open_reserved, a_device_has_its_own_pools_or_its_hosts_restricted_one),
		ON(open_reserved, a_pool_that_the_kernel_ignores_is_noted),
		ON(open_reserved, a_restricted_device_is_never_mapped_directly),
		cmocka_unit_test(without_ranges_reserved_memory_is_ignored),
		cmocka_unit_test(with_other_cells_reserved_memory_is_ignored),
		cmocka_unit_test(without_cells_of_its_own_reserved_memory_is_ignored),
	};

	return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
