/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_text.c - findings for people, one block each, the gravest of a node first.
 */
#include "check.h"

static const enum style styles[] = {STYLE_DIM, STYLE_BOLD, STYLE_BAD};

static void put_finding(struct page *page, const char *source, const struct busway_finding *f)
{
	put_safe(page, source);
	fputs(": ", page->out);
	put_safe(page, f->node);
	if (f->property[0])
		fprintf(page->out, ": %s", f->property);
	fputs(": ", page->out);
	put_styled(page, styles[f->severity], "%s", busway_severity_name(f->severity));
	fprintf(page->out, ": [%s] ", busway_finding_code(f->code));
	put_safe(page, f->message);
	fputs("\n", page->out);
	if (f->advice[0]) {
		fputs("    advice: ", page->out);
		put_safe(page, f->advice);
		fputs("\n", page->out);
	}
}

static const char *plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static void put_summary(struct page *page, const struct tally *t, bool verbose)
{
	const size_t *n = t->by_severity;

	fprintf(page->out, "%zu file%s: %zu error%s, %zu warning%s, %zu note%s%s", t->files,
		plural(t->files), n[2], plural(n[2]), n[1], plural(n[1]), n[0], plural(n[0]),
		n[0] && !verbose ? " (-v shows them)" : "");
	if (t->suppressed)
		fprintf(page->out, ", %zu suppressed", t->suppressed);
	if (t->unreadable)
		fprintf(page->out, ", %zu file%s could not be read", t->unreadable,
			plural(t->unreadable));
	fputs("\n", page->out);
}

int check_text(const struct checked *results, size_t count, const struct options *options,
	       int status)
{
	const struct tally tally = count_findings(results, count);
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	for (size_t i = 0; i < count; i++)
		for (size_t f = 0; f < results[i].count; f++)
			if (!results[i].suppressed[f] &&
			    (results[i].findings[f].severity != BUSWAY_SEVERITY_NOTE ||
			     options->verbose || options->fail_on == FAIL_ON_NOTE))
				put_finding(&page, results[i].source, &results[i].findings[f]);
	if (!options->quiet)
		put_summary(&page, &tally, options->verbose || options->fail_on == FAIL_ON_NOTE);
	return page_print(&page, status);
}
