/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * machine.c - read a machine, ask it, throw it away.
 */
#include "machine_internal.h"

#include <stdio.h>
#include <string.h>

char *keep_text(struct busway_machine *machine, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = arena_take(&machine->arena, size, 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

int note_gap(struct busway_machine *machine, const char *file, const char *message)
{
	struct busway_machine_gap *gap = vector_next(&machine->arena, &machine->gaps, sizeof(*gap),
						     _Alignof(struct busway_machine_gap));

	if (!gap)
		return -BUSWAY_ENOMEM;
	*gap = (struct busway_machine_gap){keep_text(machine, file), keep_text(machine, message)};
	if (!gap->file || !gap->message)
		return -BUSWAY_ENOMEM;
	machine->gaps.count++;
	return 0;
}

int machine_error(struct busway_machine_error *error, const char *file, const char *message)
{
	snprintf(error->file, sizeof(error->file), "%s", file);
	snprintf(error->message, sizeof(error->message), "%s", message);
	return -BUSWAY_EINVAL;
}

static int create(const struct busway_allocator *memory, struct busway_machine **out)
{
	struct arena arena = {.memory = memory};
	struct busway_machine *machine =
		arena_take(&arena, sizeof(*machine), _Alignof(struct busway_machine));

	if (!machine)
		return -BUSWAY_ENOMEM;
	*machine = (struct busway_machine){.arena = arena};
	if (busway_pci_create(memory, &machine->pci)) {
		busway_machine_free(machine);
		return -BUSWAY_ENOMEM;
	}
	*out = machine;
	return 0;
}

void busway_machine_free(struct busway_machine *machine)
{
	if (machine) {
		struct arena arena = machine->arena; /* it lies in it */

		busway_pci_destroy(machine->pci);
		arena_release(&arena);
	}
}

int busway_machine_read_directory(const char *root, const struct busway_allocator *memory,
				  struct busway_machine **out, struct busway_machine_error *error)
{
	struct reading reading = {.error = error};
	int status;

	*error = (struct busway_machine_error){0};
	status = file_tree_of_directory(root, &reading.files);
	if (status)
		return machine_error(error, root, strerror(-status));
	status = create(memory, &reading.machine);
	if (!status)
		status = read_sysfs(&reading);
	if (!status)
		status = busway_pci_seal(reading.machine->pci);
	file_tree_close(reading.files);
	if (status) {
		busway_machine_free(reading.machine);
		return status;
	}
	*out = reading.machine;
	return 0;
}

const struct busway_pci *busway_machine_pci(const struct busway_machine *machine)
{
	return machine->pci;
}

const struct busway_machine_gap *busway_machine_gaps(const struct busway_machine *machine,
						     size_t *count)
{
	*count = machine->gaps.count;
	return machine->gaps.items;
}

const struct busway_machine_group *busway_machine_groups(const struct busway_machine *machine,
							 size_t *count)
{
	*count = machine->groups.count;
	return machine->groups.items;
}

enum busway_known busway_machine_cpu_zen(const struct busway_machine *machine)
{
	return machine->cpu_zen;
}
