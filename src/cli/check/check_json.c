/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_json.c - findings for machines: busway-check/1.
 */
#include "check.h"

static json_t *finding_json(const struct busway_finding *f)
{
	json_t *o = json_object();

	json_object_set_new(o, "code", json_string(busway_finding_code(f->code)));
	json_object_set_new(o, "severity", json_string(busway_severity_name(f->severity)));
	json_object_set_new(o, "node", json_text(f->node));
	json_object_set_new(o, "property", json_text(f->property));
	json_object_set_new(o, "entry",
			    f->entry == UINT32_MAX ? json_null() : json_integer(f->entry));
	json_object_set_new(o, "message", json_text(f->message));
	json_object_set_new(o, "advice", json_text(f->advice));
	return o;
}

static json_t *file_json(const struct checked *result)
{
	json_t *o = json_object(), *findings = json_array();
	size_t suppressed = 0;

	for (size_t i = 0; i < result->count; i++) {
		if (result->suppressed[i])
			suppressed++;
		else
			json_array_append_new(findings, finding_json(&result->findings[i]));
	}
	json_object_set_new(o, "source", json_text(result->source));
	json_object_set_new(o, "findings", findings);
	json_object_set_new(o, "suppressed", json_integer((json_int_t)suppressed));
	return o;
}

int check_json(const struct checked *results, size_t count, int status)
{
	json_t *root = json_object(), *files = json_array();

	json_object_set_new(root, "schema", json_string("busway-check/1"));
	json_object_set_new(root, "files", files);
	for (size_t i = 0; i < count; i++)
		if (results[i].readable)
			json_array_append_new(files, file_json(&results[i]));
	return json_print(root, status);
}
