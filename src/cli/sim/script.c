/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.c - a workload as a text: one step a line, what becomes of it behind.
 *
 *   map    a pcie@7d500000 to 0x8000_0000+4K     a: a buffer; to, from, both; or SIZE alone
 *   fill   a 1                                    the CPU writes pattern 1
 *   device a verify 1                             verify, fill, read, write
 *   sync   a cpu | device
 *   unmap  a
 *   check  a 1                                    the CPU finds pattern 1
 *   alloc  r pcie@7d500000 SIZE     free r
 *   access pcie@7d500000 write 0x1000+64          at that address, mapped or not
 *   mask   pcie@7d500000 32
 *
 * Names of buffers are one word; # begins a comment. A step that is refused, or violates something,
 * is told, and the script goes on.
 */
#include "sim.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 6, NAMES = 64, NAME_LENGTH = 32 };

struct named {
	char name[NAME_LENGTH];
	struct actor *actor;
	struct busway_mapping mapping;
	struct busway_coherent coherent;
	struct busway_phys_range memory;
	bool has_memory, taken, is_coherent;
};

struct script {
	struct scene *scene;
	const char *path;
	unsigned line;
	char *word[WORDS];
	int words;
	struct named names[NAMES];
	size_t count;
	uint64_t violations; /* that were there before this step */
};

/* ---- complaints, and what comes of a step ---- */

static bool wrong(const struct script *s, const char *what, const char *word)
{
	complain("%s:%u: %s '%s'", s->path, s->line, what, word);
	return false;
}

/* What the step has led to: the first violation that came with it. */
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

static void say(struct script *s, const char *what)
{
	const char *violation = violation_since(s);

	if (s->scene->options->format != FORMAT_TEXT || s->scene->options->quiet)
		return;
	printf("%u:", s->line);
	for (int i = 0; i < s->words; i++)
		printf(" %s", s->word[i]);
	printf(": %s%s%s\n", what, violation ? "; violation: " : "", violation ? violation : "");
}

/* The DMA API took it for misuse. Of a record that was never mapped, it knows nobody to tell. */
static void say_misuse(struct script *s)
{
	if (busway_machine_violations(s->scene->machine) == s->violations)
		s->scene->mistakes++;
	say(s, "misuse");
}

static void say_refused(struct script *s, struct actor *actor, const struct busway_refusal *why)
{
	char text[1200], detail[512], advice[512];

	busway_refusal_detail(why, detail, sizeof(detail));
	busway_refusal_advice(why, advice, sizeof(advice));
	snprintf(text, sizeof(text), "refused as %s: %s%s%s", busway_reason_code(why->reason),
		 detail, advice[0] ? "; would help: " : "", advice);
	actor->refused[why->reason]++;
	say(s, text);
}

/* ---- words ---- */

static struct named *find_name(struct script *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (strcmp(s->names[i].name, name) == 0)
			return &s->names[i];
	return NULL;
}

/* The buffer of that name; complains where there is none. */
static struct named *buffer(struct script *s, const char *name)
{
	struct named *found = find_name(s, name);

	if (!found)
		wrong(s, "there is no buffer", name);
	return found;
}

static struct named *new_name(struct script *s, const char *name)
{
	struct named *found = find_name(s, name);

	if (found)
		return found;
	if (s->count == NAMES || strlen(name) >= NAME_LENGTH) {
		wrong(s, "too many names, or too long:", name);
		return NULL;
	}
	found = &s->names[s->count++];
	memcpy(found->name, name, strlen(name) + 1);
	return found;
}

static bool parse_direction(const struct script *s, const char *word,
			    enum busway_direction *direction)
{
	if (strcmp(word, "to") == 0)
		*direction = BUSWAY_TO_DEVICE;
	else if (strcmp(word, "from") == 0)
		*direction = BUSWAY_FROM_DEVICE;
	else if (strcmp(word, "both") == 0)
		*direction = BUSWAY_BIDIRECTIONAL;
	else
		return wrong(s, "none of to, from, both:", word);
	return true;
}

static bool parse_value(const struct script *s, const char *word, uint64_t *value)
{
	return parse_number(word, value) || wrong(s, "no number:", word);
}

static size_t size_of(struct busway_phys_range range)
{
	return (size_t)busway_range_span(busway_phys_raw(range)) + 1;
}

/* ---- steps; false after a complaint ---- */

/* PHYS+LEN, or a size for which memory is taken. */
static bool find_memory(struct script *s, const char *word, struct named *n)
{
	struct busway_range range;
	uint64_t size;

	if (n->taken)
		busway_machine_give(s->scene->machine, n->memory);
	n->taken = n->has_memory = false;
	if (parse_number(word, &size) && size) {
		busway_phys_t phys;

		if (busway_machine_take(s->scene->machine, size, 4096, NULL, 0, &phys))
			return wrong(s, "there is no memory of", word);
		n->taken = true;
		range = (struct busway_range){phys.raw, phys.raw + (size - 1)};
	} else if (!parse_range(word, false, &range)) {
		return wrong(s, "neither a size nor a range:", word);
	}
	n->memory = busway_phys_range(range);
	n->has_memory = true;
	return true;
}

