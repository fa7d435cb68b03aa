/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_archive.c - a tar archive, plain or packed, as a tree of files in memory.
 *
 * libarchive unpacks it. Nothing is written anywhere; how much is unpacked has bounds.
 */
#include "files_archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
	BLOCK = 512,
	CHECKSUM = 148, /* in a header: eight characters, octal */
	CHECKSUM_SIZE = 8,
	BYTES_MOST = 256 << 20,
	ENTRIES_MOST = 1 << 20,
};

/* An archive while it is being unpacked. */
struct unpacking {
	struct archive *archive;
	struct file_tree *tree;
	struct busway_system_error *error;
	size_t bytes, entries; /* so far */
};

/* ---- is it one? ---- */

/* The sum of all bytes of a header, its own checksum taken as blanks. */
static bool has_checksum(const unsigned char *header)
{
	unsigned long stated = 0, sum = 0;
	bool digits = false;

	for (unsigned i = 0; i < BLOCK; i++)
		sum += i >= CHECKSUM && i < CHECKSUM + CHECKSUM_SIZE ? ' ' : header[i];
	for (unsigned i = CHECKSUM; i < CHECKSUM + CHECKSUM_SIZE; i++) {
		if (header[i] >= '0' && header[i] <= '7') {
			stated = stated * 8 + (header[i] - '0');
			digits = true;
		} else if (header[i] != ' ' || digits) {
			break;
		}
	}
	return digits && stated == sum;
}

bool looks_like_archive(const void *data, size_t size)
{
	static const unsigned char gzip[] = {0x1f, 0x8b}, xz[] = {0xfd, '7', 'z', 'X', 'Z', 0};

	return (size >= sizeof(gzip) && memcmp(data, gzip, sizeof(gzip)) == 0) ||
	       (size >= sizeof(xz) && memcmp(data, xz, sizeof(xz)) == 0) ||
	       (size >= BLOCK && has_checksum(data));
}

/* ---- unpack it ---- */

static int fail(struct unpacking *u, const char *file, const char *message)
{
	snprintf(u->error->file, sizeof(u->error->file), "%s", file);
	snprintf(u->error->message, sizeof(u->error->message), "%s", message);
	for (char *c = u->error->file; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?'; /* for a terminal */
	return -BUSWAY_EINVAL;
}

static int fail_as_told(struct unpacking *u, const char *file)
{
	const char *told = archive_error_string(u->archive);

	if (archive_errno(u->archive) == ENOMEM)
		return -BUSWAY_ENOMEM;
	if (told && strstr(told, "No progress is possible"))
		told = "truncated xz input"; /* that is how liblzma puts it */
	return fail(u, file, told ? told : "is no archive that can be read");
}

static int add(struct unpacking *u, const char *path, enum file_kind kind, const void *content,
	       size_t size)
{
	const int status = file_tree_add(u->tree, path, kind, content, size);

	if (status == -ENAMETOOLONG)
		return fail(u, "archive", "a path in it is too long");
	return status ? -BUSWAY_ENOMEM : 0;
}

static int add_text(struct unpacking *u, const char *path, enum file_kind kind, const char *text)
{
	const size_t size = strlen(text) + 1;
	char *copy = file_tree_take(u->tree, size);

	if (!copy)
		return -BUSWAY_ENOMEM;
	memcpy(copy, text, size);
	return add(u, path, kind, copy, size - 1);
}

static int add_regular(struct unpacking *u, const char *path, size_t size)
{
	char *content = file_tree_take(u->tree, size);
	size_t used = 0;

	if (!content)
		return -BUSWAY_ENOMEM;
	while (used < size) {
		const la_ssize_t got = archive_read_data(u->archive, content + used, size - used);

		if (got < 0)
			return fail_as_told(u, path);
		if (got == 0)
			return fail(u, path, "the archive ends in the middle of it");
		used += (size_t)got;
	}
	return add(u, path, FILE_IS_REGULAR, content, used);
}

static int add_entry(struct unpacking *u, struct archive_entry *entry)
{
	const char *path = archive_entry_pathname(entry), *target = archive_entry_hardlink(entry);
	const int64_t size = archive_entry_size(entry);

	if (size < 0 || (uint64_t)size > BYTES_MOST - u->bytes)
		return fail(u, path ? path : "archive", "the archive holds more than 256 MiB");
	u->bytes += (size_t)size;
	if (++u->entries > ENTRIES_MOST)
		return fail(u, "archive", "holds more than 1048576 files");
	if (!path)
		return 0; /* in letters that no file which matters has */
	if (target)
		return add_text(u, path, FILE_IS_SAME, target);
	switch (archive_entry_filetype(entry)) {
	case AE_IFREG:
		return add_regular(u, path, (size_t)size);
	case AE_IFDIR:
		return add(u, path, FILE_IS_DIRECTORY, NULL, 0);
	case AE_IFLNK:
		target = archive_entry_symlink(entry);
		return target ? add_text(u, path, FILE_IS_LINK, target) : 0;
	default:
		return 0; /* pipes, sockets */
	}
}

/*
 * Add everything. An archive ends with a block of zeros: one that just stops was cut, and what is
 * missing may be anything. libarchive does not tell; how far it has read does.
 */
static int add_all(struct unpacking *u)
{
	for (;;) {
		struct archive_entry *entry;
		la_int64_t before;
		int status;

		if (u->entries && archive_read_data_skip(u->archive) < ARCHIVE_WARN)
			return fail_as_told(u, "archive");
		before = archive_filter_bytes(u->archive, 0);
		status = archive_read_next_header(u->archive, &entry);
		if (status == ARCHIVE_EOF) {
			if (archive_filter_bytes(u->archive, 0) == before)
				return fail(u, "archive", "has no end: it was cut");
			return 0;
		}
		if (status < ARCHIVE_WARN)
			return fail_as_told(u, "archive");
		status = add_entry(u, entry);
		if (status)
			return status;
	}
}

static int open_archive(struct unpacking *u, const void *data, size_t size)
{
	archive_read_support_filter_gzip(u->archive);
	archive_read_support_filter_xz(u->archive);
	archive_read_support_format_tar(u->archive);
	return archive_read_open_memory(u->archive, data, size) ? fail_as_told(u, "archive") : 0;
}

int file_tree_of_archive(const void *data, size_t size, const struct busway_allocator *memory,
			 struct file_tree **out, struct busway_system_error *error)
{
	struct unpacking u = {.error = error};
	int status = file_tree_in_memory(memory, &u.tree);

	if (status)
		return -BUSWAY_ENOMEM;
	u.archive = archive_read_new();
	status = u.archive ? open_archive(&u, data, size) : -BUSWAY_ENOMEM;
	if (!status)
		status = add_all(&u);
	archive_read_free(u.archive);
	if (status) {
		file_tree_close(u.tree);
		return status;
	}
	file_tree_seal(u.tree);
	*out = u.tree;
	return 0;
}
