/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * library_adapter.c - answers the questions of conformance/ with the library, not the command.
 *
 *   conformance/run.py --adapter library_adapter
 *
 * One line of JSON in, one out: conformance/README.md has the protocol. A tree is imported when
 * the first question about it comes, and kept until one about another comes.
 */
#include <busway/busway.h>
#include <busway/fdt.h>

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct busway_platform *platform;
static void *blob;
static char opened[4096];

/* ---- JSON ---- */

static json_t *hex(uint64_t value)
{
	return json_sprintf("0x%" PRIx64, value);
}

static json_t *size_of(struct busway_range range)
{
	const uint64_t span = busway_range_span(range);

	return span == UINT64_MAX ? json_string("0x10000000000000000") : hex(span + 1);
}

static json_t *path_or_null(const char *path)
{
	return path ? json_string(path) : json_null();
}

static uint64_t number(const json_t *question, const char *key)
{
	const char *text = json_string_value(json_object_get(question, key));

	return text ? strtoull(text, NULL, 16) : 0;
}

/* The vectors have fewer classes than the library has reasons. */
static enum busway_reason class_of(enum busway_reason reason)
{
	return reason == BUSWAY_UNTRANSLATABLE    ? BUSWAY_NO_WINDOW
	       : reason == BUSWAY_POOL_REJECTED ? BUSWAY_RESTRICTED
						  : reason;
}

static json_t *refused(enum busway_reason reason)
{
	/* why no window leads anywhere is no matter here */
	return json_pack(
		"{s:s}", "refused",
		busway_reason_code(class_of(reason)));
}

/* ---- addresses ---- */

static json_t *pieces_json(const struct busway_piece *pieces, size_t count, const char *first)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", first,
						      hex(pieces[i].dma.first.raw), "cpu",
						      hex(pieces[i].phys.raw), "size",
						      size_of(busway_dma_raw(pieces[i].dma))));
	return list;
}

static json_t *windows(busway_device_id id, const struct busway_device *device)
{
	struct busway_piece *pieces = NULL;
	json_t *list;
	size_t count = 0;

	if (!device->dma.restricted)
		return json_pack("{s:b, s:[]}", "restricted", false, "windows");
	if (busway_windows_build(platform, id, &memory, &pieces, &count))
		return NULL;
	list = pieces_json(pieces, count, "bus");
	free(pieces);
	return json_pack("{s:b, s:o}", "restricted", true, "windows", list);
}

static json_t *reach_json(busway_device_id id)
{
	const struct busway_piece *pieces;
	struct busway_reach *reach;
	json_t *answer;
	size_t count;

	if (!busway_platform_memory_known(platform))
		return json_pack("{s:n}", "reach");
	if (busway_reach_build(platform, id, NULL, &memory, &reach))
		return NULL;
	pieces = busway_reach_pieces(reach, &count);
	answer = json_pack("{s:o}", "reach", pieces_json(pieces, count, "dma"));
	busway_reach_destroy(reach);
	return answer;
}

/* Arrived in the CPU's space; what is there is another question. */
static bool arrived(const struct busway_path *path, const struct busway_refusal *why)
{
	const bool at_cpu = path->hop_count &&
			    path->hops[path->hop_count - 1].space.index == BUSWAY_CPU_SPACE.index;

	return at_cpu && (why->reason == BUSWAY_RESERVED || why->reason == BUSWAY_NO_MEMORY ||
			  why->reason == BUSWAY_UNKNOWN_MEMORY || why->reason == BUSWAY_ACCESS);
}

static json_t *translate(busway_device_id id, const json_t *question)
{
	const uint64_t first = number(question, "address");
	const uint64_t last = first + number(question, "size") - 1;
	struct busway_refusal why = {0};
	struct busway_path path;
	const int status = busway_resolve(platform, id, (struct busway_dma_range){{first}, {last}},
					  NULL, BUSWAY_READ_WRITE, &path, &why);

	if (status && (status != -BUSWAY_ERANGE || !arrived(&path, &why)))
		return status == -BUSWAY_ERANGE ? refused(why.reason) : NULL;
	for (unsigned i = 0; i < path.hop_count; i++)
		if (path.hops[i].space.index == BUSWAY_CPU_SPACE.index)
			return json_pack("{s:o}", "cpu", hex(path.hops[i].range.first));
	return NULL;
}

static json_t *for_phys(busway_device_id id, const json_t *question)
{
	const uint64_t first = number(question, "address");
	const struct busway_phys_range wanted = {{first}, {first + number(question, "size") - 1}};
	const json_t *mask = json_object_get(question, "mask");
	const struct busway_emission emission =
		busway_emission_mask(mask ? (unsigned)json_integer_value(mask) : 64);
	struct busway_segment segment;
	struct busway_refusal why = {0};
	struct busway_reach *reach;
	size_t count = 0;
	int status;

	if (busway_reach_build(platform, id, &emission, &memory, &reach))
		return NULL;
	status = busway_address_for(reach, wanted, BUSWAY_READ_WRITE, 0, &segment, 1, &count, &why);
	busway_reach_destroy(reach);
	if (status == -BUSWAY_ENOSPC)
		return refused(BUSWAY_STRADDLES);
	if (status)
		return status == -BUSWAY_ERANGE ? refused(why.reason) : NULL;
	return json_pack("{s:o}", "dma", hex(segment.dma.first.raw));
}

