/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * groups.c - which functions an IOMMU can keep apart: as the hardware does, as Linux has it, and
 * as the kernel at hand said.
 */
#include "groups.h"

#include <busway/isolation.h>

enum { VIEWS = 2, MEMBERS_A_LINE = 6 };

static const enum busway_isolation_view views[VIEWS] = {BUSWAY_ISOLATION_ROUTE,
							BUSWAY_ISOLATION_LINUX};
static const char *const view_names[VIEWS] = {"route", "linux"};

/* Has a function of @group before member @end the same group in the kernel? */
static bool kernel_group_seen(const struct busway_pci *pci,
			      const struct busway_isolation_group *group, size_t end,
			      uint32_t number)
{
	for (size_t i = 0; i < end; i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, group->members[i]);

		if (f->has_group && f->group == number)
			return true;
	}
	return false;
}

/* "  [kernel: 9 10]" */
static void put_kernel(struct page *page, const struct busway_pci *pci,
		       const struct busway_isolation_group *group)
{
	bool any = false;

	for (size_t i = 0; i < group->count; i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, group->members[i]);

		if (!f->has_group || kernel_group_seen(pci, group, i, f->group))
			continue;
		fprintf(page->out, "%s %u", any ? "" : "  [kernel:", (unsigned)f->group);
		any = true;
	}
	if (any)
		fputc(']', page->out);
}

static void put_members(struct page *page, const struct busway_pci *pci,
			const struct busway_isolation_group *group)
{
	for (size_t i = 0; i < group->count; i++)
		fprintf(page->out, "%s %s", i && i % MEMBERS_A_LINE == 0 ? "\n      " : "",
			busway_pci_name(pci, group->members[i]));
	if (!group->certain)
		fputs("  (perhaps fewer)", page->out);
	put_kernel(page, pci, group);
	fputc('\n', page->out);
}

static void put_links(struct page *page, const struct busway_pci *pci,
		      const struct busway_isolation_group *group)
{
	char bits[64];

	for (size_t i = 0; i + 1 < group->count; i++) {
		const struct busway_isolation_link *l = &group->links[i];

		fprintf(page->out, "      %s with %s: %s", busway_pci_name(pci, l->a),
			busway_pci_name(pci, l->b), busway_isolation_cause_text(l->cause));
		if (busway_pci_some(l->decider))
			fprintf(page->out, "; %s", busway_pci_name(pci, l->decider));
		if (l->missing)
			fprintf(page->out, " lacks ACS %s",
				busway_acs_text(l->missing, bits, sizeof(bits)));
		fputs(l->certain ? "\n" : " (not certain)\n", page->out);
	}
}

static void put_view(struct page *page, const struct busway_pci *pci,
		     const struct busway_isolation *isolation, bool why)
{
	for (size_t i = 0; i < busway_isolation_count(isolation); i++) {
		const struct busway_isolation_group *group = busway_isolation_group(isolation, i);

		fprintf(page->out, "%5zu:", i);
		put_members(page, pci, group);
		if (why)
			put_links(page, pci, group);
	}
}

/* ---- JSON ---- */

static json_t *link_json(const struct busway_pci *pci, const struct busway_isolation_link *l)
{
	char bits[64];

	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:b}", "a", busway_pci_name(pci, l->a), "b",
			 busway_pci_name(pci, l->b), "cause", busway_isolation_cause_code(l->cause),
			 "decider",
			 busway_pci_some(l->decider) ? json_text(busway_pci_name(pci, l->decider))
						     : json_null(),
			 "missing",
			 l->missing ? json_text(busway_acs_text(l->missing, bits, sizeof(bits)))
				    : json_null(),
			 "certain", l->certain);
}

static json_t *group_json(const struct busway_pci *pci, const struct busway_isolation_group *group)
{
	json_t *members = json_array(), *links = json_array();

	for (size_t i = 0; i < group->count; i++)
		json_array_append_new(members, json_text(busway_pci_name(pci, group->members[i])));
	for (size_t i = 0; i + 1 < group->count; i++)
		json_array_append_new(links, link_json(pci, &group->links[i]));
	return json_pack("{s:o, s:b, s:o}", "functions", members, "certain", group->certain,
			 "links", links);
}

static json_t *view_json(const struct busway_pci *pci, const struct busway_isolation *isolation)
{
	json_t *groups = json_array();

	for (size_t i = 0; i < busway_isolation_count(isolation); i++)
		json_array_append_new(groups,
				      group_json(pci, busway_isolation_group(isolation, i)));
	return groups;
}

/* Function and group, where the kernel says so. */
static json_t *kernel_json(const struct busway_pci *pci)
{
	json_t *kernel = json_array();

	for (uint32_t i = 0; i < busway_pci_count(pci); i++) {
		const struct busway_pci_function *f = busway_pci_function(pci, (busway_pci_id){i});

		if (f->has_group)
			json_array_append_new(kernel,
					      json_pack("{s:s, s:I}", "function",
							busway_pci_name(pci, (busway_pci_id){i}),
							"group", (json_int_t)f->group));
	}
	return kernel;
}

/* ---- the command ---- */

static int print_json(const struct busway_pci *pci, struct busway_isolation *const *made)
{
	json_t *root = json_pack("{s:s}", "schema", "busway-groups/1");

	for (int i = 0; i < VIEWS; i++)
		json_object_set_new(root, view_names[i], view_json(pci, made[i]));
	json_object_set_new(root, "kernel", kernel_json(pci));
	return json_print(root, EXIT_YES);
}

static int print_text(const struct busway_pci *pci, struct busway_isolation *const *made,
		      const struct options *options)
{
	static const char *const titles[VIEWS] = {
		"functions that nothing keeps apart before an IOMMU",
		"groups as Linux 6.12 forms them",
	};
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	for (int i = 0; i < VIEWS; i++) {
		put_styled(&page, STYLE_BOLD, "%s%s:\n", i ? "\n" : "", titles[i]);
		put_view(&page, pci, made[i], options->verbose > 0);
	}
	return page_print(&page, EXIT_YES);
}

int list_groups(const struct loaded *loaded, const struct options *options)
{
	const struct busway_pci *pci = busway_system_pci(loaded->machine);
	struct busway_isolation *made[VIEWS] = {NULL};
	int status = 0;

	for (int i = 0; i < VIEWS && !status; i++)
		status = busway_isolation_create(pci, views[i], &cli_memory, &made[i]);
	if (status)
		status = complain("%s: out of memory", loaded->source);
	else if (options->format == FORMAT_JSON)
		status = print_json(pci, made);
	else
		status = print_text(pci, made, options);
	for (int i = 0; i < VIEWS; i++)
		busway_isolation_destroy(made[i]);
	return status;
}
