/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_test.c - PCI functions as recorded trees of sysfs have them, whole and broken.
 */
#define _GNU_SOURCE
#include "recording.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define UP "pci0000:00/0000:00:01.0/0000:01:00.0/"

static struct busway_system *read_good(const struct recording *r, struct test_memory *memory)
{
	struct busway_system_error error;
	struct busway_system *machine = NULL;

	test_memory_open(memory);
	if (read_recording(r, memory, &machine, &error))
		fail_msg("%s: %s", error.file, error.message);
	return machine;
}

static void end(struct busway_system *machine, struct test_memory *memory, struct recording *r)
{
	busway_system_free(machine);
	test_memory_close(memory);
	recording_free(r);
}

static void expect_refused(const struct recording *r, const char *file, const char *words)
{
	struct busway_system_error error;
	struct busway_system *machine = NULL;
	struct test_memory memory;

	test_memory_open(&memory);
	assert_int_equal(read_recording(r, &memory, &machine, &error), -BUSWAY_EINVAL);
	assert_string_equal(error.file, file);
	if (!strstr(error.message, words))
		fail_msg("'%s' is not in '%s'", words, error.message);
	test_memory_close(&memory);
}

/* Those about functions: these machines tell nothing of memory. */
static size_t gap_count(const struct busway_system *machine)
{
	size_t count, about_memory = 0;
	const struct busway_system_gap *gaps = busway_system_gaps(machine, &count);

	for (size_t i = 0; i < count; i++)
		about_memory += strcmp(gaps[i].file, "proc/iomem") == 0;
	return count - about_memory;
}

/* ---- where functions sit ---- */

static void expect_switch(const struct busway_system *machine)
{
	const struct busway_pci_function *f;

	assert_int_equal(busway_pci_count(busway_system_pci(machine)), 8);
	assert_string_equal(above_of(machine, "0000:00:01.0"), "");
	assert_string_equal(above_of(machine, "0000:02:01.0"), "0000:01:00.0");
	assert_string_equal(above_of(machine, "0000:04:00.0"), "0000:02:01.0");
	f = function_at(machine, "0000:04:00.0");
	assert_int_equal(f->type, BUSWAY_PCI_ENDPOINT);
	assert_int_equal(f->dma_mask, 48);
	assert_true(f->bars[0].sized && f->bars[0].has_cpu);
	assert_int_equal(f->bars[0].bus.first, 0xc0100000);
	assert_int_equal(f->bars[0].bus.last, 0xc0100fff);
	assert_int_equal(gap_count(machine), 0);
}

static void links_tell_the_bridges_above(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;

	(void)state;
	record_switch(&r);
	machine = read_good(&r, &memory);
	expect_switch(machine);
	end(machine, &memory, &r);
}

static void a_directory_says_the_same_and_so_does_one_above(void **state)
{
	struct recording r = {0};
	struct busway_system_error error;
	struct busway_system *machine;
	struct test_memory memory;
	char path[64];

	(void)state;
	record_switch(&r);
	recording_directory(&r, path);
	test_memory_open(&memory);
	assert_int_equal(busway_system_read_directory(path, &memory.allocator, &machine, &error),
			 0);
	expect_switch(machine);
	busway_system_free(machine);
	for (size_t i = 0; i < r.count; i++) { /* in a folder of its own */
		char longer[1024];

		snprintf(longer, sizeof(longer), "box/%s", r.files[i].path);
		free(r.files[i].path);
		r.files[i].path = strdup(longer);
	}
	directory_remove(path);
	recording_directory(&r, path);
	assert_int_equal(busway_system_read_directory(path, &memory.allocator, &machine, &error),
			 0);
	directory_remove(path);
	expect_switch(machine);
	end(machine, &memory, &r);
}

static void a_bridge_that_only_paths_name_is_there(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci_function *f;

	(void)state;
	record_switch(&r);
	assert_int_equal(record_without(&r, "sys/bus/pci/devices/0000:02:01.0"), 1);
	record_without(&r, "sys/devices/" UP "0000:02:01.0/config");
	record_without(&r, "sys/devices/" UP "0000:02:01.0/resource");
	record_without(&r, "sys/devices/" UP "0000:02:01.0/vendor");
	machine = read_good(&r, &memory);
	f = function_at(machine, "0000:02:01.0");
	assert_int_equal(f->type, BUSWAY_PCI_UNKNOWN_BRIDGE);
	assert_int_equal(f->config_size, 0);
	assert_int_equal(f->acs.known, BUSWAY_UNKNOWN);
	assert_string_equal(above_of(machine, "0000:02:01.0"), "0000:01:00.0");
	assert_string_equal(above_of(machine, "0000:04:00.0"), "0000:02:01.0");
	assert_false(busway_pci_is_odd(busway_system_pci(machine),
				       busway_pci_find(busway_system_pci(machine),
						       (struct busway_pci_address){0, 4, 0})));
	assert_true(has_gap(machine, "0000:02:01.0", "not listed"));
	end(machine, &memory, &r);
}

