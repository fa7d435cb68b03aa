/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs.c - the sysfs of a Linux machine: where it is, and the PCI functions in it.
 */
#include "system_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ---- where it is ---- */

/* Folders with sys/ in them. */
struct search {
	struct file_tree *files;
	char name[256]; /* of the first one */
	unsigned count;
};

static int stop(void *ctx, const char *name)
{
	(void)ctx;
	(void)name;
	return 1;
}

static bool is_folder(struct file_tree *files, const char *path)
{
	return file_list(files, path, stop, NULL) >= 0;
}

static int look_into(void *ctx, const char *name)
{
	struct search *search = ctx;
	char path[sizeof(search->name) + 8];
	const size_t length = strlen(name);

	if (length >= sizeof(search->name))
		return 0;
	snprintf(path, sizeof(path), "%s/sys", name);
	if (is_folder(search->files, path) && search->count++ == 0)
		memcpy(search->name, name, length + 1);
	return 0;
}

int enter_sysfs_root(struct reading *reading)
{
	struct search search = {.files = reading->files};
	int status;

	if (is_folder(reading->files, "sys"))
		return 0;
	status = file_list(reading->files, ".", look_into, &search);
	if (!status && search.count > 1)
		return system_error(reading->error, "sys",
				    "in several folders: say the one that is meant");
	if (!status && search.count == 1)
		status = file_tree_enter(reading->files, search.name);
	if (status == -ENOSYS)
		return system_error(reading->error, ".",
				    "links cannot be kept inside before Linux 5.6 (openat2): "
				    "make a tar file of it");
	if (status)
		return system_error(reading->error, ".", strerror(-status));
	return search.count ? 0
			    : system_error(reading->error, "sys",
					   "not there: no directory of a recorded machine");
}

/* ---- its functions ---- */

int read_sysfs(struct reading *reading)
{
	struct vector entries = {0};
	int status = list_functions(reading, &entries);

	for (size_t i = 0; !status && i < entries.count; i++)
		status = read_function(reading, (const struct sysfs_entry *)entries.items + i);
	return status;
}
