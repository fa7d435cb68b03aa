/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load.c - a platform: a flattened device tree, a source that dtc compiles, or a machine that
 * runs or was recorded. What a file is its content tells.
 */
#include "cli.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SIZE_MAX_READ = 256 << 20 };

/* All that can be read from @fd, into memory that malloc gave. */
static void *read_all(int fd, const char *name, size_t *size)
{
	size_t capacity = 64 * 1024, used = 0;
	char *data = malloc(capacity);

	while (data) {
		const ssize_t got = read(fd, data + used, capacity - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			complain("%s: %s", name, strerror(errno));
			break;
		}
		if (got == 0) {
			*size = used;
			return data;
		}
		used += (size_t)got;
		if (used > SIZE_MAX_READ) {
			complain("%s: larger than %d MiB", name, SIZE_MAX_READ >> 20);
			break;
		}
		if (used == capacity) {
			char *larger = realloc(data, capacity *= 2);

			if (!larger)
				break;
			data = larger;
		}
	}
	if (!data)
		complain("%s: out of memory", name);
	free(data);
	return NULL;
}

static const char *name_of(const char *path)
{
	return strcmp(path, "-") == 0 ? "standard input" : *path ? path : "''";
}

void *read_file(const char *path, size_t *size)
{
	const bool standard = strcmp(path, "-") == 0;
	const int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	void *data;

	if (fd < 0) {
		complain("%s: %s", name_of(path), strerror(errno));
		return NULL;
	}
	data = read_all(fd, name_of(path), size);
	if (!standard)
		close(fd);
	return data;
}

/* ---- device-tree sources ---- */

static bool looks_like_source(const char *path, const char *data, size_t size)
{
	static const unsigned char magic[] = {0xd0, 0x0d, 0xfe, 0xed};
	const size_t length = strlen(path);

	/* a compiled tree is one whatever its file is called and its strings say */
	if (!size || (size >= sizeof(magic) && memcmp(data, magic, sizeof(magic)) == 0))
		return false;
	if (length > 4 && strcmp(path + length - 4, ".dts") == 0)
		return true;
	return size >= 8 && memmem(data, size < 4096 ? size : 4096, "/dts-v1/", 8) != NULL;
}

/* Write @data to a file without a name, so that dtc can read it at its own pace. */
static int spool(const char *data, size_t size)
{
	FILE *file = tmpfile();
	int fd;

	if (!file)
		return -1;
	if (fwrite(data, 1, size, file) != size || fflush(file)) {
		fclose(file);
		return -1;
	}
	fd = dup(fileno(file));
	fclose(file);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

/* What dtc is to make of a source: a tree, or a source with the place of each line behind it. */
enum product { PRODUCT_TREE, PRODUCT_PLACES };

static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
}

static bool spawn_dtc(const char *path, int in, int out, int err, enum product product, pid_t *pid)
{
	char program[] = "dtc", quiet[] = "-qq", from[] = "-Idts", tree[] = "-Odtb", inc[] = "-i";
	char dash[] = "-", source[] = "-Odts", annotate[] = "-TT";
	const bool places = product == PRODUCT_PLACES;
	char *dir = directory_of(path);
	char *argv[] = {program, quiet, from, places ? source : tree, inc, dir, dash, NULL, NULL};
	posix_spawn_file_actions_t actions;
	int failed;

	if (places) {
		argv[6] = annotate;
		argv[7] = dash;
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, err, STDERR_FILENO);
	failed = dir ? posix_spawnp(pid, "dtc", &actions, NULL, argv, environ) : ENOMEM;
	posix_spawn_file_actions_destroy(&actions);
	free(dir);
	if (places)
		return !failed; /* the tree was compiled before: everything has been said */
	if (failed == ENOENT)
		complain("%s: a device-tree source needs dtc (package device-tree-compiler)",
			 name_of(path));
	else if (failed)
		complain("%s: dtc: %s", name_of(path), strerror(failed));
	return !failed;
}

/* dtc, which reads its standard input, has written to @fd: tell that, with the name of the file. */
static void pass_on_words(int fd, const char *name)
{
	static const char placeholder[] = "<stdin>";
	size_t size = 0;
	char *words = lseek(fd, 0, SEEK_SET) == 0 ? read_all(fd, "dtc", &size) : NULL;
	const char *at = words;

	flockfile(stderr); /* other threads may have words to pass on */
	while (words && size) {
		const char *hit = memmem(at, size, placeholder, sizeof(placeholder) - 1);
		const size_t plain = hit ? (size_t)(hit - at) : size;

		fwrite(at, 1, plain, stderr);
		at += plain;
		size -= plain;
		if (hit) {
			fputs(name, stderr);
			at += sizeof(placeholder) - 1;
			size -= sizeof(placeholder) - 1;
		}
	}
	funlockfile(stderr);
	free(words);
}

/* What dtc makes of a source. Where that is a tree: NULL after a complaint (dtc's own words stand
 * behind it). */
static void *compile(const char *path, const char *source, size_t source_size, enum product product,
		     size_t *size)
{
	const int in = spool(source, source_size), err = spool("", 0);
	void *data = NULL;
	int pipes[2] = {-1, -1}, status = 1;
	pid_t pid;

	if (in < 0 || err < 0 || pipe2(pipes, O_CLOEXEC)) {
		complain("%s: %s", name_of(path), strerror(errno));
	} else if (spawn_dtc(path, in, pipes[1], err, product, &pid)) {
		close(pipes[1]);
		pipes[1] = -1;
		data = read_all(pipes[0], "dtc", size);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (data && status) {
			if (product == PRODUCT_TREE)
				complain("%s: dtc cannot compile it", name_of(path));
			free(data);
			data = NULL;
		}
		if (product == PRODUCT_TREE)
			pass_on_words(err, name_of(path));
	}
	for (int i = 0; i < 2; i++)
		if (pipes[i] >= 0)
			close(pipes[i]);
	if (in >= 0)
		close(in);
	if (err >= 0)
		close(err);
	return data;
}

