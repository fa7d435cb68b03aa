/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plan.c - see plan.h.
 */
#include "plan.h"

#include "test.h"

/* ---- names ---- */

/* Unique strings: Busway takes regions of one string for parts of one memory node. */
static const char *name_of(char letter, size_t index)
{
	static char names[26][PLAN_WINDOWS][16];
	char *name = names[letter - 'a'][index];

	switch (letter) {
	case 's':
		snprintf(name, sizeof(names[0][0]), "/bus%zu", index);
		break;
	case 'w':
		snprintf(name, sizeof(names[0][0]), "/window%zu", index);
		break;
	case 'r':
		snprintf(name, sizeof(names[0][0]), "/region%zu", index);
		break;
	case 'p':
		snprintf(name, sizeof(names[0][0]), "/pool%zu", index);
		break;
	default:
		snprintf(name, sizeof(names[0][0]), "/device%zu", index);
		break;
	}
	return name;
}

/* ---- declaring ---- */

void plan_init(struct plan *plan)
{
	*plan = (struct plan){
		.spaces[0] = {.name = "cpu", .kind = BUSWAY_SPACE_CPU},
		.space_count = 1,
	};
}

uint32_t plan_space(struct plan *plan, enum busway_space_kind kind)
{
	const size_t i = plan->space_count++;

	assert_true(i < PLAN_SPACES);
	plan->spaces[i] = (struct busway_space){.name = name_of('s', i), .kind = kind};
	return (uint32_t)i;
}

uint32_t plan_window(struct plan *plan, uint32_t from, uint32_t to, struct busway_range in,
		     uint64_t out)
{
	const size_t i = plan->window_count++;

	assert_true(i < PLAN_WINDOWS);
	plan->windows[i] = (struct busway_window){
		.from = {from},
		.to = {to},
		.in = in,
		.out = {out},
		.access = BUSWAY_READ_WRITE,
		.name = name_of('w', i),
		.entry = (uint32_t)i,
	};
	return (uint32_t)i;
}

uint32_t plan_region(struct plan *plan, uint32_t space, enum busway_region_kind kind,
		     struct busway_range range)
{
	const size_t i = plan->region_count++;

	assert_true(i < PLAN_REGIONS);
	plan->regions[i] = (struct busway_region){
		.space = {space},
		.range = range,
		.kind = kind,
		.access = BUSWAY_READ_WRITE,
		.name = name_of('r', i),
	};
	return (uint32_t)i;
}

uint32_t plan_ram(struct plan *plan, struct busway_range range)
{
	const uint32_t region = plan_region(plan, 0, BUSWAY_REGION_RAM, range);

	assert_true(plan->bank_count < PLAN_BANKS);
	plan->banks[plan->bank_count++] =
		(struct busway_memory_bank){.name = plan->regions[region].name, .range = range};
	return region;
}

uint32_t plan_device(struct plan *plan, uint32_t space)
{
	const size_t i = plan->device_count++;

	assert_true(i < PLAN_DEVICES);
	plan->devices[i] = (struct busway_device){
		.name = name_of('d', i),
		.enabled = true,
		.dma = {.enters = {space}},
		.own = BUSWAY_NO_DEVICE,
		.restricted_pool = UINT32_MAX,
	};
	return (uint32_t)i;
}

uint32_t plan_pool(struct plan *plan, struct busway_range range)
{
	const size_t i = plan->pool_count++;

	assert_true(i < PLAN_POOLS);
	plan->pools[i] = (struct busway_pool){
		.name = name_of('p', i),
		.type = BUSWAY_POOL_RESTRICTED,
		.enabled = true,
		.valid = true,
		.range = range,
	};
	return (uint32_t)i;
}

/* ---- building ---- */

static int add_graph(const struct plan *plan, struct busway_platform *platform)
{
	int status = 0;

	for (uint32_t i = 1; i < plan->space_count && !status; i++) {
		busway_space_id id = {UINT32_MAX};

		status = busway_platform_add_space(platform, &plan->spaces[i], &id);
		assert_int_equal(id.index, status ? UINT32_MAX : i);
	}
	for (size_t i = 0; i < plan->window_count && !status; i++)
		status = busway_platform_add_window(platform, &plan->windows[i]);
	for (size_t i = 0; i < plan->region_count && !status; i++)
		status = busway_platform_add_region(platform, &plan->regions[i]);
	for (size_t i = 0; i < plan->bank_count && !status; i++)
		status = busway_platform_add_bank(platform, &plan->banks[i]);
	return status;
}

