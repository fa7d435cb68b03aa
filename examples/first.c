/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * first.c - the address by which a device reaches some memory, or the reason why there is none.
 *
 *   first board.dtb mmc@7e340000 0x10000000 [0x1000]
 *
 * The whole way in three steps: main() reads the tree and imports it, answer() finds the device,
 * flattens what it reaches, and asks. by_hand.c does the same for a platform without a tree.
 */
#include <busway/busway.h>
#include <busway/fdt.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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

/* 0: there is an address; 1: there is none; 2: there is no such device, or no memory. */
static int answer(const struct busway_platform *platform, const char *name,
		  struct busway_phys_range wanted)
{
	struct busway_segment segment;
	struct busway_refusal why;
	struct busway_reach *reach;
	busway_device_id device;
	char text[512];
	size_t count;
	int status;

	if (busway_platform_find_device(platform, name, &device, 1) != 1 ||
	    busway_reach_build(platform, device, NULL, &memory, &reach))
		return 2;
	status = busway_address_for(reach, wanted, BUSWAY_READ_WRITE, 0, &segment, 1, &count, &why);
	if (status == 0) {
		printf("dma 0x%" PRIx64 "\n", segment.dma.first.raw);
	} else if (status == -BUSWAY_ENOSPC) {
		printf("%zu segments, and room for one\n", count);
	} else {
		busway_refusal_detail(&why, text, sizeof(text));
		printf("%s: %s\n", busway_reason_code(why.reason), text);
	}
	busway_reach_destroy(reach);
	return status != 0;
}

enum { TREE_MAX = 4 << 20 };

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

/* A number and nothing else: what is not one must not become address 0. */
static bool number(const char *word, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(word, &end, 0);
	return *word >= '0' && *word <= '9' && *end == '\0' && errno == 0;
}

int main(int argc, char **argv)
{
	uint64_t base, length = 4096;
	struct busway_platform *platform;
	struct busway_fdt_error error = {0};
	struct busway_range wanted;
	int status = 2;
	size_t size;
	void *blob;

	if (argc < 4 || argc > 5 || !number(argv[3], &base) ||
	    (argc > 4 && !number(argv[4], &length)) || !busway_range_make(base, length, &wanted)) {
		fprintf(stderr, "usage: first TREE.dtb DEVICE ADDRESS [SIZE]\n");
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
		status = answer(platform, argv[2], busway_phys_range(wanted));
		if (status == 2)
			fprintf(stderr, "%s: there is no one device '%s'\n", argv[1], argv[2]);
		busway_platform_destroy(platform);
	}
	free(blob); /* not earlier: the platform points into it */
	return status;
}
