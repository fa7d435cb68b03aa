/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * platform_internal.h - what the files of this layer share. Read <busway/platform.h> first.
 *
 * While a platform is built, everything that was added stands in plain vectors. Sealing makes
 * three decoders for each space: of the regions, of the windows, and of the background (unknown
 * memory, which answers only where nothing else does). A decoder is a sorted list of disjoint
 * runs, in which precedence has been settled; claim_at() reads them in their order.
 */
#ifndef BUSWAY_PLATFORM_INTERNAL_H
#define BUSWAY_PLATFORM_INTERNAL_H

#include "../base/arena.h"

#include <busway/platform.h>

/* ---- decoders ---- */

struct decode_run {
	struct busway_range range;
	uint32_t index; /* of the window or region */
};

struct decoder {
	struct decode_run *runs; /* sorted, disjoint */
	size_t count;
};

/* A claim before precedence is settled: of two that overlap, the lower rank wins. */
struct decode_claim {
	struct busway_range range;
	uint32_t rank, index;
};

/*
 * Settle precedence: sorts @claims (and uses them up) and writes at most 2 * count runs to
 * @runs. @heap is working memory for count indices. Return: the number of runs.
 */
size_t decode_settle(struct decode_claim *claims, size_t count, uint32_t *heap,
		     struct decode_run *runs);

/* Index of the first run that ends at or behind @address. */
static inline size_t decode_find(const struct decoder *decoder, uint64_t address)
{
	size_t low = 0, high = decoder->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (decoder->runs[middle].range.last < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- the platform ---- */

struct space_entry {
	struct busway_space space;
	struct decoder regions, windows, background;
};

/* Things of each space in a list of their own: head[space], then next[thing], in order;
 * UINT32_MAX ends it. */
struct by_space {
	uint32_t *head, *next;
};

/* Another name of a device. */
struct alias {
	const char *name, *path;
};

struct busway_platform {
	struct arena arena;
	bool sealed;
	struct vector spaces;   /* struct space_entry */
	struct vector windows;  /* struct busway_window */
	struct vector regions;  /* struct busway_region */
	struct vector banks;    /* struct busway_memory_bank */
	struct vector pools;    /* struct busway_pool */
	struct vector devices;  /* struct busway_device */
	struct vector aliases;  /* struct alias */
	struct vector reserved; /* struct busway_range */
	/* once sealed: windows by the space that they leave, and by that to which they lead */
	struct by_space outgoing, incoming;
	const struct busway_note *notes;
	const char *model;
	const char *const *compatible;
	size_t compatible_count;
};

static inline struct space_entry *space_entry(const struct busway_platform *p, busway_space_id id)
{
	return (struct space_entry *)p->spaces.items + id.index;
}

static inline const struct busway_window *window_at(const struct busway_platform *p, uint32_t i)
{
	return (const struct busway_window *)p->windows.items + i;
}

static inline const struct busway_region *region_at(const struct busway_platform *p, uint32_t i)
{
	return (const struct busway_region *)p->regions.items + i;
}

static inline const struct busway_pool *pool_at(const struct busway_platform *p, uint32_t i)
{
	return (const struct busway_pool *)p->pools.items + i;
}

/* Where @window puts an address of its .from space. */
static inline uint64_t window_out(const struct busway_window *window, uint64_t address)
{
	return window->out.raw + (address - window->in.first);
}

static inline struct busway_range window_out_range(const struct busway_window *window)
{
	return (struct busway_range){window->out.raw,
				     window->out.raw + busway_range_span(window->in)};
}

/* How far @address is from @range; 0 inside it. */
static inline uint64_t distance(struct busway_range range, uint64_t address)
{
	return address < range.first  ? range.first - address
	       : address > range.last ? address - range.last
				      : 0;
}

/* The bank of memory that is nearest to @address; false: there is none. */
bool nearest_bank(const struct busway_platform *p, uint64_t address, struct busway_range *bank);

/* ---- one step of the way ---- */

enum claim_kind { CLAIM_NONE, CLAIM_REGION, CLAIM_WINDOW };

struct claim {
	enum claim_kind kind;
	uint32_t index;
	uint64_t last; /* the same holds from the address asked up to here */
};

/* Who takes @address in @space? */
struct claim claim_at(const struct space_entry *space, uint64_t address);

/* ---- emission ---- */

/* The first run of emittable addresses that ends at or behind @from; false: there is none. */
bool emission_next(const struct busway_emission *emission, uint64_t from, struct busway_range *run);

/* Can all of @range be emitted? Else @bad is the first address that cannot. */
bool emission_holds(const struct busway_emission *emission, struct busway_range range,
		    uint64_t *bad);

/* Fills @why for an address that cannot be emitted. */
void emission_refuse(const struct busway_device *device, const struct busway_emission *emission,
		     struct busway_range asked, struct busway_refusal *why);

/* ---- refusals ---- */

static inline void advise(struct busway_refusal *why, struct busway_advice advice)
{
	if (why->advice_count < BUSWAY_ADVICE_MAX)
		why->advice[why->advice_count++] = advice;
}

#endif
