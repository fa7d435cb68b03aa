/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pci_groups.c - the IOMMU groups that the kernel has, against what the wiring keeps apart.
 *
 * Only functions that somebody may be given count: ports and bridges are nobody's.
 */
#include "pci_check.h"

#include "../base/sort.h"

#include <busway/isolation.h>

enum { TOLD = 4 }; /* functions that a message names */

/* A function that is somebody's, and the kernel's group of it. */
static bool is_assignable(const struct busway_pci_function *f)
{
	return f->has_group && !busway_pci_is_bridge(f->type);
}

static const char *lacks_words(const struct busway_isolation_link *link,
			       const struct busway_pci_function *decider, char *text, size_t size)
{
	struct text t = text_open(text, size);
	char bits[64];

	if (link->missing && decider->acs.known == BUSWAY_ABSENT) {
		text_put(&t, "has no ACS");
	} else if (link->missing) {
		text_put(&t, "has ACS control ");
		text_put_hex(&t, decider->acs.control);
		text_put(&t, " without ");
		text_put(&t, busway_acs_text(link->missing, bits, sizeof(bits)));
	} else {
		text_put(&t, busway_isolation_cause_text(link->cause));
	}
	text_close(&t);
	return text;
}

/* ---- groups that are not apart ---- */

/* The first member of each of the kernel's groups, at most TOLD: "0000:03:00.0 (group 9)". */
static size_t put_groups(const struct pci_check *c, const struct busway_isolation_group *group,
			 struct text *text)
{
	uint32_t seen[TOLD];
	size_t count = 0;

	for (size_t i = 0; i < group->count; i++) {
		const struct busway_pci_function *f =
			busway_pci_function(c->pci, group->members[i]);
		size_t k = 0;

		if (!is_assignable(f))
			continue;
		while (k < count && k < TOLD && seen[k] != f->group)
			k++;
		if (k < count && k < TOLD)
			continue;
		if (count < TOLD) {
			seen[count] = f->group;
			text_put(text, count ? ", " : "");
			text_put(text, busway_pci_name(c->pci, group->members[i]));
			text_put(text, " (group ");
			text_put_decimal(text, f->group);
			text_put(text, ")");
			count++;
		} else {
			text_put(text, " and more");
			break;
		}
	}
	return count;
}

static void check_enforced(struct pci_check *c, const struct busway_isolation_group *group)
{
	char names[256], lacks[192];
	struct text text = text_open(names, sizeof(names));
	const struct busway_isolation_link *link = group->links;
	const struct busway_pci_function *decider;

	/* of what sits nobody knows where nothing is proved */
	if (!group->certain || group->count < 2 || put_groups(c, group, &text) < 2)
		return;
	text_close(&text);
	/* neighbours are linked before what is behind them: the first link is of a port or device
	 */
	decider = busway_pci_function(c->pci, link->decider);
	report_function(
		c, BUSWAY_FINDING_GROUP_NOT_ENFORCED, BUSWAY_SEVERITY_WARNING, link->decider,
		link->missing ? "ACS control" : "iommu_group", NO_ENTRY,
		"IOMMU groups keep apart %s, but what they send each other does not come as "
		"far as an IOMMU: this function %s",
		names, lacks_words(link, decider, lacks, sizeof(lacks)));
	if (link->missing && decider->acs.known == BUSWAY_PRESENT)
		advise(c->check, "set ACS control 0x%x here, or give all of them to one owner",
		       (unsigned)(decider->acs.control | link->missing));
	else
		advise(c->check, "give all of them to one owner: nothing here can be told to keep "
				 "them apart");
}

/* ---- groups that are wider than they need to be ---- */

struct member {
	uint32_t group, index;
};

static bool member_before(const void *a, const void *b)
{
	const struct member *x = a, *y = b;

	return x->group != y->group ? x->group < y->group : x->index < y->index;
}

static size_t find_members(struct pci_check *c, struct member **members)
{
	const size_t most = busway_pci_count(c->pci);
	size_t count = 0;

	*members = take_work(c, (most + 1) * sizeof(struct member), _Alignof(struct member));
	for (uint32_t i = 0; *members && i < most; i++)
		if (is_assignable(function_at(c, i)))
			(*members)[count++] = (struct member){function_at(c, i)->group, i};
	if (count)
		sort(*members, count, sizeof(struct member), member_before);
	return count;
}

/* Why Linux puts two functions together: the first link of its group that lacks something. */
static const struct busway_isolation_link *why_together(const struct busway_isolation *as_linux,
							uint32_t a, uint32_t b)
{
	const uint32_t g = busway_isolation_group_of(as_linux, (busway_pci_id){a});
	const struct busway_isolation_group *group = busway_isolation_group(as_linux, g);

	if (g != busway_isolation_group_of(as_linux, (busway_pci_id){b}))
		return NULL;
	for (size_t i = 0; i + 1 < group->count; i++)
		if (group->links[i].missing)
			return &group->links[i];
	return group->links;
}

static void tell_wide(struct pci_check *c, const struct busway_isolation *as_linux, uint32_t group,
		      uint32_t a, uint32_t b)
{
	const struct busway_isolation_link *link = why_together(as_linux, a, b);
	char lacks[192];

	report_function(c, BUSWAY_FINDING_GROUP_TOO_WIDE, BUSWAY_SEVERITY_NOTE, (busway_pci_id){a},
			"iommu_group", NO_ENTRY,
			"IOMMU group %u holds it and %s, which nothing connects before an IOMMU: "
			"%s%s%s",
			group, name_at(c, b),
			link ? name_at(c, link->decider.index)
			     : "the rules of Linux 6.12 do not explain it",
			link ? " " : "",
			link ? lacks_words(link, busway_pci_function(c->pci, link->decider), lacks,
					   sizeof(lacks))
			     : "");
	advise(c->check, "%s",
	       link && link->missing
		       ? "ACS has to be on when the kernel forms its groups: at boot, by the "
			 "firmware or an early IOMMU driver"
		       : "look at how ACS was set when the groups were formed");
}

static void check_width(struct pci_check *c, const struct busway_isolation *may,
			const struct busway_isolation *as_linux)
{
	struct member *members;
	const size_t count = find_members(c, &members);

	for (size_t i = 0, first = 0; i < count; i++) {
		const uint32_t group = members[i].group;

		if (i && members[i - 1].group == group) {
			if (busway_isolation_group_of(may, (busway_pci_id){members[i].index}) ==
			    busway_isolation_group_of(may, (busway_pci_id){members[first].index}))
				continue;
			tell_wide(c, as_linux, group, members[first].index, members[i].index);
			while (i + 1 < count && members[i + 1].group == group)
				i++; /* one finding a group */
		} else {
			first = i;
		}
	}
}

void pci_rule_groups(struct pci_check *c)
{
	static const enum busway_isolation_view views[] = {
		BUSWAY_ISOLATION_SURE, BUSWAY_ISOLATION_ROUTE, BUSWAY_ISOLATION_LINUX};
	struct busway_isolation *made[3] = {NULL};

	for (int i = 0; i < 3; i++)
		if (!c->check->status &&
		    busway_isolation_create(c->pci, views[i], c->check->memory, &made[i]))
			give_up(c->check);
	if (!c->check->status) {
		for (size_t g = 0; g < busway_isolation_count(made[0]); g++)
			check_enforced(c, busway_isolation_group(made[0], g));
		check_width(c, made[1], made[2]);
	}
	for (int i = 0; i < 3; i++)
		busway_isolation_destroy(made[i]);
}
