/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.c - why a piece of memory has no address for a device.
 *
 * Off the hot path. Windows are followed backwards from the memory to the device's first space,
 * without regard to precedence or masks; each candidate address found is then followed forwards,
 * and what stops it is the reason. Without a candidate, the hop where the way back ends is named.
 */
#include "reach_internal.h"

#include <busway/resolve.h>

enum { CANDIDATES_MAX = 64, VISITS_MAX = 256, SPACES_MAX = 64 };

/* An address of a space that the search has come to: it need not be followed again. */
struct visit {
	busway_space_id space;
	uint64_t address;
};

struct search {
	const struct busway_reach *reach;
	const struct busway_device *device;
	uint64_t phys;
	enum busway_access access;
	unsigned candidates, visit_count;
	struct visit visits[VISITS_MAX];
	uint32_t way[SPACES_MAX]; /* spaces between the device and the CPU */
	unsigned way_count;
	/* the windows from the memory back to where the search is */
	const struct busway_window *chain[BUSWAY_HOPS_MAX];
	struct busway_refusal best;
	/* where the way back ended, nearest to the device; until then its first space */
	const struct space_entry *dead_end;
	struct busway_range dead_limit;
	bool any_dead_end, has_dead_limit;
	unsigned dead_depth;
};

/* Of two reasons, which one is more worth telling: what a driver can mend first. */
static int worth(enum busway_reason reason)
{
	static const enum busway_reason order[] = {
		BUSWAY_BEYOND_MASK, BUSWAY_ADDRESS_BITS, BUSWAY_APERTURE,
		BUSWAY_SHADOWED,    BUSWAY_ACCESS,
	};

	for (int i = 0; i < (int)(sizeof(order) / sizeof(order[0])); i++)
		if (order[i] == reason)
			return 10 - i;
	return reason == BUSWAY_NOT_REFUSED ? 0 : 1;
}

/* The access does land somewhere, but not in this memory: an earlier window takes it. */
static void refuse_shadowed(const struct search *s, unsigned depth, const struct busway_path *path,
			    struct busway_refusal *why)
{
	const struct busway_hop *hop = &path->hops[0];

	/* the first hop where the access leaves the way that was looked for */
	for (unsigned i = 0; i < path->hop_count && i < depth; i++) {
		hop = &path->hops[i];
		if (hop->window != s->chain[depth - 1 - i])
			break;
	}

	*why = (struct busway_refusal){
		.reason = BUSWAY_SHADOWED,
		.hop = space_entry(s->reach->platform, hop->space)->space.name,
		.by = hop->window ? hop->window->name : NULL,
		.bus_addresses = true,
		.asked = hop->range,
		.has_limit = hop->window != NULL,
	};
	if (hop->window)
		why->limit = hop->window->in;
}

/* Does an earlier window take the access off the way that was looked for? */
static bool leaves_way(const struct search *s, unsigned depth, const struct busway_path *path)
{
	for (unsigned i = 0; i < path->hop_count && i < depth; i++) {
		if (!path->hops[i].window)
			return false; /* it ends here: a region, or nobody */
		if (path->hops[i].window != s->chain[depth - 1 - i])
			return true;
	}
	return false;
}

static bool lands_at(const struct busway_path *path, uint64_t phys)
{
	const struct busway_hop *end = &path->hops[path->hop_count - 1];

	return end->space.index == BUSWAY_CPU_SPACE.index && end->range.first == phys;
}

/* The device would have to emit @dma: what becomes of that? */
static void try_candidate(struct search *s, uint64_t dma, unsigned depth)
{
	const struct busway_emission any = busway_emission_mask(64);
	const struct busway_dma_range one = {{dma}, {dma}};
	struct busway_refusal why = {0};
	struct busway_path path;
	uint64_t bad;
	int status;

	if (s->candidates++ >= CANDIDATES_MAX)
		return;
	/* what no mask would mend goes first */
	status = busway_resolve(s->reach->platform, s->reach->device, one, &any, s->access, &path,
				&why);
	if (leaves_way(s, depth, &path)) {
		refuse_shadowed(s, depth, &path, &why);
	} else if (status == 0) {
		if (!lands_at(&path, s->phys))
			refuse_shadowed(s, depth, &path, &why);
		else if (!emission_holds(&s->reach->emission, busway_dma_raw(one), &bad))
			emission_refuse(s->device, &s->reach->emission, busway_dma_raw(one), &why);
	}
	if (worth(why.reason) > worth(s->best.reason) ||
	    (why.reason == s->best.reason && why.asked.first < s->best.asked.first))
		s->best = why;
}

