/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.c - a driver for a DMA engine, on the simulated machine of any device tree.
 *
 *   driver board.dtb pcie@7d500000
 *
 * The engine copies memory. It fetches what it has to do from a ring of descriptors that both see
 * (coherent memory), reads one buffer and writes another (streaming memory). The driver computes no
 * address: it says what it has, and gets what the engine is to be told, or the reason why not.
 * docs/dma-api.md goes through this program step by step.
 */
#include <busway/busway.h>
#include <busway/fdt.h>
#include <busway/sim.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TREE_MAX = 4 << 20, POOL_SIZE = 1 << 20, COPY_SIZE = 10240 };

static void *take(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align; /* malloc's is enough for every type of the library */
	return malloc(size);
}

static void give_back(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take, give_back, NULL};

/* ---- the driver ---- */

struct driver {
	struct busway_machine *machine; /* stands for the hardware */
	struct busway_engine *engine;
	struct busway_dma_device *device;
	struct busway_lane *lane; /* one for each thread; this driver has one */
	struct busway_coherent ring;
};

/* The refusal is filled in where something was refused, and only there. */
static int refused(const char *what, int status, const struct busway_refusal *why)
{
	char text[512];

	if (status != -BUSWAY_ERANGE) {
		printf("%s: status %d\n", what, status);
		return -1;
	}
	busway_refusal_detail(why, text, sizeof(text));
	printf("%s: refused as %s\n  %s\n", what, busway_reason_code(why->reason), text);
	if (busway_refusal_advice(why, text, sizeof(text)))
		printf("  would help: %s\n", text);
	return -1;
}

/* Take the device: how many address bits does it drive, and where are its descriptors? */
static int probe(struct driver *d, struct busway_dma *dma, busway_device_id id)
{
	struct busway_mask_report report;
	struct busway_refusal why;
	int status = busway_dma_attach(dma, id, NULL, &d->device, &why);

	if (status)
		return refused("attach", status, &why);
	d->lane = busway_dma_lane(d->device, 0);
	status = busway_dma_set_mask(d->device, 64, &report, &why);
	if (status)
		return refused("64-bit mask", status, &why);
	printf("%u address bits would do%s\n", report.required_bits,
	       report.limited ? "; not all memory is reached directly" : "");
	status = busway_dma_set_coherent_mask(d->device, 32, NULL, &why);
	if (status)
		status = busway_dma_set_coherent_mask(d->device, 64, NULL, &why);
	if (status)
		return refused("coherent mask", status, &why);
	status = busway_coherent_alloc(d->lane, 4096, 64, 0, &d->ring, &why);
	if (status)
		return refused("ring", status, &why);
	printf("ring: the engine finds it at 0x%" PRIx64 "\n", d->ring.dma.raw);
	return 0;
}

/* One transfer: map both buffers, tell the engine, unmap. */
static int copy(struct driver *d, struct busway_phys_range from, struct busway_phys_range to)
{
	struct busway_mapping source = {0}, target = {0};
	struct busway_engine_descriptor descriptor = {
		.operation = BUSWAY_ENGINE_COPY,
		.flags = BUSWAY_ENGINE_LAST,
		.size = COPY_SIZE,
	};
	struct busway_engine_result result;
	struct busway_refusal why;
	int status = busway_map(d->lane, from, BUSWAY_TO_DEVICE, 0, &source, &why);

	if (status)
		return refused("source", status, &why);
	status = busway_map(d->lane, to, BUSWAY_FROM_DEVICE, 0, &target, &why);
	if (status) {
		busway_unmap(&source);
		return refused("target", status, &why);
	}
	printf("source: %s, 0x%" PRIx64 "; target: %s, 0x%" PRIx64 "\n",
	       busway_way_name(source.way), source.dma.raw, busway_way_name(target.way),
	       target.dma.raw);
	descriptor.from = source.dma;
	descriptor.to = target.dma;
	busway_engine_encode(&descriptor, d->ring.cpu);
	result = busway_engine_run(d->engine, d->ring.dma);
	/* only now is the target the CPU's again, with all that the engine wrote */
	busway_unmap(&target);
	busway_unmap(&source);
	return result.status == BUSWAY_ENGINE_DONE ? 0 : -1;
}

static void leave(struct driver *d)
{
	if (d->ring.cpu)
		busway_coherent_free(&d->ring);
	if (d->device)
		busway_dma_detach(d->device);
}

/* ---- what stands around it: buffers, a pool, the machine ---- */

