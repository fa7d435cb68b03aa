/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * script.h - what the parts of a scripted run share.
 *
 *   script.c          the file: all of it is read before anything is done, then step by step
 *   script_words.c    words of a line, as a step; and what is wrong with them
 *   script_say.c      what became of a step, for people and for JSON
 *   script_map.c      steps that map, sync and unmap
 *   script_memory.c   steps that allocate, and what CPU and devices do to bytes
 *   script_device.c   steps about a whole device
 *   script_iommu.c    steps about the domain of a device
 *
 * A line that makes no sense is told with file, line and word, and nothing is run. What a step that
 * makes sense leads to is told, good or bad, and the script goes on.
 */
#ifndef BUSWAY_CLI_SCRIPT_H
#define BUSWAY_CLI_SCRIPT_H

#include "sim.h"

enum { ENTRIES_MAX = 16, SEGMENTS_MAX = 256, NAME_LENGTH = 32 };

/* Memory as it is written: a range, or a size for which memory is taken. */
struct wanted_memory {
	bool is_size;
	uint64_t size;
	struct busway_range range;
};

/* Who keeps an entry of a buffer's memory from others. */
enum holder { HELD_BY_LIBRARY, TAKEN, CLAIMED };

/* What a script calls by a name: a buffer, a list, coherent memory, blocks, or one of them. */
struct named {
	struct named *next;
	char name[NAME_LENGTH];
	struct actor *actor; /* that it was last used with; NULL: none yet */
	struct busway_mapping mapping;
	struct busway_mapped segments[SEGMENTS_MAX]; /* of a list */
	struct busway_coherent coherent;
	struct busway_blocks *blocks;
	uint64_t block_size;
	struct named *block_of; /* the blocks that the block came from */
	/* mapped; in line, and told that its turn has come; allocated; a block that is out */
	bool live, waits, has_turn, allocated, is_out;
	/* its memory: the driver's view, */
	struct busway_phys_range memory[ENTRIES_MAX];
	size_t memory_count;
	enum holder held[ENTRIES_MAX];
	/* and the device's, also after it was unmapped: devices do not hear of that */
	struct busway_dma_range seen[SEGMENTS_MAX];
	size_t seen_count;
};

struct script;
struct step_kind;

/* A line, understood. */
struct step {
	const struct step_kind *kind;
	unsigned line;
	char *text;
	struct named *name, *other;
	struct actor *actor;
	enum busway_direction direction;
	unsigned attributes;
	struct wanted_memory memory[ENTRIES_MAX];
	size_t memory_count;
	bool has_range, for_cpu, atomic;
	struct busway_range range;
	uint64_t number;
	uint32_t operation; /* enum busway_engine_operation */
};

/* What may stand at a place of a line. */
struct word_kind {
	bool (*parse)(struct script *s, const char *word, struct step *step);
	int least, most;
};

enum { PLACES_MAX = 6 };

struct step_kind {
	const char *name, *usage; /* what follows the name */
	struct word_kind words[PLACES_MAX];
	void (*run)(struct script *s, const struct step *step);
};

struct script {
	struct scene *scene;
	const char *path;
	unsigned line;
	struct named *names;
	struct step *steps;
	size_t count;
	const struct step *step; /* that is being done */
	uint64_t violations;     /* that were there before it */
};

/* ---- script_words.c: each complains and returns false where the word makes no sense ---- */

bool new_name(struct script *s, const char *word, struct step *step);
bool old_name(struct script *s, const char *word, struct step *step);
bool other_name(struct script *s, const char *word, struct step *step);
bool device_word(struct script *s, const char *word, struct step *step);
bool direction_word(struct script *s, const char *word, struct step *step);
bool memory_word(struct script *s, const char *word, struct step *step);
bool attribute_word(struct script *s, const char *word, struct step *step);
bool range_word(struct script *s, const char *word, struct step *step);
bool number_word(struct script *s, const char *word, struct step *step);
bool bits_word(struct script *s, const char *word, struct step *step);
bool side_word(struct script *s, const char *word, struct step *step);
bool operation_word(struct script *s, const char *word, struct step *step);
bool atomic_word(struct script *s, const char *word, struct step *step);

/* "FILE:LINE: @what '@word'"; false. */
bool script_wrong(const struct script *s, const char *what, const char *word);

/* A line as a step; true for an empty one, whose .kind stays NULL. */
bool parse_line(struct script *s, char *line, struct step *step);

/* The steps that there are; NULL behind the last one. */
const struct step_kind *script_kind(size_t index);

/* ---- script_say.c ---- */

void say(struct script *s, const char *what);
void say_format(struct script *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The DMA API took it for misuse. */
void say_misuse(struct script *s);

/* The step cannot be done, by nobody's fault but the script's. */
void say_mistake(struct script *s, const char *what);

/* As say(), with the lines of @text and the array @runs behind; takes both. */
void say_runs(struct script *s, const char *what, char *text, json_t *runs);

void say_refused(struct script *s, struct actor *actor, const struct busway_refusal *why);

/* Behind the last step: @name is left live, or waits. */
void say_left(struct script *s, const struct named *name, const char *how);

/* ---- script_map.c ---- */

/* The memory of @name is given back: it has none. */
void drop_memory(struct script *s, struct named *name);

void step_map(struct script *s, const struct step *step);
void step_map_list(struct script *s, const struct step *step);
void step_map_peer(struct script *s, const struct step *step);
void step_map_or_wait(struct script *s, const struct step *step);
void step_cancel(struct script *s, const struct step *step);
void step_unmap(struct script *s, const struct step *step);
void step_unmap_list(struct script *s, const struct step *step);
void step_sync(struct script *s, const struct step *step);

/* Those whose turn it is are mapped, as their drivers would do on being told. */
void map_turns(struct script *s);

/* ---- script_memory.c ---- */

void step_alloc(struct script *s, const struct step *step);
void step_free(struct script *s, const struct step *step);
void step_blocks(struct script *s, const struct step *step);
void step_take(struct script *s, const struct step *step);
void step_give(struct script *s, const struct step *step);
void step_fill(struct script *s, const struct step *step);
void step_check(struct script *s, const struct step *step);
void step_device(struct script *s, const struct step *step);
void step_access(struct script *s, const struct step *step);

/* ---- script_device.c ---- */

void step_mask(struct script *s, const struct step *step);
void step_coherent_mask(struct script *s, const struct step *step);
void step_detach(struct script *s, const struct step *step);
void step_abandon(struct script *s, const struct step *step);
void step_quiet(struct script *s, const struct step *step);
void step_attach(struct script *s, const struct step *step);

/* What the script left behind is told, and taken back: its records must not be outlived. */
void give_everything_back(struct script *s);

/* The lane of the step's device; tells and returns NULL where no driver has it. */
struct busway_lane *lane_for(struct script *s, struct actor *actor);

/* What the device sees of @name from now on. */
void set_seen(struct named *name, const struct busway_mapping *mapping);

/* ---- script_iommu.c ---- */

void step_tables(struct script *s, const struct step *step);
void step_flush(struct script *s, const struct step *step);

#endif
