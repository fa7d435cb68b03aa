/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * status.h - what functions return: 0, or one of these, negated.
 *
 * The numbers are those of Linux's errno, written out because a freestanding C has no errno.h.
 */
#ifndef BUSWAY_STATUS_H
#define BUSWAY_STATUS_H

enum busway_status {
	BUSWAY_E2BIG = 7,   /* more pieces than are kept: see the function */
	BUSWAY_EAGAIN = 11, /* not now: it waits, and is told when its turn has come */
	BUSWAY_ENOMEM = 12, /* the allocator has no more */
	BUSWAY_EBUSY = 16,  /* not in this state: sealed, or not yet; still in use */
	BUSWAY_EINVAL = 22, /* an argument makes no sense */
	BUSWAY_ENOSPC = 28, /* the caller's array is too small */
	BUSWAY_ERANGE = 34, /* refused; the refusal says why */
};

#endif
