/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench.c - the library's hot paths, measured.
 *
 * Machines are noisy, so workloads are interleaved in rounds within one process, the median and
 * the minimum are told, and each is set against a reference of the same run. Instruction counts
 * come from outside (tools/bench.sh, with callgrind): --count N runs N operations, once.
 */
#include "bench.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ROUNDS = 11, KEEP_BYTES = 256 << 20 };

struct result {
	double median, min; /* ns an operation */
};

/* ---- choosing ---- */

static bool is_file(const char *name)
{
	return strchr(name, '/') || access(name, F_OK) == 0;
}

static bool is_called(const struct workloads *all, const char *name)
{
	for (unsigned i = 0; i < all->count; i++)
		if (!strcmp(all->list[i].name, name))
			return true;
	return false;
}

/* Named as it is; or, where none is named so, by what stands before a '-': "G" is G-small and
 * G-big. */
static bool is_named(const struct workloads *all, const struct workload *w, const char *name)
{
	const size_t length = strlen(name);

	return strncmp(w->name, name, length) == 0 &&
	       (w->name[length] == '\0' || (w->name[length] == '-' && !is_called(all, name)));
}

static bool is_reference_of(const struct workloads *all, const struct workload *w,
			    const bool *chosen)
{
	for (unsigned i = 0; i < all->count; i++)
		if (chosen[i] && all->list[i].reference && !strcmp(all->list[i].reference, w->name))
			return true;
	return false;
}

static bool choose(const struct workloads *all, const struct options *options, bool *chosen)
{
	unsigned names = 0;

	for (int a = 0; a < options->argument_count; a++) {
		bool known = false;

		if (is_file(options->arguments[a]))
			continue;
		names++;
		for (unsigned i = 0; i < all->count; i++) {
			if (all->list[i].reference &&
			    is_named(all, &all->list[i], options->arguments[a]))
				chosen[i] = known = true;
		}
		if (!known) {
			complain("bench: there is no workload '%s'", options->arguments[a]);
			return false;
		}
	}
	for (unsigned i = 0; i < all->count && !names; i++)
		chosen[i] = all->list[i].reference != NULL;
	for (unsigned i = 0; i < all->count && !options->count; i++)
		if (is_reference_of(all, &all->list[i], chosen))
			chosen[i] = true;
	return true;
}

/* ---- measuring ---- */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void measure(const struct workloads *all, const bool *chosen, const struct options *options,
		    struct result *results)
{
	static double times[WORKLOADS_MAX][ROUNDS];
	const bool progress = isatty(STDERR_FILENO) && !options->quiet;

	for (int round = 0; round <= ROUNDS; round++) {
		if (progress)
			fprintf(stderr, "\rround %d of %d ", round, ROUNDS);
		for (unsigned i = 0; i < all->count; i++) {
			const struct workload *w = &all->list[i];
			double start;

			if (!chosen[i])
				continue;
			if (w->before)
				w->before(w->state);
			start = now();
			w->run(w->state, w->batch);
			if (round) /* the first one warms up */
				times[i][round - 1] = (now() - start) / (double)w->batch;
		}
	}
	if (progress)
		fputs("\r                  \r", stderr);
	for (unsigned i = 0; i < all->count; i++) {
		qsort(times[i], ROUNDS, sizeof(double), compare);
		results[i] = (struct result){times[i][ROUNDS / 2], times[i][0]};
	}
}

/* ---- telling ---- */

static const struct result *reference_of(const struct workloads *all, const struct result *results,
					 const struct workload *w)
{
	for (unsigned i = 0; w->reference && i < all->count; i++)
		if (!strcmp(all->list[i].name, w->reference))
			return &results[i];
	return NULL;
}

static int print_json(const struct workloads *all, const bool *chosen, const struct result *results)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < all->count; i++) {
		const struct workload *w = &all->list[i];
		const struct result *reference = reference_of(all, results, w);
		json_t *object;

		if (!chosen[i])
			continue;
		object = json_pack("{s:s, s:s, s:f, s:f}", "name", w->name, "what", w->what,
				   "ns_median", results[i].median, "ns_min", results[i].min);
		if (reference) {
			json_object_set_new(object, "reference", json_string(w->reference));
			json_object_set_new(object, "ratio_of_minima",
					    json_real(results[i].min / reference->min));
		}
		json_array_append_new(list, object);
	}
	return json_print(json_pack("{s:s, s:s, s:i, s:o}", "schema", "busway-bench/1", "version",
				    busway_version(), "rounds", ROUNDS, "results", list),
			  EXIT_YES);
}