static const struct busway_phys_range above_4_gib = {{(uint64_t)1 << 32}, {UINT64_MAX}};

static int drive(struct driver *d)
{
	static unsigned char bytes[COPY_SIZE], copied[COPY_SIZE];
	busway_phys_t from, to;
	int status;

	/* the source low in memory, the target high, where there is as much */
	if (busway_machine_take(d->machine, COPY_SIZE, 64, NULL, 0, &from) ||
	    (busway_machine_take(d->machine, COPY_SIZE, 64, &above_4_gib, 1, &to) &&
	     busway_machine_take(d->machine, COPY_SIZE, 64, NULL, 0, &to)))
		return -1;
	busway_pattern_fill(1, 0, bytes, COPY_SIZE);
	busway_machine_cpu_write(d->machine, from, bytes, COPY_SIZE);
	status = copy(d, (struct busway_phys_range){from, {from.raw + COPY_SIZE - 1}},
		      (struct busway_phys_range){to, {to.raw + COPY_SIZE - 1}});
	busway_machine_cpu_read(d->machine, to, copied, COPY_SIZE);
	if (status == 0)
		printf("copied: %s\n",
		       memcmp(bytes, copied, COPY_SIZE) == 0 ? "as it should be" : "other bytes");
	return status;
}

/* A pool that devices reach which do not reach everything: low in memory. */
static void add_pool(struct busway_machine *machine, struct busway_dma *dma)
{
	busway_phys_t phys;

	if (busway_machine_take(machine, POOL_SIZE, 4096, NULL, 0, &phys) == 0)
		busway_dma_add_pool(dma,
				    (struct busway_phys_range){phys, {phys.raw + POOL_SIZE - 1}},
				    BUSWAY_USE_BOTH, 1);
}

/* What the machine saw that should not have been: nothing, if the driver is right. */
static void print_violations(const struct busway_machine *machine)
{
	const struct busway_violation *violation;
	char text[512];

	printf("%" PRIu64 " violations\n", busway_machine_violations(machine));
	for (size_t i = 0; (violation = busway_machine_violation(machine, i)); i++) {
		busway_violation_text(violation, text, sizeof(text));
		printf("  %s\n", text);
	}
}

static int run(const struct busway_platform *platform, busway_device_id id)
{
	struct busway_dma_environment environment;
	struct driver d = {0};
	struct busway_dma *dma;
	int status = -1;

	if (!busway_platform_memory_known(platform)) {
		printf("the tree does not say where its memory is: take one of a running "
		       "machine\n");
		return -1;
	}
	if (busway_machine_create(platform, NULL, &memory, &d.machine))
		return -1;
	environment = busway_machine_environment(d.machine);
	if (busway_dma_create(platform, &environment, &memory, &dma) == 0) {
		add_pool(d.machine, dma);
		if (busway_engine_create(d.machine, id, NULL, &d.engine) == 0) {
			if (probe(&d, dma, id) == 0)
				status = drive(&d);
			leave(&d);
			busway_engine_destroy(d.engine);
		}
		busway_dma_destroy(dma);
	}
	print_violations(d.machine);
	busway_machine_destroy(d.machine);
	return status;
}

/* All of the file, or NULL; the importer wants 8-byte alignment, which malloc gives. */
static void *load(const char *path, size_t *size)
{
	FILE *file = fopen(path, "rb");
	void *data = file ? malloc(TREE_MAX) : NULL;

	if (data)
		*size = fread(data, 1, TREE_MAX, file);
	if (file)
		fclose(file);
	return data;
}

int main(int argc, char **argv)
{
	struct busway_platform *platform;
	struct busway_fdt_error error = {0};
	busway_device_id id;
	int status = 2;
	size_t size;
	void *blob;

	if (argc != 3) {
		fprintf(stderr, "usage: driver TREE.dtb DEVICE\n");
		return 2;
	}
	blob = load(argv[1], &size);
	if (!blob) {
		perror(argv[1]);
		return 2;
	}
	if (busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, &memory, &platform, &error)) {
		fprintf(stderr, "%s: %s %s %s\n", argv[1], error.node, error.property,
			error.message);
	} else {
		if (busway_platform_find_device(platform, argv[2], &id, 1) != 1)
			fprintf(stderr, "%s: there is no one device '%s'\n", argv[1], argv[2]);
		else
			status = run(platform, id) ? 1 : 0;
		busway_platform_destroy(platform);
	}
	free(blob); /* not earlier: the platform points into it */
	return status;
}
