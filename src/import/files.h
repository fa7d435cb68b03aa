/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files.h - a tree of small files, wherever it is: a directory, an archive, or memory.
 *
 * Paths are relative to the root of the tree, without a slash in front: "sys/bus/pci/devices".
 * Links are followed inside the tree only: its root is their root.
 */
#ifndef BUSWAY_FILES_H
#define BUSWAY_FILES_H

#include <busway/allocator.h>

#include <stdbool.h>
#include <stddef.h>

/* Paths are shorter than that, links as well. */
enum { FILE_PATH_SIZE = 2048 };

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
	/* Make a folder of the root the root. 0 or a negative errno. */
	int (*enter)(struct file_tree *tree, const char *name);
	void (*close)(struct file_tree *tree);
};

/* A directory: a negative errno where it cannot be opened. */
int file_tree_of_directory(const char *root, const struct busway_allocator *memory,
			   struct file_tree **out);

/* A tree in memory, empty; -ENOMEM. */
int file_tree_in_memory(const struct busway_allocator *memory, struct file_tree **out);

enum file_kind {
	FILE_IS_DIRECTORY, /* those above a file need not be added */
	FILE_IS_REGULAR,
	FILE_IS_LINK, /* the content is where it leads */
	FILE_IS_SAME, /* the content is the path of another regular file, from the root on */
};

/* Only of trees in memory: memory that lives as long as the tree, or NULL. */
void *file_tree_take(struct file_tree *tree, size_t size);

/*
 * Only of trees in memory, before anything is read: one more file. @path is copied and brought to
 * form; what comes later under the same path counts. @content is not copied. 0, -ENOMEM, or
 * -ENAMETOOLONG.
 */
int file_tree_add(struct file_tree *tree, const char *path, enum file_kind kind,
		  const void *content, size_t size);

/* Only of trees in memory: nothing is added any more. */
void file_tree_seal(struct file_tree *tree);

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

static inline int file_tree_enter(struct file_tree *tree, const char *name)
{
	return tree->calls->enter(tree, name);
}

static inline void file_tree_close(struct file_tree *tree)
{
	tree->calls->close(tree);
}

#endif
