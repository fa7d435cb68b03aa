/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system.c - read a machine, ask it, throw it away.
 */
#include "system_platform.h"

#include "files_archive.h"
#include "lspci.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

char *keep_text(struct busway_system *machine, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = arena_take(&machine->arena, size, 1);

	if (copy)
		memcpy(copy, text, size);
	return copy;
}

int note_gap(struct busway_system *machine, const char *file, const char *message)
{
	struct busway_system_gap *gap = vector_next(&machine->arena, &machine->gaps, sizeof(*gap),
						    _Alignof(struct busway_system_gap));

	if (!gap)
		return -BUSWAY_ENOMEM;
	*gap = (struct busway_system_gap){keep_text(machine, file), keep_text(machine, message)};
	if (!gap->file || !gap->message)
		return -BUSWAY_ENOMEM;
	machine->gaps.count++;
	return 0;
}

int system_error(struct busway_system_error *error, const char *file, const char *message)
{
	snprintf(error->file, sizeof(error->file), "%s", file);
	snprintf(error->message, sizeof(error->message), "%s", message);
	return -BUSWAY_EINVAL;
}

static int create(const struct busway_allocator *memory, struct busway_system **out)
{
	struct arena arena = {.memory = memory};
	struct busway_system *machine =
		arena_take(&arena, sizeof(*machine), _Alignof(struct busway_system));

	if (!machine)
		return -BUSWAY_ENOMEM;
	*machine = (struct busway_system){.arena = arena};
	if (busway_pci_create(memory, &machine->pci)) {
		busway_system_free(machine);
		return -BUSWAY_ENOMEM;
	}
	*out = machine;
	return 0;
}

void busway_system_free(struct busway_system *machine)
{
	if (machine) {
		struct arena arena = machine->arena; /* it lies in it */

		busway_platform_destroy(machine->platform);
		busway_pci_destroy(machine->pci);
		arena_release(&arena);
	}
}

/* Seal the machine, make a platform of it and hand it out, or throw it away. */
static int finish(struct reading *reading, int status, struct busway_system **out)
{
	if (!status)
		status = busway_pci_seal(reading->machine->pci);
	if (!status)
		status = build_platform(reading);
	if (status) {
		busway_system_free(reading->machine);
		return status;
	}
	*out = reading->machine;
	return 0;
}

int read_machine(struct file_tree *files, const struct busway_allocator *memory,
		 struct busway_system **out, struct busway_system_error *error)
{
	struct reading reading = {.files = files, .error = error};
	int status = create(memory, &reading.machine);

	if (!status)
		status = enter_sysfs_root(&reading);
	if (!status)
		status = read_sysfs(&reading);
	if (!status)
		status = read_cpuinfo(&reading);
	status = finish(&reading, status, out);
	file_tree_close(files);
	return status;
}

int busway_system_read_directory(const char *root, const struct busway_allocator *memory,
				 struct busway_system **out, struct busway_system_error *error)
{
	struct file_tree *files;
	int status;

	*error = (struct busway_system_error){0};
	status = file_tree_of_directory(root, memory, &files);
	if (status)
		return status == -ENOMEM ? -BUSWAY_ENOMEM
					 : system_error(error, root, strerror(-status));
	return read_machine(files, memory, out, error);
}

int busway_system_read_archive(const void *data, size_t size, const struct busway_allocator *memory,
			       struct busway_system **out, struct busway_system_error *error)
{
	struct file_tree *files;
	int status;

	*error = (struct busway_system_error){0};
	status = file_tree_of_archive(data, size, memory, &files, error);
	return status ? status : read_machine(files, memory, out, error);
}

int busway_system_read_lspci(const void *data, size_t size, const struct busway_allocator *memory,
			     struct busway_system **out, struct busway_system_error *error)
{
	struct reading reading = {.error = error};
	int status;

	*error = (struct busway_system_error){0};
	status = create(memory, &reading.machine);
	if (!status)
		status = read_lspci(reading.machine, data, size, error);
	return finish(&reading, status, out);
}

enum busway_system_form busway_system_form(const void *data, size_t size)
{
	if (looks_like_archive(data, size))
		return BUSWAY_SYSTEM_ARCHIVE;
	return looks_like_lspci(data, size) ? BUSWAY_SYSTEM_LSPCI : BUSWAY_SYSTEM_NONE;
}

const struct busway_pci *busway_system_pci(const struct busway_system *machine)
{
	return machine->pci;
}

const struct busway_platform *busway_system_platform(const struct busway_system *machine)
{
	return machine->platform;
}

struct busway_platform *busway_system_edit_platform(struct busway_system *machine)
{
	return machine->platform;
}

const void *busway_system_tree(const struct busway_system *machine, size_t *size)
{
	*size = machine->tree_size;
	return machine->tree;
}

const struct busway_system_gap *busway_system_gaps(const struct busway_system *machine,
						   size_t *count)
{
	*count = machine->gaps.count;
	return machine->gaps.items;
}

const struct busway_system_group *busway_system_groups(const struct busway_system *machine,
						       size_t *count)
{
	*count = machine->groups.count;
	return machine->groups.items;
}

const struct busway_system_reservation *busway_system_reservations(
	const struct busway_system *machine, size_t *count)
{
	*count = machine->reserved.count;
	return machine->reserved.items;
}

enum busway_known busway_system_cpu_zen(const struct busway_system *machine)
{
	return machine->cpu_zen;
}
