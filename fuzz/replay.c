/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.c - the fuzz target on files, without libFuzzer: any compiler, any machine.
 *
 *   replay FILE-OR-FOLDER...
 *
 * prints one TAP line for each file; hidden ones of a folder are left out. What is wrong aborts,
 * and the last line on standard error names the file.
 */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count, failed;

static uint8_t *read_all(FILE *file, size_t *size)
{
	long length;
	uint8_t *data;

	if (fseek(file, 0, SEEK_END) || (length = ftell(file)) < 0)
		return NULL;
	rewind(file);
	*size = (size_t)length;
	data = malloc(*size + 1);
	if (data && fread(data, 1, *size, file) != *size) {
		free(data);
		data = NULL;
	}
	return data;
}

static void replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	size_t size = 0;
	uint8_t *data = file ? read_all(file, &size) : NULL;

	fprintf(stderr, "%s\n", path);
	if (data)
		LLVMFuzzerTestOneInput(data, size);
	else
		failed++;
	printf("%s %u - %s\n", data ? "ok" : "not ok", ++count, path);
	fflush(stdout);
	free(data);
	if (file)
		fclose(file);
}

static void replay_folder(const char *folder)
{
	struct dirent **entries;
	const int entry_count = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < entry_count; i++) {
		char path[4096];

		if (entries[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);
			replay_file(path);
		}
		free(entries[i]);
	}
	if (entry_count >= 0)
		free(entries);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		DIR *folder = opendir(argv[i]);

		if (folder) {
			closedir(folder);
			replay_folder(argv[i]);
		} else {
			replay_file(argv[i]);
		}
	}
	printf("1..%u\n", count);
	return failed || !count;
}
