/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * translated.c - mapping through an IOMMU: memory, or slots that stand for it, at one run of IOVAs.
 *
 *   entries   | a  |      b      | c |
 *   pages    [ a  ][ b          ][ c'  ]      c' slots: of an untrusted device, no byte beside c
 *   IOVAs    |--------------------------|     low bits as in memory, pages side by side
 *
 * The list is gone through three times: how long is it, and in how many segments (nothing is
 * taken); take slots and fill them; map the pages. So the device never sees a byte too early.
 */
#include "list.h"

#include "../iommu/domain_internal.h"

/* ---- pieces ---- */

/* A part of an entry that is at one place, in memory or in slots. */
struct piece {
	struct busway_range phys;
	uint64_t at; /* of its first byte, behind the first IOVA */
	/* pages of its own, behind the first IOVA; none where it ends in those of the last piece */
	uint64_t pages_first, pages_end;
	bool bounces;
};

/* Going through them. */
struct pieces {
	const struct list *list;
	const struct busway_phys_range *entries;
	size_t left;
	struct busway_range rest; /* of an entry that bounces piece by piece */
	bool within;
	uint64_t end;       /* behind the last page */
	uint64_t behind;    /* the last piece's memory; 0: it bounces, or there is none */
	uint64_t at_behind; /* and its IOVA */
};

static bool has_partial_pages(const struct busway_dma_device *device, struct busway_range phys)
{
	const uint64_t inside = busway_domain_granule(device->domain) - 1;

	return (phys.first & inside) || (~phys.last & inside);
}

/* What is beside the memory, in its pages or its cache lines, is not the device's. */
static bool must_bounce(const struct list *list, struct busway_range phys)
{
	const struct busway_dma_device *device = list->lane->device;
	const struct busway_segment_limits *limits = &device->segments;
	const uint64_t kept =
		list->lane->min_align_mask | (busway_domain_granule(device->domain) - 1);

	if (device->bounce)
		return true;
	if (device->untrusted && has_partial_pages(device, phys))
		return true;
	if (shares_lines(device, phys, list->direction, list->attributes))
		return true;
	/* in one segment, the low bits that it must have would lead it across a boundary */
	return list->single && limits->boundary &&
	       !within_limits(limits, phys.first & kept, busway_range_span(phys));
}

static bool next_piece(struct pieces *p, struct piece *piece)
{
	const struct busway_lane *lane = p->list->lane;
	const struct busway_segment_limits *limits = &lane->device->segments;
	const uint64_t inside = busway_domain_granule(lane->device->domain) - 1;
	bool goes_on;

	if (!p->within) {
		if (!p->left)
			return false;
		p->rest = busway_phys_raw(*p->entries++);
		p->left--;
	}
	piece->bounces = p->within || must_bounce(p->list, p->rest);
	piece->phys = piece->bounces ? list_first_piece(p->list, p->rest) : p->rest;
	p->within = piece->phys.last != p->rest.last;
	p->rest.first = piece->phys.last + 1;
	goes_on = !piece->bounces && p->behind && p->behind == piece->phys.first;
	if (goes_on)
		piece->at = p->at_behind;
	else
		piece->at = p->end + ((piece->phys.first - p->end) &
				      (lane->min_align_mask | (piece->bounces ? 0 : inside)));
	if (piece->bounces && !within_limits(limits, piece->at, busway_range_span(piece->phys))) {
		/* it would lie across a boundary, where one behind it has room */
		p->end = (p->end + (limits->boundary - 1)) & ~(limits->boundary - 1);
		piece->at = p->end + ((piece->phys.first - p->end) & lane->min_align_mask);
	}
	piece->pages_first = goes_on ? p->end : piece->at & ~inside;
	p->at_behind = piece->at + busway_range_span(piece->phys) + 1;
	p->behind = piece->bounces ? 0 : piece->phys.last + 1;
	p->end = piece->pages_end = (p->at_behind + inside) & ~inside;
	return true;
}

static struct pieces pieces_of(const struct list *list, const struct busway_phys_range *entries,
			       size_t count)
{
	return (struct pieces){.list = list, .entries = entries, .left = count};
}

/* ---- why not ---- */

/* What is wrong with it as it is: no memory to the last byte of @pages, or not found by the CPU
 * where caches need care. */
static enum busway_reason not_usable(const struct busway_lane *lane, struct busway_range phys,
				     struct busway_range pages)
{
	const struct busway_dma *dma = lane->device->dma;

	if (!busway_intervals_holds(&dma->usable, pages))
		return BUSWAY_NO_MEMORY;
	return lane->device->caches && !pointer_to(dma, phys) ? BUSWAY_NO_POINTER
							      : BUSWAY_NOT_REFUSED;
}

static int refuse_piece(const struct list *list, const struct piece *piece)
{
	const struct busway_dma_device *device = list->lane->device;
	enum busway_reason reason;

	if (piece->bounces && (list->attributes & BUSWAY_MAP_NO_BOUNCE)) {
		refuse_direct(list->lane, piece->phys, list->direction, list->why);
		return -BUSWAY_ERANGE;
	}
	reason = not_usable(list->lane, piece->phys,
			    piece->bounces ? piece->phys
					   : domain_pages(device->domain, piece->phys));
	if (reason == BUSWAY_NOT_REFUSED)
		return 0;
	refuse_as(list->lane, reason, piece->phys, list->why);
	return -BUSWAY_ERANGE;
}

/* ---- first: how much ---- */

/* A segment of it at @at IOVAs behind 0, where nothing is taken. */
static int measure_piece(struct list *list, const struct piece *piece)
{
	const struct trial trial = {true, list->held};
	struct busway_mapped segment;
	int status = refuse_piece(list, piece);

	if (status)
		return status;
	if (!piece->bounces) {
		list_put_direct(list, piece->phys, piece->at);
		return 0;
	}
	if (list->plan) {
		status = serve_bounced(list->lane, piece->phys, list->direction, list->attributes,
				       &trial, &segment, list->why);
		if (status)
			return status;
		list_count_bounced(list, &segment);
	}
	list_put_slots(list,
		       &(struct busway_mapped){
			       .dma = {{piece->at}, {piece->at + busway_range_span(piece->phys)}}});
	return 0;
}

/* How many pages' bytes of IOVAs; without a place for segments, they are counted. */
static int measure(const struct list *list, const struct busway_phys_range *entries, size_t count,
		   uint64_t *size, size_t *segments)
{
	struct list counted = *list;
	struct pieces pieces = pieces_of(&counted, entries, count);
	struct piece piece;
	bool begins;
	int status = 0;

	counted.capacity = 0;
	for (size_t i = 0; i < count && status == 0; i++)
		if (!list_makes_sense(busway_phys_raw(entries[i])) ||
		    busway_range_span(busway_phys_raw(entries[i])) > UINT64_MAX >> 2)
			status = -BUSWAY_EINVAL;
	while (status == 0 && (begins = !pieces.within, next_piece(&pieces, &piece))) {
		status = measure_piece(&counted, &piece);
		if (list->plan && begins && piece.bounces)
			list->plan->bounced_entries++;
		if (status == 0 && pieces.end > UINT64_MAX >> 1)
			status = -BUSWAY_EINVAL;
	}
	*size = pieces.end;
	*segments = counted.count;
	if (status == 0)
		status = list_check_runs(&counted, busway_phys_raw(entries[0]));
	return status;
}

/* ---- second: IOVAs, and slots that are filled ---- */

static struct busway_iova_request request_of(const struct list *list, uint64_t size)
{
	const struct busway_lane *lane = list->lane;
	const uint64_t boundary = lane->device->segments.boundary;
	const uint64_t granule = busway_domain_granule(lane->device->domain);
	struct busway_iova_request where = {
		.size = size,
		.last = busway_bits_last(lane->device->streaming.bits),
	};

	if (lane->min_align_mask >= granule)
		where.align = lane->min_align_mask + 1;
	if (boundary > granule && size <= boundary)
		where.boundary = boundary;
	else if (boundary > granule && boundary > where.align)
		where.align =
			boundary; /* segments are cut where they were when they were counted */
	return where;
}

static int put_pieces(struct list *list, struct pieces pieces, uint64_t iova)
{
	struct piece piece;
	int status = 0;

	while (status == 0 && next_piece(&pieces, &piece)) {
		struct busway_mapped segment;

		if (!piece.bounces) {
			list_put_direct(list, piece.phys, iova + piece.at);
			continue;
		}
		status = serve_bounced(list->lane, piece.phys, list->direction, list->attributes,
				       &(struct trial){false, 0}, &segment, list->why);
		if (status)
			break;
		segment.dma.first.raw = iova + piece.at;
		segment.dma.last.raw = iova + piece.at + busway_range_span(piece.phys);
		list_put_slots(list, &segment);
	}
	return status;
}

/* ---- third: pages ---- */

enum { RUNS = 32 };

/* Runs of pages for consecutive IOVAs that are not mapped yet. */
struct batch {
	struct busway_phys_range runs[RUNS];
	size_t count;
	uint64_t first, end; /* IOVAs */
};

static unsigned prot_of(const struct list *list)
{
	return (unsigned)list->direction |
	       (list->lane->device->caches ? BUSWAY_PROT_NONCOHERENT : 0);
}

static int map_batch(const struct list *list, struct batch *batch)
{
	const size_t count = batch->count;

	batch->count = 0;
	return count ? domain_enter(list->lane->device->domain, busway_dma(batch->first),
				    batch->runs, count, prot_of(list), list->why)
		     : 0;
}

static int add_pages(const struct list *list, struct batch *batch, uint64_t iova,
		     struct busway_range pages)
{
	int status = 0;

	if (batch->count == RUNS || (batch->count && batch->end != iova))
		status = map_batch(list, batch);
	if (!batch->count)
		batch->first = iova;
	batch->runs[batch->count++] = busway_phys_range(pages);
	batch->end = iova + busway_range_span(pages) + 1;
	return status;
}

static int map_pages(const struct list *list, struct pieces pieces, uint64_t iova)
{
	const uint64_t inside = busway_domain_granule(list->lane->device->domain) - 1;
	const struct busway_mapped *slots = list->segments;
	struct batch batch = {.count = 0};
	struct piece piece;
	int status = 0;

	while (status == 0 && next_piece(&pieces, &piece)) {
		const uint64_t size = piece.pages_end - piece.pages_first;
		uint64_t first = (piece.phys.first + (piece.pages_first - piece.at)) & ~inside;

		if (piece.bounces) {
			while (!slots->pool_)
				slots++;
			first = pool_phys(slots->pool_, slots->slot_);
			slots++;
		}
		if (size)
			status = add_pages(list, &batch, iova + piece.pages_first,
					   (struct busway_range){first, first + (size - 1)});
	}
	return status ? status : map_batch(list, &batch);
}

/* ---- all of it ---- */

static void take_back(struct list *list, uint64_t iova, uint64_t size)
{
	struct busway_domain *domain = list->lane->device->domain;
	const struct busway_dma_range range = {{iova}, {iova + (size - 1)}};
	struct busway_freed_tables tables = {{0}, 0};

	/* nothing can be in the way: these IOVAs are nobody else's, and no page reaches beyond */
	(void)busway_pagetable_unmap(domain->table, range, BUSWAY_UNMAP_HOLES, &tables, NULL, NULL);
	domain_forget(domain, list->lane->iovas, range, &tables, true);
}

int translated_map(struct list *list, const struct busway_phys_range *entries, size_t count,
		   struct busway_mapping *mapping, size_t *needed)
{
	struct busway_lane *lane = list->lane;
	struct busway_domain *domain = lane->device->domain;
	struct busway_iova_request where;
	busway_dma_t iova;
	uint64_t size;
	size_t segments;
	int status = measure(list, entries, count, &size, &segments);

	if (status == 0 && segments > list->capacity) {
		if (needed)
			*needed = segments;
		status = -BUSWAY_ENOSPC;
	}
	if (status)
		return status;
	where = request_of(list, size);
	status = domain_take(domain, lane->iovas, &where, busway_phys_raw(entries[0]), &iova,
			     list->why);
	if (status)
		return status;
	status = put_pieces(list, pieces_of(list, entries, count), iova.raw);
	if (status == 0) {
		list_describe(mapping, list, list_size(entries, count), count);
		mapping->lane_ = lane;
		map_begin(mapping);
		status = map_pages(list, pieces_of(list, entries, count), iova.raw);
	}
	if (status) {
		take_back(list, iova.raw, size);
		list_give_back(list);
		return status;
	}
	list_mark_high_water(list);
	map_live(lane, mapping);
	return 0;
}

int translated_plan(struct list *list, const struct busway_phys_range *entries, size_t count)
{
	uint64_t size;
	size_t segments;
	int status = measure(list, entries, count, &size, &segments);

	list->count = segments;
	return status;
}

/* ---- the end of it ---- */

/* The IOVAs that were taken for it: from where low bits are 0, whole pages. */
static struct busway_dma_range iovas_of(const struct busway_mapping *mapping)
{
	const struct busway_lane *lane = mapping->lane_;
	const struct busway_mapped *last = &mapping->segments[mapping->segment_count - 1];
	const uint64_t inside = busway_domain_granule(lane->device->domain) - 1;
	/* coherent memory is at IOVAs of its own alignment, and has no pages before it */
	const uint64_t low =
		mapping->kind == BUSWAY_KIND_COHERENT ? inside : lane->min_align_mask | inside;

	return (struct busway_dma_range){{mapping->dma.raw & ~low}, {last->dma.last.raw | inside}};
}

/* Low bits above a page, and boundaries, leave pages free. Where others are missing, somebody else
 * unmapped them, and may have given them back: they are not given to anybody again. */
static bool has_holes(const struct busway_lane *lane)
{
	const uint64_t granule = busway_domain_granule(lane->device->domain);

	return lane->min_align_mask >= granule || lane->device->segments.boundary > granule;
}

void translated_unmap(const struct busway_mapping *mapping, bool now)
{
	const struct busway_lane *lane = mapping->lane_;
	const struct busway_dma_device *device = lane->device;
	const struct busway_dma_range iova = iovas_of(mapping);
	struct busway_freed_tables tables = {{0}, 0};

	/* what has slots is used again at once */
	now = now || device->untrusted;
	for (uint32_t i = 0; i < mapping->segment_count && !now; i++)
		now = mapping->segments[i].pool_ != NULL;
	if (busway_pagetable_unmap(device->domain->table, iova,
				   has_holes(lane) ? BUSWAY_UNMAP_HOLES : 0, &tables, NULL,
				   NULL) == 0) {
		domain_forget(device->domain, lane->iovas, iova, &tables, now);
		return;
	}
	(void)busway_pagetable_unmap(device->domain->table, iova, BUSWAY_UNMAP_HOLES, &tables, NULL,
				     NULL);
	domain_cut(device->domain, iova, &tables);
}

/* ---- one run ---- */

static struct list list_of_one(struct busway_lane *lane, enum busway_direction direction,
			       unsigned attributes, struct busway_mapping *mapping,
			       struct busway_refusal *why)
{
	return (struct list){
		.lane = lane,
		.direction = direction,
		.attributes = attributes,
		.segments = &mapping->one_,
		.capacity = 1,
		.single = true,
		.why = why,
	};
}

/*
 * What most buffers are: memory as it is, in one segment. -BUSWAY_EAGAIN: this one is something
 * else.
 */
static int map_one(struct list *list, struct busway_range phys, struct busway_mapping *mapping)
{
	struct busway_lane *lane = list->lane;
	struct busway_domain *domain = lane->device->domain;
	const struct busway_range pages = domain_pages(domain, phys);
	const struct busway_phys_range run = busway_phys_range(pages);
	const uint64_t inside = domain->granule - 1, size = busway_range_span(pages) + 1;
	const struct busway_iova_request where = request_of(list, size);
	busway_dma_t iova;
	int status;

	if (lane->min_align_mask > inside || must_bounce(list, phys) ||
	    (where.boundary == 0 && lane->device->segments.boundary > domain->granule) ||
	    not_usable(lane, phys, pages) != BUSWAY_NOT_REFUSED)
		return -BUSWAY_EAGAIN;
	status = domain_take(domain, lane->iovas, &where, pages, &iova, list->why);
	if (status)
		return status;
	mapping->one_.dma.first.raw = iova.raw + (phys.first & inside);
	mapping->one_.dma.last.raw = mapping->one_.dma.first.raw + busway_range_span(phys);
	mapping->one_.phys.raw = phys.first;
	mapping->one_.pool_ = NULL;
	describe_one(mapping, BUSWAY_KIND_SINGLE, busway_range_span(phys) + 1, list->direction,
		     list->attributes);
	mapping->lane_ = lane;
	map_begin(mapping);
	status = domain_enter(domain, iova, &run, 1, prot_of(list), list->why);
	if (status)
		domain_give(domain, lane->iovas,
			    (struct busway_dma_range){iova, {iova.raw + (size - 1)}});
	else
		map_live(lane, mapping);
	return status;
}

int translated_single(struct busway_lane *lane, struct busway_range phys,
		      enum busway_direction direction, unsigned attributes,
		      struct busway_mapping *mapping, struct busway_refusal *why)
{
	const struct busway_phys_range entry = busway_phys_range(phys);
	struct list list = list_of_one(lane, direction, attributes, mapping, why);
	int status = -BUSWAY_ERANGE;

	if (fits_segment(lane->device, busway_range_span(phys) + 1)) {
		status = map_one(&list, phys, mapping);
		if (status == -BUSWAY_EAGAIN)
			status = translated_map(&list, &entry, 1, mapping, NULL);
	} else {
		refuse_limits(lane, phys, why);
	}
	if (status == -BUSWAY_ENOSPC) {
		refuse_limits(lane, phys, why);
		status = -BUSWAY_ERANGE;
	}
	if (status)
		map_ended(lane, mapping, STATE_REFUSED);
	return status;
}

int translated_peer(struct busway_lane *lane, struct busway_range phys,
		    enum busway_direction direction, struct busway_mapping *mapping,
		    struct busway_refusal *why)
{
	const struct busway_dma_device *device = lane->device;
	struct busway_domain *domain = device->domain;
	const struct list list = list_of_one(lane, direction, 0, mapping, why);
	const struct busway_range pages = domain_pages(domain, phys);
	const struct busway_phys_range run = busway_phys_range(pages);
	/* low bits above a page: so many pages before it are free */
	const uint64_t ahead = phys.first & lane->min_align_mask & ~(domain->granule - 1);
	const uint64_t size = ahead + busway_range_span(pages) + 1;
	const struct busway_iova_request where = request_of(&list, size);
	busway_dma_t base, iova;
	struct busway_range emitted;
	int status;

	if (!fits_segment(device, busway_range_span(phys) + 1)) {
		refuse_limits(lane, phys, why);
		return -BUSWAY_ERANGE;
	}
	if (device->untrusted && has_partial_pages(device, phys)) {
		refuse_as(lane, BUSWAY_UNCONFINED, phys, why);
		return -BUSWAY_ERANGE;
	}
	status = domain_take(domain, lane->iovas, &where, pages, &base, why);
	if (status)
		return status;
	iova.raw = base.raw + ahead;
	emitted.first = iova.raw + (phys.first & (domain->granule - 1));
	emitted.last = emitted.first + busway_range_span(phys);
	mapping->one_ =
		(struct busway_mapped){.dma = busway_dma_range(emitted), .phys = {phys.first}};
	describe_one(mapping, BUSWAY_KIND_PEER, busway_range_span(phys) + 1, direction, 0);
	mapping->way = BUSWAY_WAY_IOMMU;
	if (!within_limits(&device->segments, emitted.first, busway_range_span(emitted))) {
		refuse_limits(lane, phys, why);
		status = -BUSWAY_ERANGE;
	} else if (!busway_p2p_climbs(device->pci, device->function, emitted, false, why)) {
		status = -BUSWAY_ERANGE;
	} else {
		status = domain_enter(domain, iova, &run, 1,
				      (unsigned)direction | BUSWAY_PROT_DEVICE, why);
	}
	if (status)
		domain_give(domain, lane->iovas,
			    (struct busway_dma_range){base, {base.raw + (size - 1)}});
	else
		map_live(lane, mapping);
	return status;
}

bool translated_bounces(struct busway_lane *lane, struct busway_range phys,
			enum busway_direction direction, unsigned attributes)
{
	const struct list list =
		list_of_one(lane, direction, attributes, &(struct busway_mapping){0}, NULL);

	return must_bounce(&list, phys);
}

bool translated_in_one(struct busway_lane *lane, struct busway_range phys)
{
	const struct list list = {.lane = lane};

	return list_first_piece(&list, phys).last == phys.last;
}

int translated_slots(struct busway_lane *lane, struct busway_mapping *mapping,
		     const struct busway_iova_request *where, struct busway_refusal *why)
{
	struct busway_domain *domain = lane->device->domain;
	struct busway_mapped *segment = &mapping->one_;
	const uint64_t size = pool_offset(bounced_slots(segment));
	const uint64_t phys = pool_phys(segment->pool_, segment->slot_);
	const struct busway_phys_range pages = {{phys}, {phys + (size - 1)}};
	/* of a buffer, low bits above a page: so many pages before it are free */
	const uint64_t ahead =
		mapping->kind == BUSWAY_KIND_COHERENT
			? 0
			: segment->phys.raw & lane->min_align_mask & ~(domain->granule - 1);
	struct busway_iova_request request = *where;
	busway_dma_t base, iova;
	int status;

	request.size = ahead + size;
	if (request.boundary && request.boundary < request.size) {
		/* from a multiple of it, the segment crosses none */
		if (request.align < request.boundary)
			request.align = request.boundary;
		request.boundary = 0;
	}
	if (request.align <= domain->granule)
		request.align = 0;
	status = domain_take(domain, lane->iovas, &request, busway_phys_raw(pages), &base, why);
	if (status == 0) {
		iova.raw = base.raw + ahead;
		segment->dma.last.raw = iova.raw + segment->offset_ +
					(segment->dma.last.raw - segment->dma.first.raw);
		segment->dma.first.raw = iova.raw + segment->offset_;
		if (mapping->kind != BUSWAY_KIND_COHERENT)
			map_begin(mapping);
		status = domain_enter(domain, iova, &pages, 1,
				      mapping->direction |
					      (lane->device->caches ? BUSWAY_PROT_NONCOHERENT : 0),
				      why);
		if (status)
			domain_give(domain, lane->iovas,
				    (struct busway_dma_range){base, {iova.raw + (size - 1)}});
	}
	if (status) {
		map_ended(lane, mapping, STATE_REFUSED);
		slots_free(lane, segment);
		slots_freed(lane);
	}
	return status;
}
