/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_iommu.c - steps about the domain of a device. See script.h.
 */
#include "script.h"

enum { LINES = 1000 }; /* of runs in a text */

static json_t *page_sizes(uint64_t sizes)
{
	json_t *array = json_array();

	for (; sizes; sizes &= sizes - 1)
		json_array_append_new(array, json_hex(sizes & -sizes));
	return array;
}

static bool add_run(void *ctx, const struct busway_mapped_run *run)
{
	const struct busway_range iova = busway_dma_raw(run->iova);
	json_t *runs = ctx;

	json_array_append_new(runs, json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:o}", "iova",
					      json_hex(iova.first), "phys", json_hex(run->phys.raw),
					      "size", json_size(iova), "read",
					      (run->prot & BUSWAY_READ) != 0, "write",
					      (run->prot & BUSWAY_WRITE) != 0, "cached",
					      !(run->prot & BUSWAY_PROT_NONCOHERENT), "page_sizes",
					      page_sizes(run->page_sizes)));
	return true;
}

/* The domain of the device; tells and returns NULL where it has none. */
static struct busway_domain *domain_for(struct script *s, const struct step *step)
{
	struct busway_domain *domain = group_domain(step->actor);

	if (!domain)
		say_mistake(s, "no IOMMU translates for the device");
	return domain;
}

void step_tables(struct script *s, const struct step *step)
{
	const struct busway_domain *domain = domain_for(s, step);
	json_t *runs;
	struct page page;
	char what[64];

	if (!domain || !page_open(&page, s->scene->options))
		return;
	put_domain(&page, domain, LINES);
	fclose(page.out);
	runs = json_array();
	busway_pagetable_runs(busway_domain_table(domain), busway_dma_range(BUSWAY_RANGE_ALL),
			      add_run, runs);
	snprintf(what, sizeof(what), "%zu run%s", json_array_size(runs),
		 json_array_size(runs) == 1 ? "" : "s");
	say_runs(s, what, page.text, runs);
}

void step_flush(struct script *s, const struct step *step)
{
	struct busway_domain *domain = domain_for(s, step);

	if (!domain)
		return;
	busway_domain_flush(domain, NULL);
	say(s, "done");
}
