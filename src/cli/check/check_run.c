/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_run.c - check many files at once: each thread takes the next file that nobody has.
 */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct work {
	const struct file_list *list;
	const struct suppressions *suppressions;
	struct checked *results;
	atomic_size_t next, done;
	bool progress, places, quiet;
};

static int check_machine(struct checked *result)
{
	const struct busway_platform *platform = result->loaded.platform;
	const bool known = platform && busway_platform_memory_known(platform);
	size_t count = 0;
	const struct busway_memory_bank *banks =
		known ? busway_platform_banks(platform, &count) : NULL;
	struct busway_phys_range *memory = calloc(count + 1, sizeof(*memory));
	int status;

	if (!memory)
		return -BUSWAY_ENOMEM;
	for (size_t i = 0; i < count; i++)
		memory[i] = busway_phys_range(banks[i].range);
	status = busway_pci_check(busway_system_pci(result->loaded.machine), known ? memory : NULL,
				  count, &cli_memory, &result->check);
	free(memory);
	return status;
}

/* 0, or why not; has complained then. */
static int check_loaded(struct checked *result)
{
	struct busway_fdt_error error;
	int status;

	if (result->loaded.machine)
		status = check_machine(result);
	else
		status = busway_fdt_check(result->loaded.blob, result->loaded.size, &cli_memory,
					  &result->check, &error);
	if (status == -BUSWAY_EINVAL)
		complain_of_tree(result->source, &error);
	else if (status)
		complain("%s: out of memory", result->source);
	return status;
}

/* What could not be read was not checked: say so, once. */
static void tell_gaps(const struct checked *result)
{
	size_t count;
	const struct busway_system_gap *gaps = busway_system_gaps(result->loaded.machine, &count);

	if (count)
		fprintf(stderr,
			"busway: %s: %zu thing%s could not be read, and what depends on %s was not "
			"checked; the first: %s: %s\n",
			result->source, count, count == 1 ? "" : "s", count == 1 ? "it" : "them",
			gaps[0].file, gaps[0].message);
}

static void check_one(const struct work *work, const char *name, struct checked *result)
{
	result->source = strcmp(name, "-") == 0 ? "standard input" : name;
	if (!load(name, LOAD_TREE_AS_IT_IS, &result->loaded)) {
		result->loaded = (struct loaded){0};
		return;
	}
	if (check_loaded(result))
		return;
	if (result->loaded.machine && !work->quiet)
		tell_gaps(result);
	result->findings = busway_check_findings(result->check, &result->count);
	result->suppressed = calloc(result->count + 1, sizeof(*result->suppressed));
	if (!result->suppressed) {
		result->count = 0;
		complain("%s: out of memory", result->source);
		return;
	}
	for (size_t i = 0; i < result->count; i++)
		result->suppressed[i] = is_suppressed(work->suppressions, &result->findings[i]);
	result->readable = true;
	if (work->places && result->count)
		result->places = read_places(name);
}

static void *work_on(void *argument)
{
	struct work *work = argument;

	for (;;) {
		const size_t i = atomic_fetch_add(&work->next, 1);
		size_t done;

		if (i >= work->list->count)
			return NULL;
		check_one(work, work->list->names[i], &work->results[i]);
		done = atomic_fetch_add(&work->done, 1) + 1;
		if (work->progress && (done % 16 == 0 || done == work->list->count))
			fprintf(stderr, "\r%zu of %zu files%s", done, work->list->count,
				done == work->list->count ? "\r\033[K" : "");
	}
}

static unsigned thread_count(const struct options *options, size_t files)
{
	const long processors = sysconf(_SC_NPROCESSORS_ONLN);
	const unsigned wanted = options->jobs    ? options->jobs
				: processors > 0 ? (unsigned)processors
						 : 1;

	return wanted < files ? wanted : (unsigned)files;
}

bool check_files(const struct file_list *list, const struct suppressions *suppressions,
		 const struct options *options, struct checked *results)
{
	struct work work = {
		.list = list,
		.suppressions = suppressions,
		.results = results,
		.places = options->format == FORMAT_SARIF,
		.quiet = options->quiet,
		.progress = list->count > 16 && !options->quiet && isatty(STDERR_FILENO),
	};
	const unsigned wanted = thread_count(options, list->count);
	pthread_t *threads = calloc(wanted, sizeof(*threads));
	unsigned started = 0;

	if (!threads) {
		complain("out of memory");
		return false;
	}
	/* this thread works as well: where no other can be started, it does everything */
	while (started + 1 < wanted && !pthread_create(&threads[started], NULL, work_on, &work))
		started++;
	work_on(&work);
	for (unsigned i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return true;
}

void free_results(struct checked *results, size_t count)
{
	for (size_t i = 0; results && i < count; i++) {
		busway_check_destroy(results[i].check);
		unload(&results[i].loaded);
		free(results[i].suppressed);
		free(results[i].places);
	}
	free(results);
}
