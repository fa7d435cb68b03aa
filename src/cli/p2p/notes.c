/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notes.c - what could not be read of a machine, what is odd about it, and known root complexes.
 */
#include "p2p.h"

#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct busway_system_gap *x = a, *y = b;
	const int order = strcmp(x->file, y->file);

	return order ? order : strcmp(x->message, y->message);
}

struct busway_system_gap *sorted_gaps(const struct question *q, size_t *count)
{
	const struct busway_system_gap *gaps = busway_system_gaps(q->machine, count);
	struct busway_system_gap *sorted = malloc((*count + 1) * sizeof(*sorted));

	if (!sorted) {
		complain("%s: out of memory", q->loaded->source);
		*count = 0;
	} else if (*count) {
		memcpy(sorted, gaps, *count * sizeof(*sorted));
		qsort(sorted, *count, sizeof(*sorted), compare);
	}
	return sorted;
}

/* Gaps with one message are one line, with the first file; with @all each is one. */
static void put_gap(struct page *page, const struct busway_system_gap *gaps, size_t count, size_t i,
		    bool all)
{
	size_t others = 0;

	for (size_t k = 0; k < count && !all; k++) {
		if (strcmp(gaps[k].message, gaps[i].message) != 0)
			continue;
		if (k < i)
			return; /* said before */
		others += k > i;
	}
	fputs("not read: ", page->out);
	put_safe(page, gaps[i].file);
	if (others)
		fprintf(page->out, " and %zu more", others);
	fputs(": ", page->out);
	put_safe(page, gaps[i].message);
	fputc('\n', page->out);
}

static void put_oddities(struct page *page, const struct busway_pci *pci)
{
	size_t count;
	const struct busway_pci_oddity *odd = busway_pci_oddities(pci, &count);

	for (size_t i = 0; i < count; i++) {
		fprintf(page->out, "odd: %s", busway_pci_name(pci, odd[i].function));
		if (busway_pci_some(odd[i].other))
			fprintf(page->out, " and %s", busway_pci_name(pci, odd[i].other));
		fprintf(page->out, ": %s\n", busway_pci_oddity_text(odd[i].code));
	}
}

void put_gaps(struct page *page, const struct question *q, const struct options *options)
{
	size_t count;
	struct busway_system_gap *gaps;

	if (options->quiet)
		return;
	gaps = sorted_gaps(q, &count);
	for (size_t i = 0; i < count; i++)
		put_gap(page, gaps, count, i, options->verbose);
	free(gaps);
	put_oddities(page, q->pci);
}

int list_hosts(const struct options *options)
{
	size_t count;
	const struct busway_p2p_host *known = busway_p2p_hosts(&count);
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	if (!options->quiet)
		fputs("Root complexes that are known to forward requests between their ports:\n",
		      page.out);
	for (size_t i = 0; i < count; i++)
		fprintf(page.out, "  %04x:%04x  %s%s (%s)\n", known[i].vendor, known[i].device,
			known[i].family,
			known[i].same_host_only ? ", below one host bridge only" : "",
			known[i].source);
	fputs("  AMD processors of family 17h and later (Linux 6.12): --cpu zen where a recording "
	      "does not name them\n",
	      page.out);
	return page_print(&page, EXIT_YES);
}
