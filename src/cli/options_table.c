/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_table.c - which options there are.
 *
 * One table says everything of each: which commands take it, what it does and what the help tells
 * of it. A command that brings its own adds rows. A name may have several rows, for different
 * commands.
 */
#include "options.h"

#include "iova/iova.h"

#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- values ---- */

static bool parse_bits(const char *what, const char *text, unsigned *bits)
{
	uint64_t value;

	if (!parse_number(text, &value) || value < 1 || value > 64) {
		complain("%s: '%s' is not a number of bits from 1 to 64%s", what, text,
			 number_hint(text));
		return false;
	}
	*bits = (unsigned)value;
	return true;
}

bool parse_color(const char *text, bool *color)
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

static bool parse_size(const char *what, const char *text, bool power, uint64_t *value)
{
	if (!parse_number(text, value) || *value == 0 ||
	    (power && !busway_is_power_of_two(*value))) {
		complain("%s: '%s' is not a %s%s", what, text,
			 power ? "power of two" : "size of 1 or more", number_hint(text));
		return false;
	}
	return true;
}

/* A count is not wrong for being larger than anything there is: it ends at @max. */
static bool parse_count(const char *what, const char *text, uint64_t max, uint64_t *count)
{
	if (!parse_number(text, count) || *count == 0) {
		complain("%s: '%s' is not a number of 1 or more%s", what, text, number_hint(text));
		return false;
	}
	if (*count > max)
		*count = max;
	return true;
}

/* ---- what each option does; @text is its value ---- */

static bool take_mask(const char *text, struct options *o)
{
	return parse_bits("--mask", text, &o->mask);
}

static bool take_coherent_mask(const char *text, struct options *o)
{
	o->has_coherent_mask = true;
	return parse_bits("--coherent-mask", text, &o->coherent_mask);
}

static bool take_all(const char *text, struct options *o)
{
	(void)text;
	return o->all = true;
}

static bool take_color(const char *text, struct options *o)
{
	return parse_color(text, &o->color);
}

static bool take_quiet(const char *text, struct options *o)
{
	(void)text;
	return o->quiet = true;
}

static bool take_verbose(const char *text, struct options *o)
{
	(void)text;
	o->verbose++;
	return true;
}

static bool take_own(const char *text, struct options *o)
{
	(void)text;
	return o->own = true;
}

static bool take_iova(const char *text, struct options *o)
{
	(void)text;
	return o->iova = true;
}

static bool take_groups(const char *text, struct options *o)
{
	(void)text;
	return o->groups = true;
}

static bool take_reported(const char *text, struct options *o)
{
	const int room = (int)(sizeof(o->reports) / sizeof(o->reports[0]));

	if (!is_report(text))
		return false;
	if (o->report_count == room) {
		complain("--reported: more than %d reports", room);
		return false;
	}
	o->reports[o->report_count++] = text;
	return o->iova = true;
}

static bool take_bypass_iommu(const char *text, struct options *o)
{
	(void)text;
	return o->bypass_iommu = true;
}

static bool take_unknown_root(const char *text, struct options *o)
{
	o->trust_unknown = strcmp(text, "forward") == 0;
	if (o->trust_unknown || strcmp(text, "refuse") == 0)
		return true;
	complain("--unknown-root: '%s' is none of refuse, forward", text);
	return false;
}

static bool take_policy(const char *text, struct options *o)
{
	o->linux_view = strcmp(text, "linux") == 0;
	if (o->linux_view || strcmp(text, "route") == 0)
		return true;
	complain("--policy: '%s' is none of route, linux", text);
	return false;
}

static bool take_hosts(const char *text, struct options *o)
{
	(void)text;
	return o->hosts = true;
}

static bool take_cpu(const char *text, struct options *o)
{
	o->cpu = strcmp(text, "zen") == 0 ? CPU_ZEN : CPU_OTHER;
	if (o->cpu == CPU_ZEN || strcmp(text, "other") == 0)
		return true;
	complain("--cpu: '%s' is none of zen, other", text);
	return false;
}

