/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_say.c - what became of a step: a line of text at once, an object of JSON for later.
 */
#include "script.h"

#include <stdarg.h>
#include <stdlib.h>

/* What the step has led to: the first violation that came with it; NULL. */
static const char *violation_since(struct script *s)
{
	const struct busway_machine *machine = s->scene->machine;
	const uint64_t before = s->violations;
	const struct busway_violation *first;

	busway_machine_settle(s->scene->machine);
	s->violations = busway_machine_violations(machine);
	first = s->violations > before ? busway_machine_violation(machine, (size_t)before) : NULL;
	if (!first)
		return NULL;
	return first->kind == BUSWAY_VIOLATION_MISUSE ? busway_misuse_code(first->misuse)
						      : busway_violation_code(first->kind);
}

static void record(struct script *s, unsigned line, const char *step, const char *what,
		   const char *violation)
{
	struct scene *scene = s->scene;

	if (!scene->told)
		scene->told = json_array();
	json_array_append_new(scene->told,
			      json_pack("{s:o, s:o, s:o, s:o}", "line",
					line ? json_integer(line) : json_null(), "step",
					json_text(step), "outcome", json_text(what), "violation",
					violation ? json_text(violation) : json_null()));
}

static void put(struct script *s, unsigned line, const char *step, const char *what,
		const char *violation)
{
	if (s->scene->options->format == FORMAT_JSON) {
		record(s, line, step, what, violation);
		return;
	}
	if (s->scene->options->quiet)
		return;
	if (line)
		printf("%u: %s: %s", line, step, what);
	else
		printf("end: %s %s", step, what);
	printf("%s%s\n", violation ? "; violation: " : "", violation ? violation : "");
}

void say(struct script *s, const char *what)
{
	put(s, s->step->line, s->step->text, what, violation_since(s));
}

void say_runs(struct script *s, const char *what, char *text, json_t *runs)
{
	const struct options *o = s->scene->options;

	say(s, what);
	if (o->format == FORMAT_JSON)
		json_object_set(json_array_get(s->scene->told, json_array_size(s->scene->told) - 1),
				"runs", runs);
	else if (!o->quiet && text)
		fputs(text, stdout);
	json_decref(runs);
	free(text);
}

void say_format(struct script *s, const char *format, ...)
{
	char text[1200];
	va_list list;

	va_start(list, format);
	vsnprintf(text, sizeof(text), format, list);
	va_end(list);
	say(s, text);
}

/* Of a record that was never mapped, the library knows nobody to tell. */
void say_misuse(struct script *s)
{
	if (busway_machine_violations(s->scene->machine) == s->violations)
		s->scene->mistakes++;
	say(s, "misuse");
}

void say_mistake(struct script *s, const char *what)
{
	s->scene->mistakes++;
	say(s, what);
}

void say_refused(struct script *s, struct actor *actor, const struct busway_refusal *why)
{
	char detail[512], advice[512];

	busway_refusal_detail(why, detail, sizeof(detail));
	busway_refusal_advice(why, advice, sizeof(advice));
	actor->refused[why->reason]++;
	say_format(s, "refused as %s: %s%s%s", busway_reason_code(why->reason), detail,
		   advice[0] ? "; would help: " : "", advice);
}

void say_left(struct script *s, const struct named *name, const char *how)
{
	s->scene->mistakes++;
	put(s, 0, name->name, how, violation_since(s));
}
