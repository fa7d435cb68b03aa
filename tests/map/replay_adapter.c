/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay_adapter.c - the DMA API of a device tree, asked line by line.
 *
 *   replay_test.py puts to it what a running kernel was asked
 *
 * One object of JSON in, one out; addresses and sizes are numbers. The tree's memory is there, all
 * of it, but sparse: no page costs anything until it is touched. What is granted comes with
 * "leads_to", where the device's access lands if it is followed hop by hop: the API has not been
 * asked that. What is refused comes with the reason.
 *
 *   {"op": "open", "dtb": path}
 *   {"op": "add-pool", "phys", "size", "use": "bounce" | "coherent"}
 *   {"op": "attach", "device": path, "requester": of a function below it, "bypass": the IOMMU}
 *   {"op": "mask" | "coherent-mask", "bits"}
 *   {"op": "map", "phys", "size", "keep": stays mapped, "direct": do not bounce}
 *   {"op": "unmap"}                         what was kept
 *   {"op": "map-list", "entries": [[phys, size], ...]}
 *   {"op": "exhaust", "phys", "size", "count"}
 *   {"op": "alloc", "size", "atomic", "slot": 0 | 1} and {"op": "free", "slot"}
 *   {"op": "peer", "phys", "size"}
 */
#include <busway/coherent.h>
#include <busway/fdt.h>
#include <busway/resolve.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
	LINE = 64, /* bytes of a cache line */
	TREE_MAX = 1 << 20,
	BANKS_MAX = 4,
	TAKEN_MAX = 64,
	LIVE_MAX = 1024,
	ENTRIES_MAX = 16,
	ALLOCATIONS = 2,
	DIRT = 0xa5, /* what is left in memory that was used before */
};

struct bank {
	struct busway_range range;
	unsigned char *bytes;
};

static struct machine {
	void *blob;
	struct busway_platform *platform;
	struct bank banks[BANKS_MAX];
	size_t bank_count;
	struct busway_range taken[TAKEN_MAX]; /* not for pools that grow */
	size_t taken_count;
	struct busway_dma *dma;
	busway_device_id id;
	struct busway_dma_device *device;
	struct busway_lane *lane;
	struct busway_mapping kept, many[LIVE_MAX];
	struct busway_coherent allocations[ALLOCATIONS];
} machine;

/* ---- memory ---- */

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

static unsigned char *bytes_at(struct busway_range r)
{
	for (size_t i = 0; i < machine.bank_count; i++)
		if (busway_range_within(r, machine.banks[i].range))
			return machine.banks[i].bytes + (r.first - machine.banks[i].range.first);
	return NULL;
}

static void *pointer(void *ctx, struct busway_phys_range range)
{
	(void)ctx;
	return bytes_at(busway_phys_raw(range));
}

/* There are no caches: that there is such a function makes devices non-coherent. */
static void no_caches(void *ctx, void *at, size_t size)
{
	(void)ctx;
	(void)at;
	(void)size;
}

static void set_aside(struct busway_range range)
{
	if (machine.taken_count < TAKEN_MAX)
		machine.taken[machine.taken_count++] = range;
}

/* What lies in the way at @range; NULL. */
static const struct busway_range *in_the_way(struct busway_range range)
{
	for (size_t i = 0; i < machine.taken_count; i++)
		if (busway_range_overlaps(machine.taken[i], range))
			return &machine.taken[i];
	return NULL;
}

/* The lowest free place in @within. */
static bool find_room(uint64_t size, uint64_t align, struct busway_range within,
		      struct busway_range *found)
{
	uint64_t at = within.first;

	while (busway_align_up(at, align, &at) && busway_range_make(at, size, found) &&
	       busway_range_within(*found, within)) {
		const struct busway_range *taken = in_the_way(*found);

		if (!taken)
			return true;
		at = taken->last + 1;
	}
	return false;
}

