/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check.h - what the parts of "busway check" share.
 *
 *   check.c         the command
 *   check_files.c   which files the arguments mean
 *   check_run.c     many files at once, in threads
 *   suppress.c      findings that the user does not want to see
 *   check_place.c   the line of a source that a finding is about
 *   check_text.c, check_json.c, check_sarif.c   the answer
 *   pages           the documentation of each code, from docs/check (made when building)
 */
#ifndef BUSWAY_CLI_CHECK_H
#define BUSWAY_CLI_CHECK_H

#include "../cli.h"

#include <busway/check.h>

/* The files to check, in the order of the arguments, folders sorted by name. */
struct file_list {
	char **names;
	size_t count, capacity;
};

/* What was found in one file. */
struct checked {
	const char *source;
	bool readable;
	struct loaded loaded;       /* what was checked; empty where it could not be read */
	struct busway_check *check; /* NULL where the file could not be read */
	const struct busway_finding *findings;
	size_t count;
	bool *suppressed; /* for each */
	char *places;     /* read_places(), where the answer wants it */
};

struct suppression {
	char *code, *node; /* node NULL: any */
};

struct suppressions {
	struct suppression *items;
	size_t count;
};

struct tally {
	size_t files, unreadable;
	size_t by_severity[3]; /* not suppressed */
	size_t suppressed;
};

/* Expand @count arguments; complains and returns false where one cannot be read as a folder. */
bool list_files(char **arguments, int count, struct file_list *list);
void free_files(struct file_list *list);

bool read_suppressions(const struct options *options, struct suppressions *out);
void free_suppressions(struct suppressions *suppressions);

/* Does one of @suppressions cover it? Threads: any number. */
bool is_suppressed(const struct suppressions *suppressions, const struct busway_finding *finding);

/* Check all files; @results has one for each, in the order of @list. */
bool check_files(const struct file_list *list, const struct suppressions *suppressions,
		 const struct options *options, struct checked *results);
void free_results(struct checked *results, size_t count);

struct tally count_findings(const struct checked *results, size_t count);

int check_text(const struct checked *results, size_t count, const struct options *options,
	       int status);
int check_json(const struct checked *results, size_t count, int status);
int check_sarif(const struct checked *results, size_t count, int status);

/* Where a property of a node stands in a source; of a node, or of a missing property, the node. */
struct place {
	const char *file; /* not terminated; NULL: the source itself */
	int file_length;
	unsigned line; /* from 1 */
};

/* @places is a text from read_places(), or NULL. Without an answer: line 1 of the source itself. */
struct place find_place(const char *places, const char *node, const char *property);

/* The page of a code, as Markdown. */
struct check_page {
	const char *code, *text;
};

extern const struct check_page check_pages[BUSWAY_FINDING_COUNT];

#endif
