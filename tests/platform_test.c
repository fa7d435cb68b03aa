/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform_test.c - building a platform, sealing it, and finding what is in it.
 */
#include "support/plan.h"
#include "support/test.h"

#include <string.h>

/* ---- a platform that is being built ---- */

struct fixture {
	struct test_memory memory;
	struct busway_platform *platform;
	busway_space_id bus;
};

static const struct busway_space a_bus = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};

static int open_fixture(void **state)
{
	static struct fixture fixture;

	test_memory_open(&fixture.memory);
	assert_int_equal(busway_platform_create(&fixture.memory.allocator, &fixture.platform), 0);
	assert_int_equal(busway_platform_add_space(fixture.platform, &a_bus, &fixture.bus), 0);
	*state = &fixture;
	return 0;
}

static int close_fixture(void **state)
{
	struct fixture *f = *state;

	busway_platform_destroy(f->platform);
	test_memory_close(&f->memory);
	return 0;
}

static struct busway_device device_of(const struct fixture *f, const char *name)
{
	return (struct busway_device){
		.name = name,
		.dma = {.enters = f->bus},
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
}

/* How many of everything there are: a failed call leaves that as it was. */
struct counts {
	size_t spaces, windows, regions, banks, pools, devices, reserved;
};

static struct counts count_all(const struct busway_platform *platform)
{
	struct counts c = {
		.spaces = busway_platform_space_count(platform),
		.devices = busway_platform_device_count(platform),
	};

	busway_platform_windows(platform, &c.windows);
	busway_platform_regions(platform, &c.regions);
	busway_platform_banks(platform, &c.banks);
	busway_platform_pools(platform, &c.pools);
	busway_platform_reserved(platform, &c.reserved);
	return c;
}

static void check_counts(const struct fixture *f, struct counts before, const char *because)
{
	const struct counts after = count_all(f->platform);

	if (memcmp(&before, &after, sizeof(after)) != 0)
		fail_msg("%s: refused, but something was added", because);
}

/* ---- building ---- */

static void new_platform_has_the_cpu_space_only(void **state)
{
	struct test_memory memory;
	struct busway_platform *platform;
	size_t count = 7;

	(void)state;
	test_memory_open(&memory);
	assert_int_equal(busway_platform_create(&memory.allocator, &platform), 0);
	assert_int_equal(busway_platform_space_count(platform), 1);
	assert_int_equal(busway_platform_space(platform, BUSWAY_CPU_SPACE)->kind, BUSWAY_SPACE_CPU);
	assert_string_equal(busway_platform_space(platform, BUSWAY_CPU_SPACE)->name, "cpu");
	assert_int_equal(busway_platform_device_count(platform), 0);
	assert_string_equal(busway_platform_model(platform), "");
	busway_platform_compatible(platform, &count);
	assert_int_equal(count, 0);
	assert_false(busway_platform_memory_known(platform));
	busway_platform_destroy(platform);
	test_memory_close(&memory);
}

static void destroying_nothing_is_allowed(void **state)
{
	(void)state;
	busway_platform_destroy(NULL);
	busway_reach_destroy(NULL);
}

static void spaces_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *because;
		struct busway_space space;
		int status;
	} cases[] = {
		{"no name", {NULL, BUSWAY_SPACE_BUS, false}, -BUSWAY_EINVAL},
		{"there is one CPU space already",
		 {"/cpu2", BUSWAY_SPACE_CPU, false},
		 -BUSWAY_EINVAL},
		{"a bus", {"/soc", BUSWAY_SPACE_BUS, false}, 0},
		{"a PCI bus", {"/pcie@1", BUSWAY_SPACE_PCI, true}, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct counts before = count_all(f->platform);
		busway_space_id id = {0x77};

		if (busway_platform_add_space(f->platform, &cases[i].space, &id) != cases[i].status)
			fail_msg("case %zu: %s", i, cases[i].because);
		if (cases[i].status) {
			assert_int_equal(id.index, 0x77);
			check_counts(f, before, cases[i].because);
		} else {
			assert_int_equal(id.index, before.spaces);
			assert_string_equal(busway_platform_space(f->platform, id)->name,
					    cases[i].space.name);
		}
	}
}

