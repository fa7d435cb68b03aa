/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_sarif.c - findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format), for
 * code hosts and editors.
 */
#include "check.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* What relative names are relative to: the reader knows the root of the sources, we do not. */
#define BASE "%SRCROOT%"

static json_t *text_json(const char *text)
{
	return json_pack("{s:o}", "text", json_text(text));
}

/* A file name as a URI reference (RFC 3986): relative, or of scheme "file" where it is absolute. */
static json_t *artifact_json(const char *path, size_t length)
{
	static const char hex[] = "0123456789ABCDEF", scheme[] = "file://";
	char *uri = malloc(sizeof(scheme) + 3 * length);
	const bool absolute = length && path[0] == '/';
	json_t *o = json_object();
	size_t used = 0;

	if (!uri)
		return o;
	if (absolute) {
		used = strlen(scheme);
		memcpy(uri, scheme, used);
	}
	for (; length > 2 && path[0] == '.' && path[1] == '/'; length -= 2)
		path += 2;
	for (size_t i = 0; i < length; i++) {
		const unsigned char c = (unsigned char)path[i];

		if (c < 0x80 && (isalnum(c) || strchr("-._~/", c))) {
			uri[used++] = (char)c;
		} else {
			uri[used++] = '%';
			uri[used++] = hex[c >> 4];
			uri[used++] = hex[c & 15];
		}
	}
	uri[used] = '\0';
	json_object_set_new(o, "uri", json_string(uri));
	if (!absolute)
		json_object_set_new(o, "uriBaseId", json_string(BASE));
	free(uri);
	return o;
}

static json_t *rule_json(enum busway_finding_code code)
{
	const enum busway_severity usual = busway_finding_usual_severity(code);

	return json_pack("{s:s, s:o, s:o, s:{s:s, s:s}, s:{s:s}}", "id", busway_finding_code(code),
			 "shortDescription", text_json(busway_finding_summary(code)),
			 "fullDescription", text_json(busway_finding_summary(code)), "help", "text",
			 check_pages[code].text, "markdown", check_pages[code].text,
			 "defaultConfiguration", "level", busway_severity_name(usual));
}

static json_t *location_json(const struct checked *result, const struct busway_finding *f)
{
	const struct place place = find_place(result->places, f->node, f->property);
	const char *file = place.file ? place.file : result->source;
	const size_t length = place.file ? (size_t)place.file_length : strlen(file);

	return json_pack("{s:{s:o, s:{s:I}}, s:[{s:o, s:s}]}", "physicalLocation",
			 "artifactLocation", artifact_json(file, length), "region", "startLine",
			 (json_int_t)place.line, "logicalLocations", "fullyQualifiedName",
			 json_text(f->node), "kind", "element");
}

static json_t *message_json(const struct busway_finding *f)
{
	json_t *o = NULL;
	char *text;

	if (asprintf(&text, "%s%s%s: %s%s%s", f->node, f->property[0] ? ": " : "", f->property,
		     f->message, f->advice[0] ? ". Advice: " : "", f->advice) >= 0) {
		o = text_json(text);
		free(text);
	}
	return o;
}

static uint64_t hash(uint64_t so_far, const char *text)
{
	/* FNV-1a, with the zero at the end */
	do
		so_far = (so_far ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	while (*text++);
	return so_far;
}

/* Is it about the same code, node and property? */
static bool is_alike(const struct busway_finding *a, const struct busway_finding *b)
{
	return a->code == b->code && strcmp(a->node, b->node) == 0 &&
	       strcmp(a->property, b->property) == 0;
}

/*
 * What a finding keeps while lines move and numbers change: its code, node and property, and which
 * of those alike it is. Code hosts read the second name only.
 */
static json_t *fingerprints_json(const struct checked *result, size_t index)
{
	const struct busway_finding *f = &result->findings[index];
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	size_t nth = 1;
	char text[48];

	/* those of one node stand together */
	for (size_t i = index; i-- > 0 && strcmp(result->findings[i].node, f->node) == 0;)
		nth += is_alike(&result->findings[i], f);
	value = hash(hash(hash(value, busway_finding_code(f->code)), f->node), f->property);
	snprintf(text, sizeof(text), "%016" PRIx64 ":%zu", value, nth);
	return json_pack("{s:s, s:s}", "busway/v1", text, "primaryLocationLineHash", text);
}

static json_t *result_json(const struct checked *result, size_t index)
{
	const struct busway_finding *f = &result->findings[index];
	json_t *o = json_object();

	json_object_set_new(o, "ruleId", json_string(busway_finding_code(f->code)));
	json_object_set_new(o, "ruleIndex", json_integer((json_int_t)f->code));
	json_object_set_new(o, "level", json_string(busway_severity_name(f->severity)));
	json_object_set_new(o, "message", message_json(f));
	json_object_set_new(o, "locations", json_pack("[o]", location_json(result, f)));
	json_object_set_new(o, "partialFingerprints", fingerprints_json(result, index));
	json_object_set_new(o, "properties",
			    json_pack("{s:o, s:o, s:o}", "node", json_text(f->node), "property",
				      json_text(f->property), "advice", json_text(f->advice)));
	if (result->suppressed[index])
		json_object_set_new(o, "suppressions", json_pack("[{s:s}]", "kind", "external"));
	return o;
}

/* How the run went: files that could not be read are not in the results. */
static json_t *invocation_json(const struct checked *results, size_t count, int status)
{
	json_t *notifications = json_array();

	for (size_t i = 0; i < count; i++)
		if (!results[i].readable)
			json_array_append_new(notifications,
					      json_pack("{s:s, s:{s:s}, s:[{s:{s:o}}]}", "level",
							"error", "message", "text",
							"this file cannot be read", "locations",
							"physicalLocation", "artifactLocation",
							artifact_json(results[i].source,
								      strlen(results[i].source))));
	return json_pack("{s:b, s:i, s:o}", "executionSuccessful",
			 json_array_size(notifications) == 0, "exitCode", status,
			 "toolExecutionNotifications", notifications);
}

int check_sarif(const struct checked *results, size_t count, int status)
{
	json_t *rules = json_array(), *found = json_array(), *root;

	for (int i = 0; i < BUSWAY_FINDING_COUNT; i++)
		json_array_append_new(rules, rule_json((enum busway_finding_code)i));
	for (size_t i = 0; i < count; i++)
		for (size_t f = 0; f < results[i].count; f++)
			json_array_append_new(found, result_json(&results[i], f));
	root = json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:s, s:o}}, s:{s:{s:{s:s}}}, s:[o], s:o}]}",
			 "$schema", "https://json.schemastore.org/sarif-2.1.0.json", "version",
			 "2.1.0", "runs", "tool", "driver", "name", "busway", "version",
			 busway_version(), "rules", rules, "originalUriBaseIds", BASE,
			 "description", "text", "the folder that the command ran in", "invocations",
			 invocation_json(results, count, status), "results", found);
	return json_print(root, status);
}
