/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options_help.c - what --help tells of a command.
 */
#include "options.h"

#include <string.h>

static void print_option(const struct command *command, const struct known_option *option)
{
	enum { COLUMN = 27 };
	char names[80];
	const char *value = option->value;
	const char *line = option->help;
	int width;

	if (option->has_value && !value)
		value = format_names(command, names, sizeof(names));
	width = printf("  ");
	if (option->letter)
		width += printf("-%c, ", option->letter);
	width += printf("--%s%s%s", option->name, value ? " " : "", value ? value : "");
	if (width > COLUMN - 2) {
		putchar('\n');
		width = 0;
	}
	while (*line) {
		const int length = (int)strcspn(line, "\n");

		printf("%*s%.*s\n", COLUMN - width, "", length, line);
		line += length + (line[length] != '\0');
		width = 0;
	}
}

static void print_section(const struct command *command, enum section section, const char *title)
{
	bool any = false;

	for (int i = 0; i < known_option_count; i++) {
		const struct known_option *option = &known_options[i];

		if (option->section != section || !is_one_of(command->name, option->commands))
			continue;
		if (!any)
			printf("\n%s:\n", title);
		any = true;
		print_option(command, option);
	}
}

int print_help(const struct command *command)
{
	printf("Usage: busway %s [OPTIONS] %s\n\n%s\n%s", command->name, command->arguments,
	       command->summary, command->help);
	print_section(command, OWN, "Options");
	print_section(command, COMMON, "Common options");
	fputs("\nNumbers are decimal, or 0x and hex, with _ between digits and K, M, G or T "
	      "behind.\n"
	      "A range is ADDR+LEN or FIRST-LAST (inclusive).\n",
	      stdout);
	printf("Exit status: %s, 2 bad usage or unreadable input.\n",
	       command->statuses ? command->statuses : "0 yes, 1 no (refused, unreachable)");
	return finish_output(EXIT_YES);
}
