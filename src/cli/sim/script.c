/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.c - a workload as a text: one step a line, what becomes of it behind. See script.h for
 * the parts, and busway-sim(1) for the steps.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

/* ---- reading: all mistakes of the file are told ---- */

static bool add_step(struct script *s, const struct step *step)
{
	struct step *grown = realloc(s->steps, (s->count + 1) * sizeof(*grown));

	if (!grown)
		return complain("out of memory") == EXIT_YES;
	s->steps = grown;
	grown[s->count++] = *step;
	return true;
}

static bool read_line(struct script *s, char *line)
{
	struct step step;

	if (parse_line(s, line, &step) && (!step.kind || add_step(s, &step))) {
		if (!step.kind)
			free(step.text);
		return true;
	}
	free(step.text);
	return false;
}

static bool read_text(struct script *s, char *text)
{
	char *line = text;
	bool ok = true;

	while (line && *line) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = '\0';
		s->line++;
		ok = read_line(s, line) && ok;
		line = end;
	}
	return ok;
}

/* The file as a string; free() it. */
static char *read_script(const char *path)
{
	size_t size;
	char *bytes = read_file(path, &size), *text = NULL;

	if (!bytes)
		return NULL;
	if (memchr(bytes, '\0', size)) {
		complain("%s: no text: it has a byte 0", path);
	} else {
		text = realloc(bytes, size + 1);
		if (text)
			bytes = NULL;
		else
			complain("out of memory");
	}
	free(bytes);
	if (text)
		text[size] = '\0';
	return text;
}

/* ---- doing ---- */

static void run_steps(struct script *s)
{
	for (size_t i = 0; i < s->count; i++) {
		s->step = &s->steps[i];
		s->scene->steps++;
		s->step->kind->run(s, s->step);
		map_turns(s);
	}
	give_everything_back(s);
}

static void free_script(struct script *s)
{
	while (s->names) {
		struct named *name = s->names;

		s->names = name->next;
		free(name);
	}
	for (size_t i = 0; i < s->count; i++)
		free(s->steps[i].text);
	free(s->steps);
}

bool sim_script(struct scene *scene, const char *path)
{
	struct script s = {.scene = scene, .path = path};
	char *text = read_script(path);
	const bool ok = text && read_text(&s, text);

	if (ok)
		run_steps(&s);
	free_script(&s);
	free(text);
	return ok;
}