static void what_its_path_has_of_it_is_read(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci_function *f;

	(void)state;
	record_switch(&r);
	record_without(&r, "sys/bus/pci/devices/0000:01:00.0");
	record_without(&r, "sys/bus/pci/devices/0000:02:01.0");
	machine = read_good(&r, &memory);
	f = function_at(machine, "0000:02:01.0");
	assert_int_equal(f->type, BUSWAY_PCI_DOWNSTREAM_PORT);
	assert_int_equal(f->config_size, 4096);
	assert_string_equal(above_of(machine, "0000:02:01.0"), "0000:01:00.0");
	assert_int_equal(function_at(machine, "0000:01:00.0")->type, BUSWAY_PCI_UPSTREAM_PORT);
	end(machine, &memory, &r);
}

static void a_listed_bridge_that_says_nothing_is_a_bridge(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;

	(void)state;
	record_switch(&r);
	record_without(&r, "sys/devices/" UP "0000:02:01.0/config");
	machine = read_good(&r, &memory);
	assert_int_equal(function_at(machine, "0000:02:01.0")->type, BUSWAY_PCI_UNKNOWN_BRIDGE);
	assert_string_equal(above_of(machine, "0000:04:00.0"), "0000:02:01.0");
	assert_true(has_gap(machine, "0000:02:01.0/config", "No such file"));
	end(machine, &memory, &r);
}

static void a_root_bus_behind_a_function_is_a_root(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci *pci;
	uint8_t config[CONFIG_ALL];
	size_t oddities;

	(void)state;
	make_endpoint(config, 0xc0000000);
	record_function(&r, "pci0000:00/0000:00:0e.0", config, 256);
	make_port(config, 4, 0xe0, 0xe1, 0xe1);
	record_function(&r, "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0", config, 4096);
	make_endpoint(config, 0xc0100000);
	record_function(&r, "pci0000:00/0000:00:0e.0/pci10000:e0/10000:e0:06.0/10000:e1:00.0",
			config, 4096);
	record_function(&r, "platform/40000000.pcie/pci0002:00/0002:00:00.0", config, 4096);
	machine = read_good(&r, &memory);
	pci = busway_system_pci(machine);
	assert_string_equal(above_of(machine, "10000:e1:00.0"), "10000:e0:06.0");
	assert_string_equal(above_of(machine, "10000:e0:06.0"), "");
	assert_int_equal(function_at(machine, "10000:e0:06.0")->root_bus, 0xe0);
	busway_pci_oddities(pci, &oddities);
	assert_int_equal(oddities, 0);
	assert_int_equal(busway_pci_host_count(pci), 3);
	assert_int_equal(function_at(machine, "0000:00:0e.0")->type, BUSWAY_PCI_ENDPOINT);
	assert_true(function_at(machine, "0002:00:00.0")->has_root_bus);
	assert_int_equal(gap_count(machine), 0);
	end(machine, &memory, &r);
}

static void without_links_bus_numbers_tell(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;

	(void)state;
	record_switch(&r);
	assert_int_equal(record_without(&r, "sys/bus/pci/devices/0000:04:00.0"), 1);
	record_text(&r, "sys/bus/pci/devices/0000:04:00.0/vendor", "0x1234");
	machine = read_good(&r, &memory);
	assert_string_equal(above_of(machine, "0000:04:00.0"), "0000:02:01.0");
	assert_true(has_gap(machine, "0000:04:00.0", "bus numbers"));
	end(machine, &memory, &r);
}

/* ---- what they are ---- */

