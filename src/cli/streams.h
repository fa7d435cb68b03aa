/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.h - who is told apart by an IOMMU, and in which format it reads its tables.
 *
 * An IOMMU knows a device by stream IDs (specifiers of iommus, what iommu-map makes of a requester
 * ID). Devices that come with one ID cannot have two address spaces.
 */
#ifndef BUSWAY_CLI_STREAMS_H
#define BUSWAY_CLI_STREAMS_H

#include "cli.h"

/* IDs at one IOMMU: .id, whatever its bits of .ignored are. */
struct stream {
	const char *iommu; /* node */
	uint32_t id, ignored;
};

struct streams {
	struct stream *ids;
	size_t count;
	const struct busway_device *seen_as; /* the device, or the function in front */
	bool one_of;                         /* which of them is its own, the tree does not say */
};

/*
 * The node of the IOMMU that translates for @device; NULL: none does, or it cannot be served: the
 * tree does not say to its end which one it is, there are two in a row, or several that read
 * different formats.
 */
const char *streams_iommu(const struct loaded *loaded, const struct busway_device *device);

/* front.c: the PCI function whose ID the device comes with, since it is on a chip behind it. False:
 * there is none. */
bool function_above(const struct loaded *loaded, busway_device_id id, busway_device_id *function);

/* The IDs that the device may come with; on a chip behind a PCI function, with the function's. What
 * is found goes to streams_free(), also after false: out of memory. */
bool streams_of(const struct loaded *loaded, busway_device_id id, struct streams *out);

/* Of a list of @count, and the list itself; NULL is fine. */
void streams_free(struct streams *list, size_t count);

/* Can an IOMMU take an access of the one for one of the other? */
bool streams_meet(const struct streams *a, const struct streams *b);

/* What the IOMMU at @node reads, by its compatible. False: that is not known, and Arm's stage 1 is
 * taken instead. */
bool streams_format(const struct loaded *loaded, const char *node,
		    enum busway_pagetable_format *format);

#endif