static void windows_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *because;
		struct busway_window window;
		int status;
	} cases[] = {
		{"from nowhere", {.from = {2}, .to = {0}, .name = "w"}, -BUSWAY_EINVAL},
		{"to nowhere", {.from = {1}, .to = {2}, .name = "w"}, -BUSWAY_EINVAL},
		{"far from anywhere", {.from = {UINT32_MAX}, .name = "w"}, -BUSWAY_EINVAL},
		{"no name", {.from = {1}}, -BUSWAY_EINVAL},
		{"first behind last", {.from = {1}, .in = {2, 1}, .name = "w"}, -BUSWAY_EINVAL},
		{"comes out beyond 2^64",
		 {.from = {1}, .in = {0, 1}, .out = {UINT64_MAX}, .name = "w"},
		 -BUSWAY_EINVAL},
		{"all addresses, one further",
		 {.from = {1}, .in = {0, UINT64_MAX}, .out = {1}, .name = "w"},
		 -BUSWAY_EINVAL},
		{"all addresses", {.from = {1}, .in = {0, UINT64_MAX}, .name = "w"}, 0},
		{"up to the last address",
		 {.from = {1}, .in = {0, 1}, .out = {UINT64_MAX - 1}, .name = "w"},
		 0},
		{"from the last address",
		 {.from = {1}, .in = {UINT64_MAX, UINT64_MAX}, .out = {0}, .name = "w"},
		 0},
		{"the last to the last",
		 {.from = {1}, .in = {UINT64_MAX, UINT64_MAX}, .out = {UINT64_MAX}, .name = "w"},
		 0},
		{"into itself", {.from = {1}, .to = {1}, .in = {0, 5}, .name = "w"}, 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct counts before = count_all(f->platform);

		if (busway_platform_add_window(f->platform, &cases[i].window) != cases[i].status)
			fail_msg("case %zu: %s", i, cases[i].because);
		if (cases[i].status)
			check_counts(f, before, cases[i].because);
	}
}

static void regions_that_make_no_sense_are_refused(void **state)
{
	static const struct {
		const char *because;
		struct busway_region region;
		int status;
	} cases[] = {
		{"in no space", {.space = {2}, .name = "r"}, -BUSWAY_EINVAL},
		{"no name", {.range = {0, 1}}, -BUSWAY_EINVAL},
		{"first behind last", {.range = {1, 0}, .name = "r"}, -BUSWAY_EINVAL},
		{"of no kind",
		 {.name = "r", .kind = (enum busway_region_kind)(BUSWAY_REGION_UNKNOWN + 1)},
		 -BUSWAY_EINVAL},
		{"one byte at 0", {.name = "r", .kind = BUSWAY_REGION_RAM}, 0},
		{"all addresses",
		 {.name = "r", .range = {0, UINT64_MAX}, .kind = BUSWAY_REGION_UNKNOWN},
		 0},
		{"the last byte",
		 {.name = "r", .range = {UINT64_MAX, UINT64_MAX}, .kind = BUSWAY_REGION_CARVEOUT},
		 0},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct counts before = count_all(f->platform);

		if (busway_platform_add_region(f->platform, &cases[i].region) != cases[i].status)
			fail_msg("case %zu: %s", i, cases[i].because);
		if (cases[i].status)
			check_counts(f, before, cases[i].because);
	}
}

static void banks_pools_and_reservations_that_make_no_sense_are_refused(void **state)
{
	const struct busway_memory_bank nameless = {NULL, {0, 1}}, backwards = {"b", {1, 0}};
	const struct busway_pool nameless_pool = {.range = {0, 1}};
	const struct busway_pool backwards_pool = {.name = "p", .range = {1, 0}};
	const struct busway_pool dynamic_pool = {.name = "p", .dynamic = true, .range = {1, 0}};
	struct fixture *f = *state;
	const struct counts before = count_all(f->platform);
	uint32_t index = 0x77;

	assert_int_equal(busway_platform_add_bank(f->platform, &nameless), -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_bank(f->platform, &backwards), -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_pool(f->platform, &nameless_pool, &index),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_pool(f->platform, &backwards_pool, &index),
			 -BUSWAY_EINVAL);
	assert_int_equal(index, 0x77);
	assert_int_equal(busway_platform_add_reserved(f->platform, (struct busway_range){1, 0}),
			 -BUSWAY_EINVAL);
	check_counts(f, before, "banks, pools, reservations");
	assert_int_equal(busway_platform_add_pool(f->platform, &dynamic_pool, &index), 0);
	assert_int_equal(index, 0);
	assert_int_equal(busway_platform_add_reserved(f->platform, BUSWAY_RANGE_ALL), 0);
}

