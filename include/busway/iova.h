/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * iova.h - which IOVAs a device behind an IOMMU can use, and who took the others away.
 *
 * The windows of a host bridge limit what comes out of its bus before the IOMMU sees it, and an
 * outbound aperture is answered on the bus: both are holes in the IOVA space, which the kernel
 * does not report to user space. Linux applies them in iova_reserve_pci_windows()
 * (drivers/iommu/dma-iommu.c) for its own mappings only.
 */
#ifndef BUSWAY_IOVA_H
#define BUSWAY_IOVA_H

#include <busway/intervals.h>
#include <busway/platform.h>

enum busway_iova_cause {
	BUSWAY_IOVA_NO_WINDOW, /* no inbound window forwards it */
	BUSWAY_IOVA_APERTURE,  /* an outbound aperture answers on the bus */
	BUSWAY_IOVA_RESERVED,  /* iommu-addresses of the device */
	BUSWAY_IOVA_EMISSION,  /* the device cannot emit it */
	BUSWAY_IOVA_DOORBELL,  /* an MSI doorbell answers on the bus: groups only */
	BUSWAY_IOVA_REPORTED,  /* the kernel, or whoever else was asked, does not allow it: so, too
				*/
	BUSWAY_IOVA_SYSTEM,    /* the operating system or a table of firmware keeps it free */
};

struct busway_iova_removed {
	struct busway_range range;
	enum busway_iova_cause cause;
	const char *by; /* node, or the file that says so; lives as long as the platform */
};

struct busway_iova {
	struct busway_intervals allowed;
	struct busway_iova_removed *removed; /* sorted; may overlap: each says who */
	size_t removed_count;
	size_t removed_capacity_;
	const struct busway_allocator *memory_;
};

/**
 * busway_iova_build() - the IOVAs that a device can use
 * @platform: sealed
 * @device:   the initiator; whether an IOMMU really translates it is not asked
 * @emission: what it can emit; NULL: what the platform says of it
 * @memory:   where the result lives
 * @out:      the result; give it back with busway_iova_free()
 *
 * Takes away what no window forwards, outbound apertures, iommu-addresses of the device, and
 * what it cannot emit. What the windows lead to does not matter: the IOMMU decides that.
 *
 * Return: 0, -BUSWAY_EINVAL, -BUSWAY_ENOMEM, -BUSWAY_E2BIG. Threads: any number.
 */
int busway_iova_build(const struct busway_platform *platform, busway_device_id device,
		      const struct busway_emission *emission, const struct busway_allocator *memory,
		      struct busway_iova *out);
void busway_iova_free(struct busway_iova *iova);

#endif