/* ---- platforms ---- */

void complain_of_tree(const char *source, const struct busway_fdt_error *e)
{
	complain("%s: %s%s%s%s%s", source, e->node, e->node[0] ? ": " : "", e->property,
		 e->property[0] ? ": " : "", e->message);
}

/* @data, which it takes, or what dtc makes of it. */
static void *tree_of(const char *source, char *data, size_t *size)
{
	if (data && looks_like_source(source, data, *size)) {
		char *compiled = compile(source, data, *size, PRODUCT_TREE, size);

		free(data);
		data = compiled;
	}
	return data;
}

void *read_tree(const char *source, size_t *size)
{
	return tree_of(source, read_file(source, size), size);
}

char *read_places(const char *source)
{
	size_t size = 0;
	char *data = strcmp(source, "-") == 0 ? NULL : read_file(source, &size);
	char *places = NULL, *text = NULL;

	if (data && looks_like_source(source, data, size))
		places = compile(source, data, size, PRODUCT_PLACES, &size);
	if (places)
		text = strndup(places, size);
	free(places);
	free(data);
	return text;
}

/* Say why a machine could not be read, if so. */
static bool loaded_machine(const char *source, int status, const struct busway_system_error *error)
{
	if (status == -BUSWAY_ENOMEM)
		complain("%s: out of memory", source);
	else if (status)
		complain("%s: %s: %s", source, error->file, error->message);
	return !status;
}

static bool load_directory(const char *source, const char *root, struct loaded *loaded)
{
	struct busway_system_error error;
	const int status =
		busway_system_read_directory(root, &cli_memory, &loaded->machine, &error);

	return loaded_machine(source, status, &error);
}

static bool load_machine(char *data, size_t size, enum busway_system_form form,
			 struct loaded *loaded)
{
	struct busway_system_error error;
	const int status = form == BUSWAY_SYSTEM_ARCHIVE
				   ? busway_system_read_archive(data, size, &cli_memory,
								&loaded->machine, &error)
				   : busway_system_read_lspci(data, size, &cli_memory,
							      &loaded->machine, &error);

	free(data);
	return loaded_machine(loaded->source, status, &error);
}

static bool is_directory(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool load_table(const void *data, size_t size, struct loaded *loaded)
{
	struct busway_acpi_error error;
	const int status = busway_acpi_read(data, size, &cli_memory, &loaded->acpi, &error);

	if (status == -BUSWAY_ENOMEM)
		complain("%s: out of memory", loaded->source);
	else if (status)
		complain("%s: at byte 0x%x: %s", loaded->source, (unsigned)error.offset,
			 error.message);
	return !status;
}

static bool load_tree(char *data, size_t size, unsigned flags, struct loaded *loaded)
{
	struct busway_fdt_error error;
	int status;

	if (busway_acpi_is_table(data, size)) {
		const bool read = load_table(data, size, loaded);

		free(data);
		return read;
	}
	loaded->blob = data;
	loaded->size = size;
	if (flags & LOAD_TREE_AS_IT_IS)
		return true;
	status = busway_fdt_import(data, size, flags, &cli_memory, &loaded->platform, &error);
	if (status) {
		free(data);
		loaded->blob = NULL;
		if (status == -BUSWAY_ENOMEM)
			complain("%s: out of memory", loaded->source);
		else
			complain_of_tree(loaded->source, &error);
		return false;
	}
	return true;
}

static bool load_file(const char *source, unsigned flags, struct loaded *loaded)
{
	enum busway_system_form form;
	size_t size = 0;
	char *data = read_file(source, &size);

	if (!data)
		return false;
	form = looks_like_source(source, data, size) ? BUSWAY_SYSTEM_NONE
						     : busway_system_form(data, size);
	if (form != BUSWAY_SYSTEM_NONE)
		return load_machine(data, size, form, loaded);
	data = tree_of(source, data, &size);
	return data && load_tree(data, size, flags, loaded);
}

static bool load_source(const char *source, unsigned flags, struct loaded *loaded)
{
	*loaded = (struct loaded){.source = name_of(source)};
	if (strcmp(source, "live") == 0)
		return load_directory(source, "/", loaded);
	if (is_directory(source))
		return load_directory(source, source, loaded);
	return load_file(source, flags, loaded);
}

bool load_any(const char *source, unsigned flags, struct loaded *loaded)
{
	if (!load_source(source, flags, loaded))
		return false;
	if (loaded->machine) {
		loaded->platform = busway_system_edit_platform(loaded->machine);
		loaded->blob = busway_system_tree(loaded->machine, &loaded->size);
	}
	return true;
}

bool load(const char *source, unsigned flags, struct loaded *loaded)
{
	if (!load_any(source, flags, loaded))
		return false;
	if (!loaded->acpi)
		return true;
	complain("%s: an ACPI table lists no devices: only 'show' takes one by itself",
		 loaded->source);
	unload(loaded);
	return false;
}

void unload(struct loaded *loaded)
{
	if (!loaded->machine) { /* else both are the machine's */
		busway_platform_destroy(loaded->platform);
		free((void *)(uintptr_t)loaded->blob);
	}
	busway_system_free(loaded->machine);
	busway_acpi_free(loaded->acpi);
}
