/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sim_text.c - what came of a run, for people.
 */
#include "sim.h"

#include <inttypes.h>

enum { VIOLATIONS_SHOWN = 20 };

static void put_actor(struct page *page, const struct actor *a)
{
	fprintf(page->out, "%s\n", a->name);
	if (!a->takes_part) {
		fputs("  takes no part:\n", page->out);
		put_refusal(page, &a->why);
		return;
	}
	if (a->group)
		fprintf(page->out, "  %" PRIu64 " through domain %" PRIu32 " of %s",
			a->ways[BUSWAY_WAY_IOMMU], a->group->tag, a->group->iommu);
	else
		fprintf(page->out, "  %" PRIu64 " direct, %" PRIu64 " bounced",
			a->ways[BUSWAY_WAY_DIRECT], a->ways[BUSWAY_WAY_BOUNCE]);
	if (a->ways[BUSWAY_WAY_MIXED])
		fprintf(page->out, ", %" PRIu64 " in part", a->ways[BUSWAY_WAY_MIXED]);
	if (a->ways[BUSWAY_WAY_PEER])
		fprintf(page->out, ", %" PRIu64 " to peers", a->ways[BUSWAY_WAY_PEER]);
	fprintf(page->out, "; %" PRIu64 " of %" PRIu64 " KiB copied; %" PRIu64 " coherent\n",
		a->bounced_bytes >> 10, a->bytes >> 10, a->coherent);
	for (int r = 1; r < BUSWAY_REASON_COUNT; r++)
		if (a->bounced_for[r] && r != BUSWAY_RESTRICTED)
			fprintf(page->out, "  %" PRIu64 " bounced, %s: %s\n", a->bounced_for[r],
				busway_reason_code((enum busway_reason)r),
				busway_reason_text((enum busway_reason)r));
	for (int r = 1; r < BUSWAY_REASON_COUNT; r++)
		if (a->refused[r])
			fprintf(page->out, "  %" PRIu64 " refused as %s: %s\n", a->refused[r],
				busway_reason_code((enum busway_reason)r),
				busway_reason_text((enum busway_reason)r));
	if (a->pool)
		fprintf(page->out, "  everything goes through %s\n", a->pool);
	else if (a->mask.limited)
		fprintf(page->out,
			"  not all memory is reached directly; a mask of %u bits drives "
			"all that windows lead to\n",
			a->mask.required_bits);
	if (a->wrong) {
		fputs("  ", page->out);
		put_styled(page, STYLE_BAD, "%" PRIu64 " time%s other bytes than were put there\n",
			   a->wrong, a->wrong == 1 ? "" : "s");
	}
}

static const char *const format_texts[BUSWAY_FORMAT_COUNT] = {
	[BUSWAY_ARM_STAGE1] = "Arm stage 1",       [BUSWAY_ARM_STAGE2] = "Arm stage 2",
	[BUSWAY_VTD_SECOND] = "VT-d second stage", [BUSWAY_AMD_V1] = "AMD v1",
	[BUSWAY_RISCV_SV] = "RISC-V Sv48",
};

static void put_members(struct page *page, const struct scene *scene, const struct group *group)
{
	for (size_t i = 0; i < scene->count; i++)
		if (scene->actors[i].group == group)
			fprintf(page->out, "    %s\n", scene->actors[i].name);
}

static void put_group(struct page *page, const struct scene *scene, const struct group *group)
{
	const uint64_t allowed = group_allowed(group);

	fprintf(page->out, "  %" PRIu32 "  %s, tables of %s%s\n", group->tag, group->iommu,
		format_texts[group->format],
		group->assumed ? ": what it really reads is not known" : "");
	fputs("    ", page->out);
	if (allowed)
		put_size(page, (struct busway_range){0, allowed - 1});
	else
		fputs("nothing", page->out);
	fprintf(page->out,
		" of IOVAs allowed, at most %" PRIu64 " KiB used at once; %" PRIu64
		" invalidation%s\n",
		group->high_water >> 10, group->invalidations,
		group->invalidations == 1 ? "" : "s");
	put_members(page, scene, group);
}

static void put_groups(struct page *page, const struct scene *scene)
{
	const uint64_t faults = iommu_faults(scene);

	if (!scene->group_count)
		return;
	put_styled(page, STYLE_BOLD, "IOMMU domains, %s\n",
		   scene->options->deferred ? "deferred" : "strict");
	for (size_t i = 0; i < scene->group_count; i++)
		put_group(page, scene, &scene->groups[i]);
	if (faults)
		put_styled(page, STYLE_BAD, "  %" PRIu64 " access%s refused by IOMMUs\n", faults,
			   faults == 1 ? "" : "es");
}

static void put_pools(struct page *page, const struct scene *scene)
{
	struct busway_pool_census census;

	for (size_t i = 0; busway_dma_pool(scene->dma, i, &census); i++) {
		if (i == 0)
			put_styled(page, STYLE_BOLD, "pools\n");
		fputs("  CPU ", page->out);
		put_range(page, busway_phys_raw(census.range), 0);
		fprintf(page->out, "  %s", census.name ? census.name : "for all");
		fprintf(page->out, ": at most %" PRIu64 " of %" PRIu64 " KiB used at once\n",
			census.high_water >> 10, census.size >> 10);
	}
}

static void put_violations(struct page *page, const struct scene *scene)
{
	const uint64_t count = busway_machine_violations(scene->machine);
	const struct busway_violation *v;

	if (scene->mistakes)
		put_styled(page, STYLE_BAD,
			   "%" PRIu64
			   " mistake%s of the script: a step that misuses the DMA API or "
			   "cannot be done, or something left behind\n",
			   scene->mistakes, scene->mistakes == 1 ? "" : "s");
	if (!count && sim_status(scene) == EXIT_YES)
		put_styled(page, STYLE_GOOD, "no violation\n");
	if (!count)
		return;
	put_styled(page, STYLE_BAD, "%" PRIu64 " violation%s\n", count, count == 1 ? "" : "s");
	for (size_t i = 0;
	     i < VIOLATIONS_SHOWN && (v = busway_machine_violation(scene->machine, i)); i++) {
		char text[1024];

		busway_violation_text(v, text, sizeof(text));
		fprintf(page->out, "  %s\n", text);
	}
	if (count > VIOLATIONS_SHOWN)
		fprintf(page->out, "  and %" PRIu64 " more\n", count - VIOLATIONS_SHOWN);
}

int sim_text(const struct scene *scene)
{
	const struct options *o = scene->options;
	size_t absent = 0;
	struct page page;

	if (!page_open(&page, o))
		return EXIT_BAD;
	put_styled(&page, STYLE_BOLD, "%" PRIu64 " step%s, seed %" PRIu64 "\n", scene->steps,
		   scene->steps == 1 ? "" : "s", o->seed);
	for (size_t i = 0; i < scene->count; i++) {
		if (scene->actors[i].takes_part || o->verbose || o->argument_count > 1)
			put_actor(&page, &scene->actors[i]);
		else
			absent++;
	}
	if (absent)
		fprintf(page.out, "%zu device%s take%s no part: -v says why\n", absent,
			absent == 1 ? "" : "s", absent == 1 ? "s" : "");
	put_groups(&page, scene);
	put_pools(&page, scene);
	put_violations(&page, scene);
	return page_print(&page, sim_status(scene));
}