static void note_dead_end(struct search *s, const struct space_entry *from, unsigned depth,
			  const struct busway_window *near)
{
	if (s->any_dead_end && depth <= s->dead_depth)
		return;
	s->any_dead_end = true;
	s->dead_end = from;
	s->dead_depth = depth;
	s->has_dead_limit = near != NULL;
	if (near)
		s->dead_limit = window_out_range(near);
}

static bool on_way(const struct search *s, busway_space_id space)
{
	for (unsigned i = 0; i < s->way_count; i++)
		if (s->way[i] == space.index)
			return true;
	return false;
}

/* The spaces that accesses of the device come through on their way up to the CPU's. */
static void find_way(struct search *s)
{
	const struct busway_platform *p = s->reach->platform;

	s->way[0] = s->device->dma.enters.index;
	s->way_count = 1;
	for (unsigned at = 0; at < s->way_count; at++) {
		if (s->way[at] == BUSWAY_CPU_SPACE.index)
			continue;
		for (uint32_t i = p->outgoing.head[s->way[at]]; i != UINT32_MAX;
		     i = p->outgoing.next[i])
			if (!on_way(s, window_at(p, i)->to) && s->way_count < SPACES_MAX)
				s->way[s->way_count++] = window_at(p, i)->to.index;
	}
}

/* Was it here before? Windows in a circle, and ways that meet, are followed once. */
static bool comes_again(struct search *s, busway_space_id space, uint64_t address)
{
	for (unsigned i = s->visit_count; i-- > 0;)
		if (s->visits[i].address == address && s->visits[i].space.index == space.index)
			return true;
	if (s->visit_count == VISITS_MAX)
		return true; /* enough */
	s->visits[s->visit_count++] = (struct visit){space, address};
	return false;
}

static void backwards(struct search *s, busway_space_id space, uint64_t address, unsigned depth)
{
	const struct busway_platform *p = s->reach->platform;
	const struct busway_window *near = NULL;
	bool any = false;

	if (space.index == s->device->dma.enters.index) {
		try_candidate(s, address, depth);
		return;
	}
	if (depth >= BUSWAY_HOPS_MAX || comes_again(s, space, address))
		return;
	for (uint32_t i = p->incoming.head[space.index]; i != UINT32_MAX; i = p->incoming.next[i]) {
		const struct busway_window *w = window_at(p, i);
		const struct busway_range out = window_out_range(w);

		if (!on_way(s, w->from))
			continue;
		if (busway_range_has(out, address)) {
			any = true;
			s->chain[depth] = w;
			backwards(s, w->from, w->in.first + (address - out.first), depth + 1);
		} else if (!near ||
			   distance(out, address) < distance(window_out_range(near), address)) {
			near = w;
		}
	}
	if (!any)
		note_dead_end(s, space_entry(p, near ? near->from : s->device->dma.enters), depth,
			      near);
}

/* What there is at @phys in the CPU's space, where it is not memory. */
static bool refuse_not_memory(const struct busway_platform *p, struct busway_range phys,
			      struct busway_refusal *why)
{
	const struct space_entry *cpu = space_entry(p, BUSWAY_CPU_SPACE);
	const struct claim claim = claim_at(cpu, phys.first);
	const struct busway_region *region =
		claim.kind == CLAIM_REGION ? region_at(p, claim.index) : NULL;
	const struct busway_window *window = /* from the CPU into an outbound aperture */
		claim.kind == CLAIM_WINDOW ? window_at(p, claim.index) : NULL;

