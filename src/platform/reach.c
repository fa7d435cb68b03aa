/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reach.c - what one device can address, as flat sorted lists. Read <busway/reach.h> first.
 *
 * Two views of the same answer: pieces, by the address that the device emits, one for each
 * target; and runs, by the memory that they lead to, joined across targets. Knows nothing of
 * the hops between: see flatten.c.
 */
#include "reach_internal.h"

#include "../base/bytes.h"

#include "../base/sort.h"

/* ---- building ---- */

/* Ranges that the device can emit may adjoin. Parts of one piece go on in memory as well. */
static bool joins_last(const struct flat *out, const struct flat_piece *part)
{
	const struct flat_piece *last = out->count ? &out->pieces[out->count - 1] : NULL;

	return last && last->rank == part->rank &&
	       last->piece.target.index == part->piece.target.index &&
	       last->piece.access == part->piece.access &&
	       busway_range_adjoins(busway_dma_raw(last->piece.dma),
				    busway_dma_raw(part->piece.dma)) &&
	       part->piece.phys.raw - last->piece.phys.raw ==
		       part->piece.dma.first.raw - last->piece.dma.first.raw;
}

/* Keep of @piece what the device can emit. */
static int emit_piece(const struct busway_emission *emission, const struct flat_piece *piece,
		      struct flat *out)
{
	const struct busway_range dma = busway_dma_raw(piece->piece.dma);
	struct busway_range run, common;
	uint64_t from = dma.first;

	while (emission_next(emission, from, &run) && busway_range_common(run, dma, &common)) {
		struct flat_piece part = *piece;
		int status;

		part.piece.dma = busway_dma_range(common);
		part.piece.phys = busway_phys(piece->piece.phys.raw + (common.first - dma.first));
		if (joins_last(out, &part))
			out->pieces[out->count - 1].piece.dma.last = part.piece.dma.last;
		else if ((status = flat_add(out, &part)) != 0)
			return status;
		if (common.last == dma.last || run.last == UINT64_MAX)
			break;
		from = run.last + 1;
	}
	return 0;
}

static int emit_all(const struct busway_emission *emission, const struct flat *all,
		    struct flat *out)
{
	int status = 0;

	for (size_t i = 0; i < all->count && status == 0; i++)
		status = emit_piece(emission, &all->pieces[i], out);
	return status;
}

static bool run_before(const void *a, const void *b)
{
	const struct reach_run *x = a, *y = b;

	return x->phys_first != y->phys_first ? x->phys_first < y->phys_first
					      : x->dma_first < y->dma_first;
}

static bool run_goes_on(const struct reach_run *run, const struct busway_piece *piece)
{
	return run->phys_last != UINT64_MAX && piece->phys.raw == run->phys_last + 1 &&
	       run->dma_first + (run->phys_last - run->phys_first) + 1 == piece->dma.first.raw &&
	       run->access == piece->access;
}

static uint64_t phys_last(const struct busway_piece *piece)
{
	return piece->phys.raw + (piece->dma.last.raw - piece->dma.first.raw);
}

/* On both sides, but with another access: else they would be one. */
static bool goes_on(const struct reach_run *run, const struct reach_run *next)
{
	return run->phys_last != UINT64_MAX && next->phys_first == run->phys_last + 1 &&
	       next->dma_first == run->dma_first + (next->phys_first - run->phys_first);
}

static void make_runs(struct busway_reach *reach)
{
	struct reach_run *runs = reach->runs;
	size_t count = 0;

	for (size_t i = 0; i < reach->piece_count; i++) {
		const struct busway_piece *p = &reach->pieces[i];

		if (count && run_goes_on(&runs[count - 1], p))
			runs[count - 1].phys_last = phys_last(p);
		else
			runs[count++] = (struct reach_run){p->phys.raw, phys_last(p),
							   p->dma.first.raw, p->access};
	}
	sort(runs, count, sizeof(*runs), run_before);
	for (size_t i = 0; i < count; i++) {
		const uint64_t before = i ? reach->highest[i - 1] : 0;

		if (i && runs[i].phys_first <= before)
			reach->aliased = true;
		if (i && goes_on(&runs[i - 1], &runs[i]))
			reach->mixed = true;
		reach->highest[i] = i && before > runs[i].phys_last ? before : runs[i].phys_last;
	}
	reach->run_count = count;
}

