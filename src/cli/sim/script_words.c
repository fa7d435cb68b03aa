/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script_words.c - the words of a line, as a step. See script.h.
 */
#include "script.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* ---- complaints ---- */

bool script_wrong(const struct script *s, const char *what, const char *word)
{
	complain("%s:%u: %s '%s'", s->path, s->line, what, word);
	return false;
}

/* ---- names ---- */

static struct named *find_name(const struct script *s, const char *word)
{
	for (struct named *n = s->names; n; n = n->next)
		if (strcmp(n->name, word) == 0)
			return n;
	return NULL;
}

bool new_name(struct script *s, const char *word, struct step *step)
{
	step->name = find_name(s, word);
	if (step->name)
		return true;
	if (strlen(word) >= NAME_LENGTH)
		return script_wrong(s, "a name that is too long:", word);
	step->name = calloc(1, sizeof(*step->name));
	if (!step->name)
		return complain("out of memory") == EXIT_YES;
	memcpy(step->name->name, word, strlen(word) + 1);
	step->name->next = s->names;
	s->names = step->name;
	return true;
}

bool old_name(struct script *s, const char *word, struct step *step)
{
	step->name = find_name(s, word);
	return step->name || script_wrong(s, "no step before this one has named", word);
}

bool other_name(struct script *s, const char *word, struct step *step)
{
	step->other = find_name(s, word);
	return step->other || script_wrong(s, "no step before this one has named", word);
}

bool device_word(struct script *s, const char *word, struct step *step)
{
	step->actor = scene_actor(s->scene, word);
	return step->actor || script_wrong(s, "no device that takes part:", word);
}

/* ---- words of which there are few ---- */

struct choice {
	const char *word;
	unsigned value;
};

static bool choose(const struct choice *choices, size_t count, const char *word, unsigned *value)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(choices[i].word, word) == 0) {
			*value = choices[i].value;
			return true;
		}
	return false;
}

bool direction_word(struct script *s, const char *word, struct step *step)
{
	static const struct choice choices[] = {
		{"to", BUSWAY_TO_DEVICE},
		{"from", BUSWAY_FROM_DEVICE},
		{"both", BUSWAY_BIDIRECTIONAL},
	};
	unsigned value;

	if (!choose(choices, sizeof(choices) / sizeof(choices[0]), word, &value))
		return script_wrong(s, "none of to, from, both:", word);
	step->direction = (enum busway_direction)value;
	return true;
}

bool attribute_word(struct script *s, const char *word, struct step *step)
{
	static const struct choice choices[] = {
		{"no-bounce", BUSWAY_MAP_NO_BOUNCE},
		{"skip-sync", BUSWAY_MAP_SKIP_SYNC},
		{"overwrites", BUSWAY_MAP_OVERWRITES},
		{"owns-lines", BUSWAY_MAP_OWNS_LINES},
	};
	unsigned value;

	if (!choose(choices, sizeof(choices) / sizeof(choices[0]), word, &value))
		return script_wrong(s,
				    "none of no-bounce, skip-sync, overwrites, owns-lines:", word);
	step->attributes |= value;
	return true;
}

bool side_word(struct script *s, const char *word, struct step *step)
{
	step->for_cpu = strcmp(word, "cpu") == 0;
	return step->for_cpu || strcmp(word, "device") == 0 ||
	       script_wrong(s, "neither cpu nor device:", word);
}

bool operation_word(struct script *s, const char *word, struct step *step)
{
	static const struct choice choices[] = {
		{"read", BUSWAY_ENGINE_READ},
		{"write", BUSWAY_ENGINE_WRITE},
		{"fill", BUSWAY_ENGINE_FILL},
		{"verify", BUSWAY_ENGINE_VERIFY},
	};

	return choose(choices, sizeof(choices) / sizeof(choices[0]), word, &step->operation) ||
	       script_wrong(s, "none of read, write, fill, verify:", word);
}