static int more(void *ctx, uint64_t size, uint64_t align, const struct busway_range *within,
		size_t count, busway_phys_t *phys)
{
	struct busway_range found;

	(void)ctx;
	for (size_t i = 0; i < count; i++) {
		if (machine.taken_count == TAKEN_MAX || !find_room(size, align, within[i], &found))
			continue;
		set_aside(found);
		*phys = busway_phys(found.first);
		return 0;
	}
	return -BUSWAY_ENOMEM;
}

static void release(void *ctx, struct busway_phys_range range)
{
	(void)ctx;
	(void)range; /* the next tree begins anew */
}

/* ---- JSON ---- */

static uint64_t number(const json_t *question, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(question, key));
}

static bool flag(const json_t *question, const char *key)
{
	return json_is_true(json_object_get(question, key));
}

static const char *text(const json_t *question, const char *key)
{
	const char *value = json_string_value(json_object_get(question, key));

	return value ? value : "";
}

static struct busway_range range_of(const json_t *question)
{
	const uint64_t first = number(question, "phys");

	return (struct busway_range){first, first + number(question, "size") - 1};
}

static json_t *done(void)
{
	return json_pack("{s:b}", "ok", true);
}

static json_t *refused(int status, const struct busway_refusal *why)
{
	const bool has_reason = why && status == -BUSWAY_ERANGE;
	char detail[512] = "", advice[512] = "";

	if (has_reason) {
		busway_refusal_detail(why, detail, sizeof(detail));
		busway_refusal_advice(why, advice, sizeof(advice));
	}
	return json_pack("{s:b, s:i, s:s, s:s, s:s, s:s}", "ok", false, "status", status, "reason",
			 has_reason ? busway_reason_code(why->reason) : "", "by",
			 has_reason && why->by ? why->by : "", "detail", detail, "advice", advice);
}

/* ---- what the device sees ---- */

/* Where an access to @dma lands, a no-map pool being memory, too; UINT64_MAX: in no memory. */
static uint64_t landing(struct busway_dma_range dma)
{
	struct busway_path path;
	struct busway_refusal why;
	const struct busway_hop *end;

	if (busway_resolve(machine.platform, machine.id, dma, NULL, BUSWAY_READ_WRITE, &path,
			   &why) &&
	    why.reason != BUSWAY_RESERVED)
		return UINT64_MAX;
	end = &path.hops[path.hop_count - 1];
	return end->space.index == BUSWAY_CPU_SPACE.index ? end->range.first : UINT64_MAX;
}

/* Does the device find at @dma what the driver has at @phys? */
static bool sees(struct busway_dma_range dma, uint64_t phys)
{
	const uint64_t span = busway_range_span(busway_dma_raw(dma)), at = landing(dma);
	const unsigned char *its, *own = bytes_at((struct busway_range){phys, phys + span});

	its = at == UINT64_MAX ? NULL : bytes_at((struct busway_range){at, at + span});
	return its && own && memcmp(its, own, (size_t)span + 1) == 0;
}

static json_t *segment_json(const struct busway_mapped *segment)
{
	const struct busway_range dma = busway_dma_raw(segment->dma);

	return json_pack("{s:I, s:I, s:I, s:b, s:s}", "dma", (json_int_t)dma.first, "size",
			 (json_int_t)busway_range_span(dma) + 1, "leads_to",
			 (json_int_t)landing(segment->dma), "same_bytes",
			 sees(segment->dma, segment->phys.raw), "way",
			 busway_way_name(segment->pool_ ? BUSWAY_WAY_BOUNCE : BUSWAY_WAY_DIRECT));
}

/* ---- the tree ---- */

static void close_machine(void)
{
	if (machine.device)
		busway_dma_abandon(machine.device);
	if (machine.dma)
		busway_dma_destroy(machine.dma);
	for (size_t i = 0; i < machine.bank_count; i++)
		munmap(machine.banks[i].bytes,
		       (size_t)busway_range_span(machine.banks[i].range) + 1);
	busway_platform_destroy(machine.platform);
	free(machine.blob);
	memset(&machine, 0, sizeof(machine));
}