/* Does @piece go on where the last one ends, into the same target, by whatever window? */
static bool piece_goes_on(const struct busway_reach *reach, const struct busway_piece *piece)
{
	const struct busway_piece *last =
		reach->piece_count ? &reach->pieces[reach->piece_count - 1] : NULL;

	return last &&
	       busway_range_adjoins(busway_dma_raw(last->dma), busway_dma_raw(piece->dma)) &&
	       phys_last(last) != UINT64_MAX && piece->phys.raw == phys_last(last) + 1 &&
	       region_at(reach->platform, last->target.index)->name ==
		       region_at(reach->platform, piece->target.index)->name &&
	       last->access == piece->access;
}

/* Pieces, joined across windows; and, before joining, where which window begins. */
static void make_pieces(struct busway_reach *reach, const struct flat *flat)
{
	for (size_t i = 0; i < flat->count; i++) {
		const struct busway_piece *piece = &flat->pieces[i].piece;

		reach->ranks[i] = (struct reach_rank){piece->dma.first.raw, flat->pieces[i].rank};
		if (piece_goes_on(reach, piece))
			reach->pieces[reach->piece_count - 1].dma.last = piece->dma.last;
		else
			reach->pieces[reach->piece_count++] = *piece;
	}
	reach->rank_count = flat->count;
}

/* ---- index of runs ---- */

static const struct reach_run no_run = {.phys_first = UINT64_MAX};
static const struct reach_run many_runs = {.phys_last = UINT64_MAX};

static size_t index_parts(size_t pieces)
{
	size_t parts = REACH_PARTS_MIN;

	while (parts < REACH_PARTS_MAX && parts < 4 * pieces)
		parts *= 2;
	return parts;
}

static void index_run(struct busway_reach *reach, const struct reach_run *run, bool *taken)
{
	const uint64_t last = (run->phys_last >> reach->index_shift) - reach->index_base;

	for (uint64_t i = (run->phys_first >> reach->index_shift) - reach->index_base; i <= last;
	     i++) {
		reach->index[i] = taken[i] ? &many_runs : run;
		taken[i] = true;
	}
}

static void make_index(struct busway_reach *reach, size_t parts)
{
	bool taken[REACH_PARTS_MAX] = {false};
	uint64_t first, last;

	if (!reach->run_count)
		return;
	first = reach->runs[0].phys_first;
	last = reach->highest[reach->run_count - 1];
	while ((last >> reach->index_shift) - (first >> reach->index_shift) >= parts)
		reach->index_shift++;
	reach->index_base = first >> reach->index_shift;
	reach->index_count = (last >> reach->index_shift) - reach->index_base + 1;
	for (size_t i = 0; i < parts; i++)
		reach->index[i] = &no_run;
	for (size_t i = 0; i < reach->run_count; i++)
		index_run(reach, &reach->runs[i], taken);
}

/* ---- making ---- */

/* One block: the reach, then its pieces, runs, the highest ends of runs, ranks, and the index. */
static size_t block_size(size_t pieces)
{
	return sizeof(struct busway_reach) +
	       pieces * (sizeof(struct busway_piece) + sizeof(struct reach_run) + sizeof(uint64_t) +
			 sizeof(struct reach_rank)) +
	       index_parts(pieces) * sizeof(const struct reach_run *);
}

/* May memory be handed to the device as it is, in one segment of any size? */
static bool is_direct(const struct busway_device *device)
{
	return !device->behind_iommu && device->restricted_pool == UINT32_MAX &&
	       !device->segments.max_size && !device->segments.boundary;
}