bool atomic_word(struct script *s, const char *word, struct step *step)
{
	step->atomic = strcmp(word, "atomic") == 0;
	return step->atomic || script_wrong(s, "not atomic:", word);
}

/* ---- numbers ---- */

bool number_word(struct script *s, const char *word, struct step *step)
{
	return parse_number(word, &step->number) || script_wrong(s, "no number:", word);
}

bool bits_word(struct script *s, const char *word, struct step *step)
{
	return (parse_number(word, &step->number) && step->number >= 1 && step->number <= 64) ||
	       script_wrong(s, "not a number of bits from 1 to 64:", word);
}

bool range_word(struct script *s, const char *word, struct step *step)
{
	step->has_range = true;
	return parse_range(word, true, &step->range) || script_wrong(s, "no range:", word);
}

bool memory_word(struct script *s, const char *word, struct step *step)
{
	struct wanted_memory *wanted = &step->memory[step->memory_count];

	wanted->is_size = parse_number(word, &wanted->size) && wanted->size;
	if (!wanted->is_size && !parse_range(word, false, &wanted->range))
		return script_wrong(s, "neither a size nor a range:", word);
	step->memory_count++;
	return true;
}

/* ---- lines ---- */

#define NEW                                                                                        \
	{                                                                                          \
		new_name, 1, 1                                                                     \
	}
#define OLD                                                                                        \
	{                                                                                          \
		old_name, 1, 1                                                                     \
	}
#define OTHER                                                                                      \
	{                                                                                          \
		other_name, 1, 1                                                                   \
	}
#define DEVICE                                                                                     \
	{                                                                                          \
		device_word, 1, 1                                                                  \
	}
#define DIRECTION                                                                                  \
	{                                                                                          \
		direction_word, 1, 1                                                               \
	}
#define MEMORY                                                                                     \
	{                                                                                          \
		memory_word, 1, 1                                                                  \
	}
#define LIST                                                                                       \
	{                                                                                          \
		memory_word, 1, ENTRIES_MAX                                                        \
	}
#define ATTRIBUTES                                                                                 \
	{                                                                                          \
		attribute_word, 0, 4                                                               \
	}
#define RANGE                                                                                      \
	{                                                                                          \
		range_word, 1, 1                                                                   \
	}
#define PART                                                                                       \
	{                                                                                          \
		range_word, 0, 1                                                                   \
	}
#define NUMBER                                                                                     \
	{                                                                                          \
		number_word, 1, 1                                                                  \
	}
#define OPTIONAL                                                                                   \
	{                                                                                          \
		number_word, 0, 1                                                                  \
	}
#define BITS                                                                                       \
	{                                                                                          \
		bits_word, 1, 1                                                                    \
	}
#define SIDE                                                                                       \
	{                                                                                          \
		side_word, 1, 1                                                                    \
	}
#define OPERATION                                                                                  \
	{                                                                                          \
		operation_word, 1, 1                                                               \
	}
#define ATOMIC                                                                                     \
	{                                                                                          \
		atomic_word, 0, 1                                                                  \
	}

