/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - command lines. Options and arguments may stand in any order.
 */
#include "cli.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	OPT_FORMAT = 256,
	OPT_MASK,
	OPT_COHERENT_MASK,
	OPT_ALL,
	OPT_COLOR,
	OPT_HELP,
	OPT_VERSION,
	OPT_BYPASS_IOMMU,
	OPT_OWN,
	OPT_ACCESS,
	OPT_ALIGN,
	OPT_MAX_SEGMENT,
	OPT_BOUNDARY,
	OPT_MAX_SEGMENTS,
	OPT_COUNT,
	OPT_FAIL_ON,
	OPT_EXPLAIN,
	OPT_SUPPRESS,
	OPT_SUPPRESSIONS,
	OPT_JOBS,
};

static const struct option long_options[] = {
	{"format", required_argument, NULL, OPT_FORMAT},
	{"mask", required_argument, NULL, OPT_MASK},
	{"coherent-mask", required_argument, NULL, OPT_COHERENT_MASK},
	{"all", no_argument, NULL, OPT_ALL},
	{"color", required_argument, NULL, OPT_COLOR},
	{"quiet", no_argument, NULL, 'q'},
	{"verbose", no_argument, NULL, 'v'},
	{"help", no_argument, NULL, OPT_HELP},
	{"version", no_argument, NULL, OPT_VERSION},
	{"bypass-iommu", no_argument, NULL, OPT_BYPASS_IOMMU},
	{"own", no_argument, NULL, OPT_OWN},
	{"access", required_argument, NULL, OPT_ACCESS},
	{"align", required_argument, NULL, OPT_ALIGN},
	{"max-segment", required_argument, NULL, OPT_MAX_SEGMENT},
	{"boundary", required_argument, NULL, OPT_BOUNDARY},
	{"max-segments", required_argument, NULL, OPT_MAX_SEGMENTS},
	{"count", required_argument, NULL, OPT_COUNT},
	{"fail-on", required_argument, NULL, OPT_FAIL_ON},
	{"explain", required_argument, NULL, OPT_EXPLAIN},
	{"suppress", required_argument, NULL, OPT_SUPPRESS},
	{"suppressions", required_argument, NULL, OPT_SUPPRESSIONS},
	{"jobs", required_argument, NULL, OPT_JOBS},
	{NULL, 0, NULL, 0},
};

static const char common_help[] =
	"\nCommon options:\n"
	"  --format text|json       how to answer (default text); show draws pictures, too: svg\n"
	"  --mask BITS              the DMA mask a driver would set (1..64, default 64)\n"
	"  --coherent-mask BITS     the mask for coherent memory (default: as --mask)\n"
	"  --all                    every node, not only likely DMA masters\n"
	"  --own                    a host bridge itself (doorbell, embedded DMA), not its "
	"functions\n"
	"  --bypass-iommu           IOMMUs are known to pass everything untranslated\n"
	"  --color auto|always|never\n"
	"  -q, --quiet              only the answer\n"
	"  -v, --verbose            which rule gave the answer\n"
	"  --help, --version\n"
	"\nNumbers are C-style, with _ between digits and K, M, G, T behind: 0x8000_0000, 2G.\n"
	"A range is ADDR+LEN or FIRST-LAST (inclusive).\n"
	"Exit status: 0 yes, 1 no (refused, unreachable), 2 bad usage or unreadable input.\n";

static bool parse_bits(const char *what, const char *text, unsigned *bits)
{
	uint64_t value;

	if (!parse_number(text, &value) || value < 1 || value > 64) {
		complain("%s: '%s' is not a number of bits from 1 to 64", what, text);
		return false;
	}
	*bits = (unsigned)value;
	return true;
}

static bool parse_format(const struct command *command, const char *text, enum format *format)
{
	if (strcmp(text, "text") == 0) {
		*format = FORMAT_TEXT;
	} else if (strcmp(text, "json") == 0) {
		*format = FORMAT_JSON;
	} else if (strcmp(text, "sarif") == 0 && command == &command_check) {
		*format = FORMAT_SARIF;
	} else if (strcmp(text, "svg") == 0 && command == &command_show) {
		*format = FORMAT_SVG;
	} else {
		complain("--format: %s does not answer in '%s'", command->name, text);
		return false;
	}
	return true;
}

static bool parse_color(const char *text, bool *color)
{
	if (strcmp(text, "auto") == 0) {
		*color = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	} else if (strcmp(text, "always") == 0 || strcmp(text, "never") == 0) {
		*color = text[0] == 'a';
	} else {
		complain("--color: '%s' is none of auto, always, never", text);
		return false;
	}
	return true;
}

static bool parse_fail_on(const char *text, enum fail_on *fail_on)
{
	static const char *const names[] = {"note", "warning", "error", "never"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			*fail_on = (enum fail_on)i;
			return true;
		}
	}
	complain("--fail-on: '%s' is none of note, warning, error, never", text);
	return false;
}

