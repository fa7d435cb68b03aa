/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - a tree of small files, wherever it is: a directory, or an archive in memory.
 *
 * Paths are relative to the root of the tree, without a slash in front: "sys/bus/pci/devices".
 * Links are followed inside the tree only: its root is their root.
 */
#ifndef BUSWAY_FILES_H
#define BUSWAY_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct file_tree {
	const struct file_tree_calls *calls;
};

struct file_tree_calls {
	/* Up to @size bytes of the file; how many, or a negative errno. */
	long (*read)(struct file_tree *tree, const char *path, void *buf, size_t size);
	/* Where the link @path leads, as it is written there, with a NUL; its length or a negative
	 * errno. */
	long (*link)(struct file_tree *tree, const char *path, char *buf, size_t size);
	/* Call @each for all names in a directory, in no order, but "." and "..". 0, a negative
	 * errno, or what @each returned if that was not 0: then it ends. */
	int (*list)(struct file_tree *tree, const char *path,
		    int (*each)(void *ctx, const char *name), void *ctx);
	void (*close)(struct file_tree *tree);
};

/* A directory: a negative errno where it cannot be opened. */
int file_tree_of_directory(const char *root, struct file_tree **out);

static inline long file_read(struct file_tree *tree, const char *path, void *buf, size_t size)
{
	return tree->calls->read(tree, path, buf, size);
}

static inline long file_link(struct file_tree *tree, const char *path, char *buf, size_t size)
{
	return tree->calls->link(tree, path, buf, size);
}

static inline int file_list(struct file_tree *tree, const char *path,
			    int (*each)(void *ctx, const char *name), void *ctx)
{
	return tree->calls->list(tree, path, each, ctx);
}

static inline void file_tree_close(struct file_tree *tree)
{
	tree->calls->close(tree);
}

#endif
