/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * buffers.h - registered buffers of one device, and the device's address of each byte in them.
 *
 * A driver in user space registers its memory once, and then asks for addresses of parts of it in
 * its hot path:
 *
 *   virtual  |---- a ----|  |-- b --||---- c ----|        buffers, any size, any alignment
 *   device     |---- a ----|  out of reach  |---- c ----| each of one piece
 *
 * One directory for each device (or domain): it holds, for each buffer, under which address the
 * device reaches it and for what, or that it does not. Where the addresses come from is not its
 * business: see <busway/reach.h>, <busway/iova_space.h>, <busway/iova_map.h>. An answer is one
 * address for all bytes that were asked for, allowed for that access, or a refusal.
 *
 * Threads: one writer at a time (register, unregister, reclaim), and any number of readers beside
 * it (translate, run, find, next), which take no lock, never wait, and write nothing that is
 * shared. What a reader is told was true at some moment of its call:
 *   - a call that begins when busway_buffers_register() has returned finds the buffer, and one that
 *     begins when busway_buffers_unregister() has returned does not ("begins when": a lock, an
 *     atomic flag or the like stands between the two);
 *   - a call at the same time finds all of the buffer or nothing of it in the bytes it asks for,
 *     and never half of one buffer and half of another.
 * An address that a reader was given is good as long as the buffer is registered. So is the memory
 * that readers look at: what an update replaces is put aside, not given back, until the writer says
 * that those readers are gone, by busway_buffers_reclaim().
 */
#ifndef BUSWAY_BUFFERS_H
#define BUSWAY_BUFFERS_H

#include <busway/allocator.h>
#include <busway/platform.h>
#include <busway/refusal.h>

struct busway_buffers;

struct busway_buffer {
	struct busway_range va; /* virtual addresses, as whoever asks knows them */
	busway_dma_t dma;       /* what the device calls va.first; may be the same number */
	/* what the device may do; 0: it does not reach the buffer, and .dma means nothing */
	enum busway_access access;
	void *owner; /* the caller's */
};

struct busway_buffers_options {
	/* no reader is ever in a call while the writer is: nothing is put aside */
	bool exclusive;
	const char *name; /* in refusals; outlives the directory; NULL: "buffers" */
};

/**
 * busway_buffers_create() - an empty directory
 * @options: NULL: all zero
 * @memory:  outlives the directory; only the writer calls it
 *
 * 8 KiB at first. Return: 0, -BUSWAY_ENOMEM.
 */
int busway_buffers_create(const struct busway_buffers_options *options,
			  const struct busway_allocator *memory, struct busway_buffers **out);

/* With all buffers that are left. No reader may be in a call. @buffers may be NULL. */
void busway_buffers_destroy(struct busway_buffers *buffers);

/* ---- the writer ------------------------------------------------------------------------ */

/**
 * busway_buffers_register() - the bytes of @buffer are found from now on
 * @buffer: copied
 *
 * Cost: a few cells at its two ends, and one word for each 2 MiB between (for each GiB, or 512 GiB,
 * where it covers that much of it as a whole), whatever else is registered.
 *
 * Return: 0; -BUSWAY_ENOMEM; -BUSWAY_EINVAL: the range is none, .access is nothing that there is,
 * or .dma passes 2^64; -BUSWAY_ERANGE: buffer-overlap (.asked: @buffer, .limit: the first buffer
 * that is in the way). Nothing changes where it fails. Two buffers may have the same device
 * addresses.
 */
int busway_buffers_register(struct busway_buffers *buffers, const struct busway_buffer *buffer,
			    struct busway_refusal *why);

/**
 * busway_buffers_unregister() - the buffer at @va is not found any more
 * @va: all of it, as it was registered
 *
 * Allocates nothing. Take the addresses away from the device (unmap, free the IOVA) only when the
 * readers are gone that may have been in a call when this one began: they may have been told them.
 *
 * Return: 0; -BUSWAY_EINVAL: the range is none; -BUSWAY_ERANGE: buffer-unknown (nothing is
 * registered at va.first), buffer-part (.limit: the buffer that is there). Nothing changes where it
 * fails.
 */
int busway_buffers_unregister(struct busway_buffers *buffers, struct busway_range va,
			      struct busway_refusal *why);

/*
 * Memory that updates put aside, by when. Ask for a ticket; wait until each reader has been outside
 * of all calls for a moment (a pass through its event loop will do); reclaim what the ticket stands
 * for. A full barrier, such as atomic_thread_fence(memory_order_seq_cst), stands between the update
 * and the writer's first look at a reader, and between a reader's word that it is outside and its
 * next call; that word is a release, and the look an acquire. Without such a scheme: reclaim while
 * no reader is in a call.
 *
 * What was reclaimed is used for what comes next, and goes back to the allocator when the directory
 * is destroyed. An update puts aside at most a cell of 192 bytes for each end of the buffer, the
 * buffer's 48 bytes, and nodes that it left empty. With .exclusive there is never any.
 */
uint64_t busway_buffers_ticket(const struct busway_buffers *buffers);
void busway_buffers_reclaim(struct busway_buffers *buffers, uint64_t ticket);

/* How many buffers there are; the bytes that the directory has from its allocator, and which part
 * of that is put aside. */
size_t busway_buffers_count(const struct busway_buffers *buffers);
size_t busway_buffers_bytes(const struct busway_buffers *buffers);
size_t busway_buffers_aside(const struct busway_buffers *buffers);

/* ---- readers --------------------------------------------------------------------------- */

/**
 * busway_buffers_translate() - what the device calls the bytes from @va on
 * @length: in bytes, 1 or more
 * @access: what the device is to do there
 * @dma:    the address of the first byte
 * @why:    the reason of a refusal; may be NULL
 *
 * All @length bytes lie in one buffer. Buffers that adjoin on both sides remain two: step from one
 * to the next by busway_buffers_run(), or register them as one.
 *
 * Return: 0; -BUSWAY_EINVAL: @length is 0, it passes 2^64, or @access is none; -BUSWAY_ERANGE:
 * buffer-unknown, buffer-unreached and buffer-access (.limit: the buffer), buffer-end (.limit: the
 * leading part that goes). Cost: three or four loads that depend on each other, whatever is
 * registered, where buffers cover 2 MiB; two more where they end; and one more for each eighth of
 * 2 MiB, of that, and so on, where more than seven end side by side. Threads: any number, beside
 * one writer.
 */
int busway_buffers_translate(const struct busway_buffers *buffers, uint64_t va, uint64_t length,
			     enum busway_access access, busway_dma_t *dma,
			     struct busway_refusal *why);

/**
 * busway_buffers_run() - the same for as much of it as lies in one buffer
 * @length: how much is wanted; on success how much goes, 1 or more
 *
 * As busway_buffers_translate(), but what lies behind the end of the buffer is cut off.
 */
int busway_buffers_run(const struct busway_buffers *buffers, uint64_t va, uint64_t *length,
		       enum busway_access access, busway_dma_t *dma, struct busway_refusal *why);

/* The buffer that holds @va; false: there is none, and @out stays as it was. */
bool busway_buffers_find(const struct busway_buffers *buffers, uint64_t va,
			 struct busway_buffer *out);

/* The same, or else the first one behind @va. Not for hot paths: it looks at empty slots too. */
bool busway_buffers_next(const struct busway_buffers *buffers, uint64_t va,
			 struct busway_buffer *out);

#endif