static void of_64_bytes_nothing_follows_for_acs(void **state)
{
	static const size_t padded[] = {64, 256, 4096};
	uint8_t config[CONFIG_ALL];

	(void)state;
	for (size_t i = 0; i < COUNT(padded); i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;

		/* tar fills up what it could not read with zeros */
		make_endpoint(config, 0xc0000000);
		memset(config + 64, 0, sizeof(config) - 64);
		record_function(&r, "pci0000:00/0000:00:01.0", config, padded[i]);
		machine = read_good(&r, &memory);
		assert_int_equal(function_at(machine, "0000:00:01.0")->config_size, 64);
		assert_int_equal(function_at(machine, "0000:00:01.0")->acs.known, BUSWAY_UNKNOWN);
		assert_int_equal(function_at(machine, "0000:00:01.0")->type, BUSWAY_PCI_UNKNOWN);
		assert_true(has_gap(machine, "config", "64 bytes"));
		end(machine, &memory, &r);
	}
}

static void a_virtual_function_is_what_its_files_say(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci_function *f;
	uint8_t config[CONFIG_ALL];

	(void)state;
	record_switch(&r);
	memset(config, 0xff, sizeof(config));
	record_function(&r, UP "0000:02:01.0/0000:04:00.1", config, 4096);
	record_link(&r, "sys/devices/" UP "0000:02:01.0/0000:04:00.1/physfn", "../0000:04:00.0");
	record_text(&r, "sys/devices/" UP "0000:02:01.0/0000:04:00.1/vendor", "0x8086\n");
	record_text(&r, "sys/devices/" UP "0000:02:01.0/0000:04:00.1/resource",
		    "0x4000000000 0x4000003fff 0x14220c\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n0 0 0\n");
	machine = read_good(&r, &memory);
	f = function_at(machine, "0000:04:00.1");
	assert_true(f->is_virtual);
	assert_int_equal(f->physical.bus, 4);
	assert_int_equal(f->vendor, 0x8086);
	assert_int_equal(f->bars[0].kind, BUSWAY_BAR_MEM64);
	assert_int_equal(f->bars[0].bus.last, 0x4000003fff);
	assert_string_equal(above_of(machine, "0000:04:00.1"), "0000:02:01.0");
	end(machine, &memory, &r);
}

static void groups_are_numbers_and_types(void **state)
{
	static const struct {
		const char *target, *type;
		bool group, translated;
	} cases[] = {
		{"../../../kernel/iommu_groups/7", "DMA-FQ\n", true, true},
		{"../../../kernel/iommu_groups/7", "identity\n", true, false},
		{"../../../kernel/iommu_groups/7", NULL, true, true},
		{"../../../kernel/iommu_groups/seven", "DMA\n", false, false},
		{"../../../kernel/iommu_groups/99999999999", "DMA\n", false, false},
	};
	uint8_t config[CONFIG_ALL];

	(void)state;
	make_endpoint(config, 0xc0000000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;
		const struct busway_pci_function *f;

		record_function(&r, "pci0000:00/0000:00:01.0", config, 4096);
		record_link(&r, "sys/devices/pci0000:00/0000:00:01.0/iommu_group", cases[i].target);
		if (cases[i].type)
			record_text(&r, "sys/kernel/iommu_groups/7/type", cases[i].type);
		machine = read_good(&r, &memory);
		f = function_at(machine, "0000:00:01.0");
		assert_int_equal(f->has_group, cases[i].group);
		assert_int_equal(f->translated, cases[i].translated);
		assert_int_equal(has_gap(machine, "iommu_group", "no group"), !cases[i].group);
		end(machine, &memory, &r);
	}
}

/* ---- what is missing or strange ---- */

static void each_file_that_is_missing_is_a_gap_at_most(void **state)
{
	struct recording whole = {0};

	(void)state;
	record_switch(&whole);
	for (size_t i = 0; i < whole.count; i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;
		char path[1024];

		record_switch(&r);
		snprintf(path, sizeof(path), "%s", r.files[i].path);
		record_without(&r, path);
		machine = read_good(&r, &memory);
		/* an endpoint that nothing names but its link is not there without */
		if (busway_pci_count(busway_system_pci(machine)) != 8)
			assert_int_equal(strncmp(path, "sys/bus/", 8), 0);
		else if (!strstr(path, "vendor") && !strstr(path, "mask"))
			assert_true(gap_count(machine) > 0);
		end(machine, &memory, &r);
	}
	recording_free(&whole);
}

