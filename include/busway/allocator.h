/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * allocator.h - memory comes from the caller.
 *
 * The core has no heap of its own: whatever grows is taken from an allocator that the caller
 * hands in, so that an arena, a static array or a kernel's allocator can serve. Free gets the
 * size and the alignment back. An allocator that several threads reach through Busway at the
 * same time must be safe for that; Busway adds no lock of its own.
 */
#ifndef BUSWAY_ALLOCATOR_H
#define BUSWAY_ALLOCATOR_H

#include <stddef.h>

struct busway_allocator {
	/* NULL when there is no more; @align is a power of two */
	void *(*alloc)(void *ctx, size_t size, size_t align);
	/* @size and @align as they were given to alloc; @mem is never NULL */
	void (*free)(void *ctx, void *mem, size_t size, size_t align);
	void *ctx;
};

#endif