static bool step_map(struct script *s)
{
	struct named *n = new_name(s, s->word[1]);
	enum busway_direction direction;
	enum busway_reason reason;
	struct busway_refusal why;
	char text[96];
	int status;

	if (!n || !parse_direction(s, s->word[3], &direction))
		return false;
	n->actor = scene_actor(s->scene, s->word[2]);
	/* a live record keeps its memory: mapping it again is the driver's mistake, not ours */
	if (!n->actor || (!n->mapping.lane_ && !find_memory(s, s->word[4], n)))
		return false;
	status = busway_map(busway_dma_lane(n->actor->device, 0), n->memory, direction, 0,
			    &n->mapping, &why);
	if (status == -BUSWAY_ERANGE) {
		say_refused(s, n->actor, &why);
		return true;
	}
	if (status) {
		say_misuse(s);
		return true;
	}
	reason = count_mapping(n->actor, &n->mapping, n->memory);
	snprintf(text, sizeof(text), "%s%s%s%s, dma 0x%" PRIx64, busway_way_name(n->mapping.way),
		 reason ? " (" : "", busway_reason_code(reason), reason ? ")" : "",
		 n->mapping.dma.raw);
	say(s, text);
	return true;
}

static bool step_alloc(struct script *s)
{
	struct named *n = new_name(s, s->word[1]);
	struct busway_refusal why;
	uint64_t size;
	char text[96];
	int status;

	if (!n || !parse_value(s, s->word[3], &size))
		return false;
	n->actor = scene_actor(s->scene, s->word[2]);
	if (!n->actor)
		return false;
	status = busway_coherent_alloc(busway_dma_lane(n->actor->device, 0), size, 4096, 0,
				       &n->coherent, &why);
	if (status == -BUSWAY_ERANGE) {
		say_refused(s, n->actor, &why);
		return true;
	}
	if (status)
		return wrong(s, "no size, or there is no memory:", s->word[3]);
	n->is_coherent = true;
	n->actor->coherent++;
	n->memory = (struct busway_phys_range){n->coherent.phys, {n->coherent.phys.raw + size - 1}};
	n->has_memory = true;
	snprintf(text, sizeof(text), "dma 0x%" PRIx64, n->coherent.dma.raw);
	say(s, text);
	return true;
}

static bool step_unmap(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);

	if (!n)
		return false;
	if (busway_unmap(&n->mapping))
		say_misuse(s);
	else
		say(s, "done");
	return true;
}

static bool step_free(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);

	if (!n)
		return false;
	if (busway_coherent_free(&n->coherent))
		say_misuse(s);
	else
		say(s, "done");
	return true;
}

static bool step_sync(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);
	const bool for_cpu = strcmp(s->word[2], "cpu") == 0;
	int status;

	if (!n)
		return false;
	if (!for_cpu && strcmp(s->word[2], "device") != 0)
		return wrong(s, "neither cpu nor device:", s->word[2]);
	status = for_cpu ? busway_sync_for_cpu(&n->mapping, 0, n->mapping.size)
			 : busway_sync_for_device(&n->mapping, 0, n->mapping.size);
	if (status)
		say_misuse(s);
	else
		say(s, "done");
	return true;
}

static bool step_fill(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);
	unsigned char *bytes;
	uint64_t pattern;

	if (!n || !parse_value(s, s->word[2], &pattern))
		return false;
	bytes = malloc(size_of(n->memory));
	if (!bytes)
		return complain("out of memory") == EXIT_YES;
	busway_pattern_fill(pattern, 0, bytes, size_of(n->memory));
	busway_machine_cpu_write(s->scene->machine, n->memory.first, bytes, size_of(n->memory));
	free(bytes);
	say(s, "done");
	return true;
}

static bool step_check(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);
	unsigned char *bytes;
	uint64_t pattern;
	bool same;

	if (!n || !parse_value(s, s->word[2], &pattern))
		return false;
	bytes = malloc(size_of(n->memory));
	if (!bytes)
		return complain("out of memory") == EXIT_YES;
	busway_machine_cpu_read(s->scene->machine, n->memory.first, bytes, size_of(n->memory));
	same = busway_pattern_check(pattern, 0, bytes, size_of(n->memory)) == size_of(n->memory);
	free(bytes);
	n->actor->wrong += !same;
	say(s, same ? "as expected" : "other bytes");
	return true;
}

static bool parse_operation(const struct script *s, const char *word, uint32_t *operation)
{
	static const char *const names[] = {
		[BUSWAY_ENGINE_READ] = "read",
		[BUSWAY_ENGINE_WRITE] = "write",
		[BUSWAY_ENGINE_FILL] = "fill",
		[BUSWAY_ENGINE_VERIFY] = "verify",
	};

	for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i] && strcmp(names[i], word) == 0) {
			*operation = i;
			return true;
		}
	return wrong(s, "none of read, write, fill, verify:", word);
}