static void strange_content_is_a_gap(void **state)
{
	static const struct {
		const char *file, *content, *gap;
	} cases[] = {
		{"resource", "0x1", "too early"},    {"resource", "", "too early"},
		{"resource", "words", "too early"},  {"config", "", "less than 64"},
		{"config", "short", "less than 64"},
	};
	uint8_t config[CONFIG_ALL];

	(void)state;
	make_endpoint(config, 0xc0000000);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;
		char path[256];

		record_function(&r, "pci0000:00/0000:00:01.0", config, 4096);
		snprintf(path, sizeof(path), "sys/devices/pci0000:00/0000:00:01.0/%s",
			 cases[i].file);
		record_text(&r, path, cases[i].content);
		machine = read_good(&r, &memory);
		if (!has_gap(machine, cases[i].file, cases[i].gap))
			fail_msg("'%s' in %s is no gap", cases[i].content, cases[i].file);
		end(machine, &memory, &r);
	}
}

static void names_that_are_no_addresses_are_one_gap(void **state)
{
	static const char *const bad[] = {"0000:00:1g.0", "0000:00:20.0",     "0000:00:00.8", "x",
					  "0000:00:00",   "123456789:00:00.0"};
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;

	(void)state;
	record_switch(&r);
	for (size_t i = 0; i < COUNT(bad); i++) {
		char path[64];

		snprintf(path, sizeof(path), "sys/bus/pci/devices/%s", bad[i]);
		record_link(&r, path, "../../../devices/pci0000:00/0000:00:01.0");
	}
	machine = read_good(&r, &memory);
	assert_int_equal(busway_pci_count(busway_system_pci(machine)), 8);
	assert_int_equal(gap_count(machine), 1);
	assert_true(has_gap(machine, "devices", "no addresses"));
	end(machine, &memory, &r);
}

static void hostile_links_are_gaps(void **state)
{
	static const char *const targets[] = {
		"0000:00:09.0",                        /* itself */
		"/sys/bus/pci/devices/0000:00:09.0",   /* as well */
		"/etc",                                /* not of this tree */
		"../../../../../../../../etc/passwd",  /* the same */
		"../../../devices",                    /* a folder without names */
		"../../../devices/pci0000:00/../x/..", /* up and down */
		"../../../devices/pci0000:00/0000:00:09.0/0000:00:09.0",
		"../../../devices/pci:/0000:00:/x",
		"",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(targets); i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;

		record_switch(&r);
		record_link(&r, "sys/bus/pci/devices/0000:00:09.0", targets[i]);
		machine = read_good(&r, &memory);
		assert_string_equal(above_of(machine, "0000:04:00.0"), "0000:02:01.0");
		assert_int_equal(function_at(machine, "0000:00:09.0")->config_size, 0);
		assert_true(gap_count(machine) > 0);
		end(machine, &memory, &r);
	}
}

static void what_is_no_machine_is_refused(void **state)
{
	struct recording r = {0};

	(void)state;
	expect_refused(&r, "sys", "not there");
	record_text(&r, "proc/iomem", "");
	expect_refused(&r, "sys", "not there");
	record_text(&r, "sys/kernel/x", "");
	expect_refused(&r, "sys/bus/pci/devices", "not there");
	record_text(&r, "sys/bus/pci/devices", "a file");
	expect_refused(&r, "sys/bus/pci/devices", "not there");
	record_without(&r, "sys");
	record_text(&r, "a/sys/x", "");
	record_text(&r, "b/sys/x", "");
	expect_refused(&r, "sys", "several folders");
	recording_free(&r);
}

static void thousands_of_functions_are_read(void **state)
{
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	uint8_t config[CONFIG_ALL];

	(void)state;
	for (unsigned bus = 1; bus < 250; bus++) {
		char path[128];

		make_port(config, 4, 0, bus, bus);
		snprintf(path, sizeof(path), "pci0000:00/0000:00:%02x.%x", bus >> 3, bus & 7);
		record_function(&r, path, config, 256);
		make_endpoint(config, 0);
		for (unsigned i = 0; i < 12; i++) {
			snprintf(path, sizeof(path), "pci0000:00/0000:00:%02x.%x/0000:%02x:%02x.%x",
				 bus >> 3, bus & 7, bus, i >> 3, i & 7);
			record_function(&r, path, config, 64);
		}
	}
	machine = read_good(&r, &memory);
	assert_int_equal(busway_pci_count(busway_system_pci(machine)), 249 * 13);
	assert_string_equal(above_of(machine, "0000:f9:01.3"), "0000:00:1f.1");
	end(machine, &memory, &r);
}

