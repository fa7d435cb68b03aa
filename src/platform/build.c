/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * build.c - make a platform, add to it, seal it, throw it away.
 */
#include "platform_internal.h"

#include "../base/bytes.h"

int busway_platform_create(const struct busway_allocator *memory, struct busway_platform **out)
{
	static const struct busway_space cpu = {.name = "cpu", .kind = BUSWAY_SPACE_CPU};
	struct arena arena = {.memory = memory};
	struct busway_platform *platform =
		arena_take(&arena, sizeof(*platform), _Alignof(struct busway_platform));
	struct space_entry *entry;

	if (!platform)
		return -BUSWAY_ENOMEM;
	*platform = (struct busway_platform){.arena = arena, .model = ""};
	entry = vector_next(&platform->arena, &platform->spaces, sizeof(*entry),
			    _Alignof(struct space_entry));
	if (!entry) {
		busway_platform_destroy(platform);
		return -BUSWAY_ENOMEM;
	}
	*entry = (struct space_entry){.space = cpu};
	platform->spaces.count = 1;
	*out = platform;
	return 0;
}

void busway_platform_destroy(struct busway_platform *platform)
{
	if (platform) {
		struct arena arena = platform->arena; /* the platform lies in it */

		arena_release(&arena);
	}
}

void *busway_platform_keep(struct busway_platform *platform, size_t size, size_t align)
{
	return arena_take(&platform->arena, size, align);
}

#define ADD(platform, vector, value, index)                                                        \
	add(platform, &(platform)->vector, value, sizeof(*(value)), index)

/* Copy @item to the end of @vector. Every item type is at most max_align_t aligned. */
static int add(struct busway_platform *platform, struct vector *vector, const void *item,
	       size_t size, uint32_t *index)
{
	void *place;

	if (platform->sealed)
		return -BUSWAY_EBUSY;
	if (vector->count >= UINT32_MAX - 1)
		return -BUSWAY_ENOMEM;
	place = vector_next(&platform->arena, vector, size, _Alignof(max_align_t));
	if (!place)
		return -BUSWAY_ENOMEM;
	memcpy(place, item, size);
	if (index)
		*index = (uint32_t)vector->count;
	vector->count++;
	return 0;
}

static bool space_exists(const struct busway_platform *platform, busway_space_id id)
{
	return id.index < platform->spaces.count;
}

int busway_platform_add_space(struct busway_platform *platform, const struct busway_space *space,
			      busway_space_id *id)
{
	const struct space_entry entry = {.space = *space};

	if (!space->name || space->kind == BUSWAY_SPACE_CPU)
		return -BUSWAY_EINVAL;
	return ADD(platform, spaces, &entry, &id->index);
}

void busway_platform_mark_untranslatable(struct busway_platform *platform, busway_space_id id)
{
	if (!platform->sealed && space_exists(platform, id))
		space_entry(platform, id)->space.untranslatable = true;
}

int busway_platform_add_window(struct busway_platform *platform, const struct busway_window *window)
{
	if (!space_exists(platform, window->from) || !space_exists(platform, window->to) ||
	    !window->name || window->in.first > window->in.last ||
	    busway_range_span(window->in) > UINT64_MAX - window->out.raw)
		return -BUSWAY_EINVAL;
	return ADD(platform, windows, window, NULL);
}

int busway_platform_add_region(struct busway_platform *platform, const struct busway_region *region)
{
	if (!space_exists(platform, region->space) || !region->name ||
	    region->range.first > region->range.last || region->kind > BUSWAY_REGION_UNKNOWN)
		return -BUSWAY_EINVAL;
	return ADD(platform, regions, region, NULL);
}

int busway_platform_add_bank(struct busway_platform *platform,
			     const struct busway_memory_bank *bank)
{
	if (!bank->name || bank->range.first > bank->range.last)
		return -BUSWAY_EINVAL;
	return ADD(platform, banks, bank, NULL);
}

