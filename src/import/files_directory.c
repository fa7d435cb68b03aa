/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_directory.c - a tree of files that is a directory.
 */
#define _GNU_SOURCE
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { AGAIN_MOST = 1000 };

struct directory {
	struct file_tree tree;
	const struct busway_allocator *memory;
	int root;
	bool whole; /* it is the root of this machine: nothing to keep links inside of */
};

/* Links lead nowhere but inside, which takes Linux 5.6: without that nothing is opened. */
static int open_in(struct file_tree *tree, const char *path, int flags)
{
	const struct directory *d = (struct directory *)tree;
	/* a pipe in a recording must not stop us; where only the place is wanted it cannot */
	const int all = flags | O_CLOEXEC | (flags & O_PATH ? 0 : O_NONBLOCK);
	struct open_how how = {.flags = (unsigned)all, .resolve = RESOLVE_IN_ROOT};
	int fd;

	if (d->whole)
		return openat(d->root, path, all);
	/* where something is renamed meanwhile, anywhere, the kernel is not sure of ".." */
	for (unsigned i = 0; i < AGAIN_MOST; i++) {
		fd = (int)syscall(SYS_openat2, d->root, path, &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd;
}

static long directory_read(struct file_tree *tree, const char *path, void *buf, size_t size)
{
	const int fd = open_in(tree, path, O_RDONLY);
	size_t used = 0;
	long result;

	if (fd < 0)
		return -errno;
	for (;;) {
		const ssize_t got = used < size ? read(fd, (char *)buf + used, size - used) : 0;

		if (got < 0 && errno == EINTR)
			continue;
		/* what was read before it failed counts */
		result = got < 0 && !used ? -errno : (long)used;
		if (got <= 0)
			break;
		used += (size_t)got;
	}
	close(fd);
	return result;
}

static long directory_link(struct file_tree *tree, const char *path, char *buf, size_t size)
{
	const int fd = open_in(tree, path, O_PATH | O_NOFOLLOW);
	ssize_t length;

	if (fd < 0)
		return -errno;
	length = readlinkat(fd, "", buf, size - 1);
	if (length < 0) /* of what is no link it says that it is not there */
		length = errno == ENOENT ? -EINVAL : -errno;
	else
		buf[length] = 0;
	close(fd);
	return length;
}

static int directory_list(struct file_tree *tree, const char *path,
			  int (*each)(void *ctx, const char *name), void *ctx)
{
	const int fd = open_in(tree, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int status = 0;

	if (!dir) {
		status = -errno;
		if (fd >= 0)
			close(fd);
		return status;
	}
	while (!status && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			status = each(ctx, entry->d_name);
	closedir(dir);
	return status;
}

static int directory_enter(struct file_tree *tree, const char *name)
{
	struct directory *d = (struct directory *)tree;
	const int fd = open_in(tree, name, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return -errno;
	close(d->root);
	d->root = fd;
	return 0;
}

static void directory_close(struct file_tree *tree)
{
	struct directory *d = (struct directory *)tree;

	close(d->root);
	d->memory->free(d->memory->ctx, d, sizeof(*d), _Alignof(struct directory));
}

static const struct file_tree_calls directory_calls = {
	.read = directory_read,
	.link = directory_link,
	.list = directory_list,
	.enter = directory_enter,
	.close = directory_close,
};

int file_tree_of_directory(const char *root, const struct busway_allocator *memory,
			   struct file_tree **out)
{
	struct directory *d = memory->alloc(memory->ctx, sizeof(*d), _Alignof(struct directory));

	if (!d)
		return -ENOMEM;
	*d = (struct directory){.tree.calls = &directory_calls,
				.memory = memory,
				.whole = strcmp(root, "/") == 0,
				.root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	if (d->root < 0) {
		const int status = -errno;

		memory->free(memory->ctx, d, sizeof(*d), _Alignof(struct directory));
		return status;
	}
	*out = &d->tree;
	return 0;
}