static void a_hundred_bridges_deep_it_is_read(void **state)
{
	enum { DEEP = 100 };
	struct recording r = {0};
	struct test_memory memory;
	struct busway_system *machine;
	const struct busway_pci *pci;
	uint8_t config[CONFIG_ALL];
	char path[DEEP * 13 + 64] = "pci0000:00";

	(void)state;
	for (unsigned bus = 0; bus <= DEEP; bus++) {
		snprintf(path + strlen(path), 16, "/0000:%02x:00.0", bus);
		make_port(config, bus == 0 ? 4 : bus % 2 ? 5 : 6, bus, bus + 1, 255);
		if (bus == DEEP)
			make_endpoint(config, 0xc0000000);
		if (bus != 50) /* which its path alone names */
			record_function(&r, path, config, 256);
	}
	machine = read_good(&r, &memory);
	pci = busway_system_pci(machine);
	assert_int_equal(busway_pci_count(pci), DEEP + 1);
	assert_int_equal(busway_pci_depth(pci, (busway_pci_id){DEEP}), DEEP);
	assert_int_equal(function_at(machine, "0000:32:00.0")->type, BUSWAY_PCI_UNKNOWN_BRIDGE);
	assert_string_equal(above_of(machine, "0000:33:00.0"), "0000:32:00.0");
	end(machine, &memory, &r);
}

/* ---- while it is being read ---- */

/* A tree of which one call fails, or all calls for one function from some call on. */
struct flaky {
	struct file_tree tree;
	struct file_tree *whole;
	unsigned long calls, fail_at;
	int error;
	const char *gone; /* what is in this path went away then */
};

static int fails(struct flaky *f, const char *path)
{
	f->calls++;
	if (f->gone)
		return f->calls >= f->fail_at && strstr(path, f->gone) ? -ENOENT : 0;
	return f->calls == f->fail_at ? -f->error : 0;
}

static long flaky_read(struct file_tree *tree, const char *path, void *buf, size_t size)
{
	struct flaky *f = (struct flaky *)tree;
	const int error = fails(f, path);

	return error ? error : file_read(f->whole, path, buf, size);
}

static long flaky_link(struct file_tree *tree, const char *path, char *buf, size_t size)
{
	struct flaky *f = (struct flaky *)tree;
	const int error = fails(f, path);

	return error ? error : file_link(f->whole, path, buf, size);
}

static int flaky_list(struct file_tree *tree, const char *path,
		      int (*each)(void *ctx, const char *name), void *ctx)
{
	struct flaky *f = (struct flaky *)tree;
	const int error = fails(f, path);

	return error ? error : file_list(f->whole, path, each, ctx);
}

static int flaky_enter(struct file_tree *tree, const char *name)
{
	struct flaky *f = (struct flaky *)tree;
	const int error = fails(f, name);

	return error ? error : file_tree_enter(f->whole, name);
}

static void flaky_close(struct file_tree *tree)
{
	file_tree_close(((struct flaky *)tree)->whole);
}

static const struct file_tree_calls flaky_calls = {
	.read = flaky_read,
	.link = flaky_link,
	.list = flaky_list,
	.enter = flaky_enter,
	.close = flaky_close,
};

/* Read @r with @f's failure; false: it has come too late to matter. */
static bool read_flaky(const struct recording *r, struct flaky *f, const char *name)
{
	struct busway_system_error error = {0};
	struct busway_system *machine = NULL;
	struct test_memory memory;
	int status;

	f->tree.calls = &flaky_calls;
	f->calls = 0;
	test_memory_open(&memory);
	f->whole = recording_tree(r, &memory.allocator);
	status = read_machine(&f->tree, &memory.allocator, &machine, &error);
	if (status) {
		/* only of the list of functions itself nothing is left */
		assert_int_equal(status, -BUSWAY_EINVAL);
		assert_true(error.file[0] && error.message[0]);
		assert_null(name);
	} else if (name && f->calls >= f->fail_at) {
		const struct busway_pci *pci = busway_system_pci(machine);
		struct busway_pci_address at;

		assert_true(parse_pci_address(name, &at));
		assert_int_equal(has_gap(machine, name, "went away"),
				 !busway_pci_some(busway_pci_find(pci, at)));
		if (f->fail_at == 1) /* before anything of it could be read */
			assert_false(busway_pci_some(busway_pci_find(pci, at)));
		assert_true(busway_pci_count(pci) >= 7);
	}
	busway_system_free(machine);
	test_memory_close(&memory);
	return f->calls >= f->fail_at;
}

