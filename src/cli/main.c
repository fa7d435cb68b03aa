/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - the busway command: which subcommands there are.
 */
#include "cli.h"

#include <string.h>

static const struct command *const commands[] = {
	&command_show, &command_why, &command_map, &command_alloc, &command_check, &command_bench,
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
	      "with dtc), or - for standard input. Examples:\n\n"
	      "  busway show board.dtb\n"
	      "  busway why  board.dtb pcie@7d500000 0x4000_0000+4K\n"
	      "  busway map  board.dtb mmc@7e340000 0x8000_0000+64K --mask 32\n\n"
	      "busway COMMAND --help tells more of each; the manual is busway(1).\n",
	      out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	struct options options;
	int status;

	if (!name) {
		print_usage(stderr);
		return EXIT_BAD;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) {
		print_usage(stdout);
		return finish_output(EXIT_YES);
	}
	if (strcmp(name, "--version") == 0) {
		printf("busway %s\n", busway_version());
		return finish_output(EXIT_YES);
	}
	for (int i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i]->name, name) != 0)
			continue;
		if (!parse_options(commands[i], argc - 1, argv + 1, &options, &status))
			return status;
		return commands[i]->run(&options);
	}
	return complain("there is no command '%s'; see busway --help", name);
}