static int print_text(const struct workloads *all, const bool *chosen, const struct result *results,
		      const struct options *options)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	fprintf(page.out, "%-24s %14s %14s  %-9s %s\n", "workload", "median ns", "minimum ns",
		"ratio", "(of minima, to the reference above it)");
	for (unsigned i = 0; i < all->count; i++) {
		const struct result *reference = reference_of(all, results, &all->list[i]);

		if (!chosen[i])
			continue;
		fprintf(page.out, "%-24s %14.1f %14.1f  ", all->list[i].name, results[i].median,
			results[i].min);
		if (reference)
			fprintf(page.out, "%-9.2f %s\n", results[i].min / reference->min,
				all->list[i].what);
		else
			fprintf(page.out, "%-9s %s\n", "", all->list[i].what);
	}
	return page_print(&page, EXIT_YES);
}

static bool gather(struct workloads *all, const struct options *options)
{
	char **files = calloc((size_t)options->argument_count + 1, sizeof(*files));
	size_t count = 0;
	bool ok;

	for (int i = 0; files && i < options->argument_count; i++)
		if (is_file(options->arguments[i]))
			files[count++] = options->arguments[i];
	ok = files && add_import_workloads(all, files, count) &&
	     (count ||
	      (add_lookup_workloads(all) && add_map_workloads(all) && add_bounce_workloads(all) &&
	       add_slot_workloads(all) && add_iova_workloads(all) && add_pagetable_workloads(all) &&
	       add_pagetable_fill_workloads(all) && add_domain_workloads(all) &&
	       add_translate_workloads(all) && add_p2p_workloads(all)));
	free(files);
	return ok;
}

static bool prepare(const struct workloads *all, const bool *chosen)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct workload *w = &all->list[i];

		if (chosen[i] && w->prepare && !w->prepare(w->state)) {
			complain("bench: %s: out of memory", w->name);
			return false;
		}
	}
	return true;
}

/* So many operations of each, without a clock. */
static void run_once(const struct workloads *all, const bool *chosen, unsigned long operations)
{
	for (unsigned i = 0; i < all->count; i++) {
		const struct workload *w = &all->list[i];

		if (chosen[i] && w->before)
			w->before(w->state);
		if (chosen[i])
			w->run(w->state, operations);
	}
}

static int run(const struct options *options)
{
	static struct workloads all; /* its states live as long as the process */
	struct result results[WORKLOADS_MAX];
	bool chosen[WORKLOADS_MAX] = {false};

	/* measure the library, not how often the system takes pages back and clears them anew */
	mallopt(M_MMAP_THRESHOLD, KEEP_BYTES);
	mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
	if (!gather(&all, options))
		return EXIT_BAD;
	if (!choose(&all, options, chosen) || !prepare(&all, chosen))
		return EXIT_BAD;
	if (options->count) {
		run_once(&all, chosen, options->count);
		return EXIT_YES;
	}
	measure(&all, chosen, options, results);
	return options->format == FORMAT_JSON ? print_json(&all, chosen, results)
					      : print_text(&all, chosen, results, options);
}

const struct command command_bench = {
	.name = "bench",
	.arguments = "[NAME...] [TREE.dtb...]",
	.summary = "the library's hot paths, measured",
	.help = "\n"
		"Runs workloads in interleaved rounds and tells the median and the minimum, and "
		"the\n"
		"ratio to a reference measured in the same run. A NAME is that of a workload or "
		"the\n"
		"letters before its '-': G (whole trees), D (direct addresses), reach, resolve, "
		"map,\n"
		"mapalone, list, listalone, owner (the DMA API where nothing bounces), E1, E3, E4 "
		"(where\n"
		"all does), A1 to A10 (IOVAs), B1 to B9 (page tables), domain (both), C1 to C4\n"
		"(addresses of buffers), p2p (pairs of PCI functions). With trees named, those "
		"are\n"
		"measured instead of the built-in ones.\n"
		"\n"
		"  busway bench G\n"
		"  busway bench /usr/lib/linux-image-*/broadcom/*.dtb --format json\n",
	.statuses = "0 all was measured",
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