static void devices_that_make_no_sense_are_refused(void **state)
{
	struct fixture *f = *state;
	const struct busway_pool pool = {.name = "p", .range = {0, 1}};
	struct busway_device nameless = device_of(f, NULL), lost = device_of(f, "/lost");
	struct busway_device poolless = device_of(f, "/poolless"), pooled = device_of(f, "/pooled");
	const struct counts before = count_all(f->platform);
	busway_device_id id = {0x77};
	uint32_t index;

	lost.dma.enters.index = 2;
	poolless.restricted_pool = 0;
	pooled.restricted_pool = 0;
	assert_int_equal(busway_platform_add_device(f->platform, &nameless, &id), -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_device(f->platform, &lost, &id), -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_add_device(f->platform, &poolless, &id), -BUSWAY_EINVAL);
	assert_int_equal(id.index, 0x77);
	check_counts(f, before, "devices");
	assert_int_equal(busway_platform_add_pool(f->platform, &pool, &index), 0);
	assert_int_equal(busway_platform_add_device(f->platform, &pooled, &id), 0);
	assert_int_equal(id.index, 0);
}

/* A segment boundary is a power of two, whichever way it is stated. */
static void boundary_that_is_no_power_of_two_is_refused(void **state)
{
	const struct busway_segment_limits odd = {.boundary = 3},
					   even = {.boundary = 4, .max_size = 3};
	struct fixture *f = *state;
	struct busway_device device = device_of(f, "/dev");
	busway_device_id id;

	device.segments = odd;
	assert_int_equal(busway_platform_add_device(f->platform, &device, &id), -BUSWAY_EINVAL);
	device.segments = even;
	assert_int_equal(busway_platform_add_device(f->platform, &device, &id), 0);
	assert_int_equal(busway_platform_set_segments(f->platform, id, &odd), -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_device(f->platform, id)->segments.boundary, 4);
	assert_int_equal(busway_platform_set_segments(f->platform, (busway_device_id){1}, &even),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_platform_set_segments(f->platform, BUSWAY_NO_DEVICE, &even),
			 -BUSWAY_EINVAL);
	assert_int_equal(
		busway_platform_set_segments(f->platform, id, &(struct busway_segment_limits){0}),
		0);
	assert_int_equal(busway_platform_device(f->platform, id)->segments.boundary, 0);
}

/* Vectors grow; what was added stays in its order and as it was. */
static void what_was_added_can_be_read_in_order(void **state)
{
	enum { MANY = 300 };
	struct fixture *f = *state;
	size_t count;

	for (uint32_t i = 0; i < MANY; i++) {
		const struct busway_space space = {.name = "/s", .kind = BUSWAY_SPACE_PCI};
		const struct busway_window window = {
			.from = {i}, .to = {i / 2}, .in = {i, 2 * i}, .out = {3 * i}, .name = "w"};
		const struct busway_region region = {.range = {i, i + 1}, .name = "r"};
		const struct busway_memory_bank bank = {"b", {4 * i, 5 * i}};
		const struct busway_pool pool = {.name = "p", .range = {i, 6 * i}};
		const struct busway_device device = {
			.name = "/d", .dma = {.enters = {i}}, .restricted_pool = i};
		busway_space_id space_id;
		busway_device_id device_id;
		uint32_t index;

		assert_int_equal(busway_platform_add_space(f->platform, &space, &space_id), 0);
		assert_int_equal(space_id.index, i + 2);
		assert_int_equal(busway_platform_add_window(f->platform, &window), 0);
		assert_int_equal(busway_platform_add_region(f->platform, &region), 0);
		assert_int_equal(busway_platform_add_bank(f->platform, &bank), 0);
		assert_int_equal(busway_platform_add_pool(f->platform, &pool, &index), 0);
		assert_int_equal(index, i);
		assert_int_equal(busway_platform_add_device(f->platform, &device, &device_id), 0);
		assert_int_equal(device_id.index, i);
		assert_int_equal(
			busway_platform_add_reserved(f->platform, (struct busway_range){i, 7 * i}),
			0);
	}
	assert_int_equal(busway_platform_seal(f->platform), 0);
	assert_int_equal(busway_platform_space_count(f->platform), MANY + 2);
	assert_int_equal(busway_platform_device_count(f->platform), MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		const struct busway_window *window =
			&busway_platform_windows(f->platform, &count)[i];
		const struct busway_device *device =
			busway_platform_device(f->platform, (busway_device_id){i});

		assert_int_equal(count, MANY);
		assert_int_equal(window->from.index, i);
		assert_int_equal(window->in.last, 2 * i);
		assert_int_equal(window->out.raw, 3 * i);
		assert_int_equal(busway_platform_regions(f->platform, &count)[i].range.first, i);
		assert_ptr_equal(busway_platform_region(f->platform, (busway_region_id){i}),
				 &busway_platform_regions(f->platform, &count)[i]);
		assert_int_equal(count, MANY);
		assert_int_equal(busway_platform_banks(f->platform, &count)[i].range.last, 5 * i);
		assert_int_equal(count, MANY);
		assert_int_equal(busway_platform_pools(f->platform, &count)[i].range.last, 6 * i);
		assert_int_equal(count, MANY);
		assert_int_equal(busway_platform_reserved(f->platform, &count)[i].last, 7 * i);
		assert_int_equal(count, MANY);
		assert_int_equal(device->dma.enters.index, i);
		assert_int_equal(device->restricted_pool, i);
	}
}

