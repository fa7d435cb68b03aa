/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dma_world.c - see dma_world.h.
 */
#include "dma_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RAM   ((uint64_t)0x80000000)
#define BLOCK ((uint64_t)0x40000)

enum { RAM_BLOCKS = 8, POOL_BLOCK = 7, HEADER_SIZE = 32 };

/* ---- bytes ---- */

uint8_t next(struct input *in)
{
	if (!in->left)
		return 0;
	in->left--;
	return *in->data++;
}

uint64_t below(struct input *in, uint64_t bound)
{
	const uint64_t low = next(in);

	return bound > 256 ? (low | (uint64_t)next(in) << 8) % bound : low % bound;
}

bool chance(struct input *in)
{
	return next(in) & 1;
}

void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "dma_fuzz: %s\n", what);
		abort();
	}
}

/* ---- memory: sizes must come back as they were ---- */

static size_t outstanding;

static void *take(void *ctx, size_t size, size_t align)
{
	char *block = malloc(HEADER_SIZE + size);

	(void)ctx;
	must(size && align && align <= HEADER_SIZE, "an allocation of nothing");
	if (!block)
		return NULL;
	memcpy(block, &size, sizeof(size));
	outstanding += size;
	return block + HEADER_SIZE;
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	char *block = (char *)mem - HEADER_SIZE;
	size_t taken;

	(void)ctx;
	(void)align;
	memcpy(&taken, block, sizeof(taken));
	must(taken == size, "memory is given back with another size");
	outstanding -= size;
	free(block);
}

const struct busway_allocator world_memory = {take, give_back, NULL};

/* ---- the platform ---- */

static struct busway_range blocks_at(uint64_t first, uint64_t count)
{
	return (struct busway_range){RAM + first * BLOCK, RAM + (first + count) * BLOCK - 1};
}

static int add_windows(struct world *w, busway_space_id bus)
{
	const unsigned count = 1 + (unsigned)below(&w->in, 3);
	struct busway_window window = {
		.from = bus,
		.to = BUSWAY_CPU_SPACE,
		.in = {0x70000000, 0x70000000 + BLOCK - 1},
		.out = busway_local(blocks_at(POOL_BLOCK, 1).first),
		.access = BUSWAY_READ_WRITE,
		.name = "/bus",
	};
	int status = busway_platform_add_window(w->platform, &window);

	for (unsigned i = 0; i < count && !status; i++) {
		const uint64_t first = below(&w->in, POOL_BLOCK);
		const uint64_t blocks = 1 + below(&w->in, POOL_BLOCK - first);
		const uint64_t at = ((uint64_t)(i + 1) << 28) + below(&w->in, 4) * 0x1000;

		window.in = (struct busway_range){at, at + blocks * BLOCK - 1};
		window.out = busway_local(blocks_at(first, blocks).first);
		window.entry = i + 1;
		status = busway_platform_add_window(w->platform, &window);
	}
	return status;
}

static int add_devices(struct world *w, busway_space_id bus, uint32_t pool)
{
	static const char *const names[] = {"/bus/a", "/bus/b", "/bus/c"};
	static const unsigned bits[] = {32, 64, 31, 30};
	int status = 0;

	for (unsigned i = 0; i < DEVICES && !status; i++) {
		const uint8_t traits = next(&w->in), limits = next(&w->in);
		const struct busway_device device = {
			.name = names[i],
			.enabled = true,
			.likely_master = true,
			.coherence = traits & 1 ? BUSWAY_NONCOHERENT : BUSWAY_COHERENT,
			/* of all memory there is nothing that the others could be given, then */
			.untrusted = i == 2 && (traits & 2),
			.dma = {.enters = bus, .restricted = true},
			.emission = busway_emission_mask(bits[traits >> 3 & 3]),
			.segments = {limits & 1 ? (uint64_t)1024 << (limits >> 1 & 7) : 0,
				     limits & 16 ? (uint64_t)4096 << (limits >> 5 & 3) : 0,
				     limits & 128 ? 4 : 0},
			.own = BUSWAY_NO_DEVICE,
			.restricted_pool = i == 2 ? pool : UINT32_MAX,
		};
		busway_device_id id;

		w->devices[i].caches = traits & 1;
		w->devices[i].options = (struct busway_dma_options){
			.lanes = LANES,
			.live = 16,
			.min_align_mask = traits & 32   ? 4095
					  : traits & 64 ? 255
							: 0,
		};
		status = busway_platform_add_device(w->platform, &device, &id);
	}
	return status;
}

