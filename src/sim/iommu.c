/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iommu.c - what the IOMMU makes of an address.
 *
 *   IOVA --> [ pages ] --miss--> [ tables on the way ] --> walk the rest in memory --> remember
 *
 * Each answer is compared with that of a walk from the root, which remembers nothing: that is how
 * the machine knows that something was forgotten, and not by being told.
 */
#include "sim_internal.h"

/* ---- tables in memory ---- */

/* A walk that reads simulated memory. */
struct reader {
	const struct busway_machine *machine;
	enum sim_view view;
	bool gone; /* it came by what was a table once */
	bool lost; /* or by what is no memory */
};

static unsigned char *entry_bytes(const struct busway_machine *machine, enum sim_view view,
				  uint64_t phys)
{
	return sim_bytes(machine, view, (struct busway_range){phys, phys | 7});
}

/* Little endian, in all formats. */
static uint64_t read_entry(void *ctx, uint64_t phys)
{
	struct reader *reader = ctx;
	const struct busway_machine *machine = reader->machine;
	const unsigned char *bytes = entry_bytes(machine, reader->view, phys);
	uint64_t entry = 0;

	reader->gone = reader->gone || sim_was_table(machine, phys);
	reader->lost = reader->lost || !bytes;
	for (unsigned i = 8; bytes && i-- > 0;)
		entry = entry << 8 | bytes[i];
	return entry;
}

/* Only a walker that sees the caches does this. */
static void write_entry(struct busway_machine *machine, uint64_t phys, uint64_t entry)
{
	for (int view = 0; view < SIM_VIEWS; view++) {
		unsigned char *bytes = entry_bytes(machine, (enum sim_view)view, phys);

		for (unsigned i = 0; bytes && i < 8; i++)
			bytes[i] = (unsigned char)(entry >> 8 * i);
	}
}

/* As the IOMMU sees the tables. */
static struct reader reader_of(const struct busway_machine *machine)
{
	return (struct reader){
		.machine = machine,
		.view = machine->options.walks_past_caches ? VIEW_MEMORY : VIEW_CACHED,
	};
}

static struct walk_setup setup_of(const struct sim_iommu *iommu, struct reader *reader)
{
	struct walk_setup setup = iommu->walk;

	setup.read = read_entry;
	setup.ctx = reader;
	return setup;
}

/* ---- an answer ---- */

static bool allows(bool read, bool write, enum busway_access access)
{
	return (read || !(access & BUSWAY_READ)) && (write || !(access & BUSWAY_WRITE));
}

static struct sim_translation answer(bool allowed, uint64_t phys, uint64_t last)
{
	return (struct sim_translation){
		.kind = allowed ? BUSWAY_NO_VIOLATION : BUSWAY_VIOLATION_IOMMU_PERMISSION,
		.passes = allowed,
		.reason = allowed ? NULL : "the rights of the page",
		.phys = phys,
		.last = last,
	};
}

static struct sim_translation answer_of_walk(const struct sim_iommu *iommu,
					     const struct reader *reader,
					     const struct walk_result *r, uint64_t iova,
					     enum busway_access access)
{
	const uint64_t granule = (uint64_t)1 << iommu->walk.granule_lg2;

	if (r->mapped && !reader->lost)
		return answer(allows(r->read, r->write, access), r->phys,
			      iova | (r->page_size - 1));
	return (struct sim_translation){
		.kind = BUSWAY_VIOLATION_IOMMU_FAULT,
		.reason = reader->lost   ? "a table where no memory is"
			  : r->violation ? r->violation
					 : "no entry maps it",
		.last = iova | (granule - 1),
	};
}

static struct sim_translation by_tables(struct reader *reader, const struct sim_iommu *iommu,
					uint64_t iova, enum busway_access access)
{
	const struct walk_setup setup = setup_of(iommu, reader);
	const struct walk_result result = walk(&setup, iova);

	return answer_of_walk(iommu, reader, &result, iova, access);
}

struct sim_translation sim_translate_by_tables(const struct busway_machine *machine,
					       const struct sim_iommu *iommu, uint64_t iova,
					       enum busway_access access)
{
	struct reader reader = reader_of(machine);

	return by_tables(&reader, iommu, iova, access);
}

/* ---- by what is remembered ---- */

/* Tables are used again only by walks that read them alike, whoever shares the tag. */
static uint32_t format_of(const struct sim_iommu *iommu)
{
	return (uint32_t)iommu->walk.kind << 8 | iommu->walk.granule_lg2;
}

/* The nearest table to the page; NULL: the root. */
static const struct iotlb_table *remembered(const struct busway_machine *machine,
					    const struct sim_iommu *iommu, uint64_t iova)
{
	return iotlb_table_at(&machine->tlb, iommu->is.tag, format_of(iommu), iova);
}

static void remember_table(struct busway_machine *machine, const struct sim_iommu *iommu,
			   uint64_t iova, struct walk_table table)
{
	const uint64_t span = table.top < 64 ? ((uint64_t)1 << table.top) - 1 : UINT64_MAX;

	iotlb_add_table(&machine->tlb, &machine->rng,
			(struct iotlb_table){
				.tag = iommu->is.tag,
				.format = format_of(iommu),
				.iova = {iova & ~span, iova | span},
				.table = table,
			});
}

