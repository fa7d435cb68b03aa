/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine_failing_test.c - a machine as a platform, when memory runs out: the 1st, 2nd, 3rd...
 * allocation fails. Each failure gives -BUSWAY_ENOMEM, hands nothing out, and gives all memory
 * back.
 *
 * The machines are made in a folder of their own: one with an IOMMU, groups and windows, and one
 * with a device tree.
 */
#define _GNU_SOURCE
#include "support.h"

#include "../../src/import/system_platform.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME  "0000:00:01.0"
#define OTHER "0000:00:02.0"

/* ---- a folder ---- */

static char root[] = "/tmp/busway-machine-XXXXXX";

static void path_in(char path[PATH_MAX], const char *name)
{
	snprintf(path, PATH_MAX, "%s/%s", root, name);
}

static void make_folders(char *path)
{
	for (char *at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/')) {
		*at = 0;
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*at = '/';
	}
}

static void put(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	FILE *file;

	path_in(path, name);
	make_folders(path);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void put_text(const char *name, const char *text)
{
	put(name, text, strlen(text));
}

static void put_link(const char *name, const char *to)
{
	char path[PATH_MAX];

	path_in(path, name);
	make_folders(path);
	assert_int_equal(symlink(to, path), 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static int open_folder(void **state)
{
	(void)state;
	memcpy(root + sizeof(root) - 7, "XXXXXX", 7);
	return mkdtemp(root) ? 0 : -1;
}

static int close_folder(void **state)
{
	(void)state;
	return nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---- machines ---- */

static void put_function(const char *host, const char *name, uint32_t bar)
{
	uint8_t config[256] = {0xf4, 0x1a, 0x00, 0x10, 6};
	char file[128], link[128], text[1024];
	int used;

	for (unsigned i = 0; i < 4; i++)
		config[0x10 + i] = (uint8_t)(bar >> 8 * i);
	snprintf(file, sizeof(file), "sys/devices/%s/%s/config", host, name);
	put(file, config, sizeof(config));
	snprintf(file, sizeof(file), "sys/devices/%s/%s/dma_mask_bits", host, name);
	put_text(file, "32\n");
	used = snprintf(text, sizeof(text), "0x%x 0x%x 0x40200\n", bar, bar + 0xfff);
	for (int i = 0; i < 12; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "0x0 0x0 0x0\n");
	snprintf(file, sizeof(file), "sys/devices/%s/%s/resource", host, name);
	put_text(file, text);
	snprintf(link, sizeof(link), "../../../devices/%s/%s", host, name);
	snprintf(file, sizeof(file), "sys/bus/pci/devices/%s", name);
	put_link(file, link);
}

/* One unit for all, and memory that stays mapped for 00:02.0. Its checksum is wrong. */
static void put_table(void)
{
	static const uint8_t table[96] = {
		[0] = 'D',   'M',  'A', 'R', 96, 0, /* length */
		[36] = 38,                          /* address bits, less one */
		[48] = 0,    0,    16,  0,   1,     /* DRHD: all others */
		[58] = 0xd9, 0xfe,                  /* at 0xfed90000 */
		[64] = 1,    0,    32,  0,          /* RMRR */
		[73] = 0x10,                        /* from 0x1000 ... */
		[80] = 0xff, 0x1f,                  /* ... to 0x1fff */
		[88] = 1,    8,                     /* for an endpoint, */
		[94] = 2,                           /* 00:02.0 */
	};

	put("sys/firmware/acpi/tables/DMAR", table, sizeof(table));
}

static void put_x86(void)
{
	put_function("pci0000:00", NAME, 0xc0000000);
	put_function("pci0000:00", OTHER, 0xe0000000);
	put_text("proc/iomem", "00100000-7fffffff : System RAM\n"
			       "  01000000-01ffffff : Kernel code\n"
			       "c0000000-cfffffff : PCI Bus 0000:00\n"
			       "d0000000-dfffffff : PCI Bus 0000:00\n"
			       "this is no line\n"
			       "fec00000-fec003ff : IOAPIC 0\n"
			       "100000000-17fffffff : System RAM\n");
	put_text("sys/kernel/iommu_groups/3/type", "DMA\n");
	put_text("sys/kernel/iommu_groups/3/reserved_regions",
		 "0x1000 0x1fff direct\n0xfee00000 0xfeefffff msi\nno line\n");
	put_text("sys/kernel/iommu_groups/none", "");
	put_link("sys/devices/pci0000:00/" NAME "/iommu_group", "../../../kernel/iommu_groups/3");
	put_link("sys/devices/pci0000:00/" NAME "/iommu", "../../virtual/iommu/dmar0");
	put_text("sys/class/iommu/dmar0/intel-iommu/cap", "d2008c40660462\n");
	put_text("sys/class/dmi/id/sys_vendor", "A vendor\n");
	put_table();
}

static void put_tree(void)
{
	size_t size;
	void *blob = tree_read("hosts", &size);

	put_function("platform/1.pcie/pci0000:00", NAME, 0x40000000);
	put_link("sys/devices/platform/1.pcie/of_node",
		 "../../../firmware/devicetree/base/soc/pcie@10000000");
	put("sys/firmware/fdt", blob, size);
	put_text("sys/kernel/iommu_groups/0/type", "identity\n");
	free(blob);
}

/* ---- tests ---- */

static unsigned long sweep(bool all_later)
{
	for (unsigned long fail_at = 1;; fail_at++) {
		struct busway_system_error error;
		struct busway_system *machine = NULL;
		struct test_memory memory;
		int status;

		test_memory_open(&memory);
		test_memory_fail_at(&memory, fail_at, all_later);
		status = busway_system_read_directory(root, &memory.allocator, &machine, &error);
		if (status == 0) {
			assert_non_null(busway_system_platform(machine));
			busway_system_free(machine);
			assert_true(memory.calls < fail_at);
			test_memory_close(&memory);
			return fail_at - 1;
		}
		if (status != -BUSWAY_ENOMEM || machine)
			fail_msg("allocation %lu fails: status %d", fail_at, status);
		test_memory_close(&memory);
	}
}

static void check_sweeps(void)
{
	const unsigned long count = sweep(true);

	print_message("# %lu allocations\n", count);
	assert_true(count > 3);
	assert_int_equal(sweep(false), count);
}

static void x86_without_memory(void **state)
{
	(void)state;
	put_x86();
	check_sweeps();
}

static void tree_without_memory(void **state)
{
	(void)state;
	put_tree();
	check_sweeps();
}

static struct busway_system *open_machine(struct test_memory *memory)
{
	struct busway_system_error error;
	struct busway_system *machine;

	test_memory_open(memory);
	assert_int_equal(busway_system_read_directory(root, &memory->allocator, &machine, &error),
			 0);
	return machine;
}

/* Each function knows its device, and the device its function. */
static void functions_and_devices_are_joined(void **state)
{
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci *pci;

	(void)state;
	put_x86();
	machine = open_machine(&memory);
	pci = busway_system_pci(machine);
	assert_int_equal(busway_pci_count(pci), 2);
	for (uint32_t i = 0; i < 2; i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});
		const struct busway_device *d;

		assert_true(f->has_device);
		d = busway_platform_device(busway_system_platform(machine), f->platform_device);
		assert_string_equal(d->name, busway_pci_name(pci, (busway_pci_id){i}));
		assert_int_equal(d->requester, 8 * (i + 1));
		assert_int_equal(d->kind, BUSWAY_DEVICE_PCI_FUNCTION);
	}
	assert_true(busway_pci_host(pci, (busway_pci_host_id){0})->windows_known);
	assert_int_equal(busway_pci_host(pci, (busway_pci_host_id){0})->window_count, 2);
	busway_system_free(machine);
	test_memory_close(&memory);
}

/* A dump has nothing but configuration spaces: all else is unknown, and nothing is direct. */
static void without_files_nothing_is_known(void **state)
{
	static const struct busway_pci_function function = {
		.vendor = 0x1af4,
		.type = BUSWAY_PCI_ENDPOINT,
		.config_size = 256,
		.bars[0] = {.kind = BUSWAY_BAR_MEM32,
			    .assigned = true,
			    .bus = {0xc0000000, 0xc0000000}},
	};
	struct test_memory memory;
	struct busway_system machine = {.arena = {.memory = &memory.allocator}};
	struct busway_iova iova;
	struct reading reading = {.machine = &machine};
	const struct busway_device *d;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_pci_create(&memory.allocator, &machine.pci), 0);
	assert_int_equal(busway_pci_add_function(machine.pci, &function), 0);
	assert_int_equal(busway_pci_seal(machine.pci), 0);
	assert_int_equal(build_platform(&reading), 0);
	assert_false(busway_platform_memory_known(machine.platform));
	d = busway_platform_device(machine.platform, (busway_device_id){1});
	assert_string_equal(d->name, "0000:00:00.0");
	assert_true(d->behind_iommu && d->translated_always && d->dma.restricted);
	assert_int_equal(busway_iova_build(machine.platform, (busway_device_id){1}, NULL,
					   &memory.allocator, &iova),
			 0);
	assert_int_equal(iova.allowed.count, 0);
	busway_iova_free(&iova);
	busway_platform_destroy(machine.platform);
	busway_pci_destroy(machine.pci);
	arena_release(&machine.arena);
	test_memory_close(&memory);
}

static void a_second_join_or_an_unknown_one_is_refused(void **state)
{
	struct busway_outbound window = {.has_cpu = true};
	struct test_memory memory;
	struct busway_system *machine;

	(void)state;
	put_x86();
	machine = open_machine(&memory);
	assert_int_equal(
		busway_pci_join_device(machine->pci, (busway_pci_id){2}, (busway_device_id){0}),
		-BUSWAY_EINVAL);
	assert_int_equal(
		busway_pci_join_translation(machine->pci, (busway_pci_id){2}, BUSWAY_PRESENT),
		-BUSWAY_EINVAL);
	assert_int_equal(busway_pci_join_windows(machine->pci, (busway_pci_host_id){1}, &window, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_pci_join_windows(machine->pci, (busway_pci_host_id){0}, NULL, 1),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_set_function(machine->platform, (busway_device_id){0},
						      &(struct busway_function_facts){0}),
			 -BUSWAY_EINVAL); /* the host bridge */
	assert_int_equal(busway_platform_set_function(machine->platform, (busway_device_id){1},
						      &(struct busway_function_facts){.mask = 65}),
			 -BUSWAY_EINVAL);
	busway_system_free(machine);
	test_memory_close(&memory);
}

/* What importers of ACPI tables are offered. */
static void units_and_reservations_of_tables(void **state)
{
	static const struct system_unit unit = {.name = "dmar9"};
	const struct busway_reserved_region region = {
		.range = {0x1000, 0x1fff}, .type = BUSWAY_RESERVED_DIRECT, .source = "DMAR"};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_system_reservation *reservations;
	uint32_t index, again;
	size_t count;

	(void)state;
	put_x86();
	machine = open_machine(&memory);
	assert_int_equal(system_add_unit(machine, &unit, &index), 0);
	assert_int_equal(system_add_unit(machine, &unit, &again), 0);
	assert_int_equal(again, index);
	/* the link of sysfs goes before, and then what the first table said */
	assert_int_equal(system_set_unit(machine, (busway_pci_id){0}, index), 0);
	assert_int_equal(system_set_unit(machine, (busway_pci_id){1}, index), 0);
	assert_string_equal(system_unit_of(machine, (busway_pci_id){0})->name, "dmar0");
	assert_string_equal(system_unit_of(machine, (busway_pci_id){1})->name, "DRHD@fed90000");
	assert_null(system_unit_of(machine, (busway_pci_id){2}));
	assert_int_equal(system_set_unit(machine, (busway_pci_id){2}, index), -BUSWAY_EINVAL);
	assert_int_equal(system_set_unit(machine, (busway_pci_id){1}, index + 1), -BUSWAY_EINVAL);
	reservations = busway_system_reservations(machine, &count);
	assert_int_equal(count, 1);
	assert_int_equal(reservations[0].function.index, 1);
	assert_int_equal(reservations[0].region.range.first, 0x1000);
	assert_int_equal(system_reserve(machine, (busway_pci_id){1}, &region), 0);
	assert_int_equal(system_reserve(machine, (busway_pci_id){2}, &region), -BUSWAY_EINVAL);
	busway_system_free(machine);
	test_memory_close(&memory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(x86_without_memory, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(tree_without_memory, open_folder, close_folder),
		cmocka_unit_test_setup_teardown(functions_and_devices_are_joined, open_folder,
						close_folder),
		cmocka_unit_test_setup_teardown(a_second_join_or_an_unknown_one_is_refused,
						open_folder, close_folder),
		cmocka_unit_test(without_files_nothing_is_known),
		cmocka_unit_test_setup_teardown(units_and_reservations_of_tables, open_folder,
						close_folder),
	};

	return cmocka_run_group_tests_name("machine-failing", tests, NULL, NULL);
}
