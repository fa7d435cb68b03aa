/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * p2p_json.c - the answer for machines.
 */
#include "p2p.h"

#include <stdlib.h>
#include <string.h>

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

/* ---- one pair: its memory and its way ---- */

static json_t *bars_json(const struct question *q)
{
	const struct busway_pci_function *f = busway_pci_function(q->pci, q->b[0]);
	json_t *list = json_array();

	for (uint32_t i = 0; i < BUSWAY_PCI_BARS; i++) {
		const struct busway_pci_bar *bar = &f->bars[i];
		struct busway_p2p p;

		if (!busway_bar_is_memory(bar))
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
	static const char *const states[] = {"unknown", "absent", "present"};
	const struct busway_pci_function *f;

	if (step->leg == LEG_HOST)
		return json_pack("{s:o, s:s}", "hop",
				 json_text(busway_pci_host(q->pci, step->host)->name), "leg",
				 leg_name(step->leg));
	f = busway_pci_function(q->pci, step->id);
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "hop", busway_pci_name(q->pci, step->id),
			 "leg", leg_name(step->leg), "type", function_type_name(f->type),
			 "acs_state", states[f->acs.known], "acs",
			 acs_json(f->acs.known == BUSWAY_PRESENT ? f->acs.control : 0), "needs",
			 needs_json(step_needs(q->pci, step)));
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

/* ---- the machine ---- */

static json_t *gaps_json(const struct question *q)
{
	json_t *list = json_array();
	size_t count;
	struct busway_system_gap *gaps = sorted_gaps(q, &count);

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

/* ---- pairs: a machine may have a million, too many to keep each as a tree of values ---- */

/* Names come from a directory: what is no plain character is shown as '?'. */
static void put_text(FILE *out, const char *text)
{
	fputc('"', out);
	for (;;) {
		size_t plain = 0;

		while (text[plain] >= 0x20 && text[plain] <= 0x7e && text[plain] != '"' &&
		       text[plain] != '\\')
			plain++;
		fwrite(text, 1, plain, out);
		text += plain;
		if (!*text)
			break;
		fputs(*text == '"' ? "\\\"" : *text == '\\' ? "\\\\" : "?", out);
		text++;
	}
	fputc('"', out);
}

static void put_name(FILE *out, const struct question *q, const char *key, busway_pci_id id)
{
	if (busway_pci_some(id))
		fprintf(out, "      \"%s\": \"%s\",\n", key, busway_pci_name(q->pci, id));
	else
		fprintf(out, "      \"%s\": null,\n", key);
}

static void put_acs(FILE *out, uint16_t bits)
{
	const char *separator = "";
	char text[32];

	fputs("      \"acs\": [", out);
	for (unsigned bit = 1; bit <= BUSWAY_ACS_DT; bit <<= 1) {
		if (!(bits & bit))
			continue;
		fprintf(out, "%s\"%s\"", separator,
			busway_acs_text((uint16_t)bit, text, sizeof(text)));
		separator = ", ";
	}
	fputs("],\n", out);
}

static void put_needs(FILE *out, unsigned needs)
{
	const bool master = needs & BUSWAY_P2P_NEEDS_BUS_MASTER;
	const bool decode = needs & BUSWAY_P2P_NEEDS_DECODE;

	fprintf(out, "      \"needs\": [%s%s%s],\n", master ? "\"bus-master\"" : "",
		master && decode ? ", " : "", decode ? "\"memory-decode\"" : "");
}

static void put_reason(FILE *out, const struct busway_refusal *refusal)
{
	char text[1024];

	if (refusal->reason == BUSWAY_NOT_REFUSED) {
		fputs("      \"reason\": null,\n", out);
		return;
	}
	fprintf(out, "      \"reason\": {\n        \"code\": \"%s\",\n        \"hop\": ",
		busway_reason_code(refusal->reason));
	put_text(out, refusal->hop ? refusal->hop : "");
	busway_refusal_detail(refusal, text, sizeof(text));
	fputs(",\n        \"detail\": ", out);
	put_text(out, text);
	fputs(",\n        \"advice\": ", out);
	if (busway_refusal_advice(refusal, text, sizeof(text)))
		put_text(out, text);
	else
		fputs("null", out);
	fputs("\n      },\n", out);
}

static void put_other(FILE *out, const struct question *q, const struct views *v)
{
	if (!v->differ) {
		fputs("      \"other\": null\n", out);
		return;
	}
	fprintf(out,
		"      \"other\": {\n        \"policy\": \"%s\",\n        \"verdict\": \"%s\",\n"
		"        \"certain\": %s\n      }\n",
		view_name(other_view(q->policy.view)), verdict_name(v->other.verdict),
		v->other.certain ? "true" : "false");
}

static void put_pair(FILE *out, const struct question *q, busway_pci_id a, busway_pci_id b,
		     const struct views *v)
{
	const struct busway_p2p *p = &v->p;
	const char *form = address_form(p->verdict);

	fputs("    {\n", out);
	put_name(out, q, "a", a);
	put_name(out, q, "b", b);
	fprintf(out,
		"      \"verdict\": \"%s\",\n      \"certain\": %s,\n      \"distance\": %u,\n"
		"      \"address\": %s%s%s,\n",
		verdict_name(p->verdict), p->certain ? "true" : "false", p->distance,
		form ? "\"" : "", form ? form : "null", form ? "\"" : "");
	put_name(out, q, "common", p->common);
	put_name(out, q, "decider", p->decider);
	put_acs(out, p->acs);
	put_needs(out, p->needs);
	put_reason(out, &p->refusal);
	put_other(out, q, v);
	fputs("    }", out);
}

static void put_pairs(FILE *out, const struct question *q)
{
	const char *separator = "\n";
	struct views v;

	fputs("  \"pairs\": [", out);
	for (size_t i = 0; i < q->a_count; i++) {
		for (size_t k = 0; k < q->b_count; k++) {
			fputs(separator, out);
			decide_both(q, q->a[i], q->b[k], &v);
			put_pair(out, q, q->a[i], q->b[k], &v);
			separator = ",\n";
		}
	}
	fputs(q->a_count && q->b_count ? "\n  ]" : "]", out);
}

/* ---- the whole ---- */

/* All but the pairs, without the brace that ends it. */
static char *head_text(const struct question *q, const struct views *one)
{
	json_t *root = json_pack("{s:s, s:s}", "schema", "busway-p2p/1", "policy",
				 view_name(q->policy.view));
	char *text, *end;

	if (one) {
		json_object_set_new(root, "bars", bars_json(q));
		json_object_set_new(root, "way", way_json(q, &one->p));
	}
	json_object_set_new(root, "gaps", gaps_json(q));
	json_object_set_new(root, "oddities", oddities_json(q));
	text = json_dumps(root, JSON_INDENT(2));
	json_decref(root);
	end = text ? strrchr(text, '\n') : NULL;
	if (end)
		*end = 0;
	return text;
}

int p2p_json(const struct question *q, bool one)
{
	int status = EXIT_YES;
	struct views v;
	char *head;

	if (one) {
		decide_both(q, q->a[0], q->b[0], &v);
		status = v.p.verdict == BUSWAY_P2P_REFUSED ? EXIT_NO : EXIT_YES;
	}
	head = head_text(q, one ? &v : NULL);
	if (!head)
		return complain("%s: out of memory", q->loaded->source);
	/* from here on nothing can go wrong that would leave half an answer */
	printf("%s,\n", head);
	free(head);
	put_pairs(stdout, q);
	fputs("\n}\n", stdout);
	return finish_output(status);
}