static void kept_memory_is_aligned_and_apart(void **state)
{
	struct fixture *f = *state;
	unsigned char *kept[200];
	size_t sizes[200];

	for (size_t i = 0; i < COUNT(kept); i++) {
		const size_t align = (size_t)1 << i % 8;

		sizes[i] = i % 50 == 49 ? 20000 : i * 7 % 300;
		kept[i] = busway_platform_keep(f->platform, sizes[i], align);
		assert_non_null(kept[i]);
		assert_int_equal((uintptr_t)kept[i] % align, 0);
		memset(kept[i], (int)i, sizes[i]);
	}
	for (size_t i = 0; i < COUNT(kept); i++)
		for (size_t at = 0; at < sizes[i]; at++)
			assert_int_equal(kept[i][at], i);
	assert_ptr_not_equal(busway_platform_keep(f->platform, 0, 1),
			     busway_platform_keep(f->platform, 0, 1));
	assert_null(busway_platform_keep(f->platform, SIZE_MAX, 1));
	assert_null(busway_platform_keep(f->platform, SIZE_MAX / 2, 16));
}

static void description_is_what_was_said(void **state)
{
	static const char *const compatible[] = {"acme,board", "acme,soc"};
	struct fixture *f = *state;
	size_t count;

	busway_platform_describe(f->platform, "ACME", compatible, 2);
	assert_string_equal(busway_platform_model(f->platform), "ACME");
	assert_ptr_equal(busway_platform_compatible(f->platform, &count), compatible);
	assert_int_equal(count, 2);
}

static void notes_are_what_was_said(void **state)
{
	static const struct busway_note note = {.code = BUSWAY_NOTE_TAIL, .node = "/"};
	struct fixture *f = *state;

	assert_null(busway_platform_notes(f->platform));
	busway_platform_set_notes(f->platform, &note);
	assert_ptr_equal(busway_platform_notes(f->platform), &note);
}

static void memory_is_known_where_there_is_a_bank(void **state)
{
	const struct busway_memory_bank bank = {"b", {0, 0}};
	struct fixture *f = *state;

	assert_false(busway_platform_memory_known(f->platform));
	assert_int_equal(busway_platform_add_bank(f->platform, &bank), 0);
	assert_true(busway_platform_memory_known(f->platform));
}

static void untranslatable_is_marked_until_sealing(void **state)
{
	struct fixture *f = *state;

	busway_platform_mark_untranslatable(f->platform, (busway_space_id){2});
	busway_platform_mark_untranslatable(f->platform, f->bus);
	assert_true(busway_platform_space(f->platform, f->bus)->untranslatable);
	assert_false(busway_platform_space(f->platform, BUSWAY_CPU_SPACE)->untranslatable);
	assert_int_equal(busway_platform_seal(f->platform), 0);
	busway_platform_mark_untranslatable(f->platform, BUSWAY_CPU_SPACE);
	assert_false(busway_platform_space(f->platform, BUSWAY_CPU_SPACE)->untranslatable);
}

/* ---- sealing ---- */