static int reach_make(const struct busway_platform *platform, busway_device_id device,
		      const struct busway_emission *emission, const struct busway_allocator *memory,
		      const struct flat *flat, struct busway_reach **out)
{
	struct busway_reach *reach =
		memory->alloc(memory->ctx, block_size(flat->count), _Alignof(struct busway_reach));

	if (!reach)
		return -BUSWAY_ENOMEM;
	*reach = (struct busway_reach){
		.platform = platform,
		.memory = memory,
		.device = device,
		.emission = *emission,
		.pieces = (struct busway_piece *)(reach + 1),
	};
	reach->runs = (struct reach_run *)(reach->pieces + flat->count);
	reach->highest = (uint64_t *)(reach->runs + flat->count);
	reach->ranks = (struct reach_rank *)(reach->highest + flat->count);
	reach->index = (const struct reach_run **)(reach->ranks + flat->count);
	make_pieces(reach, flat);
	make_runs(reach);
	make_index(reach, index_parts(flat->count));
	reach->direct = is_direct(busway_platform_device(platform, device));
	*out = reach;
	return 0;
}

static bool device_exists(const struct busway_platform *platform, busway_device_id device)
{
	return platform->sealed && device.index < platform->devices.count;
}

int busway_reach_build(const struct busway_platform *platform, busway_device_id device,
		       const struct busway_emission *emission,
		       const struct busway_allocator *memory, struct busway_reach **out)
{
	return reach_build_mode(platform, device, emission, FLATTEN_MEMORY, memory, out);
}

int reach_build_mode(const struct busway_platform *platform, busway_device_id device,
		     const struct busway_emission *emission, enum flatten_mode mode,
		     const struct busway_allocator *memory, struct busway_reach **out)
{
	struct flat all = {.memory = memory}, emitted = {.memory = memory};
	const struct busway_device *dev;
	int status;

	if (!device_exists(platform, device))
		return -BUSWAY_EINVAL;
	dev = busway_platform_device(platform, device);
	if (!emission)
		emission = &dev->emission;
	status = flatten(platform, dev->dma.enters, mode, &all);
	if (status == 0)
		status = emit_all(emission, &all, &emitted);
	if (status == 0)
		status = reach_make(platform, device, emission, memory, &emitted, out);
	flat_free(&emitted);
	flat_free(&all);
	return status;
}

void busway_reach_destroy(struct busway_reach *reach)
{
	if (reach)
		reach->memory->free(reach->memory->ctx, reach, block_size(reach->rank_count),
				    _Alignof(struct busway_reach));
}

int busway_windows_build(const struct busway_platform *platform, busway_device_id device,
			 const struct busway_allocator *memory, struct busway_piece **pieces,
			 size_t *count)
{
	struct flat flat = {.memory = memory};
	struct busway_piece *made = NULL;
	int status;

	if (!device_exists(platform, device))
		return -BUSWAY_EINVAL;
	status = flatten(platform, busway_platform_device(platform, device)->dma.enters,
			 FLATTEN_WINDOWS, &flat);
	if (status)
		return status;
	if (flat.count) {
		made = memory->alloc(memory->ctx, flat.count * sizeof(*made),
				     _Alignof(struct busway_piece));
		if (!made)
			status = -BUSWAY_ENOMEM;
	}
	for (size_t i = 0; made && i < flat.count; i++)
		made[i] = flat.pieces[i].piece;
	if (status == 0) {
		*pieces = made;
		*count = flat.count;
	}
	flat_free(&flat);
	return status;
}

/* ---- looking up ---- */

const struct busway_piece *busway_reach_pieces(const struct busway_reach *reach, size_t *count)
{
	*count = reach->piece_count;
	return reach->pieces;
}