static bool read_tree(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size = 0;

	machine.blob = malloc(TREE_MAX);
	if (file && machine.blob)
		size = fread(machine.blob, 1, TREE_MAX, file);
	if (file)
		fclose(file);
	return size && busway_fdt_import(machine.blob, size, BUSWAY_FDT_ALL_NODES, &memory,
					 &machine.platform, NULL) == 0;
}

static bool add_banks(void)
{
	size_t count;
	const struct busway_memory_bank *banks = busway_platform_banks(machine.platform, &count);

	if (count > BANKS_MAX)
		return false;
	for (size_t i = 0; i < count; i++) {
		void *bytes = mmap(NULL, (size_t)busway_range_span(banks[i].range) + 1,
				   PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

		if (bytes == MAP_FAILED)
			return false;
		machine.banks[machine.bank_count++] = (struct bank){banks[i].range, bytes};
	}
	return true;
}

/* Pools and targets: all that /reserved-memory lists. */
static void add_reserved(void)
{
	size_t count;
	const struct busway_pool *pools = busway_platform_pools(machine.platform, &count);

	for (size_t i = 0; i < count; i++)
		if (!pools[i].dynamic && !pools[i].empty)
			set_aside(pools[i].range);
}

static json_t *open_tree(const json_t *question)
{
	const struct busway_dma_environment environment = {
		.pointer = pointer,
		.uncached = pointer,
		.clean = no_caches,
		.invalidate = no_caches,
		.cache_line = LINE,
		.more = more,
		.release = release,
	};

	close_machine();
	if (!read_tree(text(question, "dtb")) || !add_banks() ||
	    busway_dma_create(machine.platform, &environment, &memory, &machine.dma))
		return NULL;
	add_reserved();
	return done();
}

static json_t *add_pool(const json_t *question)
{
	const struct busway_range range = range_of(question);
	const unsigned use = strcmp(text(question, "use"), "bounce") == 0 ? BUSWAY_USE_BOUNCE
									  : BUSWAY_USE_COHERENT;
	const int status =
		in_the_way(range)
			? -BUSWAY_EINVAL
			: busway_dma_add_pool(machine.dma, busway_phys_range(range), use, 1);

	if (status)
		return refused(status, NULL);
	set_aside(range);
	return done();
}

/* ---- the device ---- */

static bool add_function(busway_device_id host, uint16_t requester, busway_device_id *id)
{
	const char *bridge = busway_platform_device(machine.platform, host)->name;
	const size_t size = strlen(bridge) + sizeof(":ffff");
	char *name = busway_platform_keep(machine.platform, size, 1);

	if (!name)
		return false;
	snprintf(name, size, "%s:%04x", bridge, (unsigned)requester);
	return busway_platform_add_function(machine.platform, host, requester, name, id) == 0;
}

static bool find_device(const json_t *question, busway_device_id *id)
{
	const bool below = json_object_get(question, "requester") != NULL;

	if (busway_platform_find_device(machine.platform, text(question, "device"), id, 1) != 1)
		return false;
	return !below || add_function(*id, (uint16_t)number(question, "requester"), id);
}

static json_t *attach(const json_t *question)
{
	const struct busway_dma_options options = {.live = LIVE_MAX,
						   .bypass_iommu = flag(question, "bypass")};
	struct busway_refusal why = {0};
	int status;

	if (machine.device && busway_dma_detach(machine.device))
		return NULL;
	machine.device = NULL;
	if (!find_device(question, &machine.id))
		return NULL;
	status = busway_dma_attach(machine.dma, machine.id, &options, &machine.device, &why);
	if (status)
		return refused(status, &why);
	machine.lane = busway_dma_lane(machine.device, 0);
	return json_pack(
		"{s:b, s:i, s:i, s:b}", "ok", true, "mask", (int)busway_dma_mask(machine.device),
		"coherent_mask", (int)busway_dma_coherent_mask(machine.device), "coherent",
		busway_platform_device(machine.platform, machine.id)->coherence == BUSWAY_COHERENT);
}

static json_t *set_mask(const json_t *question)
{
	const bool coherent = strcmp(text(question, "op"), "coherent-mask") == 0;
	const unsigned bits = (unsigned)number(question, "bits");
	struct busway_mask_report report = {0};
	struct busway_refusal why = {0};
	const int status =
		coherent ? busway_dma_set_coherent_mask(machine.device, bits, &report, &why)
			 : busway_dma_set_mask(machine.device, bits, &report, &why);

	if (status)
		return refused(status, &why);
	return json_pack("{s:b, s:i, s:b}", "ok", true, "required", (int)report.required_bits,
			 "limited", report.limited);
}

/* ---- streaming ---- */

/* Something that no other buffer begins and ends with. */
static void fill(struct busway_range range)
{
	static unsigned char next;
	unsigned char *bytes = bytes_at(range);

	next++;
	if (bytes)
		bytes[0] = bytes[busway_range_span(range)] = next;
}

static json_t *map(const json_t *question)
{
	const struct busway_range range = range_of(question);
	const bool keep = flag(question, "keep");
	struct busway_mapping once = {0}, *mapping = keep ? &machine.kept : &once;
	struct busway_refusal why = {0};
	json_t *answer;
	int status;

	fill(range);
	status = busway_map(machine.lane, busway_phys_range(range), BUSWAY_BIDIRECTIONAL,
			    flag(question, "direct") ? BUSWAY_MAP_NO_BOUNCE : 0, mapping, &why);
	if (status)
		return refused(status, &why);
	answer = segment_json(&mapping->segments[0]);
	json_object_set_new(answer, "ok", json_boolean(mapping->segment_count == 1));
	if (!keep && busway_unmap(mapping))
		json_object_set_new(answer, "ok", json_false());
	return answer;
}

static json_t *unmap(const json_t *question)
{
	const int status = busway_unmap(&machine.kept);

	(void)question;
	return status ? refused(status, NULL) : done();
}

static size_t entries_of(const json_t *question, struct busway_phys_range *entries)
{
	const json_t *list = json_object_get(question, "entries");
	size_t count = json_array_size(list);

	if (count > ENTRIES_MAX)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(list, i);
		const uint64_t first = (uint64_t)json_integer_value(json_array_get(one, 0));
		const uint64_t size = (uint64_t)json_integer_value(json_array_get(one, 1));

		entries[i] = busway_phys_range((struct busway_range){first, first + size - 1});
		fill(busway_phys_raw(entries[i]));
	}
	return count;
}

