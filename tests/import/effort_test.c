/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * effort_test.c - trees that were written to take long.
 *
 * What is long in a tree, or often in it, costs in proportion. Each case is so large that looking
 * at everything once for each thing in it would take minutes.
 */
#include "blob.h"
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Processor time; generous, because of sanitizers and busy machines. */
static const double SECONDS_MAX = 5;

static void check_effort(struct blob *b, const char *because)
{
	struct busway_platform *platform = NULL;
	struct test_memory memory;
	size_t size;
	void *tree = blob_close(b, &size);
	const clock_t start = clock();
	double seconds;

	test_memory_open(&memory);
	assert_int_equal(busway_fdt_import(tree, size, BUSWAY_FDT_ALL_NODES, &memory.allocator,
					   &platform, NULL),
			 0);
	seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
	busway_platform_destroy(platform);
	test_memory_close(&memory);
	free(tree);
	print_message("# %s: %.2f s for %zu bytes\n", because, seconds, size);
	if (seconds > SECONDS_MAX)
		fail_msg("%s: %.1f seconds", because, seconds);
}

static void begin(struct blob *b, const char *stem, uint32_t i)
{
	char name[32];

	snprintf(name, sizeof(name), "%s@%x", stem, i);
	blob_begin(b, name);
}

static void begin_host(struct blob *b)
{
	blob_begin(b, "pcie");
	blob_string(b, "device_type", "pci");
	blob_cell(b, "#address-cells", 3);
	blob_cell(b, "#size-cells", 2);
}

/* A list of @count strings, each of one letter. */
static void put_strings(struct blob *b, const char *property, size_t count)
{
	char *strings = calloc(count, 2);

	assert_non_null(strings);
	for (size_t i = 0; i < count; i++)
		strings[i * 2] = 'a';
	blob_bytes(b, property, strings, count * 2);
	free(strings);
}

static void a_long_list_of_strings(void **state)
{
	static const char *const properties[] = {"compatible", "reg-names", "interconnect-names"};
	struct blob b;

	for (size_t i = 0; i < COUNT(properties); i++) {
		blob_open_root(&b);
		put_strings(&b, "compatible", 200000);
		begin_host(&b);
		put_strings(&b, properties[i], 200000);
		blob_end(&b);
		blob_begin(&b, "pcie-ep");
		put_strings(&b, properties[i], 200000);
		blob_end(&b);
		blob_end(&b);
		check_effort(&b, properties[i]);
	}
	(void)state;
}

static void many_nodes_below_one_with_a_long_list(void **state)
{
	static const char *const properties[] = {"compatible", "interconnect-names"};
	struct blob b;

	for (size_t i = 0; i < COUNT(properties); i++) {
		blob_open_root(&b);
		begin_host(&b);
		put_strings(&b, properties[i], 100000);
		for (uint32_t n = 0; n < 20000; n++) {
			begin(&b, "fn", n);
			blob_cells(&b, "reg", 5, (uint32_t[]){n << 8, 0, 0, 0, 0});
			blob_end(&b);
		}
		blob_end(&b);
		blob_end(&b);
		check_effort(&b, properties[i]);
	}
	(void)state;
}

/* @count entries of @width cells, filled in by @fill. */
static void put_entries(struct blob *b, size_t count, size_t width,
			void (*fill)(uint32_t i, uint32_t *cells))
{
	uint32_t *cells = calloc(count * width, sizeof(*cells));

	assert_non_null(cells);
	for (size_t i = 0; i < count; i++)
		fill((uint32_t)i, cells + i * width);
	blob_cells(b, "dma-ranges", count * width, cells);
	free(cells);
}

enum { ENTRIES = 50000 };

static void side_by_side(uint32_t i, uint32_t *cells)
{
	cells[0] = i * 0x100;
	cells[1] = i * 0x100 + (i % 2 ? 0x2000000 : 0); /* none of them join */
	cells[2] = 0x100;
}

/* Each reaches over all that come after it. */
static void nested(uint32_t i, uint32_t *cells)
{
	cells[0] = (ENTRIES - i) * 0x100;
	cells[1] = (ENTRIES - i) * 0x100 + (i % 2 ? 0x2000000 : 0);
	cells[2] = i * 0x200 + 1;
}