static bool add_suppression(const char *text, struct options *o)
{
	const int room = (int)(sizeof(o->suppress) / sizeof(o->suppress[0]));

	if (!is_suppression(text)) {
		complain("--suppress: '%s' is neither a code of a finding nor CODE:NODE", text);
		return false;
	}
	if (o->suppress_count == room) {
		complain("--suppress: more than %d; put them into a file for --suppressions", room);
		return false;
	}
	o->suppress[o->suppress_count++] = text;
	return true;
}

static bool parse_access(const char *text, enum busway_access *access)
{
	if (strcmp(text, "read") == 0) {
		*access = BUSWAY_READ;
	} else if (strcmp(text, "write") == 0) {
		*access = BUSWAY_WRITE;
	} else if (strcmp(text, "read-write") == 0) {
		*access = BUSWAY_READ_WRITE;
	} else {
		complain("--access: '%s' is none of read, write, read-write", text);
		return false;
	}
	return true;
}

static bool parse_size(const char *what, const char *text, bool power, uint64_t *value)
{
	if (!parse_number(text, value) || *value == 0 ||
	    (power && !busway_is_power_of_two(*value))) {
		complain("%s: '%s' is not a %s", what, text,
			 power ? "power of two" : "size of 1 or more");
		return false;
	}
	return true;
}

static bool take_option(const struct command *command, int option, struct options *o)
{
	uint64_t count;

	switch (option) {
	case OPT_FORMAT:
		return parse_format(command, optarg, &o->format);
	case OPT_MASK:
		return parse_bits("--mask", optarg, &o->mask);
	case OPT_COHERENT_MASK:
		o->has_coherent_mask = true;
		return parse_bits("--coherent-mask", optarg, &o->coherent_mask);
	case OPT_ALL:
		o->all = true;
		return true;
	case OPT_COLOR:
		return parse_color(optarg, &o->color);
	case 'q':
		o->quiet = true;
		return true;
	case 'v':
		o->verbose++;
		return true;
	case OPT_BYPASS_IOMMU:
		o->bypass_iommu = true;
		return true;
	case OPT_OWN:
		o->own = true;
		return true;
	case OPT_ACCESS:
		return parse_access(optarg, &o->access);
	case OPT_ALIGN:
		return parse_size("--align", optarg, true, &o->align);
	case OPT_MAX_SEGMENT:
		return parse_size("--max-segment", optarg, false, &o->max_segment);
	case OPT_BOUNDARY:
		return parse_size("--boundary", optarg, true, &o->boundary);
	case OPT_MAX_SEGMENTS:
		if (!parse_size("--max-segments", optarg, false, &count))
			return false;
		o->max_segments = count > UINT32_MAX ? 0 : (uint32_t)count;
		return true;
	case OPT_COUNT:
		if (!parse_size("--count", optarg, false, &count))
			return false;
		o->count = count > ULONG_MAX ? ULONG_MAX : (unsigned long)count;
		return true;
	case OPT_FAIL_ON:
		return parse_fail_on(optarg, &o->fail_on);
	case OPT_EXPLAIN:
		o->explain = optarg;
		return true;
	case OPT_SUPPRESS:
		return add_suppression(optarg, o);
	case OPT_SUPPRESSIONS:
		o->suppressions = optarg;
		return true;
	case OPT_JOBS:
		if (!parse_size("--jobs", optarg, false, &count))
			return false;
		o->jobs = count > 1024 ? 1024 : (unsigned)count;
		return true;
	default:
		return false;
	}
}

static int print_help(const struct command *command)
{
	printf("Usage: busway %s [OPTIONS] %s\n\n%s\n%s%s", command->name, command->arguments,
	       command->summary, command->help, common_help);
	return fflush(stdout) ? EXIT_BAD : EXIT_YES;
}

/* getopt's own words name the program by argv[0]; ours name the option. */
static void complain_of_option(const struct command *command, int option, char **argv)
{
	const char *word = argv[optind - 1];

	if (option == ':')
		complain("%s: '%s' wants a value; see busway %s --help", command->name, word,
			 command->name);
	else
		complain("%s: there is no option '%s'; see busway %s --help", command->name, word,
			 command->name);
}

bool parse_options(const struct command *command, int argc, char **argv, struct options *options,
		   int *status)
{
	int option;

	*options = (struct options){
		.mask = 64, .access = BUSWAY_WRITE, .align = 4096, .fail_on = FAIL_ON_ERROR};
	parse_color("auto", &options->color);
	*status = EXIT_BAD;
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qv", long_options, NULL)) != -1) {
		if (option == OPT_HELP) {
			*status = print_help(command);
			return false;
		}
		if (option == OPT_VERSION) {
			printf("busway %s\n", busway_version());
			*status = fflush(stdout) ? EXIT_BAD : EXIT_YES;
			return false;
		}
		if (option == '?' || option == ':') {
			complain_of_option(command, option, argv);
			return false;
		}
		if (!take_option(command, option, options))
			return false;
	}
	if (!options->has_coherent_mask)
		options->coherent_mask = options->mask;
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	if (options->argument_count < command->min_arguments ||
	    (command->max_arguments >= 0 && options->argument_count > command->max_arguments)) {
		complain("usage: busway %s [OPTIONS] %s", command->name, command->arguments);
		return false;
	}
	return true;
}