static json_t *map_list(const json_t *question)
{
	struct busway_phys_range entries[ENTRIES_MAX];
	struct busway_mapped segments[2 * ENTRIES_MAX];
	struct busway_mapping mapping = {0};
	struct busway_refusal why = {0};
	const size_t count = entries_of(question, entries);
	json_t *list = json_array();
	size_t needed;
	const int status =
		busway_map_list(machine.lane, entries, count, BUSWAY_BIDIRECTIONAL, 0, segments,
				sizeof(segments) / sizeof(segments[0]), &mapping, &needed, &why);

	if (status) {
		json_decref(list);
		return refused(status, &why);
	}
	for (uint32_t i = 0; i < mapping.segment_count; i++)
		json_array_append_new(list, segment_json(&segments[i]));
	return json_pack("{s:b, s:o}", "ok", busway_unmap(&mapping) == 0, "mapped", list);
}

static json_t *exhaust(const json_t *question)
{
	const struct busway_phys_range range = busway_phys_range(range_of(question));
	const uint64_t count = number(question, "count");
	struct busway_refusal why = {0};
	json_t *answer;
	size_t live = 0;
	int status = 0;

	while (live < count && live < LIVE_MAX && status == 0) {
		status = busway_map(machine.lane, range, BUSWAY_BIDIRECTIONAL, 0,
				    &machine.many[live], &why);
		live += status == 0;
	}
	answer = status ? refused(status, &why) : done();
	json_object_set_new(answer, "live", json_integer((json_int_t)live));
	while (live)
		if (busway_unmap(&machine.many[--live]))
			json_object_set_new(answer, "live", json_null());
	return answer;
}

