/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * busway.h - the core of Busway: all of it but the importers, which are hosted code.
 *
 * Read in this order: addr.h (addresses and ranges), platform.h (the graph and its words),
 * resolve.h (where does an access land?), reach.h (which address reaches this memory?),
 * iova.h (what an IOMMU's address space leaves), refusal.h (why not), fdt.h (a platform from a
 * device tree). Then the DMA API, for drivers: dma.h (a device and its masks), mapping.h (hand
 * memory to a device), coherent.h (memory that both share). For whoever programs an IOMMU:
 * pagetable.h, iova_space.h, and domain.h, which joins both; iova_map.h (what is mapped where).
 * For drivers in user space: buffers.h (addresses of registered memory).
 *
 * What holds for every function unless it says otherwise:
 *   - pointers must not be NULL;
 *   - the return value is 0 or a negative status (status.h);
 *   - results come back through pointers, which are left alone by a call that fails;
 *   - sizes are in bytes, ranges are inclusive on both ends;
 *   - there are no globals; what is built once has no locks either, and threads may share it.
 */
#ifndef BUSWAY_BUSWAY_H
#define BUSWAY_BUSWAY_H

#include <busway/addr.h>
#include <busway/allocator.h>
#include <busway/buffers.h>
#include <busway/coherent.h>
#include <busway/dma.h>
#include <busway/domain.h>
#include <busway/intervals.h>
#include <busway/iova.h>
#include <busway/iova_map.h>
#include <busway/iova_space.h>
#include <busway/mapping.h>
#include <busway/pagetable.h>
#include <busway/platform.h>
#include <busway/reach.h>
#include <busway/refusal.h>
#include <busway/resolve.h>
#include <busway/status.h>

/* "1.2.3" */
const char *busway_version(void);

#endif
