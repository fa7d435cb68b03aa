/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.c - a driver in user space that chooses its own IOVAs.
 *
 *   iova board.dtb ethernet@0,0 usb@7ffc0000
 *
 * The devices share a domain. What each of them can use comes from the tree, what the kernel allows
 * from its report; a domain hands out the rest, and keeps the page tables that an IOMMU would walk.
 * docs/iova.md goes through this program step by step.
 */
#include <busway/busway.h>
#include <busway/domain.h>
#include <busway/fdt.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { TREE_MAX = 4 << 20, DEVICES_MAX = 8, BUFFER_SIZE = 4 << 20 };

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

/* The refusal is filled in where something was refused, and only there. */
static void report(const char *what, int status, const struct busway_refusal *why)
{
	char text[512];

	if (status == 0) {
		printf("%s: done\n", what);
	} else if (status != -BUSWAY_ERANGE) {
		printf("%s: status %d\n", what, status);
	} else {
		busway_refusal_detail(why, text, sizeof(text));
		printf("%s: refused as %s\n  %s\n", what, busway_reason_code(why->reason), text);
	}
}

/* ---- what the group can use ---- */

/* As VFIO and iommufd report it behind an SMMUv3: one hole, and 48 bits. */
static const struct busway_range kernel[] = {{0, 0x7ffffff}, {0x8100000, 0xffffffffffff}};

static int build(const struct busway_platform *platform, char **names, size_t count,
		 struct busway_iova *allowed)
{
	const struct busway_iova_report vfio = {kernel, 2, "VFIO"};
	struct busway_iova_member members[DEVICES_MAX] = {0};

	for (size_t i = 0; i < count; i++) {
		if (busway_platform_find_device(platform, names[i], &members[i].device, 1) != 1)
			return -BUSWAY_EINVAL;
	}
	return busway_iova_build_group(platform, members, count, &vfio, 1, &memory, allowed);
}

static void show(const struct busway_iova *allowed)
{
	for (size_t i = 0; i < allowed->allowed.count; i++)
		printf("allowed: 0x%" PRIx64 "..0x%" PRIx64 "\n", allowed->allowed.runs[i].first,
		       allowed->allowed.runs[i].last);
	printf("taken away: %zu ranges\n", allowed->removed_count);
}

/* ---- the IOMMU ---- */

/* Tables are in the heap, and their addresses stand for physical ones. */
static void *table_alloc(void *ctx, size_t size, busway_phys_t *phys)
{
	void *table = aligned_alloc(size, size);

	(void)ctx;
	phys->raw = (uintptr_t)table;
	return table;
}

static void table_free(void *ctx, void *table, busway_phys_t phys, size_t size)
{
	(void)ctx;
	(void)phys;
	(void)size;
	free(table);
}

/* A driver tells the IOMMU here, and waits until it has forgotten; this one only counts. */
static void invalidate(void *ctx, const struct busway_invalidation *what)
{
	unsigned *told = ctx;

	(void)what;
	++*told;
}

static struct busway_domain *open_domain(const struct busway_iova *allowed, void *told)
{
	const struct busway_domain_options options = {
		.table = {.name = "the IOMMU", .format = BUSWAY_ARM_STAGE1},
		.tables = {.alloc = table_alloc, .free = table_free},
		.allowed = allowed,
		.invalidate = invalidate,
		.ctx = told,
	};
	struct busway_domain *domain;

	return busway_domain_create(&options, &memory, &domain) ? NULL : domain;
}

/* ---- the driver ---- */

static bool print_run(void *ctx, const struct busway_mapped_run *run)
{
	char line[128];

	(void)ctx;
	busway_mapped_run_text(run, line, sizeof(line));
	printf("  %s\n", line);
	return true;
}

static void try_at(struct busway_domain *domain, uint64_t iova,
		   const struct busway_phys_range *buffer)
{
	struct busway_refusal why;
	char what[64];
	const int status = busway_domain_map_at(domain, (busway_dma_t){iova}, buffer, 1,
						BUSWAY_READ_WRITE, &why);

	snprintf(what, sizeof(what), "at 0x%" PRIx64, iova);
	report(what, status, &why);
	if (status == 0)
		busway_domain_unmap(domain, NULL,
				    (struct busway_dma_range){{iova}, {iova + BUFFER_SIZE - 1}}, 0,
				    &why);
}

static int drive(struct busway_domain *domain)
{
	const struct busway_phys_range buffer = {{0x90000000}, {0x90000000 + BUFFER_SIZE - 1}};
	const struct busway_iova_request where = {.prefer_low = true};
	const struct busway_dma_range everything = {{0}, {UINT64_MAX}};
	struct busway_dma_range mapped;
	struct busway_refusal why;
	int status = busway_domain_map(domain, NULL, &where, &buffer, 1, BUSWAY_READ_WRITE,
				       &mapped.first, &why);

	if (status) {
		report("buffer", status, &why);
		return status;
	}
	mapped.last.raw = mapped.first.raw + BUFFER_SIZE - 1;
	printf("buffer: the devices find it at 0x%" PRIx64 "\n", mapped.first.raw);
	busway_pagetable_runs(busway_domain_table(domain), everything, print_run, NULL);

	try_at(domain, 0, &buffer);                /* many drivers begin there */
	try_at(domain, mapped.first.raw, &buffer); /* somebody has it */
	try_at(domain, 0x100000000000, &buffer);   /* VFIO would take it: 44 bits */

	status = busway_domain_unmap(domain, NULL, mapped, 0, &why);
	report("unmap", status, &why);
	return status;
}

static int answer(const struct busway_platform *platform, char **names, size_t count)
{
	struct busway_domain *domain;
	struct busway_iova allowed;
	unsigned told = 0;
	int status = build(platform, names, count, &allowed);

	if (status) {
		fprintf(stderr, "no such group of devices (status %d)\n", status);
		return 2;
	}
	show(&allowed);
	domain = open_domain(&allowed, &told);
	if (domain) {
		status = drive(domain);
		status = busway_domain_destroy(domain) || status;
		printf("the IOMMU was told to forget %u time%s\n", told, told == 1 ? "" : "s");
	}
	busway_iova_free(&allowed); /* not earlier: refusals look up there who took a range */
	return !domain || status;
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
	int status = 2;
	size_t size;
	void *blob;

	if (argc < 3 || argc - 2 > DEVICES_MAX) {
		fprintf(stderr, "usage: iova TREE.dtb DEVICE...\n");
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
		status = answer(platform, argv + 2, (size_t)argc - 2);
		busway_platform_destroy(platform);
	}
	free(blob); /* not earlier: the platform points into it */
	return status;
}