static bool take_access(const char *text, struct options *o)
{
	if (strcmp(text, "read") == 0) {
		o->access = BUSWAY_READ;
	} else if (strcmp(text, "write") == 0) {
		o->access = BUSWAY_WRITE;
	} else if (strcmp(text, "read-write") == 0) {
		o->access = BUSWAY_READ_WRITE;
	} else {
		complain("--access: '%s' is none of read, write, read-write", text);
		return false;
	}
	return true;
}

static bool take_align(const char *text, struct options *o)
{
	return parse_size("--align", text, true, &o->align);
}

static bool take_max_segment(const char *text, struct options *o)
{
	return parse_size("--max-segment", text, false, &o->max_segment);
}

static bool take_boundary(const char *text, struct options *o)
{
	return parse_size("--boundary", text, true, &o->boundary);
}

static bool take_max_segments(const char *text, struct options *o)
{
	uint64_t count;

	if (!parse_count("--max-segments", text, UINT32_MAX, &count))
		return false;
	o->max_segments = (uint32_t)count;
	return true;
}

static bool take_fail_on(const char *text, struct options *o)
{
	static const char *const names[] = {"note", "warning", "error", "never"};

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			o->fail_on = (enum fail_on)i;
			return true;
		}
	}
	complain("--fail-on: '%s' is none of note, warning, error, never", text);
	return false;
}

static bool take_suppress(const char *text, struct options *o)
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

static bool take_suppressions(const char *text, struct options *o)
{
	o->suppressions = text;
	return true;
}

static bool take_explain(const char *text, struct options *o)
{
	o->explain = text;
	return true;
}

static bool take_jobs(const char *text, struct options *o)
{
	uint64_t count;

	if (!parse_count("--jobs", text, 1024, &count))
		return false;
	o->jobs = (unsigned)count;
	return true;
}

static bool take_count(const char *text, struct options *o)
{
	uint64_t count;

	if (!parse_count("--count", text, ULONG_MAX, &count))
		return false;
	o->count = (unsigned long)count;
	return true;
}

static bool take_seed(const char *text, struct options *o)
{
	if (parse_number(text, &o->seed))
		return true;
	complain("--seed: '%s' is not a number%s", text, number_hint(text));
	return false;
}

/* 0 is no pool. */
static bool take_pool(const char *text, struct options *o)
{
	enum { LEAST = 4096 };

	if (!parse_number(text, &o->pool)) {
		complain("--pool: '%s' is not a size%s", text, number_hint(text));
		return false;
	}
	if (o->pool && o->pool < LEAST) {
		complain("--pool: '%s' is too small for a pool: at least 4K, or 0 for none", text);
		return false;
	}
	return true;
}

static bool take_min_align(const char *text, struct options *o)
{
	return parse_size("--min-align", text, true, &o->min_align);
}

static bool take_memory(const char *text, struct options *o)
{
	const int room = (int)(sizeof(o->memory) / sizeof(o->memory[0]));
	struct busway_range range;

	if (!parse_range(text, false, &range)) {
		complain("--memory: '%s' is no range; say ADDR+LEN or FIRST-LAST%s", text,
			 number_hint(text));
		return false;
	}
	if (o->memory_count == room) {
		complain("--memory: more than %d ranges", room);
		return false;
	}
	o->memory[o->memory_count++] = busway_phys_range(range);
	return true;
}

static bool take_script(const char *text, struct options *o)
{
	o->script = text;
	return true;
}

static bool take_coherent(const char *text, struct options *o)
{
	(void)text;
	return o->coherent_default = true;
}

/* What the field calls the modes of the DMA API: iommu.strict, iommu.passthrough of Linux. */
static bool take_iommu(const char *text, struct options *o)
{
	o->bypass_iommu = strcmp(text, "bypass") == 0;
	o->deferred = strcmp(text, "deferred") == 0;
	if (o->bypass_iommu || o->deferred || strcmp(text, "strict") == 0)
		return true;
	complain("--iommu: '%s' is none of strict, deferred, bypass", text);
	return false;
}

