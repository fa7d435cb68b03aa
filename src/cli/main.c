/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the busway command: which subcommands there are.
 */
#include "cli.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct command *const commands[] = {
	&command_show,  &command_why, &command_map, &command_alloc,
	&command_check, &command_p2p, &command_sim, &command_bench,
};

enum { COMMAND_COUNT = sizeof(commands) / sizeof(commands[0]) };

static void print_usage(FILE *out)
{
	fputs("busway gives every DMA-capable device an address that it can really reach,\n"
	      "and refuses, with the reason, when there is none.\n\n"
	      "Usage: busway COMMAND [OPTIONS] PLATFORM [ARGUMENTS]\n\n",
	      out);
	for (int i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-6s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nPLATFORM is a flattened device tree (*.dtb), a device-tree source (*.dts, "
	      "compiled\n"
	      "with dtc), a machine (live, a recorded sys/ tree as a directory or a tar file, "
	      "the\n"
	      "output of lspci -xxxx), or - for standard input. Examples:\n\n"
	      "  busway show board.dtb\n"
	      "  busway why  board.dtb pcie@7d500000 0x4000_0000+4K\n"
	      "  busway map  board.dtb mmc@7e340000 0x8000_0000+64K --mask 32\n"
	      "  busway p2p  live\n\n"
	      "busway help COMMAND tells more of each; the manual is busway(1).\n",
	      out);
}

static const struct command *find_command(const char *name)
{
	for (int i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	complain("there is no command '%s'; see busway --help", name);
	return NULL;
}

/* "help" and "help COMMAND" */
static int help(int argc, char **argv)
{
	const struct command *command = argc > 2 ? find_command(argv[2]) : NULL;

	if (argc > 3)
		return complain("%s: '%s' is too much; say busway help COMMAND", argv[1], argv[3]);
	if (command)
		return print_help(command);
	if (argc > 2)
		return EXIT_BAD;
	print_usage(stdout);
	return finish_output(EXIT_YES);
}

/* A standard stream that is closed stays unusable: no file that is opened takes its number. */
static void hold_standard_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 &&
		    open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			return;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct command *command;
	struct options options;
	int status;

	hold_standard_streams();
	if (!name) {
		print_usage(stderr);
		return EXIT_BAD;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0)
		return help(argc, argv);
	if (strcmp(name, "--version") == 0) {
		if (argc > 2)
			return complain("--version: '%s' is too much", argv[2]);
		return print_version();
	}
	command = find_command(name);
	if (!command || !parse_options(command, argc - 1, argv + 1, &options, &status))
		return command ? status : EXIT_BAD;
	return command->run(&options);
}
