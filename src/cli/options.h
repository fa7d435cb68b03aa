/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.h - what the files about command lines share.
 *
 *   options_table.c   which options there are
 *   options_help.c    --help
 *   options.c         a command line
 */
#ifndef BUSWAY_CLI_OPTIONS_H
#define BUSWAY_CLI_OPTIONS_H

#include "cli.h"

enum section { OWN, COMMON };

struct known_option {
	const char *name;
	int has_value;     /* as getopt has it */
	const char *value; /* its name in the help; NULL: it has none, or --format's */
	int letter;
	enum section section; /* of the help */
	const char *commands;
	bool (*take)(const char *text, struct options *options); /* NULL: parse_options() does */
	const char *help;                                        /* lines */
};

enum { KNOWN_MOST = 64 };
extern const struct known_option known_options[];
extern const int known_option_count; /* KNOWN_MOST at most */

/* Is it one of these words, with blanks between? NULL: any is. */
bool is_one_of(const char *name, const char *commands);

/* The names of the formats of @command, with '|' between; @room is enough for all. */
const char *format_names(const struct command *command, char *text, size_t room);

/* auto, always or never; complains and returns false where it is none of them. */
bool parse_color(const char *text, bool *color);

bool take_format(const struct command *command, const char *text, enum format *format);

#endif
