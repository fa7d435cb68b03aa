/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * streams.h - who is told apart by an IOMMU, and in which format it reads its tables.
 *
 * An IOMMU knows a device by stream IDs (specifiers of iommus, what iommu-map makes of a requester
 * ID). Devices that come with one ID cannot have two address spaces.
 */
#ifndef BUSWAY_CLI_STREAMS_H
#define BUSWAY_CLI_STREAMS_H

#include "sim.h"

/* IDs at one IOMMU, first to last; what is not known exactly is taken for more. */
struct stream {
	const char *iommu; /* node */
	uint32_t first, last;
};

struct streams {
	struct stream *ids;
	size_t count;
};

/*
 * The node of the IOMMU that translates for @device; NULL: none does, or it cannot be served: the
 * tree does not say to its end which one it is, there are two in a row, or several that read
 * different formats.
 */
const char *streams_iommu(const struct loaded *loaded, const struct busway_device *device);

/* The IDs that @device comes with; free(@out->ids). False: out of memory. */
bool streams_of(const struct loaded *loaded, const struct busway_device *device,
		struct streams *out);

bool streams_meet(const struct streams *a, const struct streams *b);

/* What the IOMMU at @node reads, by its compatible. False: that is not known, and Arm's stage 1 is
 * taken instead. */
bool streams_format(const struct loaded *loaded, const char *node,
		    enum busway_pagetable_format *format);

#endif
