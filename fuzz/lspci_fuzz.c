/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lspci_fuzz.c - any bytes as a dump of `lspci -xxxx`.
 *
 * It is read, or refused with the line that is wrong, which is one that it has. Another line feed
 * at its end and other ends of lines change nothing.
 */
#include "pci_judge.h"

static size_t lines_of(const uint8_t *data, size_t size)
{
	size_t lines = size && data[size - 1] != '\n';

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void judge_error(const struct busway_system_error *error, int status, size_t lines)
{
	unsigned long line = 0;

	must(status == -BUSWAY_EINVAL, "an error of another kind");
	must(error->file[0] && error->message[0], "an error without words");
	if (sscanf(error->file, "line %lu", &line) == 1)
		must(line >= 1 && line <= lines, "an error in a line that is not there");
	else
		must(strcmp(error->file, "dump") == 0, "an error nowhere");
}

static int read_dump(const uint8_t *data, size_t size, struct busway_system **machine)
{
	struct busway_system_error error;
	const int status = busway_system_read_lspci(data, size, &memory, machine, &error);

	if (status)
		judge_error(&error, status, lines_of(data, size));
	return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct busway_system *machine = NULL, *again = NULL;
	const int status = read_dump(data, size, &machine);
	uint8_t *longer = malloc(size + 1);

	must(longer != NULL, "no memory");
	if (size)
		memcpy(longer, data, size);
	longer[size] = '\n';
	must(read_dump(longer, size + 1, &again) == status, "a line feed more makes a difference");
	free(longer);
	if (!status) {
		const struct busway_pci *a = busway_system_pci(machine);
		const struct busway_pci *b = busway_system_pci(again);

		must(busway_pci_count(a) == busway_pci_count(b) && busway_pci_count(a) > 0,
		     "another number of functions");
		for (uint32_t i = 0; i < busway_pci_count(a); i++)
			must(memcmp(busway_pci_function(a, (busway_pci_id){i})->bars,
				    busway_pci_function(b, (busway_pci_id){i})->bars,
				    sizeof(struct busway_pci_bar) * BUSWAY_PCI_BARS) == 0,
			     "other BARs");
		judge(a);
	}
	busway_system_free(machine);
	busway_system_free(again);
	return 0;
}
