/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.h - an access leaves a device with this address: where does it land?
 *
 * Follows one access hop by hop and keeps the whole path. For the inverse question, and for
 * speed, see reach.h.
 */
#ifndef BUSWAY_RESOLVE_H
#define BUSWAY_RESOLVE_H

#include <busway/platform.h>

/* More spaces than that on one way is a circle. Device trees are at most 64 levels deep; the
 * longest real way seen has 4 hops. */
#define BUSWAY_HOPS_MAX 68

/* More regions than that in one access are not listed one by one. */
#define BUSWAY_TARGETS_MAX 4

struct busway_hop {
	busway_space_id space;
	struct busway_range range;          /* in addresses of @space */
	const struct busway_window *window; /* by which it leaves @space; NULL: it ends here */
	const struct busway_region *region; /* where it ends; NULL: it goes on, or is lost */
};

struct busway_path {
	unsigned hop_count;
	unsigned left_out; /* hops of earlier parts for which there was no room, in front */
	struct busway_hop hops[BUSWAY_HOPS_MAX];
	/* the regions where it ends, in address order: more than one where memory banks adjoin */
	unsigned target_count;
	busway_region_id targets[BUSWAY_TARGETS_MAX];
};

/**
 * busway_resolve() - follow an access of a device to its end
 * @platform: sealed
 * @device:   the initiator
 * @dma:      what it emits
 * @emission: what it can emit; NULL: what the platform says of it
 * @access:   what it does there
 * @path:     the hops, up to the one that refused; may be NULL
 * @why:      the reason of a refusal; may be NULL
 *
 * IOMMUs are passed untranslated. An access that several windows or memory banks share is one
 * access if its parts stay side by side all the way; otherwise it is refused as straddling.
 *
 * Return: 0 where all of it lands in one place (RAM, a doorbell, or unknown memory);
 *   -BUSWAY_ERANGE with a reason where it does not;
 *   -BUSWAY_EINVAL for a device that does not exist, an empty access, or a platform that is not
 *   sealed.
 *
 * Memory: none. Threads: any number. Cost: hops times log(windows of the hop).
 */
int busway_resolve(const struct busway_platform *platform, busway_device_id device,
		   struct busway_dma_range dma, const struct busway_emission *emission,
		   enum busway_access access, struct busway_path *path, struct busway_refusal *why);

#endif