static json_t *iova(busway_device_id id)
{
	json_t *list = json_array();
	struct busway_iova found;

	if (busway_iova_build(platform, id, NULL, &memory, &found))
		return NULL;
	for (size_t i = 0; i < found.allowed.count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "first",
						      hex(found.allowed.runs[i].first), "last",
						      hex(found.allowed.runs[i].last)));
	busway_iova_free(&found);
	return json_pack("{s:o}", "allowed", list);
}

/* ---- controllers ---- */

/* The library tells whether a requester is translated; the ID that it becomes is worked out here.
 */
static json_t *looked_up(const struct busway_id_map *maps, size_t count, uint16_t requester)
{
	const bool hits = busway_id_map_hits(maps, count, false, requester);

	for (size_t i = 0; i < count; i++) {
		const uint32_t id = requester & maps[i].id_mask;

		if (hits && maps[i].id_base & ~maps[i].id_mask)
			return json_pack("{s:s}", "error", "base-outside-mask");
		if (id < maps[i].id_base || id - maps[i].id_base >= maps[i].id_count)
			continue;
		if (!hits && maps[i].enabled)
			return NULL; /* the library says otherwise */
		if (!hits)
			break;
		return json_pack("{s:s, s:o}", "controller", maps[i].controller, "id",
				 hex(id - maps[i].id_base + maps[i].out_base));
	}
	return hits ? NULL : json_pack("{s:n, s:n}", "controller", "id");
}

static json_t *controllers(const struct busway_id_map *maps, size_t count, const json_t *question)
{
	json_t *list;

	if (json_object_get(question, "requester"))
		return looked_up(maps, count, (uint16_t)number(question, "requester"));
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *cells;

		if (!maps[i].enabled)
			continue;
		cells = json_array();
		for (size_t c = 0; c < maps[i].cell_count; c++)
			json_array_append_new(cells, hex(maps[i].cells[c]));
		json_array_append_new(list, json_pack("{s:s, s:o}", "controller",
						      maps[i].controller, "cells", cells));
	}
	return json_pack("{s:o}", "specifiers", list);
}

/* ---- memory ---- */

static json_t *range_json(struct busway_range range)
{
	return json_pack("{s:o, s:o}", "base", hex(range.first), "size", size_of(range));
}

static json_t *banks(void)
{
	size_t count;
	const struct busway_memory_bank *found = busway_platform_banks(platform, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, range_json(found[i].range));
	return json_pack("{s:o}", "banks", list);
}

static const struct busway_pool *pool_named(const char *name)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(platform, &count);

	for (size_t i = 0; i < count; i++)
		if (strcmp(pools[i].name, name) == 0)
			return &pools[i];
	return NULL;
}

static json_t *pool_json(const char *name)
{
	static const char *const types[] = {
		[BUSWAY_POOL_RESTRICTED] = "restricted",
		[BUSWAY_POOL_SHARED] = "shared",
		[BUSWAY_POOL_RESERVED] = "reserved",
	};
	const struct busway_pool *pool = pool_named(name);

	if (!pool)
		return NULL;
	return json_pack("{s:s, s:b, s:o, s:o}", "type", types[pool->type], "accepted", pool->valid,
			 "base", pool->dynamic ? json_null() : hex(pool->range.first), "size",
			 pool->dynamic ? hex(pool->size) : size_of(pool->range));
}

static json_t *placement(const char *name)
{
	const struct busway_pool *pool = pool_named(name);
	json_t *list;

	if (!pool)
		return NULL;
	list = json_array();
	for (size_t i = 0; i < pool->alloc_range_count; i++)
		json_array_append_new(list, range_json(pool->alloc_ranges[i]));
	return json_pack("{s:o, s:o, s:o}", "size", hex(pool->size), "alignment",
			 pool->alignment ? hex(pool->alignment) : json_null(), "alloc_ranges",
			 list);
}

static json_t *regions(const struct busway_device *device)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(platform, &count);
	json_t *list = json_array();

	for (size_t i = 0; i < device->pool_count; i++)
		json_array_append_new(list, json_string(pools[device->pools[i]].name));
	return json_pack("{s:o}", "regions", list);
}

static json_t *restricted_pool(const struct busway_device *device)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(platform, &count);

	/* behind an IOMMU the library keeps it for those who say that the IOMMU is bypassed */
	if (device->restricted_pool == UINT32_MAX || device->behind_iommu)
		return json_pack("{s:n}", "pool");
	return json_pack("{s:s}", "pool", pools[device->restricted_pool].name);
}

