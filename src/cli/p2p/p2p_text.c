/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_text.c - the matrix of all pairs, and one pair, for people.
 */
#include "p2p.h"

static char letter_of(const struct busway_p2p *p)
{
	return ".SHI"[p->verdict];
}

int p2p_matrix(const struct question *q, const struct options *options)
{
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	for (size_t i = 0; i < q->a_count; i++) {
		fprintf(page.out, "%-14s", busway_pci_name(q->pci, q->a[i]));
		for (size_t k = 0; k < q->b_count; k++) {
			struct busway_p2p p;

			busway_p2p_decide(q->pci, q->a[i], q->b[k], BUSWAY_P2P_ANY_BAR, &q->policy,
					  &p);
			fprintf(page.out, " %c", letter_of(&p));
		}
		fputc('\n', page.out);
	}
	return page_print(&page, EXIT_YES);
}

int p2p_pair(const struct question *q, const struct options *options)
{
	char detail[1024];
	struct busway_p2p p;
	struct page page;

	if (!page_open(&page, options))
		return EXIT_BAD;
	busway_p2p_decide(q->pci, q->a[0], q->b[0], BUSWAY_P2P_ANY_BAR, &q->policy, &p);
	fprintf(page.out, "%s -> %s: %s, distance %u\n", busway_pci_name(q->pci, q->a[0]),
		busway_pci_name(q->pci, q->b[0]), verdict_name(p.verdict), p.distance);
	if (p.refusal.reason) {
		busway_refusal_detail(&p.refusal, detail, sizeof(detail));
		fprintf(page.out, "  %s\n", detail);
		busway_refusal_advice(&p.refusal, detail, sizeof(detail));
		fprintf(page.out, "  %s\n", detail);
	}
	return page_print(&page, p.verdict == BUSWAY_P2P_REFUSED ? EXIT_NO : EXIT_YES);
}