static void tables_below_tables(void **state)
{
	static void (*const fills[])(uint32_t, uint32_t *) = {side_by_side, nested};
	struct blob b;

	for (size_t i = 0; i < COUNT(fills); i++) {
		blob_open_root(&b);
		blob_begin(&b, "upper");
		blob_cell(&b, "#address-cells", 1);
		blob_cell(&b, "#size-cells", 1);
		put_entries(&b, ENTRIES, 3, fills[i]);
		blob_begin(&b, "lower");
		blob_cell(&b, "#address-cells", 1);
		blob_cell(&b, "#size-cells", 1);
		put_entries(&b, ENTRIES, 3, fills[i]);
		blob_begin(&b, "dev");
		blob_end(&b);
		blob_end(&b);
		blob_end(&b);
		blob_end(&b);
		check_effort(&b, i ? "tables that overlap" : "tables side by side");
	}
	(void)state;
}

/* Buses of 3 cells: the first must be equal, and each entry has another. */
static void lower_class(uint32_t i, uint32_t *cells)
{
	cells[0] = i * 0x100;
	cells[1] = i; /* the code on the bus above */
	cells[3] = i * 0x100;
	cells[4] = 0x100;
}

static void upper_class(uint32_t i, uint32_t *cells)
{
	cells[0] = i;
	cells[2] = i * 0x100;
	cells[3] = i * 0x100;
	cells[4] = 0x100;
}

static void tables_of_many_classes(void **state)
{
	struct blob b;

	blob_open_root(&b);
	blob_begin(&b, "upper");
	blob_cell(&b, "#address-cells", 3);
	blob_cell(&b, "#size-cells", 1);
	put_entries(&b, ENTRIES, 5, upper_class);
	blob_begin(&b, "lower");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	put_entries(&b, ENTRIES, 5, lower_class);
	blob_begin(&b, "dev");
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	blob_end(&b);
	check_effort(&b, "a code for each entry");
	(void)state;
}

static void many_pools_users_and_reservations(void **state)
{
	struct blob b;

	blob_open_root(&b);
	blob_begin(&b, "reserved-memory");
	blob_cell(&b, "#address-cells", 1);
	blob_cell(&b, "#size-cells", 1);
	blob_bytes(&b, "ranges", "", 0);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		begin(&b, "pool", i);
		blob_cells(&b, "reg", 2, (uint32_t[]){i * 0x1000, 0x1000});
		blob_cell(&b, "phandle", i + 1);
		blob_cells(&b, "iommu-addresses", 3,
			   (uint32_t[]){ENTRIES + i + 1, i * 0x1000, 0x1000});
		blob_end(&b);
	}
	blob_end(&b);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		begin(&b, "dev", i);
		blob_cell(&b, "phandle", ENTRIES + i + 1);
		blob_cell(&b, "memory-region", i + 1);
		blob_end(&b);
	}
	blob_end(&b);
	check_effort(&b, "pools, users and reservations");
	(void)state;
}

/* What a host names often is not read again for each of its functions. */
static void many_functions_below_a_long_map(void **state)
{
	uint32_t *map = calloc(ENTRIES, 4 * sizeof(*map));
	uint32_t *regions = calloc(ENTRIES, sizeof(*regions));
	struct blob b;

	assert_non_null(map);
	assert_non_null(regions);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		map[i * 4] = i;
		map[i * 4 + 1] = 1;
		map[i * 4 + 3] = 1;
		regions[i] = 1;
	}
	blob_open_root(&b);
	blob_begin(&b, "iommu");
	blob_cell(&b, "phandle", 1);
	blob_string(&b, "status", "disabled");
	put_strings(&b, "compatible", ENTRIES);
	blob_end(&b);
	begin_host(&b);
	blob_cells(&b, "iommu-map", ENTRIES * 4, map);
	blob_cells(&b, "memory-region", ENTRIES, regions);
	for (uint32_t n = 0; n < 20000; n++) {
		begin(&b, "fn", n);
		blob_cells(&b, "reg", 5, (uint32_t[]){n << 8, 0, 0, 0, 0});
		blob_end(&b);
	}
	blob_end(&b);
	blob_end(&b);
	check_effort(&b, "functions below a long map");
	free(map);
	free(regions);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_long_list_of_strings),
		cmocka_unit_test(many_nodes_below_one_with_a_long_list),
		cmocka_unit_test(tables_below_tables),
		cmocka_unit_test(tables_of_many_classes),
		cmocka_unit_test(many_pools_users_and_reservations),
		cmocka_unit_test(many_functions_below_a_long_map),
	};

	return cmocka_run_group_tests_name("effort", tests, NULL, NULL);
}
