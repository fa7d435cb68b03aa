/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * check_files.c - which files the arguments of "busway check" mean.
 */
#include "check.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool add(struct file_list *list, char *name)
{
	if (list->count == list->capacity) {
		const size_t capacity = list->capacity ? list->capacity * 2 : 64;
		char **names = realloc(list->names, capacity * sizeof(*names));

		if (!names)
			return false;
		list->names = names;
		list->capacity = capacity;
	}
	list->names[list->count++] = name;
	return true;
}

static bool ends_with(const char *name, const char *end)
{
	const size_t length = strlen(name), end_length = strlen(end);

	return length > end_length && strcmp(name + length - end_length, end) == 0;
}

static bool is_folder(const char *path)
{
	struct stat info;

	return strcmp(path, "-") != 0 && stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Is @folder/@name/sys/bus/pci/devices there? */
static bool has_devices(const char *folder, const char *name)
{
	char *devices = NULL;
	struct stat info;
	bool has = asprintf(&devices, "%s/%s/sys/bus/pci/devices", folder, name) >= 0;

	if (!has)
		return false;
	has = stat(devices, &info) == 0;
	free(devices);
	return has;
}

/* A folder that is a recorded machine: sys/ is in it, or in its only folder. */
static bool is_machine(const char *path)
{
	struct dirent **entries = NULL;
	int count, found = 0;

	if (has_devices(path, "."))
		return true;
	count = scandir(path, &entries, NULL, NULL);
	for (int i = 0; i < count; i++) {
		found += entries[i]->d_name[0] != '.' && has_devices(path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return found == 1;
}

/* A source beside its compiled tree says the same again. */
static bool has_compiled(const char *path)
{
	char *compiled = strdup(path);
	struct stat info;
	bool has = false;

	if (compiled) {
		memcpy(compiled + strlen(compiled) - 1, "b", 1);
		has = stat(compiled, &info) == 0;
	}
	free(compiled);
	return has;
}

static bool add_folder(struct file_list *list, const char *folder, int depth);

static bool add_entry(struct file_list *list, const char *folder, const struct dirent *entry,
		      int depth)
{
	const size_t size = strlen(folder) + strlen(entry->d_name) + 2;
	const char *slash = folder[strlen(folder) - 1] == '/' ? "" : "/";
	char *path = malloc(size);
	bool good = path != NULL;

	if (!good) {
		complain("out of memory");
		return false;
	}
	snprintf(path, size, "%s%s%s", folder, slash, entry->d_name);
	if (entry->d_type != DT_LNK && is_folder(path)) {
		good = add_folder(list, path, depth + 1);
	} else if (ends_with(path, ".dtb") || (ends_with(path, ".dts") && !has_compiled(path))) {
		good = add(list, path);
		path = good ? NULL : path;
	}
	free(path);
	return good;
}

static bool add_folder(struct file_list *list, const char *folder, int depth)
{
	enum { DEPTH_MAX = 64 };
	struct dirent **entries = NULL;
	const int count = depth < DEPTH_MAX ? scandir(folder, &entries, NULL, alphasort) : 0;
	bool good = true;

	if (count < 0) {
		complain("%s: %s", folder, strerror(errno));
		return false;
	}
	for (int i = 0; i < count; i++) {
		if (good && entries[i]->d_name[0] != '.')
			good = add_entry(list, folder, entries[i], depth);
		free(entries[i]);
	}
	free(entries);
	return good;
}

bool list_files(char **arguments, int count, struct file_list *list)
{
	for (int i = 0; i < count; i++) {
		const size_t had = list->count;
		char *name;

		if (is_folder(arguments[i]) && !is_machine(arguments[i])) {
			if (!add_folder(list, arguments[i], 0))
				return false;
			if (list->count == had) {
				complain("%s: no *.dtb and no *.dts in this folder", arguments[i]);
				return false;
			}
			continue;
		}
		name = strdup(arguments[i]);
		if (!name || !add(list, name)) {
			free(name);
			complain("out of memory");
			return false;
		}
	}
	return true;
}

void free_files(struct file_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
}
