/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * options.c - command lines. Options and arguments may stand in any order.
 */
#include "options.h"

#include <ctype.h>
#include <getopt.h>
#include <string.h>

enum { LONG_OPTION = 256 }; /* beyond any letter: the row of the table is added to it */

/* What getopt is told: the options of this command only. */
struct grammar {
	struct option words[KNOWN_MOST + 1];
	char letters[2 * KNOWN_MOST + 2];
};

static void make_grammar(const struct command *command, struct grammar *grammar)
{
	struct option *word = grammar->words;
	char *letter = grammar->letters;

	*letter++ = ':';
	for (int i = 0; i < known_option_count; i++) {
		const struct known_option *option = &known_options[i];

		if (!is_one_of(command->name, option->commands))
			continue;
		*word++ = (struct option){option->name, option->has_value, NULL, LONG_OPTION + i};
		if (option->letter) {
			*letter++ = (char)option->letter;
			if (option->has_value)
				*letter++ = ':';
		}
	}
	*word = (struct option){0};
	*letter = '\0';
}

/* Which row does the value of getopt stand for? */
static const struct known_option *row_of(const struct command *command, int option)
{
	if (option >= LONG_OPTION)
		return &known_options[option - LONG_OPTION];
	for (int i = 0; i < known_option_count; i++)
		if (known_options[i].letter == option &&
		    is_one_of(command->name, known_options[i].commands))
			return &known_options[i];
	return NULL;
}

/* The word "--NAME=VALUE" is of no option of @command: of one of another, of several, of none? */
static void complain_of_word(const struct command *command, const char *word)
{
	const int length = (int)strcspn(word, "=");
	const char *name = word + 2;
	const size_t name_length = (size_t)length - 2;
	const char *first = NULL;

	for (int i = 0; i < known_option_count; i++) {
		const struct known_option *option = &known_options[i];

		if (strncmp(option->name, name, name_length) != 0)
			continue;
		if (!is_one_of(command->name, option->commands)) {
			if (option->name[name_length])
				continue;
			complain("%s does not take --%s, which is for: %s", command->name,
				 option->name, option->commands);
			return;
		}
		if (first) {
			complain("%s: '%.*s' could be --%s or --%s", command->name, length, word,
				 first, option->name);
			return;
		}
		first = option->name;
	}
	complain("%s: there is no option '%.*s'; see busway %s --help", command->name, length, word,
		 command->name);
}

/* getopt's own words name the program by argv[0]; ours name the option. */
static void complain_of_option(const struct command *command, int problem, const char *word)
{
	char letter[8];
	const struct known_option *option = optopt >= LONG_OPTION ? row_of(command, optopt) : NULL;

	snprintf(letter, sizeof(letter), isprint((unsigned char)optopt) ? "-%c" : "-\\x%02x",
		 (unsigned char)optopt);
	if (!optopt)
		complain_of_word(command, word);
	else if (problem == ':')
		complain("%s: '%s%s' wants a value; see busway %s --help", command->name,
			 option ? "--" : letter, option ? option->name : "", command->name);
	else if (option)
		complain("%s: '--%s' takes no value; see busway %s --help", command->name,
			 option->name, command->name);
	else
		complain("%s: there is no option '%s'; see busway %s --help", command->name, letter,
			 command->name);
}

int print_version(void)
{
	printf("busway %s\n", busway_version());
	return finish_output(EXIT_YES);
}

static bool has_right_count(const struct command *command, const struct options *options)
{
	const int given = options->argument_count, max = command->max_arguments;

	if (given < command->min_arguments)
		complain("%s: %s; usage: busway %s [OPTIONS] %s", command->name,
			 given ? "something is missing" : "PLATFORM is missing", command->name,
			 command->arguments);
	else if (max >= 0 && given > max)
		complain("%s: '%s' is too much; usage: busway %s [OPTIONS] %s", command->name,
			 options->arguments[max], command->name, command->arguments);
	else
		return true;
	return false;
}

bool parse_options(const struct command *command, int argc, char **argv, struct options *options,
		   int *status)
{
	struct grammar grammar;
	int option;

	*options = (struct options){
		.mask = 64,
		.access = BUSWAY_WRITE,
		.align = 4096,
		.fail_on = FAIL_ON_ERROR,
		.pool = 4 << 20,
	};
	parse_color("auto", &options->color);
	*status = EXIT_BAD;
	make_grammar(command, &grammar);
	opterr = 0;
	while ((option = getopt_long(argc, argv, grammar.letters, grammar.words, NULL)) != -1) {
		const struct known_option *row;

		if (option == '?' || option == ':') {
			complain_of_option(command, option, argv[optind - 1]);
			return false;
		}
		row = row_of(command, option);
		if (strcmp(row->name, "help") == 0 || strcmp(row->name, "version") == 0) {
			*status = row->name[0] == 'h' ? print_help(command) : print_version();
			return false;
		}
		if (row->take ? !row->take(optarg, options)
			      : !take_format(command, optarg, &options->format))
			return false;
	}
	if (!options->has_coherent_mask)
		options->coherent_mask = options->mask;
	options->arguments = argv + optind;
	options->argument_count = argc - optind;
	return has_right_count(command, options);
}