	if (region && (region->kind == BUSWAY_REGION_RAM || region->kind == BUSWAY_REGION_UNKNOWN))
		return false;
	if (claim.last < phys.last)
		phys.last = claim.last;
	*why = (struct busway_refusal){
		.reason = region && region->kind == BUSWAY_REGION_CARVEOUT ? BUSWAY_RESERVED
									   : BUSWAY_NO_MEMORY,
		.hop = cpu->space.name,
		.by = region   ? region->name
		      : window ? window->name
			       : NULL,
		.asked = phys,
		.has_limit = region || window,
	};
	if (region)
		why->limit = region->range;
	if (window)
		why->limit = window->in;
	if (!region && !window)
		why->has_limit = nearest_bank(p, phys.first, &why->limit);
	return true;
}

/* Does the device's mask leave it nothing at all? Then its windows are the problem. */
static void advise_window_base(const struct busway_reach *reach, struct busway_refusal *why)
{
	if (why->reason == BUSWAY_BEYOND_MASK && reach->piece_count == 0)
		advise(why, (struct busway_advice){
				    .kind = BUSWAY_ADVISE_WINDOW_BASE,
				    .bits = busway_bits_needed(~reach->emission.zero),
			    });
}

/* Memory that cannot be reached can be bounced, if some that can be reached is long enough. */
static void advise_memory(const struct busway_reach *reach, struct busway_range phys,
			  uint64_t size_less_one, enum busway_access access,
			  struct busway_refusal *why)
{
	struct busway_range run;

	if (reach_longest(reach, access, &run) && busway_range_span(run) >= size_less_one &&
	    size_less_one != UINT64_MAX)
		advise(why, (struct busway_advice){.kind = BUSWAY_ADVISE_BOUNCE,
						   .range = run,
						   .size = size_less_one + 1});
	else if (why->reason == BUSWAY_NO_WINDOW)
		advise(why, (struct busway_advice){
				    .kind = BUSWAY_ADVISE_WINDOW, .hop = why->hop, .range = phys});
}

static void explain_dead_end(const struct search *s, struct busway_range phys,
			     struct busway_refusal *why)
{
	const struct busway_space *space = &s->dead_end->space;

	*why = (struct busway_refusal){
		.reason = space->untranslatable ? BUSWAY_UNTRANSLATABLE : BUSWAY_NO_WINDOW,
		.hop = space->name,
		.asked = phys,
		.has_limit = s->has_dead_limit,
		.limit = s->dead_limit,
	};
}

/*
 * One byte was tried: tell it of as many as go the same way. A mask is advised for all of them, and
 * only if they would land with it.
 */
static void widen(const struct busway_reach *reach, uint64_t span, enum busway_access access,
		  struct busway_refusal *why)
{
	const struct busway_emission any = busway_emission_mask(64);
	struct busway_dma_range dma = {{why->asked.first}, {why->asked.first}};
	struct busway_refusal cut = {0};

	if (span > UINT64_MAX - why->asked.first)
		span = UINT64_MAX - why->asked.first;
	if (why->reason != BUSWAY_BEYOND_MASK && why->reason != BUSWAY_ADDRESS_BITS) {
		why->asked.last = why->asked.first + span;
		return;
	}
	dma.last.raw += span;
	if (busway_resolve(reach->platform, reach->device, dma, &any, access, NULL, &cut) == 0)
		why->asked.last = dma.last.raw;
	else if (cut.reason == BUSWAY_STRADDLES)
		why->asked.last = cut.limit.last;
	if (why->reason == BUSWAY_BEYOND_MASK && why->advice_count)
		why->advice[0].bits = busway_bits_needed(why->asked.last);
}

void explain_address(const struct busway_reach *reach, struct busway_range phys,
		     uint64_t size_less_one, enum busway_access access, struct busway_refusal *why)
{
	const struct busway_platform *p = reach->platform;
	struct search s = {
		.reach = reach,
		.device = busway_platform_device(p, reach->device),
		.phys = phys.first,
		.access = access,
	};

	if (refuse_not_memory(p, phys, why))
		return;
	find_way(&s);
	s.dead_end = space_entry(p, s.device->dma.enters);
	backwards(&s, BUSWAY_CPU_SPACE, phys.first, 0);
	if (s.best.reason == BUSWAY_NOT_REFUSED) {
		explain_dead_end(&s, phys, why);
	} else {
		*why = s.best;
		widen(reach, busway_range_span(phys), access, why);
	}
	advise_window_base(reach, why);
	advise_memory(reach, phys, size_less_one, access, why);
}
