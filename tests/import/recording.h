/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recording.h - a recorded machine, made file by file: as a tree in memory, an archive or a
 * directory.
 */
#ifndef BUSWAY_TEST_RECORDING_H
#define BUSWAY_TEST_RECORDING_H

#include "../support/test.h"
#include "../support/test_memory.h"

#include "../../src/import/system_internal.h"

enum { CONFIG_ALL = 4096 };

struct recorded {
	char *path, *content;
	size_t size;
	enum file_kind kind;
};

struct recording {
	struct recorded *files;
	size_t count;
};

void record(struct recording *r, const char *path, enum file_kind kind, const void *content,
	    size_t size);
void record_text(struct recording *r, const char *path, const char *text);
void record_link(struct recording *r, const char *path, const char *target);

/* Take out all files whose path begins with @path. How many were there. */
size_t record_without(struct recording *r, const char *path);
void recording_free(struct recording *r);

/*
 * A function at the end of @path, "pci0000:00/0000:00:01.0": its link, its configuration space and
 * the files that go with it.
 */
void record_function(struct recording *r, const char *path, const uint8_t *config, size_t size);

/* Configuration spaces of @config[CONFIG_ALL]: an endpoint with a BAR at @bar; a port of @type. */
void make_endpoint(uint8_t *config, uint32_t bar);
void make_port(uint8_t *config, unsigned type, unsigned bus, unsigned secondary,
	       unsigned subordinate);

/* Two root ports; below the first a switch with two endpoints, below the second a third one. */
void record_switch(struct recording *r);

struct file_tree *recording_tree(const struct recording *r, const struct busway_allocator *memory);

/* A tar archive in memory that malloc gave; @filter: "none", "gzip", "xz". */
uint8_t *recording_archive(const struct recording *r, const char *filter, size_t *size);

/* A new temporary directory with all of it in it. */
void recording_directory(const struct recording *r, char path[64]);
void directory_remove(const char *path);

/* Read it as a machine, from memory. */
int read_recording(const struct recording *r, struct test_memory *memory,
		   struct busway_system **machine, struct busway_system_error *error);

/* The function "0000:01:00.0" of a machine, or the test fails. */
const struct busway_pci_function *function_at(const struct busway_system *machine,
					      const char *name);
/* The name of what is above it, or "". */
const char *above_of(const struct busway_system *machine, const char *name);

/* Is there a gap whose file ends in @file and whose message has @words in it? */
bool has_gap(const struct busway_system *machine, const char *file, const char *words);

#endif
