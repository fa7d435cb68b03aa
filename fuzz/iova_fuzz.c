/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova_fuzz.c - any bytes as a sequence of operations on an IOVA space and a map of what is mapped.
 *
 * Beside them runs a byte for each granule, of which there are 256: nothing is handed out twice,
 * nothing that is reserved or not allowed is handed out at all, a refusal means that there is no
 * place, and in the end one free extent is left for each allowed range. What is taken is also
 * mapped, and found there.
 *
 * Input: options, a place for the space, a hole, then operations of four bytes.
 */
#include <busway/busway.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 256, RANGES = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum cell { IS_FREE, IS_OUT, IS_RESERVED, IS_FORBIDDEN };

struct fuzz {
	uint64_t base;
	uint8_t cell[SIZE];
	struct busway_iova_space *space;
	struct busway_iova_cache *cache[2];
	struct busway_iova_map *map;
	struct {
		uint64_t first, size;
	} out[RANGES];
	unsigned count;
};

static void must(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "iova_fuzz: %s\n", what);
		abort();
	}
}

static void *take_memory(void *ctx, size_t size, size_t align)
{
	(void)ctx;
	(void)align;
	return malloc(size);
}

static void give_memory(void *ctx, void *mem, size_t size, size_t align)
{
	(void)ctx;
	(void)size;
	(void)align;
	free(mem);
}

static const struct busway_allocator memory = {take_memory, give_memory, NULL};

/* ---- the cells ---- */

static bool all_are(const struct fuzz *f, uint64_t first, uint64_t size, enum cell cell)
{
	if (first < f->base || first - f->base > SIZE || size > SIZE - (first - f->base))
		return false;
	for (uint64_t i = 0; i < size; i++)
		if (f->cell[first - f->base + i] != cell)
			return false;
	return true;
}

static void set(struct fuzz *f, uint64_t first, uint64_t size, enum cell cell)
{
	memset(f->cell + (first - f->base), (int)cell, size);
}

static bool serves(const struct fuzz *f, const struct busway_iova_request *r, uint64_t first)
{
	const uint64_t last = first + (r->size - 1);

	return last >= first && all_are(f, first, r->size, IS_FREE) &&
	       !(r->align && first % r->align) &&
	       !(r->boundary && first / r->boundary != last / r->boundary) &&
	       !(r->last && last > r->last);
}

static bool has_place(const struct fuzz *f, const struct busway_iova_request *r)
{
	for (uint64_t i = 0; i < SIZE; i++)
		if (serves(f, r, f->base + i))
			return true;
	return false;
}

/* ---- operations: @b are the bytes behind the first ---- */

static struct busway_dma_range range_of(uint64_t first, uint64_t size)
{
	return (struct busway_dma_range){{first}, {first + (size - 1)}};
}

static void remember(struct fuzz *f, uint64_t first, uint64_t size)
{
	const struct busway_iova_entry entry = {range_of(first, size), first - f->base, f,
						BUSWAY_READ};

	set(f, first, size, IS_OUT);
	must(busway_iova_map_insert(f->map, &entry, NULL) == 0, "what is taken is mapped already");
	f->out[f->count].first = first;
	f->out[f->count++].size = size;
}

static void take(struct fuzz *f, struct busway_iova_cache *cache, const uint8_t *b)
{
	const struct busway_iova_request r = {
		.size = 1 + b[0] % 48,
		.align = b[1] & 8 ? (uint64_t)1 << (b[1] & 7) : 0,
		.boundary = b[1] & 128 ? (uint64_t)1 << (b[1] >> 4 & 7) : 0,
		.last = b[2] ? f->base + b[2] : 0,
	};
	busway_dma_t first;
	const int status = cache ? busway_iova_cache_take(cache, &r, &first, NULL)
				 : busway_iova_take(f->space, &r, &first, NULL);

	if (status) {
		must(status == -BUSWAY_ERANGE && !has_place(f, &r), "a place is refused");
		return;
	}
	must(serves(f, &r, first.raw), "a place that does not serve");
	remember(f, first.raw, r.size);
}

static void take_at(struct fuzz *f, const uint8_t *b)
{
	const uint64_t first = f->base + b[0], size = 1 + b[1] % 48;
	int status;

	if (first + (size - 1) < first)
		return;
	status = busway_iova_take_at(f->space, range_of(first, size), NULL);
	must((status == 0) == all_are(f, first, size, IS_FREE), "a fixed place");
	if (!status)
		remember(f, first, size);
}

static void give(struct fuzz *f, struct busway_iova_cache *cache, unsigned i)
{
	const uint64_t first = f->out[i].first, size = f->out[i].size;
	const struct busway_iova_entry *entry = busway_iova_map_find(f->map, busway_dma(first));

	must(entry && entry->iova.first.raw == first && entry->memory == first - f->base,
	     "what is taken is not mapped");
	must(busway_iova_map_remove(f->map, range_of(first, size), NULL) == 0, "unmapping");
	must((cache ? busway_iova_cache_give(cache, range_of(first, size), NULL)
		    : busway_iova_give(f->space, range_of(first, size), NULL)) == 0,
	     "giving back");
	set(f, first, size, IS_FREE);
	f->out[i] = f->out[--f->count];
}