const struct busway_piece *busway_reach_find(const struct busway_reach *reach, busway_dma_t dma)
{
	const struct busway_piece *base = reach->pieces;
	size_t count = reach->piece_count;

	if (!count)
		return NULL;
	/* halve without a branch that depends on the data: the last piece that begins at or
	 * before dma ends up at base */
	while (count > 1) {
		const size_t half = count / 2;

		base += base[half].dma.first.raw <= dma.raw ? half : 0;
		count -= half;
	}
	return base->dma.first.raw <= dma.raw && dma.raw <= base->dma.last.raw ? base : NULL;
}

size_t reach_run_at(const struct busway_reach *reach, uint64_t phys)
{
	const struct reach_run *base = reach->runs;
	size_t count = reach->run_count;

	if (!count || base->phys_first > phys)
		return count;
	while (count > 1) {
		const size_t half = count / 2;

		base += base[half].phys_first <= phys ? half : 0;
		count -= half;
	}
	return (size_t)(base - reach->runs);
}

uint32_t run_rank(const struct busway_reach *reach, const struct reach_run *run, uint64_t phys)
{
	const uint64_t dma = run->dma_first + (phys - run->phys_first);
	const struct reach_rank *base = reach->ranks;
	size_t count = reach->rank_count;

	while (count > 1) {
		const size_t half = count / 2;

		base += base[half].first <= dma ? half : 0;
		count -= half;
	}
	return base->rank;
}

/* Of the runs that hold all of @phys, the one whose window came first. */
static const struct reach_run *first_alias(const struct busway_reach *reach, size_t at,
					   struct busway_range phys, enum busway_access access)
{
	const struct reach_run *best = NULL;
	uint32_t best_rank = 0;

	for (size_t i = at + 1; i-- > 0 && reach->highest[i] >= phys.last;) {
		const struct reach_run *run = &reach->runs[i];
		uint32_t rank;

		if (!run_holds(run, phys, access))
			continue;
		rank = run_rank(reach, run, phys.first);
		if (!best || rank < best_rank) {
			best = run;
			best_rank = rank;
		}
	}
	return best;
}

/* The run by which @phys has an address; NULL. */
static const struct reach_run *run_for(const struct busway_reach *reach, struct busway_range phys,
				       enum busway_access access)
{
	const size_t at = reach_run_at(reach, phys.first);

	if (at == reach->run_count)
		return NULL;
	if (reach->aliased)
		return first_alias(reach, at, phys, access);
	return run_holds(&reach->runs[at], phys, access) ? &reach->runs[at] : NULL;
}

/* What no glance tells. Out of line, so that those who glance keep no registers for it. */
__attribute__((noinline)) static bool search(const struct busway_reach *reach,
					     struct busway_range phys, enum busway_access access,
					     uint64_t *dma)
{
	const struct reach_run *run = run_for(reach, phys, access);

	if (!run)
		return false;
	*dma = run->dma_first + (phys.first - run->phys_first);
	return true;
}

bool reach_lookup(const struct busway_reach *reach, struct busway_range phys,
		  enum busway_access access, uint64_t *dma)
{
	return reach_glance(reach, phys, access, dma) || search(reach, phys, access, dma);
}

int busway_reach_address(const struct busway_reach *reach, struct busway_phys_range phys,
			 busway_dma_t *out)
{
	if (!reach->direct)
		return -BUSWAY_ERANGE;
	return reach_lookup(reach, busway_phys_raw(phys), BUSWAY_READ_WRITE, &out->raw)
		       ? 0
		       : -BUSWAY_ERANGE;
}

bool reach_longest(const struct busway_reach *reach, enum busway_access access,
		   struct busway_range *run)
{
	bool found = false;

	for (size_t i = 0; i < reach->run_count; i++) {
		const struct busway_range r = {reach->runs[i].phys_first, reach->runs[i].phys_last};

		if ((reach->runs[i].access & access) != access)
			continue;
		if (!found || busway_range_span(r) > busway_range_span(*run))
			*run = r;
		found = true;
	}
	return found;
}
