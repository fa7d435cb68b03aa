/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map.c - mapping any runs over any number of tables, all or nothing.
 *
 * Twice over the same way: first it is looked at (is anything there already? how many tables are
 * missing?), then tables are taken, then all is written. The same pages are chosen both times.
 */
#include "map_body.h"
#include "skip.h"

struct plan {
	struct busway_pagetable *pt;
	const struct busway_phys_range *run; /* the one that is at hand */
	uint64_t into;                       /* bytes of it that are done */
	uint64_t pos, last;                  /* IOVAs that remain */
	uint64_t attributes;
	bool write;
	/* while looking: missing tables, and which of each level was counted last */
	size_t missing;
	uint64_t counted[LEVELS_MAX];
	bool has_counted[LEVELS_MAX];
	/* while writing */
	struct table_list *spare;
};

/* Physical memory from here on without a gap, at most what remains. */
static uint64_t run_left(const struct plan *p)
{
	const struct busway_phys_range *run = p->run;
	const uint64_t wanted = p->last - p->pos + 1;
	uint64_t left = run->last.raw - (run->first.raw + p->into) + 1;

	while (left < wanted && run[1].first.raw == run->last.raw + 1) {
		run++;
		left += run->last.raw - run->first.raw + 1;
	}
	return left;
}

static void advance(struct plan *p, uint64_t bytes)
{
	p->into += bytes;
	p->pos += bytes;
	/* the last run is never left behind: there may be none after it */
	while (p->pos <= p->last && p->pos && p->into > p->run->last.raw - p->run->first.raw) {
		p->into -= p->run->last.raw - p->run->first.raw + 1;
		p->run++;
	}
}

/* ---- tables that are missing ---- */

static void count_missing(struct plan *p, unsigned from, unsigned level)
{
	while (from-- > level) {
		const uint64_t which = p->pos >> level_shift(p->pt, from) >> p->pt->index_bits;

		if (!p->has_counted[from] || p->counted[from] != which)
			p->missing++;
		p->counted[from] = which;
		p->has_counted[from] = true;
	}
}

/*
 * @entry, which is empty, becomes a table of @level; who comes second uses what is there. Or it
 * leads past that level, to what is at 0 there: then the table comes in between.
 */
static bool install(const struct plan *p, uint64_t *at, uint64_t entry, unsigned level)
{
	struct busway_pagetable *pt = p->pt;
	uint64_t phys, *table;

	if (!p->spare->count)
		return false;
	table = tables_pop(pt, p->spare, &phys);
	if (entry) {
		entry_write(table, entry);
		clean(pt, table, 1);
		pt->replaced = true;
	}
	__atomic_fetch_add(&pt->uncleaned, 1, __ATOMIC_RELAXED);
	if (!entry_replace(at, &entry, pt->format->table_entry(pt, phys, level)))
		tables_push(pt, p->spare, phys);
	clean(pt, at, 1);
	__atomic_fetch_sub(&pt->uncleaned, 1, __ATOMIC_RELEASE);
	return true;
}

/*
 * The way to .pos ended at @entry, of level @from, above @level. The level of the table that is
 * missing next; @level - 1 if none is, but there is one of smaller pages.
 */
static unsigned missing_next(const struct plan *p, uint64_t entry, unsigned from, unsigned level)
{
	const struct busway_pagetable *pt = p->pt;
	unsigned below, next;

	if (!entry)
		return pt->skip_levels ? highest_index(pt, p->pos, from, level) : from - 1;
	below = level_below(pt->format, entry, from);
	next = highest_index(pt, p->pos, from, below);
	return next == below ? level - 1 : next;
}

/* ---- one piece: pages of one level in one table ---- */

/* The highest level below @level that has leaves. */
static unsigned next_lower(const struct busway_pagetable *pt, unsigned level)
{
	do
		level--;
	while (!(pt->leaf_levels >> level & 1));
	return level;
}

static size_t first_taken(const uint64_t *at, size_t count)
{
	size_t i = 0;

	while (i < count && !entry_read(at + i))
		i++;
	return i;
}

/*
 * Where the next piece goes: its first entry, or NULL where something is mapped already; while
 * looking, also NULL with @absent where its table is not there.
 */
