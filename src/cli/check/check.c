/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.c - find mistakes in platform descriptions.
 */
#include "check.h"

#include <stdlib.h>
#include <string.h>

static int explain(const char *code)
{
	for (size_t i = 0; i < BUSWAY_FINDING_COUNT; i++) {
		if (strcmp(check_pages[i].code, code) == 0) {
			fputs(check_pages[i].text, stdout);
			return finish_output(EXIT_YES);
		}
	}
	if (strcmp(code, "all") != 0)
		return complain("--explain: there is no code '%s'; --explain all lists them", code);
	for (size_t i = 0; i < BUSWAY_FINDING_COUNT; i++) {
		const enum busway_finding_code c = (enum busway_finding_code)i;

		printf("%-26s %-8s %s\n", busway_finding_code(c),
		       busway_severity_name(busway_finding_usual_severity(c)),
		       busway_finding_summary(c));
	}
	return finish_output(EXIT_YES);
}

struct tally count_findings(const struct checked *results, size_t count)
{
	struct tally tally = {.files = count};

	for (size_t i = 0; i < count; i++) {
		tally.unreadable += !results[i].readable;
		for (size_t f = 0; f < results[i].count; f++) {
			if (results[i].suppressed[f])
				tally.suppressed++;
			else
				tally.by_severity[results[i].findings[f].severity]++;
		}
	}
	return tally;
}

static int status_of(const struct tally *tally, enum fail_on fail_on)
{
	size_t failures = 0;

	if (tally->unreadable)
		return EXIT_BAD;
	for (int severity = (int)fail_on; severity < 3; severity++)
		failures += tally->by_severity[severity];
	return failures ? EXIT_NO : EXIT_YES;
}

static int print(const struct checked *results, size_t count, const struct options *options)
{
	const struct tally tally = count_findings(results, count);
	const int status = status_of(&tally, options->fail_on);

	if (tally.unreadable == count)
		return EXIT_BAD; /* nothing to tell */
	if (options->format == FORMAT_JSON)
		return check_json(results, count, status);
	if (options->format == FORMAT_SARIF)
		return check_sarif(results, count, status);
	return check_text(results, count, options, status);
}

static int check_all(const struct file_list *list, const struct options *options)
{
	struct suppressions suppressions;
	struct checked *results;
	int status = EXIT_BAD;

	if (!read_suppressions(options, &suppressions))
		return EXIT_BAD;
	results = calloc(list->count, sizeof(*results));
	if (!results)
		complain("out of memory");
	else if (check_files(list, &suppressions, options, results))
		status = print(results, list->count, options);
	free_results(results, list->count);
	free_suppressions(&suppressions);
	return status;
}

static int run(const struct options *options)
{
	struct file_list list = {0};
	int status = EXIT_BAD;

	if (options->explain)
		return options->argument_count ? complain("check --explain takes no PLATFORM: '%s'",
							  options->arguments[0])
					       : explain(options->explain);
	if (options->argument_count == 0)
		return complain(
			"check: PLATFORM is missing; usage: busway check [OPTIONS] PLATFORM...");
	if (list_files(options->arguments, options->argument_count, &list))
		status = check_all(&list, options);
	free_files(&list);
	return status;
}

const struct command command_check = {
	.name = "check",
	.arguments = "PLATFORM...",
	.summary = "find mistakes in platform descriptions",
	.help = "\n"
		"Looks for mistakes of meaning: outbound windows on RAM, memory that no inbound "
		"window\n"
		"reaches, doorbells and registers out of reach, pools that cannot work, maps that "
		"miss.\n"
		"An error is what loses data or cannot work by what the tree itself says; what may "
		"be\n"
		"a limit of the hardware is a warning; the rest are notes. A folder means all "
		"*.dtb\n"
		"files in it, and *.dts files that have none beside them.\n"
		"Of a machine (live, a recorded sys/ tree, the output of lspci -xxxx) it looks "
		"for\n"
		"groups that nothing enforces, BARs outside the windows of bridges, doorbells in\n"
		"apertures, ACS that contradicts itself, masks below memory.\n"
		"\n"
		"  busway check board.dtb\n"
		"  busway check live\n"
		"  busway check --format sarif arch/arm64/boot/dts > findings.sarif\n"
		"  busway check --suppress memory-unreachable:/soc/usb@* board.dtb\n"
		"  busway check --explain aperture-overlaps-ram\n",
	.statuses = "0 nothing at or above --fail-on, 1 something",
	.min_arguments = 0,
	.max_arguments = -1,
	.run = run,
};
