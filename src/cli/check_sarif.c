/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sarif.c - findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for
 * code hosts and editors.
 */
#include "check.h"

#include <ctype.h>
#include <string.h>

/* A file name as a relative or absolute URI reference (RFC 3986). */
static json_t *uri_of(const char *path)
{
	static const char hex[] = "0123456789ABCDEF";
	char uri[3 * 4096 + 1];
	size_t used = 0;

	for (const char *s = path; *s && used + 3 < sizeof(uri); s++) {
		const unsigned char c = (unsigned char)*s;

		if (c < 0x80 && (isalnum(c) || strchr("-._~/", c))) {
			uri[used++] = (char)c;
		} else {
			uri[used++] = '%';
			uri[used++] = hex[c >> 4];
			uri[used++] = hex[c & 15];
		}
	}
	uri[used] = '\0';
	return json_string(uri);
}

static json_t *text_json(const char *text)
{
	return json_pack("{s:o}", "text", json_text(text));
}

static json_t *rule_json(enum busway_finding_code code)
{
	const enum busway_severity usual = busway_finding_usual_severity(code);

	return json_pack("{s:s, s:o, s:{s:s, s:s}, s:{s:s}}", "id", busway_finding_code(code),
			 "shortDescription", text_json(busway_finding_summary(code)), "help",
			 "text", check_pages[code].text, "markdown", check_pages[code].text,
			 "defaultConfiguration", "level", busway_severity_name(usual));
}

static json_t *location_json(const char *source, const struct busway_finding *f)
{
	return json_pack("{s:{s:{s:o}, s:{s:i}}, s:[{s:o, s:s}]}", "physicalLocation",
			 "artifactLocation", "uri", uri_of(source), "region", "startLine", 1,
			 "logicalLocations", "fullyQualifiedName", json_text(f->node), "kind",
			 "element");
}

static json_t *message_json(const struct busway_finding *f)
{
	char text[4096];

	snprintf(text, sizeof(text), "%s%s%s: %s%s%s", f->node, f->property[0] ? ": " : "",
		 f->property, f->message, f->advice[0] ? ". Advice: " : "", f->advice);
	return text_json(text);
}

static json_t *result_json(const char *source, const struct busway_finding *f, bool suppressed)
{
	json_t *o = json_object();

	json_object_set_new(o, "ruleId", json_string(busway_finding_code(f->code)));
	json_object_set_new(o, "ruleIndex", json_integer((json_int_t)f->code));
	json_object_set_new(o, "level", json_string(busway_severity_name(f->severity)));
	json_object_set_new(o, "message", message_json(f));
	json_object_set_new(o, "locations", json_pack("[o]", location_json(source, f)));
	json_object_set_new(o, "properties",
			    json_pack("{s:o, s:o, s:o}", "node", json_text(f->node), "property",
				      json_text(f->property), "advice", json_text(f->advice)));
	if (suppressed)
		json_object_set_new(o, "suppressions", json_pack("[{s:s}]", "kind", "external"));
	return o;
}

int check_sarif(const struct checked *results, size_t count, int status)
{
	json_t *rules = json_array(), *found = json_array(), *root;
	bool complete = true;

	for (int i = 0; i < BUSWAY_FINDING_COUNT; i++)
		json_array_append_new(rules, rule_json((enum busway_finding_code)i));
	for (size_t i = 0; i < count; i++) {
		complete &= results[i].readable;
		for (size_t f = 0; f < results[i].count; f++)
			json_array_append_new(found, result_json(results[i].source,
								 &results[i].findings[f],
								 results[i].suppressed[f]));
	}
	root = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:o, s:[{s:b}]}]}", "$schema",
			 "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0",
			 "runs", "tool", "driver", "name", "busway", "version", busway_version(),
			 "rules", rules, "results", found, "invocations", "executionSuccessful",
			 complete);
	return json_print(root, status);
}