/* From the nearest table that is remembered, or the root. */
static struct walk_result walk_rest(struct busway_machine *machine, const struct sim_iommu *iommu,
				    const struct walk_setup *setup, uint64_t iova)
{
	const struct iotlb_table *near = remembered(machine, iommu, iova);
	struct walk_table table = near ? near->table : walk_root(setup);
	struct walk_result result = {0};

	if (!walk_takes(setup, iova))
		return result;
	while (walk_step(setup, &table, iova, &result))
		remember_table(machine, iommu, iova, table);
	return result;
}

/* Marks the page in its table, and remembers it. */
static void use_page(struct busway_machine *machine, const struct sim_iommu *iommu,
		     const struct walk_setup *setup, const struct walk_result *r, uint64_t iova,
		     enum busway_access access)
{
	const uint64_t in_page = r->page_size - 1;
	const bool allowed = allows(r->read, r->write, access);
	const bool writes = allowed && (access & BUSWAY_WRITE);

	if (iommu->is.track_dirty && allowed) {
		const uint64_t entry = setup->read(setup->ctx, r->entry_at);

		write_entry(machine, r->entry_at, walk_marked(setup, entry, writes));
	}
	iotlb_add_page(&machine->tlb, &machine->rng,
		       (struct iotlb_page){
			       .tag = iommu->is.tag,
			       .iova = {iova & ~in_page, iova | in_page},
			       .phys = r->phys & ~in_page,
			       .read = r->read,
			       .write = r->write,
			       .dirty = r->dirty || writes,
			       .whole = setup->kind == WALK_VTD && r->page_size > 4096,
		       });
}

/* Out of the pages; false: the tables have to be asked. */
static bool by_page(const struct busway_machine *machine, const struct sim_iommu *iommu,
		    uint64_t iova, enum busway_access access, struct sim_translation *out)
{
	const struct iotlb_page *page = iotlb_page_at(&machine->tlb, iommu->is.tag, iova);

	if (!page || (iommu->is.track_dirty && (access & BUSWAY_WRITE) && !page->dirty))
		return false;
	*out = answer(allows(page->read, page->write, access),
		      page->phys + (iova - page->iova.first), page->iova.last);
	return true;
}

static struct sim_translation by_walk(struct busway_machine *machine, const struct sim_iommu *iommu,
				      uint64_t iova, enum busway_access access)
{
	struct reader reader = reader_of(machine);
	const struct walk_setup setup = setup_of(iommu, &reader);
	const struct walk_result result = walk_rest(machine, iommu, &setup, iova);
	struct sim_translation t = answer_of_walk(iommu, &reader, &result, iova, access);

	if (result.mapped && !reader.lost)
		use_page(machine, iommu, &setup, &result, iova, access);
	if (reader.gone)
		t.kind = BUSWAY_VIOLATION_TABLE_GONE;
	return t;
}

static bool same(const struct sim_translation *a, const struct sim_translation *b)
{
	return a->kind == b->kind && (!a->passes || a->phys == b->phys);
}

/* Compares with what the tables say now, as who wrote them means it. @by: what was gone by */
static struct sim_translation judged(const struct busway_machine *machine,
				     const struct sim_iommu *iommu, struct sim_translation t,
				     const char *by, uint64_t iova, enum busway_access access)
{
	struct reader writer = {.machine = machine, .view = VIEW_CACHED};
	const struct sim_translation meant = by_tables(&writer, iommu, iova, access);
	const struct sim_translation now = sim_translate_by_tables(machine, iommu, iova, access);

	if (meant.last < t.last)
		t.last = meant.last;
	if (t.kind == BUSWAY_VIOLATION_TABLE_GONE) {
		t.reason = by;
	} else if (!same(&t, &meant) && !machine->draining) {
		t.reason = same(&t, &now) ? "entries that were not cleaned" : by;
		t.kind = BUSWAY_VIOLATION_STALE;
	}
	return t;
}

struct sim_translation sim_translate(struct busway_machine *machine, const struct sim_iommu *iommu,
				     uint64_t iova, enum busway_access access)
{
	const bool near = remembered(machine, iommu, iova) != NULL;
	struct sim_translation t;

	if (by_page(machine, iommu, iova, access, &t))
		return judged(machine, iommu, t, "a translation that it remembers", iova, access);
	t = by_walk(machine, iommu, iova, access);
	return judged(machine, iommu, t,
		      near ? "a table that it remembers" : "a table that it was told of", iova,
		      access);
}

/* ---- where it leads ---- */

bool sim_translated(const struct sim_iommu *iommu, const struct sim_translation *translation,
		    struct busway_landing *landing)
{
	const uint64_t span = busway_range_span(landing->at);
	const uint64_t left = translation->last - landing->at.first;

	landing->iommu = iommu->is.name;
	landing->reason = translation->reason;
	landing->at = sim_leading(landing->at, (left < span ? left : span) + 1);
	landing->dma = sim_leading(landing->dma, busway_range_span(landing->at) + 1);
	if (!translation->passes) {
		landing->refused = translation->kind;
		return false;
	}
	landing->space = BUSWAY_CPU_SPACE;
	landing->at = (struct busway_range){translation->phys,
					    translation->phys + busway_range_span(landing->at)};
	return true;
}