int busway_platform_add_pool(struct busway_platform *platform, const struct busway_pool *pool,
			     uint32_t *index)
{
	if (!pool->name || (!pool->dynamic && pool->range.first > pool->range.last))
		return -BUSWAY_EINVAL;
	return ADD(platform, pools, pool, index);
}

int busway_platform_add_device(struct busway_platform *platform, const struct busway_device *device,
			       busway_device_id *id)
{
	if (!device->name || !space_exists(platform, device->dma.enters) ||
	    (device->restricted_pool != UINT32_MAX &&
	     device->restricted_pool >= platform->pools.count) ||
	    (device->segments.boundary && !busway_is_power_of_two(device->segments.boundary)))
		return -BUSWAY_EINVAL;
	return ADD(platform, devices, device, &id->index);
}

int busway_platform_add_reserved(struct busway_platform *platform, struct busway_range range)
{
	return range.first > range.last ? -BUSWAY_EINVAL : ADD(platform, reserved, &range, NULL);
}

int busway_platform_set_segments(struct busway_platform *platform, busway_device_id id,
				 const struct busway_segment_limits *limits)
{
	struct busway_device *devices = platform->devices.items;

	if (id.index >= platform->devices.count ||
	    (limits->boundary && !busway_is_power_of_two(limits->boundary)))
		return -BUSWAY_EINVAL;
	devices[id.index].segments = *limits;
	return 0;
}

int busway_platform_add_alias(struct busway_platform *platform, const char *name, const char *path)
{
	const struct alias alias = {name, path};

	return ADD(platform, aliases, &alias, NULL);
}

void busway_platform_set_notes(struct busway_platform *platform, const struct busway_note *notes)
{
	platform->notes = notes;
}

void busway_platform_describe(struct busway_platform *platform, const char *model,
			      const char *const *compatible, size_t compatible_count)
{
	platform->model = model;
	platform->compatible = compatible;
	platform->compatible_count = compatible_count;
}

/* ---- sealing ---- */

/* Working memory for the decoders of one space after the other. */
struct workshop {
	struct decode_claim *claims;
	uint32_t *heap;
	struct decode_run *runs;
	size_t capacity;
};

static int make_decoder(struct busway_platform *platform, struct workshop *shop, size_t count,
			struct decoder *out)
{
	const size_t runs = decode_settle(shop->claims, count, shop->heap, shop->runs);
	struct decode_run *kept;

	*out = (struct decoder){0};
	if (!runs)
		return 0;
	kept = arena_take(&platform->arena, runs * sizeof(*kept), _Alignof(struct decode_run));
	if (!kept)
		return -BUSWAY_ENOMEM;
	memcpy(kept, shop->runs, runs * sizeof(*kept));
	*out = (struct decoder){kept, runs};
	return 0;
}

enum grouping { WINDOWS_BY_FROM, WINDOWS_BY_TO, REGIONS };

static uint32_t space_of(const struct busway_platform *platform, enum grouping how, uint32_t i)
{
	return how == REGIONS           ? region_at(platform, i)->space.index
	       : how == WINDOWS_BY_FROM ? window_at(platform, i)->from.index
					: window_at(platform, i)->to.index;
}

static bool group(struct busway_platform *platform, enum grouping how, struct by_space *list)
{
	const size_t count = how == REGIONS ? platform->regions.count : platform->windows.count;
	const size_t spaces = platform->spaces.count;

	list->head = arena_take(&platform->arena, spaces * sizeof(uint32_t), _Alignof(uint32_t));
	list->next = arena_take(&platform->arena, count * sizeof(uint32_t), _Alignof(uint32_t));
	if (!list->head || !list->next)
		return false;
	for (size_t i = 0; i < spaces; i++)
		list->head[i] = UINT32_MAX;
	for (size_t i = count; i-- > 0;) {
		uint32_t *head = &list->head[space_of(platform, how, (uint32_t)i)];

		list->next[i] = *head;
		*head = (uint32_t)i;
	}
	return true;
}

