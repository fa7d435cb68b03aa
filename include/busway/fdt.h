/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdt.h - a platform from a flattened device tree.
 *
 * Rules that the Devicetree Specification leaves open are Linux's; each answer carries notes
 * (busway_note) on which were applied. Hosted code: uses libfdt.
 */
#ifndef BUSWAY_FDT_H
#define BUSWAY_FDT_H

#include <busway/platform.h>

enum busway_fdt_flags {
	/* every node becomes a device, not only those that are likely to do DMA */
	BUSWAY_FDT_ALL_NODES = 1,
};

/* Where and why a tree could not be read. */
struct busway_fdt_error {
	char node[256];    /* "" where it is about the whole file */
	char property[64]; /* "" where it is about the whole node */
	char message[256];
};

/**
 * busway_fdt_import() - build and seal a platform
 * @blob:   the tree, 8-byte aligned; must outlive the platform, which points into it
 * @size:   bytes at @blob: at least the tree's own size, padding allowed
 * @flags:  enum busway_fdt_flags
 * @memory: for the platform, and for working memory that is given back before the return
 * @out:    the platform; destroy it with busway_platform_destroy()
 * @error:  what is wrong, where -BUSWAY_EINVAL is returned; may be NULL
 *
 * Return: 0; -BUSWAY_EINVAL for a tree that cannot be read; -BUSWAY_ENOMEM. Nothing is left behind
 * by failure. Threads: any number, on different @memory or one that is safe for that.
 */
int busway_fdt_import(const void *blob, size_t size, unsigned flags,
		      const struct busway_allocator *memory, struct busway_platform **out,
		      struct busway_fdt_error *error);

#endif
