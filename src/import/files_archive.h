/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * files_archive.h - a tar archive as a tree of files.
 */
#ifndef BUSWAY_FILES_ARCHIVE_H
#define BUSWAY_FILES_ARCHIVE_H

#include <busway/system.h>

#include "files.h"

/* Is it a tar archive, plain or packed by gzip or xz, as its first bytes say? */
bool looks_like_archive(const void *data, size_t size);

/*
 * All files of an archive; @data is not needed any more then. 0, -BUSWAY_ENOMEM, or
 * -BUSWAY_EINVAL: @error says what is wrong with it.
 */
int file_tree_of_archive(const void *data, size_t size, const struct busway_allocator *memory,
			 struct file_tree **out, struct busway_system_error *error);

#endif