int plan_add(const struct plan *plan, struct busway_platform *platform)
{
	int status = add_graph(plan, platform);

	for (uint32_t i = 0; i < plan->pool_count && !status; i++) {
		uint32_t index = UINT32_MAX;

		status = busway_platform_add_pool(platform, &plan->pools[i], &index);
		assert_int_equal(index, status ? UINT32_MAX : i);
	}
	for (uint32_t i = 0; i < plan->device_count && !status; i++) {
		busway_device_id id = BUSWAY_NO_DEVICE;

		status = busway_platform_add_device(platform, &plan->devices[i], &id);
		assert_int_equal(id.index, status ? UINT32_MAX : i);
	}
	return status;
}

void plan_open(struct plan *plan)
{
	test_memory_open(&plan->memory);
	if (busway_platform_create(&plan->memory.allocator, &plan->platform) ||
	    plan_add(plan, plan->platform) || busway_platform_seal(plan->platform)) {
		plan_print(plan);
		fail_msg("the platform cannot be built");
	}
}

void plan_close(struct plan *plan)
{
	busway_platform_destroy(plan->platform);
	plan->platform = NULL;
	test_memory_close(&plan->memory);
}

/* ---- asking ---- */

struct busway_reach *plan_reach(struct plan *plan, uint32_t index,
				const struct busway_emission *emission)
{
	struct busway_reach *reach = NULL;
	const int status = busway_reach_build(plan->platform, (busway_device_id){index}, emission,
					      &plan->memory.allocator, &reach);

	if (status) {
		plan_print(plan);
		fail_msg("the reach cannot be built: %d", status);
	}
	return reach;
}

int plan_resolve(struct plan *plan, uint32_t device, struct busway_range dma,
		 enum busway_access access, struct busway_path *path, struct busway_refusal *why)
{
	return busway_resolve(plan->platform, (busway_device_id){device}, busway_dma_range(dma),
			      NULL, access, path, why);
}

/* ---- drawing ---- */

static const char *access_word(enum busway_access access)
{
	static const char *const words[] = {"--", "r-", "-w", "rw"};

	return words[access & 3];
}

static void print_range(struct busway_range range)
{
	print_error("0x%" PRIx64 "..0x%" PRIx64, range.first, range.last);
}

static void print_windows(const struct plan *plan, size_t space)
{
	for (size_t i = 0; i < plan->window_count; i++) {
		const struct busway_window *w = &plan->windows[i];

		if (w->from.index != space)
			continue;
		print_error("#     window %zu  ", i);
		print_range(w->in);
		print_error(" --> %s 0x%" PRIx64 " %s\n", plan->spaces[w->to.index].name,
			    w->out.raw, access_word(w->access));
	}
}

static void print_regions(const struct plan *plan, size_t space)
{
	static const char *const kinds[] = {"doorbell", "carve-out", "aperture", "ram", "unknown"};

	for (size_t i = 0; i < plan->region_count; i++) {
		const struct busway_region *r = &plan->regions[i];

		if (r->space.index != space)
			continue;
		print_error("#     region %zu  ", i);
		print_range(r->range);
		print_error(" %s %s %s\n", kinds[r->kind], access_word(r->access), r->name);
	}
}

static void print_device(const struct plan *plan, const struct busway_device *device)
{
	const struct busway_emission *e = &device->emission;

	print_error("#   %s --> [ %s ]  zero 0x%" PRIx64 " one 0x%" PRIx64, device->name,
		    plan->spaces[device->dma.enters.index].name, e->zero, e->one);
	for (size_t i = 0; i < e->only_count; i++) {
		print_error(i ? ", " : " only ");
		print_range(e->only[i]);
	}
	if (device->segments.max_size || device->segments.boundary || device->segments.max_count)
		print_error(" segments: size 0x%" PRIx64 " boundary 0x%" PRIx64 " count %" PRIu32,
			    device->segments.max_size, device->segments.boundary,
			    device->segments.max_count);
	if (device->restricted_pool < plan->pool_count) {
		print_error(" pool ");
		print_range(plan->pools[device->restricted_pool].range);
	}
	print_error("\n");
}

void plan_print(const struct plan *plan)
{
	print_error("# platform, BUSWAY_SEED=0x%" PRIx64 " BUSWAY_ROUNDS=0 repeats it:\n",
		    plan->seed);
	for (size_t i = 0; i < plan->device_count; i++)
		print_device(plan, &plan->devices[i]);
	for (size_t i = plan->space_count; i-- > 0;) {
		print_error("#   [ %s ]%s\n", plan->spaces[i].name,
			    plan->spaces[i].untranslatable ? " untranslatable" : "");
		print_regions(plan, i);
		print_windows(plan, i);
	}
}