static void no_failure_of_one_file_stops_it(void **state)
{
	static const int errors[] = {EACCES, EIO, ENOENT, ENXIO};
	struct recording r = {0};

	(void)state;
	record_switch(&r);
	for (size_t i = 0; i < COUNT(errors); i++) {
		struct flaky f = {.error = errors[i], .fail_at = 1};

		while (read_flaky(&r, &f, NULL))
			f.fail_at++;
		assert_true(f.fail_at > 50);
	}
	recording_free(&r);
}

static void a_function_may_go_away_at_any_time(void **state)
{
	static const char *const names[] = {"0000:04:00.0", "0000:02:01.0", "0000:05:00.0"};
	struct recording r = {0};

	(void)state;
	record_switch(&r);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct flaky f = {.gone = names[i], .fail_at = 1};

		while (read_flaky(&r, &f, names[i]))
			f.fail_at++;
		assert_true(f.fail_at > 50);
	}
	recording_free(&r);
}

/* ---- the processor ---- */

static void only_amd_from_family_17h_on_is_zen(void **state)
{
	static const struct {
		const char *text;
		enum busway_known zen;
	} cases[] = {
		{"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 23\nmodel\t: 1\n",
		 BUSWAY_PRESENT},
		{"vendor_id\t: AuthenticAMD\ncpu family\t: 25\n", BUSWAY_PRESENT},
		{"vendor_id\t: AuthenticAMD\ncpu family\t: 22\n", BUSWAY_ABSENT},
		{"vendor_id\t: GenuineIntel\ncpu family\t: 25\n", BUSWAY_ABSENT},
		{"vendor_id\t: HygonGenuine\ncpu family\t: 24\n", BUSWAY_ABSENT},
		{"model name\t: AuthenticAMD\ncpu family\t: 25\n", BUSWAY_UNKNOWN},
		{"xvendor_id\t: AuthenticAMD\ncpu family\t: 25\n", BUSWAY_UNKNOWN},
		{"vendor_id\t: AuthenticAMD\n", BUSWAY_UNKNOWN},
		{"vendor_id\t: AuthenticAMD\ncpu family\t: many\n", BUSWAY_UNKNOWN},
		{"CPU implementer\t: 0x41\n", BUSWAY_UNKNOWN},
		{"", BUSWAY_UNKNOWN},
		{NULL, BUSWAY_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct recording r = {0};
		struct test_memory memory;
		struct busway_system *machine;

		record_switch(&r);
		if (cases[i].text)
			record_text(&r, "proc/cpuinfo", cases[i].text);
		machine = read_good(&r, &memory);
		if (busway_system_cpu_zen(machine) != cases[i].zen)
			fail_msg("%s", cases[i].text);
		end(machine, &memory, &r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_tell_the_bridges_above),
		cmocka_unit_test(a_directory_says_the_same_and_so_does_one_above),
		cmocka_unit_test(a_bridge_that_only_paths_name_is_there),
		cmocka_unit_test(what_its_path_has_of_it_is_read),
		cmocka_unit_test(a_listed_bridge_that_says_nothing_is_a_bridge),
		cmocka_unit_test(a_root_bus_behind_a_function_is_a_root),
		cmocka_unit_test(without_links_bus_numbers_tell),
		cmocka_unit_test(of_64_bytes_nothing_follows_for_acs),
		cmocka_unit_test(a_virtual_function_is_what_its_files_say),
		cmocka_unit_test(groups_are_numbers_and_types),
		cmocka_unit_test(each_file_that_is_missing_is_a_gap_at_most),
		cmocka_unit_test(strange_content_is_a_gap),
		cmocka_unit_test(names_that_are_no_addresses_are_one_gap),
		cmocka_unit_test(hostile_links_are_gaps),
		cmocka_unit_test(what_is_no_machine_is_refused),
		cmocka_unit_test(thousands_of_functions_are_read),
		cmocka_unit_test(a_hundred_bridges_deep_it_is_read),
		cmocka_unit_test(no_failure_of_one_file_stops_it),
		cmocka_unit_test(a_function_may_go_away_at_any_time),
		cmocka_unit_test(only_amd_from_family_17h_on_is_zen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
