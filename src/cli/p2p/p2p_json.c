/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_json.c - the answer for machines.
 */
#include "p2p.h"

#include <stdlib.h>

static json_t *reason_json(const struct busway_refusal *refusal)
{
	return refusal->reason == BUSWAY_NOT_REFUSED ? json_null() : json_refusal(refusal);
}

static json_t *name_json(const struct question *q, busway_pci_id id)
{
	return busway_pci_some(id) ? json_text(busway_pci_name(q->pci, id)) : json_null();
}

static json_t *other_json(const struct question *q, const struct views *v)
{
	return v->differ ? json_pack("{s:s, s:s, s:b}", "policy",
				     view_name(other_view(q->policy.view)), "verdict",
				     verdict_name(v->other.verdict), "certain", v->other.certain)
			 : json_null();
}

/* The names of ACS bits. */
static json_t *acs_json(uint16_t bits)
{
	json_t *list = json_array();
	char text[32];

	for (unsigned bit = 1; bit <= BUSWAY_ACS_DT; bit <<= 1)
		if (bits & bit)
			json_array_append_new(list, json_string(busway_acs_text((uint16_t)bit, text,
										sizeof(text))));
	return list;
}

static json_t *needs_json(unsigned needs)
{
	json_t *list = json_array();

	if (needs & BUSWAY_P2P_NEEDS_BUS_MASTER)
		json_array_append_new(list, json_string("bus-master"));
	if (needs & BUSWAY_P2P_NEEDS_DECODE)
		json_array_append_new(list, json_string("memory-decode"));
	return list;
}

static json_t *pair_json(const struct question *q, busway_pci_id a, busway_pci_id b,
			 const struct views *v)
{
	const struct busway_p2p *p = &v->p;
	const char *form = address_form(p->verdict);

	return json_pack("{s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "a",
			 busway_pci_name(q->pci, a), "b", busway_pci_name(q->pci, b), "verdict",
			 verdict_name(p->verdict), "certain", p->certain, "distance",
			 (int)p->distance, "address", form ? json_string(form) : json_null(),
			 "common", name_json(q, p->common), "decider", name_json(q, p->decider),
			 "acs", acs_json(p->acs), "needs", needs_json(p->needs), "reason",
			 reason_json(&p->refusal), "other", other_json(q, v));
}

/* ---- one pair: its memory and its way ---- */

static json_t *bars_json(const struct question *q)
{
	const struct busway_pci_function *f = busway_pci_function(q->pci, q->b[0]);
	json_t *list = json_array();

	for (uint32_t i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &f->bars[i];
		struct busway_p2p p;

		if (!is_memory_bar(bar))
			continue;
		busway_p2p_decide(q->pci, q->a[0], q->b[0], i, &q->policy, &p);
		json_array_append_new(
			list,
			json_pack("{s:i, s:o, s:o, s:o, s:b, s:s}", "bar", (int)i, "bus",
				  json_hex(bar->bus.first), "cpu",
				  bar->has_cpu ? json_hex(bar->cpu.raw) : json_null(), "size",
				  bar->sized ? json_size(bar->bus) : json_null(), "prefetchable",
				  bar->prefetchable, "verdict", verdict_name(p.verdict)));
	}
	return list;
}

static json_t *step_json(const struct question *q, const struct step *step)
{
	const struct busway_pci_function *f;

	if (step->leg == LEG_HOST)
		return json_pack("{s:o, s:s}", "hop",
				 json_text(busway_pci_host(q->pci, step->host)->name), "leg",
				 leg_name(step->leg));
	f = busway_pci_function(q->pci, step->id);
	return json_pack("{s:s, s:s, s:s, s:o, s:o}", "hop", busway_pci_name(q->pci, step->id),
			 "leg", leg_name(step->leg), "type", function_type_name(f->type), "acs",
			 f->acs.known == BUSWAY_PRESENT  ? acs_json(f->acs.control)
			 : f->acs.known == BUSWAY_ABSENT ? acs_json(0)
							 : json_null(),
			 "needs", needs_json(step_needs(q->pci, step)));
}

static json_t *way_json(const struct question *q, const struct busway_p2p *p)
{
	json_t *list = json_array();
	struct path path;

	path_make(q->pci, q->a[0], q->b[0], p, &path);
	for (size_t i = 0; i < path.count; i++)
		json_array_append_new(list, step_json(q, &path.steps[i]));
	return list;
}

/* ---- the whole ---- */

static json_t *gaps_json(const struct question *q)
{
	json_t *list = json_array();
	size_t count;
	struct busway_machine_gap *gaps = sorted_gaps(q, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o}", "file", json_text(gaps[i].file),
						      "message", json_text(gaps[i].message)));
	free(gaps);
	return list;
}

static json_t *oddities_json(const struct question *q)
{
	json_t *list = json_array();
	size_t count;
	const struct busway_pci_oddity *odd = busway_pci_oddities(q->pci, &count);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s}", "code", busway_pci_oddity_code(odd[i].code),
					"function", busway_pci_name(q->pci, odd[i].function)));
	return list;
}

int p2p_json(const struct question *q, bool one)
{
	json_t *pairs = json_array(), *root;
	int status = EXIT_YES;
	struct views v = {0};

	for (size_t i = 0; i < q->a_count; i++) {
		for (size_t k = 0; k < q->b_count; k++) {
			decide_both(q, q->a[i], q->b[k], &v);
			json_array_append_new(pairs, pair_json(q, q->a[i], q->b[k], &v));
		}
	}
	root = json_pack("{s:s, s:s, s:o}", "schema", "busway-p2p/1", "policy",
			 view_name(q->policy.view), "pairs", pairs);
	if (one) {
		status = v.p.verdict == BUSWAY_P2P_REFUSED ? EXIT_NO : EXIT_YES;
		json_object_set_new(root, "bars", bars_json(q));
		json_object_set_new(root, "way", way_json(q, &v.p));
	}
	json_object_set_new(root, "gaps", gaps_json(q));
	json_object_set_new(root, "oddities", oddities_json(q));
	return json_print(root, status);
}