static void sealed_platform_takes_nothing_more(void **state)
{
	struct fixture *f = *state;
	const struct busway_window window = {.from = f->bus, .name = "w"};
	const struct busway_region region = {.name = "r"};
	const struct busway_memory_bank bank = {"b", {0, 0}};
	const struct busway_pool pool = {.name = "p"};
	const struct busway_device device = device_of(f, "/d");
	busway_space_id space_id = {0x77};
	busway_device_id device_id = {0x77};
	uint32_t index = 0x77;
	struct counts before;

	assert_int_equal(busway_platform_seal(f->platform), 0);
	before = count_all(f->platform);
	assert_int_equal(busway_platform_seal(f->platform), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_space(f->platform, &a_bus, &space_id), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_window(f->platform, &window), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_region(f->platform, &region), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_bank(f->platform, &bank), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_pool(f->platform, &pool, &index), -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_device(f->platform, &device, &device_id),
			 -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_reserved(f->platform, BUSWAY_RANGE_ALL),
			 -BUSWAY_EBUSY);
	assert_int_equal(busway_platform_add_alias(f->platform, "a", "/d"), -BUSWAY_EBUSY);
	check_counts(f, before, "sealed");
	assert_int_equal(space_id.index, 0x77);
	assert_int_equal(device_id.index, 0x77);
	assert_int_equal(index, 0x77);
}

static void unsealed_platform_answers_nothing(void **state)
{
	struct fixture *f = *state;
	const struct busway_device device = device_of(f, "/d");
	const struct busway_dma_range one = {{0}, {0}};
	struct busway_reach *reach = NULL;
	struct busway_piece *pieces = NULL;
	struct busway_iova iova = {.removed_count = 0x77};
	busway_device_id id;
	size_t count = 0x77;

	assert_int_equal(busway_platform_add_device(f->platform, &device, &id), 0);
	assert_int_equal(busway_resolve(f->platform, id, one, NULL, BUSWAY_READ, NULL, NULL),
			 -BUSWAY_EINVAL);
	assert_int_equal(busway_reach_build(f->platform, id, NULL, &f->memory.allocator, &reach),
			 -BUSWAY_EINVAL);
	assert_null(reach);
	assert_int_equal(
		busway_windows_build(f->platform, id, &f->memory.allocator, &pieces, &count),
		-BUSWAY_EINVAL);
	assert_null(pieces);
	assert_int_equal(count, 0x77);
	assert_int_equal(busway_iova_build(f->platform, id, NULL, &f->memory.allocator, &iova),
			 -BUSWAY_EINVAL);
	assert_int_equal(iova.removed_count, 0x77);
}

static void device_that_does_not_exist_is_refused(void **state)
{
	struct fixture *f = *state;
	const struct busway_dma_range one = {{0}, {0}};
	const busway_device_id nobody[] = {{0}, {1}, BUSWAY_NO_DEVICE};
	struct busway_reach *reach = NULL;
	struct busway_piece *pieces = NULL;
	struct busway_iova iova;
	size_t count;

	assert_int_equal(busway_platform_seal(f->platform), 0);
	for (size_t i = 0; i < COUNT(nobody); i++) {
		assert_int_equal(
			busway_resolve(f->platform, nobody[i], one, NULL, BUSWAY_READ, NULL, NULL),
			-BUSWAY_EINVAL);
		assert_int_equal(busway_reach_build(f->platform, nobody[i], NULL,
						    &f->memory.allocator, &reach),
				 -BUSWAY_EINVAL);
		assert_int_equal(busway_windows_build(f->platform, nobody[i], &f->memory.allocator,
						      &pieces, &count),
				 -BUSWAY_EINVAL);
		assert_int_equal(busway_iova_build(f->platform, nobody[i], NULL,
						   &f->memory.allocator, &iova),
				 -BUSWAY_EINVAL);
	}
	assert_null(reach);
	assert_null(pieces);
}

/* ---- finding devices ---- */

static void add_named(struct fixture *f, const char *name, bool bridge_itself)
{
	struct busway_device device = device_of(f, name);
	busway_device_id id;

	device.is_bridge_itself = bridge_itself;
	assert_int_equal(busway_platform_add_device(f->platform, &device, &id), 0);
}

