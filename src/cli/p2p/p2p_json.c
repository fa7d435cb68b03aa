/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_json.c - all pairs for machines.
 */
#include "p2p.h"

static json_t *reason_json(const struct busway_refusal *refusal)
{
	char detail[1024], advice[1024];

	if (refusal->reason == BUSWAY_NOT_REFUSED)
		return json_null();
	busway_refusal_detail(refusal, detail, sizeof(detail));
	busway_refusal_advice(refusal, advice, sizeof(advice));
	return json_pack("{s:s, s:o, s:o, s:o}", "code", busway_reason_code(refusal->reason), "hop",
			 refusal->hop ? json_text(refusal->hop) : json_null(), "detail",
			 json_text(detail), "advice", json_text(advice));
}

static json_t *name_json(const struct question *q, busway_pci_id id)
{
	return busway_pci_some(id) ? json_text(busway_pci_name(q->pci, id)) : json_null();
}

static json_t *pair_json(const struct question *q, busway_pci_id a, busway_pci_id b)
{
	const char *form;
	struct busway_p2p p;

	busway_p2p_decide(q->pci, a, b, BUSWAY_P2P_ANY_BAR, &q->policy, &p);
	form = address_form(p.verdict);
	return json_pack("{s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o}", "a",
			 busway_pci_name(q->pci, a), "b", busway_pci_name(q->pci, b), "verdict",
			 verdict_name(p.verdict), "certain", p.certain, "distance", (int)p.distance,
			 "address", form ? json_string(form) : json_null(), "common",
			 name_json(q, p.common), "decider", name_json(q, p.decider), "reason",
			 reason_json(&p.refusal));
}

int p2p_json(const struct question *q)
{
	json_t *pairs = json_array(), *root;

	for (size_t i = 0; i < q->a_count; i++)
		for (size_t k = 0; k < q->b_count; k++)
			json_array_append_new(pairs, pair_json(q, q->a[i], q->b[k]));
	root = json_pack("{s:s, s:s, s:o}", "schema", "busway-p2p/1", "policy",
			 q->policy.view == BUSWAY_P2P_LINUX ? "linux" : "route", "pairs", pairs);
	return json_print(root, EXIT_YES);
}