/* A region's kind comes before its place in line. */
static size_t claim_regions(const struct busway_platform *platform, const struct by_space *list,
			    uint32_t space, bool background, struct decode_claim *claims)
{
	size_t count = 0;

	for (int kind = BUSWAY_REGION_DOORBELL; kind <= BUSWAY_REGION_UNKNOWN; kind++) {
		for (uint32_t i = list->head[space]; i != UINT32_MAX; i = list->next[i]) {
			const struct busway_region *region = region_at(platform, i);

			if ((int)region->kind != kind ||
			    (kind == BUSWAY_REGION_UNKNOWN) != background)
				continue;
			claims[count] = (struct decode_claim){region->range, (uint32_t)count, i};
			count++;
		}
	}
	return count;
}

static size_t claim_windows(const struct busway_platform *platform, const struct by_space *list,
			    uint32_t space, struct decode_claim *claims)
{
	size_t count = 0;

	for (uint32_t i = list->head[space]; i != UINT32_MAX; i = list->next[i]) {
		claims[count] =
			(struct decode_claim){window_at(platform, i)->in, (uint32_t)count, i};
		count++;
	}
	return count;
}

static int seal_space(struct busway_platform *platform, const struct by_space *regions,
		      uint32_t space, struct workshop *shop)
{
	struct space_entry *entry = space_entry(platform, (busway_space_id){space});
	size_t count = claim_windows(platform, &platform->outgoing, space, shop->claims);
	int status = make_decoder(platform, shop, count, &entry->windows);

	if (status)
		return status;
	count = claim_regions(platform, regions, space, false, shop->claims);
	status = make_decoder(platform, shop, count, &entry->regions);
	if (status)
		return status;
	count = claim_regions(platform, regions, space, true, shop->claims);
	return make_decoder(platform, shop, count, &entry->background);
}

static int workshop_open(const struct busway_allocator *memory, size_t capacity,
			 struct workshop *shop, size_t *bytes)
{
	const size_t each =
		sizeof(struct decode_claim) + 2 * sizeof(struct decode_run) + sizeof(uint32_t);
	char *block;

	if (capacity > SIZE_MAX / each)
		return -BUSWAY_ENOMEM;
	*bytes = capacity * each;
	block = memory->alloc(memory->ctx, *bytes, _Alignof(struct decode_claim));
	if (!block)
		return -BUSWAY_ENOMEM;
	shop->claims = (struct decode_claim *)block;
	shop->runs = (struct decode_run *)(shop->claims + capacity);
	shop->heap = (uint32_t *)(shop->runs + 2 * capacity);
	shop->capacity = capacity;
	return 0;
}

int busway_platform_seal(struct busway_platform *platform)
{
	const size_t windows_count = platform->windows.count;
	const size_t regions_count = platform->regions.count;
	const struct busway_allocator *memory = platform->arena.memory;
	struct by_space regions;
	struct workshop shop;
	size_t bytes;
	int status;

	if (platform->sealed)
		return -BUSWAY_EBUSY;
	if (!group(platform, WINDOWS_BY_FROM, &platform->outgoing) ||
	    !group(platform, WINDOWS_BY_TO, &platform->incoming) ||
	    !group(platform, REGIONS, &regions))
		return -BUSWAY_ENOMEM;
	status = workshop_open(memory,
			       (windows_count > regions_count ? windows_count : regions_count) + 1,
			       &shop, &bytes);
	if (status)
		return status;
	for (uint32_t i = 0; i < platform->spaces.count && status == 0; i++)
		status = seal_space(platform, &regions, i, &shop);
	memory->free(memory->ctx, shop.claims, bytes, _Alignof(struct decode_claim));
	if (status == 0)
		platform->sealed = true;
	return status;
}