/* ---- coherent memory, and peers ---- */

static struct busway_coherent *slot_of(const json_t *question)
{
	return &machine.allocations[number(question, "slot") % ALLOCATIONS];
}

static bool is_zero(const unsigned char *bytes, uint64_t size)
{
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, (size_t)size - 1) == 0;
}

static json_t *alloc(const json_t *question)
{
	struct busway_coherent *c = slot_of(question);
	struct busway_refusal why = {0};
	const int status = busway_coherent_alloc(
		machine.lane, number(question, "size"), 4096,
		flag(question, "atomic") ? BUSWAY_COHERENT_ATOMIC : 0, c, &why);

	if (status)
		return refused(status, &why);
	return json_pack(
		"{s:b, s:I, s:I, s:I, s:b}", "ok", true, "dma", (json_int_t)c->dma.raw, "phys",
		(json_int_t)c->phys.raw, "leads_to",
		(json_int_t)landing((struct busway_dma_range){c->dma, {c->dma.raw + c->size - 1}}),
		"zeroed", is_zero(c->cpu, c->size));
}

static json_t *release_coherent(const json_t *question)
{
	struct busway_coherent *c = slot_of(question);

	if (c->cpu)
		memset(c->cpu, DIRT, (size_t)c->size);
	return busway_coherent_free(c) ? NULL : done();
}

static json_t *map_peer(const json_t *question)
{
	struct busway_mapping mapping = {0};
	struct busway_refusal why = {0};
	json_t *answer;
	const int status = busway_map_peer(machine.lane, busway_phys_range(range_of(question)),
					   BUSWAY_BIDIRECTIONAL, &mapping, &why);

	if (status)
		return refused(status, &why);
	answer = json_pack("{s:b, s:I}", "ok", true, "dma", (json_int_t)mapping.dma.raw);
	if (busway_unmap(&mapping))
		json_object_set_new(answer, "ok", json_false());
	return answer;
}

/* ---- questions ---- */

static const struct operation {
	const char *name;
	bool needs_device;
	json_t *(*answer)(const json_t *question);
} operations[] = {
	{"open", false, open_tree}, {"add-pool", false, add_pool},     {"attach", false, attach},
	{"mask", true, set_mask},   {"coherent-mask", true, set_mask}, {"map", true, map},
	{"unmap", true, unmap},     {"map-list", true, map_list},      {"exhaust", true, exhaust},
	{"alloc", true, alloc},     {"free", true, release_coherent},  {"peer", true, map_peer},
};

/* NULL: that cannot be asked, or not now. */
static json_t *answer(const json_t *question)
{
	const char *op = text(question, "op");

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(operations[i].name, op) == 0)
			return operations[i].needs_device && !machine.device
				       ? NULL
				       : operations[i].answer(question);
	return NULL;
}

int main(void)
{
	char line[16384];
	int status = 0;

	while (status == 0 && fgets(line, sizeof(line), stdin)) {
		json_t *question = json_loads(line, 0, NULL);
		json_t *reply = answer(question);

		if (reply) {
			json_dumpf(reply, stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		} else {
			fprintf(stderr, "no answer to %s", line);
			status = 2;
		}
		json_decref(reply);
		json_decref(question);
	}
	close_machine();
	return status;
}
