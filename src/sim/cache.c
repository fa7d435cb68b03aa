/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cache.c - lines between what the CPU sees and what is in memory.
 *
 * The CPU has all lines in its cache, always. A line is dirty where it is not what it was when it
 * was cleaned or read last (VIEW_SYNCED): so a store by a plain pointer is noticed as well, unless
 * it stores what was there. Of a store that is watched, VIEW_SYNCED is made another byte. Only
 * dirty lines are written back, and those as a whole, along with what is old in them: this is how
 * bytes beside a buffer destroy it.
 *
 * A line that was evicted still counts as dirty: that its bytes came to memory was luck, and who
 * counts on it is told.
 */
#include "sim_internal.h"

/* The part of @range that is in the store of its first byte; NULL: there is none. */
static const struct sim_store *clip(const struct busway_machine *machine,
				    struct busway_range *range)
{
	const struct sim_store *store = sim_store_at(machine, range->first);

	if (store)
		busway_range_common(*range, store->phys, range);
	return store;
}

/* A line, or what of it is in the store. */
struct line {
	unsigned char *view[SIM_VIEWS];
	size_t size;
};

static struct line line_at(const struct sim_store *store, uint64_t phys)
{
	struct busway_range range = sim_lines((struct busway_range){phys, phys});
	struct line line;

	busway_range_common(range, store->phys, &range);
	for (int view = 0; view < SIM_VIEWS; view++)
		line.view[view] = sim_byte(store, (enum sim_view)view, range.first);
	line.size = (size_t)busway_range_span(range) + 1;
	return line;
}

static bool is_dirty(const struct line *line)
{
	return memcmp(line->view[VIEW_CACHED], line->view[VIEW_SYNCED], line->size) != 0;
}

/* What is the same already is not touched, so that it costs no page. */
static void copy(unsigned char *to, const unsigned char *from, size_t size)
{
	if (memcmp(to, from, size) != 0)
		memcpy(to, from, size);
}

static void evict(const struct line *line)
{
	copy(line->view[VIEW_MEMORY], line->view[VIEW_CACHED], line->size);
}

static void write_back(const struct line *line)
{
	evict(line);
	copy(line->view[VIEW_SYNCED], line->view[VIEW_CACHED], line->size);
}

static void read_anew(const struct line *line)
{
	copy(line->view[VIEW_CACHED], line->view[VIEW_MEMORY], line->size);
	copy(line->view[VIEW_SYNCED], line->view[VIEW_MEMORY], line->size);
}

enum act { CLEAN, INVALIDATE, DISTURB };

static void do_line(struct busway_machine *machine, const struct line *line, enum act act)
{
	if (act == INVALIDATE)
		read_anew(line);
	else if (act == CLEAN && is_dirty(line))
		write_back(line);
	else if (act == DISTURB && sim_chance(&machine->rng, 50)) {
		if (is_dirty(line))
			evict(line);
		else
			read_anew(line);
	}
}

static void do_lines(struct busway_machine *machine, struct busway_range phys, enum act act)
{
	const struct sim_store *store = clip(machine, &phys);
	uint64_t at = phys.first;

	while (store) {
		const struct line line = line_at(store, at);

		do_line(machine, &line, act);
		at |= SIM_LINE - 1;
		if (at >= phys.last)
			return;
		at++;
	}
}

void sim_clean(struct busway_machine *machine, struct busway_range phys)
{
	do_lines(machine, phys, CLEAN);
}

void sim_invalidate(struct busway_machine *machine, struct busway_range phys)
{
	do_lines(machine, phys, INVALIDATE);
	sim_not_fresh(machine, sim_lines(phys));
}

void busway_machine_disturb(struct busway_machine *machine, struct busway_phys_range range)
{
	if (range.first.raw <= range.last.raw)
		do_lines(machine, busway_phys_raw(range), DISTURB);
}

void sim_settle_bytes(struct busway_machine *machine, struct busway_range phys)
{
	const struct sim_store *store = clip(machine, &phys);
	const size_t size = (size_t)busway_range_span(phys) + 1;

	if (!store)
		return;
	copy(sim_byte(store, VIEW_MEMORY, phys.first), sim_byte(store, VIEW_CACHED, phys.first),
	     size);
	copy(sim_byte(store, VIEW_SYNCED, phys.first), sim_byte(store, VIEW_CACHED, phys.first),
	     size);
}

bool sim_dirty(const struct busway_machine *machine, struct busway_range phys,
	       struct busway_range *where)
{
	const struct sim_store *store = clip(machine, &phys);
	const unsigned char *now, *then;

	if (!store)
		return false;
	now = sim_byte(store, VIEW_CACHED, phys.first);
	then = sim_byte(store, VIEW_SYNCED, phys.first);
	if (memcmp(now, then, (size_t)busway_range_span(phys) + 1) == 0)
		return false;
	*where = phys;
	for (; *now == *then; now++, then++)
		where->first++;
	now = sim_byte(store, VIEW_CACHED, phys.last);
	then = sim_byte(store, VIEW_SYNCED, phys.last);
	for (; *now == *then; now--, then--)
		where->last--;
	return true;
}

/* ---- what the CPU was not told ---- */

void sim_fresh(struct busway_machine *machine, struct busway_range phys)
{
	if (busway_intervals_add(&machine->fresh, phys))
		sim_blind(machine);
}

void sim_not_fresh(struct busway_machine *machine, struct busway_range phys)
{
	if (busway_intervals_remove(&machine->fresh, phys))
		sim_blind(machine);
}

bool sim_is_fresh(const struct busway_machine *machine, struct busway_range phys)
{
	const size_t at = busway_intervals_find(&machine->fresh, phys.first);

	return at < machine->fresh.count && machine->fresh.runs[at].first <= phys.last;
}
