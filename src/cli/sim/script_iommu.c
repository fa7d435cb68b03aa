/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_iommu.c - steps about the domain of a device. See script.h.
 */
#include "script.h"

#include <inttypes.h>
#include <stdlib.h>

/* A page table as it is gone through. */
struct dump {
	FILE *text; /* NULL: not wanted */
	json_t *runs;
	size_t run_count, table_count;
};

static json_t *page_sizes(uint64_t sizes)
{
	json_t *array = json_array();

	for (; sizes; sizes &= sizes - 1)
		json_array_append_new(array, json_hex(sizes & -sizes));
	return array;
}

static bool add_run(void *ctx, const struct busway_mapped_run *run)
{
	struct dump *dump = ctx;
	const struct busway_range iova = busway_dma_raw(run->iova);
	char line[160];

	dump->run_count++;
	busway_mapped_run_text(run, line, sizeof(line));
	fprintf(dump->text, "  %s\n", line);
	json_array_append_new(
		dump->runs,
		json_pack("{s:o, s:o, s:o, s:b, s:b, s:b, s:o}", "iova", json_hex(iova.first),
			  "phys", json_hex(run->phys.raw), "size", json_size(iova), "read",
			  (run->prot & BUSWAY_READ) != 0, "write", (run->prot & BUSWAY_WRITE) != 0,
			  "cached", !(run->prot & BUSWAY_PROT_NONCOHERENT), "page_sizes",
			  page_sizes(run->page_sizes)));
	return true;
}

static bool count_table(void *ctx, const struct busway_table_info *info)
{
	(void)info;
	((struct dump *)ctx)->table_count++;
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
	struct dump dump = {.runs = json_array()};
	char what[96], *text = NULL;
	size_t size;

	dump.text = domain ? open_memstream(&text, &size) : NULL;
	if (!dump.text) {
		if (domain)
			say_mistake(s, "out of memory");
		json_decref(dump.runs);
		return;
	}
	busway_pagetable_runs(busway_domain_table(domain), busway_dma_range(BUSWAY_RANGE_ALL),
			      add_run, &dump);
	busway_pagetable_tables(busway_domain_table(domain), count_table, &dump);
	fclose(dump.text);
	snprintf(what, sizeof(what), "%zu run%s in %zu table%s", dump.run_count,
		 dump.run_count == 1 ? "" : "s", dump.table_count,
		 dump.table_count == 1 ? "" : "s");
	say_runs(s, what, text, dump.runs);
}

void step_flush(struct script *s, const struct step *step)
{
	struct busway_domain *domain = domain_for(s, step);

	if (!domain)
		return;
	busway_domain_flush(domain, NULL);
	say(s, "done");
}