static const struct step_kind kinds[] = {
	{"map",
	 "NAME DEVICE to|from|both SIZE|RANGE [ATTRIBUTE...]",
	 {NEW, DEVICE, DIRECTION, MEMORY, ATTRIBUTES},
	 step_map},
	{"map-list",
	 "NAME DEVICE to|from|both SIZE|RANGE... [ATTRIBUTE...]",
	 {NEW, DEVICE, DIRECTION, LIST, ATTRIBUTES},
	 step_map_list},
	{"map-peer",
	 "NAME DEVICE to|from|both RANGE",
	 {NEW, DEVICE, DIRECTION, RANGE},
	 step_map_peer},
	{"map-or-wait",
	 "NAME DEVICE to|from|both SIZE|RANGE [ATTRIBUTE...]",
	 {NEW, DEVICE, DIRECTION, MEMORY, ATTRIBUTES},
	 step_map_or_wait},
	{"cancel", "NAME", {OLD}, step_cancel},
	{"unmap", "NAME", {OLD}, step_unmap},
	{"unmap-list", "NAME [ENTRIES]", {OLD, OPTIONAL}, step_unmap_list},
	{"sync", "NAME cpu|device [OFFSET+SIZE]", {OLD, SIDE, PART}, step_sync},
	{"fill", "NAME PATTERN", {OLD, NUMBER}, step_fill},
	{"check", "NAME PATTERN", {OLD, NUMBER}, step_check},
	{"device",
	 "NAME read|write|fill|verify [PATTERN]",
	 {OLD, OPERATION, OPTIONAL},
	 step_device},
	{"access", "DEVICE read|write|fill|verify RANGE", {DEVICE, OPERATION, RANGE}, step_access},
	{"alloc", "NAME DEVICE SIZE [atomic]", {NEW, DEVICE, NUMBER, ATOMIC}, step_alloc},
	{"free", "NAME", {OLD}, step_free},
	{"blocks", "NAME DEVICE SIZE", {NEW, DEVICE, NUMBER}, step_blocks},
	{"take", "NAME BLOCKS [atomic]", {NEW, OTHER, ATOMIC}, step_take},
	{"give", "NAME", {OLD}, step_give},
	{"mask", "DEVICE BITS", {DEVICE, BITS}, step_mask},
	{"coherent-mask", "DEVICE BITS", {DEVICE, BITS}, step_coherent_mask},
	{"detach", "DEVICE", {DEVICE}, step_detach},
	{"abandon", "DEVICE", {DEVICE}, step_abandon},
	{"quiet", "DEVICE", {DEVICE}, step_quiet},
	{"attach", "DEVICE", {DEVICE}, step_attach},
	{"tables", "DEVICE", {DEVICE}, step_tables},
	{"flush", "DEVICE", {DEVICE}, step_flush},
};

const struct step_kind *script_kind(size_t index)
{
	return index < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[index] : NULL;
}

/* The next word, and a copy of it behind a blank in step->text, where there is room for it. */
static char *next_word(struct step *step, char **rest, char *line)
{
	char *word = strtok_r(line, " \t", rest);
	const size_t length = word ? strlen(word) : 0, before = strlen(step->text);

	if (before && word)
		step->text[before] = ' ';
	if (word)
		memcpy(step->text + before + (before != 0), word, length + 1);
	return word;
}

static bool wrong_count(const struct script *s, const struct step_kind *kind)
{
	complain("%s:%u: too few or too many words for '%s': it takes %s", s->path, s->line,
		 kind->name, kind->usage);
	return false;
}

/* Of words that may be several, those that follow take over where they can only be theirs. */
static bool belongs(const struct word_kind *kind, const char *word)
{
	return kind->parse != memory_word || isdigit((unsigned char)word[0]);
}

static bool parse_words(struct script *s, char **rest, struct step *step)
{
	char *word = next_word(step, rest, NULL);

	for (const struct word_kind *kind = step->kind->words; kind->parse; kind++) {
		int count = 0;

		for (; word && count < kind->most && (count < kind->least || belongs(kind, word));
		     count++, word = next_word(step, rest, NULL))
			if (!kind->parse(s, word, step))
				return false;
		if (count < kind->least)
			return wrong_count(s, step->kind);
	}
	return !word || wrong_count(s, step->kind);
}

bool parse_line(struct script *s, char *line, struct step *step)
{
	char *rest = NULL, *word;

	line[strcspn(line, "#\r\n")] = '\0';
	*step = (struct step){.line = s->line, .text = calloc(1, strlen(line) + 1)};
	if (!step->text)
		return complain("out of memory") == EXIT_YES;
	word = next_word(step, &rest, line);
	if (!word)
		return true;
	for (size_t i = 0; script_kind(i); i++)
		if (strcmp(script_kind(i)->name, word) == 0)
			step->kind = script_kind(i);
	if (!step->kind)
		return script_wrong(s, "there is no step", word);
	return parse_words(s, &rest, step);
}