static bool run_engine(struct script *s, struct actor *actor,
		       const struct busway_engine_descriptor *descriptor)
{
	static const char *const outcomes[] = {"done", "refused by the bus", "other bytes",
					       "a bad descriptor", "a chain without end"};
	const struct busway_engine_result result = busway_engine_execute(actor->engine, descriptor);

	actor->wrong += result.status == BUSWAY_ENGINE_MISMATCH;
	busway_machine_flush(s->scene->machine, actor->id);
	say(s, outcomes[result.status]);
	return true;
}

static bool step_device(struct script *s)
{
	struct named *n = buffer(s, s->word[1]);
	struct busway_engine_descriptor d = {0};

	if (!n || !parse_operation(s, s->word[2], &d.operation) ||
	    (s->words > 3 && !parse_value(s, s->word[3], &d.pattern)))
		return false;
	d.from = d.to = n->is_coherent ? n->coherent.dma : n->mapping.dma;
	d.size = size_of(n->memory);
	return run_engine(s, n->actor, &d);
}

static bool step_access(struct script *s)
{
	struct actor *actor = scene_actor(s->scene, s->word[1]);
	struct busway_engine_descriptor d = {0};
	struct busway_range range;

	if (!actor || !parse_operation(s, s->word[2], &d.operation))
		return false;
	if (!parse_range(s->word[3], true, &range))
		return wrong(s, "no range:", s->word[3]);
	d.from = d.to = busway_dma(range.first);
	d.size = busway_range_span(range) + 1;
	return run_engine(s, actor, &d);
}

static bool step_mask(struct script *s)
{
	struct actor *actor = scene_actor(s->scene, s->word[1]);
	struct busway_refusal why;
	uint64_t bits;
	int status;

	if (!actor || !parse_value(s, s->word[2], &bits))
		return false;
	status = bits <= 64 ? busway_dma_set_mask(actor->device, (unsigned)bits, &actor->mask, &why)
			    : -BUSWAY_EINVAL;
	if (status == -BUSWAY_ERANGE)
		say_refused(s, actor, &why);
	else if (status)
		return wrong(s, "not a number of bits from 1 to 64:", s->word[2]);
	else
		say(s, "done");
	return true;
}

static const struct {
	const char *name;
	int min, max; /* words, with the name */
	bool (*run)(struct script *s);
} steps[] = {
	{"map", 5, 5, step_map},     {"unmap", 2, 2, step_unmap},   {"alloc", 4, 4, step_alloc},
	{"free", 2, 2, step_free},   {"sync", 3, 3, step_sync},     {"fill", 3, 3, step_fill},
	{"check", 3, 3, step_check}, {"device", 3, 4, step_device}, {"access", 4, 4, step_access},
	{"mask", 3, 3, step_mask},
};

/* ---- lines ---- */

static bool run_line(struct script *s, char *line)
{
	char *rest = NULL;

	line[strcspn(line, "#\r\n")] = '\0';
	s->words = 0;
	for (char *word = strtok_r(line, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (s->words == WORDS)
			return wrong(s, "too many words:", word);
		s->word[s->words++] = word;
	}
	if (!s->words)
		return true;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (strcmp(steps[i].name, s->word[0]) != 0)
			continue;
		if (s->words < steps[i].min || s->words > steps[i].max)
			return wrong(s, "too few or too many words for", s->word[0]);
		s->scene->steps++;
		return steps[i].run(s);
	}
	return wrong(s, "there is no step", s->word[0]);
}

static bool run_text(struct script *s, char *text)
{
	char *line = text;

	while (line && *line) {
		char *end = strchr(line, '\n');

		if (end)
			*end++ = '\0';
		s->line++;
		if (!run_line(s, line))
			return false;
		line = end;
	}
	return true;
}

static bool is_live(const struct named *n, const struct busway_mapping *mapping)
{
	return busway_dma_owner(n->actor->device, mapping->dma) == mapping;
}

static void say_leak(struct script *s, const struct named *n)
{
	s->scene->mistakes++;
	if (s->scene->options->format == FORMAT_TEXT && !s->scene->options->quiet)
		printf("end: %s is left live: a leak\n", n->name);
}

/* What the script left live: its records must not be outlived. */
static void give_back(struct script *s)
{
	for (size_t i = 0; i < s->count; i++) {
		struct named *n = &s->names[i];
		const bool mapped = n->actor && is_live(n, &n->mapping);
		const bool allocated = n->actor && is_live(n, &n->coherent.mapping_);

		if (mapped || allocated)
			say_leak(s, n);
		if (mapped)
			busway_unmap(&n->mapping);
		if (allocated)
			busway_coherent_free(&n->coherent);
	}
}

bool sim_script(struct scene *scene, const char *path)
{
	struct script *s = calloc(1, sizeof(*s));
	size_t size;
	char *bytes = read_file(path, &size), *text = NULL;
	bool ok = false;

	if (s && bytes)
		text = realloc(bytes, size + 1);
	if (text) {
		text[size] = '\0';
		*s = (struct script){.scene = scene, .path = path};
		ok = run_text(s, text);
		busway_machine_settle(scene->machine);
	} else if (bytes) {
		free(bytes);
		complain("out of memory");
	}
	if (s)
		give_back(s);
	free(text);
	free(s);
	return ok;
}