/* ---- the table ---- */

/* Commands are named by words in one string; NULL: all. */
#define DEVICE_COMMANDS "show why map alloc sim"

const struct known_option known_options[] = {
	{"access", required_argument, "read|write|read-write", 0, OWN, "why", take_access,
	 "what the device does there (default write)"},
	{"align", required_argument, "SIZE", 0, OWN, "alloc", take_align,
	 "of the CPU-physical address, a power of two\n(default 4K)"},
	{"max-segment", required_argument, "SIZE", 0, OWN, "map alloc sim", take_max_segment,
	 "the largest segment that the driver's lists have"},
	{"boundary", required_argument, "SIZE", 0, OWN, "map alloc sim", take_boundary,
	 "a power of two that no segment crosses"},
	{"max-segments", required_argument, "N", 0, OWN, "map alloc sim", take_max_segments,
	 "how many segments a list has at most"},
	{"own", no_argument, NULL, 0, OWN, DEVICE_COMMANDS, take_own,
	 "a host bridge itself (doorbell, embedded DMA), not\nits functions"},
	{"iova", no_argument, NULL, 0, OWN, "show", take_iova,
	 "which IOVAs DEVICE, or all of a list\nDEVICE,DEVICE..., can use, and who takes the\n"
	 "others away; without DEVICE: all groups of devices\nbehind IOMMUs"},
	{"reported", required_argument, "[NAME=]RANGE,...", 0, OWN, "show", take_reported,
	 "the IOVAs that VFIO or iommufd allows besides;\nseveral reports all count (with --iova)"},
	{"groups", no_argument, NULL, 0, OWN, "p2p", take_groups,
	 "which functions an IOMMU can keep apart, as the\nhardware does and as Linux groups them"},
	{"bypass-iommu", no_argument, NULL, 0, OWN, "why map alloc sim", take_bypass_iommu,
	 "IOMMUs are known to pass everything untranslated"},
	{"iommu", required_argument, "strict|deferred|bypass", 0, OWN, "sim", take_iommu,
	 "forget at once what was unmapped (default), put that\noff, or pass everything "
	 "untranslated"},
	{"fail-on", required_argument, "LEVEL", 0, OWN, "check", take_fail_on,
	 "note, warning, error (default) or never: exit with 1\n"
	 "if something at or above that level was found"},
	{"suppress", required_argument, "CODE[:NODE]", 0, OWN, "check", take_suppress,
	 "leave out a code, or a code at nodes that fit a\npattern"},
	{"suppressions", required_argument, "FILE", 0, OWN, "check", take_suppressions,
	 "the same, one a line, # for comments"},
	{"explain", required_argument, "CODE", 0, OWN, "check", take_explain,
	 "what a code means and what to do; 'all' lists the\ncodes"},
	{"unknown-root", required_argument, "refuse|forward", 0, OWN, "p2p", take_unknown_root,
	 "take a root complex that is not known for one that\nrefuses what goes between devices "
	 "(default), or for\none that forwards it: on your word"},
	{"policy", required_argument, "route|linux", 0, OWN, "p2p", take_policy,
	 "decide as the route carries it (default), or as Linux\ndoes"},
	{"cpu", required_argument, "zen|other", 0, OWN, "p2p", take_cpu,
	 "the processor, which a recording may not name: AMD\nfrom family 17h on, or another"},
	{"hosts", no_argument, NULL, 0, OWN, "p2p", take_hosts,
	 "list the root complexes that are known to forward"},
	{"all", no_argument, NULL, 0, OWN, "p2p", take_all,
	 "in the matrix also functions without memory of their\nown"},
	{"jobs", required_argument, "N", 0, OWN, "check", take_jobs,
	 "files at once (default: as many as processors)"},
	{"count", required_argument, "N", 0, OWN, "bench", take_count,
	 "run N operations of each chosen workload once,\n"
	 "untimed (to count instructions from outside)"},

	{"count", required_argument, "N", 0, OWN, "sim", take_count, "steps (default 20000)"},
	{"seed", required_argument, "N", 0, OWN, "sim", take_seed,
	 "where everything random comes from: the same seed,\nthe same run (default 0)"},
	{"script", required_argument, "FILE", 0, OWN, "sim", take_script,
	 "do the steps of a file instead"},
	{"pool", required_argument, "SIZE", 0, OWN, "sim", take_pool,
	 "of the bounce pools that are added where devices\nreach them (default 4M; 0: none)"},
	{"memory", required_argument, "RANGE", 0, OWN, "sim", take_memory,
	 "where memory is, for a tree that does not say;\nseveral make several banks"},
	{"min-align", required_argument, "SIZE", 0, OWN, "sim", take_min_align,
	 "a power of two: the low address bits that bounced\nbuffers keep (NVMe: 4K)"},
	{"default-coherent", no_argument, NULL, 0, OWN, "sim", take_coherent,
	 "devices see the caches where the tree leaves it to\nthe architecture"},

	{"format", required_argument, NULL, 0, COMMON, NULL, NULL, "how to answer (default text)"},
	{"mask", required_argument, "BITS", 0, COMMON, DEVICE_COMMANDS, take_mask,
	 "the DMA mask a driver would set (1..64, default 64)"},
	{"coherent-mask", required_argument, "BITS", 0, COMMON, DEVICE_COMMANDS, take_coherent_mask,
	 "the mask for coherent memory (default: as --mask)"},
	{"all", no_argument, NULL, 0, COMMON, DEVICE_COMMANDS, take_all,
	 "every node, not only likely DMA masters"},
	{"color", required_argument, "auto|always|never", 0, COMMON, NULL, take_color,
	 "colours in text"},
	{"quiet", no_argument, NULL, 'q', COMMON, NULL, take_quiet, "only the answer"},
	{"verbose", no_argument, NULL, 'v', COMMON, NULL, take_verbose,
	 "more: which rule gave the answer, what was not read"},
	{"help", no_argument, NULL, 0, COMMON, NULL, NULL, "this text"},
	{"version", no_argument, NULL, 0, COMMON, NULL, NULL, "the version"},
};

