/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flatten.c - all ways from a space at once, as a sorted list of pieces.
 *
 * Walks each space in address order and each window into the space behind it, so that pieces
 * come out sorted by the address that the device emits. The result of a walk of 2^64 addresses
 * costs what there are runs on the way, not what there are addresses.
 */
#include "reach_internal.h"

#include "../base/bytes.h"

#include <busway/resolve.h>

enum { STEPS_MAX = 1 << 24 };

struct flattening {
	const struct busway_platform *platform;
	enum flatten_mode mode;
	struct flat *flat;
	unsigned long steps;
};

/* One stretch of a walk: addresses @range of @space, which the device emits from @dma on. */
struct stretch {
	busway_space_id space;
	struct busway_range range;
	uint64_t dma;
	enum busway_access access;
	uint32_t rank;
	unsigned depth;
};

int flat_add(struct flat *flat, const struct flat_piece *piece)
{
	const struct busway_allocator *memory = flat->memory;

	if (flat->count == flat->capacity) {
		const size_t capacity = flat->capacity ? flat->capacity * 2 : 8;
		struct flat_piece *pieces;

		if (flat->count >= BUSWAY_PIECES_MAX)
			return -BUSWAY_E2BIG;
		pieces = memory->alloc(memory->ctx, capacity * sizeof(*pieces),
				       _Alignof(struct flat_piece));
		if (!pieces)
			return -BUSWAY_ENOMEM;
		if (flat->count)
			memcpy(pieces, flat->pieces, flat->count * sizeof(*pieces));
		if (flat->pieces)
			memory->free(memory->ctx, flat->pieces, flat->capacity * sizeof(*pieces),
				     _Alignof(struct flat_piece));
		flat->pieces = pieces;
		flat->capacity = capacity;
	}
	flat->pieces[flat->count++] = *piece;
	return 0;
}

void flat_free(struct flat *flat)
{
	if (flat->pieces)
		flat->memory->free(flat->memory->ctx, flat->pieces,
				   flat->capacity * sizeof(*flat->pieces),
				   _Alignof(struct flat_piece));
	*flat = (struct flat){.memory = flat->memory};
}

/* The same region, or another one of the same name: ranges of one memory node. */
static bool same_target(const struct flattening *f, busway_region_id a, busway_region_id b)
{
	return a.index == b.index ||
	       region_at(f->platform, a.index)->name == region_at(f->platform, b.index)->name;
}

static bool continues(const struct flattening *f, const struct flat_piece *a,
		      const struct flat_piece *b)
{
	const uint64_t span = a->piece.dma.last.raw - a->piece.dma.first.raw;

	return busway_range_adjoins(busway_dma_raw(a->piece.dma), busway_dma_raw(b->piece.dma)) &&
	       span != UINT64_MAX - a->piece.phys.raw &&
	       b->piece.phys.raw == a->piece.phys.raw + span + 1 &&
	       (f->mode == FLATTEN_WINDOWS || a->rank == b->rank) &&
	       same_target(f, a->piece.target, b->piece.target) &&
	       a->piece.access == b->piece.access;
}

static int put(struct flattening *f, const struct stretch *s, struct busway_range range,
	       uint32_t target, enum busway_access access)
{
	const uint64_t dma = s->dma + (range.first - s->range.first);
	const struct flat_piece piece = {
		.piece = {.dma = {{dma}, {dma + busway_range_span(range)}},
			  .phys = {range.first},
			  .target = {target},
			  .access = (enum busway_access)(s->access & access)},
		.rank = s->rank,
	};
	struct flat *flat = f->flat;

	if (!piece.piece.access)
		return 0;
	if (flat->count && continues(f, &flat->pieces[flat->count - 1], &piece)) {
		flat->pieces[flat->count - 1].piece.dma.last = piece.piece.dma.last;
		return 0;
	}
	return flat_add(flat, &piece);
}

static int walk(struct flattening *f, const struct stretch *s);

static int through_window(struct flattening *f, const struct stretch *s, struct busway_range range,
			  uint32_t index)
{
	const struct busway_window *window = window_at(f->platform, index);
	const struct stretch next = {
		.space = window->to,
		.range = {window_out(window, range.first), window_out(window, range.last)},
		.dma = s->dma + (range.first - s->range.first),
		.access = (enum busway_access)(s->access & window->access),
		.rank = s->depth ? s->rank : index,
		.depth = s->depth + 1,
	};

	return next.depth < BUSWAY_HOPS_MAX && next.access ? walk(f, &next) : 0;
}

static int at_region(struct flattening *f, const struct stretch *s, struct busway_range range,
		     uint32_t index)
{
	const struct busway_region *region = region_at(f->platform, index);

	if (f->mode == FLATTEN_APERTURES)
		return region->kind == BUSWAY_REGION_APERTURE
			       ? put(f, s, range, index, region->access)
			       : 0;
	/* memory of another space has no CPU-physical address */
	if (s->space.index != BUSWAY_CPU_SPACE.index ||
	    (region->kind != BUSWAY_REGION_RAM && region->kind != BUSWAY_REGION_UNKNOWN &&
	     (region->kind != BUSWAY_REGION_CARVEOUT || f->mode != FLATTEN_CARVEOUTS)))
		return 0;
	return put(f, s, range, index, region->access);
}

/* Who takes @address, as far as this mode looks at it? */
static struct claim claim_in_mode(const struct flattening *f, const struct space_entry *space,
				  uint64_t address)
{
	const struct space_entry only_windows = {.windows = space->windows};

	return claim_at(f->mode == FLATTEN_WINDOWS ? &only_windows : space, address);
}

static int walk(struct flattening *f, const struct stretch *s)
{
	const struct space_entry *space = space_entry(f->platform, s->space);
	struct busway_range rest = s->range;

	if (f->mode == FLATTEN_WINDOWS && space->space.kind == BUSWAY_SPACE_CPU)
		return put(f, s, s->range, 0, BUSWAY_READ_WRITE);
	if (f->mode == FLATTEN_APERTURES && space->space.kind == BUSWAY_SPACE_CPU)
		return 0;
	for (;;) {
		const struct claim claim = claim_in_mode(f, space, rest.first);
		const struct busway_range here = {rest.first,
						  claim.last < rest.last ? claim.last : rest.last};
		int status = 0;

		if (++f->steps > STEPS_MAX)
			return -BUSWAY_E2BIG;
		if (claim.kind == CLAIM_WINDOW)
			status = through_window(f, s, here, claim.index);
		else if (claim.kind == CLAIM_REGION)
			status = at_region(f, s, here, claim.index);
		if (status || here.last == rest.last)
			return status;
		rest.first = here.last + 1;
	}
}

int flatten(const struct busway_platform *platform, busway_space_id space, enum flatten_mode mode,
	    struct flat *flat)
{
	struct flattening f = {.platform = platform, .mode = mode, .flat = flat};
	const struct stretch all = {
		.space = space,
		.range = BUSWAY_RANGE_ALL,
		.access = BUSWAY_READ_WRITE,
	};
	const int status = walk(&f, &all);

	if (status)
		flat_free(flat);
	return status;
}
