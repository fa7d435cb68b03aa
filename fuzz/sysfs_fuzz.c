/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysfs_fuzz.c - any bytes as the files of a recorded machine, or as an archive of them.
 *
 * Input: an archive, as its first bytes say; or files, each a letter (d, f, l, s: directory, file,
 * link, another file once more), its path up to a line feed, two bytes with the size of its
 * content, and that.
 */
#include "pci_judge.h"

#include "../src/import/system_internal.h"

static void judge_read(int status, struct busway_system *machine,
		       const struct busway_system_error *error)
{
	if (status) {
		must(status == -BUSWAY_EINVAL, "an error of another kind");
		must(error->file[0] && error->message[0], "an error without words");
		return;
	}
	judge(busway_system_pci(machine));
	busway_system_free(machine);
}

/* What is left of a file at *@data: its letter, path and content. False: no more. */
static bool add_file(struct file_tree *tree, const uint8_t **data, size_t *size)
{
	const uint8_t *end = memchr(*data, '\n', *size);
	enum file_kind kind = FILE_IS_REGULAR;
	size_t path_size, given;
	char *path, *content;

	if (!end || (size_t)(end - *data) + 3 > *size)
		return false;
	path_size = (size_t)(end - *data);
	given = end[1] | (size_t)end[2] << 8;
	*size -= path_size + 3;
	given = given < *size ? given : *size;
	path = file_tree_take(tree, path_size + 1);
	content = file_tree_take(tree, given + 1);
	must(path && content, "no memory");
	memcpy(path, *data, path_size);
	path[path_size] = 0;
	memcpy(content, end + 3, given);
	content[given] = 0;
	*data = end + 3 + given;
	*size -= given;
	if (!path_size)
		return true;
	kind = path[0] == 'd'   ? FILE_IS_DIRECTORY
	       : path[0] == 'l' ? FILE_IS_LINK
	       : path[0] == 's' ? FILE_IS_SAME
				: FILE_IS_REGULAR;
	(void)file_tree_add(tree, path + 1, kind, content,
			    kind == FILE_IS_LINK ? strlen(content) : given);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct busway_system *machine = NULL;
	struct busway_system_error error;
	struct file_tree *tree = NULL;
	int status;

	if (busway_system_form(data, size) == BUSWAY_SYSTEM_ARCHIVE) {
		status = busway_system_read_archive(data, size, &memory, &machine, &error);
		judge_read(status, machine, &error);
		return 0;
	}
	must(file_tree_in_memory(&memory, &tree) == 0, "no memory");
	while (add_file(tree, &data, &size))
		;
	file_tree_seal(tree);
	error = (struct busway_system_error){0};
	status = read_machine(tree, &memory, &machine, &error);
	judge_read(status, machine, &error);
	return 0;
}