const int known_option_count = sizeof(known_options) / sizeof(known_options[0]);

_Static_assert(sizeof(known_options) / sizeof(known_options[0]) <= KNOWN_MOST, "room in a grammar");

static const struct known_format {
	const char *name;
	enum format format;
	const char *commands;
} known_formats[] = {
	{"text", FORMAT_TEXT, NULL},      {"json", FORMAT_JSON, NULL},
	{"sarif", FORMAT_SARIF, "check"}, {"svg", FORMAT_SVG, "show p2p"},
	{"dot", FORMAT_DOT, "p2p"},
};

enum { FORMAT_COUNT = sizeof(known_formats) / sizeof(known_formats[0]) };

bool is_one_of(const char *name, const char *commands)
{
	const size_t length = strlen(name);

	for (const char *at = commands; at && (at = strstr(at, name)); at += length)
		if ((at == commands || at[-1] == ' ') && (at[length] == ' ' || !at[length]))
			return true;
	return !commands;
}

const char *format_names(const struct command *command, char *text, size_t room)
{
	size_t used = 0;

	for (int i = 0; i < FORMAT_COUNT; i++)
		if (is_one_of(command->name, known_formats[i].commands))
			used += (size_t)snprintf(text + used, room - used, "%s%s", used ? "|" : "",
						 known_formats[i].name);
	return text;
}

bool take_format(const struct command *command, const char *text, enum format *format)
{
	char names[80];

	for (int i = 0; i < FORMAT_COUNT; i++) {
		if (strcmp(text, known_formats[i].name) == 0 &&
		    is_one_of(command->name, known_formats[i].commands)) {
			*format = known_formats[i].format;
			return true;
		}
	}
	complain("%s --format: '%s' is none of %s", command->name, text,
		 format_names(command, names, sizeof(names)));
	return false;
}