static int build(struct world *w)
{
	const struct busway_space bus = {.name = "/bus", .kind = BUSWAY_SPACE_BUS};
	const struct busway_memory_bank bank = {"/ram", blocks_at(0, RAM_BLOCKS)};
	const struct busway_region ram = {
		.space = BUSWAY_CPU_SPACE,
		.range = bank.range,
		.kind = BUSWAY_REGION_RAM,
		.access = BUSWAY_READ_WRITE,
		.name = "/ram",
	};
	const struct busway_pool pool = {
		.name = "/pool",
		.type = BUSWAY_POOL_RESTRICTED,
		.enabled = true,
		.valid = true,
		.range = blocks_at(POOL_BLOCK, 1),
	};
	busway_space_id space;
	uint32_t index = 0;
	int status = busway_platform_add_space(w->platform, &bus, &space);

	if (!status)
		status = busway_platform_add_bank(w->platform, &bank);
	if (!status)
		status = busway_platform_add_region(w->platform, &ram);
	if (!status)
		status = busway_platform_add_pool(w->platform, &pool, &index);
	if (!status)
		status = add_windows(w, space);
	if (!status)
		status = add_devices(w, space, index);
	return status ? status : busway_platform_seal(w->platform);
}

/* ---- machine and API ---- */

static void add_pools(struct world *w)
{
	const struct busway_phys_range within = busway_phys_range(blocks_at(4, 3));

	for (unsigned count = (unsigned)below(&w->in, 4); count; count--) {
		const uint64_t size = (uint64_t)(1 + below(&w->in, 32)) * BUSWAY_SLOT_SIZE;
		busway_phys_t phys;

		if (busway_machine_take(w->machine, size, 4096, &within, 1, &phys))
			continue;
		must(busway_dma_add_pool(
			     w->dma, (struct busway_phys_range){phys, {phys.raw + size - 1}},
			     1 + (unsigned)below(&w->in, 3), 1u << below(&w->in, 3)) == 0,
		     "a pool is refused");
	}
}

static bool make_machine(struct world *w)
{
	const struct busway_machine_options options = {.seed = next(&w->in), .posted = true};
	const struct busway_phys_range buffers = busway_phys_range(blocks_at(0, 4));
	struct busway_dma_environment environment;
	busway_phys_t taken;

	if (busway_machine_create(w->platform, &options, &world_memory, &w->machine))
		return false;
	must(busway_machine_take(w->machine, 4 * BLOCK, 4096, &buffers, 1, &taken) == 0,
	     "no memory for buffers");
	environment = busway_machine_environment(w->machine);
	if (chance(&w->in))
		environment.more = NULL, environment.release = NULL;
	must(busway_dma_create(w->platform, &environment, &world_memory, &w->dma) == 0, "no API");
	add_pools(w);
	return true;
}

bool attach(struct world *w, unsigned index)
{
	struct driver_device *d = &w->devices[index];
	struct busway_refusal why = {0};
	const int status =
		busway_dma_attach(w->dma, (busway_device_id){index}, &d->options, &d->device, &why);

	must(status == 0 || status == -BUSWAY_ERANGE, "attaching fails");
	if (status)
		check_refusal(&why);
	expect_nothing(w);
	return status == 0;
}

bool world_open(struct world *w, const uint8_t *data, size_t size)
{
	*w = (struct world){.in = {data, size}};
	if (busway_platform_create(&world_memory, &w->platform))
		return false;
	must(build(w) == 0, "the platform is refused");
	if (!make_machine(w)) {
		busway_platform_destroy(w->platform);
		return false;
	}
	for (unsigned i = 0; i < DEVICES; i++)
		attach(w, i);
	return true;
}

void world_close(struct world *w)
{
	must(busway_dma_destroy(w->dma) == 0, "the API cannot be destroyed");
	busway_machine_destroy(w->machine);
	busway_platform_destroy(w->platform);
	must(outstanding == 0, "memory is left behind");
}

/* ---- judging ---- */

void check_refusal(const struct busway_refusal *why)
{
	char text[512];

	must(why->reason > BUSWAY_NOT_REFUSED && why->reason < BUSWAY_REASON_COUNT,
	     "a refusal without a reason");
	must(why->advice_count <= BUSWAY_ADVICE_MAX, "a refusal with too much advice");
	must(why->hop != NULL, "a refusal by nobody");
	must(busway_refusal_detail(why, text, sizeof(text)) > 0, "a refusal without a text");
	busway_refusal_advice(why, text, sizeof(text));
}

static void tell(const struct world *w)
{
	const struct busway_violation *v = busway_machine_violation(w->machine, (size_t)w->told);
	char text[512] = "";

	if (v)
		busway_violation_text(v, text, sizeof(text));
	fprintf(stderr, "dma_fuzz: %s\n", text);
}

void expect_nothing(struct world *w)
{
	if (busway_machine_violations(w->machine) == w->told)
		return;
	tell(w);
	must(false, "the machine tells of what nobody did");
}

void expect_misuse(struct world *w, enum busway_misuse misuse)
{
	const struct busway_violation *v = busway_machine_violation(w->machine, (size_t)w->told);

	if (busway_machine_violations(w->machine) != w->told + 1 || !v ||
	    v->kind != BUSWAY_VIOLATION_MISUSE || v->misuse != misuse) {
		tell(w);
		fprintf(stderr, "dma_fuzz: expected once: %s\n", busway_misuse_code(misuse));
		must(false, "misuse is not told as what it is");
	}
	busway_machine_clear(w->machine);
	w->told = 0;
}