static uint64_t *place(struct plan *p, unsigned *level, size_t *count, bool *absent)
{
	struct busway_pagetable *pt = p->pt;
	const struct format *f = pt->format;
	const uint64_t phys = p->run->first.raw + p->into;
	uint64_t left = run_left(p);

	if (left > p->last - p->pos)
		left = p->last - p->pos + 1;
	*absent = false;
	*level = best_level(pt, p->pos | phys, left);
	for (;;) {
		const unsigned shift = level_shift(pt, *level);
		const size_t to_end =
			(size_t)(level_mask(pt, *level) + 1) - level_index(pt, *level, p->pos);
		unsigned reached;
		uint64_t entry, *at = walk_to(f, pt, p->pos, *level, &reached, &entry);

		*count = left >> shift < to_end ? (size_t)(left >> shift) : to_end;
		if (reached > *level) {
			unsigned next;

			if (is_page(f, entry, reached))
				return NULL;
			next = missing_next(p, entry, reached, *level);
			if (next >= *level && !p->write) {
				/* all that may be: those that can be left out are given back */
				count_missing(p, entry ? next + 1 : reached, *level);
				*absent = true;
				return NULL;
			}
			if (next >= *level) {
				if (!install(p, at, entry, next))
					return NULL;
				continue;
			}
		} else {
			if (!entries_any(at, *count))
				return at;
			*count = first_taken(at, *count);
			if (*count)
				return at;
			if (!is_table(f, entry_read(at), *level))
				return NULL;
		}
		left = (uint64_t)1 << shift;
		*level = next_lower(pt, *level);
	}
}

/* False: at .pos something is mapped. */
static bool go(struct plan *p)
{
	struct busway_pagetable *pt = p->pt;

	for (;;) {
		const uint64_t phys = p->run->first.raw + p->into;
		unsigned level;
		size_t count;
		bool absent;
		uint64_t *at = place(p, &level, &count, &absent);
		uint64_t bytes;

		if (!at && !absent)
			return false;
		if (p->write) {
			write_run(pt->format, pt, at, level, p->pos, phys, count, p->attributes);
			clean(pt, at, count);
		}
		bytes = (uint64_t)count << level_shift(pt, level);
		if (bytes - 1 == p->last - p->pos)
			return true;
		advance(p, bytes);
	}
}

/* ---- the way there ---- */

/* Clean what leads to @range. */
static void clean_way(const struct busway_pagetable *pt, const uint64_t *table, unsigned level,
		      struct busway_range range)
{
	const struct format *f = pt->format;
	const uint64_t low = low_bits(level_shift(pt, level));
	struct busway_range part = {range.first, range.first | low};

	for (size_t i = level_index(pt, level, range.first);; i++) {
		struct busway_range inside = {part.first,
					      part.last < range.last ? part.last : range.last};
		const uint64_t entry = entry_read(table + i);

		if (is_table(f, entry, level) && table_part(f, pt, entry, level, &inside)) {
			clean(pt, table + i, 1);
			clean_way(pt, table_of(f, pt, entry), level_below(f, entry, level), inside);
		}
		if (part.last >= range.last)
			return;
		part.first = part.last + 1;
		part.last = part.first | low;
	}
}

void map_settle(const struct busway_pagetable *pt, uint64_t iova,
		const struct busway_phys_range *runs, size_t count)
{
	uint64_t last = iova - 1;

	if (!__atomic_load_n(&pt->uncleaned, __ATOMIC_ACQUIRE))
		return;
	for (size_t i = 0; i < count; i++)
		last += runs[i].last.raw - runs[i].first.raw + 1;
	clean_way(pt, pt->root, pt->top, (struct busway_range){iova, last});
}

/* ---- all of it ---- */

int map_slowly(struct busway_pagetable *pt, struct busway_range range,
	       const struct busway_phys_range *runs, uint64_t attributes,
	       struct busway_refusal *why)
{
	struct table_list spare = {0, 0};
	struct plan plan = {
		.pt = pt,
		.run = runs,
		.pos = range.first,
		.last = range.last,
		.attributes = attributes,
		.spare = &spare,
	};
	const struct plan start = plan;
	bool done;

	if (!go(&plan))
		return explain(pt, BUSWAY_ALREADY_MAPPED, range, page_around(pt, plan.pos), why);
	if (!tables_take(pt, &spare, plan.missing))
		return -BUSWAY_ENOMEM;
	plan = start;
	plan.write = true;
	done = go(&plan);
	tables_give(pt, &spare);
	if (done)
		return 0;
	/* only where callers broke the rule, and two mapped the same IOVAs at the same time */
	if (plan.pos > range.first)
		clear_range(pt, (struct busway_range){range.first, plan.pos - 1}, NULL);
	return explain(pt, BUSWAY_ALREADY_MAPPED, range, page_around(pt, plan.pos), why);
}