static void reserve(struct fuzz *f, const uint8_t *b)
{
	const uint64_t first = f->base + b[0], size = 1 + b[1] % 48;
	int status;

	if (first + (size - 1) < first || !all_are(f, first, size, f->cell[b[0]]))
		return;
	status = busway_iova_reserve(f->space, busway_dma_raw(range_of(first, size)), "x", NULL);
	if (f->cell[b[0]] == IS_FREE)
		must(status == 0, "a reservation is refused");
	if (f->cell[b[0]] == IS_OUT || f->cell[b[0]] == IS_RESERVED)
		must(status == -BUSWAY_ERANGE, "a reservation of what is not free");
	if (status == 0 && f->cell[b[0]] == IS_FREE)
		set(f, first, size, IS_RESERVED);
	else if (status == 0) /* of what is not allowed: it goes at once */
		must(busway_iova_release(f->space, first) == 0, "a reservation is lost");
}

static void release(struct fuzz *f, uint64_t at)
{
	struct busway_range range;
	const char *by;

	if (f->cell[at - f->base] != IS_RESERVED)
		return;
	must(busway_iova_next_reserved(f->space, at, &range, &by) && range.first <= at,
	     "a reservation is not found");
	must(busway_iova_release(f->space, at) == 0, "a reservation stays");
	set(f, range.first, range.last - range.first + 1, IS_FREE);
}

static void operate(struct fuzz *f, const uint8_t *b)
{
	struct busway_iova_cache *cache = b[0] & 16 ? f->cache[b[0] >> 5 & 1] : NULL;

	switch (b[0] & 15) {
	case 0:
		reserve(f, b + 1);
		break;
	case 1:
		release(f, f->base + b[1]);
		break;
	case 2:
		busway_iova_space_flush(f->space);
		break;
	case 3:
	case 4:
		if (f->count < RANGES)
			take_at(f, b + 1);
		break;
	case 5:
	case 6:
	case 7:
	case 8:
	case 9:
		if (f->count)
			give(f, cache, b[1] % f->count);
		break;
	default:
		if (f->count < RANGES)
			take(f, cache, b + 1);
		break;
	}
}

/* ---- one input ---- */

static void finish(struct fuzz *f)
{
	struct busway_iova_census census;
	struct busway_range allowed, extent;
	size_t runs = 0;

	while (f->count)
		give(f, NULL, f->count - 1);
	for (uint64_t i = 0; i < SIZE; i++)
		release(f, f->base + i);
	for (unsigned i = 0; i < 2; i++)
		busway_iova_cache_destroy(f->cache[i]);
	busway_iova_space_flush(f->space);
	for (uint64_t from = f->base; busway_iova_next_allowed(f->space, from, &allowed); runs++) {
		must(busway_iova_next_free(f->space, from, &extent) &&
			     extent.first == allowed.first && extent.last == allowed.last,
		     "not one extent for each allowed range");
		if (allowed.last == UINT64_MAX)
			break;
		from = allowed.last + 1;
	}
	busway_iova_space_census(f->space, &census);
	must(census.double_frees == 0 && census.live == 0, "a census");
	must(busway_iova_map_count(f->map) == 0, "something is mapped");
	busway_iova_map_destroy(f->map);
	must(busway_iova_space_destroy(f->space) == 0, "a space that is not empty");
}

static void start(struct fuzz *f, const uint8_t *data)
{
	static const uint64_t bases[] = {0, 1, 0x1000, UINT64_MAX - (SIZE - 1)};
	const struct busway_iova_options options = {.granule = 1,
						    .use_ends = true,
						    .lean = data[0] & 1,
						    .depot_batches = data[0] >> 1 & 3};
	struct busway_range runs[2];
	struct busway_intervals allowed = {.runs = runs, .count = 1};
	const uint64_t hole = 1 + data[1] % (SIZE - 2);

	f->base = bases[data[0] >> 3 & 3];
	runs[0] = (struct busway_range){f->base, f->base + (SIZE - 1)};
	if (data[0] & 32) {
		runs[0].last = f->base + hole - 1;
		runs[1] = (struct busway_range){f->base + hole + 1, f->base + (SIZE - 1)};
		allowed.count = 2;
		f->cell[hole] = IS_FORBIDDEN;
	}
	must(busway_iova_space_create(&allowed, NULL, &options, &memory, &f->space) == 0 &&
		     busway_iova_cache_create(f->space, &f->cache[0]) == 0 &&
		     busway_iova_cache_create(f->space, &f->cache[1]) == 0 &&
		     busway_iova_map_create(NULL, &memory, &f->map) == 0,
	     "there is memory");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz f;

	if (size < 2)
		return 0;
	memset(&f, 0, sizeof(f));
	start(&f, data);
	for (size_t i = 2; i + 4 <= size; i += 4)
		operate(&f, data + i);
	finish(&f);
	return 0;
}
