/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drawing.c - what a drawing shows: the tree of buses, and what is said of each function in it.
 */
#include "p2p.h"

bool drawing_make(const struct question *q, const struct options *options, struct drawing *drawing)
{
	*drawing = (struct drawing){
		.question = q,
		.pair = options->argument_count > 2,
		.reach = options->argument_count == 2,
	};
	if (!pci_tree_make(q->pci, &drawing->tree))
		return false;
	if (drawing->pair) {
		decide_both(q, q->a[0], q->b[0], &drawing->views);
		path_make(q->pci, q->a[0], q->b[0], &drawing->views.p, &drawing->path);
	}
	return true;
}

/* Does the way of the pair begin or end below @id? */
static bool is_above_pair(const struct question *q, busway_pci_id id)
{
	const busway_pci_id ends[] = {q->a[0], q->b[0]};

	for (int i = 0; i < 2; i++)
		for (busway_pci_id up = busway_pci_above(q->pci, ends[i]); busway_pci_some(up);
		     up = busway_pci_above(q->pci, up))
			if (up.index == id.index)
				return true;
	return false;
}

bool drawing_folds(const struct drawing *d, busway_pci_id id)
{
	return d->pair && !pci_tree_is_leaf(&d->tree, id) && !is_above_pair(d->question, id);
}

busway_pci_id drawing_next(const struct drawing *d, busway_pci_id id)
{
	return pci_tree_next(&d->tree, id, drawing_folds(d, id));
}

bool drawing_has_host(const struct drawing *d, busway_pci_host_id host)
{
	const struct busway_pci *pci = d->question->pci;

	if (!busway_pci_some(pci_tree_first(&d->tree, host)))
		return false;
	return !d->pair || busway_pci_host_of(pci, d->question->a[0]).index == host.index ||
	       busway_pci_host_of(pci, d->question->b[0]).index == host.index;
}

bool drawing_target(const struct drawing *d, busway_pci_id id, struct busway_p2p *p)
{
	const struct question *q = d->question;

	if (!d->reach || busway_pci_is_bridge(busway_pci_function(q->pci, id)->type) ||
	    id.index == q->a[0].index)
		return false;
	busway_p2p_decide(q->pci, q->a[0], id, BUSWAY_P2P_ANY_BAR, &q->policy, p);
	return true;
}

/* ---- words ---- */

static void put_verdict(FILE *out, const struct busway_p2p *p, const char *separator)
{
	fprintf(out, "%s%s%s", separator, verdict_name(p->verdict),
		p->certain ? "" : " (not certain)");
	if (p->refusal.reason)
		fprintf(out, ": %s", busway_reason_code(p->refusal.reason));
}

void put_label(FILE *out, const struct drawing *d, busway_pci_id id, const char *separator)
{
	const struct question *q = d->question;
	const struct busway_pci_function *f = busway_pci_function(q->pci, id);
	char acs[48], bits[32];
	struct busway_p2p p;

	fputs(function_type_name(f->type), out);
	if (acs_state(f, acs, sizeof(acs))[0])
		fprintf(out, ", %s", acs);
	if (drawing_folds(d, id))
		fprintf(out, "%s%zu below, not shown", separator,
			pci_tree_count_below(&d->tree, id));
	if (d->pair && d->views.p.decider.index == id.index) {
		fprintf(out, "%sdecides", separator);
		if (d->views.p.acs)
			fprintf(out, ": %s", busway_acs_text(d->views.p.acs, bits, sizeof(bits)));
	}
	if (drawing_target(d, id, &p))
		put_verdict(out, &p, separator);
	if (d->reach && id.index == q->a[0].index)
		fprintf(out, "%sthe initiator", separator);
}

void put_title(FILE *out, const struct drawing *d)
{
	const struct question *q = d->question;

	if (d->pair) {
		fprintf(out, "%s to %s", busway_pci_name(q->pci, q->a[0]),
			busway_pci_name(q->pci, q->b[0]));
		put_verdict(out, &d->views.p, ": ");
	} else if (d->reach) {
		fprintf(out, "what %s reaches", busway_pci_name(q->pci, q->a[0]));
	} else {
		fputs("buses", out);
	}
	if (q->policy.view == BUSWAY_P2P_LINUX && (d->pair || d->reach))
		fputs(", as Linux decides", out);
}
