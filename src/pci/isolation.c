/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * isolation.c - groups from links: who is with whom.
 */
#include "isolation_internal.h"

struct busway_isolation {
	struct arena arena;
	uint32_t *group_of; /* each function */
	struct busway_isolation_group *groups;
	size_t count;
};

uint32_t group_root(const struct joining *j, uint32_t index)
{
	while (j->with[index] != index) {
		j->with[index] = j->with[j->with[index]]; /* halve the way for the next one */
		index = j->with[index];
	}
	return index;
}

void join(struct joining *j, uint32_t a, uint32_t b, struct why why)
{
	const uint32_t x = group_root(j, a), y = group_root(j, b);

	if (x == y)
		return;
	/* the first function stands for the group */
	j->with[x < y ? y : x] = x < y ? x : y;
	j->links[j->link_count++] = (struct busway_isolation_link){
		.a = {a},
		.b = {b},
		.cause = why.cause,
		.decider = {why.decider},
		.missing = why.missing,
		.certain = why.certain,
	};
}

/* ---- from links to groups ---- */

/* Number the groups by their first members, and count what belongs to each. */
static void count_groups(struct busway_isolation *iso, struct joining *j, size_t functions)
{
	for (uint32_t i = 0; i < functions; i++) {
		const uint32_t root = group_root(j, i);

		if (root == i) {
			iso->group_of[i] = (uint32_t)iso->count;
			iso->groups[iso->count++] =
				(struct busway_isolation_group){.certain = true};
		} else {
			iso->group_of[i] = iso->group_of[root];
		}
		iso->groups[iso->group_of[i]].count++;
	}
}

/* Of a group with n members the members take n places and the links n - 1. */
static void fill_groups(struct busway_isolation *iso, const struct joining *j, size_t functions,
			busway_pci_id *members, struct busway_isolation_link *links, size_t *used)
{
	size_t at = 0;

	for (size_t g = 0; g < iso->count; g++) {
		iso->groups[g].members = members + at;
		iso->groups[g].links = links + (at - g);
		used[g] = at;
		at += iso->groups[g].count;
	}
	for (uint32_t i = 0; i < functions; i++) {
		members[used[iso->group_of[i]]++] = (busway_pci_id){i};
		if (j->uncertain[i])
			iso->groups[iso->group_of[i]].certain = false;
	}
	for (size_t g = 0; g < iso->count; g++)
		used[g] -= iso->groups[g].count + g;
	for (size_t i = 0; i < j->link_count; i++) {
		const uint32_t g = iso->group_of[j->links[i].a.index];

		links[used[g]++] = j->links[i];
		if (!j->links[i].certain)
			iso->groups[g].certain = false;
	}
}

static int find_links(struct joining *j, struct arena *work, enum busway_isolation_view view)
{
	int status;

	if (view == BUSWAY_ISOLATION_LINUX) {
		join_linux(j);
		return 0;
	}
	/* what is certain first: then an uncertain link stands only where it is needed */
	status = join_route(j, work, true);
	if (!status && view == BUSWAY_ISOLATION_ROUTE)
		status = join_route(j, work, false);
	return status;
}

static bool take_joining(struct joining *j, struct arena *work, size_t count)
{
	j->with = arena_take(work, count * sizeof(*j->with), _Alignof(uint32_t));
	j->uncertain = arena_take(work, count * sizeof(*j->uncertain), _Alignof(bool));
	j->links =
		arena_take(work, count * sizeof(*j->links), _Alignof(struct busway_isolation_link));
	if (!j->with || !j->uncertain || !j->links)
		return false;
	for (uint32_t i = 0; i < j->pci->count; i++) {
		j->with[i] = i;
		j->uncertain[i] = node_at(j->pci, i)->odd;
	}
	return true;
}

/* @work is for what is needed only now. */
static int build(struct busway_isolation *iso, struct arena *work, const struct busway_pci *pci,
		 enum busway_isolation_view view)
{
	const size_t functions = pci->count, count = functions + 1; /* never nothing */
	struct joining j = {.pci = pci};
	busway_pci_id *members;
	struct busway_isolation_link *links;
	size_t *used = arena_take(work, count * sizeof(*used), _Alignof(size_t));
	int status;

	iso->group_of = arena_take(&iso->arena, count * sizeof(*iso->group_of), _Alignof(uint32_t));
	iso->groups = arena_take(&iso->arena, count * sizeof(*iso->groups),
				 _Alignof(struct busway_isolation_group));
	members = arena_take(&iso->arena, count * sizeof(*members), _Alignof(busway_pci_id));
	links = arena_take(&iso->arena, count * sizeof(*links),
			   _Alignof(struct busway_isolation_link));
	if (!used || !iso->group_of || !iso->groups || !members || !links ||
	    !take_joining(&j, work, count))
		return -BUSWAY_ENOMEM;
	status = find_links(&j, work, view);
	if (status)
		return status;
	count_groups(iso, &j, functions);
	fill_groups(iso, &j, functions, members, links, used);
	return 0;
}

int busway_isolation_create(const struct busway_pci *pci, enum busway_isolation_view view,
			    const struct busway_allocator *memory, struct busway_isolation **out)
{
	struct arena arena = {.memory = memory}, work = {.memory = memory};
	struct busway_isolation *iso =
		arena_take(&arena, sizeof(*iso), _Alignof(struct busway_isolation));
	int status;

	if (!iso)
		return -BUSWAY_ENOMEM;
	*iso = (struct busway_isolation){.arena = arena};
	status = build(iso, &work, pci, view);
	arena_release(&work);
	if (status)
		busway_isolation_destroy(iso);
	else
		*out = iso;
	return status;
}

void busway_isolation_destroy(struct busway_isolation *isolation)
{
	if (isolation) {
		struct arena arena = isolation->arena; /* it lies in it */

		arena_release(&arena);
	}
}

/* ---- reading ---- */

size_t busway_isolation_count(const struct busway_isolation *isolation)
{
	return isolation->count;
}

const struct busway_isolation_group *busway_isolation_group(
	const struct busway_isolation *isolation, size_t index)
{
	return &isolation->groups[index];
}

uint32_t busway_isolation_group_of(const struct busway_isolation *isolation, busway_pci_id id)
{
	return isolation->group_of[id.index];
}

const char *busway_isolation_cause_code(enum busway_isolation_cause cause)
{
	static const char *const codes[] = {
#define X(id, code, text) code,
		BUSWAY_ISOLATION_CAUSES(X)
#undef X
	};

	return codes[cause];
}

const char *busway_isolation_cause_text(enum busway_isolation_cause cause)
{
	static const char *const texts[] = {
#define X(id, code, text) text,
		BUSWAY_ISOLATION_CAUSES(X)
#undef X
	};

	return texts[cause];
}