static void devices_are_found_by_path_alias_and_end_of_path(void **state)
{
	static const struct {
		const char *because;
		const char *name;
		size_t count;
		uint32_t found[3];
	} cases[] = {
		{"the full path", "/soc/dma@1000", 1, {0}},
		{"the last part", "mmc@2000", 1, {1}},
		{"the last two parts", "soc/mmc@2000", 1, {1}},
		{"all that end so, in order", "dma@1000", 3, {0, 2, 3}},
		{"a full path is one, though others end in it", "/dma@1000", 1, {3}},
		{"an alias", "mmc0", 1, {1}},
		{"an alias wins of the ends of paths", "mmc@9", 1, {0}},
		{"not from the middle of a part", "ma@1000", 0, {0}},
		{"not the beginning", "/soc", 0, {0}},
		{"nor a part in the middle", "soc", 0, {0}},
		{"nothing has no name", "", 0, {0}},
		{"the root is no device", "/", 0, {0}},
		{"too long", "/x/soc/dma@1000", 0, {0}},
		{"a bridge: its functions' side", "pcie@3", 1, {5}},
		{"by path as well", "/pcie@3", 1, {5}},
		{"an alias that leads nowhere", "gone", 0, {0}},
	};
	struct fixture *f = *state;

	add_named(f, "/soc/dma@1000", false);
	add_named(f, "/soc/mmc@2000", false);
	add_named(f, "/other/dma@1000", false);
	add_named(f, "/dma@1000", false);
	add_named(f, "/pcie@3", true); /* before its other side: must not be found */
	add_named(f, "/pcie@3", false);
	add_named(f, "/soc/mmc@9", false);
	assert_int_equal(busway_platform_add_alias(f->platform, "mmc0", "/soc/mmc@2000"), 0);
	assert_int_equal(busway_platform_add_alias(f->platform, "mmc@9", "/soc/dma@1000"), 0);
	assert_int_equal(busway_platform_add_alias(f->platform, "gone", "/soc/gone"), 0);
	assert_int_equal(busway_platform_seal(f->platform), 0);
	for (size_t i = 0; i < COUNT(cases); i++) {
		busway_device_id found[4] = {{0x77}, {0x77}, {0x77}, {0x77}};

		if (busway_platform_find_device(f->platform, cases[i].name, found, 4) !=
		    cases[i].count)
			fail_msg("case %zu: %s", i, cases[i].because);
		for (size_t n = 0; n < COUNT(found); n++)
			if (found[n].index != (n < cases[i].count ? cases[i].found[n] : 0x77))
				fail_msg("case %zu: %s: found %zu is %" PRIu32, i, cases[i].because,
					 n, found[n].index);
	}
}

static void found_devices_beyond_the_array_are_counted(void **state)
{
	struct fixture *f = *state;
	busway_device_id found[3] = {{0x77}, {0x77}, {0x77}};

	add_named(f, "/a/dma", false);
	add_named(f, "/b/dma", false);
	add_named(f, "/c/dma", false);
	assert_int_equal(busway_platform_find_device(f->platform, "dma", NULL, 0), 3);
	assert_int_equal(busway_platform_find_device(f->platform, "/a/dma", NULL, 0), 1);
	assert_int_equal(busway_platform_find_device(f->platform, "dma", found, 2), 3);
	assert_int_equal(found[0].index, 0);
	assert_int_equal(found[1].index, 1);
	assert_int_equal(found[2].index, 0x77);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_platform_has_the_cpu_space_only),
		cmocka_unit_test(destroying_nothing_is_allowed),
		TEST(spaces_that_make_no_sense_are_refused),
		TEST(windows_that_make_no_sense_are_refused),
		TEST(regions_that_make_no_sense_are_refused),
		TEST(banks_pools_and_reservations_that_make_no_sense_are_refused),
		TEST(devices_that_make_no_sense_are_refused),
		TEST(boundary_that_is_no_power_of_two_is_refused),
		TEST(what_was_added_can_be_read_in_order),
		TEST(kept_memory_is_aligned_and_apart),
		TEST(description_is_what_was_said),
		TEST(notes_are_what_was_said),
		TEST(memory_is_known_where_there_is_a_bank),
		TEST(untranslatable_is_marked_until_sealing),
		TEST(sealed_platform_takes_nothing_more),
		TEST(unsealed_platform_answers_nothing),
		TEST(device_that_does_not_exist_is_refused),
		TEST(devices_are_found_by_path_alias_and_end_of_path),
		TEST(found_devices_beyond_the_array_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