static json_t *outbound(const struct busway_device *device)
{
	static const char *const kinds[] = {
		[BUSWAY_OUTBOUND_IO] = "io",
		[BUSWAY_OUTBOUND_MEM32] = "mem32",
		[BUSWAY_OUTBOUND_MEM64] = "mem64",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < device->outbound_count; i++) {
		const struct busway_outbound *o = &device->outbound[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:o, s:o, s:o}", "kind", kinds[o->kind],
						"bus", hex(o->bus.first), "cpu",
						o->has_cpu ? hex(o->cpu.raw) : json_null(), "size",
						size_of(o->bus)));
	}
	return json_pack("{s:o}", "outbound", list);
}

/* ---- questions ---- */

/* NULL: there is no answer. */
static json_t *of_device(busway_device_id id, const char *op, const json_t *question)
{
	static const char *const coherence[] = {
		[BUSWAY_COHERENCE_DEFAULT] = "arch-default",
		[BUSWAY_COHERENT] = "coherent",
		[BUSWAY_NONCOHERENT] = "noncoherent",
	};
	const struct busway_device *device = busway_platform_device(platform, id);

	if (strcmp(op, "effective-windows") == 0)
		return windows(id, device);
	if (strcmp(op, "translate-dma") == 0)
		return translate(id, question);
	if (strcmp(op, "dma-for-phys") == 0)
		return for_phys(id, question);
	if (strcmp(op, "table") == 0)
		return json_pack("{s:o}", "table", path_or_null(device->dma.source));
	if (strcmp(op, "limit") == 0)
		return json_pack("{s:o}", "bus_limit",
				 device->dma.has_bus_limit ? hex(device->dma.bus_limit)
							   : json_null());
	if (strcmp(op, "coherence") == 0)
		return json_pack("{s:s}", "coherence", coherence[device->coherence]);
	if (strcmp(op, "enabled") == 0)
		return json_pack("{s:b}", "enabled", device->enabled);
	if (strcmp(op, "reach") == 0)
		return reach_json(id);
	if (strcmp(op, "outbound") == 0)
		return outbound(device);
	if (strcmp(op, "memory-regions") == 0)
		return regions(device);
	if (strcmp(op, "restricted-pool") == 0)
		return restricted_pool(device);
	if (strcmp(op, "iommu") == 0)
		return controllers(device->iommu, device->iommu_count, question);
	if (strcmp(op, "msi") == 0)
		return controllers(device->msi, device->msi_count, question);
	if (strcmp(op, "doorbell") == 0 && device->msi_count && device->msi[0].has_doorbell)
		return json_pack("{s:o}", "doorbell", hex(device->msi[0].doorbell.raw));
	if (strcmp(op, "iova") == 0)
		return iova(id);
	return NULL;
}

static json_t *answer(const char *path, const char *op, const json_t *question)
{
	busway_device_id id;

	if (strcmp(op, "memory") == 0)
		return busway_platform_memory_known(platform) ? banks()
							      : json_pack("{s:n}", "banks");
	if (strcmp(op, "pool") == 0)
		return pool_json(path);
	if (strcmp(op, "pool-placement") == 0)
		return placement(path);
	if (busway_platform_find_device(platform, path, &id, 1) != 1)
		return NULL;
	if (json_object_get(question, "as"))
		id = busway_platform_device(platform, id)->own;
	return id.index == BUSWAY_NO_DEVICE.index ? NULL : of_device(id, op, question);
}

static void close_tree(void)
{
	busway_platform_destroy(platform);
	free(blob);
	platform = NULL;
	blob = NULL;
	opened[0] = '\0';
}

enum { TREE_MAX = 1 << 20 };

static bool open_tree(const char *path)
{
	size_t size = 0;
	FILE *file;

	if (platform && strcmp(path, opened) == 0)
		return true;
	close_tree();
	blob = malloc(TREE_MAX);
	file = fopen(path, "rb");
	if (file && blob)
		size = fread(blob, 1, TREE_MAX, file);
	if (file)
		fclose(file);
	if (!size || busway_fdt_import(blob, size, BUSWAY_FDT_ALL_NODES, &memory, &platform, NULL))
		return false;
	snprintf(opened, sizeof(opened), "%s", path);
	return true;
}

int main(void)
{
	char line[16384];

	while (fgets(line, sizeof(line), stdin)) {
		const char *id, *dtb, *device, *op;
		json_t *question, *reply, *found = NULL;
		json_t *asked = json_loads(line, 0, NULL);

		if (!asked ||
		    json_unpack(asked, "{s:s, s:s, s:s, s:o}", "id", &id, "dtb", &dtb, "device",
				&device, "question", &question) ||
		    json_unpack(question, "{s:s}", "op", &op)) {
			json_decref(asked);
			close_tree();
			return 2;
		}
		reply = json_pack("{s:s}", "id", id);
		if (strcmp(op, "dma-parent") == 0)
			json_object_set_new(reply, "unsupported",
					    json_string("the library does not tell this"));
		else if (open_tree(dtb))
			found = answer(device, op, question);
		if (found)
			json_object_set_new(reply, "answer", found);
		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
		fflush(stdout);
		json_decref(reply);
		json_decref(asked);
	}
	close_tree();
	return 0;
}
