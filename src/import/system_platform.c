/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * system_platform.c - from functions, files and a device tree to a platform, step by step.
 */
#include "system_platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 64 << 20 };

char *read_whole(struct building *b, struct arena *arena, const char *path, size_t *size)
{
	size_t capacity = 16 * 1024;

	for (;; capacity *= 4) {
		char *text = arena_take(arena, capacity, _Alignof(max_align_t));
		long got;

		if (!text)
			return NULL;
		got = file_read(b->files, path, text, capacity - 1);
		if (got < 0)
			return NULL;
		if ((size_t)got < capacity - 1 || capacity >= FILE_MAX) {
			text[got] = 0;
			*size = (size_t)got;
			return text;
		}
	}
}

char *next_line(char **text)
{
	char *line = *text + strspn(*text, "\n"), *end = line + strcspn(line, "\n");

	*text = *end ? end + 1 : end;
	*end = 0;
	return *line ? line : NULL;
}

const struct busway_note *system_note(struct building *b, enum busway_note_code code,
				      const char *node, const char *property,
				      const struct busway_note *next)
{
	struct busway_note *note = busway_platform_keep(b->machine->platform, sizeof(*note),
							_Alignof(struct busway_note));

	if (note)
		*note = (struct busway_note){code, node, property, UINT32_MAX, next};
	return note;
}

/* A line of sys/class/dmi/id, added to @text. */
static void add_word(struct building *b, const char *file, char *text, size_t size)
{
	const size_t used = strlen(text);
	char path[64], word[96];
	long got;

	snprintf(path, sizeof(path), "sys/class/dmi/id/%s", file);
	got = file_read(b->files, path, word, sizeof(word) - 1);
	if (got <= 0)
		return;
	word[got] = 0;
	word[strcspn(word, "\n")] = 0;
	snprintf(text + used, size - used, "%s%s", used ? " " : "", word);
}

static int describe(struct building *b)
{
	char text[256] = "";
	const char *model;

	add_word(b, "sys_vendor", text, sizeof(text));
	add_word(b, "product_name", text, sizeof(text));
	model = keep_text(b->machine, text);
	if (!model)
		return -BUSWAY_ENOMEM;
	busway_platform_describe(b->machine->platform, model, NULL, 0);
	return 0;
}

/* What no device tree describes. */
static int make_platform(struct building *b)
{
	int status = busway_platform_create(b->machine->arena.memory, &b->machine->platform);

	if (!status)
		status = find_host_windows(b);
	if (!status)
		status = describe(b);
	if (!status)
		status = add_memory(b);
	if (!status)
		status = add_hosts(b);
	return status ? status : busway_platform_seal(b->machine->platform);
}

static int build(struct building *b)
{
	int status = read_iomem(b);

	if (!status)
		status = find_x86(b);
	if (!status)
		status = read_groups(b);
	if (!status)
		status = read_units(b);
	if (!status)
		status = read_acpi(b);
	if (!status)
		status = find_host_paths(b);
	if (!status)
		status = import_tree(b);
	b->from_tree = b->machine->platform != NULL;
	if (!status && !b->from_tree)
		status = make_platform(b);
	if (!status)
		status = add_functions(b);
	return status ? status : say_unknown_widths(b);
}

/* ---- a source without files, as a dump is ---- */

static long nothing_to_read(struct file_tree *tree, const char *path, void *buf, size_t size)
{
	(void)tree, (void)path, (void)buf, (void)size;
	return -ENOENT;
}

static long nothing_linked(struct file_tree *tree, const char *path, char *buf, size_t size)
{
	(void)tree, (void)path;
	if (size)
		buf[0] = 0;
	return -ENOENT;
}

static int nothing_to_list(struct file_tree *tree, const char *path,
			   int (*each)(void *ctx, const char *name), void *ctx)
{
	(void)tree, (void)path, (void)each, (void)ctx;
	return -ENOENT;
}

static void nothing_to_close(struct file_tree *tree)
{
	(void)tree;
}

static const struct file_tree_calls no_calls = {
	.read = nothing_to_read,
	.link = nothing_linked,
	.list = nothing_to_list,
	.close = nothing_to_close,
};

int build_platform(struct reading *reading)
{
	struct file_tree none = {.calls = &no_calls};
	struct building b = {
		.machine = reading->machine,
		.files = reading->files ? reading->files : &none,
		.work = {.memory = reading->machine->arena.memory},
	};
	int status = build(&b);

	/* what found no memory on the way may have been taken for "not there" */
	if (!status && (b.work.failed || b.machine->arena.failed))
		status = -BUSWAY_ENOMEM;
	arena_release(&b.work);
	return status;
}
